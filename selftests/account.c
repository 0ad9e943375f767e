// SPDX-License-Identifier: GPL-2.0
/*
 * Who is charged what, and when it is full. Each test works as a user who has
 * nothing else, so that its account begins at zero.
 */
#include <sys/resource.h>

#include "object_test.h"

#define UID_SUB		61500

FIXTURE(account) {
	int dev;
	char name[TEST_NAME_SIZE];
	unsigned long long objects_max;
	unsigned long long bytes_max;
	unsigned long long ns_objects_max;
	unsigned long long ns_bytes_max;
};

/* What the caller's user is charged now. */
static struct ipcx_usage user_usage(int dev)
{
	return accounts(dev).user;
}

static bool nothing_charged(int dev)
{
	struct ipcx_usage u = user_usage(dev);

	return u.objects == 0 && u.bytes == 0;
}

FIXTURE_SETUP(account)
{
	track_cleanup();
	test_name(self->name, "name");
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->objects_max = param_get("user_objects_max");
	self->bytes_max = param_get("user_bytes_max");
	self->ns_objects_max = param_get("ns_objects_max");
	self->ns_bytes_max = param_get("ns_bytes_max");
	ASSERT_NE(~0ULL, self->objects_max);
	ASSERT_NE(~0ULL, self->bytes_max);
	as_user(UID_A, GID_A) {
		ASSERT_TRUE(wait_until(nothing_charged(self->dev)));
	}
	as_user(UID_B, GID_B) {
		ASSERT_TRUE(wait_until(nothing_charged(self->dev)));
	}
}

FIXTURE_TEARDOWN_PARENT(account)
{
	track_cleanup();
	param_set("user_objects_max", self->objects_max);
	param_set("user_bytes_max", self->bytes_max);
	param_set("ns_objects_max", self->ns_objects_max);
	param_set("ns_bytes_max", self->ns_bytes_max);
}

static int nameless(int dev)
{
	return pipe_create_sized(dev, NULL, TRANSIENT, RDWR, 4096);
}

/*
 * What one nameless() is charged. A file is charged too, with some bytes, to who
 * opens it: the object's own file among them.
 */
static uint64_t charge_of_one(int dev)
{
	uint64_t before = user_usage(dev).bytes, bytes;
	int fd = nameless(dev);

	bytes = user_usage(dev).bytes - before;
	close(fd);
	return fd < 0 ? 0 : bytes;
}

/* What one more file is charged. */
static uint64_t charge_of_file(int dev)
{
	int fd = nameless(dev);
	uint64_t before = user_usage(dev).bytes, bytes;
	int second = fd_open(fd, RDWR, 0);

	bytes = user_usage(dev).bytes - before;
	close(second);
	close(fd);
	return second < 0 ? 0 : bytes;
}

static bool charged(int dev, const struct ipcx_query *before, uint64_t objects,
		    uint64_t bytes)
{
	struct ipcx_query q = accounts(dev);

	return q.user.objects == before->user.objects + objects &&
	       q.user.bytes == before->user.bytes + bytes &&
	       q.ns.objects == before->ns.objects + objects &&
	       q.ns.bytes == before->ns.bytes + bytes;
}

/* The life of an object, and what it costs at each stage. */
static void usage_of_a_life(struct __test_metadata *_metadata, int dev,
			    const char *name, uint32_t lifetime)
{
	struct ipcx_query before = accounts(dev);
	uint64_t file = charge_of_file(dev);
	struct ipcx_stat st;
	int fd, second;

	fd = pipe_create(dev, name, lifetime, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_LE(65536, st.charged_bytes);
	EXPECT_TRUE(charged(dev, &before, 1, st.charged_bytes + file));
	/* what is in it costs nothing more */
	EXPECT_EQ(4, fd_write(fd, "data", 4, 0));
	EXPECT_TRUE(charged(dev, &before, 1, st.charged_bytes + file));
	second = fd_open(fd, NONE, 0);
	EXPECT_TRUE(charged(dev, &before, 1, st.charged_bytes + 2 * file));
	close(second);
	EXPECT_TRUE(charged(dev, &before, 1, st.charged_bytes + file));
	if (lifetime == TRANSIENT) {
		fd_unlink(fd);
		EXPECT_TRUE(charged(dev, &before, 1, st.charged_bytes + file));
		close(fd);
	} else {
		close(fd);
		EXPECT_TRUE(charged(dev, &before, 1, st.charged_bytes));
		EXPECT_EQ(0, id_unlink(dev, st.id));
	}
	EXPECT_TRUE(accounts_are(dev, &before)) {
		TH_LOG("lifetime %u, %s", lifetime, name ? "named" : "nameless");
	}
}

TEST_F(account, usage_follows_each_object)
{
	uint32_t lifetime;

	as_user(UID_A, GID_A) {
		EXPECT_TRUE(nothing_charged(self->dev));
		EXPECT_LT(0, charge_of_file(self->dev));
		for (lifetime = TRANSIENT; lifetime <= OWNED; lifetime++) {
			usage_of_a_life(_metadata, self->dev, self->name,
					lifetime);
			usage_of_a_life(_metadata, self->dev, NULL, lifetime);
		}
		EXPECT_TRUE(nothing_charged(self->dev));
	}
}

TEST_F(account, larger_objects_are_charged_more)
{
	static const uint64_t capacities[] = { 4096, 65536, 1 << 20 };
	struct ipcx_stat st;
	uint64_t sum, last = 0;
	size_t i;
	int fd;

	as_user(UID_A, GID_A) {
		sum = 3 * charge_of_file(self->dev);
		for (i = 0; i < ARRAY_LEN(capacities); i++) {
			fd = pipe_create_sized(self->dev, NULL, TRANSIENT, NONE,
					       capacities[i]);
			ASSERT_GE(fd, 0);
			ASSERT_EQ(0, fd_stat(fd, &st));
			EXPECT_LE(capacities[i], st.charged_bytes);
			EXPECT_LT(last, st.charged_bytes);
			last = st.charged_bytes;
			sum += last;
		}
		EXPECT_EQ(3, user_usage(self->dev).objects);
		EXPECT_EQ(sum, user_usage(self->dev).bytes);
	}
}

TEST_F(account, query_tells_the_limits)
{
	struct ipcx_query q = accounts(self->dev);

	EXPECT_EQ(self->objects_max, q.user.objects_max);
	EXPECT_EQ(self->bytes_max, q.user.bytes_max);
	ASSERT_EQ(0, param_set("user_objects_max", 7));
	ASSERT_EQ(0, param_set("user_bytes_max", 1234567));
	as_user(UID_A, GID_A) {
		q = accounts(self->dev);
		EXPECT_EQ(7, q.user.objects_max);
		EXPECT_EQ(1234567, q.user.bytes_max);
	}
}

TEST_F(account, limits_are_roots)
{
	struct stat st;

	ASSERT_EQ(0, stat(PARAMETERS "user_objects_max", &st));
	EXPECT_EQ(0644, st.st_mode & 07777);
	ASSERT_EQ(0, stat(PARAMETERS "user_bytes_max", &st));
	EXPECT_EQ(0644, st.st_mode & 07777);
	as_user(UID_A, GID_A) {
		EXPECT_EQ(-EACCES, param_set("user_objects_max", 1000000));
		EXPECT_EQ(self->objects_max, param_get("user_objects_max"));
	}
}

TEST_F(account, object_limit)
{
	int i, fds[4];

	ASSERT_EQ(0, param_set("user_objects_max", 4));
	as_user(UID_A, GID_A) {
		for (i = 0; i < 4; i++) {
			fds[i] = nameless(self->dev);
			ASSERT_GE(fds[i], 0);
		}
		EXPECT_EQ(-EDQUOT, nameless(self->dev));
		EXPECT_EQ(-EDQUOT, pipe_create(self->dev, self->name,
					       PERSISTENT, NONE));
		EXPECT_EQ(-ENOENT, name_unlink(self->dev, self->name));
		EXPECT_EQ(4, user_usage(self->dev).objects);
		/* no place of its own: another file, an unlinked object */
		EXPECT_LE(0, fd_open(fds[0], RDWR, 0));
		close(fds[3]);
		EXPECT_EQ(3, user_usage(self->dev).objects);
		EXPECT_LE(0, nameless(self->dev));
		EXPECT_EQ(-EDQUOT, nameless(self->dev));
	}
	/* other users are not concerned */
	as_user(UID_B, GID_B) {
		EXPECT_LE(0, nameless(self->dev));
	}
}

/* Who has waited for a process is not refused for what it held. */
TEST_F(account, the_dead_do_not_count)
{
	int i;

	ASSERT_EQ(0, param_set("user_objects_max", 2));
	as_user(UID_A, GID_A) {
		for (i = 0; i < 100; i++) {
			pid_t pid = fork();
			int fd;

			ASSERT_LE(0, pid);
			if (!pid) {
				fd = pipe_create(self->dev, self->name, OWNED,
						 RDWR);
				close(fd);
				fd = pipe_create(self->dev, NULL, OWNED, RDWR);
				_exit(fd < 0);
			}
			ASSERT_EQ(0, reap(pid));
			fd = pipe_create(self->dev, self->name, TRANSIENT,
					 RDWR);
			ASSERT_GE(fd, 0) {
				TH_LOG("round %d: %s", i, strerror(-fd));
			}
			close(fd);
		}
	}
}

TEST_F(account, byte_limit)
{
	uint64_t one;
	int fd;

	one = charge_of_one(self->dev);
	ASSERT_LE(4096, one);
	ASSERT_EQ(0, param_set("user_bytes_max", 3 * one));
	as_user(UID_A, GID_A) {
		EXPECT_LE(0, nameless(self->dev));
		EXPECT_LE(0, nameless(self->dev));
		fd = nameless(self->dev);
		EXPECT_LE(0, fd);
		EXPECT_EQ(3 * one, user_usage(self->dev).bytes);
		EXPECT_EQ(-EDQUOT, nameless(self->dev));
		EXPECT_EQ(3 * one, user_usage(self->dev).bytes);
		EXPECT_EQ(3, user_usage(self->dev).objects);
		close(fd);
		/* too large for what is left */
		EXPECT_EQ(-EDQUOT, pipe_create_sized(self->dev, NULL, TRANSIENT,
						     NONE, 8192));
		EXPECT_LE(0, nameless(self->dev));
	}
	/* one byte less is one object less */
	ASSERT_EQ(0, param_set("user_bytes_max", 3 * one - 1));
	as_user(UID_A, GID_A) {
		EXPECT_LE(0, nameless(self->dev));
		EXPECT_LE(0, nameless(self->dev));
		EXPECT_EQ(-EDQUOT, nameless(self->dev));
	}
}

TEST_F(account, limit_of_zero)
{
	ASSERT_EQ(0, param_set("user_objects_max", 0));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(-EDQUOT, nameless(self->dev));
		EXPECT_TRUE(nothing_charged(self->dev));
	}
	/* root can raise limits, and has to if he wants more */
	EXPECT_EQ(-EDQUOT, nameless(self->dev));
	ASSERT_EQ(0, param_set("user_objects_max", self->objects_max));
	ASSERT_EQ(0, param_set("user_bytes_max", 0));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(-EDQUOT, nameless(self->dev));
		EXPECT_TRUE(nothing_charged(self->dev));
	}
}

/* What exists goes on; nothing new is made until enough has gone. */
TEST_F(account, limit_below_what_is_used)
{
	struct baton lower, lowered;
	pid_t pid;

	ASSERT_EQ(0, baton_init(&lower));
	ASSERT_EQ(0, baton_init(&lowered));
	pid = fork_user(UID_A, GID_A);
	ASSERT_LE(0, pid);
	if (!pid) {
		int a = nameless(self->dev), b = nameless(self->dev);
		char c;

		EXPECT_LE(0, a);
		EXPECT_LE(0, b);
		baton_give(&lower);
		EXPECT_TRUE(baton_take(&lowered));
		EXPECT_EQ(2, user_usage(self->dev).objects);
		EXPECT_EQ(1, user_usage(self->dev).objects_max);
		EXPECT_EQ(1, fd_write(a, "x", 1, 0));
		EXPECT_EQ(1, fd_read(a, &c, 1, 0));
		EXPECT_EQ(-EDQUOT, nameless(self->dev));
		close(a);
		EXPECT_EQ(-EDQUOT, nameless(self->dev));
		close(b);
		EXPECT_LE(0, nameless(self->dev));
		_exit(0);
	}
	EXPECT_TRUE(baton_take(&lower));
	EXPECT_EQ(0, param_set("user_objects_max", 1));
	baton_give(&lowered);
	EXPECT_EQ(0, reap(pid));
}

/* A namespace has an account of its own, which all users in it share. */
TEST_F(account, limits_of_a_namespace)
{
	uint64_t objects = accounts(self->dev).ns.objects;
	uint64_t bytes = accounts(self->dev).ns.bytes;
	uint64_t one = charge_of_one(self->dev);
	int fd;

	ASSERT_EQ(0, param_set("ns_objects_max", objects + 2));
	fd = nameless(self->dev);
	ASSERT_GE(fd, 0);
	as_user(UID_A, GID_A) {
		EXPECT_EQ(objects + 2, accounts(self->dev).ns.objects_max);
		EXPECT_LE(0, nameless(self->dev));
		EXPECT_EQ(-EDQUOT, nameless(self->dev));
		EXPECT_EQ(1, user_usage(self->dev).objects);
	}
	ASSERT_EQ(0, param_set("ns_objects_max", objects + 100));
	ASSERT_EQ(0, param_set("ns_bytes_max", bytes + 2 * one));
	as_user(UID_B, GID_B) {
		EXPECT_LE(0, nameless(self->dev));
		EXPECT_EQ(-EDQUOT, nameless(self->dev));
		EXPECT_EQ(one, user_usage(self->dev).bytes);
	}
	close(fd);
	EXPECT_EQ(bytes, accounts(self->dev).ns.bytes);
}

/* The limits are of 64 bits, and no sum of them wraps. */
TEST_F(account, huge_limits)
{
	ASSERT_EQ(0, param_set("user_objects_max", ~0U));
	ASSERT_EQ(0, param_set("user_bytes_max", ~0ULL));
	as_user(UID_A, GID_A) {
		struct ipcx_usage u = user_usage(self->dev);

		EXPECT_EQ(~0U, u.objects_max);
		EXPECT_EQ(~0ULL, u.bytes_max);
		EXPECT_LE(0, nameless(self->dev));
	}
}

/* To open what is there costs nothing. */
TEST_F(account, or_open_at_the_limit)
{
	struct ipcx_create arg = pipe_arg(self->name, TRANSIENT, RDWR);
	int ret;

	ASSERT_EQ(0, param_set("user_objects_max", 1));
	as_user(UID_A, GID_A) {
		ASSERT_LE(0, pipe_create(self->dev, self->name, TRANSIENT,
					 RDWR));
		arg.flags = IPCX_OR_OPEN;
		EXPECT_LE(0, obj_create(self->dev, &arg));
		arg.flags = 0;
		ret = obj_create(self->dev, &arg);
		EXPECT_TRUE(ret == -EEXIST || ret == -EDQUOT) {
			TH_LOG("%d", ret);
		}
		EXPECT_EQ(1, user_usage(self->dev).objects);
	}
}

/* Nothing leaks. */

static void failing_creates(int dev, const char *taken)
{
	struct ipcx_pipe_params huge = { .capacity_bytes = ~0ULL };
	struct ipcx_create arg;

	arg = pipe_arg(taken, TRANSIENT, RDWR);
	obj_create(dev, &arg);
	arg.name = 8;
	ipc_ioctl(dev, IPCX_IOC_CREATE, &arg);
	arg = pipe_arg(NULL, TRANSIENT, RDWR);
	arg.params = 8;
	arg.params_size = sizeof(huge);
	ipc_ioctl(dev, IPCX_IOC_CREATE, &arg);
	arg.params = (uintptr_t)&huge;
	ipc_ioctl(dev, IPCX_IOC_CREATE, &arg);
	arg = pipe_arg(NULL, PERSISTENT, RDWR);
	arg.type = IPCX_TYPE_SEM + 1;
	ipc_ioctl(dev, IPCX_IOC_CREATE, &arg);
}

TEST_F(account, failed_creates_are_not_charged)
{
	struct rlimit limit = { 0, 0 };
	int i;

	ASSERT_LE(0, pipe_create(self->dev, self->name, PERSISTENT, RDWR));
	as_user(UID_A, GID_A) {
		for (i = 0; i < 50; i++)
			failing_creates(self->dev, self->name);
		EXPECT_TRUE(nothing_charged(self->dev));
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
		for (i = 0; i < 50; i++)
			EXPECT_EQ(-EMFILE, nameless(self->dev));
		EXPECT_TRUE(nothing_charged(self->dev));
	}
	ASSERT_EQ(0, param_set("user_objects_max", 0));
	as_user(UID_A, GID_A) {
		for (i = 0; i < 50; i++)
			EXPECT_EQ(-EDQUOT, nameless(self->dev));
		EXPECT_TRUE(nothing_charged(self->dev));
	}
}

/* Who is charged. */

TEST_F(account, creators_are_charged_until_the_end)
{
	uint64_t file = charge_of_file(self->dev);
	struct ipcx_stat st;
	int sock[2], fd;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sock));
	pid = fork_user(UID_A, GID_A);
	ASSERT_LE(0, pid);
	if (!pid) {
		EXPECT_EQ(0, send_fd(sock[0], pipe_create(self->dev, NULL,
							  TRANSIENT, RDWR)));
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	fd = recv_fd(sock[1]);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(1, user_usage(self->dev).objects);
		EXPECT_EQ(st.charged_bytes + file, user_usage(self->dev).bytes);
	}
	/* whoever owns it then */
	ASSERT_EQ(0, fchown(fd, UID_B, GID_B));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(1, user_usage(self->dev).objects);
	}
	as_user(UID_B, GID_B) {
		EXPECT_TRUE(nothing_charged(self->dev));
	}
	close(fd);
	as_user(UID_A, GID_A) {
		EXPECT_TRUE(nothing_charged(self->dev));
	}
}

/* A file costs its opener, not the owner of what he opened. */
TEST_F(account, files_charge_their_openers)
{
	uint64_t file = charge_of_file(self->dev);
	struct ipcx_usage before;
	struct ipcx_stat st;
	int fd;

	fd = pipe_create_mode(self->dev, NULL, PERSISTENT, RDWR, 0666);
	ASSERT_GE(fd, 0);
	before = user_usage(self->dev);
	as_user(UID_A, GID_A) {
		int mine = fd_open(fd, RDWR, 0);

		ASSERT_GE(mine, 0);
		EXPECT_EQ(0, user_usage(self->dev).objects);
		EXPECT_EQ(file, user_usage(self->dev).bytes);
		/* through its path too */
		EXPECT_LE(0, proc_reopen(mine, O_RDWR));
		EXPECT_EQ(2 * file, user_usage(self->dev).bytes);
	}
	EXPECT_EQ(before.bytes, user_usage(self->dev).bytes);
	ASSERT_EQ(0, param_set("user_bytes_max", file - 1));
	ASSERT_EQ(0, fd_stat(fd, &st));
	as_user(UID_A, GID_A) {
		struct ipcx_stat after;

		EXPECT_EQ(-EDQUOT, fd_open(fd, RDWR, 0));
		EXPECT_EQ(-EDQUOT, id_open(self->dev, st.id, NONE, 0));
		EXPECT_EQ(-EDQUOT, proc_reopen(fd, O_RDWR));
		EXPECT_TRUE(nothing_charged(self->dev));
		ASSERT_EQ(0, fd_stat(fd, &after));
		EXPECT_EQ(st.opens, after.opens);
		EXPECT_EQ(st.readers, after.readers);
	}
}

/* Fills the account and tries again as root of a user namespace. */
TEST_F(account, unshare_buys_nothing)
{
	ASSERT_EQ(0, param_set("user_objects_max", 3));
	as_user(UID_A, GID_A) {
		int i, dev;

		EXPECT_LE(0, nameless(self->dev));
		EXPECT_LE(0, nameless(self->dev));
		for (i = 0; i < 3; i++) {
			ASSERT_EQ(0, unshare_user_net(0, 0));
			dev = dev_open();
			ASSERT_GE(dev, 0);
			EXPECT_EQ(i ? 3 : 2, user_usage(dev).objects);
			EXPECT_EQ(0, accounts(dev).ns.objects);
			EXPECT_EQ(i ? -EDQUOT : 0,
				  i ? nameless(dev) : nameless(dev) < 0);
			EXPECT_EQ(-EDQUOT, nameless(dev));
			EXPECT_EQ(-EDQUOT, nameless(self->dev));
			EXPECT_EQ(3, user_usage(dev).objects);
		}
	}
	as_user(UID_A, GID_A) {
		EXPECT_TRUE(wait_until(nothing_charged(self->dev)));
	}
}

/*
 * Other uids that a namespace was given do not help either: its owner is charged
 * with them. The parent, who may, writes the map.
 */
TEST_F(account, uids_of_a_namespace_charge_its_owner)
{
	struct baton unshared, mapped;
	char path[64], map[64];
	pid_t pid;

	ASSERT_EQ(0, baton_init(&unshared));
	ASSERT_EQ(0, baton_init(&mapped));
	ASSERT_EQ(0, param_set("user_objects_max", 3));
	pid = fork_user(UID_A, GID_A);
	ASSERT_LE(0, pid);
	if (!pid) {
		int dev;

		EXPECT_LE(0, nameless(self->dev));
		EXPECT_EQ(0, unshare(CLONE_NEWUSER | CLONE_NEWNET));
		baton_give(&unshared);
		EXPECT_TRUE(baton_take(&mapped));
		EXPECT_EQ(0, setresuid(1, 1, 1));
		dev = dev_open();
		EXPECT_GE(dev, 0);
		EXPECT_EQ(0, user_usage(dev).objects);
		EXPECT_LE(0, nameless(dev));
		EXPECT_LE(0, nameless(dev));
		EXPECT_EQ(2, user_usage(dev).objects);
		EXPECT_EQ(-EDQUOT, nameless(dev));
		EXPECT_EQ(2, user_usage(dev).objects);
		baton_give(&unshared);
		EXPECT_TRUE(baton_take(&mapped));
		_exit(0);
	}
	EXPECT_TRUE(baton_take(&unshared));
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	snprintf(map, sizeof(map), "0 %d 1\n1 %d 1\n", UID_A, UID_SUB);
	EXPECT_EQ(0, file_write(path, map));
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	snprintf(map, sizeof(map), "0 %d 1\n", GID_A);
	EXPECT_EQ(0, file_write(path, map));
	baton_give(&mapped);
	EXPECT_TRUE(baton_take(&unshared));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(3, user_usage(self->dev).objects);
		EXPECT_EQ(-EDQUOT, nameless(self->dev));
	}
	as_user(UID_SUB, GID_A) {
		EXPECT_EQ(2, user_usage(self->dev).objects);
		EXPECT_LE(0, nameless(self->dev));
	}
	baton_give(&mapped);
	EXPECT_EQ(0, reap(pid));
	as_user(UID_A, GID_A) {
		EXPECT_TRUE(wait_until(nothing_charged(self->dev)));
	}
	as_user(UID_SUB, GID_A) {
		EXPECT_TRUE(wait_until(nothing_charged(self->dev)));
	}
}

/* All namespaces together are one account. */
TEST_F(account, one_account_over_all_namespaces)
{
	as_user(UID_A, GID_A) {
		int dev;

		EXPECT_LE(0, nameless(self->dev));
		ASSERT_EQ(0, unshare_user_net(UID_A, GID_A));
		dev = dev_open();
		ASSERT_GE(dev, 0);
		EXPECT_LE(0, nameless(dev));
		EXPECT_EQ(2, user_usage(dev).objects);
		EXPECT_EQ(2, user_usage(self->dev).objects);
		EXPECT_EQ(1, accounts(dev).ns.objects);
	}
}

TEST_HARNESS_MAIN
