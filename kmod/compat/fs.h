/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <linux/fs.h> across kernels.
 *
 * 6.3 replaced the user namespace that inode operations get by a struct
 * mnt_idmap. 6.6 gave generic_fillattr() a request mask and took the time of
 * last change behind accessors (Debian's 6.1 has the accessors too). In 7.2
 * current_umask() is to be had from <linux/fs_struct.h> alone.
 */
#ifndef _IPCX_COMPAT_FS_H
#define _IPCX_COMPAT_FS_H

#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define mnt_idmap user_namespace
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
static inline void ipcx_fillattr(struct mnt_idmap *idmap, u32 request_mask,
				 struct inode *inode, struct kstat *stat)
{
	generic_fillattr(idmap, inode, stat);
}
#else
#define ipcx_fillattr generic_fillattr
#endif

#endif /* _IPCX_COMPAT_FS_H */
