/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/decoders/tree.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8 /* what is deeper is passed over */

/* ---- names
 * ------------------------------------------------------------------------------ */

static bool is_number(const char *key)
{
    return *key && strspn(key, "0123456789") == strlen(key);
}

static bool says_nothing(const char *key)
{
    return is_number(key) || !strcmp(key, "value") || !strcmp(key, "val") ||
           !strcmp(key, "v");
}

/* What is inside an object is named by its own key; by the object's when that says
 * nothing ({"temperatureSensor":{"1":21.5}}), by both when it is a letter
 * ({"gyrometer":{"x":1}}). */
static void name_within(const char *parent, const char *key, char out[QUANTITY_MAX + 1])
{
    const char *sign = *parent ? "_" : "";
    if (*parent && says_nothing(key))
        snprintf(out, QUANTITY_MAX + 1, "%s", parent);
    else if (strlen(key) == 1 && strlen(parent) < QUANTITY_MAX - 2)
        snprintf(out, QUANTITY_MAX + 1, "%.60s%s%s", parent, sign, key);
    else
        snprintf(out, QUANTITY_MAX + 1, "%.*s", QUANTITY_MAX, key);
}

/* A name with its number taken off and put back: relative_humidity_2 is humidity_2; and
 * ChirpStack's temperatureSensor is temperature. */
static bool plain_name(const char *key, char out[QUANTITY_MAX + 1])
{
    char name[QUANTITY_MAX + 1], number[QUANTITY_MAX + 1] = "";
    if (!decode_loose_name(key, name))
        return false;
    char *last = strrchr(name, '_');
    if (last && is_number(last + 1)) {
        strcpy(number, last);
        *last = '\0';
        last = strrchr(name, '_');
    }
    if (last && last > name && !strcmp(last, "_sensor"))
        *last = '\0';
    if (!decode_loose_name(name, out) || strlen(out) + strlen(number) > QUANTITY_MAX)
        return false;
    strcat(out, number);
    return true;
}

/* ---- values
 * ----------------------------------------------------------------------------- */

struct place {
    const char *name, *unit;
    unsigned depth;
    const json_t *const *skip;
};

/* A text is a number as codecs write it (toFixed()), not a code that begins with 0. */
static bool is_value(const json_t *v, const json_t *const *skip, double *x)
{
    const char *text = json_string_value(v);
    for (; skip && *skip; skip++)
        if (v == *skip && !json_is_boolean(v)) /* true is one value, wherever it stands */
            return false;
    if (text && text[0] == '0' && isdigit((unsigned char)text[1]))
        return false;
    return decode_json_number(v, x);
}

static enum reject add(struct message *m, const json_t *v, const struct place *at,
                       struct err *e)
{
    char name[QUANTITY_MAX + 1];
    enum reject r = REJECT_NONE;
    double x;
    const char *key;
    json_t *inner;
    size_t i;
    if (is_value(v, at->skip, &x))
        return plain_name(at->name, name) ? decode_loose(m, name, x, at->unit, e)
                                          : REJECT_NONE;
    if (at->depth == DEPTH_MAX)
        return REJECT_NONE;
    struct place in = {name, json_string_value(json_object_get(v, "unit")), at->depth + 1,
                       at->skip};
    json_object_foreach((json_t *)v, key, inner)
    {
        name_within(at->name, key, name);
        if (!r)
            r = add(m, inner, &in, e);
    }
    in.name = at->name;
    in.unit = at->unit;
    json_array_foreach(v, i, inner)
    {
        if (!r)
            r = add(m, inner, &in, e);
    }
    return r;
}

enum reject decode_tree(struct message *m, const char *name, const json_t *v,
                        const json_t *const *skip, struct err *e)
{
    const struct place top = {name, NULL, 0, skip};
    return add(m, v, &top, e);
}
