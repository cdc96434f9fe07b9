/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/round.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "services/monitor/act.h"
#include "services/monitor/count.h"
#include "services/monitor/facts.h"
#include "services/monitor/gauges.h"
#include "services/monitor/judge.h"
#include "services/monitor/load.h"
#include "services/monitor/work.h"

#define LINES_MAX (64u << 20)
#define NAMES_MAX 100000 /* new series of one chunk */

/* Some devices on their way through a round. */
struct chunk {
    struct monitor *m;
    const struct work *work;
    size_t n_work;
    struct devices devices;
    int64_t hour;       /* the newest complete hour */
    struct cell *cells; /* by name; owned */
    size_t n_cells, last;
    int64_t from;   /* first hour of the windows */
    char **unknown; /* names seen that are no series yet; owned */
    size_t n_unknown;
    bool any_champion;
};

/* ---- cells
 * ------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct cell *)a)->t->name, ((const struct cell *)b)->t->name);
}

static void make_cells(struct chunk *c)
{
    size_t cap = 0, first;
    free(c->cells);
    c->n_cells = c->last = 0;
    c->any_champion = false;
    for (size_t i = 0; i < c->n_work; i++)
        cap += fleet_device(&c->m->fleet, c->work[i].device, &first);
    c->cells = xcalloc(cap + 1, sizeof *c->cells);
    for (size_t i = 0; i < c->n_work; i++) {
        size_t n = fleet_device(&c->m->fleet, c->work[i].device, &first);
        for (size_t k = first; k < first + n; k++) {
            struct tracked *t = c->m->fleet.all[k];
            c->cells[c->n_cells].t = t;
            c->cells[c->n_cells++].next = *t;
            c->any_champion |= t->champion->version > 0;
        }
    }
    qsort(c->cells, c->n_cells, sizeof *c->cells, by_name);
}

static struct cell *find(struct chunk *c, const char *device, const char *quantity)
{
    char name[SERIES_MAX + 1];
    snprintf(name, sizeof name, "%s.%s", device, quantity);
    if (c->last < c->n_cells && !strcmp(c->cells[c->last].t->name, name))
        return &c->cells[c->last];
    size_t low = 0, high = c->n_cells;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int rc = strcmp(c->cells[mid].t->name, name);
        if (!rc) {
            c->last = mid;
            return &c->cells[mid];
        }
        if (rc < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static void add_unknown(struct chunk *c, const char *device, const char *quantity)
{
    char *name = xasprintf("%s.%s", device, quantity);
    for (size_t i = 0; i < c->n_unknown; i++)
        if (!strcmp(c->unknown[i], name)) {
            free(name);
            return;
        }
    if (c->n_unknown == NAMES_MAX) {
        free(name);
        return;
    }
    c->unknown = xrealloc(c->unknown, (c->n_unknown + 1) * sizeof *c->unknown);
    c->unknown[c->n_unknown++] = name;
}

static void drop_unknown(struct chunk *c)
{
    for (size_t i = 0; i < c->n_unknown; i++)
        free(c->unknown[i]);
    free(c->unknown);
    c->unknown = NULL;
    c->n_unknown = 0;
}

/* ---- facts
 * ------------------------------------------------------------------------------ */

static int index_of(const struct chunk *c, int64_t t_ms)
{
    int64_t d = t_ms - c->from;
    return d >= 0 && d % HOUR_MS == 0 && d / HOUR_MS < WINDOW_HOURS ? (int)(d / HOUR_MS)
                                                                    : -1;
}

static void on_hourly(void *arg, const char *device, const char *quantity, int64_t t_ms,
                      double value)
{
    struct chunk *c = arg;
    struct cell *x = find(c, device, quantity);
    int i = index_of(c, t_ms);
    if (!x)
        add_unknown(c, device, quantity);
    else if (i >= 0)
        x->w.y[i] = value;
}

static void on_lead1(void *arg, const char *device, const char *quantity, int64_t t_ms,
                     const struct lead1 *f)
{
    struct chunk *c = arg;
    struct cell *x = find(c, device, quantity);
    int i = index_of(c, t_ms);
    if (!x || i < 0)
        return;
    x->w.yhat[i] = f->yhat;
    x->w.lower[i] = f->lower;
    x->w.upper[i] = f->upper;
    x->w.version[i] = f->version;
}

/* Fills the windows of 48 hours that end with the piece; makes series of what nobody
 * knew. */
static int read_windows(struct chunk *c, const struct span *piece, struct err *e)
{
    c->from = piece->to - (WINDOW_HOURS - 1) * HOUR_MS;
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < c->n_cells; i++)
            window_init(&c->cells[i].w);
        drop_unknown(c);
        if (facts_hourly(c->m->influx, &c->m->fields, &c->devices, c->from, on_hourly, c,
                         e))
            return -1;
        if (!c->n_unknown)
            break;
        if (act_create(c->m, (const char *const *)c->unknown, c->n_unknown, e))
            return -1;
        make_cells(c);
    }
    if (!c->any_champion)
        return 0;
    /* what the piece's first hour looks back on */
    return facts_lead1(c->m->influx, &c->devices,
                       piece->from - (SKILL_HOURS - 1) * HOUR_MS, piece->to + HOUR_MS,
                       on_lead1, c, e);
}

/* A device that nobody knows and whose hours came long after their time: its series. */
static int discover(struct chunk *c, struct err *e)
{
    const char *names[FACTS_DEVICES];
    struct devices d = {names, 0};
    struct counts found;
    size_t first;
    for (size_t i = 0; i < c->n_work; i++)
        if (!fleet_device(&c->m->fleet, c->work[i].device, &first))
            names[d.n++] = c->work[i].device;
    if (!d.n)
        return 0;
    if (count_history(c->m, &d, INT64_MIN, c->hour, &found, e))
        return -1;
    const char **all = xcalloc(found.n + 1, sizeof *all);
    for (size_t i = 0; i < found.n; i++)
        all[i] = found.all[i].name;
    int rc = found.n ? act_create(c->m, all, found.n, e) : 0;
    fleet_lock(&c->m->fleet);
    for (size_t i = 0; i < found.n && !rc; i++) {
        struct tracked *t = fleet_find(&c->m->fleet, found.all[i].name);
        if (!t)
            continue;
        t->hours = found.all[i].hours;
        t->first_hour = found.all[i].first;
    }
    fleet_unlock(&c->m->fleet);
    free(all);
    free(found.all);
    return rc;
}

/* ---- evaluations
 * ------------------------------------------------------------------------ */

static const struct work *work_of(const struct chunk *c, const struct tracked *t)
{
    char device[DEVICE_MAX + 1];
    tracked_device(t, device);
    for (size_t i = 0; i < c->n_work; i++)
        if (!strcmp(c->work[i].device, device))
            return &c->work[i];
    return NULL; /* cannot be: cells are made from work */
}

static void line(struct buf *b, const struct tracked *t, const struct quality *q,
                 int64_t hour)
{
    struct influx_line l;
    char device[DEVICE_MAX + 1];
    influx_line(&l, b, "evaluations");
    influx_tag(&l, "device", tracked_device(t, device));
    influx_tag(&l, "quantity", t->quantity);
    influx_field(&l, "n", q->n);
    influx_field(&l, "missing", q->missing);
    influx_field(&l, "mae_4h", q->mae_4h);
    influx_field(&l, "rmse_4h", q->rmse_4h);
    influx_field(&l, "mae_12h", q->mae_12h);
    influx_field(&l, "rmse_12h", q->rmse_12h);
    influx_field(&l, "r2_12h", q->r2_12h);
    influx_field(&l, "bias_12h", q->bias_12h);
    influx_field(&l, "ewma", q->ewma);
    influx_field(&l, "skill_24h", q->skill_24h);
    influx_field(&l, "coverage", q->coverage);
    influx_field(&l, "version", q->version);
    influx_end(&l, hour + HOUR_MS);
}

/* Is there any forecast in the 24 hours that end at index end? */
static bool forecast_at_all(const struct window *w, int end)
{
    for (int i = end - SKILL_HOURS + 1; i <= end; i++)
        if (!isnan(w->yhat[i]))
            return true;
    return false;
}

/* Scores the piece's hours that are due for the cell's device. */
static int64_t score_cell(struct chunk *c, struct cell *x, const struct span *piece,
                          struct buf *lines)
{
    const struct work *w = work_of(c, x->t);
    int64_t n = 0, from = piece->from;
    if (x->t->born_ms == INT64_MIN || !w)
        return 0;
    if (from < x->t->born_ms)
        from = x->t->born_ms;
    for (int64_t h = from; h <= piece->to; h += HOUR_MS) {
        int end = (int)((h - c->from) / HOUR_MS);
        struct quality q;
        if (!spans_have(w->due, w->n_due, h) || !forecast_at_all(&x->w, end))
            continue;
        checks_quality(&x->w, end, 0, &q);
        line(lines, x->t, &q, h);
        n++;
        if (h == c->hour) {
            x->next.quality = q;
            x->next.has_quality = true;
        }
    }
    return n;
}

static int score_piece(struct chunk *c, const struct span *piece, struct report *r,
                       struct err *e)
{
    struct buf lines;
    int64_t n = 0;
    if (read_windows(c, piece, e))
        return -1;
    buf_init(&lines, LINES_MAX);
    for (size_t i = 0; i < c->n_cells; i++)
        n += score_cell(c, &c->cells[i], piece, &lines);
    int rc = act_evaluations(c->m, &lines, e);
    buf_done(&lines);
    if (!rc)
        r->evaluations += n;
    return rc;
}

/* ---- the newest hour
 * -------------------------------------------------------------------- */

/* What the window says about the series itself: its newest value, and how many hours
 * came. */
static void note_hours(struct chunk *c, struct cell *x, int64_t scored)
{
    struct tracked *t = &x->next;
    const struct work *w = work_of(c, t);
    int64_t came = 0, since = scored == INT64_MIN ? c->from : scored + HOUR_MS;
    for (int i = 0; i < WINDOW_HOURS; i++) {
        int64_t h = c->from + i * HOUR_MS;
        if (isnan(x->w.y[i]))
            continue;
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
    if (w && w->arriving)
        t->late_at_ms = clock_mono_ms();
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
        if (!d.n || strcmp(tracked_device(t, device[d.n]), device[d.n - 1])) {
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
        struct judge_in in = {c->hour, now, work_arriving(m, &x->next), &left};
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

/* ---- the round
 * -------------------------------------------------------------------------- */

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
    int rc = discover(c, e);
    make_cells(c);
    /* oldest first: the newest piece, which ends with c->hour, is left for judging */
    for (size_t i = 0; i < n && !rc; i++) {
        size_t pieces = 0;
        while (schedule_piece(&due[i], pieces, &piece))
            pieces++;
        while (pieces-- && !rc) {
            schedule_piece(&due[i], pieces, &piece);
            rc = score_piece(c, &piece, r, e);
        }
    }
    if (!rc)
        rc = judge_cells(c, r, e);
    drop_unknown(c);
    free(c->cells);
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

int round_run(struct monitor *m, const struct feed *feed, struct report *r, struct err *e)
{
    struct work *list;
    size_t n;
    int64_t h = feed->rolled_up;
    bool closed = h != INT64_MIN && (m->scored == INT64_MIN || h > m->scored);
    if (h == INT64_MIN) /* not even one hour is complete; what came will be told again */
        return 0;
    if (work_list(m, feed, &list, &n, e))
        return -1;
    fields_done(&m->fields);
    int rc = n ? facts_fields(m->influx, &m->fields, e) : 0;
    if (!rc)
        rc = run_all(m, list, n, h, r, e);
    work_free(list, n);
    if (rc)
        return -1;
    m->unsaved |= closed || strcmp(m->cursor, feed->cursor);
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
