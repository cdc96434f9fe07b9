/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What backtest scores is what a forecast, and a training, would have said there. */
#include "tests/unit/backtest.h"

#include <time.h>

#include "common/ml/train.h"
#include "tools/forecast.h"

/* What was chosen for a holdout is what the forecast of the file without it says; also
 * where the hour before it is missing. */
static void holdout_is_the_forecast(void **state)
{
    (void)state;
    static char held[200][40], made[200][40];
    for (int missing = -1; missing <= 699; missing += 700) {
        write_wide(2, 748, missing);
        assert_int_equal(RUN("--wide", "--holdout", "48", "--rows", rows_path, in_path),
                         0);
        said("s1: 748 hours, ");
        said("; the last 48 held out\n");
        said("overall: mean over 2 series\n");
        size_t late = missing < 0 ? 0 : 1;
        assert_int_equal(rows_of(rows_path, "chosen", 4, held, 200), 2 * (48 - late));
        write_wide(2, 700, missing);
        assert_int_equal(
            run(forecast_main, (const char *const[]){"--wide", in_path, NULL}), 0);
        assert_int_equal(rows_of(out_path, NULL, 3, made, 200), 1 + 2 * 48);
        for (size_t s = 0; s < 2; s++)
            for (size_t k = 0; k < 48 - late; k++)
                assert_near(atof(held[s * (48 - late) + k]),
                            atof(made[1 + s * 48 + k + late]), 1e-8);
    }
}

static int hour_of(const char *origin)
{
    struct tm tm = {0};
    assert_non_null(strptime(origin, "%Y-%m-%dT%H:%M:%S", &tm));
    return (int)(timegm(&tm) / 3600 - 500000);
}

/* What is chosen at an origin is what the forecast of the file cut there says, and where
 * that is refused there is none. */
static void a_young_choice_is_the_forecast(void **state)
{
    static const struct {
        int hours, missing_every;
        const char *horizon, *step;
        int refused;
    } cases[] = {
        {200, 0, "12", "3", 0}, {180, 0, "48", "23", 0}, {130, 7, "24", "5", 0},
        {60, 0, "12", "3", 0},  {56, 2, "4", "2", 5},
    };
    static char origin[500][40], lead[500][40], yhat[500][40], made[60][40];
    (void)state;
    for (size_t c = 0; c < N_OF(cases); c++) {
        size_t leads = (size_t)atoi(cases[c].horizon), forecast = 0, all = 0;
        write_young(cases[c].hours, cases[c].missing_every);
        assert_int_equal(RUN("--horizon", cases[c].horizon, "--step", cases[c].step,
                             "--rows", rows_path, in_path),
                         0);
        all = rows_of(rows_path, "persistence", 2, origin, 500) / leads;
        size_t n = rows_of(rows_path, "chosen", 2, origin, 500);
        assert_int_equal(rows_of(rows_path, "chosen", 3, lead, 500), n);
        assert_int_equal(rows_of(rows_path, "chosen", 4, yhat, 500), n);
        for (size_t i = 0; i < n; i += leads) {
            int known = hour_of(origin[i]) + 1;
            if (known >= 192)
                continue;
            write_young(known, cases[c].missing_every);
            assert_int_equal(run(forecast_main, (const char *const[]){in_path, NULL}), 0);
            assert_int_equal(rows_of(out_path, NULL, 3, made, 60), 1 + 48);
            for (size_t k = 0; k < leads; k++)
                assert_near(atof(yhat[i + k]), atof(made[1 + k]), 1e-8);
            forecast++;
        }
        assert_true(forecast >= 3);
        assert_int_equal(all - n / leads, cases[c].refused);
        if (!cases[c].refused)
            continue;
        assert_true(rows_of(rows_path, "persistence", 2, origin, 500) > 0);
        write_young(hour_of(origin[0]) + 1, cases[c].missing_every);
        assert_int_equal(run(forecast_main, (const char *const[]){in_path, NULL}), 1);
        said("complete hours, 24 are needed");
    }
}

/* What is only measured after an origin changes nothing that is said there, also where it
 * decides who may stand from then on: of a zero there is no logarithm. */
static void nothing_later_is_known(void **state)
{
    (void)state;
    static char yhat[2][2][1008][40];
    for (int last = 0; last < 2; last++) {
        FILE *f = open_input();
        fprintf(f, "s0");
        for (int i = 0; i < 900; i++)
            fprintf(f, ",%.3f", last && i == 899 ? 0 : value(0, i));
        fprintf(f, "\n");
        fclose(f);
        assert_int_equal(RUN("--wide", "--rows", rows_path, in_path), 0);
        assert_int_equal(rows_of(rows_path, "chosen", 4, yhat[last][0], 1008), 1008);
        assert_int_equal(rows_of(rows_path, "ridge_clock_log", 4, yhat[last][1], 1008),
                         1008);
    }
    assert_memory_equal(yhat[0], yhat[1], sizeof yhat[0]);
}

/* A candidate's band is the one that `forecast --candidate` draws, also on logarithms. */
static void bands_are_the_forecast(void **state)
{
    (void)state;
    static const char *const name[] = {"ols_daily", "ridge_clock_log", "direct"};
    static char f[3][60][40]; /* yhat, lower, upper */
    for (size_t c = 0; c < N_OF(name); c++) {
        double q = 0, msis = 0, inside = 0;
        write_wide(1, 700, -1);
        assert_int_equal(
            run(forecast_main,
                (const char *const[]){"--wide", "--candidate", name[c], in_path, NULL}),
            0);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(rows_of(out_path, NULL, 3 + i, f[i], 60), 1 + 48);
        for (int i = 24; i < 700; i++)
            q += fabs(value(0, i) - value(0, i - 24)) / 676;
        for (int k = 0; k < 48; k++) {
            double y = value(0, 700 + k), a = atof(f[1][k + 1]), b = atof(f[2][k + 1]);
            assert_true(a < atof(f[0][k + 1]) && atof(f[0][k + 1]) < b);
            inside += (y >= a && y <= b) / 48.0;
            msis += (b - a + 40 * (fmax(a - y, 0) + fmax(y - b, 0))) / q / 48;
        }
        write_wide(1, 748, -1);
        assert_int_equal(RUN("--wide", "--holdout", "48", "--json", in_path), 0);
        json_t *j = candidate_of(name[c]);
        assert_near(json_number_value(json_object_get(j, "coverage")), inside, 1e-9);
        assert_near(json_number_value(json_object_get(j, "msis")), msis, 1e-2);
        json_decref(j);
    }
}

/* A preset is one more row, at the same origins, and nothing else changes. */
static void a_preset_beside(void **state)
{
    static const char *const names[] = {"theta", "holt_winters"};
    static const char *const how[] = {"--holdout=48", "--origins=4"};
    static char without[200][40], with[200][40], origin[2][200][40];
    (void)state;
    write_wide(1, 748, -1);
    for (size_t i = 0; i < N_OF(names); i++)
        for (size_t k = 0; k < N_OF(how); k++) {
            assert_int_equal(RUN("--wide", how[k], "--rows", rows_path, in_path), 0);
            size_t n = rows_of(rows_path, "chosen", 4, without, 200);
            not_said(names[i]);
            assert_int_equal(
                RUN("--wide", how[k], "--rows", rows_path, "--preset", names[i], in_path),
                0);
            said(names[i]);
            assert_int_equal(rows_of(rows_path, "chosen", 4, with, 200), n);
            assert_memory_equal(with, without, n * sizeof *with);
            assert_int_equal(rows_of(rows_path, "chosen", 2, origin[0], 200), n);
            assert_int_equal(rows_of(rows_path, names[i], 2, origin[1], 200), n);
            assert_memory_equal(origin[0], origin[1], n * sizeof **origin);
        }
    assert_int_equal(RUN("--wide", "--preset", "theta", "--leads", "--json", in_path), 0);
    json_t *doc = json_load_file(out_path, 0, NULL);
    json_t *all = json_object_get(doc, "overall");
    json_t *last = json_array_get(all, n_candidates_alone + 3);
    assert_int_equal(json_array_size(all), n_candidates_alone + 4);
    assert_string_equal(json_string_value(json_object_get(last, "name")), "theta");
    assert_int_equal(json_array_size(json_object_get(last, "mase_leads")), 48);
    assert_null(json_object_get(json_object_get(doc, "chosen"), "theta"));
    json_decref(doc);
    write_wide(1, 200, -1);
    assert_int_equal(RUN("--wide", "--preset", "theta", in_path), 0);
    said("theta                 left out: ");
    said(" hours are needed for 3 origins, there are 200\n");
}

/* What it says is what a training with that preset serves. */
static void a_preset_is_its_training(void **state)
{
    static char made[60][40];
    struct forecast f[48];
    struct train_result r;
    struct hours h;
    struct err e = ERR_INIT;
    (void)state;
    write_wide(1, 748, -1);
    assert_int_equal(RUN("--wide", "--holdout", "48", "--rows", rows_path, "--preset",
                         "holt_winters", in_path),
                     0);
    assert_int_equal(rows_of(rows_path, "holt_winters", 4, made, 60), 48);
    assert_ok(hours_init(&h, 0, 700, &e), e);
    for (int i = 0; i < 700; i++)
        h.y[i] = round(value(0, i) * 1000) / 1000;
    assert_ok(train_series(&h, NULL,
                           &(struct train_opts){.series = "s0",
                                                .preset = "holt_winters",
                                                .horizon = 48,
                                                .level = 0.95},
                           &r, &e),
              e);
    assert_string_equal(r.model->algo->name, "holt_winters");
    assert_ok(model_forecast(r.model, &h, 48, 0.95, f, &e), e);
    for (size_t k = 0; k < 48; k++)
        assert_near(atof(made[k]), f[k].yhat, 1e-8);
    train_result_done(&r);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holdout_is_the_forecast),
        cmocka_unit_test(a_young_choice_is_the_forecast),
        cmocka_unit_test(nothing_later_is_known),
        cmocka_unit_test(bands_are_the_forecast),
        cmocka_unit_test(a_preset_beside),
        cmocka_unit_test(a_preset_is_its_training),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
