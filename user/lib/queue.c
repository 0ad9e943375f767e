// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Message queues.
 */
#include "internal.h"

/*
 * Programs don't tell the size that they were compiled with: if one of these grows, a
 * new function must take it, and these go on with the first form.
 */
_Static_assert(sizeof(struct ipcx_msg) == 56, "programs have arrays of them");
_Static_assert(sizeof(struct ipcx_queue_params) == 24, "programs have shorter ones");

int ipcx_queue_create(int dev, const char *name, unsigned int access,
		      const struct ipcx_queue_params *limits,
		      const struct ipcx_options *options)
{
	return ipcx_create(dev, name, IPCX_TYPE_QUEUE, access, options, limits,
			   limits ? sizeof(*limits) : 0);
}

static struct ipcx_select selector(const struct ipcx_select *select)
{
	return select ? *select : (struct ipcx_select){ .how = IPCX_SELECT_FILE };
}

static int send_to(int fd, struct ipcx_ref ref, const struct ipcx_msg *msgs,
		   unsigned int count, unsigned int flags,
		   const struct ipcx_deadline *deadline)
{
	struct ipcx_send arg = {
		.ref = ref,
		.msgs = address(msgs),
		.count = count,
		.msg_size = sizeof(*msgs),
		.flags = flags,
		.deadline = until(deadline),
	};

	return command(fd, IPCX_IOC_SEND, &arg);
}

int ipcx_queue_send(int fd, const struct ipcx_msg *msgs, unsigned int count,
		    unsigned int flags, const struct ipcx_deadline *deadline)
{
	return send_to(fd, by_fd(), msgs, count, flags, deadline);
}

int ipcx_queue_send_id(int dev, uint32_t id, uint64_t cookie,
		       const struct ipcx_msg *msgs, unsigned int count,
		       unsigned int flags,
		       const struct ipcx_deadline *deadline)
{
	return send_to(dev, by_id(id, cookie), msgs, count, flags, deadline);
}

static int receive_from(int fd, struct ipcx_ref ref, struct ipcx_msg *msgs,
			unsigned int count, const struct ipcx_select *select,
			uint64_t skip, unsigned int flags,
			const struct ipcx_deadline *deadline)
{
	struct ipcx_recv arg = {
		.ref = ref,
		.msgs = address(msgs),
		.count = count,
		.msg_size = sizeof(*msgs),
		.flags = flags,
		.deadline = until(deadline),
		.select = selector(select),
		.skip = skip,
	};

	return command(fd, IPCX_IOC_RECV, &arg);
}

int ipcx_queue_recv(int fd, struct ipcx_msg *msgs, unsigned int count,
		    const struct ipcx_select *select, unsigned int flags,
		    const struct ipcx_deadline *deadline)
{
	return receive_from(fd, by_fd(), msgs, count, select, 0, flags,
			    deadline);
}

int ipcx_queue_recv_id(int dev, uint32_t id, uint64_t cookie,
		       struct ipcx_msg *msgs, unsigned int count,
		       const struct ipcx_select *select, unsigned int flags,
		       const struct ipcx_deadline *deadline)
{
	return receive_from(dev, by_id(id, cookie), msgs, count, select, 0,
			    flags, deadline);
}

int ipcx_queue_peek(int fd, struct ipcx_msg *msgs, unsigned int count,
		    const struct ipcx_select *select, uint64_t skip,
		    unsigned int flags)
{
	return receive_from(fd, by_fd(), msgs, count, select, skip,
			    flags | IPCX_PEEK, NULL);
}

int ipcx_queue_peek_id(int dev, uint32_t id, uint64_t cookie,
		       struct ipcx_msg *msgs, unsigned int count,
		       const struct ipcx_select *select, uint64_t skip,
		       unsigned int flags)
{
	return receive_from(dev, by_id(id, cookie), msgs, count, select, skip,
			    flags | IPCX_PEEK, NULL);
}

static int64_t purge(int fd, struct ipcx_ref ref,
		     const struct ipcx_select *select)
{
	struct ipcx_purge arg = { .ref = ref, .select = selector(select) };

	return command(fd, IPCX_IOC_PURGE, &arg);
}

int64_t ipcx_queue_purge(int fd, const struct ipcx_select *select)
{
	return purge(fd, by_fd(), select);
}

int64_t ipcx_queue_purge_id(int dev, uint32_t id, uint64_t cookie,
			    const struct ipcx_select *select)
{
	return purge(dev, by_id(id, cookie), select);
}

int ipcx_queue_file(int fd, const struct ipcx_select *select, uint64_t type,
		    unsigned int flags)
{
	struct ipcx_queue_file arg = {
		.select = selector(select),
		.type = type,
		.flags = flags,
	};

	return command(fd, IPCX_IOC_QUEUE_FILE, &arg);
}

int ipcx_queue_notify(int fd, int signo, uint64_t value)
{
	struct ipcx_notify arg = { .signo = signo, .value = value };

	return command(fd, IPCX_IOC_NOTIFY, &arg);
}

static int resize(int fd, struct ipcx_ref ref,
		  const struct ipcx_queue_params *limits)
{
	struct ipcx_resize arg = {
		.ref = ref,
		.bytes = limits->max_bytes,
		.deadline = until(NULL),
		.max_msgs = limits->max_msgs,
		.max_msg_bytes = limits->max_msg_bytes,
	};

	return command(fd, IPCX_IOC_RESIZE, &arg);
}

int ipcx_queue_resize(int fd, const struct ipcx_queue_params *limits)
{
	return resize(fd, by_fd(), limits);
}

int ipcx_queue_resize_id(int dev, uint32_t id, uint64_t cookie,
			 const struct ipcx_queue_params *limits)
{
	return resize(dev, by_id(id, cookie), limits);
}

int ipcx_queue_resize_name(int dev, const char *name,
			   const struct ipcx_queue_params *limits)
{
	return resize(dev, by_name(name), limits);
}
