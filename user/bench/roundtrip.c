// SPDX-License-Identifier: GPL-2.0
/*
 * Round trips: one process sends, the other sends back what came, and no message is
 * under way but that one. Each carries the trip's number, as far as it can carry
 * anything; what comes back must be what went out.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ipcx.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

/* Trips before the clock starts, when the partner is surely at work. */
#define WARM_UP		64
#define CAPACITY	(64 << 10)

/*
 * struct line - what two processes, 0 and 1, talk over
 * @bytes:   of a message; less than the row asks for if it can't carry as much
 * @in:      the file that each receives from, if it is files
 * @out:     the file that each sends to
 * @id:      of the System V object, if it is one; a set of semaphores' file
 * @sems:    POSIX semaphores: what each waits for
 * @message: what was received last, and is sent next; System V wants a type before it
 * @trips:   after which the partner has done his part
 */
struct line {
	const char *name;
	size_t bytes;
	int in[2], out[2];
	int id;
	sem_t *sems;
	struct {
		long type;
		union {
			uint64_t number;
			char text[4096];
		};
	} message;
	uint64_t trips;
};

static void failed(const struct line *line, const char *what)
{
	err(1, "%s: %s", line->name, what);
}

/* ---- Files that one writes into and the other reads from ---- */

static void open_two_channels(struct line *line,
			      void (*open_channel)(size_t capacity, int ends[2]))
{
	int ends[2], side;

	for (side = 0; side < 2; side++) {
		open_channel(CAPACITY, ends);
		line->in[side] = ends[0];
		line->out[!side] = ends[1];
	}
}

static void open_ipcx(struct line *line)
{
	open_two_channels(line, channel_ipcx);
}

static void open_queue(struct line *line)
{
	open_two_channels(line, channel_queue);
}

static void open_pipe(struct line *line)
{
	open_two_channels(line, channel_pipe);
}

static void open_fifo(struct line *line)
{
	open_two_channels(line, channel_fifo);
}

/* A socket goes both ways. */
static void open_sockets(struct line *line, int type)
{
	if (socketpair(AF_UNIX, type, 0, line->in))
		failed(line, "socketpair");
	memcpy(line->out, line->in, sizeof(line->out));
}

static void open_stream(struct line *line)
{
	open_sockets(line, SOCK_STREAM);
}

static void open_seqpacket(struct line *line)
{
	open_sockets(line, SOCK_SEQPACKET);
}

/* Its value is the message: what is added to nothing is what is read. */
static void open_eventfd(struct line *line)
{
	int side;

	for (side = 0; side < 2; side++) {
		line->in[side] = eventfd(0, EFD_CLOEXEC);
		line->out[!side] = line->in[side];
		if (line->in[side] < 0)
			failed(line, "eventfd");
	}
	line->bytes = sizeof(uint64_t);
}

/* A message of this size is never split, in whatever it goes through. */
static void send_file(struct line *line, int side)
{
	if (write(line->out[side], line->message.text, line->bytes) !=
	    (ssize_t)line->bytes)
		failed(line, "write");
}

static void receive_file(struct line *line, int side)
{
	if (read(line->in[side], line->message.text, line->bytes) !=
	    (ssize_t)line->bytes)
		failed(line, "read");
}

/* The same file may stand for both directions, or for both processes. */
static void close_files(struct line *line)
{
	int side;

	for (side = 0; side < 2; side++) {
		close(line->in[side]);
		if (line->out[side] != line->in[0] &&
		    line->out[side] != line->in[1])
			close(line->out[side]);
	}
}

/* ---- POSIX message queues ---- */

/* Ten messages are what everybody is allowed; one is all that is ever there. */
static void open_mq(struct line *line)
{
	struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = line->bytes };
	int side;

	for (side = 0; side < 2; side++) {
		line->in[side] = mq_open("/ipcx-bench", O_RDWR | O_CREAT | O_EXCL,
					 0600, &attr);
		if (line->in[side] < 0)
			failed(line, "mq_open");
		mq_unlink("/ipcx-bench");
		line->out[!side] = line->in[side];
	}
}

static void send_mq(struct line *line, int side)
{
	if (mq_send(line->out[side], line->message.text, line->bytes, 0))
		failed(line, "mq_send");
}

static void receive_mq(struct line *line, int side)
{
	if (mq_receive(line->in[side], line->message.text, line->bytes, NULL) !=
	    (ssize_t)line->bytes)
		failed(line, "mq_receive");
}

/* ---- System V message queues ---- */

/* One queue, and the type tells for whom a message is: so programs use them. */
static void open_msg(struct line *line)
{
	line->id = msgget(IPC_PRIVATE, 0600);
	if (line->id < 0)
		failed(line, "msgget");
}

static void send_msg(struct line *line, int side)
{
	line->message.type = 1 + !side;
	if (msgsnd(line->id, &line->message, line->bytes, 0))
		failed(line, "msgsnd");
}

static void receive_msg(struct line *line, int side)
{
	if (msgrcv(line->id, &line->message, line->bytes, 1 + side, 0) !=
	    (ssize_t)line->bytes)
		failed(line, "msgrcv");
}

static void close_msg(struct line *line)
{
	msgctl(line->id, IPC_RMID, NULL);
}

/* ---- Semaphores, which carry no message ---- */

/* A set of two: number 0 is what process 0 waits for. */
static void open_sem(struct line *line)
{
	line->id = semget(IPC_PRIVATE, 2, 0600);
	if (line->id < 0)
		failed(line, "semget");
	line->bytes = 0;
}

static void add_to_sem(struct line *line, int number, int what)
{
	struct sembuf op = { .sem_num = number, .sem_op = what };

	if (semop(line->id, &op, 1))
		failed(line, "semop");
}

static void send_sem(struct line *line, int side)
{
	add_to_sem(line, !side, 1);
}

static void receive_sem(struct line *line, int side)
{
	add_to_sem(line, side, -1);
}

static void close_sem(struct line *line)
{
	semctl(line->id, 0, IPC_RMID);
}

/* Likewise a set of two. */
static void open_ipcx_sem(struct line *line)
{
	const struct ipcx_sem_params params = { .count = 2 };

	line->id = ipcx_sem_create(device(), NULL, IPCX_ACCESS_RDWR, &params, NULL);
	if (line->id < 0)
		errx(1, "%s: %s", line->name, strerror(-line->id));
	line->bytes = 0;
}

static void send_ipcx_sem(struct line *line, int side)
{
	int ret = ipcx_sem_up(line->id, !side, 1, 0);

	if (ret)
		errx(1, "%s: %s", line->name, strerror(-ret));
}

static void receive_ipcx_sem(struct line *line, int side)
{
	int ret = ipcx_sem_down(line->id, side, 1, 0, NULL);

	if (ret)
		errx(1, "%s: %s", line->name, strerror(-ret));
}

static void close_ipcx_sem(struct line *line)
{
	close(line->id);
}

/* In memory that both share; without contention they would never enter the kernel. */
static void open_posix(struct line *line)
{
	line->sems = mmap(NULL, 2 * sizeof(sem_t), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (line->sems == MAP_FAILED || sem_init(&line->sems[0], 1, 0) ||
	    sem_init(&line->sems[1], 1, 0))
		failed(line, "sem_init");
	line->bytes = 0;
}

static void post_posix(struct line *line, int side)
{
	if (sem_post(&line->sems[!side]))
		failed(line, "sem_post");
}

static void wait_posix(struct line *line, int side)
{
	if (sem_wait(&line->sems[side]))
		failed(line, "sem_wait");
}

static void close_posix(struct line *line)
{
	munmap(line->sems, 2 * sizeof(sem_t));
}

/* ---- The trips ---- */

/* @side is who does it: 0 asks, 1 answers. */
struct line_kind {
	void (*open)(struct line *line);
	void (*send)(struct line *line, int side);
	void (*receive)(struct line *line, int side);
	void (*close)(struct line *line);
};

struct journey {
	const struct line_kind *kind;
	struct line line;
};

static void answer(void *arg)
{
	struct journey *j = arg;
	uint64_t i;

	for (i = 0; i < j->line.trips; i++) {
		j->kind->receive(&j->line, 1);
		j->kind->send(&j->line, 1);
	}
}

/* The number is wiped before it comes back, lest the old one be taken for it. */
static void ask(struct journey *j, uint64_t trips)
{
	struct line *line = &j->line;
	uint64_t i;

	for (i = 1; i <= trips; i++) {
		line->message.number = i;
		j->kind->send(line, 0);
		line->message.number = 0;
		j->kind->receive(line, 0);
		if (line->bytes && line->message.number != i)
			errx(1, "%s: what came back is not what was sent",
			     line->name);
	}
}

static double round_trip_seconds(const struct contender *me,
				 const struct setting *setting, uint64_t amount)
{
	struct journey j = {
		.kind = me->line,
		.line = {
			.name = me->name,
			.bytes = setting->bytes,
			.trips = amount + WARM_UP,
		},
	};
	double begin, seconds;
	pid_t partner;

	if (setting->bytes > sizeof(j.line.message.text))
		errx(1, "a message of %zu bytes is too long", setting->bytes);
	j.kind->open(&j.line);
	partner = partner_start(setting->cpus, answer, &j);
	ask(&j, WARM_UP);
	begin = now();
	ask(&j, amount);
	seconds = now() - begin;
	partner_end(partner);
	j.kind->close(&j.line);
	return seconds;
}

#define LINE(who, what, begin, give, take, end)				\
	const struct contender who = {					\
		.name = what,						\
		.seconds = round_trip_seconds,				\
		.line = &(const struct line_kind) {			\
			.open = begin,					\
			.send = give,					\
			.receive = take,				\
			.close = end,					\
		},							\
	}

LINE(trip_ipcx, "ipcx pipe", open_ipcx, send_file, receive_file, close_files);
LINE(trip_queue, "ipcx queue", open_queue, send_file, receive_file, close_files);
LINE(trip_pipe, "pipe(2)", open_pipe, send_file, receive_file, close_files);
LINE(trip_fifo, "FIFO", open_fifo, send_file, receive_file, close_files);
LINE(trip_unix, "Unix stream", open_stream, send_file, receive_file, close_files);
LINE(trip_seqpacket, "Unix seqpacket", open_seqpacket, send_file, receive_file, close_files);
LINE(trip_eventfd, "eventfd", open_eventfd, send_file, receive_file, close_files);
LINE(trip_mq, "POSIX mq", open_mq, send_mq, receive_mq, close_files);
LINE(trip_msg, "SysV msg", open_msg, send_msg, receive_msg, close_msg);
LINE(trip_ipcx_sem, "ipcx sem", open_ipcx_sem, send_ipcx_sem, receive_ipcx_sem, close_ipcx_sem);
LINE(trip_sem, "SysV sem", open_sem, send_sem, receive_sem, close_sem);
LINE(trip_posix_sem, "POSIX sem", open_posix, post_posix, wait_posix, close_posix);
