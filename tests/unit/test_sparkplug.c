/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sparkplug payloads made with protobuf-c, decoded with what the memory has of births;
 * and the way through the intake, whose records need no memory when they are read again.
 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <math.h>
#include <unistd.h>

#include <sparkplug.pb-c.h>

#include "common/log.h"
#include "services/ingest/intake.h"
#include "services/ingest/sparkplug_pb.h"
#include "services/ingest/sparkplug_topic.h"

#define T0 1795132800000u
#define METRICS 600

/* ---- making payloads
 * ---------------------------------------------------------------------------- */

static struct {
    Sparkplug__Payload p;
    Sparkplug__Metric m[METRICS], *list[METRICS];
    Sparkplug__PropertySet set[METRICS];
    Sparkplug__PropertyValue unit[METRICS], *units[METRICS];
    char *keys[METRICS], name[METRICS][80];
    unsigned char bytes[256 << 10];
    size_t len;
} out;

static void begin(int seq)
{
    sparkplug__payload__init(&out.p);
    out.p.has_timestamp = true;
    out.p.timestamp = T0;
    out.p.has_seq = seq >= 0;
    out.p.seq = (uint64_t)seq;
    out.p.metrics = out.list;
}

/* name and alias: what the metric has of both; alias < 0: none. */
static Sparkplug__Metric *metric(const char *name, int alias, unsigned type)
{
    size_t i = out.p.n_metrics++;
    Sparkplug__Metric *m = out.list[i] = &out.m[i];
    sparkplug__metric__init(m);
    if (name)
        m->name = strcpy(out.name[i], name);
    m->has_alias = alias >= 0;
    m->alias = (uint64_t)alias;
    m->has_datatype = type != 0;
    m->datatype = type;
    return m;
}

static Sparkplug__Metric *integer(const char *name, int alias, unsigned type, uint32_t x)
{
    Sparkplug__Metric *m = metric(name, alias, type);
    m->has_int_value = true;
    m->int_value = x;
    return m;
}

static Sparkplug__Metric *whole(const char *name, int alias, unsigned type, uint64_t x)
{
    Sparkplug__Metric *m = metric(name, alias, type);
    m->has_long_value = true;
    m->long_value = x;
    return m;
}

static Sparkplug__Metric *real(const char *name, int alias, unsigned type, double x)
{
    Sparkplug__Metric *m = metric(name, alias, type);
    m->has_double_value = true;
    m->double_value = x;
    return m;
}

static void at(Sparkplug__Metric *m, uint64_t ms)
{
    m->has_timestamp = true;
    m->timestamp = ms;
}

static void in_unit(Sparkplug__Metric *m, const char *unit)
{
    static char key[] = "engUnit";
    size_t i = (size_t)(m - out.m);
    sparkplug__property_set__init(&out.set[i]);
    sparkplug__property_value__init(&out.unit[i]);
    out.keys[i] = key;
    out.units[i] = &out.unit[i];
    out.unit[i].string_value = (char *)unit;
    out.set[i].keys = &out.keys[i];
    out.set[i].values = &out.units[i];
    out.set[i].n_keys = out.set[i].n_values = 1;
    m->properties = &out.set[i];
}

static void pack(void)
{
    assert_true(sparkplug__payload__get_packed_size(&out.p) <= sizeof out.bytes);
    out.len = sparkplug__payload__pack(&out.p, out.bytes);
}

/* ---- decoding
 * ------------------------------------------------------------------------------- */

static char dir[64];
static struct memory *memory;
static struct message m;
static struct err why;

static int setup(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    strcpy(dir, "/tmp/fieldcast-sparkplug-XXXXXX");
    if (!mkdtemp(dir) || !(memory = memory_open(dir, false, &e)))
        return -1;
    message_init(&m);
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    memory_close(memory);
    message_done(&m);
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));)
        unlinkat(dirfd(d), f->d_name, 0);
    closedir(d);
    return rmdir(dir);
}

static enum reject decode(const char *topic)
{
    why = (struct err)ERR_INIT;
    pack();
    return decode_message(memory, topic, out.bytes, out.len, &m, &why);
}

/* Decodes and remembers, as the intake does. */
static enum reject take(const char *topic)
{
    struct memory_change c;
    struct buf texts;
    struct err e = ERR_INIT;
    buf_init(&texts, 2000);
    enum reject r = decode(topic);
    if (decode_remember(topic, out.bytes, out.len, false, &c, &texts))
        assert_ok(memory_change(memory, &c, &e), e);
    buf_done(&texts);
    return r;
}

static void taken(const char *topic)
{
    enum reject r = take(topic);
    if (r || m.n_refused)
        fail_msg("%s: %s (%s)", topic, r ? why.text : m.why.text,
                 reject_name(r ? r : m.refused));
}

static void expect_status(size_t i, const char *device, bool online)
{
    assert_true(i < m.n);
    assert_int_equal(m.item[i].kind, ITEM_STATUS);
    assert_int_equal(m.item[i].online, online);
    assert_string_equal(m.item[i].r.raw_device, device);
}

static void expect_reading(size_t i, const char *device, double time, size_t n)
{
    assert_true(i < m.n);
    assert_int_equal(m.item[i].kind, ITEM_READING);
    assert_string_equal(m.item[i].r.raw_device, device);
    assert_true(m.item[i].time.kind == RAW_TIME_NUMBER && m.item[i].time.number == time);
    assert_int_equal(m.item[i].r.n, n);
}

static void expect(size_t i, const char *quantity, double x)
{
    const struct reading *r = &m.item[i].r;
    for (size_t k = 0; k < r->n; k++)
        if (!strcmp(r->values[k].quantity, quantity)) {
            if (fabs(r->values[k].value - x) > 1e-9)
                fail_msg("%s is %.17g, not %.17g", quantity, r->values[k].value, x);
            return;
        }
    fail_msg("no %s", quantity);
}

/* The birth that most cases begin with. */
static void birth(void)
{
    begin(0);
    whole("bdSeq", -1, 8, 3);
    Sparkplug__Metric *b = metric("Node Control/Rebirth", -1, 11);
    b->has_boolean_value = true;
    in_unit(real("Temperature", 1, 10, 68), "°F");
    integer("Level", 2, 3, (uint32_t)-5);
    metric("Serial", 3, 12);
    integer("Outputs/Temperature", 4, 5, 7);
    taken("spBv1.0/plant/NBIRTH/line1");
}

static void test_birth(void **unused)
{
    (void)unused;
    birth();
    assert_int_equal(m.n, 2);
    expect_status(0, "plant/line1", true);
    expect_reading(1, "plant/line1", T0, 3);
    assert_string_equal(m.item[1].r.device, "plant_line1");
    expect(1, "temperature", 20);
    expect(1, "level", -5);
    expect(1, "outputs_temperature", 7);
    assert_true(m.from_memory && m.edge.birth && !m.edge.lost);
    assert_int_equal(m.edge.seq, 0);
    assert_string_equal(m.edge.id, "plant/line1");
}

static void test_data_by_alias(void **unused)
{
    (void)unused;
    birth();
    begin(1);
    real(NULL, 1, 0, 212);
    integer(NULL, 2, 0, (uint32_t)-40);
    metric(NULL, 3, 0);
    taken("spBv1.0/plant/NDATA/line1");
    assert_int_equal(m.n, 1);
    expect_reading(0, "plant/line1", T0, 2);
    expect(0, "temperature", 100);
    expect(0, "level", -40);
    assert_int_equal(m.edge.seq, 1);
    assert_false(m.edge.birth || m.edge.lost);
    begin(2); /* the metric's own unit goes before the birth's */
    in_unit(real(NULL, 1, 0, 300), "K");
    taken("spBv1.0/plant/NDATA/line1");
    expect(0, "temperature", 26.85);
    begin(3); /* only what is passed over */
    metric(NULL, 3, 0);
    taken("spBv1.0/plant/NDATA/line1");
    assert_int_equal(m.n, 0);
}

static void test_every_datatype(void **unused)
{
    (void)unused;
    static const struct {
        unsigned type;
        uint64_t bits;
        double want;
    } rows[] = {
        {1, 0xfb, -5},
        {1, 0xfffffffb, -5}, /* some widen the sign */
        {2, 0xfffb, -5},
        {3, 0xfffffffb, -5},
        {3, 0x7fffffff, 2147483647},
        {4, 0xfffffffffffffffb, -5},
        {5, 0xfb, 251},
        {6, 0xfffb, 65531},
        {7, 0xfffffffb, 4294967291},
        {8, 0x8000000000000000, 9223372036854775808.0},
        {11, 1, 1},
        {11, 0, 0},
    };
    for (size_t i = 0; i < N_OF(rows); i++)
        for (int wide = 0; wide < 2; wide++) {
            begin(0);
            if (wide)
                whole("X", -1, rows[i].type, rows[i].bits);
            else if (rows[i].bits <= UINT32_MAX)
                integer("X", -1, rows[i].type, (uint32_t)rows[i].bits);
            else
                continue;
            taken("spBv1.0/g/NDATA/e");
            expect(0, "x", rows[i].want);
        }
    begin(0);
    Sparkplug__Metric *f = metric("F", -1, 9), *b = metric("B", -1, 11);
    f->has_float_value = b->has_boolean_value = true;
    f->float_value = 0.5F;
    b->boolean_value = true;
    real("N", -1, 10, NAN);
    integer("Date", -1, 13, 5);
    metric("Nothing", -1, 10);
    Sparkplug__Metric *null = real("Null", -1, 10, 5);
    null->has_is_null = null->is_null = true;
    taken("spBv1.0/g/NDATA/e");
    assert_int_equal(m.n, 1);
    assert_int_equal(m.item[0].r.n, 2);
    expect(0, "f", 0.5);
    expect(0, "b", 1);
}

static void test_metrics_of_several_times(void **unused)
{
    (void)unused;
    birth();
    begin(1);
    at(real(NULL, 1, 0, 50), T0 + 2000);
    at(real(NULL, 1, 0, 32), T0 + 1000);
    Sparkplug__Metric *h = integer(NULL, 2, 0, 4);
    at(h, T0 + 1000);
    h->has_is_historical = h->is_historical = true;
    integer(NULL, 4, 0, 9);
    integer(NULL, 4, 0, 8); /* of two at one time the later counts */
    taken("spBv1.0/plant/NDATA/line1");
    assert_int_equal(m.n, 3);
    expect_reading(0, "plant/line1", T0, 1);
    expect(0, "outputs_temperature", 8);
    expect_reading(1, "plant/line1", T0 + 1000, 2);
    expect(1, "temperature", 0);
    expect(1, "level", 4);
    expect_reading(2, "plant/line1", T0 + 2000, 1);
    expect(2, "temperature", 10);
    begin(2);
    out.p.has_timestamp = false;
    integer(NULL, 4, 0, 9);
    taken("spBv1.0/plant/NDATA/line1");
    assert_int_equal(m.item[0].time.kind, RAW_TIME_NONE);
}

static void test_devices_have_births_of_their_own(void **unused)
{
    (void)unused;
    birth();
    begin(1);
    real("Temperature", 1, 10, 21);
    taken("spBv1.0/plant/DBIRTH/line1/oven 7");
    expect_status(0, "plant/line1/oven 7", true);
    assert_string_equal(m.item[0].r.device, "plant_line1_oven_7");
    assert_false(m.edge.birth);
    begin(2);
    real(NULL, 1, 0, 22);
    taken("spBv1.0/plant/DDATA/line1/oven 7");
    expect(0, "temperature", 22); /* in no unit: as it is */
    assert_string_equal(m.edge.id, "plant/line1");
    begin(0); /* another group's edge node of the same name is another device */
    real("Temperature", 1, 10, 5);
    taken("spBv1.0/plant2/NBIRTH/line1");
    assert_string_equal(m.item[0].r.device, "plant2_line1");
    assert_int_equal(memory_topics(memory), 3);
    birth(); /* a node's birth forgets those of its devices */
    assert_int_equal(memory_topics(memory), 2);
    begin(1);
    real(NULL, 1, 0, 22);
    assert_int_equal(take("spBv1.0/plant/DDATA/line1/oven 7"), REJECT_UNKNOWN_ALIAS);
}

static void test_unknown_alias(void **unused)
{
    (void)unused;
    begin(7);
    real(NULL, 1, 0, 22);
    real("Pressure", -1, 10, 1000); /* a name needs no birth */
    assert_int_equal(take("spBv1.0/plant/NDATA/line1"), REJECT_NONE);
    assert_true(m.edge.lost);
    assert_int_equal(m.refused, REJECT_UNKNOWN_ALIAS);
    assert_string_equal(m.why.text, "no birth is known: nothing says what number 1 of "
                                    "plant/line1 is");
    assert_int_equal(m.n, 1);
    expect(0, "pressure", 1000);
    begin(8);
    real(NULL, 1, 0, 22);
    assert_int_equal(take("spBv1.0/plant/NDATA/line1"), REJECT_UNKNOWN_ALIAS);
    assert_string_equal(why.slug, "unknown_alias");
    assert_string_equal(m.item[0].r.device, "plant_line1");
    birth();
    begin(1);
    real(NULL, 99, 0, 22);
    assert_int_equal(take("spBv1.0/plant/NDATA/line1"), REJECT_UNKNOWN_ALIAS);
    assert_string_equal(why.text, "the newest birth does not have it: nothing says what "
                                  "number 99 of plant/line1 is");
    begin(2);
    integer("New", -1, 0, 5);
    assert_int_equal(take("spBv1.0/plant/NDATA/line1"), REJECT_UNKNOWN_ALIAS);
    assert_string_equal(why.text,
                        "no birth of plant/line1 says which datatype \"New\" has");
    begin(3); /* neither name nor alias: nobody can know */
    real(NULL, -1, 10, 5);
    taken("spBv1.0/plant/NDATA/line1");
    assert_int_equal(m.n, 0);
}

static void test_names_that_become_one(void **unused)
{
    (void)unused;
    static const char *const names[] = {"a b", "A/B", "a_b_2", "a.b", "a b"};
    char path[80];
    for (int turn = 0; turn < 2; turn++) { /* in whatever order they come */
        begin(0);
        for (size_t i = 0; i < N_OF(names); i++) {
            size_t k = turn ? N_OF(names) - 1 - i : i;
            real(names[k], (int)k, 10, (double)k);
        }
        for (int i = 0; i < 2; i++) {
            memset(path, 'x', 70);
            snprintf(path + 70, 10, "%d", i);
            real(path, 10 + i, 10, 10 + i);
        }
        taken("spBv1.0/g/NBIRTH/e");
        for (int i = 0; i < 12; i++) {
            static const char *const want[] = {"a_b_3", "a_b", "a_b_2", "a_b_4", "a_b_3"};
            begin(1);
            real(NULL, i, 0, i);
            if (i > 4 && i < 10)
                continue;
            taken("spBv1.0/g/NDATA/e");
            if (i < 5)
                expect(0, want[i], i);
            else
                assert_int_equal(strlen(m.item[0].r.values[0].quantity),
                                 i == 10 ? 56 : 58);
        }
    }
}

static void test_deaths(void **unused)
{
    (void)unused;
    birth();
    begin(1);
    taken("spBv1.0/plant/DBIRTH/line1/a");
    taken("spBv1.0/plant/DBIRTH/line1/b");
    taken("spBv1.0/plant/DBIRTH/line10/c");
    begin(4);
    taken("spBv1.0/plant/DDEATH/line1/a");
    assert_int_equal(m.n, 1);
    expect_status(0, "plant/line1/a", false);
    begin(-1);
    whole("bdSeq", -1, 8, 2); /* of the session before this one */
    taken("spBv1.0/plant/NDEATH/line1");
    assert_int_equal(m.n, 0);
    begin(-1);
    whole("bdSeq", -1, 8, 3);
    taken("spBv1.0/plant/NDEATH/line1");
    assert_int_equal(m.n, 2);
    expect_status(0, "plant/line1", false);
    expect_status(1, "plant/line1/b", false); /* a is dead already */
    assert_int_equal(m.edge.seq, -1);
    begin(-1);
    taken("spBv1.0/plant/NDEATH/line2"); /* never heard of */
    expect_status(0, "plant/line2", false);
}

static void test_more_devices_than_one_message_can_tell(void **unused)
{
    (void)unused;
    char topic[64];
    for (int i = 0; i < MESSAGE_ITEMS_MAX + 2; i++) {
        begin(1);
        snprintf(topic, sizeof topic, "spBv1.0/g/DBIRTH/e/%d", i);
        taken(topic);
    }
    begin(-1);
    assert_int_equal(take("spBv1.0/g/NDEATH/e"), REJECT_NONE);
    assert_int_equal(m.n, MESSAGE_ITEMS_MAX);
    assert_string_equal(m.why.text, "g/e has more than 499 devices: of 3 it is not noted "
                                    "that they are offline");
}

static void test_many_metrics(void **unused)
{
    (void)unused;
    char name[32];
    begin(0);
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "Tag %d", i);
        real(name, i, 10, i);
    }
    taken("spBv1.0/g/NBIRTH/e");
    assert_int_equal(m.n, 4); /* the status, 64 + 64 + 22 */
    expect_reading(3, "g/e", T0, 22);
    begin(1);
    for (int i = 0; i < METRICS; i++)
        at(real("X", -1, 10, i), T0 + (unsigned)i);
    assert_int_equal(take("spBv1.0/g/NDATA/e"), REJECT_TOO_MANY_VALUES);
    assert_string_equal(why.text, "the message has readings of more than 500 times");
}

static void test_topics(void **unused)
{
    (void)unused;
    static const char *const nothing[] = {"spBv1.0/STATE/host", "spBv1.0/g/NCMD/e",
                                          "spBv1.0/g/DCMD/e/d"};
    static const char *const bad[] = {"spBv1.0",           "spBv1.0/g",
                                      "spBv1.0/g/NBIRTH",  "spBv1.0/g/NDATA/e/d",
                                      "spBv1.0/g/DDATA/e", "spBv1.0/g/XDATA/e",
                                      "spBv1.0/g/N/e",     "spBv1.0/g/DDATA/e/d/x"};
    for (size_t i = 0; i < N_OF(nothing); i++) {
        begin(0);
        taken(nothing[i]);
        assert_int_equal(m.n, 0);
    }
    for (size_t i = 0; i < N_OF(bad); i++) {
        begin(0);
        assert_int_equal(take(bad[i]), REJECT_UNKNOWN_TOPIC);
    }
    char topic[300];
    snprintf(topic, sizeof topic, "spBv1.0/g/NDATA/%0140d", 1);
    assert_int_equal(take(topic), REJECT_BAD_DEVICE);
    snprintf(topic, sizeof topic, "spBv1.0/%080d/NDATA/%080d", 1, 1);
    assert_int_equal(take(topic), REJECT_BAD_DEVICE);
    assert_int_equal(take("spBv1.0//NDATA/"), REJECT_BAD_DEVICE);
    assert_int_equal(memory_topics(memory), 0);
    char command[SPARKPLUG_TOPIC_MAX + 1];
    sparkplug_command_topic("plant/line1", command);
    assert_string_equal(command, "spBv1.0/plant/NCMD/line1");
}

/* A birth that cannot be read takes the place of the one before all the same. */
static void test_malformed(void **unused)
{
    (void)unused;
    struct memory_change c;
    struct buf texts;
    birth();
    buf_init(&texts, 2000);
    const char topic[] = "spBv1.0/plant/NBIRTH/line1";
    assert_int_equal(decode_message(memory, topic, "\x12\xff", 2, &m, &why),
                     REJECT_BAD_SHAPE);
    assert_string_equal(why.text, "the payload is no Sparkplug B payload (protobuf)");
    assert_true(m.edge.lost);
    assert_true(decode_remember(topic, "\x12\xff", 2, false, &c, &texts));
    assert_true(c.forget && !c.put);
    assert_string_equal(c.forget_under, "spBv1.0/plant/DBIRTH/line1/");
    buf_reset(&texts);
    pack(); /* and so does one that is too large to be known whole */
    assert_true(decode_remember(topic, out.bytes, out.len, true, &c, &texts));
    assert_true(c.forget && !c.put);
    assert_false(decode_remember("fieldcast/a/readings", "{}", 2, false, &c, &texts));
    buf_done(&texts);
    unsigned char *empty = malloc(256 << 10); /* 128k metrics of nothing */
    for (int i = 0; i < 256 << 10; i += 2)
        memcpy(empty + i, "\x12", 2);
    assert_int_equal(decode_message(memory, topic, empty, 256 << 10, &m, &why),
                     REJECT_BAD_SHAPE);
    assert_string_equal(why.text, "the payload takes too much memory");
    free(empty);
    for (size_t cut = 0; cut < out.len; cut++) { /* no crash, whatever it is */
        unsigned char *tight = malloc(cut + 1);
        memcpy(tight, out.bytes, cut);
        decode_message(memory, topic, tight, cut, &m, &why);
        free(tight);
    }
}

/* A birth that is wrong is wrong again when it is asked for again. */
static void test_a_birth_with_a_nameless_metric(void **unused)
{
    (void)unused;
    begin(0);
    real(NULL, 1, 10, 5);
    real("Level", 2, 10, 6);
    assert_int_equal(take("spBv1.0/g/NBIRTH/e"), REJECT_NONE);
    assert_int_equal(m.refused, REJECT_UNKNOWN_ALIAS);
    assert_false(m.edge.lost);
    expect(1, "level", 6);
}

static void test_asking_for_a_birth(void **unused)
{
    (void)unused;
    struct buf b;
    buf_init(&b, 256);
    sparkplug_rebirth(&b, T0);
    Sparkplug__Payload *p =
        sparkplug__payload__unpack(NULL, b.len, (const uint8_t *)b.data);
    assert_non_null(p);
    assert_int_equal(p->n_metrics, 1);
    assert_string_equal(p->metrics[0]->name, "Node Control/Rebirth");
    assert_int_equal(p->metrics[0]->datatype, 11);
    assert_true(p->metrics[0]->boolean_value);
    assert_true(p->timestamp == T0);
    sparkplug__payload__free_unpacked(p, NULL);
    buf_done(&b);
}

/* ---- through the intake
 * ------------------------------------------------------------------------------- */

static void arrives(struct intake *in, const char *topic)
{
    struct err e = ERR_INIT;
    pack();
    struct arrival a = {.topic = topic, .payload = out.bytes, .len = out.len};
    assert_ok(intake_take(in, &a, &e), e);
}

/* What stands in the log means the same without any memory. */
static void test_the_log_needs_no_memory(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    char path[128];
    struct metrics *metrics = metrics_new("ingest");
    struct wal_opts w = {.dir = dir, .max_bytes = 4 << 20, .segment_bytes = 1 << 20};
    struct wal *wal = wal_open(&w, &e);
    snprintf(path, sizeof path, "%s/devices.jsonl", dir);
    struct interpreter how = {.fix = {.past_ms = INT64_C(40000) * 86400000,
                                      .future_ms = INT64_C(400) * 86400000},
                              .ledger = ledger_open(path, 10, metrics, &e),
                              .memory = memory};
    struct intake *in = intake_new(wal, &how, NULL, metrics);
    begin(0);
    in_unit(real("Temperature", 1, 10, 68), "°F");
    arrives(in, "spBv1.0/g/NBIRTH/e");
    assert_int_equal(memory_topics(memory), 1); /* before it is acknowledged */
    begin(1);
    real(NULL, 1, 0, 212);
    arrives(in, "spBv1.0/g/NDATA/e");
    begin(2);
    real(NULL, 2, 0, 5);
    arrives(in, "spBv1.0/g/NDATA/e");
    begin(3);
    metric("Text", -1, 12); /* nothing to be stored, and yet remembered */
    arrives(in, "spBv1.0/g/DBIRTH/e/d");
    assert_int_equal(memory_topics(memory), 2);

    how.memory = NULL;
    struct wal_reader *r = wal_reader_open(wal, "", 0, &e);
    struct wal_record rec;
    int64_t pos;
    int n = 0;
    for (; wal_read(r, &rec, &pos, &e) > 0; n++) {
        struct account a;
        assert_true(rec.flags & WAL_ACCOUNT);
        assert_int_equal(recall(&how, &rec, &m, &a, &e), REJECT_NONE);
        if (n == 1)
            expect(0, "temperature", 100);
        assert_int_equal(a.reason, n == 2 ? REJECT_UNKNOWN_ALIAS : REJECT_NONE);
        account_done(&a);
    }
    assert_int_equal(n, 4);
    wal_reader_close(r);
    intake_free(in);
    ledger_close(how.ledger);
    wal_close(wal);
    metrics_free(metrics);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_birth),
        CASE(test_data_by_alias),
        CASE(test_every_datatype),
        CASE(test_metrics_of_several_times),
        CASE(test_devices_have_births_of_their_own),
        CASE(test_unknown_alias),
        CASE(test_names_that_become_one),
        CASE(test_deaths),
        CASE(test_more_devices_than_one_message_can_tell),
        CASE(test_many_metrics),
        CASE(test_topics),
        CASE(test_malformed),
        CASE(test_a_birth_with_a_nameless_metric),
        CASE(test_asking_for_a_birth),
        CASE(test_the_log_needs_no_memory),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
