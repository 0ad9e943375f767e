/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The UAPI's structures and commands as a table, for the comparison of what 32-bit
 * and 64-bit compilers make of them: layout_text() must give the same in both.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stddef.h>
#include <stdio.h>
#include <linux/ipcx.h>

struct layout_field {
	const char *of;
	const char *name;
	size_t offset;
	size_t size;
	size_t whole;
};

#define FIELD(of, name)	{						\
	#of, #name, offsetof(struct of, name),				\
	sizeof(((struct of *)NULL)->name), sizeof(struct of),		\
}

/* In the header's order: each structure's fields follow each other. */
static const struct layout_field layout_fields[] = {
	FIELD(ipcx_ref, name),
	FIELD(ipcx_ref, name_len),
	FIELD(ipcx_ref, id),
	FIELD(ipcx_ref, cookie),
	FIELD(ipcx_deadline, ns),
	FIELD(ipcx_deadline, clock),
	FIELD(ipcx_deadline, reserved),
	FIELD(ipcx_pipe_params, capacity_bytes),
	FIELD(ipcx_queue_params, max_msgs),
	FIELD(ipcx_queue_params, max_bytes),
	FIELD(ipcx_queue_params, max_msg_bytes),
	FIELD(ipcx_sem_params, count),
	FIELD(ipcx_sem_params, flags),
	FIELD(ipcx_sem_params, max),
	FIELD(ipcx_sem_params, value),
	FIELD(ipcx_create, name),
	FIELD(ipcx_create, name_len),
	FIELD(ipcx_create, type),
	FIELD(ipcx_create, access),
	FIELD(ipcx_create, lifetime),
	FIELD(ipcx_create, mode),
	FIELD(ipcx_create, flags),
	FIELD(ipcx_create, params),
	FIELD(ipcx_create, params_size),
	FIELD(ipcx_create, reserved),
	FIELD(ipcx_open, ref),
	FIELD(ipcx_open, type),
	FIELD(ipcx_open, access),
	FIELD(ipcx_open, flags),
	FIELD(ipcx_open, reserved),
	FIELD(ipcx_open, deadline),
	FIELD(ipcx_io, ref),
	FIELD(ipcx_io, buf),
	FIELD(ipcx_io, len),
	FIELD(ipcx_io, flags),
	FIELD(ipcx_io, reserved),
	FIELD(ipcx_io, deadline),
	FIELD(ipcx_resize, ref),
	FIELD(ipcx_resize, bytes),
	FIELD(ipcx_resize, flags),
	FIELD(ipcx_resize, reserved),
	FIELD(ipcx_resize, deadline),
	FIELD(ipcx_resize, max_msgs),
	FIELD(ipcx_resize, max_msg_bytes),
	FIELD(ipcx_msg, type),
	FIELD(ipcx_msg, buf),
	FIELD(ipcx_msg, room),
	FIELD(ipcx_msg, len),
	FIELD(ipcx_msg, sent_ns),
	FIELD(ipcx_msg, pid),
	FIELD(ipcx_msg, uid),
	FIELD(ipcx_msg, gid),
	FIELD(ipcx_msg, flags),
	FIELD(ipcx_select, how),
	FIELD(ipcx_select, reserved),
	FIELD(ipcx_select, lo),
	FIELD(ipcx_select, hi),
	FIELD(ipcx_send, ref),
	FIELD(ipcx_send, msgs),
	FIELD(ipcx_send, count),
	FIELD(ipcx_send, msg_size),
	FIELD(ipcx_send, flags),
	FIELD(ipcx_send, reserved),
	FIELD(ipcx_send, deadline),
	FIELD(ipcx_recv, ref),
	FIELD(ipcx_recv, msgs),
	FIELD(ipcx_recv, count),
	FIELD(ipcx_recv, msg_size),
	FIELD(ipcx_recv, flags),
	FIELD(ipcx_recv, reserved),
	FIELD(ipcx_recv, deadline),
	FIELD(ipcx_recv, select),
	FIELD(ipcx_recv, skip),
	FIELD(ipcx_purge, ref),
	FIELD(ipcx_purge, select),
	FIELD(ipcx_queue_file, select),
	FIELD(ipcx_queue_file, type),
	FIELD(ipcx_queue_file, flags),
	FIELD(ipcx_queue_file, reserved),
	FIELD(ipcx_notify, signo),
	FIELD(ipcx_notify, reserved),
	FIELD(ipcx_notify, value),
	FIELD(ipcx_sem_op, index),
	FIELD(ipcx_sem_op, delta),
	FIELD(ipcx_sem_op, flags),
	FIELD(ipcx_sem_op, reserved),
	FIELD(ipcx_sem_ops, ref),
	FIELD(ipcx_sem_ops, ops),
	FIELD(ipcx_sem_ops, count),
	FIELD(ipcx_sem_ops, op_size),
	FIELD(ipcx_sem_ops, flags),
	FIELD(ipcx_sem_ops, reserved),
	FIELD(ipcx_sem_ops, deadline),
	FIELD(ipcx_sem, value),
	FIELD(ipcx_sem, flags),
	FIELD(ipcx_sem, waiting_down),
	FIELD(ipcx_sem, waiting_zero),
	FIELD(ipcx_sem, pid),
	FIELD(ipcx_sem, holder),
	FIELD(ipcx_sem_get, ref),
	FIELD(ipcx_sem_get, sems),
	FIELD(ipcx_sem_get, first),
	FIELD(ipcx_sem_get, count),
	FIELD(ipcx_sem_get, sem_size),
	FIELD(ipcx_sem_get, reserved),
	FIELD(ipcx_sem_set, ref),
	FIELD(ipcx_sem_set, values),
	FIELD(ipcx_sem_set, first),
	FIELD(ipcx_sem_set, count),
	FIELD(ipcx_sem_set, value_size),
	FIELD(ipcx_sem_set, reserved),
	FIELD(ipcx_sem_file, index),
	FIELD(ipcx_sem_file, reserved),
	FIELD(ipcx_condition, fd),
	FIELD(ipcx_condition, what),
	FIELD(ipcx_condition, index),
	FIELD(ipcx_condition, down),
	FIELD(ipcx_condition, flags),
	FIELD(ipcx_condition, reserved),
	FIELD(ipcx_wait, conditions),
	FIELD(ipcx_wait, count),
	FIELD(ipcx_wait, condition_size),
	FIELD(ipcx_wait, flags),
	FIELD(ipcx_wait, index),
	FIELD(ipcx_wait, deadline),
	FIELD(ipcx_case, fd),
	FIELD(ipcx_case, cmd),
	FIELD(ipcx_case, arg),
	FIELD(ipcx_selection, cases),
	FIELD(ipcx_selection, count),
	FIELD(ipcx_selection, case_size),
	FIELD(ipcx_selection, flags),
	FIELD(ipcx_selection, index),
	FIELD(ipcx_selection, deadline),
	FIELD(ipcx_stat, ref),
	FIELD(ipcx_stat, size),
	FIELD(ipcx_stat, flags),
	FIELD(ipcx_stat, id),
	FIELD(ipcx_stat, type),
	FIELD(ipcx_stat, cookie),
	FIELD(ipcx_stat, lifetime),
	FIELD(ipcx_stat, mode),
	FIELD(ipcx_stat, uid),
	FIELD(ipcx_stat, gid),
	FIELD(ipcx_stat, creator_uid),
	FIELD(ipcx_stat, creator_gid),
	FIELD(ipcx_stat, creator_pid),
	FIELD(ipcx_stat, last_reader_pid),
	FIELD(ipcx_stat, last_writer_pid),
	FIELD(ipcx_stat, opens),
	FIELD(ipcx_stat, created_ns),
	FIELD(ipcx_stat, changed_ns),
	FIELD(ipcx_stat, read_ns),
	FIELD(ipcx_stat, write_ns),
	FIELD(ipcx_stat, charged_bytes),
	FIELD(ipcx_stat, capacity_bytes),
	FIELD(ipcx_stat, used_bytes),
	FIELD(ipcx_stat, readers),
	FIELD(ipcx_stat, writers),
	FIELD(ipcx_stat, waiting_readers),
	FIELD(ipcx_stat, waiting_writers),
	FIELD(ipcx_stat, name_len),
	FIELD(ipcx_stat, reserved),
	FIELD(ipcx_stat, name),
	FIELD(ipcx_stat, msgs),
	FIELD(ipcx_stat, msgs_bytes),
	FIELD(ipcx_stat, used_msgs),
	FIELD(ipcx_stat, max_msgs),
	FIELD(ipcx_stat, max_msg_bytes),
	FIELD(ipcx_stat, sems),
	FIELD(ipcx_stat, sem_flags),
	FIELD(ipcx_stat, sem_max),
	FIELD(ipcx_usage, objects),
	FIELD(ipcx_usage, objects_max),
	FIELD(ipcx_usage, bytes),
	FIELD(ipcx_usage, bytes_max),
	FIELD(ipcx_query, size),
	FIELD(ipcx_query, version),
	FIELD(ipcx_query, types),
	FIELD(ipcx_query, name_max),
	FIELD(ipcx_query, pipe_capacity_min),
	FIELD(ipcx_query, pipe_capacity_default),
	FIELD(ipcx_query, pipe_capacity_max),
	FIELD(ipcx_query, user),
	FIELD(ipcx_query, ns),
	FIELD(ipcx_query, queue_msgs_default),
	FIELD(ipcx_query, queue_msgs_max),
	FIELD(ipcx_query, queue_bytes_default),
	FIELD(ipcx_query, queue_bytes_max),
	FIELD(ipcx_query, msg_bytes_max),
	FIELD(ipcx_query, msg_batch_max),
	FIELD(ipcx_query, msg_overhead_bytes),
	FIELD(ipcx_query, sems_max),
	FIELD(ipcx_query, sem_ops_max),
	FIELD(ipcx_query, sem_value_max),
	FIELD(ipcx_query, sem_overhead_bytes),
};

#define LAYOUT_FIELDS	(sizeof(layout_fields) / sizeof(*layout_fields))

struct layout_command {
	const char *name;
	unsigned int number;
};

#define COMMAND(name)	{ #name, name }

static const struct layout_command layout_commands[] = {
	COMMAND(IPCX_IOC_CREATE),
	COMMAND(IPCX_IOC_OPEN),
	COMMAND(IPCX_IOC_UNLINK),
	COMMAND(IPCX_IOC_REMOVE),
	COMMAND(IPCX_IOC_QUERY),
	COMMAND(IPCX_IOC_STAT),
	COMMAND(IPCX_IOC_RESIZE),
	COMMAND(IPCX_IOC_READ),
	COMMAND(IPCX_IOC_WRITE),
	COMMAND(IPCX_IOC_SEND),
	COMMAND(IPCX_IOC_RECV),
	COMMAND(IPCX_IOC_PURGE),
	COMMAND(IPCX_IOC_QUEUE_FILE),
	COMMAND(IPCX_IOC_NOTIFY),
	COMMAND(IPCX_IOC_SEM_OP),
	COMMAND(IPCX_IOC_SEM_GET),
	COMMAND(IPCX_IOC_SEM_SET),
	COMMAND(IPCX_IOC_SEM_FILE),
	COMMAND(IPCX_IOC_SEM_ONE),
	COMMAND(IPCX_IOC_WAIT),
	COMMAND(IPCX_IOC_SELECT),
};

#define LAYOUT_COMMANDS	(sizeof(layout_commands) / sizeof(*layout_commands))

#define LAYOUT_TEXT	16384

/* Returns the text's length. */
static inline size_t layout_text(char text[LAYOUT_TEXT])
{
	size_t i, len = 0;

	for (i = 0; i < LAYOUT_FIELDS; i++) {
		const struct layout_field *f = &layout_fields[i];

		len += snprintf(text + len, LAYOUT_TEXT - len,
				"%s of %zu: %s at %zu, %zu\n", f->of, f->whole,
				f->name, f->offset, f->size);
	}
	for (i = 0; i < LAYOUT_COMMANDS; i++)
		len += snprintf(text + len, LAYOUT_TEXT - len, "%s is %#x\n",
				layout_commands[i].name, layout_commands[i].number);
	return len;
}

#endif /* LAYOUT_H */
