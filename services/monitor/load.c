/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/registry_series.h"

#define PAGE 1000

json_t *time_json(int64_t t_ms)
{
    char text[CLOCK_RFC3339_SIZE];
    return t_ms == INT64_MIN ? json_null() : json_string(clock_format(t_ms, text));
}

json_t *quality_json(const struct quality *q)
{
    json_t *j = json_object();
    json_object_set_new(j, "n", json_integer(q->n));
    json_object_set_new(j, "missing", json_integer(q->missing));
    json_object_set_new(j, "version", json_integer(q->version));
    json_object_set_new(j, "mae_4h", json_number(q->mae_4h));
    json_object_set_new(j, "rmse_4h", json_number(q->rmse_4h));
    json_object_set_new(j, "mae_12h", json_number(q->mae_12h));
    json_object_set_new(j, "rmse_12h", json_number(q->rmse_12h));
    json_object_set_new(j, "r2_12h", json_number(q->r2_12h));
    json_object_set_new(j, "bias_12h", json_number(q->bias_12h));
    json_object_set_new(j, "ewma", json_number(q->ewma));
    json_object_set_new(j, "skill_24h", json_number(q->skill_24h));
    json_object_set_new(j, "skill_n", json_integer(q->skill_n));
    json_object_set_new(j, "coverage", json_number(q->coverage));
    return j;
}

static json_t *ms_json(int64_t t_ms)
{
    return t_ms == INT64_MIN ? json_null() : json_integer(t_ms);
}

json_t *remember_json(const struct tracked *t)
{
    const struct loop_state *l = &t->loop;
    json_t *c = json_object(), *row = json_object();
    json_object_set_new(c, "day", json_integer(l->day));
    json_object_set_new(c, "losses", json_integer(l->losses));
    json_object_set_new(c, "grown_at", json_integer(l->grown_at));
    json_object_set_new(c, "change", ms_json(l->change_ms));
    json_object_set_new(c, "follow_ups", json_integer(l->follow_ups));
    json_object_set_new(c, "open", json_boolean(l->open));
    json_object_set_new(c, "job", json_integer(t->job));
    json_object_set_new(c, "unsent", json_boolean(t->unsent));
    json_object_set_new(c, "asked_for", json_string(reason_name(t->asked_for)));
    json_object_set_new(c, "first_hour", ms_json(t->first_hour));
    json_object_set_new(c, "live", json_boolean(t->live));
    json_object_set_new(c, "hours", json_integer(t->hours));
    json_object_set_new(c, "maybe", json_integer(t->maybe));
    json_object_set_new(row, "series", json_string(t->name));
    json_object_set_new(row, "quality",
                        t->has_quality ? quality_json(&t->quality) : json_object());
    json_object_set_new(row, "checks", c);
    json_object_set_new(row, "last_hour", ms_json(t->last_hour));
    json_object_set_new(row, "last_value", json_number(t->last_value));
    json_object_set_new(row, "last_asked", ms_json(l->last_asked_ms));
    json_object_set_new(row, "asked_today", json_integer(l->asked_today));
    return row;
}

static int64_t whole(const json_t *o, const char *key, int64_t dflt)
{
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) ? json_integer_value(v) : dflt;
}

static double real(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static void recall_quality(struct tracked *t, const char *text)
{
    json_t *q = text ? json_loads(text, 0, NULL) : NULL;
    t->has_quality = json_object_size(q) > 0;
    t->quality = (struct quality){
        .n = (int)whole(q, "n", 0),
        .missing = (int)whole(q, "missing", 0),
        .version = (int)whole(q, "version", 0),
        .mae_4h = real(q, "mae_4h"),
        .rmse_4h = real(q, "rmse_4h"),
        .mae_12h = real(q, "mae_12h"),
        .rmse_12h = real(q, "rmse_12h"),
        .r2_12h = real(q, "r2_12h"),
        .bias_12h = real(q, "bias_12h"),
        .ewma = real(q, "ewma"),
        .skill_24h = real(q, "skill_24h"),
        .skill_n = (int)whole(q, "skill_n", 0),
        .coverage = real(q, "coverage"),
    };
    json_decref(q);
}

static void recall_loop(struct tracked *t, const char *text)
{
    json_t *c = text ? json_loads(text, 0, NULL) : NULL;
    const char *why = json_string_value(json_object_get(c, "asked_for"));
    t->loop.day = whole(c, "day", 0);
    t->loop.losses = (int)whole(c, "losses", 0);
    t->loop.grown_at = (int)whole(c, "grown_at", 0);
    t->loop.change_ms = whole(c, "change", INT64_MIN);
    t->loop.follow_ups = (int)whole(c, "follow_ups", 0);
    t->loop.open = json_is_true(json_object_get(c, "open"));
    t->job = whole(c, "job", 0);
    t->unsent = json_is_true(json_object_get(c, "unsent"));
    t->asked_for = why ? reason_find(why) : REASON_NONE;
    t->first_hour = whole(c, "first_hour", INT64_MIN);
    const json_t *live = json_object_get(c, "live");
    t->live = live ? json_is_true(live) : t->last_hour != INT64_MIN;
    t->hours = (int)whole(c, "hours", 0);
    t->maybe = (int)whole(c, "maybe", c ? 0 : FULL_HISTORY_H);
    /* an open job that nobody can ask about would stay open for ever */
    if (t->loop.open && !t->job && !t->unsent)
        t->loop.open = false;
    json_decref(c);
}

void load_rules(const struct monitor *m, struct tracked *t, const char *settings)
{
    struct err e = ERR_INIT;
    struct rules r;
    json_t *j = json_parse(settings, strlen(settings), "it", &e);
    rules_default(&r, t->quantity, (double)m->set.cooldown_h, (int)m->set.per_day);
    t->rules = r;
    if (!j || rules_apply(&r, t->quantity, j, &e))
        log_warn("the settings of series %s do not hold, defaults do: %s", t->name,
                 e.text);
    else
        t->rules = r;
    json_decref(j);
    free(t->settings);
    t->settings = xstrdup(settings);
}

struct loading {
    const struct monitor *m;
    struct fleet *into;
};

static void add_series(void *arg, const struct series_row *row)
{
    const struct monitor *m = ((struct loading *)arg)->m;
    struct tracked *t = fleet_add(((struct loading *)arg)->into, row->name);
    t->unit = row->unit ? xstrdup(row->unit) : NULL;
    load_rules(m, t, row->settings);
    t->disabled = !strcmp(row->state, "disabled");
    t->quarantined = !strcmp(row->state, "quarantined");
    t->last_hour = row->last_hour_ms;
    t->last_value = row->last_value;
    t->loop.last_asked_ms = row->last_asked_ms;
    t->loop.asked_today = row->asked_today;
    recall_quality(t, row->quality);
    recall_loop(t, row->checks);
}

static int load_series(const struct monitor *m, struct fleet *f, struct err *e)
{
    struct loading l = {m, f};
    char after[SERIES_MAX + 1] = "";
    for (;;) {
        int n = registry_series_list(m->pg, after, PAGE, add_series, &l, e);
        if (n < 0)
            return -1;
        if (n < PAGE)
            break;
        strcpy(after, f->all[f->n - 1]->name);
    }
    fleet_sort(f); /* by bytes; the database's order may be another */
    return 0;
}

static const char *const alert_types[N_ALERTS] = {"sensor_silent", "sensor_stuck",
                                                  "skill_lost"};

static int load_alerts(const struct monitor *m, struct fleet *f, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(m->pg,
                "SELECT id, type, series, fc_ms(started) FROM alerts"
                " WHERE state <> 'resolved' AND series IS NOT NULL ORDER BY started",
                PG_NONE, &r, e))
        return -1;
    for (int i = 0; i < pg_rows_n(r); i++) {
        struct tracked *t = fleet_find(f, pg_get_text(r, i, 2));
        for (int k = 0; t && k < N_ALERTS; k++) {
            if (strcmp(alert_types[k], pg_get_text(r, i, 1)) != 0)
                continue;
            free(t->alert_id[k]);
            t->alert_id[k] = xstrdup(pg_get_text(r, i, 0));
            t->alert_since[k] = pg_get_int(r, i, 3);
        }
    }
    pg_rows_free(r);
    return 0;
}

static int load_progress(struct monitor *m, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(m->pg, "SELECT value FROM monitor_state WHERE key = 'progress'", PG_NONE,
                &r, e))
        return -1;
    json_t *j = pg_rows_n(r) ? json_loads(pg_get_text(r, 0, 0), 0, NULL) : NULL;
    const char *cursor = json_string_value(json_object_get(j, "cursor"));
    m->scored = whole(j, "scored", INT64_MIN);
    m->fleet_day = whole(j, "day", 0);
    m->fleet_asked = whole(j, "asked", 0);
    snprintf(m->cursor, sizeof m->cursor, "%s", cursor ? cursor : "");
    json_decref(j);
    pg_rows_free(r);
    return 0;
}

int load_all(struct monitor *m, struct err *e)
{
    struct fleet fresh = {0};
    int rc = load_series(m, &fresh, e);
    if (!rc)
        rc = load_alerts(m, &fresh, e);
    if (!rc)
        rc = load_progress(m, e);
    if (!rc) { /* readers see the old ones or the new ones, and never wait for Postgres */
        fleet_lock(&m->fleet);
        fleet_swap(&m->fleet, &fresh);
        fleet_unlock(&m->fleet);
        m->gauged = 0;
        m->model_seq = 0;
    }
    fleet_clear(&fresh);
    return rc;
}
