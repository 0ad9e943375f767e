// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs with priorities, done by workers who may be killed at any time.
 *
 *	jobs [JOBS [KILLS]]
 *
 * Three queues: jobs, what workers have in hand, and results. The type of a job is its
 * priority and, below that, its number: so a range selects the most urgent, and each
 * job can be received by itself. A worker
 *
 *	1. peeks at the most urgent job, which stays where it is
 *	2. sends a note with the job to "in hand"; its type is his pid
 *	3. receives just this job; if another was quicker, takes his note back and begins anew
 *	4. works, and sends the result
 *	5. takes his note back
 *
 * A job is thus always in "jobs", or noted, or its result is sent. When a worker has died,
 * the supervisor looks at his note, and for its job in this order: in "jobs", among the
 * notes of others, among the results. That is the way a job takes, so if it is nowhere, the
 * dead worker had it, and it is sent again.
 *
 * What is guaranteed while the supervisor lives: no job is lost, and each has one
 * result. What is not, and can't be: a worker who is killed between his work and step 4
 * has done it, and it is done again. So work must bear being done twice.
 */
#include <err.h>
#include <errno.h>
#include <ipcx.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS		3
#define PRIORITIES	3
#define JOB(priority, number)	((uint64_t)(priority) << 32 | (number))
#define NUMBER(job)	((uint32_t)(job))

static int jobs, in_hand, results;
static bool *has_result;	/* by number */
static int sent_again;

static int checked(int ret, const char *what)
{
	if (ret < 0)
		errx(1, "%s: %s", what, strerror(-ret));
	return ret;
}

static void put(int queue, uint64_t type, uint64_t job)
{
	struct ipcx_msg msg = { .type = type, .buf = (uintptr_t)&job, .len = sizeof(job) };

	checked(ipcx_queue_send(queue, &msg, 1, 0, NULL), "send");
}

/* Receive a job or look at it, without waiting; 0 if there is none. */
static uint64_t get(int queue, struct ipcx_select select, bool peek)
{
	uint64_t job;
	struct ipcx_msg msg = { .buf = (uintptr_t)&job, .room = sizeof(job) };
	int ret = peek ? ipcx_queue_peek(queue, &msg, 1, &select, 0, 0) :
			 ipcx_queue_recv(queue, &msg, 1, &select, IPCX_NONBLOCK, NULL);

	return ret == -EAGAIN ? 0 : checked(ret, "receive") ? job : 0;
}

static void work(void)
{
	struct ipcx_select urgent = ipcx_select_range(1, JOB(PRIORITIES, UINT32_MAX));
	struct pollfd pollfd = { .fd = jobs, .events = POLLIN };
	pid_t me = getpid();
	uint64_t job;

	while (poll(&pollfd, 1, -1) == 1) {
		job = get(jobs, urgent, true);
		if (!job)
			continue;
		put(in_hand, me, job);
		if (get(jobs, ipcx_select_exact(job), false)) {
			usleep(1000 * (NUMBER(job) % 4));	/* the work */
			put(results, job, job);
		}
		get(in_hand, ipcx_select_exact(me), false);
	}
}

static pid_t start_worker(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work();
		_exit(1);
	}
	return pid;
}

/* All results that there are; wait for the first for a moment. Return their number. */
static int take_results(void)
{
	struct ipcx_deadline soon = ipcx_deadline_after(5000000);
	uint64_t job;
	struct ipcx_msg msg = { .buf = (uintptr_t)&job, .room = sizeof(job) };
	int count;

	for (count = 0; ipcx_queue_recv(results, &msg, 1, NULL, count ? IPCX_NONBLOCK : 0,
					&soon) == 1; count++) {
		printf("job %u, priority %u: done by %d\n", NUMBER(job),
		       (unsigned int)(job >> 32), msg.pid);
		if (has_result[NUMBER(job)])
			errx(1, "job %u has two results", NUMBER(job));
		has_result[NUMBER(job)] = true;
	}
	return count;
}

/* All notes are peeked at in one call: one by one, those behind a lost one would move. */
static bool is_noted(uint64_t job)
{
	struct ipcx_select any = ipcx_select_any();
	struct ipcx_msg msgs[WORKERS];
	uint64_t found[WORKERS];
	int i, count;

	for (i = 0; i < WORKERS; i++)
		msgs[i] = (struct ipcx_msg) { .buf = (uintptr_t)&found[i], .room = sizeof(job) };
	count = ipcx_queue_peek(in_hand, msgs, WORKERS, &any, 0, 0);
	for (i = 0; i < count; i++)
		if (found[i] == job)
			return true;
	return false;
}

/* What a dead worker had in hand. Return how many results were taken meanwhile. */
static int recover(pid_t worker)
{
	uint64_t job = get(in_hand, ipcx_select_exact(worker), false);
	int count;

	if (!job || get(jobs, ipcx_select_exact(job), true) || is_noted(job))
		return 0;
	count = take_results();
	if (!has_result[NUMBER(job)]) {
		put(jobs, job, job);
		sent_again++;
	}
	return count;
}

/* Killing workers is no part of the design, but what it must bear. */
static void supervise(int left, int kills)
{
	pid_t workers[WORKERS];
	int i, killed = 0;

	for (i = 0; i < WORKERS; i++)
		workers[i] = start_worker();
	while ((left -= take_results()) > 0) {
		i = rand() % WORKERS;
		usleep(rand() % 3000);
		if (killed < kills && !kill(workers[i], SIGKILL))
			killed++;
		for (i = 0; i < WORKERS; i++) {
			if (!waitpid(workers[i], NULL, WNOHANG))
				continue;
			left -= recover(workers[i]);
			workers[i] = start_worker();
		}
	}
	/* All results are there, so this is as good an end as any. */
	for (i = 0; i < WORKERS; i++)
		kill(workers[i], SIGKILL);
	printf("%d workers killed, %d jobs sent again\n", killed, sent_again);
}

static int new_queue(int dev, uint64_t max_msgs)
{
	struct ipcx_queue_params limits = { .max_msgs = max_msgs };

	return checked(ipcx_queue_create(dev, NULL, IPCX_ACCESS_RDWR, &limits, NULL),
		       "a queue");
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 30;
	int kills = argc > 2 ? atoi(argv[2]) : 5;
	int dev = checked(ipcx_device(), "/dev/ipcx"), i;

	/* The supervisor must never wait for space: its workers may wait for him. */
	jobs = new_queue(dev, count + WORKERS);
	in_hand = new_queue(dev, WORKERS);
	results = new_queue(dev, count + WORKERS);
	has_result = calloc(count + 1, sizeof(*has_result));
	if (!has_result)
		errx(1, "out of memory");
	for (i = 1; i <= count; i++)
		put(jobs, JOB(1 + i % PRIORITIES, i), JOB(1 + i % PRIORITIES, i));
	supervise(count, kills);
	return 0;
}
