/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/forecast.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/ml/train.h"
#include "common/plain.h"
#include "common/version.h"
#include "tools/backtest_input.h"
#include "tools/csv.h"
#include "tools/options.h"
#include "tools/parallel.h"
#include "tools/progress.h"

#define ANSWER_BYTES (1u << 20)

struct opts {
    struct input_file file;
    const char *output;
    bool help;
    int64_t horizon, threads;
    double level;
};

#define AT(field) offsetof(struct opts, field)

static const struct option table[] = {
    INPUT_OPTION(struct opts, file),
    {"output", "FORMAT", OPT_TEXT, AT(output), 0, 0, "csv (the default) or json"},
    {"horizon", "N", OPT_INT, AT(horizon), 1, HORIZON_MAX, "hours to forecast (48)"},
    {"level", "PERCENT", OPT_REAL, AT(level), 50, 99.9,
     "share of hours that the band is to hold (95)"},
    INPUT_FORM_OPTIONS(struct opts, file),
    {"j", "N", OPT_INT, AT(threads), 1, 256,
     "series worked on at a time (as many as there are processors)"},
    {"help", NULL, OPT_FLAG, AT(help), 0, 0, "this text"},
    {0}};

static void help(void)
{
    printf("Forecasts the series of a file, without any server: each one's candidates "
           "are compared\n"
           "by backtest, the best or a blend of the best is fitted to all of the "
           "history, and the\n"
           "hours after it are forecast, with a band made from the errors of the "
           "backtest.\n\n"
           "  fieldcast forecast [FILE] [options]\n\n");
    options_print(table, stdout);
    printf("\nThe file is as for \"fieldcast backtest\". The answer is a table of "
           "series, lead, time,\n"
           "yhat, yhat_lower, yhat_upper. A series that cannot be forecast is named on "
           "standard error\n"
           "and left out.\n\n"
           "Examples\n"
           "  The next two days of what a file holds:\n"
           "    fieldcast forecast --input temperatures.csv --horizon 48\n"
           "  A benchmark set, a series per row, bands that hold 80 of 100 hours:\n"
           "    fieldcast forecast --wide --level 80 --input hourly.csv > forecasts.csv\n"
           "\nExit code: 0 when done, 1 when nothing could be forecast, 2 for a wrong "
           "command line.\n");
}

static int check(struct opts *o, struct err *e)
{
    if (strcmp(o->output, "csv") && strcmp(o->output, "json"))
        return err_set(e, ERR_INVALID, "--output must be csv or json, not \"%.40s\"",
                       o->output);
    return 0;
}

static int options(int argc, char **argv, struct opts *o, struct err *e)
{
    const char *operand = NULL;
    size_t n;
    *o = (struct opts){.output = "csv",
                       .horizon = HORIZON_MAX,
                       .level = 95,
                       .threads = sysconf(_SC_NPROCESSORS_ONLN)};
    if (options_parse(table, argc, argv, o, &operand, 1, &n, e))
        return -1;
    if (o->help)
        return 0;
    return input_file_check(&o->file, operand, e) ? -1 : check(o, e);
}

/* ---- one series ---- */

struct run {
    const struct opts *o;
    struct input in;
    struct progress progress;
    size_t told, failed; /* series whose answer was written, or could not be made */
};

/* When the hour k + 1 after end_s begins. */
static const char *lead_time(int64_t end_s, size_t k, char out[CLOCK_RFC3339_SIZE])
{
    int64_t lead = (int64_t)k + 1;
    return clock_format((end_s + lead * 3600) * 1000, out);
}

static void csv_rows(struct buf *b, const char *name, int64_t end_s,
                     const struct forecast *f, size_t n)
{
    char time[CLOCK_RFC3339_SIZE];
    for (size_t k = 0; k < n; k++) {
        csv_add(b, name);
        buf_addf(b, ",%zu,%s,%.10g,", k + 1, lead_time(end_s, k, time), f[k].yhat);
        if (isfinite(f[k].lower))
            buf_addf(b, "%.10g,%.10g\n", f[k].lower, f[k].upper);
        else
            buf_adds(b, ",\n");
    }
}

static void json_rows(struct buf *b, const char *name, int64_t end_s,
                      const struct train_result *r, const struct forecast *f, size_t n)
{
    char time[CLOCK_RFC3339_SIZE];
    json_t *rows = json_array();
    for (size_t k = 0; k < n; k++)
        json_array_append_new(
            rows, json_pack("{s:I, s:s, s:o, s:o, s:o}", "lead", (json_int_t)k + 1,
                            "time", lead_time(end_s, k, time), "yhat",
                            json_number(f[k].yhat), "yhat_lower", json_number(f[k].lower),
                            "yhat_upper", json_number(f[k].upper)));
    json_t *one = json_pack("{s:s, s:O, s:O, s:s, s:o}", "series", name, "parameters",
                            r->parameters, "metrics", r->metrics, "reason", r->reason,
                            "forecast", rows);
    json_write(b, one);
    json_decref(one);
}

/* The rows of series i into b, or why there are none into e. */
static int one_series(void *arg, size_t i, struct buf *b, struct err *e)
{
    struct run *r = arg;
    struct input_series *s = &r->in.s[i];
    struct forecast f[HORIZON_MAX];
    size_t n = (size_t)r->o->horizon;
    const struct train_opts how = {.series = s->name,
                                   .code = fc_version,
                                   .horizon = HORIZON_MAX,
                                   .level = r->o->level / 100};
    struct train_result res;
    hours_trim(&s->h);
    if (train_series(&s->h, NULL, &how, &res, e))
        return -1;
    int rc = model_forecast(res.model, &s->h, n, how.level, f, e);
    int64_t end_s = s->h.start_s + ((int64_t)s->h.n - 1) * 3600;
    if (!rc && !strcmp(r->o->output, "csv"))
        csv_rows(b, s->name, end_s, f, n);
    else if (!rc)
        json_rows(b, s->name, end_s, &res, f, n);
    train_result_done(&res);
    hours_done(&s->h); /* a hundred thousand of them */
    return rc;
}

/* ---- all ---- */

static void tell(void *arg, size_t i, const struct buf *b, const struct err *e)
{
    struct run *r = arg;
    if (e->code) {
        r->failed++;
        fprintf(stderr, "fieldcast forecast: ");
        if (!strstr(e->text, r->in.s[i].name)) {
            plain_put(stderr, r->in.s[i].name);
            fprintf(stderr, ": ");
        }
        plain_put(stderr, e->text);
        fputc('\n', stderr);
    } else {
        if (!strcmp(r->o->output, "json"))
            fputs(r->told ? ",\n" : "[", stdout);
        fwrite(b->data, 1, b->len, stdout);
        r->told++;
    }
    progress_if_long(&r->progress, i + 1, clock_mono_ms());
}

static int forecast(const struct opts *o, struct err *e)
{
    struct run r = {.o = o};
    int64_t begun_ms = clock_mono_ms();
    if (input_read(&o->file, &r.in, e))
        return -1;
    if (!r.in.n) {
        input_done(&r.in);
        return err_set(e, ERR_INVALID, "%.100s holds no series", o->file.path);
    }
    progress_init(&r.progress, "forecast", "series", r.in.n, begun_ms);
    if (!strcmp(o->output, "csv"))
        puts("series,lead,time,yhat,yhat_lower,yhat_upper");
    int rc = parallel((size_t)o->threads, r.in.n, ANSWER_BYTES, one_series, tell, &r, e);
    if (!strcmp(o->output, "json"))
        puts(r.told ? "]" : "[]");
    if (r.progress.drawn)
        progress_end(&r.progress, r.in.n, clock_mono_ms());
    input_done(&r.in);
    if (!rc && !r.told)
        rc =
            err_set(e, ERR_INVALID, "none of the %zu series could be forecast", r.failed);
    return rc;
}

int forecast_main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct opts o;
    if (options(argc, argv, &o, &e))
        return options_refuse("forecast", &e);
    if (o.help) {
        help();
        return 0;
    }
    return forecast(&o, &e) ? options_fail("forecast", &e) : 0;
}
