// SPDX-License-Identifier: GPL-2.0
/*
 * Queues: limits, messages, selectors, batches, peeking, purging, files, STAT.
 *
 * Waiting, signals and polling have a file of their own, and so have faults.
 */
#include "queue_test.h"

#include <sys/uio.h>

#define ARRAY_LEN(a)	(sizeof(a) / sizeof(*(a)))
#define OVERFLOW_ID	65534

#define READ		IPCX_ACCESS_READ
#define WRITE		IPCX_ACCESS_WRITE
#define RDWR		IPCX_ACCESS_RDWR
#define PERSISTENT	IPCX_LIFETIME_PERSISTENT
#define TRANSIENT	IPCX_LIFETIME_TRANSIENT

FIXTURE(queue) {
	int dev;
	char name[TEST_NAME_SIZE];
	unsigned long long user_bytes_max;
	unsigned long long queue_msgs_max;
	unsigned long long queue_bytes_max;
};

/* A machine's memory isn't what is tested: queues may be as large as there can be. */
FIXTURE_SETUP(queue)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	test_name(self->name, "queue");
	self->user_bytes_max = param_get("user_bytes_max");
	self->queue_msgs_max = param_get("queue_msgs_max");
	self->queue_bytes_max = param_get("queue_bytes_max");
	ASSERT_NE(~0ULL, self->queue_msgs_max);
	ASSERT_NE(~0ULL, self->queue_bytes_max);
	ASSERT_EQ(0, param_set("user_bytes_max", 1ULL << 40));
}

FIXTURE_TEARDOWN_PARENT(queue)
{
	track_cleanup();
	param_set("user_bytes_max", self->user_bytes_max);
	param_set("queue_msgs_max", self->queue_msgs_max);
	param_set("queue_bytes_max", self->queue_bytes_max);
}

static int create(int dev, uint64_t max_msgs, uint64_t max_bytes, uint64_t max_msg_bytes)
{
	return queue_create(dev, NULL, TRANSIENT, RDWR, max_msgs, max_bytes, max_msg_bytes);
}

static bool limits_are(int fd, uint64_t max_msgs, uint64_t max_bytes, uint64_t max_msg_bytes)
{
	struct ipcx_stat st = pipe_stat(fd);

	if (st.max_msgs == max_msgs && st.capacity_bytes == max_bytes &&
	    st.max_msg_bytes == max_msg_bytes)
		return true;
	fprintf(stderr, "# the limits are %llu, %llu, %llu\n", (unsigned long long)st.max_msgs,
		(unsigned long long)st.capacity_bytes, (unsigned long long)st.max_msg_bytes);
	return false;
}

static bool holds(int fd, uint64_t msgs, uint64_t bytes)
{
	struct ipcx_stat st = pipe_stat(fd);

	return st.msgs == msgs && st.used_bytes == bytes;
}

static int make_pipe(int dev)
{
	return pipe_create(dev, NULL, TRANSIENT, RDWR);
}

/* Making one. */

TEST_F(queue, query_tells_of_queues)
{
	struct ipcx_query q;

	ASSERT_EQ(0, dev_query(self->dev, &q));
	EXPECT_EQ(sizeof(q), q.size);
	EXPECT_LE(3, q.version);
	EXPECT_NE(0, q.types & 1 << IPCX_TYPE_QUEUE);
	EXPECT_EQ(1024, q.queue_msgs_default);
	EXPECT_EQ(256 << 10, q.queue_bytes_default);
	EXPECT_EQ(self->queue_msgs_max, q.queue_msgs_max);
	EXPECT_EQ(self->queue_bytes_max, q.queue_bytes_max);
}

TEST_F(queue, default_limits)
{
	struct ipcx_create arg = queue_arg(NULL, TRANSIENT, RDWR, NULL);
	struct ipcx_stat st;
	int fd;

	fd = obj_create(self->dev, &arg);
	ASSERT_GE(fd, 0);
	EXPECT_TRUE(limits_are(fd, 1024, 256 << 10, 256 << 10));
	st = pipe_stat(fd);
	EXPECT_EQ(IPCX_TYPE_QUEUE, st.type);
	EXPECT_EQ(0, st.msgs);
	EXPECT_EQ(0, st.used_bytes);
	close(fd);
	fd = create(self->dev, 0, 0, 0);
	EXPECT_TRUE(limits_are(fd, 1024, 256 << 10, 256 << 10));
	close(fd);
}

TEST_F(queue, defaults_follow_the_other_limits)
{
	int fd = create(self->dev, 0, 1000, 0);

	EXPECT_TRUE(limits_are(fd, 1024, 1000, 1000));
	close(fd);
	fd = create(self->dev, 3, 64 << 20, 0);
	EXPECT_TRUE(limits_are(fd, 3, 64 << 20, IPCX_MSG_BYTES_MAX));
	close(fd);
	fd = create(self->dev, 0, 0, 7);
	EXPECT_TRUE(limits_are(fd, 1024, 256 << 10, 7));
	close(fd);
}

/* A default is the maximum where that is less. */
TEST_F(queue, small_maxima_are_defaults)
{
	struct ipcx_query q;
	int fd;

	ASSERT_EQ(0, param_set("queue_msgs_max", 10));
	ASSERT_EQ(0, param_set("queue_bytes_max", 5000));
	ASSERT_EQ(0, dev_query(self->dev, &q));
	EXPECT_EQ(10, q.queue_msgs_max);
	EXPECT_EQ(10, q.queue_msgs_default);
	EXPECT_EQ(5000, q.queue_bytes_max);
	EXPECT_EQ(5000, q.queue_bytes_default);
	fd = create(self->dev, 0, 0, 0);
	EXPECT_TRUE(limits_are(fd, 10, 5000, 5000));
	close(fd);
	EXPECT_EQ(-EINVAL, create(self->dev, 11, 0, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, 0, 5001, 0));
}

TEST_F(queue, limits_have_limits)
{
	uint64_t msgs = self->queue_msgs_max, bytes = self->queue_bytes_max;
	int fd;

	fd = create(self->dev, 1, 1, 1);
	EXPECT_TRUE(limits_are(fd, 1, 1, 1));
	close(fd);
	fd = create(self->dev, msgs, bytes, IPCX_MSG_BYTES_MAX);
	EXPECT_TRUE(limits_are(fd, msgs, bytes, IPCX_MSG_BYTES_MAX));
	close(fd);
	EXPECT_EQ(-EINVAL, create(self->dev, msgs + 1, 0, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, ~0ULL, 0, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, 1ULL << 32, 0, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, 0, bytes + 1, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, 0, ~0ULL, 0));
	EXPECT_EQ(-EINVAL, create(self->dev, 0, 1000, 1001));
	EXPECT_EQ(-EINVAL, create(self->dev, 0, 0, (256 << 10) + 1));
	EXPECT_EQ(-EINVAL, create(self->dev, 0, bytes, IPCX_MSG_BYTES_MAX + 1));
	EXPECT_EQ(-EINVAL, create(self->dev, 0, 0, ~0ULL));
}

TEST_F(queue, sizes_of_parameters)
{
	struct {
		struct ipcx_queue_params p;
		uint64_t more;
	} params = { .p = queue_limits(5, 500, 50) };
	struct ipcx_create arg = queue_arg(NULL, TRANSIENT, RDWR, &params.p);
	int fd;

	arg.params_size = sizeof(params);
	fd = obj_create(self->dev, &arg);
	ASSERT_GE(fd, 0);
	EXPECT_TRUE(limits_are(fd, 5, 500, 50));
	close(fd);
	params.more = 1;
	EXPECT_EQ(-E2BIG, obj_create(self->dev, &arg));
	arg.params_size = sizeof(params.p) - 8;
	EXPECT_EQ(-EINVAL, obj_create(self->dev, &arg));
}

static uint64_t charge_of(int dev, uint64_t max_msgs, uint64_t max_bytes)
{
	int fd = queue_new(dev, max_msgs, max_bytes);
	uint64_t bytes = pipe_stat(fd).charged_bytes;

	close(fd);
	return bytes;
}

/* What an empty queue may keep of received ones for the next. */
#define KEPT_MSGS	32

/* Messages without bytes are paid for, too, and what is sent costs nothing more. */
TEST_F(queue, all_it_can_hold_is_charged)
{
	uint64_t one = charge_of(self->dev, 1, 1000), each;
	struct ipcx_query before, after;
	struct ipcx_stat st;
	int fd;

	each = charge_of(self->dev, 2, 1000) - one;
	EXPECT_LE(sizeof(uint64_t) * 4, each);
	EXPECT_GE(1024, each);
	EXPECT_EQ(one + 9999 * each, charge_of(self->dev, 10000, 1000));
	EXPECT_EQ(one + 77777, charge_of(self->dev, 1, 78777));
	EXPECT_LE(1000 + (1 + KEPT_MSGS) * each, one);

	ASSERT_EQ(0, dev_query(self->dev, &before));
	fd = queue_new(self->dev, 50, 500);
	st = pipe_stat(fd);
	ASSERT_EQ(0, dev_query(self->dev, &after));
	EXPECT_EQ(before.user.objects + 1, after.user.objects);
	EXPECT_LE(before.user.bytes + st.charged_bytes, after.user.bytes);
	ASSERT_EQ(1, queue_put(fd, 7, 0, 500));
	before = after;
	ASSERT_EQ(0, dev_query(self->dev, &after));
	EXPECT_EQ(before.user.bytes, after.user.bytes);
	EXPECT_EQ(st.charged_bytes, pipe_stat(fd).charged_bytes);
	close(fd);
}

TEST_F(queue, full_account)
{
	as_user(UID_A, GID_A) {
		EXPECT_LE(0, create(self->dev, 1, 4096, 0));
	}
	ASSERT_EQ(0, param_set("user_bytes_max", 1 << 20));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(-EDQUOT, create(self->dev, 1, 1 << 20, 0));
		/* no bytes, and yet too much */
		EXPECT_EQ(-EDQUOT, create(self->dev, 1 << 20, 1, 0));
		EXPECT_LE(0, create(self->dev, 1000, 1 << 16, 0));
	}
}

/* Messages. */

TEST_F(queue, message_comes_as_it_was_sent)
{
	int fd = queue_new(self->dev, 0, 0);
	unsigned char buf[200], out[100];
	struct ipcx_msg msg;

	stream_fill(out, 5, 100);
	ASSERT_EQ(1, queue_send(fd, 42, out, 100, 0));
	EXPECT_TRUE(holds(fd, 1, 100));
	ASSERT_EQ(1, queue_recv(fd, select_any(), &msg, buf, 200, 0));
	EXPECT_EQ(42, msg.type);
	EXPECT_EQ(100, msg.len);
	EXPECT_EQ((uintptr_t)buf, msg.buf);
	EXPECT_EQ(0, msg.flags);
	EXPECT_TRUE(stream_is(buf, 5, 100));
	EXPECT_EQ(POISON, buf[100]);
	EXPECT_TRUE(holds(fd, 0, 0));
	EXPECT_EQ(-EAGAIN, queue_recv(fd, select_any(), &msg, buf, 200, IPCX_NONBLOCK));
	close(fd);
}

/* Two messages are never one: that is what a queue is. */
TEST_F(queue, boundaries_are_kept)
{
	static const size_t lengths[] = { 10, 0, 1, 4096, 0, 0, 100, 5000, 4095, 4097 };
	int fd = queue_new(self->dev, 0, 0);
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(lengths); i++)
		ASSERT_EQ(1, queue_put(fd, 1, i, lengths[i]));
	for (i = 0; i < ARRAY_LEN(lengths); i++)
		EXPECT_EQ(1, queue_get(fd, select_any(), i, lengths[i]));
	EXPECT_TRUE(holds(fd, 0, 0));
	close(fd);
}

TEST_F(queue, types)
{
	static const uint64_t types[] = {
		1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, IPCX_MSG_TYPE_MAX - 1,
		IPCX_MSG_TYPE_MAX,
	};
	int fd = queue_new(self->dev, 0, 0);
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(types); i++) {
		ASSERT_EQ(1, queue_put(fd, types[i], 0, 5));
		EXPECT_EQ((int64_t)types[i], queue_get(fd, select_exact(types[i]), 0, 5));
	}
	EXPECT_EQ(-EINVAL, queue_put(fd, MSG_TYPE_BAD, 0, 5));
	EXPECT_EQ(-EINVAL, queue_put(fd, ~0ULL, 0, 5));
	EXPECT_TRUE(holds(fd, 0, 0));
	close(fd);
}

TEST_F(queue, type_zero_is_the_files)
{
	int fd = queue_new(self->dev, 0, 0);

	ASSERT_EQ(1, queue_put(fd, 0, 0, 5));
	EXPECT_EQ(1, queue_get(fd, select_any(), 0, 5));
	ASSERT_EQ(0, queue_file(fd, select_file(), 77, 0));
	ASSERT_EQ(1, queue_put(fd, 0, 0, 5));
	EXPECT_EQ(77, queue_get(fd, select_any(), 0, 5));
	ASSERT_EQ(1, queue_put(fd, 3, 0, 5));
	EXPECT_EQ(3, queue_get(fd, select_any(), 0, 5));
	close(fd);
}

/* SEND doesn't read what RECV has written: it tells the new sender. */
TEST_F(queue, what_was_received_can_be_sent_on)
{
	int fd = queue_new(self->dev, 0, 0);
	unsigned char buf[2];
	struct ipcx_msg msg;

	as_user(UID_A, GID_A)
		ASSERT_EQ(1, queue_put(fd, 7, 0, 3));
	ASSERT_EQ(1, queue_recv(fd, select_any(), &msg, buf, 2, IPCX_TRUNCATE));
	ASSERT_EQ(IPCX_MSG_TRUNCATED, msg.flags);
	msg.len = 2;
	ASSERT_EQ(1, queue_send_batch(fd, &msg, 1, 0));
	ASSERT_EQ(1, queue_recv(fd, select_any(), &msg, buf, 2, 0));
	EXPECT_EQ(7, msg.type);
	EXPECT_EQ(2, msg.len);
	EXPECT_EQ(0, msg.uid);
	EXPECT_EQ(0, msg.flags);
	EXPECT_TRUE(stream_is(buf, 0, 2));
	close(fd);
}

/* The room is what it was, so that nothing is written behind it the next time. */
TEST_F(queue, room_is_not_told)
{
	int fd = queue_new(self->dev, 0, 0), i;
	unsigned char buf[20];
	struct ipcx_msg msg;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(1, queue_put(fd, 1, 0, i < 2 ? 20 : 5));
	memset(buf, POISON, sizeof(buf));
	msg = msg_room(buf, 10);
	EXPECT_EQ(-E2BIG, queue_recv_batch(fd, &msg, 1, select_any(), 0));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(10, msg.room);
		EXPECT_EQ(1, queue_recv_batch(fd, &msg, 1, select_any(), IPCX_TRUNCATE));
		EXPECT_EQ(i < 2 ? 20 : 5, msg.len);
		EXPECT_EQ(POISON, buf[10]);
	}
	close(fd);
}

TEST_F(queue, longest_message)
{
	const size_t most = IPCX_MSG_BYTES_MAX;
	int fd = queue_new(self->dev, 2, 2 * most);

	ASSERT_EQ(1, queue_put(fd, 3, 1, most));
	ASSERT_EQ(1, queue_put(fd, 4, 2, most));
	EXPECT_EQ(-EMSGSIZE, queue_put(fd, 3, 1, most + 1));
	EXPECT_TRUE(holds(fd, 2, 2 * most));
	EXPECT_EQ(4, queue_get(fd, select_exact(4), 2, most));
	EXPECT_EQ(3, queue_get(fd, select_any(), 1, most));
	close(fd);
}

TEST_F(queue, longer_messages_are_refused)
{
	int fd = create(self->dev, 0, 1000, 100);
	unsigned char buf[101] = { 0 };
	struct ipcx_msg msg;

	EXPECT_EQ(1, queue_put(fd, 1, 0, 100));
	EXPECT_EQ(-EMSGSIZE, queue_put(fd, 1, 0, 101));
	EXPECT_EQ(-EMSGSIZE, fd_write(fd, buf, 101, 0));
	EXPECT_EQ(-EMSGSIZE, plain_write(fd, buf, 101));
	msg = msg_out(1, "", ~0ULL);
	EXPECT_EQ(-EMSGSIZE, queue_send_batch(fd, &msg, 1, 0));
	msg.len = 1ULL << 32;
	EXPECT_EQ(-EMSGSIZE, queue_send_batch(fd, &msg, 1, 0));
	EXPECT_TRUE(holds(fd, 1, 100));
	close(fd);
}

TEST_F(queue, messages_without_bytes)
{
	int fd = create(self->dev, 3, 1, 1), i;
	struct ipcx_msg msg;
	unsigned char buf[1];

	for (i = 1; i <= 3; i++)
		ASSERT_EQ(1, queue_send(fd, i, NULL, 0, IPCX_NONBLOCK));
	EXPECT_EQ(-EAGAIN, queue_send(fd, 4, NULL, 0, IPCX_NONBLOCK));
	EXPECT_TRUE(holds(fd, 3, 0));
	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(1, queue_recv(fd, select_any(), &msg, buf, i == 2 ? 0 : 1, 0));
		EXPECT_EQ(i, (int)msg.type);
		EXPECT_EQ(0, msg.len);
		EXPECT_EQ(0, msg.flags);
	}
	EXPECT_TRUE(holds(fd, 0, 0));
	close(fd);
}

TEST_F(queue, full_of_messages_or_of_bytes)
{
	int fd = create(self->dev, 3, 1000, 600);

	ASSERT_EQ(1, queue_put(fd, 1, 0, 600));
	EXPECT_EQ(-EAGAIN, queue_put(fd, 1, 0, 401));
	ASSERT_EQ(1, queue_put(fd, 1, 0, 400));
	EXPECT_EQ(-EAGAIN, queue_put(fd, 1, 0, 1));
	ASSERT_EQ(1, queue_put(fd, 1, 0, 0));
	EXPECT_EQ(-EAGAIN, queue_put(fd, 1, 0, 0));
	EXPECT_TRUE(holds(fd, 3, 1000));
	EXPECT_EQ(1, queue_get(fd, select_any(), 0, 600));
	EXPECT_EQ(1, queue_put(fd, 1, 0, 600));
	close(fd);
}

/* Room. */

TEST_F(queue, no_room_tells_how_much_it_takes)
{
	int fd = queue_new(self->dev, 0, 0);
	unsigned char buf[100];
	struct ipcx_msg msg, before;
	size_t room;

	ASSERT_EQ(1, queue_put(fd, 5, 9, 100));
	for (room = 0; room < 100; room += 33) {
		memset(buf, POISON, 100);
		msg = msg_room(buf, room);
		before = msg;
		EXPECT_EQ(-E2BIG, queue_recv_batch(fd, &msg, 1, select_any(), 0));
		before.len = 100;
		EXPECT_EQ(0, memcmp(&msg, &before, sizeof(msg)));
		EXPECT_EQ(POISON, buf[0]);
		EXPECT_EQ(-E2BIG, queue_peek(fd, select_any(), 0, &msg, buf, room, 0));
		EXPECT_EQ(100, msg.len);
		EXPECT_TRUE(holds(fd, 1, 100));
	}
	EXPECT_EQ(5, queue_get(fd, select_any(), 9, 100));
	close(fd);
}

TEST_F(queue, truncation)
{
	int fd = queue_new(self->dev, 0, 0);
	unsigned char buf[101];
	struct ipcx_msg msg;
	size_t room;

	for (room = 0; room <= 101; room += room < 99 ? 33 : 1) {
		ASSERT_EQ(1, queue_put(fd, 5, 9, 100));
		ASSERT_EQ(1, queue_put(fd, 6, 9, 1));
		ASSERT_EQ(1, queue_recv(fd, select_any(), &msg, buf, room, IPCX_TRUNCATE));
		EXPECT_EQ(5, msg.type);
		EXPECT_EQ(100, msg.len);
		EXPECT_EQ(room < 100 ? IPCX_MSG_TRUNCATED : 0, msg.flags);
		EXPECT_TRUE(stream_is(buf, 9, room < 100 ? room : 100));
		/* the rest is dropped */
		EXPECT_TRUE(holds(fd, 1, 1));
		EXPECT_EQ(6, queue_get(fd, select_any(), 9, 1));
	}
	close(fd);
}

TEST_F(queue, room_without_end)
{
	int fd = queue_new(self->dev, 0, 0);
	unsigned char buf[100];
	struct ipcx_msg msg = msg_room(buf, 1 << 30);

	ASSERT_EQ(1, queue_put(fd, 5, 9, 100));
	ASSERT_EQ(1, queue_recv_batch(fd, &msg, 1, select_any(), 0));
	EXPECT_EQ(100, msg.len);
	EXPECT_TRUE(stream_is(buf, 9, 100));
	close(fd);
}

/* Selectors. */

/* A queue with messages 0, 1, 2... of the types given, each of which is as long. */
static int queue_of(int dev, const uint64_t *types, int count)
{
	int fd = queue_new(dev, 0, 0), i;

	for (i = 0; i < count; i++)
		if (queue_put(fd, types[i], i, 10) != 1)
			abort();
	return fd;
}

/* Are the messages that @select gives those with these numbers, and no others? */
static bool gives(int fd, struct ipcx_select select, const uint64_t *types, const int *numbers,
		  int count)
{
	int i;

	for (i = 0; i < count; i++) {
		int64_t type = queue_get(fd, select, numbers[i], 10);

		if (type != (int64_t)types[numbers[i]]) {
			fprintf(stderr, "# message %d: %lld\n", i, (long long)type);
			return false;
		}
	}
	return queue_get(fd, select, 0, 10) == -EAGAIN;
}

static const uint64_t some_types[] = { 5, 3, 9, 3, 5, 1, 9, 3 };

#define SOME	((int)ARRAY_LEN(some_types))

TEST_F(queue, any_is_the_oldest)
{
	int fd = queue_of(self->dev, some_types, SOME);

	EXPECT_TRUE(gives(fd, select_any(), some_types, (int []){ 0, 1, 2, 3, 4, 5, 6, 7 }, 8));
	close(fd);
}

TEST_F(queue, exact_is_the_oldest_of_a_type)
{
	int fd = queue_of(self->dev, some_types, SOME);

	EXPECT_TRUE(gives(fd, select_exact(3), some_types, (int []){ 1, 3, 7 }, 3));
	EXPECT_TRUE(gives(fd, select_exact(4), some_types, NULL, 0));
	EXPECT_TRUE(gives(fd, select_exact(9), some_types, (int []){ 2, 6 }, 2));
	EXPECT_TRUE(gives(fd, select_any(), some_types, (int []){ 0, 4, 5 }, 3));
	close(fd);
}

TEST_F(queue, except_is_the_oldest_of_the_others)
{
	int fd = queue_of(self->dev, some_types, SOME);

	EXPECT_TRUE(gives(fd, select_except(5), some_types, (int []){ 1, 2, 3, 5, 6, 7 }, 6));
	EXPECT_TRUE(gives(fd, select_except(5), some_types, NULL, 0));
	EXPECT_TRUE(gives(fd, select_except(2), some_types, (int []){ 0, 4 }, 2));
	close(fd);
}

TEST_F(queue, range_is_the_lowest_type)
{
	int fd = queue_of(self->dev, some_types, SOME);

	EXPECT_TRUE(gives(fd, select_range(2, 5), some_types, (int []){ 1, 3, 7, 0, 4 }, 5));
	EXPECT_TRUE(gives(fd, select_range(6, 8), some_types, NULL, 0));
	EXPECT_TRUE(gives(fd, select_range(1, IPCX_MSG_TYPE_MAX), some_types,
			  (int []){ 5, 2, 6 }, 3));
	close(fd);
}

TEST_F(queue, ranges_include_their_ends)
{
	int fd = queue_of(self->dev, some_types, SOME);

	EXPECT_TRUE(gives(fd, select_range(9, 9), some_types, (int []){ 2, 6 }, 2));
	EXPECT_TRUE(gives(fd, select_range(3, 4), some_types, (int []){ 1, 3, 7 }, 3));
	EXPECT_TRUE(gives(fd, select_range(4, 5), some_types, (int []){ 0, 4 }, 2));
	close(fd);
}

/* One that comes later and is more urgent is received before. */
TEST_F(queue, types_are_priorities)
{
	static const uint64_t types[] = { 3, 2, 3, 1 };
	int fd = queue_of(self->dev, types, 3);

	EXPECT_EQ(2, queue_get(fd, select_range(1, 9), 1, 10));
	ASSERT_EQ(1, queue_put(fd, 1, 3, 10));
	EXPECT_EQ(1, queue_get(fd, select_range(1, 9), 3, 10));
	EXPECT_EQ(3, queue_get(fd, select_range(1, 9), 0, 10));
	EXPECT_EQ(3, queue_get(fd, select_range(1, 9), 2, 10));
	close(fd);
}

TEST_F(queue, device_selects_any)
{
	int fd = queue_create(self->dev, self->name, PERSISTENT, RDWR, 0, 0, 0), i;
	struct ipcx_ref ref = ref_name(self->name);
	struct ipcx_msg msg = msg_out(0, "x", 1), in;
	char c;

	/* what a file selects is nothing to the device */
	ASSERT_EQ(0, queue_file(fd, select_exact(9), 8, 0));
	ASSERT_EQ(1, ref_send(self->dev, ref, &msg, 1, 0, deadline_patience()));
	msg.type = 5;
	ASSERT_EQ(1, ref_send(self->dev, ref, &msg, 1, 0, deadline_patience()));
	for (i = 0; i < 2; i++) {
		in = msg_room(&c, 1);
		ASSERT_EQ(1, ref_recv(self->dev, ref, &in, 1, select_file(), 0, IPCX_NONBLOCK,
				      deadline_patience()));
		EXPECT_EQ(i ? 5u : 1u, in.type);
	}
	close(fd);
}

static const struct ipcx_select wrong_selects[] = {
	{ .how = 5 },
	{ .how = ~0U },
	{ .how = IPCX_SELECT_FILE, .reserved = 1 },
	{ .how = IPCX_SELECT_FILE, .lo = 1 },
	{ .how = IPCX_SELECT_FILE, .hi = 1 },
	{ .how = IPCX_SELECT_ANY, .reserved = 1 },
	{ .how = IPCX_SELECT_ANY, .lo = 1 },
	{ .how = IPCX_SELECT_ANY, .hi = 1 },
	{ .how = IPCX_SELECT_EXACT, .lo = 1, .reserved = 1 },
	{ .how = IPCX_SELECT_EXACT },
	{ .how = IPCX_SELECT_EXACT, .lo = 1, .hi = 1 },
	{ .how = IPCX_SELECT_EXACT, .lo = MSG_TYPE_BAD },
	{ .how = IPCX_SELECT_EXCEPT, .lo = 1, .reserved = 1 },
	{ .how = IPCX_SELECT_EXCEPT },
	{ .how = IPCX_SELECT_EXCEPT, .lo = 1, .hi = 1 },
	{ .how = IPCX_SELECT_EXCEPT, .lo = MSG_TYPE_BAD },
	{ .how = IPCX_SELECT_RANGE, .lo = 1, .hi = 2, .reserved = 1 },
	{ .how = IPCX_SELECT_RANGE },
	{ .how = IPCX_SELECT_RANGE, .lo = 1 },
	{ .how = IPCX_SELECT_RANGE, .hi = 1 },
	{ .how = IPCX_SELECT_RANGE, .lo = 2, .hi = 1 },
	{ .how = IPCX_SELECT_RANGE, .lo = 1, .hi = MSG_TYPE_BAD },
	{ .how = IPCX_SELECT_RANGE, .lo = MSG_TYPE_BAD, .hi = MSG_TYPE_BAD },
};

TEST_F(queue, wrong_selectors)
{
	int fd = queue_of(self->dev, some_types, SOME);
	unsigned char buf[10];
	struct ipcx_msg msg;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(wrong_selects); i++) {
		struct ipcx_select s = wrong_selects[i];

		EXPECT_EQ(-EINVAL, queue_recv(fd, s, &msg, buf, 10, IPCX_NONBLOCK))
			TH_LOG("selector %u", i);
		EXPECT_EQ(-EINVAL, queue_peek(fd, s, 0, &msg, buf, 10, 0));
		EXPECT_EQ(-EINVAL, queue_purge(fd, s));
		EXPECT_EQ(-EINVAL, queue_file(fd, s, 9, 0));
	}
	EXPECT_TRUE(holds(fd, SOME, 10 * SOME));
	/* the file is as it was */
	ASSERT_EQ(1, queue_put(fd, 0, 0, 10));
	EXPECT_EQ(5, queue_get(fd, select_file(), 0, 10));
	EXPECT_EQ(1, queue_get(fd, select_exact(1), 5, 10));
	EXPECT_EQ(1, queue_get(fd, select_exact(1), 0, 10));
	close(fd);
}

/* Flags and reserved fields. */

TEST_F(queue, unknown_flags)
{
	int fd = queue_of(self->dev, some_types, 1);
	unsigned char buf[10];
	struct ipcx_msg msg;
	uint32_t bit, send = IPCX_NONBLOCK | IPCX_NO_RESTART;

	for (bit = 1; bit; bit <<= 1) {
		if (!(bit & send))
			EXPECT_EQ(-EINVAL, queue_send(fd, 1, "x", 1, bit));
		if (!(bit & (send | IPCX_PEEK | IPCX_TRUNCATE)))
			EXPECT_EQ(-EINVAL, queue_recv(fd, select_any(), &msg, buf, 10, bit));
		if (bit != IPCX_TRUNCATE)
			EXPECT_EQ(-EINVAL, queue_file(fd, select_file(), 0, bit));
	}
	EXPECT_TRUE(holds(fd, 1, 10));
	close(fd);
}

TEST_F(queue, reserved_fields)
{
	int fd = queue_of(self->dev, some_types, 1);
	struct ipcx_msg msg = msg_out(1, NULL, 0);
	struct ipcx_send send = {
		.msgs = (uintptr_t)&msg, .count = 1, .msg_size = sizeof(msg), .reserved = 1,
		.deadline = deadline_patience(),
	};
	struct ipcx_recv recv = {
		.msgs = (uintptr_t)&msg, .count = 1, .msg_size = sizeof(msg), .reserved = 1,
		.deadline = deadline_patience(), .select = select_any(),
	};
	struct ipcx_queue_file file = { .reserved = 1 };
	struct ipcx_notify notify = { .signo = SIGUSR1, .reserved = 1 };

	EXPECT_EQ(-EINVAL, ipc_ioctl(fd, IPCX_IOC_SEND, &send));
	EXPECT_EQ(-EINVAL, ipc_ioctl(fd, IPCX_IOC_RECV, &recv));
	EXPECT_EQ(-EINVAL, ipc_ioctl(fd, IPCX_IOC_QUEUE_FILE, &file));
	EXPECT_EQ(-EINVAL, ipc_ioctl(fd, IPCX_IOC_NOTIFY, &notify));
	recv.reserved = 0;
	recv.skip = 1;
	EXPECT_EQ(-EINVAL, ipc_ioctl(fd, IPCX_IOC_RECV, &recv));
	EXPECT_TRUE(holds(fd, 1, 10));
	close(fd);
}

TEST_F(queue, file_takes_types_only)
{
	int fd = queue_new(self->dev, 0, 0);

	EXPECT_EQ(0, queue_file(fd, select_file(), IPCX_MSG_TYPE_MAX, 0));
	EXPECT_EQ(-EINVAL, queue_file(fd, select_exact(3), MSG_TYPE_BAD, 0));
	ASSERT_EQ(1, queue_put(fd, 0, 0, 1));
	EXPECT_EQ((int64_t)IPCX_MSG_TYPE_MAX, queue_get(fd, select_file(), 0, 1));
	close(fd);
}

/* Files. */

TEST_F(queue, write_and_read_are_one_message)
{
	int fd = queue_new(self->dev, 0, 0);
	unsigned char buf[300], out[100];
	struct iovec iov[] = {
		{ .iov_base = out, .iov_len = 30 },
		{ .iov_base = out + 30, .iov_len = 0 },
		{ .iov_base = out + 30, .iov_len = 70 },
	};
	struct iovec in[] = {
		{ .iov_base = buf, .iov_len = 50 },
		{ .iov_base = buf + 50, .iov_len = 100 },
	};

	stream_fill(out, 3, 100);
	ASSERT_EQ(100, plain_write(fd, out, 100));
	ASSERT_EQ(100, writev(fd, iov, 3));
	ASSERT_EQ(100, fd_write(fd, out, 100, 0));
	EXPECT_TRUE(holds(fd, 3, 300));
	EXPECT_EQ(100, plain_read(fd, buf, 300));
	EXPECT_TRUE(stream_is(buf, 3, 100));
	EXPECT_EQ(POISON, buf[100]);
	memset(buf, POISON, 300);
	EXPECT_EQ(100, readv(fd, in, 2));
	EXPECT_TRUE(stream_is(buf, 3, 100));
	EXPECT_EQ(POISON, buf[100]);
	EXPECT_EQ(100, fd_read(fd, buf, 100, 0));
	EXPECT_TRUE(stream_is(buf, 3, 100));
	EXPECT_EQ(-EAGAIN, fd_read(fd, buf, 100, IPCX_NONBLOCK));
	close(fd);
}

/* Nothing is no end, and no error. */
TEST_F(queue, empty_message_reads_as_zero)
{
	int fd = queue_new(self->dev, 0, 0);
	unsigned char buf[10];

	ASSERT_EQ(0, plain_write(fd, buf, 0));
	ASSERT_EQ(0, fd_write(fd, buf, 0, 0));
	ASSERT_EQ(1, queue_put(fd, 1, 0, 4));
	EXPECT_TRUE(holds(fd, 3, 4));
	EXPECT_EQ(0, plain_read(fd, buf, 10));
	EXPECT_EQ(POISON, buf[0]);
	EXPECT_EQ(0, fd_read(fd, buf, 10, 0));
	EXPECT_EQ(4, plain_read(fd, buf, 10));
	EXPECT_EQ(-EAGAIN, fd_read(fd, buf, 10, IPCX_NONBLOCK));
	close(fd);
}

TEST_F(queue, nonblocking_file)
{
	int fd = create(self->dev, 1, 0, 0);
	unsigned char buf[10];

	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, plain_read(fd, buf, 10));
	EXPECT_EQ(-EAGAIN, queue_get(fd, select_any(), 0, 1));
	ASSERT_EQ(1, plain_write(fd, "x", 1));
	EXPECT_EQ(-EAGAIN, plain_write(fd, "x", 1));
	EXPECT_EQ(-EAGAIN, queue_send(fd, 1, "x", 1, 0));
	EXPECT_TRUE(holds(fd, 1, 1));
	close(fd);
}

TEST_F(queue, read_does_what_the_file_selects)
{
	int fd = queue_of(self->dev, some_types, SOME);
	unsigned char buf[10];

	ASSERT_EQ(0, queue_file(fd, select_range(1, 5), 0, 0));
	EXPECT_EQ(10, plain_read(fd, buf, 10));
	EXPECT_TRUE(stream_is(buf, 5, 10));
	EXPECT_EQ(10, fd_read(fd, buf, 10, 0));
	EXPECT_TRUE(stream_is(buf, 1, 10));
	ASSERT_EQ(0, queue_file(fd, select_exact(9), 0, 0));
	EXPECT_EQ(10, plain_read(fd, buf, 10));
	EXPECT_TRUE(stream_is(buf, 2, 10));
	EXPECT_EQ(9, queue_get(fd, select_file(), 6, 10));
	EXPECT_EQ(-EAGAIN, fd_read(fd, buf, 10, IPCX_NONBLOCK));
	ASSERT_EQ(0, queue_file(fd, select_except(3), 0, 0));
	EXPECT_EQ(10, plain_read(fd, buf, 10));
	EXPECT_TRUE(stream_is(buf, 0, 10));
	EXPECT_EQ(3, queue_msgs(fd));
	close(fd);
}

TEST_F(queue, write_sends_the_files_type)
{
	int fd = queue_new(self->dev, 0, 0);
	unsigned char out[4];

	stream_fill(out, 0, 4);
	ASSERT_EQ(4, plain_write(fd, out, 4));
	EXPECT_EQ(1, queue_get(fd, select_any(), 0, 4));
	ASSERT_EQ(0, queue_file(fd, select_file(), 1ULL << 40, 0));
	ASSERT_EQ(4, plain_write(fd, out, 4));
	ASSERT_EQ(4, fd_write(fd, out, 4, 0));
	EXPECT_EQ(1LL << 40, queue_get(fd, select_any(), 0, 4));
	EXPECT_EQ(1LL << 40, queue_get(fd, select_any(), 0, 4));
	close(fd);
}

TEST_F(queue, short_read)
{
	int fd = queue_new(self->dev, 0, 0);
	unsigned char buf[100];

	ASSERT_EQ(1, queue_put(fd, 1, 0, 100));
	EXPECT_EQ(-E2BIG, plain_read(fd, buf, 99));
	EXPECT_EQ(-E2BIG, fd_read(fd, buf, 0, 0));
	EXPECT_TRUE(holds(fd, 1, 100));
	/* truncating goes with a selector */
	ASSERT_EQ(-EINVAL, queue_file(fd, select_file(), 0, IPCX_TRUNCATE));
	ASSERT_EQ(0, queue_file(fd, select_any(), 0, IPCX_TRUNCATE));
	ASSERT_EQ(0, queue_file(fd, select_file(), 3, 0));
	/* that is for read(2) alone */
	EXPECT_EQ(-E2BIG, queue_get(fd, select_any(), 0, 99));
	EXPECT_EQ(99, plain_read(fd, buf, 99));
	EXPECT_TRUE(stream_is(buf, 0, 99));
	EXPECT_TRUE(holds(fd, 0, 0));
	ASSERT_EQ(1, queue_put(fd, 1, 0, 100));
	EXPECT_EQ(7, fd_read(fd, buf, 7, 0));
	ASSERT_EQ(1, queue_put(fd, 1, 0, 100));
	ASSERT_EQ(0, queue_file(fd, select_any(), 0, 0));
	EXPECT_EQ(-E2BIG, plain_read(fd, buf, 99));
	close(fd);
}

/* Each of what can be told is kept by a call that tells the other. */
TEST_F(queue, file_keeps_what_is_not_given)
{
	int fd = queue_of(self->dev, some_types, SOME);

	ASSERT_EQ(0, queue_file(fd, select_exact(9), 5, 0));
	ASSERT_EQ(0, queue_file(fd, select_file(), 6, 0));
	EXPECT_EQ(9, queue_get(fd, select_file(), 2, 10));
	ASSERT_EQ(0, queue_file(fd, select_exact(3), 0, 0));
	ASSERT_EQ(1, queue_put(fd, 0, 8, 10));
	EXPECT_EQ(6, queue_get(fd, select_exact(6), 8, 10));
	EXPECT_EQ(3, queue_get(fd, select_file(), 1, 10));
	close(fd);
}

TEST_F(queue, files_are_shared_not_queues)
{
	int fd = queue_of(self->dev, some_types, SOME), copy = dup(fd);
	int other = fd_open(fd, RDWR, 0);

	ASSERT_LE(0, copy);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, queue_file(copy, select_exact(9), 7, 0));
	EXPECT_EQ(9, queue_get(fd, select_file(), 2, 10));
	ASSERT_EQ(1, queue_put(fd, 0, 50, 10));
	EXPECT_EQ(7, queue_get(fd, select_exact(7), 50, 10));
	/* the other file is a fresh one */
	EXPECT_EQ(5, queue_get(other, select_file(), 0, 10));
	ASSERT_EQ(1, queue_put(other, 0, 51, 10));
	EXPECT_EQ(1, queue_get(other, select_exact(1), 5, 10));
	EXPECT_EQ(1, queue_get(other, select_exact(1), 51, 10));
	in_child() {
		ASSERT_EQ(0, queue_file(fd, select_exact(3), 0, 0));
	}
	EXPECT_EQ(3, queue_get(copy, select_file(), 1, 10));
	close(other);
	other = proc_reopen(fd, O_RDWR);
	ASSERT_LE(0, other);
	EXPECT_EQ(3, queue_get(other, select_file(), 3, 10));
	EXPECT_EQ(5, queue_get(other, select_file(), 4, 10));
	close(other);
	close(copy);
	close(fd);
}

TEST_F(queue, fionread_is_the_next_length)
{
	int fd = queue_new(self->dev, 0, 0);

	EXPECT_EQ(0, fionread(fd));
	ASSERT_EQ(1, queue_put(fd, 5, 0, 10));
	ASSERT_EQ(1, queue_put(fd, 3, 0, 30));
	ASSERT_EQ(1, queue_put(fd, 3, 0, 40));
	EXPECT_EQ(10, fionread(fd));
	ASSERT_EQ(0, queue_file(fd, select_range(1, 9), 0, 0));
	EXPECT_EQ(30, fionread(fd));
	ASSERT_EQ(0, queue_file(fd, select_exact(9), 0, 0));
	EXPECT_EQ(0, fionread(fd));
	EXPECT_TRUE(holds(fd, 3, 80));
	close(fd);
}

/* The bytes that are in it, as of a pipe. */
TEST_F(queue, fstat_tells_the_bytes)
{
	int fd = queue_of(self->dev, some_types, SOME);
	struct stat st;

	memset(&st, POISON, sizeof(st));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(10 * SOME, st.st_size);
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_EQ(SOME, queue_purge(fd, select_any()));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_size);
	close(fd);
}

TEST_F(queue, no_place_to_seek_and_no_splice)
{
	int fd = queue_of(self->dev, some_types, SOME);
	struct ends p = plain_pipe(65536);

	ASSERT_EQ(5, write(p.w, "hello", 5));
	EXPECT_EQ(-EINVAL, plain_splice(p.r, fd, 5, SPLICE_F_NONBLOCK));
	EXPECT_EQ(-EINVAL, plain_splice(fd, p.w, 5, SPLICE_F_NONBLOCK));
	EXPECT_EQ(5, fionread(p.r));
	EXPECT_TRUE(holds(fd, SOME, SOME * 10));
	EXPECT_EQ(-1, lseek(fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	ends_close(&p);
	close(fd);
}

/* Who sent it, and when. */

TEST_F(queue, message_tells_its_sender)
{
	int fd = queue_new(self->dev, 0, 0);
	uint64_t before = now_ns(CLOCK_REALTIME_COARSE), after;
	struct ipcx_msg msg;
	pid_t pid;

	pid = fork_user(UID_A, GID_A);
	if (!pid)
		_exit(queue_put(fd, 1, 0, 1) == 1 ? 0 : 1);
	ASSERT_EQ(0, reap(pid));
	after = now_ns(CLOCK_REALTIME);
	ASSERT_EQ(1, queue_peek(fd, select_any(), 0, &msg, NULL, 0, IPCX_TRUNCATE));
	EXPECT_EQ(pid, msg.pid);
	EXPECT_EQ(UID_A, msg.uid);
	EXPECT_EQ(GID_A, msg.gid);
	EXPECT_LE(before, msg.sent_ns);
	EXPECT_GE(after, msg.sent_ns);
	/* read(2) and write(2) tell as much */
	as_user(UID_B, GID_B) {
		ASSERT_EQ(1, plain_write(fd, "x", 1));
		ASSERT_EQ(1, queue_peek(fd, select_any(), 1, &msg, NULL, 0, IPCX_TRUNCATE));
		EXPECT_EQ(getpid(), msg.pid);
		EXPECT_EQ(UID_B, msg.uid);
		EXPECT_EQ(GID_B, msg.gid);
	}
	close(fd);
}

/* Who runs a set-user-ID program sends: what it writes may be his choice. */
TEST_F(queue, sender_is_real)
{
	int fd = queue_new(self->dev, 0, 0);
	struct ipcx_msg msg;
	char c;

	in_child() {
		ASSERT_EQ(0, setresgid(GID_B, GID_A, GID_B));
		ASSERT_EQ(0, setresuid(UID_B, UID_A, UID_B));
		ASSERT_EQ(1, queue_put(fd, 1, 0, 1));
		/* what he becomes later doesn't matter */
		ASSERT_EQ(0, setresuid(UID_A, -1, -1));
	}
	ASSERT_EQ(1, queue_recv(fd, select_any(), &msg, &c, 1, 0));
	EXPECT_EQ(UID_B, msg.uid);
	EXPECT_EQ(GID_B, msg.gid);
	close(fd);
}

TEST_F(queue, pids_are_those_of_the_receiver)
{
	int fd = queue_new(self->dev, 0, 0);
	struct ipcx_msg msg;
	char c;

	ASSERT_EQ(1, queue_put(fd, 1, 0, 1));
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	in_child() {
		ASSERT_EQ(1, getpid());
		/* from outside: unknown */
		ASSERT_EQ(1, queue_recv(fd, select_any(), &msg, &c, 1, 0));
		EXPECT_EQ(0, msg.pid);
		EXPECT_EQ(0, pipe_stat(fd).last_writer_pid);
		EXPECT_EQ(1, pipe_stat(fd).last_reader_pid);
		ASSERT_EQ(1, queue_put(fd, 1, 0, 1));
		ASSERT_EQ(1, queue_peek(fd, select_any(), 0, &msg, &c, 1, 0));
		EXPECT_EQ(1, msg.pid);
	}
	/* from inside, and gone: no pid any more, and none that is wrong */
	ASSERT_EQ(1, queue_recv(fd, select_any(), &msg, &c, 1, 0));
	EXPECT_NE(1, msg.pid);
	EXPECT_LE(0, msg.pid);
	close(fd);
}

TEST_F(queue, uids_are_those_of_the_receiver)
{
	int fd = queue_new(self->dev, 0, 0);
	struct ipcx_msg msg;
	char c;

	as_user(UID_B, GID_B) {
		ASSERT_EQ(1, queue_put(fd, 1, 0, 1));
	}
	as_user(UID_A, GID_A) {
		ASSERT_EQ(1, queue_put(fd, 2, 0, 1));
		ASSERT_EQ(0, unshare(CLONE_NEWUSER));
		ASSERT_EQ(0, file_write("/proc/self/setgroups", "deny"));
		ASSERT_EQ(0, file_write("/proc/self/uid_map", "7 61001 1"));
		ASSERT_EQ(0, file_write("/proc/self/gid_map", "8 62001 1"));
		ASSERT_EQ(1, queue_recv(fd, select_any(), &msg, &c, 1, 0));
		EXPECT_EQ(OVERFLOW_ID, msg.uid);
		EXPECT_EQ(OVERFLOW_ID, msg.gid);
		ASSERT_EQ(1, queue_recv(fd, select_any(), &msg, &c, 1, 0));
		EXPECT_EQ(7, msg.uid);
		EXPECT_EQ(8, msg.gid);
		/* he is 7 in there, and who he is out here */
		ASSERT_EQ(1, queue_put(fd, 3, 0, 1));
	}
	ASSERT_EQ(1, queue_recv(fd, select_any(), &msg, &c, 1, 0));
	EXPECT_EQ(UID_A, msg.uid);
	EXPECT_EQ(GID_A, msg.gid);
	close(fd);
}

/* Batches. */

#define BATCH_MAX	IPCX_MSG_BATCH_MAX

/* @count messages of one number each, of types 1, 2, 3, 1... */
static struct ipcx_msg *numbers_out(int count)
{
	struct ipcx_msg *msgs = calloc(count, sizeof(*msgs));
	uint32_t *numbers = calloc(count, sizeof(*numbers));
	int i;

	for (i = 0; i < count; i++) {
		numbers[i] = i;
		msgs[i] = msg_out(1 + i % 3, &numbers[i], sizeof(*numbers));
	}
	return msgs;
}

static struct ipcx_msg *numbers_room(int count)
{
	struct ipcx_msg *msgs = calloc(count, sizeof(*msgs));
	uint32_t *numbers = calloc(count, sizeof(*numbers));
	int i;

	for (i = 0; i < count; i++)
		msgs[i] = msg_room(&numbers[i], sizeof(*numbers));
	return msgs;
}

static int64_t number_in(const struct ipcx_msg *msg)
{
	if (msg->len != sizeof(uint32_t))
		return -1;
	return *(const uint32_t *)(uintptr_t)msg->buf;
}

static void numbers_free(struct ipcx_msg *msgs)
{
	free((void *)(uintptr_t)msgs[0].buf);
	free(msgs);
}

/* A queue that has @count numbers. */
static int queue_of_numbers(int dev, int count)
{
	struct ipcx_msg *out = numbers_out(count);
	int fd = queue_new(dev, BATCH_MAX, BATCH_MAX * sizeof(uint32_t));

	if (queue_send_batch(fd, out, count, IPCX_NONBLOCK) != count)
		abort();
	numbers_free(out);
	return fd;
}

TEST_F(queue, batches)
{
	static const int counts[] = { 1, 2, 15, 16, 17, 31, 32, 33, 1023, 1024 };
	struct ipcx_msg *in = numbers_room(BATCH_MAX);
	unsigned int c;
	int fd, i, n;

	for (c = 0; c < ARRAY_LEN(counts); c++) {
		n = counts[c];
		fd = queue_of_numbers(self->dev, n);
		EXPECT_TRUE(holds(fd, n, n * sizeof(uint32_t)));
		ASSERT_EQ(n, queue_recv_batch(fd, in, n, select_any(), 0));
		for (i = 0; i < n; i++) {
			ASSERT_EQ(i, number_in(&in[i]));
			ASSERT_EQ(1 + i % 3, (int)in[i].type);
			ASSERT_EQ(getpid(), in[i].pid);
			ASSERT_EQ(0, in[i].flags);
		}
		EXPECT_TRUE(holds(fd, 0, 0));
		close(fd);
	}
	numbers_free(in);
}

TEST_F(queue, wrong_counts)
{
	int fd = queue_new(self->dev, 2 * BATCH_MAX, 0);
	struct ipcx_msg *out = numbers_out(BATCH_MAX + 1), *in = numbers_room(BATCH_MAX + 1);

	EXPECT_EQ(-EINVAL, queue_send_batch(fd, out, 0, 0));
	EXPECT_EQ(-EINVAL, queue_send_batch(fd, out, BATCH_MAX + 1, 0));
	EXPECT_EQ(-EINVAL, queue_send_batch(fd, out, ~0U, 0));
	EXPECT_TRUE(holds(fd, 0, 0));
	ASSERT_EQ(1, queue_put(fd, 1, 0, 1));
	EXPECT_EQ(-EINVAL, queue_recv_batch(fd, in, 0, select_any(), 0));
	EXPECT_EQ(-EINVAL, queue_recv_batch(fd, in, BATCH_MAX + 1, select_any(), 0));
	EXPECT_EQ(-EINVAL, queue_peek_batch(fd, in, 0, select_any(), 0, 0));
	EXPECT_EQ(-EINVAL, queue_peek_batch(fd, in, BATCH_MAX + 1, select_any(), 0, 0));
	EXPECT_TRUE(holds(fd, 1, 1));
	numbers_free(out);
	numbers_free(in);
	close(fd);
}

/* Of a batch for which there isn't space, what fits is sent, and no more. */
TEST_F(queue, send_batch_of_what_fits)
{
	static const int fits[] = { 1, 15, 16, 17, 40, 49 };
	struct ipcx_msg *out = numbers_out(50), *in = numbers_room(50);
	unsigned int c;
	int fd, i;

	for (c = 0; c < ARRAY_LEN(fits); c++) {
		fd = queue_new(self->dev, fits[c], 0);
		EXPECT_EQ(fits[c], queue_send_batch(fd, out, 50, IPCX_NONBLOCK));
		EXPECT_EQ(-EAGAIN, queue_send_batch(fd, out, 50, IPCX_NONBLOCK));
		ASSERT_EQ(fits[c], queue_recv_batch(fd, in, 50, select_any(), 0));
		for (i = 0; i < fits[c]; i++)
			ASSERT_EQ(i, number_in(&in[i]));
		close(fd);
	}
	numbers_free(out);
	numbers_free(in);
}

/* What is wrong with a later one ends the call; it is the next one's error. */
TEST_F(queue, send_batch_ends_before_what_is_wrong)
{
	static const int places[] = { 1, 2, 15, 16, 17, 48, 49 };
	struct ipcx_msg *out = numbers_out(50), good;
	int fd = create(self->dev, 0, 1000, 100), at;
	unsigned int c;

	for (c = 0; c < 2 * ARRAY_LEN(places); c++) {
		at = places[c / 2];
		good = out[at];
		if (c % 2)
			out[at].type = MSG_TYPE_BAD;
		else
			out[at].len = 101;
		EXPECT_EQ(at, queue_send_batch(fd, out, 50, 0));
		EXPECT_TRUE(holds(fd, at, at * 4));
		EXPECT_EQ(c % 2 ? -EINVAL : -EMSGSIZE,
			  queue_send_batch(fd, out + at, 50 - at, 0));
		EXPECT_EQ(at, queue_purge(fd, select_any()));
		out[at] = good;
	}
	numbers_free(out);
	close(fd);
}

TEST_F(queue, receive_batch_takes_what_there_is)
{
	static const int counts[] = { 1, 15, 16, 17, 32, 40 };
	struct ipcx_msg *in = numbers_room(BATCH_MAX), untouched;
	unsigned int c;
	int fd;

	untouched = in[1];
	untouched.buf = 0;
	for (c = 0; c < ARRAY_LEN(counts); c++) {
		struct ipcx_msg *rest = &in[counts[c]];

		fd = queue_of_numbers(self->dev, counts[c]);
		*rest = msg_room(NULL, 4);
		/* for ever, if it waited for more */
		EXPECT_EQ(counts[c], queue_recv_batch(fd, in, BATCH_MAX, select_any(), 0));
		EXPECT_EQ(0, memcmp(rest, &untouched, sizeof(*rest)));
		*rest = in[0];
		rest->buf = in[0].buf + counts[c] * sizeof(uint32_t);
		close(fd);
	}
	numbers_free(in);
}

TEST_F(queue, receive_batch_follows_the_selector)
{
	struct ipcx_msg *in = numbers_room(60);
	int fd = queue_of_numbers(self->dev, 60), i;

	ASSERT_EQ(20, queue_recv_batch(fd, in, 60, select_exact(2), 0));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(3 * i + 1, number_in(&in[i]));
	ASSERT_EQ(30, queue_recv_batch(fd, in, 30, select_range(1, 3), 0));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(3 * i, number_in(&in[i]));
	for (; i < 30; i++)
		ASSERT_EQ(3 * (i - 20) + 2, number_in(&in[i]));
	ASSERT_EQ(10, queue_recv_batch(fd, in, 60, select_except(1), 0));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(3 * (i + 10) + 2, number_in(&in[i]));
	numbers_free(in);
	close(fd);
}

TEST_F(queue, receive_batch_ends_before_what_is_too_long)
{
	struct ipcx_msg *in = numbers_room(40);
	int fd = queue_of_numbers(self->dev, 40);

	in[20].room = 3;
	EXPECT_EQ(20, queue_recv_batch(fd, in, 40, select_any(), 0));
	EXPECT_EQ(3, in[20].room);
	EXPECT_TRUE(holds(fd, 20, 80));
	in[0].room = 3;
	EXPECT_EQ(-E2BIG, queue_recv_batch(fd, in, 40, select_any(), 0));
	EXPECT_EQ(4, in[0].len);
	in[0].room = 4;
	EXPECT_EQ(20, queue_recv_batch(fd, in, 40, select_any(), IPCX_TRUNCATE));
	EXPECT_EQ(20, number_in(&in[0]));
	EXPECT_EQ(0, in[0].flags);
	numbers_free(in);
	close(fd);
}

/* An array that was received into is good for the next time, as it is. */
TEST_F(queue, arrays_are_used_again)
{
	struct ipcx_msg *in = numbers_room(10);
	int fd = queue_of_numbers(self->dev, 30), i;

	for (i = 0; i < 30; i += 10) {
		ASSERT_EQ(10, queue_recv_batch(fd, in, 10, select_any(), 0));
		EXPECT_EQ(i, number_in(&in[0]));
		EXPECT_EQ(i + 9, number_in(&in[9]));
	}
	numbers_free(in);
	close(fd);
}

/* Headers of another size. */

struct longer_msg {
	struct ipcx_msg msg;
	uint64_t more;
};

static int send_sized(int fd, const void *msgs, uint32_t count, uint32_t size)
{
	struct ipcx_send arg = {
		.msgs = (uintptr_t)msgs, .count = count, .msg_size = size,
		.deadline = deadline_patience(),
	};

	return ipc_ioctl(fd, IPCX_IOC_SEND, &arg);
}

static int recv_sized(int fd, void *msgs, uint32_t count, uint32_t size)
{
	struct ipcx_recv arg = {
		.msgs = (uintptr_t)msgs, .count = count, .msg_size = size,
		.deadline = deadline_patience(), .select = select_any(),
		.flags = IPCX_NONBLOCK,
	};

	return ipc_ioctl(fd, IPCX_IOC_RECV, &arg);
}

TEST_F(queue, shorter_headers)
{
	int fd = queue_of(self->dev, some_types, 1);
	struct ipcx_msg out = msg_out(1, "x", 1), in = msg_room(&out, 10);
	uint32_t size;

	for (size = 0; size < sizeof(struct ipcx_msg); size++) {
		EXPECT_EQ(-EINVAL, send_sized(fd, &out, 1, size));
		EXPECT_EQ(-EINVAL, recv_sized(fd, &in, 1, size));
	}
	EXPECT_TRUE(holds(fd, 1, 10));
	close(fd);
}

TEST_F(queue, longer_headers)
{
	int fd = queue_new(self->dev, 0, 0), i;
	struct longer_msg msgs[3] = { 0 };
	unsigned char bytes[3];

	stream_fill(bytes, 0, 3);
	for (i = 0; i < 3; i++)
		msgs[i].msg = msg_out(i + 1, bytes + i, 1);
	EXPECT_EQ(3, send_sized(fd, msgs, 3, sizeof(msgs[0])));
	msgs[1].more = 1;
	EXPECT_EQ(1, send_sized(fd, msgs, 3, sizeof(msgs[0])));
	EXPECT_EQ(-E2BIG, send_sized(fd, msgs + 1, 2, sizeof(msgs[0])));
	EXPECT_EQ(-E2BIG, send_sized(fd, msgs, 1, 1 << 20));
	EXPECT_TRUE(holds(fd, 4, 4));
	for (i = 0; i < 3; i++)
		msgs[i].msg = msg_room(bytes + i, 1);
	EXPECT_EQ(-E2BIG, recv_sized(fd, msgs + 1, 1, sizeof(msgs[0])));
	EXPECT_TRUE(holds(fd, 4, 4));
	msgs[1].more = 0;
	EXPECT_EQ(3, recv_sized(fd, msgs, 3, sizeof(msgs[0])));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i + 1, (int)msgs[i].msg.type);
		EXPECT_EQ(0, msgs[i].more);
	}
	EXPECT_TRUE(stream_is(bytes, 0, 3));
	EXPECT_TRUE(holds(fd, 1, 1));
	close(fd);
}

/* Peeking. */

TEST_F(queue, peek_is_what_a_receive_would_get)
{
	int fd = queue_of(self->dev, some_types, SOME);
	const struct ipcx_select selects[] = {
		select_any(), select_exact(3), select_except(5), select_range(2, 6),
	};
	struct ipcx_msg peeked, received;
	unsigned char a[10], b[10];
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(selects); i++) {
		ASSERT_EQ(1, queue_peek(fd, selects[i], 0, &peeked, a, 10, 0));
		EXPECT_TRUE(holds(fd, SOME - i, 10 * (SOME - i)));
		ASSERT_EQ(1, queue_recv(fd, selects[i], &received, b, 10, 0));
		EXPECT_EQ(0, memcmp(a, b, 10));
		peeked.buf = received.buf;
		EXPECT_EQ(0, memcmp(&peeked, &received, sizeof(peeked)));
	}
	close(fd);
}

/* Does skipping 0, 1, 2... messages give those with these numbers, and then none? */
static bool shows(int fd, struct ipcx_select select, const int *numbers, int count)
{
	unsigned char buf[10];
	struct ipcx_msg msg;
	int i;

	for (i = 0; i < count; i++)
		if (queue_peek(fd, select, i, &msg, buf, 10, 0) != 1 ||
		    msg.type != some_types[numbers[i]] || !stream_is(buf, numbers[i], 10))
			return false;
	return queue_peek(fd, select, count, &msg, buf, 10, 0) == -EAGAIN &&
	       queue_peek(fd, select, ~0ULL, &msg, buf, 10, 0) == -EAGAIN;
}

TEST_F(queue, peek_skips)
{
	int fd = queue_of(self->dev, some_types, SOME);

	EXPECT_TRUE(shows(fd, select_any(), (int []){ 0, 1, 2, 3, 4, 5, 6, 7 }, 8));
	EXPECT_TRUE(shows(fd, select_file(), (int []){ 0, 1, 2, 3, 4, 5, 6, 7 }, 8));
	EXPECT_TRUE(shows(fd, select_exact(3), (int []){ 1, 3, 7 }, 3));
	EXPECT_TRUE(shows(fd, select_exact(4), NULL, 0));
	EXPECT_TRUE(shows(fd, select_except(3), (int []){ 0, 2, 4, 5, 6 }, 5));
	EXPECT_TRUE(shows(fd, select_range(2, 5), (int []){ 1, 3, 7, 0, 4 }, 5));
	EXPECT_TRUE(holds(fd, SOME, SOME * 10));
	close(fd);
}

TEST_F(queue, peek_many)
{
	struct ipcx_msg *in = numbers_room(60);
	int fd = queue_of_numbers(self->dev, 60), i;

	ASSERT_EQ(60, queue_peek_batch(fd, in, 60, select_any(), 0, 0));
	for (i = 0; i < 60; i++)
		ASSERT_EQ(i, number_in(&in[i]));
	ASSERT_EQ(15, queue_peek_batch(fd, in, 60, select_exact(3), 5, 0));
	for (i = 0; i < 15; i++)
		ASSERT_EQ(3 * (i + 5) + 2, number_in(&in[i]));
	ASSERT_EQ(10, queue_peek_batch(fd, in, 10, select_range(1, 2), 15, 0));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(3 * (i + 15), number_in(&in[i]));
	for (; i < 10; i++)
		ASSERT_EQ(3 * (i - 5) + 1, number_in(&in[i]));
	in[3].room = 1;
	EXPECT_EQ(3, queue_peek_batch(fd, in, 60, select_any(), 0, 0));
	EXPECT_TRUE(holds(fd, 60, 240));
	numbers_free(in);
	close(fd);
}

TEST_F(queue, peek_changes_nothing)
{
	int fd = queue_of(self->dev, some_types, SOME);
	struct ipcx_stat before = pipe_stat(fd), after;
	unsigned char buf[10];
	struct ipcx_msg msg;

	ASSERT_EQ(1, queue_peek(fd, select_any(), 0, &msg, buf, 10, 0));
	after = pipe_stat(fd);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	close(fd);
}

/* It doesn't wait, whatever it is told. */
TEST_F(queue, peek_never_waits)
{
	int fd = queue_new(self->dev, 0, 0);
	unsigned char buf[10];
	struct ipcx_msg msg = msg_room(buf, 10);

	EXPECT_EQ(-EAGAIN, ref_recv(fd, ref_self(), &msg, 1, select_any(), 0, IPCX_PEEK,
				    deadline_never()));
	EXPECT_EQ(-EAGAIN, ref_recv(fd, ref_self(), &msg, 1, select_any(), 5, IPCX_PEEK,
				    deadline_past()));
	close(fd);
}

/* Purging. */

TEST_F(queue, purge_by_selector)
{
	int fd = queue_of(self->dev, some_types, SOME);

	EXPECT_EQ(0, queue_purge(fd, select_exact(4)));
	EXPECT_EQ(2, queue_purge(fd, select_exact(9)));
	EXPECT_EQ(0, queue_purge(fd, select_exact(9)));
	EXPECT_TRUE(holds(fd, 6, 60));
	EXPECT_EQ(4, queue_purge(fd, select_range(1, 3)));
	EXPECT_TRUE(gives(fd, select_any(), some_types, (int []){ 0, 4 }, 2));
	close(fd);
	fd = queue_of(self->dev, some_types, SOME);
	EXPECT_EQ(5, queue_purge(fd, select_except(3)));
	EXPECT_TRUE(gives(fd, select_any(), some_types, (int []){ 1, 3, 7 }, 3));
	close(fd);
	fd = queue_of(self->dev, some_types, SOME);
	ASSERT_EQ(0, queue_file(fd, select_exact(5), 0, 0));
	EXPECT_EQ(2, queue_purge(fd, select_file()));
	EXPECT_EQ(6, queue_purge(fd, select_any()));
	EXPECT_EQ(0, queue_purge(fd, select_any()));
	EXPECT_TRUE(holds(fd, 0, 0));
	close(fd);
}

TEST_F(queue, purge_of_many)
{
	int fd = queue_of_numbers(self->dev, BATCH_MAX);

	EXPECT_EQ(-EAGAIN, queue_put(fd, 1, 0, 0));
	EXPECT_EQ(BATCH_MAX, queue_purge(fd, select_range(1, 3)));
	EXPECT_TRUE(holds(fd, 0, 0));
	ASSERT_EQ(1, queue_put(fd, 1, 0, BATCH_MAX * 4));
	close(fd);
}

/* Limits in use. */

static int resize(int fd, uint64_t max_msgs, uint64_t max_bytes, uint64_t max_msg_bytes)
{
	struct ipcx_queue_params limits = queue_limits(max_msgs, max_bytes, max_msg_bytes);

	return queue_resize(fd, &limits);
}

TEST_F(queue, resize_tells_what_the_limits_are)
{
	int fd = create(self->dev, 10, 1000, 100);
	struct ipcx_queue_params limits = queue_limits(20, 0, 0);

	ASSERT_EQ(0, queue_resize(fd, &limits));
	EXPECT_EQ(20, limits.max_msgs);
	EXPECT_EQ(1000, limits.max_bytes);
	EXPECT_EQ(100, limits.max_msg_bytes);
	EXPECT_TRUE(limits_are(fd, 20, 1000, 100));
	ASSERT_EQ(0, resize(fd, 0, 5000, 0));
	EXPECT_TRUE(limits_are(fd, 20, 5000, 100));
	ASSERT_EQ(0, resize(fd, 0, 0, 5000));
	EXPECT_TRUE(limits_are(fd, 20, 5000, 5000));
	ASSERT_EQ(0, resize(fd, 0, 0, 0));
	EXPECT_TRUE(limits_are(fd, 20, 5000, 5000));
	ASSERT_EQ(0, resize(fd, 1, 1, 1));
	EXPECT_TRUE(limits_are(fd, 1, 1, 1));
	close(fd);
}

TEST_F(queue, resize_makes_room)
{
	int fd = create(self->dev, 1, 10, 10);

	ASSERT_EQ(1, queue_put(fd, 1, 0, 10));
	ASSERT_EQ(0, resize(fd, 2, 0, 0));
	EXPECT_EQ(-EAGAIN, queue_put(fd, 1, 0, 10));
	ASSERT_EQ(0, resize(fd, 0, 30, 0));
	EXPECT_EQ(-EMSGSIZE, queue_put(fd, 1, 0, 20));
	ASSERT_EQ(0, resize(fd, 0, 0, 20));
	EXPECT_EQ(1, queue_put(fd, 2, 0, 20));
	EXPECT_EQ(1, queue_get(fd, select_any(), 0, 10));
	EXPECT_EQ(2, queue_get(fd, select_any(), 0, 20));
	close(fd);
}

TEST_F(queue, resize_keeps_what_there_is)
{
	int fd = create(self->dev, 10, 1000, 100);

	ASSERT_EQ(1, queue_put(fd, 1, 0, 100));
	ASSERT_EQ(1, queue_put(fd, 2, 1, 50));
	EXPECT_EQ(-EBUSY, resize(fd, 1, 0, 0));
	EXPECT_EQ(-EBUSY, resize(fd, 0, 149, 0));
	EXPECT_EQ(-EBUSY, resize(fd, 100, 149, 0));
	EXPECT_TRUE(limits_are(fd, 10, 1000, 100));
	ASSERT_EQ(0, resize(fd, 2, 150, 0));
	EXPECT_TRUE(limits_are(fd, 2, 150, 100));
	EXPECT_EQ(1, queue_get(fd, select_any(), 0, 100));
	EXPECT_EQ(2, queue_get(fd, select_any(), 1, 50));
	ASSERT_EQ(0, resize(fd, 1, 100, 0));
	close(fd);
}

TEST_F(queue, resize_within_limits)
{
	uint64_t msgs = self->queue_msgs_max, bytes = self->queue_bytes_max;
	int fd = create(self->dev, 10, 1000, 100);

	EXPECT_EQ(-EINVAL, resize(fd, msgs + 1, 0, 0));
	EXPECT_EQ(-EINVAL, resize(fd, ~0ULL, 0, 0));
	EXPECT_EQ(-EINVAL, resize(fd, 0, bytes + 1, 0));
	EXPECT_EQ(-EINVAL, resize(fd, 0, ~0ULL, 0));
	EXPECT_EQ(-EINVAL, resize(fd, 0, 0, 1001));
	EXPECT_EQ(-EINVAL, resize(fd, 0, bytes, IPCX_MSG_BYTES_MAX + 1));
	EXPECT_TRUE(limits_are(fd, 10, 1000, 100));
	EXPECT_EQ(0, resize(fd, msgs, bytes, IPCX_MSG_BYTES_MAX));
	EXPECT_TRUE(limits_are(fd, msgs, bytes, IPCX_MSG_BYTES_MAX));
	close(fd);
}

TEST_F(queue, pipes_have_no_limits_of_messages)
{
	int fd = make_pipe(self->dev);

	EXPECT_EQ(-EINVAL, resize(fd, 1, 8192, 0));
	EXPECT_EQ(-EINVAL, resize(fd, 0, 8192, 1));
	EXPECT_EQ(65536, pipe_stat(fd).capacity_bytes);
	EXPECT_EQ(0, pipe_stat(fd).max_msgs);
	EXPECT_EQ(0, pipe_stat(fd).max_msg_bytes);
	EXPECT_EQ(0, pipe_stat(fd).msgs);
	close(fd);
}

TEST_F(queue, strangers_do_not_resize)
{
	int fd = create(self->dev, 10, 1000, 100);

	as_user(UID_A, GID_A) {
		EXPECT_EQ(-EPERM, resize(fd, 11, 0, 0));
		EXPECT_EQ(-EPERM, resize(fd, 9, 0, 0));
	}
	EXPECT_TRUE(limits_are(fd, 10, 1000, 100));
	as_user_with(UID_A, GID_A, CAP(IPC_OWNER)) {
		EXPECT_EQ(0, resize(fd, 9, 0, 0));
	}
	EXPECT_TRUE(limits_are(fd, 9, 1000, 100));
	ASSERT_EQ(0, fchown(fd, UID_A, GID_A));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(0, resize(fd, 11, 0, 0));
	}
	close(fd);
}

static uint64_t user_bytes(int dev)
{
	struct ipcx_query q;

	return dev_query(dev, &q) ? ~0ULL : q.user.bytes;
}

/* Who makes it larger pays for all of it, and who paid before has his back. */
TEST_F(queue, charge_moves_to_who_grows)
{
	int fd = create(self->dev, 10, 1000, 100);
	uint64_t before = user_bytes(self->dev), charged = pipe_stat(fd).charged_bytes;

	ASSERT_EQ(0, fchown(fd, UID_A, GID_A));
	as_user(UID_A, GID_A) {
		uint64_t mine = user_bytes(self->dev);

		/* smaller: nobody is charged */
		ASSERT_EQ(0, resize(fd, 0, 900, 0));
		EXPECT_EQ(charged - 100, pipe_stat(fd).charged_bytes);
		EXPECT_EQ(mine, user_bytes(self->dev));
		ASSERT_EQ(0, resize(fd, 0, 5000, 0));
		EXPECT_EQ(charged + 4000, pipe_stat(fd).charged_bytes);
		EXPECT_EQ(mine + charged + 4000, user_bytes(self->dev));
	}
	EXPECT_EQ(before - charged, user_bytes(self->dev));
	close(fd);
}

TEST_F(queue, resize_beyond_the_account)
{
	int fd = create(self->dev, 10, 1000, 100);
	struct ipcx_stat before = pipe_stat(fd);

	ASSERT_EQ(0, fchown(fd, UID_A, GID_A));
	ASSERT_EQ(0, param_set("user_bytes_max", 1 << 20));
	as_user(UID_A, GID_A) {
		EXPECT_EQ(-EDQUOT, resize(fd, 0, 1 << 20, 0));
		EXPECT_EQ(-EDQUOT, resize(fd, 1 << 20, 0, 0));
		EXPECT_EQ(0, user_bytes(self->dev));
	}
	EXPECT_TRUE(limits_are(fd, 10, 1000, 100));
	EXPECT_EQ(before.charged_bytes, pipe_stat(fd).charged_bytes);
	close(fd);
}

/* STAT. */

TEST_F(queue, stat_tells_of_transfers)
{
	int fd = queue_new(self->dev, 0, 0);
	struct ipcx_stat st = pipe_stat(fd);
	uint64_t before = now_ns(CLOCK_REALTIME_COARSE);

	EXPECT_EQ(0, st.read_ns);
	EXPECT_EQ(0, st.write_ns);
	EXPECT_EQ(0, st.last_reader_pid);
	EXPECT_EQ(0, st.last_writer_pid);
	in_child() {
		ASSERT_EQ(1, queue_put(fd, 1, 0, 7));
		EXPECT_EQ(getpid(), pipe_stat(fd).last_writer_pid);
	}
	st = pipe_stat(fd);
	EXPECT_EQ(1, st.msgs);
	EXPECT_EQ(7, st.used_bytes);
	EXPECT_LE(before, st.write_ns);
	EXPECT_GE(now_ns(CLOCK_REALTIME), st.write_ns);
	EXPECT_EQ(0, st.read_ns);
	in_child() {
		ASSERT_EQ(1, queue_get(fd, select_any(), 0, 7));
		EXPECT_EQ(getpid(), pipe_stat(fd).last_reader_pid);
		EXPECT_NE(getpid(), pipe_stat(fd).last_writer_pid);
	}
	st = pipe_stat(fd);
	EXPECT_EQ(0, st.msgs);
	EXPECT_EQ(0, st.used_bytes);
	EXPECT_LE(before, st.read_ns);
	EXPECT_GE(now_ns(CLOCK_REALTIME), st.read_ns);
	close(fd);
}

TEST_F(queue, stat_counts_files)
{
	int fd = queue_new(self->dev, 0, 0);
	int r = fd_open(fd, READ, 0), w = fd_open(fd, WRITE, 0);
	int none = fd_open(fd, IPCX_ACCESS_NONE, 0);
	struct ipcx_stat st = pipe_stat(fd);

	EXPECT_EQ(2, st.readers);
	EXPECT_EQ(2, st.writers);
	EXPECT_EQ(4, st.opens);
	EXPECT_EQ(0, st.waiting_readers);
	EXPECT_EQ(0, st.waiting_writers);
	close(r);
	close(none);
	st = pipe_stat(fd);
	EXPECT_EQ(1, st.readers);
	EXPECT_EQ(2, st.writers);
	close(w);
	close(fd);
}

/* What sends and receives is gone: the queue goes on. */
TEST_F(queue, persistent_queue_keeps_its_messages)
{
	int fd = queue_create(self->dev, self->name, PERSISTENT, WRITE, 0, 0, 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(1, queue_put(fd, 3, 0, 10));
	close(fd);
	fd = name_open(self->dev, self->name, WRITE, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, queue_put(fd, 4, 1, 10));
	close(fd);
	fd = name_open(self->dev, self->name, READ, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(3, queue_get(fd, select_any(), 0, 10));
	EXPECT_EQ(4, queue_get(fd, select_any(), 1, 10));
	EXPECT_EQ(-EAGAIN, queue_get(fd, select_any(), 1, 10));
	close(fd);
}

/* What isn't allowed. */

TEST_F(queue, pipes_are_no_queues)
{
	int fd = make_pipe(self->dev);
	unsigned char buf[10];
	struct ipcx_msg msg;

	ASSERT_EQ(1, fd_write(fd, "x", 1, 0));
	EXPECT_EQ(-EOPNOTSUPP, queue_send(fd, 1, "x", 1, IPCX_NONBLOCK));
	EXPECT_EQ(-EOPNOTSUPP, queue_recv(fd, select_any(), &msg, buf, 10, IPCX_NONBLOCK));
	EXPECT_EQ(-EOPNOTSUPP, queue_peek(fd, select_any(), 0, &msg, buf, 10, 0));
	EXPECT_EQ(-EOPNOTSUPP, queue_purge(fd, select_any()));
	EXPECT_EQ(-EOPNOTSUPP, queue_file(fd, select_any(), 1, 0));
	EXPECT_EQ(-EOPNOTSUPP, queue_notify(fd, SIGUSR1, 0));
	EXPECT_EQ(1, pipe_used(fd));
	close(fd);
}

TEST_F(queue, opened_as_what_it_is)
{
	int fd = queue_create(self->dev, self->name, PERSISTENT, RDWR, 0, 0, 0);
	struct ipcx_open arg = {
		.ref = ref_name(self->name), .access = RDWR, .deadline = deadline_patience(),
	};
	struct ipcx_create again = pipe_arg(self->name, PERSISTENT, RDWR);
	int other;

	ASSERT_LE(0, fd);
	arg.type = IPCX_TYPE_PIPE;
	EXPECT_EQ(-EPROTOTYPE, ipc_ioctl(self->dev, IPCX_IOC_OPEN, &arg));
	arg.type = IPCX_TYPE_QUEUE;
	other = ipc_ioctl(self->dev, IPCX_IOC_OPEN, &arg);
	EXPECT_LE(0, other);
	close(other);
	again.flags = IPCX_OR_OPEN;
	EXPECT_EQ(-EPROTOTYPE, obj_create(self->dev, &again));
	close(fd);
}

TEST_F(queue, files_are_no_device)
{
	EXPECT_EQ(-ENOTTY, queue_file(self->dev, select_any(), 1, 0));
	EXPECT_EQ(-ENOTTY, queue_notify(self->dev, SIGUSR1, 0));
}

TEST_F(queue, access_modes)
{
	int fd = queue_of(self->dev, some_types, 1);
	int r = fd_open(fd, READ, 0), w = fd_open(fd, WRITE, 0);
	int none = fd_open(fd, IPCX_ACCESS_NONE, 0), i;
	unsigned char buf[10];
	struct ipcx_msg msg;

	for (i = 0; i < 2; i++) {
		int not_r = i ? none : w, not_w = i ? none : r;

		EXPECT_EQ(-EBADF, queue_send(not_w, 1, "x", 1, IPCX_NONBLOCK));
		EXPECT_EQ(-EBADF, fd_write(not_w, "x", 1, IPCX_NONBLOCK));
		EXPECT_EQ(-EBADF, plain_write(not_w, "x", 1));
		EXPECT_EQ(-EBADF, queue_recv(not_r, select_any(), &msg, buf, 10, IPCX_NONBLOCK));
		EXPECT_EQ(-EBADF, queue_peek(not_r, select_any(), 0, &msg, buf, 10, 0));
		EXPECT_EQ(-EBADF, queue_purge(not_r, select_any()));
		EXPECT_EQ(-EBADF, queue_notify(not_r, SIGUSR1, 0));
		EXPECT_EQ(-EBADF, fd_read(not_r, buf, 10, IPCX_NONBLOCK));
		EXPECT_EQ(-EBADF, plain_read(not_r, buf, 10));
	}
	EXPECT_TRUE(holds(fd, 1, 10));
	EXPECT_EQ(0, queue_file(none, select_any(), 1, 0));
	EXPECT_EQ(1, queue_put(w, 1, 1, 10));
	EXPECT_EQ(5, queue_get(r, select_any(), 0, 10));
	EXPECT_EQ(1, queue_purge(r, select_any()));
	EXPECT_EQ(0, queue_notify(r, SIGUSR1, 0));
	close(r);
	close(w);
	close(none);
	close(fd);
}

struct results {
	int send;
	int recv;
	int peek;
	int64_t purge;
};

/* Each of what the device can do with the queue. */
static struct results device_calls(int dev, struct ipcx_ref ref)
{
	struct ipcx_msg out = msg_out(1, "x", 1), in;
	struct results r;
	char c;

	r.send = ref_send(dev, ref, &out, 1, IPCX_NONBLOCK, deadline_patience());
	in = msg_room(&c, 1);
	r.peek = ref_recv(dev, ref, &in, 1, select_any(), 0, IPCX_PEEK, deadline_patience());
	in = msg_room(&c, 1);
	r.recv = ref_recv(dev, ref, &in, 1, select_any(), 0, IPCX_NONBLOCK, deadline_patience());
	r.purge = ref_purge(dev, ref, select_any());
	return r;
}

static bool results_are(struct results r, int send, int recv, int peek, int purge)
{
	if (r.send == send && r.recv == recv && r.peek == peek && r.purge == purge)
		return true;
	fprintf(stderr, "# send %d, receive %d, peek %d, purge %lld\n", r.send, r.recv, r.peek,
		(long long)r.purge);
	return false;
}

TEST_F(queue, device_asks_for_permission_each_time)
{
	int fd = queue_create(self->dev, self->name, PERSISTENT, RDWR, 0, 0, 0);
	struct ipcx_ref refs[2] = { ref_name(self->name), ref_id(fd_id(fd)) };
	int i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, fchmod(fd, 0600));
		EXPECT_TRUE(results_are(device_calls(self->dev, refs[i]), 1, 1, 1, 0));
		as_user(UID_A, GID_A) {
			EXPECT_TRUE(results_are(device_calls(self->dev, refs[i]), -EACCES,
						-EACCES, -EACCES, -EACCES));
		}
		ASSERT_EQ(0, fchmod(fd, 0602));
		as_user(UID_A, GID_A) {
			EXPECT_TRUE(results_are(device_calls(self->dev, refs[i]), 1, -EACCES,
						-EACCES, -EACCES));
		}
		ASSERT_EQ(0, fchmod(fd, 0604));
		as_user(UID_A, GID_A) {
			EXPECT_TRUE(results_are(device_calls(self->dev, refs[i]), -EACCES, 1,
						1, 0));
		}
		EXPECT_TRUE(holds(fd, 0, 0));
	}
	close(fd);
}

TEST_F(queue, device_finds_persistent_ones)
{
	int fd = queue_new(self->dev, 0, 0);
	struct ipcx_stat st = pipe_stat(fd);

	EXPECT_TRUE(results_are(device_calls(self->dev, ref_id(st.id)), -ENOENT, -ENOENT,
				-ENOENT, -ENOENT));
	close(fd);
	fd = queue_create(self->dev, self->name, PERSISTENT, RDWR, 0, 0, 0);
	st = pipe_stat(fd);
	EXPECT_TRUE(results_are(device_calls(self->dev, ref_id_cookie(st.id, st.cookie + 1)),
				-ESTALE, -ESTALE, -ESTALE, -ESTALE));
	EXPECT_TRUE(results_are(device_calls(self->dev, ref_id_cookie(st.id, st.cookie)),
				1, 1, 1, 0));
	/* on its own file there is nothing to say about it */
	EXPECT_TRUE(results_are(device_calls(fd, ref_id(st.id)), -EINVAL, -EINVAL, -EINVAL,
				-EINVAL));
	close(fd);
}

TEST_F(queue, removed_queue)
{
	int fd = queue_create(self->dev, self->name, PERSISTENT, RDWR, 0, 0, 0);
	struct ipcx_stat st = pipe_stat(fd);
	unsigned char buf[10];

	ASSERT_EQ(1, queue_put(fd, 1, 0, 1));
	ASSERT_EQ(0, fd_remove(fd));
	EXPECT_TRUE(results_are(device_calls(fd, ref_self()), -EIDRM, -EIDRM, -EIDRM, -EIDRM));
	EXPECT_TRUE(results_are(device_calls(self->dev, ref_id(st.id)), -EIDRM, -EIDRM, -EIDRM,
				-EIDRM));
	EXPECT_EQ(-EIDRM, queue_file(fd, select_any(), 1, 0));
	EXPECT_EQ(-EIDRM, queue_notify(fd, SIGUSR1, 0));
	EXPECT_EQ(-EIDRM, resize(fd, 10, 0, 0));
	EXPECT_EQ(-EIDRM, fd_open(fd, RDWR, 0));
	EXPECT_EQ(-EIDRM, fd_stat(fd, &st));
	EXPECT_EQ(-EIDRM, plain_read(fd, buf, 10));
	EXPECT_EQ(-EIDRM, plain_write(fd, buf, 10));
	EXPECT_EQ(-EIDRM, fd_read(fd, buf, 10, 0));
	EXPECT_EQ(-EIDRM, fd_write(fd, buf, 10, 0));
	EXPECT_EQ(-EIDRM, fionread(fd));
	close(fd);
}

/* Many messages of many types. */

#define MANY		100000
#define MANY_IN_CALL	1000

/* Messages 0, 1, 2...; of each the type, which is spread over a tenth as many. */
struct many {
	int fd;
	uint32_t count;
	uint32_t types;
	struct ipcx_msg *msgs;
};

static uint64_t many_type(const struct many *m, uint32_t number)
{
	return 1 + (uint64_t)number * 7919 % m->types;
}

static bool many_send(struct many *m)
{
	uint32_t i, k, numbers[MANY_IN_CALL];
	struct ipcx_msg out[MANY_IN_CALL];

	for (i = 0; i < m->count; i += k) {
		for (k = 0; k < MANY_IN_CALL && i + k < m->count; k++) {
			numbers[k] = i + k;
			out[k] = msg_out(many_type(m, i + k), &numbers[k], sizeof(*numbers));
		}
		if (queue_send_batch(m->fd, out, k, IPCX_NONBLOCK) != (int)k)
			return false;
	}
	return holds(m->fd, m->count, m->count * sizeof(*numbers));
}

static struct many many_make(int dev)
{
	struct many m = { .count = scaled(MANY) };

	m.types = m.count / 10 ?: 1;
	m.fd = queue_new(dev, m.count, m.count * sizeof(uint32_t));
	m.msgs = numbers_room(MANY_IN_CALL);
	if (!many_send(&m))
		abort();
	return m;
}

static void many_free(struct many *m)
{
	numbers_free(m->msgs);
	close(m->fd);
}

/* Receives all that @select gives: the first must be @first, each next as @follows says. */
static uint32_t many_receive(struct many *m, struct ipcx_select select,
			     bool (*follows)(const struct many *m, uint32_t a, uint32_t b))
{
	uint32_t got = 0, last = 0;
	int n, i;

	while ((n = queue_recv_batch(m->fd, m->msgs, MANY_IN_CALL, select, IPCX_NONBLOCK)) > 0) {
		for (i = 0; i < n; i++, got++) {
			uint32_t number = number_in(&m->msgs[i]);

			if (m->msgs[i].type != many_type(m, number) ||
			    (got && !follows(m, last, number)))
				return ~0U;
			last = number;
		}
	}
	return n == -EAGAIN ? got : ~0U;
}

static bool by_age(const struct many *m, uint32_t a, uint32_t b)
{
	(void)m;
	return a < b;
}

static bool by_type(const struct many *m, uint32_t a, uint32_t b)
{
	uint64_t x = many_type(m, a), y = many_type(m, b);

	return x < y || (x == y && a < b);
}

/* How many messages have types @lo to @hi. */
static uint32_t many_of(const struct many *m, uint64_t lo, uint64_t hi)
{
	uint32_t i, count = 0;

	for (i = 0; i < m->count; i++)
		count += many_type(m, i) >= lo && many_type(m, i) <= hi;
	return count;
}

TEST_F_TIMEOUT(queue, many_by_type, 120)
{
	struct many m = many_make(self->dev);
	uint64_t type, step = m.types > 7 ? 7 : 1;
	uint32_t got = 0, i;

	/* 7 is no divisor of the number: all types, in another order */
	for (i = 0, type = 0; i < m.types; i++, type = (type + step) % m.types)
		got += many_receive(&m, select_exact(type + 1), by_age);
	EXPECT_EQ(m.count, got);
	EXPECT_TRUE(holds(m.fd, 0, 0));
	many_free(&m);
}

TEST_F_TIMEOUT(queue, many_by_range, 120)
{
	struct many m = many_make(self->dev);
	uint64_t third = m.types / 3;

	EXPECT_EQ(many_of(&m, third + 1, 2 * third),
		  many_receive(&m, select_range(third + 1, 2 * third), by_type));
	EXPECT_EQ(m.count - many_of(&m, third + 1, 2 * third),
		  many_receive(&m, select_range(1, IPCX_MSG_TYPE_MAX), by_type));
	EXPECT_TRUE(holds(m.fd, 0, 0));
	many_free(&m);
}

TEST_F_TIMEOUT(queue, many_by_exception, 120)
{
	struct many m = many_make(self->dev);
	uint64_t type = m.types / 2 + 1;

	EXPECT_EQ(m.count - many_of(&m, type, type),
		  many_receive(&m, select_except(type), by_age));
	EXPECT_EQ(many_of(&m, type, type), many_receive(&m, select_any(), by_age));
	EXPECT_TRUE(holds(m.fd, 0, 0));
	many_free(&m);
}

TEST_F_TIMEOUT(queue, many_purged, 120)
{
	struct many m = many_make(self->dev);
	uint64_t half = m.types / 2;

	EXPECT_EQ(many_of(&m, 1, half), queue_purge(m.fd, select_range(1, half)));
	EXPECT_EQ(m.count - many_of(&m, 1, half), queue_msgs(m.fd));
	EXPECT_EQ(m.count - many_of(&m, 1, half), queue_purge(m.fd, select_any()));
	EXPECT_TRUE(holds(m.fd, 0, 0));
	many_free(&m);
}

TEST_HARNESS_MAIN
