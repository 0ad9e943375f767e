/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_SPLICE_H
#define _IPCX_SPLICE_H

#include <linux/types.h>

struct file;
struct pipe_inode_info;

ssize_t ipcx_splice_read(struct file *in, loff_t *ppos,
			 struct pipe_inode_info *pipe, size_t len,
			 unsigned int flags);
ssize_t ipcx_splice_write(struct pipe_inode_info *pipe, struct file *out,
			  loff_t *ppos, size_t len, unsigned int flags);

#endif /* _IPCX_SPLICE_H */
