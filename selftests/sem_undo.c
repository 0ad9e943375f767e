// SPDX-License-Identifier: GPL-2.0
/*
 * What a process's death does to semaphores: undo, and owned ones.
 */
#include "sem_actor_test.h"

#include <pthread.h>
#include <sys/resource.h>

#define MAX		IPCX_SEM_VALUE_MAX
#define PERSISTENT	IPCX_LIFETIME_PERSISTENT

/* The program that a child of a test becomes, which waits for its input to end. */
#define CAT		"/bin/cat"

FIXTURE(undo) {
	int dev;
	int fd;
	char name[TEST_NAME_SIZE];
};

/* Four semaphores of 5. */
FIXTURE_SETUP(undo)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->fd = sem_create(self->dev, test_name(self->name, "undo"), PERSISTENT,
			      (struct ipcx_sem_params) { .count = 4, .value = 5 });
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN_PARENT(undo)
{
	track_cleanup();
}

/* A child that has done something and stays; its end is the parent's to choose. */
struct child {
	pid_t pid;
	int in;
};

enum how { BY_KILL, BY_EXIT, BY_RETURN, BY_SIGNAL, HOWS };

static void end_as_told(enum how how)
{
	const struct rlimit no_core = { 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	if (how == BY_EXIT)
		exit(0);
	if (how == BY_SIGNAL)
		abort();
	_exit(0);
}

/* In the child 0 is returned, in the parent what it is. */
static struct child child_start(enum how how, int (*work)(int fd), int fd)
{
	struct child child = { 0 };
	int in[2], out[2], ret;

	if (pipe(in) || pipe(out))
		abort();
	child.pid = fork();
	if (!child.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(in[1]);
		close(out[0]);
		ret = work(fd);
		if (write(out[1], &ret, sizeof(ret)) != sizeof(ret))
			_exit(99);
		while (read(in[0], &ret, 1) > 0)
			;
		end_as_told(how);
	}
	close(in[0]);
	close(out[1]);
	child.in = in[1];
	if (read(out[0], &ret, sizeof(ret)) != sizeof(ret) || ret) {
		fprintf(stderr, "# a child's part failed: %d\n", ret);
		abort();
	}
	close(out[0]);
	return child;
}

/* Reaps it: from then on its undoing must be visible. */
static int child_end(struct child *child, enum how how)
{
	if (how == BY_KILL)
		kill(child->pid, SIGKILL);
	close(child->in);
	return reap(child->pid);
}

static int take_two(int fd)
{
	return sem_try(fd, 0, -2, UNDO);
}

static int add_three(int fd)
{
	return sem_try(fd, 0, 3, UNDO);
}

static int many_ways(int fd)
{
	return sem_vector(fd, IPCX_NONBLOCK, sem_step(0, -1, UNDO), sem_step(1, 2, UNDO),
			  sem_step(2, -3, 0), sem_step(0, -1, UNDO), sem_step(1, -1, UNDO)) ?:
	       sem_try(fd, 3, -4, UNDO) ?: sem_try(fd, 3, 1, 0);
}

TEST_F(undo, however_it_ends)
{
	struct child child;
	enum how how;

	for (how = 0; how < HOWS; how++) {
		child = child_start(how, take_two, self->fd);
		EXPECT_EQ(3, sem_value(self->fd, 0));
		child_end(&child, how);
		EXPECT_EQ(5, sem_value(self->fd, 0));
		child = child_start(how, add_three, self->fd);
		EXPECT_EQ(8, sem_value(self->fd, 0));
		child_end(&child, how);
		EXPECT_EQ(5, sem_value(self->fd, 0));
		EXPECT_EQ(child.pid, sem_get(self->fd, 0).pid);
	}
}

/* The sum of what was done with UNDO, for each semaphore; nothing else. */
TEST_F(undo, what_was_marked)
{
	struct child child = child_start(BY_EXIT, many_ways, self->fd);

	EXPECT_TRUE(values_are(self->fd, 3, 6, 2, 2));
	child_end(&child, BY_EXIT);
	EXPECT_TRUE(values_are(self->fd, 5, 5, 2, 6));
}

static int taken_in_vain(int fd)
{
	const struct ipcx_sem_op one = sem_step(0, -1, UNDO | NOWAIT);

	if (sem_vector(fd, 0, one, sem_step(1, -6, UNDO | NOWAIT)) != -EAGAIN)
		return 1;
	if (sem_vector(fd, 0, one, sem_step(1, MAX, UNDO)) != -EOVERFLOW)
		return 2;
	return sem_vector(fd, 0, one, sem_step(4, 1, UNDO)) != -EFBIG;
}

TEST_F(undo, nothing_of_what_failed)
{
	struct child child = child_start(BY_KILL, taken_in_vain, self->fd);

	child_end(&child, BY_KILL);
	EXPECT_TRUE(values_are(self->fd, 5, 5, 5, 5));
}

/* A parent that has reaped its child sees the result, by whatever it looks. */
TEST_F(undo, seen_by_who_has_reaped)
{
	int i, fails = 0;
	uint64_t n;

	for (i = 0; i < scaled(400); i++) {
		pid_t pid = fork();

		if (!pid) {
			if (sem_try(self->fd, 0, -5, UNDO))
				_exit(1);
			kill(getpid(), SIGKILL);
		}
		if (reap(pid) != 128 + SIGKILL)
			fails++;
		switch (i % 4) {
		case 0:
			fails += sem_value(self->fd, 0) != 5;
			break;
		case 1:
			fails += sem_try(self->fd, 0, -5, 0) || sem_try(self->fd, 0, 5, 0);
			break;
		case 2:
			fails += poll_now(self->fd, POLLIN) != POLLIN;
			break;
		default:
			fails += plain_read(self->fd, &n, 8) != 8 || sem_try(self->fd, 0, 1, 0);
		}
	}
	EXPECT_EQ(0, fails);
	EXPECT_EQ(5, sem_value(self->fd, 0));
}

TEST_F(undo, wakes_who_waits)
{
	struct child child = child_start(BY_KILL, take_two, self->fd);
	struct actor down = sem_sleeper(self->fd, 0, -4, 0);

	child_end(&child, BY_KILL);
	EXPECT_EQ(0, actor_finish(&down));
	child = child_start(BY_KILL, add_three, self->fd);
	EXPECT_EQ(4, sem_value(self->fd, 0));
	ASSERT_EQ(0, sem_try(self->fd, 0, -1, 0));
	down = sem_sleeper(self->fd, 0, 0, 0);
	child_end(&child, BY_KILL);
	EXPECT_EQ(0, actor_finish(&down));
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

/* STAT tells of the last of all, whichever semaphore that was. */
TEST_F(undo, stat_tells_of_a_death)
{
	struct child child = child_start(BY_KILL, take_two, self->fd);
	struct ipcx_stat st;
	uint64_t before;

	ASSERT_EQ(0, sem_try(self->fd, 1, 1, 0));
	EXPECT_EQ(getpid(), pipe_stat(self->fd).last_writer_pid);
	before = now_ns(CLOCK_REALTIME_COARSE);
	child_end(&child, BY_KILL);
	st = pipe_stat(self->fd);
	EXPECT_EQ(child.pid, st.last_writer_pid);
	EXPECT_LE(before, st.write_ns);
	ASSERT_EQ(0, sem_try(self->fd, 1, -1, 0));
	EXPECT_EQ(getpid(), pipe_stat(self->fd).last_writer_pid);
}

/* Where it would leave the range it stops. */
TEST_F(undo, stays_in_range)
{
	int fd = sem_new(self->dev, (struct ipcx_sem_params) { .value = 4, .max = 6 });
	struct child child = child_start(BY_KILL, take_two, fd);

	ASSERT_EQ(0, sem_try(fd, 0, 3, 0));
	child_end(&child, BY_KILL);
	EXPECT_EQ(6, sem_value(fd, 0));
	ASSERT_EQ(0, sem_try(fd, 0, -4, 0));
	child = child_start(BY_KILL, add_three, fd);
	ASSERT_EQ(0, sem_try(fd, 0, -4, 0));
	child_end(&child, BY_KILL);
	EXPECT_EQ(0, sem_value(fd, 0));
	close(fd);
}

/* For all processes, and of that semaphore alone; what comes later counts. */
TEST_F(undo, setting_forgets)
{
	struct child a = child_start(BY_KILL, take_two, self->fd);
	struct child b = child_start(BY_KILL, many_ways, self->fd);
	struct child c;

	EXPECT_TRUE(values_are(self->fd, 1, 6, 2, 2));
	ASSERT_EQ(0, sem_set(self->fd, 0, 7));
	c = child_start(BY_KILL, take_two, self->fd);
	child_end(&a, BY_KILL);
	child_end(&b, BY_KILL);
	EXPECT_TRUE(values_are(self->fd, 5, 5, 2, 6));
	child_end(&c, BY_KILL);
	EXPECT_TRUE(values_are(self->fd, 7, 5, 2, 6));
}

/* The same process goes on after the setting. */
TEST_F(undo, counts_anew_after_setting)
{
	pid_t pid = fork();

	if (!pid) {
		if (sem_try(self->fd, 0, -2, UNDO) || sem_set(self->fd, 0, 9) ||
		    sem_try(self->fd, 0, -1, UNDO))
			_exit(1);
		_exit(0);
	}
	ASSERT_EQ(0, reap(pid));
	EXPECT_EQ(9, sem_value(self->fd, 0));
}

static int undo_too_much(int fd)
{
	int i;

	for (i = 0; i < 2; i++)
		if (sem_try(fd, 3, MAX - 5, i ? UNDO : 0) != (i ? -EOVERFLOW : 0))
			return 1;
	/* What is to be taken back: -MAX, then more. */
	if (sem_set(fd, 3, 0) || sem_try(fd, 3, MAX, UNDO) || sem_try(fd, 3, -MAX, 0) ||
	    sem_try(fd, 3, 1, UNDO) != -EOVERFLOW || sem_try(fd, 3, 1, 0))
		return 2;
	return sem_value(fd, 3) != 1;
}

TEST_F(undo, adjustment_has_a_maximum)
{
	struct child child = child_start(BY_KILL, undo_too_much, self->fd);

	child_end(&child, BY_KILL);
	EXPECT_EQ(0, sem_value(self->fd, 3));
}

/* What a process is, and what it isn't. */

TEST_F(undo, exec_is_no_end)
{
	int in[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(in));
	pid = fork();
	if (!pid) {
		if (sem_try(self->fd, 0, -2, UNDO) || dup2(in[0], 0))
			_exit(1);
		close(in[1]);
		execl(CAT, CAT, NULL);
		_exit(2);
	}
	close(in[0]);
	ASSERT_TRUE(wait_until(pid_syscall(pid) == SYS_read));
	EXPECT_EQ(3, sem_value(self->fd, 0));
	close(in[1]);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(5, sem_value(self->fd, 0));
}

static int take_and_close(int fd)
{
	int other = dup(fd), ret = sem_try(fd, 0, -2, UNDO);

	close(fd);
	close(other);
	return ret;
}

TEST_F(undo, close_is_no_end)
{
	struct child child = child_start(BY_KILL, take_and_close, self->fd);

	EXPECT_EQ(3, sem_value(self->fd, 0));
	/* Nor is it that nobody has the set open. */
	close(self->fd);
	self->fd = name_open(self->dev, self->name, IPCX_ACCESS_RDWR, 0);
	EXPECT_EQ(3, sem_value(self->fd, 0));
	child_end(&child, BY_KILL);
	EXPECT_EQ(5, sem_value(self->fd, 0));
}

static int take_and_fork(int fd)
{
	int ret = sem_try(fd, 0, -2, UNDO);
	pid_t pid = fork();

	if (!pid)
		_exit(sem_try(fd, 1, -1, UNDO));
	return ret ?: reap(pid);
}

TEST_F(undo, fork_inherits_nothing)
{
	struct child child = child_start(BY_KILL, take_and_fork, self->fd);

	EXPECT_TRUE(values_are(self->fd, 3, 5, 5, 5));
	child_end(&child, BY_KILL);
	EXPECT_TRUE(values_are(self->fd, 5, 5, 5, 5));
}

static void *thread_takes(void *arg)
{
	return (void *)(long)sem_try(*(int *)arg, 0, -2, UNDO);
}

static int take_in_a_thread(int fd)
{
	pthread_t thread;
	void *ret;

	if (pthread_create(&thread, NULL, thread_takes, &fd) || pthread_join(thread, &ret))
		return 1;
	return (long)ret;
}

TEST_F(undo, a_threads_end_is_no_end)
{
	struct child child = child_start(BY_EXIT, take_in_a_thread, self->fd);

	EXPECT_EQ(3, sem_value(self->fd, 0));
	child_end(&child, BY_EXIT);
	EXPECT_EQ(5, sem_value(self->fd, 0));
}

static void *outlive_the_leader(void *arg)
{
	char nothing;

	while (read(*(int *)arg, &nothing, 1) > 0)
		;
	_exit(0);
}

/* The leader has gone, and another thread lives: so does the process. */
TEST_F(undo, the_leaders_end_is_no_end)
{
	static int in[2];
	pthread_t thread;
	pid_t pid;

	ASSERT_EQ(0, pipe(in));
	pid = fork();
	if (!pid) {
		close(in[1]);
		if (sem_try(self->fd, 0, -2, UNDO) ||
		    pthread_create(&thread, NULL, outlive_the_leader, in))
			_exit(1);
		pthread_exit(NULL);
	}
	close(in[0]);
	ASSERT_TRUE(wait_until(pid_state(pid) == 'Z'));
	EXPECT_EQ(3, sem_value(self->fd, 0));
	close(in[1]);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(5, sem_value(self->fd, 0));
}

/* Who operates has to undo, not who has opened. */
TEST_F(undo, passed_on)
{
	int sock[2], fd;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sock));
	pid = fork();
	if (!pid) {
		fd = name_open(self->dev, self->name, IPCX_ACCESS_RDWR, 0);
		_exit(sem_try(fd, 0, -1, UNDO) || send_fd(sock[1], fd));
	}
	fd = recv_fd(sock[0]);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, reap(pid));
	EXPECT_EQ(5, sem_value(fd, 0));
	pid = fork();
	if (!pid)
		_exit(sem_try(fd, 0, -2, UNDO) || sem_value(fd, 0) != 3);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(5, sem_value(fd, 0));
	close(fd);
}

/* A large set, several sets, one that was removed, one that went before. */

static int take_of_each(int fd)
{
	static struct ipcx_sem_op ops[IPCX_SEM_OPS_MAX];
	unsigned int at, i;

	for (at = 0; at < IPCX_SEMS_MAX; at += IPCX_SEM_OPS_MAX) {
		for (i = 0; i < IPCX_SEM_OPS_MAX && at + i < IPCX_SEMS_MAX; i++)
			ops[i] = sem_step(at + i, -1, UNDO);
		if (sem_ops(fd, ops, i, IPCX_NONBLOCK))
			return 1;
	}
	return 0;
}

TEST_F(undo, of_many_semaphores)
{
	static struct ipcx_sem sems[IPCX_SEMS_MAX];
	int fd = sem_new_of(self->dev, IPCX_SEMS_MAX, 1);
	struct actor down = sem_actor_start((struct sem_call) {
		.fd = fd, .ops = { sem_step(IPCX_SEMS_MAX - 1, -1, 0) },
	});
	struct child child;
	unsigned int i, ones = 0;

	/* The last one first has it, then all have, and he wants it again. */
	EXPECT_EQ(0, actor_finish(&down));
	ASSERT_EQ(0, sem_try(fd, IPCX_SEMS_MAX - 1, 1, 0));
	child = child_start(BY_KILL, take_of_each, fd);
	EXPECT_EQ(0, sem_value(fd, 12345));
	down = sem_sleeper(fd, IPCX_SEMS_MAX - 1, -1, 0);
	child_end(&child, BY_KILL);
	EXPECT_EQ(0, actor_finish(&down));
	ASSERT_EQ(0, ref_sem_get(fd, ref_self(), 0, IPCX_SEMS_MAX, sems));
	for (i = 0; i < IPCX_SEMS_MAX; i++)
		ones += sems[i].value == 1;
	EXPECT_EQ(IPCX_SEMS_MAX - 1, ones);
	close(fd);
}

TEST_F(undo, of_several_sets)
{
	int a = sem_new_of(self->dev, 1, 5), b = sem_new_of(self->dev, 1, 5), gone;
	pid_t pid = fork();

	if (!pid) {
		gone = sem_new_of(self->dev, 1, 5);
		if (sem_try(a, 0, -1, UNDO) || sem_try(b, 0, -2, UNDO) ||
		    sem_try(self->fd, 0, -3, UNDO) || sem_try(gone, 0, -1, UNDO))
			_exit(1);
		close(gone);
		_exit(fd_remove(b));
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(5, sem_value(a, 0));
	EXPECT_EQ(5, sem_value(self->fd, 0));
	close(a);
	close(b);
}

/* Who is killed when it has just been given has had it, and gives it back. */
TEST_F(undo, given_to_one_who_is_killed)
{
	int i;

	ASSERT_EQ(0, sem_set(self->fd, 0, 0));
	for (i = 0; i < scaled(100); i++) {
		struct actor a = sem_sleeper(self->fd, 0, -1, UNDO);

		kill(a.pid, SIGSTOP);
		ASSERT_EQ(0, sem_try(self->fd, 0, 1, 0));
		EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
		EXPECT_EQ(0, sem_try(self->fd, 0, -1, 0));
	}
}

/* Accounts. */

static uint64_t charged(int dev)
{
	struct ipcx_query q;

	return dev_query(dev, &q) ? ~0ULL : q.user.bytes;
}

TEST_F(undo, is_charged_to_who_has_it)
{
	int fd = sem_new_of(self->dev, 1000, 5);
	uint64_t before = charged(self->dev);
	struct child child = child_start(BY_KILL, take_two, fd);

	EXPECT_LE(before + 8000, charged(self->dev));
	child_end(&child, BY_KILL);
	EXPECT_TRUE(wait_until(charged(self->dev) == before));
	close(fd);
}

TEST_F(undo, beyond_the_account)
{
	unsigned long long max = param_get("user_bytes_max");
	int fd = sem_new_of(self->dev, IPCX_SEMS_MAX, 5), ret;

	ASSERT_EQ(0, fchmod(fd, 0666));
	ASSERT_EQ(0, param_set("user_bytes_max", 100000));
	as_user(UID_A, GID_A) {
		ret = sem_try(fd, 0, -1, UNDO);
		EXPECT_EQ(-EDQUOT, ret);
		EXPECT_EQ(5, sem_value(fd, 0));
		EXPECT_EQ(0, sem_try(fd, 0, -1, 0));
	}
	EXPECT_EQ(0, param_set("user_bytes_max", max));
	EXPECT_EQ(4, sem_value(fd, 0));
	close(fd);
}

/* Owned ones. */

FIXTURE(owned) {
	int dev;
	int fd;
};

FIXTURE_SETUP(owned)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->fd = sem_new_owned(self->dev, 3);
}

FIXTURE_TEARDOWN(owned)
{
	close(self->fd);
	close(self->dev);
}

static int take_first(int fd)
{
	return sem_try(fd, 0, -1, 0);
}

TEST_F(owned, take_and_give_back)
{
	EXPECT_EQ(0, sem_get(self->fd, 0).holder);
	EXPECT_EQ(1, sem_value(self->fd, 0));
	EXPECT_EQ(0, sem_try(self->fd, 0, -1, 0));
	EXPECT_EQ(getpid(), sem_get(self->fd, 0).holder);
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_EQ(0, sem_get(self->fd, 1).holder);
	EXPECT_EQ(0, sem_try(self->fd, 0, 1, 0));
	EXPECT_EQ(0, sem_get(self->fd, 0).holder);
	EXPECT_EQ(0, sem_get(self->fd, 0).flags);
	EXPECT_EQ(-EINVAL, sem_try(self->fd, 0, -2, 0));
}

static void *take_and_stay(void *arg)
{
	return (void *)(long)sem_one(*(int *)arg, 0, -1, 0);
}

TEST_F(owned, twice_is_a_deadlock)
{
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, sem_one(self->fd, 0, -1, 0));
	EXPECT_EQ(-EDEADLK, sem_one(self->fd, 0, -1, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, take_and_stay, &self->fd));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(-EDEADLK, (long)ret);
	EXPECT_EQ(-EDEADLK, sem_vector(self->fd, 0, sem_step(1, -1, 0), sem_step(0, -1, 0)));
	EXPECT_EQ(-EINVAL, sem_vector(self->fd, 0, sem_step(1, -1, 0), sem_step(1, -1, 0)));
	EXPECT_EQ(-EINVAL, sem_vector(self->fd, 0, sem_step(1, -1, 0), sem_step(2, -1, 0),
				      sem_step(1, 1, 0)));
	EXPECT_EQ(0, sem_get(self->fd, 1).holder);
	EXPECT_EQ(1, sem_value(self->fd, 1));
}

/* Even if another would have to be waited for first. */
TEST_F(owned, deadlock_behind_a_wait)
{
	struct child child = child_start(BY_KILL, take_first, self->fd);

	ASSERT_EQ(0, sem_one(self->fd, 1, -1, 0));
	EXPECT_EQ(-EDEADLK, sem_vector(self->fd, 0, sem_step(0, -1, 0), sem_step(1, -1, 0)));
	EXPECT_EQ(-EPERM, sem_vector(self->fd, 0, sem_step(0, -1, 0), sem_step(2, 1, 0)));
	child_end(&child, BY_KILL);
}

TEST_F(owned, anothers_is_not_mine_to_give_back)
{
	struct child child = child_start(BY_KILL, take_first, self->fd);

	EXPECT_EQ(child.pid, sem_get(self->fd, 0).holder);
	EXPECT_EQ(-EPERM, sem_one(self->fd, 0, 1, 0));
	EXPECT_EQ(-EAGAIN, sem_try(self->fd, 0, -1, 0));
	/* Nor is one that nobody has, nor another's in a vector. */
	EXPECT_EQ(-EPERM, sem_one(self->fd, 1, 1, 0));
	ASSERT_EQ(0, sem_one(self->fd, 1, -1, 0));
	EXPECT_EQ(-EPERM, sem_vector(self->fd, 0, sem_step(1, 1, 0), sem_step(0, 1, 0)));
	EXPECT_EQ(getpid(), sem_get(self->fd, 1).holder);
	EXPECT_EQ(child.pid, sem_get(self->fd, 0).holder);
	child_end(&child, BY_KILL);
}

TEST_F(owned, told_once_that_its_holder_died)
{
	struct child child = child_start(BY_KILL, take_first, self->fd);

	child_end(&child, BY_KILL);
	EXPECT_EQ(1, sem_value(self->fd, 0));
	EXPECT_EQ(0, sem_get(self->fd, 0).holder);
	EXPECT_EQ(IPCX_SEM_ABANDONED, sem_get(self->fd, 0).flags);
	EXPECT_EQ(0, sem_get(self->fd, 1).flags);
	EXPECT_EQ(-EOWNERDEAD, sem_try(self->fd, 0, -1, 0));
	EXPECT_EQ(getpid(), sem_get(self->fd, 0).holder);
	EXPECT_EQ(0, sem_get(self->fd, 0).flags);
	EXPECT_EQ(0, sem_try(self->fd, 0, 1, 0));
	EXPECT_EQ(0, sem_try(self->fd, 0, -1, 0));
}

/* Not to who couldn't have all that he wanted. */
TEST_F(owned, told_to_who_has_it)
{
	struct child dead = child_start(BY_KILL, take_first, self->fd);
	struct child child;

	child_end(&dead, BY_KILL);
	ASSERT_EQ(0, sem_try(self->fd, 1, -1, 0));
	EXPECT_EQ(-EDEADLK, sem_vector(self->fd, 0, sem_step(0, -1, 0), sem_step(1, -1, 0)));
	EXPECT_EQ(IPCX_SEM_ABANDONED, sem_get(self->fd, 0).flags);
	EXPECT_EQ(-EOWNERDEAD, sem_vector(self->fd, 0, sem_step(2, -1, 0), sem_step(0, -1, 0)));
	EXPECT_EQ(getpid(), sem_get(self->fd, 2).holder);
	ASSERT_EQ(0, sem_vector(self->fd, 0, sem_step(2, 1, 0), sem_step(0, 1, 0)));
	/* One that ends by itself has had it, too. */
	child = child_start(BY_RETURN, take_first, self->fd);
	child_end(&child, BY_RETURN);
	EXPECT_EQ(-EOWNERDEAD, sem_try(self->fd, 0, -1, 0));
}

TEST_F(owned, who_waits_is_told)
{
	struct child child = child_start(BY_KILL, take_first, self->fd);
	struct actor first = sem_sleeper(self->fd, 0, -1, 0);
	struct actor second = sem_sleeper(self->fd, 0, -1, 0);

	child_end(&child, BY_KILL);
	EXPECT_EQ(-EOWNERDEAD, actor_result(&first));
	EXPECT_EQ(first.pid, sem_get(self->fd, 0).holder);
	EXPECT_TRUE(actor_asleep(&second));
	/* It dies in turn, having it. */
	EXPECT_EQ(128 + SIGKILL, actor_kill(&first));
	EXPECT_EQ(-EOWNERDEAD, actor_finish(&second));
}

TEST_F(owned, a_childs_child_has_not_got_it)
{
	pid_t pid;

	ASSERT_EQ(0, sem_try(self->fd, 0, -1, 0));
	pid = fork();
	if (!pid)
		_exit(sem_try(self->fd, 0, 1, 0) != -EPERM ||
		      sem_try(self->fd, 0, -1, 0) != -EAGAIN);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(getpid(), sem_get(self->fd, 0).holder);
}

TEST_F(owned, cannot_be_set)
{
	EXPECT_EQ(-EPERM, sem_set(self->fd, 0, 1));
	EXPECT_EQ(-EPERM, sem_set(self->fd, 0, 0));
	ASSERT_EQ(0, sem_try(self->fd, 0, -1, 0));
	EXPECT_EQ(-EPERM, sem_set(self->fd, 0, 1));
	EXPECT_EQ(getpid(), sem_get(self->fd, 0).holder);
}

TEST_F(owned, read_write_and_poll)
{
	struct child child;
	uint64_t n = 1;

	EXPECT_EQ(POLLIN, poll_now(self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(8, plain_read(self->fd, &n, 8));
	EXPECT_EQ(POLLOUT, poll_now(self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(-EDEADLK, plain_read(self->fd, &n, 8));
	n = 1;
	EXPECT_EQ(8, plain_write(self->fd, &n, 8));
	EXPECT_EQ(-EPERM, plain_write(self->fd, &n, 8));
	child = child_start(BY_KILL, take_first, self->fd);
	child_end(&child, BY_KILL);
	EXPECT_EQ(-EOWNERDEAD, plain_read(self->fd, &n, 8));
	EXPECT_EQ(getpid(), sem_get(self->fd, 0).holder);
}

/* Two threads wait for what another process has: the second waits for the first then. */
TEST_F(owned, a_sibling_was_given_it)
{
	struct child child = child_start(BY_KILL, take_first, self->fd);
	pthread_t threads[2];
	void *results[2];
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, take_and_stay, &self->fd));
	ASSERT_TRUE(sem_waiting(self->fd, 0, 2, 0));
	child_end(&child, BY_KILL);
	EXPECT_TRUE(sem_waiting(self->fd, 0, 1, 0));
	EXPECT_EQ(getpid(), sem_get(self->fd, 0).holder);
	/* Who comes now is refused. */
	EXPECT_EQ(-EDEADLK, sem_one(self->fd, 0, -1, 0));
	EXPECT_EQ(0, sem_one(self->fd, 0, 1, 0));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(threads[i], &results[i]));
	EXPECT_EQ(-EOWNERDEAD, (long)results[0] + (long)results[1]);
	EXPECT_EQ(getpid(), sem_get(self->fd, 0).holder);
}

/* Conservation, under kill -9. */

#define KILLED		16
#define KILL_SECONDS	60

/* Takes what it gives back, of one or of two at once; so nothing is undone below 0. */
static void juggle(int fd, uint32_t seed)
{
	uint32_t random = seed | 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		uint32_t a = random_next(&random) % 4, b = random_next(&random) % 4;
		int32_t n = random_next(&random) % 3 + 1;
		struct ipcx_sem_op take[] = { sem_step(a, -n, UNDO), sem_step(b, -1, UNDO) };
		struct ipcx_sem_op give[] = { sem_step(b, 1, UNDO), sem_step(a, n, UNDO) };
		uint32_t count = 1 + random_next(&random) % 2;

		if (ref_sem_op(fd, ref_self(), take, count, 0, deadline_ms(20)))
			continue;
		usleep(random_next(&random) % 500);
		if (count == 1)
			sem_one(fd, a, n, UNDO);
		else if (random_next(&random) % 2)
			sem_ops(fd, give, 2, 0);
		else if (!sem_one(fd, a, n, UNDO))
			sem_one(fd, b, 1, UNDO);
	}
}

static pid_t juggler(int fd, uint32_t seed)
{
	pid_t pid = fork();

	if (!pid)
		juggle(fd, seed);
	return pid;
}

/* When all are dead it is as if none had been. */
TEST_F_TIMEOUT(undo, conserved_under_kill, 3 * KILL_SECONDS)
{
	uint64_t until = now_ns(CLOCK_MONOTONIC) + scaled(KILL_SECONDS) * 1000000000ULL;
	uint32_t random = getpid(), seed = 1, i;
	pid_t pids[KILLED];
	int killed = 0;

	for (i = 0; i < KILLED; i++)
		pids[i] = juggler(self->fd, seed++);
	while (now_ns(CLOCK_MONOTONIC) < until) {
		i = random_next(&random) % KILLED;
		usleep(random_next(&random) % 5000);
		kill(pids[i], SIGKILL);
		ASSERT_EQ(128 + SIGKILL, reap(pids[i]));
		pids[i] = juggler(self->fd, seed++);
		killed++;
	}
	for (i = 0; i < KILLED; i++)
		kill(pids[i], SIGKILL);
	for (i = 0; i < KILLED; i++)
		ASSERT_EQ(128 + SIGKILL, reap(pids[i]));
	EXPECT_LT(0, killed);
	EXPECT_TRUE(values_are(self->fd, 5, 5, 5, 5));
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 0));
}

struct guarded {
	pid_t inside;
	uint64_t count;
	uint64_t violations;
	uint64_t told;
};

static void guard(int fd, struct guarded *g)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int ret = sem_one(fd, 0, -1, 0), i;

		if (ret && ret != -EOWNERDEAD)
			_exit(1);
		/* Who died inside has left his number; it is nobody else's. */
		if (!ret && __atomic_load_n(&g->inside, __ATOMIC_SEQ_CST))
			g->violations++;
		g->told += ret == -EOWNERDEAD;
		__atomic_store_n(&g->inside, getpid(), __ATOMIC_SEQ_CST);
		for (i = 0; i < 50; i++)
			g->count++;
		if (__atomic_load_n(&g->inside, __ATOMIC_SEQ_CST) != getpid())
			g->violations++;
		__atomic_store_n(&g->inside, 0, __ATOMIC_SEQ_CST);
		if (sem_one(fd, 0, 1, 0))
			_exit(2);
	}
}

static pid_t guard_start(int fd, struct guarded *g)
{
	pid_t pid = fork();

	if (!pid)
		guard(fd, g);
	return pid;
}

/* As a lock it excludes, whoever dies inside, and says so. */
TEST_F_TIMEOUT(owned, excludes_under_kill, 3 * KILL_SECONDS)
{
	uint64_t until = now_ns(CLOCK_MONOTONIC) + scaled(KILL_SECONDS / 2) * 1000000000ULL;
	struct guarded *g = mmap(NULL, sizeof(*g), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t random = getpid(), i;
	pid_t pids[KILLED];

	ASSERT_NE(MAP_FAILED, (void *)g);
	for (i = 0; i < KILLED; i++)
		pids[i] = guard_start(self->fd, g);
	while (now_ns(CLOCK_MONOTONIC) < until) {
		pid_t holder = sem_get(self->fd, 0).holder;

		/* Mostly the one inside, if it is there still. */
		usleep(random_next(&random) % 3000);
		for (i = 0; i < KILLED && pids[i] != holder; i++)
			;
		i = i < KILLED ? i : random_next(&random) % KILLED;
		kill(pids[i], SIGKILL);
		ASSERT_EQ(128 + SIGKILL, reap(pids[i]));
		pids[i] = guard_start(self->fd, g);
	}
	for (i = 0; i < KILLED; i++)
		kill(pids[i], SIGKILL);
	for (i = 0; i < KILLED; i++)
		EXPECT_EQ(128 + SIGKILL, reap(pids[i]));
	EXPECT_EQ(0, g->violations);
	EXPECT_LT(0, g->told);
	EXPECT_LT(0, g->count);
	EXPECT_EQ(0, sem_get(self->fd, 0).holder);
	EXPECT_EQ(1, sem_value(self->fd, 0));
}

TEST_HARNESS_MAIN
