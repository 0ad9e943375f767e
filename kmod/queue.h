/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_QUEUE_H
#define _IPCX_QUEUE_H

#include <linux/ipcx.h>
#include <linux/types.h>

struct ipcx_handle;
struct ipcx_object;
struct ipcx_patience;

int ipcx_queue_module_init(void);
void ipcx_queue_module_exit(void);

void ipcx_queue_limits(struct ipcx_query *query);

/* For ioctl.c; the requests have been checked but for what is in memory. */
long ipcx_queue_send(struct ipcx_object *obj, struct ipcx_handle *handle,
		     const struct ipcx_send *req,
		     const struct ipcx_patience *patience);
long ipcx_queue_recv(struct ipcx_object *obj, struct ipcx_handle *handle,
		     const struct ipcx_recv *req,
		     const struct ipcx_patience *patience);
long ipcx_queue_purge(struct ipcx_object *obj, struct ipcx_handle *handle,
		      struct ipcx_select *select);
int ipcx_queue_file(struct ipcx_handle *handle,
		    const struct ipcx_queue_file *req);
int ipcx_queue_notify(struct ipcx_handle *handle,
		      const struct ipcx_notify *req);

#endif /* _IPCX_QUEUE_H */
