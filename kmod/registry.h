/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_REGISTRY_H
#define _IPCX_REGISTRY_H

#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/xarray.h>

#include "account.h"

struct ipcx_object;
struct net;

/**
 * struct ipcx_ns - names, ids and account of one network namespace
 * @refs:       held by the namespace while it lives, by each object and by each
 *		netlink request
 * @user_ns:    whose CAP_IPC_OWNER overrides permission here; a reference
 * @account:    what the namespace's objects and files are charged to
 * @lock:       orders all changes of @names, @ids and of an object's name and
 *		link; look-ups take RCU alone. Never held over user memory
 * @names:      objects that have a name, by name
 * @ids:        published objects by id, until they die
 * @next_id:    where the search for a free id goes on; guarded by the lock of @ids
 * @generation: raised with each change of @names or @ids, for dumps; written
 *		under @lock
 * @ended:      the namespace is gone: nothing is published any more; guarded
 *		by @lock
 *
 * Objects hold this and never the struct net, or a namespace could not end
 * while one of its objects is open elsewhere.
 */
struct ipcx_ns {
	refcount_t refs;
	struct user_namespace *user_ns;
	struct ipcx_account account;
	struct mutex lock;	/* names, ids, named, linked, removed */
	struct rhashtable names;
	struct xarray ids;
	u32 next_id;
	u32 generation;
	bool ended;
};

struct ipcx_ns *ipcx_ns(const struct net *net);
struct ipcx_ns *ipcx_ns_get(struct ipcx_ns *ns);
void ipcx_ns_put(struct ipcx_ns *ns);

/* The three return the object with a user's reference. */
struct ipcx_object *ipcx_find_name(struct ipcx_ns *ns, const char *name, u32 len);
struct ipcx_object *ipcx_find_id(struct ipcx_ns *ns, u32 id);
struct ipcx_object *ipcx_find_next(struct ipcx_ns *ns, u32 *id);

int ipcx_publish(struct ipcx_object *obj);
int ipcx_unlink(struct ipcx_object *obj);
int ipcx_remove(struct ipcx_object *obj);
void ipcx_withdraw(struct ipcx_object *obj);

int ipcx_registry_init(void);
void ipcx_registry_uninit(void);

#endif /* _IPCX_REGISTRY_H */
