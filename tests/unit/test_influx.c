/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Line protocol and InfluxQL as text, and the rule for answers; the talking itself is
 * tested with a real InfluxDB in tests/integration. */
#include "tests/unit/unit.h"

#include <math.h>

#include "common/influx.h"

static void test_line(void **unused)
{
    (void)unused;
    struct buf b;
    struct influx_line l;
    buf_init(&b, 4096);
    influx_line(&l, &b, "readings");
    influx_tag(&l, "device", "kitchen");
    influx_tag(&l, "empty", "");
    influx_field(&l, "temperature", 21.4);
    influx_field(&l, "gone", NAN);
    influx_field(&l, "seq", 4711);
    assert_int_equal(influx_end(&l, 1795132800000), 0);
    assert_string_equal(
        b.data, "readings,device=kitchen temperature=21.4,seq=4711 1795132800000\n");
    /* a line without fields leaves no trace */
    influx_line(&l, &b, "readings");
    influx_tag(&l, "device", "attic");
    influx_field(&l, "temperature", INFINITY);
    assert_int_equal(influx_end(&l, 1), -1);
    assert_string_equal(
        b.data, "readings,device=kitchen temperature=21.4,seq=4711 1795132800000\n");
    buf_done(&b);
}

static void test_line_that_does_not_fit(void **unused)
{
    (void)unused;
    for (size_t max = 1; max < 70; max++) {
        struct buf b;
        struct influx_line l;
        buf_init(&b, max);
        influx_line(&l, &b, "m");
        influx_field(&l, "f", 1);
        int first = influx_end(&l, 5);
        size_t len = b.len;
        assert_int_equal(len, first ? 0 : 8);
        b.full = false; /* as a caller does who sends what fitted */
        influx_line(&l, &b, "measurement");
        influx_tag(&l, "device", "kitchen");
        influx_field(&l, "temperature", 21.4);
        if (influx_end(&l, 1795132800000))
            assert_int_equal(b.len, len);
        if (b.len)
            assert_int_equal(b.data[b.len - 1], '\n'); /* never half a line */
        buf_done(&b);
    }
}

static void test_escaping(void **unused)
{
    (void)unused;
    struct buf b;
    struct influx_line l;
    buf_init(&b, 4096);
    influx_line(&l, &b, "my m,s=x");
    influx_tag(&l, "t k", "a,b=c\\ d\\");
    influx_tag(&l, "n", "x\ny z=1 5\nevil v=1");
    influx_field(&l, "f k,=", 1);
    assert_int_equal(influx_end(&l, -1), 0);
    assert_string_equal(
        b.data, "my\\ m\\,s=x,t\\ k=a\\,b\\=c\\\\ d_,n=x_y\\ z\\=1\\ 5_evil\\ v\\=1 "
                "f\\ k\\,\\==1 -1\n");
    buf_reset(&b);
    influx_ql_string(&b, "o'hara\\ \n\"x\"");
    assert_string_equal(b.data, "'o\\'hara\\\\ \\n\"x\"'");
    buf_reset(&b);
    influx_ql_ident(&b, "a\"b'c\\");
    assert_string_equal(b.data, "\"a\\\"b'c\\\\\"");
    buf_reset(&b);
    influx_ql_range(&b, -5, 1795132800000);
    assert_string_equal(b.data, "time >= -5ms AND time < 1795132800000ms");
    buf_done(&b);
}

/* The client rule: what the answers of the versions to a write mean, in the order of
 * their statuses. */
static void test_judge(void **unused)
{
    (void)unused;
#define CONFLICT                                                                         \
    "partial write: field type conflict: input field \\\"temperature\\\" on "            \
    "measurement \\\"sensors\\\" is type string, already exists as type float "          \
    "dropped=1"
    static const struct {
        int status;
        const char *body;
        enum influx_verdict verdict;
    } table[] = {
        {204, "", INFLUX_OK},
        {200, "", INFLUX_CONFIG}, /* no InfluxDB answers so */
        {200, "<html>It works!</html>", INFLUX_CONFIG},
        {302, "", INFLUX_CONFIG},
        /* 1.x */
        {404, "{\"error\":\"database not found: \\\"nope\\\"\"}", INFLUX_CONFIG},
        {500, "{\"error\":\"retention policy not found: norp\"}", INFLUX_CONFIG},
        {400, "{\"error\":\"" CONFLICT "\"}", INFLUX_REJECT},
        {400,
         "{\"error\":\"partial write: unable to parse 'bad line here': invalid field "
         "format dropped=0\"}",
         INFLUX_REJECT},
        {400, "{\"error\":\"unable to parse '...': invalid number\"}", INFLUX_REJECT},
        {400, "{\"error\":\"partial write: points beyond retention policy dropped=1\"}",
         INFLUX_REJECT},
        {401, "{\"error\":\"unable to parse authentication credentials\"}",
         INFLUX_CONFIG},
        {401, "{\"error\":\"authorization failed\"}", INFLUX_CONFIG},
        {403,
         "{\"error\":\"\\\"ro\\\" user is not authorized to write to database "
         "\\\"iot\\\"\"}",
         INFLUX_CONFIG},
        {413, "{\"error\":\"Request Entity Too Large\"}", INFLUX_SPLIT},
        {500, "{\"error\":\"engine: error writing WAL entry: no space left on device\"}",
         INFLUX_RETRY},
        {500, "{\"error\":\"timeout\"}", INFLUX_RETRY},
        /* 2.x */
        {422,
         "{\"code\":\"unprocessable entity\",\"message\":\"failure writing points to "
         "database: " CONFLICT "\"}",
         INFLUX_REJECT},
        {500,
         "{\"code\":\"internal error\",\"message\":\"unexpected error writing points to "
         "database: " CONFLICT "\"}",
         INFLUX_REJECT},
        {404, "{\"code\":\"not found\",\"message\":\"no dbrp mapping found\"}",
         INFLUX_CONFIG},
        {401, "{\"code\":\"unauthorized\",\"message\":\"unauthorized access\"}",
         INFLUX_CONFIG},
        {413, "{\"code\":\"request too large\",\"message\":\"x\"}", INFLUX_SPLIT},
        {429, "{\"code\":\"too many requests\",\"message\":\"x\"}", INFLUX_RETRY},
        {503, "{\"code\":\"unavailable\",\"message\":\"x\"}", INFLUX_RETRY},
        {400, "{\"code\":\"invalid\",\"message\":\"x\"}", INFLUX_REJECT},
        /* 3 */
        {400, "{\"error\":\"partial write of line protocol occurred\",\"data\":[]}",
         INFLUX_REJECT},
        {422, "{\"error\":\"Update to schema would exceed number of columns per table\"}",
         INFLUX_REJECT},
        {422, "{\"error\":\"Update to schema would exceed number of databases limit\"}",
         INFLUX_CONFIG},
        /* proxies and strangers */
        {400, "<html>400 Bad Request</html>", INFLUX_CONFIG},
        {404, "404 page not found", INFLUX_CONFIG},
        {405, "{\"error\":\"method not allowed\"}", INFLUX_CONFIG},
        {408, "", INFLUX_RETRY},
        {413, "<html>413 Request Entity Too Large</html>", INFLUX_SPLIT},
        {502, "<html>502 Bad Gateway</html>", INFLUX_RETRY},
        {500, "<html>partial write</html>", INFLUX_RETRY},
    };
    char why[200];
    for (size_t i = 0; i < N_OF(table); i++) {
        enum influx_verdict v = influx_judge(table[i].status, table[i].body,
                                             strlen(table[i].body), why, sizeof why);
        if (v != table[i].verdict)
            fail_msg("HTTP %d %s: %d", table[i].status, table[i].body, (int)v);
    }
    influx_judge(500, "{\"error\":\"one\\ntwo\"}", 20, why, 3);
    assert_string_equal(why, "on");
    influx_judge(500, "first\nsecond", 12, why, sizeof why);
    assert_string_equal(why, "first");
}

static void test_dialect(void **unused)
{
    (void)unused;
    static const struct {
        const char *version;
        enum influx_dialect dialect;
    } table[] = {
        {"1.6.7~rc0", INFLUX_1},  {"1.8.10", INFLUX_1},   {"v2.7.12", INFLUX_2},
        {"2.0.3", INFLUX_2},      {"3.9.6", INFLUX_3},    {"v3.0.0-beta", INFLUX_3},
        {"", INFLUX_UNKNOWN},     {"v", INFLUX_UNKNOWN},  {"4.0.0", INFLUX_UNKNOWN},
        {"10.1", INFLUX_UNKNOWN}, {"dev", INFLUX_UNKNOWN}};
    for (size_t i = 0; i < N_OF(table); i++)
        assert_int_equal(influx_dialect_of(table[i].version), table[i].dialect);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),     cmocka_unit_test(test_line_that_does_not_fit),
        cmocka_unit_test(test_escaping), cmocka_unit_test(test_judge),
        cmocka_unit_test(test_dialect),
    };
    return cmocka_run_group_tests_name("influx", tests, NULL, NULL);
}
