// SPDX-License-Identifier: GPL-2.0
/*
 * What semop(2), semtimedop(2) and semctl(2) say of System V's semaphores, tried on those and
 * on ours: each test is one story, told by either, and must end the same. Where ours give
 * another errno on purpose, that is said in errno_of().
 */
#include "sem_actor_test.h"

#include <sys/ipc.h>
#include <sys/sem.h>

#define SEMS		4

/* The largest value of System V's. */
#define LARGEST		32767

FIXTURE(semop) {
	bool ours;
	int dev;
	int fd;
	int id;
};

FIXTURE_VARIANT(semop) {
	bool ours;
};

FIXTURE_VARIANT_ADD(semop, sysv) { .ours = false };
FIXTURE_VARIANT_ADD(semop, ipcx) { .ours = true };

FIXTURE_SETUP(semop)
{
	const struct ipcx_sem_params params = { .count = SEMS, .max = LARGEST };

	self->ours = variant->ours;
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->fd = sem_new(self->dev, params);
	self->id = semget(IPC_PRIVATE, SEMS, 0600);
	ASSERT_GE(self->id, 0);
}

FIXTURE_TEARDOWN(semop)
{
	semctl(self->id, 0, IPC_RMID);
	close(self->fd);
	close(self->dev);
}

#define OP(n, d)		((struct sembuf) { .sem_num = (n), .sem_op = (d) })
#define OP_FLAGS(n, d, f)	((struct sembuf) { .sem_num = (n), .sem_op = (d), .sem_flg = (f) })

/*
 * Ours tell a deadline from IPC_NOWAIT, and a value that is too large from an argument that
 * is (mq_open(3) and eventfd(2) do, each in its way).
 */
static int errno_of(int ret)
{
	return ret == -ETIMEDOUT ? -EAGAIN : ret == -EOVERFLOW ? -ERANGE : ret;
}

/* semtimedop(2), or what it is here; @ms less than 0 waits for ever. */
static int operate(const struct _test_data_semop *self, const struct sembuf *ops, size_t n,
		   long ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	struct ipcx_sem_op ours[IPCX_SEM_OPS_MAX + 1];
	size_t i;

	if (!self->ours)
		return semtimedop(self->id, (struct sembuf *)ops, n, ms < 0 ? NULL : &time) ?
			       -errno : 0;
	for (i = 0; i < n; i++)
		ours[i] = sem_step(ops[i].sem_num, ops[i].sem_op,
				   (ops[i].sem_flg & SEM_UNDO ? UNDO : 0) |
				   (ops[i].sem_flg & IPC_NOWAIT ? NOWAIT : 0));
	return errno_of(ref_sem_op(self->fd, ref_self(), ours, n, IPCX_NO_RESTART,
				   ms < 0 ? deadline_never() : deadline_ms(ms)));
}

#define ops_now(self, ...) ({						\
	const struct sembuf ops_[] = { __VA_ARGS__ };			\
	operate(self, ops_, sizeof(ops_) / sizeof(*ops_), -1);		\
})

enum what { VALUE, PID, NCNT, ZCNT };

static int look(const struct _test_data_semop *self, int index, enum what what)
{
	static const int commands[] = { GETVAL, GETPID, GETNCNT, GETZCNT };
	struct ipcx_sem sem;

	if (!self->ours)
		return semctl(self->id, index, commands[what]);
	sem = sem_get(self->fd, index);
	return what == VALUE ? (int)sem.value : what == PID ? sem.pid :
	       what == NCNT ? (int)sem.waiting_down : (int)sem.waiting_zero;
}

static bool all_are(const struct _test_data_semop *self, int a, int b, int c, int d)
{
	return look(self, 0, VALUE) == a && look(self, 1, VALUE) == b &&
	       look(self, 2, VALUE) == c && look(self, 3, VALUE) == d;
}

union semun {
	int val;
	unsigned short *array;
};

static int set_value(const struct _test_data_semop *self, int index, int value)
{
	union semun arg = { .val = value };

	if (!self->ours)
		return semctl(self->id, index, SETVAL, arg) < 0 ? -errno : 0;
	return sem_set(self->fd, index, value);
}

static int set_all(const struct _test_data_semop *self, int a, int b, int c, int d)
{
	unsigned short theirs[SEMS] = { a, b, c, d };
	uint32_t ours[SEMS] = { a, b, c, d };
	union semun arg = { .array = theirs };

	if (!self->ours)
		return semctl(self->id, 0, SETALL, arg) < 0 ? -errno : 0;
	return ref_sem_set(self->fd, ref_self(), 0, SEMS, ours);
}

static int end(const struct _test_data_semop *self)
{
	return self->ours ? fd_remove(self->fd) : semctl(self->id, 0, IPC_RMID);
}

/* A child that does one operation that must wait; its status is the errno. */
static pid_t start(const struct _test_data_semop *self, struct sembuf op)
{
	struct sigaction action = { .sa_handler = count_sigpipe };
	pid_t pid = fork();

	if (pid)
		return pid;
	sigaction(SIGUSR1, &action, NULL);
	_exit(-operate(self, &op, 1, -1));
}

#define ends_with(pid, ret)	(reap(pid) == -(ret))

/* "If sem_op is a positive integer, the operation adds this value." */
TEST_F(semop, positive_adds)
{
	EXPECT_EQ(0, ops_now(self, OP(1, 3)));
	EXPECT_EQ(0, ops_now(self, OP(1, 4)));
	EXPECT_TRUE(all_are(self, 0, 7, 0, 0));
	EXPECT_EQ(getpid(), look(self, 1, PID));
	EXPECT_EQ(0, look(self, 0, PID));
}

/* "If semval is zero, the operation can immediately proceed"; else EAGAIN, or a wait. */
TEST_F(semop, zero_waits_for_zero)
{
	pid_t pid;

	EXPECT_EQ(0, ops_now(self, OP(0, 0)));
	EXPECT_EQ(getpid(), look(self, 0, PID));
	ASSERT_EQ(0, set_value(self, 0, 2));
	EXPECT_EQ(-EAGAIN, ops_now(self, OP_FLAGS(0, 0, IPC_NOWAIT)));
	pid = start(self, OP(0, 0));
	EXPECT_TRUE(wait_until(look(self, 0, ZCNT) == 1));
	EXPECT_EQ(0, look(self, 0, NCNT));
	EXPECT_EQ(0, ops_now(self, OP(0, -1)));
	EXPECT_EQ(1, look(self, 0, ZCNT));
	EXPECT_EQ(0, ops_now(self, OP(0, -1)));
	EXPECT_TRUE(ends_with(pid, 0));
	EXPECT_EQ(0, look(self, 0, ZCNT));
	EXPECT_EQ(pid, look(self, 0, PID));
}

/* "If semval is greater than or equal to the absolute value of sem_op..." */
TEST_F(semop, negative_takes)
{
	pid_t pid;

	ASSERT_EQ(0, set_value(self, 2, 3));
	EXPECT_EQ(0, ops_now(self, OP(2, -2)));
	EXPECT_EQ(-EAGAIN, ops_now(self, OP_FLAGS(2, -2, IPC_NOWAIT)));
	EXPECT_EQ(1, look(self, 2, VALUE));
	pid = start(self, OP(2, -2));
	EXPECT_TRUE(wait_until(look(self, 2, NCNT) == 1));
	EXPECT_EQ(0, ops_now(self, OP(2, 3)));
	EXPECT_TRUE(ends_with(pid, 0));
	EXPECT_EQ(2, look(self, 2, VALUE));
	EXPECT_EQ(0, look(self, 2, NCNT));
}

/* "The set of operations is performed in array order, and atomically." */
TEST_F(semop, array_order_and_atomic)
{
	ASSERT_EQ(0, set_all(self, 1, 1, 0, 0));
	EXPECT_EQ(-EAGAIN, ops_now(self, OP(0, -1), OP(1, 5),
				   OP_FLAGS(2, -1, IPC_NOWAIT), OP(3, 1)));
	EXPECT_TRUE(all_are(self, 1, 1, 0, 0));
	EXPECT_EQ(0, ops_now(self, OP(2, 1), OP_FLAGS(2, -1, IPC_NOWAIT), OP(0, -1)));
	EXPECT_TRUE(all_are(self, 0, 1, 0, 0));
	EXPECT_EQ(-EAGAIN, ops_now(self, OP_FLAGS(2, -1, IPC_NOWAIT), OP(2, 1)));
	EXPECT_EQ(-EAGAIN, ops_now(self, OP(2, 1), OP_FLAGS(2, 0, IPC_NOWAIT)));
	EXPECT_EQ(0, ops_now(self, OP(2, 0), OP(2, 1)));
	EXPECT_TRUE(all_are(self, 0, 1, 1, 0));
}

/* The flag of the operation that can't be done is the one that counts. */
TEST_F(semop, nowait_of_which)
{
	const struct sembuf waits[] = { OP_FLAGS(0, 1, IPC_NOWAIT), OP(1, -1) };

	EXPECT_EQ(-EAGAIN, operate(self, waits, 2, 50));
	EXPECT_TRUE(all_are(self, 0, 0, 0, 0));
}

TEST_F(semop, errors)
{
	struct sembuf many[IPCX_SEM_OPS_MAX + 1] = {};

	EXPECT_EQ(-EFBIG, ops_now(self, OP(SEMS, 1)));
	EXPECT_EQ(-EFBIG, ops_now(self, OP(0, 1), OP(SEMS, 0)));
	EXPECT_EQ(0, look(self, 0, VALUE));
	EXPECT_EQ(-EINVAL, operate(self, many, 0, -1));
	EXPECT_EQ(-E2BIG, operate(self, many, 501 + self->ours * 12, -1));
	ASSERT_EQ(0, set_value(self, 0, LARGEST - 1));
	EXPECT_EQ(0, ops_now(self, OP(0, 1)));
	EXPECT_EQ(-ERANGE, ops_now(self, OP(1, 1), OP(0, 1)));
	EXPECT_EQ(0, look(self, 1, VALUE));
	EXPECT_EQ(-ERANGE, set_value(self, 0, LARGEST + 1));
	EXPECT_EQ(LARGEST, look(self, 0, VALUE));
}

/* "The semaphore set is removed: EIDRM. The calling thread catches a signal: EINTR." */
TEST_F(semop, removal_and_signals)
{
	pid_t pid = start(self, OP(0, -1));

	ASSERT_TRUE(wait_until(look(self, 0, NCNT) == 1));
	kill(pid, SIGUSR1);
	EXPECT_TRUE(ends_with(pid, -EINTR));
	EXPECT_EQ(0, look(self, 0, NCNT));
	pid = start(self, OP(0, -1));
	ASSERT_TRUE(wait_until(look(self, 0, NCNT) == 1));
	ASSERT_EQ(0, end(self));
	EXPECT_TRUE(ends_with(pid, -EIDRM));
}

/* "If the specified time limit has been reached, semtimedop() fails with EAGAIN." */
TEST_F(semop, timeouts)
{
	const struct sembuf take = OP(0, -1);

	EXPECT_EQ(-EAGAIN, operate(self, &take, 1, 0));
	EXPECT_EQ(-EAGAIN, operate(self, &take, 1, 50));
	EXPECT_EQ(0, look(self, 0, NCNT));
	ASSERT_EQ(0, set_value(self, 0, 1));
	EXPECT_EQ(0, operate(self, &take, 1, 0));
}

/* SETVAL and SETALL serve those who wait. */
TEST_F(semop, setting_serves)
{
	pid_t down = start(self, OP(0, -2)), zero;

	ASSERT_TRUE(wait_until(look(self, 0, NCNT) == 1));
	ASSERT_EQ(0, set_value(self, 0, 3));
	EXPECT_TRUE(ends_with(down, 0));
	EXPECT_EQ(1, look(self, 0, VALUE));
	zero = start(self, OP(0, 0));
	ASSERT_TRUE(wait_until(look(self, 0, ZCNT) == 1));
	ASSERT_EQ(0, set_all(self, 0, 1, 2, 3));
	EXPECT_TRUE(ends_with(zero, 0));
	EXPECT_TRUE(all_are(self, 0, 1, 2, 3));
}

/* Undo: at whatever end, and not before. */
TEST_F(semop, undo_at_exit_and_at_kill)
{
	pid_t pid;

	ASSERT_EQ(0, set_all(self, 5, 5, 5, 5));
	pid = fork();
	if (!pid)
		_exit(ops_now(self, OP_FLAGS(0, -3, SEM_UNDO), OP_FLAGS(1, 2, SEM_UNDO),
			      OP(2, -1)) != 0);
	EXPECT_EQ(0, reap(pid));
	EXPECT_TRUE(all_are(self, 5, 5, 4, 5));
	EXPECT_EQ(pid, look(self, 0, PID));
	pid = fork();
	if (!pid) {
		ops_now(self, OP_FLAGS(0, -5, SEM_UNDO), OP_FLAGS(3, -5, SEM_UNDO));
		for (;;)
			pause();
	}
	EXPECT_TRUE(wait_until(look(self, 3, VALUE) == 0));
	kill(pid, SIGKILL);
	reap(pid);
	EXPECT_TRUE(all_are(self, 5, 5, 4, 5));
}

/* "Performs as much of the undo as it can": no less than 0. */
TEST_F(semop, undo_stops_at_zero)
{
	pid_t pid = fork();

	if (!pid)
		_exit(ops_now(self, OP_FLAGS(0, 5, SEM_UNDO)) ||
		      ops_now(self, OP(0, -3)));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(0, look(self, 0, VALUE));
}

/* "SETVAL: undo entries are cleared for altered semaphores in all processes." */
TEST_F(semop, setting_clears_undo)
{
	pid_t pid;

	ASSERT_EQ(0, set_all(self, 5, 5, 5, 5));
	pid = fork();
	if (!pid) {
		if (ops_now(self, OP_FLAGS(0, -1, SEM_UNDO), OP_FLAGS(1, -1, SEM_UNDO)) ||
		    set_value(self, 0, 5))
			_exit(1);
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_TRUE(all_are(self, 5, 5, 5, 5));
}

/* "In a child created by fork(2) the semadj values are cleared." */
TEST_F(semop, fork_does_not_inherit)
{
	pid_t pid = fork();

	if (!pid) {
		ops_now(self, OP_FLAGS(0, 1, SEM_UNDO));
		pid = fork();
		if (!pid)
			_exit(0);
		_exit(reap(pid) || look(self, 0, VALUE) != 1);
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(0, look(self, 0, VALUE));
}

static bool runs_sleep(pid_t pid)
{
	char path[64], comm[16] = "";

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	return file_read(path, comm, sizeof(comm)) > 0 && !strncmp(comm, "sleep", 5);
}

/* "The semadj values are preserved across an execve(2)." */
TEST_F(semop, exec_preserves)
{
	pid_t pid = fork();

	if (!pid) {
		ops_now(self, OP_FLAGS(0, 1, SEM_UNDO));
		execl("/bin/sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	EXPECT_TRUE(wait_until(runs_sleep(pid)));
	EXPECT_EQ(1, look(self, 0, VALUE));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, reap(pid));
	EXPECT_EQ(0, look(self, 0, VALUE));
}

/* One who waits for several is counted where he waits. */
TEST_F(semop, counted_where_it_waits)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-ops_now(self, OP(0, -1), OP(1, -1)));
	EXPECT_TRUE(wait_until(look(self, 0, NCNT) == 1));
	EXPECT_EQ(0, look(self, 1, NCNT));
	EXPECT_EQ(0, ops_now(self, OP(0, 1)));
	EXPECT_TRUE(wait_until(look(self, 1, NCNT) == 1));
	EXPECT_EQ(0, look(self, 0, NCNT));
	EXPECT_EQ(0, ops_now(self, OP(1, 1)));
	EXPECT_TRUE(ends_with(pid, 0));
}

TEST_HARNESS_MAIN
