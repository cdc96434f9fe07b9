/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of linear.h that solves: OLS by QR. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/ml/linear.h"

#define RANK_TOLERANCE 1e-7

/* Unless told otherwise GSL ends the process on what it takes for an error, anywhere in
 * it. What it returns is looked at where it matters. */
__attribute__((constructor)) static void keep_running(void)
{
    gsl_set_error_handler_off();
}

/* Mean and population standard deviation of each column, which is standardised in place.
 * A column whose spread is rounding noise is set to zero and dropped. */
static void standardise(double *x, size_t rows, size_t cols, struct linear_fit *f)
{
    for (size_t c = 0; c < cols; c++) {
        double mean = 0, ss = 0;
        for (size_t r = 0; r < rows; r++)
            mean += x[r * cols + c];
        mean /= (double)rows;
        for (size_t r = 0; r < rows; r++)
            ss += (x[r * cols + c] - mean) * (x[r * cols + c] - mean);
        double std = sqrt(ss / (double)rows);
        if (linear_constant(mean, std)) {
            f->dropped |= UINT64_C(1) << c;
            std = 1;
        }
        bool gone = f->dropped >> c & 1;
        for (size_t r = 0; r < rows; r++)
            x[r * cols + c] = gone ? 0 : (x[r * cols + c] - mean) / std;
        f->mean[c] = mean;
        f->std[c] = std;
    }
}

int linear_enough(size_t rows, size_t cols, struct err *e)
{
    if (!cols || cols > FEATURES_MAX)
        return err_set(e, ERR_INVALID, "a linear model needs 1 to %d features, not %zu",
                       FEATURES_MAX, cols);
    if (rows <= cols)
        return err_set(e, ERR_CONFLICT,
                       "%zu features cannot be fitted to %zu rows: more rows are needed",
                       cols, rows);
    return 0;
}

static int begin(double *x, const double *target, size_t rows, size_t cols,
                 struct linear_fit *f, struct err *e)
{
    *f = (struct linear_fit){0};
    if (linear_enough(rows, cols, e))
        return -1;
    for (size_t i = 0; i < rows * cols; i++)
        if (!isfinite(x[i]))
            return err_set(e, ERR_INVALID, "row %zu, column %zu is not a finite number",
                           i / cols, i % cols);
    for (size_t r = 0; r < rows; r++) {
        if (!isfinite(target[r]))
            return err_set(e, ERR_INVALID, "the target of row %zu is not a finite number",
                           r);
        f->intercept += target[r];
    }
    f->intercept /= (double)rows;
    standardise(x, rows, cols, f);
    return 0;
}

/* X P = Q R with |R_11| >= |R_22| >= ..: where the diagonal falls below the tolerance,
 * the remaining columns are combinations of those before. The leading r × r system is
 * solved. */
int linear_pivoted(double *x, double *b, size_t rows, size_t cols, struct linear_fit *f,
                   struct err *e)
{
    uint64_t all = cols == 64 ? UINT64_MAX : (UINT64_C(1) << cols) - 1;
    if (f->dropped == all)
        return err_set(e, ERR_CONFLICT,
                       "all features are constant: there is nothing to fit");
    gsl_matrix_view a = gsl_matrix_view_array(x, rows, cols);
    gsl_vector_view right = gsl_vector_view_array(b, rows);
    gsl_vector *tau = gsl_vector_alloc(cols), *norm = gsl_vector_alloc(cols);
    gsl_permutation *perm = gsl_permutation_alloc(cols);
    int sign;
    gsl_linalg_QRPT_decomp(&a.matrix, tau, perm, &sign, norm);
    gsl_linalg_QR_QTvec(&a.matrix, tau, &right.vector);

    double top = fabs(gsl_matrix_get(&a.matrix, 0, 0));
    size_t rank = 0;
    while (rank < cols &&
           fabs(gsl_matrix_get(&a.matrix, rank, rank)) > RANK_TOLERANCE * top)
        rank++;
    double z[FEATURES_MAX] = {0};
    for (size_t i = rank; i-- > 0;) {
        double s = b[i];
        for (size_t j = i + 1; j < rank; j++)
            s -= gsl_matrix_get(&a.matrix, i, j) * z[j];
        z[i] = s / gsl_matrix_get(&a.matrix, i, i);
    }
    for (size_t i = 0; i < cols; i++) {
        size_t c = gsl_permutation_get(perm, i);
        f->coef[c] = z[i];
        if (i >= rank)
            f->dropped |= UINT64_C(1) << c;
    }
    gsl_permutation_free(perm);
    gsl_vector_free(norm);
    gsl_vector_free(tau);
    return linear_check(f, cols, e);
}

int linear_qr(double *x, const double *target, size_t rows, size_t cols,
              struct linear_fit *f, struct err *e)
{
    if (begin(x, target, rows, cols, f, e))
        return -1;
    double *b = xmalloc(rows * sizeof *b);
    for (size_t r = 0; r < rows; r++)
        b[r] = target[r] - f->intercept;
    int rc = linear_pivoted(x, b, rows, cols, f, e);
    free(b);
    return rc;
}
