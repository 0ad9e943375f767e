// SPDX-License-Identifier: GPL-2.0
/*
 * ipcx queue create, purge, resize, and what all commands on queues share
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "create.h"
#include "object.h"
#include "queue.h"
#include "words.h"

const char queue_create_help[] =
"Creates a message queue. Senders and receivers then open it by its name.\n"
"\n"
"      --max-msgs N      messages that it can hold (default 1024)\n"
"      --max-bytes SIZE  bytes that they can have together, or with K, M or G\n"
"                        (default 256K)\n"
"      --max-msg-bytes SIZE\n"
"                        bytes that one of them can have, 16M at most (default: as\n"
"                        many as the queue can hold)\n"
CREATION_HELP("queue")
"\n"
"All that it could hold is charged to you when it is created.\n";

const char queue_purge_help[] =
"Drops messages: all that are there when it begins, or those that are selected.\n"
"Tells how many.\n"
"\n"
SELECT_HELP
ID_HELP
"  -j, --json            print their number as JSON\n"
HELP_HELP;

const char queue_resize_help[] =
"Changes how much a queue can hold, while it is in use. No message is lost. Who\n"
"makes it larger is charged for it from then on. What is not given stays as it is;\n"
"one message can never have more bytes than the queue.\n"
"\n"
"      --max-msgs N      messages that it can hold, not fewer than it does\n"
"      --max-bytes SIZE  bytes that they can have together, or with K, M or G, not\n"
"                        fewer than they have\n"
"      --max-msg-bytes SIZE\n"
"                        bytes that one of them can have, 16M at most\n"
ID_HELP
"  -j, --json            print the queue as JSON\n"
HELP_HELP;

#define MSGS_OPTION		{ "max-msgs", required_argument, NULL, 'n' }
#define BYTES_OPTION		{ "max-bytes", required_argument, NULL, 'b' }
#define MSG_BYTES_OPTION	{ "max-msg-bytes", required_argument, NULL, 's' }

static bool is_limit(int option)
{
	return option && strchr("nbs", option);
}

static int limit_option(const struct command *cmd, int option,
			struct attempt *attempt)
{
	uint64_t *limit = option == 's' ? &attempt->msg_bytes : &attempt->bytes;

	if (option != 'n') {
		if (parse_size(optarg, limit) && *limit)
			return OK;
		return usage_error(cmd, "'%s' is no size; say for example 64K or 1M",
				   argument_words(optarg));
	}
	if (parse_number(optarg, &attempt->msgs))
		return OK;
	return usage_error(cmd, "'%s' is no number of messages",
			   argument_words(optarg));
}

static struct ipcx_queue_params limits_of(const struct attempt *attempt)
{
	return (struct ipcx_queue_params){
		.max_msgs = attempt->msgs,
		.max_bytes = attempt->bytes,
		.max_msg_bytes = attempt->msg_bytes,
	};
}

int queue_create(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		MSGS_OPTION, BYTES_OPTION, MSG_BYTES_OPTION, MODE_OPTION, LIFETIME_OPTION,
		JSON_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct creation creation = creation_of(IPCX_TYPE_QUEUE);
	struct ipcx_queue_params limits;
	int option, status = OK;

	while (!status && (option = next_option(cmd, argc, argv, CREATION_LETTERS,
						options)) != -1)
		status = is_limit(option) ?
			 limit_option(cmd, option, &creation.attempt) :
			 creation_option(cmd, option, &creation);
	if (status)
		return status;
	limits = limits_of(&creation.attempt);
	creation.params = &limits;
	creation.params_size = sizeof(limits);
	return creation_run(cmd, argc, argv, &creation);
}

int parse_msg_type(const struct command *cmd, const char *text, __u64 *type)
{
	uint64_t number;

	if (!parse_number(text, &number) || number > IPCX_MSG_TYPE_MAX)
		return usage_error(cmd, "'%s' is no type of a message; types are 1 to %llu",
				   argument_words(text), IPCX_MSG_TYPE_MAX);
	*type = number;
	return OK;
}

static int parse_range(const struct command *cmd, const char *text,
		       struct ipcx_select *select)
{
	const char *colon = strchr(text, ':');
	char *lo;
	int status;

	if (!colon)
		return usage_error(cmd, "'%s' is no range; say for example 1:9",
				   argument_words(text));
	lo = format("%.*s", (int)(colon - text), text);
	status = parse_msg_type(cmd, lo, &select->lo);
	free(lo);
	if (!status)
		status = parse_msg_type(cmd, colon + 1, &select->hi);
	if (!status && select->lo > select->hi)
		return usage_error(cmd, "'%s' begins after its end", argument_words(text));
	return status;
}

int select_option(const struct command *cmd, int option,
		  struct ipcx_select *select)
{
	if (select->how != IPCX_SELECT_ANY)
		return usage_error(cmd, "one of --type, --except and --range is enough");
	if (option == 'r') {
		select->how = IPCX_SELECT_RANGE;
		return parse_range(cmd, optarg, select);
	}
	select->how = option == 't' ? IPCX_SELECT_EXACT : IPCX_SELECT_EXCEPT;
	return parse_msg_type(cmd, optarg, &select->lo);
}

int separator_option(const struct command *cmd, int option,
		     enum separator *separator)
{
	if (*separator != SEPARATOR_LINE)
		return usage_error(cmd, "one of --null and --whole is enough");
	*separator = option == '0' ? SEPARATOR_NUL : SEPARATOR_NONE;
	return OK;
}

static int print_purged(uint64_t count, bool json)
{
	struct report *report = report_begin(REPORT_CARD, json);

	report_field(report, "purged", NULL, "Purged", json_integer(count),
		     "%" PRIu64, count);
	return report_end(report);
}

int queue_purge(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		TYPE_OPTION, EXCEPT_OPTION, RANGE_OPTION, ID_OPTION,
		JSON_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct attempt attempt = { .verb = "purge", .type = IPCX_TYPE_QUEUE };
	struct ipcx_select select = ipcx_select_any();
	int option, fd, status = OK;
	bool json = false;
	int64_t ret;

	while (!status && (option = next_option(cmd, argc, argv, "t:jh", options)) != -1) {
		if (option == 'j')
			json = true;
		else
			status = option == 'i' ? id_option(cmd, &attempt.target) :
						 select_option(cmd, option, &select);
	}
	if (status || take_target(cmd, argc, argv, &attempt.target))
		return USAGE;
	if (optind < argc)
		return usage_error(cmd, "one NAME is enough");
	fd = target_open_or_explain(&attempt, IPCX_ACCESS_READ);
	if (fd < 0)
		return FAILED;
	ret = ipcx_queue_purge(fd, &select);
	close(fd);
	return ret < 0 ? explain(&attempt, ret) : print_purged(ret, json);
}

static int parse_resize(const struct command *cmd, int argc, char **argv,
			struct attempt *attempt, bool *json)
{
	static const struct option options[] = {
		MSGS_OPTION, BYTES_OPTION, MSG_BYTES_OPTION, ID_OPTION,
		JSON_OPTION, HELP_OPTION, NO_OPTION,
	};
	int option, status = OK;

	while (!status && (option = next_option(cmd, argc, argv, "jh", options)) != -1) {
		if (option == 'j')
			*json = true;
		else
			status = option == 'i' ? id_option(cmd, &attempt->target) :
						 limit_option(cmd, option, attempt);
	}
	if (status || take_target(cmd, argc, argv, &attempt->target))
		return USAGE;
	if (optind < argc)
		return usage_error(cmd, "one NAME is enough; what to change is an option");
	if (!attempt->msgs && !attempt->bytes && !attempt->msg_bytes)
		return usage_error(cmd, "a limit is missing");
	return OK;
}

int queue_resize(const struct command *cmd, int argc, char **argv)
{
	struct attempt attempt = { .verb = "resize", .type = IPCX_TYPE_QUEUE };
	struct ipcx_queue_params limits;
	int fd, err, status;
	bool json = false;

	status = parse_resize(cmd, argc, argv, &attempt, &json);
	if (status)
		return status;
	fd = target_open_or_explain(&attempt, IPCX_ACCESS_NONE);
	if (fd < 0)
		return FAILED;
	limits = limits_of(&attempt);
	err = ipcx_queue_resize(fd, &limits);
	close(fd);
	if (err)
		return explain(&attempt, err);
	return json ? print_target(&attempt) : OK;
}
