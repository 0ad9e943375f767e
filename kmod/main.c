// SPDX-License-Identifier: GPL-2.0
/*
 * ipcmod: in-kernel IPC objects behind /dev/ipcx.
 *
 * Everything starts here: the parts in the order in which they need each
 * other, and the device, which binds whoever opens it to his network
 * namespace.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <net/net_namespace.h>

#include "account.h"
#include "death.h"
#include "ioctl.h"
#include "netlink.h"
#include "object.h"
#include "queue.h"
#include "registry.h"

/* The file holds the namespace: it can't end while a device file is open. */
static int device_open(struct inode *inode, struct file *file)
{
	int err = ipcx_fs_pin();

	if (err)
		return err;
	file->private_data = get_net(current->nsproxy->net_ns);
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	put_net(file->private_data);
	ipcx_fs_unpin();
	return 0;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = ipcx_device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ipcx",
	.fops = &device_fops,
	.mode = 0666,
};

static int __init ipcx_init(void)
{
	int err;

	ipcx_account_init();
	ipcx_death_init();
	err = ipcx_queue_module_init();
	if (err)
		goto death;
	err = ipcx_registry_init();
	if (err)
		goto queue;
	err = ipcx_netlink_init();
	if (err)
		goto registry;
	err = misc_register(&device);
	if (err)
		goto netlink;
	return 0;

netlink:
	ipcx_netlink_uninit();
registry:
	ipcx_registry_uninit();
queue:
	ipcx_queue_module_exit();
death:
	ipcx_death_uninit();
	return err;
}

/*
 * The module is only let go when nobody holds it: no device file is open and
 * no object is left, or its mount would hold us. So each step ends what could
 * make new work for the next: first the doors, then the registries, empty by
 * now, then the records of processes that have outlived their objects. What
 * RCU still has to free needs no code of ours.
 */
static void __exit ipcx_exit(void)
{
	misc_deregister(&device);
	ipcx_netlink_uninit();
	ipcx_registry_uninit();
	ipcx_death_uninit();
	ipcx_queue_module_exit();
}

module_init(ipcx_init);
module_exit(ipcx_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The ipcmod developers");
MODULE_DESCRIPTION("IPC objects as file descriptors: /dev/ipcx");
MODULE_VERSION("0.1.0");
