// SPDX-License-Identifier: GPL-2.0
/*
 * Creating an object, and holding one that lives no longer than somebody does.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "create.h"
#include "object.h"
#include "words.h"

struct creation creation_of(enum ipcx_type type)
{
	return (struct creation){
		.attempt = { .verb = "create", .type = type },
		.lifetime = IPCX_LIFETIME_PERSISTENT,
		.mode = -1,
	};
}

/* -m, -l or -j */
int creation_option(const struct command *cmd, int option,
		    struct creation *creation)
{
	uint32_t mode;

	switch (option) {
	case 'm':
		if (!parse_mode(optarg, &mode))
			return usage_error(cmd, "'%s' is no mode; say for example 660",
					   argument_words(optarg));
		creation->mode = mode;
		return OK;
	case 'l':
		if (parse_lifetime(optarg, &creation->lifetime))
			return OK;
		return usage_error(cmd, "'%s' is no lifetime; say persistent, transient or owned",
				   argument_words(optarg));
	default:
		creation->json = true;
		return OK;
	}
}

/* A mode that was asked for is meant exactly, as with mkdir -m: no umask. */
static int create(int dev, const struct creation *creation)
{
	struct ipcx_options options = { .lifetime = creation->lifetime };

	if (creation->mode >= 0) {
		/* The library takes a mode of 0 for its default. */
		options.mode = 0777;
		umask(~creation->mode & 0777);
	}
	return ipcx_create(dev, creation->attempt.target.name,
			   creation->attempt.type, IPCX_ACCESS_NONE, &options,
			   creation->params, creation->params_size);
}

static void block_ending_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	sigprocmask(SIG_BLOCK, signals, NULL);
}

/*
 * The object lives as long as this process, or its file: stay. Leave when a
 * signal asks to, or when there is nothing left to hold.
 */
static int hold(int fd, const struct creation *creation,
		const sigset_t *signals)
{
	struct pollfd polled[] = {
		{ .fd = signalfd(-1, signals, SFD_CLOEXEC), .events = POLLIN },
		{ .fd = fd },
	};
	const char *type = type_word(creation->attempt.type);
	struct ipcx_stat stat;

	note("the %s is %s: it is held until this command is interrupted (Ctrl-C, SIGTERM)",
	     type, lifetime_word(creation->lifetime));
	if (polled[0].fd < 0)
		return fail("cannot wait for a signal: %s", strerror(errno));
	for (;;) {
		if (poll(polled, ARRAY_SIZE(polled), -1) < 0)
			continue;
		if (polled[0].revents)
			return OK;
		if (ipcx_stat_fd(fd, &stat, sizeof(stat)) == -EIDRM)
			return fail("the %s has been removed", type);
		/* Hung up for another reason: only signals matter from now. */
		polled[1].fd = -1;
	}
}

static int print_created(int fd, const struct attempt *attempt)
{
	struct object object = { 0 };
	int err = ipcx_stat_fd(fd, &object.stat, sizeof(object.stat));

	return err ? explain(attempt, err) : object_print(&object, true);
}

/* The options have been read; what is left of the command line is the name. */
int creation_run(const struct command *cmd, int argc, char **argv,
		 struct creation *creation)
{
	bool stay = creation->lifetime != IPCX_LIFETIME_PERSISTENT;
	int dev, fd, status = OK;
	sigset_t signals;

	if (argc - optind != 1)
		return usage_error(cmd, optind == argc ? "NAME is missing" :
				   "one NAME is enough");
	creation->attempt.target.name = argv[optind];
	dev = device_or_explain();
	if (dev < 0)
		return FAILED;
	if (stay)
		block_ending_signals(&signals);
	fd = create(dev, creation);
	if (fd < 0)
		return explain(&creation->attempt, fd);
	if (creation->json)
		status = print_created(fd, &creation->attempt);
	if (!status && stay)
		status = hold(fd, creation, &signals);
	close(fd);
	close(dev);
	return status;
}
