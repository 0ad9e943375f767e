// SPDX-License-Identifier: GPL-2.0
/*
 * The commands of /dev/ipcx and of object files.
 *
 * One table serves both: a command finds its object through a struct ipcx_ref
 * on the device, and in the file on an object. Every handler goes: copy in,
 * check, look up, check permission, do; user memory is touched with no lock
 * held.
 */
#include <linux/file.h>
#include <linux/ipcx.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "account.h"
#include "compat/uio.h"
#include "index.h"
#include "ioctl.h"
#include "object.h"
#include "pipe.h"
#include "queue.h"
#include "registry.h"
#include "select.h"
#include "sem.h"
#include "wait.h"

/**
 * struct call - where a command was given
 * @ns:     the namespace: of the device file, or of the object
 * @file:   the file
 * @handle: its private_data on an object's file, NULL on the device
 * @arg:    the argument's address
 * @size:   its size as the caller knows it
 * @patience: of SELECT, whatever argument and file say; or NULL
 */
struct call {
	struct ipcx_ns *ns;
	struct file *file;
	struct ipcx_handle *handle;
	void __user *arg;
	size_t size;
	const struct ipcx_patience *patience;
};

/**
 * struct command - a row of the table
 * @cmd:   its number; the size in it is today's
 * @min:   size of its argument when it was first published
 * @where: ON_DEVICE, ON_OBJECT, IN_SELECT
 * @run:   the handler
 */
struct command {
	unsigned int cmd;
	size_t min;
	unsigned int where;
	long (*run)(const struct call *call);
};

#define ON_DEVICE	1
#define ON_OBJECT	2
#define IN_SELECT	4

static int copy_in(const struct call *call, void *dst, size_t size)
{
	return copy_struct_from_user(dst, size, call->arg, call->size);
}

/* The smaller of both sizes; @src tells ours in its size field. */
static int copy_out(const struct call *call, const void *src, size_t size)
{
	return copy_to_user(call->arg, src, min(size, call->size)) ? -EFAULT : 0;
}

/* A name from user memory, checked and terminated, for the caller to free. */
static char *copy_name(u64 addr, u32 len)
{
	char *name;

	if (len > IPCX_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	if (!len)
		return ERR_PTR(-EINVAL);
	name = memdup_user_nul(u64_to_user_ptr(addr), len);
	if (!IS_ERR(name) && !ipcx_name_valid(name, len)) {
		kfree(name);
		return ERR_PTR(-EINVAL);
	}
	return name;
}

static struct ipcx_object *find_by_name(struct ipcx_ns *ns,
					const struct ipcx_ref *ref)
{
	char *name = copy_name(ref->name, ref->name_len);
	struct ipcx_object *obj;

	if (IS_ERR(name))
		return ERR_CAST(name);
	obj = ipcx_find_name(ns, name, ref->name_len);
	kfree(name);
	return obj;
}

static struct ipcx_object *find_on_device(struct ipcx_ns *ns,
					  const struct ipcx_ref *ref)
{
	struct ipcx_object *obj;

	if (!ref->name == !ref->id || (!ref->name && ref->name_len) ||
	    ref->id > INT_MAX)
		return ERR_PTR(-EINVAL);
	if (ref->name)
		obj = find_by_name(ns, ref);
	else
		obj = ipcx_find_id(ns, ref->id);
	if (IS_ERR(obj))
		return obj;
	if (ref->cookie && ref->cookie != obj->cookie) {
		ipcx_object_put(obj);
		return ERR_PTR(-ESTALE);
	}
	return obj;
}

/* The object that is meant, with a user's reference for the caller. */
static struct ipcx_object *find(const struct call *call,
				const struct ipcx_ref *ref)
{
	struct ipcx_object *obj;

	if (!call->handle) {
		obj = find_on_device(call->ns, ref);
	} else if (ref->name || ref->name_len || ref->id || ref->cookie) {
		obj = ERR_PTR(-EINVAL);
	} else {
		obj = call->handle->obj;
		ipcx_object_get(obj);
	}
	if (!IS_ERR(obj) && ipcx_object_removed(obj)) {
		ipcx_object_put(obj);
		obj = ERR_PTR(-EIDRM);
	}
	return obj;
}

/* The same to take part in it: transient objects have no door but their name. */
static struct ipcx_object *find_to_use(const struct call *call,
				       const struct ipcx_ref *ref)
{
	struct ipcx_object *obj = find(call, ref);

	if (!IS_ERR(obj) && ref->id &&
	    obj->lifetime != IPCX_LIFETIME_PERSISTENT) {
		ipcx_object_put(obj);
		obj = ERR_PTR(-ENOENT);
	}
	return obj;
}

/* The same for a transfer, and how it waits: as it says, or as the file does. */
static struct ipcx_object *find_to_transfer(const struct call *call,
					    const struct ipcx_ref *ref,
					    const struct ipcx_deadline *deadline,
					    u32 flags,
					    struct ipcx_patience *patience)
{
	int err = ipcx_patience_init(patience, deadline, flags);

	if (err)
		return ERR_PTR(err);
	if (call->file->f_flags & O_NONBLOCK)
		patience->nonblock = true;
	if (call->patience)
		*patience = *call->patience;
	return find_to_use(call, ref);
}

/* May the caller do on it what one type has, and what reads or writes? */
static int allowed(const struct call *call, const struct ipcx_object *obj, u32 type,
		   bool reading)
{
	if (obj->type->id != type)
		return -EOPNOTSUPP;
	return ipcx_object_may(obj, call->handle, reading);
}

/* A new file of @obj under a new descriptor, which isn't yet installed. */
static int new_fd(struct ipcx_object *obj, u32 access, u32 flags,
		  const struct ipcx_patience *patience, struct file **filep)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(flags & IPCX_INHERIT ? 0 : O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = ipcx_object_file(obj, access, flags, patience);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	*filep = file;
	return fd;
}

/* ---- CREATE ---- */

static int create_check(const struct ipcx_create *req)
{
	if (req->reserved || req->mode & ~0777U ||
	    req->access > IPCX_ACCESS_RDWR ||
	    req->lifetime > IPCX_LIFETIME_OWNED ||
	    req->flags & ~(u32)(IPCX_NONBLOCK | IPCX_INHERIT | IPCX_OR_OPEN))
		return -EINVAL;
	if (!req->name && (req->name_len || req->flags & IPCX_OR_OPEN))
		return -EINVAL;
	if (!req->params && req->params_size)
		return -EINVAL;
	return req->type == IPCX_TYPE_ANY ? -EINVAL : 0;
}

/* The type's parameters, or all zeros, for the caller to free. */
static void *copy_params(const struct ipcx_type_ops *type,
			 const struct ipcx_create *req)
{
	void *params = kzalloc(type->params_size, GFP_KERNEL_ACCOUNT);
	int err;

	if (!params)
		return ERR_PTR(-ENOMEM);
	if (!req->params)
		return params;
	err = req->params_size < type->params_min ? -EINVAL :
	      req->params_size > PAGE_SIZE ? -E2BIG :
	      copy_struct_from_user(params, type->params_size,
				    u64_to_user_ptr(req->params),
				    req->params_size);
	if (err) {
		kfree(params);
		return ERR_PTR(err);
	}
	return params;
}

/* For OR_OPEN: as CREATE, it doesn't wait for the other side. */
static long open_existing(struct ipcx_ns *ns, const struct ipcx_create *req,
			  const struct ipcx_spec *spec)
{
	struct ipcx_object *obj = ipcx_find_name(ns, spec->name, spec->name_len);
	struct file *file;
	int fd;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	fd = obj->type != spec->type ? -EPROTOTYPE :
	     ipcx_object_access(obj, req->access);
	if (!fd)
		fd = new_fd(obj, req->access, req->flags, NULL, &file);
	if (fd >= 0)
		fd_install(fd, file);
	ipcx_object_put(obj);
	return fd;
}

/* What CREATE does if the name exists; -ENOENT if it doesn't. */
static long name_exists(struct ipcx_ns *ns, const struct ipcx_create *req,
			const struct ipcx_spec *spec)
{
	struct ipcx_object *obj;

	if (!spec->name)
		return -ENOENT;
	if (req->flags & IPCX_OR_OPEN)
		return open_existing(ns, req, spec);
	obj = ipcx_find_name(ns, spec->name, spec->name_len);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ipcx_object_put(obj);
	return -EEXIST;
}

/* Names may come and go: publish the new object, or do what name_exists() does. */
static long publish_or_open(struct ipcx_object *obj, struct ipcx_ns *ns,
			    const struct ipcx_create *req,
			    const struct ipcx_spec *spec, int fd,
			    struct file *file)
{
	long ret;

	for (;;) {
		ret = ipcx_publish(obj);
		if (!ret) {
			fd_install(fd, file);
			return fd;
		}
		if (ret == -EEXIST)
			ret = name_exists(ns, req, spec);
		if (ret == -ENOENT && signal_pending(current))
			ret = -ERESTARTNOINTR;
		if (ret != -ENOENT)
			break;
		cond_resched();
	}
	fput(file);
	put_unused_fd(fd);
	return ret;
}

static long create_new(struct ipcx_ns *ns, const struct ipcx_create *req,
		       const struct ipcx_spec *spec)
{
	struct ipcx_object *obj = ipcx_object_create(ns, spec);
	struct file *file;
	long ret;
	int fd;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	fd = new_fd(obj, req->access, req->flags, NULL, &file);
	ret = fd < 0 ? fd : publish_or_open(obj, ns, req, spec, fd, file);
	ipcx_object_put(obj);
	return ret;
}

static long create(struct ipcx_ns *ns, const struct ipcx_create *req,
		   const struct ipcx_spec *spec)
{
	long ret = name_exists(ns, req, spec);

	return ret == -ENOENT ? create_new(ns, req, spec) : ret;
}

static long run_create(const struct call *call)
{
	struct ipcx_spec spec = {};
	struct ipcx_create req;
	char *name = NULL;
	long ret;

	ret = copy_in(call, &req, sizeof(req)) ?: create_check(&req);
	if (ret)
		return ret;
	spec.type = ipcx_type_find(req.type);
	if (!spec.type)
		return -EOPNOTSUPP;
	spec.lifetime = req.lifetime;
	spec.mode = req.mode;
	if (req.name) {
		name = copy_name(req.name, req.name_len);
		if (IS_ERR(name))
			return PTR_ERR(name);
		spec.name = name;
		spec.name_len = req.name_len;
	}
	spec.params = copy_params(spec.type, &req);
	if (IS_ERR(spec.params)) {
		ret = PTR_ERR(spec.params);
	} else {
		ret = create(call->ns, &req, &spec);
		kfree(spec.params);
	}
	kfree(name);
	return ret;
}

/* ---- OPEN ---- */

static long open_object(struct ipcx_object *obj, const struct ipcx_open *req,
			const struct ipcx_patience *patience)
{
	struct file *file;
	int fd, err;

	if (req->type != IPCX_TYPE_ANY && req->type != obj->type->id)
		return -EPROTOTYPE;
	err = ipcx_object_access(obj, req->access);
	if (err)
		return err;
	fd = new_fd(obj, req->access, req->flags, patience, &file);
	if (fd < 0)
		return fd;
	err = obj->type->open(file->private_data, patience);
	if (err) {
		fput(file);
		put_unused_fd(fd);
		return err;
	}
	fd_install(fd, file);
	return fd;
}

static long run_open(const struct call *call)
{
	struct ipcx_patience patience;
	struct ipcx_object *obj;
	struct ipcx_open req;
	long ret;

	ret = copy_in(call, &req, sizeof(req));
	if (ret)
		return ret;
	if (req.reserved || req.access > IPCX_ACCESS_RDWR ||
	    req.flags & ~(u32)(IPCX_NONBLOCK | IPCX_INHERIT | IPCX_NO_RESTART))
		return -EINVAL;
	ret = ipcx_patience_init(&patience, &req.deadline, req.flags);
	if (ret)
		return ret;
	obj = find_to_use(call, &req.ref);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = open_object(obj, &req, &patience);
	ipcx_object_put(obj);
	return ret;
}

/* ---- UNLINK, REMOVE ---- */

static long run_end(const struct call *call, int (*end)(struct ipcx_object *))
{
	struct ipcx_object *obj;
	struct ipcx_ref ref;
	int ret;

	ret = copy_in(call, &ref, sizeof(ref));
	if (ret)
		return ret;
	obj = find(call, &ref);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = ipcx_object_owned_by_caller(obj) ? end(obj) : -EPERM;
	ipcx_object_put(obj);
	return ret;
}

static long run_unlink(const struct call *call)
{
	return run_end(call, ipcx_unlink);
}

static long run_remove(const struct call *call)
{
	return run_end(call, ipcx_remove);
}

/* ---- QUERY, STAT ---- */

static long run_query(const struct call *call)
{
	struct ipcx_query query = {
		.size = sizeof(query),
		.version = IPCX_UAPI_VERSION,
		.types = ipcx_type_mask(),
		.name_max = IPCX_NAME_MAX,
		.pipe_capacity_min = PIPE_BUF,
		.pipe_capacity_default = min_t(u64, IPCX_PIPE_CAPACITY,
					       ipcx_pipe_capacity_max()),
		.pipe_capacity_max = ipcx_pipe_capacity_max(),
	};

	ipcx_queue_limits(&query);
	ipcx_sem_limits(&query);
	ipcx_usage_user(current_uid(), &query.user);
	ipcx_usage_ns(call->ns, &query.ns);
	return copy_out(call, &query, sizeof(query));
}

static long stat_object(const struct call *call, struct ipcx_stat *stat)
{
	struct ipcx_ref ref = stat->ref;
	struct ipcx_object *obj = find(call, &ref);
	long ret;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = call->handle ? 0 : ipcx_object_permission(obj, MAY_READ);
	if (!ret) {
		*stat = (struct ipcx_stat) { .ref = ref };
		ipcx_object_stat(obj, stat, current_user_ns(),
				 task_active_pid_ns(current));
	}
	ipcx_object_put(obj);
	return ret;
}

/* Only the reference is looked at; what else we know of comes out. */
static long run_stat(const struct call *call)
{
	struct ipcx_stat *stat;
	long ret;

	stat = kzalloc(sizeof(*stat), GFP_KERNEL_ACCOUNT);
	if (!stat)
		return -ENOMEM;
	ret = copy_in(call, stat, sizeof(*stat)) ?: stat_object(call, stat) ?:
	      copy_out(call, stat, sizeof(*stat));
	kfree(stat);
	return ret;
}

/* ---- READ, WRITE ---- */

static long io_object(const struct call *call, struct ipcx_object *obj,
		      const struct ipcx_io *req, bool reading,
		      const struct ipcx_patience *patience)
{
	struct iov_iter iter;
	long ret;

	ret = ipcx_object_may(obj, call->handle, reading);
	if (ret)
		return ret;
	/* What is read from a set is told before it is taken. */
	if (call->patience && obj->type->id == IPCX_TYPE_SEM)
		return -EOPNOTSUPP;
	if (!(reading ? obj->type->read : obj->type->write))
		return -EOPNOTSUPP;
	ret = import_ubuf(reading ? ITER_DEST : ITER_SOURCE,
			  u64_to_user_ptr(req->buf),
			  min_t(u64, req->len, MAX_RW_COUNT), &iter);
	if (ret)
		return ret;
	if (reading)
		return obj->type->read(obj, call->handle, &iter, patience);
	ret = obj->type->write(obj, call->handle, &iter, patience);
	if (ret == -EPIPE && !(req->flags & IPCX_NO_SIGPIPE))
		send_sig(SIGPIPE, current, 0);
	return ret;
}

static long run_io(const struct call *call, bool reading)
{
	struct ipcx_patience patience;
	struct ipcx_object *obj;
	struct ipcx_io req;
	long ret;

	ret = copy_in(call, &req, sizeof(req));
	if (ret)
		return ret;
	if (req.reserved || req.flags & ~(u32)(IPCX_NONBLOCK | IPCX_NO_RESTART |
					       IPCX_NO_SIGPIPE))
		return -EINVAL;
	obj = find_to_transfer(call, &req.ref, &req.deadline, req.flags, &patience);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = io_object(call, obj, &req, reading, &patience);
	ipcx_object_put(obj);
	return ret;
}

static long run_read(const struct call *call)
{
	return run_io(call, true);
}

static long run_write(const struct call *call)
{
	return run_io(call, false);
}

/* ---- RESIZE ---- */

/* What it becomes is told before anything changes: a fault changes nothing. */
static int resize_object(const struct call *call, struct ipcx_object *obj,
			 struct ipcx_resize *req,
			 const struct ipcx_patience *patience)
{
	const struct ipcx_resize given = *req;

	if (!ipcx_object_owned_by_caller(obj))
		return -EPERM;
	if (!obj->type->resize)
		return -EOPNOTSUPP;
	return obj->type->round(obj, req) ?:
	       copy_out(call, req, sizeof(*req)) ?:
	       obj->type->resize(obj, &given, patience);
}

static long run_resize(const struct call *call)
{
	struct ipcx_patience patience;
	struct ipcx_object *obj;
	struct ipcx_resize req;
	int ret;

	ret = copy_in(call, &req, sizeof(req));
	if (ret)
		return ret;
	if (req.reserved || req.flags & ~(u32)IPCX_NO_RESTART)
		return -EINVAL;
	ret = ipcx_patience_init(&patience, &req.deadline, req.flags);
	if (ret)
		return ret;
	obj = find(call, &req.ref);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = resize_object(call, obj, &req, &patience);
	ipcx_object_put(obj);
	return ret;
}

/* ---- SEND, RECV, PURGE, QUEUE_FILE, NOTIFY ---- */

/* What SEND and RECV have in common. */
static int batch_check(u32 count, u32 msg_size)
{
	if (!count || count > IPCX_MSG_BATCH_MAX ||
	    msg_size < offsetofend(struct ipcx_msg, flags))
		return -EINVAL;
	return msg_size > PAGE_SIZE ? -E2BIG : 0;
}

static long run_send(const struct call *call)
{
	struct ipcx_patience patience;
	struct ipcx_object *obj;
	struct ipcx_send req;
	long ret;

	ret = copy_in(call, &req, sizeof(req));
	if (ret)
		return ret;
	if (req.reserved || req.flags & ~(u32)(IPCX_NONBLOCK | IPCX_NO_RESTART))
		return -EINVAL;
	ret = batch_check(req.count, req.msg_size);
	if (ret)
		return ret;
	obj = find_to_transfer(call, &req.ref, &req.deadline, req.flags, &patience);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = allowed(call, obj, IPCX_TYPE_QUEUE, false) ?:
	      ipcx_queue_send(obj, call->handle, &req, &patience);
	ipcx_object_put(obj);
	return ret;
}

static int recv_check(const struct ipcx_recv *req)
{
	if (req->reserved || (req->skip && !(req->flags & IPCX_PEEK)) ||
	    req->flags & ~(u32)(IPCX_NONBLOCK | IPCX_NO_RESTART | IPCX_PEEK |
				IPCX_TRUNCATE))
		return -EINVAL;
	return batch_check(req->count, req->msg_size) ?:
	       ipcx_select_check(&req->select);
}

static long run_recv(const struct call *call)
{
	struct ipcx_patience patience;
	struct ipcx_object *obj;
	struct ipcx_recv req;
	long ret;

	ret = copy_in(call, &req, sizeof(req)) ?: recv_check(&req);
	if (ret)
		return ret;
	/* Nobody waits for what he only looks at. */
	if (call->patience && req.flags & IPCX_PEEK)
		return -EINVAL;
	obj = find_to_transfer(call, &req.ref, &req.deadline, req.flags, &patience);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = allowed(call, obj, IPCX_TYPE_QUEUE, true) ?:
	      ipcx_queue_recv(obj, call->handle, &req, &patience);
	ipcx_object_put(obj);
	return ret;
}

static long run_purge(const struct call *call)
{
	struct ipcx_object *obj;
	struct ipcx_purge req;
	long ret;

	ret = copy_in(call, &req, sizeof(req)) ?: ipcx_select_check(&req.select);
	if (ret)
		return ret;
	obj = find_to_use(call, &req.ref);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = allowed(call, obj, IPCX_TYPE_QUEUE, true) ?:
	      ipcx_queue_purge(obj, call->handle, &req.select);
	ipcx_object_put(obj);
	return ret;
}

static long run_queue_file(const struct call *call)
{
	struct ipcx_queue_file req;
	long ret;

	ret = copy_in(call, &req, sizeof(req)) ?: ipcx_select_check(&req.select);
	if (ret)
		return ret;
	if (req.reserved || req.flags & ~(u32)IPCX_TRUNCATE ||
	    req.type > IPCX_MSG_TYPE_MAX ||
	    (req.flags && req.select.how == IPCX_SELECT_FILE))
		return -EINVAL;
	if (call->handle->obj->type->id != IPCX_TYPE_QUEUE)
		return -EOPNOTSUPP;
	return ipcx_queue_file(call->handle, &req);
}

static long run_notify(const struct call *call)
{
	struct ipcx_notify req;
	long ret;

	ret = copy_in(call, &req, sizeof(req));
	if (ret)
		return ret;
	if (req.reserved || !valid_signal(req.signo))
		return -EINVAL;
	return allowed(call, call->handle->obj, IPCX_TYPE_QUEUE, true) ?:
	       ipcx_queue_notify(call->handle, &req);
}

/* ---- SEM_OP, SEM_GET, SEM_SET, SEM_FILE ---- */

static int sem_op_check(const struct ipcx_sem_ops *req)
{
	if (req->reserved || req->flags & ~(u32)(IPCX_NONBLOCK | IPCX_NO_RESTART) ||
	    !req->count || req->op_size < offsetofend(struct ipcx_sem_op, reserved))
		return -EINVAL;
	return req->count > IPCX_SEM_OPS_MAX || req->op_size > PAGE_SIZE ? -E2BIG : 0;
}

/* What it does says which permission it takes, so ipcx_sem_op() looks at that. */
static long run_sem_op(const struct call *call)
{
	struct ipcx_patience patience;
	struct ipcx_object *obj;
	struct ipcx_sem_ops req;
	long ret;

	ret = copy_in(call, &req, sizeof(req)) ?: sem_op_check(&req);
	if (ret)
		return ret;
	obj = find_to_transfer(call, &req.ref, &req.deadline, req.flags, &patience);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = obj->type->id != IPCX_TYPE_SEM ? -EOPNOTSUPP :
	      ipcx_sem_op(obj, call->handle, &req, &patience);
	ipcx_object_put(obj);
	return ret;
}

/* In another size than today's, which set_ioctl() deals with. */
static long run_sem_one(const struct call *call)
{
	struct ipcx_sem_op req;
	long ret;

	ret = copy_in(call, &req, sizeof(req));
	if (ret)
		return ret;
	if (call->handle->obj->type->id != IPCX_TYPE_SEM)
		return -EOPNOTSUPP;
	return ipcx_sem_one(call->file, &req);
}

static long run_sem_get(const struct call *call)
{
	struct ipcx_object *obj;
	struct ipcx_sem_get req;
	long ret;

	ret = copy_in(call, &req, sizeof(req));
	if (ret)
		return ret;
	if (req.reserved || !req.count ||
	    req.sem_size < offsetofend(struct ipcx_sem, holder))
		return -EINVAL;
	obj = find_to_use(call, &req.ref);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = allowed(call, obj, IPCX_TYPE_SEM, true) ?: ipcx_sem_get(obj, &req);
	ipcx_object_put(obj);
	return ret;
}

static long run_sem_set(const struct call *call)
{
	struct ipcx_object *obj;
	struct ipcx_sem_set req;
	long ret;

	ret = copy_in(call, &req, sizeof(req));
	if (ret)
		return ret;
	if (req.reserved || !req.count || req.value_size != sizeof(u32))
		return -EINVAL;
	obj = find_to_use(call, &req.ref);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = allowed(call, obj, IPCX_TYPE_SEM, false) ?: ipcx_sem_set(obj, &req);
	ipcx_object_put(obj);
	return ret;
}

static long run_sem_file(const struct call *call)
{
	struct ipcx_sem_file req;
	long ret;

	ret = copy_in(call, &req, sizeof(req));
	if (ret)
		return ret;
	if (req.reserved)
		return -EINVAL;
	if (call->handle->obj->type->id != IPCX_TYPE_SEM)
		return -EOPNOTSUPP;
	return ipcx_sem_file(call->handle, &req);
}

/* ---- WAIT, SELECT ---- */

static long run_wait(const struct call *call)
{
	struct ipcx_wait __user *arg = call->arg;
	struct ipcx_patience patience;
	struct ipcx_wait req;
	u32 index = IPCX_NO_INDEX;
	long ret;

	ret = copy_in(call, &req, sizeof(req));
	if (ret)
		return ret;
	if (req.flags & ~(u32)(IPCX_WAIT_ALL | IPCX_NONBLOCK | IPCX_NO_RESTART))
		return -EINVAL;
	ret = ipcx_patience_init(&patience, &req.deadline, req.flags);
	/* Before anything is taken. */
	if (!ret && put_user(index, &arg->index))
		ret = -EFAULT;
	if (ret)
		return ret;
	ret = ipcx_wait(&req, &patience, &index);
	return put_user(index, &arg->index) ? -EFAULT : ret;
}

static long run_select(const struct call *call)
{
	struct ipcx_selection __user *arg = call->arg;
	struct ipcx_patience patience;
	struct ipcx_selection req;
	u32 index = IPCX_NO_INDEX;
	long ret;

	ret = copy_in(call, &req, sizeof(req));
	if (ret)
		return ret;
	if (req.flags & ~(u32)(IPCX_NONBLOCK | IPCX_NO_RESTART))
		return -EINVAL;
	ret = ipcx_patience_init(&patience, &req.deadline, req.flags);
	if (!ret && put_user(index, &arg->index))
		ret = -EFAULT;
	if (ret)
		return ret;
	ret = ipcx_select(&req, &patience, &index);
	return put_user(index, &arg->index) ? -EFAULT : ret;
}

/* ---- The table ---- */

static const struct command commands[] = {
	{ IPCX_IOC_READ, offsetofend(struct ipcx_io, deadline),
	  ON_DEVICE | ON_OBJECT | IN_SELECT, run_read },
	{ IPCX_IOC_WRITE, offsetofend(struct ipcx_io, deadline),
	  ON_DEVICE | ON_OBJECT | IN_SELECT, run_write },
	{ IPCX_IOC_SEND, offsetofend(struct ipcx_send, deadline),
	  ON_DEVICE | ON_OBJECT | IN_SELECT, run_send },
	{ IPCX_IOC_RECV, offsetofend(struct ipcx_recv, skip),
	  ON_DEVICE | ON_OBJECT | IN_SELECT, run_recv },
	{ IPCX_IOC_SEM_OP, offsetofend(struct ipcx_sem_ops, deadline),
	  ON_DEVICE | ON_OBJECT | IN_SELECT, run_sem_op },
	{ IPCX_IOC_SELECT, offsetofend(struct ipcx_selection, deadline),
	  ON_DEVICE | ON_OBJECT, run_select },
	{ IPCX_IOC_WAIT, offsetofend(struct ipcx_wait, deadline),
	  ON_DEVICE | ON_OBJECT, run_wait },
	{ IPCX_IOC_CREATE, offsetofend(struct ipcx_create, reserved),
	  ON_DEVICE, run_create },
	{ IPCX_IOC_OPEN, offsetofend(struct ipcx_open, deadline),
	  ON_DEVICE | ON_OBJECT, run_open },
	{ IPCX_IOC_UNLINK, offsetofend(struct ipcx_ref, cookie),
	  ON_DEVICE | ON_OBJECT, run_unlink },
	{ IPCX_IOC_REMOVE, offsetofend(struct ipcx_ref, cookie),
	  ON_DEVICE | ON_OBJECT, run_remove },
	{ IPCX_IOC_QUERY, offsetofend(struct ipcx_query, ns),
	  ON_DEVICE, run_query },
	{ IPCX_IOC_STAT, offsetofend(struct ipcx_stat, name),
	  ON_DEVICE | ON_OBJECT, run_stat },
	{ IPCX_IOC_RESIZE, offsetofend(struct ipcx_resize, deadline),
	  ON_DEVICE | ON_OBJECT, run_resize },
	{ IPCX_IOC_PURGE, offsetofend(struct ipcx_purge, select),
	  ON_DEVICE | ON_OBJECT, run_purge },
	{ IPCX_IOC_QUEUE_FILE, offsetofend(struct ipcx_queue_file, reserved),
	  ON_OBJECT, run_queue_file },
	{ IPCX_IOC_NOTIFY, offsetofend(struct ipcx_notify, value),
	  ON_OBJECT, run_notify },
	{ IPCX_IOC_SEM_ONE, offsetofend(struct ipcx_sem_op, reserved),
	  ON_OBJECT, run_sem_one },
	{ IPCX_IOC_SEM_GET, offsetofend(struct ipcx_sem_get, reserved),
	  ON_DEVICE | ON_OBJECT, run_sem_get },
	{ IPCX_IOC_SEM_SET, offsetofend(struct ipcx_sem_set, reserved),
	  ON_DEVICE | ON_OBJECT, run_sem_set },
	{ IPCX_IOC_SEM_FILE, offsetofend(struct ipcx_sem_file, reserved),
	  ON_OBJECT, run_sem_file },
};

/* By number and direction: the size in @cmd is the caller's. */
static const struct command *command_find(unsigned int cmd, unsigned int where)
{
	const struct command *command;

	for (command = commands; command < commands + ARRAY_SIZE(commands);
	     command++)
		if (!((command->cmd ^ cmd) & ~IOCSIZE_MASK))
			return command->where & where ? command : NULL;
	return NULL;
}

static long command_run(unsigned int cmd, struct call *call)
{
	const struct command *command =
		command_find(cmd, call->handle ? ON_OBJECT : ON_DEVICE);

	if (!command)
		return -ENOTTY;
	call->size = _IOC_SIZE(cmd);
	if (call->size < command->min)
		return -EINVAL;
	ipcx_death_drain();
	return command->run(call);
}

/**
 * ipcx_case_valid - may a command be one of SELECT's?
 * @cmd: what, and the argument's size
 */
bool ipcx_case_valid(unsigned int cmd)
{
	return command_find(cmd, IN_SELECT);
}

/**
 * ipcx_case_run - a command of SELECT
 * @file:     an object's
 * @cmd:      one that may be
 * @arg:      the argument's address
 * @patience: instead of the argument's and the file's
 *
 * Return: as the command, or -EIOCBQUEUED if it stands in its object's lists now.
 */
long ipcx_case_run(struct file *file, unsigned int cmd, unsigned long arg,
		   const struct ipcx_patience *patience)
{
	struct ipcx_handle *handle = file->private_data;
	struct call call = {
		.ns = handle->obj->ns,
		.file = file,
		.handle = handle,
		.arg = (void __user *)arg,
		.patience = patience,
	};

	return command_run(cmd, &call);
}

/**
 * ipcx_device_ioctl - a command on the device
 * @file: its private_data is the struct net
 * @cmd:  what, and the argument's size
 * @arg:  the argument's address
 */
long ipcx_device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct call call = {
		.ns = ipcx_ns(file->private_data),
		.file = file,
		.arg = (void __user *)arg,
	};

	return command_run(cmd, &call);
}

/**
 * ipcx_object_ioctl - a command on an object's file
 * @file: its private_data is the struct ipcx_handle
 * @cmd:  what, and the argument's size
 * @arg:  the argument's address
 */
long ipcx_object_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct ipcx_handle *handle = file->private_data;
	struct call call = {
		.ns = handle->obj->ns,
		.file = file,
		.handle = handle,
		.arg = (void __user *)arg,
	};

	return command_run(cmd, &call);
}
