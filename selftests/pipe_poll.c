// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes: poll, select, epoll by level and by edge, O_ASYNC. What they say must
 * be what a transfer would find, and who sleeps in them must hear of every
 * change.
 */
#include "poll_test.h"

FIXTURE(poll) {
	int dev;
	struct ends e;
};

FIXTURE_SETUP(poll)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, 0);
	sigpipe_catch();
}

FIXTURE_TEARDOWN(poll)
{
	track_cleanup();
	ends_close(&self->e);
	close(self->dev);
}

/* State. */

TEST_F(poll, empty_pipe)
{
	int both = fd_open(self->e.r, IPCX_ACCESS_RDWR, 0);

	EXPECT_EQ(0, poll_now(self->e.r, IN_OUT));
	EXPECT_EQ(POLLOUT, poll_now(self->e.w, IN_OUT));
	EXPECT_EQ(POLLOUT, poll_now(both, IN_OUT));
	EXPECT_EQ(0, poll_now(self->e.w, POLLIN));
	EXPECT_EQ(POLLWRNORM, poll_now(self->e.w, POLLWRNORM));
	close(both);
}

TEST_F(poll, readable_from_first_byte)
{
	int both = fd_open(self->e.r, IPCX_ACCESS_RDWR, 0);

	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_EQ(POLLIN, poll_now(self->e.r, IN_OUT));
	EXPECT_EQ(POLLRDNORM, poll_now(self->e.r, POLLRDNORM));
	EXPECT_EQ(POLLOUT, poll_now(self->e.w, IN_OUT));
	EXPECT_EQ(IN_OUT, poll_now(both, IN_OUT));
	ASSERT_EQ(1, stream_read(self->e.r, 0, 1));
	EXPECT_EQ(0, poll_now(self->e.r, IN_OUT));
	EXPECT_EQ(POLLOUT, poll_now(both, IN_OUT));
	close(both);
}

/* Writable is: an atomic write of any length would fit. */
TEST_F(poll, writable_with_room_for_atomic_write)
{
	const int full = CAPACITY_DEFAULT;

	ASSERT_EQ(full - 4096, stream_write(self->e.w, 0, full - 4096));
	EXPECT_EQ(POLLOUT, poll_now(self->e.w, IN_OUT));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_EQ(0, poll_now(self->e.w, IN_OUT));
	ASSERT_EQ(4095, stream_write(self->e.w, 0, 4095));
	EXPECT_EQ(0, poll_now(self->e.w, IN_OUT));
	ASSERT_EQ(4095, stream_read(self->e.r, 0, 4095));
	EXPECT_EQ(0, poll_now(self->e.w, IN_OUT));
	ASSERT_EQ(1, stream_read(self->e.r, 4095, 1));
	EXPECT_EQ(POLLOUT, poll_now(self->e.w, IN_OUT));
}

TEST_F(poll, smallest_pipe_is_writable_when_empty)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);

	EXPECT_EQ(POLLOUT, poll_now(e.w, IN_OUT));
	ASSERT_EQ(1, stream_write(e.w, 0, 1));
	EXPECT_EQ(0, poll_now(e.w, IN_OUT));
	ASSERT_EQ(1, stream_read(e.r, 0, 1));
	EXPECT_EQ(POLLOUT, poll_now(e.w, IN_OUT));
	ends_close(&e);
}

TEST_F(poll, hangup_is_end_of_file)
{
	int late;

	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	close(self->e.w);
	EXPECT_EQ(POLLIN, POLLIN & poll_now(self->e.r, IN_OUT));
	ASSERT_EQ(1, stream_read(self->e.r, 0, 1));
	EXPECT_EQ(POLLHUP, (POLLHUP | POLLERR) & poll_now(self->e.r, IN_OUT));
	EXPECT_EQ(POLLHUP, (POLLHUP | POLLERR) & poll_now(self->e.r, 0));
	/* A reader who saw no writer has no end of file. */
	late = fd_open(self->e.r, IPCX_ACCESS_READ, 0);
	ASSERT_GE(late, 0);
	EXPECT_EQ(0, poll_now(late, IN_OUT));
	close(late);
	/* It passes. */
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(self->e.w, 0);
	EXPECT_EQ(0, poll_now(self->e.r, IN_OUT));
}

TEST_F(poll, fresh_reader_has_no_hangup)
{
	int r = pipe_create(self->dev, NULL, IPCX_LIFETIME_TRANSIENT,
			    IPCX_ACCESS_READ);

	ASSERT_GE(r, 0);
	EXPECT_EQ(0, poll_now(r, IN_OUT));
	close(r);
}

TEST_F(poll, error_is_epipe)
{
	int late;

	close(self->e.r);
	EXPECT_EQ(POLLERR, (POLLHUP | POLLERR) & poll_now(self->e.w, IN_OUT));
	EXPECT_EQ(POLLERR, (POLLHUP | POLLERR) & poll_now(self->e.w, 0));
	late = fd_open(self->e.w, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(late, 0);
	EXPECT_EQ(POLLOUT, poll_now(late, IN_OUT));
	close(late);
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
	ASSERT_GE(self->e.r, 0);
	EXPECT_EQ(POLLOUT, poll_now(self->e.w, IN_OUT));
}

TEST_F(poll, reader_and_writer_in_one)
{
	int both = fd_open(self->e.r, IPCX_ACCESS_RDWR, 0);

	ASSERT_GE(both, 0);
	ends_close(&self->e);
	EXPECT_EQ(POLLOUT, poll_now(both, IN_OUT));
	ASSERT_EQ(1, stream_write(both, 0, 1));
	EXPECT_EQ(IN_OUT, poll_now(both, IN_OUT));
	self->e = (struct ends) { both, both };
}

TEST_F(poll, holder_has_nothing)
{
	int none = fd_open(self->e.r, IPCX_ACCESS_NONE, 0);

	ASSERT_GE(none, 0);
	EXPECT_EQ(0, poll_now(none, IN_OUT));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_EQ(0, poll_now(none, IN_OUT));
	ends_close(&self->e);
	EXPECT_EQ(0, poll_now(none, IN_OUT));
	ASSERT_EQ(0, fd_remove(none));
	EXPECT_EQ(POLLHUP | POLLERR,
		  (POLLHUP | POLLERR) & poll_now(none, IN_OUT));
	self->e = (struct ends) { none, none };
}

TEST_F(poll, removed_is_hangup_and_error)
{
	int both = fd_open(self->e.r, IPCX_ACCESS_RDWR, 0);
	const short gone = POLLHUP | POLLERR;

	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	ASSERT_EQ(0, fd_remove(both));
	EXPECT_EQ(gone, gone & poll_now(self->e.r, IN_OUT));
	EXPECT_EQ(gone, gone & poll_now(self->e.w, IN_OUT));
	EXPECT_EQ(gone, gone & poll_now(both, IN_OUT));
	EXPECT_EQ(gone, gone & poll_now(both, 0));
	close(both);
}

/* select(2) calls ready whatever would not block: also what fails at once. */
TEST_F(poll, select_says_the_same)
{
	EXPECT_EQ(0, select_now(self->e.r, true));
	EXPECT_EQ(1, select_now(self->e.w, false));
	ASSERT_EQ(CAPACITY_DEFAULT,
		  stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	EXPECT_EQ(1, select_now(self->e.r, true));
	EXPECT_EQ(0, select_now(self->e.w, false));
	ASSERT_EQ(CAPACITY_DEFAULT,
		  stream_read(self->e.r, 0, CAPACITY_DEFAULT));
	EXPECT_EQ(0, select_now(self->e.r, true));
	close(self->e.w);
	EXPECT_EQ(1, select_now(self->e.r, true));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	ASSERT_EQ(CAPACITY_DEFAULT,
		  stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	close(self->e.r);
	EXPECT_EQ(1, select_now(self->e.w, false));
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
}

/* Sleepers. */

TEST_F(poll, first_byte_wakes_all_pollers)
{
	struct actor p[4];
	int i;

	for (i = 0; i < 4; i++)
		p[i] = poller_start(self->e.r, POLLIN);
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(POLLIN, actor_finish(&p[i]));
}

TEST_F(poll, last_writer_wakes_reader)
{
	struct actor a = poller_start(self->e.r, POLLIN);
	struct actor b = poller_start(self->e.r, 0);

	close(self->e.w);
	EXPECT_EQ(POLLHUP, POLLHUP & actor_finish(&a));
	EXPECT_EQ(POLLHUP, POLLHUP & actor_finish(&b));
}

TEST_F(poll, killed_writer_wakes_reader)
{
	struct actor a = poller_start(self->e.r, POLLIN);
	struct actor writer = poller_start(self->e.w, 0);

	close(self->e.w);
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&writer));
	EXPECT_EQ(POLLHUP, POLLHUP & actor_finish(&a));
}

TEST_F(poll, last_reader_wakes_writer)
{
	struct actor a, b;

	ASSERT_EQ(CAPACITY_DEFAULT,
		  stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	a = poller_start(self->e.w, POLLOUT);
	b = poller_start(self->e.w, 0);
	close(self->e.r);
	EXPECT_EQ(POLLERR, POLLERR & actor_finish(&a));
	EXPECT_EQ(POLLERR, POLLERR & actor_finish(&b));
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
}

TEST_F(poll, removal_wakes_all)
{
	int none = fd_open(self->e.r, IPCX_ACCESS_NONE, 0);
	const short gone = POLLHUP | POLLERR;
	struct actor r, w, n;

	r = poller_start(self->e.r, POLLIN);
	n = poller_start(none, 0);
	w = poller_start(self->e.w, 0);
	ASSERT_EQ(0, fd_remove(none));
	EXPECT_EQ(gone, gone & actor_finish(&r));
	EXPECT_EQ(gone, gone & actor_finish(&w));
	EXPECT_EQ(gone, gone & actor_finish(&n));
	close(none);
}

/* Whatever wakes sleeping writers, pollers hear of the first PIPE_BUF bytes. */
TEST_F(poll, room_for_atomic_write_wakes_all_writers)
{
	struct actor p[3];
	int i;

	ASSERT_EQ(CAPACITY_DEFAULT,
		  stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	for (i = 0; i < 3; i++)
		p[i] = poller_start(self->e.w, POLLOUT);
	ASSERT_EQ(4095, stream_read(self->e.r, 0, 4095));
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(actor_asleep(&p[i]));
	ASSERT_EQ(1, stream_read(self->e.r, 4095, 1));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(POLLOUT, actor_finish(&p[i]));
}

/* A long write is in the way, until it is over. */
TEST_F(poll, poller_beside_sleeping_writer)
{
	const int full = CAPACITY_DEFAULT;
	struct actor a, p;

	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	a = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = self->e.w, .len = full, .at = full,
	});
	p = poller_start(self->e.w, POLLOUT);
	EXPECT_EQ(full, stream_read(self->e.r, 0, full));
	EXPECT_EQ(full, actor_finish(&a));
	EXPECT_EQ(full, stream_read(self->e.r, full, full));
	EXPECT_EQ(POLLOUT, actor_finish(&p));
}

TEST_F(poll, bytes_by_name_wake_poller)
{
	char name[TEST_NAME_SIZE];
	struct actor p;
	int r;

	r = pipe_create(self->dev, test_name(name, "poll"),
			IPCX_LIFETIME_TRANSIENT, IPCX_ACCESS_READ);
	ASSERT_GE(r, 0);
	p = poller_start(r, POLLIN);
	ASSERT_EQ(1, ref_write(self->dev, ref_name(name), "x", 1, 0));
	EXPECT_EQ(POLLIN, actor_finish(&p));
	close(r);
}

TEST_F(poll, signal_ends_poll)
{
	struct actor p = poller_start(self->e.r, POLLIN);

	ASSERT_TRUE(actor_signal(&p));
	EXPECT_EQ(-EINTR, actor_finish(&p));
	p = poller_start(self->e.r, POLLIN);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&p));
	/* Pollers are no sleeping readers. */
	p = poller_start(self->e.r, POLLIN);
	EXPECT_TRUE(pipe_waiting(self->e.w, 0, 0));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_EQ(POLLIN, actor_finish(&p));
}

/* epoll. */

FIXTURE(epoll) {
	int dev;
	int ep;
	struct ends e;
};

FIXTURE_SETUP(epoll)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, 0);
	self->ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_GE(self->ep, 0);
	sigpipe_catch();
}

FIXTURE_TEARDOWN(epoll)
{
	close(self->ep);
	ends_close(&self->e);
	close(self->dev);
}

TEST_F(epoll, level_stays)
{
	ASSERT_EQ(0, epoll_add(self->ep, self->e.r, EPOLLIN));
	EXPECT_EQ(0, epoll_now(self->ep));
	ASSERT_EQ(2, stream_write(self->e.w, 0, 2));
	EXPECT_EQ(EPOLLIN, epoll_patiently(self->ep));
	EXPECT_EQ(EPOLLIN, epoll_now(self->ep));
	ASSERT_EQ(1, stream_read(self->e.r, 0, 1));
	EXPECT_EQ(EPOLLIN, epoll_now(self->ep));
	ASSERT_EQ(1, stream_read(self->e.r, 1, 1));
	EXPECT_EQ(0, epoll_now(self->ep));
}

TEST_F(epoll, edge_of_what_was_there)
{
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	ASSERT_EQ(0, epoll_add(self->ep, self->e.r, EPOLLIN | EPOLLET));
	EXPECT_EQ(EPOLLIN, epoll_now(self->ep));
	EXPECT_EQ(0, epoll_now(self->ep));
	ASSERT_EQ(0, epoll_add(self->ep, self->e.w, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, epoll_now(self->ep));
	EXPECT_EQ(0, epoll_now(self->ep));
}

/* Nobody reads: each write is an edge all the same. */
TEST_F(epoll, each_arrival_is_an_edge)
{
	int i;

	ASSERT_EQ(0, epoll_add(self->ep, self->e.r, EPOLLIN | EPOLLET));
	EXPECT_EQ(0, epoll_now(self->ep));
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(1, stream_write(self->e.w, i, 1));
		ASSERT_EQ(EPOLLIN, epoll_patiently(self->ep));
		ASSERT_EQ(0, epoll_now(self->ep));
	}
	EXPECT_EQ(30, stream_read(self->e.r, 0, 30));
	EXPECT_EQ(0, epoll_now(self->ep));
}

/* Also for who sleeps in epoll_wait, and also beside a poller and a reader. */
TEST_F(epoll, each_arrival_is_an_edge_for_everybody)
{
	int other = epoll_create1(EPOLL_CLOEXEC);
	int i;

	ASSERT_EQ(0, epoll_add(self->ep, self->e.r, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, epoll_add(other, self->e.r, EPOLLIN | EPOLLET));
	for (i = 0; i < 20; i++) {
		struct actor p;

		/* A second poller, that is asleep when the byte comes. */
		p = actor_start_asleep((struct call) {
			.kind = CALL_POLL, .fd = self->ep, .events = POLLIN,
		});
		ASSERT_EQ(1, stream_write(self->e.w, i, 1));
		ASSERT_EQ(POLLIN, actor_finish(&p));
		ASSERT_EQ(EPOLLIN, epoll_patiently(self->ep));
		ASSERT_EQ(EPOLLIN, epoll_patiently(other));
		ASSERT_EQ(0, epoll_now(self->ep));
		ASSERT_EQ(0, epoll_now(other));
	}
	close(other);
}

TEST_F(epoll, arrival_after_partial_read_is_an_edge)
{
	int i;

	ASSERT_EQ(0, epoll_add(self->ep, self->e.r, EPOLLIN | EPOLLET));
	ASSERT_EQ(100, stream_write(self->e.w, 0, 100));
	ASSERT_EQ(EPOLLIN, epoll_patiently(self->ep));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(5, stream_read(self->e.r, i * 5, 5));
		/* A reader who leaves something may be an edge, too. */
		epoll_now(self->ep);
		ASSERT_EQ(0, epoll_now(self->ep));
		ASSERT_EQ(1, stream_write(self->e.w, 100 + i, 1));
		ASSERT_EQ(EPOLLIN, epoll_patiently(self->ep));
		ASSERT_EQ(0, epoll_now(self->ep));
	}
}

TEST_F(epoll, room_after_full_is_an_edge)
{
	const int full = CAPACITY_DEFAULT;
	int i;

	ASSERT_EQ(0, epoll_add(self->ep, self->e.w, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, epoll_now(self->ep));
	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	EXPECT_EQ(0, epoll_now(self->ep));
	for (i = 0; i < 8; i++) {
		/* One byte less than room for an atomic write is none. */
		ASSERT_EQ(4095, stream_read(self->e.r, i * 4096, 4095));
		EXPECT_EQ(0, epoll_now(self->ep));
		ASSERT_EQ(1, stream_read(self->e.r, i * 4096 + 4095, 1));
		EXPECT_EQ(EPOLLOUT, epoll_patiently(self->ep));
		ASSERT_EQ(4096, stream_write(self->e.w, full + i * 4096, 4096));
		EXPECT_EQ(0, epoll_now(self->ep));
	}
}

/* The pipe need not have been full: a failed attempt is enough. */
TEST_F(epoll, room_after_eagain_is_an_edge)
{
	struct ends e = ends_open(self->dev, 8192);
	int i;

	ASSERT_EQ(4097, stream_write(e.w, 0, 4097));
	ASSERT_EQ(0, epoll_add(self->ep, e.w, EPOLLOUT | EPOLLET));
	EXPECT_EQ(0, epoll_now(self->ep));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(-EAGAIN, stream_write(e.w, 0, 4096));
		ASSERT_EQ(1, stream_read(e.r, i, 1));
		ASSERT_EQ(EPOLLOUT, epoll_patiently(self->ep));
		ASSERT_EQ(1, stream_write(e.w, 4097 + i, 1));
		ASSERT_EQ(0, epoll_now(self->ep));
	}
	ends_close(&e);
}

TEST_F(epoll, ends_are_edges)
{
	ASSERT_EQ(0, epoll_add(self->ep, self->e.r, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, epoll_now(self->ep));
	close(self->e.w);
	EXPECT_EQ(EPOLLHUP, EPOLLHUP & epoll_patiently(self->ep));
	EXPECT_EQ(0, epoll_now(self->ep));
	/* Again, when another writer came and went. */
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	EXPECT_EQ(0, epoll_now(self->ep));
	close(self->e.w);
	EXPECT_EQ(EPOLLHUP, EPOLLHUP & epoll_patiently(self->ep));

	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	ASSERT_EQ(0, epoll_add(self->ep, self->e.w, EPOLLET));
	ASSERT_EQ(0, epoll_ctl(self->ep, EPOLL_CTL_DEL, self->e.r, NULL));
	EXPECT_EQ(0, epoll_now(self->ep));
	close(self->e.r);
	EXPECT_EQ(EPOLLERR, EPOLLERR & epoll_patiently(self->ep));
	EXPECT_EQ(0, epoll_now(self->ep));
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
}

TEST_F(epoll, removal_is_an_edge)
{
	const uint32_t gone = EPOLLHUP | EPOLLERR;
	int none = fd_open(self->e.r, IPCX_ACCESS_NONE, 0);
	struct epoll_event ev[4];
	int i, n;

	ASSERT_EQ(0, epoll_add(self->ep, self->e.r, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, epoll_add(self->ep, self->e.w, EPOLLET));
	ASSERT_EQ(0, epoll_add(self->ep, none, EPOLLET));
	EXPECT_EQ(0, epoll_now(self->ep));
	ASSERT_EQ(0, fd_remove(none));
	n = epoll_wait(self->ep, ev, 4, PATIENCE_MS);
	EXPECT_EQ(3, n);
	for (i = 0; i < n; i++)
		EXPECT_EQ(gone, gone & ev[i].events);
	EXPECT_EQ(0, epoll_now(self->ep));
	close(none);
}

TEST_F(epoll, oneshot_is_armed_again)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT };

	ASSERT_EQ(0, epoll_add(self->ep, self->e.r, ev.events));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_EQ(EPOLLIN, epoll_patiently(self->ep));
	ASSERT_EQ(1, stream_write(self->e.w, 1, 1));
	EXPECT_EQ(0, epoll_now(self->ep));
	ASSERT_EQ(0, epoll_ctl(self->ep, EPOLL_CTL_MOD, self->e.r, &ev));
	EXPECT_EQ(EPOLLIN, epoll_now(self->ep));
}

TEST_F(epoll, nested_sets_hear)
{
	int outer = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, epoll_add(self->ep, self->e.r, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, epoll_add(outer, self->ep, EPOLLIN));
	EXPECT_EQ(0, epoll_now(outer));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_EQ(EPOLLIN, epoll_patiently(outer));
	EXPECT_EQ(EPOLLIN, epoll_now(self->ep));
	EXPECT_EQ(0, epoll_now(outer));
	close(outer);
}

TEST_F(epoll, closed_file_leaves_set)
{
	int r = fd_open(self->e.r, IPCX_ACCESS_READ, 0);

	ASSERT_GE(r, 0);
	ASSERT_EQ(0, epoll_add(self->ep, r, EPOLLIN | EPOLLET));
	close(r);
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_EQ(0, epoll_now(self->ep));
	EXPECT_EQ(1, pipe_stat(self->e.r).readers);
}

/* Waiters of whom one at a time need wake. */

static void exclusive_waiter(int fd)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);
	unsigned char byte;

	if (epoll_add(ep, fd, EPOLLIN | EPOLLEXCLUSIVE))
		_exit(1);
	for (;;) {
		int64_t events = epoll_patiently(ep);

		if (events <= 0)
			_exit(2);
		if (events & EPOLLIN)
			fd_read(fd, &byte, 1, IPCX_NONBLOCK);
		else if (events & EPOLLHUP)
			_exit(0);
	}
}

TEST_F(epoll, exclusive_waiters_miss_nothing)
{
	pid_t pid[4];
	int i;

	for (i = 0; i < 4; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			keep_only(self->e.r);
			exclusive_waiter(self->e.r);
		}
	}
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(1, stream_write(self->e.w, i, 1));
		ASSERT_TRUE(wait_until(!pipe_used(self->e.w)))
			TH_LOG("byte %d: nobody takes it", i);
	}
	ASSERT_EQ(4, stream_write(self->e.w, 0, 4));
	ASSERT_TRUE(wait_until(!pipe_used(self->e.w)));
	/* The end is everybody's. */
	close(self->e.w);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, reap(pid[i]));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

/* An epoll of its own for @fd, and somebody asleep in epoll_wait(2) there. */
static struct actor exclusive_start(int fd, uint32_t events)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct actor a;

	if (ep < 0 || epoll_add(ep, fd, events | EPOLLEXCLUSIVE))
		abort();
	a = actor_start_asleep((struct call) { .kind = CALL_EPOLL, .fd = ep });
	close(ep);
	return a;
}

/* Who sets a watch and does not read must not keep a reader asleep. */
TEST_F(epoll, exclusive_waiter_steals_no_wake)
{
	int i;

	for (i = 0; i < 10; i++) {
		struct actor p = exclusive_start(self->e.r, EPOLLIN);
		struct actor a = actor_start_asleep((struct call) {
			.kind = CALL_READ, .fd = self->e.r, .len = 1,
		});

		ASSERT_EQ(1, stream_write(self->e.w, i, 1));
		EXPECT_EQ(1, actor_finish(&a));
		actor_kill(&p);
	}
}

/* Nor must a file that could not read. */
TEST_F(epoll, holder_steals_no_wake)
{
	int none = fd_open(self->e.r, IPCX_ACCESS_NONE, 0);
	struct actor n = exclusive_start(none, EPOLLIN | EPOLLOUT);
	struct actor r = exclusive_start(self->e.r, EPOLLIN);

	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_EQ(EPOLLIN, actor_finish(&r));
	EXPECT_TRUE(actor_asleep(&n));
	ASSERT_EQ(0, fd_remove(none));
	EXPECT_EQ(EPOLLHUP | EPOLLERR,
		  (EPOLLHUP | EPOLLERR) & actor_finish(&n));
	close(none);
}

TEST_F(epoll, exclusive_waiters_hear_of_ends)
{
	struct actor p[3];
	int i;

	for (i = 0; i < 3; i++)
		p[i] = exclusive_start(self->e.r, EPOLLIN);
	close(self->e.w);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(EPOLLHUP, EPOLLHUP & actor_finish(&p[i]));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	ASSERT_EQ(CAPACITY_DEFAULT,
		  stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	for (i = 0; i < 3; i++)
		p[i] = exclusive_start(self->e.w, EPOLLOUT);
	close(self->e.r);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(EPOLLERR, EPOLLERR & actor_finish(&p[i]));
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
	for (i = 0; i < 3; i++)
		p[i] = exclusive_start(self->e.w, EPOLLOUT);
	ASSERT_EQ(0, fd_remove(self->e.r));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(EPOLLERR, EPOLLERR & actor_finish(&p[i]));
}

/* Loops as programs have them: a lost edge is a hang. */

TEST_F(epoll, edge_reader_gets_everything)
{
	static unsigned char buf[3000];
	uint64_t at = 0;
	pid_t pid;
	int ret;

	ASSERT_EQ(0, epoll_add(self->ep, self->e.r, EPOLLIN | EPOLLET));
	pid = fork();
	if (!pid) {
		keep_only(self->e.w);
		loop_writer(self->e.w, 11);
	}
	close(self->e.w);
	do {
		ASSERT_LT(0, epoll_patiently(self->ep))
			TH_LOG("no edge at byte %llu", (unsigned long long)at);
		while ((ret = fd_read(self->e.r, buf, sizeof(buf),
				      IPCX_NONBLOCK)) > 0) {
			ASSERT_TRUE(stream_is(buf, at, ret));
			at += ret;
		}
		ASSERT_TRUE(ret == 0 || ret == -EAGAIN);
	} while (ret);
	EXPECT_EQ(LOOP_BYTES, at);
	EXPECT_EQ(0, reap(pid));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

TEST_F(epoll, edge_writer_gets_everything_in)
{
	uint64_t at = 0;
	uint32_t seed = 3;
	pid_t pid;
	int ret;

	ASSERT_EQ(0, epoll_add(self->ep, self->e.w, EPOLLOUT | EPOLLET));
	pid = fork();
	if (!pid) {
		keep_only(self->e.r);
		loop_reader(self->e.r, 12);
	}
	while (at < LOOP_BYTES) {
		size_t len = random_size(&seed, 9000);

		if (len > LOOP_BYTES - at)
			len = LOOP_BYTES - at;
		ret = stream_write(self->e.w, at, len);
		if (ret == -EAGAIN) {
			ASSERT_LT(0, epoll_patiently(self->ep))
				TH_LOG("no edge at byte %llu",
				       (unsigned long long)at);
		} else {
			ASSERT_LT(0, ret);
			at += ret;
		}
	}
	close(self->e.w);
	EXPECT_EQ(0, reap(pid));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

/* With one user of a side, ready means that a transfer does not say EAGAIN. */
TEST_F(poll, readable_is_no_eagain)
{
	struct pollfd p = { .fd = self->e.r, .events = POLLIN };
	static unsigned char buf[10000];
	uint32_t seed = 5;
	uint64_t at = 0;
	pid_t pid;
	int ret;

	pid = fork();
	if (!pid) {
		keep_only(self->e.w);
		loop_writer(self->e.w, 13);
	}
	close(self->e.w);
	for (;;) {
		ASSERT_EQ(1, poll(&p, 1, PATIENCE_MS));
		ret = fd_read(self->e.r, buf, random_size(&seed, sizeof(buf)),
			      IPCX_NONBLOCK);
		ASSERT_LE(0, ret)
			TH_LOG("poll said %x at byte %llu", p.revents,
			       (unsigned long long)at);
		if (!ret)
			break;
		ASSERT_TRUE(p.revents & POLLIN);
		ASSERT_TRUE(stream_is(buf, at, ret));
		at += ret;
	}
	EXPECT_EQ(LOOP_BYTES, at);
	EXPECT_EQ(0, reap(pid));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

TEST_F(poll, writable_is_no_eagain)
{
	struct pollfd p = { .fd = self->e.w, .events = POLLOUT };
	uint32_t seed = 6;
	uint64_t at = 0;
	pid_t pid;
	int ret;

	pid = fork();
	if (!pid) {
		keep_only(self->e.r);
		loop_reader(self->e.r, 14);
	}
	while (at < LOOP_BYTES) {
		size_t len = random_size(&seed, ATOMIC_MAX);

		if (len > LOOP_BYTES - at)
			len = LOOP_BYTES - at;
		ASSERT_EQ(1, poll(&p, 1, PATIENCE_MS));
		ASSERT_EQ(POLLOUT, p.revents);
		ret = stream_write(self->e.w, at, len);
		ASSERT_EQ((int)len, ret)
			TH_LOG("at byte %llu", (unsigned long long)at);
		at += ret;
	}
	close(self->e.w);
	EXPECT_EQ(0, reap(pid));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

/* O_ASYNC. */

TEST_F(poll, async_tells_of_bytes)
{
	ASSERT_EQ(0, async_on(self->e.r));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_TRUE(wait_until(sigios > 0));
	ASSERT_EQ(1, stream_read(self->e.r, 0, 1));
	sigios = 0;
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_TRUE(wait_until(sigios > 0));
	ASSERT_EQ(0, fcntl(self->e.r, F_SETFL, 0));
	sigios = 0;
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_EQ(0, sigios);
}

TEST_F(poll, async_tells_of_room)
{
	ASSERT_EQ(CAPACITY_DEFAULT,
		  stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	ASSERT_EQ(0, async_on(self->e.w));
	ASSERT_EQ(CAPACITY_DEFAULT,
		  stream_read(self->e.r, 0, CAPACITY_DEFAULT));
	EXPECT_TRUE(wait_until(sigios > 0));
}

TEST_F(poll, async_tells_of_ends)
{
	ASSERT_EQ(0, async_on(self->e.r));
	close(self->e.w);
	EXPECT_TRUE(wait_until(sigios > 0));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	ASSERT_EQ(0, fcntl(self->e.r, F_SETFL, 0));
	ASSERT_EQ(0, async_on(self->e.w));
	close(self->e.r);
	EXPECT_TRUE(wait_until(sigios > 0));
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
}

TEST_HARNESS_MAIN
