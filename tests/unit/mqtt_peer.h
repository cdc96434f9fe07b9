/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mqtt_peer: a broker that does what none does at will: cuts packets anywhere, forgets
 * answers, breaks off, sends nonsense; and a client of it that writes down what it is
 * given. For the tests of common/mqtt.h. A real broker is in tests/integration. */
#ifndef FC_TESTS_MQTT_PEER_H
#define FC_TESTS_MQTT_PEER_H

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/mqtt.h"
#include "common/mqtt_packet.h"
#include "common/stop.h"

#define LONG_MS 20000

struct peer {
    int listener, fd;
    int keepalive_s; /* of the client; 0: as it is by itself */
    char url[40];
    struct mqtt *client;
    unsigned char in[4096]; /* what the client sent and is not looked at yet */
    size_t n;
    /* what the client was given */
    pthread_mutex_t lock;
    struct buf said; /* a line for each call */
    atomic_int messages, batches, ups, downs;
    atomic_bool takes, commits;
};

static inline void say(struct peer *p, const char *what, const char *more)
{
    pthread_mutex_lock(&p->lock);
    buf_addf(&p->said, "%s%s\n", what, more);
    pthread_mutex_unlock(&p->lock);
}

static inline bool heard(struct peer *p, const char *what)
{
    pthread_mutex_lock(&p->lock);
    bool found = p->said.data && strstr(p->said.data, what);
    pthread_mutex_unlock(&p->lock);
    return found;
}

static inline bool on_message(void *arg, const struct mqtt_message *m)
{
    struct peer *p = arg;
    atomic_fetch_add(&p->messages, 1);
    if (!atomic_load(&p->takes))
        return false;
    char *line =
        xasprintf("%s %.*s %zu/%zu q%d%s%s", m->topic, (int)(m->len < 20 ? m->len : 20),
                  (const char *)m->payload, m->len, m->whole, m->qos,
                  m->dup ? " dup" : "", m->retain ? " retain" : "");
    say(p, "", line);
    free(line);
    return true;
}

static inline bool on_batch(void *arg)
{
    struct peer *p = arg;
    atomic_fetch_add(&p->batches, 1);
    return atomic_load(&p->commits);
}

static inline void on_state(void *arg, bool up, const char *why)
{
    struct peer *p = arg;
    say(p, up ? "up" : "down: ", why);
    atomic_fetch_add(up ? &p->ups : &p->downs, 1);
}

static inline void on_refused(void *arg, const char *const *filters, int n)
{
    struct peer *p = arg;
    for (int i = 0; i < n; i++)
        say(p, "refused: ", filters[i]);
    if (!n)
        say(p, "refused: ", "none");
}

#define await(cond)                                                                      \
    do {                                                                                 \
        int64_t end_ = clock_mono_ms() + LONG_MS;                                        \
        while (!(cond) && clock_mono_ms() < end_)                                        \
            clock_sleep_ms(2);                                                           \
        assert_true(cond);                                                               \
    } while (0)

static inline void take_call(struct peer *p)
{
    struct pollfd f = {.fd = p->listener, .events = POLLIN};
    assert_int_equal(poll(&f, 1, LONG_MS), 1);
    p->fd = accept(p->listener, NULL, NULL);
    assert_true(p->fd >= 0);
    p->n = 0;
}

static inline void hang_up(struct peer *p)
{
    close(p->fd);
    p->fd = -1;
}

static inline void send_bytes(struct peer *p, const void *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = send(p->fd, (const char *)bytes + done, n - done, MSG_NOSIGNAL);
        assert_true(k > 0);
        done += (size_t)k;
    }
}

/* The next packet from the client, up to the end of the connection (type 0). */
static inline struct mqtt_head next_packet(struct peer *p, unsigned char body[512])
{
    struct mqtt_head h = {0};
    while (mqtt_read_head(p->in, p->n, &h) < 1 || p->n < h.head + h.body) {
        struct pollfd f = {.fd = p->fd, .events = POLLIN};
        assert_int_equal(poll(&f, 1, LONG_MS), 1);
        ssize_t k = recv(p->fd, p->in + p->n, sizeof p->in - p->n, 0);
        if (k <= 0)
            return (struct mqtt_head){0};
        p->n += (size_t)k;
    }
    assert_true(h.body <= 512);
    memcpy(body, p->in + h.head, h.body);
    p->n -= h.head + h.body;
    memmove(p->in, p->in + h.head + h.body, p->n);
    return h;
}

static inline void expect_puback(struct peer *p, unsigned id)
{
    unsigned char body[512];
    struct mqtt_head h = next_packet(p, body);
    assert_int_equal(h.type, MQTT_PUBACK);
    assert_int_equal(mqtt_read_id(body, h.body), id);
}

static inline bool is_silent(struct peer *p)
{
    struct pollfd f = {.fd = p->fd, .events = POLLIN};
    return !p->n && poll(&f, 1, 300) == 0;
}

/* Answers CONNECT, and each of n subscriptions with that code. */
static inline void welcome(struct peer *p, bool session, int n, unsigned char code)
{
    unsigned char body[512];
    take_call(p);
    assert_int_equal(next_packet(p, body).type, MQTT_CONNECT);
    send_bytes(p, (const unsigned char[]){0x20, 2, session, 0}, 4);
    for (int i = 0; i < n; i++) {
        assert_int_equal(next_packet(p, body).type, MQTT_SUBSCRIBE);
        send_bytes(p, (const unsigned char[]){0x90, 3, body[0], body[1], code}, 5);
    }
}

static inline void give(struct buf *b, const char *topic, const char *payload, int qos,
                        uint16_t id)
{
    mqtt_write_publish(b, topic, payload, strlen(payload), qos, false, id);
}

static inline struct peer *peer_open(void)
{
    struct peer *p = xcalloc(1, sizeof *p);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    p->fd = -1;
    assert_int_equal(bind(p->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(p->listener, 8), 0);
    assert_int_equal(getsockname(p->listener, (struct sockaddr *)&a, &len), 0);
    snprintf(p->url, sizeof p->url, "tcp://127.0.0.1:%d", ntohs(a.sin_port));
    pthread_mutex_init(&p->lock, NULL);
    buf_init(&p->said, 1 << 20);
    p->takes = p->commits = true;
    return p;
}

static const char *const peer_filters[] = {"a/#", "b/+", NULL};

static inline void start(struct peer *p, bool clean, bool subscribes)
{
    struct err e = ERR_INIT;
    struct mqtt_opts o = {.url = p->url,
                          .client_id = "me",
                          .clean = clean,
                          .keepalive_s = p->keepalive_s,
                          .qos = 1,
                          .filters = subscribes ? peer_filters : NULL,
                          .on_message = on_message,
                          .on_batch = on_batch,
                          .on_state = on_state,
                          .on_refused = on_refused,
                          .arg = p};
    p->client = mqtt_open(&o, &e);
    assert_ok(!p->client, e);
}

static inline void peer_close(struct peer *p)
{
    mqtt_close(p->client);
    if (p->fd >= 0)
        close(p->fd);
    close(p->listener);
    buf_done(&p->said);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* start(), and the broker takes it: it is up. */
static inline void connected(struct peer *p, bool clean, bool subscribes)
{
    start(p, clean, subscribes);
    welcome(p, false, subscribes ? 2 : 0, 1);
    await(p->ups == 1);
}

#endif
