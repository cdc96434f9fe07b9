/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How well what is chosen forecasts hours that it has not seen, on series that are made
 * up: always the same ones, so that the same list has the same figures. */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "common/ml/candidates.h"
#include "tests/unit/training.h"

#define SERIES 6 /* of each sort */
#define DAYS2 48
#define PERSIST 0.8 /* of the noise, from hour to hour */
#define LEVEL 20

typedef double shape(size_t hour, bool weekend);

/* Mornings and evenings, but noon and evening at a weekend. */
static double at_home(size_t hour, bool weekend)
{
    if (weekend)
        return hour >= 10 && hour < 22 ? 3 : 0;
    return (hour >= 6 && hour < 9 ? 6 : 0) + (hour >= 17 && hour < 22 ? 5 : 0);
}

/* A smooth day, of less than half the height at a weekend. */
static double at_work(size_t hour, bool weekend)
{
    return (weekend ? 2 : 5) * sin(2 * M_PI * ((double)hour - 6) / 24);
}

/* Hour i of series s without its noise; no two begin at the same hour of the week. */
static double usual(shape *of, size_t s, size_t i)
{
    size_t t = i + 31 * s;
    return LEVEL + of(t % 24, t / 24 % 7 >= 5);
}

static struct hours make(shape *of, size_t s, size_t n, double noise)
{
    struct hours h = made_series(n, 0, 0, 0, noise, PERSIST, s);
    for (size_t i = 0; i < n; i++)
        h.y[i] += usual(of, s, i);
    return h;
}

/* ---- two days ---- */

/* Mean absolute errors over the two days behind the first n hours, in units of what the
 * same hour of the day before errs within these. */
struct errors {
    double mase, seasonal_naive;
};

static void add_errors(struct errors *e, const struct hours *h, size_t n)
{
    struct hours known = hours_part(h, 0, n);
    struct train_result r = trained(&known, NULL, &opts);
    double yhat[DAYS2], q = 0;
    assert_int_equal(model_points(r.model, &known, DAYS2, yhat, NULL), 0);
    for (size_t i = 24; i < n; i++)
        q += fabs(h->y[i] - h->y[i - 24]) / (double)(n - 24);
    for (size_t k = 0; k < DAYS2; k++) {
        e->mase += fabs(h->y[n + k] - yhat[k]) / DAYS2 / q / SERIES;
        e->seasonal_naive +=
            fabs(h->y[n + k] - h->y[n - 24 + k % 24]) / DAYS2 / q / SERIES;
    }
    train_result_done(&r);
}

/* With three to six weeks known. Each limit is 5 % above what the list of 2026-11-10 has;
 * without its profiles it has 10 to 16 % more. */
static void two_days(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        shape *of;
        double noise, mase, of_seasonal_naive;
    } cases[] = {
        {"home", at_home, 0.2, 0.370, 0.275},
        {"home, noisy", at_home, 0.5, 0.585, 0.500},
        {"work", at_work, 0.2, 0.415, 0.310},
        {"work, noisy", at_work, 0.5, 0.680, 0.580},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct errors e = {0};
        for (size_t s = 1; s <= SERIES; s++) {
            size_t n = 504 + 84 * s;
            struct hours h = make(cases[i].of, s, n + DAYS2, cases[i].noise);
            add_errors(&e, &h, n);
            hours_done(&h);
        }
        double share = e.mase / e.seasonal_naive;
        if (!(e.mase < cases[i].mase && share < cases[i].of_seasonal_naive))
            fail_msg("%s: MASE %.4f, %.4f of the seasonal naive forecast's",
                     cases[i].name, e.mase, share);
    }
}

/* ---- the next hour ---- */

static const struct candidate *find(const char *name)
{
    for (size_t c = 0; c < n_candidates; c++)
        if (!strcmp(candidates[c].name, name))
            return &candidates[c];
    fail_msg("there is no %s", name);
    return NULL;
}

/* Absolute errors of the next hour, summed up over a week behind the first n hours: the
 * candidate's, fitted to these, and those of somebody who knows how the series is made.
 */
static void add_next_hours(const struct candidate *c, size_t s, size_t n, double *error,
                           double *least)
{
    struct hours h = make(at_home, s, n + 168, 0.5), known = hours_part(&h, 0, n);
    struct model *m = candidate_model(c, "x.y");
    assert_int_equal(m->algo->fit(m, &known, NULL), 0);
    for (size_t i = n; i < h.n; i++) {
        struct hours past = hours_part(&h, 0, i);
        double yhat, noise = h.y[i] - usual(at_home, s, i),
                     before = h.y[i - 1] - usual(at_home, s, i - 1);
        assert_int_equal(model_points(m, &past, 1, &yhat, NULL), 0);
        *error += fabs(h.y[i] - yhat);
        *least += fabs(noise - PERSIST * before);
    }
    model_free(m);
    hours_done(&h);
}

/* Over two days what the newest hours say does not count for much: a profile that makes
 * too little of them (a strength of 100) shows in the next hour alone, and the blend
 * hides it. */
static void next_hour(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double limit; /* in units of the least */
    } cases[] = {{"profile", 1.13}, {"profile_log", 1.14}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        double error = 0, least = 0;
        for (size_t s = 1; s <= SERIES; s++)
            add_next_hours(find(cases[i].name), s, 504, &error, &least);
        if (!(error < cases[i].limit * least))
            fail_msg("%s errs %.4f times what cannot be known", cases[i].name,
                     error / least);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_days),
        cmocka_unit_test(next_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
