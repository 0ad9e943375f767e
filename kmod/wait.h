/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_WAIT_H
#define _IPCX_WAIT_H

#include <linux/ktime.h>
#include <linux/time.h>
#include <linux/types.h>

struct ipcx_deadline;

/**
 * struct ipcx_patience - how a caller is ready to wait
 * @expires:  absolute time on @clock; KTIME_MAX is for ever
 * @clock:    CLOCK_MONOTONIC, CLOCK_REALTIME or CLOCK_BOOTTIME
 * @nonblock: not at all: -EAGAIN
 * @restart:  a signal ends the wait with -ERESTARTSYS, else with -EINTR
 */
struct ipcx_patience {
	ktime_t expires;
	clockid_t clock;
	bool nonblock;
	bool restart;
};

/**
 * ipcx_patience_of_file - how read(2), write(2) and open(2) wait
 * @nonblock: not at all
 */
static inline struct ipcx_patience ipcx_patience_of_file(bool nonblock)
{
	return (struct ipcx_patience) {
		.expires = KTIME_MAX,
		.clock = CLOCK_MONOTONIC,
		.nonblock = nonblock,
		.restart = true,
	};
}

int ipcx_patience_init(struct ipcx_patience *patience,
		       const struct ipcx_deadline *deadline, u32 flags);
int ipcx_sleep(const struct ipcx_patience *patience);

#endif /* _IPCX_WAIT_H */
