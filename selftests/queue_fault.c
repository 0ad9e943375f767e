// SPDX-License-Identifier: GPL-2.0
/*
 * Queues: buffers that are not there, copies that are stuck in a page fault
 * (userfaultfd), and a model of a queue that random calls are compared with. Whatever
 * fails, no message is lost, repeated, or moved from its place.
 */
#include "queue_test.h"

#include <pthread.h>

#define ARRAY_LEN(a)	(sizeof(a) / sizeof(*(a)))

FIXTURE(fault) {
	int dev;
	int fd;
};

FIXTURE_SETUP(fault)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->fd = queue_new(self->dev, 0, 65536);
}

FIXTURE_TEARDOWN(fault)
{
	close(self->fd);
	close(self->dev);
	track_cleanup();
}

/* Holds @fd @msgs messages of @bytes together, and none is half taken or half sent? */
static bool queue_holds(int fd, uint64_t msgs, uint64_t bytes)
{
	struct ipcx_stat st = pipe_stat(fd);

	if (st.msgs == msgs && st.used_bytes == bytes)
		return true;
	fprintf(stderr, "# the queue holds %llu messages, %llu bytes\n",
		(unsigned long long)st.msgs, (unsigned long long)st.used_bytes);
	return false;
}

/* All of the space is free: a message takes it, and goes again. */
static bool queue_takes_all(int fd)
{
	uint64_t bytes = pipe_stat(fd).max_msg_bytes;

	return queue_put(fd, 1, 0, bytes) == 1 && queue_get(fd, select_any(), 0, bytes) == 1;
}

/* One message by each way. */

FIXTURE(way) {
	int dev;
	int fd;
};

/* RECV and SEND, or two kinds of call. */
struct how {
	bool command;
	enum call_kind take;
	enum call_kind put;
};

FIXTURE_VARIANT(way) {
	struct how how;
};

FIXTURE_VARIANT_ADD(way, command) { .how = { .command = true } };
FIXTURE_VARIANT_ADD(way, plain) { .how = { .take = CALL_READ, .put = CALL_WRITE } };
FIXTURE_VARIANT_ADD(way, vector) { .how = { .take = CALL_READV, .put = CALL_WRITEV } };
FIXTURE_VARIANT_ADD(way, ioctl) { .how = { .take = CALL_IOC_READ, .put = CALL_IOC_WRITE } };

FIXTURE_SETUP(way)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->fd = queue_new(self->dev, 0, 65536);
}

FIXTURE_TEARDOWN(way)
{
	close(self->fd);
	close(self->dev);
}

static int call_here(enum call_kind kind, int fd, void *buf, size_t len)
{
	struct call c = {
		.kind = kind, .fd = fd, .len = len,
		.deadline = deadline_patience(),
	};
	int ret = call_make(&c, buf);

	return ret < 0 ? -errno : ret;
}

/* 0 or -errno: the number of bytes must be right. */
static int way_put(int fd, const struct how *how, void *buf, size_t len)
{
	int ret = how->command ? queue_send(fd, 1, buf, len, 0) :
				     call_here(how->put, fd, buf, len);

	return ret < 0 ? ret : ret == (how->command ? 1 : (int)len) ? 0 : -EBADMSG;
}

static int way_take(int fd, const struct how *how, void *buf, size_t room, size_t len)
{
	struct ipcx_msg msg = msg_room(buf, room);
	int ret;

	if (!how->command) {
		ret = call_here(how->take, fd, buf, room);
		return ret < 0 ? ret : ret == (int)len ? 0 : -EBADMSG;
	}
	ret = queue_recv_batch(fd, &msg, 1, select_any(), 0);
	return ret < 0 ? ret : ret == 1 && msg.len == len ? 0 : -EBADMSG;
}

/* Lengths in pages and bytes beyond; READV and WRITEV take more than one. */
static const size_t lengths[] = {
	2, 100, PAGE_BYTES - 1, PAGE_BYTES, PAGE_BYTES + 1, 5 * PAGE_BYTES + 7, 65536,
};

#define LENGTH_PAGES(len)	(((len) + PAGE_BYTES - 1) / PAGE_BYTES)

TEST_F(way, sent_bytes_fault_at_each_page)
{
	unsigned int i, hole;

	for (i = 0; i < ARRAY_LEN(lengths); i++) {
		unsigned int pages = LENGTH_PAGES(lengths[i]);

		for (hole = 0; hole < pages; hole++) {
			unsigned char *buf = holed_buffer(pages, hole);

			EXPECT_EQ(-EFAULT, way_put(self->fd, &variant->how, buf, lengths[i]))
				TH_LOG("%zu bytes, hole at page %u", lengths[i], hole);
			ASSERT_TRUE(queue_holds(self->fd, 0, 0));
			holed_free(buf, pages);
		}
	}
	EXPECT_EQ(0, pipe_stat(self->fd).write_ns);
	EXPECT_EQ(0, pipe_stat(self->fd).last_writer_pid);
	EXPECT_TRUE(queue_takes_all(self->fd));
}

TEST_F(way, received_bytes_fault_at_each_page)
{
	unsigned int i, hole;

	for (i = 0; i < ARRAY_LEN(lengths); i++) {
		unsigned int pages = LENGTH_PAGES(lengths[i]);

		ASSERT_EQ(1, queue_put(self->fd, 7, i, lengths[i]));
		for (hole = 0; hole < pages; hole++) {
			unsigned char *buf = holed_buffer(pages, hole);

			EXPECT_EQ(-EFAULT, way_take(self->fd, &variant->how, buf, lengths[i],
						    lengths[i]))
				TH_LOG("%zu bytes, hole at page %u", lengths[i], hole);
			ASSERT_TRUE(queue_holds(self->fd, 1, lengths[i]));
			holed_free(buf, pages);
		}
		EXPECT_EQ(0, i ? 0 : pipe_stat(self->fd).read_ns);
		EXPECT_EQ(0, i ? 0 : pipe_stat(self->fd).last_reader_pid);
		EXPECT_EQ(7, queue_get(self->fd, select_any(), i, lengths[i]));
	}
	EXPECT_TRUE(queue_takes_all(self->fd));
}

/* The last byte that fits is before the hole, or the first that doesn't is in it. */
TEST_F(way, faults_begin_at_the_hole)
{
	unsigned char *buf = holed_buffer(3, 2), *edge = buf + 2 * PAGE_BYTES;
	static const size_t goods[] = { 2, 3, 99, 2048, 4095, 4096, 4097, 8191 };
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(goods); i++) {
		size_t good = goods[i];

		stream_fill(edge - good, i, good);
		EXPECT_EQ(-EFAULT, way_put(self->fd, &variant->how, edge - good, good + 1));
		ASSERT_TRUE(queue_holds(self->fd, 0, 0));
		EXPECT_EQ(0, way_put(self->fd, &variant->how, edge - good, good));
		EXPECT_EQ((int64_t)1, queue_get(self->fd, select_any(), i, good));

		ASSERT_EQ(1, queue_put(self->fd, 1, i, good + 1));
		EXPECT_EQ(-EFAULT, way_take(self->fd, &variant->how, edge - good, good + 1,
					    good + 1));
		ASSERT_TRUE(queue_holds(self->fd, 1, good + 1));
		EXPECT_EQ(1, queue_get(self->fd, select_any(), i, good + 1));

		/* Room that isn't used may be anywhere. */
		memset(buf, POISON, 2 * PAGE_BYTES);
		ASSERT_EQ(1, queue_put(self->fd, 1, i, good));
		EXPECT_EQ(0, way_take(self->fd, &variant->how, edge - good, good + 5000, good));
		EXPECT_TRUE(stream_is(edge - good, i, good));
		ASSERT_TRUE(queue_holds(self->fd, 0, 0));
	}
	holed_free(buf, 3);
}

/* What can't be copied is the oldest again, and the oldest of its type. */
TEST_F(way, failed_receive_keeps_the_place)
{
	unsigned char *bad = holed_buffer(1, 0);
	int i;

	for (i = 0; i < 6; i++)
		ASSERT_EQ(1, queue_put(self->fd, 1 + i % 2, i, 100));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-EFAULT, way_take(self->fd, &variant->how, bad, 100, 100));
	EXPECT_TRUE(queue_holds(self->fd, 6, 600));
	EXPECT_EQ(2, queue_get(self->fd, select_exact(2), 1, 100));
	EXPECT_EQ(1, queue_get(self->fd, select_range(1, 2), 0, 100));
	for (i = 2; i < 6; i++)
		EXPECT_EQ(1 + i % 2, queue_get(self->fd, select_any(), i, 100));
	EXPECT_TRUE(queue_holds(self->fd, 0, 0));
	holed_free(bad, 1);
}

/* Without bytes there is nothing to touch. writev(2) of nothing doesn't get to the file. */
TEST_F(way, no_bytes_no_fault)
{
	unsigned char *bad = holed_buffer(1, 0);

	if (variant->how.put == CALL_WRITEV) {
		EXPECT_EQ(1, queue_send(self->fd, 1, bad, 0, 0));
	} else {
		EXPECT_EQ(0, way_put(self->fd, &variant->how, bad, 0));
	}
	EXPECT_TRUE(queue_holds(self->fd, 1, 0));
	EXPECT_EQ(0, way_take(self->fd, &variant->how, bad, 100, 0));
	EXPECT_TRUE(queue_holds(self->fd, 0, 0));
	EXPECT_EQ(-EAGAIN, queue_get(self->fd, select_any(), 0, 0));
	holed_free(bad, 1);
}

/* Batches. The holes are near the places where a batch is divided inside. */

#define BATCH	40

static const int places[] = { 0, 1, 2, 14, 15, 16, 17, 31, 32, 33, 38, 39 };

/* Messages of 100 bytes, the @bad one of which can't be touched; types 1, 2, 3, 1... */
struct batch {
	struct ipcx_msg msgs[BATCH];
	unsigned char bytes[BATCH][100];
};

static void batch_out(struct batch *b, int bad, void *hole)
{
	int i;

	for (i = 0; i < BATCH; i++) {
		stream_fill(b->bytes[i], i, 100);
		b->msgs[i] = msg_out(1 + i % 3, i == bad ? hole : b->bytes[i], 100);
	}
}

static void batch_room(struct batch *b, int bad, void *hole)
{
	int i;

	memset(b, POISON, sizeof(*b));
	for (i = 0; i < BATCH; i++)
		b->msgs[i] = msg_room(i == bad ? hole : b->bytes[i], 100);
}

/* Are messages @from and those behind it there, and nothing else? */
static bool batch_left(int fd, int from, int to)
{
	int i;

	if (!queue_holds(fd, to - from, (to - from) * 100))
		return false;
	for (i = from; i < to; i++)
		if (queue_get(fd, select_any(), i, 100) != 1 + i % 3)
			return false;
	return queue_holds(fd, 0, 0);
}

TEST_F(fault, send_batch_ends_before_bad_bytes)
{
	unsigned char *hole = holed_buffer(1, 0);
	struct batch b;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(places); i++) {
		batch_out(&b, places[i], hole);
		EXPECT_EQ(places[i] ?: -EFAULT, queue_send_batch(self->fd, b.msgs, BATCH, 0))
			TH_LOG("bad is %d", places[i]);
		EXPECT_TRUE(batch_left(self->fd, 0, places[i]));
	}
	EXPECT_TRUE(queue_takes_all(self->fd));
	holed_free(hole, 1);
}

TEST_F(fault, receive_batch_ends_before_bad_bytes)
{
	unsigned char *hole = holed_buffer(1, 0);
	struct batch out, b;
	unsigned int i;
	int k, j;

	batch_out(&out, -1, NULL);
	for (i = 0; i < ARRAY_LEN(places); i++) {
		k = places[i];
		ASSERT_EQ(BATCH, queue_send_batch(self->fd, out.msgs, BATCH, 0));
		batch_room(&b, k, hole);
		EXPECT_EQ(k ?: -EFAULT, queue_recv_batch(self->fd, b.msgs, BATCH, select_any(), 0))
			TH_LOG("bad is %d", k);
		for (j = 0; j < k; j++) {
			ASSERT_EQ(1 + j % 3, (int)b.msgs[j].type);
			ASSERT_TRUE(stream_is(b.bytes[j], j, 100));
		}
		EXPECT_EQ(100, b.msgs[k].room);
		EXPECT_TRUE(batch_left(self->fd, k, BATCH));
	}
	holed_free(hole, 1);
}

/* In a range the order is another one than that of age, which remains. */
TEST_F(fault, receive_batch_puts_a_range_back)
{
	unsigned char *hole = holed_buffer(1, 0);
	struct batch out, b;
	int i;

	batch_out(&out, -1, NULL);
	ASSERT_EQ(BATCH, queue_send_batch(self->fd, out.msgs, BATCH, 0));
	batch_room(&b, 20, hole);
	/* of type 1 there are 14: 0, 3, ... 39 */
	EXPECT_EQ(20, queue_recv_batch(self->fd, b.msgs, BATCH, select_range(1, 3), 0));
	for (i = 0; i < 14; i++)
		EXPECT_TRUE(stream_is(b.bytes[i], 3 * i, 100));
	for (i = 14; i < 20; i++)
		EXPECT_TRUE(stream_is(b.bytes[i], 3 * (i - 14) + 1, 100));
	for (i = 0; i < BATCH; i++) {
		if (i % 3 == 2 || (i % 3 == 1 && i / 3 >= 6))
			EXPECT_EQ(1 + i % 3, queue_get(self->fd, select_any(), i, 100));
	}
	EXPECT_TRUE(queue_holds(self->fd, 0, 0));
	holed_free(hole, 1);
}

/* Headers. */

/* @count headers at the end of @pages pages, behind which is a hole. */
static struct ipcx_msg *edge_msgs(unsigned char *buf, unsigned int pages, unsigned int count)
{
	return (struct ipcx_msg *)(buf + (size_t)pages * PAGE_BYTES) - count;
}

TEST_F(fault, send_ends_before_bad_headers)
{
	unsigned char *page = holed_buffer(2, 1);
	struct batch b;
	unsigned int i;
	size_t shift;

	for (i = 0; i < ARRAY_LEN(places); i++) {
		/* The first bad header is wholly in the hole, or begins before it. */
		for (shift = 0; shift < sizeof(b.msgs[0]); shift += 8) {
			unsigned char *at = (unsigned char *)edge_msgs(page, 1, places[i]) - shift;

			batch_out(&b, -1, NULL);
			memcpy(at, b.msgs, places[i] * sizeof(b.msgs[0]) + shift);
			EXPECT_EQ(places[i] ?: -EFAULT,
				  queue_send_batch(self->fd, (void *)at, BATCH, 0))
				TH_LOG("%d headers and %zu bytes", places[i], shift);
			ASSERT_TRUE(batch_left(self->fd, 0, places[i]));
		}
	}
	holed_free(page, 2);
}

TEST_F(fault, receive_ends_before_bad_headers)
{
	unsigned char *page = holed_buffer(2, 1);
	struct batch out, b;
	unsigned int i;

	batch_out(&out, -1, NULL);
	for (i = 0; i < ARRAY_LEN(places); i++) {
		struct ipcx_msg *msgs = edge_msgs(page, 1, places[i]);

		ASSERT_EQ(BATCH, queue_send_batch(self->fd, out.msgs, BATCH, 0));
		batch_room(&b, -1, NULL);
		memcpy(msgs, b.msgs, places[i] * sizeof(*msgs));
		EXPECT_EQ(places[i] ?: -EFAULT,
			  queue_recv_batch(self->fd, msgs, BATCH, select_any(), 0));
		ASSERT_TRUE(batch_left(self->fd, places[i], BATCH));
	}
	holed_free(page, 2);
}

/* Headers that can be read and not written: the message isn't received. */
TEST_F(fault, receive_ends_before_headers_of_stone)
{
	unsigned char *page = holed_buffer(2, 2);
	struct batch out, b;
	unsigned int i;

	batch_out(&out, -1, NULL);
	for (i = 0; i < ARRAY_LEN(places); i++) {
		struct ipcx_msg *msgs = edge_msgs(page, 1, places[i]);

		ASSERT_EQ(BATCH, queue_send_batch(self->fd, out.msgs, BATCH, 0));
		ASSERT_EQ(0, mprotect(page, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE));
		batch_room(&b, -1, NULL);
		memcpy(msgs, b.msgs, sizeof(b.msgs));
		ASSERT_EQ(0, mprotect(page + PAGE_BYTES, PAGE_BYTES, PROT_READ));
		EXPECT_EQ(places[i] ?: -EFAULT,
			  queue_recv_batch(self->fd, msgs, BATCH, select_any(), 0));
		EXPECT_EQ(0, memcmp(msgs + places[i], b.msgs + places[i],
				    (BATCH - places[i]) * sizeof(*msgs)));
		ASSERT_TRUE(batch_left(self->fd, places[i], BATCH));
	}
	holed_free(page, 2);
}

TEST_F(fault, peek_ends_before_bad_memory)
{
	unsigned char *hole = holed_buffer(1, 0);
	struct batch out, b;
	unsigned int i;

	batch_out(&out, -1, NULL);
	ASSERT_EQ(BATCH, queue_send_batch(self->fd, out.msgs, BATCH, 0));
	for (i = 0; i < ARRAY_LEN(places); i++) {
		batch_room(&b, places[i], hole);
		EXPECT_EQ(places[i] ?: -EFAULT,
			  queue_peek_batch(self->fd, b.msgs, BATCH, select_any(), 0, 0));
		ASSERT_TRUE(queue_holds(self->fd, BATCH, BATCH * 100));
	}
	EXPECT_EQ(-EFAULT, queue_peek_batch(self->fd, (void *)hole, 1, select_any(), 0, 0));
	EXPECT_TRUE(batch_left(self->fd, 0, BATCH));
	holed_free(hole, 1);
}

/* E2BIG wants to tell the length. */
TEST_F(fault, length_that_cannot_be_told)
{
	unsigned char *page = holed_buffer(1, 1), buf[100];
	struct ipcx_msg *msg = (struct ipcx_msg *)page;

	ASSERT_EQ(1, queue_put(self->fd, 3, 0, 100));
	*msg = msg_room(buf, 99);
	ASSERT_EQ(0, mprotect(page, PAGE_BYTES, PROT_READ));
	EXPECT_EQ(-EFAULT, queue_recv_batch(self->fd, msg, 1, select_any(), 0));
	EXPECT_EQ(-EFAULT, queue_peek_batch(self->fd, msg, 1, select_any(), 0, 0));
	EXPECT_EQ(99, msg->room);
	EXPECT_TRUE(queue_holds(self->fd, 1, 100));
	EXPECT_EQ(3, queue_get(self->fd, select_any(), 0, 100));
	holed_free(page, 1);
}

/* Arguments. */

TEST_F(fault, arguments_that_are_not_there)
{
	static const unsigned long commands[] = {
		IPCX_IOC_SEND, IPCX_IOC_RECV, IPCX_IOC_PURGE, IPCX_IOC_QUEUE_FILE,
		IPCX_IOC_NOTIFY,
	};
	unsigned char *page = holed_buffer(2, 1);
	unsigned int i;

	ASSERT_EQ(1, queue_put(self->fd, 3, 0, 100));
	for (i = 0; i < ARRAY_LEN(commands); i++) {
		size_t size = _IOC_SIZE(commands[i]), inside;

		memset(page, 0, PAGE_BYTES);
		for (inside = 0; inside < size; inside += 8)
			EXPECT_EQ(-EFAULT, ipc_ioctl(self->fd, commands[i],
						     page + PAGE_BYTES - inside))
				TH_LOG("command %u, %zu bytes", i, inside);
	}
	EXPECT_EQ(3, queue_get(self->fd, select_file(), 0, 100));
	/* nobody is registered */
	EXPECT_EQ(0, queue_notify(self->fd, SIGUSR1, 0));
	holed_free(page, 2);
}

/* Nothing is changed by a call whose result can't be told. */
TEST_F(fault, resize_that_cannot_tell)
{
	unsigned char *page = holed_buffer(1, 1);
	struct ipcx_resize *arg = (struct ipcx_resize *)page;
	struct ipcx_stat before = pipe_stat(self->fd), after;

	*arg = (struct ipcx_resize) {
		.bytes = 1 << 20, .max_msgs = 5, .max_msg_bytes = 10,
		.deadline = deadline_patience(),
	};
	ASSERT_EQ(0, mprotect(page, PAGE_BYTES, PROT_READ));
	EXPECT_EQ(-EFAULT, ipc_ioctl(self->fd, IPCX_IOC_RESIZE, arg));
	after = pipe_stat(self->fd);
	EXPECT_EQ(before.capacity_bytes, after.capacity_bytes);
	EXPECT_EQ(before.max_msgs, after.max_msgs);
	EXPECT_EQ(before.max_msg_bytes, after.max_msg_bytes);
	EXPECT_EQ(before.charged_bytes, after.charged_bytes);
	holed_free(page, 1);
}

TEST_F(fault, fionread_that_cannot_tell)
{
	unsigned char *hole = holed_buffer(1, 0);

	ASSERT_EQ(1, queue_put(self->fd, 3, 0, 100));
	EXPECT_EQ(-EFAULT, ipc_ioctl(self->fd, FIONREAD, hole));
	EXPECT_EQ(3, queue_get(self->fd, select_any(), 0, 100));
	holed_free(hole, 1);
}

/* Others wait. */

/* A receiver who can't copy leaves the message to the others who want it. */
TEST_F(fault, failed_receive_leaves_the_message_to_others)
{
	int i;

	for (i = 0; i < 10; i++) {
		struct call bad = {
			.kind = CALL_IOC_READ, .fd = self->fd, .len = 100, .bad_buffer = true,
		};
		struct queue_call good = {
			.command = IPCX_IOC_RECV, .fd = self->fd, .len = 100,
			.select = select_exact(5),
		};
		struct actor a = actor_start_asleep(bad), b = queue_actor_asleep(good);

		ASSERT_EQ(1, queue_put(self->fd, 5, i, 100));
		EXPECT_EQ(-EFAULT, actor_finish(&a));
		EXPECT_EQ(1, actor_result(&b));
		EXPECT_TRUE(stream_is(b.s->data, i, 100));
		EXPECT_EQ(5, actor_msgs(&b)->type);
		actor_end(&b);
		ASSERT_TRUE(queue_holds(self->fd, 0, 0));
		ASSERT_TRUE(pipe_waiting(self->fd, 0, 0));
	}
}

/* It returns to its place, and its space isn't free for who waits for it. */
TEST_F(fault, failed_receive_frees_no_space)
{
	unsigned char *hole = holed_buffer(1, 0);
	struct actor a;
	struct ipcx_msg msg = msg_room(hole, 65536);

	ASSERT_EQ(1, queue_put(self->fd, 5, 0, 65536));
	a = queue_actor_asleep((struct queue_call) {
		.command = IPCX_IOC_SEND, .fd = self->fd, .type = 6, .len = 10,
	});
	EXPECT_EQ(-EFAULT, queue_recv_batch(self->fd, &msg, 1, select_any(), 0));
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 1));
	EXPECT_TRUE(queue_holds(self->fd, 1, 65536));
	EXPECT_EQ(5, queue_get(self->fd, select_any(), 0, 65536));
	EXPECT_EQ(1, actor_finish(&a));
	EXPECT_EQ(6, queue_get(self->fd, select_any(), 0, 10));
	holed_free(hole, 1);
}

/*
 * A sender of this process, on a page that a thread of it makes bad when the sender is
 * in its copy.
 */
struct bad_page {
	unsigned char *page;
	int uffd;
};

static bool bad_page_make(struct bad_page *b)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	b->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	b->page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	reg.range.start = (uintptr_t)b->page;
	reg.range.len = PAGE_BYTES;
	return b->uffd >= 0 && b->page != MAP_FAILED && !ioctl(b->uffd, UFFDIO_API, &api) &&
	       !ioctl(b->uffd, UFFDIO_REGISTER, &reg);
}

/* Returns when somebody hangs there. */
static bool bad_page_touched(struct bad_page *b)
{
	struct pollfd p = { .fd = b->uffd, .events = POLLIN };
	struct uffd_msg msg;

	return poll(&p, 1, PATIENCE_MS) == 1 && read(b->uffd, &msg, sizeof(msg)) == sizeof(msg) &&
	       msg.event == UFFD_EVENT_PAGEFAULT;
}

static bool bad_page_fail(struct bad_page *b)
{
	struct uffdio_range range = { .start = (uintptr_t)b->page, .len = PAGE_BYTES };

	return !mprotect(b->page, PAGE_BYTES, PROT_NONE) &&
	       !ioctl(b->uffd, UFFDIO_WAKE, &range);
}

static void bad_page_free(struct bad_page *b)
{
	close(b->uffd);
	munmap(b->page, PAGE_BYTES);
}

struct transfer {
	pthread_t thread;
	int fd;
	void *buf;
	size_t len;
	bool sends;
	int ret;
};

static void *transfer_run(void *arg)
{
	struct transfer *t = arg;
	struct ipcx_msg msg = msg_room(t->buf, t->len);

	t->ret = t->sends ? queue_send(t->fd, 9, t->buf, t->len, 0) :
			    queue_recv_batch(t->fd, &msg, 1, select_any(), 0);
	return NULL;
}

/* The space that was kept for the failed message lets in who waits for it. */
TEST_F(fault, failed_send_admits_who_waits)
{
	struct transfer t = { .fd = self->fd, .len = PAGE_BYTES, .sends = true };
	struct bad_page bad;
	struct actor a;

	if (!uffd_exists())
		SKIP(return, "no userfaultfd");
	ASSERT_TRUE(bad_page_make(&bad));
	t.buf = bad.page;
	ASSERT_EQ(1, queue_put(self->fd, 1, 0, 65536 - PAGE_BYTES));
	ASSERT_EQ(0, pthread_create(&t.thread, NULL, transfer_run, &t));
	ASSERT_TRUE(bad_page_touched(&bad));
	EXPECT_TRUE(queue_holds(self->fd, 1, 65536));
	a = queue_actor_asleep((struct queue_call) {
		.command = IPCX_IOC_SEND, .fd = self->fd, .type = 6, .at = 77, .len = 100,
	});
	ASSERT_TRUE(bad_page_fail(&bad));
	EXPECT_EQ(1, actor_finish(&a));
	ASSERT_EQ(0, pthread_join(t.thread, NULL));
	EXPECT_EQ(-EFAULT, t.ret);
	EXPECT_TRUE(queue_holds(self->fd, 2, 65536 - PAGE_BYTES + 100));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 0, 65536 - PAGE_BYTES));
	EXPECT_EQ(6, queue_get(self->fd, select_any(), 77, 100));
	bad_page_free(&bad);
}

/* A copy that hangs, then fails, while another waits for just that message. */
TEST_F(fault, late_failure_hands_the_message_over)
{
	struct transfer t = { .fd = self->fd, .len = PAGE_BYTES };
	struct bad_page bad;
	struct actor a;

	if (!uffd_exists())
		SKIP(return, "no userfaultfd");
	ASSERT_TRUE(bad_page_make(&bad));
	t.buf = bad.page;
	ASSERT_EQ(1, queue_put(self->fd, 4, 5, PAGE_BYTES));
	ASSERT_EQ(0, pthread_create(&t.thread, NULL, transfer_run, &t));
	ASSERT_TRUE(bad_page_touched(&bad));
	a = queue_actor_asleep((struct queue_call) {
		.command = IPCX_IOC_RECV, .fd = self->fd, .select = select_exact(4),
		.len = PAGE_BYTES,
	});
	EXPECT_TRUE(queue_holds(self->fd, 0, PAGE_BYTES));
	ASSERT_TRUE(bad_page_fail(&bad));
	EXPECT_EQ(1, actor_result(&a));
	EXPECT_TRUE(stream_is(a.s->data, 5, PAGE_BYTES));
	actor_end(&a);
	ASSERT_EQ(0, pthread_join(t.thread, NULL));
	EXPECT_EQ(-EFAULT, t.ret);
	EXPECT_TRUE(queue_holds(self->fd, 0, 0));
	bad_page_free(&bad);
}

/* Copies that hang. */

FIXTURE(stuck) {
	int dev;
	int fd;
};

FIXTURE_SETUP(stuck)
{
	if (!uffd_exists())
		SKIP(return, "no userfaultfd");
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->fd = queue_new(self->dev, 0, 65536);
}

FIXTURE_TEARDOWN(stuck)
{
	close(self->fd);
	close(self->dev);
}

/* A receiver that hangs in page @page of the first message it gets. */
static struct actor stuck_receiver(int fd, struct ipcx_select select, uint32_t count,
				   unsigned int page, uint32_t flags)
{
	return queue_actor_stuck((struct queue_call) {
		.command = IPCX_IOC_RECV, .fd = fd, .select = select, .count = count,
		.len = 3 * PAGE_BYTES, .stuck = page + 1, .flags = flags,
	});
}

TEST_F(stuck, others_receive_meanwhile)
{
	struct actor a;
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(1, queue_put(self->fd, 1, i, 3 * PAGE_BYTES));
	a = stuck_receiver(self->fd, select_any(), 1, 1, 0);
	EXPECT_TRUE(queue_holds(self->fd, 3, 4 * 3 * PAGE_BYTES));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 1, 3 * PAGE_BYTES));
	ASSERT_EQ(1, queue_put(self->fd, 2, 9, 10));
	EXPECT_EQ(2, queue_get(self->fd, select_exact(2), 9, 10));
	EXPECT_TRUE(queue_holds(self->fd, 2, 3 * 3 * PAGE_BYTES));
	ASSERT_EQ(0, actor_unstick(&a));
	EXPECT_EQ(1, actor_result(&a));
	EXPECT_TRUE(stream_is(a.s->data, 0, 3 * PAGE_BYTES));
	EXPECT_EQ(3 * PAGE_BYTES, actor_msgs(&a)->len);
	actor_end(&a);
	EXPECT_TRUE(queue_holds(self->fd, 2, 2 * 3 * PAGE_BYTES));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 2, 3 * PAGE_BYTES));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 3, 3 * PAGE_BYTES));
}

TEST_F(stuck, killed_receiver_puts_back_at_the_old_place)
{
	struct actor a;

	ASSERT_EQ(1, queue_put(self->fd, 2, 0, 10));
	ASSERT_EQ(1, queue_put(self->fd, 1, 1, 3 * PAGE_BYTES));
	ASSERT_EQ(1, queue_put(self->fd, 1, 2, 10));
	a = stuck_receiver(self->fd, select_exact(1), 1, 2, 0);
	ASSERT_EQ(1, queue_put(self->fd, 1, 3, 10));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_TRUE(queue_holds(self->fd, 4, 3 * PAGE_BYTES + 30));
	EXPECT_EQ(0, pipe_stat(self->fd).last_reader_pid);
	EXPECT_EQ(1, queue_get(self->fd, select_exact(1), 1, 3 * PAGE_BYTES));
	EXPECT_EQ(2, queue_get(self->fd, select_any(), 0, 10));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 2, 10));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 3, 10));
}

/* Several that are put back, not in their order, while new ones are sent. */
TEST_F(stuck, killed_receivers_put_back_in_any_order)
{
	struct actor a[3];
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(1, queue_put(self->fd, 1, i, 3 * PAGE_BYTES));
	for (i = 0; i < 3; i++)
		a[i] = stuck_receiver(self->fd, select_exact(1), 1, 0, 0);
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 3, 3 * PAGE_BYTES));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a[1]));
	ASSERT_EQ(1, queue_put(self->fd, 1, 4, 10));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a[2]));
	ASSERT_EQ(1, queue_put(self->fd, 1, 5, 10));
	ASSERT_EQ(1, queue_put(self->fd, 2, 6, 10));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a[0]));
	ASSERT_EQ(1, queue_put(self->fd, 1, 7, 10));
	EXPECT_TRUE(queue_holds(self->fd, 7, 3 * 3 * PAGE_BYTES + 40));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(1, queue_get(self->fd, select_exact(1), i, 3 * PAGE_BYTES));
	EXPECT_EQ(1, queue_get(self->fd, select_exact(1), 4, 10));
	EXPECT_EQ(1, queue_get(self->fd, select_exact(1), 5, 10));
	EXPECT_EQ(1, queue_get(self->fd, select_exact(1), 7, 10));
	EXPECT_EQ(2, queue_get(self->fd, select_any(), 6, 10));
}

/* Who waits is given it when the first one is killed. */
TEST_F(stuck, killed_receivers_message_goes_to_who_waits)
{
	struct actor a, b;

	ASSERT_EQ(1, queue_put(self->fd, 1, 1, 3 * PAGE_BYTES));
	a = stuck_receiver(self->fd, select_any(), 1, 0, 0);
	b = queue_actor_asleep((struct queue_call) {
		.command = IPCX_IOC_RECV, .fd = self->fd, .select = select_any(),
		.len = 3 * PAGE_BYTES,
	});
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(1, actor_result(&b));
	EXPECT_TRUE(stream_is(b.s->data, 1, 3 * PAGE_BYTES));
	actor_end(&b);
	EXPECT_TRUE(queue_holds(self->fd, 0, 0));
}

/* None of the up to 16 that were being copied is received. */
TEST_F(stuck, killed_batch_puts_all_back)
{
	struct actor a;
	int i;

	for (i = 0; i < 8; i++)
		ASSERT_EQ(1, queue_put(self->fd, 1, i, PAGE_BYTES));
	/* in the third message: each has room for three pages */
	a = stuck_receiver(self->fd, select_any(), 6, 6, 0);
	EXPECT_TRUE(queue_holds(self->fd, 2, 8 * PAGE_BYTES));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 6, PAGE_BYTES));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_TRUE(queue_holds(self->fd, 7, 7 * PAGE_BYTES));
	for (i = 0; i < 8; i++)
		if (i != 6)
			EXPECT_EQ(1, queue_get(self->fd, select_any(), i, PAGE_BYTES));
	EXPECT_TRUE(queue_holds(self->fd, 0, 0));
}

TEST_F(stuck, purge_leaves_what_is_being_received)
{
	struct actor a;

	ASSERT_EQ(1, queue_put(self->fd, 1, 1, PAGE_BYTES));
	ASSERT_EQ(1, queue_put(self->fd, 1, 2, 10));
	a = stuck_receiver(self->fd, select_any(), 1, 0, 0);
	EXPECT_EQ(1, queue_purge(self->fd, select_any()));
	EXPECT_TRUE(queue_holds(self->fd, 0, PAGE_BYTES));
	EXPECT_EQ(0, queue_purge(self->fd, select_any()));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 1, PAGE_BYTES));
	EXPECT_TRUE(queue_holds(self->fd, 0, 0));
}

TEST_F(stuck, peek_does_not_see_what_is_being_received)
{
	unsigned char buf[10];
	struct ipcx_msg msg;
	struct actor a;

	ASSERT_EQ(1, queue_put(self->fd, 1, 1, PAGE_BYTES));
	ASSERT_EQ(1, queue_put(self->fd, 1, 2, 10));
	a = stuck_receiver(self->fd, select_any(), 1, 0, 0);
	EXPECT_EQ(1, queue_peek(self->fd, select_any(), 0, &msg, buf, 10, 0));
	EXPECT_TRUE(stream_is(buf, 2, 10));
	EXPECT_EQ(-EAGAIN, queue_peek(self->fd, select_any(), 1, &msg, buf, 10, 0));
	EXPECT_EQ(10, fionread(self->fd));
	ASSERT_EQ(0, actor_unstick(&a));
	EXPECT_EQ(1, actor_finish(&a));
	EXPECT_TRUE(queue_holds(self->fd, 1, 10));
}

/* A peeker that hangs holds space, and nobody else up. */
TEST_F(stuck, peeker_holds_space_only)
{
	struct actor a, sender;

	ASSERT_EQ(1, queue_put(self->fd, 1, 1, 2 * PAGE_BYTES));
	ASSERT_EQ(1, queue_put(self->fd, 1, 2, 65536 - 2 * PAGE_BYTES));
	a = stuck_receiver(self->fd, select_any(), 1, 1, IPCX_PEEK);
	EXPECT_TRUE(queue_holds(self->fd, 2, 65536));
	sender = queue_actor_asleep((struct queue_call) {
		.command = IPCX_IOC_SEND, .fd = self->fd, .type = 6, .at = 3, .len = 100,
	});
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 1, 2 * PAGE_BYTES));
	EXPECT_TRUE(queue_holds(self->fd, 1, 65536));
	EXPECT_TRUE(pipe_waiting(self->fd, 0, 1));
	ASSERT_EQ(0, actor_unstick(&a));
	EXPECT_EQ(1, actor_result(&a));
	EXPECT_TRUE(stream_is(a.s->data, 1, 2 * PAGE_BYTES));
	actor_end(&a);
	EXPECT_EQ(1, actor_finish(&sender));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 2, 65536 - 2 * PAGE_BYTES));
	EXPECT_EQ(6, queue_get(self->fd, select_any(), 3, 100));
	EXPECT_TRUE(queue_holds(self->fd, 0, 0));
}

TEST_F(stuck, killed_peeker_gives_space_back)
{
	struct actor a, b;

	ASSERT_EQ(1, queue_put(self->fd, 1, 1, PAGE_BYTES));
	a = stuck_receiver(self->fd, select_any(), 1, 0, IPCX_PEEK);
	b = stuck_receiver(self->fd, select_any(), 1, 0, IPCX_PEEK);
	EXPECT_EQ(1, queue_purge(self->fd, select_any()));
	EXPECT_TRUE(queue_holds(self->fd, 0, PAGE_BYTES));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_TRUE(queue_holds(self->fd, 0, PAGE_BYTES));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&b));
	EXPECT_TRUE(queue_holds(self->fd, 0, 0));
	EXPECT_TRUE(queue_takes_all(self->fd));
}

/* A peeker keeps its place although its message has gone. */
TEST_F(stuck, batch_peek_goes_on_behind_a_message_that_has_gone)
{
	struct actor a;
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(1, queue_put(self->fd, 1, i, PAGE_BYTES));
	a = stuck_receiver(self->fd, select_any(), 3, 0, IPCX_PEEK);
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 0, PAGE_BYTES));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 1, PAGE_BYTES));
	ASSERT_EQ(0, actor_unstick(&a));
	EXPECT_EQ(2, actor_result(&a));
	EXPECT_TRUE(stream_is(a.s->data, 0, PAGE_BYTES));
	EXPECT_TRUE(stream_is(a.s->data + 3 * PAGE_BYTES, 2, PAGE_BYTES));
	actor_end(&a);
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 2, PAGE_BYTES));
	EXPECT_TRUE(queue_holds(self->fd, 0, 0));
}

TEST_F(stuck, sender_keeps_its_space_only)
{
	struct actor a;

	a = queue_actor_stuck((struct queue_call) {
		.command = IPCX_IOC_SEND, .fd = self->fd, .type = 6, .at = 3,
		.len = 2 * PAGE_BYTES, .stuck = 2,
	});
	EXPECT_TRUE(queue_holds(self->fd, 0, 2 * PAGE_BYTES));
	EXPECT_EQ(-EAGAIN, queue_get(self->fd, select_any(), 0, 0));
	ASSERT_EQ(1, queue_put(self->fd, 1, 1, 65536 - 2 * PAGE_BYTES));
	EXPECT_EQ(-EAGAIN, queue_put(self->fd, 1, 1, 1));
	EXPECT_EQ(1, queue_get(self->fd, select_any(), 1, 65536 - 2 * PAGE_BYTES));
	ASSERT_EQ(0, actor_unstick(&a));
	EXPECT_EQ(1, actor_finish(&a));
	EXPECT_EQ(6, queue_get(self->fd, select_any(), 3, 2 * PAGE_BYTES));
}

TEST_F(stuck, killed_sender_gives_space_back)
{
	struct actor a, b;

	a = queue_actor_stuck((struct queue_call) {
		.command = IPCX_IOC_SEND, .fd = self->fd, .type = 6, .len = 65536, .stuck = 16,
	});
	b = queue_actor_asleep((struct queue_call) {
		.command = IPCX_IOC_SEND, .fd = self->fd, .type = 7, .at = 1, .len = 65536,
	});
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(1, actor_finish(&b));
	EXPECT_EQ(7, queue_get(self->fd, select_any(), 1, 65536));
	EXPECT_TRUE(queue_holds(self->fd, 0, 0));
}

TEST_F(stuck, removal_does_not_wait_for_copies)
{
	struct queue_call send = {
		.command = IPCX_IOC_SEND, .fd = self->fd, .type = 6, .len = PAGE_BYTES, .stuck = 1,
	};
	struct actor a, b;

	ASSERT_EQ(1, queue_put(self->fd, 1, 1, PAGE_BYTES));
	a = stuck_receiver(self->fd, select_any(), 1, 0, 0);
	b = queue_actor_stuck(send);
	EXPECT_EQ(0, call_safely((struct call) { .kind = CALL_REMOVE, .fd = self->fd }));
	ASSERT_EQ(0, actor_unstick(&b));
	EXPECT_EQ(-EIDRM, actor_finish(&b));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_EQ(-EIDRM, queue_get(self->fd, select_any(), 0, 1));
}

/*
 * A model: the queue as a list in the order of age. Random calls are made on a queue
 * and on the model, and every result is compared. On a mismatch the seed, the step and
 * the call are printed: model_run() with the seed repeats it.
 */

#define MODEL_MSGS	64	/* most in the queue */
#define MODEL_BATCH	48	/* most in a call: three times what is moved at once */
#define MODEL_BYTES	2000	/* longest message */
#define MODEL_STEPS	2000

struct model_msg {
	uint64_t type;
	uint64_t seq;
	size_t len;
};

struct model_file {
	int fd;
	struct ipcx_select select;
	uint64_t type;
	bool truncate;
};

struct model {
	struct model_msg msgs[MODEL_MSGS];
	unsigned int nr;
	uint64_t bytes;
	struct ipcx_queue_params max;
	uint64_t seq;
	struct model_file files[2];
	struct model_file *file;
	uint32_t seed;
	uint32_t random;
	unsigned int step;
	char op[200];
	unsigned char *hole;
	struct ipcx_msg out[MODEL_BATCH];
	struct ipcx_msg in[MODEL_BATCH];
	struct ipcx_msg before[MODEL_BATCH];
	unsigned char bytes_of[MODEL_BATCH][MODEL_BYTES + 1];
};

static unsigned int rnd(struct model *m, unsigned int below)
{
	return (random_next(&m->random) >> 3) % below;
}

static bool model_differs(struct model *m, const char *what, int64_t expected, int64_t got)
{
	fprintf(stderr, "# seed %u, step %u: %s: %s is %lld, and should be %lld\n", m->seed,
		m->step, m->op, what, (long long)got, (long long)expected);
	return false;
}

#define MODEL_IS(m, what, expected, got) ({				\
	int64_t expected_ = expected, got_ = got;			\
	expected_ == got_ || model_differs(m, what, expected_, got_);	\
})

/* What a message's bytes are, told from its number. */
static uint64_t model_at(uint64_t seq)
{
	return seq * 101;
}

static const uint64_t model_types[] = {
	1, 2, 3, 4, 5, 70, 0x80000000, 0x100000000, IPCX_MSG_TYPE_MAX - 1, IPCX_MSG_TYPE_MAX,
};

static uint64_t model_type(struct model *m)
{
	return model_types[rnd(m, ARRAY_LEN(model_types))];
}

static struct ipcx_select model_select(struct model *m)
{
	uint64_t a = model_type(m), b = model_type(m);

	switch (rnd(m, 6)) {
	case 0:
		return select_file();
	case 1:
		return select_any();
	case 2:
		return select_exact(a);
	case 3:
		return select_except(a);
	default:
		return select_range(a < b ? a : b, a < b ? b : a);
	}
}

static bool model_wants(const struct ipcx_select *s, uint64_t type)
{
	switch (s->how) {
	case IPCX_SELECT_EXACT:
		return type == s->lo;
	case IPCX_SELECT_EXCEPT:
		return type != s->lo;
	case IPCX_SELECT_RANGE:
		return type >= s->lo && type <= s->hi;
	default:
		return true;
	}
}

static bool model_before(const struct model *m, const struct ipcx_select *s, int a, int b)
{
	if (s->how == IPCX_SELECT_RANGE && m->msgs[a].type != m->msgs[b].type)
		return m->msgs[a].type < m->msgs[b].type;
	return a < b;
}

/* The message that comes after @last (-1: the first) in the selector's order, or -1. */
static int model_next(const struct model *m, const struct ipcx_select *s, int last)
{
	int i, best = -1;

	for (i = 0; i < (int)m->nr; i++) {
		if (!model_wants(s, m->msgs[i].type) ||
		    (last >= 0 && !model_before(m, s, last, i)))
			continue;
		if (best < 0 || model_before(m, s, i, best))
			best = i;
	}
	return best;
}

static void model_remove(struct model *m, int i)
{
	m->bytes -= m->msgs[i].len;
	m->nr--;
	memmove(&m->msgs[i], &m->msgs[i + 1], (m->nr - i) * sizeof(m->msgs[0]));
}

static void model_add(struct model *m, uint64_t type, size_t len)
{
	m->msgs[m->nr++] = (struct model_msg) { .type = type, .seq = m->seq++, .len = len };
	m->bytes += len;
}

static struct ipcx_select model_resolve(const struct model *m, struct ipcx_select s)
{
	return s.how == IPCX_SELECT_FILE ? m->file->select : s;
}

/* Lengths around the limit and around nothing, too. */
static size_t model_len(struct model *m)
{
	size_t max = m->max.max_msg_bytes;

	switch (rnd(m, 8)) {
	case 0:
		return 0;
	case 1:
		return max;
	case 2:
		return rnd(m, 16) ? 1 : max + 1;
	default:
		return random_size(&m->random, max < 100 || rnd(m, 4) == 0 ? max : 100);
	}
}

/* What sending @msg would be: 0 or -errno. */
static int model_accepts(const struct model *m, const struct ipcx_msg *msg)
{
	if (msg->type > IPCX_MSG_TYPE_MAX)
		return -EINVAL;
	if (msg->len > m->max.max_msg_bytes)
		return -EMSGSIZE;
	if (m->nr == m->max.max_msgs || m->bytes + msg->len > m->max.max_bytes)
		return -EAGAIN;
	return msg->len && msg->buf == (uintptr_t)m->hole ? -EFAULT : 0;
}

static void model_fill(struct model *m, unsigned int i, bool spoil)
{
	struct ipcx_msg *msg = &m->out[i];
	size_t len = model_len(m);

	stream_fill(m->bytes_of[i], model_at(m->seq + i), len);
	*msg = msg_out(rnd(m, 5) ? model_type(m) : 0, m->bytes_of[i], len);
	if (!spoil)
		return;
	if (rnd(m, 2))
		msg->type = MSG_TYPE_BAD + rnd(m, 2);
	else
		msg->buf = (uintptr_t)m->hole;
}

static bool model_send(struct model *m)
{
	unsigned int count = rnd(m, 2) ? 1 : 1 + rnd(m, MODEL_BATCH), i, done;
	unsigned int bad = rnd(m, 3) ? ~0U : rnd(m, count);
	int err = 0, ret;

	for (i = 0; i < count; i++)
		model_fill(m, i, i == bad);
	snprintf(m->op, sizeof(m->op), "send of %u, the bad one is %d, type %#llx, %llu bytes",
		 count, (int)bad, (unsigned long long)m->out[0].type,
		 (unsigned long long)m->out[0].len);
	for (done = 0; done < count; done++) {
		err = model_accepts(m, &m->out[done]);
		if (err)
			break;
		model_add(m, m->out[done].type ?: m->file->type, m->out[done].len);
	}
	ret = queue_send_batch(m->file->fd, m->out, count, IPCX_NONBLOCK);
	/* Of two errors, either: short messages are copied before there is space. */
	if (ret == -EFAULT && !done && !bad && m->out[0].buf == (uintptr_t)m->hole &&
	    (err == -EAGAIN || err == -EMSGSIZE))
		err = ret;
	return MODEL_IS(m, "the result", done ? (int)done : err, ret);
}

/* Is @in what the message's receiver should have been told, and given? */
static bool model_got(struct model *m, unsigned int i, const struct model_msg *msg)
{
	const struct ipcx_msg *in = &m->in[i];
	size_t room = m->before[i].room, n = msg->len < room ? msg->len : room, k;

	for (k = n; k < room && m->bytes_of[i][k] == POISON; k++)
		;
	return MODEL_IS(m, "type", msg->type, in->type) &&
	       MODEL_IS(m, "length", msg->len, in->len) &&
	       MODEL_IS(m, "buffer", m->before[i].buf, in->buf) &&
	       MODEL_IS(m, "pid", getpid(), in->pid) && MODEL_IS(m, "uid", 0, in->uid) &&
	       MODEL_IS(m, "gid", 0, in->gid) &&
	       MODEL_IS(m, "flags", msg->len > room ? IPCX_MSG_TRUNCATED : 0, in->flags) &&
	       (in->buf == (uintptr_t)m->hole ||
		(MODEL_IS(m, "equality of bytes", true,
			  stream_is(m->bytes_of[i], model_at(msg->seq), n)) &&
		 MODEL_IS(m, "end of the untouched", room, k)));
}

static size_t model_room(struct model *m)
{
	return rnd(m, 4) ? MODEL_BYTES : random_size(&m->random, MODEL_BYTES + 1) - 1;
}

static void model_rooms(struct model *m, unsigned int count)
{
	unsigned int bad = rnd(m, 4) ? ~0U : rnd(m, count), i;

	memset(m->bytes_of, POISON, sizeof(m->bytes_of));
	for (i = 0; i < count; i++) {
		m->in[i] = msg_room(i == bad ? m->hole : m->bytes_of[i], model_room(m));
		m->before[i] = m->in[i];
	}
}

/* What it would be to receive @msg into the @i-th room: 0 or -errno. */
static int model_gives(const struct model *m, const struct model_msg *msg, unsigned int i,
		       bool truncate)
{
	const struct ipcx_msg *room = &m->before[i];

	if (msg->len > room->room && !truncate)
		return -E2BIG;
	return msg->len && room->room && room->buf == (uintptr_t)m->hole ? -EFAULT : 0;
}

/* What hasn't been received is as it was, but for the length that E2BIG tells. */
static bool model_untouched(struct model *m, unsigned int from, unsigned int count,
			    const struct model_msg *too_long)
{
	unsigned int i;

	if (too_long && from == 0)
		m->before[0].len = too_long->len;
	for (i = from; i < count; i++)
		if (!MODEL_IS(m, "a header that isn't received", 0,
			      memcmp(&m->in[i], &m->before[i], sizeof(m->in[i]))))
			return false;
	return true;
}

/* RECV with and without PEEK: both go along the selector's order. */
static bool model_recv(struct model *m, bool peek)
{
	struct ipcx_select given = model_select(m), s = model_resolve(m, given);
	unsigned int count = rnd(m, 2) ? 1 : 1 + rnd(m, MODEL_BATCH), done;
	uint64_t skip = peek && rnd(m, 2) ? rnd(m, MODEL_MSGS) : 0, i;
	uint32_t flags = IPCX_NONBLOCK | (rnd(m, 3) ? 0 : IPCX_TRUNCATE);
	struct model_msg taken[MODEL_BATCH];
	int at = -1, ret, err = 0;

	model_rooms(m, count);
	snprintf(m->op, sizeof(m->op), "%s of %u, how %u (%u), %#llx to %#llx, skip %llu, flags %#x",
		 peek ? "peek" : "receive", count, given.how, s.how, (unsigned long long)s.lo,
		 (unsigned long long)s.hi, (unsigned long long)skip, flags);
	ret = ref_recv(m->file->fd, ref_self(), m->in, count, given, skip,
		       flags | (peek ? IPCX_PEEK : 0), deadline_past());
	for (i = 0; i < skip; i++) {
		at = model_next(m, &s, at);
		if (at < 0)
			break;
	}
	for (done = 0; done < count; done++) {
		at = i < skip ? -1 : model_next(m, &s, peek ? at : -1);
		if (at < 0) {
			err = -EAGAIN;
			break;
		}
		taken[done] = m->msgs[at];
		err = model_gives(m, &taken[done], done, flags & IPCX_TRUNCATE);
		if (err)
			break;
		if (!peek)
			model_remove(m, at);
	}
	if (!MODEL_IS(m, "the result", done ? (int)done : err, ret))
		return false;
	for (i = 0; i < done; i++)
		if (!model_got(m, i, &taken[i]))
			return false;
	return model_untouched(m, done, count, err == -E2BIG ? &taken[done] : NULL);
}

static bool model_receive(struct model *m)
{
	return model_recv(m, false);
}

static bool model_peek(struct model *m)
{
	return model_recv(m, true);
}

static bool model_purge(struct model *m)
{
	struct ipcx_select given = model_select(m), s = model_resolve(m, given);
	int64_t purged = 0;
	int at;

	/* not too often of all */
	if (s.how != IPCX_SELECT_EXACT && rnd(m, 4))
		return true;
	snprintf(m->op, sizeof(m->op), "purge, how %u (%u), %#llx to %#llx", given.how, s.how,
		 (unsigned long long)s.lo, (unsigned long long)s.hi);
	while ((at = model_next(m, &s, -1)) >= 0) {
		model_remove(m, at);
		purged++;
	}
	return MODEL_IS(m, "the number", purged, queue_purge(m->file->fd, given));
}

static bool model_read(struct model *m)
{
	int at = model_next(m, &m->file->select, -1), expected = -EAGAIN, ret;
	struct model_msg msg = { 0 };
	size_t room = model_room(m);

	snprintf(m->op, sizeof(m->op), "read of %zu bytes, how %u", room, m->file->select.how);
	if (at >= 0)
		msg = m->msgs[at];
	if (!MODEL_IS(m, "FIONREAD", msg.len, fionread(m->file->fd)))
		return false;
	ret = fd_read(m->file->fd, m->bytes_of[0], room, IPCX_NONBLOCK);
	if (at >= 0)
		expected = msg.len <= room ? (int)msg.len : m->file->truncate ? (int)room : -E2BIG;
	if (expected >= 0)
		model_remove(m, at);
	return MODEL_IS(m, "the result", expected, ret) &&
	       (ret <= 0 || MODEL_IS(m, "equality of bytes", true,
				     stream_is(m->bytes_of[0], model_at(msg.seq), ret)));
}

static bool model_write(struct model *m)
{
	struct ipcx_msg msg = msg_out(m->file->type, m->bytes_of[0], model_len(m));
	int ret, expected = model_accepts(m, &msg) ?: (int)msg.len;

	snprintf(m->op, sizeof(m->op), "write of %zu bytes", (size_t)msg.len);
	stream_fill(m->bytes_of[0], model_at(m->seq), msg.len);
	ret = fd_write(m->file->fd, m->bytes_of[0], msg.len, IPCX_NONBLOCK);
	if (expected >= 0)
		model_add(m, msg.type, msg.len);
	return MODEL_IS(m, "the result", expected, ret);
}

static bool model_file(struct model *m)
{
	struct ipcx_select s = model_select(m);
	uint64_t type = rnd(m, 2) ? model_type(m) : 0;
	uint32_t flags = rnd(m, 2) ? IPCX_TRUNCATE : 0;
	int expected = flags && s.how == IPCX_SELECT_FILE ? -EINVAL : 0;

	snprintf(m->op, sizeof(m->op), "file, how %u, type %#llx, flags %#x", s.how,
		 (unsigned long long)type, flags);
	if (s.how != IPCX_SELECT_FILE) {
		m->file->select = s;
		m->file->truncate = flags;
	}
	if (type && !expected)
		m->file->type = type;
	return MODEL_IS(m, "the result", expected, queue_file(m->file->fd, s, type, flags));
}

/* 0 keeps a limit, though none is above the bytes. */
static bool model_resize(struct model *m)
{
	struct ipcx_queue_params max = m->max, told;
	int expected = 0, ret;

	told.max_msgs = rnd(m, 2) ? 1 + rnd(m, MODEL_MSGS) : 0;
	told.max_bytes = rnd(m, 2) ? random_size(&m->random, 20000) : 0;
	told.max_msg_bytes = rnd(m, 2) ? random_size(&m->random, MODEL_BYTES) : 0;
	snprintf(m->op, sizeof(m->op), "resize to %llu, %llu, %llu",
		 (unsigned long long)told.max_msgs, (unsigned long long)told.max_bytes,
		 (unsigned long long)told.max_msg_bytes);
	max.max_msgs = told.max_msgs ?: max.max_msgs;
	max.max_bytes = told.max_bytes ?: max.max_bytes;
	if (max.max_msg_bytes > max.max_bytes)
		max.max_msg_bytes = max.max_bytes;
	max.max_msg_bytes = told.max_msg_bytes ?: max.max_msg_bytes;
	if (max.max_msg_bytes > max.max_bytes)
		expected = -EINVAL;
	else if (max.max_msgs < m->nr || max.max_bytes < m->bytes)
		expected = -EBUSY;
	ret = queue_resize(m->file->fd, &told);
	if (!MODEL_IS(m, "the result", expected, ret))
		return false;
	if (ret)
		return true;
	m->max = max;
	return MODEL_IS(m, "max_msgs", max.max_msgs, told.max_msgs) &&
	       MODEL_IS(m, "max_bytes", max.max_bytes, told.max_bytes) &&
	       MODEL_IS(m, "max_msg_bytes", max.max_msg_bytes, told.max_msg_bytes);
}

static bool model_stat(struct model *m)
{
	struct ipcx_stat st = pipe_stat(m->file->fd);

	return MODEL_IS(m, "STAT's msgs", m->nr, st.msgs) &&
	       MODEL_IS(m, "STAT's used_bytes", m->bytes, st.used_bytes) &&
	       MODEL_IS(m, "STAT's capacity_bytes", m->max.max_bytes, st.capacity_bytes) &&
	       MODEL_IS(m, "STAT's max_msgs", m->max.max_msgs, st.max_msgs) &&
	       MODEL_IS(m, "STAT's max_msg_bytes", m->max.max_msg_bytes, st.max_msg_bytes);
}

static bool model_step(struct model *m)
{
	/* The more often, the more likely; a queue is neither empty nor full for long. */
	static bool (*const ops[])(struct model *m) = {
		model_send, model_send, model_send, model_send, model_write, model_write,
		model_receive, model_receive, model_receive, model_read, model_read,
		model_peek, model_peek, model_peek, model_purge, model_file, model_resize,
	};

	m->file = &m->files[rnd(m, 2)];
	return ops[rnd(m, ARRAY_LEN(ops))](m) && model_stat(m);
}

static bool model_run(int dev, uint32_t seed)
{
	static struct model model;
	struct model *m = &model;
	bool right = true;
	int i;

	memset(m, 0, sizeof(*m));
	m->seed = seed;
	m->random = seed * 2654435761u ?: 1;
	m->max = queue_limits(1 + rnd(m, MODEL_MSGS), MODEL_BYTES + rnd(m, 18000), MODEL_BYTES);
	m->hole = holed_buffer(1, 0);
	m->files[0].fd = queue_create(dev, NULL, IPCX_LIFETIME_TRANSIENT, IPCX_ACCESS_RDWR,
				      m->max.max_msgs, m->max.max_bytes, m->max.max_msg_bytes);
	m->files[1].fd = fd_open(m->files[0].fd, IPCX_ACCESS_RDWR, 0);
	for (i = 0; i < 2; i++) {
		m->files[i].select = select_any();
		m->files[i].type = 1;
	}
	for (m->step = 0; right && m->step < MODEL_STEPS; m->step++)
		right = model_step(m);
	for (i = 0; i < 2; i++)
		close(m->files[i].fd);
	holed_free(m->hole, 1);
	return right;
}

TEST_F_TIMEOUT(fault, queue_is_as_its_model, 300)
{
	uint32_t seed, fresh = now_ns(CLOCK_REALTIME) / 1000;
	int i, seeds = scaled(20);

	for (i = 0; i < seeds; i++) {
		/* The same each time, and as many that are new. */
		seed = i % 2 ? fresh + i : 1u + i;
		ASSERT_TRUE(model_run(self->dev, seed))
			TH_LOG("seed %u", seed);
	}
}

TEST_HARNESS_MAIN
