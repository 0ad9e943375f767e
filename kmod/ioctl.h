/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_IOCTL_H
#define _IPCX_IOCTL_H

#include <linux/fs.h>

long ipcx_device_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
long ipcx_object_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _IPCX_IOCTL_H */
