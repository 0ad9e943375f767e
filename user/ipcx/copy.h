/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copying between a file and a pipe, with progress.
 */
#ifndef IPCX_COPY_H
#define IPCX_COPY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * struct end - where data comes from, or goes to
 * @pipe: it is an object of ours, not a file
 */
struct end {
	int fd;
	bool pipe;
};

/*
 * struct copy - one copy
 * @total:    how much there is to copy, 0 if that isn't known
 * @progress: tell how far it is on standard error
 * @done:     out: how much was copied
 * @failed:   out: the end that the error came from
 */
struct copy {
	struct end from;
	struct end to;
	uint64_t total;
	bool progress;

	uint64_t done;
	const struct end *failed;
};

int copy_run(struct copy *copy);

#endif /* IPCX_COPY_H */
