// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Waiting for many objects.
 */
#include <stdbool.h>

#include "internal.h"

/* As in queue.c: if one of these grows, a new function must take it. */
_Static_assert(sizeof(struct ipcx_condition) == 24, "programs have arrays of them");
_Static_assert(sizeof(struct ipcx_case) == 16, "programs have arrays of them");
_Static_assert(sizeof(union ipcx_case_arg) == 96, "programs have them");

/* The kernel takes the command on any file of ours: the first of these should be one. */
static int on_first(int fd, unsigned long request, void *arg, const uint32_t *told,
		    unsigned int *index)
{
	int ret = command(fd, request, arg);

	bool first = *told == IPCX_NO_INDEX && (ret == -ENOTTY || ret == -EBADF);

	if (index)
		*index = first ? 0 : *told;
	return ret == -ENOTTY ? -EOPNOTSUPP : ret;
}

int ipcx_wait(const struct ipcx_condition *conditions, unsigned int count,
	      unsigned int flags, const struct ipcx_deadline *deadline,
	      unsigned int *index)
{
	struct ipcx_wait arg = {
		.conditions = address(conditions),
		.count = count,
		.condition_size = sizeof(*conditions),
		.flags = flags,
		.index = IPCX_NO_INDEX,
		.deadline = until(deadline),
	};

	if (!count) {
		if (index)
			*index = IPCX_NO_INDEX;
		return -EINVAL;
	}
	return on_first(conditions[0].fd, IPCX_IOC_WAIT, &arg, &arg.index, index);
}

int ipcx_select(const struct ipcx_case *cases, unsigned int count, unsigned int flags,
		const struct ipcx_deadline *deadline, unsigned int *index)
{
	struct ipcx_selection arg = {
		.cases = address(cases),
		.count = count,
		.case_size = sizeof(*cases),
		.flags = flags,
		.index = IPCX_NO_INDEX,
		.deadline = until(deadline),
	};

	if (!count) {
		if (index)
			*index = IPCX_NO_INDEX;
		return -EINVAL;
	}
	return on_first(cases[0].fd, IPCX_IOC_SELECT, &arg, &arg.index, index);
}

static struct ipcx_case transfer(int fd, uint32_t cmd, union ipcx_case_arg *arg,
				 const void *buf, size_t len)
{
	arg->io = (struct ipcx_io){
		.buf = address(buf),
		.len = len,
		.deadline = until(NULL),
	};
	return (struct ipcx_case){ .fd = fd, .cmd = cmd, .arg = address(&arg->io) };
}

struct ipcx_case ipcx_case_read(int fd, union ipcx_case_arg *arg, void *buf, size_t len)
{
	return transfer(fd, IPCX_IOC_READ, arg, buf, len);
}

struct ipcx_case ipcx_case_write(int fd, union ipcx_case_arg *arg, const void *buf,
				 size_t len)
{
	return transfer(fd, IPCX_IOC_WRITE, arg, buf, len);
}

struct ipcx_case ipcx_case_send(int fd, union ipcx_case_arg *arg,
				const struct ipcx_msg *msgs, unsigned int count)
{
	arg->send = (struct ipcx_send){
		.msgs = address(msgs),
		.count = count,
		.msg_size = sizeof(*msgs),
		.deadline = until(NULL),
	};
	return (struct ipcx_case){
		.fd = fd, .cmd = IPCX_IOC_SEND, .arg = address(&arg->send),
	};
}

struct ipcx_case ipcx_case_recv(int fd, union ipcx_case_arg *arg, struct ipcx_msg *msgs,
				unsigned int count, const struct ipcx_select *select,
				unsigned int flags)
{
	arg->recv = (struct ipcx_recv){
		.msgs = address(msgs),
		.count = count,
		.msg_size = sizeof(*msgs),
		.flags = flags,
		.deadline = until(NULL),
	};
	if (select)
		arg->recv.select = *select;
	return (struct ipcx_case){
		.fd = fd, .cmd = IPCX_IOC_RECV, .arg = address(&arg->recv),
	};
}

struct ipcx_case ipcx_case_sem(int fd, union ipcx_case_arg *arg,
			       const struct ipcx_sem_op *ops, unsigned int count)
{
	arg->sem = (struct ipcx_sem_ops){
		.ops = address(ops),
		.count = count,
		.op_size = sizeof(*ops),
		.deadline = until(NULL),
	};
	return (struct ipcx_case){
		.fd = fd, .cmd = IPCX_IOC_SEM_OP, .arg = address(&arg->sem),
	};
}
