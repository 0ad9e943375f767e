// SPDX-License-Identifier: GPL-2.0
/*
 * When an object ends: with its last file, by UNLINK, with its creator, by REMOVE.
 */
#include <pthread.h>
#include <sys/ptrace.h>

#include "object_test.h"

FIXTURE(lifetime) {
	int dev;
	char name[TEST_NAME_SIZE];
	struct ipcx_query before;
};

FIXTURE_SETUP(lifetime)
{
	track_cleanup();
	test_name(self->name, "name");
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	ASSERT_TRUE(settled(self->dev));
	self->before = accounts(self->dev);
}

FIXTURE_TEARDOWN_PARENT(lifetime)
{
	track_cleanup();
}

/* Neither a name, nor an id, nor a charge. */
static bool gone(int dev, const char *name, uint32_t id,
		 const struct ipcx_query *before)
{
	struct ipcx_stat st;

	return (!name || name_stat(dev, name, &st) == -ENOENT) &&
	       (!id || id_stat(dev, id, &st) == -ENOENT) &&
	       accounts_are(dev, before);
}

static bool exists(int dev, const char *name)
{
	struct ipcx_stat st;

	return !name_stat(dev, name, &st);
}

/*
 * Has it ended with its owner? The name is gone by now; the rest, in the end.
 */
static bool ended(int dev, const char *name, uint32_t id,
		  const struct ipcx_query *before)
{
	return !exists(dev, name) && wait_until(gone(dev, name, id, before));
}

/* Transient. */

TEST_F(lifetime, transient_ends_with_its_last_file)
{
	int fd, copy, second;
	uint32_t id;

	fd = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	id = fd_id(fd);
	copy = dup(fd);
	second = fd_open(fd, NONE, 0);
	ASSERT_GE(second, 0);
	EXPECT_FALSE(accounts_are(self->dev, &self->before));
	close(fd);
	EXPECT_TRUE(exists(self->dev, self->name));
	close(copy);
	EXPECT_TRUE(exists(self->dev, self->name));
	EXPECT_FALSE(accounts_are(self->dev, &self->before));
	close(second);
	EXPECT_TRUE(gone(self->dev, self->name, id, &self->before));
	EXPECT_GE(pipe_create(self->dev, self->name, TRANSIENT, RDWR), 0);
}

TEST_F(lifetime, transient_unlinked_goes_on)
{
	char c;
	int fd;

	fd = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_unlink(fd));
	EXPECT_FALSE(exists(self->dev, self->name));
	EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
	EXPECT_EQ(1, fd_read(fd, &c, 1, 0));
	EXPECT_EQ('x', c);
	EXPECT_FALSE(accounts_are(self->dev, &self->before));
	close(fd);
	EXPECT_TRUE(gone(self->dev, self->name, 0, &self->before));
}

TEST_F(lifetime, transient_ends_with_a_killed_process)
{
	struct baton made;
	pid_t pid;

	ASSERT_EQ(0, baton_init(&made));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		EXPECT_GE(pipe_create(self->dev, self->name, TRANSIENT, RDWR),
			  0);
		baton_give(&made);
		pause();
	}
	EXPECT_TRUE(baton_take(&made));
	EXPECT_TRUE(exists(self->dev, self->name));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, reap(pid));
	EXPECT_TRUE(gone(self->dev, self->name, 0, &self->before));
}

/* Persistent. */

TEST_F(lifetime, persistent_lives_without_files)
{
	struct ipcx_query q;
	struct ipcx_stat st;
	char text[6];
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(5, fd_write(fd, "hello", 5, 0));
	close(fd);
	ASSERT_EQ(0, name_stat(self->dev, self->name, &st));
	EXPECT_EQ(0, st.opens);
	EXPECT_EQ(0, st.readers);
	EXPECT_EQ(0, st.writers);
	EXPECT_EQ(5, st.used_bytes);
	EXPECT_EQ(IPCX_STAT_NAMED | IPCX_STAT_LINKED, st.flags);
	q = accounts(self->dev);
	EXPECT_EQ(self->before.user.objects + 1, q.user.objects);
	EXPECT_EQ(self->before.user.bytes + st.charged_bytes, q.user.bytes);
	fd = name_open(self->dev, self->name, RDWR, 0);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(5, fd_read(fd, text, 6, 0));
	EXPECT_EQ(0, memcmp(text, "hello", 5));
	close(fd);
	EXPECT_EQ(0, name_unlink(self->dev, self->name));
	EXPECT_TRUE(gone(self->dev, self->name, st.id, &self->before));
}

TEST_F(lifetime, persistent_unlinked_lives_with_its_users)
{
	int fd, second;
	uint32_t id;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	id = fd_id(fd);
	ASSERT_EQ(0, name_unlink(self->dev, self->name));
	second = id_open(self->dev, id, RDWR, 0);
	ASSERT_GE(second, 0);
	close(fd);
	EXPECT_EQ(1, fd_write(second, "x", 1, 0));
	EXPECT_FALSE(accounts_are(self->dev, &self->before));
	close(second);
	EXPECT_TRUE(gone(self->dev, self->name, id, &self->before));
	EXPECT_EQ(-ENOENT, id_open(self->dev, id, RDWR, 0));
}

TEST_F(lifetime, persistent_nameless_lives_by_its_id)
{
	struct ipcx_stat st;
	uint32_t id;
	char c;
	int fd;

	fd = pipe_create(self->dev, NULL, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	id = fd_id(fd);
	ASSERT_EQ(1, fd_write(fd, "x", 1, 0));
	close(fd);
	ASSERT_EQ(0, id_stat(self->dev, id, &st));
	EXPECT_EQ(IPCX_STAT_LINKED, st.flags);
	EXPECT_EQ(0, st.opens);
	fd = id_open(self->dev, id, RDWR, 0);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(1, fd_read(fd, &c, 1, 0));
	EXPECT_EQ('x', c);
	close(fd);
	EXPECT_EQ(0, id_unlink(self->dev, id));
	EXPECT_TRUE(gone(self->dev, NULL, id, &self->before));
	EXPECT_EQ(-ENOENT, id_unlink(self->dev, id));
}

TEST_F(lifetime, persistent_outlives_its_creator)
{
	struct ipcx_stat st;

	in_child() {
		EXPECT_GE(pipe_create(self->dev, self->name, PERSISTENT, RDWR),
			  0);
	}
	ASSERT_EQ(0, name_stat(self->dev, self->name, &st));
	EXPECT_EQ(0, st.opens);
	EXPECT_EQ(0, name_unlink(self->dev, self->name));
	EXPECT_TRUE(gone(self->dev, self->name, st.id, &self->before));
}

/* Owned. */

TEST_F(lifetime, owned_lives_without_files)
{
	struct ipcx_stat st;

	in_child() {
		int fd = pipe_create(self->dev, self->name, OWNED, RDWR);

		ASSERT_GE(fd, 0);
		ASSERT_EQ(1, fd_write(fd, "x", 1, 0));
		close(fd);
		ASSERT_EQ(0, name_stat(self->dev, self->name, &st));
		EXPECT_EQ(0, st.opens);
		EXPECT_EQ(1, st.used_bytes);
		EXPECT_EQ(IPCX_STAT_NAMED | IPCX_STAT_LINKED, st.flags);
		EXPECT_EQ(getpid(), st.creator_pid);
	}
	EXPECT_TRUE(ended(self->dev, self->name, 0, &self->before));
}

TEST_F(lifetime, owned_can_be_unlinked_before)
{
	in_child() {
		int fd = pipe_create(self->dev, self->name, OWNED, RDWR);

		ASSERT_GE(fd, 0);
		close(fd);
		EXPECT_EQ(0, name_unlink(self->dev, self->name));
		EXPECT_TRUE(gone(self->dev, self->name, 0, &self->before));
		fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
		EXPECT_GE(fd, 0);
	}
	/* another object, which nobody owns */
	EXPECT_TRUE(exists(self->dev, self->name));
}

TEST_F(lifetime, owned_ends_with_a_killed_process)
{
	struct baton made;
	pid_t pid;

	ASSERT_EQ(0, baton_init(&made));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(pipe_create(self->dev, self->name, OWNED, RDWR));
		baton_give(&made);
		pause();
	}
	EXPECT_TRUE(baton_take(&made));
	EXPECT_TRUE(exists(self->dev, self->name));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, reap(pid));
	EXPECT_TRUE(ended(self->dev, self->name, 0, &self->before));
}

/* Two hundred deaths of every kind: each wait comes after the unlinking. */
TEST_F_TIMEOUT(lifetime, owned_ends_before_the_wait_returns, 120)
{
	struct baton made;
	int i, status;
	pid_t pid;

	ASSERT_EQ(0, baton_init(&made));
	for (i = 0; i < 200; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			int fd = pipe_create(self->dev, self->name, OWNED,
					     RDWR);

			if (fd < 0)
				_exit(-fd);
			if (i & 1) {
				close(fd);
				baton_give(&made);
				pause();
			}
			_exit(0);
		}
		if (i & 1) {
			ASSERT_TRUE(baton_take(&made));
			kill(pid, SIGKILL);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(i & 1 ? SIGKILL : 0, status);
		ASSERT_FALSE(exists(self->dev, self->name)) {
			TH_LOG("round %d", i);
		}
	}
	EXPECT_TRUE(ended(self->dev, self->name, 0, &self->before));
}

/* A child nobody waits for: wait(2) returns when there are no children left. */
TEST_F(lifetime, owned_ends_with_a_process_nobody_waits_for)
{
	int i;

	signal(SIGCHLD, SIG_IGN);
	for (i = 0; i < 50; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid) {
			close(pipe_create(self->dev, self->name, OWNED, RDWR));
			_exit(0);
		}
		ASSERT_EQ(-1, wait(NULL));
		ASSERT_EQ(ECHILD, errno);
		ASSERT_FALSE(exists(self->dev, self->name)) {
			TH_LOG("round %d", i);
		}
	}
	signal(SIGCHLD, SIG_DFL);
}

TEST_F(lifetime, owned_is_unlinked_not_removed)
{
	struct ipcx_stat st;
	struct baton made, opened;
	char c;
	pid_t pid;
	int fd;

	ASSERT_EQ(0, baton_init(&made));
	ASSERT_EQ(0, baton_init(&opened));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		fd = pipe_create(self->dev, self->name, OWNED, RDWR);
		EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
		baton_give(&made);
		EXPECT_TRUE(baton_take(&opened));
		_exit(0);
	}
	EXPECT_TRUE(baton_take(&made));
	fd = name_open(self->dev, self->name, RDWR, 0);
	EXPECT_GE(fd, 0);
	baton_give(&opened);
	EXPECT_EQ(0, reap(pid));
	EXPECT_FALSE(exists(self->dev, self->name));
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_EQ(0, st.flags);
	EXPECT_EQ(1, st.opens);
	EXPECT_EQ(1, fd_read(fd, &c, 1, 0));
	EXPECT_EQ('x', c);
	EXPECT_EQ(-ENOENT, fd_unlink(fd));
	close(fd);
	EXPECT_TRUE(ended(self->dev, self->name, st.id, &self->before));
}

/* Who opens it, or inherits the file, does not own it. */
TEST_F(lifetime, owned_belongs_to_its_creator_alone)
{
	struct baton go;
	pid_t creator;
	int fd;

	ASSERT_EQ(0, baton_init(&go));
	/* so that the heir can be waited for, too */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	creator = fork();
	ASSERT_LE(0, creator);
	if (!creator) {
		fd = pipe_create(self->dev, self->name, OWNED, RDWR);
		ASSERT_GE(fd, 0);
		in_child() {
			EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
		}
		in_child() {
			struct ipcx_create arg = pipe_arg(self->name, OWNED,
							  NONE);

			arg.flags = IPCX_OR_OPEN;
			EXPECT_GE(obj_create(self->dev, &arg), 0);
		}
		EXPECT_TRUE(exists(self->dev, self->name));
		/* and now the other way round: the heir outlives the owner */
		if (!fork()) {
			baton_take(&go);
			_exit(0);
		}
		_exit(0);
	}
	EXPECT_EQ(0, reap(creator));
	EXPECT_FALSE(exists(self->dev, self->name));
	EXPECT_FALSE(accounts_are(self->dev, &self->before));
	baton_give(&go);
	EXPECT_LT(0, wait(NULL));
	EXPECT_TRUE(ended(self->dev, self->name, 0, &self->before));
}

TEST_F(lifetime, owned_objects_go_all_together)
{
	int i, dev = self->dev;

	in_child() {
		for (i = 0; i < 200; i++) {
			int fd = pipe_create_sized(dev, NULL, OWNED, NONE,
						   4096);

			ASSERT_GE(fd, 0);
			close(fd);
		}
		EXPECT_GE(pipe_create(dev, self->name, OWNED, NONE), 0);
		EXPECT_EQ(self->before.user.objects + 201,
			  accounts(dev).user.objects);
	}
	EXPECT_TRUE(ended(dev, self->name, 0, &self->before));
}

/* Threads. */

struct thread_case {
	int dev;
	const char *name;
	struct baton *made, *end;
};

static void *wait_for_end(void *argument)
{
	struct thread_case *t = argument;

	baton_take(t->end);
	syscall(SYS_exit, 0);
	return NULL;
}

static void *create_and_return(void *argument)
{
	struct thread_case *t = argument;

	close(pipe_create(t->dev, t->name, OWNED, RDWR));
	return NULL;
}

static int thread_count(void)
{
	struct stat st;

	return stat("/proc/self/task", &st) ? -errno : (int)st.st_nlink - 2;
}

/* Never returns: the leader is gone, a thread lives on until t->end. */
static void lose_the_leader(struct thread_case *t)
{
	pthread_t thread;

	close(pipe_create(t->dev, t->name, OWNED, RDWR));
	if (pthread_create(&thread, NULL, wait_for_end, t))
		_exit(1);
	baton_give(t->made);
	syscall(SYS_exit, 0);
}

TEST_F(lifetime, owned_lives_until_the_last_thread)
{
	struct baton made, end;
	struct thread_case t = { self->dev, self->name, &made, &end };
	int status, traced;
	pid_t pid;

	/* a tracer is told of the leader's death at once, others at the end */
	for (traced = 0; traced < 2; traced++) {
		ASSERT_EQ(0, baton_init(&made));
		ASSERT_EQ(0, baton_init(&end));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			if (traced)
				baton_take(&made);
			lose_the_leader(&t);
		}
		if (traced) {
			ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
			baton_give(&made);
		}
		EXPECT_TRUE(wait_until(task_state(pid) == 'Z'));
		EXPECT_TRUE(exists(self->dev, self->name)) {
			TH_LOG("traced %d", traced);
		}
		baton_give(&end);
		ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
		EXPECT_EQ(0, status);
		EXPECT_TRUE(ended(self->dev, self->name, 0, &self->before)) {
			TH_LOG("traced %d", traced);
		}
	}
}

TEST_F(lifetime, owned_of_a_thread_is_the_processs)
{
	struct thread_case t = { .dev = self->dev, .name = self->name };
	pthread_t thread;

	in_child() {
		ASSERT_EQ(0, pthread_create(&thread, NULL, create_and_return,
					    &t));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		/* its exit may be under way still */
		EXPECT_TRUE(wait_until(thread_count() == 1));
		EXPECT_TRUE(exists(self->dev, self->name));
		EXPECT_GE(name_open(self->dev, self->name, RDWR, 0), 0);
	}
	EXPECT_TRUE(ended(self->dev, self->name, 0, &self->before));
}

static void *create_and_lose_the_leader(void *argument)
{
	struct thread_case *t = argument;

	/* the leader dies first */
	if (!wait_until(task_state(getpid()) == 'Z'))
		_exit(1);
	close(pipe_create(t->dev, t->name, OWNED, RDWR));
	baton_give(t->made);
	baton_take(t->end);
	syscall(SYS_exit_group, 0);
	return NULL;
}

/* Its leader is dead already when the object is made. */
TEST_F(lifetime, owned_of_a_process_without_leader)
{
	struct baton made, end;
	struct thread_case t = { self->dev, self->name, &made, &end };
	pthread_t thread;
	pid_t pid;

	ASSERT_EQ(0, baton_init(&made));
	ASSERT_EQ(0, baton_init(&end));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (pthread_create(&thread, NULL, create_and_lose_the_leader,
				   &t))
			_exit(1);
		syscall(SYS_exit, 0);
	}
	EXPECT_TRUE(baton_take(&made));
	EXPECT_TRUE(exists(self->dev, self->name));
	baton_give(&end);
	EXPECT_EQ(0, reap(pid));
	EXPECT_TRUE(ended(self->dev, self->name, 0, &self->before));
}

/* exec. */

/* A program that ends when its standard input does. */
static void exec_cat(int in)
{
	dup2(in, 0);
	execlp("cat", "cat", NULL);
	_exit(127);
}

static void *exec_thread(void *argument)
{
	exec_cat(*(int *)argument);
	return NULL;
}

/* By the leader, and by another thread, which becomes the leader. */
TEST_F(lifetime, owned_survives_exec)
{
	int in[2], closed[2], i, fd;
	pthread_t thread;
	char c;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pipe2(in, O_CLOEXEC));
		ASSERT_EQ(0, pipe2(closed, O_CLOEXEC));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			fd = pipe_create(self->dev, self->name, OWNED, RDWR);
			EXPECT_GE(fd, 0);
			if (!i)
				exec_cat(in[0]);
			if (pthread_create(&thread, NULL, exec_thread, &in[0]))
				_exit(1);
			pause();
		}
		close(in[0]);
		close(closed[1]);
		/* ends with exec */
		EXPECT_EQ(0, read(closed[0], &c, 1));
		EXPECT_TRUE(wait_until(asleep_in(pid, SYS_read)));
		EXPECT_TRUE(exists(self->dev, self->name)) {
			TH_LOG("exec by %s", i ? "a thread" : "the leader");
		}
		close(in[1]);
		EXPECT_EQ(0, reap(pid));
		EXPECT_TRUE(ended(self->dev, self->name, 0, &self->before));
		close(closed[0]);
	}
}

/* Pids are told as the caller's pid namespace knows them. */
TEST_F(lifetime, pids_are_translated)
{
	struct ipcx_stat st;
	char other[TEST_NAME_SIZE];
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	test_name(other, "inner");
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	in_child() {
		ASSERT_EQ(1, getpid());
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(0, st.creator_pid);
		fd = pipe_create(self->dev, other, PERSISTENT, RDWR);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(1, fd_write(fd, "x", 1, 0));
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(1, st.creator_pid);
		EXPECT_EQ(1, st.last_writer_pid);
		EXPECT_EQ(0, st.last_reader_pid);
		close(pipe_create(self->dev, NULL, OWNED, RDWR));
	}
	ASSERT_EQ(0, name_stat(self->dev, other, &st));
	EXPECT_NE(1, st.creator_pid);
	EXPECT_EQ(0, name_unlink(self->dev, other));
	EXPECT_TRUE(wait_until(accounts(self->dev).user.objects ==
			       self->before.user.objects + 1));
}

/* REMOVE. */

TEST_F(lifetime, remove_without_users_ends_it)
{
	struct ipcx_stat st;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	close(fd);
	EXPECT_EQ(0, name_remove(self->dev, self->name));
	EXPECT_TRUE(gone(self->dev, self->name, st.id, &self->before));
	EXPECT_EQ(-ENOENT, name_remove(self->dev, self->name));
	EXPECT_EQ(-ENOENT, id_remove(self->dev, st.id));
}

/* By name, by id, through a file: all the same. */
TEST_F(lifetime, remove_in_each_way)
{
	int way, fd;

	for (way = 0; way < 3; way++) {
		fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
		ASSERT_GE(fd, 0);
		EXPECT_EQ(0, way == 0 ? name_remove(self->dev, self->name) :
			     way == 1 ? id_remove(self->dev, fd_id(fd)) :
					fd_remove(fd));
		EXPECT_EQ(-EIDRM, fd_write(fd, "x", 1, 0));
		EXPECT_FALSE(exists(self->dev, self->name));
		close(fd);
		EXPECT_TRUE(gone(self->dev, self->name, 0, &self->before));
	}
}

TEST_F(lifetime, remove_makes_everything_eidrm)
{
	struct ipcx_stat st;
	uint32_t id;
	char c;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	id = fd_id(fd);
	ASSERT_EQ(1, fd_write(fd, "x", 1, 0));
	ASSERT_EQ(0, fd_remove(fd));

	EXPECT_EQ(-EIDRM, fd_stat(fd, &st));
	EXPECT_EQ(-EIDRM, fd_open(fd, RDWR, 0));
	EXPECT_EQ(-EIDRM, fd_open(fd, NONE, IPCX_NONBLOCK));
	EXPECT_EQ(-EIDRM, fd_unlink(fd));
	EXPECT_EQ(-EIDRM, fd_remove(fd));
	EXPECT_EQ(-EIDRM, fd_read(fd, &c, 1, 0));
	EXPECT_EQ(-EIDRM, fd_read(fd, &c, 1, IPCX_NONBLOCK));
	EXPECT_EQ((char)POISON, c);
	EXPECT_EQ(-EIDRM, fd_write(fd, "x", 1, 0));
	EXPECT_EQ(-EIDRM, fd_write(fd, "x", 1, IPCX_NONBLOCK));
	EXPECT_EQ(-EIDRM, plain_read(fd, &c, 1));
	EXPECT_EQ(-EIDRM, plain_write(fd, "x", 1));
	EXPECT_EQ(-EIDRM, ipc_ioctl(fd, FIONREAD, &st));
	EXPECT_EQ(-EIDRM, proc_reopen(fd, O_RDWR));

	EXPECT_EQ(-ENOENT, name_stat(self->dev, self->name, &st));
	EXPECT_EQ(-ENOENT, name_open(self->dev, self->name, RDWR, 0));
	EXPECT_GT(0, id_open(self->dev, id, RDWR, 0));
	EXPECT_GT(0, id_stat(self->dev, id, &st));
	EXPECT_GT(0, ref_write(self->dev, ref_id(id), "x", 1, 0));
	close(fd);
	EXPECT_TRUE(gone(self->dev, self->name, id, &self->before));
}

TEST_F(lifetime, remove_shows_in_poll)
{
	short both = POLLERR | POLLHUP;
	int fd, w;

	fd = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	w = fd_open(fd, WRITE, 0);
	EXPECT_EQ(0, poll_now(fd, POLLIN) & both);
	ASSERT_EQ(0, fd_remove(fd));
	EXPECT_EQ(both, poll_now(fd, 0) & both);
	EXPECT_EQ(both, poll_now(fd, POLLIN | POLLOUT) & both);
	EXPECT_EQ(both, poll_now(w, POLLOUT) & both);
}

/* EIDRM is no broken pipe. */
TEST_F(lifetime, remove_sends_no_signal)
{
	int fd;

	fd = pipe_create(self->dev, NULL, TRANSIENT, WRITE);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_remove(fd));
	in_child() {
		signal(SIGPIPE, SIG_DFL);
		EXPECT_EQ(-EIDRM, plain_write(fd, "x", 1));
	}
}

TEST_F(lifetime, remove_frees_the_name_at_once)
{
	int fd, again;
	char c;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_remove(fd));
	again = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(again, 0);
	EXPECT_EQ(1, fd_write(again, "x", 1, 0));
	EXPECT_EQ(-EIDRM, fd_read(fd, &c, 1, 0));
	EXPECT_EQ(-EIDRM, fd_remove(fd));
	EXPECT_TRUE(exists(self->dev, self->name));
}

TEST_F(lifetime, remove_after_unlink)
{
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_unlink(fd));
	EXPECT_EQ(0, fd_remove(fd));
	EXPECT_EQ(-EIDRM, fd_write(fd, "x", 1, 0));
	/* and of what never had a name */
	fd = pipe_create(self->dev, NULL, TRANSIENT, RDWR);
	EXPECT_EQ(0, fd_remove(fd));
	EXPECT_EQ(-EIDRM, fd_write(fd, "x", 1, 0));
}

static int fill(int fd)
{
	static char page[4096];
	int ret;

	do {
		ret = fd_write(fd, page, sizeof(page), IPCX_NONBLOCK);
	} while (ret > 0);
	return ret;
}

TEST_F(lifetime, remove_wakes_readers)
{
	static const enum call calls[] = {
		CALL_READ, CALL_IOC_READ, CALL_POLL_IN,
	};
	pid_t pids[ARRAY_LEN(calls) + 1];
	size_t i;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	for (i = 0; i < ARRAY_LEN(calls); i++)
		pids[i] = sleep_in(calls[i], fd, ref_self());
	pids[i] = sleep_in(CALL_IOC_READ, self->dev, ref_name(self->name));
	EXPECT_EQ(0, name_remove(self->dev, self->name));
	for (i = 0; i < ARRAY_LEN(pids); i++) {
		ASSERT_LT(0, pids[i]);
		EXPECT_EQ(EIDRM, reap(pids[i])) {
			TH_LOG("sleeper %zu", i);
		}
	}
	close(fd);
	EXPECT_TRUE(gone(self->dev, self->name, 0, &self->before));
}

TEST_F(lifetime, remove_wakes_writers)
{
	static const enum call calls[] = {
		CALL_WRITE, CALL_IOC_WRITE, CALL_POLL_OUT,
	};
	pid_t pids[ARRAY_LEN(calls) + 1];
	size_t i;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(-EAGAIN, fill(fd));
	for (i = 0; i < ARRAY_LEN(calls); i++)
		pids[i] = sleep_in(calls[i], fd, ref_self());
	pids[i] = sleep_in(CALL_IOC_WRITE, self->dev, ref_name(self->name));
	EXPECT_EQ(0, fd_remove(fd));
	for (i = 0; i < ARRAY_LEN(pids); i++) {
		ASSERT_LT(0, pids[i]);
		EXPECT_EQ(EIDRM, reap(pids[i])) {
			TH_LOG("sleeper %zu", i);
		}
	}
	close(fd);
	EXPECT_TRUE(gone(self->dev, self->name, 0, &self->before));
}

TEST_F(lifetime, remove_wakes_openers)
{
	static const enum call calls[] = { CALL_OPEN_READ, CALL_OPEN_WRITE };
	size_t i;
	pid_t pid;

	for (i = 0; i < ARRAY_LEN(calls); i++) {
		close(pipe_create(self->dev, self->name, PERSISTENT, NONE));
		pid = sleep_in(calls[i], self->dev, ref_name(self->name));
		ASSERT_LT(0, pid);
		EXPECT_EQ(0, name_remove(self->dev, self->name));
		EXPECT_EQ(EIDRM, reap(pid));
		EXPECT_TRUE(gone(self->dev, self->name, 0, &self->before));
	}
}

/* UNLINK on the other hand wakes nobody: the sleeper gets what comes later. */
TEST_F(lifetime, unlink_disturbs_no_sleeper)
{
	pid_t pid;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	pid = sleep_in(CALL_IOC_READ, fd, ref_self());
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, fd_unlink(fd));
	EXPECT_TRUE(asleep_in(pid, SYS_ioctl));
	EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
	EXPECT_EQ(0, reap(pid));
}

/* A sleeper by name is a user: the object lives at least as long as the sleep. */
TEST_F(lifetime, a_sleeper_by_name_keeps_the_object)
{
	struct ipcx_stat st;
	pid_t pid;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	pid = sleep_in(CALL_IOC_READ, self->dev, ref_name(self->name));
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_EQ(1, st.waiting_readers);
	EXPECT_EQ(0, fd_unlink(fd));
	close(fd);
	EXPECT_FALSE(accounts_are(self->dev, &self->before));
	fd = id_open(self->dev, st.id, RDWR, 0);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(1, fd_write(fd, "x", 1, 0));
	EXPECT_EQ(0, reap(pid));
	close(fd);
	EXPECT_TRUE(gone(self->dev, self->name, st.id, &self->before));
}

/* A killed sleeper leaves nothing behind. */
TEST_F(lifetime, killed_sleepers_leave_nothing)
{
	struct ipcx_stat st;
	pid_t pid;
	int fd;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	pid = sleep_in(CALL_IOC_READ, self->dev, ref_name(self->name));
	ASSERT_LT(0, pid);
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, reap(pid));
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_EQ(0, st.waiting_readers);
	EXPECT_EQ(1, st.opens);
	EXPECT_EQ(0, fd_unlink(fd));
	close(fd);
	EXPECT_TRUE(gone(self->dev, self->name, 0, &self->before));
}

TEST_HARNESS_MAIN
