// SPDX-License-Identifier: GPL-2.0
/*
 * A log collector: many who write, one who collects.
 *
 *	logcollect [WRITERS [LINES]]
 *
 * A writer needs no library: each write(2) is a message, and one line of the log. The
 * collector takes as many as there are, up to BATCH, in one call. With each comes
 * who sent it and when, from the kernel: nobody can write in another's name.
 *
 * Nothing is dropped. While the collector is slow and the queue is full, writers wait; one
 * who must not wait opens the queue with O_NONBLOCK, and knows by EAGAIN that his
 * line was not taken. What was sent before a writer died is collected.
 */
#include <err.h>
#include <errno.h>
#include <ipcx.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINES_WAITING	16
#define BATCH		8
#define LINE		200

/* As root each has a uid of his own, to be seen in the log. */
static void write_lines(int queue, int number, int lines)
{
	int i;

	if (!geteuid() && setuid(60001 + number))
		err(1, "setuid");
	for (i = 1; i <= lines; i++)
		if (dprintf(queue, "writer %d, line %d of %d", number, i, lines) < 0)
			err(1, "the log");
}

static void print_line(const struct ipcx_msg *msg)
{
	time_t seconds = msg->sent_ns / 1000000000;
	char when[32];

	strftime(when, sizeof(when), "%FT%T", gmtime(&seconds));
	printf("%s.%06dZ pid %d uid %u: %.*s%s\n", when,
	       (int)(msg->sent_ns % 1000000000 / 1000), msg->pid, msg->uid,
	       (int)(msg->len < LINE ? msg->len : LINE), (const char *)(uintptr_t)msg->buf,
	       msg->flags & IPCX_MSG_TRUNCATED ? " ..." : "");
}

/* Wait for lines, a tenth of a second at most; return how many came. */
static int collect(int queue)
{
	struct ipcx_deadline soon = ipcx_deadline_after(100000000);
	static char lines[BATCH][LINE];
	struct ipcx_msg msgs[BATCH];
	int count, i;

	for (i = 0; i < BATCH; i++)
		msgs[i] = (struct ipcx_msg) { .buf = (uintptr_t)lines[i], .room = LINE };
	count = ipcx_queue_recv(queue, msgs, BATCH, NULL, IPCX_TRUNCATE, &soon);
	if (count == -ETIMEDOUT)
		return 0;
	if (count < 0)
		errx(1, "the log: %s", strerror(-count));
	for (i = 0; i < count; i++)
		print_line(&msgs[i]);
	return count;
}

/* All that came before the last writer has gone, and then what is left. */
static void collect_all(int queue)
{
	int count, lines = 0, calls = 0;
	bool over;

	do {
		over = waitpid(-1, NULL, WNOHANG) < 0;
		count = collect(queue);
		lines += count;
		calls += !!count;
	} while (!over || count);
	fprintf(stderr, "%d lines in %d calls\n", lines, calls);
}

int main(int argc, char **argv)
{
	struct ipcx_queue_params limits = { .max_msgs = LINES_WAITING };
	int writers = argc > 1 ? atoi(argv[1]) : 4;
	int lines = argc > 2 ? atoi(argv[2]) : 5;
	int dev = ipcx_device(), queue, i;

	if (dev < 0)
		errx(1, "/dev/ipcx: %s", strerror(-dev));
	queue = ipcx_queue_create(dev, NULL, IPCX_ACCESS_RDWR, &limits, NULL);
	if (queue < 0)
		errx(1, "a queue: %s", strerror(-queue));
	for (i = 0; i < writers; i++) {
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			write_lines(queue, i, lines);
			_exit(0);
		}
	}
	collect_all(queue);
	return 0;
}
