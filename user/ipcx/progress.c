// SPDX-License-Identifier: GPL-2.0
/*
 * How far a long copy is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"
#include "words.h"

#define SECOND_NS	1000000000ULL

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

void progress_begin(struct progress *progress, uint64_t total)
{
	progress->total = total;
	progress->begun_ns = now_ns();
	progress->shown_ns = progress->begun_ns;
	progress->terminal = isatty(STDERR_FILENO);
}

static char *duration_words(uint64_t seconds)
{
	if (seconds >= 3600)
		return format("%" PRIu64 ":%02u:%02u", seconds / 3600,
			      (unsigned int)(seconds / 60 % 60),
			      (unsigned int)(seconds % 60));
	return format("%u:%02u", (unsigned int)(seconds / 60),
		      (unsigned int)(seconds % 60));
}

/* The mean rate since the beginning: steady, so that the time left is too. */
static char *left_words(const struct progress *progress, uint64_t done,
			double rate)
{
	char *duration, *text;

	if (!progress->total)
		return format("%s", "");
	if (done > progress->total || rate < 1)
		return format("  %d%%", done ? 99 : 0);
	duration = duration_words((progress->total - done) / rate);
	text = format("  %u%%  %s left",
		      (unsigned int)(100.0 * done / progress->total), duration);
	free(duration);
	return text;
}

static void show(const struct progress *progress, uint64_t done, uint64_t now,
		 const char *end)
{
	double seconds = (now - progress->begun_ns) / (double)SECOND_NS;
	double rate = seconds > 0 ? done / seconds : 0;
	char *bytes = size_words(done), *speed = size_words(rate);
	char *elapsed = duration_words(seconds);
	char *left = left_words(progress, done, rate);

	fprintf(stderr, "%s%s  %s/s  %s%s%s%s", progress->terminal ? "\r" : "",
		bytes, speed, elapsed, left,
		progress->terminal ? "\033[K" : "", end);
	free(bytes);
	free(speed);
	free(elapsed);
	free(left);
}

void progress_tick(struct progress *progress, uint64_t done)
{
	uint64_t now;

	if (!progress)
		return;
	now = now_ns();
	if (now - progress->shown_ns <
	    (progress->terminal ? PROGRESS_NS : SECOND_NS))
		return;
	show(progress, done, now, progress->terminal ? "" : "\n");
	progress->shown_ns = now;
}

void progress_end(struct progress *progress, uint64_t done)
{
	show(progress, done, now_ns(), "\n");
}
