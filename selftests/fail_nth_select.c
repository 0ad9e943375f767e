// SPDX-License-Identifier: GPL-2.0
/*
 * WAIT and SELECT with each allocation failing in turn, then with each copy from and to user
 * memory. See fail_nth_test.h. A call that failed has left messages and values as they were,
 * and stands in no line; the calls look themselves, and give EPROTO if not.
 */
#include "fail_nth_test.h"
#include "sem_test.h"

#include <ipcx.h>

/* More operations than are on the kernel's stack. */
#define MANY	8

static struct ipcx_sem_op downs[MANY];

static uint64_t messages(int queue)
{
	struct ipcx_stat st;

	return fd_stat(queue, &st) ? ~0ULL : st.msgs;
}

/* A set of MANY semaphores, each 5, and in s->made a full queue of two messages. */
static bool stage_both(struct stage *s)
{
	const struct ipcx_queue_params two = { .max_msgs = 2, .max_bytes = 4096 };
	unsigned int i;

	for (i = 0; i < MANY; i++)
		downs[i] = sem_step(i, -1, 0);
	s->fd = sem_create(s->dev, s->name, PERSISTENT, (struct ipcx_sem_params) {
		.count = MANY, .value = 5,
	});
	s->made = ipcx_queue_create(s->dev, NULL, RDWR, &two, NULL);
	return s->fd >= 0 && !fd_stat(s->fd, &s->st) && write(s->made, "one", 3) == 3 &&
	       write(s->made, "two", 3) == 3;
}

static bool nothing_waits(struct stage *s)
{
	struct ipcx_stat set, queue;

	return !fd_stat(s->fd, &set) && !fd_stat(s->made, &queue) && !set.waiting_readers &&
	       !set.waiting_writers && !queue.waiting_readers && !queue.waiting_writers;
}

static bool all_are(int fd, uint32_t value)
{
	struct ipcx_sem sems[MANY];
	unsigned int i, right = 0;

	if (ref_sem_get(fd, ref_self(), 0, MANY, sems))
		return false;
	for (i = 0; i < MANY; i++)
		right += sems[i].value == value;
	return right == MANY;
}

static int left(struct stage *s, int ret)
{
	if (!nothing_waits(s) || (ret < 0 && (!all_are(s->fd, 5) || messages(s->made) != 2)))
		return -EPROTO;
	return ret == -ETIMEDOUT ? 0 : ret;
}

/* What can be done at once: a vector. */
static int select_op(struct stage *s)
{
	const struct ipcx_select other = ipcx_select_exact(99);
	union ipcx_case_arg args[2];
	struct ipcx_msg msg = { 0 };
	struct ipcx_case cases[] = {
		ipcx_case_recv(s->made, &args[0], &msg, 1, &other, 0),
		ipcx_case_sem(s->fd, &args[1], downs, MANY),
	};

	return left(s, armed(s, ipcx_select(cases, 2, 0, NULL, NULL)));
}

static bool undo_op(struct stage *s, int ret)
{
	uint32_t values[MANY];
	bool right = ret == 0 && all_are(s->fd, 4);
	unsigned int i;

	for (i = 0; i < MANY; i++)
		values[i] = 5;
	ref_sem_set(s->fd, ref_self(), 0, MANY, values);
	return right;
}

/* What can't: each has to be listed, and is taken off again when the time is over. */
static int select_that_waits(struct stage *s)
{
	/* Interests in many types need memory. */
	const struct ipcx_select other = ipcx_select_exact(99);
	const struct ipcx_select many = ipcx_select_range(50, 1000000);
	struct ipcx_deadline deadline = ipcx_deadline_after(5000000);
	const struct ipcx_sem_op down = sem_step(0, -6, 0);
	union ipcx_case_arg args[4];
	struct ipcx_msg msg = { 0 };
	struct ipcx_case cases[] = {
		ipcx_case_recv(s->made, &args[0], &msg, 1, &other, 0),
		ipcx_case_write(s->made, &args[1], "x", 1),
		ipcx_case_sem(s->fd, &args[2], &down, 1),
		ipcx_case_recv(s->made, &args[3], &msg, 1, &many, 0),
	};

	return left(s, armed(s, ipcx_select(cases, 4, 0, &deadline, NULL)));
}

static int wait_any(struct stage *s)
{
	struct ipcx_condition c = { .fd = s->fd, .what = IPCX_DOWN, .down = 6 };
	struct ipcx_deadline deadline = ipcx_deadline_after(5000000);

	return left(s, armed(s, ipcx_wait(&c, 1, 0, &deadline, NULL)));
}

static int wait_all(struct stage *s)
{
	struct ipcx_condition c[MANY + 1];
	uint32_t i;

	for (i = 0; i < MANY; i++)
		c[i] = (struct ipcx_condition) {
			.fd = s->fd, .what = IPCX_DOWN, .index = i, .down = 1,
		};
	c[MANY] = (struct ipcx_condition) { .fd = s->made, .what = IPCX_READABLE };
	return left(s, armed(s, ipcx_wait(c, MANY + 1, IPCX_WAIT_ALL, NULL, NULL)));
}

static bool undo_none(struct stage *s, int ret)
{
	return ret == 0 && all_are(s->fd, 5) && messages(s->made) == 2;
}

/* The table. */

FIXTURE(fail_nth_select) {
	struct stage *s;
};

FIXTURE_VARIANT(fail_nth_select) {
	struct trial trial;
};

#define ROW(name, undo_)						\
	FIXTURE_VARIANT_ADD(fail_nth_select, name) {			\
		.trial = { .call = name, .undo = undo_ },		\
	}

ROW(select_op, undo_op);
ROW(select_that_waits, undo_none);
ROW(wait_any, undo_none);
ROW(wait_all, undo_op);

FIXTURE_SETUP(fail_nth_select)
{
	track_cleanup();
	self->s = stage_make();
	self->s->dev = dev_open();
	ASSERT_GE(self->s->dev, 0);
	ASSERT_TRUE(settled(self->s->dev));
	ASSERT_TRUE(stage_both(self->s));
}

FIXTURE_TEARDOWN_PARENT(fail_nth_select)
{
	track_cleanup();
}

TEST_F_TIMEOUT(fail_nth_select, memory, 300)
{
	ASSERT_TRUE(fail_setup(FAIL_MEMORY));
	fail_all(_metadata, self->s, FAIL_MEMORY, &variant->trial, true);
}

TEST_F_TIMEOUT(fail_nth_select, copy, 300)
{
	ASSERT_TRUE(fail_setup(FAIL_COPY));
	fail_all(_metadata, self->s, FAIL_COPY, &variant->trial, true);
}

FAIL_NTH_MAIN
