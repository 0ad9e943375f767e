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
 * so that what has been delivered beats a signal or deadline that came later. Who is
 * released by a store, as a queue's waiters, has ipcx_waiter_wait() for a loop.
 *
 * Spinning. Where the answer comes from another CPU, and soon, to sleep and be woken takes
 * longer than it takes to come. So a waiter whose CPU has nothing else to run looks for a
 * while first, and who releases him sees that and needn't wake him. To look for as long as
 * waking takes, and no longer, costs at most twice what the best choice would have cost in
 * hindsight (Karlin, Li, Manasse, Owicki: Empirical Studies of Competitive Spinning for a
 * Shared-Memory Multiprocessor, 1991). How long waking takes, a few microseconds or a hundred,
 * is told by each sleep; after one whose answer took longer than that nobody looks, and one
 * sleep in SAMPLE tells whether answers come faster now.
 */
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/ipcx.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>

#include "compat/compiler.h"
#include "wait.h"

#define SAMPLE		16

/* As KVM looks for idle guests (halt_poll_ns). */
static uint spin_ns_max = 200 * NSEC_PER_USEC;
module_param(spin_ns_max, uint, 0644);
MODULE_PARM_DESC(spin_ns_max, "nanoseconds for which a waiter may look before it sleeps; 0: it sleeps at once");

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
	patience->slot = NULL;
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
__hot int ipcx_sleep(const struct ipcx_patience *patience)
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

static ktime_t clock_now(clockid_t clock)
{
	return clock == CLOCK_REALTIME ? ktime_get_real() :
	       clock == CLOCK_BOOTTIME ? ktime_get_boottime() : ktime_get();
}

/**
 * ipcx_patience_over - must the caller go, though there was no sleep to tell him?
 * @patience: his
 *
 * Return: 0, -ERESTARTSYS, -EINTR or -ETIMEDOUT.
 */
int ipcx_patience_over(const struct ipcx_patience *patience)
{
	if (signal_pending(current))
		return patience->restart ? -ERESTARTSYS : -EINTR;
	if (patience->expires != KTIME_MAX && clock_now(patience->clock) >= patience->expires)
		return -ETIMEDOUT;
	return 0;
}

/**
 * ipcx_wakes_flush - wake them now
 * @wakes: empty afterwards
 *
 * The caller is in the RCU section in which they were added, or holds the lock.
 */
__hot void ipcx_wakes_flush(struct ipcx_wakes *wakes)
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
__hot void ipcx_wakes_unlock(struct ipcx_wakes *wakes, spinlock_t *lock)
	__releases(lock)
{
	rcu_read_lock();
	spin_unlock(lock);
	ipcx_wakes_flush(wakes);
	rcu_read_unlock();
}

/* Would this CPU idle if the caller slept, and can another bring what he waits for? */
static bool cpu_is_free(void)
{
	return READ_ONCE(spin_ns_max) && num_online_cpus() > 1 && single_task_running();
}

/* Shall one who doesn't look measure? Reading the clock takes its time, too. */
static bool spin_samples(struct ipcx_spin *spin)
{
	u32 waits = READ_ONCE(spin->waits);

	WRITE_ONCE(spin->waits, waits + 1);
	return waits % SAMPLE == 0;
}

/* An answer came after @answer nanoseconds, and waking took @wake more. */
static void spin_learn(struct ipcx_spin *spin, u64 answer, u64 wake)
{
	u32 limit = min_t(u64, wake, READ_ONCE(spin_ns_max));

	WRITE_ONCE(spin->ns, answer <= limit ? limit : 0);
}

/* Look until there is a result, which is returned, or it's time to do something else. */
static int waiter_look(const struct ipcx_waiter *waiter, u64 until)
{
	int result;

	do {
		/* Pairs with ipcx_waiter_release(). */
		result = smp_load_acquire(&waiter->result);
		if (result)
			return result;
		cpu_relax();
	} while (!need_resched() && !signal_pending(current) &&
		 single_task_running() && ktime_get_ns() < until);
	return 0;
}

/* Sleep until there is a result, and return it; or return why not. */
static int waiter_sleep(const struct ipcx_waiter *waiter,
			const struct ipcx_patience *patience, int *err)
{
	int result;

	for (*err = 0;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		/* Pairs with ipcx_waiter_release(). */
		result = smp_load_acquire(&waiter->result);
		if (result != IPCX_SLEEPS || *err)
			break;
		*err = ipcx_sleep(patience);
	}
	__set_current_state(TASK_RUNNING);
	return result;
}

/**
 * ipcx_slot_claim - decide a choice
 * @slot: for this one; the caller has what it waits for, and holds its object's lock
 *
 * If the choice is closed its owner is told that he has missed something here: he won't
 * sleep before he has looked again. ::
 *
 *	has something for a slot		owner of the choice
 *	------------------------		-------------------
 *	dropped = true
 *	CLOSED or MISSED -> MISSED		CLOSED -> OPEN? fails
 *	take it off the lists			MISSED -> CLOSED
 *	give the lock back			dropped? lock, list it again
 *
 * Return: whether it is given to this one.
 */
bool ipcx_slot_claim(struct ipcx_slot *slot)
{
	int state = READ_ONCE(slot->choice->state);

	while (state < 0) {
		int next = state == CHOICE_OPEN ? slot->index : CHOICE_MISSED;

		if (next == CHOICE_MISSED)
			WRITE_ONCE(slot->dropped, true);
		/* A full barrier: who sees MISSED sees what was dropped. */
		if (try_cmpxchg(&slot->choice->state, &state, next))
			return next >= 0;
	}
	return false;
}

/**
 * ipcx_waiter_init - the caller is going to wait
 * @waiter: on the caller's stack
 * @spin:   the object's
 * @slot:   of his patience
 */
__hot void ipcx_waiter_init(struct ipcx_waiter *waiter, struct ipcx_spin *spin,
			    struct ipcx_slot *slot)
{
	waiter->task = current;
	waiter->result = IPCX_SLEEPS;
	waiter->begun_ns = 0;
	waiter->released_ns = 0;
	waiter->slot = slot;
	if (slot || !cpu_is_free())
		return;
	if (READ_ONCE(spin->ns))
		waiter->result = IPCX_SPINS;
	else if (!spin_samples(spin))
		return;
	waiter->begun_ns = ktime_get_ns();
}

/**
 * ipcx_waiter_wait - wait until somebody releases the caller
 * @waiter:   can be found by who does
 * @patience: how
 * @spin:     the object's
 * @err:      why there is no result, as ipcx_sleep() tells
 *
 * Return: the result, or 0. Then the caller takes the lock and looks whether he still
 * waits: what has been delivered meanwhile beats @err.
 */
__hot int ipcx_waiter_wait(struct ipcx_waiter *waiter, const struct ipcx_patience *patience,
			   struct ipcx_spin *spin, int *err)
{
	int result;

	if (READ_ONCE(waiter->result) != IPCX_SLEEPS) {
		result = waiter_look(waiter, waiter->begun_ns + READ_ONCE(spin->ns));
		if (!result)
			result = cmpxchg_acquire(&waiter->result, IPCX_SPINS, IPCX_SLEEPS);
		if (result)
			return result;
	}
	result = waiter_sleep(waiter, patience, err);
	if (result == IPCX_SLEEPS)
		return 0;
	if (waiter->released_ns)
		spin_learn(spin, waiter->released_ns - waiter->begun_ns,
			   ktime_get_ns() - waiter->released_ns);
	return result;
}
