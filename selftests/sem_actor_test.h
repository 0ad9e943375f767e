/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Actors that operate on semaphores, beyond those of pipe_test.h, of which pipe_stat() and
 * pipe_waiting() are good for sets, too: there "readers" are those who wait for 0, "writers"
 * those who wait for a semaphore to rise.
 */
#ifndef SEM_ACTOR_TEST_H
#define SEM_ACTOR_TEST_H

#include "pipe_test.h"
#include "sem_test.h"

#define SEM_STEPS	8

/*
 * struct sem_call - what an actor does with a set
 * @fd:		the file it calls, the only one that it keeps
 * @name:	on the device: the set's name
 * @id:		on the device, without a name: the set's id
 * @ops:	the operations
 * @count:	how many; 0 is one
 * @flags:	of the command
 * @deadline:	of the command; deadline_never() if it is all zeros
 * @sa_flags:	what SIGUSR1's handler is installed with
 */
struct sem_call {
	int fd;
	const char *name;
	uint32_t id;
	struct ipcx_sem_op ops[SEM_STEPS];
	uint32_t count;
	uint32_t flags;
	struct ipcx_deadline deadline;
	int sa_flags;
};

helper int64_t sem_call_make(const struct call *call, void *buf)
{
	const struct sem_call *c = call->arg;
	struct ipcx_ref ref = c->name ? ref_name(c->name) : ref_id(c->id);
	int ret;

	(void)buf;
	ret = ref_sem_op(c->fd, ref, c->ops, c->count ?: 1, c->flags, call->deadline);
	errno = ret < 0 ? -ret : 0;
	return ret < 0 ? -1 : ret;
}

/* As actor_start(): what pipe_test.h has for actors is for these, too. */
helper struct actor sem_actor_start(struct sem_call c)
{
	return actor_start((struct call) {
		.kind = CALL_STAT,
		.fd = c.fd,
		.deadline = c.deadline,
		.sa_flags = c.sa_flags,
		.make = sem_call_make,
		.arg = &c,
	});
}

/* Starts a call that must wait; when this returns, it does. */
helper struct actor sem_actor_asleep(struct sem_call c)
{
	struct actor a = sem_actor_start(c);

	if (!actor_asleep(&a))
		abort();
	return a;
}

/* One operation that must wait, by a process of its own. */
helper struct actor sem_sleeper(int fd, uint32_t index, int32_t delta, uint32_t op_flags)
{
	return sem_actor_asleep((struct sem_call) {
		.fd = fd, .ops = { sem_step(index, delta, op_flags) },
	});
}

#endif /* SEM_ACTOR_TEST_H */
