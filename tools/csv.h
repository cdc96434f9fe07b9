/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv: reads a CSV file row by row, as RFC 4180 has it: fields between commas, in quotes
 * where they hold commas, quotes (doubled) or line breaks; LF or CRLF; a byte order mark
 * and empty lines are skipped. Nothing but the row at hand is kept. Every error names the
 * file, the line and the column. One thread at a time. */
#ifndef FC_TOOLS_CSV_H
#define FC_TOOLS_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define CSV_ROW_MAX 16777216 /* bytes */
#define CSV_FIELDS_MAX 200000

struct csv;

/* path "-": standard input. NULL on error. */
struct csv *csv_open(const char *path, struct err *e) MUST_CHECK;
void csv_close(struct csv *c); /* NULL is fine */

/* Reads the next row: 1, 0 at the end, -1 on error. Fields are valid until the next call.
 */
int csv_next(struct csv *c, struct err *e) MUST_CHECK;
size_t csv_fields(const struct csv *c);
const char *csv_field(const struct csv *c, size_t i); /* "" past the end */
size_t csv_line(const struct csv *c);                 /* on which the row began, from 1 */

/* Keeps the row at hand as the header: later errors call columns by its names. */
void csv_header(struct csv *c);
/* Index of a column in the header (without regard to case), -1 if there is none. */
int csv_column(const struct csv *c, const char *name);
const char *csv_column_name(const struct csv *c, size_t i); /* "" if there is none */

/* Fills e with "file, line, column (name): text". Returns -1. */
int csv_refuse(const struct csv *c, size_t i, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Field i as a number; empty, NA, NaN, null and None are NaN. */
int csv_real(const struct csv *c, size_t i, double *out, struct err *e) MUST_CHECK;
bool csv_is_real(const struct csv *c, size_t i); /* would csv_real() take it? */

/* Field i as a time: RFC 3339, epoch seconds or milliseconds; "2026-11-20 10:00:00"
 * without a zone is taken as UTC. */
int csv_time(const struct csv *c, size_t i, int64_t *t_ms, struct err *e) MUST_CHECK;

/* Writing: a field, in quotes where it needs them. */
void csv_add(struct buf *b, const char *field);

#endif
