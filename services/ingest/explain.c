/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/explain.h"

#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "services/ingest/batch.h"

#define LINE_MAX_BYTES 32768

static int read_payload(const json_t *v, struct buf *b, struct err *e)
{
    if (!v)
        return err_set(e, ERR_INVALID,
                       "field \"payload\" is missing: a text or JSON is expected");
    int rc = json_is_string(v) ? buf_add(b, json_string_value(v), json_string_length(v))
                               : json_write(b, v);
    if (rc)
        return err_set(e, ERR_TOO_LARGE, "field \"payload\" is larger than %u bytes",
                       WAL_PAYLOAD_MAX);
    return 0;
}

static void add_reading(json_t *j, const struct understood *u, int64_t now_ms)
{
    struct buf line;
    char time[CLOCK_RFC3339_SIZE];
    json_t *values = json_object();
    for (size_t i = 0; i < u->m.r.n; i++) {
        const struct quantity *q = quantity_find(u->m.r.values[i].quantity);
        json_object_set_new(values, u->m.r.values[i].quantity,
                            json_pack("{s:o, s:s?}", "value",
                                      json_number(u->m.r.values[i].value), "unit",
                                      q && *q->unit ? q->unit : NULL));
    }
    json_object_set_new(j, "values", values);
    json_object_set_new(j, "time", json_string(clock_format(u->time_ms, time)));
    json_object_set_new(j, "time_source", json_string(time_source_name(u->source)));
    buf_init(&line, LINE_MAX_BYTES);
    if (batch_reading_line(&line, &u->m.r, now_ms, u->time_ms, !u->m.r.poor) == 0)
        json_object_set_new(j, "line", json_stringn(line.data, line.len - 1));
    buf_done(&line);
}

json_t *explain(const json_t *body, const struct timefix *fix, struct ledger *l,
                int64_t now_ms, struct err *e)
{
    const char *topic;
    struct buf payload;
    struct understood u;
    json_t *j = NULL;
    buf_init(&payload, WAL_PAYLOAD_MAX);
    if (json_get_string(body, "topic", &topic, WAL_TOPIC_MAX, e) ||
        read_payload(json_object_get(body, "payload"), &payload, e))
        goto out;
    struct wal_record rec = {
        .receive_ms = now_ms,
        .flags = json_is_true(json_object_get(body, "retain")) ? WAL_RETAIN : 0,
        .topic = topic,
        .topic_len = strlen(topic),
        .payload = payload.data ? payload.data : "",
        .len = payload.len};
    understand(&u, &rec, fix, l, false);
    j = json_pack("{s:s?, s:b, s:s?, s:s?, s:s?}", "decoder", u.m.decoder, "accepted",
                  !u.reject, "reason", u.reject ? reject_name(u.reject) : NULL, "detail",
                  u.reject ? u.why.text : NULL, "device",
                  u.m.r.device[0] ? u.m.r.device : NULL);
    if (!u.reject && u.m.kind == MESSAGE_READING)
        add_reading(j, &u, now_ms);
    else if (!u.reject)
        json_object_set_new(j, "status", json_string(u.m.online ? "online" : "offline"));
out:
    buf_done(&payload);
    return j;
}
