/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Creating an object of any type: what all `ipcx TYPE create` have in common.
 */
#ifndef IPCX_CREATE_H
#define IPCX_CREATE_H

#include "tool.h"

/*
 * struct creation - what was asked for
 * @attempt:     the object, and how much it is to hold
 * @params:      the type's parameters
 * @params_size: sizeof(*@params)
 * @mode:        -1 for the default
 */
struct creation {
	struct attempt attempt;
	const void *params;
	size_t params_size;
	uint32_t lifetime;
	int mode;
	bool json;
};

/* Beside JSON_OPTION and HELP_OPTION */
#define CREATION_LETTERS	"m:l:jh"
#define MODE_OPTION	{ "mode", required_argument, NULL, 'm' }
#define LIFETIME_OPTION	{ "lifetime", required_argument, NULL, 'l' }

/* What --help says about them. */
#define CREATION_HELP(TYPE) \
"  -m, --mode OCTAL      who may read and write, as chmod has it (default 600)\n" \
"  -l, --lifetime WHEN   persistent: until it is removed (default)\n" \
"                        transient: until its last user is gone\n" \
"                        owned: until this command ends\n" \
"  -j, --json            print the new " TYPE " as JSON\n" \
"  -h, --help            this text\n" \
"\n" \
"With transient and owned the command stays and holds the " TYPE ", until it is\n" \
"interrupted (Ctrl-C, SIGTERM); a transient " TYPE "'s other users then keep it.\n"

struct creation creation_of(enum ipcx_type type);
int creation_option(const struct command *cmd, int option,
		    struct creation *creation);
int creation_run(const struct command *cmd, int argc, char **argv,
		 struct creation *creation);

#endif /* IPCX_CREATE_H */
