// SPDX-License-Identifier: GPL-2.0
/*
 * Semaphores: limits, operations that needn't wait, several at once, reading and setting,
 * read(2), write(2) and poll(2), permission, STAT.
 *
 * Waiting has a file of its own, and so has what is undone when a process dies.
 */
#include "poll_test.h"
#include "sem_actor_test.h"

#include <sys/epoll.h>
#include <sys/uio.h>

#define ARRAY_LEN(a)	(sizeof(a) / sizeof(*(a)))
#define MAX		IPCX_SEM_VALUE_MAX

#define PERSISTENT	IPCX_LIFETIME_PERSISTENT
#define TRANSIENT	IPCX_LIFETIME_TRANSIENT

FIXTURE(sem) {
	int dev;
	int fd;
	char name[TEST_NAME_SIZE];
};

/* Four semaphores of value 2. */
FIXTURE_SETUP(sem)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	test_name(self->name, "sem");
	self->fd = sem_create(self->dev, self->name, PERSISTENT,
			      (struct ipcx_sem_params) { .count = 4, .value = 2 });
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN_PARENT(sem)
{
	track_cleanup();
}

static int create(int dev, struct ipcx_sem_params params)
{
	return sem_create(dev, NULL, TRANSIENT, params);
}

static struct ipcx_sem_op op(uint32_t index, int32_t delta)
{
	return sem_step(index, delta, 0);
}

/* These operations at once, without waiting. */
#define sem_now(fd, ...) sem_vector(fd, IPCX_NONBLOCK, __VA_ARGS__)

/* Making one. */

TEST_F(sem, query_tells_of_semaphores)
{
	struct ipcx_query q;

	ASSERT_EQ(0, dev_query(self->dev, &q));
	EXPECT_EQ(sizeof(q), q.size);
	EXPECT_LE(4, q.version);
	EXPECT_NE(0, q.types & 1 << IPCX_TYPE_SEM);
	EXPECT_EQ(IPCX_SEMS_MAX, q.sems_max);
	EXPECT_EQ(IPCX_SEM_OPS_MAX, q.sem_ops_max);
	EXPECT_EQ(IPCX_SEM_VALUE_MAX, q.sem_value_max);
	EXPECT_LT(0, q.sem_overhead_bytes);
}

TEST_F(sem, defaults)
{
	struct ipcx_create arg = sem_arg(NULL, TRANSIENT, NULL);
	struct ipcx_stat st;
	int fd = obj_create(self->dev, &arg);

	ASSERT_GE(fd, 0);
	st = pipe_stat(fd);
	EXPECT_EQ(IPCX_TYPE_SEM, st.type);
	EXPECT_EQ(1, st.sems);
	EXPECT_EQ(MAX, st.sem_max);
	EXPECT_EQ(0, st.sem_flags);
	EXPECT_EQ(0, sem_value(fd, 0));
	close(fd);
}

TEST_F(sem, limits_of_a_set)
{
	int fd = create(self->dev, (struct ipcx_sem_params) {
		.count = IPCX_SEMS_MAX, .max = 7, .value = 7,
	});

	ASSERT_GE(fd, 0);
	EXPECT_EQ(IPCX_SEMS_MAX, pipe_stat(fd).sems);
	EXPECT_EQ(7, pipe_stat(fd).sem_max);
	EXPECT_EQ(7, sem_value(fd, 0));
	EXPECT_EQ(7, sem_value(fd, IPCX_SEMS_MAX - 1));
	close(fd);
	EXPECT_EQ(-EINVAL, create(self->dev, (struct ipcx_sem_params) {
		.count = IPCX_SEMS_MAX + 1,
	}));
	EXPECT_EQ(-EINVAL, create(self->dev, (struct ipcx_sem_params) { .max = 7, .value = 8 }));
	EXPECT_EQ(-EINVAL, create(self->dev, (struct ipcx_sem_params) { .max = MAX + 1U }));
	EXPECT_EQ(-EINVAL, create(self->dev, (struct ipcx_sem_params) { .value = MAX + 1U }));
	EXPECT_EQ(-EINVAL, create(self->dev, (struct ipcx_sem_params) { .flags = 1 << 1 }));
	EXPECT_EQ(-EINVAL, create(self->dev, (struct ipcx_sem_params) { .flags = 1U << 31 }));
}

TEST_F(sem, owned_ones_are_binary)
{
	struct ipcx_sem_params params = { .count = 3, .flags = IPCX_SEM_OWNED };
	int fd = create(self->dev, params);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(1, sem_value(fd, 2));
	EXPECT_EQ(1, pipe_stat(fd).sem_max);
	EXPECT_EQ(IPCX_SEM_OWNED, pipe_stat(fd).sem_flags);
	close(fd);
	params.max = 1;
	fd = create(self->dev, params);
	EXPECT_GE(fd, 0);
	close(fd);
	params.max = 2;
	EXPECT_EQ(-EINVAL, create(self->dev, params));
	params.max = 0;
	params.value = 1;
	EXPECT_EQ(-EINVAL, create(self->dev, params));
}

/* Each semaphore is paid for. */
TEST_F(sem, charge)
{
	int one = create(self->dev, (struct ipcx_sem_params) { .count = 1 });
	int many = create(self->dev, (struct ipcx_sem_params) { .count = 101 });
	struct ipcx_query q;

	ASSERT_EQ(0, dev_query(self->dev, &q));
	EXPECT_EQ(pipe_stat(one).charged_bytes + 100 * q.sem_overhead_bytes,
		  pipe_stat(many).charged_bytes);
	close(one);
	close(many);
}

/* Operations. */

TEST_F(sem, up_and_down)
{
	EXPECT_EQ(0, sem_try(self->fd, 1, -1, 0));
	EXPECT_TRUE(values_are(self->fd, 2, 1, 2, 2));
	EXPECT_EQ(0, sem_try(self->fd, 1, -1, 0));
	EXPECT_EQ(-EAGAIN, sem_try(self->fd, 1, -1, 0));
	EXPECT_EQ(0, sem_try(self->fd, 1, 5, 0));
	EXPECT_EQ(-EAGAIN, sem_try(self->fd, 1, -6, 0));
	EXPECT_TRUE(values_are(self->fd, 2, 5, 2, 2));
	EXPECT_EQ(0, sem_try(self->fd, 1, -5, 0));
	EXPECT_TRUE(values_are(self->fd, 2, 0, 2, 2));
}

TEST_F(sem, wait_for_zero)
{
	EXPECT_EQ(-EAGAIN, sem_try(self->fd, 0, 0, 0));
	EXPECT_EQ(0, sem_try(self->fd, 0, -2, 0));
	EXPECT_EQ(0, sem_try(self->fd, 0, 0, 0));
	EXPECT_EQ(0, sem_one(self->fd, 0, 0, 0));
	EXPECT_TRUE(values_are(self->fd, 0, 2, 2, 2));
}

TEST_F(sem, maximum)
{
	int fd = create(self->dev, (struct ipcx_sem_params) { .max = 5, .value = 3 });

	EXPECT_EQ(-EOVERFLOW, sem_try(fd, 0, 3, 0));
	EXPECT_EQ(3, sem_value(fd, 0));
	EXPECT_EQ(0, sem_try(fd, 0, 2, 0));
	EXPECT_EQ(-EOVERFLOW, sem_try(fd, 0, 1, 0));
	EXPECT_EQ(-EOVERFLOW, sem_try(fd, 0, INT32_MAX, 0));
	EXPECT_EQ(0, sem_try(fd, 0, -5, 0));
	EXPECT_EQ(-EAGAIN, sem_try(fd, 0, -5, 0));
	/* This could never be done. */
	EXPECT_EQ(-EINVAL, sem_try(fd, 0, -6, 0));
	EXPECT_EQ(-EINVAL, sem_try(fd, 0, INT32_MIN, 0));
	close(fd);
	EXPECT_EQ(0, sem_try(self->fd, 0, MAX - 2, 0));
	EXPECT_EQ(-EOVERFLOW, sem_try(self->fd, 0, 1, 0));
	EXPECT_EQ(-EINVAL, sem_try(self->fd, 0, INT32_MIN, 0));
	EXPECT_EQ(0, sem_try(self->fd, 0, -MAX, 0));
	EXPECT_TRUE(values_are(self->fd, 0, 2, 2, 2));
}

TEST_F(sem, all_or_nothing)
{
	EXPECT_EQ(0, sem_now(self->fd, op(0, -1), op(1, 3), op(3, -2)));
	EXPECT_TRUE(values_are(self->fd, 1, 5, 2, 0));
	EXPECT_EQ(-EAGAIN, sem_now(self->fd, op(0, -1), op(1, 3), op(3, -1)));
	EXPECT_EQ(-EAGAIN, sem_now(self->fd, op(1, 3), op(3, 1), op(0, 0)));
	EXPECT_EQ(-EOVERFLOW, sem_now(self->fd, op(0, -1), op(1, MAX)));
	EXPECT_EQ(-EFBIG, sem_now(self->fd, op(0, -1), op(4, 1)));
	EXPECT_EQ(-EINVAL, sem_now(self->fd, op(0, -1), sem_step(1, 1, 1 << 2)));
	EXPECT_EQ(-EINVAL, sem_now(self->fd, op(0, -1), { 1, 1, 0, 1 }));
	EXPECT_TRUE(values_are(self->fd, 1, 5, 2, 0));
}

/* As if in their order. */
TEST_F(sem, several_on_one_semaphore)
{
	EXPECT_EQ(0, sem_now(self->fd, op(0, -2), op(0, 0), op(0, 7)));
	EXPECT_TRUE(values_are(self->fd, 7, 2, 2, 2));
	EXPECT_EQ(-EAGAIN, sem_now(self->fd, op(0, 0), op(0, -7)));
	EXPECT_EQ(-EAGAIN, sem_now(self->fd, op(0, -8), op(0, 8)));
	EXPECT_EQ(0, sem_now(self->fd, op(0, 8), op(0, -8), op(0, -7)));
	EXPECT_TRUE(values_are(self->fd, 0, 2, 2, 2));
	/* On the way it would be too much. */
	EXPECT_EQ(-EOVERFLOW, sem_now(self->fd, op(1, MAX), op(1, -MAX)));
	EXPECT_TRUE(values_are(self->fd, 0, 2, 2, 2));
}

/* What an operation says of waiting counts if it is this one that can't be done. */
TEST_F(sem, nowait_of_an_operation)
{
	struct ipcx_sem_op ops[] = { { 0, -3, 0, 0 }, { 1, -3, NOWAIT, 0 } };

	EXPECT_EQ(-ETIMEDOUT, ref_sem_op(self->fd, ref_self(), ops, 2, 0, deadline_past()));
	ops[0].delta = -1;
	EXPECT_EQ(-EAGAIN, ref_sem_op(self->fd, ref_self(), ops, 2, 0, deadline_past()));
	EXPECT_TRUE(values_are(self->fd, 2, 2, 2, 2));
}

TEST_F(sem, most_operations)
{
	static struct ipcx_sem_op ops[IPCX_SEM_OPS_MAX + 1];
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(ops); i++)
		ops[i] = sem_step(i % 4, i % 8 < 4 ? 1 : -1, 0);
	EXPECT_EQ(0, sem_ops(self->fd, ops, IPCX_SEM_OPS_MAX, IPCX_NONBLOCK));
	EXPECT_TRUE(values_are(self->fd, 2, 2, 2, 2));
	ops[IPCX_SEM_OPS_MAX - 1] = sem_step(2, -3, 0);
	EXPECT_EQ(-EAGAIN, sem_ops(self->fd, ops, IPCX_SEM_OPS_MAX, IPCX_NONBLOCK));
	EXPECT_TRUE(values_are(self->fd, 2, 2, 2, 2));
	EXPECT_EQ(-E2BIG, sem_ops(self->fd, ops, IPCX_SEM_OPS_MAX + 1, IPCX_NONBLOCK));
	EXPECT_EQ(-E2BIG, sem_ops(self->fd, ops, UINT32_MAX, IPCX_NONBLOCK));
	EXPECT_EQ(-EINVAL, sem_ops(self->fd, ops, 0, IPCX_NONBLOCK));
}

TEST_F(sem, bad_requests)
{
	struct ipcx_sem_op op = sem_step(0, 1, 0);
	struct ipcx_sem_ops arg = {
		.ops = (uintptr_t)&op, .count = 1, .op_size = sizeof(op),
		.deadline = deadline_never(),
	};
	struct ipcx_sem_ops bad;

	bad = arg;
	bad.reserved = 1;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->fd, IPCX_IOC_SEM_OP, &bad));
	bad = arg;
	bad.flags = IPCX_PEEK;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->fd, IPCX_IOC_SEM_OP, &bad));
	bad = arg;
	bad.deadline.clock = 77;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->fd, IPCX_IOC_SEM_OP, &bad));
	bad = arg;
	bad.op_size = sizeof(op) - 1;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->fd, IPCX_IOC_SEM_OP, &bad));
	bad = arg;
	bad.op_size = 4097;
	EXPECT_EQ(-E2BIG, ipc_ioctl(self->fd, IPCX_IOC_SEM_OP, &bad));
	bad = arg;
	bad.ref.id = 1;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->fd, IPCX_IOC_SEM_OP, &bad));
	bad = arg;
	bad.ops = 8;
	EXPECT_EQ(-EFAULT, ipc_ioctl(self->fd, IPCX_IOC_SEM_OP, &bad));
	EXPECT_TRUE(values_are(self->fd, 2, 2, 2, 2));
	EXPECT_EQ(0, ipc_ioctl(self->fd, IPCX_IOC_SEM_OP, &arg));
}

/* A program of a later time has longer operations. */
TEST_F(sem, longer_operations)
{
	struct {
		struct ipcx_sem_op op;
		uint64_t later;
	} ops[] = { { { 0, 1, 0, 0 }, 0 }, { { 1, -1, 0, 0 }, 0 } };
	struct ipcx_sem_ops arg = {
		.ops = (uintptr_t)ops, .count = 2, .op_size = sizeof(*ops),
		.deadline = deadline_never(),
	};

	EXPECT_EQ(0, ipc_ioctl(self->fd, IPCX_IOC_SEM_OP, &arg));
	EXPECT_TRUE(values_are(self->fd, 3, 1, 2, 2));
	ops[1].later = 1;
	EXPECT_EQ(-E2BIG, ipc_ioctl(self->fd, IPCX_IOC_SEM_OP, &arg));
	EXPECT_TRUE(values_are(self->fd, 3, 1, 2, 2));
}

/* A page's end may cut the array anywhere: all or nothing is done. */
TEST_F(sem, fault_at_each_operation)
{
	struct ipcx_sem_op ops[6], *at;
	unsigned char *page = holed_buffer(2, 1);
	unsigned int i;

	for (i = 0; i < 6; i++)
		ops[i] = sem_step(0, 1, 0);
	for (i = 1; i <= 6; i++) {
		at = (struct ipcx_sem_op *)(page + PAGE_BYTES) - i;
		memcpy(at, ops, i * sizeof(*ops));
		EXPECT_EQ(i == 6 ? 0 : -EFAULT, sem_ops(self->fd, at, 6, IPCX_NONBLOCK));
	}
	EXPECT_TRUE(values_are(self->fd, 8, 2, 2, 2));
	holed_free(page, 2);
}

/* Looking and setting. */

TEST_F(sem, get_tells_all)
{
	struct ipcx_sem sem = sem_get(self->fd, 0);

	EXPECT_EQ(2, sem.value);
	EXPECT_EQ(0, sem.flags);
	EXPECT_EQ(0, sem.waiting_down);
	EXPECT_EQ(0, sem.waiting_zero);
	EXPECT_EQ(0, sem.pid);
	EXPECT_EQ(0, sem.holder);
	ASSERT_EQ(0, sem_try(self->fd, 0, -2, 0));
	EXPECT_EQ(getpid(), sem_get(self->fd, 0).pid);
	EXPECT_EQ(0, sem_get(self->fd, 1).pid);
}

/* Whose operation it was is told for each semaphore that it names, for 0, too. */
TEST_F(sem, pid_of_the_last)
{
	pid_t pid;

	ASSERT_EQ(0, sem_try(self->fd, 0, -2, 0));
	pid = fork();
	if (!pid)
		_exit(sem_now(self->fd, op(0, 0), op(1, -1)));
	ASSERT_EQ(0, reap(pid));
	EXPECT_EQ(0, sem_get(self->fd, 2).pid);
	ASSERT_EQ(0, sem_try(self->fd, 2, 1, 0));
	EXPECT_EQ(getpid(), sem_get(self->fd, 2).pid);
	EXPECT_EQ(getpid(), pipe_stat(self->fd).last_writer_pid);
	/* One that is no more is still told. */
	EXPECT_EQ(pid, sem_get(self->fd, 0).pid);
	EXPECT_EQ(pid, sem_get(self->fd, 1).pid);
	/* Who fails has done nothing. */
	ASSERT_EQ(0, sem_try(self->fd, 0, 1, 0));
	pid = fork();
	if (!pid) {
		sem_try(self->fd, 0, -2, 0);
		_exit(sem_get(self->fd, 0).pid != getppid());
	}
	EXPECT_EQ(0, reap(pid));
}

TEST_F(sem, get_of_many)
{
	static struct ipcx_sem sems[301];
	int fd = sem_new_of(self->dev, 300, 0);
	unsigned int i;

	for (i = 0; i < 300; i++)
		ASSERT_EQ(0, sem_set(fd, i, i));
	ASSERT_EQ(0, ref_sem_get(fd, ref_self(), 0, 300, sems));
	for (i = 0; i < 300; i++)
		EXPECT_EQ(i, sems[i].value);
	ASSERT_EQ(0, ref_sem_get(fd, ref_self(), 77, 100, sems));
	EXPECT_EQ(77, sems[0].value);
	EXPECT_EQ(176, sems[99].value);
	EXPECT_EQ(-EFBIG, ref_sem_get(fd, ref_self(), 0, 301, sems));
	EXPECT_EQ(-EFBIG, ref_sem_get(fd, ref_self(), 300, 1, sems));
	EXPECT_EQ(-EFBIG, ref_sem_get(fd, ref_self(), UINT32_MAX, 1, sems));
	EXPECT_EQ(-EINVAL, ref_sem_get(fd, ref_self(), 0, 0, sems));
	close(fd);
}

TEST_F(sem, get_in_other_sizes)
{
	struct {
		struct ipcx_sem sem;
		uint32_t later;
	} sems[2];
	struct ipcx_sem_get arg = {
		.sems = (uintptr_t)sems, .count = 2, .sem_size = sizeof(*sems),
	};

	memset(sems, POISON, sizeof(sems));
	ASSERT_EQ(0, sem_set(self->fd, 1, 9));
	ASSERT_EQ(0, ipc_ioctl(self->fd, IPCX_IOC_SEM_GET, &arg));
	EXPECT_EQ(2, sems[0].sem.value);
	EXPECT_EQ(0xa5a5a5a5, sems[0].later);
	EXPECT_EQ(9, sems[1].sem.value);
	arg.sem_size = sizeof(struct ipcx_sem) - 1;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->fd, IPCX_IOC_SEM_GET, &arg));
	arg.sem_size = sizeof(*sems);
	arg.reserved = 1;
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->fd, IPCX_IOC_SEM_GET, &arg));
	arg.reserved = 0;
	arg.sems = 8;
	EXPECT_EQ(-EFAULT, ipc_ioctl(self->fd, IPCX_IOC_SEM_GET, &arg));
}

TEST_F(sem, set_some)
{
	const uint32_t values[] = { 5, 0 };

	ASSERT_EQ(0, ref_sem_set(self->fd, ref_self(), 1, 2, values));
	EXPECT_TRUE(values_are(self->fd, 2, 5, 0, 2));
	EXPECT_EQ(getpid(), sem_get(self->fd, 1).pid);
	EXPECT_EQ(0, sem_get(self->fd, 0).pid);
	/* That is the last thing that was done to the set. */
	EXPECT_EQ(getpid(), pipe_stat(self->fd).last_writer_pid);
	EXPECT_NE(0, pipe_stat(self->fd).write_ns);
}

TEST_F(sem, set_all_of_many)
{
	static uint32_t values[IPCX_SEMS_MAX];
	int fd = sem_new_of(self->dev, IPCX_SEMS_MAX, 0);
	unsigned int i;

	for (i = 0; i < IPCX_SEMS_MAX; i++)
		values[i] = i ^ 0x55;
	ASSERT_EQ(0, ref_sem_set(fd, ref_self(), 0, IPCX_SEMS_MAX, values));
	for (i = 0; i < IPCX_SEMS_MAX; i += 997)
		EXPECT_EQ(values[i], sem_value(fd, i));
	EXPECT_EQ(values[IPCX_SEMS_MAX - 1], sem_value(fd, IPCX_SEMS_MAX - 1));
	close(fd);
}

TEST_F(sem, set_nothing_unless_all_is_right)
{
	static uint32_t values[100];
	int fd = create(self->dev, (struct ipcx_sem_params) { .count = 100, .max = 5, .value = 2 });
	struct ipcx_sem_set arg = {
		.values = (uintptr_t)values, .count = 100, .value_size = sizeof(*values),
	};

	values[99] = 6;
	EXPECT_EQ(-ERANGE, ref_sem_set(fd, ref_self(), 0, 100, values));
	EXPECT_EQ(2, sem_value(fd, 0));
	values[99] = 5;
	EXPECT_EQ(-EFBIG, ref_sem_set(fd, ref_self(), 1, 100, values));
	EXPECT_EQ(-EFBIG, ref_sem_set(fd, ref_self(), 100, 1, values));
	EXPECT_EQ(-EINVAL, ref_sem_set(fd, ref_self(), 0, 0, values));
	arg.value_size = 2;
	EXPECT_EQ(-EINVAL, ipc_ioctl(fd, IPCX_IOC_SEM_SET, &arg));
	arg.value_size = 8;
	EXPECT_EQ(-EINVAL, ipc_ioctl(fd, IPCX_IOC_SEM_SET, &arg));
	arg.value_size = 4;
	arg.reserved = 1;
	EXPECT_EQ(-EINVAL, ipc_ioctl(fd, IPCX_IOC_SEM_SET, &arg));
	arg.reserved = 0;
	arg.values = 8;
	EXPECT_EQ(-EFAULT, ipc_ioctl(fd, IPCX_IOC_SEM_SET, &arg));
	EXPECT_EQ(2, sem_value(fd, 0));
	EXPECT_EQ(0, ref_sem_set(fd, ref_self(), 0, 100, values));
	EXPECT_EQ(0, sem_value(fd, 0));
	EXPECT_EQ(5, sem_value(fd, 99));
	close(fd);
}

TEST_F(sem, setting_wakes)
{
	struct actor down = sem_sleeper(self->fd, 0, -5, 0);
	struct actor zero = sem_sleeper(self->fd, 1, 0, 0);
	const uint32_t values[] = { 5, 0 };

	ASSERT_EQ(0, ref_sem_set(self->fd, ref_self(), 0, 2, values));
	EXPECT_EQ(0, actor_finish(&down));
	EXPECT_EQ(0, actor_finish(&zero));
	EXPECT_TRUE(values_are(self->fd, 0, 0, 2, 2));
}

/* Files. */

TEST_F(sem, read_takes_and_write_adds)
{
	uint64_t n = 7;

	ASSERT_EQ(8, plain_write(self->fd, &n, sizeof(n)));
	EXPECT_TRUE(values_are(self->fd, 9, 2, 2, 2));
	n = 0;
	ASSERT_EQ(8, plain_read(self->fd, &n, sizeof(n)));
	EXPECT_EQ(1, n);
	EXPECT_TRUE(values_are(self->fd, 8, 2, 2, 2));
	ASSERT_EQ(0, sem_file(self->fd, 3));
	ASSERT_EQ(8, plain_read(self->fd, &n, sizeof(n)));
	ASSERT_EQ(8, fd_read(self->fd, &n, sizeof(n), IPCX_NONBLOCK));
	EXPECT_TRUE(values_are(self->fd, 8, 2, 2, 0));
	EXPECT_EQ(-EAGAIN, fd_read(self->fd, &n, sizeof(n), IPCX_NONBLOCK));
	n = 4;
	ASSERT_EQ(8, fd_write(self->fd, &n, sizeof(n), 0));
	EXPECT_TRUE(values_are(self->fd, 8, 2, 2, 4));
	/* On the device it is the first. */
	ASSERT_EQ(8, ref_write(self->dev, ref_name(self->name), &n, sizeof(n), 0));
	EXPECT_TRUE(values_are(self->fd, 12, 2, 2, 4));
	ASSERT_EQ(8, ref_read(self->dev, ref_id(fd_id(self->fd)), &n, sizeof(n), 0));
	EXPECT_TRUE(values_are(self->fd, 11, 2, 2, 4));
}

TEST_F(sem, read_and_write_in_pieces)
{
	uint64_t n = 3;
	struct iovec iov[] = {
		{ .iov_base = &n, .iov_len = 3 }, { .iov_base = (char *)&n + 3, .iov_len = 5 },
	};

	EXPECT_EQ(8, writev(self->fd, iov, 2));
	EXPECT_TRUE(values_are(self->fd, 5, 2, 2, 2));
	n = 0;
	EXPECT_EQ(8, readv(self->fd, iov, 2));
	EXPECT_EQ(1, n);
	EXPECT_TRUE(values_are(self->fd, 4, 2, 2, 2));
}

TEST_F(sem, bad_reads_and_writes)
{
	int fd = create(self->dev, (struct ipcx_sem_params) { .max = 5, .value = 3 });
	uint64_t n = 3, many[2] = { 1, POISON };
	unsigned char *hole = holed_buffer(2, 0);

	EXPECT_EQ(-EINVAL, plain_write(fd, &n, 7));
	EXPECT_EQ(-EINVAL, plain_read(fd, &n, 7));
	EXPECT_EQ(-EOVERFLOW, plain_write(fd, &n, 8));
	n = 0;
	EXPECT_EQ(-EINVAL, plain_write(fd, &n, 8));
	n = 1ULL << 32 | 1;
	EXPECT_EQ(-EOVERFLOW, plain_write(fd, &n, 8));
	n = ~0ULL;
	EXPECT_EQ(-EOVERFLOW, plain_write(fd, &n, 8));
	EXPECT_EQ(-1, write(fd, hole, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(fd, hole, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(fd, hole + PAGE_BYTES - 1, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(3, sem_value(fd, 0));
	holed_free(hole, 2);
	EXPECT_EQ(8, plain_write(fd, many, 16));
	EXPECT_EQ(8, plain_read(fd, many, 16));
	EXPECT_EQ(0xa5a5a5a5a5a5a5a5ULL, many[1]);
	EXPECT_EQ(3, sem_value(fd, 0));
	EXPECT_EQ(-EFBIG, sem_file(fd, 1));
	close(fd);
}

/* Looking takes read access, and changing write access. */
TEST_F(sem, access_of_a_file)
{
	int rd = fd_open(self->fd, IPCX_ACCESS_READ, 0);
	int wr = fd_open(self->fd, IPCX_ACCESS_WRITE, 0);
	int none = fd_open(self->fd, IPCX_ACCESS_NONE, 0);
	struct ipcx_sem sem;
	uint64_t n = 1;

	ASSERT_GE(rd, 0);
	ASSERT_GE(wr, 0);
	ASSERT_GE(none, 0);
	EXPECT_EQ(-EBADF, sem_try(rd, 0, -1, 0));
	EXPECT_EQ(-EBADF, sem_try(rd, 0, 1, 0));
	EXPECT_EQ(-EAGAIN, sem_try(rd, 0, 0, 0));
	EXPECT_EQ(-EBADF, sem_now(rd, op(0, 0), op(1, 1)));
	EXPECT_EQ(-EBADF, sem_set(rd, 0, 1));
	EXPECT_EQ(0, ref_sem_get(rd, ref_self(), 0, 1, &sem));
	EXPECT_EQ(-EBADF, plain_read(rd, &n, 8));
	EXPECT_EQ(0, sem_try(wr, 0, -1, 0));
	EXPECT_EQ(-EBADF, sem_try(wr, 1, 0, 0));
	EXPECT_EQ(-EAGAIN, sem_now(wr, op(1, 0), op(0, 1)));
	EXPECT_EQ(0, sem_set(wr, 0, 2));
	EXPECT_EQ(-EBADF, ref_sem_get(wr, ref_self(), 0, 1, &sem));
	n = 1;
	EXPECT_EQ(8, plain_write(wr, &n, 8));
	EXPECT_EQ(-EBADF, sem_try(none, 0, -1, 0));
	EXPECT_EQ(-EBADF, sem_try(none, 0, 0, 0));
	EXPECT_EQ(-EBADF, ref_sem_get(none, ref_self(), 0, 1, &sem));
	EXPECT_EQ(0, sem_file(none, 3));
	EXPECT_TRUE(values_are(self->fd, 3, 2, 2, 2));
	close(rd);
	close(wr);
	close(none);
}

static int by_name(int dev, const char *name, int32_t delta)
{
	struct ipcx_sem_op op = sem_step(0, delta, NOWAIT);

	return ref_sem_op(dev, ref_name(name), &op, 1, 0, deadline_patience());
}

TEST_F(sem, permission_on_the_device)
{
	static const struct {
		mode_t mode;
		int down;
		int zero;
		int read;
	} table[] = {
		{ 0600, -EACCES, -EACCES, -EACCES },
		{ 0604, -EACCES, -EAGAIN, -EACCES },
		{ 0602, 0, -EACCES, -EACCES },
		{ 0606, 0, -EAGAIN, 8 },
	};
	uint64_t n;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(table); i++) {
		ASSERT_EQ(0, fchmod(self->fd, table[i].mode));
		ASSERT_EQ(0, sem_set(self->fd, 0, 9));
		as_user(UID_A, GID_A) {
			EXPECT_EQ(table[i].down, by_name(self->dev, self->name, -1));
			EXPECT_EQ(table[i].zero, by_name(self->dev, self->name, 0));
			EXPECT_EQ(table[i].read,
				  ref_read(self->dev, ref_name(self->name), &n, 8,
					   IPCX_NONBLOCK));
		}
	}
}

TEST_F(sem, not_a_set)
{
	int pipe = pipe_create(self->dev, NULL, TRANSIENT, IPCX_ACCESS_RDWR);
	struct ipcx_sem sem;

	ASSERT_GE(pipe, 0);
	EXPECT_EQ(-EOPNOTSUPP, sem_try(pipe, 0, 1, 0));
	EXPECT_EQ(-EOPNOTSUPP, sem_set(pipe, 0, 1));
	EXPECT_EQ(-EOPNOTSUPP, ref_sem_get(pipe, ref_self(), 0, 1, &sem));
	EXPECT_EQ(-EOPNOTSUPP, sem_file(pipe, 0));
	EXPECT_EQ(-ENOTTY, sem_file(self->dev, 0));
	EXPECT_EQ(-EOPNOTSUPP, fd_resize(self->fd, 4096, 0));
	close(pipe);
}

TEST_F(sem, removed_is_eidrm)
{
	struct ipcx_sem sem;
	uint64_t n = 1;

	ASSERT_EQ(0, fd_remove(self->fd));
	EXPECT_EQ(-EIDRM, sem_try(self->fd, 0, 1, 0));
	EXPECT_EQ(-EIDRM, sem_set(self->fd, 0, 1));
	EXPECT_EQ(-EIDRM, ref_sem_get(self->fd, ref_self(), 0, 1, &sem));
	EXPECT_EQ(-EIDRM, sem_file(self->fd, 0));
	EXPECT_EQ(-EIDRM, plain_read(self->fd, &n, 8));
	EXPECT_EQ(-EIDRM, plain_write(self->fd, &n, 8));
	EXPECT_EQ(POLLERR | POLLHUP, poll_now(self->fd, POLLIN | POLLOUT));
}

/* poll(2) */

TEST_F(sem, poll_tells_of_the_files_semaphore)
{
	int other = fd_open(self->fd, IPCX_ACCESS_RDWR, 0);

	ASSERT_EQ(0, sem_file(other, 1));
	EXPECT_EQ(IN_OUT, poll_now(self->fd, IN_OUT));
	ASSERT_EQ(0, sem_try(self->fd, 0, -2, 0));
	EXPECT_EQ(POLLOUT, poll_now(self->fd, IN_OUT));
	EXPECT_EQ(IN_OUT, poll_now(other, IN_OUT));
	ASSERT_EQ(0, sem_set(self->fd, 0, MAX));
	EXPECT_EQ(POLLIN, poll_now(self->fd, IN_OUT));
	close(other);
}

TEST_F(sem, poll_wakes)
{
	struct actor in, out;
	int fd = create(self->dev, (struct ipcx_sem_params) { .max = 1, .count = 2 });

	in = poller_start(fd, POLLIN);
	ASSERT_EQ(0, sem_try(fd, 1, 1, 0));
	EXPECT_TRUE(actor_asleep(&in));
	ASSERT_EQ(0, sem_try(fd, 0, 1, 0));
	EXPECT_EQ(POLLIN, actor_finish(&in));
	out = poller_start(fd, POLLOUT);
	ASSERT_EQ(0, sem_try(fd, 0, -1, 0));
	EXPECT_EQ(POLLOUT, actor_finish(&out));
	in = poller_start(fd, POLLIN);
	ASSERT_EQ(0, sem_set(fd, 0, 1));
	EXPECT_EQ(POLLIN, actor_finish(&in));
	ASSERT_EQ(0, sem_try(fd, 0, -1, 0));
	in = poller_start(fd, POLLIN);
	ASSERT_EQ(0, fd_remove(fd));
	EXPECT_EQ(POLLERR | POLLHUP, actor_finish(&in));
	close(fd);
}

/* What comes in one piece and goes in another is two events. */
TEST_F(sem, epoll_edge_each_time)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), i;

	ASSERT_EQ(0, sem_set(self->fd, 0, 0));
	ASSERT_EQ(0, epoll_add(ep, self->fd, EPOLLIN | EPOLLET));
	EXPECT_EQ(0, epoll_now(ep));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, sem_try(self->fd, 0, 1, 0));
		EXPECT_EQ(EPOLLIN, epoll_patiently(ep));
		EXPECT_EQ(0, epoll_now(ep));
	}
	close(ep);
}

TEST_F(sem, nobody_is_woken_who_cannot_have_it)
{
	struct actor big = sem_sleeper(self->fd, 0, -9, 0);

	ASSERT_EQ(0, sem_try(self->fd, 0, 1, 0));
	EXPECT_TRUE(actor_asleep(&big));
	EXPECT_EQ(3, sem_value(self->fd, 0));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&big));
}

TEST_F(sem, signal_when_it_rises)
{
	sigset_t set = signals_of(TOLD);

	sigprocmask(SIG_BLOCK, &set, NULL);
	ASSERT_EQ(0, async_signal_on(self->fd, TOLD));
	ASSERT_EQ(0, sem_try(self->fd, 2, 1, 0));
	EXPECT_TRUE(told(TOLD));
	ASSERT_EQ(0, sem_try(self->fd, 2, -1, 0));
	EXPECT_FALSE(told(TOLD));
	ASSERT_EQ(0, async_off(self->fd));
	ASSERT_EQ(0, sem_try(self->fd, 2, 1, 0));
	EXPECT_FALSE(told(TOLD));
}

/* STAT and the file system's idea of it. */

TEST_F(sem, stat)
{
	struct ipcx_stat before = pipe_stat(self->fd), st;
	struct stat file;

	EXPECT_EQ(4, before.sems);
	EXPECT_EQ(MAX, before.sem_max);
	EXPECT_EQ(1, before.readers);
	EXPECT_EQ(1, before.writers);
	EXPECT_EQ(0, before.write_ns);
	EXPECT_EQ(0, before.msgs);
	ASSERT_EQ(0, sem_try(self->fd, 2, -1, 0));
	st = pipe_stat(self->fd);
	EXPECT_LE(before.created_ns, st.write_ns);
	EXPECT_EQ(getpid(), st.last_writer_pid);
	EXPECT_EQ(0, st.used_bytes);
	ASSERT_EQ(0, fstat(self->fd, &file));
	EXPECT_TRUE(S_ISFIFO(file.st_mode));
	EXPECT_EQ(0, file.st_size);
}

TEST_HARNESS_MAIN
