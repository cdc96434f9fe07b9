/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast_notes: what a series' forecast lacks or follows, told beside it in sentences.
 * Any thread.
 */
#ifndef FC_TOOLS_FORECAST_NOTES_H
#define FC_TOOLS_FORECAST_NOTES_H

#include "common/ml/candidates.h"
#include "common/ml/dataset.h"
#include "common/ml/model.h"

#define FORECAST_NOTE_SIZE 200

struct forecast_notes {
    char apart[FORECAST_NOTE_SIZE];   /* "": its readings are close enough */
    char newest[FORECAST_NOTE_SIZE];  /* "": like the hours before, or refused */
    char no_band[FORECAST_NOTE_SIZE]; /* "": it has a band */
};

/* "its readings are typically 24 hours apart; forecasts are by the hour, and …", where
 * `what` are the forecasts; "" where they are close enough. h begins with a reading. */
void forecast_notes_apart(char text[FORECAST_NOTE_SIZE], const struct hours *h,
                          const char *what);

/* h: its hours, as forecast_series() leaves them. only: as given to that. first: of what
 * it said; NULL: it refused. */
void forecast_notes_make(struct forecast_notes *n, const struct hours *h,
                         const struct candidate *only, const struct forecast *first);

/* On standard error: a line with the series' name before the text, unless this begins
 * with it. Nothing, if the text is empty. */
void forecast_tell(const char *name, const char *text);

#endif
