// SPDX-License-Identifier: GPL-2.0
/*
 * Throughput: one process writes, another reads, both so many bytes a call.
 *
 * The clock runs in the midst of the stream. Before it starts and after it stops a
 * channel full of bytes passes: it begins when both are at work, and ends when the
 * writer still is. Those bytes are compared with what was sent, and all bytes are
 * counted.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ipcx.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

struct stream {
	const char *name;
	const struct setting *setting;
	uint64_t timed_bytes;
	int ends[2];
};

/* As long as the channel is, and a whole number of writes. */
static uint64_t margin_bytes(const struct stream *s)
{
	size_t bytes = s->setting->bytes;

	return (s->setting->capacity + bytes - 1) / bytes * bytes;
}

/*
 * Made by who uses it, so that nothing is left to be copied after the fork. The
 * length of the pattern is a prime: no two pages or halves are alike.
 */
static char *make_buffer(size_t bytes)
{
	char *buffer = malloc(bytes);
	size_t i;

	if (!buffer)
		errx(1, "out of memory");
	for (i = 0; i < bytes; i++)
		buffer[i] = i < 251 ? (char)(i + 1) : buffer[i - 251];
	return buffer;
}

static void write_stream(void *arg)
{
	const struct stream *s = arg;
	uint64_t left = s->timed_bytes + 2 * margin_bytes(s);
	size_t bytes = s->setting->bytes, done = 0;
	char *buffer = make_buffer(bytes);
	ssize_t n;

	close(s->ends[0]);
	while (left) {
		n = write(s->ends[1], buffer + done, bytes - done);
		if (n <= 0)
			err(1, "%s: write", s->name);
		left -= n;
		done = (done + n) % bytes;
	}
}

/* Returns as soon as @least bytes have come; how many it were. */
static uint64_t take(const struct stream *s, char *buffer, uint64_t least)
{
	uint64_t done = 0;
	ssize_t n;

	while (done < least) {
		n = read(s->ends[0], buffer, s->setting->bytes);
		if (n < 0)
			err(1, "%s: read", s->name);
		if (!n)
			break;
		done += n;
	}
	return done;
}

/* Are these @n bytes, no more than a write has, what was sent from @offset on? */
static bool as_sent(const struct stream *s, const char *sent, const char *came,
		    uint64_t offset, size_t n)
{
	size_t bytes = s->setting->bytes, at = offset % bytes;
	size_t first = n < bytes - at ? n : bytes - at;

	return !memcmp(came, sent + at, first) &&
	       !memcmp(came + first, sent, n - first);
}

/* The same with a look at each byte, from @offset of the stream on. */
static uint64_t check(const struct stream *s, char *buffer, uint64_t offset,
		      uint64_t least)
{
	char *sent = make_buffer(s->setting->bytes);
	uint64_t done = 0, n;

	while (done < least) {
		n = take(s, buffer, 1);
		if (!n)
			break;
		if (!as_sent(s, sent, buffer, offset + done, n))
			errx(1, "%s: what arrived is not what was sent, near byte %llu",
			     s->name, (unsigned long long)(offset + done));
		done += n;
	}
	free(sent);
	return done;
}

/* Reads to the end: a byte too many is as wrong as one too few. */
static double read_stream(const struct stream *s)
{
	uint64_t margin = margin_bytes(s), total, timed;
	uint64_t expected = s->timed_bytes + 2 * margin;
	char *buffer = make_buffer(s->setting->bytes);
	double begin, seconds;

	total = check(s, buffer, 0, margin);
	begin = now();
	timed = take(s, buffer, s->timed_bytes);
	seconds = now() - begin;
	total += timed;
	total += check(s, buffer, total, UINT64_MAX);
	if (total != expected)
		errx(1, "%s: %llu bytes were sent, %llu arrived", s->name,
		     (unsigned long long)expected, (unsigned long long)total);
	free(buffer);
	return seconds * s->timed_bytes / timed;
}

static double stream_seconds(const struct contender *me,
			     const struct setting *setting, uint64_t amount)
{
	struct stream s = {
		.name = me->name,
		.setting = setting,
		.timed_bytes = amount * setting->bytes,
	};
	double seconds;
	pid_t writer;

	me->open_channel(setting->capacity, s.ends);
	writer = partner_start(setting->cpus, write_stream, &s);
	close(s.ends[1]);
	seconds = read_stream(&s);
	close(s.ends[0]);
	partner_end(writer);
	return seconds;
}

static void open_ipcx(size_t capacity, int ends[2])
{
	ends[0] = ipcx_pipe_create(device(), NULL, IPCX_ACCESS_READ, capacity,
				   NULL);
	if (ends[0] < 0)
		errx(1, "ipcx pipe: %s", strerror(-ends[0]));
	ends[1] = ipcx_open_fd(ends[0], IPCX_ACCESS_WRITE, 0, NULL);
	if (ends[1] < 0)
		errx(1, "ipcx pipe: %s", strerror(-ends[1]));
}

static void set_pipe_capacity(int fd, size_t capacity)
{
	int got = fcntl(fd, F_SETPIPE_SZ, (int)capacity);

	if (got < 0)
		err(1, "F_SETPIPE_SZ to %zu (/proc/sys/fs/pipe-max-size limits users)",
		    capacity);
	if ((size_t)got != capacity)
		errx(1, "pipe(2) has a capacity of %d in place of %zu", got, capacity);
}

static void open_pipe(size_t capacity, int ends[2])
{
	if (pipe(ends))
		err(1, "pipe");
	set_pipe_capacity(ends[0], capacity);
}

static void open_fifo(size_t capacity, int ends[2])
{
	char dir[] = "/tmp/ipcx-bench.XXXXXX";
	char path[64];
	int keep;

	if (!mkdtemp(dir))
		err(1, "%s", dir);
	snprintf(path, sizeof(path), "%s/fifo", dir);
	if (mkfifo(path, 0600))
		err(1, "%s", path);
	/* Open for both, it keeps the other two from waiting for each other. */
	keep = open(path, O_RDWR);
	ends[0] = open(path, O_RDONLY);
	ends[1] = open(path, O_WRONLY);
	if (keep < 0 || ends[0] < 0 || ends[1] < 0)
		err(1, "%s", path);
	close(keep);
	unlink(path);
	rmdir(dir);
	set_pipe_capacity(ends[0], capacity);
}

/*
 * The kernel doubles what it is told, since it counts its own bookkeeping too: at
 * large writes about twice the capacity fits in, at small ones far less.
 */
static void open_unix(size_t capacity, int ends[2])
{
	int size = capacity;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		err(1, "socketpair");
	if (setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		err(1, "SO_SNDBUFFORCE to %d (only root may)", size);
}

const struct contender stream_ipcx = {
	.name = "ipcx pipe",
	.seconds = stream_seconds,
	.open_channel = open_ipcx,
};

const struct contender stream_pipe = {
	.name = "pipe(2)",
	.seconds = stream_seconds,
	.open_channel = open_pipe,
};

const struct contender stream_fifo = {
	.name = "FIFO",
	.seconds = stream_seconds,
	.open_channel = open_fifo,
};

const struct contender stream_unix = {
	.name = "Unix stream",
	.seconds = stream_seconds,
	.open_channel = open_unix,
};
