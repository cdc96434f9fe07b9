/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/misses.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/reading.h"
#include "services/predictor/widths.h"

#define CHUNK 100 /* series asked for in one query */
#define QUERY_MAX 65536
#define STATE_MS (7 * 24 * HOUR_MS) /* no older state is taken up again */
#define BITS_MS ((ADAPTIVE_HOURS - 1) * HOUR_MS)
#define AGAIN_MS (2 * HOUR_MS) /* scored in the same round as the newest seen */

void misses_init(struct misses *m, struct models *models, struct influx *in)
{
    *m = (struct misses){models, in, NO_TIME, NO_TIME, NO_TIME};
}

/* ---- answers ------------------------------------------------------------------------
 */

/* The series that an element of an answer is of, or NULL. */
static struct series *series_of(struct models *m, const json_t *one)
{
    const json_t *tags = json_object_get(one, "tags");
    const char *device = json_string_value(json_object_get(tags, "device"));
    const char *quantity = json_string_value(json_object_get(tags, "quantity"));
    char name[SERIES_MAX + 1];
    if (!device || !quantity ||
        snprintf(name, sizeof name, "%s.%s", device, quantity) >= (int)sizeof name)
        return NULL;
    return models_find(m, name);
}

/* Under the lock. row: time, state, version, origin_ms. */
static void take_state(struct series *s, int lead, const json_t *row, int64_t hour_ms)
{
    double origin = json_real_at(row, 3);
    if (!s->adaptive_turn || s->adaptive_known ||
        !(origin >= 0 && origin <= (double)hour_ms) ||
        json_real_at(row, 2) != s->adaptive_of)
        return;
    for (size_t i = 0; i < ADAPTIVE_LEADS; i++)
        if (adaptive_leads[i] == lead) {
            s->adaptive.lead[i].before = adaptive_limit(json_real_at(row, 1));
            s->adaptive.newest = (int64_t)origin / HOUR_MS;
        }
}

void misses_take_states(struct misses *m, const json_t *answer, int64_t hour_ms)
{
    size_t i;
    json_t *one;
    json_array_foreach(answer, i, one)
    {
        const char *lead =
            json_string_value(json_object_get(json_object_get(one, "tags"), "lead"));
        struct series *s = series_of(m->models, one);
        if (!s || !lead)
            continue;
        models_lock(m->models);
        take_state(s, atoi(lead), json_array_get(json_object_get(one, "values"), 0),
                   hour_ms);
        models_unlock(m->models);
    }
}

/* Under the lock. row: the hour's end, then miss and version per lead. */
static void take_row(struct misses *m, struct series *s, const json_t *row)
{
    int64_t hour_ms = json_integer_value(json_array_get(row, 0)) - HOUR_MS;
    for (size_t i = 0; i < ADAPTIVE_LEADS; i++) {
        double miss = json_real_at(row, 1 + 2 * i),
               version = json_real_at(row, 2 + 2 * i);
        if (isnan(miss) || isnan(version))
            continue;
        if (hour_ms > m->seeing_ms)
            m->seeing_ms = hour_ms;
        if (version == s->adaptive_of)
            adaptive_put(&s->adaptive, i, hour_ms / HOUR_MS, miss > 0.5);
    }
}

void misses_take(struct misses *m, const json_t *answer)
{
    size_t i, k;
    json_t *one, *row;
    models_lock(m->models);
    json_array_foreach(answer, i, one)
    {
        struct series *s = series_of(m->models, one);
        if (!s || !s->adaptive_turn)
            continue;
        json_array_foreach(json_object_get(one, "values"), k, row)
        {
            take_row(m, s, row);
        }
    }
    models_unlock(m->models);
}

/* ---- reading ------------------------------------------------------------------------
 */

/* What is to be read: hours from from_ms on of one series. */
struct piece {
    struct series *series;
    int64_t from_ms;
};

static int by_from(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    return x->from_ms < y->from_ms ? -1 : x->from_ms > y->from_ms;
}

/* Of other series of the same devices nothing is taken: they may need older hours first.
 */
static void turn(struct misses *m, const struct piece *p, size_t n, bool on)
{
    models_lock(m->models);
    for (size_t i = 0; i < n; i++)
        p[i].series->adaptive_turn = on;
    models_unlock(m->models);
}

/* WHERE: the devices, and the range of time. */
static void add_where(struct buf *q, const struct piece *p, size_t n, int64_t from_ms,
                      int64_t end_ms)
{
    buf_adds(q, " WHERE (");
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < i && strcmp(p[k].series->device, p[i].series->device))
            k++;
        if (k < i)
            continue;
        buf_adds(q, i ? " OR \"device\" = " : "\"device\" = ");
        influx_ql_string(q, p[i].series->device);
    }
    buf_adds(q, ") AND ");
    influx_ql_range(q, from_ms, end_ms);
}

/* The newest state of each: oldest window first, so the newest is taken last. */
static int read_states(struct misses *m, const struct piece *p, size_t n, int64_t hour_ms,
                       struct err *e)
{
    struct buf q;
    int64_t last = hour_ms + HORIZON_MAX * HOUR_MS;
    int rc = 0;
    buf_init(&q, QUERY_MAX);
    for (int64_t t = hour_ms - STATE_MS; !rc && t <= last; t += INFLUX_WINDOW_MS) {
        json_t *answer;
        buf_reset(&q);
        buf_adds(&q, "SELECT last(\"width_state\"), \"version\", \"origin_ms\" FROM "
                     "\"forecast_leads\"");
        add_where(&q, p, n, t, t + INFLUX_WINDOW_MS);
        buf_adds(&q, " AND \"role\" = 'champion' GROUP BY \"device\", \"quantity\", "
                     "\"lead\"");
        rc = influx_query(m->influx, q.data, &answer, e);
        if (rc)
            break;
        turn(m, p, n, true);
        misses_take_states(m, answer, hour_ms);
        turn(m, p, n, false);
        json_decref(answer);
    }
    buf_done(&q);
    return rc;
}

/* The scores of the hours from the one to the one before hour_ms: their points stand at
 * the hours' ends. */
static int read_scores(struct misses *m, const struct piece *p, size_t n, int64_t from_ms,
                       int64_t hour_ms, struct err *e)
{
    struct buf q;
    int rc = 0;
    buf_init(&q, QUERY_MAX);
    for (int64_t t = from_ms + HOUR_MS; !rc && t <= hour_ms; t += INFLUX_WINDOW_MS) {
        int64_t end =
            t + INFLUX_WINDOW_MS < hour_ms + 1 ? t + INFLUX_WINDOW_MS : hour_ms + 1;
        json_t *answer;
        buf_reset(&q);
        for (size_t i = 0; i < ADAPTIVE_LEADS; i++)
            buf_addf(&q, "%s\"miss_%d\", \"version_%d\"", i ? ", " : "SELECT ",
                     adaptive_leads[i], adaptive_leads[i]);
        buf_adds(&q, " FROM \"evaluations\"");
        add_where(&q, p, n, t, end);
        buf_adds(&q, " GROUP BY \"device\", \"quantity\"");
        rc = influx_query(m->influx, q.data, &answer, e);
        if (rc)
            break;
        turn(m, p, n, true);
        misses_take(m, answer);
        turn(m, p, n, false);
        json_decref(answer);
    }
    buf_done(&q);
    return rc;
}

/* ---- following ----------------------------------------------------------------------
 */

/* Lets the series that serve and are not known yet begin with their champion, and with
 * its newest state if it has one. */
static int begin_unknown(struct misses *m, int64_t hour_ms, struct err *e)
{
    size_t n = 0, cap = models_count(m->models) + 1;
    struct piece *p = NULL;
    models_lock(m->models);
    for (struct series *s = models_all(m->models); s && n < cap; s = s->all_next) {
        struct serving *v = s->adaptive_known ? NULL : series_serving(s);
        if (!v)
            continue;
        widths_begin(s, v->version, hour_ms);
        if (!p)
            p = xcalloc(cap, sizeof *p);
        p[n++] = (struct piece){s, 0};
        serving_put(v);
    }
    models_unlock(m->models);
    int rc = 0;
    for (size_t i = 0; !rc && i < n; i += CHUNK)
        rc = read_states(m, p + i, n - i < CHUNK ? n - i : CHUNK, hour_ms, e);
    free(p);
    return rc;
}

/* From which hour on the scores of s have to be read; NO_TIME: none. Under the lock. */
static int64_t from_hour(const struct misses *m, const struct series *s, int64_t hour_ms)
{
    int64_t oldest = hour_ms - BITS_MS, from = oldest;
    if (!s->adaptive_of)
        return NO_TIME;
    if (!s->adaptive_known) {
        /* since its newest state; of what was forecast long ago no truth is to come */
        from = s->adaptive.newest * HOUR_MS - BITS_MS;
        return from > oldest - BITS_MS ? from : oldest - BITS_MS;
    }
    if (m->done_ms == hour_ms)
        return NO_TIME;
    if (m->seen_ms != NO_TIME)
        from = m->seen_ms - AGAIN_MS;
    if (s->rescored_ms != NO_TIME && s->rescored_ms < from)
        from = s->rescored_ms;
    if (s->reread_ms != NO_TIME && s->reread_ms < from)
        from = s->reread_ms;
    return from > oldest ? from : oldest;
}

static size_t pieces(struct misses *m, int64_t hour_ms, struct piece **out)
{
    size_t n = 0, cap = models_count(m->models) + 1;
    struct piece *p = NULL;
    models_lock(m->models);
    for (struct series *s = models_all(m->models); s && n < cap; s = s->all_next) {
        int64_t from = from_hour(m, s, hour_ms);
        if (from == NO_TIME)
            continue;
        if (!p)
            p = xcalloc(cap, sizeof *p);
        p[n++] = (struct piece){s, from};
    }
    models_unlock(m->models);
    if (n)
        qsort(p, n, sizeof *p, by_from);
    *out = p;
    return n;
}

/* What was read of these is all there is. What came late may be scored a moment later:
 * it is read a second time. */
static void followed(struct misses *m, const struct piece *p, size_t n)
{
    models_lock(m->models);
    for (size_t i = 0; i < n; i++) {
        struct series *s = p[i].series;
        s->stale |= !s->adaptive_known; /* its forecast had its own band until now */
        s->adaptive_known = true;
        s->reread_ms = s->rescored_ms;
        s->rescored_ms = NO_TIME;
    }
    models_unlock(m->models);
}

int misses_follow(struct misses *m, int64_t hour_ms, struct err *e)
{
    struct piece *p;
    if (m->done_ms > hour_ms)
        m->done_ms = m->seen_ms = NO_TIME; /* the clock was ahead */
    if (begin_unknown(m, hour_ms, e))
        return -1;
    size_t n = pieces(m, hour_ms, &p);
    int rc = 0;
    m->seeing_ms = m->seen_ms;
    for (size_t i = 0; !rc && i < n; i += CHUNK) {
        size_t k = n - i < CHUNK ? n - i : CHUNK;
        rc = read_scores(m, p + i, k, p[i].from_ms, hour_ms, e);
        if (!rc)
            followed(m, p + i, k);
    }
    free(p);
    if (rc)
        return -1;
    m->seen_ms = m->seeing_ms;
    m->done_ms = hour_ms;
    return 0;
}
