// SPDX-License-Identifier: GPL-2.0
/*
 * ipcx wait
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "print.h"
#include "tool.h"
#include "words.h"

const char wait_help[] =
"Waits until one of the conditions is met, and prints it as it was given; or, with\n"
"--all, until all are at the same moment. NAME may be '#ID'. A CONDITION is\n"
"\n"
"  readable              the pipe has data, or has ended; the queue has a message; the\n"
"                        semaphore is above 0\n"
"  writable              the pipe or the queue has space\n"
"  down                  1 was taken from the semaphore. down=N takes N, and\n"
"                        down@INDEX or down=N@INDEX from another of the set than the first\n"
"\n"
"  -a, --all             wait for all, and take all that is taken at one moment\n"
"  -T, --timeout S       wait so many seconds at most, 0 not at all (default: as long\n"
"                        as it takes)\n"
"  -h, --help            this text\n"
"\n"
"What is taken is not given back when the command ends. The status is 1 if nothing was\n"
"met in time.\n";

/*
 * struct wish - a condition as it was given
 * @text: all of it
 * @name: to be freed
 */
struct wish {
	const char *text;
	char *name;
	struct attempt attempt;
};

/*
 * struct waiting - what was asked for
 * @count: how many of the others
 */
struct waiting {
	bool all;
	uint64_t timeout_ns;
	unsigned int count;
	struct wish wishes[IPCX_WAIT_MAX];
	struct ipcx_condition conditions[IPCX_WAIT_MAX];
};

static bool parse_u32(const char *text, size_t len, uint64_t max, uint32_t *value)
{
	char *copy = format("%.*s", (int)len, text);
	uint64_t number = 0;
	bool good = !strcmp(copy, "0") || (parse_number(copy, &number) && number <= max);

	free(copy);
	*value = number;
	return good;
}

/* What follows "down" */
static bool parse_down(const char *text, struct ipcx_condition *c)
{
	size_t len;

	c->what = IPCX_DOWN;
	c->down = 1;
	if (*text == '=') {
		len = strcspn(++text, "@");
		if (!parse_u32(text, len, IPCX_SEM_VALUE_MAX, &c->down) || !c->down)
			return false;
		text += len;
	}
	if (*text == '@') {
		text++;
		if (!parse_u32(text, strlen(text), IPCX_SEMS_MAX - 1, &c->index))
			return false;
		text += strlen(text);
	}
	return !*text;
}

static bool parse_condition(const char *text, struct ipcx_condition *c)
{
	if (!strncmp(text, "down", 4))
		return parse_down(text + 4, c);
	c->what = !strcmp(text, "readable") ? IPCX_READABLE :
		  !strcmp(text, "writable") ? IPCX_WRITABLE : 0;
	return c->what;
}

/* A name may have colons: the last one ends it. */
static int parse_wish(const struct command *cmd, const char *text, struct waiting *waiting)
{
	struct ipcx_condition *c = &waiting->conditions[waiting->count];
	struct wish *wish = &waiting->wishes[waiting->count];
	const char *colon = strrchr(text, ':');

	if (!colon)
		return usage_error(cmd, "'%s' has no condition; say for example %s:readable",
				   argument_words(text), argument_words(text));
	if (!parse_condition(colon + 1, c))
		return usage_error(cmd, "'%s' is no condition; these are readable, writable, down, down=N and down@INDEX",
				   argument_words(colon + 1));
	waiting->count++;
	wish->text = text;
	wish->name = format("%.*s", (int)(colon - text), text);
	wish->attempt = (struct attempt){
		.verb = "wait for",
		.type = c->what == IPCX_DOWN ? IPCX_TYPE_SEM : IPCX_TYPE_ANY,
		.target = target_parse(wish->name),
	};
	return OK;
}

static int parse_waiting(const struct command *cmd, int argc, char **argv,
			 struct waiting *waiting)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' }, TIMEOUT_OPTION, HELP_OPTION, NO_OPTION,
	};
	int option, status = OK;

	while (!status && (option = next_option(cmd, argc, argv, "aT:h", options)) != -1) {
		if (option == 'a')
			waiting->all = true;
		else
			status = timeout_option(cmd, &waiting->timeout_ns);
	}
	if (!status && optind == argc)
		return usage_error(cmd, "NAME:CONDITION is missing");
	if (!status && argc - optind > IPCX_WAIT_MAX)
		return usage_error(cmd, "at most %d conditions are possible", IPCX_WAIT_MAX);
	for (; !status && optind < argc; optind++)
		status = parse_wish(cmd, argv[optind], waiting);
	return status;
}

/*
 * Opening a pipe would wait for its other side, and it is a condition that is waited for. Space
 * is there without a reader, too, but who only writes can't open such a pipe.
 */
static int open_wish(int dev, const struct attempt *attempt, uint32_t what)
{
	int fd = target_open(dev, attempt, what == IPCX_READABLE ? IPCX_ACCESS_READ :
								   IPCX_ACCESS_WRITE,
			     IPCX_NONBLOCK, NULL);

	if (fd == -ENXIO)
		fd = target_open(dev, attempt, IPCX_ACCESS_RDWR, IPCX_NONBLOCK, NULL);
	return fd;
}

static int open_all(struct waiting *waiting)
{
	int dev = device_or_explain();
	unsigned int i;

	if (dev < 0)
		return FAILED;
	for (i = 0; i < waiting->count; i++) {
		struct ipcx_condition *c = &waiting->conditions[i];

		c->fd = open_wish(dev, &waiting->wishes[i].attempt, c->what);
		if (c->fd < 0)
			return explain(&waiting->wishes[i].attempt, c->fd);
	}
	close(dev);
	return OK;
}

static int wait_for(const struct waiting *waiting, unsigned int *index)
{
	unsigned int flags = waiting->all ? IPCX_WAIT_ALL : 0;
	struct ipcx_deadline deadline;

	if (waiting->timeout_ns == FOR_EVER)
		return ipcx_wait(waiting->conditions, waiting->count, flags, NULL, index);
	if (!waiting->timeout_ns)
		flags |= IPCX_NONBLOCK;
	deadline = ipcx_deadline_after(waiting->timeout_ns);
	return ipcx_wait(waiting->conditions, waiting->count, flags, &deadline, index);
}

static int not_met(const struct waiting *waiting)
{
	char *time = timeout_words(waiting->timeout_ns);

	if (!waiting->timeout_ns)
		fail("%s now; a longer --timeout waits",
		     waiting->all ? "not all is so" : "nothing of this is so");
	else
		fail("%s for %s", waiting->all ? "not all was so at one moment" :
						 "nothing of this was so", time);
	free(time);
	return FAILED;
}

/* A condition that is wrong, or an object that is gone. */
static int explain_wish(const struct wish *wish, int err)
{
	switch (err) {
	case -EFBIG:
		return fail("'%s': there is no such semaphore; the first is 0 (see: ipcx sem get)",
			    argument_words(wish->text));
	case -EINVAL:
		return fail("'%s': that is more than the semaphore's maximum, or an owned one twice (see: ipcx show)",
			    argument_words(wish->text));
	default:
		return explain(&wish->attempt, err);
	}
}

static int finish(const struct waiting *waiting, int err, unsigned int index)
{
	if (err == -EINTR)
		return FAILED;
	if (err == -EAGAIN || err == -ETIMEDOUT)
		return not_met(waiting);
	if (err == -EOWNERDEAD) {
		note("'%s': who held it before has died; what it guards may be half done",
		     argument_words(waiting->wishes[index].text));
		err = 0;
	}
	if (err)
		return index < waiting->count ? explain_wish(&waiting->wishes[index], err) :
						fail("cannot wait: %s", strerror(-err));
	if (!waiting->all)
		puts(waiting->wishes[index].text);
	return OK;
}

int wait_run(const struct command *cmd, int argc, char **argv)
{
	struct waiting waiting = { .timeout_ns = FOR_EVER };
	unsigned int i, index = 0;
	int status, err;

	status = parse_waiting(cmd, argc, argv, &waiting);
	if (!status)
		status = open_all(&waiting);
	if (!status) {
		err = wait_for(&waiting, &index);
		status = finish(&waiting, err, index);
	}
	/* Files end with the process. */
	for (i = 0; i < waiting.count; i++)
		free(waiting.wishes[i].name);
	return status;
}
