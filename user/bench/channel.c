// SPDX-License-Identifier: GPL-2.0
/*
 * Channels from one process to another, all with the same capacity: of bytes, and of
 * messages.
 */
#include <err.h>
#include <fcntl.h>
#include <ipcx.h>
#include <mqueue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

/* The first is open for reading, or an error. */
static void open_other_end(const char *name, int ends[2])
{
	if (ends[0] < 0)
		errx(1, "%s: %s", name, strerror(-ends[0]));
	ends[1] = ipcx_open_fd(ends[0], IPCX_ACCESS_WRITE, 0, NULL);
	if (ends[1] < 0)
		errx(1, "%s: %s", name, strerror(-ends[1]));
}

void channel_ipcx(size_t capacity, int ends[2])
{
	ends[0] = ipcx_pipe_create(device(), NULL, IPCX_ACCESS_READ, capacity,
				   NULL);
	open_other_end("ipcx pipe", ends);
}

void channel_queue(size_t capacity, int ends[2])
{
	struct ipcx_queue_params limits = {
		.max_msgs = capacity / MESSAGE_BYTES,
		.max_bytes = capacity,
	};

	ends[0] = ipcx_queue_create(device(), NULL, IPCX_ACCESS_READ, &limits, NULL);
	open_other_end("ipcx queue", ends);
}

/* Root may have more messages than others: no limit is changed for it. */
void channel_mq(size_t capacity, int ends[2])
{
	struct mq_attr attr = {
		.mq_maxmsg = capacity / MESSAGE_BYTES,
		.mq_msgsize = MESSAGE_BYTES,
	};

	ends[0] = mq_open("/ipcx-bench", O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (ends[0] < 0)
		err(1, "a POSIX queue of %ld messages", attr.mq_maxmsg);
	mq_unlink("/ipcx-bench");
	ends[1] = dup(ends[0]);
	if (ends[1] < 0)
		err(1, "dup");
}

static void set_pipe_capacity(int fd, size_t capacity)
{
	int got = fcntl(fd, F_SETPIPE_SZ, (int)capacity);

	if (got < 0)
		err(1, "F_SETPIPE_SZ to %zu",
		    capacity);
	if ((size_t)got != capacity)
		errx(1, "pipe(2) has a capacity of %d in place of %zu", got, capacity);
}

void channel_pipe(size_t capacity, int ends[2])
{
	if (pipe(ends))
		err(1, "pipe");
	set_pipe_capacity(ends[0], capacity);
}

void channel_fifo(size_t capacity, int ends[2])
{
	static const char path[] = PRIVATE_FOLDER "/fifo";
	int keep;

	if (mkfifo(path, 0600))
		err(1, "%s", path);
	/* Open for both, it keeps the other two from waiting for each other. */
	keep = open(path, O_RDWR);
	ends[0] = open(path, O_RDONLY);
	ends[1] = open(path, O_WRONLY);
	if (keep < 0 || ends[0] < 0 || ends[1] < 0)
		err(1, "%s", path);
	close(keep);
	unlink(path);
	set_pipe_capacity(ends[0], capacity);
}

static void open_unix(int type, int size, int ends[2])
{
	if (socketpair(AF_UNIX, type, 0, ends))
		err(1, "socketpair");
	if (setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		err(1, "SO_SNDBUFFORCE to %d", size);
}

/*
 * The kernel doubles what it is told, since it counts its own bookkeeping too: at
 * large writes about twice the capacity fits in, at small ones far less.
 */
void channel_unix(size_t capacity, int ends[2])
{
	open_unix(SOCK_STREAM, capacity, ends);
}

/* Of small messages the bookkeeping is most: so many fit in as into a queue, or more. */
void channel_seqpacket(size_t capacity, int ends[2])
{
	open_unix(SOCK_SEQPACKET, 8 * capacity, ends);
}
