/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/publish.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/mqtt.h"
#include "common/plain.h"
#include "common/sha256.h"
#include "common/stop.h"

/* As many as common/mqtt lets wait for their acknowledgement. Brokers acknowledge in
 * order, so what is lost with a connection is among the last WINDOW messages. */
enum {
    WINDOW = 1000,
    FIRST_WAIT_MS = 10000,
    WAIT_MS = 60000,
    STOP_WAIT_MS = 2000,
    POLL_MS = 100
};

struct message {
    char *topic, *payload; /* owned */
    size_t len;
};

struct publisher {
    const struct publish_opts *o;
    struct mqtt *mqtt; /* NULL on a dry run */
    struct message recent[WINDOW];
    uint64_t taken; /* recent[taken % WINDOW] comes next */
    long failed_seen;
    pthread_mutex_t lock; /* why: written by the library's thread */
    char why[160];
    bool said_away;
};

uint32_t publisher_boot(const struct publish_opts *o, int64_t said)
{
    if (said >= 0)
        return (uint32_t)said;
    if (o->dry_run)
        return 1;
    /* a virtual clock may stand still between two runs */
    return (uint32_t)(clock_is_virtual() ? clock_mono_ms() : clock_now_ms() / 1000);
}

static void on_state(void *arg, bool up, const char *why)
{
    struct publisher *p = arg;
    pthread_mutex_lock(&p->lock);
    snprintf(p->why, sizeof p->why, "%s", up ? "" : why);
    pthread_mutex_unlock(&p->lock);
}

static int read_password(const char *path, char *out, size_t size, struct err *e)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return err_set(e, ERR_INVALID, "could not open the password file %s: %m", path);
    bool got = fgets(out, (int)size, f) != NULL;
    fclose(f);
    if (got)
        out[strcspn(out, "\r\n")] = '\0';
    if (!got || !*out)
        return err_set(e, ERR_INVALID, "the password file %s is empty", path);
    return 0;
}

/* Waits for a connection; says once that the broker is away and once that it is back. */
static int wait_up(struct publisher *p, int64_t limit_ms, struct err *e)
{
    int64_t end_ms = clock_mono_ms() + limit_ms;
    while (!mqtt_wait_up(p->mqtt, POLL_MS)) {
        if (!stop_wait(0))
            return err_set(e, ERR_NONE, "stopped before all was acknowledged");
        char why[sizeof p->why];
        pthread_mutex_lock(&p->lock);
        memcpy(why, p->why, sizeof why);
        pthread_mutex_unlock(&p->lock);
        if (!p->o->patient && clock_mono_ms() >= end_ms)
            return err_set(e, ERR_UNAVAILABLE,
                           "could not reach the broker %s in %d s%s%s", p->o->url,
                           (int)(limit_ms / 1000), *why ? ": " : "", why);
        if (!p->said_away && *why)
            fprintf(stderr, "fieldcast %s: the broker %s is away (%s): trying again\n",
                    p->o->command, p->o->url, why);
        p->said_away = p->said_away || *why;
    }
    if (p->said_away)
        fprintf(stderr, "fieldcast %s: connected to the broker %s\n", p->o->command,
                p->o->url);
    p->said_away = false;
    return 0;
}

static int connect_broker(struct publisher *p, struct err *e)
{
    char password[256] = "", id[40];
    if (p->o->password_file &&
        read_password(p->o->password_file, password, sizeof password, e))
        return -1;
    snprintf(id, sizeof id, "fieldcast-%s-", p->o->command);
    if (random_hex(id + strlen(id), 6))
        return err_set(e, ERR_INTERNAL, "the system gives no random numbers");
    struct mqtt_opts mo = {.url = p->o->url,
                           .client_id = id,
                           .user = p->o->user,
                           .password = password,
                           .ca_file = p->o->ca_file,
                           .clean = true,
                           .on_state = on_state,
                           .arg = p};
    p->mqtt = mqtt_open(&mo, e);
    return p->mqtt ? wait_up(p, FIRST_WAIT_MS, e) : -1;
}

struct publisher *publisher_open(const struct publish_opts *o, struct err *e)
{
    struct publisher *p = xcalloc(1, sizeof *p);
    p->o = o;
    pthread_mutex_init(&p->lock, NULL);
    if (!o->dry_run && connect_broker(p, e)) {
        publisher_close(p);
        return NULL;
    }
    return p;
}

void publisher_close(struct publisher *p)
{
    if (!p)
        return;
    mqtt_close(p->mqtt);
    for (size_t i = 0; i < WINDOW; i++) {
        free(p->recent[i].topic);
        free(p->recent[i].payload);
    }
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* Hands messages next, next + 1, ... to the library until all that were taken are there.
 * When a connection broke under some, it goes back to the oldest that can be among them:
 * those that had arrived after all arrive twice, which readers recognise by boot and seq,
 * or by time. */
static int send_from(struct publisher *p, uint64_t next, struct err *e)
{
    for (;;) {
        long failed = p->o->qos > 0 ? mqtt_failed(p->mqtt) : 0;
        if (failed != p->failed_seen)
            next = p->taken > WINDOW ? p->taken - WINDOW : 0;
        p->failed_seen = failed;
        if (next == p->taken)
            return 0;
        if (wait_up(p, WAIT_MS, e))
            return -1;
        const struct message *m = &p->recent[next % WINDOW];
        if (mqtt_publish(p->mqtt, m->topic, m->payload, m->len, (int)p->o->qos, false,
                         e) == 0)
            next++;
        else if (e->code == ERR_TIMEOUT && !p->o->patient)
            return -1;
        else if (!stop_wait(POLL_MS))
            return err_set(e, ERR_NONE, "stopped before all was acknowledged");
    }
}

int publisher_send(struct publisher *p, const char *topic, const char *payload,
                   size_t len, struct err *e)
{
    if (p->mqtt) {
        struct message *m = &p->recent[p->taken % WINDOW];
        free(m->topic);
        free(m->payload);
        *m = (struct message){xstrdup(topic), xstrndup(payload, len), len};
        return send_from(p, p->taken++, e);
    }
    p->taken++;
    char *text = xstrndup(payload, len);
    plain_put(stdout, topic);
    putchar(' ');
    plain_put(stdout, text);
    putchar('\n');
    free(text);
    if (ferror(stdout))
        return err_set(e, ERR_INTERNAL, "could not write to standard output: %m");
    return 0;
}

uint64_t publisher_done(const struct publisher *p)
{
    uint64_t open = p->mqtt ? (uint64_t)mqtt_inflight(p->mqtt) : 0;
    return p->taken > open ? p->taken - open : 0;
}

int publisher_finish(struct publisher *p, struct err *e)
{
    if (!p->mqtt)
        return fflush(stdout)
                   ? err_set(e, ERR_INTERNAL, "could not write to standard output: %m")
                   : 0;
    int64_t began_ms = clock_mono_ms();
    for (;;) {
        int left = mqtt_drain(p->mqtt, POLL_MS);
        if (send_from(p, p->taken, e))
            return -1;
        if (!left && !mqtt_inflight(p->mqtt))
            return 0;
        int64_t waited_ms = clock_mono_ms() - began_ms;
        if (!stop_wait(0) && waited_ms >= STOP_WAIT_MS)
            return err_set(e, ERR_NONE, "stopped before all was acknowledged");
        if (!p->o->patient && waited_ms >= WAIT_MS)
            return err_set(e, ERR_TIMEOUT,
                           "the broker %s left %d messages unacknowledged", p->o->url,
                           left);
    }
}
