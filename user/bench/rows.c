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
		.title = "pipe, writes of " write "B, " #nr_cpus	\
			 " CPU, capacity " room "B",			\
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
			{ &stream_fifo },				\
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
};

const size_t nr_rows = ARRAY_SIZE(rows);
