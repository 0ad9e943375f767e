// SPDX-License-Identifier: GPL-2.0
/*
 * ipcx: in-kernel IPC objects from the command line.
 *
 * Here is the table of commands, and what finds a command in it.
 */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "print.h"
#include "tool.h"
#include "words.h"

static const struct command commands[] = {
	{
		"pipe", "create", "NAME [options]", "create a pipe",
		pipe_create_help, pipe_create,
	}, {
		"pipe", "write", "NAME [FILE] [options]",
		"put a file, or standard input, into a pipe",
		pipe_write_help, pipe_write,
	}, {
		"pipe", "read", "NAME [FILE] [options]",
		"take a pipe's data to a file, or standard output",
		pipe_read_help, pipe_read,
	}, {
		"pipe", "resize", "NAME CAPACITY [options]",
		"change how much a pipe can hold",
		pipe_resize_help, pipe_resize,
	}, {
		"queue", "create", "NAME [options]", "create a message queue",
		queue_create_help, queue_create,
	}, {
		"queue", "send", "NAME [MESSAGE...] [options]",
		"send messages, or the lines of standard input",
		queue_send_help, queue_send,
	}, {
		"queue", "recv", "NAME [-n COUNT | --follow] [options]",
		"receive messages",
		queue_recv_help, queue_recv,
	}, {
		"queue", "peek", "NAME [-n COUNT] [options]",
		"look at messages without taking them",
		queue_peek_help, queue_peek,
	}, {
		"queue", "purge", "NAME [options]", "drop messages",
		queue_purge_help, queue_purge,
	}, {
		"queue", "resize", "NAME [options]",
		"change how much a queue can hold",
		queue_resize_help, queue_resize,
	}, {
		"sem", "create", "NAME [options]", "create a set of semaphores",
		sem_create_help, sem_create,
	}, {
		"sem", "up", "NAME [N] [options]", "add to a semaphore",
		sem_up_help, sem_up,
	}, {
		"sem", "down", "NAME [N] [options]", "take from a semaphore",
		sem_down_help, sem_down,
	}, {
		"sem", "get", "NAME [options]", "look at a set's semaphores",
		sem_get_help, sem_get,
	}, {
		"sem", "set", "NAME VALUE... [options]", "set semaphores",
		sem_set_help, sem_set,
	}, {
		"sem", "run", "NAME [options] -- COMMAND [ARGUMENT...]",
		"run a command while holding one of a semaphore",
		sem_run_help, sem_run,
	}, {
		"wait", NULL, "NAME:CONDITION... [options]",
		"wait for one of several objects, or for all",
		wait_help, wait_run,
	}, {
		"ls", NULL, "[TYPE] [options]", "list objects",
		ls_help, ls_run,
	}, {
		"show", NULL, "NAME | '#ID' [options]",
		"tell all about an object", show_help, show_run,
	}, {
		"rm", NULL, "NAME... | --all [options]", "remove objects",
		rm_help, rm_run,
	}, {
		"version", NULL, "[options]",
		"versions of the tool, library and module",
		version_help, version_run,
	},
	{ .noun = NULL }
};

static void print_overview(FILE *out)
{
	const struct command *c;
	char words[32];

	fputs("usage: ipcx NOUN [VERB] [NAME] [options]\n\n", out);
	for (c = commands; c->noun; c++) {
		snprintf(words, sizeof(words), "%s %s", c->noun,
			 c->verb ? c->verb : "");
		fprintf(out, "  ipcx %-14s%s\n", words, c->summary);
	}
	fputs("\nEvery command has --help. ipcx(1) tells more.\n", out);
}

static bool is_noun(const char *word)
{
	const struct command *c;

	for (c = commands; c->noun; c++)
		if (!strcmp(c->noun, word))
			return true;
	return false;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance, of words no longer than the table's. */
static size_t distance(const char *a, const char *b)
{
	size_t row[16], la = strlen(a), lb = strlen(b), i, j;

	if (la >= ARRAY_SIZE(row) || lb >= ARRAY_SIZE(row))
		return SIZE_MAX;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= lb; j++) {
			size_t above = row[j];

			row[j] = min3(row[j - 1] + 1, above + 1,
				      diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}

/* How far a word may be from what was meant. */
#define CLOSE	2

static size_t verb_distance(const struct command *c, const char *word)
{
	return c->verb && word ? distance(word, c->verb) : SIZE_MAX;
}

/* The noun may have been forgotten: then the word was meant for the verb. */
static size_t noun_distance(const struct command *c, const char *word)
{
	size_t noun = distance(word, c->noun), verb = verb_distance(c, word);

	return noun < verb ? noun : verb;
}

/* "pipe creat": names the verbs that come closest, else all of the noun's. */
static int unknown_verb(const char *noun, const char *verb)
{
	const struct command *c;
	size_t least = SIZE_MAX;

	if (verb)
		fprintf(stderr, "ipcx: '%s' has no command '%s'", noun,
			argument_words(verb));
	else
		fprintf(stderr, "ipcx: '%s' needs a command", noun);
	for (c = commands; c->noun; c++)
		if (!strcmp(c->noun, noun) && verb_distance(c, verb) < least)
			least = verb_distance(c, verb);
	fputs(least <= CLOSE ? "; did you mean:" : "; it has:", stderr);
	for (c = commands; c->noun; c++)
		if (!strcmp(c->noun, noun) &&
		    (least > CLOSE || verb_distance(c, verb) == least))
			fprintf(stderr, " '%s %s'", noun, c->verb);
	fputc('\n', stderr);
	return USAGE;
}

/* "lss", "pip", but also "create", whose noun was forgotten. */
static int unknown_noun(const char *word)
{
	const struct command *c;
	size_t least = SIZE_MAX;

	fprintf(stderr, "ipcx: there is no command '%s'",
		argument_words(word));
	for (c = commands; c->noun; c++)
		if (noun_distance(c, word) < least)
			least = noun_distance(c, word);
	if (least > CLOSE || least >= strlen(word)) {
		fputs("; these are:\n\n", stderr);
		print_overview(stderr);
		return USAGE;
	}
	fputs("; did you mean:", stderr);
	for (c = commands; c->noun; c++)
		if (noun_distance(c, word) == least)
			fprintf(stderr, " '%s%s%s'", c->noun,
				c->verb ? " " : "", c->verb ? c->verb : "");
	fputc('\n', stderr);
	return USAGE;
}

static int noun_help(const char *noun)
{
	const struct command *c;

	for (c = commands; c->noun; c++)
		if (!strcmp(c->noun, noun))
			printf("usage: ipcx %s %s %s\n           %s\n",
			       c->noun, c->verb, c->args, c->summary);
	return OK;
}

static bool asks_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h") ||
	       !strcmp(word, "help");
}

/* getopt's own messages begin with argv[0]: let that be the whole command. */
static int run(const struct command *cmd, int argc, char **argv)
{
	char title[32];

	snprintf(title, sizeof(title), "ipcx %s%s%s", cmd->noun,
		 cmd->verb ? " " : "", cmd->verb ? cmd->verb : "");
	argv[0] = title;
	return cmd->run(cmd, argc, argv);
}

static int dispatch(int argc, char **argv)
{
	const char *noun = argv[1], *verb = argv[2];
	const struct command *c;

	if (!strcmp(noun, "--version"))
		noun = "version";
	for (c = commands; c->noun; c++) {
		if (strcmp(c->noun, noun))
			continue;
		if (!c->verb)
			return run(c, argc - 1, argv + 1);
		if (verb && !strcmp(c->verb, verb))
			return run(c, argc - 2, argv + 2);
	}
	if (!is_noun(noun))
		return unknown_noun(noun);
	if (verb && asks_help(verb))
		return noun_help(noun);
	return unknown_verb(noun, verb);
}

/*
 * A program can be started with a standard descriptor closed. Without this the
 * next file to be opened, a socket of the kernel's say, would get what is
 * printed. What takes its place can't be used either: EBADF, as it should be.
 */
static void occupy_standard_fds(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY :
							       O_RDONLY);
}

int main(int argc, char **argv)
{
	int status;

	occupy_standard_fds();
	setlocale(LC_ALL, "");
	if (argc < 2) {
		print_overview(stderr);
		return USAGE;
	}
	if (asks_help(argv[1])) {
		print_overview(stdout);
		return flush_output();
	}
	status = dispatch(argc, argv);
	return status == OK ? flush_output() : status;
}
