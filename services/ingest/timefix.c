/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/timefix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

#define SECONDS_1970_TO_2000 INT64_C(946684800)

const char *time_source_name(enum time_source s)
{
    static const char *const names[] = {"device", "device_since_2000", "arrival_no_time",
                                        "arrival_implausible_time",
                                        "arrival_unreadable_time"};
    return names[s];
}

static bool plausible(const struct timefix *f, int64_t t_ms, int64_t now_ms)
{
    return t_ms >= now_ms - f->past_ms && t_ms <= now_ms + f->future_ms;
}

/* Milliseconds of an epoch number, its unit by its size; false when it is none. */
static bool by_magnitude(double x, int64_t *t_ms)
{
    double size = fabs(x), ms = 0;
    if (!(size < 9.2e18)) /* also NaN */
        return false;
    if (size < 5e9)
        ms = x * 1000;
    else if (size < 5e12)
        ms = x;
    else if (size < 5e15)
        ms = x / 1000;
    else
        ms = x / 1e6;
    *t_ms = (int64_t)llround(ms);
    return true;
}

static bool whole_number(const char *text, double *x)
{
    char *end;
    *x = strtod(text, &end);
    return end != text && !*end && strspn(text, "0123456789.eE+-") == strlen(text);
}

/* An ISO text, with or without a zone. */
static bool by_text(const struct timefix *f, const char *text, int64_t *t_ms)
{
    char zoned[sizeof((struct raw_time *)0)->text + 4];
    if (strlen(text) < 16 || text[4] != '-')
        return false;
    if (clock_parse(text, "", t_ms, NULL) == 0)
        return true;
    strcpy(zoned, text);
    if (strlen(text) == 16) /* 2026-11-20T10:00 */
        strcat(zoned, ":00");
    strcat(zoned, "Z");
    if (clock_parse(zoned, "", t_ms, NULL))
        return false;
    *t_ms -= f->local_min * 60000;
    return true;
}

static bool read_time(const struct timefix *f, const struct raw_time *raw, int64_t *t_ms,
                      bool *number)
{
    double x = raw->number;
    *number = raw->kind == RAW_TIME_NUMBER || whole_number(raw->text, &x);
    return *number ? by_magnitude(x, t_ms) : by_text(f, raw->text, t_ms);
}

enum time_source timefix(const struct timefix *f, const struct raw_time *raw,
                         int64_t now_ms, int64_t *t_ms)
{
    int64_t t = 0;
    bool number = false;
    *t_ms = now_ms;
    if (raw->kind == RAW_TIME_NONE)
        return TIME_NONE;
    if (!read_time(f, raw, &t, &number))
        return TIME_UNREADABLE;
    if (plausible(f, t, now_ms)) {
        *t_ms = t;
        return TIME_DEVICE;
    }
    t += SECONDS_1970_TO_2000 * 1000;
    if (number && plausible(f, t, now_ms)) {
        *t_ms = t;
        return TIME_DEVICE_2000;
    }
    return TIME_IMPLAUSIBLE;
}
