/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

#undef err_set
#undef err_kind
#undef err_prefix

static const struct {
    int status;
    const char *slug;
} table[] = {
    [ERR_NONE] = {200, "none"},
    [ERR_INVALID] = {400, "invalid"},
    [ERR_UNAUTHORIZED] = {401, "unauthorized"},
    [ERR_FORBIDDEN] = {403, "forbidden"},
    [ERR_NOT_FOUND] = {404, "not_found"},
    [ERR_METHOD] = {405, "method_not_allowed"},
    [ERR_CONFLICT] = {409, "conflict"},
    [ERR_TOO_LARGE] = {413, "too_large"},
    [ERR_MEDIA_TYPE] = {415, "unsupported_media_type"},
    [ERR_BUSY] = {429, "busy"},
    [ERR_INTERNAL] = {500, "internal"},
    [ERR_UPSTREAM] = {502, "upstream"},
    [ERR_UNAVAILABLE] = {503, "unavailable"},
    [ERR_TIMEOUT] = {504, "timeout"},
};

/* What a text quotes comes from outside, and may be cut within a character. */
static void make_utf8(char *text)
{
    for (size_t n; *text; text += n ? n : 1) {
        n = utf8_char(text);
        if (!n)
            *text = '?';
    }
}

static int fill(struct err *e, enum err_code code, const char *slug, const char *fmt,
                va_list ap)
{
    if (!e)
        return -1;
    e->code = code;
    snprintf(e->slug, sizeof e->slug, "%s", slug);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    make_utf8(e->text);
    return -1;
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(e, code, "", fmt, ap);
    va_end(ap);
    return -1;
}

int err_kind(struct err *e, enum err_code code, const char *slug, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(e, code, slug, fmt, ap);
    va_end(ap);
    return -1;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
    if (!e)
        return -1;
    char old[sizeof e->text];
    memcpy(old, e->text, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    size_t at = n < 0 ? 0 : (size_t)n;
    if (at < sizeof e->text - 3) { /* the rest of the old text is cut where it ends */
        memcpy(e->text + at, ": ", 2);
        memcpy(e->text + at + 2, old, sizeof e->text - at - 2);
        e->text[sizeof e->text - 1] = '\0';
    }
    make_utf8(e->text);
    return -1;
}

int err_http_status(enum err_code code)
{
    return table[code].status;
}

const char *err_slug(const struct err *e)
{
    return e->slug[0] ? e->slug : table[e->code].slug;
}
