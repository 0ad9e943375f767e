// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of WAIT and SELECT with many tasks at once: what there is in all stays the same, and
 * nobody sleeps on what he could have.
 */
#include "select_test.h"

#define TASKS		6

/*
 * struct tally - what tasks tell each other
 * @go:		a round has begun, or all of it is over
 * @ready:	so many wait for the round
 * @taken:	by each task, of each item
 */
struct tally {
	int go;
	int ready;
	uint64_t taken[TASKS][ITEMS];
};

static int load(const int *n)
{
	return __atomic_load_n(n, __ATOMIC_SEQ_CST);
}

FIXTURE(race) {
	int dev;
	struct ends e;
	int q;
	int s;
	int t;
	struct tally *tally;
	pid_t pids[TASKS];
};

FIXTURE_SETUP(race)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, 4096);
	self->q = queue_new(self->dev, 16, 65536);
	self->s = sem_new_of(self->dev, 4, 0);
	self->t = sem_new_of(self->dev, 4, 0);
	self->tally = mmap(NULL, sizeof(*self->tally), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->tally);
}

FIXTURE_TEARDOWN(race)
{
	munmap(self->tally, sizeof(*self->tally));
	ends_close(&self->e);
	close(self->q);
	close(self->s);
	close(self->t);
	close(self->dev);
}

static uint64_t taken(const struct tally *tally, uint32_t item)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < TASKS; i++)
		sum += __atomic_load_n(&tally->taken[i][item], __ATOMIC_SEQ_CST);
	return sum;
}

/* Takes one thing after the other until the one of semaphore 3, which says that it is over. */
static int take_all(const struct _test_data_race *self, int task)
{
	static unsigned char buf[ITEMS * ITEM_BYTES];
	struct many_call call = { .nr = 4, .items = {
		{ .fd = self->e.r, .kind = IT_READ, .n = 1 },
		{ .fd = self->q, .kind = IT_RECV, .n = 100 },
		{ .fd = self->s, .kind = IT_OP, .n = -1, .at = 0 },
		{ .fd = self->s, .kind = IT_OP, .n = -1, .at = 3 } } };
	uint32_t index;
	int ret;

	do {
		ret = many_do(&call, deadline_never(), buf, &index);
		if (ret < 0 || index > 3)
			return 1;
		__atomic_fetch_add(&self->tally->taken[task][index], 1, __ATOMIC_SEQ_CST);
	} while (index != 3);
	return 0;
}

/* Puts @n into the pipe, the queue or the set, waiting for space. */
static int put_all(const struct _test_data_race *self, int where, int n)
{
	char byte = 0;
	int i, ret = 1;

	for (i = 0; i < n && ret >= 0; i++)
		ret = where == 0 ? (int)plain_write(self->e.w, &byte, 1) :
		      where == 1 ? queue_send_until(self->q, 1, &byte, 1, 0, deadline_never()) :
				   sem_one(self->s, 0, 1, 0);
	return ret < 0;
}

/* Three put, at once, and four take; as many are taken as were put. */
TEST_F_TIMEOUT(race, totals, 300)
{
	const int n = scaled(20000);
	pid_t puts[3];
	int i;

	for (i = 0; i < 4; i++) {
		self->pids[i] = fork();
		if (!self->pids[i])
			_exit(take_all(self, i));
	}
	for (i = 0; i < 3; i++) {
		puts[i] = fork();
		if (!puts[i])
			_exit(put_all(self, i, n));
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, reap(puts[i]));
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(wait_until(taken(self->tally, i) == (uint64_t)n));
	EXPECT_EQ(0, sem_one(self->s, 3, 4, 0));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, reap(self->pids[i]));
	for (i = 0; i < 3; i++)
		EXPECT_EQ((uint64_t)n, taken(self->tally, i));
	EXPECT_EQ(0, pipe_used(self->e.r));
	EXPECT_EQ(0, queue_msgs(self->q));
	EXPECT_TRUE(values_are(self->s, 0, 0, 0, 0));
}

/* Waits for the next round, and puts one. */
static int put_in_rounds(const struct _test_data_race *self, int where, int rounds)
{
	int round;

	for (round = 1; round <= rounds; round++) {
		__atomic_fetch_add(&self->tally->ready, 1, __ATOMIC_SEQ_CST);
		while (load(&self->tally->go) < round)
			sched_yield();
		if (put_all(self, where, 1))
			return 1;
	}
	return 0;
}

/* All are made ready at one moment: one is taken, and the others are there. */
TEST_F_TIMEOUT(race, same_instant, 300)
{
	static unsigned char buf[ITEMS * ITEM_BYTES];
	const int rounds = scaled(1000);
	struct many_call call = { .nr = 3, .items = {
		{ .fd = self->e.r, .kind = IT_READ, .n = 1 },
		{ .fd = self->q, .kind = IT_RECV, .n = 100 },
		{ .fd = self->s, .kind = IT_OP, .n = -1, .at = 0 } } };
	uint32_t index, others;
	int i, round, left;

	for (i = 0; i < 3; i++) {
		self->pids[i] = fork();
		if (!self->pids[i])
			_exit(put_in_rounds(self, i, rounds));
	}
	for (round = 1; round <= rounds; round++) {
		ASSERT_TRUE(wait_until(load(&self->tally->ready) == 3 * round));
		__atomic_store_n(&self->tally->go, round, __ATOMIC_SEQ_CST);
		ASSERT_LE(0, many_do(&call, deadline_patience(), buf, &index));
		ASSERT_LT(index, 3);
		for (left = 7 & ~(1 << index); left; left &= ~(1 << others)) {
			ASSERT_LE(0, many_do(&call, deadline_patience(), buf, &others));
			ASSERT_TRUE(left & 1 << others);
		}
		ASSERT_EQ(-EAGAIN, many_now(call, &index));
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, reap(self->pids[i]));
}

/* Two who send and receive at once on the same queues, both ways: none is lost. */
static int pass_on(const struct _test_data_race *self, int from, int to, int task)
{
	static unsigned char buf[ITEMS * ITEM_BYTES];
	struct many_call call = { .nr = 3, .items = {
		{ .fd = from, .kind = IT_RECV, .n = 1 },
		{ .fd = to, .kind = IT_SEND, .n = 1, .at = 1 },
		{ .fd = self->s, .kind = IT_OP, .n = -1, .at = 3 } } };
	uint32_t index;

	do {
		if (many_do(&call, deadline_never(), buf, &index) < 0)
			return 1;
		__atomic_fetch_add(&self->tally->taken[task][index], 1, __ATOMIC_SEQ_CST);
	} while (index != 2);
	return 0;
}

TEST_F_TIMEOUT(race, senders_who_receive, 300)
{
	int p = queue_new(self->dev, 2, 65536), r = queue_new(self->dev, 2, 65536);
	const uint64_t n = scaled(20000);
	int i;

	for (i = 0; i < 4; i++) {
		self->pids[i] = fork();
		if (!self->pids[i])
			_exit(pass_on(self, i & 1 ? p : r, i & 1 ? r : p, i));
	}
	EXPECT_TRUE(wait_until(taken(self->tally, 0) >= n));
	EXPECT_EQ(0, sem_one(self->s, 3, 4, 0));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, reap(self->pids[i]));
	EXPECT_EQ(taken(self->tally, 1), taken(self->tally, 0) + queue_msgs(p) + queue_msgs(r));
	close(p);
	close(r);
}

/* Takes two forks at once, of sets of their own, and lays them back. */
static int dine(const int *forks, int task, int meals)
{
	struct many_call call = { .nr = 2, .flags = IPCX_WAIT_ALL, .items = {
		{ .fd = forks[task], .kind = IT_DOWN, .n = 1, .flags = UNDO },
		{ .fd = forks[(task + 1) % 5], .kind = IT_DOWN, .n = 1, .flags = UNDO } } };
	uint32_t index;

	while (meals--) {
		if (many_do(&call, deadline_never(), NULL, &index) ||
		    sem_one(forks[task], 0, 1, UNDO) || sem_one(forks[(task + 1) % 5], 0, 1, UNDO))
			return 1;
	}
	return 0;
}

TEST_F_TIMEOUT(race, philosophers, 300)
{
	const int meals = scaled(3000);
	int forks[5], i;

	for (i = 0; i < 5; i++)
		forks[i] = sem_new_of(self->dev, 1, 1);
	for (i = 0; i < 5; i++) {
		self->pids[i] = fork();
		if (!self->pids[i])
			_exit(dine(forks, i, meals));
	}
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, reap(self->pids[i]));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(1, sem_value(forks[i], 0));
		close(forks[i]);
	}
}

/* As dine(), for ever, or takes one of the two. */
static void take_until_killed(const int *forks, int task)
{
	struct many_call call = { .nr = 2, .flags = task & 1 ? IPCX_WAIT_ALL : 0, .items = {
		{ .fd = forks[0], .kind = IT_DOWN, .n = 2, .flags = UNDO },
		{ .fd = forks[1], .kind = IT_DOWN, .n = 1, .flags = UNDO } } };
	uint32_t index;

	for (;;) {
		if (many_do(&call, deadline_never(), NULL, &index))
			_exit(1);
		if (index != 1)
			sem_one(forks[0], 0, 2, UNDO);
		if (index)
			sem_one(forks[1], 0, 1, UNDO);
	}
}

/* Who is killed, wherever that is, gives back what he has taken. */
TEST_F_TIMEOUT(race, killed, 300)
{
	const int kills = scaled(400);
	int forks[2], i, victim;
	uint32_t seed = 1;

	for (i = 0; i < 2; i++)
		forks[i] = sem_new_of(self->dev, 1, 3);
	for (i = 0; i < TASKS; i++) {
		self->pids[i] = fork();
		if (!self->pids[i])
			take_until_killed(forks, i);
	}
	for (i = 0; i < kills; i++) {
		usleep(random_next(&seed) % 3000);
		victim = random_next(&seed) % TASKS;
		kill(self->pids[victim], SIGKILL);
		ASSERT_EQ(128 + SIGKILL, reap(self->pids[victim]));
		self->pids[victim] = fork();
		if (!self->pids[victim])
			take_until_killed(forks, victim);
	}
	for (i = 0; i < TASKS; i++) {
		kill(self->pids[i], SIGKILL);
		EXPECT_EQ(128 + SIGKILL, reap(self->pids[i]));
	}
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(3, sem_value(forks[i], 0));
		EXPECT_TRUE(pipe_waiting(forks[i], 0, 0));
		close(forks[i]);
	}
}

/* Objects come to their end while many wait for them. */
TEST_F_TIMEOUT(race, removed, 300)
{
	int round, i, q, s, ret;
	struct ends e;

	for (round = 0; round < scaled(100); round++) {
		q = queue_new(self->dev, 4, 4096);
		s = sem_new_of(self->dev, 2, 0);
		e = ends_open(self->dev, 4096);
		for (i = 0; i < TASKS; i++) {
			struct many_call call = { .nr = 3, .items = {
				{ .fd = q, .kind = IT_RECV, .n = 10 },
				{ .fd = s, .kind = IT_OP, .n = -1 },
				{ .fd = e.r, .kind = IT_READ, .n = 10 } } };
			struct many_call all = { .nr = 3, .flags = IPCX_WAIT_ALL, .items = {
				{ .fd = q, .kind = IT_READABLE },
				{ .fd = s, .kind = IT_DOWN, .n = 1 },
				{ .fd = e.r, .kind = IT_READABLE } } };
			uint32_t index;

			self->pids[i] = fork();
			if (self->pids[i])
				continue;
			ret = many_do(i & 1 ? &all : &call, deadline_patience(), NULL, &index);
			_exit(ret != -EIDRM || index > 2);
		}
		usleep(round % 10 * 1000);
		ASSERT_EQ(0, fd_remove(round % 3 == 0 ? q : round % 3 == 1 ? s : e.r));
		for (i = 0; i < TASKS; i++)
			ASSERT_EQ(0, reap(self->pids[i]));
		close(q);
		close(s);
		ends_close(&e);
	}
}

/* Receives a message from either queue, wanting those of the first in as many ways as it may. */
static int recv_wide(int wide, int other)
{
	struct ipcx_msg msg[IPCX_WAIT_MAX];
	struct ipcx_recv recv[IPCX_WAIT_MAX];
	struct ipcx_case cases[IPCX_WAIT_MAX];
	uint32_t index;
	char byte;
	int i;

	for (i = 0; i < IPCX_WAIT_MAX; i++) {
		bool is_other = i == IPCX_WAIT_MAX - 1;

		msg[i] = msg_room(&byte, 1);
		recv[i] = (struct ipcx_recv) {
			.msgs = (uintptr_t)&msg[i],
			.count = 1,
			.msg_size = sizeof(msg[i]),
			.select = is_other ? select_any() : select_range(1, INT64_MAX - 1),
			.deadline = deadline_never(),
		};
		cases[i] = (struct ipcx_case) {
			.fd = is_other ? other : wide,
			.cmd = IPCX_IOC_RECV,
			.arg = (uintptr_t)&recv[i],
		};
	}
	if (select_for(wide, cases, IPCX_WAIT_MAX, 0, deadline_never(), &index) != 1)
		return 1;
	return index != IPCX_WAIT_MAX - 1;
}

/* Asks a queue for what it hasn't got, on any CPU but the first, and counts. */
static void ask_on(const struct _test_data_race *self, int queue)
{
	struct ipcx_msg msg;
	cpu_set_t others;
	char byte;
	int i;

	CPU_ZERO(&others);
	for (i = 1; i < CPU_SETSIZE; i++)
		CPU_SET(i, &others);
	if (sched_setaffinity(0, sizeof(others), &others))
		_exit(1);
	while (queue_recv(queue, select_exact(5), &msg, &byte, 1, IPCX_NONBLOCK) == -EAGAIN)
		__atomic_fetch_add(&self->tally->taken[0][0], 1, __ATOMIC_SEQ_CST);
	_exit(2);
}

#define DECIDED		16

/*
 * Some are given something from one queue, and don't run; then a message is sent to the
 * other. How often somebody asks it meanwhile; -1 if something is wrong.
 */
static int ask_while_dropped(const struct _test_data_race *self, int wide, int other)
{
	const struct sched_param none = {};
	struct ipcx_msg msg;
	pid_t pids[DECIDED];
	bool ok = true;
	uint64_t asked;
	char byte;
	int i;

	for (i = 0; i < DECIDED; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(recv_wide(wide, other));
	}
	ok &= pipe_waiting(wide, DECIDED * (IPCX_WAIT_MAX - 1), 0);
	ok &= pipe_waiting(other, DECIDED, 0);
	/* None of them runs from here on. */
	for (i = 0; i < DECIDED; i++)
		ok &= alone_on_cpu(pids[i]);
	for (i = 0; i < DECIDED; i++)
		ok &= queue_send(other, 1, "x", 1, IPCX_NONBLOCK) == 1;
	asked = taken(self->tally, 0);
	ok &= queue_send(wide, 7, "x", 1, IPCX_NONBLOCK) == 1;
	asked = taken(self->tally, 0) - asked;
	ok &= !sched_setscheduler(0, SCHED_OTHER, &none);
	for (i = 0; i < DECIDED; i++)
		ok &= !reap(pids[i]);
	ok &= queue_recv(wide, select_any(), &msg, &byte, 1, IPCX_NONBLOCK) == 1;
	return ok ? (int)asked : -1;
}

/*
 * Who has been given something elsewhere, and hasn't run yet, is dropped by who sends: that
 * may be many, each in the index a hundred times over, but others get at the queue meanwhile.
 * Some times, for who asks may not run himself for as long.
 */
TEST_F_TIMEOUT(race, dropped_between_others, 300)
{
	int wide = queue_new(self->dev, 16, 4096), other = queue_new(self->dev, DECIDED, 4096);
	int rounds, asked = 0;
	pid_t asks;

	asks = fork();
	if (!asks)
		ask_on(self, wide);
	ASSERT_TRUE(wait_until(taken(self->tally, 0) > 0));
	for (rounds = 0; rounds < 10 && asked >= 0 && asked <= 20; rounds++)
		asked = ask_while_dropped(self, wide, other);
	ksft_print_msg("%d meanwhile, round %d\n", asked, rounds);
	EXPECT_LT(20, asked);
	kill(asks, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, reap(asks));
	close(wide);
	close(other);
}

TEST_HARNESS_MAIN
