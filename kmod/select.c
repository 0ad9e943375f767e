// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for many: SELECT does one of several operations, WAIT waits for one of several
 * conditions, or for all.
 *
 * One of several. What can be done is, in random order. If nothing can, each operation is
 * listed with those who wait for its object (struct ipcx_slot, wait.h), and who has something
 * for it decides the choice by a compare-and-exchange of choice->state, under his object's
 * lock: so exactly one does. While the task itself looks, which may take long for a fault in
 * user memory, the choice is closed: whoever has something then gives it to others, and
 * leaves word (ipcx_slot_claim()).
 *
 * Pipes give nothing to anybody. They, and what is only looked at, are polled: they wake, and
 * the task closes the choice, looks, and opens it again.
 *
 * All. The task polls all of them and looks at all under their locks: whoever changes
 * something wakes him. So objects know nothing of it. Who has one of the locks only tries the
 * others.
 */
#include <linux/file.h>
#include <linux/ipcx.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "ioctl.h"
#include "object.h"
#include "select.h"
#include "sem.h"
#include "wait.h"

/* It is met, or was done, by nobody yet. */
#define NOT_NOW		-EAGAIN

struct many;

/**
 * struct poke - stands in a queue of pollers
 * @wait: the entry
 * @head: the queue
 * @one:  whose
 */
struct poke {
	wait_queue_entry_t wait;
	wait_queue_head_t *head;
	struct one *one;
};

/* A file has two sides at most. */
#define POKES		2

/**
 * struct one - one of what is waited for
 * @many:      all of them
 * @file:      a reference
 * @handle:    its private_data
 * @condition: of WAIT
 * @cmd:       of SELECT: the operation, or 0
 * @arg:       its argument
 * @polls:     it is looked at when it has been poked: it gives nothing
 * @polled:    it is in the queues of @pokes
 * @poked:     see struct ipcx_choice
 * @nr_pokes:  how many of @pokes
 * @pokes:     where it is polled
 * @slot:      where it waits
 */
struct one {
	struct many *many;
	struct file *file;
	struct ipcx_handle *handle;
	struct ipcx_condition condition;
	unsigned int cmd;
	u64 arg;
	bool polls;
	bool polled;
	bool poked;
	unsigned int nr_pokes;
	struct poke pokes[POKES];
	struct ipcx_slot slot;
};

/**
 * struct many - what a task waits for
 * @choice:   its choice
 * @patience: how
 * @table:    for poll(2)'s functions; @polling is who polls
 * @polling:  see @table
 * @nr:       how many
 * @order:    in which they are tried
 * @ones:     they
 */
struct many {
	struct ipcx_choice choice;
	const struct ipcx_patience *patience;
	poll_table table;
	struct one *polling;
	u32 nr;
	u8 order[IPCX_WAIT_MAX];
	struct one ones[];
};

/* ---- Polling ---- */

static int poke_wake(wait_queue_entry_t *wait, unsigned int mode, int flags, void *key)
{
	struct one *one = container_of(wait, struct poke, wait)->one;
	__poll_t news = key_to_poll(key);

	/* Who only leaves a pipe has changed nothing: he may just have looked, as we do. */
	if (one->handle->obj->type->moves && news && !(news & EPOLLMSG))
		return 0;
	WRITE_ONCE(one->poked, true);
	/* Pairs with many_list(): if this poke is forgotten there, the former is seen there. */
	smp_mb();
	/* The wake-up's barrier pairs with set_current_state() in choice_sleep(). */
	WRITE_ONCE(one->many->choice.poked, true);
	return default_wake_function(wait, mode, flags, key);
}

static void poke_add(struct one *one, wait_queue_head_t *head)
{
	struct poke *poke = &one->pokes[one->nr_pokes];

	if (WARN_ON_ONCE(one->nr_pokes == POKES))
		return;
	one->nr_pokes++;
	poke->one = one;
	poke->head = head;
	init_waitqueue_func_entry(&poke->wait, poke_wake);
	poke->wait.private = current;
	add_wait_queue(head, &poke->wait);
}

static void poke_table(struct file *file, wait_queue_head_t *head, poll_table *table)
{
	poke_add(container_of(table, struct many, table)->polling, head);
}

/* What poll(2) would tell; from now on the task is woken when that may be something else. */
static __poll_t one_poll(struct one *one)
{
	struct many *many = one->many;

	if (one->polled)
		return vfs_poll(one->file, NULL);
	one->polled = true;
	many->polling = one;
	return vfs_poll(one->file, &many->table);
}

static void one_unpoll(struct one *one)
{
	while (one->nr_pokes) {
		struct poke *poke = &one->pokes[--one->nr_pokes];

		remove_wait_queue(poke->head, &poke->wait);
	}
	one->polled = false;
}

static bool is_met(const struct one *one, __poll_t events)
{
	return events & (one->condition.what == IPCX_READABLE ?
				 EPOLLIN | EPOLLHUP | EPOLLERR : EPOLLOUT | EPOLLERR);
}

/* ---- One of several ---- */

static long condition_run(struct one *one, const struct ipcx_patience *patience)
{
	struct ipcx_object *obj = one->handle->obj;
	const struct ipcx_sem_op step = {
		.index = one->condition.index,
		.delta = -(s32)one->condition.down,
		.flags = one->condition.flags,
	};

	if (ipcx_object_removed(obj))
		return -EIDRM;
	if (one->condition.what == IPCX_DOWN)
		return ipcx_sem_step(obj, &step, patience);
	return is_met(one, vfs_poll(one->file, NULL)) ? 0 : NOT_NOW;
}

/* Do it now, or be -EAGAIN; if not @nonblock it may be listed: -EIOCBQUEUED. */
static long one_run(struct one *one, bool nonblock)
{
	const struct ipcx_patience patience = {
		.expires = KTIME_MAX,
		.clock = CLOCK_MONOTONIC,
		.nonblock = nonblock || one->polls,
		.restart = true,
		.slot = &one->slot,
	};
	long ret = one->cmd ? ipcx_case_run(one->file, one->cmd, one->arg, &patience) :
			      condition_run(one, &patience);

	/* What is interrupted while it looks has not begun to wait. */
	return ret == NOT_NOW && !nonblock && one->polls ? -EIOCBQUEUED : ret;
}

/* List it with those who wait, if it can't be done. */
static long one_list(struct one *one)
{
	if (one->polls ? one->polled && !READ_ONCE(one->poked) : !!one->slot.waiting)
		return -EIOCBQUEUED;
	WRITE_ONCE(one->poked, false);
	/* Pairs with poke_wake(): who pokes from here on wakes, or is seen below. */
	smp_mb();
	if (one->polls && !one->polled)
		one_poll(one);
	return one_run(one, false);
}

/* Off the lists; with what it was given, or 0. */
static int one_leave(struct one *one)
{
	one_unpoll(one);
	return one->slot.waiting ? one->slot.leave(&one->slot) : 0;
}

static long one_use(struct one *one, int given)
{
	struct ipcx_slot *slot = &one->slot;
	long ret = min(given, 0);

	if (!slot->waiting)
		return ret;
	slot->given = true;
	ret = one_run(one, false);
	if (slot->waiting)
		slot->give_back(slot);
	return ret;
}

/* All are as likely to be tried before any other. */
static void many_shuffle(struct many *many)
{
	u32 i, j;

	for (i = 0; i < many->nr; i++) {
		j = i ? (u64)get_random_u32() * (i + 1) >> 32 : 0;
		many->order[i] = many->order[j];
		many->order[j] = i;
	}
}

/* What can be done, without waiting; else -EAGAIN. */
static long many_try(struct many *many, u32 *index)
{
	u32 i;
	long ret;

	for (i = 0; i < many->nr; i++) {
		ret = one_run(&many->ones[many->order[i]], true);
		if (ret == NOT_NOW)
			continue;
		*index = many->order[i];
		return ret;
	}
	return NOT_NOW;
}

/* The same, or list those who aren't: -EIOCBQUEUED. The choice is closed. */
static long many_list(struct many *many, u32 *index)
{
	u32 i;
	long ret;

	WRITE_ONCE(many->choice.poked, false);
	/* Pairs with poke_wake(): who pokes from here on is seen here, or before he sleeps. */
	smp_mb();
	for (i = 0; i < many->nr; i++) {
		ret = one_list(&many->ones[many->order[i]]);
		if (ret == -EIOCBQUEUED)
			continue;
		*index = many->order[i];
		return ret;
	}
	return -EIOCBQUEUED;
}

/* Those who were dropped, while the choice was closed, are to be listed again. */
static void many_sweep(struct many *many)
{
	u32 i;

	/* A full barrier: pairs with ipcx_slot_claim(). */
	xchg(&many->choice.state, CHOICE_CLOSED);
	for (i = 0; i < many->nr; i++) {
		struct ipcx_slot *slot = &many->ones[i].slot;

		if (!READ_ONCE(slot->dropped))
			continue;
		/* Off the lists nobody drops it any more. */
		if (slot->waiting)
			slot->leave(slot);
		slot->dropped = false;
		slot->again = true;
	}
}

/* Sleep until the choice is made, or there is something to look at, however often that is. */
static int choice_sleep(struct ipcx_choice *choice, const struct ipcx_patience *patience)
{
	int err = 0;

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (READ_ONCE(choice->state) != CHOICE_OPEN || READ_ONCE(choice->poked) || err)
			break;
		err = ipcx_sleep(patience);
	}
	__set_current_state(TASK_RUNNING);
	return err ?: ipcx_patience_over(patience);
}

/*
 * Wait: with what was done in the end, or that -EIOCBQUEUED was, by another: then the
 * choice's state is which. What came before a signal or a deadline beats it.
 */
static long many_wait(struct many *many, u32 *index)
{
	struct ipcx_choice *choice = &many->choice;
	int err = 0;
	long ret;

	for (;;) {
		ret = many_list(many, index);
		if (ret != -EIOCBQUEUED)
			return ret;
		if (err)
			return err;
		if (cmpxchg(&choice->state, CHOICE_CLOSED, CHOICE_OPEN) == CHOICE_CLOSED) {
			err = choice_sleep(choice, many->patience);
			if (cmpxchg(&choice->state, CHOICE_OPEN, CHOICE_CLOSED) >= 0)
				return -EIOCBQUEUED;
		} else {
			many_sweep(many);
			err = ipcx_patience_over(many->patience);
		}
		cond_resched();
	}
}

/* Of all that are listed at most one was given something, and that is used. */
static long many_choose(struct many *many, u32 *index)
{
	int given = 0, result;
	long ret;
	u32 i;

	many_shuffle(many);
	ret = many_try(many, index);
	if (ret != NOT_NOW || many->patience->nonblock)
		return ret;
	many->choice.state = CHOICE_CLOSED;
	ret = many_wait(many, index);
	for (i = 0; i < many->nr; i++) {
		result = one_leave(&many->ones[i]);
		if (many->choice.state != i)
			continue;
		*index = i;
		given = result;
	}
	return ret == -EIOCBQUEUED ? one_use(&many->ones[*index], given) : ret;
}

/* ---- All ---- */

/**
 * struct all - what all conditions come to
 * @nr_locks: locks
 * @locks:    of all objects that have one, each once
 * @first:    the one that is waited for
 * @nr_takes: sets that are taken from
 * @takes:    what
 * @sets:     by take: of which set
 * @steps:    by take: the condition of each of its steps
 * @moves:    of conditions of objects without a lock: how far these have moved
 */
struct all {
	u32 nr_locks;
	spinlock_t *locks[IPCX_WAIT_MAX];	/* the objects' */
	u32 first;
	u32 nr_takes;
	struct ipcx_sem_take *takes[IPCX_WAIT_MAX];
	struct ipcx_object *sets[IPCX_WAIT_MAX];
	u8 steps[IPCX_WAIT_MAX][IPCX_WAIT_MAX];
	u64 moves[IPCX_WAIT_MAX];
};

static int lock_cmp(const void *a, const void *b)
{
	const spinlock_t *x = *(spinlock_t **)a, *y = *(spinlock_t **)b;

	return x < y ? -1 : x > y;
}

static void all_locks(struct all *all, const struct many *many)
{
	u32 i, nr = 0;

	for (i = 0; i < many->nr; i++) {
		struct ipcx_object *obj = many->ones[i].handle->obj;

		if (obj->type->lock)
			all->locks[nr++] = obj->type->lock(obj);
	}
	sort(all->locks, nr, sizeof(*all->locks), lock_cmp, NULL);
	for (i = 0; i < nr; i++)
		if (!i || all->locks[i] != all->locks[i - 1])
			all->locks[all->nr_locks++] = all->locks[i];
}

/* All downs of one set are one operation. */
static int take_make(struct all *all, const struct many *many, struct ipcx_object *obj,
		     u32 first, u32 *index)
{
	struct ipcx_sem_op steps[IPCX_WAIT_MAX];
	struct ipcx_sem_take *take;
	u32 i, at, nr = 0;

	for (i = first; i < many->nr; i++) {
		const struct ipcx_condition *c = &many->ones[i].condition;

		if (many->ones[i].handle->obj != obj || c->what != IPCX_DOWN)
			continue;
		all->steps[all->nr_takes][nr] = i;
		steps[nr++] = (struct ipcx_sem_op) {
			.index = c->index,
			.delta = -(s32)c->down,
			.flags = c->flags,
		};
	}
	take = ipcx_sem_take_new(obj, steps, nr, &at);
	if (IS_ERR(take)) {
		*index = all->steps[all->nr_takes][at];
		return PTR_ERR(take);
	}
	all->sets[all->nr_takes] = obj;
	all->takes[all->nr_takes++] = take;
	return 0;
}

static bool is_taken(const struct all *all, const struct ipcx_object *obj)
{
	u32 i;

	for (i = 0; i < all->nr_takes; i++)
		if (all->sets[i] == obj)
			return true;
	return false;
}

static int all_takes(struct all *all, const struct many *many, u32 *index)
{
	u32 i;
	int err;

	for (i = 0; i < many->nr; i++) {
		struct ipcx_object *obj = many->ones[i].handle->obj;

		if (many->ones[i].condition.what != IPCX_DOWN || is_taken(all, obj))
			continue;
		err = take_make(all, many, obj, i, index);
		if (err)
			return err;
	}
	return 0;
}

/* Sparse counts locks, but not in loops: so here it is told nothing. */
static void lock_of_many(spinlock_t *lock)
{
	spin_lock(lock);
	__release(lock);
}

static void unlock_of_many(spinlock_t *lock)
{
	__acquire(lock);
	spin_unlock(lock);
}

/* The first, and those before the @n-th. */
static void all_unlock(struct all *all, u32 n)
{
	u32 i;

	for (i = 0; i < all->nr_locks; i++)
		if (i < n || i == all->first)
			unlock_of_many(all->locks[i]);
}

/*
 * Take all locks, or none. Nobody waits for one while he has another: so there is no order
 * to be kept, and strangers who want one of them don't wait for the others. Which is waited
 * for the next time is left to chance: two who have what the other wants part in the end.
 */
static bool all_lock(struct all *all)
{
	u32 i;

	if (!all->nr_locks)
		return true;
	lock_of_many(all->locks[all->first]);
	for (i = 0; i < all->nr_locks; i++) {
		if (i == all->first)
			continue;
		if (spin_trylock(all->locks[i])) {
			__release(all->locks[i]);
			continue;
		}
		all_unlock(all, i);
		if (get_random_u32() & 1)
			all->first = i;
		return false;
	}
	return true;
}

/* Is one met that isn't a down? */
static long look_at(struct all *all, struct one *one, u32 i)
{
	struct ipcx_object *obj = one->handle->obj;

	if (ipcx_object_removed(obj))
		return -EIDRM;
	if (one->condition.what == IPCX_DOWN)
		return 0;
	if (obj->type->moves)
		all->moves[i] = obj->type->moves(obj);
	return is_met(one, obj->type->events(one->handle)) ? 0 : NOT_NOW;
}

/* Were those without a lock as they were seen when the last of all was? */
static bool have_moved(const struct all *all, const struct many *many)
{
	u32 i;

	for (i = 0; i < many->nr; i++) {
		struct ipcx_object *obj = many->ones[i].handle->obj;

		if (obj->type->moves && obj->type->moves(obj) != all->moves[i])
			return true;
	}
	return false;
}

/* What is wrong with one comes before any wait for others. */
static long all_look(struct all *all, struct many *many, u32 *index)
{
	long ret, looks = 0;
	u32 i;

	for (i = 0; i < many->nr; i++) {
		ret = look_at(all, &many->ones[i], i);
		if (ret && ret != NOT_NOW) {
			*index = i;
			return ret;
		}
		looks = looks ?: ret;
	}
	return looks;
}

static long all_check(struct all *all, u32 *index)
{
	long ret = 0;
	u32 n, at;

	for (n = 0; n < all->nr_takes && !ret; n++) {
		ret = ipcx_sem_take_check(all->takes[n], &at);
		if (ret)
			*index = all->steps[n][at];
	}
	return ret;
}

/* Take from all sets, or from none. -EBUSY: the set that is told has to be settled. */
static long all_take(struct all *all, struct many *many, u32 *index, u32 *busy)
{
	long ret = 0;
	u32 n, at;

	for (n = 0; n < all->nr_takes; n++) {
		ret = ipcx_sem_take_try(all->takes[n], &at);
		if (ret) {
			*index = all->steps[n][at];
			*busy = n;
			break;
		}
	}
	if (!ret && have_moved(all, many))
		ret = -EBUSY;
	if (!ret)
		return 0;
	while (n)
		ipcx_sem_take_back(all->takes[--n]);
	return ret;
}

/* Nothing can come between. The first of those who died is told. */
static long all_done(struct all *all, u32 *index)
{
	long ret = 0;
	u32 n, at;

	for (n = 0; n < all->nr_takes; n++) {
		if (ipcx_sem_take_done(all->takes[n], &at) && !ret) {
			*index = all->steps[n][at];
			ret = -EOWNERDEAD;
		}
	}
	return ret;
}

static void all_end(struct all *all)
{
	u32 n;

	for (n = 0; n < all->nr_takes; n++)
		ipcx_sem_take_end(all->takes[n]);
}

/* So often it is looked again at once, if a lock wasn't free, or something has moved. */
#define LOOKS		16

/*
 * All at this moment, or -EAGAIN, or an errno about one. @first: nothing was waited for. If
 * it is always in motion, it will be looked at again soon: what moves a pipe away wakes nobody.
 */
static long all_try(struct all *all, struct many *many, u32 *index, bool first)
{
	u32 busy, looks = 0;
	long ret;

	do {
		cond_resched();
		busy = all->nr_takes;
		ret = -EBUSY;
		if (!all_lock(all))
			continue;
		ret = first ? all_check(all, index) : 0;
		ret = ret ?: all_look(all, many, index) ?: all_take(all, many, index, &busy);
		if (!ret) {
			*index = IPCX_NO_INDEX;
			ret = all_done(all, index);
			all_unlock(all, all->nr_locks);
			all_end(all);
			return ret;
		}
		all_unlock(all, all->nr_locks);
		if (ret == -EBUSY && busy < all->nr_takes)
			ipcx_sem_take_end(all->takes[busy]);
	} while (ret == -EBUSY && ++looks < LOOKS);
	if (ret != -EBUSY)
		return ret;
	WRITE_ONCE(many->choice.poked, true);
	return NOT_NOW;
}

static long all_wait(struct all *all, struct many *many, u32 *index)
{
	struct ipcx_choice *choice = &many->choice;
	bool first = true;
	int err = 0;
	long ret;

	choice->state = CHOICE_OPEN;
	for (;;) {
		WRITE_ONCE(choice->poked, false);
		/* Pairs with poke_wake(), as in many_list(). */
		smp_mb();
		ret = all_try(all, many, index, first);
		first = false;
		if (ret != NOT_NOW)
			return ret;
		*index = IPCX_NO_INDEX;
		if (err)
			return err;
		if (many->patience->nonblock)
			return -EAGAIN;
		err = choice_sleep(choice, many->patience);
	}
}

static void all_poll(struct many *many)
{
	u32 i;

	for (i = 0; i < many->nr; i++) {
		struct one *one = &many->ones[i];

		if (one->condition.what == IPCX_DOWN)
			poke_add(one, ipcx_sem_queue(one->handle->obj, one->condition.index));
		else
			one_poll(one);
	}
}

static long many_all(struct many *many, u32 *index)
{
	struct all *all = kvzalloc(sizeof(*all), GFP_KERNEL_ACCOUNT);
	long ret;
	u32 i;

	if (!all)
		return -ENOMEM;
	all_locks(all, many);
	ret = all_takes(all, many, index);
	if (!ret) {
		all_poll(many);
		ret = all_wait(all, many, index);
		for (i = 0; i < many->nr; i++)
			one_unpoll(&many->ones[i]);
	}
	for (i = 0; i < all->nr_takes; i++)
		ipcx_sem_take_free(all->takes[i]);
	kvfree(all);
	return ret;
}

/* ---- Requests ---- */

static struct many *many_alloc(u32 nr, const struct ipcx_patience *patience)
{
	struct many *many;
	u32 i;

	if (!nr)
		return ERR_PTR(-EINVAL);
	if (nr > IPCX_WAIT_MAX)
		return ERR_PTR(-E2BIG);
	many = kvzalloc(struct_size(many, ones, nr), GFP_KERNEL_ACCOUNT);
	if (!many)
		return ERR_PTR(-ENOMEM);
	many->nr = nr;
	many->patience = patience;
	many->choice.task = current;
	init_poll_funcptr(&many->table, poke_table);
	for (i = 0; i < nr; i++) {
		many->ones[i].many = many;
		many->ones[i].slot.choice = &many->choice;
		many->ones[i].slot.index = i;
	}
	return many;
}

static void many_free(struct many *many)
{
	u32 i;

	for (i = 0; i < many->nr; i++)
		if (many->ones[i].file)
			fput(many->ones[i].file);
	kvfree(many);
}

static int one_open(struct one *one, int fd)
{
	one->file = fget(fd);
	if (!one->file)
		return -EBADF;
	one->handle = ipcx_file_handle(one->file);
	if (!one->handle)
		return -EOPNOTSUPP;
	one->slot.obj = one->handle->obj;
	return 0;
}

static int case_init(struct one *one, const struct ipcx_case *c)
{
	int err = one_open(one, c->fd);

	if (err)
		return err;
	if (!ipcx_case_valid(c->cmd))
		return -EINVAL;
	one->cmd = c->cmd;
	one->arg = c->arg;
	one->polls = one->handle->obj->type->id == IPCX_TYPE_PIPE;
	return 0;
}

static int down_check(const struct one *one, const struct ipcx_condition *c)
{
	if (one->handle->obj->type->id != IPCX_TYPE_SEM)
		return -EOPNOTSUPP;
	if (!c->down || c->down > IPCX_SEM_VALUE_MAX || c->flags & ~(u32)IPCX_SEM_UNDO)
		return -EINVAL;
	return ipcx_sem_queue(one->handle->obj, c->index) ? 0 : -EFBIG;
}

static int condition_init(struct one *one, const struct ipcx_condition *c)
{
	int err = one_open(one, c->fd);

	if (err)
		return err;
	if (c->reserved || !c->what || c->what > IPCX_DOWN ||
	    (c->what != IPCX_DOWN && (c->index || c->down || c->flags)))
		return -EINVAL;
	one->condition = *c;
	one->polls = c->what != IPCX_DOWN;
	return ipcx_object_may(one->handle->obj, one->handle, c->what == IPCX_READABLE) ?:
	       c->what == IPCX_DOWN ? down_check(one, c) : 0;
}

static int cases_fetch(struct many *many, const struct ipcx_selection *req, u32 *index)
{
	const void __user *from = u64_to_user_ptr(req->cases);
	struct ipcx_case c;
	int err = 0;
	u32 i;

	for (i = 0; i < many->nr && !err; i++) {
		err = copy_struct_from_user(&c, sizeof(c), from + (size_t)i * req->case_size,
					    req->case_size) ?:
		      case_init(&many->ones[i], &c);
		if (err)
			*index = i;
	}
	return err;
}

static int conditions_fetch(struct many *many, const struct ipcx_wait *req, u32 *index)
{
	const void __user *from = u64_to_user_ptr(req->conditions);
	struct ipcx_condition c;
	int err = 0;
	u32 i;

	for (i = 0; i < many->nr && !err; i++) {
		err = copy_struct_from_user(&c, sizeof(c),
					    from + (size_t)i * req->condition_size,
					    req->condition_size) ?:
		      condition_init(&many->ones[i], &c);
		if (err)
			*index = i;
	}
	return err;
}

/**
 * ipcx_select - %IPCX_IOC_SELECT
 * @req:      what; flags have been checked
 * @patience: how to wait
 * @index:    filled in, if the result is about one of them
 *
 * Return: what the operation returned, or a negative errno.
 */
long ipcx_select(const struct ipcx_selection *req, const struct ipcx_patience *patience,
		 u32 *index)
{
	struct many *many;
	long ret;

	if (req->case_size < offsetofend(struct ipcx_case, arg))
		return -EINVAL;
	if (req->case_size > PAGE_SIZE)
		return -E2BIG;
	many = many_alloc(req->count, patience);
	if (IS_ERR(many))
		return PTR_ERR(many);
	ret = cases_fetch(many, req, index) ?: many_choose(many, index);
	many_free(many);
	return ret;
}

/**
 * ipcx_wait - %IPCX_IOC_WAIT
 * @req:      what; flags have been checked
 * @patience: how to wait
 * @index:    filled in, if the result is about one of them
 *
 * Return: 0 or a negative errno.
 */
long ipcx_wait(const struct ipcx_wait *req, const struct ipcx_patience *patience, u32 *index)
{
	struct many *many;
	long ret;

	if (req->condition_size < offsetofend(struct ipcx_condition, reserved))
		return -EINVAL;
	if (req->condition_size > PAGE_SIZE)
		return -E2BIG;
	many = many_alloc(req->count, patience);
	if (IS_ERR(many))
		return PTR_ERR(many);
	ret = conditions_fetch(many, req, index);
	if (!ret)
		ret = req->flags & IPCX_WAIT_ALL ? many_all(many, index) :
						   many_choose(many, index);
	many_free(many);
	return ret;
}
