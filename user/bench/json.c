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

/* Both take the value over. */
static void add(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, checked(value)))
		errx(1, "out of memory");
}

static void append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, checked(value)))
		errx(1, "out of memory");
}

void json_begin(const struct machine *m, const struct plan *plan)
{
	root = checked(json_object());
	list = checked(json_array());
	add(root, "version", json_string(BENCH_VERSION));
	add(root, "module_srcversion", json_string(m->module));
	add(root, "date", json_string(m->date));
	add(root, "kernel", json_string(m->kernel.release));
	add(root, "kernel_build", json_string(m->kernel.version));
	add(root, "arch", json_string(m->kernel.machine));
	add(root, "cpus", json_integer(m->cpus));
	add(root, "processor", json_string(m->processor));
	add(root, "virtualization", json_string(m->virtualization));
	add(root, "pairs", json_integer(plan->pairs));
	add(root, "run_seconds", json_real(plan->seconds));
	add(root, "comparisons", list);
}

/* The raw seconds: whoever doubts the summary can make his own. */
static json_t *samples(const struct comparison *c)
{
	json_t *array = checked(json_array()), *one;
	const struct pair *pair;

	for (pair = c->pair; pair < c->pair + c->pairs; pair++) {
		one = checked(json_object());
		add(one, "amount", json_integer(pair->amount));
		if (c->row->ours)
			add(one, "ours_seconds", json_real(pair->ours));
		add(one, "peer_seconds", json_real(pair->peer));
		append(array, one);
	}
	return array;
}

static json_t *spread(const struct spread *s)
{
	json_t *object = checked(json_object());

	add(object, "median", json_real(s->median));
	add(object, "lowest", json_real(s->lowest));
	add(object, "highest", json_real(s->highest));
	return object;
}

/* "sure" is a part of the verdict, not of the goal: see is_sure(). */
static json_t *goal(const struct comparison *c)
{
	json_t *object;

	if (!c->rival->goal)
		return json_null();
	object = checked(json_object());
	add(object, "must_be", json_string(c->row->unit == MB_PER_S ?
					   "at least" : "at most"));
	add(object, "ratio", json_real(c->rival->goal));
	add(object, "holds", json_boolean(holds(c)));
	add(object, "missed_by", json_real(holds(c) ? 0 : missed_by(c)));
	add(object, "sure", json_boolean(is_sure(c)));
	return object;
}

/* In a row without ours, nothing is said of it: no zeros that mean nothing. */
void json_add(const struct comparison *c)
{
	const struct setting *setting = &c->row->setting;
	json_t *entry = checked(json_object());

	add(entry, "row", json_string(c->row->name));
	add(entry, "title", json_string(c->row->title));
	add(entry, "cpus", json_integer(setting->cpus));
	add(entry, "bytes", json_integer(setting->bytes));
	add(entry, "capacity_bytes", json_integer(setting->capacity));
	add(entry, "messages_waiting", json_integer(setting->others));
	add(entry, "unit", json_string(unit_name(c->row->unit)));
	add(entry, "peer", json_string(c->rival->peer->name));
	add(entry, "peer_result", spread(&c->peer));
	if (c->row->ours) {
		add(entry, "ours", json_string(c->row->ours->name));
		add(entry, "ours_result", spread(&c->ours));
		add(entry, "ratio", spread(&c->ratio));
		add(entry, "goal", goal(c));
	}
	add(entry, "samples", samples(c));
	append(list, entry);
}

/* Nine digits: no clock has more, and the file stays readable. */
void json_end(FILE *file, const char *name)
{
	if (json_dumpf(root, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) ||
	    fputc('\n', file) == EOF || fclose(file))
		err(1, "%s", name);
	json_decref(root);
}
