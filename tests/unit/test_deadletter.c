/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "services/ingest/deadletter.h"

static char dir[64];

static int setup(void **unused)
{
    (void)unused;
    strcpy(dir, "/tmp/fieldcast-letters-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    char path[128];
    snprintf(path, sizeof path, "%s/deadletters.jsonl", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/deadletters.1.jsonl", dir);
    unlink(path);
    return rmdir(dir);
}

static struct deadletter *open_from(int64_t max, int64_t from)
{
    struct err e = ERR_INIT;
    struct deadletter *d = deadletter_open(dir, max, from, &e);
    if (!d)
        fail_msg("%s", e.text);
    return d;
}

static struct deadletter *open_letters(int64_t max)
{
    return open_from(max, INT64_MAX);
}

static void add(struct deadletter *d, int64_t id, const void *payload, size_t len,
                enum reject why)
{
    struct err e = ERR_INIT;
    struct wal_record r = {.receive_ms = 1795132800000,
                           .topic = "a/b",
                           .topic_len = 3,
                           .payload = payload,
                           .len = len};
    assert_ok(deadletter_add(d, id, &r, why, "because", "kitchen", NULL, &e), e);
}

static void expect_list(struct deadletter *d, int64_t before, int limit,
                        const char *reason, const char *want_ids, int64_t want_next)
{
    struct err e = ERR_INIT;
    int64_t next;
    struct letter_query q = {.before = before, .limit = limit, .reason = reason};
    json_t *items = deadletter_list(d, &q, NULL, &next, &e), *j;
    char ids[512] = "";
    size_t i;
    json_array_foreach(items, i, j) sprintf(
        ids + strlen(ids), "%d ", (int)json_integer_value(json_object_get(j, "id")));
    json_decref(items);
    assert_string_equal(ids, want_ids);
    assert_int_equal(next, want_next);
}

static void test_text_and_bytes(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct deadletter *d = open_letters(1 << 20);
    add(d, 0, "{\"a\":\t\"\xc3\xa9\"", 10, REJECT_BAD_JSON);
    add(d, 40, "\0\1\xff", 3, REJECT_BAD_JSON);
    add(d, 80, "\xff", 1, REJECT_BAD_JSON);
    add(d, 120, "", 0, REJECT_NO_VALUES);
    struct wal_record cut = {
        .topic = "a", .topic_len = 1, .payload = "xy", .len = 2, .flags = WAL_CUT};
    assert_ok(deadletter_add(d, 160, &cut, REJECT_TOO_LARGE, "big", "", NULL, &e), e);
    int64_t next;
    struct letter_query all = {.before = -1, .limit = 10, .reason = ""};
    json_t *items = deadletter_list(d, &all, NULL, &next, &e);
    char *text = json_dumps(items, JSON_COMPACT);
    assert_string_equal(
        text, "[{\"id\":160,\"time\":\"1970-01-01T00:00:00.000Z\",\"reason\":\"too_"
              "large\",\"detail\":"
              "\"big\",\"device\":null,\"topic\":\"a\",\"payload\":\"xy\",\"cut\":true},"
              "{\"id\":120,\"time\":\"2026-11-20T00:00:00.000Z\",\"reason\":\"no_"
              "values\",\"detail\":"
              "\"because\",\"device\":\"kitchen\",\"topic\":\"a/b\",\"payload\":\"\"},"
              "{\"id\":80,\"time\":\"2026-11-20T00:00:00.000Z\",\"reason\":\"bad_json\","
              "\"detail\":"
              "\"because\",\"device\":\"kitchen\",\"topic\":\"a/"
              "b\",\"payload_base64\":\"/w==\"},"
              "{\"id\":40,\"time\":\"2026-11-20T00:00:00.000Z\",\"reason\":\"bad_json\","
              "\"detail\":"
              "\"because\",\"device\":\"kitchen\",\"topic\":\"a/"
              "b\",\"payload_base64\":\"AAH/\"},"
              "{\"id\":0,\"time\":\"2026-11-20T00:00:00.000Z\",\"reason\":\"bad_json\","
              "\"detail\":"
              "\"because\",\"device\":\"kitchen\",\"topic\":\"a/"
              "b\",\"payload\":\"{\\\"a\\\":\\t\\\"é"
              "\\\"\"}]");
    free(text);
    json_decref(items);
    deadletter_close(d);
    deadletter_close(NULL);
}

static void test_each_letter_once(void **unused)
{
    (void)unused;
    struct deadletter *d = open_letters(1 << 20);
    add(d, 10, "x", 1, REJECT_BAD_JSON);
    add(d, 30, "x", 1, REJECT_BAD_JSON);
    add(d, 20, "x", 1, REJECT_REFUSED_BY_INFLUXDB); /* later, but from further back */
    deadletter_close(d);
    d = open_from(1 << 20, 15); /* after a crash; the cursor stood at 15 */
    add(d, 20, "x", 1, REJECT_REFUSED_BY_INFLUXDB);
    add(d, 30, "x", 1, REJECT_BAD_JSON);
    add(d, 40, "x", 1, REJECT_BAD_JSON);
    expect_list(d, -1, 10, "", "40 20 30 10 ", -1);
    expect_list(d, -1, 2, "", "40 20 ", 20);
    expect_list(d, 20, 2, "", "30 10 ", 10);
    deadletter_close(d);
}

static void test_pages_and_reasons(void **unused)
{
    (void)unused;
    struct deadletter *d = open_letters(1 << 20);
    for (int i = 1; i <= 7; i++)
        add(d, i, "x", 1, i % 2 ? REJECT_BAD_JSON : REJECT_NO_VALUES);
    expect_list(d, -1, 3, "", "7 6 5 ", 5);
    expect_list(d, 5, 3, "", "4 3 2 ", 2);
    expect_list(d, 2, 3, "", "1 ", -1);
    expect_list(d, -1, 10, "no_values", "6 4 2 ", -1);
    expect_list(d, -1, 10, "nothing", "", -1);
    expect_list(d, 99, 10, "", "", -1); /* gone, and so are those before it */
    deadletter_close(d);
}

static void test_bounded(void **unused)
{
    (void)unused;
    char payload[500], path[128];
    struct deadletter *d = open_letters(8192);
    memset(payload, 'x', sizeof payload);
    for (int i = 1; i <= 100; i++)
        add(d, i, payload, sizeof payload, REJECT_BAD_JSON);
    size_t total = 0;
    static const char *const names[] = {"deadletters.jsonl", "deadletters.1.jsonl"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        fseek(f, 0, SEEK_END);
        total += (size_t)ftell(f);
        fclose(f);
    }
    assert_true(total <= 8192);
    assert_true(total > 4096);
    expect_list(d, -1, 3, "", "100 99 98 ", 98);
    deadletter_close(d);
    d = open_from(8192, 90);
    add(d, 91, "x", 1, REJECT_BAD_JSON); /* in the older file, or gone with it */
    expect_list(d, -1, 2, "", "100 99 ", 99);
    deadletter_close(d);
}

static void test_a_line_that_a_crash_cut(void **unused)
{
    (void)unused;
    char path[128];
    struct deadletter *d = open_letters(1 << 20);
    add(d, 1, "x", 1, REJECT_BAD_JSON);
    deadletter_close(d);
    snprintf(path, sizeof path, "%s/deadletters.jsonl", dir);
    FILE *f = fopen(path, "a");
    fputs("{\"id\":2,\"time\":\"20", f);
    fclose(f);
    d = open_letters(1 << 20);
    add(d, 2, "y", 1, REJECT_BAD_JSON);
    expect_list(d, -1, 10, "", "2 1 ", -1);
    deadletter_close(d);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_text_and_bytes),          T(test_each_letter_once),
        T(test_pages_and_reasons),       T(test_bounded),
        T(test_a_line_that_a_crash_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
