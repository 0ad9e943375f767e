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
	EXPECT_EQ(1 << IPCX_TYPE_PIPE | 1 << IPCX_TYPE_QUEUE | 1 << IPCX_TYPE_SEM, q.types);
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

/* Queues: each command, with types and values beyond 32 bits. */

#define FAR_TYPE	(5 * HIGH + 3)

static int queue_new(int dev)
{
	struct ipcx_queue_params limits = { .max_msgs = 10, .max_bytes = 5000 };
	struct ipcx_create arg = pipe_arg(NULL, IPCX_LIFETIME_TRANSIENT,
					  IPCX_ACCESS_RDWR);

	arg.type = IPCX_TYPE_QUEUE;
	arg.params = (uintptr_t)&limits;
	arg.params_size = sizeof(limits);
	return obj_create(dev, &arg);
}

static int send_some(int fd, const struct ipcx_msg *msgs, uint32_t count)
{
	struct ipcx_send arg = {
		.msgs = (uintptr_t)msgs,
		.count = count,
		.msg_size = sizeof(*msgs),
		.deadline = deadline_patience(),
	};

	return ipc_ioctl(fd, IPCX_IOC_SEND, &arg);
}

/* One message of each type, whose text is its number in the list. */
static int send_types(int fd, const uint64_t *types, uint32_t count)
{
	struct ipcx_msg msgs[4] = { 0 };
	char text[4];
	uint32_t i;

	for (i = 0; i < count; i++) {
		text[i] = '0' + i;
		msgs[i].type = types[i];
		msgs[i].buf = (uintptr_t)&text[i];
		msgs[i].len = 1;
	}
	return send_some(fd, msgs, count);
}

static struct ipcx_recv recv_arg(struct ipcx_msg *msgs, uint32_t count,
				 uint32_t how, uint64_t lo, uint64_t hi)
{
	return (struct ipcx_recv) {
		.msgs = (uintptr_t)msgs,
		.count = count,
		.msg_size = sizeof(*msgs),
		.flags = IPCX_NONBLOCK,
		.deadline = deadline_patience(),
		.select = { .how = how, .lo = lo, .hi = hi },
	};
}

/* The number of the one message that is received, or -errno. */
static int recv_number(int fd, uint32_t how, uint64_t lo, uint64_t hi)
{
	char c = POISON;
	struct ipcx_msg msg = { .buf = (uintptr_t)&c, .room = 1 };
	struct ipcx_recv arg = recv_arg(&msg, 1, how, lo, hi);
	int ret = ipc_ioctl(fd, IPCX_IOC_RECV, &arg);

	return ret == 1 ? c - '0' : ret;
}

TEST_F(compat, queue_has_limits_of_64_bits)
{
	struct ipcx_queue_params limits = { .max_msgs = HIGH + 1 };
	struct ipcx_resize resize = { .deadline = deadline_patience() };
	struct ipcx_create arg = pipe_arg(NULL, IPCX_LIFETIME_TRANSIENT,
					  IPCX_ACCESS_RDWR);
	struct ipcx_query q;
	struct ipcx_stat st;
	int fd = queue_new(self->dev);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, dev_query(self->dev, &q));
	EXPECT_EQ(1024, q.queue_msgs_default);
	EXPECT_EQ(256 << 10, q.queue_bytes_default);
	EXPECT_EQ(param_get("queue_msgs_max"), q.queue_msgs_max);
	EXPECT_EQ(param_get("queue_bytes_max"), q.queue_bytes_max);
	arg.type = IPCX_TYPE_QUEUE;
	arg.params = (uintptr_t)&limits;
	arg.params_size = sizeof(limits);
	EXPECT_EQ(-EINVAL, obj_create(self->dev, &arg));
	resize.max_msg_bytes = HIGH + 1;
	EXPECT_EQ(-EINVAL, ipc_ioctl(fd, IPCX_IOC_RESIZE, &resize));
	resize.max_msg_bytes = 0;
	resize.bytes = HIGH + 1;
	EXPECT_EQ(-EINVAL, ipc_ioctl(fd, IPCX_IOC_RESIZE, &resize));
	resize.bytes = 6000;
	EXPECT_EQ(0, ipc_ioctl(fd, IPCX_IOC_RESIZE, &resize));
	EXPECT_EQ(6000, resize.bytes);
	EXPECT_EQ(10, resize.max_msgs);
	EXPECT_EQ(5000, resize.max_msg_bytes);
	ASSERT_EQ(0, fd_stat(fd, &st));
	EXPECT_EQ(IPCX_TYPE_QUEUE, st.type);
	EXPECT_EQ(6000, st.capacity_bytes);
	EXPECT_EQ(10, st.max_msgs);
	EXPECT_EQ(5000, st.max_msg_bytes);
	EXPECT_EQ(0, st.msgs);
	close(fd);
}

TEST_F(compat, send_and_receive_a_batch)
{
	static const uint64_t types[] = { 1, FAR_TYPE, IPCX_MSG_TYPE_MAX };
	uint64_t before = now_ns(CLOCK_REALTIME_COARSE);
	int fd = queue_new(self->dev), i;
	struct ipcx_msg msgs[4];
	struct ipcx_recv arg;
	char text[4];

	ASSERT_GE(fd, 0);
	ASSERT_EQ(3, send_types(fd, types, 3));
	EXPECT_EQ(3, pipe_stat(fd).msgs);
	memset(msgs, POISON, sizeof(msgs));
	memset(text, POISON, sizeof(text));
	for (i = 0; i < 4; i++) {
		msgs[i].buf = (uintptr_t)&text[i];
		msgs[i].room = 1;
	}
	arg = recv_arg(msgs, 4, IPCX_SELECT_ANY, 0, 0);
	ASSERT_EQ(3, ipc_ioctl(fd, IPCX_IOC_RECV, &arg));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(types[i], msgs[i].type);
		EXPECT_EQ((uintptr_t)&text[i], msgs[i].buf);
		EXPECT_EQ(1, msgs[i].len);
		EXPECT_LE(before, msgs[i].sent_ns);
		EXPECT_GE(now_ns(CLOCK_REALTIME), msgs[i].sent_ns);
		EXPECT_EQ(getpid(), msgs[i].pid);
		EXPECT_EQ(getuid(), msgs[i].uid);
		EXPECT_EQ(getgid(), msgs[i].gid);
		EXPECT_EQ(0, msgs[i].flags);
		EXPECT_EQ('0' + i, text[i]);
	}
	EXPECT_EQ(0xa5a5a5a5, msgs[3].flags);
	close(fd);
}

TEST_F(compat, messages_have_64_bits)
{
	char text[2] = "x";
	struct ipcx_msg msg = {
		.type = IPCX_MSG_TYPE_MAX + 1, .buf = (uintptr_t)text, .len = 1,
	};
	struct ipcx_send send = {
		.msgs = HIGH + (uintptr_t)&msg, .count = 1,
		.msg_size = sizeof(msg), .deadline = deadline_patience(),
	};
	int fd = queue_new(self->dev);
	struct ipcx_recv recv;

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EINVAL, send_some(fd, &msg, 1));
	msg.type = 1;
	msg.len = HIGH + 1;
	EXPECT_EQ(-EMSGSIZE, send_some(fd, &msg, 1));
	msg.len = 1;
	msg.buf += HIGH;
	EXPECT_EQ(-EFAULT, send_some(fd, &msg, 1));
	msg.buf -= HIGH;
	msg.room = 1;
	EXPECT_EQ(-EFAULT, ipc_ioctl(fd, IPCX_IOC_SEND, &send));
	EXPECT_EQ(0, pipe_stat(fd).msgs);
	ASSERT_EQ(1, send_some(fd, &msg, 1));

	recv = recv_arg(&msg, 1, IPCX_SELECT_ANY, 0, 0);
	recv.msgs += HIGH;
	EXPECT_EQ(-EFAULT, ipc_ioctl(fd, IPCX_IOC_RECV, &recv));
	recv.msgs -= HIGH;
	msg.buf += HIGH;
	EXPECT_EQ(-EFAULT, ipc_ioctl(fd, IPCX_IOC_RECV, &recv));
	msg.buf -= HIGH;
	msg.room = 1;
	recv.flags |= IPCX_PEEK;
	recv.skip = HIGH;
	EXPECT_EQ(-EAGAIN, ipc_ioctl(fd, IPCX_IOC_RECV, &recv));
	recv.skip = 0;
	/* Room beyond 32 bits is room, even if the message needs less. */
	msg.room = HIGH;
	EXPECT_EQ(1, ipc_ioctl(fd, IPCX_IOC_RECV, &recv));
	EXPECT_EQ(1, msg.len);
	EXPECT_EQ(1, pipe_stat(fd).msgs);
	close(fd);
}

TEST_F(compat, selectors_have_64_bits)
{
	/* Their lower halves are all the same. */
	static const uint64_t types[] = {
		2 * HIGH + 3, 3, 4 * HIGH + 3, HIGH + 3,
	};
	int fd = queue_new(self->dev);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(4, send_types(fd, types, 4));
	EXPECT_EQ(-EAGAIN, recv_number(fd, IPCX_SELECT_EXACT, 3 * HIGH + 3, 0));
	EXPECT_EQ(-EAGAIN, recv_number(fd, IPCX_SELECT_RANGE, 4 * HIGH + 4,
				       IPCX_MSG_TYPE_MAX));
	EXPECT_EQ(-EINVAL, recv_number(fd, IPCX_SELECT_RANGE, 2 * HIGH, 7));
	EXPECT_EQ(-EINVAL, recv_number(fd, IPCX_SELECT_EXACT,
				       IPCX_MSG_TYPE_MAX + 1, 0));
	EXPECT_EQ(3, recv_number(fd, IPCX_SELECT_RANGE, 4, 5 * HIGH));
	EXPECT_EQ(1, recv_number(fd, IPCX_SELECT_EXCEPT, 2 * HIGH + 3, 0));
	EXPECT_EQ(2, recv_number(fd, IPCX_SELECT_EXACT, 4 * HIGH + 3, 0));
	EXPECT_EQ(0, recv_number(fd, IPCX_SELECT_ANY, 0, 0));
	close(fd);
}

TEST_F(compat, purge)
{
	static const uint64_t types[] = { 3, FAR_TYPE, HIGH + 3, FAR_TYPE };
	struct ipcx_purge arg = {
		.select = { .how = IPCX_SELECT_EXACT, .lo = FAR_TYPE },
	};
	int fd = queue_new(self->dev);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(4, send_types(fd, types, 4));
	EXPECT_EQ(2, ipc_ioctl(fd, IPCX_IOC_PURGE, &arg));
	EXPECT_EQ(0, recv_number(fd, IPCX_SELECT_ANY, 0, 0));
	EXPECT_EQ(2, recv_number(fd, IPCX_SELECT_ANY, 0, 0));
	EXPECT_EQ(-EAGAIN, recv_number(fd, IPCX_SELECT_ANY, 0, 0));
	close(fd);
}

TEST_F(compat, queue_file)
{
	struct ipcx_queue_file arg = {
		.select = { .how = IPCX_SELECT_EXACT, .lo = FAR_TYPE },
		.type = FAR_TYPE,
		.flags = IPCX_TRUNCATE,
	};
	static const uint64_t types[] = { FAR_TYPE - HIGH };
	int fd = queue_new(self->dev);
	char buf[2];

	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, ipc_ioctl(fd, IPCX_IOC_QUEUE_FILE, &arg));
	ASSERT_EQ(1, send_types(fd, types, 1));
	EXPECT_EQ(0, fionread(fd));
	EXPECT_EQ(POLLOUT, poll_now(fd, POLLIN | POLLOUT));
	EXPECT_EQ(3, plain_write(fd, "abc", 3));
	EXPECT_EQ(3, fionread(fd));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(fd, POLLIN | POLLOUT));
	EXPECT_EQ(2, plain_read(fd, buf, 2));
	EXPECT_EQ(0, memcmp(buf, "ab", 2));
	EXPECT_EQ(0, recv_number(fd, IPCX_SELECT_ANY, 0, 0));
	close(fd);
}

/* A pointer of this program, in the lower half of what has room for any. */
TEST_F(compat, notify)
{
	static const uint64_t types[] = { FAR_TYPE };
	struct ipcx_notify arg = {
		.signo = SIGRTMIN + 3, .value = (uintptr_t)&arg,
	};
	struct timespec patience = { .tv_sec = PATIENCE_MS / 1000 };
	int fd = queue_new(self->dev);
	siginfo_t info;
	sigset_t set;

	ASSERT_GE(fd, 0);
	sigemptyset(&set);
	sigaddset(&set, arg.signo);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, ipc_ioctl(fd, IPCX_IOC_NOTIFY, &arg));
	EXPECT_EQ(-EBUSY, ipc_ioctl(fd, IPCX_IOC_NOTIFY, &arg));
	ASSERT_EQ(1, send_types(fd, types, 1));
	memset(&info, POISON, sizeof(info));
	ASSERT_EQ((int)arg.signo, sigtimedwait(&set, &info, &patience));
	EXPECT_EQ(SI_MESGQ, info.si_code);
	EXPECT_EQ(&arg, info.si_value.sival_ptr);
	EXPECT_EQ(getpid(), info.si_pid);
	EXPECT_EQ(getuid(), info.si_uid);
	close(fd);
}

/* A receiver who sleeps gets the type, and the length of E2BIG. */
TEST_F(compat, receivers_are_woken)
{
	static const uint64_t types[] = { HIGH + 3, FAR_TYPE };
	int fd = queue_new(self->dev);
	struct ipcx_stat st;
	pid_t pid;

	ASSERT_GE(fd, 0);
	pid = fork();
	if (!pid) {
		char c;
		struct ipcx_msg msg = { .buf = (uintptr_t)&c, .room = 0 };
		struct ipcx_recv arg = recv_arg(&msg, 1, IPCX_SELECT_RANGE,
						2 * HIGH, IPCX_MSG_TYPE_MAX);

		arg.flags = 0;
		if (ipc_ioctl(fd, IPCX_IOC_RECV, &arg) != -E2BIG || msg.len != 1)
			_exit(1);
		msg.room = msg.len;
		if (ipc_ioctl(fd, IPCX_IOC_RECV, &arg) != 1)
			_exit(2);
		_exit(msg.type == FAR_TYPE && c == '1' ? 0 : 3);
	}
	EXPECT_TRUE(wait_until(!fd_stat(fd, &st) && st.waiting_readers == 1));
	EXPECT_EQ(2, send_types(fd, types, 2));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(0, recv_number(fd, IPCX_SELECT_ANY, 0, 0));
	close(fd);
}

TEST_HARNESS_MAIN
