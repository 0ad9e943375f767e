/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_ACCOUNT_H
#define _IPCX_ACCOUNT_H

#include <linux/types.h>
#include <linux/uidgid.h>

struct ipcx_ns;
struct ipcx_usage;

/**
 * struct ipcx_account - what is charged at one level
 * @node:    in the table of users by uid; unused for a namespace's account
 * @uid:     whose it is; unused for a namespace's account
 * @refs:    charges that name this account; a user's goes with the last
 * @objects: charged objects
 * @bytes:   charged bytes
 *
 * All fields are guarded by account_lock.
 */
struct ipcx_account {
	struct hlist_node node;
	kuid_t uid;
	u64 refs;
	u64 objects;
	u64 bytes;
};

/**
 * struct ipcx_charge - a receipt: what was charged, and to whom
 * @objects:  how many objects
 * @bytes:    how many bytes
 * @nr:       length of @accounts
 * @accounts: the first is the namespace's (the ipcx_ns outlives its objects and
 *	      their files), the others are users', each named once and held by a
 *	      reference
 *
 * Belongs to the object or file that it was made for, whose owner alone may
 * reduce it.
 */
struct ipcx_charge {
	u64 objects;
	u64 bytes;
	unsigned int nr;
	struct ipcx_account *accounts[];
};

struct ipcx_charge *ipcx_charge(struct ipcx_ns *ns, u64 objects, u64 bytes);
void ipcx_charge_reduce(struct ipcx_charge *charge, u64 bytes);
void ipcx_uncharge(struct ipcx_charge *charge);

void ipcx_usage_user(kuid_t uid, struct ipcx_usage *usage);
void ipcx_usage_ns(struct ipcx_ns *ns, struct ipcx_usage *usage);

void ipcx_account_init(void);

#endif /* _IPCX_ACCOUNT_H */
