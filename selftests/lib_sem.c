// SPDX-License-Identifier: GPL-2.0
/*
 * libipcx: the functions of semaphores, as ipcx.h and the manual pages tell them: what each
 * passes on, and what it returns. What becomes of semaphores that many want is for the tests
 * of semaphores.
 */
#include "sem_test.h"

#include <ipcx.h>

#define RDWR		IPCX_ACCESS_RDWR
#define READ		IPCX_ACCESS_READ
#define WRITE		IPCX_ACCESS_WRITE
#define MAX		IPCX_SEM_VALUE_MAX

/* An id that nothing has so soon. */
#define NO_ID		0x7ffffff0

#define SHORT_NS	50000000ULL

static const struct ipcx_options persistent = {
	.lifetime = IPCX_LIFETIME_PERSISTENT,
};

FIXTURE(lib_sem) {
	int dev;
	int fd;
	uint32_t id;
	uint64_t cookie;
	char name[TEST_NAME_SIZE];
};

/* Three of value 2, at most 10. */
FIXTURE_SETUP(lib_sem)
{
	const struct ipcx_sem_params params = { .count = 3, .value = 2, .max = 10 };
	struct ipcx_stat st;

	self->dev = ipcx_device();
	ASSERT_GE(self->dev, 0);
	self->fd = ipcx_sem_create(self->dev, test_name(self->name, "lib"), RDWR, &params,
				   &persistent);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, ipcx_stat_fd(self->fd, &st, sizeof(st)));
	self->id = st.id;
	self->cookie = st.cookie;
}

FIXTURE_TEARDOWN(lib_sem)
{
	EXPECT_EQ(0, ipcx_remove_fd(self->fd));
	close(self->fd);
	close(self->dev);
}

TEST_F(lib_sem, create)
{
	const struct ipcx_sem_params zeros = { 0 }, owned = {
		.count = 2, .flags = IPCX_SEM_OWNED,
	}, wrong = { .value = 2, .max = 1 };
	struct ipcx_stat st;
	int fd;

	ASSERT_EQ(0, ipcx_stat(self->dev, self->name, &st, sizeof(st)));
	EXPECT_EQ(IPCX_TYPE_SEM, st.type);
	EXPECT_EQ(IPCX_LIFETIME_PERSISTENT, st.lifetime);
	EXPECT_EQ(3, st.sems);
	EXPECT_EQ(10, st.sem_max);
	fd = ipcx_sem_create(self->dev, NULL, RDWR, NULL, NULL);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, sem_value(fd, 0));
	close(fd);
	fd = ipcx_sem_create(self->dev, NULL, RDWR, &zeros, NULL);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, ipcx_stat_fd(fd, &st, sizeof(st)));
	EXPECT_EQ(1, st.sems);
	EXPECT_EQ(MAX, st.sem_max);
	close(fd);
	fd = ipcx_sem_create(self->dev, NULL, RDWR, &owned, NULL);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, ipcx_stat_fd(fd, &st, sizeof(st)));
	EXPECT_EQ(IPCX_SEM_OWNED, st.sem_flags);
	close(fd);
	EXPECT_EQ(-EINVAL, ipcx_sem_create(self->dev, NULL, RDWR, &wrong, NULL));
	EXPECT_EQ(-EEXIST, ipcx_sem_create(self->dev, self->name, RDWR, NULL, NULL));
}

TEST_F(lib_sem, up_and_down)
{
	struct ipcx_deadline soon = ipcx_deadline_after(SHORT_NS), far;

	EXPECT_EQ(0, ipcx_sem_down(self->fd, 1, 2, 0, NULL));
	EXPECT_EQ(0, sem_value(self->fd, 1));
	EXPECT_EQ(-EAGAIN, ipcx_sem_down(self->fd, 1, 1, IPCX_SEM_NOWAIT, NULL));
	EXPECT_EQ(-ETIMEDOUT, ipcx_sem_down(self->fd, 1, 1, 0, &soon));
	EXPECT_EQ(0, ipcx_sem_up(self->fd, 1, 7, 0));
	EXPECT_EQ(7, sem_value(self->fd, 1));
	far = ipcx_deadline_after(PATIENCE_MS * 1000000ULL);
	EXPECT_EQ(0, ipcx_sem_down(self->fd, 1, 3, 0, &far));
	EXPECT_EQ(4, sem_value(self->fd, 1));
	EXPECT_EQ(2, sem_value(self->fd, 0));
	EXPECT_EQ(-EOVERFLOW, ipcx_sem_up(self->fd, 1, 7, 0));
	EXPECT_EQ(-EOVERFLOW, ipcx_sem_up(self->fd, 1, MAX + 1U, 0));
	EXPECT_EQ(-EINVAL, ipcx_sem_up(self->fd, 1, 0, 0));
	EXPECT_EQ(-EINVAL, ipcx_sem_down(self->fd, 1, 0, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_sem_down(self->fd, 1, 11, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_sem_down(self->fd, 1, ~0U, 0, NULL));
	EXPECT_EQ(-EFBIG, ipcx_sem_up(self->fd, 3, 1, 0));
	EXPECT_EQ(-EINVAL, ipcx_sem_up(self->fd, 1, 1, 1 << 5));
	EXPECT_EQ(4, sem_value(self->fd, 1));
}

TEST_F(lib_sem, undo_is_passed_on)
{
	in_child() {
		EXPECT_EQ(0, ipcx_sem_up(self->fd, 0, 3, IPCX_SEM_UNDO));
		EXPECT_EQ(0, ipcx_sem_down(self->fd, 1, 1, IPCX_SEM_UNDO, NULL));
		EXPECT_EQ(5, sem_value(self->fd, 0));
		EXPECT_EQ(1, sem_value(self->fd, 1));
	}
	EXPECT_EQ(2, sem_value(self->fd, 0));
	EXPECT_EQ(2, sem_value(self->fd, 1));
}

TEST_F(lib_sem, several_at_once)
{
	const struct ipcx_sem_op ops[] = { sem_step(0, -2, 0), sem_step(2, 5, 0) };
	const struct ipcx_sem_op wait[] = { sem_step(0, 0, 0), sem_step(1, -3, 0) };
	struct ipcx_deadline soon;

	EXPECT_EQ(0, ipcx_sem_op(self->fd, ops, 2, 0, NULL));
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_EQ(7, sem_value(self->fd, 2));
	EXPECT_EQ(-EAGAIN, ipcx_sem_op(self->fd, wait, 2, IPCX_NONBLOCK, NULL));
	soon = ipcx_deadline_after(SHORT_NS);
	EXPECT_EQ(-ETIMEDOUT, ipcx_sem_op(self->fd, wait, 2, 0, &soon));
	EXPECT_EQ(-EINVAL, ipcx_sem_op(self->fd, wait, 0, 0, NULL));
	EXPECT_EQ(-E2BIG, ipcx_sem_op(self->fd, wait, IPCX_SEM_OPS_MAX + 1, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_sem_op(self->fd, wait, 2, IPCX_PEEK, NULL));
	EXPECT_EQ(-EFAULT, ipcx_sem_op(self->fd, (void *)8, 1, 0, NULL));
}

TEST_F(lib_sem, by_id)
{
	const struct ipcx_sem_op op = sem_step(0, -1, 0);
	const uint32_t values[] = { 4, 5 };
	struct ipcx_sem sems[2];

	EXPECT_EQ(0, ipcx_sem_op_id(self->dev, self->id, self->cookie, &op, 1, 0, NULL));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	EXPECT_EQ(0, ipcx_sem_set_id(self->dev, self->id, 0, 1, 2, values));
	EXPECT_EQ(0, ipcx_sem_get_id(self->dev, self->id, self->cookie, 1, 2, sems));
	EXPECT_EQ(4, sems[0].value);
	EXPECT_EQ(5, sems[1].value);
	EXPECT_EQ(getpid(), sems[1].pid);
	EXPECT_EQ(-ESTALE, ipcx_sem_op_id(self->dev, self->id, self->cookie + 1, &op, 1, 0,
					  NULL));
	EXPECT_EQ(-ESTALE, ipcx_sem_get_id(self->dev, self->id, self->cookie + 1, 0, 1, sems));
	EXPECT_EQ(-ESTALE, ipcx_sem_set_id(self->dev, self->id, self->cookie + 1, 0, 1, values));
	EXPECT_EQ(-ENOENT, ipcx_sem_op_id(self->dev, NO_ID, 0, &op, 1, 0, NULL));
	EXPECT_EQ(-ENOENT, ipcx_sem_get_id(self->dev, NO_ID, 0, 0, 1, sems));
	EXPECT_EQ(-ENOENT, ipcx_sem_set_id(self->dev, NO_ID, 0, 0, 1, values));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(-EACCES, ipcx_sem_op_id(self->dev, self->id, 0, &op, 1, 0, NULL));
		EXPECT_EQ(-EACCES, ipcx_sem_get_id(self->dev, self->id, 0, 0, 1, sems));
		EXPECT_EQ(-EACCES, ipcx_sem_set_id(self->dev, self->id, 0, 0, 1, values));
	}
}

TEST_F(lib_sem, get_and_set)
{
	const uint32_t values[] = { 9, 0, 3 }, large[] = { 1, 11 };
	struct ipcx_sem sems[3];

	ASSERT_EQ(0, ipcx_sem_set(self->fd, 0, 3, values));
	ASSERT_EQ(0, ipcx_sem_get(self->fd, 0, 3, sems));
	EXPECT_EQ(9, sems[0].value);
	EXPECT_EQ(0, sems[1].value);
	EXPECT_EQ(3, sems[2].value);
	EXPECT_EQ(-ERANGE, ipcx_sem_set(self->fd, 0, 2, large));
	EXPECT_EQ(-EFBIG, ipcx_sem_set(self->fd, 2, 2, values));
	EXPECT_EQ(-EFBIG, ipcx_sem_get(self->fd, 2, 2, sems));
	EXPECT_EQ(-EINVAL, ipcx_sem_set(self->fd, 0, 0, values));
	EXPECT_EQ(-EINVAL, ipcx_sem_get(self->fd, 0, 0, sems));
	EXPECT_EQ(9, sem_value(self->fd, 0));
}

TEST_F(lib_sem, file)
{
	uint64_t n = 3;

	EXPECT_EQ(0, ipcx_sem_file(self->fd, 2));
	EXPECT_EQ(8, plain_write(self->fd, &n, 8));
	EXPECT_EQ(5, sem_value(self->fd, 2));
	EXPECT_EQ(-EFBIG, ipcx_sem_file(self->fd, 3));
}

/* With and without a deadline they go different ways, to the same end. */
TEST_F(lib_sem, what_a_file_may_do)
{
	int rd = ipcx_open_fd(self->fd, READ, 0, NULL), wr = ipcx_open_fd(self->fd, WRITE, 0, NULL);
	struct ipcx_deadline far = ipcx_deadline_after(PATIENCE_MS * 1000000ULL);
	int pipe = ipcx_pipe_create(self->dev, NULL, RDWR, 0, NULL);
	struct ipcx_sem sem;
	uint32_t value = 1;

	EXPECT_EQ(-EBADF, ipcx_sem_up(rd, 0, 1, 0));
	EXPECT_EQ(-EBADF, ipcx_sem_down(rd, 0, 1, 0, NULL));
	EXPECT_EQ(-EBADF, ipcx_sem_down(rd, 0, 1, 0, &far));
	EXPECT_EQ(-EBADF, ipcx_sem_set(rd, 0, 1, &value));
	EXPECT_EQ(-EBADF, ipcx_sem_get(wr, 0, 1, &sem));
	EXPECT_EQ(0, ipcx_sem_down(wr, 0, 1, 0, &far));
	EXPECT_EQ(-EOPNOTSUPP, ipcx_sem_up(pipe, 0, 1, 0));
	EXPECT_EQ(-EOPNOTSUPP, ipcx_sem_down(pipe, 0, 1, 0, NULL));
	EXPECT_EQ(-EOPNOTSUPP, ipcx_sem_down(pipe, 0, 1, 0, &far));
	EXPECT_EQ(-EOPNOTSUPP, ipcx_sem_get(pipe, 0, 1, &sem));
	EXPECT_EQ(-EOPNOTSUPP, ipcx_sem_set(pipe, 0, 1, &value));
	EXPECT_EQ(-EOPNOTSUPP, ipcx_sem_file(pipe, 0));
	EXPECT_EQ(-EBADF, ipcx_sem_up(-1, 0, 1, 0));
	EXPECT_EQ(-ENOTTY, ipcx_sem_up(self->dev, 0, 1, 0));
	close(pipe);
	close(rd);
	close(wr);
}

TEST_HARNESS_MAIN
