// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes: the capacity, changed in use. Who may, who pays, what is refused; and
 * what was in the pipe is in it afterwards, wherever in the ring it lay, whoever
 * sleeps, polls, reads and writes meanwhile.
 *
 * What ends the wait of a resizer is in pipe_signal.c, resizers behind a copy
 * that is stuck are in pipe_fault.c.
 */
#include "stress_test.h"

#define TRANSIENT	IPCX_LIFETIME_TRANSIENT
#define PERSISTENT	IPCX_LIFETIME_PERSISTENT

FIXTURE(resize) {
	int dev;
	int hold;
	struct ends e;
	char name[TEST_NAME_SIZE];
};

FIXTURE_SETUP(resize)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	sigpipe_catch();
	test_name(self->name, "resize");
	self->hold = pipe_create_sized(self->dev, self->name, PERSISTENT,
				       IPCX_ACCESS_NONE, CAPACITY_MIN);
	ASSERT_GE(self->hold, 0);
	self->e.r = fd_open(self->hold, IPCX_ACCESS_READ, IPCX_NONBLOCK);
	self->e.w = fd_open(self->hold, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(self->e.w, 0);
	ASSERT_EQ(0, fcntl(self->e.r, F_SETFL, 0));
}

FIXTURE_TEARDOWN(resize)
{
	track_cleanup();
	ends_close(&self->e);
	close(self->hold);
	close(self->dev);
}

static uint64_t capacity_of(int fd)
{
	return pipe_stat(fd).capacity_bytes;
}

static uint64_t capacity_max(int dev)
{
	struct ipcx_query q;

	return dev_query(dev, &q) ? 0 : q.pipe_capacity_max;
}

/* Whether a refused request has left everything as it was. */
static bool unchanged(int fd, const struct ipcx_stat *before)
{
	struct ipcx_stat st = pipe_stat(fd);

	return !memcmp(&st, before, sizeof(st));
}

/* Sizes. */

TEST_F(resize, to_each_power)
{
	uint64_t max = capacity_max(self->dev), c;

	ASSERT_LE(CAPACITY_DEFAULT, max);
	for (c = CAPACITY_MIN; c <= max; c *= 2) {
		ASSERT_EQ(0, fd_resize(self->e.r, c, 0));
		ASSERT_EQ(c, capacity_of(self->hold));
	}
	for (c = max; c >= CAPACITY_MIN; c /= 2) {
		ASSERT_EQ(0, fd_resize(self->e.w, c, 0));
		ASSERT_EQ(c, capacity_of(self->hold));
	}
}

TEST_F(resize, is_rounded_up)
{
	static const struct {
		uint64_t asked;
		uint64_t given;
	} sizes[] = {
		{ 4097, 8192 }, { 4096, 4096 }, { 8191, 8192 },
		{ 8193, 16384 }, { 65535, 65536 }, { 65537, 131072 },
		{ (1 << 20) - 1, 1 << 20 }, { 70001, 131072 },
	};
	uint64_t max = capacity_max(self->dev);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, fd_resize(self->hold, sizes[i].asked, 0));
		EXPECT_EQ(sizes[i].given, capacity_of(self->hold));
	}
	ASSERT_EQ(0, fd_resize(self->hold, max / 2 + 1, 0));
	EXPECT_EQ(max, capacity_of(self->hold));
}

/* It holds that much, and not a byte more. */
TEST_F(resize, takes_what_it_says)
{
	static const int capacities[] = { 8192, 65536, 1 << 20, 16384, 4096 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(capacities); i++) {
		int c = capacities[i];

		ASSERT_EQ(0, fd_resize(self->hold, c, 0));
		ASSERT_EQ(c, stream_write(self->e.w, i, c + 1));
		EXPECT_EQ(-EAGAIN, stream_write(self->e.w, 0, 1));
		EXPECT_EQ(c, fionread(self->e.r));
		ASSERT_EQ(c, stream_read(self->e.r, i, c));
		EXPECT_EQ(-EAGAIN, stream_read(self->e.r, 0, 1));
	}
}

TEST_F(resize, out_of_range)
{
	uint64_t max = capacity_max(self->dev);
	const uint64_t bad[] = {
		0, 1, 4095, max + 1, max * 2, 1ULL << 32, (1ULL << 32) + 4096,
		1ULL << 63, (1ULL << 63) + 1, ~0ULL, ~0ULL - 4095,
	};
	struct ipcx_stat before;
	unsigned int i;

	ASSERT_EQ(100, stream_write(self->e.w, 0, 100));
	before = pipe_stat(self->hold);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, fd_resize(self->hold, bad[i], 0))
			TH_LOG("capacity %llu", (unsigned long long)bad[i]);
		EXPECT_EQ(-EINVAL, ref_resize(self->dev, ref_name(self->name),
					      bad[i], 0));
	}
	EXPECT_TRUE(unchanged(self->hold, &before));
	EXPECT_EQ(100, stream_read(self->e.r, 0, 100));
}

/* The limit is that of the moment; what is larger already stays. */
TEST_F(resize, limit_of_the_moment)
{
	unsigned long long max = param_get("pipe_capacity_max");
	int ret;

	ASSERT_EQ(0, fd_resize(self->hold, 1 << 18, 0));
	ret = param_set("pipe_capacity_max", 65536);
	if (ret)
		SKIP(return, "pipe_capacity_max cannot be set: %d", ret);
	EXPECT_EQ(1 << 18, capacity_of(self->hold));
	EXPECT_EQ(-EINVAL, fd_resize(self->hold, 65537, 0));
	EXPECT_EQ(-EINVAL, fd_resize(self->hold, 1 << 17, 0));
	EXPECT_EQ(1 << 18, capacity_of(self->hold));
	EXPECT_EQ(0, fd_resize(self->hold, 65536, 0));
	param_set("pipe_capacity_max", max);
	EXPECT_EQ(65536, capacity_of(self->hold));
	EXPECT_EQ(0, fd_resize(self->hold, 1 << 18, 0));
}

TEST_F(resize, wrong_requests)
{
	struct ipcx_resize arg, ok = { .bytes = 8192 };
	struct ipcx_stat before = pipe_stat(self->hold);
	int bit;

	for (bit = 0; bit < 32; bit++) {
		arg = ok;
		arg.flags = 1U << bit;
		if (arg.flags != IPCX_NO_RESTART)
			EXPECT_EQ(-EINVAL, ipc_ioctl(self->hold,
						     IPCX_IOC_RESIZE, &arg))
				TH_LOG("flag %x", arg.flags);
	}
	arg = ok;
	arg.reserved = 1;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->hold, IPCX_IOC_RESIZE, &arg));
	arg = ok;
	arg.deadline.reserved = 1;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->hold, IPCX_IOC_RESIZE, &arg));
	EXPECT_EQ(-EINVAL, ref_resize(self->hold, ref_name(self->name), 8192,
				      0));
	EXPECT_EQ(-EINVAL, ref_resize(self->hold, ref_id(before.id), 8192, 0));
	EXPECT_EQ(-EINVAL, ref_resize(self->hold,
				      ref_id_cookie(0, before.cookie), 8192,
				      0));
	EXPECT_EQ(-EINVAL, ref_resize(self->dev, ref_self(), 8192, 0));
	EXPECT_TRUE(unchanged(self->hold, &before));
	EXPECT_EQ(0, fd_resize(self->hold, 8192, IPCX_NO_RESTART));
}

/* As small as what is in it, and no smaller. */
TEST_F(resize, never_below_what_it_holds)
{
	static const int fills[] = {
		1, 4095, 4096, 4097, 8191, 8192, 8193, 40000, 65536,
	};
	unsigned int i;
	uint64_t c;

	for (i = 0; i < ARRAY_SIZE(fills); i++) {
		struct ipcx_stat before;
		int n = fills[i];

		ASSERT_EQ(0, fd_resize(self->hold, 1 << 18, 0));
		ASSERT_EQ(n, stream_write(self->e.w, 3, n));
		before = pipe_stat(self->hold);
		for (c = CAPACITY_MIN; c < (uint64_t)n; c *= 2)
			EXPECT_EQ(-EBUSY, fd_resize(self->hold, c, 0))
				TH_LOG("%d bytes in %llu", n,
				       (unsigned long long)c);
		EXPECT_TRUE(unchanged(self->hold, &before));
		EXPECT_EQ(0, fd_resize(self->hold, n < 4096 ? 4096 : n, 0));
		EXPECT_EQ(c, capacity_of(self->hold));
		EXPECT_EQ(n, (int)pipe_used(self->hold));
		EXPECT_EQ((int)c - n ?: -EAGAIN,
			  stream_write(self->e.w, 3 + n, c - n ?: 1));
		EXPECT_EQ((int)c, stream_read(self->e.r, 3, c));
	}
}

TEST_F(resize, to_what_it_is)
{
	struct ipcx_stat before;

	ASSERT_EQ(4096, stream_write(self->e.w, 0, 4096));
	before = pipe_stat(self->hold);
	EXPECT_EQ(0, fd_resize(self->hold, 4096, 0));
	EXPECT_TRUE(unchanged(self->hold, &before));
	EXPECT_EQ(4096, stream_read(self->e.r, 0, 4096));
}

/* No byte was put in or taken out, no owner changed: nothing else tells of it. */
TEST_F(resize, leaves_no_marks)
{
	struct ipcx_stat before, st;

	ASSERT_EQ(10, stream_write(self->e.w, 0, 10));
	ASSERT_EQ(5, stream_read(self->e.r, 0, 5));
	before = pipe_stat(self->hold);
	in_child() {
		EXPECT_EQ(0, fd_resize(self->hold, 1 << 20, 0));
	}
	st = pipe_stat(self->hold);
	EXPECT_EQ(1 << 20, st.capacity_bytes);
	before.capacity_bytes = st.capacity_bytes;
	before.charged_bytes = st.charged_bytes;
	EXPECT_EQ(0, memcmp(&before, &st, sizeof(st)));
}

/* F_SETPIPE_SZ and F_GETPIPE_SZ are not for these. */
TEST_F(resize, not_by_fcntl)
{
	EXPECT_EQ(-1, fcntl(self->e.w, F_SETPIPE_SZ, 65536));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(CAPACITY_MIN, capacity_of(self->hold));
}

/* Which object. */

TEST_F(resize, by_name_and_id)
{
	struct ipcx_stat st = pipe_stat(self->hold);

	ASSERT_EQ(9, stream_write(self->e.w, 0, 9));
	EXPECT_EQ(0, ref_resize(self->dev, ref_name(self->name), 8192, 0));
	EXPECT_EQ(8192, capacity_of(self->hold));
	EXPECT_EQ(0, ref_resize(self->dev, ref_id(st.id), 16384, 0));
	EXPECT_EQ(16384, capacity_of(self->hold));
	EXPECT_EQ(0, ref_resize(self->dev, ref_id_cookie(st.id, st.cookie),
				32768, 0));
	EXPECT_EQ(32768, capacity_of(self->hold));
	EXPECT_EQ(-ESTALE, ref_resize(self->dev,
				      ref_id_cookie(st.id, st.cookie + 1),
				      65536, 0));
	EXPECT_EQ(-ENOENT, ref_resize(self->dev, ref_id(0x7fffffff), 65536,
				      0));
	EXPECT_EQ(-ENOENT, ref_resize(self->dev, ref_name("selftest-nobody"),
				      65536, 0));
	EXPECT_EQ(32768, capacity_of(self->hold));
	EXPECT_EQ(9, stream_read(self->e.r, 0, 9));
}

TEST_F(resize, nobody_has_it_open)
{
	struct ipcx_stat st;

	ASSERT_EQ(4000, stream_write(self->e.w, 0, 4000));
	ends_close(&self->e);
	close(self->hold);
	EXPECT_EQ(0, ref_resize(self->dev, ref_name(self->name), 1 << 20, 0));
	EXPECT_EQ(0, ref_resize(self->dev, ref_name(self->name), 4096, 0));
	ASSERT_EQ(0, name_stat(self->dev, self->name, &st));
	EXPECT_EQ(4096, st.capacity_bytes);
	EXPECT_EQ(4000, st.used_bytes);
	self->e.r = name_open(self->dev, self->name, IPCX_ACCESS_READ, 0);
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	self->hold = fd_open(self->e.r, IPCX_ACCESS_NONE, 0);
	EXPECT_EQ(4000, stream_read(self->e.r, 0, 4000));
}

TEST_F(resize, unlinked_and_removed)
{
	uint32_t id = fd_id(self->hold);

	ASSERT_EQ(0, fd_unlink(self->hold));
	EXPECT_EQ(0, fd_resize(self->hold, 8192, 0));
	EXPECT_EQ(8192, capacity_of(self->hold));
	EXPECT_EQ(-ENOENT, ref_resize(self->dev, ref_name(self->name), 4096,
				      0));
	ASSERT_EQ(0, fd_remove(self->hold));
	EXPECT_EQ(-EIDRM, fd_resize(self->hold, 4096, 0));
	EXPECT_EQ(-EIDRM, fd_resize(self->e.r, 4096, 0));
	EXPECT_EQ(-EIDRM, ref_resize(self->dev, ref_id(id), 4096, 0));
}

/* Who may. */

/* All the ways in which somebody else could try. */
#define EXPECT_NOT_MINE(fd) do {					\
	EXPECT_EQ(-EPERM, fd_resize(fd, 8192, 0));			\
	EXPECT_EQ(-EPERM, ref_resize(self->dev, ref_name(self->name),	\
				     8192, 0));				\
	EXPECT_EQ(-EPERM, ref_resize(self->dev, ref_id(fd_id(fd)),	\
				     8192, 0));				\
} while (0)

TEST_F(resize, strangers_may_not)
{
	static const uint32_t modes[] = { 0666, 0777, 0600, 0 };
	struct ipcx_stat before;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		ASSERT_EQ(0, fchmod(self->hold, modes[i]));
		before = pipe_stat(self->hold);
		as_user(UID_A, GID_A) {
			EXPECT_NOT_MINE(self->e.w);
			EXPECT_NOT_MINE(self->e.r);
			EXPECT_NOT_MINE(self->hold);
		}
		EXPECT_TRUE(unchanged(self->hold, &before));
	}
	/* A group is none either. */
	ASSERT_EQ(0, fchown(self->hold, 0, GID_A));
	ASSERT_EQ(0, fchmod(self->hold, 0660));
	as_user(UID_A, GID_A) {
		EXPECT_NOT_MINE(self->e.w);
	}
}

/* With any file, and whatever the mode says. */
TEST_F(resize, owners_may)
{
	ASSERT_EQ(0, fchown(self->hold, UID_A, GID_A));
	ASSERT_EQ(0, fchmod(self->hold, 0));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(0, fd_resize(self->e.r, 8192, 0));
		EXPECT_EQ(0, fd_resize(self->hold, 16384, 0));
		EXPECT_EQ(0, ref_resize(self->dev, ref_name(self->name), 32768,
					0));
	}
	EXPECT_EQ(32768, capacity_of(self->hold));
	/* He who gave it away is a stranger, if he is not root. */
	ASSERT_EQ(0, fchown(self->hold, UID_B, GID_B));
	as_user(UID_A, GID_A) {
		EXPECT_NOT_MINE(self->e.w);
	}
}

TEST_F(resize, capability_overrides)
{
	as_user_with(UID_A, GID_A, CAP(IPC_OWNER)) {
		EXPECT_EQ(0, fd_resize(self->hold, 8192, 0));
		EXPECT_EQ(0, ref_resize(self->dev, ref_name(self->name), 16384,
					0));
	}
	EXPECT_EQ(16384, capacity_of(self->hold));
	as_user_with(UID_A, GID_A, CAP(SYS_RESOURCE)) {
		EXPECT_NOT_MINE(self->hold);
	}
	/* Root of a namespace of his own is nobody here. */
	as_user(UID_A, GID_A) {
		if (!unshare(CLONE_NEWUSER | CLONE_NEWNET))
			EXPECT_EQ(-EPERM, fd_resize(self->e.w, 8192, 0));
	}
	EXPECT_EQ(16384, capacity_of(self->hold));
}

/* Contents. */

/*
 * The ring stands at every place, holds little, much, or all, and grows or shrinks;
 * what is written afterwards comes after what was there.
 */
static void contents_once(struct __test_metadata *_metadata, struct ends e,
			  unsigned int at, unsigned int used,
			  unsigned int before, unsigned int after)
{
	int more = after - used;

	ASSERT_EQ(0, fd_resize(e.r, before, 0));
	if (at) {
		ASSERT_EQ((int)at, stream_write(e.w, 0, at));
		ASSERT_EQ((int)at, stream_read(e.r, 0, at));
	}
	if (used)
		ASSERT_EQ((int)used, stream_write(e.w, 9, used));
	ASSERT_EQ(0, fd_resize(e.r, after, 0));
	ASSERT_EQ(used, pipe_used(e.r));
	if (more)
		ASSERT_EQ(more, stream_write(e.w, 9 + used, more));
	ASSERT_EQ(-EAGAIN, stream_write(e.w, 0, 1));
	ASSERT_EQ((int)after, stream_read(e.r, 9, after))
		TH_LOG("%u bytes at %u, from %u to %u", used, at, before,
		       after);
	ASSERT_EQ(-EAGAIN, stream_read(e.r, 0, 1));
}

TEST_F(resize, contents_wherever_they_are)
{
	static const unsigned int at[] = {
		0, 1, 2, 63, 64, 100, 2047, 2048, 3000, 4032, 4094, 4095,
	};
	static const unsigned int used[] = {
		0, 1, 2, 64, 96, 97, 1096, 2048, 2049, 4000, 4094, 4095, 4096,
	};
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		for (k = 0; k < ARRAY_SIZE(used); k++) {
			struct ends e = ends_open(self->dev, CAPACITY_MIN);

			contents_once(_metadata, e, at[i], used[k], 4096, 8192);
			contents_once(_metadata, e, at[i], used[k], 8192, 4096);
			ends_close(&e);
		}
	}
}

/* One pipe all the time: the positions are those of a pipe in use. */
TEST_F(resize, contents_at_random)
{
	uint32_t seed = 2718;
	int i;

	for (i = 0; i < 300; i++) {
		unsigned int before = 4096 << random_next(&seed) % 6;
		unsigned int after = 4096 << random_next(&seed) % 6;
		unsigned int most = before < after ? before : after;

		contents_once(_metadata, self->e,
			      random_next(&seed) % before,
			      random_next(&seed) % (most + 1), before, after);
	}
}

/* Read and written between the changes, so that no two find it alike. */
TEST_F(resize, stream_through_changes)
{
	uint64_t in = 0, out = 0;
	uint32_t seed = 1618;
	int i, refused = 0;

	for (i = 0; i < 2000; i++) {
		uint64_t c = 4096 << random_next(&seed) % 6;
		uint64_t used = in - out, room;
		size_t n = random_next(&seed) % 30000;
		int ret;

		ret = fd_resize(self->e.w, c, 0);
		if (ret == -EBUSY && c < used)
			refused++;
		else
			ASSERT_EQ(0, ret);
		room = capacity_of(self->hold) - used;
		if (n > room)
			n = room;
		if (n)
			ASSERT_EQ((int)n, stream_write(self->e.w, in, n));
		in += n;
		n = random_next(&seed) % (in - out + 1);
		if (n)
			ASSERT_EQ((int)n, stream_read(self->e.r, out, n));
		out += n;
		ASSERT_EQ(in - out, pipe_used(self->hold));
	}
	EXPECT_LT(0, refused);
	if (in - out)
		EXPECT_EQ((int)(in - out),
			  stream_read(self->e.r, out, in - out));
}

/* A transfer that a fault cuts short, at each page, and a change right after. */
TEST_F(resize, contents_after_faults)
{
	unsigned int hole, pages = 16;

	for (hole = 0; hole < pages; hole++) {
		struct ends e = ends_open(self->dev, CAPACITY_DEFAULT);
		unsigned char *buf = holed_buffer(pages, hole);
		int good = hole * PAGE_BYTES, all = CAPACITY_DEFAULT;

		ASSERT_EQ(3000, stream_write(e.w, 0, 3000));
		ASSERT_EQ(3000, stream_read(e.r, 0, 3000));
		ASSERT_EQ(all, stream_write(e.w, 0, all));
		EXPECT_EQ(good ?: -EFAULT,
			  ref_io(e.r, IPCX_IOC_READ, ref_self(), buf, all, 0,
				 deadline_patience()));
		EXPECT_EQ(0, fd_resize(e.r, hole % 2 ? all : 2 * all, 0));
		EXPECT_EQ(all - good, (int)pipe_used(e.r));
		EXPECT_EQ(all - good, stream_read(e.r, good, all - good));
		holed_free(buf, pages);

		buf = holed_buffer(pages, pages);
		stream_fill(buf, 0, all);
		ASSERT_EQ(0, mprotect(buf + good, PAGE_BYTES, PROT_NONE));
		EXPECT_EQ(good ?: -EFAULT, fd_write(e.w, buf, all, 0));
		EXPECT_EQ(0, fd_resize(e.r, hole % 2 ? 1 << 18 : all, 0));
		ASSERT_EQ(100, stream_write(e.w, good, 100));
		EXPECT_EQ(good + 100, stream_read(e.r, 0, good + 100));
		EXPECT_EQ(-EAGAIN, stream_read(e.r, 0, 1));
		holed_free(buf, pages);
		ends_close(&e);
	}
}

/* Sleepers. */

FIXTURE(sleepers) {
	int dev;
	struct ends e;
};

FIXTURE_VARIANT(sleepers) {
	enum call_kind take;
	enum call_kind put;
};

FIXTURE_VARIANT_ADD(sleepers, plain) { .take = CALL_READ, .put = CALL_WRITE };

FIXTURE_VARIANT_ADD(sleepers, vector) {
	.take = CALL_READV, .put = CALL_WRITEV,
};

FIXTURE_VARIANT_ADD(sleepers, ioctl) {
	.take = CALL_IOC_READ, .put = CALL_IOC_WRITE,
};

FIXTURE_VARIANT_ADD(sleepers, splice) {
	.take = CALL_SPLICE_OUT, .put = CALL_SPLICE_IN,
};

FIXTURE_SETUP(sleepers)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, CAPACITY_MIN);
}

FIXTURE_TEARDOWN(sleepers)
{
	track_cleanup();
	ends_close(&self->e);
	close(self->dev);
}

/* They sleep on, and are served from the new ring. */
TEST_F(sleepers, readers_are_served_later)
{
	struct actor a[3];
	int i;

	for (i = 0; i < 3; i++)
		a[i] = actor_start_asleep((struct call) {
			.kind = variant->take, .fd = self->e.r, .len = 4,
		});
	EXPECT_EQ(0, fd_resize(self->e.r, 1 << 20, 0));
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(actor_asleep(&a[i]));
	EXPECT_TRUE(pipe_waiting(self->e.r, 3, 0));
	EXPECT_EQ(0, fd_resize(self->e.r, 4096, 0));
	EXPECT_EQ(0, fd_resize(self->e.r, 8192, 0));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(4, stream_write(self->e.w, 77, 4));
		ASSERT_TRUE(wait_until(!pipe_used(self->e.r)));
	}
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(4, actor_result(&a[i]));
		EXPECT_TRUE(stream_is(a[i].s->data, 77, 4));
		actor_end(&a[i]);
	}
	EXPECT_TRUE(pipe_waiting(self->e.r, 0, 0));
}

/* Nobody reads. */
TEST_F(sleepers, growth_lets_writers_go_on)
{
	struct actor a[3];
	int i;

	ASSERT_EQ(4096, stream_write(self->e.w, 0, 4096));
	for (i = 0; i < 3; i++)
		a[i] = actor_start_asleep((struct call) {
			.kind = variant->put, .fd = self->e.w, .len = 1000,
			.at = 4096,
		});
	EXPECT_EQ(0, fd_resize(self->e.r, 8192, 0));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(1000, actor_finish(&a[i]));
	EXPECT_EQ(4096 + 3000, pipe_used(self->e.r));
	EXPECT_EQ(5096, stream_read(self->e.r, 0, 5096));
	EXPECT_EQ(1000, stream_read(self->e.r, 4096, 1000));
	EXPECT_EQ(1000, stream_read(self->e.r, 4096, 1000));
	EXPECT_TRUE(pipe_waiting(self->e.r, 0, 0));
}

/* An atomic write as long as all the room that there was. */
TEST_F(sleepers, growth_lets_whole_writes_in)
{
	struct actor a;

	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	a = actor_start_asleep((struct call) {
		.kind = variant->put, .fd = self->e.w, .len = 4096, .at = 1,
	});
	EXPECT_EQ(0, fd_resize(self->e.r, 4096, 0));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(1, pipe_used(self->e.r));
	EXPECT_EQ(0, fd_resize(self->e.r, 8192, 0));
	EXPECT_EQ(4096, actor_finish(&a));
	EXPECT_EQ(4097, stream_read(self->e.r, 0, 4097));
}

/* A large write takes each new space that there is, up to its end. */
TEST_F(sleepers, growth_feeds_large_writes)
{
	struct actor a = actor_start_asleep((struct call) {
		.kind = variant->put, .fd = self->e.w, .len = 100000,
	});
	uint64_t c;

	EXPECT_TRUE(wait_until(pipe_used(self->e.r) == 4096));
	for (c = 8192; c < 100000; c *= 2) {
		ASSERT_TRUE(actor_asleep(&a));
		ASSERT_EQ(0, fd_resize(self->e.r, c, 0));
		ASSERT_TRUE(wait_until(pipe_used(self->e.r) == c))
			TH_LOG("%llu of %llu bytes",
			       (unsigned long long)pipe_used(self->e.r),
			       (unsigned long long)c);
	}
	ASSERT_EQ(0, fd_resize(self->e.r, c, 0));
	EXPECT_EQ(100000, actor_finish(&a));
	EXPECT_EQ(100000, stream_read(self->e.r, 0, 100000));
	EXPECT_EQ(-EAGAIN, stream_read(self->e.r, 0, 1));
}

/* Space that a reader makes after the change is told as before. */
TEST_F(sleepers, writers_go_on_after_refusal)
{
	struct actor a;

	ASSERT_EQ(0, fd_resize(self->e.r, 16384, 0));
	ASSERT_EQ(16384, stream_write(self->e.w, 0, 16384));
	a = actor_start_asleep((struct call) {
		.kind = variant->put, .fd = self->e.w, .len = 3000,
		.at = 16384,
	});
	EXPECT_EQ(-EBUSY, fd_resize(self->e.r, 8192, 0));
	EXPECT_EQ(-EINVAL, fd_resize(self->e.r, 0, 0));
	EXPECT_EQ(0, fd_resize(self->e.r, 16384, 0));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_TRUE(pipe_waiting(self->e.r, 0, 1));
	EXPECT_EQ(16384, stream_read(self->e.r, 0, 16384));
	EXPECT_EQ(3000, actor_finish(&a));
	EXPECT_EQ(3000, stream_read(self->e.r, 16384, 3000));
}

/* With a reader asleep a nonblocking resizer could never do it. */
TEST_F(sleepers, o_nonblock_plays_no_part)
{
	int fd = fd_open(self->e.r, IPCX_ACCESS_NONE, IPCX_NONBLOCK);
	struct actor a;

	ASSERT_GE(fd, 0);
	a = actor_start_asleep((struct call) {
		.kind = variant->take, .fd = self->e.r, .len = 4,
	});
	EXPECT_EQ(0, fd_resize(fd, 8192, 0));
	EXPECT_EQ(8192, capacity_of(fd));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(4, stream_write(self->e.w, 0, 4));
	EXPECT_EQ(4, actor_finish(&a));

	ASSERT_EQ(8192, stream_write(self->e.w, 0, 8192));
	a = actor_start_asleep((struct call) {
		.kind = variant->put, .fd = self->e.w, .len = 10, .at = 8192,
	});
	EXPECT_EQ(0, fd_resize(fd, 16384, 0));
	EXPECT_EQ(10, actor_finish(&a));
	EXPECT_EQ(8202, stream_read(self->e.r, 0, 8202));
	close(fd);
}

TEST_F(resize, nonblocking_device)
{
	int dev = open(IPCX_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	struct actor p = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->e.r, .events = POLLIN,
	});
	struct actor a;

	ASSERT_GE(dev, 0);
	EXPECT_EQ(0, ref_resize(dev, ref_name(self->name), 8192, 0));
	EXPECT_EQ(8192, capacity_of(self->hold));
	a = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = self->e.r, .len = 4,
	});
	EXPECT_EQ(0, ref_resize(dev, ref_name(self->name), 16384, 0));
	EXPECT_EQ(16384, capacity_of(self->hold));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_TRUE(actor_asleep(&p));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&p));
	close(dev);
}

/* What it becomes is told, and told before anything changes. */
TEST_F(resize, tells_what_it_becomes)
{
	struct ipcx_resize arg = { .bytes = 4097, .deadline = deadline_never() };

	EXPECT_EQ(0, ipc_ioctl(self->hold, IPCX_IOC_RESIZE, &arg));
	EXPECT_EQ(8192, arg.bytes);
	EXPECT_EQ(8192, capacity_of(self->hold));
}

/* Who can't be told what it would become has changed nothing, larger or smaller. */
TEST_F(resize, fault_changes_nothing)
{
	struct ipcx_resize *arg = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ipcx_query before, after;

	ASSERT_NE(MAP_FAILED, arg);
	ASSERT_EQ(0, fd_resize(self->hold, 16384, 0));
	ASSERT_EQ(0, dev_query(self->dev, &before));
	for (uint64_t bytes = 4096; bytes <= 65536; bytes *= 2) {
		ASSERT_EQ(0, mprotect(arg, PAGE_BYTES, PROT_READ | PROT_WRITE));
		*arg = (struct ipcx_resize) {
			.bytes = bytes, .deadline = deadline_never(),
		};
		ASSERT_EQ(0, mprotect(arg, PAGE_BYTES, PROT_READ));
		EXPECT_EQ(-EFAULT, ipc_ioctl(self->hold, IPCX_IOC_RESIZE, arg));
		EXPECT_EQ(16384, capacity_of(self->hold));
	}
	ASSERT_EQ(0, dev_query(self->dev, &after));
	EXPECT_EQ(before.user.bytes, after.user.bytes);
	munmap(arg, PAGE_BYTES);
}

/* Nothing has to be waited for: what would end a wait is too late. */
TEST_F(resize, no_wait_no_deadline)
{
	struct ipcx_resize arg = {
		.bytes = 8192, .deadline = deadline_past(),
	};

	EXPECT_EQ(0, ipc_ioctl(self->hold, IPCX_IOC_RESIZE, &arg));
	EXPECT_EQ(8192, capacity_of(self->hold));
}

/* Who polls. */

TEST_F(resize, growth_is_room_for_pollers)
{
	struct actor p;

	ASSERT_EQ(4096, stream_write(self->e.w, 0, 4096));
	EXPECT_EQ(0, poll_now(self->e.w, POLLOUT));
	p = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->e.w, .events = POLLOUT,
	});
	EXPECT_EQ(0, fd_resize(self->hold, 8192, 0));
	EXPECT_EQ(POLLOUT, actor_finish(&p));
	EXPECT_EQ(POLLOUT, poll_now(self->e.w, POLLOUT));
	/* And a smaller one is none. */
	EXPECT_EQ(0, fd_resize(self->hold, 4096, 0));
	EXPECT_EQ(0, poll_now(self->e.w, POLLOUT));
	EXPECT_EQ(POLLIN, poll_now(self->e.r, POLLIN));
	p = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->e.w, .events = POLLOUT,
	});
	EXPECT_EQ(4096, stream_read(self->e.r, 0, 4096));
	EXPECT_EQ(POLLOUT, actor_finish(&p));
}

TEST_F(resize, growth_is_an_edge)
{
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	uint64_t c;

	ASSERT_EQ(4096, stream_write(self->e.w, 0, 4096));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->e.w, &ev));
	for (c = 8192; c <= 1 << 20; c *= 2) {
		EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
		ASSERT_EQ(0, fd_resize(self->hold, c, 0));
		memset(&ev, POISON, sizeof(ev));
		EXPECT_EQ(1, epoll_wait(ep, &ev, 1, PATIENCE_MS))
			TH_LOG("capacity %llu", (unsigned long long)c);
		EXPECT_EQ(EPOLLOUT, ev.events);
		ASSERT_EQ((int)c / 2, stream_write(self->e.w, 0, c / 2));
	}
	close(ep);
}

TEST_F(resize, growth_is_a_signal)
{
	ASSERT_EQ(4096, stream_write(self->e.w, 0, 4096));
	ASSERT_EQ(0, async_on(self->e.w));
	ASSERT_EQ(0, fd_resize(self->hold, 8192, 0));
	EXPECT_TRUE(wait_until(sigios > 0));
}

/* Who pays. */

FIXTURE(paid) {
	int dev;
	int fd;
	unsigned long long objects_max;
	unsigned long long bytes_max;
};

/* What the user @uid is charged now. */
static struct ipcx_usage usage_of(int dev, uid_t uid)
{
	struct ipcx_usage *u = mmap(NULL, sizeof(*u), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct ipcx_usage usage;
	struct ipcx_query q;
	pid_t pid = fork();

	if (!pid) {
		if (setresuid(uid, uid, uid) || dev_query(dev, &q))
			_exit(1);
		*u = q.user;
		_exit(0);
	}
	if (pid < 0 || reap(pid))
		abort();
	usage = *u;
	munmap(u, sizeof(*u));
	return usage;
}

/* Charged to A: an object of one file, that nobody but it has. */
FIXTURE_SETUP(paid)
{
	int sock[2];
	pid_t pid;

	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->objects_max = param_get("user_objects_max");
	self->bytes_max = param_get("user_bytes_max");
	ASSERT_TRUE(wait_until(!usage_of(self->dev, UID_A).bytes &&
			       !usage_of(self->dev, UID_B).bytes));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sock));
	pid = fork_user(UID_A, GID_A);
	if (!pid)
		_exit(!!send_fd(sock[0],
				pipe_create_sized(self->dev, NULL, TRANSIENT,
						  IPCX_ACCESS_RDWR, 4096)));
	ASSERT_EQ(0, reap(pid));
	self->fd = recv_fd(sock[1]);
	ASSERT_GE(self->fd, 0);
	close(sock[0]);
	close(sock[1]);
}

FIXTURE_TEARDOWN_PARENT(paid)
{
	track_cleanup();
	param_set("user_objects_max", self->objects_max);
	param_set("user_bytes_max", self->bytes_max);
}

/* What CREATE charges for such a pipe. */
static uint64_t price(int dev, uint64_t capacity_bytes)
{
	int fd = pipe_create_sized(dev, NULL, TRANSIENT, IPCX_ACCESS_RDWR,
				   capacity_bytes);
	uint64_t bytes = pipe_stat(fd).charged_bytes;

	close(fd);
	return bytes;
}

/* The file costs A what it did, whoever pays for the pipe. */
static uint64_t file_price(int dev, int fd)
{
	return usage_of(dev, UID_A).bytes - pipe_stat(fd).charged_bytes;
}

TEST_F(paid, by_owner_as_if_new)
{
	static const uint64_t capacities[] = {
		8192, 1 << 20, 65536, 4096, 1 << 18,
	};
	uint64_t file = file_price(self->dev, self->fd);
	struct ipcx_query before, q;
	unsigned int i;

	ASSERT_EQ(0, dev_query(self->dev, &before));
	before.ns.bytes -= pipe_stat(self->fd).charged_bytes;
	for (i = 0; i < ARRAY_SIZE(capacities); i++) {
		uint64_t bytes = price(self->dev, capacities[i]);
		struct ipcx_usage u;

		as_user(UID_A, GID_A) {
			EXPECT_EQ(0, fd_resize(self->fd, capacities[i], 0));
		}
		EXPECT_EQ(bytes, pipe_stat(self->fd).charged_bytes);
		u = usage_of(self->dev, UID_A);
		EXPECT_EQ(1, u.objects);
		EXPECT_EQ(bytes + file, u.bytes);
		ASSERT_EQ(0, dev_query(self->dev, &q));
		EXPECT_EQ(before.ns.objects, q.ns.objects);
		EXPECT_EQ(before.ns.bytes + bytes, q.ns.bytes);
	}
	close(self->fd);
	EXPECT_TRUE(wait_until(!usage_of(self->dev, UID_A).bytes));
	EXPECT_EQ(0, usage_of(self->dev, UID_A).objects);
}

/* B was given the pipe, and A pays until B touches it. */
TEST_F(paid, by_who_resizes)
{
	uint64_t file = file_price(self->dev, self->fd);
	uint64_t bytes = price(self->dev, 65536);
	struct ipcx_stat before = pipe_stat(self->fd), st;

	as_user(UID_A, GID_A) {
		ASSERT_EQ(0, fchown(self->fd, UID_B, GID_B));
	}
	EXPECT_EQ(1, usage_of(self->dev, UID_A).objects);
	EXPECT_EQ(0, usage_of(self->dev, UID_B).objects);
	as_user(UID_B, GID_B) {
		EXPECT_EQ(0, fd_resize(self->fd, 65536, 0));
	}
	EXPECT_EQ(0, usage_of(self->dev, UID_A).objects);
	EXPECT_EQ(file, usage_of(self->dev, UID_A).bytes);
	EXPECT_EQ(1, usage_of(self->dev, UID_B).objects);
	EXPECT_EQ(bytes, usage_of(self->dev, UID_B).bytes);
	/* It was A who made it, all the same. */
	st = pipe_stat(self->fd);
	EXPECT_EQ(bytes, st.charged_bytes);
	EXPECT_EQ(before.creator_uid, st.creator_uid);
	EXPECT_EQ(UID_A, st.creator_uid);
	EXPECT_EQ(before.creator_pid, st.creator_pid);
	EXPECT_EQ(UID_B, st.uid);
	/* Who makes it smaller pays nothing; who has paid gets the rest back. */
	EXPECT_EQ(0, fd_resize(self->fd, 4096, 0));
	EXPECT_EQ(1, usage_of(self->dev, UID_B).objects);
	EXPECT_EQ(bytes - 65536 + 4096, usage_of(self->dev, UID_B).bytes);
	EXPECT_EQ(bytes - 65536 + 4096, pipe_stat(self->fd).charged_bytes);
	/* Root may make it larger too, and then it's his. */
	EXPECT_EQ(0, fd_resize(self->fd, 8192, 0));
	EXPECT_EQ(0, usage_of(self->dev, UID_B).objects);
	EXPECT_EQ(0, usage_of(self->dev, UID_B).bytes);
	close(self->fd);
	EXPECT_TRUE(wait_until(!usage_of(self->dev, UID_A).bytes));
}

/* B's account has to have the room, whatever A's has. */
TEST_F(paid, by_who_can_pay)
{
	uint64_t bytes = price(self->dev, 65536);
	struct ipcx_stat before;

	EXPECT_EQ(10, stream_write(self->fd, 0, 10));
	EXPECT_EQ(0, fchown(self->fd, UID_B, GID_B));
	before = pipe_stat(self->fd);
	ASSERT_EQ(0, param_set("user_bytes_max", bytes - 1));
	as_user(UID_B, GID_B) {
		EXPECT_EQ(-EDQUOT, fd_resize(self->fd, 65536, 0));
	}
	EXPECT_TRUE(unchanged(self->fd, &before));
	EXPECT_EQ(1, usage_of(self->dev, UID_A).objects);
	EXPECT_EQ(0, usage_of(self->dev, UID_B).objects);
	EXPECT_EQ(0, usage_of(self->dev, UID_B).bytes);
	ASSERT_EQ(0, param_set("user_bytes_max", bytes));
	ASSERT_EQ(0, param_set("user_objects_max", 0));
	as_user(UID_B, GID_B) {
		EXPECT_EQ(-EDQUOT, fd_resize(self->fd, 65536, 0));
	}
	EXPECT_TRUE(unchanged(self->fd, &before));
	ASSERT_EQ(0, param_set("user_objects_max", 1));
	as_user(UID_B, GID_B) {
		EXPECT_EQ(0, fd_resize(self->fd, 65536, 0));
	}
	EXPECT_EQ(0, usage_of(self->dev, UID_A).objects);
	EXPECT_EQ(10, stream_read(self->fd, 0, 10));
}

/* For a moment there are two rings. */
TEST_F(paid, twice_for_a_moment)
{
	uint64_t have = usage_of(self->dev, UID_A).bytes;
	uint64_t bytes = price(self->dev, 65536);
	struct ipcx_stat before;

	EXPECT_EQ(4096, stream_write(self->fd, 0, 4096));
	before = pipe_stat(self->fd);
	ASSERT_EQ(0, param_set("user_bytes_max", have + bytes - 1));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(-EDQUOT, fd_resize(self->fd, 65536, 0));
		EXPECT_EQ(-EDQUOT, fd_resize(self->fd, 1 << 20, 0));
	}
	EXPECT_TRUE(unchanged(self->fd, &before));
	EXPECT_EQ(have, usage_of(self->dev, UID_A).bytes);
	EXPECT_EQ(1, usage_of(self->dev, UID_A).objects);
	ASSERT_EQ(0, param_set("user_bytes_max", have + bytes));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(0, fd_resize(self->fd, 65536, 0));
	}
	EXPECT_EQ(4096, stream_read(self->fd, 0, 4096));
}

/* Refusals of every kind, many times: nothing is left charged. */
TEST_F(paid, refusals_are_free)
{
	struct ipcx_usage before = usage_of(self->dev, UID_A), after;
	struct ipcx_query ns, ns_after;
	int i;

	EXPECT_EQ(0, fchown(self->fd, UID_B, GID_B));
	ASSERT_EQ(0, dev_query(self->dev, &ns));
	EXPECT_EQ(4096, stream_write(self->fd, 0, 4096));
	as_user(UID_B, GID_B) {
		EXPECT_EQ(0, fd_resize(self->fd, 1 << 18, 0));
		EXPECT_EQ(10000, stream_write(self->fd, 4096, 10000));
		for (i = 0; i < 100; i++) {
			EXPECT_EQ(-EBUSY, fd_resize(self->fd, 8192, 0));
			EXPECT_EQ(-EINVAL, fd_resize(self->fd, ~0ULL, 0));
		}
	}
	EXPECT_EQ(1 << 18, capacity_of(self->fd));
	as_user(UID_A, GID_A) {
		for (i = 0; i < 100; i++)
			EXPECT_EQ(-EPERM, fd_resize(self->fd, 65536, 0));
	}
	after = usage_of(self->dev, UID_B);
	EXPECT_EQ(1, after.objects);
	EXPECT_EQ(pipe_stat(self->fd).charged_bytes, after.bytes);
	after = usage_of(self->dev, UID_A);
	EXPECT_EQ(0, after.objects);
	EXPECT_LT(after.bytes, before.bytes);
	close(self->fd);
	EXPECT_TRUE(wait_until(!usage_of(self->dev, UID_A).bytes));
	EXPECT_EQ(0, usage_of(self->dev, UID_B).bytes);
	EXPECT_EQ(0, usage_of(self->dev, UID_B).objects);
	ASSERT_EQ(0, dev_query(self->dev, &ns_after));
	EXPECT_EQ(ns.ns.objects - 1, ns_after.ns.objects);
}

/* Under load. */

#define CHANGES		1000	/* of the capacity */

FIXTURE(load) {
	int dev;
	struct ends e;
};

FIXTURE_VARIANT(load) {
	int resizers;
	int readers;
	int writers;
	enum way take;
	enum way put;
};

FIXTURE_VARIANT_ADD(load, plain) {
	.resizers = 1, .readers = 2, .writers = 2,
	.take = WAY_PLAIN, .put = WAY_PLAIN,
};

FIXTURE_VARIANT_ADD(load, polled) {
	.resizers = 1, .readers = 2, .writers = 2,
	.take = WAY_POLL, .put = WAY_POLL,
};

FIXTURE_VARIANT_ADD(load, spliced) {
	.resizers = 1, .readers = 2, .writers = 2,
	.take = WAY_SPLICE, .put = WAY_SPLICE,
};

FIXTURE_VARIANT_ADD(load, two_resizers) {
	.resizers = 2, .readers = 2, .writers = 2,
	.take = WAY_PLAIN, .put = WAY_IOCTL,
};

/* Alone, so that it sees whether a write was torn. */
FIXTURE_VARIANT_ADD(load, one_reader) {
	.resizers = 1, .readers = 1, .writers = 3,
	.take = WAY_PLAIN, .put = WAY_PLAIN,
};

FIXTURE_VARIANT_ADD(load, one_polling_reader) {
	.resizers = 1, .readers = 1, .writers = 3,
	.take = WAY_POLL, .put = WAY_POLL,
};

FIXTURE_VARIANT_ADD(load, one_splicing_reader) {
	.resizers = 1, .readers = 1, .writers = 3,
	.take = WAY_SPLICE, .put = WAY_SPLICE,
};

FIXTURE_SETUP(load)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, CAPACITY_MIN);
	shared_init();
}

FIXTURE_TEARDOWN(load)
{
	track_cleanup();
	ends_close(&self->e);
	close(self->dev);
}

static void change_once(int fd, uint64_t capacity_bytes)
{
	int ret;

	while ((ret = fd_resize(fd, capacity_bytes, 0)) == -EBUSY) {
		/* Writers pause; what is there is read, and then it fits. */
		__atomic_store_n(&shared->pause, 1, __ATOMIC_RELAXED);
		usleep(100);
	}
	__atomic_store_n(&shared->pause, 0, __ATOMIC_RELAXED);
	if (ret)
		worker_fail("RESIZE to %llu: %d",
			    (unsigned long long)capacity_bytes, ret);
}

static uint64_t load_moved(void)
{
	return progress(&shared->records_taken) + progress(&shared->taken[0]);
}

/* The load goes on all the time: between some changes and the next it has moved. */
static void resizer(int fd)
{
	uint64_t capacity = CAPACITY_MIN, next, before, until;
	uint32_t seed = 3 + worker;
	int i;

	for (i = 0; i < scaled(CHANGES); i++) {
		before = load_moved();
		do
			next = CAPACITY_MIN << random_next(&seed) % 8;
		while (next == capacity);
		change_once(fd, next);
		capacity = next;
		until = i % 8 ? 0 : now_ns(CLOCK_MONOTONIC) +
				    PATIENCE_MS * 1000000ULL;
		while (load_moved() == before &&
		       now_ns(CLOCK_MONOTONIC) < until)
			sched_yield();
		if (until && load_moved() == before)
			worker_fail("nothing moves after change %d to %llu", i,
				    (unsigned long long)capacity);
		shared->rounds[worker]++;
	}
	_exit(0);
}

TEST_F_TIMEOUT(load, loses_no_record, STRESS_TIMEOUT)
{
	unsigned int rules = READ_ORDER;
	pid_t puts[4], takes[4], resizers[2];
	int i, hold;

	if (variant->readers == 1)
		rules |= READ_WHOLE;
	hold = fd_open(self->e.r, IPCX_ACCESS_NONE, 0);
	for (i = 0; i < variant->writers; i++) {
		puts[i] = worker_start(i, self->e.w);
		if (!puts[i])
			records_write(&(struct transfer) {
				.way = variant->put, .fd = self->e.w,
			}, stopped);
	}
	for (i = 0; i < variant->readers; i++) {
		takes[i] = worker_start(8 + i, self->e.r);
		if (!takes[i])
			records_read(&(struct transfer) {
				.way = variant->take, .fd = self->e.r,
			}, rules);
	}
	close(self->e.w);
	for (i = 0; i < variant->resizers; i++) {
		resizers[i] = worker_start(12 + i, hold);
		if (!resizers[i])
			resizer(hold);
	}
	for (i = 0; i < variant->resizers; i++)
		worker_wait(resizers[i], &shared->rounds[12 + i]);
	EXPECT_EQ(0, workers_join(resizers, variant->resizers, hold));
	stop_all();
	EXPECT_EQ(0, workers_join(puts, variant->writers, hold));
	EXPECT_EQ(0, workers_join(takes, variant->readers, hold));
	EXPECT_EQ(records_put(), shared->records_taken);
	EXPECT_EQ(0, pipe_used(hold));
	EXPECT_TRUE(pipe_waiting(hold, 0, 0));
	self->e.w = fd_open(hold, IPCX_ACCESS_WRITE, 0);
	close(hold);
}

/* Transfers far larger than the pipe, in one stream. */

FIXTURE(long_load) {
	int dev;
	struct ends e;
};

FIXTURE_VARIANT(long_load) {
	enum way take;
	enum way put;
};

FIXTURE_VARIANT_ADD(long_load, plain) { .take = WAY_PLAIN, .put = WAY_PLAIN };
FIXTURE_VARIANT_ADD(long_load, polled) { .take = WAY_POLL, .put = WAY_POLL };

FIXTURE_VARIANT_ADD(long_load, spliced) {
	.take = WAY_SPLICE, .put = WAY_SPLICE,
};

FIXTURE_SETUP(long_load)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, CAPACITY_MIN);
	shared_init();
}

FIXTURE_TEARDOWN(long_load)
{
	ends_close(&self->e);
	close(self->dev);
}

TEST_F_TIMEOUT(long_load, is_exact, STRESS_TIMEOUT)
{
	struct flow f = {
		.total = 1000000, .most = 200000, .seed = 21,
		.enough = stopped,
	};
	pid_t pid[2], r;

	f.t = (struct transfer) { .way = variant->put, .fd = self->e.w };
	pid[0] = flow_start(f, false);
	f.t = (struct transfer) { .way = variant->take, .fd = self->e.r };
	pid[1] = flow_start(f, true);
	close(self->e.w);
	r = worker_start(2, self->e.r);
	if (!r)
		resizer(self->e.r);
	worker_wait(r, &shared->rounds[2]);
	EXPECT_EQ(0, workers_join(&r, 1, self->e.r));
	stop_all();
	EXPECT_EQ(0, workers_join(pid, 2, self->e.r));
	EXPECT_LE(f.total, shared->put[0]);
	EXPECT_EQ(shared->put[0], shared->taken[0]);
	EXPECT_EQ(0, pipe_used(self->e.r));
	EXPECT_TRUE(pipe_waiting(self->e.r, 0, 0));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

TEST_HARNESS_MAIN
