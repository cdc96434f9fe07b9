/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection: statements, transactions, notifications. */
#include "common/pg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/pg_internal.h"
#include "common/stop.h"

#define STATEMENT_MS 30000 /* the server gives up after so long ... */
#define ANSWER_MS 35000    /* ... and we, if not even that was heard */
#define CONNECT_MS 5000
#define LOOK_MS 200 /* between looks whether the service ends */
#define ARGS_MAX 24

int pg_check_conninfo(const char *conninfo, struct err *e)
{
    char *why = NULL;
    PQconninfoOption *read = PQconninfoParse(conninfo, &why);
    PQconninfoFree(read);
    PQfreemem(why);
    return read ? 0
                : err_set(e, ERR_INVALID,
                          "FC_PG_CONNINFO must be \"key=value ...\" or an address "
                          "\"postgresql://...\", as libpq reads them");
}

struct pg *pg_new(const char *conninfo)
{
    struct pg *p = xcalloc(1, sizeof *p);
    p->conninfo = xstrdup(conninfo);
    return p;
}

static void drop(struct pg *p)
{
    pg_statements_forget(p);
    PQfinish(p->conn);
    p->conn = NULL;
}

void pg_free(struct pg *p)
{
    if (!p)
        return;
    drop(p);
    free(p->conninfo);
    free(p->channel);
    free(p);
}

static void one_line(char *s)
{
    size_t n = strlen(s);
    while (n && (s[n - 1] == '\n' || s[n - 1] == ' '))
        s[--n] = '\0';
    for (; *s; s++)
        if (*s == '\n' || *s == '\t')
            *s = ' ';
}

static int wait_socket(PGconn *c, short events, int64_t deadline_ms)
{
    struct pollfd f = {.fd = PQsocket(c), .events = events};
    for (;;) {
        int64_t left = deadline_ms - clock_mono_ms();
        int rc = poll(&f, 1, left <= 0 ? 0 : left < LOOK_MS ? (int)left : LOOK_MS);
        if (rc > 0 || (rc < 0 && errno != EINTR))
            return rc;
        if (left <= LOOK_MS || stop_overdue())
            return 0;
    }
}

/* What a connection is set to unless the conninfo says otherwise (it comes later and
 * wins). */
static PGconn *start_connect(const char *conninfo)
{
    static const char *const keys[] = {
        "client_encoding",  "options", "gssencmode", "keepalives_idle",
        "tcp_user_timeout", "dbname",  NULL};
    char options[80], answer_ms[16];
    snprintf(options, sizeof options, "-c statement_timeout=%d -c timezone=UTC",
             STATEMENT_MS);
    snprintf(answer_ms, sizeof answer_ms, "%d", ANSWER_MS);
    const char *const values[] = {"UTF8",    options,  "disable", "15",
                                  answer_ms, conninfo, NULL};
    return PQconnectStartParams(keys, values, 1);
}

static int connect_now(struct pg *p)
{
    p->conn = start_connect(p->conninfo);
    int64_t deadline = clock_mono_ms() + CONNECT_MS;
    PostgresPollingStatusType st = PGRES_POLLING_WRITING;
    while (p->conn && PQstatus(p->conn) != CONNECTION_BAD) {
        if (wait_socket(p->conn, st == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                        deadline) <= 0)
            break;
        st = PQconnectPoll(p->conn);
        if (st == PGRES_POLLING_OK)
            return 0;
        if (st == PGRES_POLLING_FAILED)
            break;
    }
    snprintf(p->why, sizeof p->why, "%s",
             p->conn && *PQerrorMessage(p->conn) ? PQerrorMessage(p->conn) : "timed out");
    one_line(p->why);
    drop(p);
    return -1;
}

static void ignore_notice(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

/* A server that went away has closed an idle connection long before the next statement:
 * looking first saves that statement. Within a transaction the loss must be seen. */
static void look_alive(struct pg *p)
{
    if (!p->conn || PQtransactionStatus(p->conn) != PQTRANS_IDLE)
        return;
    for (int i = 0; i < 8 && wait_socket(p->conn, POLLIN, 0) > 0; i++)
        if (!PQconsumeInput(p->conn))
            break; /* now its status is bad */
}

static int connected(struct pg *p, struct err *e)
{
    look_alive(p);
    if (p->conn && PQstatus(p->conn) == CONNECTION_OK)
        return 0;
    drop(p);
    int64_t began_ms = clock_mono_ms();
    if (began_ms >= p->retry_at_ms) {
        if (connect_now(p) == 0) {
            PQsetNoticeProcessor(p->conn, ignore_notice, NULL);
            PQsetnonblocking(p->conn, 1); /* sending has a time limit too */
            return p->channel ? pg_listen(p, p->channel, e) : 0;
        }
        /* a refusal is quick and can be had again; a time-out must not pile up */
        int64_t now_ms = clock_mono_ms();
        p->retry_at_ms = now_ms + (now_ms - began_ms);
    }
    return err_set(e, ERR_UNAVAILABLE, "could not connect to postgres: %s", p->why);
}

/* Postgres' five-character codes, or their first two, and who can mend it. */
static enum err_code code_of(const char *state)
{
    static const struct {
        const char *state;
        enum err_code code;
    } codes[] = {
        {"FC404", ERR_NOT_FOUND}, /* raised by our functions */
        {"FC409", ERR_CONFLICT},
        {"23505", ERR_CONFLICT}, /* a key that is there already */
        {"23503", ERR_CONFLICT}, /* a row that others point to */
        {"23", ERR_INVALID},     /* other constraints */
        {"22", ERR_INVALID},     /* malformed values */
        {"57014", ERR_TIMEOUT},
        {"08", ERR_UNAVAILABLE},    /* connection */
        {"25006", ERR_UNAVAILABLE}, /* read-only: a standby */
        {"26000", ERR_UNAVAILABLE}, /* somebody has discarded our statements */
        {"40", ERR_UNAVAILABLE},    /* deadlock and the like: try again */
        {"53", ERR_UNAVAILABLE},    /* out of memory, disk or connections */
        {"55P03", ERR_UNAVAILABLE}, /* a lock */
        {"57", ERR_UNAVAILABLE},    /* shutting down, starting up */
        {"58", ERR_UNAVAILABLE},    /* input or output failed there */
    };
    for (size_t i = 0; state && i < sizeof codes / sizeof *codes; i++)
        if (!strncmp(state, codes[i].state, strlen(codes[i].state)))
            return codes[i].code;
    return ERR_INTERNAL;
}

int pg_fail(struct pg *p, PGresult *r, struct err *e)
{
    char text[400];
    const char *primary = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    snprintf(text, sizeof text, "%s", primary ? primary : PQerrorMessage(p->conn));
    one_line(text);
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    enum err_code code = code_of(state);
    if (PQstatus(p->conn) != CONNECTION_OK)
        code = ERR_UNAVAILABLE;
    if (code == ERR_UNAVAILABLE)
        drop(p); /* a fresh start is right for all of these */
    bool ours = state && !strncmp(state, "FC", 2); /* a sentence of our functions */
    return err_set(e, code, "%s%s", ours ? "" : "postgres: ", text);
}

/* Waits for the statement under way; the last result, or NULL. */
PGresult *pg_await(struct pg *p, struct err *e)
{
    int64_t began = clock_mono_ms(), deadline = began + ANSWER_MS;
    for (;;) {
        int unsent = PQflush(p->conn);
        if (unsent < 0 || !PQconsumeInput(p->conn)) {
            pg_fail(p, NULL, e);
            return NULL;
        }
        if (!unsent && !PQisBusy(p->conn))
            break;
        if (wait_socket(p->conn, (short)(POLLIN | (unsent ? POLLOUT : 0)), deadline) <=
            0) {
            drop(p);
            err_set(e, ERR_TIMEOUT, "postgres did not answer within %d s",
                    (int)((clock_mono_ms() - began) / 1000));
            return NULL;
        }
    }
    PGresult *last = PQgetResult(p->conn);
    for (PGresult *more; last && (more = PQgetResult(p->conn));)
        PQclear(more);
    if (!last)
        pg_fail(p, NULL, e);
    return last;
}

int pg_exec(struct pg *p, const char *sql, const struct pg_arg *args, int n_args,
            struct pg_rows **rows, struct err *e)
{
    const char *values[ARGS_MAX];
    int lengths[ARGS_MAX], formats[ARGS_MAX];
    if (n_args > ARGS_MAX)
        abort(); /* a fault of the program, found by its first test */
    for (int i = 0; i < n_args; i++) {
        values[i] = args[i].text ? args[i].text : args[i].len ? args[i].number : NULL;
        lengths[i] = args[i].binary ? (int)args[i].len : 0;
        formats[i] = args[i].binary;
    }
    if (rows)
        *rows = NULL;
    if (connected(p, e))
        return -1;
    if (pg_statement_send(p, sql, n_args, values, lengths, formats, e))
        return -1;
    PGresult *r = pg_await(p, e);
    if (!r)
        return -1;
    ExecStatusType st = PQresultStatus(r);
    int rc = 0;
    if (st != PGRES_TUPLES_OK && st != PGRES_COMMAND_OK)
        rc = pg_fail(p, r, e);
    if (rc || !rows)
        PQclear(r);
    else
        *rows = (struct pg_rows *)r;
    return rc;
}

int pg_begin(struct pg *p, struct err *e)
{
    if (pg_exec(p, "BEGIN", PG_NONE, NULL, e))
        return -1;
    if (pg_exec(p, "SELECT set_config('fieldcast.now_ms', $1, true)",
                PG_ARGS(pg_int(clock_now_ms())), NULL, e)) {
        pg_rollback(p);
        return -1;
    }
    return 0;
}

int pg_commit(struct pg *p, struct err *e)
{
    /* COMMIT after a failed statement, or on a fresh connection, "succeeds" */
    if (!p->conn || PQtransactionStatus(p->conn) != PQTRANS_INTRANS)
        return err_set(e, ERR_INTERNAL,
                       "postgres: there is no whole transaction to commit");
    return pg_exec(p, "COMMIT", PG_NONE, NULL, e);
}

void pg_rollback(struct pg *p)
{
    PGTransactionStatusType st = p->conn ? PQtransactionStatus(p->conn) : PQTRANS_IDLE;
    if (st == PQTRANS_IDLE)
        return;
    if (st == PQTRANS_UNKNOWN || pg_exec(p, "ROLLBACK", PG_NONE, NULL, NULL))
        drop(p);
}

int pg_listen(struct pg *p, const char *channel, struct err *e)
{
    if (p->channel != channel) {
        free(p->channel);
        p->channel = xstrdup(channel);
    }
    if (!p->conn)
        return connected(p, e); /* subscribes on its way */
    char *name = PQescapeIdentifier(p->conn, channel, strlen(channel));
    char *sql = xasprintf("LISTEN %s", name);
    int rc = pg_exec(p, sql, PG_NONE, NULL, e);
    free(sql);
    PQfreemem(name);
    return rc;
}

int pg_wait_notify(struct pg *p, int ms, struct err *e)
{
    if (connected(p, e))
        return -1;
    int64_t deadline = clock_mono_ms() + ms;
    for (;;) {
        if (!PQconsumeInput(p->conn))
            return pg_fail(p, NULL, e);
        int n = 0;
        for (PGnotify *note; (note = PQnotifies(p->conn)); n++)
            PQfreemem(note);
        if (n)
            return 1;
        int rc = wait_socket(p->conn, POLLIN, deadline);
        if (rc <= 0)
            return 0;
    }
}
