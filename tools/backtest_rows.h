/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest_rows: the CSV that --output asks for: series,candidate,origin,lead,yhat,y. */
#ifndef FC_TOOLS_BACKTEST_ROWS_H
#define FC_TOOLS_BACKTEST_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

/* Opens path (- is standard output) and writes the header. *out is NULL when path is
 * NULL: then rows go nowhere. */
int rows_open(const char *path, FILE **out, struct err *e) MUST_CHECK;

/* origin_s: start of the last hour known. NaN is an empty cell. */
void rows_put(FILE *out, const char *series, const char *candidate, int64_t origin_s,
              size_t lead, double yhat, double y);

/* Fails when something could not be written to a file; for standard output there is
 * output.h. */
int rows_close(FILE *out, const char *path, struct err *e) MUST_CHECK;

#endif
