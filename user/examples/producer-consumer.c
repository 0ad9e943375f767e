// SPDX-License-Identifier: GPL-2.0
/*
 * The bounded buffer: producers and consumers over one queue.
 *
 *	producer-consumer [ITEMS]
 *
 * The queue is the buffer. It holds SLOTS items, so a producer who is too fast waits for
 * a slot and a consumer who is too fast waits for an item; there is nothing to lock
 * and nothing to count. Each item goes to one consumer.
 */
#include <err.h>
#include <inttypes.h>
#include <ipcx.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS		8
#define PRODUCERS	2
#define CONSUMERS	3

/* What a consumer has had, which he tells at the end. */
struct result {
	uint64_t items;
	uint64_t sum;
};

static int new_queue(int dev, uint64_t max_msgs)
{
	struct ipcx_queue_params limits = { .max_msgs = max_msgs };
	int fd = ipcx_queue_create(dev, NULL, IPCX_ACCESS_RDWR, &limits, NULL);

	if (fd < 0)
		errx(1, "a queue: %s", strerror(-fd));
	return fd;
}

/* A write(2) is one message, and waits while the queue is full. */
static void send_item(int queue, uint64_t item)
{
	if (write(queue, &item, sizeof(item)) != sizeof(item))
		err(1, "send");
}

/* Every PRODUCERS-th number from @first on. */
static void produce(int queue, uint64_t first, uint64_t last)
{
	for (; first <= last; first += PRODUCERS)
		send_item(queue, first);
}

/* A queue has no end of file: item 0 means that there are no more, and is sent to each. */
static void consume(int queue, int results)
{
	struct result result = { 0, 0 };
	uint64_t item;

	for (;;) {
		if (read(queue, &item, sizeof(item)) != sizeof(item))
			err(1, "receive");
		if (!item)
			break;
		result.items++;
		result.sum += item;
	}
	if (write(results, &result, sizeof(result)) != sizeof(result))
		err(1, "result");
}

/* The kernel says whose a message is: its sender can't. */
static uint64_t print_results(int results)
{
	struct result result;
	struct ipcx_msg msg = { .buf = (uintptr_t)&result, .room = sizeof(result) };
	uint64_t items = 0, sum = 0;

	while (ipcx_queue_recv(results, &msg, 1, NULL, IPCX_NONBLOCK, NULL) == 1) {
		printf("consumer %d: %" PRIu64 " items\n", msg.pid, result.items);
		items += result.items;
		sum += result.sum;
	}
	printf("%" PRIu64 " items, sum %" PRIu64 "\n", items, sum);
	return items;
}

static pid_t start(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	return pid;
}

static void wait_for(const pid_t *pids, int count)
{
	int status;

	for (; count--; pids++)
		if (waitpid(*pids, &status, 0) < 0 || status)
			errx(1, "process %d has failed", *pids);
}

int main(int argc, char **argv)
{
	uint64_t items = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
	pid_t producers[PRODUCERS], consumers[CONSUMERS];
	int dev = ipcx_device(), queue, results, i;

	if (dev < 0)
		errx(1, "/dev/ipcx: %s", strerror(-dev));
	queue = new_queue(dev, SLOTS);
	results = new_queue(dev, CONSUMERS);
	for (i = 0; i < CONSUMERS; i++) {
		consumers[i] = start();
		if (!consumers[i]) {
			consume(queue, results);
			_exit(0);
		}
	}
	for (i = 0; i < PRODUCERS; i++) {
		producers[i] = start();
		if (!producers[i]) {
			produce(queue, i + 1, items);
			_exit(0);
		}
	}
	/* When all items are in the queue, the ends come behind them. */
	wait_for(producers, PRODUCERS);
	for (i = 0; i < CONSUMERS; i++)
		send_item(queue, 0);
	wait_for(consumers, CONSUMERS);
	return print_results(results) != items;
}
