// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes: O_ASYNC with all that fcntl(2) promises. Who is told by a signal, about
 * what, through which file, and who is not.
 *
 * Signals stay blocked and are taken with sigtimedwait(2). The one that a call
 * causes is pending when that call returns, so "none" needs no waiting.
 */
#include "poll_test.h"

#include <pthread.h>

FIXTURE(async) {
	int dev;
	struct ends e;
};

FIXTURE_SETUP(async)
{
	sigset_t set = signals_of(SIGIO);

	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, 0);
	sigpipe_catch();
	sigaddset(&set, TOLD);
	sigaddset(&set, OTHER);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
}

FIXTURE_TEARDOWN(async)
{
	track_cleanup();
	ends_close(&self->e);
	close(self->dev);
}

/*
 * Another process that may be told. It has none of our files, and says when asked
 * whether a signal has come.
 */
struct listener {
	pid_t pid;
	struct listener_state {
		int ready;
		int asked;
	} *s;
};

__attribute__((noreturn)) static void listener_run(struct listener_state *s, uid_t uid)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (uid)
		become_user(uid, uid);
	close_range(3, ~0U, 0);
	__atomic_store_n(&s->ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&s->asked, __ATOMIC_SEQ_CST))
		usleep(1000);
	_exit(told(TOLD));
}

/* @uid: whose process it is, 0 for ours; @group: its process group, 0 for our own. */
static struct listener listener_start(uid_t uid, pid_t group)
{
	struct listener l;

	l.s = mmap(NULL, sizeof(*l.s), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l.s == MAP_FAILED)
		abort();
	l.pid = fork();
	if (!l.pid) {
		if (group && setpgid(0, group > 0 ? group : 0))
			_exit(98);
		listener_run(l.s, uid);
	}
	if (l.pid < 0 || !wait_until(__atomic_load_n(&l.s->ready, __ATOMIC_SEQ_CST)))
		abort();
	return l;
}

#define NEW_GROUP	(-1)

/* 1 if it was told, 0 if not. */
static int listener_end(struct listener *l)
{
	int status;

	__atomic_store_n(&l->s->asked, 1, __ATOMIC_SEQ_CST);
	status = reap(l->pid);
	munmap(l->s, sizeof(*l->s));
	return status;
}

/* What is told. */

TEST_F(async, plain_signal)
{
	ASSERT_EQ(0, async_signal_on(self->e.r, 0));
	EXPECT_EQ(getpid(), fcntl(self->e.r, F_GETOWN));
	EXPECT_EQ(0, fcntl(self->e.r, F_GETSIG));
	EXPECT_EQ(O_ASYNC, O_ASYNC & fcntl(self->e.r, F_GETFL));
	EXPECT_FALSE(told(SIGIO));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_TRUE(told(SIGIO));
}

TEST_F(async, first_byte_says_readable)
{
	siginfo_t info;
	int i;

	ASSERT_EQ(0, async_signal_on(self->e.r, TOLD));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(1, stream_write(self->e.w, i, 1));
		ASSERT_TRUE(got(TOLD, &info))
			TH_LOG("byte %d", i);
		EXPECT_EQ(POLL_IN, info.si_code);
		EXPECT_EQ(self->e.r, info.si_fd);
		EXPECT_EQ(POLLIN | POLLRDNORM, info.si_band);
		ASSERT_EQ(1, stream_read(self->e.r, i, 1));
		count(TOLD);
	}
	EXPECT_FALSE(told(SIGIO));
}

TEST_F(async, room_says_writable)
{
	const int full = CAPACITY_DEFAULT;
	siginfo_t info;
	int i;

	ASSERT_EQ(0, async_signal_on(self->e.w, TOLD));
	for (i = 0; i < 10; i++) {
		uint64_t at = (uint64_t)i * full;

		ASSERT_EQ(full, stream_write(self->e.w, at, full));
		count(TOLD);
		ASSERT_EQ(full, stream_read(self->e.r, at, full));
		ASSERT_TRUE(got(TOLD, &info))
			TH_LOG("time %d", i);
		EXPECT_EQ(POLL_OUT, info.si_code);
		EXPECT_EQ(self->e.w, info.si_fd);
		EXPECT_EQ(POLLOUT | POLLWRNORM, (POLLOUT | POLLWRNORM) & info.si_band);
	}
	EXPECT_FALSE(told(SIGIO));
}

/* As with poll: as soon as an atomic write of any length fits, if nothing did. */
TEST_F(async, room_for_an_atomic_write)
{
	const int full = CAPACITY_DEFAULT;

	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	ASSERT_EQ(0, async_signal_on(self->e.w, TOLD));
	ASSERT_EQ(ATOMIC_MAX, stream_read(self->e.r, 0, ATOMIC_MAX));
	EXPECT_TRUE(told(TOLD));
	ASSERT_EQ(ATOMIC_MAX, stream_write(self->e.w, full, ATOMIC_MAX));
	count(TOLD);
	ASSERT_EQ(ATOMIC_MAX - 1, stream_read(self->e.r, ATOMIC_MAX, ATOMIC_MAX - 1));
	count(TOLD);
	ASSERT_EQ(1, stream_read(self->e.r, 2 * ATOMIC_MAX - 1, 1));
	EXPECT_TRUE(told(TOLD));
}

TEST_F(async, a_pipe_that_grows_has_room)
{
	const int full = CAPACITY_DEFAULT;
	struct ipcx_resize arg = {
		.bytes = 2 * full, .deadline = deadline_patience(),
	};
	siginfo_t info;

	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	ASSERT_EQ(0, async_signal_on(self->e.w, TOLD));
	ASSERT_EQ(0, ipc_ioctl(self->e.w, IPCX_IOC_RESIZE, &arg));
	ASSERT_TRUE(got(TOLD, &info));
	EXPECT_EQ(POLL_OUT, info.si_code);
	EXPECT_EQ(self->e.w, info.si_fd);
}

TEST_F(async, last_writer_says_hangup)
{
	int second = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	siginfo_t info;

	ASSERT_GE(second, 0);
	ASSERT_EQ(0, async_signal_on(self->e.r, TOLD));
	close(second);
	EXPECT_FALSE(told(TOLD));
	close(self->e.w);
	ASSERT_TRUE(got(TOLD, &info));
	EXPECT_EQ(POLL_HUP, info.si_code);
	EXPECT_EQ(self->e.r, info.si_fd);
	EXPECT_EQ(POLLHUP, POLLHUP & info.si_band);
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

TEST_F(async, last_reader_says_error)
{
	int second = fd_open(self->e.r, IPCX_ACCESS_READ, 0);
	siginfo_t info;

	ASSERT_GE(second, 0);
	ASSERT_EQ(0, async_signal_on(self->e.w, TOLD));
	close(second);
	EXPECT_FALSE(told(TOLD));
	close(self->e.r);
	ASSERT_TRUE(got(TOLD, &info));
	EXPECT_EQ(self->e.w, info.si_fd);
	EXPECT_EQ(POLLERR, POLLERR & info.si_band);
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
}

TEST_F(async, killed_writer_says_hangup)
{
	struct actor a = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->e.w,
	});
	siginfo_t info;

	close(self->e.w);
	ASSERT_EQ(0, async_signal_on(self->e.r, TOLD));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	ASSERT_TRUE(got(TOLD, &info));
	EXPECT_EQ(POLLHUP, POLLHUP & info.si_band);
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

TEST_F(async, removal_is_told_to_both_sides)
{
	const long gone = POLLHUP | POLLERR;
	siginfo_t info;

	ASSERT_EQ(0, async_signal_on(self->e.r, TOLD));
	ASSERT_EQ(0, async_signal_on(self->e.w, OTHER));
	ASSERT_EQ(0, fd_remove(self->e.r));
	ASSERT_TRUE(got(TOLD, &info));
	EXPECT_EQ(self->e.r, info.si_fd);
	EXPECT_EQ(gone, gone & info.si_band);
	ASSERT_TRUE(got(OTHER, &info));
	EXPECT_EQ(self->e.w, info.si_fd);
	EXPECT_EQ(gone, gone & info.si_band);
}

/* A file that can neither read nor write polls for the removal, and is told of it. */
TEST_F(async, removal_is_told_to_who_has_no_side)
{
	int hold = fd_open(self->e.r, IPCX_ACCESS_NONE, 0);

	ASSERT_GE(hold, 0);
	ASSERT_EQ(0, async_signal_on(hold, TOLD));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_FALSE(told(TOLD));
	ASSERT_EQ(0, fd_remove(self->e.r));
	EXPECT_TRUE(told(TOLD));
	EXPECT_EQ(0, async_off(hold));
	close(hold);
}

TEST_F(async, reader_and_writer_in_one)
{
	const int full = CAPACITY_DEFAULT;
	int both = fd_open(self->e.r, IPCX_ACCESS_RDWR, 0);
	siginfo_t info;

	ASSERT_GE(both, 0);
	ASSERT_EQ(0, async_signal_on(both, TOLD));
	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	ASSERT_TRUE(got(TOLD, &info));
	EXPECT_EQ(POLL_IN, info.si_code);
	count(TOLD);
	ASSERT_EQ(full, stream_read(self->e.r, 0, full));
	ASSERT_TRUE(got(TOLD, &info));
	EXPECT_EQ(POLL_OUT, info.si_code);
	ASSERT_EQ(0, async_off(both));
	count(TOLD);
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_FALSE(told(TOLD));
	close(both);
}

/* Who was turned away because somebody was at his side hears when that one goes. */
TEST_F(async, side_that_is_free_again)
{
	unsigned char byte;
	struct actor a;

	if (!uffd_exists())
		SKIP(return, "no userfaultfd to keep somebody in a copy");
	ASSERT_EQ(100, stream_write(self->e.w, 0, 100));
	ASSERT_EQ(0, async_signal_on(self->e.r, TOLD));
	a = actor_start_stuck((struct call) {
		.kind = CALL_READ, .fd = self->e.r, .len = 10, .stuck = 1,
	});
	EXPECT_EQ(-EAGAIN, fd_read(self->e.r, &byte, 1, IPCX_NONBLOCK));
	EXPECT_FALSE(told(TOLD));
	ASSERT_EQ(0, actor_unstick(&a));
	EXPECT_EQ(10, actor_finish(&a));
	EXPECT_TRUE(told(TOLD));
	EXPECT_EQ(90, stream_read(self->e.r, 10, 90));

	ASSERT_EQ(0, async_off(self->e.r));
	ASSERT_EQ(0, async_signal_on(self->e.w, TOLD));
	a = actor_start_stuck((struct call) {
		.kind = CALL_WRITE, .fd = self->e.w, .len = 10, .stuck = 1,
	});
	count(TOLD);
	EXPECT_EQ(-EAGAIN, fd_write(self->e.w, "x", 1, IPCX_NONBLOCK));
	EXPECT_FALSE(told(TOLD));
	ASSERT_EQ(0, actor_unstick(&a));
	EXPECT_EQ(10, actor_finish(&a));
	EXPECT_TRUE(told(TOLD));
}

TEST_F(async, transfers_by_name_are_told)
{
	const int full = CAPACITY_DEFAULT;
	char name[TEST_NAME_SIZE];
	int both, i;

	both = pipe_create(self->dev, test_name(name, "async"),
			   IPCX_LIFETIME_TRANSIENT, IPCX_ACCESS_RDWR);
	ASSERT_GE(both, 0);
	ASSERT_EQ(0, async_signal_on(both, TOLD));
	ASSERT_EQ(1, ref_write(self->dev, ref_name(name), "x", 1, 0));
	EXPECT_TRUE(told(TOLD));
	ASSERT_EQ(full - 1, stream_write(both, 0, full - 1));
	count(TOLD);
	for (i = 0; i < full; i += ATOMIC_MAX) {
		unsigned char buf[ATOMIC_MAX];

		ASSERT_EQ(ATOMIC_MAX, ref_read(self->dev, ref_name(name), buf,
					       ATOMIC_MAX, 0));
	}
	EXPECT_TRUE(told(TOLD));
	close(both);
}

/* When nothing is told. */

TEST_F(async, none_unless_asked_for)
{
	ASSERT_EQ(0, fcntl(self->e.r, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(self->e.r, F_SETSIG, TOLD));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_FALSE(told(TOLD));
	EXPECT_FALSE(told(SIGIO));
}

TEST_F(async, none_after_it_was_taken_back)
{
	ASSERT_EQ(0, async_signal_on(self->e.r, TOLD));
	ASSERT_EQ(0, async_signal_on(self->e.w, TOLD));
	ASSERT_EQ(0, async_off(self->e.r));
	ASSERT_EQ(0, async_off(self->e.w));
	EXPECT_EQ(0, O_ASYNC & fcntl(self->e.r, F_GETFL));
	ASSERT_EQ(CAPACITY_DEFAULT, stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	ASSERT_EQ(CAPACITY_DEFAULT, stream_read(self->e.r, 0, CAPACITY_DEFAULT));
	ASSERT_EQ(0, fd_remove(self->e.r));
	EXPECT_FALSE(told(TOLD));
	EXPECT_FALSE(told(SIGIO));
}

TEST_F(async, none_without_an_owner)
{
	ASSERT_EQ(0, async_signal_on(self->e.r, TOLD));
	ASSERT_EQ(0, fcntl(self->e.r, F_SETOWN, 0));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_FALSE(told(TOLD));
	ASSERT_EQ(1, stream_read(self->e.r, 0, 1));
	/* And again with one. */
	ASSERT_EQ(0, fcntl(self->e.r, F_SETOWN, getpid()));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_TRUE(told(TOLD));
}

TEST_F(async, none_through_a_closed_file)
{
	int r = fd_open(self->e.r, IPCX_ACCESS_READ, 0);

	ASSERT_GE(r, 0);
	ASSERT_EQ(0, async_signal_on(r, TOLD));
	close(r);
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_FALSE(told(TOLD));
	ASSERT_EQ(0, fd_remove(self->e.w));
	EXPECT_FALSE(told(TOLD));
}

/* Files, descriptors and processes. */

TEST_F(async, a_duplicate_is_the_same_file)
{
	int r = fd_open(self->e.r, IPCX_ACCESS_READ, 0);
	int copy = dup(r);

	ASSERT_GE(copy, 0);
	ASSERT_EQ(0, async_signal_on(r, TOLD));
	close(r);
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_TRUE(told(TOLD));
	ASSERT_EQ(1, stream_read(copy, 0, 1));
	ASSERT_EQ(0, async_off(copy));
	count(TOLD);
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_FALSE(told(TOLD));
	close(copy);
}

TEST_F(async, two_files_of_one_pipe)
{
	int second = fd_open(self->e.r, IPCX_ACCESS_READ, 0);
	siginfo_t info;

	ASSERT_GE(second, 0);
	ASSERT_EQ(0, async_signal_on(self->e.r, TOLD));
	ASSERT_EQ(0, async_signal_on(second, OTHER));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	ASSERT_TRUE(got(TOLD, &info));
	EXPECT_EQ(self->e.r, info.si_fd);
	ASSERT_TRUE(got(OTHER, &info));
	EXPECT_EQ(second, info.si_fd);
	ASSERT_EQ(1, stream_read(second, 0, 1));
	ASSERT_EQ(0, async_off(self->e.r));
	count(TOLD);
	count(OTHER);
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_FALSE(told(TOLD));
	EXPECT_TRUE(told(OTHER));
	close(second);
}

/* The owner stays who it is, whoever else has the file, and after he closed it. */
TEST_F(async, fork_keeps_the_owner)
{
	struct actor child;
	int r = fd_open(self->e.r, IPCX_ACCESS_READ, 0);

	ASSERT_GE(r, 0);
	ASSERT_EQ(0, async_signal_on(r, TOLD));
	child = actor_start_asleep((struct call) { .kind = CALL_POLL, .fd = r });
	close(r);
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_TRUE(told(TOLD));
	ASSERT_EQ(1, stream_read(self->e.r, 0, 1));
	actor_kill(&child);
	count(TOLD);
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_FALSE(told(TOLD));
}

/* Owners. */

TEST_F(async, another_process)
{
	struct listener l = listener_start(0, 0);
	struct listener other = listener_start(0, 0);

	ASSERT_EQ(0, fcntl(self->e.r, F_SETOWN, l.pid));
	EXPECT_EQ(l.pid, fcntl(self->e.r, F_GETOWN));
	ASSERT_EQ(0, async_start(self->e.r, TOLD));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_FALSE(told(TOLD));
	EXPECT_EQ(1, listener_end(&l));
	EXPECT_EQ(0, listener_end(&other));
	/* Nobody is told any more. */
	ASSERT_EQ(1, stream_read(self->e.r, 0, 1));
	EXPECT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_FALSE(told(TOLD));
}

TEST_F(async, a_process_group)
{
	struct listener first = listener_start(0, NEW_GROUP);
	struct listener second = listener_start(0, first.pid);
	struct listener other = listener_start(0, 0);

	ASSERT_EQ(0, fcntl(self->e.w, F_SETOWN, -first.pid));
	ASSERT_EQ(CAPACITY_DEFAULT, stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	ASSERT_EQ(0, async_start(self->e.w, TOLD));
	ASSERT_EQ(CAPACITY_DEFAULT, stream_read(self->e.r, 0, CAPACITY_DEFAULT));
	EXPECT_FALSE(told(TOLD));
	EXPECT_EQ(1, listener_end(&first));
	EXPECT_EQ(1, listener_end(&second));
	EXPECT_EQ(0, listener_end(&other));
}

TEST_F(async, owners_by_kind)
{
	struct listener l = listener_start(0, NEW_GROUP);
	const enum __pid_type kinds[] = { F_OWNER_PID, F_OWNER_PGRP, F_OWNER_TID };
	struct f_owner_ex owner, now;
	int i;

	ASSERT_EQ(0, async_start(self->e.r, TOLD));
	for (i = 0; i < 3; i++) {
		owner = (struct f_owner_ex) { .type = kinds[i], .pid = l.pid };
		ASSERT_EQ(0, fcntl(self->e.r, F_SETOWN_EX, &owner));
		memset(&now, POISON, sizeof(now));
		ASSERT_EQ(0, fcntl(self->e.r, F_GETOWN_EX, &now));
		EXPECT_EQ(kinds[i], now.type);
		EXPECT_EQ(l.pid, now.pid);
		ASSERT_EQ(1, stream_write(self->e.w, i, 1));
		ASSERT_EQ(1, stream_read(self->e.r, i, 1));
		EXPECT_EQ(1, listener_end(&l));
		l = listener_start(0, NEW_GROUP);
	}
	EXPECT_EQ(0, listener_end(&l));
	EXPECT_FALSE(told(TOLD));
}

struct thread {
	pid_t tid;
	bool asked;
	bool was_told;
};

static void *thread_run(void *arg)
{
	struct thread *t = arg;

	__atomic_store_n(&t->tid, gettid(), __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&t->asked, __ATOMIC_SEQ_CST))
		usleep(1000);
	t->was_told = told(TOLD);
	return NULL;
}

TEST_F(async, a_thread)
{
	struct thread t[2] = { 0 };
	struct f_owner_ex owner = { .type = F_OWNER_TID };
	pthread_t id[2];
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&id[i], NULL, thread_run, &t[i]));
		ASSERT_TRUE(wait_until(__atomic_load_n(&t[i].tid, __ATOMIC_SEQ_CST)));
	}
	owner.pid = t[1].tid;
	ASSERT_EQ(0, fcntl(self->e.r, F_SETOWN_EX, &owner));
	ASSERT_EQ(0, async_start(self->e.r, TOLD));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_FALSE(told(TOLD));
	for (i = 0; i < 2; i++) {
		__atomic_store_n(&t[i].asked, true, __ATOMIC_SEQ_CST);
		pthread_join(id[i], NULL);
	}
	EXPECT_FALSE(t[0].was_told);
	EXPECT_TRUE(t[1].was_told);
}

/* Permission is kill(2)'s, and that of whoever said F_SETOWN. */

static int told_by_user(uid_t uid, struct listener *l)
{
	pid_t pid = fork_user(uid, uid);
	int dev, err;
	struct ends e;

	if (!pid) {
		dev = dev_open();
		if (dev < 0)
			_exit(1);
		e = ends_open(dev, 0);
		err = fcntl(e.r, F_SETOWN, l->pid) || async_start(e.r, TOLD) ||
		      stream_write(e.w, 0, 1) != 1;
		_exit(err ? 2 : 0);
	}
	return reap(pid) ? -ECHILD : listener_end(l);
}

TEST_F(async, permission_to_signal)
{
	struct listener l = listener_start(UID_A, 0);

	EXPECT_EQ(1, told_by_user(UID_A, &l));
	l = listener_start(UID_B, 0);
	EXPECT_EQ(0, told_by_user(UID_A, &l));
	l = listener_start(0, 0);
	EXPECT_EQ(0, told_by_user(UID_A, &l));
	l = listener_start(UID_B, 0);
	EXPECT_EQ(1, told_by_user(0, &l));
}

TEST_F(async, permission_is_the_askers)
{
	struct listener by_root = listener_start(UID_B, 0);
	struct listener by_user = listener_start(UID_B, 0);
	int r = fd_open(self->e.r, IPCX_ACCESS_READ, 0);

	ASSERT_GE(r, 0);
	ASSERT_EQ(0, fcntl(self->e.r, F_SETOWN, by_root.pid));
	ASSERT_EQ(0, async_start(self->e.r, TOLD));
	as_user(UID_A, GID_A) {
		ASSERT_EQ(0, fcntl(r, F_SETOWN, by_user.pid));
		ASSERT_EQ(0, async_start(r, TOLD));
	}
	/* Who writes does not matter. */
	as_user(UID_A, GID_A)
		ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	ASSERT_EQ(1, stream_read(self->e.r, 0, 1));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_EQ(1, listener_end(&by_root));
	EXPECT_EQ(0, listener_end(&by_user));
	close(r);
}

/* Loops as programs have them: a signal that does not come is a hang. */

/* The queue of real-time signals may overflow: then SIGIO comes. */
static bool await_signal(int sig)
{
	struct timespec ts = { .tv_sec = PATIENCE_MS / 1000 };
	sigset_t set = signals_of(SIGIO);

	sigaddset(&set, sig);
	return sigtimedwait(&set, NULL, &ts) > 0;
}

static int read_by_signals(int fd, int sig)
{
	static unsigned char buf[3000];
	uint64_t at = 0;
	int ret;

	for (;;) {
		while ((ret = fd_read(fd, buf, sizeof(buf), IPCX_NONBLOCK)) > 0) {
			if (!stream_is(buf, at, ret))
				return -EILSEQ;
			at += ret;
		}
		if (!ret)
			return at;
		if (ret != -EAGAIN)
			return ret;
		if (!await_signal(sig)) {
			fprintf(stderr, "# no signal at byte %llu\n",
				(unsigned long long)at);
			return -ETIMEDOUT;
		}
	}
}

static int write_by_signals(int fd, int sig)
{
	uint32_t seed = 3;
	uint64_t at = 0;

	while (at < LOOP_BYTES) {
		size_t len = random_size(&seed, 9000);
		int ret;

		if (len > LOOP_BYTES - at)
			len = LOOP_BYTES - at;
		ret = stream_write(fd, at, len);
		if (ret > 0) {
			at += ret;
		} else if (ret != -EAGAIN) {
			return ret;
		} else if (!await_signal(sig)) {
			fprintf(stderr, "# no signal at byte %llu\n",
				(unsigned long long)at);
			return -ETIMEDOUT;
		}
	}
	return at;
}

TEST_F(async, reader_driven_by_signals_gets_everything)
{
	const int sigs[] = { 0, TOLD };
	pid_t pid;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, async_signal_on(self->e.r, sigs[i]));
		pid = fork();
		if (!pid) {
			keep_only(self->e.w);
			loop_writer(self->e.w, 11 + i);
		}
		close(self->e.w);
		EXPECT_EQ(LOOP_BYTES, read_by_signals(self->e.r, sigs[i] ?: SIGIO));
		EXPECT_EQ(0, reap(pid));
		self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	}
}

TEST_F(async, writer_driven_by_signals_gets_everything_in)
{
	const int sigs[] = { 0, TOLD };
	pid_t pid;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, async_signal_on(self->e.w, sigs[i]));
		pid = fork();
		if (!pid) {
			keep_only(self->e.r);
			loop_reader(self->e.r, 12 + i);
		}
		EXPECT_EQ(LOOP_BYTES, write_by_signals(self->e.w, sigs[i] ?: SIGIO));
		close(self->e.w);
		EXPECT_EQ(0, reap(pid));
		self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	}
}

TEST_HARNESS_MAIN
