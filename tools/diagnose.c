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
#include "common/utf8.h"
#include "tools/diagnose_work.h"
#include "tools/options.h"
#include "tools/parallel.h"

#define AT(field) offsetof(struct diagnose_opts, field)

static const struct option table[] = {
    INPUT_OPTION(struct diagnose_opts, file),
    {"output", "FORMAT", OPT_TEXT, AT(output), 0, 0, "text (the default) or json"},
    {"lags", "LIST", OPT_TEXT, AT(lags_text), 0, 0,
     "the hours before that a series is regressed on (1,2,3,23,24,25,26)"},
    {"with", "NAME", OPT_TEXT, AT(with), 0, 0,
     "compare this series with all others, however many (without it, each two are "
     "compared if there are at most 10)"},
    INPUT_FORM_OPTIONS(struct diagnose_opts, file),
    {"j", "N", OPT_INT, AT(threads), 1, 256,
     "series worked on at a time (as many as there are processors)"},
    {"help", NULL, OPT_FLAG, AT(help), 0, 0, "this text"},
    {0}};

static void help(void)
{
    printf(
        "Says what the series of a file are made of, without any server: which hours of "
        "its past\n"
        "a series follows, how far that can be trusted (are the errors normal, of one "
        "size,\n"
        "independent? do columns say the same?), and which series help to predict which, "
        "in figures\n"
        "and in sentences.\n\n"
        "  fieldcast diagnose [FILE] [options]\n\n");
    options_print(table, stdout);
    printf(
        "\nThe file is as for \"fieldcast backtest\". All of its hours count. A series "
        "of which\n"
        "something cannot be told (empty, constant, too short) is told so. A sentence "
        "marked ! wants\n"
        "attention, one marked ? could not be told.\n\n"
        "Examples\n"
        "  Does the kitchen predict the living room?\n"
        "    fieldcast diagnose rooms.csv\n"
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
    if (!o->json && strcmp(o->output, "text"))
        return err_set(e, ERR_INVALID, "--output must be text or json, not \"%.40s\"",
                       o->output);
    if (o->lags_text && read_lags(o, e))
        return -1;
    return 0;
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

/* JSON and sentences take UTF-8 alone. */
static void make_utf8(char **name)
{
    char shown[PLAIN_CHAR_SIZE];
    struct buf b;
    size_t len;
    if (utf8_valid(*name))
        return;
    buf_init(&b, PLAIN_CHAR_SIZE * strlen(*name) + 1);
    for (const char *p = *name; *p;) {
        p += plain_char(p, shown);
        buf_adds(&b, shown);
    }
    free(*name);
    *name = buf_take(&b, &len);
    buf_done(&b);
}

static int find_with(struct diagnose *d, struct err *e)
{
    for (d->with = 0; d->with < d->in.n; d->with++)
        if (!strcmp(d->in.s[d->with].name, d->o->with))
            return 0;
    return err_set(e, ERR_INVALID, "--with %.129s: %.100s holds no series of that name",
                   d->o->with, d->o->file.path);
}

static int read_file(struct diagnose *d, struct err *e)
{
    const struct diagnose_opts *o = d->o;
    size_t values = 0;
    if (input_read(&o->file, &d->in, e))
        return -1;
    if (!d->in.n)
        return err_set(e, ERR_INVALID, "%.100s holds no series", o->file.path);
    if (o->with && find_with(d, e))
        return -1;
    for (size_t i = 0; i < d->in.n; i++) {
        make_utf8(&d->in.s[i].name);
        hours_trim(&d->in.s[i].h);
        values += d->in.s[i].h.n;
    }
    if (!values)
        return err_set(e, ERR_INVALID, "none of the %zu series of %.100s has a value",
                       d->in.n, o->file.path);
    return 0;
}

/* ---- all ---- */

void diagnose_progress(struct diagnose *d, size_t done)
{
    progress_if_long(&d->progress, done, clock_mono_ms());
}

static void tell(void *arg, size_t i, const struct buf *b, const struct err *e)
{
    struct diagnose *d = arg;
    if (e->code) {
        fputs("fieldcast diagnose: ", stderr);
        plain_put(stderr, d->in.s[i].name);
        fprintf(stderr, ": %s\n", e->text);
    } else {
        if (d->o->json)
            fputs(d->told++ ? ",\n" : "", stdout);
        fwrite(b->data, 1, b->len, stdout);
    }
    diagnose_progress(d, i + 1);
}

static int diagnose(struct diagnose *d, struct err *e)
{
    size_t n = d->in.n;
    progress_init(&d->progress, "diagnose", "series", n, clock_mono_ms());
    if (d->o->json)
        fputs("{\"series\":[", stdout);
    int rc =
        parallel((size_t)d->o->threads, n, DIAGNOSE_BYTES, diagnose_series, tell, d, e);
    if (d->progress.drawn)
        progress_end(&d->progress, n, clock_mono_ms());
    if (d->o->json)
        fputs("],\n\"relations\":", stdout);
    if (!rc)
        rc = diagnose_pairs(d, e);
    if (d->o->json)
        puts("}");
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
    int rc = read_file(&d, &e) || diagnose(&d, &e) ? -1 : 0;
    input_done(&d.in);
    return rc ? options_fail("diagnose", &e) : 0;
}
