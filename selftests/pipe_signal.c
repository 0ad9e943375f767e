// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes: what ends a sleep. A signal, a kill, a deadline, REMOVE, or the end of
 * the other side in the middle of every call that can wait, and what is left
 * behind: no byte lost, no count wrong, no sleeper forgotten.
 */
#include "pipe_test.h"

/*
 * struct scene - a named pipe on which a call must wait
 * @hold: a file of it that is neither reader nor writer
 * @r:    the test's reader, or -1
 * @w:    the test's writer, or -1
 * @call: the call that must wait
 * @takes: the call's side is the reading one
 * @owner: who owns that side for as long as the test likes
 * @before: the pipe's state before the call
 */
struct scene {
	int dev;
	int hold;
	int r;
	int w;
	bool behind;
	bool takes;
	char name[TEST_NAME_SIZE];
	struct call call;
	struct actor owner;
	struct ipcx_stat before;
};

/*
 * struct cast - which call it is
 * @by_name: on the device
 * @behind:  it waits behind another task in the middle of a transfer
 * @takes:   of a resize, which waits behind either side: the reading one
 */
struct cast {
	enum call_kind kind;
	size_t len;
	uint32_t access;
	bool by_name;
	bool behind;
	bool takes;
};

#define OWNED		10	/* bytes of the owner's transfer */

static bool call_opens(const struct call *c)
{
	return c->kind == CALL_OPEN || c->kind == CALL_REOPEN;
}

static void scene_owner(struct scene *s)
{
	if (s->takes && stream_write(s->w, 0, OWNED) != OWNED)
		abort();
	s->owner = actor_start_stuck((struct call) {
		.kind = s->takes ? CALL_READ : CALL_WRITE,
		.fd = s->takes ? s->r : s->w, .len = OWNED, .stuck = 1,
	});
}

static void scene_files(struct scene *s)
{
	s->r = name_open(s->dev, s->name, IPCX_ACCESS_READ, IPCX_NONBLOCK);
	s->w = name_open(s->dev, s->name, IPCX_ACCESS_WRITE, 0);
	if (s->r < 0 || s->w < 0 || fcntl(s->r, F_SETFL, 0))
		abort();
	if (!s->call.name && s->call.kind != CALL_RESIZE)
		s->call.fd = s->takes ? s->r : s->w;
	if (s->behind)
		scene_owner(s);
	else if (call_puts(&s->call) &&
		 stream_write(s->w, 0, CAPACITY_MIN) != CAPACITY_MIN)
		abort();
}

static void scene_set(struct scene *s, const struct cast *cast)
{
	*s = (struct scene) { .r = -1, .w = -1, .behind = cast->behind };
	s->dev = dev_open();
	test_name(s->name, "scene");
	s->hold = pipe_create_sized(s->dev, s->name, IPCX_LIFETIME_PERSISTENT,
				    IPCX_ACCESS_NONE, CAPACITY_MIN);
	if (s->hold < 0) {
		fprintf(stderr, "# no pipe: %s\n", strerror(-s->hold));
		abort();
	}
	s->call = (struct call) {
		.kind = cast->kind, .fd = cast->by_name ? s->dev : s->hold,
		.name = cast->by_name ? s->name : NULL, .len = cast->len,
		.access = cast->access,
		.at = cast->behind ? OWNED : CAPACITY_MIN,
	};
	s->takes = cast->takes || call_takes(&s->call);
	if (!call_opens(&s->call))
		scene_files(s);
	s->before = pipe_stat(s->hold);
}

static void scene_clear(struct scene *s)
{
	track_cleanup();
	if (s->behind && s->owner.s)
		actor_kill(&s->owner);
	close(s->hold);
	close(s->dev);
}

/* Lets the owner go on; what its transfer returned. */
static int64_t scene_release(struct scene *s)
{
	if (!s->behind || !s->owner.s)
		return OWNED;
	actor_unstick(&s->owner);
	return actor_finish(&s->owner);
}

static int64_t finish_take(struct scene *s, struct actor *a)
{
	if (stream_write(s->w, 7, 3) != 3)
		return -EPROTO;
	if (actor_result(a) == 3 && !stream_is(a->s->data, 7, 3))
		return -EILSEQ;
	return a->s->ret;
}

/* Reads what was there, and what the call brings. */
static int64_t finish_put(struct scene *s, struct actor *a)
{
	uint64_t at = 0, end = s->call.at + s->call.len;
	static unsigned char buf[4096];

	while (at < end) {
		size_t len = end - at < sizeof(buf) ? end - at : sizeof(buf);
		int ret = fd_read(s->r, buf, len, 0);

		if (ret <= 0)
			return -EPROTO;
		if (!stream_is(buf, at, ret))
			return -EILSEQ;
		at += ret;
	}
	return actor_result(a);
}

static int64_t finish_open(struct scene *s, struct actor *a)
{
	uint32_t peer = s->call.access ^ IPCX_ACCESS_RDWR;
	int fd = fd_open(s->hold, peer, IPCX_NONBLOCK);
	int64_t ret;

	if (fd < 0)
		return -EPROTO;
	ret = actor_result(a);
	close(fd);
	return ret;
}

/* What the owner brought is there, and what it took is gone. */
static int64_t finish_resize(struct scene *s, struct actor *a)
{
	int64_t ret = actor_result(a);
	int left = s->takes ? 0 : OWNED;

	if (pipe_stat(s->hold).capacity_bytes != s->call.len ||
	    (int)pipe_used(s->hold) != left ||
	    (left && stream_read(s->r, 0, left) != left))
		return -EPROTO;
	return ret;
}

/*
 * Gives the sleeping call what it waits for. What it then must return:
 * scene_success(). The actor is over afterwards.
 */
static int64_t scene_finish(struct scene *s, struct actor *a)
{
	int64_t ret;

	if (scene_release(s) != OWNED)
		return -ECHILD;
	ret = call_opens(&s->call) ? finish_open(s, a) :
	      s->call.kind == CALL_RESIZE ? finish_resize(s, a) :
	      s->takes ? finish_take(s, a) : finish_put(s, a);
	if (call_opens(&s->call) && ret > 0)
		ret = 0;
	actor_end(a);
	return ret;
}

static int64_t scene_success(const struct scene *s)
{
	return call_opens(&s->call) || s->call.kind == CALL_RESIZE ? 0 :
	       s->takes ? 3 : (int64_t)s->call.len;
}

/* Whether the pipe is as it was before the call. */
static bool scene_unchanged(struct scene *s)
{
	struct ipcx_stat st;

	wait_until(pipe_stat(s->hold).opens == s->before.opens);
	st = pipe_stat(s->hold);
	return st.used_bytes == s->before.used_bytes &&
	       st.capacity_bytes == s->before.capacity_bytes &&
	       st.charged_bytes == s->before.charged_bytes &&
	       st.readers == s->before.readers &&
	       st.writers == s->before.writers &&
	       st.opens == s->before.opens &&
	       st.waiting_readers == s->before.waiting_readers &&
	       st.waiting_writers == s->before.waiting_writers &&
	       st.read_ns == s->before.read_ns &&
	       st.write_ns == s->before.write_ns &&
	       st.last_reader_pid == s->before.last_reader_pid &&
	       st.last_writer_pid == s->before.last_writer_pid;
}

static bool scene_nobody_waits(struct scene *s)
{
	return pipe_waiting(s->hold, 0, 0);
}

FIXTURE(wait) {
	struct scene s;
};

FIXTURE_VARIANT(wait) {
	struct cast cast;
};

#define WAIT_VARIANT(tag, ...) \
	FIXTURE_VARIANT_ADD(wait, tag) { .cast = { __VA_ARGS__ } }

WAIT_VARIANT(read, .kind = CALL_READ, .len = 100);
WAIT_VARIANT(readv, .kind = CALL_READV, .len = 100);
WAIT_VARIANT(ioctl_read, .kind = CALL_IOC_READ, .len = 100);
WAIT_VARIANT(name_read, .kind = CALL_IOC_READ, .len = 100, .by_name = true);
WAIT_VARIANT(read_behind, .kind = CALL_READ, .len = 100, .behind = true);
WAIT_VARIANT(ioctl_read_behind, .kind = CALL_IOC_READ, .len = 100,
	     .behind = true);
WAIT_VARIANT(name_read_behind, .kind = CALL_IOC_READ, .len = 100,
	     .by_name = true, .behind = true);
WAIT_VARIANT(write, .kind = CALL_WRITE, .len = 100);
WAIT_VARIANT(writev, .kind = CALL_WRITEV, .len = 100);
WAIT_VARIANT(write_large, .kind = CALL_WRITE, .len = 30000);
WAIT_VARIANT(ioctl_write, .kind = CALL_IOC_WRITE, .len = 100);
WAIT_VARIANT(name_write, .kind = CALL_IOC_WRITE, .len = 100, .by_name = true);
WAIT_VARIANT(write_behind, .kind = CALL_WRITE, .len = 100, .behind = true);
WAIT_VARIANT(write_large_behind, .kind = CALL_WRITE, .len = 30000,
	     .behind = true);
WAIT_VARIANT(ioctl_write_behind, .kind = CALL_IOC_WRITE, .len = 100,
	     .behind = true);
WAIT_VARIANT(name_write_behind, .kind = CALL_IOC_WRITE, .len = 100,
	     .by_name = true, .behind = true);
WAIT_VARIANT(splice_out, .kind = CALL_SPLICE_OUT, .len = 100);
WAIT_VARIANT(splice_out_behind, .kind = CALL_SPLICE_OUT, .len = 100,
	     .behind = true);
WAIT_VARIANT(splice_in, .kind = CALL_SPLICE_IN, .len = 100);
WAIT_VARIANT(splice_in_large, .kind = CALL_SPLICE_IN, .len = 30000);
WAIT_VARIANT(splice_in_behind, .kind = CALL_SPLICE_IN, .len = 100,
	     .behind = true);
WAIT_VARIANT(resize_behind_reader, .kind = CALL_RESIZE, .len = 65536,
	     .behind = true, .takes = true);
WAIT_VARIANT(resize_behind_writer, .kind = CALL_RESIZE, .len = 65536,
	     .behind = true);
WAIT_VARIANT(name_resize_behind_reader, .kind = CALL_RESIZE, .len = 8192,
	     .by_name = true, .behind = true, .takes = true);
WAIT_VARIANT(name_resize_behind_writer, .kind = CALL_RESIZE, .len = 8192,
	     .by_name = true, .behind = true);
WAIT_VARIANT(open_read, .kind = CALL_OPEN, .access = IPCX_ACCESS_READ,
	     .by_name = true);
WAIT_VARIANT(open_write, .kind = CALL_OPEN, .access = IPCX_ACCESS_WRITE,
	     .by_name = true);
WAIT_VARIANT(file_open_read, .kind = CALL_OPEN, .access = IPCX_ACCESS_READ);
WAIT_VARIANT(file_open_write, .kind = CALL_OPEN, .access = IPCX_ACCESS_WRITE);
WAIT_VARIANT(proc_open_read, .kind = CALL_REOPEN, .access = IPCX_ACCESS_READ);
WAIT_VARIANT(proc_open_write, .kind = CALL_REOPEN,
	     .access = IPCX_ACCESS_WRITE);

FIXTURE_SETUP(wait)
{
	if (variant->cast.behind && !uffd_exists())
		SKIP(return, "no userfaultfd");
	scene_set(&self->s, &variant->cast);
}

FIXTURE_TEARDOWN(wait)
{
	scene_clear(&self->s);
}

TEST_F(wait, signal_is_eintr)
{
	struct scene *s = &self->s;
	struct actor a;

	a = actor_start_asleep(s->call);
	ASSERT_TRUE(actor_signal(&a));
	EXPECT_EQ(-EINTR, actor_result(&a));
	EXPECT_EQ(1, actor_signals(&a));
	EXPECT_EQ(0, actor_sigpipes(&a));
	EXPECT_TRUE(scene_unchanged(s));
	actor_end(&a);
	/* The next one waits, and gets what there is. */
	a = actor_start_asleep(s->call);
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
	EXPECT_TRUE(scene_nobody_waits(s));
}

TEST_F(wait, restarts_after_signal)
{
	struct scene *s = &self->s;
	struct actor a;
	int i;

	s->call.sa_flags = SA_RESTART;
	a = actor_start_asleep(s->call);
	for (i = 0; i < 8; i++) {
		ASSERT_TRUE(actor_signal(&a));
		ASSERT_TRUE(actor_asleep(&a));
	}
	EXPECT_EQ(8, actor_signals(&a));
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
	EXPECT_TRUE(scene_nobody_waits(s));
}

TEST_F(wait, killed_leaves_nothing)
{
	struct scene *s = &self->s;
	struct actor a;

	a = actor_start_asleep(s->call);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_TRUE(scene_unchanged(s));
	a = actor_start_asleep(s->call);
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
	EXPECT_TRUE(scene_nobody_waits(s));
}

TEST_F(wait, fatal_signal_kills)
{
	struct scene *s = &self->s;
	struct actor a;

	s->call.no_handler = true;
	a = actor_start_asleep(s->call);
	kill(a.pid, SIGUSR1);
	EXPECT_EQ(128 + SIGUSR1, reap(a.pid));
	actor_free(&a);
	EXPECT_TRUE(scene_unchanged(s));
	scene_release(s);
}

TEST_F(wait, goes_on_after_stop)
{
	struct scene *s = &self->s;
	struct actor a;

	a = actor_start_asleep(s->call);
	kill(a.pid, SIGSTOP);
	ASSERT_TRUE(wait_until(pid_state(a.pid) == 'T'));
	kill(a.pid, SIGCONT);
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
	EXPECT_TRUE(scene_nobody_waits(s));
}

TEST_F(wait, ignored_signals_are_nothing)
{
	struct scene *s = &self->s;
	struct actor a;
	int i;

	a = actor_start_asleep(s->call);
	for (i = 0; i < 10; i++) {
		kill(a.pid, SIGWINCH);
		kill(a.pid, SIGCONT);
	}
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
}

TEST_F(wait, removed_is_eidrm)
{
	struct scene *s = &self->s;
	struct actor a, b;

	a = actor_start_asleep(s->call);
	b = actor_start_asleep(s->call);
	EXPECT_EQ(0, call_safely((struct call) {
		.kind = CALL_REMOVE, .fd = s->hold,
	}));
	EXPECT_EQ(-EIDRM, actor_result(&a));
	EXPECT_EQ(-EIDRM, actor_result(&b));
	EXPECT_EQ(0, actor_sigpipes(&a));
	actor_end(&a);
	actor_end(&b);
	scene_release(s);
}

static void peer_close(struct scene *s)
{
	int *peer = s->takes ? &s->w : &s->r;

	close(*peer);
	*peer = -1;
}

/* The same, by a process that has the last file and is killed. */
static void peer_kill(struct scene *s)
{
	struct actor peer = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = s->takes ? s->w : s->r,
	});

	peer_close(s);
	if (pipe_stat(s->hold).opens != s->before.opens)
		abort();
	actor_kill(&peer);
}

/* What a waiting transfer does when its last peer is gone. */
static void peer_gone(struct __test_metadata *_metadata, struct scene *s,
		      void (*leave)(struct scene *s))
{
	struct actor a = actor_start_asleep(s->call);
	int64_t released;

	leave(s);
	if (s->call.name || s->call.kind == CALL_RESIZE) {
		/* Neither a reader nor a writer: it does not care. */
		EXPECT_TRUE(actor_asleep(&a));
		EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
		scene_release(s);
		return;
	}
	released = scene_release(s);
	if (s->takes) {
		EXPECT_EQ(OWNED, released);
		EXPECT_EQ(0, actor_result(&a));
		EXPECT_EQ(0, actor_sigpipes(&a));
	} else {
		EXPECT_TRUE(released == OWNED || released == -EPIPE);
		EXPECT_EQ(-EPIPE, actor_result(&a));
		EXPECT_EQ(1, actor_sigpipes(&a));
	}
	actor_end(&a);
	EXPECT_TRUE(scene_nobody_waits(s));
}

TEST_F(wait, last_peer_closes)
{
	if (call_opens(&self->s.call)) {
		/* Others who wait at the same door are no peers. */
		struct actor a = actor_start_asleep(self->s.call);
		struct actor b = actor_start_asleep(self->s.call);

		EXPECT_EQ(128 + SIGKILL, actor_kill(&b));
		EXPECT_TRUE(actor_asleep(&a));
		EXPECT_EQ(0, scene_finish(&self->s, &a));
		return;
	}
	peer_gone(_metadata, &self->s, peer_close);
}

TEST_F(wait, last_peer_is_killed)
{
	if (call_opens(&self->s.call)) {
		/* A peer whom a kill takes from its own wait lets nobody in. */
		struct call c = self->s.call;
		struct actor a, b;

		c.access ^= IPCX_ACCESS_RDWR;
		b = actor_start_asleep(c);
		EXPECT_EQ(128 + SIGKILL, actor_kill(&b));
		a = actor_start_asleep(self->s.call);
		EXPECT_EQ(0, scene_finish(&self->s, &a));
		return;
	}
	peer_gone(_metadata, &self->s, peer_kill);
}

/* Ioctls: a flag against restarting, and a deadline. */

FIXTURE(timed) {
	struct scene s;
};

FIXTURE_VARIANT(timed) {
	struct cast cast;
};

#define TIMED_VARIANT(tag, ...) \
	FIXTURE_VARIANT_ADD(timed, tag) { .cast = { __VA_ARGS__ } }

TIMED_VARIANT(read, .kind = CALL_IOC_READ, .len = 100);
TIMED_VARIANT(name_read, .kind = CALL_IOC_READ, .len = 100, .by_name = true);
TIMED_VARIANT(read_behind, .kind = CALL_IOC_READ, .len = 100, .behind = true);
TIMED_VARIANT(name_read_behind, .kind = CALL_IOC_READ, .len = 100,
	      .by_name = true, .behind = true);
TIMED_VARIANT(write, .kind = CALL_IOC_WRITE, .len = 100);
TIMED_VARIANT(write_large, .kind = CALL_IOC_WRITE, .len = 30000);
TIMED_VARIANT(name_write, .kind = CALL_IOC_WRITE, .len = 100, .by_name = true);
TIMED_VARIANT(write_behind, .kind = CALL_IOC_WRITE, .len = 100,
	      .behind = true);
TIMED_VARIANT(write_large_behind, .kind = CALL_IOC_WRITE, .len = 30000,
	      .behind = true);
TIMED_VARIANT(name_write_behind, .kind = CALL_IOC_WRITE, .len = 100,
	      .by_name = true, .behind = true);
TIMED_VARIANT(resize_behind_reader, .kind = CALL_RESIZE, .len = 65536,
	      .behind = true, .takes = true);
TIMED_VARIANT(resize_behind_writer, .kind = CALL_RESIZE, .len = 65536,
	      .behind = true);
TIMED_VARIANT(name_resize_behind_reader, .kind = CALL_RESIZE, .len = 8192,
	      .by_name = true, .behind = true, .takes = true);
TIMED_VARIANT(open_read, .kind = CALL_OPEN, .access = IPCX_ACCESS_READ,
	      .by_name = true);
TIMED_VARIANT(open_write, .kind = CALL_OPEN, .access = IPCX_ACCESS_WRITE,
	      .by_name = true);
TIMED_VARIANT(file_open_read, .kind = CALL_OPEN, .access = IPCX_ACCESS_READ);

FIXTURE_SETUP(timed)
{
	if (variant->cast.behind && !uffd_exists())
		SKIP(return, "no userfaultfd");
	scene_set(&self->s, &variant->cast);
}

FIXTURE_TEARDOWN(timed)
{
	scene_clear(&self->s);
}

TEST_F(timed, no_restart_is_eintr)
{
	struct scene *s = &self->s;
	struct actor a;

	s->call.sa_flags = SA_RESTART;
	s->call.flags = IPCX_NO_RESTART;
	a = actor_start_asleep(s->call);
	ASSERT_TRUE(actor_signal(&a));
	EXPECT_EQ(-EINTR, actor_result(&a));
	EXPECT_EQ(1, actor_signals(&a));
	EXPECT_TRUE(scene_unchanged(s));
	actor_end(&a);
	a = actor_start_asleep(s->call);
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
	EXPECT_TRUE(scene_nobody_waits(s));
}

TEST_F(timed, deadline_is_etimedout)
{
	static const clockid_t clocks[] = {
		CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME,
	};
	struct scene *s = &self->s;
	struct actor a;
	int i;

	for (i = 0; i < 3; i++) {
		s->call.deadline = deadline_on(clocks[i], 100);
		EXPECT_EQ(-ETIMEDOUT, call_safely(s->call));
		EXPECT_LE(s->call.deadline.ns, now_ns(clocks[i]));
		EXPECT_TRUE(scene_unchanged(s));
	}
	s->call.deadline = deadline_past();
	EXPECT_EQ(-ETIMEDOUT, call_safely(s->call));
	EXPECT_TRUE(scene_unchanged(s));
	s->call.deadline = deadline_never();
	a = actor_start_asleep(s->call);
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
	EXPECT_TRUE(scene_nobody_waits(s));
}

/* Absolute: however often it restarts, the call ends when it said. */
TEST_F(timed, deadline_survives_restarts)
{
	struct scene *s = &self->s;
	struct actor a;

	s->call.sa_flags = SA_RESTART;
	s->call.deadline = deadline_ms(400);
	a = actor_start(s->call);
	while (!actor_over(&a) &&
	       now_ns(CLOCK_MONOTONIC) < s->call.deadline.ns + 10000000000ULL) {
		kill(a.pid, SIGUSR1);
		usleep(2000);
	}
	EXPECT_EQ(-ETIMEDOUT, actor_result(&a));
	EXPECT_LE(s->call.deadline.ns, now_ns(CLOCK_MONOTONIC));
	EXPECT_LT(0, actor_signals(&a));
	actor_end(&a);
	EXPECT_TRUE(scene_unchanged(s));
	scene_release(s);
}

/* Part of a write is done when something ends it: that part counts. */

FIXTURE(partial) {
	int dev;
	struct ends e;
};

FIXTURE_VARIANT(partial) {
	enum call_kind kind;
};

FIXTURE_VARIANT_ADD(partial, write) { .kind = CALL_WRITE };
FIXTURE_VARIANT_ADD(partial, writev) { .kind = CALL_WRITEV };
FIXTURE_VARIANT_ADD(partial, ioctl_write) { .kind = CALL_IOC_WRITE };
FIXTURE_VARIANT_ADD(partial, splice) { .kind = CALL_SPLICE_IN };

FIXTURE_SETUP(partial)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, CAPACITY_MIN);
}

FIXTURE_TEARDOWN(partial)
{
	ends_close(&self->e);
	close(self->dev);
}

static struct actor partial_start(struct ends e, enum call_kind kind, int flags)
{
	struct actor a = actor_start_asleep((struct call) {
		.kind = kind, .fd = e.w, .len = 20000, .sa_flags = flags,
	});

	if (!pipe_waiting(e.r, 0, 1) || pipe_used(e.r) != CAPACITY_MIN)
		abort();
	return a;
}

TEST_F(partial, signal_returns_count)
{
	struct actor a;
	uint64_t at = 0;
	int i;

	for (i = 0; i < 2; i++) {
		a = partial_start(self->e, variant->kind, i ? SA_RESTART : 0);
		ASSERT_EQ(100, stream_read(self->e.r, 0, 100));
		/* Whether the writer uses the 100 at once is its business. */
		ASSERT_TRUE(actor_asleep(&a));
		ASSERT_TRUE(actor_signal(&a));
		at = actor_result(&a);
		EXPECT_GE(at, 4096);
		EXPECT_LE(at, 4196);
		EXPECT_EQ((int)at - 100,
			  stream_read(self->e.r, 100, at - 100));
		EXPECT_EQ(-EAGAIN, stream_read(self->e.r, 0, 1));
		EXPECT_TRUE(pipe_waiting(self->e.r, 0, 0));
		actor_end(&a);
	}
}

TEST_F(partial, removed_returns_count)
{
	struct actor a = partial_start(self->e, variant->kind, 0);

	ASSERT_EQ(0, fd_remove(self->e.r));
	EXPECT_EQ(4096, actor_result(&a));
	EXPECT_EQ(0, actor_sigpipes(&a));
	actor_end(&a);
}

TEST_F(partial, last_reader_gone_returns_count)
{
	struct actor a = partial_start(self->e, variant->kind, 0);

	close(self->e.r);
	EXPECT_EQ(4096, actor_result(&a));
	actor_end(&a);
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
	EXPECT_EQ(4096, stream_read(self->e.r, 0, 4096));
}

TEST_F(partial, killed_leaves_what_it_wrote)
{
	struct actor a = partial_start(self->e, variant->kind, 0);

	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_TRUE(pipe_waiting(self->e.r, 0, 0));
	EXPECT_EQ(4096, stream_read(self->e.r, 0, 4096));
	EXPECT_EQ(-EAGAIN, stream_read(self->e.r, 0, 1));
	EXPECT_EQ(4096, stream_write(self->e.w, 0, 4096));
}

TEST_F(partial, goes_on_after_stop)
{
	struct actor a = partial_start(self->e, variant->kind, 0);
	uint64_t at = 0;
	int ret;

	kill(a.pid, SIGSTOP);
	ASSERT_TRUE(wait_until(pid_state(a.pid) == 'T'));
	kill(a.pid, SIGCONT);
	/* As with pipe(2), the stop may have ended the call with its count. */
	do {
		ret = stream_read(self->e.r, at, 4096);
		if (ret > 0)
			at += ret;
		else
			ASSERT_EQ(-EAGAIN, ret);
	} while (!actor_over(&a) || pipe_used(self->e.r));
	EXPECT_EQ((int64_t)at, actor_result(&a));
	EXPECT_LE(4096, at);
	actor_end(&a);
}

/* Of two sleepers one is ended while one arrival comes: it is for the other. */

FIXTURE(pair) {
	int dev;
	struct ends e;
	struct actor a;
	struct actor b;
};

FIXTURE_VARIANT(pair) {
	enum call_kind kind;
	bool takes;
};

FIXTURE_VARIANT_ADD(pair, read) { .kind = CALL_READ, .takes = true };
FIXTURE_VARIANT_ADD(pair, write) { .kind = CALL_WRITE };

FIXTURE_VARIANT_ADD(pair, splice_out) {
	.kind = CALL_SPLICE_OUT, .takes = true,
};

FIXTURE_VARIANT_ADD(pair, splice_in) { .kind = CALL_SPLICE_IN };

FIXTURE_SETUP(pair)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, CAPACITY_MIN);
	if (!variant->takes)
		ASSERT_EQ(4096, stream_write(self->e.w, 0, 4096));
}

FIXTURE_TEARDOWN(pair)
{
	ends_close(&self->e);
	close(self->dev);
}

static struct actor pair_start(struct ends e, enum call_kind kind, bool takes)
{
	return actor_start_asleep((struct call) {
		.kind = kind, .fd = takes ? e.r : e.w, .len = 1, .at = 4096,
	});
}

/* One byte comes, or goes. */
static int pair_feed(struct ends e, bool takes)
{
	unsigned char byte;

	return takes ? stream_write(e.w, 4096, 1) :
		       fd_read(e.r, &byte, 1, IPCX_NONBLOCK);
}

/* Bytes used when every byte that came, or went, was answered. */
static uint64_t pair_rest(bool takes)
{
	return takes ? 0 : 4096;
}

/* A byte and the signal, in either order: who gets the byte is open. */
static void pair_feed_and_kill(struct ends e, bool takes, pid_t pid, int signal,
			       bool feed_first)
{
	int fed = feed_first ? pair_feed(e, takes) : 0;

	kill(pid, signal);
	if (!feed_first)
		fed = pair_feed(e, takes);
	if (fed != 1)
		abort();
}

TEST_F(pair, interrupted_sleeper_passes_wake_on)
{
	int i;

	for (i = 0; i < 20; i++) {
		struct actor a = pair_start(self->e, variant->kind,
					    variant->takes);
		struct actor b = pair_start(self->e, variant->kind,
					    variant->takes);
		int64_t ret;

		pair_feed_and_kill(self->e, variant->takes, a.pid, SIGUSR1,
				   i & 1);
		ASSERT_TRUE(wait_until(pipe_used(self->e.r) ==
				       pair_rest(variant->takes)))
			TH_LOG("round %d: a byte, and nobody takes it", i);
		ret = actor_result(&a);
		ASSERT_TRUE(ret == 1 || ret == -EINTR);
		if (ret == 1) {
			ASSERT_TRUE(actor_asleep(&b));
			ASSERT_EQ(1, pair_feed(self->e, variant->takes));
		}
		ASSERT_EQ(1, actor_result(&b));
		actor_end(&a);
		actor_end(&b);
		ASSERT_TRUE(pipe_waiting(self->e.r, 0, 0));
	}
}

/* The killed one may have taken the byte with it: then the other sleeps on. */
TEST_F(pair, killed_sleeper_passes_wake_on)
{
	int i;

	for (i = 0; i < 20; i++) {
		struct actor a = pair_start(self->e, variant->kind,
					    variant->takes);
		struct actor b = pair_start(self->e, variant->kind,
					    variant->takes);

		pair_feed_and_kill(self->e, variant->takes, a.pid, SIGKILL,
				   i & 1);
		EXPECT_LE(0, reap(a.pid));
		actor_free(&a);
		ASSERT_TRUE(wait_until(pipe_used(self->e.r) ==
				       pair_rest(variant->takes)))
			TH_LOG("round %d: a byte, and nobody takes it", i);
		if (!actor_over(&b) && !actor_sleeps(&b))
			wait_until(actor_over(&b) || actor_sleeps(&b));
		if (!actor_over(&b)) {
			ASSERT_EQ(1, pair_feed(self->e, variant->takes));
			ASSERT_EQ(1, actor_result(&b));
		}
		actor_end(&b);
	}
}

TEST_F(pair, late_sleeper_passes_wake_on)
{
	bool takes = variant->takes;
	uint32_t seed = 5;
	int i;

	for (i = 0; i < 20; i++) {
		struct call c = {
			.kind = takes ? CALL_IOC_READ : CALL_IOC_WRITE,
			.fd = takes ? self->e.r : self->e.w, .len = 1,
			.at = 4096, .deadline = deadline_ms(20),
		};
		struct actor a = actor_start(c);
		struct actor b = pair_start(self->e, variant->kind,
					    variant->takes);
		uint64_t aim = c.deadline.ns - 500000 +
			       random_next(&seed) % 1000000;
		int64_t ret;

		while (now_ns(CLOCK_MONOTONIC) < aim)
			;
		ASSERT_EQ(1, pair_feed(self->e, variant->takes));
		ret = actor_result(&a);
		ASSERT_TRUE(ret == 1 || ret == -ETIMEDOUT);
		if (ret == 1)
			ASSERT_EQ(1, pair_feed(self->e, variant->takes));
		ASSERT_EQ(1, actor_result(&b));
		actor_end(&a);
		actor_end(&b);
		ASSERT_EQ(pair_rest(variant->takes), pipe_used(self->e.r));
	}
}

/* Two wait behind an owner, and the first of them goes. */
TEST_F(pair, sleeper_behind_owner_passes_turn_on)
{
	bool takes = variant->takes;
	struct call c = {
		.kind = takes ? CALL_READ : CALL_WRITE,
		.fd = takes ? self->e.r : self->e.w, .len = 3, .stuck = 1,
	};
	struct actor owner, a, b, d;

	if (!uffd_exists())
		SKIP(return, "no userfaultfd");
	if (takes) {
		ASSERT_EQ(6, stream_write(self->e.w, 0, 6));
	} else {
		ASSERT_EQ(4096, stream_read(self->e.r, 0, 4096));
	}
	owner = actor_start_stuck(c);
	c.kind = variant->kind;
	c.stuck = 0;
	c.at = 3;
	a = actor_start_asleep(c);
	b = actor_start_asleep(c);
	d = actor_start_asleep(c);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	ASSERT_TRUE(actor_signal(&b));
	EXPECT_EQ(-EINTR, actor_finish(&b));
	ASSERT_EQ(0, actor_unstick(&owner));
	EXPECT_EQ(3, actor_finish(&owner));
	EXPECT_EQ(3, actor_result(&d));
	if (takes) {
		EXPECT_TRUE(stream_is(d.s->data, 3, 3));
	} else {
		EXPECT_EQ(6, stream_read(self->e.r, 0, 6));
	}
	actor_end(&d);
	EXPECT_EQ(0, pipe_used(self->e.r));
	EXPECT_TRUE(pipe_waiting(self->e.r, 0, 0));
}

/* What has been delivered beats what came later. */

FIXTURE(delivered) {
	int dev;
	struct ends e;
};

FIXTURE_SETUP(delivered)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, CAPACITY_MIN);
}

FIXTURE_TEARDOWN(delivered)
{
	normal_again();
	track_cleanup();
	ends_close(&self->e);
	close(self->dev);
}

#define NEEDS_REALTIME(a) do {						\
	if (!alone_on_cpu((a)->pid)) {					\
		actor_kill(a);						\
		SKIP(return, "no real-time scheduling");		\
	}								\
} while (0)

TEST_F(delivered, bytes_beat_signal)
{
	struct actor a = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = self->e.r, .len = 8,
	});

	NEEDS_REALTIME(&a);
	EXPECT_EQ(8, stream_write(self->e.w, 0, 8));
	kill(a.pid, SIGUSR1);
	normal_again();
	EXPECT_EQ(8, actor_result(&a));
	EXPECT_TRUE(stream_is(a.s->data, 0, 8));
	EXPECT_TRUE(wait_until(actor_signals(&a) == 1));
	actor_end(&a);
}

TEST_F(delivered, space_beats_signal)
{
	struct actor a;

	ASSERT_EQ(4096, stream_write(self->e.w, 0, 4096));
	a = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = self->e.w, .len = 8,
	});
	NEEDS_REALTIME(&a);
	EXPECT_EQ(4096, stream_read(self->e.r, 0, 4096));
	kill(a.pid, SIGUSR1);
	normal_again();
	EXPECT_EQ(8, actor_finish(&a));
	EXPECT_EQ(8, stream_read(self->e.r, 0, 8));
}

TEST_F(delivered, bytes_beat_deadline)
{
	struct ipcx_deadline d = deadline_ms(200);
	struct actor a = actor_start((struct call) {
		.kind = CALL_IOC_READ, .fd = self->e.r, .len = 8,
		.deadline = d,
	});

	wait_until(actor_over(&a) || actor_sleeps(&a));
	NEEDS_REALTIME(&a);
	/* If this process was slow, the deadline came first. */
	if (stream_write(self->e.w, 0, 8) != 8 || actor_over(&a) ||
	    now_ns(CLOCK_MONOTONIC) + 1000000 > d.ns) {
		normal_again();
		actor_kill(&a);
		SKIP(return, "the machine is too slow");
	}
	while (now_ns(CLOCK_MONOTONIC) < d.ns + 50000000)
		;
	normal_again();
	EXPECT_EQ(8, actor_result(&a));
	actor_end(&a);
	EXPECT_EQ(0, pipe_used(self->e.r));
}

TEST_F(delivered, peer_beats_signal)
{
	char name[TEST_NAME_SIZE];
	struct actor a;
	int hold, w;

	hold = pipe_create(self->dev, test_name(name, "delivered"),
			   IPCX_LIFETIME_TRANSIENT, IPCX_ACCESS_NONE);
	ASSERT_GE(hold, 0);
	a = actor_start_asleep((struct call) {
		.kind = CALL_OPEN, .fd = hold, .access = IPCX_ACCESS_READ,
	});
	NEEDS_REALTIME(&a);
	w = fd_open(hold, IPCX_ACCESS_WRITE, IPCX_NONBLOCK);
	kill(a.pid, SIGUSR1);
	normal_again();
	EXPECT_GE(w, 0);
	EXPECT_LE(0, actor_result(&a));
	actor_end(&a);
	close(w);
	close(hold);
}

TEST_HARNESS_MAIN
