/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/hourly.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/reading.h"

#define CHUNK 100 /* series asked for in one query */
#define QUERY_MAX 65536
#define CATCH_UP_HOURS 24

size_t hourly_kept(const struct model *m)
{
    return model_history(m) + MODEL_HISTORY_SPARE + CATCH_UP_HOURS;
}

/* Distinct texts of the list, as written by add(), with sep between them. */
static void add_distinct(struct buf *q, struct series *const *list, size_t n,
                         const char *(*text)(const struct series *),
                         void (*add)(struct buf *, const char *), const char *sep)
{
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < i && strcmp(text(list[k]), text(list[i])))
            k++;
        if (k < i)
            continue;
        if (!first)
            buf_adds(q, sep);
        first = false;
        add(q, text(list[i]));
    }
}

static const char *quantity_of(const struct series *s)
{
    return s->quantity;
}

static const char *device_of(const struct series *s)
{
    return s->device;
}

static void add_device(struct buf *q, const char *device)
{
    buf_adds(q, "\"device\" = ");
    influx_ql_string(q, device);
}

static void make_query(struct buf *q, struct series *const *list, size_t n,
                       int64_t from_ms, int64_t to_ms)
{
    buf_reset(q);
    buf_adds(q, "SELECT ");
    add_distinct(q, list, n, quantity_of, influx_ql_ident, ", ");
    buf_adds(q, " FROM \"hourly\" WHERE (");
    add_distinct(q, list, n, device_of, add_device, " OR ");
    buf_adds(q, ") AND ");
    influx_ql_range(q, from_ms, to_ms);
    buf_adds(q, " GROUP BY \"device\"");
}

/* One column of one device's rows. Under the lock. */
static void take_column(struct series *s, const json_t *rows, size_t col)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        const json_t *v = json_array_get(row, col);
        if (json_is_number(v) &&
            history_put(s->history, json_integer_value(json_array_get(row, 0)),
                        json_number_value(v)))
            s->stale = true;
    }
}

static void take_answer(struct models *m, const json_t *answer)
{
    size_t i, k;
    json_t *one, *column;
    json_array_foreach(answer, i, one)
    {
        const char *device =
            json_string_value(json_object_get(json_object_get(one, "tags"), "device"));
        json_array_foreach(json_object_get(one, "columns"), k, column)
        {
            char name[SERIES_MAX + 1];
            int len = snprintf(name, sizeof name, "%s.%s", device ? device : "",
                               json_string_value(column));
            struct series *s = len < (int)sizeof name && k ? models_find(m, name) : NULL;
            if (s && s->history)
                take_column(s, json_object_get(one, "values"), k);
        }
    }
}

static int read_chunk(struct influx *in, struct models *m, struct series *const *list,
                      size_t n, int64_t from_ms, int64_t to_ms, struct err *e)
{
    struct buf q;
    int rc = 0;
    buf_init(&q, QUERY_MAX);
    for (int64_t t = from_ms; !rc && t <= to_ms; t += INFLUX_WINDOW_MS) {
        int64_t end = t + INFLUX_WINDOW_MS < to_ms + 1 ? t + INFLUX_WINDOW_MS : to_ms + 1;
        json_t *answer;
        make_query(&q, list, n, t, end);
        rc = influx_query(in, q.data, &answer, e);
        if (rc)
            break;
        models_lock(m);
        take_answer(m, answer);
        models_unlock(m);
        json_decref(answer);
    }
    buf_done(&q);
    return rc;
}

int hourly_read(struct influx *in, struct models *m, struct series *const *list, size_t n,
                int64_t from_ms, int64_t to_ms, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < n; i += CHUNK)
        rc =
            read_chunk(in, m, list + i, n - i < CHUNK ? n - i : CHUNK, from_ms, to_ms, e);
    return rc;
}

/* Gives s a history long enough for its champion. Returns its length if it has to be
 * read, else 0. Under the lock. */
static size_t prepare(struct series *s)
{
    struct serving *v = series_serving(s);
    if (!v)
        return 0;
    size_t need = hourly_kept(v->version->model);
    serving_put(v);
    if (!s->history || history_hours(s->history) < need) {
        history_free(s->history);
        s->history = history_new(need);
        s->loaded = false;
    }
    return s->loaded ? 0 : history_hours(s->history);
}

int hourly_load(struct influx *in, struct models *m, struct series *const *list, size_t n,
                int64_t to_ms, struct err *e)
{
    struct series **todo = xcalloc(n + 1, sizeof *todo);
    size_t n_todo = 0, most = 0;
    models_lock(m);
    for (size_t i = 0; i < n; i++) {
        size_t hours = prepare(list[i]);
        if (hours)
            todo[n_todo++] = list[i];
        most = hours > most ? hours : most;
    }
    models_unlock(m);
    int rc = 0;
    for (size_t i = 0; !rc && i < n_todo; i += CHUNK) {
        size_t k = n_todo - i < CHUNK ? n_todo - i : CHUNK;
        rc = hourly_read(in, m, todo + i, k, to_ms - ((int64_t)most - 1) * HOUR_MS, to_ms,
                         e);
        models_lock(m);
        for (size_t j = i; !rc && j < i + k; j++)
            todo[j]->loaded = todo[j]->stale = true;
        models_unlock(m);
    }
    free(todo);
    return rc;
}
