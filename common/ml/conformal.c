/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/conformal.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>

#include "common/mem.h"

#define ROUNDING 1e-9 /* of a product of a count and a share */

static double two_sided(double level)
{
    return gsl_cdf_ugaussian_Pinv(0.5 + level / 2);
}

double conformal_quantile(const double *r, size_t n, double level)
{
    if (!n)
        return NAN;
    double rank = ceil((double)(n + 1) * level - ROUNDING);
    size_t from_top = rank < (double)n ? n - (size_t)rank + 1 : 1;
    double *largest = xmalloc(from_top * sizeof *largest);
    gsl_sort_largest(largest, from_top, r, 1, n);
    double q = largest[from_top - 1];
    free(largest);
    if (rank <= (double)n)
        return q;
    return q * two_sided(level) / two_sided((double)n / (double)(n + 1));
}

/* Pool adjacent violators: the non-decreasing sequence nearest to w in squares. */
static void isotonic(double *w, size_t n)
{
    double *mean = xmalloc((n + 1) * sizeof *mean);
    size_t *size = xmalloc((n + 1) * sizeof *size), blocks = 0;
    for (size_t i = 0; i < n; i++) {
        mean[blocks] = w[i];
        size[blocks++] = 1;
        while (blocks > 1 && mean[blocks - 2] > mean[blocks - 1]) {
            size_t a = size[blocks - 2], b = size[blocks - 1];
            mean[blocks - 2] =
                (mean[blocks - 2] * (double)a + mean[blocks - 1] * (double)b) /
                (double)(a + b);
            size[blocks - 2] = a + b;
            blocks--;
        }
    }
    for (size_t b = 0, i = 0; b < blocks; b++)
        for (size_t k = 0; k < size[b]; k++)
            w[i++] = mean[b];
    free(size);
    free(mean);
}

/* Absolute residuals of leads from..to into pool; returns how many. */
static size_t gather(const double *residuals, size_t origins, size_t leads, size_t from,
                     size_t to, double *pool)
{
    size_t n = 0;
    for (size_t o = 0; o < origins; o++)
        for (size_t k = from; k <= to; k++)
            if (isfinite(residuals[o * leads + k]))
                pool[n++] = fabs(residuals[o * leads + k]);
    return n;
}

/* Errors from one origin follow one another, and 48 of them are hardly worth two: what n
 * origins say of a quantile is as uncertain as Student's t with 2 (n - 1) degrees. */
static double few_origins(const double *residuals, size_t origins, size_t leads,
                          double level)
{
    size_t n = 0;
    for (size_t o = 0; o < origins; o++) {
        size_t k = 0;
        while (k < leads && !isfinite(residuals[o * leads + k]))
            k++;
        n += k < leads;
    }
    if (n < 2)
        n = 2;
    return gsl_cdf_tdist_Pinv(0.5 + level / 2, 2 * ((double)n - 1)) /
           gsl_cdf_ugaussian_Pinv(0.5 + level / 2);
}

size_t conformal_widths(const double *residuals, size_t origins, size_t leads,
                        double level, double *half)
{
    double *pool = xmalloc((origins * leads + 1) * sizeof *pool);
    size_t total = 0, known = 0; /* known: one past the last lead with residuals */
    for (size_t k = 0; k < leads; k++) {
        size_t n = gather(residuals, origins, leads, k, k, pool);
        total += n;
        if (n)
            known = k + 1;
    }
    for (size_t k = 0; k < known; k++) {
        size_t n = 0, reach = 0;
        do {
            size_t from = k > reach ? k - reach : 0;
            size_t to = k + reach < known ? k + reach : known - 1;
            n = gather(residuals, origins, leads, from, to, pool);
            if (from == 0 && to == known - 1)
                break;
            reach++;
        } while (n < CONFORMAL_POOL);
        half[k] = conformal_quantile(pool, n, level);
    }
    if (known)
        isotonic(half, known);
    double few = few_origins(residuals, origins, leads, level);
    for (size_t k = 0; k < known; k++)
        half[k] *= few;
    for (size_t k = known; known && k < leads; k++)
        half[k] = half[known - 1] * sqrt((double)(k + 1) / (double)known);
    free(pool);
    return total;
}
