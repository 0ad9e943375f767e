// SPDX-License-Identifier: GPL-2.0
/*
 * Who is charged what.
 *
 * A charge is taken when an object or file is made, in full, and given back
 * when it goes. It counts at two levels: against the account of the network
 * namespace, and against users: the real uid of the maker and the owner of
 * each user namespace around him. A user who unshares is the owner of the new
 * namespace, so whatever uids he maps there, his own account pays.
 *
 * Charges are rare beside transfers, so one spinlock guards all accounts.
 */
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/ipcx.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "account.h"
#include "death.h"
#include "registry.h"

/* As many as System V allows queues in a namespace (MSGMNI). */
static ulong user_objects_max = 32000;
module_param(user_objects_max, ulong, 0644);
MODULE_PARM_DESC(user_objects_max, "objects that one user may have");

static ulong user_bytes_max;
module_param(user_bytes_max, ulong, 0644);
MODULE_PARM_DESC(user_bytes_max,
		 "bytes that one user's objects may hold (default: 1/8 of memory)");

static ulong ns_objects_max = ULONG_MAX;
module_param(ns_objects_max, ulong, 0644);
MODULE_PARM_DESC(ns_objects_max, "objects that one network namespace may have");

static ulong ns_bytes_max = ULONG_MAX;
module_param(ns_bytes_max, ulong, 0644);
MODULE_PARM_DESC(ns_bytes_max,
		 "bytes that one network namespace's objects may hold");

/* Guards every account and the table of users; nothing nests inside it. */
static DEFINE_SPINLOCK(account_lock);
static DEFINE_HASHTABLE(users, 8);

static struct ipcx_account *user_find(kuid_t uid)
{
	struct ipcx_account *account;

	lockdep_assert_held(&account_lock);
	hash_for_each_possible(users, account, node, __kuid_val(uid))
		if (uid_eq(account->uid, uid))
			return account;
	return NULL;
}

/* The user's account with a reference, made if there is none. */
static struct ipcx_account *user_get(kuid_t uid)
{
	struct ipcx_account *account, *fresh = NULL;

	spin_lock(&account_lock);
	account = user_find(uid);
	if (!account) {
		spin_unlock(&account_lock);
		fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
		if (!fresh)
			return NULL;
		fresh->uid = uid;
		spin_lock(&account_lock);
		account = user_find(uid);
		if (!account) {
			account = fresh;
			fresh = NULL;
			hash_add(users, &account->node, __kuid_val(uid));
		}
	}
	account->refs++;
	spin_unlock(&account_lock);
	kfree(fresh);
	return account;
}

static void user_put(struct ipcx_account *account)
{
	bool last;

	spin_lock(&account_lock);
	last = !--account->refs;
	if (last)
		hash_del(&account->node);
	spin_unlock(&account_lock);
	if (last)
		kfree(account);
}

static bool fits(const struct ipcx_account *account, u64 objects, u64 bytes,
		 u64 objects_max, u64 bytes_max)
{
	lockdep_assert_held(&account_lock);
	return account->objects <= objects_max &&
	       objects <= objects_max - account->objects &&
	       account->bytes <= bytes_max &&
	       bytes <= bytes_max - account->bytes;
}

/* All accounts or none. */
static bool charge_all(struct ipcx_charge *charge)
{
	unsigned int i;
	bool ok;

	spin_lock(&account_lock);
	ok = fits(charge->accounts[0], charge->objects, charge->bytes,
		  READ_ONCE(ns_objects_max), READ_ONCE(ns_bytes_max));
	for (i = 1; ok && i < charge->nr; i++)
		ok = fits(charge->accounts[i], charge->objects, charge->bytes,
			  READ_ONCE(user_objects_max),
			  READ_ONCE(user_bytes_max));
	for (i = 0; ok && i < charge->nr; i++) {
		charge->accounts[i]->objects += charge->objects;
		charge->accounts[i]->bytes += charge->bytes;
	}
	spin_unlock(&account_lock);
	return ok;
}

/* The namespace's account lives in the ipcx_ns; users' are counted. */
static void charge_free(struct ipcx_charge *charge)
{
	while (charge->nr > 1)
		user_put(charge->accounts[--charge->nr]);
	kfree(charge);
}

/* Name @uid's account in the charge, once. */
static int charge_add_user(struct ipcx_charge *charge, kuid_t uid)
{
	struct ipcx_account *account;
	unsigned int i;

	for (i = 1; i < charge->nr; i++)
		if (uid_eq(charge->accounts[i]->uid, uid))
			return 0;
	account = user_get(uid);
	if (!account)
		return -ENOMEM;
	charge->accounts[charge->nr++] = account;
	return 0;
}

/**
 * ipcx_charge - charge the caller
 * @ns:      where
 * @objects: how many objects
 * @bytes:   how many bytes
 *
 * May sleep until what dead processes held is freed.
 *
 * Return: the receipt for ipcx_uncharge(), or -EDQUOT, -ENOMEM.
 */
struct ipcx_charge *ipcx_charge(struct ipcx_ns *ns, u64 objects, u64 bytes)
{
	struct user_namespace *user_ns;
	struct ipcx_charge *charge;
	int err;

	/* The namespace, the caller and one owner a level of user namespaces. */
	charge = kzalloc(struct_size(charge, accounts,
				     2 + current_user_ns()->level),
			 GFP_KERNEL_ACCOUNT);
	if (!charge)
		return ERR_PTR(-ENOMEM);
	charge->objects = objects;
	charge->bytes = bytes;
	charge->accounts[0] = &ns->account;
	charge->nr = 1;

	err = charge_add_user(charge, current_uid());
	for (user_ns = current_user_ns(); !err && user_ns != &init_user_ns;
	     user_ns = user_ns->parent)
		err = charge_add_user(charge, user_ns->owner);
	if (!err && !charge_all(charge)) {
		/* What the dead still hold doesn't count. */
		ipcx_death_settle();
		err = charge_all(charge) ? 0 : -EDQUOT;
	}
	if (err) {
		charge_free(charge);
		return ERR_PTR(err);
	}
	return charge;
}

/* Take @objects and @bytes back from all accounts that the charge names. */
static void refund(const struct ipcx_charge *charge, u64 objects, u64 bytes)
{
	unsigned int i;

	spin_lock(&account_lock);
	for (i = 0; i < charge->nr; i++) {
		WARN_ON_ONCE(charge->accounts[i]->bytes < bytes);
		charge->accounts[i]->objects -= objects;
		charge->accounts[i]->bytes -= bytes;
	}
	spin_unlock(&account_lock);
}

/**
 * ipcx_charge_reduce - give a part back
 * @charge: the receipt
 * @bytes:  how many of its bytes
 */
void ipcx_charge_reduce(struct ipcx_charge *charge, u64 bytes)
{
	refund(charge, 0, bytes);
	charge->bytes -= bytes;
}

/**
 * ipcx_uncharge - give back what ipcx_charge() took
 * @charge: the receipt, or NULL
 */
void ipcx_uncharge(struct ipcx_charge *charge)
{
	if (!charge)
		return;
	refund(charge, charge->objects, charge->bytes);
	charge_free(charge);
}

/**
 * ipcx_usage_user - tell what a user is charged, over all namespaces
 * @uid:   who
 * @usage: filled in
 */
void ipcx_usage_user(kuid_t uid, struct ipcx_usage *usage)
{
	struct ipcx_account *account;

	*usage = (struct ipcx_usage) {
		.objects_max = READ_ONCE(user_objects_max),
		.bytes_max = READ_ONCE(user_bytes_max),
	};
	spin_lock(&account_lock);
	account = user_find(uid);
	if (account) {
		usage->objects = account->objects;
		usage->bytes = account->bytes;
	}
	spin_unlock(&account_lock);
}

/**
 * ipcx_usage_ns - tell what a namespace is charged
 * @ns:    which
 * @usage: filled in
 */
void ipcx_usage_ns(struct ipcx_ns *ns, struct ipcx_usage *usage)
{
	spin_lock(&account_lock);
	*usage = (struct ipcx_usage) {
		.objects = ns->account.objects,
		.objects_max = READ_ONCE(ns_objects_max),
		.bytes = ns->account.bytes,
		.bytes_max = READ_ONCE(ns_bytes_max),
	};
	spin_unlock(&account_lock);
}

/* Called once, before anything can be charged. */
void ipcx_account_init(void)
{
	if (!user_bytes_max)
		user_bytes_max = (totalram_pages() / 8) << PAGE_SHIFT;
}
