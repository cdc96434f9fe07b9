/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode: makes of a message's bytes what it says (message.h).
 *
 * One row of the table is one convention: the topics it lives on, how its payloads look,
 * and the function that reads them. A message goes to the first row whose topic filter
 * matches; a topic that no row knows, to the first row whose shape fits.
 *
 * What cannot be of a message is refused, and only that: a value that is malformed or
 * beyond its range is left out, an item with no value left is refused, and the message
 * when no item is left. Some conventions say once what later messages mean: those rows
 * read it from the memory, and say what is to be remembered. Nothing is changed in here;
 * any thread. */
#ifndef FC_INGEST_DECODE_H
#define FC_INGEST_DECODE_H

#include <jansson.h>

#include "common/buf.h"
#include "services/ingest/memory.h"
#include "services/ingest/message.h"

/* Returns REJECT_NONE, or the reason with its sentence in *e: then nothing of m is taken,
 * but its first item, if there is one, says which device the message is from. m->refused
 * and m->why say what was left out of a message that is taken. A message that is taken
 * and has no item is in order, and says nothing that is stored. topic is NUL-terminated;
 * payload need not be. memory NULL: nothing was remembered. */
enum reject decode_message(const struct memory *memory, const char *topic,
                           const void *payload, size_t len, struct message *m,
                           struct err *e);

/* The same by way of a JSON tree, whatever the message: what decode_message() falls back
 * to, and what tests compare it with. */
enum reject decode_message_slowly(const struct memory *memory, const char *topic,
                                  const void *payload, size_t len, struct message *m,
                                  struct err *e);

/* Is what comes on this topic nobody's reading, whatever it says and however large it is?
 * (Zigbee2MQTT's list of its devices, for one.) */
bool decode_ignores(const char *topic);

/* What is to be remembered of a message, whatever became of it: c, with the texts in
 * *texts (initialised by the caller). False: nothing is to change. Only messages with
 * from_memory set, and those that were cut because they are too large, need be asked
 * about. */
bool decode_remember(const char *topic, const void *payload, size_t len, bool cut,
                     struct memory_change *c, struct buf *texts);

/* A message that a row of the user's mapping (mapping.h) reads, instead of the table. */
struct mapping_row;
enum reject decode_mapped(const struct mapping_row *row, const char *topic,
                          const void *payload, size_t len, struct message *m,
                          struct err *e);

/* The table, for --help texts and tests: NULL at the end. f counts a row's filters. */
const char *decode_row_name(size_t i);
const char *decode_row_filter(size_t i, size_t f);

/* ---- for the decoders ----------------------------------------------------------------
 */

struct input {
    const char *topic;
    const char *payload; /* not NUL-terminated */
    size_t len;
    const json_t *root; /* the payload's, an object; NULL for a row that reads text */
    const struct memory *memory; /* NULL: none */
};

/* Reads the input into m, which has one empty item; says why not in *e. */
typedef enum reject (*decode_fn)(const struct input *in, struct message *m,
                                 struct err *e);
enum reject decode_native(const struct input *in, struct message *m, struct err *e);
enum reject decode_status(const struct input *in, struct message *m, struct err *e);
enum reject decode_system0(const struct input *in, struct message *m, struct err *e);
enum reject decode_system1(const struct input *in, struct message *m, struct err *e);
enum reject decode_system2(const struct input *in, struct message *m, struct err *e);
enum reject decode_system3(const struct input *in, struct message *m, struct err *e);
enum reject decode_esphome(const struct input *in, struct message *m, struct err *e);
enum reject decode_tasmota(const struct input *in, struct message *m, struct err *e);
enum reject decode_tasmota_lwt(const struct input *in, struct message *m, struct err *e);
enum reject decode_zigbee2mqtt(const struct input *in, struct message *m, struct err *e);
enum reject decode_chirpstack(const struct input *in, struct message *m, struct err *e);
enum reject decode_line(const struct input *in, struct message *m, struct err *e);
enum reject decode_ttn(const struct input *in, struct message *m, struct err *e);
enum reject decode_sparkplug(const struct input *in, struct message *m, struct err *e);
enum reject decode_homie(const struct input *in, struct message *m, struct err *e);
enum reject decode_ha_units(const struct input *in, struct message *m, struct err *e);
/* Fills c (zeroed, with topic and payload set, which it may take from texts instead);
 * false: nothing is to change. The payload is cut when in->payload is NULL. */
typedef bool (*remember_fn)(const struct input *in, struct memory_change *c,
                            struct buf *texts);
bool remember_sparkplug(const struct input *in, struct memory_change *c,
                        struct buf *texts);
bool remember_homie(const struct input *in, struct memory_change *c, struct buf *texts);
bool remember_ha_units(const struct input *in, struct memory_change *c,
                       struct buf *texts);
bool fits_native(const json_t *root);
bool fits_system0(const json_t *root);
bool fits_system1(const json_t *root);
bool fits_system2(const json_t *root);
bool fits_system3(const json_t *root);
bool fits_tasmota(const json_t *root);
bool fits_zigbee2mqtt(const json_t *root);
bool ignores_zigbee2mqtt(const char *topic);
bool fits_chirpstack(const json_t *root);
bool fits_ttn(const json_t *root);

/* Everything below works on the newest item of m. */

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
/* Makes a quantity's name of whatever stands there ("SHT31-Temperature",
 * "soilMoisture"): false when there is no letter in it. */
bool decode_loose_name(const char *key, char out[QUANTITY_MAX + 1]);
/* Turns *v into the quantity's canonical unit. unit: what the message says ("°F", "kPa"),
 * or NULL. A name that ends in a quantity's (flow_temperature) has its units; one with
 * delta or diff in it is a difference. Refuses a unit that is not known for a quantity
 * that has one. */
enum reject decode_unit(const char *quantity, double *v, const char *unit, struct err *e);
/* Adds one value under the canonical name of key: numbers, booleans as 0 or 1, null is
 * missing; what is wrong with it is noted as refused. unit: what the message says about
 * it, or NULL. Rejects the message only when it has too many values. */
enum reject decode_value(struct message *m, const char *key, const json_t *v,
                         const char *unit, struct err *e);
/* Adds all members of an object but those named in skip (ended by NULL; NULL = none). */
enum reject decode_values(struct message *m, const json_t *o, const char *const *skip,
                          struct err *e);
/* Adds a value under a loose name, numbered if the name is taken (temperature_2): for
 * conventions whose keys are people's own. A name without a letter and a number that is
 * not finite are passed over; else as decode_value(). */
enum reject decode_loose(struct message *m, const char *key, double x, const char *unit,
                         struct err *e);
/* A number as text, with spaces around it or not; nothing else. */
bool decode_number(const char *text, size_t n, double *x);
/* A JSON number, true or false as 1 or 0, or a text that is a number. */
bool decode_json_number(const json_t *v, double *x);
/* Checks the values against what their quantities can be: one that cannot be is refused,
 * and the item when none is left. */
void decode_ranges(struct message *m, struct item *it);
/* Copies a short text, if there is one, into the reading's location. */
void decode_location(struct message *m, const json_t *v);

#endif
