// SPDX-License-Identifier: GPL-2.0
/*
 * How an object is printed.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "object.h"
#include "words.h"

/* Adds a field whose text, if it has one, is to be freed. */
static void add(struct report *report, const char *key, const char *column,
		const char *line, json_t *value, char *text)
{
	report_field(report, key, column, line, value, "%s", text ? text : "");
	free(text);
}

static void add_number(struct report *report, const char *key,
		       const char *column, const char *line, uint64_t value)
{
	report_field(report, key, column, line, json_integer(value),
		     "%" PRIu64, value);
}

static char *bytes_text(const struct report *report, uint64_t bytes)
{
	char *size = size_words(bytes), *text;

	if (report_is_table(report) || bytes < 1024)
		return size;
	text = format("%s (%" PRIu64 " bytes)", size, bytes);
	free(size);
	return text;
}

static void add_bytes(struct report *report, const char *key,
		      const char *column, const char *line, uint64_t value)
{
	add(report, key, column, line, json_integer(value),
	    bytes_text(report, value));
}

/* A table has no times, and each one in words asks for the system's time zone. */
static void add_time(struct report *report, const char *key, const char *line,
		     uint64_t ns)
{
	add(report, key, NULL, line, json_integer(ns),
	    report_is_table(report) ? NULL : time_words(ns));
}

static void add_pid(struct report *report, const char *key, const char *line,
		    int32_t pid)
{
	add(report, key, NULL, line, json_integer(pid),
	    pid ? format("process %" PRId32, pid) : format("-"));
}

static char *name_text(const struct ipcx_stat *stat)
{
	return stat->name_len ? name_words(stat->name, stat->name_len) :
				format("-");
}

static void add_name(struct report *report, const struct ipcx_stat *stat)
{
	bool named = stat->name_len;

	add(report, "name", NULL, "Name", named ?
	    json_name(stat->name, stat->name_len) : json_null(),
	    name_text(stat));
	if (named && !is_utf8(stat->name, stat->name_len))
		report_field(report, "name_base64", NULL, NULL,
			     json_base64(stat->name, stat->name_len), "%s", "");
}

/* What makes it end is what it was created with, or what was done to it. */
static const char *lifetime_text(const struct object *object)
{
	const struct ipcx_stat *stat = &object->stat;

	if (object->removed)
		return "removed";
	if (stat->lifetime != IPCX_LIFETIME_TRANSIENT &&
	    !(stat->flags & IPCX_STAT_LINKED))
		return "unlinked";
	return lifetime_word(stat->lifetime);
}

static void add_state(struct report *report, const struct object *object)
{
	const struct ipcx_stat *stat = &object->stat;

	report_field(report, "lifetime", "LIFETIME", "Lifetime",
		     json_string(lifetime_word(stat->lifetime)), "%s",
		     lifetime_text(object));
	report_field(report, "linked", NULL, NULL,
		     json_boolean(stat->flags & IPCX_STAT_LINKED), "%s", "");
	report_field(report, "removed", NULL, NULL,
		     json_boolean(object->removed), "%s", "");
}

static void add_owner(struct report *report, const struct ipcx_stat *stat)
{
	const char *user = user_word(stat->uid);

	report_field(report, "uid", NULL, NULL, json_integer(stat->uid), "%s",
		     "");
	report_field(report, NULL, "OWNER", NULL, NULL, "%s", user);
	report_field(report, "gid", NULL, "Owner", json_integer(stat->gid),
		     "%s:%s", user, group_word(stat->gid));
	/* A string: what JSON takes for a number isn't octal. */
	add(report, "mode", "MODE", "Mode",
	    json_sprintf("%04" PRIo32, stat->mode),
	    format("%04" PRIo32, stat->mode));
}

static void add_payload(struct report *report, const struct ipcx_stat *stat)
{
	add_bytes(report, "used_bytes", "USED", "Used", stat->used_bytes);
	if (stat->used_bytes && stat->used_bytes == stat->capacity_bytes)
		report_warn(report);
	add_bytes(report, "capacity_bytes", "CAPACITY", "Capacity",
		  stat->capacity_bytes);
	add_bytes(report, "charged_bytes", NULL, "Charged",
		  stat->charged_bytes);
}

/*
 * Messages are those of queues. A table has a cell for everybody, and it is a number's
 * whatever the first row is.
 */
static void add_messages(struct report *report, const struct ipcx_stat *stat)
{
	bool known = stat->type == IPCX_TYPE_QUEUE && stat->max_msgs;

	if (!known) {
		report_field(report, NULL, "MSGS", NULL, json_integer(0), "-");
		return;
	}
	add_number(report, "msgs", "MSGS", "Messages", stat->msgs);
	if (stat->msgs == stat->max_msgs)
		report_warn(report);
	add_number(report, "max_msgs", NULL, "  at most", stat->max_msgs);
	add_bytes(report, "max_msg_bytes", NULL, "  each at most",
		  stat->max_msg_bytes);
}

/* In no table: what there is of them is for `ipcx sem get`. */
static void add_semaphores(struct report *report, const struct ipcx_stat *stat)
{
	bool owned = stat->sem_flags & IPCX_SEM_OWNED;

	if (stat->type != IPCX_TYPE_SEM || !stat->sems || report_is_table(report))
		return;
	add_number(report, "sems", NULL, "Semaphores", stat->sems);
	add_number(report, "sem_max", NULL, "  each at most", stat->sem_max);
	report_field(report, "owned", NULL, "  owned", json_boolean(owned), "%s",
		     owned ? "yes" : "no");
}

static void add_users(struct report *report, const struct ipcx_stat *stat)
{
	add_number(report, "opens", NULL, "Open files", stat->opens);
	add_number(report, "readers", "RD", "Readers", stat->readers);
	add_number(report, "waiting_readers", NULL, "  waiting",
		   stat->waiting_readers);
	add_number(report, "writers", "WR", "Writers", stat->writers);
	add_number(report, "waiting_writers", NULL, "  waiting",
		   stat->waiting_writers);
}

static char *creator_text(const struct ipcx_stat *stat)
{
	const char *user = user_word(stat->creator_uid);
	const char *group = group_word(stat->creator_gid);

	if (!stat->creator_pid)
		return format("%s:%s", user, group);
	return format("%s:%s, process %" PRId32, user, group,
		      stat->creator_pid);
}

static void add_creator(struct report *report, const struct ipcx_stat *stat)
{
	add_time(report, "created_ns", "Created", stat->created_ns);
	report_field(report, "creator_uid", NULL, NULL,
		     json_integer(stat->creator_uid), "%s", "");
	report_field(report, "creator_gid", NULL, NULL,
		     json_integer(stat->creator_gid), "%s", "");
	add(report, "creator_pid", NULL, "  by",
	    json_integer(stat->creator_pid), creator_text(stat));
}

static void add_history(struct report *report, const struct ipcx_stat *stat)
{
	add_creator(report, stat);
	add_time(report, "changed_ns", "Changed", stat->changed_ns);
	add_time(report, "write_ns", "Written", stat->write_ns);
	add_pid(report, "last_writer_pid", "  by", stat->last_writer_pid);
	add_time(report, "read_ns", "Read", stat->read_ns);
	add_pid(report, "last_reader_pid", "  by", stat->last_reader_pid);
}

/*
 * In the table the name comes last: it can be long, and what follows it would
 * be hard to find.
 */
void object_fields(struct report *report, const struct object *object)
{
	const struct ipcx_stat *stat = &object->stat;

	add_name(report, stat);
	add_number(report, "id", "ID", "Id", stat->id);
	add_number(report, "cookie", NULL, "Cookie", stat->cookie);
	report_field(report, "type", "TYPE", "Type",
		     json_string(type_word(stat->type)), "%s",
		     type_word(stat->type));
	add_owner(report, stat);
	add_state(report, object);
	add_payload(report, stat);
	add_messages(report, stat);
	add_semaphores(report, stat);
	add_users(report, stat);
	add_history(report, stat);
	add(report, NULL, "NAME", NULL, NULL, name_text(stat));
}

int object_print(const struct object *object, bool json)
{
	struct report *report = report_begin(REPORT_CARD, json);

	object_fields(report, object);
	return report_end(report);
}

int print_target(const struct attempt *attempt)
{
	struct object object;
	int err = model_get(&attempt->target, &object);

	return err ? explain(attempt, err) : object_print(&object, true);
}
