// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes: bytes, capacity, atomic writes, end of file, deadlines, STAT.
 *
 * Opening, signals, faults, polling and races have files of their own.
 */
#include "pipe_test.h"

#include <limits.h>

FIXTURE(pipe) {
	int dev;
	char name[TEST_NAME_SIZE];
};

FIXTURE_SETUP(pipe)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	test_name(self->name, "pipe");
	sigpipe_catch();
}

FIXTURE_TEARDOWN(pipe)
{
	track_cleanup();
	close(self->dev);
}

/* Bytes. */

TEST_F(pipe, bytes_come_in_order)
{
	struct ends e = ends_open(self->dev, 0);
	uint64_t put = 0, taken = 0;
	uint32_t seed = 1;
	unsigned int i;

	for (i = 0; i < 300; i++) {
		size_t len = random_size(&seed, 20000);
		int ret = stream_write(e.w, put, len);

		if (ret > 0)
			put += ret;
		else
			ASSERT_EQ(-EAGAIN, ret);
		len = random_size(&seed, 20000);
		if (len > put - taken)
			len = put - taken;
		if (len)
			ASSERT_EQ((int)len, stream_read(e.r, taken, len));
		taken += len;
		ASSERT_EQ(put - taken, pipe_used(e.r));
	}
	EXPECT_LT(CAPACITY_DEFAULT, (int)put);
	if (put > taken)
		EXPECT_EQ((int)(put - taken),
			  stream_read(e.r, taken, put - taken));
	ends_close(&e);
}

/* Every place of the ring is once the one where a transfer wraps. */
TEST_F(pipe, ring_wraps_anywhere)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	unsigned int offset, step;
	uint64_t at = 0;

	for (step = 1; step < 4096; step += 409) {
		for (offset = 0; offset < 4096; offset += step) {
			ASSERT_EQ((int)step, stream_write(e.w, at, step));
			ASSERT_EQ((int)step, stream_read(e.r, at, step));
			at += step;
		}
		ASSERT_EQ(4096, stream_write(e.w, at, 4096));
		ASSERT_EQ(-EAGAIN, stream_write(e.w, at, 1));
		ASSERT_EQ(4096, stream_read(e.r, at, 4096));
		ASSERT_EQ(-EAGAIN, stream_read(e.r, at, 1));
		at += 4096;
	}
	ends_close(&e);
}

TEST_F(pipe, read_takes_what_there_is)
{
	struct ends e = ends_open(self->dev, 0);
	unsigned char buf[100];

	ASSERT_EQ(10, stream_write(e.w, 0, 10));
	EXPECT_EQ(10, plain_read(e.r, buf, sizeof(buf)));
	EXPECT_TRUE(stream_is(buf, 0, 10));
	EXPECT_EQ(POISON, buf[10]);
	ASSERT_EQ(10, stream_write(e.w, 0, 10));
	EXPECT_EQ(10, fd_read(e.r, buf, sizeof(buf), 0));
	EXPECT_TRUE(stream_is(buf, 0, 10));
	EXPECT_EQ(POISON, buf[10]);
	ends_close(&e);
}

TEST_F(pipe, read_wakes_for_first_byte)
{
	struct ends e = ends_open(self->dev, 0);
	struct actor a;

	a = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = e.r, .len = 4096,
	});
	EXPECT_TRUE(pipe_waiting(e.w, 1, 0));
	ASSERT_EQ(1, stream_write(e.w, 0, 1));
	EXPECT_EQ(1, actor_result(&a));
	EXPECT_TRUE(stream_is(a.s->data, 0, 1));
	EXPECT_EQ(POISON, a.s->data[1]);
	actor_end(&a);
	EXPECT_TRUE(pipe_waiting(e.w, 0, 0));
	ends_close(&e);
}

/* One arrival can be food for many: nobody may sleep beside it. */
TEST_F(pipe, one_write_feeds_all_readers)
{
	struct ends e = ends_open(self->dev, 0);
	bool seen[4] = { 0 };
	struct actor a[4];
	unsigned char want[4];
	int i, k;

	stream_fill(want, 0, 4);
	for (i = 0; i < 4; i++)
		a[i] = actor_start_asleep((struct call) {
			.kind = CALL_READ, .fd = e.r, .len = 1,
		});
	ASSERT_EQ(4, stream_write(e.w, 0, 4));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(1, actor_result(&a[i]));
		for (k = 0; k < 4; k++)
			if (!seen[k] && want[k] == a[i].s->data[0])
				break;
		ASSERT_LT(k, 4);
		seen[k] = true;
		actor_end(&a[i]);
	}
	EXPECT_EQ(0, pipe_used(e.r));
	EXPECT_TRUE(pipe_waiting(e.w, 0, 0));
	ends_close(&e);
}

TEST_F(pipe, one_read_lets_all_writers_in)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	struct actor a[4];
	int i;

	ASSERT_EQ(4096, stream_write(e.w, 0, 4096));
	for (i = 0; i < 4; i++)
		a[i] = actor_start_asleep((struct call) {
			.kind = CALL_WRITE, .fd = e.w, .len = 100, .at = 4096,
		});
	ASSERT_EQ(400, stream_read(e.r, 0, 400));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(100, actor_finish(&a[i]));
	EXPECT_EQ(4096, pipe_used(e.r));
	ASSERT_EQ(3696, stream_read(e.r, 400, 3696));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(100, stream_read(e.r, 4096, 100));
	EXPECT_TRUE(pipe_waiting(e.w, 0, 0));
	ends_close(&e);
}

/* The threshold that wakes writers must not leave one asleep whose call fits. */
TEST_F(pipe, writer_wakes_when_its_rest_fits)
{
	static const size_t sizes[] = { 1, 100, 4095, 4096 };
	struct ends e = ends_open(self->dev, 0);
	unsigned int i;

	for (i = 0; i < 4; i++) {
		uint64_t end = CAPACITY_DEFAULT;
		size_t len = sizes[i];
		struct actor a;

		ASSERT_EQ((int)end, stream_write(e.w, 0, end));
		a = actor_start_asleep((struct call) {
			.kind = CALL_WRITE, .fd = e.w, .len = len, .at = end,
		});
		EXPECT_TRUE(pipe_waiting(e.r, 0, 1));
		if (len > 1) {
			ASSERT_EQ((int)len - 1, stream_read(e.r, 0, len - 1));
			EXPECT_EQ(end - len + 1, pipe_used(e.r));
		}
		ASSERT_EQ(1, stream_read(e.r, len - 1, 1));
		EXPECT_EQ((int)len, actor_finish(&a));
		EXPECT_EQ((int)end, stream_read(e.r, len, end));
		ASSERT_EQ(0, pipe_used(e.r));
	}
	ends_close(&e);
}

TEST_F(pipe, writer_wakes_at_half)
{
	const int half = CAPACITY_DEFAULT / 2, full = CAPACITY_DEFAULT;
	struct ends e = ends_open(self->dev, 0);
	struct actor a;

	ASSERT_EQ(full, stream_write(e.w, 0, full));
	a = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = e.w, .len = full, .at = full,
	});
	ASSERT_EQ(half, stream_read(e.r, 0, half));
	EXPECT_TRUE(wait_until(pipe_used(e.r) == CAPACITY_DEFAULT));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(full, stream_read(e.r, half, full));
	EXPECT_EQ(full, actor_finish(&a));
	EXPECT_EQ(half, stream_read(e.r, full + half, half));
	ends_close(&e);
}

/* Also when it has let another writer in between: the rest is still a large write. */
TEST_F(pipe, writer_that_gave_way_wakes_at_half)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	struct actor a, b;

	a = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = e.w, .len = 11288,
	});
	b = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = e.w, .len = 10, .at = 4096,
	});
	ASSERT_EQ(4096, stream_read(e.r, 0, 4096));
	ASSERT_TRUE(wait_until(pipe_used(e.r) == 4096));
	/* It has 3096 more, and more than half is free when the other is in. */
	ASSERT_EQ(2100, stream_read(e.r, 4096, 2100));
	EXPECT_EQ(10, actor_finish(&b));
	EXPECT_TRUE(wait_until(pipe_used(e.r) == 4096));
	EXPECT_EQ(1996, stream_read(e.r, 6196, 1996));
	EXPECT_EQ(10, stream_read(e.r, 4096, 10));
	EXPECT_EQ(11288, actor_finish(&a));
	EXPECT_EQ(3096, stream_read(e.r, 8192, 3096));
	ends_close(&e);
}

/*
 * Beside a writer who sleeps there is space, but it is his turn: others wait for
 * theirs, and who doesn't wait is turned away, also by poll().
 */
TEST_F(pipe, sleeping_writer_keeps_his_turn)
{
	const int full = CAPACITY_DEFAULT;
	struct ends e = ends_open(self->dev, 0);
	struct actor a;

	ASSERT_EQ(full, stream_write(e.w, 0, full));
	a = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = e.w, .len = full, .at = full,
	});
	ASSERT_EQ(2 * ATOMIC_MAX, stream_read(e.r, 0, 2 * ATOMIC_MAX));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(full - 2 * ATOMIC_MAX, (int)pipe_used(e.r));
	EXPECT_EQ(0, poll_now(e.w, POLLOUT));
	EXPECT_EQ(-EAGAIN, stream_write(e.w, 0, 1));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(POLLOUT, poll_now(e.w, POLLOUT));
	EXPECT_EQ(1, stream_write(e.w, 0, 1));
	ends_close(&e);
}

/* Reads of one byte never free half of the pipe at once. */
TEST_F(pipe, long_write_passes_slow_reader)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	unsigned char byte;
	struct actor a;
	int i;

	a = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = e.w, .len = 10000,
	});
	EXPECT_EQ(4096, pipe_used(e.r));
	for (i = 0; i < 10000; i++) {
		ASSERT_EQ(1, fd_read(e.r, &byte, 1, 0));
		if (!stream_is(&byte, i, 1))
			break;
	}
	EXPECT_EQ(10000, i);
	EXPECT_EQ(10000, actor_finish(&a));
	EXPECT_EQ(0, pipe_used(e.r));
	ends_close(&e);
}

/* Turns. */

/* A process that reads, or writes, again as soon as it can, and before all others. */
static pid_t hog_start(int fd, bool reading)
{
	static unsigned char buf[4096];
	pid_t pid = fork();

	if (pid)
		return pid;
	if (!alone_on_cpu(getppid()))
		_exit(1);
	while ((reading ? fd_read(fd, buf, sizeof(buf), 0) :
			  fd_write(fd, buf, sizeof(buf), 0)) > 0)
		;
	_exit(0);
}

#define PASSED_OVER_MAX	20	/* once is enough; twice while it falls asleep */

/*
 * Whenever the side is free, the hog takes it before the other can run; who has been
 * passed over, and has run and seen it, is granted it all the same.
 */
TEST_F(pipe, hog_lets_other_writers_in)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	pid_t hog = hog_start(e.w, false);
	unsigned char buf[4096];
	struct actor a;
	int i;

	ASSERT_TRUE(wait_until(pipe_used(e.r) == sizeof(buf)));
	EXPECT_TRUE(pipe_waiting(e.r, 0, 1));
	a = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = e.w, .len = sizeof(buf),
	});
	for (i = 0; i < PASSED_OVER_MAX && !actor_over(&a); i++) {
		ASSERT_EQ((int)sizeof(buf), fd_read(e.r, buf, sizeof(buf), 0));
		EXPECT_TRUE(wait_until(pipe_used(e.r) == sizeof(buf)));
		EXPECT_TRUE(wait_until(actor_over(&a) || actor_sleeps(&a)));
	}
	EXPECT_GT(PASSED_OVER_MAX, i);
	EXPECT_EQ((int)sizeof(buf), actor_finish(&a));
	kill(hog, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, reap(hog));
	ends_close(&e);
}

TEST_F(pipe, hog_lets_other_readers_in)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	pid_t hog = hog_start(e.r, true);
	struct actor a;
	int i;

	EXPECT_TRUE(pipe_waiting(e.w, 1, 0));
	a = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = e.r, .len = 1,
	});
	for (i = 0; i < PASSED_OVER_MAX && !actor_over(&a); i++) {
		ASSERT_EQ(1, stream_write(e.w, 0, 1));
		EXPECT_TRUE(wait_until(!pipe_used(e.w)));
		EXPECT_TRUE(wait_until(actor_over(&a) || actor_sleeps(&a)));
	}
	EXPECT_GT(PASSED_OVER_MAX, i);
	EXPECT_EQ(1, actor_finish(&a));
	kill(hog, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, reap(hog));
	ends_close(&e);
}

/* Vectors. */

TEST_F(pipe, vectors_are_one_stream)
{
	struct ends e = ends_open(self->dev, 0);
	unsigned char out[3 * IOV_MAX], in[3 * IOV_MAX];
	struct iovec iov[IOV_MAX];
	size_t at = 0;
	int i;

	/* Lengths 0, 1, 2, 3, 4, 0, ... */
	stream_fill(out, 0, sizeof(out));
	for (i = 0; i < IOV_MAX; i++) {
		iov[i].iov_base = out + at;
		iov[i].iov_len = i % 5;
		at += i % 5;
	}
	ASSERT_EQ((ssize_t)at, writev(e.w, iov, IOV_MAX));
	EXPECT_EQ(at, pipe_used(e.r));

	memset(in, POISON, sizeof(in));
	for (i = 0, at = 0; i < IOV_MAX; i++) {
		iov[i].iov_base = in + at;
		iov[i].iov_len = (i + 2) % 5;
		at += (i + 2) % 5;
	}
	ASSERT_LE(2040, at);
	EXPECT_EQ((ssize_t)pipe_used(e.r), readv(e.r, iov, IOV_MAX));
	EXPECT_TRUE(stream_is(in, 0, 2046));
	EXPECT_EQ(0, pipe_used(e.r));
	ends_close(&e);
}

TEST_F(pipe, vector_of_big_pieces_wraps)
{
	struct ends e = ends_open(self->dev, 8192);
	static unsigned char out[9000], in[9000];
	struct iovec iov[3] = {
		{ .iov_base = out, .iov_len = 3000 },
		{ .iov_base = out + 3000, .iov_len = 1 },
		{ .iov_base = out + 3001, .iov_len = 5191 },
	};

	ASSERT_EQ(7000, stream_write(e.w, 0, 7000));
	ASSERT_EQ(7000, stream_read(e.r, 0, 7000));
	stream_fill(out, 7000, sizeof(out));
	ASSERT_EQ(8192, writev(e.w, iov, 3));

	memset(in, POISON, sizeof(in));
	iov[0] = (struct iovec) { .iov_base = in, .iov_len = 4095 };
	iov[1] = (struct iovec) { .iov_base = in + 4095, .iov_len = 0 };
	iov[2] = (struct iovec) { .iov_base = in + 4095, .iov_len = 4905 };
	EXPECT_EQ(8192, readv(e.r, iov, 3));
	EXPECT_TRUE(stream_is(in, 7000, 8192));
	EXPECT_EQ(POISON, in[8192]);
	ends_close(&e);
}

/* Zero. */

TEST_F(pipe, nothing_is_transferred_at_once)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	struct iovec none[2] = { { 0 } };
	unsigned char byte = 0;

	/* Empty pipe, blocking files. */
	EXPECT_EQ(0, plain_read(e.r, &byte, 0));
	EXPECT_EQ(0, readv(e.r, none, 2));
	EXPECT_EQ(0, fd_read(e.r, &byte, 0, 0));
	EXPECT_EQ(0, plain_write(e.w, &byte, 0));
	EXPECT_EQ(0, writev(e.w, none, 2));
	EXPECT_EQ(0, fd_write(e.w, &byte, 0, 0));
	EXPECT_EQ(0, pipe_used(e.r));
	/* Full pipe. */
	ASSERT_EQ(4096, stream_write(e.w, 0, 4096));
	EXPECT_EQ(0, plain_write(e.w, &byte, 0));
	EXPECT_EQ(0, writev(e.w, none, 2));
	EXPECT_EQ(0, fd_write(e.w, &byte, 0, IPCX_NONBLOCK));
	EXPECT_EQ(0, plain_read(e.r, &byte, 0));
	EXPECT_EQ(4096, pipe_used(e.r));
	/* Nobody there to read. */
	close(e.r);
	EXPECT_EQ(0, plain_write(e.w, &byte, 0));
	EXPECT_EQ(0, sigpipes);
	close(e.w);
}

TEST_F(pipe, nothing_moves_no_marks)
{
	struct ends e = ends_open(self->dev, 0);
	struct ipcx_stat st;
	unsigned char byte = 0;

	ASSERT_EQ(0, plain_write(e.w, &byte, 0));
	ASSERT_EQ(0, fd_write(e.w, &byte, 0, 0));
	ASSERT_EQ(0, plain_read(e.r, &byte, 0));
	st = pipe_stat(e.r);
	EXPECT_EQ(0, st.write_ns);
	EXPECT_EQ(0, st.read_ns);
	EXPECT_EQ(0, st.last_writer_pid);
	EXPECT_EQ(0, st.last_reader_pid);
	ends_close(&e);
}

/* A file does what it was opened for. */

TEST_F(pipe, mode_is_checked_before_all_else)
{
	struct ends e = ends_open(self->dev, 0);
	int none = fd_open(e.r, IPCX_ACCESS_NONE, 0);
	unsigned char byte = 7;

	ASSERT_GE(none, 0);
	ASSERT_EQ(1, stream_write(e.w, 0, 1));
	EXPECT_EQ(-EBADF, plain_write(e.r, &byte, 1));
	EXPECT_EQ(-EBADF, plain_write(e.r, &byte, 0));
	EXPECT_EQ(-EBADF, fd_write(e.r, &byte, 1, 0));
	EXPECT_EQ(-EBADF, fd_write(e.r, &byte, 0, 0));
	EXPECT_EQ(-EBADF, plain_read(e.w, &byte, 1));
	EXPECT_EQ(-EBADF, plain_read(e.w, &byte, 0));
	EXPECT_EQ(-EBADF, fd_read(e.w, &byte, 1, 0));
	EXPECT_EQ(-EBADF, fd_read(e.w, &byte, 0, 0));
	EXPECT_EQ(-EBADF, plain_read(none, &byte, 1));
	EXPECT_EQ(-EBADF, plain_write(none, &byte, 1));
	EXPECT_EQ(-EBADF, fd_read(none, &byte, 1, IPCX_NONBLOCK));
	EXPECT_EQ(-EBADF, fd_write(none, &byte, 1, IPCX_NONBLOCK));
	EXPECT_EQ(1, pipe_used(e.r));
	EXPECT_EQ(1, stream_read(e.r, 0, 1));
	close(none);
	ends_close(&e);
}

TEST_F(pipe, has_no_offsets)
{
	struct ends e = ends_open(self->dev, 0);
	unsigned char buf[10];

	ASSERT_EQ(10, stream_write(e.w, 0, 10));
	EXPECT_EQ(-1, lseek(e.r, 0, SEEK_CUR));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, lseek(e.w, 5, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pread(e.r, buf, 10, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pwrite(e.w, buf, 10, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(10, pipe_used(e.r));
	EXPECT_EQ(10, stream_read(e.r, 0, 10));
	ends_close(&e);
}

/* Capacity. */

FIXTURE(capacity) {
	int dev;
};

FIXTURE_VARIANT(capacity) {
	uint64_t asked;
	uint64_t given;
};

FIXTURE_VARIANT_ADD(capacity, is_64k) { .asked = 0, .given = 65536 };
FIXTURE_VARIANT_ADD(capacity, min) { .asked = 4096, .given = 4096 };
FIXTURE_VARIANT_ADD(capacity, min_and_1) { .asked = 4097, .given = 8192 };
FIXTURE_VARIANT_ADD(capacity, below_power) { .asked = 8191, .given = 8192 };
FIXTURE_VARIANT_ADD(capacity, of_power) { .asked = 8192, .given = 8192 };
FIXTURE_VARIANT_ADD(capacity, odd) { .asked = 70001, .given = 131072 };

FIXTURE_SETUP(capacity)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
}

FIXTURE_TEARDOWN(capacity)
{
	close(self->dev);
}

/* Rounded up to a power of two, told by STAT, and there to be filled. */
TEST_F(capacity, is_kept)
{
	struct ends e = ends_open(self->dev, variant->asked);
	unsigned int i, given = variant->given;

	EXPECT_EQ(variant->given, pipe_stat(e.r).capacity_bytes);
	EXPECT_LE(variant->given, pipe_stat(e.r).charged_bytes);
	for (i = 0; i < given; i += 4096)
		ASSERT_EQ(4096, stream_write(e.w, i, 4096));
	EXPECT_EQ(-EAGAIN, stream_write(e.w, 0, 1));
	EXPECT_EQ(variant->given, pipe_used(e.r));
	EXPECT_EQ((int)given, stream_read(e.r, 0, given));
	ends_close(&e);
}

TEST_F(pipe, capacity_out_of_range)
{
	struct ipcx_query q, after;
	uint64_t bad[] = {
		1, 2048, 4095, 0, 0, 1ULL << 32, 1ULL << 63, (1ULL << 63) + 1,
		~0ULL, ~0ULL - 4095,
	};
	unsigned int i;

	ASSERT_EQ(0, dev_query(self->dev, &q));
	bad[3] = q.pipe_capacity_max + 1;
	bad[4] = q.pipe_capacity_max * 2;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (bad[i] >= 4096 && bad[i] <= q.pipe_capacity_max)
			continue;
		EXPECT_EQ(-EINVAL, pipe_create_sized(self->dev, NULL,
						     IPCX_LIFETIME_TRANSIENT,
						     IPCX_ACCESS_RDWR, bad[i]))
			TH_LOG("capacity %llu", (unsigned long long)bad[i]);
	}
	ASSERT_EQ(0, dev_query(self->dev, &after));
	EXPECT_EQ(q.user.objects, after.user.objects);
	EXPECT_EQ(q.user.bytes, after.user.bytes);
}

TEST_F(pipe, capacity_limits_are_told)
{
	struct ipcx_query q;
	int fd;

	ASSERT_EQ(0, dev_query(self->dev, &q));
	EXPECT_EQ(4096, q.pipe_capacity_min);
	EXPECT_EQ(65536, q.pipe_capacity_default);
	EXPECT_LE(65536, q.pipe_capacity_max);
	EXPECT_TRUE(q.types & (1 << IPCX_TYPE_PIPE));
	fd = pipe_create_sized(self->dev, NULL, IPCX_LIFETIME_TRANSIENT,
			       IPCX_ACCESS_RDWR, q.pipe_capacity_max);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(q.pipe_capacity_max, pipe_stat(fd).capacity_bytes);
	close(fd);
}

/* Whatever limit root sets: what QUERY tells can be had. */
TEST_F(pipe, capacity_limit_of_any_size)
{
	static const unsigned long long limits[] = {
		50000, 65535, 65537, 4096, 4097, 100, 0, 1 << 20,
	};
	unsigned long long before = param_get("pipe_capacity_max");
	struct ipcx_query q;
	unsigned int i;
	int fd, ret;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		ret = param_set("pipe_capacity_max", limits[i]);
		if (ret)
			SKIP(break, "pipe_capacity_max cannot be set: %d", ret);
		EXPECT_EQ(0, dev_query(self->dev, &q));
		fd = pipe_create_sized(self->dev, NULL, IPCX_LIFETIME_TRANSIENT,
				       IPCX_ACCESS_RDWR, q.pipe_capacity_max);
		EXPECT_GE(fd, 0)
			TH_LOG("%llu bytes at a limit of %llu",
			       (unsigned long long)q.pipe_capacity_max,
			       limits[i]);
		if (fd >= 0)
			EXPECT_EQ(q.pipe_capacity_max,
				  pipe_stat(fd).capacity_bytes);
		close(fd);
		fd = pipe_create_sized(self->dev, NULL, IPCX_LIFETIME_TRANSIENT,
				       IPCX_ACCESS_RDWR, 0);
		EXPECT_GE(fd, 0)
			TH_LOG("the default at a limit of %llu", limits[i]);
		if (fd >= 0)
			EXPECT_EQ(q.pipe_capacity_default,
				  pipe_stat(fd).capacity_bytes);
		close(fd);
		EXPECT_EQ(-EINVAL,
			  pipe_create_sized(self->dev, NULL,
					    IPCX_LIFETIME_TRANSIENT,
					    IPCX_ACCESS_RDWR,
					    q.pipe_capacity_max + 1));
	}
	if (before != ~0ULL)
		param_set("pipe_capacity_max", before);
}

/* The biggest pipe there is, wrapped once. */
TEST_F(pipe, biggest_holds_what_it_says)
{
	const size_t chunk = 65536;
	struct ipcx_query q;
	struct ends e;
	uint64_t at;

	ASSERT_EQ(0, dev_query(self->dev, &q));
	e = ends_open(self->dev, q.pipe_capacity_max);
	ASSERT_EQ(12345, stream_write(e.w, 0, 12345));
	ASSERT_EQ(12345, stream_read(e.r, 0, 12345));
	for (at = 0; at < q.pipe_capacity_max; at += chunk)
		ASSERT_EQ((int)chunk, stream_write(e.w, at, chunk));
	EXPECT_EQ(-EAGAIN, stream_write(e.w, 0, 1));
	EXPECT_EQ(q.pipe_capacity_max, pipe_used(e.w));
	EXPECT_EQ((int)q.pipe_capacity_max, fionread(e.r));
	for (at = 0; at < q.pipe_capacity_max; at += chunk)
		ASSERT_EQ((int)chunk, stream_read(e.r, at, chunk));
	EXPECT_EQ(0, pipe_used(e.w));
	ends_close(&e);
}

TEST_F(pipe, parameters_grow_as_structures_do)
{
	struct {
		struct ipcx_pipe_params params;
		uint64_t unknown;
	} big = { .params.capacity_bytes = 8192 };
	struct ipcx_create arg = pipe_arg(NULL, IPCX_LIFETIME_TRANSIENT,
					  IPCX_ACCESS_RDWR);
	int fd;

	arg.params = (uintptr_t)&big;
	arg.params_size = sizeof(big);
	fd = obj_create(self->dev, &arg);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(8192, pipe_stat(fd).capacity_bytes);
	close(fd);
	big.unknown = 1;
	EXPECT_EQ(-E2BIG, obj_create(self->dev, &arg));
	big.unknown = 1ULL << 56;
	EXPECT_EQ(-E2BIG, obj_create(self->dev, &arg));
	arg.params_size = sizeof(big.params) - 1;
	EXPECT_EQ(-EINVAL, obj_create(self->dev, &arg));
	arg.params_size = sizeof(big.params);
	arg.params = 8;
	EXPECT_EQ(-EFAULT, obj_create(self->dev, &arg));
}

/* Atomic writes. */

TEST_F(pipe, atomic_write_is_whole_or_not)
{
	static const struct {
		int used;
		int len;
		int ret;
	} cases[] = {
		{ 1, 4096, -EAGAIN }, { 1, 4095, 4095 }, { 4095, 2, -EAGAIN },
		{ 4095, 1, 1 }, { 4096, 1, -EAGAIN }, { 2048, 2049, -EAGAIN },
		{ 2048, 2048, 2048 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ends e = ends_open(self->dev, CAPACITY_MIN);
		int total = cases[i].used;

		if (cases[i].ret > 0)
			total += cases[i].ret;
		ASSERT_EQ(cases[i].used, stream_write(e.w, 0, cases[i].used));
		EXPECT_EQ(cases[i].ret,
			  stream_write(e.w, cases[i].used, cases[i].len))
			TH_LOG("case %u", i);
		EXPECT_EQ(total, (int)pipe_used(e.r));
		EXPECT_EQ(total, stream_read(e.r, 0, total));
		ends_close(&e);
	}
}

TEST_F(pipe, atomic_vector_is_whole_or_not)
{
	struct ends e = ends_open(self->dev, 8192);
	unsigned char buf[4096];
	struct iovec iov[2] = {
		{ .iov_base = buf, .iov_len = 100 },
		{ .iov_base = buf + 100, .iov_len = 3996 },
	};

	ASSERT_EQ(5000, stream_write(e.w, 0, 5000));
	ASSERT_EQ(0, fcntl(e.w, F_SETFL, O_NONBLOCK));
	stream_fill(buf, 5000, sizeof(buf));
	EXPECT_EQ(-1, writev(e.w, iov, 2));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(5000, pipe_used(e.r));
	iov[1].iov_len = 3092;
	EXPECT_EQ(3192, writev(e.w, iov, 2));
	EXPECT_EQ(8192, stream_read(e.r, 0, 8192));
	ends_close(&e);
}

TEST_F(pipe, atomic_write_past_deadline_writes_nothing)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	static unsigned char buf[4096];

	ASSERT_EQ(1, stream_write(e.w, 0, 1));
	stream_fill(buf, 1, sizeof(buf));
	EXPECT_EQ(-ETIMEDOUT, ref_io(e.w, IPCX_IOC_WRITE, ref_self(), buf, 4096,
				     0, deadline_past()));
	EXPECT_EQ(1, pipe_used(e.r));
	EXPECT_EQ(-ETIMEDOUT, ref_io(e.w, IPCX_IOC_WRITE, ref_self(), buf, 4096,
				     0, deadline_ms(50)));
	EXPECT_EQ(1, pipe_used(e.r));
	EXPECT_EQ(4095, ref_io(e.w, IPCX_IOC_WRITE, ref_self(), buf, 4095, 0,
			       deadline_past()));
	EXPECT_EQ(4096, stream_read(e.r, 0, 4096));
	ends_close(&e);
}

TEST_F(pipe, atomic_write_waits_for_all_its_space)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	struct actor a;

	ASSERT_EQ(2, stream_write(e.w, 0, 2));
	a = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = e.w, .len = 4096, .at = 2,
	});
	EXPECT_EQ(2, pipe_used(e.r));
	ASSERT_EQ(1, stream_read(e.r, 0, 1));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(1, pipe_used(e.r));
	ASSERT_EQ(1, stream_read(e.r, 1, 1));
	EXPECT_EQ(4096, actor_finish(&a));
	EXPECT_EQ(4096, stream_read(e.r, 2, 4096));
	ends_close(&e);
}

/* Blocks of many writers: a header and a filling that tells whose it is. */
struct block {
	uint16_t magic;
	uint16_t writer;
	uint16_t seq;
	uint16_t len;
	unsigned char filling[ATOMIC_MAX - 8];
};

#define BLOCK_MAGIC	0x1bc5

static void block_make(struct block *b, unsigned int writer, unsigned int seq,
		       uint32_t *seed)
{
	b->magic = BLOCK_MAGIC;
	b->writer = writer;
	b->seq = seq;
	b->len = random_next(seed) % 3 ? 8 + random_size(seed, ATOMIC_MAX - 8) :
					 ATOMIC_MAX;
	memset(b->filling, writer * 16 + seq % 16, b->len - 8);
}

static void blocks_write(int fd, unsigned int writer, unsigned int blocks,
			 bool polling)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	uint32_t seed = 77 + writer;
	struct block b;
	unsigned int seq;
	int ret;

	for (seq = 0; seq < blocks; seq++) {
		block_make(&b, writer, seq, &seed);
		do {
			if (polling && poll(&p, 1, PATIENCE_MS) != 1)
				_exit(3);
			ret = polling ? fd_write(fd, &b, b.len, IPCX_NONBLOCK) :
					plain_write(fd, &b, b.len);
		} while (polling && ret == -EAGAIN);
		if (ret != b.len)
			_exit(4);
	}
	_exit(0);
}

/* The number of blocks until end of file, or a negative line number. */
static int blocks_check(int fd, unsigned int writers)
{
	unsigned int next[8] = { 0 }, have = 0, count = 0, i;
	static unsigned char buf[3 * ATOMIC_MAX];
	struct block b;
	int ret;

	for (;;) {
		ret = fd_read(fd, buf + have, sizeof(buf) - have, 0);
		if (ret <= 0)
			return ret || have ? -__LINE__ : (int)count;
		have += ret;
		while (have >= 8) {
			memcpy(&b, buf, 8);
			if (b.magic != BLOCK_MAGIC || b.writer >= writers ||
			    b.len < 8 || b.len > ATOMIC_MAX)
				return -__LINE__;
			if (b.seq != next[b.writer])
				return -__LINE__;
			if (b.len > have)
				break;
			for (i = 8; i < b.len; i++)
				if (buf[i] != (unsigned char)(b.writer * 16 +
							      b.seq % 16))
					return -__LINE__;
			next[b.writer]++;
			count++;
			have -= b.len;
			memmove(buf, buf + b.len, have);
		}
	}
}

FIXTURE(blocks) {
	int dev;
};

FIXTURE_VARIANT(blocks) {
	uint64_t capacity_bytes;
	bool polling;
};

FIXTURE_VARIANT_ADD(blocks, small_blocking) { .capacity_bytes = 4096 };
FIXTURE_VARIANT_ADD(blocks, blocking) { .capacity_bytes = 16384 };
FIXTURE_VARIANT_ADD(blocks, nonblocking) {
	.capacity_bytes = 16384, .polling = true,
};

FIXTURE_SETUP(blocks)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
}

FIXTURE_TEARDOWN(blocks)
{
	close(self->dev);
}

TEST_F(blocks, do_not_interleave)
{
	struct ends e = ends_open(self->dev, variant->capacity_bytes);
	pid_t pid[4];
	int i;

	for (i = 0; i < 4; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			close(e.r);
			blocks_write(e.w, i, 150, variant->polling);
		}
	}
	close(e.w);
	EXPECT_EQ(600, blocks_check(e.r, 4));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, reap(pid[i]));
	close(e.r);
}

TEST_F(pipe, large_nonblocking_write_is_partial)
{
	struct ends e = ends_open(self->dev, 0);
	uint64_t at = 0;
	int ret, i;

	/* Longer than the pipe: some of it, and nothing that is not reported. */
	for (i = 0; i < 100; i++) {
		ret = stream_write(e.w, at, 100000);
		if (ret < 0)
			break;
		ASSERT_GT(ret, 0);
		at += ret;
		ASSERT_EQ(at, pipe_used(e.r));
	}
	EXPECT_EQ(-EAGAIN, ret);
	EXPECT_EQ(CAPACITY_DEFAULT, at);
	/* A little space is used too: only atomic writes insist on theirs. */
	ASSERT_EQ(3000, stream_read(e.r, 0, 3000));
	ret = stream_write(e.w, at, 5000);
	EXPECT_GT(ret, 0);
	EXPECT_LE(ret, 3000);
	at += ret;
	EXPECT_EQ((int)(at - 3000), stream_read(e.r, 3000, at - 3000));
	ends_close(&e);
}

/* FIONREAD and O_NONBLOCK. */

TEST_F(pipe, fionread_tells_bytes)
{
	struct ends e = ends_open(self->dev, 0);

	EXPECT_EQ(0, fionread(e.r));
	ASSERT_EQ(5000, stream_write(e.w, 0, 5000));
	EXPECT_EQ(5000, fionread(e.r));
	EXPECT_EQ(5000, fionread(e.w));
	ASSERT_EQ(4999, stream_read(e.r, 0, 4999));
	EXPECT_EQ(1, fionread(e.r));
	EXPECT_EQ(-1, ioctl(e.r, FIONREAD, (int *)8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(1, stream_read(e.r, 4999, 1));
	EXPECT_EQ(0, fionread(e.r));
	ends_close(&e);
}

TEST_F(pipe, nonblocking_by_fcntl)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	unsigned char buf[8];

	ASSERT_EQ(0, fcntl(e.r, F_GETFL) & O_NONBLOCK);
	ASSERT_EQ(0, fcntl(e.r, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(O_NONBLOCK, fcntl(e.r, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EAGAIN, plain_read(e.r, buf, 8));
	EXPECT_EQ(-EAGAIN, fd_read(e.r, buf, 8, 0));
	ASSERT_EQ(4096, stream_write(e.w, 0, 4096));
	ASSERT_EQ(0, fcntl(e.w, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, plain_write(e.w, buf, 1));
	EXPECT_EQ(-EAGAIN, fd_write(e.w, buf, 1, 0));
	EXPECT_EQ(4096, stream_read(e.r, 0, 4096));
	ends_close(&e);
}

TEST_F(pipe, blocking_again_by_fcntl)
{
	struct ends e = ends_open(self->dev, 0);
	struct actor a;

	ASSERT_EQ(0, fcntl(e.r, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, fcntl(e.r, F_SETFL, 0));
	a = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = e.r, .len = 8,
	});
	ASSERT_EQ(8, stream_write(e.w, 0, 8));
	EXPECT_EQ(8, actor_finish(&a));
	ends_close(&e);
}

TEST_F(pipe, nonblocking_from_birth)
{
	struct ipcx_create arg = pipe_arg(NULL, IPCX_LIFETIME_TRANSIENT,
					  IPCX_ACCESS_RDWR);
	unsigned char buf[8];
	int fd, other;

	arg.flags = IPCX_NONBLOCK;
	fd = obj_create(self->dev, &arg);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EAGAIN, plain_read(fd, buf, 8));
	other = fd_open(fd, IPCX_ACCESS_READ, IPCX_NONBLOCK);
	ASSERT_GE(other, 0);
	EXPECT_EQ(O_NONBLOCK, fcntl(other, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EAGAIN, plain_read(other, buf, 8));
	close(other);
	other = fd_open(fd, IPCX_ACCESS_READ, 0);
	ASSERT_GE(other, 0);
	EXPECT_EQ(0, fcntl(other, F_GETFL) & O_NONBLOCK);
	close(other);
	close(fd);
}

TEST_F(pipe, nonblocking_for_one_transfer)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	unsigned char buf[8];

	EXPECT_EQ(-EAGAIN, fd_read(e.r, buf, 8, IPCX_NONBLOCK));
	EXPECT_EQ(POISON, buf[0]);
	ASSERT_EQ(4096, stream_write(e.w, 0, 4096));
	EXPECT_EQ(-EAGAIN, fd_write(e.w, buf, 1, IPCX_NONBLOCK));
	EXPECT_EQ(0, fcntl(e.r, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(0, fcntl(e.w, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(4096, stream_read(e.r, 0, 4096));
	ends_close(&e);
}

TEST_F(pipe, nonblocking_by_flag_of_the_call)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	unsigned char buf[8] = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = 8 };

	EXPECT_EQ(-1, preadv2(e.r, &iov, 1, -1, RWF_NOWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(8, pwritev2(e.w, &iov, 1, -1, RWF_NOWAIT));
	EXPECT_EQ(8, preadv2(e.r, &iov, 1, -1, RWF_NOWAIT));
	ASSERT_EQ(4096, stream_write(e.w, 0, 4096));
	EXPECT_EQ(-1, pwritev2(e.w, &iov, 1, -1, RWF_NOWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(4096, stream_read(e.r, 0, 4096));
	ends_close(&e);
}

TEST_F(pipe, access_mode_is_the_files)
{
	struct ends e = ends_open(self->dev, 0);
	int both = fd_open(e.r, IPCX_ACCESS_RDWR, 0);

	EXPECT_EQ(O_RDONLY, fcntl(e.r, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(O_WRONLY, fcntl(e.w, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(O_RDWR, fcntl(both, F_GETFL) & O_ACCMODE);
	close(both);
	ends_close(&e);
}

/* End of file. */

TEST_F(pipe, fresh_reader_has_no_end_of_file)
{
	int r = pipe_create(self->dev, NULL, IPCX_LIFETIME_TRANSIENT,
			    IPCX_ACCESS_READ);
	unsigned char buf[8];
	struct actor a;
	int w;

	ASSERT_GE(r, 0);
	EXPECT_EQ(-EAGAIN, fd_read(r, buf, 8, IPCX_NONBLOCK));
	a = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = r, .len = 8,
	});
	w = fd_open(r, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(w, 0);
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(3, stream_write(w, 0, 3));
	EXPECT_EQ(3, actor_finish(&a));
	close(w);
	EXPECT_EQ(0, fd_read(r, buf, 8, 0));
	close(r);
}

/* A writer who comes and goes without a word ends the sleep of a reader. */
TEST_F(pipe, silent_writer_means_end_of_file)
{
	int r = pipe_create(self->dev, NULL, IPCX_LIFETIME_TRANSIENT,
			    IPCX_ACCESS_READ);
	struct actor a;
	int w;

	ASSERT_GE(r, 0);
	a = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = r, .len = 8,
	});
	w = fd_open(r, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(w, 0);
	close(w);
	EXPECT_EQ(0, actor_finish(&a));
	close(r);
}

TEST_F(pipe, end_of_file_comes_after_bytes)
{
	struct ends e = ends_open(self->dev, 0);
	unsigned char buf[8];

	ASSERT_EQ(12, stream_write(e.w, 0, 12));
	close(e.w);
	EXPECT_EQ(8, fd_read(e.r, buf, 8, 0));
	EXPECT_EQ(4, fd_read(e.r, buf, 8, 0));
	EXPECT_TRUE(stream_is(buf, 8, 4));
	EXPECT_EQ(0, fd_read(e.r, buf, 8, 0));
	EXPECT_EQ(POISON, buf[0]);
	EXPECT_EQ(0, plain_read(e.r, buf, 8));
	EXPECT_EQ(0, fd_read(e.r, buf, 8, IPCX_NONBLOCK));
	EXPECT_EQ(0, ref_io(e.r, IPCX_IOC_READ, ref_self(), buf, 8, 0,
			    deadline_past()));
	close(e.r);
}

TEST_F(pipe, end_of_file_needs_last_writer)
{
	struct ends e = ends_open(self->dev, 0);
	int second = fd_open(e.r, IPCX_ACCESS_WRITE, 0);
	int copy = dup(second);
	unsigned char buf[8];

	ASSERT_GE(second, 0);
	EXPECT_EQ(2, pipe_stat(e.r).writers);
	close(e.w);
	EXPECT_EQ(-EAGAIN, fd_read(e.r, buf, 8, IPCX_NONBLOCK));
	close(second);
	EXPECT_EQ(1, pipe_stat(e.r).writers);
	EXPECT_EQ(-EAGAIN, fd_read(e.r, buf, 8, IPCX_NONBLOCK));
	close(copy);
	EXPECT_EQ(0, pipe_stat(e.r).writers);
	EXPECT_EQ(0, fd_read(e.r, buf, 8, IPCX_NONBLOCK));
	close(e.r);
}

TEST_F(pipe, end_of_file_passes)
{
	struct ends e = ends_open(self->dev, 0);
	unsigned char buf[8];

	close(e.w);
	ASSERT_EQ(0, fd_read(e.r, buf, 8, 0));
	e.w = fd_open(e.r, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(e.w, 0);
	EXPECT_EQ(-EAGAIN, fd_read(e.r, buf, 8, IPCX_NONBLOCK));
	EXPECT_EQ(5, stream_write(e.w, 0, 5));
	EXPECT_EQ(5, stream_read(e.r, 0, 5));
	close(e.w);
	EXPECT_EQ(0, fd_read(e.r, buf, 8, 0));
	close(e.r);
}

/* Whether a writer was seen is each file's own memory. */
TEST_F(pipe, end_of_file_is_of_the_file)
{
	struct ends e = ends_open(self->dev, 0);
	unsigned char buf[8];
	int late;

	close(e.w);
	late = fd_open(e.r, IPCX_ACCESS_READ, 0);
	ASSERT_GE(late, 0);
	EXPECT_EQ(0, fd_read(e.r, buf, 8, IPCX_NONBLOCK));
	EXPECT_EQ(-EAGAIN, fd_read(late, buf, 8, IPCX_NONBLOCK));
	e.w = fd_open(e.r, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(e.w, 0);
	close(e.w);
	EXPECT_EQ(0, fd_read(late, buf, 8, IPCX_NONBLOCK));
	close(late);
	close(e.r);
}

TEST_F(pipe, reader_and_writer_in_one_has_no_end)
{
	int both = pipe_create(self->dev, NULL, IPCX_LIFETIME_TRANSIENT,
			       IPCX_ACCESS_RDWR);
	unsigned char buf[8];
	int w;

	ASSERT_GE(both, 0);
	EXPECT_EQ(-EAGAIN, fd_read(both, buf, 8, IPCX_NONBLOCK));
	w = fd_open(both, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(w, 0);
	close(w);
	EXPECT_EQ(-EAGAIN, fd_read(both, buf, 8, IPCX_NONBLOCK));
	ASSERT_EQ(8, stream_write(both, 0, 8));
	EXPECT_EQ(8, stream_read(both, 0, 8));
	close(both);
}

TEST_F(pipe, reader_and_writer_in_one_waits_for_itself)
{
	int both = pipe_create_sized(self->dev, NULL, IPCX_LIFETIME_TRANSIENT,
				     IPCX_ACCESS_RDWR, CAPACITY_MIN);
	unsigned char buf[8] = { 0 };
	struct actor a;

	ASSERT_GE(both, 0);
	a = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = both, .len = 5000,
	});
	ASSERT_EQ(4096, stream_write(both, 0, 4096));
	EXPECT_EQ(4096, actor_finish(&a));
	ASSERT_EQ(4096, stream_write(both, 0, 4096));
	EXPECT_EQ(-ETIMEDOUT, ref_io(both, IPCX_IOC_WRITE, ref_self(), buf, 1,
				     0, deadline_ms(50)));
	EXPECT_EQ(0, sigpipes);
	EXPECT_EQ(4096, stream_read(both, 0, 4096));
	EXPECT_EQ(-ETIMEDOUT, ref_io(both, IPCX_IOC_READ, ref_self(), buf, 1, 0,
				     deadline_ms(50)));
	close(both);
}

TEST_F(pipe, holder_is_neither_reader_nor_writer)
{
	struct ends e = ends_open(self->dev, 0);
	int none = fd_open(e.r, IPCX_ACCESS_NONE, 0);
	unsigned char buf[8] = { 0 };

	ASSERT_GE(none, 0);
	EXPECT_EQ(1, pipe_stat(none).readers);
	EXPECT_EQ(1, pipe_stat(none).writers);
	EXPECT_EQ(3, pipe_stat(none).opens);
	close(e.w);
	EXPECT_EQ(0, fd_read(e.r, buf, 8, 0));
	e.w = fd_open(none, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(e.w, 0);
	close(e.r);
	EXPECT_EQ(-EPIPE, fd_write(e.w, buf, 8, 0));
	close(e.w);
	EXPECT_EQ(1, pipe_stat(none).opens);
	close(none);
}

/* No reader. */

TEST_F(pipe, fresh_writer_fills_the_pipe)
{
	int w = pipe_create_sized(self->dev, NULL, IPCX_LIFETIME_TRANSIENT,
				  IPCX_ACCESS_WRITE, CAPACITY_MIN);
	struct actor a;
	int r;

	ASSERT_GE(w, 0);
	EXPECT_EQ(4096, stream_write(w, 0, 4096));
	EXPECT_EQ(-EAGAIN, stream_write(w, 0, 1));
	a = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = w, .len = 10, .at = 4096,
	});
	r = fd_open(w, IPCX_ACCESS_READ, 0);
	ASSERT_GE(r, 0);
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(4096, stream_read(r, 0, 4096));
	EXPECT_EQ(10, actor_result(&a));
	EXPECT_EQ(0, actor_sigpipes(&a));
	actor_end(&a);
	EXPECT_EQ(10, stream_read(r, 4096, 10));
	close(r);
	EXPECT_EQ(-EPIPE, stream_write(w, 0, 1));
	close(w);
}

TEST_F(pipe, write_without_reader_is_epipe)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	unsigned char buf[8] = { 0 };

	close(e.r);
	EXPECT_EQ(-EPIPE, plain_write(e.w, buf, 8));
	EXPECT_EQ(1, sigpipes);
	EXPECT_EQ(-EPIPE, ref_io(e.w, IPCX_IOC_WRITE, ref_self(), buf, 8, 0,
				 deadline_never()));
	EXPECT_EQ(2, sigpipes);
	EXPECT_EQ(-EPIPE, ref_io(e.w, IPCX_IOC_WRITE, ref_self(), buf, 8,
				 IPCX_NO_SIGPIPE, deadline_never()));
	EXPECT_EQ(2, sigpipes);
	EXPECT_EQ(-EPIPE, ref_io(e.w, IPCX_IOC_WRITE, ref_self(), buf, 8,
				 IPCX_NO_SIGPIPE | IPCX_NONBLOCK,
				 deadline_never()));
	EXPECT_EQ(2, sigpipes);
	EXPECT_EQ(0, pipe_used(e.w));
	close(e.w);
}

TEST_F(pipe, full_without_reader_is_epipe)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);

	ASSERT_EQ(4096, stream_write(e.w, 0, 4096));
	close(e.r);
	EXPECT_EQ(-EPIPE, stream_write(e.w, 0, 1));
	/* What nobody read is still there. */
	EXPECT_EQ(4096, pipe_used(e.w));
	e.r = fd_open(e.w, IPCX_ACCESS_READ, 0);
	ASSERT_GE(e.r, 0);
	EXPECT_EQ(-EAGAIN, stream_write(e.w, 0, 1));
	EXPECT_EQ(4096, stream_read(e.r, 0, 4096));
	EXPECT_EQ(1, stream_write(e.w, 0, 1));
	ends_close(&e);
}

TEST_F(pipe, sigpipe_kills)
{
	struct ends e = ends_open(self->dev, 0);
	pid_t pid;

	pid = fork();
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		close(e.r);
		if (!wait_until(!pipe_stat(e.w).readers))
			_exit(1);
		plain_write(e.w, "x", 1);
		_exit(2);
	}
	close(e.r);
	EXPECT_EQ(128 + SIGPIPE, reap(pid));
	close(e.w);
}

TEST_F(pipe, epipe_is_of_the_file)
{
	struct ends e = ends_open(self->dev, 0);
	int late;

	close(e.r);
	late = fd_open(e.w, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(late, 0);
	EXPECT_EQ(-EPIPE, stream_write(e.w, 0, 4));
	EXPECT_EQ(4, stream_write(late, 0, 4));
	e.r = fd_open(late, IPCX_ACCESS_READ, 0);
	ASSERT_GE(e.r, 0);
	EXPECT_EQ(4, stream_read(e.r, 0, 4));
	EXPECT_EQ(4, stream_write(e.w, 0, 4));
	close(e.r);
	EXPECT_EQ(-EPIPE, stream_write(late, 0, 4));
	close(late);
	close(e.w);
}

TEST_F(pipe, epipe_needs_last_reader)
{
	struct ends e = ends_open(self->dev, 0);
	int second = fd_open(e.r, IPCX_ACCESS_READ, 0);

	ASSERT_GE(second, 0);
	EXPECT_EQ(2, pipe_stat(e.w).readers);
	close(e.r);
	EXPECT_EQ(3, stream_write(e.w, 0, 3));
	close(second);
	EXPECT_EQ(-EPIPE, stream_write(e.w, 0, 3));
	close(e.w);
}

/* Who sees no end must not hide it in his sleep from those who do. */
TEST_F(pipe, fresh_sleeper_hides_no_end_of_file)
{
	struct ends e = ends_open(self->dev, 0);
	struct actor sleeper;
	unsigned char buf[8];
	int late;

	close(e.w);
	late = fd_open(e.r, IPCX_ACCESS_READ, 0);
	ASSERT_GE(late, 0);
	sleeper = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = late, .len = 8,
	});
	EXPECT_EQ(0, fd_read(e.r, buf, 8, IPCX_NONBLOCK));
	EXPECT_EQ(0, ref_io(e.r, IPCX_IOC_READ, ref_self(), buf, 8, 0,
			    deadline_ms(2000)));
	EXPECT_TRUE(actor_asleep(&sleeper));
	actor_kill(&sleeper);
	close(late);
	close(e.r);
}

/* Requests. */

TEST_F(pipe, io_says_nothing_unknown)
{
	struct ends e = ends_open(self->dev, 0);
	unsigned char buf[8] = { 0 };
	struct ipcx_io io = {
		.buf = (uintptr_t)buf, .len = 8, .deadline = deadline_never(),
	};
	unsigned int bit;

	ASSERT_EQ(8, stream_write(e.w, 0, 8));
	for (bit = 0; bit < 32; bit++) {
		if ((1u << bit) & (IPCX_NONBLOCK | IPCX_NO_RESTART |
				   IPCX_NO_SIGPIPE))
			continue;
		io.flags = 1u << bit;
		EXPECT_EQ(-EINVAL, ipc_ioctl(e.r, IPCX_IOC_READ, &io));
		EXPECT_EQ(-EINVAL, ipc_ioctl(e.w, IPCX_IOC_WRITE, &io));
	}
	io.flags = 0;
	io.reserved = 1;
	EXPECT_EQ(-EINVAL, ipc_ioctl(e.r, IPCX_IOC_READ, &io));
	EXPECT_EQ(-EINVAL, ipc_ioctl(e.w, IPCX_IOC_WRITE, &io));
	EXPECT_EQ(8, pipe_used(e.r));
	io.reserved = 0;
	EXPECT_EQ(8, ipc_ioctl(e.r, IPCX_IOC_READ, &io));
	EXPECT_TRUE(stream_is(buf, 0, 8));
	ends_close(&e);
}

TEST_F(pipe, io_grows_as_structures_do)
{
	struct ends e = ends_open(self->dev, 0);
	unsigned char buf[8];
	struct {
		struct ipcx_io io;
		uint64_t unknown;
	} big = {
		.io.buf = (uintptr_t)buf, .io.len = 8,
		.io.deadline = deadline_never(),
	};
	unsigned long read_big = _IOC(_IOC_WRITE, IPCX_IOC_MAGIC, 16,
				      sizeof(big));
	unsigned long read_small = _IOC(_IOC_WRITE, IPCX_IOC_MAGIC, 16,
					sizeof(big.io) - 8);

	ASSERT_EQ(8, stream_write(e.w, 0, 8));
	big.unknown = 1;
	EXPECT_EQ(-E2BIG, ipc_ioctl(e.r, read_big, &big));
	EXPECT_EQ(-EINVAL, ipc_ioctl(e.r, read_small, &big));
	EXPECT_EQ(8, pipe_used(e.r));
	big.unknown = 0;
	EXPECT_EQ(8, ipc_ioctl(e.r, read_big, &big));
	EXPECT_TRUE(stream_is(buf, 0, 8));
	ends_close(&e);
}

/* In .bss: 2 GiB from there are still user space. */
static unsigned char bss_buffer[2 * CAPACITY_DEFAULT];

TEST_F(pipe, length_is_cut)
{
	struct ends e = ends_open(self->dev, 0);
	static const uint64_t lens[] = {
		~0ULL, 1ULL << 63, 1ULL << 32, (1ULL << 31) - 4095, 1ULL << 31,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < 5; i++) {
		stream_fill(bss_buffer, 0, sizeof(bss_buffer));
		ret = ref_io(e.w, IPCX_IOC_WRITE, ref_self(), bss_buffer,
			     lens[i], IPCX_NONBLOCK, deadline_never());
		EXPECT_EQ(CAPACITY_DEFAULT, ret)
			TH_LOG("length %llx", (unsigned long long)lens[i]);
		memset(bss_buffer, POISON, sizeof(bss_buffer));
		ret = ref_io(e.r, IPCX_IOC_READ, ref_self(), bss_buffer,
			     lens[i], 0, deadline_never());
		EXPECT_EQ(CAPACITY_DEFAULT, ret);
		EXPECT_TRUE(stream_is(bss_buffer, 0, CAPACITY_DEFAULT));
	}
	ends_close(&e);
}

/* Deadlines. */

FIXTURE(clock) {
	int dev;
	struct ends e;
};

FIXTURE_VARIANT(clock) {
	clockid_t clock;
};

FIXTURE_VARIANT_ADD(clock, monotonic) { .clock = CLOCK_MONOTONIC };
FIXTURE_VARIANT_ADD(clock, realtime) { .clock = CLOCK_REALTIME };
FIXTURE_VARIANT_ADD(clock, boottime) { .clock = CLOCK_BOOTTIME };

FIXTURE_SETUP(clock)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, CAPACITY_MIN);
}

FIXTURE_TEARDOWN(clock)
{
	ends_close(&self->e);
	close(self->dev);
}

static int read_by(int fd, void *buf, size_t len, struct ipcx_deadline d)
{
	memset(buf, POISON, len);
	return ref_io(fd, IPCX_IOC_READ, ref_self(), buf, len, 0, d);
}

TEST_F(clock, ends_the_wait)
{
	struct ipcx_deadline d = deadline_on(variant->clock, 100);
	unsigned char buf[8];

	EXPECT_EQ(-ETIMEDOUT, read_by(self->e.r, buf, 8, d));
	EXPECT_LE(d.ns, now_ns(variant->clock));
	EXPECT_EQ(POISON, buf[0]);
	EXPECT_TRUE(pipe_waiting(self->e.r, 0, 0));

	ASSERT_EQ(4096, stream_write(self->e.w, 0, 4096));
	d = deadline_on(variant->clock, 100);
	EXPECT_EQ(-ETIMEDOUT, ref_io(self->e.w, IPCX_IOC_WRITE, ref_self(), buf,
				     1, 0, d));
	EXPECT_LE(d.ns, now_ns(variant->clock));
	EXPECT_TRUE(pipe_waiting(self->e.r, 0, 0));
	EXPECT_EQ(4096, stream_read(self->e.r, 0, 4096));
}

TEST_F(clock, that_has_passed_tries_once)
{
	static const uint64_t past[] = { 0, 1, 1000000 };
	unsigned char buf[8];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		struct ipcx_deadline d = {
			.ns = past[i], .clock = variant->clock,
		};

		EXPECT_EQ(-ETIMEDOUT, read_by(self->e.r, buf, 8, d));
		ASSERT_EQ(8, stream_write(self->e.w, i, 8));
		EXPECT_EQ(8, read_by(self->e.r, buf, 8, d));
		EXPECT_TRUE(stream_is(buf, i, 8));
		EXPECT_EQ(0, pipe_used(self->e.r));
	}
}

/* Who doesn't wait has no deadline to miss. */
TEST_F(clock, is_no_matter_if_nonblocking)
{
	struct ipcx_deadline past = { .ns = 1, .clock = variant->clock };
	char byte;

	EXPECT_EQ(-EAGAIN, ref_io(self->e.r, IPCX_IOC_READ, ref_self(), &byte,
				  1, IPCX_NONBLOCK, past));
	ASSERT_EQ(4096, stream_write(self->e.w, 0, 4096));
	EXPECT_EQ(-EAGAIN, ref_io(self->e.w, IPCX_IOC_WRITE, ref_self(), &byte,
				  1, IPCX_NONBLOCK, past));
	fcntl(self->e.w, F_SETFL, O_NONBLOCK);
	EXPECT_EQ(-EAGAIN, ref_io(self->e.w, IPCX_IOC_WRITE, ref_self(), &byte,
				  1, 0, past));
}

TEST_F(clock, that_is_far_waits)
{
	uint64_t far[] = {
		0, INT64_MAX, INT64_MAX - 1, INT64_MAX / 2, IPCX_NO_DEADLINE,
	};
	unsigned int i;

	far[0] = now_ns(variant->clock) + 3600000000000ULL;
	for (i = 0; i < 5; i++) {
		struct actor a = actor_start_asleep((struct call) {
			.kind = CALL_IOC_READ, .fd = self->e.r, .len = 8,
			.deadline = { .ns = far[i], .clock = variant->clock },
		});

		ASSERT_EQ(8, stream_write(self->e.w, i, 8));
		EXPECT_EQ(8, actor_result(&a));
		EXPECT_TRUE(stream_is(a.s->data, i, 8));
		actor_end(&a);
	}
}

TEST_F(clock, beyond_its_end_is_refused)
{
	static const uint64_t bad[] = {
		1ULL << 63, (1ULL << 63) + 1, ~0ULL - 1, 3ULL << 62,
	};
	unsigned char buf[8];
	unsigned int i;

	ASSERT_EQ(8, stream_write(self->e.w, 0, 8));
	for (i = 0; i < 4; i++) {
		struct ipcx_deadline d = {
			.ns = bad[i], .clock = variant->clock,
		};

		EXPECT_EQ(-EINVAL, read_by(self->e.r, buf, 8, d));
		EXPECT_EQ(-EINVAL, ref_io(self->e.w, IPCX_IOC_WRITE, ref_self(),
					  buf, 8, 0, d));
		EXPECT_EQ(8, pipe_used(self->e.r));
	}
	EXPECT_EQ(8, stream_read(self->e.r, 0, 8));
}

TEST_F(clock, has_nothing_reserved)
{
	struct ipcx_deadline d = deadline_on(variant->clock, 100);
	unsigned char buf[8];

	ASSERT_EQ(8, stream_write(self->e.w, 0, 8));
	d.reserved = 1;
	EXPECT_EQ(-EINVAL, read_by(self->e.r, buf, 8, d));
	d.ns = IPCX_NO_DEADLINE;
	EXPECT_EQ(-EINVAL, read_by(self->e.r, buf, 8, d));
	EXPECT_EQ(8, pipe_used(self->e.r));
}

TEST_F(pipe, unknown_clocks_are_refused)
{
	static const uint32_t bad[] = {
		2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 16, 0x7fffffff, 0x80000000,
		0xffffffff, 0xfffffffe,
	};
	struct ends e = ends_open(self->dev, 0);
	unsigned char buf[8] = { 0 };
	unsigned int i;

	ASSERT_EQ(8, stream_write(e.w, 0, 8));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct ipcx_deadline d = { .ns = 1, .clock = bad[i] };

		EXPECT_EQ(-EINVAL, read_by(e.r, buf, 8, d))
			TH_LOG("clock %u", bad[i]);
		d.ns = IPCX_NO_DEADLINE;
		EXPECT_EQ(-EINVAL, read_by(e.r, buf, 8, d));
		EXPECT_EQ(-EINVAL, ref_io(e.w, IPCX_IOC_WRITE, ref_self(), buf,
					  8, 0, d));
		EXPECT_EQ(8, pipe_used(e.r));
	}
	EXPECT_EQ(8, stream_read(e.r, 0, 8));
	ends_close(&e);
}

/* What was transferred before the deadline counts. */
TEST_F(clock, keeps_partial_write)
{
	static unsigned char buf[3 * 4096];
	struct ipcx_deadline d = deadline_on(variant->clock, 100);

	stream_fill(buf, 0, sizeof(buf));
	EXPECT_EQ(4096, ref_io(self->e.w, IPCX_IOC_WRITE, ref_self(), buf,
			       sizeof(buf), 0, d));
	EXPECT_LE(d.ns, now_ns(variant->clock));
	EXPECT_EQ(4096, stream_read(self->e.r, 0, 4096));
	d.ns = 1;
	EXPECT_EQ(4096, ref_io(self->e.w, IPCX_IOC_WRITE, ref_self(),
			       buf + 4096, 2 * 4096, 0, d));
	EXPECT_EQ(4096, stream_read(self->e.r, 4096, 4096));
	EXPECT_EQ(-EAGAIN, stream_read(self->e.r, 0, 1));
}

TEST_F(pipe, realtime_follows_steps)
{
	struct ends e = ends_open(self->dev, 0);
	struct call c = { .kind = CALL_IOC_READ, .fd = e.r, .len = 8 };
	struct actor real, mono, back;

	if (!getenv("IPCMOD_VM_KERNEL")) {
		ends_close(&e);
		SKIP(return, "sets the clock: in a virtual machine only");
	}
	c.deadline = deadline_on(CLOCK_REALTIME, 1800000);
	real = actor_start_asleep(c);
	c.deadline = deadline_on(CLOCK_MONOTONIC, 1800000);
	mono = actor_start_asleep(c);
	clock_step(3600);
	EXPECT_EQ(-ETIMEDOUT, actor_finish(&real));
	EXPECT_TRUE(actor_asleep(&mono));
	/* Stepped back, a deadline moves away. */
	c.deadline = deadline_on(CLOCK_REALTIME, 5000);
	back = actor_start_asleep(c);
	clock_step(-3600);
	EXPECT_EQ(-ETIMEDOUT, ref_io(e.r, IPCX_IOC_READ, ref_self(), &c, 1, 0,
				     deadline_ms(6000)));
	EXPECT_TRUE(actor_asleep(&back));
	actor_kill(&back);
	actor_kill(&mono);
	ends_close(&e);
}

/* State. */

TEST_F(pipe, stat_counts_bytes_and_files)
{
	struct ends e = ends_open(self->dev, 8192);
	struct ipcx_stat st = pipe_stat(e.r);
	int both = fd_open(e.r, IPCX_ACCESS_RDWR, 0);

	EXPECT_EQ(sizeof(st), st.size);
	EXPECT_EQ(IPCX_TYPE_PIPE, st.type);
	EXPECT_EQ(8192, st.capacity_bytes);
	EXPECT_EQ(0, st.used_bytes);
	EXPECT_EQ(1, st.readers);
	EXPECT_EQ(1, st.writers);
	EXPECT_EQ(2, st.opens);
	EXPECT_EQ(0, st.waiting_readers);
	EXPECT_EQ(0, st.waiting_writers);
	EXPECT_EQ(0, st.read_ns);
	EXPECT_EQ(0, st.write_ns);
	EXPECT_EQ(0, st.last_reader_pid);
	EXPECT_EQ(0, st.last_writer_pid);
	EXPECT_EQ(0, st.reserved);
	ASSERT_GE(both, 0);
	ASSERT_EQ(6000, stream_write(both, 0, 6000));
	st = pipe_stat(e.w);
	EXPECT_EQ(6000, st.used_bytes);
	EXPECT_EQ(2, st.readers);
	EXPECT_EQ(2, st.writers);
	EXPECT_EQ(3, st.opens);
	ASSERT_EQ(1000, stream_read(both, 0, 1000));
	EXPECT_EQ(5000, pipe_stat(e.w).used_bytes);
	close(both);
	st = pipe_stat(e.w);
	EXPECT_EQ(1, st.readers);
	EXPECT_EQ(1, st.writers);
	EXPECT_EQ(2, st.opens);
	EXPECT_EQ(5000, st.used_bytes);
	ends_close(&e);
}

TEST_F(pipe, stat_tells_who_was_last)
{
	struct ends e = ends_open(self->dev, 0);
	struct ipcx_stat st;
	struct actor a;

	a = actor_start((struct call) {
		.kind = CALL_WRITE, .fd = e.w, .len = 10,
	});
	ASSERT_EQ(10, actor_result(&a));
	st = pipe_stat(e.r);
	EXPECT_EQ(a.pid, st.last_writer_pid);
	EXPECT_EQ(0, st.last_reader_pid);
	EXPECT_EQ(getpid(), st.creator_pid);
	actor_end(&a);
	a = actor_start((struct call) {
		.kind = CALL_IOC_READ, .fd = e.r, .len = 5,
	});
	ASSERT_EQ(5, actor_result(&a));
	st = pipe_stat(e.r);
	EXPECT_EQ(a.pid, st.last_reader_pid);
	EXPECT_NE(a.pid, st.last_writer_pid);
	actor_end(&a);
	ASSERT_EQ(5, stream_read(e.r, 5, 5));
	ASSERT_EQ(1, stream_write(e.w, 0, 1));
	st = pipe_stat(e.r);
	EXPECT_EQ(getpid(), st.last_reader_pid);
	EXPECT_EQ(getpid(), st.last_writer_pid);
	ends_close(&e);
}

/* By the clock whose grain is a tick, and in order. */
TEST_F(pipe, stat_tells_when)
{
	struct ends e = ends_open(self->dev, 0);
	uint64_t before = now_ns(CLOCK_REALTIME_COARSE), after;
	struct ipcx_stat st;

	ASSERT_EQ(1, stream_write(e.w, 0, 1));
	st = pipe_stat(e.r);
	after = now_ns(CLOCK_REALTIME);
	EXPECT_LE(before, st.write_ns);
	EXPECT_LE(st.write_ns, after);
	EXPECT_LE(st.created_ns, st.write_ns);
	EXPECT_EQ(0, st.read_ns);
	usleep(50000);
	before = now_ns(CLOCK_REALTIME_COARSE);
	ASSERT_EQ(1, stream_read(e.r, 0, 1));
	EXPECT_EQ(st.write_ns, pipe_stat(e.r).write_ns);
	st = pipe_stat(e.r);
	EXPECT_LE(before, st.read_ns);
	EXPECT_LE(st.read_ns, now_ns(CLOCK_REALTIME));
	ends_close(&e);
}

TEST_F(pipe, failed_calls_leave_no_marks)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	struct ipcx_stat st;

	EXPECT_EQ(-EAGAIN, stream_read(e.r, 0, 1));
	EXPECT_EQ(0, pipe_stat(e.r).read_ns);
	EXPECT_EQ(0, pipe_stat(e.r).last_reader_pid);
	close(e.w);
	EXPECT_EQ(0, stream_read(e.r, 0, 1));
	EXPECT_EQ(0, pipe_stat(e.r).read_ns);
	e.w = fd_open(e.r, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(e.w, 0);
	close(e.r);
	EXPECT_EQ(-EPIPE, stream_write(e.w, 0, 1));
	st = pipe_stat(e.w);
	EXPECT_EQ(0, st.write_ns);
	EXPECT_EQ(0, st.last_writer_pid);
	EXPECT_EQ(0, st.used_bytes);
	close(e.w);
}

TEST_F(pipe, stat_counts_sleepers)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	struct actor a[3];
	int i;

	a[0] = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = e.r, .len = 1,
	});
	EXPECT_TRUE(pipe_waiting(e.r, 1, 0));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a[0]));
	EXPECT_TRUE(pipe_waiting(e.r, 0, 0));
	ASSERT_EQ(4096, stream_write(e.w, 0, 4096));
	a[0] = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = e.w, .len = 1,
	});
	EXPECT_TRUE(pipe_waiting(e.r, 0, 1));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a[0]));
	EXPECT_TRUE(pipe_waiting(e.r, 0, 0));
	/* Each task that sleeps is one, whatever it sleeps on. */
	for (i = 0; i < 3; i++)
		a[i] = actor_start_asleep((struct call) {
			.kind = CALL_WRITE, .fd = e.w, .len = 1,
		});
	EXPECT_TRUE(pipe_waiting(e.r, 0, 3));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(128 + SIGKILL, actor_kill(&a[i]));
	EXPECT_TRUE(pipe_waiting(e.r, 0, 0));
	EXPECT_EQ(4096, stream_read(e.r, 0, 4096));
	for (i = 0; i < 3; i++)
		a[i] = actor_start_asleep((struct call) {
			.kind = CALL_READ, .fd = e.r, .len = 1,
		});
	EXPECT_TRUE(pipe_waiting(e.r, 3, 0));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(128 + SIGKILL, actor_kill(&a[i]));
	EXPECT_TRUE(pipe_waiting(e.r, 0, 0));
	ends_close(&e);
}

TEST_F(pipe, files_share_an_inode)
{
	struct ends e = ends_open(self->dev, 0), other = ends_open(self->dev, 0);
	struct stat r, w, o;

	memset(&r, POISON, sizeof(r));
	ASSERT_EQ(0, fstat(e.r, &r));
	ASSERT_EQ(0, fstat(e.w, &w));
	ASSERT_EQ(0, fstat(other.r, &o));
	EXPECT_EQ(r.st_ino, w.st_ino);
	EXPECT_EQ(r.st_dev, w.st_dev);
	EXPECT_EQ(r.st_dev, o.st_dev);
	EXPECT_NE(r.st_ino, o.st_ino);
	EXPECT_EQ(0600, r.st_mode & 0777);
	EXPECT_EQ(geteuid(), r.st_uid);
	EXPECT_EQ(getegid(), r.st_gid);
	ends_close(&e);
	ends_close(&other);
}

TEST_HARNESS_MAIN
