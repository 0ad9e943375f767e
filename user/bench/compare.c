// SPDX-License-Identifier: GPL-2.0
/*
 * Pairs, medians and verdicts.
 */
#include <stdlib.h>

#include "bench.h"

/* A run that was too short tells little about how much longer it must be. */
#define MAX_GROWTH	4

static double seconds_of(const struct comparison *c,
			 const struct contender *who, uint64_t amount)
{
	return who->seconds(who, &c->row->setting, amount);
}

static struct pair measure_pair(const struct comparison *c, uint64_t amount)
{
	struct pair pair = { .amount = amount };

	if (c->row->ours)
		pair.ours = seconds_of(c, c->row->ours, amount);
	pair.peer = seconds_of(c, c->rival->peer, amount);
	return pair;
}

static double faster(const struct comparison *c, const struct pair *pair)
{
	return c->row->ours && pair->ours < pair->peer ? pair->ours : pair->peer;
}

/*
 * A channel that is filled and emptied in turns is only measured by many turns.
 * Work without a channel just begins somewhere.
 */
static uint64_t least_amount(const struct setting *setting)
{
	return setting->capacity ? 4 * setting->capacity / setting->bytes + 4 : 1;
}

/*
 * The amount that would have taken the faster of the two as long as planned. A
 * machine may be slowed down, or sped up, at any time.
 */
static uint64_t fitting_amount(const struct comparison *c,
			       const struct pair *pair, double planned)
{
	double factor = planned / faster(c, pair);
	uint64_t least = least_amount(&c->row->setting), amount;

	amount = pair->amount * (factor < MAX_GROWTH ? factor : MAX_GROWTH);
	return amount < least ? least : amount;
}

static struct pair calibrate(const struct comparison *c, double planned)
{
	struct pair pair = { .amount = least_amount(&c->row->setting) };

	for (;;) {
		pair = measure_pair(c, pair.amount);
		if (faster(c, &pair) >= planned / MAX_GROWTH)
			return pair;
		pair.amount = fitting_amount(c, &pair, planned);
	}
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct spread spread_of(double *values, int count)
{
	qsort(values, count, sizeof(*values), ascending);
	return (struct spread) {
		.median = (values[count / 2] + values[(count - 1) / 2]) / 2,
		.lowest = values[0],
		.highest = values[count - 1],
	};
}

const char *unit_name(enum unit unit)
{
	return unit == MB_PER_S ? "MB/s" : "us";
}

static double in_unit(const struct comparison *c, const struct pair *pair,
		      double seconds)
{
	if (c->row->unit == MB_PER_S)
		return pair->amount * c->row->setting.bytes / seconds / 1e6;
	return seconds / pair->amount * 1e6;
}

static double ratio_of(const struct comparison *c, const struct pair *pair)
{
	return in_unit(c, pair, pair->ours) / in_unit(c, pair, pair->peer);
}

static void summarize(struct comparison *c)
{
	double ours[MAX_PAIRS], peer[MAX_PAIRS], ratio[MAX_PAIRS];
	const struct pair *pair;
	int i;

	for (i = 0; i < c->pairs; i++) {
		pair = &c->pair[i];
		ours[i] = in_unit(c, pair, pair->ours);
		peer[i] = in_unit(c, pair, pair->peer);
		ratio[i] = ratio_of(c, pair);
	}
	c->ours = spread_of(ours, c->pairs);
	c->peer = spread_of(peer, c->pairs);
	c->ratio = spread_of(ratio, c->pairs);
}

void compare(struct comparison *c, const struct plan *plan)
{
	struct pair last = calibrate(c, plan->seconds);

	for (c->pairs = 0; c->pairs < plan->pairs; c->pairs++) {
		last = measure_pair(c, fitting_amount(c, &last, plan->seconds));
		c->pair[c->pairs] = last;
	}
	summarize(c);
}

static double part_of_goal(const struct comparison *c, double ratio)
{
	double part = ratio / c->rival->goal;

	return c->row->unit == MB_PER_S ? part : 1 / part;
}

bool holds(const struct comparison *c)
{
	return part_of_goal(c, c->ratio.median) >= 1;
}

/* By how much of the goal it is missed. */
double missed_by(const struct comparison *c)
{
	double part = part_of_goal(c, c->ratio.median);

	return c->row->unit == MB_PER_S ? 1 - part : 1 / part - 1;
}

/*
 * Would another run say the same? The sign test: if the true median were just the
 * goal, each pair would be on either side by the toss of a coin. So few on the
 * wrong side as here must then be rarer than once in twenty runs.
 */
bool is_sure(const struct comparison *c)
{
	double ways = 2, chance = 0;
	int i, wrong = 0;

	for (i = 0; i < c->pairs; i++) {
		double part = part_of_goal(c, ratio_of(c, &c->pair[i]));

		wrong += (part >= 1) != holds(c);
		ways /= 2;
	}
	for (i = 0; i <= wrong; i++) {
		chance += ways;
		ways *= (double)(c->pairs - i) / (i + 1);
	}
	return chance < 0.05;
}
