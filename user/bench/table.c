// SPDX-License-Identifier: GPL-2.0
/*
 * The table for people: a line for each comparison, as soon as it is made.
 */
#include <string.h>

#include "bench.h"
#include "version.h"

static int goals, reached;

void table_begin(const struct machine *m, const struct plan *plan)
{
	printf("ipcmod %s on Linux %s, %d CPUs (%s), %s, %s\n", BENCH_VERSION,
	       m->kernel.release, m->cpus, m->virtualization, m->processor, m->date);
	printf("medians of %d interleaved pairs, each run %.0f ms or longer\n\n",
	       plan->pairs, plan->seconds * 1e3);
	printf("%-22s %-14s %9s %9s %-5s %6s  %-14s %-8s %s\n", "row", "peer",
	       "ours", "peer's", "", "ratio", "lowest highest", "goal",
	       "verdict");
}

/* Three digits, as far as they mean something. */
static const char *figure(char text[16], double value)
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(text, 16, "%.*f", decimals, value);
	return text;
}

static void print_verdict(const struct comparison *c)
{
	if (!c->rival->goal)
		return;
	printf(" %s %-5.2f", c->row->unit == MB_PER_S ? ">=" : "<=",
	       c->rival->goal);
	goals++;
	if (holds(c)) {
		reached++;
		printf(" holds");
	} else {
		printf(" misses by %.1f %%", 100 * missed_by(c));
	}
}

void table_add(const struct comparison *c)
{
	char ours[16], peer[16];

	printf("%-22s %-14s %9s %9s %-5s %6.2f  %6.2f %6.2f ", c->row->name,
	       c->rival->peer->name, figure(ours, c->ours),
	       figure(peer, c->peer), c->row->unit == MB_PER_S ? "MB/s" : "us",
	       c->ratio.median, c->ratio.lowest, c->ratio.highest);
	print_verdict(c);
	putchar('\n');
	fflush(stdout);
}

void table_end(void)
{
	if (goals)
		printf("\n%d of %d goals are reached\n", reached, goals);
}
