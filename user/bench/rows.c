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

/* Each of the four that carry messages must be beaten: so is the best of them. */
#define QUEUE_TRIP(nr_cpus, goal)					\
	{								\
		.name = "queue-trip-" #nr_cpus "cpu",			\
		.title = "round trip of a message, by queues",		\
		.unit = MICROSECONDS,					\
		.setting = { .bytes = MESSAGE_BYTES, .cpus = nr_cpus },	\
		.ours = &trip_queue,					\
		.rivals = {						\
			{ &trip_mq, goal }, { &trip_msg, goal },	\
			{ &trip_pipe, goal }, { &trip_seqpacket, goal }, \
			{ &trip_ipcx, 0 },				\
		},							\
	}

#define QUEUE_BATCH(nr_cpus)						\
	{								\
		.name = "queue-batch-" #nr_cpus "cpu",			\
		.title = "queue throughput, 32 messages of 64 B a call",	\
		.unit = MB_PER_S,					\
		.setting = {						\
			.bytes = 32 * MESSAGE_BYTES,			\
			.capacity = 1024 * MESSAGE_BYTES,		\
			.cpus = nr_cpus,				\
		},							\
		.ours = &batch_queue,					\
		.rivals = { { &batch_mq, 3 }, { &batch_seqpacket, 0 } },	\
	}

/* Received in their order; the rivals are those that can hold so many. */
#define QUEUE_DEPTH(waiting, ...)					\
	{								\
		.name = "queue-depth-" #waiting,			\
		.title = "send and receive, " #waiting " messages waiting",	\
		.unit = MICROSECONDS,					\
		.setting = {						\
			.bytes = MESSAGE_BYTES, .cpus = 1, .others = waiting, \
		},							\
		.ours = &depth_queue,					\
		.rivals = { { &depth_msg, 0 }, __VA_ARGS__ },		\
	}

#define QUEUE_TYPE(row, waiting, nr_types, ...)				\
	{								\
		.name = row "-" #waiting,				\
		.title = "send, receive by type, " #waiting " waiting, types: " #nr_types, \
		.unit = MICROSECONDS,					\
		.setting = {						\
			.bytes = MESSAGE_BYTES, .cpus = 1,		\
			.others = waiting, .types = nr_types,		\
		},							\
		.ours = &type_queue,					\
		.rivals = { __VA_ARGS__ },				\
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

/* Handed over and back: a round trip without a message. */
#define SEM_TRIP(nr_cpus, goal)						\
	{								\
		.name = "sem-trip-" #nr_cpus "cpu",			\
		.title = "a semaphore handed over and back",		\
		.unit = MICROSECONDS,					\
		.setting = { .cpus = nr_cpus },				\
		.ours = &trip_ipcx_sem,					\
		.rivals = {						\
			{ &trip_posix_sem, goal }, { &trip_sem, 0 },	\
			{ &trip_eventfd, 0 },				\
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

	QUEUE_TRIP(1, 1.0),
	QUEUE_TRIP(2, 0.9),
	QUEUE_BATCH(1),
	QUEUE_BATCH(2),

	QUEUE_DEPTH(0, { &depth_mq, 0 }),
	QUEUE_DEPTH(10, { &depth_mq, 0 }),
	QUEUE_DEPTH(100, { &depth_mq, 0 }),
	QUEUE_DEPTH(1000, { &depth_mq, 0 }),
	QUEUE_DEPTH(10000, { &depth_mq, 0 }),
	QUEUE_DEPTH(100000),

	QUEUE_TYPE("queue-type", 0, 1, { &type_msg, 0 }),
	QUEUE_TYPE("queue-type", 1000, 1, { &type_msg, 0 }),
	QUEUE_TYPE("queue-type", 10000, 1, { &type_msg, 0 }),
	/* System V walks them all: at 100,000 a pair would take half a minute. */
	QUEUE_TYPE("queue-type", 100000, 1, { &type_queue_alone, 1.2 }),
	QUEUE_TYPE("queue-types", 100000, 10000, { &type_queue_alone, 1.2 }),

	{
		.name = "queue-wake-1000",
		.title = "wake one of 1,000 sleeping receivers, hear from him",
		.unit = MICROSECONDS,
		.setting = { .bytes = 8, .cpus = 1 },
		.ours = &wake_1000,
		.rivals = { { &wake_1, 0 }, { &wake_1000_pipe, 0 } },
	},

	{
		.name = "sem-alone",
		.title = "a semaphore down and up, uncontended",
		.unit = MICROSECONDS,
		.setting = { .cpus = 1 },
		.ours = &sem_ipcx,
		.rivals = { { &sem_sysv, 0.85 }, { &sem_posix, 0 } },
	}, {
		.name = "sem-crowd-8",
		.title = "a semaphore down and up, wanted by 8 processes",
		.unit = MICROSECONDS,
		.setting = { .cpus = 2, .crowd = 8 },
		.ours = &sem_ipcx,
		.rivals = { { &sem_sysv, 1.0 }, { &sem_posix, 0 } },
	},
	SEM_TRIP(1, 0),
	SEM_TRIP(2, 1.0),

	/* What ours can't do yet: what it will be compared with. */
	{
		.name = "map-touch",
		.title = "make, map and touch 64 MiB, close",
		.unit = MICROSECONDS,
		.setting = { .cpus = 1 },
		.rivals = { { &touch_a_memfd, 0 } },
	},
};

const size_t nr_rows = ARRAY_SIZE(rows);
