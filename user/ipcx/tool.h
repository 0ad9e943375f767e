/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tool's files share: commands, options, messages.
 */
#ifndef IPCX_TOOL_H
#define IPCX_TOOL_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ipcx.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Exit statuses */
enum {
	OK	= 0,
	FAILED	= 1,
	USAGE	= 2,
};

/*
 * struct command - one line of the tool's table
 * @verb: NULL for a noun that stands alone, such as "ls"
 * @args: the usage line's rest
 * @help: what --help says below the usage line
 */
struct command {
	const char *noun;
	const char *verb;
	const char *args;
	const char *summary;
	const char *help;
	int (*run)(const struct command *cmd, int argc, char **argv);
};

int pipe_create(const struct command *cmd, int argc, char **argv);
int pipe_write(const struct command *cmd, int argc, char **argv);
int pipe_read(const struct command *cmd, int argc, char **argv);
int pipe_resize(const struct command *cmd, int argc, char **argv);
int ls_run(const struct command *cmd, int argc, char **argv);
int show_run(const struct command *cmd, int argc, char **argv);
int rm_run(const struct command *cmd, int argc, char **argv);
int version_run(const struct command *cmd, int argc, char **argv);

extern const char pipe_create_help[], pipe_write_help[], pipe_read_help[];
extern const char pipe_resize_help[], ls_help[], show_help[], rm_help[];
extern const char version_help[];

/* Options: every command has -h and --help, which next_option() deals with. */
#define HELP_OPTION	{ "help", no_argument, NULL, 'h' }
#define JSON_OPTION	{ "json", no_argument, NULL, 'j' }
#define NO_OPTION	{ NULL, 0, NULL, 0 }

int next_option(const struct command *cmd, int argc, char **argv,
		const char *letters, const struct option *options);
void print_help(const struct command *cmd);
int usage_error(const struct command *cmd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool parse_size(const char *text, uint64_t *bytes);
bool parse_mode(const char *text, uint32_t *mode);
bool parse_id(const char *text, uint32_t *id);

/*
 * struct target - the object that the user means: a name, or an id
 * @cookie: beside @id, so that nobody else's object is meant; 0 if unknown
 */
struct target {
	const char *name;
	uint32_t id;
	uint64_t cookie;
};

struct target target_parse(const char *text);

/*
 * struct attempt - what was tried, for the words about why it failed
 * @verb:  "read", "remove", ...
 * @type:  what the object should have been
 * @bytes: the capacity that was asked for; 0 for the default, or none
 */
struct attempt {
	const char *verb;
	enum ipcx_type type;
	struct target target;
	uint64_t bytes;
};

/* Messages go to standard error; fail() and explain() return FAILED. */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int explain(const struct attempt *attempt, int err);
int device_or_explain(void);
int explain_no_netlink(int err);

#endif /* IPCX_TOOL_H */
