/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/forecast_notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/ml/train.h"
#include "common/plain.h"

/* From one reading to the next, where that is at most `most` hours. */
static size_t steps_within(const struct hours *h, size_t most)
{
    size_t n = 0, since = 0;
    for (size_t i = 0; i < h->n; i++) {
        if (!isfinite(h->y[i]))
            continue;
        n += i > since && i - since <= most; /* h begins with a reading */
        since = i;
    }
    return n;
}

/* The median of the hours from one reading to the next, of two the smaller; 0: there is
 * one reading at the most. */
static size_t typical_step(const struct hours *h)
{
    size_t low = 1, high = h->n, steps = steps_within(h, h->n);
    if (!steps)
        return 0;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (2 * steps_within(h, mid) >= steps)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

void forecast_notes_make(struct forecast_notes *n, const struct hours *h)
{
    struct hours whole = {0};
    size_t step;
    *n = (struct forecast_notes){0};
    if (!h->n || hours_copy(&whole, h, NULL))
        return;
    train_window(&whole);
    step = typical_step(&whole);
    if (step > TRAIN_MAX_GAP + 1) /* so many are missing between two */
        snprintf(n->apart, sizeof n->apart,
                 "its readings are typically %zu hours apart; forecasts are by the hour, "
                 "and gaps of more than %d hours are not bridged",
                 step, TRAIN_MAX_GAP);
    hours_done(&whole);
}

void forecast_tell(const char *name, const char *text)
{
    size_t n = strlen(name);
    if (!*text)
        return;
    fprintf(stderr, "fieldcast forecast: ");
    if (strncmp(text, name, n) || text[n] != ' ') { /* it begins with it */
        plain_put(stderr, name);
        fprintf(stderr, ": ");
    }
    plain_put(stderr, text);
    fputc('\n', stderr);
}
