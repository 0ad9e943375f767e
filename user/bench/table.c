// SPDX-License-Identifier: GPL-2.0
/*
 * The table for people: a line for each comparison, as soon as it is made.
 */
#include <string.h>

#include "bench.h"
#include "version.h"

/* Of the comparisons so far, for the last line. */
static int goals, reached;

static const char *at(enum unit unit)
{
	return unit == MB_PER_S ? ">=" : "<=";
}

static const char *size(char text[24], size_t bytes)
{
	if (!bytes)
		return "";
	if (bytes >= 1 << 20)
		snprintf(text, 24, "%zu MiB", bytes >> 20);
	else if (bytes >= 1 << 10)
		snprintf(text, 24, "%zu KiB", bytes >> 10);
	else
		snprintf(text, 24, "%zu B", bytes);
	return text;
}

/* One line of --list. */
static void describe_row(const struct row *row)
{
	const struct rival *rival;
	char text[24];

	printf("%-20s %4d ", row->name, row->setting.cpus);
	printf("%8s ", size(text, row->setting.bytes));
	printf("%8s  %s", size(text, row->setting.capacity), row->title);
	for (rival = row->rivals; rival->peer; rival++)
		if (rival->goal)
			printf(", %s %.2f of %s", at(row->unit), rival->goal,
			       rival->peer->name);
	putchar('\n');
}

void table_of_rows(void)
{
	size_t i;

	printf("%-20s %4s %8s %8s  %s\n", "row", "CPUs", "a piece", "capacity",
	       "what, and what must be reached");
	for (i = 0; i < nr_rows; i++)
		describe_row(&rows[i]);
}

/* The widths fit the longest names there are: lines appear before all are known. */
void table_begin(const struct machine *m, const struct plan *plan)
{
	printf("ipcmod %s on Linux %s, %d CPUs (%s), %s, %s\n", BENCH_VERSION,
	       m->kernel.release, m->cpus, m->virtualization, m->processor, m->date);
	printf("medians of %d interleaved pairs, each run %.0f ms or longer\n\n",
	       plan->pairs, plan->seconds * 1e3);
	printf("%-20s %-16s %8s %8s %-4s %7s %7s %7s  %-8s%s\n", "row", "peer",
	       "ours", "peer's", "", "ratio", "lowest", "highest", "goal",
	       "verdict");
	fflush(stdout);
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
	printf(" %s %-4.2f ", at(c->row->unit), c->rival->goal);
	goals++;
	if (holds(c)) {
		reached++;
		printf("holds");
	} else {
		printf("misses by %.1f %%", 100 * missed_by(c));
	}
	if (!is_sure(c))
		printf(", unsure");
}

static void print_ratio(const struct spread *ratio)
{
	printf("%7.2f %7.2f %7.2f ", ratio->median, ratio->lowest,
	       ratio->highest);
}

/* Shown at once: a whole run takes minutes. */
void table_add(const struct comparison *c)
{
	char text[16];

	printf("%-20s %-16s %8s ", c->row->name, c->rival->peer->name,
	       c->row->ours ? figure(text, c->ours.median) : "-");
	printf("%8s %-4s ", figure(text, c->peer.median),
	       unit_name(c->row->unit));
	if (c->row->ours)
		print_ratio(&c->ratio);
	if (c->rival->goal)
		print_verdict(c);
	putchar('\n');
	fflush(stdout);
}

void table_end(void)
{
	if (goals)
		printf("\n%d of %d goals are reached\n", reached, goals);
}
