/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode: what a message says, in canonical names and units.
 *
 * One row of the table is one convention: the topics it lives on, how its payloads look,
 * and the function that reads them. A message goes to the first row whose topic filter
 * matches; a topic that no row knows, to the first row whose shape fits. Pure: no I/O, no
 * clock; the same bytes give the same message for ever. Any thread. */
#ifndef FC_INGEST_DECODE_H
#define FC_INGEST_DECODE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/reading.h"

/* Why a message does not become a point. */
enum reject {
    REJECT_NONE,
    REJECT_BAD_JSON,
    REJECT_BAD_SHAPE,
    REJECT_UNKNOWN_TOPIC,
    REJECT_NO_DEVICE,
    REJECT_BAD_DEVICE,
    REJECT_DEVICE_CLASH,
    REJECT_TOO_MANY_DEVICES,
    REJECT_NO_VALUES,
    REJECT_BAD_VALUE,
    REJECT_OUT_OF_RANGE,
    REJECT_TOO_MANY_VALUES,
    REJECT_BAD_TIME,
    REJECT_RETAINED_WITHOUT_TIME,
    REJECT_TOO_LARGE,
    REJECT_REFUSED_BY_INFLUXDB,
    REJECT_N
};
const char *reject_name(enum reject r); /* "bad_json", as in metrics and dead letters */
const char *reject_sentence(enum reject r); /* for the documentation and /explain */

/* The time a message carries, as it stood there; timefix.h makes a time of it. */
enum raw_time_kind { RAW_TIME_NONE, RAW_TIME_NUMBER, RAW_TIME_TEXT };
struct raw_time {
    enum raw_time_kind kind;
    double number;
    char text[48];
};

enum message_kind { MESSAGE_READING, MESSAGE_STATUS };
struct message {
    enum message_kind kind;
    const char *decoder; /* static; NULL when none was found */
    struct reading r; /* device names; values of a reading; r.time_ms is not set here */
    struct raw_time time; /* of a reading */
    bool online;          /* of a status */
};

/* Returns REJECT_NONE, or the reason with its sentence in *e. r.device is "" when the
 * message did not get so far. topic is NUL-terminated; payload need not be. */
enum reject decode_message(const char *topic, const void *payload, size_t len,
                           struct message *m, struct err *e);

/* The same by way of a JSON tree, whatever the message: what decode_message() falls back
 * to, and what tests compare it with. */
enum reject decode_message_slowly(const char *topic, const void *payload, size_t len,
                                  struct message *m, struct err *e);

/* The table, for --help texts and tests: NULL at the end. */
const char *decode_row_name(size_t i);
const char *decode_row_filter(size_t i);

/* ---- for the decoders ----------------------------------------------------------------
 */

/* Reads root into m, whose decoder and kind are set. */
typedef enum reject (*decode_fn)(const char *topic, const json_t *root, struct message *m,
                                 struct err *e);
enum reject decode_native(const char *topic, const json_t *root, struct message *m,
                          struct err *e);
enum reject decode_system0(const char *topic, const json_t *root, struct message *m,
                           struct err *e);
enum reject decode_system1(const char *topic, const json_t *root, struct message *m,
                           struct err *e);
enum reject decode_system2(const char *topic, const json_t *root, struct message *m,
                           struct err *e);
enum reject decode_system3(const char *topic, const json_t *root, struct message *m,
                           struct err *e);
bool fits_native(const json_t *root);
bool fits_system0(const json_t *root);
bool fits_system1(const json_t *root);
bool fits_system2(const json_t *root);
bool fits_system3(const json_t *root);

/* Sets the device from the id a message carries (v: a string, or NULL). */
enum reject decode_device(struct message *m, const json_t *v, const char *key,
                          struct err *e);
enum reject decode_device_text(struct message *m, const char *raw, struct err *e);
/* The nth level of a topic (0 is the first) into out; false when there is none or it is
 * too long. */
bool topic_level(const char *topic, int n, char *out, size_t cap);

/* Keeps the time field as it is; null and NULL are none. */
enum reject decode_time(struct message *m, const json_t *v, const char *key,
                        struct err *e);

/* The quantity that a key means: aliases resolved, checked. */
enum reject decode_name(const char *key, char out[QUANTITY_MAX + 1], struct err *e);
/* A value in the quantity's canonical unit. unit: what the message says, or NULL. */
double decode_unit(const char *quantity, double v, const char *unit);
/* Adds one value under the canonical name of key: numbers, booleans as 0 or 1, null is
 * missing. unit: what the message says about it, or NULL. */
enum reject decode_value(struct message *m, const char *key, const json_t *v,
                         const char *unit, struct err *e);
/* Adds all members of an object but those named in skip (ended by NULL; NULL = none). */
enum reject decode_values(struct message *m, const json_t *o, const char *const *skip,
                          struct err *e);
/* Copies a short text, if there is one, into the reading's location. */
void decode_location(struct message *m, const json_t *v);

#endif
