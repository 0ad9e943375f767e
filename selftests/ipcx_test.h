/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of /dev/ipcx share: the raw UAPI in one line a call, users,
 * children that cannot hang the test, and a list of what to remove afterwards.
 *
 * Calls return what the kernel returned, or -errno. Outputs are filled with
 * POISON before the call. A test says what it creates in the initial namespace
 * through obj_create() or an alias of it; track_cleanup() then removes what is
 * left, whatever became of the test.
 *
 * Every wait ends after PATIENCE_MS: far more than the slowest emulated machine
 * needs, less than the harness's 30 s, so that a hang is told by its own line.
 */
#ifndef IPCX_TEST_H
#define IPCX_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/ipcx.h>

#include "../kselftest_harness.h"

#define POISON		0xa5
#define PATIENCE_MS	20000

/* Somebody, somebody else, and an id that nobody has. */
#define UID_A		61001
#define UID_B		61002
#define GID_A		62001
#define GID_B		62002

#define TEST_NAME_SIZE	64

/*
 * Not every test uses every helper, and none of them is worth a file of its own.
 */
#define helper static __attribute__((unused))

/*
 * How often to do what is done @n times to make sure: fewer times where the
 * kernel checks every step of its own. selftests/check sets the percentage.
 */
helper int scaled(int n)
{
	const char *percent = getenv("IPCMOD_SCALE");
	int less = percent ? (long)n * atoi(percent) / 100 : n;

	return less > 0 ? less : 1;
}

/* Time. The kernel notes when something was by the clocks called COARSE. */

static inline uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static inline struct ipcx_deadline deadline_on(clockid_t clock, long ms)
{
	return (struct ipcx_deadline) {
		.ns = now_ns(clock) + ms * 1000000LL,
		.clock = clock,
	};
}

static inline struct ipcx_deadline deadline_ms(long ms)
{
	return deadline_on(CLOCK_MONOTONIC, ms);
}

static inline struct ipcx_deadline deadline_never(void)
{
	return (struct ipcx_deadline) {
		.ns = IPCX_NO_DEADLINE, .clock = CLOCK_MONOTONIC,
	};
}

/* A time long gone: try once. */
static inline struct ipcx_deadline deadline_past(void)
{
	return (struct ipcx_deadline) { .ns = 1, .clock = CLOCK_MONOTONIC };
}

/* What a test waits with when the wait is not what it tests. */
static inline struct ipcx_deadline deadline_patience(void)
{
	return deadline_ms(PATIENCE_MS);
}

/* wait_until(condition): true as soon as it is, false when patience ends. */
#define wait_until(condition) ({					\
	uint64_t until_ = now_ns(CLOCK_MONOTONIC) +			\
			  PATIENCE_MS * 1000000ULL;			\
	bool done_;							\
	while (!(done_ = (condition)) &&				\
	       now_ns(CLOCK_MONOTONIC) < until_)			\
		usleep(1000);						\
	done_;								\
})

/* What to remove after a test. Shared with every child; entries are taken
 * atomically, so children and threads may create at the same time.
 */

#define TRACK_MAX	4096

struct tracked {
	char name[IPCX_NAME_MAX + 1];
	uint32_t name_len;
	uint32_t id;
	uint64_t cookie;
};

struct track {
	unsigned int count;
	struct tracked entry[TRACK_MAX];
};

static struct track *track;

__attribute__((constructor(101))) static void track_init(void)
{
	track = mmap(NULL, sizeof(*track), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (track == MAP_FAILED)
		abort();
}

static inline struct tracked *track_slot(void)
{
	unsigned int slot;

	slot = __atomic_fetch_add(&track->count, 1, __ATOMIC_RELAXED);
	return slot < TRACK_MAX ? &track->entry[slot] : NULL;
}

/* The calls themselves. */

static inline int ipc_ioctl(int fd, unsigned long command, void *argument)
{
	int ret = ioctl(fd, command, argument);

	return ret < 0 ? -errno : ret;
}

static inline int dev_open(void)
{
	int fd = open(IPCX_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static inline struct ipcx_ref ref_self(void)
{
	return (struct ipcx_ref) { 0 };
}

static inline struct ipcx_ref ref_name(const char *name)
{
	return (struct ipcx_ref) {
		.name = (uintptr_t)name, .name_len = strlen(name),
	};
}

static inline struct ipcx_ref ref_id(uint32_t id)
{
	return (struct ipcx_ref) { .id = id };
}

static inline struct ipcx_ref ref_id_cookie(uint32_t id, uint64_t cookie)
{
	return (struct ipcx_ref) { .id = id, .cookie = cookie };
}

/* The object of @fd itself if @ref is empty, and @fd is an object's file. */
static inline int ref_stat(int fd, struct ipcx_ref ref, struct ipcx_stat *st)
{
	memset(st, POISON, sizeof(*st));
	st->ref = ref;
	return ipc_ioctl(fd, IPCX_IOC_STAT, st);
}

static inline int fd_stat(int fd, struct ipcx_stat *st)
{
	return ref_stat(fd, ref_self(), st);
}

static inline int name_stat(int dev, const char *name, struct ipcx_stat *st)
{
	return ref_stat(dev, ref_name(name), st);
}

static inline int id_stat(int dev, uint32_t id, struct ipcx_stat *st)
{
	return ref_stat(dev, ref_id(id), st);
}

static inline uint32_t fd_id(int fd)
{
	struct ipcx_stat st;

	return fd_stat(fd, &st) ? 0 : st.id;
}

static inline int dev_query(int dev, struct ipcx_query *q)
{
	memset(q, POISON, sizeof(*q));
	return ipc_ioctl(dev, IPCX_IOC_QUERY, q);
}

static inline void track_object(const struct ipcx_create *arg, int fd)
{
	struct tracked *slot;
	struct ipcx_stat st;

	if (!arg->name && arg->lifetime == IPCX_LIFETIME_TRANSIENT)
		return;
	slot = track_slot();
	if (!slot)
		return;
	if (arg->name) {
		memcpy(slot->name, (void *)(uintptr_t)arg->name, arg->name_len);
		slot->name_len = arg->name_len;
	} else if (!fd_stat(fd, &st)) {
		slot->cookie = st.cookie;
		slot->id = st.id;
	}
}

static inline int obj_create(int dev, const struct ipcx_create *arg)
{
	struct ipcx_create copy = *arg;
	int fd = ipc_ioctl(dev, IPCX_IOC_CREATE, &copy);

	if (fd >= 0)
		track_object(arg, fd);
	return fd;
}

/* A pipe of the default capacity, mode 0600; a NULL name makes it nameless. */
static inline struct ipcx_create pipe_arg(const char *name, uint32_t lifetime,
					  uint32_t access)
{
	return (struct ipcx_create) {
		.name = (uintptr_t)name,
		.name_len = name ? strlen(name) : 0,
		.type = IPCX_TYPE_PIPE,
		.access = access,
		.lifetime = lifetime,
		.mode = 0600,
	};
}

static inline int pipe_create(int dev, const char *name, uint32_t lifetime,
			      uint32_t access)
{
	struct ipcx_create arg = pipe_arg(name, lifetime, access);

	return obj_create(dev, &arg);
}

static inline int pipe_create_mode(int dev, const char *name, uint32_t lifetime,
				   uint32_t access, uint32_t mode)
{
	struct ipcx_create arg = pipe_arg(name, lifetime, access);
	mode_t mask = umask(0);
	int fd;

	arg.mode = mode;
	fd = obj_create(dev, &arg);
	umask(mask);
	return fd;
}

static inline int pipe_create_sized(int dev, const char *name,
				    uint32_t lifetime, uint32_t access,
				    uint64_t capacity_bytes)
{
	struct ipcx_pipe_params params = { .capacity_bytes = capacity_bytes };
	struct ipcx_create arg = pipe_arg(name, lifetime, access);

	arg.params = (uintptr_t)&params;
	arg.params_size = sizeof(params);
	return obj_create(dev, &arg);
}

static inline int ref_open(int fd, struct ipcx_ref ref, uint32_t access,
			   uint32_t flags)
{
	struct ipcx_open arg = {
		.ref = ref,
		.access = access,
		.flags = flags,
		.deadline = deadline_patience(),
	};

	return ipc_ioctl(fd, IPCX_IOC_OPEN, &arg);
}

static inline int name_open(int dev, const char *name, uint32_t access, uint32_t flags)
{
	return ref_open(dev, ref_name(name), access, flags);
}

static inline int id_open(int dev, uint32_t id, uint32_t access, uint32_t flags)
{
	return ref_open(dev, ref_id(id), access, flags);
}

/* Another file of the object that @fd is a file of. */
static inline int fd_open(int fd, uint32_t access, uint32_t flags)
{
	return ref_open(fd, ref_self(), access, flags);
}

static inline int ref_unlink(int fd, struct ipcx_ref ref)
{
	return ipc_ioctl(fd, IPCX_IOC_UNLINK, &ref);
}

static inline int name_unlink(int dev, const char *name)
{
	return ref_unlink(dev, ref_name(name));
}

static inline int id_unlink(int dev, uint32_t id)
{
	return ref_unlink(dev, ref_id(id));
}

static inline int fd_unlink(int fd)
{
	return ref_unlink(fd, ref_self());
}

static inline int ref_remove(int fd, struct ipcx_ref ref)
{
	return ipc_ioctl(fd, IPCX_IOC_REMOVE, &ref);
}

static inline int name_remove(int dev, const char *name)
{
	return ref_remove(dev, ref_name(name));
}

static inline int id_remove(int dev, uint32_t id)
{
	return ref_remove(dev, ref_id(id));
}

static inline int fd_remove(int fd)
{
	return ref_remove(fd, ref_self());
}

static inline int ref_io(int fd, unsigned long command, struct ipcx_ref ref,
			 const void *buf, size_t len, uint32_t flags,
			 struct ipcx_deadline deadline)
{
	struct ipcx_io io = {
		.ref = ref,
		.buf = (uintptr_t)buf,
		.len = len,
		.flags = flags,
		.deadline = deadline,
	};

	return ipc_ioctl(fd, command, &io);
}

/* Poisons the whole buffer first, and waits with patience. */
static inline int ref_read(int fd, struct ipcx_ref ref, void *buf, size_t len,
			   uint32_t flags)
{
	memset(buf, POISON, len);
	return ref_io(fd, IPCX_IOC_READ, ref, buf, len, flags,
		      deadline_patience());
}

static inline int ref_write(int fd, struct ipcx_ref ref, const void *buf,
			    size_t len, uint32_t flags)
{
	return ref_io(fd, IPCX_IOC_WRITE, ref, buf, len,
		      flags | IPCX_NO_SIGPIPE, deadline_patience());
}

static inline int fd_read(int fd, void *buf, size_t len, uint32_t flags)
{
	return ref_read(fd, ref_self(), buf, len, flags);
}

static inline int fd_write(int fd, const void *buf, size_t len, uint32_t flags)
{
	return ref_write(fd, ref_self(), buf, len, flags);
}

static inline int ref_resize(int fd, struct ipcx_ref ref, uint64_t bytes,
			     uint32_t flags)
{
	struct ipcx_resize arg = {
		.ref = ref,
		.bytes = bytes,
		.flags = flags,
		.deadline = deadline_patience(),
	};

	return ipc_ioctl(fd, IPCX_IOC_RESIZE, &arg);
}

static inline int fd_resize(int fd, uint64_t bytes, uint32_t flags)
{
	return ref_resize(fd, ref_self(), bytes, flags);
}

/* read(2), write(2) and poll(2) with -errno. */
static inline ssize_t plain_read(int fd, void *buf, size_t len)
{
	ssize_t ret;

	memset(buf, POISON, len);
	ret = read(fd, buf, len);
	return ret < 0 ? -errno : ret;
}

static inline ssize_t plain_write(int fd, const void *buf, size_t len)
{
	ssize_t ret = write(fd, buf, len);

	return ret < 0 ? -errno : ret;
}

static inline int poll_now(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int ret = poll(&p, 1, 0);

	return ret < 0 ? -errno : p.revents;
}

/* Names: one process's tests never meet another's. */
static pid_t test_run;

__attribute__((constructor(102))) static void test_name_init(void)
{
	test_run = getpid();
}

static inline const char *test_name(char name[TEST_NAME_SIZE], const char *tag)
{
	snprintf(name, TEST_NAME_SIZE, "selftest-%d-%s", test_run, tag);
	return name;
}

static inline void track_cleanup(void)
{
	unsigned int i, count = track->count;
	int dev = dev_open();

	for (i = 0; dev >= 0 && i < count && i < TRACK_MAX; i++) {
		struct tracked *t = &track->entry[i];
		struct ipcx_ref ref = ref_id_cookie(t->id, t->cookie);

		if (t->name_len) {
			ref = (struct ipcx_ref) {
				.name = (uintptr_t)t->name,
				.name_len = t->name_len,
			};
		}
		ref_remove(dev, ref);
	}
	memset(track, 0, sizeof(track->count) +
	       (count < TRACK_MAX ? count : TRACK_MAX) * sizeof(*track->entry));
	if (dev >= 0)
		close(dev);
}

/* A test that ran into the harness's timeout had no teardown of its own. */
__attribute__((destructor)) static void track_last(void)
{
	if (getpid() == test_run && track->count)
		track_cleanup();
}

/* Children. */

static inline int pid_fd(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

/*
 * Waits for a child and returns its exit status, or 128 and the signal's number,
 * or -ETIMEDOUT after having killed it.
 */
static inline int reap(pid_t pid)
{
	struct pollfd p = { .fd = pid_fd(pid), .events = POLLIN };
	bool late;
	int status;

	late = p.fd >= 0 && poll(&p, 1, PATIENCE_MS) == 0;
	if (late)
		kill(pid, SIGKILL);
	if (p.fd >= 0)
		close(p.fd);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (late)
		return -ETIMEDOUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline bool child_over(pid_t pid)
{
	int status;

	if (!pid)
		return false;
	status = pid < 0 ? -errno : reap(pid);
	if (status) {
		fprintf(stderr, "# a child ended with status %d\n", status);
		abort();
	}
	return true;
}

/*
 * in_child() { ... } runs the block in a child and waits for it. EXPECT and
 * ASSERT work there, in a TEST_F; the child's exit status must be 0.
 */
#define in_child()							\
	for (pid_t child_ = fork(); !child_over(child_); _exit(0))

/* as_user(uid, gid) { ... }: the same without privileges and extra groups. */
#define as_user(uid, gid)						\
	for (pid_t child_ = fork_user(uid, gid); !child_over(child_); _exit(0))

/* Sets all ids, keeps /proc/self readable, and dies loudly when it cannot. */
static inline void become_user(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
	    setresuid(uid, uid, uid) || prctl(PR_SET_DUMPABLE, 1)) {
		perror("# becoming another user");
		_exit(111);
	}
}

static inline pid_t fork_user(uid_t uid, gid_t gid)
{
	pid_t pid = fork();

	if (!pid)
		become_user(uid, gid);
	return pid;
}

/* Capabilities. */

static inline int set_caps(uint64_t caps)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = caps, .permitted = caps },
		{ .effective = caps >> 32, .permitted = caps >> 32 },
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/* become_user() that keeps the capabilities of the mask. */
static inline void become_user_with(uid_t uid, gid_t gid, uint64_t caps)
{
	prctl(PR_SET_KEEPCAPS, 1);
	become_user(uid, gid);
	if (set_caps(caps)) {
		perror("# keeping capabilities");
		_exit(111);
	}
}

static inline pid_t fork_user_with(uid_t uid, gid_t gid, uint64_t caps)
{
	pid_t pid = fork();

	if (!pid)
		become_user_with(uid, gid, caps);
	return pid;
}

#define as_user_with(uid, gid, caps)					\
	for (pid_t child_ = fork_user_with(uid, gid, caps);		\
	     !child_over(child_); _exit(0))

#define CAP(name)	(1ULL << CAP_##name)

/* Two processes in step: one says, the other hears. No sleeping. */
struct baton {
	int fds[2];
};

static inline int baton_init(struct baton *b)
{
	return pipe2(b->fds, O_CLOEXEC) ? -errno : 0;
}

static inline void baton_give(struct baton *b)
{
	if (write(b->fds[1], "!", 1) != 1)
		abort();
}

/* False when patience ended or the other side is gone. */
static inline bool baton_take(struct baton *b)
{
	struct pollfd p = { .fd = b->fds[0], .events = POLLIN };
	char c;

	return poll(&p, 1, PATIENCE_MS) == 1 && read(b->fds[0], &c, 1) == 1;
}

/* File descriptors over a Unix socket. */

static inline int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (char *)"", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static inline int recv_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -ENOMSG;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
	return fd;
}

/* Opens what @fd refers to once more, as /dev/fd does. */
static inline int proc_reopen(int fd, int flags)
{
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = open(path, flags | O_CLOEXEC, 0);
	return ret < 0 ? -errno : ret;
}

/* The module's parameters. */

#define PARAMETERS	"/sys/module/ipcmod/parameters/"

static inline int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		ret = -errno;
	close(fd);
	return ret;
}

/* Text without its newline; its length or -errno. */
static inline ssize_t file_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, text, size - 1);
	text[len > 0 ? len : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	close(fd);
	return len < 0 ? -errno : (ssize_t)strlen(text);
}

static inline int param_set(const char *parameter, unsigned long long value)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), PARAMETERS "%s", parameter);
	snprintf(text, sizeof(text), "%llu", value);
	return file_write(path, text);
}

/* ~0ULL if there is no such parameter. */
static inline unsigned long long param_get(const char *parameter)
{
	unsigned long long value = ~0ULL;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), PARAMETERS "%s", parameter);
	f = fopen(path, "re");
	if (!f)
		return value;
	if (fscanf(f, "%llu", &value) != 1)
		value = ~0ULL;
	fclose(f);
	return value;
}

#endif /* IPCX_TEST_H */
