/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of readiness share, whatever the object: poll, select and epoll as they
 * are now and for who sleeps in them, and the signals of O_ASYNC.
 *
 * Signals stay blocked and are taken with sigtimedwait(2).
 */
#ifndef POLL_TEST_H
#define POLL_TEST_H

#include "pipe_test.h"

#define IN_OUT	(POLLIN | POLLOUT)
#define TOLD	(SIGRTMIN + 3)
#define OTHER	(SIGRTMIN + 4)

helper struct actor poller_start(int fd, short events)
{
	return actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = fd, .events = events,
	});
}

helper int select_now(int fd, bool readable)
{
	struct timeval zero = { 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return select(fd + 1, readable ? &set : NULL, readable ? NULL : &set,
		      NULL, &zero);
}

/* epoll. */

helper int epoll_add(int ep, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

/* The one event that is there, 0 for none, -EILSEQ for more than one. */
helper int64_t epoll_take(int ep, int timeout_ms)
{
	struct epoll_event ev[2];
	int n;

	memset(ev, POISON, sizeof(ev));
	n = epoll_wait(ep, ev, 2, timeout_ms);
	if (n == 1)
		return ev[0].events;
	return n < 0 ? -errno : n ? -EILSEQ : 0;
}

helper int64_t epoll_now(int ep)
{
	return epoll_take(ep, 0);
}

helper int64_t epoll_patiently(int ep)
{
	return epoll_take(ep, PATIENCE_MS);
}

/* Signals. */

helper sigset_t signals_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

/* Takes a pending signal; none is false, at once. */
helper bool got(int sig, siginfo_t *info)
{
	struct timespec zero = { 0 };
	sigset_t set = signals_of(sig);

	memset(info, POISON, sizeof(*info));
	return sigtimedwait(&set, info, &zero) == sig;
}

helper int count(int sig)
{
	siginfo_t info;
	int n = 0;

	while (got(sig, &info))
		n++;
	return n;
}

helper bool told(int sig)
{
	return count(sig) > 0;
}

/* @sig: what F_SETSIG asks for, 0 for plain SIGIO. */
helper int async_start(int fd, int sig)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETSIG, sig))
		return -errno;
	return fcntl(fd, F_SETFL, flags | O_ASYNC) ? -errno : 0;
}

helper int async_signal_on(int fd, int sig)
{
	return fcntl(fd, F_SETOWN, getpid()) ? -errno : async_start(fd, sig);
}

helper int async_off(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_ASYNC) ? -errno : 0;
}

#endif /* POLL_TEST_H */
