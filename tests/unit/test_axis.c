/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where ticks go. */
#include "tests/unit/unit.h"

#include <math.h>

#include "tools/axis.h"

#define DAY 86400.0
#define T0 1795132800.0 /* 2026-11-20T00:00:00Z, a Friday */

static const char *labels(const struct axis *a)
{
    static char out[AXIS_TICKS_MAX * AXIS_LABEL_SIZE];
    *out = '\0';
    for (size_t i = 0; i < a->n; i++)
        snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s", i ? " " : "",
                 a->label[i]);
    return out;
}

static void values(void **state)
{
    (void)state;
    static const struct {
        double low, high;
        size_t most;
        const char *want;
    } cases[] = {
        {0, 1, 6, "0.0 0.2 0.4 0.6 0.8 1.0"},
        {0, 1, 5, "0.0 0.5 1.0"},
        {17.3, 24.9, 8, "18 19 20 21 22 23 24"},
        {-0.7, 0.7, 4, "-0.5 0.0 0.5"},
        {-3, 97, 5, "0 20 40 60 80"},
        {1010.2, 1016.4, 4, "1012 1014 1016"},
        {0.00012, 0.00038, 4, "0.0002 0.0003"},
        {1e9, 3e9, 4, "1000000000 2000000000 3000000000"},
        {0, 1e-7, 3, "0 5e-08 1e-07"},
    };
    struct axis a;
    for (size_t i = 0; i < N_OF(cases); i++) {
        axis_values(cases[i].low, cases[i].high, cases[i].most, &a);
        assert_string_equal(labels(&a), cases[i].want);
        assert_true(a.n <= cases[i].most);
    }
    static const double odd[][2] = {{1, 1}, {2, 1}, {NAN, 1}, {0, INFINITY}};
    for (size_t i = 0; i < N_OF(odd); i++) {
        axis_values(odd[i][0], odd[i][1], 5, &a);
        assert_int_equal(a.n, 0);
    }
    axis_values(1e17, 1e17 + 64, 5, &a); /* ends, whatever a double can tell apart */
    axis_values(-1e100, 1e100, 1000, &a);
    assert_true(a.n > 2 && a.n <= AXIS_TICKS_MAX);
}

static void times(void **state)
{
    (void)state;
    static const struct {
        double from, to;
        size_t most;
        const char *want;
    } cases[] = {
        {T0 - 3600, T0 + 7200, 8, "23:00 20 Nov 01:00 02:00"},
        {T0 + 1800, T0 + DAY, 9, "03:00 06:00 09:00 12:00 15:00 18:00 21:00 21 Nov"},
        {T0 - 3 * DAY, T0 + DAY, 9,
         "17 Nov 12:00 18 Nov 12:00 19 Nov 12:00 20 Nov 12:00 "
         "21 Nov"},
        {T0 - 7 * DAY, T0 + 2 * DAY, 12,
         "13 Nov 14 Nov 15 Nov 16 Nov 17 Nov 18 Nov 19 Nov 20 Nov 21 Nov 22 Nov"},
        {T0 - 20 * DAY, T0, 5, "2 Nov 9 Nov 16 Nov"}, /* Mondays */
        {T0 - 200 * DAY, T0, 8, "Jun 2026 Jul 2026 Aug 2026 Sep 2026 Oct 2026 Nov 2026"},
        {T0 - 400 * DAY, T0, 5, "Jan 2026 May 2026 Sep 2026"},
    };
    struct axis a;
    for (size_t i = 0; i < N_OF(cases); i++) {
        axis_times(cases[i].from, cases[i].to, cases[i].most, &a);
        assert_string_equal(labels(&a), cases[i].want);
    }
    axis_times(T0, T0, 5, &a);
    assert_int_equal(a.n, 0);
    axis_times(0, 253402300799.0, 5, &a); /* 8000 years */
    assert_true(a.n <= 5);
}

static void hours(void **state)
{
    (void)state;
    struct axis a;
    axis_hours(-168, 48, 12, &a);
    assert_string_equal(labels(&a), "-168 -144 -120 -96 -72 -48 -24 0 24 48");
    axis_hours(0, 48.5, 9, &a);
    assert_string_equal(labels(&a), "0 6 12 18 24 30 36 42 48");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(times),
        cmocka_unit_test(hours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
