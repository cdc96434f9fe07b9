/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/buf.h"
#include "common/plain.h"
#include "tools/backtest_work.h"

#define TABLE_BYTES (1u << 20)

static const size_t shown_leads[] = {1, 2, 3, 6, 12, 18, 24, 36, 48};
enum { N_SHOWN = sizeof shown_leads / sizeof *shown_leads };

/* ---- text ---- */

static void cell(struct buf *b, int width, int digits, double x)
{
    if (isfinite(x))
        buf_addf(b, " %*.*f", width - 1, digits, x);
    else
        buf_addf(b, "%*s", width, "-");
}

static void add_plain(struct buf *b, const char *text)
{
    char shown[PLAIN_CHAR_SIZE];
    while (*text) {
        text += plain_char(text, shown);
        buf_adds(b, shown);
    }
}

/* What the table of one series and that of all have in common. */
static void ratios(struct buf *b, const struct figures *f)
{
    cell(b, 8, 3, f->mase);
    cell(b, 8, 2, f->s.smape);
    cell(b, 7, 3, f->owa);
    cell(b, 8, 2, f->msis);
    cell(b, 7, 1, 100 * f->coverage);
    cell(b, 8, 1, 100 * f->skill_persistence);
    cell(b, 8, 1, 100 * f->skill_seasonal);
    cell(b, 8, 1, f->ms);
    buf_addc(b, '\n');
}

static void head(struct buf *b, const char *first)
{
    buf_addf(b, "  %-21s %9s %7s %7s %6s %7s %6s %7s %7s %7s\n", "candidate", first,
             "MASE", "sMAPE", "OWA", "MSIS", "cover", "skill p", "skill s", "ms");
}

/* ---- by hours ahead ---- */

/* What an hour ahead (from 0) has in a table; q is the scale of errors. */
typedef double lead_figure(const struct figures *f, double q, size_t k);

static double mase_at(const struct figures *f, double q, size_t k)
{
    return f->lead_mae[k] / q;
}

static double cover_at(const struct figures *f, double q, size_t k)
{
    (void)q;
    return 100 * figures_coverage(f, k);
}

static void lead_table(struct buf *b, const struct backtest_opts *o, const char *what,
                       int digits, lead_figure *at, const struct figures *f, double q,
                       size_t leads)
{
    buf_addf(b, "  %-21s", what);
    for (size_t i = 0; i < N_SHOWN && shown_leads[i] <= leads; i++)
        buf_addf(b, "%7zu", shown_leads[i]);
    buf_addc(b, '\n');
    for (size_t m = 0; m < method_count(o); m++) {
        if (!f[m].known)
            continue;
        buf_addf(b, "  %-21s", method_name(o, m));
        for (size_t i = 0; i < N_SHOWN && shown_leads[i] <= leads; i++)
            cell(b, 7, digits, at(&f[m], q, shown_leads[i] - 1));
        buf_addc(b, '\n');
    }
}

/* f: of each method. */
static void lead_tables(struct buf *b, const struct backtest_opts *o,
                        const struct figures *f, double q, size_t leads)
{
    bool any = false;
    for (size_t m = 0; m < method_count(o); m++)
        for (size_t k = 0; f[m].known && k < leads; k++)
            any = any || isfinite(figures_coverage(&f[m], k));
    lead_table(b, o, "MASE, hours ahead:", 3, mase_at, f, q, leads);
    if (any)
        lead_table(b, o, "cover, hours ahead:", 1, cover_at, f, q, leads);
}

/* ---- tables ---- */

/* "chosen: blend 27, ridge_clock 1" */
static void list_chosen(struct buf *b, const struct backtest_opts *o,
                        const size_t *chosen)
{
    const char *gap = "  chosen:";
    for (size_t m = method_count(o); m-- > 0;)
        if (chosen[m]) {
            buf_addf(b, "%s %s %zu", gap, method_name(o, m), chosen[m]);
            gap = ",";
        }
    if (*gap == ',')
        buf_addc(b, '\n');
}

/* METHODS_MAX: none has figures. */
static size_t best_candidate(const struct outcome *out)
{
    size_t best = METHODS_MAX;
    for (size_t c = 0; c < n_candidates_alone; c++)
        if (out->f[c].known &&
            (best == METHODS_MAX || out->f[c].s.mae < out->f[best].s.mae))
            best = c;
    return best;
}

/* All are scored at the same origins: who has made these fewer than there could be. */
static void why_few(struct buf *b, const struct backtest_opts *o,
                    const struct outcome *out)
{
    if (out->planned && out->planned < out->possible)
        buf_addf(b, "  %zu of %zu origins have the %zu hours before them that %s needs\n",
                 out->planned, out->possible, out->longest_h,
                 method_name(o, out->longest));
    if (!out->origins || out->origins >= out->planned)
        return;
    buf_addf(b, "  at %zu of %zu origins all could forecast", out->origins, out->planned);
    if (out->n_fewest < out->n_most)
        buf_addf(b, ", %s at %zu, others at %zu", method_name(o, out->fewest),
                 out->n_fewest, out->n_most);
    buf_addc(b, '\n');
}

void report_series(struct buf *b, const struct backtest_opts *o,
                   const struct outcome *out)
{
    size_t best = best_candidate(out);
    add_plain(b, out->name);
    buf_addf(b, ": %zu hours, %zu missing; ", out->hours, out->missing);
    if (o->holdout)
        buf_addf(b, "the last %" PRId64 " held out\n", o->holdout);
    else
        buf_addf(b, "%zu origins, %zu hours ahead\n", out->origins, out->leads);
    why_few(b, o, out);
    head(b, "MAE");
    for (size_t m = 0; m < method_count(o); m++) {
        const struct figures *f = &out->f[m];
        buf_addf(b, "%s %-21s ", m == best ? "*" : " ", method_name(o, m));
        if (f->known) {
            buf_addf(b, "%9.4g", f->s.mae);
            ratios(b, f);
        } else {
            buf_addf(b, "left out: %s\n", f->why);
        }
    }
    list_chosen(b, o, out->chosen);
    if (o->leads && best < METHODS_MAX && out->q > 0)
        lead_tables(b, o, out->f, out->q, out->leads);
    buf_addc(b, '\n');
}

static void count_series(struct buf *b, const struct totals *t)
{
    buf_addf(b, "overall: mean over %zu series", t->n - t->none - t->constant);
    if (t->none)
        buf_addf(b, "; %zu more could not be forecast or had nothing to score", t->none);
    if (t->constant)
        buf_addf(b, "; %zu more are constant from day to day and have no scale",
                 t->constant);
    buf_addc(b, '\n');
}

void report_totals(FILE *to, const struct backtest_opts *o, const struct totals *t)
{
    struct figures f[METHODS_MAX] = {0};
    struct buf b;
    buf_init(&b, TABLE_BYTES);
    count_series(&b, t);
    head(&b, "series");
    for (size_t m = 0; m < method_count(o); m++) {
        totals_figures(t, m, &f[m]);
        if (!f[m].known)
            continue;
        buf_addf(&b, "  %-21s %9zu", method_name(o, m), f[m].s.n);
        ratios(&b, &f[m]);
    }
    list_chosen(&b, o, t->chosen);
    if (o->leads)
        lead_tables(&b, o, f, 1, (size_t)(o->holdout ? o->holdout : o->horizon));
    fwrite(b.data, 1, b.len, to);
    buf_done(&b);
}
