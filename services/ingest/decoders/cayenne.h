/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cayenne: Cayenne Low Power Payload, the bytes that LoRaWAN sensors send when their
 * maker had no idea of his own: [channel 1 byte][type 1 byte][value, big endian], again
 * and again. Pure. */
#ifndef FC_INGEST_DECODERS_CAYENNE_H
#define FC_INGEST_DECODERS_CAYENNE_H

#include "services/ingest/decode.h"

/* Adds what n bytes say to m's newest item: temperature, humidity, ... The first channel
 * of a type has the plain name, further ones are numbered as they come (temperature_2). A
 * value that is cut off and a type that is not known are refused, with the byte where
 * they stand; what was whole before them stays. Rejects the message only when it has too
 * many values. */
enum reject decode_cayenne(struct message *m, const unsigned char *p, size_t n,
                           struct err *e);

#endif
