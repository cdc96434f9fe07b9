/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dht22: what a DHT22 (AM2302) said, from the lengths of its pulses.
 *
 * A frame on the wire, after the host has let go of the line: 80 us low, 80 us high, then
 * for each of 40 bits about 50 us low and a high of 26 us (0) or 70 us (1), then 50 us
 * low. The bits are humidity (16), temperature (16), sum of the four bytes (8). A pure
 * function, without hardware: the receiver (RMT on the ESP32) hands over an array. */
#ifndef FC_FIRMWARE_DHT22_H
#define FC_FIRMWARE_DHT22_H

#include <stddef.h>
#include <stdint.h>

enum dht22_result {
    DHT22_OK = 0,
    DHT22_TRUNCATED,   /* fewer pulses than 40 bits need */
    DHT22_TOO_LONG,    /* more than a frame has: two frames, or an echo */
    DHT22_BAD_PULSE,   /* a pulse is neither a start, nor a 0, nor a 1 */
    DHT22_CHECKSUM,    /* the four bytes do not add up to the fifth */
    DHT22_HUMIDITY,    /* above 100 % */
    DHT22_TEMPERATURE, /* outside -40..125 degC */
    DHT22_GHOST        /* adds up, but is what a failing sensor is known to send */
};

struct dht22_reading {
    double temp_c;       /* in steps of 0.1 */
    double humidity_pct; /* in steps of 0.1 */
};

/* us: lengths in microseconds of low and high by turns. The 80 us pair at the start may
 * be there, cut to its second half, or missing; so may the high before it (up to 200 us,
 * the host's release) and the low at the end. *r is written only with DHT22_OK. Negative
 * temperatures are read as sign and magnitude (the data sheet) and as two's complement of
 * 16 or 12 bits (clones): the forms do not overlap within the range. */
enum dht22_result dht22_decode(const uint16_t us[], size_t n, struct dht22_reading *r);

/* A word for counters and logs: "ok", "truncated", ... */
const char *dht22_result_name(enum dht22_result result);

#endif
