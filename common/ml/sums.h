/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sums: long sums, in four that stand side by side: a single one would wait for each
 * addition. Pure. */
#ifndef FC_ML_SUMS_H
#define FC_ML_SUMS_H

#include <stddef.h>

static inline double sums_total(const double *z, size_t n)
{
    double s[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++)
            s[k] += z[i + k];
    for (; i < n; i++)
        s[0] += z[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

/* Of the products of a and b. */
static inline double sums_dot(const double *a, const double *b, size_t n)
{
    double s[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++)
            s[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        s[0] += a[i] * b[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

#endif
