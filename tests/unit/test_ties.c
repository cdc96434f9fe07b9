/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <math.h>

#include "common/ml/ties.h"
#include "tests/unit/near.h"

#define N 300
#define SERIES 4

/* A number from 0 to 1 that looks random. */
static double noise(size_t i, unsigned seed)
{
    uint32_t x = (uint32_t)i * 2654435761u + seed * 40503u;
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    return x / 4294967295.0;
}

static struct hours h[SERIES];

static struct ties_asked ask(size_t n, bool quick)
{
    static const char *const names[SERIES] = {"co", "lpg", "smoke", "temp"};
    struct ties_asked a = {.n = n, .quick = quick};
    for (size_t i = 0; i < n; i++) {
        a.name[i] = names[i];
        a.hours[i] = &h[i];
    }
    return a;
}

static int make(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    for (size_t s = 0; s < SERIES; s++) {
        assert_ok(hours_init(&h[s], 3600 * 500000, N, &e), e);
        for (size_t i = 0; i < N; i++)
            h[s].y[i] = 1 + 4 * noise(i, (unsigned)s + 1);
    }
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    for (size_t s = 0; s < SERIES; s++)
        hours_done(&h[s]);
    return 0;
}

static const char *text(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static double real(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

static json_t *find(size_t n, bool quick, size_t expected)
{
    const struct ties_asked a = ask(n, quick);
    json_t *all = ties_find(&a);
    if (json_array_size(all) != expected)
        fail_msg("%s", json_dumps(all, 0));
    return all;
}

/* Gases that a sensor makes of one resistance. */
static void powers(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++) {
        h[1].y[i] = 3 * pow(h[0].y[i], 0.7);
        h[2].y[i] = 0.5 * pow(h[0].y[i], 1.25);
    }
    json_t *all = find(4, true, 2), *one = json_array_get(all, 1);
    assert_string_equal(text(json_array_get(all, 0), "series"), "lpg");
    assert_string_equal(text(one, "text"), "ln smoke = -0.6931 + 1.25 × ln co");
    assert_string_equal(text(one, "series"), "smoke");
    assert_true(json_is_true(json_object_get(one, "exact")));
    assert_true(json_is_true(json_object_get(one, "logarithms")));
    assert_near(real(one, "r2"), 1, 1e-12);
    assert_near(real(one, "offset"), log(0.5), 1e-9);
    json_t *of = json_object_get(one, "of");
    assert_int_equal(json_array_size(of), 1);
    assert_string_equal(text(json_array_get(of, 0), "name"), "co");
    assert_near(real(json_array_get(of, 0), "weight"), 1.25, 1e-9);
    json_decref(all);
}

/* The mean of an hour's powers is not the power of its mean: nearly, on the scale on
 * which it is nearer, and each of the later ones once. */
static void powers_of_readings(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++) {
        double mean[3] = {0}, level = h[0].y[i];
        for (unsigned k = 0; k < 12; k++) {
            double co = level * (0.3 + 1.4 * noise(12 * i + k, 9));
            mean[0] += co / 12;
            mean[1] += 3 * pow(co, 0.7) / 12;
            mean[2] += 0.5 * pow(co, 2.5) / 12;
        }
        for (size_t s = 0; s < 3; s++)
            h[s].y[i] = mean[s];
    }
    json_t *all = find(4, true, 2), *one = json_array_get(all, 0);
    assert_non_null(strstr(
        text(one, "text"),
        "ln lpg is nearly a function of the others, above all of ln co (R² 0.999"));
    assert_true(json_is_false(json_object_get(one, "exact")));
    assert_true(json_is_null(json_object_get(one, "offset")));
    assert_true(real(one, "r2") > TIES_NEARLY && real(one, "r2") < 1);
    assert_string_equal(text(json_array_get(all, 1), "series"), "smoke");
    json_decref(all);
}

/* A sum goes with neither of its parts alone: only a thorough look finds it. */
static void a_sum(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++)
        h[2].y[i] = 5 + 2 * h[0].y[i] - h[1].y[i];
    for (size_t i = 0; i < N; i += 7)
        h[1].y[i] = NAN;
    json_t *all = find(4, false, 1);
    assert_string_equal(text(json_array_get(all, 0), "text"),
                        "smoke = 5 + 2 × co - 1 × lpg");
    json_decref(all);
    json_decref(find(4, true, 0)); /* 2 × co is 0.89 of it */
}

static void nothing(void **state)
{
    (void)state;
    json_decref(find(0, false, 0));
    json_decref(find(1, false, 0));
    json_decref(find(4, false, 0));
    for (size_t i = 0; i < N; i++)
        h[1].y[i] = 20 - (h[0].y[i] = 7); /* neither says anything of the other */
    json_decref(find(4, false, 0));
    for (size_t i = 0; i < N; i++) {
        h[0].y[i] = h[1].y[i] = h[2].y[i] = noise(i, 1) * 1e200;
        h[3].y[i] = NAN;
    }
    json_decref(find(4, false, 0));
}

/* A short one, or one of another time, does not stand in the way of the others; and of a
 * few hours anything is a function of anything. */
static void of_other_hours(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++) {
        h[2].y[i] = 10 - h[1].y[i];
        h[0].y[i] = i < 34 ? h[0].y[i] : NAN;
    }
    h[3].start_s += 3600 * 5000;
    json_t *all = find(4, false, 1);
    assert_string_equal(text(json_array_get(all, 0), "text"), "smoke = 10 - 1 × lpg");
    json_decref(all);

    h[2].start_s += 3600 * 10;
    for (size_t i = 0; i + 10 < N; i++)
        h[2].y[i] = 10 - h[1].y[i + 10];
    json_decref(find(4, false, 1));
    for (size_t s = 0; s < SERIES; s++)
        h[s].n = 23;
    h[3].start_s = h[2].start_s = h[0].start_s;
    json_decref(find(4, false, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(powers, make, unmake),
        cmocka_unit_test_setup_teardown(powers_of_readings, make, unmake),
        cmocka_unit_test_setup_teardown(a_sum, make, unmake),
        cmocka_unit_test_setup_teardown(nothing, make, unmake),
        cmocka_unit_test_setup_teardown(of_other_hours, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
