/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A training's metrics, each worked out anew from the series and from what was judged,
 * as docs/forecasting.md defines it: none of the formulas are those of score.c. */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "common/ml/choice.h"
#include "common/ml/conformal.h"
#include "common/ml/scales.h"
#include "tests/unit/near.h"
#include "tests/unit/training.h"

/* Some six weeks, of which the last is held out; an origin every second hour, each with
 * two days behind it. */
#define HOURS 1000
#define PART 832
#define FIRST 831
#define STEP 2
#define LEADS 48
#define ORIGINS 61
#define PAIRS (ORIGINS * LEADS)
#define LEVEL 0.9 /* not the usual one, which a formula might have by heart */

/* What a training does, step by step. */
struct again {
    struct hours raw, filled;
    struct scales scales;
    struct truth t;
    struct choice ch;
    struct pick early, late;
    const struct candidate *served;
    struct model *judged; /* fitted to the first PART hours, with its band */
    double made[ORIGINS][HORIZON_MAX];
    /* pairs of the holdout where both are there */
    size_t n, lead[PAIRS];
    double y[PAIRS], f[PAIRS], lower[PAIRS], upper[PAIRS];
};

/* With holes: of two hours, of ten, and of two in the holdout, the first of them an
 * origin. */
static struct hours holed(void)
{
    static const size_t holes[][2] = {{300, 2}, {500, 10}, {901, 2}};
    struct hours h = made_series(HOURS, 20, 3, 2, 0.5, 0.7, 23);
    for (size_t i = 0; i < N_OF(holes); i++)
        for (size_t k = 0; k < holes[i][1]; k++)
            h.y[holes[i][0] + k] = NAN;
    return h;
}

static void choose_again(struct again *a)
{
    a->ch = (struct choice){.list = candidates,
                            .n = n_candidates,
                            .plan = plan_choice(HOURS, LEADS, HOURS / 4)};
    for (size_t c = 0; c < n_candidates; c++) {
        const struct candidate *one = &candidates[c];
        size_t n = plan_choice(HOURS, LEADS, candidate_min_hours(one)).n;
        a->ch.tried[c] = n >= BACKTEST_MIN_ORIGINS && !one->algo->reads_others &&
                         candidate_suits(one, a->raw.y, HOURS);
        if (a->ch.tried[c])
            backtest_candidate(one, &a->t, HOURS, &a->ch.plan, &a->ch.bt[c]);
    }
    pick_make(&a->early, &a->ch, &a->t, PART, true);
    pick_make(&a->late, &a->ch, &a->t, HOURS, true);
    assert_true(a->early.best >= 0 && a->late.best >= 0);
    a->served = pick_candidate(&a->late, a->late.best);
}

/* What was known before the holdout, and its band: of errors that were known, too. */
static void fit_again(struct again *a)
{
    const struct candidate *c = pick_candidate(&a->early, a->early.best);
    const struct backtest *b = pick_backtest(&a->early, c);
    struct hours part = hours_part(&a->filled, 0, PART);
    struct err e = ERR_INIT;
    double half[LEADS];
    size_t n = 0;
    a->judged = candidate_model(c, "kitchen.temperature");
    assert_ok(a->judged->algo->fit(a->judged, &part, &e), e);
    while (n < b->plan.n && plan_origin(&b->plan, n) + LEADS < PART)
        n++;
    assert_true(conformal_widths(b->residual, n, LEADS, LEVEL, half));
    model_set_band(a->judged, half, LEADS, LEVEL);
}

static void forecast_again(struct again *a)
{
    for (size_t i = 0; i < ORIGINS; i++) {
        size_t origin = FIRST + i * STEP;
        struct hours past = hours_part(&a->filled, 0, origin + 1);
        if (isnan(a->raw.y[origin]))
            continue;
        assert_int_equal(model_points(a->judged, &past, LEADS, a->made[i], NULL), 0);
        for (size_t k = 1; k <= LEADS; k++) {
            struct forecast f = {.yhat = a->made[i][k - 1]};
            if (isnan(a->raw.y[origin + k]))
                continue;
            model_band(a->judged, k - 1, LEVEL, &f);
            a->lead[a->n] = k;
            a->y[a->n] = a->raw.y[origin + k];
            a->f[a->n] = f.yhat;
            a->lower[a->n] = f.lower;
            a->upper[a->n++] = f.upper;
        }
    }
}

static struct again *train_again(const struct hours *h)
{
    struct again *a = calloc(1, sizeof *a);
    assert_non_null(a);
    a->raw = *h;
    assert_int_equal(hours_copy(&a->filled, h, NULL), 0);
    hours_interpolate(&a->filled, 3);
    scales_init(&a->scales, &a->filled);
    a->filled.scales = &a->scales;
    a->t = (struct truth){&a->filled, a->raw.y};
    choose_again(a);
    fit_again(a);
    forecast_again(a);
    return a;
}

static void forget(struct again *a)
{
    model_free(a->judged);
    pick_done(&a->late);
    pick_done(&a->early);
    choice_done(&a->ch);
    scales_done(&a->scales);
    hours_done(&a->filled);
    free(a);
}

/* ---- the definitions ---- */

/* Of one lead, or (0) of all. */
static double mae(const struct again *a, size_t lead)
{
    double sum = 0, n = 0;
    for (size_t i = 0; i < a->n; i++)
        if (!lead || a->lead[i] == lead) {
            sum += fabs(a->y[i] - a->f[i]);
            n++;
        }
    return sum / n;
}

static double mean_square(const struct again *a)
{
    double sum = 0;
    for (size_t i = 0; i < a->n; i++)
        sum += (a->y[i] - a->f[i]) * (a->y[i] - a->f[i]);
    return sum / (double)a->n;
}

static double bias(const struct again *a)
{
    double sum = 0;
    for (size_t i = 0; i < a->n; i++)
        sum += a->f[i] - a->y[i];
    return sum / (double)a->n;
}

static double r2(const struct again *a)
{
    double mean = 0, around = 0;
    for (size_t i = 0; i < a->n; i++)
        mean += a->y[i] / (double)a->n;
    for (size_t i = 0; i < a->n; i++)
        around += (a->y[i] - mean) * (a->y[i] - mean);
    return 1 - mean_square(a) * (double)a->n / around;
}

static double smape(const struct again *a)
{
    double sum = 0;
    for (size_t i = 0; i < a->n; i++)
        sum += fabs(a->y[i] - a->f[i]) / (fabs(a->y[i]) + fabs(a->f[i]));
    return 200 * sum / (double)a->n;
}

/* The scale: what the same hour of the day before errs over the hours before the
 * holdout. */
static double q(const struct again *a)
{
    double sum = 0, n = 0;
    for (size_t i = 24; i < PART; i++)
        if (!isnan(a->raw.y[i]) && !isnan(a->raw.y[i - 24])) {
            sum += fabs(a->raw.y[i] - a->raw.y[i - 24]);
            n++;
        }
    return sum / n;
}

static double coverage(const struct again *a)
{
    double inside = 0;
    for (size_t i = 0; i < a->n; i++)
        inside += a->lower[i] <= a->y[i] && a->y[i] <= a->upper[i];
    return inside / (double)a->n;
}

static double msis(const struct again *a)
{
    double sum = 0;
    for (size_t i = 0; i < a->n; i++)
        sum += a->upper[i] - a->lower[i] +
               2 / (1 - LEVEL) *
                   (fmax(a->lower[i] - a->y[i], 0) + fmax(a->y[i] - a->upper[i], 0));
    return sum / (double)a->n / q(a);
}

/* lead hours after the i-th origin */
typedef double forecaster(const struct again *a, size_t i, size_t lead);

static double judged(const struct again *a, size_t i, size_t lead)
{
    return a->made[i][lead - 1];
}

static double persistence(const struct again *a, size_t i, size_t lead)
{
    (void)lead;
    return a->filled.y[FIRST + i * STEP];
}

static double day_before(const struct again *a, size_t i, size_t lead)
{
    return a->filled.y[FIRST + i * STEP + lead - (lead + 23) / 24 * 24];
}

/* As the gate compares them: each origin's mean counts the same, however many of its
 * hours were measured. */
static double by_origin(const struct again *a, forecaster *f)
{
    double all = 0, origins = 0;
    for (size_t i = 0; i < ORIGINS; i++) {
        const double *y = &a->raw.y[FIRST + i * STEP];
        double sum = 0, n = 0;
        for (size_t k = 1; k <= LEADS && !isnan(*y); k++)
            if (!isnan(y[k])) {
                sum += fabs(y[k] - f(a, i, k));
                n++;
            }
        all += n > 0 ? sum / n : 0;
        origins += n > 0;
    }
    return all / origins;
}

/* Of what is served, over the origins that all candidates have in common. */
static double backtest_mae(const struct again *a)
{
    const struct backtest *b = pick_backtest(&a->late, a->served);
    double all = 0, origins = 0;
    for (size_t i = 0; i < b->plan.n; i++) {
        const double *y = &a->raw.y[plan_origin(&b->plan, i)];
        double sum = 0, n = 0;
        if (!backtest_common(a->ch.bt, a->ch.n, a->late.used, i))
            continue;
        for (size_t k = 1; k <= LEADS; k++)
            if (!isnan(y[k])) {
                sum += fabs(y[k] - b->yhat[i * LEADS + k - 1]);
                n++;
            }
        all += sum / n;
        origins++;
    }
    return all / origins;
}

/* Sample standard deviation of the errors of the next hour, in backtest and holdout. */
static double lead1_sd(const struct again *a)
{
    const struct backtest *b = pick_backtest(&a->late, a->served);
    double error[BACKTEST_MAX_ORIGINS + ORIGINS], mean = 0, square = 0;
    size_t n = 0;
    for (size_t i = 0; i < b->plan.n; i++) {
        error[n] = a->raw.y[plan_origin(&b->plan, i) + 1] - b->yhat[i * LEADS];
        n += !isnan(error[n]);
    }
    for (size_t i = 0; i < a->n; i++)
        if (a->lead[i] == 1)
            error[n++] = a->y[i] - a->f[i];
    for (size_t i = 0; i < n; i++)
        mean += error[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        square += (error[i] - mean) * (error[i] - mean);
    return sqrt(square / (double)(n - 1));
}

/* Of the fit to all hours, which serves. */
static double rows(const struct again *a)
{
    struct model *m = candidate_model(a->served, "kitchen.temperature");
    assert_int_equal(m->algo->fit(m, &a->filled, NULL), 0);
    double n = (double)m->training.rows;
    model_free(m);
    return n;
}

/* ---- */

struct told {
    const char *name;
    double value;
};

/* These and no others, but for the diagnostics, which are tested elsewhere. */
static void assert_metrics(const struct train_result *r, const struct told *t, size_t n)
{
    const char *name;
    json_t *v;
    size_t there = 0;
    for (size_t i = 0; i < n; i++) {
        double is = metric(r, t[i].name);
        if (!(fabs(is - t[i].value) <= 1e-12 * fabs(t[i].value)))
            fail_msg("%s is %.17g, not %.17g", t[i].name, is, t[i].value);
    }
    json_object_foreach(r->metrics, name, v)
    {
        size_t i = 0;
        if (!strncmp(name, "diag_", 5))
            continue;
        while (i < n && strcmp(t[i].name, name) != 0)
            i++;
        if (i == n)
            fail_msg("nobody knows what %s is to be", name);
        there++;
    }
    assert_int_equal(there, n);
}

static void known_answers(void **state)
{
    (void)state;
    struct train_opts o = opts;
    struct hours h = holed();
    o.level = LEVEL;
    struct train_result r = trained(&h, NULL, &o);
    struct again *a = train_again(&h);
    assert_string_equal(candidate(&r), a->served->name);
    const double c = by_origin(a, judged), p = by_origin(a, persistence),
                 s = by_origin(a, day_before);
    const struct told all[] = {
        {"mae", mae(a, 0)},
        {"rmse", sqrt(mean_square(a))},
        {"bias", bias(a)},
        {"r2", r2(a)},
        {"smape", smape(a)},
        {"mase", mae(a, 0) / q(a)},
        {"coverage", coverage(a)},
        {"msis", msis(a)},
        {"mae_persistence", p},
        {"mae_seasonal_naive", s},
        {"skill_persistence", 1 - c / p},
        {"skill_seasonal_naive", 1 - c / s},
        {"mae_lead_1", mae(a, 1)},
        {"mae_lead_6", mae(a, 6)},
        {"mae_lead_12", mae(a, 12)},
        {"mae_lead_24", mae(a, 24)},
        {"mae_lead_48", mae(a, 48)},
        {"backtest_mae", backtest_mae(a)},
        {"lead1_sd", lead1_sd(a)},
        {"rows", rows(a)},
        {"hours", HOURS},
        {"missing_hours", 14},
        /* 60 origins; hour 901 is ahead of 24 of them, 902 of 23 */
        {"holdout_pairs", 60 * 48 - 24 - 23},
    };
    assert_metrics(&r, all, N_OF(all));
    /* so that one definition cannot pass for another */
    assert_true(fabs(mae(a, 0) - c) > 1e-6 && coverage(a) < 1 && fabs(bias(a)) > 1e-6);
    forget(a);
    train_result_done(&r);
    hours_done(&h);
}

/* A scale of 0, baselines without an error, leads that the holdout has not: absent. */
static void what_is_not_known_is_absent(void **state)
{
    (void)state;
    static const struct told all[] = {
        {"mae", 0},
        {"rmse", 0},
        {"bias", 0},
        {"r2", 1},
        {"smape", 0},
        {"coverage", 1},
        {"mae_persistence", 0},
        {"mae_seasonal_naive", 0},
        {"mae_lead_1", 0},
        {"mae_lead_6", 0},
        {"mae_lead_12", 0},
        {"backtest_mae", 0},
        {"lead1_sd", 0},
        {"rows", 0}, /* persistence has nothing to fit */
        {"hours", 100},
        {"missing_hours", 0},
        {"holdout_pairs", 14 * 12},
    };
    struct hours h = made_series(100, 7, 0, 0, 0, 0, 1);
    struct train_result r = trained(&h, NULL, &opts);
    assert_metrics(&r, all, N_OF(all));
    train_result_done(&r);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(what_is_not_known_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
