/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_NETLINK_H
#define _IPCX_NETLINK_H

int ipcx_netlink_init(void);
void ipcx_netlink_uninit(void);

#endif /* _IPCX_NETLINK_H */
