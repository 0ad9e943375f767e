/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of semaphores share, beyond ipcx_test.h: the commands of a set in one line
 * each. sem_actor_test.h has actors that operate on one.
 *
 * Calls return what the kernel returned, or -errno. Calls without a deadline wait with
 * patience. For read(2), write(2) and their ioctls see ipcx_test.h.
 */
#ifndef SEM_TEST_H
#define SEM_TEST_H

#include "ipcx_test.h"

#define UNDO	IPCX_SEM_UNDO
#define NOWAIT	IPCX_SEM_NOWAIT

/* Sets. Null @params for all defaults. */

static inline struct ipcx_create sem_arg(const char *name, uint32_t lifetime,
					 const struct ipcx_sem_params *params)
{
	struct ipcx_create arg = pipe_arg(name, lifetime, IPCX_ACCESS_RDWR);

	arg.type = IPCX_TYPE_SEM;
	arg.params = (uintptr_t)params;
	arg.params_size = params ? sizeof(*params) : 0;
	return arg;
}

helper int sem_create(int dev, const char *name, uint32_t lifetime, struct ipcx_sem_params params)
{
	struct ipcx_create arg = sem_arg(name, lifetime, &params);

	return obj_create(dev, &arg);
}

/* A new transient nameless set's file, for both ways; the test ends without one. */
helper int sem_new(int dev, struct ipcx_sem_params params)
{
	int fd = sem_create(dev, NULL, IPCX_LIFETIME_TRANSIENT, params);

	if (fd < 0) {
		fprintf(stderr, "# no semaphores: %s\n", strerror(-fd));
		abort();
	}
	return fd;
}

/* @count semaphores of this value. */
helper int sem_new_of(int dev, uint32_t count, uint32_t value)
{
	return sem_new(dev, (struct ipcx_sem_params) { .count = count, .value = value });
}

helper int sem_new_owned(int dev, uint32_t count)
{
	return sem_new(dev, (struct ipcx_sem_params) {
		.count = count, .flags = IPCX_SEM_OWNED,
	});
}

/* Operations. */

static inline struct ipcx_sem_op sem_step(uint32_t index, int32_t delta, uint32_t flags)
{
	return (struct ipcx_sem_op) { .index = index, .delta = delta, .flags = flags };
}

/* Can the short command say it? One operation on the file, to wait for ever or not at all. */
static inline bool is_sem_one(const struct ipcx_ref *ref, const struct ipcx_sem_op *ops,
			      uint32_t count, uint32_t flags, const struct ipcx_deadline *deadline)
{
	const struct ipcx_deadline never = deadline_never();
	const struct ipcx_ref self = ref_self();

	if (count != 1 || flags || memcmp(ref, &self, sizeof(self)))
		return false;
	return ops->delta > 0 || ops->flags & NOWAIT || !memcmp(deadline, &never, sizeof(never));
}

helper int ref_sem_op(int fd, struct ipcx_ref ref, const struct ipcx_sem_op *ops,
		      uint32_t count, uint32_t flags, struct ipcx_deadline deadline)
{
	struct ipcx_sem_ops arg = {
		.ref = ref,
		.ops = (uintptr_t)ops,
		.count = count,
		.op_size = sizeof(*ops),
		.flags = flags,
		.deadline = deadline,
	};

	if (is_sem_one(&ref, ops, count, flags, &deadline))
		return ipc_ioctl(fd, IPCX_IOC_SEM_ONE, (void *)ops);
	return ipc_ioctl(fd, IPCX_IOC_SEM_OP, &arg);
}

/* All of them, on a set's file. */
helper int sem_ops(int fd, const struct ipcx_sem_op *ops, uint32_t count, uint32_t flags)
{
	return ref_sem_op(fd, ref_self(), ops, count, flags, deadline_patience());
}

/* sem_vector(fd, flags, sem_step(0, -1, 0), sem_step(1, 1, UNDO)...): these at once. */
#define sem_vector(fd, flags, ...) ({					\
	const struct ipcx_sem_op ops_[] = { __VA_ARGS__ };		\
	sem_ops(fd, ops_, sizeof(ops_) / sizeof(*ops_), flags);		\
})

/* One operation on semaphore @index, with flags of the operation. */
helper int sem_one(int fd, uint32_t index, int32_t delta, uint32_t op_flags)
{
	struct ipcx_sem_op op = sem_step(index, delta, op_flags);

	return sem_ops(fd, &op, 1, 0);
}

/* The same, without waiting. */
helper int sem_try(int fd, uint32_t index, int32_t delta, uint32_t op_flags)
{
	return sem_one(fd, index, delta, op_flags | NOWAIT);
}

helper int ref_sem_get(int fd, struct ipcx_ref ref, uint32_t first, uint32_t count,
		       struct ipcx_sem *sems)
{
	struct ipcx_sem_get arg = {
		.ref = ref,
		.sems = (uintptr_t)sems,
		.first = first,
		.count = count,
		.sem_size = sizeof(*sems),
	};

	memset(sems, POISON, count * sizeof(*sems));
	return ipc_ioctl(fd, IPCX_IOC_SEM_GET, &arg);
}

/* One semaphore; all ones if it can't be had. */
helper struct ipcx_sem sem_get(int fd, uint32_t index)
{
	struct ipcx_sem sem;
	int ret = ref_sem_get(fd, ref_self(), index, 1, &sem);

	if (ret) {
		fprintf(stderr, "# no semaphore %u: %s\n", index, strerror(-ret));
		memset(&sem, 0xff, sizeof(sem));
	}
	return sem;
}

helper uint32_t sem_value(int fd, uint32_t index)
{
	return sem_get(fd, index).value;
}

/* Are these the values of the first four? */
helper bool values_are(int fd, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	struct ipcx_sem sems[4];

	if (ref_sem_get(fd, ref_self(), 0, 4, sems))
		return false;
	if (sems[0].value == a && sems[1].value == b && sems[2].value == c && sems[3].value == d)
		return true;
	fprintf(stderr, "# the values are %u, %u, %u, %u\n", sems[0].value, sems[1].value,
		sems[2].value, sems[3].value);
	return false;
}

/* Waits until so many wait for the semaphore to rise, and to be 0. */
helper bool sem_waiting(int fd, uint32_t index, uint32_t down, uint32_t zero)
{
	return wait_until(sem_get(fd, index).waiting_down == down &&
			  sem_get(fd, index).waiting_zero == zero);
}

helper int ref_sem_set(int fd, struct ipcx_ref ref, uint32_t first, uint32_t count,
		       const uint32_t *values)
{
	struct ipcx_sem_set arg = {
		.ref = ref,
		.values = (uintptr_t)values,
		.first = first,
		.count = count,
		.value_size = sizeof(*values),
	};

	return ipc_ioctl(fd, IPCX_IOC_SEM_SET, &arg);
}

helper int sem_set(int fd, uint32_t index, uint32_t value)
{
	return ref_sem_set(fd, ref_self(), index, 1, &value);
}

helper int sem_file(int fd, uint32_t index)
{
	struct ipcx_sem_file arg = { .index = index };

	return ipc_ioctl(fd, IPCX_IOC_SEM_FILE, &arg);
}

#endif /* SEM_TEST_H */
