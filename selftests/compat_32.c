// SPDX-License-Identifier: GPL-2.0
/*
 * A 32-bit program on a 64-bit kernel: each command and each promise of a file
 * descriptor, with values that tell whether 64 bits went through.
 */
#include "pipe_test.h"

#include "layout.h"

#define HIGH	(1ULL << 32)

FIXTURE(compat) {
	int dev;
	struct ends e;
};

FIXTURE_SETUP(compat)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->e = ends_open(self->dev, 0);
	sigpipe_catch();
}

FIXTURE_TEARDOWN(compat)
{
	track_cleanup();
	ends_close(&self->e);
	close(self->dev);
}

/* Layout. */

FIXTURE(layout) {
	char text[LAYOUT_TEXT];
	size_t len;
};

FIXTURE_SETUP(layout)
{
	self->len = layout_text(self->text);
}

FIXTURE_TEARDOWN(layout)
{
}

TEST_F(layout, program_has_32_bits)
{
	EXPECT_EQ(4, sizeof(void *));
	EXPECT_EQ(4, sizeof(long));
}

/* The helper was built for 64 bits; it lies beside this program. */
TEST_F(layout, is_that_of_64_bits)
{
	static char there[LAYOUT_TEXT];
	FILE *f = popen("./layout_helper", "re");
	size_t i = 0;

	ASSERT_NE(NULL, f);
	ASSERT_EQ(self->len, fread(there, 1, sizeof(there), f));
	EXPECT_EQ(0, pclose(f));
	while (i < self->len && self->text[i] == there[i])
		i++;
	EXPECT_EQ(self->len, i)
		TH_LOG("they part at \"%.40s\"", there + i);
}

/* Padding would be where compilers may differ, and what it holds would leak. */
TEST_F(layout, has_no_gaps)
{
	size_t i, end = 0;

	for (i = 0; i < LAYOUT_FIELDS; i++) {
		const struct layout_field *f = &layout_fields[i];
		bool last = i + 1 == LAYOUT_FIELDS || strcmp(f->of, f[1].of);

		EXPECT_EQ(end, f->offset)
			TH_LOG("%s.%s", f->of, f->name);
		end = f->offset + f->size;
		if (!last)
			continue;
		EXPECT_EQ(end, f->whole)
			TH_LOG("%s", f->of);
		EXPECT_EQ(0, f->whole % 8);
		end = 0;
	}
}

static bool layout_knows(const char *name)
{
	size_t i;

	for (i = 0; i < LAYOUT_FIELDS; i++) {
		if (!strcmp(name, layout_fields[i].of))
			return true;
	}
	for (i = 0; i < LAYOUT_COMMANDS; i++) {
		if (!strcmp(name, layout_commands[i].name))
			return true;
	}
	return false;
}

TEST_F(layout, knows_all_of_the_header)
{
	FILE *f = fopen("/ipcmod/kmod/uapi/linux/ipcx.h", "re");
	char line[256], name[256], end[256];
	unsigned int found = 0;

	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f)) {
		bool is_struct = sscanf(line, "struct %255s %255s", name, end) == 2 &&
				 !strcmp(end, "{");

		if (!is_struct && (sscanf(line, "#define %255s", name) != 1 ||
				   strncmp(name, "IPCX_IOC_", 9) ||
				   !strcmp(name, "IPCX_IOC_MAGIC")))
			continue;
		found++;
		EXPECT_TRUE(layout_knows(name))
			TH_LOG("%s is missing in layout.h", name);
	}
	fclose(f);
	EXPECT_LE(LAYOUT_COMMANDS + 8, found);
}

/* Commands. */

TEST_F(compat, create)
{
	struct ipcx_pipe_params params = { .capacity_bytes = 131072 };
	char name[TEST_NAME_SIZE];
	struct ipcx_create arg;
	struct ipcx_stat st;
	int fd;

	arg = pipe_arg(test_name(name, "create"), IPCX_LIFETIME_PERSISTENT,
		       IPCX_ACCESS_RDWR);
	arg.mode = 0640;
	arg.flags = IPCX_NONBLOCK;
	arg.params = (uintptr_t)&params;
	arg.params_size = sizeof(params);
	umask(0);
	fd = obj_create(self->dev, &arg);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(O_RDWR | O_NONBLOCK, (O_ACCMODE | O_NONBLOCK) & fcntl(fd, F_GETFL));
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_EQ(sizeof(st), st.size);
	EXPECT_EQ(IPCX_STAT_NAMED | IPCX_STAT_LINKED, st.flags);
	EXPECT_EQ(IPCX_TYPE_PIPE, st.type);
	EXPECT_EQ(IPCX_LIFETIME_PERSISTENT, st.lifetime);
	EXPECT_EQ(0640, st.mode);
	EXPECT_EQ(131072, st.capacity_bytes);
	EXPECT_EQ(strlen(name), st.name_len);
	EXPECT_STREQ(name, st.name);
	EXPECT_EQ(getpid(), st.creator_pid);
	EXPECT_EQ(1, st.opens);
	EXPECT_EQ(0, st.reserved);
	/* More than 32 bits of nanoseconds. */
	EXPECT_LT(1000000000ULL * 1000000000ULL, st.created_ns);
	EXPECT_EQ(-EEXIST, obj_create(self->dev, &arg));
	close(fd);
}

TEST_F(compat, values_have_64_bits)
{
	struct ipcx_pipe_params params = { .capacity_bytes = HIGH + 65536 };
	struct ipcx_create arg = pipe_arg(NULL, IPCX_LIFETIME_TRANSIENT,
					  IPCX_ACCESS_READ);
	struct ipcx_resize resize = {
		.bytes = HIGH + 131072, .deadline = deadline_patience(),
	};
	struct ipcx_io io = { .deadline = deadline_past() };
	char name[TEST_NAME_SIZE];

	arg.params = (uintptr_t)&params;
	arg.params_size = sizeof(params);
	EXPECT_EQ(-EINVAL, obj_create(self->dev, &arg));
	EXPECT_EQ(-EINVAL, ipc_ioctl(self->e.r, IPCX_IOC_RESIZE, &resize));
	/* Addresses, too: none is cut off and used. */
	arg = pipe_arg(test_name(name, "high"), IPCX_LIFETIME_TRANSIENT,
		       IPCX_ACCESS_READ);
	arg.name += HIGH;
	EXPECT_EQ(-EFAULT, ipc_ioctl(self->dev, IPCX_IOC_CREATE, &arg));
	arg.name -= HIGH;
	params.capacity_bytes = 0;
	arg.params = HIGH + (uintptr_t)&params;
	arg.params_size = sizeof(params);
	EXPECT_EQ(-EFAULT, ipc_ioctl(self->dev, IPCX_IOC_CREATE, &arg));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	io.buf = HIGH + (uintptr_t)name;
	io.len = 1;
	EXPECT_EQ(-EFAULT, ipc_ioctl(self->e.r, IPCX_IOC_READ, &io));
	EXPECT_EQ(-EFAULT, ipc_ioctl(self->e.w, IPCX_IOC_WRITE, &io));
	EXPECT_EQ(1, stream_read(self->e.r, 0, 1));
	/* And lengths: zero bytes return at once, 2^32 wait. */
	io.buf = (uintptr_t)name;
	io.len = HIGH;
	EXPECT_EQ(-ETIMEDOUT, ipc_ioctl(self->e.r, IPCX_IOC_READ, &io));
}

TEST_F(compat, open_and_unlink)
{
	char name[TEST_NAME_SIZE];
	struct ipcx_stat st;
	int fd, by_name, by_id, own;

	fd = pipe_create(self->dev, test_name(name, "open"),
			 IPCX_LIFETIME_PERSISTENT, IPCX_ACCESS_RDWR);
	ASSERT_EQ(0, fd_stat(fd, &st));
	by_name = name_open(self->dev, name, IPCX_ACCESS_READ, 0);
	by_id = id_open(self->dev, st.id, IPCX_ACCESS_WRITE, IPCX_INHERIT);
	own = fd_open(fd, IPCX_ACCESS_NONE, IPCX_NONBLOCK);
	ASSERT_GE(by_name, 0);
	ASSERT_GE(by_id, 0);
	ASSERT_GE(own, 0);
	EXPECT_EQ(0, fcntl(by_id, F_GETFD));
	EXPECT_EQ(4, pipe_stat(fd).opens);
	ASSERT_EQ(1, stream_write(by_id, 0, 1));
	EXPECT_EQ(1, stream_read(by_name, 0, 1));
	EXPECT_EQ(0, name_unlink(self->dev, name));
	EXPECT_EQ(-ENOENT, name_open(self->dev, name, IPCX_ACCESS_READ, 0));
	EXPECT_EQ(-ENOENT, fd_unlink(own));
	close(fd);
	close(by_name);
	close(by_id);
	close(own);
}

TEST_F(compat, open_waits_until_its_deadline)
{
	char name[TEST_NAME_SIZE];
	struct ipcx_open arg = {
		.access = IPCX_ACCESS_READ, .deadline = deadline_ms(50),
	};
	int fd;

	fd = pipe_create(self->dev, test_name(name, "deadline"),
			 IPCX_LIFETIME_PERSISTENT, IPCX_ACCESS_NONE);
	ASSERT_GE(fd, 0);
	arg.ref = ref_name(name);
	EXPECT_EQ(-ETIMEDOUT, ipc_ioctl(self->dev, IPCX_IOC_OPEN, &arg));
	EXPECT_LE(arg.deadline.ns, now_ns(CLOCK_MONOTONIC));
	close(fd);
}

/* A deadline far away whose lower half is long gone. */
TEST_F(compat, deadline_has_64_bits)
{
	struct ipcx_deadline far = {
		.ns = (now_ns(CLOCK_MONOTONIC) & -HIGH) + 1000 * HIGH,
		.clock = CLOCK_MONOTONIC,
	};
	struct actor a = actor_start_asleep((struct call) {
		.kind = CALL_IOC_READ, .fd = self->e.r, .len = 10, .deadline = far,
	});

	ASSERT_EQ(10, stream_write(self->e.w, 0, 10));
	EXPECT_EQ(10, actor_result(&a));
	EXPECT_TRUE(stream_is(a.s->data, 0, 10));
	actor_end(&a);
}

TEST_F(compat, remove)
{
	char name[TEST_NAME_SIZE];
	struct ipcx_stat st;
	struct actor a;
	int fd;

	fd = pipe_create(self->dev, test_name(name, "remove"),
			 IPCX_LIFETIME_PERSISTENT, IPCX_ACCESS_RDWR);
	ASSERT_EQ(0, fd_stat(fd, &st));
	a = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = fd, .len = 1,
	});
	EXPECT_EQ(-ESTALE, ref_remove(self->dev, ref_id_cookie(st.id, st.cookie ^ HIGH)));
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(0, ref_remove(self->dev, ref_id_cookie(st.id, st.cookie)));
	EXPECT_EQ(-EIDRM, actor_finish(&a));
	EXPECT_EQ(-EIDRM, fd_read(fd, name, 1, 0));
	close(fd);
}

TEST_F(compat, query)
{
	struct ipcx_query q, again;
	int fd;

	ASSERT_EQ(0, dev_query(self->dev, &q));
	EXPECT_EQ(sizeof(q), q.size);
	EXPECT_EQ(IPCX_UAPI_VERSION, q.version);
	EXPECT_EQ(1 << IPCX_TYPE_PIPE, q.types & (1 << IPCX_TYPE_PIPE));
	EXPECT_EQ(IPCX_NAME_MAX, q.name_max);
	EXPECT_EQ(4096, q.pipe_capacity_min);
	EXPECT_EQ(CAPACITY_DEFAULT, q.pipe_capacity_default);
	EXPECT_EQ(param_get("pipe_capacity_max"), q.pipe_capacity_max);
	EXPECT_EQ(param_get("user_objects_max"), q.user.objects_max);
	EXPECT_EQ(param_get("user_bytes_max"), q.user.bytes_max);
	EXPECT_LE(1, q.ns.objects);
	fd = pipe_create(self->dev, NULL, IPCX_LIFETIME_TRANSIENT, IPCX_ACCESS_READ);
	ASSERT_EQ(0, dev_query(self->dev, &again));
	EXPECT_EQ(q.user.objects + 1, again.user.objects);
	EXPECT_LE(q.user.bytes + CAPACITY_DEFAULT, again.user.bytes);
	close(fd);
}

TEST_F(compat, transfers_by_command)
{
	char name[TEST_NAME_SIZE];
	unsigned char buf[100];
	int fd;

	fd = pipe_create(self->dev, test_name(name, "io"),
			 IPCX_LIFETIME_PERSISTENT, IPCX_ACCESS_RDWR);
	ASSERT_GE(fd, 0);
	stream_fill(buf, 0, sizeof(buf));
	EXPECT_EQ(100, ref_write(self->dev, ref_name(name), buf, 100, 0));
	EXPECT_EQ(100, fionread(fd));
	EXPECT_EQ(60, ref_read(self->dev, ref_id(fd_id(fd)), buf, 60, 0));
	EXPECT_TRUE(stream_is(buf, 0, 60));
	EXPECT_EQ(40, fd_read(fd, buf, 100, 0));
	EXPECT_TRUE(stream_is(buf, 60, 40));
	EXPECT_EQ(-EAGAIN, fd_read(fd, buf, 1, IPCX_NONBLOCK));
	EXPECT_EQ(-ETIMEDOUT, ref_io(fd, IPCX_IOC_READ, ref_self(), buf, 1, 0,
				     deadline_past()));
	EXPECT_EQ(-ETIMEDOUT, ref_io(fd, IPCX_IOC_READ, ref_self(), buf, 1, 0,
				     deadline_on(CLOCK_REALTIME, 30)));
	close(fd);
}

TEST_F(compat, resize)
{
	struct ipcx_resize arg = {
		.bytes = 1 << 20, .deadline = deadline_patience(),
	};

	ASSERT_EQ(CAPACITY_DEFAULT, stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	EXPECT_EQ(0, ipc_ioctl(self->e.r, IPCX_IOC_RESIZE, &arg));
	EXPECT_EQ(1 << 20, pipe_stat(self->e.r).capacity_bytes);
	arg.bytes = 4096;
	EXPECT_EQ(-EBUSY, ipc_ioctl(self->e.r, IPCX_IOC_RESIZE, &arg));
	EXPECT_EQ(CAPACITY_DEFAULT, stream_read(self->e.r, 0, CAPACITY_DEFAULT));
}

/* The sizes in the command words are what the kernel goes by. */
TEST_F(compat, structures_grow)
{
	struct {
		struct ipcx_ref ref;
		uint64_t more;
	} longer = { .more = 0 };
	const unsigned long unlink = _IOW(IPCX_IOC_MAGIC, 3, longer);
	const unsigned long unknown = _IOW(IPCX_IOC_MAGIC, 99, struct ipcx_ref);
	char name[TEST_NAME_SIZE];
	int fd;

	fd = pipe_create(self->dev, test_name(name, "grow"),
			 IPCX_LIFETIME_PERSISTENT, IPCX_ACCESS_READ);
	ASSERT_GE(fd, 0);
	longer.ref = ref_name(name);
	longer.more = HIGH;
	EXPECT_EQ(-E2BIG, ipc_ioctl(self->dev, unlink, &longer));
	EXPECT_EQ(-ENOTTY, ipc_ioctl(self->dev, unknown, &longer));
	longer.more = 0;
	EXPECT_EQ(0, ipc_ioctl(self->dev, unlink, &longer));
	EXPECT_EQ(-EFAULT, ipc_ioctl(self->dev, IPCX_IOC_UNLINK, NULL));
	close(fd);
}

/* What every file can do. */

TEST_F(compat, read_and_write)
{
	unsigned char in[200], out[200];
	struct iovec iov[] = {
		{ .iov_base = in, .iov_len = 30 },
		{ .iov_base = NULL, .iov_len = 0 },
		{ .iov_base = in + 30, .iov_len = 70 },
	};

	stream_fill(out, 0, sizeof(out));
	EXPECT_EQ(100, plain_write(self->e.w, out, 100));
	EXPECT_EQ(100, fionread(self->e.r));
	EXPECT_EQ(100, plain_read(self->e.r, in, sizeof(in)));
	EXPECT_TRUE(stream_is(in, 0, 100));
	EXPECT_EQ(100, writev(self->e.w, iov, 3));
	memset(in, POISON, sizeof(in));
	EXPECT_EQ(100, readv(self->e.r, iov, 3));
	EXPECT_TRUE(stream_is(in, 0, 100));
	close(self->e.w);
	EXPECT_EQ(0, plain_read(self->e.r, in, 1));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	close(self->e.r);
	EXPECT_EQ(-EPIPE, plain_write(self->e.w, out, 1));
	EXPECT_EQ(1, sigpipes);
	self->e.r = fd_open(self->e.w, IPCX_ACCESS_READ, 0);
}

TEST_F(compat, sleepers_are_woken)
{
	struct actor a = actor_start_asleep((struct call) {
		.kind = CALL_READV, .fd = self->e.r, .len = 10,
	});
	struct actor p = actor_start_asleep((struct call) {
		.kind = CALL_POLL, .fd = self->e.r, .events = POLLHUP,
	});

	ASSERT_EQ(10, stream_write(self->e.w, 0, 10));
	EXPECT_EQ(10, actor_finish(&a));
	close(self->e.w);
	EXPECT_EQ(POLLHUP, actor_finish(&p));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
}

TEST_F(compat, poll_and_epoll)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 7 * HIGH + 5 };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	EXPECT_EQ(0, poll_now(self->e.r, POLLIN | POLLOUT));
	EXPECT_EQ(POLLOUT, poll_now(self->e.w, POLLIN | POLLOUT));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->e.r, &ev));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	EXPECT_EQ(POLLIN, poll_now(self->e.r, POLLIN | POLLOUT));
	memset(&ev, POISON, sizeof(ev));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, 0));
	EXPECT_EQ(EPOLLIN, ev.events);
	EXPECT_EQ(7 * HIGH + 5, ev.data.u64);
	close(ep);
}

TEST_F(compat, file_attributes)
{
	struct stat st;

	ASSERT_EQ(0, fchmod(self->e.r, 0604));
	memset(&st, POISON, sizeof(st));
	ASSERT_EQ(0, fstat(self->e.r, &st));
	EXPECT_EQ(S_IFIFO | 0604, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0604, pipe_stat(self->e.r).mode);
}

TEST_F(compat, signal_tells_file_and_band)
{
	const int sig = SIGRTMIN + 3;
	struct timespec zero = { 0 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, fcntl(self->e.r, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(self->e.r, F_SETSIG, sig));
	ASSERT_EQ(0, fcntl(self->e.r, F_SETFL, O_ASYNC));
	ASSERT_EQ(1, stream_write(self->e.w, 0, 1));
	memset(&info, POISON, sizeof(info));
	ASSERT_EQ(sig, sigtimedwait(&set, &info, &zero));
	EXPECT_EQ(POLL_IN, info.si_code);
	EXPECT_EQ(self->e.r, info.si_fd);
	EXPECT_EQ(POLLIN | POLLRDNORM, info.si_band);
}

TEST_F(compat, splice)
{
	int p[2];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC | O_NONBLOCK));
	ASSERT_EQ(1000, stream_write(self->e.w, 0, 1000));
	EXPECT_EQ(1000, splice(self->e.r, NULL, p[1], NULL, 5000, SPLICE_F_NONBLOCK));
	EXPECT_EQ(1000, splice(p[0], NULL, self->e.w, NULL, 5000, SPLICE_F_NONBLOCK));
	EXPECT_EQ(1000, stream_read(self->e.r, 0, 1000));
	close(p[0]);
	close(p[1]);
}

/* The other end is a 64-bit program's. */
TEST_F(compat, with_a_64_bit_program)
{
	struct ends back = ends_open(self->dev, 0);
	pid_t pid = fork();

	if (!pid) {
		dup2(self->e.r, 0);
		dup2(back.w, 1);
		close_range(3, ~0U, 0);
		execl("/bin/cat", "cat", NULL);
		_exit(99);
	}
	ASSERT_EQ(CAPACITY_DEFAULT, stream_write(self->e.w, 0, CAPACITY_DEFAULT));
	close(self->e.w);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(CAPACITY_DEFAULT, stream_read(back.r, 0, CAPACITY_DEFAULT));
	self->e.w = fd_open(self->e.r, IPCX_ACCESS_WRITE, 0);
	ends_close(&back);
}

TEST_HARNESS_MAIN
