// SPDX-License-Identifier: GPL-2.0
/*
 * What dead processes leave to be done.
 *
 * A process whose death matters has one record, hooked into the wait queue of
 * its struct pid that pidfds poll. That queue is woken when the process turns
 * into a zombie: after the last of its threads has left, however it died,
 * never at exec, and before anybody can reap it.
 *
 *	exit_notify()			tasklist_lock held, interrupts off
 *	  process_woken()		count, llist, work: no lock of ours
 *	  ...
 *	waitpid() returns		the parent goes on
 *	  any command			ipcx_death_drain(): count is not 0
 *	    bury()			each death's run()
 *	  ...
 *	work item			each death's unpin()
 *
 * Freeing what thousands of deaths leave takes long, and strangers wait for the
 * drain: so they wait for run() alone.
 *
 * A record stays until its process dies or the module goes: there is at most
 * one for each living process.
 *
 * Locks: drain_lock is outermost; a death's run() takes what it needs inside
 * it. watch_lock guards the table and the lists, and nothing but the pid's wait
 * queue nests in it.
 */
#include <linux/hashtable.h>
#include <linux/llist.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "death.h"

/**
 * struct process - a process whose death matters
 * @node:   in processes, until it is buried; guarded by watch_lock
 * @pid:    the thread group's, a reference
 * @wait:   in pid->wait_pidfd, until it has fired
 * @dead:   in dead_processes, once it has fired
 * @deaths: struct ipcx_death by node; guarded by watch_lock
 *
 * Freed by bury(), or by ipcx_death_uninit().
 */
struct process {
	struct hlist_node node;
	struct pid *pid;
	wait_queue_entry_t wait;
	struct llist_node dead;
	struct list_head deaths;
};

static DEFINE_SPINLOCK(watch_lock);
static DEFINE_HASHTABLE(processes, 10);

/* Deaths that have been run and are still pinned; guarded by watch_lock. */
static LIST_HEAD(remains);

/* Processes that have died and are not yet buried, and how many. */
static LLIST_HEAD(dead_processes);
atomic_t ipcx_deaths_pending = ATOMIC_INIT(0);

static DEFINE_MUTEX(drain_lock);
static struct work_struct drain_work;

/*
 * Called by the pid's wait queue, its lock held, interrupts off, usually under
 * tasklist_lock. The queue is also woken when a thread group's leader has gone
 * before its threads; then the process is still alive.
 */
static int process_woken(wait_queue_entry_t *wait, unsigned int mode, int flags,
			 void *key)
{
	struct process *process = container_of(wait, struct process, wait);
	struct task_struct *task;
	bool alive;

	rcu_read_lock();
	task = pid_task(process->pid, PIDTYPE_TGID);
	alive = task && atomic_read(&task->signal->live);
	rcu_read_unlock();
	if (alive)
		return 0;

	list_del_init(&wait->entry);
	atomic_inc(&ipcx_deaths_pending);
	llist_add(&process->dead, &dead_processes);
	queue_work(system_unbound_wq, &drain_work);
	return 0;
}

static struct process *process_find(struct pid *pid)
{
	struct process *process;

	lockdep_assert_held(&watch_lock);
	hash_for_each_possible(processes, process, node, (unsigned long)pid)
		if (process->pid == pid)
			return process;
	return NULL;
}

static struct process *process_alloc(struct pid *pid)
{
	struct process *process = kzalloc(sizeof(*process), GFP_KERNEL_ACCOUNT);

	if (!process)
		return NULL;
	process->pid = get_pid(pid);
	INIT_LIST_HEAD(&process->deaths);
	init_waitqueue_func_entry(&process->wait, process_woken);
	return process;
}

static void process_free(struct process *process)
{
	if (!process)
		return;
	put_pid(process->pid);
	kfree(process);
}

/**
 * ipcx_death_watch - have something done when the calling process has died
 * @death: what; its functions are set
 *
 * Return: 0 or -ENOMEM.
 */
int ipcx_death_watch(struct ipcx_death *death)
{
	struct pid *pid = task_tgid(current);
	struct process *process, *fresh = NULL;

	spin_lock(&watch_lock);
	process = process_find(pid);
	if (!process) {
		spin_unlock(&watch_lock);
		fresh = process_alloc(pid);
		if (!fresh)
			return -ENOMEM;
		spin_lock(&watch_lock);
		process = process_find(pid);
		if (!process) {
			process = fresh;
			fresh = NULL;
			hash_add(processes, &process->node, (unsigned long)pid);
			/* The process lives: the caller is one of its threads. */
			add_wait_queue(&pid->wait_pidfd, &process->wait);
		}
	}
	list_add_tail(&death->node, &process->deaths);
	spin_unlock(&watch_lock);
	process_free(fresh);
	return 0;
}

/**
 * ipcx_death_cancel - forget it
 * @death: has been watched, or its node has been initialised
 *
 * Afterwards run() won't be called. Not for one that pin() has succeeded on and
 * unpin() hasn't yet been called for: its container is pinned.
 */
void ipcx_death_cancel(struct ipcx_death *death)
{
	spin_lock(&watch_lock);
	list_del_init(&death->node);
	spin_unlock(&watch_lock);
}

/* The next death of the process that can still be run, pinned. */
static struct ipcx_death *death_pop(struct process *process)
{
	struct ipcx_death *death;

	spin_lock(&watch_lock);
	while ((death = list_first_entry_or_null(&process->deaths,
						 struct ipcx_death, node))) {
		list_del_init(&death->node);
		if (death->pin(death))
			break;
	}
	spin_unlock(&watch_lock);
	return death;
}

static void bury(struct process *process)
{
	struct ipcx_death *death;

	lockdep_assert_held(&drain_lock);
	while ((death = death_pop(process))) {
		death->run(death);
		spin_lock(&watch_lock);
		list_add_tail(&death->node, &remains);
		spin_unlock(&watch_lock);
		cond_resched();
	}
	spin_lock(&watch_lock);
	hash_del(&process->node);
	spin_unlock(&watch_lock);
	process_free(process);
}

/*
 * Whoever finds a pending death waits on drain_lock until it has been run, by
 * him or by somebody else: the count falls afterwards.
 */
void __ipcx_death_drain(void)
{
	struct process *process, *next;
	struct llist_node *dead;

	mutex_lock(&drain_lock);
	dead = llist_reverse_order(llist_del_all(&dead_processes));
	llist_for_each_entry_safe(process, next, dead, dead) {
		bury(process);
		atomic_dec(&ipcx_deaths_pending);
		/* It may have run before this had anything for it. */
		queue_work(system_unbound_wq, &drain_work);
	}
	mutex_unlock(&drain_lock);
}

/* One batch, and what comes meanwhile at the next run: who flushes must get through. */
static void drain_work_fn(struct work_struct *work)
{
	struct ipcx_death *death, *next;
	LIST_HEAD(batch);

	ipcx_death_drain();
	spin_lock(&watch_lock);
	list_splice_init(&remains, &batch);
	spin_unlock(&watch_lock);
	list_for_each_entry_safe(death, next, &batch, node) {
		list_del_init(&death->node);
		death->unpin(death);
		cond_resched();
	}
}

/**
 * ipcx_death_settle - wait until what dead processes held has been freed
 *
 * For who finds his account full, and may have reaped the debtor. Not to be
 * called by unpin(), nor under a lock that run() or unpin() take.
 */
void ipcx_death_settle(void)
{
	flush_work(&drain_work);
}

void ipcx_death_init(void)
{
	INIT_WORK(&drain_work, drain_work_fn);
}

/*
 * No object is left, so no death is: what remains are records of processes
 * that live, and of some that die just now. Unhooking takes the wait queue's
 * lock, so no callback begins for a record that has been unhooked. One that is
 * under way is in an RCU read-side section (interrupts are off, or it holds
 * that lock): after the grace period it has queued its work. bury() takes
 * records from the table under drain_lock.
 */
void ipcx_death_uninit(void)
{
	struct process *process;
	struct hlist_node *next;
	unsigned int bucket;

	mutex_lock(&drain_lock);
	hash_for_each_safe(processes, bucket, next, process, node)
		remove_wait_queue(&process->pid->wait_pidfd, &process->wait);
	mutex_unlock(&drain_lock);
	synchronize_rcu();
	__ipcx_death_drain();
	cancel_work_sync(&drain_work);
	hash_for_each_safe(processes, bucket, next, process, node) {
		hash_del(&process->node);
		process_free(process);
	}
}
