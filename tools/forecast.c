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
#include "common/mem.h"
#include "common/plain.h"
#include "tools/csv.h"
#include "tools/forecast_candidate.h"
#include "tools/forecast_help.h"
#include "tools/forecast_notes.h"
#include "tools/forecast_series.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/parallel.h"
#include "tools/plot_forecast.h"
#include "tools/progress.h"
#include "tools/series.h"

#define ANSWER_BYTES (1u << 20)
#define NOTED_MAX 10                       /* series whose notes are told */
#define YEAR_10000_S INT64_C(253402300800) /* as long as times can be written */

struct opts {
    struct input_file file;
    const char *output, *plot, *candidate;
    const struct candidate *only; /* the candidate named; NULL: the best or a blend */
    bool help;
    int64_t horizon, threads;
    double level;
};

#define AT(field) offsetof(struct opts, field)

static const struct option table[] = {
    INPUT_OPTION(struct opts, file),
    {"output", "FORMAT", OPT_TEXT, AT(output), 0, 0, "csv (the default) or json"},
    {"plot", "FILE", OPT_TEXT, AT(plot), 0, 0,
     "draw the last week, the forecast and its band of the first 12 series as SVG"},
    {"horizon", "N", OPT_INT, AT(horizon), 1, HORIZON_MAX,
     "hours to forecast, 1 to 48 (48)"},
    {"level", "PERCENT", OPT_REAL, AT(level), 50, 99.9,
     "share of hours that the band is to hold, 50 to 99.9 (95)"},
    {"candidate", "NAME", OPT_TEXT, AT(candidate), 0, 0,
     "forecast with this one alone, whatever is best; its names are below"},
    INPUT_FORM_OPTIONS(struct opts, file),
    {"j", "N", OPT_INT, AT(threads), 1, 256,
     "series worked on at a time (as many as there are processors)"},
    {"help", NULL, OPT_FLAG, AT(help), 0, 0, "this text"},
    {0}};

static int check(struct opts *o, struct err *e)
{
    if (strcmp(o->output, "csv") && strcmp(o->output, "json"))
        return err_set(e, ERR_INVALID, "--output must be csv or json, not \"%.40s\"",
                       o->output);
    if (o->plot && !strcmp(o->plot, "-"))
        return err_set(e, ERR_INVALID,
                       "--plot must be a file: the forecasts are on standard output");
    if (o->candidate && !(o->only = forecast_candidate(o->candidate, e)))
        return -1;
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
    return input_file_check(&o->file, operand, e) || check(o, e) ||
                   input_file_spare(&o->file, "--plot", o->plot, e)
               ? -1
               : 0;
}

/* ---- one series ---- */

struct run {
    const struct opts *o;
    struct series *in;
    struct progress progress;
    struct plot plot;
    struct output output;
    size_t told, failed; /* series whose answer was written, or could not be made */
    size_t noted;        /* series with notes */
};

struct item {
    struct input_series s;
    struct plot_series *plot; /* NULL: none is wanted */
    struct forecast_notes notes;
};

/* When the hour k + 1 after end_s begins. */
static const char *lead_time(int64_t end_s, size_t k, char out[CLOCK_RFC3339_SIZE])
{
    int64_t lead = (int64_t)k + 1;
    return clock_format((end_s + lead * 3600) * 1000, out);
}

/* The number as JSON has it: ten digits, say, would not tell a large counter's hours
 * apart. */
static void add_cell(struct buf *b, double x)
{
    buf_addc(b, ',');
    if (isfinite(x))
        buf_add_real(b, x);
}

static void csv_rows(struct buf *b, const char *name, int64_t end_s,
                     const struct forecast *f, size_t n)
{
    char time[CLOCK_RFC3339_SIZE];
    for (size_t k = 0; k < n; k++) {
        csv_add(b, name);
        buf_addf(b, ",%zu,%s", k + 1, lead_time(end_s, k, time));
        add_cell(b, f[k].yhat);
        add_cell(b, f[k].lower);
        add_cell(b, f[k].upper);
        buf_addc(b, '\n');
    }
}

static void json_rows(struct buf *b, const char *name, int64_t end_s,
                      const struct train_result *r, const struct forecast *f, size_t n,
                      const struct forecast_notes *notes)
{
    char time[CLOCK_RFC3339_SIZE], *shown = plain_utf8(name);
    json_t *rows = json_array(), *warnings = json_array();
    for (size_t i = 0; i < notes->n; i++)
        json_array_append_new(warnings, json_string(notes->text[i]));
    for (size_t k = 0; k < n; k++)
        json_array_append_new(
            rows, json_pack("{s:I, s:s, s:o, s:o, s:o}", "lead", (json_int_t)k + 1,
                            "time", lead_time(end_s, k, time), "yhat",
                            json_number(f[k].yhat), "yhat_lower", json_number(f[k].lower),
                            "yhat_upper", json_number(f[k].upper)));
    json_t *one = json_pack("{s:s, s:O, s:O, s:s, s:o, s:o}", "series", shown,
                            "parameters", r->parameters, "metrics", r->metrics, "reason",
                            r->reason, "warnings", warnings, "forecast", rows);
    json_write(b, one);
    json_decref(one);
    free(shown);
}

/* The rows of a series into b, or why there are none into e. */
static int one_series(void *arg, void *item, struct buf *b, struct err *e)
{
    const struct run *r = arg;
    struct item *it = item;
    struct input_series *s = &it->s;
    struct forecast f[HORIZON_MAX];
    struct train_result res;
    size_t n = (size_t)r->o->horizon;
    int rc =
        forecast_series(&s->h, s->name, r->o->level / 100, n, r->o->only, f, &res, e);
    forecast_notes_make(&it->notes, &s->h, r->o->only, rc ? NULL : res.model,
                        rc ? NULL : f);
    if (rc)
        return -1;
    int64_t end_s = s->h.start_s + ((int64_t)s->h.n - 1) * 3600;
    if (end_s + (int64_t)n * 3600 >= YEAR_10000_S) {
        train_result_done(&res);
        return err_set(e, ERR_INVALID, "the hours to forecast are after the year 9999");
    }
    if (!strcmp(r->o->output, "csv"))
        csv_rows(b, s->name, end_s, f, n);
    else
        json_rows(b, s->name, end_s, &res, f, n, &it->notes);
    if (r->o->plot)
        it->plot = plot_series_new(s->name, &s->h, f, n);
    train_result_done(&res);
    return 0;
}

/* ---- all ---- */

static int take(void *arg, void **item, struct err *e)
{
    struct run *r = arg;
    if (output_check(&r->output, e))
        return -1;
    struct item *it = xcalloc(1, sizeof *it);
    int got = series_next(r->in, &it->s, e);
    if (got == 1)
        *item = it;
    else
        free(it);
    return got;
}

static void drop(void *item)
{
    struct item *it = item;
    plot_series_free(it->plot);
    input_series_done(&it->s);
    free(it);
}

/* Of the first few series alone: that of all others is most often the same. */
static void tell_notes(struct run *r, const struct item *it)
{
    const struct forecast_notes *n = &it->notes;
    if (!n->n || r->noted++ >= NOTED_MAX)
        return;
    for (size_t i = 0; i < n->n; i++)
        forecast_tell(it->s.name, n->text[i]);
}

static void tell(void *arg, size_t i, void *item, const struct buf *b,
                 const struct err *e)
{
    struct run *r = arg;
    struct item *it = item;
    if (it->plot)
        plot_add(&r->plot, it->plot);
    it->plot = NULL;
    tell_notes(r, it);
    if (e->code) {
        r->failed++;
        forecast_tell(it->s.name, e->text);
    } else {
        if (!strcmp(r->o->output, "json"))
            fputs(r->told ? ",\n" : "[", stdout);
        fwrite(b->data, 1, b->len, stdout);
        output_flush(&r->output);
        r->told++;
    }
    progress_if_long(&r->progress, i + 1, clock_mono_ms());
}

static const struct parallel_items how = {take, one_series, tell, drop};

static int forecast(const struct opts *o, struct err *e)
{
    struct run r = {
        .o = o,
        .plot = {.level = o->level / 100, .no_times = o->file.wide && !o->file.start}};
    int64_t begun_ms = clock_mono_ms();
    r.in = series_open(&o->file, false, e);
    if (!r.in)
        return -1;
    progress_init(&r.progress, "forecast", "series", series_count(r.in), begun_ms);
    if (!strcmp(o->output, "csv"))
        puts("series,lead,time,yhat,yhat_lower,yhat_upper");
    output_flush(&r.output);
    int rc = parallel_items((size_t)o->threads, ANSWER_BYTES, &how, &r, e);
    if (!strcmp(o->output, "json"))
        puts(r.told ? "]" : "[]");
    rc = rc ? rc : output_end(&r.output, e);
    if (r.progress.drawn)
        progress_end(&r.progress, r.told + r.failed, clock_mono_ms());
    if (r.noted > NOTED_MAX)
        fprintf(stderr, "fieldcast forecast: the same or alike of %zu more series\n",
                r.noted - NOTED_MAX);
    series_close(r.in);
    if (!rc && !r.told && !r.failed)
        return err_set(e, ERR_INVALID, "%.100s holds no series",
                       input_file_name(&o->file));
    if (!rc && o->plot && r.plot.n)
        rc = plot_write(&r.plot, o->plot, e);
    plot_done(&r.plot);
    if (!rc && !r.told)
        rc = err_set(e, ERR_INVALID, "no series of %.100s could be forecast",
                     input_file_name(&o->file));
    return rc;
}

int forecast_main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct opts o;
    if (options(argc, argv, &o, &e))
        return options_refuse("forecast", &e);
    if (o.help) {
        forecast_help(table);
        return 0;
    }
    return forecast(&o, &e) ? options_fail("forecast", &e) : 0;
}
