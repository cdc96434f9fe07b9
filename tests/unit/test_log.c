/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "common/log.h"

/* Runs log_line(level, "%s", text) with stderr in a file; gives what was written. */
static char *logged(enum log_level level, const char *text)
{
    static char out[8192];
    char path[64];
    temp_file(path, "");
    int saved = dup(STDERR_FILENO);
    FILE *f = fopen(path, "r+");
    dup2(fileno(f), STDERR_FILENO);
    log_line(level, "%s", text);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(f);
    size_t n = fread(out, 1, sizeof out - 1, f);
    out[n] = '\0';
    fclose(f);
    unlink(path);
    return out;
}

static void test_line(void **unused)
{
    (void)unused;
    log_init("ingest", LOG_INFO);
    char *s = logged(LOG_WARN, "a \"b\" c\\d\ne\x01\x7f é \xc2\x9b\x9b");
    assert_memory_equal(s, "time=20", 7);
    assert_non_null(strstr(s, "Z level=warn service=ingest msg=\"a \\\"b\\\" "
                              "c\\\\d\\ne\\x01\\x7f é \\u009b\\x9b\"\n"));
    assert_string_equal(logged(LOG_DEBUG, "not shown"), "");
    assert_true(log_count(LOG_DEBUG) == 1); /* but counted */
    assert_true(log_count(LOG_WARN) == 1);
}

static struct log_often often;

static void ten_times(void)
{
    for (int i = 0; i < 10; i++)
        log_often(&often, LOG_WARN, "%d", i);
}

static void test_what_comes_often(void **unused)
{
    (void)unused;
    uint64_t before = log_count(LOG_WARN);
    ten_times();
    assert_true(log_count(LOG_WARN) == before + 1);
    atomic_store(&often.until_ms, 0); /* a minute later */
    ten_times();
    assert_true(log_count(LOG_WARN) == before + 2);
    assert_true(atomic_load(&often.held) == 9); /* nine were told of */
}

static void test_long_lines_stay_one_line(void **unused)
{
    (void)unused;
    static char text[5000];
    static const char fills[] = {'x', '"', '\n', '\x01'};
    for (size_t i = 0; i < sizeof fills; i++) {
        memset(text, fills[i], sizeof text - 1);
        char *s = logged(LOG_ERROR, text);
        size_t n = strlen(s);
        assert_true(n > 500 && n < 1500);
        assert_string_equal(s + n - 2, "\"\n");
        assert_ptr_equal(strchr(s, '\n'), s + n - 1);
    }
}

static void test_levels(void **unused)
{
    (void)unused;
    static const char *const names[] = {"debug", "info", "warn", "error"};
    enum log_level level;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(log_level_parse(names[i], &level), 0);
        assert_int_equal(level, i);
    }
    assert_int_equal(log_level_parse("fatal", &level), -1);
    assert_int_equal(log_level_parse("Info", &level), -1);
    assert_int_equal(log_level_parse("", &level), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_what_comes_often),
        cmocka_unit_test(test_long_lines_stay_one_line),
        cmocka_unit_test(test_levels),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
