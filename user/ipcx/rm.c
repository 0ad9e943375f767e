// SPDX-License-Identifier: GPL-2.0
/*
 * ipcx rm
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "print.h"
#include "tool.h"
#include "words.h"

const char rm_help[] =
"Removes objects. The name is free at once; who has the object open goes on with\n"
"it, and it ends with its last user.\n"
"\n"
"  -a, --all             every object of this network namespace that is yours to\n"
"                        remove; others are left alone\n"
"  -f, --force           send users away too: whoever waits on the object wakes\n"
"                        up, and every later use of it fails\n"
"      --id ID           the object with this id, beside NAMEs; or say '#ID' (in\n"
"                        quotes); may be repeated\n"
"      --name NAME       an object whose name looks like '#12'; may be repeated\n"
"  -j, --json            print what was removed, as an array of objects\n"
"  -h, --help            this text\n"
"\n"
"With several NAMEs, those that can't be removed are told, and the others are\n"
"removed all the same.\n";

/*
 * struct removal - what rm was asked for, and what became of it
 * @targets: room for one for each of the command line's words
 */
struct removal {
	struct target *targets;
	size_t count;
	bool all;
	bool force;
	bool json;

	struct report *report;
	size_t removed;
	size_t skipped;
	int status;
};

static int parse_removal(const struct command *cmd, int argc, char **argv,
			 struct removal *removal)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "force", no_argument, NULL, 'f' },
		{ "id", required_argument, NULL, 'i' },
		{ "name", required_argument, NULL, 'n' },
		JSON_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct target *target = removal->targets;
	int option;

	while ((option = next_option(cmd, argc, argv, "afjh", options)) != -1) {
		if (option == 'a')
			removal->all = true;
		else if (option == 'f')
			removal->force = true;
		else if (option == 'j')
			removal->json = true;
		else if (option == 'n')
			(target++)->name = optarg;
		else if (!parse_id(optarg, &(target++)->id))
			return usage_error(cmd, "'%s' is no id",
					   argument_words(optarg));
	}
	while (optind < argc)
		*target++ = target_parse(argv[optind++]);
	removal->count = target - removal->targets;
	if (removal->all && removal->count)
		return usage_error(cmd, "either NAMEs or --all");
	if (!removal->all && !removal->count)
		return usage_error(cmd, "NAME is missing");
	return OK;
}

static void add_removed(struct removal *removal, const struct object *object)
{
	const struct ipcx_stat *stat = &object->stat;
	bool named = stat->name_len;

	removal->removed++;
	if (!removal->json)
		return;
	report_record(removal->report);
	report_field(removal->report, "name", NULL, NULL, named ?
		     json_name(stat->name, stat->name_len) : json_null(), "%s",
		     "");
	if (named && !is_utf8(stat->name, stat->name_len))
		report_field(removal->report, "name_base64", NULL, NULL,
			     json_base64(stat->name, stat->name_len), "%s", "");
	if (stat->id)
		report_field(removal->report, "id", NULL, NULL,
			     json_integer(stat->id), "%s", "");
	if (!stat->type)
		return;
	report_field(removal->report, "type", NULL, NULL,
		     json_string(type_word(stat->type)), "%s", "");
}

static int remove_one(struct removal *removal, const struct object *object)
{
	const struct target exact = {
		.id = object->stat.id,
		.cookie = object->stat.cookie,
	};
	int err = model_delete(&exact, removal->force);

	if (!err)
		add_removed(removal, object);
	return err;
}

/* By its name if that is all that may be known of it. */
static int remove_named(struct removal *removal, const struct target *target)
{
	struct object object = { 0 };
	int err;

	if (removal->json && !model_get(target, &object))
		return remove_one(removal, &object);
	err = model_delete(target, removal->force);
	if (err)
		return err;
	object.stat.id = target->id;
	if (target->name) {
		object.stat.name_len = strlen(target->name);
		memcpy(object.stat.name, target->name, object.stat.name_len);
	}
	add_removed(removal, &object);
	return 0;
}

static void remove_targets(struct removal *removal)
{
	struct attempt attempt = { .verb = "remove" };
	size_t i;
	int err;

	for (i = 0; i < removal->count; i++) {
		err = remove_named(removal, &removal->targets[i]);
		if (!err)
			continue;
		attempt.target = removal->targets[i];
		removal->status = explain(&attempt, err);
		if (err == -ENOTCONN)
			return;
	}
}

/* Without a name and a link there is nothing to unlink: its users end it. */
static bool only_users_left(const struct object *object)
{
	return !(object->stat.flags & (IPCX_STAT_NAMED | IPCX_STAT_LINKED));
}

static bool gone(int err)
{
	return err == -ENOENT || err == -ESTALE || err == -EIDRM;
}

static void remove_listed(struct removal *removal,
			  const struct object_list *list)
{
	struct attempt attempt = { .verb = "remove" };
	size_t in_use = 0, i;
	int err;

	for (i = 0; i < list->count; i++) {
		const struct object *object = &list->objects[i];

		if (object->removed)
			continue;
		if (only_users_left(object) && !removal->force) {
			in_use++;
			continue;
		}
		err = remove_one(removal, object);
		attempt.target.id = object->stat.id;
		if (err == -EPERM || err == -EACCES)
			removal->skipped++;
		else if (err && !gone(err))
			removal->status = explain(&attempt, err);
	}
	if (in_use)
		note("%zu more %s with %s users; send them away with --force",
		     in_use, in_use == 1 ? "ends" : "end",
		     in_use == 1 ? "its" : "their");
	if (removal->skipped)
		note("%zu that %s to others %s left alone", removal->skipped,
		     removal->skipped == 1 ? "belongs" : "belong",
		     removal->skipped == 1 ? "was" : "were");
}

static void remove_all(struct removal *removal)
{
	static const struct attempt attempt = { .verb = "list" };
	struct object_list list;
	int err = model_list(IPCX_TYPE_ANY, &list);

	if (err) {
		removal->status = explain(&attempt, err);
		return;
	}
	remove_listed(removal, &list);
	model_list_free(&list);
	if (!removal->json)
		printf("removed %zu object%s\n", removal->removed,
		       removal->removed == 1 ? "" : "s");
}

/* As JSON a list of what was removed, as text nothing but --all's count. */
static int run_removal(struct removal *removal)
{
	int status;

	removal->report = report_begin(REPORT_TABLE, removal->json);
	if (removal->all)
		remove_all(removal);
	else
		remove_targets(removal);
	status = report_end(removal->report);
	return status ? status : removal->status;
}

int rm_run(const struct command *cmd, int argc, char **argv)
{
	struct removal removal = {
		.targets = calloc(argc, sizeof(struct target)),
	};
	int status;

	if (!removal.targets)
		return fail("out of memory");
	status = parse_removal(cmd, argc, argv, &removal);
	if (!status)
		status = run_removal(&removal);
	free(removal.targets);
	return status;
}
