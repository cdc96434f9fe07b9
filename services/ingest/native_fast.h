/* SPDX-License-Identifier: GPL-3.0-or-later */
/* native_fast: the native payload read in one pass, without a JSON tree.
 *
 * Most messages are native, small and well-formed; a tree costs ten times what reading
 * them does. Here is only what devices usually send; for anything else (another member,
 * an escape, an exponent, something wrong) it says so and decoders/native.c reads it,
 * whose result is the definition: where this one answers, both give the same, which
 * tests/unit/test_decode.c and tests/fuzz hold it to. Pure; any thread. */
#ifndef FC_INGEST_NATIVE_FAST_H
#define FC_INGEST_NATIVE_FAST_H

#include "services/ingest/decode.h"

/* m has one empty item. True: it is filled as decode_message() would, and nothing is
 * wrong with it. False: m is to be started afresh. topic is a native one. */
bool decode_native_fast(const char *topic, const char *payload, size_t len,
                        struct message *m);

#endif
