// SPDX-License-Identifier: GPL-2.0
/*
 * ipcx sem create, up, down, get, set, run
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "create.h"
#include "print.h"
#include "words.h"

#define INDEX_HELP \
"  -I, --index I         which semaphore of the set, from 0 (default 0)\n"
#define ID_HELP \
"      --id ID           the set with this id, in place of NAME; or say '#ID'\n"
#define TIMEOUT_HELP \
"  -T, --timeout S       wait so many seconds at most, 0 not at all (default: as long\n" \
"                        as it takes)\n"
#define HELP_HELP \
"  -h, --help            this text\n"

const char sem_create_help[] =
"Creates a set of semaphores. Others then open it by its name.\n"
"\n"
"      --value N         the first value of each (default 0)\n"
"      --max N           the largest value that one can have (default 2147483647)\n"
"      --count SEMS      how many semaphores, 32000 at most (default 1)\n"
"      --owned           locks: each is 1, or held by a process that alone can give it\n"
"                        back, and does so when it ends (see: ipcx sem run)\n"
CREATION_HELP("set");

const char sem_up_help[] =
"Adds N, or 1, to a semaphore. That never waits.\n"
"\n"
INDEX_HELP ID_HELP HELP_HELP;

const char sem_down_help[] =
"Takes N, or 1, from a semaphore, as soon as it has so much.\n"
"\n"
INDEX_HELP TIMEOUT_HELP ID_HELP HELP_HELP;

const char sem_get_help[] =
"Prints each semaphore of a set: its value, how many wait for it to rise and to be 0,\n"
"which process operated on it last, and of owned ones who holds it.\n"
"\n"
"  -I, --index I         this one alone, from 0\n"
ID_HELP
"  -j, --json            print them as JSON\n"
HELP_HELP;

const char sem_set_help[] =
"Sets a semaphore, or as many as there are VALUEs, whatever they are now. What was to be\n"
"undone when processes end is forgotten.\n"
"\n"
"  -I, --index I         the first that is set, from 0 (default 0)\n"
"  -a, --all             set all of them to one VALUE\n"
ID_HELP HELP_HELP;

const char sem_run_help[] =
"Takes 1 from a semaphore, becomes the command, and gives it back when that has ended,\n"
"however it does. So what the command returns, the signals it gets and its process id are\n"
"its own. Statuses beside the command's: 1 if the semaphore could not be taken, 127 if\n"
"there is no such command, 126 if it can't be run.\n"
"\n"
INDEX_HELP TIMEOUT_HELP ID_HELP HELP_HELP;

#define INDEX_OPTION	{ "index", required_argument, NULL, 'I' }

/* As many are looked at, or set, with one call. */
#define CHUNK		1024

/*
 * struct operation - what was asked for
 * @index:   which semaphore
 * @indexed: it was said
 * @all:     set: all of them
 */
struct operation {
	struct attempt attempt;
	uint64_t timeout_ns;
	uint32_t index;
	bool indexed;
	bool all;
	bool json;
};

static bool parse_whole(const char *text, uint64_t max, uint32_t *value)
{
	uint64_t number = 0;

	if (strcmp(text, "0") && (!parse_number(text, &number) || number > max))
		return false;
	*value = number;
	return true;
}

static int parse_value(const struct command *cmd, const char *text, uint32_t *value)
{
	if (parse_whole(text, IPCX_SEM_VALUE_MAX, value))
		return OK;
	return usage_error(cmd, "'%s' is no value of a semaphore; values are 0 to %d",
			   argument_words(text), IPCX_SEM_VALUE_MAX);
}

static int creation_value(const struct command *cmd, int option,
			  struct ipcx_sem_params *params)
{
	switch (option) {
	case 'v':
		return parse_value(cmd, optarg, &params->value);
	case 'M':
		if (parse_value(cmd, optarg, &params->max))
			return USAGE;
		return params->max ? OK : usage_error(cmd, "a maximum of 0 would be of no use");
	case 'n':
		if (parse_whole(optarg, IPCX_SEMS_MAX, &params->count) && params->count)
			return OK;
		return usage_error(cmd, "'%s' is no number of semaphores; say 1 to %d",
				   argument_words(optarg), IPCX_SEMS_MAX);
	default:
		params->flags = IPCX_SEM_OWNED;
		return OK;
	}
}

static int creation_check(const struct command *cmd, const struct ipcx_sem_params *params)
{
	if (params->flags && (params->value || params->max))
		return usage_error(cmd, "owned semaphores begin with 1, which is their maximum: --owned excludes --value and --max");
	if (params->max && params->value > params->max)
		return usage_error(cmd, "--value is more than --max");
	return OK;
}

int sem_create(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{ "value", required_argument, NULL, 'v' },
		{ "max", required_argument, NULL, 'M' },
		{ "count", required_argument, NULL, 'n' },
		{ "owned", no_argument, NULL, 'o' },
		MODE_OPTION, LIFETIME_OPTION, JSON_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct creation creation = creation_of(IPCX_TYPE_SEM);
	struct ipcx_sem_params params = { 0 };
	int option, status = OK;

	while (!status && (option = next_option(cmd, argc, argv, CREATION_LETTERS,
						options)) != -1)
		status = strchr("vMno", option) ? creation_value(cmd, option, &params) :
						  creation_option(cmd, option, &creation);
	if (!status)
		status = creation_check(cmd, &params);
	if (status)
		return status;
	creation.params = &params;
	creation.params_size = sizeof(params);
	return creation_run(cmd, argc, argv, &creation);
}

static int operation_option(const struct command *cmd, int option, struct operation *op)
{
	switch (option) {
	case 'I':
		op->indexed = true;
		if (parse_whole(optarg, IPCX_SEMS_MAX - 1, &op->index))
			return OK;
		return usage_error(cmd, "'%s' is no index of a semaphore; the first is 0",
				   argument_words(optarg));
	case 'T':
		return timeout_option(cmd, &op->timeout_ns);
	case 'i':
		return id_option(cmd, &op->attempt.target);
	case 'a':
		op->all = true;
		return OK;
	default:
		op->json = true;
		return OK;
	}
}

/* Options, and the set; what follows is the command's own. */
static int parse_operation(const struct command *cmd, int argc, char **argv,
			   const char *letters, const struct option *options,
			   struct operation *op)
{
	int option, status = OK;

	while (!status && (option = next_option(cmd, argc, argv, letters, options)) != -1)
		status = operation_option(cmd, option, op);
	return status || take_target(cmd, argc, argv, &op->attempt.target) ? USAGE : OK;
}

static struct operation operation_of(const char *verb)
{
	return (struct operation){
		.attempt = { .verb = verb, .type = IPCX_TYPE_SEM },
		.timeout_ns = FOR_EVER,
	};
}

static int no_such_semaphore(const struct operation *op, int fd)
{
	char *what = subject(&op->attempt);
	struct ipcx_stat stat = { 0 };

	ipcx_stat_fd(fd, &stat, sizeof(stat));
	fail("%s has no semaphore %" PRIu32 ": it has %" PRIu32 ", the first is 0", what,
	     op->index, (uint32_t)stat.sems);
	free(what);
	return FAILED;
}

static int not_taken(const struct operation *op)
{
	char *what = subject(&op->attempt), *time = timeout_words(op->timeout_ns);

	if (op->timeout_ns)
		fail("cannot %s %s: it was too low for %s", op->attempt.verb, what, time);
	else
		fail("cannot %s %s: it is too low now; a longer --timeout waits",
		     op->attempt.verb, what);
	free(time);
	free(what);
	return FAILED;
}

static int explain_operation(const struct operation *op, int fd, int err)
{
	char *what;
	int status;

	switch (err) {
	case -EFBIG:
		return no_such_semaphore(op, fd);
	case -ETIMEDOUT:
	case -EAGAIN:
		return not_taken(op);
	case -EINTR:
		return FAILED;
	case -EOVERFLOW:
	case -ERANGE:
	case -EINVAL:
		what = subject(&op->attempt);
		status = fail("cannot %s %s: that is more than its maximum (see: ipcx show)",
			      op->attempt.verb, what);
		free(what);
		return status;
	default:
		return explain(&op->attempt, err);
	}
}

/* What a short command takes, or gives back, of an owned set is as it was when it ends. */
static bool is_owned(int fd)
{
	struct ipcx_stat stat;

	return !ipcx_stat_fd(fd, &stat, sizeof(stat)) && stat.sem_flags & IPCX_SEM_OWNED;
}

static int refuse_owned(const struct operation *op)
{
	char *what = subject(&op->attempt);

	fail("cannot %s %s: its semaphores are owned, by processes until they end; see: ipcx sem run --help",
	     op->attempt.verb, what);
	free(what);
	return FAILED;
}

static int down(int fd, const struct operation *op, uint32_t n, uint32_t flags)
{
	struct ipcx_deadline deadline;

	if (op->timeout_ns == FOR_EVER)
		return ipcx_sem_down(fd, op->index, n, flags, NULL);
	if (!op->timeout_ns)
		return ipcx_sem_down(fd, op->index, n, flags | IPCX_SEM_NOWAIT, NULL);
	deadline = ipcx_deadline_after(op->timeout_ns);
	return ipcx_sem_down(fd, op->index, n, flags, &deadline);
}

static int move(const struct operation *op, uint32_t n, bool up)
{
	int fd = target_open_or_explain(&op->attempt, IPCX_ACCESS_WRITE), err, status = OK;

	if (fd < 0)
		return FAILED;
	if (is_owned(fd)) {
		status = refuse_owned(op);
	} else {
		err = up ? ipcx_sem_up(fd, op->index, n, 0) : down(fd, op, n, 0);
		if (err)
			status = explain_operation(op, fd, err);
	}
	close(fd);
	return status;
}

/* What is left of the command line is N, if it was said. */
static int parse_n(const struct command *cmd, int argc, char **argv, uint32_t *n)
{
	*n = 1;
	if (optind == argc)
		return OK;
	if (argc - optind > 1)
		return usage_error(cmd, "one N is enough");
	if (parse_whole(argv[optind], IPCX_SEM_VALUE_MAX, n) && *n)
		return OK;
	return usage_error(cmd, "'%s' is no number; say 1 to %d", argument_words(argv[optind]),
			   IPCX_SEM_VALUE_MAX);
}

int sem_up(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		INDEX_OPTION, ID_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct operation op = operation_of("add to");
	uint32_t n;

	if (parse_operation(cmd, argc, argv, "I:h", options, &op) || parse_n(cmd, argc, argv, &n))
		return USAGE;
	return move(&op, n, true);
}

int sem_down(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		INDEX_OPTION, TIMEOUT_OPTION, ID_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct operation op = operation_of("take from");
	uint32_t n;

	if (parse_operation(cmd, argc, argv, "I:T:h", options, &op) ||
	    parse_n(cmd, argc, argv, &n))
		return USAGE;
	return move(&op, n, false);
}

static void print_sem(struct report *report, uint32_t index, const struct ipcx_sem *sem,
		      bool owned)
{
	report_record(report);
	report_field(report, "index", "INDEX", NULL, json_integer(index), "%" PRIu32, index);
	report_field(report, "value", "VALUE", NULL, json_integer(sem->value), "%" PRIu32,
		     sem->value);
	report_field(report, "waiting_down", "DOWN", NULL, json_integer(sem->waiting_down),
		     "%" PRIu32, sem->waiting_down);
	report_field(report, "waiting_zero", "ZERO", NULL, json_integer(sem->waiting_zero),
		     "%" PRIu32, sem->waiting_zero);
	report_field(report, "last_pid", "PID", NULL, json_integer(sem->pid), "%" PRId32,
		     sem->pid);
	if (!owned)
		return;
	report_field(report, "holder_pid", "HOLDER", NULL, json_integer(sem->holder),
		     "%" PRId32, sem->holder);
	report_field(report, "abandoned", "ABANDONED", NULL,
		     json_boolean(sem->flags & IPCX_SEM_ABANDONED), "%s",
		     sem->flags & IPCX_SEM_ABANDONED ? "yes" : "-");
}

static int print_sems(int fd, const struct operation *op, uint32_t count)
{
	struct report *report = report_begin(REPORT_TABLE, op->json);
	struct ipcx_sem sems[CHUNK];
	bool owned = is_owned(fd);
	uint32_t at, i, n;
	int err = 0;

	for (at = 0; at < count && !err; at += n) {
		n = count - at < CHUNK ? count - at : CHUNK;
		err = ipcx_sem_get(fd, op->index + at, n, sems);
		for (i = 0; i < n && !err; i++)
			print_sem(report, op->index + at + i, &sems[i], owned);
	}
	if (err) {
		explain_operation(op, fd, err);
		report_end(report);
		return FAILED;
	}
	return report_end(report);
}

int sem_get(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		INDEX_OPTION, ID_OPTION, JSON_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct operation op = operation_of("look at");
	struct ipcx_stat stat;
	int fd, err, status;

	if (parse_operation(cmd, argc, argv, "I:jh", options, &op))
		return USAGE;
	if (optind < argc)
		return usage_error(cmd, "one NAME is enough");
	fd = target_open_or_explain(&op.attempt, IPCX_ACCESS_READ);
	if (fd < 0)
		return FAILED;
	err = ipcx_stat_fd(fd, &stat, sizeof(stat));
	if (err)
		status = explain(&op.attempt, err);
	else if (op.index >= stat.sems)
		status = no_such_semaphore(&op, fd);
	else
		status = print_sems(fd, &op, op.indexed ? 1 : stat.sems);
	close(fd);
	return status;
}

/* All values at once, or the one for all of them. */
static int set_values(int fd, const struct operation *op, uint32_t *values, uint32_t count)
{
	struct ipcx_stat stat;
	uint32_t i, *many;
	int err;

	if (!op->all)
		return ipcx_sem_set(fd, op->index, count, values);
	err = ipcx_stat_fd(fd, &stat, sizeof(stat));
	if (err)
		return err;
	many = calloc(stat.sems, sizeof(*many));
	if (!many)
		return -ENOMEM;
	for (i = 0; i < stat.sems; i++)
		many[i] = values[0];
	err = ipcx_sem_set(fd, 0, stat.sems, many);
	free(many);
	return err;
}

static int parse_values(const struct command *cmd, int argc, char **argv,
			const struct operation *op, uint32_t *values)
{
	int i;

	if (optind == argc)
		return usage_error(cmd, "VALUE is missing");
	if (op->all && (op->indexed || argc - optind > 1))
		return usage_error(cmd, "--all takes one VALUE, and no --index");
	for (i = optind; i < argc; i++)
		if (parse_value(cmd, argv[i], &values[i - optind]))
			return USAGE;
	return OK;
}

int sem_set(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		INDEX_OPTION, { "all", no_argument, NULL, 'a' }, ID_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct operation op = operation_of("set");
	uint32_t *values = calloc(argc + 1, sizeof(*values));
	int fd, err, status = USAGE;

	if (!values)
		return fail("out of memory");
	if (!parse_operation(cmd, argc, argv, "I:ah", options, &op) &&
	    !parse_values(cmd, argc, argv, &op, values)) {
		status = FAILED;
		fd = target_open_or_explain(&op.attempt, IPCX_ACCESS_WRITE);
		if (fd >= 0) {
			err = set_values(fd, &op, values, argc - optind);
			status = !err ? OK : err == -EPERM && is_owned(fd) ? refuse_owned(&op) :
				 explain_operation(&op, fd, err);
			close(fd);
		}
	}
	free(values);
	return status;
}

/* Who runs is this process, so what it takes is given back when the command has ended. */
static int become(char **argv)
{
	int err;

	execvp(argv[0], argv);
	err = errno;
	fail("cannot run '%s': %s", argument_words(argv[0]), strerror(err));
	return err == ENOENT ? 127 : 126;
}

int sem_run(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		INDEX_OPTION, TIMEOUT_OPTION, ID_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct operation op = operation_of("take from");
	char *what;
	int fd, err;

	if (parse_operation(cmd, argc, argv, "I:T:h", options, &op))
		return USAGE;
	if (optind == argc)
		return usage_error(cmd, "the command is missing");
	fd = target_open_or_explain(&op.attempt, IPCX_ACCESS_WRITE);
	if (fd < 0)
		return FAILED;
	err = down(fd, &op, 1, IPCX_SEM_UNDO);
	if (err == -EOWNERDEAD) {
		what = subject(&op.attempt);
		note("%s: who held it before has died; what it guards may be half done", what);
		free(what);
	} else if (err) {
		return explain_operation(&op, fd, err);
	}
	return become(argv + optind);
}
