/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The messages of the MQTT client, in both directions. */
#include "tests/unit/mqtt_peer.h"

static void test_a_byte_at_a_time(void **unused)
{
    (void)unused;
    struct peer *p = peer_open();
    struct buf b;
    buf_init(&b, 1000);
    connected(p, false, true);
    await(heard(p, "refused: none\nup\n"));
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
    connected(p, false, false);
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
    connected(p, false, false);
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
    connected(p, false, false);
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

static void test_too_large(void **unused)
{
    (void)unused;
    struct peer *p = peer_open();
    struct err e = ERR_INIT;
    char *bytes = xcalloc(1, MQTT_PAYLOAD_MAX + 1);
    connected(p, true, false);
    assert_int_equal(
        mqtt_publish(p->client, "t", bytes, MQTT_PAYLOAD_MAX + 1, 1, false, &e), -1);
    assert_int_equal(e.code, ERR_TOO_LARGE);
    free(bytes);
    peer_close(p);
}

int main(void)
{
    stop_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_byte_at_a_time), cmocka_unit_test(test_batch),
        cmocka_unit_test(test_not_now),          cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_nonsense),         cmocka_unit_test(test_again),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests_name("mqtt", tests, NULL, NULL);
}
