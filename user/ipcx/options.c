// SPDX-License-Identifier: GPL-2.0
/*
 * Options and their values.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "print.h"
#include "tool.h"
#include "words.h"

static void print_usage(const struct command *cmd, FILE *out)
{
	fprintf(out, "usage: ipcx %s%s%s %s\n", cmd->noun,
		cmd->verb ? " " : "", cmd->verb ? cmd->verb : "", cmd->args);
}

void print_help(const struct command *cmd)
{
	print_usage(cmd, stdout);
	printf("\n%s", cmd->help);
}

static void hint_at_help(const struct command *cmd)
{
	fprintf(stderr, "Try: ipcx %s%s%s --help\n", cmd->noun,
		cmd->verb ? " " : "", cmd->verb ? cmd->verb : "");
}

int usage_error(const struct command *cmd, const char *fmt, ...)
{
	va_list args;

	fputs("ipcx: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	print_usage(cmd, stderr);
	hint_at_help(cmd);
	return USAGE;
}

/* Ends the program where nothing is left to do but to say so. */
int next_option(const struct command *cmd, int argc, char **argv,
		const char *letters, const struct option *options)
{
	int option;

	/* Its own words would send the terminal what was typed. */
	opterr = 0;
	option = getopt_long(argc, argv, letters, options, NULL);
	if (option == 'h') {
		print_help(cmd);
		exit(flush_output());
	}
	if (option == '?')
		exit(usage_error(cmd, "'%s' has an unknown option, or one without its value",
				 argument_words(argv[optind - 1])));
	return option;
}

static int suffix_shift(const char *suffix)
{
	static const char units[] = "KMGT";
	const char *unit;

	if (!*suffix)
		return 0;
	unit = strchr(units, toupper((unsigned char)*suffix));
	if (!unit || (suffix[1] && strcasecmp(suffix + 1, "iB")))
		return -1;
	return 10 * (unit - units + 1);
}

/* "4096", "64K", "64KiB", "1m": units of 1024. */
bool parse_size(const char *text, uint64_t *bytes)
{
	unsigned long long value;
	char *end;
	int shift;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	shift = suffix_shift(end);
	if (errno || shift < 0 || value > UINT64_MAX >> shift)
		return false;
	*bytes = value << shift;
	return true;
}

bool parse_mode(const char *text, uint32_t *mode)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '7')
		return false;
	value = strtoul(text, &end, 8);
	if (*end || value > 0777)
		return false;
	*mode = value;
	return true;
}

bool parse_id(const char *text, uint32_t *id)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value < 1 || value > INT32_MAX)
		return false;
	*id = value;
	return true;
}

/* A number of messages, say: at least 1, and without a unit. */
bool parse_number(const char *text, uint64_t *number)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || !value)
		return false;
	*number = value;
	return true;
}

/* "0", "5", "0.25", as sleep(1) has them. */
bool parse_seconds(const char *text, uint64_t *ns)
{
	unsigned long long seconds;
	uint64_t unit = 1000000000;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	seconds = strtoull(text, &end, 10);
	if (errno || seconds > INT64_MAX / unit - 1)
		return false;
	*ns = seconds * unit;
	if (*end == '.')
		for (end++; isdigit((unsigned char)*end); end++) {
			unit /= 10;
			*ns += (*end - '0') * unit;
		}
	return !*end;
}

/* "#12" is an id; all else is a name, "#x" too. */
struct target target_parse(const char *text)
{
	struct target target = { 0 };

	if (*text != '#' || !parse_id(text + 1, &target.id))
		target.name = text;
	return target;
}

/* --id, whose value is in optarg. */
int id_option(const struct command *cmd, struct target *target)
{
	if (parse_id(optarg, &target->id))
		return OK;
	return usage_error(cmd, "'%s' is no id", argument_words(optarg));
}

/* The next word of the command line is the object's name, unless --id has told it. */
int take_target(const struct command *cmd, int argc, char **argv,
		struct target *target)
{
	if (target->id)
		return OK;
	if (optind == argc)
		return usage_error(cmd, "NAME is missing");
	*target = target_parse(argv[optind++]);
	return OK;
}

int target_open(int dev, const struct attempt *attempt, enum ipcx_access access,
		unsigned int flags, const struct ipcx_deadline *deadline)
{
	const struct target *target = &attempt->target;

	if (target->name)
		return ipcx_open(dev, target->name, attempt->type, access, flags,
				 deadline);
	return ipcx_open_id(dev, target->id, 0, attempt->type, access, flags,
			    deadline);
}

int target_open_or_explain(const struct attempt *attempt, enum ipcx_access access)
{
	int dev = device_or_explain(), fd;

	if (dev < 0)
		return -1;
	fd = target_open(dev, attempt, access, 0, NULL);
	close(dev);
	if (fd < 0)
		explain(attempt, fd);
	return fd;
}

int timeout_option(const struct command *cmd, uint64_t *ns)
{
	if (parse_seconds(optarg, ns))
		return OK;
	return usage_error(cmd, "'%s' is no time in seconds; say for example 5 or 0.5",
			   argument_words(optarg));
}

char *timeout_words(uint64_t ns)
{
	return format("%g second%s", ns / 1e9, ns == 1000000000 ? "" : "s");
}
