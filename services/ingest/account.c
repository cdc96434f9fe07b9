/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/account.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/utf8.h"
#include "services/ingest/raw.h"
#include "services/ingest/reading_json.h"
#include "services/ingest/timefix.h"

/* ---- writing
 * ----------------------------------------------------------------------------- */

static void add_reading(struct buf *b, const struct item *it)
{
    if (time_source_is_arrival(it->source))
        buf_adds(b, ",\"arrival\":true");
    if (it->said_ms != INT64_MIN)
        buf_addf(b, ",\"said_ms\":%" PRId64, it->said_ms);
    if (it->r.boot >= 0)
        buf_addf(b, ",\"boot\":%" PRId64, it->r.boot);
    if (it->r.seq >= 0)
        buf_addf(b, ",\"seq\":%" PRId64, it->r.seq);
    buf_addf(b, ",\"id\":\"%016" PRIx64 "\"", it->id);
    if (it->r.poor)
        buf_adds(b, ",\"poor\":true");
    buf_adds(b, ",\"values\":");
    reading_write_values(b, it->r.values, it->r.n);
}

void account_write_item(struct buf *b, const struct item *it)
{
    buf_adds(b, "{\"device\":");
    buf_add_json_string(b, it->r.device);
    buf_adds(b, ",\"raw\":");
    buf_add_json_string(b, it->r.raw_device);
    buf_addf(b, ",\"ts_ms\":%" PRId64, it->r.time_ms);
    if (it->kind == ITEM_STATUS)
        buf_addf(b, ",\"online\":%s", it->online ? "true" : "false");
    else
        add_reading(b, it);
    buf_addc(b, '}');
}

static void add_items(struct buf *b, const struct message *m, enum reject why)
{
    const char *comma = "";
    buf_adds(b, "\"items\":[");
    for (size_t i = 0; i < m->n && !why; i++) {
        if (m->item[i].reject || m->item[i].known)
            continue;
        buf_adds(b, comma);
        account_write_item(b, &m->item[i]);
        comma = ",";
    }
    buf_addc(b, ']');
}

static void add_refusal(struct buf *b, enum reject why, const char *device)
{
    buf_addf(b, "{\"reason\":\"%s\",\"device\":", reject_name(why));
    buf_add_json_string(b, device);
    buf_addc(b, '}');
}

static void add_refused(struct buf *b, const struct message *m, enum reject why)
{
    const char *comma = "";
    buf_adds(b, ",\"refused\":[");
    if (!m->n)
        add_refusal(b, why, "");
    for (size_t i = 0; i < m->n; i++) {
        if (!m->item[i].reject)
            continue;
        buf_adds(b, comma);
        add_refusal(b, m->item[i].reject, m->item[i].r.device);
        comma = ",";
    }
    buf_addc(b, ']');
}

int account_write(struct buf *b, const struct message *m, enum reject why,
                  const char *detail, const void *payload, size_t len, bool cut)
{
    return account_write_again(b, m, why, detail, payload, len, cut, 0, NULL);
}

int account_write_again(struct buf *b, const struct message *m, enum reject why,
                        const char *detail, const void *payload, size_t len, bool cut,
                        int64_t received_ms, const json_t *before)
{
    enum reject first = why ? why : m->refused;
    size_t start = b->len;
    buf_addc(b, '{');
    if (m->decoder)
        buf_addf(b, "\"decoder\":\"%s\",", m->decoder);
    add_items(b, m, why);
    if (received_ms)
        buf_addf(b, ",\"received_ms\":%" PRId64, received_ms);
    if (json_array_size(before)) {
        buf_adds(b, ",\"before\":");
        json_write(b, before);
    }
    if (b->full || b->len - start > ACCOUNT_ITEMS_BYTES)
        return -1;
    if (first) {
        add_refused(b, m, why);
        buf_addf(b, ",\"reason\":\"%s\",\"detail\":", reject_name(first));
        detail = why ? detail : m->why.text; /* it may quote what is not UTF-8 */
        buf_add_json_string(b, utf8_valid(detail) ? detail : reject_sentence(first));
        buf_addc(b, ',');
        raw_add(b, payload, len);
        if (cut)
            buf_adds(b, ",\"cut\":true");
    }
    buf_addc(b, '}');
    return b->full ? -1 : 0;
}

/* ---- reading
 * ----------------------------------------------------------------------------- */

static int read_values(struct reading *r, json_t *values, struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach(values, key, v)
    {
        if (reading_add(r, key, json_number_value(v), e))
            return -1;
    }
    return 0;
}

static void read_counts(struct item *it, const json_t *j)
{
    const json_t *boot = json_object_get(j, "boot"), *seq = json_object_get(j, "seq");
    const char *id = json_string_value(json_object_get(j, "id"));
    const json_t *said = json_object_get(j, "said_ms");
    it->said_ms = said ? json_integer_value(said) : INT64_MIN;
    it->r.boot = boot ? json_integer_value(boot) : -1;
    it->r.seq = seq ? json_integer_value(seq) : -1;
    it->id = id ? strtoull(id, NULL, 16) : 0;
    it->r.poor = json_is_true(json_object_get(j, "poor"));
    it->source = json_is_true(json_object_get(j, "arrival")) ? TIME_NONE : TIME_DEVICE;
}

int account_read_item(struct message *m, const json_t *j, struct err *e)
{
    const char *device, *raw;
    const json_t *ts = json_object_get(j, "ts_ms"),
                 *online = json_object_get(j, "online");
    struct item *it = message_add(m);
    if (!it || json_get_string(j, "device", &device, DEVICE_MAX, e) ||
        json_get_string(j, "raw", &raw, RAW_DEVICE_MAX, e) || !device_valid(device) ||
        !json_is_integer(ts))
        return -1;
    strcpy(it->r.device, device);
    strcpy(it->r.raw_device, raw);
    it->r.time_ms = json_integer_value(ts);
    if (online) {
        it->kind = ITEM_STATUS;
        it->online = json_is_true(online);
        return 0;
    }
    read_counts(it, j);
    return read_values(&it->r, json_object_get(j, "values"), e);
}

int account_read(const void *payload, size_t len, struct message *m, struct account *a,
                 struct err *e)
{
    message_begin(m);
    *a = (struct account){.root = json_parse(payload, len, "the account", e)};
    if (!a->root)
        return -1;
    size_t i;
    json_t *j;
    json_array_foreach(json_object_get(a->root, "items"), i, j)
    {
        if (account_read_item(m, j, e))
            return err_set(e, ERR_INVALID, "the account's item %zu is malformed", i);
    }
    a->reason = reject_find(json_string_value(json_object_get(a->root, "reason")));
    a->detail = json_string_value(json_object_get(a->root, "detail"));
    a->n = json_array_size(json_object_get(a->root, "refused"));
    a->received_ms = json_integer_value(json_object_get(a->root, "received_ms"));
    a->items = json_object_get(a->root, "items");
    a->before = json_object_get(a->root, "before");
    a->cut = json_is_true(json_object_get(a->root, "cut"));
    return 0;
}

void account_done(struct account *a)
{
    json_decref(a->root);
    *a = (struct account){0};
}

enum reject account_refused(const struct account *a, size_t i, const char **device)
{
    const json_t *j = json_array_get(json_object_get(a->root, "refused"), i);
    const char *name = json_string_value(json_object_get(j, "device"));
    *device = name ? name : "";
    return reject_find(json_string_value(json_object_get(j, "reason")));
}
