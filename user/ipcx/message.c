// SPDX-License-Identifier: GPL-2.0
/*
 * Messages: what failed, why, and what to do about it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model.h"
#include "tool.h"
#include "words.h"

#define LOAD_IT	"load the module with: modprobe ipcmod"

int fail(const char *fmt, ...)
{
	va_list args;

	fputs("ipcx: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return FAILED;
}

void note(const char *fmt, ...)
{
	va_list args;

	fputs("ipcx: note: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

/* -ENOTTY if /dev/ipcx is something else. */
static int open_device(void)
{
	struct ipcx_query query;
	int dev = ipcx_device();

	if (dev >= 0 && ipcx_query(dev, &query, sizeof(query)) == -ENOTTY) {
		close(dev);
		return -ENOTTY;
	}
	return dev;
}

int device_or_explain(void)
{
	int dev = open_device();

	if (dev == -ENOENT || dev == -ENXIO || dev == -ENODEV)
		fail("cannot open " IPCX_DEVICE ": %s; " LOAD_IT,
		     strerror(-dev));
	else if (dev == -EACCES)
		fail("cannot open " IPCX_DEVICE
		     ": Permission denied; it should have mode 0666: chmod 666 "
		     IPCX_DEVICE);
	else if (dev == -ENOTTY)
		fail(IPCX_DEVICE " is not ipcmod's device; " LOAD_IT
		     ", and let udev make the file");
	else if (dev < 0)
		fail("cannot open " IPCX_DEVICE ": %s", strerror(-dev));
	return dev;
}

int explain_no_netlink(int err)
{
	if (err == -ENOENT)
		return fail("the kernel has no netlink family 'ipcx'; "
			    LOAD_IT);
	return fail("cannot talk to the module over netlink: %s",
		    strerror(-err));
}

/* @file as the command line has it: NULL and "-" are standard input or output. */
int file_failed(const char *verb, const char *file, int err)
{
	char *name;

	if (!file || !strcmp(file, "-"))
		return fail("cannot %s standard %s: %s", verb,
			    *verb == 'r' ? "input" : "output", strerror(-err));
	name = name_words(file, strlen(file));
	fail("cannot %s '%s': %s", verb, argument_words(name), strerror(-err));
	free(name);
	return FAILED;
}

/* As a command line has it; to be freed. */
char *target_words(const struct target *target)
{
	return target->name ? shell_words(target->name) :
			      format("--id %" PRIu32, target->id);
}

/* "pipe 'x'", "object #12"; to be freed. */
char *subject(const struct attempt *attempt)
{
	const char *type = attempt->type == IPCX_TYPE_ANY ?
			   "object" : type_word(attempt->type);
	const struct target *target = &attempt->target;
	char *name, *text;

	if (!target->name)
		return format("%s #%" PRIu32, type, target->id);
	name = name_words(target->name, strlen(target->name));
	text = format("%s '%s'", type, name);
	free(name);
	return text;
}

/* Some commands open the object, and by its id only persistent ones can be opened. */
static bool is_there(const struct attempt *attempt)
{
	struct object object = { 0 };

	return !attempt->target.name && !model_get(&attempt->target, &object) &&
	       object.stat.lifetime != IPCX_LIFETIME_PERSISTENT;
}

static int no_such_object(const struct attempt *attempt, const char *what)
{
	char *quoted;

	if (is_there(attempt))
		return fail("cannot %s %s: it is not persistent, so only its name will do",
			    attempt->verb, what);
	if (!attempt->target.name || attempt->type == IPCX_TYPE_ANY)
		return fail("%s does not exist; see what does with: ipcx ls",
			    what);
	quoted = shell_words(attempt->target.name);
	fail("%s does not exist; create it with: ipcx %s create %s", what,
	     type_word(attempt->type), quoted);
	free(quoted);
	return FAILED;
}

static int name_taken(const struct attempt *attempt, const char *what)
{
	char *quoted = shell_words(attempt->target.name);

	fail("cannot create %s: the name is taken; see by what: ipcx show %s",
	     what, quoted);
	free(quoted);
	return FAILED;
}

static int wrong_type(const struct attempt *attempt, const char *what)
{
	struct object object = { 0 };
	char *quoted = target_words(&attempt->target);

	if (model_get(&attempt->target, &object))
		fail("cannot %s %s: it is of another type; look with: ipcx show %s",
		     attempt->verb, what, quoted);
	else
		fail("cannot %s %s: it is a %s; look with: ipcx show %s",
		     attempt->verb, what, type_word(object.stat.type), quoted);
	free(quoted);
	return FAILED;
}

/* The first limit that the request would have passed; false if none would. */
static bool limit_hit(const struct ipcx_usage *usage, uint64_t bytes,
		      const char *whose, char **words)
{
	char *used, *max, *wanted;

	if (usage->objects >= usage->objects_max) {
		*words = format("%s account has %" PRIu64 " of %" PRIu64
				" objects", whose, (uint64_t)usage->objects,
				(uint64_t)usage->objects_max);
		return true;
	}
	if (usage->bytes + bytes < usage->bytes_max)
		return false;
	used = size_words(usage->bytes);
	max = size_words(usage->bytes_max);
	wanted = size_words(bytes);
	*words = format("%s account has %s of %s bytes, and this takes more than %s",
			whose, used, max, wanted);
	free(used);
	free(max);
	free(wanted);
	return true;
}

static struct ipcx_query query_limits(void)
{
	struct ipcx_query query = { 0 };
	int dev = ipcx_device();

	if (dev >= 0) {
		ipcx_query(dev, &query, sizeof(query));
		close(dev);
	}
	return query;
}

static uint64_t charge_of(const struct attempt *attempt,
			  const struct ipcx_query *query)
{
	uint64_t bytes = attempt->bytes, msgs = attempt->msgs;

	if (attempt->type != IPCX_TYPE_QUEUE)
		return bytes ? bytes : query->pipe_capacity_default;
	return (bytes ? bytes : query->queue_bytes_default) +
	       (msgs ? msgs : query->queue_msgs_default) *
		       query->msg_overhead_bytes;
}

/* An account further up, such as the user namespace's, cannot be asked. */
static char *quota_words(const struct attempt *attempt)
{
	struct ipcx_query query = query_limits();
	uint64_t bytes = charge_of(attempt, &query);
	char *words;

	if (query.size && (limit_hit(&query.user, bytes, "your", &words) ||
			   limit_hit(&query.ns, bytes, "the namespace's",
				     &words)))
		return words;
	return format("the account of the user namespace's owner is full");
}

static int over_quota(const struct attempt *attempt, const char *what)
{
	char *words = quota_words(attempt);

	fail("cannot %s %s: %s; remove some with ipcx rm (see: ipcx ls)",
	     attempt->verb, what, words);
	free(words);
	return FAILED;
}

static int bad_capacity(const struct attempt *attempt, const char *what)
{
	struct ipcx_query query = query_limits();
	char *min = size_words(query.pipe_capacity_min);
	char *max = size_words(query.pipe_capacity_max);

	fail("cannot %s %s: its capacity may be %s to %s", attempt->verb, what,
	     min, max);
	free(min);
	free(max);
	return FAILED;
}

static int bad_limits(const struct attempt *attempt, const char *what)
{
	struct ipcx_query query = query_limits();
	char *bytes = size_words(query.queue_bytes_max);
	char *msg_bytes = size_words(IPCX_MSG_BYTES_MAX);

	fail("cannot %s %s: --max-msgs may be 1 to %" PRIu64
	     ", --max-bytes 1 to %s, --max-msg-bytes 1 to %s and no more than --max-bytes",
	     attempt->verb, what, (uint64_t)query.queue_msgs_max, bytes, msg_bytes);
	free(bytes);
	free(msg_bytes);
	return FAILED;
}

/* What it holds is told in full: "4K" may be a byte more than 4096. */
static int too_full(const struct attempt *attempt, const char *what)
{
	struct object object = { 0 };
	uint64_t least = 1, used;
	char *words;

	model_get(&attempt->target, &object);
	if (attempt->type == IPCX_TYPE_QUEUE)
		return fail("cannot %s %s: it holds %" PRIu64 " messages with %" PRIu64
			    " bytes; receive or purge some first",
			    attempt->verb, what, (uint64_t)object.stat.msgs,
			    (uint64_t)object.stat.used_bytes);
	used = object.stat.used_bytes;
	while (least < used)
		least *= 2;
	if (used <= attempt->bytes)
		return fail("cannot %s %s: it held more than that a moment ago; try again",
			    attempt->verb, what);
	words = size_words(least);
	fail("cannot %s %s: it holds %" PRIu64 " bytes; read some first, or give it %s or more",
	     attempt->verb, what, used, words);
	free(words);
	return FAILED;
}

static int unexpected(const struct attempt *attempt, const char *what, int err)
{
	const char *reason = model_reason();

	return fail("cannot %s %s: %s%s%s", attempt->verb, what, strerror(-err),
		    reason ? "; the kernel says: " : "", reason ? reason : "");
}

static int invalid(const struct attempt *attempt, const char *what)
{
	const char *name = attempt->target.name;

	if (name && !*name)
		return fail("a name cannot be empty");
	if (name && strchr(name, '/'))
		return fail("cannot %s %s: a name has no '/'", attempt->verb,
			    what);
	if (attempt->type == IPCX_TYPE_QUEUE &&
	    (attempt->bytes || attempt->msgs || attempt->msg_bytes))
		return bad_limits(attempt, what);
	if (attempt->bytes)
		return bad_capacity(attempt, what);
	return unexpected(attempt, what, -EINVAL);
}

static int explain_subject(const struct attempt *attempt, const char *what,
			   int err)
{
	switch (err) {
	case -ENOENT:
		return no_such_object(attempt, what);
	case -EEXIST:
		return name_taken(attempt, what);
	case -EPROTOTYPE:
		return wrong_type(attempt, what);
	case -EDQUOT:
		return over_quota(attempt, what);
	case -EINVAL:
		return invalid(attempt, what);
	case -EBUSY:
		return too_full(attempt, what);
	case -ENOTTY:
		return fail("cannot %s %s: the module is too old for this; see: ipcx version",
			    attempt->verb, what);
	case -ETIMEDOUT:
		return fail("cannot %s %s: somebody does not get done reading or writing it; try again later",
			    attempt->verb, what);
	case -EOPNOTSUPP:
		return fail("the module has no objects of this type; see: ipcx version");
	case -EACCES:
		return fail("no permission to %s %s: its mode does not let you; ask its owner",
			    attempt->verb, what);
	case -EPERM:
		return fail("no permission to %s %s: only its owner and root may",
			    attempt->verb, what);
	case -EIDRM:
		return fail("cannot %s %s: it has been removed meanwhile",
			    attempt->verb, what);
	case -ESTALE:
		return fail("%s is gone, and its id belongs to another object now",
			    what);
	case -ENOSPC:
		return fail("cannot %s %s: no id is free; remove objects with: ipcx rm",
			    attempt->verb, what);
	default:
		return unexpected(attempt, what, err);
	}
}

int explain(const struct attempt *attempt, int err)
{
	char *what;

	if (err == -ENOTCONN)	/* has been said */
		return FAILED;
	if (err == -ENAMETOOLONG)
		return fail("the name is %zu bytes long; at most %d are possible",
			    strlen(attempt->target.name), IPCX_NAME_MAX);
	what = subject(attempt);
	explain_subject(attempt, what, err);
	free(what);
	return FAILED;
}
