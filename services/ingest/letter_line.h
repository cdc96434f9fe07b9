/* SPDX-License-Identifier: GPL-3.0-or-later */
/* letter_line: a dead letter as the line that is kept of it.
 *
 * One JSON object: {"id","time","reason","detail","device","topic","payload"} or, when
 * the payload is not text, "payload_base64"; "cut":true when it is only the beginning.
 * For a replay also "retain" and "http" (how it came), "taken" (what was stored of the
 * message) and "point" (what InfluxDB refused), as items of an account, and "logged":true
 * when it was taken and could not be understood again. id is the message's position in
 * the log. Pure; any thread. */
#ifndef FC_INGEST_LETTER_LINE_H
#define FC_INGEST_LETTER_LINE_H

#include <jansson.h>

#include "common/buf.h"
#include "services/ingest/message.h"
#include "services/ingest/wal_record.h"

#define LETTER_LINE_MAX (1u << 20) /* a payload of 512 KiB in base64, and all else */

/* What a replay needs to know beyond the message. All borrowed, NULL or false: none. */
struct letter_extra {
    const json_t *taken, *before; /* arrays of items */
    const struct item *point;
    bool logged;
};

/* Appends the line with its \n. b: of at least LETTER_LINE_MAX. detail and device may be
 * NULL; extra NULL: none. */
void letter_line_write(struct buf *b, int64_t id, const struct wal_record *rec,
                       enum reject why, const char *detail, const char *device,
                       const struct letter_extra *extra);

/* New object, and its id; NULL for what a crash left unfinished. */
json_t *letter_line_parse(const char *line, size_t len, int64_t *id);

#endif
