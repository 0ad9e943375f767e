/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <linux/compiler_attributes.h> across kernels.
 *
 * Older ones have no name for what exempts a variable from INIT_STACK_ALL_ZERO.
 */
#ifndef _IPCX_COMPAT_COMPILER_H
#define _IPCX_COMPAT_COMPILER_H

#include <linux/compiler_attributes.h>

#ifndef __uninitialized
#define __uninitialized __attribute__((__uninitialized__))
#endif

#endif /* _IPCX_COMPAT_COMPILER_H */
