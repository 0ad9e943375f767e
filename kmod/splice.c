// SPDX-License-Identifier: GPL-2.0
/*
 * splice(2) between our pipes and those of pipe(2).
 *
 * The other pipe has one mutex, which strangers wait for with no signal to end
 * the wait. So nobody sleeps here for our pipe while he holds it:
 *
 *	lock the other pipe
 *	transfer without waiting
 *	-EAGAIN?	unlock, wait for our pipe, and again from the top
 *	unlock
 *
 * Under the mutex only kernel memory is copied: no fault can hold it up. What is
 * taken out of one pipe has its place in the other before.
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

/* ---- From our pipe ---- */

static bool is_full(const struct pipe_inode_info *pipe)
{
	return pipe_full(READ_ONCE(pipe->head), READ_ONCE(pipe->tail),
			 READ_ONCE(pipe->max_usage));
}

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

/*
 * Move what is there into the free slots, without waiting; the other pipe is
 * locked. Look first, for the pages are as many as there are bytes.
 */
static ssize_t fill(struct ipcx_handle *handle, struct pipe_inode_info *pipe,
		    size_t len)
{
	const struct ipcx_patience nonblock = { .nonblock = true };
	struct bio_vec pages[SPLICE_PAGES];
	struct iov_iter to;
	unsigned int nr;
	ssize_t ret;

	if (!pipe->readers) {
		send_sig(SIGPIPE, current, 0);
		return -EPIPE;
	}
	if (is_full(pipe))
		return -EAGAIN;
	ret = ipcx_pipe_await(handle, true, 1, &nonblock);
	if (ret <= 0)
		return ret;
	len = pages_alloc(pages, &nr, pipe->max_usage -
				      pipe_occupancy(pipe->head, pipe->tail),
			  min_t(size_t, len, ret));
	if (!len)
		return -ENOMEM;
	iov_iter_bvec(&to, ITER_DEST, pages, nr, len);
	ret = handle->obj->type->read(handle->obj, handle, &to, &nonblock);
	pages_push(pipe, pages, nr, max_t(ssize_t, ret, 0));
	return ret;
}

/* What fill() lacked: a free slot, or bytes. Both may be gone again. */
static int fill_wait(struct ipcx_handle *handle, struct pipe_inode_info *pipe,
		     const struct ipcx_patience *patience)
{
	ssize_t ret;

	if (is_full(pipe) && READ_ONCE(pipe->readers))
		return wait_event_interruptible(pipe->wr_wait, !is_full(pipe) ||
						!READ_ONCE(pipe->readers));
	ret = ipcx_pipe_await(handle, true, 1, patience);
	return min_t(ssize_t, ret, 0);
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
	ssize_t ret;
	int err;

	for (;;) {
		ret = fill(handle, pipe, len);
		if (ret != -EAGAIN || patience.nonblock)
			return ret;
		pipe_unlock(pipe);
		err = fill_wait(handle, pipe, &patience);
		pipe_lock(pipe);
		if (err)
			return err;
	}
}

/* ---- Into our pipe ---- */

/**
 * struct drain - what splice's actor is told, and tells
 * @handle: our file's
 * @need:   0, or how much space the actor lacked
 */
struct drain {
	struct ipcx_handle *handle;
	size_t need;
};

/* One buffer of the other pipe, which is locked. */
static int drain_buffer(struct pipe_inode_info *pipe, struct pipe_buffer *buf,
			struct splice_desc *sd)
{
	const struct ipcx_patience nonblock = { .nonblock = true };
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
	ret = obj->type->write(obj, drain->handle, &from, &nonblock);
	/* Atomic writes need all their space, others some. */
	if (ret == -EAGAIN)
		drain->need = sd->len <= PIPE_BUF ? sd->len : 1;
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
	struct splice_desc sd = {
		.total_len = len,
		.flags = flags,
		.u.data = &drain,
	};
	ssize_t done = 0, ret;

	do {
		drain.need = 0;
		pipe_lock(pipe);
		ret = __splice_from_pipe(pipe, &sd, drain_buffer);
		pipe_unlock(pipe);
		if (ret > 0)
			done += ret;
		if (!drain.need || patience.nonblock)
			break;
		ret = ipcx_pipe_await(drain.handle, false, drain.need,
				      &patience);
		/* From now on an empty pipe is the end of the call. */
		if (done)
			sd.flags |= SPLICE_F_NONBLOCK;
	} while (ret > 0);
	if (ret == -EPIPE)
		send_sig(SIGPIPE, current, 0);
	return done ?: ret;
}
