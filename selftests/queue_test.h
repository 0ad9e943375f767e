/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of queues share, beyond pipe_test.h: the commands of a queue in one
 * line each, selectors, and actors that send or receive.
 *
 * Calls return what the kernel returned, or -errno. What a receive writes is filled with
 * POISON before. Calls without a deadline wait with patience. For read(2), write(2) and
 * their ioctls see ipcx_test.h; pipe_stat() and fionread() of pipe_test.h are good for
 * queues, too, and so are its actors that read and write.
 */
#ifndef QUEUE_TEST_H
#define QUEUE_TEST_H

#include "pipe_test.h"

#define MSG_TYPE_BAD	(IPCX_MSG_TYPE_MAX + 1)

/* Selectors. */

static inline struct ipcx_select select_of(uint32_t how, uint64_t lo, uint64_t hi)
{
	return (struct ipcx_select) { .how = how, .lo = lo, .hi = hi };
}

static inline struct ipcx_select select_file(void)
{
	return select_of(IPCX_SELECT_FILE, 0, 0);
}

static inline struct ipcx_select select_any(void)
{
	return select_of(IPCX_SELECT_ANY, 0, 0);
}

static inline struct ipcx_select select_exact(uint64_t type)
{
	return select_of(IPCX_SELECT_EXACT, type, 0);
}

static inline struct ipcx_select select_except(uint64_t type)
{
	return select_of(IPCX_SELECT_EXCEPT, type, 0);
}

static inline struct ipcx_select select_range(uint64_t lo, uint64_t hi)
{
	return select_of(IPCX_SELECT_RANGE, lo, hi);
}

/* Queues. 0 stands for a default limit; null @params for all of them. */

static inline struct ipcx_create queue_arg(const char *name, uint32_t lifetime,
					   uint32_t access,
					   const struct ipcx_queue_params *params)
{
	struct ipcx_create arg = pipe_arg(name, lifetime, access);

	arg.type = IPCX_TYPE_QUEUE;
	arg.params = (uintptr_t)params;
	arg.params_size = params ? sizeof(*params) : 0;
	return arg;
}

static inline struct ipcx_queue_params queue_limits(uint64_t max_msgs, uint64_t max_bytes,
						    uint64_t max_msg_bytes)
{
	return (struct ipcx_queue_params) {
		.max_msgs = max_msgs,
		.max_bytes = max_bytes,
		.max_msg_bytes = max_msg_bytes,
	};
}

helper int queue_create(int dev, const char *name, uint32_t lifetime, uint32_t access,
			uint64_t max_msgs, uint64_t max_bytes, uint64_t max_msg_bytes)
{
	struct ipcx_queue_params params = queue_limits(max_msgs, max_bytes, max_msg_bytes);
	struct ipcx_create arg = queue_arg(name, lifetime, access, &params);

	return obj_create(dev, &arg);
}

/* A new transient nameless queue's file, for both ways; the test ends without one. */
helper int queue_new(int dev, uint64_t max_msgs, uint64_t max_bytes)
{
	int fd = queue_create(dev, NULL, IPCX_LIFETIME_TRANSIENT, IPCX_ACCESS_RDWR,
			      max_msgs, max_bytes, 0);

	if (fd < 0) {
		fprintf(stderr, "# no queue: %s\n", strerror(-fd));
		abort();
	}
	return fd;
}

/* Messages. */

static inline struct ipcx_msg msg_out(uint64_t type, const void *buf, size_t len)
{
	return (struct ipcx_msg) { .type = type, .buf = (uintptr_t)buf, .len = len };
}

/* Room for a message: all but where, and how much, is poison. */
static inline struct ipcx_msg msg_room(void *buf, size_t len)
{
	struct ipcx_msg msg;

	memset(&msg, POISON, sizeof(msg));
	msg.buf = (uintptr_t)buf;
	msg.room = len;
	return msg;
}

/* The commands, with everything that they take. */

helper int ref_send(int fd, struct ipcx_ref ref, const struct ipcx_msg *msgs, uint32_t count,
		    uint32_t flags, struct ipcx_deadline deadline)
{
	struct ipcx_send arg = {
		.ref = ref,
		.msgs = (uintptr_t)msgs,
		.count = count,
		.msg_size = sizeof(*msgs),
		.flags = flags,
		.deadline = deadline,
	};

	return ipc_ioctl(fd, IPCX_IOC_SEND, &arg);
}

helper int ref_recv(int fd, struct ipcx_ref ref, struct ipcx_msg *msgs, uint32_t count,
		    struct ipcx_select select, uint64_t skip, uint32_t flags,
		    struct ipcx_deadline deadline)
{
	struct ipcx_recv arg = {
		.ref = ref,
		.msgs = (uintptr_t)msgs,
		.count = count,
		.msg_size = sizeof(*msgs),
		.flags = flags,
		.deadline = deadline,
		.select = select,
		.skip = skip,
	};

	return ipc_ioctl(fd, IPCX_IOC_RECV, &arg);
}

/* How many were purged. */
helper int64_t ref_purge(int fd, struct ipcx_ref ref, struct ipcx_select select)
{
	struct ipcx_purge arg = { .ref = ref, .select = select };

	return ipc_ioctl(fd, IPCX_IOC_PURGE, &arg);
}

/* Batches, on a queue's file. */

helper int queue_send_batch(int fd, const struct ipcx_msg *msgs, uint32_t count, uint32_t flags)
{
	return ref_send(fd, ref_self(), msgs, count, flags, deadline_patience());
}

helper int queue_recv_batch(int fd, struct ipcx_msg *msgs, uint32_t count,
			    struct ipcx_select select, uint32_t flags)
{
	return ref_recv(fd, ref_self(), msgs, count, select, 0, flags, deadline_patience());
}

helper int queue_peek_batch(int fd, struct ipcx_msg *msgs, uint32_t count,
			    struct ipcx_select select, uint64_t skip, uint32_t flags)
{
	return ref_recv(fd, ref_self(), msgs, count, select, skip, flags | IPCX_PEEK,
			deadline_patience());
}

/* One message, on a queue's file: 1 or -errno. */

helper int queue_send_until(int fd, uint64_t type, const void *buf, size_t len, uint32_t flags,
			    struct ipcx_deadline deadline)
{
	struct ipcx_msg msg = msg_out(type, buf, len);

	return ref_send(fd, ref_self(), &msg, 1, flags, deadline);
}

helper int queue_send(int fd, uint64_t type, const void *buf, size_t len, uint32_t flags)
{
	return queue_send_until(fd, type, buf, len, flags, deadline_patience());
}

/* @msg tells of the message; of E2BIG it tells the length. */
helper int queue_recv_until(int fd, struct ipcx_select select, struct ipcx_msg *msg, void *buf,
			    size_t len, uint32_t flags, struct ipcx_deadline deadline)
{
	memset(buf, POISON, len);
	*msg = msg_room(buf, len);
	return ref_recv(fd, ref_self(), msg, 1, select, 0, flags, deadline);
}

helper int queue_recv(int fd, struct ipcx_select select, struct ipcx_msg *msg, void *buf,
		      size_t len, uint32_t flags)
{
	return queue_recv_until(fd, select, msg, buf, len, flags, deadline_patience());
}

helper int queue_peek(int fd, struct ipcx_select select, uint64_t skip, struct ipcx_msg *msg,
		      void *buf, size_t len, uint32_t flags)
{
	memset(buf, POISON, len);
	*msg = msg_room(buf, len);
	return queue_peek_batch(fd, msg, 1, select, skip, flags);
}

/*
 * Messages of the test's stream: what a test sends with the number @at it receives with
 * it. Neither waits. The type received, or -EILSEQ if it isn't that message, else -errno.
 */

helper int queue_put(int fd, uint64_t type, uint64_t at, size_t len)
{
	unsigned char *buf = malloc(len + 1);
	int ret;

	stream_fill(buf, at, len);
	ret = queue_send(fd, type, buf, len, IPCX_NONBLOCK);
	free(buf);
	return ret;
}

helper int64_t queue_get(int fd, struct ipcx_select select, uint64_t at, size_t len)
{
	unsigned char *buf = malloc(len + 1);
	struct ipcx_msg msg;
	int64_t ret;

	ret = queue_recv(fd, select, &msg, buf, len, IPCX_NONBLOCK);
	if (ret == 1)
		ret = msg.len == len && !msg.flags && stream_is(buf, at, len) ?
		      (int64_t)msg.type : -EILSEQ;
	free(buf);
	return ret;
}

helper int64_t queue_purge(int fd, struct ipcx_select select)
{
	return ref_purge(fd, ref_self(), select);
}

helper int queue_file(int fd, struct ipcx_select select, uint64_t type, uint32_t flags)
{
	struct ipcx_queue_file arg = { .select = select, .type = type, .flags = flags };

	return ipc_ioctl(fd, IPCX_IOC_QUEUE_FILE, &arg);
}

helper int queue_notify(int fd, uint32_t signo, uint64_t value)
{
	struct ipcx_notify arg = { .signo = signo, .value = value };

	return ipc_ioctl(fd, IPCX_IOC_NOTIFY, &arg);
}

/* Sets @limits to what they are afterwards. */
helper int queue_resize(int fd, struct ipcx_queue_params *limits)
{
	struct ipcx_resize arg = {
		.bytes = limits->max_bytes,
		.deadline = deadline_patience(),
		.max_msgs = limits->max_msgs,
		.max_msg_bytes = limits->max_msg_bytes,
	};
	int ret = ipc_ioctl(fd, IPCX_IOC_RESIZE, &arg);

	*limits = queue_limits(arg.max_msgs, arg.bytes, arg.max_msg_bytes);
	return ret;
}

helper uint64_t queue_msgs(int fd)
{
	return pipe_stat(fd).msgs;
}

/* Actors. */

/*
 * struct queue_call - what an actor does with a queue
 * @command:	IPCX_IOC_SEND or IPCX_IOC_RECV
 * @fd:		the file it calls, the only one that it keeps
 * @name:	on the device: the queue's name
 * @id:		on the device, without a name: the queue's id
 * @type:	of what is sent
 * @select:	of what is received
 * @count:	how many messages; 0 is one
 * @len:	of each that is sent, or room for each; @count * @len is ACTOR_BYTES at most
 * @at:		where in the stream what is sent begins: the messages are adjacent there
 * @flags:	of the command
 * @deadline:	of the command; deadline_never() if it is all zeros
 * @skip:	with IPCX_PEEK
 * @sa_flags:	what SIGUSR1's handler is installed with
 * @stuck:	1 + the page of all the bytes that must be faulted in by hand, or 0
 *
 * The actor's headers are afterwards in actor_msgs(), the bytes of message i in @data of
 * the actor's state, from i * @len.
 */
struct queue_call {
	unsigned long command;
	int fd;
	const char *name;
	uint32_t id;
	uint64_t type;
	struct ipcx_select select;
	uint32_t count;
	size_t len;
	uint64_t at;
	uint32_t flags;
	struct ipcx_deadline deadline;
	uint64_t skip;
	int sa_flags;
	unsigned int stuck;
};

#define ACTOR_HEADERS	(IPCX_MSG_BATCH_MAX * sizeof(struct ipcx_msg))
#define ACTOR_BYTES	(ACTOR_DATA - ACTOR_HEADERS)

static inline struct ipcx_msg *state_msgs(struct actor_state *s)
{
	return (struct ipcx_msg *)(s->data + ACTOR_BYTES);
}

static inline const struct ipcx_msg *actor_msgs(const struct actor *a)
{
	return state_msgs(a->s);
}

helper int64_t queue_call_make(const struct call *call, void *buf)
{
	struct ipcx_msg *msgs = state_msgs(actor_self);
	const struct queue_call *c = call->arg;
	struct ipcx_ref ref = c->name ? ref_name(c->name) : ref_id(c->id);
	uint32_t i, count = c->count ?: 1;
	int ret;

	for (i = 0; i < count; i++)
		msgs[i] = call_puts(call) ? msg_out(c->type, buf + i * c->len, c->len) :
					    msg_room(buf + i * c->len, c->len);
	ret = call_puts(call) ?
	      ref_send(c->fd, ref, msgs, count, c->flags, call->deadline) :
	      ref_recv(c->fd, ref, msgs, count, c->select, c->skip, c->flags, call->deadline);
	if (ret > 0 && call_takes(call) && buf != actor_self->data)
		memcpy(actor_self->data, buf, call->len);
	errno = ret < 0 ? -ret : 0;
	return ret < 0 ? -1 : ret;
}

static inline struct call queue_call(const struct queue_call *c)
{
	return (struct call) {
		.kind = c->command == IPCX_IOC_SEND ? CALL_IOC_WRITE : CALL_IOC_READ,
		.fd = c->fd,
		.len = (c->count ?: 1) * c->len,
		.at = c->at,
		.deadline = c->deadline,
		.sa_flags = c->sa_flags,
		.stuck = c->stuck,
		.make = queue_call_make,
		.arg = c,
	};
}

/* As actor_start(): what pipe_test.h has for actors is for these, too. */
helper struct actor queue_actor_start(struct queue_call c)
{
	return actor_start(queue_call(&c));
}

/* As actor_start_stuck(): returns when the actor hangs in its copy. */
helper struct actor queue_actor_stuck(struct queue_call c)
{
	return actor_start_stuck(queue_call(&c));
}

/* Starts a call that must wait; when this returns, it does. */
helper struct actor queue_actor_asleep(struct queue_call c)
{
	struct actor a = queue_actor_start(c);

	if (!actor_asleep(&a))
		abort();
	return a;
}

#endif /* QUEUE_TEST_H */
