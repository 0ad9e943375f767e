// SPDX-License-Identifier: GPL-2.0
/*
 * A crowd: many processes that do the same at the same time, on all processors.
 */
#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "calls.h"

/* Begins when the starter has closed @start's other end. */
static void take_part(const struct call_kind *kind, const int start[2], uint64_t amount)
{
	char nothing;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	unpin();
	close(start[1]);
	if (read(start[0], &nothing, 1))
		err(1, "read");
	while (amount--)
		kind->call();
	_exit(0);
}

static pid_t participant(const struct call_kind *kind, const int start[2], uint64_t amount)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid)
		take_part(kind, start, amount);
	return pid;
}

double crowd_seconds(const struct call_kind *kind, unsigned int processes, uint64_t amount)
{
	pid_t *pids = calloc(processes, sizeof(*pids));
	unsigned int i;
	int start[2];
	double begin;

	if (!pids || pipe(start))
		err(1, "pipe");
	for (i = 0; i < processes; i++)
		pids[i] = participant(kind, start, amount / processes + (i < amount % processes));
	close(start[0]);
	begin = now();
	close(start[1]);
	for (i = 0; i < processes; i++)
		partner_end(pids[i]);
	free(pids);
	return now() - begin;
}
