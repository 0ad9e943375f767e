/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_SELECT_H
#define _IPCX_SELECT_H

#include <linux/types.h>

struct ipcx_patience;
struct ipcx_selection;
struct ipcx_wait;

/* For ioctl.c. */
long ipcx_select(const struct ipcx_selection *req, const struct ipcx_patience *patience,
		 u32 *index);
long ipcx_wait(const struct ipcx_wait *req, const struct ipcx_patience *patience, u32 *index);

#endif /* _IPCX_SELECT_H */
