/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/sparkplug_birth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "services/ingest/decode.h"

#define TEXT_BYTES (16u << 20) /* far more than the texts of 256 KiB can become */

/* Offsets are into the texts; 0 is the empty text. */
struct entry {
    uint64_t alias;
    uint32_t name, quantity, unit, loose;
    bool has_alias;
    unsigned char type;
};

struct birth {
    struct buf text;
    struct entry *entry; /* n, by name; owned */
    uint32_t *by_alias;  /* n_aliases of entry, by alias; owned */
    size_t n, n_aliases;
    double session;
};

/* ---- what is no quantity
 * -------------------------------------------------------------------- */

void sparkplug_quantity(const struct sparkplug_metric *s, char out[QUANTITY_MAX + 1])
{
    static const char *const control[] = {"Node Control/", "Device Control/"};
    bool is = s->type < SPARKPLUG_STRING && strcmp(s->name, "bdSeq") != 0;
    for (size_t i = 0; i < sizeof control / sizeof *control; i++)
        is &= strncmp(s->name, control[i], strlen(control[i])) != 0;
    if (!is || !decode_loose_name(s->name, out))
        out[0] = '\0';
}

double sparkplug_session(const struct sparkplug *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->metric[i].name && !strcmp(p->metric[i].name, "bdSeq") &&
            p->metric[i].kind == SPARKPLUG_BITS)
            return (double)p->metric[i].bits;
    return -1;
}

/* ---- the table
 * ---------------------------------------------------------------------------- */

static uint32_t add_text(struct birth *b, const char *s)
{
    size_t at = b->text.len;
    if (!*s || buf_add(&b->text, s, strlen(s) + 1))
        return 0;
    return (uint32_t)at;
}

static const char *text(const struct birth *b, uint32_t at)
{
    return b->text.data + at;
}

static void add(struct birth *b, const struct sparkplug_metric *s)
{
    struct entry *t = &b->entry[b->n];
    char loose[QUANTITY_MAX + 1];
    if (!s->name || !*s->name)
        return;
    sparkplug_quantity(s, loose);
    *t = (struct entry){.name = add_text(b, s->name),
                        .loose = add_text(b, loose),
                        .unit = s->unit ? add_text(b, s->unit) : 0,
                        .alias = s->alias,
                        .has_alias = s->has_alias,
                        .type = s->type < UINT8_MAX ? (unsigned char)s->type : UINT8_MAX};
    b->n++;
}

static int by_name(const void *x, const void *y, void *arg)
{
    const struct entry *p = x, *q = y;
    int c = strcmp(text(arg, p->name), text(arg, q->name));
    return c ? c : (p->name > q->name) - (p->name < q->name);
}

static int by_loose(const void *x, const void *y, void *arg)
{
    const struct birth *b = arg;
    const struct entry *p = &b->entry[*(const uint32_t *)x];
    const struct entry *q = &b->entry[*(const uint32_t *)y];
    int c = strcmp(text(b, p->loose), text(b, q->loose));
    return c ? c : (p > q) - (p < q);
}

static int by_alias(const void *x, const void *y, void *arg)
{
    const struct birth *b = arg;
    const struct entry *p = &b->entry[*(const uint32_t *)x];
    const struct entry *q = &b->entry[*(const uint32_t *)y];
    return p->alias != q->alias ? (p->alias > q->alias) - (p->alias < q->alias)
                                : (p > q) - (p < q);
}

/* What bsearch(3) looks for. */
struct key {
    const struct birth *b;
    const char *name;
    uint64_t alias;
};

static int to_loose(const void *key, const void *place)
{
    const struct key *k = key;
    return strcmp(k->name, text(k->b, k->b->entry[*(const uint32_t *)place].loose));
}

/* Is it the loose name of one of the entries in order? */
static bool is_loose(const struct birth *b, const uint32_t *order, const char *name)
{
    struct key k = {.b = b, .name = name};
    return bsearch(&k, order, b->n, sizeof *order, to_loose) != NULL;
}

/* Metrics whose names become one ("A/B" and "A B") are numbered in the order of their
 * names, not of their places: so each keeps its own in the next birth. */
static void name_quantities(struct birth *b)
{
    uint32_t *order = xcalloc(b->n + 1, sizeof *order);
    for (size_t i = 0; i < b->n; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, b->n, sizeof *order, by_loose, b);
    unsigned next = 2;
    for (size_t i = 0; i < b->n; i++) {
        struct entry *t = &b->entry[order[i]];
        const struct entry *last = i ? &b->entry[order[i - 1]] : NULL;
        char name[QUANTITY_MAX + 1];
        t->quantity = t->loose;
        if (!last || strcmp(text(b, t->loose), text(b, last->loose)) != 0) {
            next = 2;
        } else if (!strcmp(text(b, t->name), text(b, last->name))) {
            t->quantity = last->quantity; /* the same metric twice */
        } else if (t->loose) {
            do
                snprintf(name, sizeof name, "%.*s_%u", QUANTITY_MAX - 8,
                         text(b, t->loose), next++);
            while (is_loose(b, order, name));
            t->quantity = add_text(b, name);
        }
    }
    free(order);
}

static void index_aliases(struct birth *b)
{
    b->by_alias = xcalloc(b->n + 1, sizeof *b->by_alias);
    for (size_t i = 0; i < b->n; i++)
        if (b->entry[i].has_alias)
            b->by_alias[b->n_aliases++] = (uint32_t)i;
    qsort_r(b->by_alias, b->n_aliases, sizeof *b->by_alias, by_alias, b);
}

struct birth *birth_of(const struct sparkplug *p)
{
    struct birth *b = xcalloc(1, sizeof *b);
    buf_init(&b->text, TEXT_BYTES);
    buf_addc(&b->text, '\0');
    b->entry = xcalloc(p->n + 1, sizeof *b->entry);
    b->session = sparkplug_session(p);
    for (size_t i = 0; i < p->n; i++)
        add(b, &p->metric[i]);
    qsort_r(b->entry, b->n, sizeof *b->entry, by_name, b);
    name_quantities(b);
    index_aliases(b);
    return b;
}

struct birth *birth_new(const void *payload, size_t len)
{
    struct sparkplug p;
    struct err e = ERR_INIT;
    struct birth *b = sparkplug_read(&p, payload, len, &e) ? NULL : birth_of(&p);
    sparkplug_done(&p);
    return b;
}

void birth_free(struct birth *b)
{
    if (!b)
        return;
    buf_done(&b->text);
    free(b->entry);
    free(b->by_alias);
    free(b);
}

/* ---- looking up
 * ------------------------------------------------------------------------------ */

static int to_name(const void *key, const void *entry)
{
    const struct key *k = key;
    return strcmp(k->name, text(k->b, ((const struct entry *)entry)->name));
}

static const struct entry *find_name(const struct birth *b, const char *name)
{
    struct key k = {.b = b, .name = name};
    return bsearch(&k, b->entry, b->n, sizeof *b->entry, to_name);
}

static int to_alias(const void *key, const void *place)
{
    const struct key *k = key;
    uint64_t alias = k->b->entry[*(const uint32_t *)place].alias;
    return (k->alias > alias) - (k->alias < alias);
}

static const struct entry *find_alias(const struct birth *b, uint64_t alias)
{
    struct key k = {.b = b, .alias = alias};
    const uint32_t *place =
        bsearch(&k, b->by_alias, b->n_aliases, sizeof *b->by_alias, to_alias);
    return place ? &b->entry[*place] : NULL;
}

bool birth_find(const struct birth *b, const struct sparkplug_metric *s,
                struct birth_metric *out)
{
    const struct entry *t = NULL;
    if (s->name && *s->name)
        t = find_name(b, s->name);
    else if (s->has_alias)
        t = find_alias(b, s->alias);
    if (t)
        *out = (struct birth_metric){text(b, t->quantity), text(b, t->unit), t->type};
    return t != NULL;
}

double birth_session(const struct birth *b)
{
    return b->session;
}

static void *make(const void *payload, size_t len)
{
    return birth_new(payload, len);
}

static void unmake(void *made)
{
    birth_free(made);
}

const struct memo_kind birth_kind = {make, unmake};
