// SPDX-License-Identifier: GPL-2.0
/*
 * Queues: many at once. Every message that was sent is received once, whatever is killed,
 * signalled or removed meanwhile, and afterwards the queue has nothing left to account for.
 */
#include "queue_test.h"
#include "stress_test.h"

#include <pthread.h>

/*
 * Parcels: messages that are counted.
 *
 * A sender's number and a sequence number tell a parcel from all others. Senders write
 * down what they are about to send and what was sent, receivers count what they have
 * received. A process can be killed between what the kernel did and what it would have
 * written down, so:
 *
 * - A killed sender was in one call, with the numbers that it had announced. Of these, and
 *   of no others, nobody knows whether they were sent: some first ones were, and the rest
 *   were not. They are never used again.
 * - A killed receiver was in one call, too, or was counting what that had brought. Its
 *   buffers are shared memory and empty before each call: only parcels whose bytes lie in
 *   them, and of RECV the header as well, may have gone with it. What lacks either was
 *   not received, and must have been put back. What was put back although it has both is
 *   counted by somebody else.
 *
 * So a parcel is missing if it was sent, nobody counted it and no dead receiver had it
 * whole. Twice is never right: who is killed has not counted what is put back, and what
 * was counted has left the kernel for good.
 */

#define SIDE		8		/* senders, and as many receivers */
#define TYPES		5
#define PARCELS_MAX	(1 << 20)	/* of one sender */
#define PARCEL_MAX	600		/* bytes */
#define BATCH		40		/* parcels a call; the kernel copies 16 at a time */
#define KILLS		250
#define CALL_MS		40		/* after that a call ends, for another kind of call */

struct parcel {
	uint32_t magic;
	uint32_t sender;
	uint32_t seq;
	uint32_t len;
	uint64_t type;
};

#define MAGIC		0x9a7ce1

/* @next numbers have been used; of a call that is being made, @trying more. */
struct ledger {
	uint32_t next;
	uint32_t trying;
};

/* What a killed sender may have sent. */
struct doubt {
	uint32_t from;
	uint32_t count;
};

/* Only what is touched takes memory. */
struct books {
	int stop_senders;
	int stop_receivers;
	uint64_t ledger[SIDE];
	struct doubt doubt[SIDE][KILLS];
	int doubts[SIDE];
	uint64_t calls[2 * SIDE];
	int by_read[SIDE];
	struct ipcx_msg heads[SIDE][BATCH];
	unsigned char room[SIDE][BATCH][PARCEL_MAX];
	unsigned char counted[SIDE][PARCELS_MAX];
	unsigned char dead[SIDE][PARCELS_MAX];
};

static struct books *books;
static bool in_order;

static struct ledger ledger_get(int sender)
{
	uint64_t both = __atomic_load_n(&books->ledger[sender], __ATOMIC_SEQ_CST);

	return (struct ledger) { .next = both >> 32, .trying = both };
}

/* In one store: a kill can't come in the middle. */
static void ledger_put(int sender, uint32_t next, uint32_t trying)
{
	__atomic_store_n(&books->ledger[sender], (uint64_t)next << 32 | trying,
			 __ATOMIC_SEQ_CST);
}

static uint64_t parcel_place(const struct parcel *p)
{
	return p->sender * 1009 + p->seq * 17ULL + p->type;
}

static void parcel_make(unsigned char *buf, int sender, uint32_t seq, uint64_t type, size_t len)
{
	struct parcel p = {
		.magic = MAGIC, .sender = sender, .seq = seq, .len = len, .type = type,
	};

	memcpy(buf, &p, sizeof(p));
	stream_fill(buf + sizeof(p), parcel_place(&p), len - sizeof(p));
}

/* Fails unless it is a whole one; @type and @len are what the kernel said. */
static struct parcel parcel_check(const unsigned char *buf, uint64_t type, uint64_t len)
{
	struct parcel p;

	memcpy(&p, buf, sizeof(p));
	if (p.magic != MAGIC || p.sender >= SIDE || p.seq >= PARCELS_MAX)
		worker_fail("that is no parcel");
	if (p.type != type || p.len != len ||
	    !stream_is(buf + sizeof(p), parcel_place(&p), len - sizeof(p)))
		worker_fail("%u/%u of type %llu and %u bytes came as %llu with %llu", p.sender,
			    p.seq, (unsigned long long)p.type, p.len, (unsigned long long)type,
			    (unsigned long long)len);
	return p;
}

static int parcel_sizes(uint32_t *seed)
{
	return sizeof(struct parcel) + random_size(seed, PARCEL_MAX - sizeof(struct parcel));
}

/* Senders. */

static int send_batch(int fd, uint32_t *seed, uint32_t next, struct ipcx_deadline deadline)
{
	static unsigned char buf[BATCH][PARCEL_MAX];
	struct ipcx_msg msgs[BATCH];
	uint32_t i, count = random_size(seed, BATCH);

	for (i = 0; i < count; i++) {
		uint64_t type = 1 + random_next(seed) % TYPES;
		size_t len = parcel_sizes(seed);

		parcel_make(buf[i], worker, next + i, type, len);
		msgs[i] = msg_out(type, buf[i], len);
	}
	ledger_put(worker, next, count);
	return ref_send(fd, ref_self(), msgs, count, random_next(seed) % 4 ? 0 : IPCX_NONBLOCK,
			deadline);
}

static int send_single(int fd, uint32_t *seed, uint32_t next, struct ipcx_deadline deadline)
{
	uint64_t type = 1 + random_next(seed) % TYPES;
	unsigned char buf[PARCEL_MAX];
	size_t len = parcel_sizes(seed);
	int ret;

	if (queue_file(fd, select_file(), type, 0))
		worker_fail("QUEUE_FILE");
	parcel_make(buf, worker, next, type, len);
	ledger_put(worker, next, 1);
	ret = ref_io(fd, IPCX_IOC_WRITE, ref_self(), buf, len, 0, deadline);
	return ret == (int)len ? 1 : ret;
}

__attribute__((noreturn)) static void sender_run(int fd, uint32_t seed)
{
	fd = fd_open(fd, IPCX_ACCESS_WRITE, 0);
	while (!__atomic_load_n(&books->stop_senders, __ATOMIC_SEQ_CST)) {
		uint32_t next = ledger_get(worker).next;
		int ret;

		if (next > PARCELS_MAX - 2 * BATCH)
			break;
		ret = random_next(&seed) % 2 ?
		      send_batch(fd, &seed, next, deadline_ms(CALL_MS)) :
		      send_single(fd, &seed, next, deadline_ms(CALL_MS));
		if (ret <= 0 && ret != -EAGAIN && ret != -ETIMEDOUT)
			worker_fail("sending: %d", ret);
		ledger_put(worker, next + (ret > 0 ? ret : 0), 0);
		books->calls[worker]++;
	}
	_exit(0);
}

/* Receivers. */

static struct ipcx_select random_select(uint32_t *seed)
{
	uint64_t type = 1 + random_next(seed) % TYPES;

	switch (random_next(seed) % 4) {
	case 0:
		return select_exact(type);
	case 1:
		return select_except(type);
	case 2:
		return select_range(type, type + random_next(seed) % TYPES);
	default:
		return select_any();
	}
}

/* Of one sender and one type, what comes is younger than what came. */
static void parcel_order(const struct parcel *p)
{
	static int64_t last[SIDE][TYPES + 1];
	int64_t *before = &last[p->sender][p->type];

	if (in_order && *before > p->seq)
		worker_fail("%u/%u after %lld", p->sender, p->seq, (long long)*before - 1);
	*before = p->seq + 1;
}

static void parcel_count(const unsigned char *buf, uint64_t type, uint64_t len)
{
	struct parcel p = parcel_check(buf, type, len);

	parcel_order(&p);
	if (__atomic_exchange_n(&books->counted[p.sender][p.seq], 1, __ATOMIC_SEQ_CST))
		worker_fail("%u/%u twice", p.sender, p.seq);
}

static void room_clear(int receiver)
{
	int i;

	for (i = 0; i < BATCH; i++) {
		memset(books->room[receiver][i], 0, sizeof(struct parcel));
		books->heads[receiver][i] = msg_room(books->room[receiver][i], PARCEL_MAX);
	}
}

static int recv_batch(int fd, uint32_t *seed, unsigned char (*room)[PARCEL_MAX])
{
	struct ipcx_msg *msgs = books->heads[worker - SIDE];
	uint32_t count = random_size(seed, BATCH);
	int i, ret;

	ret = ref_recv(fd, ref_self(), msgs, count, random_select(seed), 0,
		       random_next(seed) % 4 ? 0 : IPCX_NONBLOCK, deadline_ms(CALL_MS));
	for (i = 0; i < ret; i++)
		parcel_count(room[i], msgs[i].type, msgs[i].len);
	return ret;
}

/* Which type it is only the parcel tells. */
static int recv_single(int fd, uint32_t *seed, unsigned char *room)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	struct parcel p;
	int ret;

	if (queue_file(fd, random_select(seed), 0, 0))
		worker_fail("QUEUE_FILE");
	if (random_next(seed) % 2)
		ret = ref_io(fd, IPCX_IOC_READ, ref_self(), room, PARCEL_MAX, 0,
			     deadline_ms(CALL_MS));
	else if (poll(&in, 1, CALL_MS) == 1)
		ret = ref_io(fd, IPCX_IOC_READ, ref_self(), room, PARCEL_MAX, IPCX_NONBLOCK,
			     deadline_never());
	else
		ret = -ETIMEDOUT;
	memcpy(&p, room, sizeof(p));
	if (ret > 0)
		parcel_count(room, p.type, ret);
	return ret;
}

__attribute__((noreturn)) static void receiver_run(int fd, uint32_t seed)
{
	unsigned char (*room)[PARCEL_MAX] = books->room[worker - SIDE];
	int ret;

	fd = fd_open(fd, IPCX_ACCESS_READ, 0);
	while (!__atomic_load_n(&books->stop_receivers, __ATOMIC_SEQ_CST)) {
		room_clear(worker - SIDE);
		books->by_read[worker - SIDE] = random_next(&seed) % 2;
		ret = books->by_read[worker - SIDE] ? recv_single(fd, &seed, room[0]) :
						      recv_batch(fd, &seed, room);
		if (ret < 0 && ret != -EAGAIN && ret != -ETIMEDOUT)
			worker_fail("receiving: %d", ret);
		books->calls[worker]++;
	}
	_exit(0);
}

/* The test. */

FIXTURE(parcels) {
	int dev;
	int fd;
	pid_t pid[2 * SIDE];
	uint32_t seed;
	struct ipcx_query before;
};

FIXTURE_VARIANT(parcels) {
	uint64_t max_msgs;
	uint64_t max_bytes;
	bool kills;
};

FIXTURE_VARIANT_ADD(parcels, peace) {
	.max_msgs = 200, .max_bytes = 65536,
};

FIXTURE_VARIANT_ADD(parcels, narrow_peace) {
	.max_msgs = 3, .max_bytes = 700,
};

FIXTURE_VARIANT_ADD(parcels, kills) {
	.max_msgs = 200, .max_bytes = 65536, .kills = true,
};

FIXTURE_VARIANT_ADD(parcels, narrow_kills) {
	.max_msgs = 3, .max_bytes = 700, .kills = true,
};

FIXTURE_SETUP(parcels)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	ASSERT_EQ(0, dev_query(self->dev, &self->before));
	self->fd = queue_new(self->dev, variant->max_msgs, variant->max_bytes);
	self->seed = 20240 + variant->max_msgs;
	books = mmap(NULL, sizeof(*books), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	ASSERT_NE(MAP_FAILED, books);
	in_order = !variant->kills;
}

FIXTURE_TEARDOWN(parcels)
{
	munmap(books, sizeof(*books));
	close(self->dev);
}

static pid_t parcels_start(int number, int fd, uint32_t seed)
{
	pid_t pid = worker_start(number, fd);

	if (pid)
		return pid;
	if (number < SIDE)
		sender_run(fd, seed);
	receiver_run(fd, seed);
}

/* What was announced and not written down is in doubt, and not used again. */
static void sender_buried(int sender)
{
	struct ledger l = ledger_get(sender);
	struct doubt *d = &books->doubt[sender][books->doubts[sender]];

	if (!l.trying)
		return;
	*d = (struct doubt) { .from = l.next, .count = l.trying };
	books->doubts[sender]++;
	ledger_put(sender, l.next + l.trying, 0);
}

static void receiver_buried(int receiver)
{
	struct parcel p;
	int i;

	for (i = 0; i < BATCH; i++) {
		memcpy(&p, books->room[receiver][i], sizeof(p));
		if (p.magic != MAGIC || p.sender >= SIDE || p.seq >= PARCELS_MAX)
			continue;
		if (books->by_read[receiver] || books->heads[receiver][i].type == p.type)
			books->dead[p.sender][p.seq] = 1;
	}
	room_clear(receiver);
}

/* False if it had failed before. */
static bool kill_one(pid_t *pid, int number, int fd, uint32_t *seed)
{
	int status;

	kill(pid[number], SIGKILL);
	status = reap(pid[number]);
	if (number < SIDE)
		sender_buried(number);
	else
		receiver_buried(number - SIDE);
	pid[number] = parcels_start(number, fd, random_next(seed));
	return status == 128 + SIGKILL;
}

static uint64_t parcels_calls(void)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < 2 * SIDE; i++)
		sum += __atomic_load_n(&books->calls[i], __ATOMIC_RELAXED);
	return sum;
}

/* Not before something has been done since the last time. */
static bool kill_somebody(pid_t *pid, int fd, uint32_t *seed)
{
	uint64_t calls = parcels_calls() + random_next(seed) % 20;

	return wait_until(parcels_calls() >= calls) &&
	       kill_one(pid, random_next(seed) % (2 * SIDE), fd, seed);
}

static bool all_received(int fd)
{
	return !queue_msgs(fd) && !pipe_used(fd);
}

/* What is in doubt of one call are its first ones, and nothing behind. */
static bool doubt_is_right(int sender, const struct doubt *d)
{
	uint32_t i, end = 0;

	for (i = 0; i < d->count; i++)
		if (books->counted[sender][d->from + i])
			end = i + 1;
	for (i = 0; i < end; i++)
		if (!books->counted[sender][d->from + i] && !books->dead[sender][d->from + i])
			return false;
	return true;
}

static bool in_doubt(int sender, uint32_t seq)
{
	int i;

	for (i = 0; i < books->doubts[sender]; i++) {
		const struct doubt *d = &books->doubt[sender][i];

		if (seq >= d->from && seq < d->from + d->count)
			return true;
	}
	return false;
}

/* How many were sent for sure, and neither counted nor in a dead one's buffer. */
static int parcels_missing(int sender)
{
	uint32_t seq, next = ledger_get(sender).next;
	int missing = 0;

	for (seq = 0; seq < next; seq++) {
		if (books->counted[sender][seq] || books->dead[sender][seq] ||
		    in_doubt(sender, seq))
			continue;
		fprintf(stderr, "# %d/%u is missing\n", sender, seq);
		missing++;
	}
	for (; seq < PARCELS_MAX; seq++)
		if (books->counted[sender][seq])
			missing++;
	return missing;
}

static bool charge_is_back(int dev, const struct ipcx_query *before)
{
	struct ipcx_query now;

	return !dev_query(dev, &now) && now.user.objects == before->user.objects &&
	       now.user.bytes == before->user.bytes && now.ns.objects == before->ns.objects &&
	       now.ns.bytes == before->ns.bytes;
}

TEST_F_TIMEOUT(parcels, each_is_received_once, STRESS_TIMEOUT)
{
	int i, k, killed = 0;

	for (i = 0; i < 2 * SIDE; i++)
		self->pid[i] = parcels_start(i, self->fd, 1 + random_next(&self->seed));
	while (variant->kills && killed++ < scaled(KILLS))
		ASSERT_TRUE(kill_somebody(self->pid, self->fd, &self->seed));
	ASSERT_TRUE(wait_until(parcels_calls() > 2000));
	books->stop_senders = 1;
	EXPECT_EQ(0, workers_join(self->pid, SIDE, self->fd));
	EXPECT_TRUE(wait_until(all_received(self->fd)));
	books->stop_receivers = 1;
	EXPECT_EQ(0, workers_join(self->pid + SIDE, SIDE, self->fd));
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 0));
	for (i = 0; i < SIDE; i++) {
		EXPECT_LT(0, ledger_get(i).next);
		EXPECT_EQ(0, parcels_missing(i));
		for (k = 0; k < books->doubts[i]; k++)
			EXPECT_TRUE(doubt_is_right(i, &books->doubt[i][k]));
	}
	close(self->fd);
	EXPECT_TRUE(wait_until(charge_is_back(self->dev, &self->before)));
}

/* Hand-overs in the moment of something else. */

enum moment { MOMENT_SIGNAL, MOMENT_DEADLINE };

/*
 * struct meeting - the sleeper and the test, round by round
 * @go:   the round that the sleeper is to make
 * @done: the round that he has made, with @ret
 */
struct meeting {
	int go;
	int done;
	int ret;
	int leave;
	struct ipcx_deadline deadline;
};

#define MEETINGS	2000

FIXTURE(moment) {
	int dev;
	int fd;
	struct meeting *m;
	pid_t pid;
};

FIXTURE_VARIANT(moment) {
	bool sends;
	enum moment moment;
};

FIXTURE_VARIANT_ADD(moment, receiver_is_signalled) {
	.moment = MOMENT_SIGNAL,
};

FIXTURE_VARIANT_ADD(moment, receiver_is_late) {
	.moment = MOMENT_DEADLINE,
};

FIXTURE_VARIANT_ADD(moment, sender_is_signalled) {
	.sends = true, .moment = MOMENT_SIGNAL,
};

FIXTURE_VARIANT_ADD(moment, sender_is_late) {
	.sends = true, .moment = MOMENT_DEADLINE,
};

static void nothing(int sig)
{
	(void)sig;
}

__attribute__((noreturn)) static void meeting_run(struct meeting *m, int fd, bool sends)
{
	struct sigaction sa = { .sa_handler = nothing };
	unsigned char buf[100];
	struct ipcx_msg msg;
	int go;

	sigaction(SIGUSR1, &sa, NULL);
	while (!__atomic_load_n(&m->leave, __ATOMIC_SEQ_CST)) {
		go = __atomic_load_n(&m->go, __ATOMIC_SEQ_CST);
		if (go == m->done) {
			sched_yield();
			continue;
		}
		stream_fill(buf, go, sizeof(buf));
		if (sends)
			m->ret = queue_send_until(fd, 2, buf, sizeof(buf), 0, m->deadline);
		else
			m->ret = queue_recv_until(fd, select_any(), &msg, buf, sizeof(buf), 0,
						  m->deadline);
		if (!sends && m->ret == 1 && !stream_is(buf, go, sizeof(buf)))
			m->ret = -EILSEQ;
		__atomic_store_n(&m->done, go, __ATOMIC_SEQ_CST);
	}
	_exit(0);
}

FIXTURE_SETUP(moment)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->fd = queue_new(self->dev, 1, 100);
	self->m = mmap(NULL, sizeof(*self->m), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->m);
	self->pid = worker_start(0, self->fd);
	if (!self->pid)
		meeting_run(self->m, self->fd, variant->sends);
}

FIXTURE_TEARDOWN(moment)
{
	self->m->leave = 1;
	EXPECT_EQ(0, reap(self->pid));
	close(self->fd);
	close(self->dev);
}

static void spin_ns(uint32_t *seed, uint32_t most)
{
	uint64_t until = now_ns(CLOCK_MONOTONIC) + random_next(seed) % most;

	while (now_ns(CLOCK_MONOTONIC) < until)
		;
}

/* What the sleeper waits for: a message, or the space of the one that is there. */
static bool meeting_serve(int fd, bool sends, int round)
{
	return sends ? queue_get(fd, select_exact(1), 0, 100) == 1 :
		       queue_put(fd, 1, round, 100) == 1;
}

static bool meeting_over(const struct meeting *m, int round)
{
	return __atomic_load_n(&m->done, __ATOMIC_SEQ_CST) == round;
}

static bool meeting_sleeps(const struct meeting *m, int fd, int round)
{
	struct ipcx_stat st = pipe_stat(fd);

	return st.waiting_readers + st.waiting_writers || meeting_over(m, round);
}

/* Serves and signals in either order; a sleeper who misses his signal gets another. */
static bool meeting_signal(struct meeting *m, int fd, pid_t pid, bool sends, int round,
			   uint32_t *seed)
{
	bool signal_first = random_next(seed) % 2, served;

	m->deadline = deadline_never();
	__atomic_store_n(&m->go, round, __ATOMIC_SEQ_CST);
	if (random_next(seed) % 8 && !wait_until(meeting_sleeps(m, fd, round)))
		return false;
	if (signal_first)
		kill(pid, SIGUSR1);
	spin_ns(seed, 60000);
	served = meeting_serve(fd, sends, round);
	if (!signal_first) {
		spin_ns(seed, 60000);
		kill(pid, SIGUSR1);
	}
	return served && wait_until(meeting_over(m, round) || (kill(pid, SIGUSR1), false));
}

static bool meeting_deadline(struct meeting *m, int fd, bool sends, int round, uint32_t *seed)
{
	struct ipcx_deadline d = deadline_ms(0);

	d.ns += 20000 + random_next(seed) % 1000000;
	m->deadline = d;
	__atomic_store_n(&m->go, round, __ATOMIC_SEQ_CST);
	/* Around the deadline: half of them before, half of them after. */
	while (now_ns(CLOCK_MONOTONIC) + 60000 < d.ns)
		;
	spin_ns(seed, 120000);
	return meeting_serve(fd, sends, round) && wait_until(meeting_over(m, round));
}

/* Either the message is the sleeper's, or it is in the queue; never both or neither. */
TEST_F_TIMEOUT(moment, nothing_is_lost_or_doubled, STRESS_TIMEOUT)
{
	int early = variant->moment == MOMENT_SIGNAL ? -EINTR : -ETIMEDOUT;
	int round, got[2] = { 0 };
	uint32_t seed = 77;

	for (round = 1; round <= scaled(MEETINGS); round++) {
		if (variant->sends)
			ASSERT_EQ(1, queue_put(self->fd, 1, 0, 100));
		ASSERT_TRUE(variant->moment == MOMENT_SIGNAL ?
			    meeting_signal(self->m, self->fd, self->pid, variant->sends, round,
					   &seed) :
			    meeting_deadline(self->m, self->fd, variant->sends, round, &seed));
		ASSERT_TRUE(self->m->ret == 1 || self->m->ret == early)
			TH_LOG("round %d: %d", round, self->m->ret);
		ASSERT_EQ(variant->sends == (self->m->ret == 1), queue_msgs(self->fd))
			TH_LOG("round %d: %d", round, self->m->ret);
		got[self->m->ret == 1]++;
		if (queue_msgs(self->fd))
			ASSERT_EQ(variant->sends ? 2 : 1,
				  queue_get(self->fd, select_any(), round, 100));
		ASSERT_EQ(0, pipe_used(self->fd));
		ASSERT_EQ(0, pipe_stat(self->fd).waiting_readers);
		ASSERT_EQ(0, pipe_stat(self->fd).waiting_writers);
	}
	/* It has been tried on both sides of the moment. */
	EXPECT_LT(0, got[0]);
	EXPECT_LT(0, got[1]);
}

/* Pairs: each thing that can be done to a queue against each other, in threads. */

enum op {
	OP_SEND, OP_RECV, OP_SEND_BATCH, OP_RECV_BATCH, OP_PEEK, OP_PURGE, OP_RESIZE,
	OP_REMOVE, OP_POLL, OP_CLOSE, OP_FILE, OPS,
};

#define PAIR_MS		200
#define PAIR_BATCH	20
#define PAIR_LEN	60

/*
 * struct contest - one queue and two threads
 * @fd:      the file that all share
 * @sent:    messages that went in; @taken: that came out
 * @removed: that may have happened
 * @bad:     what an operation returned and must not
 */
struct contest {
	int fd;
	int arrived;
	int stop;
	int64_t sent;
	int64_t taken;
	bool removed;
	int bad;
	enum op bad_op;
};

struct rival {
	struct contest *c;
	enum op op;
	uint32_t seed;
};

static void count_moved(int64_t *counter, int64_t n)
{
	if (n > 0)
		__atomic_add_fetch(counter, n, __ATOMIC_SEQ_CST);
}

static struct ipcx_deadline soon(uint32_t *seed)
{
	struct ipcx_deadline d = deadline_ms(0);

	d.ns += random_next(seed) % 2000000;
	return d;
}

static int op_send(struct rival *r, int fd, uint32_t count)
{
	static const unsigned char buf[PAIR_LEN];
	struct ipcx_msg msgs[PAIR_BATCH];
	uint32_t i;
	int ret;

	for (i = 0; i < count; i++)
		msgs[i] = msg_out(1 + random_next(&r->seed) % TYPES, buf,
				  random_next(&r->seed) % PAIR_LEN);
	ret = ref_send(fd, ref_self(), msgs, count, random_next(&r->seed) % 2, soon(&r->seed));
	count_moved(&r->c->sent, ret);
	return ret;
}

static int op_recv(struct rival *r, int fd, uint32_t count, uint32_t flags)
{
	unsigned char buf[PAIR_LEN];
	struct ipcx_msg msgs[PAIR_BATCH];
	uint32_t i;
	int ret;

	for (i = 0; i < count; i++)
		msgs[i] = msg_room(buf, sizeof(buf));
	ret = ref_recv(fd, ref_self(), msgs, count, random_select(&r->seed),
		       flags & IPCX_PEEK ? random_next(&r->seed) % 10 : 0,
		       flags ?: random_next(&r->seed) % 2, soon(&r->seed));
	if (!(flags & IPCX_PEEK))
		count_moved(&r->c->taken, ret);
	return ret;
}

static int op_resize(struct rival *r)
{
	struct ipcx_queue_params limits = queue_limits(1 + random_next(&r->seed) % 50,
						       100 + random_next(&r->seed) % 3000,
						       PAIR_LEN);

	return queue_resize(r->c->fd, &limits);
}

static int op_poll(struct rival *r)
{
	struct pollfd p = { .fd = r->c->fd, .events = 1 << random_next(&r->seed) % 3 };
	int ret = poll(&p, 1, random_next(&r->seed) % 3);

	if (ret == 1 && (p.revents & POLLERR))
		return -EIDRM;
	return ret < 0 ? -errno : 0;
}

/* Another file comes, is used and goes. */
static int op_close(struct rival *r)
{
	int fd = fd_open(r->c->fd, IPCX_ACCESS_RDWR, 0);
	int ret;

	if (fd < 0)
		return fd;
	ret = random_next(&r->seed) % 2 ? op_send(r, fd, 1) : op_recv(r, fd, 1, 0);
	close(fd);
	return ret;
}

static int op_make(struct rival *r)
{
	uint32_t count = random_size(&r->seed, PAIR_BATCH);
	int fd = r->c->fd;
	int64_t ret;

	switch (r->op) {
	case OP_SEND:
		return op_send(r, fd, 1);
	case OP_RECV:
		return op_recv(r, fd, 1, 0);
	case OP_SEND_BATCH:
		return op_send(r, fd, count);
	case OP_RECV_BATCH:
		return op_recv(r, fd, count, 0);
	case OP_PEEK:
		return op_recv(r, fd, count, IPCX_PEEK);
	case OP_PURGE:
		ret = queue_purge(fd, random_select(&r->seed));
		count_moved(&r->c->taken, ret);
		return ret;
	case OP_RESIZE:
		return op_resize(r);
	case OP_REMOVE:
		spin_ns(&r->seed, 300000);
		return fd_remove(fd);
	case OP_POLL:
		return op_poll(r);
	case OP_CLOSE:
		return op_close(r);
	default:
		return queue_file(fd, random_select(&r->seed), 1 + random_next(&r->seed) % TYPES,
				  0);
	}
}

static bool op_allowed(const struct rival *r, int ret)
{
	bool moves = r->op == OP_SEND || r->op == OP_RECV || r->op == OP_SEND_BATCH ||
		     r->op == OP_RECV_BATCH || r->op == OP_CLOSE;

	return ret >= 0 || (ret == -EIDRM && r->c->removed) ||
	       (ret == -ETIMEDOUT && moves) || (ret == -EAGAIN && (moves || r->op == OP_PEEK)) ||
	       (ret == -EBUSY && r->op == OP_RESIZE);
}

static void *rival_run(void *arg)
{
	struct rival *r = arg;
	int ret = 0;

	__atomic_add_fetch(&r->c->arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&r->c->arrived, __ATOMIC_SEQ_CST) < 2)
		sched_yield();
	while (ret != -EIDRM && !__atomic_load_n(&r->c->stop, __ATOMIC_SEQ_CST)) {
		ret = op_make(r);
		if (!op_allowed(r, ret)) {
			r->c->bad_op = r->op;
			__atomic_store_n(&r->c->bad, ret, __ATOMIC_SEQ_CST);
			break;
		}
	}
	return NULL;
}

/* Meanwhile the test sees to it that the queue is neither always empty nor always full. */
static void contest_feed(struct contest *c, uint32_t *seed, uint64_t until)
{
	struct rival feeder = { .c = c, .seed = random_next(seed) };
	int ret = 0;

	while (ret != -EIDRM && now_ns(CLOCK_MONOTONIC) < until) {
		ret = random_next(seed) % 2 ? op_send(&feeder, c->fd, 5) :
					      op_recv(&feeder, c->fd, 5, 0);
	}
}

/* One queue from its birth to its end. */
static void contest(struct __test_metadata *_metadata, int dev, enum op one, enum op other,
		    uint32_t *seed, uint64_t until)
{
	struct contest c = { .removed = one == OP_REMOVE || other == OP_REMOVE };
	struct rival rival[2] = { { .c = &c, .op = one }, { .c = &c, .op = other } };
	pthread_t thread[2];
	int64_t left;
	int i;

	c.fd = queue_new(dev, 20, 1000);
	for (i = 0; i < 2; i++) {
		rival[i].seed = random_next(seed);
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, rival_run, &rival[i]));
	}
	contest_feed(&c, seed, until);
	__atomic_store_n(&c.stop, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(0, c.bad)
		TH_LOG("operation %d of %d against %d returned %d", c.bad_op, one, other, c.bad);
	if (!c.removed) {
		left = queue_msgs(c.fd);
		EXPECT_EQ(left, queue_purge(c.fd, select_any()));
		EXPECT_EQ(c.sent, c.taken + left)
			TH_LOG("operations %d and %d", one, other);
		EXPECT_EQ(0, queue_msgs(c.fd));
		EXPECT_EQ(0, pipe_used(c.fd));
		EXPECT_TRUE(pipe_waiting(c.fd, 0, 0));
		EXPECT_EQ(1, pipe_stat(c.fd).opens);
	}
	close(c.fd);
}

FIXTURE(pairs) {
	int dev;
};

FIXTURE_SETUP(pairs)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
}

FIXTURE_TEARDOWN(pairs)
{
	close(self->dev);
}

TEST_F_TIMEOUT(pairs, leave_nothing_behind, STRESS_TIMEOUT)
{
	struct ipcx_query before;
	uint32_t seed = 31;
	int one, other;

	ASSERT_EQ(0, dev_query(self->dev, &before));
	for (one = 0; one < OPS; one++) {
		for (other = one; other < OPS; other++) {
			uint64_t until = now_ns(CLOCK_MONOTONIC) + scaled(PAIR_MS) * 1000000ULL;

			/* A removed queue is over at once: then another. */
			do
				contest(_metadata, self->dev, one, other, &seed, until);
			while (now_ns(CLOCK_MONOTONIC) < until);
			ASSERT_TRUE(wait_until(charge_is_back(self->dev, &before)))
				TH_LOG("operations %d and %d", one, other);
		}
	}
}

TEST_HARNESS_MAIN
