/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * ipcmod: in-kernel IPC objects reached through /dev/ipcx.
 *
 * Documentation/uapi.rst renders this header; Documentation/guide.rst tells
 * the story.
 */
#ifndef _UAPI_LINUX_IPCX_H
#define _UAPI_LINUX_IPCX_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: rules for every command
 *
 * All commands are ioctls with fixed-width fields and the same layout for
 * 32-bit and 64-bit callers. A structure may grow at its end in a later
 * version: the kernel matches a command by its number (_IOC_NR) and direction
 * and takes the structure's size from the command word. A shorter structure is
 * completed with zeros; the part of a longer one that this kernel does not
 * know must be zero, else E2BIG (but for QUERY, into which nothing goes). One
 * shorter than its first published form is EINVAL. Unknown flags and non-zero
 * reserved fields are EINVAL. An unknown command is ENOTTY, and so is one that
 * the kind of file does not have.
 *
 * Commands that return a file descriptor return it as the ioctl's value, and
 * only when nothing can fail any more.
 *
 * Errors that every command may give, and that are not repeated below:
 *
 * ====== ===================================================================
 * EFAULT a pointer leads outside the caller's memory; nothing was changed
 * EINVAL a field is out of range, reserved or contradicts another
 * ENOMEM the kernel has no memory
 * ENOTTY no such command on this kind of file
 * E2BIG  the structure is longer than this kernel's, and not zero there
 * ====== ===================================================================
 */

#define IPCX_DEVICE		"/dev/ipcx"

/** IPCX_UAPI_VERSION - raised whenever a command or field is added */
#define IPCX_UAPI_VERSION	5

/** IPCX_NAME_MAX - longest name in bytes, without a terminating NUL */
#define IPCX_NAME_MAX		511

/** IPCX_NO_DEADLINE - value of &struct ipcx_deadline.ns that means "for ever" */
#define IPCX_NO_DEADLINE	(~0ULL)

/**
 * enum ipcx_type - kinds of object
 * @IPCX_TYPE_ANY:    in requests only: whatever it is
 * @IPCX_TYPE_PIPE:   byte stream
 * @IPCX_TYPE_QUEUE:  typed messages
 * @IPCX_TYPE_REGION: shared memory (reserved, not in this version)
 * @IPCX_TYPE_SEM:    set of counting semaphores
 */
enum ipcx_type {
	IPCX_TYPE_ANY		= 0,
	IPCX_TYPE_PIPE		= 1,
	IPCX_TYPE_QUEUE		= 2,
	IPCX_TYPE_REGION	= 3,
	IPCX_TYPE_SEM		= 4,
};

/**
 * enum ipcx_lifetime - when an object ends
 * @IPCX_LIFETIME_TRANSIENT:  with its last file (or mapping)
 * @IPCX_LIFETIME_PERSISTENT: when it has been unlinked or removed, and its
 *			      last user is gone
 * @IPCX_LIFETIME_OWNED:      as persistent, and it is unlinked when the process
 *			      (thread group) that created it has exited,
 *			      before a wait for that process returns
 */
enum ipcx_lifetime {
	IPCX_LIFETIME_TRANSIENT		= 0,
	IPCX_LIFETIME_PERSISTENT	= 1,
	IPCX_LIFETIME_OWNED		= 2,
};

/**
 * enum ipcx_access - what a file may do
 * @IPCX_ACCESS_NONE:  hold the object, nothing else; to open one this way takes
 *		       its owner, or permission to read or to write it
 * @IPCX_ACCESS_READ:  take data out
 * @IPCX_ACCESS_WRITE: put data in
 * @IPCX_ACCESS_RDWR:  both
 */
enum ipcx_access {
	IPCX_ACCESS_NONE	= 0,
	IPCX_ACCESS_READ	= 1,
	IPCX_ACCESS_WRITE	= 2,
	IPCX_ACCESS_RDWR	= 3,
};

/**
 * enum ipcx_flags - flags of requests; each request says which it knows
 * @IPCX_NONBLOCK:   for a new file: O_NONBLOCK is set, and opening does not
 *		     wait; for one transfer: do not wait (EAGAIN)
 * @IPCX_INHERIT:    the new file descriptor survives exec; without it,
 *		     FD_CLOEXEC is set
 * @IPCX_OR_OPEN:    if the name exists, open that object instead
 * @IPCX_NO_RESTART: a signal ends the wait with EINTR even if its handler was
 *		     installed with SA_RESTART
 * @IPCX_NO_SIGPIPE: EPIPE without the signal
 * @IPCX_PEEK:       leave the messages where they are
 * @IPCX_TRUNCATE:   of a message longer than the room for it, take what fits and
 *		     drop the rest
 * @IPCX_WAIT_ALL:   wait for all conditions, not for one of them
 */
enum ipcx_flags {
	IPCX_NONBLOCK		= 1 << 0,
	IPCX_INHERIT		= 1 << 1,
	IPCX_OR_OPEN		= 1 << 2,
	IPCX_NO_RESTART		= 1 << 3,
	IPCX_NO_SIGPIPE		= 1 << 4,
	IPCX_PEEK		= 1 << 5,
	IPCX_TRUNCATE		= 1 << 6,
	IPCX_WAIT_ALL		= 1 << 7,
};

/**
 * struct ipcx_ref - which object is meant
 * @name:     address of the name's bytes (no NUL needed), or 0
 * @name_len: their number, 1 to %IPCX_NAME_MAX; 0 without a name
 * @id:       the object's id, 1 to 2^31-1, or 0
 * @cookie:   if not 0: the object's cookie must be this
 *
 * On the device, exactly one of @name and @id is given. On an object's own
 * file all fields are zero: the object is the file's.
 *
 * ============ =============================================================
 * EINVAL       neither or both given; a '/' or NUL in the name; anything
 *              given on an object's own file
 * ENAMETOOLONG name_len above IPCX_NAME_MAX
 * ENOENT       no such object in the caller's namespace
 * ESTALE       the object exists, but has another cookie
 * EIDRM        the object was removed
 * ============ =============================================================
 */
struct ipcx_ref {
	__aligned_u64 name;
	__u32 name_len;
	__u32 id;
	__aligned_u64 cookie;
};

/**
 * struct ipcx_deadline - until when to wait
 * @ns:       absolute time in nanoseconds on @clock, at most 2^63-1, or
 *	      %IPCX_NO_DEADLINE; a time that has passed means: try once
 * @clock:    CLOCK_MONOTONIC (1), CLOCK_REALTIME (0; follows clock steps) or
 *	      CLOCK_BOOTTIME (7)
 * @reserved: 0
 *
 * A wait that reaches its deadline ends with ETIMEDOUT; what was transferred
 * before counts. With %IPCX_NONBLOCK there is no wait to end: EAGAIN, or what the
 * command says, even if the time has passed.
 */
struct ipcx_deadline {
	__aligned_u64 ns;
	__u32 clock;
	__u32 reserved;
};

/**
 * struct ipcx_pipe_params - what a new pipe is like
 * @capacity_bytes: 4096 up to &struct ipcx_query.pipe_capacity_max; rounded up
 *		    to a power of two; 0 is the default, 65536 or the
 *		    maximum if that is less
 */
struct ipcx_pipe_params {
	__aligned_u64 capacity_bytes;
};

/** IPCX_MSG_TYPE_MAX - largest type of a message; the smallest is 1 */
#define IPCX_MSG_TYPE_MAX	0x7fffffffffffffffULL

/** IPCX_MSG_BYTES_MAX - longest message in bytes; the shortest has none */
#define IPCX_MSG_BYTES_MAX	(16ULL << 20)

/** IPCX_MSG_BATCH_MAX - most messages that one command moves */
#define IPCX_MSG_BATCH_MAX	1024

/**
 * struct ipcx_queue_params - limits of a queue
 * @max_msgs:      messages that it can hold, 1 to
 *		   &struct ipcx_query.queue_msgs_max; 0 is the default, 1024
 * @max_bytes:     bytes that they can have together, 1 to
 *		   &struct ipcx_query.queue_bytes_max; 0 is the default, 256 KiB
 * @max_msg_bytes: bytes that one of them can have, 1 to @max_bytes and
 *		   %IPCX_MSG_BYTES_MAX; 0 is the most that this allows
 *
 * All that it could hold is charged when it is made: @max_bytes, and for each of
 * @max_msgs what the kernel needs beside the bytes, so that messages without any
 * are paid for, too. A default is the maximum where that is less.
 */
struct ipcx_queue_params {
	__aligned_u64 max_msgs;
	__aligned_u64 max_bytes;
	__aligned_u64 max_msg_bytes;
};

/** IPCX_SEMS_MAX - most semaphores of a set */
#define IPCX_SEMS_MAX		32000

/** IPCX_SEM_VALUE_MAX - largest value that a semaphore can have */
#define IPCX_SEM_VALUE_MAX	0x7fffffff

/** IPCX_SEM_OPS_MAX - most operations of one %IPCX_IOC_SEM_OP */
#define IPCX_SEM_OPS_MAX	512

/**
 * enum ipcx_sem_flags - &struct ipcx_sem_params.flags
 * @IPCX_SEM_OWNED: each semaphore is 1, or 0 and held by the process (thread group) that
 *		    took it. Only that may give it back (EPERM); if it takes it once more,
 *		    that is EDEADLK; and if it dies, the semaphore is free again, and the
 *		    next to take it is told by EOWNERDEAD
 */
enum ipcx_sem_flags {
	IPCX_SEM_OWNED		= 1 << 0,
};

/**
 * struct ipcx_sem_params - what a new set of semaphores is like
 * @count: how many, 1 to %IPCX_SEMS_MAX; 0 is 1
 * @flags: bits of &enum ipcx_sem_flags
 * @max:   largest value of each, 1 to %IPCX_SEM_VALUE_MAX; 0 is that. Of owned ones 0 or 1
 * @value: first value of each, 0 to @max. Of owned ones 0: they begin free
 */
struct ipcx_sem_params {
	__u32 count;
	__u32 flags;
	__u32 max;
	__u32 value;
};

/**
 * struct ipcx_create - argument of %IPCX_IOC_CREATE (device)
 * @name:        address of the name's bytes, or 0 for a nameless object
 * @name_len:    their number, 1 to %IPCX_NAME_MAX; 0 without a name
 * @type:        an &enum ipcx_type, not %IPCX_TYPE_ANY
 * @access:      an &enum ipcx_access: what the returned file may do. The creator
 *		 gets it whatever @mode says
 * @lifetime:    an &enum ipcx_lifetime
 * @mode:        permission bits 0 to 0777; the caller's umask is applied
 * @flags:       %IPCX_NONBLOCK, %IPCX_INHERIT, %IPCX_OR_OPEN
 * @params:      address of the type's parameters, or 0 for all defaults
 * @params_size: sizeof the parameters; grows as every structure does
 * @reserved:    0
 *
 * Makes an object and returns a file descriptor for it; never waits for anybody's
 * data. The object belongs to the caller's file-system uid and gid (the effective
 * ones). It is charged to the network namespace, to his real uid and to the owners
 * of the user namespaces around him; if one of these accounts is full, the call
 * waits until what dead processes' objects held has come back. A name that
 * exists is EEXIST, unless %IPCX_OR_OPEN asks to open that object: then
 * @lifetime, @mode and @params say nothing about it, and permission is checked
 * as %IPCX_IOC_OPEN does. This doesn't wait for a pipe's other side, and isn't
 * ENXIO without a reader: the caller can't know that he wasn't the first.
 *
 * ============ =============================================================
 * EEXIST       the name is taken
 * EINVAL       a '/' or NUL in the name; OR_OPEN without a name
 * ENAMETOOLONG name_len above IPCX_NAME_MAX
 * EOPNOTSUPP   this kernel has no such type
 * EDQUOT       one of these accounts is full
 * ENOSPC       no id is free
 * EMFILE       the process has too many files, ENFILE the system
 * EACCES       OR_OPEN: no permission
 * EPROTOTYPE   OR_OPEN: the name is an object of another type
 * ============ =============================================================
 */
struct ipcx_create {
	__aligned_u64 name;
	__u32 name_len;
	__u32 type;
	__u32 access;
	__u32 lifetime;
	__u32 mode;
	__u32 flags;
	__aligned_u64 params;
	__u32 params_size;
	__u32 reserved;
};

/**
 * struct ipcx_open - argument of %IPCX_IOC_OPEN (device, object)
 * @ref:      the object; by id only persistent ones can be opened, else ENOENT.
 *	      On an object's file: another file for the same object
 * @type:     what the object must be, or %IPCX_TYPE_ANY
 * @access:   an &enum ipcx_access; permission is checked for it
 * @flags:    %IPCX_NONBLOCK, %IPCX_INHERIT, %IPCX_NO_RESTART
 * @reserved: 0
 * @deadline: how long to wait for a pipe's other side
 *
 * Returns a file descriptor. Opening a named pipe follows fifo(7): for reading
 * it waits for a writer, for writing for a reader, with %IPCX_NONBLOCK it waits
 * for neither and is ENXIO for writing without a reader; for both and for none
 * it never waits. One difference: a pipe that holds bytes can be opened for
 * reading at once. Pipes that were made without a name never wait; one that was
 * made with a name remains such a pipe when the name has been unlinked.
 *
 * ============ =============================================================
 * EACCES       no permission
 * EPROTOTYPE   the object is of another type
 * ENXIO        nonblocking, for writing, and no reader
 * EINTR        a signal came while waiting
 * ETIMEDOUT    the deadline came while waiting
 * EIDRM        the object was removed, now or while waiting
 * EDQUOT       an account is full that CREATE would charge: files are, too
 * EMFILE       the process has too many files, ENFILE the system
 * ============ =============================================================
 */
struct ipcx_open {
	struct ipcx_ref ref;
	__u32 type;
	__u32 access;
	__u32 flags;
	__u32 reserved;
	struct ipcx_deadline deadline;
};

/**
 * struct ipcx_io - argument of %IPCX_IOC_READ, %IPCX_IOC_WRITE (device, object)
 * @ref:      the object; by name or id, permission is checked each time, and
 *	      only persistent objects can be reached by id
 * @buf:      address of the data
 * @len:      their number in bytes; more than 2^31-4096 is cut to that
 * @flags:    %IPCX_NONBLOCK, %IPCX_NO_RESTART, %IPCX_NO_SIGPIPE
 * @reserved: 0
 * @deadline: how long to wait
 *
 * read(2) and write(2) with a deadline. Returns the number of bytes
 * transferred; once some were, a signal, a deadline or a fault ends the call
 * with their number. A caller who is killed has transferred what had been copied
 * by then: it is gone from the pipe, or in it; of a write of up to 4096 bytes
 * it is all or nothing.
 *
 * On a queue they are one message: WRITE sends @len bytes with the file's type, READ
 * receives what the file selects, and returns its length (see
 * &struct ipcx_queue_file). The errors are those of %IPCX_IOC_SEND and
 * %IPCX_IOC_RECV.
 *
 * A transfer by name or id on the device is not an open file: it makes its
 * caller neither reader nor writer, knows no end of file and no EPIPE, and
 * waits for data or space instead.
 *
 * ============ =============================================================
 * EBADF        the file was not opened for this
 * EACCES       on the device: no permission
 * EAGAIN       IPCX_NONBLOCK, or O_NONBLOCK on this file (the device, too), and
 *              it would have to wait: for bytes, for space, or for another who
 *              is at this side of the pipe or sleeps there, in a large write
 * EINTR        a signal came while waiting
 * ETIMEDOUT    the deadline came while waiting
 * EPIPE        writing, and the last reader is gone
 * EIDRM        the object was removed
 * ============ =============================================================
 */
struct ipcx_io {
	struct ipcx_ref ref;
	__aligned_u64 buf;
	__aligned_u64 len;
	__u32 flags;
	__u32 reserved;
	struct ipcx_deadline deadline;
};

/**
 * struct ipcx_resize - argument of %IPCX_IOC_RESIZE (device, object)
 * @ref:      the object
 * @bytes:    in: a pipe's new capacity, as &struct ipcx_pipe_params.capacity_bytes
 *	      has it, but not 0; out: what it is rounded up to. Of a queue as
 *	      &struct ipcx_queue_params.max_bytes, and 0 keeps it
 * @flags:    %IPCX_NO_RESTART
 * @reserved: 0
 * @deadline: how long to wait for transfers that are under way
 * @max_msgs: of a queue, in: as &struct ipcx_queue_params has it, 0 to keep it;
 *	      out: what it is. 0 for other types
 * @max_msg_bytes: likewise
 *
 * Changes how much an object can hold, in use, without losing a byte. Who sleeps
 * in a transfer is woken for a moment, doesn't delay it, and goes on
 * afterwards; one that is just being copied is waited for, and others that come
 * meanwhile wait behind it. That is a short time unless somebody hangs in a
 * page fault, so O_NONBLOCK plays no part; a deadline does. A queue's limits change
 * at once. A sender who waits with a message that has become too long gets EMSGSIZE when it is
 * his turn.
 *
 * Who makes an object larger pays for it from then on: he is charged as
 * %IPCX_IOC_CREATE would charge him, and what was charged before is given back.
 * For a moment both are charged, since both are there. Making it smaller
 * charges nobody, and gives the difference back to who has paid.
 *
 * ============ =============================================================
 * EPERM        neither the object's owner nor CAP_IPC_OWNER, as for REMOVE
 * EINVAL       a capacity or limit out of range
 * EBUSY        the object holds more than that now
 * EDQUOT       larger: an account is full that CREATE would charge
 * EOPNOTSUPP   not an object of fixed capacity
 * EINTR        a signal came while waiting
 * ETIMEDOUT    the deadline came while waiting
 * EIDRM        the object was removed, now or while waiting
 * ============ =============================================================
 *
 * After an error the capacity is what it was.
 */
struct ipcx_resize {
	struct ipcx_ref ref;
	__aligned_u64 bytes;
	__u32 flags;
	__u32 reserved;
	struct ipcx_deadline deadline;
	__aligned_u64 max_msgs;
	__aligned_u64 max_msg_bytes;
};

/**
 * struct ipcx_msg - one message of %IPCX_IOC_SEND or %IPCX_IOC_RECV
 * @type:    SEND: 1 to %IPCX_MSG_TYPE_MAX, or 0 for the file's type (on the
 *	     device, 1); RECV, out: the message's
 * @buf:     address of the bytes
 * @room:    RECV: how many bytes @buf has room for
 * @len:     SEND: how many there are, 0 to
 *	     &struct ipcx_queue_params.max_msg_bytes; RECV, out: the message's
 *	     length, also if less has been copied
 * @sent_ns: RECV, out: when it was sent, in ns of CLOCK_REALTIME; the grain is a
 *	     clock tick
 * @pid:     RECV, out: the process that sent it, as the receiver's pid namespace
 *	     knows it, 0 if it doesn't
 * @uid:     RECV, out: its real uid when it sent, in the receiver's user namespace
 *	     (overflow uid if it has none there). Not the effective one, as with
 *	     unix(7)'s SCM_CREDENTIALS: what a set-user-ID program writes into a
 *	     queue that it was given says who runs it
 * @gid:     likewise its real gid
 * @flags:   RECV, out: bits of &enum ipcx_msg_flags
 *
 * RECV reads @buf and @room, and writes the others; SEND reads @type, @buf and @len. So an
 * array can be used again as it is, and what was received can be sent on. After an error
 * of RECV, @len of the first tells of E2BIG how much room it takes; nothing else
 * has changed.
 */
struct ipcx_msg {
	__aligned_u64 type;
	__aligned_u64 buf;
	__aligned_u64 room;
	__aligned_u64 len;
	__aligned_u64 sent_ns;
	__s32 pid;
	__u32 uid;
	__u32 gid;
	__u32 flags;
};

/**
 * enum ipcx_msg_flags - &struct ipcx_msg.flags
 * @IPCX_MSG_TRUNCATED: there was not enough room for all of the message
 */
enum ipcx_msg_flags {
	IPCX_MSG_TRUNCATED	= 1 << 0,
};

/**
 * enum ipcx_select_how - which messages a receiver wants
 * @IPCX_SELECT_FILE:   what the file has been told by %IPCX_IOC_QUEUE_FILE; on the
 *			device, any
 * @IPCX_SELECT_ANY:    any: the oldest
 * @IPCX_SELECT_EXACT:  type lo: the oldest
 * @IPCX_SELECT_EXCEPT: any type but lo: the oldest
 * @IPCX_SELECT_RANGE:  types lo to hi: of the lowest type there is, the oldest. So
 *			types are priorities, 1 being the first
 */
enum ipcx_select_how {
	IPCX_SELECT_FILE	= 0,
	IPCX_SELECT_ANY		= 1,
	IPCX_SELECT_EXACT	= 2,
	IPCX_SELECT_EXCEPT	= 3,
	IPCX_SELECT_RANGE	= 4,
};

/**
 * struct ipcx_select - a selector
 * @how:      an &enum ipcx_select_how
 * @reserved: 0
 * @lo:       type, or first type of the range: 1 to %IPCX_MSG_TYPE_MAX; else 0
 * @hi:       last type of the range, @lo to %IPCX_MSG_TYPE_MAX; else 0
 */
struct ipcx_select {
	__u32 how;
	__u32 reserved;
	__aligned_u64 lo;
	__aligned_u64 hi;
};

/**
 * struct ipcx_send - argument of %IPCX_IOC_SEND (device, object)
 * @ref:      the queue; permission as for %IPCX_IOC_WRITE
 * @msgs:     address of the first &struct ipcx_msg
 * @count:    how many, 1 to %IPCX_MSG_BATCH_MAX
 * @msg_size: sizeof one; grows as every structure does
 * @flags:    %IPCX_NONBLOCK, %IPCX_NO_RESTART
 * @reserved: 0
 * @deadline: how long to wait for space
 *
 * Sends messages in their order. Returns how many were sent: all, unless
 * something ends the call before, and then those before are sent and the others
 * aren't. Only if none was is there an error. Who doesn't wait for space while
 * others do gets EAGAIN even for a message that would fit: senders are admitted in
 * the order of their coming.
 *
 * ============ =============================================================
 * EBADF        the file was not opened for writing
 * EACCES       on the device: no permission
 * EOPNOTSUPP   not a queue
 * EINVAL       a type out of range, or a count
 * EMSGSIZE     longer than a message may be
 * EAGAIN       IPCX_NONBLOCK, or O_NONBLOCK on this file (the device, too), and
 *              there is no space
 * EINTR        a signal came while waiting
 * ETIMEDOUT    the deadline came while waiting
 * EIDRM        the queue was removed
 * ============ =============================================================
 */
struct ipcx_send {
	struct ipcx_ref ref;
	__aligned_u64 msgs;
	__u32 count;
	__u32 msg_size;
	__u32 flags;
	__u32 reserved;
	struct ipcx_deadline deadline;
};

/**
 * struct ipcx_recv - argument of %IPCX_IOC_RECV (device, object)
 * @ref:      the queue; permission as for %IPCX_IOC_READ
 * @msgs:     address of the first &struct ipcx_msg
 * @count:    how many at most, 1 to %IPCX_MSG_BATCH_MAX
 * @msg_size: sizeof one; grows as every structure does
 * @flags:    %IPCX_NONBLOCK, %IPCX_NO_RESTART, %IPCX_PEEK, %IPCX_TRUNCATE
 * @reserved: 0
 * @deadline: how long to wait for the first message
 * @select:   which messages
 * @skip:     with %IPCX_PEEK: how many of them to pass over; else 0
 *
 * Receives messages in the order that the selector gives. Waits until there is one and
 * takes what there is then, @count at most. Returns their number; only if there is
 * none is there an error. A message that can't be copied, or whose receiver is
 * killed while he copies it, is put back at its old place and offered
 * again, with those behind it in the batch. Who is killed while he copies has received
 * none of the up to 16 that he was copying.
 *
 * With %IPCX_PEEK it never waits (EAGAIN), and what it tells may have been
 * received by others when it returns. Its cost grows with @skip.
 *
 * ============ =============================================================
 * EBADF        the file was not opened for reading
 * EACCES       on the device: no permission
 * EOPNOTSUPP   not a queue
 * EINVAL       a selector or count out of range; skip without PEEK
 * E2BIG        the message is longer than the room for it, and stays
 * EAGAIN       IPCX_NONBLOCK, or O_NONBLOCK on this file (the device, too), or
 *              IPCX_PEEK, and there is no such message
 * EINTR        a signal came while waiting
 * ETIMEDOUT    the deadline came while waiting
 * EIDRM        the queue was removed
 * ============ =============================================================
 */
struct ipcx_recv {
	struct ipcx_ref ref;
	__aligned_u64 msgs;
	__u32 count;
	__u32 msg_size;
	__u32 flags;
	__u32 reserved;
	struct ipcx_deadline deadline;
	struct ipcx_select select;
	__aligned_u64 skip;
};

/**
 * struct ipcx_purge - argument of %IPCX_IOC_PURGE (device, object)
 * @ref:    the queue; permission as for %IPCX_IOC_READ
 * @select: which messages
 *
 * Drops messages: those that are there when it begins; not those that somebody is
 * just receiving. Returns how many there were; the errors are those of %IPCX_IOC_RECV.
 */
struct ipcx_purge {
	struct ipcx_ref ref;
	struct ipcx_select select;
};

/**
 * struct ipcx_queue_file - argument of %IPCX_IOC_QUEUE_FILE (object)
 * @select: what read(2), poll(2), O_ASYNC and %IPCX_SELECT_FILE mean on this file;
 *	    %IPCX_SELECT_FILE keeps what was
 * @type:   what write(2) sends, 1 to %IPCX_MSG_TYPE_MAX; 0 keeps what was
 * @flags:  %IPCX_TRUNCATE: read(2) truncates; it goes with @select, and is 0 where that is
 *	    kept
 * @reserved: 0
 *
 * A new file selects any, sends type 1 and doesn't truncate. All who share the
 * file share this. Who sleeps in a read goes on with what he had.
 *
 * ============ =============================================================
 * EOPNOTSUPP   not a queue
 * EINVAL       a selector or type out of range
 * EDQUOT       an account is full, and the selector a range that takes much memory
 * EIDRM        the queue was removed
 * ============ =============================================================
 */
struct ipcx_queue_file {
	struct ipcx_select select;
	__aligned_u64 type;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct ipcx_notify - argument of %IPCX_IOC_NOTIFY (object)
 * @signo:    the signal, 1 to SIGRTMAX, or 0 to want none any more
 * @reserved: 0
 * @value:    the signal's si_value
 *
 * What mq_notify(3) does: when a message arrives at the empty queue and nobody waits
 * to receive it, the calling process gets the signal, once, with si_code SI_MESGQ,
 * @value, and the sender's pid and real uid. One process can ask for this at a
 * time. It ends with the signal, with the file, with the process, and when that
 * executes another program. The signal goes to a thread that doesn't block it, or else to
 * the one that has asked. A message that comes back because its receiver couldn't
 * copy it arrives once more.
 *
 * ============ =============================================================
 * EBADF        the file was not opened for reading
 * EOPNOTSUPP   not a queue
 * EINVAL       no such signal
 * EBUSY        somebody has asked already
 * EIDRM        the queue was removed
 * ============ =============================================================
 */
struct ipcx_notify {
	__u32 signo;
	__u32 reserved;
	__aligned_u64 value;
};

/**
 * enum ipcx_sem_op_flags - &struct ipcx_sem_op.flags
 * @IPCX_SEM_UNDO:   what this has added is taken back, what it has taken is given back,
 *		     when the process (thread group) has died
 * @IPCX_SEM_NOWAIT: if this is the first that keeps the operations from being done, now or
 *		     after a wait for others: EAGAIN
 */
enum ipcx_sem_op_flags {
	IPCX_SEM_UNDO		= 1 << 0,
	IPCX_SEM_NOWAIT		= 1 << 1,
};

/**
 * struct ipcx_sem_op - an operation on one semaphore
 * @index:    which, from 0
 * @delta:    greater than 0: add this (up); less: wait until the value isn't less than
 *	      that, and take it (down); 0: wait until the value is 0
 * @flags:    bits of &enum ipcx_sem_op_flags
 * @reserved: 0
 */
struct ipcx_sem_op {
	__u32 index;
	__s32 delta;
	__u32 flags;
	__u32 reserved;
};

/**
 * DOC: one operation
 *
 * %IPCX_IOC_SEM_ONE (object) takes a &struct ipcx_sem_op and does what %IPCX_IOC_SEM_OP
 * does with that alone, no flags and no deadline: what most programs do most of the time,
 * in less time.
 */

/**
 * struct ipcx_sem_ops - argument of %IPCX_IOC_SEM_OP (device, object)
 * @ref:      the set; on the device, permission to write is needed, or, if the operations
 *	      wait for 0 alone, to read
 * @ops:      address of the first &struct ipcx_sem_op
 * @count:    how many, 1 to %IPCX_SEM_OPS_MAX
 * @op_size:  sizeof one; grows as every structure does
 * @flags:    %IPCX_NONBLOCK, %IPCX_NO_RESTART
 * @reserved: 0
 * @deadline: how long to wait
 *
 * Does all operations at once, as if in their order, or none: it waits until all can be
 * done. Several may be on the same semaphore, unless it is owned. Who adds never waits for
 * who takes.
 *
 * Who waits is served in the order of his coming, as soon as all his operations can be
 * done. While they can't, others who came later may take what is there of the semaphores
 * that he wants to take from, but only 64 times in all: then they wait behind him. Who is
 * interrupted or stopped, and waits again, has just come. Who waits for 0 alone holds nobody
 * back.
 *
 * %IPCX_SEM_UNDO belongs to the process and lives as long as it: it survives exec, and
 * isn't inherited by fork; closing a file, or passing it on, changes nothing; it ends early
 * when the value is set. What is undone stays between 0 and the maximum. All is undone
 * before a wait for the process returns. On owned semaphores it says nothing: these are
 * always given back.
 *
 * ============ =============================================================
 * EBADF        the file was not opened for this
 * EACCES       on the device: no permission
 * EOPNOTSUPP   not a set of semaphores
 * EINVAL       no operation; a down by more than the maximum; an owned semaphore twice
 * E2BIG        more than IPCX_SEM_OPS_MAX operations
 * EFBIG        no such semaphore
 * EOVERFLOW    a value, or what is to be undone, would exceed its maximum. If he waited
 *              first, it is what came of it
 * EAGAIN       IPCX_NONBLOCK, IPCX_SEM_NOWAIT, or O_NONBLOCK on this file (the device,
 *              too), and it would have to wait
 * EDEADLK      owned: the process has one that it would take, and so nothing was waited for.
 *              (A thread that waits, while another of its process gets it, waits for that
 *              one.)
 * EPERM        owned: an up, and the process hasn't it; likewise
 * EOWNERDEAD   owned: all was done, and who had one of the semaphores before has died with
 *              it; what it guards may be half done. Told once
 * EDQUOT       an account is full that pays for what there is to undo
 * EINTR        a signal came while waiting
 * ETIMEDOUT    the deadline came while waiting
 * EIDRM        the set was removed
 * ============ =============================================================
 */
struct ipcx_sem_ops {
	struct ipcx_ref ref;
	__aligned_u64 ops;
	__u32 count;
	__u32 op_size;
	__u32 flags;
	__u32 reserved;
	struct ipcx_deadline deadline;
};

/**
 * enum ipcx_sem_state - &struct ipcx_sem.flags
 * @IPCX_SEM_ABANDONED: who had it has died, and nobody has had it since
 */
enum ipcx_sem_state {
	IPCX_SEM_ABANDONED	= 1 << 0,
};

/**
 * struct ipcx_sem - one semaphore, as %IPCX_IOC_SEM_GET tells it
 * @value:        its value
 * @flags:        bits of &enum ipcx_sem_state
 * @waiting_down: tasks that wait for it to rise; who waits for several semaphores counts where
 *		  the first of his operations can't be done
 * @waiting_zero: tasks that wait for it to be 0, likewise
 * @pid:          the process whose operation changed it last, or waited for 0; the one that
 *		  set it; or whose death did. As the caller's pid namespace knows it, 0 if
 *		  it doesn't, or if there is none
 * @holder:       of an owned one: the process that has it, likewise
 */
struct ipcx_sem {
	__u32 value;
	__u32 flags;
	__u32 waiting_down;
	__u32 waiting_zero;
	__s32 pid;
	__s32 holder;
};

/**
 * struct ipcx_sem_get - argument of %IPCX_IOC_SEM_GET (device, object)
 * @ref:      the set; permission to read
 * @sems:     address of the first &struct ipcx_sem
 * @first:    index of the first semaphore
 * @count:    how many, at least 1
 * @sem_size: sizeof one &struct ipcx_sem; grows as every structure does
 * @reserved: 0
 *
 * Tells of semaphores @first to @first + @count - 1. Of up to 32 it is at one moment.
 *
 * ============ =============================================================
 * EBADF        the file was not opened for reading
 * EACCES       on the device: no permission
 * EOPNOTSUPP   not a set of semaphores
 * EFBIG        no such semaphore
 * EIDRM        the set was removed
 * ============ =============================================================
 */
struct ipcx_sem_get {
	struct ipcx_ref ref;
	__aligned_u64 sems;
	__u32 first;
	__u32 count;
	__u32 sem_size;
	__u32 reserved;
};

/**
 * struct ipcx_sem_set - argument of %IPCX_IOC_SEM_SET (device, object)
 * @ref:        the set; permission to write
 * @values:     address of the first value, a __u32
 * @first:      index of the first semaphore
 * @count:      how many, at least 1
 * @value_size: sizeof(__u32)
 * @reserved:   0
 *
 * Sets the values of semaphores @first to @first + @count - 1, and forgets what there was
 * to undo of them. Nothing is set unless all values are in range. Up to 32 are set at
 * one moment.
 *
 * ============ =============================================================
 * EBADF        the file was not opened for writing
 * EACCES       on the device: no permission
 * EOPNOTSUPP   not a set of semaphores
 * EFBIG        no such semaphore
 * ERANGE       a value above the maximum
 * EPERM        owned semaphores: they can't be set
 * EIDRM        the set was removed
 * ============ =============================================================
 */
struct ipcx_sem_set {
	struct ipcx_ref ref;
	__aligned_u64 values;
	__u32 first;
	__u32 count;
	__u32 value_size;
	__u32 reserved;
};

/**
 * struct ipcx_sem_file - argument of %IPCX_IOC_SEM_FILE (object)
 * @index:    the semaphore that read(2), write(2) and poll(2) mean on this file
 * @reserved: 0
 *
 * A new file means the first, and so do %IPCX_IOC_READ and %IPCX_IOC_WRITE on the device. All
 * who share the file share this. Who polls already (epoll(7)), or sleeps in a read, goes on with
 * what he had.
 *
 * ============ =============================================================
 * EOPNOTSUPP   not a set of semaphores
 * EFBIG        no such semaphore
 * EIDRM        the set was removed
 * ============ =============================================================
 */
struct ipcx_sem_file {
	__u32 index;
	__u32 reserved;
};

/** IPCX_WAIT_MAX - most things that one command waits for */
#define IPCX_WAIT_MAX		64

/** IPCX_NO_INDEX - none of the things that were waited for */
#define IPCX_NO_INDEX		0xffffffffU

/**
 * enum ipcx_condition_what - &struct ipcx_condition.what
 * @IPCX_READABLE: a read(2) would not wait: poll(2) would tell of POLLIN, POLLHUP or POLLERR
 * @IPCX_WRITABLE: a write(2) would not wait: likewise, POLLOUT or POLLERR
 * @IPCX_DOWN:     a semaphore is taken from
 */
enum ipcx_condition_what {
	IPCX_READABLE		= 1,
	IPCX_WRITABLE		= 2,
	IPCX_DOWN		= 3,
};

/**
 * struct ipcx_condition - what is waited for
 * @fd:       an object's file. What it was opened for must allow it
 * @what:     an &enum ipcx_condition_what
 * @index:    of a down: which semaphore of the set, from 0; else 0
 * @down:     of a down: how much is taken, 1 to %IPCX_SEM_VALUE_MAX; else 0
 * @flags:    of a down: %IPCX_SEM_UNDO, or 0
 * @reserved: 0
 */
struct ipcx_condition {
	__s32 fd;
	__u32 what;
	__u32 index;
	__u32 down;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct ipcx_wait - argument of %IPCX_IOC_WAIT (device, object)
 * @conditions: address of the first &struct ipcx_condition
 * @count:      how many, 1 to %IPCX_WAIT_MAX
 * @condition_size: sizeof one; grows as every structure does
 * @flags:      %IPCX_WAIT_ALL, %IPCX_NONBLOCK, %IPCX_NO_RESTART
 * @index:      filled in: which condition it was, from 0, that was met, or that the errno is
 *		about; %IPCX_NO_INDEX with %IPCX_WAIT_ALL if all were, and if the errno is about
 *		none
 * @deadline:   how long to wait
 *
 * Waits until one of the conditions is met, or all at the same moment. Nothing is changed
 * but what a met down takes: with %IPCX_WAIT_ALL all of them or none. The files
 * may be of any objects of any namespaces, and one may be meant several times: its conditions
 * are independent, and downs of one semaphore add up. O_NONBLOCK of the files says nothing.
 *
 * If several are met at once, each is as likely to be told. A down of one condition stands in
 * the line with others who wait for the semaphore, but holds nobody back. All conditions stand
 * in no line: who waits for a semaphore alone comes first.
 *
 * ============ =============================================================
 * EBADF        no such file, or it was not opened for this: to read for READABLE, to write
 *              for the others
 * EOPNOTSUPP   the file is no object's; or a down, and the object isn't a set of semaphores
 * EINVAL       no condition; a down of 0, or of more than the maximum; an owned semaphore
 *              twice with IPCX_WAIT_ALL
 * E2BIG        more than IPCX_WAIT_MAX conditions
 * EFBIG        no such semaphore
 * EOVERFLOW    what is to be undone would exceed its maximum
 * EDEADLK      a down, and the process has the owned semaphore
 * EOWNERDEAD   all was taken, and who had the owned semaphore before has died with it; with
 *              IPCX_WAIT_ALL it may be so of others as well, of which @index tells the first
 * EDQUOT       an account is full that pays for what there is to undo
 * EAGAIN       IPCX_NONBLOCK, and it would have to wait; with IPCX_WAIT_ALL also if
 *              others were busy with the objects each of the 16 times that it looked
 * EINTR        a signal came while waiting
 * ETIMEDOUT    the deadline came while waiting
 * EIDRM        the object was removed
 * ============ =============================================================
 */
struct ipcx_wait {
	__aligned_u64 conditions;
	__u32 count;
	__u32 condition_size;
	__u32 flags;
	__u32 index;
	struct ipcx_deadline deadline;
};

/**
 * struct ipcx_case - an operation that may be done
 * @fd:  an object's file
 * @cmd: %IPCX_IOC_READ, %IPCX_IOC_WRITE, %IPCX_IOC_SEND, %IPCX_IOC_RECV or %IPCX_IOC_SEM_OP
 * @arg: address of its argument
 */
struct ipcx_case {
	__s32 fd;
	__u32 cmd;
	__aligned_u64 arg;
};

/**
 * struct ipcx_selection - argument of %IPCX_IOC_SELECT (device, object)
 * @cases:     address of the first &struct ipcx_case
 * @count:     how many, 1 to %IPCX_WAIT_MAX
 * @case_size: sizeof one; grows as every structure does
 * @flags:     %IPCX_NONBLOCK, %IPCX_NO_RESTART
 * @index:     filled in: which operation was done, or has failed, from 0; %IPCX_NO_INDEX if
 *	       the errno is about none
 * @deadline:  how long to wait
 *
 * Waits until one of the operations can be done, does it, and no other: as ioctl(fd, cmd, arg)
 * does, and returns what that returns. An operation that fails for another reason than that
 * it would have to wait is the one that was done. The operations' own deadlines,
 * %IPCX_NONBLOCK and the files' O_NONBLOCK say nothing. Of a batch, and of a write of more
 * than PIPE_BUF bytes to a pipe, what can be done at once is.
 *
 * If several can be done, each is as likely to be. Who waits stands in the line with others
 * who wait for messages, space or semaphores, but holds none of these back from semaphores; on
 * pipes there is no line. Who also waits for a pipe comes to the end of a line if his turn
 * there comes just while he looks at the pipe. The arguments may be read several times, and
 * must not be changed meanwhile.
 *
 * ============ =============================================================
 * EBADF        no such file
 * EOPNOTSUPP   the file is no object's; READ or WRITE, and it is a set of semaphores
 * EINVAL       no operation, or none of those above; with IPCX_PEEK or IPCX_SEM_NOWAIT; its
 *              length was changed
 * E2BIG        more than IPCX_WAIT_MAX operations; a SEM_OP of more than 8
 * EAGAIN       IPCX_NONBLOCK, and it would have to wait
 * EINTR        a signal came while waiting
 * ETIMEDOUT    the deadline came while waiting
 * others       as the operation
 * ============ =============================================================
 */
struct ipcx_selection {
	__aligned_u64 cases;
	__u32 count;
	__u32 case_size;
	__u32 flags;
	__u32 index;
	struct ipcx_deadline deadline;
};

/**
 * enum ipcx_stat_flags - &struct ipcx_stat.flags
 * @IPCX_STAT_NAMED:  the object has a name now
 * @IPCX_STAT_LINKED: the object lives on without users (persistent or owned,
 *		      and not yet unlinked)
 */
enum ipcx_stat_flags {
	IPCX_STAT_NAMED		= 1 << 0,
	IPCX_STAT_LINKED	= 1 << 1,
};

/**
 * struct ipcx_stat - argument of %IPCX_IOC_STAT (device, object)
 * @ref:             in: the object. On the device read permission is needed
 * @size:            out: the kernel's sizeof this structure
 * @flags:           bits of &enum ipcx_stat_flags
 * @id:              1 to 2^31-1, unique in the namespace while the object lives
 * @type:            an &enum ipcx_type
 * @cookie:          never used twice while the module is loaded
 * @lifetime:        an &enum ipcx_lifetime
 * @mode:            permission bits
 * @uid:             owner, in the caller's user namespace (overflow uid if it
 *		     has none there); likewise @gid, @creator_uid, @creator_gid
 * @gid:             owning group
 * @creator_uid:     whose it was when it was created: the one to trust, for an
 *		     owner may give an object to anybody
 * @creator_gid:     who created it
 * @creator_pid:     process that created it, as the caller's pid namespace
 *		     knows it, 0 if it doesn't; likewise the two that follow
 * @last_reader_pid: process that last took data out
 * @last_writer_pid: process that last put data in
 * @opens:           open files of the object; who waits in an open counts
 *		     already, here, in @readers and in @writers
 * @created_ns:      when, in ns of CLOCK_REALTIME; likewise the three that
 *		     follow, 0 for never. Their grain is a clock tick
 * @changed_ns:      last change of owner, mode or name; creation is one
 * @read_ns:         data was last taken out
 * @write_ns:        data was last put in
 * @charged_bytes:   what the accounts of its creator, or of who has resized it,
 *		     are charged for it; open files are charged to who opened
 *		     them, and not in here
 * @capacity_bytes:  how much payload it can hold
 * @used_bytes:      how much payload it holds; of a queue also what is kept for
 *		     messages that are just being sent or received
 * @readers:         open files that can read
 * @writers:         open files that can write
 * @waiting_readers: tasks asleep until there is something to read, or until
 *		     others have done so (who resizes may be one); not who polls
 *		     or opens
 * @waiting_writers: tasks asleep until there is space, likewise
 * @name_len:        length of the name, 0 without one
 * @reserved:        0
 * @name:            the name and a NUL
 * @msgs:            of a queue: messages that can be received; 0 for other types
 * @msgs_bytes:      of a queue: their bytes; likewise
 * @used_msgs:       of a queue: how many of @max_msgs are taken: @msgs, and those that are
 *		     just being sent, received or looked at; likewise
 * @max_msgs:        of a queue: its limit; likewise
 * @max_msg_bytes:   of a queue: longest message; likewise
 * @sems:            of a set of semaphores: how many; 0 for other types
 * @sem_flags:       of a set: bits of &enum ipcx_sem_flags; likewise
 * @sem_max:         of a set: largest value of each; likewise
 *
 * A set has no bytes and no readers but those who wait for 0: @waiting_readers are
 * these, @waiting_writers those who wait for a semaphore to rise; @write_ns and
 * @last_writer_pid tell of the last operation or setting, or the last death that undid one.
 *
 * Nothing is taken or changed. Counts are those of one moment each.
 */
struct ipcx_stat {
	struct ipcx_ref ref;
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 type;
	__aligned_u64 cookie;
	__u32 lifetime;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 creator_uid;
	__u32 creator_gid;
	__s32 creator_pid;
	__s32 last_reader_pid;
	__s32 last_writer_pid;
	__u32 opens;
	__aligned_u64 created_ns;
	__aligned_u64 changed_ns;
	__aligned_u64 read_ns;
	__aligned_u64 write_ns;
	__aligned_u64 charged_bytes;
	__aligned_u64 capacity_bytes;
	__aligned_u64 used_bytes;
	__u32 readers;
	__u32 writers;
	__u32 waiting_readers;
	__u32 waiting_writers;
	__u32 name_len;
	__u32 reserved;
	char name[IPCX_NAME_MAX + 1];
	__aligned_u64 msgs;
	__aligned_u64 msgs_bytes;
	__aligned_u64 used_msgs;
	__aligned_u64 max_msgs;
	__aligned_u64 max_msg_bytes;
	__u32 sems;
	__u32 sem_flags;
	__aligned_u64 sem_max;
};

/**
 * struct ipcx_usage - one account: what is charged to it, and its limits
 * @objects:     objects charged
 * @objects_max: limit
 * @bytes:       bytes charged: of objects as they were made, and of open files
 * @bytes_max:   limit
 */
struct ipcx_usage {
	__aligned_u64 objects;
	__aligned_u64 objects_max;
	__aligned_u64 bytes;
	__aligned_u64 bytes_max;
};

/**
 * struct ipcx_query - result of %IPCX_IOC_QUERY (device)
 * @size:                  the kernel's sizeof this structure
 * @version:               the kernel's %IPCX_UAPI_VERSION
 * @types:                 bit 1 << &enum ipcx_type for each type it has
 * @name_max:              %IPCX_NAME_MAX
 * @pipe_capacity_min:     in bytes
 * @pipe_capacity_default: in bytes
 * @pipe_capacity_max:     in bytes
 * @user:                  the account of the caller's real uid, over all
 *			   namespaces
 * @ns:                    the account of the caller's namespace
 * @queue_msgs_default:    see &struct ipcx_queue_params
 * @queue_msgs_max:        likewise
 * @queue_bytes_default:   likewise
 * @queue_bytes_max:       likewise
 * @msg_bytes_max:         %IPCX_MSG_BYTES_MAX
 * @msg_batch_max:         %IPCX_MSG_BATCH_MAX
 * @msg_overhead_bytes:    what a queue is charged for each of its max_msgs
 * @sems_max:              %IPCX_SEMS_MAX
 * @sem_ops_max:           %IPCX_SEM_OPS_MAX
 * @sem_value_max:         %IPCX_SEM_VALUE_MAX
 * @sem_overhead_bytes:    what a set is charged for each semaphore
 */
struct ipcx_query {
	__u32 size;
	__u32 version;
	__u32 types;
	__u32 name_max;
	__aligned_u64 pipe_capacity_min;
	__aligned_u64 pipe_capacity_default;
	__aligned_u64 pipe_capacity_max;
	struct ipcx_usage user;
	struct ipcx_usage ns;
	__aligned_u64 queue_msgs_default;
	__aligned_u64 queue_msgs_max;
	__aligned_u64 queue_bytes_default;
	__aligned_u64 queue_bytes_max;
	__aligned_u64 msg_bytes_max;
	__aligned_u64 msg_batch_max;
	__aligned_u64 msg_overhead_bytes;
	__aligned_u64 sems_max;
	__aligned_u64 sem_ops_max;
	__aligned_u64 sem_value_max;
	__aligned_u64 sem_overhead_bytes;
};

/**
 * DOC: commands
 *
 * =================== ====================== ============== ========
 * command             argument               on             returns
 * =================== ====================== ============== ========
 * IPCX_IOC_CREATE     struct ipcx_create     device         a new fd
 * IPCX_IOC_OPEN       struct ipcx_open       device, object a new fd
 * IPCX_IOC_UNLINK     struct ipcx_ref        device, object 0
 * IPCX_IOC_REMOVE     struct ipcx_ref        device, object 0
 * IPCX_IOC_QUERY      struct ipcx_query      device         0
 * IPCX_IOC_STAT       struct ipcx_stat       device, object 0
 * IPCX_IOC_RESIZE     struct ipcx_resize     device, object 0
 * IPCX_IOC_READ       struct ipcx_io         device, object bytes
 * IPCX_IOC_WRITE      struct ipcx_io         device, object bytes
 * IPCX_IOC_SEND       struct ipcx_send       device, object messages
 * IPCX_IOC_RECV       struct ipcx_recv       device, object messages
 * IPCX_IOC_PURGE      struct ipcx_purge      device, object messages
 * IPCX_IOC_QUEUE_FILE struct ipcx_queue_file object         0
 * IPCX_IOC_NOTIFY     struct ipcx_notify     object         0
 * IPCX_IOC_SEM_OP     struct ipcx_sem_ops    device, object 0
 * IPCX_IOC_SEM_GET    struct ipcx_sem_get    device, object 0
 * IPCX_IOC_SEM_SET    struct ipcx_sem_set    device, object 0
 * IPCX_IOC_SEM_FILE   struct ipcx_sem_file   object         0
 * IPCX_IOC_SEM_ONE    struct ipcx_sem_op     object         0
 * IPCX_IOC_WAIT       struct ipcx_wait       device, object 0
 * IPCX_IOC_SELECT     struct ipcx_selection  device, object as the operation
 * =================== ====================== ============== ========
 *
 * UNLINK takes the name away and ends the object when its last user is gone;
 * who has it open goes on. A persistent nameless object is unlinked by its id.
 * REMOVE does the same and also wakes everybody who waits on the object; they,
 * and every later operation on it, get EIDRM (fstat and netlink still tell of
 * it). Both need the object's owner or CAP_IPC_OWNER in the user namespace that
 * owns the object's network namespace (EPERM). Both, and STAT, find objects of
 * any lifetime by id; transfers and OPEN persistent ones alone. An object that
 * was removed while it has users is still found, and is EIDRM. UNLINK of an
 * object with neither name nor link is ENOENT.
 *
 * Files also take read(2), write(2), readv(2), writev(2), a pipe's splice(2),
 * poll(2), FIONREAD (int: bytes that can be read; of a queue, the length of the
 * message that a read would receive, or 0), fstat(2), fchmod(2), fchown(2) and
 * fcntl(2)'s O_NONBLOCK and O_ASYNC. A writev(2) of no bytes does nothing, while a
 * write(2) of none sends an empty message. Of a set of semaphores they are as eventfd(2)'s
 * with EFD_SEMAPHORE: a write of 8 bytes adds that number to the file's semaphore
 * (EOVERFLOW rather than waiting), a read of 8 bytes, for which the file must be open for both
 * (EBADF), takes one from it and tells 1; fewer bytes are EINVAL. A read that is EOWNERDEAD has
 * taken an owned semaphore nevertheless. POLLIN says that a down by one would not wait,
 * POLLOUT that an up by one is possible. A removed object polls as POLLERR and
 * POLLHUP. In /proc/PID/fdinfo/N stand the lines ipcx-type, ipcx-id, ipcx-cookie,
 * ipcx-name (if it has one; blanks, tabs, newlines and backslashes as in
 * /proc/mounts) and, for a removed object, ipcx-removed.
 */
#define IPCX_IOC_MAGIC		0xBE

#define IPCX_IOC_CREATE		_IOW(IPCX_IOC_MAGIC, 1, struct ipcx_create)
#define IPCX_IOC_OPEN		_IOW(IPCX_IOC_MAGIC, 2, struct ipcx_open)
#define IPCX_IOC_UNLINK		_IOW(IPCX_IOC_MAGIC, 3, struct ipcx_ref)
#define IPCX_IOC_REMOVE		_IOW(IPCX_IOC_MAGIC, 4, struct ipcx_ref)
#define IPCX_IOC_QUERY		_IOR(IPCX_IOC_MAGIC, 5, struct ipcx_query)
#define IPCX_IOC_STAT		_IOWR(IPCX_IOC_MAGIC, 6, struct ipcx_stat)
#define IPCX_IOC_RESIZE		_IOWR(IPCX_IOC_MAGIC, 7, struct ipcx_resize)
#define IPCX_IOC_READ		_IOW(IPCX_IOC_MAGIC, 16, struct ipcx_io)
#define IPCX_IOC_WRITE		_IOW(IPCX_IOC_MAGIC, 17, struct ipcx_io)
#define IPCX_IOC_SEND		_IOW(IPCX_IOC_MAGIC, 18, struct ipcx_send)
#define IPCX_IOC_RECV		_IOW(IPCX_IOC_MAGIC, 19, struct ipcx_recv)
#define IPCX_IOC_PURGE		_IOW(IPCX_IOC_MAGIC, 20, struct ipcx_purge)
#define IPCX_IOC_QUEUE_FILE	_IOW(IPCX_IOC_MAGIC, 21, struct ipcx_queue_file)
#define IPCX_IOC_NOTIFY		_IOW(IPCX_IOC_MAGIC, 22, struct ipcx_notify)
#define IPCX_IOC_SEM_OP		_IOW(IPCX_IOC_MAGIC, 23, struct ipcx_sem_ops)
#define IPCX_IOC_SEM_GET	_IOW(IPCX_IOC_MAGIC, 24, struct ipcx_sem_get)
#define IPCX_IOC_SEM_SET	_IOW(IPCX_IOC_MAGIC, 25, struct ipcx_sem_set)
#define IPCX_IOC_SEM_FILE	_IOW(IPCX_IOC_MAGIC, 26, struct ipcx_sem_file)
#define IPCX_IOC_SEM_ONE	_IOW(IPCX_IOC_MAGIC, 27, struct ipcx_sem_op)
#define IPCX_IOC_WAIT		_IOWR(IPCX_IOC_MAGIC, 28, struct ipcx_wait)
#define IPCX_IOC_SELECT		_IOWR(IPCX_IOC_MAGIC, 29, struct ipcx_selection)

#endif /* _UAPI_LINUX_IPCX_H */
