/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/lagged.h"
#include "tests/unit/series.h"

#include "tests/unit/near.h"

#define MOST 60
#define STRIDE 3

static double product(const double *y, double level, size_t first, size_t last, size_t a,
                      size_t b)
{
    double s = 0;
    for (size_t t = first; t <= last; t++)
        s += (y[t - a] - level) * (y[t - b] - level);
    return s;
}

static double sum(const double *y, double level, size_t first, size_t last, size_t a)
{
    double s = 0;
    for (size_t t = first; t <= last; t++)
        s += y[t - a] - level;
    return s;
}

/* Against the sums one by one, up to several hours. */
static void sums(void **state)
{
    (void)state;
    enum { N = 6 };
    static const size_t back[N] = {2, 24, 1, LAGGED_NONE, 60, 0};
    struct hours h = series(700, 3);
    struct lagged *l = lagged_make(h.y, h.n, MOST);
    double s[N * STRIDE], p[N * N * STRIDE], level = lagged_level(l);
    assert_int_equal(lagged_n(l), h.n);
    for (size_t t = MOST; t < h.n; t += 80) {
        lagged_sums(l, t + 1, MOST, back, N, STRIDE, s, p);
        for (size_t i = 0; i < N; i++) {
            bool gone = back[i] == LAGGED_NONE;
            assert_near(s[i * STRIDE], gone ? 0 : sum(h.y, level, MOST, t, back[i]),
                        1e-9);
            for (size_t j = i; j < N; j++)
                assert_near(p[(i * N + j) * STRIDE],
                            gone || back[j] == LAGGED_NONE
                                ? 0
                                : product(h.y, level, MOST, t, back[i], back[j]),
                            1e-8);
        }
    }
    lagged_free(l);
    hours_done(&h);
}

/* How many of h's values are taken. */
static size_t taken(const struct hours *h)
{
    struct lagged *l = lagged_make(h->y, h->n, MOST);
    size_t n = lagged_n(l);
    lagged_free(l);
    return n;
}

/* What would take the digits of all others is refused, wherever it is. */
static void far_off(void **state)
{
    (void)state;
    struct hours h = series(400, 4);
    assert_int_equal(taken(&h), 400);
    h.y[300] = 2e4; /* a glitch as sensors have them */
    assert_int_equal(taken(&h), 400);
    h.y[300] = -1e6;
    assert_int_equal(taken(&h), 300);
    h.y[0] = 1e6;
    assert_int_equal(taken(&h), 0);
    for (size_t t = 0; t < h.n; t++)
        h.y[t] = 5;
    assert_int_equal(taken(&h), 400);
    h.y[100] = 5.5; /* nothing says yet how far is far */
    assert_int_equal(taken(&h), 100);
    h.y[50] = NAN;
    assert_int_equal(taken(&h), 50);
    h.n = LAGGED_LEAST - 1;
    assert_int_equal(taken(&h), 0);
    hours_done(&h);
    lagged_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums),
        cmocka_unit_test(far_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
