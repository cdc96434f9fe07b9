/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/feed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/reading.h"
#include "services/predictor/hourly.h"
#include "services/predictor/widths.h"

#define TIMEOUT_MS 5000
#define ANSWER_MAX (16u << 20)
#define ROUNDS_MAX 1000                    /* answers taken in one call */
#define LATEST_MS INT64_C(253402300799999) /* the end of the year 9999 */

/* What is to be read again: hours of one series. */
struct piece {
    struct series *series;
    int64_t from_ms, to_ms;
};

void feed_init(struct feed *f, struct models *m, struct influx *in,
               const char *ingest_url, const char *service_token)
{
    *f = (struct feed){.models = m, .influx = in, .rolled_up_ms = NO_TIME};
    f->http = http_client_new(service_token, NULL, NULL);
    f->url = xstrdup(ingest_url);
}

void feed_done(struct feed *f)
{
    http_client_free(f->http);
    free(f->url);
    *f = (struct feed){0};
}

/* The hours written, by device: {"kitchen":[from,to]}, the union of its ranges. */
static json_t *by_device(const json_t *items, struct err *e)
{
    json_t *all = json_object(), *item;
    size_t i;
    json_array_foreach(items, i, item)
    {
        const char *device;
        int64_t from, to;
        if (json_get_string(item, "device", &device, DEVICE_MAX, e) ||
            json_get_int(item, "from_ms", &from, 0, LATEST_MS, e) ||
            json_get_int(item, "to_ms", &to, from, LATEST_MS, e)) {
            json_decref(all);
            return NULL;
        }
        json_t *known = json_object_get(all, device);
        if (known) {
            int64_t f0 = json_integer_value(json_array_get(known, 0));
            int64_t t0 = json_integer_value(json_array_get(known, 1));
            from = f0 < from ? f0 : from;
            to = t0 > to ? t0 : to;
        }
        json_object_set_new(all, device,
                            json_pack("[I,I]", (json_int_t)from, (json_int_t)to));
    }
    return all;
}

static int by_range(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    if (x->from_ms != y->from_ms)
        return x->from_ms < y->from_ms ? -1 : 1;
    return x->to_ms < y->to_ms ? -1 : x->to_ms > y->to_ms;
}

/* The loaded histories that these hours touch, cut to what the rings hold. */
static size_t pieces(struct models *m, const json_t *devices, struct piece **out)
{
    size_t n = 0, cap = models_count(m) + 1;
    struct piece *p = xcalloc(cap, sizeof *p);
    models_lock(m);
    for (struct series *s = models_all(m); s && n < cap; s = s->all_next) {
        const json_t *range = json_object_get(devices, s->device);
        if (!range)
            continue;
        int64_t from = json_integer_value(json_array_get(range, 0));
        widths_reread(s, from);
        if (!s->loaded)
            continue;
        int64_t to = json_integer_value(json_array_get(range, 1));
        int64_t oldest = to - (int64_t)history_hours(s->history) * HOUR_MS;
        p[n++] = (struct piece){s, from > oldest ? from : oldest, to};
    }
    models_unlock(m);
    qsort(p, n, sizeof *p, by_range);
    *out = p;
    return n;
}

static int read_pieces(struct feed *f, const struct piece *p, size_t n, struct err *e)
{
    struct series **list = xcalloc(n + 1, sizeof *list);
    int rc = 0;
    for (size_t i = 0, k; !rc && i < n; i = k) {
        for (k = i; k < n && !by_range(&p[i], &p[k]); k++)
            list[k - i] = p[k].series;
        rc = hourly_read(f->influx, f->models, list, k - i, p[i].from_ms, p[i].to_ms, e);
    }
    free(list);
    return rc;
}

/* All histories have to be read again. */
static void forget(struct models *m)
{
    models_lock(m);
    for (struct series *s = models_all(m); s; s = s->all_next) {
        s->loaded = false;
        widths_reread(s, 0);
    }
    models_unlock(m);
}

/* What is known of hours to come says nothing any more: all is read again, also which
 * leads are written. */
static void go_back(struct feed *f, int64_t hour_ms)
{
    char ahead[CLOCK_RFC3339_SIZE], now[CLOCK_RFC3339_SIZE];
    log_warn("the clock was ahead: hours up to %s were rolled up, now %s is the newest; "
             "forecasts begin there again",
             clock_format(f->rolled_up_ms, ahead), clock_format(hour_ms, now));
    models_lock(f->models);
    for (struct series *s = models_all(f->models); s; s = s->all_next) {
        if (s->history)
            history_clear(s->history);
        s->loaded = s->leads_known = false;
        s->leads_origin_ms = s->tried_ms = NO_TIME;
        widths_forget(s);
        atomic_store(&s->live_ms, NO_TIME);
    }
    models_unlock(f->models);
}

static int read_items(struct feed *f, const json_t *items, const char **who,
                      struct err *e)
{
    json_t *devices = by_device(items, e);
    if (!devices)
        return -1;
    struct piece *p;
    size_t n = pieces(f->models, devices, &p);
    *who = "influxdb";
    int rc = read_pieces(f, p, n, e);
    free(p);
    json_decref(devices);
    return rc;
}

int feed_take(struct feed *f, const char *body, size_t len, bool *more, const char **who,
              struct err *e)
{
    const char *epoch;
    int64_t cursor, rolled_up = NO_TIME;
    *who = "ingest";
    *more = false;
    json_t *j = json_parse(body, len, "ingest's answer", e);
    if (!j)
        return -1;
    const json_t *items = json_object_get(j, "items");
    int rc = json_get_string(j, "epoch", &epoch, 64, e) ||
                     json_get_int(j, "cursor", &cursor, 0, INT64_MAX, e) ||
                     json_opt_time(j, "rolled_up", &rolled_up, e)
                 ? -1
                 : 0;
    if (!rc && !json_is_array(items))
        rc = err_set(e, ERR_UPSTREAM, "ingest's answer has no array \"items\"");
    if (!rc && json_is_true(json_object_get(j, "reset")))
        forget(f->models);
    else if (!rc && json_array_size(items)) {
        rc = read_items(f, items, who, e);
        *more = true;
    }
    if (!rc) {
        struct buf b;
        buf_init(&b, sizeof f->cursor - 1);
        buf_addf(&b, "%s:%" PRId64, epoch, cursor);
        memcpy(f->cursor, b.data, b.len + 1);
        buf_done(&b);
        rolled_up = rolled_up == NO_TIME ? NO_TIME : clock_hour_floor(rolled_up);
        if (rolled_up != NO_TIME && clock_was_ahead(f->rolled_up_ms, rolled_up))
            go_back(f, rolled_up);
        if (rolled_up != NO_TIME)
            f->rolled_up_ms = rolled_up;
    }
    json_decref(j);
    return rc;
}

int feed_poll(struct feed *f, const char **who, struct err *e)
{
    bool more = true;
    int rc = 0;
    for (int i = 0; !rc && more && i < ROUNDS_MAX; i++) {
        struct buf url;
        struct http_answer a;
        *who = "ingest";
        buf_init(&url, 1024);
        buf_addf(&url, "%s/api/v1/hours?after=", f->url);
        http_escape(&url, f->cursor);
        rc = http_request(f->http, "GET", url.data, NULL, NULL, 0, TIMEOUT_MS, ANSWER_MAX,
                          &a, e);
        buf_done(&url);
        if (rc)
            return -1;
        if (a.status != 200)
            rc = err_set(e, ERR_UPSTREAM,
                         "ingest answered HTTP %d to /api/v1/hours: %.200s", a.status,
                         a.body.data);
        else
            rc = feed_take(f, a.body.data, a.body.len, &more, who, e);
        http_answer_done(&a);
    }
    return rc;
}
