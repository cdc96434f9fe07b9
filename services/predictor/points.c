/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET /api/v1/history: what was measured, by hour or raw. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/reading.h"
#include "services/predictor/api.h"
#include "services/predictor/predictor.h"
#include "services/predictor/unknown.h"

#define DAY_MS (24 * HOUR_MS)
#define HOURLY_DAYS 400
#define RAW_DAYS 31

struct wanted {
    char name[SERIES_MAX + 1], device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
    int64_t from_ms, to_ms;
    bool raw, csv;
};

struct out {
    struct buf *b;
    bool csv;
    int64_t n, max;
};

static int choice(const struct req *q, const char *key, const char *first,
                  const char *second, bool *is_second, struct err *e)
{
    const char *v = req_query(q, key);
    if (v && strcmp(v, first) && strcmp(v, second))
        return err_set(e, ERR_INVALID, "parameter \"%s\" must be %s or %s, not \"%.40s\"",
                       key, first, second, v);
    if (v)
        *is_second = !strcmp(v, second);
    return 0;
}

static int check_range(const struct wanted *w, struct err *e)
{
    int days = w->raw ? RAW_DAYS : HOURLY_DAYS;
    if (w->from_ms >= w->to_ms)
        return err_set(e, ERR_INVALID, "\"from\" must be before \"to\"");
    if (w->to_ms - w->from_ms > days * DAY_MS)
        return err_set(e, ERR_INVALID,
                       "from and to are more than %d days apart: ask in pieces%s", days,
                       w->raw ? ", or with agg=1h" : "");
    return 0;
}

static int read_wanted(struct wanted *w, const struct req *q, struct err *e)
{
    const char *series = req_query(q, "series"), *accept = req_header(q, "Accept");
    *w = (struct wanted){.to_ms = clock_now_ms()};
    if (!series)
        return err_set(e, ERR_INVALID, "parameter \"series\" is missing");
    w->csv = accept && !strncmp(accept, "text/csv", 8);
    if (series_split(series, w->name, w->device, w->quantity, e) ||
        choice(q, "agg", "1h", "raw", &w->raw, e) ||
        choice(q, "format", "json", "csv", &w->csv, e) ||
        req_query_time(q, "to", &w->to_ms, e))
        return -1;
    w->from_ms = w->to_ms - DAY_MS;
    if (req_query_time(q, "from", &w->from_ms, e))
        return -1;
    return check_range(w, e);
}

static int add_point(void *arg, int64_t t_ms, double value)
{
    struct out *o = arg;
    char time[CLOCK_RFC3339_SIZE];
    if (o->n++ == o->max)
        return 1;
    clock_format(t_ms, time);
    if (o->csv) {
        buf_addf(o->b, "%s,", time);
        buf_add_real(o->b, value);
        buf_addc(o->b, '\n');
    } else {
        buf_addf(o->b, "%s{\"time\":\"%s\",\"value\":", o->n > 1 ? "," : "", time);
        buf_add_real(o->b, value);
        buf_addc(o->b, '}');
    }
    return 0;
}

static void begin(const struct wanted *w, struct res *s)
{
    const struct quantity *q = quantity_find(w->quantity);
    if (w->csv) {
        char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
        clock_format(w->from_ms, from);
        clock_format(w->to_ms, to);
        s->type = "text/csv; charset=utf-8";
        snprintf(s->filename, sizeof s->filename, "%.60s_%.10s_%.10s.csv", w->name, from,
                 to);
        buf_adds(&s->body, "time,value\n");
        return;
    }
    buf_addf(&s->body, "{\"series\":\"%s\",\"unit\":", w->name);
    if (q && *q->unit)
        buf_add_json_string(&s->body, q->unit);
    else
        buf_adds(&s->body, "null");
    buf_adds(&s->body, ",\"points\":[");
}

int points_get(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct predictor *p = app;
    struct wanted w;
    if (read_wanted(&w, q, e))
        return -1;
    begin(&w, s);
    struct out o = {.b = &s->body, .csv = w.csv, .max = p->set.history_points};
    struct influx *in = unknown_influx(p);
    int rc = influx_read(in, w.raw ? "readings" : "hourly", w.quantity, w.device, "",
                         w.from_ms, w.to_ms, add_point, &o, e);
    influx_free(in);
    if (!rc && !o.n)
        rc = unknown_series(p, w.name, e);
    if (!rc && o.n > o.max)
        rc = err_set(e, ERR_TOO_LARGE,
                     "more than %" PRId64
                     " points lie between from and to: ask in pieces%s",
                     o.max, w.raw ? ", or with agg=1h" : "");
    if (!w.csv)
        buf_adds(&s->body, "]}");
    return rc;
}
