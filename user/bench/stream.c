// SPDX-License-Identifier: GPL-2.0
/*
 * Throughput: one process writes, another reads, both so many bytes a call, or so many
 * messages that have as many bytes together.
 *
 * The clock runs in the midst of the stream. Before it starts and after it stops a
 * channel full of bytes passes: it begins when both are at work, and ends when the
 * writer still is. Those bytes are compared with what was sent, and all bytes are
 * counted.
 */
#include <err.h>
#include <errno.h>
#include <ipcx.h>
#include <mqueue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

/*
 * struct stream_kind - how bytes go through a channel
 * @open:   the end to read from, and the end to write to
 * @give:   as write(2)
 * @take:   as read(2): waits for something, and takes what there is
 * @finish: tells the reader that this was all, if closing the end doesn't; or NULL
 */
struct stream_kind {
	void (*open)(size_t capacity, int ends[2]);
	ssize_t (*give)(int fd, const void *data, size_t bytes);
	ssize_t (*take)(int fd, void *data, size_t bytes);
	void (*finish)(int fd);
};

struct stream {
	const char *name;
	const struct stream_kind *kind;
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
		n = s->kind->give(s->ends[1], buffer + done, bytes - done);
		if (n <= 0)
			err(1, "%s: write", s->name);
		left -= n;
		done = (done + n) % bytes;
	}
	if (s->kind->finish)
		s->kind->finish(s->ends[1]);
}

/* Returns as soon as @least bytes have come; how many it were. */
static uint64_t take(const struct stream *s, char *buffer, uint64_t least)
{
	uint64_t done = 0;
	ssize_t n;

	while (done < least) {
		n = s->kind->take(s->ends[0], buffer, s->setting->bytes);
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
		.kind = me->stream,
		.setting = setting,
		.timed_bytes = amount * setting->bytes,
	};
	double seconds;
	pid_t writer;

	s.kind->open(setting->capacity, s.ends);
	writer = partner_start(setting->cpus, write_stream, &s);
	close(s.ends[1]);
	seconds = read_stream(&s);
	close(s.ends[0]);
	partner_end(writer);
	return seconds;
}

#define STREAM(who, what, channel, put, get, end)	\
	const struct contender who = {			\
		.name = what,				\
		.seconds = stream_seconds,		\
		.stream = &(const struct stream_kind) {	\
			.open = channel,		\
			.give = put,			\
			.take = get,			\
			.finish = end,			\
		},					\
	}

STREAM(stream_ipcx, "ipcx pipe", channel_ipcx, write, read, NULL);
STREAM(stream_pipe, "pipe(2)", channel_pipe, write, read, NULL);
STREAM(stream_fifo, "FIFO", channel_fifo, write, read, NULL);
STREAM(stream_unix, "Unix stream", channel_unix, write, read, NULL);

/* ---- Messages of MESSAGE_BYTES, many a call where there is such a call ---- */

#define MOST	32

static size_t messages_in(size_t bytes)
{
	size_t count = bytes / MESSAGE_BYTES;

	return count < MOST ? count : MOST;
}

/* What came must be whole messages: only then do the bytes stand one behind the other. */
static void check_length(size_t came)
{
	if (came != MESSAGE_BYTES)
		errx(1, "a message of %d bytes arrived with %zu", MESSAGE_BYTES, came);
}

/* Where each of the messages is, or goes. */
static int place_messages(struct ipcx_msg msgs[MOST], const void *data, size_t bytes)
{
	int count = messages_in(bytes), i;

	for (i = 0; i < count; i++) {
		msgs[i].buf = (uintptr_t)data + i * MESSAGE_BYTES;
		msgs[i].room = MESSAGE_BYTES;
		msgs[i].len = MESSAGE_BYTES;
	}
	return count;
}

static ssize_t give_queue(int fd, const void *data, size_t bytes)
{
	static struct ipcx_msg msgs[MOST];
	int count = place_messages(msgs, data, bytes);

	count = ipcx_queue_send(fd, msgs, count, 0, NULL);
	if (count < 0)
		errx(1, "ipcx queue: %s", strerror(-count));
	return count * MESSAGE_BYTES;
}

/* 0 when all that is left is the end, for which there is no room. */
static ssize_t take_queue(int fd, void *data, size_t bytes)
{
	static struct ipcx_msg msgs[MOST];
	int count = place_messages(msgs, data, bytes), i;

	count = ipcx_queue_recv(fd, msgs, count, NULL, 0, NULL);
	if (count == -E2BIG)
		return 0;
	if (count < 0)
		errx(1, "ipcx queue: %s", strerror(-count));
	for (i = 0; i < count; i++)
		check_length(msgs[i].len);
	return count * MESSAGE_BYTES;
}

/* Longer than all others: so it is never received together with them. */
static void finish_queue(int fd)
{
	static const char end[MESSAGE_BYTES + 1];

	if (write(fd, end, sizeof(end)) != sizeof(end))
		err(1, "ipcx queue");
}

/* There is no call for many. */
static ssize_t give_mq(int fd, const void *data, size_t bytes)
{
	size_t done;

	for (done = 0; done < bytes; done += MESSAGE_BYTES)
		if (mq_send(fd, (const char *)data + done, MESSAGE_BYTES, 0))
			err(1, "mq_send");
	return done;
}

static ssize_t take_mq(int fd, void *data, size_t bytes)
{
	ssize_t n = mq_receive(fd, data, bytes, NULL);

	if (n > 0)
		check_length(n);
	return n;
}

static void finish_mq(int fd)
{
	if (mq_send(fd, "", 0, 0))
		err(1, "mq_send");
}

static int place_packets(struct mmsghdr packets[MOST], const void *data, size_t bytes)
{
	static struct iovec places[MOST];
	int count = messages_in(bytes), i;

	for (i = 0; i < count; i++) {
		places[i].iov_base = (char *)data + i * MESSAGE_BYTES;
		places[i].iov_len = MESSAGE_BYTES;
		packets[i].msg_hdr.msg_iov = &places[i];
		packets[i].msg_hdr.msg_iovlen = 1;
	}
	return count;
}

static ssize_t give_packets(int fd, const void *data, size_t bytes)
{
	static struct mmsghdr packets[MOST];
	int count = place_packets(packets, data, bytes);

	return sendmmsg(fd, packets, count, 0) * MESSAGE_BYTES;
}

/* At the end of the file there are empty ones, as many as one likes. */
static ssize_t take_packets(int fd, void *data, size_t bytes)
{
	static struct mmsghdr packets[MOST];
	int count = place_packets(packets, data, bytes), i;

	count = recvmmsg(fd, packets, count, MSG_WAITFORONE, NULL);
	for (i = 0; i < count && packets[i].msg_len; i++)
		check_length(packets[i].msg_len);
	return count < 0 ? count : i * MESSAGE_BYTES;
}

STREAM(batch_queue, "ipcx queue", channel_queue, give_queue, take_queue, finish_queue);
STREAM(batch_mq, "POSIX mq", channel_mq, give_mq, take_mq, finish_mq);
STREAM(batch_seqpacket, "Unix seqpacket", channel_seqpacket, give_packets, take_packets, NULL);
