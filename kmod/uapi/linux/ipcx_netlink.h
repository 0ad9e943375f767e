/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The generic netlink family of ipcmod. Its commands, who may use them and
 * their errors are specified in Documentation/netlink/specs/ipcx.yaml; this is
 * what C needs of it.
 */
#ifndef _UAPI_LINUX_IPCX_NETLINK_H
#define _UAPI_LINUX_IPCX_NETLINK_H

#define IPCX_FAMILY_NAME	"ipcx"
#define IPCX_FAMILY_VERSION	1

/**
 * enum ipcx_a_object - attributes of an object
 * @IPCX_A_OBJECT_ID:              u32, 1 to 2^31-1
 * @IPCX_A_OBJECT_COOKIE:          u64; in requests, the object must have it
 * @IPCX_A_OBJECT_TYPE:            u32, an &enum ipcx_type
 * @IPCX_A_OBJECT_NAME:            string, ends with its only NUL; absent from
 *				   replies if the object has no name now
 * @IPCX_A_OBJECT_LIFETIME:        u32, an &enum ipcx_lifetime
 * @IPCX_A_OBJECT_FLAGS:           u32, bits of &enum ipcx_stat_flags
 * @IPCX_A_OBJECT_MODE:            u32, permission bits
 * @IPCX_A_OBJECT_UID:             u32, and so on: as in &struct ipcx_stat
 * @IPCX_A_OBJECT_GID:             u32
 * @IPCX_A_OBJECT_CREATOR_UID:     u32
 * @IPCX_A_OBJECT_CREATOR_GID:     u32
 * @IPCX_A_OBJECT_CREATOR_PID:     s32
 * @IPCX_A_OBJECT_LAST_READER_PID: s32
 * @IPCX_A_OBJECT_LAST_WRITER_PID: s32
 * @IPCX_A_OBJECT_OPENS:           u32
 * @IPCX_A_OBJECT_CREATED_NS:      u64
 * @IPCX_A_OBJECT_CHANGED_NS:      u64
 * @IPCX_A_OBJECT_READ_NS:         u64
 * @IPCX_A_OBJECT_WRITE_NS:        u64
 * @IPCX_A_OBJECT_CHARGED_BYTES:   u64
 * @IPCX_A_OBJECT_CAPACITY_BYTES:  u64
 * @IPCX_A_OBJECT_USED_BYTES:      u64
 * @IPCX_A_OBJECT_READERS:         u32
 * @IPCX_A_OBJECT_WRITERS:         u32
 * @IPCX_A_OBJECT_WAITING_READERS: u32
 * @IPCX_A_OBJECT_WAITING_WRITERS: u32
 * @IPCX_A_OBJECT_DEFUNCT:         flag, it was removed and somebody holds it
 * @IPCX_A_OBJECT_REMOVE:          flag, in a delete request: remove rather than
 *				   unlink
 * @IPCX_A_OBJECT_PAD:             aligns a u64 that follows
 */
enum ipcx_a_object {
	IPCX_A_OBJECT_ID = 1,
	IPCX_A_OBJECT_COOKIE,
	IPCX_A_OBJECT_TYPE,
	IPCX_A_OBJECT_NAME,
	IPCX_A_OBJECT_LIFETIME,
	IPCX_A_OBJECT_FLAGS,
	IPCX_A_OBJECT_MODE,
	IPCX_A_OBJECT_UID,
	IPCX_A_OBJECT_GID,
	IPCX_A_OBJECT_CREATOR_UID,
	IPCX_A_OBJECT_CREATOR_GID,
	IPCX_A_OBJECT_CREATOR_PID,
	IPCX_A_OBJECT_LAST_READER_PID,
	IPCX_A_OBJECT_LAST_WRITER_PID,
	IPCX_A_OBJECT_OPENS,
	IPCX_A_OBJECT_CREATED_NS,
	IPCX_A_OBJECT_CHANGED_NS,
	IPCX_A_OBJECT_READ_NS,
	IPCX_A_OBJECT_WRITE_NS,
	IPCX_A_OBJECT_CHARGED_BYTES,
	IPCX_A_OBJECT_CAPACITY_BYTES,
	IPCX_A_OBJECT_USED_BYTES,
	IPCX_A_OBJECT_READERS,
	IPCX_A_OBJECT_WRITERS,
	IPCX_A_OBJECT_WAITING_READERS,
	IPCX_A_OBJECT_WAITING_WRITERS,
	IPCX_A_OBJECT_DEFUNCT,
	IPCX_A_OBJECT_REMOVE,
	IPCX_A_OBJECT_PAD,

	/* private: */
	__IPCX_A_OBJECT_MAX,
	IPCX_A_OBJECT_MAX = (__IPCX_A_OBJECT_MAX - 1)
};

/**
 * enum ipcx_cmd - commands; a reply has its request's
 * @IPCX_CMD_GET:    do: one object; dump: all that the caller may see
 * @IPCX_CMD_CREATE: make a persistent object
 * @IPCX_CMD_DELETE: unlink or remove an object
 */
enum ipcx_cmd {
	IPCX_CMD_GET = 1,
	IPCX_CMD_CREATE,
	IPCX_CMD_DELETE,

	/* private: */
	__IPCX_CMD_MAX,
	IPCX_CMD_MAX = (__IPCX_CMD_MAX - 1)
};

#endif /* _UAPI_LINUX_IPCX_NETLINK_H */
