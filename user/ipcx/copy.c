// SPDX-License-Identifier: GPL-2.0
/*
 * The loop that copies, and its progress.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "copy.h"
#include "progress.h"
#include "tool.h"

#define BUFFER_BYTES	(256 * 1024)

/*
 * With progress no call may sleep longer than until the next sign of life: a
 * transfer that has stalled is what the user wants to hear of.
 */
static const struct ipcx_deadline *
deadline(const struct progress *progress, struct ipcx_deadline *space)
{
	if (!progress)
		return NULL;
	*space = ipcx_deadline_after(PROGRESS_NS);
	return space;
}

/* True: ready. False: try again, it may be time for progress. */
static bool wait_file(int fd, short events, const struct progress *progress)
{
	struct pollfd polled = { .fd = fd, .events = events };

	int timeout = progress ? (int)(PROGRESS_NS / 1000000) : -1;

	return poll(&polled, 1, timeout) > 0;
}

static ssize_t file_result(ssize_t ret)
{
	return ret < 0 ? -errno : ret;
}

static ssize_t read_end(const struct end *end, void *buf,
			const struct progress *progress)
{
	struct ipcx_deadline space;

	if (end->pipe)
		return ipcx_pipe_read(end->fd, buf, BUFFER_BYTES, 0,
				      deadline(progress, &space));
	if (progress && !wait_file(end->fd, POLLIN, progress))
		return -EAGAIN;
	return file_result(read(end->fd, buf, BUFFER_BYTES));
}

static ssize_t write_end(const struct end *end, const void *buf, size_t len,
			 const struct progress *progress)
{
	struct ipcx_deadline space;

	if (end->pipe)
		return ipcx_pipe_write(end->fd, buf, len, IPCX_NO_SIGPIPE,
				       deadline(progress, &space));
	if (progress && !wait_file(end->fd, POLLOUT, progress))
		return -EAGAIN;
	return file_result(write(end->fd, buf, len));
}

/* Not an error: time for progress, a signal, or a file with O_NONBLOCK. */
static bool transient(const struct end *end, ssize_t ret, short events,
		      const struct progress *progress)
{
	if (ret == -EAGAIN && !end->pipe)
		wait_file(end->fd, events, progress);
	return ret == -EAGAIN || ret == -ETIMEDOUT || ret == -EINTR;
}

static ssize_t fill(struct copy *copy, void *buf, struct progress *progress)
{
	for (;;) {
		ssize_t ret = read_end(&copy->from, buf, progress);

		progress_tick(progress, copy->done);
		if (!transient(&copy->from, ret, POLLIN, progress))
			return ret;
	}
}

static int drain(struct copy *copy, const char *buf, size_t len,
		 struct progress *progress)
{
	while (len) {
		ssize_t ret = write_end(&copy->to, buf, len, progress);

		if (ret > 0) {
			buf += ret;
			len -= ret;
			copy->done += ret;
		} else if (!transient(&copy->to, ret, POLLOUT, progress)) {
			return ret;
		}
		progress_tick(progress, copy->done);
	}
	return 0;
}

static int copy_all(struct copy *copy, void *buf, struct progress *progress)
{
	for (;;) {
		ssize_t len = fill(copy, buf, progress);
		int err;

		if (len <= 0) {
			copy->failed = &copy->from;
			return len;
		}
		err = drain(copy, buf, len, progress);
		if (err) {
			copy->failed = &copy->to;
			return err;
		}
	}
}

/**
 * copy_run() - copy until the end of file
 * @copy: what and how
 *
 * Return: 0, or a negative errno value, and then @copy tells which end failed.
 */
int copy_run(struct copy *copy)
{
	struct progress progress, *maybe = copy->progress ? &progress : NULL;
	void *buf = malloc(BUFFER_BYTES);
	int err;

	if (!buf) {
		copy->failed = &copy->from;
		return -ENOMEM;
	}
	if (maybe)
		progress_begin(maybe, copy->total);
	err = copy_all(copy, buf, maybe);
	if (maybe)
		progress_end(maybe, copy->done);
	free(buf);
	return err;
}
