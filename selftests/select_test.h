/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of WAIT and SELECT share: a thing to wait for is one struct item, whether it
 * is an operation or a condition, and so is what makes it ready.
 */
#ifndef SELECT_TEST_H
#define SELECT_TEST_H

#include "queue_test.h"
#include "sem_actor_test.h"

#define ITEMS		8
#define ITEM_BYTES	8192

enum item_kind {
	IT_READ, IT_WRITE,		/* @n bytes */
	IT_SEND, IT_RECV,		/* a message of @n bytes of type @at; 0 receives any */
	IT_OP,				/* @n is added to semaphore @at */
	IT_READABLE, IT_WRITABLE,
	IT_DOWN,			/* @n is taken from semaphore @at */
};

struct item {
	int fd;
	enum item_kind kind;
	int32_t n;
	uint32_t at;
	uint32_t flags;
};

/*
 * struct many_call - a WAIT if its first item is a condition, else a SELECT
 * @nr:		how many items
 * @items:	they
 * @flags:	of the command
 * @deadline:	of the command; deadline_never() if it is all zeros
 */
struct many_call {
	uint32_t nr;
	struct item items[ITEMS];
	uint32_t flags;
	struct ipcx_deadline deadline;
};

static inline bool is_condition(const struct item *item)
{
	return item->kind >= IT_READABLE;
}

/* What one operation's argument takes. */
struct item_arg {
	struct ipcx_io io;
	struct ipcx_msg msg;
	struct ipcx_send send;
	struct ipcx_recv recv;
	struct ipcx_sem_op op;
	struct ipcx_sem_ops ops;
};

static inline struct ipcx_case item_case(const struct item *item, struct item_arg *arg, void *buf)
{
	struct ipcx_case c = { .fd = item->fd };

	memset(arg, 0, sizeof(*arg));
	switch (item->kind) {
	case IT_READ:
	case IT_WRITE:
		arg->io = (struct ipcx_io) {
			.buf = (uintptr_t)buf,
			.len = item->n,
			.deadline = deadline_never(),
		};
		c.cmd = item->kind == IT_READ ? IPCX_IOC_READ : IPCX_IOC_WRITE;
		c.arg = (uintptr_t)&arg->io;
		break;
	case IT_SEND:
		arg->msg = msg_out(item->at, buf, item->n);
		arg->send = (struct ipcx_send) {
			.msgs = (uintptr_t)&arg->msg,
			.count = 1,
			.msg_size = sizeof(arg->msg),
			.flags = item->flags,
			.deadline = deadline_never(),
		};
		c.cmd = IPCX_IOC_SEND;
		c.arg = (uintptr_t)&arg->send;
		break;
	case IT_RECV:
		arg->msg = msg_room(buf, item->n);
		arg->recv = (struct ipcx_recv) {
			.msgs = (uintptr_t)&arg->msg,
			.count = 1,
			.msg_size = sizeof(arg->msg),
			.select = item->at ? select_exact(item->at) : select_any(),
			.flags = item->flags,
			.deadline = deadline_never(),
		};
		c.cmd = IPCX_IOC_RECV;
		c.arg = (uintptr_t)&arg->recv;
		break;
	default:
		arg->op = sem_step(item->at, item->n, item->flags);
		arg->ops = (struct ipcx_sem_ops) {
			.ops = (uintptr_t)&arg->op,
			.count = 1,
			.op_size = sizeof(arg->op),
			.deadline = deadline_never(),
		};
		c.cmd = IPCX_IOC_SEM_OP;
		c.arg = (uintptr_t)&arg->ops;
	}
	return c;
}

static inline struct ipcx_condition item_condition(const struct item *item)
{
	bool down = item->kind == IT_DOWN;

	return (struct ipcx_condition) {
		.fd = item->fd,
		.what = item->kind == IT_READABLE ? IPCX_READABLE :
			item->kind == IT_WRITABLE ? IPCX_WRITABLE : IPCX_DOWN,
		.index = down ? item->at : 0,
		.down = down ? item->n : 0,
		.flags = item->flags,
	};
}

helper int wait_for(int fd, const struct ipcx_condition *conditions, uint32_t nr,
		    uint32_t flags, struct ipcx_deadline deadline, uint32_t *index)
{
	struct ipcx_wait arg = {
		.conditions = (uintptr_t)conditions,
		.count = nr,
		.condition_size = sizeof(*conditions),
		.flags = flags,
		.index = 4711,
		.deadline = deadline,
	};
	int ret = ipc_ioctl(fd, IPCX_IOC_WAIT, &arg);

	*index = arg.index;
	return ret;
}

helper int select_for(int fd, const struct ipcx_case *cases, uint32_t nr, uint32_t flags,
		      struct ipcx_deadline deadline, uint32_t *index)
{
	struct ipcx_selection arg = {
		.cases = (uintptr_t)cases,
		.count = nr,
		.case_size = sizeof(*cases),
		.flags = flags,
		.index = 4711,
		.deadline = deadline,
	};
	int ret = ipc_ioctl(fd, IPCX_IOC_SELECT, &arg);

	*index = arg.index;
	return ret;
}

/* Makes the call; @buf has ITEM_BYTES for each item. */
helper int many_do(const struct many_call *c, struct ipcx_deadline deadline, void *buf,
		   uint32_t *index)
{
	struct ipcx_condition conditions[ITEMS];
	struct ipcx_case cases[ITEMS];
	struct item_arg args[ITEMS];
	uint32_t i;

	for (i = 0; i < c->nr; i++) {
		if (is_condition(&c->items[0]))
			conditions[i] = item_condition(&c->items[i]);
		else
			cases[i] = item_case(&c->items[i], &args[i], (char *)buf + i * ITEM_BYTES);
	}
	if (is_condition(&c->items[0]))
		return wait_for(c->items[0].fd, conditions, c->nr, c->flags, deadline, index);
	return select_for(c->items[0].fd, cases, c->nr, c->flags, deadline, index);
}

/* Without waiting, by this process. */
helper int many_now(struct many_call c, uint32_t *index)
{
	static unsigned char buf[ITEMS * ITEM_BYTES];

	c.flags |= IPCX_NONBLOCK;
	memset(buf, POISON, sizeof(buf));
	return many_do(&c, deadline_never(), buf, index);
}

helper int64_t many_call_make(const struct call *call, void *buf)
{
	const struct many_call *c = call->arg;
	int ret = many_do(c, call->deadline, buf, &actor_self->index);

	errno = ret < 0 ? -ret : 0;
	return ret < 0 ? -1 : ret;
}

static inline struct call many_actor_call(const struct many_call *c)
{
	return (struct call) {
		.kind = CALL_STAT,
		.fd = c->items[0].fd,
		.keep_all = true,
		.deadline = c->deadline,
		.make = many_call_make,
		.arg = c,
	};
}

/* As actor_start(): what pipe_test.h has for actors is for these, too. */
helper struct actor many_start(struct many_call c)
{
	return actor_start(many_actor_call(&c));
}

/* Starts a call that must wait; when this returns, it does. */
helper struct actor many_asleep(struct many_call c)
{
	struct actor a = many_start(c);

	if (!actor_asleep(&a))
		abort();
	return a;
}

/* As actor_finish(), with the index that the call told. */
helper int64_t many_finish(struct actor *a, uint32_t *index)
{
	int64_t ret = actor_result(a);

	*index = a->s->index;
	actor_end(a);
	return ret;
}

/* One item by itself, without waiting. */
helper int item_now(const struct item *item)
{
	static unsigned char buf[ITEM_BYTES];
	struct ipcx_msg msg;

	switch (item->kind) {
	case IT_READ:
		return fd_read(item->fd, buf, item->n, IPCX_NONBLOCK);
	case IT_WRITE:
		return fd_write(item->fd, buf, item->n, IPCX_NONBLOCK);
	case IT_SEND:
		return queue_send(item->fd, item->at, buf, item->n, IPCX_NONBLOCK);
	case IT_RECV:
		return queue_recv(item->fd, item->at ? select_exact(item->at) : select_any(),
				  &msg, buf, item->n, IPCX_NONBLOCK);
	case IT_OP:
		return sem_try(item->fd, item->at, item->n, item->flags);
	case IT_DOWN:
		return sem_try(item->fd, item->at, -item->n, item->flags);
	case IT_READABLE:
		return poll_now(item->fd, POLLIN) ? 0 : -EAGAIN;
	case IT_WRITABLE:
		return poll_now(item->fd, POLLOUT) ? 0 : -EAGAIN;
	}
	return -EINVAL;
}

#endif /* SELECT_TEST_H */
