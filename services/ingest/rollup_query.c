/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/rollup_query.h"

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

size_t rollup_chunk(const struct hour_range *p, size_t n)
{
    size_t cells = (size_t)(p->to - p->from + 1), k = 1;
    while (k < n && k < ROLLUP_DEVICES && (k + 1) * cells <= ROLLUP_CELLS &&
           p[k].from == p->from && p[k].to == p->to)
        k++;
    return k;
}

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

void rollup_query(struct buf *q, const struct hour_range *p, size_t n,
                  const char *const *names, size_t n_names)
{
    buf_adds(q, "SELECT ");
    for (size_t i = 0; i < n_names; i++) {
        buf_adds(q, i ? ", " : "");
        aggregate(q, "mean", names[i], "");
        buf_adds(q, ", ");
        aggregate(q, "min", names[i], "_min");
        buf_adds(q, ", ");
        aggregate(q, "max", names[i], "_max");
        buf_adds(q, ", ");
        aggregate(q, "count", names[i], "_n");
    }
    buf_adds(q, " FROM \"readings\" WHERE \"quality\" > 0 AND ");
    influx_ql_range(q, p->from * HOUR_MS, (p->to + 1) * HOUR_MS);
    buf_adds(q, " AND (");
    for (size_t i = 0; i < n; i++) {
        buf_adds(q, i ? " OR \"device\" = " : "\"device\" = ");
        influx_ql_string(q, p[i].device->name);
    }
    buf_adds(q, ") GROUP BY time(1h), \"device\" fill(none)");
}

static bool row_line(struct buf *b, const char *device, const json_t *columns,
                     const json_t *row)
{
    struct influx_line l;
    influx_line(&l, b, "hourly");
    influx_tag(&l, "device", device);
    for (size_t i = 1; i < json_array_size(columns); i++) {
        const json_t *v = json_array_get(row, i);
        const char *name = json_string_value(json_array_get(columns, i));
        size_t len = name ? strlen(name) : 0;
        bool count = len > 2 && !strcmp(name + len - 2, "_n");
        if (json_is_number(v) && !(count && json_number_value(v) == 0))
            influx_field(&l, name, json_number_value(v));
    }
    return influx_end(&l, json_integer_value(json_array_get(row, 0))) == 0;
}

size_t rollup_lines(struct buf *b, const json_t *series)
{
    size_t i, k, n = 0;
    json_t *s, *row;
    json_array_foreach(series, i, s)
    {
        const char *device =
            json_string_value(json_object_get(json_object_get(s, "tags"), "device"));
        const json_t *columns = json_object_get(s, "columns");
        json_array_foreach(json_object_get(s, "values"), k, row) n +=
            device && row_line(b, device, columns, row);
    }
    return n;
}
