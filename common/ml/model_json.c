/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_json: the document of a model, written (docs/contracts.md, section 8); read in
 * model_read.c. */
#include "common/ml/model.h"

#include <time.h>

#include "common/buf.h"
#include "common/json.h"

static json_t *time_text(int64_t t_s)
{
    time_t t = (time_t)t_s;
    struct tm tm = {0};
    char s[64];
    gmtime_r(&t, &tm);
    strftime(s, sizeof s, "%Y-%m-%dT%H:%M:%S.000Z", &tm);
    return json_string(s);
}

static json_t *params_json(const struct model *m)
{
    json_t *o = json_object();
    for (size_t i = 0; i < m->algo->n_params; i++)
        json_object_set_new(o, m->algo->params[i].name, json_real(m->params[i]));
    return o;
}

static json_t *training_json(const struct model *m)
{
    json_t *j = json_pack(
        "{s:o, s:o, s:I, s:s, s:s, s:I, s:s}", "from", time_text(m->training.from_s),
        "to", time_text(m->training.to_s), "rows", (json_int_t)m->training.rows, "sha256",
        m->training.sha256, "preset", m->training.preset, "seed",
        (json_int_t)(m->training.seed & INT64_MAX), "code", m->training.code);
    if (m->training.zone)
        json_object_set_new(j, "zone", zone_to_json(m->training.zone));
    json_t *beside = json_array();
    for (size_t i = 0; i < m->training.n_beside; i++)
        json_array_append_new(beside, json_string(m->training.beside[i]));
    if (m->training.n_beside)
        json_object_set(j, "beside", beside);
    json_decref(beside);
    return j;
}

/* Reals with 17 digits, whatever they are; all else as json_write() has it. */
static void write_exact(struct buf *b, const json_t *j)
{
    const char *key;
    json_t *v;
    size_t i;
    if (json_is_object(j)) {
        const char *sep = "{";
        json_object_foreach((json_t *)j, key, v)
        {
            buf_adds(b, sep);
            buf_add_json_string(b, key);
            buf_addc(b, ':');
            write_exact(b, v);
            sep = ",";
        }
        buf_adds(b, *sep == '{' ? "{}" : "}");
    } else if (json_is_array(j)) {
        buf_addc(b, '[');
        json_array_foreach(j, i, v)
        {
            if (i)
                buf_addc(b, ',');
            write_exact(b, v);
        }
        buf_addc(b, ']');
    } else if (json_is_real(j)) {
        /* -0 would be read as the whole number 0 */
        buf_addf(b, "%.17g", json_real_value(j) + 0.0);
    } else {
        json_write(b, j);
    }
}

json_t *model_parts(const struct model *m)
{
    size_t columns = m->mean ? features_columns(&m->features) : 0;
    return json_pack("{s:s, s:o, s:o, s:{s:o, s:o}, s:o}", "algorithm", m->algo->name,
                     "parameters", params_json(m), "features",
                     features_to_json(&m->features), "scaling", "mean",
                     json_reals(m->mean, columns), "std", json_reals(m->std, columns),
                     "state", m->algo->save(m));
}

char *model_document(const struct model *m, size_t *len)
{
    json_t *doc = json_pack("{s:i, s:s}", "fieldcast_model", 1, "series", m->series);
    json_t *parts = model_parts(m);
    json_t *rest = json_pack(
        "{s:{s:f, s:o, s:o}, s:{s:o, s:{s:o}}, s:o, s:O}", "intervals", "level", m->level,
        "lower", json_reals(m->lower, m->n_leads), "upper",
        json_reals(m->upper, m->n_leads), "baseline", "quantiles",
        json_reals(m->quantiles, m->n_quantiles), "error", "lead1_sd",
        json_number(m->lead1_sd), "training", training_json(m), "metrics", m->metrics);
    json_object_update(doc, parts);
    json_object_update(doc, rest);
    struct buf b;
    buf_init(&b, MODEL_DOC_MAX);
    write_exact(&b, doc);
    json_decref(rest);
    json_decref(parts);
    json_decref(doc);
    return buf_take(&b, len);
}
