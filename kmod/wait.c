// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting: deadlines and signals, alike for all types.
 *
 * A wait in this module is always the loop
 *
 *	for (;;) {
 *		prepare_to_wait(&queue, &wait, TASK_INTERRUPTIBLE);
 *		if (what was waited for)
 *			break;
 *		if (err)
 *			break;
 *		err = ipcx_sleep(patience);
 *	}
 *
 * so that what has been delivered beats a signal or deadline that came later.
 */
#include <linux/hrtimer.h>
#include <linux/ipcx.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "wait.h"

/**
 * ipcx_patience_init - how a command waits
 * @patience: filled in
 * @deadline: as user space gave it
 * @flags:    %IPCX_NONBLOCK, %IPCX_NO_RESTART; others are ignored
 *
 * Return: 0 or -EINVAL.
 */
int ipcx_patience_init(struct ipcx_patience *patience,
		       const struct ipcx_deadline *deadline, u32 flags)
{
	if (deadline->reserved)
		return -EINVAL;
	if (deadline->clock != CLOCK_MONOTONIC &&
	    deadline->clock != CLOCK_REALTIME &&
	    deadline->clock != CLOCK_BOOTTIME)
		return -EINVAL;
	if (deadline->ns > KTIME_MAX && deadline->ns != IPCX_NO_DEADLINE)
		return -EINVAL;

	patience->clock = deadline->clock;
	patience->expires = min_t(u64, deadline->ns, KTIME_MAX);
	patience->nonblock = flags & IPCX_NONBLOCK;
	patience->restart = !(flags & IPCX_NO_RESTART);
	return 0;
}

/**
 * ipcx_sleep - sleep once
 * @patience: how
 *
 * The caller is on a wait queue and in TASK_INTERRUPTIBLE.
 *
 * Return: 0 when woken, -EAGAIN, -ERESTARTSYS, -EINTR or -ETIMEDOUT.
 */
int ipcx_sleep(const struct ipcx_patience *patience)
{
	ktime_t expires = patience->expires;

	if (patience->nonblock)
		return -EAGAIN;
	if (signal_pending(current))
		return patience->restart ? -ERESTARTSYS : -EINTR;
	if (expires == KTIME_MAX) {
		schedule();
		return 0;
	}
	if (!schedule_hrtimeout_range_clock(&expires, current->timer_slack_ns,
					    HRTIMER_MODE_ABS, patience->clock))
		return -ETIMEDOUT;
	return 0;
}

/**
 * ipcx_wakes_flush - wake them now
 * @wakes: empty afterwards
 *
 * The caller is in the RCU section in which they were added, or holds the lock.
 */
void ipcx_wakes_flush(struct ipcx_wakes *wakes)
{
	unsigned int i;

	for (i = 0; i < wakes->nr; i++)
		wake_up_process(wakes->tasks[i]);
	wakes->nr = 0;
}

/**
 * ipcx_wakes_unlock - give a lock back, then wake them
 * @wakes: not empty; empty afterwards
 * @lock:  under which they were added
 *
 * A task that was released may be gone at once, but RCU keeps its struct for who holds a
 * spinlock, under PREEMPT_RT, too. So the RCU section need only begin before the lock ends.
 */
void ipcx_wakes_unlock(struct ipcx_wakes *wakes, spinlock_t *lock)
	__releases(lock)
{
	rcu_read_lock();
	spin_unlock(lock);
	ipcx_wakes_flush(wakes);
	rcu_read_unlock();
}
