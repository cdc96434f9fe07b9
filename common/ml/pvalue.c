/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/pvalue.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>

double p_normal(double z)
{
    return isnan(z) ? NAN : 2 * gsl_cdf_ugaussian_Q(fabs(z));
}

/* By way of F: beyond 30 degrees of freedom GSL expands t after Cornish and Fisher, which
 * is good to 1e-6 only far out. */
double p_t(double t, double df)
{
    return p_f(t * t, 1, df);
}

double p_f(double f, double df1, double df2)
{
    if (isnan(f) || !(df1 > 0) || !(df2 > 0))
        return NAN;
    return isinf(f) ? 0 : gsl_cdf_fdist_Q(fmax(f, 0), df1, df2);
}

double p_chi2(double x, double df)
{
    if (isnan(x) || !(df > 0))
        return NAN;
    return isinf(x) ? 0 : gsl_cdf_chisq_Q(fmax(x, 0), df);
}

const char *p_text(double p, char buf[16])
{
    if (isnan(p))
        snprintf(buf, 16, "p not known");
    else if (p < 0.001)
        snprintf(buf, 16, "p < 0.001");
    else
        snprintf(buf, 16, "p = %.*f", p < 0.1 ? 3 : 2, fmin(p, 1));
    return buf;
}
