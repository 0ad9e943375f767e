/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_SEM_H
#define _IPCX_SEM_H

#include <linux/ipcx.h>
#include <linux/types.h>
#include <linux/wait.h>

struct file;
struct ipcx_handle;
struct ipcx_object;
struct ipcx_patience;
struct ipcx_sem_take;

void ipcx_sem_limits(struct ipcx_query *query);

/* For ioctl.c; the requests have been checked but for what is in memory. */
int ipcx_sem_op(struct ipcx_object *obj, struct ipcx_handle *handle,
		const struct ipcx_sem_ops *req,
		const struct ipcx_patience *patience);
int ipcx_sem_one(struct file *file, const struct ipcx_sem_op *step);
int ipcx_sem_get(struct ipcx_object *obj, const struct ipcx_sem_get *req);
int ipcx_sem_set(struct ipcx_object *obj, const struct ipcx_sem_set *req);
int ipcx_sem_file(struct ipcx_handle *handle, const struct ipcx_sem_file *req);

/* For select.c. */
int ipcx_sem_step(struct ipcx_object *obj, const struct ipcx_sem_op *step,
		  const struct ipcx_patience *patience);
wait_queue_head_t *ipcx_sem_queue(struct ipcx_object *obj, u32 index);
struct ipcx_sem_take *ipcx_sem_take_new(struct ipcx_object *obj,
					const struct ipcx_sem_op *steps, u32 nr, u32 *at);
int ipcx_sem_take_check(struct ipcx_sem_take *take, u32 *at);
int ipcx_sem_take_try(struct ipcx_sem_take *take, u32 *at);
void ipcx_sem_take_back(struct ipcx_sem_take *take);
int ipcx_sem_take_done(struct ipcx_sem_take *take, u32 *at);
void ipcx_sem_take_end(struct ipcx_sem_take *take);
void ipcx_sem_take_free(struct ipcx_sem_take *take);

#endif /* _IPCX_SEM_H */
