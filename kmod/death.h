/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_DEATH_H
#define _IPCX_DEATH_H

#include <linux/atomic.h>
#include <linux/list.h>

/**
 * struct ipcx_death - something to be done when a process has died
 * @node:  in the process's list while it waits, then in the list of what is to
 *	   be unpinned; guarded by watch_lock
 * @pin:   keep whatever contains this alive, and tell whether that was still
 *	   possible; called under watch_lock, must not sleep
 * @run:   do it: what others must see at once, and no more; called under
 *	   drain_lock, may sleep
 * @unpin: give the pin back; called from a work item, may sleep
 *
 * It runs at most once. Its container withdraws it with ipcx_death_cancel()
 * before it goes.
 */
struct ipcx_death {
	struct list_head node;
	bool (*pin)(struct ipcx_death *death);
	void (*run)(struct ipcx_death *death);
	void (*unpin)(struct ipcx_death *death);
};

int ipcx_death_watch(struct ipcx_death *death);
void ipcx_death_cancel(struct ipcx_death *death);

extern atomic_t ipcx_deaths_pending;
void __ipcx_death_drain(void);

/**
 * ipcx_death_drain - have done what dead processes leave to be done
 *
 * Every command and every netlink request starts with this. The work item would
 * get there as well, but a parent that has reaped its child must see what the child's death did.
 */
static inline void ipcx_death_drain(void)
{
	/*
	 * The count rises before the process can be reaped, and a parent that
	 * has reaped it has held tasklist_lock since: a plain read sees it.
	 */
	if (unlikely(atomic_read(&ipcx_deaths_pending)))
		__ipcx_death_drain();
}

void ipcx_death_settle(void);

void ipcx_death_init(void);
void ipcx_death_uninit(void);

#endif /* _IPCX_DEATH_H */
