/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replay_columns: which column of a table is which quantity of which device, and when a
 * row was measured. Rows come from csv; nothing here writes or sends. One thread at a
 * time. */
#ifndef FC_TOOLS_REPLAY_COLUMNS_H
#define FC_TOOLS_REPLAY_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "tools/csv.h"
#include "tools/options.h"
#include "tools/shape.h"

#define REPLAY_MAPS_MAX 64
#define REPLAY_NAME_SIZE 129

/* What there is to say about a file; texts are borrowed, NULL = not said. */
struct replay_layout {
    const char *time; /* column, or columns joined by +, read with a space between */
    const char *time_format; /* as for strptime(3); NULL = RFC 3339 or epoch */
    const char *utc_offset;  /* of times without a zone: "+01:00"; NULL = UTC */
    const char *device;      /* column, or =name for all rows */
    const char *missing;     /* a text that means "no value", beside empty and NA */
    const char *shape;       /* name of the wire shape */
    /* COLUMN=QUANTITY[*FACTOR] or COLUMN=DEVICE.QUANTITY[*FACTOR]; a * in COLUMN stands
     * for any text, a * as DEVICE for the same text */
    struct option_list maps;
    bool loose; /* a map whose column is not there is fine: presets fit several files */
};

/* Known files, by name; NULL if there is none. */
const struct replay_layout *replay_preset(const char *name);
/* The i-th preset's name and what it is for; NULL at the end. */
const char *replay_preset_name(size_t i, const char **sentence);

/* A layout applied to a file's header. */
struct replay_columns;

/* The header row must be at hand in c (csv_header() was called). Fails when a column that
 * is named is not there, naming it. l is borrowed and must outlive the result. */
struct replay_columns *replay_columns_new(const struct replay_layout *l,
                                          const struct csv *c, struct err *e) MUST_CHECK;
void replay_columns_free(struct replay_columns *rc); /* NULL is fine */

/* When the row at hand was measured. */
int replay_row_time(const struct replay_columns *rc, const struct csv *c, int64_t *t_ms,
                    struct err *e) MUST_CHECK;

/* Calls take() for each device that has values in the row at hand, with device, values
 * and n filled in; the sample is valid for the call. Fails for a cell that is not a
 * number and when take() does. */
int replay_row_samples(struct replay_columns *rc, const struct csv *c,
                       int (*take)(void *arg, struct sample *s, struct err *e), void *arg,
                       struct err *e) MUST_CHECK;

/* Reads "+01:00" or "-06:00". */
int replay_offset_parse(const char *text, int64_t *offset_ms, struct err *e) MUST_CHECK;

#endif
