/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/rollup_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/influx.h"
#include "common/mem.h"

static int32_t block_of(int32_t hour)
{
    return hour >= 0 ? hour / ROLLUP_HOURS : -((ROLLUP_HOURS - 1 - hour) / ROLLUP_HOURS);
}

static int order(const void *a, const void *b)
{
    const struct hour_range *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    if (x->quantities != y->quantities) /* devices that measure the same share queries */
        return x->quantities < y->quantities ? -1 : 1;
    return (x->device->index > y->device->index) - (x->device->index < y->device->index);
}

struct hour_range *rollup_pieces(const struct hour_range *r, size_t n, size_t *n_out)
{
    size_t cap = n;
    struct hour_range *out = xcalloc(cap ? cap : 1, sizeof *out);
    *n_out = 0;
    for (size_t i = 0; i < n; i++)
        for (int32_t from = r[i].from; from <= r[i].to;) {
            int32_t end = (block_of(from) + 1) * ROLLUP_HOURS - 1;
            if (*n_out == cap) {
                cap *= 2;
                out = xrealloc(out, cap * sizeof *out);
            }
            out[*n_out] = r[i];
            out[*n_out].from = from;
            out[*n_out].to = end < r[i].to ? end : r[i].to;
            from = out[(*n_out)++].to + 1;
        }
    qsort(out, *n_out, sizeof *out, order);
    return out;
}

size_t rollup_chunk(const struct hour_range *p, size_t n, size_t devices)
{
    size_t k = 1;
    while (k < n && k < devices && p[k].from == p->from && p[k].to == p->to)
        k++;
    return k;
}

enum rollup_way rollup_way(const struct hour_range *p)
{
    return p->from == p->to ? ROLLUP_READINGS : ROLLUP_SUMS;
}

/* ---- the question
 * --------------------------------------------------------------------------- */

static void aggregate(struct buf *q, const char *fn, const char *name, const char *suffix)
{
    char as[QUANTITY_MAX + 8];
    strcpy(as, name);
    strcat(as, suffix);
    buf_addf(q, "%s(", fn);
    influx_ql_ident(q, name);
    buf_adds(q, ") AS ");
    influx_ql_ident(q, as);
}

static void ask_aggregates(struct buf *q, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_adds(q, i ? ", " : "");
        aggregate(q, "mean", names[i], "");
        buf_adds(q, ", ");
        aggregate(q, "min", names[i], "_min");
        buf_adds(q, ", ");
        aggregate(q, "max", names[i], "_max");
        buf_adds(q, ", ");
        aggregate(q, "count", names[i], "_n");
    }
}

static void ask_readings(struct buf *q, const char *const *names, size_t n)
{
    buf_adds(q, "\"quality\"");
    for (size_t i = 0; i < n; i++) {
        buf_adds(q, ", ");
        influx_ql_ident(q, names[i]);
    }
}

/* Names of devices have no character that means something in a regular expression. */
static void add_devices(struct buf *q, const struct hour_range *p, size_t n)
{
    buf_adds(q, " AND \"device\" =~ /^(");
    for (size_t i = 0; i < n; i++)
        buf_addf(q, "%s%s", i ? "|" : "", p[i].device->name);
    buf_adds(q, ")$/");
}

void rollup_query(struct buf *q, enum rollup_way way, const struct hour_range *p,
                  size_t n, const char *const *names, size_t n_names)
{
    bool readings = way == ROLLUP_READINGS;
    buf_adds(q, "SELECT ");
    if (readings)
        ask_readings(q, names, n_names);
    else
        ask_aggregates(q, names, n_names);
    buf_adds(q, " FROM \"readings\" WHERE ");
    buf_adds(q, readings ? "" : "\"quality\" > 0 AND ");
    influx_ql_range(q, p->from * HOUR_MS, (p->to + 1) * HOUR_MS);
    add_devices(q, p, n);
    buf_adds(q, readings ? " GROUP BY \"device\""
                         : " GROUP BY time(1h), \"device\" fill(none)");
}

void rollup_kept_query(struct buf *q, const struct hour_range *p, size_t n,
                       const char *const *names, size_t n_names)
{
    for (size_t i = 0; i < n_names; i++) {
        char count[QUANTITY_MAX + 8];
        snprintf(count, sizeof count, "%s_n", names[i]);
        buf_adds(q, i ? ", " : "SELECT ");
        influx_ql_ident(q, count);
    }
    buf_adds(q, " FROM \"hourly\" WHERE ");
    influx_ql_range(q, p->from * HOUR_MS, (p->to + 1) * HOUR_MS);
    add_devices(q, p, n);
    buf_adds(q, " GROUP BY \"device\"");
}

/* ---- the answer
 * ----------------------------------------------------------------------------- */

#define KEY_SIZE (DEVICE_MAX + QUANTITY_MAX + 40)

/* "kitchen temperature_n 1795132800000" */
static const char *kept_key(char out[KEY_SIZE], const char *device, const char *count,
                            int64_t hour_ms)
{
    snprintf(out, KEY_SIZE, "%s %s %lld", device, count, (long long)hour_ms);
    return out;
}

json_t *rollup_kept(const json_t *series)
{
    size_t i, k;
    json_t *s, *row, *kept = json_object();
    json_array_foreach((json_t *)series, i, s)
    {
        const char *device =
            json_string_value(json_object_get(json_object_get(s, "tags"), "device"));
        const json_t *columns = json_object_get(s, "columns");
        json_array_foreach(json_object_get(s, "values"), k, row)
        {
            for (size_t c = 1; device && c < json_array_size(columns); c++) {
                char key[KEY_SIZE];
                const char *count = json_string_value(json_array_get(columns, c));
                json_t *n = json_array_get(row, c);
                if (count && json_is_number(n))
                    json_object_set(kept,
                                    kept_key(key, device, count,
                                             json_integer_value(json_array_get(row, 0))),
                                    n);
            }
        }
    }
    return kept;
}

static bool keeps(const json_t *kept, const char *device, const char *count,
                  int64_t hour_ms, double n)
{
    char key[KEY_SIZE];
    return kept && json_number_value(
                       json_object_get(kept, kept_key(key, device, count, hour_ms))) > n;
}

/* Columns: time, then mean, least, most and count of each quantity. */
static void row_line(struct buf *b, const char *device, const json_t *columns,
                     const json_t *row, const json_t *kept)
{
    struct influx_line l;
    int64_t hour_ms = json_integer_value(json_array_get(row, 0));
    influx_line(&l, b, "hourly");
    influx_tag(&l, "device", device);
    for (size_t i = 1; i < json_array_size(columns); i++) {
        const json_t *v = json_array_get(row, i);
        const char *name = json_string_value(json_array_get(columns, i));
        size_t len = name ? strlen(name) : 0, at = (i - 1) / 4 * 4 + 4;
        const char *of = json_string_value(json_array_get(columns, at));
        if (of &&
            keeps(kept, device, of, hour_ms, json_number_value(json_array_get(row, at))))
            continue;
        bool count = len > 2 && !strcmp(name + len - 2, "_n");
        if (json_is_number(v) && !(count && json_number_value(v) == 0))
            influx_field(&l, name, json_number_value(v));
    }
    influx_end(&l, hour_ms);
}

struct sum {
    double total, min, max;
    size_t n;
};

static void take(struct sum *s, double v)
{
    s->min = s->n && s->min < v ? s->min : v;
    s->max = s->n && s->max > v ? s->max : v;
    s->total += v;
    s->n++;
}

static void sum_fields(struct influx_line *l, const char *name, const struct sum *s)
{
    char with[QUANTITY_MAX + 8];
    if (!s->n)
        return;
    influx_field(l, name, s->total / (double)s->n);
    snprintf(with, sizeof with, "%s_min", name);
    influx_field(l, with, s->min);
    snprintf(with, sizeof with, "%s_max", name);
    influx_field(l, with, s->max);
    snprintf(with, sizeof with, "%s_n", name);
    influx_field(l, with, (double)s->n);
}

/* columns: time, quality, quantities. */
static void hour_line(struct buf *b, const char *device, const json_t *columns,
                      const json_t *values, const json_t *kept, int64_t hour_ms)
{
    struct sum sums[ROLLUP_NAMES] = {0};
    size_t k, n = json_array_size(columns);
    json_t *row;
    n = n < 2 ? 0 : n - 2 < ROLLUP_NAMES ? n - 2 : ROLLUP_NAMES;
    json_array_foreach(values, k, row)
    {
        if (!(json_number_value(json_array_get(row, 1)) > 0)) /* null counts as 0 */
            continue;
        for (size_t i = 0; i < n; i++) {
            const json_t *v = json_array_get(row, i + 2);
            if (json_is_number(v))
                take(&sums[i], json_number_value(v));
        }
    }
    struct influx_line l;
    influx_line(&l, b, "hourly");
    influx_tag(&l, "device", device);
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(columns, i + 2));
        char count[QUANTITY_MAX + 8];
        snprintf(count, sizeof count, "%s_n", name ? name : "");
        if (!keeps(kept, device, count, hour_ms, (double)sums[i].n))
            sum_fields(&l, name, &sums[i]);
    }
    influx_end(&l, hour_ms);
}

void rollup_lines(struct buf *b, enum rollup_way way, const struct hour_range *p,
                  const json_t *series, const json_t *kept, size_t *rows)
{
    size_t i, k;
    json_t *s, *row;
    *rows = 0;
    json_array_foreach(series, i, s)
    {
        const char *device =
            json_string_value(json_object_get(json_object_get(s, "tags"), "device"));
        const json_t *columns = json_object_get(s, "columns");
        json_t *values = json_object_get(s, "values");
        *rows += json_array_size(values);
        if (!device)
            continue;
        if (way == ROLLUP_READINGS) {
            hour_line(b, device, columns, values, kept, p->from * HOUR_MS);
            continue;
        }
        json_array_foreach(values, k, row)
        {
            row_line(b, device, columns, row, kept);
        }
    }
}
