/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/metrics_merge.h"
#include "services/monitor/api.h"
#include "services/monitor/facts.h"
#include "services/monitor/load.h"
#include "services/monitor/monitor.h"

#define STATUS_MAX 1000
#define QUALITY_HOURS 168
#define QUALITY_MAX_H 9600 /* 400 days, as long as evaluations are kept */

/* ---- status -------------------------------------------------------------- */

static json_t *last_json(const struct tracked *t)
{
    json_t *j = json_object();
    json_object_set_new(j, "time", time_json(t->last_hour));
    json_object_set_new(j, "value", json_number(t->last_value));
    return t->last_hour == INT64_MIN ? (json_decref(j), json_null()) : j;
}

static json_t *champion_json(const struct tracked *t)
{
    return t->champion->version ? json_pack("{s:i, s:s}", "version", t->champion->version,
                                            "algorithm", t->algorithm)
                                : json_null();
}

static json_t *short_quality(const struct tracked *t)
{
    json_t *j = json_object();
    if (!t->has_quality)
        return (json_decref(j), json_null());
    json_object_set_new(j, "mae_12h", json_number(t->quality.mae_12h));
    json_object_set_new(j, "skill_24h", json_number(t->quality.skill_24h));
    json_object_set_new(j, "coverage", json_number(t->quality.coverage));
    json_object_set_new(j, "n", json_integer(t->quality.n));
    return j;
}

/* What is wrong with a series, and what is being done about it; null when all is well. */
static json_t *drift_json(const struct tracked *t)
{
    const struct verdicts *v = &t->verdicts;
    const char *kind = v->stuck         ? "stuck"
                       : v->silent      ? "silent"
                       : v->system0     ? "system0_thresholds"
                       : v->error_risen ? "error_risen"
                       : v->skill_lost  ? "skill_lost"
                                        : NULL;
    if (!kind)
        return json_null();
    json_t *j = json_object();
    json_object_set_new(j, "kind", json_string(kind));
    json_object_set_new(j, "hour", time_json(t->judged_hour));
    json_object_set_new(j, "training",
                        json_string(t->loop.open                         ? "asked"
                                    : t->diagnosis.reason == REASON_NONE ? "none"
                                                                         : "held"));
    json_object_set_new(j, "held_by",
                        json_text(t->diagnosis.held == HELD_NOT || t->loop.open
                                      ? NULL
                                      : held_name(t->diagnosis.held)));
    return j;
}

static json_t *series_json(const struct tracked *t)
{
    json_t *j = json_object();
    json_object_set_new(j, "name", json_string(t->name));
    json_object_set_new(j, "unit", json_text(t->unit));
    json_object_set_new(j, "state", json_string(tracked_state(t)));
    json_object_set_new(j, "last", last_json(t));
    json_object_set_new(j, "champion", champion_json(t));
    json_object_set_new(j, "quality", short_quality(t));
    json_object_set_new(j, "drift", drift_json(t));
    json_object_set_new(j, "alerts", json_integer(tracked_alerts(t)));
    return j;
}

static json_t *own_readiness(const struct monitor *m)
{
    json_t *j = json_object(), *waiting = json_array();
    const struct {
        const struct dep *dep;
        const char *name;
    } needed[] = {{m->pg_dep, "postgres"}, {m->influx_dep, "influxdb"}};
    for (size_t i = 0; i < 2; i++)
        if (!dep_is_up(needed[i].dep))
            json_array_append_new(waiting, json_string(needed[i].name));
    json_object_set_new(j, "ready", json_boolean(!json_array_size(waiting)));
    json_object_set_new(j, "waiting_for", waiting);
    return j;
}

static int our_turn(const struct monitor *m, struct err *e)
{
    return dep_is_up(m->turn_dep)
               ? 0
               : err_kind(e, ERR_UNAVAILABLE, "not_our_turn",
                          "this monitor does not run the loop (yet): /readyz says why");
}

int get_status(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct monitor *m = app;
    const char *after = req_query(q, "after");
    int64_t limit = STATUS_MAX;
    if (req_query_int(q, "limit", &limit, 1, STATUS_MAX, e) || our_turn(m, e))
        return -1;
    json_t *j = json_object(), *all = json_array(), *services;
    fleet_lock(&m->fleet);
    size_t i = fleet_after(&m->fleet, after ? after : ""), end = i + (size_t)limit;
    for (; i < m->fleet.n && i < end; i++)
        json_array_append_new(all, series_json(m->fleet.all[i]));
    bool more = i < m->fleet.n;
    int64_t settled = m->settled;
    services = m->services ? json_deep_copy(m->services) : json_object();
    fleet_unlock(&m->fleet);
    json_object_set_new(services, "monitor", own_readiness(m));
    json_object_set_new(j, "time", time_json(clock_now_ms()));
    json_object_set_new(j, "settled", time_json(settled));
    json_object_set_new(j, "services", services);
    json_t *last = json_array_get(all, json_array_size(all) - 1);
    json_t *next = more ? json_incref(json_object_get(last, "name")) : json_null();
    json_object_set_new(j, "series", all);
    json_object_set_new(j, "next", next);
    return res_json(s, j, e);
}

/* ---- quality ------------------------------------------------------------- */

int get_quality(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct monitor *m = app;
    char name[SERIES_MAX + 1], device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
    const char *series = req_query(q, "series");
    int64_t hours = QUALITY_HOURS;
    if (!series)
        return err_set(e, ERR_INVALID, "parameter \"series\" is missing");
    if (series_split(series, name, device, quantity, e) ||
        req_query_int(q, "hours", &hours, 1, QUALITY_MAX_H, e))
        return -1;
    fleet_lock(&m->fleet);
    const struct tracked *t = fleet_find(&m->fleet, name);
    json_t *unit = t ? json_text(t->unit) : NULL;
    fleet_unlock(&m->fleet);
    if (!t)
        return err_set(e, ERR_NOT_FOUND, "there is no series \"%s\"", name);
    /* an evaluation stands at its hour's end */
    int64_t to = clock_hour_floor(clock_now_ms()) + HOUR_MS;
    struct influx *in = influx_new(&m->set.influx);
    json_t *points = facts_evaluations(in, device, quantity, to - hours * HOUR_MS, to, e);
    influx_free(in);
    if (!points) {
        json_decref(unit);
        return -1;
    }
    json_t *j = json_object();
    json_object_set_new(j, "series", json_string(name));
    json_object_set_new(j, "unit", unit);
    json_object_set_new(j, "points", points);
    return res_json(s, j, e);
}

/* ---- tick ---------------------------------------------------------------- */

int post_tick(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)q;
    struct monitor *m = app;
    struct report r;
    monitor_tick_now(m, &r);
    if (r.failed.code != ERR_NONE) {
        *e = r.failed;
        return -1;
    }
    if (!r.active)
        return our_turn(m, e);
    json_t *j = json_object();
    fleet_lock(&m->fleet);
    json_object_set_new(j, "time", time_json(clock_now_ms()));
    json_object_set_new(j, "settled", time_json(m->settled));
    json_object_set_new(j, "rolled_up", time_json(m->rolled_up));
    fleet_unlock(&m->fleet);
    json_object_set_new(j, "hours", json_integer(r.hours));
    json_object_set_new(j, "evaluations", json_integer(r.evaluations));
    json_object_set_new(j, "asked", json_integer(r.asked));
    json_object_set_new(j, "decisions", json_integer(r.decisions));
    json_object_set_new(j, "alerts", json_integer(r.alerts));
    return res_json(s, j, e);
}

/* ---- metrics of all ------------------------------------------------------ */

int get_metrics_all(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)q;
    (void)e;
    struct monitor *m = app;
    char *texts[N_NEIGHBOURS + 2] = {0};
    struct buf own, up;
    buf_init(&own, 8u << 20);
    buf_init(&up, 4096);
    metrics_render(m->svc.metrics, &own);
    /* a client of its own: this runs beside the loop */
    struct neighbours *ask = neighbours_new(&m->set, m->svc.metrics, NULL);
    buf_adds(&up, "# HELP fieldcast_up 1 if the service's metrics could be fetched.\n"
                  "# TYPE fieldcast_up gauge\n"
                  "fieldcast_up{service=\"monitor\"} 1\n");
    for (int i = 0; i < N_NEIGHBOURS; i++) {
        texts[i] = neighbours_metrics(ask, (enum neighbour)i);
        buf_addf(&up, "fieldcast_up{service=\"%s\"} %d\n", neighbour_names[i],
                 texts[i] != NULL);
    }
    neighbours_free(ask);
    texts[N_NEIGHBOURS] = own.data;
    texts[N_NEIGHBOURS + 1] = up.data;
    metrics_merge((const char *const *)texts, N_NEIGHBOURS + 2, &s->body);
    s->type = METRICS_CONTENT_TYPE;
    for (int i = 0; i < N_NEIGHBOURS; i++)
        free(texts[i]);
    buf_done(&own);
    buf_done(&up);
    return 0;
}
