/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/features.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

int features_max_lag(const struct feature_spec *s)
{
    int max = 0;
    for (size_t i = 0; i < s->n_lags; i++)
        if (s->lags[i] > max)
            max = s->lags[i];
    return max;
}

const char *features_name(const struct feature_spec *s, size_t i, char buf[16])
{
    snprintf(buf, 16, "lag_%d", i < s->n_lags ? s->lags[i] : 0);
    return buf;
}

double features_transform(const struct feature_spec *s, double value)
{
    if (s->transform == TRANSFORM_LOG)
        return value > 0 ? log(value) : NAN;
    return value;
}

double features_inverse(const struct feature_spec *s, double value)
{
    return s->transform == TRANSFORM_LOG ? exp(value) : value;
}

int features_row(const struct feature_spec *s, const double *y, size_t n, double *out)
{
    for (size_t i = 0; i < s->n_lags; i++) {
        size_t lag = (size_t)s->lags[i];
        if (lag > n)
            return -1;
        out[i] = features_transform(s, y[n - lag]);
        if (!isfinite(out[i]))
            return -1;
    }
    return 0;
}

/* As many calls of features_row(), but each hour is transformed once and not once a row.
 */
size_t features_rows(const struct feature_spec *s, const struct hours *h, double **x,
                     double **target)
{
    size_t first = (size_t)features_max_lag(s), rows = 0, p = s->n_lags;
    size_t most = h->n > first ? h->n - first : 0;
    *x = xmalloc((most * p + 1) * sizeof **x);
    *target = xmalloc((most + 1) * sizeof **target);
    double *z = xmalloc((h->n + 1) * sizeof *z);
    for (size_t t = 0; t < h->n; t++)
        z[t] = features_transform(s, h->y[t]);
    struct feature_spec lags = *s;
    lags.transform = TRANSFORM_NONE;
    for (size_t t = first; t < h->n; t++)
        if (isfinite(z[t]) && !features_row(&lags, z, t, *x + rows * p))
            (*target)[rows++] = z[t];
    free(z);
    return rows;
}

json_t *features_to_json(const struct feature_spec *s)
{
    json_t *lags = json_array();
    for (size_t i = 0; i < s->n_lags; i++)
        json_array_append_new(lags, json_integer(s->lags[i]));
    return json_pack("{s:o, s:[], s:[], s:s}", "lags", lags, "calendar", "exogenous",
                     "transform", s->transform == TRANSFORM_LOG ? "log" : "none");
}

static int lags_from_json(struct feature_spec *s, const json_t *lags, struct err *e)
{
    if (!json_is_array(lags))
        return err_set(e, ERR_INVALID, "field \"features.lags\" must be an array");
    if (json_array_size(lags) > FEATURES_MAX)
        return err_set(e, ERR_INVALID, "field \"features.lags\" has more than %d entries",
                       FEATURES_MAX);
    size_t i;
    json_t *v;
    json_array_foreach(lags, i, v)
    {
        json_int_t lag = json_is_integer(v) ? json_integer_value(v) : 0;
        if (lag < 1 || lag > LAG_MAX)
            return err_set(e, ERR_INVALID,
                           "field \"features.lags[%zu]\" must be an integer from 1 to %d",
                           i, LAG_MAX);
        for (size_t k = 0; k < i; k++)
            if (s->lags[k] == lag)
                return err_set(e, ERR_INVALID,
                               "field \"features.lags[%zu]\" repeats lag %d", i,
                               (int)lag);
        s->lags[i] = (int)lag;
        s->n_lags = i + 1;
    }
    return 0;
}

int features_from_json(struct feature_spec *s, const json_t *j, struct err *e)
{
    *s = (struct feature_spec){0};
    if (!json_is_object(j))
        return err_set(e, ERR_INVALID, "field \"features\" must be an object");
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)j, key, v)
    {
        bool other = !strcmp(key, "calendar") || !strcmp(key, "exogenous");
        if (other && (!json_is_array(v) || json_array_size(v)))
            return err_set(e, ERR_INVALID,
                           "field \"features.%s\" must be an empty array in this version",
                           key);
        if (!other && strcmp(key, "lags") && strcmp(key, "transform"))
            return err_set(e, ERR_INVALID, "field \"features.%.40s\" is not known", key);
    }
    const char *transform = json_string_value(json_object_get(j, "transform"));
    if (transform && !strcmp(transform, "log"))
        s->transform = TRANSFORM_LOG;
    else if (!transform || strcmp(transform, "none"))
        return err_set(e, ERR_INVALID,
                       "field \"features.transform\" must be \"none\" or \"log\"");
    return lags_from_json(s, json_object_get(j, "lags"), e);
}
