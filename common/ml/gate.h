/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gate: may a challenger replace the champion? A pure function with its evidence.
 *
 * All contenders are scored on the same rolling origins over the last min(7 days, a
 * quarter of the history). loss[i] is a contender's mean absolute error over the leads of
 * origin i (NaN = it could not forecast there; such origins are left out for all). */
#ifndef FC_ML_GATE_H
#define FC_ML_GATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gate_in {
    const double *challenger, *champion;        /* champion NULL: there is none yet */
    const double *persistence, *seasonal_naive; /* never NULL */
    bool challenger_is_baseline; /* it need not beat itself: a tie with a baseline is
                                    enough */
    bool champion_is_baseline;   /* a model need only be better, by however little */
    bool champion_is_older; /* it was fitted to none of these hours, and the challenger
                               will be: it may be worse by as much as is asked else */
    size_t n;               /* origins, oldest first, evenly spaced */
    size_t block;           /* origins per bootstrap block: at least 24 h of them */
    double margin;          /* gain that suffices without significance, 0.01 = 1 %;
                             * INFINITY: none does */
    double least;           /* gain without which nothing suffices; 0: none is asked */
    double confidence;      /* of the bootstrap interval, 0.95 */
    int draws;              /* 2000 */
    uint64_t seed;
};

struct gate_out {
    bool pass;
    char reason[160]; /* one sentence */
    json_t
        *evidence; /* owned by the caller: mean losses, gain, interval, n, block, seed */
};

/* Passes when both baselines are beaten in the mean and, with a champion, either the
 * bootstrap interval of the mean difference lies above zero (of a gain of 0.1 % or more)
 * or the relative gain exceeds the margin; against a champion that is a baseline any gain
 * will do for a challenger that is none, and beside one that is older it may be worse by
 * less than the margin. With fewer than two blocks of origins there is no interval and
 * ten times the margin is asked, or allowed: of a young series, whose few hours tell
 * little, who has learned from more of them goes before. A contender that could forecast
 * nowhere is left out; if it is the challenger, the gate is shut. Same input, same
 * output, to the bit. */
void gate(const struct gate_in *in, struct gate_out *out);

#endif
