/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes on any topic: no decoder crashes, the quick reader of native payloads and the
 * JSON tree say the same, what is taken is within its range and makes one line of
 * protocol. The same bytes are also the birth or description that they hang on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mqtt.h"
#include "services/ingest/account.h"
#include "services/ingest/batch.h"
#include "services/ingest/decode.h"
#include "services/ingest/raw.h"
#include "services/ingest/recent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const topics[] = {
    "fieldcast/kitchen/readings",
    "fieldcast//readings",
    "fieldcast/kitchen/status",
    "home/Kitchen/dht22",
    "iot-device-data",
    "iot-frames-model",
    "sensors/temp_001/data",
    "any/thing",
    "tele/greenhouse/SENSOR",
    "tele/greenhouse/STATE",
    "stat/greenhouse/STATUS8",
    "tele/greenhouse/LWT",
    "node/sensor/node_temperature_2/state",
    "node/binary_sensor/door/state",
    "node/status",
    "zigbee2mqtt/attic/window",
    "zigbee2mqtt/attic/voltage",
    "zigbee2mqtt/attic/availability",
    "application/a/device/0101010101010101/event/up",
    "application/a/device/0101010101010101/event/status",
    "v3/farm@ttn/devices/greenhouse/up",
    "influx/plant",
    "spBv1.0/g/NBIRTH/e",
    "spBv1.0/g/DDATA/e/d",
    "spBv1.0/g/NDEATH/e",
    "homie/d/n/p",
    "homie/5/d/$description",
    "homie/5/d/$state",
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void check_reading(const struct item *it)
{
    static const struct timefix fix = {.past_ms = 34560000000, .future_ms = 600000};
    const struct reading *r = &it->r;
    struct buf b;
    int64_t t, said;
    bool weak;
    must(r->n > 0 && r->n <= READING_VALUES_MAX, "number of values");
    for (size_t i = 0; i < r->n; i++) {
        const struct quantity *q = quantity_find(r->values[i].quantity);
        double v = r->values[i].value;
        must(quantity_valid(r->values[i].quantity), "a quantity's name");
        must(isfinite(v) && (!q || (v >= q->min && v <= q->max)), "range");
    }
    enum time_source s = timefix(&fix, &it->time, NULL, 1795132800000, &t, &said);
    must(recent_identity(it, !time_source_is_arrival(s), &weak) != 0, "identity");
    buf_init(&b, 65536);
    must(batch_reading_line(&b, it, 1795132800000, true, true) == 0, "a line");
    must(memchr(b.data, '\n', b.len) == b.data + b.len - 1, "one line");
    buf_done(&b);
}

/* What is taken is written as an account and read back the same. */
static void check_account(const struct message *m, const void *payload, size_t n)
{
    static struct message back;
    struct account a;
    struct buf b;
    struct err e = ERR_INIT;
    size_t taken = 0;
    if (!back.item)
        message_init(&back);
    buf_init(&b, ACCOUNT_BYTES);
    if (account_write(&b, m, REJECT_NONE, NULL, payload, n, false) == 0) {
        must(b.len <= ACCOUNT_BYTES, "size of an account");
        must(account_read(b.data, b.len, &back, &a, &e) == 0, e.text);
        for (size_t i = 0; i < m->n; i++)
            taken += !m->item[i].reject;
        must(back.n == taken && a.n == m->n - taken, "items of an account");
        must(!m->n_refused || a.reason == m->refused, "reason of an account");
        if (m->n_refused) {
            size_t len = 0;
            char *raw = raw_get(a.root, &len);
            must(raw && len == n && !memcmp(raw, payload, n), "bytes of an account");
            free(raw);
        }
        account_done(&a);
    }
    buf_done(&b);
}

static void check_taken(const struct message *m, const void *payload, size_t n)
{
    for (size_t i = 0; i < m->n; i++) {
        if (m->item[i].reject)
            continue;
        must(device_valid(m->item[i].r.device), "a device's name");
        if (m->item[i].kind == ITEM_READING)
            check_reading(&m->item[i]);
    }
    check_account(m, payload, n);
}

static bool same_values(const struct reading *a, const struct reading *b)
{
    bool same = a->n == b->n && !strcmp(a->device, b->device);
    for (size_t i = 0; same && i < a->n; i++)
        same = !strcmp(a->values[i].quantity, b->values[i].quantity) &&
               a->values[i].value == b->values[i].value;
    return same;
}

/* A memory in the folder of the build, gone at the end. */
static struct memory *memory;
static char dir[] = "build/fuzz/memory-XXXXXX";

static void close_memory(void)
{
    char path[64];
    memory_close(memory);
    snprintf(path, sizeof path, "%s/memory", dir);
    unlink(path);
    rmdir(dir);
}

static void open_memory(void)
{
    struct err e = ERR_INIT;
    must(mkdtemp(dir) && (memory = memory_open(dir, false, &e)), "a memory");
    atexit(close_memory);
}

/* What is remembered of these bytes on each topic that is remembered. Nothing else stays
 * from one run to the next. */
static void remember(const uint8_t *data, size_t n)
{
    static const char *const births[] = {
        "spBv1.0/g/NBIRTH/e",    "spBv1.0/g/DBIRTH/e/d", "homie/5/d/$description",
        "homie/d/n/p/$datatype", "homie/d/n/p/$unit",
    };
    for (size_t i = 0; i < sizeof births / sizeof *births; i++) {
        struct memory_change c;
        struct buf texts;
        struct err e = ERR_INIT;
        buf_init(&texts, 2000);
        must(decode_remember(births[i], data, n, false, &c, &texts), "to be remembered");
        must(memory_change(memory, &c, &e) == 0, e.text);
        buf_done(&texts);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct message quick, slow;
    struct err e = ERR_INIT, e2 = ERR_INIT;
    if (!n)
        return 0;
    if (!quick.item) {
        message_init(&quick);
        message_init(&slow);
    }
    if (!memory)
        open_memory();
    const char *topic = topics[data[0] % (sizeof topics / sizeof *topics)];
    if (mqtt_match("spBv1.0/#", topic) || mqtt_match("homie/#", topic))
        remember(data + 1, n - 1);
    enum reject r = decode_message(memory, topic, data + 1, n - 1, &quick, &e);
    enum reject r2 = decode_message_slowly(memory, topic, data + 1, n - 1, &slow, &e2);
    must(r == r2 && quick.n == slow.n && quick.n_refused == slow.n_refused,
         "the quick and the slow reader agree");
    for (size_t i = 0; i < quick.n; i++)
        must(same_values(&quick.item[i].r, &slow.item[i].r), "they read the same values");
    if (!r)
        check_taken(&quick, data + 1, n - 1);
    else
        must(*e.text && !strcmp(e.slug, reject_name(r)), "a reason");
    return 0;
}
