/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trainings that are told what to make: with the trainer's own grower of trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/ml/algos.h"
#include "common/ml/presets.h"
#include "common/ml/train.h"
#include "services/trainer/grow.h"
#include "tests/unit/near.h"
#include "tests/unit/past.h"
#include "tests/unit/series.h"

/* Of a week with a day in it that bends, so that no line is the whole answer. */
static struct hours bent(size_t n)
{
    struct hours h = series(n, 21);
    for (size_t i = 0; i < n; i++)
        h.y[i] = h.y[i] > 24 ? 24 + (h.y[i] - 24) / 4 : h.y[i];
    return h;
}

static struct train_result made(const char *preset, const struct hours *h,
                                const struct model *champion)
{
    struct growing g;
    struct train_result r;
    struct err e = ERR_INIT;
    growing_init(&g, 3600);
    struct train_opts o = {.series = "a.b",
                           .preset = preset,
                           .code = "test",
                           .horizon = 48,
                           .level = 0.95,
                           .seed = 1,
                           .grower = &g.grower};
    if (train_series(h, champion, &o, &r, &e))
        fail_msg("%s: %s", preset, e.text);
    assert_int_equal(growing_check(&g, &e), 0);
    return r;
}

/* Each is in the document under its name, is what it says, repeats, and comes back from
 * the document to the same forecasts. */
static void each(void **state)
{
    (void)state;
    struct hours h = bent(600);
    for (size_t i = 0; presets[i].name; i++) {
        const struct preset *p = &presets[i];
        struct train_result r = made(p->name, &h, NULL), again = made(p->name, &h, NULL);
        struct err e = ERR_INIT;
        struct forecast f[48], g[48];
        size_t len;
        assert_true(preset_find(p->name) == p && p->n <= PRESET_MAX);
        assert_non_null(strstr(PRESET_NAMES, p->name));
        assert_string_equal(r.model->training.preset, p->name);
        /* four lags say little of this series: a simple one serves */
        if (strcmp(p->name, "system0") && r.model->algo != p->list[p->n - 1].algo)
            fail_msg("%s: %s", p->name, r.reason);
        char *doc = model_document(r.model, &len),
             *doc2 = model_document(again.model, NULL);
        assert_string_equal(doc, doc2);
        struct model *back = model_parse(doc, len, &e);
        if (!back)
            fail_msg("%s: %s", p->name, e.text);
        assert_int_equal(model_forecast(r.model, &h, 48, 0.95, f, &e), 0);
        assert_int_equal(model_forecast(back, &h, 48, 0.95, g, &e), 0);
        assert_memory_equal(f, g, sizeof f);
        assert_true(f[47].lower < f[47].yhat && f[47].yhat < f[47].upper);
        model_free(back);
        free(doc);
        free(doc2);
        train_result_done(&r);
        train_result_done(&again);
    }
    hours_done(&h);
    assert_null(preset_find(""));
    assert_null(preset_find("boos"));
}

/* What was tried stands in the evidence; the best of it is what the model has. */
static void tuned(void **state)
{
    (void)state;
    struct hours h = bent(900);
    struct train_result r = made("boost", &h, NULL);
    json_t *tried = json_object_get(r.evidence, "tuning"), *row;
    size_t i, best = 0;
    double least = INFINITY;
    assert_int_equal(json_array_size(tried), preset_find("boost")->tuning->n);
    json_array_foreach(tried, i, row)
    {
        double mae = json_real_value(json_object_get(row, "mae"));
        assert_true(mae > 0);
        best = mae < least ? i : best;
        least = fmin(least, mae);
    }
    row = json_array_get(tried, best);
    for (size_t k = 0; k < r.model->algo->n_params; k++)
        assert_near(r.model->params[k],
                    json_real_value(json_object_get(row, r.model->algo->params[k].name)),
                    0);
    train_result_done(&r);
    r = made("theta", &h, NULL); /* nothing is tried for it */
    assert_null(json_object_get(r.evidence, "tuning"));
    train_result_done(&r);
    hours_done(&h);
}

/* Every row that may be tried is one that a document may hold, and the first is what the
 * algorithm has anyway. */
static void tunings(void **state)
{
    (void)state;
    for (size_t i = 0; presets[i].name; i++) {
        const struct tuning *t = presets[i].tuning;
        const struct algo *a = presets[i].list[presets[i].n - 1].algo;
        for (size_t k = 0; t && k < t->n; k++)
            for (size_t p = 0; p < a->n_params; p++) {
                assert_true(t->params[k][p] >= a->params[p].min);
                assert_true(t->params[k][p] <= a->params[p].max);
                assert_true(k || t->params[k][p] == a->params[p].dflt);
            }
        assert_true(strlen(presets[i].name) < sizeof((struct model *)0)->training.preset);
    }
}

/* A history too short for it: a simple one stands in, which the reason names. */
static void too_short(void **state)
{
    (void)state;
    struct hours h = bent(100);
    struct train_result r = made("boost", &h, NULL);
    assert_true(r.model->algo->baseline || r.model->algo == &algo_seasonal_ar_24);
    assert_non_null(strstr(r.reason, r.model->algo->name));
    assert_string_equal(r.model->training.preset, "boost");
    train_result_done(&r);
    hours_done(&h);
}

/* The gate asks as much of it as of any other: noise that a line explains is better left
 * to the line. */
static void gated(void **state)
{
    (void)state;
    struct hours h = series(900, 5);
    uint32_t x = 17;
    double last = 0;
    for (size_t i = 0; i < h.n; i++) {
        x = x * 1664525u + 1013904223u;
        last = 0.9 * last + (double)(x >> 16) / 65536 - 0.5;
        h.y[i] += 4 * last;
    }
    struct growing g;
    growing_init(&g, 3600);
    struct train_opts o = {
        .series = "a.b", .code = "test", .horizon = 48, .level = 0.95, .seed = 1};
    struct train_result champion, r;
    assert_int_equal(train_series(&h, NULL, &o, &champion, NULL), 0);
    r = made("forest", &h, champion.model);
    assert_int_equal(r.outcome, TRAIN_KEEP);
    assert_true(r.model->algo == &algo_forest);
    assert_non_null(strstr(r.reason, "forest: "));
    train_result_done(&r);
    train_result_done(&champion);
    hours_done(&h);
}

static bool stop(void *arg, double share)
{
    int *calls = arg;
    assert_true(share > 0 && share <= 0.1);
    return ++*calls < 2;
}

/* Between the fits of the search, too. */
static void cancelled(void **state)
{
    (void)state;
    int calls = 0;
    struct growing g;
    struct train_result r;
    struct err e = ERR_INIT;
    struct hours h = bent(900);
    growing_init(&g, 3600);
    struct train_opts o = {.series = "a.b",
                           .preset = "boost",
                           .horizon = 48,
                           .level = 0.95,
                           .progress = stop,
                           .progress_arg = &calls,
                           .grower = &g.grower};
    assert_int_equal(train_series(&h, NULL, &o, &r, &e), -1);
    assert_string_equal(e.slug, "cancelled");
    assert_int_equal(calls, 2);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each),      cmocka_unit_test(tuned), cmocka_unit_test(tunings),
        cmocka_unit_test(too_short), cmocka_unit_test(gated), cmocka_unit_test(cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
