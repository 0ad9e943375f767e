// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes: each thing that can be done against each other one. Two racers start
 * together, on a pipe that is empty, full, or between. When nothing moves any more,
 * whoever sleeps must have a reason to; afterwards every record is accounted for,
 * and the pipe is gone without a trace.
 *
 * No time is measured: what is random is where the two meet.
 */
#include "stress_test.h"

#define ROUNDS		20	/* of each pair, on each capacity */
#define CALLS_MAX	5	/* of a racer in one round */
#define BATCH_MAX	160	/* records a call: some are too many for one write */
#define SPIN_NS		150000

enum role {
	ROLE_READ, ROLE_WRITE, ROLE_RESIZE, ROLE_CLOSE, ROLE_KILL, ROLE_REMOVE,
	ROLE_POLL, ROLE_SPLICE,
};

/*
 * struct racer - a worker, as the test and it know it
 * @takes:  it is at the reading side; of ROLE_CLOSE: the side that it closes
 * @way:    how it moves bytes
 * @fd:     the only file that it has
 * @moved:  records that it put in, or took out; it tells this and what follows
 * @trying: records of the call that it is in
 * @over:   it makes no more calls
 * @done:   of ROLE_REMOVE: it was this one
 */
struct racer {
	enum role role;
	enum role other;
	bool takes;
	enum way way;
	uint32_t seed;
	int fd;
	pid_t pid;
	uint32_t moved;
	uint32_t trying;
	int over;
	int done;
};

/* Shared by the test and both racers. */
struct arena {
	int arrived;
	int leave;
	struct racer racer[2];
};

static struct arena *arena;

#define TESTER	2	/* the test's number as a writer of records */

/*
 * struct round - what the test itself has
 * @hold: neither reader nor writer
 * @e:    -1 where a racer has to have the last file of a side
 * @put:  records that it wrote
 * @got:  what it has read
 */
struct round {
	int hold;
	struct ends e;
	uint32_t put;
	uint32_t taken;
	struct reading got;
};

/* What a racer does. */

static void spin(uint32_t *seed, uint64_t most_ns)
{
	uint64_t until = now_ns(CLOCK_MONOTONIC) + random_next(seed) % most_ns;

	while (now_ns(CLOCK_MONOTONIC) < until)
		;
}

/* Whether the other racer may be the reason for that error. */
static bool expected(const struct racer *r, int ret)
{
	return (ret == -EIDRM && r->other == ROLE_REMOVE) ||
	       (ret == -EPIPE && r->other == ROLE_CLOSE && !r->takes) ||
	       (ret == 0 && r->other == ROLE_CLOSE && r->takes);
}

static void race_take(struct racer *r)
{
	struct transfer t = { .way = r->way, .fd = r->fd };
	static struct record batch[BATCH_MAX];
	int i, ret, calls = random_next(&r->seed) % CALLS_MAX + 1;
	struct reading g;

	reading_begin(&g, READ_ORDER);
	while (calls-- && !stopped()) {
		r->trying = random_size(&r->seed, BATCH_MAX);
		ret = way_read(&t, batch, r->trying * sizeof(batch[0]));
		if (expected(r, ret))
			break;
		if (ret <= 0 || ret % sizeof(batch[0]))
			worker_fail("it took %d", ret);
		for (i = 0; i < ret / (int)sizeof(batch[0]); i++)
			record_check(&batch[i], &g);
		r->moved += ret / sizeof(batch[0]);
		spin(&r->seed, SPIN_NS / 4);
	}
	r->trying = 0;
}

/* What was not acknowledged is tried again with the next call. */
static void race_put(struct racer *r)
{
	struct transfer t = { .way = r->way, .fd = r->fd };
	static struct record batch[BATCH_MAX];
	int ret, calls = random_next(&r->seed) % CALLS_MAX + 1;

	while (calls-- && !stopped()) {
		int n = random_size(&r->seed, BATCH_MAX);

		records_make(batch, n, worker, r->moved);
		r->trying = n;
		ret = way_write(&t, batch, n * sizeof(batch[0]));
		if (expected(r, ret))
			break;
		if (ret <= 0 || ret % sizeof(batch[0]) ||
		    (n <= (int)RECORDS_A_CALL &&
		     ret != n * (int)sizeof(batch[0])))
			worker_fail("of %d records it put %d bytes", n, ret);
		r->moved += ret / sizeof(batch[0]);
		r->trying = 0;
		spin(&r->seed, SPIN_NS / 4);
	}
	r->trying = 0;
}

static void race_move(struct racer *r)
{
	if (r->takes)
		race_take(r);
	else
		race_put(r);
}

static void race_resize(struct racer *r)
{
	int ret, calls = random_next(&r->seed) % CALLS_MAX + 1;

	while (calls-- && !stopped()) {
		struct ipcx_resize arg = {
			.bytes = CAPACITY_MIN << random_next(&r->seed) % 6,
			.deadline = deadline_never(),
		};

		ret = ipc_ioctl(r->fd, IPCX_IOC_RESIZE, &arg);
		if (ret == -EIDRM && expected(r, ret))
			return;
		if (ret && ret != -EBUSY)
			worker_fail("RESIZE: %d", ret);
		spin(&r->seed, SPIN_NS / 4);
	}
}

static void race_close(struct racer *r)
{
	close(r->fd);
}

static void race_remove(struct racer *r)
{
	int ret = fd_remove(r->fd);

	if (ret && !(ret == -EIDRM && expected(r, ret)))
		worker_fail("REMOVE: %d", ret);
	r->done = !ret;
}

/* What it says must be so: at the end there is no other reason to return. */
static void race_poll(struct racer *r)
{
	struct pollfd p = {
		.fd = r->fd, .events = r->takes ? POLLIN : POLLOUT,
	};
	int calls = random_next(&r->seed) % CALLS_MAX + 1;

	while (calls-- && !stopped()) {
		short ends = r->other == ROLE_REMOVE ? POLLHUP | POLLERR :
			     r->other != ROLE_CLOSE ? 0 :
			     r->takes ? POLLHUP : POLLERR;

		if (poll(&p, 1, -1) != 1 || !p.revents ||
		    (p.revents & ~(p.events | ends)))
			worker_fail("poll said %x", p.revents);
		if (p.revents & ends)
			return;
		spin(&r->seed, SPIN_NS / 4);
	}
}

static void (*const race_as[])(struct racer *r) = {
	[ROLE_READ] = race_move,
	[ROLE_WRITE] = race_move,
	[ROLE_RESIZE] = race_resize,
	[ROLE_CLOSE] = race_close,
	[ROLE_KILL] = race_move,
	[ROLE_REMOVE] = race_remove,
	[ROLE_POLL] = race_poll,
	[ROLE_SPLICE] = race_move,
};

static void all_arrived(void)
{
	while (__atomic_load_n(&arena->arrived, __ATOMIC_SEQ_CST) < 2)
		sched_yield();
}

static void racer_start(unsigned int number)
{
	struct racer *r = &arena->racer[number];
	pid_t pid = worker_start(number, r->fd);

	if (pid) {
		r->pid = pid;
		return;
	}
	__atomic_add_fetch(&arena->arrived, 1, __ATOMIC_SEQ_CST);
	all_arrived();
	spin(&r->seed, SPIN_NS);
	race_as[r->role](r);
	__atomic_store_n(&r->over, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&arena->leave, __ATOMIC_SEQ_CST))
		usleep(300);
	_exit(0);
}

/* The cast. */

/* Who closes is at the other side of who could sleep for it. */
static void racer_sides(uint32_t *seed)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct racer *r = &arena->racer[i];

		r->seed = random_next(seed);
		r->way = random_next(seed) % WAY_NAME;
		r->takes = random_next(seed) % 2;
		if (r->role == ROLE_READ)
			r->takes = true;
		if (r->role == ROLE_WRITE)
			r->takes = false;
		if (r->role == ROLE_SPLICE)
			r->way = WAY_SPLICE;
	}
	for (i = 0; i < 2; i++)
		if (arena->racer[i].role == ROLE_CLOSE)
			arena->racer[i].takes = !arena->racer[!i].takes;
}

static bool has_side(enum role role)
{
	return role != ROLE_RESIZE && role != ROLE_REMOVE;
}

static void round_begin(struct round *o, int dev, uint64_t capacity,
			uint32_t *seed)
{
	const uint32_t full = capacity / sizeof(struct record);
	const uint32_t fills[] = { 0, 0, 1, full / 2, full - 63, full };
	static struct record batch[65536 / sizeof(struct record)];
	uint32_t n = fills[random_next(seed) % ARRAY_SIZE(fills)];
	int i;

	worker = TESTER;
	shared_reset();
	for (i = 0; i <= TESTER; i++)
		memset(shared->seen[i], 0, 4096);
	arena->arrived = 0;
	arena->leave = 0;
	racer_sides(seed);
	*o = (struct round) { .e = ends_open(dev, capacity) };
	o->hold = fd_open(o->e.r, IPCX_ACCESS_NONE, 0);
	reading_begin(&o->got, READ_ORDER);
	records_make(batch, n, TESTER, 0);
	if (n && fd_write(o->e.w, batch, n * sizeof(batch[0]), IPCX_NONBLOCK) !=
			 (int)(n * sizeof(batch[0])))
		worker_fail("a new pipe does not take %u records", n);
	o->put = n;
}

/* The test's own files go where a racer is to close the last one. */
static void round_start(struct round *o)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct racer *r = &arena->racer[i];

		r->fd = !has_side(r->role) ? o->hold :
			r->takes ? o->e.r : o->e.w;
		racer_start(i);
	}
	for (i = 0; i < 2; i++) {
		struct racer *r = &arena->racer[i];
		int *mine = r->takes ? &o->e.r : &o->e.w;

		if (r->role == ROLE_CLOSE) {
			close(*mine);
			*mine = -1;
		}
	}
}

/* Kills who is to be killed, somewhere on his way. */
static void round_kill(uint32_t *seed)
{
	int i;

	all_arrived();
	for (i = 0; i < 2; i++) {
		struct racer *r = &arena->racer[i];

		if (r->role != ROLE_KILL)
			continue;
		spin(seed, 2 * SPIN_NS);
		kill(r->pid, SIGKILL);
	}
	for (i = 0; i < 2; i++)
		if (arena->racer[i].role == ROLE_KILL &&
		    reap(arena->racer[i].pid) != 128 + SIGKILL)
			worker_fail("a racer was not killed");
}

/* Who sleeps, and why. */

static bool killed(const struct racer *r)
{
	return r->role == ROLE_KILL;
}

static bool moves(const struct racer *r)
{
	return has_side(r->role) && r->role != ROLE_CLOSE &&
	       r->role != ROLE_POLL;
}

static bool racer_over(const struct racer *r)
{
	return r->role == ROLE_KILL ||
	       __atomic_load_n(&r->over, __ATOMIC_SEQ_CST);
}

/* Whether, as the pipe is now, there is a reason to sleep for an owner of a side. */
static bool lacks(const struct racer *r, const struct ipcx_stat *st)
{
	uint64_t room = st->capacity_bytes - st->used_bytes;
	uint64_t bytes = r->trying * sizeof(struct record);

	if (r->takes)
		return !st->used_bytes && st->writers;
	if (!st->readers)
		return false;
	if (r->role == ROLE_POLL || r->way == WAY_POLL)
		return room < ATOMIC_MAX;
	if (bytes <= ATOMIC_MAX)
		return room < bytes;
	/* Of a splice, each page is a write. Any other large one waits for half. */
	return r->way == WAY_SPLICE ? room < ATOMIC_MAX :
				      st->used_bytes * 2 > st->capacity_bytes;
}

static bool sleeps(const struct racer *r)
{
	return !racer_over(r) && pid_state(r->pid) == 'S' && !racer_over(r);
}

/* Owns a side in its sleep. */
static bool owns(const struct racer *r)
{
	return moves(r) && r->way != WAY_POLL && sleeps(r);
}

/* It lacks something, or waits behind the other one who does. */
static bool has_reason(const struct racer *r, const struct ipcx_stat *st)
{
	const struct racer *other = &arena->racer[r == arena->racer];

	if (!has_side(r->role) || r->role == ROLE_CLOSE)
		return false;
	return lacks(r, st) || (owns(other) && other->takes == r->takes &&
				lacks(other, st));
}

static bool racer_settled(const struct racer *r, int hold)
{
	struct ipcx_stat st;

	if (racer_over(r))
		return true;
	if (pid_state(r->pid) == 'Z')
		worker_fail("a racer has failed");
	return sleeps(r) && !fd_stat(hold, &st) && has_reason(r, &st);
}

static void racer_explain(const struct racer *r, const struct ipcx_stat *st)
{
	fprintf(stderr, "# role %d against %d, %s, way %d, trying %u records\n",
		r->role, r->other, r->takes ? "taking" : "putting", r->way,
		r->trying);
	fprintf(stderr, "#   %llu of %llu used, %u readers %u writers\n",
		(unsigned long long)st->used_bytes,
		(unsigned long long)st->capacity_bytes, st->readers,
		st->writers);
	pid_explain(r->pid);
}

/* Waits until nothing moves, and everybody who sleeps has a reason. */
static void round_settle(const struct round *o)
{
	struct ipcx_stat st = { 0 };
	int i;

	if (wait_until(racer_settled(&arena->racer[0], o->hold) &&
		       racer_settled(&arena->racer[1], o->hold)))
		return;
	fd_stat(o->hold, &st);
	for (i = 0; i < 2; i++)
		if (!racer_settled(&arena->racer[i], o->hold))
			racer_explain(&arena->racer[i], &st);
	worker_fail("somebody sleeps for no reason");
}

/* The end of a round. */

/* What has been removed or has no reader any more needs none of it. */
static void round_drain(struct round *o)
{
	static struct record batch[BATCH_MAX];
	int i, ret = 0;

	while (o->e.r >= 0 &&
	       (ret = fd_read(o->e.r, batch, sizeof(batch),
			      IPCX_NONBLOCK)) > 0) {
		if (ret % sizeof(batch[0]))
			worker_fail("the test took %d bytes", ret);
		for (i = 0; i < ret / (int)sizeof(batch[0]); i++)
			record_check(&batch[i], &o->got);
		o->taken += ret / sizeof(batch[0]);
	}
	if (ret && ret != -EAGAIN && ret != -EIDRM)
		worker_fail("the test took %d", ret);
}

static void round_feed(struct round *o)
{
	struct record r;

	records_make(&r, 1, TESTER, o->put);
	if (fd_write(o->e.w, &r, sizeof(r), IPCX_NONBLOCK) == sizeof(r))
		o->put++;
}

/* Gives the sleepers what they wait for, until all are over. */
static void round_finish(struct round *o)
{
	int i;

	stop_all();
	while (!racer_over(&arena->racer[0]) || !racer_over(&arena->racer[1])) {
		for (i = 0; i < 2; i++) {
			struct racer *r = &arena->racer[i];

			if (racer_over(r))
				continue;
			if (r->takes)
				round_feed(o);
			else
				round_drain(o);
		}
		round_settle(o);
	}
	__atomic_store_n(&arena->leave, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < 2; i++)
		if (arena->racer[i].role != ROLE_KILL &&
		    reap(arena->racer[i].pid))
			worker_fail("a racer has failed");
}

/*
 * The records that writer @number is known to have put in, of which some were not
 * seen: their number. @trying are those of which nobody knows.
 */
static uint32_t records_missing(unsigned int number, uint32_t put,
				uint32_t trying)
{
	uint32_t i, end = 0, seen = 0;

	for (i = 0; i < 4096; i++) {
		if (!shared->seen[number][i])
			continue;
		end = i + 1;
		seen++;
	}
	if (end > put + trying)
		worker_fail("writer %u put %u and %u, and %u arrived", number,
			    put, trying, end);
	/* An atomic write of one who was killed: whole, or nothing of it. */
	if (end > put && end < put + trying && trying <= RECORDS_A_CALL)
		worker_fail("writer %u: %u of %u records of one write", number,
			    end - put, trying);
	return (end > put ? end : put) - seen;
}

/* A reader who was killed took with it what its call had got, and no more. */
static void round_count(struct round *o, const struct ipcx_stat *st)
{
	int64_t used = (int64_t)o->put - o->taken;
	uint32_t missing, excused = 0;
	bool sure = true;
	int i;

	for (i = 0; i < 2; i++) {
		struct racer *r = &arena->racer[i];

		if (!moves(r))
			continue;
		used += r->takes ? -(int64_t)r->moved : r->moved;
		if (killed(r))
			sure = false;
		if (killed(r) && r->takes)
			excused += r->trying;
	}
	if (sure && used * (int64_t)sizeof(struct record) !=
			    (int64_t)st->used_bytes)
		worker_fail("%lld records are there, %llu bytes",
			    (long long)used,
			    (unsigned long long)st->used_bytes);
	round_drain(o);
	missing = records_missing(TESTER, o->put, 0);
	for (i = 0; i < 2; i++) {
		struct racer *r = &arena->racer[i];

		if (moves(r) && !r->takes)
			missing += records_missing(i, r->moved,
						   killed(r) ? r->trying : 0);
	}
	if (missing > excused)
		worker_fail("%u records are missing, %u are excused", missing,
			    excused);
}

/* How many files there are but @hold: those that the test has. */
static void round_check(struct round *o)
{
	bool removed = false;
	struct ipcx_stat st;
	int i, ret;

	for (i = 0; i < 2; i++)
		removed |= arena->racer[i].role == ROLE_REMOVE;
	ret = fd_stat(o->hold, &st);
	if (ret != (removed ? -EIDRM : 0))
		worker_fail("STAT: %d", ret);
	if (removed) {
		if (arena->racer[0].done + arena->racer[1].done != 1)
			worker_fail("it was removed %d times",
				    arena->racer[0].done +
				    arena->racer[1].done);
		return;
	}
	if (st.readers != !(o->e.r < 0) || st.writers != !(o->e.w < 0) ||
	    st.opens != 1 + st.readers + st.writers)
		worker_fail("%u files, %u readers, %u writers", st.opens,
			    st.readers, st.writers);
	if (st.waiting_readers || st.waiting_writers)
		worker_fail("%u and %u wait, and there is nobody",
			    st.waiting_readers, st.waiting_writers);
	if (o->e.r < 0)
		o->e.r = fd_open(o->hold, IPCX_ACCESS_READ, 0);
	round_count(o, &st);
}

static void round_end(struct round *o)
{
	if (o->e.r >= 0)
		close(o->e.r);
	if (o->e.w >= 0)
		close(o->e.w);
	close(o->hold);
}

static void one_round(int dev, uint64_t capacity, uint32_t *seed)
{
	struct round o;

	round_begin(&o, dev, capacity, seed);
	round_start(&o);
	round_kill(seed);
	round_settle(&o);
	round_finish(&o);
	round_check(&o);
	round_end(&o);
}

FIXTURE(race) {
	int dev;
};

FIXTURE_VARIANT(race) {
	enum role first;
	enum role second;
};

#define PAIR(tag, one, two)						\
	FIXTURE_VARIANT_ADD(race, tag) {				\
		.first = ROLE_##one, .second = ROLE_##two,		\
	}

PAIR(read_read, READ, READ);
PAIR(read_write, READ, WRITE);
PAIR(read_resize, READ, RESIZE);
PAIR(read_close, READ, CLOSE);
PAIR(read_kill, READ, KILL);
PAIR(read_remove, READ, REMOVE);
PAIR(read_poll, READ, POLL);
PAIR(read_splice, READ, SPLICE);
PAIR(write_write, WRITE, WRITE);
PAIR(write_resize, WRITE, RESIZE);
PAIR(write_close, WRITE, CLOSE);
PAIR(write_kill, WRITE, KILL);
PAIR(write_remove, WRITE, REMOVE);
PAIR(write_poll, WRITE, POLL);
PAIR(write_splice, WRITE, SPLICE);
PAIR(resize_resize, RESIZE, RESIZE);
PAIR(resize_close, RESIZE, CLOSE);
PAIR(resize_kill, RESIZE, KILL);
PAIR(resize_remove, RESIZE, REMOVE);
PAIR(resize_poll, RESIZE, POLL);
PAIR(resize_splice, RESIZE, SPLICE);
PAIR(close_close, CLOSE, CLOSE);
PAIR(close_kill, CLOSE, KILL);
PAIR(close_remove, CLOSE, REMOVE);
PAIR(close_poll, CLOSE, POLL);
PAIR(close_splice, CLOSE, SPLICE);
PAIR(kill_kill, KILL, KILL);
PAIR(kill_remove, KILL, REMOVE);
PAIR(kill_poll, KILL, POLL);
PAIR(kill_splice, KILL, SPLICE);
PAIR(remove_remove, REMOVE, REMOVE);
PAIR(remove_poll, REMOVE, POLL);
PAIR(remove_splice, REMOVE, SPLICE);
PAIR(poll_poll, POLL, POLL);
PAIR(poll_splice, POLL, SPLICE);
PAIR(splice_splice, SPLICE, SPLICE);

FIXTURE_SETUP(race)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	shared_init();
	arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, arena);
}

FIXTURE_TEARDOWN(race)
{
	close(self->dev);
}

static void race_on(struct __test_metadata *_metadata, int dev,
		    uint64_t capacity, enum role first, enum role second)
{
	uint32_t seed = 1 + first * 64 + second * 8 + capacity;
	struct ipcx_query before, after;
	int i;

	ASSERT_EQ(0, dev_query(dev, &before));
	for (i = 0; i < scaled(ROUNDS); i++) {
		memset(arena->racer, 0, sizeof(arena->racer));
		arena->racer[0].role = first;
		arena->racer[0].other = second;
		arena->racer[1].role = second;
		arena->racer[1].other = first;
		one_round(dev, capacity, &seed);
	}
	ASSERT_EQ(0, dev_query(dev, &after));
	EXPECT_EQ(before.user.objects, after.user.objects);
	EXPECT_EQ(before.user.bytes, after.user.bytes);
}

TEST_F_TIMEOUT(race, loses_nothing_and_nobody, STRESS_TIMEOUT)
{
	race_on(_metadata, self->dev, 4096, variant->first, variant->second);
	race_on(_metadata, self->dev, 65536, variant->first, variant->second);
}

TEST_HARNESS_MAIN
