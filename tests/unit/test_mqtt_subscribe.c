/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The MQTT client and the answers to its subscriptions. */
#include "tests/unit/mqtt_peer.h"

#include "common/log.h"

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

int main(void)
{
    stop_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_suback),
        cmocka_unit_test(test_late_suback),
    };
    return cmocka_run_group_tests_name("mqtt_subscribe", tests, NULL, NULL);
}
