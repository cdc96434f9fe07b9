/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One row of the file, checked. What it makes of a message is in mapping_read.c. */
#include "services/ingest/mapping_row.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/mqtt.h"

#define TOPIC_MAX 1024

/* ---- members
 * ---------------------------------------------------------------------------- */

/* "member "time": …" */
static int member(struct err *e, const char *name)
{
    return err_prefix(e, "member \"%s\"", name);
}

static int read_path(const json_t *v, const char *name, struct json_path **out,
                     struct err *e)
{
    if (!v)
        return 0;
    if (!json_is_string(v))
        err_set(e, ERR_INVALID, "a path in quotes is expected, such as \"$.meta.id\"");
    else
        *out = json_path_parse(json_string_value(v), e);
    return *out ? 0 : member(e, name);
}

/* The last level that all topics of a filter have; behind # there is no end. */
static int last_level(const char *filter)
{
    int n = 0;
    for (const char *p = mqtt_filter_shared(filter); *p; p++)
        if (*p == '#')
            return INT_MAX;
        else
            n += *p == '/';
    return n;
}

/* Where a text comes from: a path, a level of the topic, or a text of its own. */
static int read_source(const json_t *v, const char *topic, struct source *s,
                       struct err *e)
{
    const char *text = json_string_value(v);
    if (text && !strncmp(text, "topic:", 6)) {
        size_t n = strspn(text + 6, "0123456789");
        if (!n || n > 2 || text[6 + n])
            return err_set(e, ERR_INVALID,
                           "\"%.40s\": a level of the topic is expected behind topic:, 0 "
                           "for the first",
                           text);
        s->level = atoi(text + 6);
        if (s->level > last_level(topic))
            return err_set(e, ERR_INVALID,
                           "\"%.40s\": the last level of \"%.100s\" is topic:%d", text,
                           topic, last_level(topic));
        return 0;
    }
    if (text && !strncmp(text, "text:", 5)) {
        char name[DEVICE_MAX + 1];
        if (strlen(text + 5) > DEVICE_MAX || device_from_raw(text + 5, name))
            return err_set(e, ERR_INVALID,
                           "\"%.80s\": a name of 1 to %d letters and digits is expected "
                           "behind text:",
                           text, DEVICE_MAX);
        s->text = xstrdup(text + 5);
        return 0;
    }
    if (!text || *text != '$')
        return err_set(e, ERR_INVALID,
                       "a path (\"$.meta.id\"), \"topic:2\" or \"text:boiler\" is "
                       "expected%s%.40s%s",
                       text ? ", not \"" : "", text ? text : "", text ? "\"" : "");
    s->path = json_path_parse(text, e);
    return s->path ? 0 : -1;
}

static int read_device(const json_t *v, struct mapping_row *row, struct err *e)
{
    bool many = json_is_array(v);
    row->n_device = many ? json_array_size(v) : 1;
    if (!v || !row->n_device || row->n_device > DEVICE_PARTS_MAX) {
        row->n_device = 0;
        err_set(e, ERR_INVALID,
                "it is missing or has not 1 to %d parts: it says which device a message "
                "is from, such as \"$.meta.id\" or \"topic:1\"",
                DEVICE_PARTS_MAX);
        return member(e, "device");
    }
    for (size_t i = 0; i < row->n_device; i++)
        row->device[i].level = -1;
    for (size_t i = 0; i < row->n_device; i++)
        if (read_source(many ? json_array_get(v, i) : v, row->topic, &row->device[i], e))
            return member(e, "device");
    return 0;
}

static int read_location(const json_t *v, struct mapping_row *row, struct err *e)
{
    row->location.level = -1;
    row->has_location = v != NULL;
    return v && read_source(v, row->topic, &row->location, e) ? member(e, "location") : 0;
}

/* ---- values
 * ----------------------------------------------------------------------------- */

static int read_unit(const json_t *v, struct value_row *to, struct err *e)
{
    double x = 1;
    const char *unit = json_string_value(v);
    if (!v)
        return 0;
    if (!unit || strlen(unit) >= sizeof to->unit)
        return err_set(e, ERR_INVALID, "\"unit\" must be a short text, such as \"F\"");
    strcpy(to->unit, unit);
    return decode_unit(to->name, &x, unit, e) ? -1 : 0;
}

static int only(const json_t *o, const char *const *names, struct err *e)
{
    const char *key;
    json_t *v;
    char list[200] = "";
    for (const char *const *n = names; *n; n++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s",
                 n == names ? "" : ", ", *n);
    json_object_foreach((json_t *)o, key, v)
    {
        const char *const *n = names;
        while (*n && strcmp(*n, key) != 0)
            n++;
        if (!*n)
            return err_set(e, ERR_INVALID, "there is no member \"%.60s\": known are %s",
                           key, list);
    }
    return 0;
}

static int read_value(const char *key, const json_t *v, struct value_row *to,
                      struct err *e)
{
    static const char *const known[] = {"path", "unit", NULL};
    if (decode_name(key, to->name, e))
        return -1;
    if (!json_is_object(v))
        return read_path(v, "path", &to->path, e);
    if (only(v, known, e))
        return -1;
    if (!json_object_get(v, "path"))
        return err_set(e, ERR_INVALID,
                       "member \"path\" is missing: it says where the value stands");
    return read_path(json_object_get(v, "path"), "path", &to->path, e) ||
                   read_unit(json_object_get(v, "unit"), to, e)
               ? -1
               : 0;
}

static int read_values(const json_t *o, struct mapping_row *row, struct err *e)
{
    const char *key;
    json_t *v;
    size_t n = json_object_size(o);
    if (!o)
        return 0;
    if (!json_is_object(o) || !n || n > READING_VALUES_MAX) {
        err_set(e, ERR_INVALID,
                "an object of 1 to %d names is expected, such as "
                "{\"temperature\":\"$.t\"}",
                READING_VALUES_MAX);
        return member(e, "values");
    }
    row->value = xcalloc(n, sizeof *row->value);
    json_object_foreach((json_t *)o, key, v)
    {
        if (read_value(key, v, &row->value[row->n_values++], e))
            return err_prefix(e, "member \"values.%.64s\"", key);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (!strcmp(row->value[i].name, row->value[k].name)) {
                err_set(e, ERR_INVALID, "two of the names mean %s", row->value[i].name);
                return member(e, "values");
            }
    return 0;
}

/* ---- rows
 * ------------------------------------------------------------------------------- */

static int read_topic(const json_t *v, struct mapping_row *row, struct err *e)
{
    const char *text = json_string_value(v);
    if (text && *text && strlen(text) <= TOPIC_MAX && mqtt_filter_valid(text)) {
        row->topic = xstrdup(text);
        return 0;
    }
    err_set(e, ERR_INVALID,
            "it is missing or no filter: + stands for a whole level, # for all that "
            "follow, such as \"factory/+/telemetry\"");
    return member(e, "topic");
}

/* One of the words, ended by NULL; the first is the default. */
static int read_word(const json_t *o, const char *name, const char *const *words,
                     int *out, struct err *e)
{
    const json_t *v = json_object_get(o, name);
    const char *text = json_string_value(v);
    *out = 0;
    for (int i = 0; v && text && words[i]; i++)
        if (!strcmp(text, words[i])) {
            *out = i;
            return 0;
        }
    if (!v)
        return 0;
    err_set(e, ERR_INVALID, "it must be \"%s\", or \"%s\"%s%s%s", words[0], words[1],
            words[2] ? " or \"" : "", words[2] ? words[2] : "", words[2] ? "\"" : "");
    return member(e, name);
}

int mapping_row_init(struct mapping_row *row, const json_t *o, struct err *e)
{
    static const char *const of_json[] = {"topic", "format",   "device",
                                          "time",  "location", "values",
                                          "all",   "retained", NULL};
    static const char *const of_lines[] = {"topic", "format", "retained", NULL};
    static const char *const formats[] = {"json", "line", NULL};
    static const char *const retained[] = {"refuse", "ignore", "take", NULL};
    int format, kept;
    if (!json_is_object(o))
        return err_set(e, ERR_INVALID, "an object is expected");
    if (read_word(o, "format", formats, &format, e) ||
        only(o, format ? of_lines : of_json, e) ||
        read_word(o, "retained", retained, &kept, e) ||
        read_topic(json_object_get(o, "topic"), row, e))
        return -1;
    row->line = format == 1;
    row->retained = (enum mapping_retained)kept;
    if (row->line)
        return 0;
    if (read_device(json_object_get(o, "device"), row, e) ||
        read_path(json_object_get(o, "time"), "time", &row->time, e) ||
        read_location(json_object_get(o, "location"), row, e) ||
        read_values(json_object_get(o, "values"), row, e) ||
        read_path(json_object_get(o, "all"), "all", &row->all, e))
        return -1;
    if (!row->n_values && !row->all)
        return err_set(e, ERR_INVALID,
                       "member \"values\" or \"all\" is missing: one says what is "
                       "stored");
    return 0;
}

static void source_done(struct source *s)
{
    json_path_free(s->path);
    free(s->text);
}

void mapping_row_done(struct mapping_row *row)
{
    for (size_t k = 0; k < row->n_device; k++)
        source_done(&row->device[k]);
    source_done(&row->location);
    for (size_t k = 0; k < row->n_values; k++)
        json_path_free(row->value[k].path);
    json_path_free(row->time);
    json_path_free(row->all);
    free(row->value);
    free(row->topic);
}
