/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pg_internal: what the files of pg.h share. Nobody else includes it. */
#ifndef FC_COMMON_PG_INTERNAL_H
#define FC_COMMON_PG_INTERNAL_H

#include <libpq-fe.h>

#include "common/pg.h"

/* A statement that this connection has run. After STATEMENT_PREPARE_AFTER times the
 * server keeps its plan: parsing and planning are a fifth of the time of the short ones.
 */
#define STATEMENTS_MAX 64
#define STATEMENT_PREPARE_AFTER 3
struct statement {
    char *sql; /* owned */
    unsigned runs;
    bool prepared;
};

struct pg {
    char *conninfo, *channel;
    struct statement statement[STATEMENTS_MAX];
    int n_statements;
    PGconn *conn;        /* NULL: not connected */
    int64_t retry_at_ms; /* until then calls fail at once, for the same reason */
    char why[200];
};

/* pg.c: what went wrong, with the code for it; drops the connection where a fresh start
 * is right. r: borrowed, NULL if there is none. Returns -1. */
int pg_fail(struct pg *p, PGresult *r, struct err *e);
/* Waits for what is under way; the last result, or NULL. */
PGresult *pg_await(struct pg *p, struct err *e);

/* pg_statement.c: sends a statement, prepared if it is often run. */
int pg_statement_send(struct pg *p, const char *sql, int n, const char *const *values,
                      const int *lengths, const int *formats, struct err *e) MUST_CHECK;
/* The connection is gone, and the server's plans with it. */
void pg_statements_forget(struct pg *p);

#endif
