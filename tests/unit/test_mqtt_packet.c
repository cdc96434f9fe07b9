/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packets by the standard's own layout, and what is none. */
#include "tests/unit/unit.h"

#include "common/mqtt_packet.h"

static void test_head(void **unused)
{
    (void)unused;
    static const struct {
        const char *bytes;
        size_t n;
        int rc;
        size_t head, body;
    } rows[] = {
        {"", 0, 0, 0, 0},
        {"\x30", 1, 0, 0, 0},
        {"\x30\x00", 2, 1, 2, 0},
        {"\x30\x7f", 2, 1, 2, 127},
        {"\x30\x80", 2, 0, 0, 0},
        {"\x30\x80\x01", 3, 1, 3, 128},
        {"\x30\xff\x7f", 3, 1, 3, 16383},
        {"\x30\x80\x80\x01", 4, 1, 4, 16384},
        {"\x30\xff\xff\xff", 4, 0, 0, 0},
        {"\x30\xff\xff\xff\x7f", 5, 1, 5, 268435455},
        {"\x30\xff\xff\xff\x80", 5, -1, 0, 0},
        {"\x30\xff\xff\xff\xff\x01", 6, -1, 0, 0},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct mqtt_head h = {0};
        const unsigned char *p = (const unsigned char *)rows[i].bytes;
        assert_int_equal(mqtt_read_head(p, rows[i].n, &h), rows[i].rc);
        assert_int_equal(h.head, rows[i].head);
        assert_int_equal(h.body, rows[i].body);
    }
}

static void test_connect(void **unused)
{
    (void)unused;
    static const struct {
        struct mqtt_hello hello;
        const char *bytes;
        size_t n;
    } rows[] = {
        {{.client_id = "me", .keepalive_s = 30},
         "\x10\x0e\0\4MQTT\4\x00\0\x1e\0\2me",
         16},
        {{.client_id = "", .clean = true, .keepalive_s = 258},
         "\x10\x0c\0\4MQTT\4\x02\1\2\0\0",
         14},
        {{.client_id = "m", .user = "u", .password = "pw"},
         "\x10\x14\0\4MQTT\4\xc0\0\0\0\1m\0\1u\0\2pw",
         22},
        {{.client_id = "m", .will_topic = "t", .will_payload = "w"},
         "\x10\x13\0\4MQTT\4\x2c\0\0\0\1m\0\1t\0\1w",
         21},
        {{.client_id = "m", .will_topic = "t"},
         "\x10\x12\0\4MQTT\4\x2c\0\0\0\1m\0\1t\0\0",
         20},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct buf b;
        buf_init(&b, 1000);
        mqtt_write_connect(&b, &rows[i].hello);
        assert_int_equal(b.len, rows[i].n);
        assert_memory_equal(b.data, rows[i].bytes, rows[i].n);
        buf_done(&b);
    }
}

static void test_others(void **unused)
{
    (void)unused;
    struct buf b;
    buf_init(&b, 1000);
    mqtt_write_subscribe(&b, 0x1234, "a/+", 1);
    mqtt_write_puback(&b, 0xfe01);
    mqtt_write_empty(&b, MQTT_PINGREQ);
    mqtt_write_empty(&b, MQTT_DISCONNECT);
    static const char bytes[] = "\x82\x08\x12\x34\0\3a/+\1"
                                "\x40\x02\xfe\x01"
                                "\xc0\0\xe0\0";
    assert_int_equal(b.len, sizeof bytes - 1);
    assert_memory_equal(b.data, bytes, sizeof bytes - 1);
    buf_done(&b);
    assert_int_equal(mqtt_read_id((const unsigned char *)"\x12\x34", 2), 0x1234);
    assert_int_equal(mqtt_read_id((const unsigned char *)"\x12", 1), 0);
}

/* Written, read, put back, read again. */
static void test_publish(void **unused)
{
    (void)unused;
    for (int qos = 0; qos < 2; qos++)
        for (size_t size = 0; size < 300; size += 150) {
            char payload[300];
            struct buf b;
            struct mqtt_head h;
            struct mqtt_publication in;
            memset(payload, 'x', sizeof payload);
            buf_init(&b, 1000);
            mqtt_write_publish(&b, "home/a", payload, size, qos, qos == 0, 0x0102);
            unsigned char *p = (unsigned char *)b.data;
            assert_int_equal(mqtt_read_head(p, b.len, &h), 1);
            assert_int_equal(h.type, MQTT_PUBLISH);
            assert_int_equal(h.head + h.body, b.len);
            for (int pass = 0; pass < 2; pass++) {
                assert_int_equal(mqtt_read_publish(&h, p + h.head, h.body, &in), 0);
                assert_string_equal(in.topic, "home/a");
                assert_int_equal(in.len, size);
                assert_memory_equal(in.payload, payload, size);
                assert_int_equal(in.qos, qos);
                assert_int_equal(in.id, qos ? 0x0102 : 0);
                assert_int_equal(in.retain, qos == 0);
                assert_false(in.dup);
                mqtt_unread_publish(p + h.head, &in);
            }
            buf_done(&b);
        }
}

static void test_no_publish(void **unused)
{
    (void)unused;
    static const struct {
        unsigned flags;
        const char *body;
        size_t n;
    } rows[] = {
        {0, "", 0},           {0, "\0", 1},         {0, "\0\0", 2},
        {0, "\0\2a", 3},      {2, "\0\1a", 3},      {2, "\0\1a\0", 4},
        {2, "\0\1a\0\0x", 6}, {6, "\0\1a\0\1x", 6}, {0, "\xff\xff ab", 5},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        unsigned char body[16];
        memcpy(body, rows[i].body, rows[i].n);
        struct mqtt_head h = {MQTT_PUBLISH, rows[i].flags, 2, rows[i].n};
        struct mqtt_publication in;
        if (mqtt_read_publish(&h, body, rows[i].n, &in) != -1)
            fail_msg("row %zu was read", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head), cmocka_unit_test(test_connect),
        cmocka_unit_test(test_others), cmocka_unit_test(test_publish),
        cmocka_unit_test(test_no_publish)};
    return cmocka_run_group_tests_name("mqtt_packet", tests, NULL, NULL);
}
