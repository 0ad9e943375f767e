/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <linux/compiler_attributes.h> across kernels.
 *
 * Older ones have no name for what exempts a variable from INIT_STACK_ALL_ZERO, and none has
 * one for the opposite of __cold: functions that are called most often, to be put side by
 * side, on few pages.
 */
#ifndef _IPCX_COMPAT_COMPILER_H
#define _IPCX_COMPAT_COMPILER_H

#include <linux/compiler_attributes.h>

#ifndef __uninitialized
#define __uninitialized __attribute__((__uninitialized__))
#endif

#ifndef __hot
#define __hot __attribute__((__hot__))
#endif

#endif /* _IPCX_COMPAT_COMPILER_H */
