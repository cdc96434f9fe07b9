/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/monitor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/registry_series.h"
#include "common/sha256.h"
#include "services/monitor/act.h"
#include "services/monitor/api.h"
#include "services/monitor/gauges.h"
#include "services/monitor/load.h"
#include "services/monitor/round.h"
#include "services/monitor/work.h"

#define PROBE_MS 1000 /* how often neighbours are asked how they are */

static const struct service_desc service = {
    .name = "monitor",
    .sentence = "scores forecasts, watches series, asks for trainings",
    .settings = monitor_settings_table,
    .routes = monitor_routes,
};
const struct service_desc *const monitor_service = &service;

static void on_broker(void *arg, bool up, const char *why)
{
    struct monitor *m = arg;
    if (up)
        dep_up(m->broker_dep);
    else
        dep_down(m->broker_dep, why);
}

static void open_deps(struct monitor *m)
{
    m->turn_dep = service_dep(&m->svc, "turn", true);
    m->pg_dep = service_dep(&m->svc, "postgres", true);
    m->influx_dep = service_dep(&m->svc, "influxdb", true);
    m->broker_dep = service_dep(&m->svc, "broker", false);
    for (int i = 0; i < N_NEIGHBOURS; i++)
        m->neighbour_deps[i] = service_dep(&m->svc, neighbour_names[i], false);
}

static int open_broker(struct monitor *m, struct err *e)
{
    char made_up[40] = "fieldcast-monitor-", *end = made_up + strlen(made_up);
    if (random_hex(end, 6))
        return err_set(e, ERR_INTERNAL, "the system has no random bytes");
    struct mqtt_opts o = mqtt_opts_from(&m->set.mqtt);
    o.client_id = *o.client_id ? o.client_id : made_up;
    o.clean = true;
    o.on_state = on_broker;
    o.arg = m;
    m->mqtt = mqtt_open(&o, e);
    return m->mqtt ? 0 : -1;
}

static int check_zone(struct monitor *m, struct err *e)
{
    int64_t now_s = clock_now_ms() / 1000;
    struct zone ignored;
    return registry_zone(m->pg, m->set.tz, now_s, now_s, &ignored, e)
               ? err_prefix(e, "FC_TZ")
               : 0;
}

/* A schema of another version, or a zone that there is not, ends the start; a database
 * that is away does not. */
static int check_schema(struct monitor *m, struct err *e)
{
    struct err why = ERR_INIT;
    if (pg_check_schema(m->pg, &why) == 0 && check_zone(m, &why) == 0)
        return 0;
    if (why.code == ERR_UNAVAILABLE || why.code == ERR_TIMEOUT) {
        dep_down(m->pg_dep, why.text);
        return 0;
    }
    *e = why;
    return -1;
}

int monitor_open(struct monitor *m, struct err *e)
{
    pthread_mutex_init(&m->run, NULL);
    fleet_init(&m->fleet);
    m->ahead = json_array();
    m->rolled_up = m->settled = m->scored = m->jumped_to = INT64_MIN;
    if (service_open(&m->svc, &service, &m->set.common, e))
        return -1;
    open_deps(m);
    gauges_open(m);
    m->pg = pg_new(m->set.pg_conninfo);
    m->pool = pg_pool_new(m->set.pg_conninfo, (int)m->set.common.http_workers);
    m->influx = influx_new(&m->set.influx);
    m->ask = neighbours_new(&m->set, m->svc.metrics, m->neighbour_deps);
    if (check_schema(m, e) || open_broker(m, e))
        return -1;
    return service_listen(&m->svc, m, e);
}

void monitor_close(struct monitor *m)
{
    if (!m->svc.desc) { /* it ended before anything was opened */
        monitor_settings_done(&m->set);
        return;
    }
    service_unlisten(&m->svc);
    mqtt_close(m->mqtt);
    outbox_done(&m->outbox);
    neighbours_free(m->ask);
    influx_free(m->influx);
    pg_pool_free(m->pool);
    pg_free(m->pg);
    fleet_done(&m->fleet);
    fields_done(&m->fields);
    json_decref(m->services);
    json_decref(m->ahead);
    pthread_mutex_destroy(&m->run);
    service_close(&m->svc);
    monitor_settings_done(&m->set);
}

/* ---- a tick -------------------------------------------------------------- */

/* What one look at Postgres tells. */
struct pulse {
    bool ours;         /* this session holds the lock: it is our turn */
    int64_t model_seq; /* newest */
    int64_t open_jobs;
};

/* The lock belongs to the session: when that breaks, another monitor may take its turn,
 * and what we knew may be old. */
static int pulse(struct monitor *m, struct pulse *p, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(m->pg,
                "SELECT pg_backend_pid(), CASE WHEN pg_backend_pid() = $1::int THEN true"
                " ELSE pg_try_advisory_lock(4203) END,"
                " (SELECT coalesce(max(model_seq), 0) FROM model_versions),"
                " (SELECT count(*) FROM jobs WHERE state IN ('queued', 'running'))",
                PG_ARGS(pg_int(m->turn_pid)), &r, e))
        return -1;
    int64_t pid = pg_get_int(r, 0, 0);
    p->ours = *pg_get_text(r, 0, 1) == 't';
    p->model_seq = pg_get_int(r, 0, 2);
    p->open_jobs = pg_get_int(r, 0, 3);
    pg_rows_free(r);
    if (!p->ours || pid != m->turn_pid)
        m->loaded = false;
    m->turn_pid = p->ours ? pid : 0;
    return 0;
}

static int take_turn(struct monitor *m, struct pulse *p, struct err *e)
{
    /* after a restore or an upgrade the schema may be another than at the start */
    bool again = !dep_is_up(m->pg_dep);
    if ((again && pg_check_schema(m->pg, e)) || pulse(m, p, e)) {
        m->turn_pid = 0;
        dep_down(m->pg_dep, e->text);
        return -1;
    }
    dep_up(m->pg_dep);
    if (!p->ours)
        dep_down(m->turn_dep, "another monitor is at work; this one waits");
    return 0;
}

static int load(struct monitor *m, const struct pulse *p, struct err *e)
{
    if (!m->loaded) {
        if (load_all(m, e))
            return -1;
        m->loaded = true;
        m->look = true;
        log_info("%zu series; scored up to %s", m->fleet.n,
                 m->scored == INT64_MIN
                     ? "nothing yet"
                     : clock_format(m->scored, (char[CLOCK_RFC3339_SIZE]){0}));
    }
    if (load_champions(m, p->model_seq, e))
        return -1;
    return load_jobs(m, e);
}

static int work(struct monitor *m, struct report *r, struct err *e)
{
    struct feed feed;
    if (neighbours_feed(m->ask, m->cursor, &feed, e))
        return -1;
    m->discover |= feed.reset;
    fleet_lock(&m->fleet);
    m->rolled_up = feed.rolled_up;
    fleet_unlock(&m->fleet);
    int rc = round_run(m, &feed, r, e);
    json_decref(feed.items);
    return rc;
}

/* Is something wanted that is neither asked for nor refused yet, or to be scored again?
 */
static bool pending(const struct monitor *m)
{
    for (size_t i = 0; i < m->fleet.n; i++)
        if (m->fleet.all[i]->unsent || m->fleet.all[i]->waiting ||
            work_unscored(m->fleet.all[i]))
            return true;
    return false;
}

/* Versions without an alias have a model_seq too, which predictor need not have met. */
static bool caught_up(struct monitor *m, int64_t newest, int64_t known, struct err *e)
{
    struct pg_rows *r;
    if (known >= newest)
        return true;
    if (pg_exec(m->pg,
                "SELECT 1 FROM model_versions v JOIN model_aliases a"
                " ON a.name = v.name AND a.version = v.version"
                " WHERE v.model_seq > $1 AND a.alias = 'champion' LIMIT 1",
                PG_ARGS(pg_int(known)), &r, e))
        return false;
    bool none = pg_rows_n(r) == 0;
    pg_rows_free(r);
    return none;
}

/* The newest hour that is rolled up, scored and forecast, with no training under way. */
static int settle(struct monitor *m, struct err *e)
{
    struct pulse p;
    int64_t forecast, seq, h = m->scored;
    if (h == INT64_MIN || h == m->settled || pending(m))
        return 0;
    if (pulse(m, &p, e) || !p.ours || p.open_jobs)
        return 0;
    if (load_champions(m, p.model_seq, e) ||
        neighbours_progress(m->ask, &forecast, &seq, e))
        return -1;
    if (!caught_up(m, p.model_seq, seq, e))
        return 0;
    bool models = false;
    for (size_t i = 0; i < m->fleet.n && !models; i++)
        models = m->fleet.all[i]->champion->version > 0;
    if (models && forecast < h)
        h = forecast;
    fleet_lock(&m->fleet);
    if (h > m->settled)
        m->settled = h;
    fleet_unlock(&m->fleet);
    return 0;
}

/* May what is done once a second be done again? */
static bool second_passed(int64_t *last_ms)
{
    if (*last_ms && clock_mono_ms() - *last_ms < PROBE_MS)
        return false;
    *last_ms = clock_mono_ms();
    return true;
}

static void ping(struct monitor *m)
{
    struct err e = ERR_INIT;
    if (!second_passed(&m->pinged_ms))
        return;
    if (influx_check(m->influx, &e))
        dep_down(m->influx_dep, e.text);
    else
        dep_up(m->influx_dep);
}

/* How the neighbours are, for /api/v1/status. After the loop's work: a neighbour that is
 * slow to refuse must not hold up the first tick. */
static void probe(struct monitor *m)
{
    if (!second_passed(&m->probed_ms))
        return;
    json_t *all = json_object();
    for (int i = 0; i < N_NEIGHBOURS; i++)
        json_object_set_new(all, neighbour_names[i],
                            neighbours_readiness(m->ask, (enum neighbour)i));
    fleet_lock(&m->fleet);
    json_t *old = m->services;
    m->services = all;
    fleet_unlock(&m->fleet);
    json_decref(old);
}

static int steps(struct monitor *m, struct report *r, struct err *e)
{
    struct pulse p = {0};
    if (take_turn(m, &p, e))
        return -1;
    r->active = p.ours;
    if (!p.ours)
        return 0;
    if (load(m, &p, e))
        return -1;
    dep_up(m->turn_dep); /* and not before the series are known */
    int rc = work(m, r, e);
    act_ask(m);
    /* last, so that who reads it finds all of the hour's work done */
    if (!rc && m->unsaved)
        rc = act_progress(m, e);
    return rc ? rc : settle(m, e);
}

/* What stops the loop is said when it begins, and when something else does (who it is
 * stands before the colon; the rest of the text may differ each time); and so is that it
 * goes on. Between, /readyz and /metrics tell. */
static void complain(struct monitor *m, const char *text)
{
    size_t who = strcspn(text, ":");
    bool same = *text && !strncmp(m->complaint, text, who) && m->complaint[who] == ':';
    if (same || (!*text && !*m->complaint))
        return;
    if (*text)
        log_warn("the loop waits: %s", text);
    else
        log_info("the loop goes on");
    snprintf(m->complaint, sizeof m->complaint, "%s", text);
}

void monitor_tick_now(struct monitor *m, struct report *r)
{
    *r = (struct report){.failed = ERR_INIT};
    pthread_mutex_lock(&m->run);
    int64_t start = clock_mono_us();
    ping(m);
    if (steps(m, r, &r->failed) == 0)
        r->failed = (struct err)ERR_INIT;
    complain(m, r->failed.text);
    outbox_flush(&m->outbox, m->mqtt);
    probe(m);
    gauges_tick(m, (double)(clock_mono_us() - start) / 1e6);
    pthread_mutex_unlock(&m->run);
}

void monitor_tick(struct monitor *m)
{
    struct report r;
    monitor_tick_now(m, &r);
}
