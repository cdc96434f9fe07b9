/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each folder of tests/cases/decode is one message: its topic, its payload as bytes, and
 * what must come of it. A new decoder brings folders, not code. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>

#include "common/mqtt.h"
#include "services/ingest/decode.h"
#include "services/ingest/settings.h"

#define CASES "tests/cases/decode"

static char *slurp(const char *name, const char *file, size_t *n)
{
    char path[512];
    snprintf(path, sizeof path, CASES "/%s/%s", name, file);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s is missing", path);
    char *text = calloc(1, 1 << 20);
    *n = fread(text, 1, (1 << 20) - 1, f);
    fclose(f);
    return text;
}

static void expect_text(const char *name, const json_t *expect, const char *key,
                        const char *got)
{
    const char *want = json_string_value(json_object_get(expect, key));
    if (want && (!got || strcmp(want, got)))
        fail_msg("%s: %s is \"%s\", not \"%s\"", name, key, got ? got : "(none)", want);
}

static void expect_number(const char *name, const json_t *expect, const char *key,
                          double got)
{
    const json_t *want = json_object_get(expect, key);
    double w = json_is_boolean(want) ? json_is_true(want) : json_number_value(want);
    if (want && fabs(w - got) > 1e-9 * fabs(w))
        fail_msg("%s: %s is %.17g, not %.17g", name, key, got, w);
}

static void expect_values(const char *name, const json_t *values, const struct reading *r)
{
    const char *key;
    json_t *v;
    if (json_object_size(values) != r->n)
        fail_msg("%s: %zu values, not %zu", name, r->n, json_object_size(values));
    json_object_foreach((json_t *)values, key, v)
    {
        size_t i = 0;
        while (i < r->n && strcmp(r->values[i].quantity, key))
            i++;
        if (i == r->n)
            fail_msg("%s: no %s", name, key);
        expect_number(name, values, key, r->values[i].value);
    }
}

static void expect_time(const char *name, const json_t *want, const struct raw_time *t)
{
    if (json_is_string(want)) {
        assert_int_equal(t->kind, RAW_TIME_TEXT);
        assert_string_equal(t->text, json_string_value(want));
    } else if (json_is_number(want)) {
        assert_int_equal(t->kind, RAW_TIME_NUMBER);
        if (t->number != json_number_value(want))
            fail_msg("%s: time is %.17g", name, t->number);
    }
}

static bool same_item(const struct item *a, const struct item *b)
{
    bool same = a->kind == b->kind && a->online == b->online && a->reject == b->reject &&
                a->r.n == b->r.n && a->r.boot == b->r.boot && a->r.seq == b->r.seq &&
                a->time.kind == b->time.kind && !strcmp(a->r.device, b->r.device) &&
                !strcmp(a->r.raw_device, b->r.raw_device) &&
                (a->time.kind != RAW_TIME_NUMBER || a->time.number == b->time.number);
    for (size_t i = 0; same && i < a->r.n; i++)
        same = !strcmp(a->r.values[i].quantity, b->r.values[i].quantity) &&
               !memcmp(&a->r.values[i].value, &b->r.values[i].value, sizeof(double));
    return same;
}

/* The quick way and the way by a tree say the same. */
static void both_ways(const char *name, const char *topic, const char *payload, size_t n)
{
    struct message a, b;
    struct err ea = ERR_INIT, eb = ERR_INIT;
    message_init(&a);
    message_init(&b);
    enum reject ra = decode_message(NULL, topic, payload, n, &a, &ea);
    enum reject rb = decode_message_slowly(NULL, topic, payload, n, &b, &eb);
    bool same =
        ra == rb && !strcmp(ea.text, eb.text) && a.n == b.n && a.n_refused == b.n_refused;
    for (size_t i = 0; same && i < a.n; i++)
        same = same_item(&a.item[i], &b.item[i]);
    if (!same)
        fail_msg("%s: %s (%s) and %s (%s) for %.*s", name, reject_name(ra), ea.text,
                 reject_name(rb), eb.text, (int)n, payload);
    message_done(&a);
    message_done(&b);
}

static void check_item(const char *name, const json_t *expect, const struct item *it)
{
    expect_text(name, expect, "device", it->r.device);
    expect_text(name, expect, "raw", it->r.raw_device);
    expect_text(name, expect, "location", it->r.location);
    expect_number(name, expect, "boot", (double)it->r.boot);
    expect_number(name, expect, "seq", (double)it->r.seq);
    expect_number(name, expect, "poor", it->r.poor);
    expect_number(name, expect, "online", it->online);
    if (json_object_get(expect, "online"))
        assert_int_equal(it->kind, ITEM_STATUS);
    expect_time(name, json_object_get(expect, "time"), &it->time);
    if (json_object_get(expect, "values"))
        expect_values(name, json_object_get(expect, "values"), &it->r);
}

/* expect.json: {"decoder","reject","detail","refused","why", …} with the members of the
 * one item beside them, or "items" of several. refused: what is left out of a message
 * that is taken, and why. */
static void check_message(const char *name, const json_t *expect, enum reject r,
                          const struct message *m, const struct err *e)
{
    const char *reject = json_string_value(json_object_get(expect, "reject"));
    const char *refused = json_string_value(json_object_get(expect, "refused"));
    if (strcmp(reject_name(r), reject ? reject : "none"))
        fail_msg("%s: reject is %s (%s), not %s", name, reject_name(r), e->text,
                 reject ? reject : "none");
    expect_text(name, expect, "detail", e->text);
    const char *begins = json_string_value(json_object_get(expect, "detail_begins"));
    if (begins && strncmp(e->text, begins, strlen(begins))) /* the rest is the parser's */
        fail_msg("%s: detail is \"%s\"", name, e->text);
    if (reject)
        assert_string_equal(e->slug, reject);
    else if (m->n_refused || refused)
        expect_text(name, expect, "refused", reject_name(m->refused));
    if (!reject && m->n_refused && !refused)
        fail_msg("%s: refused is %s (%s)", name, reject_name(m->refused), m->why.text);
    if (refused)
        expect_text(name, expect, "why", m->why.text);
    expect_text(name, expect, "decoder", m->decoder);
    const json_t *items = json_object_get(expect, "items");
    if (items)
        assert_int_equal(json_array_size(items), m->n);
    for (size_t i = 0; i < m->n; i++) {
        const json_t *one = items ? json_array_get(items, i) : expect;
        check_item(name, one, &m->item[i]);
        if (items)
            expect_text(name, one, "reject", reject_name(m->item[i].reject));
    }
}

static void check_case(const char *name)
{
    size_t n_topic, n, n_expect;
    char *topic = slurp(name, "topic", &n_topic), *payload = slurp(name, "payload", &n);
    char *text = slurp(name, "expect.json", &n_expect);
    topic[strcspn(topic, "\n")] = '\0';
    json_error_t je;
    json_t *expect = json_loadb(text, n_expect, 0, &je);
    if (!expect)
        fail_msg("%s: expect.json: %s", name, je.text);
    struct message m;
    struct err e = ERR_INIT;
    message_init(&m);
    enum reject r = decode_message(NULL, topic, payload, n, &m, &e);
    check_message(name, expect, r, &m, &e);
    both_ways(name, topic, payload, n);
    message_done(&m);
    json_decref(expect);
    free(topic);
    free(payload);
    free(text);
}

static void test_cases(void **unused)
{
    (void)unused;
    struct dirent **list;
    int n = scandir(CASES, &list, NULL, alphasort), checked = 0;
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        if (list[i]->d_name[0] != '.') {
            check_case(list[i]->d_name);
            checked++;
        }
        free(list[i]);
    }
    free(list);
    assert_true(checked >= 100);
}

/* Native payloads with a byte changed, cut or doubled at every place, and numbers in
 * every spelling. */
static void test_quick_and_slow_agree(void **unused)
{
    (void)unused;
    static const char *const numbers[] = {"0",
                                          "-0",
                                          "0.0",
                                          "-0.0",
                                          "1",
                                          "01",
                                          "1.",
                                          ".5",
                                          "-1.5",
                                          "1e3",
                                          "1E-2",
                                          "0.1",
                                          "21.37",
                                          "-40.05",
                                          "1.7976931348623157",
                                          "1e999",
                                          "1795132800000",
                                          "123456789012345",
                                          "1234567890123456",
                                          "12345678901.2345",
                                          "99999999999999999999",
                                          "101325",
                                          "29999.9",
                                          "30000",
                                          "120000",
                                          "120000.1",
                                          "0.00001",
                                          "149.999",
                                          "150.001",
                                          "+1",
                                          "1_0",
                                          "0x10",
                                          "Infinity",
                                          "1 ",
                                          " 1",
                                          "- 1",
                                          "1.2.3",
                                          "\"1\"",
                                          "[1]"};
    static const char *const more[] = {"{\"values\":{\"temperature\":%s}}",
                                       "{\"seq\":%s,\"boot\":1,\"values\":{\"co\":1}}",
                                       "{\"boot\":%s,\"values\":{\"co\":true}}",
                                       "{\"ts_ms\":%s,\"values\":{\"co\":false}}",
                                       "{\"values\":{\"pressure\":%s,\"odd\":2}}",
                                       " {\n\"values\" : {\t\"x\" : %s } } \r\n"};
    char text[512];
    for (size_t i = 0; i < N_OF(more); i++)
        for (size_t k = 0; k < N_OF(numbers); k++) {
            int n = snprintf(text, sizeof text, more[i], numbers[k]);
            both_ways("numbers", "fieldcast/kitchen/readings", text, (size_t)n);
        }
    static const char whole[] =
        "{\"device\":\"kitchen\",\"boot\":12,\"seq\":4711,\"ts_ms\":"
        "1795132800000,\"values\":{\"temp\":21.4,\"humidity\":48}}";
    static const char signs[] = "\"\\{}[]:,.-+0eE \n\tx\x7f\x80\xff";
    for (size_t at = 0; at < sizeof whole - 1; at++) {
        both_ways("cut", "fieldcast/kitchen/readings", whole, at);
        for (size_t k = 0; k < sizeof signs; k++) {
            memcpy(text, whole, sizeof whole);
            text[at] = signs[k];
            both_ways("changed", "fieldcast/kitchen/readings", text, sizeof whole - 1);
            memmove(text + at + 1, whole + at, sizeof whole - at);
            both_ways("inserted", "fieldcast/kitchen/readings", text, sizeof whole);
        }
    }
    both_ways("no level", "fieldcast//readings", whole, sizeof whole - 1);
    both_ways("other", "fieldcast/office/readings", whole, sizeof whole - 1);
    both_ways("odd", "fieldcast/kit chen/readings", "{\"values\":{\"co\":1}}", 19);
}

static void test_every_decoder_has_a_case(void **unused)
{
    (void)unused;
    size_t n;
    for (size_t i = 0; decode_row_name(i); i++) {
        char path[128];
        assert_non_null(decode_row_filter(i, 0));
        snprintf(path, sizeof path, "shape-%s", decode_row_name(i));
        free(slurp(path, "topic", &n));
    }
}

/* What is in the table works out of the box, and fits into what is subscribed to. */
static void test_every_filter_is_subscribed_to(void **unused)
{
    (void)unused;
    char filters[SETTINGS_MAX_STRING] = "", all[SETTINGS_MAX_STRING], *save;
    size_t n = 0;
    for (const struct setting *s = ingest_settings_table; s->name; s++)
        if (!strcmp(s->name, "MQTT_FILTERS"))
            snprintf(filters, sizeof filters, ",%s,", s->dflt);
    for (size_t i = 0; decode_row_name(i); i++)
        for (size_t f = 0; decode_row_filter(i, f); f++) {
            snprintf(all, sizeof all, ",%s,", decode_row_filter(i, f));
            if (!strstr(filters, all))
                fail_msg("FC_MQTT_FILTERS has no %s", decode_row_filter(i, f));
        }
    for (char *f = strtok_r(filters, ",", &save); f; f = strtok_r(NULL, ",", &save), n++)
        assert_true(mqtt_filter_valid(f));
    assert_in_range(n, 8, 32);
}

static void test_reasons_have_names_and_sentences(void **unused)
{
    (void)unused;
    for (int r = 0; r < REJECT_N; r++) {
        assert_non_null(reject_name((enum reject)r));
        assert_true(strlen(reject_sentence((enum reject)r)) > 5);
        assert_int_equal(reject_find(reject_name((enum reject)r)), r);
        for (int k = 0; k < r; k++)
            assert_string_not_equal(reject_name((enum reject)r),
                                    reject_name((enum reject)k));
    }
}

static void test_payload_need_not_end_in_nul(void **unused)
{
    (void)unused;
    const char text[] = "{\"values\":{\"temperature\":1}}99";
    char *tight = malloc(sizeof text - 3); /* under ASan, one byte more is an error */
    memcpy(tight, text, sizeof text - 3);
    struct message m;
    struct err e = ERR_INIT;
    message_init(&m);
    assert_int_equal(
        decode_message(NULL, "fieldcast/a/readings", tight, sizeof text - 3, &m, &e),
        REJECT_NONE);
    assert_true(m.item[0].r.values[0].value == 1);
    message_done(&m);
    free(tight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_quick_and_slow_agree),
        cmocka_unit_test(test_every_decoder_has_a_case),
        cmocka_unit_test(test_every_filter_is_subscribed_to),
        cmocka_unit_test(test_reasons_have_names_and_sentences),
        cmocka_unit_test(test_payload_need_not_end_in_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
