// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The device, and what objects of every type have in common.
 */
#include "internal.h"

#include <fcntl.h>

#define DEFAULT_MODE	0600

const char *ipcx_library_version(void)
{
	return IPCX_LIBRARY_VERSION;
}

int ipcx_device(void)
{
	int fd = open(IPCX_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

struct ipcx_deadline ipcx_deadline_after(uint64_t ns)
{
	struct ipcx_deadline deadline = { .clock = CLOCK_MONOTONIC };
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	deadline.ns = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (ns > INT64_MAX - deadline.ns)
		deadline.ns = IPCX_NO_DEADLINE;
	else
		deadline.ns += ns;
	return deadline;
}

/* What the kernel doesn't know of the result stays 0. */
static int clear_result(void *result, size_t size, size_t least)
{
	if (size < least)
		return -EINVAL;
	if (size > _IOC_SIZEMASK)
		return -E2BIG;
	memset(result, 0, size);
	return 0;
}

/*
 * The size in the command word is the caller's, not the library's: it is what
 * tells the kernel how much the caller has room for.
 */
static int sized_command(int fd, unsigned int request, void *arg, size_t size)
{
	return command(fd, _IOC(_IOC_DIR(request), _IOC_TYPE(request),
				_IOC_NR(request), size), arg);
}

int ipcx_query(int dev, struct ipcx_query *result, size_t size)
{
	int err = clear_result(result, size, 0);

	return err ? err : sized_command(dev, IPCX_IOC_QUERY, result, size);
}

static int options_valid(const struct ipcx_options *options)
{
	static const uint32_t zero[sizeof(options->reserved) / sizeof(uint32_t)];

	return memcmp(options->reserved, zero, sizeof(zero)) == 0;
}

int ipcx_create(int dev, const char *name, unsigned int type,
		unsigned int access, const struct ipcx_options *options,
		const void *params, size_t params_size)
{
	static const struct ipcx_options defaults;
	struct ipcx_create arg = {
		.name = address(name),
		.name_len = name_length(name),
		.type = type,
		.access = access,
		.params = address(params),
		.params_size = params_size,
	};

	if (!options)
		options = &defaults;
	if (!options_valid(options))
		return -EINVAL;
	if (params_size > UINT32_MAX)
		return -E2BIG;
	arg.lifetime = options->lifetime;
	arg.mode = options->mode ? options->mode : DEFAULT_MODE;
	arg.flags = options->flags;
	return command(dev, IPCX_IOC_CREATE, &arg);
}

static int open_ref(int fd, struct ipcx_ref ref, unsigned int type,
		    unsigned int access, unsigned int flags,
		    const struct ipcx_deadline *deadline)
{
	struct ipcx_open arg = {
		.ref = ref,
		.type = type,
		.access = access,
		.flags = flags,
		.deadline = until(deadline),
	};

	return command(fd, IPCX_IOC_OPEN, &arg);
}

int ipcx_open(int dev, const char *name, unsigned int type,
	      unsigned int access, unsigned int flags,
	      const struct ipcx_deadline *deadline)
{
	return open_ref(dev, by_name(name), type, access, flags, deadline);
}

int ipcx_open_id(int dev, uint32_t id, uint64_t cookie, unsigned int type,
		 unsigned int access, unsigned int flags,
		 const struct ipcx_deadline *deadline)
{
	return open_ref(dev, by_id(id, cookie), type, access, flags, deadline);
}

int ipcx_open_fd(int fd, unsigned int access, unsigned int flags,
		 const struct ipcx_deadline *deadline)
{
	return open_ref(fd, by_fd(), IPCX_TYPE_ANY, access, flags, deadline);
}

int ipcx_unlink(int dev, const char *name)
{
	struct ipcx_ref ref = by_name(name);

	return command(dev, IPCX_IOC_UNLINK, &ref);
}

int ipcx_unlink_id(int dev, uint32_t id, uint64_t cookie)
{
	struct ipcx_ref ref = by_id(id, cookie);

	return command(dev, IPCX_IOC_UNLINK, &ref);
}

int ipcx_unlink_fd(int fd)
{
	struct ipcx_ref ref = by_fd();

	return command(fd, IPCX_IOC_UNLINK, &ref);
}

int ipcx_remove(int dev, const char *name)
{
	struct ipcx_ref ref = by_name(name);

	return command(dev, IPCX_IOC_REMOVE, &ref);
}

int ipcx_remove_id(int dev, uint32_t id, uint64_t cookie)
{
	struct ipcx_ref ref = by_id(id, cookie);

	return command(dev, IPCX_IOC_REMOVE, &ref);
}

int ipcx_remove_fd(int fd)
{
	struct ipcx_ref ref = by_fd();

	return command(fd, IPCX_IOC_REMOVE, &ref);
}

static int stat_ref(int fd, struct ipcx_ref ref, struct ipcx_stat *result,
		    size_t size)
{
	int err = clear_result(result, size, sizeof(ref));

	if (err)
		return err;
	result->ref = ref;
	return sized_command(fd, IPCX_IOC_STAT, result, size);
}

int ipcx_stat(int dev, const char *name, struct ipcx_stat *result, size_t size)
{
	return stat_ref(dev, by_name(name), result, size);
}

int ipcx_stat_id(int dev, uint32_t id, uint64_t cookie,
		 struct ipcx_stat *result, size_t size)
{
	return stat_ref(dev, by_id(id, cookie), result, size);
}

int ipcx_stat_fd(int fd, struct ipcx_stat *result, size_t size)
{
	return stat_ref(fd, by_fd(), result, size);
}
