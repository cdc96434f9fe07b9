/* SPDX-License-Identifier: GPL-3.0-or-later */
/* settings: a service's environment, read once at start through one table.
 *
 * Each row: name without the FC_ prefix, kind, place in the service's struct, default,
 * range and a sentence. Missing (required), malformed or out of range values stop the
 * start with a text that names the variable. A SET_SECRET may come from FC_X or, better,
 * from the file that FC_X_FILE names (one trailing newline is cut); it is never printed.
 */
#ifndef FC_COMMON_SETTINGS_H
#define FC_COMMON_SETTINGS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

enum setting_kind {
    SET_INT,    /* int64_t, range in min..max */
    SET_BOOL,   /* bool; 0 or 1 */
    SET_STRING, /* char *, owned; length in min..max */
    SET_URL, /* char *, owned; http://, https://, tcp://, ssl://, mqtt:// ... or "" if min
                is 0 */
    SET_SECRET /* char *, owned; length in min..max; also FC_X_FILE */
};

struct setting {
    const char *name; /* "HTTP_PORT" is read from FC_HTTP_PORT */
    enum setting_kind kind;
    size_t offset;
    const char *dflt; /* as it would stand in the environment; NULL: required */
    int64_t min, max;
    const char *sentence;
};

#define SETTINGS_MAX_STRING 4096

/* Fills target (zeroed by the caller) from the environment by the table (name NULL ends
 * it). On failure target holds what was read so far; settings_done() frees it either way.
 */
int settings_load(const struct setting *table, void *target, struct err *e) MUST_CHECK;
void settings_done(const struct setting *table, void *target);

/* The table for people: name, default, range, sentence. */
void settings_print(const struct setting *table, FILE *to);

#endif
