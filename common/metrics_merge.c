/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/metrics_merge.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

struct block { /* one family in one text: from its HELP line to the next family's */
    const char *name, *samples, *end, *head;
    size_t name_len;
};

static const char *line_end(const char *p)
{
    const char *nl = strchr(p, '\n');
    return nl ? nl + 1 : p + strlen(p);
}

static struct block *blocks_of(const char *text, size_t *n)
{
    struct block *b = NULL;
    *n = 0;
    for (const char *p = text; *p; p = line_end(p)) {
        if (!strncmp(p, "# HELP ", 7)) {
            b = xrealloc(b, (*n + 1) * sizeof *b);
            b[*n] = (struct block){
                .name = p + 7, .head = p, .name_len = strcspn(p + 7, " \n")};
            b[*n].samples = b[*n].end = line_end(p);
            (*n)++;
        } else if (*n) {
            struct block *last = &b[*n - 1];
            if (!strncmp(p, "# TYPE ", 7))
                last->samples = line_end(p);
            last->end = line_end(p);
        }
    }
    return b;
}

void metrics_merge(const char *const texts[], unsigned n, struct buf *out)
{
    struct block **b = xcalloc(n + !n, sizeof *b);
    size_t *counts = xcalloc(n + !n, sizeof *counts);
    for (unsigned t = 0; t < n; t++)
        if (texts[t])
            b[t] = blocks_of(texts[t], &counts[t]);
    for (unsigned t = 0; t < n; t++)
        for (size_t i = 0; i < counts[t]; i++) {
            struct block *f = &b[t][i];
            if (!f->name)
                continue; /* written together with an earlier text's family */
            buf_add(out, f->head, (size_t)(f->end - f->head));
            for (unsigned u = t + 1; u < n; u++)
                for (size_t k = 0; k < counts[u]; k++) {
                    struct block *g = &b[u][k];
                    if (!g->name || g->name_len != f->name_len ||
                        memcmp(g->name, f->name, f->name_len))
                        continue;
                    buf_add(out, g->samples, (size_t)(g->end - g->samples));
                    g->name = NULL;
                }
        }
    for (unsigned t = 0; t < n; t++)
        free(b[t]);
    free(b);
    free(counts);
}
