/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_OBJECT_H
#define _IPCX_OBJECT_H

#include <linux/cred.h>
#include <linux/ipcx.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>

#include "compat/fs.h"
#include "death.h"

struct iov_iter;
struct ipcx_ns;
struct ipcx_patience;
struct kstat;
struct pid_namespace;
struct seq_file;

/**
 * struct ipcx_object - what all types have in common; first in each type's own
 * @type:       its operations
 * @users:      who may use the payload: each open file (and mapping), each
 *		by-id operation while it runs, and the link that persistent and
 *		owned objects have until they are unlinked. At 0 the payload is
 *		freed, name and id are given back, the charge too
 * @inode:      its inode, a reference until @users is 0. The inode outlives
 *		that if a path (O_PATH) still leads to it; this structure is
 *		freed with the inode, after a grace period
 * @ns:         where it is registered, a reference until @users is 0
 * @charge:     what the accounts of its creator, or of who has resized it, were
 *		charged; for the type alone, which says when it may change
 * @charged_bytes: its bytes, for everybody
 * @death:      unlinks an owned object when its creator has died
 * @name:       its name, terminated, or NULL for one created without; never
 *		changes, and is part of this allocation
 * @name_len:   length of @name
 * @named:      @name is in @ns->names; written under @ns->lock
 * @linked:     has the reference that keeps it without files; likewise
 * @removed:    REMOVE was called; written once, under @ns->lock
 * @name_node:  in @ns->names
 * @id:         its id from ipcx_publish() on
 * @cookie:     never used for another object
 * @lifetime:   an &enum ipcx_lifetime
 * @creator:    process that made it, a reference
 * @creator_uid: who made it
 * @creator_gid: who made it
 * @created_ns: when
 * @opens:      open files
 * @rcu:        for look-ups that come too late
 *
 * Owner, mode and time of last change are the inode's.
 */
struct ipcx_object {
	const struct ipcx_type_ops *type;
	refcount_t users;
	struct inode *inode;
	struct ipcx_ns *ns;
	struct ipcx_charge *charge;
	u64 charged_bytes;
	struct ipcx_death death;
	char *name;
	u32 name_len;
	bool named;
	bool linked;
	bool removed;
	struct rhash_head name_node;
	u32 id;
	u64 cookie;
	u32 lifetime;
	struct pid *creator;
	kuid_t creator_uid;
	kgid_t creator_gid;
	u64 created_ns;
	atomic_t opens;
	struct rcu_head rcu;
};

/**
 * struct ipcx_handle - an open file of an object, its file's private_data
 * @obj:      the object, a user's reference
 * @charge:   what the opener's accounts were charged
 * @f_mode:   FMODE_READ, FMODE_WRITE
 * @attached: the type has counted this file in
 * @peers:    the type's: how many peers had come when this file was opened
 * @rcu:      for who still signals it
 *
 * First in each type's own structure of an open file.
 */
struct ipcx_handle {
	struct ipcx_object *obj;
	struct ipcx_charge *charge;
	fmode_t f_mode;
	bool attached;
	u32 peers;
	struct rcu_head rcu;
};

/**
 * struct ipcx_spec - a request to create, checked and in kernel memory
 * @type:     what
 * @name:     its name or NULL; stays the caller's
 * @name_len: length of @name
 * @lifetime: an &enum ipcx_lifetime
 * @mode:     permission bits; the umask is applied
 * @params:   the type's parameters, in the kernel's size
 */
struct ipcx_spec {
	const struct ipcx_type_ops *type;
	const char *name;
	u32 name_len;
	u32 lifetime;
	umode_t mode;
	void *params;
};

/**
 * struct ipcx_type_ops - a type's operations
 * @name:        as it is printed
 * @id:          an &enum ipcx_type
 * @s_ifmt:      what fstat tells
 * @object_size: sizeof the structure that begins with struct ipcx_object
 * @kept_size:   bytes of memory that an empty one may keep beside it
 * @handle_size: sizeof the structure that begins with struct ipcx_handle
 * @params_size: sizeof its creation parameters
 * @params_min:  their size when they were first published
 * @fops:        of its files
 * @prepare:     check and complete the parameters; tell the payload's maximum
 *		 in bytes, which is charged
 * @init:        make the payload; may sleep
 * @destroy:     free the payload; nobody can reach it any more
 * @attach:      count a file in, unless its opener would have to wait and
 *		 won't; no patience is given for the file that CREATE makes
 * @open:        wait until an attached file may be used; called with no lock
 * @detach:      count a file out
 * @remove:      the object was removed: wake everybody
 * @stat:        tell the payload's state
 * @read:        take data out; the handle is NULL for a by-id operation
 * @write:       put data in; likewise
 * @round:       tell what new limits of the payload come to, -EINVAL if they can't be
 * @resize:      change to them in use; both are NULL if they are fixed
 * @lock:        for WAIT: the lock that guards what @events tells; NULL if it needs none
 * @events:      what poll(2) would tell of a file now, under @lock
 * @moves:       without @lock: a number that is another whenever @events may have been
 *		 another since
 */
struct ipcx_type_ops {
	const char *name;
	u32 id;
	umode_t s_ifmt;
	size_t object_size;
	size_t kept_size;
	size_t handle_size;
	size_t params_size;
	size_t params_min;
	const struct file_operations *fops;
	int (*prepare)(void *params, u64 *bytes);
	int (*init)(struct ipcx_object *obj, const void *params);
	void (*destroy)(struct ipcx_object *obj);
	int (*attach)(struct ipcx_handle *handle,
		      const struct ipcx_patience *patience);
	int (*open)(struct ipcx_handle *handle,
		    const struct ipcx_patience *patience);
	void (*detach)(struct ipcx_handle *handle);
	void (*remove)(struct ipcx_object *obj);
	void (*stat)(struct ipcx_object *obj, struct pid_namespace *pid_ns,
		     struct ipcx_stat *stat);
	ssize_t (*read)(struct ipcx_object *obj, struct ipcx_handle *handle,
			struct iov_iter *to,
			const struct ipcx_patience *patience);
	ssize_t (*write)(struct ipcx_object *obj, struct ipcx_handle *handle,
			 struct iov_iter *from,
			 const struct ipcx_patience *patience);
	int (*round)(struct ipcx_object *obj, struct ipcx_resize *req);
	int (*resize)(struct ipcx_object *obj, const struct ipcx_resize *req,
		      const struct ipcx_patience *patience);
	spinlock_t *(*lock)(struct ipcx_object *obj);
	__poll_t (*events)(struct ipcx_handle *handle);
	u64 (*moves)(struct ipcx_object *obj);
};

/* pipe.c */
extern const struct ipcx_type_ops ipcx_pipe_type;

/* queue.c */
extern const struct ipcx_type_ops ipcx_queue_type;

/* sem.c */
extern const struct ipcx_type_ops ipcx_sem_type;

const struct ipcx_type_ops *ipcx_type_find(u32 id);
u32 ipcx_type_mask(void);

int ipcx_fs_pin(void);
void ipcx_fs_unpin(void);

bool ipcx_name_valid(const char *name, u32 len);

/* A new object, known to nobody: one user's reference, for the caller. */
struct ipcx_object *ipcx_object_create(struct ipcx_ns *ns,
				       const struct ipcx_spec *spec);

/* For a type that changes an object's size. */
struct ipcx_charge *ipcx_object_charge(const struct ipcx_object *obj, u64 bytes);
void ipcx_object_recharge(struct ipcx_object *obj, struct ipcx_charge **charge,
			  u64 refund);

bool ipcx_object_tryget(struct ipcx_object *obj);
void ipcx_object_get(struct ipcx_object *obj);
void ipcx_object_put(struct ipcx_object *obj);

int ipcx_object_permission(const struct ipcx_object *obj, int mask);
int ipcx_object_may(const struct ipcx_object *obj, const struct ipcx_handle *handle,
		    bool reading);
int ipcx_object_access(const struct ipcx_object *obj, u32 access);
bool ipcx_object_visible(const struct ipcx_object *obj);
bool ipcx_object_owned_by_caller(const struct ipcx_object *obj);
void ipcx_object_stat(struct ipcx_object *obj, struct ipcx_stat *stat,
		      struct user_namespace *user_ns,
		      struct pid_namespace *pid_ns);

static inline bool ipcx_object_removed(const struct ipcx_object *obj)
{
	return READ_ONCE(obj->removed);
}

/* A file for @obj, its reader or writer counted, not waited for. */
struct file *ipcx_object_file(struct ipcx_object *obj, u32 access, u32 flags,
			      const struct ipcx_patience *patience);

struct ipcx_handle *ipcx_file_handle(struct file *file);

/* For the types' file_operations. */
int ipcx_file_open(struct inode *inode, struct file *file);
int ipcx_file_release(struct inode *inode, struct file *file);
void ipcx_file_show_fdinfo(struct seq_file *m, struct file *file);

#endif /* _IPCX_OBJECT_H */
