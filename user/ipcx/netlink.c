// SPDX-License-Identifier: GPL-2.0
/*
 * The model over generic netlink. Nothing of netlink leaves this file.
 */
#include <errno.h>
#include <linux/ipcx_netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* A list that raced is asked for again; on a busy system it races for ever. */
#define LIST_TRIES	5

static struct nl_sock *sock;
static int family;
static char reason[256];

/* Which attribute is which field of the model. */
#define FIELD(bits, ATTR, member) \
	{ IPCX_A_OBJECT_##ATTR, offsetof(struct ipcx_stat, member), (bits) / 8 }

static const struct {
	uint16_t attr;
	uint16_t offset;
	uint16_t size;
} fields[] = {
	FIELD(32, ID, id),
	FIELD(64, COOKIE, cookie),
	FIELD(32, TYPE, type),
	FIELD(32, LIFETIME, lifetime),
	FIELD(32, FLAGS, flags),
	FIELD(32, MODE, mode),
	FIELD(32, UID, uid),
	FIELD(32, GID, gid),
	FIELD(32, CREATOR_UID, creator_uid),
	FIELD(32, CREATOR_GID, creator_gid),
	FIELD(32, CREATOR_PID, creator_pid),
	FIELD(32, LAST_READER_PID, last_reader_pid),
	FIELD(32, LAST_WRITER_PID, last_writer_pid),
	FIELD(32, OPENS, opens),
	FIELD(64, CREATED_NS, created_ns),
	FIELD(64, CHANGED_NS, changed_ns),
	FIELD(64, READ_NS, read_ns),
	FIELD(64, WRITE_NS, write_ns),
	FIELD(64, CHARGED_BYTES, charged_bytes),
	FIELD(64, CAPACITY_BYTES, capacity_bytes),
	FIELD(64, USED_BYTES, used_bytes),
	FIELD(32, READERS, readers),
	FIELD(32, WRITERS, writers),
	FIELD(32, WAITING_READERS, waiting_readers),
	FIELD(32, WAITING_WRITERS, waiting_writers),
};

static int connect_socket(void)
{
	static const int on = 1;

	if (sock)
		return 0;
	errno = EIO;
	sock = nl_socket_alloc();
	if (!sock || genl_connect(sock))
		return explain_no_netlink(-errno), -ENOTCONN;
	family = genl_ctrl_resolve(sock, IPCX_FAMILY_NAME);
	if (family < 0)
		return explain_no_netlink(family == -NLE_OBJ_NOTFOUND ?
					  -ENOENT : -EIO), -ENOTCONN;
	/* A kernel that can't say why it refuses still refuses. */
	setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_EXT_ACK, &on,
		   sizeof(on));
	return 0;
}

static void copy_name(struct ipcx_stat *stat, const struct nlattr *attr)
{
	size_t len = strnlen(nla_data(attr), nla_len(attr));

	if (len > IPCX_NAME_MAX)
		return;
	memcpy(stat->name, nla_data(attr), len);
	stat->name_len = len;
}

static void parse_object(struct nlmsghdr *header, struct object *object)
{
	struct nlattr *attrs[IPCX_A_OBJECT_MAX + 1];
	size_t i;

	*object = (struct object){ 0 };
	if (genlmsg_parse(header, 0, attrs, IPCX_A_OBJECT_MAX, NULL))
		return;
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct nlattr *attr = attrs[fields[i].attr];

		if (attr && nla_len(attr) == fields[i].size)
			memcpy((char *)&object->stat + fields[i].offset,
			       nla_data(attr), fields[i].size);
	}
	if (attrs[IPCX_A_OBJECT_NAME])
		copy_name(&object->stat, attrs[IPCX_A_OBJECT_NAME]);
	object->removed = attrs[IPCX_A_OBJECT_DEFUNCT];
}

/*
 * struct exchange - one request and what comes back
 * @object: where the reply goes, or NULL
 * @list:   where a dump's replies go, or NULL
 */
struct exchange {
	struct object *object;
	struct object_list *list;
	bool done;
	int err;
};

static struct object *next_object(struct exchange *exchange)
{
	struct object_list *list = exchange->list;
	struct object *objects;

	if (!list)
		return exchange->object;
	objects = reallocarray(list->objects, list->count + 1,
			       sizeof(*objects));
	if (!objects) {
		exchange->err = -ENOMEM;
		return NULL;
	}
	list->objects = objects;
	return &objects[list->count++];
}

static int on_reply(struct nl_msg *msg, void *arg)
{
	struct object *object = next_object(arg);

	if (object)
		parse_object(nlmsg_hdr(msg), object);
	return NL_OK;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct exchange *exchange = arg;

	(void)msg;
	exchange->done = true;
	return NL_OK;
}

/* A dump that failed on its way says so in its last message. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct exchange *exchange = arg;
	int err = 0;

	if (nlmsg_datalen(nlmsg_hdr(msg)) >= (int)sizeof(err))
		memcpy(&err, nlmsg_data(nlmsg_hdr(msg)), sizeof(err));
	exchange->done = true;
	exchange->err = err < 0 ? err : 0;
	return NL_OK;
}

static int on_raced(struct nl_msg *msg, void *arg)
{
	struct exchange *exchange = arg;

	(void)msg;
	if (exchange->list)
		exchange->list->raced = true;
	return NL_OK;
}

/* The request comes back with the error, then the kernel's words about it. */
static void keep_reason(struct nlmsgerr *error)
{
	struct nlmsghdr *header = (void *)((char *)error - NLMSG_HDRLEN);
	int request = header->nlmsg_flags & NLM_F_CAPPED ? 0 :
		      (int)error->msg.nlmsg_len - NLMSG_HDRLEN;
	int before = NLMSG_ALIGN(sizeof(*error) + request);
	int rest = (int)header->nlmsg_len - NLMSG_HDRLEN - before;
	const struct nlattr *attr;

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS) || rest <= 0)
		return;
	attr = nla_find((struct nlattr *)((char *)error + before), rest,
			NLMSGERR_ATTR_MSG);
	if (attr)
		nla_strlcpy(reason, attr, sizeof(reason));
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct exchange *exchange = arg;

	(void)from;
	exchange->err = error->error;
	keep_reason(error);
	return NL_STOP;
}

static int receive(struct exchange *exchange)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret = 0;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_reply, exchange);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, exchange);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, exchange);
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_raced, exchange);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, exchange);
	while (!exchange->done && !exchange->err && ret >= 0)
		ret = nl_recvmsgs(sock, cb);
	nl_cb_put(cb);
	if (exchange->err)
		return exchange->err;
	return ret < 0 ? -EIO : 0;
}

static struct nl_msg *new_request(int command, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0,
				flags, command, IPCX_FAMILY_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* Takes @msg over. */
static int send_and_receive(struct nl_msg *msg, struct exchange *exchange)
{
	int ret;

	reason[0] = '\0';
	ret = nl_send_auto(sock, msg);
	nlmsg_free(msg);
	return ret < 0 ? -EIO : receive(exchange);
}

static int put_target(struct nl_msg *msg, const struct target *target)
{
	if (target->name)
		return nla_put_string(msg, IPCX_A_OBJECT_NAME, target->name);
	if (nla_put_u32(msg, IPCX_A_OBJECT_ID, target->id))
		return -1;
	if (!target->cookie)
		return 0;
	return nla_put_u64(msg, IPCX_A_OBJECT_COOKIE, target->cookie);
}

static int target_request(int command, const struct target *target,
			  struct nl_msg **msg)
{
	int err;

	if (target->name && strlen(target->name) > IPCX_NAME_MAX)
		return -ENAMETOOLONG;
	err = connect_socket();
	if (err)
		return err;
	*msg = new_request(command, NLM_F_ACK);
	if (*msg && !put_target(*msg, target))
		return 0;
	nlmsg_free(*msg);
	return -ENOMEM;
}

int model_get(const struct target *target, struct object *object)
{
	struct exchange exchange = { .object = object };
	struct nl_msg *msg;
	int err = target_request(IPCX_CMD_GET, target, &msg);

	if (!err)
		err = send_and_receive(msg, &exchange);
	if (!err)
		model_complete(object, 1);
	return err;
}

int model_delete(const struct target *target, bool force)
{
	struct exchange exchange = { 0 };
	struct nl_msg *msg;
	int err = target_request(IPCX_CMD_DELETE, target, &msg);

	if (err)
		return err;
	if (force && nla_put_flag(msg, IPCX_A_OBJECT_REMOVE)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return send_and_receive(msg, &exchange);
}

void model_list_free(struct object_list *list)
{
	free(list->objects);
	*list = (struct object_list){ 0 };
}

static int list_once(uint32_t type, struct object_list *list)
{
	struct exchange exchange = { .list = list };
	struct nl_msg *msg = new_request(IPCX_CMD_GET, NLM_F_DUMP);

	if (!msg || (type && nla_put_u32(msg, IPCX_A_OBJECT_TYPE, type))) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return send_and_receive(msg, &exchange);
}

int model_list(uint32_t type, struct object_list *list)
{
	int err = connect_socket(), tries;

	*list = (struct object_list){ 0 };
	for (tries = 0; !err && tries < LIST_TRIES; tries++) {
		model_list_free(list);
		err = list_once(type, list);
		if (!list->raced)
			break;
	}
	if (err)
		model_list_free(list);
	else
		model_complete(list->objects, list->count);
	return err;
}

const char *model_reason(void)
{
	return reason[0] ? reason : NULL;
}
