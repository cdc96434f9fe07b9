/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file and its rows. A row of it is read in mapping_row.c; what it makes of a message
 * is in mapping_read.c. */
#include "services/ingest/mapping.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/mqtt.h"
#include "services/ingest/mapping_row.h"

#define FILE_MAX_BYTES (1u << 20)

struct mapping {
    struct mapping_row *row; /* n; owned */
    size_t n;
};

struct mapping *mapping_parse(const char *text, size_t len, const char *name,
                              struct err *e)
{
    json_t *root = json_parse(text, len, name, e);
    size_t n = json_array_size(root);
    if (!root)
        return NULL;
    struct mapping *p = xcalloc(1, sizeof *p);
    int rc = 0;
    if (!json_is_array(root) || n > MAPPING_ROWS_MAX)
        rc = err_set(e, ERR_INVALID, "%s must be a JSON array of at most %d rows", name,
                     MAPPING_ROWS_MAX);
    else
        p->row = xcalloc(n ? n : 1, sizeof *p->row);
    for (size_t i = 0; i < n && !rc; i++) {
        struct mapping_row *row = &p->row[p->n++];
        snprintf(row->name, sizeof row->name, "mapping row %zu", i + 1);
        rc = mapping_row_init(row, json_array_get(root, i), e);
        if (rc)
            err_prefix(e, "%s: row %zu", name, i + 1);
    }
    json_decref(root);
    if (!rc)
        return p;
    mapping_free(p);
    return NULL;
}

struct mapping *mapping_load(const char *path, struct err *e)
{
    FILE *f = fopen(path, "re");
    struct mapping *p = NULL;
    if (!f) {
        err_set(e, ERR_INVALID, "could not open FC_DECODE_FILE %.300s: %s", path,
                strerror(errno));
        return NULL;
    }
    char *text = xmalloc(FILE_MAX_BYTES + 1);
    size_t n = fread(text, 1, FILE_MAX_BYTES + 1, f);
    if (ferror(f))
        err_set(e, ERR_INVALID, "could not read FC_DECODE_FILE %.300s: %s", path,
                strerror(errno));
    else if (n > FILE_MAX_BYTES)
        err_set(e, ERR_INVALID, "FC_DECODE_FILE %.300s is larger than 1 MB", path);
    else
        p = mapping_parse(text, n, path, e);
    free(text);
    fclose(f);
    return p;
}

/* ---- what is there
 * ------------------------------------------------------------------------------- */

void mapping_free(struct mapping *p)
{
    for (size_t i = 0; p && i < p->n; i++)
        mapping_row_done(&p->row[i]);
    if (p)
        free(p->row);
    free(p);
}

size_t mapping_rows(const struct mapping *p)
{
    return p ? p->n : 0;
}

const char *mapping_topic(const struct mapping *p, size_t i)
{
    return p->row[i].topic;
}

const struct mapping_row *mapping_find(const struct mapping *p, const char *topic)
{
    for (size_t i = 0; p && i < p->n; i++)
        if (mqtt_match(p->row[i].topic, topic))
            return &p->row[i];
    return NULL;
}
