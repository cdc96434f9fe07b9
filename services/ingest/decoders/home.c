/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/decoders/home.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define INDEX_MAX 99

static bool is_stem(const char *name)
{
    const struct quantity *q = quantity_find(name);
    return q && !strcmp(q->stem, name);
}

bool home_is_switch(const char *name)
{
    const struct quantity *q = quantity_find(name);
    return q && !strcmp(q->unit, "0 or 1");
}

bool home_quantity(const char *key, char name[QUANTITY_MAX + 1], unsigned *index)
{
    char front[QUANTITY_MAX + 1];
    if (!decode_loose_name(key, name))
        return false;
    size_t digits = strlen(name);
    while (digits && isdigit((unsigned char)name[digits - 1]))
        digits--;
    unsigned long n = strtoul(name + digits, NULL, 10);
    if (is_stem(name) || !name[digits] || n > INDEX_MAX)
        return true;
    size_t end = digits;
    if (end > 2 && name[end - 1] == 'l' && name[end - 2] == '_')
        end -= 2; /* power_l1: Zigbee2MQTT's endpoints */
    char known[QUANTITY_MAX + 1];
    snprintf(front, sizeof front, "%.*s", (int)end, name);
    if (decode_loose_name(front, known) && is_stem(known)) {
        strcpy(name, known);
        *index = (unsigned)n;
    }
    return true;
}

static bool is_taken(const struct home_names *h, const char *full)
{
    for (size_t i = 0; i < h->n; i++)
        if (!strcmp(h->said[i].full, full))
            return true;
    return false;
}

/* Gives s that name if it has none and the name is free. number 0: the plain name. */
static bool take(const struct home_names *h, struct home_said *s, unsigned number)
{
    char full[QUANTITY_MAX + 1];
    snprintf(full, sizeof full, number ? "%.56s_%u" : "%s", s->name, number);
    if (*s->full || is_taken(h, full))
        return false;
    strcpy(s->full, full);
    return true;
}

static void name_all(struct home_names *h)
{
    struct home_said *s, *end = h->said + h->n;
    for (s = h->said; s < end; s++)
        if (s->index > 1)
            take(h, s, s->index);
    for (s = h->said; s < end; s++)
        if (!s->index)
            take(h, s, 0);
    for (s = h->said; s < end; s++)
        if (s->index == 1 && !take(h, s, 0))
            take(h, s, 1);
    for (s = h->said; s < end; s++)
        for (unsigned next = 2; !*s->full; next++)
            take(h, s, next);
}

/* Tasmota's energy_today and others are known by their beginning. */
static const char *kind_of(const char *name)
{
    return strncmp(name, "energy_", 7) ? name : "energy";
}

enum reject home_value(struct home_names *h, const char *name, unsigned index, double x,
                       const char *unit, struct err *e)
{
    if (h->n == READING_VALUES_MAX)
        return reject_say(REJECT_TOO_MANY_VALUES, e,
                          "the message has more than 64 values");
    struct home_said *s = &h->said[h->n++];
    snprintf(s->name, sizeof s->name, "%s", name);
    *s->full = '\0';
    s->index = index;
    s->x = x;
    s->unit = unit;
    return REJECT_NONE;
}

enum reject home_give(struct message *m, struct home_names *h, struct err *e)
{
    enum reject stop = REJECT_NONE;
    name_all(h);
    for (size_t i = 0; !stop && i < h->n; i++) {
        struct home_said *s = &h->said[i];
        if (!isfinite(s->x))
            continue;
        enum reject why = decode_unit(kind_of(s->name), &s->x, s->unit, e);
        if (why)
            message_refuse(m, message_last(m), why, e);
        else
            stop = decode_loose(m, s->full, s->x, NULL, e);
    }
    return stop;
}

static bool is(const char *text, size_t n, const char *word)
{
    return n == strlen(word) && !strncasecmp(text, word, n);
}

bool home_on_off(const char *text, size_t n, double *x)
{
    *x = is(text, n, "on") || is(text, n, "true");
    return *x != 0 || is(text, n, "off") || is(text, n, "false");
}

bool home_online(const char *text, size_t n, bool *online)
{
    *online = is(text, n, "online");
    return *online || is(text, n, "offline");
}
