/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdarg.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/ml/diagnostics_work.h"
#include "common/ml/pvalue.h"

#define NOTE_MAX 2048
#define NAMES_MAX 6 /* of a list in a sentence */
#define LEANING 0.5 /* skewness worth a word */
#define FEW_ROWS 50 /* below, p values that hold for many rows are rough */

/* Newey and West's p holds for many rows; of few, the more doubtful of the two counts. */
static double doubtful(const struct diagnostics *d, double p, double hac_p)
{
    if (isnan(hac_p))
        return p;
    return d->fit.rows < FEW_ROWS ? fmax(p, hac_p) : hac_p;
}

enum verdict { BAD, FINE, UNKNOWN };

/* Takes the text out of b. */
static void note(json_t *notes, const char *about, enum verdict v, struct buf *b)
{
    json_array_append_new(notes,
                          json_pack("{s:s, s:o, s:o}", "about", about, "fine",
                                    v == UNKNOWN ? json_null() : json_boolean(v == FINE),
                                    "text", json_text(b->data)));
    buf_reset(b);
}

static void fit_note(const struct diagnostics *d, json_t *notes, struct buf *b)
{
    const struct ols_inference *f = &d->fit;
    double p = doubtful(d, f->f_p, f->hac_f_p);
    char text[16];
    if (f->exact)
        buf_addf(b,
                 "the columns make up %s exactly, so there are no errors to judge: is it "
                 "among the columns itself?",
                 d->in->target);
    else if (p < DIAGNOSTICS_ALPHA)
        buf_addf(b,
                 "the columns explain %.1f %% of how %s varies, more than chance would "
                 "(F test, %s)",
                 100 * f->r2, d->in->target, p_text(p, text));
    else
        buf_addf(
            b,
            "the columns explain %.1f %% of how %s varies, no more than chance might "
            "(F test, %s): the mean could do as well",
            100 * f->r2, d->in->target, p_text(p, text));
    note(notes, "fit", f->exact || !(p < DIAGNOSTICS_ALPHA) ? BAD : FINE, b);
}

/* Nothing found is little where there was little to look at. */
static void say_few(const struct diagnostics *d, struct buf *b)
{
    if (d->fit.rows < FEW_ROWS)
        buf_addf(b, "; of %zu rows that says little", d->fit.rows);
}

static void normality_note(const struct diagnostics *d, json_t *notes, struct buf *b)
{
    const struct normality *t = &d->normality;
    char p[16];
    if (d->normality_err.code) {
        buf_addf(b, "whether errors are normal cannot be told: %s",
                 d->normality_err.text);
        note(notes, "normality", UNKNOWN, b);
        return;
    }
    bool fine = !(t->jarque_bera.p < DIAGNOSTICS_ALPHA);
    buf_addf(b, "errors %s normal (Jarque-Bera %s", fine ? "could be" : "are not",
             p_text(t->jarque_bera.p, p));
    if (!fine)
        buf_addf(b, "; large ones are %s than normal ones%s",
                 t->kurtosis > 3 ? "more frequent" : "rarer",
                 t->skewness > LEANING    ? ", and more often above the forecast"
                 : t->skewness < -LEANING ? ", and more often below the forecast"
                                          : "");
    buf_adds(b, ")");
    if (!fine)
        buf_adds(b, ": rely on the conformal band, not on a normal one");
    else
        say_few(d, b);
    note(notes, "normality", fine ? FINE : BAD, b);
}

static void spread_note(const struct diagnostics *d, json_t *notes, struct buf *b)
{
    double p = d->spread.lm.p;
    char text[16];
    if (d->spread_err.code) {
        buf_addf(b, "whether errors are of one size cannot be told: %s",
                 d->spread_err.text);
        note(notes, "spread", UNKNOWN, b);
        return;
    }
    bool fine = !(p < DIAGNOSTICS_ALPHA);
    p_text(p, text);
    if (fine)
        buf_addf(b, "errors are of much the same size throughout (Breusch-Pagan %s)",
                 text);
    else
        buf_addf(b,
                 "the size of errors changes with the columns (Breusch-Pagan %s): read "
                 "the HAC standard errors, and expect a band of one width to be too wide "
                 "at times and too narrow at others",
                 text);
    if (fine)
        say_few(d, b);
    note(notes, "spread", fine ? FINE : BAD, b);
}

static void autocorrelation_note(const struct diagnostics *d, json_t *notes,
                                 struct buf *b)
{
    double near = d->breusch_godfrey.lm.p, far = d->ljung_box.p;
    char p_near[16], p_far[16];
    if (isnan(near) && isnan(far)) {
        const struct err *why =
            d->breusch_godfrey_err.code ? &d->breusch_godfrey_err : &d->ljung_box_err;
        buf_addf(b, "whether errors follow one another cannot be told: %s",
                 why->code ? why->text : "there are too few rows");
        note(notes, "autocorrelation", UNKNOWN, b);
        return;
    }
    bool fine = !(near < DIAGNOSTICS_ALPHA) && !(far < DIAGNOSTICS_ALPHA);
    buf_addf(b, "%s (Breusch-Godfrey to lag %zu %s, Ljung-Box to lag %zu %s)",
             fine ? "one error says nothing about the next that could be found"
                  : "errors follow one another",
             d->breusch_godfrey_lags, p_text(near, p_near), d->ljung_box_lags,
             p_text(far, p_far));
    if (fine)
        say_few(d, b);
    else
        buf_adds(b, ": something that could be forecast is left, further lags may help; "
                    "read the HAC standard errors");
    note(notes, "autocorrelation", fine ? FINE : BAD, b);
}

/* "a, b, c and 4 more"; i-th name by take(), which says whether it belongs. */
static size_t list(const struct diagnostics *d, struct buf *b,
                   bool (*take)(const struct diagnostics *, size_t))
{
    size_t n = 0;
    for (size_t i = 0; i < d->fit.cols; i++) {
        if (!take(d, i))
            continue;
        if (n++ < NAMES_MAX)
            buf_addf(b, "%s%s", n > 1 ? ", " : "", d->in->names[i]);
    }
    if (n > NAMES_MAX)
        buf_addf(b, " and %zu more", n - NAMES_MAX);
    return n;
}

static bool is_constant(const struct diagnostics *d, size_t i)
{
    return d->fit.term[i].state == COLUMN_CONSTANT;
}

static bool is_inflated(const struct diagnostics *d, size_t i)
{
    return d->ties.tie[i].vif > COLLINEARITY_MUCH && isfinite(d->ties.tie[i].vif);
}

static bool is_idle(const struct diagnostics *d, size_t i)
{
    const struct ols_term *t = &d->fit.term[i];
    return doubtful(d, t->p, t->hac_p) >= DIAGNOSTICS_ALPHA;
}

/* "smoke is an exact function of other columns (smoke = 0.21 + 0.77 × co): .." */
static void relation_note(const struct diagnostics *d, const struct collinearity *ties,
                          size_t col, json_t *notes, struct buf *b)
{
    bool logs = ties == &d->log_ties;
    buf_addf(b, "%s is an exact function of other columns (", d->in->names[col]);
    collinearity_text(b, ties, col, d->in->names, logs);
    buf_adds(b, logs ? "): they are one measurement, and one of them is enough"
                     : "): it says nothing of its own and is left out");
    note(notes, "collinearity", BAD, b);
}

static void inflation_note(const struct diagnostics *d, json_t *notes, struct buf *b)
{
    size_t most = d->fit.cols;
    for (size_t i = 0; i < d->fit.cols; i++)
        if (is_inflated(d, i) &&
            (most == d->fit.cols || d->ties.tie[i].vif > d->ties.tie[most].vif))
            most = i;
    if (most == d->fit.cols)
        return;
    const struct column_tie *t = &d->ties.tie[most];
    size_t n = list(d, b, is_inflated);
    buf_addf(b,
             "%s much the same as other columns (variance inflation up to %.4g, of %s%s%s"
             "): %s by itself means little, the forecast is not harmed",
             n > 1 ? " say" : " says", t->vif, d->in->names[most],
             t->partner == COLLINEARITY_NONE ? "" : " with ",
             t->partner == COLLINEARITY_NONE ? "" : d->in->names[t->partner],
             n > 1 ? "each coefficient" : "its coefficient");
    note(notes, "collinearity", BAD, b);
}

static void collinearity_notes(const struct diagnostics *d, json_t *notes, struct buf *b)
{
    size_t before = json_array_size(notes);
    size_t n = list(d, b, is_constant);
    if (n) {
        buf_addf(b, " %s constant and left out", n > 1 ? "are" : "is");
        note(notes, "collinearity", BAD, b);
    }
    for (size_t i = 0; i < d->ties.cols; i++)
        if (d->ties.tie[i].weight)
            relation_note(d, &d->ties, i, notes, b);
    for (size_t i = 0; i < d->log_ties.cols; i++)
        if (d->log_ties.tie[i].weight && !d->ties.tie[i].weight)
            relation_note(d, &d->log_ties, i, notes, b);
    inflation_note(d, notes, b);
    if (json_array_size(notes) == before) {
        buf_adds(b, "each column says something of its own (no variance inflation above "
                    "10)");
        note(notes, "collinearity", FINE, b);
    }
}

static void effects_note(const struct diagnostics *d, json_t *notes, struct buf *b)
{
    if (d->fit.exact)
        return;
    size_t n = list(d, b, is_idle);
    if (n)
        buf_addf(b, ": no effect beside the other columns can be shown (p above %g)",
                 DIAGNOSTICS_ALPHA);
    else
        buf_addf(b, "each column has an effect of its own (p below %g)",
                 DIAGNOSTICS_ALPHA);
    note(notes, "effects", n ? BAD : FINE, b);
}

json_t *diagnostics_notes(const struct diagnostics *d)
{
    json_t *notes = json_array();
    struct buf b;
    buf_init(&b, NOTE_MAX);
    fit_note(d, notes, &b);
    normality_note(d, notes, &b);
    spread_note(d, notes, &b);
    autocorrelation_note(d, notes, &b);
    collinearity_notes(d, notes, &b);
    effects_note(d, notes, &b);
    buf_done(&b);
    return notes;
}
