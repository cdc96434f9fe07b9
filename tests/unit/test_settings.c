/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "common/settings.h"

struct set {
    int64_t port;
    bool flag;
    char *name, *url, *maybe_url, *mqtt_url, *secret;
};

static const struct setting table[] = {
    {"T_PORT", SET_INT, offsetof(struct set, port), "8101", 0, 65535,
     "port to listen on"},
    {"T_FLAG", SET_BOOL, offsetof(struct set, flag), "0", 0, 1, "a switch"},
    {"T_NAME", SET_STRING, offsetof(struct set, name), "kitchen", 2, 8, "a name"},
    {"T_URL", SET_URL, offsetof(struct set, url), NULL, 1, 64, "where the server is"},
    {"T_MAYBE", SET_URL, offsetof(struct set, maybe_url), "", 0, 64, "where another is"},
    {"T_MQTT", SET_URL, offsetof(struct set, mqtt_url), "", 0, 64, "where the broker is"},
    {"T_SECRET", SET_SECRET, offsetof(struct set, secret), "", 0, 16, "a password"},
    {0},
};

static void clean(void)
{
    static const char *const names[] = {
        "FC_T_PORT",   "FC_T_FLAG",        "FC_T_NAME",      "FC_T_MAYBE",
        "FC_T_SECRET", "FC_T_SECRET_FILE", "FC_T_PORT_FILE", "FC_T_MQTT"};
    for (size_t i = 0; i < N_OF(names); i++)
        unsetenv(names[i]);
    setenv("FC_T_URL", "http://127.0.0.1:1", 1);
}

static void test_defaults(void **unused)
{
    (void)unused;
    clean();
    struct set s = {0};
    struct err e = ERR_INIT;
    assert_ok(settings_load(table, &s, &e), e);
    assert_int_equal(s.port, 8101);
    assert_false(s.flag);
    assert_string_equal(s.name, "kitchen");
    assert_string_equal(s.url, "http://127.0.0.1:1");
    assert_string_equal(s.maybe_url, "");
    assert_string_equal(s.secret, "");
    settings_done(table, &s);
    assert_null(s.name);
    settings_done(table, &s); /* twice is fine */
}

static void test_values(void **unused)
{
    (void)unused;
    clean();
    setenv("FC_T_PORT", "0", 1);
    setenv("FC_T_FLAG", "1", 1);
    setenv("FC_T_NAME", "", 1); /* empty is as if not set */
    setenv("FC_T_SECRET", "hush", 1);
    setenv("FC_T_PORT_FILE", "/etc/passwd", 1); /* only secrets come from files */
    struct set s = {0};
    struct err e = ERR_INIT;
    assert_ok(settings_load(table, &s, &e), e);
    assert_int_equal(s.port, 0);
    assert_true(s.flag);
    assert_string_equal(s.name, "kitchen");
    assert_string_equal(s.secret, "hush");
    settings_done(table, &s);
}

static void test_refusals(void **unused)
{
    (void)unused;
    static const struct {
        const char *name, *value, *text;
    } rows[] = {
        {"FC_T_PORT", "x", "FC_T_PORT must be a whole number from 0 to 65535, not \"x\""},
        {"FC_T_PORT", "65536",
         "FC_T_PORT must be a whole number from 0 to 65535, not \"65536\""},
        {"FC_T_PORT", "-1",
         "FC_T_PORT must be a whole number from 0 to 65535, not \"-1\""},
        {"FC_T_PORT", "80 ",
         "FC_T_PORT must be a whole number from 0 to 65535, not \"80 \""},
        {"FC_T_PORT", "99999999999999999999",
         "FC_T_PORT must be a whole number from 0 to 65535, not "
         "\"99999999999999999999\""},
        {"FC_T_PORT", "1.5",
         "FC_T_PORT must be a whole number from 0 to 65535, not \"1.5\""},
        {"FC_T_FLAG", "yes", "FC_T_FLAG must be 0 or 1, not \"yes\""},
        {"FC_T_FLAG", "10", "FC_T_FLAG must be 0 or 1, not \"10\""},
        {"FC_T_NAME", "a", "FC_T_NAME must be a text of 2 to 8 bytes; it has 1"},
        {"FC_T_NAME", "123456789", "FC_T_NAME must be a text of 2 to 8 bytes; it has 9"},
        {"FC_T_NAME", "a\tb", "FC_T_NAME must not hold control characters"},
        {"FC_T_URL", "", "FC_T_URL is not set: where the server is"},
        {"FC_T_URL", "localhost",
         "FC_T_URL must be an address such as http://host:port, not \"localhost\""},
        {"FC_T_URL", "http://",
         "FC_T_URL must be an address such as http://host:port, not \"http://\""},
        {"FC_T_URL", "http://:80",
         "FC_T_URL must be an address such as http://host:port, not \"http://:80\""},
        {"FC_T_URL", "ftp://a",
         "FC_T_URL must be an address such as http://host:port, not \"ftp://a\""},
        {"FC_T_URL", "tcp://a:1",
         "FC_T_URL must be an address such as http://host:port, not \"tcp://a:1\""},
        {"FC_T_URL", "http://a b",
         "FC_T_URL must be an address such as http://host:port, not \"http://a b\""},
        {"FC_T_URL", "http://a:0",
         "FC_T_URL must be an address such as http://host:port, not \"http://a:0\""},
        {"FC_T_URL", "http://a:65536",
         "FC_T_URL must be an address such as http://host:port, not \"http://a:65536\""},
        {"FC_T_URL", "http://a:8x",
         "FC_T_URL must be an address such as http://host:port, not \"http://a:8x\""},
        {"FC_T_URL", "http://a:",
         "FC_T_URL must be an address such as http://host:port, not \"http://a:\""},
        {"FC_T_URL", "http://[::1",
         "FC_T_URL must be an address such as http://host:port, not \"http://[::1\""},
        {"FC_T_URL", "http://[]:1x",
         "FC_T_URL must be an address such as http://host:port, not \"http://[]:1x\""},
        {"FC_T_URL", "file:///etc/passwd",
         "FC_T_URL must be an address such as http://host:port, not "
         "\"file:///etc/passwd\""},
        {"FC_T_URL", "http://x\xc3\xa9",
         "FC_T_URL must be an address such as http://host:port, not "
         "\"http://x\xc3\xa9\""},
        {"FC_T_MQTT", "http://a",
         "FC_T_MQTT must be an address such as tcp://host:port, not \"http://a\""},
        {"FC_T_SECRET", "12345678901234567",
         "FC_T_SECRET must be a text of 0 to 16 bytes; it has 17"},
        {"FC_T_SECRET_FILE", "/nonexistent",
         "FC_T_SECRET_FILE: could not read /nonexistent: No such file or directory"},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        clean();
        setenv(rows[i].name, rows[i].value, 1);
        struct set s = {0};
        struct err e = ERR_INIT;
        assert_failed(settings_load(table, &s, &e), e, ERR_INVALID, rows[i].text);
        settings_done(table, &s);
    }
}

static void test_secret_files(void **unused)
{
    (void)unused;
    static char big[5000];
    memset(big, 'x', sizeof big - 1);
    static const struct {
        const char *text, *want;
    } rows[] = {{"hush\n", "hush"}, {"hush", "hush"}, {"two \n", "two "}, {"", ""}};
    char path[64], want[200];
    struct set s = {0};
    struct err e = ERR_INIT;
    for (size_t i = 0; i < N_OF(rows); i++) {
        clean();
        temp_file(path, rows[i].text);
        setenv("FC_T_SECRET_FILE", path, 1);
        assert_ok(settings_load(table, &s, &e), e);
        assert_string_equal(s.secret, rows[i].want);
        settings_done(table, &s);
        unlink(path);
    }
    temp_file(path, big);
    setenv("FC_T_SECRET_FILE", path, 1);
    snprintf(want, sizeof want,
             "FC_T_SECRET_FILE: %s must hold one line of text of at most 4096 bytes",
             path);
    assert_failed(settings_load(table, &s, &e), e, ERR_INVALID, want);
    settings_done(table, &s);
    setenv("FC_T_SECRET", "both", 1);
    assert_failed(settings_load(table, &s, &e), e, ERR_INVALID,
                  "FC_T_SECRET and FC_T_SECRET_FILE are both set; set one of them");
    settings_done(table, &s);
    unlink(path);
    clean();
}

static void test_print(void **unused)
{
    (void)unused;
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    setenv("FC_T_SECRET", "never shown", 1);
    settings_print(table, f);
    fclose(f);
    assert_non_null(strstr(text, "FC_T_PORT"));
    assert_non_null(strstr(text, "0..65535: port to listen on"));
    assert_non_null(strstr(text, "(required)"));
    assert_non_null(strstr(text, "(empty)"));
    assert_non_null(strstr(text, "a password (or FC_..._FILE)"));
    assert_null(strstr(text, "never shown"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_values),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_secret_files),
        cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
