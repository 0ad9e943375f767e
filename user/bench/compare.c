// SPDX-License-Identifier: GPL-2.0
/*
 * Pairs, medians and verdicts.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static double seconds_of(const struct comparison *c,
			 const struct contender *who)
{
	return who->seconds(who, &c->row->setting, c->amount);
}

/*
 * A channel that is filled and emptied in turns is only measured by many turns.
 * Work without a channel just begins somewhere.
 */
static uint64_t least_amount(const struct setting *setting)
{
	return setting->capacity ? 4 * setting->capacity / setting->bytes + 4 : 16;
}

/* The amount that takes the faster of the two as long as planned. */
static void calibrate(struct comparison *c, double planned)
{
	double ours, peer, seconds;

	c->amount = least_amount(&c->row->setting);
	for (;;) {
		ours = seconds_of(c, c->row->ours);
		peer = seconds_of(c, c->rival->peer);
		seconds = ours < peer ? ours : peer;
		if (seconds >= planned / 4)
			break;
		c->amount *= 4;
	}
	if (seconds < planned)
		c->amount *= planned / seconds;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts a copy: what the samples' order tells is kept. */
static void sorted(double *copy, const double *values, int count)
{
	memcpy(copy, values, count * sizeof(*copy));
	qsort(copy, count, sizeof(*copy), ascending);
}

static double middle(const double *sorted, int count)
{
	return (sorted[count / 2] + sorted[(count - 1) / 2]) / 2;
}

static double median(const double *values, int count)
{
	double copy[MAX_PAIRS];

	sorted(copy, values, count);
	return middle(copy, count);
}

double in_unit(const struct comparison *c, double seconds)
{
	if (c->row->unit == MB_PER_S)
		return c->amount * c->row->setting.bytes / seconds / 1e6;
	return seconds / c->amount * 1e6;
}

static void summarize(struct comparison *c)
{
	double ratios[MAX_PAIRS], in_order[MAX_PAIRS];
	int i;

	for (i = 0; i < c->pairs; i++)
		ratios[i] = in_unit(c, c->seconds[0][i]) /
			    in_unit(c, c->seconds[1][i]);
	sorted(in_order, ratios, c->pairs);
	c->ratio.median = middle(in_order, c->pairs);
	c->ratio.lowest = in_order[0];
	c->ratio.highest = in_order[c->pairs - 1];
	c->ours = in_unit(c, median(c->seconds[0], c->pairs));
	c->peer = in_unit(c, median(c->seconds[1], c->pairs));
}

void compare(struct comparison *c, const struct plan *plan)
{
	int i;

	calibrate(c, plan->seconds);
	c->pairs = plan->pairs;
	for (i = 0; i < plan->pairs; i++) {
		c->seconds[0][i] = seconds_of(c, c->row->ours);
		c->seconds[1][i] = seconds_of(c, c->rival->peer);
	}
	summarize(c);
}

/* By how much of the goal it is missed; not more than 0 if it holds. */
double missed_by(const struct comparison *c)
{
	double part = c->ratio.median / c->rival->goal;

	return c->row->unit == MB_PER_S ? 1 - part : part - 1;
}

bool holds(const struct comparison *c)
{
	return missed_by(c) <= 0;
}
