// SPDX-License-Identifier: GPL-2.0
/*
 * libipcx: ipcx_pipe_resize() and its two other forms, as ipcx.h and the manual page
 * tell them. What the kernel does to the bytes meanwhile is for the tests of pipes.
 */
#include "pipe_test.h"

#include <ipcx.h>

#define NONE		IPCX_ACCESS_NONE
#define RDWR		IPCX_ACCESS_RDWR

/* An id that nothing has so soon. */
#define NO_ID		0x7ffffff0

/* Enough for a test to see that a wait did wait. */
#define SHORT_NS	50000000ULL

static const struct ipcx_options persistent = {
	.lifetime = IPCX_LIFETIME_PERSISTENT,
};

static uint64_t capacity(int fd)
{
	return pipe_stat(fd).capacity_bytes;
}

FIXTURE(resize) {
	int dev;
	int fd;
	uint32_t id;
	uint64_t cookie;
	char name[TEST_NAME_SIZE];
};

FIXTURE_SETUP(resize)
{
	struct ipcx_create arg;

	track_cleanup();
	test_name(self->name, "resize");
	arg = pipe_arg(self->name, 0, 0);
	track_object(&arg, -1);
	self->dev = ipcx_device();
	ASSERT_GE(self->dev, 0);
	self->fd = ipcx_pipe_create(self->dev, self->name, RDWR, 16384,
				    &persistent);
	ASSERT_GE(self->fd, 0);
	self->id = pipe_stat(self->fd).id;
	self->cookie = pipe_stat(self->fd).cookie;
}

FIXTURE_TEARDOWN_PARENT(resize)
{
	track_cleanup();
}

/* What a test does in each of the ways to mean the pipe. */
enum form { BY_FD, BY_ID, BY_ID_COOKIE, BY_NAME, FORMS };

#define RESIZE(form, bytes, flags, deadline) \
	resize_as(self->dev, self->fd, self->id, self->cookie, self->name, \
		  form, bytes, flags, deadline)

static int resize_as(int dev, int fd, uint32_t id, uint64_t cookie,
		     const char *name, enum form form, uint64_t bytes,
		     unsigned int flags, const struct ipcx_deadline *deadline)
{
	switch (form) {
	case BY_FD:
		return ipcx_pipe_resize(fd, bytes, flags, deadline);
	case BY_ID:
		return ipcx_pipe_resize_id(dev, id, 0, bytes, flags, deadline);
	case BY_ID_COOKIE:
		return ipcx_pipe_resize_id(dev, id, cookie, bytes, flags,
					   deadline);
	default:
		return ipcx_pipe_resize_name(dev, name, bytes, flags, deadline);
	}
}

TEST_F(resize, changes_the_capacity)
{
	static const uint64_t good[][2] = {
		{ 1 << 20, 1 << 20 }, { 12345, 16384 }, { 8193, 16384 },
		{ 8192, 8192 }, { 4096, 4096 }, { 4097, 8192 },
	};
	struct ipcx_query query;
	enum form form;
	unsigned int i;

	ASSERT_EQ(0, ipcx_query(self->dev, &query, sizeof(query)));
	ASSERT_EQ(3000, stream_write(self->fd, 0, 3000));
	for (form = 0; form < FORMS; form++) {
		for (i = 0; i < ARRAY_SIZE(good); i++) {
			EXPECT_EQ(0, RESIZE(form, good[i][0], 0, NULL));
			EXPECT_EQ(good[i][1], capacity(self->fd));
			EXPECT_LE(good[i][1], pipe_stat(self->fd).charged_bytes);
		}
		EXPECT_EQ(0, RESIZE(form, query.pipe_capacity_max, 0, NULL));
		EXPECT_EQ(query.pipe_capacity_max, capacity(self->fd));
	}
	EXPECT_EQ(3000, stream_read(self->fd, 0, 3000));
}

TEST_F(resize, needs_no_access)
{
	int fd = ipcx_pipe_create(self->dev, NULL, NONE, 0, NULL);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, ipcx_pipe_resize(fd, 4096, 0, NULL));
	EXPECT_EQ(4096, capacity(fd));
}

/* The device has no other way to reach a nameless pipe that isn't persistent. */
TEST_F(resize, minds_no_lifetime)
{
	int fd = ipcx_pipe_create(self->dev, NULL, RDWR, 0, NULL);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, ipcx_pipe_resize_id(self->dev, fd_id(fd), 0, 4096, 0,
					 NULL));
	EXPECT_EQ(4096, capacity(fd));
}

TEST_F(resize, checks_its_arguments)
{
	static const unsigned int flags[] = {
		IPCX_NONBLOCK, IPCX_INHERIT, IPCX_OR_OPEN, IPCX_NO_SIGPIPE,
		1U << 31,
	};
	static const uint64_t bytes[] = {
		0, 1, 4095, 1ULL << 32, (1ULL << 32) + 4096, 1ULL << 63,
		UINT64_MAX,
	};
	struct ipcx_deadline clock = { .ns = 1, .clock = 12345 };
	struct ipcx_deadline reserved = { .ns = 1, .clock = 1, .reserved = 1 };
	struct ipcx_query query;
	enum form form;
	unsigned int i;

	ASSERT_EQ(0, ipcx_query(self->dev, &query, sizeof(query)));
	for (form = 0; form < FORMS; form++) {
		for (i = 0; i < ARRAY_SIZE(bytes); i++)
			EXPECT_EQ(-EINVAL, RESIZE(form, bytes[i], 0, NULL));
		EXPECT_EQ(-EINVAL, RESIZE(form, query.pipe_capacity_max + 1, 0,
					  NULL));
		for (i = 0; i < ARRAY_SIZE(flags); i++)
			EXPECT_EQ(-EINVAL, RESIZE(form, 4096, flags[i], NULL));
		EXPECT_EQ(-EINVAL, RESIZE(form, 4096, 0, &clock));
		EXPECT_EQ(-EINVAL, RESIZE(form, 4096, 0, &reserved));
	}
	EXPECT_EQ(16384, capacity(self->fd));
	EXPECT_EQ(0, RESIZE(BY_FD, 4096, IPCX_NO_RESTART, NULL));
	EXPECT_EQ(4096, capacity(self->fd));
}

TEST_F(resize, finds_what_is_meant)
{
	char name[IPCX_NAME_MAX + 2];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	EXPECT_EQ(-ENAMETOOLONG, ipcx_pipe_resize_name(self->dev, name, 4096, 0,
						       NULL));
	EXPECT_EQ(-ENOENT, ipcx_pipe_resize_name(self->dev, name + 1, 4096, 0,
						 NULL));
	EXPECT_EQ(-EINVAL, ipcx_pipe_resize_name(self->dev, "", 4096, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_pipe_resize_name(self->dev, "a/b", 4096, 0,
						 NULL));
	EXPECT_EQ(-EINVAL, ipcx_pipe_resize_id(self->dev, 0, 0, 4096, 0, NULL));
	EXPECT_EQ(-ENOENT, ipcx_pipe_resize_id(self->dev, NO_ID, 0, 4096, 0,
					       NULL));
	EXPECT_EQ(-ESTALE, ipcx_pipe_resize_id(self->dev, self->id,
					       self->cookie + 1, 4096, 0,
					       NULL));
	/* Each form wants its own kind of file. */
	EXPECT_EQ(-EINVAL, ipcx_pipe_resize(self->dev, 4096, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_pipe_resize_id(self->fd, self->id, 0, 4096, 0,
					       NULL));
	EXPECT_EQ(-EINVAL, ipcx_pipe_resize_name(self->fd, self->name, 4096, 0,
						 NULL));
	EXPECT_EQ(16384, capacity(self->fd));
}

TEST_F(resize, is_busy_below_what_the_pipe_holds)
{
	enum form form;

	ASSERT_EQ(4097, stream_write(self->fd, 0, 4097));
	for (form = 0; form < FORMS; form++)
		EXPECT_EQ(-EBUSY, RESIZE(form, 4096, 0, NULL));
	EXPECT_EQ(16384, capacity(self->fd));
	EXPECT_EQ(1, stream_read(self->fd, 0, 1));
	EXPECT_EQ(0, RESIZE(BY_FD, 4096, 0, NULL));
	EXPECT_EQ(4096, capacity(self->fd));
	EXPECT_EQ(4096, stream_read(self->fd, 1, 4096));
}

TEST_F(resize, is_for_the_owner)
{
	enum form form;

	ASSERT_EQ(0, fchmod(self->fd, 0666));
	as_user(UID_A, GID_A) {
		for (form = 0; form < FORMS; form++)
			EXPECT_EQ(-EPERM, RESIZE(form, 4096, 0, NULL));
	}
	EXPECT_EQ(16384, capacity(self->fd));

	/* Whatever the mode. */
	ASSERT_EQ(0, fchmod(self->fd, 0));
	ASSERT_EQ(0, fchown(self->fd, UID_A, GID_A));
	as_user(UID_A, GID_A) {
		for (form = 0; form < FORMS; form++) {
			EXPECT_EQ(0, RESIZE(form, 4096ULL << form, 0, NULL));
			EXPECT_EQ(4096ULL << form, capacity(self->fd));
		}
	}
}

TEST_F(resize, is_charged_to_who_makes_it_larger)
{
	struct ipcx_query query;
	int ret = 0;

	ASSERT_EQ(0, ipcx_query(self->dev, &query, sizeof(query)));
	ASSERT_EQ(0, fchown(self->fd, UID_A, GID_A));
	as_user(UID_A, GID_A) {
		struct ipcx_query mine;
		enum form form;

		while (ret >= 0)
			ret = ipcx_pipe_create(self->dev, NULL, NONE,
					       query.pipe_capacity_max, NULL);
		ASSERT_EQ(-EDQUOT, ret);
		for (form = 0; form < FORMS; form++)
			EXPECT_EQ(-EDQUOT, RESIZE(form, query.pipe_capacity_max,
						  0, NULL));
		EXPECT_EQ(16384, capacity(self->fd));
		EXPECT_EQ(0, RESIZE(BY_FD, 8192, 0, NULL));
		close_range(self->fd + 1, ~0U, 0);
		EXPECT_EQ(0, RESIZE(BY_FD, query.pipe_capacity_max, 0, NULL));
		ASSERT_EQ(0, ipcx_query(self->dev, &mine, sizeof(mine)));
		EXPECT_EQ(1, mine.user.objects);
		EXPECT_LE(query.pipe_capacity_max, mine.user.bytes);
	}
}

/* Nor does it mind O_NONBLOCK. */
TEST_F(resize, leaves_sleeping_readers_alone)
{
	struct actor reader = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = self->fd, .len = 10,
	});
	enum form form;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, fcntl(self->dev, F_SETFL, O_NONBLOCK));
	for (form = 0; form < FORMS; form++) {
		EXPECT_EQ(0, RESIZE(form, 32768ULL << form, 0, NULL));
		EXPECT_EQ(32768ULL << form, capacity(self->fd));
	}
	EXPECT_TRUE(actor_asleep(&reader));
	ASSERT_EQ(5, stream_write(self->fd, 0, 5));
	EXPECT_EQ(5, actor_finish(&reader));
}

TEST_F(resize, gives_sleeping_writers_room)
{
	struct ipcx_deadline d = deadline_patience();
	struct actor writer;

	ASSERT_EQ(16384, stream_write(self->fd, 0, 16384));
	writer = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = self->fd, .len = 5000, .at = 16384,
	});
	EXPECT_EQ(0, RESIZE(BY_NAME, 32768, 0, &d));
	EXPECT_EQ(5000, actor_finish(&writer));
	EXPECT_EQ(21384, stream_read(self->fd, 0, 21384));
}

/* A copy that is stuck: now there is something to wait for. */
static struct actor start_stuck_writer(int fd)
{
	return actor_start_stuck((struct call) {
		.kind = CALL_WRITE, .fd = fd, .len = 10, .stuck = 1,
	});
}

TEST_F(resize, heeds_its_deadline)
{
	struct ipcx_deadline d, past = deadline_past();
	struct actor writer;
	enum form form;

	if (!uffd_exists())
		SKIP(return, "no userfaultfd");
	/* Nothing to wait for: in time, however late. */
	EXPECT_EQ(0, RESIZE(BY_FD, 8192, 0, &past));
	writer = start_stuck_writer(self->fd);
	for (form = 0; form < FORMS; form++) {
		d = ipcx_deadline_after(SHORT_NS);
		EXPECT_EQ(-ETIMEDOUT, RESIZE(form, 4096, 0, &d));
		EXPECT_LE(d.ns, now_ns(CLOCK_MONOTONIC));
		EXPECT_EQ(-ETIMEDOUT, RESIZE(form, 4096, 0, &past));
	}
	EXPECT_EQ(8192, capacity(self->fd));
	ASSERT_EQ(0, actor_unstick(&writer));
	EXPECT_EQ(10, actor_finish(&writer));
	EXPECT_EQ(0, RESIZE(BY_FD, 4096, 0, &past));
}

static void nothing(int signal)
{
	(void)signal;
}

/* A child that waits to resize; its exit status is the errno. */
static pid_t start_resize(int fd, unsigned int flags, int sa_flags)
{
	struct sigaction action = {
		.sa_handler = nothing, .sa_flags = sa_flags,
	};
	pid_t pid = fork();

	if (!pid) {
		sigaction(SIGUSR1, &action, NULL);
		_exit(-ipcx_pipe_resize(fd, 8192, flags, NULL));
	}
	if (!wait_until(pid_state(pid) == 'S' && pid_syscall(pid) == SYS_ioctl))
		abort();
	return pid;
}

TEST_F(resize, waits_and_can_be_ended)
{
	struct actor writer;
	pid_t pid;

	if (!uffd_exists())
		SKIP(return, "no userfaultfd");
	writer = start_stuck_writer(self->fd);
	pid = start_resize(self->fd, 0, 0);
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, reap(pid));
	pid = start_resize(self->fd, IPCX_NO_RESTART, SA_RESTART);
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, reap(pid));
	EXPECT_EQ(16384, capacity(self->fd));

	/* The call goes on after the handler, and a null deadline is for ever. */
	pid = start_resize(self->fd, 0, SA_RESTART);
	kill(pid, SIGUSR1);
	EXPECT_TRUE(wait_until(pid_state(pid) == 'S'));
	ASSERT_EQ(0, actor_unstick(&writer));
	EXPECT_EQ(10, actor_finish(&writer));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(8192, capacity(self->fd));

	writer = start_stuck_writer(self->fd);
	pid = start_resize(self->fd, 0, 0);
	EXPECT_EQ(0, ipcx_remove_fd(self->fd));
	EXPECT_EQ(EIDRM, reap(pid));
	actor_kill(&writer);
}

TEST_F(resize, of_a_removed_pipe)
{
	ASSERT_EQ(0, ipcx_remove_fd(self->fd));
	EXPECT_EQ(-EIDRM, RESIZE(BY_FD, 4096, 0, NULL));
	EXPECT_EQ(-EIDRM, RESIZE(BY_ID, 4096, 0, NULL));
	EXPECT_EQ(-ESTALE, ipcx_pipe_resize_id(self->dev, self->id,
					       self->cookie + 1, 4096, 0,
					       NULL));
	EXPECT_EQ(-ENOENT, RESIZE(BY_NAME, 4096, 0, NULL));
}

TEST_HARNESS_MAIN
