/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tool knows about objects, whichever way it came to know it.
 */
#ifndef IPCX_MODEL_H
#define IPCX_MODEL_H

#include "tool.h"

/*
 * struct object
 * @stat:    what the contract says is known about an object; its fields are as
 *	     good a model as any, and have no trace of netlink
 * @removed: it was removed, and somebody still holds it
 */
struct object {
	struct ipcx_stat stat;
	bool removed;
};

/*
 * struct object_list
 * @raced: objects came or went while the list was made
 */
struct object_list {
	struct object *objects;
	size_t count;
	bool raced;
};

/*
 * All return 0 or a negative errno value. When the module cannot be reached at
 * all they say so on standard error, and return -ENOTCONN.
 */
int model_list(uint32_t type, struct object_list *list);
void model_list_free(struct object_list *list);
int model_get(const struct target *target, struct object *object);
int model_delete(const struct target *target, bool force);

/* What only STAT tells of objects; for who fills in the model. */
void model_complete(struct object *objects, size_t count);

/* The kernel's own words about the last failure, or NULL. */
const char *model_reason(void);

#endif /* IPCX_MODEL_H */
