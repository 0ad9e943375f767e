/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How far a long copy is: bytes, rate, and the time left if the size is known.
 *
 * On a terminal one line is rewritten; elsewhere there is a line a second.
 */
#ifndef IPCX_PROGRESS_H
#define IPCX_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Nobody waits longer for a sign of life. */
#define PROGRESS_NS	250000000ULL

struct progress {
	uint64_t total;
	uint64_t begun_ns;
	uint64_t shown_ns;
	bool terminal;
};

void progress_begin(struct progress *progress, uint64_t total);
void progress_tick(struct progress *progress, uint64_t done);
void progress_end(struct progress *progress, uint64_t done);

#endif /* IPCX_PROGRESS_H */
