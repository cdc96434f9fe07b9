/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The texts that influx.h makes: line protocol and InfluxQL. */
#include "common/influx.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- line protocol ------------------------------------------------------------------
 */

/* Where copying stops: what is escaped, and what cannot be. */
#define KEY_STOPS ",= \n\r\\"
#define NAME_STOPS ", \n\r\\"

/* A newline cannot be expressed in a key or tag; a trailing backslash neither: both
 * become an underscore. Identifiers are checked long before; this is the last line of
 * defence. */
static void add_escaped(struct buf *b, const char *s, const char *stops)
{
    for (;; s++) {
        size_t plain = strcspn(s, stops);
        buf_add(b, s, plain);
        s += plain;
        if (!*s)
            return;
        if (*s == '\n' || *s == '\r' || (*s == '\\' && !s[1])) {
            buf_addc(b, '_');
            continue;
        }
        if (*s != '\\')
            buf_addc(b, '\\');
        buf_addc(b, *s);
    }
}

void influx_line(struct influx_line *l, struct buf *b, const char *measurement)
{
    *l = (struct influx_line){.b = b, .start = b->len};
    add_escaped(b, measurement, NAME_STOPS);
}

void influx_tag(struct influx_line *l, const char *key, const char *value)
{
    if (!*value)
        return;
    buf_addc(l->b, ',');
    add_escaped(l->b, key, KEY_STOPS);
    buf_addc(l->b, '=');
    add_escaped(l->b, value, KEY_STOPS);
}

void influx_field(struct influx_line *l, const char *key, double value)
{
    if (!isfinite(value))
        return;
    buf_addc(l->b, l->n_fields++ ? ',' : ' ');
    add_escaped(l->b, key, KEY_STOPS);
    buf_addc(l->b, '=');
    buf_add_real(l->b, value);
}

int influx_end(struct influx_line *l, int64_t t_ms)
{
    if (l->n_fields && !l->b->full && buf_addf(l->b, " %" PRId64 "\n", t_ms) == 0)
        return 0;
    if (l->b->data) {
        l->b->len = l->start;
        l->b->data[l->start] = '\0';
    }
    return -1;
}

/* ---- InfluxQL ------------------------------------------------------------------------
 */

static void quoted(struct buf *b, const char *s, char quote)
{
    buf_addc(b, quote);
    for (; *s; s++) {
        if (*s == quote || *s == '\\')
            buf_addc(b, '\\');
        if (*s == '\n')
            buf_adds(b, "\\n");
        else
            buf_addc(b, *s);
    }
    buf_addc(b, quote);
}

void influx_ql_string(struct buf *b, const char *s)
{
    quoted(b, s, '\'');
}

void influx_ql_ident(struct buf *b, const char *s)
{
    quoted(b, s, '"');
}

void influx_ql_range(struct buf *b, int64_t from_ms, int64_t to_ms)
{
    buf_addf(b, "time >= %" PRId64 "ms AND time < %" PRId64 "ms", from_ms, to_ms);
}
