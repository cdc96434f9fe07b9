/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is usual at each hour of the week, how far it is drawn towards nothing, on whose
 * clocks, and the regression behind it. */
#include "tests/unit/series.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <string.h>

#include "common/ml/algos.h"
#include "common/ml/gram.h"
#include "common/ml/linear.h"
#include "common/ml/model.h"
#include "common/ml/zone.h"
#include "tests/unit/near.h"
#include "tests/unit/past.h"

#define MONDAY_S (4 * 86400) /* 1970-01-05 */
#define WEEK 168

static struct hours begun(size_t n)
{
    struct hours h;
    assert_int_equal(hours_init(&h, MONDAY_S, n, NULL), 0);
    return h;
}

/* A shop: open from 8 to 18, but on Sundays, and on Saturdays for half of the day. */
static double open(size_t hour_of_week)
{
    size_t day = hour_of_week / 24, hour = hour_of_week % 24;
    return day < 6 && hour >= 8 && hour < (day == 5 ? 13 : 18) ? 40 + (double)day : 3;
}

static struct model *fitted(const struct hours *h)
{
    struct err e = ERR_INIT;
    struct model *m = model_new(&algo_profile, "shop.load");
    assert_ok(m->algo->fit(m, h, &e), e);
    return m;
}

/* What repeats each week is forecast as it was, to the last digits. */
static void a_week_that_repeats(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    double yhat[48];
    for (size_t n = 504; n < 504 + WEEK; n += 31) {
        struct hours h = begun(n);
        for (size_t t = 0; t < n; t++)
            h.y[t] = open(t % WEEK);
        struct model *m = fitted(&h);
        assert_ok(model_points(m, &h, 48, yhat, &e), e);
        for (size_t k = 0; k < 48; k++)
            assert_near(yhat[k], open((n + k) % WEEK), 1e-9);
        model_free(m);
        hours_done(&h);
    }
}

/* The means of x by hour of the week modulo bins, by the definitions: each times
 * between / (between + within / count), from the variances of an analysis of variance. */
static void by_hand(double *x, size_t n, size_t bins, double usual[WEEK])
{
    double mean[WEEK], count[WEEK], grand = 0, within = 0, between = 0, chance = 0;
    size_t all = 0;
    for (size_t i = 0; i < bins; i++) {
        mean[i] = count[i] = 0;
        for (size_t t = i; t < n; t += bins)
            if (isfinite(x[t])) {
                mean[i] += x[t];
                grand += x[t];
                count[i]++;
                all++;
            }
        mean[i] /= count[i];
        for (size_t t = i; t < n; t += bins)
            within += isfinite(x[t]) ? (x[t] - mean[i]) * (x[t] - mean[i]) : 0;
    }
    grand /= (double)all;
    within /= (double)(all - bins);
    for (size_t i = 0; i < bins; i++) {
        between += (mean[i] - grand) * (mean[i] - grand) / (double)bins;
        chance += within / count[i] / (double)bins;
    }
    between = fmax(between - chance, 0);
    for (size_t i = 0; i < WEEK; i++) {
        size_t at = i % bins;
        double share = between > 0 ? between / (between + within / count[at]) : 0;
        usual[i] += (mean[at] - grand) * share;
    }
    for (size_t t = 0; t < n; t++)
        x[t] -= bins == WEEK ? 0 : usual[t % WEEK];
}

/* In whole weeks, so that the level off can be made from scratch: every window sees each
 * hour of the week once. */
static void usual_by_hand(const struct hours *h, double usual[WEEK])
{
    size_t n = h->n, half = WEEK / 2;
    double *x = calloc(n, sizeof *x);
    for (size_t t = 0; t < n; t++) {
        size_t mid = t < half ? half : t > n - 1 - half ? n - 1 - half : t;
        double sum = 0, weight = 0;
        for (size_t u = mid - half; u <= mid + half; u++) {
            double w = u == mid - half || u == mid + half ? 0.5 : 1;
            sum += isfinite(h->y[u]) ? w * h->y[u] : 0;
            weight += isfinite(h->y[u]) ? w : 0;
        }
        x[t] = h->y[t] - sum / weight;
    }
    memset(usual, 0, WEEK * sizeof *usual);
    by_hand(x, n, 24, usual);
    by_hand(x, n, WEEK, usual);
    free(x);
}

static struct hours noisy(size_t n, double week, unsigned long seed)
{
    struct hours h = begun(n);
    gsl_rng *g = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(g, seed);
    double r = 0;
    for (size_t t = 0; t < n; t++) {
        r = 0.5 * r + gsl_ran_gaussian(g, 5);
        h.y[t] = 1000 + week * open(t % WEEK) + r;
    }
    gsl_rng_free(g);
    return h;
}

static void usual_is_shrunk(void **state)
{
    (void)state;
    double want[WEEK];
    for (int holes = 0; holes < 2; holes++) {
        struct hours h = noisy(5 * WEEK, 0.3, 4);
        for (size_t t = 200; holes && t < 800; t += 37)
            h.y[t] = NAN;
        struct model *m = fitted(&h);
        usual_by_hand(&h, want);
        for (size_t i = 0; i < WEEK; i++)
            assert_near(m->usual[i], want[i], 1e-9);
        model_free(m);
        hours_done(&h);
    }
}

/* The regression is ridge on what is left, whether hours are missing or not. */
static void regression_of_the_rest(void **state)
{
    (void)state;
    for (int holes = 0; holes < 2; holes++) {
        struct hours h = noisy(900, 1, 5);
        if (holes)
            h.y[400] = h.y[401] = NAN;
        struct model *m = fitted(&h);
        size_t cols = m->features.n_lags;
        struct gram *g = gram_new(cols);
        struct linear_fit f;
        struct err e = ERR_INIT;
        for (size_t t = 0; t < h.n; t++)
            h.y[t] -= m->usual[t % WEEK];
        for (size_t t = 26; t < h.n; t++) {
            double row[FEATURES_MAX];
            if (!features_row(&m->features, h.y, t, 0, row) && isfinite(h.y[t]))
                gram_add(g, row, h.y[t]);
        }
        assert_int_equal(m->training.rows, gram_rows(g));
        assert_int_equal(m->training.rows, 874 - (holes ? 2 + 3 + 5 : 0));
        assert_ok(gram_ridge(g, 1, &f, &e), e);
        for (size_t i = 0; i < cols; i++)
            assert_near(m->coef[i], f.coef[i], 1e-7);
        assert_near(m->intercept, f.intercept, 1e-7);
        gram_free(g);
        model_free(m);
        hours_done(&h);
    }
}

/* A first hour far off, as of a device that starts, costs no digits of the others. */
static void first_hour_far_off(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    double want[48], yhat[48];
    struct hours h = noisy(900, 1, 9);
    struct model *m = fitted(&h);
    assert_ok(model_points(m, &h, 48, want, &e), e);
    model_free(m);
    for (double far = 1e9; far < 1e13; far *= 1000) {
        h.y[0] = far;
        m = fitted(&h);
        assert_true(isfinite(m->intercept) && fabs(m->intercept - 1000) < 50);
        model_free(m);
    }
    h.y[0] = NAN; /* what it would be without it */
    m = fitted(&h);
    assert_ok(model_points(m, &h, 48, yhat, &e), e);
    for (size_t k = 0; k < 48; k++)
        assert_near(yhat[k], want[k], 1);
    model_free(m);
    hours_done(&h);
}

/* Without a week in the series next to nothing is usual of one, and less than the means
 * of four weeks would say. */
static void chance_is_not_usual(void **state)
{
    (void)state;
    double kept = 0, raw = 0;
    for (unsigned long seed = 1; seed <= 20; seed++) {
        struct hours h = noisy(4 * WEEK, 0, seed);
        struct model *m = fitted(&h);
        for (size_t i = 0; i < WEEK; i++) {
            double mean = 0;
            for (size_t t = i; t < h.n; t += WEEK)
                mean += (h.y[t] - 1000) / 4;
            raw += mean * mean;
            kept += m->usual[i] * m->usual[i];
        }
        model_free(m);
        hours_done(&h);
    }
    assert_true(kept < 0.1 * raw);
}

/* By the site's clocks: an hour later in summer, as people come an hour earlier. */
static void by_the_clock(void **state)
{
    (void)state;
    size_t n = 5 * WEEK, change = 4 * WEEK + 30;
    struct zone summer = {.name = "Europe/Berlin",
                          .n = 2,
                          .span = {{0, 3600}, {MONDAY_S + 3600 * (int64_t)change, 7200}}};
    struct hours h = begun(n);
    double yhat[48], error[2] = {0};
    for (size_t t = 0; t < n; t++)
        h.y[t] = open((t + (t < change ? 1 : 2)) % WEEK);
    for (int there = 0; there < 2; there++) {
        h.zone = there ? &summer : NULL;
        struct model *m = fitted(&h);
        struct err e = ERR_INIT;
        assert_ok(model_points(m, &h, 48, yhat, &e), e);
        for (size_t k = 0; k < 48; k++)
            error[there] += fabs(yhat[k] - open((n + k + 2) % WEEK)) / 48;
        model_free(m);
    }
    h.zone = NULL;
    hours_done(&h);
    assert_true(error[1] < 0.3 && error[0] > 1);
}

/* A row of its lags and the hour they lead to. */
static void of_a_row(void **state)
{
    (void)state;
    struct hours h = noisy(905, 1, 6);
    struct model *m = fitted(&h);
    struct err e = ERR_INIT;
    struct forecast f;
    double yhat[1], x[FEATURES_MAX];
    for (size_t i = 0; i < m->features.n_lags; i++)
        x[i] = h.y[h.n - (size_t)m->features.lags[i]];
    assert_ok(model_points(m, &h, 1, yhat, &e), e);
    assert_ok(model_predict_row(m, x, h.start_s + 3600 * (int64_t)h.n, 0.95, &f, &e), e);
    assert_near(f.yhat, yhat[0], 1e-9);
    model_free(m);
    hours_done(&h);
}

static void refuses(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct hours h = noisy(400, 1, 7);
    struct hours few = hours_part(&h, 0, 167);
    struct model *m = model_new(&algo_profile, "shop.load");
    assert_int_equal(m->algo->fit(m, &few, &e), -1);
    assert_string_equal(e.text, "profile needs 168 hours, there are 167");
    for (size_t t = 0; t < h.n; t += 2)
        h.y[t] = NAN;
    assert_int_equal(m->algo->fit(m, &h, &e), -1);
    assert_string_equal(e.text, "profile needs 24 complete rows, there are 0");
    model_free(m);
    hours_done(&h);

    h = noisy(400, 1, 8);
    m = fitted(&h);
    json_t *doc = model_parts(m), *doc_state = json_object_get(doc, "state");
    json_array_remove(json_object_get(doc_state, "usual"), 0);
    assert_null(model_from_parts(doc, "shop.load", &e));
    assert_non_null(strstr(e.text, "\"state.usual\" must be an array of 168 numbers"));
    json_decref(doc);
    doc = model_parts(m);
    json_array_append_new(json_object_get(json_object_get(doc, "features"), "calendar"),
                          json_string("hour"));
    assert_null(model_from_parts(doc, "shop.load", &e));
    json_decref(doc);
    model_free(m);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_week_that_repeats),    cmocka_unit_test(usual_is_shrunk),
        cmocka_unit_test(regression_of_the_rest), cmocka_unit_test(chance_is_not_usual),
        cmocka_unit_test(by_the_clock),           cmocka_unit_test(of_a_row),
        cmocka_unit_test(first_hour_far_off),     cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
