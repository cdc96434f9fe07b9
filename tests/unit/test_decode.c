/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each folder of tests/cases/decode is one message: its topic, its payload as bytes, and
 * what must come of it. A new decoder brings folders, not code. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>

#include "services/ingest/decode.h"

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
    enum reject r = decode_message(topic, payload, n, &m, &e);
    const char *reject = json_string_value(json_object_get(expect, "reject"));
    if (strcmp(reject_name(r), reject ? reject : "none"))
        fail_msg("%s: reject is %s (%s), not %s", name, reject_name(r), e.text,
                 reject ? reject : "none");
    expect_text(name, expect, "detail", e.text);
    const char *begins = json_string_value(json_object_get(expect, "detail_begins"));
    if (begins && strncmp(e.text, begins, strlen(begins))) /* the rest is the parser's */
        fail_msg("%s: detail is \"%s\"", name, e.text);
    if (reject)
        assert_string_equal(e.slug, reject);
    expect_text(name, expect, "decoder", m.decoder);
    expect_text(name, expect, "device", m.r.device);
    expect_text(name, expect, "raw", m.r.raw_device);
    expect_text(name, expect, "location", m.r.location);
    expect_number(name, expect, "boot", (double)m.r.boot);
    expect_number(name, expect, "seq", (double)m.r.seq);
    expect_number(name, expect, "poor", m.r.poor);
    expect_number(name, expect, "online", m.online);
    expect_time(name, json_object_get(expect, "time"), &m.time);
    if (json_object_get(expect, "values"))
        expect_values(name, json_object_get(expect, "values"), &m.r);
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
    assert_true(checked >= 70);
}

static void test_every_decoder_has_a_case(void **unused)
{
    (void)unused;
    size_t n;
    for (size_t i = 0; decode_row_name(i); i++) {
        char path[128];
        assert_non_null(decode_row_filter(i));
        snprintf(path, sizeof path, "shape-%s", decode_row_name(i));
        free(slurp(path, "topic", &n));
    }
}

static void test_reasons_have_names_and_sentences(void **unused)
{
    (void)unused;
    for (int r = 0; r < REJECT_N; r++) {
        assert_non_null(reject_name((enum reject)r));
        assert_true(strlen(reject_sentence((enum reject)r)) > 5);
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
    assert_int_equal(
        decode_message("fieldcast/a/readings", tight, sizeof text - 3, &m, &e),
        REJECT_NONE);
    assert_true(m.r.values[0].value == 1);
    free(tight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_every_decoder_has_a_case),
        cmocka_unit_test(test_reasons_have_names_and_sentences),
        cmocka_unit_test(test_payload_need_not_end_in_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
