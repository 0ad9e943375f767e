/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of pipes share: byte streams that can be checked at any
 * offset, actors, and buffers that stop whoever touches them.
 *
 * An actor is a process of its own that makes one call which may block. Whether
 * it sleeps is read from /proc, never guessed from the time that went by; what
 * the call returned comes back in shared memory. An actor keeps no file but the
 * one it calls, and leaves when it is told to: what it opened stays open until
 * then.
 */
#ifndef PIPE_TEST_H
#define PIPE_TEST_H

#include "ipcx_test.h"

#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <linux/userfaultfd.h>

#define ATOMIC_MAX	4096		/* PIPE_BUF */
#define CAPACITY_MIN	4096
#define CAPACITY_DEFAULT 65536
#define PAGE_BYTES	4096

/* What actor_result() says of a call that did not return. */
#define HUNG		(-1000000)

/*
 * Streams: byte number @at of the test's stream. The period is a prime, so that
 * no power of two that is lost or repeated goes unnoticed.
 */

#define STREAM_PERIOD	65521

static unsigned char stream_table[STREAM_PERIOD];

__attribute__((constructor(103))) helper void stream_init(void)
{
	uint32_t x = 2463534242u;
	size_t i;

	for (i = 0; i < STREAM_PERIOD; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		stream_table[i] = x >> 24;
	}
}

helper void stream_fill(void *buf, uint64_t at, size_t len)
{
	unsigned char *p = buf;

	while (len) {
		size_t from = at % STREAM_PERIOD;
		size_t n = STREAM_PERIOD - from;

		if (n > len)
			n = len;
		memcpy(p, stream_table + from, n);
		p += n;
		at += n;
		len -= n;
	}
}

helper bool stream_is(const void *buf, uint64_t at, size_t len)
{
	const unsigned char *p = buf;

	while (len) {
		size_t from = at % STREAM_PERIOD;
		size_t n = STREAM_PERIOD - from;

		if (n > len)
			n = len;
		if (memcmp(p, stream_table + from, n))
			return false;
		p += n;
		at += n;
		len -= n;
	}
	return true;
}

/* A private sequence of numbers for tests that vary what they do. */
helper uint32_t random_next(uint32_t *state)
{
	uint32_t x = *state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return *state = x;
}

/* 1 to @max, small numbers as often as big ones. */
helper size_t random_size(uint32_t *state, size_t max)
{
	size_t limit = (size_t)1 << (random_next(state) % 32);

	if (limit > max)
		limit = max;
	return 1 + random_next(state) % limit;
}

/*
 * Both ends of a new transient nameless pipe; 0 stands for the default capacity.
 * The reader's file is older than the writer's.
 */
struct ends {
	int r;
	int w;
};

helper struct ends ends_open(int dev, uint64_t capacity_bytes)
{
	struct ends e;

	e.r = pipe_create_sized(dev, NULL, IPCX_LIFETIME_TRANSIENT,
				IPCX_ACCESS_READ, capacity_bytes);
	e.w = e.r < 0 ? e.r : fd_open(e.r, IPCX_ACCESS_WRITE, 0);
	if (e.r < 0 || e.w < 0) {
		fprintf(stderr, "# no pipe: %s\n", strerror(-e.w));
		abort();
	}
	return e;
}

helper void ends_close(struct ends *e)
{
	close(e->r);
	close(e->w);
}

/* State of a pipe; a STAT that fails ends the test. */

helper struct ipcx_stat pipe_stat(int fd)
{
	struct ipcx_stat st;
	int ret = fd_stat(fd, &st);

	if (ret) {
		fprintf(stderr, "# STAT failed: %s\n", strerror(-ret));
		abort();
	}
	return st;
}

helper uint64_t pipe_used(int fd)
{
	return pipe_stat(fd).used_bytes;
}

helper int fionread(int fd)
{
	int bytes = -12345;

	return ioctl(fd, FIONREAD, &bytes) ? -errno : bytes;
}

helper bool pipe_waiting(int fd, uint32_t readers, uint32_t writers)
{
	return wait_until(pipe_stat(fd).waiting_readers == readers &&
			  pipe_stat(fd).waiting_writers == writers);
}

/* Writes the stream's bytes from @at without waiting; what write(2) returns. */
helper int stream_write(int fd, uint64_t at, size_t len)
{
	unsigned char *buf = malloc(len);
	int ret;

	stream_fill(buf, at, len);
	ret = fd_write(fd, buf, len, IPCX_NONBLOCK);
	free(buf);
	return ret;
}

/*
 * Reads @len bytes without waiting. @len if they were the stream's from @at,
 * -EILSEQ if not, else what the read returned.
 */
helper int stream_read(int fd, uint64_t at, size_t len)
{
	unsigned char *buf = malloc(len);
	size_t done = 0;
	int ret = 0;

	while (done < len) {
		ret = fd_read(fd, buf + done, len - done, IPCX_NONBLOCK);
		if (ret <= 0)
			break;
		done += ret;
	}
	if (done && !stream_is(buf, at, done))
		ret = -EILSEQ;
	else if (done)
		ret = done;
	free(buf);
	return ret;
}

/* Buffers with holes. */

/* @pages pages, of which page @hole cannot be touched. */
helper unsigned char *holed_buffer(unsigned int pages, unsigned int hole)
{
	unsigned char *buf;

	buf = mmap(NULL, (size_t)pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buf == MAP_FAILED)
		abort();
	memset(buf, POISON, (size_t)pages * PAGE_BYTES);
	if (hole < pages && mprotect(buf + (size_t)hole * PAGE_BYTES,
				     PAGE_BYTES, PROT_NONE))
		abort();
	return buf;
}

helper void holed_free(unsigned char *buf, unsigned int pages)
{
	munmap(buf, (size_t)pages * PAGE_BYTES);
}

/* Reads without waiting whatever there is, up to @size bytes. */
helper size_t pipe_drain(int fd, unsigned char *buf, size_t size)
{
	size_t have = 0;
	int ret;

	while (have < size) {
		ret = fd_read(fd, buf + have, size - have, IPCX_NONBLOCK);
		if (ret <= 0)
			break;
		have += ret;
	}
	return have;
}

/* Actors. */

enum call_kind {
	CALL_READ, CALL_READV, CALL_IOC_READ,
	CALL_WRITE, CALL_WRITEV, CALL_IOC_WRITE,
	CALL_SPLICE_OUT, CALL_SPLICE_IN,
	CALL_RESIZE, CALL_OPEN, CALL_REOPEN,
	CALL_POLL, CALL_EPOLL, CALL_STAT, CALL_QUERY, CALL_REMOVE, CALL_UNLINK,
	CALL_FIONREAD,
};

/*
 * struct call - what an actor does
 * @fd:		the file it calls, the only one that it keeps
 * @name:	on the device: the object's name
 * @len:	of a transfer; of a resize: the capacity asked for
 * @at:		where in the stream the bytes to be written begin
 * @access:	of an open
 * @flags:	of an ioctl, or of splice(2)
 * @keep_all:	it keeps all files that the test has, not @fd alone
 * @other:	of a splice: the pipe(2)'s file, kept as well; 0: one of the actor's
 *		own that holds all @len bytes
 * @events:	of a poll
 * @deadline:	of an ioctl; deadline_never() if it is all zeros
 * @sa_flags:	what SIGUSR1's handler is installed with
 * @no_handler:	SIGUSR1 does what it does to programs that know nothing of it
 * @stuck:	1 + the page of the buffer that must be faulted in by hand, or 0
 * @bad_buffer:	the transfer's buffer cannot be touched
 * @make:	what to call instead, with @arg in reach; @kind still says whether the
 *		buffer's @len bytes are taken or put
 * @arg:	for @make
 */
struct call {
	enum call_kind kind;
	int fd;
	const char *name;
	size_t len;
	uint64_t at;
	uint32_t access;
	uint32_t flags;
	int other;
	bool keep_all;
	short events;
	struct ipcx_deadline deadline;
	int sa_flags;
	bool no_handler;
	unsigned int stuck;
	bool bad_buffer;
	int64_t (*make)(const struct call *c, void *buf);
	const void *arg;
};

#define ACTOR_DATA	(4 * 65536)

struct actor_state {
	int started;
	int over;
	int leave;
	int signals;
	int sigpipes;
	int uffd;
	uint64_t stuck_at;
	int64_t ret;
	uint32_t index;
	unsigned char data[ACTOR_DATA] __attribute__((aligned(PAGE_BYTES)));
};

struct actor {
	pid_t pid;
	int uffd;
	struct call call;
	struct actor_state *s;
};

static struct actor_state *actor_self;

helper void actor_got_signal(int sig)
{
	if (sig == SIGPIPE)
		__atomic_add_fetch(&actor_self->sigpipes, 1, __ATOMIC_SEQ_CST);
	else
		__atomic_add_fetch(&actor_self->signals, 1, __ATOMIC_SEQ_CST);
}

helper bool call_takes(const struct call *c)
{
	return c->kind == CALL_READ || c->kind == CALL_READV ||
	       c->kind == CALL_IOC_READ || c->kind == CALL_SPLICE_OUT;
}

helper bool call_puts(const struct call *c)
{
	return c->kind == CALL_WRITE || c->kind == CALL_WRITEV ||
	       c->kind == CALL_IOC_WRITE || c->kind == CALL_SPLICE_IN;
}

/* Newer architectures have the calls with a mask alone. */
#ifdef SYS_poll
#define POLL_NUMBER	SYS_poll
#define EPOLL_NUMBER	SYS_epoll_wait
#else
#define POLL_NUMBER	SYS_ppoll
#define EPOLL_NUMBER	SYS_epoll_pwait
#endif

helper long call_number(const struct call *c)
{
	switch (c->kind) {
	case CALL_READ:
		return SYS_read;
	case CALL_READV:
		return SYS_readv;
	case CALL_WRITE:
		return SYS_write;
	case CALL_WRITEV:
		return SYS_writev;
	case CALL_SPLICE_OUT:
	case CALL_SPLICE_IN:
		return SYS_splice;
	case CALL_REOPEN:
		return SYS_openat;
	case CALL_POLL:
		return POLL_NUMBER;
	case CALL_EPOLL:
		return EPOLL_NUMBER;
	default:
		return SYS_ioctl;
	}
}

/* Three pieces, the one in the middle empty. */
helper ssize_t call_vector(const struct call *c, unsigned char *buf)
{
	struct iovec iov[] = {
		{ .iov_base = buf, .iov_len = 1 },
		{ .iov_base = buf, .iov_len = 0 },
		{ .iov_base = buf + 1, .iov_len = c->len - 1 },
	};

	return c->kind == CALL_READV ? readv(c->fd, iov, 3) :
				       writev(c->fd, iov, 3);
}

/* splice(2), with -errno. Neither file has a position. */
helper ssize_t plain_splice(int in, int out, size_t len, unsigned int flags)
{
	ssize_t ret = splice(in, NULL, out, NULL, len, flags);

	return ret < 0 ? -errno : ret;
}

/* A pipe(2) with room for @len bytes. */
helper struct ends plain_pipe(size_t len)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) || fcntl(fds[1], F_SETPIPE_SZ, len) < 0) {
		perror("# pipe(2)");
		abort();
	}
	return (struct ends) { .r = fds[0], .w = fds[1] };
}

helper ssize_t call_splice_shared(const struct call *c)
{
	return c->kind == CALL_SPLICE_IN ?
	       splice(c->other, NULL, c->fd, NULL, c->len, c->flags) :
	       splice(c->fd, NULL, c->other, NULL, c->len, c->flags);
}

helper int64_t call_splice(const struct call *c, void *buf)
{
	struct ends p = plain_pipe(c->len);
	ssize_t ret;

	if (c->kind == CALL_SPLICE_IN) {
		if (write(p.w, buf, c->len) != (ssize_t)c->len)
			abort();
		ret = plain_splice(p.r, c->fd, c->len, c->flags);
	} else {
		ret = plain_splice(c->fd, p.w, c->len, c->flags);
		if (ret > 0 && read(p.r, buf, ret) != ret)
			abort();
	}
	ends_close(&p);
	errno = ret < 0 ? -ret : 0;
	return ret < 0 ? -1 : ret;
}

helper int64_t call_resize(const struct call *c, struct ipcx_ref ref)
{
	struct ipcx_resize arg = {
		.ref = ref,
		.bytes = c->len,
		.flags = c->flags,
		.deadline = c->deadline,
	};

	return ioctl(c->fd, IPCX_IOC_RESIZE, &arg);
}

helper int64_t call_open(const struct call *c, struct ipcx_ref ref)
{
	struct ipcx_open arg = {
		.ref = ref,
		.access = c->access,
		.flags = c->flags,
		.deadline = c->deadline,
	};

	return ioctl(c->fd, IPCX_IOC_OPEN, &arg);
}

helper int64_t call_io(const struct call *c, struct ipcx_ref ref, void *buf)
{
	struct ipcx_io io = {
		.ref = ref,
		.buf = (uintptr_t)buf,
		.len = c->len,
		.flags = c->flags,
		.deadline = c->deadline,
	};

	return ioctl(c->fd, c->kind == CALL_IOC_READ ? IPCX_IOC_READ :
						       IPCX_IOC_WRITE, &io);
}

helper int64_t call_poll(const struct call *c)
{
	struct pollfd p = { .fd = c->fd, .events = c->events };
	int ret = poll(&p, 1, -1);

	return ret < 0 ? ret : p.revents;
}

/* @fd is an epoll's. Any number of other files may be in it. */
helper int64_t call_epoll(const struct call *c)
{
	struct epoll_event ev;
	int ret = epoll_wait(c->fd, &ev, 1, -1);

	return ret < 0 ? ret : (int64_t)ev.events;
}

helper int64_t call_reopen(const struct call *c)
{
	static const int modes[] = {
		[IPCX_ACCESS_READ] = O_RDONLY,
		[IPCX_ACCESS_WRITE] = O_WRONLY,
		[IPCX_ACCESS_RDWR] = O_RDWR,
	};
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->fd);
	return open(path, modes[c->access]);
}

helper int64_t call_make(const struct call *c, void *buf)
{
	struct ipcx_ref ref = c->name ? ref_name(c->name) : ref_self();
	struct ipcx_query q;
	struct ipcx_stat st;

	if (c->make)
		return c->make(c, buf);
	switch (c->kind) {
	case CALL_READ:
		return read(c->fd, buf, c->len);
	case CALL_WRITE:
		return write(c->fd, buf, c->len);
	case CALL_READV:
	case CALL_WRITEV:
		return call_vector(c, buf);
	case CALL_IOC_READ:
	case CALL_IOC_WRITE:
		return call_io(c, ref, buf);
	case CALL_SPLICE_OUT:
	case CALL_SPLICE_IN:
		return c->other ? call_splice_shared(c) : call_splice(c, buf);
	case CALL_RESIZE:
		return call_resize(c, ref);
	case CALL_OPEN:
		return call_open(c, ref);
	case CALL_REOPEN:
		return call_reopen(c);
	case CALL_POLL:
		return call_poll(c);
	case CALL_EPOLL:
		return call_epoll(c);
	case CALL_STAT:
		memset(&st, 0, sizeof(st));
		st.ref = ref;
		return ioctl(c->fd, IPCX_IOC_STAT, &st);
	case CALL_QUERY:
		return ioctl(c->fd, IPCX_IOC_QUERY, &q);
	case CALL_REMOVE:
		return ioctl(c->fd, IPCX_IOC_REMOVE, &ref);
	case CALL_UNLINK:
		return ioctl(c->fd, IPCX_IOC_UNLINK, &ref);
	case CALL_FIONREAD:
		return fionread(c->fd);
	}
	return -1;
}

/* Closes all files but the standard ones and these, which may be one. */
helper void keep_both(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	if (low > 3)
		close_range(3, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

helper void keep_only(int fd)
{
	keep_both(fd, fd);
}

/*
 * A buffer whose page @page is missing: who touches it sleeps until somebody
 * copies that page in through the descriptor that is left in @s->uffd.
 */
helper void *stuck_buffer(struct actor_state *s, size_t len, unsigned int page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	size_t size = (len + 2 * PAGE_BYTES - 1) & -PAGE_BYTES;
	unsigned char *buf;

	s->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (s->uffd < 0 || ioctl(s->uffd, UFFDIO_API, &api))
		return NULL;
	buf = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(buf, POISON, size);
	memcpy(buf, s->data, len);
	s->stuck_at = (uintptr_t)buf + (size_t)page * PAGE_BYTES;
	if (madvise((void *)(uintptr_t)s->stuck_at, PAGE_BYTES, MADV_DONTNEED))
		return NULL;
	reg.range.start = s->stuck_at;
	reg.range.len = PAGE_BYTES;
	return ioctl(s->uffd, UFFDIO_REGISTER, &reg) ? NULL : buf;
}

__attribute__((noreturn)) helper void actor_run(const struct call *c,
						struct actor_state *s)
{
	struct sigaction usr = {
		.sa_handler = actor_got_signal, .sa_flags = c->sa_flags,
	};
	struct sigaction pipe = { .sa_handler = actor_got_signal };
	void *buf = s->data;

	actor_self = s;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!c->keep_all)
		keep_both(c->fd, c->other ?: c->fd);
	if (!c->no_handler)
		sigaction(SIGUSR1, &usr, NULL);
	sigaction(SIGPIPE, &pipe, NULL);
	if (call_puts(c))
		stream_fill(s->data, c->at, c->len);
	else if (call_takes(c))
		memset(s->data, POISON, c->len);
	if (c->stuck)
		buf = stuck_buffer(s, c->len, c->stuck - 1);
	else if (c->bad_buffer)
		buf = holed_buffer(1, 0);
	if (!buf) {
		fprintf(stderr, "# no userfaultfd: %s\n", strerror(errno));
		_exit(99);
	}
	__atomic_store_n(&s->started, 1, __ATOMIC_SEQ_CST);
	s->ret = call_make(c, buf);
	if (s->ret < 0)
		s->ret = -errno;
	if (c->stuck && s->ret > 0)
		memcpy(s->data, buf, s->ret);
	__atomic_store_n(&s->over, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&s->leave, __ATOMIC_SEQ_CST))
		usleep(1000);
	_exit(0);
}

/* One letter: R, S, D, Z... or 0 if there is no such process. */
helper char pid_state(pid_t pid)
{
	char path[64], line[512], *end;
	char state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f)) {
		end = strrchr(line, ')');
		if (end && end[1] && end[2])
			state = end[2];
	}
	fclose(f);
	return state;
}

helper long pid_syscall(pid_t pid)
{
	char path[64];
	long nr = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%ld", &nr) != 1)
		nr = -1;
	fclose(f);
	return nr;
}

helper void pid_explain(pid_t pid)
{
	static const char *const files[] = { "wchan", "syscall", "stack" };
	char path[64], line[256];
	unsigned int i;
	FILE *f;

	fprintf(stderr, "# process %d: state %c\n", pid, pid_state(pid) ?: '?');
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		f = fopen(path, "re");
		while (f && fgets(line, sizeof(line), f))
			fprintf(stderr, "#   %s: %.*s\n", files[i],
				(int)strcspn(line, "\n"), line);
		if (f)
			fclose(f);
	}
}

helper bool actor_over(const struct actor *a)
{
	return __atomic_load_n(&a->s->over, __ATOMIC_SEQ_CST);
}

helper int actor_signals(const struct actor *a)
{
	return __atomic_load_n(&a->s->signals, __ATOMIC_SEQ_CST);
}

helper int actor_sigpipes(const struct actor *a)
{
	return __atomic_load_n(&a->s->sigpipes, __ATOMIC_SEQ_CST);
}

helper bool actor_sleeps(const struct actor *a)
{
	return pid_state(a->pid) == 'S' &&
	       pid_syscall(a->pid) == call_number(&a->call);
}

/*
 * How often a task has been off the processor, ~0ULL if there is no such task. Of one
 * that actor_sleeps() or task_sleeps() says to sleep this stays what it is until
 * somebody wakes it.
 */
helper uint64_t task_switches(pid_t tid)
{
	unsigned long long n, sum = 0;
	int found = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &n) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %llu", &n) == 1) {
			sum += n;
			found++;
		}
	}
	if (f)
		fclose(f);
	return found == 2 ? sum : ~0ULL;
}

helper bool task_sleeps(pid_t tid, long number)
{
	return pid_state(tid) == 'S' && pid_syscall(tid) == number;
}

/* Returns when the actor is about to make its call. */
helper struct actor actor_start(struct call c)
{
	struct actor a = { .uffd = -1 };

	if (!c.deadline.ns && !c.deadline.clock && !c.deadline.reserved)
		c.deadline = deadline_never();
	a.call = c;
	a.s = mmap(NULL, sizeof(*a.s), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (a.s == MAP_FAILED)
		abort();
	a.pid = fork();
	if (!a.pid)
		actor_run(&a.call, a.s);
	if (a.pid < 0 ||
	    !wait_until(__atomic_load_n(&a.s->started, __ATOMIC_SEQ_CST) ||
			pid_state(a.pid) == 'Z')) {
		fprintf(stderr, "# an actor did not start\n");
		abort();
	}
	return a;
}

/* Waits until the actor's call sleeps; false if it returned, or runs on. */
helper bool actor_asleep(struct actor *a)
{
	bool sleeps = wait_until(actor_over(a) || actor_sleeps(a));

	if (actor_over(a)) {
		fprintf(stderr, "# call %d did not wait: it returned %lld\n",
			a->call.kind, (long long)a->s->ret);
		return false;
	}
	if (!sleeps) {
		fprintf(stderr, "# call %d neither sleeps nor returns\n",
			a->call.kind);
		pid_explain(a->pid);
	}
	return sleeps;
}

/* Starts a call that must wait; when this returns, it does. */
helper struct actor actor_start_asleep(struct call c)
{
	struct actor a = actor_start(c);

	if (!actor_asleep(&a))
		abort();
	return a;
}

/* What the call returned, -errno, or HUNG after telling where it hangs. */
helper int64_t actor_result(struct actor *a)
{
	if (wait_until(actor_over(a) || pid_state(a->pid) == 'Z')) {
		if (actor_over(a))
			return a->s->ret;
		fprintf(stderr, "# call %d's process died\n", a->call.kind);
		return HUNG;
	}
	fprintf(stderr, "# call %d does not return\n", a->call.kind);
	pid_explain(a->pid);
	return HUNG;
}

/* Sends SIGUSR1 and waits until its handler has run. */
helper bool actor_signal(struct actor *a)
{
	int before = actor_signals(a);

	kill(a->pid, SIGUSR1);
	if (wait_until(actor_signals(a) > before))
		return true;
	fprintf(stderr, "# a signal is not delivered\n");
	pid_explain(a->pid);
	return false;
}

helper void actor_free(struct actor *a)
{
	if (a->uffd >= 0)
		close(a->uffd);
	munmap(a->s, sizeof(*a->s));
	a->uffd = -1;
	a->s = NULL;
}

/* Kills the actor wherever it is; 128 + SIGKILL unless it was over before. */
helper int actor_kill(struct actor *a)
{
	int status;

	kill(a->pid, SIGKILL);
	status = reap(a->pid);
	actor_free(a);
	return status;
}

/* Lets an actor go whose call is over; 0 unless it had to be killed. */
helper int actor_end(struct actor *a)
{
	int status;

	if (!actor_over(a))
		return actor_kill(a);
	__atomic_store_n(&a->s->leave, 1, __ATOMIC_SEQ_CST);
	status = reap(a->pid);
	actor_free(a);
	return status;
}

/* The call's result and the actor's end in one. */
helper int64_t actor_finish(struct actor *a)
{
	int64_t ret = actor_result(a);

	actor_end(a);
	return ret;
}

/* Makes a call that must not hang, whatever others are stuck in. */
helper int64_t call_safely(struct call c)
{
	struct actor a = actor_start(c);

	return actor_finish(&a);
}

/* Actors stuck in a page fault. */

helper bool uffd_exists(void)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Starts a call on a buffer with a missing page, and waits until it is there. */
helper struct actor actor_start_stuck(struct call c)
{
	struct actor a = actor_start(c);
	struct uffd_msg msg;
	struct pollfd p = { .events = POLLIN };
	int pidfd = pid_fd(a.pid);

	if (!a.s->started)
		abort();
	a.uffd = syscall(SYS_pidfd_getfd, pidfd, a.s->uffd, 0);
	close(pidfd);
	p.fd = a.uffd;
	if (a.uffd < 0 || poll(&p, 1, PATIENCE_MS) != 1 ||
	    read(a.uffd, &msg, sizeof(msg)) != sizeof(msg) ||
	    msg.event != UFFD_EVENT_PAGEFAULT) {
		fprintf(stderr, "# call %d did not touch its buffer\n",
			c.kind);
		pid_explain(a.pid);
		abort();
	}
	return a;
}

/* Brings the page; of a buffer to be written, with the stream's bytes. */
helper int actor_unstick(struct actor *a)
{
	unsigned char page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
	struct uffdio_copy copy = {
		.dst = a->s->stuck_at,
		.src = (uintptr_t)page,
		.len = PAGE_BYTES,
	};

	memset(page, POISON, sizeof(page));
	if (call_puts(&a->call))
		stream_fill(page, a->call.at +
			    (uint64_t)(a->call.stuck - 1) * PAGE_BYTES,
			    sizeof(page));
	return ioctl(a->uffd, UFFDIO_COPY, &copy) ? -errno : 0;
}

/* Clocks. */

/* CLOCK_REALTIME is stepped: in a virtual machine, where it can do no harm. */
helper void clock_step(int64_t seconds)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += seconds;
	if (clock_settime(CLOCK_REALTIME, &ts))
		perror("# clock_settime");
}

/* Scheduling. */

/*
 * From now on @other does not run until this process sleeps or is
 * normal_again(): both live on one processor, and this one is real-time there.
 */
helper bool alone_on_cpu(pid_t other)
{
	struct sched_param param = { .sched_priority = 10 };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	return !sched_setaffinity(other, sizeof(one), &one) &&
	       !sched_setaffinity(0, sizeof(one), &one) &&
	       !sched_setscheduler(0, SCHED_FIFO, &param);
}

helper void normal_again(void)
{
	struct sched_param param = { 0 };

	sched_setscheduler(0, SCHED_OTHER, &param);
}

/* SIGPIPEs of this process. */

static volatile sig_atomic_t sigpipes;

helper void count_sigpipe(int sig)
{
	(void)sig;
	sigpipes++;
}

helper void sigpipe_catch(void)
{
	struct sigaction sa = { .sa_handler = count_sigpipe };

	sigaction(SIGPIPE, &sa, NULL);
	sigpipes = 0;
}

/* SIGIOs of this process. */

static volatile sig_atomic_t sigios;

helper void count_sigio(int sig)
{
	(void)sig;
	sigios++;
}

helper int async_on(int fd)
{
	struct sigaction sa = { .sa_handler = count_sigio };

	sigaction(SIGIO, &sa, NULL);
	sigios = 0;
	return fcntl(fd, F_SETOWN, getpid()) || fcntl(fd, F_SETFL, O_ASYNC);
}

/*
 * The other side of a test that reads or writes the stream's first LOOP_BYTES: a
 * process that does its calls in all sizes, and ends with status 0 if all is well.
 */

#define LOOP_BYTES	400000

__attribute__((noreturn)) helper void loop_writer(int fd, uint32_t seed)
{
	static unsigned char buf[10000];
	uint64_t at = 0;

	while (at < LOOP_BYTES) {
		size_t len = random_size(&seed, sizeof(buf));
		int ret;

		if (len > LOOP_BYTES - at)
			len = LOOP_BYTES - at;
		stream_fill(buf, at, len);
		ret = plain_write(fd, buf, len);
		if (ret <= 0)
			_exit(1);
		at += ret;
	}
	_exit(0);
}

__attribute__((noreturn)) helper void loop_reader(int fd, uint32_t seed)
{
	static unsigned char buf[10000];
	uint64_t at = 0;

	for (;;) {
		size_t len = random_size(&seed, sizeof(buf));
		int ret = fd_read(fd, buf, len, 0);

		if (ret == 0)
			_exit(at == LOOP_BYTES ? 0 : 1);
		if (ret < 0 || !stream_is(buf, at, ret))
			_exit(2);
		at += ret;
	}
}

#endif /* PIPE_TEST_H */
