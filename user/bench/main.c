// SPDX-License-Identifier: GPL-2.0
/*
 * Which rows, how many pairs, and where the results go.
 */
#include <err.h>
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <ipcx.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "bench.h"

static const char help[] =
"usage: ipcx-bench [options] [ROW...]\n"
"\n"
"Measures ipcmod's objects against what every system has, row by row: ours and the\n"
"peer in turns, and of all pairs the median ratio. Without ROW, all of them.\n"
"ROW is a name, the beginning of one up to a '-', or a pattern such as '*-2cpu-*'.\n"
"\n"
"  -j, --json FILE   write every sample to FILE\n"
"  -p, --pairs N     measure N pairs of each, at most 99 (default 9)\n"
"  -t, --time MS     what a run should take at least (default 150)\n"
"  -q, --quick       3 pairs of 10 ms, to see that it works: not to be quoted\n"
"  -l, --list        list the rows\n"
"  -h, --help        this text\n"
"\n"
"The module must be loaded. Root only: it gives some peers the room that ours has,\n"
"and keeps what is made out of everybody's sight.\n"
"The first two processors that the program may use are used: see taskset(1).\n";

struct options {
	struct plan plan;
	const char *json;
	FILE *json_file;
	char **patterns;
};

/* One for the whole run: opening it is no part of any row. */
int device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = ipcx_device();
	if (fd < 0)
		errx(1, "/dev/ipcx: %s; is the module loaded (modprobe ipcmod)?",
		     strerror(-fd));
	return fd;
}

/*
 * Queues, semaphores and files that only this program sees: they can't clash with
 * anybody's, nor outlive it, however it ends.
 */
static void isolate(void)
{
	if (unshare(CLONE_NEWIPC | CLONE_NEWNS))
		err(1, "namespaces of its own%s", geteuid() ? ": run it as root" : "");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("ipcx-bench", PRIVATE_FOLDER, "tmpfs", 0, NULL))
		err(1, "a file system of its own");
}

static void __attribute__((noreturn, format(printf, 1, 2)))
usage_error(const char *fmt, ...)
{
	va_list args;

	fputs("ipcx-bench: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs("\nTry: ipcx-bench --help\n", stderr);
	exit(2);
}

static int number(const char *text, const char *what, int most)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || *end || end == text || value < 1 || value > most)
		usage_error("%s must be a number from 1 to %d, not '%s'", what,
			    most, text);
	return value;
}

/* A name, its beginning up to a '-', or a pattern. */
static bool matches(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	if (!strncmp(name, pattern, len) && (!name[len] || name[len] == '-'))
		return true;
	return !fnmatch(pattern, name, 0);
}

static bool is_wanted(const struct options *o, const struct row *row)
{
	char **pattern;

	for (pattern = o->patterns; *pattern; pattern++)
		if (matches(*pattern, row->name))
			return true;
	return !*o->patterns;
}

/* Before anything is measured: a typing error must not cost minutes. */
static void check_patterns(char **patterns)
{
	size_t i;

	for (; *patterns; patterns++) {
		for (i = 0; i < nr_rows; i++)
			if (matches(*patterns, rows[i].name))
				break;
		if (i == nr_rows)
			usage_error("there is no row '%s'; --list shows all",
				    *patterns);
	}
}

/* A table that could not be written is a failure, as of any tool. */
static int end_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		err(1, "standard output");
	return 0;
}

static void parse(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", required_argument, NULL, 'j' },
		{ "pairs", required_argument, NULL, 'p' },
		{ "time", required_argument, NULL, 't' },
		{ "quick", no_argument, NULL, 'q' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "j:p:t:qlh", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			o->json = optarg;
			break;
		case 'p':
			o->plan.pairs = number(optarg, "--pairs", MAX_PAIRS);
			break;
		case 't':
			o->plan.seconds = number(optarg, "--time", 60000) / 1e3;
			break;
		case 'q':
			o->plan = (struct plan) { .pairs = 3, .seconds = 0.01 };
			break;
		case 'l':
			table_of_rows();
			exit(end_output());
		case 'h':
			fputs(help, stdout);
			exit(end_output());
		default:
			usage_error("unknown option, or one without its value: '%s'",
				    argv[optind - 1]);
		}
	}
	o->patterns = argv + optind;
	check_patterns(o->patterns);
}

/* A comparison is shown as soon as it is made. */
static void measure(const struct options *o, const struct row *row)
{
	struct comparison c = { .row = row };

	if (row->setting.cpus > processors_usable()) {
		warnx("%s is left out: it needs two processors", row->name);
		return;
	}
	for (c.rival = row->rivals; c.rival->peer; c.rival++) {
		compare(&c, &o->plan);
		table_add(&c);
		json_add(&c);
	}
}

int main(int argc, char **argv)
{
	struct options o = { .plan = { .pairs = 9, .seconds = 0.15 } };
	struct machine m;
	size_t i;

	parse(&o, argc, argv);
	processors_find();
	/* Now, so that it fails early, and while every folder is still in sight. */
	if (o.json) {
		o.json_file = fopen(o.json, "w");
		if (!o.json_file)
			err(1, "%s", o.json);
	}
	isolate();
	device();
	machine_describe(&m);
	table_begin(&m, &o.plan);
	json_begin(&m, &o.plan);
	for (i = 0; i < nr_rows; i++)
		if (is_wanted(&o, &rows[i]))
			measure(&o, &rows[i]);
	populations_end();
	herds_end();
	table_end();
	if (o.json)
		json_end(o.json_file, o.json);
	return end_output();
}
