/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peer of bench/ingest: the least that a client of the same library can do. It
 * subscribes at QoS 1 with a persistent session, says "ready", counts N messages and
 * prints the wall and CPU seconds from the first to the last.
 *
 *   bare_subscriber URL CLIENT_ID FILTER N [quiet]
 *
 * quiet: the library's trace of every packet, which nobody reads, is off, as in ingest.
 */
#include <MQTTAsync.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct times {
    struct timespec wall, cpu;
};

static atomic_long received;
static atomic_int failed;
static long wanted;
static struct times first, last;
static const char *filter;
static MQTTAsync client;

static void look(struct times *t)
{
    clock_gettime(CLOCK_MONOTONIC, &t->wall);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t->cpu);
}

static double seconds(const struct timespec *from, const struct timespec *to)
{
    return (double)(to->tv_sec - from->tv_sec) +
           (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

static int on_message(void *arg, char *topic, int len, MQTTAsync_message *m)
{
    (void)arg;
    (void)len;
    long n = atomic_load(&received) + 1;
    if (n == 1)
        look(&first);
    if (n == wanted)
        look(&last);
    MQTTAsync_freeMessage(&m);
    MQTTAsync_free(topic);
    atomic_store(&received, n);
    return 1;
}

static void on_subscribed(void *arg, MQTTAsync_successData *d)
{
    (void)arg;
    (void)d;
    puts("ready");
    fflush(stdout);
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
        fprintf(stderr, "usage: bare_subscriber URL CLIENT_ID FILTER N [quiet]\n");
        return 2;
    }
    filter = argv[3];
    wanted = atol(argv[4]);
    MQTTAsync_create(&client, argv[1], argv[2], MQTTCLIENT_PERSISTENCE_NONE, NULL);
    if (argc > 5)
        MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);
    MQTTAsync_setCallbacks(client, NULL, NULL, on_message, NULL);
    MQTTAsync_setConnected(client, NULL, on_connected);
    MQTTAsync_connectOptions c = MQTTAsync_connectOptions_initializer;
    c.cleansession = 0;
    c.keepAliveInterval = 300;
    c.onFailure = on_failed;
    if (MQTTAsync_connect(client, &c) != MQTTASYNC_SUCCESS)
        return 1;
    for (long i = 0; i < 60000 && !atomic_load(&failed); i++) {
        if (atomic_load(&received) >= wanted)
            break;
        usleep(10000);
    }
    MQTTAsync_disconnectOptions d = MQTTAsync_disconnectOptions_initializer;
    d.timeout = 1000;
    MQTTAsync_disconnect(client, &d);
    usleep(200000);
    if (atomic_load(&received) < wanted) {
        fprintf(stderr, "bare_subscriber: %ld of %ld messages came\n",
                atomic_load(&received), wanted);
        return 1;
    }
    printf("%.6f %.6f\n", seconds(&first.wall, &last.wall),
           seconds(&first.cpu, &last.cpu));
    return 0;
}
