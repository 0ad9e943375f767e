/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the netlink family share: requests written down as tables
 * of attributes, and answers with all that the kernel says, so that a test can
 * ask which attribute was blamed.
 *
 * libnl builds and parses; sending and receiving is done here, because the tests
 * care who does it, and when.
 */
#ifndef NETLINK_TEST_H
#define NETLINK_TEST_H

#include "object_test.h"

#include <linux/ipcx_netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/family.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#define ATTRS_MAX	6

/* One attribute of a request; the value's bytes, or with @text its own. */
struct attr {
	int type;
	int len;
	uint64_t value;
	const char *text;
};

/* In short, as the header's names without their prefix. */
#define A_(name)	IPCX_A_OBJECT_##name
#define U32(name, v)	{ .type = A_(name), .len = 4, .value = (v) }
#define U64(name, v)	{ .type = A_(name), .len = 8, .value = (v) }
#define FLAG(name)	{ .type = A_(name) }
#define TEXT(name, s)	{ .type = A_(name), .len = strlen(s) + 1, .text = (s) }
#define BYTES(name, n, s) { .type = A_(name), .len = (n), .text = (s) }

#define PIPE		U32(TYPE, IPCX_TYPE_PIPE)
#define QUEUE		U32(TYPE, IPCX_TYPE_QUEUE)

/* attrs(U32(ID, 1), FLAG(REMOVE)): an array that ends with a type 0 */
#define attrs(...)	((const struct attr[ATTRS_MAX + 1]) { __VA_ARGS__ })
#define no_attrs	((const struct attr[ATTRS_MAX + 1]) { { 0 } })

/* An object as netlink tells it. */
struct told {
	struct ipcx_stat st;
	bool defunct;
};

/**
 * struct answer - what came back
 * @err:         0 or -errno
 * @bad:         the attribute that was blamed, or 0
 * @missing:     the attribute that was missed, or 0
 * @message:     what the kernel said
 * @interrupted: the dump raced with a change
 * @garbled:     something in it was wrong, said on stderr
 * @count:       number of objects
 * @told:        they
 * @request:     what was sent
 */
struct answer {
	int err;
	int bad;
	int missing;
	char message[128];
	bool interrupted;
	bool garbled;
	unsigned int count;
	struct told *told;
	struct nl_msg *request;
};

static int nl_family;

/* A socket of the caller's present user and network namespace. */
helper int ask_open(void)
{
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	int one = 1;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		return -errno;
	return fd;
}

helper int ask_resolve(void)
{
	struct nl_sock *sock = nl_socket_alloc();
	int ret = genl_connect(sock);

	if (!ret)
		ret = genl_ctrl_resolve(sock, IPCX_FAMILY_NAME);
	nl_socket_free(sock);
	return ret;
}

helper struct nl_msg *ask_request(int command, int flags,
				  const struct attr *list)
{
	static uint32_t seq;
	struct nl_msg *msg = nlmsg_alloc();

	genlmsg_put(msg, 0, ++seq, nl_family, 0,
		    NLM_F_REQUEST | NLM_F_ACK | flags, command,
		    IPCX_FAMILY_VERSION);
	for (; list->type; list++) {
		uint32_t value = list->value;
		const void *data = list->text;

		if (!data)
			data = list->len == 4 ? (void *)&value : &list->value;
		if (nla_put(msg, list->type, list->len, data))
			abort();
	}
	return msg;
}

helper int ask_send(int fd, struct nl_msg *msg, struct answer *a)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);

	memset(a, 0, sizeof(*a));
	a->request = msg;
	if (send(fd, nlh, nlh->nlmsg_len, 0) != (ssize_t)nlh->nlmsg_len)
		return -errno;
	return 0;
}

helper void complain(struct answer *a, const char *what, int number)
{
	fprintf(stderr, "# answer: %s (%d)\n", what, number);
	a->garbled = true;
}

/* Where an attribute goes in struct ipcx_stat. */
struct place {
	int attr;
	size_t offset;
	int size;
};

#define PLACE(name, member) {						\
	A_(name), offsetof(struct ipcx_stat, member),			\
	sizeof(((struct ipcx_stat *)0)->member)				\
}

static const struct place places[] = {
	PLACE(ID, id),
	PLACE(COOKIE, cookie),
	PLACE(TYPE, type),
	PLACE(LIFETIME, lifetime),
	PLACE(FLAGS, flags),
	PLACE(MODE, mode),
	PLACE(UID, uid),
	PLACE(GID, gid),
	PLACE(CREATOR_UID, creator_uid),
	PLACE(CREATOR_GID, creator_gid),
	PLACE(CREATOR_PID, creator_pid),
	PLACE(LAST_READER_PID, last_reader_pid),
	PLACE(LAST_WRITER_PID, last_writer_pid),
	PLACE(OPENS, opens),
	PLACE(CREATED_NS, created_ns),
	PLACE(CHANGED_NS, changed_ns),
	PLACE(READ_NS, read_ns),
	PLACE(WRITE_NS, write_ns),
	PLACE(CHARGED_BYTES, charged_bytes),
	PLACE(CAPACITY_BYTES, capacity_bytes),
	PLACE(USED_BYTES, used_bytes),
	PLACE(READERS, readers),
	PLACE(WRITERS, writers),
	PLACE(WAITING_READERS, waiting_readers),
	PLACE(WAITING_WRITERS, waiting_writers),
};

helper void told_name(struct answer *a, struct told *t, struct nlattr *nla)
{
	const char *name = nla_data(nla);
	int len = nla_len(nla) - 1;

	if (len < 1 || len > IPCX_NAME_MAX || memchr(name, 0, len) || name[len]) {
		complain(a, "name's length", len);
		return;
	}
	t->st.name_len = len;
	memcpy(t->st.name, name, len);
}

/* The attribute if it is there exactly once, and all right. */
helper void told_attr(struct answer *a, struct told *t, struct nlattr *nla)
{
	size_t i;

	switch (nla_type(nla)) {
	case A_(NAME):
		told_name(a, t, nla);
		return;
	case A_(DEFUNCT):
		t->defunct = true;
		if (nla_len(nla))
			complain(a, "flag's length", nla_len(nla));
		return;
	case A_(PAD):
		return;
	}
	for (i = 0; i < ARRAY_LEN(places); i++) {
		if (places[i].attr != nla_type(nla))
			continue;
		if (places[i].size != nla_len(nla))
			complain(a, "attribute's length", nla_type(nla));
		else
			memcpy((char *)&t->st + places[i].offset,
			       nla_data(nla), nla_len(nla));
		return;
	}
	complain(a, "unknown attribute", nla_type(nla));
}

/* Every attribute of ipcx_stat must be there; as that, comparable by memcmp(). */
helper void told_object(struct answer *a, struct nlmsghdr *nlh)
{
	struct genlmsghdr *genl = nlmsg_data(nlh);
	unsigned int seen[__IPCX_A_OBJECT_MAX] = { 0 };
	struct nlattr *nla;
	struct told *t;
	size_t i;
	int rem;

	a->told = realloc(a->told, (a->count + 1) * sizeof(*a->told));
	t = &a->told[a->count++];
	memset(t, 0, sizeof(*t));
	t->st.size = sizeof(t->st);
	if (genl->version != IPCX_FAMILY_VERSION || genl->reserved)
		complain(a, "header", genl->version);
	nla_for_each_attr(nla, genlmsg_attrdata(genl, 0),
			  genlmsg_attrlen(genl, 0), rem) {
		if (nla_type(nla) < __IPCX_A_OBJECT_MAX)
			seen[nla_type(nla)]++;
		told_attr(a, t, nla);
	}
	for (i = 0; i < ARRAY_LEN(places); i++)
		if (seen[places[i].attr] != 1)
			complain(a, "attribute not there once",
				 places[i].attr);
	if (seen[A_(NAME)] != !!(t->st.flags & IPCX_STAT_NAMED))
		complain(a, "name and flag disagree", t->st.flags);
}

/* The kernel points into our request. */
helper int attr_at(const struct answer *a, uint32_t offset)
{
	struct nlmsghdr *nlh = nlmsg_hdr(a->request);

	if (offset < NLMSG_HDRLEN + GENL_HDRLEN || offset >= nlh->nlmsg_len)
		return -1;
	return ((struct nlattr *)((char *)nlh + offset))->nla_type &
	       NLA_TYPE_MASK;
}

helper void told_error(struct answer *a, struct nlmsghdr *nlh)
{
	struct nlmsgerr *e = nlmsg_data(nlh);
	struct nlattr *nla;
	int rem;

	a->err = e->error;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	nla_for_each_attr(nla, (struct nlattr *)(e + 1),
			  nlh->nlmsg_len - NLMSG_HDRLEN - sizeof(*e), rem) {
		switch (nla_type(nla)) {
		case NLMSGERR_ATTR_MSG:
			snprintf(a->message, sizeof(a->message), "%s",
				 (char *)nla_data(nla));
			break;
		case NLMSGERR_ATTR_OFFS:
			a->bad = attr_at(a, nla_get_u32(nla));
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			a->missing = nla_get_u32(nla);
			break;
		}
	}
}

/* Takes one message; 1 if it was the last of the answer. */
helper int told_message(struct answer *a, struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_seq != nlmsg_hdr(a->request)->nlmsg_seq)
		complain(a, "sequence number", nlh->nlmsg_seq);
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		a->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		told_error(a, nlh);
		return 1;
	}
	if (nlh->nlmsg_type == NLMSG_DONE) {
		a->err = *(int *)nlmsg_data(nlh);
		return 1;
	}
	if (nlh->nlmsg_type == nl_family)
		told_object(a, nlh);
	else
		complain(a, "message's type", nlh->nlmsg_type);
	return 0;
}

/* One datagram; 1 if it ends the answer. */
helper int ask_receive(int fd, struct answer *a)
{
	static char buf[65536] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	int len, last = 0;

	len = recv(fd, buf, sizeof(buf), MSG_TRUNC);
	if (len < 0)
		return -errno;
	if (len > (int)sizeof(buf))
		return -EMSGSIZE;
	for (; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len))
		last = told_message(a, nlh);
	return last;
}

/* Everything up to the last; the answer's own error, or what went wrong. */
helper int ask_finish(int fd, struct answer *a)
{
	int ret;

	do
		ret = ask_receive(fd, a);
	while (!ret);
	if (ret < 0)
		return ret;
	return a->garbled ? -EBADMSG : a->err;
}

helper void answer_free(struct answer *a)
{
	nlmsg_free(a->request);
	free(a->told);
	memset(a, 0, sizeof(*a));
}

helper int ask(int fd, int command, int flags, const struct attr *list,
	       struct answer *a)
{
	int ret = ask_send(fd, ask_request(command, flags, list), a);

	return ret ? ret : ask_finish(fd, a);
}

/* A command of which only success or failure matters. */
helper int ask_only(int fd, int command, const struct attr *list)
{
	struct answer a;
	int ret = ask(fd, command, 0, list, &a);

	answer_free(&a);
	return ret;
}

/* A command that tells about one object; @told may be NULL. */
helper int ask_object(int fd, int command, const struct attr *list,
		      struct told *told)
{
	struct answer a;
	int ret = ask(fd, command, 0, list, &a);

	if (!ret && a.count != 1)
		ret = -EPROTO;
	if (!ret && told)
		*told = a.told[0];
	answer_free(&a);
	return ret;
}

helper int ask_get(int fd, const struct attr *list, struct told *told)
{
	return ask_object(fd, IPCX_CMD_GET, list, told);
}

/* As obj_create(), it is removed after the test. */
helper int ask_create(int fd, const struct attr *list, struct told *told)
{
	struct tracked *slot;
	struct told t;
	int ret = ask_object(fd, IPCX_CMD_CREATE, list, &t);

	if (ret)
		return ret;
	slot = track_slot();
	if (slot) {
		slot->cookie = t.st.cookie;
		slot->id = t.st.id;
	}
	if (told)
		*told = t;
	return 0;
}

helper int ask_delete(int fd, const struct attr *list)
{
	return ask_only(fd, IPCX_CMD_DELETE, list);
}

helper int ask_dump(int fd, const struct attr *list, struct answer *a)
{
	return ask(fd, IPCX_CMD_GET, NLM_F_DUMP, list, a);
}

helper const struct told *answer_find(const struct answer *a, uint64_t cookie)
{
	unsigned int i;

	for (i = 0; i < a->count; i++)
		if (a->told[i].st.cookie == cookie)
			return &a->told[i];
	return NULL;
}

helper const struct told *answer_find_name(const struct answer *a,
					   const char *name)
{
	unsigned int i;

	for (i = 0; i < a->count; i++)
		if (!strcmp(a->told[i].st.name, name))
			return &a->told[i];
	return NULL;
}

/* Every object once: a dump goes by rising ids. */
helper bool answer_in_order(const struct answer *a)
{
	unsigned int i;

	for (i = 1; i < a->count; i++)
		if (a->told[i].st.id <= a->told[i - 1].st.id)
			return false;
	return true;
}

/* What netlink tells; a queue's messages and two of its limits, and what a set is, it doesn't. */
helper struct ipcx_stat tellable(const struct ipcx_stat *st)
{
	struct ipcx_stat copy = *st;

	copy.ref = ref_self();
	copy.msgs = 0;
	copy.msgs_bytes = 0;
	copy.used_msgs = 0;
	copy.max_msgs = 0;
	copy.max_msg_bytes = 0;
	copy.sems = 0;
	copy.sem_flags = 0;
	copy.sem_max = 0;
	return copy;
}

/* Does netlink tell what the ioctl tells? */
helper bool same_stat(const struct ipcx_stat *a, const struct ipcx_stat *b)
{
	struct ipcx_stat x = tellable(a), y = tellable(b);
	size_t i;

	for (i = 0; i < ARRAY_LEN(places); i++)
		if (memcmp((char *)&x + places[i].offset,
			   (char *)&y + places[i].offset, places[i].size))
			fprintf(stderr, "# attribute %d differs\n",
				places[i].attr);
	return !memcmp(&x, &y, sizeof(x));
}

#endif /* NETLINK_TEST_H */
