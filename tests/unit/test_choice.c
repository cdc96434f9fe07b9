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
    assert_int_equal(choice_make(&w->ch,
                                 &(struct choice_opts){.list = candidates,
                                                       .n = n_candidates,
                                                       .hours = h.n,
                                                       .horizon = 48},
                                 &w->t),
                     0);
    pick_make(&w->p, &w->ch, &w->t, h.n, true);
}

static void done(struct work *w)
{
    pick_done(&w->p);
    choice_done(&w->ch);
    hours_done(&w->h);
}

/* The members' errors by lead, worked out anew: without origin `left_out`. */
static void by_hand(const struct work *w, size_t left_out,
                    double weight[BLEND_MAX][WEIGHT_LEADS])
{
    const struct plan *plan = &w->ch.plan;
    const struct recipe *r = &w->p.recipe;
    for (size_t at = 0; at < WEIGHT_LEADS; at++) {
        double error[BLEND_MAX] = {0}, sum = 0;
        for (size_t k = 0; k < plan->leads; k++) {
            double abs_sum[BLEND_MAX] = {0}, all = 0;
            double far = log(((double)k + 1) / weight_leads[at]) / 0.8;
            for (size_t i = 0; i < r->n; i++) {
                const struct backtest *b = &w->ch.bt[pick_index(&w->p, r->member[i])];
                for (size_t o = 0; o < plan->n; o++)
                    if (o != left_out &&
                        backtest_common(w->ch.bt, n_candidates, w->p.used, o))
                        abs_sum[i] += fabs(b->yhat[o * plan->leads + k] -
                                           w->h.y[plan_origin(plan, o) + 1 + k]);
                all += abs_sum[i];
            }
            for (size_t i = 0; i < r->n; i++)
                error[i] += exp(-0.5 * far * far) * abs_sum[i] / all;
        }
        for (size_t i = 0; i < r->n; i++)
            sum += weight[i][at] = pow(error[i], -8);
        for (size_t i = 0; i < r->n; i++)
            weight[i][at] /= sum;
    }
}

/* The best first; each weighs the eighth power of its errors around a lead. */
static void recipe(void **state)
{
    (void)state;
    struct work w;
    double weight[BLEND_MAX][WEIGHT_LEADS];
    choose(&w, series(1000, 7));
    const struct recipe *r = &w.p.recipe;
    assert_true(r->n >= 2 && r->n <= BLEND_BEST);
    by_hand(&w, SIZE_MAX, weight);
    for (size_t i = 0; i < r->n; i++) {
        bool counts = false;
        for (size_t at = 0; at < WEIGHT_LEADS; at++) {
            assert_near(r->weight[i].at[at], weight[i][at], 1e-9);
            counts = counts || weight[i][at] >= BLEND_LEAST;
        }
        assert_true(counts && w.p.used[pick_index(&w.p, r->member[i])]);
    }
    for (size_t c = 0; c < n_candidates; c++)
        assert_true(!w.p.used[c] ||
                    w.p.mean[c] >= w.p.mean[pick_index(&w.p, r->member[0])]);
    done(&w);
}

/* The next hour goes by other candidates than the day after tomorrow. */
static void the_next_hours_have_their_own(void **state)
{
    (void)state;
    struct work w;
    struct hours h = series(1000, 20);
    double r = 0;
    for (size_t i = 0; i < h.n;
         i++) { /* a walk that returns to the day's cycle in days */
        r = 0.99 * r + (h.y[i] - floor(h.y[i]) - 0.5);
        h.y[i] = 20 + 5 * sin(2 * M_PI * (double)i / 24) + 3 * r;
    }
    choose(&w, h);
    const struct recipe *made = &w.p.recipe;
    double most = 0;
    for (size_t i = 0; i < made->n; i++)
        most = fmax(most, fabs(made->weight[i].at[0] - made->weight[i].at[6]));
    assert_true(most > 0.1);
    done(&w);
}

/* At an origin the weights are those that all other origins give. */
static void origins_of_others(void **state)
{
    (void)state;
    struct work w;
    double weight[BLEND_MAX][WEIGHT_LEADS];
    choose(&w, series(1000, 8));
    const struct backtest *b = pick_backtest(&w.p, &w.p.blend);
    size_t leads = w.ch.plan.leads, checked = 0;
    for (size_t o = 0; o < w.ch.plan.n; o++) {
        if (!backtest_common(w.ch.bt, n_candidates, w.p.used, o))
            continue;
        by_hand(&w, o, weight);
        for (size_t k = 0; k < leads; k += 7) { /* leads 1, 8, 15, … */
            double yhat = 0, y = w.h.y[plan_origin(&w.ch.plan, o) + 1 + k];
            for (size_t i = 0; i < w.p.recipe.n; i++) {
                struct lead_weights lw;
                memcpy(lw.at, weight[i], sizeof lw.at);
                size_t c = pick_index(&w.p, w.p.recipe.member[i]);
                yhat += lead_weight(&lw, k) * w.ch.bt[c].yhat[o * leads + k];
            }
            assert_near(b->yhat[o * leads + k], yhat, 1e-9);
            assert_near(b->residual[o * leads + k], y - yhat, 1e-9);
        }
        checked++;
    }
    assert_int_equal(checked, w.p.origins);
    assert_true(checked > 10);
    done(&w);
}

/* At their leads as they stand, between them on the logarithm, and always 1 in all. */
static void weights_between_leads(void **state)
{
    (void)state;
    struct lead_weights a = {{0.1, 0.5, 0.3, 0.2, 0.9, 0, 1}}, b;
    struct err e = ERR_INIT;
    for (size_t i = 0; i < WEIGHT_LEADS; i++) {
        b.at[i] = 1 - a.at[i];
        assert_near(lead_weight(&a, (size_t)weight_leads[i] - 1), a.at[i], 1e-15);
    }
    assert_near(lead_weight(&a, 2), 0.5 - 0.2 * log(1.5) / log(2), 1e-15); /* lead 3 */
    for (size_t k = 0; k < HORIZON_MAX; k++)
        assert_near(lead_weight(&a, k) + lead_weight(&b, k), 1, 1e-15);
    json_t *j = lead_weights_to_json(&a);
    assert_ok(lead_weights_from_json(&b, j, &e), e);
    assert_memory_equal(&a, &b, sizeof a);
    json_decref(j);
    static const char *const wrong[] = {"null",
                                        "\"1\"",
                                        "2",
                                        "-0.1",
                                        "[1]",
                                        "[0,0,0,0,0,0,2]",
                                        "[0,0,0,0,0,0,null]",
                                        "[0,0,0,0,0,0,0,0]"};
    for (size_t i = 0; i < N_OF(wrong); i++) {
        j = json_loads(wrong[i], JSON_DECODE_ANY, NULL);
        assert_int_equal(lead_weights_from_json(&b, j, &e), -1);
        json_decref(j);
    }
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

/* Whether a candidate may stand is asked of the hours known: a zero that comes later
 * throws no logarithm out, one that is known does, while a fit can see it. */
static void suits_what_is_known(void **state)
{
    (void)state;
    size_t log = 0;
    while (strcmp(candidates[log].name, "ridge_clock_log"))
        log++;
    for (int zero = 0; zero < 2; zero++) {
        struct work w = {.h = series(1000, 9)};
        struct pick early, late;
        w.t = (struct truth){&w.h, w.h.y};
        if (zero)
            w.h.y[900] = 0;
        assert_int_equal(choice_make(&w.ch,
                                     &(struct choice_opts){.list = candidates,
                                                           .n = n_candidates,
                                                           .hours = 1000,
                                                           .horizon = 48,
                                                           .early = 832},
                                     &w.t),
                         0);
        pick_make(&early, &w.ch, &w.t, 832, true);
        pick_make(&late, &w.ch, &w.t, 1000, true);
        assert_true(w.ch.tried[log]);
        assert_true(early.used[log]);
        assert_int_equal(late.used[log], !zero);
        pick_done(&late);
        w.ch.window = 99; /* the hours 901 to 999 */
        pick_make(&late, &w.ch, &w.t, 1000, true);
        assert_true(late.used[log]);
        pick_done(&late);
        pick_done(&early);
        done(&w);
    }
}

/* fieldcast backtest asks at any number of origins, many of them later than what counts.
 */
static void more_origins_than_a_training(void **state)
{
    (void)state;
    struct work w = {.h = series(700, 16)};
    w.t = (struct truth){&w.h, w.h.y};
    w.ch = (struct choice){.list = candidates,
                           .n = n_candidates_alone,
                           .window = 1344,
                           .plan = {300, 1, 351, 48}};
    for (size_t c = 0; c < 6; c++) {
        w.ch.tried[c] = true;
        backtest_candidate(&candidates[c], &w.t, 1344, &w.ch.plan, &w.ch.bt[c]);
    }
    pick_make(&w.p, &w.ch, &w.t, 600, true);
    assert_int_equal(w.p.origins, 600 - 348);
    assert_true(w.p.used[n_candidates_alone]);
    for (size_t o = 0; o < w.ch.plan.n; o++)
        assert_true(isfinite(w.p.blended.loss[o]));
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
    assert_false(w.ch.tried[11]);
    done(&w);
    struct hours h = series(504, 13);
    for (size_t i = 200; i < 300; i++)
        h.y[i] = NAN;
    choose(&w, h);
    assert_true(w.p.best >= 0 && w.p.origins >= 3);
    done(&w);
}

/* With a day and a half missing of every two nobody is chosen by one or two origins that
 * happen to be common to all: those that ask most give way. */
static void three_origins_at_least(void **state)
{
    (void)state;
    size_t chosen = 0;
    for (unsigned seed = 30; seed < 50; seed++) {
        struct work w;
        struct hours h = series(300 + 10 * seed, seed);
        for (size_t i = 0; i < h.n; i++)
            if ((i * 2654435761u + seed * 40503u) >> 7 & 1 && i % 48 > 24)
                h.y[i] = NAN;
        choose(&w, h);
        if (w.p.best >= 0)
            assert_true(w.p.origins >= BACKTEST_MIN_ORIGINS);
        chosen += w.p.best >= 0;
        done(&w);
    }
    assert_true(chosen > 10);
}

/* Flat until the last hours: all err alike, so that the simplest serves and no mixture.
 */
static void not_before_a_baseline(void **state)
{
    (void)state;
    struct work w;
    struct hours h = series(1000, 11);
    for (size_t k = 0; k < h.n; k++)
        h.y[k] = k < 992 ? 7 : 9;
    choose(&w, h);
    assert_true(w.p.used[n_candidates] && w.p.mean[n_candidates] > 0);
    assert_string_equal(pick_candidate(&w.p, w.p.best)->name, "persistence");
    done(&w);
    for (unsigned seed = 60; seed < 80; seed++) { /* walks */
        choose(&w, series(400, seed));
        double sum = w.h.y[0];
        for (size_t i = 0; i < w.h.n; i++)
            w.h.y[i] = sum += w.h.y[i] - 20;
        struct hours walk;
        assert_int_equal(hours_copy(&walk, &w.h, NULL), 0);
        done(&w);
        choose(&w, walk);
        for (size_t c = 0; c < n_candidates; c++)
            if (w.p.used[c] && w.ch.list[c].algo->baseline)
                assert_true(w.p.mean[w.p.best] <= w.p.mean[c] * (1 + CHOICE_TIE));
        done(&w);
    }
}

/* Nothing for most of the time; every 50 hours, but never at an origin of a choice, it is
 * 10 for so many hours; also in the newest hour. */
static struct hours resting(int on)
{
    struct hours h = series(1000, 11);
    for (size_t k = 0; k < h.n; k++)
        h.y[k] = 0;
    struct plan p = plan_choice(h.n, 48, h.n / 4);
    for (size_t k = 0; k + 1 < h.n; k++) {
        bool origin = false;
        for (size_t o = 0; o < p.n; o++)
            origin = origin || plan_origin(&p, o) == k;
        h.y[k] = k % 50 < (size_t)on && !origin ? 10 : 0;
    }
    h.y[h.n - 1] = 10;
    return h;
}

/* At no origin was it otherwise than at rest: persistence has erred no more than the
 * median, but would repeat the newest hour for two days. */
static void what_rests(void **state)
{
    (void)state;
    struct work w;
    struct err e = ERR_INIT;
    struct forecast f[48];
    choose(&w, resting(2));
    const struct candidate *chosen = pick_candidate(&w.p, w.p.best);
    assert_string_equal(chosen->name, "median_168");
    assert_near(w.p.mean[0], w.p.mean[w.p.best], 1e-12);
    struct model *m = candidate_model(chosen, "x.y");
    assert_ok(m->algo->fit(m, &w.h, &e), e);
    assert_ok(model_forecast(m, &w.h, 48, 0.95, f, &e), e);
    assert_near(f[0].yhat, 0, 0);
    model_free(m);
    done(&w);
    size_t median = 0;
    while (strcmp(candidates[median].name, "median_168") != 0)
        median++;
    double pump[1000];
    for (size_t k = 0; k < 1000; k++)
        pump[k] = k % 300 < 120 ? 10 : 0; /* for days */
    assert_false(candidate_suits(&candidates[median], pump, 1000));
    for (size_t k = 0; k < 1000; k++)
        pump[k] = k % 300 < 12 ? 10 : 0;
    assert_true(candidate_suits(&candidates[median], pump, 1000));
    for (size_t k = 0; k < 1000; k++)
        pump[k] = k < 990 ? 7 : 9; /* set to another value, not back yet */
    assert_false(candidate_suits(&candidates[median], pump, 1000));
}

static struct model *blend(void)
{
    struct model *m = model_new(&algo_blend, "x.y");
    const struct lead_weights a = lead_weights_all(0.25), b = lead_weights_all(0.75);
    model_add_member(m, model_new(&algo_persistence, "x.y"), &a);
    model_add_member(m, model_new(&algo_seasonal_naive_24, "x.y"), &b);
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

/* Of before 2026-11-7: a choice now makes five. */
static void blend_of_six(void **state)
{
    (void)state;
    for (size_t n = 6; n < 8; n++) {
        struct err e = ERR_INIT;
        struct model *m = blend();
        json_t *parts = model_parts(m), *st = json_object_get(parts, "state");
        json_t *one = json_array_get(json_object_get(st, "members"), 0);
        json_t *members = json_array(), *weight = json_array();
        for (size_t i = 0; i < WEIGHT_LEADS; i++)
            json_array_append_new(weight, json_real(1 / (double)n));
        json_object_set_new(one, "weight", weight);
        for (size_t i = 0; i < n; i++)
            json_array_append_new(members, json_deep_copy(one));
        json_object_set_new(st, "members", members);
        struct model *back = model_from_parts(parts, "x.y", &e);
        assert_int_equal(back != NULL, n == 6);
        assert_string_equal(
            e.text, n == 6 ? "" : "field \"state.members\" must be an array of 1 to 6");
        model_free(back);
        json_decref(parts);
        model_free(m);
    }
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
         "the weights in \"state.members\" must add up to 1, not 1.25, at lead 1"},
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
    const struct lead_weights all = lead_weights_all(1);
    model_add_member(outer, inner, &all);
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
        cmocka_unit_test(the_next_hours_have_their_own),
        cmocka_unit_test(weights_between_leads),
        cmocka_unit_test(origins_of_others),
        cmocka_unit_test(by_what_was_known),
        cmocka_unit_test(suits_what_is_known),
        cmocka_unit_test(more_origins_than_a_training),
        cmocka_unit_test(no_blend),
        cmocka_unit_test(short_and_holed),
        cmocka_unit_test(three_origins_at_least),
        cmocka_unit_test(not_before_a_baseline),
        cmocka_unit_test(what_rests),
        cmocka_unit_test(blend_forecasts),
        cmocka_unit_test(blend_of_six),
        cmocka_unit_test(blend_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
