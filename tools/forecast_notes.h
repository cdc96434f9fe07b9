/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast_notes: what a series' forecast lacks or follows, told beside it in sentences.
 * Any thread.
 */
#ifndef FC_TOOLS_FORECAST_NOTES_H
#define FC_TOOLS_FORECAST_NOTES_H

#include "common/ml/candidates.h"
#include "common/ml/dataset.h"
#include "common/ml/model.h"

#define FORECAST_NOTE_SIZE 240

#define FORECAST_NOTES_MAX 4

/* Its readings are far apart; hours that it reads are missing; its newest hour is far
 * outside of all others; it has no band. */
struct forecast_notes {
    size_t n;
    char text[FORECAST_NOTES_MAX][FORECAST_NOTE_SIZE];
};

/* "its readings are typically 24 hours apart; forecasts are by the hour, and …", where
 * `what` are the forecasts; "" where they are close enough. h begins with a reading. */
void forecast_notes_apart(char text[FORECAST_NOTE_SIZE], const struct hours *h,
                          const char *what);

/* h: its hours, as forecast_series() leaves them. only: as given to that. m, first: what
 * forecasts, and of what it said the first; NULL: it refused. */
void forecast_notes_make(struct forecast_notes *n, const struct hours *h,
                         const struct candidate *only, const struct model *m,
                         const struct forecast *first);

/* On standard error: a line with the series' name before the text, unless this begins
 * with it. */
void forecast_tell(const char *name, const char *text);

#endif
