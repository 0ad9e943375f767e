// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Pipes.
 */
#include "internal.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int ipcx_pipe_create(int dev, const char *name, unsigned int access,
		     uint64_t capacity_bytes,
		     const struct ipcx_options *options)
{
	struct ipcx_pipe_params params = { .capacity_bytes = capacity_bytes };

	return ipcx_create(dev, name, IPCX_TYPE_PIPE, access, options, &params,
			   sizeof(params));
}

/*
 * The reader's end is created, the writer's is opened, which asks for
 * permission: a umask that takes the owner's must not break an unnamed pair.
 */
static int open_writer(int reader, unsigned int flags)
{
	int fd = ipcx_open_fd(reader, IPCX_ACCESS_WRITE, flags, NULL);

	if (fd != -EACCES || fchmod(reader, 0600))
		return fd;
	return ipcx_open_fd(reader, IPCX_ACCESS_WRITE, flags, NULL);
}

/* close(2), but no cancellation point: what is to be returned would be lost. */
static void close_always(int fd)
{
	syscall(SYS_close, fd);
}

int ipcx_pipe(int fds[2], unsigned int flags)
{
	struct ipcx_options options = { .flags = flags };
	int dev, reader, writer;

	if (flags & ~(IPCX_NONBLOCK | IPCX_INHERIT))
		return -EINVAL;
	dev = ipcx_device();
	if (dev < 0)
		return dev;
	reader = ipcx_pipe_create(dev, NULL, IPCX_ACCESS_READ, 0, &options);
	close_always(dev);
	if (reader < 0)
		return reader;
	writer = open_writer(reader, flags);
	if (writer < 0) {
		close_always(reader);
		return writer;
	}
	fds[0] = reader;
	fds[1] = writer;
	return 0;
}

static ssize_t transfer(int fd, unsigned long request, struct ipcx_ref ref,
			const void *buf, size_t len, unsigned int flags,
			const struct ipcx_deadline *deadline)
{
	struct ipcx_io arg = {
		.ref = ref,
		.buf = address(buf),
		.len = len,
		.flags = flags,
		.deadline = until(deadline),
	};

	return command(fd, request, &arg);
}

ssize_t ipcx_pipe_read(int fd, void *buf, size_t len, unsigned int flags,
		       const struct ipcx_deadline *deadline)
{
	return transfer(fd, IPCX_IOC_READ, by_fd(), buf, len, flags, deadline);
}

ssize_t ipcx_pipe_read_id(int dev, uint32_t id, uint64_t cookie, void *buf,
			  size_t len, unsigned int flags,
			  const struct ipcx_deadline *deadline)
{
	return transfer(dev, IPCX_IOC_READ, by_id(id, cookie), buf, len, flags,
			deadline);
}

ssize_t ipcx_pipe_write(int fd, const void *buf, size_t len,
			unsigned int flags,
			const struct ipcx_deadline *deadline)
{
	return transfer(fd, IPCX_IOC_WRITE, by_fd(), buf, len, flags, deadline);
}

ssize_t ipcx_pipe_write_id(int dev, uint32_t id, uint64_t cookie,
			   const void *buf, size_t len, unsigned int flags,
			   const struct ipcx_deadline *deadline)
{
	return transfer(dev, IPCX_IOC_WRITE, by_id(id, cookie), buf, len, flags,
			deadline);
}

static int resize(int fd, struct ipcx_ref ref, uint64_t capacity_bytes,
		  unsigned int flags, const struct ipcx_deadline *deadline)
{
	struct ipcx_resize arg = {
		.ref = ref,
		.bytes = capacity_bytes,
		.flags = flags,
		.deadline = until(deadline),
	};

	return command(fd, IPCX_IOC_RESIZE, &arg);
}

int ipcx_pipe_resize(int fd, uint64_t capacity_bytes, unsigned int flags,
		     const struct ipcx_deadline *deadline)
{
	return resize(fd, by_fd(), capacity_bytes, flags, deadline);
}

int ipcx_pipe_resize_id(int dev, uint32_t id, uint64_t cookie,
			uint64_t capacity_bytes, unsigned int flags,
			const struct ipcx_deadline *deadline)
{
	return resize(dev, by_id(id, cookie), capacity_bytes, flags, deadline);
}

int ipcx_pipe_resize_name(int dev, const char *name, uint64_t capacity_bytes,
			  unsigned int flags,
			  const struct ipcx_deadline *deadline)
{
	return resize(dev, by_name(name), capacity_bytes, flags, deadline);
}
