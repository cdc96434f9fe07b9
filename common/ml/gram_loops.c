/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/gram_loops.h"

#include <math.h>

#define L GRAM_LANES
#define INLINE static inline __attribute__((always_inline))

/* L numbers side by side, wherever they lie. */
typedef double vec __attribute__((vector_size(L * sizeof(double)), aligned(8)));
#define VEC(p) (*(vec *)(p))
#define EVERY(x) ((vec){x, x, x, x})
#define OF(p, one)                                                                       \
    ((one) ? EVERY(*(p)) : VEC(p)) /* one system: the same for all lanes                 \
                                    */
_Static_assert(L == 4, "EVERY");

INLINE void add_up(size_t n, size_t w, const double *restrict a, const double *restrict u,
                   double *restrict sum, double *restrict p)
{
    const double *b = a + w, *c = b + w, *d = c + w;
    const double *ub = u + w, *uc = ub + w, *ud = uc + w;
    for (size_t i = 0; i < w; i++)
        sum[i] += u[i] + ub[i] + uc[i] + ud[i];
    for (size_t i = 0; i < n; i++) {
        double ai = a[i], bi = b[i], ci = c[i], di = d[i];
        for (size_t j = i - i % L; j < w; j += L)
            for (size_t l = j; l < j + L; l++)
                p[l] += ai * u[l] + bi * ub[l] + ci * uc[l] + di * ud[l];
        p += w;
    }
}

/* The variance is NaN where it is not finite. */
INLINE void moments(const struct gram_moments *m, bool one)
{
    vec weight = OF(m->weight, one), unit = EVERY(m->unit), per_unit = 1 / unit;
    vec share = per_unit / weight;
    for (size_t j = 0; j < m->n * (one ? 1 : L); j += L) {
        vec sum = VEC(m->sum + j);
        vec var = (VEC(m->square + j) - sum * sum * share) * per_unit / weight;
        VEC(m->mean + j) = VEC(m->first + j) + sum / unit / weight;
        for (size_t v = 0; v < L; v++)
            m->std[j + v] = sqrt(var[v] < 0 ? 0 : var[v]);
    }
}

INLINE void equations(const struct gram_system *s, bool one, double strength,
                      double *restrict a)
{
    size_t n = s->n, lanes = one ? 1 : L, row = (n + L) * lanes;
    vec share = EVERY(s->per_unit) / OF(s->weight, one), per_unit = EVERY(s->per_unit);
    for (size_t i = 0; i < n; i++, a += row) {
        const double *p = s->product + i * s->width * lanes;
        const double *sum_i = s->sum + i * lanes, *scale_i = s->scale + i * lanes;
        size_t j = (i + 1) * lanes;
        for (; j + L <= (n + 1) * lanes; j += L)
            VEC(a + j) = (VEC(p + j) - VEC(s->sum + j) * OF(sum_i, one) * share) *
                         per_unit * VEC(s->scale + j) * OF(scale_i, one);
        for (; j < (n + 1) * lanes; j++) /* of one system */
            a[j] = (p[j] - s->sum[j] * *sum_i * share[0]) * s->per_unit * s->scale[j] *
                   *scale_i;
        for (size_t l = 0; l < lanes; l++)
            a[i * lanes + l] = strength + (scale_i[l] > 0 ? s->weight[l] : 0);
        for (; j < row; j++)
            a[j] = 0;
    }
}

/* By rows from the left up, as in Golub & Van Loan, Matrix Computations, 4.2.5: all inner
 * loops run along rows. The right side is a column like the others. */
INLINE bool factor(size_t n, bool one, double *restrict a)
{
    size_t lanes = one ? 1 : L, stride = (n + L) * lanes, end = (n + 1) * lanes;
    for (size_t k = 0; k < n; k++) {
        double *row = a + k * stride, root[L] = {0};
        for (size_t l = 0; l < lanes; l++) {
            if (!(row[k * lanes + l] > 0))
                return false;
            root[l] = sqrt(row[k * lanes + l]);
        }
        vec pivot = OF(root, one);
        for (size_t j = k * lanes; j < end; j += L)
            VEC(row + j) /= pivot;
        for (size_t i = k + 1; i < n; i++) {
            double *below = a + i * stride;
            vec r = OF(row + i * lanes, one);
            for (size_t j = i * lanes; j < end; j += L)
                VEC(below + j) -= r * VEC(row + j);
        }
    }
    return true;
}

INLINE void substitute_one(size_t n, const double *restrict a, double *restrict x)
{
    for (size_t k = n; k-- > 0;) {
        const double *row = a + k * (n + L);
        double s = row[n];
        for (size_t j = k + 1; j < n; j++)
            s -= row[j] * x[j];
        x[k] = s / row[k];
    }
}

INLINE void substitute_many(size_t n, const double *restrict a, double *restrict x)
{
    for (size_t k = n; k-- > 0;) {
        const double *row = a + k * (n + L) * L;
        vec s = VEC(row + n * L);
        for (size_t j = (k + 1) * L; j < n * L; j += L)
            s -= VEC(row + j) * VEC(x + j);
        VEC(x + k * L) = s / VEC(row + k * L);
    }
}

/* The compiler makes both forms of each. */
INLINE void any_moments(const struct gram_moments *m)
{
    if (m->lanes == 1)
        moments(m, true);
    else
        moments(m, false);
}

INLINE void any_equations(const struct gram_system *s, double strength, double *a)
{
    if (s->lanes == 1)
        equations(s, true, strength, a);
    else
        equations(s, false, strength, a);
}

INLINE bool any_cholesky(size_t n, size_t lanes, double *a, double *x)
{
    bool one = lanes == 1;
    if (!(one ? factor(n, true, a) : factor(n, false, a)))
        return false;
    if (one)
        substitute_one(n, a, x);
    else
        substitute_many(n, a, x);
    return true;
}

#ifdef __x86_64__

__attribute__((target("avx2"))) static void
add_up_wide(size_t n, size_t w, const double *a, const double *u, double *sum, double *p)
{
    add_up(n, w, a, u, sum, p);
}

__attribute__((target("avx2"))) static void moments_wide(const struct gram_moments *m)
{
    any_moments(m);
}

__attribute__((target("avx2"))) static void equations_wide(const struct gram_system *s,
                                                           double strength, double *a)
{
    any_equations(s, strength, a);
}

__attribute__((target("avx2"))) static bool cholesky_wide(size_t n, size_t lanes,
                                                          double *a, double *x)
{
    return any_cholesky(n, lanes, a, x);
}

static bool wide(void)
{
    return __builtin_cpu_supports("avx2");
}

#else

#define add_up_wide add_up
#define moments_wide any_moments
#define equations_wide any_equations
#define cholesky_wide any_cholesky
#define wide() false

#endif

static void add_up_plain(size_t n, size_t w, const double *a, const double *u,
                         double *sum, double *p)
{
    add_up(n, w, a, u, sum, p);
}

static void moments_plain(const struct gram_moments *m)
{
    any_moments(m);
}

static void equations_plain(const struct gram_system *s, double strength, double *a)
{
    any_equations(s, strength, a);
}

static bool cholesky_plain(size_t n, size_t lanes, double *a, double *x)
{
    return any_cholesky(n, lanes, a, x);
}

void gram_add_up(size_t n, size_t w, const double *a, const double *u, double *sum,
                 double *product)
{
    (wide() ? add_up_wide : add_up_plain)(n, w, a, u, sum, product);
}

void gram_moments(const struct gram_moments *m)
{
    (wide() ? moments_wide : moments_plain)(m);
}

void gram_equations(const struct gram_system *s, double strength, double *a)
{
    (wide() ? equations_wide : equations_plain)(s, strength, a);
}

bool gram_cholesky(size_t n, size_t lanes, double *a, double *x)
{
    return (wide() ? cholesky_wide : cholesky_plain)(n, lanes, a, x);
}
