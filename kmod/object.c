// SPDX-License-Identifier: GPL-2.0
/*
 * Objects: inodes, files, references, permission.
 *
 *	struct file --private_data--> ipcx_handle --user--> ipcx_object
 *	     |                                              |       ^
 *	   dentry ------------------> inode <--reference----+       |
 *	                                |                           |
 *	                                +---------i_private---------+
 *
 * An object's payload lives as long as it has users (see struct ipcx_object);
 * the structure itself lives as long as the inode, because a path to the inode
 * can outlive every open file and be opened again: that finds users at 0.
 *
 * Inodes live in an internal file system that is mounted only while objects
 * exist or device files are open. The mount holds a reference on the module: that
 * is what makes rmmod fail while anything is left, an O_PATH descriptor included.
 */
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/nospec.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/pseudo_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "account.h"
#include "object.h"
#include "registry.h"
#include "wait.h"

#define IPCX_FS_MAGIC	0x49504358	/* "IPCX" */

static struct vfsmount *ipcx_mnt;
static int ipcx_mnt_count;

static atomic64_t last_cookie = ATOMIC64_INIT(0);

static const struct ipcx_type_ops *const types[] = {
	[IPCX_TYPE_PIPE] = &ipcx_pipe_type,
	[IPCX_TYPE_QUEUE] = &ipcx_queue_type,
	[IPCX_TYPE_SEM] = &ipcx_sem_type,
};

/**
 * ipcx_type_find - a type's operations
 * @id: an &enum ipcx_type, or anything
 *
 * Return: the operations, or NULL if there is no such type.
 */
const struct ipcx_type_ops *ipcx_type_find(u32 id)
{
	if (id >= ARRAY_SIZE(types))
		return NULL;
	return types[array_index_nospec(id, ARRAY_SIZE(types))];
}

/**
 * ipcx_type_mask - which types there are
 *
 * Return: the bit 1 << id for each.
 */
u32 ipcx_type_mask(void)
{
	u32 id, mask = 0;

	for (id = 0; id < ARRAY_SIZE(types); id++)
		if (types[id])
			mask |= BIT(id);
	return mask;
}

/**
 * ipcx_name_valid - may an object be called this?
 * @name: bytes
 * @len:  their number, at least 1 and at most %IPCX_NAME_MAX
 */
bool ipcx_name_valid(const char *name, u32 len)
{
	return !memchr(name, '/', len) && !memchr(name, '\0', len);
}

/* The object of an inode, if it still has users, with one for the caller. */
static struct ipcx_object *inode_object_tryget(struct inode *inode)
{
	struct ipcx_object *obj = inode->i_private;

	return ipcx_object_tryget(obj) ? obj : NULL;
}

/* The rules of files. */
static bool mode_allows(const struct inode *inode, int mask)
{
	umode_t mode = READ_ONCE(inode->i_mode);

	if (uid_eq(current_fsuid(), inode->i_uid))
		mode >>= 6;
	else if (in_group_p(inode->i_gid))
		mode >>= 3;
	return !(mask & (MAY_READ | MAY_WRITE | MAY_EXEC) & ~mode);
}

/* What it takes to see that the object is there, without the capability. */
static bool mode_shows(const struct inode *inode)
{
	return uid_eq(current_fsuid(), inode->i_uid) ||
	       mode_allows(inode, MAY_READ) || mode_allows(inode, MAY_WRITE);
}

/* In the place of CAP_DAC_OVERRIDE. */
static bool caller_overrides(const struct ipcx_object *obj)
{
	return ns_capable(obj->ns->user_ns, CAP_IPC_OWNER);
}

/**
 * ipcx_object_permission - may the caller read, write?
 * @obj:  with a user's reference of the caller
 * @mask: MAY_READ, MAY_WRITE
 *
 * Return: 0 or -EACCES.
 */
int ipcx_object_permission(const struct ipcx_object *obj, int mask)
{
	return mode_allows(obj->inode, mask) || caller_overrides(obj) ?
		       0 : -EACCES;
}

/**
 * ipcx_object_may - may the caller do what reads, or what writes?
 * @obj:     with a user's reference of the caller
 * @handle:  the file that he does it on, or NULL on the device
 * @reading: and not writing
 *
 * Return: 0; -EBADF of a file that wasn't opened for it; -EACCES.
 */
int ipcx_object_may(const struct ipcx_object *obj, const struct ipcx_handle *handle,
		    bool reading)
{
	if (handle)
		return handle->f_mode & (reading ? FMODE_READ : FMODE_WRITE) ? 0 : -EBADF;
	return ipcx_object_permission(obj, reading ? MAY_READ : MAY_WRITE);
}

/**
 * ipcx_object_access - may the caller open this?
 * @obj:    with a user's reference of the caller
 * @access: an &enum ipcx_access; for none, being the owner is enough, or one of
 *	    the others
 *
 * Return: 0 or -EACCES.
 */
int ipcx_object_access(const struct ipcx_object *obj, u32 access)
{
	if (access == IPCX_ACCESS_NONE)
		return mode_shows(obj->inode) || caller_overrides(obj) ?
			       0 : -EACCES;
	return ipcx_object_permission(obj,
				      (access & IPCX_ACCESS_READ ? MAY_READ : 0) |
				      (access & IPCX_ACCESS_WRITE ? MAY_WRITE : 0));
}

/**
 * ipcx_object_visible - is the object there for the caller?
 * @obj: with a user's reference of the caller
 *
 * As access for none, but who isn't shown an object in a list has not tried to
 * get at it: that is no matter for the audit log.
 */
bool ipcx_object_visible(const struct ipcx_object *obj)
{
	return mode_shows(obj->inode) ||
	       ns_capable_noaudit(obj->ns->user_ns, CAP_IPC_OWNER);
}

/**
 * ipcx_object_owned_by_caller - may the caller unlink, remove, chmod, chown?
 * @obj: with a user's reference of the caller
 */
bool ipcx_object_owned_by_caller(const struct ipcx_object *obj)
{
	return uid_eq(current_fsuid(), obj->inode->i_uid) ||
	       caller_overrides(obj);
}

static int ipcx_permission(struct mnt_idmap *idmap, struct inode *inode,
			   int mask)
{
	struct ipcx_object *obj;
	int err;

	/* Taking a user can end in giving back the last one, which sleeps. */
	if (mask & MAY_NOT_BLOCK)
		return -ECHILD;
	obj = inode_object_tryget(inode);
	if (!obj)
		return -ENOENT;
	err = ipcx_object_permission(obj, mask);
	ipcx_object_put(obj);
	return err;
}

/* Called with the inode's lock held. */
static int setattr_locked(struct ipcx_object *obj, struct inode *inode,
			  const struct iattr *attr)
{
	if (attr->ia_valid & (ATTR_SIZE | ATTR_ATIME | ATTR_MTIME))
		return -EPERM;
	if (!ipcx_object_owned_by_caller(obj))
		return -EPERM;
	if (attr->ia_valid & ATTR_UID)
		inode->i_uid = attr->ia_uid;
	if (attr->ia_valid & ATTR_GID)
		inode->i_gid = attr->ia_gid;
	if (attr->ia_valid & ATTR_MODE)
		WRITE_ONCE(inode->i_mode, (inode->i_mode & S_IFMT) |
					  (attr->ia_mode & 0777));
	inode_set_ctime_current(inode);
	return 0;
}

static int ipcx_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct ipcx_object *obj = inode_object_tryget(inode);
	int err;

	if (!obj)
		return -ENOENT;
	err = ipcx_object_removed(obj) ? -EIDRM :
	      setattr_locked(obj, inode, attr);
	ipcx_object_put(obj);
	return err;
}

static int ipcx_getattr(struct mnt_idmap *idmap, const struct path *path,
			struct kstat *stat, u32 request_mask,
			unsigned int query_flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct ipcx_object *obj = inode_object_tryget(inode);
	struct ipcx_stat ipcx = {};

	ipcx_fillattr(idmap, request_mask, inode, stat);
	if (!obj)
		return 0;
	obj->type->stat(obj, task_active_pid_ns(current), &ipcx);
	stat->size = ipcx.used_bytes;
	stat->atime = ns_to_timespec64(ipcx.read_ns ?: obj->created_ns);
	stat->mtime = ns_to_timespec64(ipcx.write_ns ?: obj->created_ns);
	ipcx_object_put(obj);
	return 0;
}

static const struct inode_operations ipcx_iops = {
	.permission = ipcx_permission,
	.setattr = ipcx_setattr,
	.getattr = ipcx_getattr,
};

static void ipcx_evict_inode(struct inode *inode)
{
	struct ipcx_object *obj = inode->i_private;

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (obj)
		kfree_rcu(obj, rcu);
}

static const struct super_operations ipcx_sops = {
	.statfs = simple_statfs,
	.evict_inode = ipcx_evict_inode,
};

/* What readlink("/proc/PID/fd/N") says; paths are built from the buffer's end. */
static char *ipcx_dname(struct dentry *dentry, char *buffer, int len)
{
	struct ipcx_object *obj = d_inode(dentry)->i_private;
	char path[32];
	int size = 1 + scnprintf(path, sizeof(path), "ipcx:%s:[%u]",
				 obj->type->name, obj->id);

	if (size > len)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + len - size, path, size);
}

static const struct dentry_operations ipcx_dops = {
	.d_dname = ipcx_dname,
};

static int ipcx_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, IPCX_FS_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &ipcx_sops;
	ctx->dops = &ipcx_dops;
	/* init_pseudo() has made it global: whoever pins it, all uids map. */
	return 0;
}

static struct file_system_type ipcx_fs = {
	.name = "ipcx",
	.owner = THIS_MODULE,
	.init_fs_context = ipcx_init_fs_context,
	.kill_sb = kill_anon_super,
};

/**
 * ipcx_fs_pin - keep the file system mounted
 *
 * Every object does, and every device file: or a program that makes and drops
 * one object at a time would mount and unmount each time.
 *
 * Return: 0 or a negative errno.
 */
int ipcx_fs_pin(void)
{
	return simple_pin_fs(&ipcx_fs, &ipcx_mnt, &ipcx_mnt_count);
}

/**
 * ipcx_fs_unpin - give back what ipcx_fs_pin() took
 */
void ipcx_fs_unpin(void)
{
	simple_release_fs(&ipcx_mnt, &ipcx_mnt_count);
}

/* obj->inode, from then on what keeps @obj allocated. */
static int object_make_inode(struct ipcx_object *obj, umode_t mode)
{
	struct inode *inode;
	int err;

	err = ipcx_fs_pin();
	if (err)
		return err;
	inode = alloc_anon_inode(ipcx_mnt->mnt_sb);
	if (IS_ERR(inode)) {
		ipcx_fs_unpin();
		return PTR_ERR(inode);
	}
	inode->i_mode = obj->type->s_ifmt | (mode & ~current_umask() & 0777);
	inode->i_op = &ipcx_iops;
	inode->i_fop = obj->type->fops;
	inode->i_private = obj;
	obj->inode = inode;
	return 0;
}

static void object_drop_inode(struct ipcx_object *obj)
{
	iput(obj->inode);
	ipcx_fs_unpin();
}

static bool object_death_pin(struct ipcx_death *death)
{
	return ipcx_object_tryget(container_of(death, struct ipcx_object, death));
}

static void object_death_run(struct ipcx_death *death)
{
	struct ipcx_object *obj = container_of(death, struct ipcx_object, death);

	ipcx_unlink(obj);
}

static void object_death_unpin(struct ipcx_death *death)
{
	ipcx_object_put(container_of(death, struct ipcx_object, death));
}

/* What an object costs beside its payload. */
static u64 object_overhead(const struct ipcx_type_ops *type, u32 name_len)
{
	return type->object_size + type->kept_size + name_len + 1 +
	       sizeof(struct inode);
}

static void object_free(struct ipcx_object *obj)
{
	put_pid(obj->creator);
	/* The namespace's account is part of the ipcx_ns. */
	ipcx_uncharge(obj->charge);
	ipcx_ns_put(obj->ns);
}

/*
 * The common part, all but inode and payload. The name stands behind the type's
 * structure: look-ups may still compare it while the object is on its way out.
 */
static struct ipcx_object *object_alloc(struct ipcx_ns *ns,
					const struct ipcx_spec *spec,
					struct ipcx_charge *charge)
{
	struct ipcx_object *obj;

	obj = kzalloc(spec->type->object_size + spec->name_len + 1,
		      GFP_KERNEL_ACCOUNT);
	if (!obj)
		return NULL;
	if (spec->name) {
		obj->name = (char *)obj + spec->type->object_size;
		obj->name_len = spec->name_len;
		memcpy(obj->name, spec->name, spec->name_len);
	}
	obj->type = spec->type;
	obj->ns = ipcx_ns_get(ns);
	obj->charge = charge;
	obj->charged_bytes = charge->bytes;
	obj->lifetime = spec->lifetime;
	obj->cookie = atomic64_inc_return(&last_cookie);
	obj->creator = get_pid(task_tgid(current));
	obj->creator_uid = current_fsuid();
	obj->creator_gid = current_fsgid();
	obj->created_ns = ktime_get_coarse_real_ns();
	refcount_set(&obj->users, 1);
	INIT_LIST_HEAD(&obj->death.node);
	obj->death.pin = object_death_pin;
	obj->death.run = object_death_run;
	obj->death.unpin = object_death_unpin;
	return obj;
}

/* Payload and inode of a fresh object, which isn't freed here on failure. */
static int object_setup(struct ipcx_object *obj, const struct ipcx_spec *spec)
{
	int err;

	err = obj->type->init(obj, spec->params);
	if (err)
		return err;
	if (obj->lifetime == IPCX_LIFETIME_OWNED) {
		err = ipcx_death_watch(&obj->death);
		if (err)
			goto destroy;
	}
	err = object_make_inode(obj, spec->mode);
	if (!err)
		return 0;

	ipcx_death_cancel(&obj->death);
destroy:
	obj->type->destroy(obj);
	return err;
}

/**
 * ipcx_object_create - make an object that nobody knows yet
 * @ns:   where it will live
 * @spec: what is wanted
 *
 * Charges the caller. ipcx_publish() makes it known.
 *
 * Return: the object with one user's reference, or -EINVAL, -EDQUOT, -ENOMEM.
 */
struct ipcx_object *ipcx_object_create(struct ipcx_ns *ns,
				       const struct ipcx_spec *spec)
{
	struct ipcx_charge *charge;
	struct ipcx_object *obj;
	u64 bytes;
	int err;

	err = spec->type->prepare(spec->params, &bytes);
	if (err)
		return ERR_PTR(err);
	charge = ipcx_charge(ns, 1, bytes + object_overhead(spec->type,
							    spec->name_len));
	if (IS_ERR(charge))
		return ERR_CAST(charge);
	obj = object_alloc(ns, spec, charge);
	if (!obj) {
		ipcx_uncharge(charge);
		return ERR_PTR(-ENOMEM);
	}
	err = object_setup(obj, spec);
	if (err) {
		object_free(obj);
		kfree_rcu(obj, rcu);
		return ERR_PTR(err);
	}
	return obj;
}

/**
 * ipcx_object_charge - charge the caller for an object with a larger payload
 * @obj:   with a user's reference of the caller
 * @bytes: the payload's maximum
 *
 * Return: a receipt for ipcx_object_recharge(), or -EDQUOT, -ENOMEM.
 */
struct ipcx_charge *ipcx_object_charge(const struct ipcx_object *obj, u64 bytes)
{
	return ipcx_charge(obj->ns, 1,
			   bytes + object_overhead(obj->type, obj->name_len));
}

/**
 * ipcx_object_recharge - the object's payload has changed its size
 * @obj:    the type keeps others from doing the same
 * @charge: the new payer's receipt, replaced by the old one for the caller to
 *	    give back; or NULL: who has paid goes on paying, less @refund
 * @refund: bytes that are no longer charged
 */
void ipcx_object_recharge(struct ipcx_object *obj, struct ipcx_charge **charge,
			  u64 refund)
{
	if (*charge)
		swap(obj->charge, *charge);
	else
		ipcx_charge_reduce(obj->charge, refund);
	WRITE_ONCE(obj->charged_bytes, obj->charge->bytes);
}

/**
 * ipcx_object_tryget - become a user, unless there is none any more
 * @obj: kept allocated by RCU or its inode
 */
bool ipcx_object_tryget(struct ipcx_object *obj)
{
	return refcount_inc_not_zero(&obj->users);
}

/**
 * ipcx_object_get - become a user
 * @obj: the caller is one already
 */
void ipcx_object_get(struct ipcx_object *obj)
{
	refcount_inc(&obj->users);
}

/**
 * ipcx_object_put - be a user no more; may sleep
 * @obj: the caller's
 *
 * With the last user the payload goes, and all that the object holds. What
 * remains, until the inode is evicted, is memory that i_private points to.
 */
void ipcx_object_put(struct ipcx_object *obj)
{
	if (!refcount_dec_and_test(&obj->users))
		return;
	ipcx_death_cancel(&obj->death);
	ipcx_withdraw(obj);
	obj->type->destroy(obj);
	object_free(obj);
	object_drop_inode(obj);
}

/**
 * ipcx_object_stat - tell what IPC_STAT would
 * @obj:     with a user's reference of the caller
 * @stat:    filled in; zero before, but for ref
 * @user_ns: whose uids and gids
 * @pid_ns:  whose pids
 */
void ipcx_object_stat(struct ipcx_object *obj, struct ipcx_stat *stat,
		      struct user_namespace *user_ns,
		      struct pid_namespace *pid_ns)
{
	const struct inode *inode = obj->inode;
	struct timespec64 changed = inode_get_ctime(inode);

	stat->size = sizeof(*stat);
	stat->flags = (READ_ONCE(obj->named) ? IPCX_STAT_NAMED : 0) |
		      (READ_ONCE(obj->linked) ? IPCX_STAT_LINKED : 0);
	stat->id = obj->id;
	stat->type = obj->type->id;
	stat->cookie = obj->cookie;
	stat->lifetime = obj->lifetime;
	stat->mode = READ_ONCE(inode->i_mode) & 0777;
	stat->uid = from_kuid_munged(user_ns, inode->i_uid);
	stat->gid = from_kgid_munged(user_ns, inode->i_gid);
	stat->creator_uid = from_kuid_munged(user_ns, obj->creator_uid);
	stat->creator_gid = from_kgid_munged(user_ns, obj->creator_gid);
	stat->creator_pid = pid_nr_ns(obj->creator, pid_ns);
	stat->opens = atomic_read(&obj->opens);
	stat->created_ns = obj->created_ns;
	stat->changed_ns = timespec64_to_ns(&changed);
	stat->charged_bytes = READ_ONCE(obj->charged_bytes);
	if (stat->flags & IPCX_STAT_NAMED) {
		stat->name_len = obj->name_len;
		memcpy(stat->name, obj->name, obj->name_len);
	}
	obj->type->stat(obj, pid_ns, stat);
}

/* What an open file costs beside the handle. */
#define FILE_OVERHEAD	(sizeof(struct file) + sizeof(struct dentry))

static struct ipcx_handle *handle_alloc(struct ipcx_object *obj, fmode_t mode)
{
	struct ipcx_handle *handle;

	handle = kzalloc(obj->type->handle_size, GFP_KERNEL_ACCOUNT);
	if (!handle)
		return ERR_PTR(-ENOMEM);
	handle->charge = ipcx_charge(obj->ns, 0,
				     obj->type->handle_size + FILE_OVERHEAD);
	if (IS_ERR(handle->charge)) {
		struct ipcx_charge *err = handle->charge;

		kfree(handle);
		return ERR_CAST(err);
	}
	ipcx_object_get(obj);
	handle->obj = obj;
	handle->f_mode = mode & (FMODE_READ | FMODE_WRITE);
	return handle;
}

/* The destructor of files, and of those that failed to become one. */
static void handle_free(struct ipcx_handle *handle)
{
	if (handle->attached) {
		handle->obj->type->detach(handle);
		atomic_dec(&handle->obj->opens);
	}
	ipcx_uncharge(handle->charge);
	ipcx_object_put(handle->obj);
	kfree_rcu(handle, rcu);
}

/* The handle is the file's, whatever comes: its release() frees it. */
static void file_set_handle(struct file *file, struct ipcx_handle *handle)
{
	file->private_data = handle;
	stream_open(file_inode(file), file);
	file->f_mode |= FMODE_NOWAIT;
}

static int handle_attach(struct ipcx_handle *handle,
			 const struct ipcx_patience *patience)
{
	int err = handle->obj->type->attach(handle, patience);

	if (err)
		return err;
	atomic_inc(&handle->obj->opens);
	handle->attached = true;
	return 0;
}

/**
 * ipcx_object_file - open an object
 * @obj:      with a user's reference of the caller; permission has been checked
 * @access:   an &enum ipcx_access
 * @flags:    %IPCX_NONBLOCK; others are ignored
 * @patience: how the opener waits, NULL if he made the object
 *
 * The file counts as reader, writer, both or neither at once; whether it may be
 * used at once is the type's open() to tell.
 *
 * Return: the file, or -EDQUOT, -ENFILE, -ENOMEM, -ENXIO.
 */
struct file *ipcx_object_file(struct ipcx_object *obj, u32 access, u32 flags,
			      const struct ipcx_patience *patience)
{
	/* O_ACCMODE opens a file for neither; see open(2). */
	static const int o_access[] = {
		[IPCX_ACCESS_NONE] = O_ACCMODE,
		[IPCX_ACCESS_READ] = O_RDONLY,
		[IPCX_ACCESS_WRITE] = O_WRONLY,
		[IPCX_ACCESS_RDWR] = O_RDWR,
	};
	int o_flags = o_access[access];
	struct ipcx_handle *handle;
	struct file *file;
	int err;

	if (flags & IPCX_NONBLOCK)
		o_flags |= O_NONBLOCK;
	handle = handle_alloc(obj, OPEN_FMODE(o_flags));
	if (IS_ERR(handle))
		return ERR_CAST(handle);
	ihold(obj->inode);
	file = alloc_file_pseudo(obj->inode, ipcx_mnt, obj->type->name, o_flags,
				 fops_get(obj->type->fops));
	if (IS_ERR(file)) {
		fops_put(obj->type->fops);
		iput(obj->inode);
		handle_free(handle);
		return file;
	}
	/* As mainline since 6.14: nobody watches what has no path. */
	file->f_mode |= FMODE_NONOTIFY;
	file_set_handle(file, handle);
	err = handle_attach(handle, patience);
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}
	return file;
}

/**
 * ipcx_file_open - an object is opened through a path, /proc/self/fd/N
 * @inode: the object's
 * @file:  new; the VFS has checked permission with ipcx_permission()
 */
int ipcx_file_open(struct inode *inode, struct file *file)
{
	struct ipcx_patience patience =
		ipcx_patience_of_file(file->f_flags & O_NONBLOCK);
	struct ipcx_object *obj = inode_object_tryget(inode);
	struct ipcx_handle *handle;
	int err;

	if (!obj)
		return -ENOENT;
	handle = handle_alloc(obj, file->f_mode);
	ipcx_object_put(obj);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	file_set_handle(file, handle);
	err = ipcx_object_removed(obj) ? -EIDRM :
	      handle_attach(handle, &patience) ?:
	      obj->type->open(handle, &patience);
	if (err)
		handle_free(handle);
	return err;
}

/**
 * ipcx_file_release - the last descriptor of a file is gone
 * @inode: the object's
 * @file:  its private_data goes
 */
int ipcx_file_release(struct inode *inode, struct file *file)
{
	handle_free(file->private_data);
	return 0;
}

/**
 * ipcx_file_handle - an object's open file
 * @file: any
 *
 * Return: NULL if it isn't one.
 */
struct ipcx_handle *ipcx_file_handle(struct file *file)
{
	return file->f_op->release == ipcx_file_release ? file->private_data : NULL;
}

/**
 * ipcx_file_show_fdinfo - say in /proc/PID/fdinfo/N what this is
 * @m:    where to
 * @file: the file
 */
void ipcx_file_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct ipcx_handle *handle = file->private_data;
	struct ipcx_object *obj = handle->obj;

	seq_printf(m, "ipcx-type:\t%s\n", obj->type->name);
	seq_printf(m, "ipcx-id:\t%u\n", obj->id);
	seq_printf(m, "ipcx-cookie:\t%llu\n", obj->cookie);
	if (READ_ONCE(obj->named)) {
		seq_puts(m, "ipcx-name:\t");
		seq_escape(m, obj->name, " \t\n\\");
		seq_putc(m, '\n');
	}
	if (ipcx_object_removed(obj))
		seq_puts(m, "ipcx-removed:\t1\n");
}
