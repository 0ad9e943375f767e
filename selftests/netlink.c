// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family's commands for one object: get, create, delete; what they
 * refuse, and to whom. Dumps have their own file.
 */
#include "netlink_test.h"

#define OVERFLOW_ID	65534

#define GET	IPCX_CMD_GET
#define CREATE	IPCX_CMD_CREATE
#define DELETE	IPCX_CMD_DELETE

FIXTURE(netlink) {
	int dev;
	int nl;
	char name[TEST_NAME_SIZE];
	char other[TEST_NAME_SIZE];
};

FIXTURE_SETUP(netlink)
{
	track_cleanup();
	test_name(self->name, "name");
	test_name(self->other, "other");
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	nl_family = ask_resolve();
	ASSERT_GT(nl_family, 0);
	self->nl = ask_open();
	ASSERT_GE(self->nl, 0);
}

FIXTURE_TEARDOWN_PARENT(netlink)
{
	track_cleanup();
}

TEST_F(netlink, family_is_known)
{
	struct nl_sock *sock = nl_socket_alloc();
	struct nl_cache *cache;
	struct genl_family *family;

	ASSERT_EQ(0, genl_connect(sock));
	ASSERT_EQ(0, genl_ctrl_alloc_cache(sock, &cache));
	family = genl_ctrl_search_by_name(cache, "ipcx");
	ASSERT_NE(NULL, family);
	EXPECT_EQ(nl_family, (int)genl_family_get_id(family));
	EXPECT_EQ(1, genl_family_get_version(family));
	EXPECT_EQ(0, genl_family_get_hdrsize(family));
	genl_family_put(family);
	nl_cache_free(cache);
	nl_socket_free(sock);
}

/* GET */

TEST_F(netlink, get_tells_what_stat_tells)
{
	struct ipcx_stat st;
	struct told told;
	int fd;

	fd = pipe_create_sized(self->dev, self->name, PERSISTENT, RDWR, 16384);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fchmod(fd, 0640));
	ASSERT_EQ(0, fchown(fd, UID_A, GID_A));
	ASSERT_GE(fd_open(fd, READ, 0), 0);
	ASSERT_GE(fd_open(fd, NONE, 0), 0);
	in_child()
		ASSERT_EQ(5, fd_write(fd, "hello", 5, 0));
	in_child() {
		char c;

		ASSERT_EQ(1, fd_read(fd, &c, 1, 0));
	}
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_EQ(4, st.used_bytes);
	EXPECT_EQ(2, st.readers);
	EXPECT_EQ(1, st.writers);
	EXPECT_EQ(3, st.opens);

	ASSERT_EQ(0, ask_get(self->nl, attrs(TEXT(NAME, self->name)), &told));
	EXPECT_TRUE(same_stat(&st, &told.st));
	EXPECT_FALSE(told.defunct);
	ASSERT_EQ(0, ask_get(self->nl, attrs(U32(ID, st.id)), &told));
	EXPECT_TRUE(same_stat(&st, &told.st));
	ASSERT_EQ(0, ask_get(self->nl, attrs(U32(ID, st.id),
					     U64(COOKIE, st.cookie),
					     PIPE), &told));
	EXPECT_TRUE(same_stat(&st, &told.st));
	ASSERT_EQ(0, ask_get(self->nl, attrs(TEXT(NAME, self->name),
					     U64(COOKIE, st.cookie),
					     U32(TYPE, IPCX_TYPE_ANY)), &told));
	EXPECT_TRUE(same_stat(&st, &told.st));
}

TEST_F(netlink, get_tells_who_waits)
{
	struct told told;
	pid_t pid;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	pid = sleep_in(CALL_IOC_READ, fd, ref_self());
	ASSERT_GT(pid, 0);
	ASSERT_EQ(0, ask_get(self->nl, attrs(TEXT(NAME, self->name)), &told));
	EXPECT_EQ(1, told.st.waiting_readers);
	EXPECT_EQ(0, told.st.waiting_writers);
	EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
	EXPECT_EQ(0, reap(pid));
	ASSERT_EQ(0, ask_get(self->nl, attrs(TEXT(NAME, self->name)), &told));
	EXPECT_EQ(0, told.st.waiting_readers);
}

/* Those included that nobody can open by id. */
TEST_F(netlink, get_finds_every_lifetime)
{
	uint32_t lifetime;

	for (lifetime = TRANSIENT; lifetime <= OWNED; lifetime++) {
		int fd = pipe_create(self->dev, NULL, lifetime, RDWR);
		struct ipcx_stat st;
		struct told told;

		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, fd_stat(fd, &st));
		ASSERT_EQ(0, ask_get(self->nl, attrs(U32(ID, st.id)), &told));
		EXPECT_TRUE(same_stat(&st, &told.st));
		EXPECT_EQ(0, told.st.name_len);
		EXPECT_EQ(0, fd_remove(fd));
	}
}

TEST_F(netlink, get_follows_an_object_to_its_end)
{
	struct ipcx_stat st;
	struct told told;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	ASSERT_EQ(0, fd_unlink(fd));
	EXPECT_EQ(-ENOENT, ask_get(self->nl, attrs(TEXT(NAME, self->name)),
				   &told));
	ASSERT_EQ(0, ask_get(self->nl, attrs(U32(ID, st.id)), &told));
	EXPECT_EQ(0, told.st.flags);
	EXPECT_EQ(0, told.st.name_len);
	EXPECT_FALSE(told.defunct);

	ASSERT_EQ(0, fd_remove(fd));
	ASSERT_EQ(0, ask_get(self->nl, attrs(U32(ID, st.id)), &told));
	EXPECT_TRUE(told.defunct);
	EXPECT_EQ(1, told.st.opens);
	EXPECT_EQ(st.cookie, told.st.cookie);

	close(fd);
	EXPECT_EQ(-ENOENT, ask_get(self->nl, attrs(U32(ID, st.id)), &told));
}

/* Whoever has reaped the owner finds his objects gone. */
TEST_F(netlink, get_comes_after_an_owner_s_death)
{
	struct ipcx_stat st = { .id = 0 };
	struct answer a;
	int round;

	for (round = 0; round < 20; round++) {
		in_child()
			ASSERT_GE(pipe_create(self->dev, self->name, OWNED,
					      NONE), 0);
		if (round % 2) {
			ASSERT_EQ(-ENOENT,
				  ask_get(self->nl,
					  attrs(TEXT(NAME, self->name)), NULL));
		} else {
			ASSERT_EQ(0, ask_dump(self->nl, no_attrs, &a));
			EXPECT_EQ(NULL, answer_find_name(&a, self->name));
			answer_free(&a);
		}
		ASSERT_EQ(-ENOENT, name_stat(self->dev, self->name, &st));
	}
}

/* CREATE */

TEST_F(netlink, create_makes_what_stat_tells)
{
	struct ipcx_query q;
	struct ipcx_stat st;
	struct told told;
	char c;
	int fd;

	umask(022);
	ASSERT_EQ(0, dev_query(self->dev, &q));
	ASSERT_EQ(0, ask_create(self->nl, attrs(PIPE,
						TEXT(NAME, self->name),
						U32(MODE, 0666),
						U64(CAPACITY_BYTES, 10000)),
				&told));
	ASSERT_EQ(0, name_stat(self->dev, self->name, &st));
	EXPECT_TRUE(same_stat(&st, &told.st));
	EXPECT_FALSE(told.defunct);
	EXPECT_EQ(IPCX_TYPE_PIPE, st.type);
	EXPECT_EQ(PERSISTENT, st.lifetime);
	EXPECT_EQ(IPCX_STAT_NAMED | IPCX_STAT_LINKED, st.flags);
	EXPECT_EQ(0644, st.mode);
	EXPECT_EQ(16384, st.capacity_bytes);
	EXPECT_EQ(getpid(), st.creator_pid);
	EXPECT_EQ(0, st.opens);
	EXPECT_EQ(0, st.readers);
	EXPECT_EQ(0, st.writers);

	fd = name_open(self->dev, self->name, RDWR, 0);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
	EXPECT_EQ(1, fd_read(fd, &c, 1, 0));
	EXPECT_EQ('x', c);
	close(fd);
	EXPECT_EQ(0, ask_delete(self->nl, attrs(TEXT(NAME, self->name))));
	EXPECT_TRUE(accounts_are(self->dev, &q));
}

TEST_F(netlink, create_has_defaults)
{
	struct told told;

	umask(0);
	ASSERT_EQ(0, ask_create(self->nl, attrs(PIPE),
				&told));
	EXPECT_EQ(0600, told.st.mode);
	EXPECT_EQ(IPCX_STAT_LINKED, told.st.flags);
	EXPECT_EQ(0, told.st.name_len);
	EXPECT_EQ(65536, told.st.capacity_bytes);
	ASSERT_EQ(0, ask_create(self->nl, attrs(PIPE,
						U32(MODE, 0),
						U64(CAPACITY_BYTES, 0)), &told));
	EXPECT_EQ(0, told.st.mode);
	EXPECT_EQ(65536, told.st.capacity_bytes);
	ASSERT_EQ(0, ask_create(self->nl, attrs(PIPE,
						U32(MODE, 0777)), &told));
	EXPECT_EQ(0777, told.st.mode);
}

/* Its limits are the defaults. */
TEST_F(netlink, create_makes_a_queue)
{
	struct ipcx_query q = accounts(self->dev);
	struct ipcx_stat st;
	struct told told;
	char c;
	int fd;

	ASSERT_EQ(0, ask_create(self->nl, attrs(QUEUE, TEXT(NAME, self->name),
						U32(MODE, 0640)), &told));
	ASSERT_EQ(0, name_stat(self->dev, self->name, &st));
	EXPECT_TRUE(same_stat(&st, &told.st));
	EXPECT_EQ(IPCX_TYPE_QUEUE, told.st.type);
	EXPECT_EQ(PERSISTENT, told.st.lifetime);
	EXPECT_EQ(0640, told.st.mode);
	EXPECT_EQ(q.queue_bytes_default, told.st.capacity_bytes);
	EXPECT_EQ(q.queue_msgs_default, st.max_msgs);
	EXPECT_EQ(q.queue_bytes_default, st.max_msg_bytes);
	EXPECT_LT(q.queue_bytes_default, told.st.charged_bytes);

	fd = name_open(self->dev, self->name, RDWR, 0);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
	ASSERT_EQ(0, fd_stat(fd, &st));
	ASSERT_EQ(0, ask_get(self->nl, attrs(TEXT(NAME, self->name), QUEUE),
			     &told));
	EXPECT_TRUE(same_stat(&st, &told.st));
	EXPECT_EQ(1, told.st.used_bytes);
	EXPECT_EQ(1, told.st.readers);
	EXPECT_EQ(1, fd_read(fd, &c, 1, 0));
	EXPECT_EQ('x', c);
	close(fd);
	EXPECT_EQ(0, ask_delete(self->nl, attrs(TEXT(NAME, self->name))));
	EXPECT_TRUE(accounts_are(self->dev, &q));
}

TEST_F(netlink, get_tells_who_waits_for_a_queue)
{
	struct told told;
	pid_t pid;
	int fd;

	ASSERT_EQ(0, ask_create(self->nl, attrs(QUEUE, TEXT(NAME, self->name)),
				&told));
	fd = name_open(self->dev, self->name, RDWR, 0);
	ASSERT_GE(fd, 0);
	pid = sleep_in(CALL_IOC_READ, fd, ref_self());
	ASSERT_GT(pid, 0);
	ASSERT_EQ(0, ask_get(self->nl, attrs(TEXT(NAME, self->name)), &told));
	EXPECT_EQ(1, told.st.waiting_readers);
	EXPECT_EQ(0, told.st.waiting_writers);
	ASSERT_EQ(0, ask_delete(self->nl, attrs(TEXT(NAME, self->name),
						FLAG(REMOVE))));
	EXPECT_EQ(EIDRM, reap(pid));
	ASSERT_EQ(0, ask_get(self->nl, attrs(U32(ID, told.st.id)), &told));
	EXPECT_TRUE(told.defunct);
	EXPECT_EQ(0, told.st.waiting_readers);
	close(fd);
}

TEST_F(netlink, create_belongs_to_the_sender)
{
	struct told told;

	as_user(UID_A, GID_A) {
		int nl = ask_open();

		ASSERT_GE(nl, 0);
		ASSERT_EQ(0, ask_create(nl, attrs(PIPE,
						  TEXT(NAME, self->name)),
					&told));
		EXPECT_EQ(UID_A, told.st.uid);
		EXPECT_EQ(GID_A, told.st.gid);
		EXPECT_EQ(UID_A, told.st.creator_uid);
		EXPECT_EQ(GID_A, told.st.creator_gid);
		EXPECT_EQ(getpid(), told.st.creator_pid);
	}
	EXPECT_EQ(0, ask_get(self->nl, attrs(TEXT(NAME, self->name)), &told));
	EXPECT_EQ(UID_A, told.st.uid);
}

TEST_F(netlink, names_are_bytes)
{
	static const struct {
		const char *name;
		int len;
	} names[] = {
		{ "x", 1 },
		{ ".", 1 },
		{ " ", 1 },
		{ "\x01\x7f\x80\xff", 4 },
		{ "sch\xc3\xb6n", 6 },
		{ "\xe6\xb6\x88\xe6\x81\xaf", 6 },
	};
	char longest[IPCX_NAME_MAX + 1];
	struct ipcx_stat st;
	struct told told;
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		ASSERT_EQ(0, ask_create(self->nl,
					attrs(PIPE,
					      TEXT(NAME, names[i].name)),
					&told));
		EXPECT_EQ((uint32_t)names[i].len, told.st.name_len);
		EXPECT_EQ(0, strcmp(names[i].name, told.st.name));
		ASSERT_EQ(0, name_stat(self->dev, names[i].name, &st));
		EXPECT_TRUE(same_stat(&st, &told.st));
	}
	memset(longest, 'n', IPCX_NAME_MAX);
	longest[IPCX_NAME_MAX] = 0;
	ASSERT_EQ(0, ask_create(self->nl, attrs(PIPE,
						TEXT(NAME, longest)), &told));
	EXPECT_EQ(0, strcmp(longest, told.st.name));
	EXPECT_EQ(0, ask_get(self->nl, attrs(TEXT(NAME, longest)), &told));
	EXPECT_EQ(0, ask_delete(self->nl, attrs(TEXT(NAME, longest))));
	EXPECT_EQ(-ENOENT, name_stat(self->dev, longest, &st));
}

TEST_F(netlink, create_respects_accounts)
{
	unsigned long long max = param_get("user_objects_max");
	struct ipcx_query q, after;
	struct answer a;
	int ret;

	ASSERT_NE(~0ULL, max);
	ASSERT_EQ(0, dev_query(self->dev, &q));
	ASSERT_EQ(0, param_set("user_objects_max", q.user.objects));
	ret = ask(self->nl, CREATE, 0,
		  attrs(PIPE, TEXT(NAME, self->name)),
		  &a);
	after = accounts(self->dev);
	ASSERT_EQ(0, param_set("user_objects_max", max));
	EXPECT_EQ(-EDQUOT, ret);
	EXPECT_NE(0, a.message[0]);
	EXPECT_TRUE(same_accounts(&q, &after));
	EXPECT_EQ(-ENOENT, ask_get(self->nl, attrs(TEXT(NAME, self->name)),
				   NULL));
}

/*
 * The reply finds no room in the socket: the sender hears of an error, so there
 * must be no object.
 */
TEST_F(netlink, create_without_reply_leaves_nothing)
{
	struct ipcx_query start = accounts(self->dev), q;
	int small = 1, ret = 0, made, i;
	struct answer a;
	int nl = ask_open();

	ASSERT_GE(nl, 0);
	ASSERT_EQ(0, setsockopt(nl, SOL_SOCKET, SO_RCVBUF, &small,
				sizeof(small)));
	for (made = 0; made < 100; made++) {
		q = accounts(self->dev);
		ret = ask_send(nl, ask_request(CREATE, 0, attrs(PIPE)), &a);
		answer_free(&a);
		if (accounts_are(self->dev, &q))
			break;
	}
	EXPECT_GT(made, 0);
	EXPECT_LT(made, 100) {
		TH_LOG("the last send gave %d", ret);
	}
	EXPECT_EQ(start.user.objects + made, q.user.objects);
	ASSERT_EQ(0, ask_dump(self->nl, no_attrs, &a));
	for (i = 0; i < (int)a.count; i++) {
		if (a.told[i].st.creator_pid != getpid())
			continue;
		EXPECT_EQ(0, ask_delete(self->nl,
					attrs(U32(ID, a.told[i].st.id))));
		made--;
	}
	answer_free(&a);
	EXPECT_EQ(0, made);
	EXPECT_TRUE(accounts_are(self->dev, &start));
}

/* DELETE */

TEST_F(netlink, delete_unlinks)
{
	struct ipcx_stat st;
	char c;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(1, fd_write(fd, "x", 1, 0));
	ASSERT_EQ(0, ask_delete(self->nl, attrs(TEXT(NAME, self->name))));
	EXPECT_EQ(-ENOENT, name_stat(self->dev, self->name, &st));
	EXPECT_EQ(1, fd_read(fd, &c, 1, 0));
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_EQ(0, st.flags);
	EXPECT_EQ(-ENOENT, ask_delete(self->nl, attrs(TEXT(NAME, self->name))));
	EXPECT_EQ(-ENOENT, ask_delete(self->nl, attrs(U32(ID, st.id))));
	EXPECT_EQ(0, ask_delete(self->nl, attrs(U32(ID, st.id), FLAG(REMOVE))));
	EXPECT_EQ(-EIDRM, fd_stat(fd, &st));
}

TEST_F(netlink, delete_removes)
{
	struct ipcx_stat st;
	pid_t pid;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	pid = sleep_in(CALL_IOC_READ, fd, ref_self());
	ASSERT_GT(pid, 0);
	ASSERT_EQ(0, ask_delete(self->nl, attrs(TEXT(NAME, self->name),
						U64(COOKIE, st.cookie),
						FLAG(REMOVE))));
	EXPECT_EQ(EIDRM, reap(pid));
	EXPECT_EQ(-EIDRM, fd_write(fd, "x", 1, 0));
	EXPECT_EQ(-EIDRM, ask_delete(self->nl, attrs(U32(ID, st.id))));
	EXPECT_EQ(-EIDRM, ask_delete(self->nl, attrs(U32(ID, st.id),
						     FLAG(REMOVE))));
	close(fd);
	EXPECT_EQ(-ENOENT, ask_delete(self->nl, attrs(U32(ID, st.id))));
}

TEST_F(netlink, delete_by_id_frees_all)
{
	struct ipcx_query q = accounts(self->dev);
	struct told told;

	ASSERT_EQ(0, ask_create(self->nl, attrs(PIPE),
				&told));
	ASSERT_EQ(0, ask_delete(self->nl, attrs(U32(ID, told.st.id),
						U64(COOKIE, told.st.cookie))));
	EXPECT_EQ(-ENOENT, ask_get(self->nl, attrs(U32(ID, told.st.id)), NULL));
	EXPECT_TRUE(accounts_are(self->dev, &q));
}

/* A transient object has no link: it can only be removed. */
TEST_F(netlink, delete_ends_a_transient_object)
{
	struct ipcx_stat st;
	int fd;

	fd = pipe_create(self->dev, NULL, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_EQ(-ENOENT, ask_delete(self->nl, attrs(U32(ID, st.id))));
	EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
	EXPECT_EQ(0, ask_delete(self->nl, attrs(U32(ID, st.id), FLAG(REMOVE))));
	EXPECT_EQ(-EIDRM, fd_write(fd, "x", 1, 0));
}

/* What is refused, which attribute is blamed, and that nothing has changed. */

/* Stand for what is only known when the test runs. */
#define THE_NAME	"?"
#define THE_ID		((uint64_t)-1)
#define THE_COOKIE	((uint64_t)-2)
#define NEAR_COOKIE	((uint64_t)-3)	/* differs in its upper half */

#define NAME_OF(n, s)	{ .type = A_(NAME), .len = (n), .text = (s) }
#define NAMED		NAME_OF(2, THE_NAME)
#define X10		"xxxxxxxxxx"
#define X100		X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X511		X100 X100 X100 X100 X100 X10 "x"

struct refusal {
	int command;
	struct attr list[ATTRS_MAX + 1];
	int err;
	int bad;
	int missing;
};

/* A row: this request gives this error, which names this attribute. */
#define BLAMES(cmd, error, attr, ...)					\
	{ .command = (cmd), .err = -(error), .bad = (attr),		\
	  .list = { __VA_ARGS__ } }
#define MISSES(cmd, attr, ...)						\
	{ .command = (cmd), .err = -EINVAL, .missing = A_(attr),	\
	  .list = { __VA_ARGS__ } }

static const struct refusal refusals[] = {
	/* which object? */
	MISSES(GET, ID),
	MISSES(DELETE, ID),
	MISSES(GET, ID, PIPE),
	MISSES(DELETE, ID, FLAG(REMOVE)),
	MISSES(GET, ID, U64(COOKIE, THE_COOKIE)),
	BLAMES(GET, EINVAL, A_(NAME), U32(ID, THE_ID), NAMED),
	BLAMES(DELETE, EINVAL, A_(NAME), U32(ID, THE_ID), NAMED),
	BLAMES(GET, ERANGE, A_(ID), U32(ID, 0)),
	BLAMES(GET, ERANGE, A_(ID), U32(ID, 0x80000000)),
	BLAMES(GET, ERANGE, A_(ID), U32(ID, 0xffffffff)),
	BLAMES(DELETE, ERANGE, A_(ID), U32(ID, 0)),
	BLAMES(DELETE, ERANGE, A_(ID), U32(ID, 0x80000000)),
	BLAMES(GET, ENOENT, A_(ID), U32(ID, 0x7fffffff)),
	BLAMES(DELETE, ENOENT, A_(ID), U32(ID, 0x7fffffff)),
	BLAMES(GET, ENOENT, A_(NAME), NAME_OF(5, "nope")),
	BLAMES(DELETE, ENOENT, A_(NAME), NAME_OF(5, "nope")),
	BLAMES(GET, ERANGE, A_(COOKIE), NAMED, U64(COOKIE, 0)),
	BLAMES(GET, ESTALE, A_(COOKIE), NAMED, U64(COOKIE, 1ULL << 63)),
	BLAMES(GET, ESTALE, A_(COOKIE), U32(ID, THE_ID), U64(COOKIE, ~0ULL)),
	BLAMES(GET, ESTALE, A_(COOKIE), NAMED, U64(COOKIE, NEAR_COOKIE)),
	BLAMES(DELETE, ESTALE, A_(COOKIE), NAMED, U64(COOKIE, 1ULL << 63)),
	BLAMES(DELETE, ESTALE, A_(COOKIE), U32(ID, THE_ID),
	       U64(COOKIE, 1ULL << 63), FLAG(REMOVE)),
	BLAMES(GET, EOPNOTSUPP, A_(TYPE), NAMED, U32(TYPE, IPCX_TYPE_SEM + 1)),
	BLAMES(GET, EOPNOTSUPP, A_(TYPE), NAMED, U32(TYPE, ~0U)),

	/* names */
	BLAMES(GET, EINVAL, A_(NAME), NAME_OF(0, "")),
	BLAMES(GET, EINVAL, A_(NAME), NAME_OF(1, "")),
	BLAMES(GET, EINVAL, A_(NAME), NAME_OF(3, "abc")),
	BLAMES(GET, EINVAL, A_(NAME), NAME_OF(4, "a/b")),
	BLAMES(GET, EINVAL, A_(NAME), NAME_OF(4, "a\0b")),
	BLAMES(GET, EINVAL, A_(NAME), NAME_OF(3, "a\0")),
	BLAMES(GET, EINVAL, A_(NAME), NAME_OF(513, X511 "x")),
	BLAMES(GET, EINVAL, A_(NAME), NAME_OF(511, X511)),
	BLAMES(GET, ENOENT, A_(NAME), NAME_OF(512, X511)),
	BLAMES(CREATE, EINVAL, A_(NAME), PIPE, NAME_OF(0, "")),
	BLAMES(CREATE, EINVAL, A_(NAME), PIPE, NAME_OF(1, "")),
	BLAMES(CREATE, EINVAL, A_(NAME), PIPE, NAME_OF(2, "/")),
	BLAMES(CREATE, EINVAL, A_(NAME), PIPE, NAME_OF(5, "abc/")),
	BLAMES(CREATE, EINVAL, A_(NAME), PIPE, NAME_OF(4, "a\0b")),
	BLAMES(CREATE, EINVAL, A_(NAME), PIPE, NAME_OF(513, X511 "x")),
	BLAMES(DELETE, EINVAL, A_(NAME), NAME_OF(4, "a/b")),
	BLAMES(DELETE, EINVAL, A_(NAME), NAME_OF(4, "a\0b")),
	BLAMES(DELETE, EINVAL, A_(NAME), NAME_OF(513, X511 "x")),

	/* creation */
	MISSES(CREATE, TYPE),
	MISSES(CREATE, TYPE, NAME_OF(5, "nope")),
	BLAMES(CREATE, EINVAL, A_(TYPE), U32(TYPE, IPCX_TYPE_ANY)),
	BLAMES(CREATE, EOPNOTSUPP, A_(TYPE), U32(TYPE, IPCX_TYPE_SEM + 1)),
	BLAMES(CREATE, EOPNOTSUPP, A_(TYPE), U32(TYPE, ~0U)),
	BLAMES(CREATE, EEXIST, A_(NAME), PIPE, NAMED),
	BLAMES(CREATE, ERANGE, A_(MODE), PIPE, U32(MODE, 01000)),
	BLAMES(CREATE, ERANGE, A_(MODE), PIPE, U32(MODE, ~0U)),
	BLAMES(CREATE, EINVAL, A_(CAPACITY_BYTES), PIPE,
	       U64(CAPACITY_BYTES, 1)),
	BLAMES(CREATE, EINVAL, A_(CAPACITY_BYTES), PIPE,
	       U64(CAPACITY_BYTES, 4095)),
	BLAMES(CREATE, EINVAL, A_(CAPACITY_BYTES), PIPE,
	       U64(CAPACITY_BYTES, 1ULL << 62)),
	BLAMES(CREATE, EINVAL, A_(CAPACITY_BYTES), PIPE,
	       U64(CAPACITY_BYTES, ~0ULL)),

	/* a queue has limits, which netlink doesn't set */
	BLAMES(CREATE, EINVAL, A_(CAPACITY_BYTES), QUEUE,
	       U64(CAPACITY_BYTES, 65536)),
	BLAMES(CREATE, EINVAL, A_(CAPACITY_BYTES), QUEUE,
	       U64(CAPACITY_BYTES, 0)),
	BLAMES(CREATE, EINVAL, A_(CAPACITY_BYTES), QUEUE,
	       U64(CAPACITY_BYTES, ~0ULL)),
	BLAMES(CREATE, EEXIST, A_(NAME), QUEUE, NAMED),
	BLAMES(CREATE, EINVAL, A_(NAME), QUEUE, NAME_OF(4, "a/b")),
	BLAMES(CREATE, ERANGE, A_(MODE), QUEUE, U32(MODE, 01000)),
	BLAMES(GET, EPROTOTYPE, A_(TYPE), NAMED, QUEUE),

	/* attributes that the family has, and the command has not */
	BLAMES(GET, EINVAL, A_(REMOVE), NAMED, FLAG(REMOVE)),
	BLAMES(GET, EINVAL, A_(MODE), NAMED, U32(MODE, 0)),
	BLAMES(GET, EINVAL, A_(DEFUNCT), NAMED, FLAG(DEFUNCT)),
	BLAMES(GET, EINVAL, A_(PAD), NAMED, FLAG(PAD)),
	BLAMES(CREATE, EINVAL, A_(ID), PIPE, U32(ID, 1)),
	BLAMES(CREATE, EINVAL, A_(COOKIE), PIPE, U64(COOKIE, 1)),
	BLAMES(CREATE, EINVAL, A_(LIFETIME), PIPE, U32(LIFETIME, PERSISTENT)),
	BLAMES(CREATE, EINVAL, A_(UID), PIPE, U32(UID, 0)),
	BLAMES(CREATE, EINVAL, A_(REMOVE), PIPE, FLAG(REMOVE)),
	BLAMES(DELETE, EINVAL, A_(TYPE), NAMED, PIPE),
	BLAMES(DELETE, EINVAL, A_(MODE), NAMED, U32(MODE, 0)),

	/* attributes that nobody has */
	BLAMES(GET, EINVAL, __IPCX_A_OBJECT_MAX, NAMED,
	       { .type = __IPCX_A_OBJECT_MAX, .len = 4 }),
	BLAMES(CREATE, EINVAL, 1000, PIPE, { .type = 1000, .len = 4 }),
	BLAMES(DELETE, EINVAL, 0x3fff, NAMED, { .type = 0x3fff }),

	/* attributes of a wrong form */
	BLAMES(GET, EINVAL, A_(ID), BYTES(ID, 0, "")),
	BLAMES(GET, EINVAL, A_(ID), BYTES(ID, 3, "\1\0\0")),
	BLAMES(GET, EINVAL, A_(ID), BYTES(ID, 8, "\1\0\0\0\0\0\0\0")),
	BLAMES(GET, EINVAL, A_(ID), U32(ID | NLA_F_NESTED, 1)),
	BLAMES(DELETE, EINVAL, A_(COOKIE), NAMED, BYTES(COOKIE, 4, "\1\0\0\0")),
	BLAMES(DELETE, ERANGE, A_(REMOVE), NAMED, BYTES(REMOVE, 1, "\1")),
	BLAMES(CREATE, EINVAL, A_(TYPE), BYTES(TYPE, 1, "\1")),
	BLAMES(CREATE, EINVAL, A_(MODE), PIPE, BYTES(MODE, 2, "\0\0")),
	BLAMES(CREATE, EINVAL, A_(CAPACITY_BYTES), PIPE,
	       BYTES(CAPACITY_BYTES, 4, "\0\0\1\0")),
};

/* The row with what the test has made filled in. */
static struct refusal refusal_of(const struct refusal *row, const char *name,
				 const struct ipcx_stat *st)
{
	struct refusal r = *row;
	struct attr *attr;

	for (attr = r.list; attr->type; attr++) {
		if (attr->text && !strcmp(attr->text, THE_NAME)) {
			attr->text = name;
			attr->len = strlen(name) + 1;
		}
		if (attr->value == THE_ID && attr->type == A_(ID))
			attr->value = st->id;
		if (attr->value == THE_COOKIE)
			attr->value = st->cookie;
		if (attr->value == NEAR_COOKIE)
			attr->value = st->cookie ^ 1ULL << 32;
	}
	return r;
}

TEST_F(netlink, refusals_blame_an_attribute_and_change_nothing)
{
	struct ipcx_stat before, after;
	struct ipcx_query q;
	size_t i;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(1, fd_write(fd, "x", 1, 0));
	ASSERT_EQ(0, fd_stat(fd, &before));
	q = accounts(self->dev);
	for (i = 0; i < ARRAY_LEN(refusals); i++) {
		struct refusal r = refusal_of(&refusals[i], self->name,
					      &before);
		struct answer a;

		EXPECT_EQ(r.err, ask(self->nl, r.command, 0, r.list, &a)) {
			TH_LOG("row %zu: %s", i, a.message);
		}
		EXPECT_EQ(r.bad, a.bad) {
			TH_LOG("row %zu: %s", i, a.message);
		}
		EXPECT_EQ(r.missing, a.missing) {
			TH_LOG("row %zu: %s", i, a.message);
		}
		EXPECT_NE(0, a.message[0]) {
			TH_LOG("row %zu has no message", i);
		}
		EXPECT_EQ(0, a.count);
		answer_free(&a);
		ASSERT_EQ(0, fd_stat(fd, &after));
		EXPECT_TRUE(same_stat(&before, &after)) {
			TH_LOG("row %zu changed the object", i);
		}
		EXPECT_TRUE(accounts_are(self->dev, &q)) {
			TH_LOG("row %zu changed the accounts", i);
		}
	}
}

TEST_F(netlink, type_must_be_right)
{
	struct ipcx_query q;
	uint32_t type;

	ASSERT_EQ(0, dev_query(self->dev, &q));
	ASSERT_EQ(0, ask_create(self->nl, attrs(PIPE, TEXT(NAME, self->name)),
				NULL));
	for (type = IPCX_TYPE_QUEUE; type <= IPCX_TYPE_SEM; type++) {
		int err = q.types & 1 << type ? -EPROTOTYPE : -EOPNOTSUPP;
		struct answer a;

		EXPECT_EQ(err, ask(self->nl, GET, 0,
				   attrs(TEXT(NAME, self->name),
					 U32(TYPE, type)), &a));
		EXPECT_EQ(A_(TYPE), a.bad);
		answer_free(&a);
	}
}

/* Messages that libnl would never send. */

static int send_raw(int nl, struct nl_msg *msg, struct answer *a)
{
	int ret = ask_send(nl, msg, a);

	if (!ret)
		ret = ask_finish(nl, a);
	return ret;
}

TEST_F(netlink, broken_messages_are_refused)
{
	struct ipcx_query q = accounts(self->dev);
	struct nlattr *last;
	struct nlmsghdr *nlh;
	struct genlmsghdr *genl;
	struct nl_msg *msg;
	struct answer a;
	int len;

	ASSERT_EQ(0, ask_create(self->nl, attrs(PIPE, TEXT(NAME, self->name)),
				NULL));

	/* an attribute that claims to be longer than the message */
	msg = ask_request(DELETE, 0, attrs(TEXT(NAME, self->name)));
	last = genlmsg_attrdata(nlmsg_data(nlmsg_hdr(msg)), 0);
	last->nla_len += 100;
	EXPECT_EQ(-EINVAL, send_raw(self->nl, msg, &a));
	answer_free(&a);

	/* one that claims to be shorter than its own header */
	msg = ask_request(DELETE, 0, attrs(TEXT(NAME, self->name)));
	last = genlmsg_attrdata(nlmsg_data(nlmsg_hdr(msg)), 0);
	last->nla_len = 3;
	EXPECT_EQ(-EINVAL, send_raw(self->nl, msg, &a));
	answer_free(&a);

	/* cut after every byte of the attribute: nothing is what it was */
	for (len = 1; len < (int)strlen(self->name) + 5; len++) {
		msg = ask_request(DELETE, 0, attrs(TEXT(NAME, self->name)));
		nlh = nlmsg_hdr(msg);
		nlh->nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN + len;
		EXPECT_EQ(-EINVAL, send_raw(self->nl, msg, &a));
		answer_free(&a);
	}

	/* no room for the family's header */
	msg = ask_request(DELETE, 0, no_attrs);
	nlmsg_hdr(msg)->nlmsg_len = NLMSG_HDRLEN;
	EXPECT_EQ(-EINVAL, send_raw(self->nl, msg, &a));
	answer_free(&a);

	/* reserved bits of both headers */
	msg = ask_request(DELETE, 0, attrs(TEXT(NAME, self->name)));
	genl = nlmsg_data(nlmsg_hdr(msg));
	genl->reserved = 1;
	EXPECT_EQ(-EINVAL, send_raw(self->nl, msg, &a));
	answer_free(&a);
	msg = ask_request(DELETE, NLM_F_EXCL, attrs(TEXT(NAME, self->name)));
	EXPECT_EQ(-EINVAL, send_raw(self->nl, msg, &a));
	answer_free(&a);

	/* commands that there are not */
	EXPECT_EQ(-EOPNOTSUPP, ask_only(self->nl, 0, no_attrs));
	EXPECT_EQ(-EOPNOTSUPP, ask_only(self->nl, __IPCX_CMD_MAX, no_attrs));
	EXPECT_EQ(-EOPNOTSUPP, ask_only(self->nl, 255, no_attrs));
	EXPECT_EQ(-EOPNOTSUPP, ask(self->nl, CREATE, NLM_F_DUMP,
				   attrs(PIPE), &a));
	answer_free(&a);
	EXPECT_EQ(-EOPNOTSUPP, ask(self->nl, DELETE, NLM_F_DUMP,
				   attrs(TEXT(NAME, self->name)), &a));
	answer_free(&a);

	EXPECT_EQ(0, ask_delete(self->nl, attrs(TEXT(NAME, self->name))));
	EXPECT_TRUE(accounts_are(self->dev, &q));
}

/* Who may. */

/* A persistent pipe of UID_A, GID_A. */
static int pipe_of_a(int dev, const char *name, mode_t mode)
{
	int fd = pipe_create_mode(dev, name, PERSISTENT, NONE, mode);

	if (fd < 0)
		return fd;
	return fchown(fd, UID_A, GID_A) ? -errno : fd;
}

/* What @nl may do to the object, the destructive last. */
static int rights(int nl, const char *name)
{
	int get = ask_get(nl, attrs(TEXT(NAME, name)), NULL);
	int unlink = ask_delete(nl, attrs(TEXT(NAME, name)));

	if (get && get != -EACCES)
		return get;
	if (unlink && unlink != -EPERM)
		return unlink;
	return (get ? 0 : 1) | (unlink ? 0 : 2);
}

#define MAY_GET		1
#define MAY_ALL		3

TEST_F(netlink, seen_is_what_can_be_opened)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		mode_t mode;
		int rights;
	} rows[] = {
		{ UID_A, GID_A, 0600, MAY_ALL },
		{ UID_A, GID_B, 0000, MAY_ALL },
		{ UID_B, GID_A, 0600, 0 },
		{ UID_B, GID_A, 0640, MAY_GET },
		{ UID_B, GID_A, 0620, MAY_GET },
		{ UID_B, GID_A, 0610, 0 },
		{ UID_B, GID_A, 0606, 0 },
		{ UID_B, GID_B, 0660, 0 },
		{ UID_B, GID_B, 0604, MAY_GET },
		{ UID_B, GID_B, 0602, MAY_GET },
		{ UID_B, GID_B, 0601, 0 },
		{ 0, 0, 0000, MAY_ALL },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		int fd = pipe_of_a(self->dev, self->name, rows[i].mode);

		ASSERT_GE(fd, 0);
		as_user(rows[i].uid, rows[i].gid) {
			if (!rows[i].uid)
				ASSERT_EQ(0, set_caps(CAP(IPC_OWNER)));
			EXPECT_EQ(rows[i].rights,
				  rights(ask_open(), self->name)) {
				TH_LOG("row %zu", i);
			}
		}
		name_unlink(self->dev, self->name);
		close(fd);
	}
}

TEST_F(netlink, root_is_nobody_without_the_capability)
{
	ASSERT_GE(pipe_of_a(self->dev, self->name, 0600), 0);
	in_child() {
		ASSERT_EQ(0, set_caps(CAP(NET_ADMIN) | CAP(DAC_OVERRIDE)));
		EXPECT_EQ(0, rights(ask_open(), self->name));
	}
	as_user_with(UID_B, GID_B, CAP(IPC_OWNER))
		EXPECT_EQ(MAY_ALL, rights(ask_open(), self->name));
}

/* A socket that root has opened gives its next user nothing. */
TEST_F(netlink, opener_s_rights_are_not_given_away)
{
	struct told told;

	ASSERT_EQ(0, ask_create(self->nl, attrs(PIPE, TEXT(NAME, self->name)),
				NULL));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(0, rights(self->nl, self->name));
		EXPECT_EQ(-EPERM, ask_delete(self->nl,
					     attrs(TEXT(NAME, self->name),
						   FLAG(REMOVE))));
		/* nor is anything made that would be root's, or the user's */
		EXPECT_EQ(-EPERM, ask_create(self->nl,
					     attrs(PIPE,
						   TEXT(NAME, self->other)),
					     &told));
		EXPECT_EQ(0, rights(ask_open(), self->name));
	}
	EXPECT_EQ(-ENOENT, ask_get(self->nl, attrs(TEXT(NAME, self->other)),
				   NULL));
	EXPECT_EQ(MAY_ALL, rights(self->nl, self->name));
}

/* What a stranger's socket makes a privileged program send has his rights. */
TEST_F(netlink, sender_s_rights_are_not_lent)
{
	int pair[2], nl;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	as_user(UID_A, GID_A)
		ASSERT_EQ(0, send_fd(pair[0], ask_open()));
	nl = recv_fd(pair[1]);
	ASSERT_GE(nl, 0);

	/* root's own */
	ASSERT_EQ(0, ask_create(self->nl, attrs(PIPE, TEXT(NAME, self->name)),
				NULL));
	EXPECT_EQ(0, rights(nl, self->name));
	EXPECT_EQ(-EPERM, ask_create(nl, attrs(PIPE, TEXT(NAME, self->other)),
				     NULL));
	EXPECT_EQ(-ENOENT, ask_get(self->nl, attrs(TEXT(NAME, self->other)),
				   NULL));
	/* what both may do can be done */
	ASSERT_GE(pipe_of_a(self->dev, self->other, 0600), 0);
	EXPECT_EQ(MAY_ALL, rights(nl, self->other));
}

/* A set-group-id program is not the one that opened the socket either. */
TEST_F(netlink, create_needs_the_same_group)
{
	int pair[2], nl;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	as_user(UID_A, GID_A)
		ASSERT_EQ(0, send_fd(pair[0], ask_open()));
	nl = recv_fd(pair[1]);
	ASSERT_GE(nl, 0);
	as_user(UID_A, GID_B)
		EXPECT_EQ(-EPERM, ask_create(nl, attrs(PIPE), NULL));
	as_user(UID_A, GID_A)
		EXPECT_EQ(0, ask_create(nl, attrs(PIPE), NULL));
}

/* Namespaces. */

TEST_F(netlink, namespaces_are_separate)
{
	struct told told;

	ASSERT_EQ(0, ask_create(self->nl, attrs(PIPE, TEXT(NAME, self->name)),
				&told));
	in_child() {
		struct told there;
		int nl;

		ASSERT_EQ(0, unshare(CLONE_NEWNET));
		nl = ask_open();
		ASSERT_GE(nl, 0);
		EXPECT_EQ(-ENOENT, ask_get(nl, attrs(TEXT(NAME, self->name)),
					   &there));
		EXPECT_EQ(-ENOENT, ask_get(nl, attrs(U32(ID, told.st.id)),
					   &there));
		EXPECT_EQ(-ENOENT, ask_delete(nl, attrs(TEXT(NAME, self->name))));
		EXPECT_EQ(0, ask_only(nl, CREATE, attrs(PIPE, TEXT(NAME, self->name))));
		EXPECT_EQ(0, ask_only(nl, CREATE, attrs(PIPE, TEXT(NAME, self->other))));
		/* a socket stays where it was opened */
		ASSERT_EQ(0, ask_get(self->nl, attrs(TEXT(NAME, self->name)),
				     &there));
		EXPECT_EQ(told.st.cookie, there.st.cookie);
		EXPECT_EQ(0, ask_delete(nl, attrs(TEXT(NAME, self->name))));
		EXPECT_EQ(0, ask_get(self->nl, attrs(TEXT(NAME, self->name)),
				     &there));
	}
	EXPECT_EQ(-ENOENT, ask_get(self->nl, attrs(TEXT(NAME, self->other)),
				   NULL));
}

TEST_F(netlink, uids_are_the_sender_s)
{
	struct told told;
	int pair[2], nl;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	as_user(UID_A, GID_A) {
		ASSERT_EQ(0, unshare_user_net(0, 0));
		nl = ask_open();
		ASSERT_GE(nl, 0);
		ASSERT_EQ(0, ask_object(nl, CREATE,
					attrs(PIPE, TEXT(NAME, self->name)),
					&told));
		EXPECT_EQ(0, told.st.uid);
		EXPECT_EQ(0, told.st.gid);
		EXPECT_EQ(0, told.st.creator_uid);
		EXPECT_EQ(0, told.st.creator_gid);
		ASSERT_EQ(0, send_fd(pair[0], nl));
	}
	nl = recv_fd(pair[1]);
	ASSERT_GE(nl, 0);
	ASSERT_EQ(0, ask_get(nl, attrs(TEXT(NAME, self->name)), &told));
	EXPECT_EQ(UID_A, told.st.uid);
	EXPECT_EQ(GID_A, told.st.gid);
	EXPECT_EQ(UID_A, told.st.creator_uid);
	EXPECT_EQ(GID_A, told.st.creator_gid);

	/* root of the initial namespace has no id in a user's */
	ASSERT_GE(pipe_create_mode(self->dev, self->name, PERSISTENT, NONE,
				   0666), 0);
	as_user(UID_A, GID_A) {
		nl = ask_open();
		ASSERT_EQ(0, unshare_user_net(0, 0));
		ASSERT_EQ(0, ask_get(nl, attrs(TEXT(NAME, self->name)), &told));
		EXPECT_EQ(OVERFLOW_ID, told.st.uid);
		EXPECT_EQ(OVERFLOW_ID, told.st.gid);
		EXPECT_EQ(OVERFLOW_ID, told.st.creator_uid);
		/* being root there is nothing here */
		EXPECT_EQ(MAY_GET, rights(nl, self->name));
	}
}

TEST_F(netlink, pids_are_the_sender_s)
{
	struct told told;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(1, fd_write(fd, "x", 1, 0));
	in_child() {
		ASSERT_EQ(0, unshare(CLONE_NEWPID));
		in_child() {
			ASSERT_EQ(1, getpid());
			ASSERT_EQ(1, fd_write(fd, "x", 1, 0));
			ASSERT_EQ(0, ask_get(self->nl,
					     attrs(TEXT(NAME, self->name)),
					     &told));
			EXPECT_EQ(0, told.st.creator_pid);
			EXPECT_EQ(1, told.st.last_writer_pid);
		}
	}
	ASSERT_EQ(0, ask_get(self->nl, attrs(TEXT(NAME, self->name)), &told));
	EXPECT_EQ(getpid(), told.st.creator_pid);
}

TEST_HARNESS_MAIN
