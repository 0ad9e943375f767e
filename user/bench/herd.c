// SPDX-License-Identifier: GPL-2.0
/*
 * Many processes asleep until something comes through one channel: what it costs to
 * wake one of them and to hear from him through another channel, and that it is one.
 *
 * It is always the one who has waited longest. So of many, each is another process than
 * the last: switching to it has its part in the cost.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define CAPACITY	(64 << 10)

/* What a receiver is told to end with; all else is a number of a message. */
#define THE_END		0

/*
 * Switches that have nothing to do with the work, as when memory is short. One who
 * wakes all the others makes more.
 */
#define STRAY_WAKES	16

/* Of one who was woken by a message. */
#define SLEEPS_EACH	4

/*
 * struct herd - processes that wait for a number and send it back
 * @who:    whose they are
 * @pids:   as many as who->others
 * @ask:    the end that each reads from, and the one to write to
 * @answer: likewise the other way
 */
struct herd {
	const struct contender *who;
	pid_t *pids;
	int ask[2], answer[2];
};

static struct herd herds[4];

static void answer_each(void *arg)
{
	const struct herd *h = arg;
	uint64_t number;

	for (;;) {
		if (read(h->ask[0], &number, sizeof(number)) != sizeof(number))
			err(1, "%s: read", h->who->name);
		if (number == THE_END)
			return;
		if (write(h->answer[1], &number, sizeof(number)) != sizeof(number))
			err(1, "%s: write", h->who->name);
	}
}

static void start_herd(struct herd *h, const struct contender *who, int cpus)
{
	unsigned int i;

	h->who = who;
	h->pids = calloc(who->others, sizeof(*h->pids));
	if (!h->pids)
		errx(1, "out of memory");
	who->open_channel(CAPACITY, h->ask);
	who->open_channel(CAPACITY, h->answer);
	for (i = 0; i < who->others; i++)
		h->pids[i] = partner_start(cpus, answer_each, h);
}

/* Made when it is first asked for, and kept: it takes seconds. */
static struct herd *herd_of(const struct contender *who, int cpus)
{
	struct herd *h;

	for (h = herds; h->who != who; h++) {
		if (h->who)
			continue;
		start_herd(h, who, cpus);
		break;
	}
	return h;
}

static void tell(const struct herd *h, uint64_t number)
{
	if (write(h->ask[1], &number, sizeof(number)) != sizeof(number))
		err(1, "%s: write", h->who->name);
}

void herds_end(void)
{
	struct herd *h;
	unsigned int i;

	for (h = herds; h < herds + ARRAY_SIZE(herds) && h->who; h++) {
		for (i = 0; i < h->who->others; i++)
			tell(h, THE_END);
		for (i = 0; i < h->who->others; i++)
			partner_end(h->pids[i]);
	}
}

/* How often a process has gone to sleep by itself; *asleep: it is now. */
static uint64_t sleeps_of(pid_t pid, bool *asleep)
{
	static const char state[] = "State:\t", switches[] = "voluntary_ctxt_switches:\t";
	uint64_t sleeps = 0;
	char line[256];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/status", pid);
	file = fopen(line, "r");
	if (!file)
		err(1, "%s", line);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, state, strlen(state)))
			*asleep = line[strlen(state)] == 'S';
		if (!strncmp(line, switches, strlen(switches)))
			sleeps = strtoull(line + strlen(switches), NULL, 10);
	}
	fclose(file);
	return sleeps;
}

/* Of all of them, once they all sleep. */
static uint64_t sleeps_of_all(const struct herd *h)
{
	uint64_t sum = 0, sleeps;
	bool asleep = false;
	unsigned int i;

	for (i = 0; i < h->who->others; i++) {
		sleeps = sleeps_of(h->pids[i], &asleep);
		while (!asleep) {
			usleep(1000);
			sleeps = sleeps_of(h->pids[i], &asleep);
		}
		sum += sleeps;
	}
	return sum;
}

static double ask_herd(const struct herd *h, uint64_t amount)
{
	double begin = now();
	uint64_t i, number;

	for (i = 1; i <= amount; i++) {
		tell(h, i);
		if (read(h->answer[0], &number, sizeof(number)) != sizeof(number))
			err(1, "%s: read", h->who->name);
		if (number != i)
			errx(1, "%s: what came back is not what was sent", h->who->name);
	}
	return now() - begin;
}

/*
 * Each message wakes one, who goes to sleep again; on a real-time kernel also where he finds
 * a lock taken, a few times. A herd would be a thousand.
 */
static double wake_seconds(const struct contender *me, const struct setting *setting,
			   uint64_t amount)
{
	struct herd *h = herd_of(me, setting->cpus);
	uint64_t before = sleeps_of_all(h), sleeps;
	double seconds;

	pin_here();
	seconds = ask_herd(h, amount);
	sleeps = sleeps_of_all(h) - before;
	if (sleeps > SLEEPS_EACH * amount + STRAY_WAKES)
		errx(1, "%s: %llu messages woke %llu times", me->name,
		     (unsigned long long)amount, (unsigned long long)sleeps);
	return seconds;
}

#define WAKE(who, what, number, channel)		\
	const struct contender who = {			\
		.name = what,				\
		.seconds = wake_seconds,		\
		.others = number,			\
		.open_channel = channel,		\
	}

WAKE(wake_1, "one asleep", 1, channel_queue);
WAKE(wake_1000, "ipcx queue", 1000, channel_queue);
WAKE(wake_1000_pipe, "pipe(2)", 1000, channel_pipe);
