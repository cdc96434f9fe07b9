/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_read: the document of a model, read (docs/contracts.md, section 8). What is wrong
 * with one is told by the name of its field. */
#include "common/ml/model.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/ml/model_check.h"

static const char *const keys[] = {
    "fieldcast_model", "series",    "algorithm", "parameters", "features", "scaling",
    "state",           "intervals", "baseline",  "training",   "metrics"};
#define N_KEYS (sizeof keys / sizeof *keys)

static const char *const training_keys[] = {"from", "to",   "rows", "sha256", "preset",
                                            "seed", "code", "zone", "beside"};
#define N_TRAINING_KEYS (sizeof training_keys / sizeof *training_keys)

/* path: for the message. */
static int only_known_keys(const json_t *o, const char *const *known, size_t n,
                           const char *path, struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)o, key, v)
    {
        size_t i = 0;
        while (i < n && strcmp(known[i], key))
            i++;
        if (i == n)
            return err_set(e, ERR_INVALID, "field \"%s%.80s\" is not known", path, key);
    }
    return 0;
}

static const json_t *object(const json_t *o, const char *key, const char *path,
                            struct err *e)
{
    const json_t *v = json_object_get(o, key);
    if (json_is_object(v))
        return v;
    err_set(e, ERR_INVALID, "field \"%s\" must be an object", path);
    return NULL;
}

/* o[key] as an array of n numbers, or of any length up to max when *n is max + 1. Owned.
 */
static int read_reals(const json_t *o, const char *key, const char *path, size_t *n,
                      size_t max, double **out, struct err *e)
{
    const json_t *a = json_object_get(o, key);
    size_t size = json_array_size(a), i;
    json_t *v;
    if (!json_is_array(a))
        return err_set(e, ERR_INVALID, "field \"%s\" must be an array of numbers", path);
    if (*n > max ? size > max : size != *n)
        return err_set(e, ERR_INVALID, "field \"%s\" has %zu numbers, %s%zu expected",
                       path, size, *n > max ? "at most " : "", *n > max ? max : *n);
    *n = size;
    if (!size)
        return 0;
    *out = xmalloc(size * sizeof **out);
    json_array_foreach(a, i, v)
    {
        if (!json_is_number(v) || !isfinite(json_number_value(v)))
            return err_set(e, ERR_INVALID, "field \"%s[%zu]\" must be a finite number",
                           path, i);
        (*out)[i] = json_number_value(v);
    }
    return 0;
}

static int read_params(struct model *m, const json_t *doc, struct err *e)
{
    const json_t *o = object(doc, "parameters", "parameters", e);
    if (!o)
        return -1;
    for (size_t i = 0; i < m->algo->n_params; i++) {
        const struct algo_param *p = &m->algo->params[i];
        if (json_get_real(o, p->name, &m->params[i], p->min, p->max, e))
            return err_prefix(e, "parameters");
    }
    if (json_object_size(o) != m->algo->n_params)
        return err_set(e, ERR_INVALID,
                       "field \"parameters\" must hold exactly the %zu that %s has",
                       m->algo->n_params, m->algo->name);
    return 0;
}

static int read_features(struct model *m, const json_t *doc, struct err *e)
{
    if (features_from_json(&m->features, json_object_get(doc, "features"), e))
        return -1;
    if (m->features.n_exogenous && !m->algo->reads_others)
        return err_set(e, ERR_INVALID,
                       "field \"features.exogenous\" must be empty for %s",
                       m->algo->name);
    if (features_columns(&m->features) && !m->algo->reads_lags)
        return err_set(e, ERR_INVALID, "field \"features\" must be empty for %s",
                       m->algo->name);
    if (m->features.transform && !m->algo->reads_lags)
        return err_set(e, ERR_INVALID,
                       "field \"features.transform\" must be \"none\" for %s",
                       m->algo->name);
    return 0;
}

static int read_scaling(struct model *m, const json_t *doc, struct err *e)
{
    const json_t *o = object(doc, "scaling", "scaling", e);
    size_t n = m->algo->scales ? features_columns(&m->features) : 0;
    if (!o || read_reals(o, "mean", "scaling.mean", &n, FEATURES_MAX, &m->mean, e) ||
        read_reals(o, "std", "scaling.std", &n, FEATURES_MAX, &m->std, e))
        return -1;
    for (size_t i = 0; i < n; i++)
        if (m->std[i] <= 0)
            return err_set(e, ERR_INVALID, "field \"scaling.std[%zu]\" must be above 0",
                           i);
    return 0;
}

static int read_intervals(struct model *m, const json_t *doc, struct err *e)
{
    const json_t *o = object(doc, "intervals", "intervals", e);
    size_t n = HORIZON_MAX + 1;
    if (!o)
        return -1;
    if (json_get_real(o, "level", &m->level, 0.01, 0.9999, e))
        return err_prefix(e, "intervals");
    if (read_reals(o, "lower", "intervals.lower", &n, HORIZON_MAX, &m->lower, e) ||
        read_reals(o, "upper", "intervals.upper", &n, HORIZON_MAX, &m->upper, e))
        return -1;
    m->n_leads = n;
    for (size_t i = 0; i < n; i++)
        if (m->lower[i] > 0 || m->upper[i] < 0)
            return err_set(e, ERR_INVALID, "field \"intervals.%s[%zu]\" must not be %s 0",
                           m->lower[i] > 0 ? "lower" : "upper", i,
                           m->lower[i] > 0 ? "above" : "below");
    return 0;
}

static int read_baseline(struct model *m, const json_t *doc, struct err *e)
{
    const json_t *o = object(doc, "baseline", "baseline", e);
    const json_t *error = o ? object(o, "error", "baseline.error", e) : NULL;
    m->n_quantiles = MODEL_QUANTILES_MAX + 1;
    if (!error || read_reals(o, "quantiles", "baseline.quantiles", &m->n_quantiles,
                             MODEL_QUANTILES_MAX, &m->quantiles, e))
        return -1;
    for (size_t i = 1; i < m->n_quantiles; i++)
        if (m->quantiles[i] < m->quantiles[i - 1])
            return err_set(
                e, ERR_INVALID,
                "field \"baseline.quantiles[%zu]\" must not be below the one before", i);
    if (json_opt_real(error, "lead1_sd", &m->lead1_sd, 0, DBL_MAX, e))
        return err_prefix(e, "baseline.error");
    return 0;
}

static int read_time(const json_t *o, const char *key, int64_t *t_s, struct err *e)
{
    const char *s;
    if (json_get_string(o, key, &s, 40, e))
        return err_prefix(e, "training");
    struct tm tm = {0}, same;
    const char *end = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
    same = tm;
    *t_s = timegm(&same); /* of the 31st of February it makes one of March */
    if (!end || strcmp(end, ".000Z") || end - s != 19 || same.tm_mday != tm.tm_mday ||
        *t_s < 0)
        return err_set(e, ERR_INVALID,
                       "field \"training.%s\" must be a time like "
                       "\"2026-11-20T10:00:00.000Z\"",
                       key);
    return 0;
}

static int read_copy(const json_t *o, const char *key, char *out, size_t size,
                     struct err *e)
{
    const char *s;
    if (json_get_string(o, key, &s, size - 1, e))
        return err_prefix(e, "training");
    strcpy(out, s); /* its length was checked */
    return 0;
}

static int read_beside(struct model *m, const json_t *names, struct err *e)
{
    size_t i, n = json_array_size(names);
    json_t *v;
    if (!names)
        return 0;
    if (!json_is_array(names) || !n || n > OTHERS_MAX)
        return err_set(e, ERR_INVALID,
                       "field \"training.beside\" must be an array of 1 to %d names",
                       OTHERS_MAX);
    m->training.beside = xcalloc(n, sizeof *m->training.beside);
    json_array_foreach(names, i, v)
    {
        if (!json_is_string(v) || json_string_length(v) >= OTHERS_NAME_SIZE)
            return err_set(e, ERR_INVALID,
                           "field \"training.beside[%zu]\" must be the name of a series",
                           i);
        strcpy(m->training.beside[i], json_string_value(v)); /* its length was checked */
        m->training.n_beside = i + 1;
    }
    return 0;
}

static int read_zone(struct model *m, const json_t *j, struct err *e)
{
    struct zone *z = j ? zone_from_json(j, e) : NULL;
    if (j && !z)
        return err_prefix(e, "training");
    model_set_zone(m, z);
    return 0;
}

static int read_training(struct model *m, const json_t *doc, struct err *e)
{
    const json_t *o = object(doc, "training", "training", e);
    int64_t rows, seed;
    if (!o || only_known_keys(o, training_keys, N_TRAINING_KEYS, "training.", e) ||
        read_time(o, "from", &m->training.from_s, e) ||
        read_time(o, "to", &m->training.to_s, e))
        return -1;
    if (json_get_int(o, "rows", &rows, 0, HOURS_MAX, e) ||
        json_get_int(o, "seed", &seed, 0, INT64_MAX, e))
        return err_prefix(e, "training");
    m->training.rows = (size_t)rows;
    m->training.seed = (uint64_t)seed;
    if (read_copy(o, "sha256", m->training.sha256, sizeof m->training.sha256, e) ||
        read_copy(o, "preset", m->training.preset, sizeof m->training.preset, e) ||
        read_copy(o, "code", m->training.code, sizeof m->training.code, e) ||
        read_zone(m, json_object_get(o, "zone"), e) ||
        read_beside(m, json_object_get(o, "beside"), e))
        return -1;
    size_t hex = strspn(m->training.sha256, "0123456789abcdef");
    if (m->training.sha256[hex] || (hex && hex != SHA256_HEX_SIZE - 1))
        return err_set(e, ERR_INVALID,
                       "field \"training.sha256\" must be 64 lower-case hex digits");
    return 0;
}

static int read_metrics(struct model *m, const json_t *doc, struct err *e)
{
    const json_t *o = object(doc, "metrics", "metrics", e);
    const char *key;
    json_t *v;
    if (!o)
        return -1;
    json_object_foreach((json_t *)o, key, v)
    {
        if (!json_is_number(v) && !json_is_null(v))
            return err_set(e, ERR_INVALID,
                           "field \"metrics.%.80s\" must be a number or null", key);
        json_object_set_new(m->metrics, key,
                            json_number(json_is_null(v) ? NAN : json_number_value(v)));
    }
    return 0;
}

struct model *model_from_parts(const json_t *parts, const char *series, struct err *e)
{
    const char *name;
    if (json_get_string(parts, "algorithm", &name, 64, e))
        return NULL;
    const struct algo *a = algo_find(name);
    if (!a) {
        err_set(e, ERR_INVALID, "field \"algorithm\" names \"%s\", which is not known",
                name);
        return NULL;
    }
    struct model *m = model_new(a, series);
    const json_t *state;
    if (read_params(m, parts, e) || read_features(m, parts, e) ||
        read_scaling(m, parts, e) || !(state = object(parts, "state", "state", e)) ||
        a->load(m, state, e)) {
        model_free(m);
        return NULL;
    }
    return m;
}

static struct model *read_model(const json_t *doc, struct err *e)
{
    const json_t *version = json_object_get(doc, "fieldcast_model");
    const char *series;
    if (!json_is_integer(version) || json_integer_value(version) != 1) {
        err_set(e, ERR_INVALID,
                "field \"fieldcast_model\" must be 1, the only version this build reads");
        return NULL;
    }
    if (only_known_keys(doc, keys, N_KEYS, "", e) ||
        json_get_string(doc, "series", &series, sizeof((struct model *)0)->series - 1, e))
        return NULL;
    struct model *m = model_from_parts(doc, series, e);
    if (m && (read_intervals(m, doc, e) || read_baseline(m, doc, e) ||
              read_training(m, doc, e) || read_metrics(m, doc, e) || model_check(m, e))) {
        model_free(m);
        m = NULL;
    }
    return m;
}

struct model *model_parse(const char *text, size_t len, struct err *e)
{
    if (len > MODEL_DOC_MAX) {
        err_set(e, ERR_TOO_LARGE, "the model document has %zu bytes, at most %d are read",
                len, MODEL_DOC_MAX);
        return NULL;
    }
    json_t *doc = json_parse(text, len, "the model document", e);
    struct model *m = NULL;
    if (!doc)
        return NULL;
    if (json_is_object(doc))
        m = read_model(doc, e);
    else
        err_set(e, ERR_INVALID, "the model document must be an object");
    json_decref(doc);
    return m;
}
