/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/duration.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"ms", 1},   {"s", SECOND}, {"m", MINUTE},
             {"h", HOUR}, {"d", DAY},    {"w", 7 * DAY}};

/* Digits with at most one point, by hand: strtod() would also take "1e3", "0x10", "inf".
 */
static const char *read_number(const char *s, double *x)
{
    double unit = 1;
    int digits = 0;
    *x = 0;
    for (; *s && strchr("0123456789.", *s); s++) {
        if (*s == '.' && unit < 1)
            return NULL;
        if (*s == '.') {
            unit = 0.1;
            continue;
        }
        digits++;
        if (unit == 1) {
            *x = *x * 10 + (*s - '0');
        } else {
            *x += (*s - '0') * unit;
            unit /= 10;
        }
    }
    return digits ? s : NULL;
}

int duration_parse(const char *text, const char *what, int64_t *ms, struct err *e)
{
    double x;
    const char *unit = read_number(text, &x);
    for (size_t i = 0; unit && i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        x *= (double)units[i].ms;
        if (x > (double)DURATION_MAX_MS)
            return err_set(e, ERR_INVALID, "%s must be at most 100 years, not \"%.40s\"",
                           what, text);
        *ms = (int64_t)llround(x);
        return 0;
    }
    return err_set(
        e, ERR_INVALID,
        "%s must be a number and a unit (ms, s, m, h, d, w) such as 5m or 6w, not "
        "\"%.40s\"",
        what, text);
}

const char *duration_format(int64_t ms, char out[DURATION_TEXT_SIZE])
{
    static const struct {
        int64_t big, small;
        const char *big_name, *small_name;
    } forms[] = {
        {DAY, HOUR, "d", "h"}, {HOUR, MINUTE, "h", "min"}, {MINUTE, SECOND, "min", "s"}};
    const char *sign = ms < 0 ? "-" : "";
    ms = ms < 0 ? -ms : ms;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (ms < forms[i].big)
            continue;
        int64_t rest = ms % forms[i].big / forms[i].small;
        int n = snprintf(out, DURATION_TEXT_SIZE, "%s%" PRId64 " %s", sign,
                         ms / forms[i].big, forms[i].big_name);
        if (rest && n > 0 && n < DURATION_TEXT_SIZE)
            snprintf(out + n, (size_t)(DURATION_TEXT_SIZE - n), " %" PRId64 " %s", rest,
                     forms[i].small_name);
        return out;
    }
    if (ms >= SECOND)
        snprintf(out, DURATION_TEXT_SIZE, "%s%" PRId64 " s", sign, ms / SECOND);
    else
        snprintf(out, DURATION_TEXT_SIZE, "%s%" PRId64 " ms", sign, ms);
    return out;
}
