/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values on their way into a statement, and out of its rows. */
#include "common/pg.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"

struct pg_arg pg_text(const char *s)
{
    return (struct pg_arg){.text = s};
}

struct pg_arg pg_int(int64_t v)
{
    struct pg_arg a = {.len = 1};
    snprintf(a.number, sizeof a.number, "%" PRId64, v);
    return a;
}

struct pg_arg pg_real(double v)
{
    struct pg_arg a = {.len = isnan(v) ? 0 : 1};
    if (isinf(v))
        snprintf(a.number, sizeof a.number, "%sInfinity", v < 0 ? "-" : "");
    else
        snprintf(a.number, sizeof a.number, "%.17g", v);
    return a;
}

struct pg_arg pg_time(int64_t t_ms)
{
    struct pg_arg a = {.len = 1};
    clock_format(t_ms, a.number);
    return a;
}

struct pg_arg pg_bytes(const void *p, size_t len)
{
    return (struct pg_arg){.text = p, .len = len, .binary = true};
}

int pg_rows_n(const struct pg_rows *r)
{
    return PQntuples((const PGresult *)r);
}

bool pg_is_null(const struct pg_rows *r, int row, int col)
{
    return PQgetisnull((const PGresult *)r, row, col);
}

const char *pg_get_text(const struct pg_rows *r, int row, int col)
{
    return PQgetvalue((const PGresult *)r, row, col);
}

int64_t pg_get_int(const struct pg_rows *r, int row, int col)
{
    return strtoll(pg_get_text(r, row, col), NULL, 10);
}

double pg_get_real(const struct pg_rows *r, int row, int col)
{
    return pg_is_null(r, row, col) ? NAN : strtod(pg_get_text(r, row, col), NULL);
}

json_t *pg_get_json(const struct pg_rows *r, int row, int col, struct err *e)
{
    return json_parse(pg_get_text(r, row, col),
                      (size_t)PQgetlength((const PGresult *)r, row, col),
                      "postgres: a json value", e);
}

json_t *pg_exec_json(struct pg *p, const char *sql, const struct pg_arg *args, int n_args,
                     const char *what, struct err *e)
{
    struct pg_rows *r;
    json_t *j = NULL;
    if (pg_exec(p, sql, args, n_args, &r, e))
        return NULL;
    if (pg_rows_n(r))
        j = pg_get_json(r, 0, 0, e);
    else
        err_set(e, ERR_NOT_FOUND, "there is no %s", what ? what : "row");
    pg_rows_free(r);
    return j;
}

unsigned char *pg_get_bytes(const struct pg_rows *r, int row, int col, size_t *len)
{
    if (pg_is_null(r, row, col))
        return NULL;
    unsigned char *raw =
        PQunescapeBytea((const unsigned char *)pg_get_text(r, row, col), len);
    unsigned char *copy = xmalloc(*len + 1);
    memcpy(copy, raw, *len);
    copy[*len] = '\0';
    PQfreemem(raw);
    return copy;
}

void pg_rows_free(struct pg_rows *r)
{
    PQclear((PGresult *)r);
}
