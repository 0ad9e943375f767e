// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes under io_uring, through liburing: what read(2), write(2) and poll(2)
 * promise holds for requests too, and a request that waits can be cancelled
 * without losing a byte.
 */
#include "uring_test.h"

FIXTURE(uring) {
	int dev;
	struct ends e;
	struct io_uring ring;
	unsigned char buf[CAPACITY_DEFAULT];
	unsigned char more[CAPACITY_DEFAULT];
};

FIXTURE_SETUP(uring)
{
	int err = ring_open(&self->ring, 0);

	if (err == -ENOSYS || err == -EPERM)
		SKIP(return, "this kernel has no io_uring for us");
	ASSERT_EQ(0, err);
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, 0);
	sigpipe_catch();
	memset(self->buf, POISON, sizeof(self->buf));
	memset(self->more, POISON, sizeof(self->more));
}

FIXTURE_TEARDOWN(uring)
{
	track_cleanup();
	io_uring_queue_exit(&self->ring);
	ends_close(&self->e);
	close(self->dev);
}

/* Transfers. */

TEST_F(uring, read_takes_what_is_there)
{
	ASSERT_EQ(1000, stream_write(self->e.w, 0, 1000));
	add_read(&self->ring, 1, self->e.r, self->buf, sizeof(self->buf));
	EXPECT_EQ(1000, result(&self->ring));
	EXPECT_TRUE(stream_is(self->buf, 0, 1000));
	EXPECT_EQ(POISON, self->buf[1000]);
	EXPECT_EQ(0, pipe_used(self->e.r));
}

TEST_F(uring, write_goes_where_there_is_room)
{
	stream_fill(self->buf, 0, 5000);
	add_write(&self->ring, 1, self->e.w, self->buf, 5000);
	EXPECT_EQ(5000, result(&self->ring));
	EXPECT_EQ(5000, stream_read(self->e.r, 0, 5000));
}

TEST_F(uring, nothing_is_nothing)
{
	add_read(&self->ring, 1, self->e.r, self->buf, 0);
	EXPECT_EQ(0, result(&self->ring));
	add_write(&self->ring, 1, self->e.w, self->buf, 0);
	EXPECT_EQ(0, result(&self->ring));
	EXPECT_EQ(0, pipe_used(self->e.r));
}

TEST_F(uring, wrong_access_is_refused)
{
	add_read(&self->ring, 1, self->e.w, self->buf, 1);
	EXPECT_EQ(-EBADF, result(&self->ring));
	add_write(&self->ring, 1, self->e.r, self->buf, 1);
	EXPECT_EQ(-EBADF, result(&self->ring));
}

/* The first byte ends the wait, however many were asked for. */
TEST_F(uring, read_waits_for_bytes)
{
	int i;

	for (i = 0; i < 20; i++) {
		add_read(&self->ring, i, self->e.r, self->buf, 100);
		ASSERT_TRUE(submit(&self->ring));
		ASSERT_TRUE(ring_idle(&self->ring));
		ASSERT_EQ(1 + i, stream_write(self->e.w, i, 1 + i));
		ASSERT_EQ(1 + i, ring_wait(&self->ring).res);
		ASSERT_TRUE(stream_is(self->buf, i, 1 + i));
	}
}

TEST_F(uring, write_waits_for_room)
{
	const int full = CAPACITY_DEFAULT;
	int i;

	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	for (i = 0; i < 20; i++) {
		uint64_t at = (uint64_t)i * ATOMIC_MAX;

		stream_fill(self->buf, full + at, ATOMIC_MAX);
		add_write(&self->ring, i, self->e.w, self->buf, ATOMIC_MAX);
		ASSERT_TRUE(submit(&self->ring));
		ASSERT_TRUE(ring_idle(&self->ring));
		ASSERT_EQ(ATOMIC_MAX, stream_read(self->e.r, at, ATOMIC_MAX));
		ASSERT_EQ(ATOMIC_MAX, ring_wait(&self->ring).res);
	}
	EXPECT_EQ(full, stream_read(self->e.r, 20 * ATOMIC_MAX, full));
}

/* Up to PIPE_BUF: whole or not yet. */
TEST_F(uring, atomic_write_waits_for_all_its_room)
{
	const int full = CAPACITY_DEFAULT;

	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	stream_fill(self->buf, full, ATOMIC_MAX);
	add_write(&self->ring, 1, self->e.w, self->buf, ATOMIC_MAX);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_EQ(ATOMIC_MAX - 1, stream_read(self->e.r, 0, ATOMIC_MAX - 1));
	EXPECT_TRUE(ring_idle(&self->ring));
	EXPECT_EQ(full - ATOMIC_MAX + 1, pipe_used(self->e.r));
	ASSERT_EQ(1, stream_read(self->e.r, ATOMIC_MAX - 1, 1));
	EXPECT_EQ(ATOMIC_MAX, ring_wait(&self->ring).res);
	EXPECT_EQ(full, stream_read(self->e.r, ATOMIC_MAX, full));
}

static int resize(int fd, uint64_t bytes)
{
	struct ipcx_resize arg = {
		.bytes = bytes, .deadline = deadline_patience(),
	};

	return ipc_ioctl(fd, IPCX_IOC_RESIZE, &arg);
}

TEST_F(uring, write_goes_on_when_the_pipe_grows)
{
	const int full = CAPACITY_DEFAULT;

	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	stream_fill(self->buf, full, full);
	add_write(&self->ring, 1, self->e.w, self->buf, full);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	ASSERT_EQ(0, resize(self->e.w, 2 * full));
	EXPECT_EQ(full, ring_wait(&self->ring).res);
	EXPECT_EQ(2 * full, stream_read(self->e.r, 0, 2 * full));
}

TEST_F(uring, vectors)
{
	struct iovec out[] = {
		{ .iov_base = self->buf, .iov_len = 1 },
		{ .iov_base = self->buf, .iov_len = 0 },
		{ .iov_base = self->buf + 1, .iov_len = 2999 },
	};
	struct iovec in[] = {
		{ .iov_base = self->more + 100, .iov_len = 2000 },
		{ .iov_base = self->more, .iov_len = 0 },
		{ .iov_base = self->more + 2100, .iov_len = 5000 },
	};
	struct io_uring_sqe *sqe;

	stream_fill(self->buf, 0, 3000);
	sqe = ring_sqe(&self->ring, 1);
	io_uring_prep_readv(sqe, self->e.r, in, 3, NO_OFFSET);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	sqe = ring_sqe(&self->ring, 2);
	io_uring_prep_writev(sqe, self->e.w, out, 3, NO_OFFSET);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	ASSERT_EQ(3000, result(&self->ring));
	EXPECT_TRUE(stream_is(self->more + 100, 0, 3000));
	EXPECT_EQ(POISON, self->more[99]);
	EXPECT_EQ(POISON, self->more[3100]);
}

TEST_F(uring, fixed_buffers)
{
	struct iovec iov[] = {
		{ .iov_base = self->buf, .iov_len = sizeof(self->buf) },
		{ .iov_base = self->more, .iov_len = sizeof(self->more) },
	};
	struct io_uring_sqe *sqe;

	ASSERT_EQ(0, io_uring_register_buffers(&self->ring, iov, 2));
	stream_fill(self->buf, 0, sizeof(self->buf));
	sqe = ring_sqe(&self->ring, 1);
	io_uring_prep_read_fixed(sqe, self->e.r, self->more + 50, 9000, NO_OFFSET, 1);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	sqe = ring_sqe(&self->ring, 2);
	io_uring_prep_write_fixed(sqe, self->e.w, self->buf + 7, 9000, NO_OFFSET, 0);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	ASSERT_EQ(9000, result(&self->ring));
	EXPECT_TRUE(stream_is(self->more + 50, 7, 9000));
	EXPECT_EQ(POISON, self->more[49]);
	EXPECT_EQ(POISON, self->more[9050]);
	/* All around the ring of bytes, and one that waits. */
	sqe = ring_sqe(&self->ring, 3);
	io_uring_prep_write_fixed(sqe, self->e.w, self->buf, CAPACITY_DEFAULT, NO_OFFSET, 0);
	ASSERT_EQ(CAPACITY_DEFAULT, result(&self->ring));
	sqe = ring_sqe(&self->ring, 4);
	io_uring_prep_write_fixed(sqe, self->e.w, self->buf + 3, ATOMIC_MAX, NO_OFFSET, 0);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	ASSERT_EQ(CAPACITY_DEFAULT, stream_read(self->e.r, 0, CAPACITY_DEFAULT));
	EXPECT_EQ(ATOMIC_MAX, ring_wait(&self->ring).res);
	EXPECT_EQ(ATOMIC_MAX, stream_read(self->e.r, 3, ATOMIC_MAX));
}

TEST_F(uring, registered_files)
{
	int fds[2] = { self->e.r, self->e.w };

	ASSERT_EQ(0, io_uring_register_files(&self->ring, fds, 2));
	add_read(&self->ring, 1, 0, self->more, 100)->flags |= IOSQE_FIXED_FILE;
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	stream_fill(self->buf, 0, 100);
	add_write(&self->ring, 2, 1, self->buf, 100)->flags |=
		IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
	EXPECT_EQ(100, result(&self->ring));
	EXPECT_TRUE(stream_is(self->more, 0, 100));
}

/* Asked to go asynchronously a request does the same. */
TEST_F(uring, forced_async)
{
	add_read(&self->ring, 1, self->e.r, self->buf, 100)->flags |= IOSQE_ASYNC;
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_EQ(30, stream_write(self->e.w, 0, 30));
	EXPECT_EQ(30, ring_wait(&self->ring).res);
	EXPECT_TRUE(stream_is(self->buf, 0, 30));
	stream_fill(self->buf, 0, 5000);
	add_write(&self->ring, 2, self->e.w, self->buf, 5000)->flags |= IOSQE_ASYNC;
	EXPECT_EQ(5000, result(&self->ring));
	EXPECT_EQ(5000, stream_read(self->e.r, 0, 5000));
}

TEST_F(uring, linked_requests_keep_their_order)
{
	unsigned char *p = self->buf;
	unsigned int i;

	stream_fill(p, 0, 8 * 700);
	for (i = 0; i < 8; i++)
		add_write(&self->ring, i, self->e.w, p + i * 700, 700)->flags |=
			i < 7 ? IOSQE_IO_LINK : 0;
	ASSERT_TRUE(submit(&self->ring));
	for (i = 0; i < 8; i++) {
		struct done d = ring_wait(&self->ring);

		EXPECT_EQ(700, d.res);
		EXPECT_EQ(i, d.tag);
	}
	for (i = 0; i < 8; i++)
		add_read(&self->ring, i, self->e.r, self->more + i * 700, 700)->flags |=
			i < 7 ? IOSQE_IO_LINK : 0;
	ASSERT_TRUE(submit(&self->ring));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(700, ring_wait(&self->ring).res);
	EXPECT_TRUE(stream_is(self->more, 0, 8 * 700));
}

/* What one pipe gives is sent on by the request behind it. */
TEST_F(uring, read_and_write_in_a_chain)
{
	struct ends next = ends_open(self->dev, 0);
	struct done d[2];

	add_read(&self->ring, 0, self->e.r, self->buf, 10)->flags |= IOSQE_IO_LINK;
	add_write(&self->ring, 1, next.w, self->buf, 10);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	EXPECT_EQ(0, pipe_used(next.r));
	ASSERT_EQ(10, stream_write(self->e.w, 0, 10));
	ASSERT_TRUE(ring_wait_two(&self->ring, d));
	EXPECT_EQ(10, d[0].res);
	EXPECT_EQ(10, d[1].res);
	EXPECT_EQ(10, stream_read(next.r, 0, 10));
	ends_close(&next);
}

/* Not waiting. */

/* Whether a read of an empty pipe waits, and what it gets if not; its tag is 9. */
static int read_of_nothing(struct io_uring *ring, int fd, void *buf)
{
	add_read(ring, 9, fd, buf, 10);
	if (!submit(ring))
		return HUNG;
	return ring_idle(ring) ? 0 : ring_wait(ring).res;
}

/* io_uring may have its own mind about O_NONBLOCK: then as with pipe(2). */
TEST_F(uring, nonblocking_file_is_as_that_of_pipe)
{
	int r = fd_open(self->e.r, IPCX_ACCESS_READ, IPCX_NONBLOCK);
	int peer[2], expected;

	ASSERT_GE(r, 0);
	ASSERT_EQ(0, pipe2(peer, O_CLOEXEC | O_NONBLOCK));
	expected = read_of_nothing(&self->ring, peer[0], self->more);
	EXPECT_EQ(expected, read_of_nothing(&self->ring, r, self->buf));
	ASSERT_EQ(10, stream_write(self->e.w, 0, 10));
	if (expected) {
		EXPECT_EQ(10, stream_read(r, 0, 10));
	} else {
		EXPECT_EQ(10, ring_wait(&self->ring).res);
	}
	/* What moves some is over in both cases. */
	stream_fill(self->buf, 0, sizeof(self->buf));
	ASSERT_EQ(5000, stream_write(self->e.w, 0, 5000));
	add_write(&self->ring, 1, self->e.w, self->buf, sizeof(self->buf));
	EXPECT_EQ(CAPACITY_DEFAULT - 5000, result(&self->ring));
	close(r);
	close(peer[0]);
	close(peer[1]);
}

TEST_F(uring, nowait_flag)
{
	struct iovec iov = { .iov_base = self->buf, .iov_len = 10 };
	struct io_uring_sqe *sqe;

	sqe = ring_sqe(&self->ring, 1);
	io_uring_prep_readv2(sqe, self->e.r, &iov, 1, NO_OFFSET, RWF_NOWAIT);
	EXPECT_EQ(-EAGAIN, result(&self->ring));
	ASSERT_EQ(5, stream_write(self->e.w, 0, 5));
	sqe = ring_sqe(&self->ring, 2);
	io_uring_prep_readv2(sqe, self->e.r, &iov, 1, NO_OFFSET, RWF_NOWAIT);
	EXPECT_EQ(5, result(&self->ring));
	EXPECT_TRUE(stream_is(self->buf, 0, 5));
	ASSERT_EQ(CAPACITY_DEFAULT, stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	sqe = ring_sqe(&self->ring, 3);
	io_uring_prep_writev2(sqe, self->e.w, &iov, 1, NO_OFFSET, RWF_NOWAIT);
	EXPECT_EQ(-EAGAIN, result(&self->ring));
}

/* Bad buffers. */

TEST_F(uring, bad_buffer_loses_nothing)
{
	unsigned char *hole = holed_buffer(1, 0);

	add_read(&self->ring, 1, self->e.r, hole, 100);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	ASSERT_EQ(100, stream_write(self->e.w, 0, 100));
	EXPECT_EQ(-EFAULT, ring_wait(&self->ring).res);
	EXPECT_EQ(100, pipe_used(self->e.r));
	add_read(&self->ring, 2, self->e.r, hole, 100);
	EXPECT_EQ(-EFAULT, result(&self->ring));
	add_write(&self->ring, 3, self->e.w, hole, 100);
	EXPECT_EQ(-EFAULT, result(&self->ring));
	EXPECT_EQ(100, stream_read(self->e.r, 0, 100));
	EXPECT_EQ(0, pipe_used(self->e.r));
	holed_free(hole, 1);
}

/* Poll. */

TEST_F(uring, poll_tells_what_is)
{
	add_poll(&self->ring, 1, self->e.w, POLLIN | POLLOUT, false);
	EXPECT_EQ(POLLOUT, result(&self->ring));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	add_poll(&self->ring, 2, self->e.r, POLLIN | POLLOUT, false);
	EXPECT_EQ(POLLIN, result(&self->ring));
}

TEST_F(uring, poll_waits)
{
	const int full = CAPACITY_DEFAULT;

	add_poll(&self->ring, 1, self->e.r, POLLIN, false);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	EXPECT_EQ(POLLIN, ring_wait(&self->ring).res);
	add_poll(&self->ring, 2, self->e.w, POLLOUT, false);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	ASSERT_EQ(full, stream_read(self->e.r, 0, full));
	EXPECT_EQ(POLLOUT, ring_wait(&self->ring).res);
}

TEST_F(uring, poll_hears_of_ends)
{
	struct done d[2];

	ASSERT_EQ(CAPACITY_DEFAULT, stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	add_poll(&self->ring, 1, self->e.w, POLLOUT, false);
	ASSERT_TRUE(submit(&self->ring));
	close(self->e.r);
	EXPECT_EQ(POLLERR, POLLERR & ring_wait(&self->ring).res);
	ends_close(&self->e);
	self->e = ends_open(self->dev, 0);
	add_poll(&self->ring, 1, self->e.r, POLLIN, false);
	ASSERT_TRUE(submit(&self->ring));
	close(self->e.w);
	EXPECT_EQ(POLLHUP, POLLHUP & ring_wait(&self->ring).res);
	ends_close(&self->e);
	self->e = ends_open(self->dev, 0);
	add_poll(&self->ring, 0, self->e.r, POLLIN, false);
	add_poll(&self->ring, 1, self->e.w, POLLIN, false);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	ASSERT_EQ(0, fd_remove(self->e.r));
	ASSERT_TRUE(ring_wait_two(&self->ring, d));
	EXPECT_EQ(POLLHUP | POLLERR, (POLLHUP | POLLERR) & d[0].res);
	EXPECT_EQ(POLLHUP | POLLERR, (POLLHUP | POLLERR) & d[1].res);
}

/* Armed once, it tells of each arrival, and of the end. */
TEST_F(uring, multishot_poll_tells_of_each_arrival)
{
	struct done d;
	int i;

	add_poll(&self->ring, 1, self->e.r, POLLIN, true);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(1, stream_write(self->e.w, i, 1));
		d = ring_wait(&self->ring);
		ASSERT_EQ(POLLIN, d.res)
			TH_LOG("arrival %d", i);
		ASSERT_TRUE(d.flags & IORING_CQE_F_MORE);
		ASSERT_TRUE(ring_idle(&self->ring));
		/* Whether what was there has been taken, or not. */
		if (i % 2)
			ASSERT_EQ(2, stream_read(self->e.r, i - 1, 2));
	}
	close(self->e.w);
	EXPECT_EQ(POLLHUP, POLLHUP & ring_wait(&self->ring).res);
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

TEST_F(uring, poll_is_removed)
{
	struct io_uring_sqe *sqe;
	struct done d[2];

	add_poll(&self->ring, 0, self->e.r, POLLIN, true);
	ASSERT_TRUE(submit(&self->ring));
	sqe = ring_sqe(&self->ring, 0);
	io_uring_prep_poll_remove(sqe, 0);
	sqe->user_data = 1;
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_wait_two(&self->ring, d));
	EXPECT_EQ(-ECANCELED, d[0].res);
	EXPECT_EQ(0, d[1].res);
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_TRUE(ring_idle(&self->ring));
}

/* Cancelling. */

TEST_F(uring, cancelled_read_takes_nothing)
{
	const unsigned int flags[] = { 0, IOSQE_ASYNC };
	struct done d[2];
	int i;

	for (i = 0; i < 2; i++) {
		add_read(&self->ring, 0, self->e.r, self->buf, 10)->flags |= flags[i];
		ASSERT_TRUE(submit(&self->ring));
		add_cancel(&self->ring, 1, 0);
		ASSERT_TRUE(submit(&self->ring));
		ASSERT_TRUE(ring_wait_two(&self->ring, d));
		/* One that is found in a worker's hands ends as by a signal. */
		if (d[1].res != -EALREADY || d[0].res != -EINTR)
			EXPECT_EQ(-ECANCELED, d[0].res);
		ASSERT_EQ(10, stream_write(self->e.w, 0, 10));
		EXPECT_TRUE(ring_idle(&self->ring));
		EXPECT_EQ(10, stream_read(self->e.r, 0, 10));
		EXPECT_EQ(POISON, self->buf[0]);
	}
}

TEST_F(uring, cancelled_write_puts_nothing)
{
	const int full = CAPACITY_DEFAULT;
	struct done d[2];

	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	add_write(&self->ring, 0, self->e.w, self->buf, 100);
	ASSERT_TRUE(submit(&self->ring));
	add_cancel(&self->ring, 1, 0);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_wait_two(&self->ring, d));
	EXPECT_EQ(-ECANCELED, d[0].res);
	EXPECT_EQ(0, d[1].res);
	EXPECT_EQ(full, stream_read(self->e.r, 0, full));
	EXPECT_EQ(0, pipe_used(self->e.r));
	EXPECT_TRUE(ring_idle(&self->ring));
}

#define RACES	300

/* One byte each time it is told to. */
static void racing_writer(int fd, struct baton *go)
{
	int i;

	for (i = 0; i < RACES; i++) {
		if (!baton_take(go) || stream_write(fd, i, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

/* A cancel that meets the byte: it was read, or it is still there. */
TEST_F(uring, cancel_in_the_moment_of_arrival)
{
	struct done d[2];
	struct baton go;
	pid_t pid;
	int i;

	ASSERT_EQ(0, baton_init(&go));
	pid = fork();
	if (!pid)
		racing_writer(self->e.w, &go);
	for (i = 0; i < RACES; i++) {
		add_read(&self->ring, 0, self->e.r, self->buf, 10);
		ASSERT_TRUE(submit(&self->ring));
		baton_give(&go);
		if (i % 3 == 1)
			sched_yield();
		else if (i % 3 == 2)
			wait_until(pipe_stat(self->e.r).last_writer_pid == pid);
		add_cancel(&self->ring, 1, 0);
		ASSERT_TRUE(submit(&self->ring));
		ASSERT_TRUE(ring_wait_two(&self->ring, d));
		if (d[0].res == 1) {
			ASSERT_TRUE(stream_is(self->buf, i, 1));
		} else {
			ASSERT_EQ(-ECANCELED, d[0].res)
				TH_LOG("round %d", i);
			ASSERT_TRUE(wait_until(pipe_used(self->e.r) == 1))
				TH_LOG("round %d: the byte is lost", i);
			ASSERT_EQ(1, stream_read(self->e.r, i, 1));
		}
		ASSERT_EQ(0, pipe_used(self->e.r));
	}
	EXPECT_EQ(0, reap(pid));
}

TEST_F(uring, linked_timeout_ends_the_wait)
{
	struct __kernel_timespec soon = { .tv_nsec = 20000000 };
	struct __kernel_timespec late = { .tv_sec = 1000 };
	struct io_uring_sqe *sqe;
	struct done d[2];

	add_read(&self->ring, 0, self->e.r, self->buf, 10)->flags |= IOSQE_IO_LINK;
	sqe = ring_sqe(&self->ring, 0);
	io_uring_prep_link_timeout(sqe, &soon, 0);
	sqe->user_data = 1;
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_wait_two(&self->ring, d));
	EXPECT_EQ(-ECANCELED, d[0].res);
	EXPECT_EQ(-ETIME, d[1].res);
	ASSERT_EQ(10, stream_write(self->e.w, 0, 10));
	EXPECT_EQ(10, stream_read(self->e.r, 0, 10));

	add_read(&self->ring, 0, self->e.r, self->buf, 10)->flags |= IOSQE_IO_LINK;
	sqe = ring_sqe(&self->ring, 0);
	io_uring_prep_link_timeout(sqe, &late, 0);
	sqe->user_data = 1;
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_EQ(10, stream_write(self->e.w, 0, 10));
	ASSERT_TRUE(ring_wait_two(&self->ring, d));
	EXPECT_EQ(10, d[0].res);
	EXPECT_EQ(-ECANCELED, d[1].res);
	EXPECT_TRUE(stream_is(self->buf, 0, 10));
}

/* Ends. */

TEST_F(uring, last_writer_ends_a_waiting_read)
{
	int late;

	add_read(&self->ring, 1, self->e.r, self->buf, 10);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	close(self->e.w);
	EXPECT_EQ(0, ring_wait(&self->ring).res);
	add_read(&self->ring, 2, self->e.r, self->buf, 10);
	EXPECT_EQ(0, result(&self->ring));
	/* Who has seen no writer waits for one. */
	late = fd_open(self->e.r, IPCX_ACCESS_READ, 0);
	ASSERT_GE(late, 0);
	add_read(&self->ring, 3, late, self->buf, 10);
	ASSERT_TRUE(submit(&self->ring));
	EXPECT_TRUE(ring_idle(&self->ring));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	ASSERT_EQ(4, stream_write(self->e.w, 0, 4));
	EXPECT_EQ(4, ring_wait(&self->ring).res);
	close(late);
}

TEST_F(uring, last_reader_ends_a_waiting_write)
{
	ASSERT_EQ(CAPACITY_DEFAULT, stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	add_write(&self->ring, 1, self->e.w, self->buf, 10);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	close(self->e.r);
	EXPECT_EQ(-EPIPE, ring_wait(&self->ring).res);
	add_write(&self->ring, 2, self->e.w, self->buf, 10);
	EXPECT_EQ(-EPIPE, result(&self->ring));
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
}

TEST_F(uring, removal_ends_what_waits)
{
	struct ends full = ends_open(self->dev, 0);
	struct done d[2];

	ASSERT_EQ(CAPACITY_DEFAULT, stream_write(full.w, 0, CAPACITY_DEFAULT));
	add_read(&self->ring, 0, self->e.r, self->buf, 10);
	add_write(&self->ring, 1, full.w, self->buf, 10);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	ASSERT_EQ(0, fd_remove(self->e.r));
	ASSERT_EQ(0, fd_remove(full.w));
	ASSERT_TRUE(ring_wait_two(&self->ring, d));
	EXPECT_EQ(-EIDRM, d[0].res);
	EXPECT_EQ(-EIDRM, d[1].res);
	add_read(&self->ring, 2, full.r, self->buf, 10);
	EXPECT_EQ(-EIDRM, result(&self->ring));
	add_write(&self->ring, 3, self->e.w, self->buf, 10);
	EXPECT_EQ(-EIDRM, result(&self->ring));
	ends_close(&full);
}

/* A request holds its file: closing the descriptor changes nothing for it. */
TEST_F(uring, closed_descriptor_with_a_waiting_read)
{
	add_read(&self->ring, 1, self->e.r, self->buf, 10);
	ASSERT_TRUE(submit(&self->ring));
	close(self->e.r);
	EXPECT_EQ(1, pipe_stat(self->e.w).readers);
	EXPECT_EQ(10, stream_write(self->e.w, 0, 10));
	EXPECT_EQ(10, ring_wait(&self->ring).res);
	EXPECT_TRUE(stream_is(self->buf, 0, 10));
	/* That was the last of the reading side. */
	EXPECT_TRUE(wait_until(plain_write(self->e.w, "x", 1) == -EPIPE));
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
}

static bool objects_are(int dev, uint64_t objects)
{
	struct ipcx_query q;

	return !dev_query(dev, &q) && q.user.objects == objects;
}

/* Its requests end with a process, as its files do. */
TEST_F(uring, killed_process_with_requests)
{
	struct ends out = ends_open(self->dev, 0);
	struct ipcx_query before;
	struct baton ready;
	pid_t pid;
	int i;

	ASSERT_EQ(0, baton_init(&ready));
	ASSERT_EQ(0, dev_query(self->dev, &before));
	pid = fork();
	if (!pid) {
		struct ends own = ends_open(self->dev, 0);
		struct io_uring ring;

		/* The parent's ring is the parent's. */
		close(self->e.w);
		close(out.r);
		if (ring_open(&ring, 0) ||
		    stream_write(out.w, 0, CAPACITY_DEFAULT) != CAPACITY_DEFAULT)
			_exit(1);
		for (i = 0; i < 10; i++) {
			add_read(&ring, i, self->e.r, self->buf, 10);
			add_write(&ring, i, out.w, self->buf, 10);
			add_read(&ring, i, own.r, self->buf, 10);
			add_poll(&ring, i, out.w, POLLOUT, true);
		}
		if (!submit(&ring) || !ring_idle(&ring))
			_exit(2);
		baton_give(&ready);
		pause();
	}
	close(self->e.r);
	close(out.w);
	ASSERT_TRUE(baton_take(&ready));
	EXPECT_FALSE(objects_are(self->dev, before.user.objects));
	EXPECT_EQ(1, stream_write(self->e.w, 0, 1));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, reap(pid));
	/* A ring that dies is taken down behind the process's back. */
	EXPECT_TRUE(wait_until(plain_write(self->e.w, "x", 1) == -EPIPE));
	EXPECT_EQ(CAPACITY_DEFAULT, stream_read(out.r, 0, CAPACITY_DEFAULT));
	EXPECT_TRUE(wait_until(plain_read(out.r, self->buf, 1) == 0));
	EXPECT_TRUE(wait_until(objects_are(self->dev, before.user.objects)));
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
	out.w = fd_open(out.r, IPCX_ACCESS_WRITE, 0);
	ends_close(&out);
}

/* Beside others. */

/* A request that waits does not have the side: others are served. */
TEST_F(uring, waiting_request_is_in_nobodys_way)
{
	struct actor a;

	add_read(&self->ring, 1, self->e.r, self->buf, 1);
	ASSERT_TRUE(submit(&self->ring));
	a = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = self->e.r, .len = 1,
	});
	ASSERT_EQ(2, stream_write(self->e.w, 0, 2));
	EXPECT_EQ(1, ring_wait(&self->ring).res);
	EXPECT_EQ(1, actor_finish(&a));
	EXPECT_EQ(0, pipe_used(self->e.r));
}

TEST_F(uring, each_of_many_waiting_reads_gets_a_byte)
{
	unsigned char sent[32];
	bool seen[256] = { false };
	int i;

	for (i = 0; i < 32; i++) {
		sent[i] = 64 + i;
		add_read(&self->ring, i, self->e.r, self->buf + i, 1);
	}
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	ASSERT_EQ(32, fd_write(self->e.w, sent, 32, IPCX_NONBLOCK));
	for (i = 0; i < 32; i++) {
		struct done d = ring_wait(&self->ring);

		ASSERT_EQ(1, d.res);
		EXPECT_FALSE(seen[self->buf[d.tag]]);
		seen[self->buf[d.tag]] = true;
	}
	for (i = 0; i < 32; i++)
		EXPECT_TRUE(seen[sent[i]]);
}

/*
 * Many in flight on both sides. Each write is an atomic record; the order of
 * requests that are in flight together is nobody's promise.
 */

#define RECORDS		4000
#define IN_FLIGHT	16
#define RECORD_BYTES	256
#define READ_RECORDS	5

struct record {
	uint32_t number;
	unsigned char rest[RECORD_BYTES - sizeof(uint32_t)];
};

static void add_record(struct io_uring *ring, int fd, struct record *records,
		       unsigned int slot, uint32_t number)
{
	records[slot].number = number;
	stream_fill(records[slot].rest, number, sizeof(records[slot].rest));
	add_write(ring, slot, fd, &records[slot], RECORD_BYTES);
}

static void record_writer(int fd, unsigned int flags)
{
	static struct record records[IN_FLIGHT];
	uint32_t next = 0, over = 0;
	struct io_uring ring;

	if (ring_open(&ring, flags))
		_exit(1);
	while (next < IN_FLIGHT)
		add_record(&ring, fd, records, next, next), next++;
	while (over < RECORDS) {
		struct done d;

		if (!submit(&ring))
			_exit(2);
		d = ring_wait(&ring);
		if (d.res != RECORD_BYTES)
			_exit(3);
		over++;
		if (next < RECORDS)
			add_record(&ring, fd, records, d.tag, next++);
	}
	io_uring_queue_exit(&ring);
	_exit(0);
}

/* How many records of @buf are new and right; -1 if one is neither. */
static int records_check(const struct record *buf, int count, bool *seen)
{
	int i;

	for (i = 0; i < count; i++) {
		uint32_t n = buf[i].number;

		if (n >= RECORDS || seen[n] ||
		    !stream_is(buf[i].rest, n, sizeof(buf[i].rest)))
			return -1;
		seen[n] = true;
	}
	return count;
}

/* Reads until each of the IN_FLIGHT requests has seen the end. */
static int records_read(struct io_uring *ring, int fd)
{
	static struct record bufs[IN_FLIGHT][READ_RECORDS];
	static bool seen[RECORDS];
	int i, ends = 0, records = 0;

	for (i = 0; i < IN_FLIGHT; i++)
		add_read(ring, i, fd, bufs[i], sizeof(bufs[i]));
	while (ends < IN_FLIGHT) {
		struct done d;

		if (!submit(ring))
			return -1;
		d = ring_wait(ring);
		if (d.res == 0) {
			ends++;
			continue;
		}
		if (d.res < 0 || d.res % RECORD_BYTES ||
		    records_check(bufs[d.tag], d.res / RECORD_BYTES, seen) < 0) {
			fprintf(stderr, "# a read of %d bytes is wrong\n", d.res);
			return -1;
		}
		records += d.res / RECORD_BYTES;
		add_read(ring, d.tag, fd, bufs[d.tag], sizeof(bufs[d.tag]));
	}
	return records;
}

TEST_F(uring, many_in_flight_on_both_sides)
{
	pid_t pid = fork();

	if (!pid) {
		keep_only(self->e.w);
		record_writer(self->e.w, 0);
	}
	close(self->e.w);
	EXPECT_EQ(RECORDS, records_read(&self->ring, self->e.r));
	EXPECT_EQ(0, reap(pid));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

/* The kernel's own thread submits, and what it does is ours. */
TEST_F(uring, submission_by_the_kernels_thread)
{
	struct io_uring ring;
	int err = ring_open(&ring, IORING_SETUP_SQPOLL);
	pid_t pid;

	if (err == -EPERM || err == -EACCES)
		SKIP(return, "no thread to submit for us is allowed");
	ASSERT_EQ(0, err);
	pid = fork();
	if (!pid) {
		keep_only(self->e.w);
		record_writer(self->e.w, IORING_SETUP_SQPOLL);
	}
	close(self->e.w);
	EXPECT_EQ(RECORDS, records_read(&ring, self->e.r));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(getpid(), pipe_stat(self->e.r).last_reader_pid);
	io_uring_queue_exit(&ring);
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

/* One request at a time is a stream, whatever the sizes. */

#define STREAM_BYTES	1000000

static void stream_reader(int fd)
{
	static unsigned char buf[3 * CAPACITY_DEFAULT];
	uint32_t seed = 4;
	uint64_t at = 0;

	for (;;) {
		ssize_t ret = plain_read(fd, buf, random_size(&seed, sizeof(buf)));

		if (ret == 0)
			_exit(at == STREAM_BYTES ? 0 : 1);
		if (ret < 0 || !stream_is(buf, at, ret))
			_exit(2);
		at += ret;
	}
}

TEST_F(uring, stream_of_writes)
{
	size_t max = 3 * CAPACITY_DEFAULT;
	unsigned char *buf = malloc(max);
	uint32_t seed = 7;
	uint64_t at = 0;
	pid_t pid;

	pid = fork();
	if (!pid) {
		keep_only(self->e.r);
		stream_reader(self->e.r);
	}
	close(self->e.r);
	while (at < STREAM_BYTES) {
		size_t len = random_size(&seed, max);
		int ret;

		if (len > STREAM_BYTES - at)
			len = STREAM_BYTES - at;
		stream_fill(buf, at, len);
		add_write(&self->ring, 1, self->e.w, buf, len);
		ret = result(&self->ring);
		ASSERT_LT(0, ret);
		ASSERT_TRUE(len > ATOMIC_MAX || ret == (int)len);
		at += ret;
	}
	close(self->e.w);
	EXPECT_EQ(0, reap(pid));
	self->e = ends_open(self->dev, 0);
	free(buf);
}

TEST_HARNESS_MAIN
