// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes: many at once. Every byte that went in comes out once and in order,
 * whatever is signalled, killed, closed or removed meanwhile, and nobody hangs.
 */
#include "stress_test.h"

#define RACE_MS		3000

FIXTURE(records) {
	int dev;
	char name[TEST_NAME_SIZE];
};

FIXTURE_VARIANT(records) {
	uint64_t capacity_bytes;
	enum way even;
	enum way odd;
};

FIXTURE_VARIANT_ADD(records, small) {
	.capacity_bytes = 4096, .even = WAY_PLAIN, .odd = WAY_PLAIN,
};

FIXTURE_VARIANT_ADD(records, small_polled) {
	.capacity_bytes = 4096, .even = WAY_POLL, .odd = WAY_POLL,
};

FIXTURE_VARIANT_ADD(records, mixed) {
	.capacity_bytes = 65536, .even = WAY_PLAIN, .odd = WAY_POLL,
};

FIXTURE_VARIANT_ADD(records, small_mixed) {
	.capacity_bytes = 4096, .even = WAY_IOCTL, .odd = WAY_POLL,
};

FIXTURE_VARIANT_ADD(records, small_spliced) {
	.capacity_bytes = 4096, .even = WAY_SPLICE, .odd = WAY_PLAIN,
};

FIXTURE_VARIANT_ADD(records, spliced) {
	.capacity_bytes = 65536, .even = WAY_SPLICE, .odd = WAY_SPLICE,
};

FIXTURE_VARIANT_ADD(records, by_name) {
	.capacity_bytes = 8192, .even = WAY_NAME, .odd = WAY_NAME,
};

FIXTURE_SETUP(records)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	test_name(self->name, "records");
	shared_init();
}

FIXTURE_TEARDOWN(records)
{
	track_cleanup();
	close(self->dev);
}

TEST_F_TIMEOUT(records, arrive_once_and_in_order, STRESS_TIMEOUT)
{
	pid_t readers[8], writers[8];
	int hold, r, w, i;

	hold = pipe_create_sized(self->dev, self->name,
				 IPCX_LIFETIME_TRANSIENT, IPCX_ACCESS_NONE,
				 variant->capacity_bytes);
	r = fd_open(hold, IPCX_ACCESS_READ, IPCX_NONBLOCK);
	w = fd_open(hold, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(w, 0);
	ASSERT_EQ(0, fcntl(r, F_SETFL, 0));
	for (i = 0; i < 16; i++) {
		struct transfer t = {
			.way = i & 1 ? variant->odd : variant->even,
			.name = self->name,
		};
		bool reads = i >= 8;

		t.fd = t.way == WAY_NAME ? self->dev : reads ? r : w;
		(reads ? readers : writers)[i % 8] = worker_start(i, t.fd);
		if (!(reads ? readers : writers)[i % 8]) {
			if (reads)
				records_read(&t, READ_ORDER);
			records_write(&t, NULL);
		}
	}
	close(w);
	EXPECT_EQ(0, workers_join(writers, 8, hold));
	stop_all();
	EXPECT_EQ(0, workers_join(readers, 8, hold));
	EXPECT_LE(8 * RECORDS, shared->records_taken);
	EXPECT_EQ(records_put(), shared->records_taken);
	EXPECT_EQ(0, pipe_used(hold));
	EXPECT_TRUE(pipe_waiting(hold, 0, 0));
	close(r);
	close(hold);
}

/* Two processes, one long stream. */

FIXTURE(stream) {
	int dev;
	struct ends e;
};

FIXTURE_VARIANT(stream) {
	uint64_t capacity_bytes;
	uint64_t total;
	size_t most;
	enum way put;
	enum way take;
};

FIXTURE_VARIANT_ADD(stream, small) {
	.capacity_bytes = 4096, .total = 1500000, .most = 20000,
	.put = WAY_PLAIN, .take = WAY_PLAIN,
};

FIXTURE_VARIANT_ADD(stream, small_polled) {
	.capacity_bytes = 4096, .total = 1500000, .most = 20000,
	.put = WAY_POLL, .take = WAY_POLL,
};

FIXTURE_VARIANT_ADD(stream, blocking_to_polling) {
	.capacity_bytes = 65536, .total = 10000000, .most = 100000,
	.put = WAY_IOCTL, .take = WAY_POLL,
};

FIXTURE_VARIANT_ADD(stream, polling_to_blocking) {
	.capacity_bytes = 65536, .total = 10000000, .most = 100000,
	.put = WAY_POLL, .take = WAY_PLAIN,
};

FIXTURE_VARIANT_ADD(stream, short_transfers) {
	.capacity_bytes = 65536, .total = 500000, .most = 300,
	.put = WAY_PLAIN, .take = WAY_PLAIN,
};

FIXTURE_VARIANT_ADD(stream, big) {
	.capacity_bytes = 1 << 20, .total = 30000000, .most = 1500000,
	.put = WAY_PLAIN, .take = WAY_PLAIN,
};

FIXTURE_VARIANT_ADD(stream, big_polled) {
	.capacity_bytes = 1 << 20, .total = 30000000, .most = 1500000,
	.put = WAY_POLL, .take = WAY_POLL,
};

FIXTURE_VARIANT_ADD(stream, spliced_in) {
	.capacity_bytes = 4096, .total = 1500000, .most = 20000,
	.put = WAY_SPLICE, .take = WAY_PLAIN,
};

FIXTURE_VARIANT_ADD(stream, spliced_out) {
	.capacity_bytes = 4096, .total = 1500000, .most = 20000,
	.put = WAY_PLAIN, .take = WAY_SPLICE,
};

FIXTURE_VARIANT_ADD(stream, spliced) {
	.capacity_bytes = 65536, .total = 10000000, .most = 200000,
	.put = WAY_SPLICE, .take = WAY_SPLICE,
};

FIXTURE_VARIANT_ADD(stream, big_spliced) {
	.capacity_bytes = 1 << 20, .total = 30000000, .most = 1500000,
	.put = WAY_SPLICE, .take = WAY_SPLICE,
};

FIXTURE_SETUP(stream)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, variant->capacity_bytes);
	shared_init();
}

FIXTURE_TEARDOWN(stream)
{
	ends_close(&self->e);
	close(self->dev);
}

TEST_F_TIMEOUT(stream, is_exact, STRESS_TIMEOUT)
{
	struct flow f = {
		.total = variant->total, .most = variant->most, .seed = 99,
	};
	pid_t pid[2];

	f.t = (struct transfer) { .way = variant->put, .fd = self->e.w };
	pid[0] = flow_start(f, false);
	f.t = (struct transfer) { .way = variant->take, .fd = self->e.r };
	f.seed = 1234;
	pid[1] = flow_start(f, true);
	close(self->e.w);
	EXPECT_EQ(0, workers_join(pid, 2, self->e.r));
	EXPECT_EQ(variant->total, shared->put[0]);
	EXPECT_EQ(variant->total, shared->taken[0]);
	EXPECT_EQ(0, pipe_used(self->e.r));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

/* Signals all the time: a quick machine needs more bytes than a slow one. */

#define STORM_SIGNALS	30

static bool storm_enough(void)
{
	return __atomic_load_n(&shared->signals[0], __ATOMIC_RELAXED) >=
		       STORM_SIGNALS &&
	       __atomic_load_n(&shared->signals[1], __ATOMIC_RELAXED) >=
		       STORM_SIGNALS;
}

static void storm_handler(int sig)
{
	(void)sig;
	shared->signals[worker]++;
}

static void storm_begin(bool restarts)
{
	struct sigaction sa = {
		.sa_handler = storm_handler,
		.sa_flags = restarts ? SA_RESTART : 0,
	};
	struct itimerval timer = {
		.it_interval.tv_usec = 1100 + worker * 130,
		.it_value.tv_usec = 1000,
	};

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

FIXTURE(storm) {
	int dev;
	struct ends e;
};

FIXTURE_VARIANT(storm) {
	bool restarts;
	enum way way;
	uint64_t capacity_bytes;
};

FIXTURE_VARIANT_ADD(storm, eintr) {
	.way = WAY_PLAIN, .capacity_bytes = 4096,
};

FIXTURE_VARIANT_ADD(storm, restart) {
	.restarts = true, .way = WAY_PLAIN, .capacity_bytes = 4096,
};

FIXTURE_VARIANT_ADD(storm, ioctl_eintr) {
	.way = WAY_IOCTL, .capacity_bytes = 16384,
};

FIXTURE_VARIANT_ADD(storm, ioctl_restart) {
	.restarts = true, .way = WAY_IOCTL, .capacity_bytes = 16384,
};

FIXTURE_VARIANT_ADD(storm, splice_eintr) {
	.way = WAY_SPLICE, .capacity_bytes = 8192,
};

FIXTURE_VARIANT_ADD(storm, splice_restart) {
	.restarts = true, .way = WAY_SPLICE, .capacity_bytes = 8192,
};

/* poll(2) never restarts. */
FIXTURE_VARIANT_ADD(storm, polled) {
	.way = WAY_POLL, .capacity_bytes = 4096,
};

FIXTURE_SETUP(storm)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, variant->capacity_bytes);
	shared_init();
}

FIXTURE_TEARDOWN(storm)
{
	ends_close(&self->e);
	close(self->dev);
}

TEST_F_TIMEOUT(storm, loses_nothing, STRESS_TIMEOUT)
{
	const uint64_t total = 1500000;
	struct flow f = {
		.t.way = variant->way, .most = 30000, .seed = 7,
		.restarts = variant->restarts, .enough = storm_enough,
	};
	pid_t pid[2];
	int i;

	for (i = 0; i < 2; i++) {
		int ret;

		f.t.fd = i ? self->e.r : self->e.w;
		f.total = i ? 0 : total;
		f.seed += i;
		pid[i] = worker_start(i, f.t.fd);
		if (pid[i])
			continue;
		storm_begin(variant->restarts);
		ret = i ? flow_take(&f, &shared->taken[0]) :
			  flow_put(&f, &shared->put[0]);
		if (ret)
			worker_fail("it ended with %d", ret);
		_exit(0);
	}
	close(self->e.w);
	EXPECT_EQ(0, workers_join(pid, 2, self->e.r));
	EXPECT_LE(total, shared->put[0]);
	EXPECT_EQ(shared->put[0], shared->taken[0]);
	EXPECT_LE(STORM_SIGNALS, shared->signals[0]);
	EXPECT_LE(STORM_SIGNALS, shared->signals[1]);
	EXPECT_TRUE(pipe_waiting(self->e.r, 0, 0));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

/* Kills. */

FIXTURE(death) {
	int dev;
};

FIXTURE_VARIANT(death) {
	uint64_t capacity_bytes;
	enum way way;
	size_t most;
};

FIXTURE_VARIANT_ADD(death, small) {
	.capacity_bytes = 4096, .way = WAY_PLAIN, .most = 10000,
};

FIXTURE_VARIANT_ADD(death, polled) {
	.capacity_bytes = 4096, .way = WAY_POLL, .most = 10000,
};

FIXTURE_VARIANT_ADD(death, big) {
	.capacity_bytes = 1 << 20, .way = WAY_IOCTL, .most = 500000,
};

FIXTURE_VARIANT_ADD(death, spliced) {
	.capacity_bytes = 16384, .way = WAY_SPLICE, .most = 50000,
};

FIXTURE_SETUP(death)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	shared_init();
}

FIXTURE_TEARDOWN(death)
{
	close(self->dev);
}

/* Kills somewhere in the middle: after some bytes, and a moment more. */
static void kill_somewhere(pid_t pid, const uint64_t *counter, size_t most,
			   uint32_t *seed)
{
	uint64_t after = random_next(seed) % (5 * most);
	uint64_t spin = random_next(seed) % 300000;

	if (!wait_until(progress(counter) >= after)) {
		fprintf(stderr, "# no progress\n");
		pid_explain(pid);
	}
	spin += now_ns(CLOCK_MONOTONIC);
	while (now_ns(CLOCK_MONOTONIC) < spin)
		;
	kill(pid, SIGKILL);
}

/*
 * One round: both run until one is killed. The survivor must come to its end,
 * which is checked where it runs.
 */
struct round {
	struct ends e;
	pid_t writer;
	pid_t reader;
};

static struct round round_start(int dev, uint64_t capacity_bytes,
				struct flow f)
{
	struct round r = { .e = ends_open(dev, capacity_bytes) };
	int ret;

	shared_reset();
	f.t.fd = r.e.w;
	r.writer = worker_start(0, f.t.fd);
	if (!r.writer) {
		ret = flow_put(&f, &shared->put[0]);
		if (ret != -EPIPE)
			worker_fail("the writer ended with %d", ret);
		_exit(0);
	}
	f.t.fd = r.e.r;
	r.reader = flow_start(f, true);
	return r;
}

TEST_F_TIMEOUT(death, of_writer_is_end_of_file, STRESS_TIMEOUT)
{
	uint32_t seed = 4711;
	int i;

	for (i = 0; i < 15; i++) {
		struct flow f = {
			.t.way = variant->way, .most = variant->most,
			.seed = random_next(&seed),
		};
		struct round r = round_start(self->dev, variant->capacity_bytes,
					     f);

		close(r.e.w);
		kill_somewhere(r.writer, &shared->put[0], variant->most, &seed);
		EXPECT_EQ(128 + SIGKILL, reap(r.writer));
		/* It checks each byte itself. */
		ASSERT_EQ(0, workers_join(&r.reader, 1, r.e.r));
		EXPECT_LE(shared->put[0], shared->taken[0]);
		EXPECT_LE(shared->taken[0], shared->put[0] + variant->most);
		EXPECT_EQ(0, pipe_used(r.e.r));
		EXPECT_TRUE(pipe_waiting(r.e.r, 0, 0));
		close(r.e.r);
	}
}

TEST_F_TIMEOUT(death, of_reader_is_epipe, STRESS_TIMEOUT)
{
	unsigned char *rest = malloc(variant->capacity_bytes);
	uint32_t seed = 815;
	int i;

	for (i = 0; i < 15; i++) {
		struct flow f = {
			.t.way = variant->way, .most = variant->most,
			.seed = random_next(&seed),
		};
		struct round r = round_start(self->dev, variant->capacity_bytes,
					     f);
		uint64_t left, from;
		int hold;

		hold = fd_open(r.e.r, IPCX_ACCESS_NONE, 0);
		close(r.e.r);
		close(r.e.w);
		kill_somewhere(r.reader, &shared->taken[0], variant->most,
			       &seed);
		EXPECT_EQ(128 + SIGKILL, reap(r.reader));
		ASSERT_EQ(0, workers_join(&r.writer, 1, hold));
		/* The pipe begins where the reader was, and ends with the
		 * writer's last byte.
		 */
		r.e.r = fd_open(hold, IPCX_ACCESS_READ, 0);
		left = pipe_drain(r.e.r, rest, variant->capacity_bytes);
		from = shared->put[0] - left;
		EXPECT_LE(shared->taken[0], from);
		EXPECT_LE(from, shared->taken[0] + variant->most);
		EXPECT_TRUE(stream_is(rest, from, left));
		EXPECT_TRUE(pipe_waiting(hold, 0, 0));
		close(r.e.r);
		close(hold);
	}
	free(rest);
}

/* Writers that come and go: end of file again and again, and nothing lost. */

FIXTURE(race) {
	int dev;
	int hold;
	char name[TEST_NAME_SIZE];
};

FIXTURE_SETUP(race)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	test_name(self->name, "race");
	self->hold = pipe_create_sized(self->dev, self->name,
				       IPCX_LIFETIME_PERSISTENT,
				       IPCX_ACCESS_NONE, CAPACITY_MIN);
	ASSERT_GE(self->hold, 0);
	shared_init();
}

FIXTURE_TEARDOWN(race)
{
	track_cleanup();
	close(self->hold);
	close(self->dev);
}

#define VISITS	150

static void visitor(int dev, const char *name)
{
	struct record r;
	int fd, seq, ret;

	for (seq = 0; seq < VISITS; seq++) {
		fd = name_open(dev, name, IPCX_ACCESS_WRITE, 0);
		if (fd < 0)
			worker_fail("open: %d", fd);
		records_make(&r, 1, worker, seq);
		ret = plain_write(fd, &r, sizeof(r));
		if (ret != sizeof(r))
			worker_fail("write: %d", ret);
		close(fd);
	}
	_exit(0);
}

TEST_F_TIMEOUT(race, visitors_lose_nothing, STRESS_TIMEOUT)
{
	unsigned int total = 0;
	struct reading g;
	struct record r;
	pid_t pid[4];
	int fd, i, ret;

	reading_begin(&g, READ_ORDER | READ_WHOLE);
	for (i = 0; i < 4; i++) {
		pid[i] = worker_start(i, self->dev);
		if (!pid[i])
			visitor(self->dev, self->name);
	}
	fd = name_open(self->dev, self->name, IPCX_ACCESS_READ, 0);
	ASSERT_GE(fd, 0);
	while (total < 4 * VISITS) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		ASSERT_EQ(1, poll(&p, 1, PATIENCE_MS))
			TH_LOG("after %u of %u", total, 4 * VISITS);
		ret = plain_read(fd, &r, sizeof(r));
		if (!ret)
			continue;
		ASSERT_EQ(sizeof(r), ret);
		record_check(&r, &g);
		total++;
	}
	EXPECT_EQ(0, workers_join(pid, 4, self->hold));
	EXPECT_EQ(0, plain_read(fd, &r, sizeof(r)));
	close(fd);
	EXPECT_EQ(1, pipe_stat(self->hold).opens);
}

/* Many on either side, each in its turn; sums, for there are no records. */

static void sum_bytes(uint64_t *sum, const unsigned char *buf, int len)
{
	while (len--)
		*sum += *buf++;
}

static void turn_writer(int fd)
{
	static unsigned char buf[300];
	uint32_t seed = 1 + worker;
	uint64_t sum = 0;
	unsigned int put = 0;
	int len, ret;

	while (!stopped()) {
		len = random_size(&seed, sizeof(buf));
		stream_fill(buf, random_next(&seed), len);
		ret = plain_write(fd, buf, len);
		if (ret != len)
			worker_fail("write of %d: %d", len, ret);
		sum_bytes(&sum, buf, len);
		put += len;
	}
	shared->put[worker] = sum;
	shared->rounds[worker] = put;
	_exit(0);
}

static void turn_reader(int fd)
{
	static unsigned char buf[300];
	uint32_t seed = 1 + worker;
	uint64_t sum = 0;
	unsigned int taken = 0;
	int len, ret;

	for (;;) {
		len = random_size(&seed, sizeof(buf));
		ret = plain_read(fd, buf, len);
		if (!ret)
			break;
		if (ret < 0 || ret > len)
			worker_fail("read of %d: %d", len, ret);
		sum_bytes(&sum, buf, ret);
		taken += ret;
	}
	shared->taken[worker] = sum;
	shared->rounds[worker] = taken;
	_exit(0);
}

TEST_F_TIMEOUT(race, sides_are_shared, STRESS_TIMEOUT)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	uint64_t put = 0, taken = 0;
	unsigned int bytes = 0;
	pid_t pid[8];
	int i;

	for (i = 0; i < 8; i++) {
		int fd = i & 1 ? e.r : e.w;

		pid[i] = worker_start(i, fd);
		if (pid[i])
			continue;
		if (i & 1)
			turn_reader(fd);
		turn_writer(fd);
	}
	close(e.w);
	usleep(RACE_MS * 1000);
	stop_all();
	EXPECT_EQ(0, workers_join(pid, 8, e.r));
	for (i = 0; i < 8; i++) {
		put += shared->put[i];
		taken += shared->taken[i];
		bytes += i & 1 ? -shared->rounds[i] : shared->rounds[i];
		EXPECT_LT(0, shared->rounds[i]);
	}
	EXPECT_EQ(put, taken);
	EXPECT_EQ(0, bytes);
	close(e.r);
}

/* Openers of both sides, closing at once, some of them interrupted. */
static void opener(int dev, const char *name, uint32_t access)
{
	struct ipcx_open arg = {
		.ref = ref_name(name),
		.access = access,
		.deadline = deadline_never(),
	};
	int fd;

	if (worker >= 4)
		storm_begin(false);
	while (!stopped()) {
		fd = ipc_ioctl(dev, IPCX_IOC_OPEN, &arg);
		if (fd == -EINTR)
			continue;
		if (fd < 0)
			worker_fail("open: %d", fd);
		close(fd);
		shared->rounds[worker]++;
	}
	_exit(0);
}

TEST_F_TIMEOUT(race, openers_meet, STRESS_TIMEOUT)
{
	struct ipcx_stat st;
	pid_t pid[6];
	int both, i;

	for (i = 0; i < 6; i++) {
		pid[i] = worker_start(i, self->dev);
		if (!pid[i])
			opener(self->dev, self->name, i & 1 ?
			       IPCX_ACCESS_READ : IPCX_ACCESS_WRITE);
	}
	usleep(RACE_MS * 1000);
	stop_all();
	both = fd_open(self->hold, IPCX_ACCESS_RDWR, 0);
	EXPECT_EQ(0, workers_join(pid, 6, self->hold));
	for (i = 0; i < 6; i++)
		EXPECT_LT(0, shared->rounds[i]);
	close(both);
	st = pipe_stat(self->hold);
	EXPECT_EQ(1, st.opens);
	EXPECT_EQ(0, st.readers);
	EXPECT_EQ(0, st.writers);
	EXPECT_EQ(-ENXIO, name_open(self->dev, self->name, IPCX_ACCESS_WRITE,
				    IPCX_NONBLOCK));
}

/* Openers that are killed in their sleep leave no count. */
TEST_F_TIMEOUT(race, openers_die, STRESS_TIMEOUT)
{
	struct ipcx_stat st;
	uint32_t seed = 17;
	int i, both;

	for (i = 0; i < 100; i++) {
		uint64_t spin = random_next(&seed) % 2000000;
		pid_t pid = worker_start(i & 1, self->dev);

		if (!pid)
			opener(self->dev, self->name, i & 1 ?
			       IPCX_ACCESS_READ : IPCX_ACCESS_WRITE);
		spin += now_ns(CLOCK_MONOTONIC);
		while (now_ns(CLOCK_MONOTONIC) < spin)
			;
		both = i % 4 ? -1 : fd_open(self->hold, IPCX_ACCESS_RDWR, 0);
		kill(pid, SIGKILL);
		EXPECT_EQ(128 + SIGKILL, reap(pid));
		if (both >= 0)
			close(both);
		st = pipe_stat(self->hold);
		ASSERT_EQ(1, st.opens);
		ASSERT_EQ(0, st.readers);
		ASSERT_EQ(0, st.writers);
	}
}

/* REMOVE against everything. */

static bool any_of(int ret, const int *errors)
{
	for (; *errors; errors++)
		if (ret == -*errors)
			return true;
	return ret >= 0;
}

/* One visit to the pipe of that name, as long as it lives. */
static void removal_visit(int dev, const char *name, uint32_t *seed)
{
	static const int io_errors[] = { EIDRM, EAGAIN, ETIMEDOUT, EPIPE, 0 };
	static const int open_errors[] = { EIDRM, ENOENT, ENXIO, ETIMEDOUT, 0 };
	static const int name_errors[] = { EIDRM, ENOENT, ETIMEDOUT, 0 };
	static unsigned char buf[8192];
	struct ipcx_open arg = {
		.ref = ref_name(name),
		.access = random_next(seed) % 4,
		.deadline = deadline_ms(20),
	};
	struct pollfd p = { .events = POLLIN | POLLOUT };
	struct ipcx_stat st;
	int ret, i, fd;

	fd = ipc_ioctl(dev, IPCX_IOC_OPEN, &arg);
	if (!any_of(fd, open_errors))
		worker_fail("open: %d", fd);
	ret = ref_io(dev, random_next(seed) % 2 ? IPCX_IOC_READ :
		     IPCX_IOC_WRITE, ref_name(name), buf, 100, 0,
		     deadline_ms(2));
	if (!any_of(ret, name_errors))
		worker_fail("transfer by name: %d", ret);
	if (fd < 0)
		return;
	for (i = 0; i < 5; i++) {
		size_t len = random_size(seed, sizeof(buf));

		ret = !(arg.access & IPCX_ACCESS_WRITE) ? 0 :
		      ref_io(fd, IPCX_IOC_WRITE, ref_self(), buf, len,
			     IPCX_NO_SIGPIPE, deadline_ms(5));
		if (!any_of(ret, io_errors))
			worker_fail("write: %d", ret);
		ret = !(arg.access & IPCX_ACCESS_READ) ? 0 :
		      ref_io(fd, IPCX_IOC_READ, ref_self(), buf, len, 0,
			     deadline_ms(5));
		if (!any_of(ret, io_errors))
			worker_fail("read: %d", ret);
		p.fd = fd;
		if (poll(&p, 1, 2) < 0)
			worker_fail("poll: %d", errno);
		ret = fd_stat(fd, &st);
		if (ret && ret != -EIDRM)
			worker_fail("stat: %d", ret);
	}
	close(fd);
	shared->rounds[worker]++;
}

static void removal_worker(int dev, const char *name)
{
	uint32_t seed = 100 + worker;

	while (!stopped()) {
		struct ipcx_create arg = pipe_arg(name,
						  IPCX_LIFETIME_PERSISTENT,
						  IPCX_ACCESS_RDWR);
		int fd, ret;

		arg.flags = IPCX_OR_OPEN;
		if (worker < 2) {
			fd = ipc_ioctl(dev, IPCX_IOC_CREATE, &arg);
			if (fd < 0 && fd != -EIDRM && fd != -ENOENT)
				worker_fail("create: %d", fd);
			if (fd >= 0)
				close(fd);
		} else if (worker == 2) {
			usleep(random_next(&seed) % 3000);
			ret = name_remove(dev, name);
			if (ret && ret != -ENOENT && ret != -EIDRM)
				worker_fail("remove: %d", ret);
			shared->rounds[worker]++;
			continue;
		}
		removal_visit(dev, name, &seed);
	}
	_exit(0);
}

TEST_F_TIMEOUT(race, removal_against_all, STRESS_TIMEOUT)
{
	struct ipcx_query before, after;
	pid_t pid[8];
	int i;

	close(self->hold);
	ASSERT_EQ(0, name_remove(self->dev, self->name));
	ASSERT_EQ(0, dev_query(self->dev, &before));
	for (i = 0; i < 8; i++) {
		pid[i] = worker_start(i, self->dev);
		if (!pid[i])
			removal_worker(self->dev, self->name);
	}
	usleep(RACE_MS * 1000);
	stop_all();
	EXPECT_EQ(0, workers_join(pid, 8, -1));
	for (i = 0; i < 3; i++)
		EXPECT_LT(0, shared->rounds[i]);
	name_remove(self->dev, self->name);
	/* Everything that was made is gone, and paid back. */
	EXPECT_TRUE(wait_until(!dev_query(self->dev, &after) &&
			       after.user.objects == before.user.objects))
		TH_LOG("%llu objects, before %llu",
		       (unsigned long long)after.user.objects,
		       (unsigned long long)before.user.objects);
	EXPECT_EQ(before.user.bytes, after.user.bytes);
	self->hold = dup(self->dev);
}

/* Sleepers of each kind, and a REMOVE: all of them come back, each time. */
TEST_F_TIMEOUT(race, removal_wakes_each_sleeper, STRESS_TIMEOUT)
{
	uint32_t seed = 31;
	int round, i;

	for (round = 0; round < 15; round++) {
		struct ends e = ends_open(self->dev, CAPACITY_MIN);
		bool full = round & 1;
		pid_t pid[6];

		if (full)
			ASSERT_EQ(4096, stream_write(e.w, 0, 4096));
		for (i = 0; i < 6; i++) {
			int fd = full ? e.w : e.r, ret;
			char byte = 0;

			pid[i] = worker_start(i, fd);
			if (pid[i])
				continue;
			if (i >= 4)
				way_poll(fd, full ? POLLOUT : POLLIN);
			ret = full ? plain_write(fd, &byte, 1) :
				     plain_read(fd, &byte, 1);
			if (ret != -EIDRM)
				worker_fail("it returned %d", ret);
			_exit(0);
		}
		usleep(random_next(&seed) % 20000);
		ASSERT_EQ(0, fd_remove(e.r));
		ASSERT_EQ(0, workers_join(pid, 6, -1));
		ends_close(&e);
	}
}

TEST_HARNESS_MAIN
