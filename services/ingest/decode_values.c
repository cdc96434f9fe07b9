/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the decoders have in common: values and their ranges. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/ingest/decode.h"

/* A value under a name that is there already with another: neither is to be believed. */
static enum reject put(struct reading *r, const char *name, double x, struct err *e)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->values[i].quantity, name) != 0)
            continue;
        if (r->values[i].value == x)
            return REJECT_NONE;
        reject_say(REJECT_BAD_VALUE, e, "%s is given twice: %.15g and %.15g", name,
                   r->values[i].value, x);
        r->values[i] = r->values[--r->n];
        return REJECT_BAD_VALUE;
    }
    return reading_add(r, name, x, e) ? REJECT_BAD_VALUE : REJECT_NONE;
}

/* One value, or why not. */
static enum reject value(struct reading *r, const char *key, const json_t *v,
                         const char *unit, struct err *e)
{
    char name[QUANTITY_MAX + 1];
    enum reject why = decode_name(key, name, e);
    if (why)
        return why;
    if (!json_is_number(v) && !json_is_boolean(v))
        return reject_say(REJECT_BAD_VALUE, e, "the value of \"%.70s\" must be a number",
                          key);
    double x = json_is_boolean(v) ? json_is_true(v) : json_number_value(v);
    why = decode_unit(name, &x, unit, e);
    return why ? why : put(r, name, x, e);
}

enum reject decode_value(struct message *m, const char *key, const json_t *v,
                         const char *unit, struct err *e)
{
    struct item *it = message_last(m);
    if (json_is_null(v))
        return REJECT_NONE;
    if (it->r.n == READING_VALUES_MAX)
        return reject_say(REJECT_TOO_MANY_VALUES, e,
                          "the message has more than 64 values");
    enum reject why = value(&it->r, key, v, unit, e);
    if (why) {
        snprintf(e->slug, sizeof e->slug, "%s", reject_name(why));
        message_refuse(m, it, why, e);
    }
    return REJECT_NONE;
}

enum reject decode_values(struct message *m, const json_t *o, const char *const *skip,
                          struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)o, key, v)
    {
        bool skipped = false;
        for (const char *const *s = skip; s && *s && !skipped; s++)
            skipped = !strcmp(key, *s);
        enum reject r = skipped ? REJECT_NONE : decode_value(m, key, v, NULL, e);
        if (r)
            return r;
    }
    return REJECT_NONE;
}

/* Under the first name that is free: temperature, temperature_2, ... */
static void number_name(const struct reading *r, char name[QUANTITY_MAX + 1])
{
    size_t stem = strlen(name);
    unsigned next = 2;
    for (size_t i = 0; i < r->n; i++)
        if (!strcmp(r->values[i].quantity, name)) {
            snprintf(name + stem, QUANTITY_MAX + 1 - stem, "_%u", next++);
            i = (size_t)-1; /* from the first again */
        }
}

enum reject decode_loose(struct message *m, const char *key, double x, const char *unit,
                         struct err *e)
{
    struct item *it = message_last(m);
    char name[QUANTITY_MAX + 1];
    if (!isfinite(x) || !decode_loose_name(key, name))
        return REJECT_NONE;
    if (it->r.n == READING_VALUES_MAX)
        return reject_say(REJECT_TOO_MANY_VALUES, e,
                          "the message has more than 64 values");
    number_name(&it->r, name);
    enum reject why = decode_unit(name, &x, unit, e);
    if (!why && reading_add(&it->r, name, x, e))
        why = REJECT_BAD_VALUE;
    if (why) {
        snprintf(e->slug, sizeof e->slug, "%s", reject_name(why));
        message_refuse(m, it, why, e);
    }
    return REJECT_NONE;
}

bool decode_number(const char *text, size_t n, double *x)
{
    char copy[64], *end;
    while (n && strchr(" \t\r\n", text[n - 1]))
        n--;
    while (n && strchr(" \t\r\n", *text))
        text++, n--;
    if (!n || n >= sizeof copy)
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    if (strspn(copy, "0123456789+-.eE") != n) /* no hex, no inf, no nan */
        return false;
    *x = strtod(copy, &end);
    return end == copy + n && isfinite(*x);
}

bool decode_json_number(const json_t *v, double *x)
{
    if (json_is_string(v))
        return decode_number(json_string_value(v), json_string_length(v), x);
    if (!json_is_number(v) && !json_is_boolean(v))
        return false;
    *x = json_is_boolean(v) ? json_is_true(v) : json_number_value(v);
    return true;
}

/* Beyond these a sensor of that kind can not be telling the truth. */
void decode_ranges(struct message *m, struct item *it)
{
    size_t kept = 0;
    for (size_t i = 0; i < it->r.n; i++) {
        const struct quantity *q = quantity_find(it->r.values[i].quantity);
        double v = it->r.values[i].value;
        double min = q ? q->min : -READING_VALUE_MAX;
        double max = q ? q->max : READING_VALUE_MAX;
        if (v >= min && v <= max) {
            if (kept != i)
                it->r.values[kept] = it->r.values[i];
            kept++;
            continue;
        }
        struct err e = ERR_INIT;
        reject_say(REJECT_OUT_OF_RANGE, &e,
                   "%s is %.15g: possible are %.15g to %.15g%s%s",
                   it->r.values[i].quantity, v, min, max, q && *q->symbol ? " " : "",
                   q ? q->symbol : "");
        message_refuse(m, it, REJECT_OUT_OF_RANGE, &e);
    }
    it->r.n = kept;
}
