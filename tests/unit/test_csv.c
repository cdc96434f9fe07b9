/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/near.h"
#include "tools/csv.h"

static char path[] = "/tmp/test_csv_XXXXXX";

static int setup(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static struct csv *open_text(const char *text, size_t n)
{
    struct err e = ERR_INIT;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
    struct csv *c = csv_open(path, &e);
    if (!c)
        fail_msg("%s", e.text);
    return c;
}

#define OPEN(text) open_text(text, sizeof text - 1)

/* The row as its fields between bars. */
static void expect(struct csv *c, const char *want)
{
    struct err e = ERR_INIT;
    char got[500] = "";
    int rc = csv_next(c, &e);
    if (rc < 0)
        fail_msg("%s", e.text);
    for (size_t i = 0; i < csv_fields(c); i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s|", csv_field(c, i));
    assert_string_equal(got, want);
    assert_int_equal(rc, *want ? 1 : 0);
}

static void rows(void **state)
{
    (void)state;
    struct csv *c = OPEN("\xef\xbb\xbf"
                         "a,b,c\r\n"
                         "\n"
                         "1,\"two, \"\"2\"\"\",3\n"
                         ",,\n"
                         "\"line\nbreak\",x\r\n"
                         "last,one");
    expect(c, "a|b|c|");
    expect(c, "1|two, \"2\"|3|");
    assert_int_equal(csv_line(c), 3);
    expect(c, "|||");
    expect(c, "line\nbreak|x|");
    assert_string_equal(csv_field(c, 7), "");
    expect(c, "last|one|");
    assert_int_equal(csv_line(c), 7);
    expect(c, "");
    expect(c, "");
    csv_close(c);
    csv_close(NULL);
    c = OPEN("");
    expect(c, "");
    csv_close(c);
}

/* What begins like a byte order mark and is none. */
static void marks(void **state)
{
    (void)state;
    static const char *const texts[] = {"\xef\xbd\xb6", "\xef\xbb\xbe", "\xef\xbb",
                                        "\xef", "\xef\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[20], want[24];
        int n = snprintf(text, sizeof text, "%s", texts[i]);
        snprintf(want, sizeof want, "%s|", text);
        struct csv *c = open_text(text, (size_t)n);
        expect(c, want);
        expect(c, "");
        csv_close(c);
    }
    struct csv *c = OPEN("\xef\xbb\xbf");
    expect(c, "");
    csv_close(c);
    c = OPEN("\xef\xbd\xb6,\"b\"\n1,2\n");
    expect(c, "\xef\xbd\xb6|b|");
    expect(c, "1|2|");
    csv_close(c);
}

static void values(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct csv *c = OPEN("Time,v\n2026-11-20 10:00:00,1.5e1,NA,,0x10,1e999,7x\n"
                         "2026-11-20,1795168800,2026-11-20T10:00:00+01:00,noon\n");
    double x;
    int64_t t;
    expect(c, "Time|v|");
    csv_header(c);
    assert_int_equal(csv_column(c, "time"), 0);
    assert_int_equal(csv_column(c, "V"), 1);
    assert_int_equal(csv_column(c, "w"), -1);
    assert_string_equal(csv_column_name(c, 9), "");
    assert_int_equal(csv_next(c, &e), 1);
    assert_int_equal(csv_time(c, 0, &t, &e), 0);
    assert_true(t == INT64_C(1795168800000));
    assert_int_equal(csv_real(c, 1, &x, &e), 0);
    assert_near(x, 15, 0);
    assert_int_equal(csv_real(c, 2, &x, &e), 0);
    assert_true(isnan(x));
    assert_int_equal(csv_real(c, 3, &x, &e), 0);
    assert_true(isnan(x) && csv_is_real(c, 3) && !csv_is_real(c, 4));
    for (size_t i = 4; i < 7; i++)
        assert_int_equal(csv_real(c, i, &x, &e), -1);
    assert_non_null(strstr(e.text, ", line 2, column 7: \"7x\" is not a number"));
    assert_int_equal(csv_next(c, &e), 1);
    assert_int_equal(csv_time(c, 0, &t, &e), 0);
    assert_true(t == INT64_C(1795132800000));
    assert_int_equal(csv_time(c, 1, &t, &e), 0);
    assert_true(t == INT64_C(1795168800000));
    assert_int_equal(csv_time(c, 2, &t, &e), 0);
    assert_true(t == INT64_C(1795165200000));
    assert_int_equal(csv_time(c, 3, &t, &e), -1);
    assert_non_null(strstr(e.text, ", line 3, column 4: \"noon\" is not a time"));
    assert_int_equal(csv_refuse(c, 1, &e, "too much"), -1);
    assert_non_null(strstr(e.text, ", line 3, column 2 (v): too much"));
    csv_close(c);
}

static void refused(struct csv *c, const char *text)
{
    struct err e = ERR_INIT;
    int rc;
    while ((rc = csv_next(c, &e)) == 1)
        ;
    assert_int_equal(rc, -1);
    if (!strstr(e.text, text))
        fail_msg("it says \"%s\", not \"%s\"", e.text, text);
    csv_close(c);
}

static void refusals(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    refused(OPEN("a\n\"b"), "line 2, column 1: the quote is never closed");
    refused(OPEN("a,\"b\"c"), "line 1, column 2: there is text after the closing quote");
    refused(OPEN("a\nb,\0,c"), "line 2, column 2: there is a NUL byte");
    size_t n = CSV_ROW_MAX + 10;
    char *text = malloc(n);
    memset(text, 'x', n);
    refused(open_text(text, n), "a row has at most 16777216 bytes");
    memset(text, ',', n);
    refused(open_text(text, n), "a row has at most 200000 columns");
    free(text);
    assert_null(csv_open("/nonexistent/file.csv", &e));
    assert_string_equal(
        e.text, "could not open /nonexistent/file.csv: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(marks),
        cmocka_unit_test(values),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
