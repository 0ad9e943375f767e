// SPDX-License-Identifier: GPL-2.0
/*
 * The model's part that netlink does not tell.
 */
#include <unistd.h>

#include "model.h"

static void complete(int dev, struct object *object)
{
	struct ipcx_stat *stat = &object->stat, full;

	bool known = stat->type == IPCX_TYPE_QUEUE ? stat->max_msgs :
		     stat->type == IPCX_TYPE_SEM ? stat->sems : true;

	if (known ||
	    ipcx_stat_id(dev, stat->id, stat->cookie, &full, sizeof(full)))
		return;
	stat->msgs = full.msgs;
	stat->max_msgs = full.max_msgs;
	stat->max_msg_bytes = full.max_msg_bytes;
	stat->sems = full.sems;
	stat->sem_flags = full.sem_flags;
	stat->sem_max = full.sem_max;
}

/* What the caller may not read stays unknown: max_msgs, or sems, is 0 then. */
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
