/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The numbers with which a training asks the gate are those of docs/forecasting.md: they
 * stand in its evidence. */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "common/ml/algos.h"
#include "tests/unit/near.h"
#include "tests/unit/training.h"

/* What the gate was told, or was asked in vain (NaN: null). */
static void assert_gate(const struct train_result *r, double margin, double least,
                        int draws)
{
    const json_t *g = json_object_get(r->evidence, "gate");
    const json_t *m = json_object_get(g, "margin");
    assert_true(isnan(margin) ? json_is_null(m)
                              : fabs(json_number_value(m) - margin) < 1e-15);
    assert_near(json_number_value(json_object_get(g, "least")), least, 0);
    assert_near(json_number_value(json_object_get(g, "confidence")), 0.95, 0);
    assert_int_equal(json_integer_value(json_object_get(g, "draws")), draws);
    assert_int_equal(json_integer_value(json_object_get(g, "block")) *
                         json_integer_value(json_object_get(r->evidence, "holdout_step")),
                     24); /* hours */
}

/* 1 %, blocks of 24 hours, 2,000 draws, 95 %; 10 % where nothing can be drawn. */
static void challenger(void **state)
{
    (void)state;
    static const struct {
        size_t hours;
        double margin;
        int draws;
    } cases[] = {{1344, 0.01, 2000}, {400, 0.01, 2000}, {150, 0.1, 0}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct hours h = made_series(cases[i].hours, 50, 5, 0, 0.5, 0.7, 10);
        struct train_result first = trained(&h, NULL, &opts);
        struct train_result again = trained(&h, first.model, &opts);
        assert_int_equal(again.outcome, TRAIN_KEEP);
        assert_gate(&again, cases[i].margin, 0, cases[i].draws);
        train_result_done(&again);
        train_result_done(&first);
        hours_done(&h);
    }
}

#define CALM                                                                             \
    (168 + 48)    /* newest hours: the holdout and what is read at its first origin */
#define RISE 0.02 /* a day */

/* A day's cycle with noise, which models learn to smooth. Lately there is none, but a
 * slow rise: then the day before is hard to beat, and errs by just that rise. */
static struct hours calm_at_last(void)
{
    struct hours h = made_series(1008, 0, 5, 0, 1, 0, 31);
    for (size_t i = h.n - CALM; i < h.n; i++)
        h.y[i] = 5 * sin(2 * M_PI * (double)i / 24) + RISE * (double)i / 24;
    return h;
}

/* A regression that says "as a day ago, and falling": over the calm days the seasonal
 * naive forecast's error is less than its by this share. */
static struct model *worse_by(double share)
{
    struct hours h = made_series(240, 0, 5, 0, 0, 0, 1);
    struct model *m = model_new(&algo_ols, "kitchen.temperature");
    m->features = (struct feature_spec){.n_lags = 1, .lags = {24}};
    for (size_t i = 0; i < h.n; i++)
        h.y[i] -= RISE * share / (1 - share) * (double)i / 24;
    assert_int_equal(m->algo->fit(m, &h, NULL), 0);
    hours_done(&h);
    return m;
}

/* The challenger loses to the day before, which is asked in its place. A model makes way
 * for that only where it is better by a tenth, and surely. */
static void simple_in_place_of_a_model(void **state)
{
    (void)state;
    static const struct {
        double share;
        enum train_outcome outcome;
    } cases[] = {{0.095, TRAIN_KEEP}, {0.105, TRAIN_PROMOTE}};
    struct hours h = calm_at_last();
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct model *champion = worse_by(cases[i].share);
        struct train_result r = trained(&h, champion, &opts);
        bool promoted = cases[i].outcome == TRAIN_PROMOTE;
        assert_int_equal(r.outcome, cases[i].outcome);
        assert_non_null(
            strstr(r.reason,
                   promoted ? "seasonal_naive_24: significantly better than the champion"
                            : "does not beat the seasonal naive forecast"));
        assert_gate(&r, promoted ? NAN : 0.01, promoted ? 0.1 : 0, 2000);
        train_result_done(&r);
        model_free(champion);
    }
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(challenger),
        cmocka_unit_test(simple_in_place_of_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
