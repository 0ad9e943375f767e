// SPDX-License-Identifier: GPL-2.0
/*
 * ipcx ls, show
 */
#include <errno.h>

#include "object.h"
#include "tool.h"
#include "words.h"

const char ls_help[] =
"Lists the objects of this network namespace that you may read or write, and\n"
"your own. TYPE is pipe, queue, region or sem, if the module has it.\n"
"\n"
"  -j, --json            an array of objects, with all that show tells\n"
"  -h, --help            this text\n"
"\n"
"LIFETIME says what makes the object end; 'unlinked' and 'removed' that it ends\n"
"with its last user. RD and WR count the open files that read and write. USED is\n"
"in colour if the object is full.\n";

const char show_help[] =
"Tells all that is known about an object.\n"
"\n"
"      --id ID           the object with this id; or say '#ID' (in quotes)\n"
"      --name NAME       an object whose name looks like '#12'\n"
"  -j, --json            print an object\n"
"  -h, --help            this text\n";

static int list_objects(uint32_t type, bool json)
{
	static const struct attempt attempt = { .verb = "list" };
	struct object_list list;
	struct report *report;
	int err = model_list(type, &list);
	size_t i;

	if (err)
		return explain(&attempt, err);
	report = report_begin(REPORT_TABLE, json);
	for (i = 0; i < list.count; i++) {
		report_record(report);
		object_fields(report, &list.objects[i]);
	}
	if (list.raced)
		note("objects came and went meanwhile; some may be missing");
	model_list_free(&list);
	return report_end(report);
}

int ls_run(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		JSON_OPTION, HELP_OPTION, NO_OPTION,
	};
	uint32_t type = IPCX_TYPE_ANY;
	bool json = false;

	while (next_option(cmd, argc, argv, "jh", options) != -1)
		json = true;
	if (argc - optind > 1)
		return usage_error(cmd, "one TYPE is enough");
	if (argv[optind] && !parse_type(argv[optind], &type))
		return usage_error(cmd, "'%s' is no type; there are pipe, queue, region and sem",
				   argument_words(argv[optind]));
	return list_objects(type, json);
}

static int show(const struct target *target, bool json)
{
	struct attempt attempt = { .verb = "show", .target = *target };
	struct object object;
	int err = model_get(target, &object);

	return err ? explain(&attempt, err) : object_print(&object, json);
}

int show_run(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{ "id", required_argument, NULL, 'i' },
		{ "name", required_argument, NULL, 'n' },
		JSON_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct target target = { 0 };
	bool json = false;
	int option;

	while ((option = next_option(cmd, argc, argv, "jh", options)) != -1) {
		if (option == 'j')
			json = true;
		else if (option == 'n')
			target.name = optarg;
		else if (!parse_id(optarg, &target.id))
			return usage_error(cmd, "'%s' is no id",
					   argument_words(optarg));
	}
	if (!target.id && !target.name && optind < argc)
		target = target_parse(argv[optind++]);
	if (optind < argc || (target.id && target.name))
		return usage_error(cmd, "one object is enough");
	if (!target.id && !target.name)
		return usage_error(cmd, "NAME is missing");
	return show(&target, json);
}
