/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/diagnose_work.h"

size_t diagnose_few(const struct diagnose_opts *o)
{
    return o->with ? TIES_MAX : DIAGNOSE_ALL_PAIRS;
}

json_t *diagnose_ties(const struct diagnose *d)
{
    struct ties_asked a = {.n = d->n};
    if (d->n > diagnose_few(d->o))
        return NULL;
    for (size_t i = 0; i < a.n; i++) {
        a.name[i] = d->few[i].name;
        a.hours[i] = &d->few[i].h;
    }
    return ties_find(&a);
}

void text_tie(struct buf *b, const char *head, const json_t *tie)
{
    const char *name = json_string_value(json_object_get(tie, "series"));
    const char *text = json_string_value(json_object_get(tie, "text"));
    struct buf said;
    buf_init(&said, DIAGNOSE_BYTES);
    buf_adds(&said, text);
    if (json_is_true(json_object_get(tie, "exact")))
        buf_addf(&said, ": %s says nothing that the others do not", name);
    text_wrap(b, head, said.data);
    buf_done(&said);
}
