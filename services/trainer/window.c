/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/window.h"

#include <stdbool.h>
#include <string.h>

#include "common/reading.h"

#define QUERY_MAX 16384

struct name {
    char device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
};

static bool seen_device(const struct name *names, int i)
{
    for (int k = 0; k < i; k++)
        if (!strcmp(names[k].device, names[i].device))
            return true;
    return false;
}

static bool seen_quantity(const struct name *names, int i)
{
    for (int k = 0; k < i; k++)
        if (!strcmp(names[k].quantity, names[i].quantity))
            return true;
    return false;
}

static void write_query(struct buf *q, const struct name *names, int n, int64_t from_ms,
                        int64_t to_ms)
{
    buf_reset(q);
    buf_adds(q, "SELECT ");
    for (int i = 0; i < n; i++)
        if (!seen_quantity(names, i)) {
            buf_adds(q, i ? ", " : "");
            influx_ql_ident(q, names[i].quantity);
        }
    buf_adds(q, " FROM \"hourly\" WHERE (");
    for (int i = 0; i < n; i++)
        if (!seen_device(names, i)) {
            buf_adds(q, i ? " OR \"device\" = " : "\"device\" = ");
            influx_ql_string(q, names[i].device);
        }
    buf_adds(q, ") AND ");
    influx_ql_range(q, from_ms, to_ms);
    buf_adds(q, " GROUP BY \"device\"");
}

static size_t column_of(const json_t *columns, const char *name)
{
    size_t c = 1, n = json_array_size(columns);
    for (; c < n; c++) {
        const char *column = json_string_value(json_array_get(columns, c));
        if (column && !strcmp(column, name))
            break;
    }
    return c; /* past the end: no row has it */
}

/* One device's rows: each column goes to the series of that name. */
static void take_device(const json_t *s, const struct name *names, int n,
                        struct hours *out)
{
    const char *device =
        json_string_value(json_object_get(json_object_get(s, "tags"), "device"));
    const json_t *columns = json_object_get(s, "columns");
    size_t k;
    json_t *row;
    for (int i = 0; device && i < n; i++) {
        if (strcmp(names[i].device, device) != 0)
            continue;
        size_t c = column_of(columns, names[i].quantity);
        json_array_foreach(json_object_get(s, "values"), k, row)
        {
            const json_t *v = json_array_get(row, c);
            if (json_is_number(v))
                hours_set(&out[i], json_integer_value(json_array_get(row, 0)) / 1000,
                          json_number_value(v));
        }
    }
}

static int read_piece(struct influx *in, struct buf *q, const struct name *names, int n,
                      struct hours *out, struct err *e)
{
    json_t *series, *s;
    size_t i;
    if (q->full)
        return err_set(e, ERR_INTERNAL, "the query for %d series is too long", n);
    if (influx_query(in, q->data, &series, e))
        return -1;
    json_array_foreach(series, i, s)
    {
        take_device(s, names, n, out);
    }
    json_decref(series);
    return 0;
}

int window_read(struct influx *in, const char *const names[], int n, int64_t from_s,
                int64_t to_s, struct hours *out, struct err *e)
{
    struct name split[WINDOW_SERIES_MAX];
    struct buf q;
    int rc = 0, made = 0;
    buf_init(&q, QUERY_MAX);
    for (int i = 0; i < n && !rc; i++)
        rc = series_split(names[i], NULL, split[i].device, split[i].quantity, e);
    while (!rc && made < n) {
        rc = hours_init(&out[made], from_s, (size_t)((to_s - from_s) / 3600 + 1), e);
        made += !rc;
    }
    int64_t end_ms = (to_s + 3600) * 1000;
    for (int64_t t = from_s * 1000; n && t < end_ms && !rc; t += INFLUX_WINDOW_MS) {
        int64_t until = t + INFLUX_WINDOW_MS < end_ms ? t + INFLUX_WINDOW_MS : end_ms;
        write_query(&q, split, n, t, until);
        rc = read_piece(in, &q, split, n, out, e);
    }
    for (int i = 0; rc && i < made; i++)
        hours_done(&out[i]);
    buf_done(&q);
    return rc;
}
