/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What backtest scores: where, of what, and what its figures are. */
#include "tests/unit/backtest.h"

#include <math.h>

#include "common/json.h"

/* Nothing can be scored: what is needed and what there is, and no best one. */
static void short_series(void **state)
{
    (void)state;
    write_input("time,value\n0,1\n3600,2\n");
    assert_int_equal(RUN(in_path), 1);
    said("chosen                left out: 95 hours are needed for 3 origins, there are "
         "2\n");
    for (int hours = 24; hours <= 94; hours += 35) {
        write_young(hours, 0);
        assert_int_equal(RUN(in_path), 1);
        said("in: ");
        said("persistence           left out: 95 hours are needed for 3 origins, there "
             "are ");
        said("naive2                left out: 95 hours are needed");
        said("/in.csv could be scored\n");
        not_said("* ");
        not_said("missing:");
    }
    assert_int_equal(RUN("--origins", "1", "--horizon", "90", in_path), 2);
    assert_int_equal(RUN("--origins", "1", in_path), 0);
    write_young(95, 0);
    assert_int_equal(RUN(in_path), 0);
    said("seasonal_naive_168    left out: 262 hours are needed for 3 origins, there are "
         "95\n");
    said("median_168            left out: not for such values\n");
    write_young(50, 0);
    assert_int_equal(RUN("--holdout", "12", in_path), 0);
    said("before the holdout are needed, there are 38\n");
    assert_int_equal(RUN("--holdout", "30", in_path), 1);
    said("left out: 20 complete hours before the holdout, 24 are needed\n");
    not_said("* ");
}

/* Why there are fewer origins than there could be. */
static void few_origins(void **state)
{
    (void)state;
    write_young(300, 0);
    assert_int_equal(RUN("--horizon", "12", "--step", "17", in_path), 0);
    said(": 300 hours, 0 missing; 5 origins, 12 hours ahead\n"
         "  5 of 17 origins have the 205 hours before them that direct needs\n");
    assert_int_equal(RUN("--horizon", "12", "--step", "17", "--origins", "5", in_path),
                     0);
    not_said("origins have the");
    FILE *f = open_input(); /* a zero: whose logarithms take no part is not named */
    fprintf(f, "time,value\n");
    for (int t = 0; t < 297; t++)
        fprintf(f, "%d,%.6f\n", 3600 * (500000 + t),
                t == 240 ? 0 : 20 + 3 * sin(2 * M_PI * t / 24) + t * 37 % 11 / 10.0);
    fclose(f);
    assert_int_equal(RUN(in_path), 0);
    said(" origins have the 203 hours before them that forgetting_weekly needs\n");
    said("ridge_weekly_log      left out: not for such values\n");
    write_young(300, 5); /* an origin without a value is none */
    assert_int_equal(RUN("--horizon", "3", "--step", "4", in_path), 0);
    said(" origins all could forecast\n");
    write_young(54, 2); /* of less than 24 hours nothing is blended or chosen */
    assert_int_equal(RUN("--horizon", "2", "--step", "2", "--origins", "5", in_path), 0);
    said("  at 3 of 5 origins all could forecast, blend at 3, others at 5\n");
    write_young(95, 0);
    assert_int_equal(RUN(in_path), 0);
    not_said("origins have the");
}

/* Holes are the reason only where they are. */
static void holes(void **state)
{
    (void)state;
    FILE *f = open_input();
    fprintf(f, "time,value\n");
    for (int i = 0; i < 300; i += 100)
        fprintf(f, "%d,%d\n", 3600 * i, i);
    fclose(f);
    assert_int_equal(RUN(in_path), 1);
    said("chosen                left out: too many hours are missing: none could be "
         "scored\n");
    not_said("* ");
}

/* A constant series has no scale, a short one nothing to score: counted, not averaged. */
static void not_scored(void **state)
{
    (void)state;
    FILE *f = open_input();
    for (int s = 0; s < 4; s++) {
        fprintf(f, "s%d", s);
        for (int i = 0; i < (s == 3 ? 40 : 300); i++)
            fprintf(f, ",%.3f", s == 2 ? 7 : value(s, i));
        fprintf(f, "\n");
    }
    fclose(f);
    assert_int_equal(RUN("--wide", "--holdout", "24", in_path), 0);
    said("left out: 16 complete hours before the holdout, 24 are needed\n");
    said("overall: mean over 2 series; 1 more could not be forecast or had nothing to "
         "score; 1 more are constant from day to day and have no scale\n");
    assert_int_equal(RUN("--wide", in_path), 0);
    said("1 more are constant from day to day");
}

/* One origin, and figures that can be made from its rows. */
static void holdout_figures(void **state)
{
    (void)state;
    static char yhat[200][40], y[200][40];
    write_wide(1, 748, -1);
    assert_int_equal(RUN("--wide", "--holdout", "24", "--json", "--leads", "--rows",
                         rows_path, in_path),
                     0);
    json_t *doc = json_load_file(out_path, 0, NULL);
    json_t *one = json_array_get(json_object_get(doc, "series"), 0), *f;
    assert_int_equal(json_integer_value(json_object_get(doc, "holdout")), 24);
    double q = 0;
    for (int i = 24; i < 724; i++)
        q += fabs(value(0, i) - value(0, i - 24)) / 700;
    size_t at;
    json_array_foreach(json_object_get(one, "candidates"), at, f)
    {
        const char *name = json_string_value(json_object_get(f, "name"));
        double mae = 0, smape = 0;
        if (json_object_get(f, "left_out"))
            continue;
        assert_int_equal(rows_of(rows_path, name, 4, yhat, 200), 24);
        assert_int_equal(rows_of(rows_path, name, 5, y, 200), 24);
        for (int k = 0; k < 24; k++) {
            double a = atof(y[k]), b = atof(yhat[k]);
            assert_near(a, value(0, 724 + k), 1e-3);
            mae += fabs(a - b) / 24;
            smape += 200 * fabs(a - b) / (fabs(a) + fabs(b)) / 24;
            assert_near(json_number_value(
                            json_array_get(json_object_get(f, "mae_leads"), (size_t)k)),
                        fabs(a - b), 1e-9);
        }
        assert_near(json_number_value(json_object_get(f, "mae")), mae, 1e-9);
        assert_near(json_number_value(json_object_get(f, "smape")), smape, 1e-9);
        assert_near(json_number_value(json_object_get(f, "mase")), mae / q, 1e-3);
        double cover = json_number_value(json_object_get(f, "coverage"));
        assert_true(cover >= 0 && cover <= 1);
        assert_true(json_number_value(json_object_get(f, "msis")) > 0);
        if (!strcmp(name, "naive2"))
            assert_near(json_number_value(json_object_get(f, "owa")), 1, 1e-12);
        if (!strcmp(name, "persistence"))
            assert_near(json_number_value(json_object_get(f, "skill_persistence")), 0,
                        1e-12);
    }
    assert_int_equal(at, n_candidates_alone + 3);
    json_decref(doc);
}

/* From rolling origins, a band on logarithms holds as many as any other. */
static void bands_on_logarithms(void **state)
{
    (void)state;
    write_wide(1, 700, -1);
    assert_int_equal(RUN("--wide", "--horizon", "24", "--json", in_path), 0);
    json_t *plain = candidate_of("ridge_clock"), *logs = candidate_of("ridge_clock_log");
    double cover = json_number_value(json_object_get(logs, "coverage"));
    assert_true(cover > 0.8);
    assert_near(cover, json_number_value(json_object_get(plain, "coverage")), 0.1);
    json_decref(plain);
    json_decref(logs);
}

/* The share inside the band by hours ahead: of a series where there are ten hours of
 * each, over all series where all have so many. */
static void coverage_by_lead(void **state)
{
    (void)state;
    write_wide(3, 700, -1);
    assert_int_equal(
        RUN("--wide", "--horizon", "6", "--leads", "--output", "json", in_path), 0);
    json_t *doc = json_load_file(out_path, 0, NULL), *overall, *f;
    double all = 0, first = 0;
    overall = json_array_get(json_object_get(doc, "overall"), n_candidates_alone + 2);
    for (size_t s = 0; s < 3; s++) {
        json_t *one = json_array_get(json_object_get(doc, "series"), s);
        assert_true(json_integer_value(json_object_get(one, "origins")) >= 10);
        f = json_array_get(json_object_get(one, "candidates"), n_candidates_alone + 2);
        json_t *leads = json_object_get(f, "coverage_leads");
        double mean = 0;
        assert_int_equal(json_array_size(leads), 6);
        for (size_t k = 0; k < 6; k++)
            mean += json_real_at(leads, k) / 6;
        assert_near(mean, json_number_value(json_object_get(f, "coverage")), 1e-12);
        all += mean / 3;
        first += json_real_at(leads, 0) / 3;
    }
    assert_near(json_number_value(json_object_get(overall, "coverage")), all, 1e-12);
    assert_near(json_real_at(json_object_get(overall, "coverage_leads"), 0), first,
                1e-12);
    json_decref(doc);

    write_wide(12, 200, -1);
    assert_int_equal(RUN("--wide", "--holdout", "6", "--leads", "--all", in_path), 0);
    said("\n  MASE, hours ahead:         1      2      3      6\n");
    said("\n  cover, hours ahead:        1      2      3      6\n");
    assert_int_equal(
        RUN("--wide", "--holdout", "6", "--leads", "--output", "json", in_path), 0);
    doc = json_load_file(out_path, 0, NULL);
    f = json_array_get(
        json_object_get(json_array_get(json_object_get(doc, "series"), 0), "candidates"),
        n_candidates_alone + 2);
    assert_true(isnan(json_real_at(json_object_get(f, "coverage_leads"), 0)));
    overall = json_array_get(json_object_get(doc, "overall"), n_candidates_alone + 2);
    assert_true(json_real_at(json_object_get(overall, "coverage_leads"), 0) > 0.5);
    json_decref(doc);
    write_wide(2, 200, -1);
    assert_int_equal(RUN("--wide", "--holdout", "6", "--leads", in_path), 0);
    not_said("cover, hours ahead:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_series),
        cmocka_unit_test(few_origins),
        cmocka_unit_test(holes),
        cmocka_unit_test(not_scored),
        cmocka_unit_test(holdout_figures),
        cmocka_unit_test(bands_on_logarithms),
        cmocka_unit_test(coverage_by_lead),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
