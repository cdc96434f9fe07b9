/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/backtest.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/ml/backtest.h"
#include "common/ml/presets.h"
#include "tools/options.h"

#define AT(field) offsetof(struct backtest_opts, field)

static const struct option table[] = {
    INPUT_OPTION(struct backtest_opts, file),
    {"output", "FORMAT", OPT_TEXT, AT(output), 0, 0,
     "table (the default), json (with 17 digits), or csv: every forecast, as "
     "series,candidate,origin,lead,yhat,y"},
    {"rows", "FILE", OPT_TEXT, AT(rows), 0, 0,
     "write every forecast to this file as well, as --output csv does (- is standard "
     "output; then the table goes to standard error)"},
    {"json", NULL, OPT_FLAG, AT(json), 0, 0, "the same as --output json"},
    INPUT_FORM_OPTIONS(struct backtest_opts, file),
    {"holdout", "N", OPT_INT, AT(holdout), 1, HORIZON_MAX,
     "score once what would have been said before the last N hours (1 to 48) of each "
     "series, in place of rolling origins"},
    {"horizon", "N", OPT_INT, AT(horizon), 1, HORIZON_MAX,
     "hours forecast at a time, 1 to 48 (48)"},
    {"origins", "N", OPT_INT, AT(origins), 1, 10000,
     "how often a forecast is made, at most; 1 to 10000 (36)"},
    {"step", "N", OPT_INT, AT(step), 1, 1000,
     "hours from one to the next, 1 to 1000 (23)"},
    {"level", "PERCENT", OPT_REAL, AT(level), 50, 99.9,
     "share of hours that the bands are to hold, 50 to 99.9 (95)"},
    {"leads", NULL, OPT_FLAG, AT(leads), 0, 0,
     "the errors by hours ahead, and the share inside the band, too"},
    {"all", NULL, OPT_FLAG, AT(all), 0, 0,
     "a table for each series, however many (without it, where there are at most 10)"},
    {"plot", "FILE", OPT_TEXT, AT(plot), 0, 0,
     "draw the errors by hours ahead as SVG: over all series, and of the first 11"},
    {"preset", "NAME", OPT_TEXT, AT(preset), 0, 0,
     "holt_winters or theta: a row for what that makes, which has no part in blend and "
     "chosen; or system0: minutes resampled and fitted as the reference system does"},
    {"evaluate", "FILE", OPT_TEXT, AT(evaluate), 0, 0,
     "with system0: later minutes to apply the fitted models to"},
    {"j", "N", OPT_INT, AT(threads), 1, 256,
     "series worked on at a time, 1 to 256 (as many as there are processors)"},
    {"help", NULL, OPT_FLAG, AT(help), 0, 0, "this text"},
    {0}};

static void help_figures(void)
{
    printf(
        "\nMAE is in the series' unit. MASE is MAE over that of \"same hour the day "
        "before\" within the\n"
        "history: below 1 is better than that. OWA compares sMAPE and MASE with those of "
        "naive2, the\n"
        "last value carried on with the season: below 1 is better. cover is the share of "
        "hours inside\n"
        "the band, MSIS punishes width and misses of it; skill p and skill s say by how "
        "many percent\n"
        "MAE is smaller than that of persistence and of seasonal_naive_24. ms is the "
        "time a series\n"
        "took; of blend and chosen with all candidates. A * marks the best single "
        "candidate.\n\n"
        "All are scored at the origins where all of them could forecast; who needs the "
        "longest\n"
        "history decides how many these are, and is told. \"chosen\" is what a training "
        "would have\n"
        "chosen from what was known at each origin: the blend of the best, or a single "
        "one. With less\n"
        "than 192 hours known it is what \"fieldcast forecast\" says of them, number by "
        "number, and\n"
        "nothing with less than 24; with more, the origins before it, as far apart and "
        "as long as\n"
        "these, stand for a training's own, and it is not looked whether the series has "
        "changed.\n"
        "The overall means count every series the same; ratios are of means.\n\n");
}

static void help(void)
{
    printf("Measures forecasts on a file, without any server: from origins that move "
           "through the\n"
           "series, each candidate is fitted to what was known at the origin and "
           "forecasts the\n"
           "hours after it, which are then compared with what came.\n\n"
           "  fieldcast backtest [FILE] [options]\n\n");
    options_print(table, stdout);
    printf("\nThe file has a header with time (or timestamp) and value, and series if it "
           "holds more\n"
           "than one; rows may be in any order, several in an hour are averaged, empty "
           "values are\n"
           "missing. Times are RFC 3339, epoch seconds or milliseconds; without a zone "
           "they are UTC.\n"
           "Memory is as for \"fieldcast forecast\".\n");
    help_figures();
    printf(
        "Examples\n"
        "  Which candidate forecasts this best, and how well?\n"
        "    fieldcast backtest --input temperatures.csv\n"
        "  The same by hours ahead:\n"
        "    fieldcast backtest --leads temperatures.csv\n"
        "  A picture of that:\n"
        "    fieldcast backtest --plot errors.svg temperatures.csv\n"
        "  A benchmark set, a series per row: its last two days, forecast once:\n"
        "    fieldcast backtest --wide --holdout 48 --input hourly.csv\n"
        "  Every forecast as a row, for a plot:\n"
        "    fieldcast backtest --input temperatures.csv --rows forecasts.csv\n"
        "  Would the Theta method have done better than what is chosen?\n"
        "    fieldcast backtest --preset theta temperatures.csv\n"
        "  The reference system's features, coefficients and errors, from its "
        "minutes:\n"
        "    fieldcast backtest --preset system0 --json --input raw_1min.csv\n\n"
        "Exit code: 0 when done, 1 when nothing could be scored, 2 for a wrong command "
        "line.\n");
}

/* ---- command line ---- */

/* --output was a file's name once: one with a dot or a slash still is. */
static int read_output(struct backtest_opts *o, struct err *e)
{
    static const char *const name[] = {"table", "csv", "json"};
    size_t i = 0;
    if (!o->output)
        return 0;
    while (i < 3 && strcmp(o->output, name[i]))
        i++;
    if (i < 3) {
        o->format = (enum backtest_format)i;
    } else if (!strcmp(o->output, "-") || strpbrk(o->output, "./")) {
        if (o->rows)
            return err_set(e, ERR_INVALID,
                           "give the file once: --rows %.40s or "
                           "--output %.40s",
                           o->rows, o->output);
        o->rows = o->output;
    } else {
        return err_set(e, ERR_INVALID,
                       "--output must be table, csv or json, not \"%.40s\" (a file for "
                       "the forecasts is given by --rows)",
                       o->output);
    }
    if (o->format == BACKTEST_CSV && o->rows)
        return err_set(e, ERR_INVALID, "--output csv and --rows are the same: give one");
    if (o->format == BACKTEST_CSV)
        o->rows = "-";
    return 0;
}

static bool is_system0(const struct backtest_opts *o)
{
    return o->preset && !strcmp(o->preset, "system0");
}

static int check_system0(const struct backtest_opts *o, struct err *e)
{
    if (o->file.wide || o->file.grouped)
        return err_set(e, ERR_INVALID, "--preset system0 reads minutes: not with --%s",
                       o->file.wide ? "wide" : "grouped");
    const struct {
        const char *name;
        bool given;
    } not_for[] = {
        {"holdout", o->holdout}, {"leads", o->leads},     {"all", o->all},
        {"plot", o->plot},       {"horizon", o->horizon}, {"origins", o->origins},
        {"step", o->step},       {"level", o->level > 0}, {"tz", o->file.tz}};
    for (size_t i = 0; i < sizeof not_for / sizeof *not_for; i++)
        if (not_for[i].given)
            return err_set(e, ERR_INVALID,
                           "--%s is not for --preset system0, which has one test part, "
                           "one hour ahead and no band, and knows no clocks",
                           not_for[i].name);
    return 0;
}

static int check_preset(struct backtest_opts *o, struct err *e)
{
    const struct preset *p = preset_find(o->preset);
    if (!p)
        return err_set(e, ERR_INVALID,
                       "--preset must be holt_winters, theta or system0, not %.40s",
                       o->preset);
    if (p->tuning)
        return err_set(e, ERR_INVALID,
                       "--preset %s is grown by the trainer service only: here it can be "
                       "holt_winters, theta or system0",
                       p->name);
    if (is_system0(o))
        return check_system0(o, e);
    o->beside = &p->list[p->n - 1];
    return 0;
}

static int check(struct backtest_opts *o, struct err *e)
{
    if (o->json && o->output && !strcmp(o->output, "csv"))
        return err_set(e, ERR_INVALID, "--json and --output csv: give one");
    if (read_output(o, e))
        return -1;
    if (o->json)
        o->format = BACKTEST_JSON;
    o->json = o->format == BACKTEST_JSON;
    if (o->preset && check_preset(o, e))
        return -1;
    if (o->plot && !strcmp(o->plot, "-"))
        return err_set(e, ERR_INVALID,
                       "--plot must be a file: the table is on standard output");
    if (o->plot && o->rows && !strcmp(o->plot, o->rows))
        return err_set(e, ERR_INVALID,
                       "--plot and --rows are both %.100s: give two files", o->plot);
    if (o->evaluate && !is_system0(o))
        return err_set(e, ERR_INVALID, "--evaluate needs --preset system0");
    if (o->holdout && (o->origins || o->step || o->horizon))
        return err_set(e, ERR_INVALID,
                       "--holdout is one forecast as long as itself: not with --%s",
                       o->origins ? "origins"
                       : o->step  ? "step"
                                  : "horizon");
    o->origins = o->origins ? o->origins : BACKTEST_MAX_ORIGINS;
    o->step = o->step ? o->step : BACKTEST_STEP;
    o->horizon = o->horizon ? o->horizon : HORIZON_MAX;
    o->level = o->level > 0 ? o->level : 95;
    return 0;
}

int backtest_options(int argc, char **argv, struct backtest_opts *o, struct err *e)
{
    const char *operand = NULL;
    size_t n;
    *o = (struct backtest_opts){.threads = sysconf(_SC_NPROCESSORS_ONLN)};
    if (options_parse(table, argc, argv, o, &operand, 1, &n, e))
        return -1;
    if (o->help)
        return 0;
    return input_file_check(&o->file, operand, e) || check(o, e) ||
                   input_file_spare(&o->file, "--plot", o->plot, e) ||
                   input_file_spare(&o->file, "--rows", o->rows, e)
               ? -1
               : 0;
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
    if (is_system0(&o) ? backtest_system0(&o, &e) : backtest_candidates(&o, &e))
        return options_fail("backtest", &e);
    return 0;
}
