/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "services/ingest/letter_file.h"

static char dir[64], current[96], older[96];

static int setup(void **unused)
{
    (void)unused;
    strcpy(dir, "/tmp/fieldcast-letters-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(current, sizeof current, "%s/deadletters.jsonl", dir);
    snprintf(older, sizeof older, "%s/deadletters.1.jsonl", dir);
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    unlink(current);
    unlink(older);
    return rmdir(dir);
}

static void put(struct letter_file *f, const char *line)
{
    struct err e = ERR_INIT;
    struct buf b;
    buf_init(&b, 4096);
    buf_adds(&b, line);
    buf_addc(&b, '\n');
    assert_ok(letter_file_put(f, &b, &e), e);
    buf_done(&b);
}

/* Lines with a space behind each; ends after `most`. */
struct seen {
    char text[256];
    int most;
};

static bool see(void *arg, const char *line, size_t len)
{
    struct seen *s = arg;
    sprintf(s->text + strlen(s->text), "%.*s ", (int)len, line);
    return --s->most > 0;
}

static void expect_lines(const char *path, int most, const char *want)
{
    struct seen s = {"", most};
    letter_file_each(path, see, &s);
    assert_string_equal(s.text, want);
}

static void test_newest_first(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct letter_file f;
    assert_ok(letter_file_open(&f, dir, 8192, &e), e);
    expect_lines(f.path, 9, "");
    put(&f, "a");
    put(&f, "");
    put(&f, "ccc");
    expect_lines(f.path, 9, "ccc  a ");
    expect_lines(f.path, 2, "ccc  ");
    expect_lines(f.older, 9, "");
    letter_file_close(&f);
}

static int64_t size_of(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    int64_t n = ftell(f);
    fclose(f);
    return n;
}

static void test_bounded(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct letter_file f;
    char line[16];
    assert_ok(letter_file_open(&f, dir, 100, &e), e);
    for (int i = 0; i < 100; i++) {
        snprintf(line, sizeof line, "letter %02d", i); /* 10 bytes with the line's end */
        put(&f, line);
        if (i == 12) { /* the size is known again */
            letter_file_close(&f);
            assert_ok(letter_file_open(&f, dir, 100, &e), e);
        }
    }
    assert_int_equal(size_of(current), 50);
    assert_int_equal(size_of(older), 50);
    expect_lines(f.path, 1, "letter 99 ");
    expect_lines(f.older, 1, "letter 94 ");
    put(&f, "one that is larger than both files may be together, and is kept all the "
            "same because there would be none otherwise");
    assert_int_equal(size_of(older), 50);
    letter_file_close(&f);
}

static void test_a_line_that_a_crash_cut(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct letter_file f;
    assert_ok(letter_file_open(&f, dir, 8192, &e), e);
    put(&f, "whole");
    letter_file_close(&f);
    FILE *cut = fopen(current, "a");
    fputs("cu", cut);
    fclose(cut);
    assert_ok(letter_file_open(&f, dir, 8192, &e), e);
    expect_lines(f.path, 9, "cu whole ");
    put(&f, "next");
    expect_lines(f.path, 9, "next cu whole ");
    letter_file_close(&f);
}

static void test_errors(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct letter_file f;
    struct buf b;
    assert_int_equal(letter_file_open(&f, "/nowhere", 8192, &e), -1);
    assert_string_equal(
        e.text, "could not open /nowhere/deadletters.jsonl: No such file or directory");
    letter_file_close(&f);
    e = (struct err)ERR_INIT;
    assert_ok(letter_file_open(&f, dir, 8192, &e), e);
    close(f.fd);
    f.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    buf_init(&b, 100);
    buf_adds(&b, "line\n");
    assert_int_equal(letter_file_put(&f, &b, &e), -1);
    assert_non_null(strstr(e.text, "/deadletters.jsonl: No space left on device"));
    assert_memory_equal(e.text, "could not write to ", 19);
    buf_done(&b);
    letter_file_close(&f);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_newest_first),
        T(test_bounded),
        T(test_a_line_that_a_crash_cut),
        T(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
