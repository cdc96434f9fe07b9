/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/filters.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* Last levels under which devices say, retained, whether they are there: native and
 * ESPHome; Tasmota; Zigbee2MQTT; Homie; and what they measure: ESPHome. */
static const char *const status_levels[] = {"status", "LWT", "availability", "$state",
                                            "config"};

static bool is_status(const char *filter)
{
    const char *last = strrchr(filter, '/');
    last = last ? last + 1 : filter;
    for (size_t i = 0; i < sizeof status_levels / sizeof *status_levels; i++)
        if (!strcmp(last, status_levels[i]))
            return true;
    return false;
}

static int add(struct filters *f, const char *text, const char *share, int most,
               struct err *e)
{
    if (f->n == most)
        return err_set(e, ERR_INVALID, "FC_MQTT_FILTERS has more than %d filters", most);
    if (!mqtt_filter_valid(text))
        return err_set(e, ERR_INVALID,
                       "FC_MQTT_FILTERS: \"%.100s\" is not a filter: + stands for a "
                       "whole level, # for all that follow",
                       text);
    bool by_hand = mqtt_filter_shared(text) != text;
    bool group = *share && !by_hand && !is_status(text);
    f->list[f->n++] = group ? xasprintf("$share/%s/%s", share, text) : xstrdup(text);
    f->shared |= group || by_hand;
    return 0;
}

int filters_parse(struct filters *f, const char *text, const char *share, struct err *e)
{
    char *copy = xstrdup(text), *save;
    int rc = 0;
    for (char *s = strtok_r(copy, ",", &save); s && !rc; s = strtok_r(NULL, ",", &save)) {
        s += strspn(s, " ");
        for (size_t len = strlen(s); len && s[len - 1] == ' '; len--)
            s[len - 1] = '\0';
        if (*s)
            rc = add(f, s, share, FILTERS_MAX, e);
    }
    free(copy);
    if (!rc && !f->n)
        rc = err_set(e, ERR_INVALID, "FC_MQTT_FILTERS names no topic");
    return rc;
}

/* Does a have all topics of b? */
static bool covers(const char *a, const char *b)
{
    a = mqtt_filter_shared(a);
    b = mqtt_filter_shared(b);
    size_t na = strlen(a), nb = strlen(b);
    return mqtt_match(a, b) && (b[nb - 1] != '#' || a[na - 1] == '#');
}

int filters_add_mapped(struct filters *f, const struct mapping *m, const char *share,
                       struct err *e)
{
    for (size_t i = 0; m && i < mapping_rows(m); i++)
        if (add(f, mapping_topic(m, i), share, MQTT_FILTERS_MAX, e))
            return -1;
    for (int i = 0; m && i < f->n;) {
        bool had = false;
        for (int k = 0; k < f->n && !had; k++) /* of two that are equal the first stays */
            had = k != i && covers(f->list[k], f->list[i]) &&
                  (k < i || !covers(f->list[i], f->list[k]));
        if (!had) {
            i++;
            continue;
        }
        free(f->list[i]);
        memmove(&f->list[i], &f->list[i + 1], (size_t)(f->n - i) * sizeof *f->list);
        f->n--;
    }
    return 0;
}

int filters_add(struct filters *f, const char *topic, struct err *e)
{
    for (int i = 0; i < f->n; i++)
        if (mqtt_filter_shared(f->list[i]) == f->list[i] && covers(f->list[i], topic))
            return 0;
    return add(f, topic, "", MQTT_FILTERS_MAX, e);
}

void filters_done(struct filters *f)
{
    for (int i = 0; i < f->n; i++)
        free(f->list[i]);
}

bool filters_ask_for(const char *text, const struct mapping *m, const char *topic)
{
    struct filters f = {0};
    struct err ignored = ERR_INIT;
    bool found = false;
    if (filters_parse(&f, text, "", &ignored) == 0)
        for (int i = 0; i < f.n && !found; i++)
            found = mqtt_match(mqtt_filter_shared(f.list[i]), topic);
    for (size_t i = 0; m && i < mapping_rows(m) && !found; i++)
        found = mqtt_match(mqtt_filter_shared(mapping_topic(m, i)), topic);
    filters_done(&f);
    return found;
}
