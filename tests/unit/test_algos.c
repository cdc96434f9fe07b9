/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walks the table: whatever stands in it must fit, refuse, save, load and repeat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/ml/algos.h"
#include "common/ml/linear.h"
#include "common/ml/model.h"
#include "services/trainer/grow.h"
#include "tests/unit/near.h"
#include "tests/unit/past.h"
#include "tests/unit/series.h"

/* What stands beside the series here, whatever it says. */
static struct hours hours(size_t n, unsigned seed)
{
    static struct hours beside;
    static struct others others;
    struct hours h = series(n, seed);
    others_done(&others);
    hours_done(&beside);
    beside = series(n, seed + 100);
    others_init(&others, &h);
    others_add(&others, "kitchen.humidity", &beside);
    h.beside = &others;
    return h;
}

static struct growing growing;

/* A blend cannot be without members, nor trees without somebody who grows them. */
static struct model *unfitted(const struct algo *a)
{
    struct model *m = model_new(a, "kitchen.temperature");
    m->grower = &growing.grower;
    if (a == &algo_blend) {
        const struct lead_weights most = lead_weights_all(0.75);
        const struct lead_weights rest = lead_weights_all(0.25);
        model_add_member(m, model_new(&algo_ridge, m->series), &most);
        model_add_member(m, model_new(&algo_seasonal_naive_24, m->series), &rest);
    }
    return m;
}

static struct model *fitted(const struct algo *a, const struct hours *h)
{
    struct err e = ERR_INIT;
    struct model *m = unfitted(a);
    if (a->fit(m, h, &e))
        fail_msg("%s: %s", a->name, e.text);
    strcpy(m->training.sha256,
           "0000000000000000000000000000000000000000000000000000000000000000");
    return m;
}

static void every(void (*f)(const struct algo *a))
{
    assert_non_null(algos[0]);
    for (size_t i = 0; algos[i]; i++)
        f(algos[i]);
}

static void well_formed(const struct algo *a)
{
    assert_true(algo_find(a->name) == a);
    assert_true(strlen(a->sentence) > 10);
    assert_true(a->n_params <= MODEL_PARAMS_MAX);
    for (size_t i = 0; i < a->n_params; i++) {
        const struct algo_param *p = &a->params[i];
        assert_true(p->min <= p->dflt && p->dflt <= p->max && strlen(p->sentence) > 10);
    }
}

static void fits_and_forecasts(const struct algo *a)
{
    struct hours h = hours(600, 1);
    struct model *m = fitted(a, &h);
    struct forecast f[HORIZON_MAX];
    struct err e = ERR_INIT;
    assert_int_equal(model_forecast(m, UNTIL(h, h.n), HORIZON_MAX, 0.95, f, &e), 0);
    for (int k = 0; k < HORIZON_MAX; k++)
        assert_true(isfinite(f[k].yhat) && isnan(f[k].lower));
    if (a->complexity > 1) /* all but the constants see the day */
        assert_near(
            f[11].yhat,
            20 + 5 * sin(2 * M_PI * 611 / 24) + 2 * cos(2 * M_PI * 611 / 168) + 0.5, 2.5);
    model_free(m);
    hours_done(&h);
}

static void saves_and_loads(const struct algo *a)
{
    struct hours h = hours(600, 2);
    struct model *m = fitted(a, &h);
    size_t len, len2;
    struct err e = ERR_INIT;
    char *doc = model_document(m, &len);
    struct model *back = model_parse(doc, len, &e);
    if (!back)
        fail_msg("%s: %s in %s", a->name, e.text, doc);
    struct forecast f[48], g[48];
    assert_int_equal(model_forecast(m, UNTIL(h, h.n), 48, 0.9, f, &e), 0);
    assert_int_equal(model_forecast(back, UNTIL(h, h.n), 48, 0.9, g, &e), 0);
    for (int k = 0; k < 48; k++)
        assert_memory_equal(&f[k].yhat, &g[k].yhat, sizeof(double));
    char *doc2 = model_document(back, &len2);
    assert_string_equal(doc, doc2);
    free(doc);
    free(doc2);
    model_free(m);
    model_free(back);
    hours_done(&h);
}

static void repeats(const struct algo *a)
{
    struct hours h = hours(400, 3);
    struct model *m = fitted(a, &h), *n = fitted(a, &h);
    char *x = model_document(m, NULL), *y = model_document(n, NULL);
    assert_string_equal(x, y);
    free(x);
    free(y);
    model_free(m);
    model_free(n);
    hours_done(&h);
}

static void refuses(const struct algo *a)
{
    struct err e = ERR_INIT;
    struct hours h = hours(600, 4);
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = NAN;
    struct model *m = unfitted(a);
    assert_int_equal(a->fit(m, &h, &e), -1); /* nothing but missing hours */
    assert_true(e.text[0]);
    hours_done(&h);
    h = hours(600, 4);
    h.n = a->min_hours(m) - 1;
    if (h.n) {
        e.text[0] = '\0';
        assert_int_equal(a->fit(m, &h, &e), -1); /* too short */
        assert_true(e.text[0]);
    }
    h.n = a->min_hours(m);
    assert_int_equal(a->fit(m, &h, &e), 0); /* and just long enough */
    double y[HORIZON_MAX];
    assert_int_equal(a->forecast(m, UNTIL(h, a->history(m) - 1), 1, y, &e), -1);
    assert_int_equal(a->forecast(m, UNTIL(h, a->history(m)), HORIZON_MAX, y, &e), 0);
    model_free(m);
    hours_done(&h);
}

static void stays_finite(const struct algo *a)
{
    struct hours h = hours(600, 5);
    for (size_t i = 0; i < h.n; i++) /* doubles each hour for a day: explosive */
        h.y[i] = ldexp(1, (int)(i % 24)) * (i % 48 < 24 ? 1 : -1);
    struct model *m = fitted(a, &h);
    struct forecast f[48];
    struct err e = ERR_INIT;
    assert_int_equal(model_forecast(m, UNTIL(h, h.n), 48, 0.95, f, &e), 0);
    double reach = 2 * ldexp(1, 23);
    for (int k = 0; k < 48; k++)
        assert_true(fabs(f[k].yhat) <= reach);
    model_free(m);
    hours_done(&h);
}

/* What is learnt step by step is what is learnt at once. */
static void goes_on(const struct algo *a)
{
    static const size_t upto[] = {170, 171, 400, 700};
    struct hours h = hours(700, 5);
    if (!a->learning) {
        hours_done(&h);
        return;
    }
    h.y[150] = h.y[151] = NAN;
    struct model *m = unfitted(a);
    void *learnt = a->learning->begin(m);
    for (size_t i = 0; i < N_OF(upto); i++) {
        struct hours known = hours_part(&h, 0, upto[i]);
        struct model *anew = fitted(a, &known), *on = unfitted(a);
        a->learning->take(learnt, &known);
        assert_int_equal(a->learning->fit(learnt, on, NULL), 0);
        json_t *want = a->save(anew), *got = a->save(on);
        assert_true(json_equal(want, got));
        assert_int_equal(on->training.rows, anew->training.rows);
        json_decref(want);
        json_decref(got);
        model_free(anew);
        model_free(on);
    }
    a->learning->end(learnt);
    model_free(m);
    hours_done(&h);
}

#define WALK(name)                                                                       \
    static void test_##name(void **state)                                                \
    {                                                                                    \
        (void)state;                                                                     \
        every(name);                                                                     \
    }
WALK(well_formed)
WALK(fits_and_forecasts)
WALK(saves_and_loads)
WALK(repeats)
WALK(refuses)
WALK(stays_finite)
WALK(goes_on)

static void unknown_name(void **state)
{
    (void)state;
    assert_null(algo_find("magic"));
    assert_null(algo_find(""));
}

/* NIST StRD, Longley: six collinear economic series; certified coefficients. */
static void longley(void **state)
{
    (void)state;
    static const double rows[16][7] = {
        {60323, 83.0, 234289, 2356, 1590, 107608, 1947},
        {61122, 88.5, 259426, 2325, 1456, 108632, 1948},
        {60171, 88.2, 258054, 3682, 1616, 109773, 1949},
        {61187, 89.5, 284599, 3351, 1650, 110929, 1950},
        {63221, 96.2, 328975, 2099, 3099, 112075, 1951},
        {63639, 98.1, 346999, 1932, 3594, 113270, 1952},
        {64989, 99.0, 365385, 1870, 3547, 115094, 1953},
        {63761, 100.0, 363112, 3578, 3350, 116219, 1954},
        {66019, 101.2, 397469, 2904, 3048, 117388, 1955},
        {67857, 104.6, 419180, 2822, 2857, 118734, 1956},
        {68169, 108.4, 442769, 2936, 2798, 120445, 1957},
        {66513, 110.8, 444546, 4681, 2637, 121950, 1958},
        {68655, 112.6, 482704, 3813, 2552, 123366, 1959},
        {69564, 114.2, 502601, 3931, 2514, 125368, 1960},
        {69331, 115.7, 518173, 4806, 2572, 127852, 1961},
        {70551, 116.9, 554894, 4007, 2827, 130081, 1962},
    };
    static const double certified[] = {-3482258.63459582,     15.0618722713733,
                                       -0.358191792925910e-1, -2.02022980381683,
                                       -1.03322686717359,     -0.511041056535807e-1,
                                       1829.15146461355};
    double x[16 * 6], y[16];
    for (int r = 0; r < 16; r++) {
        y[r] = rows[r][0];
        memcpy(x + 6 * r, rows[r] + 1, 6 * sizeof *x);
    }
    struct linear_fit f;
    assert_int_equal(linear_qr(x, y, 16, 6, &f, NULL), 0);
    assert_int_equal(f.dropped, 0);
    double intercept = f.intercept;
    for (int c = 0; c < 6; c++) {
        double b = f.coef[c] / f.std[c];
        intercept -= b * f.mean[c];
        assert_near(b / certified[c + 1], 1, 1e-9);
    }
    assert_near(intercept / certified[0], 1, 1e-9);
}

/* Column 2 is the sum of the others, column 3 constant: both are named, nothing explodes.
 */
static void collinear(void **state)
{
    (void)state;
    double x[40 * 4], y[40];
    struct hours h = hours(80, 6);
    for (int r = 0; r < 40; r++) {
        x[4 * r] = h.y[r];
        x[4 * r + 1] = h.y[79 - r];
        x[4 * r + 2] = x[4 * r] + x[4 * r + 1];
        x[4 * r + 3] = 7;
        y[r] = 3 * x[4 * r] - x[4 * r + 1] + 1;
    }
    double again[40 * 4];
    memcpy(again, x, sizeof x);
    struct linear_fit f;
    assert_int_equal(linear_qr(x, y, 40, 4, &f, NULL), 0);
    assert_true(f.dropped & 8);
    assert_int_equal(__builtin_popcountll(f.dropped), 2);
    double fit = f.intercept;
    for (int c = 0; c < 4; c++) {
        assert_true(fabs(f.coef[c]) < 100);
        fit += f.coef[c] * (again[c] - f.mean[c]) / f.std[c];
    }
    assert_near(fit, y[0], 1e-9);
    hours_done(&h);
}

static void solver_refusals(void **state)
{
    (void)state;
    struct linear_fit f;
    struct err e = ERR_INIT;
    double flat[] = {5, 5, 5, 5}, y[] = {1, 2, 3, 4}, hole[] = {1, NAN, 3, 4};
    assert_int_equal(linear_qr(flat, y, 4, 1, &f, &e), -1);
    assert_string_equal(e.text, "all features are constant: there is nothing to fit");
    assert_int_equal(linear_qr(y, flat, 4, 4, &f, &e), -1);
    assert_int_equal(linear_qr(y, flat, 2, 2, &f, &e), -1);
    assert_string_equal(e.text,
                        "2 features cannot be fitted to 2 rows: more rows are needed");
    assert_int_equal(linear_qr(hole, y, 4, 1, &f, &e), -1);
    assert_string_equal(e.text, "row 1, column 0 is not a finite number");
    assert_int_equal(linear_qr(y, hole, 4, 1, &f, &e), -1);
    assert_string_equal(e.text, "the target of row 1 is not a finite number");
    assert_int_equal(linear_qr(y, flat, 4, 0, &f, &e), -1);
    assert_string_equal(e.text, "a linear model needs 1 to 64 features, not 0");
}

/* Differences that are exactly 0.8 of the one before: known answers. */
static void seasonal_ar(void **state)
{
    (void)state;
    struct hours h;
    struct err e = ERR_INIT;
    double out[HORIZON_MAX], d = 2;
    assert_int_equal(hours_init(&h, 1795132800, 80, NULL), 0);
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = i < 24 ? 20 + (double)(i % 5) : h.y[i - 24] + (d *= 0.8);
    struct model *m = model_new(&algo_seasonal_ar_24, "x.y");
    assert_int_equal(m->algo->fit(m, &h, &e), 0);
    assert_near(m->decay, 0.8, 1e-9);
    assert_int_equal(m->training.rows, 55);
    assert_int_equal(m->algo->forecast(m, UNTIL(h, h.n), HORIZON_MAX, out, &e), 0);
    for (size_t k = 0; k < HORIZON_MAX; k++)
        assert_near(out[k], h.y[56 + k % 24] + d * pow(0.8, (double)k + 1), 1e-9);
    h.y[80 - 25] = NAN; /* today's difference is not known: the day alone */
    assert_int_equal(m->algo->forecast(m, UNTIL(h, h.n), 1, out, &e), 0);
    assert_near(out[0], h.y[56], 0);
    h.y[56] = NAN;
    assert_int_equal(m->algo->forecast(m, UNTIL(h, h.n), 1, out, &e), -1);
    for (size_t i = 0; i < h.n; i++) /* each day like the one before */
        h.y[i] = (double)(i % 24);
    assert_int_equal(m->algo->fit(m, &h, &e), 0);
    assert_near(m->decay, 0, 0);
    model_free(m);
    hours_done(&h);
}

/* Of a week in which it rains on every third hour, and before it on all. */
static void median(void **state)
{
    (void)state;
    struct hours h;
    struct err e = ERR_INIT;
    double out[HORIZON_MAX];
    assert_int_equal(hours_init(&h, 1795132800, 200, NULL), 0);
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = i < 32 || i % 3 == 1 ? (double)i : 0.5;
    struct model *m = model_new(&algo_median_168, "x.y");
    assert_int_equal(m->algo->fit(m, &h, &e), 0);
    assert_int_equal(m->training.rows, 200);
    assert_int_equal(m->algo->forecast(m, &h, HORIZON_MAX, out, &e), 0);
    for (size_t k = 0; k < HORIZON_MAX; k++)
        assert_near(out[k], 0.5, 0);
    for (size_t i = 32; i < h.n; i++) /* of two hours the mean, whatever is missing */
        h.y[i] = i == 40 ? 3 : i == 199 ? 4 : NAN;
    assert_int_equal(m->algo->forecast(m, &h, 1, out, &e), 0);
    assert_near(out[0], 3.5, 0);
    h.y[40] = h.y[199] = NAN;
    assert_int_equal(m->algo->forecast(m, &h, 1, out, &e), -1);
    model_free(m);
    hours_done(&h);
}

/* The weights of the newest hour, by hand: 1/4 + 3/4 exp(-k / 6). */
static void fading_naive(void **state)
{
    (void)state;
    struct hours h;
    struct err e = ERR_INIT;
    double out[HORIZON_MAX];
    assert_int_equal(hours_init(&h, 1795132800, 24, NULL), 0);
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = (double)i;
    struct model *m = model_new(&algo_fading_naive_24, "x.y");
    assert_int_equal(m->algo->fit(m, &h, &e), 0);
    assert_int_equal(m->algo->forecast(m, &h, HORIZON_MAX, out, &e), 0);
    assert_near(out[0], 0.8848612936679606 * 23, 1e-8);
    assert_near(out[5], 0.5259095808785818 * 23 + 0.4740904191214182 * 5, 1e-8);
    assert_near(out[47], 23, 1e-8);
    assert_near(out[30], 0.2542776617485055 * 23 + 0.7457223382514945 * 6, 1e-8);
    h.y[3] = NAN;
    assert_int_equal(m->algo->forecast(m, &h, HORIZON_MAX, out, &e), -1);
    h.n = 23;
    assert_int_equal(m->algo->fit(m, &h, &e), -1);
    model_free(m);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_well_formed),
        cmocka_unit_test(test_fits_and_forecasts),
        cmocka_unit_test(test_saves_and_loads),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_stays_finite),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(unknown_name),
        cmocka_unit_test(seasonal_ar),
        cmocka_unit_test(median),
        cmocka_unit_test(fading_naive),
        cmocka_unit_test(longley),
        cmocka_unit_test(collinear),
        cmocka_unit_test(solver_refusals),
    };
    growing_init(&growing, 3600);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
