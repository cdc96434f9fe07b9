/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/names.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

void names_add(struct names *s, const char *device, const char *quantity, size_t max)
{
    char *name = xasprintf("%s.%s", device, quantity);
    if (s->n >= max || tfind(name, &s->tree, compare)) {
        free(name);
        return;
    }
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 16;
        s->all = xrealloc(s->all, s->cap * sizeof *s->all);
    }
    xtsearch(name, &s->tree, compare);
    s->all[s->n++] = name;
}

static void leave(void *name)
{
    (void)name; /* the array's */
}

void names_clear(struct names *s)
{
    tdestroy(s->tree, leave);
    for (size_t i = 0; i < s->n; i++)
        free(s->all[i]);
    free(s->all);
    *s = (struct names){0};
}
