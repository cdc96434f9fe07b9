/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/act.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/registry_decisions.h"
#include "common/registry_series.h"
#include "services/monitor/load.h"

#define CREATE_BATCH 1000

void actions_init(struct actions *a)
{
    *a = (struct actions){json_array(), json_array(), json_array(), json_array(),
                          json_array()};
}

void actions_done(struct actions *a)
{
    json_decref(a->remember);
    json_decref(a->states);
    json_decref(a->decisions);
    json_decref(a->firing);
    json_decref(a->resolved);
    *a = (struct actions){0};
}

/* ---- Postgres ------------------------------------------------------------ */

/* A transaction in the session that holds the lock: after a silent reconnection another
 * monitor may be at work. */
static int begin(struct monitor *m, struct err *e)
{
    struct pg_rows *r;
    if (pg_begin(m->pg, e))
        return -1;
    if (pg_exec(m->pg, "SELECT pg_backend_pid()", PG_NONE, &r, e)) {
        pg_rollback(m->pg);
        return -1;
    }
    int64_t pid = pg_get_int(r, 0, 0);
    pg_rows_free(r);
    if (pid == m->turn_pid)
        return 0;
    pg_rollback(m->pg);
    return err_set(e, ERR_UNAVAILABLE, "the session with the lock was lost");
}

static int finish(struct monitor *m, int rc, struct err *e)
{
    if (!rc)
        rc = pg_commit(m->pg, e);
    if (rc)
        pg_rollback(m->pg);
    return rc;
}

static int exec_json(struct monitor *m, const char *sql, const json_t *rows,
                     struct err *e)
{
    struct buf b;
    if (!json_array_size(rows))
        return 0;
    buf_init(&b, 32u << 20);
    json_write(&b, rows);
    int rc = pg_exec(m->pg, sql, PG_ARGS(pg_text(b.data)), NULL, e);
    buf_done(&b);
    return rc;
}

static const char sql_firing[] =
    "INSERT INTO alerts (id, type, severity, series, value, threshold, message, started)"
    " SELECT alert_id, type, severity, series, value, threshold, message,"
    " to_timestamp(started / 1000.0) FROM jsonb_to_recordset($1::jsonb) AS x(alert_id "
    "text,"
    " type text, severity text, series text, value double precision,"
    " threshold double precision, message text, started bigint)"
    " ON CONFLICT (id) DO UPDATE SET state = 'firing', ended = NULL";
static const char sql_resolved[] =
    "UPDATE alerts SET state = 'resolved', ended = fc_now() WHERE state <> 'resolved'"
    " AND id IN (SELECT jsonb_array_elements_text($1::jsonb))";

int act_commit(struct monitor *m, const struct actions *a, struct err *e)
{
    if (begin(m, e))
        return -1;
    int rc = registry_series_remember(m->pg, a->remember, e);
    if (!rc)
        rc = registry_series_set_states(m->pg, a->states, e);
    if (!rc)
        rc = exec_json(m, sql_firing, a->firing, e);
    if (!rc)
        rc = exec_json(m, sql_resolved, a->resolved, e);
    if (!rc)
        rc = registry_decide_all(m->pg, a->decisions, e);
    return finish(m, rc, e);
}

/* One statement, which does nothing in a session without the lock. */
int act_progress(struct monitor *m, struct err *e)
{
    char *value = xasprintf("{\"cursor\":\"%s\",\"day\":%lld,\"asked\":%lld", m->cursor,
                            (long long)m->fleet_day, (long long)m->fleet_asked);
    char *whole = m->scored == INT64_MIN
                      ? xasprintf("%s}", value)
                      : xasprintf("%s,\"scored\":%lld}", value, (long long)m->scored);
    int rc = pg_exec(m->pg,
                     "INSERT INTO monitor_state SELECT 'progress', $1::jsonb"
                     " WHERE pg_backend_pid() = $2::int"
                     " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                     PG_ARGS(pg_text(whole), pg_int(m->turn_pid)), NULL, e);
    free(whole);
    free(value);
    m->unsaved = rc != 0;
    return rc;
}

static json_t *new_series(const struct monitor *m, const char *name)
{
    char device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
    struct err ignored = ERR_INIT;
    struct rules r;
    if (series_split(name, NULL, device, quantity, &ignored))
        return NULL;
    const struct quantity *q = quantity_find(quantity);
    rules_default(&r, quantity, (double)m->set.cooldown_h, (int)m->set.per_day);
    json_t *row = json_object();
    json_object_set_new(row, "name", json_string(name));
    json_object_set_new(row, "device", json_string(device));
    json_object_set_new(row, "quantity", json_string(quantity));
    json_object_set_new(row, "unit", json_text(q && *q->unit ? q->unit : NULL));
    json_object_set_new(row, "tz", json_string(m->set.tz));
    json_object_set_new(row, "state", json_string(r.forecast ? "active" : "disabled"));
    return row;
}

static void track(struct monitor *m, const json_t *row)
{
    struct tracked *t =
        fleet_add(&m->fleet, json_string_value(json_object_get(row, "name")));
    const char *unit = json_string_value(json_object_get(row, "unit"));
    t->unit = unit ? xstrdup(unit) : NULL;
    t->disabled = !strcmp(json_string_value(json_object_get(row, "state")), "disabled");
    load_rules(m, t, "{}");
}

int act_create(struct monitor *m, const char *const *names, size_t n, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < n && !rc; i += CREATE_BATCH) {
        json_t *rows = json_array(), *row;
        size_t k;
        for (k = i; k < n && k < i + CREATE_BATCH; k++) {
            row = new_series(m, names[k]);
            if (row && !fleet_find(&m->fleet, names[k]))
                json_array_append_new(rows, row);
            else
                json_decref(row);
        }
        rc = begin(m, e);
        if (!rc)
            rc = finish(m, registry_series_create(m->pg, rows, e), e);
        fleet_lock(&m->fleet);
        if (!rc)
            json_array_foreach(rows, k, row)
            {
                track(m, row);
            }
        fleet_sort(&m->fleet);
        fleet_unlock(&m->fleet);
        if (!rc)
            log_info("%zu new series", json_array_size(rows));
        json_decref(rows);
    }
    return rc;
}

/* ---- InfluxDB and the broker --------------------------------------------- */

int act_evaluations(struct monitor *m, const struct buf *lines, struct err *e)
{
    int retry_after;
    if (!lines->len)
        return 0;
    if (lines->full)
        return err_set(e, ERR_TOO_LARGE, "the evaluations of one batch are too large");
    return influx_write(m->influx, lines->data, lines->len, &retry_after, e) == INFLUX_OK
               ? 0
               : -1;
}

void act_notify(struct monitor *m, const struct actions *a)
{
    json_t *alert;
    size_t i;
    json_array_foreach(a->firing, i, alert)
    {
        struct buf b;
        json_t *out = json_deep_copy(alert);
        json_object_del(out, "started");
        buf_init(&b, 65536);
        json_write(&b, out);
        char *topic = xasprintf("alerts/%s/notification",
                                json_string_value(json_object_get(out, "sensor_id")));
        outbox_add(&m->outbox, topic, buf_take(&b, NULL));
        log_warn("alert: %s", json_string_value(json_object_get(out, "message")));
        free(topic);
        json_decref(out);
    }
}
