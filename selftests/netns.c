// SPDX-License-Identifier: GPL-2.0
/*
 * Network namespaces: each has its names, ids and accounts, and takes its objects
 * with it when it ends. That happens some time after its last process has gone.
 */
#include "object_test.h"

FIXTURE(netns) {
	int dev;
	char name[TEST_NAME_SIZE];
};

FIXTURE_SETUP(netns)
{
	track_cleanup();
	test_name(self->name, "name");
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	ASSERT_TRUE(settled(self->dev));
}

FIXTURE_TEARDOWN_PARENT(netns)
{
	track_cleanup();
}

/* The device in a namespace of its own; the caller goes back to where it was. */
static int dev_elsewhere(void)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int dev = -EIO;

	if (here < 0)
		return -errno;
	if (!unshare(CLONE_NEWNET)) {
		dev = dev_open();
		if (setns(here, CLONE_NEWNET))
			dev = -errno;
	}
	close(here);
	return dev;
}

TEST_F(netns, names_are_separate)
{
	struct ipcx_stat here, there;
	int dev, a, b;

	dev = dev_elsewhere();
	ASSERT_GE(dev, 0);
	a = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(a, 0);
	EXPECT_EQ(-ENOENT, name_stat(dev, self->name, &there));
	EXPECT_EQ(-ENOENT, name_unlink(dev, self->name));
	EXPECT_EQ(-ENOENT, name_open(dev, self->name, NONE, 0));
	b = pipe_create(dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(b, 0);
	EXPECT_EQ(1, fd_write(a, "x", 1, 0));
	ASSERT_EQ(0, name_stat(self->dev, self->name, &here));
	ASSERT_EQ(0, name_stat(dev, self->name, &there));
	EXPECT_NE(here.cookie, there.cookie);
	EXPECT_EQ(1, here.used_bytes);
	EXPECT_EQ(0, there.used_bytes);
	EXPECT_EQ(0, name_remove(dev, self->name));
	EXPECT_EQ(-EIDRM, fd_stat(b, &there));
	EXPECT_EQ(0, name_stat(self->dev, self->name, &here));
}

TEST_F(netns, ids_are_separate)
{
	struct ipcx_stat here, there;
	struct ipcx_ref ref;
	int dev, fd, ret;

	dev = dev_elsewhere();
	ASSERT_GE(dev, 0);
	fd = pipe_create(self->dev, NULL, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &here));
	ref = ref_id_cookie(here.id, here.cookie);
	EXPECT_EQ(-ENOENT, id_stat(dev, here.id, &there));
	EXPECT_EQ(-ENOENT, ref_open(dev, ref, RDWR, 0));
	EXPECT_EQ(-ENOENT, ref_unlink(dev, ref));
	/* even where there is an object of that number */
	fd = pipe_create(dev, NULL, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ret = ref_stat(dev, ref, &there);
	EXPECT_TRUE(ret == -ENOENT || ret == -ESTALE);
	EXPECT_EQ(0, ref_stat(self->dev, ref, &here));
}

TEST_F(netns, accounts_are_separate)
{
	struct ipcx_query here, there;
	struct ipcx_stat st;
	int dev, fd;

	dev = dev_elsewhere();
	ASSERT_GE(dev, 0);
	here = accounts(self->dev);
	there = accounts(dev);
	EXPECT_EQ(0, there.ns.objects);
	EXPECT_EQ(0, there.ns.bytes);
	fd = pipe_create(dev, NULL, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	there = accounts(dev);
	EXPECT_EQ(1, there.ns.objects);
	/* and its file */
	EXPECT_LT(st.charged_bytes, there.ns.bytes);
	EXPECT_GT(st.charged_bytes + 4096, there.ns.bytes);
	there = accounts(self->dev);
	EXPECT_TRUE(same_usage(&here.ns, &there.ns));
	EXPECT_EQ(here.user.objects + 1, there.user.objects);
	close(fd);
	EXPECT_TRUE(accounts_are(self->dev, &here));
	EXPECT_EQ(0, accounts(dev).ns.objects);
}

/* The device's file says where, not where its caller is. */
TEST_F(netns, device_files_keep_their_namespace)
{
	struct ipcx_stat st;
	int inner;

	ASSERT_GE(pipe_create(self->dev, self->name, PERSISTENT, RDWR), 0);
	in_child() {
		ASSERT_EQ(0, unshare(CLONE_NEWNET));
		EXPECT_EQ(0, name_stat(self->dev, self->name, &st));
		EXPECT_EQ(1, ref_write(self->dev, ref_name(self->name), "x", 1,
				       0));
		inner = dev_open();
		ASSERT_GE(inner, 0);
		EXPECT_EQ(-ENOENT, name_stat(inner, self->name, &st));
		EXPECT_EQ(0, name_unlink(self->dev, self->name));
	}
	EXPECT_EQ(-ENOENT, name_stat(self->dev, self->name, &st));
}

TEST_F(netns, files_of_objects_work_anywhere)
{
	struct ipcx_stat st;
	int fd;
	char c;

	fd = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	in_child() {
		ASSERT_EQ(0, unshare(CLONE_NEWNET));
		EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
		EXPECT_EQ(1, fd_read(fd, &c, 1, 0));
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_STREQ(self->name, st.name);
		EXPECT_LE(0, fd_open(fd, RDWR, 0));
		EXPECT_LE(0, proc_reopen(fd, O_RDWR));
		EXPECT_EQ(0, fd_unlink(fd));
	}
	EXPECT_EQ(-ENOENT, name_stat(self->dev, self->name, &st));
}

TEST_F(netns, open_devices_keep_the_namespace)
{
	struct ipcx_stat st;
	int dev, other, fd;
	char c;

	dev = dev_elsewhere();
	ASSERT_GE(dev, 0);
	close(pipe_create(dev, self->name, PERSISTENT, RDWR));
	EXPECT_EQ(1, ref_write(dev, ref_name(self->name), "x", 1, 0));
	/* a later one has come to its end: so would this one have */
	other = dev_elsewhere();
	ASSERT_GE(other, 0);
	fd = pipe_create(other, NULL, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	close(other);
	EXPECT_TRUE(wait_until(fd_stat(fd, &st) == -EIDRM));
	EXPECT_EQ(0, name_stat(dev, self->name, &st));
	EXPECT_EQ(1, ref_read(dev, ref_name(self->name), &c, 1, 0));
	EXPECT_EQ('x', c);
}

/* Hands over files of objects in a namespace that then ends. */
static int objects_of_an_ended_namespace(const char *name, int *fds, int n)
{
	int sock[2], i, dev, fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sock))
		return -errno;
	pid = fork();
	if (!pid) {
		close(sock[1]);
		if (unshare(CLONE_NEWNET))
			_exit(1);
		dev = dev_open();
		for (i = 0; i < n; i++) {
			/* persistent and transient, named and not */
			fd = pipe_create(dev, i ? NULL : name,
					 i & 1 ? TRANSIENT : PERSISTENT, RDWR);
			if (fd < 0 || send_fd(sock[0], fd))
				_exit(2);
		}
		/* and some that nobody holds */
		close(pipe_create(dev, NULL, PERSISTENT, RDWR));
		close(pipe_create(dev, "left behind", PERSISTENT, RDWR));
		/* until the other side is ready for the end */
		_exit(recv(sock[0], &dev, 1, 0) == 1 ? 0 : 3);
	}
	close(sock[0]);
	for (i = 0; i < n; i++)
		fds[i] = recv_fd(sock[1]);
	/* the child's end closes with it */
	fds[n] = sock[1];
	return pid;
}

TEST_F(netns, end_removes_what_is_open)
{
	struct ipcx_query before = accounts(self->dev);
	struct ipcx_stat st;
	int fds[3], i;
	pid_t pid;
	char c;

	pid = objects_of_an_ended_namespace(self->name, fds, 2);
	ASSERT_LT(0, pid);
	ASSERT_GE(fds[0], 0);
	ASSERT_GE(fds[1], 0);
	EXPECT_EQ(1, fd_write(fds[0], "x", 1, 0));
	/* the two that nobody holds come last */
	EXPECT_TRUE(wait_until(accounts(self->dev).user.objects ==
			       before.user.objects + 4));
	ASSERT_EQ(1, send(fds[2], "", 1, 0));
	EXPECT_EQ(0, reap(pid));
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(wait_until(fd_stat(fds[i], &st) == -EIDRM));
		EXPECT_EQ(-EIDRM, fd_read(fds[i], &c, 1, 0));
		EXPECT_EQ(-EIDRM, fd_write(fds[i], "x", 1, 0));
		EXPECT_EQ(-EIDRM, fd_open(fds[i], RDWR, 0));
		EXPECT_EQ(-EIDRM, fd_remove(fds[i]));
		EXPECT_EQ(-EIDRM, proc_reopen(fds[i], O_RDWR));
		EXPECT_EQ(POLLERR | POLLHUP,
			  poll_now(fds[i], 0) & (POLLERR | POLLHUP));
	}
	/* charged as long as they are held */
	EXPECT_TRUE(wait_until(accounts(self->dev).user.objects ==
			       before.user.objects + 2));
	close(fds[0]);
	close(fds[1]);
	EXPECT_TRUE(wait_until(accounts_are(self->dev, &before)));
}

TEST_F(netns, end_wakes_sleepers)
{
	int fds[3];
	pid_t pid, reader, poller;

	pid = objects_of_an_ended_namespace(self->name, fds, 2);
	ASSERT_LT(0, pid);
	reader = sleep_in(CALL_IOC_READ, fds[0], ref_self());
	poller = sleep_in(CALL_POLL_IN, fds[1], ref_self());
	ASSERT_LT(0, reader);
	ASSERT_LT(0, poller);
	ASSERT_EQ(1, send(fds[2], "", 1, 0));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(EIDRM, reap(reader));
	EXPECT_EQ(EIDRM, reap(poller));
}

/* A file of the device in a socket's queue holds it, and lets it go with itself. */
TEST_F(netns, end_with_the_last_device_file)
{
	struct ipcx_query before = accounts(self->dev);
	int dev = dev_elsewhere();
	struct ipcx_stat st;
	int fd;

	ASSERT_GE(dev, 0);
	fd = pipe_create(dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	close(dev);
	EXPECT_TRUE(wait_until(fd_stat(fd, &st) == -EIDRM));
	close(fd);
	EXPECT_TRUE(wait_until(accounts_are(self->dev, &before)));
}

/* The process that owns an object, and the namespace it is in, end in any order. */
TEST_F(netns, owners_and_namespaces_end_together)
{
	struct ipcx_query before = accounts(self->dev);
	int i;

	for (i = 0; i < 20; i++) {
		in_child() {
			int dev;

			ASSERT_EQ(0, unshare(CLONE_NEWNET));
			dev = dev_open();
			ASSERT_GE(dev, 0);
			EXPECT_GE(pipe_create(dev, "owned", OWNED, RDWR), 0);
			EXPECT_GE(pipe_create(dev, NULL, OWNED, RDWR), 0);
			EXPECT_GE(pipe_create(dev, "p", PERSISTENT, RDWR), 0);
			/* the owner outlives the namespace's last file */
			if (i & 1) {
				close_range(3, ~0U, 0);
				ASSERT_EQ(0, unshare(CLONE_NEWNET));
			}
		}
	}
	EXPECT_TRUE(wait_until(accounts_are(self->dev, &before)));
}

TEST_F_TIMEOUT(netns, many_come_and_go, 120)
{
	struct ipcx_query before = accounts(self->dev);
	int i, k;

	for (i = 0; i < 100; i++) {
		in_child() {
			int dev;

			ASSERT_EQ(0, unshare(CLONE_NEWNET));
			dev = dev_open();
			ASSERT_GE(dev, 0);
			EXPECT_EQ(0, accounts(dev).ns.objects);
			EXPECT_GE(pipe_create(dev, self->name, PERSISTENT,
					      NONE), 0);
			for (k = 0; k < i % 4; k++)
				EXPECT_GE(pipe_create(dev, NULL, PERSISTENT,
						      NONE), 0);
		}
	}
	EXPECT_TRUE(wait_until(accounts_are(self->dev, &before)));
}

/* Many at once, in processes that end at the same time. */
TEST_F_TIMEOUT(netns, many_end_at_once, 120)
{
	struct ipcx_query before = accounts(self->dev);
	struct baton ready, end;
	pid_t pids[32];
	char c;
	int i;

	ASSERT_EQ(0, baton_init(&ready));
	ASSERT_EQ(0, baton_init(&end));
	for (i = 0; i < 32; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (!pids[i]) {
			int dev;

			close(end.fds[1]);
			if (unshare(CLONE_NEWNET))
				_exit(1);
			dev = dev_open();
			if (pipe_create(dev, self->name, PERSISTENT, RDWR) < 0)
				_exit(2);
			baton_give(&ready);
			_exit(read(end.fds[0], &c, 1) ? 3 : 0);
		}
	}
	for (i = 0; i < 32; i++)
		EXPECT_TRUE(baton_take(&ready));
	EXPECT_EQ(before.user.objects + 32, accounts(self->dev).user.objects);
	close(end.fds[1]);
	for (i = 0; i < 32; i++)
		EXPECT_EQ(0, reap(pids[i]));
	EXPECT_TRUE(wait_until(accounts_are(self->dev, &before)));
}

TEST_HARNESS_MAIN
