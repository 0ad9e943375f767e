// SPDX-License-Identifier: GPL-2.0
/*
 * libipcx: the functions of queues, as ipcx.h and the manual pages tell them: what each
 * passes on, what it returns, and what it leaves alone. What becomes of messages between
 * many senders and receivers is for the tests of queues.
 */
#include "pipe_test.h"

#include <ipcx.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sys/resource.h>

#define NONE		IPCX_ACCESS_NONE
#define READ		IPCX_ACCESS_READ
#define WRITE		IPCX_ACCESS_WRITE
#define RDWR		IPCX_ACCESS_RDWR
#define QUEUE		IPCX_TYPE_QUEUE

/* An id that nothing has so soon. */
#define NO_ID		0x7ffffff0

/* Enough for a test to see that a wait did wait. */
#define SHORT_NS	50000000ULL

/* Of the fixture's queue. */
#define MAX_MSGS	8
#define MAX_BYTES	4096
#define MAX_MSG_BYTES	1024

/* For limits and types that no queue has. */
#define TOO_MANY	(1ULL << 63)

static const struct ipcx_options persistent = {
	.lifetime = IPCX_LIFETIME_PERSISTENT,
};

static const struct ipcx_queue_params small = {
	.max_msgs = MAX_MSGS,
	.max_bytes = MAX_BYTES,
	.max_msg_bytes = MAX_MSG_BYTES,
};

static const struct ipcx_queue_params unchanged;

static struct ipcx_deadline patience(void)
{
	return ipcx_deadline_after(PATIENCE_MS * 1000000ULL);
}

FIXTURE(queue) {
	int dev;
	int fd;
	uint32_t id;
	uint64_t cookie;
	char name[TEST_NAME_SIZE];
	char other[TEST_NAME_SIZE];
};

/* To be removed after the test, whoever makes it. */
static void will_exist(const char *name)
{
	struct ipcx_create arg = pipe_arg(name, 0, 0);

	track_object(&arg, -1);
}

FIXTURE_SETUP(queue)
{
	track_cleanup();
	will_exist(test_name(self->name, "queue"));
	will_exist(test_name(self->other, "other"));
	self->dev = ipcx_device();
	ASSERT_GE(self->dev, 0);
	self->fd = ipcx_queue_create(self->dev, self->name, RDWR, &small,
				     &persistent);
	ASSERT_GE(self->fd, 0);
	self->id = pipe_stat(self->fd).id;
	self->cookie = pipe_stat(self->fd).cookie;
}

FIXTURE_TEARDOWN_PARENT(queue)
{
	track_cleanup();
}

/* Ways to mean the queue. */
enum form { BY_FD, BY_ID, BY_ID_COOKIE, FORMS };

struct meant {
	enum form form;
	int dev;
	int fd;
	uint32_t id;
	uint64_t cookie;
};

#define MEANT(form_) ((struct meant) {					\
	.form = form_, .dev = self->dev, .fd = self->fd, .id = self->id,	\
	.cookie = (form_) == BY_ID_COOKIE ? self->cookie : 0,		\
})

static int send_as(struct meant m, const struct ipcx_msg *msgs,
		   unsigned int count, unsigned int flags,
		   const struct ipcx_deadline *deadline)
{
	if (m.form == BY_FD)
		return ipcx_queue_send(m.fd, msgs, count, flags, deadline);
	return ipcx_queue_send_id(m.dev, m.id, m.cookie, msgs, count, flags,
				  deadline);
}

static int recv_as(struct meant m, struct ipcx_msg *msgs, unsigned int count,
		   const struct ipcx_select *select, unsigned int flags,
		   const struct ipcx_deadline *deadline)
{
	if (m.form == BY_FD)
		return ipcx_queue_recv(m.fd, msgs, count, select, flags,
				       deadline);
	return ipcx_queue_recv_id(m.dev, m.id, m.cookie, msgs, count, select,
				  flags, deadline);
}

static int peek_as(struct meant m, struct ipcx_msg *msgs, unsigned int count,
		   const struct ipcx_select *select, uint64_t skip,
		   unsigned int flags)
{
	if (m.form == BY_FD)
		return ipcx_queue_peek(m.fd, msgs, count, select, skip, flags);
	return ipcx_queue_peek_id(m.dev, m.id, m.cookie, msgs, count, select,
				  skip, flags);
}

static int64_t purge_as(struct meant m, const struct ipcx_select *select)
{
	return m.form == BY_FD ? ipcx_queue_purge(m.fd, select) :
	       ipcx_queue_purge_id(m.dev, m.id, m.cookie, select);
}

/* Messages. */

static struct ipcx_msg msg_of(uint64_t type, const char *text)
{
	return (struct ipcx_msg) {
		.type = type, .buf = (uintptr_t)text, .len = strlen(text),
	};
}

static int send_text(int fd, uint64_t type, const char *text)
{
	struct ipcx_msg msg = msg_of(type, text);

	return ipcx_queue_send(fd, &msg, 1, IPCX_NONBLOCK, NULL);
}

/* One message of each type, "1", "2" and so on. */
static bool send_types(int fd, const uint64_t *types, unsigned int count)
{
	char text[2] = "1";
	unsigned int i;

	for (i = 0; i < count; i++, text[0]++) {
		if (send_text(fd, types[i], text) != 1)
			return false;
	}
	return true;
}

/* Room for a message; whatever is not set by a call shows. */
static struct ipcx_msg room(void *buf, size_t len)
{
	struct ipcx_msg msg;

	memset(&msg, POISON, sizeof(msg));
	memset(buf, POISON, len);
	msg.buf = (uintptr_t)buf;
	msg.room = len;
	return msg;
}

/* The one byte of what is received, or the error. */
static int recv_byte(int fd, const struct ipcx_select *select)
{
	char c;
	struct ipcx_msg msg = room(&c, 1);
	int ret = ipcx_queue_recv(fd, &msg, 1, select, IPCX_NONBLOCK, NULL);

	return ret == 1 && msg.len == 1 ? c : ret;
}

static bool fill(int fd)
{
	int i;

	for (i = 0; i < MAX_MSGS; i++) {
		if (send_text(fd, 1, "full") != 1)
			return false;
	}
	return true;
}

static uint64_t msgs_in(int fd)
{
	return pipe_stat(fd).msgs;
}

static bool limits_are(int fd, uint64_t msgs, uint64_t bytes,
		       uint64_t msg_bytes)
{
	struct ipcx_stat st = pipe_stat(fd);

	return st.max_msgs == msgs && st.capacity_bytes == bytes &&
	       st.max_msg_bytes == msg_bytes;
}

/* The process may open no more files. */
static void allow_no_files(void)
{
	struct rlimit limit = { 0 };

	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Create. */

TEST_F(queue, create_has_defaults)
{
	const struct ipcx_queue_params *limits[] = { NULL, &unchanged };
	struct ipcx_stat st;
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		fd = ipcx_queue_create(self->dev, self->other, RDWR, limits[i],
				       NULL);
		ASSERT_GE(fd, 0);
		st = pipe_stat(fd);
		EXPECT_EQ(QUEUE, st.type);
		EXPECT_EQ(IPCX_LIFETIME_TRANSIENT, st.lifetime);
		EXPECT_EQ(0600, st.mode);
		EXPECT_EQ(IPCX_STAT_NAMED, st.flags);
		EXPECT_STREQ(self->other, st.name);
		EXPECT_TRUE(limits_are(fd, 1024, 256 << 10, 256 << 10));
		EXPECT_EQ(0, st.msgs);
		EXPECT_EQ(0, st.used_bytes);
		EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
		EXPECT_EQ(O_RDWR, fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
		close(fd);
		EXPECT_EQ(-ENOENT, ipcx_unlink(self->dev, self->other));
	}
}

TEST_F(queue, create_passes_limits_on)
{
	static const struct {
		struct ipcx_queue_params limits;
		uint64_t msgs, bytes, msg_bytes;
	} rows[] = {
		{ { .max_msgs = 1 }, 1, 256 << 10, 256 << 10 },
		{ { .max_bytes = 1 }, 1024, 1, 1 },
		{ { .max_msg_bytes = 1 }, 1024, 256 << 10, 1 },
		{ { 2000, 32 << 20, 0 }, 2000, 32 << 20, 16 << 20 },
		{ { 3, 4, 4 }, 3, 4, 4 },
	};
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		fd = ipcx_queue_create(self->dev, NULL, NONE, &rows[i].limits,
				       NULL);
		ASSERT_GE(fd, 0);
		EXPECT_TRUE(limits_are(fd, rows[i].msgs, rows[i].bytes,
				       rows[i].msg_bytes)) {
			TH_LOG("row %u", i);
		}
		EXPECT_LE(rows[i].bytes, pipe_stat(fd).charged_bytes);
		close(fd);
	}
}

TEST_F(queue, create_passes_options_on)
{
	struct ipcx_options options = {
		.lifetime = IPCX_LIFETIME_OWNED,
		.mode = 0640,
		.flags = IPCX_NONBLOCK | IPCX_INHERIT,
	};
	int fd = ipcx_queue_create(self->dev, self->other, READ, NULL, &options);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(IPCX_LIFETIME_OWNED, pipe_stat(fd).lifetime);
	EXPECT_EQ(0640, pipe_stat(fd).mode);
	EXPECT_EQ(O_NONBLOCK, fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
	EXPECT_EQ(0, fcntl(fd, F_GETFD));
	options.reserved[0] = 1;
	EXPECT_EQ(-EINVAL, ipcx_queue_create(self->dev, NULL, READ, NULL,
					     &options));
}

TEST_F(queue, create_checks_limits)
{
	struct ipcx_query query;
	unsigned int i;

	ASSERT_EQ(0, ipcx_query(self->dev, &query, sizeof(query)));
	const struct ipcx_queue_params bad[] = {
		{ .max_msgs = query.queue_msgs_max + 1 },
		{ .max_msgs = TOO_MANY },
		{ .max_msgs = UINT64_MAX },
		{ .max_bytes = query.queue_bytes_max + 1 },
		{ .max_bytes = UINT64_MAX },
		{ .max_msg_bytes = (256 << 10) + 1 },
		{ .max_msg_bytes = UINT64_MAX },
		{ .max_bytes = 100, .max_msg_bytes = 101 },
		{ .max_bytes = 32 << 20, .max_msg_bytes = IPCX_MSG_BYTES_MAX + 1 },
	};

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, ipcx_queue_create(self->dev, self->other,
						     RDWR, &bad[i], NULL)) {
			TH_LOG("row %u", i);
		}
	}
	EXPECT_EQ(-EINVAL, ipcx_queue_create(self->dev, self->other, 4, NULL,
					     NULL));
	EXPECT_EQ(-ENOENT, ipcx_unlink(self->dev, self->other));
}

TEST_F(queue, create_needs_a_free_name)
{
	struct ipcx_options options = { .flags = IPCX_OR_OPEN };
	char name[IPCX_NAME_MAX + 2];
	int fd;

	EXPECT_EQ(-EEXIST, ipcx_queue_create(self->dev, self->name, RDWR, NULL,
					     NULL));
	fd = ipcx_queue_create(self->dev, self->name, RDWR, NULL, &options);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(self->cookie, pipe_stat(fd).cookie);
	EXPECT_TRUE(limits_are(fd, MAX_MSGS, MAX_BYTES, MAX_MSG_BYTES));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(-EACCES, ipcx_queue_create(self->dev, self->name,
						     RDWR, NULL, &options));
	}
	EXPECT_EQ(-EPROTOTYPE, ipcx_pipe_create(self->dev, self->name, RDWR, 0,
						&options));
	ASSERT_GE(ipcx_pipe_create(self->dev, self->other, RDWR, 0, NULL), 0);
	EXPECT_EQ(-EPROTOTYPE, ipcx_queue_create(self->dev, self->other, RDWR,
						 NULL, &options));
	EXPECT_EQ(-EINVAL, ipcx_queue_create(self->dev, NULL, RDWR, NULL,
					     &options));

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	EXPECT_EQ(-ENAMETOOLONG, ipcx_queue_create(self->dev, name, RDWR, NULL,
						   NULL));
	EXPECT_EQ(-EINVAL, ipcx_queue_create(self->dev, "", RDWR, NULL, NULL));
	EXPECT_EQ(-EINVAL, ipcx_queue_create(self->dev, "a/b", RDWR, NULL,
					     NULL));
}

TEST_F(queue, create_is_charged)
{
	const struct ipcx_queue_params large = { .max_bytes = 64 << 20 };

	in_child() {
		allow_no_files();
		EXPECT_EQ(-EMFILE, ipcx_queue_create(self->dev, NULL, RDWR,
						     NULL, NULL));
	}
	as_user(UID_A, GID_A) {
		int i, ret = 0;

		for (i = 0; i < 10000 && ret >= 0; i++)
			ret = ipcx_queue_create(self->dev, NULL, NONE, &large,
						NULL);
		EXPECT_EQ(-EDQUOT, ret);
	}
}

/* What ipcx_create() takes as parameters may be longer, or shorter. */
TEST_F(queue, parameters_may_grow)
{
	struct {
		struct ipcx_queue_params limits;
		uint64_t newer;
	} params = { .limits = small };

	EXPECT_GE(ipcx_create(self->dev, NULL, QUEUE, NONE, NULL, NULL, 0), 0);
	EXPECT_GE(ipcx_create(self->dev, NULL, QUEUE, NONE, NULL, &params,
			      sizeof(params.limits)), 0);
	EXPECT_GE(ipcx_create(self->dev, NULL, QUEUE, NONE, NULL, &params,
			      sizeof(params)), 0);
	params.newer = 1;
	EXPECT_EQ(-E2BIG, ipcx_create(self->dev, NULL, QUEUE, NONE, NULL,
				      &params, sizeof(params)));
	EXPECT_EQ(-EINVAL, ipcx_create(self->dev, NULL, QUEUE, NONE, NULL,
				       &params, sizeof(params.limits) - 8));
	EXPECT_EQ(-EFAULT, ipcx_create(self->dev, NULL, QUEUE, NONE, NULL,
				       (void *)8, sizeof(params.limits)));
}

TEST_F(queue, access_is_what_was_asked_for)
{
	int access, fd;

	for (access = NONE; access <= RDWR; access++) {
		fd = ipcx_queue_create(self->dev, NULL, access, NULL, NULL);
		ASSERT_GE(fd, 0);
		EXPECT_EQ(!!(access & READ), pipe_stat(fd).readers);
		EXPECT_EQ(!!(access & WRITE), pipe_stat(fd).writers);
		EXPECT_EQ(access & WRITE ? 1 : -EBADF, send_text(fd, 1, "x"));
		EXPECT_EQ(access == RDWR ? 'x' : access & READ ? -EAGAIN : -EBADF,
			  recv_byte(fd, NULL));
		EXPECT_EQ(access & READ ? 0 : -EBADF, ipcx_queue_purge(fd, NULL));
		EXPECT_EQ(access & READ ? 0 : -EBADF,
			  ipcx_queue_notify(fd, 0, 0));
		EXPECT_EQ(0, ipcx_queue_file(fd, NULL, 7, 0));
		EXPECT_EQ(0, ipcx_queue_resize(fd, &small));
		close(fd);
	}
}

/* Opening a queue waits for no other side. */
TEST_F(queue, open_does_not_wait)
{
	int fd = ipcx_queue_create(self->dev, self->other, NONE, NULL, NULL);

	ASSERT_GE(fd, 0);
	EXPECT_GE(ipcx_open(self->dev, self->other, QUEUE, WRITE, 0, NULL), 0);
	EXPECT_GE(ipcx_open_fd(fd, READ, IPCX_NONBLOCK, NULL), 0);
	EXPECT_EQ(-EPROTOTYPE, ipcx_open(self->dev, self->other, IPCX_TYPE_PIPE,
					 RDWR, 0, NULL));
}

/* Send and receive. */

TEST_F(queue, messages_arrive_with_all_that_is_known)
{
	uint64_t type = IPCX_MSG_TYPE_MAX;
	enum form form;
	char buf[16];

	for (form = 0; form < FORMS; form++) {
		struct ipcx_msg out = msg_of(type, "hello"), in = room(buf, 16);
		uint64_t before = now_ns(CLOCK_REALTIME_COARSE);

		ASSERT_EQ(1, send_as(MEANT(form), &out, 1, 0, NULL));
		EXPECT_EQ(1, msgs_in(self->fd));
		ASSERT_EQ(1, recv_as(MEANT(form), &in, 1, NULL, 0, NULL));
		EXPECT_EQ(type, in.type);
		EXPECT_EQ((uintptr_t)buf, in.buf);
		EXPECT_EQ(5, in.len);
		EXPECT_EQ(0, memcmp(buf, "hello", 5));
		EXPECT_EQ((char)POISON, buf[5]);
		EXPECT_LE(before, in.sent_ns);
		EXPECT_GE(now_ns(CLOCK_REALTIME), in.sent_ns);
		EXPECT_EQ(getpid(), in.pid);
		EXPECT_EQ(getuid(), in.uid);
		EXPECT_EQ(getgid(), in.gid);
		EXPECT_EQ(0, in.flags);
		EXPECT_EQ(0, msgs_in(self->fd));
	}
}

TEST_F(queue, messages_tell_their_sender)
{
	char buf[1];
	struct ipcx_msg msg = room(buf, 1);
	int sender = 0;

	ASSERT_EQ(0, fchmod(self->fd, 0622));
	as_user(UID_A, GID_A) {
		struct ipcx_msg out = msg_of(1, "x");

		ASSERT_EQ(1, ipcx_queue_send_id(self->dev, self->id, 0, &out, 1,
						0, NULL));
		out.type = getpid();
		ASSERT_EQ(1, ipcx_queue_send(self->fd, &out, 1, 0, NULL));
	}
	ASSERT_EQ(1, ipcx_queue_recv(self->fd, &msg, 1, NULL, 0, NULL));
	EXPECT_EQ(UID_A, msg.uid);
	EXPECT_EQ(GID_A, msg.gid);
	sender = msg.pid;
	msg = room(buf, 1);
	ASSERT_EQ(1, ipcx_queue_recv(self->fd, &msg, 1, NULL, 0, NULL));
	EXPECT_EQ((uint64_t)sender, msg.type);
	EXPECT_EQ(sender, msg.pid);
}

/* The array can be used again as it is, but for the room. */
TEST_F(queue, batches_move_as_many_as_there_are)
{
	struct ipcx_msg out[MAX_MSGS], in[MAX_MSGS + 1];
	static const char text[] = "abcd";
	char bufs[MAX_MSGS + 1][4];
	enum form form;
	int i;

	for (i = 0; i < MAX_MSGS; i++)
		out[i] = msg_of(i + 1, text + i % 4);
	for (form = 0; form < FORMS; form++) {
		for (i = 0; i <= MAX_MSGS; i++)
			in[i] = room(bufs[i], 4);
		ASSERT_EQ(MAX_MSGS, send_as(MEANT(form), out, MAX_MSGS, 0, NULL));
		ASSERT_EQ(MAX_MSGS, recv_as(MEANT(form), in, MAX_MSGS + 1, NULL,
					    0, NULL));
		for (i = 0; i < MAX_MSGS; i++) {
			EXPECT_EQ(out[i].type, in[i].type);
			EXPECT_EQ(out[i].len, in[i].len);
			EXPECT_EQ(0, memcmp(bufs[i], text + i % 4, in[i].len));
		}
		EXPECT_EQ(4, in[MAX_MSGS].room);
		EXPECT_EQ((char)POISON, bufs[MAX_MSGS][0]);
	}
}

TEST_F(queue, empty_messages_are_messages)
{
	struct ipcx_msg msg = { .type = 5 };

	ASSERT_EQ(1, ipcx_queue_send(self->fd, &msg, 1, 0, NULL));
	EXPECT_EQ(1, msgs_in(self->fd));
	memset(&msg, POISON, sizeof(msg));
	msg.buf = 0;
	msg.room = 0;
	ASSERT_EQ(1, ipcx_queue_recv(self->fd, &msg, 1, NULL, 0, NULL));
	EXPECT_EQ(5, msg.type);
	EXPECT_EQ(0, msg.len);
	EXPECT_EQ(0, msg.flags);
}

TEST_F(queue, type_0_is_the_file_s)
{
	struct ipcx_msg out = msg_of(0, "x"), in;
	char c;

	ASSERT_EQ(0, ipcx_queue_file(self->fd, NULL, 77, 0));
	ASSERT_EQ(1, ipcx_queue_send(self->fd, &out, 1, 0, NULL));
	in = room(&c, 1);
	ASSERT_EQ(1, ipcx_queue_recv(self->fd, &in, 1, NULL, 0, NULL));
	EXPECT_EQ(77, in.type);
	ASSERT_EQ(1, ipcx_queue_send_id(self->dev, self->id, 0, &out, 1, 0,
					NULL));
	in = room(&c, 1);
	ASSERT_EQ(1, ipcx_queue_recv(self->fd, &in, 1, NULL, 0, NULL));
	EXPECT_EQ(1, in.type);
}

TEST_F(queue, send_checks_its_arguments)
{
	struct ipcx_deadline clock = { .ns = 1, .clock = 12345 };
	struct ipcx_msg good = msg_of(1, "x"), many[2] = { good, good };
	const struct ipcx_msg bad[] = {
		{ .type = IPCX_MSG_TYPE_MAX + 1 },
		{ .type = UINT64_MAX },
	};
	static const unsigned int flags[] = {
		IPCX_INHERIT, IPCX_OR_OPEN, IPCX_NO_SIGPIPE, IPCX_PEEK,
		IPCX_TRUNCATE, 1U << 31,
	};
	enum form form;
	unsigned int i;

	for (form = 0; form < FORMS; form++) {
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			EXPECT_EQ(-EINVAL, send_as(MEANT(form), &bad[i], 1, 0,
						   NULL)) {
				TH_LOG("row %u", i);
			}
		}
		for (i = 0; i < ARRAY_SIZE(flags); i++)
			EXPECT_EQ(-EINVAL, send_as(MEANT(form), &good, 1,
						   flags[i], NULL));
		EXPECT_EQ(-EINVAL, send_as(MEANT(form), &good, 1, 0, &clock));
		EXPECT_EQ(-EINVAL, send_as(MEANT(form), &good, 0, 0, NULL));
		EXPECT_EQ(-EINVAL, send_as(MEANT(form), &good,
					   IPCX_MSG_BATCH_MAX + 1, 0, NULL));
		EXPECT_EQ(-EFAULT, send_as(MEANT(form), NULL, 1, 0, NULL));
		good.buf = 8;
		EXPECT_EQ(-EFAULT, send_as(MEANT(form), &good, 1, 0, NULL));
		good.buf = 0;
		EXPECT_EQ(-EFAULT, send_as(MEANT(form), &good, 1, 0, NULL));
		good.buf = many[0].buf;
		EXPECT_EQ(0, msgs_in(self->fd));
		EXPECT_EQ(0, pipe_used(self->fd));

		/* Those before it count. */
		many[1].type = UINT64_MAX;
		EXPECT_EQ(1, send_as(MEANT(form), many, 2, 0, NULL));
		EXPECT_EQ('x', recv_byte(self->fd, NULL));
		many[1].type = 1;
	}
}

TEST_F(queue, messages_have_a_maximum)
{
	static char big[MAX_MSG_BYTES + 1];
	struct ipcx_msg msgs[2] = { msg_of(1, "x"), { .type = 1 } };
	enum form form;

	msgs[1].buf = (uintptr_t)big;
	for (form = 0; form < FORMS; form++) {
		msgs[1].len = sizeof(big);
		EXPECT_EQ(-EMSGSIZE, send_as(MEANT(form), &msgs[1], 1, 0, NULL));
		msgs[1].len = UINT64_MAX;
		EXPECT_EQ(-EMSGSIZE, send_as(MEANT(form), &msgs[1], 1, 0, NULL));
		EXPECT_EQ(1, send_as(MEANT(form), msgs, 2, 0, NULL));
		msgs[1].len = MAX_MSG_BYTES;
		EXPECT_EQ(1, send_as(MEANT(form), &msgs[1], 1, 0, NULL));
		EXPECT_EQ(2, msgs_in(self->fd));
		EXPECT_EQ(2, ipcx_queue_purge(self->fd, NULL));
	}
}

TEST_F(queue, send_without_space)
{
	struct ipcx_deadline d, past = deadline_past();
	struct ipcx_msg msgs[2] = { msg_of(1, "y"), msg_of(1, "z") };
	static const uint64_t types[MAX_MSGS - 1] = { 1, 1, 1, 1, 1, 1, 1 };
	enum form form;

	for (form = 0; form < FORMS; form++) {
		ASSERT_TRUE(fill(self->fd));
		EXPECT_EQ(-EAGAIN, send_as(MEANT(form), msgs, 2, IPCX_NONBLOCK,
					   NULL));
		EXPECT_EQ(-ETIMEDOUT, send_as(MEANT(form), msgs, 2, 0, &past));
		d = ipcx_deadline_after(SHORT_NS);
		EXPECT_EQ(-ETIMEDOUT, send_as(MEANT(form), msgs, 2, 0, &d));
		EXPECT_LE(d.ns, now_ns(CLOCK_MONOTONIC));
		EXPECT_EQ(MAX_MSGS, msgs_in(self->fd));

		/* The first goes in: so there is no error. */
		ASSERT_EQ(MAX_MSGS, purge_as(MEANT(form), NULL));
		ASSERT_TRUE(send_types(self->fd, types, MAX_MSGS - 1));
		EXPECT_EQ(1, send_as(MEANT(form), msgs, 2, 0, &past));
		EXPECT_EQ(MAX_MSGS, msgs_in(self->fd));
		EXPECT_EQ('1', recv_byte(self->fd, NULL));
		EXPECT_EQ(1, send_as(MEANT(form), msgs, 2, IPCX_NONBLOCK, NULL));
		EXPECT_EQ(MAX_MSGS, ipcx_queue_purge(self->fd, NULL));
	}
}

TEST_F(queue, nonblocking_files_do_not_wait)
{
	char c;
	struct ipcx_msg out = msg_of(1, "x"), in = room(&c, 1);

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, ipcx_queue_recv(self->fd, &in, 1, NULL, 0, NULL));
	ASSERT_TRUE(fill(self->fd));
	EXPECT_EQ(-EAGAIN, ipcx_queue_send(self->fd, &out, 1, 0, NULL));
	ASSERT_EQ(0, fcntl(self->dev, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, ipcx_queue_send_id(self->dev, self->id, 0, &out, 1,
					      0, NULL));
}

/* What failed has left the array and the buffers as they were. */
#define EXPECT_UNTOUCHED(error, call) do {				\
	struct ipcx_msg before_[2] = { msgs[0], msgs[1] };		\
									\
	EXPECT_EQ(error, call);						\
	EXPECT_EQ(0, memcmp(before_, msgs, sizeof(before_)));		\
	EXPECT_EQ((char)POISON, buf[0]);				\
} while (0)

TEST_F(queue, receive_without_messages)
{
	struct ipcx_select exact = ipcx_select_exact(2);
	struct ipcx_deadline d, past = deadline_past();
	struct ipcx_msg msgs[2];
	enum form form;
	char buf[2];

	ASSERT_EQ(1, send_text(self->fd, 1, "x"));
	msgs[0] = room(&buf[0], 1);
	msgs[1] = room(&buf[1], 1);
	for (form = 0; form < FORMS; form++) {
		EXPECT_UNTOUCHED(-EAGAIN, recv_as(MEANT(form), msgs, 2, &exact, IPCX_NONBLOCK,
						  NULL));
		EXPECT_UNTOUCHED(-ETIMEDOUT, recv_as(MEANT(form), msgs, 2, &exact, 0, &past));
		d = ipcx_deadline_after(SHORT_NS);
		EXPECT_UNTOUCHED(-ETIMEDOUT, recv_as(MEANT(form), msgs, 2, &exact, 0, &d));
		EXPECT_LE(d.ns, now_ns(CLOCK_MONOTONIC));
		EXPECT_UNTOUCHED(-EAGAIN, peek_as(MEANT(form), msgs, 2, &exact, 0, 0));
		EXPECT_UNTOUCHED(-EAGAIN, peek_as(MEANT(form), msgs, 2, NULL, 1, 0));
		EXPECT_EQ(0, purge_as(MEANT(form), &exact));
	}
	EXPECT_EQ(1, msgs_in(self->fd));
}

TEST_F(queue, receive_checks_its_arguments)
{
	static const struct ipcx_select bad[] = {
		{ .how = IPCX_SELECT_RANGE + 1 },
		{ .how = IPCX_SELECT_ANY, .reserved = 1 },
		{ .how = IPCX_SELECT_ANY, .lo = 1 },
		{ .how = IPCX_SELECT_EXACT },
		{ .how = IPCX_SELECT_EXACT, .lo = TOO_MANY },
		{ .how = IPCX_SELECT_EXCEPT },
		{ .how = IPCX_SELECT_EXCEPT, .lo = 1, .hi = 1 },
		{ .how = IPCX_SELECT_RANGE, .hi = 1 },
		{ .how = IPCX_SELECT_RANGE, .lo = 2, .hi = 1 },
		{ .how = IPCX_SELECT_RANGE, .lo = 1, .hi = TOO_MANY },
	};
	struct ipcx_deadline clock = { .ns = 1, .clock = 12345 };
	struct ipcx_msg msgs[2];
	enum form form;
	unsigned int i;
	char buf[2];

	ASSERT_EQ(1, send_text(self->fd, 1, "x"));
	msgs[0] = room(&buf[0], 1);
	msgs[1] = room(&buf[1], 1);
	for (form = 0; form < FORMS; form++) {
		struct meant m = MEANT(form);

		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			EXPECT_EQ(-EINVAL, recv_as(m, msgs, 1, &bad[i], 0, NULL)) {
				TH_LOG("row %u", i);
			}
			EXPECT_EQ(-EINVAL, peek_as(m, msgs, 1, &bad[i], 0, 0));
			EXPECT_EQ(-EINVAL, purge_as(m, &bad[i]));
			EXPECT_EQ(-EINVAL, ipcx_queue_file(self->fd, &bad[i], 0,
							   0));
		}
		EXPECT_UNTOUCHED(-EINVAL, recv_as(m, msgs, 0, NULL, 0, NULL));
		EXPECT_EQ(-EINVAL, recv_as(m, msgs, IPCX_MSG_BATCH_MAX + 1,
					   NULL, 0, NULL));
		EXPECT_EQ(-EINVAL, recv_as(m, msgs, 1, NULL, IPCX_INHERIT, NULL));
		EXPECT_EQ(-EINVAL, recv_as(m, msgs, 1, NULL, 1U << 31, NULL));
		EXPECT_EQ(-EINVAL, recv_as(m, msgs, 1, NULL, 0, &clock));
		EXPECT_EQ(-EINVAL, peek_as(m, msgs, 0, NULL, 0, 0));
		EXPECT_EQ(-EINVAL, peek_as(m, msgs, 1, NULL, 0, IPCX_OR_OPEN));
		EXPECT_EQ(-EFAULT, recv_as(m, NULL, 1, NULL, 0, NULL));
		EXPECT_EQ(-EFAULT, peek_as(m, NULL, 1, NULL, 0, 0));
		msgs[0].buf = 8;
		EXPECT_UNTOUCHED(-EFAULT, recv_as(m, msgs, 1, NULL, 0, NULL));
		EXPECT_UNTOUCHED(-EFAULT, peek_as(m, msgs, 1, NULL, 0, 0));
		msgs[0].buf = (uintptr_t)&buf[0];
	}
	EXPECT_EQ('x', recv_byte(self->fd, NULL));
}

/* Nothing but the length that is told changes. */
TEST_F(queue, too_long_messages_stay)
{
	struct ipcx_msg msgs[2], before;
	enum form form;
	char buf[2];

	ASSERT_EQ(1, send_text(self->fd, 3, "long"));
	for (form = 0; form < FORMS; form++) {
		msgs[0] = room(&buf[0], 1);
		msgs[1] = room(&buf[1], 1);
		before = msgs[0];
		before.len = 4;
		EXPECT_EQ(-E2BIG, recv_as(MEANT(form), msgs, 2, NULL, 0, NULL));
		EXPECT_EQ(0, memcmp(&before, msgs, sizeof(before)));
		EXPECT_EQ((char)POISON, buf[0]);
		EXPECT_EQ(1, msgs[1].room);
		msgs[0].len = 3;
		EXPECT_EQ(-E2BIG, peek_as(MEANT(form), msgs, 2, NULL, 0, 0));
		EXPECT_EQ(0, memcmp(&before, msgs, sizeof(before)));
		EXPECT_EQ((char)POISON, buf[0]);
	}
	EXPECT_EQ(1, msgs_in(self->fd));
}

TEST_F(queue, too_long_messages_end_a_batch)
{
	struct ipcx_msg msgs[3];
	enum form form;
	char buf[3];
	int i;

	for (form = 0; form < FORMS; form++) {
		ASSERT_EQ(1, send_text(self->fd, 1, "x"));
		ASSERT_EQ(1, send_text(self->fd, 1, "long"));
		ASSERT_EQ(1, send_text(self->fd, 1, "y"));
		for (i = 0; i < 3; i++)
			msgs[i] = room(&buf[i], 1);
		EXPECT_EQ(1, peek_as(MEANT(form), msgs, 3, NULL, 0, 0));
		EXPECT_EQ(1, msgs[1].room);
		msgs[0] = room(&buf[0], 1);
		EXPECT_EQ(1, recv_as(MEANT(form), msgs, 3, NULL, 0, NULL));
		EXPECT_EQ('x', buf[0]);
		EXPECT_EQ(1, msgs[1].room);
		EXPECT_EQ((char)POISON, buf[1]);
		EXPECT_EQ(2, ipcx_queue_purge(self->fd, NULL));
	}
}

TEST_F(queue, too_long_messages_can_be_cut)
{
	struct ipcx_msg msg;
	enum form form;
	char buf[3];

	for (form = 0; form < FORMS; form++) {
		ASSERT_EQ(1, send_text(self->fd, 3, "long"));
		msg = room(buf, 2);
		buf[2] = POISON;
		EXPECT_EQ(1, peek_as(MEANT(form), &msg, 1, NULL, 0,
				     IPCX_TRUNCATE));
		EXPECT_EQ(4, msg.len);
		EXPECT_EQ(IPCX_MSG_TRUNCATED, msg.flags);
		msg = room(buf, 2);
		EXPECT_EQ(1, recv_as(MEANT(form), &msg, 1, NULL, IPCX_TRUNCATE,
				     NULL));
		EXPECT_EQ(4, msg.len);
		EXPECT_EQ(3, msg.type);
		EXPECT_EQ(IPCX_MSG_TRUNCATED, msg.flags);
		EXPECT_EQ(0, memcmp(buf, "lo", 2));
		EXPECT_EQ((char)POISON, buf[2]);
		EXPECT_EQ(0, msgs_in(self->fd));
	}
}

/* Selectors. */

TEST_F(queue, selectors_select)
{
	static const uint64_t types[] = { 5, 2, 9, 2, 7 };
	struct ipcx_select none = ipcx_select_range(10, IPCX_MSG_TYPE_MAX);
	struct ipcx_select range = ipcx_select_range(3, 8);
	struct ipcx_select except = ipcx_select_except(2);
	struct ipcx_select exact = ipcx_select_exact(2);
	struct ipcx_select any = ipcx_select_any();

	ASSERT_TRUE(send_types(self->fd, types, 5));
	EXPECT_EQ(-EAGAIN, recv_byte(self->fd, &none));
	EXPECT_EQ('2', recv_byte(self->fd, &exact));
	EXPECT_EQ('4', recv_byte(self->fd, &exact));
	EXPECT_EQ(-EAGAIN, recv_byte(self->fd, &exact));
	EXPECT_EQ('1', recv_byte(self->fd, &range));
	EXPECT_EQ('5', recv_byte(self->fd, &range));
	EXPECT_EQ(-EAGAIN, recv_byte(self->fd, &range));
	ASSERT_EQ(1, send_text(self->fd, 2, "6"));
	EXPECT_EQ('3', recv_byte(self->fd, &except));
	EXPECT_EQ(-EAGAIN, recv_byte(self->fd, &except));
	EXPECT_EQ('6', recv_byte(self->fd, &any));
}

/* What the kernel has no use for is 0. */
TEST_F(queue, selectors_are_complete)
{
	static const struct ipcx_select any = { .how = IPCX_SELECT_ANY };
	static const struct ipcx_select exact = {
		.how = IPCX_SELECT_EXACT, .lo = IPCX_MSG_TYPE_MAX,
	};
	static const struct ipcx_select except = {
		.how = IPCX_SELECT_EXCEPT, .lo = 1,
	};
	static const struct ipcx_select range = {
		.how = IPCX_SELECT_RANGE, .lo = 2, .hi = IPCX_MSG_TYPE_MAX,
	};
	struct ipcx_select made[] = {
		ipcx_select_any(), ipcx_select_exact(IPCX_MSG_TYPE_MAX),
		ipcx_select_except(1), ipcx_select_range(2, IPCX_MSG_TYPE_MAX),
	};

	EXPECT_EQ(0, memcmp(&any, &made[0], sizeof(any)));
	EXPECT_EQ(0, memcmp(&exact, &made[1], sizeof(exact)));
	EXPECT_EQ(0, memcmp(&except, &made[2], sizeof(except)));
	EXPECT_EQ(0, memcmp(&range, &made[3], sizeof(range)));
}

/* On the device there is no file to ask. */
TEST_F(queue, no_selector_is_the_file_s)
{
	static const uint64_t types[] = { 1, 2, 3 };
	struct ipcx_select exact = ipcx_select_exact(3);
	char c;
	struct ipcx_msg msg;

	ASSERT_EQ(0, ipcx_queue_file(self->fd, &exact, 0, 0));
	ASSERT_TRUE(send_types(self->fd, types, 3));
	msg = room(&c, 1);
	EXPECT_EQ(1, ipcx_queue_peek(self->fd, &msg, 1, NULL, 0, 0));
	EXPECT_EQ(3, msg.type);
	msg = room(&c, 1);
	EXPECT_EQ(1, ipcx_queue_peek_id(self->dev, self->id, 0, &msg, 1, NULL,
					0, 0));
	EXPECT_EQ(1, msg.type);
	msg = room(&c, 1);
	EXPECT_EQ(1, ipcx_queue_recv_id(self->dev, self->id, 0, &msg, 1, NULL,
					0, NULL));
	EXPECT_EQ(1, msg.type);
	EXPECT_EQ('3', recv_byte(self->fd, NULL));
	EXPECT_EQ(0, ipcx_queue_purge(self->fd, NULL));
	EXPECT_EQ(1, ipcx_queue_purge_id(self->dev, self->id, 0, NULL));
}

/* Peek, purge. */

TEST_F(queue, peek_leaves_messages_where_they_are)
{
	static const uint64_t types[] = { 3, 1, 2, 3 };
	struct ipcx_select range = ipcx_select_range(1, 3);
	struct ipcx_msg msgs[4];
	enum form form;
	char buf[4];
	int i;

	ASSERT_TRUE(send_types(self->fd, types, 4));
	for (form = 0; form < FORMS; form++) {
		for (i = 0; i < 4; i++)
			msgs[i] = room(&buf[i], 1);
		EXPECT_EQ(4, peek_as(MEANT(form), msgs, 4, NULL, 0, 0));
		EXPECT_EQ(0, memcmp(buf, "1234", 4));
		EXPECT_EQ(2, msgs[2].type);
		EXPECT_EQ(getpid(), msgs[2].pid);
		for (i = 0; i < 4; i++)
			msgs[i] = room(&buf[i], 1);
		EXPECT_EQ(3, peek_as(MEANT(form), msgs, 4, &range, 1, 0));
		EXPECT_EQ(0, memcmp(buf, "314", 3));
		EXPECT_EQ((char)POISON, buf[3]);
		EXPECT_EQ(4, msgs_in(self->fd));
		EXPECT_EQ(0, pipe_stat(self->fd).last_reader_pid);
	}
}

TEST_F(queue, purge_tells_how_many)
{
	static const uint64_t types[] = { 3, 1, 2, 3, 4 };
	struct ipcx_select exact = ipcx_select_exact(3);
	struct ipcx_select except = ipcx_select_except(1);
	enum form form;

	for (form = 0; form < FORMS; form++) {
		ASSERT_TRUE(send_types(self->fd, types, 5));
		EXPECT_EQ(2, purge_as(MEANT(form), &exact));
		EXPECT_EQ(0, purge_as(MEANT(form), &exact));
		EXPECT_EQ(2, purge_as(MEANT(form), &except));
		EXPECT_EQ(1, msgs_in(self->fd));
		EXPECT_EQ(1, purge_as(MEANT(form), NULL));
		EXPECT_EQ(0, purge_as(MEANT(form), NULL));
		EXPECT_EQ(0, pipe_used(self->fd));
	}
}

/* The file. */

TEST_F(queue, file_says_what_read_and_write_mean)
{
	struct ipcx_select exact = ipcx_select_exact(7);
	char buf[4];
	int other;

	other = ipcx_open_fd(self->fd, RDWR, 0, NULL);
	ASSERT_GE(other, 0);
	ASSERT_EQ(1, send_text(self->fd, 1, "one"));
	ASSERT_EQ(0, ipcx_queue_file(self->fd, &exact, 7, IPCX_TRUNCATE));
	EXPECT_EQ(0, fionread(self->fd));
	EXPECT_EQ(3, fionread(other));
	EXPECT_EQ(POLLOUT, poll_now(self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(5, plain_write(self->fd, "seven", 5));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->fd, POLLIN | POLLOUT));
	EXPECT_EQ(4, plain_read(self->fd, buf, 4));
	EXPECT_EQ(0, memcmp(buf, "seve", 4));

	/* Another file has its own. */
	EXPECT_EQ(-E2BIG, plain_read(other, buf, 2));
	EXPECT_EQ(3, plain_read(other, buf, 4));
	EXPECT_EQ(0, memcmp(buf, "one", 3));
}

TEST_F(queue, file_keeps_what_is_not_given)
{
	struct ipcx_select exact = ipcx_select_exact(7);
	char buf[4];

	ASSERT_EQ(0, ipcx_queue_file(self->fd, &exact, 0, IPCX_TRUNCATE));
	ASSERT_EQ(0, ipcx_queue_file(self->fd, NULL, 7, 0));
	EXPECT_EQ(2, plain_write(self->fd, "ab", 2));
	EXPECT_EQ(1, plain_read(self->fd, buf, 1));
	ASSERT_EQ(0, ipcx_queue_file(self->fd, &exact, 0, 0));
	EXPECT_EQ(2, plain_write(self->fd, "cd", 2));
	EXPECT_EQ(-E2BIG, plain_read(self->fd, buf, 1));
	EXPECT_EQ(2, plain_read(self->fd, buf, 2));
}

TEST_F(queue, file_checks_its_arguments)
{
	static const unsigned int flags[] = {
		IPCX_NONBLOCK, IPCX_PEEK, IPCX_NO_RESTART, 1U << 31,
	};
	struct ipcx_select exact = ipcx_select_exact(7);
	unsigned int i;
	char c;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_EQ(-EINVAL, ipcx_queue_file(self->fd, &exact, 7,
						   flags[i]));
	EXPECT_EQ(-EINVAL, ipcx_queue_file(self->fd, &exact,
					   IPCX_MSG_TYPE_MAX + 1, 0));
	exact.reserved = 1;
	EXPECT_EQ(-EINVAL, ipcx_queue_file(self->fd, &exact, 7, 0));
	/* All as it was: it sends type 1, and selects any. */
	EXPECT_EQ(1, plain_write(self->fd, "x", 1));
	exact = ipcx_select_exact(1);
	EXPECT_EQ('x', recv_byte(self->fd, &exact));
	ASSERT_EQ(1, send_text(self->fd, 8, "y"));
	EXPECT_EQ(1, plain_read(self->fd, &c, 1));
}

/* Notify. */

static sigset_t block(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return set;
}

static int take_signal(const sigset_t *set, siginfo_t *info, int ms)
{
	struct timespec limit = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L,
	};
	int ret;

	memset(info, POISON, sizeof(*info));
	ret = sigtimedwait(set, info, &limit);
	return ret < 0 ? -errno : ret;
}

TEST_F(queue, notify_sends_a_signal_once)
{
	const int signal = SIGRTMIN + 4;
	sigset_t set = block(signal);
	siginfo_t info;

	ASSERT_EQ(0, ipcx_queue_notify(self->fd, signal, (uintptr_t)&info));
	EXPECT_EQ(-EBUSY, ipcx_queue_notify(self->fd, signal, 1));
	in_child()
		EXPECT_EQ(-EBUSY, ipcx_queue_notify(self->fd, signal, 1));
	ASSERT_EQ(1, send_text(self->fd, 1, "x"));
	ASSERT_EQ(signal, take_signal(&set, &info, PATIENCE_MS));
	EXPECT_EQ(SI_MESGQ, info.si_code);
	EXPECT_EQ(&info, info.si_value.sival_ptr);
	EXPECT_EQ(getpid(), info.si_pid);
	EXPECT_EQ(getuid(), info.si_uid);

	/* Once, and it can be asked for anew. */
	EXPECT_EQ('x', recv_byte(self->fd, NULL));
	ASSERT_EQ(1, send_text(self->fd, 1, "y"));
	EXPECT_EQ(-EAGAIN, take_signal(&set, &info, 0));
	EXPECT_EQ(0, ipcx_queue_notify(self->fd, signal, 2));
	EXPECT_EQ(0, ipcx_queue_notify(self->fd, 0, 0));
	EXPECT_EQ('y', recv_byte(self->fd, NULL));
	ASSERT_EQ(1, send_text(self->fd, 1, "z"));
	EXPECT_EQ(-EAGAIN, take_signal(&set, &info, 0));
}

TEST_F(queue, notify_checks_its_arguments)
{
	int other = ipcx_open_fd(self->fd, READ, 0, NULL);

	ASSERT_GE(other, 0);
	EXPECT_EQ(-EINVAL, ipcx_queue_notify(self->fd, -1, 0));
	EXPECT_EQ(-EINVAL, ipcx_queue_notify(self->fd, SIGRTMAX + 1, 0));
	EXPECT_EQ(-EINVAL, ipcx_queue_notify(self->fd, INT32_MAX, 0));
	EXPECT_EQ(0, ipcx_queue_notify(self->fd, 0, 0));
	EXPECT_EQ(0, ipcx_queue_notify(self->fd, SIGRTMAX, 0));
	/* Another file can't take it back. */
	EXPECT_EQ(0, ipcx_queue_notify(other, 0, 0));
	EXPECT_EQ(-EBUSY, ipcx_queue_notify(other, SIGRTMAX, 0));
	close(self->fd);
	EXPECT_EQ(0, ipcx_queue_notify(other, SIGRTMAX, 0));
}

/* Resize. */

#define RESIZE_FORMS	(FORMS + 1)	/* and by name */

static int resize_as(struct meant m, const char *name,
		     const struct ipcx_queue_params *limits)
{
	if (m.form == FORMS)
		return ipcx_queue_resize_name(m.dev, name, limits);
	if (m.form == BY_FD)
		return ipcx_queue_resize(m.fd, limits);
	return ipcx_queue_resize_id(m.dev, m.id, m.cookie, limits);
}

TEST_F(queue, resize_changes_the_limits)
{
	const struct ipcx_queue_params msgs = { .max_msgs = 20 };
	const struct ipcx_queue_params bytes = { .max_bytes = 9999 };
	const struct ipcx_queue_params msg_bytes = { .max_msg_bytes = 2000 };
	const struct ipcx_queue_params less = { .max_bytes = 500 };
	int form;

	for (form = 0; form < RESIZE_FORMS; form++) {
		struct meant m = MEANT(form);

		EXPECT_EQ(0, resize_as(m, self->name, &msgs));
		EXPECT_TRUE(limits_are(self->fd, 20, MAX_BYTES, MAX_MSG_BYTES));
		EXPECT_EQ(0, resize_as(m, self->name, &bytes));
		EXPECT_TRUE(limits_are(self->fd, 20, 9999, MAX_MSG_BYTES));
		EXPECT_EQ(0, resize_as(m, self->name, &msg_bytes));
		EXPECT_TRUE(limits_are(self->fd, 20, 9999, 2000));
		EXPECT_LE(9999, pipe_stat(self->fd).charged_bytes);
		EXPECT_EQ(0, resize_as(m, self->name, &unchanged));
		EXPECT_TRUE(limits_are(self->fd, 20, 9999, 2000));
		EXPECT_EQ(0, resize_as(m, self->name, &less));
		EXPECT_TRUE(limits_are(self->fd, 20, 500, 500));
		EXPECT_EQ(0, resize_as(m, self->name, &small));
	}
}

TEST_F(queue, resize_minds_no_lifetime)
{
	int fd = ipcx_queue_create(self->dev, NULL, NONE, NULL, NULL);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, ipcx_queue_resize_id(self->dev, fd_id(fd), 0, &small));
	EXPECT_TRUE(limits_are(fd, MAX_MSGS, MAX_BYTES, MAX_MSG_BYTES));
}

TEST_F(queue, resize_checks_its_arguments)
{
	struct ipcx_query query;
	unsigned int i;
	int form;

	ASSERT_EQ(0, ipcx_query(self->dev, &query, sizeof(query)));
	const struct ipcx_queue_params bad[] = {
		{ .max_msgs = query.queue_msgs_max + 1 },
		{ .max_msgs = UINT64_MAX },
		{ .max_bytes = query.queue_bytes_max + 1 },
		{ .max_bytes = UINT64_MAX },
		{ .max_msg_bytes = MAX_BYTES + 1 },
		{ .max_bytes = 10, .max_msg_bytes = 11 },
		{ .max_bytes = 32 << 20, .max_msg_bytes = IPCX_MSG_BYTES_MAX + 1 },
	};

	for (form = 0; form < RESIZE_FORMS; form++) {
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			EXPECT_EQ(-EINVAL, resize_as(MEANT(form), self->name,
						     &bad[i])) {
				TH_LOG("row %u", i);
			}
		}
	}
	EXPECT_TRUE(limits_are(self->fd, MAX_MSGS, MAX_BYTES, MAX_MSG_BYTES));
}

TEST_F(queue, resize_is_busy_below_what_the_queue_holds)
{
	const struct ipcx_queue_params msgs = { .max_msgs = 1 };
	const struct ipcx_queue_params bytes = { .max_bytes = 7 };
	const struct ipcx_queue_params enough = { .max_msgs = 2, .max_bytes = 8 };
	const struct ipcx_queue_params msg_bytes = { .max_msg_bytes = 1 };
	int form;

	ASSERT_EQ(1, send_text(self->fd, 1, "four"));
	ASSERT_EQ(1, send_text(self->fd, 1, "more"));
	for (form = 0; form < RESIZE_FORMS; form++) {
		EXPECT_EQ(-EBUSY, resize_as(MEANT(form), self->name, &msgs));
		EXPECT_EQ(-EBUSY, resize_as(MEANT(form), self->name, &bytes));
	}
	EXPECT_TRUE(limits_are(self->fd, MAX_MSGS, MAX_BYTES, MAX_MSG_BYTES));
	EXPECT_EQ(0, ipcx_queue_resize(self->fd, &enough));
	EXPECT_EQ(0, ipcx_queue_resize(self->fd, &msg_bytes));
	EXPECT_EQ(2, msgs_in(self->fd));
}

TEST_F(queue, resize_is_for_the_owner)
{
	int form;

	ASSERT_EQ(0, fchmod(self->fd, 0666));
	as_user(UID_A, GID_A) {
		for (form = 0; form < RESIZE_FORMS; form++)
			EXPECT_EQ(-EPERM, resize_as(MEANT(form), self->name,
						    &unchanged));
	}
	/* Whatever the mode. */
	ASSERT_EQ(0, fchmod(self->fd, 0));
	ASSERT_EQ(0, fchown(self->fd, UID_A, GID_A));
	as_user(UID_A, GID_A) {
		for (form = 0; form < RESIZE_FORMS; form++)
			EXPECT_EQ(0, resize_as(MEANT(form), self->name, &small));
	}
}

TEST_F(queue, resize_is_charged_to_who_makes_it_larger)
{
	const struct ipcx_queue_params large = { .max_bytes = 64 << 20 };
	const struct ipcx_queue_params less = { .max_msgs = 1 };
	int form, ret = 0;

	ASSERT_EQ(0, fchown(self->fd, UID_A, GID_A));
	as_user(UID_A, GID_A) {
		struct ipcx_query mine;

		while (ret >= 0)
			ret = ipcx_queue_create(self->dev, NULL, NONE, &large,
						NULL);
		ASSERT_EQ(-EDQUOT, ret);
		for (form = 0; form < RESIZE_FORMS; form++)
			EXPECT_EQ(-EDQUOT, resize_as(MEANT(form), self->name,
						     &large));
		EXPECT_TRUE(limits_are(self->fd, MAX_MSGS, MAX_BYTES,
				       MAX_MSG_BYTES));
		EXPECT_EQ(0, ipcx_queue_resize(self->fd, &less));
		close_range(self->fd + 1, ~0U, 0);
		EXPECT_EQ(0, ipcx_queue_resize(self->fd, &large));
		ASSERT_EQ(0, ipcx_query(self->dev, &mine, sizeof(mine)));
		EXPECT_EQ(1, mine.user.objects);
		EXPECT_LE(64 << 20, mine.user.bytes);
	}
}

/* Which queue. */

TEST_F(queue, ids_find_what_is_meant)
{
	struct ipcx_msg msg = { .type = 1 };
	const struct {
		uint32_t id;
		uint64_t cookie;
		int error;
	} rows[] = {
		{ 0, 0, -EINVAL },
		{ NO_ID, 0, -ENOENT },
		{ self->id, self->cookie + 1, -ESTALE },
		{ self->id, self->cookie ^ 1ULL << 32, -ESTALE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t cookie = rows[i].cookie;
		int error = rows[i].error, dev = self->dev;
		uint32_t id = rows[i].id;

		EXPECT_EQ(error, ipcx_queue_send_id(dev, id, cookie, &msg, 1, 0,
						    NULL));
		EXPECT_EQ(error, ipcx_queue_recv_id(dev, id, cookie, &msg, 1,
						    NULL, 0, NULL));
		EXPECT_EQ(error, ipcx_queue_peek_id(dev, id, cookie, &msg, 1,
						    NULL, 0, 0));
		EXPECT_EQ(error, ipcx_queue_purge_id(dev, id, cookie, NULL));
		EXPECT_EQ(error, ipcx_queue_resize_id(dev, id, cookie, &small));
	}
	EXPECT_EQ(0, msgs_in(self->fd));
}

/* Messages by id need a queue that outlives its files. */
TEST_F(queue, ids_find_what_is_persistent)
{
	int fd = ipcx_queue_create(self->dev, NULL, RDWR, NULL, NULL);
	struct ipcx_msg msg = { .type = 1 };
	uint32_t id = fd_id(fd);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-ENOENT, ipcx_queue_send_id(self->dev, id, 0, &msg, 1, 0,
					      NULL));
	EXPECT_EQ(-ENOENT, ipcx_queue_recv_id(self->dev, id, 0, &msg, 1, NULL,
					      0, NULL));
	EXPECT_EQ(-ENOENT, ipcx_queue_peek_id(self->dev, id, 0, &msg, 1, NULL,
					      0, 0));
	EXPECT_EQ(-ENOENT, ipcx_queue_purge_id(self->dev, id, 0, NULL));
}

TEST_F(queue, names_find_what_is_meant)
{
	char name[IPCX_NAME_MAX + 2];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	EXPECT_EQ(-ENAMETOOLONG, ipcx_queue_resize_name(self->dev, name, &small));
	EXPECT_EQ(-ENOENT, ipcx_queue_resize_name(self->dev, name + 1, &small));
	EXPECT_EQ(-EINVAL, ipcx_queue_resize_name(self->dev, "", &small));
	EXPECT_EQ(-EINVAL, ipcx_queue_resize_name(self->dev, "a/b", &small));
	EXPECT_EQ(-EINVAL, ipcx_queue_resize_name(self->dev, NULL, &small));
}

/* Permission is asked for each time, of who has no file. */
TEST_F(queue, ids_need_permission)
{
	struct ipcx_msg msg = { .type = 1 };
	enum form form;
	mode_t mode;

	for (mode = 0600; mode <= 0606; mode++) {
		bool may_read = mode & 4, may_write = mode & 2;

		ASSERT_EQ(0, fchmod(self->fd, mode));
		as_user(UID_A, GID_A) {
			for (form = BY_ID; form < FORMS; form++) {
				struct meant m = MEANT(form);

				EXPECT_EQ(may_read ? -EAGAIN : -EACCES,
					  recv_as(m, &msg, 1, NULL,
						  IPCX_NONBLOCK, NULL));
				EXPECT_EQ(may_read ? -EAGAIN : -EACCES,
					  peek_as(m, &msg, 1, NULL, 0, 0));
				EXPECT_EQ(may_read ? 0 : -EACCES,
					  purge_as(m, NULL));
				EXPECT_EQ(may_write ? 1 : -EACCES,
					  send_as(m, &msg, 1, 0, NULL));
				EXPECT_EQ(may_write, ipcx_queue_purge(self->fd,
								      NULL));
			}
		}
	}
}

/* Each form wants its own kind of file. */
TEST_F(queue, files_are_of_the_right_kind)
{
	struct ipcx_msg msg = { .type = 1 };

	EXPECT_EQ(-EINVAL, ipcx_queue_send(self->dev, &msg, 1, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_queue_recv(self->dev, &msg, 1, NULL, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_queue_peek(self->dev, &msg, 1, NULL, 0, 0));
	EXPECT_EQ(-EINVAL, ipcx_queue_purge(self->dev, NULL));
	EXPECT_EQ(-EINVAL, ipcx_queue_resize(self->dev, &small));
	EXPECT_EQ(-ENOTTY, ipcx_queue_file(self->dev, NULL, 0, 0));
	EXPECT_EQ(-ENOTTY, ipcx_queue_notify(self->dev, 0, 0));
	EXPECT_EQ(-EINVAL, ipcx_queue_send_id(self->fd, self->id, 0, &msg, 1, 0,
					      NULL));
	EXPECT_EQ(-EINVAL, ipcx_queue_recv_id(self->fd, self->id, 0, &msg, 1,
					      NULL, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_queue_peek_id(self->fd, self->id, 0, &msg, 1,
					      NULL, 0, 0));
	EXPECT_EQ(-EINVAL, ipcx_queue_purge_id(self->fd, self->id, 0, NULL));
	EXPECT_EQ(-EINVAL, ipcx_queue_resize_id(self->fd, self->id, 0, &small));
	EXPECT_EQ(-EINVAL, ipcx_queue_resize_name(self->fd, self->name, &small));
	EXPECT_EQ(0, msgs_in(self->fd));
}

TEST_F(queue, pipes_are_no_queues)
{
	const struct ipcx_queue_params msgs = { .max_msgs = 5 };
	struct ipcx_msg msg = { .type = 1 };
	enum form form;

	self->fd = ipcx_pipe_create(self->dev, self->other, RDWR, 0, &persistent);
	ASSERT_GE(self->fd, 0);
	self->id = pipe_stat(self->fd).id;
	self->cookie = pipe_stat(self->fd).cookie;
	for (form = 0; form < FORMS; form++) {
		struct meant m = MEANT(form);

		EXPECT_EQ(-EOPNOTSUPP, send_as(m, &msg, 1, 0, NULL));
		EXPECT_EQ(-EOPNOTSUPP, recv_as(m, &msg, 1, NULL, 0, NULL));
		EXPECT_EQ(-EOPNOTSUPP, peek_as(m, &msg, 1, NULL, 0, 0));
		EXPECT_EQ(-EOPNOTSUPP, purge_as(m, NULL));
		EXPECT_EQ(-EINVAL, resize_as(m, NULL, &msgs));
	}
	EXPECT_EQ(-EOPNOTSUPP, ipcx_queue_file(self->fd, NULL, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, ipcx_queue_notify(self->fd, 0, 0));
	EXPECT_EQ(65536, pipe_stat(self->fd).capacity_bytes);
	EXPECT_EQ(0, pipe_used(self->fd));
}

TEST_F(queue, removed_queues_are_gone)
{
	struct ipcx_msg msg = { .type = 1 };
	enum form form;

	ASSERT_EQ(1, send_text(self->fd, 1, "x"));
	ASSERT_EQ(0, ipcx_remove_fd(self->fd));
	for (form = 0; form < FORMS; form++) {
		struct meant m = MEANT(form);

		EXPECT_EQ(-EIDRM, send_as(m, &msg, 1, 0, NULL));
		EXPECT_EQ(-EIDRM, recv_as(m, &msg, 1, NULL, 0, NULL));
		EXPECT_EQ(-EIDRM, peek_as(m, &msg, 1, NULL, 0, 0));
		EXPECT_EQ(-EIDRM, purge_as(m, NULL));
		EXPECT_EQ(-EIDRM, resize_as(m, NULL, &small));
	}
	EXPECT_EQ(-EIDRM, ipcx_queue_file(self->fd, NULL, 0, 0));
	EXPECT_EQ(-EIDRM, ipcx_queue_notify(self->fd, SIGRTMIN, 0));
	EXPECT_EQ(-ENOENT, ipcx_queue_resize_name(self->dev, self->name, &small));
}

/*
 * Waiting: a child sleeps in one call; the parent sees that it does, strikes, and gets
 * the call's result as the exit status: the errno, or the number of messages plus 200.
 */

static void nothing(int signal)
{
	(void)signal;
}

static pid_t start_waiting(struct meant m, bool sends, unsigned int flags,
			   int sa_flags)
{
	struct sigaction action = {
		.sa_handler = nothing, .sa_flags = sa_flags,
	};
	struct ipcx_deadline d = patience();
	char buf[MAX_MSGS];
	struct ipcx_msg msg = sends ? msg_of(9, "x") : room(buf, sizeof(buf));
	pid_t pid = fork();
	int ret;

	if (pid)
		return pid;
	sigaction(SIGUSR1, &action, NULL);
	ret = sends ? send_as(m, &msg, 1, flags, &d) :
		      recv_as(m, &msg, 1, NULL, flags, &d);
	_exit(ret < 0 ? -ret : 200 + ret);
}

#define SENT	201	/* or received */

TEST_F(queue, waits_can_be_interrupted)
{
	enum form form;
	int sends;

	for (sends = 0; sends < 2; sends++) {
		if (sends) {
			ASSERT_TRUE(fill(self->fd));
		}
		for (form = 0; form < FORMS; form++) {
			pid_t pid = start_waiting(MEANT(form), sends, 0, 0);

			EXPECT_TRUE(pipe_waiting(self->fd, !sends, sends));
			kill(pid, SIGUSR1);
			EXPECT_EQ(EINTR, reap(pid));
			pid = start_waiting(MEANT(form), sends, IPCX_NO_RESTART,
					    SA_RESTART);
			EXPECT_TRUE(pipe_waiting(self->fd, !sends, sends));
			kill(pid, SIGUSR1);
			EXPECT_EQ(EINTR, reap(pid));
		}
		EXPECT_EQ(sends ? MAX_MSGS : 0, msgs_in(self->fd));
	}
}

TEST_F(queue, waits_go_on_after_a_handler)
{
	enum form form;
	pid_t pid;

	for (form = 0; form < FORMS; form++) {
		pid = start_waiting(MEANT(form), false, 0, SA_RESTART);
		EXPECT_TRUE(pipe_waiting(self->fd, 1, 0));
		kill(pid, SIGUSR1);
		EXPECT_TRUE(pipe_waiting(self->fd, 1, 0));
		EXPECT_EQ(1, send_text(self->fd, 1, "x"));
		EXPECT_EQ(SENT, reap(pid));

		ASSERT_TRUE(fill(self->fd));
		pid = start_waiting(MEANT(form), true, 0, SA_RESTART);
		EXPECT_TRUE(pipe_waiting(self->fd, 0, 1));
		kill(pid, SIGUSR1);
		EXPECT_TRUE(pipe_waiting(self->fd, 0, 1));
		EXPECT_EQ(MAX_MSGS, ipcx_queue_purge(self->fd, NULL));
		EXPECT_EQ(SENT, reap(pid));
		EXPECT_EQ('x', recv_byte(self->fd, NULL));
	}
}

/* A receiver who sleeps is told of a message that is too long for him. */
TEST_F(queue, waiting_receivers_learn_the_length)
{
	struct ipcx_deadline d = patience();
	pid_t pid = fork();

	if (!pid) {
		char buf[2];
		struct ipcx_msg msg = room(buf, 2);
		int ret = ipcx_queue_recv(self->fd, &msg, 1, NULL, 0, &d);

		_exit(ret == -E2BIG && buf[0] == (char)POISON ? msg.len : 0);
	}
	EXPECT_TRUE(pipe_waiting(self->fd, 1, 0));
	EXPECT_EQ(1, send_text(self->fd, 1, "long"));
	EXPECT_EQ(4, reap(pid));
	EXPECT_EQ(1, msgs_in(self->fd));
}

TEST_F(queue, removal_ends_waits)
{
	pid_t receiver = start_waiting(MEANT(BY_FD), false, 0, 0);
	pid_t by_id = start_waiting(MEANT(BY_ID), false, 0, 0);

	EXPECT_TRUE(pipe_waiting(self->fd, 2, 0));
	EXPECT_EQ(0, ipcx_remove(self->dev, self->name));
	EXPECT_EQ(EIDRM, reap(receiver));
	EXPECT_EQ(EIDRM, reap(by_id));
}

TEST_F(queue, removal_ends_waits_for_space)
{
	pid_t sender, by_id;

	ASSERT_TRUE(fill(self->fd));
	sender = start_waiting(MEANT(BY_FD), true, 0, 0);
	by_id = start_waiting(MEANT(BY_ID_COOKIE), true, 0, 0);
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 2));
	EXPECT_EQ(0, ipcx_remove(self->dev, self->name));
	EXPECT_EQ(EIDRM, reap(sender));
	EXPECT_EQ(EIDRM, reap(by_id));
}

/* A sender's message that has become too long. */
TEST_F(queue, resize_tells_those_who_wait)
{
	static char big[MAX_MSG_BYTES];
	const struct ipcx_queue_params less = { .max_msg_bytes = 10 };
	const struct ipcx_queue_params more = { .max_msgs = MAX_MSGS + 1 };
	struct ipcx_deadline d = patience();
	struct ipcx_msg msg = {
		.type = 1, .buf = (uintptr_t)big, .len = sizeof(big),
	};
	pid_t pid;

	ASSERT_TRUE(fill(self->fd));
	pid = fork();
	if (!pid)
		_exit(-ipcx_queue_send(self->fd, &msg, 1, 0, &d));
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 1));
	EXPECT_EQ(0, ipcx_queue_resize(self->fd, &less));
	EXPECT_EQ(EMSGSIZE, reap(pid));
	pid = start_waiting(MEANT(BY_FD), true, 0, 0);
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 1));
	EXPECT_EQ(0, ipcx_queue_resize(self->fd, &more));
	EXPECT_EQ(SENT, reap(pid));
	EXPECT_EQ(MAX_MSGS + 1, msgs_in(self->fd));
}

/* Threads, signals, fork, cancellation. */

#define THREADS		4
#define ROUNDS		50

struct user {
	int fd;
	uint64_t type;
	const char *wrong;
};

/* All use one file, each a type of its own. */
static void *use_queue(void *argument)
{
	struct user *u = argument;
	struct ipcx_select own = ipcx_select_exact(u->type);
	struct ipcx_deadline d = patience();
	char text[32], buf[32];
	int round;

	for (round = 0; round < ROUNDS && !u->wrong; round++) {
		struct ipcx_msg out, in = room(buf, sizeof(buf));

		snprintf(text, sizeof(text), "%d of %d", round, (int)u->type);
		out = msg_of(u->type, text);
		out.len++;
		if (ipcx_queue_send(u->fd, &out, 1, 0, &d) != 1 ||
		    ipcx_queue_peek(u->fd, &in, 1, &own, 1, 0) != -EAGAIN)
			u->wrong = "another's result";
		else if (ipcx_queue_recv(u->fd, &in, 1, &own, 0, &d) != 1 ||
			 in.type != u->type || strcmp(text, buf))
			u->wrong = "another's message";
		else if (ipcx_queue_purge(u->fd, &own))
			u->wrong = "another's state";
	}
	return NULL;
}

TEST_F(queue, threads_do_not_mind_each_other)
{
	struct user users[THREADS] = { 0 };
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		users[i].fd = self->fd;
		users[i].type = i + 1;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, use_queue,
					    &users[i]));
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_EQ(NULL, users[i].wrong) {
			TH_LOG("thread %d: %s", i, users[i].wrong);
		}
	}
}

static int handler_fd;
static volatile int handler_result;

static void send_in_handler(int signal)
{
	(void)signal;
	handler_result = send_text(handler_fd, 1, "x");
}

/* A handler's call, in the middle of another's wait for that very message. */
TEST_F(queue, functions_work_in_a_signal_handler)
{
	struct sigaction action = {
		.sa_handler = send_in_handler, .sa_flags = SA_RESTART,
	};
	struct ipcx_deadline d = patience();
	pid_t pid = fork();

	if (!pid) {
		char c;
		struct ipcx_msg msg = room(&c, 1);

		handler_fd = self->fd;
		sigaction(SIGUSR1, &action, NULL);
		_exit(ipcx_queue_recv(self->fd, &msg, 1, NULL, 0, &d) != 1 ||
		      c != 'x' || handler_result != 1);
	}
	EXPECT_TRUE(pipe_waiting(self->fd, 1, 0));
	kill(pid, SIGUSR1);
	EXPECT_EQ(0, reap(pid));
}

struct cancelled {
	struct meant m;
	const char *name;
	int64_t done;
	bool over;
};

/* A thread that is cancelled already goes on up to a cancellation point. */
static void *run_cancelled(void *argument)
{
	struct cancelled *c = argument;
	struct meant m = c->m;
	struct ipcx_msg out = msg_of(1, "x"), in;
	char byte;

	pthread_cancel(pthread_self());
	c->done = ipcx_queue_create(m.dev, NULL, RDWR, NULL, NULL) >= 0;
	for (m.form = 0; m.form < FORMS; m.form++) {
		c->done += send_as(m, &out, 1, 0, NULL);
		c->done += send_as(m, &out, 1, 0, NULL);
		in = room(&byte, 1);
		c->done += peek_as(m, &in, 1, NULL, 0, 0);
		in = room(&byte, 1);
		c->done += recv_as(m, &in, 1, NULL, 0, NULL);
		c->done += purge_as(m, NULL);
	}
	for (m.form = 0; m.form < RESIZE_FORMS; m.form++)
		c->done += !resize_as(m, c->name, &unchanged);
	c->done += !ipcx_queue_file(m.fd, NULL, 1, 0);
	c->done += !ipcx_queue_notify(m.fd, 0, 0);
	c->over = true;
	pthread_testcancel();
	return NULL;
}

TEST_F(queue, functions_are_no_cancellation_points)
{
	struct cancelled c = { .m = MEANT(BY_ID_COOKIE), .name = self->name };
	pthread_t thread;
	void *result;

	ASSERT_EQ(0, pthread_create(&thread, NULL, run_cancelled, &c));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(PTHREAD_CANCELED, result);
	EXPECT_TRUE(c.over);
	EXPECT_EQ(1 + 5 * FORMS + RESIZE_FORMS + 2, c.done);
}

TEST_F(queue, the_device_works_after_fork)
{
	in_child() {
		struct ipcx_msg out = msg_of(1, "x");

		EXPECT_EQ(1, ipcx_queue_send_id(self->dev, self->id, 0, &out, 1,
						0, NULL));
		EXPECT_GE(ipcx_queue_create(self->dev, self->other, RDWR, NULL,
					    &persistent), 0);
	}
	EXPECT_EQ('x', recv_byte(self->fd, NULL));
	EXPECT_EQ(0, ipcx_unlink(self->dev, self->other));
}

TEST_HARNESS_MAIN
