/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mqtt_link: the bytes between a client and its broker, over TCP or TLS (libcurl inside:
 * names, addresses, certificates, time-outs are its work). One thread at a time. */
#ifndef FC_COMMON_MQTT_LINK_H
#define FC_COMMON_MQTT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct mqtt_link;

#define MQTT_LINK_READ (64L << 10) /* the most bytes that one read gives */

struct mqtt_link_opts {
    const char *url; /* tcp:// or mqtt:// host[:1883]; ssl:// or mqtts:// host[:8883] */
    const char *ca_file, *cert_file, *key_file; /* mqtt.h; NULL = none */
    long timeout_ms;
    bool (*give_up)(void *arg); /* asked about once a second while it connects */
    void *arg;
};

/* Connects; of the options nothing is kept. ERR_INVALID: TLS does not trust the broker,
 * or our own certificate does not do. ERR_UPSTREAM: TLS does not come about. ERR_TIMEOUT,
 * ERR_UNAVAILABLE: not reached. */
struct mqtt_link *mqtt_link_open(const struct mqtt_link_opts *o,
                                 struct err *e) MUST_CHECK;
void mqtt_link_close(struct mqtt_link *l); /* NULL is fine */

/* How many of at most n bytes were read or written now; 0: none, it would block. -1: the
 * link is gone. What was not written has to come first in the next mqtt_link_write(). */
long mqtt_link_read(struct mqtt_link *l, void *p, size_t n, struct err *e) MUST_CHECK;
long mqtt_link_write(struct mqtt_link *l, const void *p, size_t n,
                     struct err *e) MUST_CHECK;
int mqtt_link_fd(const struct mqtt_link *l); /* to wait for */
/* About how many of the bytes written the broker's machine does not have yet. */
int64_t mqtt_link_under_way(const struct mqtt_link *l);

/* Is the address one with TLS? */
bool mqtt_is_tls(const char *url);
/* 0 when the address begins as one that can be used. */
int mqtt_check_url(const char *url, struct err *e) MUST_CHECK;

#endif
