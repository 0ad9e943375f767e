/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_SEM_H
#define _IPCX_SEM_H

#include <linux/ipcx.h>
#include <linux/types.h>

struct file;
struct ipcx_handle;
struct ipcx_object;
struct ipcx_patience;

void ipcx_sem_limits(struct ipcx_query *query);

/* For ioctl.c; the requests have been checked but for what is in memory. */
int ipcx_sem_op(struct ipcx_object *obj, struct ipcx_handle *handle,
		const struct ipcx_sem_ops *req,
		const struct ipcx_patience *patience);
int ipcx_sem_one(struct file *file, const struct ipcx_sem_op *step);
int ipcx_sem_get(struct ipcx_object *obj, const struct ipcx_sem_get *req);
int ipcx_sem_set(struct ipcx_object *obj, const struct ipcx_sem_set *req);
int ipcx_sem_file(struct ipcx_handle *handle, const struct ipcx_sem_file *req);

#endif /* _IPCX_SEM_H */
