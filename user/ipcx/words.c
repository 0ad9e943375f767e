// SPDX-License-Identifier: GPL-2.0
/*
 * How values read.
 */
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "tool.h"
#include "words.h"

static const char *const types[] = {
	[IPCX_TYPE_PIPE]	= "pipe",
	[IPCX_TYPE_QUEUE]	= "queue",
	[IPCX_TYPE_REGION]	= "region",
	[IPCX_TYPE_SEM]		= "sem",
};

static const char *const lifetimes[] = {
	[IPCX_LIFETIME_TRANSIENT]	= "transient",
	[IPCX_LIFETIME_PERSISTENT]	= "persistent",
	[IPCX_LIFETIME_OWNED]		= "owned",
};

/* A module that is newer than the tool has values that it can't name. */
static const char *word(const char *const *words, size_t count, uint32_t value)
{
	static char unknown[16];

	if (value < count && words[value])
		return words[value];
	snprintf(unknown, sizeof(unknown), "%" PRIu32, value);
	return unknown;
}

static bool parse_word(const char *const *words, size_t count,
		       const char *text, uint32_t *value)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (words[i] && !strcmp(words[i], text)) {
			*value = i;
			return true;
		}
	}
	return false;
}

const char *type_word(uint32_t type)
{
	return word(types, ARRAY_SIZE(types), type);
}

bool parse_type(const char *text, uint32_t *type)
{
	return parse_word(types, ARRAY_SIZE(types), text, type);
}

const char *lifetime_word(uint32_t lifetime)
{
	return word(lifetimes, ARRAY_SIZE(lifetimes), lifetime);
}

bool parse_lifetime(const char *text, uint32_t *lifetime)
{
	return parse_word(lifetimes, ARRAY_SIZE(lifetimes), text, lifetime);
}

char *format(const char *fmt, ...)
{
	va_list args;
	char *text;
	int ret;

	va_start(args, fmt);
	ret = vasprintf(&text, fmt, args);
	va_end(args);
	if (ret < 0) {
		fail("out of memory");
		exit(FAILED);
	}
	return text;
}

/* Four columns at most: "0", "1023", "1.5K", "64K", "999M". */
char *size_words(uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double value = bytes;
	const char *unit = units;

	if (bytes < 1024)
		return format("%" PRIu64, bytes);
	for (value /= 1024; value >= 999.5; value /= 1024)
		unit++;
	if (value < 9.95 && (int)(value * 10 + 0.5) % 10)
		return format("%.1f%c", value, *unit);
	return format("%.0f%c", value, *unit);
}

static char *ago(time_t seconds)
{
	if (seconds < 0)
		return format("in the future");
	if (seconds < 2 * 60)
		return format("%ld s ago", (long)seconds);
	if (seconds < 2 * 3600)
		return format("%ld min ago", (long)seconds / 60);
	if (seconds < 2 * 86400)
		return format("%ld h ago", (long)seconds / 3600);
	return format("%ld days ago", (long)seconds / 86400);
}

char *time_words(uint64_t ns)
{
	time_t when = ns / 1000000000;
	char date[64], *age, *text;
	struct tm tm;

	if (!ns)
		return format("never");
	if (!localtime_r(&when, &tm) ||
	    !strftime(date, sizeof(date), "%F %T", &tm))
		return format("%" PRIu64 " ns", ns);
	age = ago(time(NULL) - when);
	text = format("%s (%s)", date, age);
	free(age);
	return text;
}

/*
 * Names of users, or of groups, that have been asked for: a long list has few of
 * them, and each question can mean reading a file, or asking a server.
 */
struct known {
	uint32_t id;
	char *name;
	struct known *next;
};

static const char *recall(const struct known *known, uint32_t id)
{
	while (known && known->id != id)
		known = known->next;
	return known ? known->name : NULL;
}

static const char *remember(struct known **list, uint32_t id, const char *name)
{
	struct known *known = malloc(sizeof(*known));

	if (!known) {
		fail("out of memory");
		exit(FAILED);
	}
	known->id = id;
	known->name = name ? name_words(name, strlen(name)) :
			     format("%" PRIu32, id);
	known->next = *list;
	*list = known;
	return known->name;
}

const char *user_word(uint32_t uid)
{
	static struct known *users;
	const char *name = recall(users, uid);
	const struct passwd *entry;

	if (name)
		return name;
	entry = getpwuid(uid);
	return remember(&users, uid, entry ? entry->pw_name : NULL);
}

const char *group_word(uint32_t gid)
{
	static struct known *groups;
	const char *name = recall(groups, gid);
	const struct group *entry;

	if (name)
		return name;
	entry = getgrgid(gid);
	return remember(&groups, gid, entry ? entry->gr_name : NULL);
}

/*
 * A name is any bytes, and a terminal obeys some of them. What the locale can't
 * print, or prints in no column, becomes \xNN, and '\' becomes '\\', so that no
 * two names look the same.
 */
char *name_words(const char *name, size_t len)
{
	char *text = NULL;
	size_t size, i = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return format("?");
	while (i < len) {
		mbstate_t state = { 0 };
		wchar_t wide;
		size_t n = mbrtowc(&wide, name + i, len - i, &state);

		if (n && n <= len - i && wcwidth(wide) > 0 &&
		    wide != L'\\') {
			fwrite(name + i, 1, n, out);
			i += n;
			continue;
		}
		if (name[i] == '\\')
			fputs("\\\\", out);
		else
			fprintf(out, "\\x%02x", (unsigned char)name[i]);
		i++;
	}
	fclose(out);
	return text;
}

/* For messages about the command line, after which the program ends. */
char *argument_words(const char *argument)
{
	return name_words(argument, strlen(argument));
}

/* $'...' understands what name_words() escapes, and \' beside. */
static char *ansi_c_quoted(const char *before, const char *words)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return format("NAME");
	fprintf(out, "%s$'", before);
	for (; *words; words++)
		fprintf(out, "%s%c", *words == '\'' ? "\\" : "", *words);
	fputc('\'', out);
	fclose(out);
	return text;
}

/* As a shell's command line wants the name, to be copied from a message. */
char *shell_words(const char *name)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:@%+=,-";
	const char *dashes = *name == '-' ? "-- " : "";
	char *words, *text;

	if (*name && !name[strspn(name, plain)])
		return format("%s%s", dashes, name);
	words = name_words(name, strlen(name));
	if (!strcmp(words, name) && !strchr(name, '\''))
		text = format("%s'%s'", dashes, name);
	else
		text = ansi_c_quoted(dashes, words);
	free(words);
	return text;
}
