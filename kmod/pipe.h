/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_PIPE_H
#define _IPCX_PIPE_H

#include <linux/limits.h>
#include <linux/types.h>

#define IPCX_PIPE_CAPACITY	65536	/* as pipe(7)'s default */

u64 ipcx_pipe_capacity_max(void);

#endif /* _IPCX_PIPE_H */
