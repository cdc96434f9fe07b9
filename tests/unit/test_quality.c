/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Misreads: on made-up readings, and on a day of three real sensor arrays if it is there.
 */
#include "tests/unit/unit.h"

#include <math.h>
#include <zlib.h>

#include "services/ingest/quality.h"

#define DAY_FILE "../shared/data/iot-telemetry/telemetry-2020-07-13.csv.gz"

static struct quality *q;
static int64_t restored[QUALITY_SUSTAIN];
static int n_restored;

static int setup(void **unused)
{
    (void)unused;
    q = NULL;
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    quality_free(q);
    return 0;
}

static bool judge(double temperature, double humidity, int64_t t_s)
{
    struct reading r = {0};
    struct err e = ERR_INIT;
    if (!isnan(temperature))
        assert_ok(reading_add(&r, "temperature", temperature, &e), e);
    if (!isnan(humidity))
        assert_ok(reading_add(&r, "humidity", humidity, &e), e);
    return quality_judge(&q, &r, t_s * 1000, restored, &n_restored);
}

static void test_a_jump_that_does_not_stay(void **unused)
{
    (void)unused;
    for (int i = 0; i < 5; i++)
        assert_true(judge(19 + 0.1 * i, 74, i * 5));
    assert_false(judge(6.5, 74, 25));   /* temperature alone */
    assert_false(judge(19.3, 8.5, 30)); /* humidity alone */
    assert_true(judge(19.3, 74, 35));
    assert_int_equal(n_restored, 0);
    assert_false(judge(6.5, 74, 40)); /* again: not in a row */
    assert_true(judge(19.3, 74, 45));
    assert_true(judge(24.2, 74, 50)); /* just within a step */
}

static void test_a_jump_that_stays_is_taken_back(void **unused)
{
    (void)unused;
    for (int i = 0; i < 5; i++)
        assert_true(judge(19, 50, i * 5));
    assert_false(judge(30, 50, 25));
    assert_false(judge(31, 50, 30));
    assert_int_equal(n_restored, 0);
    assert_true(judge(30.5, 50, 35)); /* the third says so */
    assert_int_equal(n_restored, 2);
    assert_int_equal(restored[0], 25000);
    assert_int_equal(restored[1], 30000);
    assert_true(judge(30.4, 50, 40));
    assert_int_equal(n_restored, 0);
    assert_false(judge(19, 50, 45)); /* and this is the jump now */
}

static void test_held_for_two_reasons(void **unused)
{
    (void)unused;
    for (int i = 0; i < 5; i++)
        assert_true(judge(19, 50, i * 5));
    assert_false(judge(30, 8, 25)); /* temperature will stay, humidity will not */
    assert_false(judge(30, 50, 30));
    assert_true(judge(30, 50, 35));
    assert_int_equal(n_restored, 1);
    assert_int_equal(restored[0], 30000);
}

static void test_what_is_not_judged(void **unused)
{
    (void)unused;
    for (int i = 0; i < 5; i++)
        assert_true(judge(19, NAN, 1000 + i * 5));
    assert_true(judge(30, NAN, 1020 + QUALITY_GAP_MS / 1000 + 1)); /* after a pause */
    assert_true(judge(5, NAN, 500));                               /* late */
    struct reading gas = {0};
    struct err e = ERR_INIT;
    assert_ok(reading_add(&gas, "co", 1, &e), e);
    assert_true(quality_judge(&q, &gas, 2000000, restored, &n_restored));
    gas.values[0].value = 5000; /* gases do jump */
    assert_true(quality_judge(&q, &gas, 2001000, restored, &n_restored));
}

static void test_ghosts_and_poor(void **unused)
{
    (void)unused;
    assert_false(judge(1, 1, 0)); /* the first reading of all, and yet */
    assert_false(judge(0, 1, 1));
    assert_false(judge(0, 2, 2));
    assert_true(judge(0, 80, 3)); /* a cold day */
    struct reading r = {.poor = true};
    struct err e = ERR_INIT;
    assert_ok(reading_add(&r, "temperature", 1, &e), e);
    assert_false(quality_judge(&q, &r, 4000, restored, &n_restored));
}

static void test_more_quantities_than_are_watched(void **unused)
{
    (void)unused;
    struct reading r = {0};
    struct err e = ERR_INIT;
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "temperature_%d", i);
        assert_ok(reading_add(&r, name, 20, &e), e);
    }
    assert_true(quality_judge(&q, &r, 1000, restored, &n_restored));
    r.values[19].value = 90; /* beyond QUALITY_TRACKS */
    assert_true(quality_judge(&q, &r, 2000, restored, &n_restored));
    r.values[3].value = 90;
    assert_false(quality_judge(&q, &r, 3000, restored, &n_restored));
}

/* ---- the real day
 * ------------------------------------------------------------------------ */

struct real {
    char device[32];
    struct quality *q;
    double temperature, humidity; /* the last good ones */
};

/* The 37 rows that the set's own description counts, and what else may be found: a bit of
 * the frame read wrong, 32 tenths or more at once (6.4 °C, 51.2 %). */
static bool described(double temperature, double humidity)
{
    return temperature < 14 || humidity < 20;
}

struct row {
    double ts, temperature, humidity;
    char device[32];
};

static bool next_row(gzFile f, struct row *r)
{
    char line[300];
    while (gzgets(f, line, sizeof line))
        if (sscanf(line, "%lf,%31[^,],%*f,%lf,%*[^,],%*f,%*[^,],%*f,%lf", &r->ts,
                   r->device, &r->humidity, &r->temperature) == 4)
            return true;
    return false;
}

static bool judge_row(struct real *d, const struct row *r)
{
    q = d->q;
    struct reading reading = {0};
    struct err e = ERR_INIT;
    assert_ok(reading_add(&reading, "humidity", r->humidity, &e), e);
    assert_ok(reading_add(&reading, "temperature", r->temperature, &e), e);
    bool good =
        quality_judge(&q, &reading, (int64_t)(r->ts * 1000), restored, &n_restored);
    assert_int_equal(n_restored, 0); /* no misread of that day lasts */
    d->q = q;
    q = NULL;
    return good;
}

static void test_a_real_day(void **unused)
{
    (void)unused;
    gzFile f = gzopen(DAY_FILE, "r");
    if (!f) {
        print_message("the real day " DAY_FILE " is not here\n");
        skip();
    }
    struct real dev[3] = {0};
    int n_dev = 0, rows = 0, found = 0, missed = 0, more = 0;
    for (struct row r; next_row(f, &r); rows++) {
        int i = 0;
        while (i < n_dev && strcmp(dev[i].device, r.device))
            i++;
        assert_true(i < 3);
        struct real *d = &dev[i];
        if (i == n_dev)
            strcpy(dev[n_dev++].device, r.device);
        bool good = judge_row(d, &r), glitch = described(r.temperature, r.humidity);
        found += glitch && !good;
        missed += glitch && good;
        more += !glitch && !good;
        if (!glitch && !good)
            assert_true(fabs(r.temperature - d->temperature) > 6.3 ||
                        fabs(r.humidity - d->humidity) > 51);
        if (good) {
            d->temperature = r.temperature;
            d->humidity = r.humidity;
        }
    }
    gzclose(f);
    for (int i = 0; i < n_dev; i++)
        quality_free(dev[i].q);
    assert_int_equal(rows, 50270);
    assert_int_equal(found, 37);
    assert_int_equal(missed, 0);
    assert_int_equal(more, 6);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_a_jump_that_does_not_stay),
        T(test_a_jump_that_stays_is_taken_back),
        T(test_held_for_two_reasons),
        T(test_what_is_not_judged),
        T(test_ghosts_and_poor),
        T(test_more_quantities_than_are_watched),
        T(test_a_real_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
