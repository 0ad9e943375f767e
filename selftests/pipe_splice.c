// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes: splice(2) to and from a pipe(2), sendfile(2) into a pipe. Every byte
 * arrives once and in order, what does not fit stays where it was, and while a
 * splice waits others go on with either pipe.
 *
 * What ends the wait for our side is in pipe_signal.c, splice as a way to move
 * bytes under load in pipe_stress.c and pipe_resize.c.
 */
#include "stress_test.h"

#include <sys/sendfile.h>

#define PLAIN_MAX	(1 << 20)	/* of a pipe(2), as root or not */
#define ONE_CALL	65536		/* the most that one splice takes out */

/* @e is ours, @p is the pipe(2). */
FIXTURE(splice) {
	int dev;
	struct ends e;
	struct ends p;
};

FIXTURE_SETUP(splice)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	sigpipe_catch();
	self->e = ends_open(self->dev, CAPACITY_DEFAULT);
	self->p = plain_pipe(65536);
}

FIXTURE_TEARDOWN(splice)
{
	track_cleanup();
	ends_close(&self->e);
	ends_close(&self->p);
	close(self->dev);
}

/* Without waiting; whatever is moved is moved at once. */
static int splice_now(int in, int out, size_t len)
{
	return plain_splice(in, out, len, SPLICE_F_NONBLOCK);
}

/* The stream's bytes from @at into a pipe(2) with enough room. */
static void plain_fill(int fd, uint64_t at, size_t len)
{
	unsigned char *buf = malloc(len);

	stream_fill(buf, at, len);
	if (write(fd, buf, len) != (ssize_t)len)
		abort();
	free(buf);
}

/* Whether @len bytes can be read at once, and are the stream's from @at. */
static bool plain_has(int fd, uint64_t at, size_t len)
{
	unsigned char *buf = malloc(len + 1);
	bool good;

	good = fionread(fd) >= (int)len &&
	       (!len || read(fd, buf, len) == (ssize_t)len) &&
	       stream_is(buf, at, len);
	free(buf);
	return good;
}

/* Moves the place where the ring begins. */
static void ring_turn(struct ends e, int offset)
{
	if (offset && (stream_write(e.w, 0, offset) != offset ||
		       stream_read(e.r, 0, offset) != offset))
		abort();
}

/* How much. */

static const int capacities[] = { 4096, 65536, 1 << 18 };
static const int offsets[] = { 0, 1, 1000, 4095, 4096 };

static const int sizes[] = {
	1, 2, 100, 4095, 4096, 4097, 8191, 12288, 65535, 65536, 65537, 100000,
	1 << 18, 300000,
};

/* All that fits, and the rest is where it was. */
static void in_once(struct __test_metadata *_metadata, struct ends e,
		    struct ends p, int capacity, int len)
{
	int fits = len < capacity ? len : capacity, done = 0, ret;

	plain_fill(p.w, 5, len);
	ASSERT_EQ(fits, splice_now(p.r, e.w, len))
		TH_LOG("%d bytes into %d", len, capacity);
	ASSERT_EQ(fits, (int)pipe_used(e.r));
	ASSERT_EQ(len - fits, fionread(p.r));
	while (done < len) {
		ret = stream_read(e.r, 5 + done, capacity);
		ASSERT_LT(0, ret);
		done += ret;
		if (done < len)
			ASSERT_LT(0, splice_now(p.r, e.w, len));
	}
	ASSERT_EQ(0, fionread(p.r));
	ASSERT_EQ(0, pipe_used(e.r));
}

TEST_F(splice, in_takes_what_fits)
{
	unsigned int c, o, s;

	ASSERT_LE(0, fcntl(self->p.w, F_SETPIPE_SZ, PLAIN_MAX));
	for (c = 0; c < ARRAY_SIZE(capacities); c++) {
		struct ends e = ends_open(self->dev, capacities[c]);

		for (o = 0; o < ARRAY_SIZE(offsets); o++) {
			for (s = 0; s < ARRAY_SIZE(sizes); s++) {
				ring_turn(e, offsets[o] % 4096);
				in_once(_metadata, e, self->p, capacities[c],
					sizes[s]);
			}
		}
		ends_close(&e);
	}
}

/* As much as there is, 64 KiB a call. */
static void out_once(struct __test_metadata *_metadata, struct ends e,
		     struct ends p, int used, int len)
{
	int most = len < used ? len : used, done = 0, ret;

	if (most > ONE_CALL)
		most = ONE_CALL;
	ASSERT_EQ(used, stream_write(e.w, 5, used));
	ASSERT_EQ(most, splice_now(e.r, p.w, len))
		TH_LOG("%d bytes of %d", len, used);
	ASSERT_EQ(used - most, (int)pipe_used(e.r));
	ASSERT_EQ(most, fionread(p.r));
	while (done < used) {
		ret = fionread(p.r);
		ASSERT_TRUE(plain_has(p.r, 5 + done, ret));
		done += ret;
		if (done < used)
			ASSERT_LT(0, splice_now(e.r, p.w, used - done));
	}
	ASSERT_EQ(0, pipe_used(e.r));
	ASSERT_EQ(0, fionread(p.r));
}

TEST_F(splice, out_takes_what_there_is)
{
	struct ends e = ends_open(self->dev, 1 << 18);
	unsigned int o, s;

	ASSERT_LE(0, fcntl(self->p.w, F_SETPIPE_SZ, PLAIN_MAX));
	for (o = 0; o < ARRAY_SIZE(offsets); o++) {
		for (s = 0; s < ARRAY_SIZE(sizes); s++) {
			int used = sizes[s] < 1 << 18 ? sizes[s] : 1 << 18;

			ring_turn(e, offsets[o]);
			out_once(_metadata, e, self->p, used, used);
			out_once(_metadata, e, self->p, used, 1 << 20);
			out_once(_metadata, e, self->p, used, used / 2 + 1);
		}
	}
	ends_close(&e);
}

/* From where the smallest ring wraps. */
TEST_F(splice, out_of_a_ring_that_wraps)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	int turn;

	for (turn = 1; turn < 4096; turn += 63) {
		ring_turn(e, 63);
		out_once(_metadata, e, self->p, 4096, 4096);
		out_once(_metadata, e, self->p, 4000, 99);
	}
	ends_close(&e);
}

/* The pipe(2) is what is small. */
TEST_F(splice, out_takes_what_the_other_can_hold)
{
	int got;

	ASSERT_EQ(4096, fcntl(self->p.w, F_SETPIPE_SZ, 4096));
	ASSERT_EQ(20000, stream_write(self->e.w, 0, 20000));
	EXPECT_EQ(4096, splice_now(self->e.r, self->p.w, 20000));
	EXPECT_EQ(-EAGAIN, splice_now(self->e.r, self->p.w, 20000));
	EXPECT_EQ(20000 - 4096, pipe_used(self->e.r));
	EXPECT_TRUE(plain_has(self->p.r, 0, 4096));
	EXPECT_EQ(100, splice_now(self->e.r, self->p.w, 100));
	/* A page of it has 100 bytes. */
	got = splice_now(self->e.r, self->p.w, 20000);
	EXPECT_TRUE(got == -EAGAIN || (got > 0 && got <= 4096 - 100));
	if (got < 0)
		got = 0;
	EXPECT_TRUE(plain_has(self->p.r, 4096, 100 + got));
	EXPECT_EQ(0, fionread(self->p.r));
	EXPECT_EQ(20000 - 4096 - 100 - got,
		  stream_read(self->e.r, 4096 + 100 + got, 20000));
}

TEST_F(splice, in_takes_what_is_asked)
{
	plain_fill(self->p.w, 0, 10000);
	EXPECT_EQ(100, splice_now(self->p.r, self->e.w, 100));
	EXPECT_EQ(100, pipe_used(self->e.r));
	EXPECT_EQ(9900, fionread(self->p.r));
	EXPECT_EQ(4000, splice_now(self->p.r, self->e.w, 4000));
	EXPECT_EQ(1, splice_now(self->p.r, self->e.w, 1));
	EXPECT_EQ(0, splice_now(self->p.r, self->e.w, 0));
	EXPECT_EQ(0, splice_now(self->e.r, self->p.w, 0));
	EXPECT_EQ(10000 - 4101, splice_now(self->p.r, self->e.w, 1 << 30));
	EXPECT_EQ(10000, stream_read(self->e.r, 0, 10000));
}

/* Each buffer whole or not at all. */
TEST_F(splice, in_is_atomic_for_each_buffer)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);

	ASSERT_EQ(1, stream_write(e.w, 0, 1));
	plain_fill(self->p.w, 1, 4096);
	EXPECT_EQ(-EAGAIN, splice_now(self->p.r, e.w, 4096));
	EXPECT_EQ(1, pipe_used(e.r));
	EXPECT_EQ(4096, fionread(self->p.r));
	/* What is asked for fits. */
	EXPECT_EQ(4095, splice_now(self->p.r, e.w, 4095));
	EXPECT_EQ(4096, stream_read(e.r, 0, 4096));
	/* Two buffers, of which one fits. */
	plain_fill(self->p.w, 4097, 8192);
	ASSERT_EQ(1, stream_write(e.w, 4095, 1));
	EXPECT_EQ(1, splice_now(self->p.r, e.w, 1));
	EXPECT_EQ(-EAGAIN, splice_now(self->p.r, e.w, 8192));
	EXPECT_EQ(2, stream_read(e.r, 4095, 2));
	EXPECT_LE(4095, splice_now(self->p.r, e.w, 8192));
	ends_close(&e);
}

/* Nothing to move, and no waiting. */

TEST_F(splice, nothing_there_is_eagain)
{
	EXPECT_EQ(-EAGAIN, splice_now(self->e.r, self->p.w, 10));
	EXPECT_EQ(-EAGAIN, splice_now(self->p.r, self->e.w, 10));
	ASSERT_EQ(0, fcntl(self->e.r, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, plain_splice(self->e.r, self->p.w, 10, 0));
	ASSERT_EQ(5, stream_write(self->e.w, 0, 5));
	EXPECT_EQ(5, plain_splice(self->e.r, self->p.w, 10, 0));
	EXPECT_TRUE(plain_has(self->p.r, 0, 5));
}

TEST_F(splice, no_room_is_eagain)
{
	int full = CAPACITY_DEFAULT;

	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	plain_fill(self->p.w, full, 10);
	EXPECT_EQ(-EAGAIN, splice_now(self->p.r, self->e.w, 10));
	ASSERT_EQ(0, fcntl(self->e.w, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, plain_splice(self->p.r, self->e.w, 10, 0));
	EXPECT_EQ(10, fionread(self->p.r));
	/* Likewise the other way. */
	plain_fill(self->p.w, full + 10, 65536 - 4096);
	EXPECT_EQ(-EAGAIN, splice_now(self->e.r, self->p.w, 10));
	ASSERT_EQ(0, fcntl(self->p.w, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, plain_splice(self->e.r, self->p.w, 10, 0));
	EXPECT_EQ(full, stream_read(self->e.r, 0, full));
	EXPECT_TRUE(plain_has(self->p.r, full, 10 + 65536 - 4096));
}

/* Ends. */

TEST_F(splice, end_of_file)
{
	ASSERT_EQ(5, stream_write(self->e.w, 0, 5));
	close(self->e.w);
	EXPECT_EQ(5, plain_splice(self->e.r, self->p.w, 10, 0));
	EXPECT_EQ(0, plain_splice(self->e.r, self->p.w, 10, 0));
	EXPECT_EQ(0, splice_now(self->e.r, self->p.w, 10));
	EXPECT_TRUE(plain_has(self->p.r, 0, 5));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	plain_fill(self->p.w, 0, 5);
	close(self->p.w);
	EXPECT_EQ(5, plain_splice(self->p.r, self->e.w, 10, 0));
	EXPECT_EQ(0, plain_splice(self->p.r, self->e.w, 10, 0));
	EXPECT_EQ(0, splice_now(self->p.r, self->e.w, 10));
	EXPECT_EQ(5, stream_read(self->e.r, 0, 5));
	self->p.w = dup(self->p.r);
}

TEST_F(splice, reader_of_ours_gone)
{
	plain_fill(self->p.w, 0, 5);
	close(self->e.r);
	EXPECT_EQ(-EPIPE, plain_splice(self->p.r, self->e.w, 5, 0));
	EXPECT_EQ(1, sigpipes);
	EXPECT_EQ(-EPIPE, splice_now(self->p.r, self->e.w, 5));
	EXPECT_EQ(2, sigpipes);
	EXPECT_TRUE(plain_has(self->p.r, 0, 5));
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
	EXPECT_EQ(0, pipe_used(self->e.r));
}

TEST_F(splice, reader_of_the_other_gone)
{
	ASSERT_EQ(5, stream_write(self->e.w, 0, 5));
	close(self->p.r);
	EXPECT_EQ(-EPIPE, plain_splice(self->e.r, self->p.w, 5, 0));
	EXPECT_EQ(1, sigpipes);
	EXPECT_EQ(-EPIPE, splice_now(self->e.r, self->p.w, 5));
	EXPECT_EQ(2, sigpipes);
	EXPECT_EQ(5, stream_read(self->e.r, 0, 5));
	self->p.r = dup(self->p.w);
}

TEST_F(splice, removed)
{
	ASSERT_EQ(5, stream_write(self->e.w, 0, 5));
	plain_fill(self->p.w, 0, 5);
	ASSERT_EQ(0, fd_remove(self->e.r));
	EXPECT_EQ(-EIDRM, plain_splice(self->e.r, self->p.w, 5, 0));
	EXPECT_EQ(-EIDRM, plain_splice(self->p.r, self->e.w, 5, 0));
	EXPECT_EQ(-EIDRM, splice_now(self->p.r, self->e.w, 5));
	EXPECT_TRUE(plain_has(self->p.r, 0, 5));
	EXPECT_EQ(0, fionread(self->p.r));
	EXPECT_EQ(0, sigpipes);
}

/* What cannot be. */

#define REFUSED(wanted, call) do {					\
	EXPECT_EQ(-1, call);						\
	EXPECT_EQ(wanted, errno);					\
} while (0)

TEST_F(splice, wrong_files)
{
	int none = fd_open(self->e.r, IPCX_ACCESS_NONE, 0);
	struct ends other = ends_open(self->dev, 0);
	int file = memfd_create("wrong_files", MFD_CLOEXEC);

	ASSERT_EQ(5, stream_write(self->e.w, 0, 5));
	plain_fill(self->p.w, 0, 5);
	EXPECT_EQ(-EBADF, splice_now(self->e.w, self->p.w, 5));
	EXPECT_EQ(-EBADF, splice_now(self->p.r, self->e.r, 5));
	EXPECT_EQ(-EBADF, splice_now(none, self->p.w, 5));
	EXPECT_EQ(-EBADF, splice_now(self->p.r, none, 5));
	EXPECT_EQ(-EBADF, splice_now(self->e.r, self->p.r, 5));
	EXPECT_EQ(-EBADF, splice_now(self->p.w, self->e.w, 5));
	/* One of the two has to be a pipe(2), and ours is none. */
	EXPECT_EQ(-EINVAL, splice_now(self->e.r, self->e.w, 5));
	EXPECT_EQ(-EINVAL, splice_now(self->e.r, other.w, 5));
	EXPECT_EQ(-EINVAL, splice_now(self->e.r, file, 5));
	EXPECT_EQ(-EINVAL, splice_now(file, self->e.w, 5));
	REFUSED(EINVAL, tee(self->e.r, self->p.w, 5, SPLICE_F_NONBLOCK));
	REFUSED(EINVAL, tee(self->p.r, self->e.w, 5, SPLICE_F_NONBLOCK));
	REFUSED(EBADF, vmsplice(self->e.w, &(struct iovec) {
		.iov_base = (void *)"12345", .iov_len = 5 }, 1, 0));
	EXPECT_EQ(5, stream_read(self->e.r, 0, 5));
	EXPECT_TRUE(plain_has(self->p.r, 0, 5));
	close(file);
	close(none);
	ends_close(&other);
}

/* There are no positions in a pipe of either kind. */
TEST_F(splice, wrong_offsets_and_flags)
{
	loff_t zero = 0;

	ASSERT_EQ(5, stream_write(self->e.w, 0, 5));
	plain_fill(self->p.w, 0, 5);
	REFUSED(ESPIPE, splice(self->e.r, NULL, self->p.w, &zero, 5, 0));
	REFUSED(ESPIPE, splice(self->p.r, &zero, self->e.w, NULL, 5, 0));
	EXPECT_EQ(-1, splice(self->e.r, &zero, self->p.w, NULL, 5, 0));
	EXPECT_TRUE(errno == ESPIPE || errno == EINVAL);
	EXPECT_EQ(-1, splice(self->p.r, NULL, self->e.w, &zero, 5, 0));
	EXPECT_TRUE(errno == ESPIPE || errno == EINVAL);
	REFUSED(EINVAL, splice(self->e.r, NULL, self->p.w, NULL, 5, 1U << 31));
	REFUSED(EINVAL, splice(self->p.r, NULL, self->e.w, NULL, 5, 1U << 31));
	EXPECT_EQ(0, zero);
	EXPECT_EQ(5, stream_read(self->e.r, 0, 5));
	EXPECT_TRUE(plain_has(self->p.r, 0, 5));
	/* Hints change nothing. */
	ASSERT_EQ(5, stream_write(self->e.w, 0, 5));
	EXPECT_EQ(5, plain_splice(self->e.r, self->p.w, 5,
				  SPLICE_F_MOVE | SPLICE_F_MORE));
	EXPECT_EQ(5, plain_splice(self->p.r, self->e.w, 5,
				  SPLICE_F_MOVE | SPLICE_F_MORE));
	EXPECT_EQ(5, stream_read(self->e.r, 0, 5));
}

/* What STAT tells is what it tells of read(2) and write(2). */
TEST_F(splice, leaves_the_marks_of_a_transfer)
{
	struct ipcx_stat st;
	pid_t pid;

	plain_fill(self->p.w, 0, 10);
	pid = fork();
	if (!pid)
		_exit(plain_splice(self->p.r, self->e.w, 10, 0) != 10);
	ASSERT_EQ(0, reap(pid));
	st = pipe_stat(self->e.r);
	EXPECT_EQ(pid, st.last_writer_pid);
	EXPECT_LT(0, st.write_ns);
	EXPECT_EQ(0, st.last_reader_pid);
	pid = fork();
	if (!pid)
		_exit(plain_splice(self->e.r, self->p.w, 10, 0) != 10);
	ASSERT_EQ(0, reap(pid));
	st = pipe_stat(self->e.r);
	EXPECT_EQ(pid, st.last_reader_pid);
	EXPECT_LT(0, st.read_ns);
}

/* What buffers of a pipe(2) can be made of. */

/* Bytes are copied when they go in: who changes their page later is too late. */
TEST_F(splice, in_of_users_pages)
{
	static const unsigned int flags[] = { 0, SPLICE_F_GIFT };
	unsigned char *buf;
	struct iovec iov;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		buf = mmap(NULL, 5 * PAGE_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, buf);
		stream_fill(buf, 0, 5 * PAGE_BYTES);
		iov.iov_base = buf;
		iov.iov_len = 5 * PAGE_BYTES;
		ASSERT_EQ(5 * PAGE_BYTES,
			  vmsplice(self->p.w, &iov, 1, flags[i]));
		EXPECT_EQ(5 * PAGE_BYTES,
			  splice_now(self->p.r, self->e.w, 5 * PAGE_BYTES));
		memset(buf, POISON, 5 * PAGE_BYTES);
		EXPECT_EQ(5 * PAGE_BYTES,
			  stream_read(self->e.r, 0, 5 * PAGE_BYTES));
		munmap(buf, 5 * PAGE_BYTES);
	}
}

/* Pieces of pages, each a buffer of its own. */
TEST_F(splice, in_of_pieces)
{
	static const int lengths[] = { 1, 4095, 2, 100, 4096, 3, 1000, 64 };
	unsigned char *buf = mmap(NULL, 16 * PAGE_BYTES, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov[ARRAY_SIZE(lengths)];
	int at = 0, i, n = ARRAY_SIZE(lengths);

	for (i = 0; i < n; i++) {
		iov[i].iov_base = buf + i * 2 * PAGE_BYTES + i * 7;
		iov[i].iov_len = lengths[i];
		stream_fill(iov[i].iov_base, at, lengths[i]);
		at += lengths[i];
	}
	ASSERT_EQ(at, vmsplice(self->p.w, iov, n, 0));
	EXPECT_EQ(at, splice_now(self->p.r, self->e.w, at));
	EXPECT_EQ(at, stream_read(self->e.r, 0, at));
	/* And each in parts, with a reader of the pipe(2) between. */
	ASSERT_EQ(at, vmsplice(self->p.w, iov, n, 0));
	for (i = 0; i < at; i += 61) {
		ASSERT_TRUE(plain_has(self->p.r, i, i + 30 < at ? 30 : 0));
		if (i + 30 >= at)
			break;
		ASSERT_LT(0, splice_now(self->p.r, self->e.w,
					at - i - 30 < 31 ? at - i - 30 : 31));
	}
	for (i = 0; i + 30 < at; i += 61)
		ASSERT_EQ(at - i - 30 < 31 ? at - i - 30 : 31,
			  stream_read(self->e.r, i + 30,
				      at - i - 30 < 31 ? at - i - 30 : 31));
	munmap(buf, 16 * PAGE_BYTES);
}

TEST_F(splice, in_of_packets)
{
	struct ends p;
	int fds[2];

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC | O_DIRECT));
	p = (struct ends) { .r = fds[0], .w = fds[1] };
	plain_fill(p.w, 0, 10);
	plain_fill(p.w, 10, 5000);
	plain_fill(p.w, 5010, 1);
	EXPECT_EQ(5011, splice_now(p.r, self->e.w, 10000));
	EXPECT_EQ(5011, stream_read(self->e.r, 0, 5011));
	ends_close(&p);
}

TEST_F(splice, in_of_tees)
{
	struct ends copy = plain_pipe(65536);

	plain_fill(self->p.w, 0, 10000);
	ASSERT_EQ(10000, tee(self->p.r, copy.w, 10000, 0));
	EXPECT_EQ(10000, splice_now(copy.r, self->e.w, 10000));
	EXPECT_EQ(10000, stream_read(self->e.r, 0, 10000));
	/* The one that is still there is as it was. */
	EXPECT_EQ(10000, splice_now(self->p.r, self->e.w, 10000));
	EXPECT_EQ(10000, stream_read(self->e.r, 0, 10000));
	ends_close(&copy);
}

/* A file with the stream in it. */
static int stream_file(size_t len)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);
	unsigned char *buf = malloc(len);

	stream_fill(buf, 0, len);
	if (fd < 0 || write(fd, buf, len) != (ssize_t)len ||
	    lseek(fd, 0, SEEK_SET))
		abort();
	free(buf);
	return fd;
}

TEST_F(splice, in_of_files_pages)
{
	static const unsigned char other[30000];
	int file = stream_file(30000);
	loff_t at = 5;

	ASSERT_EQ(29995, splice(file, &at, self->p.w, NULL, 29995, 0));
	EXPECT_EQ(29995, splice_now(self->p.r, self->e.w, 30000));
	ASSERT_EQ(30000, pwrite(file, other, 30000, 0));
	ASSERT_EQ(0, ftruncate(file, 0));
	EXPECT_EQ(29995, stream_read(self->e.r, 5, 29995));
	close(file);
}

/* Nor is what went out shared: our ring is used again, theirs keeps its bytes. */
TEST_F(splice, out_is_a_copy)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	struct ends copy = plain_pipe(65536);

	ASSERT_EQ(4096, stream_write(e.w, 0, 4096));
	ASSERT_EQ(4096, splice_now(e.r, self->p.w, 4096));
	ASSERT_EQ(4096, stream_write(e.w, 50000, 4096));
	ASSERT_EQ(4096, tee(self->p.r, copy.w, 4096, 0));
	EXPECT_TRUE(plain_has(self->p.r, 0, 4096));
	EXPECT_TRUE(plain_has(copy.r, 0, 4096));
	EXPECT_EQ(4096, stream_read(e.r, 50000, 4096));
	ends_close(&copy);
	ends_close(&e);
}

/* Out to a file, by way of the pipe(2). */
TEST_F(splice, out_to_a_file)
{
	int file = memfd_create("out", MFD_CLOEXEC), ret, at;
	static unsigned char buf[65536];

	for (at = 0; at < 500000; at += ret) {
		int n = at % 3 ? 65536 : 10001;

		ASSERT_EQ(n, stream_write(self->e.w, at, n));
		ret = splice_now(self->e.r, self->p.w, n);
		ASSERT_EQ(n, ret);
		ASSERT_EQ(n, splice_now(self->p.r, file, n));
	}
	ASSERT_EQ(0, lseek(file, 0, SEEK_SET));
	for (at = 0; at < 500000; at += ret) {
		ret = read(file, buf, sizeof(buf));
		ASSERT_LT(0, ret);
		ASSERT_TRUE(stream_is(buf, at, ret));
	}
	close(file);
}

/* sendfile(2). */

TEST_F(splice, sendfile_sends)
{
	int file = stream_file(50000);
	off_t at = 7;

	EXPECT_EQ(50000, sendfile(self->e.w, file, NULL, 50000));
	EXPECT_EQ(50000, lseek(file, 0, SEEK_CUR));
	EXPECT_EQ(50000, stream_read(self->e.r, 0, 50000));
	EXPECT_EQ(0, sendfile(self->e.w, file, NULL, 50000));
	EXPECT_EQ(100, sendfile(self->e.w, file, &at, 100));
	EXPECT_EQ(107, at);
	EXPECT_EQ(50000 - 107, sendfile(self->e.w, file, &at, 1 << 20));
	EXPECT_EQ(50000, at);
	EXPECT_EQ(50000 - 7, stream_read(self->e.r, 7, 50000));
	EXPECT_EQ(50000, lseek(file, 0, SEEK_CUR));
	close(file);
}

/* As much as there is room for, and the file stands where that ends. */
TEST_F(splice, sendfile_that_does_not_wait)
{
	int file = stream_file(300000), at = 0, ret;
	uint32_t seed = 12;

	ASSERT_EQ(0, fcntl(self->e.w, F_SETFL, O_NONBLOCK));
	while (at < 300000) {
		int room = CAPACITY_DEFAULT - pipe_used(self->e.r);

		errno = 0;
		ret = sendfile(self->e.w, file, NULL, 300000);
		if (ret < 0) {
			/* Less than the next page of it. */
			ASSERT_EQ(EAGAIN, errno);
			ASSERT_LT(room, 4096);
			ret = 0;
		}
		ASSERT_LE(ret, room);
		if (room < 300000 - at)
			ASSERT_LT(room - ret, 4096);
		ASSERT_EQ(at + ret, lseek(file, 0, SEEK_CUR));
		at += ret;
		room = pipe_used(self->e.r);
		ret = random_next(&seed) % room + 1;
		ASSERT_EQ(ret, stream_read(self->e.r, at - room, ret));
	}
	ret = pipe_used(self->e.r);
	if (ret)
		EXPECT_EQ(ret, stream_read(self->e.r, 300000 - ret, ret));
	EXPECT_EQ(0, sendfile(self->e.w, file, NULL, 1));
	close(file);
}

/* Far more than the pipe holds. */
TEST_F(splice, sendfile_that_waits)
{
	int file = stream_file(3000000);
	struct flow f = {
		.t = { .way = WAY_PLAIN, .fd = self->e.r }, .most = 100000,
		.seed = 8,
	};
	pid_t pid;

	shared_init();
	pid = flow_start(f, true);
	EXPECT_EQ(3000000, sendfile(self->e.w, file, NULL, 4000000));
	EXPECT_EQ(3000000, lseek(file, 0, SEEK_CUR));
	close(self->e.w);
	EXPECT_EQ(0, workers_join(&pid, 1, self->e.r));
	EXPECT_EQ(3000000, shared->taken[0]);
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	close(file);
}

static void nothing(int sig)
{
	(void)sig;
}

/* A signal ends it with what it has sent, to the byte. */
TEST_F(splice, sendfile_interrupted)
{
	struct sigaction sa = { .sa_handler = nothing };
	int file = stream_file(300000);
	int64_t *sent = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork();
	int i, ret;

	if (!pid) {
		sigaction(SIGUSR1, &sa, NULL);
		*sent = sendfile(self->e.w, file, NULL, 300000);
		_exit(lseek(file, 0, SEEK_CUR) != *sent);
	}
	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(wait_until(pid_state(pid) == 'S' &&
				       pid_syscall(pid) == SYS_sendfile &&
				       pipe_stat(self->e.r).waiting_writers));
		if (!i)
			ASSERT_EQ(50000, stream_read(self->e.r, 0, 50000));
	}
	kill(pid, SIGUSR1);
	ASSERT_EQ(0, reap(pid));
	EXPECT_LE(CAPACITY_DEFAULT, *sent);
	EXPECT_EQ(*sent - 50000, (int64_t)pipe_used(self->e.r));
	ret = *sent - 50000;
	EXPECT_EQ(ret, stream_read(self->e.r, 50000, ret));
	close(file);
}

TEST_F(splice, sendfile_refused)
{
	int file = stream_file(100), out = memfd_create("to", MFD_CLOEXEC);
	off_t at = 0;

	ASSERT_EQ(10, stream_write(self->e.w, 0, 10));
	REFUSED(EINVAL, sendfile(out, self->e.r, NULL, 10));
	EXPECT_EQ(-1, sendfile(out, self->e.r, &at, 10));
	EXPECT_EQ(10, pipe_used(self->e.r));
	REFUSED(EBADF, sendfile(self->e.r, file, NULL, 10));
	EXPECT_EQ(10, stream_read(self->e.r, 0, 10));
	close(self->e.r);
	REFUSED(EPIPE, sendfile(self->e.w, file, NULL, 10));
	EXPECT_EQ(1, sigpipes);
	EXPECT_EQ(0, lseek(file, 0, SEEK_CUR));
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
	close(file);
	close(out);
}

/* Who sleeps at either pipe hears of it. */

/* The reader leaves some, or the poller would find nothing and sleep on. */
TEST_F(splice, out_wakes_readers_of_the_other)
{
	struct actor a = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = self->p.r, .len = 5,
	});
	struct actor p = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->p.r, .events = POLLIN,
	});

	ASSERT_EQ(10, stream_write(self->e.w, 3, 10));
	EXPECT_EQ(10, splice_now(self->e.r, self->p.w, 100));
	EXPECT_EQ(5, actor_result(&a));
	EXPECT_TRUE(stream_is(a.s->data, 3, 5));
	EXPECT_EQ(POLLIN, actor_finish(&p));
	actor_end(&a);
}

TEST_F(splice, in_wakes_writers_of_the_other)
{
	struct actor a, p;

	plain_fill(self->p.w, 0, 65536);
	a = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = self->p.w, .len = 10000, .at = 65536,
	});
	p = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->p.w, .events = POLLOUT,
	});
	EXPECT_EQ(65536, splice_now(self->p.r, self->e.w, 65536));
	EXPECT_EQ(10000, actor_finish(&a));
	EXPECT_EQ(POLLOUT, actor_finish(&p));
	EXPECT_EQ(65536, stream_read(self->e.r, 0, 65536));
	EXPECT_TRUE(plain_has(self->p.r, 65536, 10000));
}

TEST_F(splice, in_wakes_readers_of_ours)
{
	struct actor a = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = self->e.r, .len = 5,
	});
	struct actor p = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->e.r, .events = POLLIN,
	});

	ASSERT_EQ(0, async_on(self->e.r));
	plain_fill(self->p.w, 3, 10);
	EXPECT_EQ(10, splice_now(self->p.r, self->e.w, 100));
	EXPECT_EQ(5, actor_result(&a));
	EXPECT_TRUE(stream_is(a.s->data, 3, 5));
	EXPECT_EQ(POLLIN, actor_finish(&p));
	EXPECT_TRUE(wait_until(sigios > 0));
	actor_end(&a);
	EXPECT_EQ(5, stream_read(self->e.r, 8, 5));
}

TEST_F(splice, out_wakes_writers_of_ours)
{
	int full = CAPACITY_DEFAULT;
	struct actor a, p;

	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	a = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = self->e.w, .len = 4000, .at = full,
	});
	p = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->e.w, .events = POLLOUT,
	});
	ASSERT_EQ(0, async_on(self->e.w));
	EXPECT_EQ(full, splice_now(self->e.r, self->p.w, full));
	EXPECT_EQ(4000, actor_finish(&a));
	EXPECT_EQ(POLLOUT, actor_finish(&p));
	EXPECT_TRUE(wait_until(sigios > 0));
	EXPECT_TRUE(plain_has(self->p.r, 0, full));
	EXPECT_EQ(4000, stream_read(self->e.r, full, 4000));
}

TEST_F(splice, edges_at_ours)
{
	struct epoll_event in = { .events = EPOLLIN | EPOLLET };
	struct epoll_event out = { .events = EPOLLOUT | EPOLLET };
	int epr = epoll_create1(EPOLL_CLOEXEC);
	int epw = epoll_create1(EPOLL_CLOEXEC);
	int i, full = CAPACITY_DEFAULT;

	ASSERT_EQ(0, epoll_ctl(epr, EPOLL_CTL_ADD, self->e.r, &in));
	ASSERT_EQ(0, epoll_ctl(epw, EPOLL_CTL_ADD, self->e.w, &out));
	EXPECT_EQ(1, epoll_wait(epw, &out, 1, 0));
	for (i = 0; i < 10; i++) {
		plain_fill(self->p.w, 0, full);
		ASSERT_EQ(full, splice_now(self->p.r, self->e.w, full));
		ASSERT_EQ(1, epoll_wait(epr, &in, 1, PATIENCE_MS));
		ASSERT_EQ(0, epoll_wait(epr, &in, 1, 0));
		ASSERT_EQ(0, epoll_wait(epw, &out, 1, 0));
		ASSERT_EQ(full, splice_now(self->e.r, self->p.w, full));
		ASSERT_EQ(1, epoll_wait(epw, &out, 1, PATIENCE_MS));
		ASSERT_TRUE(plain_has(self->p.r, 0, full));
	}
	close(epr);
	close(epw);
}

/*
 * While a splice waits. Other calls are made by actors: one that hangs is told.
 * They work with the pipe(2)'s files, or with ours.
 */

static int64_t other_write(int fd, uint64_t at, size_t len)
{
	return call_safely((struct call) {
		.kind = CALL_WRITE, .fd = fd, .at = at, .len = len,
	});
}

/* Reads @len bytes that must be the stream's from @at; -EILSEQ if they are not. */
static int64_t other_read(int fd, uint64_t at, size_t len)
{
	struct actor a = actor_start((struct call) {
		.kind = CALL_READ, .fd = fd, .len = len,
	});
	int64_t ret = actor_result(&a);

	if (ret > 0 && !stream_is(a.s->data, at, ret))
		ret = -EILSEQ;
	actor_end(&a);
	return ret;
}

static int64_t other_poll(int fd, short events)
{
	return call_safely((struct call) {
		.kind = CALL_POLL, .fd = fd, .events = events,
	});
}

static int64_t other_fionread(int fd)
{
	return call_safely((struct call) { .kind = CALL_FIONREAD, .fd = fd });
}

static struct actor out_start(struct ends e, struct ends p, size_t len)
{
	return actor_start_asleep((struct call) {
		.kind = CALL_SPLICE_OUT, .fd = e.r, .other = p.w, .len = len,
	});
}

static struct actor in_start(struct ends e, struct ends p, size_t len)
{
	return actor_start_asleep((struct call) {
		.kind = CALL_SPLICE_IN, .fd = e.w, .other = p.r, .len = len,
	});
}

TEST_F(splice, other_is_free_while_out_waits)
{
	struct actor a = out_start(self->e, self->p, 1000);
	int i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(500, other_write(self->p.w, 0, 500));
		EXPECT_EQ(POLLOUT, other_poll(self->p.w, POLLOUT));
		EXPECT_EQ(POLLIN, other_poll(self->p.r, POLLIN));
		EXPECT_EQ(500, other_fionread(self->p.r));
		EXPECT_EQ(500, other_read(self->p.r, 0, 500));
	}
	EXPECT_LE(1 << 18, fcntl(self->p.w, F_SETPIPE_SZ, 1 << 18));
	EXPECT_EQ(200, other_write(self->p.w, 0, 200));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(300, stream_write(self->e.w, 200, 300));
	EXPECT_EQ(300, actor_finish(&a));
	EXPECT_TRUE(plain_has(self->p.r, 0, 500));
	EXPECT_EQ(0, pipe_used(self->e.r));
}

TEST_F(splice, others_close_the_other_while_out_waits)
{
	int w = dup(self->p.w), r = dup(self->p.r);
	struct actor a = out_start(self->e, self->p, 1000);

	close(w);
	close(r);
	close(self->p.w);
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(5, stream_write(self->e.w, 0, 5));
	EXPECT_EQ(5, actor_finish(&a));
	EXPECT_TRUE(plain_has(self->p.r, 0, 5));
	/* The actor's was the last one. */
	EXPECT_EQ(0, other_read(self->p.r, 0, 1));
	self->p.w = dup(self->p.r);
}

/* The reader of the pipe(2) vanishes: no byte of ours goes after him. */
TEST_F(splice, vanished_reader_takes_nothing)
{
	struct actor a = out_start(self->e, self->p, 1000);

	close(self->p.r);
	ASSERT_EQ(5, stream_write(self->e.w, 0, 5));
	EXPECT_EQ(-EPIPE, actor_result(&a));
	EXPECT_EQ(1, actor_sigpipes(&a));
	actor_end(&a);
	EXPECT_EQ(5, stream_read(self->e.r, 0, 5));
	EXPECT_TRUE(pipe_waiting(self->e.r, 0, 0));
	self->p.r = dup(self->p.w);
}

/* Others fill the pipe(2) while it waits for bytes: then it waits for room. */
TEST_F(splice, other_fills_while_out_waits)
{
	struct actor a = out_start(self->e, self->p, 1000);

	EXPECT_EQ(65536, other_write(self->p.w, 0, 65536));
	ASSERT_EQ(10, stream_write(self->e.w, 65536, 10));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(10, pipe_used(self->e.r));
	EXPECT_EQ(65536, other_read(self->p.r, 0, 65536));
	EXPECT_EQ(10, actor_finish(&a));
	EXPECT_TRUE(plain_has(self->p.r, 65536, 10));
}

/* Another reader is faster; the splice waits on. */
TEST_F(splice, bytes_vanish_while_out_waits)
{
	struct actor a;

	plain_fill(self->p.w, 0, 65536);
	ASSERT_EQ(10, stream_write(self->e.w, 7, 10));
	a = out_start(self->e, self->p, 1000);
	EXPECT_EQ(10, other_read(self->e.r, 7, 10));
	EXPECT_EQ(65536, other_read(self->p.r, 0, 65536));
	EXPECT_TRUE(actor_asleep(&a));
	ASSERT_EQ(3, stream_write(self->e.w, 17, 3));
	EXPECT_EQ(3, actor_finish(&a));
	EXPECT_TRUE(plain_has(self->p.r, 17, 3));
}

/* While it waits for room in the pipe(2), ours is free. */
TEST_F(splice, ours_is_free_while_out_waits)
{
	struct actor a;

	plain_fill(self->p.w, 0, 65536);
	ASSERT_EQ(100, stream_write(self->e.w, 0, 100));
	a = out_start(self->e, self->p, 1000);
	EXPECT_EQ(50, other_read(self->e.r, 0, 50));
	EXPECT_EQ(50, other_write(self->e.w, 100, 50));
	EXPECT_EQ(POLLIN, other_poll(self->e.r, POLLIN));
	EXPECT_EQ(POLLOUT, other_poll(self->e.w, POLLOUT));
	EXPECT_EQ(0, call_safely((struct call) {
		.kind = CALL_RESIZE, .fd = self->e.r, .len = 1 << 18,
	}));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(65536, other_read(self->p.r, 0, 65536));
	EXPECT_EQ(100, actor_finish(&a));
	EXPECT_TRUE(plain_has(self->p.r, 50, 100));
}

TEST_F(splice, other_is_free_while_in_waits)
{
	int full = CAPACITY_DEFAULT;
	struct actor a;

	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	plain_fill(self->p.w, 0, 500);
	a = in_start(self->e, self->p, 1000);
	EXPECT_EQ(100, other_read(self->p.r, 0, 100));
	EXPECT_EQ(100, other_write(self->p.w, 500, 100));
	EXPECT_EQ(POLLIN, other_poll(self->p.r, POLLIN));
	EXPECT_EQ(POLLOUT, other_poll(self->p.w, POLLOUT));
	EXPECT_EQ(500, other_fionread(self->p.r));
	EXPECT_LE(1 << 18, fcntl(self->p.w, F_SETPIPE_SZ, 1 << 18));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(full, other_read(self->e.r, 0, full));
	EXPECT_EQ(500, actor_finish(&a));
	EXPECT_EQ(500, stream_read(self->e.r, 100, 500));
	EXPECT_EQ(0, fionread(self->p.r));
}

/* Others take what it was about to move: it waits for the next, and gets the end. */
TEST_F(splice, bytes_vanish_while_in_waits)
{
	int full = CAPACITY_DEFAULT;
	struct actor a;

	ASSERT_EQ(full, stream_write(self->e.w, 0, full));
	plain_fill(self->p.w, 0, 500);
	a = in_start(self->e, self->p, 1000);
	EXPECT_EQ(500, other_read(self->p.r, 0, 1000));
	EXPECT_EQ(full, other_read(self->e.r, 0, full));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(0, pipe_used(self->e.r));
	EXPECT_EQ(70, other_write(self->p.w, 9, 70));
	EXPECT_EQ(70, actor_finish(&a));
	EXPECT_EQ(70, stream_read(self->e.r, 9, 70));
	a = in_start(self->e, self->p, 1000);
	close(self->p.w);
	EXPECT_EQ(0, actor_finish(&a));
	self->p.w = dup(self->p.r);
}

/* A whole pipe(2) into a small one, and a reader who takes his time. */
TEST_F(splice, in_waits_until_all_is_in)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	struct actor a;
	int at, ret;

	plain_fill(self->p.w, 0, 65536);
	a = in_start(e, self->p, 60000);
	for (at = 0; at < 60000; at += ret) {
		ASSERT_TRUE(wait_until(pipe_used(e.r) > 0));
		ret = stream_read(e.r, at, 1000);
		ASSERT_LT(0, ret);
	}
	EXPECT_EQ(60000, actor_finish(&a));
	EXPECT_EQ(5536, fionread(self->p.r));
	EXPECT_TRUE(plain_has(self->p.r, 60000, 5536));
	EXPECT_EQ(0, pipe_used(e.r));
	ends_close(&e);
}

/* It waits for bytes in the pipe(2): ours is free, and so are its ends. */
TEST_F(splice, ours_is_free_while_in_waits)
{
	struct actor a = in_start(self->e, self->p, 1000);

	EXPECT_EQ(50, other_write(self->e.w, 0, 50));
	EXPECT_EQ(POLLOUT, other_poll(self->e.w, POLLOUT));
	EXPECT_EQ(50, other_read(self->e.r, 0, 50));
	EXPECT_EQ(0, call_safely((struct call) {
		.kind = CALL_RESIZE, .fd = self->e.r, .len = 4096,
	}));
	EXPECT_TRUE(actor_asleep(&a));
	plain_fill(self->p.w, 50, 60);
	EXPECT_EQ(60, actor_finish(&a));
	EXPECT_EQ(60, stream_read(self->e.r, 50, 60));
}

/* What ends the wait for the pipe(2), by its own rules. */
TEST_F(splice, waits_for_the_other_end)
{
	struct actor a = in_start(self->e, self->p, 1000);

	ASSERT_TRUE(actor_signal(&a));
	EXPECT_EQ(-EINTR, actor_finish(&a));
	a = in_start(self->e, self->p, 1000);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	plain_fill(self->p.w, 0, 65536);
	ASSERT_EQ(10, stream_write(self->e.w, 0, 10));
	a = out_start(self->e, self->p, 1000);
	ASSERT_TRUE(actor_signal(&a));
	EXPECT_EQ(-EINTR, actor_finish(&a));
	a = out_start(self->e, self->p, 1000);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	a = out_start(self->e, self->p, 1000);
	close(self->p.r);
	EXPECT_EQ(-EPIPE, actor_finish(&a));
	EXPECT_EQ(10, stream_read(self->e.r, 0, 10));
	self->p.r = dup(self->p.w);
}

/* A signal after a part of it: that part counts, the rest is where it was. */
TEST_F(splice, in_interrupted_returns_count)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	struct actor a;
	int64_t ret;

	plain_fill(self->p.w, 0, 20000);
	a = in_start(e, self->p, 20000);
	ASSERT_TRUE(pipe_waiting(e.r, 0, 1));
	ASSERT_TRUE(actor_signal(&a));
	ret = actor_finish(&a);
	EXPECT_EQ(4096, ret);
	EXPECT_EQ(4096, stream_read(e.r, 0, 4096));
	EXPECT_TRUE(plain_has(self->p.r, 4096, 20000 - 4096));
	ends_close(&e);
}

TEST_F(splice, in_removed_returns_count)
{
	struct ends e = ends_open(self->dev, CAPACITY_MIN);
	struct actor a;

	plain_fill(self->p.w, 0, 20000);
	a = in_start(e, self->p, 20000);
	ASSERT_EQ(0, fd_remove(e.r));
	EXPECT_EQ(4096, actor_finish(&a));
	EXPECT_TRUE(plain_has(self->p.r, 4096, 20000 - 4096));
	ends_close(&e);
}

/* Memory. */

static uint64_t memory_available(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib * 1024;
}

/* Pages in a pipe(2) are no object's: nobody's account knows, and none is lost. */
TEST_F(splice, pages_come_back)
{
	const uint64_t total = 192 << 20;
	struct ipcx_query before, after;
	uint64_t memory, at;

	ASSERT_EQ(0, dev_query(self->dev, &before));
	memory = memory_available();
	for (at = 0; at < total; at += CAPACITY_DEFAULT) {
		struct ends p = plain_pipe(65536);

		ASSERT_EQ(CAPACITY_DEFAULT,
			  stream_write(self->e.w, 0, CAPACITY_DEFAULT));
		ASSERT_EQ(CAPACITY_DEFAULT,
			  splice_now(self->e.r, p.w, CAPACITY_DEFAULT));
		ASSERT_EQ(30000, splice_now(p.r, self->e.w, 30000));
		/* The rest goes with the pipe(2). */
		ends_close(&p);
		ASSERT_EQ(30000, stream_read(self->e.r, 0, 30000));
	}
	ASSERT_EQ(0, dev_query(self->dev, &after));
	EXPECT_EQ(before.user.bytes, after.user.bytes);
	EXPECT_EQ(before.ns.bytes, after.ns.bytes);
	EXPECT_TRUE(wait_until(memory_available() + total / 4 > memory))
		TH_LOG("%llu bytes before, %llu after",
		       (unsigned long long)memory,
		       (unsigned long long)memory_available());
}

/*
 * A line of pipes: writers - ours - splicers - pipe(2) - splicers - ours - readers.
 * When one of them ends, so do all that come behind.
 */

struct line {
	struct ends from;
	struct ends p;
	struct ends to;
};

static struct line line_open(int dev, int capacity_bytes, int plain_bytes)
{
	return (struct line) {
		.from = ends_open(dev, capacity_bytes),
		.p = plain_pipe(plain_bytes),
		.to = ends_open(dev, capacity_bytes),
	};
}

FIXTURE(line) {
	int dev;
	struct line l;
};

FIXTURE_VARIANT(line) {
	int splicers;
	int capacity_bytes;
	int plain_bytes;
};

FIXTURE_VARIANT_ADD(line, single) {
	.splicers = 1, .capacity_bytes = 65536, .plain_bytes = 65536,
};

FIXTURE_VARIANT_ADD(line, single_small) {
	.splicers = 1, .capacity_bytes = 4096, .plain_bytes = 4096,
};

FIXTURE_VARIANT_ADD(line, parallel) {
	.splicers = 2, .capacity_bytes = 65536, .plain_bytes = 65536,
};

FIXTURE_VARIANT_ADD(line, parallel_small) {
	.splicers = 2, .capacity_bytes = 4096, .plain_bytes = 4096,
};

FIXTURE_VARIANT_ADD(line, parallel_big) {
	.splicers = 3, .capacity_bytes = 1 << 18, .plain_bytes = PLAIN_MAX,
};

FIXTURE_VARIANT_ADD(line, parallel_mixed) {
	.splicers = 2, .capacity_bytes = 4096, .plain_bytes = 65536,
};

FIXTURE_SETUP(line)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->l = line_open(self->dev, variant->capacity_bytes,
			    variant->plain_bytes);
	shared_init();
}

FIXTURE_TEARDOWN(line)
{
	close(self->dev);
}

/* Moves whole records, up to the end of @in. */
static pid_t splicer_start(unsigned int number, int in, int out)
{
	pid_t pid = worker_start(number, -1);
	uint32_t seed = 7 + number;
	int ret;

	if (pid)
		return pid;
	keep_both(in, out);
	while ((ret = plain_splice(in, out, 64 * random_size(&seed, 3000),
				   0)) > 0)
		__atomic_add_fetch(&shared->put[number], ret, __ATOMIC_RELAXED);
	if (ret)
		worker_fail("splice: %d", ret);
	_exit(0);
}

/*
 * Splicers that work side by side change the order. One alone must not, though
 * what it moves may be several writes, or a part of one.
 */
TEST_F_TIMEOUT(line, moves_each_record_once, STRESS_TIMEOUT)
{
	unsigned int rules = variant->splicers == 1 ? READ_ORDER : 0;
	struct transfer put = { .way = WAY_PLAIN, .fd = self->l.from.w };
	struct transfer take = { .way = WAY_PLAIN, .fd = self->l.to.r };
	int i, n = 0, hold;
	pid_t pid[WORKERS];

	hold = fd_open(self->l.to.r, IPCX_ACCESS_NONE, 0);
	for (i = 0; i < 2; i++) {
		pid[n] = worker_start(n, put.fd);
		if (!pid[n++])
			records_write(&put, NULL);
		pid[n] = worker_start(n, take.fd);
		if (!pid[n++])
			records_read(&take, rules);
	}
	for (i = 0; i < variant->splicers; i++) {
		pid[n] = splicer_start(n, self->l.from.r, self->l.p.w);
		n++;
		pid[n] = splicer_start(n, self->l.p.r, self->l.to.w);
		n++;
	}
	ends_close(&self->l.from);
	ends_close(&self->l.p);
	ends_close(&self->l.to);
	EXPECT_EQ(0, workers_join(pid, n, hold));
	EXPECT_EQ(shared->put[0] + shared->put[2], shared->records_taken);
	EXPECT_LE(2 * RECORDS, shared->records_taken);
	EXPECT_EQ(0, pipe_used(hold));
	close(hold);
}

/* One stream in such a line, whose parts break or change. */

FIXTURE(shaken) {
	int dev;
	struct line l;
	pid_t pid[2];
};

FIXTURE_VARIANT(shaken) {
	int capacity_bytes;
	int plain_bytes;
};

FIXTURE_VARIANT_ADD(shaken, small) {
	.capacity_bytes = 4096, .plain_bytes = 4096,
};

FIXTURE_VARIANT_ADD(shaken, usual) {
	.capacity_bytes = 65536, .plain_bytes = 65536,
};

FIXTURE_VARIANT_ADD(shaken, mixed) {
	.capacity_bytes = 8192, .plain_bytes = PLAIN_MAX,
};

FIXTURE_SETUP(shaken)
{
	struct flow f = {
		.total = 500000, .most = 100000, .seed = 5, .enough = stopped,
	};

	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->l = line_open(self->dev, variant->capacity_bytes,
			    variant->plain_bytes);
	shared_init();
	f.t = (struct transfer) { .way = WAY_PLAIN, .fd = self->l.from.w };
	self->pid[0] = flow_start(f, false);
	f.t.fd = self->l.to.r;
	self->pid[1] = flow_start(f, true);
	close(self->l.from.w);
}

FIXTURE_TEARDOWN(shaken)
{
	close(self->dev);
}

static void splicers_start(struct line *l, pid_t *pid)
{
	pid[0] = splicer_start(3, l->from.r, l->p.w);
	pid[1] = splicer_start(4, l->p.r, l->to.w);
}

/* The writer ends, and all else must come to its end with every byte. */
#define EXPECT_EXACT(splicers) do {					\
	stop_all();							\
	close(self->l.from.r);						\
	ends_close(&self->l.p);						\
	close(self->l.to.w);						\
	EXPECT_EQ(0, workers_join(self->pid, 2, self->l.to.r));		\
	EXPECT_EQ(0, workers_join(splicers, 2, self->l.to.r));		\
	EXPECT_EQ(shared->put[0], shared->taken[0]);			\
	close(self->l.to.r);						\
} while (0)

#define SPLICERS_KILLED	60

/* Killed wherever they are, one after the other, with no byte in their hands. */
TEST_F_TIMEOUT(shaken, killed_splicers_lose_nothing, STRESS_TIMEOUT)
{
	uint32_t seed = 77;
	pid_t s[2];
	int i;

	for (i = 0; i < SPLICERS_KILLED; i++) {
		uint64_t before = progress(&shared->taken[0]);
		uint64_t spin = random_next(&seed) % 2000000;

		splicers_start(&self->l, s);
		ASSERT_TRUE(wait_until(progress(&shared->taken[0]) != before))
			TH_LOG("nothing arrives, round %d", i);
		spin += now_ns(CLOCK_MONOTONIC);
		while (now_ns(CLOCK_MONOTONIC) < spin)
			;
		/* The second one dies in the middle of its work, too. */
		kill(s[i & 1], SIGKILL);
		kill(s[!(i & 1)], SIGKILL);
		EXPECT_EQ(128 + SIGKILL, reap(s[0]));
		EXPECT_EQ(128 + SIGKILL, reap(s[1]));
	}
	splicers_start(&self->l, s);
	EXPECT_EXACT(s);
}

TEST_F_TIMEOUT(shaken, rings_change, STRESS_TIMEOUT)
{
	uint32_t seed = 99;
	pid_t s[2];
	int i, ret;

	splicers_start(&self->l, s);
	for (i = 0; i < 300; i++) {
		int fd = i & 1 ? self->l.from.r : self->l.to.r;
		uint64_t before = progress(&shared->taken[0]);

		ret = fd_resize(fd, CAPACITY_MIN << random_next(&seed) % 6, 0);
		ASSERT_TRUE(!ret || ret == -EBUSY);
		ASSERT_TRUE(wait_until(progress(&shared->taken[0]) != before));
	}
	EXPECT_EXACT(s);
}

TEST_HARNESS_MAIN
