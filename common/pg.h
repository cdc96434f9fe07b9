/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pg: Postgres connections (libpq inside).
 *
 * A struct pg is one connection, used by one thread at a time; it connects on first use
 * and again after a loss. A pg_pool lends connections to threads. Every statement has
 * parameters (never text pasted into SQL) and a time limit. */
#ifndef FC_COMMON_PG_H
#define FC_COMMON_PG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct pg;
struct pg_pool;
struct pg_rows; /* a result; free with pg_rows_free() */

struct pg_arg {
    const char *text; /* NULL: SQL NULL */
    size_t len;       /* of binary values */
    bool binary;      /* bytea */
    char number[32];
};

struct pg_arg pg_text(const char *s); /* borrowed; NULL is fine */
struct pg_arg pg_int(int64_t v);
struct pg_arg pg_real(double v);                   /* NaN becomes NULL */
struct pg_arg pg_time(int64_t t_ms);               /* a timestamptz */
struct pg_arg pg_bytes(const void *p, size_t len); /* borrowed */
#define PG_ARGS(...)                                                                     \
    (struct pg_arg[]){__VA_ARGS__},                                                      \
        (int)(sizeof((struct pg_arg[]){__VA_ARGS__}) / sizeof(struct pg_arg))
#define PG_NONE NULL, 0

/* The row of a service's table. T: its settings struct, M: the char * that takes it. */
/* clang-format off */
#define PG_SETTINGS(T, M)                                                         \
    {"PG_CONNINFO", SET_SECRET, offsetof(T, M), NULL, 1, 4096,                     \
     "Postgres, as libpq reads it: host=... dbname=... user=... password=..."}
/* clang-format on */

/* Is it one that libpq can read, key=value or URL? ERR_INVALID without its text, which
 * may hold a password. */
int pg_check_conninfo(const char *conninfo, struct err *e) MUST_CHECK;

/* conninfo: copied. Does not connect yet. */
struct pg *pg_new(const char *conninfo);
void pg_free(struct pg *p);

/* Runs one statement. rows NULL: the result is not wanted. Time limit 30 s.
 * Errors: ERR_UNAVAILABLE (no connection, or it broke), ERR_TIMEOUT, ERR_NOT_FOUND and
 * ERR_CONFLICT (raised by our SQL functions, or a unique key), ERR_INVALID (a check
 * constraint or a bad value), else ERR_INTERNAL. */
int pg_exec(struct pg *p, const char *sql, const struct pg_arg *args, int n_args,
            struct pg_rows **rows, struct err *e) MUST_CHECK;

/* The first column of the first row as a new JSON value; NULL with *e: ERR_NOT_FOUND,
 * "there is no <what>", when there is no row, ERR_INVALID for SQL NULL. what: NULL where
 * there always is one. */
json_t *pg_exec_json(struct pg *p, const char *sql, const struct pg_arg *args, int n_args,
                     const char *what, struct err *e) MUST_CHECK;

/* Runs a statement whose one parameter is a JSON array, without its result; an empty
 * array is done at once. what: the rows' name, in the plural, for the error when they are
 * more than PG_BATCH_MAX bytes of text (ERR_TOO_LARGE). */
#define PG_BATCH_MAX (32u << 20)
int pg_exec_batch(struct pg *p, const char *sql, const json_t *rows, const char *what,
                  struct err *e) MUST_CHECK;

/* A transaction whose fc_now() is the clock's time. After a failed statement:
 * pg_rollback(). */
int pg_begin(struct pg *p, struct err *e) MUST_CHECK;
int pg_commit(struct pg *p, struct err *e) MUST_CHECK;
void pg_rollback(struct pg *p);

int pg_rows_n(const struct pg_rows *r);
bool pg_is_null(const struct pg_rows *r, int row, int col);
const char *pg_get_text(const struct pg_rows *r, int row,
                        int col); /* "" for NULL; borrowed */
int64_t pg_get_int(const struct pg_rows *r, int row, int col);
double pg_get_real(const struct pg_rows *r, int row, int col); /* NaN for NULL */
/* Times: select fc_ms(col), which gives milliseconds since 1970, and read it as an
 * integer. */
/* A json column as a new value; NULL (with *e) when it is SQL NULL or no JSON. */
json_t *pg_get_json(const struct pg_rows *r, int row, int col, struct err *e) MUST_CHECK;
/* bytea: owned copy, free(); NULL for NULL. */
unsigned char *pg_get_bytes(const struct pg_rows *r, int row, int col, size_t *len);
void pg_rows_free(struct pg_rows *r); /* NULL is fine */

/* Subscribes to NOTIFY on a channel (again after each reconnect). Then
 * pg_wait_notify() waits up to ms (real) and returns 1 if one came, 0 if not, -1 when the
 * connection is lost (the next call connects again). Takes all that came. */
int pg_listen(struct pg *p, const char *channel, struct err *e) MUST_CHECK;
int pg_wait_notify(struct pg *p, int ms, struct err *e) MUST_CHECK;

/* A pool of at most n connections. pg_pool_get() waits up to 5 s for a free one. */
struct pg_pool *pg_pool_new(const char *conninfo, int n);
void pg_pool_free(struct pg_pool *pool);
struct pg *pg_pool_get(struct pg_pool *pool, struct err *e) MUST_CHECK;
void pg_pool_put(struct pg_pool *pool, struct pg *p);

/* The newest migration applied must be the one this build was made for. */
#define SCHEMA_VERSION 2
int pg_check_schema(struct pg *p, struct err *e) MUST_CHECK;

#endif
