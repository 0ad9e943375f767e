// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink requests with each allocation of their sender failing in turn, then
 * with each copy. The kernel works at a request while it is sent, and goes on with
 * a dump while its parts are received.
 *
 * Netlink may lose an answer for lack of memory, and tells ENOBUFS then: what was
 * asked for may have been done or not.
 */
#include "fail_nth_test.h"

/* Enough for a dump of several parts. */
#define OBJECTS		100

/*
 * Asks on a socket of its own, which is armed while it sends. What was asked for
 * is said to have failed only if @done doesn't find it done.
 */
static int request(struct stage *s, int command, const struct attr *list,
		   bool (*done)(struct stage *s), struct told *told)
{
	int nl = ask_open(), ret;
	struct answer a;

	ret = armed(s, ask_send(nl, ask_request(command, 0, list), &a));
	if (!ret)
		ret = ask_finish(nl, &a);
	if (!ret && told)
		*told = a.count == 1 ? a.told[0] : (struct told) { 0 };
	answer_free(&a);
	close(nl);
	return ret == -ENOBUFS && done && done(s) ? 0 : ret;
}

static int get_by_name(struct stage *s)
{
	struct told told;
	int ret = request(s, IPCX_CMD_GET, attrs(TEXT(NAME, s->name)), NULL,
			  &told);

	return ret ? ret : told.st.cookie != s->st.cookie;
}

static int get_by_id(struct stage *s)
{
	struct told told;
	int ret = request(s, IPCX_CMD_GET, attrs(U32(ID, s->st.id)), NULL,
			  &told);

	return ret ? ret : told.st.cookie != s->st.cookie;
}

static bool undo_zero(struct stage *s, int ret)
{
	(void)s;
	return ret == 0;
}

static bool other_exists(struct stage *s)
{
	struct ipcx_stat st;

	return !name_stat(s->dev, s->other, &st);
}

static int create(struct stage *s)
{
	return request(s, IPCX_CMD_CREATE,
		       attrs(PIPE, TEXT(NAME, s->other), U32(MODE, 0600)),
		       other_exists, NULL);
}

static int create_sized(struct stage *s)
{
	return request(s, IPCX_CMD_CREATE,
		       attrs(PIPE, TEXT(NAME, s->other),
			     U64(CAPACITY_BYTES, 1 << 20)),
		       other_exists, NULL);
}

static bool undo_create(struct stage *s, int ret)
{
	return ret == 0 && !name_remove(s->dev, s->other);
}

/* What is to be deleted: a pipe that somebody has open. */
static bool stage_pipe(struct stage *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = pipe_create(s->dev, s->name, PERSISTENT, RDWR);
	return s->fd >= 0 && !fd_stat(s->fd, &s->st);
}

static bool is_unlinked(struct stage *s)
{
	struct ipcx_stat st;

	return name_stat(s->dev, s->name, &st) == -ENOENT;
}

static int unlink_by_name(struct stage *s)
{
	return request(s, IPCX_CMD_DELETE, attrs(TEXT(NAME, s->name)),
		       is_unlinked, NULL);
}

static bool undo_unlink(struct stage *s, int ret)
{
	struct ipcx_stat st;

	return ret == 0 && is_unlinked(s) && !fd_stat(s->fd, &st) &&
	       stage_pipe(s);
}

static int remove_by_id(struct stage *s)
{
	return request(s, IPCX_CMD_DELETE,
		       attrs(U32(ID, s->st.id), FLAG(REMOVE)), is_unlinked,
		       NULL);
}

static bool undo_remove(struct stage *s, int ret)
{
	struct ipcx_stat st;

	return ret == 0 && fd_stat(s->fd, &st) == -EIDRM && stage_pipe(s);
}

/* The dump, whose parts a buffer keeps until they are read. */

static char part[65536] __attribute__((aligned(8)));

/* One part: 1 if it was the last, its error, or -errno. */
static int receive_part(struct stage *s, int nl, unsigned int *objects)
{
	int len = armed(s, plain_read(nl, part, sizeof(part)));
	struct nlmsghdr *nlh = (struct nlmsghdr *)part;

	if (len < 0)
		return len;
	for (; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_type == NLMSG_DONE ||
		    nlh->nlmsg_type == NLMSG_ERROR)
			return *(int *)nlmsg_data(nlh) ?: 1;
		++*objects;
	}
	return 0;
}

static int dump(struct stage *s, bool send_armed, bool receive_armed)
{
	unsigned int objects = 0, nth = s->nth;
	int nl = ask_open(), ret;
	struct answer a;
	bool hit;

	s->nth = send_armed ? nth : 0;
	ret = armed(s, ask_send(nl, ask_request(IPCX_CMD_GET, NLM_F_DUMP,
						no_attrs), &a));
	hit = s->hit;
	s->nth = receive_armed ? nth : 0;
	while (!ret) {
		ret = receive_part(s, nl, &objects);
		hit |= s->hit;
	}
	s->nth = nth;
	s->hit = hit;
	answer_free(&a);
	close(nl);
	return ret < 0 ? ret : objects != OBJECTS + 1;
}

static int dump_sent(struct stage *s)
{
	return dump(s, true, false);
}

static int dump_received(struct stage *s)
{
	return dump(s, false, true);
}

/* A dump that its reader leaves in the middle. */
static int dump_left(struct stage *s)
{
	int nl = ask_open(), ret;
	struct answer a;

	ret = ask_send(nl, ask_request(IPCX_CMD_GET, NLM_F_DUMP, no_attrs), &a);
	answer_free(&a);
	if (ret || recv(nl, part, sizeof(part), 0) <= 0)
		return -EPROTO;
	return armed(s, close(nl) ? -errno : 0);
}

FIXTURE(fail_nth_netlink) {
	struct stage *s;
};

FIXTURE_VARIANT(fail_nth_netlink) {
	struct trial trial;
	bool many;
	int may;
};

#define ROW(name, undo_, may_, ...)					\
	FIXTURE_VARIANT_ADD(fail_nth_netlink, name) {			\
		.trial = { .call = name, .undo = undo_,			\
			   .errors = { ENOBUFS } },			\
		.may = may_,						\
		__VA_ARGS__						\
	}

ROW(get_by_name, undo_zero, MEMORY | COPY);
ROW(get_by_id, undo_zero, MEMORY | COPY);
ROW(create, undo_create, MEMORY | COPY);
ROW(create_sized, undo_create, MEMORY | COPY);
ROW(unlink_by_name, undo_unlink, MEMORY | COPY);
ROW(remove_by_id, undo_remove, MEMORY | COPY);
ROW(dump_sent, undo_zero, MEMORY | COPY, .many = true);
/* A part that finds no memory is made when the next is received. */
ROW(dump_received, undo_zero, COPY, .many = true);
ROW(dump_left, undo_zero, 0, .many = true);

FIXTURE_SETUP(fail_nth_netlink)
{
	int i;

	track_cleanup();
	self->s = stage_make();
	self->s->dev = dev_open();
	ASSERT_GE(self->s->dev, 0);
	ASSERT_TRUE(settled(self->s->dev));
	ASSERT_TRUE(stage_pipe(self->s));
	for (i = 0; variant->many && i < OBJECTS; i++)
		ASSERT_EQ(0, close(pipe_create_sized(self->s->dev, NULL,
						     PERSISTENT, NONE, 4096)));
}

FIXTURE_TEARDOWN_PARENT(fail_nth_netlink)
{
	track_cleanup();
}

TEST_F_TIMEOUT(fail_nth_netlink, memory, 300)
{
	ASSERT_TRUE(fail_setup(FAIL_MEMORY));
	fail_all(_metadata, self->s, FAIL_MEMORY, &variant->trial,
		 variant->may & MEMORY);
}

TEST_F_TIMEOUT(fail_nth_netlink, copy, 300)
{
	ASSERT_TRUE(fail_setup(FAIL_COPY));
	fail_all(_metadata, self->s, FAIL_COPY, &variant->trial,
		 variant->may & COPY);
}

FAIL_NTH_MAIN
