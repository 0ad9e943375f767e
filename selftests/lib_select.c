// SPDX-License-Identifier: GPL-2.0
/*
 * libipcx: ipcx_wait() and ipcx_select(), as ipcx.h and the manual pages tell them: what they
 * pass on, and what they return. What becomes of many who wait is for select.c.
 */
#include "queue_test.h"
#include "sem_test.h"

#include <ipcx.h>

#define SHORT_NS	50000000ULL

FIXTURE(lib_select) {
	int dev;
	int q;
	int s;
	struct ends e;
	unsigned int index;
};

FIXTURE_SETUP(lib_select)
{
	self->dev = ipcx_device();
	ASSERT_GE(self->dev, 0);
	self->q = queue_new(self->dev, 4, 65536);
	self->s = sem_new_of(self->dev, 2, 0);
	self->e = ends_open(self->dev, 4096);
	self->index = 4711;
}

FIXTURE_TEARDOWN(lib_select)
{
	ends_close(&self->e);
	close(self->q);
	close(self->s);
	close(self->dev);
}

TEST_F(lib_select, wait_for_any)
{
	struct ipcx_condition c[] = {
		{ .fd = self->q, .what = IPCX_READABLE },
		{ .fd = self->e.r, .what = IPCX_READABLE },
		{ .fd = self->s, .what = IPCX_DOWN, .index = 1, .down = 2 },
	};
	struct ipcx_deadline deadline = ipcx_deadline_after(SHORT_NS);

	EXPECT_EQ(-EAGAIN, ipcx_wait(c, 3, IPCX_NONBLOCK, NULL, &self->index));
	EXPECT_EQ(IPCX_NO_INDEX, self->index);
	EXPECT_EQ(-ETIMEDOUT, ipcx_wait(c, 3, 0, &deadline, NULL));
	ASSERT_EQ(0, ipcx_sem_up(self->s, 1, 3, 0));
	EXPECT_EQ(0, ipcx_wait(c, 3, 0, NULL, &self->index));
	EXPECT_EQ(2, self->index);
	EXPECT_EQ(1, sem_value(self->s, 1));
	ASSERT_EQ(1, plain_write(self->e.w, "x", 1));
	EXPECT_EQ(0, ipcx_wait(c, 3, 0, NULL, &self->index));
	EXPECT_EQ(1, self->index);
	EXPECT_EQ(0, ipcx_wait(c, 3, 0, NULL, NULL));
}

TEST_F(lib_select, wait_for_all)
{
	struct ipcx_condition c[] = {
		{ .fd = self->s, .what = IPCX_DOWN, .index = 0, .down = 1 },
		{ .fd = self->s, .what = IPCX_DOWN, .index = 1, .down = 1 },
	};

	ASSERT_EQ(0, ipcx_sem_up(self->s, 0, 1, 0));
	EXPECT_EQ(-EAGAIN, ipcx_wait(c, 2, IPCX_WAIT_ALL | IPCX_NONBLOCK, NULL, &self->index));
	EXPECT_EQ(1, sem_value(self->s, 0));
	ASSERT_EQ(0, ipcx_sem_up(self->s, 1, 1, 0));
	EXPECT_EQ(0, ipcx_wait(c, 2, IPCX_WAIT_ALL, NULL, &self->index));
	EXPECT_EQ(IPCX_NO_INDEX, self->index);
	EXPECT_EQ(0, sem_value(self->s, 0));
	EXPECT_EQ(0, sem_value(self->s, 1));
}

TEST_F(lib_select, wait_for_what_is_not_there)
{
	struct ipcx_condition c[2] = {
		{ .fd = self->q, .what = IPCX_READABLE }, { .fd = self->q, .what = IPCX_READABLE },
	};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	EXPECT_EQ(-EINVAL, ipcx_wait(c, 0, 0, NULL, &self->index));
	EXPECT_EQ(IPCX_NO_INDEX, self->index);
	EXPECT_EQ(-E2BIG, ipcx_wait(c, IPCX_WAIT_MAX + 1, 0, NULL, &self->index));
	EXPECT_EQ(IPCX_NO_INDEX, self->index);
	c[1].fd = null;
	EXPECT_EQ(-EOPNOTSUPP, ipcx_wait(c, 2, 0, NULL, &self->index));
	EXPECT_EQ(1, self->index);
	c[1].fd = -1;
	EXPECT_EQ(-EBADF, ipcx_wait(c, 2, 0, NULL, &self->index));
	EXPECT_EQ(1, self->index);
	c[0].fd = null;
	EXPECT_EQ(-EOPNOTSUPP, ipcx_wait(c, 2, 0, NULL, &self->index));
	EXPECT_EQ(0, self->index);
	c[0].fd = -1;
	EXPECT_EQ(-EBADF, ipcx_wait(c, 2, 0, NULL, &self->index));
	EXPECT_EQ(0, self->index);
	close(null);
}

TEST_F(lib_select, select_from_all)
{
	const struct ipcx_sem_op ops[] = { sem_step(0, -1, 0), sem_step(1, -1, 0) };
	const struct ipcx_select one = ipcx_select_exact(1);
	char bytes[10], room[10] = "";
	struct ipcx_msg out = msg_out(2, "abc", 3), in = msg_room(room, sizeof(room));
	union ipcx_case_arg args[4];
	struct ipcx_case c[] = {
		ipcx_case_read(self->e.r, &args[0], bytes, sizeof(bytes)),
		ipcx_case_recv(self->q, &args[1], &in, 1, &one, 0),
		ipcx_case_sem(self->s, &args[2], ops, 2),
		ipcx_case_send(self->q, &args[3], &out, 1),
	};
	struct ipcx_deadline deadline = ipcx_deadline_after(SHORT_NS);

	EXPECT_EQ(-EAGAIN, ipcx_select(c, 3, IPCX_NONBLOCK, NULL, &self->index));
	EXPECT_EQ(IPCX_NO_INDEX, self->index);
	EXPECT_EQ(-ETIMEDOUT, ipcx_select(c, 3, 0, &deadline, NULL));
	EXPECT_EQ(1, ipcx_select(c, 4, 0, NULL, &self->index));
	EXPECT_EQ(3, self->index);
	EXPECT_EQ(-EAGAIN, ipcx_select(c, 3, IPCX_NONBLOCK, NULL, &self->index));
	ASSERT_EQ(1, queue_send(self->q, 1, "four", 4, 0));
	EXPECT_EQ(1, ipcx_select(c, 3, 0, NULL, &self->index));
	EXPECT_EQ(1, self->index);
	EXPECT_EQ(4, in.len);
	EXPECT_EQ(0, memcmp(room, "four", 4));
	ASSERT_EQ(0, ipcx_sem_up(self->s, 0, 1, 0));
	ASSERT_EQ(0, ipcx_sem_up(self->s, 1, 1, 0));
	EXPECT_EQ(0, ipcx_select(c, 3, 0, NULL, &self->index));
	EXPECT_EQ(2, self->index);
	ASSERT_EQ(3, plain_write(self->e.w, "xyz", 3));
	EXPECT_EQ(3, ipcx_select(c, 3, 0, NULL, &self->index));
	EXPECT_EQ(0, self->index);
	EXPECT_EQ(0, memcmp(bytes, "xyz", 3));
}

TEST_F(lib_select, select_a_write_or_a_truncated_message)
{
	char room[2];
	struct ipcx_msg in = msg_room(room, sizeof(room));
	union ipcx_case_arg args[2];
	struct ipcx_case c[] = {
		ipcx_case_recv(self->q, &args[0], &in, 1, NULL, IPCX_TRUNCATE),
		ipcx_case_write(self->e.w, &args[1], "hello", 5),
	};

	EXPECT_EQ(5, ipcx_select(c, 2, 0, NULL, &self->index));
	EXPECT_EQ(1, self->index);
	EXPECT_EQ(5, pipe_used(self->e.r));
	ASSERT_EQ(1, queue_send(self->q, 1, "four", 4, 0));
	EXPECT_EQ(1, ipcx_select(c, 1, 0, NULL, &self->index));
	EXPECT_EQ(0, self->index);
	EXPECT_EQ(4, in.len);
	EXPECT_TRUE(in.flags & IPCX_MSG_TRUNCATED);
	EXPECT_EQ(0, memcmp(room, "fo", 2));
}

TEST_F(lib_select, select_what_is_not_there)
{
	union ipcx_case_arg args[2];
	char byte;
	struct ipcx_case c[] = {
		ipcx_case_read(self->e.r, &args[0], &byte, 1),
		ipcx_case_read(self->s, &args[1], &byte, 1),
	};

	EXPECT_EQ(-EINVAL, ipcx_select(c, 0, 0, NULL, &self->index));
	EXPECT_EQ(-EOPNOTSUPP, ipcx_select(c, 2, 0, NULL, &self->index));
	EXPECT_EQ(1, self->index);
	c[0].fd = -1;
	EXPECT_EQ(-EBADF, ipcx_select(c, 2, 0, NULL, &self->index));
	EXPECT_EQ(0, self->index);
}

TEST_HARNESS_MAIN
