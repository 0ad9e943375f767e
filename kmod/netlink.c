// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "ipcx": inspect, create and delete objects. Its
 * commands are specified in Documentation/netlink/specs/ipcx.yaml.
 *
 * A socket is a file that can be inherited by a more privileged program, or
 * passed to a less privileged one. So whatever a request needs, the sender must
 * be allowed it and the socket's opener too.
 *
 * Requests run in parallel, in the sender's context, and hold no lock of ours
 * while they build a message. A dump goes on in the context of whoever calls
 * recvmsg: nothing there may ask who current is.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/ipcx.h>
#include <linux/ipcx_netlink.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "death.h"
#include "netlink.h"
#include "object.h"
#include "registry.h"

/**
 * struct request - a request, from its arrival to its last answer
 * @ns:      of the socket, a reference
 * @sender:  who sent it, as he was then, a reference
 * @opener:  who opened the socket, a reference
 * @pid_ns:  the sender's, a reference
 * @type:    a dump tells this type only, or any
 * @next_id: a dump goes on here
 * @stat:    what is told about an object, before it is put into a message
 *
 * One thread at a time is at it: the sender, or for a dump who holds the
 * socket's dump mutex.
 */
struct request {
	struct ipcx_ns *ns;
	const struct cred *sender;
	const struct cred *opener;
	struct pid_namespace *pid_ns;
	u32 type;
	u32 next_id;
	struct ipcx_stat stat;
};

static struct genl_family family;

/* Who opened the socket that @skb was sent on; NULL for a socket of the kernel. */
static const struct cred *skb_opener(const struct sk_buff *skb)
{
	const struct socket *sock = NETLINK_CB(skb).sk->sk_socket;

	return sock && sock->file ? sock->file->f_cred : NULL;
}

/* Called in the sender's context, for every operation. */
static struct request *request_new(const struct sk_buff *skb)
{
	const struct cred *opener = skb_opener(skb);
	struct request *req;

	ipcx_death_drain();
	if (!opener)
		return ERR_PTR(-EPERM);
	req = kzalloc(sizeof(*req), GFP_KERNEL_ACCOUNT);
	if (!req)
		return ERR_PTR(-ENOMEM);
	req->ns = ipcx_ns_get(ipcx_ns(sock_net(skb->sk)));
	req->sender = get_current_cred();
	req->opener = get_cred(opener);
	req->pid_ns = get_pid_ns(task_active_pid_ns(current));
	req->type = IPCX_TYPE_ANY;
	req->next_id = 1;
	return req;
}

static void request_free(struct request *req)
{
	put_pid_ns(req->pid_ns);
	put_cred(req->opener);
	put_cred(req->sender);
	ipcx_ns_put(req->ns);
	kfree(req);
}

static bool allowed_as(const struct cred *cred, const struct ipcx_object *obj,
		       bool (*allowed)(const struct ipcx_object *obj))
{
	const struct cred *old = override_creds(cred);
	bool ret = allowed(obj);

	revert_creds(old);
	return ret;
}

static bool allowed_both(const struct request *req,
			 const struct ipcx_object *obj,
			 bool (*allowed)(const struct ipcx_object *obj))
{
	return allowed_as(req->sender, obj, allowed) &&
	       (req->opener == req->sender ||
		allowed_as(req->opener, obj, allowed));
}

static bool may_see(const struct ipcx_object *obj)
{
	return !ipcx_object_access(obj, IPCX_ACCESS_NONE);
}

/*
 * A new object belongs to the sender and is charged to him. That needs no
 * right, except to be him.
 */
static bool may_create(const struct request *req)
{
	return uid_eq(req->sender->fsuid, req->opener->fsuid) &&
	       gid_eq(req->sender->fsgid, req->opener->fsgid);
}

/* Policies: what they don't list is refused. */

/* Not const: Linux 6.1's policies have no room for that. */
static struct netlink_range_validation id_range = {
	.min = 1,
	.max = S32_MAX,
};

#define POLICY_ID	NLA_POLICY_FULL_RANGE(NLA_U32, &id_range)
#define POLICY_COOKIE	NLA_POLICY_MIN(NLA_U64, 1)
#define POLICY_NAME	{ .type = NLA_NUL_STRING, .len = IPCX_NAME_MAX }

/* Its dump takes the type alone; before Linux 6.2 both have one policy. */
static const struct nla_policy get_policy[IPCX_A_OBJECT_MAX + 1] = {
	[IPCX_A_OBJECT_ID] = POLICY_ID,
	[IPCX_A_OBJECT_COOKIE] = POLICY_COOKIE,
	[IPCX_A_OBJECT_TYPE] = { .type = NLA_U32 },
	[IPCX_A_OBJECT_NAME] = POLICY_NAME,
};

static const struct nla_policy create_policy[IPCX_A_OBJECT_MAX + 1] = {
	[IPCX_A_OBJECT_TYPE] = { .type = NLA_U32 },
	[IPCX_A_OBJECT_NAME] = POLICY_NAME,
	[IPCX_A_OBJECT_MODE] = NLA_POLICY_MAX(NLA_U32, 0777),
	[IPCX_A_OBJECT_CAPACITY_BYTES] = { .type = NLA_U64 },
};

static const struct nla_policy delete_policy[IPCX_A_OBJECT_MAX + 1] = {
	[IPCX_A_OBJECT_ID] = POLICY_ID,
	[IPCX_A_OBJECT_COOKIE] = POLICY_COOKIE,
	[IPCX_A_OBJECT_NAME] = POLICY_NAME,
	[IPCX_A_OBJECT_REMOVE] = { .type = NLA_FLAG },
};

/* Messages */

struct field {
	u16 attr;
	u16 offset;
};

#define FIELD(name, member)						\
	{ IPCX_A_OBJECT_##name, offsetof(struct ipcx_stat, member) }

/* Signed ones too. */
static const struct field fields_32[] = {
	FIELD(ID, id),
	FIELD(TYPE, type),
	FIELD(LIFETIME, lifetime),
	FIELD(FLAGS, flags),
	FIELD(MODE, mode),
	FIELD(UID, uid),
	FIELD(GID, gid),
	FIELD(CREATOR_UID, creator_uid),
	FIELD(CREATOR_GID, creator_gid),
	FIELD(CREATOR_PID, creator_pid),
	FIELD(LAST_READER_PID, last_reader_pid),
	FIELD(LAST_WRITER_PID, last_writer_pid),
	FIELD(OPENS, opens),
	FIELD(READERS, readers),
	FIELD(WRITERS, writers),
	FIELD(WAITING_READERS, waiting_readers),
	FIELD(WAITING_WRITERS, waiting_writers),
};

static const struct field fields_64[] = {
	FIELD(COOKIE, cookie),
	FIELD(CREATED_NS, created_ns),
	FIELD(CHANGED_NS, changed_ns),
	FIELD(READ_NS, read_ns),
	FIELD(WRITE_NS, write_ns),
	FIELD(CHARGED_BYTES, charged_bytes),
	FIELD(CAPACITY_BYTES, capacity_bytes),
	FIELD(USED_BYTES, used_bytes),
};

static int put_stat(struct sk_buff *skb, const struct ipcx_stat *stat)
{
	const void *base = stat;
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < ARRAY_SIZE(fields_32); i++)
		err = nla_put(skb, fields_32[i].attr, sizeof(u32),
			      base + fields_32[i].offset);
	for (i = 0; !err && i < ARRAY_SIZE(fields_64); i++)
		err = nla_put_64bit(skb, fields_64[i].attr, sizeof(u64),
				    base + fields_64[i].offset,
				    IPCX_A_OBJECT_PAD);
	if (!err && stat->flags & IPCX_STAT_NAMED)
		err = nla_put_string(skb, IPCX_A_OBJECT_NAME, stat->name);
	return err;
}

/* A message about @obj's present state under the header @hdr, or -EMSGSIZE. */
static int put_object(struct sk_buff *skb, void *hdr, struct request *req,
		      struct ipcx_object *obj)
{
	int err;

	if (!hdr)
		return -EMSGSIZE;
	memset(&req->stat, 0, sizeof(req->stat));
	ipcx_object_stat(obj, &req->stat, req->sender->user_ns, req->pid_ns);
	err = put_stat(skb, &req->stat);
	if (!err && ipcx_object_removed(obj))
		err = nla_put_flag(skb, IPCX_A_OBJECT_DEFUNCT);
	if (err) {
		genlmsg_cancel(skb, hdr);
		return err;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* Room for any object, so that filling it in can't fail. */
static struct sk_buff *reply_alloc(void)
{
	return genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
}

/* Consumes @skb. */
static int reply_send(struct sk_buff *skb, struct request *req,
		      struct genl_info *info, struct ipcx_object *obj)
{
	void *hdr = genlmsg_put_reply(skb, info, &family, 0,
				      info->genlhdr->cmd);
	int err = put_object(skb, hdr, req, obj);

	if (WARN_ON_ONCE(err)) {
		nlmsg_free(skb);
		return err;
	}
	return genlmsg_reply(skb, info);
}

/* The name in @attr; its only NUL is its last byte, its length is in @len. */
static const char *attr_name(const struct nlattr *attr, u32 *len,
			     struct netlink_ext_ack *extack)
{
	const char *name = nla_data(attr);

	*len = nla_len(attr) - 1;
	if (*len && !name[*len] && ipcx_name_valid(name, *len))
		return name;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "a name has a byte at least, no '/', and a NUL only at its end");
	return NULL;
}

/* The object that is meant, with a user's reference for the caller. */
static struct ipcx_object *find(struct request *req, struct genl_info *info)
{
	const struct nlattr *cookie = info->attrs[IPCX_A_OBJECT_COOKIE];
	const struct nlattr *by_name = info->attrs[IPCX_A_OBJECT_NAME];
	const struct nlattr *by_id = info->attrs[IPCX_A_OBJECT_ID];
	struct ipcx_object *obj;
	const char *name;
	u32 len;

	if (by_name && by_id) {
		NL_SET_ERR_MSG_ATTR(info->extack, by_name,
				    "an object is meant by id or by name, not by both");
		return ERR_PTR(-EINVAL);
	}
	if (by_name) {
		name = attr_name(by_name, &len, info->extack);
		if (!name)
			return ERR_PTR(-EINVAL);
		obj = ipcx_find_name(req->ns, name, len);
	} else {
		if (GENL_REQ_ATTR_CHECK(info, IPCX_A_OBJECT_ID)) {
			NL_SET_ERR_MSG(info->extack, "neither id nor name given");
			return ERR_PTR(-EINVAL);
		}
		obj = ipcx_find_id(req->ns, nla_get_u32(by_id));
	}
	if (IS_ERR(obj)) {
		NL_SET_ERR_MSG_ATTR(info->extack, by_name ?: by_id,
				    "no such object");
		return obj;
	}
	if (cookie && nla_get_u64(cookie) != obj->cookie) {
		ipcx_object_put(obj);
		NL_SET_ERR_MSG_ATTR(info->extack, cookie,
				    "the object has another cookie");
		return ERR_PTR(-ESTALE);
	}
	return obj;
}

/* 0 if an object can be of the type in @attr. */
static int check_type(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	if (ipcx_type_find(nla_get_u32(attr)))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "no such type in this kernel");
	return -EOPNOTSUPP;
}

/* GET */

static int get_check(struct request *req, struct genl_info *info,
		     const struct ipcx_object *obj)
{
	const struct nlattr *type = info->attrs[IPCX_A_OBJECT_TYPE];

	if (!allowed_both(req, obj, may_see)) {
		NL_SET_ERR_MSG(info->extack,
			       "sender and opener of the socket must both be allowed to read or write the object");
		return -EACCES;
	}
	if (type && nla_get_u32(type) != IPCX_TYPE_ANY &&
	    nla_get_u32(type) != obj->type->id) {
		NL_SET_ERR_MSG_ATTR(info->extack, type,
				    "the object is of another type");
		return -EPROTOTYPE;
	}
	return 0;
}

static int get(struct request *req, struct genl_info *info)
{
	const struct nlattr *type = info->attrs[IPCX_A_OBJECT_TYPE];
	struct ipcx_object *obj;
	struct sk_buff *skb;
	int err;

	if (type && nla_get_u32(type) != IPCX_TYPE_ANY) {
		err = check_type(type, info->extack);
		if (err)
			return err;
	}
	skb = reply_alloc();
	if (!skb)
		return -ENOMEM;
	obj = find(req, info);
	if (IS_ERR(obj)) {
		nlmsg_free(skb);
		return PTR_ERR(obj);
	}
	err = get_check(req, info, obj);
	if (err)
		nlmsg_free(skb);
	else
		err = reply_send(skb, req, info, obj);
	ipcx_object_put(obj);
	return err;
}

/* CREATE */

/* What is wanted; @spec's params are for the caller to free, error or not. */
static int create_spec(struct genl_info *info, struct ipcx_spec *spec)
{
	const struct nlattr *capacity = info->attrs[IPCX_A_OBJECT_CAPACITY_BYTES];
	const struct nlattr *type = info->attrs[IPCX_A_OBJECT_TYPE];
	const struct nlattr *name = info->attrs[IPCX_A_OBJECT_NAME];
	const struct nlattr *mode = info->attrs[IPCX_A_OBJECT_MODE];
	struct ipcx_pipe_params *pipe;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, IPCX_A_OBJECT_TYPE)) {
		NL_SET_ERR_MSG(info->extack, "no type given");
		return -EINVAL;
	}
	if (nla_get_u32(type) == IPCX_TYPE_ANY) {
		NL_SET_ERR_MSG_ATTR(info->extack, type,
				    "an object can't be of any type");
		return -EINVAL;
	}
	err = check_type(type, info->extack);
	if (err)
		return err;
	spec->type = ipcx_type_find(nla_get_u32(type));
	spec->lifetime = IPCX_LIFETIME_PERSISTENT;
	spec->mode = mode ? nla_get_u32(mode) : 0600;
	if (name) {
		spec->name = attr_name(name, &spec->name_len, info->extack);
		if (!spec->name)
			return -EINVAL;
	}
	if (capacity && spec->type->id != IPCX_TYPE_PIPE) {
		NL_SET_ERR_MSG_ATTR(info->extack, capacity,
				    "objects of this type have no such capacity");
		return -EINVAL;
	}
	spec->params = kzalloc(spec->type->params_size, GFP_KERNEL_ACCOUNT);
	if (!spec->params)
		return -ENOMEM;
	if (capacity) {
		pipe = spec->params;
		pipe->capacity_bytes = nla_get_u64(capacity);
	}
	return 0;
}

static void create_explain(struct genl_info *info, int err)
{
	const struct nlattr *capacity = info->attrs[IPCX_A_OBJECT_CAPACITY_BYTES];
	const struct nlattr *name = info->attrs[IPCX_A_OBJECT_NAME];

	if (err == -EEXIST)
		NL_SET_ERR_MSG_ATTR(info->extack, name, "the name is taken");
	else if (err == -EDQUOT)
		NL_SET_ERR_MSG(info->extack, "the user's or the namespace's account is full");
	else if (err == -EINVAL && capacity)
		NL_SET_ERR_MSG_ATTR(info->extack, capacity,
				    "out of range");
}

/*
 * If the reply can't be delivered, nobody knows of the object, unless he has
 * looked for it meanwhile: it ends with its last user.
 */
static int create_object(struct request *req, struct genl_info *info,
			 const struct ipcx_spec *spec, struct sk_buff *skb)
{
	struct ipcx_object *obj = ipcx_object_create(req->ns, spec);
	int err;

	if (IS_ERR(obj)) {
		nlmsg_free(skb);
		return PTR_ERR(obj);
	}
	err = ipcx_publish(obj);
	if (err) {
		nlmsg_free(skb);
	} else {
		err = reply_send(skb, req, info, obj);
		if (err)
			ipcx_unlink(obj);
	}
	ipcx_object_put(obj);
	return err;
}

static int create(struct request *req, struct genl_info *info)
{
	struct ipcx_spec spec = {};
	struct sk_buff *skb;
	int err;

	if (!may_create(req)) {
		NL_SET_ERR_MSG(info->extack,
			       "the socket was opened by another user or group than its sender's");
		return -EPERM;
	}
	err = create_spec(info, &spec);
	if (err)
		goto out;
	skb = reply_alloc();
	if (!skb) {
		err = -ENOMEM;
		goto out;
	}
	err = create_object(req, info, &spec, skb);
	create_explain(info, err);
out:
	kfree(spec.params);
	return err;
}

/* DELETE */

static int delete(struct request *req, struct genl_info *info)
{
	struct ipcx_object *obj = find(req, info);
	int err;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	if (!allowed_both(req, obj, ipcx_object_owned_by_caller)) {
		NL_SET_ERR_MSG(info->extack,
			       "sender and opener of the socket must both own the object");
		err = -EPERM;
	} else if (nla_get_flag(info->attrs[IPCX_A_OBJECT_REMOVE])) {
		err = ipcx_remove(obj);
	} else {
		err = ipcx_unlink(obj);
	}
	ipcx_object_put(obj);
	return err;
}

static int run(struct sk_buff *skb, struct genl_info *info,
	       int (*command)(struct request *req, struct genl_info *info))
{
	struct request *req = request_new(skb);
	int err;

	if (IS_ERR(req))
		return PTR_ERR(req);
	err = command(req, info);
	request_free(req);
	return err;
}

static int get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return run(skb, info, get);
}

static int create_doit(struct sk_buff *skb, struct genl_info *info)
{
	return run(skb, info, create);
}

static int delete_doit(struct sk_buff *skb, struct genl_info *info)
{
	return run(skb, info, delete);
}

/* GET, the dump */

static struct request **dump_request(struct netlink_callback *cb)
{
	return (struct request **)cb->ctx;
}

/* Never 0, which would mean "not known". */
static unsigned int dump_seq(const struct ipcx_ns *ns)
{
	/*
	 * Changes are made in turn, each before the generation rises. If we saw
	 * one, we must see the rise that belongs to those before it.
	 */
	smp_rmb();
	return READ_ONCE(ns->generation) << 1 | 1;
}

static int dump_parse(struct request *req, const struct nlmsghdr *nlh,
		      struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	int rem, err;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		if (nla_type(attr) != IPCX_A_OBJECT_TYPE) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "a dump is filtered by type only");
			return -EINVAL;
		}
		req->type = nla_get_u32(attr);
		if (req->type == IPCX_TYPE_ANY)
			continue;
		err = check_type(attr, extack);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Linux 6.1 has no place for a message while a dump starts. It has -EINTR
 * though, which means that the request has been answered.
 */
static int dump_refuse(struct netlink_callback *cb, int err,
		       const struct netlink_ext_ack *extack)
{
	if (cb->extack) {
		NL_SET_BAD_ATTR(cb->extack, extack->bad_attr);
		cb->extack->_msg = extack->_msg;
		return err;
	}
	netlink_ack(cb->skb, (struct nlmsghdr *)cb->nlh, err, extack);
	return -EINTR;
}

static int get_start(struct netlink_callback *cb)
{
	struct request *req = request_new(cb->skb);
	struct netlink_ext_ack extack = {};
	int err;

	if (IS_ERR(req))
		return PTR_ERR(req);
	err = dump_parse(req, cb->nlh, &extack);
	if (err) {
		request_free(req);
		return dump_refuse(cb, err, &extack);
	}
	*dump_request(cb) = req;
	cb->prev_seq = dump_seq(req->ns);
	return 0;
}

static int dump_object(struct request *req, struct ipcx_object *obj,
		       struct sk_buff *skb, struct netlink_callback *cb)
{
	void *hdr;
	int err;

	if (req->type != IPCX_TYPE_ANY && req->type != obj->type->id)
		return 0;
	if (!allowed_both(req, obj, ipcx_object_visible))
		return 0;
	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &family, NLM_F_MULTI, IPCX_CMD_GET);
	err = put_object(skb, hdr, req, obj);
	if (err)
		return err;
	cb->seq = dump_seq(req->ns);
	genl_dump_check_consistent(cb, hdr);
	return 0;
}

/* Called until it returns 0; each call fills one @skb. */
static int get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct request *req = *dump_request(cb);
	struct ipcx_object *obj;
	int err = 0;

	while ((obj = ipcx_find_next(req->ns, &req->next_id))) {
		err = dump_object(req, obj, skb, cb);
		ipcx_object_put(obj);
		if (err)
			break;
		req->next_id++;
		cond_resched();
	}
	/* For the message that ends the dump. */
	cb->seq = dump_seq(req->ns);
	return err && skb->len ? skb->len : err;
}

static int get_done(struct netlink_callback *cb)
{
	request_free(*dump_request(cb));
	return 0;
}

static const struct genl_ops ops[] = {
	{
		.cmd = IPCX_CMD_GET,
		.policy = get_policy,
		.maxattr = IPCX_A_OBJECT_MAX,
		.doit = get_doit,
		.start = get_start,
		.dumpit = get_dumpit,
		.done = get_done,
	},
	{
		.cmd = IPCX_CMD_CREATE,
		.policy = create_policy,
		.maxattr = IPCX_A_OBJECT_MAX,
		.doit = create_doit,
	},
	{
		.cmd = IPCX_CMD_DELETE,
		.policy = delete_policy,
		.maxattr = IPCX_A_OBJECT_MAX,
		.doit = delete_doit,
	},
};

static struct genl_family family __ro_after_init = {
	.name = IPCX_FAMILY_NAME,
	.version = IPCX_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	/* The first command whose headers are validated, reserved bits too. */
	.resv_start_op = IPCX_CMD_GET,
};

int __init ipcx_netlink_init(void)
{
	return genl_register_family(&family);
}

/* A dump holds the module, and no request runs once this has returned. */
void ipcx_netlink_uninit(void)
{
	genl_unregister_family(&family);
}

MODULE_ALIAS_GENL_FAMILY("ipcx");
