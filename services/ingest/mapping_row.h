/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mapping_row: one row of the mapping's file, as mapping_read.c uses it. */
#ifndef FC_INGEST_MAPPING_ROW_H
#define FC_INGEST_MAPPING_ROW_H

#include "services/ingest/json_path.h"
#include "services/ingest/mapping.h"

#define DEVICE_PARTS_MAX 4

struct source {             /* one of: */
    struct json_path *path; /* owned */
    int level;              /* of the topic; -1: none */
    char *text;             /* owned */
};

struct value_row {
    char name[QUANTITY_MAX + 1], unit[24]; /* "" if the file says none */
    struct json_path *path;                /* owned */
};

struct mapping_row {
    char name[40];
    char *topic; /* owned */
    bool line, has_location;
    enum mapping_retained retained;
    struct source device[DEVICE_PARTS_MAX], location;
    size_t n_device;
    struct json_path *time, *all; /* owned, or NULL */
    struct value_row *value;      /* n_values; owned */
    size_t n_values;
};

/* Reads a row of the file into *row, which is all zero but for its name. *e names the
 * member and what would be right. mapping_row_done() in any case. */
int mapping_row_init(struct mapping_row *row, const json_t *o, struct err *e) MUST_CHECK;
void mapping_row_done(struct mapping_row *row);

#endif
