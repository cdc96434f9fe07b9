/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/timefix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

#define SECONDS_1970_TO_2000 INT64_C(946684800)

static const struct {
    const char *name, *sentence;
} sources[] = {
    [TIME_DEVICE] = {"device", "the device's own time"},
    [TIME_DEVICE_2000] = {"device_since_2000",
                          "the device's own time, which counts from 2000"},
    [TIME_DEVICE_ZONE] = {"device_zone_learnt",
                          "the device's local time, its zone learnt from when its "
                          "messages come"},
    [TIME_DEVICE_OFFSET] = {"device_offset_learnt",
                            "the device's clock, which was never set, moved by what was "
                            "learnt from when its messages come"},
    [TIME_NONE] = {"arrival_no_time", "its arrival: the message has no time"},
    [TIME_IMPLAUSIBLE] = {"arrival_implausible_time",
                          "its arrival: the message's time is too far from it"},
    [TIME_UNREADABLE] = {"arrival_unreadable_time",
                         "its arrival: the message's text is no time"},
};

const char *time_source_name(enum time_source s)
{
    return sources[s].name;
}

const char *time_source_sentence(enum time_source s)
{
    return sources[s].sentence;
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

/* An ISO text, with or without a zone; *local: without. */
static bool by_text(const char *text, int64_t *t_ms, bool *local)
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
    *local = true;
    return clock_parse(zoned, "", t_ms, NULL) == 0;
}

struct read {
    int64_t t_ms;
    double number;
    bool is_number, local;
};

static bool read_time(const struct raw_time *raw, struct read *r)
{
    r->number = raw->number;
    r->is_number = raw->kind == RAW_TIME_NUMBER || whole_number(raw->text, &r->number);
    return r->is_number ? by_magnitude(r->number, &r->t_ms)
                        : by_text(raw->text, &r->t_ms, &r->local);
}

/* A number that is no time as it stands: by what is known of the clock, from 2000, or by
 * what is learnt now. Microseconds since a start may look like any of these: what is
 * known comes first. */
static enum time_source otherwise(const struct timefix *f, const struct read *r,
                                  struct device_clock *c, bool known, int64_t now_ms,
                                  int64_t *t_ms)
{
    int64_t t = r->t_ms + SECONDS_1970_TO_2000 * 1000;
    if (known && device_clock_offset(c, r->number, now_ms, t_ms) &&
        plausible(f, *t_ms, now_ms))
        return TIME_DEVICE_OFFSET;
    if (r->is_number && plausible(f, t, now_ms)) {
        *t_ms = t;
        return TIME_DEVICE_2000;
    }
    if (!known && r->is_number && c && device_clock_offset(c, r->number, now_ms, t_ms) &&
        plausible(f, *t_ms, now_ms))
        return TIME_DEVICE_OFFSET;
    return TIME_IMPLAUSIBLE;
}

static enum time_source decide(const struct timefix *f, const struct read *r,
                               struct device_clock *c, int64_t now_ms, int64_t *t_ms)
{
    enum time_source s = TIME_DEVICE;
    int64_t t = r->t_ms;
    if (r->local && f->local_min) {
        t -= f->local_min * 60000;
    } else if (r->local && c) {
        t = device_clock_zone(c, t, now_ms);
        s = t == r->t_ms ? TIME_DEVICE : TIME_DEVICE_ZONE;
    }
    bool known = r->is_number && c && device_clock_has_offset(c);
    if ((known && device_clock_agrees(c, r->number, now_ms)) ||
        !plausible(f, t, now_ms)) {
        s = otherwise(f, r, c, known, now_ms, &t);
        if (s == TIME_IMPLAUSIBLE)
            return s;
    }
    *t_ms = t;
    if (c)
        device_clock_note(c, t, now_ms);
    return s;
}

enum time_source timefix(const struct timefix *f, const struct raw_time *raw,
                         struct device_clock *c, int64_t now_ms, int64_t *t_ms,
                         int64_t *said_ms)
{
    struct read r = {0};
    *t_ms = now_ms;
    *said_ms = INT64_MIN;
    if (raw->kind == RAW_TIME_NONE)
        return TIME_NONE;
    if (!read_time(raw, &r))
        return TIME_UNREADABLE;
    enum time_source s = decide(f, &r, c, now_ms, t_ms);
    if (*t_ms != r.t_ms)
        *said_ms = r.t_ms;
    return s;
}
