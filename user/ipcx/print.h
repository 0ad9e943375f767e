/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reports: what a command prints on standard output, as text or as JSON.
 *
 * A report is a list of records with the same fields. A command adds each field
 * with one call, and never asks which of the two forms is wanted.
 */
#ifndef IPCX_PRINT_H
#define IPCX_PRINT_H

#include <jansson.h>
#include <stdbool.h>

enum report_shape {
	REPORT_TABLE,	/* a line a record; in JSON an array of objects */
	REPORT_CARD,	/* one record, a line a field; in JSON an object */
};

struct report;

struct report *report_begin(enum report_shape shape, bool json);
void report_record(struct report *report);
void report_field(struct report *report, const char *key, const char *column,
		  const char *line, json_t *value, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
void report_warn(struct report *report);
bool report_is_table(const struct report *report);
int report_end(struct report *report);

/* OK, or the message that standard output cannot be written. */
int flush_output(void);

json_t *json_name(const char *name, size_t len);
json_t *json_base64(const char *name, size_t len);
bool is_utf8(const char *text, size_t len);

#endif /* IPCX_PRINT_H */
