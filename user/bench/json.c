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

static json_t *samples(const struct comparison *c)
{
	json_t *array = checked(json_array());
	const struct pair *pair;

	for (pair = c->pair; pair < c->pair + c->pairs; pair++) {
		json_t *one = json_pack("{sI sf sf}", "amount",
					(json_int_t)pair->amount, "ours_seconds",
					pair->ours, "peer_seconds", pair->peer);

		if (json_array_append_new(array, checked(one)))
			errx(1, "out of memory");
		if (!c->row->ours)
			json_object_del(one, "ours_seconds");
	}
	return array;
}

static json_t *goal(const struct comparison *c)
{
	if (!c->rival->goal)
		return json_null();
	return checked(json_pack("{ss sf sb sf sb}",
				 "must_be", c->row->unit == MB_PER_S ?
				 "at least" : "at most",
				 "ratio", c->rival->goal,
				 "holds", holds(c),
				 "missed_by", holds(c) ? 0 : missed_by(c),
				 "sure", is_sure(c)));
}

static json_t *spread(const struct spread *s)
{
	return checked(json_pack("{sf sf sf}", "median", s->median,
				 "lowest", s->lowest, "highest", s->highest));
}

static void add(json_t *entry, const char *key, json_t *value)
{
	if (json_object_set_new(entry, key, value))
		errx(1, "out of memory");
}

void json_add(const struct comparison *c)
{
	const struct setting *setting = &c->row->setting;
	json_t *entry;

	entry = json_pack("{ss ss ss ss si sI sI so so}",
			  "row", c->row->name,
			  "title", c->row->title,
			  "peer", c->rival->peer->name,
			  "unit", unit_name(c->row->unit),
			  "cpus", setting->cpus,
			  "bytes", (json_int_t)setting->bytes,
			  "capacity_bytes", (json_int_t)setting->capacity,
			  "samples", samples(c),
			  "peer_result", spread(&c->peer));
	if (json_array_append_new(list, checked(entry)))
		errx(1, "out of memory");
	if (!c->row->ours)
		return;
	add(entry, "ours", checked(json_string(c->row->ours->name)));
	add(entry, "ours_result", spread(&c->ours));
	add(entry, "ratio", spread(&c->ratio));
	add(entry, "goal", goal(c));
}

void json_end(FILE *file, const char *name)
{
	if (json_dumpf(root, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) ||
	    fputc('\n', file) == EOF || fclose(file))
		err(1, "%s", name);
	json_decref(root);
}
