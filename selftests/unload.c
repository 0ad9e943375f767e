// SPDX-License-Identifier: GPL-2.0
/*
 * The module cannot be unloaded while anything of it is in use, and can be when
 * nothing is.
 */
#include "module_test.h"

FIXTURE(unload) {
	int dev;
	char name[TEST_NAME_SIZE];
};

FIXTURE_SETUP(unload)
{
	test_name(self->name, "name");
	ASSERT_TRUE(is_loaded() || !load());
	track_cleanup();
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
}

FIXTURE_TEARDOWN_PARENT(unload)
{
	track_cleanup();
	if (!is_loaded())
		load();
}

/* Is it refused now, and does it still work after that? */
static bool refused(void)
{
	int dev, fd;

	if (unload() != -EWOULDBLOCK)
		return false;
	dev = dev_open();
	fd = pipe_create(dev, NULL, TRANSIENT, RDWR);
	close(fd);
	close(dev);
	return fd >= 0;
}

TEST_F(unload, idle)
{
	struct ipcx_query q;
	int i;

	close(self->dev);
	for (i = 0; i < 10; i++) {
		ASSERT_TRUE(unloads_in_the_end());
		EXPECT_EQ(-ENOENT, dev_open());
		EXPECT_FALSE(is_loaded());
		ASSERT_EQ(0, load());
		self->dev = dev_open();
		ASSERT_GE(self->dev, 0);
		q = accounts(self->dev);
		EXPECT_EQ(0, q.user.objects);
		EXPECT_EQ(0, q.user.bytes);
		EXPECT_EQ(0, q.ns.objects);
		close(pipe_create(self->dev, self->name, TRANSIENT, RDWR));
		close(self->dev);
	}
}

TEST_F(unload, refused_for_a_device_file)
{
	EXPECT_TRUE(refused());
	close(self->dev);
	EXPECT_TRUE(unloads_in_the_end());
}

TEST_F(unload, refused_for_a_file_of_an_object)
{
	int fd, copy;

	fd = pipe_create(self->dev, NULL, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	close(self->dev);
	EXPECT_TRUE(refused());
	EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
	copy = dup(fd);
	close(fd);
	EXPECT_TRUE(refused());
	close(copy);
	EXPECT_TRUE(unloads_in_the_end());
}

TEST_F(unload, refused_for_a_file_of_a_removed_object)
{
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, fd_remove(fd));
	close(self->dev);
	EXPECT_TRUE(refused());
	EXPECT_EQ(-EIDRM, fd_write(fd, "x", 1, 0));
	close(fd);
	EXPECT_TRUE(unloads_in_the_end());
}

TEST_F(unload, refused_for_a_persistent_object)
{
	close(pipe_create(self->dev, self->name, PERSISTENT, RDWR));
	close(self->dev);
	EXPECT_TRUE(refused());
	self->dev = dev_open();
	EXPECT_EQ(0, name_unlink(self->dev, self->name));
	close(self->dev);
	EXPECT_TRUE(unloads_in_the_end());
}

TEST_F(unload, refused_for_an_owned_object)
{
	/* by a process that lives and has no file of the module's */
	close(pipe_create(self->dev, self->name, OWNED, RDWR));
	close(self->dev);
	EXPECT_TRUE(refused());
	self->dev = dev_open();
	EXPECT_EQ(0, name_unlink(self->dev, self->name));
	close(self->dev);
	EXPECT_TRUE(unloads_in_the_end());
}

/* The owner's death is all that happens: nobody calls the module after it. */
TEST_F(unload, after_an_owners_death)
{
	close(self->dev);
	in_child() {
		int dev = dev_open();

		EXPECT_GE(pipe_create(dev, self->name, OWNED, RDWR), 0);
		EXPECT_GE(pipe_create(dev, NULL, OWNED, RDWR), 0);
	}
	EXPECT_TRUE(unloads_in_the_end());
}

TEST_F(unload, refused_for_a_path_file)
{
	int fd, path;

	fd = pipe_create(self->dev, NULL, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	path = proc_reopen(fd, O_PATH);
	ASSERT_GE(path, 0);
	close(self->dev);
	EXPECT_TRUE(refused());
	close(fd);
	/* the object is dead, its inode is not */
	EXPECT_TRUE(refused());
	EXPECT_GT(0, proc_reopen(path, O_RDWR));
	close(path);
	EXPECT_TRUE(unloads_in_the_end());
}

TEST_F(unload, refused_for_a_file_in_a_socket)
{
	int sock[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				sock));
	fd = pipe_create(self->dev, NULL, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, send_fd(sock[0], fd));
	close(fd);
	close(self->dev);
	EXPECT_TRUE(refused());
	fd = recv_fd(sock[1]);
	EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
	close(fd);
	EXPECT_TRUE(unloads_in_the_end());
}

TEST_F(unload, refused_for_a_sleeper)
{
	pid_t pid;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	pid = sleep_in(CALL_IOC_READ, self->dev, ref_name(self->name));
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, fd_unlink(fd));
	close(fd);
	close(self->dev);
	EXPECT_TRUE(refused());
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, reap(pid));
	EXPECT_TRUE(unloads_in_the_end());
}

TEST_F(unload, with_other_namespaces)
{
	struct baton ready, end;
	pid_t pid;

	ASSERT_EQ(0, baton_init(&ready));
	ASSERT_EQ(0, baton_init(&end));
	close(self->dev);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int dev;

		if (unshare(CLONE_NEWNET))
			_exit(1);
		dev = dev_open();
		close(pipe_create(dev, NULL, PERSISTENT, RDWR));
		close(dev);
		baton_give(&ready);
		baton_take(&end);
		/* now an empty namespace remains, and a module that is gone */
		if (unshare(CLONE_NEWNET))
			_exit(2);
		baton_give(&ready);
		baton_take(&end);
		_exit(0);
	}
	EXPECT_TRUE(baton_take(&ready));
	EXPECT_TRUE(refused());
	baton_give(&end);
	EXPECT_TRUE(baton_take(&ready));
	EXPECT_TRUE(unloads_in_the_end());
	EXPECT_EQ(0, load());
	EXPECT_TRUE(unloads_in_the_end());
	baton_give(&end);
	EXPECT_EQ(0, reap(pid));
}

/*
 * Users that come and go, owners that die, while it is loaded and unloaded: for three
 * seconds, and on a machine so slow that somebody always holds it until it was done.
 */
TEST_F_TIMEOUT(unload, under_fire, 60)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);
	uint64_t least = now + 3000000000ULL, most = now + 40000000000ULL;
	int i, ret, loads = 0;
	pid_t pids[4];

	close(self->dev);
	for (i = 0; i < 4; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (pids[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		srandom(i);
		for (;;) {
			pid_t user = fork();

			if (!user) {
				int dev = dev_open();

				if (dev >= 0)
					ipc_ioctl(pipe_create(dev, NULL, OWNED,
							      RDWR),
						  FIONREAD, &ret);
				_exit(0);
			}
			if (user > 0)
				waitpid(user, NULL, 0);
			usleep(random() % 10000);
		}
	}
	while (now < least || (!loads && now < most)) {
		ret = unload();
		ASSERT_TRUE(!ret || ret == -EWOULDBLOCK);
		if (!ret) {
			ASSERT_EQ(0, load());
			loads++;
		}
		now = now_ns(CLOCK_MONOTONIC);
	}
	for (i = 0; i < 4; i++) {
		kill(pids[i], SIGKILL);
		EXPECT_EQ(128 + SIGKILL, reap(pids[i]));
	}
	ksft_print_msg("loaded %d times\n", loads);
	EXPECT_LT(0, loads);
	EXPECT_TRUE(unloads_in_the_end());
}

TEST_HARNESS_MAIN
