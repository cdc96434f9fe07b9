/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client and a peer that does what no broker does at will: cuts packets anywhere,
 * forgets acknowledgements, breaks off, sends nonsense. A real broker is in
 * tests/integration. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
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

static void say(struct peer *p, const char *what, const char *more)
{
    pthread_mutex_lock(&p->lock);
    buf_addf(&p->said, "%s%s\n", what, more);
    pthread_mutex_unlock(&p->lock);
}

static bool heard(struct peer *p, const char *what)
{
    pthread_mutex_lock(&p->lock);
    bool found = p->said.data && strstr(p->said.data, what);
    pthread_mutex_unlock(&p->lock);
    return found;
}

static bool on_message(void *arg, const struct mqtt_message *m)
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

static bool on_batch(void *arg)
{
    struct peer *p = arg;
    atomic_fetch_add(&p->batches, 1);
    return atomic_load(&p->commits);
}

static void on_state(void *arg, bool up, const char *why)
{
    struct peer *p = arg;
    say(p, up ? "up" : "down: ", why);
    atomic_fetch_add(up ? &p->ups : &p->downs, 1);
}

static void on_refused(void *arg, const char *const *filters, int n)
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

static void take_call(struct peer *p)
{
    struct pollfd f = {.fd = p->listener, .events = POLLIN};
    assert_int_equal(poll(&f, 1, LONG_MS), 1);
    p->fd = accept(p->listener, NULL, NULL);
    assert_true(p->fd >= 0);
    p->n = 0;
}

static void hang_up(struct peer *p)
{
    close(p->fd);
    p->fd = -1;
}

static void send_bytes(struct peer *p, const void *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = send(p->fd, (const char *)bytes + done, n - done, MSG_NOSIGNAL);
        assert_true(k > 0);
        done += (size_t)k;
    }
}

/* The next packet from the client, up to the end of the connection (type 0). */
static struct mqtt_head next_packet(struct peer *p, unsigned char body[512])
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

static void expect_puback(struct peer *p, unsigned id)
{
    unsigned char body[512];
    struct mqtt_head h = next_packet(p, body);
    assert_int_equal(h.type, MQTT_PUBACK);
    assert_int_equal(mqtt_read_id(body, h.body), id);
}

static bool is_silent(struct peer *p)
{
    struct pollfd f = {.fd = p->fd, .events = POLLIN};
    return !p->n && poll(&f, 1, 300) == 0;
}

/* Answers CONNECT, and each of n subscriptions with that code. */
static void welcome(struct peer *p, bool session, int n, unsigned char code)
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

static void give(struct buf *b, const char *topic, const char *payload, int qos,
                 uint16_t id)
{
    mqtt_write_publish(b, topic, payload, strlen(payload), qos, false, id);
}

static struct peer *peer_open(void)
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

static const char *const filters[] = {"a/#", "b/+", NULL};

static void start(struct peer *p, bool clean, bool subscribes)
{
    struct err e = ERR_INIT;
    struct mqtt_opts o = {.url = p->url,
                          .client_id = "me",
                          .clean = clean,
                          .keepalive_s = p->keepalive_s,
                          .qos = 1,
                          .filters = subscribes ? filters : NULL,
                          .on_message = on_message,
                          .on_batch = on_batch,
                          .on_state = on_state,
                          .on_refused = on_refused,
                          .arg = p};
    p->client = mqtt_open(&o, &e);
    assert_ok(!p->client, e);
}

static void peer_close(struct peer *p)
{
    mqtt_close(p->client);
    if (p->fd >= 0)
        close(p->fd);
    close(p->listener);
    buf_done(&p->said);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static void test_a_byte_at_a_time(void **unused)
{
    (void)unused;
    struct peer *p = peer_open();
    struct buf b;
    buf_init(&b, 1000);
    start(p, false, true);
    welcome(p, false, 2, 1);
    await(p->ups == 1 && heard(p, "refused: none\nup\n"));
    give(&b, "a/b", "hello", 1, 7);
    give(&b, "a/c", "", 0, 0);
    for (size_t i = 0; i < b.len; i++) {
        send_bytes(p, b.data + i, 1);
        clock_sleep_ms(1);
    }
    expect_puback(p, 7);
    await(heard(p, "a/b hello 5/5 q1\na/c  0/0 q0\n"));
    buf_done(&b);
    peer_close(p);
}

/* Nothing is acknowledged, and nothing more read, before the batch is taken. */
static void test_batch(void **unused)
{
    (void)unused;
    struct peer *p = peer_open();
    struct buf b;
    buf_init(&b, 1000);
    start(p, false, false);
    welcome(p, false, 0, 1);
    await(p->ups == 1);
    p->commits = false;
    give(&b, "a", "1", 1, 1);
    give(&b, "a", "2", 1, 2);
    send_bytes(p, b.data, b.len);
    await(p->batches > 2);
    send_bytes(p, b.data, b.len);
    assert_true(is_silent(p));
    assert_int_equal(p->messages, 2);
    p->commits = true;
    expect_puback(p, 1);
    expect_puback(p, 2);
    expect_puback(p, 1);
    expect_puback(p, 2);
    assert_int_equal(p->messages, 4);
    buf_done(&b);
    peer_close(p);
}

/* A message that is not taken is given again as it was; those before it are taken. */
static void test_not_now(void **unused)
{
    (void)unused;
    struct peer *p = peer_open();
    struct buf b;
    buf_init(&b, 2 << 20);
    start(p, false, false);
    welcome(p, false, 0, 1);
    await(p->ups == 1);
    p->takes = false;
    give(&b, "a/long/topic", "payload", 1, 3);
    give(&b, "a", "after", 1, 4);
    send_bytes(p, b.data, b.len);
    await(p->messages > 2);
    assert_true(is_silent(p));
    p->takes = true;
    expect_puback(p, 3);
    expect_puback(p, 4);
    assert_true(heard(p, "up\na/long/topic payload 7/7 q1\na after 5/5 q1\n"));

    p->takes = false; /* the same with one that is cut */
    int before = p->messages;
    char *large = xcalloc(1, MQTT_PAYLOAD_MAX * 3);
    memset(large, 'x', MQTT_PAYLOAD_MAX * 3);
    buf_reset(&b);
    mqtt_write_publish(&b, "big", large, MQTT_PAYLOAD_MAX * 3, 1, true, 5);
    give(&b, "a", "behind", 1, 6);
    send_bytes(p, b.data, b.len);
    await(p->messages > before + 2);
    p->takes = true;
    expect_puback(p, 5);
    expect_puback(p, 6);
    assert_true(heard(p, "big xxxxxxxxxxxxxxxxxxxx 327"));
    assert_true(heard(p, "/786432 q1 retain\na behind 6/6 q1\n"));
    free(large);
    buf_done(&b);
    peer_close(p);
}

/* Lengths around what is read at once and what is kept at most. */
static void test_sizes(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {65520,  65536,  65600,  MQTT_PAYLOAD_MAX,
                                   327000, 327670, 327690, 328000,
                                   393216, 400000, 900000};
    struct peer *p = peer_open();
    struct buf b;
    buf_init(&b, 2 << 20);
    start(p, false, false);
    welcome(p, false, 0, 1);
    await(p->ups == 1);
    char *bytes = xcalloc(1, 1 << 20);
    for (size_t i = 0; i < N_OF(sizes); i++) {
        memset(bytes, (int)('a' + i), sizes[i]);
        buf_reset(&b);
        mqtt_write_publish(&b, "size", bytes, sizes[i], 1, false, 9);
        send_bytes(p, b.data, b.len);
        expect_puback(p, 9);
        char end[16];
        buf_reset(&b);
        snprintf(end, sizeof end, "%zu", i);
        mqtt_write_publish(&b, "end", end, strlen(end), 1, false, 10);
        send_bytes(p, b.data, b.len);
        expect_puback(p, 10);
        char *line = xasprintf("/%zu q1\nend %s ", sizes[i], end);
        assert_true(heard(p, line));
        free(line);
    }
    assert_true(heard(p, "bbb 65536/65536"));
    assert_true(heard(p, "ddd 262144/262144"));
    free(bytes);
    buf_done(&b);
    peer_close(p);
}

static void test_nonsense(void **unused)
{
    (void)unused;
    static const struct {
        const char *bytes;
        size_t n;
        const char *why;
    } rows[] = {
        {"\x30\xff\xff\xff\xff\xff", 6, "what the broker sent is not MQTT's"},
        {"\x32\x02\0\5", 4, "the broker sent a message that is malformed"},
        {"\x34\x05\0\1a\0\1", 7, "the broker sent a message at QoS 2, which we did not"},
        {"", 0, "the broker ended the connection"},
    };
    struct peer *p = peer_open();
    unsigned char body[512];
    start(p, true, true);
    for (size_t i = 0; i < N_OF(rows); i++) {
        welcome(p, false, 2, 1);
        await(p->ups == (int)i + 1);
        send_bytes(p, rows[i].bytes, rows[i].n);
        if (rows[i].n)
            assert_int_equal(next_packet(p, body).type, 0);
        hang_up(p);
        await(p->downs == (int)i + 1);
        if (!heard(p, rows[i].why))
            fail_msg("not said: %s", rows[i].why);
    }
    assert_int_equal(p->messages, 0);
    take_call(p); /* not even a greeting */
    send_bytes(p, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    await(heard(p, "the port is open, but no MQTT broker answers (its answer is not"));
    peer_close(p);
}

/* What was not acknowledged is sent again in a session, and lost without one. */
static void test_again(void **unused)
{
    (void)unused;
    for (int clean = 0; clean < 2; clean++) {
        struct peer *p = peer_open();
        struct err e = ERR_INIT;
        unsigned char body[512];
        uint16_t id[3];
        start(p, clean, false);
        assert_int_equal(mqtt_publish(p->client, "t", "x", 1, 1, false, &e), -1);
        assert_int_equal(e.code, ERR_UNAVAILABLE);
        welcome(p, false, 0, 1);
        assert_true(mqtt_wait_up(p->client, LONG_MS));
        for (int i = 0; i < 3; i++) {
            char payload[] = {(char)('0' + i)};
            assert_ok(mqtt_publish(p->client, "t", payload, 1, 1, false, &e), e);
            struct mqtt_head h = next_packet(p, body);
            assert_int_equal(h.type, MQTT_PUBLISH);
            assert_false(h.flags & MQTT_DUP);
            id[i] = mqtt_read_id(body + 3, h.body - 3);
        }
        send_bytes(
            p,
            (unsigned char[]){0x40, 2, (unsigned char)(id[1] >> 8), (unsigned char)id[1]},
            4);
        await(mqtt_inflight(p->client) == 2);
        hang_up(p);
        welcome(p, true, 0, 1);
        assert_true(mqtt_wait_up(p->client, LONG_MS));
        await(mqtt_failed(p->client) == (clean ? 2 : 0));
        for (int i = 0; i < 3 && !clean; i += 2) {
            struct mqtt_head h = next_packet(p, body);
            assert_int_equal(h.type, MQTT_PUBLISH);
            assert_true(h.flags & MQTT_DUP);
            assert_int_equal(mqtt_read_id(body + 3, h.body - 3), id[i]);
            assert_int_equal(body[5], '0' + i);
            send_bytes(p, (unsigned char[]){0x40, 2, body[3], body[4]}, 4);
        }
        assert_int_equal(mqtt_drain(p->client, LONG_MS), 0);
        peer_close(p);
    }
}

static void test_refused(void **unused)
{
    (void)unused;
    struct peer *p = peer_open();
    start(p, false, true);
    welcome(p, false, 2, 0x80);
    await(p->ups == 1);
    assert_true(heard(p, "refused: a/#\nrefused: b/+\nup\n"));
    hang_up(p);
    unsigned char body[512];
    take_call(p);
    assert_int_equal(next_packet(p, body).type, MQTT_CONNECT);
    send_bytes(p, "\x20\x02\0\5", 4);
    await(heard(p, "down: the broker asks for a user and a password"));
    peer_close(p);
}

/* Takes the client and what it subscribes to, and answers the first of it at most. */
static void forget(struct peer *p, bool session, bool first)
{
    unsigned char body[512];
    welcome(p, session, first, 1);
    for (int i = first; i < 2; i++)
        assert_int_equal(next_packet(p, body).type, MQTT_SUBSCRIBE);
}

/* Subscriptions of a new session that are not answered are asked for again by a new
 * connection; that the broker has a session by then says nothing about them. */
static void test_no_suback(void **unused)
{
    (void)unused;
    struct peer *p = peer_open();
    unsigned char body[512];
    uint64_t warned = log_count(LOG_WARN);
    p->keepalive_s = 3;
    start(p, false, true);
    forget(p, false, false);
    await(heard(p,
                "down: the broker did not answer 2 of 2 subscriptions for 1 s, the first "
                "of them to \"a/#\"\n"));
    assert_int_equal(next_packet(p, body).type, 0);
    hang_up(p);
    forget(p, true, true);
    await(heard(p,
                "down: the broker did not answer 1 of 2 subscriptions for 1 s, the first "
                "of them to \"b/+\"\n"));
    hang_up(p);
    assert_int_equal(p->ups, 0);
    assert_int_equal(log_count(LOG_WARN), warned + 1);
    welcome(p, true, 2, 1);
    await(p->ups == 1 && heard(p, "refused: none\nup\n"));
    hang_up(p);
    forget(p, true, false); /* its session has them now */
    await(p->ups == 2);
    assert_int_equal(next_packet(p, body).type, MQTT_PINGREQ);
    peer_close(p);
}

/* What is retained for one filter comes before the answer to the next. */
static void test_late_suback(void **unused)
{
    (void)unused;
    struct peer *p = peer_open();
    struct buf b;
    buf_init(&b, 1000);
    p->keepalive_s = 9;
    start(p, false, true);
    forget(p, false, true);
    mqtt_write_publish(&b, "a/b", "x", 1, 0, true, 0);
    for (int i = 0; i < 20; i++) { /* 4 s, of which it gives 3 */
        send_bytes(p, b.data, b.len);
        clock_sleep_ms(200);
    }
    assert_int_equal(p->ups, 0);
    send_bytes(p, (const unsigned char[]){0x90, 3, 1002 >> 8, 1002 & 255, 1}, 5);
    await(p->ups == 1);
    assert_int_equal(p->downs, 0);
    buf_done(&b);
    peer_close(p);
}

static void test_too_large(void **unused)
{
    (void)unused;
    struct peer *p = peer_open();
    struct err e = ERR_INIT;
    char *bytes = xcalloc(1, MQTT_PAYLOAD_MAX + 1);
    start(p, true, false);
    welcome(p, false, 0, 1);
    assert_true(mqtt_wait_up(p->client, LONG_MS));
    assert_int_equal(
        mqtt_publish(p->client, "t", bytes, MQTT_PAYLOAD_MAX + 1, 1, false, &e), -1);
    assert_int_equal(e.code, ERR_TOO_LARGE);
    free(bytes);
    peer_close(p);
}

static void test_addresses(void **unused)
{
    (void)unused;
    static const struct {
        const char *url, *why;
    } rows[] = {
        {"",
         "could not use the broker address \"\": it must begin with tcp://, or ssl:// "
         "for TLS"},
        {"ws://h", "could not use the broker address \"ws://h\": it must begin with "
                   "tcp://, or ssl:// for TLS"},
        {"tcp://u:p@h", "user and password do not belong into the broker's address: they "
                        "have settings of their own"},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct err e = ERR_INIT;
        struct mqtt_opts o = {.url = rows[i].url, .client_id = "me"};
        assert_null(mqtt_open(&o, &e));
        assert_string_equal(e.text, rows[i].why);
    }
}

/* ---- keep-alive ------------------------------------------------------------------ */

/* The broker keeps us while the log takes nothing: pings go out, though no answer is
 * read. Nothing is subscribed to again, as the answers that lie there are not read
 * either. */
static void test_held_for_long(void **unused)
{
    (void)unused;
    struct peer *p = peer_open();
    unsigned char body[512];
    struct buf b;
    buf_init(&b, 1000);
    p->keepalive_s = 3;
    p->commits = false;
    start(p, false, true);
    take_call(p);
    assert_int_equal(next_packet(p, body).type, MQTT_CONNECT);
    assert_int_equal(body[9], 3);
    give(&b, "a/1", "1", 1, 1);
    send_bytes(p, "\x20\2\1\0", 4);
    send_bytes(p, b.data, b.len);
    for (int i = 0; i < 2; i++)
        assert_int_equal(next_packet(p, body).type, MQTT_SUBSCRIBE);
    for (int i = 0; i < 4; i++) /* longer than it takes to ask again */
        assert_int_equal(next_packet(p, body).type, MQTT_PINGREQ);
    p->commits = true;
    expect_puback(p, 1);
    assert_int_equal(p->ups, 1);
    assert_int_equal(p->downs, 0);
    buf_done(&b);
    peer_close(p);
}

static void test_frozen(void **unused)
{
    (void)unused;
    struct peer *p = peer_open();
    unsigned char body[512];
    p->keepalive_s = 3;
    start(p, true, false);
    welcome(p, false, 0, 1);
    assert_int_equal(next_packet(p, body).type, MQTT_PINGREQ);
    assert_int_equal(next_packet(p, body).type, 0);
    await(heard(p, "down: the broker did not answer a ping for 1 s"));
    hang_up(p);
    take_call(p); /* no answer at all, now */
    await(heard(p, "no MQTT broker answers (no answer for 1 s)"));
    peer_close(p);
}

/* Over a slow line a ping stands long behind what was published before it. */
static void test_slow_line(void **unused)
{
    (void)unused;
    enum { EACH = 250000, N = 5, PIECE = 8192, SMALL = 4096 };
    struct peer *p = peer_open();
    struct err e = ERR_INIT;
    char *bytes = xcalloc(1, EACH);
    int64_t got = 0;
    assert_int_equal(
        setsockopt(p->listener, SOL_SOCKET, SO_RCVBUF, &(int){SMALL}, sizeof(int)), 0);
    p->keepalive_s = 6;
    start(p, true, false);
    welcome(p, false, 0, 1);
    assert_true(mqtt_wait_up(p->client, LONG_MS));
    for (int i = 0; i < N; i++)
        assert_ok(mqtt_publish(p->client, "t", bytes, EACH, 0, false, &e), e);
    while (got < (int64_t)N * EACH) { /* 8 s and more */
        ssize_t n = recv(p->fd, bytes, PIECE, 0);
        if (n <= 0)
            fail_msg("it gave up after %lld bytes", (long long)got);
        got += n;
        clock_sleep_ms(50);
    }
    assert_int_equal(p->downs, 0);
    assert_int_equal(mqtt_failed(p->client), 0);
    free(bytes);
    peer_close(p);
}

/* ---- closing --------------------------------------------------------------------- */

static atomic_bool resolving, resolved, may_resolve;

/* In the place of libc's: a name server that does not answer. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    (void)name;
    (void)service;
    (void)hints;
    *out = NULL;
    resolving = true;
    for (int64_t end = clock_mono_ms() + LONG_MS; !may_resolve && clock_mono_ms() < end;)
        clock_sleep_ms(5);
    resolved = true;
    return EAI_AGAIN;
}

static void test_close_while_resolving(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct mqtt_opts o = {.url = "tcp://broker.example", .client_id = "me"};
    struct mqtt *m = mqtt_open(&o, &e);
    assert_ok(!m, e);
    await(resolving);
    mqtt_close(m);
    assert_false(resolved);
    may_resolve = true;
    await(resolved);
}

int main(void)
{
    stop_init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_byte_at_a_time),
                                       cmocka_unit_test(test_batch),
                                       cmocka_unit_test(test_not_now),
                                       cmocka_unit_test(test_sizes),
                                       cmocka_unit_test(test_nonsense),
                                       cmocka_unit_test(test_again),
                                       cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_no_suback),
                                       cmocka_unit_test(test_late_suback),
                                       cmocka_unit_test(test_too_large),
                                       cmocka_unit_test(test_addresses),
                                       cmocka_unit_test(test_held_for_long),
                                       cmocka_unit_test(test_frozen),
                                       cmocka_unit_test(test_slow_line),
                                       cmocka_unit_test(test_close_while_resolving)};
    return cmocka_run_group_tests_name("mqtt", tests, NULL, NULL);
}
