/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one process does again and again.
 */
#ifndef IPCX_BENCH_CALLS_H
#define IPCX_BENCH_CALLS_H

#include "bench.h"

/*
 * struct call_kind - something that is done again and again
 * @begin: makes what must be there first, for each run; may be NULL
 * @call:  does it once; what it makes it also takes away
 * @end:   takes away what @begin made; may be NULL
 *
 * The three share static variables: there is one process, and one of them at a time.
 */
struct call_kind {
	void (*begin)(const struct setting *setting);
	void (*call)(void);
	void (*end)(void);
};

/* The same by many processes at once, which do @amount together. */
double crowd_seconds(const struct call_kind *kind, unsigned int processes,
		     uint64_t amount);

double call_seconds(const struct contender *me, const struct setting *setting,
		    uint64_t amount);

#define CALLS(who, what, first, again, last)				\
	const struct contender who = {					\
		.name = what,						\
		.seconds = call_seconds,				\
		.calls = &(const struct call_kind) {			\
			.begin = first,					\
			.call = again,					\
			.end = last,					\
		},							\
	}

#endif /* IPCX_BENCH_CALLS_H */
