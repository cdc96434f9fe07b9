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
#define LAST_HOUR_MS INT64_C(253402297200000) /* of the year 9999 */

/* The fields of a body, looked up once. NULL: absent. */
enum {
    SERIES,
    MODEL,
    VERSION,
    HORIZON,
    LEVEL,
    END,
    HISTORY,
    FEATURES,
    INSTANCES,
    N_FIELDS
};
static const char *const fields[N_FIELDS] = {"series",  "model",    "version",
                                             "horizon", "level",    "end",
                                             "history", "features", "instances"};

static int find_fields(const json_t *body, const json_t *f[N_FIELDS], struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)body, key, v)
    {
        size_t i = 0;
        while (i < N_FIELDS && strcmp(fields[i], key))
            i++;
        if (i == N_FIELDS)
            return err_set(
                e, ERR_INVALID,
                "field \"%.60s\" is not known; a body has series or model, version, "
                "level, and one of horizon, history (with end, horizon), features, "
                "instances",
                key);
        f[i] = v;
    }
    return 0;
}

static int read_name(struct ask *a, const json_t *const f[N_FIELDS], struct err *e)
{
    const char *name = NULL;
    if (f[SERIES] && f[MODEL])
        return err_set(e, ERR_INVALID, "give either \"series\" or \"model\", not both");
    if (json_get_string(a->body, f[MODEL] ? "model" : "series", &name, ASK_NAME_MAX, e))
        return -1;
    strcpy(a->name, name); /* its length was checked */
    return 0;
}

/* 24, or "24h". */
static int read_horizon(struct ask *a, const json_t *v, struct err *e)
{
    int64_t h = ASK_HORIZON_DEFAULT;
    char *end;
    if (json_is_string(v)) {
        const char *t = json_string_value(v);
        h = strtol(t, &end, 10);
        if (end == t || strcmp(end, "h") || h < 1 || h > HORIZON_MAX)
            return err_set(
                e, ERR_INVALID,
                "field \"horizon\" must be 1 to %d hours, such as 24 or \"24h\"",
                HORIZON_MAX);
    } else if (v && json_opt_int(a->body, "horizon", &h, 1, HORIZON_MAX, e)) {
        return -1;
    }
    a->horizon = (size_t)h;
    return 0;
}

static int read_form(struct ask *a, const json_t *const f[N_FIELDS], struct err *e)
{
    for (int i = HISTORY; i <= INSTANCES; i++) {
        if (!f[i])
            continue;
        if (a->given)
            return err_set(e, ERR_INVALID,
                           "give one of \"history\", \"features\" and \"instances\"");
        a->given = f[i];
        a->form = i == HISTORY    ? ASK_HISTORY
                  : i == FEATURES ? ASK_FEATURES
                                  : ASK_INSTANCES;
        if (i == FEATURES ? !json_is_object(f[i]) : !json_is_array(f[i]))
            return err_set(e, ERR_INVALID, "field \"%s\" must be %s", fields[i],
                           i == FEATURES ? "an object of numbers" : "an array");
    }
    return 0;
}

static bool is_row(const struct ask *a)
{
    return a->form == ASK_FEATURES || a->form == ASK_INSTANCES;
}

/* An hour, as far from the year 10000 as the hours that follow it take. */
static int check_end(const struct ask *a, struct err *e)
{
    char latest[CLOCK_RFC3339_SIZE];
    int64_t steps = is_row(a) ? 1 : (int64_t)a->horizon;
    int64_t latest_ms = LAST_HOUR_MS - steps * HOUR_MS;
    if (a->end_ms == NO_TIME)
        return 0;
    if (a->form == ASK_SERIES)
        return err_set(e, ERR_INVALID, "\"end\" belongs to \"history\" or \"features\"");
    if (a->end_ms % HOUR_MS)
        return err_set(
            e, ERR_INVALID,
            "\"end\" must be the start of an hour, such as 2026-11-20T10:00:00Z");
    if (a->end_ms < 0 || a->end_ms > latest_ms)
        return err_set(e, ERR_INVALID,
                       "\"end\" must be from 1970-01-01T00:00:00.000Z to %s: what is "
                       "forecast after it lies in the years up to 9999, too",
                       clock_format(latest_ms, latest));
    return 0;
}

static int check_form(const struct ask *a, bool horizon_given, struct err *e)
{
    size_t n = json_array_size(a->given);
    if (is_row(a) && horizon_given && a->horizon != 1)
        return err_set(e, ERR_INVALID,
                       "a row of features gives one step: leave \"horizon\" out, or send "
                       "\"history\" or \"series\"");
    if (a->form == ASK_HISTORY && (n < 1 || n > ASK_HISTORY_MAX))
        return err_set(e, ERR_INVALID, "\"history\" must have 1 to %d values, not %zu",
                       ASK_HISTORY_MAX, n);
    if (a->form == ASK_INSTANCES && (n < 1 || n > ASK_INSTANCES_MAX))
        return err_set(e, ERR_INVALID, "\"instances\" must have 1 to %d rows, not %zu",
                       ASK_INSTANCES_MAX, n);
    return check_end(a, e);
}

int ask_from_body(struct ask *a, const struct req *q, struct err *e)
{
    const json_t *f[N_FIELDS] = {NULL};
    int64_t version = 0;
    *a = (struct ask){.end_ms = NO_TIME};
    a->body = req_json_object(q, e);
    if (!a->body || find_fields(a->body, f, e) || read_name(a, f, e) ||
        read_horizon(a, f[HORIZON], e) || read_form(a, f, e))
        return -1;
    if ((f[LEVEL] &&
         json_opt_real(a->body, "level", &a->level, LEVEL_MIN, LEVEL_MAX, e)) ||
        (f[VERSION] && json_opt_int(a->body, "version", &version, 1, INT32_MAX, e)) ||
        (f[END] && json_opt_time(a->body, "end", &a->end_ms, e)))
        return -1;
    a->version = (int)version;
    return check_form(a, f[HORIZON] != NULL, e);
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
    if (strlen(series) > ASK_NAME_MAX)
        return err_set(e, ERR_INVALID, "parameter \"series\" may have at most %d bytes",
                       ASK_NAME_MAX);
    strcpy(a->name, series);
    if (req_query_int(q, "horizon", &horizon, 1, HORIZON_MAX, e) ||
        req_query_real(q, "level", &a->level, LEVEL_MIN, LEVEL_MAX, e) ||
        req_query_int(q, "version", &version, 1, INT32_MAX, e))
        return -1;
    a->horizon = (size_t)horizon;
    a->version = (int)version;
    return 0;
}

int ask_canonical(struct ask *a, struct err *e)
{
    char name[SERIES_MAX + 1], device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
    if (series_split(a->name, name, device, quantity, e))
        return -1;
    strcpy(a->name, name);
    return 0;
}

void ask_done(struct ask *a)
{
    json_decref(a->body);
    *a = (struct ask){0};
}

/* A finite number of sane size: NULL, or what is wrong with it. */
static const char *number(const json_t *v, double *out)
{
    if (!json_is_number(v))
        return "must be a number";
    *out = json_number_value(v);
    return fabs(*out) <= VALUE_MAX ? NULL : "is too large: 1e100 in size at the most";
}

int ask_history(const struct ask *a, double *y, size_t *n, struct err *e)
{
    const char *why;
    size_t i;
    json_t *v;
    *n = json_array_size(a->given);
    json_array_foreach(a->given, i, v)
    {
        if (json_is_null(v))
            y[i] = NAN;
        else if ((why = number(v, &y[i])))
            return err_set(e, ERR_INVALID, "\"history\" value %zu %s%s", i, why,
                           json_is_number(v) ? "" : " or null");
    }
    if (!isfinite(y[*n - 1]))
        return err_set(e, ERR_INVALID, "the last value of \"history\" must be a number");
    return 0;
}

static size_t index_of(const struct version *v, const char *name)
{
    size_t i = 0, n = features_of_history(&v->model->features);
    while (i < n && strcmp(v->names[i], name))
        i++;
    return i;
}

static int missing_feature(const struct version *v, const bool *seen, struct err *e)
{
    for (size_t i = 0; i < features_of_history(&v->model->features); i++)
        if (!seen[i])
            return err_set(e, ERR_INVALID,
                           "feature \"%s\" is missing: version %d reads %zu features",
                           v->names[i], v->number,
                           features_of_history(&v->model->features));
    return 0;
}

int ask_features(const json_t *o, const struct version *v, double *x, bool *missing,
                 struct err *e)
{
    bool seen[FEATURES_MAX] = {false};
    size_t n = features_of_history(&v->model->features), given = 0;
    const char *name, *why;
    json_t *value;
    if (!json_is_object(o))
        return err_set(e, ERR_INVALID, "a row of features must be an object of numbers");
    if (!v->model->algo->reads_lags)
        return err_set(e, ERR_INVALID,
                       "version %d is %s, which reads no features: send \"history\" or "
                       "\"series\"",
                       v->number, v->model->algo->name);
    json_object_foreach((json_t *)o, name, value)
    {
        size_t i = index_of(v, name);
        if (i == n)
            return err_set(e, ERR_INVALID,
                           "feature \"%.60s\" is not one that version %d reads", name,
                           v->number);
        if ((why = number(value, &x[i])))
            return err_set(e, ERR_INVALID, "feature \"%s\" %s%s", name, why,
                           json_is_null(value) ? ", not null" : "");
        seen[i] = true;
        given++;
    }
    *missing = given < n;
    return given < n ? missing_feature(v, seen, e) : 0;
}
