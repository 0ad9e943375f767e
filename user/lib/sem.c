// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sets of semaphores.
 */
#include "internal.h"

/* As in queue.c: if one of these grows, a new function must take it. */
_Static_assert(sizeof(struct ipcx_sem_op) == 16, "programs have arrays of them");
_Static_assert(sizeof(struct ipcx_sem) == 24, "programs have arrays of them");
_Static_assert(sizeof(struct ipcx_sem_params) == 16, "programs have shorter ones");

int ipcx_sem_create(int dev, const char *name, unsigned int access,
		    const struct ipcx_sem_params *params,
		    const struct ipcx_options *options)
{
	return ipcx_create(dev, name, IPCX_TYPE_SEM, access, options, params,
			   params ? sizeof(*params) : 0);
}

static int operate(int fd, struct ipcx_ref ref, const struct ipcx_sem_op *ops,
		   unsigned int count, unsigned int flags,
		   const struct ipcx_deadline *deadline)
{
	struct ipcx_sem_ops arg = {
		.ref = ref,
		.ops = address(ops),
		.count = count,
		.op_size = sizeof(*ops),
		.flags = flags,
		.deadline = until(deadline),
	};

	return command(fd, IPCX_IOC_SEM_OP, &arg);
}

/* Alone, without a deadline or flags, it can go the short way. */
static int operate_once(int fd, struct ipcx_sem_op op, const struct ipcx_deadline *deadline)
{
	return deadline ? operate(fd, by_fd(), &op, 1, 0, deadline) :
			  command(fd, IPCX_IOC_SEM_ONE, &op);
}

int ipcx_sem_op(int fd, const struct ipcx_sem_op *ops, unsigned int count,
		unsigned int flags, const struct ipcx_deadline *deadline)
{
	return operate(fd, by_fd(), ops, count, flags, deadline);
}

int ipcx_sem_op_id(int dev, uint32_t id, uint64_t cookie,
		   const struct ipcx_sem_op *ops, unsigned int count,
		   unsigned int flags, const struct ipcx_deadline *deadline)
{
	return operate(dev, by_id(id, cookie), ops, count, flags, deadline);
}

int ipcx_sem_up(int fd, unsigned int index, unsigned int n, unsigned int flags)
{
	struct ipcx_sem_op op = { .index = index, .delta = n, .flags = flags };

	if (!n || n > IPCX_SEM_VALUE_MAX)
		return n ? -EOVERFLOW : -EINVAL;
	return operate_once(fd, op, NULL);
}

int ipcx_sem_down(int fd, unsigned int index, unsigned int n, unsigned int flags,
		  const struct ipcx_deadline *deadline)
{
	struct ipcx_sem_op op = { .index = index, .delta = -(int64_t)n, .flags = flags };

	if (!n || n > IPCX_SEM_VALUE_MAX)
		return -EINVAL;
	return operate_once(fd, op, deadline);
}

static int look(int fd, struct ipcx_ref ref, unsigned int first,
		unsigned int count, struct ipcx_sem *sems)
{
	struct ipcx_sem_get arg = {
		.ref = ref,
		.sems = address(sems),
		.first = first,
		.count = count,
		.sem_size = sizeof(*sems),
	};

	return command(fd, IPCX_IOC_SEM_GET, &arg);
}

int ipcx_sem_get(int fd, unsigned int first, unsigned int count,
		 struct ipcx_sem *sems)
{
	return look(fd, by_fd(), first, count, sems);
}

int ipcx_sem_get_id(int dev, uint32_t id, uint64_t cookie, unsigned int first,
		    unsigned int count, struct ipcx_sem *sems)
{
	return look(dev, by_id(id, cookie), first, count, sems);
}

static int set(int fd, struct ipcx_ref ref, unsigned int first,
	       unsigned int count, const uint32_t *values)
{
	struct ipcx_sem_set arg = {
		.ref = ref,
		.values = address(values),
		.first = first,
		.count = count,
		.value_size = sizeof(*values),
	};

	return command(fd, IPCX_IOC_SEM_SET, &arg);
}

int ipcx_sem_set(int fd, unsigned int first, unsigned int count,
		 const uint32_t *values)
{
	return set(fd, by_fd(), first, count, values);
}

int ipcx_sem_set_id(int dev, uint32_t id, uint64_t cookie, unsigned int first,
		    unsigned int count, const uint32_t *values)
{
	return set(dev, by_id(id, cookie), first, count, values);
}

int ipcx_sem_file(int fd, unsigned int index)
{
	struct ipcx_sem_file arg = { .index = index };

	return command(fd, IPCX_IOC_SEM_FILE, &arg);
}
