/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/mqtt_in.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/mqtt.h"
#include "services/ingest/nap.h"

#define FILTERS_MAX 32
#define RETRY_MS 100
#define ACK_MS 1000
#define CUT_BYTES 4096 /* what is kept of a message that is too large */

struct mqtt_in {
    struct intake *intake;
    struct mqtt *mqtt;
    struct dep *broker, *log;
    char *filters; /* owned; cut in place */
    const char *list[FILTERS_MAX + 1];
    struct nap nap;
    atomic_bool waiting; /* the callback waits for the log */
    atomic_bool closed;
    bool was_up; /* on_state's */
    pthread_t acker;
    bool acks; /* that thread runs */
    struct metric *connected, *reconnects;
};

static void on_message(void *arg, const struct mqtt_message *m)
{
    struct mqtt_in *in = arg;
    char topic[WAL_TOPIC_MAX + 1];
    struct arrival a = {.topic = topic, .payload = m->payload, .len = m->len};
    snprintf(topic, sizeof topic, "%s", m->topic);
    a.flags = ((unsigned)m->qos & WAL_QOS) | (m->dup ? WAL_DUP : 0) |
              (m->retain ? WAL_RETAIN : 0);
    if (a.len > MESSAGE_BYTES_MAX) {
        a.len = CUT_BYTES;
        a.flags |= WAL_CUT;
    }
    struct err e = ERR_INIT;
    while (intake_take(in->intake, &a, &e)) {
        dep_down(in->log, e.text);
        e = (struct err)ERR_INIT;
        atomic_store(&in->waiting, true);
        nap_wait(&in->nap, RETRY_MS);
        if (nap_stopped(
                &in->nap)) /* not taken, so never to return: see mqtt_in_close() */
            clock_sleep_ms(RETRY_MS);
    }
    if (atomic_load(&in->waiting))
        dep_up(in->log);
    atomic_store(&in->waiting, false);
}

static void on_state(void *arg, bool up, const char *why)
{
    struct mqtt_in *in = arg;
    metric_set(in->connected, up);
    if (up)
        dep_up(in->broker);
    else
        dep_down(in->broker, why);
    if (up && in->was_up)
        metric_add(in->reconnects, 1);
    in->was_up |= up;
}

static int split_filters(struct mqtt_in *in, struct err *e)
{
    size_t n = 0;
    char *save;
    for (char *f = strtok_r(in->filters, ",", &save); f; f = strtok_r(NULL, ",", &save)) {
        f += strspn(f, " ");
        for (size_t len = strlen(f); len && f[len - 1] == ' '; len--)
            f[len - 1] = '\0';
        if (n == FILTERS_MAX)
            return err_set(e, ERR_INVALID, "FC_MQTT_FILTERS has more than %d filters",
                           FILTERS_MAX);
        if (*f && !mqtt_filter_valid(f))
            return err_set(e, ERR_INVALID,
                           "FC_MQTT_FILTERS: \"%.100s\" is not a filter: + stands for a "
                           "whole level, # for all that follow",
                           f);
        if (*f)
            in->list[n++] = f;
    }
    return n ? 0 : err_set(e, ERR_INVALID, "FC_MQTT_FILTERS names no topic");
}

static int publish(void *arg, const char *device, int64_t boot, int64_t upto)
{
    struct mqtt_in *in = arg;
    char topic[DEVICE_MAX + 32], payload[80];
    struct err e = ERR_INIT;
    snprintf(topic, sizeof topic, "fieldcast/ack/%s", device);
    int n = snprintf(payload, sizeof payload,
                     "{\"boot\":%" PRId64 ",\"seq\":%" PRId64 "}", boot, upto);
    return mqtt_publish(in->mqtt, topic, payload, (size_t)n, 1, false, &e);
}

/* Not in the thread that awaits the end: while a message waits for the log, the library
 * publishes nothing and does not return. */
static void *send_acks(void *arg)
{
    struct mqtt_in *in = arg;
    while (nap_wait(&in->nap, ACK_MS))
        if (mqtt_is_up(in->mqtt))
            intake_acks(in->intake, publish, in);
    return NULL;
}

static int start_acks(struct mqtt_in *in, struct err *e)
{
    if (pthread_create(&in->acker, NULL, send_acks, in))
        return err_set(e, ERR_INTERNAL,
                       "could not start the thread that acknowledges readings");
    in->acks = true;
    return 0;
}

struct mqtt_in *mqtt_in_open(const struct ingest_settings *set, struct intake *intake,
                             struct dep *broker, struct dep *log, struct metrics *m,
                             struct err *e)
{
    struct mqtt_in *in = xcalloc(1, sizeof *in);
    in->intake = intake;
    in->broker = broker;
    in->log = log;
    in->filters = xstrdup(set->mqtt_filters);
    nap_init(&in->nap);
    in->connected = metric_gauge(m, "fieldcast_mqtt_connected",
                                 "1 while connected to the broker.", NULL);
    in->reconnects = metric_counter(m, "fieldcast_mqtt_reconnects_total",
                                    "Connections after the first.", NULL);
    struct mqtt_opts o = {.url = set->mqtt.url,
                          .client_id = set->mqtt.client_id,
                          .user = set->mqtt.user,
                          .password = set->mqtt.password,
                          .ca_file = set->mqtt.ca_file,
                          .clean = false,
                          .qos = 1,
                          .filters = in->list,
                          .on_message = on_message,
                          .on_state = on_state,
                          .arg = in};
    if (split_filters(in, e) == 0 && (in->mqtt = mqtt_open(&o, e)) &&
        start_acks(in, e) == 0)
        return in;
    mqtt_in_close(in);
    return NULL;
}

static void *close_client(void *arg)
{
    struct mqtt_in *in = arg;
    if (in->acks)
        pthread_join(in->acker, NULL);
    mqtt_close(in->mqtt);
    atomic_store(&in->closed, true);
    return NULL;
}

/* The library closes only when its callback is over. That never ends while the log takes
 * nothing, and may begin to wait at any moment: so somebody else closes, and we watch
 * both. */
bool mqtt_in_close(struct mqtt_in *in)
{
    pthread_t closer;
    if (!in)
        return true;
    nap_stop(&in->nap);
    if (in->mqtt && pthread_create(&closer, NULL, close_client, in) == 0) {
        while (!atomic_load(&in->closed) && !atomic_load(&in->waiting))
            clock_sleep_ms(2);
        if (!atomic_load(&in->closed)) {
            log_warn(
                "the log takes nothing: the message that waits stays with the broker");
            pthread_detach(closer);
            return false;
        }
        pthread_join(closer, NULL);
    }
    nap_done(&in->nap);
    free(in->filters);
    free(in);
    return true;
}
