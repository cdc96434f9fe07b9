/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sentences that need no broker; the others are in tests/integration/test_broker_tls.py.
 */
#include "common/mqtt_why.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "common/mqtt_link.h"

static void test_refused_connections(void **unused)
{
    (void)unused;
    static const struct {
        int code;
        const char *user, *sentence;
    } rows[] = {
        {1, "u", "the broker does not speak MQTT 3.1.1"},
        {2, "u", "the broker refuses the client id \"me\""},
        {3, "u", "the broker says that it is not available"},
        {4, "u",
         "the broker refuses user \"u\": the password is wrong, or it does not know the "
         "user"},
        {5, "u",
         "the broker refuses user \"u\": the password is wrong, or it does not know the "
         "user"},
        {5, "", "the broker asks for a user and a password"},
        {4, NULL, "the broker asks for a user and a password"},
        {6, NULL, "the broker refuses the connection with code 6"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mqtt_opts o = {.url = "tcp://h",
                              .client_id = "me",
                              .user = rows[i].user,
                              .password = "secret"};
        struct err e = ERR_INIT;
        mqtt_why_refused(&o, rows[i].code, &e);
        assert_string_equal(e.text, rows[i].sentence);
    }
}

static void no_link(const char *url, struct err *e)
{
    struct mqtt_link_opts o = {.url = url, .timeout_ms = 5000};
    assert_null(mqtt_link_open(&o, e));
    mqtt_why_no_link(e);
}

static void test_nobody_listens(void **unused)
{
    (void)unused;
    static const char *const urls[] = {"tcp://127.0.0.1:1", "mqtt://127.0.0.1:1/x",
                                       "ssl://127.0.0.1:1", "mqtts://127.0.0.1:1"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct err e = ERR_INIT;
        no_link(urls[i], &e);
        if (!strstr(e.text, "127.0.0.1 port 1 "))
            fail_msg("%s: %s", urls[i], e.text);
    }
}

/* Addresses that nobody can use get a sentence too. */
static void test_odd_addresses(void **unused)
{
    (void)unused;
    static const char *const urls[] = {"ssl://[::", "tcp://", "nonsense", "tcp://a b"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct err e = ERR_INIT;
        no_link(urls[i], &e);
        if (!*e.text)
            fail_msg("%s: no sentence", urls[i]);
    }
}

static void test_files(void **unused)
{
    (void)unused;
    static const struct {
        struct mqtt_opts o;
        const char *sentence; /* NULL: fine */
    } rows[] = {
        {{.url = "tcp://h"}, NULL},
        {{.url = "ssl://h", .ca_file = "", .cert_file = "", .key_file = ""}, NULL},
        {{.url = "ssl://h", .cert_file = "/dev/null"}, NULL},
        {{.url = "mqtts://h", .ca_file = "/no/ca"},
         "could not read the broker's certificate authority /no/ca: No such file or "
         "directory"},
        {{.url = "ssl://h", .cert_file = "/no/c"},
         "could not read the client certificate /no/c: No such file or directory"},
        {{.url = "ssl://h", .cert_file = "/dev/null", .key_file = "/no/k"},
         "could not read the client key /no/k: No such file or directory"},
        {{.url = "ssl://h", .key_file = "/no/k"},
         "the broker's client key /no/k needs its certificate as well"},
        {{.url = "tcp://h", .ca_file = "/dev/null"},
         "certificates for the broker tcp://h would not be used: its address must begin "
         "with ssl://"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        assert_int_equal(mqtt_check_files(&rows[i].o, &e), rows[i].sentence ? -1 : 0);
        if (rows[i].sentence)
            assert_string_equal(e.text, rows[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_connections), cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_odd_addresses), cmocka_unit_test(test_files)};
    return cmocka_run_group_tests_name("mqtt_why", tests, NULL, NULL);
}
