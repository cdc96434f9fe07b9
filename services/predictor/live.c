/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/live.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/reading.h"

#define LINES_MAX (4u << 20)
#define LINE_MAX 320 /* bytes of one line at most: names, two reals, a time */
#define READINGS_MAX 5000
#define VALUES_MAX 10000 /* in one request; their lines fit into an empty buffer */

struct live {
    struct models *models; /* borrowed */
    pthread_mutex_t lock;  /* lines, and the last readings in the series */
    struct buf lines;
    struct buf sending; /* of the flushing thread alone */
    struct metric *taken;
    struct log_often lost;
};

struct live *live_new(struct models *m, struct metrics *metrics)
{
    struct live *l = xcalloc(1, sizeof *l);
    l->models = m;
    pthread_mutex_init(&l->lock, NULL);
    buf_init(&l->lines, LINES_MAX);
    buf_init(&l->sending, LINES_MAX);
    l->taken = metric_counter(metrics, "fieldcast_live_values_total",
                              "Live values taken from ingest.", NULL);
    return l;
}

void live_free(struct live *l)
{
    if (!l)
        return;
    buf_done(&l->lines);
    buf_done(&l->sending);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static int check_values(const json_t *values, size_t *n, struct err *e)
{
    const char *quantity;
    json_t *v;
    if (!json_is_object(values) || json_object_size(values) > READING_VALUES_MAX)
        return err_set(e, ERR_INVALID,
                       "\"values\" must be an object of at most %d numbers",
                       READING_VALUES_MAX);
    json_object_foreach((json_t *)values, quantity, v)
    {
        if (!quantity_valid(quantity))
            return err_set(e, ERR_INVALID, "\"%.70s\" is not a quantity", quantity);
        if (!json_is_number(v))
            return err_set(e, ERR_INVALID, "the value of \"%s\" must be a number",
                           quantity);
    }
    *n += json_object_size(values);
    return 0;
}

static int check(const json_t *readings, size_t *n, struct err *e)
{
    size_t i;
    json_t *r;
    if (!json_is_array(readings) || json_array_size(readings) > READINGS_MAX)
        return err_set(e, ERR_INVALID, "\"readings\" must be an array of at most %d",
                       READINGS_MAX);
    json_array_foreach(readings, i, r)
    {
        const char *device;
        int64_t t;
        int rc = json_get_string(r, "device", &device, DEVICE_MAX, e) ||
                 json_get_int(r, "time_ms", &t, 0, INT64_C(253402300799999), e) ||
                 check_values(json_object_get(r, "values"), n, e);
        if (!rc && !device_valid(device))
            rc = err_set(e, ERR_INVALID, "\"%s\" is not a device", device);
        if (rc)
            return err_prefix(e, "reading %zu", i);
    }
    if (*n > VALUES_MAX)
        return err_set(e, ERR_TOO_LARGE, "one request may carry %d values, not %zu",
                       VALUES_MAX, *n);
    return 0;
}

/* What was forecast for the hour that holds t; NaN if nothing was. */
static double expected(struct series *s, int64_t t_ms)
{
    struct serving *v = series_serving(s);
    double yhat = NAN;
    if (v && v->by) {
        int64_t lead = (clock_hour_floor(t_ms) - v->origin_ms) / HOUR_MS;
        if (lead >= 1 && lead <= HORIZON_MAX)
            yhat = v->yhat[lead - 1];
    }
    serving_put(v);
    return yhat;
}

static void take_value(struct live *l, struct series *s, int64_t t_ms, double value)
{
    struct influx_line line;
    double yhat = expected(s, t_ms);
    if (t_ms >= atomic_load(&s->live_ms)) {
        atomic_store(&s->live_ms, t_ms);
        atomic_store(&s->live_value, value);
    }
    if (!isfinite(yhat))
        return;
    influx_line(&line, &l->lines, "inference");
    influx_tag(&line, "device", s->device);
    influx_tag(&line, "quantity", s->quantity);
    influx_field(&line, "yhat", yhat);
    influx_field(&line, "residual", value - yhat);
    influx_end(&line, t_ms);
}

static void take_reading(struct live *l, const json_t *r)
{
    const char *device = json_string_value(json_object_get(r, "device")), *quantity;
    int64_t t_ms = json_integer_value(json_object_get(r, "time_ms"));
    json_t *v;
    json_object_foreach(json_object_get(r, "values"), quantity, v)
    {
        char name[SERIES_MAX + 1];
        struct err full = ERR_INIT;
        snprintf(name, sizeof name, "%s.%s", device, quantity);
        struct series *s = models_add(l->models, name, &full);
        if (s)
            take_value(l, s, t_ms, json_number_value(v));
        else
            log_debug("a live reading was left out: %s", full.text);
    }
}

int live_take(struct live *l, const json_t *body, struct err *e)
{
    const json_t *readings = json_object_get(body, "readings");
    size_t n = 0, i;
    json_t *r;
    if (check(readings, &n, e))
        return -1;
    pthread_mutex_lock(&l->lock);
    bool room = n * LINE_MAX <= LINES_MAX - l->lines.len;
    if (room) {
        json_array_foreach(readings, i, r)
        {
            take_reading(l, r);
        }
    }
    pthread_mutex_unlock(&l->lock);
    if (!room)
        return err_set(e, ERR_BUSY, "%zu live values do not fit: InfluxDB is behind", n);
    metric_add(l->taken, (double)n);
    return 0;
}

bool live_last(struct live *l, const struct series *s, int64_t *time_ms, double *value)
{
    pthread_mutex_lock(&l->lock);
    *time_ms = atomic_load(&s->live_ms);
    *value = atomic_load(&s->live_value);
    pthread_mutex_unlock(&l->lock);
    return *time_ms != NO_TIME;
}

int live_flush(struct live *l, struct influx *in, struct err *e)
{
    if (!l->sending.len) {
        pthread_mutex_lock(&l->lock);
        struct buf b = l->lines;
        l->lines = l->sending;
        l->sending = b;
        pthread_mutex_unlock(&l->lock);
    }
    if (!l->sending.len)
        return 0;
    int retry_after_s;
    enum influx_verdict v =
        influx_write(in, l->sending.data, l->sending.len, &retry_after_s, e);
    if (v != INFLUX_OK && v != INFLUX_REJECT && v != INFLUX_SPLIT)
        return -1;
    if (v != INFLUX_OK)
        log_often(&l->lost, LOG_ERROR, "live residuals are lost: %s", e->text);
    buf_reset(&l->sending);
    return 0;
}
