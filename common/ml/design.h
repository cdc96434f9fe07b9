/* SPDX-License-Identifier: GPL-3.0-or-later */
/* design: the columns of a regression with intercept, made ready for everything that is
 * asked of them: the fit, its tests, variance inflation.
 *
 * Columns are centred, scaled to unit length and made orthonormal one after the other, in
 * the order given (Gram-Schmidt, each column twice, which is as exact as Householder's
 * QR: Giraud, Langou, Rozloznik, 2005). A column of which the ones before leave less than
 * DESIGN_TOLERANCE of its length is their combination and is left out, as a constant one
 * is; so of columns that say the same the first stays. No coefficient can blow up.
 *
 * Pure. Any number of readers. */
#ifndef FC_ML_DESIGN_H
#define FC_ML_DESIGN_H

#include <stddef.h>

#include "common/err.h"

#define DESIGN_COLS_MAX 128
#define DESIGN_VALUE_MAX 1e100 /* in size; beyond, squares overflow */
#define DESIGN_TOLERANCE 1e-7

enum column_state {
    COLUMN_KEPT,
    COLUMN_CONSTANT, /* its spread is rounding noise, below 1e-13 of its mean */
    COLUMN_EXPLAINED /* an exact linear combination of kept columns before it */
};

struct design {
    size_t rows, cols;
    size_t rank;              /* columns kept; the intercept not counted */
    double *mean, *length;    /* cols: z = (x - mean) / length has length 1. owned */
    enum column_state *state; /* cols. owned */
    size_t *kept;             /* rank: which they are, ascending. owned */
    double *q; /* rank × rows: orthonormal, and orthogonal to the constant. owned */
    double *r; /* cols × cols: row j has the coordinates of z_j on q, the first rank of
                  them; of a kept column none past its own. owned */
};

/* x: rows × cols, row major; not changed. ERR_INVALID for no or too many columns or a
 * value that is not finite or beyond DESIGN_VALUE_MAX; ERR_CONFLICT for fewer than two
 * rows. A rank of 0 is no error. Free with design_done(). */
int design_init(struct design *d, const double *x, size_t rows, size_t cols,
                struct err *e) MUST_CHECK;
void design_done(struct design *d); /* a zeroed struct is fine */

/* Splits v (rows, its mean taken off): theta[rank] its coordinates on q, and what is left
 * of it stays in v. */
void design_project(const struct design *d, double *v, double *theta);

/* Centres v (rows); the mean taken off. */
double design_centre(double *v, size_t rows);

/* The coordinates of the kept columns, upside down: inverse (rank × rank, row major,
 * upper triangular) times the coordinates of a vector on q gives its weights on z. */
void design_inverse(const struct design *d, double *inverse);

/* 1 - (rest's square sum) / (v's), of v (rows, changed) regressed on the columns; NaN
 * where v is constant. */
double design_r2(const struct design *d, double *v);

/* Condition numbers, largest singular value over smallest: of a column of ones and the
 * kept columns as they are, and of those centred and scaled. rank > 0. */
void design_condition(const struct design *d, double *plain, double *scaled);

#endif
