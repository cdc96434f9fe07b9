/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/forecast_notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/ml/backtest.h"
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

void forecast_notes_apart(char text[FORECAST_NOTE_SIZE], const struct hours *h,
                          const char *what)
{
    size_t step = typical_step(h);
    *text = '\0';
    if (step > TRAIN_MAX_GAP + 1) /* so many are missing between two */
        snprintf(text, FORECAST_NOTE_SIZE,
                 "its readings are typically %zu hours apart; %s are by the hour, and "
                 "gaps of more than %d hours are not bridged",
                 step, what, TRAIN_MAX_GAP);
}

/* From how many hours on c's backtest always has the origins that a choice asks for. */
static size_t band_hours(const struct candidate *c)
{
    size_t n = TRAIN_WINDOW_HOURS, min = candidate_min_hours(c);
    while (n && plan_choice(n, HORIZON_MAX, min).n >= BACKTEST_MIN_ORIGINS)
        n--;
    return n + 1;
}

static void say_no_band(char text[FORECAST_NOTE_SIZE], const struct hours *h,
                        const struct candidate *c)
{
    static const char few[] = "too few forecasts to learn a band from";
    size_t need = c ? band_hours(c) : 0;
    if (c && !candidate_suits(c, h->y, h->n)) /* then no hours make it one */
        snprintf(text, FORECAST_NOTE_SIZE,
                 "%s: %s is compared only where a series rests at one value", few,
                 c->name);
    else if (h->n < need)
        snprintf(text, FORECAST_NOTE_SIZE, "%s: it has %zu hours, and %s takes %zu", few,
                 h->n, c->name, need);
    else if (hours_complete(h) < h->n)
        snprintf(text, FORECAST_NOTE_SIZE, "%s: %zu of its %zu hours are missing", few,
                 h->n - hours_complete(h), h->n);
    else
        snprintf(text, FORECAST_NOTE_SIZE, "%s: most of its %zu hours are all the same",
                 few, h->n);
}

/* So many that the two do not read alike, six at least. */
static int telling_digits(double a, double b)
{
    char one[32], other[32];
    int digits = 5;
    do {
        digits++;
        snprintf(one, sizeof one, "%.*g", digits, a);
        snprintf(other, sizeof other, "%.*g", digits, b);
    } while (digits < 17 && !strcmp(one, other));
    return digits;
}

/* Where the newest hour lies further beyond all others than these are from each other (of
 * a constant, from 0): a sensor misread, most often. */
static void say_newest(char text[FORECAST_NOTE_SIZE], const struct hours *h,
                       const struct model *m, const struct forecast *first)
{
    const struct hours others = hours_part(h, 0, h->n - 1);
    double low, high, newest = h->y[others.n];
    hours_range(&others, &low, &high);
    double range = high > low ? high - low : fabs(low);
    if (!isfinite(low) || fmax(low - newest, newest - high) <= range)
        return;
    int digits = telling_digits(newest, newest > high ? high : low);
    double read = model_newest(m, h->y, h->n);
    int len =
        snprintf(text, FORECAST_NOTE_SIZE,
                 "its newest hour, %.*g, lies far outside of all others (%.*g to %.*g)",
                 digits, newest, digits, low, digits, high);
    if (read != newest)
        snprintf(text + len, FORECAST_NOTE_SIZE - (size_t)len,
                 ": %.*g is read in its place, until another hour bears it out", digits,
                 read);
    else if (first->yhat < low || first->yhat > high)
        snprintf(text + len, FORECAST_NOTE_SIZE - (size_t)len,
                 ": the forecast follows it");
}

static void say_gaps(char text[FORECAST_NOTE_SIZE], const struct hours *h,
                     const struct model *m)
{
    size_t n = model_history_gaps(m, h->y, h->n);
    if (n)
        snprintf(text, FORECAST_NOTE_SIZE,
                 "%zu of the hours that its forecast looks back over %s in gaps of more "
                 "than %d hours: the same hour of the nearest day stands in",
                 n, n == 1 ? "is" : "are", TRAIN_MAX_GAP);
}

/* Where the next one goes; the last is kept if something was said. */
static char *next(struct forecast_notes *n)
{
    n->n += n->text[n->n][0] != '\0';
    return n->text[n->n];
}

void forecast_notes_make(struct forecast_notes *n, const struct hours *h,
                         const struct candidate *only, const struct model *m,
                         const struct forecast *first)
{
    struct hours whole = {0};
    *n = (struct forecast_notes){0};
    if (!h->n || hours_copy(&whole, h, NULL))
        return;
    train_window(&whole, NULL, NULL);
    forecast_notes_apart(n->text[0], &whole, "forecasts");
    if (first) {
        say_gaps(next(n), h, m);
        say_newest(next(n), &whole, m, first);
    }
    if (first && !isfinite(first->lower))
        say_no_band(next(n), &whole, only);
    n->n += n->text[n->n][0] != '\0';
    hours_done(&whole);
}

void forecast_tell(const char *name, const char *text)
{
    size_t n = strlen(name);
    fprintf(stderr, "fieldcast forecast: ");
    if (strncmp(text, name, n) || text[n] != ' ') { /* it begins with it */
        plain_put(stderr, name);
        fprintf(stderr, ": ");
    }
    plain_put(stderr, text);
    fputc('\n', stderr);
}
