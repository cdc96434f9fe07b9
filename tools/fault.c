/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/fault.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tools/duration.h"

static const char *const kinds[] = {"stuck", "gap", "spike", "offset", "noise", "drift"};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* Copies n bytes as a string; -1 when empty or too long. */
static int copy(char *out, size_t size, const char *s, size_t n)
{
    if (n == 0 || n >= size)
        return -1;
    memcpy(out, s, n);
    out[n] = '\0';
    return 0;
}

static int read_kind(const char *text, size_t n, struct fault *f, struct err *e)
{
    size_t word = strcspn(text, "=@");
    int k = 0;
    while (k < N_KINDS && (strlen(kinds[k]) != word || memcmp(kinds[k], text, word) != 0))
        k++;
    if (k == N_KINDS)
        return err_set(
            e, ERR_INVALID,
            "fault \"%.60s\": the kind must be stuck, gap, spike, offset, noise or "
            "drift",
            text);
    f->kind = (enum fault_kind)k;
    if (word == n)
        return 0;
    char number[32], *end;
    if (copy(number, sizeof number, text + word + 1, n - word - 1) == 0) {
        f->size = strtod(number, &end);
        f->has_size = true;
        if (!*end && isfinite(f->size) && fabs(f->size) <= 1e9)
            return 0;
    }
    return err_set(e, ERR_INVALID, "fault \"%.60s\": the size after = must be a number",
                   text);
}

static int read_time(const char *text, const char *s, size_t n, int64_t now_ms,
                     int64_t *t_ms, struct err *e)
{
    char word[64];
    if (copy(word, sizeof word, s, n))
        return err_set(e, ERR_INVALID, "fault \"%.100s\": a time is missing or too long",
                       text);
    int64_t delta;
    if ((*word == '+' || *word == '-') &&
        duration_parse(word + 1, "it", &delta, NULL) == 0) {
        *t_ms = *word == '+' ? now_ms + delta : now_ms - delta;
        return 0;
    }
    if (strcmp(word, "now") == 0) {
        *t_ms = now_ms;
        return 0;
    }
    if (clock_parse(word, "its time", t_ms, e) == 0)
        return 0;
    return err_prefix(e, "fault \"%.100s\"", text);
}

int fault_parse(const char *text, int64_t now_ms, struct fault *f, struct err *e)
{
    *f = (struct fault){.to_ms = INT64_MAX};
    const char *at = strchr(text, '@');
    const char *dot = at ? strchr(at, '.') : NULL;
    const char *colon = dot ? strchr(dot, ':') : NULL;
    const char *dots = colon ? strstr(colon, "..") : NULL;
    if (!dots)
        return err_set(
            e, ERR_INVALID,
            "fault \"%.100s\" must read KIND[=SIZE]@DEVICE.QUANTITY:FROM..TO, such "
            "as offset=2@kitchen.temperature:-2d..-1d",
            text);
    if (read_kind(text, (size_t)(at - text), f, e))
        return -1;
    if (copy(f->device, sizeof f->device, at + 1, (size_t)(dot - at - 1)) ||
        copy(f->quantity, sizeof f->quantity, dot + 1, (size_t)(colon - dot - 1)))
        return err_set(e, ERR_INVALID,
                       "fault \"%.100s\": device and quantity must have 1 to 64 letters",
                       text);
    if (read_time(text, colon + 1, (size_t)(dots - colon - 1), now_ms, &f->from_ms, e))
        return -1;
    if (dots[2] && read_time(text, dots + 2, strlen(dots + 2), now_ms, &f->to_ms, e))
        return -1;
    if (f->from_ms >= f->to_ms)
        return err_set(e, ERR_INVALID,
                       "fault \"%.100s\": its end must come after its start", text);
    return 0;
}
