// SPDX-License-Identifier: GPL-2.0
/*
 * Two processes for one piece of work, each on its processor.
 */
#include <err.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* The first two that this process may use: taskset(1) chooses others. */
static int processors[2];
static int nr_processors;
static cpu_set_t usable;

void processors_find(void)
{
	int cpu;

	if (sched_getaffinity(0, sizeof(usable), &usable))
		err(1, "sched_getaffinity");
	for (cpu = 0; cpu < CPU_SETSIZE && nr_processors < 2; cpu++)
		if (CPU_ISSET(cpu, &usable))
			processors[nr_processors++] = cpu;
}

int processors_usable(void)
{
	return nr_processors;
}

static void pin(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		err(1, "sched_setaffinity");
}

void pin_here(void)
{
	pin(processors[0]);
}

/* On all that this process could use when it began. */
void unpin(void)
{
	if (sched_setaffinity(0, sizeof(usable), &usable))
		err(1, "sched_setaffinity");
}

/*
 * A partner who fails has said why. Whoever waits for his message would wait for
 * ever, so the program ends here.
 */
static void partner_died(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (info->si_code != CLD_EXITED || info->si_status)
		_exit(1);
}

/*
 * The caller does his part on the first processor. @work is the partner's; it gets
 * no signal to begin, since what it does needs the caller's part anyway.
 */
pid_t partner_start(int cpus, void (*work)(void *arg), void *arg)
{
	struct sigaction action = {
		.sa_sigaction = partner_died,
		.sa_flags = SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP,
	};
	pid_t parent = getpid(), pid;

	if (sigaction(SIGCHLD, &action, NULL))
		err(1, "sigaction");
	pin_here();
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	pin(processors[cpus - 1]);
	work(arg);
	_exit(0);
}

void partner_end(pid_t partner)
{
	int status;

	if (waitpid(partner, &status, 0) != partner || status)
		errx(1, "the other process failed");
}

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}
