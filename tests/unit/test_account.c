/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written to the log about a message is what is read back, and base64 and raw
 * payloads on the way. */
#include "tests/unit/unit.h"

#include "common/base64.h"
#include "services/ingest/account.h"
#include "services/ingest/raw.h"
#include "services/ingest/timefix.h"

static struct item *add(struct message *m, const char *device, double v)
{
    struct item *it = message_add(m);
    assert_non_null(it);
    strcpy(it->r.device, device);
    strcpy(it->r.raw_device, device);
    it->r.time_ms = 1795132800123;
    it->source = TIME_DEVICE;
    if (reading_add(&it->r, "temperature", v, NULL))
        fail();
    return it;
}

static void test_what_is_written_is_read(void **unused)
{
    (void)unused;
    struct message m, back;
    struct buf b;
    struct account a;
    struct err e = ERR_INIT;
    const char *device;
    message_init(&m);
    message_init(&back);
    m.decoder = "native";
    struct item *it = add(&m, "a", 0.1);
    it->r.boot = 3;
    it->r.seq = 0;
    it->r.poor = true;
    it->id = UINT64_C(0xfedcba9876543210);
    add(&m, "b", 2)->known = true;
    add(&m, "c", 3)->source = TIME_NONE;
    add(&m, "d", 4)->reject = REJECT_DEVICE_CLASH;
    it = add(&m, "e", 5);
    it->kind = ITEM_STATUS;
    it->online = true;
    reject_say(REJECT_DEVICE_CLASH, &e, "two \"d\"");
    message_refuse(&m, &m.item[3], REJECT_DEVICE_CLASH, &e);
    assert_int_equal(e.code, ERR_NONE);
    buf_init(&b, ACCOUNT_BYTES);
    assert_int_equal(account_write(&b, &m, REJECT_NONE, NULL, "\x01\x02", 2, false), 0);
    assert_int_equal(account_read(b.data, b.len, &back, &a, &e), 0);
    assert_int_equal(back.n, 3);
    assert_string_equal(back.item[0].r.device, "a");
    assert_int_equal(back.item[0].r.time_ms, 1795132800123);
    assert_int_equal(back.item[0].r.boot, 3);
    assert_int_equal(back.item[0].r.seq, 0);
    assert_true(back.item[0].r.poor);
    assert_true(back.item[0].id == UINT64_C(0xfedcba9876543210));
    assert_true(back.item[0].r.values[0].value == 0.1);
    assert_string_equal(back.item[0].r.values[0].quantity, "temperature");
    assert_string_equal(back.item[1].r.device, "c");
    assert_true(time_source_is_arrival(back.item[1].source));
    assert_int_equal(back.item[1].r.seq, -1);
    assert_int_equal(back.item[2].kind, ITEM_STATUS);
    assert_true(back.item[2].online);
    assert_int_equal(a.reason, REJECT_DEVICE_CLASH);
    assert_string_equal(a.detail, "two \"d\"");
    assert_int_equal(a.n, 1);
    assert_int_equal(account_refused(&a, 0, &device), REJECT_DEVICE_CLASH);
    assert_string_equal(device, "d");
    assert_int_equal(account_refused(&a, 1, &device), REJECT_NONE);
    size_t n;
    char *raw = raw_get(a.root, &n);
    assert_int_equal(n, 2);
    assert_memory_equal(raw, "\x01\x02", 2);
    free(raw);
    account_done(&a);
    buf_done(&b);
    message_done(&m);
    message_done(&back);
}

static void test_a_message_that_is_refused_whole(void **unused)
{
    (void)unused;
    struct message m;
    struct buf b;
    struct account a;
    struct err e = ERR_INIT;
    const char *device;
    message_init(&m);
    buf_init(&b, ACCOUNT_BYTES);
    assert_int_equal(account_write(&b, &m, REJECT_BAD_JSON, "no \xff", "{", 1, true), 0);
    assert_string_equal(
        b.data, "{\"items\":[],\"refused\":[{\"reason\":\"bad_json\",\"device\":\"\"}],"
                "\"reason\":\"bad_json\",\"detail\":\"the payload is not valid JSON\","
                "\"payload\":\"{\",\"cut\":true}");
    assert_int_equal(account_read(b.data, b.len, &m, &a, &e), 0);
    assert_int_equal(m.n, 0);
    assert_true(a.cut);
    assert_int_equal(account_refused(&a, 0, &device), REJECT_BAD_JSON);
    assert_string_equal(device, "");
    account_done(&a);
    buf_done(&b);
    message_done(&m);
}

static void test_limits(void **unused)
{
    (void)unused;
    struct message m;
    struct buf b;
    char name[DEVICE_MAX + 1], *big = malloc(MESSAGE_BYTES_MAX);
    message_init(&m);
    for (int i = 0; i < MESSAGE_ITEMS_MAX; i++) {
        snprintf(name, sizeof name, "%064d", i);
        add(&m, name, 1);
    }
    assert_null(message_add(&m));
    buf_init(&b, ACCOUNT_BYTES);
    assert_int_equal(account_write(&b, &m, REJECT_NONE, NULL, "", 0, false), 0);
    for (int i = 0; i < 64 && m.item[0].r.n < READING_VALUES_MAX; i++)
        for (size_t k = 0; k < m.n; k++) {
            snprintf(name, sizeof name, "q%063d", i);
            if (reading_add(&m.item[k].r, name, 1.0 / 3, NULL))
                fail();
        }
    buf_reset(&b);
    assert_int_equal(account_write(&b, &m, REJECT_NONE, NULL, "", 0, false), -1);
    /* refused whole it fits, whatever the bytes */
    static const char fill[] = "\"\n\xff";
    for (int i = 0; i < 3; i++) {
        memset(big, fill[i], MESSAGE_BYTES_MAX);
        buf_reset(&b);
        assert_int_equal(
            account_write(&b, &m, REJECT_TOO_LARGE, "x", big, MESSAGE_BYTES_MAX, false),
            0);
    }
    free(big);
    buf_done(&b);
    message_begin(&m); /* what it took is given back */
    assert_int_equal(m.cap, 1);
    message_done(&m);
}

static void test_what_is_no_account(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "", "{\"items\":[{}]}",
        "{\"items\":[{\"device\":\"a b\",\"raw\":\"a\",\"ts_ms\":1,\"values\":{}}]}",
        "{\"items\":[{\"device\":\"a\",\"raw\":\"a\",\"values\":{}}]}",
        "{\"items\":[{\"device\":\"a\",\"raw\":\"a\",\"ts_ms\":1,\"values\":{\"B\":1}}]"
        "}"};
    struct message m;
    struct account a;
    message_init(&m);
    for (size_t i = 0; i < N_OF(texts); i++) {
        struct err e = ERR_INIT;
        assert_int_equal(account_read(texts[i], strlen(texts[i]), &m, &a, &e), -1);
        assert_true(*e.text);
        account_done(&a);
    }
    message_done(&m);
}

/* RFC 4648, section 10, and what is none. */
static void test_base64(void **unused)
{
    (void)unused;
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    static const char *const bad[] = {
        "Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Z g=", "Zm9!", "Zm=v"};
    struct buf b;
    size_t n;
    for (size_t i = 0; i < N_OF(pairs); i++) {
        buf_init(&b, 100);
        assert_int_equal(base64_add(&b, pairs[i][0], strlen(pairs[i][0])), 0);
        assert_string_equal(b.len ? b.data : "", pairs[i][1]);
        unsigned char *back = base64_decode(pairs[i][1], strlen(pairs[i][1]), &n);
        assert_non_null(back);
        assert_int_equal(n, strlen(pairs[i][0]));
        assert_memory_equal(back, pairs[i][0], n);
        free(back);
        buf_done(&b);
    }
    for (size_t i = 0; i < N_OF(bad); i++)
        if (base64_decode(bad[i], strlen(bad[i]), &n))
            fail_msg("%s was decoded", bad[i]);
    char bytes[10000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    buf_init(&b, 20000);
    assert_int_equal(base64_add(&b, bytes, sizeof bytes), 0);
    unsigned char *back = base64_decode(b.data, b.len, &n);
    assert_int_equal(n, sizeof bytes);
    assert_memory_equal(back, bytes, n);
    free(back);
    buf_done(&b);
    buf_init(&b, 5);
    assert_int_equal(base64_add(&b, bytes, 10), -1);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_a_message_that_is_refused_whole),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_what_is_no_account),
        cmocka_unit_test(test_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
