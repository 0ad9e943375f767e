/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests share that let many work on one pipe at once: processes that
 * go on until they are told, in every way that bytes can be moved, and streams
 * and records that show what was lost, doubled, torn or out of order.
 *
 * A worker is a process; its exit status 0 means that all it saw was right, any
 * other one is the line on which it gave up (modulo 256), told on stderr.
 */
#ifndef STRESS_TEST_H
#define STRESS_TEST_H

#include "pipe_test.h"

#include <stddef.h>

#define STRESS_TIMEOUT	120	/* of the harness, in seconds */
#define WORKERS		16
#define RECORDS_MAX	(1 << 22)	/* of one writer */

/* Only what is touched of @seen takes memory. */
struct shared {
	int stop;
	int pause;
	uint64_t records_taken;
	uint64_t put[WORKERS];
	uint64_t taken[WORKERS];
	unsigned int signals[WORKERS];
	unsigned int rounds[WORKERS];
	unsigned char seen[WORKERS][RECORDS_MAX];
};

static struct shared *shared;
static unsigned int worker;

#define worker_fail(fmt, ...) do {					\
	fprintf(stderr, "# %s:%d: worker %u: " fmt "\n", __FILE__,	\
		__LINE__, worker, ##__VA_ARGS__);			\
	_exit(__LINE__ % 255 + 1);					\
} while (0)

helper void shared_init(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
}

/* For another round, in which nobody counts records. */
helper void shared_reset(void)
{
	memset(shared, 0, offsetof(struct shared, seen));
}

helper bool stopped(void)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

helper void stop_all(void)
{
	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
}

helper void pause_if_told(void)
{
	while (__atomic_load_n(&shared->pause, __ATOMIC_RELAXED))
		usleep(100);
}

/* Returns 0 in the new worker, which keeps only @fd, if that is a file. */
helper pid_t worker_start(unsigned int number, int fd)
{
	pid_t pid = fork();

	if (pid < 0)
		abort();
	if (!pid) {
		worker = number;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		if (fd >= 0)
			keep_only(fd);
	}
	return pid;
}

helper bool worker_done(pid_t pid)
{
	siginfo_t info = { 0 };

	waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT);
	return info.si_pid == pid;
}

/* Who hangs is told with where, and with the pipe's state if @fd has it. */
helper bool worker_hangs(pid_t pid, int fd)
{
	struct ipcx_stat st;

	if (wait_until(worker_done(pid)))
		return false;
	fprintf(stderr, "# a worker hangs\n");
	pid_explain(pid);
	if (fd >= 0 && !fd_stat(fd, &st))
		fprintf(stderr,
			"#   used %llu readers %u writers %u waiting %u %u\n",
			(unsigned long long)st.used_bytes, st.readers,
			st.writers, st.waiting_readers, st.waiting_writers);
	return true;
}

/* Waits for somebody who has much to do, and counts in @rounds what he has done. */
helper void worker_wait(pid_t pid, const unsigned int *rounds)
{
	unsigned int before;

	do
		before = __atomic_load_n(rounds, __ATOMIC_RELAXED);
	while (wait_until(worker_done(pid) ||
			  __atomic_load_n(rounds, __ATOMIC_RELAXED) != before) &&
	       !worker_done(pid));
}

/* Number of workers that did not end well. */
helper int workers_join(pid_t *pid, int count, int fd)
{
	int i, bad = 0;

	for (i = 0; i < count; i++) {
		if (worker_hangs(pid[i], fd))
			kill(pid[i], SIGKILL);
		if (reap(pid[i]))
			bad++;
	}
	return bad;
}

/* A transfer as the test's variant has it; waits whatever the file's mode. */

enum way {
	WAY_PLAIN,	/* read(2) and write(2) that block */
	WAY_POLL,	/* nonblocking, and poll(2) when told so */
	WAY_IOCTL,	/* ioctls that block */
	WAY_NAME,	/* ioctls by name on the device */
	WAY_SPLICE,	/* splice(2) and a pipe(2) of the worker's own */
};

struct transfer {
	enum way way;
	int fd;
	const char *name;
};

helper int way_poll(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int ret = poll(&p, 1, PATIENCE_MS);

	if (ret == 0)
		worker_fail("poll does not return");
	return ret < 0 ? -errno : 0;
}

helper int way_ioctl(const struct transfer *t, unsigned long command, void *buf,
		     size_t len, uint32_t flags, struct ipcx_deadline deadline)
{
	struct ipcx_ref ref = t->way == WAY_NAME ? ref_name(t->name) :
						   ref_self();

	return ref_io(t->fd, command, ref, buf, len, flags, deadline);
}

#define SPLICE_MOST	65536

static struct ends way_pipe = { .r = -1 };

/* The worker's pipe(2), empty. */
helper struct ends way_own_pipe(void)
{
	int left = way_pipe.r < 0 ? 0 : fionread(way_pipe.r);

	if (left)
		ends_close(&way_pipe);
	if (left || way_pipe.r < 0)
		way_pipe = plain_pipe(SPLICE_MOST);
	return way_pipe;
}

/* As much as one pipe(2) holds at a time; what ends it counts if nothing went. */
helper int way_splice_in(int fd, const void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		size_t n = len - done < SPLICE_MOST ? len - done : SPLICE_MOST;
		struct ends p = way_own_pipe();
		ssize_t ret;

		if (write(p.w, (const char *)buf + done, n) != (ssize_t)n)
			worker_fail("a pipe(2) has no room");
		ret = plain_splice(p.r, fd, n, 0);
		if (ret <= 0)
			return done ? (int)done : ret;
		done += ret;
		if (ret < (ssize_t)n)
			break;
	}
	return done;
}

helper int way_splice_out(int fd, void *buf, size_t len)
{
	struct ends p = way_own_pipe();
	ssize_t ret = plain_splice(fd, p.w, len, 0);

	if (ret > 0 && read(p.r, buf, ret) != ret)
		worker_fail("%zd bytes, and they are not there", ret);
	return ret;
}

helper int way_write(const struct transfer *t, void *buf, size_t len)
{
	int ret;

	if (t->way == WAY_PLAIN)
		return plain_write(t->fd, buf, len);
	if (t->way == WAY_SPLICE)
		return way_splice_in(t->fd, buf, len);
	if (t->way != WAY_POLL)
		return way_ioctl(t, IPCX_IOC_WRITE, buf, len, 0,
				 deadline_never());
	for (;;) {
		ret = way_ioctl(t, IPCX_IOC_WRITE, buf, len, IPCX_NONBLOCK,
				deadline_never());
		if (ret != -EAGAIN)
			return ret;
		ret = way_poll(t->fd, POLLOUT);
		if (ret)
			return ret;
	}
}

/* By name, there is no end of file: it is looked for every 20 ms. */
helper int way_read(const struct transfer *t, void *buf, size_t len)
{
	int ret;

	if (t->way == WAY_PLAIN) {
		ret = read(t->fd, buf, len);
		return ret < 0 ? -errno : ret;
	}
	if (t->way == WAY_SPLICE)
		return way_splice_out(t->fd, buf, len);
	if (t->way == WAY_IOCTL)
		return way_ioctl(t, IPCX_IOC_READ, buf, len, 0,
				 deadline_never());
	for (;;) {
		ret = way_ioctl(t, IPCX_IOC_READ, buf, len,
				t->way == WAY_POLL ? IPCX_NONBLOCK : 0,
				t->way == WAY_POLL ? deadline_never() :
						     deadline_ms(20));
		if (ret == -ETIMEDOUT && stopped())
			return 0;
		if (ret != -EAGAIN && ret != -ETIMEDOUT)
			return ret;
		if (t->way == WAY_POLL) {
			ret = way_poll(t->fd, POLLIN);
			if (ret)
				return ret;
		}
	}
}

/*
 * Records of many. @rest is how many more of them the same write brings: one that
 * was torn shows. @filling follows from the other three.
 */

struct record {
	uint32_t writer;
	uint32_t seq;
	uint32_t rest;
	unsigned char filling[52];
};

_Static_assert(sizeof(struct record) == 64, "divides every capacity");

#define RECORDS		2000	/* of each writer, at least */
#define RECORDS_A_CALL	(ATOMIC_MAX / sizeof(struct record))

helper uint64_t record_place(const struct record *r)
{
	return r->writer * 100003ULL + r->seq * 52ULL + r->rest * 7919ULL;
}

/* @n of them for one write. */
helper void records_make(struct record *r, uint32_t n, uint32_t writer,
			 uint32_t seq)
{
	for (; n; n--, r++) {
		r->writer = writer;
		r->seq = seq++;
		r->rest = n - 1;
		stream_fill(r->filling, record_place(r), sizeof(r->filling));
	}
}

/* Writes RECORDS of them, and on until @enough says so, if there is one. */
helper void records_write(const struct transfer *t, bool (*enough)(void))
{
	struct record batch[RECORDS_A_CALL];
	uint32_t seed = 1 + worker, seq = 0;
	size_t n;
	int ret;

	while (seq < RECORDS || (enough && !enough())) {
		n = random_size(&seed, RECORDS_A_CALL);
		if (seq + n > RECORDS_MAX)
			worker_fail("there is no end to it");
		records_make(batch, n, worker, seq);
		ret = way_write(t, batch, n * sizeof(batch[0]));
		if (ret != (int)(n * sizeof(batch[0])))
			worker_fail("write of %zu records: %d", n, ret);
		seq += n;
		pause_if_told();
		/* Whoever else has to get something done may be slower. */
		if (seq > RECORDS_MAX / 4)
			usleep(100);
	}
	shared->put[worker] = seq;
	_exit(0);
}

/*
 * What a reader may rely on.
 * READ_ORDER: of one writer's records, those that it sees come in order
 * READ_WHOLE: it is alone, so that it finds each write in one piece
 */
#define READ_ORDER	1
#define READ_WHOLE	2

struct reading {
	unsigned int rules;
	int64_t last[WORKERS];
	struct record before;
};

helper void reading_begin(struct reading *g, unsigned int rules)
{
	*g = (struct reading) { .rules = rules };
	memset(g->last, -1, sizeof(g->last));
}

/* None that another saw. */
helper void record_check(const struct record *r, struct reading *g)
{
	if (r->writer >= WORKERS || r->seq >= RECORDS_MAX)
		worker_fail("record of %u/%u", r->writer, r->seq);
	if (!stream_is(r->filling, record_place(r), sizeof(r->filling)))
		worker_fail("wrong bytes in %u/%u", r->writer, r->seq);
	if ((g->rules & READ_ORDER) && (int64_t)r->seq <= g->last[r->writer])
		worker_fail("%u/%u after %lld", r->writer, r->seq,
			    (long long)g->last[r->writer]);
	if ((g->rules & READ_WHOLE) && g->before.rest &&
	    (r->writer != g->before.writer || r->seq != g->before.seq + 1))
		worker_fail("%u/%u, and %u more, before %u/%u",
			    g->before.writer, g->before.seq, g->before.rest,
			    r->writer, r->seq);
	g->last[r->writer] = r->seq;
	g->before = *r;
	if (__atomic_exchange_n(&shared->seen[r->writer][r->seq], 1,
				__ATOMIC_RELAXED))
		worker_fail("%u/%u twice", r->writer, r->seq);
	__atomic_add_fetch(&shared->records_taken, 1, __ATOMIC_RELAXED);
}

helper void records_read(const struct transfer *t, unsigned int rules)
{
	struct record batch[3 * RECORDS_A_CALL];
	uint32_t seed = 1 + worker;
	struct reading g;
	size_t n;
	int i, ret;

	reading_begin(&g, rules);
	for (;;) {
		n = random_size(&seed, ARRAY_SIZE(batch));
		ret = way_read(t, batch, n * sizeof(batch[0]));
		if (ret == 0)
			_exit(0);
		if (ret < 0 || ret % (int)sizeof(batch[0]))
			worker_fail("read of %zu records: %d", n, ret);
		for (i = 0; i < ret / (int)sizeof(batch[0]); i++)
			record_check(&batch[i], &g);
	}
}

/* What all writers have put, when they are over. */
helper uint64_t records_put(void)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < WORKERS; i++)
		sum += shared->put[i];
	return sum;
}

/* One long stream between two. */

struct flow {
	struct transfer t;
	uint64_t total;		/* 0: until something ends it */
	bool (*enough)(void);	/* with @total: go on until this is true, too */
	size_t most;		/* bytes a call */
	uint32_t seed;
	bool restarts;		/* EINTR is an error */
};

helper bool flow_goes_on(const struct flow *f, uint64_t at)
{
	return !f->total || at < f->total || (f->enough && !f->enough());
}

/* Writes the stream; returns what ended it. @put counts what is acknowledged. */
helper int flow_put(const struct flow *f, uint64_t *put)
{
	unsigned char *buf = malloc(f->most);
	uint32_t seed = f->seed;
	uint64_t at = 0;

	while (flow_goes_on(f, at)) {
		size_t len = random_size(&seed, f->most);
		int ret;

		if (at < f->total && len > f->total - at)
			len = f->total - at;
		stream_fill(buf, at, len);
		ret = way_write(&f->t, buf, len);
		if (ret == -EINTR && !f->restarts)
			continue;
		if (ret <= 0)
			return ret;
		at += ret;
		__atomic_store_n(put, at, __ATOMIC_RELEASE);
		pause_if_told();
	}
	return 0;
}

helper int flow_take(const struct flow *f, uint64_t *taken)
{
	unsigned char *buf = malloc(f->most);
	uint32_t seed = f->seed;
	uint64_t at = 0;

	for (;;) {
		size_t len = random_size(&seed, f->most);
		int ret = way_read(&f->t, buf, len);

		if (ret == -EINTR && !f->restarts)
			continue;
		if (ret <= 0)
			return ret;
		if (!stream_is(buf, at, ret))
			worker_fail("wrong bytes at %llu",
				    (unsigned long long)at);
		at += ret;
		__atomic_store_n(taken, at, __ATOMIC_RELEASE);
	}
}

/* Exit status 0 means: all was written, all was read up to end of file. */
helper pid_t flow_start(struct flow f, bool takes)
{
	pid_t pid = worker_start(takes, f.t.fd);
	int ret;

	if (pid)
		return pid;
	ret = takes ? flow_take(&f, &shared->taken[0]) :
		      flow_put(&f, &shared->put[0]);
	if (ret)
		worker_fail("the %s ended with %d", takes ? "reader" : "writer",
			    ret);
	_exit(0);
}

helper uint64_t progress(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

#endif /* STRESS_TEST_H */
