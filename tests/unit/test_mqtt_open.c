/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening the MQTT client with what can never work, and closing it while it tries. */
#include "tests/unit/mqtt_peer.h"

#include <netdb.h>

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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_close_while_resolving),
    };
    return cmocka_run_group_tests_name("mqtt_open", tests, NULL, NULL);
}
