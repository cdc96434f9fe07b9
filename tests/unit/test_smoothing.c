/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exponential smoothing and theta against statsmodels 0.15.0, on series that any language
 * can make: the numbers below are what its ETSModel.smooth(), seasonal_decompose() and
 * ThetaModel gave with the parameters and first states written here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ml/algos.h"
#include "common/ml/model.h"
#include "common/ml/smoothing.h"
#include "tests/unit/near.h"
#include "tests/unit/past.h"
#include "tests/unit/series.h"

#define EXACT 1e-10

/* alpha 0.4, beta 0.05, gamma 0.2; level 21, trend as told, seasons of a sine. */
static struct smoothing begun(double phi, double trend)
{
    struct smoothing s = {.alpha = 0.4,
                          .beta = 0.05,
                          .gamma = 0.2,
                          .phi = phi,
                          .level = 21,
                          .trend = trend};
    for (int j = 0; j < SMOOTHING_DAY; j++)
        s.season[j] = 5 * sin(2 * M_PI * j / 24);
    return s;
}

struct known {
    double phi, sse, level, trend, season[3], ahead[5];
};

/* seasons: the last three hours of the day; forecasts: leads 1, 2, 24, 25, 48. */
static const struct known knowns[] = {
    {0.9,
     25.279038681690288,
     22.264676143451343,
     -0.0024685127403137126,
     {-3.421886079057405, -2.455609163727334, -1.1020384753470565},
     {22.271021810713805, 23.688910412407726, 21.14219319377033, 22.252621783813247,
      21.14056241077213}},
    {1,
     26.302228983016644,
     22.26594423815007,
     -0.0027268727312176407,
     {-3.4222212760836417, -2.451796528055918, -1.0958485157292253},
     {22.280057982438343, 23.694079607490366, 21.104650776871654, 22.214613036889155,
      21.039205831322466}},
};

static void recursion(void **state)
{
    (void)state;
    static const size_t leads[] = {1, 2, 24, 25, 48};
    struct hours h = series(168, 6);
    int64_t last_s = h.start_s + 167 * 3600;
    for (size_t i = 0; i < N_OF(knowns); i++) {
        const struct known *k = &knowns[i];
        struct smoothing s = begun(k->phi, 0.1);
        size_t n;
        assert_near(smoothing_run(&s, &h, &n), k->sse, EXACT);
        assert_int_equal(n, 168);
        assert_near(s.level, k->level, EXACT);
        assert_near(s.trend, k->trend, EXACT);
        for (int j = 0; j < 3; j++)
            assert_near(s.season[21 + j], k->season[j], EXACT);
        for (size_t j = 0; j < N_OF(leads); j++)
            assert_near(smoothing_ahead(&s, leads[j], last_s), k->ahead[j], EXACT);
    }
    hours_done(&h);
}

/* Begun in the middle of a day, and cut in two, it is the same. */
static void any_hour(void **state)
{
    (void)state;
    struct hours h = series(168, 6);
    struct smoothing whole = begun(0.9, 0.1), parts = whole;
    smoothing_run(&whole, &h, NULL);
    smoothing_run(&parts, UNTIL(h, 31), NULL);
    const struct hours rest = hours_part(&h, 31, 137);
    smoothing_run(&parts, &rest, NULL);
    assert_memory_equal(&whole, &parts, sizeof whole);
    assert_int_equal(smoothing_hour(-3600), 23);
    hours_done(&h);
}

/* Hours without a value: the level goes on along the trend, nothing is learnt. */
static void holes(void **state)
{
    (void)state;
    struct hours h = series(48, 6);
    struct smoothing s = begun(0.5, 8), before = s;
    size_t n;
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = NAN;
    assert_near(smoothing_run(&s, UNTIL(h, 3), &n), 0, 0);
    assert_int_equal(n, 0);
    assert_near(s.level, 21 + 4 + 2 + 1, 0);
    assert_near(s.trend, 1, 0);
    assert_memory_equal(s.season, before.season, sizeof s.season);
    smoothing_seasons(&h, s.season); /* nothing is known: no seasons */
    for (int j = 0; j < SMOOTHING_DAY; j++)
        assert_near(s.season[j], 0, 0);
    smoothing_begin(&s, &h);
    assert_near(s.level, 0, 0);
    hours_done(&h);
}

static void decomposition(void **state)
{
    (void)state;
    static const int at[] = {0, 5, 12, 23};
    static const double want[] = {-0.03902254673201526, 4.857034583704208,
                                  -0.1397738186959956, -1.0054689889894175};
    double season[SMOOTHING_DAY], sum = 0;
    struct hours h = series(168, 6);
    smoothing_seasons(&h, season);
    for (size_t i = 0; i < N_OF(at); i++)
        assert_near(season[at[i]], want[i], EXACT);
    for (int j = 0; j < SMOOTHING_DAY; j++)
        sum += season[j];
    assert_near(sum, 0, EXACT);
    hours_done(&h);
}

/* The sum of squared errors, one hour ahead, that ETSModel.fit() came to from the same
 * first states: 136.607 damped, 137.929 not. */
static void fitted(void **state)
{
    (void)state;
    struct hours h = series(600, 6);
    uint32_t x = 11;
    double level = 0;
    for (size_t i = 0; i < h.n; i++) {
        x = x * 1664525u + 1013904223u;
        h.y[i] += level += (double)(x >> 16) / 65536 - 0.5;
    }
    for (int damped = 0; damped < 2; damped++) {
        struct smoothing s = begun(damped ? 0.95 : 1, 0), t, again = s;
        assert_int_equal(smoothing_fit(&s, &h, damped ? 4 : 3, NULL), 0);
        assert_int_equal(smoothing_fit(&again, &h, damped ? 4 : 3, NULL), 0);
        assert_memory_equal(&s, &again, sizeof s);
        t = s;
        double sse = smoothing_run(&t, &h, NULL);
        assert_true(sse < (damped ? 136.60711325188217 : 137.928994637318) * 1.002);
        assert_near(s.alpha, 0.63, 0.06);
        assert_true(s.gamma < 0.02 && s.beta <= s.alpha && s.phi <= 1);
    }
    h.y[300] = 1e200;
    struct err e = ERR_INIT;
    assert_int_equal(smoothing_fit(&(struct smoothing){.alpha = 0.5}, &h, 1, &e), -1);
    assert_string_equal(e.text, "the fit is not finite: the values are too large");
    hours_done(&h);
}

/* A week of smoothing from the seasons of a week before is what smoothing over all hours
 * is, to within a tenth of the noise: what a trend of a week before still weighs. */
static void from_a_week_before(void **state)
{
    (void)state;
    struct hours h = series(700, 12);
    struct model *m = model_new(&algo_holt_winters, "a.b");
    struct smoothing s = {0};
    double y[HORIZON_MAX];
    assert_int_equal(m->algo->fit(m, &h, NULL), 0);
    s = *m->smoothing; /* as it was a week before */
    const struct hours week = hours_part(&h, h.n - 168, 168);
    smoothing_run(&s, &week, NULL);
    assert_int_equal(m->algo->forecast(m, &h, HORIZON_MAX, y, NULL), 0);
    for (size_t k = 0; k < HORIZON_MAX; k++)
        assert_near(
            y[k], smoothing_ahead(&s, k + 1, h.start_s + (int64_t)(h.n - 1) * 3600), 0.1);
    model_free(m);
    hours_done(&h);
}

/* ThetaModel(y, period=24, method="additive", use_test=False), its alpha set to 0.4. */
static void theta(void **state)
{
    (void)state;
    static const int at[] = {0, 5, 12, 23};
    static const double season[] = {0.15083891741455077, 4.974971049056512,
                                    0.01515340619688317, -1.308321184543195};
    static const size_t leads[] = {1, 2, 24, 25, 48};
    static const double want[] = {21.469970252273175, 22.5393326614045,
                                  20.126582116910757, 21.590775782633518,
                                  20.2473876472711};
    struct hours h = series(240, 9);
    struct model *m = model_new(&algo_theta, "a.b");
    double y[HORIZON_MAX];
    for (size_t i = 0; i < h.n; i++)
        h.y[i] += 0.01 * (double)i;
    assert_int_equal(m->algo->fit(m, &h, NULL), 0);
    for (size_t i = 0; i < N_OF(at); i++)
        assert_near(m->smoothing->season[at[i]], season[i], EXACT);
    assert_near(m->smoothing->drift, 0.010067127530028525 / 2, EXACT);
    /* least squares by scipy's minimize_scalar from the same first level: 0.4081 */
    assert_near(m->smoothing->alpha, 0.4081, 2e-3);
    m->smoothing->alpha = 0.4;
    assert_int_equal(m->algo->forecast(m, &h, HORIZON_MAX, y, NULL), 0);
    for (size_t i = 0; i < N_OF(leads); i++)
        assert_near(y[leads[i] - 1], want[i], EXACT);
    model_free(m);
    hours_done(&h);
}

/* ---- what is refused ---- */

static void no_document(const char *from, const char *to, const char *text)
{
    struct hours h = series(300, 3);
    struct model *m = model_new(&algo_holt_winters, "a.b");
    struct err e = ERR_INIT;
    char wrong[8192];
    assert_int_equal(m->algo->fit(m, &h, NULL), 0);
    m->smoothing->alpha = 0.5;
    char *doc = model_document(m, NULL), *at = strstr(doc, from);
    assert_non_null(at);
    snprintf(wrong, sizeof wrong, "%.*s%s%s", (int)(at - doc), doc, to,
             at + strlen(from));
    assert_null(model_parse(wrong, strlen(wrong), &e));
    assert_string_equal(e.text, text);
    free(doc);
    model_free(m);
    hours_done(&h);
}

static void documents(void **state)
{
    (void)state;
    no_document("\"alpha\":0.5", "\"alpha\":1.5",
                "state: field \"alpha\" must be from 1e-09 to 1, not 1.5");
    no_document("\"season\":[", "\"season\":[1,",
                "field \"state.season\" must be an array of 24 numbers");
    no_document("\"clip\":[", "\"clip\":[9e99,",
                "field \"state.clip\" must be an array of "
                "2 numbers");
}

static void too_short(void **state)
{
    (void)state;
    struct hours h = series(215, 3);
    struct err e = ERR_INIT;
    struct model *m = model_new(&algo_theta, "a.b");
    assert_int_equal(m->algo->fit(m, &h, &e), -1);
    assert_string_equal(e.text, "theta needs 216 hours, half of them with a value: there "
                                "are 215, 215 with one");
    model_free(m);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recursion), cmocka_unit_test(any_hour),
        cmocka_unit_test(holes),     cmocka_unit_test(decomposition),
        cmocka_unit_test(fitted),    cmocka_unit_test(from_a_week_before),
        cmocka_unit_test(theta),     cmocka_unit_test(documents),
        cmocka_unit_test(too_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
