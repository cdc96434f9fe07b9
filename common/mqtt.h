/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mqtt: one MQTT 3.1.1 client, as ingest, monitor and the tools use it.
 *
 * It connects in the background and again, for ever, after a loss (0.25 s .. 30 s apart),
 * and then subscribes again by itself; filters that the broker refused are asked for
 * again then, and once in two keep-alives (a minute). A broker that answers no
 * subscription of a new session for a third of a keep-alive (10 s) is as good as lost.
 * One thread of its own does all of this, calls the callbacks, and keeps the connection
 * alive.
 *
 * Why not a library's: these acknowledge each message when the callback for it returns,
 * so that each costs a write of its own into the log (and, with FC_DURABILITY=power, a
 * wait for the disk). Here messages come by the batch: on_message for each, then on_batch
 * once, which writes all of them; only then are they acknowledged, together. A message
 * counts as taken when on_batch has said so. */
#ifndef FC_COMMON_MQTT_H
#define FC_COMMON_MQTT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/settings.h"

struct mqtt;

/* Where the broker is and who comes; MQTT_SETTINGS fills it from the environment. */
struct mqtt_settings {
    char *url, *user, *password, *ca_file, *cert_file, *key_file, *client_id;
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
    {"MQTT_CERT_FILE", SET_STRING, offsetof(T, M.cert_file), "", 0, 4096,               \
     "client certificate (PEM) that the broker asks for; empty: none"},                 \
    {"MQTT_KEY_FILE", SET_STRING, offsetof(T, M.key_file), "", 0, 4096,                 \
     "its private key; empty: it stands in FC_MQTT_CERT_FILE"},                         \
    {"MQTT_CLIENT_ID", SET_STRING, offsetof(T, M.client_id), ID, ID_MIN, 64, ID_TEXT}
/* clang-format on */

struct mqtt_message {
    const char *topic; /* NUL-terminated; borrowed for the call, like payload */
    const void *payload;
    size_t len;   /* bytes there are */
    size_t whole; /* bytes there were: more than MQTT_PAYLOAD_MAX leaves the rest out */
    int qos;
    bool dup, retain;
};

#define MQTT_PAYLOAD_MAX ((size_t)256 << 10)

#define MQTT_FILTERS_MAX 320

struct mqtt_opts {
    const char *url;             /* "tcp://host:1883", "ssl://host:8883" */
    const char *client_id;       /* stable for a persistent session; 1..64 bytes */
    const char *user, *password; /* "" or NULL = none */
    const char *ca_file;         /* "" or NULL = the system's, for ssl:// */
    const char *cert_file;       /* of the client, PEM; "" or NULL = none */
    const char *key_file;        /* "" or NULL = it stands in cert_file */
    bool clean;                  /* true: no session is kept at the broker */
    int keepalive_s;             /* 3..3600; 0 = 30 */
    int qos;                     /* of the subscriptions: 0 or 1 */
    /* Subscriptions, ended by NULL, at most MQTT_FILTERS_MAX; NULL = none. */
    const char *const *filters;
    /* One more, at QoS 0, that the broker may refuse without a word. NULL = none. */
    const char *extra_filter;
    const char *will_topic, *will_payload; /* retained last will; NULL = none */
    /* The callbacks hold up the keep-alive, so they do not wait for long. Of what is here
     * they may call mqtt_publish(). */
    /* False: not now; the same message is given again, ten times a second. */
    bool (*on_message)(void *arg, const struct mqtt_message *m);
    /* Are all messages taken that were given? False: not now; it is asked again, ten
     * times a second, and nothing more is read. NULL: always. */
    bool (*on_batch)(void *arg);
    /* Up when connected and, unless the broker had kept our session, every subscription
     * is answered; else why not. NULL is fine. */
    void (*on_state)(void *arg, bool up, const char *why);
    /* The n filters that the broker refuses, after all were answered; n is often 0. NULL
     * is fine. */
    void (*on_refused)(void *arg, const char *const *filters, int n);
    void *arg;
};

/* Options with what the settings say; the rest is zero. Borrows from s. */
struct mqtt_opts mqtt_opts_from(const struct mqtt_settings *s);

/* Starts connecting; the broker need not be there yet. opts and its texts are copied.
 * Fails only for settings that can never work (an address, files that are not there). */
struct mqtt *mqtt_open(const struct mqtt_opts *o, struct err *e) MUST_CHECK;
/* Waits up to 2 s for what is in flight, disconnects, frees. NULL is fine. */
void mqtt_close(struct mqtt *m);

bool mqtt_is_up(const struct mqtt *m);
/* Waits up to ms (real) for a connection. */
bool mqtt_wait_up(struct mqtt *m, int ms);

/* Hands a message over for sending (copied), at QoS 0 or 1; at most 1000 or 1 MB wait for
 * their acknowledgement, beyond that the call blocks up to 30 s (ERR_TIMEOUT; in a
 * callback it fails at once). Fails when not connected, and with ERR_TOO_LARGE beyond
 * MQTT_PAYLOAD_MAX. Any thread. */
int mqtt_publish(struct mqtt *m, const char *topic, const void *payload, size_t len,
                 int qos, bool retain, struct err *e) MUST_CHECK;
/* Messages handed over and not yet acknowledged (QoS 1) or sent (QoS 0). */
int mqtt_inflight(const struct mqtt *m);
/* Waits until nothing is in flight, up to ms; returns how many still are. */
int mqtt_drain(struct mqtt *m, int ms);
/* Messages of mqtt_publish() whose delivery failed (the connection broke): they are lost
 * unless the caller sends them again. Without o.clean only those at QoS 0 are: the others
 * are sent again by the next connection. */
long mqtt_failed(const struct mqtt *m);

/* Does a topic match a subscription filter (+ and #)? */
bool mqtt_match(const char *filter, const char *topic);
/* Is a text a filter? + and # stand alone in their level, and # ends it. After
 * "$share/GROUP/" stands a filter again. */
bool mqtt_filter_valid(const char *filter);
/* The filter after "$share/GROUP/", or the whole when it does not begin so. */
const char *mqtt_filter_shared(const char *filter);

#endif
