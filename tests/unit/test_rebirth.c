/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/log.h"
#include "services/ingest/rebirth.h"

static struct metrics *metrics;
static struct rebirth *r;
static char asked[2000];
static int refuse;

static int setup(void **unused)
{
    (void)unused;
    metrics = metrics_new("ingest");
    r = rebirth_new(metrics);
    refuse = 0;
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    rebirth_free(r);
    metrics_free(metrics);
    return 0;
}

static int ask(void *arg, const char *edge)
{
    (void)arg;
    strcat(strcat(asked, edge), " ");
    return refuse;
}

static const char *asks(int64_t now_ms)
{
    asked[0] = '\0';
    rebirth_ask(r, now_ms, ask, NULL);
    return asked;
}

static void note(const char *id, int seq, bool birth, bool lost)
{
    struct edge_note n = {.seq = seq, .birth = birth, .lost = lost};
    strcpy(n.id, id);
    rebirth_note(r, &n, false);
}

static void test_numbers_in_order_ask_nothing(void **unused)
{
    (void)unused;
    note("g/e", 0, true, false);
    for (int i = 1; i < 600; i++)
        note("g/e", i % 256, false, false);
    note("g/e", -1, false, false); /* a death has none */
    note("g/e", 600 % 256, false, false);
    note("", 7, false, false); /* of another convention */
    assert_string_equal(asks(0), "");
}

static void test_a_gap_asks_once(void **unused)
{
    (void)unused;
    note("g/e", 0, true, false);
    note("g/f", 0, true, false);
    note("g/e", 2, false, false);
    note("g/f", 1, false, false);
    assert_string_equal(asks(100), "g/e ");
    assert_string_equal(asks(100), "");
    note("g/e", 3, false, false);
    assert_string_equal(asks(60000), "");
}

static void test_the_first_message_asks_unless_it_is_a_birth(void **unused)
{
    (void)unused;
    note("g/e", 17, false, false);
    note("g/f", 0, true, false);
    assert_string_equal(asks(0), "g/e ");
}

static void test_at_most_once_in_five_seconds(void **unused)
{
    (void)unused;
    note("g/e", 0, true, false);
    note("g/e", 1, false, true);
    assert_string_equal(asks(1000), "g/e ");
    note("g/e", 2, false, true);
    assert_string_equal(asks(1000 + REBIRTH_PAUSE_MS - 1), "");
    assert_string_equal(asks(1000 + REBIRTH_PAUSE_MS), "g/e ");
}

/* One whose births never help is asked less and less often; when it was well for a while,
 * it begins anew. */
static void test_what_does_not_help_is_asked_less_often(void **unused)
{
    (void)unused;
    int64_t now_ms = 1000, pause_ms = REBIRTH_PAUSE_MS;
    note("g/e", 0, true, false);
    for (int i = 0; i < 10; i++) {
        note("g/e", -1, false, true);
        assert_string_equal(asks(now_ms), "g/e ");
        note("g/e", 0, true, false);
        note("g/e", -1, false, true);
        assert_string_equal(asks(now_ms + pause_ms - 1), "");
        now_ms += pause_ms;
        pause_ms =
            pause_ms * 2 < REBIRTH_PAUSE_MOST_MS ? pause_ms * 2 : REBIRTH_PAUSE_MOST_MS;
    }
    now_ms += 3 * REBIRTH_PAUSE_MOST_MS;
    assert_string_equal(asks(now_ms), "g/e ");
    note("g/e", -1, false, true);
    assert_string_equal(asks(now_ms + REBIRTH_PAUSE_MS), "g/e ");
}

static void test_few_at_once(void **unused)
{
    (void)unused;
    char id[32];
    size_t n = 0;
    for (int i = 0; i < REBIRTH_AT_ONCE + 5; i++) {
        snprintf(id, sizeof id, "%d", i);
        note(id, 7, false, false);
    }
    for (const char *p = asks(0); (p = strchr(p, ' ')); p++)
        n++;
    assert_int_equal(n, REBIRTH_AT_ONCE);
    assert_string_equal(asks(0), "4 3 2 1 0 ");
}

static void test_a_birth_settles_it(void **unused)
{
    (void)unused;
    note("g/e", 9, false, true);
    note("g/e", 0, true, false);
    assert_string_equal(asks(0), "");
    note("g/e", 0, true, true); /* a birth that could not be read does not */
    assert_string_equal(asks(0), "g/e ");
}

static void test_what_cannot_be_sent_stays_due(void **unused)
{
    (void)unused;
    note("g/e", 9, false, true);
    refuse = -1;
    assert_string_equal(asks(0), "g/e ");
    refuse = 0;
    assert_string_equal(asks(1), "g/e ");
    assert_string_equal(asks(1), "");
}

static void test_what_comes_again_says_nothing(void **unused)
{
    (void)unused;
    struct edge_note n = {.id = "g/e", .seq = 5};
    note("g/e", 0, true, false);
    rebirth_note(r, &n, true);
    note("g/e", 1, false, false);
    assert_string_equal(asks(0), "");
}

static void test_is_bounded(void **unused)
{
    (void)unused;
    char id[32];
    for (int i = 0; i <= REBIRTH_NODES; i++) {
        snprintf(id, sizeof id, "g/%d", i);
        note(id, 0, true, false);
    }
    note(id, 0, false, true); /* the one too many */
    assert_string_equal(asks(0), "");
    note("g/0", 0, false, true);
    assert_string_equal(asks(0), "g/0 ");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_numbers_in_order_ask_nothing),
        CASE(test_a_gap_asks_once),
        CASE(test_the_first_message_asks_unless_it_is_a_birth),
        CASE(test_at_most_once_in_five_seconds),
        CASE(test_what_does_not_help_is_asked_less_often),
        CASE(test_few_at_once),
        CASE(test_a_birth_settles_it),
        CASE(test_what_cannot_be_sent_stays_due),
        CASE(test_what_comes_again_says_nothing),
        CASE(test_is_bounded),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
