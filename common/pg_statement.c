/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of pg.h that has the server keep the plans of what is often asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/pg_internal.h"

void pg_statements_forget(struct pg *p)
{
    for (int i = 0; i < p->n_statements; i++)
        free(p->statement[i].sql);
    p->n_statements = 0;
}

/* Counts a run; NULL when there are too many to remember. */
static struct statement *known(struct pg *p, const char *sql)
{
    for (int i = 0; i < p->n_statements; i++)
        if (!strcmp(p->statement[i].sql, sql)) {
            p->statement[i].runs++;
            return &p->statement[i];
        }
    if (p->n_statements == STATEMENTS_MAX)
        return NULL;
    struct statement *st = &p->statement[p->n_statements++];
    *st = (struct statement){.sql = xstrdup(sql), .runs = 1};
    return st;
}

static int prepare(struct pg *p, struct statement *st, const char *name, struct err *e)
{
    if (!PQsendPrepare(p->conn, name, st->sql, 0, NULL))
        return pg_fail(p, NULL, e);
    PGresult *r = pg_await(p, e);
    if (!r)
        return -1;
    int rc = PQresultStatus(r) == PGRES_COMMAND_OK ? 0 : pg_fail(p, r, e);
    st->prepared = !rc;
    PQclear(r);
    return rc;
}

int pg_statement_send(struct pg *p, const char *sql, int n, const char *const *values,
                      const int *lengths, const int *formats, struct err *e)
{
    char name[16];
    struct statement *st = n ? known(p, sql) : NULL;
    snprintf(name, sizeof name, "s%d", st ? (int)(st - p->statement) : 0);
    if (st && !st->prepared && st->runs > STATEMENT_PREPARE_AFTER &&
        prepare(p, st, name, e))
        return -1;
    int sent =
        st && st->prepared
            ? PQsendQueryPrepared(p->conn, name, n, values, lengths, formats, 0)
            : PQsendQueryParams(p->conn, sql, n, NULL, values, lengths, formats, 0);
    return sent ? 0 : pg_fail(p, NULL, e);
}
