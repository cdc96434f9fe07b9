/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/scales.h"

#include <stdlib.h>

#include "common/mem.h"

void scales_init(struct scales *s, const struct hours *h)
{
    *s = (struct scales){.n = h->n < SCALES_HOURS ? h->n : SCALES_HOURS};
    for (size_t k = 0; k < N_TRANSFORMS; k++) {
        const struct feature_spec spec = {.transform = (enum transform)k};
        s->z[k] = xmalloc((s->n + 1) * sizeof *s->z[k]);
        for (size_t t = 0; t < s->n; t++)
            s->z[k][t] = features_transform(&spec, h->y[t]);
        s->sums[k] = lagged_make(s->z[k], s->n, SCALES_BACK);
    }
}

void scales_done(struct scales *s)
{
    for (size_t k = 0; k < N_TRANSFORMS; k++) {
        free(s->z[k]);
        lagged_free(s->sums[k]);
    }
    *s = (struct scales){0};
}
