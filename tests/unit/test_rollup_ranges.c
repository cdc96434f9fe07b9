/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which hours are rolled up, asked for in which queries, and told to those who read them.
 */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "common/clock.h"
#include "services/ingest/changes.h"
#include "services/ingest/hours.h"
#include "services/ingest/rollup_query.h"

static char devices_path[64], hours_path[64];
static struct ledger *ledger;
static struct hours *hours;

static struct device *device(const char *name)
{
    struct err e = ERR_INIT;
    struct device *d;
    assert_int_equal(ledger_device(ledger, name, name, true, &d, &e), REJECT_NONE);
    return d;
}

static void reopen(void)
{
    struct err e = ERR_INIT;
    hours_close(hours);
    hours = hours_open(hours_path, ledger, INT32_MIN, INT32_MAX, &e);
    if (!hours)
        fail_msg("%s", e.text);
}

static int setup(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    temp_file(devices_path, "");
    temp_file(hours_path, "");
    ledger = ledger_open(devices_path, 100000, NULL, &e);
    hours = NULL;
    reopen();
    return !ledger;
}

static int teardown(void **unused)
{
    (void)unused;
    hours_close(hours);
    ledger_close(ledger);
    unlink(devices_path);
    char bad[72];
    snprintf(bad, sizeof bad, "%s.bad", hours_path);
    unlink(bad);
    return unlink(hours_path);
}

/* "kitchen 10..12, office 5..5" of what is taken. */
static void expect_taken(int32_t last, const char *want)
{
    size_t n;
    char text[4096] = "";
    struct hour_range *r = hours_take(hours, last, &n);
    for (size_t i = 0; i < n; i++)
        sprintf(text + strlen(text), "%s%s %d..%d", i ? ", " : "", r[i].device->name,
                r[i].from, r[i].to);
    free(r);
    assert_string_equal(text, want);
}

static void test_hour_of(void **unused)
{
    (void)unused;
    assert_int_equal(hour_of(0), 0);
    assert_int_equal(hour_of(HOUR_MS - 1), 0);
    assert_int_equal(hour_of(HOUR_MS), 1);
    assert_int_equal(hour_of(-1), -1);
    assert_int_equal(hour_of(-HOUR_MS), -1);
    assert_int_equal(hour_of(-HOUR_MS - 1), -2);
}

static void test_ranges_grow_together(void **unused)
{
    (void)unused;
    struct device *k = device("kitchen"), *o = device("office");
    static const int order[] = {10, 11, 11, 14, 13, 12, 20, 22, 21, 5};
    for (size_t i = 0; i < N_OF(order); i++)
        hours_mark(hours, k, order[i], 1);
    hours_mark(hours, o, 12, 1);
    assert_int_equal(hours_count(hours), 10);
    assert_true(hours_any(hours, 5));
    assert_false(hours_any(hours, 4));
    expect_taken(12, "kitchen 5..5, kitchen 10..12, office 12..12");
    assert_int_equal(hours_count(hours), 5);
    expect_taken(100, "kitchen 13..14, kitchen 20..22");
    expect_taken(100, "");
}

static void test_a_device_with_many_holes_stays_bounded(void **unused)
{
    (void)unused;
    struct device *k = device("kitchen");
    for (int h = 0; h < 3000; h += 3)
        hours_mark(hours, k, h, 1);
    size_t n;
    struct hour_range *r = hours_take(hours, 5000, &n);
    assert_true(n <= HOURS_RANGES);
    assert_int_equal(r[0].from, 0);
    assert_int_equal(r[n - 1].to, 2997);
    int covered = 0;
    for (size_t i = 0; i < n; i++)
        for (int h = r[i].from; h <= r[i].to; h++)
            covered += h % 3 == 0;
    assert_int_equal(covered, 1000); /* none is forgotten */
    free(r);
}

static void test_marks_survive(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct device *k = device("kitchen");
    struct reading r = {0};
    assert_ok(reading_add(&r, "temperature", 1, &e), e);
    hours_mark(hours, k, 10, hours_quantities(hours, &r));
    hours_mark(hours, k, 11, 1);
    assert_ok(hours_save(hours, &e), e);
    hours_mark(hours, k, 99, 1); /* not saved */
    reopen();
    size_t n;
    struct hour_range *taken = hours_take(hours, 10, &n);
    assert_int_equal(n, 1);
    assert_true(taken[0].quantities &
                HOURS_OTHER); /* what it holds is not known any more */
    reopen();                 /* killed before it was done */
    free(taken);
    expect_taken(50, "kitchen 10..11");
    assert_ok(hours_settle(hours, &e), e);
    reopen();
    expect_taken(1000, "");
    hours_mark(hours, k, 12, 1);
    taken = hours_take(hours, 12, &n);
    assert_int_equal(n, 1);
    assert_false(taken[0].quantities & HOURS_OTHER);
    hours_give_back(hours, taken, n);
    free(taken);
    expect_taken(12, "kitchen 12..12");
    FILE *f = fopen(hours_path, "a");
    fputs("kitchen 7 8\nnobody 1 2\nkitchen 9 3\nkitchen 30 3", f);
    fclose(f);
    reopen();
    expect_taken(1000, "kitchen 7..8"); /* the others are no marks */
}

static void test_many_quantities(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    for (int i = 0; i < 70; i++) {
        struct reading r = {0};
        char name[32];
        snprintf(name, sizeof name, "stem_%d", i);
        assert_ok(reading_add(&r, name, 1, &e), e);
        assert_true(hours_quantities(hours, &r) ==
                    (i < HOURS_NAMES ? UINT64_C(1) << i : HOURS_OTHER));
    }
    assert_string_equal(hours_name(hours, 5), "stem_5");
    assert_null(hours_name(hours, HOURS_NAMES));
}

static void test_pieces_and_chunks(void **unused)
{
    (void)unused;
    struct device *k = device("kitchen"), *o = device("office");
    struct hour_range r[] = {{k, 40, 150, 1}, {o, 40, 150, 1}, {o, -50, -47, 1}};
    size_t n;
    struct hour_range *p = rollup_pieces(r, 3, &n);
    /* blocks end at -49, 47, 95, 143, 191 */
    static const int want[][2] = {{-50, -49}, {-48, -47}, {40, 47},  {40, 47},
                                  {48, 95},   {48, 95},   {96, 143}, {96, 143},
                                  {144, 150}, {144, 150}};
    assert_int_equal(n, N_OF(want));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(p[i].from, want[i][0]);
        assert_int_equal(p[i].to, want[i][1]);
        assert_true(p[i].to - p[i].from < ROLLUP_HOURS);
    }
    assert_int_equal(rollup_chunk(p, n, 100), 1);
    assert_int_equal(rollup_chunk(p + 2, n - 2, 100), 2);
    assert_int_equal(rollup_chunk(p + 2, n - 2, 1), 1);
    free(p);
}

static void expect_query(const struct hour_range *r, size_t n, const char *want)
{
    const char *names[] = {"co2", "temperature_1"};
    struct buf q;
    buf_init(&q, 4096);
    rollup_query(&q, rollup_way(r), r, n, names, 2);
    assert_string_equal(q.data, want);
    buf_done(&q);
}

static void test_query(void **unused)
{
    (void)unused;
    struct hour_range r[] = {{device("kitchen"), 1, 2, 1}, {device("office"), 1, 2, 1}};
    expect_query(
        r, 2,
        "SELECT mean(\"co2\") AS \"co2\", min(\"co2\") AS \"co2_min\", max(\"co2\") AS "
        "\"co2_max\", count(\"co2\") AS \"co2_n\", mean(\"temperature_1\") AS "
        "\"temperature_1\", "
        "min(\"temperature_1\") AS \"temperature_1_min\", max(\"temperature_1\") AS "
        "\"temperature_1_max\", count(\"temperature_1\") AS \"temperature_1_n\" FROM "
        "\"readings\" WHERE \"quality\" > 0 AND time >= 3600000ms AND time < 10800000ms "
        "AND "
        "\"device\" =~ /^(kitchen|office)$/ GROUP BY time(1h), \"device\" fill(none)");
    r[0].to = 1;
    expect_query(
        r, 1,
        "SELECT \"quality\", \"co2\", \"temperature_1\" FROM \"readings\" WHERE time >= "
        "3600000ms AND time < 7200000ms AND \"device\" =~ /^(kitchen)$/ GROUP BY "
        "\"device\"");
}

static void expect_lines(int32_t to, const char *answer, size_t want_rows,
                         const char *want)
{
    struct hour_range p = {NULL, 1, to, 1};
    json_t *series = json_loads(answer, 0, NULL);
    size_t rows;
    struct buf b;
    buf_init(&b, 4096);
    buf_adds(&b, "");
    rollup_lines(&b, rollup_way(&p), &p, series, NULL, &rows);
    assert_string_equal(b.data, want);
    assert_int_equal(rows, want_rows);
    json_decref(series);
    buf_done(&b);
}

static void test_lines(void **unused)
{
    (void)unused;
    /* aggregates: an hour without a value is no line */
    expect_lines(
        2,
        "[{\"name\":\"readings\",\"tags\":{\"device\":\"kitchen\"},"
        "\"columns\":[\"time\",\"co2\",\"co2_min\",\"co2_max\",\"co2_n\",\"rain_n\"],"
        "\"values\":[[3600000,600.5,590,611,12,0],[7200000,null,null,null,0,0]]}]",
        2, "hourly,device=kitchen co2=600.5,co2_min=590,co2_max=611,co2_n=12 3600000\n");
    /* readings: quality 0 and unknown stay out, as does what was not measured */
    expect_lines(
        1,
        "[{\"tags\":{\"device\":\"kitchen\"},\"columns\":[\"time\",\"quality\",\"co2\","
        "\"rain\"],\"values\":[[3600001,1,600,null],[3600002,0,9,9],[3600003,null,9,9],"
        "[3600004,1,603,null],[3600005,1,null,null]]},{\"tags\":{\"device\":\"office\"},"
        "\"columns\":[\"time\",\"quality\",\"co2\",\"rain\"],\"values\":[[3600001,0,1,1]]"
        "}]",
        6, "hourly,device=kitchen co2=601.5,co2_min=600,co2_max=603,co2_n=2 3600000\n");
    expect_lines(1, "[]", 0, "");
    expect_lines(1, "[{\"columns\":[],\"values\":[[]]},{\"tags\":{\"device\":\"x\"}}]", 1,
                 "");
}

/* Readings of long ago are deleted: `hourly` keeps what it has of more of them. */
static void test_kept_lines(void **unused)
{
    (void)unused;
    struct hour_range p = {device("kitchen"), 1, 2, 1};
    const char *const names[] = {"co2", "rain"};
    size_t rows;
    struct buf b;
    buf_init(&b, 4096);
    rollup_kept_query(&b, &p, 1, names, 2);
    assert_string_equal(b.data,
                        "SELECT \"co2_n\", \"rain_n\" FROM \"hourly\" WHERE time >= "
                        "3600000ms AND time < 10800000ms AND \"device\" =~ "
                        "/^(kitchen)$/ GROUP BY \"device\"");
    json_t *there =
        json_loads("[{\"tags\":{\"device\":\"kitchen\"},\"columns\":[\"time\",\"co2_n\","
                   "\"rain_n\"],\"values\":[[3600000,60,null],[7200000,2,9]]}]",
                   0, NULL);
    json_t *kept = rollup_kept(there);
    static const struct {
        int32_t to;
        const char *answer, *want;
    } table[] = {
        {2,
         "[{\"tags\":{\"device\":\"kitchen\"},\"columns\":[\"time\",\"co2\",\"co2_min\","
         "\"co2_max\",\"co2_n\",\"rain\",\"rain_min\",\"rain_max\",\"rain_n\"],"
         "\"values\":"
         "[[3600000,7,7,7,1,3,3,3,1],[7200000,5,4,6,2,1,1,1,8]]}]",
         "hourly,device=kitchen rain=3,rain_min=3,rain_max=3,rain_n=1 3600000\n"
         "hourly,device=kitchen co2=5,co2_min=4,co2_max=6,co2_n=2 7200000\n"},
        {1,
         "[{\"tags\":{\"device\":\"kitchen\"},\"columns\":[\"time\",\"quality\",\"co2\","
         "\"rain\"],\"values\":[[3600001,1,600,3]]}]",
         "hourly,device=kitchen rain=3,rain_min=3,rain_max=3,rain_n=1 3600000\n"},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        json_t *series = json_loads(table[i].answer, 0, NULL);
        p.to = table[i].to;
        buf_reset(&b);
        rollup_lines(&b, rollup_way(&p), &p, series, kept, &rows);
        assert_string_equal(b.data, table[i].want);
        json_decref(series);
    }
    json_decref(kept);
    json_decref(there);
    buf_done(&b);
}

/* ---- what readers follow
 * ------------------------------------------------------------------- */

static char *since(struct changes *c, const char *after)
{
    struct err e = ERR_INIT;
    json_t *j = changes_since(c, after, &e);
    char *text = j ? json_dumps(j, JSON_COMPACT) : strdup(e.text);
    json_decref(j);
    return text;
}

static void expect_since(struct changes *c, const char *after, const char *want)
{
    char *text = since(c, after);
    assert_string_equal(text, want);
    free(text);
}

static void test_changes(void **unused)
{
    (void)unused;
    struct changes *c = changes_new(0xabc);
    struct hour_range r = {device("kitchen"), 1, 2, 1};
#define HEAD "{\"epoch\":\"0000000000000abc\",\"cursor\":"
    expect_since(c, NULL, HEAD "0,\"reset\":true,\"rolled_up\":null,\"items\":[]}");
    expect_since(c, "0000000000000abc:0",
                 HEAD "0,\"reset\":false,\"rolled_up\":null,\"items\":[]}");
    changes_add(c, &r, 1);
    changes_rolled_up(c, 2 * HOUR_MS);
    expect_since(
        c, "0000000000000abc:0",
        HEAD "1,\"reset\":false,\"rolled_up\":\"1970-01-01T02:00:00.000Z\",\"items\":[{"
             "\"device\":\"kitchen\",\"from_ms\":3600000,\"to_ms\":7200000}]}");
    expect_since(
        c, "0000000000000abc:1",
        HEAD
        "1,\"reset\":false,\"rolled_up\":\"1970-01-01T02:00:00.000Z\",\"items\":[]}");
    static const char *const elsewhere[] = {"0000000000000abd:1", "0000000000000abc:2",
                                            "abc:0"};
    for (size_t i = 0; i < N_OF(elsewhere); i++)
        expect_since(c, elsewhere[i],
                     HEAD "1,\"reset\":true,\"rolled_up\":\"1970-01-01T02:00:00.000Z\","
                          "\"items\":[]}");
    expect_since(c, "junk",
                 "after must be \"epoch:cursor\" of an earlier answer, not \"junk\"");
    expect_since(c, "abc:-1",
                 "after must be \"epoch:cursor\" of an earlier answer, not \"abc:-1\"");
    for (int i = 0; i < CHANGES_MAX; i++)
        changes_add(c, &r, 1);
    char *text = since(c, "0000000000000abc:0"); /* overtaken */
    assert_non_null(strstr(text, "\"reset\":true"));
    free(text);
    text = since(c, "0000000000000abc:131072");
    assert_non_null(strstr(text, "\"cursor\":131073,\"reset\":false"));
    free(text);
    changes_free(c);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_hour_of),         T(test_ranges_grow_together),
        T(test_marks_survive),   T(test_a_device_with_many_holes_stays_bounded),
        T(test_many_quantities), T(test_pieces_and_chunks),
        T(test_query),           T(test_lines),
        T(test_kept_lines),      T(test_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
