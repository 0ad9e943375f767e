// SPDX-License-Identifier: GPL-2.0
/*
 * A relay between two queues, with a memory of its own: the loop around a select that
 * programs in Go are made of.
 *
 *	select-loop [NUMBERS]
 *
 * A producer sends numbers into one queue, which holds two, and a consumer receives them from
 * another, which holds two as well; both pause now and then. Between them the relay does what
 * can be done next: it receives a number while it has room for it, sends the oldest that it
 * has, counts ticks, or learns that it is to stop. Each turn does one of these, and what can't
 * be of use now is just not among the cases.
 */
#include <err.h>
#include <errno.h>
#include <ipcx.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOM		16

/* The semaphores of the relay's set. */
enum { TICK, STOP, SEMAPHORES };

struct relay {
	int in;
	int out;
	int set;
	unsigned int have;	/* numbers in @numbers, the oldest first */
	unsigned int numbers[ROOM];
	unsigned int relayed;
	unsigned int most;
	unsigned int ticks;
};

static int check(int ret, const char *what)
{
	if (ret < 0)
		errx(1, "%s: %s", what, strerror(-ret));
	return ret;
}

static void nap(long ns)
{
	struct timespec time = { .tv_nsec = ns };

	nanosleep(&time, NULL);
}

static void produce(int queue, unsigned int count)
{
	unsigned int i;

	for (i = 1; i <= count; i++) {
		if (write(queue, &i, sizeof(i)) != sizeof(i))
			err(1, "producer");
		if (i % 20 == 0)
			nap(2000000);
	}
}

static void consume(int queue, unsigned int count)
{
	unsigned int i, n, last = 0;
	unsigned long sum = 0;

	for (i = 0; i < count; i++) {
		if (read(queue, &n, sizeof(n)) != sizeof(n))
			err(1, "consumer");
		if (n != last + 1)
			errx(1, "%u came after %u", n, last);
		last = n;
		sum += n;
		if (i % 30 == 0)
			nap(2000000);
	}
	printf("%u numbers in order, sum %lu\n", count, sum);
	fflush(stdout);
}

static void tick(int set)
{
	for (;;) {
		nap(1000000);
		if (ipcx_sem_up(set, TICK, 1, 0))
			exit(0);
	}
}

/* One turn; false when it is told to stop. */
static int relay_turn(struct relay *r)
{
	static const struct ipcx_sem_op take[SEMAPHORES] = {
		{ .index = TICK, .delta = -1 }, { .index = STOP, .delta = -1 },
	};
	enum { RECEIVED, SENT, TICKED, STOPPED } meaning[4];
	union ipcx_case_arg args[4];
	struct ipcx_case cases[4];
	unsigned int n = 0, which;

	if (r->have < ROOM) {
		meaning[n] = RECEIVED;
		cases[n] = ipcx_case_read(r->in, &args[n], &r->numbers[r->have],
					  sizeof(*r->numbers));
		n++;
	}
	if (r->have) {
		meaning[n] = SENT;
		cases[n] = ipcx_case_write(r->out, &args[n], &r->numbers[0],
					   sizeof(*r->numbers));
		n++;
	}
	meaning[n] = TICKED;
	cases[n] = ipcx_case_sem(r->set, &args[n], &take[TICK], 1);
	n++;
	meaning[n] = STOPPED;
	cases[n] = ipcx_case_sem(r->set, &args[n], &take[STOP], 1);
	n++;

	check(ipcx_select(cases, n, 0, NULL, &which), "select");
	switch (meaning[which]) {
	case RECEIVED:
		r->have++;
		if (r->have > r->most)
			r->most = r->have;
		break;
	case SENT:
		r->have--;
		memmove(&r->numbers[0], &r->numbers[1], r->have * sizeof(*r->numbers));
		r->relayed++;
		break;
	case TICKED:
		r->ticks++;
		break;
	case STOPPED:
		return 0;
	}
	return 1;
}

static void relay(struct relay *r)
{
	while (relay_turn(r))
		;
	fprintf(stderr, "relay: %u relayed, %u at most at once, %u ticks\n", r->relayed,
		r->most, r->ticks);
}

static pid_t start(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	return pid;
}

static void finish(pid_t pid, const char *who)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "the %s failed", who);
}

int main(int argc, char **argv)
{
	const struct ipcx_queue_params two = { .max_msgs = 2 };
	const struct ipcx_sem_params sems = { .count = SEMAPHORES };
	unsigned int count = argc > 1 ? atoi(argv[1]) : 300;
	struct relay r = { 0 };
	pid_t producer, consumer, ticker, relayer;
	int dev = ipcx_device();

	check(dev, "/dev/ipcx");
	r.in = check(ipcx_queue_create(dev, NULL, IPCX_ACCESS_RDWR, &two, NULL), "a queue");
	r.out = check(ipcx_queue_create(dev, NULL, IPCX_ACCESS_RDWR, &two, NULL), "a queue");
	r.set = check(ipcx_sem_create(dev, NULL, IPCX_ACCESS_RDWR, &sems, NULL), "a set");

	relayer = start();
	if (!relayer) {
		relay(&r);
		return 0;
	}
	ticker = start();
	if (!ticker)
		tick(r.set);
	consumer = start();
	if (!consumer) {
		consume(r.out, count);
		return 0;
	}
	producer = start();
	if (!producer) {
		produce(r.in, count);
		return 0;
	}
	finish(producer, "producer");
	finish(consumer, "consumer");
	check(ipcx_sem_up(r.set, STOP, 1, 0), "stop");
	finish(relayer, "relay");
	/* This ends the ticker, too. */
	check(ipcx_remove_fd(r.set), "the set");
	finish(ticker, "ticker");
	return 0;
}
