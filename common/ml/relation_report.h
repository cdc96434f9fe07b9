/* SPDX-License-Identifier: GPL-3.0-or-later */
/* relation_report: what one series says about another, as one JSON object and a sentence:
 * so that a user sees that the kitchen predicts the living room. Pure.
 *
 * Both series are taken without their daily cycle (cross_without_day()): of unrelated
 * rooms that both follow the sun, between half and all "help to predict" each other at
 * p < 0.05 if it is left in, 3 to 7 % without it.
 *
 *   target other hours_in_common
 *   correlation best_lag best_correlation best_lower best_upper best_n_eff best_p
 *              correlation is that of the same hour with the daily cycle in it; best_ is
 *              the lag of the strongest one without it: above 0, other leads by so many
 *              hours; best_p counts that it is the best of many (cross_correlation.h)
 *   lags       [{"lag","n","n_eff","r","p","lower","upper"}] of -48 .. 48, without the
 *              daily cycle
 *   helps      {"rows","f","p","df1","df2","gain","r2_own","r2_both"}: does the past of
 *              other help to predict target (granger.h)? null when it cannot be told
 *   helped     the same with the two changed over
 *   predicts   true when other helps: p below the limit and a gain of at least 1 %
 *   text       the sentence
 *
 * Of many questions some are answered by chance: of n pairs each is asked both ways
 * whether one helps to predict the other, and once whether they move together. So p
 * counts below 0.05 / 2n and 0.05 / n (Bonferroni). */
#ifndef FC_ML_RELATION_REPORT_H
#define FC_ML_RELATION_REPORT_H

#include <jansson.h>
#include <stddef.h>

#include "common/err.h"
#include "common/ml/dataset.h"

#define RELATION_MIN_HOURS 168 /* shorter, there is no daily cycle to take off */
#define RELATION_MAX_HOURS 87600
#define RELATION_MIN_GAIN 0.01 /* of the typical error of the next hour */

/* The limits of p, for so many pairs. */
#define RELATION_ALPHA 0.05
#define RELATION_HELPS_P(pairs) (RELATION_ALPHA / 2 / (double)(pairs))
#define RELATION_TOGETHER_P(pairs) (RELATION_ALPHA / (double)(pairs))

/* a: the target's hours, b: the other's, the same ones; names UTF-8; the hours of the day
 * are those of a's zone; pairs: how many are asked about, this one among them.
 * New reference, or NULL: ERR_CONFLICT for n out of range or as cross_correlation()
 * fails, ERR_INVALID for a value beyond 1e100 in size. */
json_t *relation_report(const char *target, const struct hours *a, const char *other,
                        const struct hours *b, size_t pairs, struct err *e);

#endif
