/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/ml/ols_inference.h"
#include "common/ml/residual_tests.h"
#include "tests/unit/diagnostics_sample.h"

static struct design design;
static struct ols_inference fit;

static int setup(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    return design_init(&design, sample_x, SAMPLE_ROWS, SAMPLE_COLS, &e) ||
           ols_inference(&design, sample_y, 4, &fit, &e);
}

static int teardown(void **state)
{
    (void)state;
    ols_inference_done(&fit);
    design_done(&design);
    return 0;
}

/* stattools.jarque_bera(m.resid) */
static void normality(void **state)
{
    (void)state;
    struct normality t;
    struct err e = ERR_INIT;
    assert_ok(residual_normality(fit.residual, SAMPLE_ROWS, &t, &e), e);
    assert_like(t.jarque_bera.statistic, 1.9492349959335784);
    assert_like(t.jarque_bera.p, 0.37733665800191751);
    assert_like(t.skewness, -0.29976942993570965);
    assert_like(t.kurtosis, 2.2156718457999434);
}

/* diagnostic.het_breuschpagan(m.resid, X) */
static void spread(void **state)
{
    (void)state;
    struct spread t;
    struct err e = ERR_INIT;
    assert_ok(residual_spread(&design, fit.residual, &t, &e), e);
    assert_like(t.lm.statistic, 5.5824206503832414);
    assert_like(t.lm.p, 0.13379122110371119);
    assert_like(t.f.statistic, 1.9302257254580293);
    assert_like(t.f.p, 0.1385978760801736);
    /* of one size: nothing that could follow the columns */
    double same[SAMPLE_ROWS];
    for (int r = 0; r < SAMPLE_ROWS; r++)
        same[r] = r % 2 ? 0.3 : -0.3;
    assert_ok(residual_spread(&design, same, &t, &e), e);
    assert_true(t.lm.statistic == 0 && t.lm.p == 1 && t.f.statistic == 0 && t.f.p == 1);
}

/* stattools.durbin_watson(m.resid). Its mean and variance, and from them p, from dense
 * matrices: A = 2 on the diagonal (1 at its ends) and -1 beside it,
 * M = I - X (X'X)^-1 X', E = tr(MA) / (n - k), V = 2 (tr(MAMA) - (n - k) E²) /
 * ((n - k) (n - k + 2)), p = 2 * norm.sf(|d - E| / sqrt(V)). */
static void durbin_watson(void **state)
{
    (void)state;
    struct residual_test t;
    struct err e = ERR_INIT;
    assert_ok(residual_durbin_watson(&design, fit.residual, &t, &e), e);
    assert_like(t.statistic, 1.5791929045637538);
    assert_like(t.p, 0.11349726468929001);
}

/* diagnostic.acorr_breusch_godfrey(m, nlags) */
static void breusch_godfrey(void **state)
{
    (void)state;
    struct spread t;
    struct err e = ERR_INIT;
    assert_ok(residual_breusch_godfrey(&design, fit.residual, 1, &t, &e), e);
    assert_like(t.lm.statistic, 2.1299553773273683);
    assert_like(t.lm.p, 0.14444496087337486);
    assert_like(t.f.statistic, 1.9966861157097413);
    assert_like(t.f.p, 0.16484158718296477);
    assert_ok(residual_breusch_godfrey(&design, fit.residual, 4, &t, &e), e);
    assert_like(t.lm.statistic, 5.4657835050398358);
    assert_like(t.lm.p, 0.24275354935938961);
    assert_like(t.f.statistic, 1.2850321354073764);
    assert_like(t.f.p, 0.2920617914760601);
}

/* diagnostic.acorr_ljungbox(m.resid, lags=[1, 4, 12], model_df=0) and 2 */
static void ljung_box(void **state)
{
    (void)state;
    static const int lags[] = {1, 4, 12};
    static const double q[] = {2.0067477364624975, 5.2791681541422966,
                               6.4128234838588014};
    static const double p0[] = {0.1566007163414381, 0.25983338858958238,
                                0.89385977113721005};
    static const double p2[] = {0, 0.071390956517942569, 0.77946971346338734};
    struct residual_test t[3];
    struct err e = ERR_INIT;
    assert_ok(residual_ljung_box(fit.residual, SAMPLE_ROWS, lags, 3, 0, t, &e), e);
    for (int i = 0; i < 3; i++) {
        assert_like(t[i].statistic, q[i]);
        assert_like(t[i].p, p0[i]);
    }
    assert_ok(residual_ljung_box(fit.residual, SAMPLE_ROWS, lags, 3, 2, t, &e), e);
    assert_true(isnan(t[0].p)); /* more fitted than looked at */
    for (int i = 1; i < 3; i++)
        assert_like(t[i].p, p2[i]);
}

/* What is found does not depend on the unit, however far out. */
static void units(void **state)
{
    (void)state;
    static const double by[] = {1e99, 1e-300};
    for (int u = 0; u < 2; u++) {
        double v[SAMPLE_ROWS];
        struct normality n;
        struct spread s;
        struct residual_test dw, lb;
        int lag = 4;
        struct err e = ERR_INIT;
        for (int r = 0; r < SAMPLE_ROWS; r++)
            v[r] = fit.residual[r] * by[u];
        assert_ok(residual_normality(v, SAMPLE_ROWS, &n, &e), e);
        assert_like(n.jarque_bera.p, 0.37733665800191751);
        assert_ok(residual_spread(&design, v, &s, &e), e);
        assert_like(s.lm.p, 0.13379122110371119);
        assert_ok(residual_durbin_watson(&design, v, &dw, &e), e);
        assert_like(dw.statistic, 1.5791929045637538);
        assert_ok(residual_ljung_box(v, SAMPLE_ROWS, &lag, 1, 0, &lb, &e), e);
        assert_like(lb.p, 0.25983338858958238);
        assert_ok(residual_breusch_godfrey(&design, v, 4, &s, &e), e);
        assert_like(s.lm.p, 0.24275354935938961);
    }
}

#define TOO_FEW(n, need) #n " errors are too few for this test: " #need " are needed"
#define ALL_0 "all errors are 0: the fit is exact, there is nothing to test"
#define NOT_FINITE "the error of row 7 is not a finite number"

static void refusals(void **state)
{
    (void)state;
    double v[SAMPLE_ROWS] = {0};
    struct normality n;
    struct spread s;
    struct residual_test t;
    struct err e = ERR_INIT;
    int lag = 4;
    assert_failed(residual_normality(v, SAMPLE_ROWS, &n, &e), e, ERR_CONFLICT, ALL_0);
    assert_failed(residual_spread(&design, v, &s, &e), e, ERR_CONFLICT, ALL_0);
    assert_failed(residual_durbin_watson(&design, v, &t, &e), e, ERR_CONFLICT, ALL_0);
    assert_failed(residual_breusch_godfrey(&design, v, 4, &s, &e), e, ERR_CONFLICT,
                  ALL_0);
    assert_failed(residual_ljung_box(v, SAMPLE_ROWS, &lag, 1, 0, &t, &e), e, ERR_CONFLICT,
                  ALL_0);
    for (int r = 0; r < SAMPLE_ROWS; r++)
        v[r] = 0.1;
    assert_failed(residual_normality(v, SAMPLE_ROWS, &n, &e), e, ERR_CONFLICT,
                  "all errors are the same: they have no distribution");
    assert_failed(residual_ljung_box(v, SAMPLE_ROWS, &lag, 1, 0, &t, &e), e, ERR_CONFLICT,
                  "all errors are the same: they have no autocorrelation");
    v[7] = NAN;
    assert_failed(residual_normality(v, SAMPLE_ROWS, &n, &e), e, ERR_INVALID, NOT_FINITE);
    v[7] = INFINITY;
    assert_failed(residual_spread(&design, v, &s, &e), e, ERR_INVALID, NOT_FINITE);
    assert_failed(residual_durbin_watson(&design, v, &t, &e), e, ERR_INVALID, NOT_FINITE);
    assert_failed(residual_breusch_godfrey(&design, v, 4, &s, &e), e, ERR_INVALID,
                  NOT_FINITE);
    assert_failed(residual_ljung_box(v, SAMPLE_ROWS, &lag, 1, 0, &t, &e), e, ERR_INVALID,
                  NOT_FINITE);
    lag = 48;
    assert_failed(residual_ljung_box(fit.residual, SAMPLE_ROWS, &lag, 1, 0, &t, &e), e,
                  ERR_INVALID,
                  "autocorrelation at lag 48 cannot be had from 48 errors: 1 to 47");
    lag = 0;
    assert_failed(residual_ljung_box(fit.residual, SAMPLE_ROWS, &lag, 1, 0, &t, &e), e,
                  ERR_INVALID,
                  "autocorrelation at lag 0 cannot be had from 48 errors: 1 to 47");
    assert_failed(residual_breusch_godfrey(&design, fit.residual, 126, &s, &e), e,
                  ERR_INVALID,
                  "126 lags cannot be tested: from 1 to fewer than the 48 rows, and with "
                  "the 3 columns no more than 128");
}

static void too_few(void **state)
{
    (void)state;
    struct design d;
    struct normality n;
    struct spread s;
    struct residual_test t;
    struct err e = ERR_INIT;
    int lag = 1;
    assert_ok(design_init(&d, sample_x, 4, 2, &e), e);
    assert_failed(residual_normality(fit.residual, 3, &n, &e), e, ERR_CONFLICT,
                  TOO_FEW(3, 4));
    assert_failed(residual_ljung_box(fit.residual, 2, &lag, 1, 0, &t, &e), e,
                  ERR_CONFLICT, TOO_FEW(2, 3));
    assert_failed(residual_durbin_watson(&d, fit.residual, &t, &e), e, ERR_CONFLICT,
                  TOO_FEW(4, 5));
    assert_failed(residual_breusch_godfrey(&d, fit.residual, 1, &s, &e), e, ERR_CONFLICT,
                  TOO_FEW(4, 5));
    assert_ok(residual_spread(&d, fit.residual, &s, &e), e);
    design_done(&d);
    assert_ok(design_init(&d, sample_x, 3, 2, &e), e);
    assert_failed(residual_spread(&d, fit.residual, &s, &e), e, ERR_CONFLICT,
                  TOO_FEW(3, 4));
    design_done(&d);
    static const double flat[] = {5, 5, 5, 5, 5};
    assert_ok(design_init(&d, flat, 5, 1, &e), e);
    assert_failed(residual_spread(&d, fit.residual, &s, &e), e, ERR_CONFLICT,
                  "all columns are constant: the errors' size cannot follow them");
    design_done(&d);
}

/* One error, in the last row: its lags are all 0. */
static void lags_that_say_the_same(void **state)
{
    (void)state;
    double v[SAMPLE_ROWS];
    struct spread s;
    struct err e = ERR_INIT;
    for (int r = 0; r < SAMPLE_ROWS; r++)
        v[r] = r == SAMPLE_ROWS - 1;
    assert_failed(residual_breusch_godfrey(&design, v, 2, &s, &e), e, ERR_CONFLICT,
                  "the errors' lags are combinations of one another: they cannot be "
                  "tested");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normality),
        cmocka_unit_test(spread),
        cmocka_unit_test(durbin_watson),
        cmocka_unit_test(breusch_godfrey),
        cmocka_unit_test(ljung_box),
        cmocka_unit_test(units),
        cmocka_unit_test(refusals),
        cmocka_unit_test(too_few),
        cmocka_unit_test(lags_that_say_the_same),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
