// SPDX-License-Identifier: GPL-2.0
/*
 * The bounded buffer with semaphores: a mutex, a count of empty slots and one of full ones.
 *
 *	bounded-buffer [ITEMS]
 *
 * The buffer is memory that all share. Each step takes a count and the mutex in one
 * operation, both or neither, so that in no order can two processes wait for each other, and
 * nobody has the mutex while he waits. (producer-consumer does the same with a queue, which
 * is the buffer itself.)
 */
#include <err.h>
#include <inttypes.h>
#include <ipcx.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS		8
#define PRODUCERS	2
#define CONSUMERS	3

enum { MUTEX, EMPTY, FULL, SEMAPHORES };

struct buffer {
	unsigned int in, out;
	uint64_t items[SLOTS];
	uint64_t consumed, sum;
};

static void operate(int set, const struct ipcx_sem_op *ops, unsigned int count)
{
	int ret = ipcx_sem_op(set, ops, count, 0, NULL);

	if (ret)
		errx(1, "semaphores: %s", strerror(-ret));
}

/* The mutex is given back if the process dies with it; the other counts stay. */
static void enter(int set, unsigned int count)
{
	const struct ipcx_sem_op ops[] = {
		{ .index = count, .delta = -1 },
		{ .index = MUTEX, .delta = -1, .flags = IPCX_SEM_UNDO },
	};

	operate(set, ops, 2);
}

static void leave(int set, unsigned int count)
{
	const struct ipcx_sem_op ops[] = {
		{ .index = MUTEX, .delta = 1, .flags = IPCX_SEM_UNDO },
		{ .index = count, .delta = 1 },
	};

	operate(set, ops, 2);
}

static void put(int set, struct buffer *buffer, uint64_t item)
{
	enter(set, EMPTY);
	buffer->items[buffer->in++ % SLOTS] = item;
	leave(set, FULL);
}

/* Every PRODUCERS-th number from @first on. */
static void produce(int set, struct buffer *buffer, uint64_t first, uint64_t last)
{
	for (; first <= last; first += PRODUCERS)
		put(set, buffer, first);
}

/* Item 0 means that there are no more, and is put for each. */
static void consume(int set, struct buffer *buffer)
{
	uint64_t item;

	do {
		enter(set, FULL);
		item = buffer->items[buffer->out++ % SLOTS];
		buffer->consumed += item > 0;
		buffer->sum += item;
		leave(set, EMPTY);
	} while (item);
}

static int new_set(void)
{
	const struct ipcx_sem_params params = { .count = SEMAPHORES };
	const uint32_t values[] = { [MUTEX] = 1, [EMPTY] = SLOTS, [FULL] = 0 };
	int dev = ipcx_device(), set, ret;

	if (dev < 0)
		errx(1, "/dev/ipcx: %s", strerror(-dev));
	set = ipcx_sem_create(dev, NULL, IPCX_ACCESS_RDWR, &params, NULL);
	ret = set < 0 ? set : ipcx_sem_set(set, 0, SEMAPHORES, values);
	if (ret < 0)
		errx(1, "semaphores: %s", strerror(-ret));
	close(dev);
	return set;
}

static pid_t start(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	return pid;
}

static void wait_for(int count)
{
	int status;

	while (count--)
		if (wait(&status) < 0 || status)
			errx(1, "a process has failed");
}

int main(int argc, char **argv)
{
	uint64_t items = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
	struct buffer *buffer = mmap(NULL, sizeof(*buffer), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int set = new_set(), i;

	if (buffer == MAP_FAILED)
		err(1, "mmap");
	for (i = 0; i < PRODUCERS; i++) {
		if (start())
			continue;
		produce(set, buffer, i + 1, items);
		_exit(0);
	}
	for (i = 0; i < CONSUMERS; i++) {
		if (start())
			continue;
		consume(set, buffer);
		_exit(0);
	}
	/* The first to end are the producers: nothing has told the consumers to. */
	wait_for(PRODUCERS);
	for (i = 0; i < CONSUMERS; i++)
		put(set, buffer, 0);
	wait_for(CONSUMERS);
	printf("%" PRIu64 " items, sum %" PRIu64 "\n", buffer->consumed, buffer->sum);
	return buffer->consumed != items;
}
