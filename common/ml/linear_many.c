/* SPDX-License-Identifier: GPL-3.0-or-later */
/* linear_many: regressions that go step by step, several beside one another: what is
 * number x of lane l lies at x * LANES + l, so that one vector does the work of all. A
 * lane's sums are made in the order of linear_value(), hence to the same bits. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "common/ml/features.h"
#include "common/ml/linear.h"

#define LANES FORECAST_MANY
#define HOURS (LAG_MAX + HORIZON_MAX)
#define INLINE static inline __attribute__((always_inline))

typedef double vec __attribute__((vector_size(LANES * sizeof(double)), aligned(8)));
#define VEC(p) (*(vec *)(p))

/* The hours read and forecast lie before the columns that are not lags: column i of the
 * row for hour n is number (n & moves[i]) + base[i]. */
struct lanes {
    const struct model *const *m;
    const struct feature_spec *spec; /* of all of them */
    size_t need, cols;               /* hours of the past; columns */
    size_t moves[FEATURES_MAX], base[FEATURES_MAX];
    double z[(HOURS + FEATURES_MAX) * LANES];
    double alone[LANES][HOURS];             /* the hours once more, for windows */
    double raw[(FEATURES_MAX + 1) * LANES]; /* intercept and coefficients */
    struct feature_spec behind;             /* the columns that are not lags */
};

static void put(struct lanes *x, size_t lane, size_t t, double z)
{
    x->z[t * LANES + lane] = z;
    if (x->spec->n_windows)
        x->alone[lane][t] = z;
}

static void take(struct lanes *x, size_t lane, const struct hours *past)
{
    double z[LAG_MAX];
    const struct model *m = x->m[lane];
    linear_read(m, past, x->need, z);
    for (size_t t = 0; t < x->need; t++)
        put(x, lane, t, z[t]);
    for (size_t i = 0; i <= x->cols; i++)
        x->raw[i * LANES + lane] = m->raw[i];
}

static void begin(struct lanes *x, const struct model *const *m, const struct hours *past)
{
    x->m = m;
    x->spec = &m[0]->features;
    x->need = linear_history(m[0]);
    x->cols = features_columns(x->spec);
    for (size_t i = 0; i < x->cols; i++) {
        bool lag = i < x->spec->n_lags;
        x->moves[i] = lag ? SIZE_MAX : 0;
        x->base[i] = lag ? -(size_t)x->spec->lags[i] : HOURS + i - x->spec->n_lags;
    }
    x->behind = *x->spec;
    x->behind.n_lags = 0;
    for (size_t l = 0; l < LANES; l++)
        take(x, l, &past[l]);
}

/* The columns behind the lags, at hour n, which is t_s. */
static void fill(struct lanes *x, size_t lane, size_t n, int64_t t_s)
{
    double row[FEATURES_MAX];
    x->behind.zone = x->m[lane]->features.zone;
    features_fill(&x->behind, x->alone[lane], n, t_s, row);
    for (size_t i = 0; i < x->cols - x->spec->n_lags; i++)
        x->z[(HOURS + i) * LANES + lane] = row[i];
}

/* The sums of linear_value(), at hour n. */
INLINE void value(const struct lanes *x, size_t n, double out[LANES])
{
#define PART(i)                                                                          \
    (VEC(x->raw + ((i) + 1) * LANES) *                                                   \
     VEC(x->z + ((n & x->moves[i]) + x->base[i]) * LANES))
    vec a = VEC(x->raw), b = {0}, c = {0}, d = {0};
    size_t i = 0;
    for (; i + 4 <= x->cols; i += 4) {
        a += PART(i);
        b += PART(i + 1);
        c += PART(i + 2);
        d += PART(i + 3);
    }
    for (; i < x->cols; i++)
        a += PART(i);
    VEC(out) = (a + b) + (c + d);
#undef PART
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void value_wide(const struct lanes *x, size_t n,
                                                       double out[LANES])
{
    value(x, n, out);
}
#define wide() __builtin_cpu_supports("avx2")
#else
#define value_wide value
#define wide() false
#endif

static void value_plain(const struct lanes *x, size_t n, double out[LANES])
{
    value(x, n, out);
}

bool linear_forecast_many(const struct model *const *m, const struct hours *past,
                          size_t horizon, double (*out)[HORIZON_MAX])
{
    struct lanes x;
    double v[LANES];
    begin(&x, m, past);
    for (size_t k = 0; k < horizon; k++) {
        size_t n = x.need + k;
        for (size_t l = 0; l < LANES && x.cols > x.spec->n_lags; l++)
            fill(&x, l, n, past[l].start_s + (int64_t)(past[l].n + k) * 3600);
        (wide() ? value_wide : value_plain)(&x, n, v);
        for (size_t l = 0; l < LANES; l++) {
            if (!(fabs(v[l]) <= DBL_MAX)) /* an hour that cannot be read */
                return false;
            out[l][k] = linear_clip(m[l], v[l]);
            put(&x, l, n, features_transform(x.spec, out[l][k]));
        }
    }
    return true;
}
