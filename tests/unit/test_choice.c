/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Choosing among candidates, and the blend. */
#include "tests/unit/series.h"

#include <jansson.h>

#include "common/ml/algos.h"
#include "common/ml/choice.h"
#include "tests/unit/near.h"
#include "tests/unit/past.h"

struct work {
    struct hours h;
    struct truth t;
    struct choice ch;
    struct pick p;
};

static void choose(struct work *w, struct hours h)
{
    w->h = h;
    w->t = (struct truth){&w->h, w->h.y};
    assert_int_equal(
        choice_make(&w->ch, candidates, n_candidates, &w->t, h.n, 48, NULL, NULL), 0);
    pick_make(&w->p, &w->ch, &w->t, h.n, true);
}

static void done(struct work *w)
{
    pick_done(&w->p);
    choice_done(&w->ch);
    hours_done(&w->h);
}

/* The best first, by the eighth power of their errors. */
static void recipe(void **state)
{
    (void)state;
    struct work w;
    choose(&w, series(1000, 7));
    const struct recipe *r = &w.p.recipe;
    double sum = 0;
    assert_true(r->n >= 2 && r->n <= BLEND_MAX);
    for (size_t i = 0; i < r->n; i++) {
        size_t c = pick_index(&w.p, r->member[i]), first = pick_index(&w.p, r->member[0]);
        assert_near(r->weight[i] / r->weight[0], pow(w.p.mean[first] / w.p.mean[c], 8),
                    1e-12);
        assert_true(r->weight[i] >= BLEND_LEAST && w.p.used[c]);
        sum += r->weight[i];
    }
    assert_near(sum, 1, 1e-12);
    for (size_t c = 0; c < n_candidates; c++)
        assert_true(!w.p.used[c] ||
                    w.p.mean[c] >= w.p.mean[pick_index(&w.p, r->member[0])]);
    done(&w);
}

/* At an origin the weights are those that all other origins give: two members by hand. */
static void origins_of_others(void **state)
{
    (void)state;
    struct work w;
    choose(&w, series(1000, 8));
    const struct backtest *b = pick_backtest(&w.p, &w.p.blend);
    size_t leads = w.ch.plan.leads, checked = 0;
    for (size_t o = 0; o < w.ch.plan.n; o++) {
        double yhat = 0, all = 0, y = w.h.y[w.ch.plan.first + o * w.ch.plan.step + 1];
        if (!backtest_common(w.ch.bt, n_candidates, w.p.used, o))
            continue;
        for (size_t i = 0; i < w.p.recipe.n; i++) {
            size_t c = pick_index(&w.p, w.p.recipe.member[i]);
            double n = (double)w.p.origins, one = w.ch.bt[c].loss[o];
            double weight = pow((w.p.mean[c] * n - one) / (n - 1), -8);
            yhat += weight * w.ch.bt[c].yhat[o * leads];
            all += weight;
        }
        assert_near(b->yhat[o * leads], yhat / all, 1e-9);
        assert_near(b->residual[o * leads], y - yhat / all, 1e-9);
        checked++;
    }
    assert_int_equal(checked, w.p.origins);
    assert_true(checked > 10);
    done(&w);
}

/* Before an hour only what was known by then counts. */
static void by_what_was_known(void **state)
{
    (void)state;
    struct work w;
    struct pick early;
    choose(&w, series(1000, 9));
    pick_make(&early, &w.ch, &w.t, 832, true);
    size_t n = 0;
    while (w.ch.plan.first + n * w.ch.plan.step + w.ch.plan.leads < 832)
        n++;
    assert_true(early.origins > 3 && early.origins <= n && n < w.ch.plan.n);
    for (size_t c = 0; c < n_candidates; c++) {
        double sum = 0;
        for (size_t o = 0; early.used[c] && o < n; o++)
            if (backtest_common(w.ch.bt, n_candidates, early.used, o))
                sum += w.ch.bt[c].loss[o];
        if (early.used[c])
            assert_near(early.mean[c], sum / (double)early.origins, 1e-12);
    }
    pick_done(&early);
    pick_make(&early, &w.ch, &w.t, 30, true); /* nothing was */
    assert_int_equal(early.best, -1);
    pick_done(&early);
    done(&w);
}

static void no_blend(void **state)
{
    (void)state;
    struct work w;
    choose(&w, series(1000, 10));
    pick_done(&w.p);
    pick_make(&w.p, &w.ch, &w.t, w.h.n, false);
    assert_false(w.p.used[n_candidates]);
    assert_true(w.p.best >= 0 && w.p.best < (int)n_candidates);
    json_t *table = pick_table(&w.p, 2);
    assert_int_equal(json_array_size(table), n_candidates);
    json_t *row = json_array_get(table, 0);
    assert_near(json_number_value(json_object_get(row, "mase")), w.p.mean[0] / 2, 1e-12);
    json_decref(table);
    done(&w);
    for (int i = 0; i < 2; i++) { /* without an error: the simplest */
        struct hours h = series(i ? 1000 : 60, 11);
        for (size_t k = 0; k < h.n; k++)
            h.y[k] = 7;
        choose(&w, h);
        assert_string_equal(pick_candidate(&w.p, w.p.best)->name, "persistence");
        done(&w);
    }
}

/* Of a week, and of three weeks with a hole of days: something can always be compared. */
static void short_and_holed(void **state)
{
    (void)state;
    struct work w;
    choose(&w, series(168, 12));
    assert_true(w.p.best >= 0 && w.p.origins >= 3);
    assert_false(w.ch.tried[9]);
    done(&w);
    struct hours h = series(504, 13);
    for (size_t i = 200; i < 300; i++)
        h.y[i] = NAN;
    choose(&w, h);
    assert_true(w.p.best >= 0 && w.p.origins >= 3);
    done(&w);
}

static struct model *blend(void)
{
    struct model *m = model_new(&algo_blend, "x.y");
    model_add_member(m, model_new(&algo_persistence, "x.y"), 0.25);
    model_add_member(m, model_new(&algo_seasonal_naive_24, "x.y"), 0.75);
    return m;
}

static void blend_forecasts(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct hours h = series(100, 14);
    struct model *m = blend();
    struct forecast f[48];
    assert_int_equal(model_history(m), 24);
    assert_ok(m->algo->fit(m, &h, &e), e);
    assert_ok(model_forecast(m, UNTIL(h, h.n), 48, 0.95, f, &e), e);
    for (size_t k = 0; k < 48; k++)
        assert_near(f[k].yhat, 0.25 * h.y[99] + 0.75 * h.y[76 + k % 24], 1e-12);
    struct model *none = model_new(&algo_blend, "x.y");
    assert_failed(none->algo->fit(none, &h, &e), e, ERR_CONFLICT,
                  "a blend needs members");
    model_free(none);
    model_free(m);
    hours_done(&h);
}

/* Documents of blends that cannot be. */
static void blend_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *member, *key;
        json_type type; /* JSON_NULL: the key is taken away */
        const char *said;
    } table[] = {
        {"0", "weight", JSON_REAL,
         "the weights in \"state.members\" must add up to 1, not 1.25"},
        {"1", "weight", JSON_NULL, "state.members[1]: field \"weight\""},
        {"1", "algorithm", JSON_STRING,
         "state.members[1]: field \"algorithm\" names \"magic\", which is not known"},
        {"0", "state", JSON_NULL, "state.members[0]: field \"state\""},
        {"0", "features", JSON_NULL, "state.members[0]: field \"features\""},
        {NULL, "members", JSON_NULL,
         "field \"state.members\" must be an array of 1 to 6"},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        struct err e = ERR_INIT;
        struct model *m = blend();
        json_t *parts = model_parts(m), *at = json_object_get(parts, "state");
        if (table[i].member)
            at = json_array_get(json_object_get(at, "members"),
                                (size_t)atoi(table[i].member));
        if (table[i].type == JSON_REAL)
            json_object_set_new(at, table[i].key, json_real(0.5));
        else if (table[i].type == JSON_STRING)
            json_object_set_new(at, table[i].key, json_string("magic"));
        else
            json_object_del(at, table[i].key);
        assert_null(model_from_parts(parts, "x.y", &e));
        if (strncmp(e.text, table[i].said, strlen(table[i].said)))
            fail_msg("case %zu says \"%s\"", i, e.text);
        json_decref(parts);
        model_free(m);
    }
    struct err e = ERR_INIT;
    struct model *inner = blend(), *outer = model_new(&algo_blend, "x.y");
    model_add_member(outer, inner, 1);
    json_t *parts = model_parts(outer);
    assert_null(model_from_parts(parts, "x.y", &e));
    assert_string_equal(
        e.text, "state.members[0]: field \"algorithm\" must not be a blend again");
    json_decref(parts);
    model_free(outer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipe),
        cmocka_unit_test(origins_of_others),
        cmocka_unit_test(by_what_was_known),
        cmocka_unit_test(no_blend),
        cmocka_unit_test(short_and_holed),
        cmocka_unit_test(blend_forecasts),
        cmocka_unit_test(blend_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
