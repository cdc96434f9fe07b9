/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Line protocol and InfluxQL as text; the talking itself is tested with a real InfluxDB
 * in tests/integration. */
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
    influx_tag(&l, "t k", "a,b=c d\\");
    influx_tag(&l, "n", "x\ny z=1 5\nevil v=1");
    influx_field(&l, "f k,=", 1);
    assert_int_equal(influx_end(&l, -1), 0);
    assert_string_equal(
        b.data, "my\\ m\\,s=x,t\\ k=a\\,b\\=c\\ d_,n=x_y\\ z\\=1\\ 5_evil\\ v\\=1 "
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_line_that_does_not_fit),
        cmocka_unit_test(test_escaping),
    };
    return cmocka_run_group_tests_name("influx", tests, NULL, NULL);
}
