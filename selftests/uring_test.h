/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of objects under io_uring share, through liburing.
 *
 * Once io_uring_submit() has returned, a request that has no completion waits:
 * no test has to guess how long that takes.
 */
#ifndef URING_TEST_H
#define URING_TEST_H

#include "pipe_test.h"

#include <liburing.h>

#define QUEUE	64

/* A completion; @res is HUNG if none came. */
struct done {
	uint64_t tag;
	int res;
	uint32_t flags;
};

helper int ring_open(struct io_uring *ring, unsigned int flags)
{
	return io_uring_queue_init(QUEUE, ring, flags);
}

helper struct done ring_wait(struct io_uring *ring)
{
	struct __kernel_timespec ts = { .tv_sec = PATIENCE_MS / 1000 };
	struct done done = { .res = HUNG };
	struct io_uring_cqe *cqe;
	int ret;

	do {
		ret = io_uring_wait_cqe_timeout(ring, &cqe, &ts);
	} while (ret == -EINTR);
	if (ret) {
		fprintf(stderr, "# no completion: %s\n", strerror(-ret));
		return done;
	}
	done.tag = io_uring_cqe_get_data64(cqe);
	done.res = cqe->res;
	done.flags = cqe->flags;
	io_uring_cqe_seen(ring, cqe);
	return done;
}

helper bool ring_idle(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;

	io_uring_get_events(ring);
	return io_uring_peek_cqe(ring, &cqe) == -EAGAIN;
}

helper struct io_uring_sqe *ring_sqe(struct io_uring *ring, uint64_t tag)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (!sqe)
		abort();
	memset(sqe, 0, sizeof(*sqe));
	sqe->user_data = tag;
	return sqe;
}

/* The offset must be this one for what has no place in it. */
#define NO_OFFSET	((uint64_t)-1)

helper struct io_uring_sqe *add_read(struct io_uring *ring, uint64_t tag, int fd,
				     void *buf, size_t len)
{
	struct io_uring_sqe *sqe = ring_sqe(ring, 0);

	io_uring_prep_read(sqe, fd, buf, len, NO_OFFSET);
	sqe->user_data = tag;
	return sqe;
}

helper struct io_uring_sqe *add_write(struct io_uring *ring, uint64_t tag, int fd,
				      const void *buf, size_t len)
{
	struct io_uring_sqe *sqe = ring_sqe(ring, 0);

	io_uring_prep_write(sqe, fd, buf, len, NO_OFFSET);
	sqe->user_data = tag;
	return sqe;
}

helper struct io_uring_sqe *add_poll(struct io_uring *ring, uint64_t tag, int fd,
				     unsigned int events, bool many)
{
	struct io_uring_sqe *sqe = ring_sqe(ring, 0);

	if (many)
		io_uring_prep_poll_multishot(sqe, fd, events);
	else
		io_uring_prep_poll_add(sqe, fd, events);
	sqe->user_data = tag;
	return sqe;
}

/* Adds a request that cancels those with @victim for a tag. */
helper void add_cancel(struct io_uring *ring, uint64_t tag, uint64_t victim)
{
	struct io_uring_sqe *sqe = ring_sqe(ring, 0);

	io_uring_prep_cancel64(sqe, victim, 0);
	sqe->user_data = tag;
}

helper bool submit(struct io_uring *ring)
{
	return io_uring_submit(ring) >= 0;
}

/* Submits and takes the result of the one request there is. */
helper int result(struct io_uring *ring)
{
	return submit(ring) ? ring_wait(ring).res : HUNG;
}

/* Two completions in any order; where they belong is told by their tags 0 and 1. */
helper bool ring_wait_two(struct io_uring *ring, struct done done[2])
{
	int i;

	for (i = 0; i < 2; i++) {
		struct done d = ring_wait(ring);

		if (d.res == HUNG || d.tag > 1)
			return false;
		done[d.tag] = d;
	}
	return true;
}

#endif /* URING_TEST_H */
