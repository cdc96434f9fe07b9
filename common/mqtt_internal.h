/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mqtt_internal: what mqtt.c (the callers' side), mqtt_session.c and mqtt_receive.c (the
 * thread's) share. Not for others. */
#ifndef FC_COMMON_MQTT_INTERNAL_H
#define FC_COMMON_MQTT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/mqtt.h"
#include "common/mqtt_link.h"

#define MQTT_INFLIGHT_MAX 1000           /* publications that wait for their end */
#define MQTT_OUT_BYTES ((size_t)1 << 20) /* of publications that wait for the link */

/* Packet ids: 1 .. MQTT_INFLIGHT_MAX are publications, by slot; behind these come the
 * subscriptions. */
#define MQTT_SUB_ID (MQTT_INFLIGHT_MAX + 1)

enum mqtt_answer { MQTT_ASKED, MQTT_TAKEN, MQTT_NOT_TAKEN };

struct mqtt_subscription {
    char *filter; /* owned */
    int qos;
    bool extra; /* nobody minds when it is refused */
    enum mqtt_answer answer;
};

/* A publication at QoS 1 that is not acknowledged. */
struct mqtt_slot {
    bool used;
    uint64_t number; /* they are sent again in this order */
    char *packet;    /* owned; NULL in a clean session, where nothing is sent again */
    size_t len;      /* of the packet */
};

struct mqtt {
    struct mqtt_opts o; /* its texts are owned copies */
    pthread_t thread;
    bool runs;
    int wake_fd;

    /* the thread's */
    struct mqtt_link *link;
    bool answered;     /* the broker answered our CONNECT, */
    bool greeted;      /* ... and took us */
    unsigned char *in; /* what came and is not yet a whole packet; owned */
    size_t in_len, in_cap;
    size_t want;     /* bytes of the packet at its beginning; 0: not known yet */
    size_t skipped;  /* of these, left out between in_len and the rest */
    struct buf acks; /* PUBACKs of messages that on_batch has not taken yet */
    bool given;      /* messages were given since on_batch was asked */
    bool refused;    /* on_message said no to the one at the beginning of `in` */
    bool held;       /* one of these two is so: nothing is read */
    struct buf wire; /* bytes on their way; those before `sent` are gone */
    size_t sent;
    int wire_qos0; /* publications at QoS 0 in wire */
    int64_t heard_ms, spoke_ms, ping_ms, ask_ms, batch_ms; /* monotonic */
    int64_t wrote;   /* bytes of this connection that are written, */
    int64_t ping_at; /* ... where in these the ping ends that is not answered, */
    int64_t arrived; /* ... and how many had arrived when it was last looked */
    struct mqtt_subscription subs[MQTT_FILTERS_MAX + 1];
    int n_subs;
    bool unsure; /* they were never all answered: a session may be there without them */
    int64_t subs_ms; /* since when we wait for their answers, monotonic; 0: nobody does */
    int64_t subs_at; /* where in this connection's bytes they end */
    struct log_often unanswered;

    pthread_mutex_t lock; /* everything below */
    pthread_cond_t changed;
    bool up, ending, sleeps;
    struct buf out; /* publications for the wire */
    int out_qos0;   /* of these, at QoS 0 */
    struct mqtt_slot slot[MQTT_INFLIGHT_MAX];
    uint16_t unused[MQTT_INFLIGHT_MAX]; /* slots; a stack */
    int n_unused;
    size_t slot_bytes; /* of all slots' packets */
    uint64_t published;
    atomic_long failed;
};

/* Publications whose end is open. With the lock held. */
static inline int mqtt_open_ones(const struct mqtt *m)
{
    return MQTT_INFLIGHT_MAX - m->n_unused + m->out_qos0 + m->wire_qos0;
}

/* A slot's publication has come to its end. With the lock held. */
void mqtt_slot_done(struct mqtt *m, uint16_t slot);

/* Is it to end? Nobody is told of anything then. */
bool mqtt_is_ending(struct mqtt *m);

/* One connection, from CONNECT to its end, which *e explains. greeted says afterwards
 * whether the broker had taken us. */
void mqtt_session(struct mqtt *m, struct err *e);

/* The thread's: reads, and takes what came. How many bytes; 0: none now. -1: this
 * connection is over. */
long mqtt_receive(struct mqtt *m, struct err *e) MUST_CHECK;
/* When something is held: gives it again, or asks on_batch again, if that is due. */
int mqtt_receive_again(struct mqtt *m, struct err *e) MUST_CHECK;
/* Asks for all subscriptions, or for those that are not taken. */
void mqtt_subscribe(struct mqtt *m, bool all);

/* Asks the thread to look around. With the lock held. */
void mqtt_wake(struct mqtt *m);

/* on_state, when anybody is to hear of it. The thread's. */
void mqtt_tell(struct mqtt *m, bool up, const char *why);

#endif
