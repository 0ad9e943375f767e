// SPDX-License-Identifier: GPL-2.0
/*
 * Sets of counting semaphores, operations on several at once, and what is undone when a
 * process dies.
 *
 * One spinlock guards a set. An operation is a vector of steps, tried in their order under
 * the lock: if one can't be done, those before it are taken back, and the vector waits in
 * the lists of the semaphores that it lowers or wants at 0. Whatever changes a value enters
 * the semaphore among the changed ones; before the lock is given back for good, those who
 * wait there are tried again, the oldest of them all first, and what that changes is looked
 * at in turn. So, with the lock free, no vector that waits can be done, unless it is held back.
 *
 * Fairness. Who comes later may take what is there while an older vector can't be done; but
 * a vector counts how often that has passed it, and from PASSES on it holds its semaphores:
 * nobody who came later lowers them. As all lists are in the order of coming, the oldest that
 * waits is held back by nobody, and none wait for one another.
 *
 * Undo. Each process that wants it has one record for the set, with what is to be added to
 * each semaphore when it has died (death.c). An owned semaphore names the record of the
 * process that has it.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "account.h"
#include "compat/compiler.h"
#include "compat/uio.h"
#include "death.h"
#include "ioctl.h"
#include "object.h"
#include "sem.h"
#include "wait.h"

/* So often a vector that waits is passed. */
#define PASSES		64

/* What is done in one section, at most: steps tried, or semaphores looked at. */
#define STEPS		1024

/* What is told or set at one moment; it stands on the stack. */
#define CHUNK		32

/* Vectors up to this are on the stack. */
#define FEW		4

/* Younger than all that wait. */
#define NEWCOMER	U64_MAX

/* A step can't be done now. */
#define MUST_WAIT	1

/* What files with O_ASYNC, and pollers, are told of. */
#define NEWS_IN		1
#define NEWS_OUT	2

struct vector;

/**
 * struct entry - a step of a vector that waits, in a semaphore's list
 * @node:   in sem->downs or sem->zeros
 * @vector: whose
 */
struct entry {
	struct list_head node;
	struct vector *vector;
};

/**
 * struct sem - a semaphore
 * @value:     its value
 * @settings:  how often it was set: what was to be undone before that isn't any more
 * @held:      the oldest of @downs that was passed too often, or NULL
 * @nr_downs:  vectors that can't be done because this is too low
 * @nr_zeros:  vectors that can't be done because this is not 0
 * @passed_in: what last lowered it past those in @downs, as set->done tells
 * @abandoned: its holder has died, and it was not taken since
 * @full:      @value was the largest when it last moved
 * @holder:    of an owned one: who has it, or NULL
 * @downs:     vectors that lower it, oldest first
 * @zeros:     vectors that want it at 0, likewise
 * @retry:     of these, the entry that is to be tried again next, or NULL
 * @changed:   in set->changed, if there is one
 * @pid:       who operated on it last, a reference or NULL
 * @poll:      who polls it
 */
struct sem {
	u32 value;
	u32 settings;
	u32 nr_downs;
	u32 nr_zeros;
	struct vector *held;
	u64 passed_in;
	bool abandoned;
	bool full;
	struct undo *holder;
	struct list_head downs;
	struct list_head zeros;
	struct entry *retry;
	struct rb_node changed;
	struct pid *pid;
	wait_queue_head_t poll;
};

/**
 * struct set - a set of semaphores
 * @obj:      common part
 * @nr:       how many; doesn't change, nor do the three that follow
 * @owned:    each is held by a process, or by none
 * @max:      largest value
 * @sems:     the semaphores
 * @lock:     guards all that follows, and the semaphores; the order is in
 *	      Documentation/locking.rst
 * @changed:  semaphores with waiters to be tried again, by the age of the first of these;
 *	      empty while @lock is free, but between the sections of one who tries many
 * @undos:    struct undo by pid
 * @seq:      vectors that have waited
 * @done:     operations that were done
 * @nr_downs: vectors that wait for a semaphore to rise
 * @nr_zeros: vectors that wait for one to be 0
 * @last:     the semaphore that was operated on, set or undone last
 * @last_ns:  when
 * @files_rd: open files that can read
 * @files_wr: open files that can write
 * @fasync:   files with O_ASYNC; guarded by the fasync code
 * @spin:     how long who waits looks before he sleeps; without @lock
 */
struct set {
	struct ipcx_object obj;
	u32 nr;
	bool owned;
	u32 max;
	struct sem *sems;
	spinlock_t lock;	/* all that follows */
	struct rb_root_cached changed;
	struct rb_root undos;
	u64 seq;
	u64 done;
	u32 nr_downs;
	u32 nr_zeros;
	struct sem *last;
	u64 last_ns;
	u32 files_rd;
	u32 files_wr;
	struct fasync_struct *fasync;
	struct ipcx_spin spin;
};

/**
 * struct adjust - what a process's death adds to a semaphore
 * @delta:    so much, -INT_MAX to INT_MAX
 * @settings: if the semaphore's is another by now, @delta is 0. That it comes round takes
 *	      2^32 settings, by one who can set any value
 */
struct adjust {
	s32 delta;
	u32 settings;
};

/**
 * struct undo - what a process's death does to a set
 * @node:    in set->undos
 * @set:     which; the record goes before it
 * @pid:     whose, a reference
 * @death:   how we learn of it
 * @charge:  what the record is charged, to who has caused it
 * @adjusts: by index; none if the set is owned
 *
 * All but @death is guarded by set->lock. It is found by its process alone, and so stays
 * while one of the process's threads is in an operation.
 */
struct undo {
	struct rb_node node;
	struct set *set;
	struct pid *pid;
	struct ipcx_death death;
	struct ipcx_charge *charge;
	struct adjust adjusts[];
};

/**
 * struct vector - operations that are done together
 * @steps:   what, checked
 * @nr:      how many
 * @pid:     of the process
 * @undo:    its record, or NULL if it needs none
 * @undoes:  it needs one
 * @blocked: the step that couldn't be done
 * @result:  of one that was done: 1, or -EOWNERDEAD
 * @seq:     its age, less is older; NEWCOMER while it doesn't wait
 * @passed:  how often it was passed while it waits
 * @passed_in: when it was last, as set->done tells
 * @entries: by step, while it waits
 * @waiter:  with @result or an errno
 */
struct vector {
	const struct ipcx_sem_op *steps;
	u32 nr;
	struct pid *pid;
	struct undo *undo;
	bool undoes;
	u32 blocked;
	int result;
	u64 seq;
	u32 passed;
	u64 passed_in;
	struct entry *entries;
	struct ipcx_waiter waiter;
};

/**
 * struct section - from taking a set's lock to giving it back
 * @news:  NEWS_IN: a semaphore has risen; NEWS_OUT: one has fallen from its maximum
 * @tried: steps that were tried for others
 * @wakes: tasks to wake
 */
struct section {
	u32 news;
	u32 tried;
	struct ipcx_wakes wakes;
};

/**
 * struct sem_file - an open file of a set
 * @handle: common part
 * @index:  the semaphore that it means; one word, for itself
 */
struct sem_file {
	struct ipcx_handle handle;
	u32 index;
};

static struct set *to_set(struct ipcx_object *obj)
{
	return container_of(obj, struct set, obj);
}

static struct sem_file *to_sem_file(struct ipcx_handle *handle)
{
	return container_of(handle, struct sem_file, handle);
}

/* ---- The lock ---- */

static __always_inline void section_init(struct section *s)
{
	s->news = 0;
	s->tried = 0;
	s->wakes.nr = 0;
}

static __always_inline void set_lock(struct set *set, struct section *s)
	__acquires(&set->lock)
{
	section_init(s);
	spin_lock(&set->lock);
}

static noinline void set_signal(struct set *set, u32 news)
{
	if (news & NEWS_IN)
		kill_fasync(&set->fasync, SIGIO, POLL_IN);
	if (news & NEWS_OUT)
		kill_fasync(&set->fasync, SIGIO, POLL_OUT);
}

static __always_inline void set_unlock(struct set *set, struct section *s)
	__releases(&set->lock)
{
	if (s->wakes.nr)
		ipcx_wakes_unlock(&s->wakes, &set->lock);
	else
		spin_unlock(&set->lock);
	/* As kill_fasync() itself looks: who comes meanwhile had to come before. */
	if (s->news && READ_ONCE(set->fasync))
		set_signal(set, s->news);
}

/* Let others at it, in the middle of a long work. */
static void set_relax(struct set *set, struct section *s)
	__releases(&set->lock) __acquires(&set->lock)
{
	set_unlock(set, s);
	ipcx_relax();
	set_lock(set, s);
}

/* ---- Undo ---- */

static int undo_cmp(const void *key, const struct rb_node *node)
{
	const struct undo *undo = rb_entry(node, struct undo, node);

	return key < (void *)undo->pid ? -1 : key > (void *)undo->pid;
}

static struct undo *undo_find(const struct set *set, const struct pid *pid)
{
	struct rb_node *node = rb_find(pid, &set->undos, undo_cmp);

	lockdep_assert_held(&set->lock);
	return node ? rb_entry(node, struct undo, node) : NULL;
}

static void undo_free(struct undo *undo)
{
	ipcx_uncharge(undo->charge);
	put_pid(undo->pid);
	kvfree(undo);
}

static bool undo_pin(struct ipcx_death *death)
{
	struct undo *undo = container_of(death, struct undo, death);

	return ipcx_object_tryget(&undo->set->obj);
}

static void undo_unpin(struct ipcx_death *death)
{
	struct undo *undo = container_of(death, struct undo, death);
	struct set *set = undo->set;

	undo_free(undo);
	ipcx_object_put(&set->obj);
}

static void undo_run(struct ipcx_death *death);

static struct undo *undo_alloc(struct set *set)
{
	struct undo *undo;
	size_t size = struct_size(undo, adjusts, set->owned ? 0 : set->nr);

	undo = kvzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!undo)
		return ERR_PTR(-ENOMEM);
	undo->charge = ipcx_charge(set->obj.ns, 0, size + sizeof(struct pid));
	if (IS_ERR(undo->charge)) {
		struct ipcx_charge *err = undo->charge;

		kvfree(undo);
		return ERR_CAST(err);
	}
	undo->set = set;
	undo->pid = get_pid(task_tgid(current));
	undo->death.pin = undo_pin;
	undo->death.run = undo_run;
	undo->death.unpin = undo_unpin;
	return undo;
}

static int undo_cmp_node(struct rb_node *a, const struct rb_node *b)
{
	return undo_cmp(rb_entry(a, struct undo, node)->pid, b);
}

/* The calling process gets a record, if another thread hasn't just made one. */
static int undo_make(struct set *set)
{
	struct undo *undo = undo_alloc(set);
	bool raced;
	int err;

	if (IS_ERR(undo))
		return PTR_ERR(undo);
	/* It may not die before it is found: the process lives while we are here. */
	err = ipcx_death_watch(&undo->death);
	if (err) {
		undo_free(undo);
		return err;
	}
	spin_lock(&set->lock);
	raced = rb_find_add(&undo->node, &set->undos, undo_cmp_node);
	spin_unlock(&set->lock);
	if (raced) {
		ipcx_death_cancel(&undo->death);
		undo_free(undo);
	}
	return 0;
}

/* What is to be added to a semaphore when the process dies. */
static struct adjust *undo_adjust(struct set *set, struct undo *undo, u32 index)
{
	struct adjust *adjust = &undo->adjusts[index];

	lockdep_assert_held(&set->lock);
	if (adjust->settings != set->sems[index].settings) {
		adjust->settings = set->sems[index].settings;
		adjust->delta = 0;
	}
	return adjust;
}

/* ---- Who waits ---- */

/* May who has this age not lower it? */
static bool is_held_back(const struct sem *sem, u64 seq)
{
	return sem->held && sem->held->seq < seq;
}

static bool retries_before(struct rb_node *a, const struct rb_node *b)
{
	const struct sem *sem_a = rb_entry(a, struct sem, changed);
	const struct sem *sem_b = rb_entry(b, struct sem, changed);

	return sem_a->retry->vector->seq < sem_b->retry->vector->seq;
}

/* Those who wait for it will be tried again from @at on, if that isn't the end of a list. */
static noinline __hot void sem_retry_from(struct set *set, struct sem *sem, struct list_head *at)
{
	lockdep_assert_held(&set->lock);
	if (sem->retry)
		rb_erase_cached(&sem->changed, &set->changed);
	sem->retry = NULL;
	if (at == &sem->downs || at == &sem->zeros)
		return;
	sem->retry = list_entry(at, struct entry, node);
	rb_add_cached(&sem->changed, &set->changed, retries_before);
}

/*
 * All who may be able to now will be tried again: who lowers it can't when it is 0 (or
 * could before), and who wants it at 0 can only then, or lowers it, too.
 */
static __always_inline void sem_retry(struct set *set, struct sem *sem)
{
	struct list_head *list = sem->value ? &sem->downs : &sem->zeros;

	if (!list_empty(list) || sem->retry)
		sem_retry_from(set, sem, list->next);
}

/* A process has operated on it, set it, or died. Of several the last is told of the set. */
static __always_inline void sem_sign(struct set *set, struct sem *sem, struct pid *pid)
{
	lockdep_assert_held(&set->lock);
	set->last = sem;
	if (sem->pid == pid)
		return;
	put_pid(sem->pid);
	sem->pid = get_pid(pid);
}

/* Now. */
static __always_inline void set_date(struct set *set)
{
	lockdep_assert_held(&set->lock);
	set->last_ns = ktime_get_coarse_real_ns();
}

static noinline void pollers_wake(struct sem *sem, u32 news)
{
	if (news & NEWS_IN)
		wake_up_interruptible_poll(&sem->poll, EPOLLIN | EPOLLRDNORM);
	if (news & NEWS_OUT)
		wake_up_interruptible_poll(&sem->poll, EPOLLOUT | EPOLLWRNORM);
}

/* Its value is another now, greater if it @rose: tell whom that concerns. */
static __always_inline void
sem_moved(struct set *set, struct section *s, struct sem *sem, bool rose)
{
	u32 news = rose ? NEWS_IN : sem->full ? NEWS_OUT : 0;

	lockdep_assert_held(&set->lock);
	sem->full = sem->value == set->max;
	s->news |= news;
	/* Who can only when it has fallen wants it at 0 in the end. */
	if (rose || !sem->value || !list_empty(&sem->zeros))
		sem_retry(set, sem);
	/* Who polls was on this list before he took the lock. */
	if (waitqueue_active(&sem->poll))
		pollers_wake(sem, news);
}

/* Count a vector that waits for a step: @n is 1 or -1. */
static void step_count(struct set *set, const struct ipcx_sem_op *step, int n)
{
	struct sem *sem = &set->sems[step->index];

	lockdep_assert_held(&set->lock);
	if (step->delta) {
		sem->nr_downs += n;
		set->nr_downs += n;
	} else {
		sem->nr_zeros += n;
		set->nr_zeros += n;
	}
}

static void vector_list(struct set *set, struct vector *vector)
{
	u32 i;

	lockdep_assert_held(&set->lock);
	vector->seq = ++set->seq;
	vector->passed = 0;
	vector->passed_in = set->done;
	for (i = 0; i < vector->nr; i++) {
		const struct ipcx_sem_op *step = &vector->steps[i];
		struct sem *sem = &set->sems[step->index];

		if (step->delta > 0)
			continue;
		vector->entries[i].vector = vector;
		list_add_tail(&vector->entries[i].node,
			      step->delta ? &sem->downs : &sem->zeros);
	}
	step_count(set, &vector->steps[vector->blocked], 1);
}

/* Whom it held back may go on, unless another holds it. */
static void sem_let_go(struct set *set, struct sem *sem)
{
	struct entry *entry;

	lockdep_assert_held(&set->lock);
	sem->held = NULL;
	list_for_each_entry(entry, &sem->downs, node) {
		if (entry->vector->passed >= PASSES) {
			sem->held = entry->vector;
			break;
		}
	}
	sem_retry(set, sem);
	wake_up_interruptible_poll(&sem->poll, EPOLLIN | EPOLLRDNORM);
}

static __hot void vector_unlist(struct set *set, struct vector *vector)
{
	u32 i;

	lockdep_assert_held(&set->lock);
	step_count(set, &vector->steps[vector->blocked], -1);
	for (i = 0; i < vector->nr; i++) {
		struct sem *sem = &set->sems[vector->steps[i].index];
		struct entry *entry = &vector->entries[i];

		if (vector->steps[i].delta > 0)
			continue;
		if (sem->retry == entry)
			sem_retry_from(set, sem, entry->node.next);
		list_del(&entry->node);
	}
	if (vector->passed < PASSES)
		return;
	for (i = 0; i < vector->nr; i++) {
		struct sem *sem = &set->sems[vector->steps[i].index];

		if (sem->held == vector)
			sem_let_go(set, sem);
	}
}

/* It was passed by what is done just now. Who waits for others, too, holds nobody back. */
static void vector_passed(struct set *set, struct vector *vector)
{
	u32 i;

	lockdep_assert_held(&set->lock);
	if (vector->passed_in == set->done || vector->waiter.slot)
		return;
	vector->passed_in = set->done;
	if (++vector->passed != PASSES)
		return;
	for (i = 0; i < vector->nr; i++) {
		struct sem *sem = &set->sems[vector->steps[i].index];

		if (vector->steps[i].delta < 0 && !is_held_back(sem, vector->seq))
			sem->held = vector;
	}
}

/*
 * A vector lowers it, and so passes those who came before and want that, too: once, in
 * however many steps, for each may walk along a list of hundreds of thousands.
 */
static noinline void sem_pass(struct set *set, struct sem *sem, const struct vector *vector)
{
	struct entry *entry;

	lockdep_assert_held(&set->lock);
	if (sem->passed_in == set->done)
		return;
	sem->passed_in = set->done;
	list_for_each_entry(entry, &sem->downs, node) {
		if (entry->vector == vector)
			break;
		vector_passed(set, entry->vector);
	}
}

static void vector_release(struct set *set, struct section *s, struct vector *vector,
			   int result)
{
	lockdep_assert_held(&set->lock);
	vector_unlist(set, vector);
	ipcx_waiter_release(&vector->waiter, result, &s->wakes);
}

/* Off the lists, not done: he has something else, or looks himself. */
static void vector_drop(struct set *set, struct vector *vector)
{
	lockdep_assert_held(&set->lock);
	vector_unlist(set, vector);
	ipcx_waiter_drop(&vector->waiter);
}

/* ---- Operations ---- */

/*
 * None of an owned set's steps may be one that its process can't do in any order: before the
 * first is waited for. Later another thread may have taken one; then that is waited for.
 */
static noinline int owned_check(struct set *set, struct vector *vector)
{
	u32 i;

	lockdep_assert_held(&set->lock);
	for (i = 0; i < vector->nr; i++) {
		const struct ipcx_sem_op *step = &vector->steps[i];
		const struct undo *holder = set->sems[step->index].holder;
		bool mine = holder && holder == vector->undo;

		vector->blocked = i;
		if (step->delta < 0 && mine)
			return -EDEADLK;
		if (step->delta > 0 && !mine)
			return -EPERM;
	}
	return 0;
}

static int owned_step(struct sem *sem, const struct vector *vector, s32 delta)
{
	if (delta > 0) {
		if (!vector->undo || sem->holder != vector->undo)
			return -EPERM;
		sem->holder = NULL;
	} else {
		if (sem->holder)
			return MUST_WAIT;
		sem->holder = vector->undo;
	}
	sem->value += delta;
	return 0;
}

static __always_inline int
counted_step(struct set *set, const struct vector *vector,
	     const struct ipcx_sem_op *step)
{
	struct sem *sem = &set->sems[step->index];
	s64 value = (s64)sem->value + step->delta;
	struct adjust *adjust;
	s64 undo;

	if (value < 0)
		return MUST_WAIT;
	if (value > set->max)
		return -EOVERFLOW;
	if (step->flags & IPCX_SEM_UNDO) {
		adjust = undo_adjust(set, vector->undo, step->index);
		undo = (s64)adjust->delta - step->delta;
		if (undo > INT_MAX || undo < -INT_MAX)
			return -EOVERFLOW;
		adjust->delta = undo;
	}
	sem->value = value;
	return 0;
}

/* Do one step: 0, MUST_WAIT or an errno. */
static __always_inline int
step_do(struct set *set, const struct vector *vector,
	const struct ipcx_sem_op *step)
{
	struct sem *sem = &set->sems[step->index];

	lockdep_assert_held(&set->lock);
	if (!step->delta)
		return sem->value ? MUST_WAIT : 0;
	if (step->delta < 0 && is_held_back(sem, vector->seq))
		return MUST_WAIT;
	return set->owned ? owned_step(sem, vector, step->delta) :
			    counted_step(set, vector, step);
}

/* A step that was done wasn't. */
static void step_take_back(struct set *set, const struct vector *vector,
			   const struct ipcx_sem_op *step)
{
	struct sem *sem = &set->sems[step->index];

	lockdep_assert_held(&set->lock);
	if (!step->delta)
		return;
	sem->value -= step->delta;
	if (set->owned)
		sem->holder = step->delta > 0 ? vector->undo : NULL;
	else if (step->flags & IPCX_SEM_UNDO)
		undo_adjust(set, vector->undo, step->index)->delta += step->delta;
}

/* It was done: what others see of that. */
static __always_inline void
step_done(struct set *set, struct section *s, struct vector *vector,
	  const struct ipcx_sem_op *step)
{
	struct sem *sem = &set->sems[step->index];
	struct entry *first;

	sem_sign(set, sem, vector->pid);
	if (step->delta)
		sem_moved(set, s, sem, step->delta > 0);
	if (step->delta >= 0)
		return;
	if (sem->abandoned) {
		sem->abandoned = false;
		vector->result = -EOWNERDEAD;
	}
	first = list_first_entry_or_null(&sem->downs, struct entry, node);
	if (first && first->vector != vector)
		sem_pass(set, sem, vector);
}

/* Of its steps the first @n were done, and are not now. */
static __hot void vector_take_back(struct set *set, struct vector *vector, u32 n)
{
	lockdep_assert_held(&set->lock);
	while (n)
		step_take_back(set, vector, &vector->steps[--n]);
}

/* The steps before @i were done, and this one can't be: none was done. */
static noinline __hot int vector_block(struct set *set, struct vector *vector, u32 i, int ret)
{
	lockdep_assert_held(&set->lock);
	vector->blocked = i;
	vector_take_back(set, vector, i);
	if (ret == MUST_WAIT && vector->steps[vector->blocked].flags & IPCX_SEM_NOWAIT)
		return -EAGAIN;
	return ret;
}

/* Do all of its @nr steps, or nothing: 0, MUST_WAIT or an errno. vector_done() follows. */
static __always_inline int
vector_do(struct set *set, struct vector *vector, u32 nr)
{
	u32 i;
	int ret;

	lockdep_assert_held(&set->lock);
	for (i = 0; i < nr; i++) {
		ret = step_do(set, vector, &vector->steps[i]);
		if (ret)
			return vector_block(set, vector, i, ret);
	}
	return 0;
}

/* It was done, and won't be taken back. */
static __always_inline int
vector_done(struct set *set, struct section *s, struct vector *vector, u32 nr)
{
	u32 i;

	lockdep_assert_held(&set->lock);
	set->done++;
	vector->result = 1;
	for (i = 0; i < nr; i++)
		step_done(set, s, vector, &vector->steps[i]);
	set_date(set);
	return vector->result;
}

/* Try one that waits; tell what it has cost. */
static u32 vector_retry(struct set *set, struct section *s, struct vector *vector)
{
	u32 nr = vector->nr, was = vector->blocked;
	int ret = vector_do(set, vector, nr);

	if (ret == MUST_WAIT) {
		step_count(set, &vector->steps[was], -1);
		step_count(set, &vector->steps[vector->blocked], 1);
		return vector->blocked + 1;
	}
	vector->blocked = was;
	if (ipcx_waiter_claim(&vector->waiter)) {
		ret = ret ?: vector_done(set, s, vector, nr);
		vector_release(set, s, vector, ret);
	} else {
		if (!ret)
			vector_take_back(set, vector, nr);
		vector_drop(set, vector);
	}
	return nr;
}

/* The oldest who may be able to, whatever has changed, is tried first. */
static noinline __hot void changed_settle(struct set *set, struct section *s)
{
	struct rb_node *node;
	u64 tried = 0;

	lockdep_assert_held(&set->lock);
	while ((node = rb_first_cached(&set->changed))) {
		struct sem *sem = rb_entry(node, struct sem, changed);
		struct entry *entry = sem->retry;
		struct vector *vector = entry->vector;

		/* One that waits for several that have changed needs to be tried once. */
		if (vector->seq == tried) {
			s->tried++;
		} else {
			tried = vector->seq;
			s->tried += vector_retry(set, s, vector);
		}
		/* Who waits no more, and may be gone, is not the next any more. */
		if (sem->retry == entry)
			sem_retry_from(set, sem, entry->node.next);
		if (s->tried >= STEPS) {
			set_relax(set, s);
			tried = 0;
		}
	}
}

/* Who may be done now is, until nothing more comes of it. */
static __always_inline void set_settle(struct set *set, struct section *s)
{
	if (!RB_EMPTY_ROOT(&set->changed.rb_root))
		changed_settle(set, s);
}

static noinline __hot int
vector_wait(struct set *set, struct section *s, struct vector *vector,
	    const struct ipcx_patience *patience)
	__releases(&set->lock)
{
	int ret, err;

	ipcx_waiter_init(&vector->waiter, &set->spin, patience->slot);
	vector_list(set, vector);
	set_unlock(set, s);
	if (patience->slot)
		return -EIOCBQUEUED;
	ret = ipcx_waiter_wait(&vector->waiter, patience, &set->spin, &err);
	if (ret)
		return ret;
	set_lock(set, s);
	ret = vector->waiter.result;
	if (ipcx_waiter_waits(&vector->waiter)) {
		vector_drop(set, vector);
		set_settle(set, s);
		ret = err;
	}
	set_unlock(set, s);
	return ret;
}

/* Has who waits for many waited for this before? */
static bool patience_again(const struct ipcx_patience *patience)
{
	return patience->slot && patience->slot->again;
}

/* What is to be undone is known. The section ends here. */
static __always_inline int
vector_start(struct set *set, struct section *s, struct vector *vector, u32 nr,
	     const struct ipcx_patience *patience)
	__releases(&set->lock)
{
	int ret;

	/* Nobody passes those who are about to be done. */
	set_settle(set, s);
	ret = ipcx_object_removed(&set->obj) ? -EIDRM :
	      set->owned && !patience_again(patience) ? owned_check(set, vector) : 0;
	ret = ret ?: vector_do(set, vector, nr);
	if (ret == MUST_WAIT) {
		if (!patience->nonblock)
			return vector_wait(set, s, vector, patience);
		ret = -EAGAIN;
	} else if (!ret) {
		ret = vector_done(set, s, vector, nr);
		set_settle(set, s);
	}
	set_unlock(set, s);
	return ret;
}

/* As vector_run(), in a section that ends here. */
static __always_inline int
vector_run_locked(struct set *set, struct section *s, struct vector *vector, u32 nr,
		  const struct ipcx_patience *patience)
	__releases(&set->lock)
{
	int err;

	for (;;) {
		if (vector->undoes || set->owned)
			vector->undo = undo_find(set, vector->pid);
		if (!vector->undoes || vector->undo)
			return vector_start(set, s, vector, nr, patience);
		set_unlock(set, s);
		err = undo_make(set);
		if (err)
			return err;
		set_lock(set, s);
	}
}

/* Do all of it, as soon as that can be: 1, or an errno, of which -EOWNERDEAD is as 1. */
static int vector_run(struct set *set, struct vector *vector, u32 nr,
		      const struct ipcx_patience *patience)
{
	struct section s __uninitialized;

	set_lock(set, &s);
	return vector_run_locked(set, &s, vector, nr, patience);
}

static __always_inline void
vector_init(struct vector *vector, const struct ipcx_sem_op *steps, u32 nr,
	    struct entry *entries)
{
	vector->steps = steps;
	vector->nr = nr;
	vector->pid = task_tgid(current);
	vector->undo = NULL;
	vector->undoes = false;
	vector->seq = NEWCOMER;
	vector->entries = entries;
}

/* To take an owned one twice at once would be to wait for oneself. */
static int steps_once(struct vector *vector)
{
	u32 i, j;

	for (i = 1; i < vector->nr; i++)
		for (j = 0; j < i; j++)
			if (vector->steps[i].index == vector->steps[j].index) {
				vector->blocked = i;
				return -EINVAL;
			}
	return 0;
}

static int step_check(const struct set *set, const struct ipcx_sem_op *step)
{
	if (step->reserved || step->flags & ~(u32)(IPCX_SEM_UNDO | IPCX_SEM_NOWAIT))
		return -EINVAL;
	if (step->index >= set->nr)
		return -EFBIG;
	return -(s64)step->delta > set->max ? -EINVAL : 0;
}

/* Does it take a record of what to undo? Who gives an owned one back has it. */
static bool step_undoes(const struct set *set, const struct ipcx_sem_op *step)
{
	return set->owned ? step->delta < 0 :
			    step->delta && step->flags & IPCX_SEM_UNDO;
}

/*
 * What is a question must not be one of several that are waited for. What is wrong is in
 * vector->blocked. One task has as much in the lists as by one operation.
 */
static int steps_check(const struct set *set, struct vector *vector, bool *reading,
		       const struct ipcx_slot *slot)
{
	u32 i;
	int err;

	*reading = true;
	if (slot && vector->nr > IPCX_SEM_OPS_MAX / IPCX_WAIT_MAX)
		return -E2BIG;
	for (i = 0; i < vector->nr; i++) {
		const struct ipcx_sem_op *step = &vector->steps[i];

		vector->blocked = i;
		err = step_check(set, step);
		if (err)
			return err;
		if (slot && step->flags & IPCX_SEM_NOWAIT)
			return -EINVAL;
		if (step->delta)
			*reading = false;
		vector->undoes |= step_undoes(set, step);
	}
	return set->owned ? steps_once(vector) : 0;
}

static int steps_fetch(struct ipcx_sem_op *steps, const struct ipcx_sem_ops *req)
{
	const void __user *from = u64_to_user_ptr(req->ops);
	u32 i;
	int err;

	if (req->op_size == sizeof(*steps))
		return copy_from_user(steps, from, req->count * sizeof(*steps)) ? -EFAULT : 0;
	for (i = 0; i < req->count; i++) {
		err = copy_struct_from_user(&steps[i], sizeof(*steps),
					    from + (size_t)i * req->op_size, req->op_size);
		if (err)
			return err;
	}
	return 0;
}

/**
 * struct slot_vector - a vector of a choice
 * @vector:  it
 * @entries: its entries; its steps follow
 */
struct slot_vector {
	struct vector vector;
	struct entry entries[];
};

static int vector_leave(struct ipcx_slot *slot)
{
	struct slot_vector *v = slot->waiting;
	struct set *set = to_set(slot->obj);
	struct section s __uninitialized;
	int ret;

	set_lock(set, &s);
	if (ipcx_waiter_waits(&v->vector.waiter)) {
		vector_drop(set, &v->vector);
		set_settle(set, &s);
	}
	ret = v->vector.waiter.result;
	set_unlock(set, &s);
	kvfree(v);
	slot->waiting = NULL;
	return ret;
}

/* Do them, or list them with those who wait. */
static noinline int slot_run(struct set *set, const struct vector *what,
			     const struct ipcx_patience *patience)
{
	struct ipcx_slot *slot = patience->slot;
	struct slot_vector *v;
	size_t size = struct_size(v, entries, what->nr);
	struct ipcx_sem_op *steps;
	int ret;

	v = kvmalloc(size + array_size(what->nr, sizeof(*steps)),
		     GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!v)
		return -ENOMEM;
	steps = (void *)v + size;
	memcpy(steps, what->steps, array_size(what->nr, sizeof(*steps)));
	vector_init(&v->vector, steps, what->nr, v->entries);
	v->vector.undoes = what->undoes;
	slot->waiting = v;
	slot->leave = vector_leave;
	ret = vector_run(set, &v->vector, what->nr, patience);
	if (ret != -EIOCBQUEUED) {
		slot->waiting = NULL;
		kvfree(v);
	}
	return ret;
}

static int steps_run(struct ipcx_object *obj, struct ipcx_handle *handle,
		     const struct ipcx_sem_ops *req, struct ipcx_sem_op *steps,
		     struct entry *entries, const struct ipcx_patience *patience)
{
	struct vector vector __uninitialized;
	bool reading;
	int ret;

	vector_init(&vector, steps, req->count, entries);
	ret = steps_fetch(steps, req) ?:
	      steps_check(to_set(obj), &vector, &reading, patience->slot) ?:
	      ipcx_object_may(obj, handle, reading);
	if (!ret && patience->slot && !patience->nonblock)
		ret = slot_run(to_set(obj), &vector, patience);
	else if (!ret)
		ret = vector_run(to_set(obj), &vector, vector.nr, patience);
	return ret > 0 ? 0 : ret;
}

/**
 * ipcx_sem_step - a down of WAIT
 * @obj:      a set, with a user's reference of the caller, who may write it
 * @step:     what
 * @patience: with a slot
 *
 * Return: 0 or a negative errno.
 */
int ipcx_sem_step(struct ipcx_object *obj, const struct ipcx_sem_op *step,
		  const struct ipcx_patience *patience)
{
	struct set *set = to_set(obj);
	struct vector vector __uninitialized;
	struct entry entry __uninitialized;
	int ret = step_check(set, step);

	if (ret)
		return ret;
	vector_init(&vector, step, 1, &entry);
	vector.undoes = step_undoes(set, step);
	ret = patience->nonblock ? vector_run(set, &vector, 1, patience) :
				   slot_run(set, &vector, patience);
	return ret > 0 ? 0 : ret;
}

/* ---- Taking from several sets at once ---- */

/**
 * struct ipcx_sem_take - what WAIT takes from one set, when it can take all that it wants
 * @set:    from which
 * @vector: it never waits in the set's lists
 * @s:      of the section in which it was done
 * @steps:  what
 */
struct ipcx_sem_take {
	struct set *set;
	struct vector vector;
	struct section s;
	struct ipcx_sem_op steps[];
};

/* A record that the caller has stays while he is in an operation. */
static int take_undo(struct set *set, struct vector *vector)
{
	int err = 0;

	while (!err) {
		spin_lock(&set->lock);
		vector->undo = undo_find(set, vector->pid);
		spin_unlock(&set->lock);
		if (!vector->undoes || vector->undo)
			break;
		err = undo_make(set);
	}
	return err;
}

/**
 * ipcx_sem_take_new - get ready to take
 * @obj:   a set, which the caller may write
 * @steps: downs
 * @nr:    how many
 * @at:    of an error, the step
 *
 * Return: for the other functions of this kind, or an error pointer.
 */
struct ipcx_sem_take *ipcx_sem_take_new(struct ipcx_object *obj,
					const struct ipcx_sem_op *steps, u32 nr, u32 *at)
{
	struct ipcx_sem_take *take;
	bool reading;
	int err;

	*at = 0;
	take = kzalloc(struct_size(take, steps, nr), GFP_KERNEL_ACCOUNT);
	if (!take)
		return ERR_PTR(-ENOMEM);
	take->set = to_set(obj);
	memcpy(take->steps, steps, array_size(nr, sizeof(*steps)));
	vector_init(&take->vector, take->steps, nr, NULL);
	err = steps_check(take->set, &take->vector, &reading, NULL) ?:
	      take_undo(take->set, &take->vector);
	if (!err)
		return take;
	*at = take->vector.blocked;
	kfree(take);
	return ERR_PTR(err);
}

void ipcx_sem_take_free(struct ipcx_sem_take *take)
{
	kfree(take);
}

/**
 * ipcx_sem_take_check - before any wait: must it not be tried?
 * @take: the caller holds the set's lock
 * @at:   of an errno, the step
 *
 * Return: 0 or -EDEADLK.
 */
int ipcx_sem_take_check(struct ipcx_sem_take *take, u32 *at)
{
	int ret = take->set->owned ? owned_check(take->set, &take->vector) : 0;

	*at = take->vector.blocked;
	return ret;
}

/**
 * ipcx_sem_take_try - take it, for the time being
 * @take: the caller holds the set's lock
 * @at:   of an errno, the step
 *
 * Return: 0, and it will be ipcx_sem_take_done() or ipcx_sem_take_back() before the lock is
 * given back; -EAGAIN: not now; -EBUSY: after ipcx_sem_take_end(); another errno.
 */
int ipcx_sem_take_try(struct ipcx_sem_take *take, u32 *at)
{
	struct set *set = take->set;
	int ret;

	/* Others are about to be done, and come first. */
	if (!RB_EMPTY_ROOT(&set->changed.rb_root))
		return -EBUSY;
	ret = vector_do(set, &take->vector, take->vector.nr);
	*at = take->vector.blocked;
	return ret == MUST_WAIT ? -EAGAIN : ret;
}

/* As if it had not been tried; likewise under the lock. */
void ipcx_sem_take_back(struct ipcx_sem_take *take)
{
	vector_take_back(take->set, &take->vector, take->vector.nr);
}

/**
 * ipcx_sem_take_done - it is taken
 * @take: the caller holds the set's lock, and calls ipcx_sem_take_end() afterwards
 * @at:   of an abandoned one, the step
 *
 * Return: 0 or -EOWNERDEAD.
 */
int ipcx_sem_take_done(struct ipcx_sem_take *take, u32 *at)
{
	struct set *set = take->set;
	int ret;

	for (*at = 0; *at < take->vector.nr; (*at)++)
		if (set->sems[take->steps[*at].index].abandoned)
			break;
	ret = vector_done(set, &take->s, &take->vector, take->vector.nr);
	return min(ret, 0);
}

/* What follows from it for others, with no lock held. */
void ipcx_sem_take_end(struct ipcx_sem_take *take)
{
	u32 news = take->s.news;

	set_lock(take->set, &take->s);
	take->s.news = news;
	set_settle(take->set, &take->s);
	set_unlock(take->set, &take->s);
	take->s.news = 0;
}

/**
 * ipcx_sem_queue - whom an up of a semaphore wakes
 * @obj:   a set
 * @index: which
 *
 * Return: the queue, or NULL if there is no such semaphore.
 */
wait_queue_head_t *ipcx_sem_queue(struct ipcx_object *obj, u32 index)
{
	struct set *set = to_set(obj);

	return index < set->nr ? &set->sems[index].poll : NULL;
}

/**
 * ipcx_sem_op - %IPCX_IOC_SEM_OP
 * @obj:      a set, with a user's reference of the caller
 * @handle:   the file, or NULL on the device
 * @req:      what; count and sizes have been checked
 * @patience: how to wait
 *
 * Return: 0 or a negative errno.
 */
int ipcx_sem_op(struct ipcx_object *obj, struct ipcx_handle *handle,
		const struct ipcx_sem_ops *req,
		const struct ipcx_patience *patience)
{
	struct ipcx_sem_op few[FEW] __uninitialized;
	struct entry few_entries[FEW] __uninitialized;
	struct ipcx_sem_op *steps;
	struct entry *entries;
	int ret = -ENOMEM;

	if (req->count <= FEW)
		return steps_run(obj, handle, req, few, few_entries, patience);
	steps = kvmalloc_array(req->count, sizeof(*steps), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	entries = kvmalloc_array(req->count, sizeof(*entries), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (steps && entries)
		ret = steps_run(obj, handle, req, steps, entries, patience);
	kvfree(entries);
	kvfree(steps);
	return ret;
}

/*
 * A step that concerns nobody else: most do. Tell whether it was one, and was done; then all
 * is as if vector_start() had done it.
 */
static __always_inline bool step_alone(struct set *set, const struct ipcx_sem_op *step)
{
	struct sem *sem = &set->sems[step->index];
	s64 value = (s64)sem->value + step->delta;

	lockdep_assert_held(&set->lock);
	if (!step->delta || step->flags & IPCX_SEM_UNDO || value < 0 || value > set->max)
		return false;
	/* Who asks for signals meanwhile looks after that, and finds the lock taken. */
	if (set->owned || READ_ONCE(set->fasync) || ipcx_object_removed(&set->obj))
		return false;
	/* Who polls was on this list before he took the lock. */
	if (waitqueue_active(&sem->poll))
		return false;
	if (!list_empty(&sem->downs) || !list_empty(&sem->zeros))
		return false;
	sem->value = value;
	sem->full = value == set->max;
	sem_sign(set, sem, task_tgid(current));
	set_date(set);
	return true;
}

/* One that isn't. The section ends here. */
static noinline __hot int
one_run_locked(struct set *set, const struct ipcx_sem_op *step,
	       const struct ipcx_patience *patience)
	__releases(&set->lock)
{
	struct section s __uninitialized;
	struct vector vector __uninitialized;
	struct entry entry __uninitialized;
	int ret;

	section_init(&s);
	vector_init(&vector, step, 1, &entry);
	vector.undoes = step_undoes(set, step);
	ret = vector_run_locked(set, &s, &vector, 1, patience);
	return ret > 0 ? 0 : ret;
}

static __always_inline int
one_run(struct set *set, const struct ipcx_sem_op *step,
	const struct ipcx_patience *patience)
{
	spin_lock(&set->lock);
	if (!step_alone(set, step))
		return one_run_locked(set, step, patience);
	spin_unlock(&set->lock);
	return 0;
}

/**
 * ipcx_sem_one - %IPCX_IOC_SEM_ONE
 * @file: of a set
 * @step: what
 *
 * Return: 0 or a negative errno.
 */
__hot int ipcx_sem_one(struct file *file, const struct ipcx_sem_op *step)
{
	struct ipcx_handle *handle = file->private_data;
	struct set *set = to_set(handle->obj);
	struct ipcx_patience patience = ipcx_patience_of_file(file->f_flags & O_NONBLOCK);
	int err = step_check(set, step);

	if (err)
		return err;
	if (!(handle->f_mode & (step->delta ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	return one_run(set, step, &patience);
}

/* One step on the file's semaphore, for read(2) and write(2). */
static int file_step(struct ipcx_object *obj, struct ipcx_handle *handle, s32 delta,
		     const struct ipcx_patience *patience)
{
	const struct ipcx_sem_op step = {
		.index = handle ? READ_ONCE(to_sem_file(handle)->index) : 0,
		.delta = delta,
	};

	return one_run(to_set(obj), &step, patience);
}

static ssize_t sem_read(struct ipcx_object *obj, struct ipcx_handle *handle,
			struct iov_iter *to, const struct ipcx_patience *patience)
{
	u64 taken = 1;
	int ret;

	ret = ipcx_object_may(obj, handle, false);
	if (ret)
		return ret;
	if (iov_iter_count(to) < sizeof(taken))
		return -EINVAL;
	/* What was taken can't be told any more if this fails: so it goes first. */
	if (copy_to_iter(&taken, sizeof(taken), to) < sizeof(taken))
		return -EFAULT;
	ret = file_step(obj, handle, -1, patience);
	return ret < 0 ? ret : sizeof(taken);
}

static ssize_t sem_write(struct ipcx_object *obj, struct ipcx_handle *handle,
			 struct iov_iter *from, const struct ipcx_patience *patience)
{
	struct set *set = to_set(obj);
	u64 n;
	int ret;

	if (iov_iter_count(from) < sizeof(n))
		return -EINVAL;
	if (!copy_from_iter_full(&n, sizeof(n), from))
		return -EFAULT;
	if (!n)
		return -EINVAL;
	if (n > set->max)
		return -EOVERFLOW;
	ret = file_step(obj, handle, n, patience);
	return ret < 0 ? ret : sizeof(n);
}

/* ---- Death ---- */

static void undo_one(struct set *set, struct section *s, struct undo *undo, u32 index)
{
	struct sem *sem = &set->sems[index];
	u32 before = sem->value;
	s32 delta;

	if (set->owned) {
		if (sem->holder != undo)
			return;
		sem->holder = NULL;
		sem->abandoned = true;
		delta = 1;
	} else {
		delta = undo_adjust(set, undo, index)->delta;
	}
	if (!delta)
		return;
	sem->value = clamp_t(s64, (s64)before + delta, 0, set->max);
	sem_sign(set, sem, undo->pid);
	set_date(set);
	if (sem->value != before)
		sem_moved(set, s, sem, sem->value > before);
}

/* The process is dead: nobody finds its record any more but who asks for a holder. */
static void undo_run(struct ipcx_death *death)
{
	struct undo *undo = container_of(death, struct undo, death);
	struct set *set = undo->set;
	struct section s __uninitialized;
	u32 i;

	set_lock(set, &s);
	for (i = 0; i < set->nr; i++) {
		undo_one(set, &s, undo, i);
		if (i % STEPS < STEPS - 1)
			continue;
		set_settle(set, &s);
		set_relax(set, &s);
	}
	set_settle(set, &s);
	rb_erase(&undo->node, &set->undos);
	set_unlock(set, &s);
}

/* ---- Looking and setting ---- */

static int range_check(const struct set *set, u32 first, u32 count)
{
	return first >= set->nr || count > set->nr - first ? -EFBIG : 0;
}

static void sem_tell(const struct sem *sem, struct pid_namespace *pid_ns,
		     struct ipcx_sem *told)
{
	*told = (struct ipcx_sem) {
		.value = sem->value,
		.flags = sem->abandoned ? IPCX_SEM_ABANDONED : 0,
		.waiting_down = sem->nr_downs,
		.waiting_zero = sem->nr_zeros,
		.pid = pid_nr_ns(sem->pid, pid_ns),
		.holder = sem->holder ? pid_nr_ns(sem->holder->pid, pid_ns) : 0,
	};
}

static int sems_copy(const struct ipcx_sem_get *req, const struct ipcx_sem *told, u32 at,
		     u32 n)
{
	void __user *to = u64_to_user_ptr(req->sems) + (size_t)at * req->sem_size;
	size_t size = min_t(size_t, req->sem_size, sizeof(*told));
	u32 i;

	for (i = 0; i < n; i++)
		if (copy_to_user(to + (size_t)i * req->sem_size, &told[i], size))
			return -EFAULT;
	return 0;
}

/**
 * ipcx_sem_get - %IPCX_IOC_SEM_GET
 * @obj: a set, with a user's reference of the caller, who may read it
 * @req: what; sizes have been checked
 *
 * Return: 0 or a negative errno.
 */
int ipcx_sem_get(struct ipcx_object *obj, const struct ipcx_sem_get *req)
{
	struct pid_namespace *pid_ns = task_active_pid_ns(current);
	struct ipcx_sem told[CHUNK] __uninitialized;
	struct set *set = to_set(obj);
	u32 at, i, n;
	int err = range_check(set, req->first, req->count);

	for (at = 0; at < req->count && !err; at += n) {
		n = min_t(u32, req->count - at, CHUNK);
		spin_lock(&set->lock);
		for (i = 0; i < n; i++)
			sem_tell(&set->sems[req->first + at + i], pid_ns, &told[i]);
		spin_unlock(&set->lock);
		err = sems_copy(req, told, at, n);
		cond_resched();
	}
	return err ?: ipcx_object_removed(obj) ? -EIDRM : 0;
}

static int values_check(const struct set *set, const u32 *values, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (values[i] > set->max)
			return -ERANGE;
	return 0;
}

static void values_set(struct set *set, u32 first, const u32 *values, u32 n)
{
	struct pid *pid = task_tgid(current);
	struct section s __uninitialized;
	u32 i;

	set_lock(set, &s);
	for (i = 0; i < n; i++) {
		struct sem *sem = &set->sems[first + i];
		u32 before = sem->value;

		sem->value = values[i];
		sem->settings++;
		sem_sign(set, sem, pid);
		if (sem->value != before)
			sem_moved(set, &s, sem, sem->value > before);
	}
	set_date(set);
	set_settle(set, &s);
	set_unlock(set, &s);
}

/**
 * ipcx_sem_set - %IPCX_IOC_SEM_SET
 * @obj: a set, with a user's reference of the caller, who may write it
 * @req: what; sizes have been checked
 *
 * Return: 0 or a negative errno.
 */
int ipcx_sem_set(struct ipcx_object *obj, const struct ipcx_sem_set *req)
{
	struct set *set = to_set(obj);
	u32 *values, at, n;
	int err = range_check(set, req->first, req->count);

	if (err)
		return err;
	if (set->owned)
		return -EPERM;
	values = kvmalloc_array(req->count, sizeof(*values), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!values)
		return -ENOMEM;
	err = copy_from_user(values, u64_to_user_ptr(req->values),
			     req->count * sizeof(*values)) ? -EFAULT :
	      values_check(set, values, req->count);
	for (at = 0; at < req->count && !err; at += n) {
		n = min_t(u32, req->count - at, CHUNK);
		values_set(set, req->first + at, values + at, n);
		cond_resched();
		err = ipcx_object_removed(obj) ? -EIDRM : 0;
	}
	kvfree(values);
	return err;
}

/**
 * ipcx_sem_file - %IPCX_IOC_SEM_FILE
 * @handle: a file of a set
 * @req:    what
 *
 * Return: 0 or a negative errno.
 */
int ipcx_sem_file(struct ipcx_handle *handle, const struct ipcx_sem_file *req)
{
	if (ipcx_object_removed(handle->obj))
		return -EIDRM;
	if (req->index >= to_set(handle->obj)->nr)
		return -EFBIG;
	WRITE_ONCE(to_sem_file(handle)->index, req->index);
	return 0;
}

/* ---- Object operations ---- */

/* What a semaphore takes, with the pid that it pins. */
#define SEM_OVERHEAD	(sizeof(struct sem) + sizeof(struct pid))

/**
 * ipcx_sem_limits - tell the limits of sets
 * @query: its fields of sets are filled in
 */
void ipcx_sem_limits(struct ipcx_query *query)
{
	query->sems_max = IPCX_SEMS_MAX;
	query->sem_ops_max = IPCX_SEM_OPS_MAX;
	query->sem_value_max = IPCX_SEM_VALUE_MAX;
	query->sem_overhead_bytes = SEM_OVERHEAD;
}

static int set_prepare(void *params, u64 *bytes)
{
	struct ipcx_sem_params *p = params;
	bool owned = p->flags & IPCX_SEM_OWNED;

	if (p->count > IPCX_SEMS_MAX || p->flags & ~(u32)IPCX_SEM_OWNED ||
	    p->max > IPCX_SEM_VALUE_MAX || (owned && (p->max > 1 || p->value)))
		return -EINVAL;
	p->count = p->count ?: 1;
	p->max = owned ? 1 : p->max ?: IPCX_SEM_VALUE_MAX;
	p->value = owned ? 1 : p->value;
	*bytes = p->count * SEM_OVERHEAD;
	return p->value > p->max ? -EINVAL : 0;
}

static int set_init(struct ipcx_object *obj, const void *params)
{
	const struct ipcx_sem_params *p = params;
	struct set *set = to_set(obj);
	u32 i;

	set->sems = kvcalloc(p->count, sizeof(*set->sems), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!set->sems)
		return -ENOMEM;
	for (i = 0; i < p->count; i++) {
		struct sem *sem = &set->sems[i];

		sem->value = p->value;
		sem->full = p->value == p->max;
		INIT_LIST_HEAD(&sem->downs);
		INIT_LIST_HEAD(&sem->zeros);
		init_waitqueue_head(&sem->poll);
	}
	spin_lock_init(&set->lock);
	set->changed = RB_ROOT_CACHED;
	set->undos = RB_ROOT;
	set->nr = p->count;
	set->owned = p->flags & IPCX_SEM_OWNED;
	set->max = p->max;
	set->last = set->sems;
	return 0;
}

static void set_destroy(struct ipcx_object *obj)
{
	struct set *set = to_set(obj);
	struct undo *undo, *next;
	u32 i;

	rbtree_postorder_for_each_entry_safe(undo, next, &set->undos, node) {
		ipcx_death_cancel(&undo->death);
		undo_free(undo);
		cond_resched();
	}
	for (i = 0; i < set->nr; i++) {
		put_pid(set->sems[i].pid);
		cond_resched();
	}
	kvfree(set->sems);
}

static int set_attach(struct ipcx_handle *handle, const struct ipcx_patience *patience)
{
	struct set *set = to_set(handle->obj);

	spin_lock(&set->lock);
	set->files_rd += !!(handle->f_mode & FMODE_READ);
	set->files_wr += !!(handle->f_mode & FMODE_WRITE);
	spin_unlock(&set->lock);
	return 0;
}

/* A set has no other side to wait for. */
static int set_open(struct ipcx_handle *handle, const struct ipcx_patience *patience)
{
	return ipcx_object_removed(handle->obj) ? -EIDRM : 0;
}

static void set_detach(struct ipcx_handle *handle)
{
	struct set *set = to_set(handle->obj);

	spin_lock(&set->lock);
	set->files_rd -= !!(handle->f_mode & FMODE_READ);
	set->files_wr -= !!(handle->f_mode & FMODE_WRITE);
	spin_unlock(&set->lock);
}

/* Send away one of those who wait for a semaphore. Tell whether there was none. */
static bool hang_up_one(struct set *set, struct section *s, struct list_head *list)
{
	struct entry *entry = list_first_entry_or_null(list, struct entry, node);

	if (!entry)
		return true;
	if (ipcx_waiter_claim(&entry->vector->waiter))
		vector_release(set, s, entry->vector, -EIDRM);
	else
		vector_drop(set, entry->vector);
	return false;
}

/* Nobody can come any more: whoever takes the lock from here on finds the object removed. */
static void set_remove(struct ipcx_object *obj)
{
	struct set *set = to_set(obj);
	struct section s __uninitialized;
	u32 i;

	set_lock(set, &s);
	for (i = 0; i < set->nr; i++) {
		struct sem *sem = &set->sems[i];

		while (!hang_up_one(set, &s, &sem->downs) ||
		       !hang_up_one(set, &s, &sem->zeros))
			if (++s.tried >= CHUNK)
				set_relax(set, &s);
		wake_up_interruptible_all(&sem->poll);
		if (++s.tried >= STEPS)
			set_relax(set, &s);
	}
	set_unlock(set, &s);
	kill_fasync(&set->fasync, SIGIO, POLL_HUP);
}

static void set_stat(struct ipcx_object *obj, struct pid_namespace *pid_ns,
		     struct ipcx_stat *stat)
{
	struct set *set = to_set(obj);

	spin_lock(&set->lock);
	stat->last_writer_pid = pid_nr_ns(set->last->pid, pid_ns);
	stat->write_ns = set->last_ns;
	stat->readers = set->files_rd;
	stat->writers = set->files_wr;
	stat->waiting_readers = set->nr_zeros;
	stat->waiting_writers = set->nr_downs;
	stat->sems = set->nr;
	stat->sem_flags = set->owned ? IPCX_SEM_OWNED : 0;
	stat->sem_max = set->max;
	spin_unlock(&set->lock);
}

/* ---- File operations ---- */

static ssize_t sem_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct ipcx_handle *handle = iocb->ki_filp->private_data;
	struct ipcx_patience patience = ipcx_patience_of_iocb(iocb);

	ipcx_death_drain();
	return sem_read(handle->obj, handle, to, &patience);
}

static ssize_t sem_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct ipcx_handle *handle = iocb->ki_filp->private_data;
	struct ipcx_patience patience = ipcx_patience_of_iocb(iocb);

	ipcx_death_drain();
	return sem_write(handle->obj, handle, from, &patience);
}

static __poll_t poll_events(const struct set *set, const struct sem *sem)
{
	__poll_t events = 0;

	lockdep_assert_held(&set->lock);
	if (ipcx_object_removed(&set->obj))
		return EPOLLHUP | EPOLLERR;
	if (sem->value && !is_held_back(sem, NEWCOMER))
		events |= EPOLLIN | EPOLLRDNORM;
	if (sem->value < set->max)
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

static spinlock_t *set_lock_of(struct ipcx_object *obj)
{
	return &to_set(obj)->lock;
}

static __poll_t set_events(struct ipcx_handle *handle)
{
	struct set *set = to_set(handle->obj);

	return poll_events(set, &set->sems[READ_ONCE(to_sem_file(handle)->index)]);
}

static __poll_t sem_poll(struct file *filp, poll_table *table)
{
	struct sem_file *file = to_sem_file(filp->private_data);
	struct set *set = to_set(file->handle.obj);
	struct sem *sem = &set->sems[READ_ONCE(file->index)];
	__poll_t events;

	ipcx_death_drain();
	/* Before the lock: whoever has news takes it, and looks here after that. */
	poll_wait(filp, &sem->poll, table);
	spin_lock(&set->lock);
	events = poll_events(set, sem);
	spin_unlock(&set->lock);
	return events;
}

static int sem_fasync(int fd, struct file *filp, int on)
{
	struct ipcx_handle *handle = filp->private_data;

	return fasync_helper(fd, filp, on, &to_set(handle->obj)->fasync);
}

/* What is done most often comes by a shorter way. */
static __hot long set_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct ipcx_sem_op step __uninitialized;

	if (cmd != IPCX_IOC_SEM_ONE)
		return ipcx_object_ioctl(filp, cmd, arg);
	ipcx_death_drain();
	if (_copy_from_user(&step, (void __user *)arg, sizeof(step)))
		return -EFAULT;
	return ipcx_sem_one(filp, &step);
}

static const struct file_operations set_fops = {
	.owner = THIS_MODULE,
	.open = ipcx_file_open,
	.release = ipcx_file_release,
	.read_iter = sem_read_iter,
	.write_iter = sem_write_iter,
	.poll = sem_poll,
	.fasync = sem_fasync,
	.unlocked_ioctl = set_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = ipcx_file_show_fdinfo,
};

const struct ipcx_type_ops ipcx_sem_type = {
	.name = "sem",
	.id = IPCX_TYPE_SEM,
	.s_ifmt = S_IFIFO,
	.object_size = sizeof(struct set),
	.handle_size = sizeof(struct sem_file),
	.params_size = sizeof(struct ipcx_sem_params),
	.params_min = sizeof(struct ipcx_sem_params),
	.fops = &set_fops,
	.prepare = set_prepare,
	.init = set_init,
	.destroy = set_destroy,
	.attach = set_attach,
	.open = set_open,
	.detach = set_detach,
	.remove = set_remove,
	.stat = set_stat,
	.read = sem_read,
	.write = sem_write,
	.lock = set_lock_of,
	.events = set_events,
};
