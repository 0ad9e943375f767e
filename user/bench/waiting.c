// SPDX-License-Identifier: GPL-2.0
/*
 * A message sent and received while others wait in the queue. Each carries its number,
 * and what is received must have the number that is due.
 */
#include <err.h>
#include <ipcx.h>
#include <mqueue.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "calls.h"

/* Of the message that is asked for by its type; the others have the next ones. */
#define MINE	1

/* Messages of one call, when a queue is filled. */
#define BATCH	512

/* A file, or the id of a System V queue. */
static int queue;

/* Numbers of the messages that were sent and received last. */
static uint64_t sent, received;

/* System V wants the type before the bytes. */
static struct {
	long type;
	union {
		uint64_t number;
		char bytes[MESSAGE_BYTES];
	};
} message;

/* What is due is the oldest, or the one that was sent last. */
static void check_message(const char *name, ssize_t len, uint64_t due)
{
	if (len < 0)
		err(1, "%s", name);
	if (len != MESSAGE_BYTES || message.number != due)
		errx(1, "%s: message %llu was received in place of %llu", name,
		     (unsigned long long)message.number, (unsigned long long)due);
}

/* ---- Ours ---- */

static int place_others(struct ipcx_msg msgs[BATCH], char bytes[BATCH][MESSAGE_BYTES],
			const struct setting *setting)
{
	int i;

	for (i = 0; i < BATCH && sent < setting->others; i++) {
		sent++;
		memcpy(bytes[i], &sent, sizeof(sent));
		msgs[i].type = MINE + 1 + sent % (setting->types ? setting->types : 1);
		msgs[i].buf = (uintptr_t)bytes[i];
		msgs[i].len = MESSAGE_BYTES;
	}
	return i;
}

static void fill_queue(const struct setting *setting)
{
	static char bytes[BATCH][MESSAGE_BYTES];
	static struct ipcx_msg msgs[BATCH];
	int count;

	while ((count = place_others(msgs, bytes, setting)))
		if (ipcx_queue_send(queue, msgs, count, 0, NULL) != count)
			errx(1, "an ipcx queue doesn't take %u messages", setting->others);
}

/* What is written to the file has the type MINE, and its read takes any. */
static void open_queue(const struct setting *setting)
{
	struct ipcx_queue_params limits = {
		.max_msgs = setting->others + 1,
		.max_bytes = (setting->others + 1) * MESSAGE_BYTES,
	};

	queue = ipcx_queue_create(device(), NULL, IPCX_ACCESS_RDWR, &limits, NULL);
	if (queue < 0)
		errx(1, "ipcx queue: %s", strerror(-queue));
	sent = 0;
	received = 0;
	fill_queue(setting);
}

static void open_queue_alone(const struct setting *setting)
{
	struct setting alone = *setting;

	alone.others = 0;
	open_queue(&alone);
}

static void send_queue(void)
{
	message.number = ++sent;
	if (write(queue, message.bytes, MESSAGE_BYTES) != MESSAGE_BYTES)
		err(1, "ipcx queue: write");
	message.number = 0;
}

static void pass_queue(void)
{
	send_queue();
	check_message("ipcx queue", read(queue, message.bytes, MESSAGE_BYTES), ++received);
}

static void pass_queue_type(void)
{
	struct ipcx_select select = ipcx_select_exact(MINE);
	struct ipcx_msg msg = { .buf = (uintptr_t)message.bytes, .room = MESSAGE_BYTES };

	send_queue();
	if (ipcx_queue_recv(queue, &msg, 1, &select, 0, NULL) != 1)
		errx(1, "ipcx queue: no message of the type came");
	check_message("ipcx queue", msg.len, sent);
}

static void close_queue(void)
{
	close(queue);
}

CALLS(depth_queue, "ipcx queue", open_queue, pass_queue, close_queue);
CALLS(type_queue, "ipcx queue", open_queue, pass_queue_type, close_queue);
CALLS(type_queue_alone, "none waiting", open_queue_alone, pass_queue_type, close_queue);

/* ---- System V ---- */

/* Nobody else has a say in the queue: it is never full. */
static void send_msg(long type)
{
	message.type = type;
	message.number = ++sent;
	if (msgsnd(queue, &message, MESSAGE_BYTES, 0))
		err(1, "msgsnd");
	message.number = 0;
}

/*
 * Root may make a queue longer than the system's limit, which would not take 100,000
 * messages.
 */
static void open_msg(const struct setting *setting)
{
	struct msqid_ds limits = { .msg_perm.mode = 0600 };

	queue = msgget(IPC_PRIVATE, 0600);
	limits.msg_qbytes = (setting->others + 1) * MESSAGE_BYTES;
	if (queue < 0 || msgctl(queue, IPC_SET, &limits))
		err(1, "a message queue of %lu bytes", limits.msg_qbytes);
	sent = 0;
	received = 0;
	while (sent < setting->others)
		send_msg(MINE + 1);
}

static void pass_msg(void)
{
	send_msg(MINE);
	check_message("SysV msg", msgrcv(queue, &message, MESSAGE_BYTES, 0, 0), ++received);
}

static void pass_msg_type(void)
{
	send_msg(MINE);
	check_message("SysV msg", msgrcv(queue, &message, MESSAGE_BYTES, MINE, 0), sent);
}

static void close_msg(void)
{
	msgctl(queue, IPC_RMID, NULL);
}

CALLS(depth_msg, "SysV msg", open_msg, pass_msg, close_msg);
CALLS(type_msg, "SysV msg", open_msg, pass_msg_type, close_msg);

/* ---- POSIX ---- */

static void send_mq(void)
{
	message.number = ++sent;
	if (mq_send(queue, message.bytes, MESSAGE_BYTES, 0))
		err(1, "mq_send");
	message.number = 0;
}

/* More messages than others may have, and, of this process alone, more bytes. */
static void open_mq(const struct setting *setting)
{
	const struct rlimit bytes = { RLIM_INFINITY, RLIM_INFINITY };
	int ends[2];

	if (setrlimit(RLIMIT_MSGQUEUE, &bytes))
		err(1, "RLIMIT_MSGQUEUE");
	channel_mq((setting->others + 1) * MESSAGE_BYTES, ends);
	close(ends[1]);
	queue = ends[0];
	sent = 0;
	received = 0;
	while (sent < setting->others)
		send_mq();
}

static void pass_mq(void)
{
	send_mq();
	check_message("POSIX mq", mq_receive(queue, message.bytes, MESSAGE_BYTES, NULL),
		      ++received);
}

CALLS(depth_mq, "POSIX mq", open_mq, pass_mq, close_queue);
