/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_PIPE_H
#define _IPCX_PIPE_H

#include <linux/limits.h>
#include <linux/types.h>

#define IPCX_PIPE_CAPACITY	65536	/* as pipe(7)'s default */

struct ipcx_handle;
struct ipcx_patience;

u64 ipcx_pipe_capacity_max(void);
ssize_t ipcx_pipe_await(struct ipcx_handle *handle, bool reading, size_t need,
			const struct ipcx_patience *patience);

#endif /* _IPCX_PIPE_H */
