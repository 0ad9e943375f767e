// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that was measured, as JSON.
 */
#include <err.h>
#include <jansson.h>

#include "bench.h"
#include "version.h"

static json_t *root, *list;

static json_t *checked(json_t *value)
{
	if (!value)
		errx(1, "out of memory");
	return value;
}

void json_begin(const struct machine *m, const struct plan *plan)
{
	list = checked(json_array());
	root = checked(json_pack("{ss ss ss ss ss si ss ss ss si sf so}",
				 "version", BENCH_VERSION,
				 "date", m->date,
				 "kernel", m->kernel.release,
				 "kernel_build", m->kernel.version,
				 "arch", m->kernel.machine,
				 "cpus", m->cpus,
				 "processor", m->processor,
				 "virtualization", m->virtualization,
				 "module_srcversion", m->module,
				 "pairs", plan->pairs,
				 "run_seconds", plan->seconds,
				 "comparisons", list));
}

static json_t *samples(const struct comparison *c, int who)
{
	json_t *array = checked(json_array());
	int i;

	for (i = 0; i < c->pairs; i++)
		json_array_append_new(array, json_real(c->seconds[who][i]));
	return array;
}

static json_t *goal(const struct comparison *c)
{
	if (!c->rival->goal)
		return json_null();
	return checked(json_pack("{ss sf sb sf}",
				 "must_be", c->row->unit == MB_PER_S ?
				 "at least" : "at most",
				 "ratio", c->rival->goal,
				 "holds", holds(c),
				 "missed_by", holds(c) ? 0 : missed_by(c)));
}

void json_add(const struct comparison *c)
{
	const struct setting *setting = &c->row->setting;
	json_t *entry;

	entry = json_pack("{ss ss ss ss ss si sI sI sI so so sf sf s{sf sf sf} so}",
			  "row", c->row->name,
			  "title", c->row->title,
			  "ours", c->row->ours->name,
			  "peer", c->rival->peer->name,
			  "unit", c->row->unit == MB_PER_S ? "MB/s" : "us",
			  "cpus", setting->cpus,
			  "bytes", (json_int_t)setting->bytes,
			  "capacity_bytes", (json_int_t)setting->capacity,
			  "amount", (json_int_t)c->amount,
			  "ours_seconds", samples(c, 0),
			  "peer_seconds", samples(c, 1),
			  "ours_median", c->ours,
			  "peer_median", c->peer,
			  "ratio",
			  "median", c->ratio.median,
			  "lowest", c->ratio.lowest,
			  "highest", c->ratio.highest,
			  "goal", goal(c));
	if (json_array_append_new(list, checked(entry)))
		errx(1, "out of memory");
}

void json_end(FILE *file, const char *name)
{
	if (json_dumpf(root, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) ||
	    fputc('\n', file) == EOF || fclose(file))
		err(1, "%s", name);
	json_decref(root);
}
