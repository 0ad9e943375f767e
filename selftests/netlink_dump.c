// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family's dump: complete, each object once, honest about what
 * changed meanwhile, and with the rights of who started it.
 */
#include "netlink_test.h"

/* More than any one datagram holds, so that a dump can be left half-way. */
#define MANY		300

/* More than all buffers of a socket hold. */
#define THOUSANDS	3000

FIXTURE(netlink_dump) {
	int dev;
	int nl;
	char name[TEST_NAME_SIZE];
	uint32_t ids[THOUSANDS];
	uint64_t cookies[THOUSANDS];
};

FIXTURE_SETUP(netlink_dump)
{
	track_cleanup();
	test_name(self->name, "name");
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	nl_family = ask_resolve();
	ASSERT_GT(nl_family, 0);
	self->nl = ask_open();
	ASSERT_GE(self->nl, 0);
}

FIXTURE_TEARDOWN_PARENT(netlink_dump)
{
	track_cleanup();
}

static int create_small(int nl, mode_t mode, struct told *told)
{
	return ask_create(nl, attrs(PIPE, U32(MODE, mode),
				    U64(CAPACITY_BYTES, 4096)), told);
}

/* @count persistent objects with ids and cookies; how many there are. */
static int create_many(int nl, int count, mode_t mode, uint32_t *ids,
		       uint64_t *cookies)
{
	struct told told;
	int i;

	umask(0);
	for (i = 0; i < count; i++) {
		if (create_small(nl, mode, &told))
			break;
		ids[i] = told.st.id;
		cookies[i] = told.st.cookie;
	}
	return i;
}

/* How many of the objects are in the answer? It is in the order of ids. */
static int count_told(const struct answer *a, const uint64_t *cookies,
		      int count)
{
	unsigned int next = 0;
	int i, found = 0;

	for (i = 0; i < count; i++) {
		unsigned int step;

		for (step = 0; step < a->count; step++) {
			unsigned int at = (next + step) % a->count;

			if (a->told[at].st.cookie == cookies[i]) {
				found++;
				next = at + 1;
				break;
			}
		}
	}
	return found;
}

/* Sends the request and takes the first datagram: the dump goes on. */
static int dump_begin(int nl, struct answer *a)
{
	int ret = ask_send(nl, ask_request(IPCX_CMD_GET, NLM_F_DUMP, no_attrs),
			   a);

	return ret ? ret : ask_receive(nl, a);
}

TEST_F(netlink_dump, empty_and_small)
{
	const struct told *told;
	struct ipcx_stat st;
	struct answer a;
	unsigned int before;
	int fd;

	ASSERT_EQ(0, ask_dump(self->nl, no_attrs, &a));
	EXPECT_FALSE(a.interrupted);
	before = a.count;
	answer_free(&a);

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_GE(pipe_create(self->dev, NULL, TRANSIENT, READ), 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	ASSERT_EQ(0, ask_dump(self->nl, no_attrs, &a));
	EXPECT_EQ(before + 2, a.count);
	EXPECT_FALSE(a.interrupted);
	told = answer_find(&a, st.cookie);
	ASSERT_NE(NULL, told);
	EXPECT_TRUE(same_stat(&st, &told->st));
	EXPECT_FALSE(told->defunct);
	answer_free(&a);

	/* removed, and still held */
	ASSERT_EQ(0, fd_remove(fd));
	ASSERT_EQ(0, ask_dump(self->nl, no_attrs, &a));
	EXPECT_EQ(before + 2, a.count);
	told = answer_find(&a, st.cookie);
	ASSERT_NE(NULL, told);
	EXPECT_TRUE(told->defunct);
	EXPECT_EQ(0, told->st.flags);
	EXPECT_EQ(0, told->st.name_len);
	answer_free(&a);
}

TEST_F_TIMEOUT(netlink_dump, thousands_are_complete, 120)
{
	struct answer a;
	int count;

	count = create_many(self->nl, THOUSANDS, 0600, self->ids,
			    self->cookies);
	ASSERT_EQ(THOUSANDS, count);
	ASSERT_EQ(0, ask_dump(self->nl, no_attrs, &a));
	EXPECT_TRUE(answer_in_order(&a));
	EXPECT_EQ(THOUSANDS, count_told(&a, self->cookies, THOUSANDS));
	EXPECT_FALSE(a.interrupted);
	answer_free(&a);
}

/* Names of every length: messages of every size meet the end of a buffer. */
TEST_F(netlink_dump, sizes_do_not_matter)
{
	char name[IPCX_NAME_MAX + 1];
	struct answer a;
	struct told told;
	int i;

	for (i = 0; i < MANY; i++) {
		int len = 10 + i * 97 % (IPCX_NAME_MAX - 9);

		snprintf(name, sizeof(name), "%0*d", len, i);
		ASSERT_EQ(0, ask_create(self->nl,
					attrs(PIPE, TEXT(NAME, name),
					      U64(CAPACITY_BYTES, 4096)),
					&told));
		self->cookies[i] = told.st.cookie;
	}
	ASSERT_EQ(0, ask_dump(self->nl, no_attrs, &a));
	EXPECT_EQ(MANY, count_told(&a, self->cookies, MANY));
	EXPECT_FALSE(a.interrupted);
	for (i = 0; i < MANY; i++) {
		const struct told *t = answer_find(&a, self->cookies[i]);

		ASSERT_NE(NULL, t);
		EXPECT_EQ((uint32_t)(10 + i * 97 % (IPCX_NAME_MAX - 9)),
			  t->st.name_len);
		EXPECT_EQ(i, atoi(t->st.name));
	}
	answer_free(&a);
}

TEST_F(netlink_dump, type_is_a_filter)
{
	struct ipcx_query q;
	struct answer a, all;
	uint32_t type;

	ASSERT_EQ(0, dev_query(self->dev, &q));
	ASSERT_EQ(3, create_many(self->nl, 3, 0600, self->ids, self->cookies));
	ASSERT_EQ(0, ask_dump(self->nl, no_attrs, &all));
	ASSERT_EQ(0, ask_dump(self->nl, attrs(U32(TYPE, IPCX_TYPE_ANY)), &a));
	EXPECT_EQ(all.count, a.count);
	answer_free(&a);
	ASSERT_EQ(0, ask_dump(self->nl, attrs(PIPE), &a));
	EXPECT_EQ(3, count_told(&a, self->cookies, 3));
	answer_free(&a);
	for (type = IPCX_TYPE_QUEUE; type <= IPCX_TYPE_SEM + 1; type++) {
		int ret = ask_dump(self->nl, attrs(U32(TYPE, type)), &a);

		if (type <= IPCX_TYPE_SEM && q.types & 1 << type) {
			EXPECT_EQ(0, ret);
		} else {
			EXPECT_EQ(-EOPNOTSUPP, ret);
			EXPECT_EQ(A_(TYPE), a.bad);
			EXPECT_NE(0, a.message[0]);
		}
		EXPECT_EQ(0, count_told(&a, self->cookies, 3));
		answer_free(&a);
	}
	answer_free(&all);
}

TEST_F(netlink_dump, queues_are_told_among_others)
{
	struct told queue;
	struct answer a;

	ASSERT_EQ(1, create_many(self->nl, 1, 0600, self->ids, self->cookies));
	ASSERT_EQ(0, ask_create(self->nl, attrs(QUEUE), &queue));
	self->cookies[1] = queue.st.cookie;
	ASSERT_EQ(0, ask_dump(self->nl, no_attrs, &a));
	EXPECT_EQ(2, count_told(&a, self->cookies, 2));
	ASSERT_NE(NULL, answer_find(&a, queue.st.cookie));
	EXPECT_TRUE(same_stat(&queue.st,
			      &answer_find(&a, queue.st.cookie)->st));
	answer_free(&a);
	ASSERT_EQ(0, ask_dump(self->nl, attrs(QUEUE), &a));
	EXPECT_EQ(1, count_told(&a, self->cookies, 2));
	EXPECT_NE(NULL, answer_find(&a, queue.st.cookie));
	answer_free(&a);
}

TEST_F(netlink_dump, other_attributes_are_refused)
{
	static const struct {
		struct attr list[2];
		int err;
	} rows[] = {
		{ { U32(ID, 1) }, -EINVAL },
		{ { U32(ID, 0) }, -ERANGE },
		{ { U64(COOKIE, 1) }, -EINVAL },
		{ { { .type = A_(NAME), .len = 2, .text = "x" } }, -EINVAL },
		{ { FLAG(REMOVE) }, -EINVAL },
		{ { U32(MODE, 0) }, -EINVAL },
		{ { { .type = __IPCX_A_OBJECT_MAX } }, -EINVAL },
		{ { BYTES(TYPE, 2, "\1\0") }, -EINVAL },
	};
	struct answer a;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		EXPECT_EQ(rows[i].err, ask_dump(self->nl, rows[i].list, &a)) {
			TH_LOG("row %zu: %s", i, a.message);
		}
		EXPECT_EQ(rows[i].list[0].type, a.bad) {
			TH_LOG("row %zu: %s", i, a.message);
		}
		EXPECT_NE(0, a.message[0]);
		EXPECT_EQ(0, a.count);
		answer_free(&a);
	}
	/* and the socket is as good as before */
	EXPECT_EQ(0, ask_dump(self->nl, no_attrs, &a));
	answer_free(&a);
}

/* What changes between the first datagram and the second is not passed over. */

TEST_F(netlink_dump, creation_interrupts)
{
	struct answer a;
	int other = ask_open();

	ASSERT_GE(other, 0);
	ASSERT_EQ(MANY, create_many(other, MANY, 0600, self->ids,
				    self->cookies));
	ASSERT_EQ(0, dump_begin(self->nl, &a));
	ASSERT_FALSE(a.interrupted);
	ASSERT_LT(a.count, MANY);
	ASSERT_EQ(0, create_small(other, 0600, NULL));
	ASSERT_EQ(0, ask_finish(self->nl, &a));
	EXPECT_TRUE(a.interrupted);
	EXPECT_TRUE(answer_in_order(&a));
	EXPECT_EQ(MANY, count_told(&a, self->cookies, MANY));
	answer_free(&a);

	/* another one is quiet */
	ASSERT_EQ(0, ask_dump(self->nl, no_attrs, &a));
	EXPECT_FALSE(a.interrupted);
	EXPECT_EQ(MANY, count_told(&a, self->cookies, MANY));
	answer_free(&a);
}

TEST_F(netlink_dump, deletion_interrupts)
{
	struct answer a;
	int other = ask_open();

	ASSERT_GE(other, 0);
	ASSERT_EQ(MANY, create_many(other, MANY, 0600, self->ids,
				    self->cookies));
	/* the first, which has been told */
	ASSERT_EQ(0, dump_begin(self->nl, &a));
	ASSERT_EQ(0, ask_delete(other, attrs(U32(ID, self->ids[0]))));
	ASSERT_EQ(0, ask_finish(self->nl, &a));
	EXPECT_TRUE(a.interrupted);
	EXPECT_EQ(MANY, count_told(&a, self->cookies, MANY));
	answer_free(&a);

	/* the last, which has not */
	ASSERT_EQ(0, dump_begin(self->nl, &a));
	ASSERT_EQ(0, ask_delete(other, attrs(U32(ID, self->ids[MANY - 1]))));
	ASSERT_EQ(0, ask_finish(self->nl, &a));
	EXPECT_TRUE(a.interrupted);
	EXPECT_EQ(MANY - 2, count_told(&a, self->cookies, MANY));
	answer_free(&a);

	/* all */
	ASSERT_EQ(0, dump_begin(self->nl, &a));
	while (ask_delete(other, attrs(U32(ID, self->ids[1]))) == 0)
		memmove(self->ids + 1, self->ids + 2,
			sizeof(self->ids) - 2 * sizeof(*self->ids));
	ASSERT_EQ(0, ask_finish(self->nl, &a));
	EXPECT_TRUE(a.interrupted);
	EXPECT_LT(count_told(&a, self->cookies, MANY), MANY - 2);
	answer_free(&a);
}

TEST_F(netlink_dump, a_name_s_end_interrupts)
{
	struct answer a;
	int other = ask_open();
	int fd;

	ASSERT_GE(other, 0);
	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(MANY, create_many(other, MANY, 0600, self->ids,
				    self->cookies));
	ASSERT_EQ(0, dump_begin(self->nl, &a));
	ASSERT_EQ(0, fd_unlink(fd));
	ASSERT_EQ(0, ask_finish(self->nl, &a));
	EXPECT_TRUE(a.interrupted);
	answer_free(&a);
}

/* What doesn't concern names and ids does not disturb. */
TEST_F(netlink_dump, use_does_not_interrupt)
{
	struct answer a;
	int other = ask_open();
	int fd;

	ASSERT_GE(other, 0);
	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(MANY, create_many(other, MANY, 0600, self->ids,
				    self->cookies));
	ASSERT_EQ(0, dump_begin(self->nl, &a));
	ASSERT_EQ(1, fd_write(fd, "x", 1, 0));
	ASSERT_GE(name_open(self->dev, self->name, READ, 0), 0);
	ASSERT_EQ(0, fchmod(fd, 0644));
	ASSERT_EQ(-ENOENT, name_unlink(self->dev, "nope"));
	ASSERT_EQ(0, ask_finish(self->nl, &a));
	EXPECT_FALSE(a.interrupted);
	answer_free(&a);
}

/*
 * There is always at least one and there are at most two of the churner's
 * objects, from its first to the end: it makes a new one, then takes the old
 * one away. Now and then it rests, so that some dumps get through.
 */
static int churn(int nl, const bool *stop)
{
	unsigned int turn = 0;
	uint32_t old = 0;
	struct told t;

	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
		if (create_small(nl, 0600, &t))
			return 1;
		if (old && ask_delete(nl, attrs(U32(ID, old))))
			return 2;
		old = t.st.id;
		usleep(++turn % 16 * 4000);
	}
	return ask_delete(nl, attrs(U32(ID, old))) ? 3 : 0;
}

static unsigned int count_of(const struct answer *a, pid_t creator)
{
	unsigned int i, count = 0;

	for (i = 0; i < a->count; i++)
		count += a->told[i].st.creator_pid == creator;
	return count;
}

TEST_F(netlink_dump, races_are_told)
{
	bool *stop = mmap(NULL, sizeof(*stop), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int round, noisy = 0;
	struct answer a;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, stop);
	ASSERT_EQ(MANY, create_many(self->nl, MANY, 0600, self->ids,
				    self->cookies));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(churn(ask_open(), stop));
	}
	for (round = 0; round < 100; round++) {
		unsigned int theirs;

		EXPECT_EQ(0, ask_dump(self->nl, no_attrs, &a));
		EXPECT_TRUE(answer_in_order(&a));
		EXPECT_EQ(MANY, count_told(&a, self->cookies, MANY));
		theirs = count_of(&a, pid);
		noisy += a.interrupted;
		/* the first dumps can come before the churner's first object */
		if (!a.interrupted && noisy) {
			EXPECT_GE(theirs, 1);
			EXPECT_LE(theirs, 2);
		}
		answer_free(&a);
	}
	TH_LOG("%d of %d dumps raced", noisy, round);
	__atomic_store_n(stop, true, __ATOMIC_RELEASE);
	EXPECT_EQ(0, reap(pid));
}

/* The refusal comes amid the dump's answer, which isn't disturbed by it. */
TEST_F(netlink_dump, one_at_a_time)
{
	struct nl_msg *second = ask_request(IPCX_CMD_GET, NLM_F_DUMP, no_attrs);
	struct answer a, b;

	ASSERT_EQ(MANY, create_many(self->nl, MANY, 0600, self->ids,
				    self->cookies));
	ASSERT_EQ(0, dump_begin(self->nl, &a));
	nlmsg_hdr(second)->nlmsg_seq = nlmsg_hdr(a.request)->nlmsg_seq;
	ASSERT_EQ(0, ask_send(self->nl, second, &b));
	EXPECT_EQ(-EBUSY, ask_finish(self->nl, &a));
	EXPECT_EQ(0, ask_finish(self->nl, &a));
	EXPECT_EQ(MANY, count_told(&a, self->cookies, MANY));
	answer_free(&a);
	answer_free(&b);
}

/* A dump that nobody finishes ends with its socket, and holds no object. */
TEST_F(netlink_dump, can_be_dropped)
{
	struct ipcx_query q;
	struct answer a;
	int i;

	ASSERT_EQ(MANY, create_many(self->nl, MANY, 0600, self->ids,
				    self->cookies));
	for (i = 0; i < 20; i++) {
		int nl = ask_open();

		ASSERT_GE(nl, 0);
		ASSERT_EQ(0, dump_begin(nl, &a));
		answer_free(&a);
		if (i % 2)
			close(nl);
	}
	in_child() {
		ASSERT_EQ(0, dump_begin(ask_open(), &a));
		answer_free(&a);
	}
	q = accounts(self->dev);
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, ask_delete(self->nl, attrs(U32(ID, self->ids[i]))));
	EXPECT_EQ(q.user.objects - MANY, accounts(self->dev).user.objects);
}

/* Who sees what. */

TEST_F(netlink_dump, strangers_see_what_they_may)
{
	static const mode_t modes[] = { 0600, 0604, 0602, 0601, 0660, 0000 };
	uint64_t cookies[ARRAY_LEN(modes)], own;
	struct answer a;
	struct told told;
	size_t i;

	umask(0);
	for (i = 0; i < ARRAY_LEN(modes); i++) {
		ASSERT_EQ(0, create_small(self->nl, modes[i], &told));
		cookies[i] = told.st.cookie;
	}
	as_user(UID_A, GID_A) {
		int nl = ask_open();

		ASSERT_EQ(0, create_small(nl, 0, &told));
		own = told.st.cookie;
		ASSERT_EQ(0, ask_dump(nl, no_attrs, &a));
		EXPECT_NE(NULL, answer_find(&a, own));
		for (i = 0; i < ARRAY_LEN(modes); i++)
			EXPECT_EQ(!!(modes[i] & 6),
				  !!answer_find(&a, cookies[i])) {
				TH_LOG("mode %o", modes[i]);
			}
		EXPECT_EQ(2, count_told(&a, cookies, ARRAY_LEN(modes)));
		answer_free(&a);
	}
	ASSERT_EQ(0, ask_dump(self->nl, no_attrs, &a));
	EXPECT_EQ(ARRAY_LEN(modes), count_told(&a, cookies, ARRAY_LEN(modes)));
	answer_free(&a);
}

/* A socket of root's in a user's hands, and one of a user's in root's. */
TEST_F(netlink_dump, both_must_be_allowed)
{
	int pair[2], nl;
	struct answer a;

	ASSERT_EQ(10, create_many(self->nl, 10, 0600, self->ids,
				  self->cookies));
	as_user(UID_A, GID_A) {
		ASSERT_EQ(0, ask_dump(self->nl, no_attrs, &a));
		EXPECT_EQ(0, count_told(&a, self->cookies, 10));
		answer_free(&a);
	}
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	as_user(UID_A, GID_A)
		ASSERT_EQ(0, send_fd(pair[0], ask_open()));
	nl = recv_fd(pair[1]);
	ASSERT_GE(nl, 0);
	ASSERT_EQ(0, ask_dump(nl, no_attrs, &a));
	EXPECT_EQ(0, count_told(&a, self->cookies, 10));
	answer_free(&a);
}

/* It matters who asked, not who takes the answer. */
TEST_F(netlink_dump, rights_are_frozen)
{
	struct answer a;
	struct told told;
	int pair[2], nl;

	ASSERT_EQ(MANY, create_many(self->nl, MANY, 0604, self->ids,
				    self->cookies));
	ASSERT_EQ(0, create_small(self->nl, 0600, &told));

	/* asked by root, taken by a user, in namespaces where root is nobody */
	ASSERT_EQ(0, dump_begin(self->nl, &a));
	as_user(UID_A, GID_A) {
		unsigned int i;

		ASSERT_EQ(0, unshare_user_net(0, 0));
		ASSERT_EQ(0, ask_finish(self->nl, &a));
		EXPECT_EQ(MANY, count_told(&a, self->cookies, MANY));
		EXPECT_NE(NULL, answer_find(&a, told.st.cookie));
		for (i = 0; i < a.count; i++)
			EXPECT_EQ(0, a.told[i].st.uid);
		EXPECT_EQ(getppid(),
			  answer_find(&a, told.st.cookie)->st.creator_pid);
	}
	answer_free(&a);
	close(self->nl);

	/* asked by a user, taken by root */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	as_user(UID_A, GID_A) {
		nl = ask_open();
		ASSERT_EQ(0, ask_send(nl, ask_request(IPCX_CMD_GET, NLM_F_DUMP,
						      no_attrs), &a));
		ASSERT_EQ(0, send_fd(pair[0], nl));
	}
	nl = recv_fd(pair[1]);
	ASSERT_GE(nl, 0);
	/* the child counted its requests from where we were: so do we */
	a = (struct answer){
		.request = ask_request(IPCX_CMD_GET, NLM_F_DUMP, no_attrs),
	};
	EXPECT_EQ(0, ask_finish(nl, &a));
	EXPECT_EQ(MANY, count_told(&a, self->cookies, MANY));
	EXPECT_EQ(NULL, answer_find(&a, told.st.cookie));
	answer_free(&a);
}

TEST_F(netlink_dump, other_namespaces_are_not_seen)
{
	struct answer a;
	struct told told;

	ASSERT_EQ(10, create_many(self->nl, 10, 0666, self->ids,
				  self->cookies));
	in_child() {
		int nl;

		ASSERT_EQ(0, unshare(CLONE_NEWNET));
		nl = ask_open();
		ASSERT_GE(nl, 0);
		ASSERT_EQ(0, ask_dump(nl, no_attrs, &a));
		EXPECT_EQ(0, a.count);
		answer_free(&a);
		ASSERT_EQ(0, ask_object(nl, IPCX_CMD_CREATE, attrs(PIPE),
					&told));
		ASSERT_EQ(0, ask_dump(nl, no_attrs, &a));
		ASSERT_EQ(1, a.count);
		EXPECT_EQ(told.st.cookie, a.told[0].st.cookie);
		answer_free(&a);
	}
	ASSERT_EQ(0, ask_dump(self->nl, no_attrs, &a));
	EXPECT_EQ(10, count_told(&a, self->cookies, 10));
	answer_free(&a);
}

/*
 * What an audit log could tell: questions for CAP_IPC_OWNER that security modules
 * hear of, and don't know to be for information only.
 */
#define TRACING		"/sys/kernel/tracing/"
#define PROBE		TRACING "events/ipcmod/asked/"

static bool probe_begin(void)
{
	return !file_write(TRACING "kprobe_events",
			   "p:ipcmod/asked security_capable cap=$arg3:s32 opts=$arg4:u32") &&
	       !file_write(PROBE "filter", "cap == 15 && !(opts & 2)") &&
	       !file_write(PROBE "enable", "1");
}

static int probe_count(void)
{
	FILE *f = fopen(TRACING "trace", "re");
	char line[256];
	int count = 0;

	while (f && fgets(line, sizeof(line), f))
		count += !!strstr(line, " asked: ");
	if (f)
		fclose(f);
	return count;
}

static void probe_end(void)
{
	file_write(PROBE "enable", "0");
	file_write(TRACING "kprobe_events", "-:ipcmod/asked");
	truncate(TRACING "trace", 0);
}

TEST_F(netlink_dump, the_invisible_is_no_matter_for_audit)
{
	struct answer a;
	int i, before;

	if (access(TRACING "kprobe_events", W_OK))
		SKIP(return, "this kernel has no CONFIG_KPROBE_EVENTS");
	ASSERT_EQ(10, create_many(self->nl, 10, 0600, self->ids, self->cookies));
	ASSERT_TRUE(probe_begin());
	as_user(UID_A, GID_A) {
		int nl = ask_open();

		ASSERT_EQ(0, ask_dump(nl, no_attrs, &a));
		EXPECT_EQ(0, count_told(&a, self->cookies, 10));
	}
	before = probe_count();
	as_user(UID_A, GID_A) {
		int nl = ask_open();

		for (i = 0; i < 10; i++)
			EXPECT_EQ(-EACCES,
				  ask_get(nl, attrs(U32(ID, self->ids[i])),
					  NULL));
	}
	i = probe_count();
	probe_end();
	EXPECT_EQ(0, before);
	EXPECT_LE(10, i);
}

TEST_HARNESS_MAIN
