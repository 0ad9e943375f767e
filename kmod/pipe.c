// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes: a ring of bytes between two sides.
 *
 * The reading and the writing side share no lock. Each side has one owner at a
 * time, who holds its busy bit while he copies and while he waits for the other
 * side; everybody else waits for his turn on a queue, so that this wait too ends
 * with a signal or a deadline, even if the owner hangs in a page fault. The
 * ring itself is single-producer, single-consumer:
 *
 *	writing side				reading side
 *	------------				------------
 *	load rd.pos (acquire)			load wr.pos (acquire)
 *	copy into the free part			copy out of the used part
 *	store wr.pos (release)			store rd.pos (release)
 *
 * wr.pos and rd.pos only grow (and wrap); the used part of the ring is [rd.pos,
 * wr.pos). The acquire of one side pairs with the release of the other: bytes
 * are in the ring before they are counted, and copied out before they are free.
 *
 * Sleeping (tag SLEEP). A sleeper announces himself and then looks; whoever
 * changes something changes it and then looks for sleepers; a full barrier
 * stands between the two on both sides, so that they can't miss each other:
 *
 *	owner of a side, or poll		the other side
 *	------------------------		--------------
 *	side->need = n
 *	add to side->owner or side->poll	store pos
 *	smp_mb()				smp_mb()
 *	load pos: enough?			load owner, poll, need: anybody?
 *
 * Turns (tag TURN) work alike with the busy bit in the place of pos. Changes
 * of removed and of the number of files wake everybody without looking.
 *
 * Who owns both sides may put another ring in the place of this one (RESIZE). An
 * owner can be asleep for as long as the other side pleases, so whoever resizes
 * recalls the side (tag RECALL): the owner gives way and queues up again.
 */
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <asm/ioctls.h>

#include "account.h"
#include "compat/uio.h"
#include "ioctl.h"
#include "object.h"
#include "pipe.h"
#include "splice.h"
#include "wait.h"

/* Bits of pipe_side.busy. */
#define SIDE_BUSY	0	/* the side has an owner */
#define SIDE_MISSED	1	/* he has pollers to wake when he leaves */

static ulong pipe_capacity_max = SZ_16M;
module_param(pipe_capacity_max, ulong, 0644);
MODULE_PARM_DESC(pipe_capacity_max,
		 "largest capacity of a pipe in bytes (at most 1 GiB)");

/**
 * ipcx_pipe_capacity_max - largest capacity in bytes, now
 */
u64 ipcx_pipe_capacity_max(void)
{
	return rounddown_pow_of_two(clamp_t(ulong, READ_ONCE(pipe_capacity_max),
					    PIPE_BUF, SZ_1G));
}

/**
 * struct pipe_side - the reading or the writing side
 * @pos:      bytes that have passed this side; stored by the owner
 * @busy:     SIDE_BUSY, SIDE_MISSED
 * @starving: somebody in @turn has been passed over: grant him the side
 * @recalls:  how many in @turn want the side even from an owner who sleeps
 * @need:     how many bytes (or how much space) the owner sleeps for
 * @owner:    the owner, asleep until the other side has moved
 * @turn:     tasks that wait to own the side, exclusive
 * @poll:     tasks that poll this side
 * @waiting:  tasks asleep on @owner and @turn
 * @files:    open files of this side; written under pipe.lock
 * @arrivals: how many there have ever been; written under pipe.lock
 * @last:     process that last moved bytes, a reference; stored by the owner
 *	      under pipe.lock
 * @last_ns:  when; stored by the owner
 * @fasync:   files that want a signal; guarded by the fasync code
 */
struct pipe_side {
	size_t pos;
	unsigned long busy;
	bool starving;
	atomic_t recalls;
	size_t need;
	wait_queue_head_t owner;
	wait_queue_head_t turn;
	wait_queue_head_t poll;
	atomic_t waiting;
	u32 files;
	u32 arrivals;
	struct pid *last;
	u64 last_ns;
	struct fasync_struct *fasync;
};

/**
 * struct pipe - a pipe
 * @obj:      common part
 * @ring:     the bytes; for the owner of either side, changed by that of both
 * @capacity: size of @ring, a power of two; likewise, but read by everybody
 * @lock:     guards each side's files and arrivals against each other, and last
 * @open:     tasks that wait for the other side to be opened, and pollers that
 *	      have neither side
 * @fasync:   files of neither side that want a signal; guarded by the fasync code
 * @rd:       reading side
 * @wr:       writing side
 */
struct pipe {
	struct ipcx_object obj;
	void *ring;
	size_t capacity;
	spinlock_t lock;	/* files, arrivals, last of both sides */
	wait_queue_head_t open;
	struct fasync_struct *fasync;
	struct pipe_side rd ____cacheline_aligned_in_smp;
	struct pipe_side wr ____cacheline_aligned_in_smp;
};

/* Is there something, and how much? -EAGAIN if not yet. */
typedef ssize_t (*pipe_check_fn)(struct pipe *pipe,
				 const struct ipcx_handle *handle, size_t need);

static struct pipe *to_pipe(struct ipcx_object *obj)
{
	return container_of(obj, struct pipe, obj);
}

static struct pipe *file_pipe(struct file *file)
{
	struct ipcx_handle *handle = file->private_data;

	return to_pipe(handle->obj);
}

/* ---- State ---- */

/* How far the other side has come, and with that what it did to the ring. */
static size_t pos_load(const struct pipe_side *side)
{
	/* Pairs with pos_store(). */
	return smp_load_acquire(&side->pos);
}

/* The owner of the side has copied: the other side may have it. */
static void pos_store(struct pipe_side *side, size_t pos)
{
	/* Pairs with pos_load(). */
	smp_store_release(&side->pos, pos);
}

/*
 * Has the file's other side come, since or when it was opened, and gone? Pairs
 * with side_arrive() and side_leave(): whoever sees an arrival sees the file
 * counted, unless it has left again; and whoever sees that the last has left
 * sees all it did. A by-id operation has no file and sees no end.
 */
static bool peers_gone(const struct pipe_side *peers,
		       const struct ipcx_handle *handle)
{
	/* Pairs with side_arrive(). */
	if (!handle || smp_load_acquire(&peers->arrivals) == handle->peers)
		return false;
	/* Pairs with side_leave(). */
	return !smp_load_acquire(&peers->files);
}

/*
 * Bytes in the ring, whoever looks. The reading side first: it can't be ahead
 * of the other then, though both may move on meanwhile.
 */
static size_t pipe_used(const struct pipe *pipe)
{
	size_t rd = pos_load(&pipe->rd);
	size_t used = pos_load(&pipe->wr) - rd;

	return min(used, READ_ONCE(pipe->capacity));
}

static size_t pipe_free(const struct pipe *pipe)
{
	size_t used = pipe_used(pipe), capacity = READ_ONCE(pipe->capacity);

	/* To who owns no side it may just have shrunk. */
	return capacity - min(used, capacity);
}

/* Bytes that can be read, 0 at the end of file, or an error. */
static ssize_t pipe_readable(struct pipe *pipe, const struct ipcx_handle *handle,
			     size_t need)
{
	/* First this: the last writer may have written before he left. */
	bool ended = peers_gone(&pipe->wr, handle);
	size_t used = pipe_used(pipe);

	if (ipcx_object_removed(&pipe->obj))
		return -EIDRM;
	if (used >= need)
		return used;
	return ended ? 0 : -EAGAIN;
}

/* Space that can be written to, at least @need, or an error. */
static ssize_t pipe_writable(struct pipe *pipe, const struct ipcx_handle *handle,
			     size_t need)
{
	size_t space = pipe_free(pipe);

	if (ipcx_object_removed(&pipe->obj))
		return -EIDRM;
	if (peers_gone(&pipe->rd, handle))
		return -EPIPE;
	return space >= need ? space : -EAGAIN;
}

/*
 * Would who doesn't wait be turned away because somebody owns the side? Then he
 * is woken when the owner leaves.
 */
static bool side_taken(struct pipe_side *side)
{
	if (!test_bit(SIDE_BUSY, &side->busy))
		return false;
	set_bit(SIDE_MISSED, &side->busy);
	smp_mb__after_atomic();	/* TURN: pairs with side_free() */
	return test_bit(SIDE_BUSY, &side->busy);
}

/* Would a write() of PIPE_BUF bytes wait for nobody? */
static bool poll_writable(struct pipe *pipe)
{
	return pipe_free(pipe) >= PIPE_BUF && !side_taken(&pipe->wr);
}

/* ---- Waking ---- */

/* What pollers of @side may have to hear: bytes or the end, or space. */
static __poll_t side_news(struct pipe *pipe, struct pipe_side *side)
{
	bool ended = !READ_ONCE(pipe->wr.files);

	if (side == &pipe->wr)
		return poll_writable(pipe) ? EPOLLOUT | EPOLLWRNORM : 0;
	if ((!ended && !pipe_used(pipe)) || side_taken(side))
		return 0;
	return EPOLLIN | EPOLLRDNORM | (ended ? EPOLLHUP : 0);
}

/*
 * Pollers whom an owner is in the way of are left to him. With @signal the other side has
 * moved, or they have been left to who tells them now: that is what EPOLLMSG says to SELECT
 * (poke_wake()), for which there may be enough when there isn't for poll(2).
 */
static noinline void tell_pollers(struct pipe *pipe, struct pipe_side *side,
				  bool signal)
{
	__poll_t news = side_news(pipe, side);

	if (!news) {
		if (signal && side == &pipe->wr && pipe_free(pipe))
			wake_up_interruptible_poll(&side->poll, EPOLLMSG);
		return;
	}
	wake_up_interruptible_poll(&side->poll, news | (signal ? EPOLLMSG : 0));
	if (signal)
		kill_fasync(&side->fasync, SIGIO,
			    news & EPOLLIN ? POLL_IN : POLL_OUT);
}

/* The side may have become ready, or free: after a full barrier. */
static void wake_pollers(struct pipe *pipe, struct pipe_side *side, bool signal)
{
	/* The caller's full barrier pairs with that in pipe_poll(). */
	if (unlikely(waitqueue_active(&side->poll) || READ_ONCE(side->fasync)))
		tell_pollers(pipe, side, signal);
}

/* Can the owner of @side, who sleeps, have what he sleeps for? */
static bool side_suffices(struct pipe *pipe, const struct pipe_side *side)
{
	return (side == &pipe->rd ? pipe_used(pipe) : pipe_free(pipe)) >=
	       READ_ONCE(side->need);
}

/* @side may go on: the other side has moved. */
static void side_wake(struct pipe *pipe, struct pipe_side *side)
{
	/* SLEEP: the caller's full barrier pairs with that in side_await(). */
	if (waitqueue_active(&side->owner) && side_suffices(pipe, side))
		wake_up_interruptible_sync_poll(&side->owner, 0);
	wake_pollers(pipe, side, true);
}

/* The same for who has just moved and has passed no barrier since. */
static void side_notify(struct pipe *pipe, struct pipe_side *side)
{
	smp_mb();	/* SLEEP: pairs with side_await() and pipe_poll() */
	side_wake(pipe, side);
}

/* Something has ended, for all who wait on this side. */
static void side_hang_up(struct pipe_side *side)
{
	wake_up_interruptible_all(&side->turn);
	wake_up_interruptible_all(&side->owner);
	wake_up_interruptible_all(&side->poll);
	kill_fasync(&side->fasync, SIGIO, POLL_HUP);
}

/* ---- Owning a side ---- */

/**
 * struct turn - a task that waits to own a side
 * @wait:    in side->turn, until the task leaves
 * @granted: the side is its own: stored by side_grant() under the queue's lock
 */
struct turn {
	wait_queue_entry_t wait;
	bool granted;
};

/*
 * @key is where to tell side_grant() that the side was taken, NULL for a mere
 * wake-up. The entry stays in the queue until finish_wait() takes it off under
 * the queue's lock, which is held here: so the task can't leave meanwhile.
 */
static int turn_wake(wait_queue_entry_t *wait, unsigned int mode, int flags,
		     void *key)
{
	struct turn *turn = container_of(wait, struct turn, wait);

	if (!key)
		return default_wake_function(wait, mode, flags, NULL);
	*(bool *)key = true;
	/* Pairs with side_queue(): with all that the last owner did. */
	smp_store_release(&turn->granted, true);
	default_wake_function(wait, mode, flags, NULL);
	return 1;
}

/* The owner hands the side to the first in the queue, if there is one. */
static bool side_grant(struct pipe_side *side)
{
	bool taken = false;

	WRITE_ONCE(side->starving, false);
	__wake_up(&side->turn, TASK_INTERRUPTIBLE, 1, &taken);
	return taken;
}

static bool side_try(struct pipe_side *side)
{
	return !test_and_set_bit_lock(SIDE_BUSY, &side->busy);
}

static struct pipe_side *side_peer(struct pipe *pipe, const struct pipe_side *side)
{
	return side == &pipe->rd ? &pipe->wr : &pipe->rd;
}

/*
 * Of what he leaves, the owner tells one more exclusive poller, as pipe(2) does;
 * signals go only where somebody was turned away, or he would get them himself.
 * With @moved he has moved the side and the other side doesn't know yet: one
 * barrier does for both.
 */
static void side_free(struct pipe *pipe, struct pipe_side *side, bool moved)
{
	bool missed;

	clear_bit_unlock(SIDE_BUSY, &side->busy);
	/*
	 * TURN: pairs with side_queue(), side_taken()
	 * SLEEP: and with side_await(), pipe_poll()
	 */
	smp_mb__after_atomic();
	if (moved)
		side_wake(pipe, side_peer(pipe, side));
	/* TURN: after the barrier above. */
	if (waitqueue_active(&side->turn))
		wake_up_interruptible(&side->turn);
	missed = test_bit(SIDE_MISSED, &side->busy) &&
		 test_and_clear_bit(SIDE_MISSED, &side->busy);
	wake_pollers(pipe, side, missed);
}

/* Whoever waits for a turn is next, however long he takes. */
static void side_pass_on(struct pipe *pipe, struct pipe_side *side, bool moved)
{
	if (!side_grant(side))
		side_free(pipe, side, moved);
	else if (moved)
		side_notify(pipe, side_peer(pipe, side));
}

/* Whoever starves is next; but for him, whoever comes first. */
static void side_release(struct pipe *pipe, struct pipe_side *side, bool moved)
{
	if (unlikely(READ_ONCE(side->starving)))
		side_pass_on(pipe, side, moved);
	else
		side_free(pipe, side, moved);
}

/* Is this the call's result, whoever owns the side? */
static bool is_over(ssize_t checked)
{
	return checked <= 0 && checked != -EAGAIN;
}

/*
 * Ask an owner who sleeps for the side. The caller is in the queue and stays there
 * until the recall is over: or the owner would give way to nobody, take the side
 * again, and so on.
 */
static void side_recall(struct pipe_side *side)
{
	atomic_inc(&side->recalls);
	smp_mb__after_atomic();	/* RECALL: pairs with side_await() */
	if (waitqueue_active(&side->owner))
		wake_up_interruptible(&side->owner);
}

/*
 * Wait for a turn: in the order of arrival, except that a running task may take
 * the side before one that must first wake up. Who has been passed over once
 * is starving: the next owner grants him the side. With @recall an owner who
 * sleeps is asked for it, too.
 */
static ssize_t side_queue(struct pipe *pipe, struct pipe_side *side,
			  const struct ipcx_handle *handle, pipe_check_fn check,
			  const struct ipcx_patience *patience, bool recall)
{
	struct turn turn = { .granted = false };
	bool owned = false, woken = false, recalled = false;
	ssize_t ret = 0;

	init_waitqueue_func_entry(&turn.wait, turn_wake);
	turn.wait.private = current;
	INIT_LIST_HEAD(&turn.wait.entry);
	atomic_inc(&side->waiting);
	for (;;) {
		ssize_t checked;

		/* TURN: the barrier in here pairs with side_free() */
		prepare_to_wait_exclusive(&side->turn, &turn.wait,
					  TASK_INTERRUPTIBLE);
		/* Pairs with turn_wake(). */
		owned = smp_load_acquire(&turn.granted) || side_try(side);
		if (owned)
			break;
		if (woken)
			WRITE_ONCE(side->starving, true);
		if (recall && !recalled)
			side_recall(side);
		recalled = recall;
		checked = check(pipe, handle, 1);
		if (is_over(checked))
			ret = checked;
		if (is_over(checked) || ret)
			break;
		ret = ipcx_sleep(patience);
		woken = !ret;
	}
	if (recalled)
		atomic_dec(&side->recalls);
	finish_wait(&side->turn, &turn.wait);
	atomic_dec(&side->waiting);
	/* Out of the queue: nobody can grant it now. */
	if (owned || turn.granted)
		return 1;
	/* The wake-up may have been this task's alone: on to the next. */
	wake_up_interruptible(&side->turn);
	return ret;
}

/* The side has an owner. */
static noinline ssize_t side_acquire_taken(struct pipe *pipe,
					   struct pipe_side *side,
					   const struct ipcx_handle *handle,
					   pipe_check_fn check,
					   const struct ipcx_patience *patience)
{
	ssize_t checked;

	if (!patience->nonblock)
		return side_queue(pipe, side, handle, check, patience, false);
	while (!side_taken(side))
		if (side_try(side))
			return 1;
	checked = check(pipe, handle, 1);
	return is_over(checked) ? checked : -EAGAIN;
}

/* 1 when the side is the caller's, else the call's result. */
static ssize_t side_acquire(struct pipe *pipe, struct pipe_side *side,
			    const struct ipcx_handle *handle,
			    pipe_check_fn check,
			    const struct ipcx_patience *patience)
{
	if (likely(side_try(side)))
		return 1;
	return side_acquire_taken(pipe, side, handle, check, patience);
}

/*
 * Wait as the owner of @side until @check finds @need, or the end. What has
 * come beats a signal or deadline that came later. -EAGAIN with @give_way: the
 * side is recalled.
 */
static ssize_t side_await(struct pipe *pipe, struct pipe_side *side,
			  const struct ipcx_handle *handle,
			  pipe_check_fn check, size_t need,
			  const struct ipcx_patience *patience, bool *give_way)
{
	DEFINE_WAIT(wait);
	ssize_t ret;
	int err = 0;

	if (patience->nonblock)
		return -EAGAIN;
	WRITE_ONCE(side->need, need);
	atomic_inc(&side->waiting);
	for (;;) {
		/*
		 * SLEEP: the barrier in here pairs with side_notify(), side_free()
		 * RECALL: and with side_recall()
		 */
		prepare_to_wait(&side->owner, &wait, TASK_INTERRUPTIBLE);
		ret = check(pipe, handle, need);
		*give_way = ret == -EAGAIN && atomic_read(&side->recalls);
		if (ret != -EAGAIN || *give_way)
			break;
		ret = err;
		if (err)
			break;
		err = ipcx_sleep(patience);
	}
	finish_wait(&side->owner, &wait);
	atomic_dec(&side->waiting);
	return ret;
}

/* The owner has moved the side: who and when, for IPC_STAT. */
static void side_sign(struct pipe *pipe, struct pipe_side *side)
{
	struct pid *pid = task_tgid(current), *old = side->last;

	WRITE_ONCE(side->last_ns, ktime_get_coarse_real_ns());
	if (old == pid)
		return;
	get_pid(pid);
	spin_lock(&pipe->lock);
	side->last = pid;
	spin_unlock(&pipe->lock);
	put_pid(old);
}

/* ---- Copying ---- */

/*
 * How much is copied before the other side may have it. All that fits, up to a
 * size beside which waking somebody costs little: on one CPU who is woken runs
 * at once, and half a ring would mean twice as many switches.
 */
static size_t chunk_bytes(const struct pipe *pipe)
{
	return min_t(size_t, pipe->capacity, SZ_64K);
}

/* Move @n bytes between the ring from @pos on and the caller; as many as can. */
static size_t ring_copy(struct pipe *pipe, size_t pos, size_t n,
			struct iov_iter *iter,
			size_t (*copy)(void *ring, size_t n, struct iov_iter *i))
{
	size_t at = pos & (pipe->capacity - 1);
	size_t first = min(n, pipe->capacity - at);
	size_t done = copy(pipe->ring + at, first, iter);

	if (done == first && n > first)
		done += copy(pipe->ring, n - first, iter);
	return done;
}

/*
 * Without check_copy_size(): ring_copy() keeps the range inside the ring, and
 * under HARDENED_USERCOPY each check would look the ring up among all vmalloc
 * areas, under a lock that the whole machine shares.
 */
static size_t copy_in(void *ring, size_t n, struct iov_iter *from)
{
	return _copy_from_iter(ring, n, from);
}

static size_t copy_out(void *ring, size_t n, struct iov_iter *to)
{
	return _copy_to_iter(ring, n, to);
}

/* Between chunks: a transfer can be long without a sleep. */
static bool go_on(void)
{
	cond_resched();
	return !fatal_signal_pending(current);
}

/**
 * struct transfer - a call, over all its turns at a side
 * @iter:     what is left
 * @patience: how to wait
 * @whole:    a write of all or nothing
 * @give_way: it has let others in, or will, and wants another turn
 */
struct transfer {
	struct iov_iter *iter;
	const struct ipcx_patience *patience;
	bool whole;
	bool give_way;
};

/* What has been moved doesn't make the rest of a large write a small one. */
static struct transfer transfer_begin(struct iov_iter *iter,
				      const struct ipcx_patience *patience)
{
	return (struct transfer) {
		.iter = iter,
		.patience = patience,
		.whole = iov_iter_count(iter) <= PIPE_BUF,
	};
}

/*
 * Read until the pipe is empty or the caller has all: at least one byte. Of the last
 * chunk the other side is told by the caller.
 */
static ssize_t read_owned(struct pipe *pipe, const struct ipcx_handle *handle,
			  struct transfer *t)
{
	struct iov_iter *to = t->iter;
	size_t chunk = chunk_bytes(pipe), done = 0, n, copied;
	ssize_t ret = 0;

	while (iov_iter_count(to)) {
		ret = pipe_readable(pipe, handle, 1);
		if (ret == -EAGAIN && !done)
			ret = side_await(pipe, &pipe->rd, handle, pipe_readable,
					 1, t->patience, &t->give_way);
		if (ret <= 0)
			break;
		if (done) {
			side_notify(pipe, &pipe->wr);
			if (!go_on())
				break;
		}
		n = min3((size_t)ret, chunk, iov_iter_count(to));
		copied = ring_copy(pipe, pipe->rd.pos, n, to, copy_out);
		if (copied) {
			pos_store(&pipe->rd, pipe->rd.pos + copied);
			done += copied;
		}
		if (copied < n) {
			ret = -EFAULT;
			break;
		}
	}
	return done ?: ret;
}

/*
 * Write all. Up to PIPE_BUF bytes become visible together or not at all; of
 * more, a part is written if only a part can be.
 *
 * Who must sleep in a large write is woken when the rest of it fits or half the
 * ring is free. Before that the call could not return anyway. Having written
 * something he gives way to others first, or a huge write would keep them out.
 * Of the last chunk the other side is told by the caller.
 */
static ssize_t write_owned(struct pipe *pipe, const struct ipcx_handle *handle,
			   struct transfer *t)
{
	size_t chunk = chunk_bytes(pipe), done = 0, left, n, copied;
	struct iov_iter *from = t->iter;
	bool whole = t->whole;
	ssize_t ret = 0;

	while ((left = iov_iter_count(from))) {
		if (done) {
			side_notify(pipe, &pipe->rd);
			if (!go_on())
				break;
		}
		ret = pipe_writable(pipe, handle, whole ? left : 1);
		if (ret == -EAGAIN && done && !t->patience->nonblock) {
			/* Whom this misses is let in at the next sleep. */
			t->give_way = waitqueue_active(&pipe->wr.turn);
			if (t->give_way)
				break;
		}
		if (ret == -EAGAIN)
			ret = side_await(pipe, &pipe->wr, handle, pipe_writable,
					 whole ? left :
						 min(left, pipe->capacity / 2),
					 t->patience, &t->give_way);
		if (ret < 0)
			break;
		n = min3((size_t)ret, chunk, left);
		copied = ring_copy(pipe, pipe->wr.pos, n, from, copy_in);
		if (copied && (copied == n || !whole)) {
			pos_store(&pipe->wr, pipe->wr.pos + copied);
			/* By name: no writer has let readers in who open. */
			if (!handle)
				wake_up_interruptible_all(&pipe->open);
			done += copied;
		}
		if (copied < n) {
			ret = -EFAULT;
			break;
		}
	}
	return done ?: ret;
}

static ssize_t move_owned(struct pipe *pipe, const struct ipcx_handle *handle,
			  struct transfer *t, bool reading)
{
	ssize_t ret = reading ? read_owned(pipe, handle, t) :
				write_owned(pipe, handle, t);

	if (ret > 0)
		side_sign(pipe, reading ? &pipe->rd : &pipe->wr);
	return ret;
}

/* One turn at a side. Who doesn't wait, and would have to, isn't in anybody's way. */
static ssize_t side_turn(struct pipe *pipe, const struct ipcx_handle *handle,
			 struct transfer *t, bool reading)
{
	struct pipe_side *side = reading ? &pipe->rd : &pipe->wr;
	pipe_check_fn check = reading ? pipe_readable : pipe_writable;
	size_t need = !reading && t->whole ? iov_iter_count(t->iter) : 1;
	ssize_t ret;

	t->give_way = false;
	if (t->patience->nonblock && check(pipe, handle, need) == -EAGAIN)
		return -EAGAIN;
	ret = side_acquire(pipe, side, handle, check, t->patience);
	if (ret <= 0)
		return ret;
	ret = move_owned(pipe, handle, t, reading);
	if (t->give_way)
		side_pass_on(pipe, side, ret > 0);
	else
		side_release(pipe, side, ret > 0);
	return ret;
}

static ssize_t transfer(struct pipe *pipe, const struct ipcx_handle *handle,
			struct iov_iter *iter, bool reading,
			const struct ipcx_patience *patience)
{
	struct transfer t = transfer_begin(iter, patience);
	ssize_t done = 0, ret;

	if (!iov_iter_count(iter))
		return ipcx_object_removed(&pipe->obj) ? -EIDRM : 0;
	do {
		ret = side_turn(pipe, handle, &t, reading);
		if (ret > 0)
			done += ret;
	} while (t.give_way);
	return done ?: ret;
}

static ssize_t pipe_read(struct ipcx_object *obj, struct ipcx_handle *handle,
			 struct iov_iter *to,
			 const struct ipcx_patience *patience)
{
	return transfer(to_pipe(obj), handle, to, true, patience);
}

static ssize_t pipe_write(struct ipcx_object *obj, struct ipcx_handle *handle,
			  struct iov_iter *from,
			  const struct ipcx_patience *patience)
{
	return transfer(to_pipe(obj), handle, from, false, patience);
}

static struct pipe_side *handle_side(const struct ipcx_handle *handle,
				     bool reading)
{
	struct pipe *pipe = to_pipe(handle->obj);

	return reading ? &pipe->rd : &pipe->wr;
}

/**
 * ipcx_pipe_hold - own a side on which something can be done
 * @handle:   an open file of the pipe
 * @reading:  the reading side, where there are bytes; else space
 * @need:     how many
 * @patience: how to wait
 *
 * For who can't wait in the transfer itself. What he then does he does at once.
 *
 * Return: how many there are, the side being the caller's until
 * ipcx_pipe_release(); or 0 at the end of file, or a negative errno.
 */
ssize_t ipcx_pipe_hold(struct ipcx_handle *handle, bool reading, size_t need,
		       const struct ipcx_patience *patience)
{
	pipe_check_fn check = reading ? pipe_readable : pipe_writable;
	struct pipe_side *side = handle_side(handle, reading);
	struct pipe *pipe = to_pipe(handle->obj);
	bool again;
	ssize_t ret;

	do {
		again = false;
		ret = side_acquire(pipe, side, handle, check, patience);
		if (ret <= 0)
			return ret;
		ret = check(pipe, handle, need);
		if (ret == -EAGAIN)
			ret = side_await(pipe, side, handle, check, need,
					 patience, &again);
		if (again)
			side_pass_on(pipe, side, false);
		else if (ret <= 0)
			side_release(pipe, side, false);
	} while (again);
	return ret;
}

/**
 * ipcx_pipe_move - transfer on a side that is held, without waiting
 * @handle:  as for ipcx_pipe_hold()
 * @reading: likewise
 * @iter:    from or to where
 *
 * Return: as read(2) or write(2) with O_NONBLOCK.
 */
ssize_t ipcx_pipe_move(struct ipcx_handle *handle, bool reading,
		       struct iov_iter *iter)
{
	const struct ipcx_patience nonblock = { .nonblock = true };
	struct transfer t = transfer_begin(iter, &nonblock);
	struct pipe *pipe = to_pipe(handle->obj);
	ssize_t ret = move_owned(pipe, handle, &t, reading);

	if (ret > 0)
		side_notify(pipe, reading ? &pipe->wr : &pipe->rd);
	return ret;
}

/**
 * ipcx_pipe_release - give back what ipcx_pipe_hold() took
 * @handle:  as for ipcx_pipe_hold()
 * @reading: likewise
 */
void ipcx_pipe_release(struct ipcx_handle *handle, bool reading)
{
	side_release(to_pipe(handle->obj), handle_side(handle, reading), false);
}

/* ---- Another capacity ---- */

/* To a power of two, if it is within the limits. */
static int capacity_round(u64 *bytes)
{
	u64 max = ipcx_pipe_capacity_max();

	/* The maximum is a power of two itself. */
	if (*bytes < PIPE_BUF || *bytes > max)
		return -EINVAL;
	*bytes = roundup_pow_of_two(*bytes);
	return 0;
}

static int pipe_round(struct ipcx_object *obj, struct ipcx_resize *req)
{
	if (req->max_msgs || req->max_msg_bytes)
		return -EINVAL;
	return capacity_round(&req->bytes);
}

/* Whoever resizes waits for nothing but the sides. */
static ssize_t pipe_resizable(struct pipe *pipe,
			      const struct ipcx_handle *handle, size_t need)
{
	return ipcx_object_removed(&pipe->obj) ? -EIDRM : -EAGAIN;
}

/* Own a side that has an owner, unless he is just copying for ever. */
static ssize_t side_seize(struct pipe *pipe, struct pipe_side *side,
			  const struct ipcx_patience *patience)
{
	if (side_try(side))
		return 1;
	return side_queue(pipe, side, NULL, pipe_resizable, patience, true);
}

/*
 * The writing side first, here and nowhere the other way round. But a reader who
 * is stuck in a copy is met before, while this keeps no writer waiting.
 */
static ssize_t sides_seize(struct pipe *pipe,
			   const struct ipcx_patience *patience)
{
	ssize_t ret = side_seize(pipe, &pipe->rd, patience);

	if (ret <= 0)
		return ret;
	side_release(pipe, &pipe->rd, false);
	ret = side_seize(pipe, &pipe->wr, patience);
	if (ret <= 0)
		return ret;
	ret = side_seize(pipe, &pipe->rd, patience);
	if (ret <= 0)
		side_release(pipe, &pipe->wr, false);
	return ret;
}

static void sides_release(struct pipe *pipe)
{
	side_release(pipe, &pipe->rd, false);
	side_release(pipe, &pipe->wr, false);
}

static void *ring_alloc(size_t capacity)
{
	return __vmalloc(capacity, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

/* Copy all bytes, which keep their positions; both sides are the caller's. */
static int ring_fill(const struct pipe *pipe, void *ring, size_t capacity)
{
	size_t pos = pipe->rd.pos, end = pipe->wr.pos;

	while (pos != end) {
		size_t from = pos & (pipe->capacity - 1);
		size_t to = pos & (capacity - 1);
		size_t n = min3(end - pos, pipe->capacity - from, capacity - to);

		n = min_t(size_t, n, SZ_64K);
		memcpy(ring + to, pipe->ring + from, n);
		pos += n;
		if (!go_on())
			return -EINTR;
	}
	return 0;
}

/*
 * As the owner of both sides. A larger ring is paid for by @charge, in the place
 * of which the old receipt comes back; of a smaller one the rest is refunded.
 */
static int ring_replace(struct pipe *pipe, size_t capacity,
			struct ipcx_charge **charge)
{
	void *ring;
	int err;

	if (ipcx_object_removed(&pipe->obj))
		return -EIDRM;
	if (pipe->wr.pos - pipe->rd.pos > capacity)
		return -EBUSY;
	ring = ring_alloc(capacity);
	if (!ring)
		return -ENOMEM;
	err = ring_fill(pipe, ring, capacity);
	if (!err) {
		swap(pipe->ring, ring);
		ipcx_object_recharge(&pipe->obj, charge,
				     pipe->capacity - capacity);
		WRITE_ONCE(pipe->capacity, capacity);
		/* There may be more space: told when the side is free. */
		side_notify(pipe, &pipe->wr);
	}
	vfree(ring);
	return err;
}

/* -EAGAIN: somebody else has made it so small that @charge is wanted after all. */
static int resize_once(struct pipe *pipe, size_t capacity,
		       struct ipcx_charge **charge,
		       const struct ipcx_patience *patience)
{
	int err = sides_seize(pipe, patience);

	if (err <= 0)
		return err;
	if (capacity == pipe->capacity)
		err = 0;
	else if (capacity > pipe->capacity && !*charge)
		err = -EAGAIN;
	else
		err = ring_replace(pipe, capacity, charge);
	sides_release(pipe);
	return err;
}

static int pipe_resize(struct ipcx_object *obj, const struct ipcx_resize *req,
		       const struct ipcx_patience *patience)
{
	struct pipe *pipe = to_pipe(obj);
	struct ipcx_charge *charge = NULL;
	u64 bytes = req->bytes;
	int err;

	err = capacity_round(&bytes);
	if (err)
		return err;
	do {
		if (bytes > READ_ONCE(pipe->capacity))
			charge = ipcx_object_charge(obj, bytes);
		if (IS_ERR(charge))
			return PTR_ERR(charge);
		err = resize_once(pipe, bytes, &charge, patience);
		ipcx_uncharge(charge);
		charge = NULL;
	} while (err == -EAGAIN);
	return err;
}

/* ---- Opening and closing ---- */

static void side_arrive(struct pipe *pipe, struct pipe_side *side)
{
	lockdep_assert_held(&pipe->lock);
	WRITE_ONCE(side->files, side->files + 1);
	/* Pairs with peers_gone(). */
	smp_store_release(&side->arrivals, side->arrivals + 1);
}

/* Tell whether that was the last one. */
static bool side_leave(struct pipe *pipe, struct pipe_side *side)
{
	lockdep_assert_held(&pipe->lock);
	/* Pairs with peers_gone(): what was written is seen before the end. */
	smp_store_release(&side->files, side->files - 1);
	return !side->files;
}

/* What handle->peers must be: different from arrivals if one is there now. */
static u32 peers_seen(const struct pipe_side *peers)
{
	return peers->arrivals - !!peers->files;
}

/* A file of one side of a pipe that was created with a name waits to be opened. */
static bool is_fifo_end(const struct ipcx_handle *handle)
{
	return handle->obj->name && (handle->f_mode == FMODE_READ ||
				     handle->f_mode == FMODE_WRITE);
}

static int pipe_attach(struct ipcx_handle *handle,
		       const struct ipcx_patience *patience)
{
	struct pipe *pipe = to_pipe(handle->obj);

	spin_lock(&pipe->lock);
	/* Before it counts, or a reader would take it for one that has come. */
	if (patience && patience->nonblock && is_fifo_end(handle) &&
	    handle->f_mode == FMODE_WRITE && !pipe->rd.files) {
		spin_unlock(&pipe->lock);
		return -ENXIO;
	}
	handle->peers = peers_seen(handle->f_mode & FMODE_READ ? &pipe->wr :
								 &pipe->rd);
	if (handle->f_mode & FMODE_READ)
		side_arrive(pipe, &pipe->rd);
	if (handle->f_mode & FMODE_WRITE)
		side_arrive(pipe, &pipe->wr);
	spin_unlock(&pipe->lock);
	wake_up_interruptible_all(&pipe->open);
	return 0;
}

static void pipe_detach(struct ipcx_handle *handle)
{
	struct pipe *pipe = to_pipe(handle->obj);
	bool end_reading = false, end_writing = false;

	spin_lock(&pipe->lock);
	if (handle->f_mode & FMODE_READ)
		end_reading = side_leave(pipe, &pipe->rd);
	if (handle->f_mode & FMODE_WRITE)
		end_writing = side_leave(pipe, &pipe->wr);
	spin_unlock(&pipe->lock);
	if (end_reading)
		side_hang_up(&pipe->wr);
	if (end_writing)
		side_hang_up(&pipe->rd);
}

/* Has the other side been there since (or when) this file was opened? */
static bool peer_came(const struct pipe *pipe, const struct ipcx_handle *handle)
{
	const struct pipe_side *peers =
		handle->f_mode & FMODE_READ ? &pipe->wr : &pipe->rd;

	/* Pairs with side_arrive(). */
	return smp_load_acquire(&peers->arrivals) != handle->peers;
}

/* May an open() return? The rules of fifo(7), but bytes are worth reading. */
static int open_check(const struct pipe *pipe, const struct ipcx_handle *handle)
{
	if (ipcx_object_removed(&pipe->obj))
		return -EIDRM;
	if (peer_came(pipe, handle))
		return 0;
	if (handle->f_mode & FMODE_READ && pipe_used(pipe))
		return 0;
	return -EAGAIN;
}

static int pipe_open(struct ipcx_handle *handle,
		     const struct ipcx_patience *patience)
{
	struct pipe *pipe = to_pipe(handle->obj);
	DEFINE_WAIT(wait);
	int ret, err = 0;

	if (!is_fifo_end(handle))
		return ipcx_object_removed(&pipe->obj) ? -EIDRM : 0;

	for (;;) {
		prepare_to_wait(&pipe->open, &wait, TASK_INTERRUPTIBLE);
		ret = open_check(pipe, handle);
		if (ret != -EAGAIN)
			break;
		ret = err;
		if (err)
			break;
		err = ipcx_sleep(patience);
	}
	finish_wait(&pipe->open, &wait);
	/* A nonblocking reader; a writer would have failed to attach. */
	return ret == -EAGAIN ? 0 : ret;
}

/* ---- Object operations ---- */

static int pipe_prepare(void *params, u64 *bytes)
{
	struct ipcx_pipe_params *p = params;
	int err;

	if (!p->capacity_bytes)
		p->capacity_bytes = min_t(u64, IPCX_PIPE_CAPACITY,
					  ipcx_pipe_capacity_max());
	*bytes = p->capacity_bytes;
	err = capacity_round(bytes);
	p->capacity_bytes = *bytes;
	return err;
}

static void side_init(struct pipe_side *side)
{
	init_waitqueue_head(&side->owner);
	init_waitqueue_head(&side->turn);
	init_waitqueue_head(&side->poll);
}

static int pipe_init(struct ipcx_object *obj, const void *params)
{
	const struct ipcx_pipe_params *p = params;
	struct pipe *pipe = to_pipe(obj);

	pipe->ring = ring_alloc(p->capacity_bytes);
	if (!pipe->ring)
		return -ENOMEM;
	pipe->capacity = p->capacity_bytes;
	spin_lock_init(&pipe->lock);
	init_waitqueue_head(&pipe->open);
	side_init(&pipe->rd);
	side_init(&pipe->wr);
	return 0;
}

static void pipe_destroy(struct ipcx_object *obj)
{
	struct pipe *pipe = to_pipe(obj);

	put_pid(pipe->rd.last);
	put_pid(pipe->wr.last);
	vfree(pipe->ring);
}

static void pipe_remove(struct ipcx_object *obj)
{
	struct pipe *pipe = to_pipe(obj);

	wake_up_interruptible_all(&pipe->open);
	kill_fasync(&pipe->fasync, SIGIO, POLL_HUP);
	side_hang_up(&pipe->rd);
	side_hang_up(&pipe->wr);
}

static void pipe_stat(struct ipcx_object *obj, struct pid_namespace *pid_ns,
		      struct ipcx_stat *stat)
{
	struct pipe *pipe = to_pipe(obj);

	spin_lock(&pipe->lock);
	stat->last_reader_pid = pid_nr_ns(pipe->rd.last, pid_ns);
	stat->last_writer_pid = pid_nr_ns(pipe->wr.last, pid_ns);
	stat->readers = pipe->rd.files;
	stat->writers = pipe->wr.files;
	spin_unlock(&pipe->lock);
	stat->read_ns = READ_ONCE(pipe->rd.last_ns);
	stat->write_ns = READ_ONCE(pipe->wr.last_ns);
	stat->capacity_bytes = READ_ONCE(pipe->capacity);
	stat->used_bytes = pipe_used(pipe);
	stat->waiting_readers = atomic_read(&pipe->rd.waiting);
	stat->waiting_writers = atomic_read(&pipe->wr.waiting);
}

/* ---- File operations ---- */

static ssize_t pipe_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct ipcx_handle *handle = iocb->ki_filp->private_data;
	struct ipcx_patience patience = ipcx_patience_of_iocb(iocb);

	return pipe_read(handle->obj, handle, to, &patience);
}

static ssize_t pipe_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct ipcx_handle *handle = iocb->ki_filp->private_data;
	struct ipcx_patience patience = ipcx_patience_of_iocb(iocb);
	ssize_t ret = pipe_write(handle->obj, handle, from, &patience);

	if (ret == -EPIPE)
		send_sig(SIGPIPE, current, 0);
	return ret;
}

/* POLLHUP comes with the bytes that are left: while an owner hides them, later. */
static __poll_t poll_reading(struct pipe *pipe, const struct ipcx_handle *handle)
{
	/* First this: the last writer may have written before he left. */
	__poll_t hup = peers_gone(&pipe->wr, handle) ? EPOLLHUP : 0;

	if (!pipe_used(pipe))
		return hup;
	return side_taken(&pipe->rd) ? 0 : hup | EPOLLIN | EPOLLRDNORM;
}

static __poll_t pipe_events(struct ipcx_handle *handle)
{
	struct pipe *pipe = to_pipe(handle->obj);
	__poll_t events = 0;

	if (ipcx_object_removed(&pipe->obj))
		return EPOLLHUP | EPOLLERR;
	if (handle->f_mode & FMODE_READ)
		events |= poll_reading(pipe, handle);
	if (handle->f_mode & FMODE_WRITE) {
		if (poll_writable(pipe))
			events |= EPOLLOUT | EPOLLWRNORM;
		if (peers_gone(&pipe->rd, handle))
			events |= EPOLLERR;
	}
	return events;
}

/*
 * All of these only grow. Who leaves ends no event; only RESIZE may, to a smaller ring, and is
 * not told.
 */
static u64 pipe_moves(struct ipcx_object *obj)
{
	struct pipe *pipe = to_pipe(obj);

	return pos_load(&pipe->rd) + pos_load(&pipe->wr) +
	       READ_ONCE(pipe->rd.arrivals) + READ_ONCE(pipe->wr.arrivals);
}

static __poll_t pipe_poll(struct file *file, poll_table *table)
{
	struct pipe *pipe = file_pipe(file);

	if (file->f_mode & FMODE_READ)
		poll_wait(file, &pipe->rd.poll, table);
	if (file->f_mode & FMODE_WRITE)
		poll_wait(file, &pipe->wr.poll, table);
	/* Neither: for REMOVE. It must not take a wake-up from who can use it. */
	if (!(file->f_mode & (FMODE_READ | FMODE_WRITE)))
		poll_wait(file, &pipe->open, table);
	smp_mb();	/* SLEEP: pairs with side_notify(), side_free() */
	return pipe_events(file->private_data);
}

static int pipe_fasync(int fd, struct file *file, int on)
{
	struct pipe *pipe = file_pipe(file);
	int err = 0;

	if (!(file->f_mode & (FMODE_READ | FMODE_WRITE)))
		return fasync_helper(fd, file, on, &pipe->fasync);
	if (file->f_mode & FMODE_READ)
		err = fasync_helper(fd, file, on, &pipe->rd.fasync);
	if (err >= 0 && file->f_mode & FMODE_WRITE) {
		err = fasync_helper(fd, file, on, &pipe->wr.fasync);
		if (err < 0 && file->f_mode & FMODE_READ)
			fasync_helper(-1, file, 0, &pipe->rd.fasync);
	}
	return err;
}

static long pipe_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct pipe *pipe = file_pipe(file);

	if (cmd == FIONREAD) {
		if (ipcx_object_removed(&pipe->obj))
			return -EIDRM;
		return put_user((int)pipe_used(pipe), (int __user *)arg);
	}
	return ipcx_object_ioctl(file, cmd, arg);
}

static const struct file_operations pipe_fops = {
	.owner = THIS_MODULE,
	.open = ipcx_file_open,
	.release = ipcx_file_release,
	.read_iter = pipe_read_iter,
	.write_iter = pipe_write_iter,
	.splice_read = ipcx_splice_read,
	.splice_write = ipcx_splice_write,
	.poll = pipe_poll,
	.fasync = pipe_fasync,
	.unlocked_ioctl = pipe_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = ipcx_file_show_fdinfo,
};

const struct ipcx_type_ops ipcx_pipe_type = {
	.name = "pipe",
	.id = IPCX_TYPE_PIPE,
	.s_ifmt = S_IFIFO,
	.object_size = sizeof(struct pipe),
	.handle_size = sizeof(struct ipcx_handle),
	.params_size = sizeof(struct ipcx_pipe_params),
	.params_min = sizeof(struct ipcx_pipe_params),
	.fops = &pipe_fops,
	.prepare = pipe_prepare,
	.init = pipe_init,
	.destroy = pipe_destroy,
	.attach = pipe_attach,
	.open = pipe_open,
	.detach = pipe_detach,
	.remove = pipe_remove,
	.stat = pipe_stat,
	.read = pipe_read,
	.write = pipe_write,
	.round = pipe_round,
	.resize = pipe_resize,
	.events = pipe_events,
	.moves = pipe_moves,
};
