/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/mqtt_packet.h"

#include <string.h>

#define LENGTH_BYTES 4 /* of the remaining length, at most (2.2.3) */

int mqtt_read_head(const unsigned char *p, size_t n, struct mqtt_head *h)
{
    size_t body = 0;
    for (size_t i = 1; i < n; i++) {
        body |= (size_t)(p[i] & 0x7f) << (7 * (i - 1));
        if (p[i] & 0x80) {
            if (i == LENGTH_BYTES)
                return -1;
            continue;
        }
        *h = (struct mqtt_head){(enum mqtt_type)(p[0] >> 4), p[0] & 0x0f, i + 1, body};
        return 1;
    }
    return 0;
}

static uint16_t get16(const unsigned char *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

uint16_t mqtt_read_id(const unsigned char *p, size_t n)
{
    return n < 2 ? 0 : get16(p);
}

int mqtt_read_publish(const struct mqtt_head *h, unsigned char *p, size_t n,
                      struct mqtt_publication *out)
{
    *out = (struct mqtt_publication){.qos = (int)(h->flags >> 1 & 3),
                                     .dup = h->flags & MQTT_DUP,
                                     .retain = h->flags & 1};
    size_t at = 2, id_bytes = out->qos ? 2 : 0;
    if (out->qos == 3 || n < at)
        return -1;
    out->topic_len = get16(p);
    if (!out->topic_len || n - at < out->topic_len + id_bytes)
        return -1;
    at += out->topic_len;
    out->id = out->qos ? get16(p + at) : 0;
    if (out->qos && !out->id)
        return -1;
    out->topic = memmove(p + 1, p + 2, out->topic_len);
    out->topic[out->topic_len] = '\0';
    out->payload = p + at + id_bytes;
    out->len = n - at - id_bytes;
    return 0;
}

void mqtt_unread_publish(unsigned char *p, const struct mqtt_publication *in)
{
    memmove(p + 2, in->topic, in->topic_len);
    p[0] = (unsigned char)(in->topic_len >> 8);
    p[1] = (unsigned char)in->topic_len;
}

static void put16(struct buf *b, size_t x)
{
    const char bytes[] = {(char)(x >> 8), (char)x};
    buf_add(b, bytes, 2);
}

static void put_text(struct buf *b, const char *s)
{
    size_t n = strlen(s);
    put16(b, n);
    buf_add(b, s, n);
}

static size_t text_size(const char *s)
{
    return s ? 2 + strlen(s) : 0;
}

static void put_head(struct buf *b, enum mqtt_type type, unsigned flags, size_t body)
{
    buf_addc(b, (char)((unsigned)type << 4 | flags));
    do {
        buf_addc(b, (char)((body & 0x7f) | (body > 0x7f ? 0x80 : 0)));
        body >>= 7;
    } while (body);
}

void mqtt_write_connect(struct buf *b, const struct mqtt_hello *h)
{
    const char *will = h->will_payload ? h->will_payload : "";
    const char *const texts[] = {h->client_id ? h->client_id : "", h->will_topic,
                                 h->will_topic ? will : NULL, h->user, h->password};
    size_t body = 10;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        body += text_size(texts[i]);
    put_head(b, MQTT_CONNECT, 0, body);
    put_text(b, "MQTT");
    buf_addc(b, 4); /* protocol level: 3.1.1 */
    buf_addc(b, (char)((h->user ? 0x80 : 0) | (h->password ? 0x40 : 0) |
                       (h->will_topic ? 0x20 | 0x08 | 0x04 : 0) | (h->clean ? 0x02 : 0)));
    put16(b, h->keepalive_s);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i])
            put_text(b, texts[i]);
}

void mqtt_write_publish(struct buf *b, const char *topic, const void *payload, size_t len,
                        int qos, bool retain, uint16_t id)
{
    put_head(b, MQTT_PUBLISH, (unsigned)qos << 1 | retain,
             text_size(topic) + (qos ? 2 : 0) + len);
    put_text(b, topic);
    if (qos)
        put16(b, id);
    buf_add(b, payload, len);
}

void mqtt_write_subscribe(struct buf *b, uint16_t id, const char *filter, int qos)
{
    put_head(b, MQTT_SUBSCRIBE, 2, 2 + text_size(filter) + 1);
    put16(b, id);
    put_text(b, filter);
    buf_addc(b, (char)qos);
}

void mqtt_write_puback(struct buf *b, uint16_t id)
{
    const char packet[] = {(char)(MQTT_PUBACK << 4), 2, (char)(id >> 8), (char)id};
    buf_add(b, packet, sizeof packet);
}

void mqtt_write_empty(struct buf *b, enum mqtt_type type)
{
    put_head(b, type, 0, 0);
}
