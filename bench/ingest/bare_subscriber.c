/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peer of bench/ingest: the least an MQTT client can do at QoS 1. It subscribes with
 * a persistent session, counts N messages and prints the seconds from the first to the
 * last.
 *
 *   bare_subscriber URL CLIENT_ID FILTER N [--subscribe-only]
 *
 * --subscribe-only makes the session and leaves, so that the broker queues for it. */
#include <MQTTAsync.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_long received;
static atomic_int subscribed, failed;
static long wanted;
static struct timespec first, last;
static const char *filter;
static MQTTAsync client;

static int on_message(void *arg, char *topic, int len, MQTTAsync_message *m)
{
    (void)arg;
    (void)len;
    long n = atomic_fetch_add(&received, 1) + 1;
    if (n == 1)
        clock_gettime(CLOCK_MONOTONIC, &first);
    if (n == wanted)
        clock_gettime(CLOCK_MONOTONIC, &last);
    MQTTAsync_freeMessage(&m);
    MQTTAsync_free(topic);
    return 1;
}

static void on_subscribed(void *arg, MQTTAsync_successData *d)
{
    (void)arg;
    (void)d;
    atomic_store(&subscribed, 1);
}

static void on_failed(void *arg, MQTTAsync_failureData *d)
{
    (void)arg;
    fprintf(stderr, "bare_subscriber: %s\n", d && d->message ? d->message : "failed");
    atomic_store(&failed, 1);
}

static void on_connected(void *arg, char *cause)
{
    (void)arg;
    (void)cause;
    MQTTAsync_responseOptions r = MQTTAsync_responseOptions_initializer;
    r.onSuccess = on_subscribed;
    r.onFailure = on_failed;
    MQTTAsync_subscribe(client, filter, 1, &r);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr,
                "usage: bare_subscriber URL CLIENT_ID FILTER N [--subscribe-only]\n");
        return 2;
    }
    filter = argv[3];
    wanted = atol(argv[4]);
    MQTTAsync_create(&client, argv[1], argv[2], MQTTCLIENT_PERSISTENCE_NONE, NULL);
    MQTTAsync_setCallbacks(client, NULL, NULL, on_message, NULL);
    MQTTAsync_setConnected(client, NULL, on_connected);
    MQTTAsync_connectOptions c = MQTTAsync_connectOptions_initializer;
    c.cleansession = 0;
    c.keepAliveInterval = 30;
    c.onFailure = on_failed;
    if (MQTTAsync_connect(client, &c) != MQTTASYNC_SUCCESS)
        return 1;
    int only = argc > 5 && !strcmp(argv[5], "--subscribe-only");
    for (long ms = 0; ms < 300000 && !atomic_load(&failed); ms++) {
        if (only ? atomic_load(&subscribed) : atomic_load(&received) >= wanted)
            break;
        usleep(1000);
    }
    MQTTAsync_disconnectOptions d = MQTTAsync_disconnectOptions_initializer;
    d.timeout = 1000;
    MQTTAsync_disconnect(client, &d);
    usleep(200000);
    if (only)
        return !atomic_load(&subscribed);
    if (atomic_load(&received) < wanted) {
        fprintf(stderr, "bare_subscriber: %ld of %ld messages came\n", received, wanted);
        return 1;
    }
    printf("%.6f\n", (double)(last.tv_sec - first.tv_sec) +
                         (double)(last.tv_nsec - first.tv_nsec) / 1e9);
    return 0;
}
