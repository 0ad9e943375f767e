// SPDX-License-Identifier: GPL-2.0
/*
 * Queues: typed messages, and those who wait for them.
 *
 * One spinlock guards a queue. It is never held over user memory or a sleep; what
 * is done under it costs the logarithm of how many wait, whatever they wait for
 * (index.c). The way of a message:
 *
 *	sender					receiver
 *	------					--------
 *	reserve: its space is taken
 *	   copy in
 *	publish: hand it to who waits for
 *	   it, or put it into the tree
 *						claim: out of the tree
 *						   copy out
 *						settle: its space is free
 *						   or: offer it again
 *
 * Each step is a section under the lock, and between them nobody waits for who
 * copies. Space is taken before there is memory, so that memory stays within what the
 * queue's creator was charged; but short messages, less than a stack, are copied
 * first, and reserve and publish are one section then. Dead messages are freed right after
 * the section that gives their space back.
 *
 * Waiting. Who waits stands in the queue's index of receivers or list of senders, and
 * whoever has something for him takes him out, under the lock, stores the result in
 * his struct (release), and wakes him later, if he sleeps (wait.c). The waiter looks and
 * sleeps until he sees the result (acquire). If he wants to leave before, he takes the lock
 * and looks again: so what has been delivered beats a signal or deadline.
 *
 *	receiver				sender
 *	--------				------
 *	under the lock: nothing there,		under the lock: publish
 *	  add to receivers			  take out of receivers
 *	result: SPINS to SLEEPS			  result = 1   (xchg)
 *	state = TASK_INTERRUPTIBLE		    was SLEEPS: wake_up_process():
 *	load result (acquire)			      full barrier, load state:
 *	  SLEEPS: sleep				      sleeping? wake
 *
 * No message in the tree is wanted by anybody who waits: both are looked at under
 * the same lock before either is added.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>
#include <linux/wait.h>
#include <asm/ioctls.h>

#include "account.h"
#include "compat/compiler.h"
#include "compat/uio.h"
#include "index.h"
#include "ioctl.h"
#include "object.h"
#include "queue.h"
#include "wait.h"

#define QUEUE_MSGS	1024
#define QUEUE_BYTES	SZ_256K

/*
 * Of most messages all is in one piece of memory of three cache lines, of which there is a
 * cache.
 */
#define SMALL_BYTES	192
#define SMALL_LEN	(SMALL_BYTES - sizeof(struct message))

/* What is done in one section, at most; of a batch it stands on the stack. */
#define CHUNK		16

/* Memory of so many small messages a queue keeps at most. */
#define SPARES		32

/* Peeking walks: so far in one section. */
#define STEPS		256

static ulong queue_msgs_max = 1 << 20;
module_param(queue_msgs_max, ulong, 0644);
MODULE_PARM_DESC(queue_msgs_max, "messages that one queue may hold");

static ulong queue_bytes_max = SZ_1G;
module_param(queue_bytes_max, ulong, 0644);
MODULE_PARM_DESC(queue_bytes_max, "bytes that one queue's messages may have together");

/**
 * struct message - a message
 * @run:     its key is the type; in queue->tree while it can be received
 * @age:     in queue->msgs until it is dropped: claimed ones keep their place
 * @next_dead: in section->dead from then on
 * @refs:    1 until it has been received or purged, and one for each who peeks;
 *	     at 0 its space is free
 * @queued:  it is in queue->tree
 * @len:     its length
 * @sent_ns: when it was published
 * @pid:     process that sent it, a reference
 * @uid:     its real uid then
 * @gid:     likewise
 * @data:    the bytes
 *
 * The sender's until it is published; then @run, @age, @refs and @queued are
 * guarded by queue->lock, and the rest doesn't change while there is a reference.
 */
struct message {
	struct ipcx_run run;
	union {
		struct list_head age;
		struct message *next_dead;
	};
	unsigned int refs;
	bool queued;
	size_t len;
	u64 sent_ns;
	struct pid *pid;
	kuid_t uid;
	kgid_t gid;
	u8 data[];
};

/**
 * struct limits - of a queue
 * @msgs:      messages
 * @bytes:     their bytes
 * @msg_bytes: bytes of one
 */
struct limits {
	u64 msgs;
	u64 bytes;
	u64 msg_bytes;
};

/**
 * struct notice - a request to be told of a message that comes to the empty queue
 * @file:    by which it was made
 * @process: whose it is, a reference
 * @thread:  who has asked, a reference
 * @exec_id: of the program that has asked
 * @signo:   the signal
 * @value:   what goes with it
 *
 * It doesn't change.
 */
struct notice {
	struct queue_file *file;
	struct pid *process;
	struct pid *thread;
	u64 exec_id;
	int signo;
	u64 value;
};

/**
 * struct queue - a queue
 * @obj:       common part
 * @lock:      guards all that follows; the order is in Documentation/locking.rst
 * @tree:      messages that can be received, by type and age
 * @msgs:      all messages that have been published, by age
 * @nr_queued: how many are in @tree
 * @bytes_queued: their bytes
 * @seq:       the last age given to a message or to who waits
 * @max:       limits
 * @nr:        messages for which space is taken
 * @bytes:     their bytes
 * @receivers: receivers that wait, by what they want
 * @senders:   senders that wait for space, in the order of their coming
 * @nr_receivers: how many
 * @nr_senders: how many
 * @pollers:   files that can read and have been polled, by what they select
 * @async:     files with O_ASYNC; read under RCU as well
 * @files_rd:  open files that can read
 * @files_wr:  open files that can write
 * @notice:    who is told of a message that comes to the empty queue, or NULL
 * @rd:        who received last, and when
 * @wr:        who sent last, and when
 * @space:     who polls for space, or for nothing but the end
 * @spare:     memory of small messages for the next, or NULL; by xchg(), without @lock
 * @spin:      how long who waits looks before he sleeps; without @lock
 */
struct queue {
	struct ipcx_object obj;
	spinlock_t lock;	/* all that follows */
	struct rb_root tree;
	struct list_head msgs;
	u64 nr_queued;
	u64 bytes_queued;
	u64 seq;
	struct limits max;
	u64 nr;
	u64 bytes;
	struct ipcx_interests receivers;
	struct list_head senders;
	u32 nr_receivers;
	u32 nr_senders;
	struct ipcx_interests pollers;
	struct list_head async;
	u32 files_rd;
	u32 files_wr;
	struct notice *notice;
	struct last {
		struct pid *pid;
		u64 ns;
	} rd, wr;
	wait_queue_head_t space;
	struct message *spare;
	struct ipcx_spin spin;
};

/* Bits of queue_file.news. */
#define NEWS_IN		0
#define NEWS_OUT	1

/**
 * struct queue_file - an open file of a queue
 * @handle:   common part
 * @interest: what it selects; in queue->pollers if @polled
 * @polled:   it has been polled, and somebody may be on @poll
 * @truncate: read(2) truncates
 * @listed:   in queue->async
 * @type:     what write(2) sends
 * @news:     signals that are due: NEWS_IN, NEWS_OUT
 * @fasync:   who wants them; guarded by the fasync code
 * @async:    in queue->async
 * @charge:   what @interest takes, if it is much; or NULL
 * @poll:     who polls for messages
 *
 * @interest, @polled, @listed, @async and @charge are guarded by queue->lock; @truncate
 * and @type are one word each, and stand for themselves.
 */
struct queue_file {
	struct ipcx_handle handle;
	struct ipcx_interest interest;
	bool polled;
	bool truncate;
	bool listed;
	u64 type;
	unsigned long news;
	struct fasync_struct *fasync;
	struct list_head async;
	struct ipcx_charge *charge;
	wait_queue_head_t poll;
};

/**
 * struct parcel - a message as the caller knows it
 * @type: to be sent
 * @iter: where the bytes are or go, or NULL: it is @buf
 * @buf:  the caller's memory
 * @room: a receiver's
 * @len:  its length; told of E2BIG, too
 * @msg:  the message
 */
struct parcel {
	u64 type;
	struct iov_iter *iter;
	u64 buf;
	u64 room;
	u64 len;
	struct message *msg;
};

/**
 * struct sender - a sender that waits for space
 * @node:   in queue->senders, until he is released or dropped
 * @waiter: 1 when the space is his, or an errno
 * @len:    for how much
 */
struct sender {
	struct list_head node;
	struct ipcx_waiter waiter;
	u64 len;
};

/**
 * struct receiver - a receiver that waits for a message
 * @interest: for which; in queue->receivers until he is released or dropped
 * @waiter:   1 when the message is his, or an errno
 * @parcel:   where the message goes
 */
struct receiver {
	struct ipcx_interest interest;
	struct ipcx_waiter waiter;
	struct parcel *parcel;
};

/**
 * struct section - from taking a queue's lock to giving it back, and what is left
 *		    to be done then
 * @dead:   messages to free, chained by next_dead
 * @notice: to be sent and freed, or NULL
 * @former: who was the last before the caller, a reference or NULL
 * @space:  there is more space, or one less who waits for it
 * @news:   some file's news is not 0
 * @rare:   one of @notice, @former and @news is set
 * @wakes:  tasks to wake
 */
struct section {
	struct message *dead;
	struct notice *notice;
	struct pid *former;
	bool space;
	bool news;
	bool rare;
	struct ipcx_wakes wakes;
};

static struct queue *to_queue(struct ipcx_object *obj)
{
	return container_of(obj, struct queue, obj);
}

static struct queue_file *to_queue_file(struct ipcx_handle *handle)
{
	return container_of(handle, struct queue_file, handle);
}

/* ---- Memory ---- */

static struct kmem_cache *small_messages;

static bool is_small(u64 len)
{
	return len <= SMALL_LEN;
}

/* A chain of small ones goes back many at once. */
static noinline void spare_free(struct message *msg)
{
	void *small[CHUNK] __uninitialized;
	struct message *next;
	size_t nr = 0;

	for (; msg; msg = next) {
		next = msg->next_dead;
		put_pid(msg->pid);
		small[nr++] = msg;
		if (nr < CHUNK && next)
			continue;
		kmem_cache_free_bulk(small_messages, nr, small);
		nr = 0;
	}
}

/*
 * Memory of small messages that a queue keeps for the next, as a pipe does a page: a chain
 * by next_dead, in which @refs tells how many there are from here on. It is taken as a
 * whole and put back, without a lock; where two put it back at once, one lot is freed.
 * With the memory goes the pid of who sent before, mostly he who does so next.
 */
static __always_inline struct message *spare_take(struct queue *queue)
{
	return READ_ONCE(queue->spare) ? xchg(&queue->spare, NULL) : NULL;
}

static void spare_put(struct queue *queue, struct message *spare)
{
	if (spare)
		spare = xchg(&queue->spare, spare);
	if (spare)
		spare_free(spare);
}

/* Memory for a message of @len bytes, or NULL. */
static __always_inline struct message *message_alloc(struct queue *queue, size_t len)
{
	struct message *msg = is_small(len) ? spare_take(queue) : NULL;

	if (msg) {
		if (msg->next_dead)
			spare_put(queue, msg->next_dead);
		return msg;
	}
	msg = is_small(len) ? kmem_cache_alloc(small_messages, GFP_KERNEL) :
			      kvmalloc(struct_size(msg, data, len),
				       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (msg)
		msg->pid = NULL;
	return msg;
}

/* Memory for many small messages at once, for others one by one; return for how many. */
static int messages_alloc(struct queue *queue, struct parcel *parcels, int n)
{
	struct message *spare = spare_take(queue);
	void *small[CHUNK] __uninitialized;
	int i, from, nr = 0;

	for (; nr < n && is_small(parcels[nr].len) && spare; nr++) {
		parcels[nr].msg = spare;
		spare = spare->next_dead;
	}
	spare_put(queue, spare);
	from = nr;
	while (nr < n && is_small(parcels[nr].len))
		nr++;
	if (nr - from < 2 ||
	    !kmem_cache_alloc_bulk(small_messages, GFP_KERNEL, nr - from, small))
		nr = from;
	for (i = from; i < nr; i++) {
		parcels[i].msg = small[i - from];
		parcels[i].msg->pid = NULL;
	}
	for (; i < n; i++) {
		parcels[i].msg = message_alloc(queue, parcels[i].len);
		if (!parcels[i].msg)
			break;
	}
	return i;
}

static __always_inline void message_init(struct message *msg, u64 type, size_t len)
{
	struct pid *pid = task_tgid(current);

	msg->run.aged.key = type;
	msg->len = len;
	if (msg->pid != pid) {
		put_pid(msg->pid);
		msg->pid = get_pid(pid);
	}
	msg->uid = current_uid();
	msg->gid = current_gid();
}

static void message_free(struct message *msg, size_t len)
{
	put_pid(msg->pid);
	if (is_small(len))
		kmem_cache_free(small_messages, msg);
	else
		kvfree(msg);
}

/* A chain of dead ones: small ones are kept, as far as that goes. */
static noinline void messages_free(struct queue *queue, struct message *msg)
{
	struct message *spare = spare_take(queue), *small = NULL, *next;
	unsigned int nr = spare ? spare->refs : 0;

	for (; msg; msg = next) {
		next = msg->next_dead;
		if (!is_small(msg->len)) {
			message_free(msg, msg->len);
		} else if (nr < SPARES) {
			msg->next_dead = spare;
			msg->refs = ++nr;
			spare = msg;
		} else {
			msg->next_dead = small;
			small = msg;
		}
	}
	spare_put(queue, spare);
	if (small)
		spare_free(small);
}

/* Of most messages that have been received this is the end. */
static __always_inline void messages_drop(struct queue *queue, struct message *msg)
{
	if (is_small(msg->len) && !msg->next_dead && !READ_ONCE(queue->spare)) {
		msg->refs = 1;
		spare_put(queue, msg);
	} else {
		messages_free(queue, msg);
	}
}

/* A long copy stops now and then for others, and for good when it is killed. */
static __always_inline size_t
copy_in_steps(void *data, size_t len, struct iov_iter *iter,
	      size_t (*copy)(void *data, size_t n, struct iov_iter *i))
{
	size_t done = 0;

	while (done < len) {
		size_t n = min_t(size_t, len - done, SZ_1M);
		size_t copied = copy(data + done, n, iter);

		done += copied;
		if (copied < n || fatal_signal_pending(current))
			break;
		if (done < len)
			cond_resched();
	}
	return done;
}

/*
 * Without check_copy_size(): the range is the message's own by construction, and under
 * HARDENED_USERCOPY the check would be a tenth of the cost of a short message.
 */
static size_t copy_in(void *data, size_t n, struct iov_iter *from)
{
	return _copy_from_iter(data, n, from);
}

static size_t copy_out(void *data, size_t n, struct iov_iter *to)
{
	return _copy_to_iter(data, n, to);
}

/* ---- Sections ---- */

static bool queue_fits(const struct queue *queue, u64 len)
{
	lockdep_assert_held(&queue->lock);
	return queue->nr < queue->max.msgs &&
	       len <= queue->max.bytes - queue->bytes;
}

/* Would a short message be taken at once? */
static bool queue_writable(const struct queue *queue)
{
	return list_empty(&queue->senders) &&
	       queue_fits(queue, min_t(u64, queue->max.msg_bytes, SZ_4K));
}

/* The sender is on nobody's list any more, and gone as soon as he sees it. */
static void sender_done(struct queue *queue, struct section *s,
			struct sender *sender, int result)
{
	lockdep_assert_held(&queue->lock);
	list_del(&sender->node);
	queue->nr_senders--;
	ipcx_waiter_release(&sender->waiter, result, &s->wakes);
}

/* The first who waits for space, if he needn't any more. */
static struct sender *sender_ready(struct queue *queue)
{
	struct sender *sender =
		list_first_entry_or_null(&queue->senders, struct sender, node);

	if (sender && (sender->len > queue->max.msg_bytes ||
		       queue_fits(queue, sender->len)))
		return sender;
	return NULL;
}

/* Off the list, without space: he has something else, or looks himself. */
static void sender_drop(struct queue *queue, struct sender *sender)
{
	lockdep_assert_held(&queue->lock);
	list_del(&sender->node);
	queue->nr_senders--;
	ipcx_waiter_drop(&sender->waiter);
}

/* Give space to those who wait for it, in their order. Tell whether that was all. */
static bool queue_admit(struct queue *queue, struct section *s)
{
	struct sender *sender;
	int i;

	for (i = 0; (sender = sender_ready(queue)); i++) {
		if (i == CHUNK)
			return false;
		if (!ipcx_waiter_claim(&sender->waiter)) {
			sender_drop(queue, sender);
			continue;
		}
		if (sender->len > queue->max.msg_bytes) {
			sender_done(queue, s, sender, -EMSGSIZE);
			continue;
		}
		queue->nr++;
		queue->bytes += sender->len;
		sender_done(queue, s, sender, 1);
	}
	return true;
}

/* Does a file with O_ASYNC want to hear of a message of @type, or of space? */
static bool file_wants(const struct queue_file *file, u64 type, int bit)
{
	if (bit == NEWS_OUT)
		return file->handle.f_mode & FMODE_WRITE;
	return (file->handle.f_mode & FMODE_READ) &&
	       ipcx_select_matches(&file->interest.select, type);
}

static void files_mark(struct queue *queue, struct section *s, u64 type, int bit)
{
	struct queue_file *file;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(file, &queue->async, async) {
		if (!file_wants(file, type, bit))
			continue;
		set_bit(bit, &file->news);
		s->news = true;
		s->rare = true;
	}
}

/* Whoever marks a file comes here afterwards: no mark is left behind. */
static void files_signal(struct queue *queue)
{
	struct queue_file *file;

	rcu_read_lock();
	list_for_each_entry_rcu(file, &queue->async, async) {
		if (test_and_clear_bit(NEWS_IN, &file->news))
			kill_fasync(&file->fasync, SIGIO, POLL_IN);
		if (test_and_clear_bit(NEWS_OUT, &file->news))
			kill_fasync(&file->fasync, SIGIO, POLL_OUT);
	}
	rcu_read_unlock();
}

static void notice_free(struct notice *notice)
{
	if (!notice)
		return;
	put_pid(notice->process);
	put_pid(notice->thread);
	kfree(notice);
}

/* Has the task no use for the signal now? A hint: it may change its mind. */
static bool task_blocks(struct task_struct *task, int signo)
{
	return READ_ONCE(task->exit_state) || task->flags & PF_EXITING ||
	       sigismember(&task->blocked, signo);
}

/*
 * Which thread gets the signal. What a module can send goes to one thread, and what
 * is wanted is a signal to the process: so to one who would take it, the one that has
 * asked first.
 */
static struct task_struct *notice_target(const struct notice *notice)
{
	struct task_struct *asked = pid_task(notice->thread, PIDTYPE_PID);
	struct task_struct *leader = pid_task(notice->process, PIDTYPE_TGID);
	struct task_struct *task;

	if (!leader || (asked && !task_blocks(asked, notice->signo)))
		return asked;
	/* for_each_thread() asks lockdep for a lock that modules don't see. */
	list_for_each_entry_rcu(task, &leader->signal->thread_head, thread_node)
		if (!task_blocks(task, notice->signo))
			return task;
	return asked && !READ_ONCE(asked->exit_state) ? asked : leader;
}

/* By another program, which may have had fewer rights? Or one that is no more? */
static bool notice_stale(const struct notice *notice)
{
	const struct task_struct *task;
	bool stale = true;

	if (!notice)
		return true;
	rcu_read_lock();
	task = pid_task(notice->process, PIDTYPE_TGID);
	if (task)
		stale = READ_ONCE(task->self_exec_id) != notice->exec_id ||
			!atomic_read(&task->signal->live);
	rcu_read_unlock();
	return stale;
}

/* By the sender. The signal code translates his uid. */
static void notice_send(const struct notice *notice)
{
	struct kernel_siginfo info;
	struct task_struct *task;

	if (notice_stale(notice))
		return;
	clear_siginfo(&info);
	info.si_signo = notice->signo;
	info.si_code = SI_MESGQ;
	info.si_pid = task_tgid_nr_ns(current, ns_of_pid(notice->process));
	info.si_uid = from_kuid_munged(current_user_ns(), current_uid());
	info.si_value.sival_ptr = u64_to_user_ptr(notice->value);
	rcu_read_lock();
	task = notice_target(notice);
	if (task)
		send_sig_info(notice->signo, &info, task);
	rcu_read_unlock();
}

/* @s is set up here alone: the largest part of it, s->wakes, only as far as it is used. */
static __always_inline void queue_lock(struct queue *queue, struct section *s)
	__acquires(&queue->lock)
{
	s->dead = NULL;
	s->notice = NULL;
	s->former = NULL;
	s->space = false;
	s->news = false;
	s->rare = false;
	s->wakes.nr = 0;
	spin_lock(&queue->lock);
}

/* Give space to who waits for it. Tell whether there is some left, for who polls. */
static noinline bool space_pass_on(struct queue *queue, struct section *s)
{
	bool writable;

	while (!queue_admit(queue, s)) {
		ipcx_wakes_unlock(&s->wakes, &queue->lock);
		spin_lock(&queue->lock);
	}
	writable = queue_writable(queue);
	if (writable)
		files_mark(queue, s, 0, NEWS_OUT);
	return writable;
}

/* Does anybody care for space? */
static bool space_wanted(struct queue *queue)
{
	lockdep_assert_held(&queue->lock);
	if (!list_empty(&queue->senders) || !list_empty(&queue->async))
		return true;
	/* Who polls was on this list before he took the lock. */
	return waitqueue_active(&queue->space);
}

/* What is seldom left to be done, the lock having been given back. */
static noinline void section_end(struct queue *queue, struct section *s, bool writable)
{
	if (s->news)
		files_signal(queue);
	if (s->notice) {
		notice_send(s->notice);
		notice_free(s->notice);
	}
	if (writable)
		wake_up_interruptible_poll(&queue->space, EPOLLOUT | EPOLLWRNORM);
	put_pid(s->former);
}

static __always_inline void queue_unlock(struct queue *queue, struct section *s)
	__releases(&queue->lock)
{
	bool writable = s->space && space_wanted(queue) && space_pass_on(queue, s);

	/* First who is waited for; then signals, which may go to many. */
	if (s->wakes.nr)
		ipcx_wakes_unlock(&s->wakes, &queue->lock);
	else
		spin_unlock(&queue->lock);
	if (unlikely(writable || s->rare))
		section_end(queue, s, writable);
	if (s->dead)
		messages_drop(queue, s->dead);
}

/* Let others at it, in the middle of a long work. */
static void queue_relax(struct queue *queue, struct section *s)
	__releases(&queue->lock) __acquires(&queue->lock)
{
	queue_unlock(queue, s);
	ipcx_relax();
	queue_lock(queue, s);
}

/* ---- State, under the lock ---- */

static struct message *to_message(struct ipcx_aged *aged)
{
	return container_of(aged, struct message, run.aged);
}

/* What a receive would get now, or NULL. */
static struct message *queue_select(const struct queue *queue,
				    const struct ipcx_select *select)
{
	struct ipcx_aged *at;

	lockdep_assert_held(&queue->lock);
	switch (select->how) {
	case IPCX_SELECT_EXACT:
		at = ipcx_aged_from(&queue->tree, select->lo, 0);
		if (at && at->key != select->lo)
			at = NULL;
		break;
	case IPCX_SELECT_RANGE:
		at = ipcx_aged_from(&queue->tree, select->lo, 0);
		if (at && at->key > select->hi)
			at = NULL;
		break;
	case IPCX_SELECT_EXCEPT:
		at = ipcx_aged_oldest_except(&queue->tree, select->lo);
		break;
	default:
		at = ipcx_aged_oldest(&queue->tree);
	}
	return at ? to_message(at) : NULL;
}

/* Out of the tree: it is the caller's. */
static void message_claim(struct queue *queue, struct message *msg)
{
	lockdep_assert_held(&queue->lock);
	ipcx_run_take(&queue->tree, &msg->run);
	msg->queued = false;
	queue->nr_queued--;
	queue->bytes_queued -= msg->len;
}

static __always_inline void
message_put(struct queue *queue, struct section *s,
	    struct message *msg)
{
	lockdep_assert_held(&queue->lock);
	if (--msg->refs)
		return;
	list_del(&msg->age);
	msg->next_dead = s->dead;
	s->dead = msg;
	queue->nr--;
	queue->bytes -= msg->len;
	s->space = true;
}

/* Give back what a sender had reserved and won't use. */
static void space_return(struct queue *queue, struct section *s, u64 len)
{
	lockdep_assert_held(&queue->lock);
	queue->nr--;
	queue->bytes -= len;
	s->space = true;
}

/* As sender_done(). */
static __always_inline void
receiver_done(struct queue *queue, struct section *s,
	      struct receiver *receiver, int result)
{
	lockdep_assert_held(&queue->lock);
	ipcx_interest_del(&queue->receivers, &receiver->interest);
	queue->nr_receivers--;
	ipcx_waiter_release(&receiver->waiter, result, &s->wakes);
}

/* As sender_drop(). */
static void receiver_drop(struct queue *queue, struct receiver *receiver)
{
	lockdep_assert_held(&queue->lock);
	ipcx_interest_del(&queue->receivers, &receiver->interest);
	queue->nr_receivers--;
	ipcx_waiter_drop(&receiver->waiter);
}

/*
 * A task may have listed wide ranges 63 times over, and a thousand of them be decided at one
 * moment: so the section ends after each that is taken off.
 */
static noinline void receiver_drop_relax(struct queue *queue, struct section *s,
					 struct receiver *receiver)
	__releases(&queue->lock) __acquires(&queue->lock)
{
	receiver_drop(queue, receiver);
	queue_relax(queue, s);
}

/*
 * The longest waiting who wants a message of @type and can be given it, or NULL. The caller's
 * section may have ended and another have begun, but not after this was found.
 */
static __always_inline struct receiver *
receiver_claim(struct queue *queue, struct section *s, u64 type)
{
	struct ipcx_interest *interest;
	struct receiver *receiver;

	lockdep_assert_held(&queue->lock);
	while (!ipcx_interests_empty(&queue->receivers)) {
		interest = ipcx_interest_first(&queue->receivers, type);
		if (!interest)
			break;
		receiver = container_of(interest, struct receiver, interest);
		if (ipcx_waiter_claim(&receiver->waiter))
			return receiver;
		receiver_drop_relax(queue, s, receiver);
	}
	return NULL;
}

static struct queue_file *interest_file(struct ipcx_interest *interest)
{
	return container_of(interest, struct queue_file, interest);
}

/* Tell files that select @type. One that nobody polls any more is forgotten. */
static noinline void pollers_wake(struct queue *queue, u64 type)
{
	struct ipcx_cursor cursor = {};
	struct ipcx_interest *interest;

	lockdep_assert_held(&queue->lock);
	while ((interest = ipcx_interest_next(&queue->pollers, type, &cursor))) {
		struct queue_file *file = interest_file(interest);

		/* Who polls was on this list before he took the lock. */
		if (waitqueue_active(&file->poll)) {
			wake_up_interruptible_poll(&file->poll,
						   EPOLLIN | EPOLLRDNORM);
		} else {
			ipcx_interest_del(&queue->pollers, interest);
			file->polled = false;
		}
	}
}

static void notice_take(struct queue *queue, struct section *s)
{
	s->notice = queue->notice;
	s->rare = true;
	queue->notice = NULL;
}

/* Into the tree, where others may want it; @again after it has been a receiver's. */
static void message_queue(struct queue *queue, struct section *s, struct message *msg,
			  bool again)
{
	if (!queue->nr_queued && queue->notice)
		notice_take(queue, s);
	if (again)
		ipcx_run_put_back(&queue->tree, &msg->run);
	else
		ipcx_run_add(&queue->tree, &msg->run);
	msg->queued = true;
	queue->nr_queued++;
	queue->bytes_queued += msg->len;
	if (!ipcx_interests_empty(&queue->pollers))
		pollers_wake(queue, msg->run.aged.key);
	if (!list_empty(&queue->async))
		files_mark(queue, s, msg->run.aged.key, NEWS_IN);
}

/* To who was claimed for it, or into the tree. */
static __always_inline void
message_give(struct queue *queue, struct section *s, struct message *msg,
	     struct receiver *receiver, bool again)
{
	if (receiver) {
		receiver->parcel->msg = msg;
		receiver_done(queue, s, receiver, 1);
	} else if (ipcx_object_removed(&queue->obj)) {
		message_put(queue, s, msg);
	} else {
		message_queue(queue, s, msg, again);
	}
}

/* One that was claimed and not received: others may have it. As receiver_claim(). */
static void message_offer(struct queue *queue, struct section *s, struct message *msg)
{
	message_give(queue, s, msg, receiver_claim(queue, s, msg->run.aged.key), true);
}

/* The caller has moved messages: who and when, for IPC_STAT. */
static __always_inline void
queue_sign(struct queue *queue, struct section *s, struct last *last,
	   u64 ns)
{
	lockdep_assert_held(&queue->lock);
	last->ns = ns;
	if (last->pid == task_tgid(current))
		return;
	s->former = last->pid;
	s->rare = true;
	last->pid = get_pid(task_tgid(current));
}

/* ---- Waiting ---- */

/* In the line of those who wait for space for @len bytes. */
static void sender_list(struct queue *queue, struct sender *sender, u64 len,
			struct ipcx_slot *slot)
{
	lockdep_assert_held(&queue->lock);
	sender->len = len;
	ipcx_waiter_init(&sender->waiter, &queue->spin, slot);
	list_add_tail(&sender->node, &queue->senders);
	queue->nr_senders++;
}

/* Among those who wait for a message, with an interest that is ready. */
static void receiver_list(struct queue *queue, struct receiver *receiver,
			  struct parcel *parcel, struct ipcx_slot *slot)
{
	lockdep_assert_held(&queue->lock);
	receiver->parcel = parcel;
	ipcx_waiter_init(&receiver->waiter, &queue->spin, slot);
	ipcx_interest_add(&queue->receivers, &receiver->interest, ++queue->seq);
	queue->nr_receivers++;
}

/* Wait for space for @len bytes. The caller's section ends here. */
static noinline int sender_wait(struct queue *queue, struct section *s, u64 len,
				const struct ipcx_patience *patience)
	__releases(&queue->lock)
{
	struct sender sender;
	int ret, err;

	sender_list(queue, &sender, len, NULL);
	queue_unlock(queue, s);
	ret = ipcx_waiter_wait(&sender.waiter, patience, &queue->spin, &err);
	if (ret)
		return ret;
	queue_lock(queue, s);
	ret = sender.waiter.result;
	if (ipcx_waiter_waits(&sender.waiter)) {
		sender_drop(queue, &sender);
		/* The one behind it may be shorter. */
		s->space = true;
		ret = err;
	}
	queue_unlock(queue, s);
	return ret;
}

/* Wait for a message, with an interest that is ready. The caller's section ends here. */
static int receiver_wait(struct queue *queue, struct section *s,
			 struct receiver *receiver, struct parcel *parcel,
			 const struct ipcx_patience *patience)
	__releases(&queue->lock)
{
	int ret, err;

	receiver_list(queue, receiver, parcel, NULL);
	queue_unlock(queue, s);
	ret = ipcx_waiter_wait(&receiver->waiter, patience, &queue->spin, &err);
	if (ret)
		return ret;
	queue_lock(queue, s);
	ret = receiver->waiter.result;
	if (ipcx_waiter_waits(&receiver->waiter)) {
		receiver_drop(queue, receiver);
		ret = err;
	}
	queue_unlock(queue, s);
	return ret;
}

/* ---- Waiting for others, too ---- */

/**
 * struct slot_receiver - a receiver of a choice
 * @receiver: of a message
 * @parcel:   which he was given
 */
struct slot_receiver {
	struct receiver receiver;
	struct parcel parcel;
};

static void sender_free(struct ipcx_slot *slot)
{
	kfree(slot->waiting);
	slot->waiting = NULL;
}

static void receiver_free(struct ipcx_slot *slot)
{
	struct slot_receiver *r = slot->waiting;

	ipcx_interest_uninit(&r->receiver.interest);
	kfree(r);
	slot->waiting = NULL;
}

static int sender_leave(struct ipcx_slot *slot)
{
	struct queue *queue = to_queue(slot->obj);
	struct sender *sender = slot->waiting;
	struct section s __uninitialized;
	int ret;

	queue_lock(queue, &s);
	if (ipcx_waiter_waits(&sender->waiter)) {
		sender_drop(queue, sender);
		s.space = true;
	}
	ret = sender->waiter.result;
	queue_unlock(queue, &s);
	if (ret <= 0)
		sender_free(slot);
	return ret;
}

static int receiver_leave(struct ipcx_slot *slot)
{
	struct queue *queue = to_queue(slot->obj);
	struct slot_receiver *r = slot->waiting;
	struct section s __uninitialized;
	int ret;

	queue_lock(queue, &s);
	if (ipcx_waiter_waits(&r->receiver.waiter))
		receiver_drop(queue, &r->receiver);
	ret = r->receiver.waiter.result;
	queue_unlock(queue, &s);
	if (ret <= 0)
		receiver_free(slot);
	return ret;
}

/* The space that a sender was given and hasn't used. */
static void sender_give_back(struct ipcx_slot *slot)
{
	struct queue *queue = to_queue(slot->obj);
	struct sender *sender = slot->waiting;
	struct section s __uninitialized;

	queue_lock(queue, &s);
	space_return(queue, &s, sender->len);
	queue_unlock(queue, &s);
	sender_free(slot);
}

static void receiver_give_back(struct ipcx_slot *slot)
{
	struct queue *queue = to_queue(slot->obj);
	struct slot_receiver *r = slot->waiting;
	struct section s __uninitialized;

	queue_lock(queue, &s);
	message_offer(queue, &s, r->parcel.msg);
	queue_unlock(queue, &s);
	receiver_free(slot);
}

static void slot_hold(struct ipcx_slot *slot, void *waiting,
		      int (*leave)(struct ipcx_slot *slot),
		      void (*give_back)(struct ipcx_slot *slot))
{
	slot->waiting = waiting;
	slot->leave = leave;
	slot->give_back = give_back;
}

/* ---- Sending ---- */

/* Take space for as many of @n as there is now. */
static __always_inline int space_take(struct queue *queue, const struct parcel *parcels, int n)
{
	int i;

	lockdep_assert_held(&queue->lock);
	if (ipcx_object_removed(&queue->obj))
		return -EIDRM;
	for (i = 0; i < n; i++) {
		if (parcels[i].len > queue->max.msg_bytes)
			return i ?: -EMSGSIZE;
		if (!list_empty(&queue->senders) ||
		    !queue_fits(queue, parcels[i].len))
			break;
		queue->nr++;
		queue->bytes += parcels[i].len;
	}
	return i ?: -EAGAIN;
}

static noinline int parcel_copy_in_steps(struct parcel *parcel)
{
	struct iov_iter iter, *from = parcel->iter;
	int err;

	if (!from) {
		from = &iter;
		err = import_ubuf(ITER_SOURCE, u64_to_user_ptr(parcel->buf),
				  parcel->len, from);
		if (err)
			return err;
	}
	if (copy_in_steps(parcel->msg->data, parcel->len, from, copy_in) < parcel->len)
		return fatal_signal_pending(current) ? -EINTR : -EFAULT;
	return 0;
}

/* Copy the bytes into the message's memory. */
static int parcel_copy_in(struct parcel *parcel)
{
	void *data = parcel->msg->data;
	size_t len = parcel->len;

	if (!is_small(len))
		return parcel_copy_in_steps(parcel);
	if (parcel->iter)
		return copy_in(data, len, parcel->iter) < len ? -EFAULT : 0;
	return _copy_from_user(data, u64_to_user_ptr(parcel->buf), len) ? -EFAULT : 0;
}

/* The bytes of read(2) or write(2): mostly they are in one piece. */
static void parcel_iter(struct parcel *parcel, struct iov_iter *iter)
{
	parcel->iter = iter;
	if (!iter_is_ubuf(iter))
		return;
	parcel->iter = NULL;
	parcel->buf = (uintptr_t)(iter->ubuf + iter->iov_offset);
}

/* Whoever moves bytes moves the iterator. */
static ssize_t parcel_done(const struct parcel *parcel, struct iov_iter *iter,
			   size_t len)
{
	if (!parcel->iter)
		iov_iter_advance(iter, len);
	return len;
}

/* Make as many of @n as can be; return how many, and why not more in @err. */
static int parcels_fill(struct queue *queue, struct parcel *parcels, int n, int *err)
{
	int allocated = messages_alloc(queue, parcels, n), filled, i;

	*err = allocated < n ? -ENOMEM : 0;
	for (filled = 0; filled < allocated; filled++) {
		struct parcel *parcel = &parcels[filled];
		int copied = parcel_copy_in(parcel);

		if (copied) {
			*err = copied;
			break;
		}
		message_init(parcel->msg, parcel->type, parcel->len);
	}
	for (i = filled; i < allocated; i++)
		message_free(parcels[i].msg, parcels[i].len);
	return filled;
}

/* It is as old as it was when who gets it was claimed, or nobody: as receiver_claim(). */
static __always_inline void
message_publish(struct queue *queue, struct section *s,
		struct message *msg, u64 now)
{
	struct receiver *receiver = receiver_claim(queue, s, msg->run.aged.key);

	msg->refs = 1;
	msg->queued = false;
	msg->sent_ns = now;
	msg->run.aged.seq = ++queue->seq;
	list_add_tail(&msg->age, &queue->msgs);
	message_give(queue, s, msg, receiver, false);
}

/* Send messages whose space is taken. */
static __always_inline void
parcels_publish(struct queue *queue, struct section *s,
		struct parcel *parcels, int n)
{
	u64 now = ktime_get_coarse_real_ns();
	int i;

	for (i = 0; i < n; i++)
		message_publish(queue, s, parcels[i].msg, now);
	queue_sign(queue, s, &queue->wr, now);
}

/* Send the first @n; give the space of those up to @reserved back. */
static int queue_publish(struct queue *queue, struct parcel *parcels, int n,
			 int reserved)
{
	struct section s __uninitialized;
	int i, ret = n;

	queue_lock(queue, &s);
	if (ipcx_object_removed(&queue->obj))
		ret = -EIDRM;
	if (ret > 0)
		parcels_publish(queue, &s, parcels, ret);
	for (i = max(ret, 0); i < reserved; i++)
		space_return(queue, &s, parcels[i].len);
	queue_unlock(queue, &s);
	return ret;
}

/* The space is there: how it was asked for, or the caller has changed what he sends. */
static int slot_reserved(struct queue *queue, struct parcel *parcels, bool filled,
			 struct ipcx_slot *slot)
{
	struct sender *sender = slot->waiting;

	if (parcels[0].len != sender->len)
		return -EINVAL;
	sender_free(slot);
	return filled ? queue_publish(queue, parcels, 1, 1) : 1;
}

/* As queue_reserve(), but not to wait for space: to stand in the line. */
static noinline int slot_reserve(struct queue *queue, struct parcel *parcels, int n,
				 bool filled, struct ipcx_slot *slot)
{
	struct section s __uninitialized;
	struct sender *sender = NULL;
	int ret;

	if (slot->waiting)
		return slot->given ? slot_reserved(queue, parcels, filled, slot) : -EAGAIN;
	/* Of several, the first was given space. */
	if (!slot->given) {
		sender = kzalloc(sizeof(*sender), GFP_KERNEL_ACCOUNT);
		if (!sender)
			return -ENOMEM;
	}
	queue_lock(queue, &s);
	ret = space_take(queue, parcels, n);
	if (ret > 0 && filled)
		parcels_publish(queue, &s, parcels, ret);
	if (ret == -EAGAIN && sender) {
		sender_list(queue, sender, parcels[0].len, slot);
		ret = -EIOCBQUEUED;
	}
	queue_unlock(queue, &s);
	if (ret == -EIOCBQUEUED)
		slot_hold(slot, sender, sender_leave, sender_give_back);
	else
		kfree(sender);
	return ret;
}

/*
 * Take space for at least one of @n; return for how many. With @filled they are
 * there already, and are sent.
 */
static __always_inline int
queue_reserve(struct queue *queue, struct parcel *parcels, int n,
	      bool filled, const struct ipcx_patience *patience)
{
	struct section s __uninitialized;
	int ret;

	if (unlikely(patience->slot) && !patience->nonblock)
		return slot_reserve(queue, parcels, n, filled, patience->slot);
	queue_lock(queue, &s);
	ret = space_take(queue, parcels, n);
	if (ret == -EAGAIN && !patience->nonblock) {
		ret = sender_wait(queue, &s, parcels[0].len, patience);
		return ret > 0 && filled ? queue_publish(queue, parcels, 1, 1) : ret;
	}
	if (ret > 0 && filled)
		parcels_publish(queue, &s, parcels, ret);
	queue_unlock(queue, &s);
	return ret;
}

/*
 * Of several short messages what is copied before there is space, and stays with the
 * caller while he waits for it: no more than his own stack.
 */
#define SHORT_BYTES	SZ_2K

static bool parcels_short(const struct parcel *parcels, int n)
{
	u64 bytes = 0;
	int i;

	for (i = 0; i < n && bytes <= SHORT_BYTES; i++)
		bytes += min_t(u64, parcels[i].len, SZ_1G);
	return bytes <= SHORT_BYTES;
}

/*
 * Copy, then take space: one section does for both. Both of these return how many were
 * sent, and tell in @err what ends the call.
 */
static int send_short(struct queue *queue, struct parcel *parcels, int n,
		      const struct ipcx_patience *patience, int *err)
{
	int filled, sent = 0, i, ret;

	filled = parcels_fill(queue, parcels, n, err);
	while (sent < filled) {
		ret = queue_reserve(queue, parcels + sent, filled - sent, true,
				    patience);
		if (ret < 0) {
			*err = ret;
			break;
		}
		sent += ret;
	}
	for (i = sent; i < filled; i++)
		message_free(parcels[i].msg, parcels[i].len);
	return sent;
}

/* Take space, then copy: memory is never more than the queue's. */
static int send_long(struct queue *queue, struct parcel *parcels, int n,
		     const struct ipcx_patience *patience, int *err)
{
	int reserved, filled, sent, i;

	reserved = queue_reserve(queue, parcels, n, false, patience);
	if (reserved < 0) {
		*err = reserved;
		return 0;
	}
	filled = parcels_fill(queue, parcels, reserved, err);
	sent = queue_publish(queue, parcels, filled, reserved);
	if (sent < 0)
		*err = sent;
	sent = max(sent, 0);
	for (i = sent; i < filled; i++)
		message_free(parcels[i].msg, parcels[i].len);
	return sent;
}

/* What most send. */
static int send_small(struct queue *queue, struct parcel *parcel,
		      const struct ipcx_patience *patience)
{
	int ret;

	parcel->msg = message_alloc(queue, parcel->len);
	if (!parcel->msg)
		return -ENOMEM;
	ret = parcel_copy_in(parcel);
	if (!ret) {
		message_init(parcel->msg, parcel->type, parcel->len);
		ret = queue_reserve(queue, parcel, 1, true, patience);
	}
	if (ret < 0)
		message_free(parcel->msg, parcel->len);
	return ret;
}

/* Send all of @n; return how many were, or an errno if none was. */
static int send_all(struct queue *queue, struct parcel *parcels, int n,
		    const struct ipcx_patience *patience)
{
	bool is_short;
	int sent = 0, err = 0;

	if (n == 1 && is_small(parcels->len))
		return send_small(queue, parcels, patience);
	is_short = parcels_short(parcels, n);
	while (sent < n && !err)
		sent += is_short ? send_short(queue, parcels + sent, n - sent,
					      patience, &err) :
				   send_long(queue, parcels + sent, n - sent,
					     patience, &err);
	return sent ?: err;
}

/* One message, of the file's type. */
static int parcel_send(struct queue *queue, struct ipcx_handle *handle,
		       struct parcel *parcel, const struct ipcx_patience *patience)
{
	parcel->type = handle ? READ_ONCE(to_queue_file(handle)->type) : 1;
	return is_small(parcel->len) ? send_small(queue, parcel, patience) :
				       send_all(queue, parcel, 1, patience);
}

static ssize_t queue_write(struct ipcx_object *obj, struct ipcx_handle *handle,
			   struct iov_iter *from,
			   const struct ipcx_patience *patience)
{
	struct parcel parcel __uninitialized;
	int ret;

	parcel.len = iov_iter_count(from);
	parcel_iter(&parcel, from);
	ret = parcel_send(to_queue(obj), handle, &parcel, patience);
	return ret < 0 ? ret : parcel_done(&parcel, from, parcel.len);
}

/* ---- Receiving ---- */

/* Claim what there is, as far as there is room: at most @n. */
static __always_inline int
messages_claim(struct queue *queue, const struct ipcx_select *select,
	       struct parcel *parcels, int n, bool truncate)
{
	struct message *msg;
	int i;

	lockdep_assert_held(&queue->lock);
	if (ipcx_object_removed(&queue->obj))
		return -EIDRM;
	if (!queue->nr_queued)
		return -EAGAIN;
	for (i = 0; i < n; i++) {
		msg = queue_select(queue, select);
		if (!msg)
			break;
		if (msg->len > parcels[i].room && !truncate) {
			if (i)
				break;
			parcels[i].len = msg->len;
			return -E2BIG;
		}
		message_claim(queue, msg);
		parcels[i].msg = msg;
	}
	return i ?: -EAGAIN;
}

/* Resolve what only the file knows. */
static void select_resolve(struct queue *queue, struct ipcx_handle *handle,
			   struct ipcx_select *select)
{
	lockdep_assert_held(&queue->lock);
	if (select->how != IPCX_SELECT_FILE)
		return;
	if (handle)
		*select = to_queue_file(handle)->interest.select;
	else
		select->how = IPCX_SELECT_ANY;
}

/* Wait for a message of a range: the caller's section ends before memory is allocated. */
static int range_wait(struct queue *queue, struct section *s,
		      const struct ipcx_select *select, struct parcel *parcels, int n,
		      bool truncate, struct receiver *receiver,
		      const struct ipcx_patience *patience)
	__releases(&queue->lock)
{
	int ret;

	queue_unlock(queue, s);
	ret = ipcx_interest_init(&receiver->interest, select);
	if (ret)
		return ret;
	queue_lock(queue, s);
	ret = messages_claim(queue, select, parcels, n, truncate);
	if (ret == -EAGAIN)
		ret = receiver_wait(queue, s, receiver, parcels, patience);
	else
		queue_unlock(queue, s);
	ipcx_interest_uninit(&receiver->interest);
	return ret;
}

/* As claim_or_wait(), but not to wait: to be listed with those who do. */
static noinline int slot_claim(struct queue *queue, struct ipcx_handle *handle,
			       struct ipcx_select *select, struct parcel *parcels, int n,
			       bool truncate, struct ipcx_slot *slot)
{
	struct slot_receiver *r = slot->waiting;
	struct section s __uninitialized;
	int ret;

	if (slot->given) {
		parcels[0].msg = r->parcel.msg;
		receiver_free(slot);
		return 1;
	}
	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return -ENOMEM;
	queue_lock(queue, &s);
	select_resolve(queue, handle, select);
	queue_unlock(queue, &s);
	ret = ipcx_interest_init(&r->receiver.interest, select);
	if (ret) {
		kfree(r);
		return ret;
	}
	queue_lock(queue, &s);
	ret = messages_claim(queue, select, parcels, n, truncate);
	if (ret == -EAGAIN) {
		receiver_list(queue, &r->receiver, &r->parcel, slot);
		ret = -EIOCBQUEUED;
	}
	queue_unlock(queue, &s);
	slot_hold(slot, r, receiver_leave, receiver_give_back);
	if (ret != -EIOCBQUEUED)
		receiver_free(slot);
	return ret;
}

/* Claim what there is, or wait for one. */
static __always_inline int
claim_or_wait(struct queue *queue, struct ipcx_handle *handle,
	      struct ipcx_select *select, struct parcel *parcels, int n,
	      bool truncate, const struct ipcx_patience *patience)
{
	struct receiver receiver __uninitialized;
	struct section s __uninitialized;
	int ret;

	if (unlikely(patience->slot) && !patience->nonblock)
		return slot_claim(queue, handle, select, parcels, n, truncate,
				  patience->slot);
	queue_lock(queue, &s);
	select_resolve(queue, handle, select);
	ret = messages_claim(queue, select, parcels, n, truncate);
	if (ret != -EAGAIN || patience->nonblock) {
		queue_unlock(queue, &s);
		return ret;
	}
	/* All but ranges need no memory. */
	if (ipcx_interest_init_simple(&receiver.interest, select))
		return receiver_wait(queue, &s, &receiver, parcels, patience);
	return range_wait(queue, &s, select, parcels, n, truncate, &receiver, patience);
}

/* Of @claimed messages the first @n have been received; offer the others again. */
static __always_inline void
queue_settle(struct queue *queue, struct parcel *parcels, int n,
	     int claimed)
{
	struct section s __uninitialized;
	int i;

	queue_lock(queue, &s);
	for (i = 0; i < n; i++)
		message_put(queue, &s, parcels[i].msg);
	for (; i < claimed; i++)
		message_offer(queue, &s, parcels[i].msg);
	if (n)
		queue_sign(queue, &s, &queue->rd, ktime_get_coarse_real_ns());
	queue_unlock(queue, &s);
}

/*
 * Claim at least one of @n; return how many. Who is handed a message that is too long
 * for him gives it back: so who sends it needn't look for another among many.
 */
static __always_inline int
queue_claim(struct queue *queue, struct ipcx_handle *handle,
	    struct ipcx_select *select, struct parcel *parcels, int n,
	    bool truncate, const struct ipcx_patience *patience)
{
	int ret = claim_or_wait(queue, handle, select, parcels, n, truncate, patience);

	if (ret < 0)
		return ret;
	if (parcels[0].msg->len > parcels[0].room && !truncate) {
		parcels[0].len = parcels[0].msg->len;
		queue_settle(queue, parcels, 0, 1);
		return -E2BIG;
	}
	return ret;
}

/*
 * Copy the bytes out. Who is killed hasn't received them: he can't tell anybody that he
 * has.
 */
static noinline int parcel_copy_out_steps(const struct parcel *parcel, size_t len)
{
	struct iov_iter iter, *to = parcel->iter;
	size_t copied;
	int err;

	if (!to) {
		to = &iter;
		err = import_ubuf(ITER_DEST, u64_to_user_ptr(parcel->buf), len, to);
		if (err)
			return err;
	}
	copied = copy_in_steps(parcel->msg->data, len, to, copy_out);
	if (fatal_signal_pending(current))
		return -EINTR;
	return copied < len ? -EFAULT : 0;
}

static int parcel_copy_out(const struct parcel *parcel)
{
	size_t len = min_t(u64, parcel->room, parcel->msg->len);

	if (!is_small(len) || parcel->iter)
		return parcel_copy_out_steps(parcel, len);
	if (_copy_to_user(u64_to_user_ptr(parcel->buf), parcel->msg->data, len))
		return -EFAULT;
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* One message that the file selects; return how much of it was copied, or an errno. */
static ssize_t parcel_recv(struct queue *queue, struct ipcx_handle *handle,
			   struct parcel *parcel, const struct ipcx_patience *patience)
{
	bool truncate = handle && READ_ONCE(to_queue_file(handle)->truncate);
	struct ipcx_select select = { .how = IPCX_SELECT_FILE };
	ssize_t len;
	int ret;

	ret = queue_claim(queue, handle, &select, parcel, 1, truncate, patience);
	if (ret < 0)
		return ret;
	len = min_t(u64, parcel->room, parcel->msg->len);
	ret = parcel_copy_out(parcel);
	queue_settle(queue, parcel, !ret, 1);
	return ret ?: len;
}

static ssize_t queue_read(struct ipcx_object *obj, struct ipcx_handle *handle,
			  struct iov_iter *to,
			  const struct ipcx_patience *patience)
{
	struct parcel parcel __uninitialized;
	ssize_t len;

	parcel.room = iov_iter_count(to);
	parcel_iter(&parcel, to);
	len = parcel_recv(to_queue(obj), handle, &parcel, patience);
	return len < 0 ? len : parcel_done(&parcel, to, len);
}

/* ---- Batches ---- */

/* Where the caller's @i-th struct ipcx_msg is. */
static void __user *msg_user(u64 msgs, u32 size, u32 i)
{
	return u64_to_user_ptr(msgs + (u64)i * size);
}

/*
 * The caller's @n structs from the @first on, at once if they are as this kernel knows
 * them. Return how many could be read, or an errno.
 */
static int msgs_fetch(struct ipcx_msg *m, u64 msgs, u32 size, u32 first, int n)
{
	int i, err = 0;

	if (size == sizeof(*m) &&
	    !copy_from_user(m, msg_user(msgs, size, first), n * sizeof(*m)))
		return n;
	for (i = 0; i < n && !err; i++)
		err = copy_struct_from_user(&m[i], sizeof(*m),
					    msg_user(msgs, size, first + i), size);
	return err ? (i - 1 ?: err) : n;
}

/* Up to CHUNK messages to be sent, from the @first on. Return how many, or an errno. */
static noinline int send_fetch(const struct ipcx_send *req, u32 first, u64 type,
			       struct parcel *parcels)
{
	int n = min_t(u32, req->count - first, CHUNK), i;
	struct ipcx_msg m[CHUNK] __uninitialized;

	n = msgs_fetch(m, req->msgs, req->msg_size, first, n);
	for (i = 0; i < n; i++) {
		if (m[i].type > IPCX_MSG_TYPE_MAX)
			return i ?: -EINVAL;
		parcels[i] = (struct parcel) {
			.type = m[i].type ?: type,
			.buf = m[i].buf,
			.len = m[i].len,
		};
	}
	return n;
}

/**
 * ipcx_queue_send - send messages
 * @obj:      the queue
 * @handle:   the file, or NULL
 * @req:      checked but for its messages
 * @patience: how to wait for space
 *
 * Return: how many were sent, or an errno.
 */
long ipcx_queue_send(struct ipcx_object *obj, struct ipcx_handle *handle,
		     const struct ipcx_send *req,
		     const struct ipcx_patience *patience)
{
	u64 type = handle ? READ_ONCE(to_queue_file(handle)->type) : 1;
	struct parcel parcels[CHUNK] __uninitialized;
	int n, ret, done = 0;

	do {
		n = send_fetch(req, done, type, parcels);
		ret = n < 0 ? n : send_all(to_queue(obj), parcels, n, patience);
		if (ret < 0)
			return done ?: ret;
		done += ret;
		if (ret < n)
			break;
		cond_resched();
	} while (done < (int)req->count && !fatal_signal_pending(current));
	return done;
}

/*
 * Where up to CHUNK messages go, from the @first on, and how much room there is. Return
 * how many, or an errno.
 */
static noinline int recv_fetch(const struct ipcx_recv *req, u32 first, u32 n,
			       struct parcel *parcels)
{
	struct ipcx_msg m[CHUNK] __uninitialized;
	int i, nr;

	nr = msgs_fetch(m, req->msgs, req->msg_size, first, min_t(u32, n, CHUNK));
	for (i = 0; i < nr; i++) {
		parcels[i].iter = NULL;
		parcels[i].buf = m[i].buf;
		parcels[i].room = m[i].room;
	}
	return nr;
}

/* Who sent it, in the receiver's namespaces. */
static void msg_sender(struct ipcx_msg *m, const struct message *msg)
{
	m->pid = pid_nr_ns(msg->pid, task_active_pid_ns(current));
	m->uid = from_kuid_munged(current_user_ns(), msg->uid);
	m->gid = from_kgid_munged(current_user_ns(), msg->gid);
}

static bool same_sender(const struct message *a, const struct message *b)
{
	return a->pid == b->pid && uid_eq(a->uid, b->uid) && gid_eq(a->gid, b->gid);
}

/* What the caller is told of @n messages. Senders are translated when they change. */
static void msgs_describe(struct ipcx_msg *m, const struct parcel *parcels, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		const struct message *msg = parcels[i].msg;

		m[i].type = msg->run.aged.key;
		m[i].buf = parcels[i].buf;
		m[i].room = parcels[i].room;
		m[i].len = msg->len;
		m[i].sent_ns = msg->sent_ns;
		m[i].flags = msg->len > parcels[i].room ? IPCX_MSG_TRUNCATED : 0;
		if (!i || !same_sender(msg, parcels[i - 1].msg)) {
			msg_sender(&m[i], msg);
			continue;
		}
		m[i].pid = m[i - 1].pid;
		m[i].uid = m[i - 1].uid;
		m[i].gid = m[i - 1].gid;
	}
}

/*
 * Tell the caller what he has received as his @n messages from the @first on. Return of
 * how many he could be told, or an errno.
 */
static noinline int msgs_tell(const struct ipcx_recv *req, u32 first,
			      const struct parcel *parcels, int n)
{
	struct ipcx_msg m[CHUNK] __uninitialized;
	u32 size = req->msg_size;
	int i;

	msgs_describe(m, parcels, n);
	if (size == sizeof(*m) &&
	    !copy_to_user(msg_user(req->msgs, size, first), m, n * sizeof(*m)))
		return n;
	for (i = 0; i < n; i++)
		if (copy_to_user(msg_user(req->msgs, size, first + i), &m[i],
				 min_t(size_t, sizeof(*m), size)))
			break;
	return i ?: -EFAULT;
}

/* Of E2BIG the caller is told how much room it takes, in his first message. */
static int room_tell(const struct ipcx_recv *req, u64 len)
{
	void __user *m = msg_user(req->msgs, req->msg_size, 0);

	return copy_to_user(m + offsetof(struct ipcx_msg, len), &len, sizeof(len)) ?
		       -EFAULT : -E2BIG;
}

/* Receive up to @n, from the @first on. Return how many, or an errno. */
static int recv_chunk(struct queue *queue, struct ipcx_handle *handle,
		      const struct ipcx_recv *req, struct ipcx_select *select,
		      u32 first, struct parcel *parcels, int n,
		      const struct ipcx_patience *patience)
{
	int claimed, done, told, err = 0;

	claimed = queue_claim(queue, handle, select, parcels, n,
			      req->flags & IPCX_TRUNCATE, patience);
	if (claimed == -E2BIG && !first)
		return room_tell(req, parcels[0].len);
	if (claimed < 0)
		return claimed;
	for (done = 0; done < claimed; done++) {
		err = parcel_copy_out(&parcels[done]);
		if (err)
			break;
	}
	if (done) {
		told = msgs_tell(req, first, parcels, done);
		err = told < 0 ? told : err;
		done = max(told, 0);
	}
	/* A dead receiver has received none of them. */
	if (err == -EINTR)
		done = 0;
	queue_settle(queue, parcels, done, claimed);
	return done ?: err;
}

/* Take out what there is; wait for the first. */
static long recv_take(struct queue *queue, struct ipcx_handle *handle,
		      const struct ipcx_recv *req,
		      const struct ipcx_patience *patience)
{
	struct ipcx_patience once = *patience;
	struct ipcx_select select = req->select;
	struct parcel parcels[CHUNK] __uninitialized;
	int n, ret, done = 0;

	do {
		n = recv_fetch(req, done, req->count - done, parcels);
		ret = n < 0 ? n : recv_chunk(queue, handle, req, &select, done,
					     parcels, n, &once);
		if (ret < 0)
			return done ?: ret;
		done += ret;
		/* One that was waited for may be the first of many. */
		once.nonblock = true;
		cond_resched();
	} while (done < (int)req->count && !fatal_signal_pending(current));
	return done;
}

/* ---- Peeking ---- */

/* Selectors that go by type walk the tree, the others go by age. */
static bool select_by_type(const struct ipcx_select *select)
{
	return select->how == IPCX_SELECT_EXACT || select->how == IPCX_SELECT_RANGE;
}

static struct message *peek_by_type(struct queue *queue,
				    const struct ipcx_select *select,
				    const struct message *last)
{
	u64 hi = select->how == IPCX_SELECT_RANGE ? select->hi : select->lo;
	struct ipcx_aged *at = !last ? ipcx_aged_from(&queue->tree, select->lo, 0) :
				       ipcx_run_next(&queue->tree, &last->run, last->queued);

	return at && at->key <= hi ? to_message(at) : NULL;
}

static struct message *peek_by_age(struct queue *queue, const struct message *last)
{
	const struct list_head *at = last ? &last->age : &queue->msgs;

	return list_is_last(at, &queue->msgs) ? NULL :
	       list_entry(at->next, struct message, age);
}

/**
 * struct walk - over the messages that a selector wants
 * @select: it
 * @at:     the last that was looked at, a reference, which keeps its place; or NULL
 * @skip:   how many to pass over yet
 */
struct walk {
	struct ipcx_select select;
	struct message *at;
	u64 skip;
};

/* Go on, STEPS at most; tell whether walk->at is wanted. */
static bool walk_on(struct queue *queue, struct walk *walk)
{
	struct message *msg = walk->at;
	bool found = false;
	struct section s __uninitialized;
	int steps = 0;

	queue_lock(queue, &s);
	do {
		msg = select_by_type(&walk->select) ?
			      peek_by_type(queue, &walk->select, msg) :
			      peek_by_age(queue, msg);
		if (!msg)
			break;
		if (!msg->queued ||
		    !ipcx_select_matches(&walk->select, msg->run.aged.key))
			continue;
		found = !walk->skip;
		if (!found)
			walk->skip--;
	} while (!found && ++steps < STEPS);
	if (msg)
		msg->refs++;
	if (walk->at)
		message_put(queue, &s, walk->at);
	walk->at = msg;
	queue_unlock(queue, &s);
	return found;
}

static void walk_begin(struct queue *queue, struct ipcx_handle *handle,
		       const struct ipcx_recv *req, struct walk *walk)
{
	struct section s __uninitialized;

	*walk = (struct walk) { .select = req->select, .skip = req->skip };
	queue_lock(queue, &s);
	select_resolve(queue, handle, &walk->select);
	queue_unlock(queue, &s);
}

static void walk_end(struct queue *queue, struct walk *walk)
{
	struct section s __uninitialized;

	if (!walk->at)
		return;
	queue_lock(queue, &s);
	message_put(queue, &s, walk->at);
	queue_unlock(queue, &s);
}

/* The next that is wanted, or NULL; not for ever, if there are always more. */
static struct message *walk_next(struct queue *queue, struct walk *walk)
{
	do {
		if (walk_on(queue, walk))
			return walk->at;
		cond_resched();
	} while (walk->at && !fatal_signal_pending(current));
	return NULL;
}

static int peek_one(struct queue *queue, const struct ipcx_recv *req,
		    struct walk *walk, u32 i)
{
	struct parcel parcel;
	int ret = recv_fetch(req, i, 1, &parcel);

	if (ret < 0)
		return ret;
	parcel.msg = walk_next(queue, walk);
	if (!parcel.msg)
		return -EAGAIN;
	if (parcel.msg->len > parcel.room && !(req->flags & IPCX_TRUNCATE))
		return i ? -E2BIG : room_tell(req, parcel.msg->len);
	ret = parcel_copy_out(&parcel);
	if (!ret)
		ret = msgs_tell(req, i, &parcel, 1);
	return min(ret, 0);
}

static long recv_peek(struct queue *queue, struct ipcx_handle *handle,
		      const struct ipcx_recv *req)
{
	struct walk walk;
	int err = 0, done = 0;

	if (ipcx_object_removed(&queue->obj))
		return -EIDRM;
	walk_begin(queue, handle, req, &walk);
	while (done < (int)req->count) {
		err = peek_one(queue, req, &walk, done);
		if (err)
			break;
		done++;
		cond_resched();
	}
	walk_end(queue, &walk);
	return done ?: err;
}

/**
 * ipcx_queue_recv - receive messages, or look at them
 * @obj:      the queue
 * @handle:   the file, or NULL
 * @req:      checked but for its messages
 * @patience: how to wait for the first
 *
 * Return: how many there were, or an errno.
 */
long ipcx_queue_recv(struct ipcx_object *obj, struct ipcx_handle *handle,
		     const struct ipcx_recv *req,
		     const struct ipcx_patience *patience)
{
	if (req->flags & IPCX_PEEK)
		return recv_peek(to_queue(obj), handle, req);
	return recv_take(to_queue(obj), handle, req, patience);
}

/* ---- Purging ---- */

/* One step: drop a message that is not younger than @last. Tell whether that was all. */
static bool purge_one(struct queue *queue, struct section *s,
		      struct ipcx_select *select, u64 last, long *purged)
{
	struct message *msg = queue_select(queue, select);

	if (!msg)
		return true;
	if (msg->run.aged.seq <= last) {
		message_claim(queue, msg);
		message_put(queue, s, msg);
		++*purged;
		return false;
	}
	/* The oldest of a range's lowest type; the next may have older ones. */
	if (select->how != IPCX_SELECT_RANGE || msg->run.aged.key == select->hi)
		return true;
	select->lo = msg->run.aged.key + 1;
	return false;
}

/**
 * ipcx_queue_purge - drop messages
 * @obj:    the queue
 * @handle: the file, or NULL
 * @select: which; changed
 *
 * Return: how many there were, or an errno.
 */
long ipcx_queue_purge(struct ipcx_object *obj, struct ipcx_handle *handle,
		      struct ipcx_select *select)
{
	struct queue *queue = to_queue(obj);
	struct section s __uninitialized;
	bool done = false;
	long purged = 0;
	u64 last;
	int i;

	queue_lock(queue, &s);
	select_resolve(queue, handle, select);
	last = queue->seq;
	queue_unlock(queue, &s);
	while (!done) {
		if (fatal_signal_pending(current))
			return -EINTR;
		queue_lock(queue, &s);
		for (i = 0; i < CHUNK && !done; i++)
			done = purge_one(queue, &s, select, last, &purged);
		queue_unlock(queue, &s);
		cond_resched();
	}
	return purged;
}

/* ---- Files ---- */

/*
 * What the file's interest takes beyond what every file is charged for. The caller gives
 * back the charge that comes out.
 */
static struct ipcx_charge *interest_charge(const struct queue *queue,
					   const struct ipcx_interest *interest)
{
	if (!interest->many)
		return NULL;
	return ipcx_charge(queue->obj.ns, 0,
			   interest->nr * sizeof(*interest->many));
}

/* The file has another selector now; its old one comes back. */
static void file_select(struct queue *queue, struct section *s,
			struct queue_file *file, struct ipcx_interest *interest,
			struct ipcx_charge **charge)
{
	struct message *msg;

	lockdep_assert_held(&queue->lock);
	if (file->polled)
		ipcx_interest_del(&queue->pollers, &file->interest);
	swap(file->interest, *interest);
	swap(file->charge, *charge);
	if (file->polled)
		ipcx_interest_add(&queue->pollers, &file->interest, ++queue->seq);
	msg = queue_select(queue, &file->interest.select);
	if (!msg)
		return;
	wake_up_interruptible_poll(&file->poll, EPOLLIN | EPOLLRDNORM);
	if (file->listed && file_wants(file, msg->run.aged.key, NEWS_IN)) {
		set_bit(NEWS_IN, &file->news);
		s->news = true;
		s->rare = true;
	}
}

static int queue_set_select(struct queue *queue, struct queue_file *file,
			    const struct ipcx_queue_file *req)
{
	struct ipcx_interest interest;
	struct ipcx_charge *charge;
	struct section s __uninitialized;
	int err;

	err = ipcx_interest_init(&interest, &req->select);
	if (err)
		return err;
	charge = interest_charge(queue, &interest);
	if (IS_ERR(charge)) {
		ipcx_interest_uninit(&interest);
		return PTR_ERR(charge);
	}
	queue_lock(queue, &s);
	file_select(queue, &s, file, &interest, &charge);
	WRITE_ONCE(file->truncate, req->flags & IPCX_TRUNCATE);
	queue_unlock(queue, &s);
	ipcx_uncharge(charge);
	ipcx_interest_uninit(&interest);
	return 0;
}

/**
 * ipcx_queue_file - what read(2), write(2) and poll(2) mean on a file
 * @handle: the file
 * @req:    checked
 *
 * Return: 0, -EIDRM, -EDQUOT or -ENOMEM.
 */
int ipcx_queue_file(struct ipcx_handle *handle, const struct ipcx_queue_file *req)
{
	struct queue_file *file = to_queue_file(handle);
	int err = 0;

	if (ipcx_object_removed(handle->obj))
		return -EIDRM;
	if (req->select.how != IPCX_SELECT_FILE)
		err = queue_set_select(to_queue(handle->obj), file, req);
	if (!err && req->type)
		WRITE_ONCE(file->type, req->type);
	return err;
}

static struct notice *notice_alloc(struct queue_file *file,
				   const struct ipcx_notify *req)
{
	struct notice *notice = kmalloc(sizeof(*notice), GFP_KERNEL_ACCOUNT);

	if (notice)
		*notice = (struct notice) {
			.file = file,
			.process = get_pid(task_tgid(current)),
			.thread = get_pid(task_pid(current)),
			.exec_id = READ_ONCE(current->self_exec_id),
			.signo = req->signo,
			.value = req->value,
		};
	return notice;
}

/* Has the caller asked for it by this file? */
static bool notice_is_of(const struct notice *notice, const struct queue_file *file)
{
	return notice && notice->file == file &&
	       notice->process == task_tgid(current);
}

/**
 * ipcx_queue_notify - ask to be told of a message that comes to the empty queue
 * @handle: the file
 * @req:    checked; signo 0 withdraws
 *
 * Return: 0, -EBUSY, -EIDRM or -ENOMEM.
 */
int ipcx_queue_notify(struct ipcx_handle *handle, const struct ipcx_notify *req)
{
	struct queue *queue = to_queue(handle->obj);
	struct notice *notice = NULL;
	struct section s __uninitialized;
	int err = 0;

	if (req->signo) {
		notice = notice_alloc(to_queue_file(handle), req);
		if (!notice)
			return -ENOMEM;
	}
	queue_lock(queue, &s);
	if (ipcx_object_removed(&queue->obj))
		err = -EIDRM;
	else if (notice && !notice_stale(queue->notice))
		err = -EBUSY;
	else if (notice || notice_is_of(queue->notice, to_queue_file(handle)))
		swap(queue->notice, notice);
	queue_unlock(queue, &s);
	notice_free(notice);
	return err;
}

static int queue_attach(struct ipcx_handle *handle,
			const struct ipcx_patience *patience)
{
	const struct ipcx_select any = { .how = IPCX_SELECT_ANY };
	struct queue_file *file = to_queue_file(handle);
	struct queue *queue = to_queue(handle->obj);

	ipcx_interest_init_simple(&file->interest, &any);
	file->type = 1;
	init_waitqueue_head(&file->poll);
	spin_lock(&queue->lock);
	queue->files_rd += !!(handle->f_mode & FMODE_READ);
	queue->files_wr += !!(handle->f_mode & FMODE_WRITE);
	spin_unlock(&queue->lock);
	return 0;
}

/* A queue has no other side to wait for. */
static int queue_open(struct ipcx_handle *handle,
		      const struct ipcx_patience *patience)
{
	return ipcx_object_removed(handle->obj) ? -EIDRM : 0;
}

static void queue_detach(struct ipcx_handle *handle)
{
	struct queue_file *file = to_queue_file(handle);
	struct queue *queue = to_queue(handle->obj);
	struct notice *notice = NULL;
	struct section s __uninitialized;

	queue_lock(queue, &s);
	queue->files_rd -= !!(handle->f_mode & FMODE_READ);
	queue->files_wr -= !!(handle->f_mode & FMODE_WRITE);
	if (file->polled)
		ipcx_interest_del(&queue->pollers, &file->interest);
	if (file->listed)
		list_del_rcu(&file->async);
	if (queue->notice && queue->notice->file == file)
		swap(queue->notice, notice);
	queue_unlock(queue, &s);
	notice_free(notice);
	ipcx_uncharge(file->charge);
	ipcx_interest_uninit(&file->interest);
}

/* ---- Object operations ---- */

static u64 queue_msgs_limit(void)
{
	/* PURGE tells their number as an ioctl does. */
	return clamp_t(u64, READ_ONCE(queue_msgs_max), 1, INT_MAX);
}

static u64 queue_bytes_limit(void)
{
	return clamp_t(u64, READ_ONCE(queue_bytes_max), 1, SZ_1T);
}

/* What a message takes beside its bytes, at most: it pins its sender's pid. */
#define MESSAGE_OVERHEAD	(SMALL_BYTES + sizeof(struct pid))

/**
 * ipcx_queue_limits - tell the limits of queues
 * @query: its fields of queues are filled in
 */
void ipcx_queue_limits(struct ipcx_query *query)
{
	query->queue_msgs_max = queue_msgs_limit();
	query->queue_msgs_default = min_t(u64, QUEUE_MSGS, query->queue_msgs_max);
	query->queue_bytes_max = queue_bytes_limit();
	query->queue_bytes_default = min_t(u64, QUEUE_BYTES, query->queue_bytes_max);
	query->msg_bytes_max = IPCX_MSG_BYTES_MAX;
	query->msg_batch_max = IPCX_MSG_BATCH_MAX;
	query->msg_overhead_bytes = MESSAGE_OVERHEAD;
}

static int limits_check(const struct limits *max)
{
	if (!max->msgs || max->msgs > queue_msgs_limit() ||
	    !max->bytes || max->bytes > queue_bytes_limit() ||
	    !max->msg_bytes || max->msg_bytes > IPCX_MSG_BYTES_MAX ||
	    max->msg_bytes > max->bytes)
		return -EINVAL;
	return 0;
}

/* What it may hold, and what that takes beside. */
static u64 limits_cost(const struct limits *max)
{
	return max->bytes + max->msgs * MESSAGE_OVERHEAD;
}

static int queue_prepare(void *params, u64 *bytes)
{
	struct ipcx_queue_params *p = params;
	struct ipcx_query query;
	struct limits max;

	ipcx_queue_limits(&query);
	max.msgs = p->max_msgs ?: query.queue_msgs_default;
	max.bytes = p->max_bytes ?: query.queue_bytes_default;
	max.msg_bytes = p->max_msg_bytes ?: min(max.bytes, IPCX_MSG_BYTES_MAX);
	p->max_msgs = max.msgs;
	p->max_bytes = max.bytes;
	p->max_msg_bytes = max.msg_bytes;
	*bytes = limits_cost(&max);
	return limits_check(&max);
}

static int queue_init(struct ipcx_object *obj, const void *params)
{
	const struct ipcx_queue_params *p = params;
	struct queue *queue = to_queue(obj);

	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->msgs);
	INIT_LIST_HEAD(&queue->senders);
	INIT_LIST_HEAD(&queue->async);
	init_waitqueue_head(&queue->space);
	queue->max = (struct limits) {
		.msgs = p->max_msgs,
		.bytes = p->max_bytes,
		.msg_bytes = p->max_msg_bytes,
	};
	return 0;
}

static void queue_destroy(struct ipcx_object *obj)
{
	struct queue *queue = to_queue(obj);
	struct message *msg, *next;

	list_for_each_entry_safe(msg, next, &queue->msgs, age) {
		message_free(msg, msg->len);
		cond_resched();
	}
	if (queue->spare)
		spare_free(queue->spare);
	notice_free(queue->notice);
	put_pid(queue->rd.pid);
	put_pid(queue->wr.pid);
}

/* One step of the end. Tell whether there is no more. */
static bool hang_up_one(struct queue *queue, struct section *s)
{
	struct ipcx_interest *interest;
	struct receiver *receiver;
	struct sender *sender;
	struct message *msg;

	sender = list_first_entry_or_null(&queue->senders, struct sender, node);
	if (sender) {
		if (ipcx_waiter_claim(&sender->waiter))
			sender_done(queue, s, sender, -EIDRM);
		else
			sender_drop(queue, sender);
		return false;
	}
	interest = ipcx_interest_some(&queue->receivers);
	if (interest) {
		receiver = container_of(interest, struct receiver, interest);
		if (ipcx_waiter_claim(&receiver->waiter))
			receiver_done(queue, s, receiver, -EIDRM);
		else
			receiver_drop(queue, receiver);
		return false;
	}
	interest = ipcx_interest_some(&queue->pollers);
	if (interest) {
		ipcx_interest_del(&queue->pollers, interest);
		interest_file(interest)->polled = false;
		wake_up_interruptible_all(&interest_file(interest)->poll);
		return false;
	}
	msg = queue_select(queue, &(struct ipcx_select){ .how = IPCX_SELECT_ANY });
	if (!msg)
		return true;
	message_claim(queue, msg);
	message_put(queue, s, msg);
	return false;
}

/*
 * Nobody can come any more: whoever takes the lock from here on finds the object
 * removed. So those who are there can be sent away some at a time, the messages last.
 */
static void queue_remove(struct ipcx_object *obj)
{
	struct queue *queue = to_queue(obj);
	struct notice *notice = NULL;
	struct queue_file *file;
	struct section s __uninitialized;
	bool done = false;
	int i;

	while (!done) {
		queue_lock(queue, &s);
		for (i = 0; i < CHUNK && !done; i++)
			done = hang_up_one(queue, &s);
		if (done)
			swap(queue->notice, notice);
		queue_unlock(queue, &s);
		cond_resched();
	}
	wake_up_interruptible_all(&queue->space);
	rcu_read_lock();
	list_for_each_entry_rcu(file, &queue->async, async)
		kill_fasync(&file->fasync, SIGIO, POLL_HUP);
	rcu_read_unlock();
	notice_free(notice);
}

static void queue_stat(struct ipcx_object *obj, struct pid_namespace *pid_ns,
		       struct ipcx_stat *stat)
{
	struct queue *queue = to_queue(obj);

	spin_lock(&queue->lock);
	stat->last_reader_pid = pid_nr_ns(queue->rd.pid, pid_ns);
	stat->last_writer_pid = pid_nr_ns(queue->wr.pid, pid_ns);
	stat->read_ns = queue->rd.ns;
	stat->write_ns = queue->wr.ns;
	stat->readers = queue->files_rd;
	stat->writers = queue->files_wr;
	stat->waiting_readers = queue->nr_receivers;
	stat->waiting_writers = queue->nr_senders;
	stat->capacity_bytes = queue->max.bytes;
	stat->used_bytes = queue->bytes;
	stat->msgs = queue->nr_queued;
	stat->msgs_bytes = queue->bytes_queued;
	stat->used_msgs = queue->nr;
	stat->max_msgs = queue->max.msgs;
	stat->max_msg_bytes = queue->max.msg_bytes;
	spin_unlock(&queue->lock);
}

/* What isn't given stays as it is. */
static int limits_resolve(const struct queue *queue, const struct ipcx_resize *req,
			  struct limits *max)
{
	lockdep_assert_held(&queue->lock);
	*max = (struct limits) {
		.msgs = req->max_msgs ?: queue->max.msgs,
		.bytes = req->bytes ?: queue->max.bytes,
		.msg_bytes = req->max_msg_bytes ?: queue->max.msg_bytes,
	};
	if (!req->max_msg_bytes)
		max->msg_bytes = min(max->msg_bytes, max->bytes);
	if (req->max_msgs > queue_msgs_limit() || req->bytes > queue_bytes_limit() ||
	    max->msg_bytes > min_t(u64, max->bytes, IPCX_MSG_BYTES_MAX))
		return -EINVAL;
	return 0;
}

static int queue_round(struct ipcx_object *obj, struct ipcx_resize *req)
{
	struct queue *queue = to_queue(obj);
	struct limits max;
	int err;

	spin_lock(&queue->lock);
	err = limits_resolve(queue, req, &max);
	spin_unlock(&queue->lock);
	req->max_msgs = max.msgs;
	req->bytes = max.bytes;
	req->max_msg_bytes = max.msg_bytes;
	return err;
}

/*
 * A larger cost is paid for by @charge, in the place of which the old receipt comes
 * back. -EAGAIN if that isn't for @charged bytes: *@cost is what it must be for.
 */
static int limits_change(struct queue *queue, const struct ipcx_resize *req,
			 struct ipcx_charge **charge, u64 charged, u64 *cost)
{
	u64 old = limits_cost(&queue->max);
	struct ipcx_charge *none = NULL;
	struct limits max;
	int err;

	if (ipcx_object_removed(&queue->obj))
		return -EIDRM;
	err = limits_resolve(queue, req, &max);
	if (err)
		return err;
	if (queue->nr > max.msgs || queue->bytes > max.bytes)
		return -EBUSY;
	*cost = limits_cost(&max);
	if (*cost > old && *cost != charged)
		return -EAGAIN;
	ipcx_object_recharge(&queue->obj, *cost > old ? charge : &none, old - *cost);
	queue->max = max;
	return 0;
}

static int queue_resize(struct ipcx_object *obj, const struct ipcx_resize *req,
			const struct ipcx_patience *patience)
{
	struct queue *queue = to_queue(obj);
	struct ipcx_charge *charge = NULL;
	u64 charged = 0, cost;
	struct section s __uninitialized;
	int err;

	for (;;) {
		queue_lock(queue, &s);
		err = limits_change(queue, req, &charge, charged, &cost);
		s.space = !err;
		queue_unlock(queue, &s);
		ipcx_uncharge(charge);
		if (err != -EAGAIN)
			return err;
		charge = ipcx_object_charge(obj, cost);
		if (IS_ERR(charge))
			return PTR_ERR(charge);
		charged = cost;
	}
}

/* ---- File operations ---- */

/*
 * read(2) and write(2) come here, all others below: without kiocb and iterator a message
 * costs a twentieth less.
 */
static ssize_t queue_read_plain(struct file *file, char __user *buf, size_t len,
				loff_t *pos)
{
	struct ipcx_patience patience = ipcx_patience_of_file(file->f_flags & O_NONBLOCK);
	struct ipcx_handle *handle = file->private_data;
	struct parcel parcel __uninitialized;

	parcel.iter = NULL;
	parcel.buf = (uintptr_t)buf;
	parcel.room = len;
	return parcel_recv(to_queue(handle->obj), handle, &parcel, &patience);
}

static ssize_t queue_write_plain(struct file *file, const char __user *buf, size_t len,
				 loff_t *pos)
{
	struct ipcx_patience patience = ipcx_patience_of_file(file->f_flags & O_NONBLOCK);
	struct ipcx_handle *handle = file->private_data;
	struct parcel parcel __uninitialized;
	int ret;

	parcel.iter = NULL;
	parcel.buf = (uintptr_t)buf;
	parcel.len = len;
	ret = parcel_send(to_queue(handle->obj), handle, &parcel, &patience);
	return ret < 0 ? ret : len;
}

static ssize_t queue_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct ipcx_handle *handle = iocb->ki_filp->private_data;
	struct ipcx_patience patience = ipcx_patience_of_iocb(iocb);

	return queue_read(handle->obj, handle, to, &patience);
}

static ssize_t queue_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct ipcx_handle *handle = iocb->ki_filp->private_data;
	struct ipcx_patience patience = ipcx_patience_of_iocb(iocb);

	return queue_write(handle->obj, handle, from, &patience);
}

static struct queue_file *file_queue_file(struct file *file)
{
	return to_queue_file(file->private_data);
}

static __poll_t poll_events(struct queue *queue, struct queue_file *file)
{
	fmode_t mode = file->handle.f_mode;
	__poll_t events = 0;

	if (ipcx_object_removed(&queue->obj))
		return EPOLLHUP | EPOLLERR;
	if (mode & FMODE_READ) {
		if (!file->polled)
			ipcx_interest_add(&queue->pollers, &file->interest,
					  ++queue->seq);
		file->polled = true;
		if (queue_select(queue, &file->interest.select))
			events |= EPOLLIN | EPOLLRDNORM;
	}
	if ((mode & FMODE_WRITE) && queue_writable(queue))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

static spinlock_t *queue_lock_of(struct ipcx_object *obj)
{
	return &to_queue(obj)->lock;
}

static __poll_t queue_events(struct ipcx_handle *handle)
{
	return poll_events(to_queue(handle->obj), to_queue_file(handle));
}

static __poll_t queue_poll(struct file *filp, poll_table *table)
{
	struct queue_file *file = file_queue_file(filp);
	struct queue *queue = to_queue(file->handle.obj);
	__poll_t events;

	/* Before the lock: whoever has news takes it, and looks here after that. */
	if (filp->f_mode & FMODE_READ)
		poll_wait(filp, &file->poll, table);
	if (filp->f_mode & FMODE_WRITE || !(filp->f_mode & FMODE_READ))
		poll_wait(filp, &queue->space, table);

	spin_lock(&queue->lock);
	events = poll_events(queue, file);
	spin_unlock(&queue->lock);
	return events;
}

/*
 * By what the fasync code has: of two who switch O_ASYNC at the same time, the later here
 * may be the earlier there. At the head: who walks the list now may meet others twice,
 * and misses none.
 */
static void file_list(struct queue *queue, struct queue_file *file)
{
	bool wanted = READ_ONCE(file->fasync);

	lockdep_assert_held(&queue->lock);
	if (wanted && !file->listed)
		list_add_rcu(&file->async, &queue->async);
	else if (!wanted && file->listed)
		list_del_rcu(&file->async);
	file->listed = wanted;
}

static int queue_fasync(int fd, struct file *filp, int on)
{
	struct queue_file *file = file_queue_file(filp);
	struct queue *queue = to_queue(file->handle.obj);
	int ret = fasync_helper(fd, filp, on, &file->fasync);

	if (ret < 0)
		return ret;
	spin_lock(&queue->lock);
	file_list(queue, file);
	spin_unlock(&queue->lock);
	return ret;
}

/* FIONREAD: the length of what a read would receive. */
static int queue_next_len(struct queue_file *file)
{
	struct queue *queue = to_queue(file->handle.obj);
	const struct message *msg;
	int len;

	spin_lock(&queue->lock);
	msg = queue_select(queue, &file->interest.select);
	len = msg ? msg->len : 0;
	spin_unlock(&queue->lock);
	return ipcx_object_removed(&queue->obj) ? -EIDRM : len;
}

static long queue_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	int len;

	if (cmd != FIONREAD)
		return ipcx_object_ioctl(filp, cmd, arg);
	if (!(filp->f_mode & FMODE_READ))
		return -EBADF;
	len = queue_next_len(file_queue_file(filp));
	return len < 0 ? len : put_user(len, (int __user *)arg);
}

static const struct file_operations queue_fops = {
	.owner = THIS_MODULE,
	.open = ipcx_file_open,
	.release = ipcx_file_release,
	.read = queue_read_plain,
	.write = queue_write_plain,
	.read_iter = queue_read_iter,
	.write_iter = queue_write_iter,
	.poll = queue_poll,
	.fasync = queue_fasync,
	.unlocked_ioctl = queue_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = ipcx_file_show_fdinfo,
};

const struct ipcx_type_ops ipcx_queue_type = {
	.name = "queue",
	.id = IPCX_TYPE_QUEUE,
	.s_ifmt = S_IFIFO,
	.object_size = sizeof(struct queue),
	.kept_size = SPARES * MESSAGE_OVERHEAD + sizeof(struct notice),
	.handle_size = sizeof(struct queue_file),
	.params_size = sizeof(struct ipcx_queue_params),
	.params_min = sizeof(struct ipcx_queue_params),
	.fops = &queue_fops,
	.prepare = queue_prepare,
	.init = queue_init,
	.destroy = queue_destroy,
	.attach = queue_attach,
	.open = queue_open,
	.detach = queue_detach,
	.remove = queue_remove,
	.stat = queue_stat,
	.read = queue_read,
	.write = queue_write,
	.round = queue_round,
	.resize = queue_resize,
	.lock = queue_lock_of,
	.events = queue_events,
};

/**
 * ipcx_queue_module_init - before there is any queue
 *
 * Return: 0 or -ENOMEM.
 */
int __init ipcx_queue_module_init(void)
{
	small_messages = kmem_cache_create("ipcx_message", SMALL_BYTES, 0,
					   SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT, NULL);
	return small_messages ? 0 : -ENOMEM;
}

/**
 * ipcx_queue_module_exit - after the last queue is gone
 */
void ipcx_queue_module_exit(void)
{
	kmem_cache_destroy(small_messages);
}
