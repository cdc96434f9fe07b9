/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/ml/ols_inference.h"
#include "tests/unit/diagnostics_sample.h"

static int infer(const double *x, const double *y, size_t rows, size_t cols, size_t lags,
                 struct ols_inference *o, struct err *e)
{
    struct design d;
    int rc = design_init(&d, x, rows, cols, e);
    *o = (struct ols_inference){0};
    if (!rc)
        rc = ols_inference(&d, y, lags, o, e);
    design_done(&d);
    return rc;
}

static void sample(size_t lags, struct ols_inference *o)
{
    struct err e = ERR_INIT;
    assert_ok(infer(sample_x, sample_y, SAMPLE_ROWS, SAMPLE_COLS, lags, o, &e), e);
}

/* m.params, bse, tvalues, pvalues, fvalue, f_pvalue, rsquared, rsquared_adj, llf, aic,
 * bic, condition_number; sqrt(m.mse_resid); np.linalg.cond((x - x.mean(0)) / x.std(0)) */
static void like_statsmodels(void **state)
{
    (void)state;
    static const double coef[] = {3.9299208461788808, 0.74993870905709903,
                                  0.028771952037646709, 0.0003845042605324922};
    static const double se[] = {1.0620999167696874, 0.031345795790366053,
                                0.010020903872633791, 0.00060936579013379005};
    static const double t[] = {3.7001423163006142, 23.924698357397848, 2.8711932978641164,
                               0.6309908871780805};
    static const double p[] = {0.00059596934135561469, 7.4511406804313243e-27,
                               0.0062665738256930835, 0.5313107107831565};
    struct ols_inference o;
    sample(4, &o);
    assert_int_equal(o.rank, 3);
    assert_int_equal(o.df, 44);
    assert_false(o.exact);
    for (int i = 0; i < 4; i++) {
        const struct ols_term *term = i ? &o.term[i - 1] : &o.intercept;
        assert_like(term->coef, coef[i]);
        assert_like(term->se, se[i]);
        assert_like(term->t, t[i]);
        assert_like(term->p, p[i]);
        assert_int_equal(term->state, COLUMN_KEPT);
    }
    assert_like(o.f, 432.07763824173742);
    assert_like(o.f_p, 1.2078781207979697e-32);
    assert_like(o.r2, 0.96716988553514127);
    assert_like(o.r2_adjusted, 0.96493146863981005);
    assert_like(o.s, 0.30250922301707206);
    assert_like(o.log_likelihood, -8.6298879382301763);
    assert_like(o.aic, 25.259775876460353);
    assert_like(o.bic, 32.744579920091915);
    assert_like(o.condition, 3417.1797902898047);
    assert_like(o.condition_scaled, 3.1101642028396963);
    ols_inference_done(&o);
}

/* h = sm.OLS(y, X).fit(cov_type="HAC", cov_kwds={"maxlags": L}); h.bse, tvalues, pvalues,
 * fvalue, f_pvalue; L = 0 and 4 */
static void hac_like_statsmodels(void **state)
{
    (void)state;
    static const size_t lags[] = {0, 4};
    static const double se[][4] = {{0.93772428856928436, 0.030030337743728326,
                                    0.0080509269356402857, 0.00062237462303026125},
                                   {0.96371408541907733, 0.032742594601302022,
                                    0.0077653481082873097, 0.00073635833135537879}};
    static const double z[][4] = {
        {4.1909129304679587, 24.972703119655044, 3.5737440257068354, 0.61780195770256641},
        {4.0778908450527931, 22.904070926232507, 3.7051722133281828,
         0.52217004162192882}};
    static const double p[][4] = {{2.7783427234749279e-05, 1.210502256164718e-137,
                                   0.00035191296873618075, 0.53670589281637882},
                                  {4.5446092281182483e-05, 4.2318322111518926e-116,
                                   0.00021124715642306422, 0.6015519428051288}};
    static const double f[] = {445.90151712951382, 434.46815201257976};
    static const double f_p[] = {6.1811080570183428e-33, 1.0741654742683126e-32};
    for (int l = 0; l < 2; l++) {
        struct ols_inference o;
        sample(lags[l], &o);
        assert_int_equal(o.hac_lags, lags[l]);
        for (int i = 0; i < 4; i++) {
            const struct ols_term *term = i ? &o.term[i - 1] : &o.intercept;
            assert_like(term->hac_se, se[l][i]);
            assert_like(term->hac_z, z[l][i]);
            assert_like(term->hac_p, p[l][i]);
        }
        assert_like(o.hac_f, f[l]);
        assert_like(o.hac_f_p, f_p[l]);
        ols_inference_done(&o);
    }
}

/* NIST certifies coefficients, standard errors, residual standard deviation, R² and F;
 * the HAC figures and the condition number are from 60 digits. */
static void like_nist(void **state)
{
    (void)state;
    static const double coef[] = {
        -3482258.63459582, 15.0618722713733,    -0.0358191792925910, -2.02022980381683,
        -1.03322686717359, -0.0511041056535807, 1829.15146461355};
    static const double se[] = {890420.383607373,  84.9149257747669,  0.0334910077722432,
                                0.488399681651699, 0.214274163161675, 0.226073200069370,
                                455.478499142212};
    static const double hac[] = {725219.891493991,  48.4491497356784, 0.017794750009233,
                                 0.290535832076036, 0.12164790461558, 0.124311589652178,
                                 375.47719409049};
    double x[LONGLEY_ROWS * LONGLEY_COLS], y[LONGLEY_ROWS];
    struct ols_inference o;
    struct err e = ERR_INIT;
    longley_split(x, y);
    assert_ok(infer(x, y, LONGLEY_ROWS, LONGLEY_COLS, 2, &o, &e), e);
    for (int i = 0; i <= LONGLEY_COLS; i++) {
        const struct ols_term *term = i ? &o.term[i - 1] : &o.intercept;
        assert_like(term->coef, coef[i]);
        assert_like(term->se, se[i]);
        assert_like(term->hac_se, hac[i]);
    }
    assert_like(o.s, 304.854073561965);
    assert_like(o.r2, 0.995479004577296);
    assert_like(o.f, 330.285339234588);
    assert_like(o.hac_f, 1740.41626831983);
    assert_near(o.condition, 4859257015.45503, 1e-5 * 4859257015.45503);
    ols_inference_done(&o);
}

/* A constant column and a combination of others: the rest is as if they were not there.
 */
static void left_out(void **state)
{
    (void)state;
    double x[SAMPLE_ROWS * 5];
    struct ols_inference o, plain;
    struct err e = ERR_INIT;
    for (int r = 0; r < SAMPLE_ROWS; r++) {
        const double *s = sample_x + r * SAMPLE_COLS;
        double row[] = {s[0], 21.3, s[1], 3 - 2 * s[0] + 0.1 * s[1], s[2]};
        memcpy(x + r * 5, row, sizeof row);
    }
    assert_ok(infer(x, sample_y, SAMPLE_ROWS, 5, 4, &o, &e), e);
    sample(4, &plain);
    static const int same[] = {0, 2, 4};
    assert_int_equal(o.rank, 3);
    assert_int_equal(o.term[1].state, COLUMN_CONSTANT);
    assert_int_equal(o.term[3].state, COLUMN_EXPLAINED);
    for (int i = 1; i < 4; i += 2)
        assert_true(o.term[i].coef == 0 && isnan(o.term[i].se) && isnan(o.term[i].p) &&
                    isnan(o.term[i].hac_se) && isnan(o.term[i].hac_p));
    for (int i = 0; i < 3; i++) {
        assert_like(o.term[same[i]].coef, plain.term[i].coef);
        assert_like(o.term[same[i]].se, plain.term[i].se);
        assert_like(o.term[same[i]].hac_se, plain.term[i].hac_se);
    }
    assert_like(o.f, plain.f);
    assert_like(o.r2_adjusted, plain.r2_adjusted);
    assert_like(o.aic, plain.aic);
    ols_inference_done(&o);
    ols_inference_done(&plain);
}

static void exact(void **state)
{
    (void)state;
    double y[SAMPLE_ROWS];
    struct ols_inference o;
    struct err e = ERR_INIT;
    for (int r = 0; r < SAMPLE_ROWS; r++)
        y[r] = 7 + 0.3 * sample_x[r * 3] - 2 * sample_x[r * 3 + 1];
    assert_ok(infer(sample_x, y, SAMPLE_ROWS, SAMPLE_COLS, 4, &o, &e), e);
    assert_true(o.exact);
    assert_true(o.r2 == 1 && o.r2_adjusted == 1 && o.s == 0);
    assert_near(o.intercept.coef, 7, 1e-11);
    assert_near(o.term[0].coef, 0.3, 1e-12);
    assert_near(o.term[1].coef, -2, 1e-12);
    assert_near(o.term[2].coef, 0, 1e-12);
    assert_true(isnan(o.f) && isnan(o.f_p) && isnan(o.hac_f) && isnan(o.aic) &&
                isnan(o.bic) && isnan(o.log_likelihood));
    assert_true(isnan(o.term[0].se) && isnan(o.term[0].p) && isnan(o.term[0].hac_p));
    for (int r = 0; r < SAMPLE_ROWS; r++)
        assert_true(o.residual[r] == 0);
    ols_inference_done(&o);
}

/* The same data in other units, as far as numbers reach: only what has a unit changes. */
static void units(void **state)
{
    (void)state;
    static const double by[] = {1e97, 1e-140};
    for (int u = 0; u < 2; u++) {
        double x[SAMPLE_ROWS * SAMPLE_COLS], y[SAMPLE_ROWS];
        struct ols_inference o, plain;
        struct err e = ERR_INIT;
        for (int i = 0; i < SAMPLE_ROWS * SAMPLE_COLS; i++)
            x[i] = sample_x[i] * by[u];
        for (int i = 0; i < SAMPLE_ROWS; i++)
            y[i] = sample_y[i] * by[u];
        assert_ok(infer(x, y, SAMPLE_ROWS, SAMPLE_COLS, 4, &o, &e), e);
        sample(4, &plain);
        assert_like(o.r2, plain.r2);
        assert_like(o.f, plain.f);
        assert_like(o.hac_f, plain.hac_f);
        assert_like(o.intercept.coef, plain.intercept.coef * by[u]);
        assert_like(o.term[2].hac_se, plain.term[2].hac_se);
        assert_like(o.s, plain.s * by[u]);
        assert_like(o.condition_scaled, plain.condition_scaled);
        ols_inference_done(&o);
        ols_inference_done(&plain);
    }
}

/* Nothing of the target is in the columns: R² may not fall below 0. */
static void nothing_to_see(void **state)
{
    (void)state;
    static const double x[] = {1, -1, 1, -1, 1, -1, 1, -1};
    static const double y[] = {1, 1, -1, -1, 1, 1, -1, -1};
    struct ols_inference o;
    struct err e = ERR_INIT;
    assert_ok(infer(x, y, 8, 1, 1, &o, &e), e);
    assert_near(o.r2, 0, 1e-15);
    assert_near(o.term[0].coef, 0, 1e-15);
    assert_near(o.f_p, 1, 1e-12);
    ols_inference_done(&o);
}

static void refusals(void **state)
{
    (void)state;
    struct ols_inference o;
    struct err e = ERR_INIT;
    double x[SAMPLE_ROWS * SAMPLE_COLS], y[SAMPLE_ROWS], flat[SAMPLE_ROWS];
    memcpy(x, sample_x, sizeof x);
    memcpy(y, sample_y, sizeof y);
    for (int i = 0; i < SAMPLE_ROWS; i++)
        flat[i] = 21.3;

    assert_failed(infer(x, y, 4, 3, 0, &o, &e), e, ERR_CONFLICT,
                  "4 rows are too few for 3 columns and an intercept: 5 are needed");
    assert_failed(infer(x, y, 1, 3, 0, &o, &e), e, ERR_CONFLICT,
                  "a regression needs at least 2 rows, not 1");
    assert_failed(infer(x, y, 9, 0, 0, &o, &e), e, ERR_INVALID,
                  "a regression needs 1 to 128 columns, not 0");
    assert_failed(infer(x, y, 48, 129, 0, &o, &e), e, ERR_INVALID,
                  "a regression needs 1 to 128 columns, not 129");
    assert_failed(infer(x, y, 48, 3, 48, &o, &e), e, ERR_INVALID,
                  "Newey-West over 48 lags needs more rows than the 48 there are");
    assert_failed(infer(flat, y, 48, 1, 4, &o, &e), e, ERR_CONFLICT,
                  "all columns are constant: there is nothing to regress on");
    assert_failed(infer(x, flat, 48, 3, 4, &o, &e), e, ERR_CONFLICT,
                  "the target is constant (21.3): there is nothing to explain");
    y[7] = NAN;
    assert_failed(infer(x, y, 48, 3, 4, &o, &e), e, ERR_INVALID,
                  "the target of row 7 is nan: numbers up to 1e+100 can be used");
    y[7] = -1e101;
    assert_failed(infer(x, y, 48, 3, 4, &o, &e), e, ERR_INVALID,
                  "the target of row 7 is -1e+101: numbers up to 1e+100 can be used");
    y[7] = 20;
    x[3 * 5 + 1] = INFINITY;
    assert_failed(infer(x, y, 48, 3, 4, &o, &e), e, ERR_INVALID,
                  "row 5, column 1 is inf: numbers up to 1e+100 can be used");
}

static void out_of_proportion(void **state)
{
    (void)state;
    struct ols_inference o;
    struct err e = ERR_INIT;
    double x[SAMPLE_ROWS], y[SAMPLE_ROWS];
    for (int i = 0; i < SAMPLE_ROWS; i++) {
        x[i] = 1e-280 * i;
        y[i] = 1e90 * (i + sample_y[i]);
    }
    assert_failed(infer(x, y, SAMPLE_ROWS, 1, 4, &o, &e), e, ERR_CONFLICT,
                  "the coefficients are not finite: target and columns differ too much "
                  "in size");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_statsmodels),
        cmocka_unit_test(hac_like_statsmodels),
        cmocka_unit_test(like_nist),
        cmocka_unit_test(left_out),
        cmocka_unit_test(exact),
        cmocka_unit_test(units),
        cmocka_unit_test(nothing_to_see),
        cmocka_unit_test(refusals),
        cmocka_unit_test(out_of_proportion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
