/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/homie_description.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"

#define TEXT_BYTES (1u << 20) /* more than the texts of 256 KiB */

/* Offsets are into the texts; 0 is the empty text. */
struct entry {
    uint32_t node, property, datatype, unit;
    bool alone;
};

struct homie_description {
    struct buf text;
    struct entry *entry; /* n of cap, by property, then by node; owned */
    uint32_t *child;     /* owned */
    size_t n, cap, n_children;
};

static uint32_t add_text(struct homie_description *d, const char *s)
{
    size_t at = d->text.len;
    if (!s || !*s || buf_add(&d->text, s, strlen(s) + 1))
        return 0;
    return (uint32_t)at;
}

static const char *text(const struct homie_description *d, uint32_t at)
{
    return d->text.data + at;
}

static void add_node(struct homie_description *d, const char *name, const json_t *node)
{
    const char *key;
    json_t *p;
    uint32_t at = add_text(d, name);
    json_object_foreach(json_object_get(node, "properties"), key, p)
    {
        if (d->n == d->cap) {
            d->cap = d->cap ? d->cap * 2 : 16;
            d->entry = xrealloc(d->entry, d->cap * sizeof *d->entry);
        }
        d->entry[d->n++] = (struct entry){
            .node = at,
            .property = add_text(d, key),
            .datatype = add_text(d, json_string_value(json_object_get(p, "datatype"))),
            .unit = add_text(d, json_string_value(json_object_get(p, "unit")))};
    }
}

static int compare(const struct homie_description *d, const char *node,
                   const char *property, const struct entry *b)
{
    int c = strcmp(property, text(d, b->property));
    return c ? c : strcmp(node, text(d, b->node));
}

static int by_property(const void *x, const void *y, void *arg)
{
    const struct entry *a = x;
    return compare(arg, text(arg, a->node), text(arg, a->property), y);
}

static bool same_property(const struct homie_description *d, size_t i, size_t k)
{
    return i < d->n && k < d->n &&
           !strcmp(text(d, d->entry[i].property), text(d, d->entry[k].property));
}

static void add_children(struct homie_description *d, const json_t *list)
{
    size_t i;
    json_t *v;
    d->child = xcalloc(json_array_size(list) + 1, sizeof *d->child);
    json_array_foreach((json_t *)list, i, v)
    {
        uint32_t at = add_text(d, json_string_value(v));
        if (at)
            d->child[d->n_children++] = at;
    }
}

struct homie_description *homie_description_new(const json_t *root)
{
    const json_t *nodes = json_object_get(root, "nodes");
    const char *key;
    json_t *node;
    if (!json_is_object(root) || (nodes && !json_is_object(nodes)))
        return NULL;
    struct homie_description *d = xcalloc(1, sizeof *d);
    buf_init(&d->text, TEXT_BYTES);
    buf_addc(&d->text, '\0');
    json_object_foreach((json_t *)nodes, key, node)
    {
        add_node(d, key, node);
    }
    if (d->n)
        qsort_r(d->entry, d->n, sizeof *d->entry, by_property, d);
    for (size_t i = 0; i < d->n; i++)
        d->entry[i].alone = !same_property(d, i, i - 1) && !same_property(d, i, i + 1);
    add_children(d, json_object_get(root, "children"));
    return d;
}

void homie_description_free(struct homie_description *d)
{
    if (!d)
        return;
    buf_done(&d->text);
    free(d->entry);
    free(d->child);
    free(d);
}

/* What bsearch(3) looks for. */
struct key {
    const struct homie_description *d;
    const char *node, *property;
};

static int to_entry(const void *key, const void *entry)
{
    const struct key *k = key;
    return compare(k->d, k->node, k->property, entry);
}

bool homie_description_find(const struct homie_description *d, const char *node,
                            const char *property, struct homie_property *out)
{
    struct key k = {d, node, property};
    const struct entry *t =
        d->n ? bsearch(&k, d->entry, d->n, sizeof *d->entry, to_entry) : NULL;
    if (t)
        *out = (struct homie_property){text(d, t->datatype), text(d, t->unit), t->alone};
    return t != NULL;
}

const char *homie_description_child(const struct homie_description *d, size_t i)
{
    return i < d->n_children ? text(d, d->child[i]) : NULL;
}

static void *make(const void *payload, size_t len)
{
    struct err e = ERR_INIT;
    json_t *root = json_parse(payload, len, "the description", &e);
    struct homie_description *d = root ? homie_description_new(root) : NULL;
    json_decref(root);
    return d;
}

static void unmake(void *made)
{
    homie_description_free(made);
}

const struct memo_kind homie_description_kind = {make, unmake};
