// SPDX-License-Identifier: GPL-2.0
/*
 * ipcx queue recv, peek
 *
 * A message that has been received is in no queue any more: until it is written it
 * must not get lost without a word. So messages are received one by one, when standard
 * output can take one, and a signal that ends the program is let in at two places
 * only: while there is no message, and while one waits to be written, and then it
 * is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "print.h"
#include "queue.h"
#include "words.h"

#define FORM_HELP \
"  -0, --null            end each message with a NUL in place of a newline\n" \
"      --whole           print the bytes of one message and nothing else\n" \
"  -j, --json            print each message as a JSON object, on a line of its own\n"

const char queue_recv_help[] =
"Receives COUNT messages, prints each, and a newline. Waits for them.\n"
"\n"
"  -n, --count COUNT     how many (default 1)\n"
"  -f, --follow          as many as come, until this is interrupted (Ctrl-C)\n"
"      --timeout SECONDS fail if no message comes for so long; 0: don't wait. With\n"
"                        --follow that is the end, and no failure\n"
SELECT_HELP
FORM_HELP
ID_HELP
HELP_HELP
"\n"
"Messages are received one by one. One that cannot be printed then is lost, and this\n"
"is told; if the reader of standard output has gone, none is taken.\n";

const char queue_peek_help[] =
"Prints messages, each and a newline, and leaves them in the queue. Never waits.\n"
"\n"
"  -n, --count COUNT     so many at most (default: all there are)\n"
"      --skip N          not the first N of them\n"
SELECT_HELP
FORM_HELP
ID_HELP
HELP_HELP;

/* A pipe that is ready for writing takes so much without making its writer wait. */
#define WRITE_BYTES	4096

/* What a batch of peek has room for, of each message. */
#define PEEK_BYTES	1024

/*
 * struct receiving - what was asked for, and how far it is
 * @count:   how many messages
 * @skip:    peek: how many messages to pass over
 * @fd:      the queue
 * @room:    for a message, and what follows it
 * @size:    how long the message may be
 * @done:    how many were printed
 */
struct receiving {
	struct attempt attempt;
	struct ipcx_select select;
	uint64_t count;
	uint64_t skip;
	uint64_t timeout_ns;
	enum separator separator;
	bool follow;
	bool json;

	int fd;
	char *room;
	size_t size;
	uint64_t done;
};

static int receiving_option(const struct command *cmd, int option,
			    struct receiving *receiving)
{
	switch (option) {
	case 'n':
		if (parse_number(optarg, &receiving->count))
			return OK;
		return usage_error(cmd, "'%s' is no number of messages",
				   argument_words(optarg));
	case 's':
		if (!strcmp(optarg, "0") || parse_number(optarg, &receiving->skip))
			return OK;
		return usage_error(cmd, "'%s' is no number of messages",
				   argument_words(optarg));
	case 'f':
		receiving->follow = true;
		return OK;
	case 'j':
		receiving->json = true;
		return OK;
	case 'T':
		return timeout_option(cmd, &receiving->timeout_ns);
	case 'i':
		return id_option(cmd, &receiving->attempt.target);
	case '0':
	case 'w':
		return separator_option(cmd, option, &receiving->separator);
	default:
		return select_option(cmd, option, &receiving->select);
	}
}

static int parse_receiving(const struct command *cmd, int argc, char **argv,
			   const char *letters, const struct option *options,
			   struct receiving *receiving)
{
	int option, status = OK;

	while (!status && (option = next_option(cmd, argc, argv, letters, options)) != -1)
		status = receiving_option(cmd, option, receiving);
	if (status || take_target(cmd, argc, argv, &receiving->attempt.target))
		return USAGE;
	if (optind < argc)
		return usage_error(cmd, "one NAME is enough");
	if (receiving->follow && receiving->count)
		return usage_error(cmd, "--count and --follow exclude each other");
	if (receiving->json && receiving->separator != SEPARATOR_LINE)
		return usage_error(cmd, "--json excludes --null and --whole");
	if (receiving->separator == SEPARATOR_NONE &&
	    (receiving->follow || receiving->count > 1))
		return usage_error(cmd, "--whole is for one message");
	return OK;
}

/* ---- Signals ---- */

static const int ending_signals[] = { SIGHUP, SIGINT, SIGTERM };

/* The one that came, or 0 */
static volatile sig_atomic_t ended;

/* What is blocked while somebody waits */
static sigset_t while_waiting;

/* SIGPIPE does what it does to other commands, where nothing gets lost. */
static bool pipe_kills;

static void end(int sig)
{
	ended = sig;
}

/* Signals come in nowhere but in wait_for(). */
static void hold_signals(void)
{
	struct sigaction action = { .sa_handler = end }, old;
	sigset_t set;
	size_t i;

	pipe_kills = signal(SIGPIPE, SIG_IGN) == SIG_DFL;
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(ending_signals); i++) {
		sigaction(ending_signals[i], NULL, &old);
		if (old.sa_handler == SIG_IGN)
			continue;
		sigaction(ending_signals[i], &action, NULL);
		sigaddset(&set, ending_signals[i]);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* The caller is to see that it was the signal. */
static int die(void)
{
	signal(ended, SIG_DFL);
	raise(ended);
	sigprocmask(SIG_SETMASK, &while_waiting, NULL);
	return FAILED;
}

/* Until one of two files is ready, or @ns are over (-ETIMEDOUT); -EINTR: @ended */
static int wait_for(struct pollfd *polled, uint64_t ns)
{
	struct timespec time = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	int ret = ppoll(polled, 2, ns == FOR_EVER ? NULL : &time, &while_waiting);

	if (ended)
		return -EINTR;
	if (ret < 0)
		return errno == EINTR ? 0 : -errno;
	return ret ? 0 : -ETIMEDOUT;
}

/* ---- Output ---- */

/* A signal can end this while nobody takes it. */
static int write_output(const char *bytes, size_t len)
{
	while (len) {
		struct pollfd polled[] = {
			{ .fd = STDOUT_FILENO, .events = POLLOUT }, { .fd = -1 },
		};
		int err = wait_for(polled, FOR_EVER);
		ssize_t ret;

		if (err)
			return err;
		ret = write(STDOUT_FILENO, bytes, len < WRITE_BYTES ? len : WRITE_BYTES);
		if (ret < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (ret > 0) {
			bytes += ret;
			len -= ret;
		}
	}
	return 0;
}

/* Nothing that a terminal obeys, but what a text has. */
static bool is_plain(const char *bytes, size_t len)
{
	size_t i;

	if (!is_utf8(bytes, len))
		return false;
	for (i = 0; i < len; i++) {
		unsigned char c = bytes[i], next = i + 1 < len ? bytes[i + 1] : 0;

		if ((c < ' ' && !(c && strchr("\t\n\r", c))) || c == 0x7f ||
		    (c == 0xc2 && next < 0xa0))
			return false;
	}
	return true;
}

static int64_t age_of(const struct ipcx_msg *msg)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec - (int64_t)msg->sent_ns;
}

static int write_json(const struct ipcx_msg *msg, const char *bytes)
{
	bool plain = is_plain(bytes, msg->len);
	json_t *json = json_pack("{s:I, s:i, s:I, s:I, s:I, s:I, s:I, s:o}",
				 "type", (json_int_t)msg->type, "pid", (int)msg->pid,
				 "uid", (json_int_t)msg->uid, "gid", (json_int_t)msg->gid,
				 "sent_ns", (json_int_t)msg->sent_ns,
				 "age_ns", (json_int_t)age_of(msg),
				 "len", (json_int_t)msg->len, plain ? "text" : "base64",
				 plain ? json_stringn(bytes, msg->len) :
					 json_base64(bytes, msg->len));
	char *text = json ? json_dumps(json, 0) : NULL, *line;
	int err;

	json_decref(json);
	if (!text)
		return -ENOMEM;
	line = format("%s\n", text);
	err = write_output(line, strlen(line));
	free(line);
	free(text);
	return err;
}

/* @bytes has room for one more. */
static int write_message(const struct receiving *receiving,
			 const struct ipcx_msg *msg, char *bytes)
{
	if (receiving->json)
		return write_json(msg, bytes);
	bytes[msg->len] = receiving->separator == SEPARATOR_NUL ? '\0' : '\n';
	return write_output(bytes, msg->len + (receiving->separator != SEPARATOR_NONE));
}

static bool output_is_open(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

/* ---- Receiving ---- */

static int grow(struct receiving *receiving, size_t size)
{
	char *room = realloc(receiving->room, size + 1);

	if (!room)
		return -ENOMEM;
	receiving->room = room;
	receiving->size = size;
	return 0;
}

/* What is there, or -EAGAIN. */
static int take(struct receiving *receiving, struct ipcx_msg *msg)
{
	for (;;) {
		int ret;

		*msg = (struct ipcx_msg){
			.buf = (uintptr_t)receiving->room,
			.room = receiving->size,
		};
		ret = ipcx_queue_recv(receiving->fd, msg, 1, &receiving->select,
				      IPCX_NONBLOCK, NULL);
		if (ret == -E2BIG)
			ret = grow(receiving, msg->len) ? -ENOMEM : -EINTR;
		if (ret != -EINTR)
			return ret < 0 ? ret : 0;
	}
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * UINT64_C(1000000000) + time.tv_nsec;
}

static uint64_t time_left(uint64_t begun, uint64_t timeout)
{
	uint64_t gone = now() - begun;

	if (timeout == FOR_EVER)
		return FOR_EVER;
	return gone < timeout ? timeout - gone : 0;
}

/* Wait for a message and take it; -EPIPE: nobody would get it. */
static int await(struct receiving *receiving, struct ipcx_msg *msg)
{
	struct pollfd polled[] = {
		{ .fd = receiving->fd, .events = POLLIN }, { .fd = STDOUT_FILENO },
	};
	uint64_t begun = now();

	for (;;) {
		int err = wait_for(polled, time_left(begun, receiving->timeout_ns));

		if (err)
			return err;
		if (polled[1].revents & (POLLERR | POLLHUP | POLLNVAL))
			return -EPIPE;
		if (polled[0].revents)
			err = take(receiving, msg);
		/* Others are faster now and then. */
		if (polled[0].revents && err != -EAGAIN)
			return err;
	}
}

static int no_message(const struct receiving *receiving)
{
	char *what, *time;

	if (receiving->follow)
		return OK;
	what = subject(&receiving->attempt);
	time = timeout_words(receiving->timeout_ns);
	if (receiving->timeout_ns)
		fail("cannot receive from %s: no%s message came for %s", what,
		     receiving->select.how == IPCX_SELECT_ANY ? "" : " such", time);
	else
		fail("cannot receive from %s: it has no%s message now; a longer --timeout waits for one",
		     what, receiving->select.how == IPCX_SELECT_ANY ? "" : " such");
	free(time);
	free(what);
	if (receiving->count > 1)
		note("%" PRIu64 " of %" PRIu64 " messages were received",
		     receiving->done, receiving->count);
	return FAILED;
}

static int not_received(const struct receiving *receiving, int err)
{
	switch (err) {
	case -EINTR:
		return die();
	case -ETIMEDOUT:
		return no_message(receiving);
	case -EPIPE:
		if (pipe_kills) {
			ended = SIGPIPE;
			return die();
		}
		return fail("cannot write to standard output: %s; nothing has been taken for it",
			    strerror(EPIPE));
	default:
		return explain(&receiving->attempt, err);
	}
}

static int lost(const struct ipcx_msg *msg, int err)
{
	fail("cannot write to standard output: %s; a message of type %llu with %llu bytes was received and is lost",
	     strerror(-err), (unsigned long long)msg->type, (unsigned long long)msg->len);
	return err == -EINTR ? die() : FAILED;
}

static int receive(struct receiving *receiving)
{
	struct ipcx_msg msg;
	int err;

	while (receiving->follow || receiving->done < receiving->count) {
		err = await(receiving, &msg);
		if (err)
			return not_received(receiving, err);
		err = write_message(receiving, &msg, receiving->room);
		if (err)
			return lost(&msg, err);
		receiving->done++;
	}
	return OK;
}

/* Opened for reading, and with room for most messages. */
static int begin(struct receiving *receiving)
{
	int err = grow(receiving, WRITE_BYTES);

	if (!output_is_open())
		return file_failed("write", NULL, -EBADF);
	receiving->fd = target_open_or_explain(&receiving->attempt, IPCX_ACCESS_READ);
	if (receiving->fd < 0)
		return FAILED;
	if (!err)
		err = ipcx_queue_file(receiving->fd, &receiving->select, 0, 0);
	if (err)
		return explain(&receiving->attempt, err);
	sigprocmask(SIG_BLOCK, NULL, &while_waiting);
	return OK;
}

static void finish(struct receiving *receiving)
{
	if (receiving->fd >= 0)
		close(receiving->fd);
	free(receiving->room);
}

int queue_recv(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "follow", no_argument, NULL, 'f' },
		TYPE_OPTION, EXCEPT_OPTION, RANGE_OPTION, NUL_OPTION, WHOLE_OPTION,
		TIMEOUT_OPTION, ID_OPTION, JSON_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct receiving receiving = {
		.attempt = { .verb = "receive from", .type = IPCX_TYPE_QUEUE },
		.select = ipcx_select_any(),
		.timeout_ns = FOR_EVER,
		.fd = -1,
	};
	int status;

	status = parse_receiving(cmd, argc, argv, "n:ft:0jh", options, &receiving);
	if (status)
		return status;
	if (!receiving.count)
		receiving.count = 1;
	status = begin(&receiving);
	if (!status) {
		hold_signals();
		status = receive(&receiving);
	}
	finish(&receiving);
	return status;
}

/* ---- Peeking ---- */

/*
 * struct looks - a batch of messages that were looked at
 * @rooms: for each of them PEEK_BYTES, and what follows it
 */
struct looks {
	struct ipcx_msg msgs[IPCX_MSG_BATCH_MAX];
	char rooms[IPCX_MSG_BATCH_MAX][PEEK_BYTES + 1];
};

/* The next ones, or the next one alone, in receiving->room, if it is long. */
static int look(struct receiving *receiving, struct looks *looks)
{
	uint64_t left = receiving->count - receiving->done;
	unsigned int count = left < IPCX_MSG_BATCH_MAX ? left : IPCX_MSG_BATCH_MAX, i;
	int ret;

	for (i = 0; i < count; i++)
		looks->msgs[i] = (struct ipcx_msg){
			.buf = (uintptr_t)looks->rooms[i],
			.room = PEEK_BYTES,
		};
	ret = ipcx_queue_peek(receiving->fd, looks->msgs, count, &receiving->select,
			      receiving->skip, 0);
	while (ret == -E2BIG) {
		if (looks->msgs[0].len > receiving->size && grow(receiving, looks->msgs[0].len))
			return -ENOMEM;
		looks->msgs[0].buf = (uintptr_t)receiving->room;
		looks->msgs[0].room = receiving->size;
		ret = ipcx_queue_peek(receiving->fd, looks->msgs, 1, &receiving->select,
				      receiving->skip, 0);
	}
	return ret;
}

static int peek(struct receiving *receiving, struct looks *looks)
{
	while (receiving->done < receiving->count) {
		int ret = look(receiving, looks), i, err;

		if (ret == -EAGAIN)
			break;
		if (ret < 0)
			return explain(&receiving->attempt, ret);
		for (i = 0; i < ret; i++) {
			err = write_message(receiving, &looks->msgs[i],
					    (char *)(uintptr_t)looks->msgs[i].buf);
			if (err)
				return err == -EINTR ? die() :
						       file_failed("write", NULL, err);
		}
		receiving->done += ret;
		receiving->skip += ret;
	}
	return OK;
}

int queue_peek(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "skip", required_argument, NULL, 's' },
		TYPE_OPTION, EXCEPT_OPTION, RANGE_OPTION, NUL_OPTION, WHOLE_OPTION,
		ID_OPTION, JSON_OPTION, HELP_OPTION, NO_OPTION,
	};
	static struct looks looks;
	struct receiving receiving = {
		.attempt = { .verb = "look into", .type = IPCX_TYPE_QUEUE },
		.select = ipcx_select_any(),
		.fd = -1,
	};
	int status;

	status = parse_receiving(cmd, argc, argv, "n:t:0jh", options, &receiving);
	if (status)
		return status;
	if (!receiving.count)
		receiving.count = receiving.separator == SEPARATOR_NONE ? 1 : UINT64_MAX;
	status = begin(&receiving);
	if (!status)
		status = peek(&receiving, &looks);
	finish(&receiving);
	return status;
}
