/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rules: how the loop treats one series; what series.settings in Postgres may say.
 *
 * Pure; any thread. */
#ifndef FC_MONITOR_RULES_H
#define FC_MONITOR_RULES_H

#include <jansson.h>
#include <stdbool.h>

#include "common/err.h"

struct rules {
    bool forecast;       /* train and forecast this series at all */
    bool system0;        /* the reference system's thresholds, and its way of training */
    double skill_min;    /* skill_24h below it is lost */
    double error_factor; /* mae_12h above so many sd of the champion's backtest error */
    double cooldown_h;   /* least time between two asks */
    int per_day;         /* most asks a day */
    int gap_h;           /* hours without a value that are still no silence */
    int stuck_h;         /* hours of one and the same value that are a fault; 0 = never */
    double mae_12h, ewma, z; /* system0's thresholds */
};

/* What holds where a series says nothing. */
void rules_default(struct rules *r, const char *quantity, double cooldown_h, int per_day);

/* Takes over what settings (an object) says; *r holds the defaults before. "exogenous",
 * the series that trainer shall read beside this one, is checked here and used there; so
 * is "tz". Unknown members and values out of range are refused with a text that names
 * them. */
int rules_apply(struct rules *r, const char *quantity, const json_t *settings,
                struct err *e) MUST_CHECK;

/* All of it, as PUT takes it; new. */
json_t *rules_json(const struct rules *r);

#endif
