/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_IOCTL_H
#define _IPCX_IOCTL_H

#include <linux/fs.h>

struct ipcx_patience;

long ipcx_device_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
long ipcx_object_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

bool ipcx_case_valid(unsigned int cmd);
long ipcx_case_run(struct file *file, unsigned int cmd, unsigned long arg,
		   const struct ipcx_patience *patience);

#endif /* _IPCX_IOCTL_H */
