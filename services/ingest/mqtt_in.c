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
#include "services/ingest/dropped.h"
#include "services/ingest/filters.h"
#include "services/ingest/nap.h"
#include "services/ingest/sparkplug_pb.h"
#include "services/ingest/sparkplug_topic.h"

#define ACK_MS 1000
#define ANNOUNCED_AT_ONCE 500 /* then acknowledgements have their turn */

struct mqtt_in {
    struct intake *intake;
    struct mqtt *mqtt;
    struct announce *announce;
    char ha_status[160]; /* where Home Assistant says that it is there */
    struct dep *broker, *subscription, *log;
    const char *user; /* borrowed */
    struct filters filters;
    struct dropped dropped;
    bool up, was_up;  /* on_state's */
    bool refused_all; /* on_refused's */
    struct nap nap;
    atomic_bool waits; /* for the log */
    pthread_t teller;
    bool tells; /* that thread runs */
    bool rebirths;
    struct metric *connected, *reconnects, *refused, *refusals;
};

static void note_dropped(struct mqtt_in *in, const struct mqtt_message *m)
{
    int64_t n = dropped_note(&in->dropped, m->payload, m->len, clock_mono_ms());
    if (n)
        log_warn("the broker has dropped %" PRId64
                 " messages that it had acknowledged, of "
                 "ingest's session or of another client's: raise its max_queued_messages "
                 "(deploy/mosquitto/mosquitto.conf has 1000000), and keep ingest running",
                 n);
}

/* Home Assistant's own status is no device's. */
static bool is_ha_status(struct mqtt_in *in, const struct mqtt_message *m)
{
    if (!in->announce || strcmp(m->topic, in->ha_status) != 0)
        return false;
    if (m->len == 6 && !memcmp(m->payload, "online", 6))
        announce_again(in->announce);
    return true;
}

static bool take(struct mqtt_in *in, const struct mqtt_message *m)
{
    char topic[WAL_TOPIC_MAX + 1];
    struct arrival a = {
        .topic = topic, .payload = m->payload, .len = m->len, .from_broker = true};
    struct err e = ERR_INIT;
    snprintf(topic, sizeof topic, "%s", m->topic);
    a.flags = ((unsigned)m->qos & WAL_QOS) | (m->dup ? WAL_DUP : 0) |
              (m->retain ? WAL_RETAIN : 0);
    arrival_cut(&a, m->whole);
    if (intake_stage(in->intake, &a, &e) == 0)
        return true;
    in->waits = true;
    dep_down(in->log, e.text);
    return false;
}

static bool on_message(void *arg, const struct mqtt_message *m)
{
    struct mqtt_in *in = arg;
    if (strcmp(m->topic, DROPPED_TOPIC) == 0)
        note_dropped(in, m);
    else if (!is_ha_status(in, m))
        return take(in, m);
    return true;
}

static bool on_batch(void *arg)
{
    struct mqtt_in *in = arg;
    struct err e = ERR_INIT;
    if (intake_commit(in->intake, &e)) {
        in->waits = true;
        dep_down(in->log, e.text);
        return false;
    }
    if (in->waits)
        dep_up(in->log);
    in->waits = false;
    return true;
}

static void say_broker(struct mqtt_in *in, const char *why)
{
    if (in->up && in->refused_all)
        dep_down(in->broker, "it refuses every topic of FC_MQTT_FILTERS");
    else if (in->up)
        dep_up(in->broker);
    else
        dep_down(in->broker, why);
}

static void on_state(void *arg, bool up, const char *why)
{
    struct mqtt_in *in = arg;
    metric_set(in->connected, up);
    in->up = up;
    say_broker(in, why);
    if (up && in->was_up) {
        metric_add(in->reconnects, 1);
        if (in->announce) /* what was on its way may be lost */
            announce_again(in->announce);
    }
    in->was_up |= up;
}

static void on_refused(void *arg, const char *const *filters, int n)
{
    struct mqtt_in *in = arg;
    struct buf names;
    buf_init(&names, 300);
    for (int i = 0; i < n; i++)
        buf_addf(&names, "%s\"%s\"", i ? ", " : "", filters[i]);
    metric_set(in->refused, n);
    metric_add(in->refusals, n);
    in->refused_all = n == in->filters.n;
    char *why =
        xasprintf("the broker refuses %d of %d topics: %s%s: let %s%s read them "
                  "there, or take them out of FC_MQTT_FILTERS",
                  n, in->filters.n, names.data ? names.data : "",
                  names.full ? " ..." : "", *in->user ? "user " : "ingest", in->user);
    if (n)
        dep_down(in->subscription, why);
    else
        dep_up(in->subscription);
    if (in->up)
        say_broker(in, "");
    free(why);
    buf_done(&names);
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

static int ask_rebirth(void *arg, const char *edge)
{
    struct mqtt_in *in = arg;
    char topic[SPARKPLUG_TOPIC_MAX + 1];
    struct err e = ERR_INIT;
    struct buf b;
    buf_init(&b, 256);
    sparkplug_command_topic(edge, topic);
    sparkplug_rebirth(&b, clock_now_ms());
    int rc = mqtt_publish(in->mqtt, topic, b.data, b.len, 0, false, &e);
    if (!rc)
        log_info("asked the Sparkplug edge node %s for its birth", edge);
    buf_done(&b);
    return rc;
}

static int publish_config(void *arg, const char *topic, const char *payload, size_t len)
{
    struct mqtt_in *in = arg;
    struct err e = ERR_INIT;
    return mqtt_publish(in->mqtt, topic, payload, len, 1, true, &e);
}

/* Not in the thread that calls us back: publishing may wait for the broker. */
static void *tell_others(void *arg)
{
    struct mqtt_in *in = arg;
    while (nap_wait(&in->nap, ACK_MS)) {
        if (mqtt_is_up(in->mqtt) && !in->filters.shared)
            intake_acks(in->intake, publish, in);
        if (mqtt_is_up(in->mqtt) && in->announce)
            announce_some(in->announce, ANNOUNCED_AT_ONCE, publish_config, in);
        if (mqtt_is_up(in->mqtt) && in->rebirths)
            intake_rebirths(in->intake, ask_rebirth, in);
    }
    return NULL;
}

static int start_teller(struct mqtt_in *in, struct err *e)
{
    if (in->filters.shared && !in->announce)
        return 0;
    if (pthread_create(&in->teller, NULL, tell_others, in))
        return err_set(e, ERR_INTERNAL,
                       "could not start the thread that acknowledges readings");
    in->tells = true;
    return 0;
}

static void make_metrics(struct mqtt_in *in, struct metrics *m)
{
    in->connected = metric_gauge(m, "fieldcast_mqtt_connected",
                                 "1 while connected to the broker.", NULL);
    in->reconnects = metric_counter(m, "fieldcast_mqtt_reconnects_total",
                                    "Connections after the first.", NULL);
    in->refused =
        metric_gauge(m, "fieldcast_mqtt_refused_subscriptions",
                     "Topics of FC_MQTT_FILTERS that the broker refuses.", NULL);
    in->refusals = metric_counter(m, "fieldcast_mqtt_subscription_refusals_total",
                                  "Subscriptions that the broker has refused.", NULL);
    dropped_init(&in->dropped, m);
}

struct mqtt_in *mqtt_in_open(const struct mqtt_in_opts *io, struct err *e)
{
    const struct ingest_settings *set = io->set;
    struct mqtt_in *in = xcalloc(1, sizeof *in);
    in->intake = io->intake;
    in->broker = io->broker;
    in->subscription = io->subscription;
    in->log = io->log;
    in->announce = io->announce;
    snprintf(in->ha_status, sizeof in->ha_status, "%s/status", set->ha_prefix);
    in->user = set->mqtt.user;
    in->rebirths = set->sparkplug_rebirth;
    nap_init(&in->nap);
    make_metrics(in, io->metrics);
    struct mqtt_opts o = mqtt_opts_from(&set->mqtt);
    o.qos = 1;
    o.filters = (const char *const *)in->filters.list;
    o.extra_filter = DROPPED_TOPIC;
    o.on_message = on_message;
    o.on_batch = on_batch;
    o.on_state = on_state;
    o.on_refused = on_refused;
    o.arg = in;
    if (filters_parse(&in->filters, set->mqtt_filters, set->mqtt_share, e) == 0 &&
        filters_add_mapped(&in->filters, io->mapping, set->mqtt_share, e) == 0 &&
        (!in->announce || filters_add(&in->filters, in->ha_status, e) == 0) &&
        (in->mqtt = mqtt_open(&o, e)) && start_teller(in, e) == 0)
        return in;
    mqtt_in_close(in);
    return NULL;
}

void mqtt_in_close(struct mqtt_in *in)
{
    if (!in)
        return;
    nap_stop(&in->nap);
    if (in->tells)
        pthread_join(in->teller, NULL);
    if (in->waits)
        log_warn("the log takes nothing: the messages that wait stay with the broker");
    mqtt_close(in->mqtt);
    nap_done(&in->nap);
    filters_done(&in->filters);
    free(in);
}
