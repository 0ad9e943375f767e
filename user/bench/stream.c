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
#include <stdlib.h>
#include <string.h>
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

#define STREAM(who, what, channel)			\
	const struct contender who = {			\
		.name = what,				\
		.seconds = stream_seconds,		\
		.open_channel = channel,		\
	}

STREAM(stream_ipcx, "ipcx pipe", channel_ipcx);
STREAM(stream_pipe, "pipe(2)", channel_pipe);
STREAM(stream_fifo, "FIFO", channel_fifo);
STREAM(stream_unix, "Unix stream", channel_unix);
