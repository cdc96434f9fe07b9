/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/diagnose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/ml/diagnostics_lags.h"
#include "common/plain.h"
#include "tools/diagnose_work.h"
#include "tools/options.h"
#include "tools/parallel.h"

#define AT(field) offsetof(struct diagnose_opts, field)

static const struct option table[] = {
    INPUT_OPTION(struct diagnose_opts, file),
    {"output", "FORMAT", OPT_TEXT, AT(output), 0, 0,
     "text (the default), json, or csv: each figure as series,other,figure,value"},
    {"lags", "LIST", OPT_TEXT, AT(lags_text), 0, 0,
     "the hours before that a series is regressed on, up to 64 from 1 to 672 "
     "(1,2,3,23,24,25,26)"},
    {"with", "NAME", OPT_TEXT, AT(with), 0, 0,
     "compare this series with all others, however many (without it, each two are "
     "compared if there are at most 10)"},
    {"plot", "FILE", OPT_TEXT, AT(plot), 0, 0,
     "draw the last week of the first 12 series, what the regression says of each hour "
     "and its band, as SVG"},
    INPUT_FORM_OPTIONS(struct diagnose_opts, file),
    {"j", "N", OPT_INT, AT(threads), 1, 256,
     "series worked on at a time, 1 to 256 (as many as there are processors)"},
    {"help", NULL, OPT_FLAG, AT(help), 0, 0, "this text"},
    {0}};

static void help(void)
{
    printf(
        "Says what the series of a file are made of, without any server: which hours of "
        "its past\n"
        "a series follows, how far that can be trusted (are the errors normal, of one "
        "size,\n"
        "independent? do columns say the same?), which series help to predict which, and "
        "which are\n"
        "a function of others, in figures and in sentences.\n\n"
        "  fieldcast diagnose [FILE] [options]\n\n");
    options_print(table, stdout);
    printf(
        "\nThe file is as for \"fieldcast backtest\". All of its hours count. A series "
        "of which\n"
        "something cannot be told (empty, constant, too short) is told so. A sentence "
        "marked ! wants\n"
        "attention, one marked ? could not be told. What is a function of others, "
        "exactly "
        "or nearly,\n"
        "is looked for among at most 10 series, with --with among at most 25. Memory is "
        "as "
        "for\n"
        "\"fieldcast forecast\".\n\n"
        "Examples\n"
        "  Does the kitchen predict the living room?\n"
        "    fieldcast diagnose rooms.csv\n"
        "  How well does each hour follow from those before?\n"
        "    fieldcast diagnose --plot rooms.svg rooms.csv\n"
        "  What goes with the outdoor temperature, of hundreds of series:\n"
        "    fieldcast diagnose --with outdoor.temperature --output json all.csv.gz\n"
        "\nExit code: 0 when done, 1 when nothing could be told, 2 for a wrong command "
        "line.\n");
}

/* ---- command line ---- */

static bool known(const struct diagnose_opts *o, long lag)
{
    for (size_t i = 0; i < o->n_lags; i++)
        if (o->lags[i] == lag)
            return true;
    return false;
}

static int read_lags(struct diagnose_opts *o, struct err *e)
{
    const char *at = o->lags_text;
    o->n_lags = 0;
    for (;;) {
        char *end;
        long lag = strtol(at, &end, 10);
        if (*at < '0' || *at > '9' || (*end && *end != ',') || lag < 1 || lag > LAG_MAX ||
            known(o, lag) || o->n_lags == FEATURES_MAX)
            return err_set(e, ERR_INVALID,
                           "--lags must be up to %d hours from 1 to %d with commas "
                           "between, each once, as 1,2,24; not \"%.60s\"",
                           FEATURES_MAX, LAG_MAX, o->lags_text);
        o->lags[o->n_lags++] = (int)lag;
        if (!*end)
            return 0;
        at = end + 1;
    }
}

static int check(struct diagnose_opts *o, struct err *e)
{
    o->json = !strcmp(o->output, "json");
    o->csv = !strcmp(o->output, "csv");
    if (!o->json && !o->csv && strcmp(o->output, "text"))
        return err_set(e, ERR_INVALID,
                       "--output must be text, csv or json, not \"%.40s\"", o->output);
    if (o->plot && !strcmp(o->plot, "-"))
        return err_set(e, ERR_INVALID,
                       "--plot must be a file: the answers are on standard output");
    if (o->lags_text && read_lags(o, e))
        return -1;
    return input_file_spare(&o->file, "--plot", o->plot, e);
}

static int options(int argc, char **argv, struct diagnose_opts *o, struct err *e)
{
    const char *operand = NULL;
    size_t n;
    *o = (struct diagnose_opts){.output = "text",
                                .n_lags = DIAGNOSTICS_LAGS,
                                .threads = sysconf(_SC_NPROCESSORS_ONLN)};
    memcpy(o->lags, diagnostics_lags, sizeof diagnostics_lags);
    if (options_parse(table, argc, argv, o, &operand, 1, &n, e))
        return -1;
    if (o->help)
        return 0;
    return input_file_check(&o->file, operand, e) ? -1 : check(o, e);
}

/* ---- the file ---- */

int diagnose_take(void *arg, void **item, struct err *e)
{
    struct diagnose *d = arg;
    if (output_check(&d->output, e))
        return -1;
    struct input_series *s = xmalloc(sizeof *s);
    int got = series_next(d->in, s, e);
    if (got != 1) {
        free(s);
        return got;
    }
    s->bytes = s->name;
    s->name = plain_utf8(s->bytes); /* JSON and sentences take nothing else */
    hours_trim(&s->h);
    d->n++;
    *item = s;
    return 1;
}

void diagnose_drop(void *item)
{
    input_series_done(item);
    free(item);
}

/* Reads the file until the series is there, so that a wrong name is told first. */
static int find_with(struct diagnose *d, struct err *e)
{
    void *s;
    int got;
    while ((got = diagnose_take(d, &s, e)) == 1) {
        struct input_series *one = s;
        if (!strcmp(one->name, d->o->with) || !strcmp(one->bytes, d->o->with)) {
            d->with = *one;
            d->with_at = d->n - 1;
            free(one);
            d->n = 0;
            return series_rewind(d->in, e);
        }
        diagnose_drop(s);
    }
    if (got < 0)
        return -1;
    if (!d->n)
        return 0; /* told later */
    return err_set(e, ERR_INVALID, "--with %.129s: %.100s holds no series of that name",
                   d->o->with, input_file_name(&d->o->file));
}

/* ---- all ---- */

void diagnose_progress(struct diagnose *d, size_t done)
{
    progress_if_long(&d->progress, done, clock_mono_ms());
}

/* Series i is kept for comparing them, or there are too many for that. */
static void keep(struct diagnose *d, size_t i, const struct input_series *s)
{
    size_t few = diagnose_few(d->o);
    if (i > few)
        return;
    if (i == few) {
        for (size_t k = 0; k < i; k++)
            input_series_done(&d->few[k]);
        return;
    }
    d->few[i].name = xstrdup(s->name);
    d->few[i].bytes = xstrdup(s->bytes);
    if (s->h.n && hours_copy(&d->few[i].h, &s->h, NULL))
        d->few[i].h = (struct hours){0};
    d->few[i].h.zone = d->few[i].zone = zone_copy(s->zone);
}

static void tell(void *arg, size_t i, void *item, const struct buf *b,
                 const struct err *e)
{
    struct diagnose *d = arg;
    const struct input_series *s = item;
    keep(d, i, s);
    fits_add(d, s);
    d->values += s->h.n;
    if (e->code) {
        fputs("fieldcast diagnose: ", stderr);
        plain_put(stderr, s->name);
        fprintf(stderr, ": %s\n", e->text);
    } else {
        if (d->o->json)
            fputs(d->told++ ? ",\n" : "", stdout);
        fwrite(b->data, 1, b->len, stdout);
        output_flush(&d->output);
    }
    diagnose_progress(d, i + 1);
}

static int each_series(struct diagnose *d, struct err *e)
{
    static const struct parallel_items how = {diagnose_take, diagnose_series, tell,
                                              diagnose_drop};
    progress_init(&d->progress, "diagnose", "series", series_count(d->in),
                  clock_mono_ms());
    int rc = parallel_items((size_t)d->o->threads, DIAGNOSE_BYTES, &how, d, e);
    if (d->progress.drawn)
        progress_end(&d->progress, d->n, clock_mono_ms());
    if (rc)
        return -1;
    if (!d->n)
        return err_set(e, ERR_INVALID, "%.100s holds no series",
                       input_file_name(&d->o->file));
    if (!d->values)
        return err_set(e, ERR_INVALID, "no series of %.100s has a value",
                       input_file_name(&d->o->file));
    return 0;
}

static int diagnose(struct diagnose *d, struct err *e)
{
    d->in = series_open(&d->o->file, d->o->with, e);
    if (!d->in || (d->o->with && find_with(d, e)))
        return -1;
    if (d->o->json)
        fputs("{\"series\":[", stdout);
    if (d->o->csv)
        puts("series,other,figure,value");
    output_flush(&d->output);
    int rc = each_series(d, e);
    if (d->o->json)
        fputs("],\n\"relations\":", stdout);
    rc = rc ? rc : diagnose_pairs(d, e);
    if (rc && d->o->json)
        fputs("null,\n\"same\":null", stdout);
    if (d->o->json)
        puts("}");
    rc = rc ? rc : output_end(&d->output, e);
    rc = rc || !d->o->plot ? rc : fits_write(d, e);
    if (!rc && !d->any)
        rc = err_set(e, ERR_INVALID, "of no series of %.100s could anything be told",
                     input_file_name(&d->o->file));
    return rc;
}

int diagnose_main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct diagnose_opts o;
    struct diagnose d = {.o = &o};
    if (options(argc, argv, &o, &e))
        return options_refuse("diagnose", &e);
    if (o.help) {
        help();
        return 0;
    }
    int rc = diagnose(&d, &e);
    series_close(d.in);
    input_series_done(&d.with);
    fits_done(&d.fits);
    for (size_t i = 0; i < TIES_MAX; i++)
        input_series_done(&d.few[i]);
    return rc ? options_fail("diagnose", &e) : 0;
}
