/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/verdicts.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/influx.h"
#include "common/mem.h"

#define NAME_MOST 256    /* bytes of a field's or measurement's name in an answer */
#define LISTED_MOST 1000 /* lines of a list that are looked at; 3 Core tells of 100 */
#define MISSES_MOST 100  /* quoted lines that are none of ours: enough of that */

/* The points that were written, and what is said of them. */
struct look {
    struct batch *b;
    size_t lo, hi, n; /* n of lo..hi were written */
};

static const char *line_of(const struct look *l, size_t i, size_t *len)
{
    const struct point *p = &l->b->p[i];
    *len = p->len ? p->len - 1 : 0; /* without the newline */
    return l->b->lines.data + p->line;
}

static size_t next_waiting(const struct look *l, size_t i)
{
    while (i < l->hi && l->b->p[i].state != POINT_WAITING)
        i++;
    return i;
}

/* ---- 3 Core: "data":[{"original_line","line_number","error_message"},…]
 * ----------------------------------------------------------------------------------------
 */

/* It prints a line anew (texts without quotes, numbers in another form) and cuts it: what
 * must agree is the series. */
static bool same_series(const struct look *l, size_t i, const char *original)
{
    size_t len, n = original ? strcspn(original, " ") : 0;
    const char *line = line_of(l, i, &len);
    return n <= len && !memcmp(line, original ? original : "", n);
}

/* The point whose line was the number-th (from 1) of the write, or hi. */
static size_t numbered(const struct look *l, json_int_t number)
{
    size_t i = l->lo;
    if (number < 1 || (size_t)number > l->n)
        return l->hi;
    for (i = next_waiting(l, i); --number > 0; i = next_waiting(l, i + 1))
        ;
    return i;
}

/* Marks first: refusing one would change the numbers of those after it. */
static size_t *numbered_all(const struct look *l, const json_t *data, size_t n)
{
    size_t *at = xcalloc(n + 1, sizeof *at);
    for (size_t k = 0; k < n; k++) {
        const json_t *one = json_array_get(data, k);
        at[k] = numbered(l, json_integer_value(json_object_get(one, "line_number")));
        if (at[k] < l->hi &&
            !same_series(l, at[k],
                         json_string_value(json_object_get(one, "original_line"))))
            at[k] = l->hi;
    }
    return at;
}

static enum verdicts listed(const struct look *l, const json_t *data)
{
    enum verdicts v = VERDICTS_NONE;
    size_t n = json_array_size(data);
    n = n < LISTED_MOST ? n : LISTED_MOST;
    size_t *at = numbered_all(l, data, n);
    for (size_t k = 0; k < n; k++) {
        json_t *why = json_object_get(json_array_get(data, k), "error_message");
        if (at[k] == l->hi || !json_is_string(why))
            continue;
        batch_refuse(l->b, at[k], json_string_value(why), json_string_length(why));
        v = VERDICTS_REFUSED;
    }
    free(at);
    return v;
}

/* ---- 1.x and 2.x: unable to parse 'LINE': REASON\nunable to parse 'LINE': REASON
 * ----------------------------------------------------------------------------------------
 */

#define UNABLE "unable to parse '"

/* Is the line of point i what stands quoted at s? Returns what follows ("': "), or NULL.
 */
static const char *quoted_line(const struct look *l, size_t i, const char *s)
{
    size_t len;
    const char *line = line_of(l, i, &len);
    if (strncmp(s, line, len) != 0 || strncmp(s + len, "': ", 3) != 0)
        return NULL;
    return s + len + 3;
}

/* Length of a reason: up to the next line's, or to how many were dropped. */
static size_t reason_length(const char *s)
{
    const char *end = strstr(s, "\n" UNABLE);
    size_t n = end ? (size_t)(end - s) : strlen(s);
    const char *dropped = memmem(s, n, " dropped=", 9);
    return dropped ? (size_t)(dropped - s) : n;
}

/* The server reads from the top: each quoted line lies behind the one before. */
static enum verdicts quoted(const struct look *l, const char *text)
{
    enum verdicts v = VERDICTS_NONE;
    size_t from = l->lo, misses = 0;
    for (const char *s = strstr(text, UNABLE); s && misses < MISSES_MOST;
         s = strstr(s, UNABLE)) {
        const char *why = NULL;
        size_t i;
        s += strlen(UNABLE);
        for (i = next_waiting(l, from); i < l->hi; i = next_waiting(l, i + 1))
            if ((why = quoted_line(l, i, s)))
                break;
        misses += !why;
        if (!why)
            continue;
        batch_refuse(l->b, i, why, reason_length(why));
        v = VERDICTS_REFUSED;
        from = i + 1;
    }
    return v;
}

/* ---- 1.x and 2.x: a field has another type, or times lie beyond the retention
 * ----------------------------------------------------------------------------------------
 */

/* Copies what stands between quotes after `before`; false when it is not there. */
static bool named(const char *text, const char *before, char *out)
{
    const char *s = strstr(text, before), *end;
    if (!s)
        return false;
    s += strlen(before);
    end = strchr(s, '"');
    if (!end || end == s || end - s >= NAME_MOST)
        return false;
    memcpy(out, s, (size_t)(end - s));
    out[end - s] = '\0';
    return true;
}

/* The text of a line that only has this field, up to where its value would begin, and the
 * measurement in it: as we escape them. */
static void pattern(struct buf *b, const char *measurement, const char *field,
                    size_t *measurement_len)
{
    struct influx_line l;
    influx_line(&l, b, measurement);
    *measurement_len = b->len;
    influx_field(&l, field, 0);
    b->len--; /* the value */
    b->data[b->len] = '\0';
}

/* Has the line of point i this field? Values are numbers: no comma in them. */
static bool has_field(const struct look *l, size_t i, const struct buf *want, size_t m)
{
    size_t len, n = want->len - m - 1; /* "field=" */
    const char *line = line_of(l, i, &len), *s = line + m, *end = line + len;
    if (len <= m || memcmp(line, want->data, m) != 0 || (*s != ',' && *s != ' '))
        return false;
    while (s < end && *s != ' ')
        s += *s == '\\' && s + 1 < end ? 2 : 1;
    while (s && s < end) {
        s++; /* behind the space or the comma */
        if ((size_t)(end - s) > n && !memcmp(s, want->data + m + 1, n))
            return true;
        s = memchr(s, ',', (size_t)(end - s));
    }
    return false;
}

static size_t suspect_field(const struct look *l, const char *text)
{
    char field[NAME_MOST], measurement[NAME_MOST];
    struct buf want;
    size_t m, found = 0;
    if (!named(text, "input field \"", field) ||
        !named(text, "on measurement \"", measurement))
        return 0;
    buf_init(&want, 4 * NAME_MOST + 16);
    pattern(&want, measurement, field, &m);
    for (size_t i = l->lo; i < l->hi; i++) {
        struct point *p = &l->b->p[i];
        p->suspect = p->state == POINT_WAITING && has_field(l, i, &want, m);
        found += p->suspect;
    }
    buf_done(&want);
    return found;
}

static size_t dropped(const char *text)
{
    const char *s = strstr(text, "dropped=");
    return s ? strtoul(s + 8, NULL, 10) : 0;
}

/* As many were dropped as were written, all for a reason that holds for each. */
static enum verdicts refuse_all(const struct look *l, const char *text)
{
    for (size_t i = next_waiting(l, l->lo); i < l->hi; i = next_waiting(l, i + 1))
        batch_refuse(l->b, i, text, strlen(text));
    return VERDICTS_REFUSED;
}

static enum verdicts by_reason(const struct look *l, const char *text)
{
    bool all = dropped(text) == l->n;
    if (strstr(text, "points beyond retention policy") ||
        strstr(text, "outside retention policy"))
        return all ? refuse_all(l, text) : VERDICTS_NONE;
    if (!strstr(text, "field type conflict"))
        return VERDICTS_NONE;
    size_t found = suspect_field(l, text);
    if (found == l->n)
        return all ? refuse_all(l, text) : VERDICTS_NONE;
    return found ? VERDICTS_SUSPECTS : VERDICTS_NONE;
}

/* ---- all
 * ----------------------------------------------------------------------------------------
 */

enum verdicts verdicts_read(struct batch *b, size_t lo, size_t hi, const char *body,
                            size_t len)
{
    struct look l = {b, lo, hi, 0};
    enum verdicts v = VERDICTS_NONE;
    for (size_t i = next_waiting(&l, lo); i < hi; i = next_waiting(&l, i + 1))
        l.n++;
    json_t *answer = json_loadb(body, len, 0, NULL);
    const json_t *data = json_object_get(answer, "data");
    const char *text = json_string_value(json_object_get(answer, "error"));
    if (!text)
        text = json_string_value(json_object_get(answer, "message"));
    if (json_is_array(data))
        v = listed(&l, data);
    if (!v && text)
        v = quoted(&l, text);
    if (!v && text)
        v = by_reason(&l, text);
    if (v != VERDICTS_REFUSED && l.n == 1)
        v = refuse_all(&l, text ? text : "InfluxDB gave no reason");
    json_decref(answer);
    return v;
}
