/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the commands on queues have in common.
 */
#ifndef IPCX_QUEUE_H
#define IPCX_QUEUE_H

#include "tool.h"

/* Of records on standard input, and of messages on standard output */
enum separator {
	SEPARATOR_LINE,
	SEPARATOR_NUL,
	SEPARATOR_NONE,		/* there is one alone */
};

#define NUL_OPTION	{ "null", no_argument, NULL, '0' }
#define WHOLE_OPTION	{ "whole", no_argument, NULL, 'w' }
#define TYPE_OPTION	{ "type", required_argument, NULL, 't' }
#define EXCEPT_OPTION	{ "except", required_argument, NULL, 'x' }
#define RANGE_OPTION	{ "range", required_argument, NULL, 'r' }

/* What --help says about some of them. */
#define SELECT_HELP \
"  -t, --type T          messages of this type alone\n" \
"      --except T        those of all types but this one\n" \
"      --range LO:HI     those of types LO to HI, the lowest type first\n"
#define ID_HELP \
"      --id ID           the queue with this id, in place of NAME; or say '#ID'\n"
#define HELP_HELP \
"  -h, --help            this text\n"

/* OK or, if they have told what is wrong with the command line, USAGE. */
int parse_msg_type(const struct command *cmd, const char *text, __u64 *type);
int select_option(const struct command *cmd, int option,
		  struct ipcx_select *select);
int separator_option(const struct command *cmd, int option,
		     enum separator *separator);

#endif /* IPCX_QUEUE_H */
