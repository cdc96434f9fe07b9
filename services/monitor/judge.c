/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "services/monitor/load.h"

static const char *const alert_types[N_ALERTS] = {"sensor_silent", "sensor_stuck",
                                                  "skill_lost"};

/* ---- evidence ------------------------------------------------------------ */

static json_t *champion_json(const struct tracked *t)
{
    if (!t->champion->version)
        return json_null();
    json_t *j = json_object();
    json_object_set_new(j, "version", json_integer(t->champion->version));
    json_object_set_new(j, "algorithm", json_string(t->algorithm));
    json_object_set_new(j, "rows", json_integer(t->champion->rows));
    json_object_set_new(j, "lead1_sd", json_number(t->champion->lead1_sd));
    return j;
}

static json_t *verdicts_json(const struct verdicts *v)
{
    json_t *j = json_object();
    json_object_set_new(j, "silent", json_boolean(v->silent));
    json_object_set_new(j, "stuck", json_boolean(v->stuck));
    json_object_set_new(j, "skill_lost", json_boolean(v->skill_lost));
    json_object_set_new(j, "skill_worse", json_boolean(v->skill_worse));
    json_object_set_new(j, "error_risen", json_boolean(v->error_risen));
    json_object_set_new(j, "system0", json_boolean(v->system0));
    json_object_set_new(j, "history_grown", json_boolean(v->history_grown));
    json_object_set_new(j, "stuck_h", json_integer(v->stuck_h));
    json_object_set_new(j, "drifted", json_integer(v->drifted));
    json_object_set_new(j, "mae_12h_before", json_number(v->mae_12h_before));
    json_object_set_new(j, "z_max", json_number(v->z_max));
    json_object_set_new(j, "skill_t", json_number(v->skill_t));
    return j;
}

/* Everything the decision was made from: whoever reads it later can make it again. */
static json_t *evidence(const struct tracked *t, const struct judge_in *in)
{
    json_t *j = json_object();
    json_object_set_new(j, "hour", time_json(in->hour));
    json_object_set_new(j, "last_hour", time_json(t->last_hour));
    json_object_set_new(j, "hours", json_integer(t->hours));
    json_object_set_new(j, "champion", champion_json(t));
    json_object_set_new(j, "quality", quality_json(&t->verdicts.own));
    json_object_set_new(j, "verdicts", verdicts_json(&t->verdicts));
    json_object_set_new(j, "rules", rules_json(&t->rules));
    json_object_set_new(j, "losses", json_integer(t->loop.losses));
    json_object_set_new(j, "asked_today",
                        json_integer(loop_asked_on(&t->loop, in->now_ms)));
    return j;
}

static void decide(struct actions *a, const struct tracked *t, const char *kind,
                   const char *reason, json_t *proof)
{
    json_t *d = json_object();
    json_object_set_new(d, "series", json_string(t->name));
    json_object_set_new(d, "kind", json_string(kind));
    json_object_set_new(d, "version",
                        t->champion->version ? json_integer(t->champion->version)
                                             : json_null());
    json_object_set_new(d, "previous", json_null());
    json_object_set_new(d, "actor", json_string("monitor"));
    json_object_set_new(d, "reason", json_string(reason));
    json_object_set_new(d, "evidence", proof);
    json_array_append_new(a->decisions, d);
}

/* ---- alerts -------------------------------------------------------------- */

struct alarm {
    bool on, off; /* neither: as it was */
    double value, threshold;
    char text[200];
};

static void silent_alarm(const struct tracked *t, const struct judge_in *in,
                         struct alarm *x)
{
    int64_t h = t->last_hour == INT64_MIN ? 0 : (in->hour - t->last_hour) / HOUR_MS;
    x->on = t->verdicts.silent;
    x->off = !x->on;
    x->value = (double)h;
    x->threshold = t->rules.gap_h;
    snprintf(x->text, sizeof x->text, "%s has sent nothing for %" PRId64 " hours",
             t->name, h);
}

static void stuck_alarm(const struct tracked *t, struct alarm *x)
{
    x->on = t->verdicts.stuck;
    x->off = !x->on;
    x->value = t->verdicts.stuck_h;
    x->threshold = t->rules.stuck_h;
    snprintf(x->text, sizeof x->text, "%s has shown %.6g for %d hours without moving",
             t->name, t->last_value, t->verdicts.stuck_h);
}

static void skill_alarm(const struct tracked *t, struct alarm *x)
{
    const struct verdicts *v = &t->verdicts;
    x->on = v->skill_worse || v->system0;
    /* good again only when the present champion has shown it */
    x->off = !v->skill_lost && !v->system0 && v->own.skill_n >= SKILL_MIN_PAIRS;
    if (v->skill_lost) {
        x->value = v->own.skill_24h;
        x->threshold = t->rules.skill_min;
        snprintf(x->text, sizeof x->text,
                 "the forecasts of %s are worse than persistence: skill %.2f over 24 h",
                 t->name, x->value);
        return;
    }
    x->value = v->own.mae_12h;
    x->threshold = t->rules.mae_12h;
    snprintf(x->text, sizeof x->text,
             "the forecasts of %s miss by %.3g on average over 12 h", t->name, x->value);
}

static void fire(struct tracked *t, int type, const struct alarm *x,
                 const struct judge_in *in, struct actions *a)
{
    char device[DEVICE_MAX + 1];
    t->alert_id[type] =
        xasprintf("%s:%s:%" PRId64, alert_types[type], t->name, in->hour / 1000);
    t->alert_since[type] = in->now_ms;
    json_t *j = json_object();
    json_object_set_new(j, "alert_id", json_string(t->alert_id[type]));
    json_object_set_new(j, "type", json_string(alert_types[type]));
    json_object_set_new(j, "severity", json_string("warning"));
    json_object_set_new(j, "series", json_string(t->name));
    json_object_set_new(j, "sensor_id", json_string(tracked_device(t, device)));
    json_object_set_new(j, "timestamp", time_json(in->now_ms));
    json_object_set_new(j, "value", json_number(x->value));
    json_object_set_new(j, "threshold", json_number(x->threshold));
    json_object_set_new(j, "message", json_string(x->text));
    json_object_set_new(j, "started", json_integer(in->now_ms));
    json_array_append_new(a->firing, j);
}

/* True when one was not raised because the past is still arriving. */
static bool alerts(struct tracked *t, const struct judge_in *in, struct actions *a)
{
    bool held = false;
    struct alarm x[N_ALERTS] = {0};
    silent_alarm(t, in, &x[ALERT_SILENT]);
    stuck_alarm(t, &x[ALERT_STUCK]);
    skill_alarm(t, &x[ALERT_SKILL]);
    for (int i = 0; i < N_ALERTS; i++) {
        bool on = x[i].on && t->rules.forecast, off = x[i].off || !t->rules.forecast;
        if (on && !t->alert_id[i] && in->arriving) {
            held = true;
        } else if (on && !t->alert_id[i]) {
            fire(t, i, &x[i], in, a);
        } else if (off && t->alert_id[i]) {
            json_array_append_new(a->resolved, json_string(t->alert_id[i]));
            t->alert_id[i] = NULL; /* the tracked series still owns it */
        }
    }
    return held;
}

/* ---- the series ---------------------------------------------------------- */

static void quarantine(struct tracked *t, const struct judge_in *in, struct actions *a)
{
    bool want = t->diagnosis.quarantine;
    if (t->disabled || want == t->quarantined || (want && in->arriving))
        return;
    t->quarantined = want;
    json_array_append_new(
        a->states, json_pack("{s:s, s:s}", "name", t->name, "state", tracked_state(t)));
    decide(a, t, want ? "quarantine" : "release",
           !want               ? "the sensor works again"
           : t->verdicts.stuck ? "sensor_stuck"
                               : "sensor_silent",
           evidence(t, in));
}

/* Hours without a value up to this one; of what was never live none count. */
static int silent_hours(const struct tracked *t, const struct judge_in *in)
{
    if (t->last_hour == INT64_MIN || !t->live || t->last_hour >= in->hour)
        return 0;
    int64_t h = (in->hour - t->last_hour) / HOUR_MS;
    return h > 100000 ? 100000 : (int)h;
}

static bool may_not_begin(const struct tracked *t, const struct judge_in *in)
{
    bool silent = t->verdicts.silent || t->alert_id[ALERT_SILENT];
    return !silent && (in->arriving || in->jumped);
}

bool judge(struct cell *c, const struct judge_in *in, struct actions *a)
{
    struct tracked *t = &c->next;
    int silent = silent_hours(t, in);
    bool quiet = silent > t->rules.gap_h; /* is it silent, if that may begin now? */
    if (may_not_begin(t, in))
        silent = 0;
    struct state_facts f = {
        .w = &c->w,
        .c = t->champion,
        .r = &t->rules,
        .quantity = t->quantity,
        .silent_h = silent,
        .hours = t->hours,
        .grown_at = t->loop.grown_at,
    };
    checks_verdicts(&f, &t->verdicts);
    struct diagnose_in d = {
        .v = &t->verdicts,
        .c = t->champion,
        .r = &t->rules,
        .loop = &t->loop,
        .hours = t->hours,
        .arriving = in->arriving,
        .now_ms = in->now_ms,
        .fleet_left = *in->fleet_left,
    };
    diagnose(&d, &t->diagnosis);
    t->judged_hour = in->hour;
    bool held = alerts(t, in, a);
    t->waiting = t->diagnosis.held == HELD_ARRIVING || (in->arriving && (held || quiet));
    quarantine(t, in, a);
    if (t->diagnosis.reason == REASON_NONE || t->diagnosis.held != HELD_NOT)
        return false;
    decide(a, t, "retrain", reason_name(t->diagnosis.reason), evidence(t, in));
    loop_asked(&t->loop, in->now_ms, t->hours, t->diagnosis.reason);
    t->unsent = true;
    t->job = 0;
    t->asked_for = t->diagnosis.reason;
    *in->fleet_left -= t->asked_for != REASON_FIRST;
    return true;
}

void judge_drop(struct cell *c)
{
    for (int i = 0; i < N_ALERTS; i++)
        if (c->next.alert_id[i] != c->t->alert_id[i])
            free(c->next.alert_id[i]);
}

void judge_take(struct cell *c)
{
    for (int i = 0; i < N_ALERTS; i++)
        if (c->next.alert_id[i] != c->t->alert_id[i])
            free(c->t->alert_id[i]);
    *c->t = c->next;
}
