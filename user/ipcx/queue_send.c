// SPDX-License-Identifier: GPL-2.0
/*
 * ipcx queue send
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue.h"
#include "words.h"

const char queue_send_help[] =
"Sends each MESSAGE; without one, each line of standard input as soon as it is\n"
"there, without its newline. Waits while the queue is full.\n"
"\n"
"  -t, --type T          the messages' type, 1 to 9223372036854775807 (default 1)\n"
"  -0, --null            what ends a message on standard input is a NUL\n"
"      --whole           all of standard input is one message\n"
"      --timeout SECONDS fail if there is no space for so long; 0: don't wait\n"
ID_HELP
HELP_HELP
"\n"
"If it fails it tells how many messages were sent; the others were not.\n";

#define INPUT_BYTES	(64 * 1024)

/*
 * struct sending - what was asked for, and how far it is
 * @many:  there may be more than one message
 * @fd:    the queue
 * @batch: messages to be sent, @count of them
 * @sent:  how many were
 */
struct sending {
	struct attempt attempt;
	__u64 type;
	enum separator separator;
	uint64_t timeout_ns;
	bool many;

	int fd;
	struct ipcx_msg batch[IPCX_MSG_BATCH_MAX];
	unsigned int count;
	uint64_t sent;
};

static int parse_sending(const struct command *cmd, int argc, char **argv,
			 struct sending *sending)
{
	static const struct option options[] = {
		TYPE_OPTION, NUL_OPTION, WHOLE_OPTION, TIMEOUT_OPTION, ID_OPTION,
		HELP_OPTION, NO_OPTION,
	};
	int option, status = OK;

	while (!status && (option = next_option(cmd, argc, argv, "t:0h", options)) != -1) {
		if (option == 't')
			status = parse_msg_type(cmd, optarg, &sending->type);
		else if (option == 'T')
			status = timeout_option(cmd, &sending->timeout_ns);
		else if (option == 'i')
			status = id_option(cmd, &sending->attempt.target);
		else
			status = separator_option(cmd, option, &sending->separator);
	}
	if (status || take_target(cmd, argc, argv, &sending->attempt.target))
		return USAGE;
	if (optind < argc && sending->separator != SEPARATOR_LINE)
		return usage_error(cmd, "--null and --whole are about standard input, and there is a MESSAGE");
	sending->many = optind == argc ? sending->separator != SEPARATOR_NONE :
					 argc - optind > 1;
	return OK;
}

static int send_some(struct sending *sending, unsigned int first)
{
	unsigned int count = sending->count - first;
	struct ipcx_deadline end;

	if (sending->timeout_ns == FOR_EVER)
		return ipcx_queue_send(sending->fd, sending->batch + first, count, 0, NULL);
	if (!sending->timeout_ns)
		return ipcx_queue_send(sending->fd, sending->batch + first, count,
				       IPCX_NONBLOCK, NULL);
	end = ipcx_deadline_after(sending->timeout_ns);
	return ipcx_queue_send(sending->fd, sending->batch + first, count, 0, &end);
}

/* What would let it in. */
static char *resize_words(const struct sending *sending, uint64_t len,
			  uint64_t capacity)
{
	char *target = target_words(&sending->attempt.target);
	char *bytes = len > capacity ? format(" --max-bytes %" PRIu64, len) : format("%s", "");
	char *text = format("ipcx queue resize --max-msg-bytes %" PRIu64 "%s %s", len, bytes,
			    target);

	free(target);
	free(bytes);
	return text;
}

static int too_long(const struct sending *sending, uint64_t len)
{
	char *what = subject(&sending->attempt), *advice;
	struct ipcx_stat stat = { 0 };
	uint64_t number = sending->sent + 1;

	ipcx_stat_fd(sending->fd, &stat, sizeof(stat));
	advice = resize_words(sending, len, stat.capacity_bytes);
	if (len > IPCX_MSG_BYTES_MAX)
		fail("cannot send to %s: message %" PRIu64 " has more than %llu bytes, and no queue takes that",
		     what, number, IPCX_MSG_BYTES_MAX);
	else
		fail("cannot send to %s: message %" PRIu64 " has %" PRIu64
		     " bytes, and it takes %" PRIu64 " at most; its owner can change that: %s",
		     what, number, len, (uint64_t)stat.max_msg_bytes, advice);
	free(advice);
	free(what);
	return FAILED;
}

static int no_space(const struct sending *sending)
{
	char *what = subject(&sending->attempt);
	char *time = timeout_words(sending->timeout_ns);

	if (sending->timeout_ns)
		fail("cannot send to %s: it had no space for %s; somebody should receive",
		     what, time);
	else
		fail("cannot send to %s: it has no space now; somebody should receive, or a longer --timeout waits",
		     what);
	free(time);
	free(what);
	return FAILED;
}

static int tell_sent(const struct sending *sending)
{
	if (sending->many)
		note("%" PRIu64 " message%s sent before that", sending->sent,
		     sending->sent == 1 ? " was" : "s were");
	return FAILED;
}

static int send_failed(const struct sending *sending, int err, uint64_t len)
{
	if (err == -EMSGSIZE)
		too_long(sending, len);
	else if (err == -EAGAIN || err == -ETIMEDOUT)
		no_space(sending);
	else
		explain(&sending->attempt, err);
	return tell_sent(sending);
}

/* Send all that has been collected. */
static int flush(struct sending *sending)
{
	unsigned int done = 0;

	while (done < sending->count) {
		int ret = send_some(sending, done);

		if (ret < 0 && ret != -EINTR)
			return send_failed(sending, ret, sending->batch[done].len);
		if (ret > 0) {
			done += ret;
			sending->sent += ret;
		}
	}
	sending->count = 0;
	return OK;
}

/* The bytes must stay until flush(). */
static int collect(struct sending *sending, const char *bytes, size_t len)
{
	sending->batch[sending->count++] = (struct ipcx_msg){
		.type = sending->type,
		.buf = (uintptr_t)bytes,
		.len = len,
	};
	return sending->count == IPCX_MSG_BATCH_MAX ? flush(sending) : OK;
}

static int send_words(struct sending *sending, char **words)
{
	int status = OK;

	for (; !status && *words; words++)
		status = collect(sending, *words, strlen(*words));
	return status ? status : flush(sending);
}

/*
 * struct input - standard input
 * @bytes:   what has been read and not been sent, @len of them
 * @size:    room for so many
 * @scanned: so many of them have no separator
 */
struct input {
	char *bytes;
	size_t size;
	size_t len;
	size_t scanned;
};

static int input_grow(struct input *input)
{
	size_t size = input->size ? 2 * input->size : INPUT_BYTES;
	char *bytes;

	if (input->len < input->size)
		return 0;
	if (input->len > IPCX_MSG_BYTES_MAX)
		return -EMSGSIZE;
	bytes = realloc(input->bytes, size);
	if (!bytes)
		return -ENOMEM;
	input->bytes = bytes;
	input->size = size;
	return 0;
}

static ssize_t input_read(struct input *input)
{
	struct pollfd polled = { .fd = STDIN_FILENO, .events = POLLIN };

	for (;;) {
		ssize_t ret = read(STDIN_FILENO, input->bytes + input->len,
				   input->size - input->len);

		if (ret >= 0)
			return ret;
		if (errno == EAGAIN)
			poll(&polled, 1, -1);
		else if (errno != EINTR)
			return -errno;
	}
}

/* Send the messages that are complete. */
static int send_records(struct sending *sending, struct input *input)
{
	char separator = sending->separator == SEPARATOR_LINE ? '\n' : '\0';
	size_t at = 0;
	int status = OK;

	while (!status) {
		char *end = memchr(input->bytes + input->scanned, separator,
				   input->len - input->scanned);

		if (!end)
			break;
		status = collect(sending, input->bytes + at, end - (input->bytes + at));
		at = end + 1 - input->bytes;
		input->scanned = at;
	}
	if (!status)
		status = flush(sending);
	input->len -= at;
	memmove(input->bytes, input->bytes + at, input->len);
	input->scanned = input->len;
	return status;
}

static int send_rest(struct sending *sending, const struct input *input)
{
	if (!input->len && sending->separator != SEPARATOR_NONE)
		return OK;
	return collect(sending, input->bytes, input->len) ? FAILED : flush(sending);
}

static int send_input(struct sending *sending, struct input *input)
{
	for (;;) {
		int status = OK, err = input_grow(input);
		ssize_t ret;

		if (err)
			return send_failed(sending, err, input->len);
		ret = input_read(input);
		if (!ret)
			return send_rest(sending, input);
		if (ret < 0) {
			file_failed("read", NULL, ret);
			return tell_sent(sending);
		}
		input->len += ret;
		if (sending->separator != SEPARATOR_NONE)
			status = send_records(sending, input);
		if (status)
			return status;
	}
}

int queue_send(const struct command *cmd, int argc, char **argv)
{
	static struct sending sending = {
		.attempt = { .verb = "send to", .type = IPCX_TYPE_QUEUE },
		.type = 1,
		.timeout_ns = FOR_EVER,
	};
	struct input input = { 0 };
	int status;

	status = parse_sending(cmd, argc, argv, &sending);
	if (status)
		return status;
	sending.fd = target_open_or_explain(&sending.attempt, IPCX_ACCESS_WRITE);
	if (sending.fd < 0)
		return FAILED;
	status = optind < argc ? send_words(&sending, argv + optind) :
				 send_input(&sending, &input);
	close(sending.fd);
	free(input.bytes);
	return status;
}
