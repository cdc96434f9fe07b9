/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mqtt: one MQTT client (paho MQTTAsync inside), as ingest, monitor and the tools use it.
 *
 * It connects in the background and again, for ever, after a loss (1 s .. 30 s apart),
 * and then subscribes again by itself. Callbacks run in the library's own thread. A
 * message counts as taken when on_message returns: only then is it acknowledged to the
 * broker. So on_message writes it to disk first and may block; it cannot refuse. */
#ifndef FC_COMMON_MQTT_H
#define FC_COMMON_MQTT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/settings.h"

struct mqtt;

/* Where the broker is and who comes; MQTT_SETTINGS fills it from the environment. */
struct mqtt_settings {
    char *url, *user, *password, *ca_file, *client_id;
};

/* Rows for a service's table. T: its settings struct, M: the member of the type above,
 * ID, ID_MIN, ID_TEXT: of the client id. */
/* clang-format off */
#define MQTT_SETTINGS(T, M, ID, ID_MIN, ID_TEXT)                                        \
    {"MQTT_URL", SET_URL, offsetof(T, M.url), "tcp://127.0.0.1:1883", 6, 512,           \
     "the broker"},                                                                     \
    {"MQTT_USER", SET_STRING, offsetof(T, M.user), "", 0, 256,                          \
     "user at the broker; empty: none"},                                                \
    {"MQTT_PASSWORD", SET_SECRET, offsetof(T, M.password), "", 0, 512, "and password"}, \
    {"MQTT_CA_FILE", SET_STRING, offsetof(T, M.ca_file), "", 0, 4096,                   \
     "certificate authority for ssl://; empty: the system's"},                          \
    {"MQTT_CLIENT_ID", SET_STRING, offsetof(T, M.client_id), ID, ID_MIN, 64, ID_TEXT}
/* clang-format on */

struct mqtt_message {
    const char *topic; /* NUL-terminated; borrowed for the call, like payload */
    const void *payload;
    size_t len;
    int qos;
    bool dup, retain;
};

struct mqtt_opts {
    const char *url;             /* "tcp://host:1883", "ssl://host:8883" */
    const char *client_id;       /* stable for a persistent session; 1..64 bytes */
    const char *user, *password; /* "" or NULL = none */
    const char *ca_file;         /* "" or NULL = the system's, for ssl:// */
    bool clean;                  /* true: no session is kept at the broker */
    int qos;                     /* of the subscriptions */
    const char *const *filters;  /* subscriptions, ended by NULL; NULL = none. borrowed */
    const char *will_topic, *will_payload; /* retained last will; NULL = none */
    void (*on_message)(void *arg, const struct mqtt_message *m);
    void (*on_state)(void *arg, bool up, const char *why); /* NULL is fine */
    void *arg;
};

/* Starts connecting; the broker need not be there yet. opts and its texts are copied
 * except filters. Fails only for settings that can never work. */
struct mqtt *mqtt_open(const struct mqtt_opts *o, struct err *e) MUST_CHECK;
/* Waits up to 2 s for what is in flight, disconnects, frees. NULL is fine. */
void mqtt_close(struct mqtt *m);

bool mqtt_is_up(const struct mqtt *m);
/* Waits up to ms (real) for a connection. */
bool mqtt_wait_up(struct mqtt *m, int ms);

/* Hands a message over for sending (copied); at most 1000 wait for their acknowledgement,
 * beyond that the call blocks up to 30 s. Fails when not connected. Any thread. */
int mqtt_publish(struct mqtt *m, const char *topic, const void *payload, size_t len,
                 int qos, bool retain, struct err *e) MUST_CHECK;
/* Messages handed over and not yet acknowledged (QoS 1) or sent (QoS 0). */
int mqtt_inflight(const struct mqtt *m);
/* Waits until nothing is in flight, up to ms; returns how many still are. */
int mqtt_drain(struct mqtt *m, int ms);
/* Messages of mqtt_publish() whose delivery failed (the connection broke): they are lost
 * unless the caller sends them again. */
long mqtt_failed(const struct mqtt *m);

/* Does a topic match a subscription filter (+ and #)? */
bool mqtt_match(const char *filter, const char *topic);
/* Is a text a filter? + and # stand alone in their level, and # ends it. */
bool mqtt_filter_valid(const char *filter);

#endif
