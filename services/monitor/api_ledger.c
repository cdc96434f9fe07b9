/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/registry_decisions.h"
#include "services/monitor/api.h"
#include "services/monitor/load.h"
#include "services/monitor/monitor.h"

#define PAGE_MAX 1000
#define LAST_MS INT64_C(253402300799000) /* the end of the year 9999 */
#define KIND_MAX 40

/* ?series= in its canonical spelling; NULL when absent. */
static int query_series(const struct req *q, char name[SERIES_MAX + 1],
                        const char **series, struct err *e)
{
    char device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
    const char *v = req_query(q, "series");
    *series = NULL;
    if (!v)
        return 0;
    if (series_split(v, name, device, quantity, e))
        return -1;
    *series = name;
    return 0;
}

static int query_word(const struct req *q, const char *key, const char **out,
                      struct err *e)
{
    const char *v = req_query(q, key);
    *out = v && *v ? v : NULL;
    if (v && (strlen(v) > KIND_MAX ||
              strspn(v, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(v)))
        return err_set(e, ERR_INVALID,
                       "parameter \"%s\" must be a word in lower case, not \"%.60s\"",
                       key, v);
    return 0;
}

/* What served at a time, and why. */
static int served(struct monitor *m, const struct req *q, const char *series,
                  int64_t limit, struct res *s, struct err *e)
{
    int64_t at = 0;
    const char *after = req_query(q, "after");
    if (req_query_time(q, "at", &at, e))
        return -1;
    struct pg *p = pg_pool_get(m->pool, e);
    if (!p)
        return -1;
    json_t *items =
        registry_served_json(p, series, at, after ? after : "", (int)limit, e);
    pg_pool_put(m->pool, p);
    if (!items)
        return -1;
    size_t n = json_array_size(items);
    const char *last =
        json_string_value(json_object_get(json_array_get(items, n - 1), "series"));
    char next[SERIES_MAX + 1] = "";
    if (n == (size_t)limit && last)
        snprintf(next, sizeof next, "%s", last);
    return res_items(s, items, *next ? next : NULL, e);
}

int get_decisions(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct monitor *m = app;
    char name[SERIES_MAX + 1];
    const char *series, *kind;
    int64_t limit = 100, before = INT64_MAX, from = 0, to = LAST_MS;
    if (query_series(q, name, &series, e) || query_word(q, "kind", &kind, e) ||
        req_query_int(q, "limit", &limit, 1, PAGE_MAX, e))
        return -1;
    if (req_query(q, "at"))
        return served(m, q, series, limit, s, e);
    if (req_query_int(q, "after", &before, 1, INT64_MAX, e) ||
        req_query_time(q, "from", &from, e) || req_query_time(q, "to", &to, e))
        return -1;
    struct pg *p = pg_pool_get(m->pool, e);
    if (!p)
        return -1;
    json_t *items =
        registry_decisions_json(p, series, kind, before, from, to, (int)limit, e);
    pg_pool_put(m->pool, p);
    if (!items)
        return -1;
    char next[32] = "";
    size_t n = json_array_size(items);
    if (n == (size_t)limit)
        snprintf(next, sizeof next, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(json_object_get(json_array_get(items, n - 1), "id")));
    return res_items(s, items, *next ? next : NULL, e);
}

int get_decision(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct monitor *m = app;
    char *end;
    long long id = strtoll(q->params[0], &end, 10);
    if (*end || id < 1 || strlen(q->params[0]) > 18)
        return err_set(e, ERR_INVALID, "\"%.60s\" is not the number of a decision",
                       q->params[0]);
    struct pg *p = pg_pool_get(m->pool, e);
    if (!p)
        return -1;
    json_t *j = registry_decision_json(p, id, e);
    pg_pool_put(m->pool, p);
    return j ? res_json(s, j, e) : -1;
}

int get_verify(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)q;
    struct monitor *m = app;
    struct pg *p = pg_pool_get(m->pool, e);
    if (!p)
        return -1;
    json_t *j = registry_decisions_verify_json(p, e);
    pg_pool_put(m->pool, p);
    return j ? res_json(s, j, e) : -1;
}

/* ---- alerts -------------------------------------------------------------- */

static json_t *alert_json(const struct pg_rows *r, int i)
{
    json_t *j = json_object();
    json_object_set_new(j, "alert_id", json_string(pg_get_text(r, i, 0)));
    json_object_set_new(j, "type", json_string(pg_get_text(r, i, 1)));
    json_object_set_new(j, "severity", json_string(pg_get_text(r, i, 2)));
    json_object_set_new(j, "series",
                        json_text(pg_is_null(r, i, 3) ? NULL : pg_get_text(r, i, 3)));
    json_object_set_new(j, "state", json_string(pg_get_text(r, i, 4)));
    json_object_set_new(j, "value", json_number(pg_get_real(r, i, 5)));
    json_object_set_new(j, "threshold", json_number(pg_get_real(r, i, 6)));
    json_object_set_new(j, "message", json_string(pg_get_text(r, i, 7)));
    json_object_set_new(j, "started", time_json(pg_get_int(r, i, 8)));
    json_object_set_new(j, "ended",
                        time_json(pg_is_null(r, i, 9) ? INT64_MIN : pg_get_int(r, i, 9)));
    return j;
}

/* The page goes on after an alert: by start, then id. */
static const char sql_alerts[] =
    "SELECT id, type, severity, series, state, value, threshold, message, fc_ms(started),"
    " fc_ms(ended) FROM alerts WHERE ($1::text IS NULL OR series = $1)"
    " AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR (started, id) <"
    " (SELECT started, id FROM alerts WHERE id = $3))"
    " ORDER BY started DESC, id DESC LIMIT $4";

int get_alerts(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct monitor *m = app;
    char name[SERIES_MAX + 1];
    const char *series, *state, *after = req_query(q, "after");
    int64_t limit = 100;
    struct pg_rows *r;
    if (query_series(q, name, &series, e) || query_word(q, "state", &state, e) ||
        req_query_int(q, "limit", &limit, 1, PAGE_MAX, e))
        return -1;
    if (state && strcmp(state, "firing") != 0 && strcmp(state, "acknowledged") != 0 &&
        strcmp(state, "resolved") != 0)
        return err_set(
            e, ERR_INVALID,
            "parameter \"state\" must be firing, acknowledged or resolved, not "
            "\"%.60s\"",
            state);
    struct pg *p = pg_pool_get(m->pool, e);
    if (!p)
        return -1;
    int rc = pg_exec(
        p, sql_alerts,
        PG_ARGS(pg_text(series), pg_text(state), pg_text(after), pg_int(limit)), &r, e);
    pg_pool_put(m->pool, p);
    if (rc)
        return -1;
    json_t *items = json_array();
    int n = pg_rows_n(r);
    for (int i = 0; i < n; i++)
        json_array_append_new(items, alert_json(r, i));
    rc = res_items(s, items, n == limit ? pg_get_text(r, n - 1, 0) : NULL, e);
    pg_rows_free(r);
    return rc;
}
