/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/facts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/reading.h"
#include "services/monitor/checks.h"

#define QUERY_MAX 65536
#define SPAN_MS (WINDOW_HOURS * HOUR_MS)

/* AND ("device" = 'a' OR ...), or nothing for all. */
static void only_devices(struct buf *q, const struct devices *d)
{
    for (size_t i = 0; i < d->n; i++) {
        buf_adds(q, i ? " OR " : " AND (");
        buf_adds(q, "\"device\" = ");
        influx_ql_string(q, d->names[i]);
    }
    if (d->n)
        buf_addc(q, ')');
}

static int run(struct influx *in, const char *select, const struct devices *d,
               int64_t from_ms, int64_t to_ms, const char *group, json_t **series,
               struct err *e)
{
    struct buf q;
    buf_init(&q, QUERY_MAX);
    buf_adds(&q, select);
    influx_ql_range(&q, from_ms, to_ms);
    only_devices(&q, d);
    buf_adds(&q, group);
    int rc = influx_query(in, q.data, series, e);
    buf_done(&q);
    return rc;
}

static const char *tag(const json_t *series, const char *key)
{
    const char *s =
        json_string_value(json_object_get(json_object_get(series, "tags"), key));
    return s ? s : "";
}

/* ---- which quantities there are ------------------------------------------ */

/* `hourly` has q, q_min, q_max and q_n for a quantity q: q is what q_n stands beside.
 * There may be thousands. */
static void add_fields(struct fields *f, const json_t *rows)
{
    size_t i, cap = f->n;
    json_t *row, *keys = json_object();
    json_array_foreach((json_t *)rows, i, row)
    {
        const char *key = json_string_value(json_array_get(row, 0));
        if (key)
            json_object_set_new(keys, key, json_null());
    }
    json_array_foreach((json_t *)rows, i, row)
    {
        char count[QUANTITY_MAX + 3];
        const char *key = json_string_value(json_array_get(row, 0));
        if (!key || !quantity_valid(key))
            continue;
        snprintf(count, sizeof count, "%s_n", key);
        if (!json_object_get(keys, count))
            continue;
        if (f->n == cap) {
            cap = cap ? cap * 2 : 64;
            f->names = xrealloc(f->names, cap * sizeof *f->names);
        }
        f->names[f->n++] = xstrdup(key);
    }
    json_decref(keys);
}

int facts_fields(struct influx *in, struct fields *f, struct err *e)
{
    json_t *all, *s;
    size_t i;
    *f = (struct fields){0};
    if (influx_query(in, "SHOW FIELD KEYS FROM \"hourly\"", &all, e))
        return -1;
    json_array_foreach(all, i, s)
    {
        add_fields(f, json_object_get(s, "values"));
    }
    json_decref(all);
    return 0;
}

void fields_done(struct fields *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->names[i]);
    free(f->names);
    *f = (struct fields){0};
}

/* ---- hourly -------------------------------------------------------------- */

/* The next FACTS_FIELDS of f, from the one at *i on; false after the last. */
static bool next_fields(const struct fields *f, size_t *i, struct fields *part)
{
    size_t n = f->n - *i;
    *part = (struct fields){f->names + *i, n < FACTS_FIELDS ? n : FACTS_FIELDS};
    *i += part->n;
    return part->n > 0;
}

/* SELECT of each field, in their order, between before and after ("count(" and ")"). */
static int select_fields(struct influx *in, const struct fields *f, const char *before,
                         const char *after, const struct devices *d, int64_t from_ms,
                         int64_t to_ms, json_t **series, struct err *e)
{
    struct buf q;
    buf_init(&q, QUERY_MAX);
    for (size_t i = 0; i < f->n; i++) {
        buf_addf(&q, "%s%s", i ? ", " : "SELECT ", before);
        influx_ql_ident(&q, f->names[i]);
        buf_adds(&q, after);
    }
    buf_adds(&q, " FROM \"hourly\" WHERE ");
    int rc = run(in, q.data, d, from_ms, to_ms, " GROUP BY \"device\"", series, e);
    buf_done(&q);
    return rc;
}

static void each_value(const struct fields *f, const char *device, const json_t *row,
                       void (*each)(void *arg, const char *device, const char *quantity,
                                    int64_t t_ms, double value),
                       void *arg)
{
    int64_t t_ms = json_integer_value(json_array_get(row, 0));
    for (size_t c = 0; c < f->n; c++) {
        const json_t *v = json_array_get(row, c + 1);
        if (json_is_number(v))
            each(arg, device, f->names[c], t_ms, json_number_value(v));
    }
}

int facts_hourly(struct influx *in, const struct fields *f, const struct devices *d,
                 int64_t from_ms,
                 void (*each)(void *arg, const char *device, const char *quantity,
                              int64_t t_ms, double value),
                 void *arg, struct err *e)
{
    json_t *all, *s, *row;
    struct fields part;
    size_t i, k, at = 0;
    while (next_fields(f, &at, &part)) {
        if (select_fields(in, &part, "", "", d, from_ms, from_ms + SPAN_MS, &all, e))
            return -1;
        json_array_foreach(all, i, s)
        {
            json_array_foreach(json_object_get(s, "values"), k, row)
            {
                each_value(&part, tag(s, "device"), row, each, arg);
            }
        }
        json_decref(all);
    }
    return 0;
}

static struct stored stored_of(const json_t *row)
{
    double version = json_real_at(row, 4);
    return (struct stored){json_real_at(row, 1), json_real_at(row, 2),
                           json_real_at(row, 3),
                           version >= 1 && version < 1e9 ? (int)version : 0};
}

int facts_stored(struct influx *in, const struct devices *d, bool lead1, int64_t from_ms,
                 int64_t to_ms,
                 void (*each)(void *arg, const char *device, const char *quantity,
                              int lead, int64_t t_ms, const struct stored *f),
                 void *arg, struct err *e)
{
    json_t *all, *s, *row;
    size_t i, k;
    char select[256];
    snprintf(select, sizeof select,
             "SELECT \"yhat\", \"yhat_lower\", \"yhat_upper\", \"version\" FROM "
             "\"forecast_leads\" WHERE \"role\" = 'champion' AND %s",
             lead1 ? "\"lead\" = '1' AND " : "");
    if (run(in, select, d, from_ms, to_ms, " GROUP BY \"device\", \"quantity\", \"lead\"",
            &all, e))
        return -1;
    json_array_foreach(all, i, s)
    {
        json_array_foreach(json_object_get(s, "values"), k, row)
        {
            struct stored f = stored_of(row);
            each(arg, tag(s, "device"), tag(s, "quantity"), atoi(tag(s, "lead")),
                 json_integer_value(json_array_get(row, 0)), &f);
        }
    }
    json_decref(all);
    return 0;
}

/* The counts of one piece for the fields of one query. */
static int count_piece(struct influx *in, const struct fields *f, const struct devices *d,
                       int64_t begin_ms, int64_t end_ms,
                       void (*each)(void *arg, const char *device, const char *quantity,
                                    int64_t piece_ms, int count),
                       void *arg, struct err *e)
{
    json_t *all, *s;
    size_t i;
    if (select_fields(in, f, "count(", ")", d, begin_ms, end_ms, &all, e))
        return -1;
    json_array_foreach(all, i, s)
    {
        const json_t *row = json_array_get(json_object_get(s, "values"), 0);
        for (size_t c = 0; c < f->n; c++) {
            int count = (int)json_number_value(json_array_get(row, c + 1));
            if (count > 0)
                each(arg, tag(s, "device"), f->names[c], begin_ms, count);
        }
    }
    json_decref(all);
    return 0;
}

int facts_count(struct influx *in, const struct fields *f, const struct devices *d,
                int64_t from_ms, int64_t to_ms,
                void (*each)(void *arg, const char *device, const char *quantity,
                             int64_t piece_ms, int count),
                void *arg, struct err *e)
{
    struct fields part;
    int64_t end = to_ms + HOUR_MS;
    for (; f->n && end > from_ms; end -= SPAN_MS) {
        int64_t begin = end - SPAN_MS > from_ms ? end - SPAN_MS : from_ms;
        size_t at = 0;
        while (next_fields(f, &at, &part))
            if (count_piece(in, &part, d, begin, end, each, arg, e))
                return -1;
    }
    return 0;
}

int facts_devices(struct influx *in, void (*each)(void *arg, const char *device),
                  void *arg, struct err *e)
{
    json_t *all, *s, *row;
    size_t i, k;
    if (influx_query(in, "SHOW TAG VALUES FROM \"hourly\" WITH KEY = \"device\"", &all,
                     e))
        return -1;
    json_array_foreach(all, i, s)
    {
        json_array_foreach(json_object_get(s, "values"), k, row)
        {
            const char *name = json_string_value(json_array_get(row, 1));
            if (name && device_valid(name))
                each(arg, name);
        }
    }
    json_decref(all);
    return 0;
}

static const char *const evaluation_fields[] = {
    "n",      "missing",  "mae_4h", "rmse_4h",   "mae_12h",  "rmse_12h",
    "r2_12h", "bias_12h", "ewma",   "skill_24h", "coverage", "version"};
#define N_FIELDS (sizeof evaluation_fields / sizeof *evaluation_fields)

static json_t *point(const json_t *row)
{
    char time[CLOCK_RFC3339_SIZE];
    json_t *p = json_object();
    json_object_set_new(
        p, "time",
        json_string(clock_format(json_integer_value(json_array_get(row, 0)), time)));
    for (size_t i = 0; i < N_FIELDS; i++) {
        double v = json_real_at(row, i + 1);
        bool whole = !strcmp(evaluation_fields[i], "n") ||
                     !strcmp(evaluation_fields[i], "missing") ||
                     !strcmp(evaluation_fields[i], "version");
        json_object_set_new(p, evaluation_fields[i],
                            whole && isfinite(v) ? json_integer((json_int_t)v)
                                                 : json_number(v));
    }
    return p;
}

json_t *facts_evaluations(struct influx *in, const char *device, const char *quantity,
                          int64_t from_ms, int64_t to_ms, struct err *e)
{
    json_t *points = json_array(), *all, *s, *row;
    size_t i, k;
    struct buf q;
    int rc = 0;
    buf_init(&q, QUERY_MAX);
    for (int64_t t = from_ms; t < to_ms && !rc; t += INFLUX_WINDOW_MS) {
        buf_reset(&q);
        for (size_t f = 0; f < N_FIELDS; f++)
            buf_addf(&q, "%s\"%s\"", f ? ", " : "SELECT ", evaluation_fields[f]);
        buf_adds(&q, " FROM \"evaluations\" WHERE \"device\" = ");
        influx_ql_string(&q, device);
        buf_adds(&q, " AND \"quantity\" = ");
        influx_ql_string(&q, quantity);
        buf_adds(&q, " AND ");
        influx_ql_range(&q, t,
                        t + INFLUX_WINDOW_MS < to_ms ? t + INFLUX_WINDOW_MS : to_ms);
        rc = influx_query(in, q.data, &all, e);
        if (rc)
            break;
        json_array_foreach(all, i, s)
        {
            json_array_foreach(json_object_get(s, "values"), k, row)
            {
                json_array_append_new(points, point(row));
            }
        }
        json_decref(all);
    }
    buf_done(&q);
    if (!rc)
        return points;
    json_decref(points);
    return NULL;
}
