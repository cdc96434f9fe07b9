/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gram_loops: the inner loops of gram.c, made as wide as the processor is. Nobody else
 * includes it.
 *
 * Each number is made by the same operations in the same order whatever the width, so
 * that all processors give the same bytes. */
#ifndef FC_ML_GRAM_LOOPS_H
#define FC_ML_GRAM_LOOPS_H

#include <stdbool.h>
#include <stddef.h>

#define GRAM_BLOCK 4 /* rows that are added up together: each sum is touched once */
#define GRAM_LANES 4 /* what a vector holds; no loop has a rest */

/* Adds GRAM_BLOCK rows of width w, a multiple of GRAM_LANES, of which n columns count: a,
 * and u = a times the row's unit, to the columns' sums and their products (rows of w;
 * what is left of the diagonal is of no use). */
void gram_add_up(size_t n, size_t w, const double *a, const double *u, double *sum,
                 double *product);

/* The solver's part takes one system, or GRAM_LANES of them side by side: number x of
 * system l is at [x * lanes + l], and lanes is 1 or GRAM_LANES. One runs along its rows,
 * many across the systems, which makes small ones some ten times as fast.
 *
 * Sets the upper triangles of a (n rows of n + GRAM_LANES): the Gram matrix of the
 * standardised columns and the penalty; in column n their products with the target; zeros
 * behind. scale: one over a column's spread; 0: it is left out and has zeros but for the
 * penalty. */
struct gram_system {
    size_t n, width, lanes;
    const double *sum, *product; /* of struct gram_sums */
    double per_unit;             /* 1 / unit */
    const double *weight;        /* of each system */
    const double *scale;         /* n + 1 of each; that of the target is 1 */
};
void gram_equations(const struct gram_system *s, double strength, double *a);

/* Of `n` columns of each system: first holds what was taken off, square the diagonal of
 * the products. mean, std: what the columns have; GRAM_LANES - 1 more of each are made of
 * what is behind the columns. */
struct gram_moments {
    size_t n, lanes;
    double unit;
    const double *weight, *first, *sum, *square;
    double *mean, *std;
};
void gram_moments(const struct gram_moments *m);

/* a = U'U takes its place, and x (n of each system) of U'U x = b is found. False if one
 * is not positive definite. */
bool gram_cholesky(size_t n, size_t lanes, double *a, double *x);

#endif
