/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of devices: what is counted of each, and what is known of it. */
#include <stdio.h>

#include "common/clock.h"
#include "common/json.h"
#include "services/ingest/api.h"
#include "services/ingest/ingest.h"

#define PAGE_DEFAULT 1000
#define PAGE_MAX 10000

static json_t *counts_json(const struct counts *c)
{
    json_t *rejected = json_object();
    for (int r = REJECT_NONE + 1; r < REJECT_N; r++)
        if (c->rejected[r])
            json_object_set_new(rejected, reject_name((enum reject)r),
                                json_integer(c->rejected[r]));
    return json_pack("{s:I, s:I, s:I, s:o, s:I, s:I, s:I}", "received",
                     (json_int_t)c->received, "stored", (json_int_t)c->stored,
                     "duplicate", (json_int_t)c->duplicate, "rejected", rejected,
                     "pending", (json_int_t)counts_pending(c), "misread",
                     (json_int_t)c->misread, "late", (json_int_t)c->late);
}

static json_t *time_json(int64_t t_ms)
{
    char text[CLOCK_RFC3339_SIZE];
    return t_ms == INT64_MIN ? json_null() : json_string(clock_format(t_ms, text));
}

struct page {
    int64_t after, limit; /* index of the first device, most devices */
    const char *device;   /* only this one, or NULL */
};

static int read_page(const struct req *q, struct page *p, struct err *e)
{
    *p = (struct page){0, PAGE_DEFAULT, req_query(q, "device")};
    return req_query_int(q, "after", &p->after, 0, UINT32_MAX, e) ||
                   req_query_int(q, "limit", &p->limit, 1, PAGE_MAX, e)
               ? -1
               : 0;
}

/* The page's devices through one(), and the text of the next page in next ("" = last). */
static json_t *list_devices(struct ingest *in, const struct page *p,
                            json_t *(*one)(struct ingest *, const struct device *),
                            char next[24])
{
    json_t *items = json_array();
    next[0] = '\0';
    if (p->device) {
        const struct device *d = ledger_find(in->ledger, p->device);
        if (d)
            json_array_append_new(items, one(in, d));
        return items;
    }
    size_t size = ledger_size(in->ledger), i = (size_t)p->after;
    for (; i < size && i < (size_t)(p->after + p->limit); i++)
        json_array_append_new(items, one(in, ledger_at(in->ledger, (uint32_t)i)));
    if (i < size)
        snprintf(next, 24, "%zu", i);
    return items;
}

/* Which of its numbers have not come; nothing of a device that sends none. */
static void add_gaps(json_t *j, struct ingest *in, const struct device *d)
{
    struct gap gap[GAPS_MAX];
    uint64_t missing;
    size_t n;
    if (!intake_gaps(in->intake, d, &missing, gap, &n))
        return;
    json_t *gaps = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            gaps, json_pack("{s:I, s:I, s:I}", "boot", (json_int_t)gap[i].boot, "from",
                            (json_int_t)gap[i].from, "to", (json_int_t)gap[i].to));
    json_object_set_new(j, "missing", json_integer((json_int_t)missing));
    json_object_set_new(j, "gaps", gaps);
}

static json_t *ledger_item(struct ingest *in, const struct device *d)
{
    struct device_view v = ledger_view(in->ledger, d);
    json_t *j = counts_json(&v.counts);
    json_object_set_new(j, "device", json_string(d->name));
    add_gaps(j, in, d);
    return j;
}

int get_ledger(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ingest *in = app;
    struct page p;
    char next[24];
    if (read_page(q, &p, e))
        return -1;
    struct counts totals = ledger_totals(in->ledger), none = ledger_of_none(in->ledger);
    json_t *items = list_devices(in, &p, ledger_item, next);
    json_t *j = json_pack(
        "{s:o, s:o, s:o, s:I, s:o}", "since", time_json(in->started_ms), "totals",
        counts_json(&totals), "no_device", counts_json(&none), "spool_bytes",
        (json_int_t)(wal_end(in->wal) - sink_influx_written(in->influx)), "items", items);
    json_object_set_new(j, "next", *next ? json_string(next) : json_null());
    return res_json(s, j, e);
}

/* What has been learnt of a device's clock, and what is made of its times. */
static json_t *clock_json(struct ingest *in, const struct device *d,
                          enum time_source source)
{
    struct device_clock c;
    intake_clock(in->intake, d, &c);
    json_t *j = json_pack("{s:s, s:o}", "decision", time_source_sentence(source),
                          "drift_ppm", json_number(device_clock_drift_ppm(&c)));
    json_object_set_new(j, "skew_ms",
                        c.window_ms ? json_integer(c.skew_ms) : json_null());
    json_object_set_new(j, "zone_min",
                        c.zone_known ? json_integer(c.zone_ms / 60000) : json_null());
    json_object_set_new(j, "offset_ms",
                        device_clock_has_offset(&c) ? json_integer(c.offset.ms)
                                                    : json_null());
    return j;
}

/* The device's late readings since the start; null: none came. */
static json_t *late_json(const struct device_view *v)
{
    if (!v->counts.late)
        return json_null();
    return json_pack("{s:I, s:o, s:I}", "readings", (json_int_t)v->counts.late, "last",
                     time_json(v->late_at_ms), "age_s",
                     (json_int_t)v->late_age_ms / 1000);
}

static json_t *device_item(struct ingest *in, const struct device *d)
{
    struct device_view v = ledger_view(in->ledger, d);
    bool seen = v.last_seen_ms != INT64_MIN;
    json_t *j = json_pack("{s:s, s:s, s:o, s:o}", "device", d->name, "raw", d->raw,
                          "last_seen", time_json(v.last_seen_ms), "time_source",
                          seen ? json_string(time_source_name(v.source)) : json_null());
    json_object_set_new(j, "clock", seen ? clock_json(in, d, v.source) : json_null());
    json_object_set_new(j, "late", late_json(&v));
    json_object_set_new(j, "status",
                        v.online < 0 ? json_null()
                                     : json_string(v.online ? "online" : "offline"));
    return j;
}

int get_devices(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct page p;
    char next[24];
    if (read_page(q, &p, e))
        return -1;
    json_t *items = list_devices(app, &p, device_item, next);
    return res_items(s, items, *next ? next : NULL, e);
}
