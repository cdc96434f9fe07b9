/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/score.h"

#include <math.h>

struct score score(const double *y, const double *f, size_t n)
{
    struct score s = {.mae = NAN, .rmse = NAN, .bias = NAN, .r2 = NAN, .smape = NAN};
    double abs_sum = 0, sq = 0, sum = 0, y_sum = 0, pct = 0, sst = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(y[i]) || isnan(f[i])) {
            s.missing++;
            continue;
        }
        double d = f[i] - y[i], size = fabs(y[i]) + fabs(f[i]);
        s.n++;
        abs_sum += fabs(d);
        sq += d * d;
        sum += d;
        y_sum += y[i];
        pct += size > 0 ? fabs(d) / size : 0;
    }
    if (!s.n)
        return s;
    double k = (double)s.n, mean = y_sum / k;
    for (size_t i = 0; i < n; i++)
        if (!isnan(y[i]) && !isnan(f[i]))
            sst += (y[i] - mean) * (y[i] - mean);
    s.mae = abs_sum / k;
    s.rmse = sqrt(sq / k);
    s.bias = sum / k;
    s.r2 = 1 - sq / (sst > 0 ? sst : 1);
    s.smape = 200 * pct / k;
    return s;
}

double score_scale(const double *y, size_t n, size_t m)
{
    double sum = 0;
    size_t k = 0;
    for (size_t i = m; i < n; i++) {
        double d = fabs(y[i] - y[i - m]);
        if (!isnan(d)) {
            sum += d;
            k++;
        }
    }
    return k ? sum / (double)k : NAN;
}

double score_msis(const double *y, const double *lower, const double *upper, size_t n,
                  double a, double q)
{
    double sum = 0;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(y[i]) || isnan(lower[i]) || isnan(upper[i]))
            continue;
        sum += upper[i] - lower[i];
        if (y[i] < lower[i])
            sum += 2 / a * (lower[i] - y[i]);
        if (y[i] > upper[i])
            sum += 2 / a * (y[i] - upper[i]);
        k++;
    }
    return k && q > 0 ? sum / (double)k / q : NAN;
}

double score_coverage(const double *y, const double *lower, const double *upper, size_t n)
{
    size_t k = 0, inside = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(y[i]) || isnan(lower[i]) || isnan(upper[i]))
            continue;
        inside += y[i] >= lower[i] && y[i] <= upper[i];
        k++;
    }
    return k ? (double)inside / (double)k : NAN;
}

double score_skill(double mae, double baseline_mae)
{
    return baseline_mae > 0 ? 1 - mae / baseline_mae : NAN;
}

double score_owa(double smape, double mase, double naive2_smape, double naive2_mase)
{
    if (!(naive2_smape > 0 && naive2_mase > 0))
        return NAN;
    return (smape / naive2_smape + mase / naive2_mase) / 2;
}
