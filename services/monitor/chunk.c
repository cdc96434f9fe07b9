/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/chunk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "services/monitor/act.h"
#include "services/monitor/count.h"
#include "services/monitor/load.h"

#define LINES_MAX (64u << 20)
#define NAMES_MAX 100000 /* new series of one chunk */

/* ---- cells --------------------------------------------------------------- */

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

/* ---- facts --------------------------------------------------------------- */

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
        names_add(&c->unknown, device, quantity, NAMES_MAX);
    else if (i >= 0)
        x->w.y[i] = value;
}

static void on_lead1(void *arg, const char *device, const char *quantity, int lead,
                     int64_t t_ms, const struct stored *f)
{
    (void)lead;
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

/* The truths are known by now. */
static void on_lead(void *arg, const char *device, const char *quantity, int lead,
                    int64_t t_ms, const struct stored *f)
{
    struct chunk *c = arg;
    struct cell *x = find(c, device, quantity);
    int i = index_of(c, t_ms);
    int64_t k = (t_ms - c->piece_from) / HOUR_MS;
    if (!x || i < 0 || k < 0 || k >= PIECE_HOURS)
        return;
    for (size_t l = 0; l < ADAPTIVE_LEADS; l++)
        if (adaptive_leads[l] == lead)
            x->miss[k][l] = checks_miss(x->w.y[i], f->lower, f->upper, f->version);
}

/* Fills the windows of 48 hours that end with the piece; makes series of what nobody
 * knew. */
static int read_windows(struct chunk *c, const struct span *piece, struct err *e)
{
    c->from = piece->to - (WINDOW_HOURS - 1) * HOUR_MS;
    c->piece_from = piece->from;
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < c->n_cells; i++) {
            window_init(&c->cells[i].w);
            memset(c->cells[i].miss, 0, sizeof c->cells[i].miss);
        }
        names_clear(&c->unknown);
        if (facts_hourly(c->m->influx, &c->m->fields, &c->devices, c->from, on_hourly, c,
                         e))
            return -1;
        if (!c->unknown.n)
            break;
        if (act_create(c->m, (const char *const *)c->unknown.all, c->unknown.n, e))
            return -1;
        make_cells(c);
    }
    if (!c->any_champion)
        return 0;
    /* what the piece's first hour looks back on */
    if (facts_stored(c->m->influx, &c->devices, true,
                     piece->from - (SKILL_HOURS - 1) * HOUR_MS, piece->to + HOUR_MS,
                     on_lead1, c, e))
        return -1;
    return facts_stored(c->m->influx, &c->devices, false, piece->from,
                        piece->to + HOUR_MS, on_lead, c, e);
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

/* ---- evaluations --------------------------------------------------------- */

const struct work *chunk_work(const struct chunk *c, const struct tracked *t)
{
    char device[DEVICE_MAX + 1];
    tracked_device(t, device);
    for (size_t i = 0; i < c->n_work; i++)
        if (!strcmp(c->work[i].device, device))
            return &c->work[i];
    return NULL; /* cannot be: cells are made from work */
}

/* What the predictor's bands follow (common/ml/adaptive.h). */
static void miss_fields(struct influx_line *l, const struct miss miss[ADAPTIVE_LEADS])
{
    char key[24];
    for (size_t i = 0; i < ADAPTIVE_LEADS; i++) {
        if (!miss[i].version)
            continue;
        snprintf(key, sizeof key, "miss_%d", adaptive_leads[i]);
        influx_field(l, key, miss[i].missed);
        snprintf(key, sizeof key, "version_%d", adaptive_leads[i]);
        influx_field(l, key, miss[i].version);
    }
}

static void line(struct buf *b, const struct tracked *t, const struct quality *q,
                 const struct miss miss[ADAPTIVE_LEADS], int64_t hour)
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
    miss_fields(&l, miss);
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
    const struct work *w = chunk_work(c, x->t);
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
        line(lines, x->t, &q, x->miss[(h - piece->from) / HOUR_MS], h);
        n++;
        if (h == c->hour) {
            x->next.quality = q;
            x->next.has_quality = true;
        }
    }
    return n;
}

int chunk_score(struct chunk *c, const struct span *piece, struct report *r,
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

static int read_references(struct chunk *c, struct err *e)
{
    struct tracked **list = xcalloc(c->n_cells + 1, sizeof *list);
    for (size_t i = 0; i < c->n_cells; i++)
        list[i] = c->cells[i].t;
    int rc = load_references(c->m, list, c->n_cells, e);
    free(list);
    return rc;
}

int chunk_open(struct chunk *c, struct err *e)
{
    int rc = discover(c, e);
    make_cells(c);
    return rc ? rc : read_references(c, e);
}

void chunk_done(struct chunk *c)
{
    names_clear(&c->unknown);
    free(c->cells);
}
