/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes on any topic: no decoder crashes, the quick reader of native payloads and the
 * JSON tree say the same, what is taken is within its range and makes one line of
 * protocol. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/ingest/batch.h"
#include "services/ingest/decode.h"
#include "services/ingest/recent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const topics[] = {
    "fieldcast/kitchen/readings", "fieldcast//readings", "fieldcast/kitchen/status",
    "home/Kitchen/dht22",         "iot-device-data",     "iot-frames-model",
    "sensors/temp_001/data",      "any/thing",
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void check_taken(const struct message *m)
{
    static const struct timefix fix = {.past_ms = 34560000000, .future_ms = 600000};
    struct buf b;
    int64_t t;
    bool weak;
    must(device_valid(m->r.device), "a device's name");
    must(m->r.n > 0 && m->r.n <= READING_VALUES_MAX, "number of values");
    for (size_t i = 0; i < m->r.n; i++) {
        const struct quantity *q = quantity_find(m->r.values[i].quantity);
        double v = m->r.values[i].value;
        must(quantity_valid(m->r.values[i].quantity), "a quantity's name");
        must(isfinite(v) && (!q || (v >= q->min && v <= q->max)), "range");
    }
    enum time_source s = timefix(&fix, &m->time, 1795132800000, &t);
    must(recent_identity(m, !time_source_is_arrival(s), &weak) != 0, "identity");
    buf_init(&b, 65536);
    must(batch_reading_line(&b, &m->r, 1795132800000, t, true) == 0, "a line");
    must(memchr(b.data, '\n', b.len) == b.data + b.len - 1, "one line");
    buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct message quick, slow;
    struct err e = ERR_INIT, e2 = ERR_INIT;
    if (!n)
        return 0;
    const char *topic = topics[data[0] % (sizeof topics / sizeof *topics)];
    enum reject r = decode_message(topic, data + 1, n - 1, &quick, &e);
    enum reject r2 = decode_message_slowly(topic, data + 1, n - 1, &slow, &e2);
    must(r == r2 && quick.r.n == slow.r.n && !strcmp(quick.r.device, slow.r.device),
         "quick and slow agree");
    must(!r == !*e.text, "a rejection has a sentence");
    for (size_t i = 0; i < quick.r.n; i++)
        must(!strcmp(quick.r.values[i].quantity, slow.r.values[i].quantity) &&
                 quick.r.values[i].value == slow.r.values[i].value,
             "quick and slow have the same values");
    if (!r && quick.kind == MESSAGE_READING)
        check_taken(&quick);
    return 0;
}
