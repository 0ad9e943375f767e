/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How an object is printed: as a line of a table, or alone.
 */
#ifndef IPCX_OBJECT_H
#define IPCX_OBJECT_H

#include "model.h"
#include "print.h"

void object_fields(struct report *report, const struct object *object);
int object_print(const struct object *object, bool json);

/* As JSON, what has been made of it; what was tried is in @attempt. */
int print_target(const struct attempt *attempt);

#endif /* IPCX_OBJECT_H */
