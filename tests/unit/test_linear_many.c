/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/candidates.h"
#include "common/ml/model.h"
#include "tests/unit/series.h"

#include "tests/unit/near.h"

#define HOURS 700

/* Four fits, each to a day more, and what they have seen. */
struct four {
    struct model *m[FORECAST_MANY];
    struct hours past[FORECAST_MANY];
};

static void fit_four(struct four *f, const struct candidate *c, const struct hours *h)
{
    for (size_t i = 0; i < FORECAST_MANY; i++) {
        f->m[i] = candidate_model(c, "a.b");
        f->past[i] = hours_part(h, 0, HOURS + 23 * i);
        assert_int_equal(c->algo->fit(f->m[i], &f->past[i], NULL), 0);
    }
}

static bool ask(const struct four *f, double yhat[FORECAST_MANY][HORIZON_MAX])
{
    return model_points_many((const struct model *const *)f->m, f->past, HORIZON_MAX,
                             yhat);
}

static void free_four(struct four *f)
{
    for (size_t i = 0; i < FORECAST_MANY; i++)
        model_free(f->m[i]);
}

/* To the last bit, whatever the columns, with the offset of a zone as well. */
static void as_one_by_one(void **state)
{
    (void)state;
    struct hours h = series(900, 3);
    struct zone zone = {.name = "Asia/Kathmandu", .n = 1, .span = {{0, 20700}}};
    size_t many = 0;
    h.zone = &zone;
    for (size_t c = 0; c < n_candidates_alone; c++) {
        struct four f;
        double yhat[FORECAST_MANY][HORIZON_MAX], one[HORIZON_MAX];
        fit_four(&f, &candidates[c], &h);
        bool can = ask(&f, yhat);
        assert_int_equal(can, candidates[c].algo->forecast_many != NULL);
        many += can;
        for (size_t i = 0; i < FORECAST_MANY && can; i++) {
            assert_int_equal(model_points(f.m[i], &f.past[i], HORIZON_MAX, one, NULL), 0);
            assert_memory_equal(one, yhat[i], sizeof one);
        }
        free_four(&f);
    }
    assert_true(many >= 11);
    hours_done(&h);
}

/* Of blends the members, those that cannot among them. */
static void blends(void **state)
{
    (void)state;
    struct hours h = series(900, 4);
    const struct candidate *members[] = {&candidates[3], &candidates[13],
                                         &candidates[n_candidates_alone - 1]};
    struct lead_weights third = lead_weights_all(1.0 / 3);
    struct four f;
    double yhat[FORECAST_MANY][HORIZON_MAX], one[HORIZON_MAX];
    for (size_t i = 0; i < FORECAST_MANY; i++) {
        f.m[i] = model_new(algo_find("blend"), "a.b");
        for (size_t k = 0; k < N_OF(members); k++)
            model_add_member(f.m[i], candidate_model(members[k], "a.b"), &third);
        f.past[i] = hours_part(&h, 0, HOURS + 23 * i);
        assert_int_equal(f.m[i]->algo->fit(f.m[i], &f.past[i], NULL), 0);
    }
    assert_true(ask(&f, yhat));
    for (size_t i = 0; i < FORECAST_MANY; i++) {
        assert_int_equal(model_points(f.m[i], &f.past[i], HORIZON_MAX, one, NULL), 0);
        assert_memory_equal(one, yhat[i], sizeof one);
    }
    free_four(&f);
    hours_done(&h);
}

/* Who cannot be forecast like that is asked alone, which bridges or refuses. */
static void not_with_holes(void **state)
{
    (void)state;
    struct hours h = series(900, 5);
    struct four f;
    double yhat[FORECAST_MANY][HORIZON_MAX];
    fit_four(&f, &candidates[13], &h);
    assert_true(ask(&f, yhat));
    h.y[f.past[2].n - 24] = NAN;
    assert_false(ask(&f, yhat));
    h.y[f.past[2].n - 24] = 20;
    assert_true(ask(&f, yhat));
    f.past[1].n = 10;
    assert_false(ask(&f, yhat));
    free_four(&f);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_one_by_one),
        cmocka_unit_test(blends),
        cmocka_unit_test(not_with_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
