/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/gate.h"

#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/mem.h"

/* With fewer than two blocks nothing can be drawn: the gain must then be this much
 * larger. */
#define FEW_FACTOR 10

#define NOTICEABLE 0.001 /* less of a gain is none, however surely it is there */

enum { CHALLENGER, CHAMPION, PERSISTENCE, SEASONAL, N_CONTENDERS };
static const char *const names[] = {"challenger", "champion", "persistence",
                                    "seasonal_naive"};

struct work {
    const double *loss[N_CONTENDERS]; /* NULL: takes no part */
    double mean[N_CONTENDERS];        /* over the common origins; NaN: takes no part */
    double *gain; /* champion - challenger, per common origin. owned */
    size_t common;
    double lower, upper; /* of the mean gain; NaN: could not be drawn */
};

/* A contender that could forecast at no origin takes no part: it must not empty the
 * comparison for the others. */
static const double *if_any(const double *loss, size_t n)
{
    for (size_t i = 0; loss && i < n; i++)
        if (isfinite(loss[i]))
            return loss;
    return NULL;
}

static void collect(const struct gate_in *in, struct work *w)
{
    const double *all[] = {in->challenger, in->champion, in->persistence,
                           in->seasonal_naive};
    double sum[N_CONTENDERS] = {0};
    for (int c = 0; c < N_CONTENDERS; c++)
        w->loss[c] = if_any(all[c], in->n);
    w->gain = xcalloc(in->n + 1, sizeof *w->gain);
    for (size_t i = 0; i < in->n; i++) {
        bool whole = true;
        for (int c = 0; c < N_CONTENDERS; c++)
            whole = whole && (!w->loss[c] || isfinite(w->loss[c][i]));
        if (!whole)
            continue;
        for (int c = 0; c < N_CONTENDERS; c++)
            sum[c] += w->loss[c] ? w->loss[c][i] : 0;
        if (w->loss[CHAMPION] && w->loss[CHALLENGER])
            w->gain[w->common] = w->loss[CHAMPION][i] - w->loss[CHALLENGER][i];
        w->common++;
    }
    for (int c = 0; c < N_CONTENDERS; c++)
        w->mean[c] = w->loss[c] && w->common ? sum[c] / (double)w->common : NAN;
}

/* Moving-block bootstrap of the mean gain: as many blocks of consecutive origins as make
 * up the length, begun anywhere; percentile interval. Both errors of an origin stay
 * together. */
static void bootstrap(const struct gate_in *in, struct work *w)
{
    w->lower = w->upper = NAN;
    if (!in->block || w->common < 2 * in->block || in->draws < 1)
        return;
    size_t starts = w->common - in->block + 1;
    size_t blocks = (w->common + in->block - 1) / in->block;
    double *sum = xcalloc(w->common + 1, sizeof *sum);
    double *mean = xcalloc((size_t)in->draws, sizeof *mean);
    for (size_t i = 0; i < w->common; i++)
        sum[i + 1] = sum[i] + w->gain[i];
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(rng, (unsigned long)in->seed);
    for (int d = 0; d < in->draws; d++) {
        for (size_t b = 0; b < blocks; b++) {
            size_t at = gsl_rng_uniform_int(rng, starts);
            mean[d] += sum[at + in->block] - sum[at];
        }
        mean[d] /= (double)(blocks * in->block);
    }
    gsl_rng_free(rng);
    gsl_sort(mean, 1, (size_t)in->draws);
    double tail = (1 - in->confidence) / 2 * (double)(in->draws - 1);
    w->lower = mean[(size_t)floor(tail)];
    w->upper = mean[in->draws - 1 - (int)floor(tail)];
    free(mean);
    free(sum);
}

/* Below the baseline; a baseline need not beat itself. */
static bool beats(const struct gate_in *in, const struct work *w, int baseline)
{
    double c = w->mean[CHALLENGER], b = w->mean[baseline];
    return isnan(b) || (in->challenger_is_baseline ? c <= b : c < b);
}

/* Relative gain over the champion; a perfect champion cannot be improved on. */
static double relative_gain(const struct work *w)
{
    double champion = w->mean[CHAMPION], challenger = w->mean[CHALLENGER];
    return champion > 0     ? (champion - challenger) / champion
           : challenger > 0 ? -INFINITY
                            : 0;
}

__attribute__((format(printf, 3, 4))) static void say(struct gate_out *out, bool pass,
                                                      const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    out->pass = pass;
    vsnprintf(out->reason, sizeof out->reason, fmt, ap);
    va_end(ap);
}

/* Not better by what is asked of others: which against an older champion is what may be
 * lost. */
static void beside_older(double gain, double margin, struct gate_out *out)
{
    bool pass = gain > -margin;
    if (gain >= 0)
        say(out, true,
            "better by %.2f %% than the champion, which was not fitted to these hours",
            100 * gain);
    else
        say(out, pass,
            "worse by %.2f %% than the champion, which was not fitted to these hours: %s "
            "than the %g %% that it may be",
            -100 * gain, pass ? "less" : "not less", 100 * margin);
}

static void decide(const struct gate_in *in, const struct work *w, struct gate_out *out)
{
    double m = w->mean[CHALLENGER];
    if (isnan(m)) {
        say(out, false, "the challenger could not be scored: no origin is common to all");
        return;
    }
    for (int b = PERSISTENCE; b <= SEASONAL; b++) {
        if (!beats(in, w, b)) {
            say(out, false, "does not beat %s: mean absolute error %.4g against %.4g",
                b == PERSISTENCE ? "persistence" : "the seasonal naive forecast", m,
                w->mean[b]);
            return;
        }
    }
    if (!in->champion || isnan(w->mean[CHAMPION])) {
        say(out, true, "%s and %s (mean absolute error %.4g)",
            in->champion ? "the champion cannot forecast this series any more"
                         : "there is no champion yet",
            in->challenger_is_baseline ? "no baseline is better"
                                       : "the baselines are beaten",
            m);
        return;
    }
    double gain = relative_gain(w);
    bool drawn = !isnan(w->lower);
    bool significant = drawn && w->lower > 0 && gain >= NOTICEABLE;
    double margin = in->margin * (drawn ? 1 : FEW_FACTOR);
    bool model_at_last = in->champion_is_baseline && !in->challenger_is_baseline;
    if (isinf(gain))
        say(out, false, "the champion made no error, the challenger one of %.4g", m);
    else if (in->least > 0 && gain <= in->least)
        say(out, false, "gain over the champion is %.2f %%, and %g %% is asked",
            100 * gain, 100 * in->least);
    else if (significant)
        say(out, true, "significantly better than the champion: error lower by %.2f %%",
            100 * gain);
    else if (gain > margin)
        say(out, true,
            "better than the champion by %.2f %%, more than the margin of %g %%",
            100 * gain, 100 * margin);
    else if (model_at_last && gain > 0)
        say(out, true, "better by %.2f %% than the champion, which is a baseline",
            100 * gain);
    else if (isinf(margin))
        say(out, false, "gain over the champion is %.2f %%: not significant", 100 * gain);
    else if (in->champion_is_older)
        beside_older(gain, margin, out);
    else
        say(out, false,
            "gain over the champion is %.2f %%: neither significant nor above %g %%",
            100 * gain, 100 * margin);
}

static json_t *evidence(const struct gate_in *in, const struct work *w)
{
    json_t *loss = json_object();
    for (int c = 0; c < N_CONTENDERS; c++)
        json_object_set_new(loss, names[c], json_number(w->mean[c]));
    bool drawn = !isnan(w->lower), champion = !isnan(w->mean[CHAMPION]);
    double mean = w->mean[CHAMPION] - w->mean[CHALLENGER];
    return json_pack(
        "{s:o, s:o, s:{s:o, s:o, s:o}, s:b, s:I, s:I, s:I, s:i, s:I, s:o, s:f, s:f}",
        "mae", loss, "gain", json_number(champion ? relative_gain(w) : NAN), "difference",
        "mean", json_number(mean), "lower", json_number(w->lower), "upper",
        json_number(w->upper), "significant", drawn && w->lower > 0, "origins",
        (json_int_t)w->common, "left_out", (json_int_t)(in->n - w->common), "block",
        (json_int_t)in->block, "draws", drawn ? in->draws : 0, "seed",
        (json_int_t)(in->seed & INT64_MAX), "margin",
        json_number(in->margin * (drawn ? 1 : FEW_FACTOR)), "least", in->least,
        "confidence", in->confidence);
}

void gate(const struct gate_in *in, struct gate_out *out)
{
    struct work w = {0};
    *out = (struct gate_out){0};
    collect(in, &w);
    w.lower = w.upper = NAN;
    if (w.loss[CHAMPION] && w.loss[CHALLENGER])
        bootstrap(in, &w);
    decide(in, &w, out);
    out->evidence = evidence(in, &w);
    free(w.gain);
}
