/* SPDX-License-Identifier: GPL-3.0-or-later */
/* features_json: a specification of features in the document of a model. */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/ml/features.h"

static json_t *exogenous_to_json(const struct feature_spec *s)
{
    json_t *all = json_array();
    for (size_t i = 0; i < s->n_exogenous; i++) {
        const struct exogenous *x = &s->exogenous[i];
        json_t *lags = json_array();
        for (size_t k = 0; k < x->n_lags; k++)
            json_array_append_new(lags, json_integer(x->lags[k]));
        json_array_append_new(all, json_pack("{s:s, s:o, s:f}", "series", x->series,
                                             "lags", lags, "mean", x->mean));
    }
    return all;
}

json_t *features_to_json(const struct feature_spec *s)
{
    json_t *lags = json_array(), *windows = json_array(), *calendar = json_array();
    char name[FEATURE_NAME_SIZE];
    for (size_t i = 0; i < s->n_lags; i++)
        json_array_append_new(lags, json_integer(s->lags[i]));
    for (size_t i = 0; i < s->n_windows; i++)
        json_array_append_new(windows,
                              json_string(features_name(s, s->n_lags + i, name)));
    if (s->calendar & CALENDAR_HOUR)
        json_array_append_new(calendar, json_string("hour"));
    if (s->calendar & CALENDAR_WEEK)
        json_array_append_new(calendar, json_string("week"));
    json_t *j = json_pack("{s:o}", "lags", lags);
    if (s->n_windows)
        json_object_set(j, "windows", windows);
    json_decref(windows);
    json_object_set_new(j, "calendar", calendar);
    json_object_set_new(j, "exogenous", exogenous_to_json(s));
    json_object_set_new(j, "transform",
                        json_string(s->transform == TRANSFORM_LOG ? "log" : "none"));
    return j;
}

static int list(const json_t *a, const char *path, size_t most, struct err *e)
{
    if (!json_is_array(a))
        return err_set(e, ERR_INVALID, "field \"%s\" must be an array", path);
    if (json_array_size(a) > most)
        return err_set(e, ERR_INVALID, "field \"%s\" has more than %zu entries", path,
                       most);
    return 0;
}

/* path: for the message. */
static int lags_from_json(const json_t *lags, const char *path, int farthest, int *out,
                          size_t most, size_t *n, struct err *e)
{
    size_t i;
    json_t *v;
    if (list(lags, path, most, e))
        return -1;
    json_array_foreach(lags, i, v)
    {
        json_int_t lag = json_is_integer(v) ? json_integer_value(v) : 0;
        if (lag < 1 || lag > farthest)
            return err_set(e, ERR_INVALID,
                           "field \"%s[%zu]\" must be an integer from 1 to %d", path, i,
                           farthest);
        for (size_t k = 0; k < i; k++)
            if (out[k] == lag)
                return err_set(e, ERR_INVALID, "field \"%s[%zu]\" repeats lag %d", path,
                               i, (int)lag);
        out[i] = (int)lag;
        *n = i + 1;
    }
    return 0;
}

/* "mean_24" */
static bool window_from_text(struct window *w, const char *text)
{
    const char *bar = text ? strchr(text, '_') : NULL;
    char *end;
    for (int k = 0; bar && k < N_STATS; k++) {
        if (strncmp(features_stats[k], text, (size_t)(bar - text)) ||
            features_stats[k][bar - text])
            continue;
        long hours = strtol(bar + 1, &end, 10);
        *w = (struct window){(enum statistic)k, (int)hours};
        return bar[1] >= '1' && bar[1] <= '9' && !*end && hours >= 2 && hours <= LAG_MAX;
    }
    return false;
}

static int windows_from_json(struct feature_spec *s, const json_t *windows, struct err *e)
{
    size_t i;
    json_t *v;
    if (!windows)
        return 0;
    if (list(windows, "features.windows", WINDOWS_MAX, e))
        return -1;
    json_array_foreach(windows, i, v)
    {
        if (!window_from_text(&s->windows[i], json_string_value(v)))
            return err_set(
                e, ERR_INVALID,
                "field \"features.windows[%zu]\" must be mean_N, std_N, min_N, "
                "max_N, slope_N or diff_N with N from 2 to %d",
                i, LAG_MAX);
        for (size_t k = 0; k < i; k++)
            if (!memcmp(&s->windows[k], &s->windows[i], sizeof s->windows[i]))
                return err_set(e, ERR_INVALID,
                               "field \"features.windows[%zu]\" repeats %s", i,
                               json_string_value(v));
        s->n_windows = i + 1;
    }
    return 0;
}

static int calendar_from_json(struct feature_spec *s, const json_t *calendar,
                              struct err *e)
{
    size_t i;
    json_t *v;
    if (!calendar)
        return 0;
    if (list(calendar, "features.calendar", 2, e))
        return -1;
    json_array_foreach(calendar, i, v)
    {
        const char *text = json_is_string(v) ? json_string_value(v) : "";
        unsigned bit = !strcmp(text, "hour")   ? CALENDAR_HOUR
                       : !strcmp(text, "week") ? CALENDAR_WEEK
                                               : 0;
        if (!bit || s->calendar & bit)
            return err_set(e, ERR_INVALID,
                           "field \"features.calendar[%zu]\" must be \"hour\" or "
                           "\"week\", each once",
                           i);
        s->calendar |= bit;
    }
    return 0;
}

static int one_exogenous(struct exogenous *x, const json_t *j, size_t i, struct err *e)
{
    char path[48];
    const char *series;
    snprintf(path, sizeof path, "features.exogenous[%zu]", i);
    if (!json_is_object(j))
        return err_set(e, ERR_INVALID, "field \"%s\" must be an object", path);
    if (json_get_string(j, "series", &series, OTHERS_NAME_SIZE - 1, e) ||
        json_get_real(j, "mean", &x->mean, -DBL_MAX, DBL_MAX, e) ||
        lags_from_json(json_object_get(j, "lags"), "lags", OTHERS_LAG_MAX, x->lags,
                       EXOGENOUS_LAGS_MAX, &x->n_lags, e))
        return err_prefix(e, "%s", path);
    if (!x->n_lags || json_object_size(j) != 3)
        return err_set(e, ERR_INVALID,
                       "field \"%s\" must have a series, at least one lag and a mean",
                       path);
    snprintf(x->series, sizeof x->series, "%s", series);
    for (const struct exogenous *before = x - i; before < x; before++)
        if (!strcmp(before->series, series))
            return err_set(e, ERR_INVALID, "field \"%s\" repeats the series %.80s", path,
                           series);
    return 0;
}

static int exogenous_from_json(struct feature_spec *s, const json_t *all, struct err *e)
{
    size_t i;
    json_t *v;
    if (all && list(all, "features.exogenous", OTHERS_MAX, e))
        return -1;
    if (!json_array_size(all))
        return 0;
    s->exogenous = xcalloc(json_array_size(all), sizeof *s->exogenous);
    json_array_foreach(all, i, v)
    {
        if (one_exogenous(&s->exogenous[i], v, i, e)) {
            free(s->exogenous);
            s->exogenous = NULL;
            return -1;
        }
    }
    s->n_exogenous = json_array_size(all);
    return 0;
}

int features_from_json(struct feature_spec *s, const json_t *j, struct err *e)
{
    static const char *const known[] = {"lags", "windows", "calendar", "exogenous",
                                        "transform"};
    *s = (struct feature_spec){0};
    if (!json_is_object(j))
        return err_set(e, ERR_INVALID, "field \"features\" must be an object");
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)j, key, v)
    {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(known[i], key))
            i++;
        if (i == sizeof known / sizeof *known)
            return err_set(e, ERR_INVALID, "field \"features.%.40s\" is not known", key);
    }
    const char *transform = json_string_value(json_object_get(j, "transform"));
    if (transform && !strcmp(transform, "log"))
        s->transform = TRANSFORM_LOG;
    else if (!transform || strcmp(transform, "none"))
        return err_set(e, ERR_INVALID,
                       "field \"features.transform\" must be \"none\" or \"log\"");
    if (lags_from_json(json_object_get(j, "lags"), "features.lags", LAG_MAX, s->lags,
                       FEATURES_MAX, &s->n_lags, e) ||
        windows_from_json(s, json_object_get(j, "windows"), e) ||
        calendar_from_json(s, json_object_get(j, "calendar"), e) ||
        exogenous_from_json(s, json_object_get(j, "exogenous"), e))
        return -1;
    if (features_columns(s) > FEATURES_MAX)
        return err_set(e, ERR_INVALID, "field \"features\" has %zu columns, at most %d",
                       features_columns(s), FEATURES_MAX);
    return 0;
}
