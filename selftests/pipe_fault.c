// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes: buffers that are not there. A fault in the middle of a copy loses no
 * byte and repeats none; a copy that is stuck in one (userfaultfd) stops nobody
 * who has a deadline, a signal or something else to do.
 */
#include "pipe_test.h"

#define PAGES	16	/* of a buffer as long as the default capacity */

/* Where in the ring transfers begin, so that they wrap in some of the tests. */
static const unsigned int ring_offsets[] = { 0, 1000, 8192, 65535 };

static void ring_turn(struct ends e, unsigned int offset)
{
	if (offset && (stream_write(e.w, 0, offset) != (int)offset ||
		       stream_read(e.r, 0, offset) != (int)offset))
		abort();
}

FIXTURE(fault) {
	int dev;
};

FIXTURE_VARIANT(fault) {
	enum call_kind take;
	enum call_kind put;
};

FIXTURE_VARIANT_ADD(fault, plain) { .take = CALL_READ, .put = CALL_WRITE };
FIXTURE_VARIANT_ADD(fault, vector) { .take = CALL_READV, .put = CALL_WRITEV };

FIXTURE_VARIANT_ADD(fault, ioctl) {
	.take = CALL_IOC_READ, .put = CALL_IOC_WRITE,
};

FIXTURE_SETUP(fault)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	sigpipe_catch();
}

FIXTURE_TEARDOWN(fault)
{
	track_cleanup();
	close(self->dev);
}

/* One call in this process, on a buffer of the test's own. */
static int call_here(enum call_kind kind, int fd, void *buf, size_t len)
{
	struct call c = {
		.kind = kind, .fd = fd, .len = len,
		.deadline = deadline_patience(),
	};
	int ret = call_make(&c, buf);

	return ret < 0 ? -errno : ret;
}

TEST_F(fault, read_stops_at_each_page)
{
	unsigned int hole, i;

	for (hole = 0; hole < PAGES; hole++) {
		struct ends e = ends_open(self->dev, 0);
		unsigned char *buf = holed_buffer(PAGES, hole);
		int good = hole * PAGE_BYTES;

		i = hole % ARRAY_SIZE(ring_offsets);
		ring_turn(e, ring_offsets[i]);
		ASSERT_EQ(CAPACITY_DEFAULT,
			  stream_write(e.w, 0, CAPACITY_DEFAULT));
		EXPECT_EQ(good ?: -EFAULT,
			  call_here(variant->take, e.r, buf, CAPACITY_DEFAULT))
			TH_LOG("hole at page %u", hole);
		EXPECT_TRUE(stream_is(buf, 0, good));
		EXPECT_EQ(CAPACITY_DEFAULT - good, (int)pipe_used(e.r));
		EXPECT_EQ(CAPACITY_DEFAULT - good,
			  stream_read(e.r, good, CAPACITY_DEFAULT - good));
		EXPECT_EQ(-EAGAIN, stream_read(e.r, 0, 1));
		holed_free(buf, PAGES);
		ends_close(&e);
	}
}

/* The copy crosses into the hole after 1, 2, ... bytes. */
TEST_F(fault, short_read_stops_at_hole)
{
	static const int goods[] = { 0, 1, 2, 99, 100, 2048, 4094, 4095 };
	unsigned char *buf = holed_buffer(2, 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(goods); i++) {
		struct ends e = ends_open(self->dev, CAPACITY_MIN);
		int good = goods[i];

		ring_turn(e, i * 512);
		ASSERT_EQ(4096, stream_write(e.w, 0, 4096));
		EXPECT_EQ(good ?: -EFAULT,
			  call_here(variant->take, e.r,
				    buf + PAGE_BYTES - good, 4096))
			TH_LOG("%d good bytes", good);
		EXPECT_TRUE(stream_is(buf + PAGE_BYTES - good, 0, good));
		EXPECT_EQ(4096 - good, stream_read(e.r, good, 4096 - good));
		EXPECT_EQ(-EAGAIN, stream_read(e.r, 0, 1));
		ends_close(&e);
	}
	holed_free(buf, 2);
}

/* A hole beyond what there is to read is nobody's business. */
TEST_F(fault, read_that_ends_before_hole)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	unsigned char *buf = holed_buffer(2, 1);

	ASSERT_EQ(100, stream_write(e.w, 0, 100));
	EXPECT_EQ(100, call_here(variant->take, e.r, buf, 2 * PAGE_BYTES));
	EXPECT_TRUE(stream_is(buf, 0, 100));
	EXPECT_EQ(0, pipe_used(e.r));
	holed_free(buf, 2);
	ends_close(&e);
}

TEST_F(fault, large_write_stops_at_each_page)
{
	unsigned int hole, i;

	for (hole = 0; hole < PAGES; hole++) {
		struct ends e = ends_open(self->dev, 0);
		unsigned char *buf = holed_buffer(PAGES, PAGES);
		int good = hole * PAGE_BYTES;

		i = hole % ARRAY_SIZE(ring_offsets);
		ring_turn(e, ring_offsets[i]);
		stream_fill(buf, 0, CAPACITY_DEFAULT);
		ASSERT_EQ(0, mprotect(buf + good, PAGE_BYTES, PROT_NONE));
		EXPECT_EQ(good ?: -EFAULT,
			  call_here(variant->put, e.w, buf, CAPACITY_DEFAULT))
			TH_LOG("hole at page %u", hole);
		EXPECT_EQ(good, (int)pipe_used(e.r));
		ASSERT_EQ(4096, stream_write(e.w, good, 4096));
		EXPECT_EQ(good + 4096, stream_read(e.r, 0, good + 4096));
		EXPECT_EQ(-EAGAIN, stream_read(e.r, 0, 1));
		holed_free(buf, PAGES);
		ends_close(&e);
	}
}

/* Whole or nothing: also when half of the bytes could be copied. */
TEST_F(fault, atomic_write_is_whole_or_not)
{
	static const int goods[] = { 0, 1, 2, 99, 100, 2048, 4094, 4095 };
	unsigned char *buf = holed_buffer(2, 2);
	unsigned int i;

	stream_fill(buf, 0, PAGE_BYTES);
	ASSERT_EQ(0, mprotect(buf + PAGE_BYTES, PAGE_BYTES, PROT_NONE));
	for (i = 0; i < ARRAY_SIZE(goods); i++) {
		struct ends e = ends_open(self->dev, 8192);
		int good = goods[i];

		/* The ring wraps inside what is good, or beyond. */
		ring_turn(e, 8192 - 1 - i * 256);
		ASSERT_EQ(7, stream_write(e.w, 0, 7));
		EXPECT_EQ(-EFAULT, call_here(variant->put, e.w,
					     buf + PAGE_BYTES - good, 4096))
			TH_LOG("%d good bytes", good);
		EXPECT_EQ(-EFAULT, call_here(variant->put, e.w,
					     buf + PAGE_BYTES - good,
					     good + 1));
		EXPECT_EQ(7, pipe_used(e.r));
		EXPECT_EQ(8192 - 7, stream_write(e.w, 7, 8192 - 7));
		EXPECT_EQ(8192, stream_read(e.r, 0, 8192));
		EXPECT_EQ(-EAGAIN, stream_read(e.r, 0, 1));
		ends_close(&e);
	}
	holed_free(buf, 2);
}

TEST_F(fault, failures_leave_no_marks)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	unsigned char *buf = holed_buffer(1, 0);
	struct ipcx_stat st;

	EXPECT_EQ(-EFAULT, call_here(variant->put, e.w, buf, 8));
	st = pipe_stat(e.r);
	EXPECT_EQ(0, st.write_ns);
	EXPECT_EQ(0, st.last_writer_pid);
	ASSERT_EQ(8, stream_write(e.w, 0, 8));
	EXPECT_EQ(-EFAULT, call_here(variant->take, e.r, buf, 8));
	st = pipe_stat(e.r);
	EXPECT_EQ(0, st.read_ns);
	EXPECT_EQ(0, st.last_reader_pid);
	EXPECT_EQ(8, st.used_bytes);
	holed_free(buf, 1);
	ends_close(&e);
}

/*
 * A long write goes through a small pipe, waiting many times, until its hole:
 * what it reports is what the reader has got.
 */
TEST_F(fault, waiting_write_reports_what_was_read)
{
	unsigned int hole;

	for (hole = 1; hole < PAGES; hole += 3) {
		struct ends e = ends_open(self->dev, CAPACITY_MIN);
		unsigned char *buf = holed_buffer(PAGES, PAGES);
		int good = hole * PAGE_BYTES;
		pid_t pid;

		stream_fill(buf, 0, CAPACITY_DEFAULT);
		ASSERT_EQ(0, mprotect(buf + good, PAGE_BYTES, PROT_NONE));
		pid = fork();
		if (!pid) {
			static unsigned char in[1000];
			int ret, at = 0;

			close(e.w);
			while ((ret = fd_read(e.r, in, sizeof(in), 0)) > 0) {
				if (!stream_is(in, at, ret))
					_exit(1);
				at += ret;
			}
			_exit(ret || at != good ? 2 : 0);
		}
		EXPECT_EQ(good, call_here(variant->put, e.w, buf,
					  CAPACITY_DEFAULT));
		close(e.w);
		EXPECT_EQ(0, reap(pid));
		close(e.r);
		holed_free(buf, PAGES);
	}
}

/*
 * An arrival wakes a reader who cannot take it: the one behind must get it. The
 * bad one may also fail before it sleeps.
 */
TEST_F(fault, faulting_reader_passes_wake_on)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	int i;

	for (i = 0; i < 10; i++) {
		struct call c = {
			.kind = variant->take, .fd = e.r, .len = 4,
			.bad_buffer = true,
		};
		struct actor bad = actor_start(c), good;

		wait_until(actor_over(&bad) || actor_sleeps(&bad));
		c.bad_buffer = false;
		good = actor_start_asleep(c);
		ASSERT_EQ(4, stream_write(e.w, 0, 4));
		EXPECT_EQ(4, actor_result(&good));
		EXPECT_TRUE(stream_is(good.s->data, 0, 4));
		if (!actor_over(&bad))
			ASSERT_EQ(4, stream_write(e.w, 0, 4));
		EXPECT_EQ(-EFAULT, actor_result(&bad));
		actor_end(&bad);
		actor_end(&good);
		if (pipe_used(e.r))
			ASSERT_EQ(4, stream_read(e.r, 0, 4));
		ASSERT_TRUE(pipe_waiting(e.r, 0, 0));
	}
	ends_close(&e);
}

TEST_F(fault, faulting_writer_passes_wake_on)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	int i;

	ASSERT_EQ(4096, stream_write(e.w, 0, 4096));
	for (i = 0; i < 10; i++) {
		struct call c = {
			.kind = variant->put, .fd = e.w, .len = 4,
			.bad_buffer = true,
		};
		struct actor bad = actor_start(c), good;
		unsigned char buf[4];

		wait_until(actor_over(&bad) || actor_sleeps(&bad));
		c.bad_buffer = false;
		good = actor_start_asleep(c);
		ASSERT_EQ(4, fd_read(e.r, buf, 4, IPCX_NONBLOCK));
		EXPECT_EQ(4, actor_result(&good));
		actor_end(&good);
		if (!actor_over(&bad)) {
			ASSERT_EQ(4, fd_read(e.r, buf, 4, IPCX_NONBLOCK));
			EXPECT_EQ(-EFAULT, actor_result(&bad));
			ASSERT_EQ(4, stream_write(e.w, 0, 4));
		}
		actor_end(&bad);
		ASSERT_EQ(4096, pipe_used(e.r));
		ASSERT_TRUE(pipe_waiting(e.r, 0, 0));
	}
	ends_close(&e);
}

/* Vectors with one bad piece. */

FIXTURE(vector) {
	int dev;
	struct ends e;
	unsigned char *bad;
};

FIXTURE_SETUP(vector)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, 0);
	self->bad = holed_buffer(1, 0);
}

FIXTURE_TEARDOWN(vector)
{
	holed_free(self->bad, 1);
	ends_close(&self->e);
	close(self->dev);
}

TEST_F(vector, readv_stops_at_bad_piece)
{
	unsigned char buf[300];
	struct iovec iov[3];
	int bad, k;

	for (bad = 0; bad < 3; bad++) {
		int good = bad * 100, ret;

		ASSERT_EQ(300, stream_write(self->e.w, 0, 300));
		memset(buf, POISON, sizeof(buf));
		for (k = 0; k < 3; k++) {
			iov[k].iov_base = k == bad ? self->bad : buf + k * 100;
			iov[k].iov_len = 100;
		}
		ret = readv(self->e.r, iov, 3);
		EXPECT_EQ(good ?: -1, ret);
		if (!good)
			EXPECT_EQ(EFAULT, errno);
		EXPECT_TRUE(stream_is(buf, 0, good));
		EXPECT_EQ(300 - good,
			  stream_read(self->e.r, good, 300 - good));
		ASSERT_EQ(0, pipe_used(self->e.r));
	}
}

TEST_F(vector, atomic_writev_is_whole_or_not)
{
	unsigned char buf[300];
	struct iovec iov[3];
	int bad, k;

	stream_fill(buf, 0, sizeof(buf));
	for (bad = 0; bad < 3; bad++) {
		for (k = 0; k < 3; k++) {
			iov[k].iov_base = k == bad ? self->bad : buf + k * 100;
			iov[k].iov_len = 100;
		}
		EXPECT_EQ(-1, writev(self->e.w, iov, 3));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(0, pipe_used(self->e.r));
	}
	EXPECT_EQ(300, stream_write(self->e.w, 0, 300));
	EXPECT_EQ(300, stream_read(self->e.r, 0, 300));
}

TEST_F(vector, large_writev_stops_at_bad_piece)
{
	static unsigned char buf[9000];
	struct iovec iov[3];
	int bad, k, ret;

	stream_fill(buf, 0, sizeof(buf));
	for (bad = 0; bad < 3; bad++) {
		int good = bad * 3000;

		for (k = 0; k < 3; k++) {
			iov[k].iov_base = k == bad ? self->bad : buf + k * 3000;
			iov[k].iov_len = 3000;
		}
		ret = writev(self->e.w, iov, 3);
		EXPECT_EQ(good ?: -1, ret);
		EXPECT_EQ(good, (int)pipe_used(self->e.r));
		if (good)
			EXPECT_EQ(good, stream_read(self->e.r, 0, good));
	}
}

/* Zero bytes touch nothing. */
TEST_F(vector, nothing_from_nowhere)
{
	struct iovec iov = { .iov_base = self->bad, .iov_len = 0 };

	ASSERT_EQ(10, stream_write(self->e.w, 0, 10));
	EXPECT_EQ(0, read(self->e.r, self->bad, 0));
	EXPECT_EQ(0, write(self->e.w, self->bad, 0));
	EXPECT_EQ(0, readv(self->e.r, &iov, 1));
	EXPECT_EQ(0, writev(self->e.w, &iov, 1));
	EXPECT_EQ(10, stream_read(self->e.r, 0, 10));
}

/* Requests that are not there. */

TEST_F(vector, requests_half_in_a_hole)
{
	unsigned char *page = holed_buffer(2, 1);
	unsigned char buf[8] = { 0 };
	struct ipcx_io *io;
	unsigned int cut;

	ASSERT_EQ(8, stream_write(self->e.w, 0, 8));
	for (cut = 1; cut < sizeof(*io); cut += 8) {
		struct ipcx_io whole = {
			.buf = (uintptr_t)buf, .len = 8,
			.deadline = deadline_never(),
		};

		io = (struct ipcx_io *)(page + PAGE_BYTES - cut);
		memcpy(io, &whole, cut);
		EXPECT_EQ(-EFAULT, ipc_ioctl(self->e.r, IPCX_IOC_READ, io));
		EXPECT_EQ(-EFAULT, ipc_ioctl(self->e.w, IPCX_IOC_WRITE, io));
		EXPECT_EQ(8, pipe_used(self->e.r));
	}
	EXPECT_EQ(-EFAULT, ipc_ioctl(self->e.r, IPCX_IOC_READ, NULL));
	EXPECT_EQ(8, stream_read(self->e.r, 0, 8));
	holed_free(page, 2);
}

TEST_F(vector, addresses_of_nobody)
{
	static const uint64_t bad[] = {
		8, 1ULL << 63, ~0ULL, ~0ULL - 4095, 0xffff800000000000ULL,
		0x8000000000000000ULL - 8,
	};
	unsigned int i;

	ASSERT_EQ(8, stream_write(self->e.w, 0, 8));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct ipcx_io io = {
			.buf = bad[i], .len = 8, .deadline = deadline_never(),
		};

		EXPECT_EQ(-EFAULT, ipc_ioctl(self->e.r, IPCX_IOC_READ, &io))
			TH_LOG("address %llx", (unsigned long long)bad[i]);
		EXPECT_EQ(-EFAULT, ipc_ioctl(self->e.w, IPCX_IOC_WRITE, &io));
		EXPECT_EQ(8, pipe_used(self->e.r));
	}
	EXPECT_EQ(8, stream_read(self->e.r, 0, 8));
}

/*
 * Copies that are stuck. The fixture's actor is in the middle of one; the pipe
 * held EXTRA bytes more than it takes, or before it put any.
 */

#define EXTRA	20

FIXTURE(stuck) {
	int dev;
	int hold;
	bool takes;
	struct ends e;
	struct actor owner;
	char name[TEST_NAME_SIZE];
};

FIXTURE_VARIANT(stuck) {
	enum call_kind kind;
	int len;
	int page;
};

FIXTURE_VARIANT_ADD(stuck, read) { .kind = CALL_READ, .len = 10 };
FIXTURE_VARIANT_ADD(stuck, ioctl_read) { .kind = CALL_IOC_READ, .len = 10 };

FIXTURE_VARIANT_ADD(stuck, large_read) {
	.kind = CALL_READ, .len = 5 * PAGE_BYTES, .page = 2,
};

FIXTURE_VARIANT_ADD(stuck, write) { .kind = CALL_WRITE, .len = 10 };
FIXTURE_VARIANT_ADD(stuck, ioctl_write) { .kind = CALL_IOC_WRITE, .len = 10 };

FIXTURE_VARIANT_ADD(stuck, large_write) {
	.kind = CALL_WRITE, .len = 5 * PAGE_BYTES, .page = 2,
};

FIXTURE_SETUP(stuck)
{
	struct call c = {
		.kind = variant->kind, .len = variant->len,
		.stuck = 1 + variant->page, .at = EXTRA,
	};
	int before = EXTRA;

	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	sigpipe_catch();
	if (!uffd_exists())
		SKIP(return, "no userfaultfd");
	test_name(self->name, "stuck");
	self->hold = pipe_create(self->dev, self->name,
				 IPCX_LIFETIME_PERSISTENT, IPCX_ACCESS_NONE);
	ASSERT_GE(self->hold, 0);
	self->e.r = fd_open(self->hold, IPCX_ACCESS_READ, IPCX_NONBLOCK);
	self->e.w = fd_open(self->hold, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(self->e.w, 0);
	ASSERT_EQ(0, fcntl(self->e.r, F_SETFL, 0));
	self->takes = call_takes(&c);
	c.fd = self->takes ? self->e.r : self->e.w;
	if (self->takes)
		before += variant->len;
	ASSERT_EQ(before, stream_write(self->e.w, 0, before));
	self->owner = actor_start_stuck(c);
}

FIXTURE_TEARDOWN(stuck)
{
	track_cleanup();
	if (self->owner.s)
		actor_kill(&self->owner);
	ends_close(&self->e);
	close(self->hold);
	close(self->dev);
}

/* Where reading begins: the part before the missing page may be gone already. */
#define MISSING_AT	(variant->page * PAGE_BYTES)

/* Another call on the side that is owned. */
static struct call other_call(bool takes, struct ends e)
{
	return (struct call) {
		.kind = takes ? CALL_IOC_READ : CALL_IOC_WRITE,
		.fd = takes ? e.r : e.w, .len = 5, .at = 1,
	};
}

#define EXPECT_OWNER_STUCK() do {					\
	EXPECT_FALSE(actor_over(&self->owner));				\
	EXPECT_TRUE(actor_asleep(&self->owner));			\
} while (0)

TEST_F(stuck, others_have_deadlines)
{
	struct call c = other_call(self->takes, self->e);

	c.deadline = deadline_ms(100);
	EXPECT_EQ(-ETIMEDOUT, call_safely(c));
	EXPECT_LE(c.deadline.ns, now_ns(CLOCK_MONOTONIC));
	c.deadline = deadline_on(CLOCK_REALTIME, 100);
	EXPECT_EQ(-ETIMEDOUT, call_safely(c));
	EXPECT_LE(c.deadline.ns, now_ns(CLOCK_REALTIME));
	c.deadline = deadline_past();
	EXPECT_EQ(-ETIMEDOUT, call_safely(c));
	EXPECT_OWNER_STUCK();
}

TEST_F(stuck, others_have_signals)
{
	struct call c = other_call(self->takes, self->e);
	struct actor a = actor_start_asleep(c);

	ASSERT_TRUE(actor_signal(&a));
	EXPECT_EQ(-EINTR, actor_finish(&a));
	c.sa_flags = SA_RESTART;
	a = actor_start_asleep(c);
	ASSERT_TRUE(actor_signal(&a));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_OWNER_STUCK();
}

TEST_F(stuck, others_do_not_wait_if_nonblocking)
{
	int fd = fd_open(self->hold, self->takes ? IPCX_ACCESS_READ :
			 IPCX_ACCESS_WRITE, IPCX_NONBLOCK);
	struct call c = other_call(self->takes, self->e);

	ASSERT_GE(fd, 0);
	c.flags = IPCX_NONBLOCK;
	EXPECT_EQ(-EAGAIN, call_safely(c));
	c.fd = self->dev;
	c.name = self->name;
	EXPECT_EQ(-EAGAIN, call_safely(c));
	c = other_call(self->takes, self->e);
	c.fd = fd;
	EXPECT_EQ(-EAGAIN, call_safely(c));
	c.kind = self->takes ? CALL_READ : CALL_WRITE;
	EXPECT_EQ(-EAGAIN, call_safely(c));
	c.kind = self->takes ? CALL_READV : CALL_WRITEV;
	EXPECT_EQ(-EAGAIN, call_safely(c));
	close(fd);
	EXPECT_OWNER_STUCK();
}

TEST_F(stuck, owned_side_is_not_ready)
{
	int fd = self->takes ? self->e.r : self->e.w;

	EXPECT_EQ(0, poll_now(fd, POLLIN | POLLOUT));
	EXPECT_OWNER_STUCK();
	ASSERT_EQ(0, actor_unstick(&self->owner));
	EXPECT_EQ(variant->len, actor_result(&self->owner));
	EXPECT_EQ(self->takes ? POLLIN : POLLOUT,
		  poll_now(fd, POLLIN | POLLOUT));
}

/* Sleeping pollers are told when the owner goes, though no byte came. */
TEST_F(stuck, poller_wakes_when_side_is_free)
{
	struct actor p = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->takes ? self->e.r : self->e.w,
		.events = POLLIN | POLLOUT,
	});

	ASSERT_EQ(0, actor_unstick(&self->owner));
	EXPECT_EQ(variant->len, actor_result(&self->owner));
	EXPECT_EQ(self->takes ? POLLIN : POLLOUT, actor_finish(&p));
}

TEST_F(stuck, poller_wakes_when_owner_is_killed)
{
	struct actor p = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->takes ? self->e.r : self->e.w,
		.events = POLLIN | POLLOUT,
	});

	EXPECT_EQ(128 + SIGKILL, actor_kill(&self->owner));
	EXPECT_EQ(self->takes ? POLLIN : POLLOUT, actor_finish(&p));
}

TEST_F(stuck, edge_when_side_is_free)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD,
			       self->takes ? self->e.r : self->e.w, &ev));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	ASSERT_EQ(0, actor_unstick(&self->owner));
	memset(&ev, POISON, sizeof(ev));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, PATIENCE_MS));
	EXPECT_EQ(self->takes ? EPOLLIN : EPOLLOUT, ev.events);
	close(ep);
}

TEST_F(stuck, other_side_goes_on)
{
	static unsigned char buf[2 * CAPACITY_DEFAULT];
	int used = EXTRA + variant->len, n;

	if (self->takes) {
		/* Filled to the brim, and then full as usual. */
		n = CAPACITY_DEFAULT - pipe_used(self->hold);
		EXPECT_LE(CAPACITY_DEFAULT - used, n);
		EXPECT_EQ(n, stream_write(self->e.w, used, n));
		EXPECT_EQ(-EAGAIN, stream_write(self->e.w, 0, 1));
		EXPECT_EQ(-ETIMEDOUT, call_safely((struct call) {
			.kind = CALL_IOC_WRITE, .fd = self->e.w, .len = 1,
			.deadline = deadline_ms(50),
		}));
		used += n;
	} else {
		n = pipe_drain(self->e.r, buf, sizeof(buf));
		EXPECT_LE(EXTRA, n);
		EXPECT_LE(n, EXTRA + MISSING_AT);
		EXPECT_TRUE(stream_is(buf, 0, n));
		EXPECT_EQ(-ETIMEDOUT, call_safely((struct call) {
			.kind = CALL_IOC_READ, .fd = self->e.r, .len = 1,
			.deadline = deadline_ms(50),
		}));
	}
	EXPECT_OWNER_STUCK();
	ASSERT_EQ(0, actor_unstick(&self->owner));
	EXPECT_EQ(variant->len, actor_result(&self->owner));
	if (self->takes) {
		EXPECT_TRUE(stream_is(self->owner.s->data, 0, variant->len));
		n = variant->len;
	}
	EXPECT_EQ(used - n, stream_read(self->e.r, n, used - n));
	EXPECT_EQ(0, pipe_used(self->hold));
}

TEST_F(stuck, control_goes_on)
{
	struct call c = { .kind = CALL_STAT, .fd = self->hold };
	struct ipcx_stat st;

	EXPECT_EQ(0, call_safely(c));
	c.fd = self->takes ? self->e.r : self->e.w;
	EXPECT_EQ(0, call_safely(c));
	c.kind = CALL_FIONREAD;
	EXPECT_LE(0, call_safely(c));
	c = (struct call) { .kind = CALL_STAT, .fd = self->dev,
			    .name = self->name };
	EXPECT_EQ(0, call_safely(c));
	c = (struct call) { .kind = CALL_QUERY, .fd = self->dev };
	EXPECT_EQ(0, call_safely(c));
	c = (struct call) { .kind = CALL_OPEN, .fd = self->hold,
			    .access = IPCX_ACCESS_READ };
	EXPECT_LE(0, call_safely(c));
	c.access = IPCX_ACCESS_WRITE;
	EXPECT_LE(0, call_safely(c));
	c.access = IPCX_ACCESS_RDWR;
	EXPECT_LE(0, call_safely(c));
	c = (struct call) { .kind = CALL_REOPEN, .fd = self->hold,
			    .access = IPCX_ACCESS_RDWR };
	EXPECT_LE(0, call_safely(c));
	c = (struct call) { .kind = CALL_UNLINK, .fd = self->dev,
			    .name = self->name };
	EXPECT_EQ(0, call_safely(c));
	EXPECT_OWNER_STUCK();
	st = pipe_stat(self->hold);
	EXPECT_EQ(1, st.readers);
	EXPECT_EQ(1, st.writers);
	EXPECT_EQ(3, st.opens);
}

/* The test's files, and with them the last one of the other side. */
TEST_F(stuck, files_close)
{
	close(self->e.r);
	close(self->e.w);
	EXPECT_EQ(self->takes, pipe_stat(self->hold).readers);
	EXPECT_EQ(!self->takes, pipe_stat(self->hold).writers);
	EXPECT_OWNER_STUCK();
	ASSERT_EQ(0, actor_unstick(&self->owner));
	/* A writer whose reader left meanwhile: either way, but an end. */
	if (self->takes) {
		EXPECT_EQ(variant->len, actor_result(&self->owner));
	} else {
		EXPECT_NE(HUNG, actor_result(&self->owner));
	}
	actor_end(&self->owner);
	EXPECT_EQ(1, pipe_stat(self->hold).opens);
	self->e.r = fd_open(self->hold, IPCX_ACCESS_READ, IPCX_NONBLOCK);
	self->e.w = fd_open(self->hold, IPCX_ACCESS_WRITE, IPCX_NONBLOCK);
	EXPECT_EQ(4096, stream_write(self->e.w, 0, 4096));
}

TEST_F(stuck, removal_goes_on)
{
	struct actor a = actor_start_asleep(other_call(self->takes, self->e));
	struct actor p = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->takes ? self->e.r : self->e.w,
		.events = POLLIN | POLLOUT,
	});
	int64_t ret;

	EXPECT_EQ(0, call_safely((struct call) {
		.kind = CALL_REMOVE, .fd = self->hold,
	}));
	EXPECT_EQ(-EIDRM, actor_finish(&a));
	EXPECT_EQ(POLLHUP | POLLERR,
		  (POLLHUP | POLLERR) & actor_finish(&p));
	EXPECT_EQ(-EIDRM, call_safely(other_call(self->takes, self->e)));
	EXPECT_OWNER_STUCK();
	ASSERT_EQ(0, actor_unstick(&self->owner));
	/* It was there first: its bytes, a part of them, or EIDRM. */
	ret = actor_result(&self->owner);
	EXPECT_TRUE(ret == -EIDRM || (ret > 0 && ret <= variant->len));
}

/* The capacity changes when the owner goes, not before. */

static struct call resize_call(int hold, size_t bytes)
{
	return (struct call) { .kind = CALL_RESIZE, .fd = hold, .len = bytes };
}

static uint64_t capacity_of(int hold)
{
	return pipe_stat(hold).capacity_bytes;
}

/* All that was written and not read before, and then the pipe is as new. */
#define EXPECT_EXACT() do {						\
	int total_ = EXTRA + variant->len;				\
	int from_ = self->takes ? variant->len : 0;			\
									\
	EXPECT_EQ(variant->len, actor_result(&self->owner));		\
	if (self->takes)						\
		EXPECT_TRUE(stream_is(self->owner.s->data, 0,		\
				      variant->len));			\
	EXPECT_EQ(total_ - from_,					\
		  stream_read(self->e.r, from_, total_ - from_));	\
	EXPECT_EQ(0, pipe_used(self->hold));				\
	EXPECT_TRUE(pipe_waiting(self->hold, 0, 0));			\
} while (0)

TEST_F(stuck, resizer_waits_for_owner)
{
	static const uint64_t capacities[] = { 32768, 65536, 1 << 20 };
	struct actor a[3];
	int i;

	for (i = 0; i < 3; i++)
		a[i] = actor_start_asleep(resize_call(self->hold,
						      capacities[i]));
	EXPECT_EQ(CAPACITY_DEFAULT, capacity_of(self->hold));
	EXPECT_OWNER_STUCK();
	ASSERT_EQ(0, actor_unstick(&self->owner));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, actor_finish(&a[i]));
	EXPECT_TRUE(capacity_of(self->hold) == 32768 ||
		    capacity_of(self->hold) == 65536 ||
		    capacity_of(self->hold) == 1 << 20);
	EXPECT_EXACT();
}

TEST_F(stuck, resizer_goes_on_when_owner_is_killed)
{
	struct actor a = actor_start_asleep(resize_call(self->hold, 1 << 18));
	static unsigned char buf[CAPACITY_DEFAULT];
	int have;

	EXPECT_EQ(128 + SIGKILL, actor_kill(&self->owner));
	EXPECT_EQ(0, actor_finish(&a));
	EXPECT_EQ(1 << 18, capacity_of(self->hold));
	have = pipe_drain(self->e.r, buf, sizeof(buf));
	EXPECT_TRUE(stream_is(buf, self->takes ? EXTRA + variant->len - have :
					  0, have));
	EXPECT_EQ(1 << 18, stream_write(self->e.w, 5, 1 << 18));
	EXPECT_EQ(1 << 18, stream_read(self->e.r, 5, 1 << 18));
}

/* What comes while a resizer waits may wait behind it, and then goes on. */
TEST_F(stuck, other_side_goes_on_after_resizer)
{
	struct call c = resize_call(self->hold, 1 << 20);
	int i;

	for (i = 0; i < 3; i++) {
		struct actor r, a, p;

		c.deadline = i == 0 ? deadline_ms(300) : deadline_never();
		r = actor_start(c);
		if (i)
			ASSERT_TRUE(actor_asleep(&r));
		a = actor_start(other_call(!self->takes, self->e));
		wait_until(actor_over(&a) || actor_sleeps(&a));
		p = actor_start((struct call) {
			.kind = CALL_POLL,
			.fd = self->takes ? self->e.w : self->e.r,
			.events = POLLIN | POLLOUT,
		});
		if (i == 0)
			EXPECT_EQ(-ETIMEDOUT, actor_result(&r));
		if (i == 1) {
			ASSERT_TRUE(actor_signal(&r));
			EXPECT_EQ(-EINTR, actor_result(&r));
		}
		actor_kill(&r);
		EXPECT_EQ(5, actor_finish(&a))
			TH_LOG("round %d", i);
		EXPECT_EQ(self->takes ? POLLOUT : POLLIN, actor_finish(&p));
		EXPECT_EQ(CAPACITY_DEFAULT, capacity_of(self->hold));
	}
	EXPECT_OWNER_STUCK();
	ASSERT_EQ(0, actor_unstick(&self->owner));
	EXPECT_EQ(variant->len, actor_result(&self->owner));
}

/* One behind the other, on both sides; all get their bytes. */
TEST_F(stuck, all_go_on_behind_resizer)
{
	struct actor r, same, other;

	r = actor_start_asleep(resize_call(self->hold, 1 << 20));
	same = actor_start_asleep(other_call(self->takes, self->e));
	other = actor_start(other_call(!self->takes, self->e));
	wait_until(actor_over(&other) || actor_sleeps(&other));
	ASSERT_EQ(0, actor_unstick(&self->owner));
	EXPECT_EQ(variant->len, actor_result(&self->owner));
	EXPECT_EQ(0, actor_finish(&r));
	EXPECT_EQ(5, actor_finish(&same));
	EXPECT_EQ(5, actor_finish(&other));
	EXPECT_EQ(1 << 20, capacity_of(self->hold));
	EXPECT_EQ(self->takes ? EXTRA : EXTRA + variant->len,
		  (int)pipe_used(self->hold));
	EXPECT_TRUE(pipe_waiting(self->hold, 0, 0));
}

TEST_F(stuck, control_goes_on_beside_resizer)
{
	struct actor r;
	struct call c;

	r = actor_start_asleep(resize_call(self->hold, 1 << 20));
	c = (struct call) { .kind = CALL_STAT, .fd = self->hold };
	EXPECT_EQ(0, call_safely(c));
	c = (struct call) { .kind = CALL_STAT, .fd = self->dev,
			    .name = self->name };
	EXPECT_EQ(0, call_safely(c));
	c = (struct call) { .kind = CALL_QUERY, .fd = self->dev };
	EXPECT_EQ(0, call_safely(c));
	c = (struct call) { .kind = CALL_FIONREAD, .fd = self->e.r };
	EXPECT_LE(0, call_safely(c));
	c = (struct call) { .kind = CALL_OPEN, .fd = self->hold,
			    .access = IPCX_ACCESS_RDWR };
	EXPECT_LE(0, call_safely(c));
	c = (struct call) { .kind = CALL_REMOVE, .fd = self->hold };
	EXPECT_EQ(0, call_safely(c));
	EXPECT_EQ(-EIDRM, actor_finish(&r));
	EXPECT_OWNER_STUCK();
	ASSERT_EQ(0, actor_unstick(&self->owner));
	EXPECT_NE(HUNG, actor_result(&self->owner));
	EXPECT_EQ(-EIDRM, fd_resize(self->hold, 1 << 20, 0));
}

TEST_F(stuck, other_pipes_do_not_care)
{
	struct ends e = ends_open(self->dev, 0);
	struct actor a = actor_start((struct call) {
		.kind = CALL_WRITE, .fd = e.w, .len = 5000,
	});

	EXPECT_EQ(5000, actor_finish(&a));
	EXPECT_EQ(5000, stream_read(e.r, 0, 5000));
	ends_close(&e);
	EXPECT_OWNER_STUCK();
}

TEST_F(stuck, released_is_exact)
{
	int total = EXTRA + variant->len;
	int from = self->takes ? variant->len : 0;

	ASSERT_EQ(0, actor_unstick(&self->owner));
	EXPECT_EQ(variant->len, actor_result(&self->owner));
	if (self->takes)
		EXPECT_TRUE(stream_is(self->owner.s->data, 0, variant->len));
	EXPECT_EQ(total - from, (int)pipe_used(self->hold));
	EXPECT_EQ(total - from, stream_read(self->e.r, from, total - from));
	EXPECT_TRUE(pipe_waiting(self->hold, 0, 0));
}

/*
 * Killed before its call could return: what a reader had not got is still
 * there, and what a writer could not bring is not, an atomic write altogether.
 */
TEST_F(stuck, killed_is_exact)
{
	static unsigned char buf[CAPACITY_DEFAULT];
	int total = EXTRA + variant->len;
	int have, gone;

	EXPECT_EQ(128 + SIGKILL, actor_kill(&self->owner));
	have = pipe_drain(self->e.r, buf, sizeof(buf));
	if (self->takes) {
		gone = total - have;
		EXPECT_LE(0, gone);
		EXPECT_LE(gone, MISSING_AT);
		EXPECT_TRUE(stream_is(buf, gone, have));
	} else {
		EXPECT_LE(EXTRA, have);
		EXPECT_LE(have, EXTRA + MISSING_AT);
		EXPECT_TRUE(stream_is(buf, 0, have));
	}
	EXPECT_TRUE(pipe_waiting(self->hold, 0, 0));
	EXPECT_EQ(CAPACITY_DEFAULT,
		  stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	EXPECT_EQ(CAPACITY_DEFAULT,
		  stream_read(self->e.r, 0, CAPACITY_DEFAULT));
}

TEST_F(stuck, killed_lets_next_in)
{
	struct actor a = actor_start_asleep(other_call(self->takes, self->e));

	EXPECT_EQ(128 + SIGKILL, actor_kill(&self->owner));
	EXPECT_EQ(5, actor_result(&a));
	if (self->takes && !variant->page) {
		EXPECT_TRUE(stream_is(a.s->data, 0, 5));
		EXPECT_EQ(variant->len + EXTRA - 5,
			  stream_read(self->e.r, 5, variant->len + EXTRA - 5));
	}
	actor_end(&a);
	EXPECT_TRUE(pipe_waiting(self->hold, 0, 0));
}

/* They come in one by one when the owner goes. */
TEST_F(stuck, released_lets_all_in)
{
	struct actor a[4];
	int i;

	for (i = 0; i < 4; i++)
		a[i] = actor_start_asleep(other_call(self->takes, self->e));
	ASSERT_EQ(0, actor_unstick(&self->owner));
	EXPECT_EQ(variant->len, actor_result(&self->owner));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(5, actor_finish(&a[i]));
	EXPECT_EQ(self->takes ? EXTRA - 20 : EXTRA + variant->len + 20,
		  (int)pipe_used(self->hold));
	EXPECT_TRUE(pipe_waiting(self->hold, 0, 0));
}

TEST_HARNESS_MAIN
