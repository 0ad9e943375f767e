/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the object core share, beyond ipcx_test.h: short names,
 * accounts, calls that sleep in a child, capabilities, and the module's file.
 */
#ifndef OBJECT_TEST_H
#define OBJECT_TEST_H

#include "ipcx_test.h"

#include <dirent.h>
#include <limits.h>
#include <linux/close_range.h>

#define TRANSIENT	IPCX_LIFETIME_TRANSIENT
#define PERSISTENT	IPCX_LIFETIME_PERSISTENT
#define OWNED		IPCX_LIFETIME_OWNED
#define NONE		IPCX_ACCESS_NONE
#define READ		IPCX_ACCESS_READ
#define WRITE		IPCX_ACCESS_WRITE
#define RDWR		IPCX_ACCESS_RDWR

#define ARRAY_LEN(a)	(sizeof(a) / sizeof(*(a)))

/* Accounts. */

static inline bool same_usage(const struct ipcx_usage *a, const struct ipcx_usage *b)
{
	return a->objects == b->objects && a->bytes == b->bytes;
}

static inline bool same_accounts(const struct ipcx_query *a,
				 const struct ipcx_query *b)
{
	return same_usage(&a->user, &b->user) && same_usage(&a->ns, &b->ns);
}

/* What the caller's accounts hold now; all ones if that cannot be known. */
static inline struct ipcx_query accounts(int dev)
{
	struct ipcx_query q;

	if (dev_query(dev, &q))
		memset(&q, 0xff, sizeof(q));
	return q;
}

static inline bool accounts_are(int dev, const struct ipcx_query *expected)
{
	struct ipcx_query q = accounts(dev);

	return same_accounts(&q, expected);
}

/*
 * Owned objects and those of a namespace that ends are freed some time after their
 * names have gone. A test that counts begins when nothing of the tests before it is
 * left: no more than there was when the first one began. Otherwise something leaks.
 */
static uint64_t *objects_at_first;

__attribute__((constructor(104))) static void settle_init(void)
{
	objects_at_first = mmap(NULL, sizeof(*objects_at_first),
				PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (objects_at_first == MAP_FAILED)
		abort();
	*objects_at_first = ~0ULL;
}

static inline bool settled(int dev)
{
	uint64_t objects = accounts(dev).user.objects;

	if (*objects_at_first == ~0ULL)
		*objects_at_first = objects;
	return wait_until(accounts(dev).user.objects <= *objects_at_first);
}

/* A pipe that is ready for everything. */

/* For transfers whose byte nobody looks at. */
static char one_byte[1] __attribute__((unused));

/*
 * Makes a persistent pipe with one byte in it, so that every command with its valid
 * argument succeeds at once.
 */
static inline int ready_pipe(int dev, const char *name)
{
	int fd = pipe_create(dev, name, PERSISTENT, RDWR);

	if (fd >= 0 && fd_write(fd, "x", 1, 0) != 1)
		return -EIO;
	return fd;
}

/* Still there, still with its byte? */
static inline bool still_ready(int dev, const char *name)
{
	struct ipcx_stat st;

	return !name_stat(dev, name, &st) && st.used_bytes == 1 &&
	       st.capacity_bytes == 65536 &&
	       st.flags == (IPCX_STAT_NAMED | IPCX_STAT_LINKED) &&
	       st.opens == 1;
}

/* Any OPEN at all; @arg stays as it is. */
static inline int open_with(int fd, const struct ipcx_open *arg)
{
	struct ipcx_open copy = *arg;

	return ipc_ioctl(fd, IPCX_IOC_OPEN, &copy);
}

/*
 * The end of memory that ends where it seems to: after it comes a page nobody can
 * touch. NULL if there is no memory.
 */
static inline char *edge_make(void)
{
	size_t page = getpagesize(), size = 8 * page;
	char *p = mmap(NULL, size + page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + size, page, PROT_NONE))
		return NULL;
	return p + size;
}

/* Copies the @inside first bytes of @data to the end of the memory. */
static inline void *edge_put(char *edge, const void *data, size_t inside)
{
	return memcpy(edge - inside, data, inside);
}

/* Children that sleep in a call. */

/* The letter after the name in /proc/PID/stat: S asleep, Z dead, not waited for. */
static inline char task_state(pid_t pid)
{
	char path[64], text[512], *p;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	p = strrchr(text, ')');
	return p && p[1] ? p[2] : 0;
}

/* Does @pid sleep in system call @number? It has done all that comes before. */
static inline bool asleep_in(pid_t pid, long number)
{
	char path[64];
	long in = -1;
	FILE *f;

	if (task_state(pid) != 'S')
		return false;
	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fscanf(f, "%ld", &in) != 1)
		in = -1;
	fclose(f);
	return in == number;
}

/*
 * A child that makes one call and exits with the errno it got, 0 for success:
 * reap() tells it. PATIENCE_MS ends every one of them but read(2) and write(2),
 * which reap() ends.
 */
enum call {
	CALL_READ,	/* read(2) */
	CALL_WRITE,
	CALL_IOC_READ,	/* the ioctl */
	CALL_IOC_WRITE,
	CALL_OPEN_READ,
	CALL_OPEN_WRITE,
	CALL_POLL_IN,
	CALL_POLL_OUT,
};

static inline long call_number(enum call call)
{
	switch (call) {
	case CALL_READ:
		return SYS_read;
	case CALL_WRITE:
		return SYS_write;
	case CALL_POLL_IN:
	case CALL_POLL_OUT:
		return SYS_poll;
	default:
		return SYS_ioctl;
	}
}

static inline int make_call(enum call call, int fd, struct ipcx_ref ref)
{
	struct pollfd p = { .fd = fd };
	char c = 'x';

	switch (call) {
	case CALL_READ:
		return plain_read(fd, &c, 1);
	case CALL_WRITE:
		return plain_write(fd, &c, 1);
	case CALL_IOC_READ:
		return ref_read(fd, ref, &c, 1, 0);
	case CALL_IOC_WRITE:
		return ref_write(fd, ref, &c, 1, 0);
	case CALL_OPEN_READ:
		return ref_open(fd, ref, READ, 0);
	case CALL_OPEN_WRITE:
		return ref_open(fd, ref, WRITE, 0);
	default:
		p.events = call == CALL_POLL_IN ? POLLIN : POLLOUT;
		if (poll(&p, 1, PATIENCE_MS) != 1)
			return -ETIMEDOUT;
		return p.revents == (POLLERR | POLLHUP | p.events) ||
		       p.revents == (POLLERR | POLLHUP) ? -EIDRM : -EPROTO;
	}
}

/* Comes back when the child sleeps. Negative, with no child left, if it does not. */
static inline pid_t sleep_in(enum call call, int fd, struct ipcx_ref ref)
{
	pid_t pid = fork();
	bool asleep;
	int ret;

	if (pid < 0)
		return -errno;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ret = make_call(call, fd, ref);
		_exit(ret < 0 ? -ret : 0);
	}
	asleep = wait_until(asleep_in(pid, call_number(call)) ||
			    task_state(pid) == 'Z');
	if (asleep && task_state(pid) != 'Z')
		return pid;
	kill(pid, SIGKILL);
	ret = reap(pid);
	fprintf(stderr, "# call %d did not sleep, status %d\n", call, ret);
	return -1;
}

/* Namespaces. */

/*
 * unshare -Ur: a user namespace in which the caller is @inside, and a network
 * namespace that belongs to it.
 */
static inline int unshare_user_net(uid_t inside_uid, gid_t inside_gid)
{
	char uids[64], gids[64];
	int ret;

	snprintf(uids, sizeof(uids), "%u %u 1", inside_uid, geteuid());
	snprintf(gids, sizeof(gids), "%u %u 1", inside_gid, getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -errno;
	ret = file_write("/proc/self/setgroups", "deny");
	if (!ret)
		ret = file_write("/proc/self/uid_map", uids);
	if (!ret)
		ret = file_write("/proc/self/gid_map", gids);
	return ret;
}

#endif /* OBJECT_TEST_H */
