// SPDX-License-Identifier: GPL-2.0
/*
 * The commands of semaphores with each allocation failing in turn, then with each copy
 * from and to user memory. See fail_nth_test.h. What is common to all types, such as
 * UNLINK and STAT, is in fail_nth.c, and what queues share with sets in fail_nth_queue.c.
 *
 * A call that failed has left every value as it was, and nothing to undo: what netlink tells
 * doesn't show that, so the calls look themselves, and give EPROTO if not.
 */
#include "fail_nth_test.h"
#include "sem_test.h"

/* More operations than are on the kernel's stack, and more semaphores than one section has. */
#define MANY	100

static struct ipcx_sem sems[MANY];
static uint32_t values[MANY];

/* A persistent set with a name, each semaphore 5. */
static bool stage_set(struct stage *s)
{
	s->fd = sem_create(s->dev, s->name, PERSISTENT, (struct ipcx_sem_params) {
		.count = MANY, .value = 5,
	});
	return s->fd >= 0 && !fd_stat(s->fd, &s->st);
}

static bool all_are(int fd, uint32_t value)
{
	unsigned int i, right = 0;

	if (ref_sem_get(fd, ref_self(), 0, MANY, sems))
		return false;
	for (i = 0; i < MANY; i++)
		right += sems[i].value == value && !sems[i].waiting_down && !sems[i].waiting_zero;
	return right == MANY;
}

/* The result of a call that, if it failed, must have changed nothing. */
static int left(struct stage *s, int ret)
{
	return ret < 0 && !all_are(s->fd, 5) ? -EPROTO : ret;
}

static void reset(struct stage *s)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		values[i] = 5;
	ref_sem_set(s->fd, ref_self(), 0, MANY, values);
}

static bool undo_op(struct stage *s, int ret)
{
	bool right = ret == 0 && sem_value(s->fd, 0) == 4;

	reset(s);
	return right && all_are(s->fd, 5);
}

static bool undo_all(struct stage *s, int ret)
{
	bool right = ret == 0 && all_are(s->fd, 4);

	reset(s);
	return right && all_are(s->fd, 5);
}

static bool undo_none(struct stage *s, int ret)
{
	return ret == 0 && all_are(s->fd, 5);
}

/* CREATE */

static int create(struct stage *s, struct ipcx_sem_params params)
{
	struct ipcx_create arg = sem_arg(s->other, TRANSIENT, &params);
	int fd = armed(s, ipc_ioctl(s->dev, IPCX_IOC_CREATE, &arg));

	if (fd >= 0)
		track_object(&arg, fd);
	return fd;
}

static int create_one(struct stage *s)
{
	return create(s, (struct ipcx_sem_params) { .value = 1 });
}

/* Their memory is in pages of its own. */
static int create_most(struct stage *s)
{
	return create(s, (struct ipcx_sem_params) { .count = IPCX_SEMS_MAX, .value = 1 });
}

static bool undo_create(struct stage *s, int fd)
{
	bool right = sem_value(fd, 0) == 1 && fd_id(fd) != s->st.id;

	close(fd);
	return right;
}

static int open_by_name(struct stage *s)
{
	return armed(s, name_open(s->dev, s->name, RDWR, 0));
}

static bool undo_open(struct stage *s, int fd)
{
	bool right = fd_id(fd) == s->st.id;

	close(fd);
	return right;
}

/* SEM_OP */

static int op_by(struct stage *s, int fd, struct ipcx_ref ref)
{
	struct ipcx_sem_op op = sem_step(0, -1, NOWAIT);

	return left(s, armed(s, ref_sem_op(fd, ref, &op, 1, 0, deadline_patience())));
}

static int op_by_fd(struct stage *s)
{
	return op_by(s, s->fd, ref_self());
}

static int op_by_name(struct stage *s)
{
	return op_by(s, s->dev, ref_name(s->name));
}

static int op_by_id(struct stage *s)
{
	return op_by(s, s->dev, ref_id(s->st.id));
}

static int op_on_many(struct stage *s)
{
	struct ipcx_sem_op ops[MANY];
	unsigned int i;

	for (i = 0; i < MANY; i++)
		ops[i] = sem_step(i, -1, 0);
	return left(s, armed(s, sem_ops(s->fd, ops, MANY, IPCX_NONBLOCK)));
}

static int op_that_waits(struct stage *s)
{
	struct ipcx_sem_op ops[MANY];
	unsigned int i;
	int ret;

	for (i = 0; i < MANY; i++)
		ops[i] = sem_step(i, -6, 0);
	ret = armed(s, ref_sem_op(s->fd, ref_self(), ops, MANY, 0, deadline_ms(1)));
	return left(s, ret) == -ETIMEDOUT ? 0 : ret;
}

/* A new set each time: its first record of what to undo. */
static int op_with_undo(struct stage *s)
{
	int fd = sem_new_of(s->dev, MANY, 5), ret;
	struct ipcx_sem_op op = sem_step(0, -1, NOWAIT | UNDO);

	ret = armed(s, sem_ops(fd, &op, 1, 0));
	if (ret < 0 && !all_are(fd, 5))
		ret = -EPROTO;
	if (ret < 0)
		close(fd);
	s->made = fd;
	return ret;
}

static bool undo_with_undo(struct stage *s, int ret)
{
	bool right = ret == 0 && sem_value(s->made, 0) == 4;

	close(s->made);
	return right;
}

static int take_owned(struct stage *s)
{
	int fd = sem_new_owned(s->dev, 1), ret;

	ret = armed(s, sem_try(fd, 0, -1, 0));
	if (ret < 0 && sem_get(fd, 0).holder)
		ret = -EPROTO;
	if (ret < 0)
		close(fd);
	s->made = fd;
	return ret;
}

static bool undo_take_owned(struct stage *s, int ret)
{
	bool right = ret == 0 && sem_get(s->made, 0).holder == getpid();

	close(s->made);
	return right;
}

/* read(2), write(2) */

static int read_one(struct stage *s)
{
	uint64_t n;

	return left(s, armed(s, read(s->fd, &n, 8) < 0 ? -errno : 0));
}

static int write_one(struct stage *s)
{
	uint64_t n = 1;
	int ret = left(s, armed(s, write(s->fd, &n, 8) < 0 ? -errno : 0));

	return !ret ? sem_try(s->fd, 0, -2, 0) : ret;
}

/* SEM_GET, SEM_SET, SEM_FILE */

static int get_many(struct stage *s)
{
	return armed(s, ref_sem_get(s->fd, ref_self(), 0, MANY, sems));
}

static int set_many(struct stage *s)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		values[i] = 4;
	return left(s, armed(s, ref_sem_set(s->fd, ref_self(), 0, MANY, values)));
}

static int set_by_name(struct stage *s)
{
	uint32_t four = 4;

	return left(s, armed(s, ref_sem_set(s->dev, ref_name(s->name), 0, 1, &four)));
}

static int choose_file(struct stage *s)
{
	return armed(s, sem_file(s->fd, 0));
}

/* The table. */

FIXTURE(fail_nth_sem) {
	struct stage *s;
};

FIXTURE_VARIANT(fail_nth_sem) {
	struct trial trial;
	int may;
};

#define ROW(name, undo_, may_)						\
	FIXTURE_VARIANT_ADD(fail_nth_sem, name) {			\
		.trial = { .call = name, .undo = undo_ },		\
		.may = may_,						\
	}

ROW(create_one, undo_create, MEMORY | COPY);
ROW(create_most, undo_create, MEMORY | COPY);
ROW(open_by_name, undo_open, MEMORY | COPY);
ROW(op_by_fd, undo_op, COPY);
ROW(op_by_name, undo_op, MEMORY | COPY);
ROW(op_by_id, undo_op, COPY);
ROW(op_on_many, undo_all, MEMORY | COPY);
ROW(op_that_waits, undo_none, MEMORY | COPY);
ROW(op_with_undo, undo_with_undo, MEMORY | COPY);
ROW(take_owned, undo_take_owned, MEMORY | COPY);
ROW(read_one, undo_op, COPY);
ROW(write_one, undo_op, COPY);
ROW(get_many, undo_none, COPY);
ROW(set_many, undo_all, MEMORY | COPY);
ROW(set_by_name, undo_op, MEMORY | COPY);
ROW(choose_file, undo_none, COPY);

FIXTURE_SETUP(fail_nth_sem)
{
	track_cleanup();
	self->s = stage_make();
	self->s->dev = dev_open();
	ASSERT_GE(self->s->dev, 0);
	ASSERT_TRUE(settled(self->s->dev));
	ASSERT_TRUE(stage_set(self->s));
}

FIXTURE_TEARDOWN_PARENT(fail_nth_sem)
{
	track_cleanup();
}

TEST_F_TIMEOUT(fail_nth_sem, memory, 300)
{
	ASSERT_TRUE(fail_setup(FAIL_MEMORY));
	fail_all(_metadata, self->s, FAIL_MEMORY, &variant->trial,
		 variant->may & MEMORY);
}

TEST_F_TIMEOUT(fail_nth_sem, copy, 300)
{
	ASSERT_TRUE(fail_setup(FAIL_COPY));
	fail_all(_metadata, self->s, FAIL_COPY, &variant->trial,
		 variant->may & COPY);
}

FAIL_NTH_MAIN
