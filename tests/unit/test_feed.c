/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ingest's answers to GET /api/v1/hours do. No series is loaded here, so InfluxDB is
 * not asked; the reading itself is tested against the real one. */
#include "tests/unit/champion.h"

#include "services/predictor/feed.h"

static struct predictor p;
static struct feed f;

static int take(const char *body, bool *more, struct err *e)
{
    const char *who = "";
    *e = (struct err)ERR_INIT;
    int rc = feed_take(&f, body, strlen(body), more, &who, e);
    if (rc)
        assert_string_equal(who, "ingest");
    return rc;
}

static void test_cursor(void **unused)
{
    (void)unused;
    bool more;
    struct err e;
    assert_ok(take("{\"epoch\":\"e1\",\"cursor\":12,\"reset\":true,\"rolled_up\":null,"
                   "\"items\":[]}",
                   &more, &e),
              e);
    assert_false(more);
    assert_string_equal(f.cursor, "e1:12");
    assert_true(f.rolled_up_ms == NO_TIME);
    assert_ok(take("{\"epoch\":\"e1\",\"cursor\":13,\"reset\":false,"
                   "\"rolled_up\":\"2026-11-20T12:00:00.000Z\",\"items\":[{\"device\":"
                   "\"kitchen\",\"from_ms\":1,\"to_ms\":2}]}",
                   &more, &e),
              e);
    assert_true(more);
    assert_string_equal(f.cursor, "e1:13");
    assert_true(f.rolled_up_ms == NOON);
}

static void test_reset_forgets(void **unused)
{
    (void)unused;
    bool more;
    struct err e;
    struct series *s = champion_install(
        &p, champion_version("kitchen.temperature", 1, "persistence", "", 0));
    champion_hours(&p, s, 3, 1, NOON);
    assert_true(s->loaded);
    assert_ok(take("{\"epoch\":\"e2\",\"cursor\":0,\"reset\":true,\"rolled_up\":null,"
                   "\"items\":[]}",
                   &more, &e),
              e);
    assert_false(s->loaded);
    assert_string_equal(f.cursor, "e2:0");
    assert_true(f.rolled_up_ms == NOON); /* what was complete stays complete */
}

/* The clock was in 2030, and is put right. */
static void test_a_clock_that_was_ahead(void **unused)
{
    (void)unused;
    static const char answer[] = "{\"epoch\":\"e3\",\"cursor\":0,\"reset\":false,"
                                 "\"rolled_up\":\"%s\",\"items\":[]}";
    char body[200];
    bool more;
    struct err e;
    int64_t ahead = NOON + 4 * 366 * 24 * HOUR_MS, newest;
    struct series *s = champion_install(
        &p, champion_version("attic.temperature", 1, "persistence", "", 0));
    champion_hours(&p, s, 3, 1, ahead);
    char time[CLOCK_RFC3339_SIZE];
    snprintf(body, sizeof body, answer, clock_format(ahead, time));
    assert_ok(take(body, &more, &e), e);
    s->leads_known = true;
    s->leads_origin_ms = s->tried_ms = ahead;
    atomic_store(&s->live_ms, ahead);
    /* an hour back is nothing */
    snprintf(body, sizeof body, answer, clock_format(ahead - HOUR_MS, time));
    assert_ok(take(body, &more, &e), e);
    assert_true(s->loaded && s->leads_known && f.rolled_up_ms == ahead - HOUR_MS);
    snprintf(body, sizeof body, answer, clock_format(NOON, time));
    assert_ok(take(body, &more, &e), e);
    assert_true(f.rolled_up_ms == NOON);
    assert_false(s->loaded || s->leads_known);
    assert_true(s->leads_origin_ms == NO_TIME && s->tried_ms == NO_TIME);
    assert_true(atomic_load(&s->live_ms) == NO_TIME);
    assert_false(history_newest(s->history, INT64_MAX, &newest));
    assert_true(history_put(s->history, NOON, 20)); /* and it takes hours of now */
}

static void test_refused(void **unused)
{
    (void)unused;
    static const struct {
        const char *body, *text;
    } rows[] = {
        {"", "ingest's answer is empty: a JSON value is expected"},
        {"{\"cursor\":1,\"items\":[]}",
         "field \"epoch\" is missing: a string is expected"},
        {"{\"epoch\":\"e\",\"items\":[]}",
         "field \"cursor\" is missing: a whole number is expected"},
        {"{\"epoch\":\"e\",\"cursor\":-1,\"items\":[]}",
         "field \"cursor\" must be from 0 to 9223372036854775807, not -1"},
        {"{\"epoch\":\"e\",\"cursor\":1,\"rolled_up\":\"noon\",\"items\":[]}",
         "rolled_up must be a time such as 2026-11-20T10:00:00Z, epoch seconds or epoch "
         "milliseconds, not \"noon\""},
        {"{\"epoch\":\"e\",\"cursor\":1}", "ingest's answer has no array \"items\""},
        {"{\"epoch\":\"e\",\"cursor\":1,\"items\":[7]}",
         "field \"device\" is missing: a string is expected"},
        {"{\"epoch\":\"e\",\"cursor\":1,\"items\":[{\"device\":\"k\",\"from_ms\":5,"
         "\"to_ms\":4}]}",
         "field \"to_ms\" must be from 5 to 253402300799999, not 4"},
    };
    char before[96];
    strcpy(before, f.cursor);
    for (size_t i = 0; i < N_OF(rows); i++) {
        bool more;
        struct err e;
        assert_int_equal(take(rows[i].body, &more, &e), -1);
        assert_string_equal(e.text, rows[i].text);
        assert_string_equal(f.cursor, before); /* nothing is skipped */
    }
}

static int open_all(void **state)
{
    (void)state;
    champion_open(&p);
    feed_init(&f, p.models, NULL, "http://127.0.0.1:9", "");
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    feed_done(&f);
    champion_close(&p);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_reset_forgets),
        cmocka_unit_test(test_a_clock_that_was_ahead),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
