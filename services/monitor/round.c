/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/round.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/monitor/act.h"
#include "services/monitor/chunk.h"
#include "services/monitor/count.h"
#include "services/monitor/gauges.h"
#include "services/monitor/load.h"

/* ---- the newest hour ----------------------------------------------------- */

static void score_again(struct tracked *t, int64_t from, int64_t to)
{
    bool none = !work_unscored(t);
    if (!t->champion->version)
        return;
    if (none || from < t->late_from)
        t->late_from = from;
    if (none || to > t->late_to)
        t->late_to = to;
}

/* What comes late, or closes with others at once, is scored now and once more: its
 * forecasts may be made after it was here. */
static void note_late(struct tracked *t, const struct work *w, int64_t scored,
                      int64_t hour)
{
    bool several = scored != INT64_MIN && hour > scored + HOUR_MS;
    if (w->again.to >= w->again.from) {
        t->late_from = 0;
        t->late_to = -1;
    }
    for (size_t i = 0; i < w->n_late && w->arriving; i++)
        if (w->late[i].from <= scored)
            score_again(t, w->late[i].from, w->late[i].to);
    if (several)
        score_again(t, scored + HOUR_MS, hour);
    if (w->arriving || several)
        t->late_at_ms = clock_mono_ms();
}

/* What the window says about the series itself: its newest value, and how many hours
 * came. */
static void note_hours(struct chunk *c, struct cell *x, int64_t scored)
{
    struct tracked *t = &x->next;
    const struct work *w = chunk_work(c, t);
    int64_t came = 0, since = scored == INT64_MIN ? c->from : scored + HOUR_MS;
    for (int i = 0; i < WINDOW_HOURS; i++) {
        int64_t h = c->from + i * HOUR_MS;
        if (isnan(x->w.y[i]))
            continue;
        t->live |= h >= since;
        came += h >= since;
        if (t->first_hour == INT64_MIN || h < t->first_hour)
            t->first_hour = h;
        if (h >= t->last_hour) {
            t->last_hour = h;
            t->last_value = x->w.y[i];
        }
    }
    if (since < c->from)
        came += (c->from - since) / HOUR_MS;
    for (size_t i = 0; w && i < w->n_late; i++) {
        int64_t from = w->late[i].from,
                to = w->late[i].to < scored ? w->late[i].to : scored;
        if (scored == INT64_MIN || from > to)
            continue;
        came += (to - from) / HOUR_MS + 1;
        if (t->first_hour == INT64_MIN || from < t->first_hour)
            t->first_hour = from;
    }
    came += t->maybe;
    t->maybe = came > FULL_HISTORY_H ? FULL_HISTORY_H : (int)came;
    if (w)
        note_late(t, w, scored, c->hour);
}

/* Must it be known exactly how many hours there are? When they may be enough for a
 * training, and again when late ones have stopped coming in. */
static bool counts_now(const struct chunk *c, const struct tracked *t)
{
    int need = t->champion->version ? checks_grown_at(t->champion, t->loop.grown_at)
                                    : FIRST_TRAINING_H;
    return t->rules.forecast && t->maybe && t->champion->rows < FULL_HISTORY_H &&
           t->hours + t->maybe >= need && (t->hours < need || !work_arriving(c->m, t));
}

static int count_cells(struct chunk *c, struct err *e)
{
    const char *names[FACTS_DEVICES];
    char device[FACTS_DEVICES + 1][DEVICE_MAX + 1];
    struct devices d = {names, 0};
    struct counts found;
    int64_t from = INT64_MAX;
    for (size_t i = 0; i < c->n_cells; i++) {
        const struct tracked *t = &c->cells[i].next;
        if (!counts_now(c, t))
            continue;
        if (!d.n || strcmp(tracked_device(t, device[d.n]), device[d.n - 1]) != 0) {
            tracked_device(t, device[d.n]);
            names[d.n] = device[d.n];
            d.n++;
        }
        if (t->first_hour < from)
            from = t->first_hour;
    }
    if (!d.n)
        return 0;
    if (count_history(c->m, &d, from, c->hour, &found, e))
        return -1;
    for (size_t i = 0; i < c->n_cells; i++) {
        struct tracked *t = &c->cells[i].next;
        const struct count *n = count_find(&found, t->name);
        if (!counts_now(c, t))
            continue;
        t->hours = n ? n->hours : 0;
        t->maybe = 0;
    }
    free(found.all);
    return 0;
}

static int64_t fleet_left(struct monitor *m, int64_t now_ms)
{
    int64_t today = now_ms / (24 * HOUR_MS);
    if (m->fleet_day != today) {
        m->fleet_day = today;
        m->fleet_asked = 0;
    }
    return m->set.fleet_per_day - m->fleet_asked;
}

static void take_cells(struct chunk *c, int64_t left_before, int64_t left)
{
    struct monitor *m = c->m;
    fleet_lock(&m->fleet);
    for (size_t i = 0; i < c->n_cells; i++)
        judge_take(&c->cells[i]);
    fleet_unlock(&m->fleet);
    m->fleet_asked += left_before - left;
    for (size_t i = 0; i < c->n_cells; i++)
        gauges_show(m, c->cells[i].t);
}

static int judge_cells(struct chunk *c, struct report *r, struct err *e)
{
    struct monitor *m = c->m;
    int64_t scored = m->scored, now = clock_now_ms(), left_before = fleet_left(m, now);
    int64_t left = left_before, asked = 0;
    struct actions a;
    for (size_t i = 0; i < c->n_cells; i++)
        note_hours(c, &c->cells[i], scored);
    if (count_cells(c, e))
        return -1;
    actions_init(&a);
    for (size_t i = 0; i < c->n_cells; i++) {
        struct cell *x = &c->cells[i];
        struct judge_in in = {.hour = c->hour,
                              .now_ms = now,
                              .arriving = work_arriving(m, &x->next),
                              .jumped = m->jumped_to == c->hour,
                              .fleet_left = &left};
        asked += judge(x, &in, &a);
        json_array_append_new(a.remember, remember_json(&x->next));
    }
    int rc = act_commit(m, &a, e);
    if (rc) {
        for (size_t i = 0; i < c->n_cells; i++)
            judge_drop(&c->cells[i]);
    } else {
        act_notify(m, &a);
        gauges_count(m, &a);
        take_cells(c, left_before, left);
        r->asked += asked;
        r->decisions += (int64_t)json_array_size(a.decisions);
        r->alerts += (int64_t)json_array_size(a.firing);
    }
    actions_done(&a);
    return rc;
}

/* ---- the round ----------------------------------------------------------- */

static int run_chunk(struct chunk *c, struct report *r, struct err *e)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_work; i++)
        n += c->work[i].n_due;
    struct span *due = xcalloc(n + 1, sizeof *due), piece;
    n = 0;
    for (size_t i = 0; i < c->n_work; i++) {
        memcpy(due + n, c->work[i].due, c->work[i].n_due * sizeof *due);
        n += c->work[i].n_due;
    }
    n = spans_merge(due, n);
    int rc = chunk_open(c, e);
    /* oldest first: the newest piece, which ends with c->hour, is left for judging */
    for (size_t i = 0; i < n && !rc; i++) {
        size_t pieces = 0;
        while (schedule_piece(&due[i], pieces, &piece))
            pieces++;
        while (pieces-- && !rc) {
            schedule_piece(&due[i], pieces, &piece);
            rc = chunk_score(c, &piece, r, e);
        }
    }
    if (!rc)
        rc = judge_cells(c, r, e);
    chunk_done(c);
    free(due);
    return rc;
}

static int run_all(struct monitor *m, const struct work *list, size_t n, int64_t hour,
                   struct report *r, struct err *e)
{
    const char *names[FACTS_DEVICES];
    for (size_t i = 0; i < n; i += FACTS_DEVICES) {
        size_t k = n - i < FACTS_DEVICES ? n - i : FACTS_DEVICES;
        struct chunk c = {.m = m, .work = list + i, .n_work = k, .hour = hour};
        for (size_t j = 0; j < k; j++)
            names[j] = list[i + j].device;
        c.devices = (struct devices){names, k};
        if (run_chunk(&c, r, e))
            return -1;
    }
    return 0;
}

/* What was made of times to come says nothing of now. */
static void forget_ahead(struct tracked *t, int64_t hour, int64_t now_ms)
{
    if (t->first_hour > hour)
        t->first_hour = INT64_MIN;
    if (t->last_hour > hour)
        t->last_hour = INT64_MIN;
    if (t->born_ms > hour)
        t->born_ms = hour;
    if (t->loop.last_asked_ms > now_ms)
        t->loop.last_asked_ms = now_ms;
    if (t->loop.change_ms > now_ms) {
        t->loop.change_ms = INT64_MIN;
        t->loop.follow_ups = 0;
    }
    t->hours = 0; /* to be counted again */
    t->maybe = FULL_HISTORY_H;
    t->late_from = 0;
    t->late_to = -1;
}

static void go_back(struct monitor *m, int64_t hour)
{
    char ahead[CLOCK_RFC3339_SIZE], now[CLOCK_RFC3339_SIZE];
    log_warn("the clock was ahead: hours up to %s were scored, now %s is the newest; "
             "scoring goes on from there",
             clock_format(m->scored, ahead), clock_format(hour, now));
    fleet_lock(&m->fleet);
    for (size_t i = 0; i < m->fleet.n; i++)
        forget_ahead(m->fleet.all[i], hour, clock_now_ms());
    m->settled = INT64_MIN;
    fleet_unlock(&m->fleet);
    m->scored = hour - HOUR_MS;
    m->jumped_to = hour; /* no silence begins: what came last is not known */
    m->discover = true;  /* the last day is looked at again */
}

int round_run(struct monitor *m, const struct feed *feed, struct report *r, struct err *e)
{
    struct work *list;
    size_t n;
    int64_t h = feed->rolled_up;
    if (h == INT64_MIN) /* not even one hour is complete; what came will be told again */
        return 0;
    if (clock_was_ahead(m->scored, h))
        go_back(m, h);
    bool closed = m->scored == INT64_MIN || h > m->scored;
    if (work_list(m, feed, &list, &n, e))
        return -1;
    if (closed && (m->scored == INT64_MIN || h > m->scored + HOUR_MS))
        m->jumped_to = h;
    fields_done(&m->fields);
    int rc = n ? facts_fields(m->influx, &m->fields, e) : 0;
    if (!rc)
        rc = run_all(m, list, n, h, r, e);
    work_free(list, n);
    if (rc)
        return -1;
    m->unsaved |= closed || strcmp(m->cursor, feed->cursor) != 0;
    if (closed) {
        r->hours += m->scored == INT64_MIN ? 1 : (h - m->scored) / HOUR_MS;
        m->scored = h;
        json_array_clear(m->ahead);
    }
    work_keep_ahead(m, feed);
    snprintf(m->cursor, sizeof m->cursor, "%s", feed->cursor);
    m->discover = m->look = false;
    return 0;
}
