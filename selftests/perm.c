// SPDX-License-Identifier: GPL-2.0
/*
 * Who may do what: mode bits, owners, capabilities, user namespaces.
 */
#include <sys/fsuid.h>

#include "object_test.h"

#define OVERFLOW_ID	65534

FIXTURE(perm) {
	int dev;
	char name[TEST_NAME_SIZE];
};

FIXTURE_SETUP(perm)
{
	track_cleanup();
	test_name(self->name, "name");
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
}

FIXTURE_TEARDOWN_PARENT(perm)
{
	track_cleanup();
}

/*
 * A persistent pipe with a byte in it that belongs to UID_A and GID_A. The file is
 * of the test, which created it: its own access is not asked for again.
 */
static int pipe_of_a(int dev, const char *name, mode_t mode)
{
	int fd = pipe_create_mode(dev, name, PERSISTENT, RDWR, mode);

	if (fd < 0)
		return fd;
	if (fchown(fd, UID_A, GID_A))
		return -errno;
	return fd_write(fd, "x", 1, 0) == 1 ? fd : -EIO;
}

/* chmod(2) of what @fd refers to, as others would do it. */
static int chmod_path(int fd, mode_t mode)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode) ? -errno : 0;
}

static bool same_object(int fd, const struct ipcx_stat *before)
{
	struct ipcx_stat now;

	return !fd_stat(fd, &now) && now.uid == before->uid &&
	       now.gid == before->gid && now.mode == before->mode &&
	       now.flags == before->flags && now.opens == before->opens &&
	       now.used_bytes == before->used_bytes &&
	       now.changed_ns == before->changed_ns;
}

/* Mode bits. */

/* Is every access granted that @bits grant, and no other? rwx as in a mode. */
static bool access_follows(int dev, const char *name, unsigned int bits)
{
	uint32_t granted = (bits & 4 ? READ : 0) | (bits & 2 ? WRITE : 0);
	uint32_t access;
	bool right = true;

	for (access = READ; access <= RDWR; access++) {
		int fd = name_open(dev, name, access, 0);

		if (fd >= 0)
			close(fd);
		if ((access & granted) == access ? fd < 0 : fd != -EACCES)
			right = false;
	}
	return right;
}

TEST_F(perm, each_class_has_its_bits)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		int shift;
	} classes[] = {
		{ UID_A, GID_B, 6 },
		{ UID_A, GID_A, 6 },
		{ UID_B, GID_A, 3 },
		{ UID_B, GID_B, 0 },
	};
	unsigned int bits;
	size_t i;
	int fd;

	fd = pipe_of_a(self->dev, self->name, 0);
	ASSERT_GE(fd, 0);
	for (i = 0; i < ARRAY_LEN(classes); i++) {
		for (bits = 0; bits < 8; bits++) {
			mode_t mode = bits << classes[i].shift;

			/* the other classes have what this one has not */
			mode |= (0777 & ~(7 << classes[i].shift)) &
				(07 ^ bits) * 0111;
			ASSERT_EQ(0, fchmod(fd, mode));
			as_user(classes[i].uid, classes[i].gid) {
				EXPECT_TRUE(access_follows(self->dev,
							   self->name, bits)) {
					TH_LOG("class %zu mode %o", i, mode);
				}
			}
		}
	}
}

TEST_F(perm, supplementary_groups_count)
{
	static const gid_t groups[] = { 1, GID_A, 3 };

	ASSERT_GE(pipe_of_a(self->dev, self->name, 0640), 0);
	in_child() {
		ASSERT_EQ(0, setgroups(3, groups));
		ASSERT_EQ(0, setresgid(GID_B, GID_B, GID_B));
		ASSERT_EQ(0, setresuid(UID_B, UID_B, UID_B));
		EXPECT_TRUE(access_follows(self->dev, self->name, 4));
	}
}

TEST_F(perm, open_by_id_and_file_is_checked_too)
{
	struct ipcx_stat st;
	int fd;

	fd = pipe_of_a(self->dev, self->name, 0604);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	as_user(UID_B, GID_B) {
		EXPECT_LE(0, id_open(self->dev, st.id, READ, 0));
		EXPECT_EQ(-EACCES, id_open(self->dev, st.id, WRITE, 0));
		EXPECT_LE(0, fd_open(fd, READ, 0));
		EXPECT_EQ(-EACCES, fd_open(fd, WRITE, 0));
		EXPECT_EQ(-EACCES, fd_open(fd, RDWR, 0));
	}
	EXPECT_TRUE(same_object(fd, &st));
}

TEST_F(perm, or_open_is_checked)
{
	struct ipcx_create arg = pipe_arg(self->name, PERSISTENT, RDWR);
	struct ipcx_stat st;
	int fd;

	fd = pipe_of_a(self->dev, self->name, 0604);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	arg.flags = IPCX_OR_OPEN;
	arg.mode = 0777;
	as_user(UID_B, GID_B) {
		EXPECT_EQ(-EACCES, obj_create(self->dev, &arg));
		arg.access = WRITE;
		EXPECT_EQ(-EACCES, obj_create(self->dev, &arg));
		arg.access = READ;
		EXPECT_LE(0, obj_create(self->dev, &arg));
	}
	EXPECT_TRUE(same_object(fd, &st));
}

TEST_F(perm, transfers_on_the_device_are_checked_each_time)
{
	struct ipcx_ref ref[2];
	struct baton go, done;
	size_t i;
	pid_t pid;
	char c;
	int fd;

	ASSERT_EQ(0, baton_init(&go));
	ASSERT_EQ(0, baton_init(&done));
	fd = pipe_of_a(self->dev, self->name, 0602);
	ASSERT_GE(fd, 0);
	ref[0] = ref_name(self->name);
	ref[1] = ref_id(fd_id(fd));
	pid = fork_user(UID_B, GID_B);
	ASSERT_LE(0, pid);
	if (!pid) {
		for (i = 0; i < 2; i++) {
			EXPECT_EQ(-EACCES, ref_read(self->dev, ref[i], &c, 1,
						    0));
			EXPECT_EQ(1, ref_write(self->dev, ref[i], "y", 1, 0));
		}
		baton_give(&done);
		EXPECT_TRUE(baton_take(&go));
		for (i = 0; i < 2; i++) {
			EXPECT_EQ(1, ref_read(self->dev, ref[i], &c, 1, 0));
			EXPECT_EQ(-EACCES, ref_write(self->dev, ref[i], "y", 1,
						     0));
		}
		_exit(0);
	}
	EXPECT_TRUE(baton_take(&done));
	EXPECT_EQ(0, fchmod(fd, 0604));
	baton_give(&go);
	EXPECT_EQ(0, reap(pid));
}

/* What a file was opened for, it can do. */
TEST_F(perm, files_keep_their_access)
{
	struct baton go, done;
	pid_t pid;
	char c;
	int fd;

	ASSERT_EQ(0, baton_init(&go));
	ASSERT_EQ(0, baton_init(&done));
	fd = pipe_of_a(self->dev, self->name, 0666);
	ASSERT_GE(fd, 0);
	pid = fork_user(UID_B, GID_B);
	ASSERT_LE(0, pid);
	if (!pid) {
		int mine = name_open(self->dev, self->name, RDWR, 0);

		EXPECT_GE(mine, 0);
		baton_give(&done);
		EXPECT_TRUE(baton_take(&go));
		EXPECT_EQ(1, fd_write(mine, "y", 1, 0));
		EXPECT_EQ(1, fd_read(mine, &c, 1, 0));
		EXPECT_EQ(-EACCES, fd_open(mine, READ, 0));
		_exit(0);
	}
	EXPECT_TRUE(baton_take(&done));
	EXPECT_EQ(0, fchmod(fd, 0));
	baton_give(&go);
	EXPECT_EQ(0, reap(pid));
}

TEST_F(perm, creators_get_what_they_ask_whatever_the_mode)
{
	as_user(UID_A, GID_A) {
		int fd = pipe_create_mode(self->dev, self->name, TRANSIENT,
					  RDWR, 0);
		char c;

		ASSERT_GE(fd, 0);
		EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
		EXPECT_EQ(1, fd_read(fd, &c, 1, 0));
		EXPECT_EQ(-EACCES, name_open(self->dev, self->name, READ, 0));
	}
}

/* STAT on the device reads; on a file it is the file's right to know itself. */
TEST_F(perm, stat_on_the_device_needs_read)
{
	struct ipcx_stat st;
	int fd;

	fd = pipe_of_a(self->dev, self->name, 0602);
	ASSERT_GE(fd, 0);
	as_user(UID_B, GID_B) {
		EXPECT_EQ(-EACCES, name_stat(self->dev, self->name, &st));
		EXPECT_EQ(0xa5a5a5a5, st.id);
		EXPECT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(UID_A, st.uid);
		EXPECT_EQ(-EACCES, id_stat(self->dev, st.id, &st));
	}
	ASSERT_EQ(0, fchmod(fd, 0604));
	as_user(UID_B, GID_B) {
		EXPECT_EQ(0, name_stat(self->dev, self->name, &st));
	}
}

/* To hold an object takes some permission, and lets nobody do what the mode forbids. */
TEST_F(perm, access_none_needs_some_permission)
{
	static const mode_t modes[] = { 0, 01, 02, 03, 04, 06, 07 };
	struct ipcx_stat st;
	size_t i;
	char c;
	int fd;

	fd = pipe_of_a(self->dev, self->name, 0600);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	for (i = 0; i < ARRAY_LEN(modes); i++) {
		ASSERT_EQ(0, fchmod(fd, modes[i] | 0770));
		as_user(UID_B, GID_B) {
			int none = name_open(self->dev, self->name, NONE, 0);

			if (!(modes[i] & 06)) {
				EXPECT_EQ(-EACCES, none);
				EXPECT_EQ(-EACCES, fd_open(fd, NONE, 0));
				EXPECT_EQ(-EACCES, id_open(self->dev, st.id,
							   NONE, 0));
				_exit(0);
			}
			ASSERT_GE(none, 0);
			EXPECT_EQ(-EBADF, fd_read(none, &c, 1, 0));
			EXPECT_EQ(-EBADF, fd_write(none, "x", 1, 0));
			EXPECT_EQ(-EPERM, fd_unlink(none));
			EXPECT_EQ(-EPERM, fd_remove(none));
			EXPECT_EQ(-1, fchmod(none, 0777));
			EXPECT_EQ(EPERM, errno);
			EXPECT_EQ(modes[i] & 4 ? 0 : -EACCES,
				  close(fd_open(none, READ, 0)) ? -EACCES : 0);
			EXPECT_EQ(modes[i] & 2 ? 0 : -EACCES,
				  close(fd_open(none, WRITE, 0)) ? -EACCES : 0);
		}
	}
}

/* Owners alone. */

TEST_F(perm, only_owners_unlink_remove_and_change)
{
	struct ipcx_stat st;
	int fd;

	fd = pipe_of_a(self->dev, self->name, 0777);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	as_user(UID_B, GID_A) {
		EXPECT_EQ(-EPERM, name_unlink(self->dev, self->name));
		EXPECT_EQ(-EPERM, id_unlink(self->dev, st.id));
		EXPECT_EQ(-EPERM, fd_unlink(fd));
		EXPECT_EQ(-EPERM, name_remove(self->dev, self->name));
		EXPECT_EQ(-EPERM, id_remove(self->dev, st.id));
		EXPECT_EQ(-EPERM, fd_remove(fd));
		EXPECT_EQ(-1, fchmod(fd, 0));
		EXPECT_EQ(EPERM, errno);
		EXPECT_EQ(-EPERM, chmod_path(fd, 0));
		EXPECT_EQ(-1, fchown(fd, UID_B, -1));
		EXPECT_EQ(EPERM, errno);
		EXPECT_EQ(-1, fchown(fd, -1, GID_A));
		EXPECT_EQ(EPERM, errno);
	}
	EXPECT_TRUE(same_object(fd, &st));
}

/* A creator that gave the object away is nobody to it. */
TEST_F(perm, creators_are_no_owners)
{
	as_user_with(UID_B, GID_B, CAP(CHOWN)) {
		int fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);

		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, fchown(fd, UID_A, GID_A));
		ASSERT_EQ(0, set_caps(0));
		EXPECT_EQ(-EPERM, name_unlink(self->dev, self->name));
		EXPECT_EQ(-EPERM, fd_remove(fd));
		EXPECT_EQ(-1, fchmod(fd, 0666));
		EXPECT_EQ(EPERM, errno);
		EXPECT_EQ(-EACCES, fd_open(fd, READ, 0));
	}
	as_user(UID_A, GID_B) {
		EXPECT_EQ(0, name_unlink(self->dev, self->name));
	}
}

TEST_F(perm, owners_unlink_remove_and_change)
{
	struct ipcx_stat st;
	int fd;

	fd = pipe_of_a(self->dev, self->name, 0);

	ASSERT_GE(fd, 0);
	as_user(UID_A, GID_B) {
		EXPECT_EQ(-EACCES, fd_open(fd, READ, 0));
		EXPECT_EQ(0, chmod_path(fd, 0600));
		EXPECT_EQ(0, fchmod(fd, 0640));
		EXPECT_LE(0, fd_open(fd, READ, 0));
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(0640, st.mode);
		/* to a group of one's own */
		EXPECT_EQ(0, fchown(fd, -1, GID_B));
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(GID_B, st.gid);
		EXPECT_EQ(0, name_unlink(self->dev, self->name));
		EXPECT_EQ(0, fd_remove(fd));
		EXPECT_EQ(-EIDRM, fd_stat(fd, &st));
	}
}

/* The owner is who the object says, after IPC_SET's example. */
TEST_F(perm, owners_give_away)
{
	struct ipcx_stat st;
	int fd;

	fd = pipe_of_a(self->dev, self->name, 0600);
	ASSERT_GE(fd, 0);
	as_user(UID_A, GID_A) {
		EXPECT_EQ(0, fchown(fd, UID_B, GID_B));
		EXPECT_EQ(-1, fchown(fd, UID_A, GID_A));
		EXPECT_EQ(EPERM, errno);
	}
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_EQ(UID_B, st.uid);
	EXPECT_EQ(GID_B, st.gid);
}

/* Capabilities. */

TEST_F(perm, cap_ipc_owner_overrides)
{
	struct ipcx_stat st;

	ASSERT_GE(pipe_of_a(self->dev, self->name, 0), 0);
	as_user_with(UID_B, GID_B, CAP(IPC_OWNER)) {
		int fd;

		EXPECT_LE(0, name_open(self->dev, self->name, NONE, 0));
		fd = name_open(self->dev, self->name, RDWR, 0);

		ASSERT_GE(fd, 0);
		EXPECT_TRUE(access_follows(self->dev, self->name, 6));
		EXPECT_EQ(0, name_stat(self->dev, self->name, &st));
		EXPECT_EQ(1, ref_write(self->dev, ref_name(self->name), "x", 1,
				       0));
		EXPECT_LE(0, proc_reopen(fd, O_RDWR));
		EXPECT_EQ(0, fchmod(fd, 0400));
		EXPECT_EQ(0, fchown(fd, UID_B, GID_B));
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(0400, st.mode);
		EXPECT_EQ(UID_B, st.uid);
		EXPECT_EQ(0, fchown(fd, UID_A, GID_A));
		EXPECT_EQ(0, name_unlink(self->dev, self->name));
		EXPECT_EQ(0, fd_remove(fd));
	}
}

/* Those that rule over files do not rule here. */
TEST_F(perm, no_other_capability_overrides)
{
	uint64_t all = (1ULL << (CAP_LAST_CAP + 1)) - 1;
	struct ipcx_stat st;
	int fd;

	fd = pipe_of_a(self->dev, self->name, 0);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	as_user_with(UID_B, GID_B, all & ~CAP(IPC_OWNER)) {
		struct ipcx_stat mine;

		EXPECT_TRUE(access_follows(self->dev, self->name, 0));
		EXPECT_EQ(-EACCES, name_stat(self->dev, self->name, &mine));
		EXPECT_EQ(-EPERM, name_unlink(self->dev, self->name));
		EXPECT_EQ(-EPERM, name_remove(self->dev, self->name));
		EXPECT_EQ(-EPERM, fd_unlink(fd));
		EXPECT_EQ(-EACCES, fd_open(fd, READ, 0));
		EXPECT_EQ(-EACCES, proc_reopen(fd, O_RDONLY | O_NONBLOCK));
		EXPECT_EQ(-EACCES, proc_reopen(fd, O_RDWR | O_NONBLOCK));
		EXPECT_EQ(-1, fchmod(fd, 0666));
		EXPECT_EQ(EPERM, errno);
	}
	EXPECT_TRUE(same_object(fd, &st));
}

/*
 * Root in a user namespace of one's own, with a network namespace of one's own, is
 * nobody to the objects of the old one, however they are reached: it is the object's
 * namespace that counts, not where the caller has gone since.
 */
TEST_F(perm, unshare_buys_nothing)
{
	struct ipcx_stat st;
	int fd, none;

	fd = pipe_of_a(self->dev, self->name, 0600);
	ASSERT_GE(fd, 0);
	none = fd_open(fd, NONE, 0);
	ASSERT_GE(none, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	as_user(UID_B, GID_B) {
		ASSERT_EQ(0, unshare_user_net(0, 0));
		EXPECT_TRUE(access_follows(self->dev, self->name, 0));
		EXPECT_EQ(-EACCES, id_open(self->dev, st.id, READ, 0));
		EXPECT_EQ(-EACCES, fd_open(none, READ, 0));
		EXPECT_EQ(-EACCES, proc_reopen(none, O_RDONLY | O_NONBLOCK));
		EXPECT_EQ(-EACCES, ref_write(self->dev, ref_name(self->name),
					     "x", 1, 0));
		EXPECT_EQ(-EPERM, name_unlink(self->dev, self->name));
		EXPECT_EQ(-EPERM, id_remove(self->dev, st.id));
		EXPECT_EQ(-EPERM, fd_unlink(none));
		EXPECT_EQ(-EPERM, fd_remove(none));
		EXPECT_EQ(-1, fchmod(none, 0666));
		EXPECT_EQ(EPERM, errno);
		EXPECT_EQ(-1, fchown(none, 0, 0));
		EXPECT_NE(0, errno);
	}
	EXPECT_TRUE(same_object(fd, &st));
}

/* And in its own namespace it rules, as far as its ids reach. */
TEST_F(perm, root_of_a_namespace_overrides_there)
{
	as_user(UID_A, GID_A) {
		struct ipcx_stat st;
		int dev, fd;

		ASSERT_EQ(0, unshare_user_net(0, 0));
		dev = dev_open();
		ASSERT_GE(dev, 0);
		fd = pipe_create_mode(dev, self->name, PERSISTENT, RDWR, 0);
		ASSERT_GE(fd, 0);
		EXPECT_LE(0, name_open(dev, self->name, RDWR, 0));
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(0, st.uid);
		EXPECT_EQ(0, st.gid);
		/* not so without the capability */
		ASSERT_EQ(0, set_caps(0));
		EXPECT_EQ(-EACCES, name_open(dev, self->name, RDWR, 0));
	}
}

/* User namespaces. */

TEST_F(perm, ids_are_told_as_the_caller_knows_them)
{
	struct ipcx_stat st;
	struct stat fs;
	int fd;

	fd = pipe_of_a(self->dev, self->name, 0644);
	ASSERT_GE(fd, 0);
	as_user(UID_A, GID_A) {
		ASSERT_EQ(0, unshare_user_net(7, 8));
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(7, st.uid);
		EXPECT_EQ(8, st.gid);
		EXPECT_EQ(OVERFLOW_ID, st.creator_uid);
		EXPECT_EQ(OVERFLOW_ID, st.creator_gid);
		ASSERT_EQ(0, fstat(fd, &fs));
		EXPECT_EQ(7, fs.st_uid);
		EXPECT_EQ(8, fs.st_gid);
	}
	as_user(UID_B, GID_B) {
		ASSERT_EQ(0, unshare_user_net(0, 0));
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(OVERFLOW_ID, st.uid);
		EXPECT_EQ(OVERFLOW_ID, st.gid);
	}
}

/* Objects belong to the file system ids, which are what files are checked by. */
TEST_F(perm, file_system_ids_count)
{
	struct ipcx_stat st;

	ASSERT_GE(pipe_of_a(self->dev, self->name, 0600), 0);
	in_child() {
		int fd;

		/* away from uid 0, the capabilities over files go: one stays */
		setfsgid(GID_A);
		setfsuid(UID_A);
		fd = pipe_create(self->dev, NULL, TRANSIENT, RDWR);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(UID_A, st.uid);
		EXPECT_EQ(GID_A, st.gid);
		EXPECT_EQ(UID_A, st.creator_uid);
		EXPECT_EQ(GID_A, st.creator_gid);

		ASSERT_EQ(0, set_caps(CAP(SETUID)));
		setfsuid(UID_A);
		EXPECT_TRUE(access_follows(self->dev, self->name, 6));
		setfsuid(UID_B);
		EXPECT_TRUE(access_follows(self->dev, self->name, 0));
		EXPECT_EQ(-EPERM, name_unlink(self->dev, self->name));
		setfsuid(UID_A);
		EXPECT_EQ(0, name_unlink(self->dev, self->name));
	}
}

TEST_F(perm, effective_ids_count)
{
	struct ipcx_stat st;

	in_child() {
		int fd;

		ASSERT_EQ(0, setgroups(0, NULL));
		ASSERT_EQ(0, setresgid(GID_B, GID_A, GID_B));
		ASSERT_EQ(0, setresuid(UID_B, UID_A, UID_B));
		fd = pipe_create_mode(self->dev, self->name, PERSISTENT, RDWR,
				      0600);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(UID_A, st.uid);
		EXPECT_EQ(GID_A, st.gid);
		ASSERT_EQ(0, setresuid(-1, UID_B, -1));
		EXPECT_TRUE(access_follows(self->dev, self->name, 0));
		EXPECT_EQ(-EPERM, name_unlink(self->dev, self->name));
	}
	as_user(UID_A, GID_B) {
		EXPECT_EQ(0, name_unlink(self->dev, self->name));
	}
}

TEST_HARNESS_MAIN
