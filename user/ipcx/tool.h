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
int queue_create(const struct command *cmd, int argc, char **argv);
int queue_send(const struct command *cmd, int argc, char **argv);
int queue_recv(const struct command *cmd, int argc, char **argv);
int queue_peek(const struct command *cmd, int argc, char **argv);
int queue_purge(const struct command *cmd, int argc, char **argv);
int queue_resize(const struct command *cmd, int argc, char **argv);
int sem_create(const struct command *cmd, int argc, char **argv);
int sem_up(const struct command *cmd, int argc, char **argv);
int sem_down(const struct command *cmd, int argc, char **argv);
int sem_get(const struct command *cmd, int argc, char **argv);
int sem_set(const struct command *cmd, int argc, char **argv);
int sem_run(const struct command *cmd, int argc, char **argv);
int wait_run(const struct command *cmd, int argc, char **argv);
int ls_run(const struct command *cmd, int argc, char **argv);
int show_run(const struct command *cmd, int argc, char **argv);
int rm_run(const struct command *cmd, int argc, char **argv);
int version_run(const struct command *cmd, int argc, char **argv);

extern const char pipe_create_help[], pipe_write_help[], pipe_read_help[];
extern const char pipe_resize_help[], ls_help[], show_help[], rm_help[];
extern const char queue_create_help[], queue_send_help[], queue_recv_help[];
extern const char queue_peek_help[], queue_purge_help[], queue_resize_help[];
extern const char sem_create_help[], sem_up_help[], sem_down_help[];
extern const char sem_get_help[], sem_set_help[], sem_run_help[], wait_help[];
extern const char version_help[];

/* Options: every command has -h and --help, which next_option() deals with. */
#define HELP_OPTION	{ "help", no_argument, NULL, 'h' }
#define JSON_OPTION	{ "json", no_argument, NULL, 'j' }
#define ID_OPTION	{ "id", required_argument, NULL, 'i' }
#define TIMEOUT_OPTION	{ "timeout", required_argument, NULL, 'T' }
#define NO_OPTION	{ NULL, 0, NULL, 0 }

int next_option(const struct command *cmd, int argc, char **argv,
		const char *letters, const struct option *options);
void print_help(const struct command *cmd);
int usage_error(const struct command *cmd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool parse_size(const char *text, uint64_t *bytes);
bool parse_mode(const char *text, uint32_t *mode);
bool parse_id(const char *text, uint32_t *id);
bool parse_number(const char *text, uint64_t *number);
bool parse_seconds(const char *text, uint64_t *ns);

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

/* OK or, if they have told what is wrong with the command line, USAGE. */
int id_option(const struct command *cmd, struct target *target);
int take_target(const struct command *cmd, int argc, char **argv,
		struct target *target);

/* A timeout of those who wait as long as it takes */
#define FOR_EVER	UINT64_MAX

/* --timeout, whose value is in optarg: OK or USAGE. */
int timeout_option(const struct command *cmd, uint64_t *ns);

/* "5 seconds"; to be freed. */
char *timeout_words(uint64_t ns);

/*
 * struct attempt - what was tried, for the words about why it failed
 * @verb:  "read", "remove", "send to", ...: what comes before the object
 * @type:  what the object should have been
 * @bytes: the capacity that was asked for; 0 for the default, or none
 * @msgs:  likewise, of a queue, how many messages
 * @msg_bytes: likewise how long one of them
 */
struct attempt {
	const char *verb;
	enum ipcx_type type;
	struct target target;
	uint64_t bytes;
	uint64_t msgs;
	uint64_t msg_bytes;
};

int target_open(int dev, const struct attempt *attempt, enum ipcx_access access,
		unsigned int flags, const struct ipcx_deadline *deadline);
/* The same, at once, and without a device at hand: a file, or -1 and a message. */
int target_open_or_explain(const struct attempt *attempt, enum ipcx_access access);
char *target_words(const struct target *target);
char *subject(const struct attempt *attempt);

/* Messages go to standard error; fail(), explain() and file_failed() return FAILED. */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int explain(const struct attempt *attempt, int err);
int file_failed(const char *verb, const char *file, int err);
int device_or_explain(void);
int explain_no_netlink(int err);

#endif /* IPCX_TOOL_H */
