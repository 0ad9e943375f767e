// SPDX-License-Identifier: GPL-2.0
/*
 * What an object's file is to the rest of the system: access modes, fstat(2) and
 * fchmod(2), the table of files, fork, sockets, /proc.
 */
#include <sys/resource.h>

#include "object_test.h"

#define FILE_MAX	"/proc/sys/fs/file-max"

FIXTURE(file) {
	int dev;
	char name[TEST_NAME_SIZE];
	char other[TEST_NAME_SIZE];
	char file_max[32];
};

FIXTURE_SETUP(file)
{
	track_cleanup();
	test_name(self->name, "name");
	test_name(self->other, "other");
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	ASSERT_TRUE(settled(self->dev));
	ASSERT_LT(0, file_read(FILE_MAX, self->file_max,
			       sizeof(self->file_max)));
}

FIXTURE_TEARDOWN_PARENT(file)
{
	file_write(FILE_MAX, self->file_max);
	track_cleanup();
}

/* What a file may do. */

TEST_F(file, access_of_a_file_is_a_matrix)
{
	int access, how, fd, keep;

	keep = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(keep, 0);
	for (access = NONE; access <= RDWR; access++) {
		for (how = 0; how < 2; how++) {
			struct ipcx_create arg = pipe_arg(self->name, TRANSIENT,
							  access);
			char c;

			arg.flags = IPCX_OR_OPEN;
			fd = how ? obj_create(self->dev, &arg) :
				   name_open(self->dev, self->name, access, 0);
			ASSERT_GE(fd, 0);
			ASSERT_EQ(1, fd_write(keep, "a", 1, 0));
			EXPECT_EQ(access & WRITE ? 1 : -EBADF,
				  plain_write(fd, "b", 1));
			EXPECT_EQ(access & WRITE ? 1 : -EBADF,
				  fd_write(fd, "c", 1, 0));
			EXPECT_EQ(access & READ ? 1 : -EBADF,
				  plain_read(fd, &c, 1));
			EXPECT_EQ(access & READ ? 'a' : POISON,
				  (unsigned char)c);
			ASSERT_EQ(1, fd_write(keep, "z", 1, 0));
			EXPECT_EQ(access & READ ? 1 : -EBADF,
				  fd_read(fd, &c, 1, 0));
			EXPECT_EQ(access == READ ? 'z' :
				  access == RDWR ? 'b' : POISON,
				  (unsigned char)c);
			while (fd_read(keep, &c, 1, IPCX_NONBLOCK) == 1)
				;
			close(fd);
		}
	}
}

TEST_F(file, access_shows_in_the_files_flags)
{
	static const int flags[] = { -1, O_RDONLY, O_WRONLY, O_RDWR };
	int access, fd;

	for (access = READ; access <= RDWR; access++) {
		fd = pipe_create(self->dev, NULL, TRANSIENT, access);
		ASSERT_GE(fd, 0);
		EXPECT_EQ(flags[access], fcntl(fd, F_GETFL) & O_ACCMODE);
	}
}

TEST_F(file, counts_of_opens_readers_and_writers)
{
	struct ipcx_stat st;
	int fd[4], access;

	for (access = NONE; access <= RDWR; access++) {
		struct ipcx_create arg = pipe_arg(self->name, TRANSIENT, access);

		arg.flags = IPCX_OR_OPEN | IPCX_NONBLOCK;
		/* backwards: a nonblocking writer needs a reader */
		fd[access] = -1;
		if (access == NONE)
			fd[access] = obj_create(self->dev, &arg);
		else
			fd[access] = fd_open(fd[NONE], access, IPCX_NONBLOCK);
		ASSERT_GE(fd[access], 0);
	}
	ASSERT_EQ(0, fd_stat(fd[NONE], &st));
	EXPECT_EQ(4, st.opens);
	EXPECT_EQ(2, st.readers);
	EXPECT_EQ(2, st.writers);
	close(fd[RDWR]);
	close(fd[READ]);
	ASSERT_EQ(0, fd_stat(fd[NONE], &st));
	EXPECT_EQ(2, st.opens);
	EXPECT_EQ(0, st.readers);
	EXPECT_EQ(1, st.writers);
	/* a descriptor is not a file */
	EXPECT_GE(dup(fd[WRITE]), 0);
	ASSERT_EQ(0, fd_stat(fd[NONE], &st));
	EXPECT_EQ(2, st.opens);
	EXPECT_EQ(1, st.writers);
}

TEST_F(file, close_on_exec_unless_asked)
{
	struct ipcx_create arg = pipe_arg(NULL, TRANSIENT, RDWR);
	int fd;

	fd = obj_create(self->dev, &arg);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd_open(fd, RDWR, 0), F_GETFD));
	EXPECT_EQ(0, fcntl(fd_open(fd, RDWR, IPCX_INHERIT), F_GETFD));
	arg.flags = IPCX_INHERIT;
	EXPECT_EQ(0, fcntl(obj_create(self->dev, &arg), F_GETFD));
}

TEST_F(file, nonblock_sets_the_files_flag)
{
	struct ipcx_create arg = pipe_arg(NULL, TRANSIENT, RDWR);
	char c;
	int fd, fd2;

	fd = obj_create(self->dev, &arg);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	fd2 = fd_open(fd, RDWR, IPCX_NONBLOCK);
	EXPECT_EQ(O_NONBLOCK, fcntl(fd2, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EAGAIN, plain_read(fd2, &c, 1));
	arg.flags = IPCX_NONBLOCK;
	fd = obj_create(self->dev, &arg);
	EXPECT_EQ(O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EAGAIN, plain_read(fd, &c, 1));
}

/* fstat(2), fchmod(2), fchown(2). */

TEST_F(file, fstat_tells_a_fifo)
{
	struct ipcx_stat st;
	struct stat fs;
	int fd;

	fd = pipe_create_mode(self->dev, self->name, TRANSIENT, RDWR, 0604);
	ASSERT_GE(fd, 0);
	memset(&fs, POISON, sizeof(fs));
	ASSERT_EQ(0, fstat(fd, &fs));
	EXPECT_EQ(S_IFIFO | 0604, fs.st_mode);
	EXPECT_EQ(geteuid(), fs.st_uid);
	EXPECT_EQ(getegid(), fs.st_gid);
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_LE(st.created_ns / 1000000000, (uint64_t)fs.st_ctime);
}

TEST_F(file, objects_have_inodes_of_their_own)
{
	struct stat a, b, c;
	int fd, fd2, other;

	fd = pipe_create(self->dev, NULL, TRANSIENT, RDWR);
	other = pipe_create(self->dev, NULL, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_GE(other, 0);
	fd2 = fd_open(fd, NONE, 0);
	ASSERT_EQ(0, fstat(fd, &a));
	ASSERT_EQ(0, fstat(other, &b));
	ASSERT_EQ(0, fstat(fd2, &c));
	EXPECT_NE(a.st_ino, b.st_ino);
	EXPECT_EQ(a.st_ino, c.st_ino);
	EXPECT_EQ(a.st_dev, b.st_dev);
}

TEST_F(file, fchmod_changes_the_mode)
{
	struct ipcx_stat before, after;
	struct stat fs;
	mode_t mode;
	int fd;

	fd = pipe_create(self->dev, self->name, TRANSIENT, NONE);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &before));
	for (mode = 0; mode <= 0777; mode += 73) {
		ASSERT_EQ(0, fchmod(fd, mode));
		ASSERT_EQ(0, fd_stat(fd, &after));
		EXPECT_EQ(mode, after.mode);
		ASSERT_EQ(0, fstat(fd, &fs));
		EXPECT_EQ(S_IFIFO | mode, fs.st_mode);
	}
	EXPECT_LE(before.changed_ns, after.changed_ns);
	EXPECT_EQ(before.created_ns, after.created_ns);
	EXPECT_EQ(before.uid, after.uid);
	/* there is no such thing as a set-uid pipe */
	fchmod(fd, 07777);
	ASSERT_EQ(0, fd_stat(fd, &after));
	EXPECT_GE(0777, after.mode);
}

TEST_F(file, fchown_changes_the_owner)
{
	struct ipcx_stat before, after;
	struct stat fs;
	int fd;

	fd = pipe_create(self->dev, self->name, TRANSIENT, NONE);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &before));
	ASSERT_EQ(0, fchown(fd, UID_A, -1));
	ASSERT_EQ(0, fd_stat(fd, &after));
	EXPECT_EQ(UID_A, after.uid);
	EXPECT_EQ(before.gid, after.gid);
	ASSERT_EQ(0, fchown(fd, -1, GID_B));
	ASSERT_EQ(0, fd_stat(fd, &after));
	EXPECT_EQ(UID_A, after.uid);
	EXPECT_EQ(GID_B, after.gid);
	EXPECT_EQ(before.creator_uid, after.creator_uid);
	EXPECT_EQ(before.creator_gid, after.creator_gid);
	EXPECT_LE(before.changed_ns, after.changed_ns);
	ASSERT_EQ(0, fstat(fd, &fs));
	EXPECT_EQ(UID_A, fs.st_uid);
	EXPECT_EQ(GID_B, fs.st_gid);
}

TEST_F(file, a_pipe_is_no_regular_file)
{
	char c;
	int fd;

	fd = pipe_create(self->dev, NULL, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-1, lseek(fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pread(fd, &c, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pwrite(fd, "x", 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, ftruncate(fd, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(ENODEV, errno);
}

/* The process's table of files. */

/* No further descriptor can be had after this. */
static void fill_file_table(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 64;
	setrlimit(RLIMIT_NOFILE, &limit);
	while (dup(0) >= 0 || dup(2) >= 0)
		;
}

TEST_F(file, emfile_leaves_nothing)
{
	struct ipcx_create arg;
	struct ipcx_query before, after;
	struct ipcx_stat st;
	uint32_t lifetime;

	ASSERT_GE(ready_pipe(self->dev, self->name), 0);
	fill_file_table();
	ASSERT_EQ(0, dev_query(self->dev, &before));
	for (lifetime = TRANSIENT; lifetime <= OWNED; lifetime++) {
		arg = pipe_arg(self->other, lifetime, RDWR);
		EXPECT_EQ(-EMFILE, obj_create(self->dev, &arg));
		EXPECT_EQ(-ENOENT, name_stat(self->dev, self->other, &st));
		arg = pipe_arg(NULL, lifetime, RDWR);
		EXPECT_EQ(-EMFILE, obj_create(self->dev, &arg));
	}
	ASSERT_EQ(0, dev_query(self->dev, &after));
	EXPECT_TRUE(same_accounts(&before, &after));
	EXPECT_EQ(-EMFILE, name_open(self->dev, self->name, RDWR, 0));
	arg = pipe_arg(self->name, PERSISTENT, RDWR);
	arg.flags = IPCX_OR_OPEN;
	EXPECT_EQ(-EMFILE, obj_create(self->dev, &arg));
	EXPECT_TRUE(still_ready(self->dev, self->name));
}

/* The system's table of files is full for all but root. */
TEST_F(file, enfile_leaves_nothing)
{
	struct ipcx_query before;
	uint32_t lifetime;
	int fd;

	fd = pipe_create_mode(self->dev, self->name, PERSISTENT, RDWR, 0666);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(1, fd_write(fd, "x", 1, 0));
	ASSERT_EQ(0, file_write(FILE_MAX, "0"));
	as_user(UID_A, GID_A) {
		before = accounts(self->dev);
		for (lifetime = TRANSIENT; lifetime <= OWNED; lifetime++) {
			EXPECT_EQ(-ENFILE, pipe_create(self->dev, NULL,
						       lifetime, RDWR));
			EXPECT_EQ(-ENFILE, pipe_create(self->dev, self->other,
						       lifetime, RDWR));
			EXPECT_EQ(-ENOENT, name_unlink(self->dev, self->other));
		}
		EXPECT_EQ(-ENFILE, name_open(self->dev, self->name, RDWR, 0));
		EXPECT_EQ(-ENFILE, fd_open(fd, RDWR, 0));
		EXPECT_TRUE(accounts_are(self->dev, &before));
		EXPECT_TRUE(still_ready(self->dev, self->name));
	}
}

TEST_F(file, fork_shares_the_file)
{
	struct baton go;
	struct ipcx_stat st;
	pid_t pid;
	int fd;

	ASSERT_EQ(0, baton_init(&go));
	fd = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		EXPECT_TRUE(baton_take(&go));
		EXPECT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(1, st.opens);
		EXPECT_EQ(2, fd_read(fd, &st, 2, 0));
		_exit(0);
	}
	EXPECT_EQ(2, fd_write(fd, "xy", 2, 0));
	close(fd);
	EXPECT_EQ(0, name_stat(self->dev, self->name, &st));
	baton_give(&go);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(-ENOENT, name_stat(self->dev, self->name, &st));
}

TEST_F(file, files_travel_over_sockets)
{
	struct ipcx_stat st;
	int sock[2], fd, got;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sock));
	fd = pipe_create(self->dev, self->name, TRANSIENT, WRITE);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, send_fd(sock[0], fd));
	close(fd);
	/* nobody but the socket has it now */
	EXPECT_EQ(0, name_stat(self->dev, self->name, &st));
	EXPECT_EQ(1, st.opens);
	as_user(UID_A, GID_A) {
		got = recv_fd(sock[1]);
		ASSERT_GE(got, 0);
		/* what the file was opened for, whatever the mode says */
		EXPECT_EQ(1, fd_write(got, "x", 1, IPCX_NONBLOCK));
		EXPECT_EQ(-EBADF, fd_read(got, one_byte, 1, 0));
		EXPECT_EQ(-EACCES, fd_open(got, WRITE, IPCX_NONBLOCK));
	}
	EXPECT_EQ(-ENOENT, name_stat(self->dev, self->name, &st));
}

TEST_F(file, files_lost_in_a_socket_are_closed)
{
	struct ipcx_stat st;
	int sock[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sock));
	fd = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, send_fd(sock[0], fd));
	close(fd);
	close(sock[0]);
	close(sock[1]);
	EXPECT_TRUE(wait_until(name_stat(self->dev, self->name, &st) ==
			       -ENOENT));
}

/* /proc. */

static void read_fdinfo(int fd, char *text, size_t size)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	text[f ? fread(text, 1, size - 1, f) : 0] = 0;
	if (f)
		fclose(f);
}

/* Is there a line "ipcx...: VALUE"? */
static bool fdinfo_has(const char *text, const char *value)
{
	const char *line, *p;
	size_t len = strlen(value);

	for (line = text; line && *line; line = p ? p + 1 : NULL) {
		p = strchr(line, '\n');
		if (strncmp(line, "ipcx", 4) || !strchr(line, ':'))
			continue;
		line = strchr(line, ':') + 1;
		line += strspn(line, " \t");
		if (!strncmp(line, value, len) && line[len] == '\n')
			return true;
	}
	return false;
}

TEST_F(file, fdinfo_tells_id_type_and_name)
{
	char text[4096], id[16];
	int fd;

	fd = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	read_fdinfo(fd, text, sizeof(text));
	snprintf(id, sizeof(id), "%u", fd_id(fd));
	EXPECT_TRUE(fdinfo_has(text, id)) {
		TH_LOG("%s", text);
	}
	EXPECT_TRUE(fdinfo_has(text, "pipe"));
	EXPECT_TRUE(fdinfo_has(text, self->name));
}

/* A name cannot fake a line. */
TEST_F(file, fdinfo_escapes_names)
{
	static const char name[] = "x\nipcx-id:\t999999999";
	struct ipcx_create arg = pipe_arg(name, TRANSIENT, RDWR);
	char text[4096];
	int fd;

	fd = obj_create(self->dev, &arg);
	ASSERT_GE(fd, 0);
	read_fdinfo(fd, text, sizeof(text));
	EXPECT_LT(0, strlen(text));
	EXPECT_FALSE(fdinfo_has(text, "999999999"));
}

TEST_F(file, proc_reopens_under_the_mode)
{
	struct ipcx_stat st;
	int fd;

	in_child() {
		become_user(UID_A, GID_A);
		fd = pipe_create_mode(self->dev, NULL, TRANSIENT, RDWR, 0400);
		ASSERT_GE(fd, 0);
		EXPECT_LE(0, proc_reopen(fd, O_RDONLY | O_NONBLOCK));
		EXPECT_EQ(-EACCES, proc_reopen(fd, O_WRONLY | O_NONBLOCK));
		EXPECT_EQ(-EACCES, proc_reopen(fd, O_RDWR | O_NONBLOCK));
		ASSERT_EQ(0, fd_stat(fd, &st));
		EXPECT_EQ(2, st.opens);
		EXPECT_EQ(2, st.readers);
		EXPECT_EQ(1, st.writers);
		ASSERT_EQ(0, fchmod(fd, 0200));
		EXPECT_EQ(-EACCES, proc_reopen(fd, O_RDONLY | O_NONBLOCK));
		EXPECT_LE(0, proc_reopen(fd, O_WRONLY | O_NONBLOCK));
		EXPECT_EQ(-EACCES, proc_reopen(fd, O_RDWR | O_NONBLOCK));
		ASSERT_EQ(0, fchmod(fd, 0));
		EXPECT_EQ(-EACCES, proc_reopen(fd, O_RDONLY | O_NONBLOCK));
	}
}

/* A read-only file handed to a stranger must not become a writable one. */
TEST_F(file, proc_reopens_never_beyond_the_mode)
{
	int fd, ro;

	fd = pipe_create_mode(self->dev, NULL, TRANSIENT, RDWR, 0604);
	ASSERT_GE(fd, 0);
	ro = fd_open(fd, READ, 0);
	ASSERT_GE(ro, 0);
	as_user(UID_A, GID_A) {
		EXPECT_LE(0, proc_reopen(ro, O_RDONLY | O_NONBLOCK));
		EXPECT_EQ(-EACCES, proc_reopen(ro, O_WRONLY | O_NONBLOCK));
		EXPECT_EQ(-EACCES, proc_reopen(ro, O_RDWR | O_NONBLOCK));
	}
	ASSERT_EQ(0, fchmod(fd, 0600));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(-EACCES, proc_reopen(ro, O_RDONLY | O_NONBLOCK));
	}
}

TEST_F(file, proc_reopened_files_work)
{
	struct ipcx_stat a, b;
	char c;
	int fd, r, w;

	fd = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	r = proc_reopen(fd, O_RDONLY);
	w = proc_reopen(fd, O_WRONLY | O_NONBLOCK);
	ASSERT_GE(r, 0);
	ASSERT_GE(w, 0);
	ASSERT_EQ(0, fd_stat(fd, &a));
	ASSERT_EQ(0, fd_stat(r, &b));
	EXPECT_EQ(a.id, b.id);
	EXPECT_EQ(3, b.opens);
	EXPECT_EQ(2, b.readers);
	EXPECT_EQ(2, b.writers);
	EXPECT_EQ(-EBADF, plain_read(w, &c, 1));
	EXPECT_EQ(-EBADF, plain_write(r, "x", 1));
	EXPECT_EQ(1, plain_write(w, "x", 1));
	EXPECT_EQ(1, fd_read(r, &c, 1, 0));
	EXPECT_EQ('x', c);
	EXPECT_EQ(O_NONBLOCK, fcntl(w, F_GETFL) & O_NONBLOCK);
	close(fd);
	close(r);
	/* the last file is as good as the first */
	EXPECT_EQ(0, name_stat(self->dev, self->name, &a));
	EXPECT_EQ(1, a.opens);
	close(w);
	EXPECT_EQ(-ENOENT, name_stat(self->dev, self->name, &a));
}

/* echo x >/dev/fd/N, cat /dev/fd/N */
TEST_F(file, shells_reopen_files)
{
	int fd, shell;
	char c;

	fd = pipe_create(self->dev, NULL, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(1, fd_write(fd, "a", 1, 0));
	shell = proc_reopen(fd, O_WRONLY | O_CREAT | O_TRUNC);
	ASSERT_GE(shell, 0);
	EXPECT_EQ(1, plain_write(shell, "b", 1));
	close(shell);
	shell = proc_reopen(fd, O_WRONLY | O_CREAT | O_APPEND);
	ASSERT_GE(shell, 0);
	EXPECT_EQ(1, plain_write(shell, "c", 1));
	shell = proc_reopen(fd, O_RDONLY);
	ASSERT_GE(shell, 0);
	EXPECT_EQ(1, plain_read(shell, &c, 1));
	EXPECT_EQ('a', c);
	EXPECT_EQ(1, plain_read(shell, &c, 1));
	EXPECT_EQ('b', c);
	EXPECT_EQ(1, plain_read(shell, &c, 1));
	EXPECT_EQ('c', c);
}

TEST_F(file, path_files_do_nothing)
{
	struct ipcx_stat st;
	int fd, path;
	char c;

	fd = pipe_create(self->dev, self->name, TRANSIENT, RDWR);
	ASSERT_GE(fd, 0);
	path = proc_reopen(fd, O_PATH);
	ASSERT_GE(path, 0);
	EXPECT_EQ(-EBADF, fd_stat(path, &st));
	EXPECT_EQ(-EBADF, plain_read(path, &c, 1));
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_EQ(1, st.opens);
	EXPECT_LE(0, proc_reopen(path, O_RDWR));
}

/* It is no user of the object, and opens nothing that is dead. */
TEST_F(file, path_files_outlive_the_object)
{
	uint32_t lifetime;
	int fd, path;
	struct ipcx_query before, after;
	struct ipcx_stat st;
	struct stat fs;

	ASSERT_EQ(0, dev_query(self->dev, &before));
	for (lifetime = TRANSIENT; lifetime <= OWNED; lifetime++) {
		fd = pipe_create(self->dev, self->name, lifetime, RDWR);
		ASSERT_GE(fd, 0);
		path = proc_reopen(fd, O_PATH);
		ASSERT_GE(path, 0);
		ASSERT_EQ(0, fd_unlink(fd));
		close(fd);
		EXPECT_EQ(-ENOENT, name_stat(self->dev, self->name, &st));
		EXPECT_GT(0, proc_reopen(path, O_RDONLY | O_NONBLOCK));
		EXPECT_GT(0, proc_reopen(path, O_RDWR));
		EXPECT_EQ(0, fstat(path, &fs));
		EXPECT_TRUE(S_ISFIFO(fs.st_mode));
		close(path);
	}
	ASSERT_EQ(0, dev_query(self->dev, &after));
	EXPECT_TRUE(same_accounts(&before, &after));
}

/* A persistent object without files is opened through its path. */
TEST_F(file, path_files_lead_to_a_linked_object)
{
	struct ipcx_stat st;
	int fd, path;

	fd = pipe_create(self->dev, self->name, PERSISTENT, RDWR);
	ASSERT_GE(fd, 0);
	path = proc_reopen(fd, O_PATH);
	ASSERT_GE(path, 0);
	close(fd);
	fd = proc_reopen(path, O_RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_STREQ(self->name, st.name);
	EXPECT_EQ(1, st.opens);
}

TEST_HARNESS_MAIN
