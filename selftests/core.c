// SPDX-License-Identifier: GPL-2.0
/*
 * The object core: CREATE, OPEN, UNLINK, STAT, names, ids and cookies.
 */
#include "object_test.h"

/* Of a request that was refused, and changed something all the same. */
#define LEFT_A_TRACE	99999

/* The errno of a create that must be refused and leave nothing. */
static int refused_create(int dev, const struct ipcx_create *arg)
{
	struct ipcx_query before, after;
	int fd, ret;

	if (dev_query(dev, &before))
		return LEFT_A_TRACE;
	fd = obj_create(dev, arg);
	ret = dev_query(dev, &after);
	if (fd >= 0)
		close(fd);
	else if (ret || !same_accounts(&before, &after))
		return LEFT_A_TRACE;
	return fd;
}

FIXTURE(core) {
	int dev;
	char name[TEST_NAME_SIZE];
	char other[TEST_NAME_SIZE];
};

FIXTURE_SETUP(core)
{
	track_cleanup();
	test_name(self->name, "name");
	test_name(self->other, "other");
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	ASSERT_TRUE(settled(self->dev));
}

FIXTURE_TEARDOWN_PARENT(core)
{
	track_cleanup();
}

/* CREATE: its fields. */

TEST_F(core, create_flags)
{
	struct ipcx_create arg;
	int bit;

	for (bit = 0; bit < 32; bit++) {
		arg = pipe_arg(self->name, TRANSIENT, RDWR);
		arg.flags = 1U << bit;
		if (arg.flags == IPCX_NONBLOCK || arg.flags == IPCX_INHERIT ||
		    arg.flags == IPCX_OR_OPEN) {
			EXPECT_LE(0, refused_create(self->dev, &arg));
		} else {
			EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg)) {
				TH_LOG("flag %#x", arg.flags);
			}
		}
	}
	arg.flags = ~0U;
	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
}

TEST_F(core, create_reserved)
{
	struct ipcx_create arg = pipe_arg(self->name, TRANSIENT, RDWR);

	arg.reserved = 1;
	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
	arg.reserved = 1U << 31;
	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
}

TEST_F(core, create_type)
{
	struct ipcx_create arg = pipe_arg(self->name, TRANSIENT, RDWR);

	arg.type = IPCX_TYPE_ANY;
	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
	arg.type = IPCX_TYPE_REGION;
	EXPECT_EQ(-EOPNOTSUPP, refused_create(self->dev, &arg));
	arg.type = IPCX_TYPE_SEM + 1;
	EXPECT_EQ(-EOPNOTSUPP, refused_create(self->dev, &arg));
	arg.type = ~0U;
	EXPECT_EQ(-EOPNOTSUPP, refused_create(self->dev, &arg));
}

TEST_F(core, create_access)
{
	struct ipcx_create arg = pipe_arg(self->name, TRANSIENT, 0);

	for (arg.access = NONE; arg.access <= RDWR; arg.access++)
		EXPECT_LE(0, refused_create(self->dev, &arg));
	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
	arg.access = ~0U;
	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
}

TEST_F(core, create_lifetime)
{
	struct ipcx_create arg = pipe_arg(self->name, OWNED + 1, RDWR);

	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
	arg.lifetime = ~0U;
	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
}

TEST_F(core, create_mode)
{
	struct ipcx_create arg = pipe_arg(self->name, TRANSIENT, RDWR);

	arg.mode = 0;
	EXPECT_LE(0, refused_create(self->dev, &arg));
	arg.mode = 0777;
	EXPECT_LE(0, refused_create(self->dev, &arg));
	for (arg.mode = 01000; arg.mode; arg.mode <<= 1)
		EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
	arg.mode = ~0U;
	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
}

TEST_F(core, umask_is_applied)
{
	struct ipcx_create arg = pipe_arg(self->name, TRANSIENT, RDWR);
	static const mode_t masks[] = { 0, 022, 077, 0777 };
	struct ipcx_stat st;
	size_t i;
	int fd;

	for (i = 0; i < 4; i++) {
		umask(masks[i]);
		arg.mode = 0777;
		fd = obj_create(self->dev, &arg);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(0777 & ~masks[i], st.mode);
		close(fd);
	}
}

TEST_F(core, create_or_open_needs_a_name)
{
	struct ipcx_create arg = pipe_arg(NULL, TRANSIENT, RDWR);

	arg.flags = IPCX_OR_OPEN;
	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
}

static int create_capacity(int dev, uint64_t capacity, uint64_t *got)
{
	struct ipcx_stat st;
	int fd = pipe_create_sized(dev, NULL, TRANSIENT, RDWR, capacity);

	if (fd < 0)
		return fd;
	fd_stat(fd, &st);
	*got = st.capacity_bytes;
	close(fd);
	return 0;
}

TEST_F(core, create_capacity)
{
	static const struct {
		uint64_t asked, given;
	} cases[] = {
		{ 0, 65536 }, { 4096, 4096 }, { 4097, 8192 }, { 8191, 8192 },
		{ 65535, 65536 }, { 65536, 65536 }, { 65537, 131072 },
	};
	static const uint64_t wrong[] = {
		1, 4095, 1ULL << 32, 1ULL << 63, ~0ULL,
	};
	struct ipcx_query q;
	uint64_t got = 0;
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		EXPECT_EQ(0, create_capacity(self->dev, cases[i].asked, &got));
		EXPECT_EQ(cases[i].given, got);
	}
	for (i = 0; i < ARRAY_LEN(wrong); i++)
		EXPECT_EQ(-EINVAL, create_capacity(self->dev, wrong[i], &got));
	ASSERT_EQ(0, dev_query(self->dev, &q));
	EXPECT_EQ(0, create_capacity(self->dev, q.pipe_capacity_max, &got));
	EXPECT_EQ(q.pipe_capacity_max, got);
	EXPECT_EQ(0, create_capacity(self->dev, q.pipe_capacity_max - 1, &got));
	EXPECT_EQ(q.pipe_capacity_max, got);
	EXPECT_EQ(-EINVAL, create_capacity(self->dev, q.pipe_capacity_max + 1,
					   &got));
}

TEST_F(core, create_params_size)
{
	char params[4096] = { 0 };
	struct ipcx_create arg = pipe_arg(self->name, TRANSIENT, RDWR);
	size_t size;

	arg.params_size = sizeof(struct ipcx_pipe_params);
	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
	arg.params = (uintptr_t)params;
	for (size = 0; size < sizeof(struct ipcx_pipe_params); size++) {
		arg.params_size = size;
		EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg)) {
			TH_LOG("%zu", size);
		}
	}
	for (; size <= sizeof(params); size *= 2) {
		arg.params_size = size;
		EXPECT_LE(0, refused_create(self->dev, &arg)) {
			TH_LOG("%zu", size);
		}
		if (size == sizeof(struct ipcx_pipe_params))
			continue;
		params[size - 1] = 1;
		EXPECT_EQ(-E2BIG, refused_create(self->dev, &arg)) {
			TH_LOG("%zu", size);
		}
		params[size - 1] = 0;
	}
}

TEST_F(core, create_params_of_absurd_size)
{
	char params[8] = { 0 };
	struct ipcx_create arg = pipe_arg(self->name, TRANSIENT, RDWR);
	int ret;

	arg.params = (uintptr_t)params;
	arg.params_size = ~0U;
	ret = refused_create(self->dev, &arg);
	EXPECT_TRUE(ret == -E2BIG || ret == -EFAULT) {
		TH_LOG("%d", ret);
	}
}

TEST_F(core, create_params_outside)
{
	struct ipcx_pipe_params params = { .capacity_bytes = 4096 };
	struct ipcx_create arg = pipe_arg(self->name, TRANSIENT, RDWR);
	char *edge = edge_make();
	size_t inside;

	ASSERT_NE(NULL, edge);
	arg.params_size = sizeof(params);
	for (inside = 0; inside < sizeof(params); inside++) {
		arg.params = (uintptr_t)edge_put(edge, &params, inside);
		EXPECT_EQ(-EFAULT, refused_create(self->dev, &arg));
	}
	arg.params = (uintptr_t)edge_put(edge, &params, sizeof(params));
	EXPECT_LE(0, refused_create(self->dev, &arg));
}

/* Names. */

static struct ipcx_create named(const char *name, uint32_t len)
{
	struct ipcx_create arg = pipe_arg(NULL, TRANSIENT, RDWR);

	arg.name = (uintptr_t)name;
	arg.name_len = len;
	return arg;
}

TEST_F(core, name_lengths)
{
	static const uint32_t too_long[] = {
		IPCX_NAME_MAX + 1, 4096, 65536 + 1, 1U << 31, ~0U,
	};
	char name[2 * IPCX_NAME_MAX];
	struct ipcx_create arg;
	struct ipcx_stat st;
	uint32_t len;
	size_t i;

	memset(name, 'n', sizeof(name));
	for (len = 1; len <= IPCX_NAME_MAX; len++) {
		int fd;

		arg = named(name, len);
		fd = obj_create(self->dev, &arg);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, fd_stat(fd, &st));
		ASSERT_EQ(len, st.name_len);
		ASSERT_EQ(0, memcmp(name, st.name, len));
		ASSERT_EQ(0, st.name[len]);
		close(fd);
	}
	for (i = 0; i < ARRAY_LEN(too_long); i++) {
		struct ipcx_ref ref = {
			.name = (uintptr_t)name, .name_len = too_long[i],
		};

		arg = named(name, too_long[i]);
		EXPECT_EQ(-ENAMETOOLONG, refused_create(self->dev, &arg));
		EXPECT_EQ(-ENAMETOOLONG, ref_open(self->dev, ref, RDWR, 0));
		EXPECT_EQ(-ENAMETOOLONG, ref_unlink(self->dev, ref));
		EXPECT_EQ(-ENAMETOOLONG, ref_remove(self->dev, ref));
		EXPECT_EQ(-ENAMETOOLONG, ref_stat(self->dev, ref, &st));
		EXPECT_EQ(-ENAMETOOLONG, ref_read(self->dev, ref, one_byte, 1,
						  0));
		EXPECT_EQ(-ENAMETOOLONG, ref_write(self->dev, ref, "x", 1, 0));
	}
}

TEST_F(core, name_and_length_go_together)
{
	struct ipcx_create arg = named(self->name, 0);
	struct ipcx_stat st;
	struct ipcx_ref ref = { .name = (uintptr_t)self->name };

	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
	EXPECT_EQ(-EINVAL, ref_open(self->dev, ref, RDWR, 0));
	EXPECT_EQ(-EINVAL, ref_unlink(self->dev, ref));
	EXPECT_EQ(-EINVAL, ref_stat(self->dev, ref, &st));
	arg = named(NULL, 4);
	ref = (struct ipcx_ref) { .name_len = 4 };
	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
	EXPECT_EQ(-EINVAL, ref_open(self->dev, ref, RDWR, 0));
	EXPECT_EQ(-EINVAL, ref_unlink(self->dev, ref));
	EXPECT_EQ(-EINVAL, ref_stat(self->dev, ref, &st));
	/* a length is part of a name, and an id has none */
	ref = (struct ipcx_ref) { .id = 1, .name_len = 4 };
	EXPECT_EQ(-EINVAL, ref_stat(self->dev, ref, &st));
}

TEST_F(core, names_with_slash_or_nul)
{
	char name[IPCX_NAME_MAX];
	struct ipcx_stat st;
	size_t i, place;

	for (i = 0; i < 2; i++) {
		for (place = 0; place < sizeof(name);
		     place += sizeof(name) / 2) {
			struct ipcx_create arg = named(name, sizeof(name));
			struct ipcx_ref ref = {
				.name = (uintptr_t)name,
				.name_len = sizeof(name),
			};

			memset(name, 'x', sizeof(name));
			name[place] = "/"[i];
			EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
			EXPECT_EQ(-EINVAL, ref_open(self->dev, ref, RDWR, 0));
			EXPECT_EQ(-EINVAL, ref_unlink(self->dev, ref));
			EXPECT_EQ(-EINVAL, ref_remove(self->dev, ref));
			EXPECT_EQ(-EINVAL, ref_stat(self->dev, ref, &st));
			EXPECT_EQ(-EINVAL, ref_read(self->dev, ref, one_byte, 1,
						    0));
			EXPECT_EQ(-EINVAL, ref_write(self->dev, ref, "x", 1, 0));
		}
	}
}

TEST_F(core, names_of_any_other_bytes)
{
	char name[3] = "";
	int byte;

	for (byte = 1; byte < 256; byte++) {
		struct ipcx_create arg = named(name, 2);
		struct ipcx_stat st;
		int fd;

		if (byte == '/')
			continue;
		memset(name, byte, 2);
		fd = obj_create(self->dev, &arg);
		ASSERT_GE(fd, 0) {
			TH_LOG("byte %d", byte);
		}
		ASSERT_EQ(0, fd_stat(fd, &st));
		ASSERT_STREQ(name, st.name);
		ASSERT_EQ(2, st.name_len);
		close(fd);
	}
}

/* All bytes count, and nothing but the bytes. */
TEST_F(core, names_differ_in_any_byte)
{
	static const char * const names[] = { "a", "A", "aa", "ab", "a ", " a" };
	char name[IPCX_NAME_MAX];
	int fds[6], i, k;

	for (i = 0; i < 6; i++) {
		struct ipcx_create arg = named(names[i], strlen(names[i]));

		fds[i] = obj_create(self->dev, &arg);
		ASSERT_GE(fds[i], 0);
		for (k = 0; k < i; k++)
			EXPECT_NE(fd_id(fds[i]), fd_id(fds[k]));
	}
	memset(name, 'x', sizeof(name));
	for (i = 0; i < 6; i++) {
		struct ipcx_create arg = named(name, sizeof(name));

		name[IPCX_NAME_MAX - 1 - (i > 2 ? i * 97 : i)] = 'a' + i;
		EXPECT_GE(obj_create(self->dev, &arg), 0);
		EXPECT_EQ(-EEXIST, obj_create(self->dev, &arg));
	}
}

/* Existing names. */

TEST_F(core, create_is_exclusive)
{
	struct ipcx_stat before, after;
	struct ipcx_create arg;
	int fd, access;

	fd = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &before));
	for (access = NONE; access <= RDWR; access++) {
		arg = pipe_arg(self->name, PERSISTENT, access);
		EXPECT_EQ(-EEXIST, refused_create(self->dev, &arg));
	}
	as_user(UID_A, GID_A) {
		arg = pipe_arg(self->name, TRANSIENT, RDWR);
		EXPECT_EQ(-EEXIST, obj_create(self->dev, &arg));
	}
	ASSERT_EQ(0, fd_stat(fd, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

TEST_F(core, or_open_creates)
{
	struct ipcx_create arg = pipe_arg(self->name, PERSISTENT, READ);
	struct ipcx_stat st;
	int fd;

	arg.flags = IPCX_OR_OPEN;
	arg.mode = 0640;
	umask(0);
	fd = obj_create(self->dev, &arg);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_EQ(0640, st.mode);
	EXPECT_EQ(PERSISTENT, st.lifetime);
	EXPECT_EQ(1, st.opens);
	EXPECT_EQ(1, st.readers);
	EXPECT_EQ(0, st.writers);
}

TEST_F(core, or_open_opens)
{
	struct ipcx_pipe_params params = { .capacity_bytes = 4096 };
	struct ipcx_create arg = pipe_arg(self->name, TRANSIENT, WRITE);
	struct ipcx_stat before, after;
	struct ipcx_query q0, q1;
	int fd, again;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &before));
	ASSERT_EQ(0, dev_query(self->dev, &q0));
	arg.flags = IPCX_OR_OPEN;
	arg.mode = 0777;
	arg.params = (uintptr_t)&params;
	arg.params_size = sizeof(params);
	again = obj_create(self->dev, &arg);
	ASSERT_GE(again, 0);
	ASSERT_EQ(0, dev_query(self->dev, &q1));
	EXPECT_EQ(q0.user.objects, q1.user.objects);
	ASSERT_EQ(0, fd_stat(again, &after));
	EXPECT_EQ(before.id, after.id);
	EXPECT_EQ(before.cookie, after.cookie);
	EXPECT_EQ(before.mode, after.mode);
	EXPECT_EQ(PERSISTENT, after.lifetime);
	EXPECT_EQ(before.capacity_bytes, after.capacity_bytes);
	EXPECT_EQ(2, after.opens);
	EXPECT_EQ(1, after.readers);
	EXPECT_EQ(2, after.writers);
	EXPECT_EQ(-EBADF, fd_read(again, one_byte, 1, 0));
	EXPECT_EQ(1, fd_write(again, "x", 1, 0));
	EXPECT_EQ(1, fd_read(fd, one_byte, 1, 0));
	EXPECT_EQ('x', one_byte[0]);
	close(again);
	EXPECT_TRUE(accounts_are(self->dev, &q0));
}

/* What is wrong stays wrong, whether the name exists or not. */
TEST_F(core, or_open_checks_its_fields)
{
	struct ipcx_create arg = pipe_arg(self->name, TRANSIENT, RDWR);
	int ret;

	ASSERT_GE(ready_pipe(self->dev, self->name), 0);
	arg.flags = IPCX_OR_OPEN;
	arg.lifetime = OWNED + 1;
	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
	arg.lifetime = TRANSIENT;
	arg.mode = 01000;
	EXPECT_EQ(-EINVAL, refused_create(self->dev, &arg));
	arg.mode = 0;
	arg.type = IPCX_TYPE_QUEUE;
	ret = refused_create(self->dev, &arg);
	EXPECT_TRUE(ret == -EPROTOTYPE || ret == -EOPNOTSUPP) {
		TH_LOG("%d", ret);
	}
	EXPECT_TRUE(still_ready(self->dev, self->name));
}

/* OPEN. */

TEST_F(core, open_by_name_id_and_file)
{
	struct ipcx_stat a, b;
	int fd, i, fds[3];

	fd = ready_pipe(self->dev, self->name);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &a));
	fds[0] = name_open(self->dev, self->name, READ, 0);
	fds[1] = id_open(self->dev, a.id, READ, 0);
	fds[2] = fd_open(fd, READ, 0);
	for (i = 0; i < 3; i++) {
		ASSERT_GE(fds[i], 0);
		ASSERT_EQ(0, fd_stat(fds[i], &b));
		EXPECT_EQ(a.id, b.id);
		EXPECT_EQ(a.cookie, b.cookie);
		EXPECT_EQ(4, b.opens);
		EXPECT_EQ(4, b.readers);
		EXPECT_EQ(1, b.writers);
		EXPECT_EQ(-EBADF, fd_write(fds[i], "x", 1, 0));
	}
}

TEST_F(core, nothing_there_is_enoent)
{
	struct ipcx_stat st;
	uint32_t id;
	int fd;

	fd = pipe_create(self->dev, NULL, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	id = fd_id(fd);
	ASSERT_EQ(0, fd_unlink(fd));
	close(fd);

	EXPECT_EQ(-ENOENT, name_open(self->dev, self->name, RDWR, 0));
	EXPECT_EQ(-ENOENT, name_stat(self->dev, self->name, &st));
	EXPECT_EQ(-ENOENT, name_unlink(self->dev, self->name));
	EXPECT_EQ(-ENOENT, name_remove(self->dev, self->name));
	EXPECT_EQ(-ENOENT, ref_read(self->dev, ref_name(self->name), one_byte,
				    1, 0));
	EXPECT_EQ(-ENOENT, ref_write(self->dev, ref_name(self->name), "x", 1,
				     0));
	EXPECT_EQ(-ENOENT, id_open(self->dev, id, RDWR, 0));
	EXPECT_EQ(-ENOENT, id_stat(self->dev, id, &st));
	EXPECT_EQ(-ENOENT, id_unlink(self->dev, id));
	EXPECT_EQ(-ENOENT, id_remove(self->dev, id));
	EXPECT_EQ(-ENOENT, ref_read(self->dev, ref_id(id), one_byte, 1, 0));
	EXPECT_EQ(-ENOENT, ref_write(self->dev, ref_id(id), "x", 1, 0));
	EXPECT_EQ(-ENOENT, ref_stat(self->dev, ref_id_cookie(id, 1), &st));
}

TEST_F(core, refs_of_the_device_are_one_thing)
{
	struct ipcx_ref both = ref_name(self->name), cookie = { .cookie = 1 };
	struct ipcx_ref wrong[5];
	struct ipcx_stat st;
	size_t i;
	int fd;

	fd = ready_pipe(self->dev, self->name);
	ASSERT_GE(fd, 0);
	both.id = fd_id(fd);
	wrong[0] = ref_self();
	wrong[1] = both;
	wrong[2] = cookie;
	wrong[3] = ref_id(1U << 31);
	wrong[4] = ref_id(~0U);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(-EINVAL, ref_open(self->dev, wrong[i], RDWR, 0));
		EXPECT_EQ(-EINVAL, ref_unlink(self->dev, wrong[i]));
		EXPECT_EQ(-EINVAL, ref_remove(self->dev, wrong[i]));
		EXPECT_EQ(-EINVAL, ref_stat(self->dev, wrong[i], &st));
		EXPECT_EQ(-EINVAL, ref_read(self->dev, wrong[i], one_byte, 1,
					    0));
		EXPECT_EQ(-EINVAL, ref_write(self->dev, wrong[i], "x", 1, 0));
	}
	EXPECT_TRUE(still_ready(self->dev, self->name));
}

TEST_F(core, refs_of_a_file_are_empty)
{
	struct ipcx_stat st;
	struct ipcx_ref wrong[5];
	size_t i;
	int fd;

	fd = ready_pipe(self->dev, self->name);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	wrong[0] = ref_name(self->name);
	wrong[1] = ref_id(st.id);
	wrong[2] = ref_id_cookie(0, st.cookie);
	wrong[3] = (struct ipcx_ref) { .name = (uintptr_t)self->name };
	wrong[4] = (struct ipcx_ref) { .name_len = 1 };
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(-EINVAL, ref_open(fd, wrong[i], RDWR, 0));
		EXPECT_EQ(-EINVAL, ref_unlink(fd, wrong[i]));
		EXPECT_EQ(-EINVAL, ref_remove(fd, wrong[i]));
		EXPECT_EQ(-EINVAL, ref_stat(fd, wrong[i], &st));
		EXPECT_EQ(-EINVAL, ref_read(fd, wrong[i], one_byte, 1, 0));
		EXPECT_EQ(-EINVAL, ref_write(fd, wrong[i], "x", 1, 0));
	}
	EXPECT_TRUE(still_ready(self->dev, self->name));
}

TEST_F(core, cookies_are_checked)
{
	struct ipcx_ref ref[2], wrong;
	struct ipcx_stat st, st2;
	size_t i;
	int fd;

	fd = ready_pipe(self->dev, self->name);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	ref[0] = ref_id_cookie(st.id, st.cookie);
	ref[1] = ref_name(self->name);
	ref[1].cookie = st.cookie;
	for (i = 0; i < 2; i++) {
		wrong = ref[i];
		wrong.cookie = st.cookie + (i ? 1 : -1ULL);
		if (!wrong.cookie)
			wrong.cookie = ~0ULL;
		EXPECT_EQ(-ESTALE, ref_open(self->dev, wrong, RDWR, 0));
		EXPECT_EQ(-ESTALE, ref_stat(self->dev, wrong, &st2));
		EXPECT_EQ(-ESTALE, ref_unlink(self->dev, wrong));
		EXPECT_EQ(-ESTALE, ref_remove(self->dev, wrong));
		EXPECT_EQ(-ESTALE, ref_read(self->dev, wrong, one_byte, 1, 0));
		EXPECT_EQ(-ESTALE, ref_write(self->dev, wrong, "x", 1, 0));
		EXPECT_TRUE(still_ready(self->dev, self->name));
		wrong.cookie = ~0ULL;
		EXPECT_EQ(-ESTALE, ref_open(self->dev, wrong, RDWR, 0));
		EXPECT_EQ(0, ref_stat(self->dev, ref[i], &st2));
		EXPECT_EQ(st.id, st2.id);
		EXPECT_EQ(0, close(ref_open(self->dev, ref[i], RDWR, 0)));
	}
}

TEST_F(core, open_by_id_finds_persistent_objects_only)
{
	int transient, owned, persistent, nameless;

	transient = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	owned = pipe_create(self->dev, self->other, OWNED, RDWR);
	nameless = pipe_create(self->dev, NULL, TRANSIENT, RDWR);
	persistent = pipe_create(self->dev, NULL, PERSISTENT, RDWR);
	ASSERT_GE(transient, 0);
	ASSERT_GE(owned, 0);
	ASSERT_GE(nameless, 0);
	ASSERT_GE(persistent, 0);
	EXPECT_EQ(-ENOENT, id_open(self->dev, fd_id(transient), RDWR, 0));
	EXPECT_EQ(-ENOENT, id_open(self->dev, fd_id(owned), RDWR, 0));
	EXPECT_EQ(-ENOENT, id_open(self->dev, fd_id(nameless), RDWR, 0));
	EXPECT_GE(id_open(self->dev, fd_id(persistent), RDWR, 0), 0);
	EXPECT_EQ(-ENOENT, ref_write(self->dev, ref_id(fd_id(transient)), "x",
				     1, 0));
	EXPECT_EQ(-ENOENT, ref_write(self->dev, ref_id(fd_id(owned)), "x", 1,
				     0));
	EXPECT_EQ(1, ref_write(self->dev, ref_id(fd_id(persistent)), "x", 1,
			       0));
}

/* A name leads to objects of every lifetime. */
TEST_F(core, open_by_name_finds_every_lifetime)
{
	uint32_t lifetime;

	for (lifetime = TRANSIENT; lifetime <= OWNED; lifetime++) {
		int fd = pipe_create(self->dev, self->name, lifetime, RDWR);

		ASSERT_GE(fd, 0);
		EXPECT_GE(name_open(self->dev, self->name, RDWR, 0), 0);
		EXPECT_EQ(1, ref_write(self->dev, ref_name(self->name), "x", 1,
				       0));
		EXPECT_EQ(1, ref_read(self->dev, ref_name(self->name), one_byte,
				      1, 0));
		EXPECT_EQ(0, fd_remove(fd));
	}
}

TEST_F(core, open_type)
{
	struct ipcx_open arg = { .ref = ref_name(self->name), .access = RDWR };
	int fd;

	fd = ready_pipe(self->dev, self->name);
	ASSERT_GE(fd, 0);
	for (arg.type = IPCX_TYPE_REGION; arg.type <= IPCX_TYPE_SEM; arg.type++)
		EXPECT_EQ(-EPROTOTYPE, open_with(self->dev, &arg));
	arg.type = ~0U;
	EXPECT_GT(0, open_with(self->dev, &arg));
	arg.ref = ref_self();
	arg.type = IPCX_TYPE_SEM;
	EXPECT_EQ(-EPROTOTYPE, open_with(fd, &arg));
	EXPECT_TRUE(still_ready(self->dev, self->name));
	for (arg.type = IPCX_TYPE_ANY; arg.type <= IPCX_TYPE_PIPE; arg.type++)
		EXPECT_LE(0, open_with(fd, &arg));
}

TEST_F(core, open_flags_access_and_reserved)
{
	struct ipcx_open ok = { .ref = ref_name(self->name), .access = RDWR };
	struct ipcx_open arg;
	int bit;

	ASSERT_GE(ready_pipe(self->dev, self->name), 0);
	for (bit = 0; bit < 32; bit++) {
		arg = ok;
		arg.flags = 1U << bit;
		if (arg.flags == IPCX_NONBLOCK || arg.flags == IPCX_INHERIT ||
		    arg.flags == IPCX_NO_RESTART) {
			EXPECT_EQ(0, close(open_with(self->dev, &arg)));
		} else {
			EXPECT_EQ(-EINVAL, open_with(self->dev, &arg));
		}
	}
	arg = ok;
	arg.reserved = 1;
	EXPECT_EQ(-EINVAL, open_with(self->dev, &arg));
	arg = ok;
	arg.access = RDWR + 1;
	EXPECT_EQ(-EINVAL, open_with(self->dev, &arg));
	arg.access = ~0U;
	EXPECT_EQ(-EINVAL, open_with(self->dev, &arg));
	EXPECT_TRUE(still_ready(self->dev, self->name));
}

/* Ids and cookies. */

TEST_F(core, ids_are_not_reused_at_once)
{
	uint32_t ids[300];
	uint64_t cookies[300];
	struct ipcx_stat st;
	int i, k, fd;

	for (i = 0; i < 300; i++) {
		fd = pipe_create(self->dev, NULL, TRANSIENT, RDWR);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, fd_stat(fd, &st));
		ASSERT_LE(1, st.id);
		ASSERT_GE(INT_MAX, st.id);
		ASSERT_NE(0, st.cookie);
		ids[i] = st.id;
		cookies[i] = st.cookie;
		for (k = 0; k < i; k++) {
			ASSERT_NE(ids[k], ids[i]);
			ASSERT_NE(cookies[k], cookies[i]);
		}
		close(fd);
	}
}

/* STAT. */

TEST_F(core, stat_of_a_new_object)
{
	struct ipcx_stat st;
	uint64_t begin;
	int fd;

	begin = now_ns(CLOCK_REALTIME_COARSE);
	fd = pipe_create_mode(self->dev, self->name, PERSISTENT, RDWR, 0640);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_EQ(sizeof(st), st.size);
	EXPECT_EQ(IPCX_STAT_NAMED | IPCX_STAT_LINKED, st.flags);
	EXPECT_EQ(IPCX_TYPE_PIPE, st.type);
	EXPECT_EQ(PERSISTENT, st.lifetime);
	EXPECT_EQ(0640, st.mode);
	EXPECT_EQ(geteuid(), st.uid);
	EXPECT_EQ(getegid(), st.gid);
	EXPECT_EQ(geteuid(), st.creator_uid);
	EXPECT_EQ(getegid(), st.creator_gid);
	EXPECT_EQ(getpid(), st.creator_pid);
	EXPECT_EQ(0, st.last_reader_pid);
	EXPECT_EQ(0, st.last_writer_pid);
	EXPECT_EQ(1, st.opens);
	EXPECT_LE(begin, st.created_ns);
	EXPECT_GE(now_ns(CLOCK_REALTIME), st.created_ns);
	EXPECT_EQ(0, st.read_ns);
	EXPECT_EQ(0, st.write_ns);
	EXPECT_LE(65536, st.charged_bytes);
	EXPECT_EQ(65536, st.capacity_bytes);
	EXPECT_EQ(0, st.used_bytes);
	EXPECT_EQ(1, st.readers);
	EXPECT_EQ(1, st.writers);
	EXPECT_EQ(0, st.waiting_readers);
	EXPECT_EQ(0, st.waiting_writers);
	EXPECT_EQ(strlen(self->name), st.name_len);
	EXPECT_EQ(0, st.reserved);
	EXPECT_STREQ(self->name, st.name);
}

/* Nothing of the kernel's memory, nothing of the caller's: zeros. */
TEST_F(core, stat_fills_the_whole_name)
{
	struct ipcx_stat st;
	size_t i;
	int fd;

	fd = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	for (i = st.name_len; i < sizeof(st.name); i++)
		ASSERT_EQ(0, st.name[i]);
}

TEST_F(core, stat_flags_of_each_lifetime)
{
	struct ipcx_stat st;
	uint32_t lifetime;
	int fd;

	for (lifetime = TRANSIENT; lifetime <= OWNED; lifetime++) {
		uint32_t linked = lifetime == TRANSIENT ? 0 : IPCX_STAT_LINKED;

		fd = pipe_create(self->dev, NULL, lifetime, RDWR);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(linked, st.flags);
		EXPECT_EQ(lifetime, st.lifetime);
		EXPECT_EQ(0, st.name_len);
		EXPECT_STREQ("", st.name);
		close(fd);

		fd = pipe_create(self->dev, self->name, lifetime, RDWR);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(linked | IPCX_STAT_NAMED, st.flags);
		ASSERT_EQ(0, fd_unlink(fd));
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(0, st.flags);
		EXPECT_EQ(0, st.name_len);
		EXPECT_EQ(lifetime, st.lifetime);
		close(fd);
	}
}

TEST_F(core, stat_changes_nothing)
{
	struct ipcx_stat a, b, c;
	int fd;

	fd = ready_pipe(self->dev, self->name);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, name_stat(self->dev, self->name, &a));
	ASSERT_EQ(0, name_stat(self->dev, self->name, &b));
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
	/* by id it is the same but for the reference itself */
	ASSERT_EQ(0, id_stat(self->dev, a.id, &c));
	c.ref = a.ref;
	EXPECT_EQ(0, memcmp(&a, &c, sizeof(a)));
}

TEST_F(core, stat_tells_who_and_when)
{
	struct ipcx_stat a, b;
	int fd;

	fd = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	in_child() {
		EXPECT_EQ(3, fd_write(fd, "abc", 3, 0));
		ASSERT_EQ(0, fd_stat(fd, &b));
		EXPECT_EQ(getpid(), b.last_writer_pid);
		EXPECT_EQ(getppid(), b.creator_pid);
	}
	ASSERT_EQ(0, fd_stat(fd, &a));
	EXPECT_EQ(3, a.used_bytes);
	EXPECT_LT(0, a.last_writer_pid);
	EXPECT_NE(getpid(), a.last_writer_pid);
	EXPECT_EQ(0, a.last_reader_pid);
	EXPECT_EQ(0, a.read_ns);
	EXPECT_LE(a.created_ns, a.write_ns);
	EXPECT_EQ(1, fd_read(fd, one_byte, 1, 0));
	ASSERT_EQ(0, fd_stat(fd, &b));
	EXPECT_EQ(2, b.used_bytes);
	EXPECT_EQ(getpid(), b.last_reader_pid);
	EXPECT_EQ(a.last_writer_pid, b.last_writer_pid);
	EXPECT_LE(a.write_ns, b.read_ns);
	EXPECT_EQ(a.write_ns, b.write_ns);
	EXPECT_EQ(a.created_ns, b.created_ns);
}

/* UNLINK. */

TEST_F(core, unlink_frees_the_name)
{
	struct ipcx_stat st;
	uint32_t id;
	int fd, again;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	id = fd_id(fd);
	EXPECT_EQ(0, name_unlink(self->dev, self->name));
	EXPECT_EQ(-ENOENT, name_unlink(self->dev, self->name));
	EXPECT_EQ(-ENOENT, name_stat(self->dev, self->name, &st));
	EXPECT_EQ(-ENOENT, name_open(self->dev, self->name, RDWR, 0));
	EXPECT_EQ(-ENOENT, id_unlink(self->dev, id));
	EXPECT_EQ(-ENOENT, fd_unlink(fd));
	again = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(again, 0);
	EXPECT_NE(id, fd_id(again));
	/* the old one goes on */
	EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
	EXPECT_EQ(-EAGAIN, fd_read(again, one_byte, 1, IPCX_NONBLOCK));
	EXPECT_EQ(1, fd_read(fd, one_byte, 1, 0));
}

TEST_F(core, unlinked_objects_are_opened_by_id_and_file)
{
	uint32_t id;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	id = fd_id(fd);
	ASSERT_EQ(0, fd_unlink(fd));
	EXPECT_GE(id_open(self->dev, id, RDWR, 0), 0);
	EXPECT_GE(fd_open(fd, RDWR, 0), 0);
}

TEST_F(core, unlink_of_nothing_is_enoent)
{
	struct ipcx_stat st;
	int fd;

	fd = pipe_create(self->dev, NULL, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-ENOENT, fd_unlink(fd));
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_EQ(0, st.flags);
	/* a transient object with a name has one to lose */
	fd = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, fd_unlink(fd));
	EXPECT_EQ(-ENOENT, fd_unlink(fd));
}

TEST_F(core, unlink_asks_for_no_access_mode)
{
	int access, fd;

	for (access = NONE; access <= RDWR; access++) {
		fd = pipe_create(self->dev, self->name, PERSISTENT, access);
		ASSERT_GE(fd, 0);
		EXPECT_EQ(0, fd_unlink(fd));
		close(fd);
	}
}

TEST_HARNESS_MAIN
