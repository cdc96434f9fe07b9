/* SPDX-License-Identifier: GPL-3.0-or-later */
/* training: series that are made up, and their training. After cmocka.h. */
#ifndef FC_TESTS_TRAINING_H
#define FC_TESTS_TRAINING_H

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>

#include "common/ml/train.h"

#define T0 INT64_C(1790000000 / 3600 * 3600)

static const struct train_opts opts = {
    .series = "kitchen.temperature",
    .code = "0.1.0 test",
    .horizon = 48,
    .level = 0.95,
    .seed = 11,
};

/* level + day + week + an autoregressive noise, from a seeded generator. */
static inline struct hours made_series(size_t n, double level, double day, double week,
                                       double noise, double persist, unsigned long seed)
{
    struct hours h;
    double r = 0;
    gsl_rng *g = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(g, seed);
    assert_int_equal(hours_init(&h, T0, n, NULL), 0);
    for (size_t i = 0; i < n; i++) {
        r = persist * r + gsl_ran_gaussian(g, noise);
        double t = (double)i;
        h.y[i] =
            level + day * sin(2 * M_PI * t / 24) + week * cos(2 * M_PI * t / 168) + r;
    }
    gsl_rng_free(g);
    return h;
}

static inline struct train_result
trained(const struct hours *h, const struct model *champion, const struct train_opts *o)
{
    struct train_result r;
    struct err e = ERR_INIT;
    if (train_series(h, champion, o, &r, &e))
        fail_msg("%s", e.text);
    assert_non_null(r.model);
    assert_true(r.reason[0] && json_is_object(r.evidence) && json_is_object(r.metrics));
    /* whatever was trained can be stored and read back */
    size_t len;
    char *doc = model_document(r.model, &len);
    struct model *back = model_parse(doc, len, &e);
    if (!back)
        fail_msg("%s", e.text);
    model_free(back);
    free(doc);
    const char *key;
    json_t *v;
    json_object_foreach(r.metrics, key, v) assert_true(json_is_real(v));
    json_object_foreach(r.parameters, key, v) assert_true(json_is_string(v));
    return r;
}

static inline double metric(const struct train_result *r, const char *name)
{
    json_t *v = json_object_get(r->metrics, name);
    return json_is_real(v) ? json_real_value(v) : NAN;
}

static inline const char *candidate(const struct train_result *r)
{
    return json_string_value(json_object_get(r->parameters, "candidate"));
}

static inline void refuses(const struct hours *h, const struct train_opts *o,
                           const char *text, const char *slug)
{
    struct train_result r;
    struct err e = ERR_INIT;
    assert_int_equal(train_series(h, NULL, o, &r, &e), -1);
    assert_string_equal(e.text, text);
    assert_string_equal(err_slug(&e), slug);
    assert_null(r.model);
    train_result_done(&r);
}

#endif
