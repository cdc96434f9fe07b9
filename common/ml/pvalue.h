/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pvalue: how probable a statistic at least this extreme is when there is nothing to
 * find.
 *
 * Relative error below 1e-9 down to 1e-290; 0 for an infinite statistic, NaN where the
 * statistic is NaN or a distribution has no degrees of freedom. Pure. */
#ifndef FC_ML_PVALUE_H
#define FC_ML_PVALUE_H

double p_normal(double z);                    /* two-sided */
double p_t(double t, double df);              /* two-sided */
double p_f(double f, double df1, double df2); /* upper tail */
double p_chi2(double x, double df);           /* upper tail */

/* "p = 0.03", "p < 0.001", "p not known"; in buf, which is returned. */
const char *p_text(double p, char buf[16]);

#endif
