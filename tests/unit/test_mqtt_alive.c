/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the MQTT client knows that its connection is alive. */
#include "tests/unit/mqtt_peer.h"

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
    struct mqtt_head h = next_packet(p, body);
    assert_int_equal(h.type, MQTT_PINGREQ);
    while (h.type == MQTT_PINGREQ) /* another one, when the first arrives late */
        h = next_packet(p, body);
    assert_int_equal(h.type, 0);
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
    connected(p, true, false);
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

int main(void)
{
    stop_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_held_for_long),
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_slow_line),
    };
    return cmocka_run_group_tests_name("mqtt_alive", tests, NULL, NULL);
}
