/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <linux/uio.h> across kernels.
 *
 * 6.4 added import_ubuf(); before it, import_single_range() did the same with
 * an iovec of the caller's.
 */
#ifndef _IPCX_COMPAT_UIO_H
#define _IPCX_COMPAT_UIO_H

#include <linux/uio.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
static inline int import_ubuf(int direction, void __user *buf, size_t len,
			      struct iov_iter *iter)
{
	len = min_t(size_t, len, MAX_RW_COUNT);
	if (!access_ok(buf, len))
		return -EFAULT;
	iov_iter_ubuf(iter, direction, buf, len);
	return 0;
}
#endif

#endif /* _IPCX_COMPAT_UIO_H */
