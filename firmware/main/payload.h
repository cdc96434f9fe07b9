/* SPDX-License-Identifier: GPL-3.0-or-later */
/* payload: one reading as the JSON that `fieldcast/<device>/readings` carries.
 *
 *   {"device":"kitchen","boot":12,"seq":4711,"ts_ms":1795132800000,"values":{"humidity":48.2}}
 *
 * Plain C, no allocation, no I/O, no clock: the ESP32 node and the simulator write their
 * messages with this code. Everything is borrowed for the length of the call; any thread
 * may call. */
#ifndef FC_FIRMWARE_PAYLOAD_H
#define FC_FIRMWARE_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAYLOAD_NAME_MAX 64   /* longest device or quantity name, bytes */
#define PAYLOAD_VALUES_MAX 32 /* most quantities in one reading */

struct payload_value {
    const char *quantity; /* [a-z][a-z0-9_]*, in the quantity's canonical unit */
    double value;
};

struct payload_reading {
    const char *device; /* [A-Za-z0-9_-]{1,64} */
    uint32_t boot;      /* counts starts of the device; never goes back */
    uint32_t seq;       /* counts readings since that start */
    bool has_ts;        /* false while the device's clock is not set */
    int64_t ts_ms;      /* since 1970, UTC */
    const struct payload_value *values;
    size_t n; /* 1 to PAYLOAD_VALUES_MAX */
};

/* Refusals are negative, so that a length is never mistaken for one. */
enum payload_error {
    PAYLOAD_BAD_DEVICE = -1,
    PAYLOAD_BAD_COUNT = -2,
    PAYLOAD_BAD_QUANTITY = -3,
    PAYLOAD_NOT_FINITE =
        -4 /* a value is NaN or infinite: a misread is left out, not sent */
};

/* Writes the reading and a NUL to buf. Returns the message's length without the NUL, as
 * snprintf() does: a result >= size means that it did not fit. Then, and when refused,
 * buf holds "" and never half a message. size 0 (buf may be NULL) only measures. Values
 * are written with the fewest digits that read back to the same number. */
int payload_write(const struct payload_reading *r, char *buf, size_t size);

/* The sentence for a refusal, for logs. */
const char *payload_error_text(int error);

#endif
