/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes from a broker: packets lie within them, a message's parts lie within its
 * packet, and putting the topic back leaves the bytes as they came. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mqtt_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void check_publish(const struct mqtt_head *h, unsigned char *p, size_t n)
{
    struct mqtt_publication in;
    unsigned char *was = malloc(n + 1);
    memcpy(was, p, n);
    if (mqtt_read_publish(h, p, n, &in) == 0) {
        must(in.topic_len && in.topic[in.topic_len] == '\0', "the topic");
        must(in.payload + in.len == p + n, "the payload");
        must((in.qos > 0) == (in.id > 0), "the packet id");
        mqtt_unread_publish(p, &in);
    }
    must(memcmp(was, p, n) == 0, "the bytes");
    free(was);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    unsigned char *p = malloc(n + 1);
    struct mqtt_head h;
    memcpy(p, data, n);
    for (size_t at = 0; mqtt_read_head(p + at, n - at, &h) > 0; at += h.head + h.body) {
        size_t there = n - at - h.head < h.body ? n - at - h.head : h.body;
        unsigned char *body = malloc(there + 1); /* its own, so that its end is seen */
        memcpy(body, p + at + h.head, there);
        check_publish(&h, body, there); /* whole, or cut as a large one is */
        mqtt_read_id(body, there);
        free(body);
        if (there < h.body)
            break;
    }
    free(p);
    return 0;
}
