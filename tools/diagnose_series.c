/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/ml/diagnostics_lags.h"
#include "common/ml/train.h"
#include "tools/diagnose_work.h"
#include "tools/forecast_notes.h"

struct facts {
    const char *name, *bytes;
    int64_t from_ms, to_ms;
    size_t hours, missing;
    double low, high;
    json_t *report; /* of the regression, owned; NULL: why says why */
    struct err why;
};

json_t *diagnose_regression(const struct diagnose_opts *o, const struct input_series *s,
                            struct hours *filled, struct err *e)
{
    if (hours_copy(filled, &s->h, e))
        return NULL;
    hours_interpolate(filled, TRAIN_MAX_GAP);
    return diagnostics_lags_report(s->name, filled, o->lags, o->n_lags, e);
}

static void look(const struct diagnose_opts *o, const struct input_series *s,
                 struct facts *f)
{
    const struct hours *h = &s->h;
    char apart[FORECAST_NOTE_SIZE];
    *f = (struct facts){
        .name = s->name, .bytes = s->bytes, .hours = h->n, .low = NAN, .high = NAN};
    if (!h->n) {
        (void)err_set(&f->why, ERR_CONFLICT, "it has no value");
        return;
    }
    f->from_ms = h->start_s * 1000;
    f->to_ms = f->from_ms + ((int64_t)h->n - 1) * HOUR_MS;
    f->missing = h->n - hours_complete(h);
    hours_range(h, &f->low, &f->high);
    if (f->low == f->high) {
        (void)err_set(
            &f->why, ERR_CONFLICT,
            "it is constant: nothing to predict, and it says nothing of others");
    } else {
        struct hours filled = {0};
        f->report = diagnose_regression(o, s, &filled, &f->why);
        hours_done(&filled);
        forecast_notes_apart(apart, h, "regressions");
        if (!f->report && *apart)
            (void)err_set(&f->why, ERR_CONFLICT, "%s", apart);
    }
}

/* ---- answers ---- */

static json_t *time_json(const struct facts *f, int64_t t_ms)
{
    char text[CLOCK_RFC3339_SIZE];
    return f->hours ? json_string(clock_format(t_ms, text)) : json_null();
}

static void put_json(const struct facts *f, const struct diagnose_opts *o, struct buf *b)
{
    json_t *lags = json_array();
    for (size_t i = 0; i < o->n_lags; i++)
        json_array_append_new(lags, json_integer(o->lags[i]));
    json_t *one =
        json_pack("{s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "series",
                  f->name, "hours", (json_int_t)f->hours, "missing_hours",
                  (json_int_t)f->missing, "from", time_json(f, f->from_ms), "to",
                  time_json(f, f->to_ms), "low", json_number(f->low), "high",
                  json_number(f->high), "constant", f->hours && f->low == f->high, "lags",
                  lags, "regression", f->report ? json_incref(f->report) : json_null(),
                  "why", f->report ? json_null() : json_string(f->why.text));
    if (o->csv)
        csv_figures(b, f->bytes, "", one);
    else
        json_write(b, one);
    json_decref(one);
}

/* A wide file without --start has no times worth telling. */
static void put_facts(const struct facts *f, const struct diagnose_opts *o, struct buf *b)
{
    char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE], text[256], times[80] = "";
    if (!o->file.wide || o->file.start)
        snprintf(times, sizeof times, " from %s to %s", clock_format(f->from_ms, from),
                 clock_format(f->to_ms, to));
    snprintf(text, sizeof text,
             "%zu hour%s%s, %zu of them missing, values from %.6g to %.6g", f->hours,
             f->hours == 1 ? "" : "s", times, f->missing, f->low, f->high);
    text_wrap(b, "  ", text);
}

static void put_text(const struct facts *f, const struct diagnose_opts *o, struct buf *b)
{
    char text[160];
    text_wrap(b, "", f->name);
    if (f->hours)
        put_facts(f, o, b);
    if (f->report) {
        json_int_t rows = json_integer_value(json_object_get(f->report, "rows"));
        snprintf(text, sizeof text,
                 "regression on its own past: %lld rows, gaps of up to %d hours bridged, "
                 "HAC standard errors",
                 (long long)rows, TRAIN_MAX_GAP);
        text_wrap(b, "  ", text);
        buf_addc(b, '\n');
        text_regression(b, f->report);
    } else {
        text_wrap(b, "  nothing to regress: ", f->why.text);
    }
    buf_addc(b, '\n');
}

int diagnose_series(void *arg, void *item, struct buf *b, struct err *e)
{
    struct diagnose *d = arg;
    struct facts f;
    look(d->o, item, &f);
    bool constant = f.low == f.high && f.hours - f.missing >= TRAIN_MIN_HOURS;
    if (f.report || constant) /* of fewer that says nothing */
        d->any = true;
    if (d->o->json || d->o->csv)
        put_json(&f, d->o, b);
    else
        put_text(&f, d->o, b);
    json_decref(f.report);
    return b->full ? err_set(e, ERR_TOO_LARGE, "the answer has more than %u bytes",
                             DIAGNOSE_BYTES)
                   : 0;
}
