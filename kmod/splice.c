// SPDX-License-Identifier: GPL-2.0
/*
 * splice(2) between our pipes and those of pipe(2).
 *
 * The other pipe has one mutex, which strangers wait for with no signal to end
 * the wait. So nobody waits for our pipe while he holds it, nor for it while he
 * owns a side of ours:
 *
 *	lock the other pipe
 *	try our side, transfer without waiting
 *	-EAGAIN?	unlock, wait for our side and what is needed there;
 *			try the lock, transfer as the side's owner; or, if
 *			that fails, give the side up and start again
 *	unlock
 *
 * Waiting as the side's owner is what gives a splice its turn among reads and
 * writes. Under the mutex only kernel memory is copied: no fault can hold it up.
 * What is taken out of one pipe has its place in the other before.
 */
#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/signal.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "object.h"
#include "pipe.h"
#include "splice.h"
#include "wait.h"

/* How many pages one call moves at most: as many as a pipe(2) has by default. */
#define SPLICE_PAGES	PIPE_DEF_BUFFERS

static struct ipcx_patience patience_of(const struct file *file,
					unsigned int flags)
{
	return ipcx_patience_of_file(file->f_flags & O_NONBLOCK ||
				     flags & SPLICE_F_NONBLOCK);
}

static const struct ipcx_patience nonblock = { .nonblock = true };

/* pipe_lock(), if nobody else has it; the pipes of sendfile(2) have no lock. */
static bool pipe_trylock(struct pipe_inode_info *pipe)
{
	return !pipe->files || mutex_trylock(&pipe->mutex);
}

/*
 * Wait for a side of ours, on which something can be done, with the other pipe
 * locked again in the end. -EAGAIN: somebody else had the lock just then, and the
 * side is given back.
 */
static ssize_t hold_unlocked(struct ipcx_handle *handle, bool reading,
			     size_t need, const struct ipcx_patience *patience,
			     struct pipe_inode_info *pipe)
{
	ssize_t ret;

	pipe_unlock(pipe);
	ret = ipcx_pipe_hold(handle, reading, need, patience);
	if (ret > 0 && pipe_trylock(pipe))
		return ret;
	if (ret > 0)
		ipcx_pipe_release(handle, reading);
	pipe_lock(pipe);
	return ret > 0 ? -EAGAIN : ret;
}

/* ---- From our pipe ---- */

/* Pages for up to @len bytes and @slots buffers; how many bytes they hold. */
static size_t pages_alloc(struct bio_vec *pages, unsigned int *nr,
			  unsigned int slots, size_t len)
{
	size_t bytes = 0;

	slots = min_t(unsigned int, slots, SPLICE_PAGES);
	for (*nr = 0; *nr < slots && bytes < len; (*nr)++) {
		struct page *page = alloc_page(GFP_KERNEL_ACCOUNT);
		size_t n = min_t(size_t, len - bytes, PAGE_SIZE);

		if (!page)
			break;
		pages[*nr] = (struct bio_vec) { .bv_page = page, .bv_len = n };
		bytes += n;
	}
	return bytes;
}

/* Put @bytes into the pipe, whose free slots the caller has counted. */
static void pages_push(struct pipe_inode_info *pipe,
		       const struct bio_vec *pages, unsigned int nr,
		       size_t bytes)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct pipe_buffer buf = {
			.page = pages[i].bv_page,
			.len = min_t(size_t, bytes, pages[i].bv_len),
			.ops = &nosteal_pipe_buf_ops,
		};

		if (buf.len)
			add_to_pipe(pipe, &buf);
		else
			__free_page(buf.page);
		bytes -= buf.len;
	}
}

/* Move up to @len bytes, which there are, into the free slots. */
static ssize_t fill(struct ipcx_handle *handle, struct pipe_inode_info *pipe,
		    size_t len)
{
	struct bio_vec pages[SPLICE_PAGES];
	struct iov_iter to;
	unsigned int nr;
	ssize_t ret;

	len = pages_alloc(pages, &nr, pipe->max_usage -
				      pipe_occupancy(pipe->head, pipe->tail),
			  len);
	if (!len)
		return -ENOMEM;
	iov_iter_bvec(&to, ITER_DEST, pages, nr, len);
	ret = ipcx_pipe_move(handle, true, &to);
	pages_push(pipe, pages, nr, max_t(ssize_t, ret, 0));
	return ret;
}

/*
 * Wait until the pipe, which is locked, isn't full. On the queue before the lock
 * is dropped: whoever makes space needs the lock, and tells the queue.
 */
static int wait_for_slot(struct pipe_inode_info *pipe)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	add_wait_queue(&pipe->wr_wait, &wait);
	pipe_unlock(pipe);
	wait_woken(&wait, TASK_INTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
	remove_wait_queue(&pipe->wr_wait, &wait);
	pipe_lock(pipe);
	return signal_pending(current) ? -ERESTARTSYS : 0;
}

/* 1 if there is a free slot, now or after a wait. */
static int need_slot(struct pipe_inode_info *pipe, bool wait)
{
	int err = 0;

	for (;;) {
		if (!pipe->readers) {
			send_sig(SIGPIPE, current, 0);
			return -EPIPE;
		}
		if (!pipe_full(pipe->head, pipe->tail, pipe->max_usage))
			return 1;
		if (err || !wait)
			return err ?: -EAGAIN;
		err = wait_for_slot(pipe);
	}
}

/**
 * ipcx_splice_read - move bytes from our pipe into one of pipe(2)
 * @in:    our file
 * @ppos:  unused, there are no positions
 * @pipe:  locked; unlocked while this waits
 * @len:   how many at most
 * @flags: SPLICE_F_NONBLOCK
 *
 * Return: how many, 0 at the end of file, or a negative errno.
 */
ssize_t ipcx_splice_read(struct file *in, loff_t *ppos,
			 struct pipe_inode_info *pipe, size_t len,
			 unsigned int flags)
{
	struct ipcx_patience patience = patience_of(in, flags);
	struct ipcx_handle *handle = in->private_data;
	ssize_t ret, bytes;

	do {
		ret = need_slot(pipe, !patience.nonblock);
		if (ret <= 0)
			return ret;
		bytes = ipcx_pipe_hold(handle, true, 1, &nonblock);
		if (bytes == -EAGAIN && !patience.nonblock)
			bytes = hold_unlocked(handle, true, 1, &patience, pipe);
		if (bytes <= 0) {
			ret = bytes;
			continue;
		}
		/* The slot may be gone, if the lock was: not waited for here. */
		ret = need_slot(pipe, false);
		if (ret > 0)
			ret = fill(handle, pipe, min_t(size_t, len, bytes));
		ipcx_pipe_release(handle, true);
	} while (ret == -EAGAIN && !patience.nonblock);
	return ret;
}

/* ---- Into our pipe ---- */

/**
 * struct drain - what splice's actor is told, and tells
 * @handle: our file's
 * @held:   the writing side is the caller's
 * @need:   0, or how much space the actor lacked
 */
struct drain {
	struct ipcx_handle *handle;
	bool held;
	size_t need;
};

/* One buffer of the other pipe, which is locked. */
static int drain_buffer(struct pipe_inode_info *pipe, struct pipe_buffer *buf,
			struct splice_desc *sd)
{
	struct drain *drain = sd->u.data;
	struct ipcx_object *obj = drain->handle->obj;
	struct bio_vec page = {
		.bv_page = buf->page,
		.bv_offset = buf->offset,
		.bv_len = sd->len,
	};
	struct iov_iter from;
	ssize_t ret;

	iov_iter_bvec(&from, ITER_SOURCE, &page, 1, sd->len);
	if (drain->held)
		ret = ipcx_pipe_move(drain->handle, false, &from);
	else
		ret = obj->type->write(obj, drain->handle, &from, &nonblock);
	/* Atomic writes need all their space, others some. */
	if (ret == -EAGAIN)
		drain->need = sd->len <= PIPE_BUF ? sd->len : 1;
	return ret;
}

/* Move what is there; with @wait, wait until something is. */
static ssize_t drain_pipe(struct pipe_inode_info *pipe, struct splice_desc *sd,
			  struct drain *drain, bool wait)
{
	ssize_t ret;

	drain->need = 0;
	sd->flags = wait ? 0 : SPLICE_F_NONBLOCK;
	ret = __splice_from_pipe(pipe, sd, drain_buffer);
	if (drain->held)
		ipcx_pipe_release(drain->handle, false);
	return ret;
}

/**
 * ipcx_splice_write - move bytes from a pipe of pipe(2) into ours
 * @pipe:  not locked
 * @out:   our file
 * @ppos:  unused, there are no positions
 * @len:   how many at most
 * @flags: SPLICE_F_NONBLOCK
 *
 * Goes on until all is moved or @pipe is empty.
 *
 * Return: how many, 0 if @pipe is at its end, or a negative errno.
 */
ssize_t ipcx_splice_write(struct pipe_inode_info *pipe, struct file *out,
			  loff_t *ppos, size_t len, unsigned int flags)
{
	struct ipcx_patience patience = patience_of(out, flags);
	struct drain drain = { .handle = out->private_data };
	struct splice_desc sd = { .total_len = len, .u.data = &drain };
	ssize_t done = 0, ret;

	pipe_lock(pipe);
	do {
		/* An empty pipe ends the call once it has moved something. */
		ret = drain_pipe(pipe, &sd, &drain,
				 !(flags & SPLICE_F_NONBLOCK) && !drain.held &&
				 !done);
		if (ret > 0)
			done += ret;
		if (drain.need && !patience.nonblock)
			ret = hold_unlocked(drain.handle, false, drain.need,
					    &patience, pipe);
		else if (!drain.held || done)
			break;
		drain.held = ret > 0;
	} while (ret > 0 || (ret == -EAGAIN && !patience.nonblock));
	pipe_unlock(pipe);
	if (ret == -EPIPE)
		send_sig(SIGPIPE, current, 0);
	return done ?: ret;
}
