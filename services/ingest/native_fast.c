/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/native_fast.h"

#include <string.h>

#include "common/fnv.h"

#define NAME_BYTES 32 /* longer names go the slow way */

struct scan {
    const char *p, *end;
};

static void skip_space(struct scan *s)
{
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

static bool take(struct scan *s, char c)
{
    skip_space(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool word(struct scan *s, const char *w)
{
    size_t n = strlen(w);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n))
        return false;
    s->p += n;
    return true;
}

/* A string of plain ASCII without escapes, with a NUL, shorter than cap. */
static bool text(struct scan *s, char *out, size_t cap)
{
    if (!take(s, '"'))
        return false;
    size_t n = 0;
    for (; s->p < s->end && *s->p != '"'; s->p++) {
        unsigned char c = (unsigned char)*s->p;
        if (c < 0x20 || c > 0x7e || c == '\\' || n + 1 == cap)
            return false;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return s->p++ < s->end;
}

/* A JSON number of at most 15 digits without an exponent: m / 10^k, exact to the last bit
 * because both are exact and the division rounds once (Clinger, 1990). *whole: no point.
 */
static bool number(struct scan *s, double *x, bool *whole)
{
    static const double power[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6, 1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
    skip_space(s);
    bool minus = s->p < s->end && *s->p == '-';
    const char *p = s->p + minus, *first = p;
    int64_t m = 0;
    int n = 0, k = 0;
    for (; p < s->end && *p >= '0' && *p <= '9' && n < 15; p++, n++)
        m = m * 10 + (*p - '0');
    if (!n || (n > 1 && *first == '0'))
        return false;
    *whole = p == s->end || *p != '.';
    if (!*whole) {
        for (p++; p < s->end && *p >= '0' && *p <= '9' && n < 15; p++, n++, k++)
            m = m * 10 + (*p - '0');
        if (!k)
            return false;
    }
    if (p < s->end && ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' || *p == 'E'))
        return false;
    if (minus && !m)
        return false; /* minus zero: an integer to JSON, a sign to a real */
    s->p = p;
    *x = (double)m / power[k];
    *x = minus ? -*x : *x;
    return true;
}

/* ---- names
 * ------------------------------------------------------------------------------ */

/* What a thread has learnt about names as devices write them. */
struct known {
    char key[NAME_BYTES], quantity[NAME_BYTES + 16];
    double min, max;
    bool pressure; /* its unit goes by its size */
};

static const struct known *learn(const char *key)
{
    static _Thread_local struct known cache[64];
    uint32_t h = fnv32_text(FNV32_BASIS, key);
    struct known *k = &cache[(h ^ h >> 16) & 63];
    if (!strcmp(k->key, key))
        return k;
    char name[QUANTITY_MAX + 1];
    struct err e = ERR_INIT;
    if (decode_name(key, name, &e) || strlen(name) >= sizeof k->quantity)
        return NULL;
    const struct quantity *row = quantity_find(name);
    strcpy(k->key, key);
    strcpy(k->quantity, name);
    k->min = row ? row->min : -READING_VALUE_MAX;
    k->max = row ? row->max : READING_VALUE_MAX;
    k->pressure = row && !strcmp(row->stem, "pressure");
    return k;
}

/* ---- members
 * ----------------------------------------------------------------------------- */

static bool add(struct reading *r, const char *key, double x)
{
    const struct known *k = *key ? learn(key) : NULL;
    if (!k || r->n == READING_VALUES_MAX)
        return false;
    if (k->pressure && decode_unit(k->quantity, &x, NULL, NULL))
        return false;
    if (!(x >= k->min && x <= k->max))
        return false;
    for (size_t i = 0; i < r->n; i++)
        if (!strcmp(r->values[i].quantity, k->quantity))
            return false;
    strcpy(r->values[r->n].quantity, k->quantity);
    r->values[r->n++].value = x;
    return true;
}

static bool values(struct scan *s, struct reading *r)
{
    char key[NAME_BYTES];
    double x;
    bool whole;
    if (!take(s, '{'))
        return false;
    do {
        if (!text(s, key, sizeof key) || !take(s, ':'))
            return false;
        skip_space(s);
        if (word(s, "true"))
            x = 1;
        else if (word(s, "false"))
            x = 0;
        else if (!number(s, &x, &whole))
            return false;
        if (!add(r, key, x))
            return false;
    } while (take(s, ','));
    return take(s, '}');
}

static bool count(struct scan *s, int64_t *out)
{
    double x;
    bool whole;
    if (*out >= 0 || !number(s, &x, &whole) || !whole || x < 0)
        return false; /* also: given twice */
    *out = (int64_t)x;
    return true;
}

static bool member(struct scan *s, struct item *it, char raw[RAW_DEVICE_MAX + 1])
{
    char key[16];
    bool whole;
    if (!text(s, key, sizeof key) || !take(s, ':'))
        return false;
    if (!strcmp(key, "device"))
        return !*raw && text(s, raw, RAW_DEVICE_MAX + 1) && *raw;
    if (!strcmp(key, "boot"))
        return count(s, &it->r.boot);
    if (!strcmp(key, "seq"))
        return count(s, &it->r.seq);
    if (!strcmp(key, "ts_ms")) {
        bool again = it->time.kind != RAW_TIME_NONE;
        it->time.kind = RAW_TIME_NUMBER;
        return !again && number(s, &it->time.number, &whole);
    }
    return !strcmp(key, "values") && !it->r.n && values(s, &it->r);
}

/* The device of the payload, which the topic must not contradict; or the topic's. */
static bool device(const char *topic, const char *raw, struct reading *r)
{
    char level[RAW_DEVICE_MAX + 1];
    if (!topic_level(topic, 1, level, sizeof level) || !*level ||
        (*raw && strcmp(raw, level)))
        return false;
    if (device_from_raw(level, r->device))
        return false;
    strcpy(r->raw_device, level);
    return true;
}

bool decode_native_fast(const char *topic, const char *payload, size_t len,
                        struct message *m)
{
    struct scan s = {payload, payload + len};
    struct item *it = message_last(m);
    char raw[RAW_DEVICE_MAX + 1] = "";
    if (!take(&s, '{'))
        return false;
    do {
        if (!member(&s, it, raw))
            return false;
    } while (take(&s, ','));
    if (!take(&s, '}'))
        return false;
    skip_space(&s);
    if (s.p != s.end || !it->r.n || !device(topic, raw, &it->r))
        return false;
    m->decoder = "native";
    return true;
}
