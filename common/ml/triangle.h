/* SPDX-License-Identifier: GPL-3.0-or-later */
/* triangle: the rows of a linear regression, kept as the R of their QR decomposition as
 * they come: a fit costs no more than one of as many rows as there are columns, and loses
 * no more digits than one of all rows would. Not thread safe; pure. */
#ifndef FC_ML_TRIANGLE_H
#define FC_ML_TRIANGLE_H

#include <stddef.h>

#include "common/err.h"
#include "common/ml/linear_fit.h"

struct triangle;

/* cols: 1 to FEATURES_MAX. Free with triangle_free(). */
struct triangle *triangle_new(size_t cols);
void triangle_free(struct triangle *t); /* NULL is fine */

/* x: cols numbers; all are taken to be finite. */
void triangle_add(struct triangle *t, const double *x, double target);

size_t triangle_rows(const struct triangle *t); /* how many were added */

/* Least squares, as linear_qr() gives it of all rows (to the last digits). */
int triangle_qr(const struct triangle *t, struct linear_fit *f, struct err *e) MUST_CHECK;

#endif
