// SPDX-License-Identifier: GPL-2.0
/*
 * Queues: sleeping receivers and senders. What ends each sleep and what is left behind,
 * who gets a message and who gets space, and that nobody else wakes.
 */
#include "queue_test.h"

#include <pthread.h>

#define LEN	100	/* bytes of the call that must wait */
#define BIG	950	/* with which it doesn't fit into the scene's queue */

/*
 * struct path - one way to a call that waits
 * @kind:    of a call of pipe_test.h
 * @batch:   it is SEND or RECV instead
 * @puts:    it sends
 * @by_name: on the device; likewise @by_id
 * @by_id:   of SEND and RECV only
 * @bytes:   there is no space for want of bytes, not of messages
 */
struct path {
	enum call_kind kind;
	bool batch;
	bool puts;
	bool by_name;
	bool by_id;
	bool bytes;
};

/*
 * struct scene - a persistent named queue, on which a call must wait
 * @fd:     a file of it, for both ways
 * @call:   the call, or @msgs if the path is a batch's
 * @before: the queue's state before the call
 */
struct scene {
	int dev;
	int fd;
	char name[TEST_NAME_SIZE];
	struct path path;
	struct call call;
	struct queue_call msgs;
	struct ipcx_stat before;
};

/* Makes a queue so full that the call must wait. */
static void scene_fill(struct scene *s)
{
	int ret = s->path.bytes ? queue_put(s->fd, 1, 0, BIG) :
				  queue_put(s->fd, 1, 0, 10) + queue_put(s->fd, 1, 10, 10);

	if (ret != (s->path.bytes ? 1 : 2))
		abort();
}

static void scene_calls(struct scene *s)
{
	bool device = s->path.by_name || s->path.by_id;

	s->call = (struct call) {
		.kind = s->path.kind, .fd = device ? s->dev : s->fd,
		.name = s->path.by_name ? s->name : NULL, .len = LEN, .at = BIG,
	};
	s->msgs = (struct queue_call) {
		.command = s->path.puts ? IPCX_IOC_SEND : IPCX_IOC_RECV,
		.fd = s->call.fd, .name = s->call.name,
		.id = s->path.by_id ? fd_id(s->fd) : 0,
		.type = 1, .select = select_any(), .len = LEN, .at = BIG,
	};
}

static void scene_set(struct scene *s, const struct path *path)
{
	*s = (struct scene) { .path = *path };
	/* A test that an assertion has ended had no teardown, and left its queue. */
	track_cleanup();
	s->dev = dev_open();
	s->fd = queue_create(s->dev, test_name(s->name, "scene"), IPCX_LIFETIME_PERSISTENT,
			     IPCX_ACCESS_RDWR, 2, 1000, 0);
	if (s->fd < 0) {
		fprintf(stderr, "# no queue: %s\n", strerror(-s->fd));
		abort();
	}
	scene_calls(s);
	if (path->puts)
		scene_fill(s);
	s->before = pipe_stat(s->fd);
}

static void scene_clear(struct scene *s)
{
	track_cleanup();
	close(s->fd);
	close(s->dev);
}

static void scene_handler(struct scene *s, int sa_flags)
{
	s->call.sa_flags = sa_flags;
	s->msgs.sa_flags = sa_flags;
}

static void scene_flags(struct scene *s, uint32_t flags)
{
	s->call.flags = flags;
	s->msgs.flags = flags;
}

static void scene_deadline(struct scene *s, struct ipcx_deadline deadline)
{
	s->call.deadline = deadline;
	s->msgs.deadline = deadline;
}

static struct actor scene_start(const struct scene *s)
{
	return s->path.batch ? queue_actor_start(s->msgs) : actor_start(s->call);
}

static struct actor scene_asleep(const struct scene *s)
{
	struct actor a = scene_start(s);

	if (!actor_asleep(&a))
		abort();
	return a;
}

static int64_t finish_recv(struct scene *s, struct actor *a)
{
	int64_t ret;

	if (queue_put(s->fd, 1, 7, 3) != 1)
		return -EPROTO;
	ret = actor_result(a);
	if (ret > 0 && !stream_is(a->s->data, 7, 3))
		return -EILSEQ;
	if (ret > 0 && s->path.batch && (actor_msgs(a)->len != 3 || actor_msgs(a)->type != 1))
		return -EBADMSG;
	return ret;
}

/* Takes what was there, and then what the call brought. */
static int64_t finish_send(struct scene *s, struct actor *a)
{
	int64_t ret;

	if (queue_get(s->fd, select_any(), 0, s->path.bytes ? BIG : 10) != 1)
		return -EPROTO;
	ret = actor_result(a);
	if (!s->path.bytes && queue_get(s->fd, select_any(), 10, 10) != 1)
		return -EPROTO;
	return queue_get(s->fd, select_any(), BIG, LEN) == 1 ? ret : -EILSEQ;
}

/* Gives the sleeping call what it waits for: scene_success() if that is all it gets. */
static int64_t scene_finish(struct scene *s, struct actor *a)
{
	int64_t ret = s->path.puts ? finish_send(s, a) : finish_recv(s, a);

	actor_end(a);
	if (queue_msgs(s->fd) || pipe_used(s->fd))
		return -ENOTEMPTY;
	return ret;
}

static int64_t scene_success(const struct scene *s)
{
	return s->path.batch ? 1 : s->path.puts ? LEN : 3;
}

/* Whether the queue is as it was before the call. */
static bool scene_unchanged(struct scene *s)
{
	struct ipcx_stat st = pipe_stat(s->fd);

	return st.used_bytes == s->before.used_bytes && st.msgs == s->before.msgs &&
	       st.charged_bytes == s->before.charged_bytes && st.opens == s->before.opens &&
	       st.waiting_readers == 0 && st.waiting_writers == 0 &&
	       st.read_ns == s->before.read_ns && st.write_ns == s->before.write_ns &&
	       st.last_reader_pid == s->before.last_reader_pid &&
	       st.last_writer_pid == s->before.last_writer_pid;
}

FIXTURE(wait) {
	struct scene s;
};

FIXTURE_VARIANT(wait) {
	struct path path;
};

#define WAIT_VARIANT(tag, ...) \
	FIXTURE_VARIANT_ADD(wait, tag) { .path = { __VA_ARGS__ } }

WAIT_VARIANT(read, .kind = CALL_READ);
WAIT_VARIANT(readv, .kind = CALL_READV);
WAIT_VARIANT(ioctl_read, .kind = CALL_IOC_READ);
WAIT_VARIANT(name_read, .kind = CALL_IOC_READ, .by_name = true);
WAIT_VARIANT(recv, .batch = true);
WAIT_VARIANT(name_recv, .batch = true, .by_name = true);
WAIT_VARIANT(id_recv, .batch = true, .by_id = true);
WAIT_VARIANT(write, .kind = CALL_WRITE, .puts = true);
WAIT_VARIANT(write_bytes, .kind = CALL_WRITE, .puts = true, .bytes = true);
WAIT_VARIANT(writev, .kind = CALL_WRITEV, .puts = true, .bytes = true);
WAIT_VARIANT(ioctl_write, .kind = CALL_IOC_WRITE, .puts = true);
WAIT_VARIANT(name_write, .kind = CALL_IOC_WRITE, .puts = true, .by_name = true);
WAIT_VARIANT(send, .batch = true, .puts = true);
WAIT_VARIANT(send_bytes, .batch = true, .puts = true, .bytes = true);
WAIT_VARIANT(name_send, .batch = true, .puts = true, .by_name = true);
WAIT_VARIANT(id_send, .batch = true, .puts = true, .by_id = true, .bytes = true);

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

	EXPECT_TRUE(pipe_waiting(s->fd, !s->path.puts, s->path.puts));
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
	EXPECT_TRUE(pipe_waiting(s->fd, 0, 0));
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

	scene_handler(s, SA_RESTART);
	a = scene_asleep(s);
	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(actor_signal(&a));
		ASSERT_TRUE(actor_asleep(&a));
	}
	EXPECT_TRUE(pipe_waiting(s->fd, !s->path.puts, s->path.puts));
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
}

TEST_F(wait, killed_leaves_nothing)
{
	struct scene *s = &self->s;
	struct actor a = scene_asleep(s);

	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_TRUE(scene_unchanged(s));
	a = scene_asleep(s);
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
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
	ASSERT_EQ(1, s->path.puts ? queue_get(s->fd, select_any(), 0, s->path.bytes ? BIG : 10) :
				    queue_put(s->fd, 1, 7, 3));
	kill(a.pid, SIGCONT);
	EXPECT_EQ(scene_success(s), actor_finish(&a));
	EXPECT_TRUE(pipe_waiting(s->fd, 0, 0));
}

TEST_F(wait, removed_is_eidrm)
{
	struct scene *s = &self->s;
	struct actor a = scene_asleep(s);
	struct actor b = scene_asleep(s);

	EXPECT_EQ(0, call_safely((struct call) { .kind = CALL_REMOVE, .fd = s->fd }));
	EXPECT_EQ(-EIDRM, actor_finish(&a));
	EXPECT_EQ(-EIDRM, actor_finish(&b));
}

/* There is no end: who waits doesn't care who else has the queue open. */
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

/* Ioctls: a flag against restarting, one against waiting, and deadlines. */

FIXTURE(timed) {
	struct scene s;
};

FIXTURE_VARIANT(timed) {
	struct path path;
};

#define TIMED_VARIANT(tag, ...) \
	FIXTURE_VARIANT_ADD(timed, tag) { .path = { __VA_ARGS__ } }

TIMED_VARIANT(read, .kind = CALL_IOC_READ);
TIMED_VARIANT(name_read, .kind = CALL_IOC_READ, .by_name = true);
TIMED_VARIANT(recv, .batch = true);
TIMED_VARIANT(name_recv, .batch = true, .by_name = true);
TIMED_VARIANT(id_recv, .batch = true, .by_id = true);
TIMED_VARIANT(write, .kind = CALL_IOC_WRITE, .puts = true);
TIMED_VARIANT(name_write, .kind = CALL_IOC_WRITE, .puts = true, .by_name = true, .bytes = true);
TIMED_VARIANT(send, .batch = true, .puts = true);
TIMED_VARIANT(send_bytes, .batch = true, .puts = true, .bytes = true);
TIMED_VARIANT(name_send, .batch = true, .puts = true, .by_name = true);
TIMED_VARIANT(id_send, .batch = true, .puts = true, .by_id = true);

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

	scene_handler(s, SA_RESTART);
	scene_flags(s, IPCX_NO_RESTART);
	a = scene_asleep(s);
	ASSERT_TRUE(actor_signal(&a));
	EXPECT_EQ(-EINTR, actor_finish(&a));
	EXPECT_TRUE(scene_unchanged(s));
}

TEST_F(timed, deadline_on_each_clock)
{
	const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME };
	struct scene *s = &self->s;
	struct ipcx_deadline d;
	struct actor a;
	int i;

	for (i = 0; i < 3; i++) {
		d = deadline_on(clocks[i], 100);
		scene_deadline(s, d);
		a = scene_start(s);
		EXPECT_EQ(-ETIMEDOUT, actor_finish(&a));
		EXPECT_LE(d.ns, now_ns(clocks[i]));
		EXPECT_TRUE(scene_unchanged(s));
	}
}

TEST_F(timed, past_deadline_tries_once)
{
	const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME };
	struct scene *s = &self->s;
	struct actor a;
	int i;

	for (i = 0; i < 3; i++) {
		scene_deadline(s, (struct ipcx_deadline) { .ns = 1, .clock = clocks[i] });
		a = scene_start(s);
		EXPECT_EQ(-ETIMEDOUT, actor_finish(&a));
		EXPECT_TRUE(scene_unchanged(s));
	}
	ASSERT_LE(1, s->path.puts ? queue_purge(s->fd, select_any()) :
				    queue_put(s->fd, 1, 7, 3));
	a = scene_start(s);
	EXPECT_EQ(scene_success(s), actor_finish(&a));
}

/* The deadline is absolute: restarting does not move it. */
TEST_F(timed, deadline_after_restarts)
{
	struct scene *s = &self->s;
	struct actor a;

	scene_handler(s, SA_RESTART);
	scene_deadline(s, deadline_ms(500));
	a = scene_start(s);
	while (!actor_over(&a) && actor_signals(&a) < 1000) {
		kill(a.pid, SIGUSR1);
		usleep(20000);
	}
	EXPECT_EQ(-ETIMEDOUT, actor_finish(&a));
	EXPECT_TRUE(scene_unchanged(s));
}

TEST_F(timed, far_deadline_is_no_hurry)
{
	struct scene *s = &self->s;
	struct actor a;

	scene_deadline(s, (struct ipcx_deadline) {
		.ns = INT64_MAX, .clock = CLOCK_MONOTONIC,
	});
	a = scene_asleep(s);
	EXPECT_EQ(scene_success(s), scene_finish(s, &a));
}

TEST_F(timed, nonblocking_is_eagain)
{
	struct scene *s = &self->s;
	struct actor a;

	scene_flags(s, IPCX_NONBLOCK);
	a = scene_start(s);
	EXPECT_EQ(-EAGAIN, actor_finish(&a));
	scene_deadline(s, deadline_past());
	a = scene_start(s);
	EXPECT_EQ(-EAGAIN, actor_finish(&a));
	EXPECT_TRUE(scene_unchanged(s));
}

/* Who gets a message. */

FIXTURE(receivers) {
	int dev;
	int fd;
};

FIXTURE_SETUP(receivers)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->fd = queue_new(self->dev, 0, 0);
}

FIXTURE_TEARDOWN(receivers)
{
	track_cleanup();
	close(self->fd);
	close(self->dev);
}

static struct actor receiver(int fd, struct ipcx_select select, size_t room)
{
	return queue_actor_asleep((struct queue_call) {
		.command = IPCX_IOC_RECV, .fd = fd, .select = select, .len = room,
	});
}

static bool wants(const struct ipcx_select *select, uint64_t type)
{
	switch (select->how) {
	case IPCX_SELECT_EXACT:
		return type == select->lo;
	case IPCX_SELECT_EXCEPT:
		return type != select->lo;
	case IPCX_SELECT_RANGE:
		return type >= select->lo && type <= select->hi;
	default:
		return true;
	}
}

/* Those who still wait, in the order of their coming. */
struct line {
	int count;
	struct ipcx_select select[4];
	struct actor actor[4];
	uint64_t switches[4];
};

/* The @number-th order of four. */
static void line_up(struct line *l, int fd, int number)
{
	struct ipcx_select left[] = {
		select_any(), select_exact(3), select_except(3), select_range(2, 5),
	};
	int i, n = 4;

	l->count = 4;
	for (i = 0; i < 4; i++) {
		int pick = number % n;

		number /= n;
		l->select[i] = left[pick];
		memmove(&left[pick], &left[pick + 1], (3 - pick) * sizeof(left[0]));
		n--;
		l->actor[i] = receiver(fd, l->select[i], 10);
		l->switches[i] = task_switches(l->actor[i].pid);
	}
}

static void line_drop(struct line *l, int i)
{
	l->count--;
	memmove(&l->select[i], &l->select[i + 1], (l->count - i) * sizeof(l->select[0]));
	memmove(&l->actor[i], &l->actor[i + 1], (l->count - i) * sizeof(l->actor[0]));
	memmove(&l->switches[i], &l->switches[i + 1], (l->count - i) * sizeof(l->switches[0]));
}

static bool line_undisturbed(const struct line *l)
{
	int i;

	for (i = 0; i < l->count; i++)
		if (actor_over(&l->actor[i]) ||
		    task_switches(l->actor[i].pid) != l->switches[i])
			return false;
	return true;
}

static int line_first(const struct line *l, uint64_t type)
{
	int i;

	for (i = 0; i < l->count && !wants(&l->select[i], type); i++)
		;
	return i;
}

/* Each order of four kinds of receivers, and messages until all are served. */
TEST_F(receivers, first_who_wants_it_and_nobody_else)
{
	uint32_t seed = 12;
	struct line l;
	int number, first;

	for (number = 0; number < 24; number++) {
		line_up(&l, self->fd, number);
		ASSERT_TRUE(pipe_waiting(self->fd, 4, 0));
		while (l.count) {
			int type = 1 + random_next(&seed) % 6;

			ASSERT_EQ(1, queue_put(self->fd, type, type, 5));
			first = line_first(&l, type);
			ASSERT_EQ(first == l.count, (int)queue_msgs(self->fd))
				TH_LOG("order %d, type %d", number, type);
			if (first == l.count) {
				ASSERT_TRUE(line_undisturbed(&l));
				ASSERT_EQ(type, queue_get(self->fd, select_any(), type, 5));
				continue;
			}
			ASSERT_EQ(1, actor_result(&l.actor[first]));
			ASSERT_EQ(type, (int)actor_msgs(&l.actor[first])->type);
			ASSERT_TRUE(stream_is(l.actor[first].s->data, type, 5));
			actor_end(&l.actor[first]);
			line_drop(&l, first);
			ASSERT_TRUE(line_undisturbed(&l));
			ASSERT_EQ(l.count, (int)pipe_stat(self->fd).waiting_readers);
		}
	}
}

/* read(2) waits in the same line as RECV, with what its file selects. */
TEST_F(receivers, all_ways_are_one_line)
{
	int exact = fd_open(self->fd, IPCX_ACCESS_READ, 0);
	struct actor a[3];

	ASSERT_EQ(0, queue_file(exact, select_exact(2), 0, 0));
	a[0] = actor_start_asleep((struct call) { .kind = CALL_READ, .fd = exact, .len = 10 });
	a[1] = receiver(self->fd, select_any(), 10);
	a[2] = receiver(exact, select_file(), 10);
	ASSERT_EQ(1, queue_put(self->fd, 1, 0, 1));
	EXPECT_EQ(1, actor_finish(&a[1]));
	ASSERT_EQ(1, queue_put(self->fd, 2, 0, 2));
	EXPECT_EQ(2, actor_finish(&a[0]));
	EXPECT_TRUE(actor_asleep(&a[2]));
	ASSERT_EQ(1, queue_put(self->fd, 2, 0, 3));
	EXPECT_EQ(1, actor_finish(&a[2]));
	close(exact);
}

TEST_F(receivers, sleeper_keeps_the_selector_he_had)
{
	int fd = fd_open(self->fd, IPCX_ACCESS_READ, 0);
	struct actor a;

	ASSERT_EQ(0, queue_file(fd, select_exact(2), 0, 0));
	a = actor_start_asleep((struct call) { .kind = CALL_READ, .fd = fd, .len = 10 });
	ASSERT_EQ(0, queue_file(fd, select_exact(7), 0, 0));
	ASSERT_EQ(1, queue_put(self->fd, 7, 0, 1));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(1, queue_put(self->fd, 2, 0, 2));
	EXPECT_EQ(2, actor_finish(&a));
	EXPECT_EQ(7, queue_get(self->fd, select_any(), 0, 1));
	close(fd);
}

static void leave_by_signal(struct actor *a)
{
	if (!actor_signal(a) || actor_finish(a) != -EINTR)
		abort();
}

static void leave_by_kill(struct actor *a)
{
	if (actor_kill(a) != 128 + SIGKILL)
		abort();
}

static void leave_by_deadline(struct actor *a)
{
	if (actor_finish(a) != -ETIMEDOUT)
		abort();
}

/* Who leaves takes nothing along. */
TEST_F(receivers, next_one_gets_it_if_the_first_left)
{
	void (*const leave[])(struct actor *a) = { leave_by_signal, leave_by_kill };
	struct actor a, b;
	int i;

	for (i = 0; i < 2; i++) {
		a = receiver(self->fd, select_any(), 10);
		b = receiver(self->fd, select_any(), 10);
		leave[i](&a);
		ASSERT_TRUE(pipe_waiting(self->fd, 1, 0));
		ASSERT_EQ(1, queue_put(self->fd, 1, 0, 1));
		EXPECT_EQ(1, actor_finish(&b));
	}
}

TEST_F(receivers, too_little_room_is_passed_over)
{
	struct actor small[3], empty, fits, later;
	int i;

	small[0] = receiver(self->fd, select_any(), 9);
	empty = receiver(self->fd, select_any(), 0);
	small[1] = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = self->fd, .len = 1,
	});
	small[2] = receiver(self->fd, select_exact(4), 5);
	fits = receiver(self->fd, select_any(), 10);
	later = receiver(self->fd, select_any(), 100);
	ASSERT_EQ(1, queue_put(self->fd, 4, 0, 10));
	EXPECT_EQ(1, actor_result(&fits));
	EXPECT_TRUE(stream_is(fits.s->data, 0, 10));
	EXPECT_EQ(-E2BIG, actor_result(&empty));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-E2BIG, actor_result(&small[i]));
	EXPECT_EQ(10, actor_msgs(&small[0])->len);
	EXPECT_EQ(10, actor_msgs(&empty)->len);
	EXPECT_EQ(POISON, small[0].s->data[0]);
	EXPECT_TRUE(actor_asleep(&later));
	EXPECT_EQ(0, queue_msgs(self->fd));
	for (i = 0; i < 3; i++)
		actor_end(&small[i]);
	actor_end(&empty);
	actor_end(&fits);
	actor_kill(&later);
}

TEST_F(receivers, too_little_room_of_all_leaves_it)
{
	struct actor a = receiver(self->fd, select_any(), 9);
	struct actor other = receiver(self->fd, select_exact(2), 9);

	ASSERT_EQ(1, queue_put(self->fd, 1, 0, 10));
	EXPECT_EQ(-E2BIG, actor_finish(&a));
	EXPECT_TRUE(actor_asleep(&other));
	EXPECT_EQ(1, queue_msgs(self->fd));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 0, 10));
	actor_kill(&other);
}

TEST_F(receivers, truncating_one_takes_what_is_too_long)
{
	struct actor a = queue_actor_asleep((struct queue_call) {
		.command = IPCX_IOC_RECV, .fd = self->fd, .select = select_any(), .len = 4,
		.flags = IPCX_TRUNCATE,
	});
	struct actor b = receiver(self->fd, select_any(), 10);

	ASSERT_EQ(1, queue_put(self->fd, 1, 0, 10));
	EXPECT_EQ(1, actor_result(&a));
	EXPECT_EQ(10, actor_msgs(&a)->len);
	EXPECT_EQ(IPCX_MSG_TRUNCATED, actor_msgs(&a)->flags);
	EXPECT_TRUE(stream_is(a.s->data, 0, 4));
	EXPECT_TRUE(actor_asleep(&b));
	actor_end(&a);
	actor_kill(&b);
}

/* A batch waits for the first message alone. */
TEST_F(receivers, batch_waits_for_one)
{
	struct actor a = queue_actor_asleep((struct queue_call) {
		.command = IPCX_IOC_RECV, .fd = self->fd, .select = select_exact(2), .len = 10,
		.count = 20,
	});

	ASSERT_EQ(1, queue_put(self->fd, 1, 0, 5));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(1, queue_put(self->fd, 2, 0, 5));
	EXPECT_EQ(1, actor_result(&a));
	EXPECT_EQ(2, actor_msgs(&a)->type);
	EXPECT_EQ(5, actor_msgs(&a)->len);
	actor_end(&a);
	EXPECT_EQ(1, queue_msgs(self->fd));
}

/* A batch that is sent goes to as many as wait, one each, and the rest is there. */
TEST_F(receivers, batch_serves_many)
{
	unsigned char buf[50];
	struct ipcx_msg msgs[5];
	struct actor a[3];
	int i;

	stream_fill(buf, 0, sizeof(buf));
	for (i = 0; i < 5; i++)
		msgs[i] = msg_out(1 + i, buf + 10 * i, 10);
	a[0] = receiver(self->fd, select_exact(4), 10);
	a[1] = receiver(self->fd, select_any(), 10);
	a[2] = receiver(self->fd, select_any(), 10);
	ASSERT_EQ(5, queue_send_batch(self->fd, msgs, 5, IPCX_NONBLOCK));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, actor_result(&a[i]));
		EXPECT_EQ(i ? i : 4, (int)actor_msgs(&a[i])->type);
		EXPECT_TRUE(stream_is(a[i].s->data, i ? 10 * (i - 1) : 30, 10));
		actor_end(&a[i]);
	}
	EXPECT_EQ(3, queue_get(self->fd, select_any(), 20, 10));
	EXPECT_EQ(5, queue_get(self->fd, select_any(), 40, 10));
}

/* A peek is no receive: it neither waits nor is given anything. */
TEST_F(receivers, who_peeks_is_not_in_line)
{
	struct actor a = receiver(self->fd, select_any(), 10);
	struct ipcx_msg msg;
	char buf[10];

	EXPECT_EQ(-EAGAIN, queue_peek(self->fd, select_any(), 0, &msg, buf, 10, 0));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(1, queue_put(self->fd, 1, 0, 1));
	EXPECT_EQ(1, actor_finish(&a));
}

/* What a receiver could not take goes to who waits by then. */
TEST_F(receivers, put_back_message_goes_to_who_waits)
{
	struct actor stuck, other, a;

	if (!uffd_exists())
		SKIP(return, "no userfaultfd to keep somebody in a copy");
	ASSERT_EQ(1, queue_put(self->fd, 1, 0, 10));
	stuck = actor_start_stuck((struct call) {
		.kind = CALL_READ, .fd = self->fd, .len = 10, .stuck = 1,
	});
	EXPECT_EQ(0, queue_msgs(self->fd));
	EXPECT_EQ(10, pipe_used(self->fd));
	other = receiver(self->fd, select_exact(2), 10);
	a = receiver(self->fd, select_any(), 10);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&stuck));
	EXPECT_EQ(1, actor_result(&a));
	EXPECT_TRUE(stream_is(a.s->data, 0, 10));
	EXPECT_TRUE(actor_asleep(&other));
	EXPECT_EQ(0, pipe_used(self->fd));
	actor_end(&a);
	actor_kill(&other);
}

/*
 * Whom a message was given to has received it, though he hasn't run since, and a signal
 * or a deadline has come meanwhile.
 */

TEST_F(receivers, given_beats_a_signal)
{
	struct actor a = receiver(self->fd, select_any(), 10);
	struct ipcx_msg msg;
	char buf[10];

	ASSERT_TRUE(alone_on_cpu(a.pid));
	EXPECT_EQ(1, queue_put(self->fd, 1, 0, 10));
	kill(a.pid, SIGUSR1);
	EXPECT_EQ(0, queue_msgs(self->fd));
	EXPECT_EQ(-EAGAIN, queue_recv(self->fd, select_any(), &msg, buf, 10, IPCX_NONBLOCK));
	EXPECT_EQ(0, pipe_stat(self->fd).waiting_readers);
	normal_again();
	EXPECT_EQ(1, actor_result(&a));
	EXPECT_TRUE(stream_is(a.s->data, 0, 10));
	EXPECT_TRUE(wait_until(actor_signals(&a) == 1));
	actor_end(&a);
}

/* Sends shortly before the receiver's deadline, and lets him run after it. */
static bool given_late(struct actor *a, int fd, struct ipcx_deadline d)
{
	bool given;

	if (!wait_until(actor_sleeps(a) || actor_over(a)))
		abort();
	while (now_ns(CLOCK_MONOTONIC) + 50000000 < d.ns)
		usleep(1000);
	if (!alone_on_cpu(a->pid) || queue_put(fd, 1, 0, 10) != 1)
		abort();
	given = !queue_msgs(fd);
	while (given && now_ns(CLOCK_MONOTONIC) < d.ns + 5000000)
		;
	normal_again();
	return given;
}

TEST_F(receivers, given_beats_a_deadline)
{
	struct ipcx_deadline d;
	struct actor a;
	bool given;
	long ms;

	/* As long as it takes to be asleep before, on this machine. */
	for (given = false, ms = 100; !given; ms *= 2) {
		ASSERT_LT(ms, PATIENCE_MS);
		d = deadline_ms(ms);
		a = queue_actor_start((struct queue_call) {
			.command = IPCX_IOC_RECV, .fd = self->fd, .select = select_any(),
			.len = 10, .deadline = d,
		});
		given = given_late(&a, self->fd, d);
		EXPECT_EQ(given ? 1 : -ETIMEDOUT, actor_finish(&a));
		EXPECT_EQ(!given, queue_purge(self->fd, select_any()));
	}
}

/* Only who is killed before he has it has not received it. */
TEST_F(receivers, given_to_one_who_is_killed_is_put_back)
{
	struct actor a = receiver(self->fd, select_any(), 10);
	struct actor other = receiver(self->fd, select_exact(2), 10);

	ASSERT_TRUE(alone_on_cpu(a.pid));
	EXPECT_EQ(1, queue_put(self->fd, 1, 0, 10));
	EXPECT_EQ(1, queue_put(self->fd, 1, 10, 10));
	kill(a.pid, SIGKILL);
	EXPECT_EQ(1, queue_msgs(self->fd));
	normal_again();
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(2, queue_msgs(self->fd));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 0, 10));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 10, 10));
	EXPECT_TRUE(actor_asleep(&other));
	actor_kill(&other);
}

/* Many sleepers, as threads: each has its stack and a line in /proc, nothing else. */

#define SLEEPERS	1000
#define TYPES		100

struct sleeper {
	pthread_t thread;
	int fd;
	uint64_t type;
	pid_t tid;
	int ret;
	int over;
	uint64_t switches;
};

static void *sleeper_run(void *arg)
{
	struct sleeper *s = arg;
	struct ipcx_msg msg = msg_room(NULL, 0);

	__atomic_store_n(&s->tid, gettid(), __ATOMIC_SEQ_CST);
	s->ret = ref_recv(s->fd, ref_self(), &msg, 1, select_exact(s->type), 0, 0,
			  deadline_never());
	__atomic_store_n(&s->over, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static bool sleepers_start(struct sleeper *s, int count, int fd)
{
	pthread_attr_t attr;
	int i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (i = 0; i < count; i++) {
		s[i] = (struct sleeper) { .fd = fd, .type = 1 + i % TYPES };
		if (pthread_create(&s[i].thread, &attr, sleeper_run, &s[i]))
			return false;
	}
	for (i = 0; i < count; i++) {
		if (!wait_until(task_sleeps(__atomic_load_n(&s[i].tid, __ATOMIC_SEQ_CST),
					    SYS_ioctl)))
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
		if (!s[i].over && task_switches(s[i].tid) != s[i].switches)
			disturbed++;
	return disturbed;
}

TEST_F_TIMEOUT(receivers, one_of_a_thousand_wakes, 120)
{
	const int count = scaled(SLEEPERS) < TYPES ? TYPES : scaled(SLEEPERS);
	struct sleeper *s = calloc(count, sizeof(*s));
	int i;

	ASSERT_TRUE(sleepers_start(s, count, self->fd));
	EXPECT_EQ(count, (int)pipe_stat(self->fd).waiting_readers);
	for (i = 1; i <= 3; i++) {
		uint64_t type = i * 31;

		ASSERT_EQ(1, queue_put(self->fd, type, 0, 0));
		ASSERT_EQ(0, queue_msgs(self->fd));
		ASSERT_TRUE(wait_until(sleepers_over(s, count) >= i));
		EXPECT_EQ(i, sleepers_over(s, count));
		EXPECT_EQ(count - i, (int)pipe_stat(self->fd).waiting_readers);
		EXPECT_EQ(0, sleepers_disturbed(s, count));
	}
	/* Nobody wants that one. */
	ASSERT_EQ(1, queue_put(self->fd, TYPES + 1, 0, 0));
	EXPECT_EQ(1, queue_msgs(self->fd));
	EXPECT_EQ(0, sleepers_disturbed(s, count));
	ASSERT_EQ(0, fd_remove(self->fd));
	for (i = 0; i < count; i++) {
		pthread_join(s[i].thread, NULL);
		ASSERT_TRUE(s[i].ret == 1 || s[i].ret == -EIDRM);
	}
	free(s);
}

/* Who gets space. */

FIXTURE(senders) {
	int dev;
	int fd;
};

/* 500 and 500 of 1000 bytes are in use. */
FIXTURE_SETUP(senders)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->fd = queue_new(self->dev, 100, 1000);
	ASSERT_EQ(1, queue_put(self->fd, 1, 0, 500));
	ASSERT_EQ(1, queue_put(self->fd, 1, 500, 500));
}

FIXTURE_TEARDOWN(senders)
{
	track_cleanup();
	close(self->fd);
	close(self->dev);
}

static struct queue_call sending(int fd, uint64_t type, size_t len)
{
	return (struct queue_call) {
		.command = IPCX_IOC_SEND, .fd = fd, .type = type, .len = len,
	};
}

static struct actor sender(int fd, uint64_t type, size_t len)
{
	return queue_actor_asleep(sending(fd, type, len));
}

/* Takes one of the two that were there first. */
static int64_t take_half(int fd, int number)
{
	return queue_get(fd, select_exact(1), 500 * number, 500);
}

TEST_F(senders, admitted_in_the_order_of_coming)
{
	struct actor a[6];
	int i;

	for (i = 0; i < 6; i++)
		a[i] = sender(self->fd, 2 + i, i ? 100 - i : 501);
	EXPECT_EQ(6, pipe_stat(self->fd).waiting_writers);
	ASSERT_EQ(1, take_half(self->fd, 0));
	for (i = 0; i < 6; i++)
		EXPECT_TRUE(actor_asleep(&a[i]));
	EXPECT_EQ(6, pipe_stat(self->fd).waiting_writers);
	EXPECT_EQ(500, pipe_used(self->fd));
	ASSERT_EQ(1, take_half(self->fd, 1));
	for (i = 0; i < 6; i++)
		EXPECT_EQ(1, actor_finish(&a[i]));
	EXPECT_EQ(0, pipe_stat(self->fd).waiting_writers);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(2 + i, queue_get(self->fd, select_range(2 + i, 9), 0, i ? 100 - i : 501));
}

/* One place at a time: the line moves by one. */
TEST_F(senders, as_many_as_fit)
{
	struct actor a[4];
	uint64_t switches[4];
	int i, k;

	for (i = 0; i < 4; i++) {
		a[i] = sender(self->fd, 2 + i, 500);
		switches[i] = task_switches(a[i].pid);
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(i < 2 ? 1 : i, i < 2 ? take_half(self->fd, i) :
				queue_get(self->fd, select_any(), 0, 500));
		EXPECT_EQ(1, actor_finish(&a[i]));
		for (k = i + 1; k < 4; k++)
			EXPECT_EQ(switches[k], task_switches(a[k].pid));
		EXPECT_EQ(3 - i, (int)pipe_stat(self->fd).waiting_writers);
	}
}

TEST_F(senders, small_one_does_not_pass)
{
	struct actor big = sender(self->fd, 2, 501);
	char byte = 0;

	ASSERT_EQ(1, take_half(self->fd, 0));
	EXPECT_TRUE(actor_asleep(&big));
	/* 500 bytes are free, but others wait. */
	EXPECT_EQ(-EAGAIN, queue_send(self->fd, 3, &byte, 1, IPCX_NONBLOCK));
	EXPECT_EQ(-EAGAIN, queue_send(self->fd, 3, &byte, 0, IPCX_NONBLOCK));
	EXPECT_EQ(-EAGAIN, fd_write(self->fd, &byte, 1, IPCX_NONBLOCK));
	EXPECT_EQ(-ETIMEDOUT, queue_send_until(self->fd, 3, &byte, 1, 0, deadline_ms(50)));
	EXPECT_EQ(1, queue_msgs(self->fd));
	EXPECT_EQ(500, pipe_used(self->fd));
	ASSERT_EQ(1, take_half(self->fd, 1));
	EXPECT_EQ(1, actor_finish(&big));
	EXPECT_EQ(1, queue_send(self->fd, 3, &byte, 1, IPCX_NONBLOCK));
	EXPECT_EQ(2, queue_get(self->fd, select_any(), 0, 501));
}

/* Who waits for space and leaves lets those behind him in. */
TEST_F(senders, who_leaves_lets_others_in)
{
	void (*const leave[])(struct actor *a) = {
		leave_by_signal, leave_by_kill, leave_by_deadline,
	};
	struct queue_call c = sending(self->fd, 2, 501);
	struct actor big, small, last;
	int i;

	ASSERT_EQ(1, take_half(self->fd, 0));
	for (i = 0; i < 3; i++) {
		c.deadline = i == 2 ? deadline_ms(1000) : deadline_never();
		big = queue_actor_start(c);
		/* Of the deadline nobody knows how long it takes until all sleep. */
		if (i < 2)
			ASSERT_TRUE(actor_asleep(&big));
		small = queue_actor_start(sending(self->fd, 3, 450));
		if (i < 2)
			ASSERT_TRUE(actor_asleep(&small));
		last = sender(self->fd, 4, 51);
		leave[i](&big);
		EXPECT_EQ(1, actor_finish(&small));
		EXPECT_TRUE(actor_asleep(&last));
		EXPECT_EQ(1, queue_get(self->fd, select_exact(3), 0, 450) == 3);
		EXPECT_EQ(1, actor_finish(&last));
		EXPECT_EQ(4, queue_get(self->fd, select_exact(4), 0, 51));
	}
	EXPECT_EQ(500, pipe_used(self->fd));
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 0));
}

/*
 * The space of a sender who was admitted and then fails is the next one's. Of messages that
 * are long enough to be copied when there is space for them.
 */
TEST_F(senders, space_of_a_killed_copy_comes_back)
{
	int fd = queue_new(self->dev, 100, 10000);
	struct actor stuck, next;

	if (!uffd_exists())
		SKIP(return, "no userfaultfd to keep somebody in a copy");
	ASSERT_EQ(1, queue_put(fd, 1, 0, 5000));
	stuck = actor_start_stuck((struct call) {
		.kind = CALL_WRITE, .fd = fd, .len = 4000, .stuck = 1,
	});
	EXPECT_EQ(9000, pipe_used(fd));
	EXPECT_EQ(1, queue_msgs(fd));
	next = sender(fd, 2, 4000);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&stuck));
	EXPECT_EQ(1, actor_finish(&next));
	EXPECT_EQ(1, queue_get(fd, select_any(), 0, 5000));
	EXPECT_EQ(2, queue_get(fd, select_any(), 0, 4000));
	EXPECT_EQ(0, pipe_used(fd));
	close(fd);
}

/* Likewise when the copy fails: the one who was admitted has waited for his turn. */
TEST_F(senders, space_of_a_failed_copy_comes_back)
{
	int fd = queue_new(self->dev, 100, 10000);
	struct actor bad, next;

	ASSERT_EQ(1, queue_put(fd, 1, 0, 5000));
	ASSERT_EQ(1, queue_put(fd, 1, 5000, 5000));
	bad = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = fd, .len = 3000, .bad_buffer = true,
	});
	next = sender(fd, 2, 4000);
	ASSERT_EQ(1, queue_get(fd, select_any(), 0, 5000));
	EXPECT_EQ(-EFAULT, actor_finish(&bad));
	EXPECT_EQ(1, actor_finish(&next));
	EXPECT_EQ(9000, pipe_used(fd));
	close(fd);
}

/* A receiver's copy keeps its message's space until it is through. */
TEST_F(senders, space_comes_when_the_receiver_has_it)
{
	struct actor stuck, next;

	if (!uffd_exists())
		SKIP(return, "no userfaultfd to keep somebody in a copy");
	stuck = actor_start_stuck((struct call) {
		.kind = CALL_READ, .fd = self->fd, .len = 500, .stuck = 1,
	});
	next = sender(self->fd, 2, 10);
	EXPECT_EQ(1000, pipe_used(self->fd));
	ASSERT_EQ(0, actor_unstick(&stuck));
	EXPECT_EQ(500, actor_finish(&stuck));
	EXPECT_EQ(1, actor_finish(&next));
}

TEST_F(senders, purge_admits)
{
	struct actor a = sender(self->fd, 2, 1000);
	struct actor b = sender(self->fd, 2, 1);

	EXPECT_EQ(2, queue_purge(self->fd, select_any()));
	EXPECT_EQ(1, actor_finish(&a));
	EXPECT_TRUE(actor_asleep(&b));
	EXPECT_EQ(1, queue_purge(self->fd, select_any()));
	EXPECT_EQ(1, actor_finish(&b));
}

/* Limits. */

TEST_F(senders, more_bytes_admit)
{
	struct ipcx_queue_params more = queue_limits(0, 1100, 0);
	struct actor a = sender(self->fd, 2, 60);
	struct actor b = sender(self->fd, 3, 60);

	ASSERT_EQ(0, queue_resize(self->fd, &more));
	EXPECT_EQ(1, actor_finish(&a));
	EXPECT_TRUE(actor_asleep(&b));
	more = queue_limits(0, 1200, 0);
	ASSERT_EQ(0, queue_resize(self->fd, &more));
	EXPECT_EQ(1, actor_finish(&b));
}

TEST_F(senders, more_messages_admit)
{
	struct ipcx_queue_params limits = queue_limits(2, 0, 0);
	struct actor a, b;

	ASSERT_EQ(0, queue_resize(self->fd, &limits));
	ASSERT_EQ(1, queue_purge(self->fd, select_exact(1)) > 0);
	ASSERT_EQ(1, queue_put(self->fd, 1, 0, 1));
	ASSERT_EQ(1, queue_put(self->fd, 1, 1, 1));
	a = sender(self->fd, 2, 60);
	b = sender(self->fd, 3, 60);
	limits = queue_limits(3, 0, 0);
	ASSERT_EQ(0, queue_resize(self->fd, &limits));
	EXPECT_EQ(1, actor_finish(&a));
	EXPECT_TRUE(actor_asleep(&b));
	limits = queue_limits(4, 0, 0);
	ASSERT_EQ(0, queue_resize(self->fd, &limits));
	EXPECT_EQ(1, actor_finish(&b));
}

TEST_F(senders, message_that_became_too_long)
{
	struct ipcx_queue_params limits = queue_limits(0, 0, 500);
	struct actor big = sender(self->fd, 2, 501);
	struct actor plain = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = self->fd, .len = 501,
	});
	struct actor fits, last;

	ASSERT_EQ(1, take_half(self->fd, 0));
	fits = sender(self->fd, 3, 500);
	last = sender(self->fd, 4, 1);
	ASSERT_EQ(0, queue_resize(self->fd, &limits));
	EXPECT_EQ(-EMSGSIZE, actor_finish(&big));
	EXPECT_EQ(-EMSGSIZE, actor_finish(&plain));
	/* They were in the way. */
	EXPECT_EQ(1, actor_finish(&fits));
	EXPECT_TRUE(actor_asleep(&last));
	EXPECT_EQ(1000, pipe_used(self->fd));
	actor_kill(&last);
}

/* Batches. */

static struct queue_call batch(int fd, uint32_t count, size_t len)
{
	struct queue_call c = sending(fd, 2, len);

	c.count = count;
	return c;
}

TEST_F(senders, batch_waits_until_all_are_in)
{
	struct actor a = queue_actor_asleep(batch(self->fd, 5, 250));
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(1, take_half(self->fd, i));
		ASSERT_TRUE(wait_until(queue_msgs(self->fd) == 3u + i));
		EXPECT_TRUE(actor_asleep(&a));
		EXPECT_EQ(1, pipe_stat(self->fd).waiting_writers);
	}
	ASSERT_EQ(2, queue_get(self->fd, select_any(), 0, 250));
	EXPECT_EQ(5, actor_finish(&a));
	for (i = 1; i < 5; i++)
		EXPECT_EQ(2, queue_get(self->fd, select_any(), 250 * i, 250));
	EXPECT_EQ(0, pipe_used(self->fd));
}

/* After the first is in, whatever ends the call leaves a number. */
TEST_F(senders, batch_that_is_ended_tells_its_number)
{
	struct queue_call c = batch(self->fd, 5, 200);
	struct actor a;
	int i;

	ASSERT_EQ(1, take_half(self->fd, 0));
	for (i = 0; i < 3; i++) {
		c.sa_flags = i ? SA_RESTART : 0;
		c.deadline = i == 2 ? deadline_ms(500) : deadline_never();
		a = queue_actor_start(c);
		ASSERT_TRUE(wait_until(queue_msgs(self->fd) == 3));
		if (i < 2) {
			ASSERT_TRUE(actor_asleep(&a));
			ASSERT_TRUE(actor_signal(&a));
		}
		EXPECT_EQ(2, actor_finish(&a));
		EXPECT_EQ(3, queue_msgs(self->fd));
		EXPECT_EQ(900, pipe_used(self->fd));
		EXPECT_EQ(2, queue_get(self->fd, select_exact(2), 0, 200));
		EXPECT_EQ(2, queue_get(self->fd, select_exact(2), 200, 200));
	}
}

TEST_F(senders, killed_batch_has_sent_what_is_in)
{
	struct actor a;

	ASSERT_EQ(1, take_half(self->fd, 0));
	a = queue_actor_asleep(batch(self->fd, 5, 200));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(3, queue_msgs(self->fd));
	EXPECT_EQ(900, pipe_used(self->fd));
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 0));
}

TEST_F(senders, batch_on_a_removed_queue_tells_its_number)
{
	struct actor a, b;

	ASSERT_EQ(1, take_half(self->fd, 0));
	a = queue_actor_asleep(batch(self->fd, 5, 200));
	b = queue_actor_asleep(batch(self->fd, 5, 200));
	ASSERT_EQ(0, fd_remove(self->fd));
	EXPECT_EQ(2, actor_finish(&a));
	EXPECT_EQ(-EIDRM, actor_finish(&b));
}

/* A batch in the middle is a sender as others: who came meanwhile has his turn. */
TEST_F(senders, batch_is_in_nobodys_way_for_ever)
{
	struct actor a, b;
	int taken = 0;

	a = queue_actor_asleep(batch(self->fd, 40, 250));
	b = sender(self->fd, 3, 250);
	while (!actor_over(&b) || !actor_over(&a)) {
		ASSERT_TRUE(wait_until(queue_msgs(self->fd) || actor_over(&a)));
		taken += queue_purge(self->fd, select_any());
		ASSERT_LT(taken, 44);
	}
	EXPECT_EQ(1, actor_finish(&b));
	EXPECT_EQ(40, actor_finish(&a));
	taken += queue_purge(self->fd, select_any());
	EXPECT_EQ(43, taken);
}

/* Receivers and senders at the same time never wait for each other. */
TEST_F(senders, receiver_of_another_type_waits_beside)
{
	struct actor put = sender(self->fd, 2, 400);
	struct actor get = receiver(self->fd, select_exact(2), 400);

	EXPECT_TRUE(pipe_waiting(self->fd, 1, 1));
	ASSERT_EQ(1, take_half(self->fd, 0));
	EXPECT_EQ(1, actor_finish(&put));
	EXPECT_EQ(1, actor_finish(&get));
	EXPECT_EQ(500, pipe_used(self->fd));
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 0));
}

TEST_HARNESS_MAIN
