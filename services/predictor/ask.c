/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/ask.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"

#define LEVEL_MIN 0.01
#define LEVEL_MAX 0.9999
#define VALUE_MAX 1e100 /* in size; beyond it no sum of squares is safe */

static int set_name(struct ask *a, const char *text, struct err *e)
{
    char device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
    return series_split(text, a->name, device, quantity, e);
}

static int known_fields(const json_t *body, struct err *e)
{
    static const char *const fields[] = {"series", "model",    "version", "horizon", "level",
                                         "end",    "history", "features", "instances"};
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)body, key, v) {
        size_t i = 0, n = sizeof fields / sizeof *fields;
        while (i < n && strcmp(fields[i], key))
            i++;
        if (i == n)
            return err_set(e, ERR_INVALID,
                           "field \"%.60s\" is not known; a body has series or model, version, "
                           "level, and one of horizon, history (with end, horizon), features, "
                           "instances",
                           key);
    }
    return 0;
}

static int read_name(struct ask *a, const json_t *body, struct err *e)
{
    const char *series = NULL, *model = NULL;
    if (json_opt_string(body, "series", &series, SERIES_MAX + 1, e) ||
        json_opt_string(body, "model", &model, SERIES_MAX + 1, e))
        return -1;
    if (!series == !model)
        return err_set(e, ERR_INVALID,
                       model ? "give either \"series\" or \"model\", not both"
                             : "field \"series\" is missing: a string is expected");
    return set_name(a, series ? series : model, e);
}

/* 24, or "24h". */
static int read_horizon(struct ask *a, const json_t *body, struct err *e)
{
    const json_t *v = json_object_get(body, "horizon");
    int64_t h = ASK_HORIZON_DEFAULT;
    char *end;
    if (json_is_string(v)) {
        const char *t = json_string_value(v);
        h = strtol(t, &end, 10);
        if (end == t || strcmp(end, "h") || h < 1 || h > HORIZON_MAX)
            return err_set(e, ERR_INVALID,
                           "field \"horizon\" must be 1 to %d hours, such as 24 or \"24h\"",
                           HORIZON_MAX);
    } else if (json_opt_int(body, "horizon", &h, 1, HORIZON_MAX, e)) {
        return -1;
    }
    a->horizon = (size_t)h;
    return 0;
}

static int read_form(struct ask *a, const json_t *body, struct err *e)
{
    static const struct {
        const char *field;
        enum ask_form form;
    } forms[] = {{"history", ASK_HISTORY}, {"features", ASK_FEATURES},
                 {"instances", ASK_INSTANCES}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const json_t *v = json_object_get(body, forms[i].field);
        if (!v)
            continue;
        if (a->given)
            return err_set(e, ERR_INVALID,
                           "give one of \"history\", \"features\" and \"instances\"");
        a->given = v;
        a->form = forms[i].form;
        if (a->form == ASK_FEATURES ? !json_is_object(v) : !json_is_array(v))
            return err_set(e, ERR_INVALID, "field \"%s\" must be %s", forms[i].field,
                           a->form == ASK_FEATURES ? "an object of numbers" : "an array");
    }
    return 0;
}

static int check_form(const struct ask *a, struct err *e)
{
    size_t n = json_array_size(a->given);
    bool row = a->form == ASK_FEATURES || a->form == ASK_INSTANCES;
    if (row && json_object_get(a->body, "horizon") && a->horizon != 1)
        return err_set(e, ERR_INVALID,
                       "a row of features gives one step: leave \"horizon\" out, or send "
                       "\"history\" or \"series\"");
    if (a->form == ASK_SERIES && a->end_ms != NO_TIME)
        return err_set(e, ERR_INVALID, "\"end\" belongs to \"history\" or \"features\"");
    if (a->form == ASK_HISTORY && (n < 1 || n > ASK_HISTORY_MAX))
        return err_set(e, ERR_INVALID, "\"history\" must have 1 to %d values, not %zu",
                       ASK_HISTORY_MAX, n);
    if (a->form == ASK_INSTANCES && (n < 1 || n > ASK_INSTANCES_MAX))
        return err_set(e, ERR_INVALID, "\"instances\" must have 1 to %d rows, not %zu",
                       ASK_INSTANCES_MAX, n);
    if (a->end_ms != NO_TIME && a->end_ms % HOUR_MS)
        return err_set(e, ERR_INVALID,
                       "\"end\" must be the start of an hour, such as 2026-11-20T10:00:00Z");
    return 0;
}

int ask_from_body(struct ask *a, const struct req *q, struct err *e)
{
    int64_t version = 0;
    *a = (struct ask){.end_ms = NO_TIME};
    a->body = req_json_object(q, e);
    if (!a->body)
        return -1;
    if (known_fields(a->body, e) || read_name(a, a->body, e) ||
        read_horizon(a, a->body, e) || read_form(a, a->body, e) ||
        json_opt_real(a->body, "level", &a->level, LEVEL_MIN, LEVEL_MAX, e) ||
        json_opt_int(a->body, "version", &version, 1, INT32_MAX, e) ||
        json_opt_time(a->body, "end", &a->end_ms, e))
        return -1;
    a->version = (int)version;
    return check_form(a, e);
}

int ask_from_query(struct ask *a, const struct req *q, struct err *e)
{
    int64_t horizon = ASK_HORIZON_DEFAULT, version = 0;
    *a = (struct ask){.end_ms = NO_TIME};
    const char *series = req_query(q, "series");
    if (!series)
        series = req_query(q, "model");
    if (!series)
        return err_set(e, ERR_INVALID, "parameter \"series\" is missing");
    if (set_name(a, series, e) || req_query_int(q, "horizon", &horizon, 1, HORIZON_MAX, e) ||
        req_query_real(q, "level", &a->level, LEVEL_MIN, LEVEL_MAX, e) ||
        req_query_int(q, "version", &version, 1, INT32_MAX, e))
        return -1;
    a->horizon = (size_t)horizon;
    a->version = (int)version;
    return 0;
}

void ask_done(struct ask *a)
{
    json_decref(a->body);
    *a = (struct ask){0};
}

/* A finite number of sane size. */
static bool number(const json_t *v, double *out)
{
    if (!json_is_number(v))
        return false;
    *out = json_number_value(v);
    return fabs(*out) <= VALUE_MAX;
}

int ask_history(const struct ask *a, double *y, size_t *n, struct err *e)
{
    size_t i;
    json_t *v;
    *n = json_array_size(a->given);
    json_array_foreach(a->given, i, v) {
        if (json_is_null(v))
            y[i] = NAN;
        else if (!number(v, &y[i]))
            return err_set(e, ERR_INVALID, "\"history\" value %zu must be a number or null",
                           i);
    }
    if (!isfinite(y[*n - 1]))
        return err_set(e, ERR_INVALID, "the last value of \"history\" must be a number");
    return 0;
}

static size_t index_of(const struct version *v, const char *name)
{
    size_t i = 0, n = v->model->features.n_lags;
    while (i < n && strcmp(v->names[i], name))
        i++;
    return i;
}

static int missing_feature(const struct version *v, const bool *seen, struct err *e)
{
    for (size_t i = 0; i < v->model->features.n_lags; i++)
        if (!seen[i])
            return err_set(e, ERR_INVALID,
                           "feature \"%s\" is missing: version %d reads %zu features",
                           v->names[i], v->number, v->model->features.n_lags);
    return 0;
}

int ask_features(const json_t *o, const struct version *v, double *x, bool *missing,
                 struct err *e)
{
    bool seen[FEATURES_MAX] = {false};
    size_t n = v->model->features.n_lags, given = 0;
    const char *name;
    json_t *value;
    if (!json_is_object(o))
        return err_set(e, ERR_INVALID, "a row of features must be an object of numbers");
    if (!v->model->algo->reads_lags)
        return err_set(e, ERR_INVALID,
                       "version %d is %s, which reads no features: send \"history\" or "
                       "\"series\"",
                       v->number, v->model->algo->name);
    json_object_foreach((json_t *)o, name, value) {
        size_t i = index_of(v, name);
        if (i == n)
            return err_set(e, ERR_INVALID,
                           "feature \"%.60s\" is not one that version %d reads", name,
                           v->number);
        if (!number(value, &x[i]))
            return err_set(e, ERR_INVALID, "feature \"%s\" must be a number%s", name,
                           json_is_null(value) ? ", not null" : "");
        seen[i] = true;
        given++;
    }
    *missing = given < n;
    return given < n ? missing_feature(v, seen, e) : 0;
}
