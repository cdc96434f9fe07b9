/* SPDX-License-Identifier: GPL-3.0-or-later */
/* home: what the home conventions (Tasmota, ESPHome, Zigbee2MQTT) have in common: names
 * that carry an index, several values of one kind in one message, ON and OFF.
 *
 * A value's name must not depend on what else is in the message by chance: an index that
 * the sender gives is kept, and a sensor that has nothing to say keeps its name. Pure. */
#ifndef FC_INGEST_DECODERS_HOME_H
#define FC_INGEST_DECODERS_HOME_H

#include "services/ingest/decode.h"

/* What a message says of one device, until all of it is there and names can be given. {0}
 * when it begins. */
struct home_names {
    struct home_said {
        char name[QUANTITY_MAX + 1];
        char full[QUANTITY_MAX + 1]; /* the name it is given; "": none yet */
        unsigned index;
        double x;
        const char *unit; /* borrowed until home_give() */
    } said[READING_VALUES_MAX];
    size_t n;
};

/* Takes a key apart: "Temperature1", "temperature_1" and "temperature_l1" are temperature
 * with index 1; without an index, or when no known quantity stands before it, *index is
 * left as it is. False when there is no letter in it. */
bool home_quantity(const char *key, char name[QUANTITY_MAX + 1], unsigned *index);

/* Is it a quantity of the table that is 0 or 1? */
bool home_is_switch(const char *name);

/* One value. name: from home_quantity(). index: 0 = the sender gives none. With NAN as x
 * the sensor has nothing to say, but has its name. unit: what the message says, or NULL.
 * It also counts for names that begin with energy_. Rejects the message only when it has
 * too many values. */
enum reject home_value(struct home_names *h, const char *name, unsigned index, double x,
                       const char *unit, struct err *e);
/* Names all values of h and adds them to m's newest item. Wherever they stand in the
 * message, an index of 2 and more is kept first (temperature_2); then the first value
 * without one is the plain name, which index 1 has when there is none (else
 * temperature_1); whatever is left, also a second one with an index that is given, has
 * the next number that is free. */
enum reject home_give(struct message *m, struct home_names *h, struct err *e);

/* ON, OFF, true and false, in any case, become 1 and 0; else false. n: bytes of text. */
bool home_on_off(const char *text, size_t n, double *x);
/* The same for online and offline. */
bool home_online(const char *text, size_t n, bool *online);

#endif
