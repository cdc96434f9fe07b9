/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/explain.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "services/ingest/raw.h"
#include "services/ingest/batch.h"
#include "services/ingest/hours.h"

#define LINE_MAX_BYTES 32768

static int read_payload(const json_t *body, struct buf *b, struct err *e)
{
    const json_t *v = json_object_get(body, "payload");
    size_t n = 0;
    if (json_object_get(body, "payload_base64")) {
        char *raw = raw_get(body, &n);
        if (!raw)
            return err_set(e, ERR_INVALID, "field \"payload_base64\" is not base64");
        buf_add(b, raw, n);
        free(raw);
    } else if (json_is_string(v)) {
        buf_add(b, json_string_value(v), json_string_length(v));
    } else if (v) {
        json_write(b, v);
    } else {
        return err_set(e, ERR_INVALID,
                       "field \"payload\" is missing: a text or JSON is expected");
    }
    if (b->full)
        return err_set(e, ERR_TOO_LARGE, "field \"payload\" is larger than %u bytes",
                       MESSAGE_BYTES_MAX);
    return 0;
}

static void add_reading(json_t *j, const struct item *it, int64_t now_ms,
                        int64_t grace_ms)
{
    struct buf line;
    bool late = hours_late(it->r.time_ms, now_ms, grace_ms);
    char time[CLOCK_RFC3339_SIZE];
    json_t *values = json_object();
    for (size_t i = 0; i < it->r.n; i++) {
        const struct quantity *q = quantity_find(it->r.values[i].quantity);
        json_object_set_new(values, it->r.values[i].quantity,
                            json_pack("{s:o, s:s?}", "value",
                                      json_number(it->r.values[i].value), "unit",
                                      q && *q->unit ? q->unit : NULL));
    }
    json_object_set_new(j, "values", values);
    json_object_set_new(j, "time", json_string(clock_format(it->r.time_ms, time)));
    json_object_set_new(j, "time_source", json_string(time_source_name(it->source)));
    json_object_set_new(j, "why", json_string(time_source_sentence(it->source)));
    json_object_set_new(j, "late", json_boolean(late));
    buf_init(&line, LINE_MAX_BYTES);
    if (batch_reading_line(&line, it, now_ms, !it->r.poor, late) == 0)
        json_object_set_new(j, "line", json_stringn(line.data, line.len - 1));
    buf_done(&line);
}

static json_t *item_json(const struct item *it, int64_t now_ms, int64_t grace_ms)
{
    json_t *j = json_pack("{s:s?, s:b}", "device", it->r.device[0] ? it->r.device : NULL,
                          "accepted", !it->reject);
    if (it->reject)
        json_object_set_new(j, "reason", json_string(reject_name(it->reject)));
    else if (it->kind == ITEM_STATUS)
        json_object_set_new(j, "status", json_string(it->online ? "online" : "offline"));
    else
        add_reading(j, it, now_ms, grace_ms);
    return j;
}

json_t *explain(const json_t *body, struct intake *in, int64_t now_ms, int64_t grace_ms,
                struct err *e)
{
    const char *topic;
    struct buf payload;
    struct message m;
    json_t *j = NULL;
    buf_init(&payload, MESSAGE_BYTES_MAX);
    message_init(&m);
    if (json_get_string(body, "topic", &topic, WAL_TOPIC_MAX, e) ||
        read_payload(body, &payload, e))
        goto out;
    struct wal_record rec = {
        .receive_ms = now_ms,
        .flags = json_is_true(json_object_get(body, "retain")) ? WAL_RETAIN : 0,
        .topic = topic,
        .topic_len = strlen(topic),
        .payload = payload.data ? payload.data : "",
        .len = payload.len};
    struct err why = ERR_INIT;
    enum reject r = intake_ask(in, &rec, &m, &why);
    enum reject first = r ? r : m.refused;
    json_t *items = json_array();
    for (size_t i = 0; i < m.n; i++)
        json_array_append_new(items, item_json(&m.item[i], now_ms, grace_ms));
    j = json_pack("{s:s?, s:b, s:s?, s:s?, s:o}", "decoder", m.decoder, "accepted", !r,
                  "reason", first ? reject_name(first) : NULL, "detail",
                  r       ? why.text
                  : first ? m.why.text
                          : NULL,
                  "items", items);
out:
    message_done(&m);
    buf_done(&payload);
    return j;
}
