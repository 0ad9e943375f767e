// SPDX-License-Identifier: GPL-2.0
/*
 * The rows: what is measured, against whom, and what ours must reach. A row in
 * which a size is both 64 KiB and 1 MiB stands for itself twice.
 */
#include "bench.h"

#define KIB	1024
#define MIB	(1024 * 1024)

/* The faster of two rivals is beaten by who beats both. */
#define PIPE(write, write_bytes, nr_cpus, room, room_bytes, pipe_goal, unix_goal) \
	{								\
		.name = "pipe-" write "-" #nr_cpus "cpu-" room,		\
		.title = "pipe throughput",				\
		.unit = MB_PER_S,					\
		.setting = {						\
			.bytes = write_bytes,				\
			.capacity = room_bytes,				\
			.cpus = nr_cpus,				\
		},							\
		.ours = &stream_ipcx,					\
		.rivals = {						\
			{ &stream_pipe, pipe_goal },			\
			{ &stream_unix, unix_goal },			\
			{ &stream_fifo, 0 },				\
		},							\
	}

/* Those that carry no message, or 8 bytes at most, are here as the least it takes. */
#define ROUND_TRIP(nr_cpus)						\
	{								\
		.name = "round-trip-" #nr_cpus "cpu",			\
		.title = "round trip of a message",			\
		.unit = MICROSECONDS,					\
		.setting = { .bytes = 64, .cpus = nr_cpus },		\
		.ours = &trip_ipcx,					\
		.rivals = {						\
			{ &trip_pipe, 0 }, { &trip_fifo, 0 }, { &trip_unix, 0 },	\
			{ &trip_seqpacket, 0 }, { &trip_mq, 0 }, { &trip_msg, 0 }, \
			{ &trip_eventfd, 0 }, { &trip_sem, 0 }, { &trip_posix_sem, 0 }, \
		},							\
	}

const struct row rows[] = {
	PIPE("64", 64, 1, "64k", 64 * KIB, 0.95, 0),
	PIPE("512", 512, 1, "64k", 64 * KIB, 0.95, 0),
	PIPE("4k", 4 * KIB, 1, "64k", 64 * KIB, 0.95, 0),
	PIPE("64k", 64 * KIB, 1, "64k", 64 * KIB, 1.5, 0),
	PIPE("1m", MIB, 1, "64k", 64 * KIB, 0.95, 0),

	PIPE("64", 64, 1, "1m", MIB, 0.95, 0),
	PIPE("512", 512, 1, "1m", MIB, 0.95, 0),
	PIPE("4k", 4 * KIB, 1, "1m", MIB, 0.95, 0),
	PIPE("64k", 64 * KIB, 1, "1m", MIB, 1.5, 0),
	PIPE("1m", MIB, 1, "1m", MIB, 0.95, 0),

	PIPE("64", 64, 2, "64k", 64 * KIB, 0.95, 0),
	PIPE("512", 512, 2, "64k", 64 * KIB, 0.95, 0),
	PIPE("4k", 4 * KIB, 2, "64k", 64 * KIB, 1.2, 1.2),
	PIPE("64k", 64 * KIB, 2, "64k", 64 * KIB, 0.95, 0),
	PIPE("1m", MIB, 2, "64k", 64 * KIB, 0.95, 0),

	PIPE("64", 64, 2, "1m", MIB, 0.95, 0),
	PIPE("512", 512, 2, "1m", MIB, 0.95, 0),
	PIPE("4k", 4 * KIB, 2, "1m", MIB, 1.2, 1.2),
	PIPE("64k", 64 * KIB, 2, "1m", MIB, 2.5, 1.3),
	PIPE("1m", MIB, 2, "1m", MIB, 0.95, 0),

	ROUND_TRIP(1),
	ROUND_TRIP(2),

	{
		.name = "open-100000",
		.title = "OPEN by name among 100,000 objects",
		.unit = MICROSECONDS,
		.setting = { .cpus = 1 },
		.ours = &open_many,
		.rivals = { { &open_few, 1.2 }, { &open_many_fifos, 0 } },
	}, {
		/* What the caches' share in it is to others. */
		.name = "open-100000-fifo",
		.title = "FIFO by name among 100,000 against FIFO among 10",
		.unit = MICROSECONDS,
		.setting = { .cpus = 1 },
		.ours = &open_many_fifos,
		.rivals = { { &open_few_fifos, 0 } },
	}, {
		/* Without the caches' share in it: what the look-up costs. */
		.name = "open-100000-same",
		.title = "OPEN of the same 10 names among 100,000 objects",
		.unit = MICROSECONDS,
		.setting = { .cpus = 1, .names = 10 },
		.ours = &open_many,
		.rivals = { { &open_few, 0 } },
	}, {
		.name = "make-close",
		.title = "make something nameless, close all its ends",
		.unit = MICROSECONDS,
		.setting = { .cpus = 1 },
		.ours = &make_ipcx_pipe,
		.rivals = {
			{ &make_pipe_pair, 0 }, { &make_unix_pair, 0 },
			{ &make_an_eventfd, 0 }, { &make_a_memfd, 0 },
		},
	}, {
		.name = "open-close",
		.title = "open something by its name, close it",
		.unit = MICROSECONDS,
		.setting = { .cpus = 1 },
		.ours = &reopen_ipcx,
		.rivals = { { &reopen_fifo, 0 }, { &reopen_mq, 0 } },
	},

	/* What ours can't do yet: what it will be compared with. */
	{
		.name = "receive-by-type",
		.title = "send, and receive by type, while others wait",
		.unit = MICROSECONDS,
		.setting = { .bytes = 64, .cpus = 1 },
		.rivals = {
			{ &crowd_0, 0 }, { &crowd_1000, 0 }, { &crowd_10000, 0 },
			{ &crowd_100000, 0 },
		},
	}, {
		.name = "sem-alone",
		.title = "a semaphore up and down, uncontended",
		.unit = MICROSECONDS,
		.setting = { .cpus = 1 },
		.rivals = { { &sem_sysv, 0 }, { &sem_posix, 0 } },
	}, {
		.name = "map-touch",
		.title = "make, map and touch 64 MiB, close",
		.unit = MICROSECONDS,
		.setting = { .cpus = 1 },
		.rivals = { { &touch_a_memfd, 0 } },
	},
};

const size_t nr_rows = ARRAY_SIZE(rows);
