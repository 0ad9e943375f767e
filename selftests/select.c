// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of WAIT and SELECT on one task: what is done, what is not, and what they say.
 * select_race.c has those with many tasks.
 */
#include "select_test.h"

#include <pthread.h>

FIXTURE(many) {
	int dev;
	struct ends e;
	struct ends other;
	int q;
	int s;
};

FIXTURE_SETUP(many)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, 4096);
	self->other = ends_open(self->dev, 4096);
	self->q = queue_new(self->dev, 4, 65536);
	self->s = sem_new_of(self->dev, 4, 0);
}

FIXTURE_TEARDOWN(many)
{
	ends_close(&self->e);
	ends_close(&self->other);
	close(self->q);
	close(self->s);
	close(self->dev);
}

/* Three that nothing happens to. */
#define NEVER_READ(self)	{ .fd = (self)->other.r, .kind = IT_READ, .n = 10 }
#define NEVER_RECV(self)	{ .fd = (self)->q, .kind = IT_RECV, .n = 100, .at = 99 }
#define NEVER_OP(self)		{ .fd = (self)->s, .kind = IT_OP, .n = -1, .at = 3 }

#define ALL(nr_, ...) ((struct many_call) {				\
	.nr = nr_, .flags = IPCX_WAIT_ALL, .items = { __VA_ARGS__ } })

static int select_now(int fd, const struct ipcx_case *cases, uint32_t nr, uint32_t *index)
{
	return select_for(fd, cases, nr, IPCX_NONBLOCK, deadline_never(), index);
}

static int wait_now(int fd, const struct ipcx_condition *conditions, uint32_t nr, uint32_t *index)
{
	return wait_for(fd, conditions, nr, IPCX_NONBLOCK, deadline_never(), index);
}

/* Requests. */

TEST_F(many, how_many)
{
	struct ipcx_condition conditions[IPCX_WAIT_MAX + 1];
	struct ipcx_case cases[IPCX_WAIT_MAX + 1];
	struct item recv = NEVER_RECV(self), down = { .fd = self->s, .kind = IT_DOWN, .n = 1 };
	struct item_arg arg;
	char buf[100];
	uint32_t i, index;

	for (i = 0; i <= IPCX_WAIT_MAX; i++) {
		cases[i] = item_case(&recv, &arg, buf);
		conditions[i] = item_condition(&down);
	}
	EXPECT_EQ(-EINVAL, select_now(self->dev, cases, 0, &index));
	EXPECT_EQ(IPCX_NO_INDEX, index);
	EXPECT_EQ(-EINVAL, wait_now(self->dev, conditions, 0, &index));
	EXPECT_EQ(IPCX_NO_INDEX, index);
	EXPECT_EQ(-EAGAIN, select_now(self->dev, cases, IPCX_WAIT_MAX, &index));
	EXPECT_EQ(-EAGAIN, wait_now(self->dev, conditions, IPCX_WAIT_MAX, &index));
	EXPECT_EQ(-E2BIG, select_now(self->dev, cases, IPCX_WAIT_MAX + 1, &index));
	EXPECT_EQ(-E2BIG, wait_now(self->dev, conditions, IPCX_WAIT_MAX + 1, &index));
	EXPECT_EQ(IPCX_NO_INDEX, index);
}

TEST_F(many, on_the_device_and_on_a_file)
{
	struct item recv = { .fd = self->q, .kind = IT_RECV, .n = 100 };
	struct item_arg arg;
	struct ipcx_case c;
	char buf[100];
	uint32_t index;

	c = item_case(&recv, &arg, buf);
	ASSERT_EQ(1, queue_put(self->q, 1, 0, 10));
	ASSERT_EQ(1, queue_put(self->q, 1, 0, 10));
	EXPECT_EQ(1, select_now(self->dev, &c, 1, &index));
	EXPECT_EQ(0, index);
	EXPECT_EQ(1, select_now(self->s, &c, 1, &index));
	EXPECT_EQ(-EAGAIN, select_now(self->e.r, &c, 1, &index));
	EXPECT_EQ(IPCX_NO_INDEX, index);
}

TEST_F(many, what_is_wrong_with_which)
{
	struct item recv = NEVER_RECV(self), down = { .fd = self->s, .kind = IT_DOWN, .n = 1 };
	struct item_arg arg;
	struct ipcx_condition conditions[3], *k = &conditions[1];
	struct ipcx_case cases[3], *c = &cases[1];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int reader = fd_open(self->s, IPCX_ACCESS_READ, 0);
	char buf[100];
	uint32_t index;

#define BAD_CASE(want, change) do {					\
	*c = item_case(&recv, &arg, buf);				\
	cases[0] = *c;							\
	cases[2] = *c;							\
	change;								\
	EXPECT_EQ(want, select_now(self->dev, cases, 3, &index));	\
	EXPECT_EQ(1, index);						\
} while (0)
#define BAD_CONDITION(want, change) do {				\
	*k = item_condition(&down);					\
	conditions[0] = *k;						\
	conditions[2] = *k;						\
	change;								\
	EXPECT_EQ(want, wait_now(self->dev, conditions, 3, &index));	\
	EXPECT_EQ(1, index);						\
} while (0)

	BAD_CASE(-EBADF, c->fd = -1);
	BAD_CASE(-EBADF, c->fd = 1000000);
	BAD_CASE(-EOPNOTSUPP, c->fd = null);
	BAD_CASE(-EOPNOTSUPP, c->fd = self->dev);
	BAD_CASE(-EOPNOTSUPP, c->fd = self->e.r);
	BAD_CASE(-EINVAL, c->cmd = IPCX_IOC_STAT);
	BAD_CASE(-EINVAL, c->cmd = IPCX_IOC_SEM_ONE);
	BAD_CASE(-EINVAL, c->cmd = IPCX_IOC_SELECT);
	BAD_CASE(-EINVAL, c->cmd = 0);
	BAD_CASE(-EFAULT, c->arg = 8);
	BAD_CASE(-EINVAL, (c->arg = (uintptr_t)&(struct ipcx_recv) {
		.msgs = (uintptr_t)&arg.msg, .count = 1, .msg_size = sizeof(arg.msg),
		.flags = IPCX_PEEK, .deadline = deadline_never(), .select = select_any() }));

	BAD_CONDITION(-EBADF, k->fd = -1);
	BAD_CONDITION(-EOPNOTSUPP, k->fd = null);
	BAD_CONDITION(-EOPNOTSUPP, k->fd = self->q);
	BAD_CONDITION(-EBADF, k->fd = reader);
	BAD_CONDITION(-EINVAL, k->what = 0);
	BAD_CONDITION(-EINVAL, k->what = 4);
	BAD_CONDITION(-EINVAL, k->reserved = 1);
	BAD_CONDITION(-EINVAL, k->down = 0);
	BAD_CONDITION(-EINVAL, k->down = 0x80000000U);
	BAD_CONDITION(-EFBIG, k->index = 4);
	BAD_CONDITION(-EINVAL, k->flags = IPCX_SEM_NOWAIT);
	BAD_CONDITION(-EINVAL, k->what = IPCX_READABLE);
	close(null);
	close(reader);
}

TEST_F(many, files_are_open_for_it)
{
	struct ipcx_condition c = { .fd = self->e.w, .what = IPCX_READABLE };
	uint32_t index;

	EXPECT_EQ(-EBADF, wait_now(self->dev, &c, 1, &index));
	c = (struct ipcx_condition) { .fd = self->e.r, .what = IPCX_WRITABLE };
	EXPECT_EQ(-EBADF, wait_now(self->dev, &c, 1, &index));
	EXPECT_EQ(0, index);
	EXPECT_EQ(-EBADF, many_now((struct many_call) { .nr = 1, .items = {
		{ .fd = self->e.w, .kind = IT_READ, .n = 1 } } }, &index));
}

TEST_F(many, sets_are_operated_on_not_read)
{
	uint32_t index;

	ASSERT_EQ(0, sem_set(self->s, 0, 1));
	EXPECT_EQ(-EOPNOTSUPP, many_now((struct many_call) { .nr = 2, .items = {
		NEVER_RECV(self), { .fd = self->s, .kind = IT_READ, .n = 8 } } }, &index));
	EXPECT_EQ(1, index);
	EXPECT_EQ(-EINVAL, many_now((struct many_call) { .nr = 2, .items = {
		NEVER_RECV(self),
		{ .fd = self->s, .kind = IT_OP, .n = -1, .flags = NOWAIT } } }, &index));
	EXPECT_EQ(1, index);
	EXPECT_EQ(1, sem_value(self->s, 0));
}

TEST_F(many, fields_that_are_not_known)
{
	struct ipcx_condition c = { .fd = self->s, .what = IPCX_DOWN, .down = 1 };
	struct ipcx_wait wait = {
		.conditions = (uintptr_t)&c, .count = 1, .condition_size = sizeof(c),
		.deadline = deadline_past(),
	};
	struct ipcx_selection sel = { .count = 1, .deadline = deadline_past() };
	struct { struct ipcx_condition c; uint64_t more; } large = { .c = c };

	wait.flags = IPCX_PEEK;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->dev, IPCX_IOC_WAIT, &wait));
	wait.flags = 0;
	wait.condition_size = sizeof(c) - 1;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->dev, IPCX_IOC_WAIT, &wait));
	wait.condition_size = 65536;
	EXPECT_EQ(-E2BIG, ipc_ioctl(self->dev, IPCX_IOC_WAIT, &wait));
	wait.conditions = (uintptr_t)&large;
	wait.condition_size = sizeof(large);
	EXPECT_EQ(-ETIMEDOUT, ipc_ioctl(self->dev, IPCX_IOC_WAIT, &wait));
	large.more = 1;
	EXPECT_EQ(-E2BIG, ipc_ioctl(self->dev, IPCX_IOC_WAIT, &wait));
	wait.deadline.clock = 77;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->dev, IPCX_IOC_WAIT, &wait));
	sel.flags = IPCX_WAIT_ALL;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->dev, IPCX_IOC_SELECT, &sel));
	sel.flags = 0;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->dev, IPCX_IOC_SELECT, &sel));
}

/* The index is written before anything is done: a page that can't be is no loss. */
TEST_F(many, read_only_request)
{
	struct ipcx_condition c = { .fd = self->s, .what = IPCX_DOWN, .down = 1 };
	struct ipcx_wait *wait = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, wait);
	*wait = (struct ipcx_wait) {
		.conditions = (uintptr_t)&c, .count = 1, .condition_size = sizeof(c),
		.deadline = deadline_never(),
	};
	ASSERT_EQ(0, mprotect(wait, 4096, PROT_READ));
	ASSERT_EQ(0, sem_set(self->s, 0, 1));
	EXPECT_EQ(-EFAULT, ipc_ioctl(self->dev, IPCX_IOC_WAIT, wait));
	EXPECT_EQ(1, sem_value(self->s, 0));
	munmap(wait, 4096);
}

/* Every kind of item, among others that nothing happens to. */

FIXTURE(item) {
	struct many_call call;
	struct item *item;
	struct item never[3];
	int64_t done;
	int dev;
	struct ends e;
	struct ends other;
	int q;
	int s;
};

FIXTURE_VARIANT(item) {
	enum item_kind kind;
	int on;			/* 0: a pipe, 1: a queue, 2: a set */
	int32_t n;
	uint32_t at;
};

#define ITEM(name, kind_, on_, n_, at_)					\
FIXTURE_VARIANT_ADD(item, name) { .kind = kind_, .on = on_, .n = n_, .at = at_ }

ITEM(read, IT_READ, 0, 100, 0);
ITEM(write, IT_WRITE, 0, 100, 0);
ITEM(write_large, IT_WRITE, 0, 4097, 0);
ITEM(recv, IT_RECV, 1, 100, 0);
ITEM(recv_type, IT_RECV, 1, 100, 7);
ITEM(read_message, IT_READ, 1, 100, 0);
ITEM(send, IT_SEND, 1, 100, 7);
ITEM(send_long, IT_SEND, 1, 8000, 7);
ITEM(write_message, IT_WRITE, 1, 100, 0);
ITEM(down, IT_OP, 2, -2, 1);
ITEM(zero, IT_OP, 2, 0, 2);
ITEM(wait_bytes, IT_READABLE, 0, 0, 0);
ITEM(wait_space, IT_WRITABLE, 0, 0, 0);
ITEM(wait_message, IT_READABLE, 1, 0, 0);
ITEM(wait_room, IT_WRITABLE, 1, 0, 0);
ITEM(wait_sem, IT_READABLE, 2, 0, 0);
ITEM(wait_down, IT_DOWN, 2, 2, 1);

static bool wants_space(enum item_kind kind)
{
	return kind == IT_WRITE || kind == IT_SEND || kind == IT_WRITABLE;
}

FIXTURE_SETUP(item)
{
	struct item item = { .kind = variant->kind, .n = variant->n, .at = variant->at };
	struct item wait_never = { .kind = IT_DOWN, .n = 1, .at = 3 };
	int i;

	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, 4096);
	self->other = ends_open(self->dev, 4096);
	self->q = queue_new(self->dev, 4, 65536);
	self->s = sem_new_of(self->dev, 4, 0);
	ASSERT_EQ(0, sem_set(self->s, 2, 1));
	item.fd = variant->on == 1 ? self->q : variant->on == 2 ? self->s :
		  wants_space(item.kind) ? self->e.w : self->e.r;
	wait_never.fd = self->s;
	self->never[0] = (struct item)NEVER_READ(self);
	self->never[1] = (struct item)NEVER_RECV(self);
	self->never[2] = (struct item)NEVER_OP(self);
	self->call.nr = 4;
	for (i = 0; i < 4; i++)
		self->call.items[i] = i == 2 ? item : is_condition(&item) ? wait_never :
				      self->never[i - (i > 2)];
	self->item = &self->call.items[2];
	self->done = item.kind == IT_RECV || item.kind == IT_SEND ? 1 :
		     item.kind == IT_READ || item.kind == IT_WRITE ? item.n : 0;
	if (item.n == 4097)
		self->done = 4096;
	/* Where it wants space there is none. */
	if (wants_space(item.kind) && !variant->on)
		ASSERT_EQ(4096, stream_write(self->e.w, 0, 4096));
	for (i = 0; wants_space(item.kind) && variant->on == 1 && i < 4; i++)
		ASSERT_EQ(1, queue_put(self->q, 5, 0, 10));
}

FIXTURE_TEARDOWN(item)
{
	ends_close(&self->e);
	ends_close(&self->other);
	close(self->q);
	close(self->s);
	close(self->dev);
}

/* Make the item ready. */
static int item_feed(const struct _test_data_item *self)
{
	const struct item *item = self->item;

	if (item->fd == self->e.r)
		return stream_write(self->e.w, 0, 100) == 100 ? 0 : -EIO;
	if (item->fd == self->e.w)
		return stream_read(self->e.r, 0, 4096) == 4096 ? 0 : -EIO;
	if (item->fd == self->s)
		return item->kind == IT_OP && !item->n ? sem_one(self->s, 2, -1, 0) :
							 sem_one(self->s, item->at, 2, 0);
	if (wants_space(item->kind))
		return queue_get(self->q, select_any(), 0, 10) == 5 ? 0 : -EIO;
	return queue_put(self->q, 7, 0, 100) == 1 ? 0 : -EIO;
}

/* Has it been done, once, or only been looked at? What was done can't be done again. */
static bool item_done(const struct _test_data_item *self)
{
	const struct item *item = self->item;

	switch (item->kind) {
	case IT_READ:
	case IT_RECV:
	case IT_DOWN:
		return item_now(item) == -EAGAIN;
	case IT_WRITE:
		return item->fd == self->q ? queue_msgs(self->q) == 4 :
					     pipe_used(self->e.r) == (uint64_t)self->done;
	case IT_SEND:
		return queue_msgs(self->q) == 4;
	case IT_OP:
		return sem_value(self->s, item->at) == 0;
	default:
		return item_now(item) == 0;
	}
}

/* Nobody is left in a line. */
static bool nobody_waits(const struct _test_data_item *self)
{
	return pipe_waiting(self->q, 0, 0) && pipe_waiting(self->s, 0, 0) &&
	       pipe_waiting(self->e.r, 0, 0);
}

TEST_F(item, ready_at_once)
{
	uint32_t index;

	EXPECT_EQ(-EAGAIN, many_now(self->call, &index));
	EXPECT_EQ(IPCX_NO_INDEX, index);
	ASSERT_EQ(0, item_feed(self));
	EXPECT_EQ(self->done, many_now(self->call, &index));
	EXPECT_EQ(2, index);
	EXPECT_TRUE(item_done(self));
	EXPECT_TRUE(nobody_waits(self));
}

TEST_F(item, ready_later)
{
	struct actor a = many_asleep(self->call);
	uint32_t index;

	ASSERT_EQ(0, item_feed(self));
	EXPECT_EQ(self->done, many_finish(&a, &index));
	EXPECT_EQ(2, index);
	EXPECT_TRUE(item_done(self));
	EXPECT_TRUE(nobody_waits(self));
}

TEST_F(item, another_is_ready_later)
{
	struct actor a;
	uint32_t index;

	a = many_asleep(self->call);
	ASSERT_EQ(0, sem_one(self->s, 3, 1, 0));
	EXPECT_EQ(0, many_finish(&a, &index));
	EXPECT_TRUE(is_condition(self->item) ? index != 2 : index == 3);
	EXPECT_TRUE(nobody_waits(self));
	/* And this one still can be. */
	ASSERT_EQ(0, item_feed(self));
	EXPECT_EQ(self->done, many_now(self->call, &index));
	EXPECT_EQ(2, index);
}

TEST_F(item, signal)
{
	struct actor a;
	uint32_t index;

	self->call.flags = IPCX_NO_RESTART;
	a = many_asleep(self->call);
	kill(a.pid, SIGUSR1);
	EXPECT_EQ(-EINTR, many_finish(&a, &index));
	EXPECT_EQ(IPCX_NO_INDEX, index);
	EXPECT_TRUE(nobody_waits(self));
}

TEST_F(item, signal_that_restarts)
{
	struct call call = many_actor_call(&self->call);
	struct actor a;
	uint32_t index;

	call.sa_flags = SA_RESTART;
	a = actor_start_asleep(call);
	ASSERT_TRUE(actor_signal(&a));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(0, item_feed(self));
	EXPECT_EQ(self->done, many_finish(&a, &index));
	EXPECT_EQ(2, index);
}

TEST_F(item, deadline)
{
	struct actor a;
	uint32_t index;

	self->call.deadline = deadline_past();
	a = many_start(self->call);
	EXPECT_EQ(-ETIMEDOUT, many_finish(&a, &index));
	self->call.deadline = deadline_ms(100);
	a = many_start(self->call);
	EXPECT_EQ(-ETIMEDOUT, many_finish(&a, &index));
	EXPECT_EQ(IPCX_NO_INDEX, index);
	EXPECT_TRUE(nobody_waits(self));
	/* What is there beats a deadline that has passed. */
	self->call.deadline = deadline_past();
	ASSERT_EQ(0, item_feed(self));
	a = many_start(self->call);
	EXPECT_EQ(self->done, many_finish(&a, &index));
}

TEST_F(item, kill)
{
	struct actor a = many_asleep(self->call);
	uint32_t index;

	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_TRUE(nobody_waits(self));
	ASSERT_EQ(0, item_feed(self));
	EXPECT_EQ(self->done, many_now(self->call, &index));
}

TEST_F(item, removed)
{
	struct actor a = many_asleep(self->call);
	uint32_t index;

	ASSERT_EQ(0, fd_remove(self->item->fd));
	EXPECT_EQ(-EIDRM, many_finish(&a, &index));
	/* Others may be of the same object. */
	EXPECT_EQ(self->item->fd, self->call.items[index].fd);
	EXPECT_EQ(-EIDRM, many_now(self->call, &index));
}

/* Nobody who waits otherwise is in the way, and he comes first if he came first. */
TEST_F(item, beside_others_in_line)
{
	struct actor first, a;
	uint32_t index;
	struct many_call alone = { .nr = 1, .items = { *self->item } };

	first = many_asleep(alone);
	a = many_asleep(self->call);
	ASSERT_EQ(0, item_feed(self));
	if (self->item->fd == self->e.r || self->item->fd == self->e.w ||
	    self->item->kind == IT_READABLE || self->item->kind == IT_WRITABLE) {
		/* No line: one of them, or both. */
		EXPECT_TRUE(wait_until(actor_over(&first) || actor_over(&a)));
	} else {
		EXPECT_EQ(self->done, many_finish(&first, &index));
		if (self->item->kind != IT_OP || self->item->n)
			EXPECT_TRUE(actor_asleep(&a));
		first.s = NULL;
	}
	if (first.s)
		actor_end(&first);
	actor_end(&a);
	EXPECT_TRUE(nobody_waits(self));
}

/* SELECT of the same thing twice. */

TEST_F(many, same_file_twice)
{
	struct many_call call = { .nr = 2, .items = {
		{ .fd = self->q, .kind = IT_RECV, .n = 100, .at = 1 },
		{ .fd = self->q, .kind = IT_RECV, .n = 100, .at = 2 } } };
	struct actor a = many_asleep(call);
	uint32_t index;

	ASSERT_EQ(1, queue_put(self->q, 2, 0, 10));
	EXPECT_EQ(1, many_finish(&a, &index));
	EXPECT_EQ(1, index);
	a = many_asleep(call);
	ASSERT_EQ(1, queue_put(self->q, 3, 0, 10));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(1, queue_put(self->q, 1, 0, 10));
	EXPECT_EQ(1, many_finish(&a, &index));
	EXPECT_EQ(0, index);
	EXPECT_EQ(1, queue_msgs(self->q));
}

TEST_F(many, send_and_receive_on_one_queue)
{
	struct many_call call = { .nr = 2, .items = {
		{ .fd = self->q, .kind = IT_RECV, .n = 100 },
		{ .fd = self->q, .kind = IT_SEND, .n = 10, .at = 1 } } };
	int i, sent = 0, received = 0;
	uint32_t index;

	for (i = 0; i < 200; i++) {
		ASSERT_EQ(1, many_now(call, &index));
		sent += index == 1;
		received += index == 0;
	}
	EXPECT_EQ((uint64_t)(sent - received), queue_msgs(self->q));
	EXPECT_GT(sent, 0);
	EXPECT_GT(received, 0);
}

/* Each of three that are always ready: 200 of 600 on average, and 100 is 8 deviations less. */
TEST_F(many, fair_to_all)
{
	struct many_call ops = { .nr = 3, .items = {
		{ .fd = self->s, .kind = IT_OP, .n = 1, .at = 0 },
		{ .fd = self->e.w, .kind = IT_WRITE, .n = 1 },
		{ .fd = self->s, .kind = IT_OP, .n = 1, .at = 1 } } };
	struct many_call conditions = { .nr = 3, .items = {
		{ .fd = self->s, .kind = IT_DOWN, .n = 1, .at = 2 },
		{ .fd = self->e.w, .kind = IT_WRITABLE },
		{ .fd = self->s, .kind = IT_DOWN, .n = 1, .at = 3 } } };
	int i, told[2][3] = {};
	uint32_t index;

	ASSERT_EQ(0, sem_set(self->s, 2, 1000));
	ASSERT_EQ(0, sem_set(self->s, 3, 1000));
	for (i = 0; i < 600; i++) {
		ASSERT_LE(0, many_now(conditions, &index));
		ASSERT_LT(index, 3);
		told[0][index]++;
	}
	for (i = 0; i < 600; i++) {
		ASSERT_LE(0, many_now(ops, &index));
		ASSERT_LT(index, 3);
		told[1][index]++;
	}
	for (i = 0; i < 3; i++) {
		EXPECT_GT(told[0][i], 100);
		EXPECT_GT(told[1][i], 100);
	}
	EXPECT_EQ(1000 - told[0][0], (int)sem_value(self->s, 2));
	EXPECT_EQ(told[1][0], (int)sem_value(self->s, 0));
	EXPECT_EQ((uint64_t)told[1][1], pipe_used(self->e.r));
}

/* What fails is what was done, and has lost nothing. */
TEST_F(many, fault_of_one_that_was_given)
{
	struct item recv = { .fd = self->q, .kind = IT_RECV, .n = 100 };
	struct item_arg arg;
	struct ipcx_case c = item_case(&recv, &arg, (void *)8);
	uint32_t index;
	pid_t pid;

	ASSERT_EQ(1, queue_put(self->q, 1, 0, 10));
	EXPECT_EQ(-EFAULT, select_now(self->dev, &c, 1, &index));
	EXPECT_EQ(0, index);
	EXPECT_EQ(1, queue_get(self->q, select_any(), 0, 10));
	pid = fork();
	if (!pid)
		_exit(select_for(self->dev, &c, 1, 0, deadline_patience(), &index) != -EFAULT ||
		      index);
	ASSERT_TRUE(pipe_waiting(self->q, 1, 0));
	ASSERT_EQ(1, queue_put(self->q, 1, 0, 10));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(1, queue_get(self->q, select_any(), 0, 10));
}

TEST_F(many, too_long_for_one_that_was_given)
{
	struct many_call call = { .nr = 2, .items = { NEVER_OP(self),
		{ .fd = self->q, .kind = IT_RECV, .n = 5 } } };
	struct actor a = many_asleep(call);
	uint32_t index;

	ASSERT_EQ(1, queue_put(self->q, 1, 0, 10));
	EXPECT_EQ(-E2BIG, many_finish(&a, &index));
	EXPECT_EQ(1, index);
	EXPECT_EQ(1, queue_get(self->q, select_any(), 0, 10));
}

TEST_F(many, longer_than_any_may_be_by_now)
{
	struct many_call call = { .nr = 2, .items = { NEVER_OP(self),
		{ .fd = self->q, .kind = IT_SEND, .n = 8000, .at = 1 } } };
	struct ipcx_queue_params limits = queue_limits(4, 65536, 100);
	struct actor a;
	uint32_t index;
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(1, queue_put(self->q, 5, 0, 10));
	a = many_asleep(call);
	ASSERT_EQ(0, queue_resize(self->q, &limits));
	EXPECT_EQ(-EMSGSIZE, many_finish(&a, &index));
	EXPECT_EQ(1, index);
	EXPECT_EQ(4, queue_msgs(self->q));
}

struct chooser {
	int dev;
	const struct ipcx_case *cases;
	uint32_t nr;
	int ret;
	uint32_t index;
};

static void *chooser_run(void *arg)
{
	struct chooser *c = arg;

	c->ret = select_for(c->dev, c->cases, c->nr, 0, deadline_patience(), &c->index);
	return NULL;
}

TEST_F(many, fault_after_space_was_given)
{
	struct item send = { .fd = self->q, .kind = IT_SEND, .n = 10, .at = 1 };
	void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct item_arg arg;
	struct ipcx_case c = item_case(&send, &arg, page);
	struct chooser sender = { .dev = self->dev, .cases = &c, .nr = 1 };
	pthread_t thread;
	int i;

	ASSERT_NE(MAP_FAILED, page);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(1, queue_put(self->q, 5, 0, 10));
	ASSERT_EQ(0, pthread_create(&thread, NULL, chooser_run, &sender));
	ASSERT_TRUE(pipe_waiting(self->q, 0, 1));
	ASSERT_EQ(0, mprotect(page, PAGE_BYTES, PROT_NONE));
	EXPECT_EQ(5, queue_get(self->q, select_any(), 0, 10));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-EFAULT, sender.ret);
	EXPECT_EQ(1, queue_put(self->q, 5, 0, 10));
	EXPECT_EQ(-EAGAIN, queue_put(self->q, 5, 0, 10));
	munmap(page, PAGE_BYTES);
}

/* From now on who touches the page sleeps until page_bring(). */
static int page_take_away(void *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)page, .len = PAGE_BYTES },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg) ||
	    madvise(page, PAGE_BYTES, MADV_DONTNEED))
		abort();
	return fd;
}

static int page_bring(int uffd, void *page, void *copy)
{
	struct uffdio_copy req = {
		.dst = (uintptr_t)page, .src = (uintptr_t)copy, .len = PAGE_BYTES,
	};

	return ioctl(uffd, UFFDIO_COPY, &req) ? -errno : 0;
}

/*
 * While it looks at a pipe, held up in a fault of the argument, a message comes for which
 * it was listed, or a semaphore rises. The pipe then has no space any more: so it must find
 * what it has missed.
 */
static void look_and_miss(struct __test_metadata *_metadata, const struct _test_data_many *self,
			  struct item missed)
{
	static char copy[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
	void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct item write = { .fd = self->e.w, .kind = IT_WRITE, .n = 4096 };
	static char bytes[4096], room[100];
	bool op = missed.kind == IT_OP;
	struct pollfd fault = { .events = POLLIN };
	struct item_arg arg;
	struct ipcx_case cases[2];
	struct chooser chooser = { .dev = self->dev, .cases = cases, .nr = 2 };
	pthread_t thread;

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(4096, stream_write(self->e.w, 0, 4096));
	cases[0] = item_case(&missed, &arg, room);
	cases[1] = item_case(&write, page, bytes);
	memcpy(copy, page, PAGE_BYTES);
	ASSERT_EQ(0, pthread_create(&thread, NULL, chooser_run, &chooser));
	ASSERT_TRUE(op ? pipe_waiting(self->s, 0, 1) : pipe_waiting(self->q, 1, 0));
	/* It has been listed, but may still be on its way to sleep. */
	usleep(200000);
	fault.fd = page_take_away(page);
	EXPECT_EQ(4096, stream_read(self->e.r, 0, 4096));
	ASSERT_EQ(1, poll(&fault, 1, PATIENCE_MS));
	EXPECT_EQ(4096, stream_write(self->e.w, 0, 4096));
	ASSERT_EQ(!op, op ? sem_one(self->s, 0, 1, 0) : queue_put(self->q, 1, 0, 10));
	EXPECT_EQ(op, sem_value(self->s, 0));
	EXPECT_EQ(!op, queue_msgs(self->q));
	ASSERT_EQ(0, page_bring(fault.fd, page, copy));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(!op, chooser.ret);
	EXPECT_EQ(0, chooser.index);
	EXPECT_EQ(0, queue_msgs(self->q));
	EXPECT_EQ(0, sem_value(self->s, 0));
	close(fault.fd);
	munmap(page, PAGE_BYTES);
}

TEST_F(many, message_missed_while_it_looked)
{
	if (!uffd_exists())
		SKIP(return, "this kernel has no userfaultfd (CONFIG_USERFAULTFD)");
	look_and_miss(_metadata, self, (struct item) { .fd = self->q, .kind = IT_RECV, .n = 100 });
}

TEST_F(many, up_missed_while_it_looked)
{
	if (!uffd_exists())
		SKIP(return, "this kernel has no userfaultfd (CONFIG_USERFAULTFD)");
	look_and_miss(_metadata, self, (struct item) { .fd = self->s, .kind = IT_OP, .n = -1 });
}

/* poll(2) tells of space for PIPE_BUF bytes; a write of fewer can be done before. */
TEST_F(many, space_for_little)
{
	struct many_call call = { .nr = 2, .items = { NEVER_OP(self),
		{ .fd = self->e.w, .kind = IT_WRITE, .n = 100 } } };
	struct actor a;
	uint32_t index;

	ASSERT_EQ(4096, stream_write(self->e.w, 0, 4096));
	a = many_asleep(call);
	EXPECT_EQ(50, stream_read(self->e.r, 0, 50));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(60, stream_read(self->e.r, 50, 60));
	EXPECT_EQ(100, many_finish(&a, &index));
	EXPECT_EQ(1, index);
}

/* Who looks at a pipe in vain wakes nobody who has done so before. */
TEST_F(many, two_who_look_at_a_pipe)
{
	struct many_call call = { .nr = 2, .items = { NEVER_OP(self),
		{ .fd = self->e.r, .kind = IT_READ, .n = 100 } } };
	int lonely = pipe_create(self->dev, NULL, IPCX_LIFETIME_TRANSIENT, IPCX_ACCESS_READ);
	uint64_t switches[2];
	struct actor a[2];
	uint32_t index;
	int round, i;

	/* One that has a writer, and one that never had. */
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 2; i++)
			a[i] = many_asleep(call);
		for (i = 0; i < 2; i++)
			switches[i] = task_switches(a[i].pid);
		EXPECT_EQ(-EAGAIN, many_now(call, &index));
		usleep(100000);
		for (i = 0; i < 2; i++) {
			EXPECT_EQ(switches[i], task_switches(a[i].pid));
			actor_kill(&a[i]);
		}
		call.items[1].fd = lonely;
	}
	close(lonely);
}

/* As all that waits; and a plain operation on a set beside it. */
TEST_F(many, realtime_follows_steps)
{
	struct many_call call = { .nr = 2, .items = { NEVER_OP(self), NEVER_RECV(self) } };
	struct many_call all = { .nr = 1, .flags = IPCX_WAIT_ALL, .items = {
		{ .fd = self->s, .kind = IT_DOWN, .n = 1 } } };
	struct ipcx_deadline end = deadline_on(CLOCK_REALTIME, 1800000);
	struct sem_call op = { .fd = self->s, .ops = { sem_step(0, -1, 0) }, .deadline = end };
	struct actor real, whole, plain, mono;
	uint32_t index;

	if (!getenv("IPCMOD_VM_KERNEL"))
		SKIP(return, "sets the clock: in a virtual machine only");
	call.deadline = end;
	all.deadline = end;
	real = many_asleep(call);
	whole = many_asleep(all);
	plain = sem_actor_asleep(op);
	call.deadline = deadline_on(CLOCK_MONOTONIC, 1800000);
	mono = many_asleep(call);
	clock_step(3600);
	EXPECT_EQ(-ETIMEDOUT, many_finish(&real, &index));
	EXPECT_EQ(-ETIMEDOUT, many_finish(&whole, &index));
	EXPECT_EQ(-ETIMEDOUT, actor_finish(&plain));
	EXPECT_TRUE(actor_asleep(&mono));
	clock_step(-3600);
	actor_kill(&mono);
}

/* SELECT of several operations on a set, whole or not at all, with undo. */
TEST_F(many, vector_with_undo)
{
	struct ipcx_sem_op ops[] = { sem_step(0, -1, UNDO), sem_step(1, -1, UNDO) };
	struct ipcx_sem_ops arg = {
		.ops = (uintptr_t)ops, .count = 2, .op_size = sizeof(*ops),
		.deadline = deadline_never(),
	};
	struct ipcx_case c = { .fd = self->s, .cmd = IPCX_IOC_SEM_OP, .arg = (uintptr_t)&arg };
	uint32_t index;
	pid_t pid = fork();

	if (!pid) {
		if (select_for(self->dev, &c, 1, 0, deadline_patience(), &index))
			_exit(1);
		sem_one(self->s, 2, 1, 0);
		for (;;)
			pause();
	}
	ASSERT_TRUE(sem_waiting(self->s, 0, 1, 0));
	ASSERT_EQ(0, sem_one(self->s, 0, 1, 0));
	EXPECT_TRUE(sem_waiting(self->s, 1, 1, 0));
	EXPECT_EQ(1, sem_value(self->s, 0));
	ASSERT_EQ(0, sem_one(self->s, 1, 1, 0));
	EXPECT_EQ(0, sem_one(self->s, 2, -1, 0));
	EXPECT_TRUE(values_are(self->s, 0, 0, 0, 0));
	kill(pid, SIGKILL);
	reap(pid);
	EXPECT_TRUE(values_are(self->s, 1, 1, 0, 0));
}

TEST_F(many, vector_of_more_than_eight)
{
	struct ipcx_sem_op ops[9] = {};
	struct ipcx_sem_ops arg = {
		.ops = (uintptr_t)ops, .count = 9, .op_size = sizeof(*ops),
		.deadline = deadline_never(),
	};
	struct ipcx_case c = { .fd = self->s, .cmd = IPCX_IOC_SEM_OP, .arg = (uintptr_t)&arg };
	uint32_t index;

	EXPECT_EQ(-E2BIG, select_now(self->dev, &c, 1, &index));
	EXPECT_EQ(0, index);
	arg.count = 8;
	EXPECT_EQ(0, select_now(self->dev, &c, 1, &index));
}

/* A pipe that is never still ends no deadline late, and is no wait where none was asked for. */
TEST_F(many, all_of_what_never_rests)
{
	struct many_call call = ALL(3,
		{ .fd = self->e.r, .kind = IT_READABLE },
		{ .fd = self->q, .kind = IT_WRITABLE },
		{ .fd = self->s, .kind = IT_DOWN, .n = 1, .at = 2 });
	pid_t pid = fork();
	char bytes[64] = "";
	struct actor a;
	uint32_t index;
	int i;

	if (!pid) {
		for (;;) {
			plain_write(self->e.w, bytes, 64);
			plain_read(self->e.r, bytes, 63);
			fd_read(self->e.r, bytes, 64, IPCX_NONBLOCK);
			plain_write(self->e.w, bytes, 1);
		}
	}
	for (i = 0; i < 20; i++) {
		call.deadline = deadline_never();
		EXPECT_EQ(-EAGAIN, many_now(call, &index));
		call.deadline = deadline_ms(10);
		a = many_start(call);
		EXPECT_EQ(-ETIMEDOUT, many_finish(&a, &index));
	}
	ASSERT_EQ(0, sem_set(self->s, 2, 20));
	for (i = 0; i < 20; i++) {
		a = many_start(ALL(3, call.items[0], call.items[1], call.items[2]));
		EXPECT_EQ(0, many_finish(&a, &index));
	}
	kill(pid, SIGKILL);
	reap(pid);
}

/* A batch is what can be done at once. */
TEST_F(many, batch)
{
	struct ipcx_msg msgs[6];
	struct ipcx_send send = {
		.msgs = (uintptr_t)msgs, .count = 6, .msg_size = sizeof(*msgs),
		.deadline = deadline_never(),
	};
	struct ipcx_recv recv = {
		.msgs = (uintptr_t)msgs, .count = 6, .msg_size = sizeof(*msgs),
		.select = select_any(), .deadline = deadline_never(),
	};
	struct ipcx_case c = { .fd = self->q, .cmd = IPCX_IOC_SEND, .arg = (uintptr_t)&send };
	char buf[6][10];
	uint32_t i, index;
	pid_t pid;

	for (i = 0; i < 6; i++)
		msgs[i] = msg_out(i + 1, buf[i], 10);
	EXPECT_EQ(4, select_for(self->dev, &c, 1, 0, deadline_patience(), &index));
	EXPECT_EQ(4, queue_msgs(self->q));
	/* Of one that waits the first; then those for which there is space, too. */
	pid = fork();
	if (!pid)
		_exit(select_for(self->dev, &c, 1, 0, deadline_patience(), &index));
	ASSERT_TRUE(pipe_waiting(self->q, 0, 1));
	EXPECT_EQ(4, queue_purge(self->q, select_any()));
	EXPECT_GE(reap(pid), 1);
	EXPECT_EQ(0, queue_msgs(self->q) ? queue_purge(self->q, select_any()) < 1 : 1);
	c = (struct ipcx_case) { .fd = self->q, .cmd = IPCX_IOC_RECV, .arg = (uintptr_t)&recv };
	for (i = 0; i < 3; i++)
		ASSERT_EQ(1, queue_put(self->q, 1, 0, 10));
	for (i = 0; i < 6; i++)
		msgs[i] = msg_room(buf[i], 10);
	EXPECT_EQ(3, select_for(self->dev, &c, 1, 0, deadline_patience(), &index));
}

/* While one sleeps in a fault of another operation, what is for him goes to others. */
TEST_F(many, stuck_in_a_fault)
{
	struct many_call call = { .nr = 2, .items = {
		{ .fd = self->e.w, .kind = IT_WRITE, .n = 100 },
		{ .fd = self->q, .kind = IT_RECV, .n = 100 } } };
	struct call c = many_actor_call(&call);
	struct actor a, other;
	uint32_t index;

	if (!uffd_exists())
		SKIP(return, "this kernel has no userfaultfd (CONFIG_USERFAULTFD)");
	c.kind = CALL_IOC_WRITE;
	c.len = ITEM_BYTES + 100;
	c.stuck = 1;
	/* There is space: it writes, and touches the page. */
	a = actor_start_stuck(c);
	other = queue_actor_asleep((struct queue_call) {
		.fd = self->q, .command = IPCX_IOC_RECV, .len = 100, .select = select_any(),
	});
	ASSERT_EQ(1, queue_put(self->q, 1, 0, 10));
	EXPECT_EQ(1, actor_finish(&other));
	ASSERT_EQ(1, queue_put(self->q, 1, 0, 20));
	EXPECT_EQ(1, queue_msgs(self->q));
	ASSERT_EQ(0, actor_unstick(&a));
	EXPECT_EQ(100, many_finish(&a, &index));
	EXPECT_EQ(0, index);
	EXPECT_EQ(1, queue_get(self->q, select_any(), 0, 20));
}

/* All. */

TEST_F(many, all_downs_or_none)
{
	int t = sem_new_of(self->dev, 4, 0);
	struct many_call call = ALL(3,
		{ .fd = self->s, .kind = IT_DOWN, .n = 2, .at = 0 },
		{ .fd = t, .kind = IT_DOWN, .n = 1, .at = 1 },
		{ .fd = self->s, .kind = IT_DOWN, .n = 1, .at = 0 });
	struct actor a;
	uint32_t index;

	EXPECT_EQ(-EAGAIN, many_now(call, &index));
	ASSERT_EQ(0, sem_set(self->s, 0, 2));
	ASSERT_EQ(0, sem_set(t, 1, 1));
	EXPECT_EQ(-EAGAIN, many_now(call, &index));
	EXPECT_EQ(IPCX_NO_INDEX, index);
	EXPECT_EQ(2, sem_value(self->s, 0));
	EXPECT_EQ(1, sem_value(t, 1));
	a = many_asleep(call);
	/* Others may take what it can't use yet. */
	EXPECT_EQ(0, sem_try(t, 1, -1, 0));
	ASSERT_EQ(0, sem_one(self->s, 0, 2, 0));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(4, sem_value(self->s, 0));
	ASSERT_EQ(0, sem_one(t, 1, 1, 0));
	EXPECT_EQ(0, many_finish(&a, &index));
	EXPECT_EQ(IPCX_NO_INDEX, index);
	EXPECT_EQ(1, sem_value(self->s, 0));
	EXPECT_EQ(0, sem_value(t, 1));
	close(t);
}

TEST_F(many, all_of_all_types)
{
	struct many_call call = ALL(4,
		{ .fd = self->e.r, .kind = IT_READABLE },
		{ .fd = self->q, .kind = IT_READABLE },
		{ .fd = self->s, .kind = IT_DOWN, .n = 1, .at = 2 },
		{ .fd = self->other.w, .kind = IT_WRITABLE });
	struct actor a = many_asleep(call);
	uint32_t index;

	ASSERT_EQ(10, stream_write(self->e.w, 0, 10));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(0, sem_one(self->s, 2, 1, 0));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(10, stream_read(self->e.r, 0, 10));
	ASSERT_EQ(1, queue_put(self->q, 1, 0, 10));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(1, sem_value(self->s, 2));
	ASSERT_EQ(10, stream_write(self->e.w, 10, 10));
	EXPECT_EQ(0, many_finish(&a, &index));
	EXPECT_EQ(0, sem_value(self->s, 2));
	EXPECT_EQ(10, pipe_used(self->e.r));
	EXPECT_EQ(1, queue_msgs(self->q));
}

TEST_F(many, all_signal_deadline_removal)
{
	struct many_call call = ALL(3,
		{ .fd = self->e.r, .kind = IT_READABLE },
		{ .fd = self->q, .kind = IT_READABLE },
		{ .fd = self->s, .kind = IT_DOWN, .n = 1, .at = 2 });
	struct actor a;
	uint32_t index;

	ASSERT_EQ(0, sem_set(self->s, 2, 1));
	call.deadline = deadline_past();
	a = many_start(call);
	EXPECT_EQ(-ETIMEDOUT, many_finish(&a, &index));
	call.deadline = deadline_ms(100);
	a = many_start(call);
	EXPECT_EQ(-ETIMEDOUT, many_finish(&a, &index));
	EXPECT_EQ(IPCX_NO_INDEX, index);
	call.deadline = deadline_never();
	call.flags |= IPCX_NO_RESTART;
	a = many_asleep(call);
	kill(a.pid, SIGUSR1);
	EXPECT_EQ(-EINTR, many_finish(&a, &index));
	a = many_asleep(call);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(1, sem_value(self->s, 2));
	a = many_asleep(call);
	ASSERT_EQ(0, fd_remove(self->q));
	EXPECT_EQ(-EIDRM, many_finish(&a, &index));
	EXPECT_EQ(1, index);
	EXPECT_EQ(1, sem_value(self->s, 2));
}

TEST_F(many, all_with_undo)
{
	struct many_call call = ALL(2,
		{ .fd = self->s, .kind = IT_DOWN, .n = 1, .at = 0, .flags = UNDO },
		{ .fd = self->s, .kind = IT_DOWN, .n = 2, .at = 1, .flags = UNDO });
	struct actor a = many_asleep(call);

	ASSERT_EQ(0, sem_set(self->s, 1, 5));
	ASSERT_EQ(0, sem_set(self->s, 0, 1));
	EXPECT_EQ(0, actor_result(&a));
	EXPECT_TRUE(values_are(self->s, 0, 3, 0, 0));
	actor_kill(&a);
	EXPECT_TRUE(values_are(self->s, 1, 5, 0, 0));
}

TEST_F(many, all_of_owned_ones)
{
	int o = sem_new_owned(self->dev, 2), p = sem_new_owned(self->dev, 2);
	struct many_call call = ALL(3,
		{ .fd = self->s, .kind = IT_DOWN, .n = 1, .at = 0 },
		{ .fd = o, .kind = IT_DOWN, .n = 1, .at = 0 },
		{ .fd = p, .kind = IT_DOWN, .n = 1, .at = 1 });
	struct actor a;
	uint32_t index;

	ASSERT_EQ(0, sem_one(p, 1, -1, 0));
	EXPECT_EQ(-EDEADLK, many_now(call, &index));
	EXPECT_EQ(2, index);
	EXPECT_EQ(1, sem_value(o, 0));
	ASSERT_EQ(0, sem_one(p, 1, 1, 0));
	ASSERT_EQ(0, sem_set(self->s, 0, 1));
	a = many_start(call);
	EXPECT_EQ(0, actor_result(&a));
	EXPECT_EQ(a.pid, sem_get(o, 0).holder);
	actor_kill(&a);
	ASSERT_EQ(0, sem_set(self->s, 0, 1));
	EXPECT_EQ(-EOWNERDEAD, many_now(call, &index));
	EXPECT_EQ(1, index);
	EXPECT_EQ(getpid(), sem_get(p, 1).holder);
	call.items[0] = call.items[1];
	EXPECT_EQ(-EINVAL, many_now(call, &index));
	EXPECT_EQ(1, index);
	call = ALL(2, { .fd = o, .kind = IT_DOWN, .n = 1 },
		   { .fd = o, .kind = IT_DOWN, .n = 2, .at = 1 });
	EXPECT_EQ(-EINVAL, many_now(call, &index));
	EXPECT_EQ(1, index);
	close(o);
	close(p);
}

/* Taking may be what others wait for. */
TEST_F(many, all_serves_who_waits_for_zero)
{
	struct many_call call = ALL(2,
		{ .fd = self->s, .kind = IT_DOWN, .n = 1, .at = 0 },
		{ .fd = self->s, .kind = IT_DOWN, .n = 1, .at = 1 });
	struct many_call zero = { .nr = 1, .items = { { .fd = self->s, .kind = IT_OP } } };
	struct actor a;
	uint32_t index;

	ASSERT_EQ(0, sem_set(self->s, 0, 1));
	ASSERT_EQ(0, sem_set(self->s, 1, 1));
	a = many_asleep(zero);
	EXPECT_EQ(0, many_now(call, &index));
	EXPECT_EQ(0, many_finish(&a, &index));
}

TEST_HARNESS_MAIN
