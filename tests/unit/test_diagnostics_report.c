/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/ml/diagnostics_report.h"
#include "tests/unit/diagnostics_sample.h"

static const char *const names[] = {"heat", "damp", "light", "more", "flat"};

static json_t *report(const double *x, const double *y, size_t rows, size_t cols,
                      size_t own_lags)
{
    struct diagnostics_in in = {"room.temperature",  names, x, y, rows, cols, own_lags,
                                DIAGNOSTICS_HAC_LAGS};
    struct err e = ERR_INIT;
    json_t *j = diagnostics_report(&in, &e);
    if (!j)
        fail_msg("%s", e.text);
    return j;
}

static double number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    assert_non_null(v);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* Exactly these notes: about, whether it is fine (-1: null), text; NULL ends. */
struct want {
    const char *about;
    int fine;
    const char *text;
};

static void check_notes(const json_t *j, const struct want *want)
{
    const json_t *notes = json_object_get(j, "notes");
    size_t n = 0;
    for (; want[n].about; n++) {
        const json_t *note = json_array_get(notes, n),
                     *fine = json_object_get(note, "fine");
        assert_non_null(note);
        assert_string_equal(json_string_value(json_object_get(note, "about")),
                            want[n].about);
        assert_string_equal(json_string_value(json_object_get(note, "text")),
                            want[n].text);
        assert_int_equal(json_is_null(fine) ? -1 : json_is_true(fine), want[n].fine);
    }
    assert_int_equal(json_array_size(notes), n);
}

/* The numbers are those of test_ols_inference.c, test_residual_tests.c and
 * test_collinearity.c. */
static void sample(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double value;
    } figures[] = {
        {"rows", 48},
        {"columns", 3},
        {"columns_kept", 3},
        {"columns_explained", 0},
        {"hac_lags", 4},
        {"r2", 0.96716988553514127},
        {"r2_adjusted", 0.96493146863981005},
        {"residual_se", 0.30250922301707206},
        {"f", 432.07763824173742},
        {"f_p", 1.2078781207979697e-32},
        {"hac_f", 434.46815201257976},
        {"hac_f_p", 1.0741654742683126e-32},
        {"log_likelihood", -8.6298879382301763},
        {"aic", 25.259775876460353},
        {"bic", 32.744579920091915},
        {"condition", 3417.1797902898047},
        {"condition_scaled", 3.1101642028396963},
        {"vif_max", 2.8456772941012369},
        {"jarque_bera", 1.9492349959335784},
        {"jarque_bera_p", 0.37733665800191751},
        {"skewness", -0.29976942993570965},
        {"kurtosis", 2.2156718457999434},
        {"breusch_pagan", 5.5824206503832414},
        {"breusch_pagan_p", 0.13379122110371119},
        {"breusch_pagan_f", 1.9302257254580293},
        {"breusch_pagan_f_p", 0.1385978760801736},
        {"durbin_watson", 1.5791929045637538},
        {"durbin_watson_p", 0.11349726468929001},
        {"breusch_godfrey", 5.4657835050398358},
        {"breusch_godfrey_p", 0.24275354935938961},
        {"breusch_godfrey_lags", 4},
        {"ljung_box", 6.4128234838588014},
        {"ljung_box_p", 0.89385977113721005},
        {"ljung_box_lags", 12},
    };
    static const struct want notes[] = {
        {"fit", 1,
         "the columns explain 96.7 % of how room.temperature varies, more than chance "
         "would (F test, p < 0.001)"},
        {"normality", 1,
         "errors could be normal (Jarque-Bera p = 0.38); of 48 rows that says little"},
        {"spread", 1,
         "errors are of much the same size throughout (Breusch-Pagan p = 0.13); of 48 "
         "rows that says little"},
        {"autocorrelation", 1,
         "one error says nothing about the next that could be found (Breusch-Godfrey to "
         "lag 4 p = 0.24, Ljung-Box to lag 12 p = 0.89); of 48 rows that says little"},
        {"collinearity", 1,
         "each column says something of its own (no variance inflation above 10)"},
        {"effects", 0,
         "light: no effect beside the other columns can be shown (p above 0.05)"},
        {NULL, 0, NULL}};
    json_t *j = report(sample_x, sample_y, SAMPLE_ROWS, SAMPLE_COLS, 0);
    json_t *metrics = diagnostics_metrics(j);
    for (size_t i = 0; i < N_OF(figures); i++) {
        assert_like(number(j, figures[i].name), figures[i].value);
        assert_like(number(metrics, figures[i].name), figures[i].value);
    }
    assert_int_equal(json_object_size(metrics), N_OF(figures));
    assert_true(json_is_false(json_object_get(j, "exact")));
    const json_t *terms = json_object_get(j, "terms"), *damp = json_array_get(terms, 2);
    assert_int_equal(json_array_size(terms), 4);
    assert_string_equal(json_string_value(json_object_get(damp, "name")), "damp");
    assert_like(number(damp, "coef"), 0.028771952037646709);
    assert_like(number(damp, "se"), 0.010020903872633791);
    assert_like(number(damp, "t"), 2.8711932978641164);
    assert_like(number(damp, "p"), 0.0062665738256930835);
    assert_like(number(damp, "hac_se"), 0.0077653481082873097);
    assert_like(number(damp, "hac_z"), 3.7051722133281828);
    assert_like(number(damp, "hac_p"), 0.00021124715642306422);
    assert_like(number(damp, "vif"), 2.8456772941012369);
    assert_true(json_is_null(json_object_get(damp, "left_out")));
    assert_int_equal(json_array_size(json_object_get(j, "relations")), 0);
    check_notes(j, notes);
    json_decref(metrics);
    json_decref(j);
}

/* A square, a combination and a constant among the columns; now and then a large error.
 */
static void traps(void **state)
{
    (void)state;
    static const struct want notes[] = {
        {"fit", 0,
         "the columns explain 10.9 % of how room.temperature varies, no more than chance "
         "might (F test, p = 0.16): the mean could do as well"},
        {"normality", 0,
         "errors are not normal (Jarque-Bera p < 0.001; large ones are more frequent "
         "than normal ones): rely on the conformal band, not on a normal one"},
        {"spread", 1,
         "errors are of much the same size throughout (Breusch-Pagan p = 0.33); of 48 "
         "rows that says little"},
        {"autocorrelation", 1,
         "one error says nothing about the next that could be found (Breusch-Godfrey to "
         "lag 4 p = 1.00, Ljung-Box to lag 12 p = 0.98); of 48 rows that says little"},
        {"collinearity", 0, "flat is constant and left out"},
        {"collinearity", 0,
         "more is an exact function of other columns (more = 45 + 2 × heat - 0.5 × "
         "light): it says nothing of its own and is left out"},
        {"collinearity", 0,
         "damp says much the same as other columns (variance inflation up to 356.5, of "
         "damp with heat): its coefficient by itself means little, the forecast is not "
         "harmed"},
        {"effects", 0,
         "heat, damp, light: no effect beside the other columns can be shown (p above "
         "0.05)"},
        {NULL, 0, NULL}};
    double x[SAMPLE_ROWS * 5], y[SAMPLE_ROWS];
    for (int r = 0; r < SAMPLE_ROWS; r++) {
        const double *s = sample_x + r * SAMPLE_COLS;
        double row[] = {s[0] - 20, s[0] * s[0] - 400, s[2], 5 + 2 * s[0] - 0.5 * s[2], 7};
        memcpy(x + r * 5, row, sizeof row);
        y[r] = 20 + s[0] + (r % 5 ? 0.1 : 3) * (s[0] - 15) * (r / 6 % 2 ? 1 : -1);
    }
    json_t *j = report(x, y, SAMPLE_ROWS, 5, 0);
    check_notes(j, notes);
    const json_t *terms = json_object_get(j, "terms"), *out = json_array_get(terms, 4);
    assert_string_equal(json_string_value(json_object_get(out, "left_out")), "explained");
    assert_true(number(out, "coef") == 0 && json_is_null(json_object_get(out, "hac_se")));
    assert_true(json_is_null(json_object_get(out, "vif")));
    out = json_array_get(terms, 5);
    assert_string_equal(json_string_value(json_object_get(out, "left_out")), "constant");
    const json_t *relations = json_object_get(j, "relations"),
                 *weights = json_object_get(json_array_get(relations, 0), "weights");
    assert_int_equal(json_array_size(relations), 1);
    assert_int_equal(json_object_size(weights), 2);
    assert_near(number(weights, "heat"), 2, 1e-9);
    assert_near(number(weights, "light"), -0.5, 1e-9);
    assert_true(number(j, "columns_kept") == 3 && number(j, "columns_explained") == 1);
    assert_true(json_is_null(json_object_get(j, "vif_max")));
    json_decref(j);
}

static void exact(void **state)
{
    (void)state;
    static const struct want notes[] = {
        {"fit", 0,
         "the columns make up room.temperature exactly, so there are no errors to judge: "
         "is it among the columns itself?"},
        {"normality", -1,
         "whether errors are normal cannot be told: all errors are 0: the fit is exact, "
         "there is nothing to test"},
        {"spread", -1,
         "whether errors are of one size cannot be told: all errors are 0: the fit is "
         "exact, there is nothing to test"},
        {"autocorrelation", -1,
         "whether errors follow one another cannot be told: all errors are 0: the fit is "
         "exact, there is nothing to test"},
        {"collinearity", 1,
         "each column says something of its own (no variance inflation above 10)"},
        {NULL, 0, NULL}};
    double y[SAMPLE_ROWS];
    for (int r = 0; r < SAMPLE_ROWS; r++)
        y[r] = 3 + 2 * sample_x[r * SAMPLE_COLS];
    json_t *j = report(sample_x, y, SAMPLE_ROWS, SAMPLE_COLS, 0);
    assert_true(json_is_true(json_object_get(j, "exact")));
    assert_true(number(j, "r2") == 1 && number(j, "residual_se") == 0);
    assert_true(json_is_null(json_object_get(j, "f_p")));
    assert_true(json_is_null(json_object_get(j, "aic")));
    assert_true(json_is_null(json_object_get(j, "jarque_bera_p")));
    json_t *metrics = diagnostics_metrics(j);
    assert_null(json_object_get(metrics, "f_p"));
    json_decref(metrics);
    check_notes(j, notes);
    json_decref(j);
}

/* Errors that grow with the first column, in swings. */
static void bad_errors(void **state)
{
    (void)state;
    static const struct want notes[] = {
        {"fit", 1,
         "the columns explain 65.4 % of how room.temperature varies, more than chance "
         "would (F test, p < 0.001)"},
        {"normality", 1,
         "errors could be normal (Jarque-Bera p = 0.66); of 48 rows that says little"},
        {"spread", 0,
         "the size of errors changes with the columns (Breusch-Pagan p < 0.001): read "
         "the HAC standard errors, and expect a band of one width to be too wide at "
         "times and too narrow at others"},
        {"autocorrelation", 0,
         "errors follow one another (Breusch-Godfrey to lag 4 p < 0.001, Ljung-Box to "
         "lag 12 p < 0.001): something that could be forecast is left, further lags may "
         "help; read the HAC standard errors"},
        {"collinearity", 1,
         "each column says something of its own (no variance inflation above 10)"},
        {"effects", 0,
         "damp, light: no effect beside the other columns can be shown (p above 0.05)"},
        {NULL, 0, NULL}};
    double y[SAMPLE_ROWS];
    for (int r = 0; r < SAMPLE_ROWS; r++) {
        double s = sample_x[r * SAMPLE_COLS] - 14.9;
        y[r] = 20 + s + s * s / 20 * (r / 5 % 2 ? 1 : -1);
    }
    json_t *j = report(sample_x, y, SAMPLE_ROWS, SAMPLE_COLS, 0);
    check_notes(j, notes);
    json_decref(j);
}

/* Columns that are powers of one another stay in, and are told. */
static void powers(void **state)
{
    (void)state;
    double x[SAMPLE_ROWS * 3];
    for (int r = 0; r < SAMPLE_ROWS; r++) {
        const double *s = sample_x + r * SAMPLE_COLS;
        double row[] = {s[1], s[0], exp(0.75 * log(s[1]) - 1)};
        memcpy(x + r * 3, row, sizeof row);
    }
    json_t *j = report(x, sample_y, SAMPLE_ROWS, 3, 0);
    const json_t *relation = json_array_get(json_object_get(j, "relations"), 0);
    assert_non_null(relation);
    assert_true(json_is_true(json_object_get(relation, "logs")));
    assert_string_equal(json_string_value(json_object_get(relation, "column")), "light");
    assert_near(number(json_object_get(relation, "weights"), "heat"), 0.75, 1e-9);
    assert_near(number(relation, "offset"), -1, 1e-8);
    assert_true(number(j, "columns_kept") == 3);
    assert_string_equal(
        json_string_value(
            json_object_get(json_array_get(json_object_get(j, "notes"), 4), "text")),
        "light is an exact function of other columns (ln light = -1 + 0.75 × ln heat): "
        "they are one measurement, and one of them is enough");
    json_decref(j);
    /* of a target's own lags it is not asked */
    j = report(x, sample_y, SAMPLE_ROWS, 3, 3);
    assert_int_equal(json_array_size(json_object_get(j, "relations")), 0);
    assert_true(number(j, "ljung_box_lags") == 12);
    json_decref(j);
}

/* As few rows as there can be. */
static void few(void **state)
{
    (void)state;
    static const struct want notes[] = {
        {"fit", 0,
         "the columns explain 96.7 % of how room.temperature varies, no more than chance "
         "might (F test, p = 0.23): the mean could do as well"},
        {"normality", 1,
         "errors could be normal (Jarque-Bera p = 0.59); of 5 rows that says little"},
        {"spread", 1,
         "errors are of much the same size throughout (Breusch-Pagan p = 0.74); of 5 "
         "rows that says little"},
        {"autocorrelation", 1,
         "one error says nothing about the next that could be found (Breusch-Godfrey to "
         "lag 1 p not known, Ljung-Box to lag 1 p = 0.81); of 5 rows that says little"},
        {"collinearity", 1,
         "each column says something of its own (no variance inflation above 10)"},
        {"effects", 0,
         "heat, damp, light: no effect beside the other columns can be shown (p above "
         "0.05)"},
        {NULL, 0, NULL}};
    json_t *j = report(sample_x, sample_y, 5, 3, 0);
    check_notes(j, notes);
    json_decref(j);
}

static void refusals(void **state)
{
    (void)state;
    double flat[SAMPLE_ROWS] = {0};
    struct diagnostics_in in = {"a.b",       names,       sample_x, flat,
                                SAMPLE_ROWS, SAMPLE_COLS, 0,        4};
    struct err e = ERR_INIT;
    assert_null(diagnostics_report(&in, &e));
    assert_string_equal(e.text,
                        "the target is constant (0): there is nothing to explain");
    in.rows = 1;
    assert_null(diagnostics_report(&in, &e));
    assert_string_equal(e.text, "a regression needs at least 2 rows, not 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample),     cmocka_unit_test(traps),  cmocka_unit_test(exact),
        cmocka_unit_test(bad_errors), cmocka_unit_test(powers), cmocka_unit_test(few),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
