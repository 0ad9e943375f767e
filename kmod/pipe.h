/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_PIPE_H
#define _IPCX_PIPE_H

#include <linux/limits.h>
#include <linux/types.h>

#define IPCX_PIPE_CAPACITY	65536	/* as pipe(7)'s default */

struct iov_iter;
struct ipcx_handle;
struct ipcx_patience;

u64 ipcx_pipe_capacity_max(void);

/* For splice.c: a side of the pipe for more than one transfer. */
ssize_t ipcx_pipe_hold(struct ipcx_handle *handle, bool reading, size_t need,
		       const struct ipcx_patience *patience);
ssize_t ipcx_pipe_move(struct ipcx_handle *handle, bool reading,
		       struct iov_iter *iter);
void ipcx_pipe_release(struct ipcx_handle *handle, bool reading);

#endif /* _IPCX_PIPE_H */
