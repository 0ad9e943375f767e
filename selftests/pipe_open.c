// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes that others find: opening by the rules of fifo(7), through /proc and by
 * id, bytes that stay between openers, transfers by name and id.
 */
#include "pipe_test.h"

FIXTURE(device) {
	int dev;
	char name[TEST_NAME_SIZE];
};

FIXTURE_SETUP(device)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	test_name(self->name, "device");
}

FIXTURE_TEARDOWN(device)
{
	track_cleanup();
	close(self->dev);
}

/* Opening, as fifo(7) has it. */

FIXTURE(fifo) {
	int dev;
	int hold;
	char name[TEST_NAME_SIZE];
	struct call open_r;
	struct call open_w;
};

FIXTURE_SETUP(fifo)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	test_name(self->name, "fifo");
	self->hold = pipe_create(self->dev, self->name,
				 IPCX_LIFETIME_PERSISTENT, IPCX_ACCESS_NONE);
	ASSERT_GE(self->hold, 0);
	self->open_r = (struct call) {
		.kind = CALL_OPEN, .fd = self->dev, .name = self->name,
		.access = IPCX_ACCESS_READ,
	};
	self->open_w = self->open_r;
	self->open_w.access = IPCX_ACCESS_WRITE;
	sigpipe_catch();
}

FIXTURE_TEARDOWN(fifo)
{
	track_cleanup();
	close(self->hold);
	close(self->dev);
}

/* Nobody has the pipe open but the fixture's holder. */
#define EXPECT_NOBODY() do {						\
	struct ipcx_stat st_ = pipe_stat(self->hold);			\
	EXPECT_EQ(1, st_.opens);					\
	EXPECT_EQ(0, st_.readers);					\
	EXPECT_EQ(0, st_.writers);					\
	EXPECT_EQ(0, st_.waiting_readers);				\
	EXPECT_EQ(0, st_.waiting_writers);				\
	EXPECT_EQ(-ENXIO, name_open(self->dev, self->name,		\
				    IPCX_ACCESS_WRITE, IPCX_NONBLOCK));	\
} while (0)

TEST_F(fifo, read_open_waits_for_writer)
{
	struct actor a = actor_start_asleep(self->open_r);
	int w;

	w = name_open(self->dev, self->name, IPCX_ACCESS_WRITE, IPCX_NONBLOCK);
	EXPECT_GE(w, 0);
	EXPECT_LE(0, actor_result(&a));
	EXPECT_EQ(1, pipe_stat(self->hold).readers);
	EXPECT_EQ(1, pipe_stat(self->hold).writers);
	EXPECT_EQ(4, stream_write(w, 0, 4));
	actor_end(&a);
	EXPECT_EQ(0, pipe_stat(self->hold).readers);
	EXPECT_EQ(-EPIPE, stream_write(w, 0, 4));
	close(w);
}

TEST_F(fifo, write_open_waits_for_reader)
{
	struct actor a = actor_start_asleep(self->open_w);
	unsigned char buf[4];
	int r;

	r = name_open(self->dev, self->name, IPCX_ACCESS_READ, IPCX_NONBLOCK);
	EXPECT_GE(r, 0);
	EXPECT_LE(0, actor_result(&a));
	EXPECT_EQ(1, pipe_stat(self->hold).writers);
	EXPECT_EQ(-EAGAIN, fd_read(r, buf, 4, IPCX_NONBLOCK));
	actor_end(&a);
	EXPECT_EQ(0, fd_read(r, buf, 4, 0));
	close(r);
	EXPECT_NOBODY();
}

TEST_F(fifo, blocking_opens_meet)
{
	struct actor r = actor_start_asleep(self->open_r);
	struct actor w = actor_start(self->open_w);

	EXPECT_LE(0, actor_result(&r));
	EXPECT_LE(0, actor_result(&w));
	actor_end(&r);
	actor_end(&w);
	w = actor_start_asleep(self->open_w);
	r = actor_start(self->open_r);
	EXPECT_LE(0, actor_result(&w));
	EXPECT_LE(0, actor_result(&r));
	actor_end(&r);
	actor_end(&w);
	EXPECT_NOBODY();
}

TEST_F(fifo, one_peer_lets_all_in)
{
	struct actor a[4];
	int i, w;

	for (i = 0; i < 4; i++)
		a[i] = actor_start_asleep(self->open_r);
	w = name_open(self->dev, self->name, IPCX_ACCESS_WRITE, IPCX_NONBLOCK);
	EXPECT_GE(w, 0);
	for (i = 0; i < 4; i++)
		EXPECT_LE(0, actor_result(&a[i]));
	EXPECT_EQ(4, pipe_stat(self->hold).readers);
	for (i = 0; i < 4; i++)
		actor_end(&a[i]);
	close(w);
	EXPECT_NOBODY();
}

TEST_F(fifo, open_with_peer_does_not_wait)
{
	int r = name_open(self->dev, self->name, IPCX_ACCESS_READ,
			  IPCX_NONBLOCK);
	int w = name_open(self->dev, self->name, IPCX_ACCESS_WRITE, 0);
	int r2 = name_open(self->dev, self->name, IPCX_ACCESS_READ, 0);

	EXPECT_GE(r, 0);
	EXPECT_GE(w, 0);
	EXPECT_GE(r2, 0);
	close(r);
	close(w);
	close(r2);
	EXPECT_NOBODY();
}

TEST_F(fifo, nonblocking_read_open_does_not_wait)
{
	int r = name_open(self->dev, self->name, IPCX_ACCESS_READ,
			  IPCX_NONBLOCK);

	EXPECT_GE(r, 0);
	EXPECT_EQ(1, pipe_stat(self->hold).readers);
	close(r);
	EXPECT_NOBODY();
}

TEST_F(fifo, nonblocking_write_open_is_enxio)
{
	int r, w;

	EXPECT_EQ(-ENXIO, name_open(self->dev, self->name, IPCX_ACCESS_WRITE,
				    IPCX_NONBLOCK));
	EXPECT_NOBODY();
	r = name_open(self->dev, self->name, IPCX_ACCESS_READ, IPCX_NONBLOCK);
	ASSERT_GE(r, 0);
	/* The failure is no writer that was seen. */
	EXPECT_EQ(-EAGAIN, stream_read(r, 0, 1));
	w = name_open(self->dev, self->name, IPCX_ACCESS_WRITE, IPCX_NONBLOCK);
	EXPECT_GE(w, 0);
	close(w);
	close(r);
	EXPECT_NOBODY();
}

TEST_F(fifo, both_never_wait)
{
	int both = name_open(self->dev, self->name, IPCX_ACCESS_RDWR, 0);

	EXPECT_GE(both, 0);
	EXPECT_EQ(1, pipe_stat(both).readers);
	EXPECT_EQ(1, pipe_stat(both).writers);
	close(both);
	EXPECT_NOBODY();
}

TEST_F(fifo, both_is_a_peer_for_all)
{
	struct actor r = actor_start_asleep(self->open_r);
	struct actor r2 = actor_start_asleep(self->open_r);
	int both = name_open(self->dev, self->name, IPCX_ACCESS_RDWR, 0);
	struct actor w = actor_start(self->open_w);

	EXPECT_GE(both, 0);
	EXPECT_LE(0, actor_result(&r));
	EXPECT_LE(0, actor_result(&r2));
	EXPECT_LE(0, actor_result(&w));
	actor_end(&r);
	actor_end(&r2);
	actor_end(&w);
	close(both);
	EXPECT_NOBODY();
}

TEST_F(fifo, holder_never_waits_and_is_no_peer)
{
	struct actor r = actor_start_asleep(self->open_r);
	int none = name_open(self->dev, self->name, IPCX_ACCESS_NONE, 0);

	EXPECT_GE(none, 0);
	EXPECT_TRUE(actor_asleep(&r));
	close(none);
	EXPECT_TRUE(actor_asleep(&r));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&r));
	EXPECT_NOBODY();
}

/* As with a FIFO, who waits to read is a reader for who opens to write. */
TEST_F(fifo, waiting_opener_counts_as_peer)
{
	struct actor r = actor_start_asleep(self->open_r);
	int w = name_open(self->dev, self->name, IPCX_ACCESS_WRITE,
			  IPCX_NONBLOCK);

	EXPECT_GE(w, 0);
	EXPECT_LE(0, actor_result(&r));
	actor_end(&r);
	close(w);
	EXPECT_NOBODY();
}

/* And for who asks how many there are; but he sleeps in no transfer. */
TEST_F(fifo, waiting_opener_is_counted)
{
	struct actor r = actor_start_asleep(self->open_r);
	struct ipcx_stat st = pipe_stat(self->hold);
	struct actor w;

	EXPECT_EQ(2, st.opens);
	EXPECT_EQ(1, st.readers);
	EXPECT_EQ(0, st.writers);
	EXPECT_EQ(0, st.waiting_readers);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&r));
	EXPECT_NOBODY();

	w = actor_start_asleep(self->open_w);
	st = pipe_stat(self->hold);
	EXPECT_EQ(2, st.opens);
	EXPECT_EQ(0, st.readers);
	EXPECT_EQ(1, st.writers);
	EXPECT_EQ(0, st.waiting_writers);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&w));
	EXPECT_NOBODY();
}

TEST_F(fifo, bytes_let_reader_in)
{
	int both = name_open(self->dev, self->name, IPCX_ACCESS_RDWR, 0);
	int r;

	ASSERT_GE(both, 0);
	ASSERT_EQ(10, stream_write(both, 0, 10));
	close(both);
	r = name_open(self->dev, self->name, IPCX_ACCESS_READ, 0);
	ASSERT_GE(r, 0);
	EXPECT_EQ(10, stream_read(r, 0, 10));
	close(r);
	/* Empty again: the next one waits. */
	EXPECT_EQ(-ETIMEDOUT, call_safely((struct call) {
		.kind = CALL_OPEN, .fd = self->dev, .name = self->name,
		.access = IPCX_ACCESS_READ, .deadline = deadline_ms(50),
	}));
	EXPECT_NOBODY();
}

/* Bytes that come without a writer let in those who wait already, too. */
TEST_F(fifo, bytes_wake_reader_at_the_door)
{
	struct actor r = actor_start_asleep(self->open_r);

	ASSERT_EQ(4, ref_write(self->dev, ref_name(self->name), "abcd", 4,
			       IPCX_NONBLOCK));
	EXPECT_LE(0, actor_result(&r));
	actor_end(&r);
}

TEST_F(fifo, bytes_do_not_let_writer_in)
{
	struct actor w;

	ASSERT_EQ(4, ref_write(self->dev, ref_name(self->name), "abcd", 4,
			       IPCX_NONBLOCK));
	w = actor_start_asleep(self->open_w);
	EXPECT_EQ(-ENXIO, name_open(self->dev, self->name, IPCX_ACCESS_WRITE,
				    IPCX_NONBLOCK));
	EXPECT_EQ(128 + SIGKILL, actor_kill(&w));
	EXPECT_NOBODY();
}

/*
 * The peer opens and closes while the sleeper cannot run: it is woken all the
 * same, and its open succeeds.
 */
TEST_F(fifo, writer_that_went_lets_reader_in)
{
	struct actor a = actor_start_asleep(self->open_r);
	int peer;

	if (!alone_on_cpu(a.pid)) {
		actor_kill(&a);
		SKIP(return, "no real-time scheduling");
	}
	peer = name_open(self->dev, self->name, IPCX_ACCESS_WRITE,
			 IPCX_NONBLOCK);
	close(peer);
	normal_again();
	EXPECT_GE(peer, 0);
	EXPECT_LE(0, actor_result(&a));
	EXPECT_EQ(1, pipe_stat(self->hold).readers);
	actor_end(&a);
	EXPECT_NOBODY();
}

TEST_F(fifo, reader_that_went_lets_writer_in)
{
	struct actor a = actor_start_asleep(self->open_w);
	int peer;

	if (!alone_on_cpu(a.pid)) {
		actor_kill(&a);
		SKIP(return, "no real-time scheduling");
	}
	peer = name_open(self->dev, self->name, IPCX_ACCESS_READ,
			 IPCX_NONBLOCK);
	close(peer);
	normal_again();
	EXPECT_GE(peer, 0);
	EXPECT_LE(0, actor_result(&a));
	EXPECT_EQ(1, pipe_stat(self->hold).writers);
	actor_end(&a);
	EXPECT_NOBODY();
}

TEST_F(fifo, late_opener_leaves_no_count)
{
	struct call c = self->open_r;

	c.deadline = deadline_past();
	EXPECT_EQ(-ETIMEDOUT, call_safely(c));
	EXPECT_NOBODY();
	c.access = IPCX_ACCESS_WRITE;
	EXPECT_EQ(-ETIMEDOUT, call_safely(c));
	EXPECT_NOBODY();
	c.deadline = deadline_ms(50);
	EXPECT_EQ(-ETIMEDOUT, call_safely(c));
	EXPECT_LE(c.deadline.ns, now_ns(CLOCK_MONOTONIC));
	EXPECT_NOBODY();
	c.access = IPCX_ACCESS_READ;
	c.deadline = deadline_ms(50);
	EXPECT_EQ(-ETIMEDOUT, call_safely(c));
	EXPECT_NOBODY();
}

/* What gave up was no writer: who reads meanwhile sees no end of file. */
TEST_F(fifo, late_opener_was_never_seen)
{
	struct ipcx_stat st;
	struct actor w;
	int r;

	w = actor_start_asleep(self->open_w);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&w));
	r = name_open(self->dev, self->name, IPCX_ACCESS_READ, IPCX_NONBLOCK);
	ASSERT_GE(r, 0);
	EXPECT_EQ(-EAGAIN, stream_read(r, 0, 1));
	st = pipe_stat(self->hold);
	EXPECT_EQ(1, st.readers);
	EXPECT_EQ(0, st.writers);
	close(r);
}

TEST_F(fifo, past_deadline_is_no_matter_with_peer)
{
	int r = name_open(self->dev, self->name, IPCX_ACCESS_READ,
			  IPCX_NONBLOCK);
	struct call c = self->open_w;

	ASSERT_GE(r, 0);
	c.deadline = deadline_past();
	EXPECT_LE(0, call_safely(c));
	close(r);
	EXPECT_NOBODY();
}

/* Who doesn't wait has no deadline to miss. */
TEST_F(fifo, past_deadline_is_no_matter_if_nonblocking)
{
	struct ipcx_open arg = {
		.ref = ref_name(self->name), .flags = IPCX_NONBLOCK,
		.access = IPCX_ACCESS_READ, .deadline = deadline_past(),
	};
	int r = ipc_ioctl(self->dev, IPCX_IOC_OPEN, &arg);

	EXPECT_GE(r, 0);
	close(r);
	arg.access = IPCX_ACCESS_WRITE;
	EXPECT_EQ(-ENXIO, ipc_ioctl(self->dev, IPCX_IOC_OPEN, &arg));
	EXPECT_NOBODY();
}

TEST_F(fifo, wait_for_peer_on_each_clock)
{
	static const clockid_t clocks[] = {
		CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME,
	};
	unsigned int i;

	for (i = 0; i < 3; i++) {
		struct call c = self->open_r;

		c.deadline = deadline_on(clocks[i], 50);
		EXPECT_EQ(-ETIMEDOUT, call_safely(c));
		EXPECT_LE(c.deadline.ns, now_ns(clocks[i]));
	}
	EXPECT_NOBODY();
}

/* UNLINK takes the name, not the wait. */
TEST_F(fifo, unlinked_while_waiting_goes_on)
{
	struct actor r = actor_start_asleep(self->open_r);
	int w;

	ASSERT_EQ(0, name_unlink(self->dev, self->name));
	EXPECT_TRUE(actor_asleep(&r));
	w = fd_open(self->hold, IPCX_ACCESS_WRITE, IPCX_NONBLOCK);
	EXPECT_GE(w, 0);
	EXPECT_LE(0, actor_result(&r));
	actor_end(&r);
	close(w);
}

TEST_F(fifo, object_file_opens_by_same_rules)
{
	struct call c = {
		.kind = CALL_OPEN, .fd = self->hold,
		.access = IPCX_ACCESS_READ,
	};
	struct actor a = actor_start_asleep(c);
	int w = fd_open(self->hold, IPCX_ACCESS_WRITE, IPCX_NONBLOCK);

	EXPECT_GE(w, 0);
	EXPECT_LE(0, actor_result(&a));
	actor_end(&a);
	close(w);
	EXPECT_EQ(-ENXIO, fd_open(self->hold, IPCX_ACCESS_WRITE,
				  IPCX_NONBLOCK));
	EXPECT_NOBODY();
}

TEST_F(fifo, id_opens_by_same_rules)
{
	uint32_t id = fd_id(self->hold);
	int r, w;

	EXPECT_EQ(-ENXIO, id_open(self->dev, id, IPCX_ACCESS_WRITE,
				  IPCX_NONBLOCK));
	r = id_open(self->dev, id, IPCX_ACCESS_READ, IPCX_NONBLOCK);
	ASSERT_GE(r, 0);
	w = id_open(self->dev, id, IPCX_ACCESS_WRITE, 0);
	EXPECT_GE(w, 0);
	close(r);
	close(w);
	EXPECT_NOBODY();
}

TEST_F(fifo, create_or_open_never_waits)
{
	struct ipcx_create arg = pipe_arg(self->name, IPCX_LIFETIME_PERSISTENT,
					  IPCX_ACCESS_WRITE);
	int fd;

	arg.flags = IPCX_OR_OPEN;
	fd = obj_create(self->dev, &arg);
	EXPECT_GE(fd, 0);
	close(fd);
	arg.access = IPCX_ACCESS_READ;
	fd = obj_create(self->dev, &arg);
	EXPECT_GE(fd, 0);
	close(fd);
	EXPECT_NOBODY();
}

/* Where OPEN says ENXIO: as after any CREATE, the reader may come later. */
TEST_F(fifo, create_or_open_needs_no_reader)
{
	struct ipcx_create arg = pipe_arg(self->name, IPCX_LIFETIME_PERSISTENT,
					  IPCX_ACCESS_WRITE);
	int w, r;

	arg.flags = IPCX_OR_OPEN | IPCX_NONBLOCK;
	w = obj_create(self->dev, &arg);
	ASSERT_GE(w, 0);
	EXPECT_EQ(O_NONBLOCK, fcntl(w, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(8, stream_write(w, 0, 8));
	r = name_open(self->dev, self->name, IPCX_ACCESS_READ, 0);
	EXPECT_EQ(8, stream_read(r, 0, 8));
	close(r);
	EXPECT_EQ(-EPIPE, stream_write(w, 0, 8));
	close(w);
	EXPECT_NOBODY();
}

TEST_F(fifo, create_lets_waiting_opener_in)
{
	struct ipcx_create arg = pipe_arg(self->name, IPCX_LIFETIME_PERSISTENT,
					  IPCX_ACCESS_WRITE);
	struct actor r = actor_start_asleep(self->open_r);
	int fd;

	arg.flags = IPCX_OR_OPEN;
	fd = obj_create(self->dev, &arg);
	EXPECT_GE(fd, 0);
	EXPECT_LE(0, actor_result(&r));
	actor_end(&r);
	close(fd);
}

TEST_F(device, nameless_open_never_waits)
{
	int hold = pipe_create(self->dev, NULL, IPCX_LIFETIME_PERSISTENT,
			       IPCX_ACCESS_NONE);
	uint32_t id = fd_id(hold);
	int fd;

	ASSERT_GE(hold, 0);
	fd = fd_open(hold, IPCX_ACCESS_READ, 0);
	EXPECT_GE(fd, 0);
	close(fd);
	fd = fd_open(hold, IPCX_ACCESS_WRITE, 0);
	EXPECT_GE(fd, 0);
	close(fd);
	fd = id_open(self->dev, id, IPCX_ACCESS_READ, 0);
	EXPECT_GE(fd, 0);
	close(fd);
	fd = id_open(self->dev, id, IPCX_ACCESS_WRITE, 0);
	EXPECT_GE(fd, 0);
	close(fd);
	close(hold);
}

/* Opening through /proc. */

TEST_F(device, proc_opens_each_way)
{
	int hold = pipe_create(self->dev, NULL, IPCX_LIFETIME_TRANSIENT,
			       IPCX_ACCESS_NONE);
	unsigned char buf[4];
	int r, w, both;

	ASSERT_GE(hold, 0);
	r = proc_reopen(hold, O_RDONLY);
	w = proc_reopen(hold, O_WRONLY);
	ASSERT_GE(r, 0);
	ASSERT_GE(w, 0);
	EXPECT_EQ(1, pipe_stat(hold).readers);
	EXPECT_EQ(1, pipe_stat(hold).writers);
	EXPECT_EQ(3, pipe_stat(hold).opens);
	EXPECT_EQ(4, plain_write(w, "abcd", 4));
	EXPECT_EQ(4, plain_read(r, buf, 4));
	EXPECT_EQ(0, memcmp(buf, "abcd", 4));
	EXPECT_EQ(-EBADF, plain_read(w, buf, 4));
	EXPECT_EQ(-EBADF, plain_write(r, buf, 4));
	close(w);
	EXPECT_EQ(0, plain_read(r, buf, 4));
	both = proc_reopen(r, O_RDWR);
	ASSERT_GE(both, 0);
	EXPECT_EQ(4, plain_write(both, "efgh", 4));
	EXPECT_EQ(4, plain_read(r, buf, 4));
	close(both);
	close(r);
	close(hold);
}

/* What shells make of <( ) and >( ). */
TEST_F(device, dev_fd_opens)
{
	struct ends e = ends_open(self->dev, 0);
	unsigned char buf[4];
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/dev/fd/%d", e.r);
	r = open(path, O_RDONLY);
	if (r < 0 && errno == ENOENT && access("/dev/fd", F_OK)) {
		ends_close(&e);
		SKIP(return, "no /dev/fd");
	}
	ASSERT_GE(r, 0);
	close(e.r);
	EXPECT_EQ(4, plain_write(e.w, "abcd", 4));
	EXPECT_EQ(4, plain_read(r, buf, 4));
	close(e.w);
	EXPECT_EQ(0, plain_read(r, buf, 4));
	close(r);
}

TEST_F(fifo, proc_opens_by_same_rules)
{
	struct call c = {
		.kind = CALL_REOPEN, .fd = self->hold,
		.access = IPCX_ACCESS_READ,
	};
	struct actor a;
	int fd;

	EXPECT_EQ(-ENXIO, proc_reopen(self->hold, O_WRONLY | O_NONBLOCK));
	EXPECT_NOBODY();
	fd = proc_reopen(self->hold, O_RDONLY | O_NONBLOCK);
	EXPECT_GE(fd, 0);
	EXPECT_EQ(O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	fd = proc_reopen(self->hold, O_RDWR);
	EXPECT_GE(fd, 0);
	close(fd);
	EXPECT_NOBODY();
	a = actor_start_asleep(c);
	fd = proc_reopen(self->hold, O_WRONLY | O_NONBLOCK);
	EXPECT_GE(fd, 0);
	EXPECT_LE(0, actor_result(&a));
	actor_end(&a);
	close(fd);
	EXPECT_NOBODY();
}

TEST_F(fifo, proc_open_killed_leaves_no_count)
{
	struct call c = {
		.kind = CALL_REOPEN, .fd = self->hold,
		.access = IPCX_ACCESS_WRITE,
	};
	struct actor a = actor_start_asleep(c);

	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_NOBODY();
	c.access = IPCX_ACCESS_READ;
	a = actor_start_asleep(c);
	EXPECT_EQ(128 + SIGKILL, actor_kill(&a));
	EXPECT_NOBODY();
}

/* Persistent pipes. */

TEST_F(fifo, bytes_stay_between_openers)
{
	struct ipcx_stat st;
	int fd, i;

	for (i = 0; i < 3; i++) {
		fd = name_open(self->dev, self->name, IPCX_ACCESS_RDWR, 0);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(1000, stream_write(fd, i * 1000, 1000));
		close(fd);
	}
	close(self->hold);
	ASSERT_EQ(0, name_stat(self->dev, self->name, &st));
	EXPECT_EQ(3000, st.used_bytes);
	EXPECT_EQ(0, st.opens);
	fd = name_open(self->dev, self->name, IPCX_ACCESS_READ, 0);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(1700, stream_read(fd, 0, 1700));
	close(fd);
	fd = name_open(self->dev, self->name, IPCX_ACCESS_READ, 0);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(1300, stream_read(fd, 1700, 1300));
	/* No writer was there since: no end of file either. */
	EXPECT_EQ(-EAGAIN, stream_read(fd, 0, 1));
	self->hold = fd;
}

TEST_F(fifo, unlinked_goes_on)
{
	int r = name_open(self->dev, self->name, IPCX_ACCESS_READ,
			  IPCX_NONBLOCK);
	int w = name_open(self->dev, self->name, IPCX_ACCESS_WRITE, 0);
	unsigned char buf[8];

	ASSERT_GE(w, 0);
	ASSERT_EQ(8, stream_write(w, 0, 8));
	ASSERT_EQ(0, name_unlink(self->dev, self->name));
	EXPECT_EQ(-ENOENT, ref_read(self->dev, ref_name(self->name), buf, 8,
				    IPCX_NONBLOCK));
	EXPECT_EQ(-ENOENT, name_open(self->dev, self->name, IPCX_ACCESS_READ,
				     IPCX_NONBLOCK));
	EXPECT_EQ(8, stream_write(w, 8, 8));
	EXPECT_EQ(16, stream_read(r, 0, 16));
	close(w);
	EXPECT_EQ(0, fd_read(r, buf, 8, 0));
	w = fd_open(r, IPCX_ACCESS_WRITE, IPCX_NONBLOCK);
	EXPECT_GE(w, 0);
	EXPECT_EQ(8, stream_write(w, 0, 8));
	EXPECT_EQ(8, stream_read(r, 0, 8));
	close(w);
	close(r);
}

/* A pipe that was made with a name is one to meet at, by whatever way one comes. */
TEST_F(fifo, unlinked_opens_by_same_rules)
{
	struct call c = {
		.kind = CALL_OPEN, .fd = self->hold,
		.access = IPCX_ACCESS_READ,
	};
	struct actor a;
	int w;

	ASSERT_EQ(0, name_unlink(self->dev, self->name));
	EXPECT_EQ(-ENXIO, fd_open(self->hold, IPCX_ACCESS_WRITE,
				  IPCX_NONBLOCK));
	EXPECT_EQ(-ENXIO, proc_reopen(self->hold, O_WRONLY | O_NONBLOCK));
	EXPECT_EQ(-ENXIO, id_open(self->dev, fd_id(self->hold),
				  IPCX_ACCESS_WRITE, IPCX_NONBLOCK));
	a = actor_start_asleep(c);
	w = proc_reopen(self->hold, O_WRONLY);
	EXPECT_GE(w, 0);
	EXPECT_LE(0, actor_result(&a));
	actor_end(&a);
	close(w);
}

/* Transfers by name and id. */

TEST_F(fifo, name_and_id_reach_the_same_bytes)
{
	struct ipcx_ref name = ref_name(self->name);
	struct ipcx_ref id = ref_id(fd_id(self->hold));
	unsigned char buf[8];

	EXPECT_EQ(4, ref_write(self->dev, name, "abcd", 4, 0));
	EXPECT_EQ(4, ref_write(self->dev, id, "efgh", 4, 0));
	EXPECT_EQ(8, pipe_used(self->hold));
	EXPECT_EQ(3, ref_read(self->dev, id, buf, 3, 0));
	EXPECT_EQ(0, memcmp(buf, "abc", 3));
	EXPECT_EQ(5, ref_read(self->dev, name, buf, 8, 0));
	EXPECT_EQ(0, memcmp(buf, "defgh", 5));
	EXPECT_NOBODY();
}

TEST_F(fifo, cookie_is_checked)
{
	struct ipcx_stat st = pipe_stat(self->hold);
	unsigned char buf[4];

	EXPECT_EQ(4, ref_write(self->dev, ref_id_cookie(st.id, st.cookie),
			       "abcd", 4, 0));
	EXPECT_EQ(-ESTALE, ref_write(self->dev,
				     ref_id_cookie(st.id, st.cookie + 1),
				     "abcd", 4, 0));
	EXPECT_EQ(-ESTALE, ref_read(self->dev,
				    ref_id_cookie(st.id, st.cookie + 1),
				    buf, 4, 0));
	EXPECT_EQ(4, pipe_used(self->hold));
}

TEST_F(fifo, refs_that_say_too_much)
{
	struct ipcx_ref both = ref_name(self->name);
	unsigned char buf[4] = { 0 };
	int fd = fd_open(self->hold, IPCX_ACCESS_RDWR, 0);

	ASSERT_GE(fd, 0);
	both.id = fd_id(self->hold);
	EXPECT_EQ(-EINVAL, ref_write(self->dev, both, buf, 4, 0));
	EXPECT_EQ(-EINVAL, ref_write(self->dev, ref_self(), buf, 4, 0));
	EXPECT_EQ(-EINVAL, ref_write(fd, ref_name(self->name), buf, 4, 0));
	EXPECT_EQ(-EINVAL, ref_write(fd, ref_id(both.id), buf, 4, 0));
	EXPECT_EQ(-EINVAL, ref_write(fd, (struct ipcx_ref) {
		.cookie = pipe_stat(fd).cookie }, buf, 4, 0));
	EXPECT_EQ(0, pipe_used(fd));
	close(fd);
}

TEST_F(fifo, name_transfer_knows_no_end)
{
	struct ipcx_ref name = ref_name(self->name);
	unsigned char buf[8];
	int both = name_open(self->dev, self->name, IPCX_ACCESS_RDWR, 0);
	struct actor a;

	ASSERT_GE(both, 0);
	a = actor_start_asleep((struct call) {
		.kind = CALL_IOC_READ, .fd = self->dev, .name = self->name,
		.len = 8,
	});
	EXPECT_TRUE(pipe_waiting(self->hold, 1, 0));
	close(both);
	/* Readers and writers were here, and are gone. */
	EXPECT_TRUE(actor_asleep(&a));
	EXPECT_EQ(-EAGAIN, ref_read(self->dev, name, buf, 8, IPCX_NONBLOCK));
	EXPECT_EQ(-ETIMEDOUT, ref_io(self->dev, IPCX_IOC_READ, name, buf, 8, 0,
				     deadline_past()));
	EXPECT_EQ(5, ref_write(self->dev, name, "hello", 5, 0));
	EXPECT_EQ(5, actor_result(&a));
	EXPECT_EQ(0, memcmp(a.s->data, "hello", 5));
	actor_end(&a);
	EXPECT_NOBODY();
}

TEST_F(fifo, name_transfer_knows_no_epipe)
{
	struct ipcx_ref name = ref_name(self->name);
	static unsigned char buf[CAPACITY_DEFAULT];
	struct actor a;
	int r, w;

	r = name_open(self->dev, self->name, IPCX_ACCESS_READ, IPCX_NONBLOCK);
	w = name_open(self->dev, self->name, IPCX_ACCESS_WRITE, IPCX_NONBLOCK);
	ASSERT_GE(w, 0);
	close(r);
	EXPECT_EQ(-EPIPE, stream_write(w, 0, 1));
	stream_fill(buf, 0, sizeof(buf));
	EXPECT_EQ(CAPACITY_DEFAULT, ref_io(self->dev, IPCX_IOC_WRITE, name, buf,
					   sizeof(buf), 0, deadline_never()));
	EXPECT_EQ(0, sigpipes);
	EXPECT_EQ(-EAGAIN, ref_write(self->dev, name, buf, 1, IPCX_NONBLOCK));
	a = actor_start_asleep((struct call) {
		.kind = CALL_IOC_WRITE, .fd = self->dev, .name = self->name,
		.len = 8, .at = CAPACITY_DEFAULT,
	});
	EXPECT_TRUE(pipe_waiting(self->hold, 0, 1));
	close(w);
	EXPECT_TRUE(actor_asleep(&a));
	r = name_open(self->dev, self->name, IPCX_ACCESS_READ, 0);
	ASSERT_GE(r, 0);
	EXPECT_EQ(8, stream_read(r, 0, 8));
	EXPECT_EQ(8, actor_finish(&a));
	EXPECT_EQ(CAPACITY_DEFAULT, stream_read(r, 8, CAPACITY_DEFAULT));
	close(r);
	EXPECT_NOBODY();
}

/* The file that is called is the device's. */
TEST_F(fifo, name_transfer_on_nonblocking_device)
{
	struct ipcx_ref name = ref_name(self->name);
	unsigned char buf[8];

	ASSERT_EQ(0, fcntl(self->dev, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, ref_io(self->dev, IPCX_IOC_READ, name, buf, 8, 0,
				  deadline_ms(2000)));
	EXPECT_EQ(4, ref_write(self->dev, name, "abcd", 4, 0));
	EXPECT_EQ(4, ref_read(self->dev, name, buf, 8, 0));
	EXPECT_EQ(0, memcmp(buf, "abcd", 4));
}

/* Bytes by name meet a reader at its end of file, and leave it there again. */
TEST_F(fifo, name_transfer_is_no_writer)
{
	unsigned char buf[8];
	int r = name_open(self->dev, self->name, IPCX_ACCESS_READ,
			  IPCX_NONBLOCK);
	int w = name_open(self->dev, self->name, IPCX_ACCESS_WRITE, 0);

	ASSERT_GE(r, 0);
	ASSERT_GE(w, 0);
	close(w);
	ASSERT_EQ(0, fd_read(r, buf, 8, 0));
	EXPECT_EQ(3, ref_write(self->dev, ref_name(self->name), "abc", 3, 0));
	EXPECT_EQ(3, fd_read(r, buf, 8, 0));
	EXPECT_EQ(0, fd_read(r, buf, 8, 0));
	close(r);
	/* To a reader who saw no writer, it is none. */
	r = name_open(self->dev, self->name, IPCX_ACCESS_READ, IPCX_NONBLOCK);
	ASSERT_GE(r, 0);
	EXPECT_EQ(3, ref_write(self->dev, ref_name(self->name), "abc", 3, 0));
	EXPECT_EQ(3, fd_read(r, buf, 8, 0));
	EXPECT_EQ(-EAGAIN, fd_read(r, buf, 8, IPCX_NONBLOCK));
	close(r);
	EXPECT_NOBODY();
}

TEST_F(fifo, name_transfer_is_no_reader)
{
	unsigned char buf[8];
	int w, r = name_open(self->dev, self->name, IPCX_ACCESS_READ,
			     IPCX_NONBLOCK);

	w = name_open(self->dev, self->name, IPCX_ACCESS_WRITE, 0);
	ASSERT_GE(w, 0);
	EXPECT_EQ(3, stream_write(w, 0, 3));
	close(r);
	EXPECT_EQ(3, ref_read(self->dev, ref_name(self->name), buf, 8, 0));
	EXPECT_EQ(-EPIPE, stream_write(w, 0, 3));
	close(w);
	EXPECT_NOBODY();
}

/*
 * Who sleeps by name sees no end. Others on his side do, whether they come
 * before it or after, and whether they wait or not.
 */
TEST_F(fifo, sleeper_by_name_hides_no_end_of_file)
{
	int r = name_open(self->dev, self->name, IPCX_ACCESS_READ,
			  IPCX_NONBLOCK);
	int w = name_open(self->dev, self->name, IPCX_ACCESS_WRITE, 0);
	struct actor sleeper, early;
	unsigned char buf[8];

	ASSERT_GE(r, 0);
	ASSERT_GE(w, 0);
	ASSERT_EQ(0, fcntl(r, F_SETFL, 0));
	sleeper = actor_start_asleep((struct call) {
		.kind = CALL_IOC_READ, .fd = self->dev, .name = self->name,
		.len = 8,
	});
	early = actor_start_asleep((struct call) {
		.kind = CALL_READ, .fd = r, .len = 8,
	});
	close(w);
	EXPECT_EQ(0, actor_result(&early));
	EXPECT_EQ(POLLHUP, poll_now(r, POLLIN) & POLLHUP);
	EXPECT_EQ(0, fd_read(r, buf, 8, IPCX_NONBLOCK));
	EXPECT_EQ(0, ref_io(r, IPCX_IOC_READ, ref_self(), buf, 8, 0,
			    deadline_ms(2000)));
	EXPECT_TRUE(actor_asleep(&sleeper));
	actor_end(&early);
	actor_kill(&sleeper);
	close(r);
	EXPECT_NOBODY();
}

TEST_F(fifo, sleeper_by_name_hides_no_epipe)
{
	int r = name_open(self->dev, self->name, IPCX_ACCESS_READ,
			  IPCX_NONBLOCK);
	int w = name_open(self->dev, self->name, IPCX_ACCESS_WRITE, 0);
	struct actor sleeper, early;

	ASSERT_GE(r, 0);
	ASSERT_GE(w, 0);
	ASSERT_EQ(CAPACITY_DEFAULT, stream_write(w, 0, CAPACITY_DEFAULT));
	sleeper = actor_start_asleep((struct call) {
		.kind = CALL_IOC_WRITE, .fd = self->dev, .name = self->name,
		.len = 8,
	});
	early = actor_start_asleep((struct call) {
		.kind = CALL_WRITE, .fd = w, .len = 8,
	});
	close(r);
	EXPECT_EQ(-EPIPE, actor_result(&early));
	EXPECT_EQ(POLLERR, poll_now(w, POLLOUT) & POLLERR);
	EXPECT_EQ(-EPIPE, fd_write(w, "x", 1, IPCX_NONBLOCK));
	EXPECT_EQ(-EPIPE, ref_io(w, IPCX_IOC_WRITE, ref_self(), "x", 1,
				 IPCX_NO_SIGPIPE, deadline_ms(2000)));
	EXPECT_TRUE(actor_asleep(&sleeper));
	actor_end(&early);
	actor_kill(&sleeper);
	close(w);
	EXPECT_NOBODY();
}

TEST_F(device, transient_is_reached_by_name_only)
{
	int hold = pipe_create(self->dev, self->name, IPCX_LIFETIME_TRANSIENT,
			       IPCX_ACCESS_NONE);
	struct ipcx_ref id = ref_id(fd_id(hold));
	unsigned char buf[8];

	ASSERT_GE(hold, 0);
	EXPECT_EQ(-ENOENT, ref_write(self->dev, id, "abc", 3, 0));
	EXPECT_EQ(0, pipe_used(hold));
	EXPECT_EQ(3, ref_write(self->dev, ref_name(self->name), "abc", 3, 0));
	EXPECT_EQ(-ENOENT, ref_read(self->dev, id, buf, 3, 0));
	EXPECT_EQ(3, ref_read(self->dev, ref_name(self->name), buf, 8, 0));
	close(hold);
}

/* Who sleeps by name keeps the pipe: nothing ends under him. */
TEST_F(device, name_transfer_outlives_last_file)
{
	int hold = pipe_create(self->dev, self->name, IPCX_LIFETIME_TRANSIENT,
			       IPCX_ACCESS_NONE);
	struct actor a;

	ASSERT_GE(hold, 0);
	a = actor_start_asleep((struct call) {
		.kind = CALL_IOC_READ, .fd = self->dev, .name = self->name,
		.len = 8, .sa_flags = 0,
	});
	close(hold);
	/* Its end is not specified: bytes by name, or EIDRM; but it ends. */
	if (actor_sleeps(&a))
		actor_signal(&a);
	EXPECT_NE(HUNG, actor_result(&a));
	actor_end(&a);
}

TEST_F(fifo, open_refuses_bad_deadlines)
{
	static const struct ipcx_deadline bad[] = {
		{ .ns = 1ULL << 63, .clock = CLOCK_MONOTONIC },
		{ .ns = ~0ULL - 1, .clock = CLOCK_REALTIME },
		{ .ns = ~0ULL, .clock = 4 },
		{ .ns = 1, .clock = 2 },
		{ .ns = ~0ULL, .clock = CLOCK_MONOTONIC, .reserved = 1 },
	};
	struct ipcx_open arg = {
		.ref = ref_name(self->name), .access = IPCX_ACCESS_RDWR,
	};
	unsigned int i;

	for (i = 0; i < 5; i++) {
		arg.deadline = bad[i];
		EXPECT_EQ(-EINVAL, ipc_ioctl(self->dev, IPCX_IOC_OPEN, &arg))
			TH_LOG("case %u", i);
	}
	EXPECT_NOBODY();
}

TEST_F(fifo, stat_tells_who_was_last_by_name)
{
	struct ipcx_stat st;
	unsigned char buf[4];

	ASSERT_EQ(3, ref_write(self->dev, ref_name(self->name), "abc", 3, 0));
	st = pipe_stat(self->hold);
	EXPECT_EQ(getpid(), st.last_writer_pid);
	EXPECT_EQ(0, st.last_reader_pid);
	EXPECT_NE(0, st.write_ns);
	ASSERT_EQ(3, ref_read(self->dev, ref_name(self->name), buf, 4, 0));
	st = pipe_stat(self->hold);
	EXPECT_EQ(getpid(), st.last_reader_pid);
	EXPECT_NE(0, st.read_ns);
}

/* Removed: every later call says so. */
TEST_F(fifo, removed_is_eidrm)
{
	int r = name_open(self->dev, self->name, IPCX_ACCESS_READ,
			  IPCX_NONBLOCK);
	int w = name_open(self->dev, self->name, IPCX_ACCESS_WRITE, 0);
	unsigned char buf[8] = { 0 };

	ASSERT_GE(r, 0);
	ASSERT_GE(w, 0);
	ASSERT_EQ(8, stream_write(w, 0, 8));
	ASSERT_EQ(0, fd_remove(self->hold));
	EXPECT_EQ(-EIDRM, plain_read(r, buf, 8));
	EXPECT_EQ(-EIDRM, fd_read(r, buf, 8, 0));
	EXPECT_EQ(-EIDRM, plain_write(w, buf, 8));
	EXPECT_EQ(-EIDRM, fd_write(w, buf, 8, 0));
	EXPECT_EQ(0, sigpipes);
	EXPECT_EQ(-EIDRM, fd_open(self->hold, IPCX_ACCESS_READ, IPCX_NONBLOCK));
	EXPECT_EQ(-EIDRM, fd_open(self->hold, IPCX_ACCESS_RDWR, 0));
	EXPECT_EQ(-EIDRM, fd_remove(self->hold));
	EXPECT_EQ(-EIDRM, proc_reopen(self->hold, O_RDWR));
	EXPECT_EQ(-ENOENT, ref_write(self->dev, ref_name(self->name), buf, 8,
				     IPCX_NONBLOCK));
	close(r);
	close(w);
}

TEST_HARNESS_MAIN
