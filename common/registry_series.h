/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registry_series: the catalogue of series in Postgres, and what monitor remembers of
 * each.
 *
 * Everything goes in batches: there may be 100,000 rows. Each call uses the connection
 * given, inside the caller's transaction if there is one. */
#ifndef FC_COMMON_REGISTRY_SERIES_H
#define FC_COMMON_REGISTRY_SERIES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ml/zone.h"
#include "common/pg.h"
#include "common/reading.h"

/* One series. Texts are borrowed for the call; NULL where the catalogue has none. */
struct series_row {
    const char *name, *device, *quantity, *unit, *location, *tz;
    const char *state;    /* "active", "quarantined" or "disabled" */
    const char *settings; /* JSON object */
    int64_t created_ms;
    /* of series_state; checks NULL: monitor has not looked at it yet */
    const char *quality, *checks; /* JSON objects */
    int64_t last_hour_ms;         /* INT64_MIN: none */
    double last_value;
    int64_t last_asked_ms; /* INT64_MIN: never */
    int asked_today;
};

/* Rows after the name `after` ("" = from the first), by name, at most limit. Returns how
 * many, or -1. */
int registry_series_list(struct pg *p, const char *after, int limit,
                         void (*each)(void *arg, const struct series_row *row), void *arg,
                         struct err *e) MUST_CHECK;

/* Adds those that are not there yet: rows is an array of
 * {"name","device","quantity","unit","tz" (null: UTC),"state"}. */
int registry_series_create(struct pg *p, const json_t *rows, struct err *e) MUST_CHECK;

/* Replaces settings, state and time zone of one series; ERR_NOT_FOUND names it. */
int registry_series_set(struct pg *p, const char *name, const json_t *settings,
                        const char *state, const char *tz, struct err *e) MUST_CHECK;

/* Sets states: rows is an array of {"name","state"}. */
int registry_series_set_states(struct pg *p, const json_t *rows,
                               struct err *e) MUST_CHECK;

/* Saves what monitor remembers: an array of {"series","quality","checks","last_hour" (ms
 * or null),"last_value","last_asked" (ms or null),"asked_today"}. */
int registry_series_remember(struct pg *p, const json_t *rows, struct err *e) MUST_CHECK;

/* The series that could stand beside each of these n (common/ml/others.h): the others of
 * its device, those that its settings name as "exogenous" (asked), and, where no more
 * than `limit` + 1 are active in all, all of these; only active ones that have a
 * champion, as predictor keeps the hours of these. Per series those asked for first, then
 * by name, at most `limit`. Texts are borrowed for the call. */
int registry_series_beside(struct pg *p, const char *const *names, size_t n, int limit,
                           void (*each)(void *arg, const char *series, const char *other,
                                        bool asked),
                           void *arg, struct err *e) MUST_CHECK;

/* The time zones of these n series, of those that are there. Texts are borrowed for the
 * call. */
int registry_series_zones(struct pg *p, const char *const *names, size_t n,
                          void (*each)(void *arg, const char *series, const char *tz),
                          void *arg, struct err *e) MUST_CHECK;

/* What the clocks of a zone say from from_s to to_s, by the hour, as Postgres has it; at
 * most ZONE_SPANS_MAX offsets, the first of them. ERR_INVALID for a zone that it does not
 * know; then z has its name and no offsets. */
int registry_zone(struct pg *p, const char *name, int64_t from_s, int64_t to_s,
                  struct zone *z, struct err *e) MUST_CHECK;

/* What monitor needs of a champion. Texts are borrowed for the call. */
struct champion_row {
    const char *name, *algorithm;
    int version, rows; /* rows: hours it was trained on */
    int64_t model_seq;
    int64_t born_ms; /* when the series got its first model */
};
/* Champions with model_seq > after, oldest first, at most limit. Returns how many, or -1.
 */
int registry_champions_since(struct pg *p, int64_t after, int limit,
                             void (*each)(void *arg, const struct champion_row *row),
                             void *arg, struct err *e) MUST_CHECK;

/* The documents of the champions of these n series, in any order; a series that has none
 * is left out. Texts are borrowed for the call. */
int registry_champion_documents(struct pg *p, const char *const *names, size_t n,
                                void (*each)(void *arg, const char *name, int version,
                                             const char *document),
                                void *arg, struct err *e) MUST_CHECK;

#endif
