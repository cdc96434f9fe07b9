/* SPDX-License-Identifier: GPL-3.0-or-later */
/* near: comparing doubles (cmocka's assert_float_equal compares floats). Include after
 * cmocka.h. */
#ifndef FC_TESTS_NEAR_H
#define FC_TESTS_NEAR_H

#include <math.h>
#include <stdio.h>

/* |a - b| <= eps; NaN is near nothing. */
#define assert_near(a, b, eps) near_check((a), (b), (eps), #a, __FILE__, __LINE__)

static inline void near_check(double a, double b, double eps, const char *what,
                              const char *file, int line)
{
    if (fabs(a - b) <= eps)
        return;
    fprintf(stderr, "%s is %.17g, not %.17g (within %g)\n", what, a, b, eps);
    _fail(file, line);
}

#endif
