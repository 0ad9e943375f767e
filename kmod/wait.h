/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_WAIT_H
#define _IPCX_WAIT_H

#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/time.h>
#include <linux/types.h>

struct ipcx_deadline;
struct ipcx_object;
struct ipcx_slot;
struct task_struct;

/**
 * struct ipcx_patience - how a caller is ready to wait
 * @expires:  absolute time on @clock; KTIME_MAX is for ever
 * @clock:    CLOCK_MONOTONIC, CLOCK_REALTIME or CLOCK_BOOTTIME
 * @nonblock: not at all: -EAGAIN
 * @restart:  a signal ends the wait with -ERESTARTSYS, else with -EINTR
 * @slot:     NULL; or he waits for others, too, and so not here
 */
struct ipcx_patience {
	ktime_t expires;
	clockid_t clock;
	bool nonblock;
	bool restart;
	struct ipcx_slot *slot;
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

/* How read_iter() and write_iter() wait. */
static inline struct ipcx_patience
ipcx_patience_of_iocb(const struct kiocb *iocb)
{
	return ipcx_patience_of_file(iocb->ki_filp->f_flags & O_NONBLOCK ||
				     iocb->ki_flags & IOCB_NOWAIT);
}

/**
 * struct ipcx_wakes - tasks to be woken when the lock is no longer held
 * @nr:    how many there are; 0 to begin
 * @tasks: they need no reference: RCU keeps them
 *
 * Who releases a waiter by a store has nothing of his any more; a task that has
 * gone on is woken once too often, which every wait loop expects.
 */
struct ipcx_wakes {
	unsigned int nr;
	struct task_struct *tasks[8];
};

void ipcx_wakes_flush(struct ipcx_wakes *wakes);

/**
 * ipcx_wakes_add - wake a task later
 * @wakes: of who holds the lock, a spinlock
 * @task:  who; RCU keeps him for who holds the lock, even if he has been released
 *
 * The ninth finds no place: those before it are woken now, under the lock.
 */
static inline void ipcx_wakes_add(struct ipcx_wakes *wakes, struct task_struct *task)
{
	if (wakes->nr == ARRAY_SIZE(wakes->tasks))
		ipcx_wakes_flush(wakes);
	wakes->tasks[wakes->nr++] = task;
}

void ipcx_wakes_unlock(struct ipcx_wakes *wakes, spinlock_t *lock)
	__releases(lock);

/**
 * ipcx_relax - between two sections of one long work
 *
 * A spinlock that isn't fair, as in most virtual machines, would be taken again before who
 * spins for it sees it free: as in __cond_resched_lock().
 */
static inline void ipcx_relax(void)
{
	if (!cond_resched())
		cpu_relax();
}

/**
 * struct ipcx_choice - a task that waits for one of several things (select.c)
 * @task:  who
 * @state: CHOICE_OPEN: whoever has one of them may give it to him. CHOICE_CLOSED: he looks
 *	   himself, and nobody may. CHOICE_MISSED: likewise, and somebody had something for
 *	   him. Else the slot's index that was given something
 * @poked: an object that wakes, and gives nothing, has; likewise its slot's
 */
struct ipcx_choice {
	struct task_struct *task;
	int state;
	bool poked;
};

#define CHOICE_OPEN	-1
#define CHOICE_CLOSED	-2
#define CHOICE_MISSED	-3

/**
 * struct ipcx_slot - one thing of a choice
 * @choice:  whose
 * @index:   which, from 0
 * @obj:     of what
 * @dropped: who had something for him has taken it off his object's lists
 * @again:   the operation has waited before
 * @given:   it is run to use what it was given
 * @waiting: what stands in the object's lists, or holds what was given; the type's, or NULL
 * @leave:   take it off; return with what it has been released, or 0. What was given and
 *	     wants to be used stays in @waiting
 * @give_back: nobody uses what was given
 *
 * An operation whose patience has a slot does not wait: it puts something into its object's
 * lists, here as well, and is -EIOCBQUEUED. Run again with @given it goes on from there.
 */
struct ipcx_slot {
	struct ipcx_choice *choice;
	int index;
	struct ipcx_object *obj;
	bool dropped;
	bool again;
	bool given;
	void *waiting;
	int (*leave)(struct ipcx_slot *slot);
	void (*give_back)(struct ipcx_slot *slot);
};

bool ipcx_slot_claim(struct ipcx_slot *slot);

/**
 * struct ipcx_waiter - a task that waits to be released, on its own stack
 * @task:   who
 * @result: IPCX_SPINS or IPCX_SLEEPS, or with what he has been released; what that
 *	    means is up to the object, other than these two
 * @begun_ns:    when he began to wait, if his CPU was free then, or 0
 * @released_ns: when he was released, if he slept and @begun_ns isn't 0, or 0
 * @slot:        NULL, or he waits for others, too: then it isn't on his stack, and
 *		 ipcx_waiter_claim() comes before anything is done for him
 *
 * The object's lock guards who is waiting: he is released under it, and once. All
 * but @result is his before, and published by it after that.
 */
struct ipcx_waiter {
	struct task_struct *task;
	int result;
	u64 begun_ns;
	u64 released_ns;
	struct ipcx_slot *slot;
};

#define IPCX_SPINS	0
#define IPCX_SLEEPS	INT_MAX

/**
 * struct ipcx_spin - how long those who wait for an object look before they sleep
 * @ns:    so long, 0 to begin
 * @waits: who didn't look; counted without a lock, for that is good enough
 */
struct ipcx_spin {
	u32 ns;
	u32 waits;
};

void ipcx_waiter_init(struct ipcx_waiter *waiter, struct ipcx_spin *spin,
		      struct ipcx_slot *slot);
int ipcx_waiter_wait(struct ipcx_waiter *waiter, const struct ipcx_patience *patience,
		     struct ipcx_spin *spin, int *err);

/**
 * ipcx_waiter_claim - is he still to be had?
 * @waiter: is found in a list; the caller holds the lock, and has what he waits for
 *
 * Return: whether the caller will now release him. If not, he is dropped: taken off the
 * lists, and ipcx_waiter_drop().
 */
static inline bool ipcx_waiter_claim(const struct ipcx_waiter *waiter)
{
	return likely(!waiter->slot) || ipcx_slot_claim(waiter->slot);
}

/* He is on no list any more, and was not released. The caller holds the lock. */
static inline void ipcx_waiter_drop(struct ipcx_waiter *waiter)
{
	waiter->result = IPCX_SPINS;
}

/**
 * ipcx_waiter_release - the wait is over
 * @waiter: gone from here on
 * @result: for ipcx_waiter_wait()
 * @wakes:  of who holds the lock, a spinlock
 */
static inline void ipcx_waiter_release(struct ipcx_waiter *waiter, int result,
				       struct ipcx_wakes *wakes)
{
	struct task_struct *task = waiter->task;

	if (waiter->begun_ns && READ_ONCE(waiter->result) == IPCX_SLEEPS)
		waiter->released_ns = ktime_get_ns();
	/* Pairs with ipcx_waiter_wait(): with what comes with the result as well. */
	if (xchg(&waiter->result, result) == IPCX_SLEEPS)
		ipcx_wakes_add(wakes, task);
}

/**
 * ipcx_waiter_waits - is he on the lists, not released?
 * @waiter: has given up waiting; the caller holds the lock
 */
static inline bool ipcx_waiter_waits(const struct ipcx_waiter *waiter)
{
	return waiter->result == IPCX_SLEEPS;
}

int ipcx_patience_init(struct ipcx_patience *patience,
		       const struct ipcx_deadline *deadline, u32 flags);
int ipcx_sleep(const struct ipcx_patience *patience);
int ipcx_patience_over(const struct ipcx_patience *patience);

#endif /* _IPCX_WAIT_H */
