/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/rules.h"

#include <string.h>

#include "common/json.h"
#include "common/ml/others.h"
#include "common/ml/zone.h"
#include "common/reading.h"
#include "services/monitor/checks.h"

void rules_default(struct rules *r, const char *quantity, double cooldown_h, int per_day)
{
    const struct quantity *q = quantity_find(quantity);
    /* what is said in levels rests at one of them for days */
    bool levels = q && !strcmp(q->unit, "level");
    *r = (struct rules){
        .forecast = q && q->forecast,
        .skill_min = 0,
        .error_factor = 3,
        .cooldown_h = cooldown_h,
        .per_day = per_day,
        .gap_h = 3,
        .stuck_h = levels ? 0 : 12,
        .mae_12h = 0.6,
        .ewma = 0.7,
        .z = 3,
    };
}

static int only_known(const json_t *o, const char *const *known, struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)o, key, v)
    {
        const char *const *k = known;
        while (*k && strcmp(*k, key) != 0)
            k++;
        if (!*k)
            return err_set(e, ERR_INVALID, "field \"%.60s\" is not a setting of a series",
                           key);
    }
    return 0;
}

static int opt_bool(const json_t *o, const char *key, bool *out, struct err *e)
{
    const json_t *v = json_object_get(o, key);
    if (v && !json_is_null(v)) {
        if (!json_is_boolean(v))
            return err_set(e, ERR_INVALID, "field \"%s\" must be true or false", key);
        *out = json_is_true(v);
    }
    return 0;
}

static int apply_preset(struct rules *r, const char *quantity, const json_t *settings,
                        struct err *e)
{
    const char *preset = NULL;
    if (json_opt_string(settings, "preset", &preset, 32, e))
        return -1;
    if (!preset)
        return 0;
    const struct quantity *q = quantity_find(quantity);
    if (strcmp(preset, "system0") != 0)
        return err_set(e, ERR_INVALID,
                       "field \"preset\" must be \"system0\" or null, not \"%s\"",
                       preset);
    if (!q || strcmp(q->stem, "temperature") != 0)
        return err_set(e, ERR_INVALID,
                       "the preset \"system0\" is for temperature; its thresholds are in "
                       "degrees Celsius and mean nothing for %.64s",
                       quantity);
    r->system0 = true;
    return 0;
}

static int apply_thresholds(struct rules *r, const json_t *settings, struct err *e)
{
    static const char *const known[] = {"mae_12h", "ewma", "z", NULL};
    const json_t *t = json_object_get(settings, "thresholds");
    if (!t || json_is_null(t))
        return 0;
    if (!json_is_object(t))
        return err_set(e, ERR_INVALID, "field \"thresholds\" must be an object");
    if (only_known(t, known, e) ||
        json_opt_real(t, "mae_12h", &r->mae_12h, 1e-6, 1e6, e) ||
        json_opt_real(t, "ewma", &r->ewma, 1e-6, 1e6, e) ||
        json_opt_real(t, "z", &r->z, 0.1, 100, e))
        return err_prefix(e, "thresholds");
    return 0;
}

/* Names of series; that they are there is not asked: they may come. */
static int check_exogenous(const json_t *settings, struct err *e)
{
    const json_t *names = json_object_get(settings, "exogenous");
    char device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1], canonical[SERIES_MAX + 1];
    size_t i;
    json_t *v;
    if (!names || json_is_null(names))
        return 0;
    if (!json_is_array(names) || json_array_size(names) > OTHERS_MAX)
        return err_set(e, ERR_INVALID,
                       "field \"exogenous\" must be an array of at most %d series",
                       OTHERS_MAX);
    json_array_foreach(names, i, v)
    {
        const char *name = json_string_value(v);
        if (!name || series_split(name, canonical, device, quantity, NULL) ||
            strcmp(name, canonical))
            return err_set(e, ERR_INVALID,
                           "field \"exogenous[%zu]\" must be the name of a series, like "
                           "\"garden.temperature\"",
                           i);
    }
    return 0;
}

int rules_apply(struct rules *r, const char *quantity, const json_t *settings,
                struct err *e)
{
    static const char *const known[] = {
        "forecast", "preset",  "skill_min",  "error_factor", "gap_h", "cooldown_h",
        "per_day",  "stuck_h", "thresholds", "exogenous",    "tz",    NULL};
    const char *tz = NULL; /* whether it is one is for Postgres to say */
    int64_t per_day = r->per_day, gap = r->gap_h, stuck = r->stuck_h;
    if (!json_is_object(settings))
        return err_set(e, ERR_INVALID, "the settings of a series must be a JSON object");
    if (only_known(settings, known, e) ||
        opt_bool(settings, "forecast", &r->forecast, e) ||
        apply_preset(r, quantity, settings, e) || apply_thresholds(r, settings, e) ||
        check_exogenous(settings, e) ||
        json_opt_string(settings, "tz", &tz, ZONE_NAME_SIZE - 1, e) ||
        json_opt_real(settings, "skill_min", &r->skill_min, -100, 0.99, e) ||
        json_opt_real(settings, "error_factor", &r->error_factor, 1, 1000, e) ||
        json_opt_real(settings, "cooldown_h", &r->cooldown_h, 0, 720, e) ||
        json_opt_int(settings, "per_day", &per_day, 0, 100, e) ||
        json_opt_int(settings, "gap_h", &gap, 1, 720, e) ||
        json_opt_int(settings, "stuck_h", &stuck, 0, WINDOW_HOURS - 12, e))
        return -1;
    if (stuck && stuck < 3)
        return err_set(e, ERR_INVALID,
                       "field \"stuck_h\" must be 0 (never) or from 3 to %d",
                       WINDOW_HOURS - 12);
    r->per_day = (int)per_day;
    r->gap_h = (int)gap;
    r->stuck_h = (int)stuck;
    return 0;
}

json_t *rules_json(const struct rules *r)
{
    json_t *j = json_object();
    json_object_set_new(j, "forecast", json_boolean(r->forecast));
    json_object_set_new(j, "preset", json_text(r->system0 ? "system0" : NULL));
    json_object_set_new(j, "skill_min", json_number(r->skill_min));
    json_object_set_new(j, "error_factor", json_number(r->error_factor));
    json_object_set_new(j, "cooldown_h", json_number(r->cooldown_h));
    json_object_set_new(j, "per_day", json_integer(r->per_day));
    json_object_set_new(j, "gap_h", json_integer(r->gap_h));
    json_object_set_new(j, "stuck_h", json_integer(r->stuck_h));
    json_object_set_new(
        j, "thresholds",
        json_pack("{s:f, s:f, s:f}", "mae_12h", r->mae_12h, "ewma", r->ewma, "z", r->z));
    return j;
}
