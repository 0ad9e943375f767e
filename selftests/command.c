// SPDX-License-Identifier: GPL-2.0
/*
 * What holds for every command: sizes, numbers, directions, addresses, deadlines;
 * and the device itself.
 */
#include <stddef.h>

#include "object_test.h"

/* The largest size that fits into a command's number. */
#define COMMAND_SIZE_MAX	((1 << _IOC_SIZEBITS) - 1)

static unsigned long resized(unsigned long command, size_t size)
{
	return _IOC(_IOC_DIR(command), _IOC_TYPE(command), _IOC_NR(command),
		    size);
}

FIXTURE(command) {
	int dev;
	char name[TEST_NAME_SIZE];
	char other[TEST_NAME_SIZE];
};

FIXTURE_SETUP(command)
{
	track_cleanup();
	test_name(self->name, "name");
	test_name(self->other, "other");
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	ASSERT_TRUE(settled(self->dev));
}

FIXTURE_TEARDOWN_PARENT(command)
{
	track_cleanup();
}

/* The device. */

TEST_F(command, device_is_for_everybody)
{
	struct stat st;

	ASSERT_EQ(0, stat(IPCX_DEVICE, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0666, st.st_mode & 07777);
	as_user(UID_A, GID_A) {
		int dev = dev_open();

		ASSERT_GE(dev, 0);
		EXPECT_GE(pipe_create(dev, NULL, TRANSIENT, RDWR), 0);
	}
}

TEST_F(command, query_tells_what_there_is)
{
	struct ipcx_query q;

	ASSERT_EQ(0, dev_query(self->dev, &q));
	EXPECT_EQ(sizeof(q), q.size);
	EXPECT_EQ(IPCX_UAPI_VERSION, q.version);
	EXPECT_EQ(1 << IPCX_TYPE_PIPE | 1 << IPCX_TYPE_QUEUE | 1 << IPCX_TYPE_SEM, q.types);
	EXPECT_EQ(IPCX_NAME_MAX, q.name_max);
	EXPECT_EQ(4096, q.pipe_capacity_min);
	EXPECT_EQ(65536, q.pipe_capacity_default);
	EXPECT_GE(q.pipe_capacity_max, q.pipe_capacity_default);
	EXPECT_EQ(0, q.pipe_capacity_max & (q.pipe_capacity_max - 1));
	EXPECT_LT(0, q.user.objects_max);
	EXPECT_LT(0, q.user.bytes_max);
	EXPECT_LT(0, q.ns.objects_max);
	EXPECT_LT(0, q.ns.bytes_max);
	EXPECT_LE(q.user.objects, q.user.objects_max);
	EXPECT_LE(q.ns.objects, q.ns.objects_max);
}

/* The rules for every command. */

static const struct command {
	const char *name;
	unsigned long number;
	size_t size;
	size_t first_size;	/* if it has grown since */
	bool on_object;
} commands[] = {
	{ "CREATE", IPCX_IOC_CREATE, sizeof(struct ipcx_create), 0, false },
	{ "OPEN", IPCX_IOC_OPEN, sizeof(struct ipcx_open), 0, true },
	{ "UNLINK", IPCX_IOC_UNLINK, sizeof(struct ipcx_ref), 0, true },
	{ "REMOVE", IPCX_IOC_REMOVE, sizeof(struct ipcx_ref), 0, true },
	{ "QUERY", IPCX_IOC_QUERY, sizeof(struct ipcx_query),
	  offsetof(struct ipcx_query, queue_msgs_default), false },
	{ "STAT", IPCX_IOC_STAT, sizeof(struct ipcx_stat),
	  offsetof(struct ipcx_stat, msgs), true },
	{ "RESIZE", IPCX_IOC_RESIZE, sizeof(struct ipcx_resize),
	  offsetof(struct ipcx_resize, max_msgs), true },
	{ "READ", IPCX_IOC_READ, sizeof(struct ipcx_io), 0, true },
	{ "WRITE", IPCX_IOC_WRITE, sizeof(struct ipcx_io), 0, true },
};

#define N_COMMANDS	ARRAY_LEN(commands)

/* Command @c on @fd, with an argument of @size bytes. */
static int run_sized(int fd, const struct command *c, size_t size, void *arg)
{
	return ipc_ioctl(fd, resized(c->number, size), arg);
}

static int run(int fd, const struct command *c, void *arg)
{
	return ipc_ioctl(fd, c->number, arg);
}

/* The largest argument, with room behind it. */
union argument {
	struct ipcx_create create;
	struct ipcx_open open;
	struct ipcx_ref ref;
	struct ipcx_query query;
	struct ipcx_stat stat;
	struct ipcx_io io;
	struct ipcx_resize resize;
	char bytes[COMMAND_SIZE_MAX];
};

/* A valid argument of command @c about the object @name, for the device. */
static void valid_argument(const struct command *c, const char *name,
			   union argument *arg)
{
	memset(arg, 0, sizeof(*arg));
	if (c->number == IPCX_IOC_CREATE) {
		arg->create = pipe_arg(name, PERSISTENT, RDWR);
		arg->create.flags = IPCX_OR_OPEN;
		return;
	}
	if (c->number == IPCX_IOC_QUERY)
		return;
	arg->ref = ref_name(name);
	if (c->number == IPCX_IOC_READ || c->number == IPCX_IOC_WRITE) {
		arg->io.buf = (uintptr_t)one_byte;
		arg->io.len = 1;
	}
	if (c->number == IPCX_IOC_OPEN)
		arg->open.access = RDWR;
	if (c->number == IPCX_IOC_RESIZE)
		arg->resize.bytes = 8192;
}

TEST_F(command, valid_arguments_succeed)
{
	union argument arg;
	size_t i;

	for (i = 0; i < N_COMMANDS; i++) {
		int fd = ready_pipe(self->dev, self->name);

		ASSERT_GE(fd, 0);
		valid_argument(&commands[i], self->name, &arg);
		EXPECT_LE(0, run(self->dev, &commands[i], &arg)) {
			TH_LOG("%s", commands[i].name);
		}
		close(fd);
		name_remove(self->dev, self->name);
	}
}

TEST_F(command, shorter_structures_are_refused)
{
	union argument arg;
	size_t i, size;

	ASSERT_GE(ready_pipe(self->dev, self->name), 0);
	for (i = 0; i < N_COMMANDS; i++) {
		size_t first = commands[i].first_size ?: commands[i].size;

		for (size = 0; size < first; size++) {
			valid_argument(&commands[i], self->name, &arg);
			ASSERT_EQ(-EINVAL, run_sized(self->dev, &commands[i], size, &arg)) {
				TH_LOG("%s %zu", commands[i].name, size);
			}
		}
		EXPECT_TRUE(still_ready(self->dev, self->name));
	}
}

TEST_F(command, longer_structures_must_be_zero_there)
{
	union argument arg;
	size_t i, size;

	ASSERT_GE(ready_pipe(self->dev, self->name), 0);
	for (i = 0; i < N_COMMANDS; i++) {
		if (commands[i].number == IPCX_IOC_QUERY)
			continue; /* nothing of it is input */
		for (size = commands[i].size + 1; size <= COMMAND_SIZE_MAX;
		     size = size < COMMAND_SIZE_MAX / 2 ? size * 2 - 7 :
			    size < COMMAND_SIZE_MAX ? COMMAND_SIZE_MAX :
			    size + 1) {
			valid_argument(&commands[i], self->name, &arg);
			arg.bytes[size - 1] = 1;
			ASSERT_EQ(-E2BIG, run_sized(self->dev, &commands[i], size, &arg)) {
				TH_LOG("%s %zu", commands[i].name, size);
			}
		}
		EXPECT_TRUE(still_ready(self->dev, self->name));
	}
}

TEST_F(command, longer_structures_with_zeros_are_taken)
{
	static const size_t more[] = { 1, 8, 4096 };
	union argument arg;
	size_t i, k;

	for (i = 0; i < N_COMMANDS; i++) {
		for (k = 0; k < 3; k++) {
			size_t size = commands[i].size + more[k];
			int fd = ready_pipe(self->dev, self->name);

			ASSERT_GE(fd, 0);
			valid_argument(&commands[i], self->name, &arg);
			EXPECT_LE(0, run_sized(self->dev, &commands[i], size, &arg)) {
				TH_LOG("%s %zu", commands[i].name, size);
			}
			close(fd);
			name_remove(self->dev, self->name);
		}
	}
}

TEST_F(command, longer_outputs_tell_the_kernels_size)
{
	union argument arg;

	ASSERT_GE(ready_pipe(self->dev, self->name), 0);
	memset(&arg, 0, sizeof(arg));
	arg.stat.ref = ref_name(self->name);
	ASSERT_EQ(0, ipc_ioctl(self->dev, resized(IPCX_IOC_STAT,
						  sizeof(arg.stat) + 64), &arg));
	EXPECT_EQ(sizeof(struct ipcx_stat), arg.stat.size);
	EXPECT_STREQ(self->name, arg.stat.name);
	EXPECT_EQ(0, arg.bytes[sizeof(arg.stat)]);

	memset(&arg, 0, sizeof(arg));
	ASSERT_EQ(0, ipc_ioctl(self->dev, resized(IPCX_IOC_QUERY,
						  sizeof(arg.query) + 64), &arg));
	EXPECT_EQ(sizeof(struct ipcx_query), arg.query.size);
	EXPECT_EQ(IPCX_NAME_MAX, arg.query.name_max);
	EXPECT_EQ(0, arg.bytes[sizeof(arg.query)]);
}

TEST_F(command, unknown_commands_are_enotty)
{
	unsigned long write, both;
	union argument arg;
	int fd, nr;

	fd = ready_pipe(self->dev, self->name);
	ASSERT_GE(fd, 0);
	memset(&arg, 0, sizeof(arg));
	for (nr = 0; nr < 256; nr++) {
		if ((nr >= 1 && nr <= 7) || (nr >= 16 && nr <= 29))
			continue;
		write = _IOW(IPCX_IOC_MAGIC, nr, long);
		both = _IOWR(IPCX_IOC_MAGIC, nr, long);
		EXPECT_EQ(-ENOTTY, ipc_ioctl(self->dev, write, &arg));
		EXPECT_EQ(-ENOTTY, ipc_ioctl(self->dev, both, &arg));
		EXPECT_EQ(-ENOTTY, ipc_ioctl(fd, write, &arg));
	}
	EXPECT_TRUE(still_ready(self->dev, self->name));
}

TEST_F(command, direction_and_magic_are_part_of_the_command)
{
	unsigned long wrong;
	union argument arg;
	unsigned int dir;
	size_t i;

	ASSERT_GE(ready_pipe(self->dev, self->name), 0);
	for (i = 0; i < N_COMMANDS; i++) {
		const struct command *c = &commands[i];

		for (dir = 0; dir < 4; dir++) {
			if (dir == _IOC_DIR(c->number))
				continue;
			valid_argument(c, self->name, &arg);
			wrong = _IOC(dir, IPCX_IOC_MAGIC, _IOC_NR(c->number),
				     c->size);
			EXPECT_EQ(-ENOTTY, ipc_ioctl(self->dev, wrong, &arg)) {
				TH_LOG("%s direction %u", c->name, dir);
			}
		}
		valid_argument(c, self->name, &arg);
		wrong = _IOC(_IOC_DIR(c->number), IPCX_IOC_MAGIC - 1,
			     _IOC_NR(c->number), c->size);
		EXPECT_EQ(-ENOTTY, ipc_ioctl(self->dev, wrong, &arg));
	}
	EXPECT_TRUE(still_ready(self->dev, self->name));
}

TEST_F(command, objects_lack_the_devices_commands)
{
	union argument arg;
	size_t i;
	int fd;

	fd = ready_pipe(self->dev, self->name);
	ASSERT_GE(fd, 0);
	for (i = 0; i < N_COMMANDS; i++) {
		if (commands[i].on_object)
			continue;
		valid_argument(&commands[i], self->other, &arg);
		EXPECT_EQ(-ENOTTY, run(fd, &commands[i], &arg));
	}
	EXPECT_EQ(-ENOENT, name_stat(self->dev, self->other, &arg.stat));
	EXPECT_TRUE(still_ready(self->dev, self->name));
}

/* Each command's structure at each place across the end of the memory. */
TEST_F(command, structures_partly_outside_are_efault)
{
	union argument arg;
	char *edge = edge_make();
	size_t i, inside;

	ASSERT_NE(NULL, edge);
	ASSERT_GE(ready_pipe(self->dev, self->name), 0);
	for (i = 0; i < N_COMMANDS; i++) {
		valid_argument(&commands[i], self->name, &arg);
		for (inside = 0; inside < commands[i].size; inside++) {
			void *p = edge_put(edge, &arg, inside);

			ASSERT_EQ(-EFAULT, run(self->dev, &commands[i], p)) {
				TH_LOG("%s %zu", commands[i].name, inside);
			}
		}
		EXPECT_TRUE(still_ready(self->dev, self->name)) {
			TH_LOG("%s", commands[i].name);
		}
		EXPECT_EQ(-EFAULT, run(self->dev, &commands[i], NULL));
	}
}

TEST_F(command, structures_up_to_the_end_are_read)
{
	union argument arg;
	char *edge = edge_make();
	size_t i;

	ASSERT_NE(NULL, edge);
	for (i = 0; i < N_COMMANDS; i++) {
		int fd = ready_pipe(self->dev, self->name);

		ASSERT_GE(fd, 0);
		valid_argument(&commands[i], self->name, &arg);
		EXPECT_LE(0, run(self->dev, &commands[i], edge_put(edge, &arg, commands[i].size))) {
			TH_LOG("%s", commands[i].name);
		}
		close(fd);
		name_remove(self->dev, self->name);
	}
}

TEST_F(command, names_partly_outside_are_efault)
{
	size_t i, inside, len = strlen(self->name);
	union argument arg;
	char *edge = edge_make();

	ASSERT_NE(NULL, edge);
	ASSERT_GE(ready_pipe(self->dev, self->name), 0);
	for (i = 0; i < N_COMMANDS; i++) {
		if (commands[i].number == IPCX_IOC_QUERY)
			continue;
		valid_argument(&commands[i], self->name, &arg);
		/* name comes first in create as it does in ref */
		for (inside = 0; inside < len; inside++) {
			arg.ref.name = (uintptr_t)edge_put(edge, self->name,
							   inside);
			ASSERT_EQ(-EFAULT, run(self->dev, &commands[i], &arg)) {
				TH_LOG("%s %zu", commands[i].name, inside);
			}
		}
		/* kernel space, and the last byte of all */
		arg.ref.name = 1ULL << 63;
		EXPECT_EQ(-EFAULT, run(self->dev, &commands[i], &arg));
		arg.ref.name = ~0ULL;
		EXPECT_EQ(-EFAULT, run(self->dev, &commands[i], &arg));
		EXPECT_TRUE(still_ready(self->dev, self->name));
	}
}

TEST_F(command, names_up_to_the_end_are_read)
{
	size_t i, len = strlen(self->name);
	union argument arg;
	char *edge = edge_make();

	ASSERT_NE(NULL, edge);
	for (i = 0; i < N_COMMANDS; i++) {
		int fd = ready_pipe(self->dev, self->name);

		ASSERT_GE(fd, 0);
		valid_argument(&commands[i], self->name, &arg);
		if (commands[i].number != IPCX_IOC_QUERY)
			arg.ref.name = (uintptr_t)edge_put(edge, self->name,
							   len);
		EXPECT_LE(0, run(self->dev, &commands[i], &arg)) {
			TH_LOG("%s", commands[i].name);
		}
		close(fd);
		name_remove(self->dev, self->name);
	}
}

TEST_F(command, outputs_on_read_only_memory_are_efault)
{
	struct ipcx_stat *st = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, st);
	ASSERT_GE(ready_pipe(self->dev, self->name), 0);
	st->ref = ref_name(self->name);
	ASSERT_EQ(0, mprotect(st, getpagesize(), PROT_READ));
	EXPECT_EQ(-EFAULT, ipc_ioctl(self->dev, IPCX_IOC_STAT, st));
	EXPECT_EQ(-EFAULT, ipc_ioctl(self->dev, IPCX_IOC_QUERY, st));
	EXPECT_EQ(0, st->id);
}

/* A program that was built for 32 bits, without its compiler. */
#ifdef __x86_64__
static int compat_ioctl(int fd, unsigned long command, void *arg)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret)
		     : "a" (54), "b" (fd), "c" (command), "d" (arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static bool have_compat(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(compat_ioctl(-1, 0, NULL) == -EBADF ? 0 : 1);
	return reap(pid) == 0;
}

TEST_F(command, commands_of_32_bit_programs)
{
	union argument *arg = mmap(NULL, sizeof(*arg), PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	char *name = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int fd;

	if (!have_compat())
		SKIP(return, "no 32-bit system calls on this kernel");
	ASSERT_NE(MAP_FAILED, arg);
	ASSERT_NE(MAP_FAILED, name);
	strcpy(name, self->name);
	/* known to track_cleanup() */
	ASSERT_GE(pipe_create(self->dev, name, TRANSIENT, RDWR), 0);
	ASSERT_EQ(0, name_remove(self->dev, name));

	arg->create = pipe_arg(name, PERSISTENT, RDWR);
	fd = compat_ioctl(self->dev, IPCX_IOC_CREATE, arg);
	ASSERT_GE(fd, 0);
	arg->io = (struct ipcx_io) { .buf = (uintptr_t)name, .len = 4 };
	EXPECT_EQ(4, compat_ioctl(fd, IPCX_IOC_WRITE, arg));
	memset(arg, 0, sizeof(*arg));
	arg->resize.bytes = 8192;
	EXPECT_EQ(0, compat_ioctl(fd, IPCX_IOC_RESIZE, arg));
	memset(arg, 0, sizeof(*arg));
	EXPECT_EQ(0, compat_ioctl(fd, IPCX_IOC_STAT, arg));
	EXPECT_EQ(4, arg->stat.used_bytes);
	EXPECT_EQ(8192, arg->stat.capacity_bytes);
	EXPECT_STREQ(name, arg->stat.name);
	EXPECT_EQ(0, compat_ioctl(self->dev, IPCX_IOC_QUERY, arg));
	EXPECT_EQ(sizeof(struct ipcx_query), arg->query.size);
	memset(arg, 0, sizeof(*arg));
	arg->ref = ref_name(name);
	EXPECT_EQ(0, compat_ioctl(self->dev, IPCX_IOC_UNLINK, arg));
	EXPECT_EQ(-ENOENT, compat_ioctl(self->dev, IPCX_IOC_UNLINK, arg));
	EXPECT_EQ(-ENOTTY, compat_ioctl(self->dev, _IO(IPCX_IOC_MAGIC, 99),
					arg));
}
#endif

/* For READ and WRITE alike: what no transfer may say. */
TEST_F(command, io_flags_and_reserved)
{
	static const unsigned long both[] = { IPCX_IOC_READ, IPCX_IOC_WRITE };
	size_t i;
	int bit, fd;

	fd = ready_pipe(self->dev, self->name);
	ASSERT_GE(fd, 0);
	for (i = 0; i < 2; i++) {
		struct ipcx_io ok = {
			.buf = (uintptr_t)one_byte, .len = 1,
		};
		struct ipcx_io arg;

		for (bit = 0; bit < 32; bit++) {
			arg = ok;
			arg.flags = 1U << bit;
			if (arg.flags & (IPCX_NONBLOCK | IPCX_NO_RESTART |
					 IPCX_NO_SIGPIPE))
				continue;
			EXPECT_EQ(-EINVAL, ipc_ioctl(fd, both[i], &arg));
		}
		arg = ok;
		arg.reserved = 1;
		EXPECT_EQ(-EINVAL, ipc_ioctl(fd, both[i], &arg));
	}
	EXPECT_TRUE(still_ready(self->dev, self->name));
}

static const struct ipcx_deadline wrong_deadlines[] = {
	{ .ns = 1ULL << 63, .clock = CLOCK_MONOTONIC },
	{ .ns = ~0ULL - 1, .clock = CLOCK_MONOTONIC },
	{ .ns = 1, .clock = CLOCK_PROCESS_CPUTIME_ID },
	{ .ns = 1, .clock = CLOCK_MONOTONIC_RAW },
	{ .ns = 1, .clock = CLOCK_TAI },
	{ .ns = 1, .clock = ~0U },
	{ .ns = IPCX_NO_DEADLINE, .clock = CLOCK_TAI },
	{ .ns = 1, .clock = CLOCK_MONOTONIC, .reserved = 1 },
	{ .ns = IPCX_NO_DEADLINE, .clock = CLOCK_MONOTONIC, .reserved = 1 },
};

static const struct ipcx_deadline right_deadlines[] = {
	{ .ns = 0, .clock = CLOCK_REALTIME },
	{ .ns = 0, .clock = CLOCK_MONOTONIC },
	{ .ns = 0, .clock = CLOCK_BOOTTIME },
	{ .ns = (1ULL << 63) - 1, .clock = CLOCK_REALTIME },
	{ .ns = (1ULL << 63) - 1, .clock = CLOCK_MONOTONIC },
	{ .ns = (1ULL << 63) - 1, .clock = CLOCK_BOOTTIME },
	{ .ns = IPCX_NO_DEADLINE, .clock = CLOCK_REALTIME },
	{ .ns = IPCX_NO_DEADLINE, .clock = CLOCK_MONOTONIC },
	{ .ns = IPCX_NO_DEADLINE, .clock = CLOCK_BOOTTIME },
};

#define resize_arg(until)						\
	((struct ipcx_resize) { .bytes = 65536, .deadline = (until) })

/* Nothing here has to wait: a deadline is checked all the same. */
TEST_F(command, deadlines_are_checked)
{
	struct ipcx_open arg = { .access = RDWR };
	size_t i;
	int fd;

	fd = ready_pipe(self->dev, self->name);
	ASSERT_GE(fd, 0);
	for (i = 0; i < ARRAY_LEN(wrong_deadlines); i++) {
		struct ipcx_deadline d = wrong_deadlines[i];

		arg.deadline = d;
		EXPECT_EQ(-EINVAL, open_with(fd, &arg)) {
			TH_LOG("deadline %zu", i);
		}
		EXPECT_EQ(-EINVAL, ipc_ioctl(fd, IPCX_IOC_RESIZE,
					     &resize_arg(d)));
		EXPECT_EQ(-EINVAL, ref_io(fd, IPCX_IOC_READ, ref_self(),
					  one_byte, 1, 0, d));
		EXPECT_EQ(-EINVAL, ref_io(fd, IPCX_IOC_WRITE, ref_self(),
					  one_byte, 1, 0, d));
	}
	EXPECT_TRUE(still_ready(self->dev, self->name));
	for (i = 0; i < ARRAY_LEN(right_deadlines); i++) {
		struct ipcx_deadline d = right_deadlines[i];

		arg.deadline = d;
		EXPECT_EQ(0, close(open_with(fd, &arg))) {
			TH_LOG("deadline %zu", i);
		}
		EXPECT_EQ(0, ipc_ioctl(fd, IPCX_IOC_RESIZE, &resize_arg(d)));
		EXPECT_EQ(1, ref_io(fd, IPCX_IOC_READ, ref_self(), one_byte, 1,
				    0, d));
		EXPECT_EQ(1, ref_io(fd, IPCX_IOC_WRITE, ref_self(), one_byte, 1,
				    0, d));
	}
}

TEST_HARNESS_MAIN
