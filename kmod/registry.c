// SPDX-License-Identifier: GPL-2.0
/*
 * Names and ids, for each network namespace its own.
 *
 * Look-ups take RCU and the object's user count, changes take ns->lock. An
 * object is in the tables from ipcx_publish() until its last user has gone:
 * in ids all that time, in names while it has a name.
 */
#include <linux/ipcx.h>
#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "object.h"
#include "registry.h"

struct name_key {
	const char *name;
	u32 len;
};

static u32 name_hash(const void *data, u32 len, u32 seed)
{
	const struct name_key *key = data;

	return jhash(key->name, key->len, seed);
}

static u32 name_obj_hash(const void *data, u32 len, u32 seed)
{
	const struct ipcx_object *obj = data;

	return jhash(obj->name, obj->name_len, seed);
}

static int name_obj_cmp(struct rhashtable_compare_arg *arg, const void *data)
{
	const struct name_key *key = arg->key;
	const struct ipcx_object *obj = data;

	return key->len != obj->name_len ||
	       memcmp(key->name, obj->name, key->len);
}

static const struct rhashtable_params name_params = {
	.head_offset = offsetof(struct ipcx_object, name_node),
	.hashfn = name_hash,
	.obj_hashfn = name_obj_hash,
	.obj_cmpfn = name_obj_cmp,
	.automatic_shrinking = true,
};

static struct ipcx_ns *ns_alloc(struct net *net)
{
	struct ipcx_ns *ns = kzalloc(sizeof(*ns), GFP_KERNEL_ACCOUNT);

	if (!ns)
		return NULL;
	if (rhashtable_init(&ns->names, &name_params)) {
		kfree(ns);
		return NULL;
	}
	xa_init_flags(&ns->ids, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	refcount_set(&ns->refs, 1);
	ns->user_ns = get_user_ns(net->user_ns);
	mutex_init(&ns->lock);
	return ns;
}

/**
 * ipcx_ns_get - take a reference
 * @ns: on which the caller has one already
 */
struct ipcx_ns *ipcx_ns_get(struct ipcx_ns *ns)
{
	refcount_inc(&ns->refs);
	return ns;
}

/**
 * ipcx_ns_put - give a reference back; may sleep
 * @ns: the caller's
 */
void ipcx_ns_put(struct ipcx_ns *ns)
{
	if (!refcount_dec_and_test(&ns->refs))
		return;
	rhashtable_destroy(&ns->names);
	xa_destroy(&ns->ids);
	put_user_ns(ns->user_ns);
	kfree(ns);
}

/* The object if it is not yet dying; called under RCU. */
static struct ipcx_object *tryget(struct ipcx_object *obj)
{
	if (!obj || !ipcx_object_tryget(obj))
		return ERR_PTR(-ENOENT);
	return obj;
}

/**
 * ipcx_find_name - look an object up by its name
 * @ns:   where
 * @name: the name, not necessarily terminated
 * @len:  its length
 *
 * Return: the object with a user's reference, or -ENOENT.
 */
struct ipcx_object *ipcx_find_name(struct ipcx_ns *ns, const char *name, u32 len)
{
	struct name_key key = { .name = name, .len = len };
	struct ipcx_object *obj;

	rcu_read_lock();
	obj = tryget(rhashtable_lookup(&ns->names, &key, name_params));
	rcu_read_unlock();
	return obj;
}

/**
 * ipcx_find_id - look an object up by its id
 * @ns: where
 * @id: its id
 *
 * Return: the object with a user's reference, or -ENOENT.
 */
struct ipcx_object *ipcx_find_id(struct ipcx_ns *ns, u32 id)
{
	struct ipcx_object *obj;

	rcu_read_lock();
	obj = tryget(xa_load(&ns->ids, id));
	rcu_read_unlock();
	return obj;
}

/**
 * ipcx_find_next - walk all objects by id
 * @ns: where
 * @id: in: the lowest id wanted; out: the object's
 *
 * Return: the object with a user's reference, or NULL after the last.
 */
struct ipcx_object *ipcx_find_next(struct ipcx_ns *ns, u32 *id)
{
	struct ipcx_object *obj;
	unsigned long index = *id;

	rcu_read_lock();
	obj = xa_find(&ns->ids, &index, INT_MAX, XA_PRESENT);
	while (obj && !ipcx_object_tryget(obj))
		obj = xa_find_after(&ns->ids, &index, INT_MAX, XA_PRESENT);
	rcu_read_unlock();
	*id = index;
	return obj;
}

static void name_erase(struct ipcx_ns *ns, struct ipcx_object *obj)
{
	lockdep_assert_held(&ns->lock);
	if (!obj->named)
		return;
	rhashtable_remove_fast(&ns->names, &obj->name_node, name_params);
	WRITE_ONCE(obj->named, false);
}

/*
 * A holder of the name whose last user is gone, on its way to ipcx_withdraw(),
 * doesn't keep the name from a newcomer. It can't be freed before it has got
 * ns->lock.
 */
static int name_insert(struct ipcx_ns *ns, struct ipcx_object *obj)
{
	struct name_key key = { .name = obj->name, .len = obj->name_len };
	struct ipcx_object *holder;
	int err;

	lockdep_assert_held(&ns->lock);
	holder = rhashtable_lookup_fast(&ns->names, &key, name_params);
	if (holder && !refcount_read(&holder->users))
		name_erase(ns, holder);
	err = rhashtable_lookup_insert_key(&ns->names, &key, &obj->name_node,
					   name_params);
	if (!err)
		obj->named = true;
	return err;
}

/* The object's id is reserved; on success it is found by it, and by its name. */
static int publish_locked(struct ipcx_ns *ns, struct ipcx_object *obj)
{
	int err;

	lockdep_assert_held(&ns->lock);
	if (ns->ended)
		return -EIDRM;
	err = obj->name ? name_insert(ns, obj) : 0;
	if (err)
		return err;
	/* The slot is there: this doesn't allocate and can't fail. */
	xa_store(&ns->ids, obj->id, obj, GFP_KERNEL_ACCOUNT);
	if (obj->lifetime != IPCX_LIFETIME_TRANSIENT) {
		obj->linked = true;
		ipcx_object_get(obj);
	}
	ns->generation++;
	return 0;
}

/**
 * ipcx_publish - let others find an object
 * @obj: a new one
 *
 * From here on it has an id, its name if it was given one, and the link that
 * keeps it unless it is transient.
 *
 * Return: 0, -EEXIST if the name is taken, -ENOSPC without a free id, -EIDRM
 * if the namespace has ended, -ENOMEM.
 */
int ipcx_publish(struct ipcx_object *obj)
{
	struct ipcx_ns *ns = obj->ns;
	int err;

	/* Not under the lock: allocation may wait for reclaim. */
	err = xa_alloc_cyclic(&ns->ids, &obj->id, NULL, XA_LIMIT(1, INT_MAX),
			      &ns->next_id, GFP_KERNEL_ACCOUNT);
	if (err < 0) {
		obj->id = 0;
		return err == -EBUSY ? -ENOSPC : err;
	}
	mutex_lock(&ns->lock);
	err = publish_locked(ns, obj);
	mutex_unlock(&ns->lock);
	if (err) {
		xa_erase(&ns->ids, obj->id);
		obj->id = 0;
	}
	return err;
}

/* Take name and link away; tell whether the caller must put the link's user. */
static bool unlink_locked(struct ipcx_ns *ns, struct ipcx_object *obj)
{
	bool linked = obj->linked;

	lockdep_assert_held(&ns->lock);
	name_erase(ns, obj);
	WRITE_ONCE(obj->linked, false);
	inode_set_ctime_current(obj->inode);
	ns->generation++;
	return linked;
}

/**
 * ipcx_unlink - take an object's name and link away
 * @obj: the caller has a user's reference of his own
 *
 * Return: 0, -EIDRM if it was removed, -ENOENT if it has neither.
 */
int ipcx_unlink(struct ipcx_object *obj)
{
	struct ipcx_ns *ns = obj->ns;
	bool linked = false;
	int err = 0;

	mutex_lock(&ns->lock);
	if (obj->removed)
		err = -EIDRM;
	else if (!obj->named && !obj->linked)
		err = -ENOENT;
	else
		linked = unlink_locked(ns, obj);
	mutex_unlock(&ns->lock);
	if (linked)
		ipcx_object_put(obj);
	return err;
}

/**
 * ipcx_remove - unlink an object, wake its sleepers and end its operations
 * @obj: the caller has a user's reference of his own
 *
 * Return: 0, or -EIDRM if it was removed before.
 */
int ipcx_remove(struct ipcx_object *obj)
{
	struct ipcx_ns *ns = obj->ns;
	bool linked;

	mutex_lock(&ns->lock);
	if (obj->removed) {
		mutex_unlock(&ns->lock);
		return -EIDRM;
	}
	linked = unlink_locked(ns, obj);
	WRITE_ONCE(obj->removed, true);
	mutex_unlock(&ns->lock);

	/* Sleepers look at removed again after this has taken their queue's lock. */
	obj->type->remove(obj);
	if (linked)
		ipcx_object_put(obj);
	return 0;
}

/**
 * ipcx_withdraw - the last user is gone: give name and id back
 * @obj: published or not
 */
void ipcx_withdraw(struct ipcx_object *obj)
{
	struct ipcx_ns *ns = obj->ns;

	if (!obj->id)
		return;
	mutex_lock(&ns->lock);
	name_erase(ns, obj);
	xa_erase(&ns->ids, obj->id);
	ns->generation++;
	mutex_unlock(&ns->lock);
}

static unsigned int pernet_id;

struct pernet {
	struct ipcx_ns *ns;
};

/**
 * ipcx_ns - a network namespace's registry
 * @net: which the caller keeps alive
 */
struct ipcx_ns *ipcx_ns(const struct net *net)
{
	struct pernet *pernet = net_generic(net, pernet_id);

	return pernet->ns;
}

static int __net_init registry_net_init(struct net *net)
{
	struct pernet *pernet = net_generic(net, pernet_id);

	pernet->ns = ns_alloc(net);
	return pernet->ns ? 0 : -ENOMEM;
}

/*
 * Device files hold the namespace, so none is open, and nobody can look
 * anything up or publish any more but who is at it: those find ended. Objects
 * with open files live on, removed, and hold the ipcx_ns.
 */
static void __net_exit registry_net_exit(struct net *net)
{
	struct ipcx_ns *ns = ipcx_ns(net);
	struct ipcx_object *obj;
	u32 id;

	mutex_lock(&ns->lock);
	ns->ended = true;
	mutex_unlock(&ns->lock);

	for (id = 1; (obj = ipcx_find_next(ns, &id)); id++) {
		ipcx_remove(obj);
		ipcx_object_put(obj);
		cond_resched();
	}
	ipcx_ns_put(ns);
}

static struct pernet_operations registry_net_ops = {
	.init = registry_net_init,
	.exit = registry_net_exit,
	.id = &pernet_id,
	.size = sizeof(struct pernet),
};

int ipcx_registry_init(void)
{
	return register_pernet_subsys(&registry_net_ops);
}

void ipcx_registry_uninit(void)
{
	unregister_pernet_subsys(&registry_net_ops);
}
