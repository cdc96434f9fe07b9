/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mqtt_packet: packets of MQTT 3.1.1 (OASIS Standard, 29 October 2014), as a client needs
 * them, to and from bytes. No I/O; any thread. Numbers in comments are its sections. */
#ifndef FC_COMMON_MQTT_PACKET_H
#define FC_COMMON_MQTT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* The upper half of a packet's first byte (2.2.1). */
enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK = 2,
    MQTT_PUBLISH = 3,
    MQTT_PUBACK = 4,
    MQTT_SUBSCRIBE = 8,
    MQTT_SUBACK = 9,
    MQTT_PINGREQ = 12,
    MQTT_PINGRESP = 13,
    MQTT_DISCONNECT = 14
};

#define MQTT_REFUSED 0x80 /* a SUBACK's return code (3.9.3) */

struct mqtt_head {
    enum mqtt_type type;
    unsigned flags; /* the lower half of the first byte */
    size_t head;    /* bytes of the fixed header */
    size_t body;    /* bytes behind it, at most 268,435,455 */
};

/* The fixed header at the beginning of n bytes. 1: there. 0: not all of it yet. -1: these
 * bytes begin no packet (2.2.3). */
int mqtt_read_head(const unsigned char *p, size_t n, struct mqtt_head *h);

/* A PUBLISH whose body is at p, of which n bytes are there (all, unless it is cut).
 * The topic is moved a byte to the front for its NUL; it and the payload lie in p. */
struct mqtt_publication {
    char *topic; /* NUL-terminated */
    size_t topic_len;
    const unsigned char *payload;
    size_t len; /* of the payload, as far as it is there */
    int qos;
    bool dup, retain;
    uint16_t id; /* 0 at QoS 0 */
};
/* 0, or -1: no PUBLISH that a broker may send (3.3): no topic, QoS 3, an id of 0, or its
 * topic and id are not wholly there. */
int mqtt_read_publish(const struct mqtt_head *h, unsigned char *p, size_t n,
                      struct mqtt_publication *out);

/* Puts the topic back, so that the same bytes can be read once more. */
void mqtt_unread_publish(unsigned char *p, const struct mqtt_publication *in);

/* The packet id at the beginning of a PUBACK's or SUBACK's body; 0: none. */
uint16_t mqtt_read_id(const unsigned char *p, size_t n);

/* What a CONNECT says (3.1). NULL: not said. */
struct mqtt_hello {
    const char *client_id, *user, *password;
    const char *will_topic, *will_payload; /* QoS 1, retained */
    uint16_t keepalive_s;
    bool clean;
};

/* Each appends one packet to b, which may come to its ceiling (b->full). Texts are at
 * most 65,535 bytes. */
void mqtt_write_connect(struct buf *b, const struct mqtt_hello *h);
/* id: not 0 at QoS 1; unused at QoS 0. */
void mqtt_write_publish(struct buf *b, const char *topic, const void *payload, size_t len,
                        int qos, bool retain, uint16_t id);
void mqtt_write_subscribe(struct buf *b, uint16_t id, const char *filter, int qos);
void mqtt_write_puback(struct buf *b, uint16_t id);
void mqtt_write_empty(struct buf *b, enum mqtt_type type); /* PINGREQ, DISCONNECT */

#define MQTT_DUP 0x08 /* in the first byte of a PUBLISH that is sent again (3.3.1.1) */

#endif
