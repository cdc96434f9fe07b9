/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/naive2.h"

#include <math.h>
#include <stdlib.h>

#include "common/mem.h"

#define QUANTILE_90 1.645 /* two-sided; as the M4 competition rounds it */

/* ---- is there a season? ---- */

/* Mean product of the deviations k hours apart, times the share of the n hours that are
 * that far apart: with no hour missing, the usual estimate. */
static double covariance(const double *y, size_t n, double mean, size_t k)
{
    double sum = 0;
    size_t pairs = 0;
    for (size_t i = k; i < n; i++) {
        double d = (y[i] - mean) * (y[i - k] - mean);
        if (isfinite(d)) {
            sum += d;
            pairs++;
        }
    }
    return pairs ? sum / (double)pairs * (double)(n - k) / (double)n : NAN;
}

bool naive2_seasonal(const double *y, size_t n, size_t m)
{
    double sum = 0, squares = 0;
    size_t known = 0;
    if (m < 2 || m > NAIVE2_SEASON_MAX || n < 3 * m)
        return false;
    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i])) {
            sum += y[i];
            known++;
        }
    if (known < 3 * m)
        return false;
    double mean = sum / (double)known, variance = covariance(y, n, mean, 0);
    for (size_t k = 1; k < m; k++) {
        double r = covariance(y, n, mean, k) / variance;
        squares += r * r;
    }
    double r = covariance(y, n, mean, m) / variance;
    return fabs(r) > QUANTILE_90 * sqrt((1 + 2 * squares) / (double)known);
}

/* ---- what does it look like? ---- */

/* Moving average over one season around hour i; of an even one the ends count half. */
static double trend(const double *y, size_t n, size_t m, size_t i)
{
    size_t half = m / 2;
    double sum = 0;
    if (i < half || i + half >= n)
        return NAN;
    for (size_t k = i - half; k <= i + half; k++)
        sum += (m % 2 == 0 && (k == i - half || k == i + half) ? 0.5 : 1) * y[k];
    return sum / (double)m;
}

static bool all_positive(const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i]) && y[i] <= 0)
            return false;
    return true;
}

/* By phase: factors with mean 1, or terms with mean 0. false when one is not known. */
static bool indices(const double *y, size_t n, size_t m, bool multiplicative,
                    double *index)
{
    size_t count[NAIVE2_SEASON_MAX] = {0};
    double mean = 0;
    for (size_t p = 0; p < m; p++)
        index[p] = 0;
    for (size_t i = 0; i < n; i++) {
        double t = trend(y, n, m, i), d = multiplicative ? y[i] / t : y[i] - t;
        if (isfinite(d)) {
            index[i % m] += d;
            count[i % m]++;
        }
    }
    for (size_t p = 0; p < m; p++) {
        if (!count[p])
            return false;
        index[p] /= (double)count[p];
        mean += index[p] / (double)m;
    }
    for (size_t p = 0; p < m; p++)
        index[p] = multiplicative ? index[p] / mean : index[p] - mean;
    return true;
}

int naive2_forecast(const double *y, size_t n, size_t m, size_t horizon, double *out,
                    struct err *e)
{
    double index[NAIVE2_SEASON_MAX];
    if (!n || !isfinite(y[n - 1]))
        return err_set(e, ERR_CONFLICT, "the newest hour is missing");
    bool multiplicative = all_positive(y, n);
    bool seasonal =
        m >= 2 && naive2_seasonal(y, n, m) && indices(y, n, m, multiplicative, index);
    double last = y[n - 1];
    if (seasonal)
        last = multiplicative ? last / index[(n - 1) % m] : last - index[(n - 1) % m];
    for (size_t k = 0; k < horizon; k++) {
        out[k] = last;
        if (seasonal && multiplicative)
            out[k] *= index[(n + k) % m];
        else if (seasonal)
            out[k] += index[(n + k) % m];
    }
    return 0;
}
