// SPDX-License-Identifier: GPL-2.0
/*
 * The model's part that netlink does not tell.
 */
#include <unistd.h>

#include "model.h"

static void complete(int dev, struct object *object)
{
	struct ipcx_stat *stat = &object->stat, full;

	if (stat->type != IPCX_TYPE_QUEUE || stat->max_msgs ||
	    ipcx_stat_id(dev, stat->id, stat->cookie, &full, sizeof(full)))
		return;
	stat->msgs = full.msgs;
	stat->max_msgs = full.max_msgs;
	stat->max_msg_bytes = full.max_msg_bytes;
}

/* What the caller may not read stays unknown: max_msgs is 0 then. */
void model_complete(struct object *objects, size_t count)
{
	int dev = ipcx_device();
	size_t i;

	if (dev < 0)
		return;
	for (i = 0; i < count; i++)
		complete(dev, &objects[i]);
	close(dev);
}
