/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much better somebody has to be to be chosen: on both sides of each limit of
 * docs/forecasting.md. */
#include "tests/unit/unit.h"

#include "common/ml/algos.h"
#include "common/ml/choice.h"
#include "tests/unit/near.h"

#define N 3
#define HOURS 200

/* The first two are equally simple, the third is not. */
static const struct candidate list[N] = {
    {.name = "a", .algo = &algo_ridge},
    {.name = "b", .algo = &algo_ridge},
    {.name = "c", .algo = &algo_direct},
};

/* Backtests that were never made: of a series of zeros, candidate c is off by error[c]
 * everywhere. */
struct made {
    double y[HOURS];
    struct hours h;
    struct truth t;
    struct choice ch;
    struct pick p;
};

static void make(struct made *m, const double *error, bool blends)
{
    double yhat[24];
    *m = (struct made){.h = {.n = HOURS}};
    m->h.y = m->y;
    m->t = (struct truth){&m->h, m->y};
    m->ch = (struct choice){.list = list, .n = N, .plan = {50, 5, 20, N_OF(yhat)}};
    for (size_t c = 0; c < N; c++) {
        m->ch.tried[c] = true;
        backtest_begin(&m->ch.bt[c], &m->ch.plan);
        for (size_t k = 0; k < N_OF(yhat); k++)
            yhat[k] = error[c];
        for (size_t i = 0; i < m->ch.plan.n; i++)
            backtest_put(&m->ch.bt[c], &m->t, TRANSFORM_NONE, i, yhat);
    }
    pick_make(&m->p, &m->ch, &m->t, HOURS, blends);
}

static void done(struct made *m)
{
    pick_done(&m->p);
    choice_done(&m->ch);
}

/* A simpler one goes before what is better by 0.5 % and no more. */
static void the_simpler_one(void **state)
{
    (void)state;
    static const struct {
        double error[N];
        int best;
    } cases[] = {
        {{1.0049, 1.2, 1}, 0}, /* simpler by its algorithm */
        {{1.0051, 1.2, 1}, 2},
        {{1.0049, 1, 1.2}, 0}, /* by its place in the list */
        {{1.0051, 1, 1.2}, 1},
        {{1.008, 1.004, 1}, 1}, /* near the best, not near the next */
        {{1, 1, 1}, 0},
        {{1, 0.9, 0.9}, 1},
    };
    static const bool used[N] = {true, true, true};
    assert_true(algo_ridge.complexity < algo_direct.complexity);
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct made m;
        make(&m, cases[i].error, false);
        assert_int_equal(m.p.best, cases[i].best);
        assert_int_equal(choice_simplest(list, N, used, cases[i].error), cases[i].best);
        done(&m);
    }
}

/* By how much the best is better than the blend, worked out anew: each weighs the eighth
 * power of its error, whatever the lead, as it errs the same at all. */
static double ahead_of_blend(const double *error)
{
    double sum = 0, weights = 0;
    for (size_t c = 0; c < N; c++) {
        sum += error[c] * pow(error[c], -8);
        weights += pow(error[c], -8);
    }
    return 1 - error[0] / (sum / weights);
}

/* A single one goes before the blend where it is better by more than 5 %. */
static void before_the_blend(void **state)
{
    (void)state;
    static const struct {
        double error[N], ahead;
        bool single;
    } cases[] = {{{1, 1.11, 1.11}, 0.0486, false}, {{1, 1.12, 1.12}, 0.0509, true}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct made m;
        double ahead = ahead_of_blend(cases[i].error);
        assert_near(ahead, cases[i].ahead, 0.0001);
        make(&m, cases[i].error, true);
        assert_true(m.p.used[N]);
        assert_near(1 - m.p.mean[0] / m.p.mean[N], ahead, 1e-9);
        assert_int_equal(m.p.best, cases[i].single ? 0 : N);
        done(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_simpler_one),
        cmocka_unit_test(before_the_blend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
