/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/backtest.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/ml/backtest.h"
#include "tools/backtest_input.h"
#include "tools/options.h"

#define AT(field) offsetof(struct backtest_opts, field)

static const struct option table[] = {
    INPUT_OPTION(struct backtest_opts, file),
    {"output", "FILE", OPT_TEXT, AT(output), 0, 0,
     "write every forecast: series,candidate,origin,lead,yhat,y (- is standard output)"},
    {"json", NULL, OPT_FLAG, AT(json), 0, 0,
     "print the result as JSON, with 17 digits, in place of the table"},
    INPUT_FORM_OPTIONS(struct backtest_opts, file),
    {"horizon", "N", OPT_INT, AT(horizon), 1, HORIZON_MAX,
     "hours forecast at a time (48)"},
    {"origins", "N", OPT_INT, AT(origins), 1, 10000,
     "how often a forecast is made, at most (28)"},
    {"step", "N", OPT_INT, AT(step), 1, 1000, "hours from one to the next (23)"},
    {"preset", "NAME", OPT_TEXT, AT(preset), 0, 0,
     "system0: minutes resampled and fitted as the reference system does"},
    {"evaluate", "FILE", OPT_TEXT, AT(evaluate), 0, 0,
     "with system0: later minutes to apply the fitted models to"},
    {"help", NULL, OPT_FLAG, AT(help), 0, 0, "this text"},
    {0}};

static void help(void)
{
    printf("Measures forecasts on a file, without any server: from origins that move "
           "through the\n"
           "series, each candidate is fitted to what was known at the origin and "
           "forecasts the\n"
           "hours after it, which are then compared with what came.\n\n"
           "  fieldcast backtest [FILE] [options]\n\n");
    options_print(table, stdout);
    printf(
        "\nThe file has a header with time (or timestamp) and value, and series if it "
        "holds more\n"
        "than one; rows may be in any order, several in an hour are averaged, empty "
        "values are\n"
        "missing. Times are RFC 3339, epoch seconds or milliseconds; without a zone "
        "they are UTC.\n\n"
        "MAE and RMSE are in the series' unit; MASE is MAE over that of \"same hour the "
        "day before\"\n"
        "within the history: below 1 is better than that. The candidates are compared "
        "where all\n"
        "of them could forecast.\n\n"
        "Examples\n"
        "  Which candidate forecasts this best, and how well?\n"
        "    fieldcast backtest --input temperatures.csv\n"
        "  Every forecast as a row, for a plot:\n"
        "    fieldcast backtest --input temperatures.csv --output forecasts.csv\n"
        "  A benchmark set, a series per row:\n"
        "    fieldcast backtest --wide --freq 1h --input hourly.csv\n"
        "  The reference system's features, coefficients and errors, from its "
        "minutes:\n"
        "    fieldcast backtest --preset system0 --json --input raw_1min.csv\n\n"
        "Exit code: 0 when done, 1 when not, 2 for a wrong command line.\n");
}

static int check(struct backtest_opts *o, struct err *e)
{
    if (o->preset && strcmp(o->preset, "system0"))
        return err_set(e, ERR_INVALID, "--preset must be system0, not %.40s", o->preset);
    if (o->preset && o->file.wide)
        return err_set(e, ERR_INVALID, "--preset system0 reads minutes: not with --wide");
    if (o->evaluate && !o->preset)
        return err_set(e, ERR_INVALID, "--evaluate needs --preset system0");
    return 0;
}

int backtest_options(int argc, char **argv, struct backtest_opts *o, struct err *e)
{
    const char *operand = NULL;
    size_t n;
    *o = (struct backtest_opts){
        .horizon = HORIZON_MAX, .origins = BACKTEST_MAX_ORIGINS, .step = BACKTEST_STEP};
    if (options_parse(table, argc, argv, o, &operand, 1, &n, e))
        return -1;
    if (o->help)
        return 0;
    return input_file_check(&o->file, operand, e) ? -1 : check(o, e);
}

int backtest_main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct backtest_opts o;
    if (backtest_options(argc, argv, &o, &e))
        return options_refuse("backtest", &e);
    if (o.help) {
        help();
        return 0;
    }
    if (o.preset ? backtest_system0(&o, &e) : backtest_candidates(&o, &e))
        return options_fail("backtest", &e);
    return 0;
}
