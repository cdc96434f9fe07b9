/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mapping: how people's own messages are read, as FC_DECODE_FILE says: a JSON array of
 * rows, tried from the first on and before the built-in decoders.
 *
 *   [{"topic":"factory/+/+/telemetry",
 *     "device":"$.meta.id",
 *     "time":"$.ts",
 *     "values":{"temperature":{"path":"$.t","unit":"F"},"humidity":"$.h"}},
 *    {"topic":"garden/#","device":["topic:1","topic:2"],"all":"$.data",
 *     "retained":"ignore"},
 *    {"topic":"plant/lines","format":"line"}]
 *
 * topic     a filter of MQTT; ingest subscribes to it
 * format    "json" (the default), or "line" (InfluxDB's; topic and retained alone)
 * device    where its id stands: a path (json_path.h), "topic:2" (a level of the topic, 0
 *           is the first), or "text:boiler" for a name; an array of them is joined by "-"
 * time      a path; without one the time of arrival
 * location  a path or "topic:2"
 * values    name: path, or name: {"path","unit"}: those alone; a value that is not there
 *           is missing
 * all       a path: all numbers in there, with the names they have
 * retained  of what the broker had kept and has no time of its own: "refuse" (the
 * default: a dead letter), "ignore", or "take" (at each connection, at its arrival)
 *
 * A payload that is nothing but a number is the value at "$".
 *
 * Checked when it is loaded; does not change then: any thread may use it. */
#ifndef FC_INGEST_MAPPING_H
#define FC_INGEST_MAPPING_H

#include "services/ingest/decode.h"

#define MAPPING_ROWS_MAX 256

struct mapping;
struct mapping_row;

enum mapping_retained { MAPPING_REFUSE, MAPPING_IGNORE, MAPPING_TAKE };

/* NULL when the file cannot be read or has a mistake: *e names the file, the row (the
 * first is 1), the member, and what would be right. */
struct mapping *mapping_load(const char *path, struct err *e) MUST_CHECK;
/* The same of a text; name is what errors call it. */
struct mapping *mapping_parse(const char *text, size_t len, const char *name,
                              struct err *e) MUST_CHECK;
void mapping_free(struct mapping *p);

size_t mapping_rows(const struct mapping *p);
const char *mapping_topic(const struct mapping *p, size_t i);

/* The first row for a topic, or NULL (also of no mapping). */
const struct mapping_row *mapping_find(const struct mapping *p, const char *topic);
const char *mapping_row_name(const struct mapping_row *row); /* "mapping row 3" */
bool mapping_row_is_text(const struct mapping_row *row);     /* not JSON */
enum mapping_retained mapping_row_retained(const struct mapping_row *row);
/* As a decode_fn; in->root may be an array or a number, too. */
enum reject mapping_read(const struct mapping_row *row, const struct input *in,
                         struct message *m, struct err *e);

#endif
