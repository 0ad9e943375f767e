/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libipcx: thin functions over /dev/ipcx.
 *
 * linux/ipcx.h, which this header includes, is the contract with the kernel:
 * types, lifetimes, access modes, flags, and each command's errors. This header
 * adds functions, and says only what they add.
 */
#ifndef IPCX_H
#define IPCX_H

#include <linux/ipcx.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** IPCX_LIBRARY_VERSION - version of the library that this header belongs to */
#define IPCX_LIBRARY_VERSION	"0.1.0"

/**
 * DOC: rules for every function
 *
 * **Results.** A function that fails returns a negative errno value, such as
 * -ENOENT. One that succeeds returns 0, a file descriptor, or a number of
 * bytes or messages. errno itself is neither an input nor a result, and may
 * change.
 *
 * **dev and fd.** @dev is a file descriptor of the device, from ipcx_device();
 * it stands for the network namespace that it was opened in. @fd is a file
 * descriptor of an object. Both are ordinary file descriptors: close(2) ends
 * them, poll(2) and fstat(2) know them, SCM_RIGHTS passes them.
 *
 * **Three ways to mean an object.** A function with no suffix takes the device
 * and a name; one that ends in _id takes the device, the object's id and its
 * cookie, where 0 means "whatever its cookie"; one that ends in _fd takes the
 * object's own file. What is done to an object of one type, as by
 * ipcx_pipe_read(), takes the object's own file without a suffix, and the
 * device and a name if it ends in _name.
 *
 * **Names** end with a NUL and are 1 to %IPCX_NAME_MAX bytes without '/'. The
 * bytes have no further meaning, and no encoding.
 *
 * **Deadlines** are absolute; a null pointer means "wait for ever".
 *
 * **Sizes.** Structures that the kernel may extend are passed together with
 * the size that the caller was compiled with, sizeof(*pointer). Old programs
 * and new libraries, and new programs and old kernels, thus understand each
 * other: what a kernel doesn't know is 0 in a result. The others, such as
 * &struct ipcx_msg, &struct ipcx_sem_op, &struct ipcx_condition, &struct ipcx_case and
 * the types' parameters, stay as they are for
 * the functions of this header: longer ones would get functions of their own.
 *
 * **Threads and signals.** The library has no state. Every function may be
 * called from any number of threads at once, and from a signal handler, and
 * after fork(2). None is a cancellation point, except ipcx_device() and
 * ipcx_pipe().
 *
 * Beside the errors named with each function there are those that every
 * command may give (-EFAULT, -EINVAL, -ENOMEM, -ENOTTY, -E2BIG; see
 * linux/ipcx.h), and -EBADF for a file descriptor that isn't open.
 * -EFAULT is about data, messages and parameters: names, options, selectors, a
 * queue's limits, deadlines and results are touched by the library itself.
 */

/**
 * ipcx_library_version() - version of the library in use
 *
 * It differs from %IPCX_LIBRARY_VERSION if the program was compiled with
 * another version's header.
 *
 * Return: a string such as "0.1.0", never to be freed.
 */
const char *ipcx_library_version(void);

/**
 * ipcx_device() - open the device, and with it the caller's namespace
 *
 * The file descriptor is close-on-exec. It binds to the network namespace that
 * the caller is in now, and keeps that namespace alive.
 *
 * Return: a file descriptor, or
 *
 * * -ENOENT, -ENXIO or -ENODEV: the module is not loaded
 * * -EACCES: the device node's permissions
 * * -EMFILE, -ENFILE: too many files
 */
int ipcx_device(void);

/**
 * ipcx_query() - what the kernel supports, its limits, and what is in use
 * @dev:    the device
 * @result: filled in
 * @size:   sizeof(*@result)
 *
 * Return: 0, or one of the errors that every command may give.
 */
int ipcx_query(int dev, struct ipcx_query *result, size_t size);

/**
 * ipcx_deadline_after() - the moment some nanoseconds from now
 * @ns: how long from now
 *
 * Return: a deadline on CLOCK_MONOTONIC; one that lies beyond what the clock
 * can count (292 years) is "for ever".
 */
struct ipcx_deadline ipcx_deadline_after(uint64_t ns);

/**
 * struct ipcx_options - how to create an object of any type
 * @lifetime: an &enum ipcx_lifetime; 0 is transient
 * @mode:     permission bits, 0001 to 0777, the umask is applied; 0 means 0600.
 *	      (For an object with no permission at all, call fchmod(2) after.)
 * @flags:    %IPCX_NONBLOCK, %IPCX_INHERIT, %IPCX_OR_OPEN
 * @reserved: 0, or -EINVAL
 *
 * All zeros is a good start; a null pointer means the same.
 */
struct ipcx_options {
	uint32_t lifetime;
	uint32_t mode;
	uint32_t flags;
	uint32_t reserved[5];
};

/**
 * ipcx_create() - create an object of any type
 * @dev:         the device
 * @name:        its name, or null for a nameless object
 * @type:        an &enum ipcx_type
 * @access:      an &enum ipcx_access: what the returned file may do
 * @options:     lifetime, mode and flags, or null
 * @params:      the type's parameters, such as &struct ipcx_pipe_params or
 *		 &struct ipcx_queue_params, or null
 * @params_size: sizeof(*@params), or 0
 *
 * Never waits. Most programs call the type's own function, such as
 * ipcx_pipe_create(); this one is for types and parameters that are newer than
 * the library.
 *
 * Return: a file descriptor, or
 *
 * * -EEXIST: the name is taken, and %IPCX_OR_OPEN was not given
 * * -EINVAL: a '/' in the name, or an empty one; %IPCX_OR_OPEN without a name
 * * -ENAMETOOLONG: more than %IPCX_NAME_MAX bytes
 * * -EOPNOTSUPP: the kernel has no such type
 * * -EDQUOT: the caller's or the namespace's account is full
 * * -ENOSPC: no id is free
 * * -EMFILE, -ENFILE: too many files
 * * -EACCES: %IPCX_OR_OPEN, no permission
 * * -EPROTOTYPE: %IPCX_OR_OPEN, the name is an object of another type
 */
int ipcx_create(int dev, const char *name, unsigned int type,
		unsigned int access, const struct ipcx_options *options,
		const void *params, size_t params_size);

/**
 * ipcx_open() - open an object by its name
 * @dev:      the device
 * @name:     its name
 * @type:     what it must be, or %IPCX_TYPE_ANY
 * @access:   an &enum ipcx_access
 * @flags:    %IPCX_NONBLOCK, %IPCX_INHERIT, %IPCX_NO_RESTART
 * @deadline: until when to wait for a pipe's other side, or null
 *
 * Opening a named pipe for one side waits for the other side, as with fifo(7).
 *
 * Return: a file descriptor, or
 *
 * * -ENOENT: no such object in the device's namespace
 * * -EINVAL: a '/' in the name, or an empty one
 * * -ENAMETOOLONG: more than %IPCX_NAME_MAX bytes
 * * -EACCES: no permission
 * * -EPROTOTYPE: it is of another type
 * * -ENXIO: %IPCX_NONBLOCK, for writing, and the pipe has no reader
 * * -EINTR: a signal came while waiting
 * * -ETIMEDOUT: the deadline came while waiting
 * * -EIDRM: it was removed while waiting
 * * -EDQUOT: the caller's account is full
 * * -EMFILE, -ENFILE: too many files
 */
int ipcx_open(int dev, const char *name, unsigned int type,
	      unsigned int access, unsigned int flags,
	      const struct ipcx_deadline *deadline);

/**
 * ipcx_open_id() - open a persistent object by its id
 * @dev:      the device
 * @id:       its id
 * @cookie:   its cookie, or 0
 * @type:     as ipcx_open() has it
 * @access:   likewise
 * @flags:    likewise
 * @deadline: likewise
 *
 * Return: as ipcx_open(); -ENOENT also for an object that is not persistent,
 * and -ESTALE if the id now belongs to an object with another cookie.
 */
int ipcx_open_id(int dev, uint32_t id, uint64_t cookie, unsigned int type,
		 unsigned int access, unsigned int flags,
		 const struct ipcx_deadline *deadline);

/**
 * ipcx_open_fd() - open the object of a file once more
 * @fd:       the object
 * @access:   as ipcx_open() has it; it may be more than @fd has
 * @flags:    likewise
 * @deadline: likewise
 *
 * Unlike with dup(2), the new file has its own access mode and its own flags,
 * and counts as a reader or writer of its own.
 *
 * Return: as ipcx_open(); -EIDRM if the object was removed before.
 */
int ipcx_open_fd(int fd, unsigned int access, unsigned int flags,
		 const struct ipcx_deadline *deadline);

/**
 * ipcx_unlink() - take an object's name away
 * @dev:  the device
 * @name: its name
 *
 * The name is free at once; who has the object open goes on with it, and it
 * ends when the last of them is gone.
 *
 * Return: 0, or
 *
 * * -ENOENT: no such object in the device's namespace
 * * -EINVAL: a '/' in the name, or an empty one
 * * -ENAMETOOLONG: more than %IPCX_NAME_MAX bytes
 * * -EPERM: the caller neither owns it nor has CAP_IPC_OWNER
 */
int ipcx_unlink(int dev, const char *name);

/**
 * ipcx_unlink_id() - end a persistent object's life without users, by id
 * @dev:    the device
 * @id:     its id
 * @cookie: its cookie, or 0
 *
 * Return: as ipcx_unlink(); -ENOENT also for an object with neither name nor
 * link, and -ESTALE if it has another cookie.
 */
int ipcx_unlink_id(int dev, uint32_t id, uint64_t cookie);

/**
 * ipcx_unlink_fd() - take the name of a file's object away
 * @fd: the object
 *
 * Return: as ipcx_unlink(); -ENOENT for an object with neither name nor link,
 * and -EIDRM if it was removed.
 */
int ipcx_unlink_fd(int fd);

/**
 * ipcx_remove() - end an object now, whoever uses it
 * @dev:  the device
 * @name: its name
 *
 * Does what ipcx_unlink() does, and wakes everybody who waits on the object.
 * They, and every later call on it, get -EIDRM.
 *
 * Return: as ipcx_unlink().
 */
int ipcx_remove(int dev, const char *name);

/**
 * ipcx_remove_id() - end an object now, by id
 * @dev:    the device
 * @id:     its id
 * @cookie: its cookie, or 0
 *
 * Return: as ipcx_remove(); -ESTALE if it has another cookie.
 */
int ipcx_remove_id(int dev, uint32_t id, uint64_t cookie);

/**
 * ipcx_remove_fd() - end a file's object now
 * @fd: the object
 *
 * Return: as ipcx_remove(); -EIDRM if it was removed before.
 */
int ipcx_remove_fd(int fd);

/**
 * ipcx_stat() - all that is known about an object
 * @dev:    the device
 * @name:   its name
 * @result: filled in; what it held before does not matter
 * @size:   sizeof(*@result)
 *
 * Needs read permission.
 *
 * Return: 0, or
 *
 * * -ENOENT: no such object in the device's namespace
 * * -EINVAL: a '/' in the name, or an empty one; @size is too small
 * * -ENAMETOOLONG: more than %IPCX_NAME_MAX bytes
 * * -EACCES: no permission
 */
int ipcx_stat(int dev, const char *name, struct ipcx_stat *result, size_t size);

/**
 * ipcx_stat_id() - all that is known about an object, by id
 * @dev:    the device
 * @id:     its id
 * @cookie: its cookie, or 0
 * @result: as ipcx_stat() has it
 * @size:   likewise
 *
 * Return: as ipcx_stat(); -ESTALE if it has another cookie.
 */
int ipcx_stat_id(int dev, uint32_t id, uint64_t cookie,
		 struct ipcx_stat *result, size_t size);

/**
 * ipcx_stat_fd() - all that is known about a file's object
 * @fd:     the object; any access mode will do
 * @result: as ipcx_stat() has it
 * @size:   likewise
 *
 * Return: 0, or -EIDRM if the object was removed; -EINVAL if @size is too
 * small.
 */
int ipcx_stat_fd(int fd, struct ipcx_stat *result, size_t size);

/**
 * ipcx_pipe() - a nameless pipe, both ends, as pipe2(2) makes them
 * @fds:   the end to read from, and the end to write to
 * @flags: %IPCX_NONBLOCK and %IPCX_INHERIT, for both
 *
 * Without %IPCX_INHERIT both are close-on-exec. @fds is unchanged on failure.
 *
 * Return: 0, or the errors of ipcx_device() and ipcx_pipe_create().
 */
int ipcx_pipe(int fds[2], unsigned int flags);

/**
 * ipcx_pipe_create() - create a pipe
 * @dev:            the device
 * @name:           its name, or null for a nameless pipe
 * @access:         what the returned file may do: with %IPCX_ACCESS_READ it
 *		    counts as a reader, with %IPCX_ACCESS_WRITE as a writer,
 *		    with %IPCX_ACCESS_RDWR as both, with %IPCX_ACCESS_NONE as
 *		    neither
 * @capacity_bytes: how much it can hold, 4096 up to &struct
 *		    ipcx_query.pipe_capacity_max, rounded up to a power of two;
 *		    0 is the default, 65536
 * @options:        lifetime, mode and flags, or null
 *
 * Return: as ipcx_create(); -EINVAL also for a capacity that is out of range.
 */
int ipcx_pipe_create(int dev, const char *name, unsigned int access,
		     uint64_t capacity_bytes,
		     const struct ipcx_options *options);

/**
 * ipcx_pipe_read() - take bytes out of a pipe, up to a deadline
 * @fd:       the pipe, open for reading
 * @buf:      where to put them
 * @len:      how many at most
 * @flags:    %IPCX_NONBLOCK, %IPCX_NO_RESTART
 * @deadline: until when to wait for the first byte, or null
 *
 * read(2) with a deadline.
 *
 * Return: the number of bytes, 0 at the end of file, or
 *
 * * -EBADF: not open for reading
 * * -EAGAIN: nothing to read, and %IPCX_NONBLOCK or O_NONBLOCK is set
 * * -EINTR: a signal came before any byte
 * * -ETIMEDOUT: the deadline came before any byte
 * * -EIDRM: the pipe was removed
 */
ssize_t ipcx_pipe_read(int fd, void *buf, size_t len, unsigned int flags,
		       const struct ipcx_deadline *deadline);

/**
 * ipcx_pipe_read_id() - take bytes out of a persistent pipe by its id
 * @dev:      the device
 * @id:       its id
 * @cookie:   its cookie, or 0
 * @buf:      as ipcx_pipe_read() has it
 * @len:      likewise
 * @flags:    likewise
 * @deadline: likewise
 *
 * Needs no open file of the pipe, checks permission each time, and makes the
 * caller no reader: there is no end of file, an empty pipe waits for bytes.
 *
 * Return: as ipcx_pipe_read(), but never -EBADF or 0 for @len > 0, or
 *
 * * -ENOENT: no such persistent object
 * * -ESTALE: it has another cookie
 * * -EACCES: no permission
 */
ssize_t ipcx_pipe_read_id(int dev, uint32_t id, uint64_t cookie, void *buf,
			  size_t len, unsigned int flags,
			  const struct ipcx_deadline *deadline);

/**
 * ipcx_pipe_write() - put bytes into a pipe, up to a deadline
 * @fd:       the pipe, open for writing
 * @buf:      the bytes
 * @len:      how many
 * @flags:    %IPCX_NONBLOCK, %IPCX_NO_RESTART, %IPCX_NO_SIGPIPE
 * @deadline: until when to wait for space, or null
 *
 * write(2) with a deadline. Waits until all bytes are in the pipe, so that it
 * returns fewer than @len only when a signal, the deadline or %IPCX_NONBLOCK
 * ended it, or one call's maximum of 2^31-4096.
 *
 * Return: the number of bytes, or
 *
 * * -EBADF: not open for writing
 * * -EAGAIN: no space, and %IPCX_NONBLOCK or O_NONBLOCK is set
 * * -EINTR: a signal came before any byte was put in
 * * -ETIMEDOUT: the deadline came before any byte was put in
 * * -EPIPE: the last reader is gone; without %IPCX_NO_SIGPIPE the caller is
 *   sent SIGPIPE first
 * * -EIDRM: the pipe was removed
 */
ssize_t ipcx_pipe_write(int fd, const void *buf, size_t len,
			unsigned int flags,
			const struct ipcx_deadline *deadline);

/**
 * ipcx_pipe_write_id() - put bytes into a persistent pipe by its id
 * @dev:      the device
 * @id:       its id
 * @cookie:   its cookie, or 0
 * @buf:      as ipcx_pipe_write() has it
 * @len:      likewise
 * @flags:    likewise
 * @deadline: likewise
 *
 * Needs no open file of the pipe, checks permission each time, and makes the
 * caller no writer; it works without a reader.
 *
 * Return: as ipcx_pipe_write(), but never -EBADF or -EPIPE, or
 *
 * * -ENOENT: no such persistent object
 * * -ESTALE: it has another cookie
 * * -EACCES: no permission
 */
ssize_t ipcx_pipe_write_id(int dev, uint32_t id, uint64_t cookie,
			   const void *buf, size_t len, unsigned int flags,
			   const struct ipcx_deadline *deadline);

/**
 * ipcx_pipe_resize() - change how much a pipe can hold, in use
 * @fd:             the pipe; any access mode will do
 * @capacity_bytes: as ipcx_pipe_create() has it, but not 0
 * @flags:          %IPCX_NO_RESTART
 * @deadline:       until when to wait for transfers that are just being copied,
 *		    or null; O_NONBLOCK plays no part
 *
 * No byte is lost. Who sleeps in a transfer delays nothing, and goes on with the
 * new capacity; ipcx_stat_fd() tells what it has become. After an error it is
 * what it was.
 *
 * Who makes a pipe larger is charged for it from then on, and until the call
 * returns for the old capacity, too, that somebody pays already. Making it
 * smaller charges nobody.
 *
 * Return: 0, or
 *
 * * -EPERM: the caller neither owns it nor has CAP_IPC_OWNER
 * * -EINVAL: a capacity out of range
 * * -EBUSY: the pipe holds more than that
 * * -EDQUOT: larger, and the caller's or the namespace's account is full
 * * -EOPNOTSUPP: an object that has no capacity to change
 * * -EINTR: a signal came while waiting
 * * -ETIMEDOUT: the deadline came while waiting
 * * -EIDRM: the pipe was removed
 */
int ipcx_pipe_resize(int fd, uint64_t capacity_bytes, unsigned int flags,
		     const struct ipcx_deadline *deadline);

/**
 * ipcx_pipe_resize_id() - change how much a pipe can hold, by its id
 * @dev:            the device
 * @id:             its id; unlike for transfers, the pipe may be of any lifetime
 * @cookie:         its cookie, or 0
 * @capacity_bytes: as ipcx_pipe_resize() has it
 * @flags:          likewise
 * @deadline:       likewise
 *
 * Return: as ipcx_pipe_resize(); -ENOENT if there is no such object, and
 * -ESTALE if it has another cookie.
 */
int ipcx_pipe_resize_id(int dev, uint32_t id, uint64_t cookie,
			uint64_t capacity_bytes, unsigned int flags,
			const struct ipcx_deadline *deadline);

/**
 * ipcx_pipe_resize_name() - change how much a pipe can hold, by its name
 * @dev:            the device
 * @name:           its name
 * @capacity_bytes: as ipcx_pipe_resize() has it
 * @flags:          likewise
 * @deadline:       likewise
 *
 * Return: as ipcx_pipe_resize(), or
 *
 * * -ENOENT: no such object in the device's namespace
 * * -EINVAL: a '/' in the name, or an empty one
 * * -ENAMETOOLONG: more than %IPCX_NAME_MAX bytes
 */
int ipcx_pipe_resize_name(int dev, const char *name, uint64_t capacity_bytes,
			  unsigned int flags,
			  const struct ipcx_deadline *deadline);

/**
 * ipcx_queue_create() - create a message queue
 * @dev:     the device
 * @name:    its name, or null for a nameless queue
 * @access:  what the returned file may do: %IPCX_ACCESS_READ receives,
 *	     %IPCX_ACCESS_WRITE sends, %IPCX_ACCESS_RDWR does both
 * @limits:  how much it can hold, or null; fields that are 0, and a null pointer,
 *	     mean the defaults
 * @options: lifetime, mode and flags, or null
 *
 * Never waits; nor does opening a queue, which needs no other side.
 *
 * Return: as ipcx_create(); -EINVAL also for a limit that is out of range.
 */
int ipcx_queue_create(int dev, const char *name, unsigned int access,
		      const struct ipcx_queue_params *limits,
		      const struct ipcx_options *options);

/** ipcx_select_any() - any message: the oldest */
static inline struct ipcx_select ipcx_select_any(void)
{
	struct ipcx_select select = { IPCX_SELECT_ANY, 0, 0, 0 };

	return select;
}

/**
 * ipcx_select_exact() - messages of one type
 * @type: 1 to %IPCX_MSG_TYPE_MAX
 */
static inline struct ipcx_select ipcx_select_exact(uint64_t type)
{
	struct ipcx_select select = { IPCX_SELECT_EXACT, 0, type, 0 };

	return select;
}

/**
 * ipcx_select_except() - messages of all types but one
 * @type: 1 to %IPCX_MSG_TYPE_MAX
 */
static inline struct ipcx_select ipcx_select_except(uint64_t type)
{
	struct ipcx_select select = { IPCX_SELECT_EXCEPT, 0, type, 0 };

	return select;
}

/**
 * ipcx_select_range() - the lowest type in a range: types as priorities
 * @lo: 1 to @hi
 * @hi: @lo to %IPCX_MSG_TYPE_MAX
 */
static inline struct ipcx_select ipcx_select_range(uint64_t lo, uint64_t hi)
{
	struct ipcx_select select = { IPCX_SELECT_RANGE, 0, lo, hi };

	return select;
}

/**
 * ipcx_queue_send() - send messages, up to a deadline
 * @fd:       the queue, open for writing
 * @msgs:     the messages: type, or 0 for the file's (see ipcx_queue_file()), buf
 *	      and len
 * @count:    how many, 1 to %IPCX_MSG_BATCH_MAX
 * @flags:    %IPCX_NONBLOCK, %IPCX_NO_RESTART
 * @deadline: until when to wait for space, or null
 *
 * Waits until all are sent, so that it returns fewer than @count only when
 * something ended it before: an error, a signal, the deadline or
 * %IPCX_NONBLOCK. Those behind are not sent.
 *
 * Return: the number of messages that were sent, or, if none was,
 *
 * * -EBADF: not open for writing
 * * -EINVAL: a type, or @count, out of range; a field that isn't 0
 * * -EMSGSIZE: longer than a message of this queue may be
 * * -EAGAIN: no space, or others wait for it, and %IPCX_NONBLOCK or O_NONBLOCK is set
 * * -EINTR: a signal came
 * * -ETIMEDOUT: the deadline came
 * * -EOPNOTSUPP: not a queue
 * * -EIDRM: the queue was removed
 */
int ipcx_queue_send(int fd, const struct ipcx_msg *msgs, unsigned int count,
		    unsigned int flags, const struct ipcx_deadline *deadline);

/**
 * ipcx_queue_send_id() - send messages to a persistent queue by its id
 * @dev:      the device
 * @id:       its id
 * @cookie:   its cookie, or 0
 * @msgs:     as ipcx_queue_send() has it; type 0 is 1
 * @count:    likewise
 * @flags:    likewise
 * @deadline: likewise
 *
 * Needs no open file of the queue, and checks permission each time.
 *
 * Return: as ipcx_queue_send(), but never -EBADF, or
 *
 * * -ENOENT: no such persistent object
 * * -ESTALE: it has another cookie
 * * -EACCES: no permission
 */
int ipcx_queue_send_id(int dev, uint32_t id, uint64_t cookie,
		       const struct ipcx_msg *msgs, unsigned int count,
		       unsigned int flags,
		       const struct ipcx_deadline *deadline);

/**
 * ipcx_queue_recv() - receive messages, up to a deadline
 * @fd:       the queue, open for reading
 * @msgs:     in: buf and room; out: all other fields of those that were
 *	      received
 * @count:    how many at most, 1 to %IPCX_MSG_BATCH_MAX
 * @select:   which messages, or null for what the file selects
 * @flags:    %IPCX_NONBLOCK, %IPCX_NO_RESTART, %IPCX_TRUNCATE
 * @deadline: until when to wait for the first, or null
 *
 * Waits until there is a message, and takes what there is then: up to @count,
 * ended by the first that is longer than the room for it. With %IPCX_TRUNCATE none
 * is; the rest of it is lost, and %IPCX_MSG_TRUNCATED is set in its flags.
 *
 * Return: the number of messages, or, if there is none,
 *
 * * -EBADF: not open for reading
 * * -EINVAL: the selector, or @count, out of range
 * * -E2BIG: the message is longer than the room for it, and stays; msgs[0].len
 *   tells how long it is
 * * -EAGAIN: no such message, and %IPCX_NONBLOCK or O_NONBLOCK is set
 * * -EINTR: a signal came
 * * -ETIMEDOUT: the deadline came
 * * -EOPNOTSUPP: not a queue
 * * -EIDRM: the queue was removed
 */
int ipcx_queue_recv(int fd, struct ipcx_msg *msgs, unsigned int count,
		    const struct ipcx_select *select, unsigned int flags,
		    const struct ipcx_deadline *deadline);

/**
 * ipcx_queue_recv_id() - receive messages from a persistent queue by its id
 * @dev:      the device
 * @id:       its id
 * @cookie:   its cookie, or 0
 * @msgs:     as ipcx_queue_recv() has it
 * @count:    likewise
 * @select:   likewise; null selects any
 * @flags:    likewise
 * @deadline: likewise
 *
 * Needs no open file of the queue, and checks permission each time.
 *
 * Return: as ipcx_queue_recv(), but never -EBADF, or
 *
 * * -ENOENT: no such persistent object
 * * -ESTALE: it has another cookie
 * * -EACCES: no permission
 */
int ipcx_queue_recv_id(int dev, uint32_t id, uint64_t cookie,
		       struct ipcx_msg *msgs, unsigned int count,
		       const struct ipcx_select *select, unsigned int flags,
		       const struct ipcx_deadline *deadline);

/**
 * ipcx_queue_peek() - look at messages without taking them
 * @fd:     the queue, open for reading
 * @msgs:   as ipcx_queue_recv() has it
 * @count:  likewise
 * @select: likewise
 * @skip:   how many of them to pass over
 * @flags:  %IPCX_TRUNCATE
 *
 * Never waits. Others may receive what it tells before it returns.
 *
 * Return: as ipcx_queue_recv(), but never -EINTR or -ETIMEDOUT; -EAGAIN if there
 * is no such message.
 */
int ipcx_queue_peek(int fd, struct ipcx_msg *msgs, unsigned int count,
		    const struct ipcx_select *select, uint64_t skip,
		    unsigned int flags);

/**
 * ipcx_queue_peek_id() - look at messages of a persistent queue by its id
 * @dev:    the device
 * @id:     its id
 * @cookie: its cookie, or 0
 * @msgs:   as ipcx_queue_peek() has it
 * @count:  likewise
 * @select: likewise; null selects any
 * @skip:   likewise
 * @flags:  likewise
 *
 * Return: as ipcx_queue_peek(), but never -EBADF, or
 *
 * * -ENOENT: no such persistent object
 * * -ESTALE: it has another cookie
 * * -EACCES: no permission
 */
int ipcx_queue_peek_id(int dev, uint32_t id, uint64_t cookie,
		       struct ipcx_msg *msgs, unsigned int count,
		       const struct ipcx_select *select, uint64_t skip,
		       unsigned int flags);

/**
 * ipcx_queue_purge() - drop messages
 * @fd:     the queue, open for reading
 * @select: which messages, or null for what the file selects
 *
 * Never waits. Messages that are sent meanwhile stay.
 *
 * Return: how many there were, which may be none, or
 *
 * * -EBADF: not open for reading
 * * -EINVAL: the selector is out of range
 * * -EOPNOTSUPP: not a queue
 * * -EIDRM: the queue was removed
 */
int64_t ipcx_queue_purge(int fd, const struct ipcx_select *select);

/**
 * ipcx_queue_purge_id() - drop messages of a persistent queue by its id
 * @dev:    the device
 * @id:     its id
 * @cookie: its cookie, or 0
 * @select: as ipcx_queue_purge() has it; null selects any
 *
 * Return: as ipcx_queue_purge(), but never -EBADF, or
 *
 * * -ENOENT: no such persistent object
 * * -ESTALE: it has another cookie
 * * -EACCES: no permission
 */
int64_t ipcx_queue_purge_id(int dev, uint32_t id, uint64_t cookie,
			    const struct ipcx_select *select);

/**
 * ipcx_queue_file() - what read(2), write(2) and poll(2) mean on a file
 * @fd:     the queue; any access mode will do
 * @select: which messages it receives, or null to keep that
 * @type:   the type of what write(2) sends, or 0 to keep that
 * @flags:  %IPCX_TRUNCATE: read(2) truncates; it goes with @select, and is 0 without one
 *
 * A new file selects any, sends type 1 and doesn't truncate. All who share the
 * file share this. The functions take the selector for a null pointer, and the
 * type for 0, from here, too.
 *
 * Return: 0, or
 *
 * * -EINVAL: the selector, the type or @flags is out of range
 * * -EOPNOTSUPP: not a queue
 * * -EIDRM: the queue was removed
 */
int ipcx_queue_file(int fd, const struct ipcx_select *select, uint64_t type,
		    unsigned int flags);

/**
 * ipcx_queue_notify() - ask for a signal when a message comes to the empty queue
 * @fd:    the queue, open for reading
 * @signo: the signal, or 0 to want none any more
 * @value: its si_value, an int or an address
 *
 * Once, and only if nobody waits to receive it. The calling process gets the
 * signal, with si_code SI_MESGQ. Only who has asked can take it back, with the file
 * that he has asked with.
 *
 * Return: 0, or
 *
 * * -EBADF: not open for reading
 * * -EINVAL: no such signal
 * * -EBUSY: somebody has asked already
 * * -EOPNOTSUPP: not a queue
 * * -EIDRM: the queue was removed
 */
int ipcx_queue_notify(int fd, int signo, uint64_t value);

/**
 * ipcx_queue_resize() - change a queue's limits, in use
 * @fd:     the queue; any access mode will do
 * @limits: the new ones; a field that is 0 keeps its value, but for max_msg_bytes,
 *	    which becomes no more than max_bytes
 *
 * Never waits, and no message is lost. Senders who wait go on with the new limits;
 * one whose message has become too long gets -EMSGSIZE. ipcx_stat_fd() tells what
 * the limits are. After an error they are what they were.
 *
 * Who makes a queue larger is charged for it from then on. Making it smaller
 * charges nobody.
 *
 * Return: 0, or
 *
 * * -EPERM: the caller neither owns it nor has CAP_IPC_OWNER
 * * -EINVAL: a limit out of range, or one that the object doesn't have
 * * -EBUSY: the queue holds more than that
 * * -EDQUOT: larger, and the caller's or the namespace's account is full
 * * -EOPNOTSUPP: an object that has no limits to change
 * * -EIDRM: the queue was removed
 */
int ipcx_queue_resize(int fd, const struct ipcx_queue_params *limits);

/**
 * ipcx_queue_resize_id() - change a queue's limits, by its id
 * @dev:    the device
 * @id:     its id; unlike for messages, the queue may be of any lifetime
 * @cookie: its cookie, or 0
 * @limits: as ipcx_queue_resize() has it
 *
 * Return: as ipcx_queue_resize(); -ENOENT if there is no such object, and
 * -ESTALE if it has another cookie.
 */
int ipcx_queue_resize_id(int dev, uint32_t id, uint64_t cookie,
			 const struct ipcx_queue_params *limits);

/**
 * ipcx_queue_resize_name() - change a queue's limits, by its name
 * @dev:    the device
 * @name:   its name
 * @limits: as ipcx_queue_resize() has it
 *
 * Return: as ipcx_queue_resize(), or
 *
 * * -ENOENT: no such object in the device's namespace
 * * -EINVAL: a '/' in the name, or an empty one
 * * -ENAMETOOLONG: more than %IPCX_NAME_MAX bytes
 */
int ipcx_queue_resize_name(int dev, const char *name,
			   const struct ipcx_queue_params *limits);

/**
 * ipcx_sem_create() - create a set of semaphores
 * @dev:     the device
 * @name:    its name, or null for a nameless set
 * @access:  what the returned file may do: %IPCX_ACCESS_READ looks at values and waits for 0,
 *	     %IPCX_ACCESS_WRITE changes them, %IPCX_ACCESS_RDWR does both
 * @params:  how many, their first value and maximum, and whether they are owned; or
 *	     null for one that is 0 and not owned. Fields that are 0 mean the defaults
 * @options: lifetime, mode and flags, or null
 *
 * Never waits; nor does opening a set.
 *
 * Return: as ipcx_create(); -EINVAL also for a parameter that is out of range.
 */
int ipcx_sem_create(int dev, const char *name, unsigned int access,
		    const struct ipcx_sem_params *params,
		    const struct ipcx_options *options);

/**
 * ipcx_sem_op() - operate on several semaphores at once
 * @fd:       the set, open for writing; if all wait for 0, open for reading
 * @ops:      what to do
 * @count:    how many, 1 to %IPCX_SEM_OPS_MAX
 * @flags:    %IPCX_NONBLOCK, %IPCX_NO_RESTART
 * @deadline: until when to wait, or null
 *
 * Does all of them, as if in their order, or none; see &struct ipcx_sem_ops.
 *
 * Return: 0, or
 *
 * * -EOWNERDEAD: owned ones: all was done, and who had one of them before has died with it
 * * -EBADF: the file was not opened for this
 * * -EINVAL: no operation, a down by more than the maximum, or a field that isn't 0
 * * -E2BIG: too many operations
 * * -EFBIG: no such semaphore
 * * -EOVERFLOW: a value, or what is to be undone, would exceed its maximum
 * * -EAGAIN: it would have to wait, and %IPCX_NONBLOCK, %IPCX_SEM_NOWAIT or O_NONBLOCK is set
 * * -EDEADLK: owned ones: the process has the semaphore already
 * * -EPERM: owned ones: the process hasn't the semaphore that it gives back
 * * -EDQUOT: an account is full, and %IPCX_SEM_UNDO or taking an owned one needs memory
 * * -EINTR: a signal came
 * * -ETIMEDOUT: the deadline came
 * * -EOPNOTSUPP: not a set of semaphores
 * * -EIDRM: the set was removed
 */
int ipcx_sem_op(int fd, const struct ipcx_sem_op *ops, unsigned int count,
		unsigned int flags, const struct ipcx_deadline *deadline);

/**
 * ipcx_sem_op_id() - operate on a persistent set by its id
 * @dev:      the device
 * @id:       its id
 * @cookie:   its cookie, or 0
 * @ops:      as ipcx_sem_op() has it
 * @count:    likewise
 * @flags:    likewise
 * @deadline: likewise
 *
 * Needs no open file of the set, and checks permission each time.
 *
 * Return: as ipcx_sem_op(), but never -EBADF, or
 *
 * * -ENOENT: no such persistent object
 * * -ESTALE: it has another cookie
 * * -EACCES: no permission
 */
int ipcx_sem_op_id(int dev, uint32_t id, uint64_t cookie,
		   const struct ipcx_sem_op *ops, unsigned int count,
		   unsigned int flags, const struct ipcx_deadline *deadline);

/**
 * ipcx_sem_up() - add to a semaphore
 * @fd:    the set, open for writing
 * @index: which
 * @n:     how much, 1 to %IPCX_SEM_VALUE_MAX
 * @flags: %IPCX_SEM_UNDO
 *
 * Never waits.
 *
 * Return: as ipcx_sem_op().
 */
int ipcx_sem_up(int fd, unsigned int index, unsigned int n, unsigned int flags);

/**
 * ipcx_sem_down() - take from a semaphore, as soon as there is so much
 * @fd:       the set, open for writing
 * @index:    which
 * @n:        how much, 1 to %IPCX_SEM_VALUE_MAX
 * @flags:    %IPCX_SEM_UNDO, %IPCX_SEM_NOWAIT
 * @deadline: until when to wait, or null
 *
 * Return: as ipcx_sem_op().
 */
int ipcx_sem_down(int fd, unsigned int index, unsigned int n, unsigned int flags,
		  const struct ipcx_deadline *deadline);

/**
 * ipcx_sem_get() - look at semaphores
 * @fd:    the set, open for reading
 * @first: the first one
 * @count: how many, at least 1
 * @sems:  filled in
 *
 * Return: 0, or
 *
 * * -EBADF: not open for reading
 * * -EINVAL: @count is 0
 * * -EFBIG: no such semaphore
 * * -EOPNOTSUPP: not a set of semaphores
 * * -EIDRM: the set was removed
 */
int ipcx_sem_get(int fd, unsigned int first, unsigned int count,
		 struct ipcx_sem *sems);

/**
 * ipcx_sem_get_id() - look at semaphores of a persistent set, by its id
 * @dev:    the device
 * @id:     its id
 * @cookie: its cookie, or 0
 * @first:  as ipcx_sem_get() has it
 * @count:  likewise
 * @sems:   likewise
 *
 * Return: as ipcx_sem_get(), but never -EBADF, or
 *
 * * -ENOENT: no such persistent object
 * * -ESTALE: it has another cookie
 * * -EACCES: no permission
 */
int ipcx_sem_get_id(int dev, uint32_t id, uint64_t cookie, unsigned int first,
		    unsigned int count, struct ipcx_sem *sems);

/**
 * ipcx_sem_set() - set semaphores, and forget what there was to undo of them
 * @fd:     the set, open for writing
 * @first:  the first one
 * @count:  how many, at least 1
 * @values: one for each
 *
 * Nothing is set unless all values are in range.
 *
 * Return: 0, or
 *
 * * -EBADF: not open for writing
 * * -EINVAL: @count is 0
 * * -EFBIG: no such semaphore
 * * -ERANGE: a value above the maximum
 * * -EPERM: owned semaphores
 * * -EOPNOTSUPP: not a set of semaphores
 * * -EIDRM: the set was removed
 */
int ipcx_sem_set(int fd, unsigned int first, unsigned int count,
		 const uint32_t *values);

/**
 * ipcx_sem_set_id() - set semaphores of a persistent set, by its id
 * @dev:    the device
 * @id:     its id
 * @cookie: its cookie, or 0
 * @first:  as ipcx_sem_set() has it
 * @count:  likewise
 * @values: likewise
 *
 * Return: as ipcx_sem_set(), but never -EBADF, or
 *
 * * -ENOENT: no such persistent object
 * * -ESTALE: it has another cookie
 * * -EACCES: no permission
 */
int ipcx_sem_set_id(int dev, uint32_t id, uint64_t cookie, unsigned int first,
		    unsigned int count, const uint32_t *values);

/**
 * ipcx_sem_file() - which semaphore read(2), write(2) and poll(2) mean on a file
 * @fd:    the set; any access mode will do
 * @index: which
 *
 * A new file means the first. Who polls already goes on with what he had.
 *
 * Return: 0, or
 *
 * * -EFBIG: no such semaphore
 * * -EOPNOTSUPP: not a set of semaphores
 * * -EIDRM: the set was removed
 */
int ipcx_sem_file(int fd, unsigned int index);

/**
 * ipcx_wait() - wait for one of several conditions, or for all
 * @conditions: what is waited for; the first file must be an object's
 * @count:    how many, 1 to %IPCX_WAIT_MAX
 * @flags:    %IPCX_WAIT_ALL: for all at the same moment; %IPCX_NONBLOCK, %IPCX_NO_RESTART
 * @deadline: until when to wait, or null
 * @index:    filled in, or null: which condition was met, or which the error is about, from
 *	      0; %IPCX_NO_INDEX if all were met, and if the error is about none
 *
 * Nothing is changed, but what a met %IPCX_DOWN takes from a semaphore: for all, all of them
 * or none.
 *
 * Return: 0, or
 *
 * * -EOWNERDEAD: as 0, and who had the owned semaphore @index before has died with it
 * * -EBADF: the file @index isn't open, or not for this
 * * -EOPNOTSUPP: it is no object's, or a down and no set of semaphores
 * * -EINVAL: no condition; a down of 0, or of more than the maximum
 * * -E2BIG: too many conditions
 * * -EFBIG: no such semaphore
 * * -EOVERFLOW: what is to be undone would exceed its maximum
 * * -EDEADLK: a down, and the process has the owned semaphore
 * * -EDQUOT: an account is full, and %IPCX_SEM_UNDO or an owned semaphore needs memory
 * * -EAGAIN: it would have to wait, and was asked not to; for all also if others were busy
 *   with the objects each of the 16 times that it looked
 * * -EINTR: a signal came
 * * -ETIMEDOUT: the deadline came
 * * -EIDRM: the object @index was removed
 */
int ipcx_wait(const struct ipcx_condition *conditions, unsigned int count,
	      unsigned int flags, const struct ipcx_deadline *deadline,
	      unsigned int *index);

/**
 * union ipcx_case_arg - what an operation of ipcx_select() needs in memory
 * @io:   of ipcx_case_read() and ipcx_case_write()
 * @send: of ipcx_case_send()
 * @recv: of ipcx_case_recv()
 * @sem:  of ipcx_case_sem()
 *
 * One for each operation, until ipcx_select() has returned; and they may be used again.
 */
union ipcx_case_arg {
	struct ipcx_io io;
	struct ipcx_send send;
	struct ipcx_recv recv;
	struct ipcx_sem_ops sem;
};

/**
 * ipcx_select() - do one of several operations, the first that can be done
 * @cases:    they, by the functions below; the first file must be an object's
 * @count:    how many, 1 to %IPCX_WAIT_MAX
 * @flags:    %IPCX_NONBLOCK, %IPCX_NO_RESTART
 * @deadline: until when to wait, or null
 * @index:    filled in, or null: which operation was done, or has failed, from 0;
 *	      %IPCX_NO_INDEX if the error is about none
 *
 * Exactly one is done. If several can be, each is as likely.
 *
 * Return: what the operation alone would have returned; or
 *
 * * -EBADF: the file @index isn't open, or not for this
 * * -EOPNOTSUPP: it is no object's, or the operation isn't one of its type
 * * -EINVAL: no operation
 * * -E2BIG: too many operations
 * * -EAGAIN: it would have to wait, and was asked not to
 * * -EINTR: a signal came
 * * -ETIMEDOUT: the deadline came
 * * -EIDRM: the object @index was removed
 */
int ipcx_select(const struct ipcx_case *cases, unsigned int count, unsigned int flags,
		const struct ipcx_deadline *deadline, unsigned int *index);

/**
 * ipcx_case_read() - for ipcx_select(): read from a pipe, or a message from a queue
 * @fd:  as read(2)
 * @arg: for the library
 * @buf: likewise
 * @len: likewise
 */
struct ipcx_case ipcx_case_read(int fd, union ipcx_case_arg *arg, void *buf, size_t len);

/**
 * ipcx_case_write() - for ipcx_select(): write to a pipe, or a message to a queue
 * @fd:  as write(2); EPIPE comes with SIGPIPE
 * @arg: for the library
 * @buf: likewise
 * @len: likewise
 */
struct ipcx_case ipcx_case_write(int fd, union ipcx_case_arg *arg, const void *buf,
				 size_t len);

/**
 * ipcx_case_send() - for ipcx_select(): send messages, as many as there is room for
 * @fd:    as ipcx_queue_send()
 * @arg:   for the library
 * @msgs:  likewise
 * @count: likewise
 */
struct ipcx_case ipcx_case_send(int fd, union ipcx_case_arg *arg,
				const struct ipcx_msg *msgs, unsigned int count);

/**
 * ipcx_case_recv() - for ipcx_select(): receive messages, as many as there are
 * @fd:     as ipcx_queue_recv()
 * @arg:    for the library
 * @msgs:   likewise
 * @count:  likewise
 * @select: likewise
 * @flags:  %IPCX_TRUNCATE
 */
struct ipcx_case ipcx_case_recv(int fd, union ipcx_case_arg *arg, struct ipcx_msg *msgs,
				unsigned int count, const struct ipcx_select *select,
				unsigned int flags);

/**
 * ipcx_case_sem() - for ipcx_select(): operate on semaphores
 * @fd:    as ipcx_sem_op()
 * @arg:   for the library
 * @ops:   likewise, without %IPCX_SEM_NOWAIT
 * @count: likewise
 */
struct ipcx_case ipcx_case_sem(int fd, union ipcx_case_arg *arg,
			       const struct ipcx_sem_op *ops, unsigned int count);

#ifdef __cplusplus
}
#endif

#endif /* IPCX_H */
