// SPDX-License-Identifier: GPL-2.0
/*
 * ipcx version
 */
#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "print.h"
#include "tool.h"
#include "words.h"

const char version_help[] =
"Tells the versions of this tool, of libipcx, and of the module's interface, and\n"
"the types of object that the module has.\n"
"\n"
"  -j, --json            print an object; \"module\" is null if there is none\n"
"  -h, --help            this text\n"
"\n"
"It is no failure if the module is not loaded.\n";

/* The bits that this tool can't name are told as numbers. */
static json_t *types_json(uint32_t types)
{
	json_t *array = json_array();
	uint32_t type;

	for (type = 0; type < 32; type++)
		if (types >> type & 1)
			json_array_append_new(array,
					      json_string(type_word(type)));
	return array;
}

static char *types_text(uint32_t types)
{
	char *text = format("%s", "");
	uint32_t type;

	for (type = 0; type < 32; type++) {
		char *longer;

		if (!(types >> type & 1))
			continue;
		longer = format("%s%s%s", text, *text ? ", " : "",
				type_word(type));
		free(text);
		text = longer;
	}
	return text;
}

static void add_module(struct report *report, const struct ipcx_query *query)
{
	char *types = types_text(query->types);

	report_field(report, "module", NULL, "module",
		     json_pack("{s:i, s:o}", "uapi_version", query->version,
			       "types", types_json(query->types)),
		     "interface %u; types: %s", query->version, types);
	free(types);
}

static void query_module(struct report *report)
{
	struct ipcx_query query;
	int dev = ipcx_device(), err = dev;

	if (dev >= 0) {
		err = ipcx_query(dev, &query, sizeof(query));
		close(dev);
	}
	if (!err)
		add_module(report, &query);
	else if (err == -ENOENT || err == -ENXIO || err == -ENODEV)
		report_field(report, "module", NULL, "module", json_null(),
			     "not loaded (modprobe ipcmod)");
	else
		report_field(report, "module", NULL, "module", json_null(),
			     "cannot be asked: %s", strerror(-err));
}

int version_run(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		JSON_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct report *report;
	bool json = false;

	while (next_option(cmd, argc, argv, "jh", options) != -1)
		json = true;
	if (optind < argc)
		return usage_error(cmd, "there is nothing to say after it");
	report = report_begin(REPORT_CARD, json);
	report_field(report, "tool", NULL, "ipcx",
		     json_string(IPCX_LIBRARY_VERSION), "%s",
		     IPCX_LIBRARY_VERSION);
	report_field(report, "library", NULL, "libipcx",
		     json_string(ipcx_library_version()), "%s",
		     ipcx_library_version());
	query_module(report);
	return report_end(report);
}
