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

static void test_again_in_the_older_file(void **unused)
{
    (void)unused;
    char payload[500];
    struct deadletter *d = open_letters(8192);
    memset(payload, 'x', sizeof payload);
    for (int i = 1; i <= 100; i++)
        add(d, i, payload, sizeof payload, REJECT_BAD_JSON);
    expect_list(d, -1, 3, "", "100 99 98 ", 98);
    deadletter_close(d);
    d = open_from(8192, 90);
    add(d, 91, "x", 1, REJECT_BAD_JSON);
    expect_list(d, -1, 2, "", "100 99 ", 99);
    deadletter_close(d);
}

static void test_no_folder(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    assert_null(deadletter_open("/nowhere", 8192, 0, &e));
    assert_string_equal(
        e.text, "could not open /nowhere/deadletters.jsonl: No such file or directory");
    deadletter_close(NULL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_each_letter_once),
        T(test_pages_and_reasons),
        T(test_again_in_the_older_file),
        cmocka_unit_test(test_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
