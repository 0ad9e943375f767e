// SPDX-License-Identifier: GPL-2.0
/*
 * libipcx, as ipcx.h and the manual pages tell it: what each function passes on, what
 * it returns, and what it leaves alone.
 */
#include "ipcx_test.h"

#include <ipcx.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

#define NONE		IPCX_ACCESS_NONE
#define READ		IPCX_ACCESS_READ
#define WRITE		IPCX_ACCESS_WRITE
#define RDWR		IPCX_ACCESS_RDWR
#define ANY		IPCX_TYPE_ANY
#define PIPE		IPCX_TYPE_PIPE
#define QUEUE		IPCX_TYPE_QUEUE

/* An id that nothing has so soon. */
#define NO_ID		0x7ffffff0

/* Enough for a test to see that a wait did wait. */
#define SHORT_NS	50000000ULL

static const struct ipcx_options persistent = {
	.lifetime = IPCX_LIFETIME_PERSISTENT,
};

static struct ipcx_deadline patience(void)
{
	return ipcx_deadline_after(PATIENCE_MS * 1000000ULL);
}

/* What is made through the library and outlives its files is removed too. */
static int kept(int fd)
{
	struct ipcx_create arg = { .lifetime = IPCX_LIFETIME_PERSISTENT };

	if (fd >= 0)
		track_object(&arg, fd);
	return fd;
}

static bool is_cloexec(int fd)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static bool is_nonblock(int fd)
{
	return fcntl(fd, F_GETFL) & O_NONBLOCK;
}

static bool all_bytes_are(const void *bytes, size_t len, unsigned char value)
{
	const unsigned char *byte = bytes;

	while (len--) {
		if (*byte++ != value)
			return false;
	}
	return true;
}

static struct ipcx_stat stat_of(int fd)
{
	struct ipcx_stat st;

	if (ipcx_stat_fd(fd, &st, sizeof(st)))
		memset(&st, POISON, sizeof(st));
	return st;
}

/* The lowest file descriptor that is free. */
static int next_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* The process may open @count more files, if none below was closed. */
static void allow_files(int count)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = next_fd() + count;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Text of @size bytes, the NUL included. */
static char *long_name(size_t size)
{
	static char text[100000];

	memset(text, 'x', sizeof(text));
	text[size - 1] = 0;
	return text;
}

FIXTURE(lib) {
	int dev;
	char name[TEST_NAME_SIZE];
	char other[TEST_NAME_SIZE];
};

FIXTURE_SETUP(lib)
{
	struct ipcx_create arg;

	track_cleanup();
	test_name(self->name, "name");
	test_name(self->other, "other");
	arg = pipe_arg(self->name, 0, 0);
	track_object(&arg, -1);
	arg = pipe_arg(self->other, 0, 0);
	track_object(&arg, -1);
	umask(022);
	self->dev = ipcx_device();
	ASSERT_GE(self->dev, 0);
}

FIXTURE_TEARDOWN_PARENT(lib)
{
	track_cleanup();
}

/* The library and the device. */

TEST_F(lib, version_is_the_headers)
{
	EXPECT_STREQ(IPCX_LIBRARY_VERSION, ipcx_library_version());
}

TEST_F(lib, device_is_a_file_of_its_own)
{
	int dev = ipcx_device();

	ASSERT_GE(dev, 0);
	EXPECT_NE(self->dev, dev);
	EXPECT_TRUE(is_cloexec(dev));
	EXPECT_EQ(-ENOENT, ipcx_unlink(dev, self->name));
}

TEST_F(lib, device_needs_a_file_descriptor)
{
	in_child() {
		allow_files(0);
		EXPECT_EQ(-EMFILE, ipcx_device());
		allow_files(1);
		EXPECT_GE(ipcx_device(), 0);
	}
}

/* A /dev of one's own, with nothing in it. */
static int own_dev(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/dev", "tmpfs", 0, NULL))
		return -errno;
	return chmod("/dev", 0755) ? -errno : 0;
}

TEST_F(lib, device_that_cannot_be_opened)
{
	struct stat st;

	ASSERT_EQ(0, stat(IPCX_DEVICE, &st));
	in_child() {
		ASSERT_EQ(0, own_dev());
		EXPECT_EQ(-ENOENT, ipcx_device());

		/* A minor number of misc devices that nobody has. */
		ASSERT_EQ(0, mknod(IPCX_DEVICE, S_IFCHR | 0666,
				   makedev(10, 1000)));
		EXPECT_TRUE(ipcx_device() == -ENODEV ||
			    ipcx_device() == -ENXIO);
		unlink(IPCX_DEVICE);

		ASSERT_EQ(0, mknod(IPCX_DEVICE, S_IFCHR | 0600, st.st_rdev));
		become_user(UID_A, GID_A);
		EXPECT_EQ(-EACCES, ipcx_device());
	}
}

TEST_F(lib, device_stays_in_its_namespace)
{
	ASSERT_GE(ipcx_pipe_create(self->dev, self->name, RDWR, 0, NULL), 0);
	in_child() {
		int inside;

		ASSERT_EQ(0, unshare(CLONE_NEWNET));
		inside = ipcx_device();
		ASSERT_GE(inside, 0);
		EXPECT_EQ(-ENOENT, ipcx_open(inside, self->name, ANY, RDWR, 0,
					     NULL));
		EXPECT_GE(ipcx_open(self->dev, self->name, ANY, RDWR, 0, NULL),
			  0);
	}
}

TEST_F(lib, objects_outlive_the_device)
{
	char buf[4];
	int fd = ipcx_pipe_create(self->dev, NULL, RDWR, 0, NULL);

	ASSERT_GE(fd, 0);
	close(self->dev);
	EXPECT_EQ(4, ipcx_pipe_write(fd, "data", 4, 0, NULL));
	EXPECT_EQ(4, ipcx_pipe_read(fd, buf, sizeof(buf), 0, NULL));
	EXPECT_EQ(-EBADF, ipcx_unlink(self->dev, self->name));
}

/* Every function on a file of the wrong kind, and on none. */
TEST_F(lib, wrong_files)
{
	static const struct {
		int fd, error;
	} wrong[] = { { -1, -EBADF }, { 0, -ENOTTY } };
	const struct ipcx_queue_params limits = { .max_msgs = 1 };
	struct ipcx_msg msg[1] = { { .type = 1 } };
	int null = open("/dev/null", O_RDWR);
	struct ipcx_query query;
	struct ipcx_stat st;
	unsigned int i;
	char buf[1];

	for (i = 0; i < 2; i++) {
		int fd = wrong[i].fd ? wrong[i].fd : null;
		int error = wrong[i].error;

		EXPECT_EQ(error, ipcx_query(fd, &query, sizeof(query)));
		EXPECT_EQ(error, ipcx_pipe_create(fd, NULL, RDWR, 0, NULL));
		EXPECT_EQ(error, ipcx_create(fd, NULL, PIPE, RDWR, NULL, NULL,
					     0));
		EXPECT_EQ(error, ipcx_open(fd, "x", ANY, RDWR, 0, NULL));
		EXPECT_EQ(error, ipcx_open_id(fd, 1, 0, ANY, RDWR, 0, NULL));
		EXPECT_EQ(error, ipcx_open_fd(fd, RDWR, 0, NULL));
		EXPECT_EQ(error, ipcx_unlink(fd, "x"));
		EXPECT_EQ(error, ipcx_unlink_id(fd, 1, 0));
		EXPECT_EQ(error, ipcx_unlink_fd(fd));
		EXPECT_EQ(error, ipcx_remove(fd, "x"));
		EXPECT_EQ(error, ipcx_remove_id(fd, 1, 0));
		EXPECT_EQ(error, ipcx_remove_fd(fd));
		EXPECT_EQ(error, ipcx_stat(fd, "x", &st, sizeof(st)));
		EXPECT_EQ(error, ipcx_stat_id(fd, 1, 0, &st, sizeof(st)));
		EXPECT_EQ(error, ipcx_stat_fd(fd, &st, sizeof(st)));
		EXPECT_EQ(error, ipcx_pipe_read(fd, buf, 1, 0, NULL));
		EXPECT_EQ(error, ipcx_pipe_read_id(fd, 1, 0, buf, 1, 0, NULL));
		EXPECT_EQ(error, ipcx_pipe_write(fd, buf, 1, 0, NULL));
		EXPECT_EQ(error, ipcx_pipe_write_id(fd, 1, 0, buf, 1, 0, NULL));
		EXPECT_EQ(error, ipcx_pipe_resize(fd, 8192, 0, NULL));
		EXPECT_EQ(error, ipcx_pipe_resize_id(fd, 1, 0, 8192, 0, NULL));
		EXPECT_EQ(error, ipcx_pipe_resize_name(fd, "x", 8192, 0, NULL));
		EXPECT_EQ(error, ipcx_queue_create(fd, NULL, RDWR, NULL, NULL));
		EXPECT_EQ(error, ipcx_queue_send(fd, msg, 1, 0, NULL));
		EXPECT_EQ(error, ipcx_queue_send_id(fd, 1, 0, msg, 1, 0, NULL));
		EXPECT_EQ(error, ipcx_queue_recv(fd, msg, 1, NULL, 0, NULL));
		EXPECT_EQ(error, ipcx_queue_recv_id(fd, 1, 0, msg, 1, NULL, 0,
						    NULL));
		EXPECT_EQ(error, ipcx_queue_peek(fd, msg, 1, NULL, 0, 0));
		EXPECT_EQ(error, ipcx_queue_peek_id(fd, 1, 0, msg, 1, NULL, 0,
						    0));
		EXPECT_EQ(error, ipcx_queue_purge(fd, NULL));
		EXPECT_EQ(error, ipcx_queue_purge_id(fd, 1, 0, NULL));
		EXPECT_EQ(error, ipcx_queue_file(fd, NULL, 0, 0));
		EXPECT_EQ(error, ipcx_queue_notify(fd, 0, 0));
		EXPECT_EQ(error, ipcx_queue_resize(fd, &limits));
		EXPECT_EQ(error, ipcx_queue_resize_id(fd, 1, 0, &limits));
		EXPECT_EQ(error, ipcx_queue_resize_name(fd, "x", &limits));
	}
}

/* Query. */

TEST_F(lib, query_tells_what_there_is)
{
	struct ipcx_query query, after;
	int fd;

	memset(&query, POISON, sizeof(query));
	ASSERT_EQ(0, ipcx_query(self->dev, &query, sizeof(query)));
	EXPECT_EQ(IPCX_UAPI_VERSION, query.version);
	EXPECT_EQ(1 << PIPE | 1 << QUEUE | 1 << IPCX_TYPE_SEM, query.types);
	EXPECT_EQ(IPCX_NAME_MAX, query.name_max);
	EXPECT_EQ(4096, query.pipe_capacity_min);
	EXPECT_EQ(65536, query.pipe_capacity_default);
	EXPECT_EQ(1024, query.queue_msgs_default);
	EXPECT_EQ(param_get("queue_msgs_max"), query.queue_msgs_max);
	EXPECT_EQ(256 << 10, query.queue_bytes_default);
	EXPECT_EQ(param_get("queue_bytes_max"), query.queue_bytes_max);
	fd = ipcx_pipe_create(self->dev, NULL, RDWR, 0, NULL);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, ipcx_query(self->dev, &after, sizeof(after)));
	EXPECT_EQ(query.user.objects + 1, after.user.objects);
	EXPECT_LE(query.user.bytes + 65536, after.user.bytes);
	EXPECT_EQ(query.ns.objects + 1, after.ns.objects);
}

TEST_F(lib, query_heeds_its_size)
{
	struct {
		struct ipcx_query query;
		char more[64];
	} result;

	memset(&result, POISON, sizeof(result));
	ASSERT_EQ(0, ipcx_query(self->dev, &result.query, sizeof(result)));
	EXPECT_EQ(sizeof(result.query), result.query.size);
	EXPECT_TRUE(all_bytes_are(result.more, sizeof(result.more), 0));

	memset(&result, POISON, sizeof(result));
	ASSERT_EQ(0, ipcx_query(self->dev, &result.query,
				sizeof(result.query)));
	EXPECT_TRUE(all_bytes_are(result.more, sizeof(result.more), POISON));

	memset(&result, POISON, sizeof(result));
	EXPECT_EQ(-EINVAL, ipcx_query(self->dev, &result.query, 8));
	EXPECT_EQ(-EINVAL, ipcx_query(self->dev, &result.query, 0));
	EXPECT_TRUE(all_bytes_are((char *)&result + 8, sizeof(result) - 8,
				  POISON));
}

/* More than a command's number can tell must not be taken for less. */
TEST_F(lib, sizes_do_not_wrap)
{
	static char big[0x10000];
	size_t size = 0x4000 + sizeof(struct ipcx_query);
	int ret;

	memset(big, POISON, sizeof(big));
	ret = ipcx_query(self->dev, (void *)big, size);
	if (!ret) {
		EXPECT_TRUE(all_bytes_are(big + sizeof(struct ipcx_query),
					  0x4000, 0));
	}
	EXPECT_TRUE(!ret || ret == -EINVAL || ret == -E2BIG);
	ret = ipcx_query(self->dev, (void *)big, 0x4000);
	EXPECT_TRUE(!ret || ret == -EINVAL || ret == -E2BIG);

	memset(big, POISON, sizeof(big));
	size = 0x4000 + sizeof(struct ipcx_stat);
	ASSERT_GE(ipcx_pipe_create(self->dev, self->name, RDWR, 0, NULL), 0);
	ret = ipcx_stat(self->dev, self->name, (void *)big, size);
	if (!ret) {
		EXPECT_TRUE(all_bytes_are(big + sizeof(struct ipcx_stat),
					  0x4000, 0));
	}
	EXPECT_TRUE(!ret || ret == -EINVAL || ret == -E2BIG);
}

/* Deadlines. */

TEST_F(lib, deadline_after_is_absolute)
{
	uint64_t before, after;
	struct ipcx_deadline d;

	before = now_ns(CLOCK_MONOTONIC);
	d = ipcx_deadline_after(5000000000ULL);
	after = now_ns(CLOCK_MONOTONIC);
	EXPECT_EQ(CLOCK_MONOTONIC, d.clock);
	EXPECT_EQ(0, d.reserved);
	EXPECT_LE(before + 5000000000ULL, d.ns);
	EXPECT_GE(after + 5000000000ULL, d.ns);

	d = ipcx_deadline_after(0);
	EXPECT_LE(after, d.ns);
	EXPECT_GE(now_ns(CLOCK_MONOTONIC), d.ns);
}

TEST_F(lib, deadline_after_may_be_for_ever)
{
	static const uint64_t ns[] = {
		UINT64_MAX, UINT64_MAX - 1, INT64_MAX, 1ULL << 63,
	};
	struct ipcx_deadline d;
	unsigned int i;
	char buf[1];
	int fd;

	for (i = 0; i < sizeof(ns) / sizeof(*ns); i++) {
		d = ipcx_deadline_after(ns[i]);
		EXPECT_EQ(IPCX_NO_DEADLINE, d.ns);
		EXPECT_EQ(CLOCK_MONOTONIC, d.clock);
		EXPECT_EQ(0, d.reserved);
	}

	/* The longest that is none; the kernel takes both. */
	d = ipcx_deadline_after(INT64_MAX - now_ns(CLOCK_MONOTONIC) -
				PATIENCE_MS * 1000000ULL);
	EXPECT_NE(IPCX_NO_DEADLINE, d.ns);
	fd = ipcx_pipe_create(self->dev, NULL, RDWR, 0, NULL);
	EXPECT_EQ(1, ipcx_pipe_write(fd, "x", 1, 0, &d));
	d = ipcx_deadline_after(UINT64_MAX);
	EXPECT_EQ(1, ipcx_pipe_read(fd, buf, 1, 0, &d));
}

TEST_F(lib, deadlines_are_checked)
{
	struct ipcx_deadline d = patience();
	char buf[1];
	int fd;

	fd = ipcx_pipe_create(self->dev, NULL, RDWR, 0, NULL);
	ASSERT_GE(fd, 0);
	d.reserved = 1;
	EXPECT_EQ(-EINVAL, ipcx_pipe_read(fd, buf, 1, 0, &d));
	d.reserved = 0;
	d.clock = 12345;
	EXPECT_EQ(-EINVAL, ipcx_pipe_read(fd, buf, 1, 0, &d));
	EXPECT_EQ(-EINVAL, ipcx_pipe_write(fd, buf, 1, 0, &d));
	EXPECT_EQ(-EINVAL, ipcx_open_fd(fd, READ, 0, &d));
}

/* Create. */

TEST_F(lib, create_has_defaults)
{
	static const struct ipcx_options zero;
	const struct ipcx_options *options[] = { NULL, &zero };
	struct ipcx_stat st;
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = ipcx_pipe_create(self->dev, self->name, RDWR, 0,
				      options[i]);
		ASSERT_GE(fd, 0);
		st = stat_of(fd);
		EXPECT_EQ(PIPE, st.type);
		EXPECT_EQ(IPCX_LIFETIME_TRANSIENT, st.lifetime);
		EXPECT_EQ(0600, st.mode);
		EXPECT_EQ(65536, st.capacity_bytes);
		EXPECT_EQ(IPCX_STAT_NAMED, st.flags);
		EXPECT_STREQ(self->name, st.name);
		EXPECT_TRUE(is_cloexec(fd));
		EXPECT_FALSE(is_nonblock(fd));
		close(fd);
		EXPECT_EQ(-ENOENT, ipcx_unlink(self->dev, self->name));
	}
}

TEST_F(lib, create_passes_options_on)
{
	static const uint32_t lifetimes[] = {
		IPCX_LIFETIME_TRANSIENT, IPCX_LIFETIME_PERSISTENT,
		IPCX_LIFETIME_OWNED,
	};
	struct ipcx_options options = { .mode = 0666 };
	unsigned int i;
	int fd;

	for (i = 0; i < 3; i++) {
		options.lifetime = lifetimes[i];
		fd = ipcx_pipe_create(self->dev, self->name, NONE, 0, &options);
		ASSERT_GE(fd, 0);
		EXPECT_EQ(lifetimes[i], stat_of(fd).lifetime);
		EXPECT_EQ(0644, stat_of(fd).mode);
		ASSERT_EQ(0, ipcx_remove_fd(fd));
	}

	options.flags = IPCX_NONBLOCK | IPCX_INHERIT;
	fd = ipcx_pipe_create(self->dev, NULL, NONE, 0, &options);
	ASSERT_GE(kept(fd), 0);
	EXPECT_TRUE(is_nonblock(fd));
	EXPECT_FALSE(is_cloexec(fd));
}

TEST_F(lib, create_checks_options)
{
	const struct ipcx_options bad[] = {
		{ .lifetime = 3 },
		{ .mode = 01000 },
		{ .flags = IPCX_NO_RESTART },
		{ .flags = 1U << 31 },
		{ .reserved = { 1 } },
		{ .reserved = { 0, 0, 0, 0, 1 } },
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(-EINVAL, ipcx_pipe_create(self->dev, self->name, RDWR,
						    0, &bad[i]));
		EXPECT_EQ(-EINVAL, ipcx_create(self->dev, self->name, PIPE,
					       RDWR, &bad[i], NULL, 0));
	}
	EXPECT_EQ(-EINVAL, ipcx_pipe_create(self->dev, self->name, 4, 0, NULL));
	EXPECT_EQ(-ENOENT, ipcx_unlink(self->dev, self->name));
}

TEST_F(lib, create_gives_the_access_asked_for)
{
	char buf[1] = "x";
	int access, fd;

	for (access = NONE; access <= RDWR; access++) {
		fd = ipcx_pipe_create(self->dev, NULL, access, 0, NULL);
		ASSERT_GE(fd, 0);
		EXPECT_EQ(!!(access & READ), stat_of(fd).readers);
		EXPECT_EQ(!!(access & WRITE), stat_of(fd).writers);
		EXPECT_EQ(access & WRITE ? 1 : -EBADF,
			  ipcx_pipe_write(fd, buf, 1, 0, NULL));
		EXPECT_EQ(access == RDWR ? 1 : access & READ ? -EAGAIN : -EBADF,
			  ipcx_pipe_read(fd, buf, 1, IPCX_NONBLOCK, NULL));
	}
}

TEST_F(lib, create_or_open)
{
	struct ipcx_options options = { .flags = IPCX_OR_OPEN, .mode = 0666 };
	int first, second;

	EXPECT_EQ(-EINVAL, ipcx_pipe_create(self->dev, NULL, RDWR, 0,
					    &options));
	first = ipcx_pipe_create(self->dev, self->name, RDWR, 4096, NULL);
	ASSERT_GE(first, 0);
	EXPECT_EQ(-EEXIST, ipcx_pipe_create(self->dev, self->name, RDWR, 0,
					    NULL));
	second = ipcx_pipe_create(self->dev, self->name, RDWR, 0, &options);
	ASSERT_GE(second, 0);
	EXPECT_EQ(stat_of(first).cookie, stat_of(second).cookie);
	EXPECT_EQ(4096, stat_of(second).capacity_bytes);
	EXPECT_EQ(0600, stat_of(second).mode);
	as_user(UID_A, GID_A) {
		EXPECT_EQ(-EACCES, ipcx_pipe_create(self->dev, self->name, RDWR,
						    0, &options));
	}
}

TEST_F(lib, names_have_limits)
{
	struct ipcx_stat st;
	int fd;

	EXPECT_EQ(-EINVAL, ipcx_pipe_create(self->dev, "", RDWR, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_pipe_create(self->dev, "a/b", RDWR, 0, NULL));
	EXPECT_EQ(-ENAMETOOLONG, ipcx_pipe_create(self->dev, long_name(513),
						  RDWR, 0, NULL));
	EXPECT_EQ(-ENAMETOOLONG, ipcx_pipe_create(self->dev, long_name(100000),
						  RDWR, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_open(self->dev, "", ANY, RDWR, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_open(self->dev, "a/b", ANY, RDWR, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_unlink(self->dev, ""));
	EXPECT_EQ(-EINVAL, ipcx_unlink(self->dev, "a/b"));
	EXPECT_EQ(-EINVAL, ipcx_remove(self->dev, ""));
	EXPECT_EQ(-EINVAL, ipcx_remove(self->dev, "a/b"));
	EXPECT_EQ(-EINVAL, ipcx_stat(self->dev, "", &st, sizeof(st)));
	EXPECT_EQ(-EINVAL, ipcx_stat(self->dev, "a/b", &st, sizeof(st)));
	EXPECT_EQ(-ENAMETOOLONG, ipcx_open(self->dev, long_name(513), ANY, RDWR,
					   0, NULL));
	EXPECT_EQ(-ENAMETOOLONG, ipcx_unlink(self->dev, long_name(513)));
	EXPECT_EQ(-ENAMETOOLONG, ipcx_remove(self->dev, long_name(513)));
	EXPECT_EQ(-ENAMETOOLONG, ipcx_stat(self->dev, long_name(513), &st,
					   sizeof(st)));

	fd = ipcx_pipe_create(self->dev, long_name(512), RDWR, 0, NULL);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(511, stat_of(fd).name_len);
	EXPECT_EQ(0, ipcx_stat(self->dev, long_name(512), &st, sizeof(st)));
	EXPECT_STREQ(long_name(512), st.name);
}

/* A name is bytes. */
TEST_F(lib, names_have_no_encoding)
{
	const char *odd = "\xff\n \x1b\\";
	int fd = ipcx_pipe_create(self->dev, odd, RDWR, 0, NULL);

	ASSERT_GE(fd, 0);
	EXPECT_STREQ(odd, stat_of(fd).name);
	EXPECT_GE(ipcx_open(self->dev, odd, ANY, RDWR, 0, NULL), 0);
}

TEST_F(lib, pipes_have_capacities)
{
	static const uint64_t good[][2] = {
		{ 0, 65536 }, { 1 << 20, 1 << 20 }, { 4096, 4096 },
		{ 4097, 8192 }, { 5000, 8192 },
	};
	static const uint64_t bad[] = {
		1, 4095, 1ULL << 32, (1ULL << 32) + 4096, 1ULL << 63,
		UINT64_MAX,
	};
	struct ipcx_query query;
	unsigned int i;
	int fd;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		fd = ipcx_pipe_create(self->dev, NULL, NONE, good[i][0], NULL);
		ASSERT_GE(fd, 0);
		EXPECT_EQ(good[i][1], stat_of(fd).capacity_bytes);
		close(fd);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		EXPECT_EQ(-EINVAL, ipcx_pipe_create(self->dev, NULL, NONE,
						    bad[i], NULL));
	ASSERT_EQ(0, ipcx_query(self->dev, &query, sizeof(query)));
	fd = ipcx_pipe_create(self->dev, NULL, NONE, query.pipe_capacity_max,
			      NULL);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(query.pipe_capacity_max, stat_of(fd).capacity_bytes);
	EXPECT_EQ(-EINVAL, ipcx_pipe_create(self->dev, NULL, NONE,
					    query.pipe_capacity_max + 1, NULL));
}

TEST_F(lib, create_takes_any_type_and_parameters)
{
	struct {
		struct ipcx_pipe_params pipe;
		uint64_t newer;
	} params = { .pipe.capacity_bytes = 8192 };
	unsigned int type;
	int fd;

	fd = ipcx_create(self->dev, NULL, PIPE, NONE, NULL, NULL, 0);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(65536, stat_of(fd).capacity_bytes);
	fd = ipcx_create(self->dev, self->name, PIPE, READ, &persistent,
			 &params, sizeof(params.pipe));
	ASSERT_GE(fd, 0);
	EXPECT_EQ(8192, stat_of(fd).capacity_bytes);
	EXPECT_EQ(IPCX_LIFETIME_PERSISTENT, stat_of(fd).lifetime);
	EXPECT_EQ(1, stat_of(fd).readers);
	EXPECT_GE(ipcx_create(self->dev, NULL, PIPE, NONE, NULL, &params,
			      sizeof(params)), 0);
	params.newer = 1;
	EXPECT_EQ(-E2BIG, ipcx_create(self->dev, NULL, PIPE, NONE, NULL,
				      &params, sizeof(params)));
	EXPECT_EQ(-EFAULT, ipcx_create(self->dev, NULL, PIPE, NONE, NULL,
				       (void *)8, sizeof(params)));
	for (type = IPCX_TYPE_REGION; type <= IPCX_TYPE_SEM + 1; type += 2)
		EXPECT_EQ(-EOPNOTSUPP, ipcx_create(self->dev, NULL, type, NONE,
						   NULL, NULL, 0));
	EXPECT_EQ(-EINVAL, ipcx_create(self->dev, NULL, ANY, NONE, NULL, NULL,
				       0));
}

/* Params of 4 GiB and a few bytes must not be taken for those few. */
TEST_F(lib, params_sizes_do_not_wrap)
{
	struct ipcx_pipe_params params = { .capacity_bytes = 8192 };

	EXPECT_LT(ipcx_create(self->dev, self->name, PIPE, NONE, NULL, &params,
			      (1ULL << 32) + sizeof(params)), 0);
	EXPECT_EQ(-ENOENT, ipcx_unlink(self->dev, self->name));
}

TEST_F(lib, create_has_limits)
{
	struct ipcx_query query;
	unsigned int i;

	ASSERT_EQ(0, ipcx_query(self->dev, &query, sizeof(query)));
	in_child() {
		allow_files(0);
		EXPECT_EQ(-EMFILE, ipcx_pipe_create(self->dev, self->name, RDWR,
						    0, NULL));
		EXPECT_EQ(-ENOENT, ipcx_unlink(self->dev, self->name));
	}
	as_user(UID_A, GID_A) {
		for (i = 0; i < 100000; i++) {
			int fd = ipcx_pipe_create(self->dev, NULL, NONE,
						  query.pipe_capacity_max,
						  NULL);

			if (fd < 0) {
				EXPECT_EQ(-EDQUOT, fd);
				break;
			}
		}
		EXPECT_LT(0, i);
	}
}

/* Open. */

TEST_F(lib, open_by_name)
{
	int first, fd;

	first = ipcx_pipe_create(self->dev, self->name, RDWR, 0, NULL);
	ASSERT_GE(first, 0);
	fd = ipcx_open(self->dev, self->name, PIPE, RDWR, 0, NULL);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(stat_of(first).cookie, stat_of(fd).cookie);
	EXPECT_TRUE(is_cloexec(fd));
	EXPECT_FALSE(is_nonblock(fd));
	fd = ipcx_open(self->dev, self->name, ANY, READ,
		       IPCX_NONBLOCK | IPCX_INHERIT, NULL);
	ASSERT_GE(fd, 0);
	EXPECT_FALSE(is_cloexec(fd));
	EXPECT_TRUE(is_nonblock(fd));
	EXPECT_EQ(3, stat_of(first).readers);
	EXPECT_EQ(2, stat_of(first).writers);

	EXPECT_EQ(-ENOENT, ipcx_open(self->dev, self->other, ANY, RDWR, 0,
				     NULL));
	EXPECT_EQ(-EPROTOTYPE, ipcx_open(self->dev, self->name, QUEUE, RDWR,
					 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_open(self->dev, self->name, ANY, 4, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_open(self->dev, self->name, ANY, RDWR,
				     IPCX_OR_OPEN, NULL));
	EXPECT_EQ(-EINVAL, ipcx_open(self->dev, self->name, ANY, RDWR,
				     1U << 31, NULL));
	as_user(UID_A, GID_A)
		EXPECT_EQ(-EACCES, ipcx_open(self->dev, self->name, ANY, READ,
					     0, NULL));
	in_child() {
		allow_files(0);
		EXPECT_EQ(-EMFILE, ipcx_open(self->dev, self->name, ANY, READ,
					     0, NULL));
	}
}

TEST_F(lib, open_by_id)
{
	struct ipcx_stat st, transient;
	int first, fd;

	first = ipcx_pipe_create(self->dev, NULL, RDWR, 0, &persistent);
	ASSERT_GE(kept(first), 0);
	st = stat_of(first);
	fd = ipcx_open_id(self->dev, st.id, 0, ANY, WRITE, 0, NULL);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(st.cookie, stat_of(fd).cookie);
	fd = ipcx_open_id(self->dev, st.id, st.cookie, PIPE, READ,
			  IPCX_NONBLOCK, NULL);
	ASSERT_GE(fd, 0);
	EXPECT_TRUE(is_nonblock(fd));
	EXPECT_EQ(2, stat_of(first).readers);
	EXPECT_EQ(2, stat_of(first).writers);
	EXPECT_EQ(-ESTALE, ipcx_open_id(self->dev, st.id, st.cookie + 1, ANY,
					READ, 0, NULL));
	EXPECT_EQ(-EPROTOTYPE, ipcx_open_id(self->dev, st.id, 0,
					    IPCX_TYPE_SEM, READ, 0, NULL));
	EXPECT_EQ(-ENOENT, ipcx_open_id(self->dev, NO_ID, 0, ANY, READ, 0,
					NULL));
	EXPECT_EQ(-EINVAL, ipcx_open_id(self->dev, 0, 0, ANY, READ, 0, NULL));
	as_user(UID_A, GID_A)
		EXPECT_EQ(-EACCES, ipcx_open_id(self->dev, st.id, 0, ANY, READ,
						0, NULL));

	fd = ipcx_pipe_create(self->dev, NULL, RDWR, 0, NULL);
	ASSERT_GE(fd, 0);
	transient = stat_of(fd);
	EXPECT_EQ(-ENOENT, ipcx_open_id(self->dev, transient.id, 0, ANY, READ,
					0, NULL));
}

TEST_F(lib, open_once_more)
{
	int first, fd;

	first = ipcx_pipe_create(self->dev, NULL, READ, 0, NULL);
	ASSERT_GE(first, 0);
	fd = ipcx_open_fd(first, WRITE, IPCX_NONBLOCK | IPCX_INHERIT, NULL);
	ASSERT_GE(fd, 0);
	EXPECT_TRUE(is_nonblock(fd));
	EXPECT_FALSE(is_cloexec(fd));
	EXPECT_FALSE(is_nonblock(first));
	EXPECT_EQ(1, stat_of(first).readers);
	EXPECT_EQ(1, stat_of(first).writers);
	EXPECT_EQ(1, ipcx_pipe_write(fd, "x", 1, 0, NULL));
	as_user(UID_A, GID_A)
		EXPECT_EQ(-EACCES, ipcx_open_fd(first, READ, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_open_fd(first, READ, IPCX_OR_OPEN, NULL));
	ASSERT_EQ(0, ipcx_remove_fd(first));
	EXPECT_EQ(-EIDRM, ipcx_open_fd(first, READ, 0, NULL));
}

TEST_F(lib, open_waits_for_the_other_side)
{
	struct ipcx_deadline d = patience();
	int holder, fd;
	pid_t pid;

	holder = ipcx_pipe_create(self->dev, self->name, NONE, 0, NULL);
	ASSERT_GE(holder, 0);
	EXPECT_EQ(-ENXIO, ipcx_open(self->dev, self->name, ANY, WRITE,
				    IPCX_NONBLOCK, NULL));
	pid = fork();
	if (!pid) {
		fd = ipcx_open(self->dev, self->name, ANY, WRITE, 0, &d);
		_exit(fd < 0 || ipcx_pipe_write(fd, "data", 4, 0, &d) != 4);
	}
	fd = ipcx_open(self->dev, self->name, ANY, READ, 0, &d);
	EXPECT_GE(fd, 0);
	if (fd >= 0) {
		char buf[9];

		EXPECT_EQ(4, ipcx_pipe_read(fd, buf, sizeof(buf), 0, &d));
	}
	EXPECT_EQ(0, reap(pid));
}

TEST_F(lib, open_heeds_its_deadline)
{
	struct ipcx_deadline d;
	struct ipcx_stat st;
	int holder;

	holder = ipcx_pipe_create(self->dev, self->name, NONE, 0, &persistent);
	ASSERT_GE(holder, 0);
	st = stat_of(holder);
	d = ipcx_deadline_after(SHORT_NS);
	EXPECT_EQ(-ETIMEDOUT, ipcx_open(self->dev, self->name, ANY, READ, 0,
					&d));
	EXPECT_LE(d.ns, now_ns(CLOCK_MONOTONIC));
	EXPECT_EQ(-ETIMEDOUT, ipcx_open(self->dev, self->name, ANY, WRITE, 0,
					&d));
	EXPECT_EQ(-ETIMEDOUT, ipcx_open_id(self->dev, st.id, 0, ANY, READ, 0,
					   &d));
	EXPECT_EQ(-ETIMEDOUT, ipcx_open_fd(holder, READ, 0, &d));
}

/*
 * Signals and removal: a child sleeps in one call; the parent sees that it does,
 * strikes, and gets the call's result as the exit status.
 */

static void nothing(int signal)
{
	(void)signal;
}

static void handle(int signal, int flags)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = flags };

	sigaction(signal, &action, NULL);
}

/* A child's state, as a letter. */
static bool asleep(pid_t pid)
{
	char path[64], line[512], *end;
	bool is = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fgets(line, sizeof(line), file)) {
		end = strrchr(line, ')');
		is = end && end[2] == 'S';
	}
	fclose(file);
	return is;
}

TEST_F(lib, open_can_be_interrupted)
{
	struct ipcx_deadline d = patience();
	struct ipcx_stat st;
	int holder;
	pid_t pid;

	holder = ipcx_pipe_create(self->dev, self->name, NONE, 0, NULL);
	ASSERT_GE(holder, 0);
	pid = fork();
	if (!pid) {
		handle(SIGUSR1, SA_RESTART);
		_exit(-ipcx_open(self->dev, self->name, ANY, READ,
				 IPCX_NO_RESTART, &d));
	}
	EXPECT_TRUE(wait_until(!ipcx_stat_fd(holder, &st, sizeof(st)) &&
			       st.readers && asleep(pid)));
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, reap(pid));

	pid = fork();
	if (!pid)
		_exit(-ipcx_open(self->dev, self->name, ANY, READ, 0, &d));
	EXPECT_TRUE(wait_until(!ipcx_stat_fd(holder, &st, sizeof(st)) &&
			       st.readers && asleep(pid)));
	EXPECT_EQ(0, ipcx_remove_fd(holder));
	EXPECT_EQ(EIDRM, reap(pid));
}

static bool readers_wait(int fd)
{
	return stat_of(fd).waiting_readers == 1;
}

static bool writers_wait(int fd)
{
	return stat_of(fd).waiting_writers == 1;
}

TEST_F(lib, transfers_can_be_interrupted)
{
	struct ipcx_deadline d = patience();
	static char big[8192];
	char buf[1];
	pid_t pid;
	int fd;

	fd = ipcx_pipe_create(self->dev, self->name, RDWR, 4096, &persistent);
	ASSERT_GE(fd, 0);
	pid = fork();
	if (!pid) {
		handle(SIGUSR1, SA_RESTART);
		_exit(-ipcx_pipe_read(fd, buf, 1, IPCX_NO_RESTART, &d));
	}
	EXPECT_TRUE(wait_until(readers_wait(fd)));
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, reap(pid));

	pid = fork();
	if (!pid) {
		handle(SIGUSR1, 0);
		_exit(-ipcx_pipe_read_id(self->dev, stat_of(fd).id, 0, buf, 1,
					 0, &d));
	}
	EXPECT_TRUE(wait_until(readers_wait(fd)));
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, reap(pid));

	/* SA_RESTART, and the call goes on. */
	pid = fork();
	if (!pid) {
		handle(SIGUSR1, SA_RESTART);
		_exit(ipcx_pipe_read(fd, buf, 1, 0, &d) == 1 ? buf[0] : 1);
	}
	EXPECT_TRUE(wait_until(readers_wait(fd)));
	kill(pid, SIGUSR1);
	EXPECT_TRUE(wait_until(readers_wait(fd)));
	EXPECT_EQ(1, ipcx_pipe_write(fd, "x", 1, 0, NULL));
	EXPECT_EQ('x', reap(pid));

	/* What is in the pipe counts. */
	pid = fork();
	if (!pid) {
		handle(SIGUSR1, SA_RESTART);
		_exit(ipcx_pipe_write(fd, big, sizeof(big), IPCX_NO_RESTART,
				      &d) != 4096);
	}
	EXPECT_TRUE(wait_until(writers_wait(fd)));
	kill(pid, SIGUSR1);
	EXPECT_EQ(0, reap(pid));

	/* Nothing was put in. */
	pid = fork();
	if (!pid) {
		handle(SIGUSR1, SA_RESTART);
		_exit(-ipcx_pipe_write(fd, big, 1, IPCX_NO_RESTART, &d));
	}
	EXPECT_TRUE(wait_until(writers_wait(fd)));
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, reap(pid));
}

TEST_F(lib, remove_wakes_sleepers)
{
	struct ipcx_deadline d = patience();
	int fd, i;

	for (i = 0; i < 3; i++) {
		struct ipcx_stat st;
		char buf[1];
		pid_t pid;

		fd = ipcx_pipe_create(self->dev, self->name, RDWR, 0,
				      &persistent);
		ASSERT_GE(fd, 0);
		st = stat_of(fd);
		pid = fork();
		if (!pid)
			_exit(-ipcx_pipe_read(fd, buf, 1, 0, &d));
		EXPECT_TRUE(wait_until(readers_wait(fd)));
		EXPECT_EQ(0, i == 0 ? ipcx_remove(self->dev, self->name) :
			     i == 1 ? ipcx_remove_id(self->dev, st.id, st.cookie) :
				      ipcx_remove_fd(fd));
		EXPECT_EQ(EIDRM, reap(pid));
		EXPECT_EQ(-EIDRM, ipcx_pipe_read(fd, buf, 1, 0, NULL));
		EXPECT_EQ(-EIDRM, ipcx_pipe_write(fd, buf, 1, 0, NULL));
		EXPECT_EQ(-EIDRM, ipcx_stat_fd(fd, &st, sizeof(st)));
		EXPECT_EQ(-EIDRM, ipcx_unlink_fd(fd));
		EXPECT_EQ(-EIDRM, ipcx_remove_fd(fd));
		EXPECT_EQ(-ENOENT, ipcx_remove(self->dev, self->name));
	}
}

/* Unlink, remove. */

TEST_F(lib, unlink_leaves_users_alone)
{
	struct ipcx_stat st;
	char buf[1];
	int fd;

	fd = ipcx_pipe_create(self->dev, self->name, RDWR, 0, &persistent);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(IPCX_STAT_NAMED | IPCX_STAT_LINKED, stat_of(fd).flags);
	as_user(UID_A, GID_A) {
		EXPECT_EQ(-EPERM, ipcx_unlink(self->dev, self->name));
		EXPECT_EQ(-EPERM, ipcx_unlink_id(self->dev, stat_of(fd).id, 0));
		EXPECT_EQ(-EPERM, ipcx_unlink_fd(fd));
		EXPECT_EQ(-EPERM, ipcx_remove(self->dev, self->name));
		EXPECT_EQ(-EPERM, ipcx_remove_id(self->dev, stat_of(fd).id, 0));
		EXPECT_EQ(-EPERM, ipcx_remove_fd(fd));
	}
	EXPECT_EQ(0, ipcx_unlink(self->dev, self->name));
	EXPECT_EQ(-ENOENT, ipcx_unlink(self->dev, self->name));
	EXPECT_EQ(-ENOENT, ipcx_stat(self->dev, self->name, &st, sizeof(st)));
	st = stat_of(fd);
	EXPECT_EQ(0, st.flags);
	EXPECT_EQ(0, st.name_len);
	EXPECT_EQ(1, ipcx_pipe_write(fd, "x", 1, 0, NULL));
	EXPECT_EQ(1, ipcx_pipe_read(fd, buf, 1, 0, NULL));
	EXPECT_EQ(-ENOENT, ipcx_unlink_fd(fd));
	EXPECT_EQ(-ENOENT, ipcx_unlink_id(self->dev, st.id, 0));
	EXPECT_GE(ipcx_pipe_create(self->dev, self->name, NONE, 0, NULL), 0);
	close(fd);
	EXPECT_EQ(-ENOENT, ipcx_stat_id(self->dev, st.id, 0, &st, sizeof(st)));
}

TEST_F(lib, unlink_by_id_heeds_the_cookie)
{
	struct ipcx_stat st;
	int fd;

	fd = ipcx_pipe_create(self->dev, NULL, NONE, 0, &persistent);
	ASSERT_GE(kept(fd), 0);
	st = stat_of(fd);
	EXPECT_EQ(IPCX_STAT_LINKED, st.flags);
	close(fd);
	EXPECT_EQ(-ESTALE, ipcx_unlink_id(self->dev, st.id, st.cookie + 1));
	EXPECT_EQ(-ESTALE, ipcx_remove_id(self->dev, st.id, st.cookie + 1));
	EXPECT_EQ(0, ipcx_unlink_id(self->dev, st.id, st.cookie));
	EXPECT_EQ(-ENOENT, ipcx_unlink_id(self->dev, st.id, 0));
	EXPECT_EQ(-ENOENT, ipcx_remove_id(self->dev, st.id, 0));
	EXPECT_EQ(-ENOENT, ipcx_unlink_id(self->dev, NO_ID, 0));
	EXPECT_EQ(-EINVAL, ipcx_unlink_id(self->dev, 0, 0));
	EXPECT_EQ(-EINVAL, ipcx_remove_id(self->dev, 0, 0));

	/* Without a cookie, whatever has the id. */
	fd = ipcx_pipe_create(self->dev, NULL, NONE, 0, &persistent);
	ASSERT_GE(kept(fd), 0);
	EXPECT_EQ(0, ipcx_remove_id(self->dev, stat_of(fd).id, 0));
	EXPECT_EQ(-EIDRM, ipcx_stat_fd(fd, &st, sizeof(st)));
}

TEST_F(lib, unlink_by_file_needs_no_access)
{
	int fd;

	fd = ipcx_pipe_create(self->dev, self->name, NONE, 0, &persistent);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, ipcx_unlink_fd(fd));
	EXPECT_EQ(-ENOENT, ipcx_unlink(self->dev, self->name));
}

/* Stat. */

TEST_F(lib, stat_tells_all)
{
	struct ipcx_options options = {
		.lifetime = IPCX_LIFETIME_PERSISTENT, .mode = 0640,
	};
	uint64_t before = now_ns(CLOCK_REALTIME_COARSE);
	struct ipcx_stat st, by_id, by_fd;
	char buf[2];
	int fd;

	fd = ipcx_pipe_create(self->dev, self->name, RDWR, 8192, &options);
	ASSERT_GE(fd, 0);
	memset(&st, POISON, sizeof(st));
	ASSERT_EQ(0, ipcx_stat(self->dev, self->name, &st, sizeof(st)));
	EXPECT_LT(0, st.id);
	EXPECT_LT(0, st.cookie);
	EXPECT_EQ(PIPE, st.type);
	EXPECT_EQ(IPCX_LIFETIME_PERSISTENT, st.lifetime);
	EXPECT_EQ(0640, st.mode);
	EXPECT_EQ(geteuid(), st.uid);
	EXPECT_EQ(getegid(), st.gid);
	EXPECT_EQ(geteuid(), st.creator_uid);
	EXPECT_EQ(getegid(), st.creator_gid);
	EXPECT_EQ(getpid(), st.creator_pid);
	EXPECT_EQ(0, st.last_reader_pid);
	EXPECT_EQ(0, st.last_writer_pid);
	EXPECT_EQ(IPCX_STAT_NAMED | IPCX_STAT_LINKED, st.flags);
	EXPECT_EQ(8192, st.capacity_bytes);
	EXPECT_EQ(0, st.used_bytes);
	EXPECT_LE(8192, st.charged_bytes);
	EXPECT_EQ(1, st.opens);
	EXPECT_EQ(1, st.readers);
	EXPECT_EQ(1, st.writers);
	EXPECT_EQ(0, st.waiting_readers);
	EXPECT_EQ(0, st.waiting_writers);
	EXPECT_LE(before, st.created_ns);
	EXPECT_GE(now_ns(CLOCK_REALTIME), st.created_ns);
	EXPECT_LE(st.created_ns, st.changed_ns);
	EXPECT_EQ(0, st.read_ns);
	EXPECT_EQ(0, st.write_ns);
	EXPECT_EQ(strlen(self->name), st.name_len);
	EXPECT_STREQ(self->name, st.name);

	ASSERT_EQ(2, ipcx_pipe_write(fd, "xy", 2, 0, NULL));
	ASSERT_EQ(1, ipcx_pipe_read(fd, buf, 1, 0, NULL));
	memset(&by_id, POISON, sizeof(by_id));
	memset(&by_fd, POISON, sizeof(by_fd));
	ASSERT_EQ(0, ipcx_stat(self->dev, self->name, &st, sizeof(st)));
	ASSERT_EQ(0, ipcx_stat_id(self->dev, st.id, st.cookie, &by_id,
				  sizeof(by_id)));
	ASSERT_EQ(0, ipcx_stat_fd(fd, &by_fd, sizeof(by_fd)));
	EXPECT_EQ(1, st.used_bytes);
	EXPECT_EQ(getpid(), st.last_reader_pid);
	EXPECT_EQ(getpid(), st.last_writer_pid);
	EXPECT_LT(0, st.write_ns);
	EXPECT_LT(0, st.read_ns);
	memset(&st.ref, 0, sizeof(st.ref));
	memset(&by_id.ref, 0, sizeof(by_id.ref));
	memset(&by_fd.ref, 0, sizeof(by_fd.ref));
	EXPECT_EQ(0, memcmp(&st, &by_id, sizeof(st)));
	EXPECT_EQ(0, memcmp(&st, &by_fd, sizeof(st)));
}

TEST_F(lib, stat_heeds_its_size)
{
	struct {
		struct ipcx_stat st;
		char more[64];
	} result;
	uint32_t id;
	int fd;

	fd = ipcx_pipe_create(self->dev, self->name, NONE, 0, &persistent);
	ASSERT_GE(fd, 0);
	id = stat_of(fd).id;
	memset(&result, POISON, sizeof(result));
	ASSERT_EQ(0, ipcx_stat(self->dev, self->name, &result.st,
			       sizeof(result)));
	EXPECT_EQ(sizeof(result.st), result.st.size);
	EXPECT_TRUE(all_bytes_are(result.more, sizeof(result.more), 0));
	memset(&result, POISON, sizeof(result));
	ASSERT_EQ(0, ipcx_stat_id(self->dev, id, 0, &result.st,
				  sizeof(result)));
	EXPECT_TRUE(all_bytes_are(result.more, sizeof(result.more), 0));
	memset(&result, POISON, sizeof(result));
	ASSERT_EQ(0, ipcx_stat_fd(fd, &result.st, sizeof(result)));
	EXPECT_TRUE(all_bytes_are(result.more, sizeof(result.more), 0));

	memset(&result, POISON, sizeof(result));
	ASSERT_EQ(0, ipcx_stat_fd(fd, &result.st, sizeof(result.st)));
	EXPECT_TRUE(all_bytes_are(result.more, sizeof(result.more), POISON));

	EXPECT_EQ(-EINVAL, ipcx_stat(self->dev, self->name, &result.st, 8));
	EXPECT_EQ(-EINVAL, ipcx_stat_id(self->dev, id, 0, &result.st, 8));
	EXPECT_EQ(-EINVAL, ipcx_stat_fd(fd, &result.st, 8));
	EXPECT_EQ(-EINVAL, ipcx_stat_fd(fd, &result.st, 0));
}

TEST_F(lib, stat_has_errors)
{
	struct ipcx_stat st;
	int fd, nobodys;

	fd = ipcx_pipe_create(self->dev, self->name, NONE, 0, &persistent);
	ASSERT_GE(fd, 0);
	st = stat_of(fd);
	EXPECT_EQ(-ENOENT, ipcx_stat(self->dev, self->other, &st, sizeof(st)));
	EXPECT_EQ(-ENOENT, ipcx_stat_id(self->dev, NO_ID, 0, &st, sizeof(st)));
	EXPECT_EQ(-EINVAL, ipcx_stat_id(self->dev, 0, 0, &st, sizeof(st)));
	st = stat_of(fd);
	EXPECT_EQ(-ESTALE, ipcx_stat_id(self->dev, st.id, st.cookie + 1, &st,
					sizeof(st)));
	nobodys = fd;
	as_user(UID_A, GID_A) {
		struct ipcx_stat mine;

		EXPECT_EQ(-EACCES, ipcx_stat(self->dev, self->name, &mine,
					     sizeof(mine)));
		EXPECT_EQ(-EACCES, ipcx_stat_id(self->dev, stat_of(fd).id, 0,
						&mine, sizeof(mine)));
		EXPECT_EQ(0, ipcx_stat_fd(nobodys, &mine, sizeof(mine)));
	}
}

/* ipcx_pipe(). */

TEST_F(lib, pipe_has_two_ends)
{
	struct ipcx_stat st;
	int fds[2] = { -7, -7 };
	char buf[9];

	ASSERT_EQ(0, ipcx_pipe(fds, 0));
	EXPECT_TRUE(is_cloexec(fds[0]));
	EXPECT_TRUE(is_cloexec(fds[1]));
	EXPECT_FALSE(is_nonblock(fds[0]));
	EXPECT_FALSE(is_nonblock(fds[1]));
	st = stat_of(fds[0]);
	EXPECT_EQ(st.cookie, stat_of(fds[1]).cookie);
	EXPECT_EQ(2, st.opens);
	EXPECT_EQ(1, st.readers);
	EXPECT_EQ(1, st.writers);
	EXPECT_EQ(65536, st.capacity_bytes);
	EXPECT_EQ(IPCX_LIFETIME_TRANSIENT, st.lifetime);
	EXPECT_EQ(0, st.flags);
	EXPECT_EQ(5, write(fds[1], "hello", 5));
	EXPECT_EQ(-EBADF, ipcx_pipe_write(fds[0], "x", 1, 0, NULL));
	EXPECT_EQ(-EBADF, ipcx_pipe_read(fds[1], buf, 1, 0, NULL));
	close(fds[1]);
	EXPECT_EQ(5, read(fds[0], buf, sizeof(buf)));
	EXPECT_EQ(0, read(fds[0], buf, sizeof(buf)));
}

TEST_F(lib, pipe_passes_flags_on)
{
	int fds[2], i;

	ASSERT_EQ(0, ipcx_pipe(fds, IPCX_NONBLOCK));
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(is_nonblock(fds[i]));
		EXPECT_TRUE(is_cloexec(fds[i]));
	}
	ASSERT_EQ(0, ipcx_pipe(fds, IPCX_INHERIT));
	for (i = 0; i < 2; i++) {
		EXPECT_FALSE(is_nonblock(fds[i]));
		EXPECT_FALSE(is_cloexec(fds[i]));
	}
}

/* As with pipe2(2); also for those whom permissions bind. */
TEST_F(lib, pipe_minds_no_umask)
{
	as_user(UID_A, GID_A) {
		int fds[2];

		umask(0777);
		ASSERT_EQ(0, ipcx_pipe(fds, 0));
		EXPECT_EQ(1, ipcx_pipe_write(fds[1], "x", 1, 0, NULL));
	}
}

TEST_F(lib, pipe_fails_without_a_trace)
{
	static const unsigned int bad[] = {
		IPCX_OR_OPEN, IPCX_NO_RESTART, IPCX_NO_SIGPIPE, 1U << 31,
	};
	struct ipcx_query before, after;
	int fds[2] = { -7, -8 };
	unsigned int i;

	ASSERT_EQ(0, ipcx_query(self->dev, &before, sizeof(before)));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int free = next_fd();

		EXPECT_EQ(-EINVAL, ipcx_pipe(fds, bad[i]));
		EXPECT_EQ(free, next_fd());
	}
	EXPECT_EQ(-7, fds[0]);
	EXPECT_EQ(-8, fds[1]);

	/* With too few file descriptors, wherever that is noticed. */
	in_child() {
		int count, free = next_fd(), ret = -EMFILE;

		for (count = 0; count < 10 && ret == -EMFILE; count++) {
			allow_files(count);
			ret = ipcx_pipe(fds, 0);
			if (ret == -EMFILE) {
				EXPECT_EQ(-7, fds[0]);
				EXPECT_EQ(-8, fds[1]);
				allow_files(1);
				EXPECT_EQ(free, next_fd());
			}
		}
		EXPECT_EQ(0, ret);
		EXPECT_LT(2, count);
	}
	ASSERT_EQ(0, ipcx_query(self->dev, &after, sizeof(after)));
	EXPECT_EQ(before.user.objects, after.user.objects);
	EXPECT_EQ(before.user.bytes, after.user.bytes);
}

/* Transfers. */

TEST_F(lib, read_and_write)
{
	char buf[9];
	int fds[2];

	ASSERT_EQ(0, ipcx_pipe(fds, 0));
	EXPECT_EQ(-EAGAIN, ipcx_pipe_read(fds[0], buf, 9, IPCX_NONBLOCK, NULL));
	EXPECT_EQ(5, ipcx_pipe_write(fds[1], "hello", 5, 0, NULL));
	EXPECT_EQ(0, ipcx_pipe_write(fds[1], "", 0, 0, NULL));
	EXPECT_EQ(0, ipcx_pipe_read(fds[0], buf, 0, 0, NULL));
	EXPECT_EQ(2, ipcx_pipe_read(fds[0], buf, 2, 0, NULL));
	EXPECT_EQ(0, memcmp(buf, "he", 2));
	EXPECT_EQ(3, ipcx_pipe_read(fds[0], buf, 9, 0, NULL));
	EXPECT_EQ(0, memcmp(buf, "llo", 3));
	EXPECT_EQ(-EINVAL, ipcx_pipe_read(fds[0], buf, 9, 1U << 31, NULL));
	EXPECT_EQ(-EINVAL, ipcx_pipe_write(fds[1], buf, 9, 1U << 31, NULL));
	EXPECT_EQ(-EINVAL, ipcx_pipe_write(fds[1], buf, 9, IPCX_INHERIT, NULL));
	EXPECT_EQ(-EFAULT, ipcx_pipe_write(fds[1], (void *)8, 9, 0, NULL));
	close(fds[1]);
	EXPECT_EQ(0, ipcx_pipe_read(fds[0], buf, 9, 0, NULL));
}

TEST_F(lib, nonblocking_files_do_not_wait)
{
	static char big[70000];
	char buf[1];
	int fds[2];

	ASSERT_EQ(0, ipcx_pipe(fds, IPCX_NONBLOCK));
	EXPECT_EQ(-EAGAIN, ipcx_pipe_read(fds[0], buf, 1, 0, NULL));
	EXPECT_EQ(65536, ipcx_pipe_write(fds[1], big, sizeof(big), 0, NULL));
	EXPECT_EQ(-EAGAIN, ipcx_pipe_write(fds[1], big, 1, 0, NULL));
}

TEST_F(lib, transfers_heed_their_deadline)
{
	static const clockid_t clocks[] = {
		CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME,
	};
	static char big[70000];
	struct ipcx_deadline d;
	unsigned int i;
	char buf[1];
	int fds[2];

	ASSERT_EQ(0, ipcx_pipe(fds, 0));
	d = ipcx_deadline_after(SHORT_NS);
	EXPECT_EQ(-ETIMEDOUT, ipcx_pipe_read(fds[0], buf, 1, 0, &d));
	EXPECT_LE(d.ns, now_ns(CLOCK_MONOTONIC));

	/* What is in counts; the same deadline again: try once. */
	EXPECT_EQ(65536, ipcx_pipe_write(fds[1], big, sizeof(big), 0, &d));
	EXPECT_EQ(-ETIMEDOUT, ipcx_pipe_write(fds[1], big, 1, 0, &d));
	EXPECT_EQ(1, ipcx_pipe_read(fds[0], buf, 1, 0, &d));
	EXPECT_EQ(1, ipcx_pipe_write(fds[1], big, 1, 0, &d));

	for (i = 0; i < 3; i++) {
		d = deadline_on(clocks[i], 20);
		EXPECT_EQ(-ETIMEDOUT, ipcx_pipe_write(fds[1], big, 1, 0, &d));
		EXPECT_LE(d.ns, now_ns(clocks[i]));
	}
}

static volatile sig_atomic_t broken_pipes;

static void count_broken_pipe(int signal)
{
	(void)signal;
	broken_pipes++;
}

TEST_F(lib, write_without_readers)
{
	struct sigaction action = { .sa_handler = count_broken_pipe };
	int fds[2];

	sigaction(SIGPIPE, &action, NULL);
	ASSERT_EQ(0, ipcx_pipe(fds, 0));
	close(fds[0]);
	EXPECT_EQ(-EPIPE, ipcx_pipe_write(fds[1], "x", 1, IPCX_NO_SIGPIPE,
					  NULL));
	EXPECT_EQ(0, broken_pipes);
	EXPECT_EQ(-EPIPE, ipcx_pipe_write(fds[1], "x", 1, 0, NULL));
	EXPECT_EQ(1, broken_pipes);
}

/* A write larger than the pipe is one call. */
TEST_F(lib, write_waits_until_all_is_in)
{
	static char sent[300000], received[sizeof(sent)];
	struct ipcx_deadline d = patience();
	size_t done = 0, i;
	int fds[2];
	pid_t pid;

	for (i = 0; i < sizeof(sent); i++)
		sent[i] = i % 251;
	ASSERT_EQ(0, ipcx_pipe(fds, 0));
	pid = fork();
	if (!pid)
		_exit(ipcx_pipe_write(fds[1], sent, sizeof(sent), 0, &d) !=
		      sizeof(sent));
	close(fds[1]);
	for (;;) {
		ssize_t ret = ipcx_pipe_read(fds[0], received + done,
					     sizeof(received) - done + 1, 0,
					     &d);

		if (ret <= 0) {
			EXPECT_EQ(0, ret);
			break;
		}
		done += ret;
		ASSERT_LE(done, sizeof(received));
	}
	EXPECT_EQ(sizeof(sent), done);
	EXPECT_EQ(0, memcmp(sent, received, sizeof(sent)));
	EXPECT_EQ(0, reap(pid));
}

TEST_F(lib, transfers_by_id)
{
	struct ipcx_deadline past = deadline_past();
	static char big[8192];
	struct ipcx_stat st;
	char buf[9];
	int fd;

	fd = ipcx_pipe_create(self->dev, NULL, NONE, 4096, &persistent);
	ASSERT_GE(kept(fd), 0);
	st = stat_of(fd);

	/* Nobody has it open: neither end of file nor EPIPE. */
	EXPECT_EQ(-EAGAIN, ipcx_pipe_read_id(self->dev, st.id, 0, buf, 9,
					     IPCX_NONBLOCK, NULL));
	EXPECT_EQ(-ETIMEDOUT, ipcx_pipe_read_id(self->dev, st.id, 0, buf, 9, 0,
						&past));
	EXPECT_EQ(5, ipcx_pipe_write_id(self->dev, st.id, 0, "hello", 5, 0,
					NULL));
	EXPECT_EQ(5, ipcx_pipe_read_id(self->dev, st.id, st.cookie, buf, 9, 0,
				       NULL));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
	EXPECT_EQ(4096, ipcx_pipe_write_id(self->dev, st.id, st.cookie, big,
					   sizeof(big), 0, &past));
	EXPECT_EQ(-ETIMEDOUT, ipcx_pipe_write_id(self->dev, st.id, 0, big, 1, 0,
						 &past));
	EXPECT_EQ(-EAGAIN, ipcx_pipe_write_id(self->dev, st.id, 0, big, 1,
					      IPCX_NONBLOCK, NULL));
	EXPECT_EQ(0, stat_of(fd).readers + stat_of(fd).writers);

	EXPECT_EQ(-ESTALE, ipcx_pipe_read_id(self->dev, st.id, st.cookie + 1,
					     buf, 1, 0, NULL));
	EXPECT_EQ(-ESTALE, ipcx_pipe_write_id(self->dev, st.id, st.cookie + 1,
					      buf, 1, 0, NULL));
	EXPECT_EQ(-ENOENT, ipcx_pipe_read_id(self->dev, NO_ID, 0, buf, 1, 0,
					     NULL));
	EXPECT_EQ(-ENOENT, ipcx_pipe_write_id(self->dev, NO_ID, 0, buf, 1, 0,
					      NULL));
	EXPECT_EQ(-EINVAL, ipcx_pipe_read_id(self->dev, 0, 0, buf, 1, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_pipe_write_id(self->dev, 0, 0, buf, 1, 0,
					      NULL));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(-EACCES, ipcx_pipe_read_id(self->dev, st.id, 0, buf,
						     1, 0, NULL));
		EXPECT_EQ(-EACCES, ipcx_pipe_write_id(self->dev, st.id, 0, buf,
						      1, 0, NULL));
	}
	EXPECT_EQ(4096, stat_of(fd).used_bytes);

	fd = ipcx_pipe_create(self->dev, NULL, RDWR, 0, NULL);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-ENOENT, ipcx_pipe_write_id(self->dev, stat_of(fd).id, 0,
					      buf, 1, 0, NULL));
}

/* Threads, signals, fork, cancellation. */

#define THREADS		4
#define ROUNDS		50

static void *use_everything(void *argument)
{
	struct ipcx_deadline d = patience();
	char buf[64], text[64];
	intptr_t number = (intptr_t)argument;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		struct ipcx_stat st;
		int dev, fds[2];

		dev = ipcx_device();
		if (dev < 0 || ipcx_pipe(fds, 0))
			return "no pipe";
		snprintf(text, sizeof(text), "%ld %d", (long)number, round);
		if (ipcx_pipe_write(fds[1], text, sizeof(text), 0, &d) !=
		    sizeof(text) ||
		    ipcx_pipe_read(fds[0], buf, sizeof(buf), 0, &d) !=
		    sizeof(buf) || strcmp(text, buf))
			return "another's data";
		if (ipcx_stat_fd(fds[0], &st, sizeof(st)) || st.used_bytes)
			return "another's state";
		if (ipcx_open(dev, "", ANY, RDWR, 0, NULL) != -EINVAL ||
		    ipcx_pipe_read(fds[0], buf, 1, IPCX_NONBLOCK, NULL) !=
		    -EAGAIN)
			return "another's error";
		close(fds[0]);
		close(fds[1]);
		close(dev);
	}
	return NULL;
}

TEST_F(lib, threads_do_not_mind_each_other)
{
	pthread_t threads[THREADS];
	void *words;
	intptr_t i;

	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, use_everything,
					    (void *)i));
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &words));
		EXPECT_EQ(NULL, words) {
			TH_LOG("thread %ld: %s", (long)i, (char *)words);
		}
	}
}

static int handler_dev;
static uint32_t handler_id;
static volatile int handler_result;

static void call_in_handler(int signal)
{
	(void)signal;
	handler_result = ipcx_pipe_write_id(handler_dev, handler_id, 0, "x", 1,
					    IPCX_NONBLOCK, NULL);
}

/* A handler's call, in the middle of another's wait for that very byte. */
TEST_F(lib, functions_work_in_a_signal_handler)
{
	struct sigaction action = {
		.sa_handler = call_in_handler, .sa_flags = SA_RESTART,
	};
	struct ipcx_deadline d = patience();
	char buf[1];
	pid_t pid;
	int fd;

	fd = ipcx_pipe_create(self->dev, NULL, RDWR, 0, &persistent);
	ASSERT_GE(kept(fd), 0);
	handler_dev = self->dev;
	handler_id = stat_of(fd).id;
	pid = fork();
	if (!pid) {
		sigaction(SIGUSR1, &action, NULL);
		_exit(ipcx_pipe_read(fd, buf, 1, 0, &d) != 1 ||
		      buf[0] != 'x' || handler_result != 1);
	}
	EXPECT_TRUE(wait_until(readers_wait(fd)));
	kill(pid, SIGUSR1);
	EXPECT_EQ(0, reap(pid));
}

struct cancelled {
	int dev;
	const char *name;
	const char *where;
	void (*last)(void);
};

static void open_device(void)
{
	ipcx_device();
}

static void make_pipe(void)
{
	int fds[2];

	ipcx_pipe(fds, 0);
}

/* A thread that is cancelled already goes on up to a cancellation point. */
static void *run_cancelled(void *argument)
{
	struct cancelled *c = argument;
	struct ipcx_query query;
	struct ipcx_stat st;
	char buf[1];
	int fd;

	pthread_cancel(pthread_self());
	c->where = "the others";
	ipcx_query(c->dev, &query, sizeof(query));
	fd = ipcx_pipe_create(c->dev, c->name, RDWR, 0, &persistent);
	ipcx_stat(c->dev, c->name, &st, sizeof(st));
	ipcx_stat_fd(fd, &st, sizeof(st));
	ipcx_stat_id(c->dev, st.id, 0, &st, sizeof(st));
	ipcx_pipe_write(fd, "x", 1, 0, NULL);
	ipcx_pipe_read(fd, buf, 1, 0, NULL);
	ipcx_pipe_write_id(c->dev, st.id, 0, "x", 1, 0, NULL);
	ipcx_pipe_read_id(c->dev, st.id, 0, buf, 1, 0, NULL);
	ipcx_pipe_resize(fd, 4096, 0, NULL);
	ipcx_pipe_resize_id(c->dev, st.id, 0, 4096, 0, NULL);
	ipcx_pipe_resize_name(c->dev, c->name, 4096, 0, NULL);
	ipcx_open(c->dev, c->name, ANY, RDWR, 0, NULL);
	ipcx_open_fd(fd, RDWR, 0, NULL);
	ipcx_open_id(c->dev, st.id, 0, ANY, RDWR, 0, NULL);
	ipcx_unlink(c->dev, c->name);
	ipcx_unlink_id(c->dev, st.id, 0);
	ipcx_unlink_fd(fd);
	ipcx_remove(c->dev, c->name);
	ipcx_remove_id(c->dev, st.id, 0);
	ipcx_remove_fd(fd);
	c->where = "the last";
	c->last();
	c->where = "nowhere";
	return NULL;
}

TEST_F(lib, two_functions_are_cancellation_points)
{
	void (*last[])(void) = { open_device, make_pipe };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct cancelled c = {
			.dev = self->dev, .name = self->name, .last = last[i],
		};
		pthread_t thread;
		void *result;

		ASSERT_EQ(0, pthread_create(&thread, NULL, run_cancelled, &c));
		ASSERT_EQ(0, pthread_join(thread, &result));
		EXPECT_EQ(PTHREAD_CANCELED, result);
		EXPECT_STREQ("the last", c.where);
	}
}

/*
 * The library's ioctl(2) too, since it finds this one first: a call is cancelled
 * when it has made an object.
 */
static bool cancel_creator;

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	long ret;

	va_start(arguments, request);
	ret = syscall(SYS_ioctl, fd, request, va_arg(arguments, void *));
	va_end(arguments);
	if (cancel_creator && request == IPCX_IOC_CREATE) {
		cancel_creator = false;
		pthread_cancel(pthread_self());
	}
	return ret;
}

static int both_ends[2];

static void *make_pipe_cancelled(void *argument)
{
	cancel_creator = true;
	*(int *)argument = ipcx_pipe(both_ends, 0);
	pthread_testcancel();
	return NULL;
}

/* Once there is something to lose, it is no cancellation point any more. */
TEST_F(lib, a_cancelled_pipe_is_not_lost)
{
	pthread_t thread;
	int ret = -1;
	void *result;

	ASSERT_EQ(0, pthread_create(&thread, NULL, make_pipe_cancelled, &ret));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(PTHREAD_CANCELED, result);
	EXPECT_FALSE(cancel_creator);
	ASSERT_EQ(0, ret);
	EXPECT_EQ(1, ipcx_pipe_write(both_ends[1], "x", 1, 0, NULL));
}

TEST_F(lib, the_device_works_after_fork)
{
	in_child() {
		int fd = ipcx_pipe_create(self->dev, self->name, RDWR, 0,
					  &persistent);

		ASSERT_GE(fd, 0);
		EXPECT_EQ(getpid(), stat_of(fd).creator_pid);
	}
	EXPECT_EQ(0, ipcx_unlink(self->dev, self->name));
}

TEST_HARNESS_MAIN
