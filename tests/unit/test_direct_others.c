/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a forecast gains by the hours of another that lie before what is forecast, and
 * that it reads none before it is known. */
#include "tests/unit/follower.h"

#include "common/mem.h"
#include "common/ml/algos.h"
#include "common/ml/candidates.h"
#include "common/ml/gram.h"
#include "common/ml/model.h"
#include "common/ml/train.h"
#include "tests/unit/near.h"

#define N 1344
#define PART 1176

/* a follows b by so many hours; b stands beside it. */
struct pair {
    struct hours a, b;
    struct others o;
};

static void pair_init(struct pair *p, int lag, unsigned seed)
{
    follower(&p->a, &p->b, N, lag, seed);
    others_init(&p->o, &p->a);
    others_add(&p->o, "d.b", &p->b);
    others_lags(&p->o, &p->a);
    p->a.beside = &p->o;
}

static void pair_done(struct pair *p)
{
    others_done(&p->o);
    hours_done(&p->a);
    hours_done(&p->b);
}

/* The last two candidates are direct and direct_others. */
static struct model *fitted(const struct hours *h, bool others)
{
    struct err e = ERR_INIT;
    const struct candidate *c = &candidates[n_candidates - (others ? 1 : 2)];
    struct model *m = candidate_model(c, "d.a");
    assert_true(m->algo == (others ? &algo_direct_others : &algo_direct));
    assert_ok(m->algo->fit(m, h, &e), e);
    return m;
}

/* Mean absolute errors over the last week, of leads 1 to 6 and of all behind. */
static void errors(const struct hours *a, bool others, double *near, double *far)
{
    struct err e = ERR_INIT;
    double yhat[HORIZON_MAX];
    const struct hours part = hours_part(a, 0, PART);
    struct model *m = fitted(&part, others);
    *near = *far = 0;
    for (size_t n = PART; n + HORIZON_MAX <= N; n++) {
        const struct hours past = hours_part(a, 0, n);
        assert_ok(model_points(m, &past, HORIZON_MAX, yhat, &e), e);
        for (size_t k = 0; k < HORIZON_MAX; k++)
            *(k < 6 ? near : far) += fabs(yhat[k] - a->y[n + k]);
    }
    model_free(m);
}

static void what_follows_is_forecast(void **state)
{
    (void)state;
    double near[2] = {0, 0}, far[2] = {0, 0};
    for (unsigned seed = 1; seed <= 4; seed++) {
        struct pair p;
        pair_init(&p, 6, seed);
        assert_int_equal(p.o.of[0].lag, 6);
        for (int others = 0; others < 2; others++) {
            double n, f;
            errors(&p.a, others, &n, &f);
            near[others] += n;
            far[others] += f;
        }
        pair_done(&p);
    }
    assert_true(near[1] < near[0] * 2 / 3);
    assert_true(far[1] < far[0]);
}

/* a is what b was six hours ago: what is learnt at a lead is what is read there. */
static void serving_reads_what_training_read(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct pair p;
    double yhat[HORIZON_MAX];
    pair_init(&p, 6, 1);
    for (size_t t = 6; t < N; t++)
        p.a.y[t] = p.b.y[t - 6];
    others_lags(&p.o, &p.a);
    const struct hours part = hours_part(&p.a, 0, PART);
    struct model *m = fitted(&part, true);
    m->params[0] = RIDGE_MIN_STRENGTH;
    assert_ok(m->algo->fit(m, &part, &e), e);
    const struct exogenous *x = m->features.exogenous;
    assert_int_equal(x->n_lags, 2);
    assert_true(x->lags[0] == 1 && x->lags[1] == 6);
    for (size_t n = PART; n + 6 <= N; n++) {
        const struct hours past = hours_part(&p.a, 0, n);
        assert_ok(model_points(m, &past, HORIZON_MAX, yhat, &e), e);
        for (size_t k = 0; k < 6; k++)
            assert_near(yhat[k], p.a.y[n + k], 1e-3);
    }
    model_free(m);
    pair_done(&p);
}

/* What comes after the origin changes neither what is fitted nor what is forecast. */
static void nothing_is_read_too_early(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct pair p;
    double before[HORIZON_MAX], after[HORIZON_MAX];
    pair_init(&p, 9, 2);
    const struct hours part = hours_part(&p.a, 0, PART);
    struct model *m = fitted(&part, true), *again;
    assert_int_equal(m->features.exogenous->lags[1], 9);
    assert_ok(model_points(m, &part, HORIZON_MAX, before, &e), e);
    for (size_t t = PART; t < N; t++)
        p.o.of[0].y[t] = p.a.y[t] = 1e6;
    again = fitted(&part, true);
    assert_memory_equal(m->coef, again->coef,
                        HORIZON_MAX * (features_columns(&m->features) + 1) * 8);
    assert_ok(model_points(m, &part, HORIZON_MAX, after, &e), e);
    assert_memory_equal(before, after, sizeof before);
    model_free(again);
    model_free(m);
    pair_done(&p);
}

/* Lead k: 1000 × its number, the other's newest hour, and 0.01 × that so many hours
 * before. */
static struct model *made(size_t n_lags, int second)
{
    struct model *m = model_new(&algo_direct_others, "d.a");
    m->features = (struct feature_spec){.n_lags = 1, .lags = {1}, .n_exogenous = 1};
    m->features.exogenous = xcalloc(1, sizeof *m->features.exogenous);
    *m->features.exogenous = (struct exogenous){"d.b", n_lags, {1, second}, 7};
    m->coef = xcalloc(HORIZON_MAX * (2 + n_lags), sizeof *m->coef);
    m->clip_low = -(m->clip_high = 1e6);
    for (size_t k = 0; k < HORIZON_MAX; k++) {
        double *c = m->coef + k * (2 + n_lags);
        c[0] = 1000 * (double)(k + 1);
        c[2] = 1;
        if (n_lags > 1)
            c[3] = 0.01;
    }
    return m;
}

static double at_lead(const struct model *m, const struct hours *past, size_t lead)
{
    struct err e = ERR_INIT;
    double yhat[HORIZON_MAX], many[FORECAST_MANY][HORIZON_MAX];
    const struct model *four[] = {m, m, m, m};
    const struct hours pasts[] = {*past, *past, *past, *past};
    assert_ok(model_points(m, past, HORIZON_MAX, yhat, &e), e);
    assert_true(model_points_many(four, pasts, HORIZON_MAX, many));
    assert_memory_equal(many[3], yhat, sizeof yhat);
    return yhat[lead - 1] - 1000 * (double)lead;
}

/* Hour i of the other is i. */
static void each_lead_reads_its_hour(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, 0, 1);
    for (size_t t = 0; t < N; t++)
        p.o.of[0].y[t] = (double)t;
    const struct hours past = hours_part(&p.a, 0, 101);
    struct model *m = made(2, 6), *old = made(1, 0);
    assert_near(at_lead(m, &past, 1), 100 + 0.95, 1e-9);
    assert_near(at_lead(m, &past, 5), 100 + 0.99, 1e-9);
    assert_near(at_lead(m, &past, 6), 100, 1e-9); /* the newest is read already */
    assert_near(at_lead(m, &past, 7), 100, 1e-9); /* and this is not known */
    for (size_t lead = 1; lead <= HORIZON_MAX; lead++)
        assert_near(at_lead(old, &past, lead), 100, 1e-9);
    p.o.of[0].y[98] = NAN; /* what was there last */
    assert_near(at_lead(m, &past, 4), 100 + 0.97, 1e-9);
    assert_int_equal(model_others_missing(m, &past), 0);
    for (size_t t = 0; t < 98; t++) /* it begins with hour 99 */
        p.o.of[0].y[t] = NAN;
    assert_near(at_lead(m, &past, 3), 100 + 0.07, 1e-9);
    assert_near(at_lead(m, &past, 5), 100 + 0.99, 1e-9);
    assert_int_equal(model_others_missing(m, &past), 1);
    assert_int_equal(model_others_missing(old, &past), 0);
    model_free(m);
    model_free(old);
    pair_done(&p);
}

static void saved_and_loaded(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct pair p;
    char name[FEATURE_NAME_SIZE];
    double before[HORIZON_MAX], after[HORIZON_MAX];
    pair_init(&p, 6, 3);
    struct model *m = fitted(&p.a, true);
    size_t len, columns = features_columns(&m->features);
    assert_string_equal(features_name(&m->features, columns - 1, name), "d.b.lag_6");
    char *doc = model_document(m, &len);
    assert_non_null(
        strstr(doc, "\"exogenous\":[{\"series\":\"d.b\",\"lags\":[1,6],\"mean\":"));
    struct model *back = model_parse(doc, len, &e);
    assert_non_null(back);
    char *again = model_document(back, NULL);
    assert_string_equal(doc, again);
    assert_ok(model_points(m, &p.a, HORIZON_MAX, before, &e), e);
    assert_ok(model_points(back, &p.a, HORIZON_MAX, after, &e), e);
    assert_memory_equal(before, after, sizeof before);
    free(again);
    free(doc);
    model_free(back);
    model_free(m);
    pair_done(&p);
}

/* What a model, or a member of it, reads of others; NULL: nothing. */
static const struct exogenous *read_by(const struct model *m)
{
    const struct exogenous *x = m->features.exogenous;
    for (size_t i = 0; i < m->n_members && !x; i++)
        x = read_by(m->member[i]);
    return x;
}

/* A training goes by its rows alone: a lag that came with them does not count, nor what
 * the gate's week says. Made again from them, the document is the same. */
static void a_training_finds_it(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct pair p;
    struct train_result r, again;
    const struct train_opts opts = {
        .series = "d.a", .code = "x", .horizon = 48, .level = 0.95, .seed = 1};
    pair_init(&p, 6, 4);
    assert_ok(train_series(&p.a, NULL, &opts, &r, &e), e);
    p.o.of[0].lag = 20;
    assert_ok(train_series(&p.a, NULL, &opts, &again, &e), e);
    assert_int_equal(p.o.of[0].lag, 20); /* the caller's */
    char *doc = model_document(r.model, NULL), *doc2 = model_document(again.model, NULL);
    assert_string_equal(doc, doc2);
    const struct exogenous *x = read_by(r.model);
    assert_non_null(x);
    assert_true(x->n_lags == 2 && x->lags[1] == 6);
    train_result_done(&again);
    for (size_t t = PART; t < N; t++) /* now it is three hours before */
        p.o.of[0].y[t] = p.b.y[t - 3];
    assert_ok(train_series(&p.a, NULL, &opts, &again, &e), e);
    x = read_by(again.model);
    assert_true(!x || x->lags[1] == 6);
    free(doc);
    free(doc2);
    train_result_done(&r);
    train_result_done(&again);
    pair_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_is_forecast),
        cmocka_unit_test(serving_reads_what_training_read),
        cmocka_unit_test(nothing_is_read_too_early),
        cmocka_unit_test(each_lead_reads_its_hour),
        cmocka_unit_test(saved_and_loaded),
        cmocka_unit_test(a_training_finds_it),
    };
    return cmocka_run_group_tests_name("direct_others", tests, NULL, NULL);
}
