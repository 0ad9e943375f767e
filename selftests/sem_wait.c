// SPDX-License-Identifier: GPL-2.0
/*
 * Semaphores: sleeping operations. What ends each sleep and what is left behind, in which
 * order those who wait are served, and whom the others may overtake how often.
 */
#include "sem_actor_test.h"

#include <pthread.h>

#define OVERTAKES	64	/* how often others may pass one who waits */

#define DOWN(i, n)	{ .index = (i), .delta = -(n) }
#define UP(i, n)	{ .index = (i), .delta = (n) }
#define ZERO(i)		{ .index = (i) }

/* An actor's kind of call if it is SEM_OP: an ioctl, with what scene_make() makes. */
#define CALL_OP		CALL_STAT

/*
 * struct path - one way to a call that waits
 * @kind:    CALL_OP, or a read of 8 bytes
 * @by_name: on the device; likewise @by_id
 * @owned:   the test has the semaphore
 * @count:   how many operations, 0 is one
 * @ops:     the operations; of a read, what it comes to
 * @value:   what the semaphores are before
 */
struct path {
	enum call_kind kind;
	bool by_name;
	bool by_id;
	bool owned;
	uint32_t count;
	struct ipcx_sem_op ops[2];
	uint32_t value[2];
};

/*
 * struct scene - a persistent named set of two, on which a call must wait
 * @fd:     a file of it, for both ways
 * @id:     the set's
 * @flags:  of the command
 * @call:   the call
 * @stat:   the set's state before the call
 * @sems:   likewise its semaphores
 */
struct scene {
	int dev;
	int fd;
	uint32_t id;
	char name[TEST_NAME_SIZE];
	struct path path;
	uint32_t flags;
	struct call call;
	struct ipcx_stat stat;
	struct ipcx_sem sems[2];
};

/* What a call leaves in the actor's data. */
struct trace {
	uint64_t data;
	uint64_t over_ns;	/* on the deadline's clock */
};

static const struct trace *actor_trace(const struct actor *a)
{
	return (const struct trace *)a->s->data;
}

static int64_t scene_call(const struct call *c, const struct scene *s, uint64_t *data)
{
	struct ipcx_ref ref = s->path.by_name ? ref_name(s->name) :
			      s->path.by_id ? ref_id(s->id) : ref_self();

	switch (c->kind) {
	case CALL_READ:
		return plain_read(c->fd, data, sizeof(*data));
	case CALL_IOC_READ:
		return ref_io(c->fd, IPCX_IOC_READ, ref, data, sizeof(*data), s->flags,
			      c->deadline);
	default:
		return ref_sem_op(c->fd, ref, s->path.ops, s->path.count, s->flags, c->deadline);
	}
}

static int64_t scene_make(const struct call *c, void *buf)
{
	struct trace *trace = buf;
	int64_t ret = scene_call(c, c->arg, &trace->data);

	trace->over_ns = now_ns(c->deadline.clock);
	errno = ret < 0 ? -ret : 0;
	return ret < 0 ? -1 : ret;
}

static void scene_begin(struct scene *s)
{
	int ret = s->path.owned ? sem_one(s->fd, 0, -1, NOWAIT) :
				  ref_sem_set(s->fd, ref_self(), 0, 2, s->path.value);

	if (ret || ref_sem_get(s->fd, ref_self(), 0, 2, s->sems)) {
		fprintf(stderr, "# no beginning: %s\n", strerror(-ret));
		abort();
	}
	s->stat = pipe_stat(s->fd);
}

static void scene_set(struct scene *s, const struct path *path)
{
	struct ipcx_sem_params params = {
		.count = 2, .flags = path->owned ? IPCX_SEM_OWNED : 0,
	};

	*s = (struct scene) { .path = *path };
	if (!s->path.count)
		s->path.count = 1;
	/* A test that an assertion has ended had no teardown, and left its set. */
	track_cleanup();
	s->dev = dev_open();
	s->fd = sem_create(s->dev, test_name(s->name, "scene"), IPCX_LIFETIME_PERSISTENT, params);
	if (s->fd < 0) {
		fprintf(stderr, "# no semaphores: %s\n", strerror(-s->fd));
		abort();
	}
	s->id = fd_id(s->fd);
	s->call = (struct call) {
		.kind = path->kind, .fd = path->by_name || path->by_id ? s->dev : s->fd,
		.make = scene_make, .arg = s,
	};
	scene_begin(s);
}

static void scene_clear(struct scene *s)
{
	track_cleanup();
	close(s->fd);
	close(s->dev);
}

static struct actor scene_start(const struct scene *s)
{
	return actor_start(s->call);
}

static struct actor scene_asleep(const struct scene *s)
{
	return actor_start_asleep(s->call);
}

static bool scene_zero(const struct scene *s)
{
	return !s->path.ops[0].delta;
}

/* Brings just what the call waits for. */
static int scene_feed(struct scene *s)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < s->path.count && !ret; i++) {
		const struct ipcx_sem_op *op = &s->path.ops[i];
		int32_t value = s->path.value[op->index];

		ret = sem_try(s->fd, op->index, -op->delta - value, 0);
	}
	return ret;
}

static int64_t scene_success(const struct scene *s)
{
	return s->path.kind == CALL_OP ? 0 : 8;
}

/* Whether the actor, who lives, has what he waited for, and nobody else anything. */
static int64_t scene_taken(struct scene *s, const struct actor *a)
{
	struct ipcx_sem sem[2];
	int ret = ref_sem_get(s->fd, ref_self(), 0, 2, sem);

	if (ret)
		return ret;
	if (sem[0].value || (s->path.owned ? sem[1].value != 1 : sem[1].value))
		return -EBADMSG;
	if (sem[0].pid != a->pid || sem[0].holder != (s->path.owned ? a->pid : 0))
		return -ESRCH;
	if (s->path.kind != CALL_OP && actor_trace(a)->data != 1)
		return -EILSEQ;
	return pipe_waiting(s->fd, 0, 0) ? 0 : -EBUSY;
}

/* The call's result after it got what it waited for: scene_success() if that is right. */
static int64_t scene_over(struct scene *s, struct actor *a)
{
	bool back = s->path.owned || s->path.ops[0].flags & UNDO;
	int64_t ret = actor_result(a), wrong = 0;

	if (ret >= 0)
		wrong = scene_taken(s, a);
	actor_end(a);
	if (ret >= 0 && !wrong && sem_value(s->fd, 0) != back)
		wrong = -ENOTEMPTY;
	return wrong ?: ret;
}

static int64_t scene_finish(struct scene *s, struct actor *a)
{
	int ret = scene_feed(s);

	if (ret) {
		actor_kill(a);
		return ret;
	}
	return scene_over(s, a);
}

/* Whether the set is as it was before the call. */
static bool scene_unchanged(struct scene *s)
{
	struct ipcx_stat st = pipe_stat(s->fd);
	struct ipcx_sem sems[2];

	return !ref_sem_get(s->fd, ref_self(), 0, 2, sems) &&
	       !memcmp(sems, s->sems, sizeof(sems)) &&
	       st.charged_bytes == s->stat.charged_bytes && st.opens == s->stat.opens &&
	       st.waiting_readers == 0 && st.waiting_writers == 0 &&
	       st.read_ns == s->stat.read_ns && st.write_ns == s->stat.write_ns &&
	       st.last_reader_pid == s->stat.last_reader_pid &&
	       st.last_writer_pid == s->stat.last_writer_pid;
}

/* Whether so many wait. Of two semaphores a vector may wait for either. */
static bool scene_waits(struct scene *s, uint32_t n)
{
	bool zero = scene_zero(s);

	return pipe_waiting(s->fd, zero ? n : 0, zero ? 0 : n) &&
	       (s->path.count > 1 || sem_waiting(s->fd, 0, zero ? 0 : n, zero ? n : 0));
}

FIXTURE(wait) {
	struct scene s;
};

FIXTURE_VARIANT(wait) {
	struct path path;
};

#define WAIT_VARIANT(tag, ...) \
	FIXTURE_VARIANT_ADD(wait, tag) { .path = { __VA_ARGS__ } }

WAIT_VARIANT(read, .kind = CALL_READ, .ops = { DOWN(0, 1) });
WAIT_VARIANT(ioctl_read, .kind = CALL_IOC_READ, .ops = { DOWN(0, 1) });
WAIT_VARIANT(down, .kind = CALL_OP, .ops = { DOWN(0, 1) });
WAIT_VARIANT(down_3, .kind = CALL_OP, .ops = { DOWN(0, 3) }, .value = { 2 });
WAIT_VARIANT(down_undo, .kind = CALL_OP,
	     .ops = { { .index = 0, .delta = -1, .flags = IPCX_SEM_UNDO } });
WAIT_VARIANT(zero, .kind = CALL_OP, .ops = { ZERO(0) }, .value = { 3 });
WAIT_VARIANT(vector, .kind = CALL_OP, .ops = { DOWN(0, 1), DOWN(1, 2) }, .count = 2);
WAIT_VARIANT(owned, .kind = CALL_OP, .ops = { DOWN(0, 1) }, .owned = true);
WAIT_VARIANT(name_down, .kind = CALL_OP, .ops = { DOWN(0, 1) }, .by_name = true);
WAIT_VARIANT(name_zero, .kind = CALL_OP, .ops = { ZERO(0) }, .value = { 1 }, .by_name = true);
WAIT_VARIANT(name_owned, .kind = CALL_OP, .ops = { DOWN(0, 1) }, .owned = true, .by_name = true);
WAIT_VARIANT(id_down_3, .kind = CALL_OP, .ops = { DOWN(0, 3) }, .by_id = true);
WAIT_VARIANT(id_vector, .kind = CALL_OP, .ops = { DOWN(1, 2), DOWN(0, 1) }, .count = 2,
	     .value = { 0, 1 }, .by_id = true);

FIXTURE_SETUP(wait)
{
	scene_set(&self->s, &variant->path);
}

FIXTURE_TEARDOWN(wait)
{
	scene_clear(&self->s);
}

TEST_F(wait, gets_what_comes)
{
	struct scene *s = &self->s;
	struct actor a = scene_asleep(s);

	EXPECT_TRUE(scene_waits(s, 1));
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
	EXPECT_TRUE(scene_waits(s, 0));
}

TEST_F(wait, waiting_are_counted)
{
	struct scene *s = &self->s;
	struct actor a[3];
	int i;

	for (i = 0; i < 3; i++) {
		a[i] = scene_asleep(s);
		EXPECT_TRUE(scene_waits(s, i + 1));
	}
	for (i = 2; i >= 0; i--) {
		EXPECT_EQ(128 + SIGKILL, actor_kill(&a[i]));
		EXPECT_TRUE(scene_waits(s, i));
	}
}

TEST_F(wait, signal_is_eintr)
{
	struct scene *s = &self->s;
	struct actor a = scene_asleep(s);

	ASSERT_TRUE(actor_signal(&a));
	EXPECT_EQ(-EINTR, actor_result(&a));
	EXPECT_TRUE(scene_unchanged(s));
	actor_end(&a);
	/* The next one waits, and gets what there is. */
	a = scene_asleep(s);
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
}

TEST_F(wait, restarts_after_signal)
{
	struct scene *s = &self->s;
	struct actor a;
	int i;

	s->call.sa_flags = SA_RESTART;
	a = scene_asleep(s);
	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(actor_signal(&a));
		ASSERT_TRUE(actor_asleep(&a));
	}
	EXPECT_TRUE(scene_waits(s, 1));
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
}

TEST_F(wait, killed_leaves_nothing)
{
	struct scene *s = &self->s;
	struct actor a = scene_asleep(s);
	struct actor next = scene_asleep(s);

	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_TRUE(scene_waits(s, 1));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&next));
	EXPECT_TRUE(scene_unchanged(s));
	a = scene_asleep(s);
	next = scene_asleep(s);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(scene_success(s), scene_finish(s, &next));
}

TEST_F(wait, goes_on_after_stop)
{
	struct scene *s = &self->s;
	struct actor a = scene_asleep(s);

	kill(a.pid, SIGSTOP);
	ASSERT_TRUE(wait_until(pid_state(a.pid) == 'T'));
	kill(a.pid, SIGCONT);
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
}

/* Nobody else is there to take it: it is his when he goes on. */
TEST_F(wait, gets_what_comes_while_stopped)
{
	struct scene *s = &self->s;
	struct actor a = scene_asleep(s);

	kill(a.pid, SIGSTOP);
	ASSERT_TRUE(wait_until(pid_state(a.pid) == 'T'));
	ASSERT_EQ(0, scene_feed(s));
	kill(a.pid, SIGCONT);
	EXPECT_EQ(scene_success(s), scene_over(s, &a));
}

TEST_F(wait, removed_is_eidrm)
{
	struct scene *s = &self->s;
	struct actor a[3];
	int i;

	for (i = 0; i < 3; i++)
		a[i] = scene_asleep(s);
	EXPECT_EQ(0, call_safely((struct call) { .kind = CALL_REMOVE, .fd = s->fd }));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-EIDRM, actor_finish(&a[i]));
}

/* Who waits doesn't care who else has the set open. */
TEST_F(wait, others_who_close_change_nothing)
{
	struct scene *s = &self->s;
	int other = fd_open(s->fd, IPCX_ACCESS_RDWR, 0);
	struct actor a, user;
	uint64_t switches;

	ASSERT_GE(other, 0);
	user = actor_start_asleep((struct call) { .kind = CALL_POLL, .fd = other });
	a = scene_asleep(s);
	switches = task_switches(a.pid);
	close(other);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&user));
	close(s->fd);
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(switches, task_switches(a.pid));
	s->fd = name_open(s->dev, s->name, IPCX_ACCESS_RDWR, 0);
	ASSERT_GE(s->fd, 0);
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
}

/* Of the file that is called: of a path on the device, the device's. */
TEST_F(wait, nonblocking_file_is_eagain)
{
	struct scene *s = &self->s;
	int flags = fcntl(s->call.fd, F_GETFL);
	struct actor a;

	ASSERT_EQ(0, fcntl(s->call.fd, F_SETFL, flags | O_NONBLOCK));
	a = scene_start(s);
	EXPECT_EQ(-EAGAIN, actor_finish(&a));
	EXPECT_TRUE(scene_unchanged(s));
	ASSERT_EQ(0, scene_feed(s));
	a = scene_start(s);
	EXPECT_EQ(scene_success(s), scene_over(s, &a));
}

/* Ioctls: a flag against restarting, some against waiting, and deadlines. */

FIXTURE(timed) {
	struct scene s;
};

FIXTURE_VARIANT(timed) {
	struct path path;
};

#define TIMED_VARIANT(tag, ...) \
	FIXTURE_VARIANT_ADD(timed, tag) { .path = { __VA_ARGS__ } }

TIMED_VARIANT(read, .kind = CALL_IOC_READ, .ops = { DOWN(0, 1) });
TIMED_VARIANT(down, .kind = CALL_OP, .ops = { DOWN(0, 1) });
TIMED_VARIANT(down_3, .kind = CALL_OP, .ops = { DOWN(0, 3) }, .value = { 2 });
TIMED_VARIANT(down_undo, .kind = CALL_OP,
	      .ops = { { .index = 0, .delta = -1, .flags = IPCX_SEM_UNDO } });
TIMED_VARIANT(zero, .kind = CALL_OP, .ops = { ZERO(0) }, .value = { 3 });
TIMED_VARIANT(vector, .kind = CALL_OP, .ops = { DOWN(0, 1), DOWN(1, 2) }, .count = 2,
	      .value = { 0, 1 });
TIMED_VARIANT(owned, .kind = CALL_OP, .ops = { DOWN(0, 1) }, .owned = true);
TIMED_VARIANT(name_down_3, .kind = CALL_OP, .ops = { DOWN(0, 3) }, .by_name = true);
TIMED_VARIANT(name_vector, .kind = CALL_OP, .ops = { DOWN(1, 2), DOWN(0, 1) }, .count = 2,
	      .by_name = true);
TIMED_VARIANT(id_down, .kind = CALL_OP, .ops = { DOWN(0, 1) }, .by_id = true);
TIMED_VARIANT(id_zero, .kind = CALL_OP, .ops = { ZERO(0) }, .value = { 1 }, .by_id = true);
TIMED_VARIANT(id_owned, .kind = CALL_OP, .ops = { DOWN(0, 1) }, .owned = true, .by_id = true);

FIXTURE_SETUP(timed)
{
	scene_set(&self->s, &variant->path);
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
	s->flags = IPCX_NO_RESTART;
	a = scene_asleep(s);
	ASSERT_TRUE(actor_signal(&a));
	EXPECT_EQ(-EINTR, actor_finish(&a));
	EXPECT_TRUE(scene_unchanged(s));
}

TEST_F(timed, deadline_on_each_clock)
{
	const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME };
	struct scene *s = &self->s;
	struct actor a;
	int i;

	for (i = 0; i < 3; i++) {
		s->call.deadline = deadline_on(clocks[i], 100);
		a = scene_start(s);
		EXPECT_EQ(-ETIMEDOUT, actor_result(&a));
		EXPECT_LE(s->call.deadline.ns, actor_trace(&a)->over_ns);
		EXPECT_TRUE(scene_unchanged(s));
		actor_end(&a);
	}
	s->call.deadline = deadline_never();
	a = scene_asleep(s);
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
}

TEST_F(timed, past_deadline_tries_once)
{
	const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME };
	struct scene *s = &self->s;
	struct actor a;
	int i;

	for (i = 0; i < 3; i++) {
		s->call.deadline = (struct ipcx_deadline) { .ns = 1, .clock = clocks[i] };
		a = scene_start(s);
		EXPECT_EQ(-ETIMEDOUT, actor_finish(&a));
		EXPECT_TRUE(scene_unchanged(s));
	}
	ASSERT_EQ(0, scene_feed(s));
	a = scene_start(s);
	EXPECT_EQ(scene_success(s), scene_over(s, &a));
}

/* The deadline is absolute: restarting does not move it. */
TEST_F(timed, deadline_after_restarts)
{
	struct scene *s = &self->s;
	struct actor a;

	s->call.sa_flags = SA_RESTART;
	s->call.deadline = deadline_ms(500);
	a = scene_start(s);
	while (!actor_over(&a) && actor_signals(&a) < 1000) {
		kill(a.pid, SIGUSR1);
		usleep(20000);
	}
	EXPECT_EQ(-ETIMEDOUT, actor_result(&a));
	EXPECT_LE(s->call.deadline.ns, actor_trace(&a)->over_ns);
	EXPECT_TRUE(scene_unchanged(s));
	actor_end(&a);
}

TEST_F(timed, far_deadline_is_no_hurry)
{
	struct scene *s = &self->s;
	struct actor a;

	s->call.deadline = (struct ipcx_deadline) {
		.ns = INT64_MAX, .clock = CLOCK_MONOTONIC,
	};
	a = scene_asleep(s);
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
}

TEST_F(timed, nonblocking_is_eagain)
{
	struct scene *s = &self->s;
	struct actor a;

	s->flags = IPCX_NONBLOCK;
	a = scene_start(s);
	EXPECT_EQ(-EAGAIN, actor_finish(&a));
	s->call.deadline = deadline_past();
	a = scene_start(s);
	EXPECT_EQ(-EAGAIN, actor_finish(&a));
	EXPECT_TRUE(scene_unchanged(s));
	ASSERT_EQ(0, scene_feed(s));
	a = scene_start(s);
	EXPECT_EQ(scene_success(s), scene_over(s, &a));
}

/* A flag of the operation: what has no operations has the command's. */
TEST_F(timed, nowait_is_eagain)
{
	struct scene *s = &self->s;
	struct actor a;
	uint32_t i;

	for (i = 0; i < s->path.count; i++)
		s->path.ops[i].flags |= NOWAIT;
	if (s->path.kind != CALL_OP)
		s->flags = IPCX_NONBLOCK;
	a = scene_start(s);
	EXPECT_EQ(-EAGAIN, actor_finish(&a));
	EXPECT_TRUE(scene_unchanged(s));
	ASSERT_EQ(0, scene_feed(s));
	a = scene_start(s);
	EXPECT_EQ(scene_success(s), scene_over(s, &a));
}

/* Who is served. */

FIXTURE(line) {
	int dev;
	int fd;
};

/* Three semaphores, all 0. */
FIXTURE_SETUP(line)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->fd = sem_new_of(self->dev, 3, 0);
}

FIXTURE_TEARDOWN(line)
{
	track_cleanup();
	close(self->fd);
	close(self->dev);
}

static struct actor down(int fd, uint32_t index, int32_t n)
{
	return sem_sleeper(fd, index, -n, 0);
}

static struct actor until_zero(int fd, uint32_t index)
{
	return sem_sleeper(fd, index, 0, 0);
}

/* vector(fd, DOWN(0, 1)...): a vector that must wait. */
#define vector(file, ...) \
	sem_actor_asleep((struct sem_call) {				\
		.fd = (file), .ops = { __VA_ARGS__ },			\
		.count = sizeof((struct ipcx_sem_op[]) { __VA_ARGS__ }) / \
			 sizeof(struct ipcx_sem_op),			\
	})

static int up(int fd, uint32_t index, int32_t n)
{
	return sem_one(fd, index, n, NOWAIT);
}

static int take(int fd, uint32_t index, int32_t n)
{
	return sem_try(fd, index, -n, 0);
}

enum leaving { BY_SIGNAL, BY_KILL, BY_DEADLINE, LEAVINGS };

static bool leaves(struct actor *a, enum leaving how)
{
	switch (how) {
	case BY_SIGNAL:
		return actor_signal(a) && actor_finish(a) == -EINTR;
	case BY_KILL:
		return actor_kill(a) == 128 + SIGKILL;
	default:
		return actor_finish(a) == -ETIMEDOUT;
	}
}

TEST_F(line, served_in_the_order_of_coming)
{
	struct actor a[5];
	uint64_t switches[5];
	int i, k;

	for (i = 0; i < 5; i++) {
		a[i] = down(self->fd, 0, 1);
		switches[i] = task_switches(a[i].pid);
	}
	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(sem_waiting(self->fd, 0, 5 - i, 0));
		ASSERT_EQ(0, up(self->fd, 0, 1));
		EXPECT_EQ(0, sem_value(self->fd, 0));
		EXPECT_EQ(0, actor_finish(&a[i]));
		for (k = i + 1; k < 5; k++) {
			EXPECT_FALSE(actor_over(&a[k]));
			EXPECT_EQ(switches[k], task_switches(a[k].pid));
		}
	}
	EXPECT_TRUE(sem_waiting(self->fd, 0, 0, 0));
}

/* It is his in that moment, not when he runs: nobody takes it from him. */
TEST_F(line, served_at_once)
{
	struct actor a = down(self->fd, 0, 2);

	ASSERT_TRUE(alone_on_cpu(a.pid));
	EXPECT_EQ(0, up(self->fd, 0, 2));
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_EQ(a.pid, sem_get(self->fd, 0).pid);
	EXPECT_EQ(-EAGAIN, take(self->fd, 0, 1));
	EXPECT_EQ(0, pipe_stat(self->fd).waiting_writers);
	normal_again();
	EXPECT_EQ(0, actor_finish(&a));
}

TEST_F(line, up_serves_as_many_as_it_can)
{
	struct actor a = down(self->fd, 0, 1);
	struct actor b = down(self->fd, 0, 2);
	struct actor c = down(self->fd, 0, 3);
	struct actor d = down(self->fd, 0, 1);

	ASSERT_EQ(0, up(self->fd, 0, 3));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(0, actor_finish(&b));
	EXPECT_TRUE(sem_waiting(self->fd, 0, 2, 0));
	/* There is not enough for the third, but for the fourth. */
	ASSERT_EQ(0, up(self->fd, 0, 2));
	EXPECT_EQ(0, actor_finish(&d));
	EXPECT_TRUE(actor_asleep(&c));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	ASSERT_EQ(0, up(self->fd, 0, 2));
	EXPECT_EQ(0, actor_finish(&c));
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

/* Who can be served has it, however many small ones it would do for. */
TEST_F(line, big_one_first_if_it_can)
{
	struct actor big = down(self->fd, 0, 5);
	struct actor small = down(self->fd, 0, 1);

	ASSERT_EQ(0, up(self->fd, 0, 5));
	EXPECT_EQ(0, actor_finish(&big));
	EXPECT_TRUE(actor_asleep(&small));
	EXPECT_EQ(0, sem_value(self->fd, 0));
	ASSERT_EQ(0, up(self->fd, 0, 3));
	EXPECT_EQ(0, actor_finish(&small));
	EXPECT_EQ(2, sem_value(self->fd, 0));
}

TEST_F(line, next_one_gets_it_if_the_first_left)
{
	struct sem_call call = { .fd = self->fd, .ops = { DOWN(0, 1) } };
	struct actor a, b;
	int how;

	for (how = 0; how < LEAVINGS; how++) {
		call.deadline = how == BY_DEADLINE ? deadline_ms(500) : deadline_never();
		a = sem_actor_start(call);
		ASSERT_TRUE(wait_until(actor_sleeps(&a) || actor_over(&a)));
		b = down(self->fd, 0, 1);
		ASSERT_TRUE(leaves(&a, how));
		EXPECT_TRUE(sem_waiting(self->fd, 0, 1, 0));
		ASSERT_EQ(0, up(self->fd, 0, 1));
		EXPECT_EQ(0, actor_finish(&b));
		EXPECT_EQ(0, sem_value(self->fd, 0));
	}
}

/* Other semaphores' operations are nobody's business. */
TEST_F(line, each_semaphore_has_its_own)
{
	struct actor a[3];
	uint64_t switches[3];
	int i;

	for (i = 0; i < 3; i++) {
		a[i] = down(self->fd, i, 1);
		switches[i] = task_switches(a[i].pid);
	}
	for (i = 2; i >= 0; i--) {
		EXPECT_TRUE(sem_waiting(self->fd, i, 1, 0));
		EXPECT_EQ(switches[i], task_switches(a[i].pid));
		ASSERT_EQ(0, up(self->fd, i, 1));
		EXPECT_EQ(0, actor_finish(&a[i]));
		EXPECT_TRUE(sem_waiting(self->fd, i, 0, 0));
		EXPECT_EQ(i, (int)pipe_stat(self->fd).waiting_writers);
	}
}

TEST_F(line, all_ways_are_one_line)
{
	struct actor a[4];
	char name[TEST_NAME_SIZE];
	int i, fd;

	fd = sem_create(self->dev, test_name(name, "ways"), IPCX_LIFETIME_PERSISTENT,
			(struct ipcx_sem_params) { .count = 1 });
	ASSERT_GE(fd, 0);
	a[0] = actor_start_asleep((struct call) { .kind = CALL_READ, .fd = fd, .len = 8 });
	a[1] = sem_actor_asleep((struct sem_call) {
		.fd = self->dev, .name = name, .ops = { DOWN(0, 1) },
	});
	a[2] = actor_start_asleep((struct call) { .kind = CALL_IOC_READ, .fd = fd, .len = 8 });
	a[3] = sem_actor_asleep((struct sem_call) {
		.fd = self->dev, .id = fd_id(fd), .ops = { DOWN(0, 1) },
	});
	EXPECT_TRUE(sem_waiting(fd, 0, 4, 0));
	for (i = 0; i < 4; i++) {
		uint64_t one = 1;

		/* write(2) serves as SEM_OP does. */
		ASSERT_EQ(i % 2 ? 0 : 8, i % 2 ? up(fd, 0, 1) : plain_write(fd, &one, 8));
		EXPECT_EQ(i % 2 ? 0 : 8, actor_finish(&a[i]));
		EXPECT_TRUE(sem_waiting(fd, 0, 3 - i, 0));
	}
	close(fd);
}

/* Who sleeps in a read means the semaphore that he meant when he came. */
TEST_F(line, reader_keeps_the_semaphore_he_had)
{
	struct actor a;

	ASSERT_EQ(0, sem_file(self->fd, 1));
	a = actor_start_asleep((struct call) { .kind = CALL_READ, .fd = self->fd, .len = 8 });
	ASSERT_EQ(0, sem_file(self->fd, 2));
	EXPECT_TRUE(sem_waiting(self->fd, 1, 1, 0));
	ASSERT_EQ(0, up(self->fd, 2, 1));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(0, up(self->fd, 1, 1));
	EXPECT_EQ(8, actor_finish(&a));
	EXPECT_EQ(1, sem_value(self->fd, 2));
	EXPECT_EQ(0, sem_value(self->fd, 1));
}

/* Setting serves those who wait, too. */
TEST_F(line, setting_serves)
{
	struct actor a = down(self->fd, 0, 2);
	struct actor b = down(self->fd, 0, 2);
	struct actor zero;

	ASSERT_EQ(0, sem_set(self->fd, 0, 3));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	zero = until_zero(self->fd, 0);
	EXPECT_TRUE(sem_waiting(self->fd, 0, 1, 1));
	ASSERT_EQ(0, sem_set(self->fd, 0, 0));
	EXPECT_EQ(0, actor_finish(&zero));
	EXPECT_TRUE(actor_asleep(&b));
	ASSERT_EQ(0, sem_set(self->fd, 0, 2));
	EXPECT_EQ(0, actor_finish(&b));
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

/* Who waits for 0. */

TEST_F(line, zero_serves_all_who_wait_for_it)
{
	struct actor a[4];
	int i;

	ASSERT_EQ(0, up(self->fd, 0, 2));
	for (i = 0; i < 4; i++)
		a[i] = until_zero(self->fd, 0);
	EXPECT_TRUE(sem_waiting(self->fd, 0, 0, 4));
	EXPECT_TRUE(pipe_waiting(self->fd, 4, 0));
	ASSERT_EQ(0, take(self->fd, 0, 1));
	EXPECT_TRUE(sem_waiting(self->fd, 0, 0, 4));
	ASSERT_EQ(0, take(self->fd, 0, 1));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, actor_finish(&a[i]));
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 0));
}

/* An up makes it 0 if what it brings is what somebody takes, with all the rest. */
TEST_F(line, zero_comes_from_a_down_that_waited)
{
	struct actor zero, two;

	ASSERT_EQ(0, up(self->fd, 0, 1));
	zero = until_zero(self->fd, 0);
	two = down(self->fd, 0, 2);
	EXPECT_TRUE(sem_waiting(self->fd, 0, 1, 1));
	EXPECT_TRUE(pipe_waiting(self->fd, 1, 1));
	ASSERT_EQ(0, up(self->fd, 0, 2));
	EXPECT_EQ(0, actor_finish(&two));
	EXPECT_TRUE(actor_asleep(&zero));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	two = down(self->fd, 0, 2);
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&two));
	EXPECT_EQ(0, actor_finish(&zero));
}

/* Wait for 0 and add one at once: a lock, and those who want it have it one by one. */
TEST_F(line, zero_and_up_is_a_lock)
{
	struct actor a[3];
	int i, k;

	ASSERT_EQ(0, sem_vector(self->fd, IPCX_NONBLOCK, ZERO(0), UP(0, 1)));
	for (i = 0; i < 3; i++)
		a[i] = vector(self->fd, ZERO(0), UP(0, 1));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, take(self->fd, 0, 1));
		EXPECT_EQ(0, actor_finish(&a[i]));
		EXPECT_EQ(1, sem_value(self->fd, 0));
		EXPECT_TRUE(pipe_waiting(self->fd, 2 - i, 0));
		for (k = i + 1; k < 3; k++)
			EXPECT_TRUE(actor_asleep(&a[k]));
	}
}

/* Overtaking. */

/*
 * Adds one and takes it, past those who wait, up to @n times. How often; if less than @n, one
 * is left that could not be taken.
 */
static int overtake(int fd, uint32_t index, int n)
{
	int i, ret;

	for (i = 0; i < n; i++) {
		ret = up(fd, index, 1);
		if (!ret)
			ret = take(fd, index, 1);
		if (ret == -EAGAIN)
			break;
		if (ret)
			return ret;
	}
	return i;
}

/* As many as may; one is left then, and nobody may have it. */
static bool overtake_all(int fd, uint32_t index)
{
	int n = overtake(fd, index, 2 * OVERTAKES);

	if (n == OVERTAKES)
		return true;
	fprintf(stderr, "# overtaken %d times\n", n);
	return false;
}

TEST_F(line, big_one_is_overtaken_64_times)
{
	const struct ipcx_sem_op op = DOWN(0, 1);
	struct actor big;
	uint64_t one;

	/* Without anybody who waits, nobody is overtaken. */
	ASSERT_EQ(3 * OVERTAKES, overtake(self->fd, 0, 3 * OVERTAKES));
	big = down(self->fd, 0, 5);
	ASSERT_EQ(OVERTAKES, overtake(self->fd, 0, OVERTAKES));
	ASSERT_EQ(0, up(self->fd, 0, 4));
	EXPECT_EQ(4, sem_value(self->fd, 0));
	EXPECT_EQ(-EAGAIN, take(self->fd, 0, 1));
	EXPECT_EQ(-EAGAIN, take(self->fd, 0, 4));
	EXPECT_EQ(-EAGAIN, sem_vector(self->fd, IPCX_NONBLOCK, DOWN(0, 1)));
	EXPECT_EQ(-EAGAIN, fd_read(self->fd, &one, 8, IPCX_NONBLOCK));
	EXPECT_EQ(-ETIMEDOUT, ref_sem_op(self->fd, ref_self(), &op, 1, 0, deadline_past()));
	EXPECT_EQ(4, sem_value(self->fd, 0));
	EXPECT_EQ(POLLOUT, poll_now(self->fd, POLLIN | POLLOUT));
	EXPECT_TRUE(actor_asleep(&big));
	ASSERT_EQ(0, up(self->fd, 0, 3));
	EXPECT_EQ(0, actor_finish(&big));
	EXPECT_EQ(2, sem_value(self->fd, 0));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(0, take(self->fd, 0, 2));
	EXPECT_EQ(3 * OVERTAKES, overtake(self->fd, 0, 3 * OVERTAKES));
}

/* One who is just below the limit is passed once more, and then is at it. */
TEST_F(line, poll_follows_the_limit)
{
	struct actor big = down(self->fd, 0, 5);

	ASSERT_EQ(OVERTAKES - 1, overtake(self->fd, 0, OVERTAKES - 1));
	ASSERT_EQ(0, up(self->fd, 0, 2));
	EXPECT_EQ(POLLIN, poll_now(self->fd, POLLIN));
	EXPECT_EQ(0, take(self->fd, 0, 1));
	EXPECT_EQ(0, poll_now(self->fd, POLLIN));
	EXPECT_EQ(-EAGAIN, take(self->fd, 0, 1));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&big));
	EXPECT_EQ(POLLIN, poll_now(self->fd, POLLIN));
	EXPECT_EQ(0, take(self->fd, 0, 1));
}

/* Who comes after the limit sleeps, and is served after the big one. */
TEST_F(line, held_back_go_on_when_he_is_served)
{
	struct actor big = down(self->fd, 0, 5);
	struct actor small[3];
	int i;

	ASSERT_TRUE(overtake_all(self->fd, 0));
	for (i = 0; i < 3; i++)
		small[i] = down(self->fd, 0, 1);
	EXPECT_TRUE(sem_waiting(self->fd, 0, 4, 0));
	ASSERT_EQ(0, up(self->fd, 0, 3));
	EXPECT_EQ(4, sem_value(self->fd, 0));
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(actor_asleep(&small[i]));
	ASSERT_EQ(0, up(self->fd, 0, 2));
	EXPECT_EQ(0, actor_finish(&big));
	EXPECT_EQ(0, actor_finish(&small[0]));
	EXPECT_TRUE(actor_asleep(&small[1]));
	EXPECT_EQ(0, sem_value(self->fd, 0));
	ASSERT_EQ(0, up(self->fd, 0, 2));
	EXPECT_EQ(0, actor_finish(&small[1]));
	EXPECT_EQ(0, actor_finish(&small[2]));
}

TEST_F(line, held_back_go_on_when_he_leaves)
{
	struct sem_call call = { .fd = self->fd, .ops = { DOWN(0, 5) } };
	struct actor big, small[3], poller;
	int i, how;

	for (how = 0; how < LEAVINGS; how++) {
		/* Of the deadline nobody knows how long it takes until all sleep. */
		bool sure = how != BY_DEADLINE;

		call.deadline = sure ? deadline_never() : deadline_ms(2000);
		big = sem_actor_start(call);
		ASSERT_TRUE(wait_until(actor_sleeps(&big) || actor_over(&big)));
		ASSERT_EQ(OVERTAKES, overtake(self->fd, 0, OVERTAKES));
		ASSERT_EQ(0, up(self->fd, 0, 4));
		for (i = 0; i < 3; i++) {
			small[i] = sem_actor_start((struct sem_call) {
				.fd = self->fd, .ops = { DOWN(0, 1) },
			});
			ASSERT_TRUE(!sure || actor_asleep(&small[i]));
		}
		poller = actor_start((struct call) {
			.kind = CALL_POLL, .fd = self->fd, .events = POLLIN,
		});
		ASSERT_TRUE(!sure || actor_asleep(&poller));
		ASSERT_TRUE(leaves(&big, how));
		for (i = 0; i < 3; i++)
			EXPECT_EQ(0, actor_finish(&small[i]));
		EXPECT_EQ(POLLIN, actor_finish(&poller));
		EXPECT_EQ(1, sem_value(self->fd, 0));
		EXPECT_EQ(0, take(self->fd, 0, 1));
	}
}

/* What wakes who polls is also that the big one was served and something is left. */
TEST_F(line, poller_wakes_when_he_is_served)
{
	struct actor big = down(self->fd, 0, 5);
	struct actor poller;

	ASSERT_TRUE(overtake_all(self->fd, 0));
	poller = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->fd, .events = POLLIN,
	});
	ASSERT_EQ(0, up(self->fd, 0, 3));
	EXPECT_TRUE(actor_asleep(&poller));
	ASSERT_EQ(0, up(self->fd, 0, 2));
	EXPECT_EQ(0, actor_finish(&big));
	EXPECT_EQ(POLLIN, actor_finish(&poller));
	EXPECT_EQ(1, sem_value(self->fd, 0));
}

/* A sleeper who takes one and comes back, and how often he has. */
static int64_t takes_for_ever(const struct call *c, void *buf)
{
	const struct ipcx_sem_op op = DOWN(0, 1);
	int ret;

	for (;;) {
		ret = ref_sem_op(c->fd, ref_self(), &op, 1, 0, deadline_never());
		if (ret)
			break;
		__atomic_add_fetch((int *)buf, 1, __ATOMIC_SEQ_CST);
	}
	errno = -ret;
	return -1;
}

static int taken(const struct actor *a)
{
	return __atomic_load_n((const int *)a->s->data, __ATOMIC_SEQ_CST);
}

/* It is the same whether those who overtake have slept. */
TEST_F(line, sleepers_overtake_64_times)
{
	struct actor big = down(self->fd, 0, 5);
	struct actor small = actor_start_asleep((struct call) {
		.kind = CALL_OP, .fd = self->fd, .make = takes_for_ever,
	});
	uint64_t switches;
	int i;

	for (i = 0; i < OVERTAKES; i++) {
		ASSERT_TRUE(sem_waiting(self->fd, 0, 2, 0));
		ASSERT_EQ(0, up(self->fd, 0, 1));
		ASSERT_TRUE(wait_until(taken(&small) == i + 1));
	}
	ASSERT_TRUE(sem_waiting(self->fd, 0, 2, 0));
	ASSERT_TRUE(actor_asleep(&small));
	switches = task_switches(small.pid);
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	EXPECT_TRUE(actor_asleep(&small));
	EXPECT_EQ(switches, task_switches(small.pid));
	ASSERT_EQ(0, up(self->fd, 0, 4));
	EXPECT_EQ(0, actor_finish(&big));
	EXPECT_EQ(OVERTAKES, taken(&small));
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_TRUE(wait_until(taken(&small) == OVERTAKES + 1));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&small));
}

/* Who came before him never waits behind him. */
TEST_F(line, earlier_one_goes_first)
{
	struct actor first = down(self->fd, 0, 3);
	struct actor big = down(self->fd, 0, 5);

	ASSERT_TRUE(overtake_all(self->fd, 0));
	ASSERT_EQ(0, up(self->fd, 0, 2));
	EXPECT_EQ(0, actor_finish(&first));
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_TRUE(actor_asleep(&big));
	ASSERT_EQ(0, up(self->fd, 0, 5));
	EXPECT_EQ(0, actor_finish(&big));
}

/* Who passes two of them has passed each. */
TEST_F(line, second_is_overtaken_with_the_first)
{
	struct actor first = down(self->fd, 0, 5);
	struct actor second = down(self->fd, 0, 5);

	ASSERT_TRUE(overtake_all(self->fd, 0));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&first));
	EXPECT_EQ(-EAGAIN, take(self->fd, 0, 1));
	EXPECT_EQ(0, overtake(self->fd, 0, 4 * OVERTAKES));
	ASSERT_EQ(0, up(self->fd, 0, 5));
	EXPECT_EQ(0, actor_finish(&second));
}

/* A later one counts for himself: how often others passed before he came is not his. */
TEST_F(line, each_is_overtaken_64_times)
{
	struct actor first = down(self->fd, 0, 5);
	struct actor second;

	ASSERT_EQ(OVERTAKES / 2, overtake(self->fd, 0, OVERTAKES / 2));
	second = down(self->fd, 0, 5);
	ASSERT_EQ(OVERTAKES / 2, overtake(self->fd, 0, OVERTAKES));
	ASSERT_EQ(0, up(self->fd, 0, 4));
	EXPECT_EQ(0, actor_finish(&first));
	EXPECT_EQ(OVERTAKES / 2, overtake(self->fd, 0, 4 * OVERTAKES));
	ASSERT_EQ(0, up(self->fd, 0, 5));
	EXPECT_EQ(0, actor_finish(&second));
}

/* Adding takes nothing: it does not wait for anybody, and nobody is overtaken. */
TEST_F(line, ups_never_wait)
{
	struct actor big = down(self->fd, 0, 1000);
	uint64_t one = 1;
	int i;

	for (i = 0; i < 2 * OVERTAKES; i++)
		ASSERT_EQ(0, up(self->fd, 0, 1));
	ASSERT_EQ(0, sem_set(self->fd, 0, 0));
	ASSERT_TRUE(overtake_all(self->fd, 0));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, sem_vector(self->fd, IPCX_NONBLOCK, UP(0, 1), UP(1, 1)));
	EXPECT_EQ(0, take(self->fd, 1, 1));
	EXPECT_EQ(8, fd_write(self->fd, &one, 8, IPCX_NONBLOCK));
	EXPECT_EQ(103, sem_value(self->fd, 0));
	ASSERT_EQ(0, up(self->fd, 0, 897));
	EXPECT_EQ(0, actor_finish(&big));
}

/* Who waits for 0 takes nothing either. */
TEST_F(line, zero_is_not_held_back)
{
	struct actor big = down(self->fd, 0, 5);
	int i;

	for (i = 0; i < 2 * OVERTAKES; i++)
		ASSERT_EQ(0, sem_try(self->fd, 0, 0, 0));
	ASSERT_TRUE(overtake_all(self->fd, 0));
	EXPECT_EQ(-EAGAIN, sem_try(self->fd, 0, 0, 0));
	ASSERT_EQ(0, sem_set(self->fd, 0, 0));
	EXPECT_EQ(0, sem_try(self->fd, 0, 0, 0));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&big));
}

/* He needs others to take: they don't wait behind him, or all would wait for ever. */
TEST_F(line, who_waits_for_zero_holds_nobody_back)
{
	struct actor zero;

	ASSERT_EQ(0, up(self->fd, 0, 1));
	zero = until_zero(self->fd, 0);
	EXPECT_EQ(2 * OVERTAKES, overtake(self->fd, 0, 2 * OVERTAKES));
	EXPECT_TRUE(actor_asleep(&zero));
	ASSERT_EQ(0, take(self->fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&zero));
}

/* A vector holds back where it takes, but not where it waits for 0. */
TEST_F(line, vector_holds_back_where_it_takes)
{
	struct actor a;

	ASSERT_EQ(0, up(self->fd, 1, 1));
	a = vector(self->fd, DOWN(0, 1), ZERO(1));
	ASSERT_TRUE(overtake_all(self->fd, 0));
	EXPECT_EQ(2 * OVERTAKES, overtake(self->fd, 1, 2 * OVERTAKES));
	EXPECT_EQ(0, take(self->fd, 1, 1));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

/* Poll says so of the semaphore that is kept for a vector, and of no other. */
TEST_F(line, poll_knows_what_is_kept_for_a_vector)
{
	struct actor a = vector(self->fd, DOWN(0, 1), DOWN(1, 1));
	int other = fd_open(self->fd, IPCX_ACCESS_RDWR, 0);
	struct actor poller;

	ASSERT_EQ(0, sem_file(other, 2));
	ASSERT_TRUE(overtake_all(self->fd, 0));
	ASSERT_EQ(0, up(self->fd, 2, 1));
	EXPECT_EQ(0, poll_now(self->fd, POLLIN));
	EXPECT_EQ(POLLIN, poll_now(other, POLLIN));
	poller = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->fd, .events = POLLIN,
	});
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_TRUE(actor_asleep(&poller));
	ASSERT_EQ(0, up(self->fd, 1, 1));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(POLLIN, actor_finish(&poller));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	close(other);
}

TEST_F(line, other_semaphores_are_not_held_back)
{
	struct actor big = down(self->fd, 0, 5);

	ASSERT_TRUE(overtake_all(self->fd, 0));
	EXPECT_EQ(2 * OVERTAKES, overtake(self->fd, 1, 2 * OVERTAKES));
	EXPECT_EQ(0, up(self->fd, 1, 1));
	EXPECT_EQ(-EAGAIN, sem_vector(self->fd, IPCX_NONBLOCK, DOWN(1, 1), DOWN(0, 1)));
	EXPECT_EQ(1, sem_value(self->fd, 1));
	EXPECT_EQ(0, sem_vector(self->fd, IPCX_NONBLOCK, DOWN(1, 1), UP(0, 1)));
	EXPECT_EQ(2, sem_value(self->fd, 0));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&big));
}

/* Who waits behind somebody is overtaken 64 times himself, where that one isn't. */
TEST_F(line, who_is_held_back_holds_back)
{
	struct actor big = down(self->fd, 0, 5);
	struct actor both;

	ASSERT_TRUE(overtake_all(self->fd, 0));
	both = vector(self->fd, DOWN(0, 1), DOWN(1, 1));
	ASSERT_TRUE(overtake_all(self->fd, 1));
	/* There is one of each now. */
	EXPECT_TRUE(actor_asleep(&both));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&big));
	EXPECT_EQ(0, actor_finish(&both));
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_EQ(0, sem_value(self->fd, 1));
	EXPECT_EQ(2 * OVERTAKES, overtake(self->fd, 1, 2 * OVERTAKES));
}

/* Vectors. */

TEST_F(line, vector_takes_nothing_while_it_waits)
{
	struct actor a = vector(self->fd, DOWN(0, 1), DOWN(1, 1));
	uint64_t switches = task_switches(a.pid);
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, up(self->fd, i, 1));
		EXPECT_EQ(1, sem_value(self->fd, i));
		EXPECT_EQ(0, take(self->fd, i, 1));
	}
	ASSERT_EQ(0, up(self->fd, 1, 3));
	EXPECT_EQ(3, sem_value(self->fd, 1));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(switches, task_switches(a.pid));
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_EQ(2, sem_value(self->fd, 1));
}

/* As many as may be, of which the last one is missing. */
static struct ipcx_sem_op longest[IPCX_SEM_OPS_MAX];

static int64_t takes_longest(const struct call *c, void *buf)
{
	int ret = ref_sem_op(c->fd, ref_self(), longest, IPCX_SEM_OPS_MAX, 0, c->deadline);

	(void)buf;
	errno = -ret;
	return ret ? -1 : 0;
}

TEST_F(line, longest_vector)
{
	int i, left = 0, fd = sem_new_of(self->dev, IPCX_SEM_OPS_MAX, 1);
	struct actor a;

	for (i = 0; i < IPCX_SEM_OPS_MAX; i++)
		longest[i] = sem_step(i, -1, 0);
	ASSERT_EQ(0, take(fd, IPCX_SEM_OPS_MAX - 1, 1));
	for (i = 0; i < 2; i++) {
		a = actor_start_asleep((struct call) {
			.kind = CALL_OP, .fd = fd, .make = takes_longest,
		});
		if (!i)
			EXPECT_TRUE(leaves(&a, BY_KILL));
	}
	ASSERT_EQ(0, up(fd, IPCX_SEM_OPS_MAX - 1, 1));
	EXPECT_EQ(0, actor_finish(&a));
	for (i = 0; i < IPCX_SEM_OPS_MAX; i++)
		left += sem_value(fd, i);
	EXPECT_EQ(0, left);
	close(fd);
}

/* When several rise at once, in either order, it is the older of two who could. */
TEST_F(line, older_one_first_whatever_rises)
{
	int order;

	for (order = 0; order < 2; order++) {
		struct actor old = vector(self->fd, DOWN(1, 1));
		struct actor young = vector(self->fd, DOWN(0, 1), DOWN(1, 1));

		ASSERT_EQ(0, sem_vector(self->fd, 0, sem_step(order, 1, 0),
					sem_step(!order, 1, 0)));
		EXPECT_EQ(0, actor_finish(&old));
		EXPECT_TRUE(actor_asleep(&young));
		ASSERT_EQ(0, up(self->fd, 1, 1));
		EXPECT_EQ(0, actor_finish(&young));
	}
}

/* All of a vector happens at once, and serves those who wait for it. */
TEST_F(line, vector_that_waited_serves_others)
{
	struct actor zero, a, b, c;

	ASSERT_EQ(0, up(self->fd, 1, 1));
	zero = until_zero(self->fd, 1);
	a = vector(self->fd, DOWN(0, 1), DOWN(1, 1), UP(2, 2));
	b = down(self->fd, 2, 1);
	c = down(self->fd, 2, 1);
	EXPECT_TRUE(pipe_waiting(self->fd, 1, 3));
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(0, actor_finish(&b));
	EXPECT_EQ(0, actor_finish(&c));
	EXPECT_EQ(0, actor_finish(&zero));
	EXPECT_EQ(0, sem_value(self->fd, 2));
}

/* An earlier one, of another semaphore, that only the service of a later one makes possible. */
TEST_F(line, service_goes_back_to_earlier_ones)
{
	struct actor first = down(self->fd, 2, 1);
	struct actor a = vector(self->fd, DOWN(1, 1), UP(2, 1));
	struct actor b = vector(self->fd, DOWN(0, 1), UP(1, 1));

	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&b));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(0, actor_finish(&first));
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 0));
}

/* A task is counted where it waits for a semaphore to rise, and not where that has. */
TEST_F(line, vector_is_counted_where_it_waits)
{
	struct actor a = vector(self->fd, DOWN(0, 1), DOWN(1, 1));

	EXPECT_TRUE(pipe_waiting(self->fd, 0, 1));
	EXPECT_EQ(0, sem_get(self->fd, 2).waiting_down);
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, sem_get(self->fd, 0).waiting_down);
	EXPECT_EQ(1, sem_get(self->fd, 1).waiting_down);
	ASSERT_EQ(0, take(self->fd, 0, 1));
	ASSERT_EQ(0, up(self->fd, 1, 1));
	EXPECT_EQ(1, sem_get(self->fd, 0).waiting_down);
	EXPECT_EQ(0, sem_get(self->fd, 1).waiting_down);
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 1));
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_TRUE(sem_waiting(self->fd, 0, 0, 0));
	EXPECT_TRUE(sem_waiting(self->fd, 1, 0, 0));
}

/*
 * Takes from two semaphores in turn, so that never both are there: a vector of both would
 * starve. How often, up to @n; if less, one is left on semaphore that % 2.
 */
static int starve(int fd, int n)
{
	int i, ret;

	for (i = 0; i < n; i++) {
		ret = overtake(fd, i % 2, 1);
		if (ret < 0)
			return ret;
		if (!ret)
			break;
	}
	return i;
}

#define STARVED		(4 * OVERTAKES)

/* The one that is left stays, and when the other comes both are there. */
TEST_F(line, vector_does_not_starve)
{
	struct actor a = vector(self->fd, DOWN(0, 1), DOWN(1, 1));
	int n = starve(self->fd, STARVED);

	ASSERT_LE(OVERTAKES, n);
	ASSERT_LT(n, STARVED);
	EXPECT_EQ(1, sem_value(self->fd, n % 2));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(0, up(self->fd, 1 - n % 2, 1));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_EQ(0, sem_value(self->fd, 1));
	EXPECT_EQ(STARVED, starve(self->fd, STARVED));
}

/* 64 times, wherever that is. */
TEST_F(line, vector_is_overtaken_64_times_in_all)
{
	struct actor a = vector(self->fd, DOWN(0, 1), DOWN(1, 1));

	EXPECT_EQ(OVERTAKES, starve(self->fd, STARVED));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
}

/* The singles may all come for the one, when there is never any of the other. */
TEST_F(line, vector_is_overtaken_where_it_has_all_it_needs)
{
	struct actor a = vector(self->fd, DOWN(0, 1), DOWN(1, 1));
	struct actor single;

	ASSERT_TRUE(overtake_all(self->fd, 1));
	single = down(self->fd, 0, 1);
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_TRUE(actor_asleep(&single));
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&single));
}

TEST_F(line, crossing_vectors_are_both_served)
{
	struct actor a = vector(self->fd, DOWN(0, 1), DOWN(1, 1));
	struct actor b = vector(self->fd, DOWN(1, 1), DOWN(0, 1));
	int n = starve(self->fd, STARVED);

	ASSERT_LT(n, STARVED);
	ASSERT_EQ(0, up(self->fd, 1 - n % 2, 1));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_TRUE(actor_asleep(&b));
	n = starve(self->fd, STARVED);
	ASSERT_LT(n, STARVED);
	ASSERT_EQ(0, up(self->fd, 1 - n % 2, 1));
	EXPECT_EQ(0, actor_finish(&b));
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_EQ(0, sem_value(self->fd, 1));
	EXPECT_EQ(STARVED, starve(self->fd, STARVED));
}

/* Takes what @arg says and gives it back, @at times; how often is in the data. */
static int64_t borrows(const struct call *c, void *buf)
{
	const struct ipcx_sem_op *op = c->arg;
	struct ipcx_sem_op back[2] = { op[0], op[1] };
	uint32_t count = op[1].delta ? 2 : 1;
	uint64_t i;
	int ret = 0;

	back[0].delta = -op[0].delta;
	back[1].delta = -op[1].delta;
	for (i = 0; i < c->at && !ret; i++) {
		ret = ref_sem_op(c->fd, ref_self(), op, count, 0, deadline_patience());
		if (!ret)
			ret = sem_ops(c->fd, back, count, IPCX_NONBLOCK);
		__atomic_add_fetch((int *)buf, !ret, __ATOMIC_SEQ_CST);
	}
	errno = -ret;
	return ret ? -1 : 0;
}

static struct actor borrower(int fd, const struct ipcx_sem_op *ops, int times)
{
	return actor_start((struct call) {
		.kind = CALL_OP, .fd = fd, .at = times, .make = borrows, .arg = ops,
	});
}

/* With processes that really run: vectors finish while the singles never end. */
TEST_F_TIMEOUT(line, crowd_serves_everybody, 120)
{
	static const struct ipcx_sem_op ops[][2] = {
		{ DOWN(0, 1), DOWN(1, 1) }, { DOWN(1, 1), DOWN(0, 1) },
		{ DOWN(0, 1) }, { DOWN(1, 1) }, { DOWN(0, 1) }, { DOWN(1, 1) },
	};
	const int times = scaled(100);
	struct actor a[6];
	int i;

	for (i = 5; i >= 0; i--)
		a[i] = borrower(self->fd, ops[i], i < 2 ? times : INT32_MAX);
	ASSERT_EQ(0, sem_vector(self->fd, 0, UP(0, 1), UP(1, 1)));
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(wait_until(actor_over(&a[i])));
		EXPECT_EQ(times, taken(&a[i]));
		EXPECT_EQ(0, actor_finish(&a[i]));
	}
	for (i = 2; i < 6; i++) {
		EXPECT_TRUE(wait_until(taken(&a[i]) > 0));
		EXPECT_FALSE(actor_over(&a[i]));
		EXPECT_EQ(128 + SIGKILL, actor_kill(&a[i]));
	}
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 0));
}

/* Several operations on one semaphore. */

TEST_F(line, downs_add_up)
{
	struct actor a = vector(self->fd, DOWN(0, 2), DOWN(0, 3));

	EXPECT_TRUE(sem_waiting(self->fd, 0, 1, 0));
	ASSERT_EQ(0, up(self->fd, 0, 4));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(4, sem_value(self->fd, 0));
	EXPECT_TRUE(sem_waiting(self->fd, 0, 1, 0));
	ASSERT_EQ(0, up(self->fd, 0, 2));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(1, sem_value(self->fd, 0));
}

/* As if in their order: one that comes first may be what the next one takes. */
TEST_F(line, up_counts_for_the_down_after_it)
{
	struct actor a = vector(self->fd, UP(0, 1), DOWN(0, 3));

	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

TEST_F(line, up_counts_not_for_the_down_before_it)
{
	struct actor a = vector(self->fd, DOWN(0, 2), UP(0, 2));

	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(2, sem_value(self->fd, 0));
}

/* Takes two, if it leaves none. */
TEST_F(line, down_to_zero)
{
	struct actor a;

	ASSERT_EQ(0, up(self->fd, 0, 3));
	a = vector(self->fd, DOWN(0, 2), ZERO(0));
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(0, take(self->fd, 0, 3));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

/* Flags and results of who has waited. */

/*
 * Takes one from the first and does @now with the second, which may not wait; doesn't hang if
 * nobody tells it.
 */
static struct actor down_and_now(int fd, struct ipcx_sem_op now)
{
	return sem_actor_asleep((struct sem_call) {
		.fd = fd, .ops = { DOWN(0, 1), now }, .count = 2,
		.deadline = deadline_ms(PATIENCE_MS / 4),
	});
}

/* The operation that may not wait is not what keeps it, until it is. */
TEST_F(line, nowait_of_one_who_waited)
{
	const struct ipcx_sem_op now = { .index = 1, .delta = -1, .flags = NOWAIT };
	struct actor a, next;

	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(-EAGAIN, sem_vector(self->fd, 0, DOWN(0, 1), now));
	ASSERT_EQ(0, take(self->fd, 0, 1));
	ASSERT_EQ(0, up(self->fd, 1, 1));
	a = down_and_now(self->fd, now);
	next = down(self->fd, 0, 1);
	ASSERT_EQ(0, take(self->fd, 1, 1));
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&next));
	EXPECT_EQ(-EAGAIN, actor_finish(&a));
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

/* Likewise, and nobody else is there whom serving could disturb. */
TEST_F(line, nowait_for_zero_of_one_who_waited)
{
	const struct ipcx_sem_op now = { .index = 1, .flags = NOWAIT };
	struct actor a = down_and_now(self->fd, now);

	ASSERT_EQ(0, up(self->fd, 1, 1));
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(-EAGAIN, actor_finish(&a));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	/* If nothing keeps it when it is his turn, he has it. */
	ASSERT_EQ(0, take(self->fd, 0, 1));
	ASSERT_EQ(0, take(self->fd, 1, 1));
	a = down_and_now(self->fd, now);
	ASSERT_EQ(0, up(self->fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&a));
}

TEST_F(line, overflow_of_one_who_waited)
{
	int fd = sem_new(self->dev, (struct ipcx_sem_params) { .count = 2, .max = 10 });
	struct actor a, next;

	ASSERT_EQ(0, up(fd, 1, 5));
	a = vector(fd, DOWN(0, 1), UP(1, 5));
	next = down(fd, 0, 1);
	ASSERT_EQ(0, up(fd, 1, 1));
	EXPECT_EQ(6, sem_value(fd, 1));
	ASSERT_EQ(0, up(fd, 0, 1));
	EXPECT_EQ(-EOVERFLOW, actor_finish(&a));
	/* Nothing was done, and the next one has what he would have taken. */
	EXPECT_EQ(0, actor_finish(&next));
	EXPECT_EQ(0, sem_value(fd, 0));
	EXPECT_EQ(6, sem_value(fd, 1));
	EXPECT_TRUE(pipe_waiting(fd, 0, 0));
	/* It is the value in his turn that counts. */
	a = vector(fd, DOWN(0, 1), UP(1, 4));
	ASSERT_EQ(0, up(fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(10, sem_value(fd, 1));
	close(fd);
}

/* Nor is it done if the up comes first: before, it was possible, and is no more. */
TEST_F(line, overflow_before_what_he_waits_for)
{
	int fd = sem_new(self->dev, (struct ipcx_sem_params) { .count = 2, .max = 10 });
	struct actor a;

	ASSERT_EQ(0, up(fd, 1, 5));
	a = vector(fd, UP(1, 5), DOWN(0, 1));
	ASSERT_EQ(0, up(fd, 1, 1));
	ASSERT_EQ(0, up(fd, 0, 1));
	EXPECT_EQ(-EOVERFLOW, actor_finish(&a));
	EXPECT_EQ(1, sem_value(fd, 0));
	EXPECT_EQ(6, sem_value(fd, 1));
	close(fd);
}

/* An up that is too much is none, even if one who waits would take it. */
TEST_F(line, up_beyond_the_maximum_serves_nobody)
{
	int fd = sem_new(self->dev, (struct ipcx_sem_params) { .max = 5, .value = 4 });
	struct actor a = down(fd, 0, 5);

	EXPECT_EQ(-EOVERFLOW, up(fd, 0, 2));
	EXPECT_EQ(4, sem_value(fd, 0));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(0, up(fd, 0, 1));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(0, sem_value(fd, 0));
	close(fd);
}

/*
 * Who was served has it, though he hasn't run since, and a signal or a deadline has come
 * meanwhile.
 */

TEST_F(line, served_beats_a_signal)
{
	struct actor a = down(self->fd, 0, 1);

	ASSERT_TRUE(alone_on_cpu(a.pid));
	EXPECT_EQ(0, up(self->fd, 0, 1));
	kill(a.pid, SIGUSR1);
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_EQ(0, pipe_stat(self->fd).waiting_writers);
	normal_again();
	EXPECT_EQ(0, actor_result(&a));
	EXPECT_TRUE(wait_until(actor_signals(&a) == 1));
	actor_end(&a);
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

/* Adds one shortly before the sleeper's deadline, and lets him run after it. */
static bool served_late(struct actor *a, int fd, struct ipcx_deadline d)
{
	bool served;

	if (!wait_until(actor_sleeps(a) || actor_over(a)))
		abort();
	while (now_ns(CLOCK_MONOTONIC) + 50000000 < d.ns)
		usleep(1000);
	if (!alone_on_cpu(a->pid) || up(fd, 0, 1))
		abort();
	served = !sem_value(fd, 0);
	while (served && now_ns(CLOCK_MONOTONIC) < d.ns + 5000000)
		;
	normal_again();
	return served;
}

TEST_F(line, served_beats_a_deadline)
{
	struct sem_call call = { .fd = self->fd, .ops = { DOWN(0, 1) } };
	struct actor a;
	bool served;
	long ms;

	/* As long as it takes to be asleep before, on this machine. */
	for (served = false, ms = 100; !served; ms *= 2) {
		ASSERT_LT(ms, PATIENCE_MS);
		call.deadline = deadline_ms(ms);
		a = sem_actor_start(call);
		served = served_late(&a, self->fd, call.deadline);
		EXPECT_EQ(served ? 0 : -ETIMEDOUT, actor_finish(&a));
		EXPECT_EQ(served ? -EAGAIN : 0, take(self->fd, 0, 1));
	}
}

/* A stop is a signal: who is stopped may have left, but then he has taken nothing. */
TEST_F(line, stop_up_and_signal_lose_nothing)
{
	struct actor a = down(self->fd, 0, 1);
	int64_t ret;

	kill(a.pid, SIGSTOP);
	ASSERT_TRUE(wait_until(pid_state(a.pid) == 'T'));
	ASSERT_EQ(0, up(self->fd, 0, 1));
	kill(a.pid, SIGUSR1);
	kill(a.pid, SIGCONT);
	ret = actor_finish(&a);
	EXPECT_TRUE(ret == 0 || ret == -EINTR);
	EXPECT_EQ(ret == 0 ? -EAGAIN : 0, take(self->fd, 0, 1));
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 0));
}

TEST_F(line, deadline_comes_while_stopped)
{
	struct sem_call call = {
		.fd = self->fd, .ops = { DOWN(0, 1) }, .deadline = deadline_ms(500),
	};
	struct actor a = sem_actor_start(call);

	ASSERT_TRUE(wait_until(actor_sleeps(&a) || actor_over(&a)));
	kill(a.pid, SIGSTOP);
	ASSERT_TRUE(wait_until(pid_state(a.pid) == 'T'));
	ASSERT_TRUE(wait_until(now_ns(CLOCK_MONOTONIC) > call.deadline.ns));
	kill(a.pid, SIGCONT);
	EXPECT_EQ(-ETIMEDOUT, actor_finish(&a));
	EXPECT_TRUE(sem_waiting(self->fd, 0, 0, 0));
}

/* Who is stopped is in nobody's way. */
TEST_F(line, stopped_one_lets_others_have_it)
{
	struct actor a = down(self->fd, 0, 1);
	struct actor b = down(self->fd, 0, 1);

	kill(a.pid, SIGSTOP);
	ASSERT_TRUE(wait_until(pid_state(a.pid) == 'T'));
	ASSERT_EQ(0, up(self->fd, 0, 2));
	EXPECT_EQ(0, actor_finish(&b));
	kill(a.pid, SIGCONT);
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

/* Who dies. */

/* What it had taken is given back, and serves the next one. */
TEST_F(line, undo_of_the_dead_serves_the_next)
{
	struct actor a[3];
	int i;

	for (i = 0; i < 3; i++)
		a[i] = sem_sleeper(self->fd, 0, -1, UNDO);
	ASSERT_EQ(0, up(self->fd, 0, 1));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, actor_result(&a[i]));
		EXPECT_EQ(0, sem_value(self->fd, 0));
		EXPECT_TRUE(sem_waiting(self->fd, 0, 2 - i, 0));
		actor_end(&a[i]);
	}
	EXPECT_EQ(1, sem_value(self->fd, 0));
}

/* What it had added is taken back, and may serve who waits for 0. */
TEST_F(line, undo_of_an_up_serves_zero)
{
	struct actor a = sem_actor_start((struct sem_call) {
		.fd = self->fd, .ops = { { .index = 0, .delta = 2, .flags = UNDO } },
	});
	struct actor zero;

	ASSERT_EQ(0, actor_result(&a));
	zero = until_zero(self->fd, 0);
	EXPECT_EQ(2, sem_value(self->fd, 0));
	actor_end(&a);
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_EQ(0, actor_finish(&zero));
}

/* Served and killed before it ran: with undo that is no loss. */
TEST_F(line, served_with_undo_and_killed_gives_back)
{
	struct actor a = sem_sleeper(self->fd, 0, -1, UNDO);
	struct actor next = down(self->fd, 0, 1);

	ASSERT_TRUE(alone_on_cpu(a.pid));
	EXPECT_EQ(0, up(self->fd, 0, 1));
	kill(a.pid, SIGKILL);
	EXPECT_EQ(0, sem_value(self->fd, 0));
	normal_again();
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(0, actor_finish(&next));
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

/* Owned semaphores. */

/* Takes the semaphore and gives it back; what taking it has said. */
static int64_t takes_and_gives(const struct call *c, void *buf)
{
	const struct ipcx_sem_op op = DOWN(0, 1), back = UP(0, 1);
	int ret, end;

	(void)buf;
	ret = ref_sem_op(c->fd, ref_self(), &op, 1, 0, deadline_never());
	end = ref_sem_op(c->fd, ref_self(), &back, 1, 0, deadline_never());
	errno = -(end ?: ret);
	return errno ? -1 : 0;
}

TEST_F(line, owned_is_handed_on)
{
	int fd = sem_new_owned(self->dev, 1);
	struct actor a[3];
	int i;

	ASSERT_EQ(0, take(fd, 0, 1));
	for (i = 0; i < 3; i++) {
		a[i] = actor_start_asleep((struct call) {
			.kind = CALL_OP, .fd = fd, .make = takes_and_gives,
		});
	}
	EXPECT_TRUE(sem_waiting(fd, 0, 3, 0));
	ASSERT_EQ(0, up(fd, 0, 1));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, actor_finish(&a[i]));
	EXPECT_EQ(1, sem_value(fd, 0));
	EXPECT_EQ(0, sem_get(fd, 0).holder);
	EXPECT_EQ(0, sem_get(fd, 0).flags);
	close(fd);
}

/* The first who waits has it, and is told that the one before has died. */
TEST_F(line, owned_by_the_dead_is_the_nexts)
{
	int fd = sem_new_owned(self->dev, 1);
	struct actor a[3];
	int i;

	ASSERT_EQ(0, take(fd, 0, 1));
	for (i = 0; i < 3; i++)
		a[i] = down(fd, 0, 1);
	ASSERT_EQ(0, up(fd, 0, 1));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i ? -EOWNERDEAD : 0, actor_result(&a[i]));
		EXPECT_EQ(0, sem_value(fd, 0));
		EXPECT_EQ(a[i].pid, sem_get(fd, 0).holder);
		EXPECT_EQ(0, sem_get(fd, 0).flags);
		EXPECT_TRUE(sem_waiting(fd, 0, 2 - i, 0));
		actor_end(&a[i]);
	}
	EXPECT_EQ(1, sem_value(fd, 0));
	EXPECT_EQ(IPCX_SEM_ABANDONED, sem_get(fd, 0).flags);
	close(fd);
}

/* The philosophers: each wants two of three, and they all want them at the same time. */
TEST_F_TIMEOUT(line, owned_vectors_are_all_served, 120)
{
	static const struct ipcx_sem_op ops[][2] = {
		{ DOWN(0, 1), DOWN(1, 1) }, { DOWN(1, 1), DOWN(2, 1) }, { DOWN(2, 1), DOWN(0, 1) },
	};
	int i, fd = sem_new_owned(self->dev, 3);
	const int times = scaled(200);
	struct actor a[3];

	ASSERT_EQ(0, sem_vector(fd, 0, DOWN(0, 1), DOWN(1, 1), DOWN(2, 1)));
	for (i = 0; i < 3; i++) {
		a[i] = borrower(fd, ops[i], times);
		ASSERT_TRUE(actor_asleep(&a[i]));
	}
	ASSERT_EQ(0, sem_vector(fd, 0, UP(0, 1), UP(1, 1), UP(2, 1)));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, actor_result(&a[i]));
		EXPECT_EQ(times, taken(&a[i]));
		actor_end(&a[i]);
	}
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, sem_value(fd, i));
		EXPECT_EQ(0, sem_get(fd, i).flags);
	}
	close(fd);
}

/* Given to one who is killed before he runs: he has had it. */
TEST_F(line, owned_by_one_killed_before_he_ran)
{
	int fd = sem_new_owned(self->dev, 1);
	struct actor a, next;

	ASSERT_EQ(0, take(fd, 0, 1));
	a = down(fd, 0, 1);
	next = down(fd, 0, 1);
	ASSERT_TRUE(alone_on_cpu(a.pid));
	EXPECT_EQ(0, up(fd, 0, 1));
	EXPECT_EQ(a.pid, sem_get(fd, 0).holder);
	EXPECT_EQ(-EAGAIN, take(fd, 0, 1));
	kill(a.pid, SIGKILL);
	normal_again();
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(-EOWNERDEAD, actor_result(&next));
	EXPECT_EQ(next.pid, sem_get(fd, 0).holder);
	actor_end(&next);
	close(fd);
}

/*
 * Any order of coming, beside a model: those who came first have what they can have, and
 * nobody else wakes. Nobody waits long enough to be overtaken 64 times.
 */

#define LINE_MAX	6
#define EVENTS		40

static const struct ipcx_sem_op wants[][2] = {
	{ DOWN(0, 1) },
	{ DOWN(0, 2) },
	{ DOWN(1, 1) },
	{ DOWN(1, 3) },
	{ DOWN(0, 1), DOWN(1, 1) },
	{ DOWN(1, 2), DOWN(0, 1) },
	{ ZERO(0) },
};

#define WANTS		(sizeof(wants) / sizeof(*wants))

struct waiter {
	const struct ipcx_sem_op *ops;
	struct actor actor;
	uint64_t switches;
};

struct model {
	int fd;
	int32_t value[2];
	int count;
	struct waiter line[LINE_MAX];
};

/* The second operation is one if it is a down. */
static uint32_t ops_count(const struct ipcx_sem_op *ops)
{
	return ops[1].delta ? 2 : 1;
}

static bool model_can(const struct model *m, const struct ipcx_sem_op *ops)
{
	uint32_t i;

	for (i = 0; i < ops_count(ops); i++) {
		int32_t value = m->value[ops[i].index];

		if (ops[i].delta ? value + ops[i].delta < 0 : value)
			return false;
	}
	return true;
}

static void model_take(struct model *m, const struct ipcx_sem_op *ops)
{
	uint32_t i;

	for (i = 0; i < ops_count(ops); i++)
		m->value[ops[i].index] += ops[i].delta;
}

/* The first who can go on does, until nobody can; false if one of them did not. */
static bool model_settle(struct model *m)
{
	int i;

	for (i = 0; i < m->count; i++) {
		if (!model_can(m, m->line[i].ops))
			continue;
		model_take(m, m->line[i].ops);
		if (actor_finish(&m->line[i].actor))
			return false;
		m->count--;
		memmove(&m->line[i], &m->line[i + 1], (m->count - i) * sizeof(*m->line));
		i = -1;
	}
	return true;
}

/* Whether nobody else has had or noticed anything. */
static bool model_is_right(const struct model *m)
{
	uint32_t zeros = 0;
	int i;

	for (i = 0; i < m->count; i++) {
		const struct waiter *w = &m->line[i];

		zeros += !w->ops[0].delta;
		if (actor_over(&w->actor) || task_switches(w->actor.pid) != w->switches)
			return false;
	}
	return (int32_t)sem_value(m->fd, 0) == m->value[0] &&
	       (int32_t)sem_value(m->fd, 1) == m->value[1] &&
	       pipe_stat(m->fd).waiting_readers == zeros &&
	       pipe_stat(m->fd).waiting_writers == m->count - zeros;
}

/* Somebody comes, and goes at once if he can. */
static bool model_comes(struct model *m, const struct ipcx_sem_op *ops)
{
	struct waiter *w = &m->line[m->count];
	uint32_t count = ops_count(ops);

	if (model_can(m, ops)) {
		model_take(m, ops);
		return !sem_ops(m->fd, ops, count, IPCX_NONBLOCK) && model_settle(m);
	}
	w->ops = ops;
	w->actor = sem_actor_start((struct sem_call) {
		.fd = m->fd, .ops = { ops[0], ops[1] }, .count = count,
	});
	if (!actor_asleep(&w->actor))
		return false;
	w->switches = task_switches(w->actor.pid);
	m->count++;
	return true;
}

static bool model_up(struct model *m, uint32_t index, int32_t n)
{
	m->value[index] += n;
	return !up(m->fd, index, n) && model_settle(m);
}

TEST_F_TIMEOUT(line, first_who_can_and_nobody_else, 120)
{
	uint32_t seed = 17;
	int i, round;

	for (round = 0; round < scaled(5); round++) {
		struct model m = { .fd = self->fd };

		for (i = 0; i < EVENTS; i++) {
			bool comes = random_next(&seed) % 2 && m.count < LINE_MAX;
			uint32_t r = random_next(&seed);

			ASSERT_TRUE(comes ? model_comes(&m, wants[r % WANTS]) :
					    model_up(&m, r % 2, 1 + r / 2 % 3))
				TH_LOG("round %d, event %d", round, i);
			ASSERT_TRUE(model_is_right(&m))
				TH_LOG("round %d, event %d", round, i);
		}
		while (m.count)
			actor_kill(&m.line[--m.count].actor);
		ASSERT_EQ(0, sem_set(self->fd, 0, 0));
		ASSERT_EQ(0, sem_set(self->fd, 1, 0));
	}
}

/* Many sleepers, as threads: each has its stack and a line in /proc, nothing else. */

#define SLEEPERS	1000

struct sleeper {
	pthread_t thread;
	int fd;
	pid_t tid;
	int ret;
	int over;
	uint64_t switches;
};

static void *sleeper_run(void *arg)
{
	const struct ipcx_sem_op op = DOWN(0, 1);
	struct sleeper *s = arg;

	__atomic_store_n(&s->tid, gettid(), __ATOMIC_SEQ_CST);
	s->ret = ref_sem_op(s->fd, ref_self(), &op, 1, 0, deadline_never());
	__atomic_store_n(&s->over, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static bool sleeper_sleeps(const struct sleeper *s)
{
	pid_t tid = __atomic_load_n(&s->tid, __ATOMIC_SEQ_CST);

	return tid && pid_state(tid) == 'S' && pid_syscall(tid) == SYS_ioctl;
}

static bool sleepers_start(struct sleeper *s, int count, int fd)
{
	pthread_attr_t attr;
	int i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (i = 0; i < count; i++) {
		s[i] = (struct sleeper) { .fd = fd };
		if (pthread_create(&s[i].thread, &attr, sleeper_run, &s[i]))
			return false;
	}
	for (i = 0; i < count; i++) {
		if (!wait_until(sleeper_sleeps(&s[i])))
			return false;
		s[i].switches = task_switches(s[i].tid);
	}
	return true;
}

static int sleepers_over(const struct sleeper *s, int count)
{
	int i, over = 0;

	for (i = 0; i < count; i++)
		over += __atomic_load_n(&s[i].over, __ATOMIC_SEQ_CST);
	return over;
}

static int sleepers_disturbed(const struct sleeper *s, int count)
{
	int i, disturbed = 0;

	for (i = 0; i < count; i++)
		if (!__atomic_load_n(&s[i].over, __ATOMIC_SEQ_CST) &&
		    task_switches(s[i].tid) != s[i].switches)
			disturbed++;
	return disturbed;
}

TEST_F_TIMEOUT(line, one_of_a_thousand_wakes, 120)
{
	/* The last one brings more than one at once. */
	const int ups[] = { 1, 1, 1, 7 };
	const int count = scaled(SLEEPERS) < 100 ? 100 : scaled(SLEEPERS);
	struct sleeper *s = calloc(count, sizeof(*s));
	int i, over = 0;

	ASSERT_TRUE(sleepers_start(s, count, self->fd));
	ASSERT_TRUE(sem_waiting(self->fd, 0, count, 0));
	for (i = 0; i < 4; i++) {
		over += ups[i];
		ASSERT_EQ(0, up(self->fd, 0, ups[i]));
		EXPECT_EQ(0, sem_value(self->fd, 0));
		ASSERT_TRUE(wait_until(sleepers_over(s, count) >= over));
		EXPECT_EQ(over, sleepers_over(s, count));
		EXPECT_EQ(count - over, (int)sem_get(self->fd, 0).waiting_down);
		EXPECT_EQ(count - over, (int)pipe_stat(self->fd).waiting_writers);
		EXPECT_EQ(0, sleepers_disturbed(s, count));
	}
	/* Nobody waits for that one. */
	ASSERT_EQ(0, up(self->fd, 1, 1));
	EXPECT_EQ(0, sleepers_disturbed(s, count));
	EXPECT_EQ(over, sleepers_over(s, count));
	ASSERT_EQ(0, fd_remove(self->fd));
	for (i = 0; i < count; i++) {
		pthread_join(s[i].thread, NULL);
		ASSERT_TRUE(s[i].ret == 0 || s[i].ret == -EIDRM);
		over -= s[i].ret == 0;
	}
	EXPECT_EQ(0, over);
	free(s);
}

TEST_HARNESS_MAIN
