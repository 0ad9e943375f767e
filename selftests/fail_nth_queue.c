// SPDX-License-Identifier: GPL-2.0
/*
 * The commands of queues with each allocation failing in turn, then with each copy
 * from and to user memory. See fail_nth_test.h. What is common to all types, such as
 * UNLINK and STAT, is in fail_nth.c.
 *
 * A call that failed has left every message where it was: what netlink tells doesn't
 * show that, so the calls look themselves, and give EPROTO if not.
 */
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/uio.h>

#include "fail_nth_test.h"

#define MAX_MSGS	64
#define MAX_BYTES	(1 << 18)

/* Bytes of a message, and of one that isn't made of a single piece of memory. */
#define FEW		100
#define LARGE		200000

/* More than are moved at a time. */
#define BATCH		40

/* So many pieces that they don't fit the kernel's stack. */
#define PIECES		20

static char pattern[LARGE + BATCH];
static char data[LARGE + BATCH];
static struct ipcx_msg msgs[BATCH + 1];

/* As many blocks as there can be: each is an allocation's part. */
static const struct ipcx_select wide = {
	.how = IPCX_SELECT_RANGE, .lo = 2, .hi = IPCX_MSG_TYPE_MAX - 1,
};

static const struct ipcx_select any = { .how = IPCX_SELECT_ANY };

__attribute__((constructor)) static void pattern_init(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(pattern); i++)
		pattern[i] = i ^ i >> 8;
}

/* The queue's contents: message i is of the type i + 1, and the pattern from i on. */

static struct ipcx_send sending(int count, size_t len)
{
	int i;

	memset(msgs, 0, sizeof(msgs));
	for (i = 0; i < count; i++) {
		msgs[i].type = i + 1;
		msgs[i].buf = (uintptr_t)(pattern + i);
		msgs[i].len = len;
	}
	return (struct ipcx_send) {
		.msgs = (uintptr_t)msgs,
		.count = count,
		.msg_size = sizeof(*msgs),
		.deadline = deadline_patience(),
	};
}

static struct ipcx_recv receiving(int count, size_t len, uint32_t flags)
{
	int i;

	memset(msgs, POISON, sizeof(msgs));
	memset(data, POISON, sizeof(data));
	for (i = 0; i < count; i++) {
		msgs[i].buf = (uintptr_t)(data + i * len);
		msgs[i].room = len;
	}
	return (struct ipcx_recv) {
		.msgs = (uintptr_t)msgs,
		.count = count,
		.msg_size = sizeof(*msgs),
		.flags = flags,
		.deadline = deadline_patience(),
		.select = any,
	};
}

/* Are the @count messages that have come those from @first on? */
static bool received(int first, int count, size_t len)
{
	int i;

	for (i = 0; i < count; i++) {
		if (msgs[i].type != (uint64_t)first + i + 1 ||
		    msgs[i].len != len || msgs[i].flags ||
		    memcmp(data + i * len, pattern + first + i, len))
			return false;
	}
	return true;
}

/* Does it hold the @count messages from @first on, and no others? */
static bool holds(int fd, int first, int count)
{
	struct ipcx_recv arg = receiving(BATCH + 1, FEW, IPCX_PEEK);
	int ret = ipc_ioctl(fd, IPCX_IOC_RECV, &arg);
	struct ipcx_stat st;

	return (count ? ret == count : ret == -EAGAIN) &&
	       received(first, count, FEW) && !fd_stat(fd, &st) &&
	       st.msgs == (unsigned int)count &&
	       st.used_bytes == (unsigned int)count * FEW;
}

static void purge(int fd)
{
	struct ipcx_purge arg = { .select = any };

	ipc_ioctl(fd, IPCX_IOC_PURGE, &arg);
}

static void hold(struct stage *s, int count)
{
	struct ipcx_send arg;

	if (holds(s->fd, 0, count))
		return;
	purge(s->fd);
	arg = sending(count, FEW);
	if (count)
		ipc_ioctl(s->fd, IPCX_IOC_SEND, &arg);
}

/* The result of a call that, if it failed, must have left @count messages. */
static int left(struct stage *s, int ret, int count)
{
	return ret < 0 && !holds(s->fd, 0, count) ? -EPROTO : ret;
}

static bool has_limits(int fd, uint64_t max_msgs, uint64_t max_bytes)
{
	struct ipcx_stat st;

	return !fd_stat(fd, &st) && st.max_msgs == max_msgs &&
	       st.capacity_bytes == max_bytes;
}

static struct ipcx_create queue_arg(const char *name, uint32_t lifetime,
				    const struct ipcx_queue_params *limits)
{
	struct ipcx_create arg = pipe_arg(name, lifetime, RDWR);

	arg.type = IPCX_TYPE_QUEUE;
	arg.params = (uintptr_t)limits;
	arg.params_size = limits ? sizeof(*limits) : 0;
	return arg;
}

/* A persistent queue with a name. */
static bool stage_queue(struct stage *s)
{
	struct ipcx_queue_params limits = {
		.max_msgs = MAX_MSGS, .max_bytes = MAX_BYTES,
	};
	struct ipcx_create arg = queue_arg(s->name, PERSISTENT, &limits);

	s->fd = obj_create(s->dev, &arg);
	if (s->fd < 0)
		return false;
	hold(s, 0);
	return !fd_stat(s->fd, &s->st);
}

static bool undo_zero(struct stage *s, int ret)
{
	(void)s;
	return ret == 0;
}

/* CREATE, OPEN */

static int create(struct stage *s, struct ipcx_create arg)
{
	int fd = armed(s, ipc_ioctl(s->dev, IPCX_IOC_CREATE, &arg));

	if (fd >= 0)
		track_object(&arg, fd);
	return fd;
}

static int create_transient(struct stage *s)
{
	return create(s, queue_arg(s->other, TRANSIENT, NULL));
}

static int create_persistent(struct stage *s)
{
	struct ipcx_queue_params limits = { .max_msgs = 10 };

	return create(s, queue_arg(s->other, PERSISTENT, &limits));
}

static int create_nameless(struct stage *s)
{
	return create(s, queue_arg(NULL, TRANSIENT, NULL));
}

static bool undo_create(struct stage *s, int fd)
{
	struct ipcx_send arg = sending(3, FEW);
	bool right = ipc_ioctl(fd, IPCX_IOC_SEND, &arg) == 3 && holds(fd, 0, 3) &&
		     fd_id(fd) != s->st.id;

	right = !fd_remove(fd) && right;
	close(fd);
	return right;
}

static int create_or_open_old(struct stage *s)
{
	struct ipcx_create arg = queue_arg(s->name, PERSISTENT, NULL);

	arg.flags = IPCX_OR_OPEN;
	return create(s, arg);
}

static int open_by_name(struct stage *s)
{
	return armed(s, name_open(s->dev, s->name, RDWR, 0));
}

static int open_by_id(struct stage *s)
{
	return armed(s, id_open(s->dev, s->st.id, READ, 0));
}

static int open_by_fd(struct stage *s)
{
	return armed(s, fd_open(s->fd, WRITE, 0));
}

static int reopen(struct stage *s)
{
	return armed(s, proc_reopen(s->fd, O_RDWR));
}

static bool undo_open(struct stage *s, int fd)
{
	bool right = fd_id(fd) == s->st.id;

	close(fd);
	return right;
}

/* The last file goes, and messages with it. */
static int close_transient(struct stage *s)
{
	struct ipcx_create arg = queue_arg(NULL, TRANSIENT, NULL);
	struct ipcx_send send = sending(3, FEW);
	int fd = obj_create(s->dev, &arg);

	if (ipc_ioctl(fd, IPCX_IOC_SEND, &send) != 3)
		return -EPROTO;
	return armed(s, close(fd) ? -errno : 0);
}

/* SEND: how many were sent, be it fewer than asked for, and that these are there. */

static int send_by(struct stage *s, int fd, struct ipcx_ref ref, int count)
{
	struct ipcx_send arg;

	hold(s, 0);
	arg = sending(count, FEW);
	arg.ref = ref;
	return left(s, armed(s, ipc_ioctl(fd, IPCX_IOC_SEND, &arg)), 0);
}

static int send_one(struct stage *s)
{
	return send_by(s, s->fd, ref_self(), 1);
}

static int send_batch(struct stage *s)
{
	return send_by(s, s->fd, ref_self(), BATCH);
}

static int send_by_name(struct stage *s)
{
	return send_by(s, s->dev, ref_name(s->name), 1);
}

static int send_by_id(struct stage *s)
{
	return send_by(s, s->dev, ref_id(s->st.id), 1);
}

static bool undo_send_of(struct stage *s, int ret, int count)
{
	bool right = holds(s->fd, 0, ret) && (ret == count || (s->hit && ret > 0));

	hold(s, 0);
	return right;
}

static bool undo_send(struct stage *s, int ret)
{
	return undo_send_of(s, ret, 1);
}

static bool undo_send_batch(struct stage *s, int ret)
{
	return undo_send_of(s, ret, BATCH);
}

static int send_large(struct stage *s)
{
	struct ipcx_send arg;

	hold(s, 0);
	arg = sending(1, LARGE);
	return left(s, armed(s, ipc_ioctl(s->fd, IPCX_IOC_SEND, &arg)), 0);
}

static bool undo_send_large(struct stage *s, int ret)
{
	struct ipcx_recv arg = receiving(1, LARGE, IPCX_NONBLOCK);

	return ret == 1 && ipc_ioctl(s->fd, IPCX_IOC_RECV, &arg) == 1 &&
	       received(0, 1, LARGE) && holds(s->fd, 0, 0);
}

static int write_one(struct stage *s)
{
	hold(s, 0);
	return left(s, armed(s, plain_write(s->fd, pattern, FEW)), 0);
}

static int write_pieces(struct stage *s)
{
	struct iovec iov[PIECES];
	int i;

	hold(s, 0);
	for (i = 0; i < PIECES; i++)
		iov[i] = (struct iovec) { pattern + i * (FEW / PIECES),
					  FEW / PIECES };
	i = armed(s, writev(s->fd, iov, PIECES) < 0 ? -errno : FEW);
	return left(s, i, 0);
}

static int write_by_name(struct stage *s)
{
	hold(s, 0);
	return left(s, armed(s, ref_write(s->dev, ref_name(s->name), pattern,
					  FEW, 0)), 0);
}

static bool undo_write(struct stage *s, int ret)
{
	return ret == FEW && undo_send_of(s, 1, 1);
}

/* RECV: the same with what was received, and what is left. */

static int recv_by(struct stage *s, int fd, struct ipcx_ref ref, int count,
		   uint32_t flags)
{
	struct ipcx_recv arg;
	int ret;

	hold(s, count);
	arg = receiving(count, FEW, flags);
	arg.ref = ref;
	ret = armed(s, ipc_ioctl(fd, IPCX_IOC_RECV, &arg));
	if (ret > 0 && !received(0, ret, FEW))
		ret = -EPROTO;
	return left(s, ret, count);
}

static int recv_one(struct stage *s)
{
	return recv_by(s, s->fd, ref_self(), 1, 0);
}

static int recv_batch(struct stage *s)
{
	return recv_by(s, s->fd, ref_self(), BATCH, 0);
}

static int recv_by_name(struct stage *s)
{
	return recv_by(s, s->dev, ref_name(s->name), 1, 0);
}

static int recv_by_id(struct stage *s)
{
	return recv_by(s, s->dev, ref_id(s->st.id), 1, 0);
}

static bool undo_recv_of(struct stage *s, int ret, int count)
{
	bool right = holds(s->fd, ret, count - ret) &&
		     (ret == count || (s->hit && ret > 0));

	hold(s, count);
	return right;
}

static bool undo_recv(struct stage *s, int ret)
{
	return undo_recv_of(s, ret, 1);
}

static bool undo_recv_batch(struct stage *s, int ret)
{
	return undo_recv_of(s, ret, BATCH);
}

static int peek_batch(struct stage *s)
{
	return recv_by(s, s->fd, ref_self(), BATCH, IPCX_PEEK);
}

static bool undo_peek(struct stage *s, int ret)
{
	return holds(s->fd, 0, BATCH) && (ret == BATCH || (s->hit && ret > 0));
}

/* The length must be told, or that it can't be. */
static int recv_too_long(struct stage *s)
{
	struct ipcx_recv arg;
	int ret;

	hold(s, 1);
	arg = receiving(1, FEW - 1, 0);
	ret = armed(s, ipc_ioctl(s->fd, IPCX_IOC_RECV, &arg));
	if (ret == -E2BIG)
		ret = msgs[0].len == FEW ? 0 : -EPROTO;
	return left(s, ret, 1);
}

/* Enters the queue's index, and leaves it again at once. */
static int recv_waiting_for(struct stage *s, const struct ipcx_select *select)
{
	struct ipcx_recv arg;
	int ret;

	hold(s, 1);
	arg = receiving(1, FEW, 0);
	arg.select = *select;
	arg.deadline = deadline_past();
	ret = armed(s, ipc_ioctl(s->fd, IPCX_IOC_RECV, &arg));
	return left(s, ret == -ETIMEDOUT ? 0 : ret, 1);
}

static int recv_waiting_wide(struct stage *s)
{
	return recv_waiting_for(s, &wide);
}

static int recv_waiting_exact(struct stage *s)
{
	const struct ipcx_select exact = { .how = IPCX_SELECT_EXACT, .lo = 9 };

	return recv_waiting_for(s, &exact);
}

static bool undo_waiting(struct stage *s, int ret)
{
	return ret == 0 && holds(s->fd, 0, 1);
}

/* READ */

static int read_one(struct stage *s)
{
	hold(s, 1);
	return left(s, armed(s, plain_read(s->fd, data, FEW)), 1);
}

static int read_pieces(struct stage *s)
{
	struct iovec iov[PIECES];
	int i;

	hold(s, 1);
	memset(data, POISON, FEW);
	for (i = 0; i < PIECES; i++)
		iov[i] = (struct iovec) { data + i * (FEW / PIECES),
					  FEW / PIECES };
	i = armed(s, readv(s->fd, iov, PIECES) < 0 ? -errno : FEW);
	return left(s, i, 1);
}

static int read_by_id(struct stage *s)
{
	hold(s, 1);
	return left(s, armed(s, ref_read(s->dev, ref_id(s->st.id), data, FEW,
					 0)), 1);
}

static bool undo_read(struct stage *s, int ret)
{
	return ret == FEW && !memcmp(data, pattern, FEW) &&
	       undo_recv_of(s, 1, 1);
}

static int fionread(struct stage *s)
{
	int bytes = 0, ret;

	hold(s, 1);
	ret = armed(s, ipc_ioctl(s->fd, FIONREAD, &bytes));
	return ret ? ret : bytes != FEW;
}

/* PURGE: all, or nothing. */

static int purge_all(struct stage *s)
{
	struct ipcx_purge arg = { .select = any };

	hold(s, BATCH);
	return left(s, armed(s, ipc_ioctl(s->fd, IPCX_IOC_PURGE, &arg)), BATCH);
}

static bool undo_purge(struct stage *s, int ret)
{
	bool right = ret == BATCH && holds(s->fd, 0, 0);

	hold(s, BATCH);
	return right;
}

/* QUEUE_FILE, of a file that is in the index of those who poll */

static int queue_file(int fd, const struct ipcx_select *select, uint64_t type,
		      uint32_t flags)
{
	struct ipcx_queue_file arg = {
		.select = *select, .type = type, .flags = flags,
	};

	return ipc_ioctl(fd, IPCX_IOC_QUEUE_FILE, &arg);
}

/* With one message of the type 1 in the queue. */
static bool selects(int fd, bool first)
{
	int bytes = -1;

	return !ipc_ioctl(fd, FIONREAD, &bytes) && bytes == (first ? FEW : 0) &&
	       poll_now(fd, POLLIN) == (first ? POLLIN : 0);
}

static int select_wide(struct stage *s)
{
	int ret;

	hold(s, 1);
	if (!selects(s->fd, true))
		return -EPROTO;
	ret = armed(s, queue_file(s->fd, &wide, 7, 0));
	return ret && !selects(s->fd, true) ? -EPROTO : ret;
}

static bool undo_select(struct stage *s, int ret)
{
	bool right = ret == 0 && selects(s->fd, false);

	return !queue_file(s->fd, &any, 1, 0) && right && selects(s->fd, true);
}

/* The type alone needs no memory. */
static int set_type(struct stage *s)
{
	const struct ipcx_select keep = { .how = IPCX_SELECT_FILE };

	hold(s, 0);
	return armed(s, queue_file(s->fd, &keep, 7, 0));
}

static bool undo_set_type(struct stage *s, int ret)
{
	struct ipcx_recv arg;
	bool right = ret == 0 && fd_write(s->fd, pattern, FEW, 0) == FEW;

	arg = receiving(1, FEW, IPCX_NONBLOCK);
	right = ipc_ioctl(s->fd, IPCX_IOC_RECV, &arg) == 1 &&
		msgs[0].type == 7 && right;
	return !queue_file(s->fd, &any, 1, 0) && right;
}

/* NOTIFY */

static int notify(int fd, int signo)
{
	struct ipcx_notify arg = { .signo = signo };

	return ipc_ioctl(fd, IPCX_IOC_NOTIFY, &arg);
}

static int ask_notice(struct stage *s)
{
	int ret;

	signal(SIGRTMIN, SIG_IGN);
	ret = armed(s, notify(s->fd, SIGRTMIN));
	/* Nobody has asked then. */
	if (ret && (notify(s->fd, SIGRTMIN) || notify(s->fd, 0)))
		ret = -EPROTO;
	return ret;
}

static bool undo_notice(struct stage *s, int ret)
{
	return ret == 0 && notify(s->fd, SIGRTMIN) == -EBUSY &&
	       !notify(s->fd, 0) && !notify(s->fd, SIGRTMIN) &&
	       !notify(s->fd, 0);
}

/* RESIZE */

static int resize(int fd, struct ipcx_ref ref, uint64_t max_msgs,
		  uint64_t max_bytes)
{
	struct ipcx_resize arg = {
		.ref = ref,
		.bytes = max_bytes,
		.max_msgs = max_msgs,
		.deadline = deadline_patience(),
	};

	return ipc_ioctl(fd, IPCX_IOC_RESIZE, &arg);
}

static int resize_checked(struct stage *s, int ret)
{
	if (ret && !has_limits(s->fd, MAX_MSGS, MAX_BYTES))
		return -EPROTO;
	return left(s, ret, 1);
}

static int grow_by_name(struct stage *s)
{
	hold(s, 1);
	return resize_checked(s, armed(s, resize(s->dev, ref_name(s->name),
						 2 * MAX_MSGS, 0)));
}

static int grow_by_fd(struct stage *s)
{
	hold(s, 1);
	return resize_checked(s, armed(s, resize(s->fd, ref_self(), 0,
						 4 * MAX_BYTES)));
}

static int shrink_by_id(struct stage *s)
{
	hold(s, 1);
	return resize_checked(s, armed(s, resize(s->dev, ref_id(s->st.id), 1,
						 FEW)));
}

static bool undo_resize(struct stage *s, int ret)
{
	bool right = ret == 0 && !has_limits(s->fd, MAX_MSGS, MAX_BYTES) &&
		     holds(s->fd, 0, 1);
	struct ipcx_resize arg = {
		.bytes = MAX_BYTES,
		.max_msgs = MAX_MSGS,
		.max_msg_bytes = MAX_BYTES,
		.deadline = deadline_patience(),
	};

	return !ipc_ioctl(s->fd, IPCX_IOC_RESIZE, &arg) && right;
}

/* Waiting for readiness, each time with a file that hasn't been polled yet */

#define POLLED	64

static int poll_many(struct stage *s)
{
	int fd = fd_open(s->fd, READ, 0), i, ret;
	struct pollfd p[POLLED];

	hold(s, 0);
	for (i = 0; i < POLLED; i++)
		p[i] = (struct pollfd) { .fd = fd, .events = POLLIN };
	ret = armed(s, poll(p, POLLED, 1) < 0 ? -errno : 0);
	close(fd);
	return ret;
}

static int select_one(struct stage *s)
{
	int fd = fd_open(s->fd, READ, 0), ret;
	struct timeval soon = { .tv_usec = 1000 };
	fd_set in;

	hold(s, 0);
	FD_ZERO(&in);
	FD_SET(fd, &in);
	ret = armed(s, select(fd + 1, &in, NULL, NULL, &soon) < 0 ? -errno : 0);
	close(fd);
	return ret;
}

static int epoll_add(struct stage *s)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), fd = fd_open(s->fd, READ, 0), ret;
	struct epoll_event ev = { .events = EPOLLIN };

	hold(s, 1);
	ret = armed(s, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0);
	if (!ret && (epoll_wait(ep, &ev, 1, 0) != 1 || ev.events != EPOLLIN))
		ret = -EPROTO;
	close(fd);
	close(ep);
	return ret;
}

static volatile sig_atomic_t sigios;

static void count_sigio(int sig)
{
	(void)sig;
	sigios++;
}

/* Does the next message that comes make a signal? */
static bool signals(int fd)
{
	purge(fd);
	sigios = 0;
	fd_write(fd, "x", 1, 0);
	return sigios;
}

/* A new queue each time. */
static int set_async(struct stage *s)
{
	struct ipcx_create arg = queue_arg(NULL, TRANSIENT, NULL);
	int fd = obj_create(s->dev, &arg), ret;

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

/* The table. */

FIXTURE(fail_nth_queue) {
	struct stage *s;
};

FIXTURE_VARIANT(fail_nth_queue) {
	struct trial trial;
	int may;
};

#define ROW(name, undo_, may_)						\
	FIXTURE_VARIANT_ADD(fail_nth_queue, name) {			\
		.trial = { .call = name, .undo = undo_ },		\
		.may = may_,						\
	}

ROW(create_transient, undo_create, MEMORY | COPY);
ROW(create_persistent, undo_create, MEMORY | COPY);
ROW(create_nameless, undo_create, MEMORY | COPY);
ROW(create_or_open_old, undo_open, MEMORY | COPY);
ROW(open_by_name, undo_open, MEMORY | COPY);
ROW(open_by_id, undo_open, MEMORY | COPY);
ROW(open_by_fd, undo_open, MEMORY | COPY);
ROW(reopen, undo_open, MEMORY | COPY);
ROW(close_transient, undo_zero, 0);

ROW(send_one, undo_send, MEMORY | COPY);
ROW(send_batch, undo_send_batch, MEMORY | COPY);
ROW(send_by_name, undo_send, MEMORY | COPY);
ROW(send_by_id, undo_send, MEMORY | COPY);
/* Where there is no memory in one piece, it is made of pages. */
ROW(send_large, undo_send_large, COPY);
ROW(write_one, undo_write, MEMORY | COPY);
ROW(write_pieces, undo_write, MEMORY | COPY);
ROW(write_by_name, undo_write, MEMORY | COPY);

ROW(recv_one, undo_recv, COPY);
ROW(recv_batch, undo_recv_batch, COPY);
ROW(recv_by_name, undo_recv, MEMORY | COPY);
ROW(recv_by_id, undo_recv, COPY);
ROW(recv_too_long, undo_waiting, COPY);
ROW(recv_waiting_wide, undo_waiting, MEMORY | COPY);
ROW(recv_waiting_exact, undo_waiting, COPY);
ROW(peek_batch, undo_peek, COPY);
ROW(read_one, undo_read, COPY);
ROW(read_pieces, undo_read, MEMORY | COPY);
ROW(read_by_id, undo_read, COPY);
ROW(fionread, undo_zero, 0);

ROW(purge_all, undo_purge, COPY);
ROW(select_wide, undo_select, MEMORY | COPY);
ROW(set_type, undo_set_type, COPY);
ROW(ask_notice, undo_notice, MEMORY | COPY);

ROW(grow_by_name, undo_resize, MEMORY | COPY);
ROW(grow_by_fd, undo_resize, MEMORY | COPY);
ROW(shrink_by_id, undo_resize, COPY);

ROW(poll_many, undo_zero, MEMORY | COPY);
ROW(select_one, undo_zero, COPY);
ROW(epoll_add, undo_zero, MEMORY | COPY);
ROW(set_async, undo_set_async, MEMORY);

FIXTURE_SETUP(fail_nth_queue)
{
	track_cleanup();
	self->s = stage_make();
	self->s->dev = dev_open();
	ASSERT_GE(self->s->dev, 0);
	ASSERT_TRUE(settled(self->s->dev));
	ASSERT_TRUE(stage_queue(self->s));
}

FIXTURE_TEARDOWN_PARENT(fail_nth_queue)
{
	track_cleanup();
}

TEST_F_TIMEOUT(fail_nth_queue, memory, 300)
{
	ASSERT_TRUE(fail_setup(FAIL_MEMORY));
	fail_all(_metadata, self->s, FAIL_MEMORY, &variant->trial,
		 variant->may & MEMORY);
}

TEST_F_TIMEOUT(fail_nth_queue, copy, 300)
{
	ASSERT_TRUE(fail_setup(FAIL_COPY));
	fail_all(_metadata, self->s, FAIL_COPY, &variant->trial,
		 variant->may & COPY);
}

FAIL_NTH_MAIN
