// SPDX-License-Identifier: GPL-2.0
/*
 * Reports as text or JSON.
 *
 * Text is kept until the end, when the widths of all columns are known.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "print.h"
#include "tool.h"

#define BOLD	"\033[1m"
#define YELLOW	"\033[33m"
#define PLAIN	"\033[0m"

struct cell {
	const char *label;
	char *text;
	bool number;	/* to be aligned to the right */
	bool warn;
};

/*
 * struct report
 * @cells:   of all records, one after the other
 * @columns: cells of one record, known when the first is complete
 * @root:    JSON only: the array, or the one object
 * @record:  JSON only: the object that fields are added to
 */
struct report {
	enum report_shape shape;
	bool json;
	bool colour;
	struct cell *cells;
	size_t count;
	size_t records;
	size_t columns;
	json_t *root;
	json_t *record;
};

bool report_is_table(const struct report *report)
{
	return report->shape == REPORT_TABLE;
}

static void *checked(void *memory)
{
	if (!memory) {
		fail("out of memory");
		exit(FAILED);
	}
	return memory;
}

/* As no-color.org has it: any value that isn't empty says no. */
static bool colour_wanted(void)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) &&
	       term && strcmp(term, "dumb");
}

struct report *report_begin(enum report_shape shape, bool json)
{
	struct report *report = checked(calloc(1, sizeof(*report)));

	report->shape = shape;
	report->json = json;
	report->colour = colour_wanted();
	if (json && shape == REPORT_TABLE)
		report->root = checked(json_array());
	if (shape == REPORT_CARD)
		report_record(report);
	return report;
}

void report_record(struct report *report)
{
	report->records++;
	if (!report->json)
		return;
	report->record = checked(json_object());
	if (report->shape == REPORT_TABLE)
		json_array_append_new(report->root, report->record);
	else
		report->root = report->record;
}

static void add_cell(struct report *report, struct cell cell)
{
	report->cells = checked(reallocarray(report->cells, report->count + 1,
					     sizeof(cell)));
	report->cells[report->count++] = cell;
	if (report->records <= 1)
		report->columns = report->count;
}

/**
 * report_field() - add a field to the current record
 * @report: the report
 * @key:    the field's name in JSON; null if JSON doesn't have it
 * @column: its heading in a table; null if a table doesn't have it
 * @line:   its label on a card; null if a card doesn't have it
 * @value:  its value in JSON; the report takes it over
 * @fmt:    its text, for printf
 *
 * Numbers in JSON are numbers to the text's columns too.
 */
void report_field(struct report *report, const char *key, const char *column,
		  const char *line, json_t *value, const char *fmt, ...)
{
	struct cell cell = {
		.label = report_is_table(report) ? column : line,
		.number = json_is_number(value),
	};
	va_list args;

	if (report->json) {
		if (key)
			json_object_set_new(report->record, key, value);
		else
			json_decref(value);
		return;
	}
	json_decref(value);
	if (!cell.label)
		return;
	va_start(args, fmt);
	if (vasprintf(&cell.text, fmt, args) < 0)
		checked(NULL);
	va_end(args);
	add_cell(report, cell);
}

/* The last field deserves attention. */
void report_warn(struct report *report)
{
	if (report->count)
		report->cells[report->count - 1].warn = true;
}

static int width(const char *text)
{
	size_t len = mbstowcs(NULL, text, 0);
	wchar_t *wide;
	int columns;

	if (len == (size_t)-1)
		return strlen(text);
	wide = checked(calloc(len + 1, sizeof(*wide)));
	mbstowcs(wide, text, len);
	columns = wcswidth(wide, len);
	free(wide);
	return columns < 0 ? (int)strlen(text) : columns;
}

static void print_text(const struct report *report, const char *text,
		       const char *style, int pad_left, int pad_right)
{
	bool styled = report->colour && *style;

	printf("%*s%s%s%s%*s", pad_left, "", styled ? style : "", text,
	       styled ? PLAIN : "", pad_right, "");
}

/* Nothing pads the last column, lest lines end in blanks. */
static void print_padded(const struct report *report, const char *text,
			 const char *style, const struct cell *column,
			 int columns, bool last)
{
	int pad = columns - width(text);

	print_text(report, text, style, column->number ? pad : 0,
		   column->number || last ? 0 : pad);
	fputs(last ? "\n" : "  ", stdout);
}

static int *column_widths(const struct report *report)
{
	int *widths = checked(calloc(report->columns + 1, sizeof(*widths)));
	size_t i;

	for (i = 0; i < report->columns; i++)
		widths[i] = width(report->cells[i].label);
	for (i = 0; i < report->count; i++) {
		int w = width(report->cells[i].text);

		if (w > widths[i % report->columns])
			widths[i % report->columns] = w;
	}
	return widths;
}

static void print_table(const struct report *report)
{
	size_t columns = report->columns, i;
	int *widths = column_widths(report);

	for (i = 0; i < columns; i++)
		print_padded(report, report->cells[i].label, BOLD,
			     &report->cells[i], widths[i], i + 1 == columns);
	for (i = 0; i < report->count; i++) {
		const struct cell *cell = &report->cells[i];
		size_t column = i % columns;

		print_padded(report, cell->text, cell->warn ? YELLOW : "",
			     &report->cells[column], widths[column],
			     column + 1 == columns);
	}
	free(widths);
}

static void print_card(const struct report *report)
{
	const struct cell *cell;
	int widest = 0;

	for (cell = report->cells; cell < report->cells + report->count; cell++)
		if (width(cell->label) > widest)
			widest = width(cell->label);
	for (cell = report->cells; cell < report->cells + report->count; cell++) {
		print_text(report, cell->label, BOLD, 0,
			   widest - width(cell->label) + 2);
		print_text(report, cell->text, cell->warn ? YELLOW : "", 0, 0);
		putchar('\n');
	}
}

static void report_free(struct report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++)
		free(report->cells[i].text);
	free(report->cells);
	json_decref(report->root);
	free(report);
}

int flush_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		return fail("cannot write to standard output: %s",
			    strerror(errno));
	return OK;
}

/* Prints all. A full disk or a closed pipe behind standard output is an error. */
int report_end(struct report *report)
{
	if (report->json) {
		json_dumpf(report->root, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (report->shape == REPORT_TABLE) {
		print_table(report);
	} else {
		print_card(report);
	}
	report_free(report);
	return flush_output();
}

/* Length of the valid UTF-8 sequence at @text, 0 if there is none. */
static size_t utf8_sequence(const unsigned char *text, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = text[0] < 0x80 ? 1 : text[0] < 0xc0 ? 0 :
		   text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 :
		   text[0] < 0xf8 ? 4 : 0;
	uint32_t c = text[0] & (0xff >> (n + 1));
	size_t i;

	if (n <= 1)
		return n;
	if (n > len)
		return 0;
	for (i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return n;
}

bool is_utf8(const char *text, size_t len)
{
	size_t n;

	for (; len; text += n, len -= n) {
		n = utf8_sequence((const unsigned char *)text, len);
		if (!n)
			return false;
	}
	return true;
}

/*
 * JSON strings are Unicode, names are bytes: each byte that is no UTF-8 becomes
 * U+FFFD, and json_base64() has the real ones.
 */
json_t *json_name(const char *name, size_t len)
{
	char *text = NULL;
	json_t *json;
	size_t size, n;
	FILE *out;

	if (is_utf8(name, len))
		return checked(json_stringn(name, len));
	out = checked(open_memstream(&text, &size));
	for (; len; name += n, len -= n) {
		n = utf8_sequence((const unsigned char *)name, len);
		fwrite(n ? name : "\xef\xbf\xbd", 1, n ? n : 3, out);
		n = n ? n : 1;
	}
	fclose(out);
	json = checked(json_stringn(text, size));
	free(text);
	return json;
}

json_t *json_base64(const char *name, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = checked(malloc(len / 3 * 4 + 5)), *out = text;
	json_t *json;
	size_t i, k;

	for (i = 0; i < len; i += 3) {
		uint32_t bits = 0;

		for (k = 0; k < 3; k++)
			bits = bits << 8 |
			       (i + k < len ? (unsigned char)name[i + k] : 0);
		for (k = 0; k < 4; k++)
			*out++ = i + k > len ? '=' :
				 digits[bits >> (18 - 6 * k) & 63];
	}
	json = checked(json_stringn(text, out - text));
	free(text);
	return json;
}
