// SPDX-License-Identifier: GPL-2.0
/*
 * Queues: poll, select, epoll, O_ASYNC, NOTIFY and io_uring. What they say is what a
 * transfer through the same file would find, and who sleeps in them hears of every
 * change, but not of messages that his file does not select.
 */
#include "poll_test.h"
#include "queue_test.h"
#include "uring_test.h"

#include <pthread.h>

#define GONE		(POLLHUP | POLLERR)
#define MSGS		100	/* limits of the queue */
#define BYTES		10000

/*
 * @fd: for both ways, selects any
 * @r:  for reading, selects type 2
 * @w:  for writing
 */
struct files {
	int dev;
	int fd;
	int r;
	int w;
};

static struct files files_open(void)
{
	struct files f = { .dev = dev_open() };

	f.fd = queue_new(f.dev, MSGS, BYTES);
	f.r = fd_open(f.fd, IPCX_ACCESS_READ, 0);
	f.w = fd_open(f.fd, IPCX_ACCESS_WRITE, 0);
	if (f.r < 0 || f.w < 0 || queue_file(f.r, select_exact(2), 0, 0))
		abort();
	return f;
}

static void files_close(struct files *f)
{
	track_cleanup();
	close(f->w);
	close(f->r);
	close(f->fd);
	close(f->dev);
}

/* Purges all messages, and leaves less than a message of 4096 bytes needs. */
static int nearly_fill(int fd)
{
	queue_purge(fd, select_any());
	return queue_put(fd, 1, 0, BYTES - 4095);
}

static struct actor sender(int fd, size_t len)
{
	return queue_actor_asleep((struct queue_call) {
		.command = IPCX_IOC_SEND, .fd = fd, .type = 1, .len = len,
	});
}

static struct actor receiver(int fd, struct ipcx_select select)
{
	return queue_actor_asleep((struct queue_call) {
		.command = IPCX_IOC_RECV, .fd = fd, .select = select, .len = 100,
	});
}

static struct actor stuck_reader(int fd)
{
	return actor_start_stuck((struct call) {
		.kind = CALL_READ, .fd = fd, .len = 10, .stuck = 1,
	});
}

FIXTURE(poll) {
	struct files f;
};

FIXTURE_SETUP(poll)
{
	self->f = files_open();
}

FIXTURE_TEARDOWN(poll)
{
	files_close(&self->f);
}

/* State. */

TEST_F(poll, empty_queue)
{
	EXPECT_EQ(POLLOUT, poll_now(self->f.fd, IN_OUT));
	EXPECT_EQ(0, poll_now(self->f.r, IN_OUT));
	EXPECT_EQ(POLLOUT, poll_now(self->f.w, IN_OUT));
	EXPECT_EQ(POLLWRNORM, poll_now(self->f.w, POLLWRNORM));
	EXPECT_EQ(0, poll_now(self->f.w, POLLIN));
}

TEST_F(poll, each_file_sees_what_it_selects)
{
	const struct ipcx_select selects[] = {
		select_any(), select_exact(3), select_except(3), select_range(3, 5),
	};
	const uint64_t types[] = { 1, 3, 5, IPCX_MSG_TYPE_MAX };
	const bool sees[4][4] = {
		{ true, true, true, true }, { false, true, false, false },
		{ true, false, true, true }, { false, true, true, false },
	};
	int i, k;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(1, queue_put(self->f.fd, types[i], i, 1));
		for (k = 0; k < 4; k++) {
			ASSERT_EQ(0, queue_file(self->f.r, selects[k], 0, 0));
			EXPECT_EQ(sees[k][i] ? POLLIN : 0, poll_now(self->f.r, IN_OUT))
				TH_LOG("type %d, selector %d", i, k);
			EXPECT_EQ(sees[k][i], fionread(self->f.r));
		}
		EXPECT_EQ(0, poll_now(self->f.w, POLLIN));
		ASSERT_EQ(1, queue_purge(self->f.fd, select_any()));
		EXPECT_EQ(0, poll_now(self->f.r, IN_OUT));
	}
}

TEST_F(poll, empty_message_is_readable)
{
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 0));
	EXPECT_EQ(POLLIN, poll_now(self->f.r, IN_OUT));
	EXPECT_EQ(POLLRDNORM, poll_now(self->f.r, POLLRDNORM));
	EXPECT_EQ(2, queue_get(self->f.r, select_file(), 0, 0));
	EXPECT_EQ(0, poll_now(self->f.r, IN_OUT));
}

/* Writable is: a message of 4096 bytes would be taken. */
TEST_F(poll, writable_with_room_for_4096_bytes)
{
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, BYTES - 4096));
	EXPECT_EQ(POLLOUT, poll_now(self->f.w, IN_OUT));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	EXPECT_EQ(0, poll_now(self->f.w, IN_OUT));
	EXPECT_EQ(POLLIN, poll_now(self->f.fd, IN_OUT));
	ASSERT_EQ(2, queue_get(self->f.fd, select_exact(2), 0, 1));
	EXPECT_EQ(POLLOUT, poll_now(self->f.w, IN_OUT));
}

/* Or the longest there may be, if that is less. */
TEST_F(poll, writable_with_room_for_the_longest)
{
	struct ipcx_queue_params limits = queue_limits(0, 0, 100);

	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, BYTES - 100));
	EXPECT_EQ(0, poll_now(self->f.w, IN_OUT));
	ASSERT_EQ(0, queue_resize(self->f.fd, &limits));
	EXPECT_EQ(POLLOUT, poll_now(self->f.w, IN_OUT));
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 1));
	EXPECT_EQ(0, poll_now(self->f.w, IN_OUT));
}

TEST_F(poll, not_writable_when_messages_are_too_many)
{
	int i;

	for (i = 0; i < MSGS; i++) {
		ASSERT_EQ(POLLOUT, poll_now(self->f.w, IN_OUT));
		ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 0));
	}
	EXPECT_EQ(0, poll_now(self->f.w, IN_OUT));
	ASSERT_EQ(1, queue_get(self->f.fd, select_any(), 0, 0));
	EXPECT_EQ(POLLOUT, poll_now(self->f.w, IN_OUT));
}

/* As EAGAIN has it: who doesn't wait comes after those who do. */
TEST_F(poll, not_writable_while_others_wait)
{
	struct actor a;

	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 2000));
	EXPECT_EQ(POLLOUT, poll_now(self->f.w, IN_OUT));
	a = sender(self->f.w, BYTES - 1999);
	EXPECT_EQ(0, poll_now(self->f.w, IN_OUT));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(POLLOUT, poll_now(self->f.w, IN_OUT));
}

TEST_F(poll, holder_has_nothing_but_the_end)
{
	int none = fd_open(self->f.fd, IPCX_ACCESS_NONE, 0);

	ASSERT_GE(none, 0);
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 1));
	EXPECT_EQ(0, poll_now(none, IN_OUT));
	ASSERT_EQ(0, fd_remove(none));
	EXPECT_EQ(GONE, GONE & poll_now(none, IN_OUT));
	close(none);
}

TEST_F(poll, removed_is_hangup_and_error)
{
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	ASSERT_EQ(0, fd_remove(self->f.fd));
	EXPECT_EQ(GONE, GONE & poll_now(self->f.r, IN_OUT));
	EXPECT_EQ(GONE, GONE & poll_now(self->f.w, IN_OUT));
	EXPECT_EQ(GONE, GONE & poll_now(self->f.fd, 0));
}

/* There is no end but that one. */
TEST_F(poll, last_peer_is_no_hangup)
{
	close(self->f.fd);
	close(self->f.w);
	EXPECT_EQ(0, poll_now(self->f.r, IN_OUT));
	self->f.w = fd_open(self->f.r, IPCX_ACCESS_WRITE, 0);
	close(self->f.r);
	EXPECT_EQ(POLLOUT, poll_now(self->f.w, IN_OUT));
	self->f.r = fd_open(self->f.w, IPCX_ACCESS_READ, 0);
	self->f.fd = fd_open(self->f.w, IPCX_ACCESS_RDWR, 0);
}

TEST_F(poll, select_says_the_same)
{
	EXPECT_EQ(0, select_now(self->f.r, true));
	EXPECT_EQ(1, select_now(self->f.w, false));
	ASSERT_EQ(1, nearly_fill(self->f.fd));
	EXPECT_EQ(0, select_now(self->f.r, true));
	EXPECT_EQ(1, select_now(self->f.fd, true));
	EXPECT_EQ(0, select_now(self->f.w, false));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	EXPECT_EQ(1, select_now(self->f.r, true));
	ASSERT_EQ(0, fd_remove(self->f.fd));
	EXPECT_EQ(1, select_now(self->f.r, true));
	EXPECT_EQ(1, select_now(self->f.w, false));
}

/* Sleepers. */

TEST_F(poll, message_wakes_all_who_select_it)
{
	struct actor p[3], other;
	uint64_t switches;
	int i;

	for (i = 0; i < 3; i++)
		p[i] = poller_start(i ? self->f.fd : self->f.r, POLLIN);
	ASSERT_EQ(0, queue_file(self->f.w, select_exact(1), 0, 0));
	other = poller_start(self->f.r, POLLIN);
	switches = task_switches(other.pid);
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 1));
	for (i = 1; i < 3; i++)
		EXPECT_EQ(POLLIN, actor_finish(&p[i]));
	/* Those of the file that doesn't select it have not even woken. */
	EXPECT_TRUE(actor_asleep(&other));
	EXPECT_EQ(switches, task_switches(other.pid));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	EXPECT_EQ(POLLIN, actor_finish(&p[0]));
	EXPECT_EQ(POLLIN, actor_finish(&other));
}

TEST_F(poll, message_by_id_wakes_too)
{
	char name[TEST_NAME_SIZE];
	struct actor p;
	int fd = queue_create(self->f.dev, test_name(name, "poll"), IPCX_LIFETIME_PERSISTENT,
			      IPCX_ACCESS_READ, 0, 0, 0);

	ASSERT_GE(fd, 0);
	p = poller_start(fd, POLLIN);
	ASSERT_EQ(1, ref_write(self->f.dev, ref_id(fd_id(fd)), "x", 1, 0));
	EXPECT_EQ(POLLIN, actor_finish(&p));
	close(fd);
}

/* A message that is given to a sleeping receiver has never been there. */
TEST_F(poll, message_for_a_receiver_is_none_for_pollers)
{
	struct actor p = poller_start(self->f.fd, POLLIN);
	struct actor a = receiver(self->f.fd, select_any());

	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 1));
	EXPECT_EQ(1, actor_finish(&a));
	EXPECT_TRUE(actor_asleep(&p));
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 1));
	EXPECT_EQ(POLLIN, actor_finish(&p));
}

/* A file that selects something else is another file to who polls it. */
TEST_F(poll, change_of_the_selector_shows_what_is_there)
{
	struct actor p;

	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 1));
	p = poller_start(self->f.r, POLLIN);
	ASSERT_EQ(0, queue_file(self->f.r, select_exact(1), 0, 0));
	EXPECT_EQ(POLLIN, actor_finish(&p));
}

TEST_F(poll, change_of_the_selector_changes_what_wakes)
{
	struct actor p = poller_start(self->f.r, POLLIN);

	ASSERT_EQ(0, queue_file(self->f.r, select_exact(1), 0, 0));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	EXPECT_TRUE(actor_asleep(&p));
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 1));
	EXPECT_EQ(POLLIN, actor_finish(&p));
}

TEST_F(poll, space_wakes_all_pollers)
{
	struct actor p[3];
	int i;

	ASSERT_EQ(1, nearly_fill(self->f.fd));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	for (i = 0; i < 3; i++)
		p[i] = poller_start(i ? self->f.w : self->f.fd, POLLOUT);
	/* One byte: still too little. */
	ASSERT_EQ(2, queue_get(self->f.fd, select_exact(2), 0, 1));
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(actor_asleep(&p[i]));
	ASSERT_EQ(1, queue_get(self->f.fd, select_any(), 0, BYTES - 4095));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(POLLOUT, actor_finish(&p[i]));
}

TEST_F(poll, purge_wakes_who_waits_for_space)
{
	struct actor p;

	ASSERT_EQ(1, nearly_fill(self->f.fd));
	p = poller_start(self->f.w, POLLOUT);
	EXPECT_EQ(1, queue_purge(self->f.fd, select_any()));
	EXPECT_EQ(POLLOUT, actor_finish(&p));
}

TEST_F(poll, raised_limits_wake_who_waits_for_space)
{
	struct ipcx_queue_params limits = queue_limits(0, BYTES + 1, 0);
	struct actor p;

	ASSERT_EQ(1, nearly_fill(self->f.fd));
	p = poller_start(self->f.w, POLLOUT);
	ASSERT_EQ(0, queue_resize(self->f.fd, &limits));
	EXPECT_EQ(POLLOUT, actor_finish(&p));
}

/* A message may then be no longer than what is free. */
TEST_F(poll, lowered_length_wakes_who_waits_for_space)
{
	struct ipcx_queue_params limits = queue_limits(0, 0, 4095);
	struct actor p;

	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 4000));
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, BYTES - 4095 - 4000));
	p = poller_start(self->f.w, POLLOUT);
	ASSERT_EQ(0, queue_resize(self->f.fd, &limits));
	EXPECT_EQ(POLLOUT, actor_finish(&p));
}

TEST_F(poll, sender_who_leaves_wakes_who_waits_for_space)
{
	struct actor a, p;

	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 2000));
	a = sender(self->f.w, BYTES - 1999);
	p = poller_start(self->f.w, POLLOUT);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(POLLOUT, actor_finish(&p));
}

TEST_F(poll, failed_sender_wakes_who_waits_for_space)
{
	struct actor a, p;

	if (!uffd_exists())
		SKIP(return, "no userfaultfd to keep somebody in a copy");
	a = actor_start_stuck((struct call) {
		.kind = CALL_WRITE, .fd = self->f.w, .len = BYTES - 4095, .stuck = 1,
	});
	p = poller_start(self->f.w, POLLOUT);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(POLLOUT, actor_finish(&p));
}

TEST_F(poll, put_back_message_wakes)
{
	struct actor a, p, other;

	if (!uffd_exists())
		SKIP(return, "no userfaultfd to keep somebody in a copy");
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 10));
	a = stuck_reader(self->f.fd);
	EXPECT_EQ(0, poll_now(self->f.fd, POLLIN));
	p = poller_start(self->f.fd, POLLIN);
	other = poller_start(self->f.r, POLLIN);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(POLLIN, actor_finish(&p));
	EXPECT_TRUE(actor_asleep(&other));
	EXPECT_EQ(1, queue_get(self->f.fd, select_any(), 0, 10));
	actor_kill(&other);
}

TEST_F(poll, removal_wakes_all)
{
	int none = fd_open(self->f.fd, IPCX_ACCESS_NONE, 0);
	struct actor p[3];
	int i;

	p[0] = poller_start(self->f.r, POLLIN);
	p[1] = poller_start(self->f.w, 0);
	p[2] = poller_start(none, 0);
	ASSERT_EQ(0, fd_remove(self->f.fd));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(GONE, GONE & actor_finish(&p[i]));
	close(none);
}

/* Who polls is no receiver who waits. */
TEST_F(poll, pollers_do_not_count)
{
	struct actor p = poller_start(self->f.r, POLLIN);

	EXPECT_TRUE(pipe_waiting(self->f.fd, 0, 0));
	ASSERT_TRUE(actor_signal(&p));
	EXPECT_EQ(-EINTR, actor_finish(&p));
}

/* epoll. */

FIXTURE(epoll) {
	struct files f;
	int ep;
};

FIXTURE_SETUP(epoll)
{
	self->f = files_open();
	self->ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_GE(self->ep, 0);
}

FIXTURE_TEARDOWN(epoll)
{
	close(self->ep);
	files_close(&self->f);
}

TEST_F(epoll, level_stays)
{
	ASSERT_EQ(0, epoll_add(self->ep, self->f.r, EPOLLIN));
	EXPECT_EQ(0, epoll_now(self->ep));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 1, 1));
	EXPECT_EQ(EPOLLIN, epoll_patiently(self->ep));
	EXPECT_EQ(EPOLLIN, epoll_now(self->ep));
	ASSERT_EQ(2, queue_get(self->f.r, select_file(), 0, 1));
	EXPECT_EQ(EPOLLIN, epoll_now(self->ep));
	ASSERT_EQ(2, queue_get(self->f.r, select_file(), 1, 1));
	EXPECT_EQ(0, epoll_now(self->ep));
}

TEST_F(epoll, other_types_do_not_wake)
{
	struct actor a;
	uint64_t switches;
	int i;

	ASSERT_EQ(0, epoll_add(self->ep, self->f.r, EPOLLIN));
	a = actor_start_asleep((struct call) { .kind = CALL_EPOLL, .fd = self->ep });
	switches = task_switches(a.pid);
	for (i = 0; i < 10; i++)
		ASSERT_EQ(1, queue_put(self->f.fd, 1 + 2 * i, i, 1));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(switches, task_switches(a.pid));
	EXPECT_EQ(0, epoll_take(self->ep, 20));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	EXPECT_EQ(EPOLLIN, actor_finish(&a));
}

TEST_F(epoll, edge_of_what_was_there)
{
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	ASSERT_EQ(0, epoll_add(self->ep, self->f.r, EPOLLIN | EPOLLET));
	EXPECT_EQ(EPOLLIN, epoll_now(self->ep));
	EXPECT_EQ(0, epoll_now(self->ep));
	ASSERT_EQ(0, epoll_add(self->ep, self->f.w, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, epoll_now(self->ep));
	EXPECT_EQ(0, epoll_now(self->ep));
}

/* Nobody receives: each message is an edge all the same, to files that select it. */
TEST_F(epoll, each_arrival_is_an_edge)
{
	int other = epoll_create1(EPOLL_CLOEXEC);
	int i;

	ASSERT_EQ(0, epoll_add(self->ep, self->f.r, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, epoll_add(other, self->f.fd, EPOLLIN | EPOLLET));
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(1, queue_put(self->f.fd, 2, i, 1));
		ASSERT_EQ(EPOLLIN, epoll_patiently(self->ep));
		ASSERT_EQ(EPOLLIN, epoll_patiently(other));
		ASSERT_EQ(0, epoll_now(self->ep));
		ASSERT_EQ(0, epoll_now(other));
		ASSERT_EQ(1, queue_put(self->f.fd, 1, i, 1));
		ASSERT_EQ(EPOLLIN, epoll_patiently(other));
		ASSERT_EQ(0, epoll_now(self->ep));
	}
	close(other);
}

/* Also where others have received in between, and what they left is older. */
TEST_F(epoll, arrival_after_a_receive_is_an_edge)
{
	int i;

	ASSERT_EQ(0, epoll_add(self->ep, self->f.fd, EPOLLIN | EPOLLET));
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 1));
	ASSERT_EQ(EPOLLIN, epoll_patiently(self->ep));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(1, queue_put(self->f.fd, 2, i, 1));
		ASSERT_EQ(EPOLLIN, epoll_patiently(self->ep));
		ASSERT_EQ(2, queue_get(self->f.r, select_file(), i, 1));
		epoll_now(self->ep);
		ASSERT_EQ(0, epoll_now(self->ep));
	}
}

TEST_F(epoll, space_is_an_edge)
{
	int i;

	ASSERT_EQ(0, epoll_add(self->ep, self->f.w, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, epoll_now(self->ep));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(1, nearly_fill(self->f.fd));
		epoll_now(self->ep);
		ASSERT_EQ(0, epoll_now(self->ep));
		ASSERT_EQ(1, queue_get(self->f.fd, select_any(), 0, BYTES - 4095));
		ASSERT_EQ(EPOLLOUT, epoll_patiently(self->ep));
	}
}

/* A failed attempt is enough, though no poll saw the queue full. */
TEST_F(epoll, space_after_eagain_is_an_edge)
{
	int i;

	ASSERT_EQ(0, epoll_add(self->ep, self->f.w, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, epoll_now(self->ep));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, BYTES));
		ASSERT_EQ(-EAGAIN, queue_put(self->f.fd, 1, 0, 10));
		ASSERT_EQ(1, queue_get(self->f.fd, select_any(), 0, BYTES));
		ASSERT_EQ(EPOLLOUT, epoll_patiently(self->ep));
	}
}

TEST_F(epoll, put_back_message_is_an_edge)
{
	struct actor a;
	int i;

	if (!uffd_exists())
		SKIP(return, "no userfaultfd to keep somebody in a copy");
	ASSERT_EQ(0, epoll_add(self->ep, self->f.r, EPOLLIN | EPOLLET));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(1, queue_put(self->f.fd, 2, i, 10));
		ASSERT_EQ(EPOLLIN, epoll_patiently(self->ep));
		a = stuck_reader(self->f.r);
		ASSERT_EQ(0, epoll_now(self->ep));
		ASSERT_EQ(128 + SIGKILL, actor_kill(&a));
		ASSERT_EQ(EPOLLIN, epoll_patiently(self->ep));
		ASSERT_EQ(2, queue_get(self->f.fd, select_any(), i, 10));
		ASSERT_EQ(0, epoll_now(self->ep));
	}
}

TEST_F(epoll, removal_is_an_edge)
{
	int none = fd_open(self->f.fd, IPCX_ACCESS_NONE, 0);
	struct epoll_event ev[4];
	int i, n;

	ASSERT_EQ(0, epoll_add(self->ep, self->f.r, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, epoll_add(self->ep, self->f.w, EPOLLET));
	ASSERT_EQ(0, epoll_add(self->ep, none, EPOLLET));
	EXPECT_EQ(0, epoll_now(self->ep));
	ASSERT_EQ(0, fd_remove(none));
	n = epoll_wait(self->ep, ev, 4, PATIENCE_MS);
	EXPECT_EQ(3, n);
	for (i = 0; i < n; i++)
		EXPECT_EQ(GONE, GONE & ev[i].events);
	EXPECT_EQ(0, epoll_now(self->ep));
	close(none);
}

TEST_F(epoll, closed_file_leaves_set)
{
	int r = fd_open(self->f.fd, IPCX_ACCESS_READ, 0);

	ASSERT_EQ(0, epoll_add(self->ep, r, EPOLLIN | EPOLLET));
	close(r);
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	EXPECT_EQ(0, epoll_now(self->ep));
}

/* Of exclusive waiters one wakes for each file. */
TEST_F(epoll, exclusive_waiters_share_a_file)
{
	int second = fd_open(self->f.fd, IPCX_ACCESS_READ, 0);
	int sets[6], i, over[2] = { 0 };
	struct actor a[6];

	for (i = 0; i < 6; i++) {
		sets[i] = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_EQ(0, epoll_add(sets[i], i < 3 ? self->f.fd : second,
				       EPOLLIN | EPOLLEXCLUSIVE));
		a[i] = actor_start_asleep((struct call) { .kind = CALL_EPOLL, .fd = sets[i] });
	}
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 1));
	ASSERT_TRUE(wait_until(actor_over(&a[0]) + actor_over(&a[1]) + actor_over(&a[2]) &&
			       actor_over(&a[3]) + actor_over(&a[4]) + actor_over(&a[5])));
	for (i = 0; i < 6; i++) {
		ASSERT_TRUE(actor_over(&a[i]) || actor_asleep(&a[i]));
		over[i / 3] += actor_over(&a[i]);
		actor_kill(&a[i]);
		close(sets[i]);
	}
	EXPECT_EQ(1, over[0]);
	EXPECT_EQ(1, over[1]);
	close(second);
}

/* A loop as programs have it: an edge that does not come is a hang. */

#define LOOP_MSGS	2000

__attribute__((noreturn)) static void loop_sender(int fd)
{
	char buf[400];
	uint32_t seed = 5;
	int i;

	for (i = 0; i < LOOP_MSGS; i++) {
		stream_fill(buf, i, sizeof(buf));
		if (queue_send(fd, 1 + i % 2, buf, random_size(&seed, sizeof(buf)), 0) != 1)
			_exit(1);
	}
	_exit(0);
}

TEST_F(epoll, edge_driven_receiver_gets_everything)
{
	unsigned char buf[400];
	struct ipcx_msg msg;
	int i = 1, ret;
	pid_t pid;

	ASSERT_EQ(0, epoll_add(self->ep, self->f.r, EPOLLIN | EPOLLET));
	pid = fork();
	if (!pid) {
		keep_only(self->f.w);
		loop_sender(self->f.w);
	}
	while (i < LOOP_MSGS) {
		ASSERT_EQ(EPOLLIN, epoll_patiently(self->ep))
			TH_LOG("at message %d", i);
		while ((ret = queue_recv(self->f.r, select_file(), &msg, buf, sizeof(buf),
					 IPCX_NONBLOCK)) == 1) {
			ASSERT_TRUE(stream_is(buf, i, msg.len));
			i += 2;
			/* The others are not for this file, and must not fill the queue. */
			queue_purge(self->f.fd, select_exact(1));
		}
		ASSERT_EQ(-EAGAIN, ret);
		queue_purge(self->f.fd, select_exact(1));
	}
	EXPECT_EQ(LOOP_MSGS + 1, i);
	EXPECT_EQ(0, reap(pid));
}

/* O_ASYNC. */

FIXTURE(async) {
	struct files f;
};

static void block_signals(void)
{
	sigset_t set = signals_of(SIGIO);

	sigaddset(&set, TOLD);
	sigaddset(&set, OTHER);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

FIXTURE_SETUP(async)
{
	self->f = files_open();
	block_signals();
}

FIXTURE_TEARDOWN(async)
{
	files_close(&self->f);
}

TEST_F(async, plain_signal)
{
	ASSERT_EQ(0, async_signal_on(self->f.r, 0));
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 1));
	EXPECT_FALSE(told(SIGIO));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	EXPECT_TRUE(told(SIGIO));
}

TEST_F(async, message_of_the_file_says_readable)
{
	siginfo_t info;
	int i;

	ASSERT_EQ(0, async_signal_on(self->f.r, TOLD));
	ASSERT_EQ(0, async_signal_on(self->f.fd, OTHER));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(1, queue_put(self->f.w, 1, i, 1));
		ASSERT_FALSE(told(TOLD));
		ASSERT_TRUE(told(OTHER));
		ASSERT_EQ(1, queue_put(self->f.w, 2, i, 1));
		ASSERT_TRUE(got(TOLD, &info));
		EXPECT_EQ(POLL_IN, info.si_code);
		EXPECT_EQ(self->f.r, info.si_fd);
		EXPECT_EQ(POLLIN | POLLRDNORM, info.si_band);
		EXPECT_FALSE(told(TOLD));
		ASSERT_TRUE(told(OTHER));
	}
	EXPECT_FALSE(told(SIGIO));
}

TEST_F(async, follows_the_selector)
{
	ASSERT_EQ(0, async_signal_on(self->f.r, TOLD));
	ASSERT_EQ(0, queue_file(self->f.r, select_except(2), 0, 0));
	count(TOLD);
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	EXPECT_FALSE(told(TOLD));
	ASSERT_EQ(1, queue_put(self->f.fd, 3, 0, 1));
	EXPECT_TRUE(told(TOLD));
}

TEST_F(async, space_says_writable)
{
	siginfo_t info;
	int i;

	ASSERT_EQ(0, async_signal_on(self->f.w, TOLD));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, BYTES));
		ASSERT_EQ(-EAGAIN, queue_put(self->f.w, 1, 0, 1));
		count(TOLD);
		ASSERT_EQ(1, queue_get(self->f.fd, select_any(), 0, BYTES));
		ASSERT_TRUE(got(TOLD, &info));
		EXPECT_EQ(POLL_OUT, info.si_code);
		EXPECT_EQ(self->f.w, info.si_fd);
		EXPECT_EQ(POLLOUT | POLLWRNORM, (POLLOUT | POLLWRNORM) & info.si_band);
	}
}

TEST_F(async, raised_limits_say_writable)
{
	struct ipcx_queue_params limits = queue_limits(0, 2 * BYTES, 0);

	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, BYTES));
	ASSERT_EQ(0, async_signal_on(self->f.w, TOLD));
	EXPECT_FALSE(told(TOLD));
	ASSERT_EQ(0, queue_resize(self->f.fd, &limits));
	EXPECT_TRUE(told(TOLD));
}

TEST_F(async, put_back_message_says_readable)
{
	struct actor a;

	if (!uffd_exists())
		SKIP(return, "no userfaultfd to keep somebody in a copy");
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 10));
	a = stuck_reader(self->f.fd);
	ASSERT_EQ(0, async_signal_on(self->f.r, TOLD));
	EXPECT_FALSE(told(TOLD));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_TRUE(told(TOLD));
}

TEST_F(async, removal_is_told_to_all)
{
	int none = fd_open(self->f.fd, IPCX_ACCESS_NONE, 0);
	siginfo_t info;

	ASSERT_EQ(0, async_signal_on(self->f.r, TOLD));
	ASSERT_EQ(0, async_signal_on(self->f.w, OTHER));
	ASSERT_EQ(0, async_signal_on(none, 0));
	ASSERT_EQ(0, fd_remove(self->f.fd));
	ASSERT_TRUE(got(TOLD, &info));
	EXPECT_EQ(self->f.r, info.si_fd);
	EXPECT_EQ(GONE, GONE & info.si_band);
	ASSERT_TRUE(got(OTHER, &info));
	EXPECT_EQ(self->f.w, info.si_fd);
	EXPECT_EQ(GONE, GONE & info.si_band);
	EXPECT_TRUE(told(SIGIO));
	close(none);
}

TEST_F(async, none_unless_wanted)
{
	int closed = fd_open(self->f.fd, IPCX_ACCESS_READ, 0);

	ASSERT_EQ(0, async_signal_on(closed, TOLD));
	close(closed);
	ASSERT_EQ(0, async_signal_on(self->f.r, TOLD));
	ASSERT_EQ(0, async_off(self->f.r));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	ASSERT_EQ(0, fd_remove(self->f.fd));
	EXPECT_FALSE(told(TOLD));
	EXPECT_FALSE(told(SIGIO));
}

TEST_F(async, message_for_a_receiver_is_not_told)
{
	struct actor a = receiver(self->f.fd, select_any());

	ASSERT_EQ(0, async_signal_on(self->f.r, TOLD));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	EXPECT_EQ(1, actor_finish(&a));
	EXPECT_FALSE(told(TOLD));
}

/* NOTIFY. */

FIXTURE(notify) {
	struct files f;
};

FIXTURE_SETUP(notify)
{
	self->f = files_open();
	block_signals();
}

FIXTURE_TEARDOWN(notify)
{
	files_close(&self->f);
}

#define VALUE	0x123456789abcdef0ULL

TEST_F(notify, tells_who_and_what)
{
	siginfo_t info;
	pid_t pid;

	ASSERT_EQ(0, queue_notify(self->f.r, TOLD, VALUE));
	pid = fork();
	if (!pid) {
		if (setresuid(UID_A, UID_B, UID_B) || queue_put(self->f.w, 1, 0, 1) != 1)
			_exit(1);
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	ASSERT_TRUE(got(TOLD, &info));
	EXPECT_EQ(TOLD, info.si_signo);
	EXPECT_EQ(SI_MESGQ, info.si_code);
	EXPECT_EQ(VALUE, (uintptr_t)info.si_value.sival_ptr);
	EXPECT_EQ(pid, info.si_pid);
	EXPECT_EQ(UID_A, info.si_uid);
	EXPECT_FALSE(told(TOLD));
}

TEST_F(notify, once_only)
{
	ASSERT_EQ(0, queue_notify(self->f.r, TOLD, 0));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	EXPECT_TRUE(told(TOLD));
	EXPECT_EQ(1, queue_purge(self->f.fd, select_any()));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	EXPECT_FALSE(told(TOLD));
	EXPECT_EQ(1, queue_purge(self->f.fd, select_any()));
	/* Until it is asked for again. */
	ASSERT_EQ(0, queue_notify(self->f.r, OTHER, 0));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	EXPECT_TRUE(told(OTHER));
	EXPECT_FALSE(told(TOLD));
}

TEST_F(notify, batch_tells_once)
{
	struct ipcx_msg msgs[3] = { { .type = 1 }, { .type = 2 }, { .type = 3 } };

	ASSERT_EQ(0, queue_notify(self->f.r, TOLD, 0));
	ASSERT_EQ(3, queue_send_batch(self->f.w, msgs, 3, IPCX_NONBLOCK));
	EXPECT_EQ(1, count(TOLD));
}

TEST_F(notify, only_when_empty)
{
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	ASSERT_EQ(0, queue_notify(self->f.r, TOLD, 0));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 1, 1));
	EXPECT_FALSE(told(TOLD));
	EXPECT_EQ(1, queue_get(self->f.fd, select_any(), 0, 1));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 2, 1));
	EXPECT_FALSE(told(TOLD));
	EXPECT_EQ(2, queue_purge(self->f.fd, select_any()));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 3, 1));
	EXPECT_TRUE(told(TOLD));
}

TEST_F(notify, only_when_nobody_waits_for_it)
{
	struct actor a = receiver(self->f.fd, select_exact(2));

	ASSERT_EQ(0, queue_notify(self->f.r, TOLD, 0));
	ASSERT_EQ(1, queue_put(self->f.w, 2, 0, 1));
	EXPECT_EQ(1, actor_finish(&a));
	EXPECT_FALSE(told(TOLD));
	/* It is still asked for; who waits for something else is nobody. */
	a = receiver(self->f.fd, select_exact(2));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	EXPECT_TRUE(told(TOLD));
	EXPECT_TRUE(actor_asleep(&a));
	actor_kill(&a);
}

TEST_F(notify, pollers_do_not_matter)
{
	struct actor p = poller_start(self->f.fd, POLLIN);

	ASSERT_EQ(0, queue_notify(self->f.r, TOLD, 0));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	EXPECT_TRUE(told(TOLD));
	EXPECT_EQ(POLLIN, actor_finish(&p));
}

/* What the file selects does not matter either: the queue was empty. */
TEST_F(notify, of_every_type)
{
	ASSERT_EQ(0, queue_notify(self->f.r, TOLD, 0));
	ASSERT_EQ(1, queue_put(self->f.w, 9, 0, 0));
	EXPECT_TRUE(told(TOLD));
}

TEST_F(notify, errors)
{
	int pipe = pipe_create(self->f.dev, NULL, IPCX_LIFETIME_TRANSIENT, IPCX_ACCESS_READ);
	int none = fd_open(self->f.fd, IPCX_ACCESS_NONE, 0);

	EXPECT_EQ(-EOPNOTSUPP, queue_notify(pipe, TOLD, 0));
	EXPECT_EQ(-EBADF, queue_notify(self->f.w, TOLD, 0));
	EXPECT_EQ(-EBADF, queue_notify(none, TOLD, 0));
	EXPECT_EQ(-EINVAL, queue_notify(self->f.r, SIGRTMAX + 1, 0));
	EXPECT_EQ(-EINVAL, queue_notify(self->f.r, ~0U, 0));
	EXPECT_EQ(0, queue_notify(self->f.r, SIGRTMAX, 0));
	ASSERT_EQ(0, fd_remove(self->f.fd));
	EXPECT_EQ(-EIDRM, queue_notify(self->f.r, TOLD, 0));
	close(none);
	close(pipe);
}

/* 0 if @fd's queue takes another one who asks, who then takes it back. */
static int asked_by_another(int fd)
{
	pid_t pid = fork();
	int ret;

	if (!pid) {
		ret = queue_notify(fd, TOLD, 0);
		_exit(ret ? -ret : queue_notify(fd, 0, 0) ? 255 : 0);
	}
	return -reap(pid);
}

TEST_F(notify, one_at_a_time)
{
	ASSERT_EQ(0, queue_notify(self->f.r, TOLD, 0));
	EXPECT_EQ(-EBUSY, asked_by_another(self->f.r));
	EXPECT_EQ(-EBUSY, asked_by_another(self->f.fd));
	EXPECT_EQ(-EBUSY, queue_notify(self->f.r, TOLD, 0));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	EXPECT_TRUE(told(TOLD));
	EXPECT_EQ(0, asked_by_another(self->f.r));
}

/* As with mq_notify(3): what another process doesn't want is not ours. */
TEST_F(notify, not_withdrawn_by_another)
{
	ASSERT_EQ(0, queue_notify(self->f.r, TOLD, 0));
	in_child()
		ASSERT_EQ(0, queue_notify(self->f.r, 0, 0));
	EXPECT_EQ(-EBUSY, asked_by_another(self->f.r));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	EXPECT_TRUE(told(TOLD));
}

TEST_F(notify, withdrawn)
{
	ASSERT_EQ(0, queue_notify(self->f.r, TOLD, 0));
	ASSERT_EQ(0, queue_notify(self->f.r, 0, 0));
	EXPECT_EQ(0, asked_by_another(self->f.r));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	EXPECT_FALSE(told(TOLD));
	EXPECT_EQ(0, queue_notify(self->f.r, 0, 0));
}

TEST_F(notify, ends_with_the_file)
{
	int r = fd_open(self->f.fd, IPCX_ACCESS_READ, 0);

	ASSERT_EQ(0, queue_notify(r, TOLD, 0));
	EXPECT_EQ(-EBUSY, asked_by_another(self->f.r));
	close(r);
	EXPECT_EQ(0, asked_by_another(self->f.r));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	EXPECT_FALSE(told(TOLD));
}

static void *notify_thread(void *arg)
{
	int *fd = arg;

	*fd = queue_notify(*fd, TOLD, 0);
	return NULL;
}

/* It is the process that has asked: when the thread is gone, another gets the signal. */
TEST_F(notify, outlives_the_thread)
{
	pthread_t thread;
	int ret = self->f.r;

	ASSERT_EQ(0, pthread_create(&thread, NULL, notify_thread, &ret));
	pthread_join(thread, NULL);
	ASSERT_EQ(0, ret);
	EXPECT_EQ(-EBUSY, asked_by_another(self->f.r));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	EXPECT_TRUE(told(TOLD));
	EXPECT_EQ(0, asked_by_another(self->f.r));
}

/* Asks, and then does what it is given; back when it has asked. */
static pid_t asker_start(int fd, bool execs)
{
	struct baton asked;
	pid_t pid;

	if (baton_init(&asked))
		abort();
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (queue_notify(fd, TOLD, 0))
			_exit(1);
		baton_give(&asked);
		/* The parent still holds the file when this one is another program. */
		if (execs)
			execl("/bin/sleep", "sleep", "1000", NULL);
		pause();
	}
	if (!baton_take(&asked))
		abort();
	close(asked.fds[0]);
	close(asked.fds[1]);
	return pid;
}

TEST_F(notify, ends_with_the_process)
{
	pid_t pid = asker_start(self->f.r, false);

	EXPECT_EQ(-EBUSY, queue_notify(self->f.r, TOLD, 0));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, reap(pid));
	EXPECT_TRUE(wait_until(queue_notify(self->f.r, TOLD, 0) == 0));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	EXPECT_TRUE(told(TOLD));
}

TEST_F(notify, ends_with_exec)
{
	pid_t pid = asker_start(self->f.r, true);

	EXPECT_TRUE(wait_until(queue_notify(self->f.r, TOLD, 0) == 0));
	EXPECT_NE('Z', pid_state(pid));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	EXPECT_TRUE(told(TOLD));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, reap(pid));
}

/* A message before anybody has looked is for nobody who has become something else. */
TEST_F(notify, program_that_did_not_ask_is_not_told)
{
	pid_t pid = asker_start(self->f.r, true);
	char path[64], name[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	ASSERT_TRUE(wait_until(file_read(path, name, sizeof(name)) > 0 &&
			       !strcmp(name, "sleep")));
	ASSERT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	/* A signal would be pending there, blocked as it is here. */
	snprintf(path, sizeof(path), "grep -q '^SigPnd:.0*$' /proc/%d/status", pid);
	EXPECT_EQ(0, system(path));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, reap(pid));
}

/* The signal is the thread's. */

struct asker {
	int fd;
	int asked;
	int look;
	bool was_told;
};

static void *asker_thread(void *arg)
{
	struct asker *a = arg;

	__atomic_store_n(&a->asked, queue_notify(a->fd, TOLD, 0) ? -1 : 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&a->look, __ATOMIC_SEQ_CST))
		usleep(1000);
	a->was_told = told(TOLD);
	return NULL;
}

TEST_F(notify, is_the_threads)
{
	struct asker a = { .fd = self->f.r };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, asker_thread, &a));
	ASSERT_TRUE(wait_until(__atomic_load_n(&a.asked, __ATOMIC_SEQ_CST)));
	EXPECT_EQ(1, a.asked);
	/* Another thread of its process is another one. */
	EXPECT_EQ(-EBUSY, queue_notify(self->f.r, TOLD, 0));
	EXPECT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	EXPECT_FALSE(told(TOLD));
	__atomic_store_n(&a.look, 1, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	EXPECT_TRUE(a.was_told);
}

/* Namespaces of processes. */

/* Runs @what in a process that is the first one of its own namespace. */
static int in_new_pid_ns(int (*what)(const struct files *f), const struct files *f, pid_t *pid)
{
	pid_t child, outer = fork();

	if (!outer) {
		if (unshare(CLONE_NEWPID))
			_exit(99);
		child = fork();
		if (!child)
			_exit(what(f));
		*pid = child;
		_exit(reap(child));
	}
	return reap(outer);
}

static int send_one(const struct files *f)
{
	return getpid() != 1 || queue_put(f->w, 1, 0, 1) != 1;
}

TEST_F(notify, sender_in_a_nested_namespace)
{
	pid_t *pid = mmap(NULL, sizeof(*pid), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	siginfo_t info;

	ASSERT_EQ(0, queue_notify(self->f.r, TOLD, 0));
	ASSERT_EQ(0, in_new_pid_ns(send_one, &self->f, pid));
	ASSERT_TRUE(got(TOLD, &info));
	EXPECT_NE(1, info.si_pid);
	EXPECT_EQ(*pid, info.si_pid);
	munmap(pid, sizeof(*pid));
}

static struct baton notify_asked, notify_sent;

static int told_by_stranger(const struct files *f)
{
	siginfo_t info;

	if (queue_notify(f->r, TOLD, VALUE))
		return 1;
	baton_give(&notify_asked);
	if (!baton_take(&notify_sent) || !got(TOLD, &info))
		return 2;
	return info.si_pid || info.si_code != SI_MESGQ ? 3 : 0;
}

TEST_F(notify, sender_outside_has_no_pid)
{
	pid_t ignored, pid;

	ASSERT_EQ(0, baton_init(&notify_asked));
	ASSERT_EQ(0, baton_init(&notify_sent));
	pid = fork();
	if (!pid)
		_exit(in_new_pid_ns(told_by_stranger, &self->f, &ignored));
	ASSERT_TRUE(baton_take(&notify_asked));
	EXPECT_EQ(1, queue_put(self->f.w, 1, 0, 1));
	baton_give(&notify_sent);
	EXPECT_EQ(0, reap(pid));
}

/* io_uring. */

FIXTURE(uring) {
	struct files f;
	struct io_uring ring;
	unsigned char buf[BYTES];
};

FIXTURE_SETUP(uring)
{
	int err = ring_open(&self->ring, 0);

	if (err == -ENOSYS || err == -EPERM)
		SKIP(return, "this kernel has no io_uring for us");
	ASSERT_EQ(0, err);
	self->f = files_open();
	memset(self->buf, POISON, sizeof(self->buf));
}

FIXTURE_TEARDOWN(uring)
{
	io_uring_queue_exit(&self->ring);
	files_close(&self->f);
}

TEST_F(uring, read_takes_one_message)
{
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 10));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 10, 20));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 30, 20));
	add_read(&self->ring, 1, self->f.r, self->buf, sizeof(self->buf));
	EXPECT_EQ(20, result(&self->ring));
	EXPECT_TRUE(stream_is(self->buf, 10, 20));
	EXPECT_EQ(POISON, self->buf[20]);
	EXPECT_EQ(2, queue_msgs(self->f.fd));
}

TEST_F(uring, read_waits_for_what_its_file_selects)
{
	add_read(&self->ring, 1, self->f.r, self->buf, 10);
	ASSERT_TRUE(submit(&self->ring));
	EXPECT_TRUE(ring_idle(&self->ring));
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 10));
	EXPECT_TRUE(ring_idle(&self->ring));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 5, 5));
	EXPECT_EQ(5, ring_wait(&self->ring).res);
	EXPECT_TRUE(stream_is(self->buf, 5, 5));
	EXPECT_EQ(1, queue_get(self->f.fd, select_any(), 0, 10));
}

TEST_F(uring, write_sends_one_message)
{
	stream_fill(self->buf, 0, 300);
	ASSERT_EQ(0, queue_file(self->f.w, select_file(), 6, 0));
	add_write(&self->ring, 1, self->f.w, self->buf, 300);
	EXPECT_EQ(300, result(&self->ring));
	EXPECT_EQ(6, queue_get(self->f.fd, select_any(), 0, 300));
}

TEST_F(uring, write_waits_for_space)
{
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, BYTES));
	stream_fill(self->buf, 7, 100);
	add_write(&self->ring, 1, self->f.w, self->buf, 100);
	ASSERT_TRUE(submit(&self->ring));
	EXPECT_TRUE(ring_idle(&self->ring));
	EXPECT_EQ(1, queue_purge(self->f.fd, select_any()));
	EXPECT_EQ(100, ring_wait(&self->ring).res);
	EXPECT_EQ(1, queue_get(self->f.fd, select_any(), 7, 100));
}

TEST_F(uring, nowait_is_eagain)
{
	add_read(&self->ring, 1, self->f.r, self->buf, 10)->rw_flags = RWF_NOWAIT;
	EXPECT_EQ(-EAGAIN, result(&self->ring));
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, BYTES));
	add_write(&self->ring, 1, self->f.w, self->buf, 10)->rw_flags = RWF_NOWAIT;
	EXPECT_EQ(-EAGAIN, result(&self->ring));
	EXPECT_EQ(1, queue_msgs(self->f.fd));
}

TEST_F(uring, errors)
{
	add_read(&self->ring, 1, self->f.w, self->buf, 10);
	EXPECT_EQ(-EBADF, result(&self->ring));
	add_write(&self->ring, 1, self->f.r, self->buf, 10);
	EXPECT_EQ(-EBADF, result(&self->ring));
	add_write(&self->ring, 1, self->f.w, self->buf, BYTES + 1);
	EXPECT_EQ(-EMSGSIZE, result(&self->ring));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 11));
	add_read(&self->ring, 1, self->f.r, self->buf, 10);
	EXPECT_EQ(-E2BIG, result(&self->ring));
	EXPECT_EQ(1, queue_msgs(self->f.fd));
}

TEST_F(uring, poll_by_type)
{
	add_poll(&self->ring, 1, self->f.r, POLLIN, false);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_EQ(1, queue_put(self->f.fd, 1, 0, 1));
	EXPECT_TRUE(ring_idle(&self->ring));
	ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 1));
	EXPECT_EQ(POLLIN, ring_wait(&self->ring).res);
}

TEST_F(uring, multishot_poll_tells_of_each_arrival)
{
	struct done d;
	int i;

	add_poll(&self->ring, 1, self->f.r, POLLIN, true);
	ASSERT_TRUE(submit(&self->ring));
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(1, queue_put(self->f.fd, 1, i, 1));
		ASSERT_TRUE(ring_idle(&self->ring));
		ASSERT_EQ(1, queue_put(self->f.fd, 2, i, 1));
		d = ring_wait(&self->ring);
		ASSERT_EQ(POLLIN, d.res);
		ASSERT_TRUE(d.flags & IORING_CQE_F_MORE);
		ASSERT_TRUE(ring_idle(&self->ring));
	}
	ASSERT_EQ(0, fd_remove(self->f.fd));
	EXPECT_EQ(GONE, GONE & ring_wait(&self->ring).res);
}

TEST_F(uring, poll_for_space)
{
	ASSERT_EQ(1, nearly_fill(self->f.fd));
	add_poll(&self->ring, 1, self->f.w, POLLOUT, false);
	ASSERT_TRUE(submit(&self->ring));
	EXPECT_TRUE(ring_idle(&self->ring));
	EXPECT_EQ(1, queue_purge(self->f.fd, select_any()));
	EXPECT_EQ(POLLOUT, ring_wait(&self->ring).res);
}

TEST_F(uring, cancelled_read_takes_nothing)
{
	const unsigned int flags[] = { 0, IOSQE_ASYNC };
	struct done d[2];
	int i;

	for (i = 0; i < 2; i++) {
		add_read(&self->ring, 0, self->f.r, self->buf, 10)->flags |= flags[i];
		ASSERT_TRUE(submit(&self->ring));
		add_cancel(&self->ring, 1, 0);
		ASSERT_TRUE(submit(&self->ring));
		ASSERT_TRUE(ring_wait_two(&self->ring, d));
		/* One that is found in a worker's hands ends as by a signal. */
		if (d[1].res != -EALREADY || d[0].res != -EINTR)
			EXPECT_EQ(-ECANCELED, d[0].res);
		EXPECT_TRUE(pipe_waiting(self->f.fd, 0, 0));
		ASSERT_EQ(1, queue_put(self->f.fd, 2, 0, 10));
		EXPECT_TRUE(ring_idle(&self->ring));
		EXPECT_EQ(2, queue_get(self->f.fd, select_any(), 0, 10));
		EXPECT_EQ(POISON, self->buf[0]);
	}
}

TEST_F(uring, each_of_many_waiting_reads_gets_a_message)
{
	bool seen[32] = { false };
	int i;

	for (i = 0; i < 32; i++)
		add_read(&self->ring, i, self->f.r, self->buf + 10 * i, 10);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	for (i = 0; i < 32; i++)
		ASSERT_EQ(1, queue_send(self->f.fd, 2, &(unsigned char){ i }, 1, IPCX_NONBLOCK));
	for (i = 0; i < 32; i++) {
		struct done d = ring_wait(&self->ring);
		unsigned char number;

		ASSERT_EQ(1, d.res);
		number = self->buf[10 * d.tag];
		ASSERT_LT(number, 32);
		EXPECT_FALSE(seen[number]);
		seen[number] = true;
	}
	EXPECT_EQ(0, queue_msgs(self->f.fd));
}

TEST_F(uring, removal_ends_what_waits)
{
	struct files full = files_open();
	struct done d[2];

	ASSERT_EQ(1, queue_put(full.fd, 1, 0, BYTES));
	add_read(&self->ring, 0, self->f.r, self->buf, 10);
	add_write(&self->ring, 1, full.w, self->buf, 10);
	ASSERT_TRUE(submit(&self->ring));
	ASSERT_TRUE(ring_idle(&self->ring));
	ASSERT_EQ(0, fd_remove(self->f.fd));
	ASSERT_EQ(0, fd_remove(full.fd));
	ASSERT_TRUE(ring_wait_two(&self->ring, d));
	EXPECT_EQ(-EIDRM, d[0].res);
	EXPECT_EQ(-EIDRM, d[1].res);
	files_close(&full);
}

TEST_HARNESS_MAIN
