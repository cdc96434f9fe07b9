/* SPDX-License-Identifier: GPL-3.0-or-later */
/* change: has a series left its regime, and when?
 *
 * A training that is asked for after a real change must not judge by the weeks before it:
 * for a week everything would look as good as before. Pure. */
#ifndef FC_ML_CHANGE_H
#define FC_ML_CHANGE_H

#include <stddef.h>

#include "common/ml/backtest.h"

#define CHANGE_MIN_HOURS 24   /* after the change, for a training to begin from it */
#define CHANGE_SPAN_HOURS 672 /* looked at; the older part is the reference */
#define CHANGE_FACTOR 1.5

/* For each hour the champion's error is averaged over its forecasts of that hour, 1 to 24
 * hours before. If its mean over the last day exceeds CHANGE_FACTOR times that of the
 * worst day of the reference (all but the last week; of a short stretch, its first half),
 * and the series itself stays off, there was a change: the moment after which the errors
 * lie above the middle between the two levels. It stays off if three quarters of the last
 * day are further from the reference's mean at their hours of the day than of any day of
 * the reference; without that, an excursion of an hour would do. Returns the index of the
 * first hour after the change, 0 if there was none or it is less than CHANGE_MIN_HOURS
 * ago. */
size_t change_find(const struct model *champion, const struct truth *t, size_t n);

/* The same of a series that no champion serves: y[n], as measured (NaN: missing); in
 * place of errors, the distances from the reference. Nothing (0) is found in fewer than
 * CHANGE_SPAN_HOURS: that a day is further off than each of a few weeks before is no
 * rarity. */
size_t change_find_alone(const double *y, size_t n);

#endif
