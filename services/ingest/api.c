/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "services/ingest/explain.h"
#include "services/ingest/ingest.h"
#include "services/ingest/letter_replay.h"

#define POST_BODY_MAX (4u << 20)
#define POST_READINGS_MAX 10000
#define EXPLAIN_BODY_MAX (600u * 1024) /* a payload of 256 KiB, escaped */
#define REPLAY_BODY_MAX (64u * 1024)
#define PAGE_DEFAULT 1000
#define PAGE_MAX 10000

/* ---- POST /api/v1/readings
 * ---------------------------------------------------------------- */

/* Fills e with the first fault of element i, or returns 0: what is posted is taken whole.
 * topic: where it goes. */
static int check_reading(const struct ingest *in, struct message *m, const char *text,
                         size_t len, size_t i, char topic[DEVICE_MAX + 24], struct err *e)
{
    struct err why = ERR_INIT;
    struct device *d;
    /* a topic that names no device: the reading has to */
    enum reject r = decode_message(NULL, "fieldcast//readings", text, len, m, &why);
    if (!r && m->n_refused) {
        r = m->refused;
        why = m->why;
    }
    const struct reading *one = &m->item[0].r;
    if (!r)
        r = ledger_device(in->ledger, one->device, one->raw_device, false, &d, &why);
    if (r)
        return err_kind(e, ERR_INVALID, reject_name(r), "reading %zu: %s", i, why.text);
    snprintf(topic, DEVICE_MAX + 24, "fieldcast/%s/readings", one->device);
    return 0;
}

/* Elements as the texts that go into the log, one after the other. */
struct posted {
    struct message m; /* the one that is looked at */
    struct buf text;
    size_t *end; /* of each text; owned */
    char (*topic)[DEVICE_MAX + 24];
    size_t n;
};

static int posted_fill(const struct ingest *in, struct posted *p, const json_t *body,
                       struct err *e)
{
    bool many = json_is_array(body);
    p->n = many ? json_array_size(body) : 1;
    if (!p->n || p->n > POST_READINGS_MAX)
        return err_set(e, ERR_INVALID, "the body must have 1 to %d readings; it has %zu",
                       POST_READINGS_MAX, p->n);
    p->end = xcalloc(p->n, sizeof *p->end);
    p->topic = xcalloc(p->n, sizeof *p->topic);
    for (size_t i = 0, start = 0; i < p->n; start = p->end[i++]) {
        const json_t *one = many ? json_array_get(body, i) : body;
        if (json_write(&p->text, one) || p->text.len - start > MESSAGE_BYTES_MAX)
            return err_set(e, ERR_TOO_LARGE, "reading %zu is larger than %u bytes", i,
                           MESSAGE_BYTES_MAX);
        p->end[i] = p->text.len;
        if (check_reading(in, &p->m, p->text.data + start, p->text.len - start, i,
                          p->topic[i], e))
            return -1;
    }
    return 0;
}

static int posted_take(struct ingest *in, const struct posted *p, struct err *e)
{
    for (size_t i = 0, start = 0; i < p->n; start = p->end[i++]) {
        struct arrival a = {.topic = p->topic[i],
                            .payload = p->text.data + start,
                            .len = p->end[i] - start,
                            .flags = WAL_HTTP};
        if (intake_take(in->intake, &a, e)) {
            ingest_log_refused(in, e->text);
            e->code = ERR_UNAVAILABLE;
            return err_prefix(e, "took %zu of %zu readings, send the others again", i,
                              p->n);
        }
    }
    return 0;
}

static int post_readings(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ingest *in = app;
    struct posted p = {0};
    message_init(&p.m);
    buf_init(&p.text, 2 * POST_BODY_MAX);
    json_t *body = json_parse(q->body, q->body_len, "the body", e);
    int rc = -1;
    if (body && posted_fill(in, &p, body, e) == 0 && posted_take(in, &p, e) == 0)
        rc = res_json(s, json_pack("{s:I}", "accepted", (json_int_t)p.n), e);
    json_decref(body);
    buf_done(&p.text);
    message_done(&p.m);
    free(p.end);
    free(p.topic);
    return rc;
}

/* ---- lists of devices
 * ----------------------------------------------------------------------- */

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

static int get_ledger(void *app, const struct req *q, struct res *s, struct err *e)
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

static int get_devices(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct page p;
    char next[24];
    if (read_page(q, &p, e))
        return -1;
    json_t *items = list_devices(app, &p, device_item, next);
    return res_items(s, items, *next ? next : NULL, e);
}

/* ---- the rest
 * -------------------------------------------------------------------------------- */

static int get_hours(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ingest *in = app;
    json_t *j = rollup_changes(in->rollup, req_query(q, "after"), e);
    return j ? res_json(s, j, e) : -1;
}

static int get_deadletters(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ingest *in = app;
    int64_t limit = 100, before = -1, next;
    const char *reason = req_query(q, "reason"), *replayed = req_query(q, "replayed");
    char text[24];
    if (req_query_int(q, "limit", &limit, 1, LETTERS_MAX, e) ||
        req_query_int(q, "before", &before, 0, INT64_MAX, e))
        return -1;
    if (replayed && strcmp(replayed, "true") != 0 && strcmp(replayed, "false") != 0)
        return err_set(e, ERR_INVALID, "replayed must be true or false");
    struct letter_query want = {.before = before,
                                .limit = (int)limit,
                                .reason = reason ? reason : "",
                                .replayed = replayed && *replayed == 't'};
    json_t *items = deadletter_list(in->letters, &want, NULL, &next, e);
    if (!items)
        return -1;
    snprintf(text, sizeof text, "%" PRId64, next);
    return res_items(s, items, next < 0 ? NULL : text, e);
}

static int post_replay(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ingest *in = app;
    json_t *body = req_json_object(q, e);
    json_t *j = body ? letter_replay(in->letters, in->intake, body, e) : NULL;
    json_decref(body);
    if (body && !j && e->code == ERR_BUSY)
        ingest_log_refused(in, e->text);
    return j ? res_json(s, j, e) : -1;
}

static int post_explain(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ingest *in = app;
    json_t *body = req_json_object(q, e);
    json_t *j =
        body ? explain(body, in->intake, clock_now_ms(), in->set.common.grace_s * 1000, e)
             : NULL;
    json_decref(body);
    return j ? res_json(s, j, e) : -1;
}

const struct route ingest_routes[] = {
    {"POST", "/api/v1/readings", ROLE_OPERATOR, true, POST_BODY_MAX, post_readings,
     "takes one reading or an array of them", NULL},
    {"GET", "/api/v1/ledger", ROLE_VIEWER, false, 0, get_ledger,
     "received = stored + duplicate + rejected + pending, per device",
     "device after limit"},
    {"GET", "/api/v1/devices", ROLE_VIEWER, false, 0, get_devices,
     "the devices that were ever heard", "device after limit"},
    {"GET", "/api/v1/deadletters", ROLE_OPERATOR, true, 0, get_deadletters,
     "messages that became no point, and why", "reason before limit replayed"},
    {"POST", "/api/v1/deadletters/replay", ROLE_ADMIN, true, REPLAY_BODY_MAX, post_replay,
     "takes dead letters once more", NULL},
    {"POST", "/api/v1/explain", ROLE_OPERATOR, false, EXPLAIN_BODY_MAX, post_explain,
     "what would become of a message", NULL},
    {"GET", "/api/v1/hours", ROLE_SERVICE, true, 0, get_hours,
     "device-hours written to hourly since a cursor (internal)", "after"},
    {0},
};
