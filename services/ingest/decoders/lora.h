/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lora: what the messages of LoRaWAN network servers have in common. Pure; everything
 * works on the newest item of m. */
#ifndef FC_INGEST_DECODERS_LORA_H
#define FC_INGEST_DECODERS_LORA_H

#include "services/ingest/decode.h"

/* The device: named as people named it, told from others by its id (the name may be NULL
 * or without a letter: then it is named by its id). Two ids of one name are two devices,
 * and the ledger refuses the second. */
enum reject lora_device(struct message *m, const char *name, const char *id,
                        struct err *e);

/* rssi and snr of the gateway that heard it best, of an array of {"rssi","snr"}. */
enum reject lora_gateways(struct message *m, const json_t *gateways, struct err *e);

/* What the device measured: the network server's decoded object, or the bytes in base64
 * as Cayenne LPP. Either may be NULL. */
enum reject lora_values(struct message *m, const json_t *decoded, const json_t *bytes,
                        struct err *e);

#endif
