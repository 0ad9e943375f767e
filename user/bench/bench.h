/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ipcx-bench: ours beside what every system has, in one boot.
 *
 * A row is a piece of work. A contender is somebody who can do it: he is asked to
 * do an amount of it, and tells how many seconds that took. The rivals of a row
 * are compared with ours one by one, in pairs that follow each other: ours, the
 * peer, ours, the peer, ... What counts is the median of the pairs' ratios.
 */
#ifndef IPCX_BENCH_H
#define IPCX_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/utsname.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define MAX_RIVALS	10
#define MAX_PAIRS	99

/* What tells one row from another that has the same contenders. */
struct setting {
	size_t bytes;		/* of one write, or message */
	size_t capacity;	/* of the channel */
	int cpus;		/* 1: both processes on one; 2: on two */
	unsigned int others;	/* messages that wait in the queue meanwhile */
	unsigned int types;	/* that they have, each another than what is asked for */
	unsigned int crowd;	/* processes that do it at the same time; 0: one alone */
	unsigned int names;	/* so many are used in turns; 0: all there are */
};

/*
 * struct contender - one way to do some kind of work
 * @seconds: does @amount pieces of it (writes, round trips, calls)
 * @others:  how many objects are there beside, or processes that wait
 *
 * What @seconds needs to know is in the union.
 */
struct contender {
	const char *name;
	double (*seconds)(const struct contender *me,
			  const struct setting *setting, uint64_t amount);
	unsigned int others;
	union {
		const struct stream_kind *stream;	/* stream.c */
		/* herd.c: the end to read from and the end to write to */
		void (*open_channel)(size_t capacity, int ends[2]);
		const struct line_kind *line;	/* roundtrip.c */
		const struct call_kind *calls;	/* calls.c */
	};
};

enum unit {
	MB_PER_S,	/* more is better */
	MICROSECONDS,	/* of one piece; less is better */
};

/*
 * struct rival - whom ours is compared with
 * @goal: what the ratio of ours to the peer must reach, or must not exceed;
 *	  0 if there is none
 */
struct rival {
	const struct contender *peer;
	double goal;
};

/*
 * struct row - a piece of work
 * @ours: NULL if ours can't do it yet: then it tells how the others do
 */
struct row {
	const char *name;
	const char *title;
	enum unit unit;
	struct setting setting;
	const struct contender *ours;
	struct rival rivals[MAX_RIVALS];
};

extern const struct row rows[];
extern const size_t nr_rows;

extern const struct contender
	stream_ipcx, stream_pipe, stream_fifo, stream_unix,
	batch_queue, batch_mq, batch_seqpacket,
	trip_ipcx, trip_queue, trip_pipe, trip_fifo, trip_unix, trip_seqpacket, trip_eventfd,
	trip_mq, trip_msg, trip_ipcx_sem, trip_sem, trip_posix_sem,
	open_many, open_few, open_many_fifos, open_few_fifos,
	make_ipcx_pipe, make_pipe_pair, make_unix_pair, make_an_eventfd, make_a_memfd,
	reopen_ipcx, reopen_fifo, reopen_mq,
	depth_queue, depth_msg, depth_mq,
	type_queue, type_queue_alone, type_msg,
	wake_1000, wake_1, wake_1000_pipe,
	sem_ipcx, sem_sysv, sem_posix,
	touch_a_memfd;

/* How to measure. */
struct plan {
	int pairs;
	double seconds;		/* that the faster of a pair should take */
};

struct spread {
	double median, lowest, highest;
};

/*
 * struct pair - two runs, one after the other
 * @amount: pieces of work, the same for both
 * @ours:   seconds; 0 in a row without ours
 */
struct pair {
	uint64_t amount;
	double ours, peer;
};

/*
 * struct comparison - of ours with one rival
 * @ours:   in the row's unit; of a row without ours it says nothing, as the ratio
 * @ratio:  of the two of each pair in the row's unit
 */
struct comparison {
	const struct row *row;
	const struct rival *rival;
	int pairs;
	struct pair pair[MAX_PAIRS];
	struct spread ours, peer, ratio;
};

void compare(struct comparison *c, const struct plan *plan);
const char *unit_name(enum unit unit);
bool holds(const struct comparison *c);
double missed_by(const struct comparison *c);
bool is_sure(const struct comparison *c);

/* What was measured on. */
struct machine {
	struct utsname kernel;
	char processor[128];
	char virtualization[16];
	char module[64];
	char date[32];
	int cpus;
};

void machine_describe(struct machine *m);

void table_of_rows(void);
void table_begin(const struct machine *m, const struct plan *plan);
void table_add(const struct comparison *c);
void table_end(void);

void json_begin(const struct machine *m, const struct plan *plan);
void json_add(const struct comparison *c);
void json_end(FILE *file, const char *name);

/* Processes and processors */
void processors_find(void);
int processors_usable(void);
void pin_here(void);
void unpin(void);
pid_t partner_start(int cpus, void (*work)(void *arg), void *arg);
void partner_end(pid_t partner);

/* Both ends of a channel, the end to read from first. */
void channel_ipcx(size_t capacity, int ends[2]);
void channel_pipe(size_t capacity, int ends[2]);
void channel_fifo(size_t capacity, int ends[2]);
void channel_unix(size_t capacity, int ends[2]);

/* The same of messages of this size. */
#define MESSAGE_BYTES	64

void channel_queue(size_t capacity, int ends[2]);
void channel_mq(size_t capacity, int ends[2]);
void channel_seqpacket(size_t capacity, int ends[2]);

/* Where this program alone sees what it leaves. */
#define PRIVATE_FOLDER	"/tmp"

void populations_end(void);
void herds_end(void);
int device(void);
double now(void);

#endif /* IPCX_BENCH_H */
