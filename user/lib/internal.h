/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the library's files share. All of it is inline, so that the static
 * library has no symbol that the shared one hides.
 */
#ifndef IPCX_INTERNAL_H
#define IPCX_INTERNAL_H

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "ipcx.h"

static inline uint64_t address(const void *p)
{
	return (uintptr_t)p;
}

static inline int command(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

/* One byte more than allowed is enough for the kernel to say ENAMETOOLONG. */
static inline uint32_t name_length(const char *name)
{
	return name ? strnlen(name, IPCX_NAME_MAX + 1) : 0;
}

static inline struct ipcx_ref by_name(const char *name)
{
	return (struct ipcx_ref){
		.name = address(name),
		.name_len = name_length(name),
	};
}

static inline struct ipcx_ref by_id(uint32_t id, uint64_t cookie)
{
	return (struct ipcx_ref){ .id = id, .cookie = cookie };
}

static inline struct ipcx_ref by_fd(void)
{
	return (struct ipcx_ref){ 0 };
}

static inline struct ipcx_deadline until(const struct ipcx_deadline *deadline)
{
	static const struct ipcx_deadline never = {
		.ns = IPCX_NO_DEADLINE,
		.clock = CLOCK_MONOTONIC,
	};

	return deadline ? *deadline : never;
}

#endif /* IPCX_INTERNAL_H */
