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

#define MAX_RIVALS	8
#define MAX_PAIRS	99

/* What tells one row from another that has the same contenders. */
struct setting {
	size_t bytes;		/* of one write, or message */
	size_t capacity;	/* of the channel */
	int cpus;		/* 1: both processes on one; 2: on two */
};

/*
 * struct contender - one way to do some kind of work
 * @seconds: does @amount pieces of it (writes, round trips, calls)
 *
 * The last member is for the kind of work that @seconds does.
 */
struct contender {
	const char *name;
	double (*seconds)(const struct contender *me,
			  const struct setting *setting, uint64_t amount);
	union {
		/* the end to read from and the end to write to */
		void (*open_channel)(size_t capacity, int ends[2]);
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

extern const struct contender stream_ipcx, stream_pipe, stream_fifo,
			      stream_unix;

/* How to measure. */
struct plan {
	int pairs;
	double seconds;		/* that the faster of a pair should take */
};

/*
 * struct comparison - ours and one rival
 * @amount:  pieces of work in each sample, the same for both
 * @seconds: of each pair: ours, the peer
 * @ratio:   of ours to the peer in the row's unit: median, lowest, highest
 */
struct comparison {
	const struct row *row;
	const struct rival *rival;
	int pairs;
	uint64_t amount;
	double seconds[2][MAX_PAIRS];
	double ours, peer;
	struct {
		double median, lowest, highest;
	} ratio;
};

void compare(struct comparison *c, const struct plan *plan);
double in_unit(const struct comparison *c, double seconds);
bool holds(const struct comparison *c);
double missed_by(const struct comparison *c);

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

void table_begin(const struct machine *m, const struct plan *plan);
void table_add(const struct comparison *c);
void table_end(void);

void json_begin(const struct machine *m, const struct plan *plan);
void json_add(const struct comparison *c);
void json_end(FILE *file, const char *name);

/* Two processes */
void processors_find(void);
int processors_usable(void);
pid_t partner_start(int cpus, void (*work)(void *arg), void *arg);
void partner_end(pid_t partner);

int device(void);
double now(void);

#endif /* IPCX_BENCH_H */
