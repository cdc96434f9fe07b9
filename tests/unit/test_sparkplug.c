/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What metrics mean, with what the memory has of births. Who is born and dies is in
 * test_sparkplug_edge.c. */
#include "tests/unit/sparkplug_payload.h"

#include "common/log.h"

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

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_birth),
        CASE(test_data_by_alias),
        CASE(test_every_datatype),
        CASE(test_metrics_of_several_times),
        CASE(test_unknown_alias),
        CASE(test_names_that_become_one),
        CASE(test_many_metrics),
        CASE(test_malformed),
        CASE(test_a_birth_with_a_nameless_metric),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
