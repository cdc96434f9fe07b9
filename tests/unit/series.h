/* SPDX-License-Identifier: GPL-3.0-or-later */
/* series: an hourly series to learn from. */
#ifndef FC_TESTS_SERIES_H
#define FC_TESTS_SERIES_H

#include <math.h>

#include "common/ml/dataset.h"
#include "tests/unit/unit.h"

/* A day, a week and noise from a small generator: the same for the same seed. */
static inline struct hours series(size_t n, unsigned seed)
{
    struct hours h;
    assert_int_equal(hours_init(&h, 1795132800, n, NULL), 0);
    uint32_t x = seed;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        h.y[i] = 20 + 5 * sin(2 * M_PI * (double)i / 24) +
                 2 * cos(2 * M_PI * (double)i / 168) + (double)(x >> 16) / 65536;
    }
    return h;
}

#endif
