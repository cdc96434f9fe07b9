/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "firmware/main/payload.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the next byte goes; len counts on past size, so that the caller learns the need.
 */
struct out {
    char *buf;
    size_t size, len;
};

static void put(struct out *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct out *o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t room = o->len < o->size ? o->size - o->len : 0;
    int n = vsnprintf(room ? o->buf + o->len : NULL, room, fmt, ap);
    va_end(ap);
    o->len += (size_t)(n > 0 ? n : 0);
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool device_ok(const char *s)
{
    size_t n = 0;
    for (; s && s[n]; n++)
        if (n == PAYLOAD_NAME_MAX || !(is_lower(s[n]) || (s[n] >= 'A' && s[n] <= 'Z') ||
                                       is_digit(s[n]) || s[n] == '_' || s[n] == '-'))
            return false;
    return n > 0;
}

static bool quantity_ok(const char *s)
{
    size_t n = 0;
    for (; s && s[n]; n++)
        if (n == PAYLOAD_NAME_MAX ||
            !(is_lower(s[n]) || (n && (is_digit(s[n]) || s[n] == '_'))))
            return false;
    return n > 0;
}

/* 15 digits bring back every number that was read from at most 15; the rest needs 17. */
static void put_real(struct out *o, double x)
{
    char text[32];
    for (int digits = 6; digits <= 17; digits += digits < 15 ? 9 : 1) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    put(o, "%s", text);
}

static int check(const struct payload_reading *r)
{
    if (!device_ok(r->device))
        return PAYLOAD_BAD_DEVICE;
    if (r->n < 1 || r->n > PAYLOAD_VALUES_MAX)
        return PAYLOAD_BAD_COUNT;
    for (size_t i = 0; i < r->n; i++) {
        if (!quantity_ok(r->values[i].quantity))
            return PAYLOAD_BAD_QUANTITY;
        if (!isfinite(r->values[i].value))
            return PAYLOAD_NOT_FINITE;
    }
    return 0;
}

int payload_write(const struct payload_reading *r, char *buf, size_t size)
{
    if (size)
        buf[0] = '\0';
    int refused = check(r);
    if (refused)
        return refused;
    struct out o = {buf, size, 0};
    put(&o, "{\"device\":\"%s\",\"boot\":%" PRIu32 ",\"seq\":%" PRIu32, r->device,
        r->boot, r->seq);
    if (r->has_ts)
        put(&o, ",\"ts_ms\":%" PRId64, r->ts_ms);
    put(&o, ",\"values\":{");
    for (size_t i = 0; i < r->n; i++) {
        put(&o, "%s\"%s\":", i ? "," : "", r->values[i].quantity);
        put_real(&o, r->values[i].value);
    }
    put(&o, "}}");
    if (size && o.len >= size)
        buf[0] = '\0';
    return (int)o.len;
}

const char *payload_error_text(int error)
{
    switch (error) {
    case PAYLOAD_BAD_DEVICE:
        return "a device name must be 1 to 64 letters, digits, _ or -";
    case PAYLOAD_BAD_COUNT:
        return "a reading must hold 1 to 32 values";
    case PAYLOAD_BAD_QUANTITY:
        return "a quantity must be 1 to 64 lower-case letters, digits or _, a letter "
               "first";
    case PAYLOAD_NOT_FINITE:
        return "a value is not a finite number";
    }
    return "no error";
}
