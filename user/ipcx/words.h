/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How values read: names of types, sizes, times, users, objects' names.
 * Functions that return char * give a string to be freed.
 */
#ifndef IPCX_WORDS_H
#define IPCX_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

const char *type_word(uint32_t type);
bool parse_type(const char *text, uint32_t *type);
const char *lifetime_word(uint32_t lifetime);
bool parse_lifetime(const char *text, uint32_t *lifetime);
const char *user_word(uint32_t uid);
const char *group_word(uint32_t gid);

char *size_words(uint64_t bytes);
char *time_words(uint64_t ns);
char *name_words(const char *name, size_t len);
char *shell_words(const char *name);
char *argument_words(const char *argument);

char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* IPCX_WORDS_H */
