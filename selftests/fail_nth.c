// SPDX-License-Identifier: GPL-2.0
/*
 * Every call with each of its allocations failing in turn, then with each of its
 * copies from and to user memory. See fail_nth_test.h.
 */
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "fail_nth_test.h"

/* A capacity, what is less but is copied in several pieces, and what is atomic. */
#define CAPACITY	(1 << 18)
#define MANY		200000
#define FEW		100

/* So many pieces that they don't fit the kernel's stack. */
#define PIECES		20

static char pattern[MANY];
static char data[MANY];

__attribute__((constructor)) static void pattern_init(void)
{
	int i;

	for (i = 0; i < MANY; i++)
		pattern[i] = i ^ i >> 8;
}

/* The pipe's contents: always the pattern's beginning. */

static int drain(struct stage *s)
{
	int ret, have = 0;

	while (have < MANY) {
		ret = fd_read(s->fd, data + have, MANY - have, IPCX_NONBLOCK);
		if (ret <= 0)
			break;
		have += ret;
	}
	return have;
}

static void hold(struct stage *s, int bytes)
{
	struct ipcx_stat st;

	if (!fd_stat(s->fd, &st) && st.used_bytes == (unsigned int)bytes)
		return;
	drain(s);
	fd_write(s->fd, pattern, bytes, IPCX_NONBLOCK);
}

/* A persistent pipe with a name. */
static bool stage_pipe(struct stage *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = pipe_create_sized(s->dev, s->name, PERSISTENT, RDWR, CAPACITY);
	if (s->fd < 0)
		return false;
	hold(s, FEW);
	return !fd_stat(s->fd, &s->st);
}

/* Does what a call within a child of its own, which it may spoil. */
static int in_actor(struct stage *s, int (*act)(struct stage *s))
{
	pid_t pid = fork();
	int ret;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* While it has the right to. */
		fail_ctl();
		s->made = act(s);
		_exit(0);
	}
	ret = reap(pid);
	return ret ? -ECHILD : s->made;
}

/* CREATE */

static int create(struct stage *s, struct ipcx_create arg)
{
	int fd = armed(s, ipc_ioctl(s->dev, IPCX_IOC_CREATE, &arg));

	if (fd >= 0)
		track_object(&arg, fd);
	return fd;
}

static int create_transient(struct stage *s)
{
	return create(s, pipe_arg(s->other, TRANSIENT, RDWR));
}

static int create_persistent(struct stage *s)
{
	return create(s, pipe_arg(s->other, PERSISTENT, RDWR));
}

static int create_owned(struct stage *s)
{
	return create(s, pipe_arg(s->other, OWNED, RDWR));
}

static int create_nameless(struct stage *s)
{
	return create(s, pipe_arg(NULL, TRANSIENT, RDWR));
}

static int create_nameless_persistent(struct stage *s)
{
	return create(s, pipe_arg(NULL, PERSISTENT, RDWR));
}

static int create_nameless_owned(struct stage *s)
{
	return create(s, pipe_arg(NULL, OWNED, RDWR));
}

static int create_with_params(struct stage *s)
{
	struct ipcx_create arg = pipe_arg(s->other, PERSISTENT, RDWR);
	struct ipcx_pipe_params params = { .capacity_bytes = 1 << 20 };

	arg.params = (uintptr_t)&params;
	arg.params_size = sizeof(params);
	return create(s, arg);
}

static int create_or_open(struct stage *s, const char *name)
{
	struct ipcx_create arg = pipe_arg(name, PERSISTENT, RDWR);

	arg.flags = IPCX_OR_OPEN;
	return create(s, arg);
}

static int create_or_open_new(struct stage *s)
{
	return create_or_open(s, s->other);
}

static int create_or_open_old(struct stage *s)
{
	return create_or_open(s, s->name);
}

/* With accounts for two users whom nobody has charged yet. */
static int create_as_users_act(struct stage *s)
{
	int fd;

	if (setresgid(GID_A, GID_A, GID_A) || setresuid(UID_A, UID_B, 0) ||
	    unshare(CLONE_NEWUSER))
		return -EPROTO;
	fd = create(s, pipe_arg(NULL, TRANSIENT, RDWR));
	return fd < 0 ? fd : !(fd_write(fd, "x", 1, 0) == 1);
}

static int create_as_users(struct stage *s)
{
	return in_actor(s, create_as_users_act);
}

static bool undo_zero(struct stage *s, int ret)
{
	(void)s;
	return ret == 0;
}

static bool undo_create(struct stage *s, int fd)
{
	bool right = fd_write(fd, "x", 1, IPCX_NONBLOCK) == 1 &&
		     fd_id(fd) != s->st.id;

	right = !fd_remove(fd) && right;
	close(fd);
	return right;
}

/* OPEN */

static int open_by(struct stage *s, int fd, struct ipcx_ref ref,
		   uint32_t access)
{
	return armed(s, ref_open(fd, ref, access, IPCX_NONBLOCK));
}

static int open_none(struct stage *s)
{
	return open_by(s, s->dev, ref_name(s->name), NONE);
}

static int open_read(struct stage *s)
{
	return open_by(s, s->dev, ref_name(s->name), READ);
}

static int open_write(struct stage *s)
{
	return open_by(s, s->dev, ref_name(s->name), WRITE);
}

static int open_rdwr(struct stage *s)
{
	return open_by(s, s->dev, ref_name(s->name), RDWR);
}

static int open_by_id(struct stage *s)
{
	return open_by(s, s->dev, ref_id(s->st.id), RDWR);
}

static int open_by_fd(struct stage *s)
{
	return open_by(s, s->fd, ref_self(), RDWR);
}

static int reopen(struct stage *s, int flags)
{
	return armed(s, proc_reopen(s->fd, flags | O_NONBLOCK));
}

static int reopen_read(struct stage *s)
{
	return reopen(s, O_RDONLY);
}

static int reopen_write(struct stage *s)
{
	return reopen(s, O_WRONLY);
}

static int reopen_rdwr(struct stage *s)
{
	return reopen(s, O_RDWR);
}

static bool undo_open(struct stage *s, int fd)
{
	bool right = fd_id(fd) == s->st.id;

	close(fd);
	return right;
}

static int close_transient(struct stage *s)
{
	int fd = pipe_create(s->dev, s->other, TRANSIENT, RDWR);

	return armed(s, close(fd) ? -errno : 0);
}

/* UNLINK, REMOVE */

static int unlink_by_name(struct stage *s)
{
	return armed(s, name_unlink(s->dev, s->name));
}

static int unlink_by_id(struct stage *s)
{
	return armed(s, id_unlink(s->dev, s->st.id));
}

static int unlink_by_fd(struct stage *s)
{
	return armed(s, fd_unlink(s->fd));
}

static bool undo_unlink(struct stage *s, int ret)
{
	struct ipcx_stat st;

	return ret == 0 && name_stat(s->dev, s->name, &st) == -ENOENT &&
	       !fd_stat(s->fd, &st) && stage_pipe(s);
}

static int remove_by_name(struct stage *s)
{
	return armed(s, name_remove(s->dev, s->name));
}

static int remove_by_id(struct stage *s)
{
	return armed(s, id_remove(s->dev, s->st.id));
}

static int remove_by_fd(struct stage *s)
{
	return armed(s, fd_remove(s->fd));
}

static bool undo_remove(struct stage *s, int ret)
{
	struct ipcx_stat st;

	return ret == 0 && name_stat(s->dev, s->name, &st) == -ENOENT &&
	       fd_stat(s->fd, &st) == -EIDRM && stage_pipe(s);
}

/* QUERY, STAT */

static int query(struct stage *s)
{
	struct ipcx_query q;

	return armed(s, dev_query(s->dev, &q));
}

static int stat_by(struct stage *s, int fd, struct ipcx_ref ref)
{
	struct ipcx_stat st;
	int ret = armed(s, ref_stat(fd, ref, &st));

	return ret ? ret : st.cookie != s->st.cookie;
}

static int stat_by_name(struct stage *s)
{
	return stat_by(s, s->dev, ref_name(s->name));
}

static int stat_by_id(struct stage *s)
{
	return stat_by(s, s->dev, ref_id(s->st.id));
}

static int stat_by_fd(struct stage *s)
{
	return stat_by(s, s->fd, ref_self());
}

/* READ, WRITE: what has been moved, be it less than asked for, and what is left. */

static int read_few(struct stage *s)
{
	hold(s, FEW);
	return armed(s, plain_read(s->fd, data, FEW));
}

static int read_many(struct stage *s)
{
	hold(s, MANY);
	return armed(s, plain_read(s->fd, data, MANY));
}

static int read_pieces(struct stage *s)
{
	struct iovec iov[PIECES];
	int i;

	hold(s, FEW);
	for (i = 0; i < PIECES; i++)
		iov[i] = (struct iovec) { data + i * (FEW / PIECES),
					  FEW / PIECES };
	i = armed(s, readv(s->fd, iov, PIECES));
	return i < 0 ? -errno : i;
}

static int read_by(struct stage *s, int fd, struct ipcx_ref ref)
{
	hold(s, FEW);
	return armed(s, ref_read(fd, ref, data, FEW, 0));
}

static int read_by_fd(struct stage *s)
{
	return read_by(s, s->fd, ref_self());
}

static int read_by_id(struct stage *s)
{
	return read_by(s, s->dev, ref_id(s->st.id));
}

static int read_by_name(struct stage *s)
{
	return read_by(s, s->dev, ref_name(s->name));
}

static bool undo_read_of(struct stage *s, int ret, int bytes)
{
	bool right = ret > 0 && !memcmp(data, pattern, ret) &&
		     drain(s) == bytes - ret &&
		     !memcmp(data, pattern + ret, bytes - ret);

	hold(s, bytes);
	return right && (s->hit || ret == bytes);
}

static bool undo_read(struct stage *s, int ret)
{
	return undo_read_of(s, ret, FEW);
}

static bool undo_read_many(struct stage *s, int ret)
{
	return undo_read_of(s, ret, MANY);
}

static int write_few(struct stage *s)
{
	hold(s, 0);
	return armed(s, plain_write(s->fd, pattern, FEW));
}

static int write_many(struct stage *s)
{
	hold(s, 0);
	return armed(s, plain_write(s->fd, pattern, MANY));
}

static int write_pieces(struct stage *s)
{
	struct iovec iov[PIECES];
	int i;

	hold(s, 0);
	for (i = 0; i < PIECES; i++)
		iov[i] = (struct iovec) { pattern + i * (FEW / PIECES),
					  FEW / PIECES };
	i = armed(s, writev(s->fd, iov, PIECES));
	return i < 0 ? -errno : i;
}

static int write_by(struct stage *s, int fd, struct ipcx_ref ref)
{
	hold(s, 0);
	return armed(s, ref_write(fd, ref, pattern, FEW, 0));
}

static int write_by_fd(struct stage *s)
{
	return write_by(s, s->fd, ref_self());
}

static int write_by_id(struct stage *s)
{
	return write_by(s, s->dev, ref_id(s->st.id));
}

static int write_by_name(struct stage *s)
{
	return write_by(s, s->dev, ref_name(s->name));
}

static bool undo_write_of(struct stage *s, int ret, int bytes)
{
	return drain(s) == ret && !memcmp(data, pattern, ret) &&
	       (ret == bytes || (s->hit && ret > PIPE_BUF));
}

static bool undo_write(struct stage *s, int ret)
{
	return undo_write_of(s, ret, FEW);
}

static bool undo_write_many(struct stage *s, int ret)
{
	return undo_write_of(s, ret, MANY);
}

static int fionread(struct stage *s)
{
	int bytes = 0, ret = armed(s, ipc_ioctl(s->fd, FIONREAD, &bytes));

	return ret ? ret : bytes != FEW;
}

/* RESIZE */

static int resize(int fd, struct ipcx_ref ref, uint64_t bytes)
{
	struct ipcx_resize arg = {
		.ref = ref, .bytes = bytes, .deadline = deadline_patience(),
	};

	return ipc_ioctl(fd, IPCX_IOC_RESIZE, &arg);
}

static int grow_by_name(struct stage *s)
{
	return armed(s, resize(s->dev, ref_name(s->name), 4 * CAPACITY));
}

static int grow_by_id(struct stage *s)
{
	return armed(s, resize(s->dev, ref_id(s->st.id), 4 * CAPACITY));
}

static int shrink_by_fd(struct stage *s)
{
	return armed(s, resize(s->fd, ref_self(), CAPACITY / 4));
}

static bool undo_resize(struct stage *s, int ret)
{
	struct ipcx_stat st;
	bool right = ret == 0 && !fd_stat(s->fd, &st) &&
		     st.capacity_bytes != CAPACITY && drain(s) == FEW &&
		     !memcmp(data, pattern, FEW);

	hold(s, FEW);
	return right && !resize(s->fd, ref_self(), CAPACITY);
}

/* splice(2) and sendfile(2): in what one pipe has lost the other has won. */

/* To the end of a pipe(2): how much of the pattern it has, from @at. */
static int plain_drain(int fd, int at)
{
	static char buf[MANY];
	int have = 0, ret;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((ret = read(fd, buf + have, MANY - have)) > 0)
		have += ret;
	return memcmp(buf, pattern + at, have) ? -EILSEQ : have;
}

static int splice_out(struct stage *s)
{
	int fds[2], ret;

	hold(s, MANY);
	if (pipe2(fds, O_CLOEXEC))
		return -EPROTO;
	ret = armed(s, splice(s->fd, NULL, fds[1], NULL, MANY, 0));
	ret = ret < 0 ? -errno : ret;
	if (plain_drain(fds[0], 0) != (ret < 0 ? 0 : ret))
		ret = -EPROTO;
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static bool undo_splice_out(struct stage *s, int ret)
{
	bool right = ret > 0 && drain(s) == MANY - ret &&
		     !memcmp(data, pattern + ret, MANY - ret);

	hold(s, MANY);
	return right;
}

static int splice_in(struct stage *s)
{
	int fds[2], ret;

	hold(s, 0);
	if (pipe2(fds, O_CLOEXEC) || write(fds[1], pattern, FEW) != FEW)
		return -EPROTO;
	ret = armed(s, splice(fds[0], NULL, s->fd, NULL, FEW, 0));
	ret = ret < 0 ? -errno : ret;
	if (plain_drain(fds[0], 0) != (ret < 0 ? FEW : 0))
		ret = -EPROTO;
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static int send_file_act(struct stage *s)
{
	int file = memfd_create("pattern", MFD_CLOEXEC), ret;

	if (write(file, pattern, MANY) != MANY || lseek(file, 0, SEEK_SET))
		return -EPROTO;
	ret = armed(s, sendfile(s->fd, file, NULL, MANY));
	ret = ret < 0 ? -errno : ret;
	return lseek(file, 0, SEEK_CUR) == (ret < 0 ? 0 : ret) ? ret : -EPROTO;
}

/* A process keeps the pipe that its first sendfile(2) has made. */
static int send_file(struct stage *s)
{
	hold(s, 0);
	return in_actor(s, send_file_act);
}

/* Waiting for readiness */

#define POLLED	64

/* For bytes that don't come: who finds something ready has no need to wait. */
static int poll_many(struct stage *s)
{
	struct pollfd p[POLLED];
	int i, ret;

	hold(s, 0);
	for (i = 0; i < POLLED; i++)
		p[i] = (struct pollfd) { .fd = s->fd, .events = POLLIN };
	ret = armed(s, poll(p, POLLED, 1));
	return ret < 0 ? -errno : ret;
}

static int select_one(struct stage *s)
{
	struct timeval soon = { .tv_usec = 1000 };
	fd_set in;
	int ret;

	hold(s, 0);
	FD_ZERO(&in);
	FD_SET(s->fd, &in);
	ret = armed(s, select(s->fd + 1, &in, NULL, NULL, &soon));
	return ret < 0 ? -errno : ret;
}

static int epoll_add(struct stage *s)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ret, ep = epoll_create1(EPOLL_CLOEXEC);

	hold(s, FEW);
	ret = armed(s, epoll_ctl(ep, EPOLL_CTL_ADD, s->fd, &ev) ? -errno : 0);
	if (ret)
		close(ep);
	s->made = ep;
	return ret;
}

static bool undo_epoll_add(struct stage *s, int ret)
{
	struct epoll_event ev;
	int n = epoll_wait(s->made, &ev, 1, 0);

	close(s->made);
	return ret == 0 && n == 1 && ev.events == EPOLLIN;
}

static volatile sig_atomic_t sigios;

static void count_sigio(int sig)
{
	(void)sig;
	sigios++;
}

/* Does the next byte that comes make a signal? */
static bool signals(int fd)
{
	sigios = 0;
	fd_write(fd, "x", 1, 0);
	return sigios;
}

/* A new pipe each time, for both sides of it take the file in, or none. */
static int set_async(struct stage *s)
{
	int fd = pipe_create(s->dev, NULL, TRANSIENT, RDWR), ret;

	signal(SIGIO, count_sigio);
	if (fcntl(fd, F_SETOWN, getpid()))
		return -EPROTO;
	ret = armed(s, fcntl(fd, F_SETFL, O_ASYNC) ? -errno : 0);
	if (ret) {
		if (fcntl(fd, F_GETFL) & O_ASYNC || signals(fd))
			ret = -EPROTO;
		close(fd);
	}
	s->made = fd;
	return ret;
}

static bool undo_set_async(struct stage *s, int ret)
{
	bool right = ret == 0 && signals(s->made) &&
		     !fcntl(s->made, F_SETFL, 0) && !signals(s->made);

	close(s->made);
	return right;
}

/* What any file can do */

static int change_mode(struct stage *s)
{
	return armed(s, fchmod(s->fd, 0640) ? -errno : 0);
}

static bool undo_change_mode(struct stage *s, int ret)
{
	struct ipcx_stat st;

	return ret == 0 && !fd_stat(s->fd, &st) && st.mode == 0640 &&
	       !fchmod(s->fd, 0600);
}

static int change_owner(struct stage *s)
{
	return armed(s, fchown(s->fd, UID_A, GID_A) ? -errno : 0);
}

static bool undo_change_owner(struct stage *s, int ret)
{
	struct ipcx_stat st;

	return ret == 0 && !fd_stat(s->fd, &st) && st.uid == UID_A &&
	       st.gid == GID_A && !fchown(s->fd, 0, 0);
}

static int plain_stat(struct stage *s)
{
	struct stat st;
	int ret = armed(s, fstat(s->fd, &st) ? -errno : 0);

	return ret ? ret : st.st_size != FEW;
}

static int copy_fd(struct stage *s)
{
	int fd = armed(s, dup(s->fd));

	return fd < 0 ? -errno : fd;
}

static int read_fdinfo(struct stage *s)
{
	char path[64], text[1024];
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", s->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = armed(s, plain_read(fd, text, sizeof(text) - 1));
	close(fd);
	if (ret < 0)
		return ret;
	text[ret] = 0;
	return !strstr(text, s->name);
}

/* A message that fails takes no file along, one that is lost leaves none. */
static int pass_on(struct stage *s)
{
	int sock[2], ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return -EPROTO;
	ret = armed(s, send_fd(sock[0], s->fd));
	s->made = ret ? -1 : recv_fd(sock[1]);
	close(sock[0]);
	close(sock[1]);
	return ret;
}

static bool undo_pass_on(struct stage *s, int ret)
{
	return ret == 0 && undo_open(s, s->made);
}

static int receive(struct stage *s)
{
	int sock[2], ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) ||
	    send_fd(sock[0], s->fd))
		return -EPROTO;
	ret = armed(s, recv_fd(sock[1]));
	close(sock[0]);
	close(sock[1]);
	return ret;
}

static int open_device(struct stage *s)
{
	return armed(s, dev_open());
}

static bool undo_open_device(struct stage *s, int dev)
{
	int fd = pipe_create(dev, s->other, TRANSIENT, RDWR);

	close(fd);
	close(dev);
	return fd >= 0;
}

/* Namespaces, in children */

/* 0 if the device is new here, and works. */
static int use_new_namespace(struct stage *s)
{
	int dev = dev_open();
	int fd = pipe_create(dev, s->name, PERSISTENT, RDWR);

	return fd < 0 || accounts(dev).ns.objects != 1;
}

static int unshare_net_act(struct stage *s)
{
	int ret = armed(s, unshare(CLONE_NEWNET) ? -errno : 0);

	return ret ? ret : use_new_namespace(s);
}

static int unshare_net(struct stage *s)
{
	return in_actor(s, unshare_net_act);
}

static int open_in_new_namespace_act(struct stage *s)
{
	int dev;

	if (unshare(CLONE_NEWNET))
		return -EPROTO;
	dev = armed(s, dev_open());
	return dev < 0 ? dev : use_new_namespace(s);
}

static int open_in_new_namespace(struct stage *s)
{
	return in_actor(s, open_in_new_namespace_act);
}

/* Processes */

__attribute__((noreturn)) static void own_and_exit(struct stage *s)
{
	int dev = dev_open();

	if (pipe_create(dev, s->other, OWNED, RDWR) < 0 ||
	    pipe_create(dev, NULL, OWNED, RDWR) < 0 ||
	    close(pipe_create(dev, NULL, OWNED, RDWR)))
		_exit(1);
	fail_arm(s->nth);
	_exit(0);
}

/* What the dead met can be read until they are waited for. */
static int exit_owner(struct stage *s)
{
	char path[64], text[16] = "";
	struct ipcx_stat st;
	siginfo_t info;
	pid_t pid;

	pid = fork();
	if (!pid)
		own_and_exit(s);
	snprintf(path, sizeof(path), "/proc/%d/fail-nth", pid);
	if (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) ||
	    file_read(path, text, sizeof(text)) <= 0)
		return -EPROTO;
	s->hit = s->nth && !strtoul(text, NULL, 10);
	if (reap(pid))
		return -EPROTO;
	return name_stat(s->dev, s->other, &st) != -ENOENT;
}

/* The table. */

FIXTURE(fail_nth) {
	struct stage *s;
};

FIXTURE_VARIANT(fail_nth) {
	struct trial trial;
	int may;
};

#define ROW(name, undo_, may_, ...)					\
	FIXTURE_VARIANT_ADD(fail_nth, name) {				\
		.trial = { .call = name, .undo = undo_,			\
			   .errors = { __VA_ARGS__ } },			\
		.may = may_,						\
	}

ROW(create_transient, undo_create, MEMORY | COPY);
ROW(create_persistent, undo_create, MEMORY | COPY);
ROW(create_owned, undo_create, MEMORY | COPY);
ROW(create_nameless, undo_create, MEMORY | COPY);
ROW(create_nameless_persistent, undo_create, MEMORY | COPY);
ROW(create_nameless_owned, undo_create, MEMORY | COPY);
ROW(create_with_params, undo_create, MEMORY | COPY);
ROW(create_or_open_new, undo_create, MEMORY | COPY);
ROW(create_or_open_old, undo_open, MEMORY | COPY);
ROW(create_as_users, undo_zero, MEMORY | COPY);

ROW(open_none, undo_open, MEMORY | COPY);
ROW(open_read, undo_open, MEMORY | COPY);
ROW(open_write, undo_open, MEMORY | COPY);
ROW(open_rdwr, undo_open, MEMORY | COPY);
ROW(open_by_id, undo_open, MEMORY | COPY);
ROW(open_by_fd, undo_open, MEMORY | COPY);
ROW(reopen_read, undo_open, MEMORY | COPY);
ROW(reopen_write, undo_open, MEMORY | COPY);
ROW(reopen_rdwr, undo_open, MEMORY | COPY);
ROW(close_transient, undo_zero, 0);

ROW(unlink_by_name, undo_unlink, MEMORY | COPY);
ROW(unlink_by_id, undo_unlink, COPY);
ROW(unlink_by_fd, undo_unlink, COPY);
ROW(remove_by_name, undo_remove, MEMORY | COPY);
ROW(remove_by_id, undo_remove, COPY);
ROW(remove_by_fd, undo_remove, COPY);

ROW(query, undo_zero, COPY);
ROW(stat_by_name, undo_zero, MEMORY | COPY);
ROW(stat_by_id, undo_zero, MEMORY | COPY);
ROW(stat_by_fd, undo_zero, MEMORY | COPY);

ROW(read_few, undo_read, COPY);
ROW(read_many, undo_read_many, COPY);
ROW(read_pieces, undo_read, MEMORY | COPY);
ROW(read_by_fd, undo_read, COPY);
ROW(read_by_id, undo_read, COPY);
ROW(read_by_name, undo_read, MEMORY | COPY);
ROW(write_few, undo_write, COPY);
ROW(write_many, undo_write_many, COPY);
ROW(write_pieces, undo_write, MEMORY | COPY);
ROW(write_by_fd, undo_write, COPY);
ROW(write_by_id, undo_write, COPY);
ROW(write_by_name, undo_write, MEMORY | COPY);
ROW(fionread, undo_zero, 0);

ROW(grow_by_name, undo_resize, MEMORY | COPY);
ROW(grow_by_id, undo_resize, MEMORY | COPY);
ROW(shrink_by_fd, undo_resize, MEMORY | COPY);

ROW(splice_out, undo_splice_out, MEMORY);
ROW(splice_in, undo_write, 0);
ROW(send_file, undo_write_many, MEMORY);

ROW(poll_many, undo_zero, MEMORY | COPY);
ROW(select_one, undo_zero, COPY);
ROW(epoll_add, undo_epoll_add, MEMORY | COPY);
ROW(set_async, undo_set_async, MEMORY);

ROW(change_mode, undo_change_mode, 0);
ROW(change_owner, undo_change_owner, 0);
ROW(plain_stat, undo_zero, COPY);
ROW(copy_fd, undo_open, 0);
ROW(read_fdinfo, undo_zero, MEMORY | COPY);
ROW(pass_on, undo_pass_on, MEMORY | COPY, ENOBUFS);
ROW(receive, undo_open, COPY);

ROW(open_in_new_namespace, undo_zero, MEMORY | COPY);
ROW(exit_owner, undo_zero, 0);

FIXTURE_SETUP(fail_nth)
{
	track_cleanup();
	self->s = stage_make();
	self->s->dev = dev_open();
	ASSERT_GE(self->s->dev, 0);
	ASSERT_TRUE(settled(self->s->dev));
	ASSERT_TRUE(stage_pipe(self->s));
}

FIXTURE_TEARDOWN_PARENT(fail_nth)
{
	track_cleanup();
}

TEST_F_TIMEOUT(fail_nth, memory, 300)
{
	ASSERT_TRUE(fail_setup(FAIL_MEMORY));
	fail_all(_metadata, self->s, FAIL_MEMORY, &variant->trial,
		 variant->may & MEMORY);
}

TEST_F_TIMEOUT(fail_nth, copy, 300)
{
	ASSERT_TRUE(fail_setup(FAIL_COPY));
	fail_all(_metadata, self->s, FAIL_COPY, &variant->trial,
		 variant->may & COPY);
}

FIXTURE(first) {
	struct stage *s;
};

FIXTURE_SETUP(first)
{
	ASSERT_TRUE(fail_setup(FAIL_MEMORY));
	self->s = stage_make();
}

FIXTURE_TEARDOWN(first)
{
	(void)self;
}

/* The first file of all brings the file system. */
TEST_F(first, open)
{
	const struct trial trial = {
		.call = open_device, .undo = undo_open_device,
	};

	fail_all(_metadata, self->s, FAIL_MEMORY, &trial, true);
}

/* Of all that a network namespace needs, what this module adds. */
TEST_F(first, namespace)
{
	const struct trial trial = { .call = unshare_net, .undo = undo_zero };

	ASSERT_TRUE(fail_memory_of("[ipcmod]"));
	fail_all(_metadata, self->s, FAIL_MEMORY, &trial, true);
}

FAIL_NTH_MAIN
