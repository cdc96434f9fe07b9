/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of the archive: when one is closed, what a crash leaves of them, and which go. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/ingest/archive_file.h"

#define DAY INT64_C(86400000)
#define T (INT64_C(20778) * DAY + 5000) /* 2026-11-21T00:00:05Z */

static char dir[64];

static int setup(void **unused)
{
    (void)unused;
    strcpy(dir, "/tmp/fieldcast-archive-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static int64_t from, to = INT64_MAX; /* what the log gives again */

static struct archive_file *open_it(int64_t max_bytes)
{
    struct err e = ERR_INIT;
    struct archive_file *a = archive_open(dir, max_bytes, from, to, &e);
    if (!a)
        fail_msg("%s", e.text);
    return a;
}

/* A record of n lines. */
static void put(struct archive_file *a, int64_t pos, int n, int64_t t_ms)
{
    struct err e = ERR_INIT;
    struct buf b;
    buf_init(&b, 65536);
    for (int i = 0; i < n; i++)
        buf_addf(&b,
                 "{\"id\":%lld,\"device\":\"d%d\",\"ts_ms\":1,\"received_ms\":%lld,"
                 "\"values\":{\"co\":%d}}\n",
                 (long long)pos, i, (long long)t_ms, i);
    if (archive_append(a, t_ms, &b, &e))
        fail_msg("%s", e.text);
    buf_done(&b);
}

static int by_name(const struct dirent *f)
{
    return *f->d_name != '.';
}

/* The names there are, sorted, with blanks between. */
static const char *names(void)
{
    static char text[1000];
    struct dirent **list;
    int n = scandir(dir, &list, by_name, alphasort);
    *text = '\0';
    for (int i = 0; i < n; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                 list[i]->d_name);
        free(list[i]);
    }
    free(list);
    return text;
}

static long size_of(const char *name)
{
    char path[200];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &st) ? -1 : (long)st.st_size;
}

static void test_files_are_closed_by_size_and_day(void **unused)
{
    (void)unused;
    int64_t ms;
    struct archive_file *a = open_it(300);
    assert_string_equal(names(), "");
    assert_int_equal(archive_newest(a, &ms), -1);
    put(a, 0, 1, T);
    put(a, 50, 3, T + 1);  /* 300 bytes: too many for the first */
    put(a, 90, 20, T + 2); /* more than a file: whole all the same */
    put(a, 95, 1, T + DAY);
    put(a, 99, 1, T + DAY);
    assert_string_equal(names(),
                        "readings-0000000001-20261121.jsonl readings-0000000002-20261121"
                        ".jsonl readings-0000000003-20261121.jsonl "
                        "readings-0000000004-20261122.jsonl");
    archive_close(a);
    a = open_it(300); /* goes on where it was */
    assert_int_equal(archive_newest(a, &ms), 95);
    assert_int_equal(ms, T + DAY);
    put(a, 99, 1, T + DAY);
    put(a, 100, 1, T + 2 * DAY);
    archive_close(a);
    assert_non_null(strstr(names(), "readings-0000000005-20261123.jsonl"));
}

/* Cut at every byte: what is left is whole, the newest record is one whose lines are all
 * there, and going on from it gives the same file again. */
static void test_a_crash_at_every_byte(void **unused)
{
    (void)unused;
    char path[200];
    struct archive_file *a = open_it(1 << 20);
    static const int lines[] = {1, 2, 3, 1};
    long end[4] = {0};
    for (int i = 0; i < 4; i++) {
        put(a, i * 10, lines[i], T);
        end[i] = size_of("readings-0000000001-20261121.jsonl");
    }
    archive_close(a);
    snprintf(path, sizeof path, "%s/readings-0000000001-20261121.jsonl", dir);
    for (long cut = end[3]; cut >= 0; cut--) {
        assert_int_equal(truncate(path, cut), 0);
        a = open_it(1 << 20);
        int64_t ms, newest = archive_newest(a, &ms);
        int next = newest < 0 ? 0 : (int)(newest / 10) + 1;
        assert_true(next <= 3); /* the last may not be whole */
        if (next)
            assert_true(end[next - 1] <= cut);
        assert_int_equal(size_of("readings-0000000001-20261121.jsonl"),
                         next ? end[next - 1] : 0);
        for (int i = next; i < 4; i++)
            put(a, i * 10, lines[i], T);
        assert_int_equal(size_of("readings-0000000001-20261121.jsonl"), end[3]);
        archive_close(a);
    }
}

static void test_the_file_before_tells(void **unused)
{
    (void)unused;
    int64_t ms;
    struct archive_file *a = open_it(1 << 20);
    put(a, 10, 2, T);
    put(a, 20, 2, T);
    put(a, 30, 2, T + DAY);
    archive_close(a);
    a = open_it(1 << 20); /* 30 may have lost lines: it comes again */
    assert_int_equal(archive_newest(a, &ms), 20);
    assert_int_equal(size_of("readings-0000000002-20261122.jsonl"), 0);
    archive_close(a);
}

/* A last record that does not come again stays: the cursor was behind it. */
static void test_what_is_settled_stays(void **unused)
{
    (void)unused;
    int64_t ms;
    struct archive_file *a = open_it(1 << 20);
    put(a, 10, 2, T);
    put(a, 20, 2, T);
    long whole = size_of("readings-0000000001-20261121.jsonl");
    archive_close(a);
    from = 21;
    a = open_it(1 << 20);
    from = 0;
    assert_int_equal(archive_newest(a, &ms), 20);
    assert_int_equal(size_of("readings-0000000001-20261121.jsonl"), whole);
    archive_close(a);
    to = 15; /* a log that has begun anew */
    a = open_it(1 << 20);
    to = INT64_MAX;
    assert_int_equal(size_of("readings-0000000001-20261121.jsonl"), whole);
    archive_close(a);
}

static void test_old_days_go(void **unused)
{
    (void)unused;
    char path[200];
    struct archive_file *a = open_it(1 << 20);
    for (int i = 0; i < 5; i++)
        put(a, i, 1, T + i * DAY);
    snprintf(path, sizeof path, "%s/readings-mine.jsonl", dir);
    fclose(fopen(path, "w"));
    assert_int_equal(archive_expire(a, T + 4 * DAY, 2), 2);
    assert_string_equal(names(),
                        "readings-0000000003-20261123.jsonl "
                        "readings-0000000004-20261124.jsonl "
                        "readings-0000000005-20261125.jsonl readings-mine.jsonl");
    assert_int_equal(archive_expire(a, T + 400 * DAY, 2), 2); /* not the one it writes */
    archive_close(a);
}

static void test_what_cannot_be_opened(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    assert_null(archive_open("/proc/nowhere/x", 1, 0, 0, &e));
    assert_string_equal(e.text,
                        "could not make the archive /proc/nowhere/x: No such file "
                        "or directory");
}

int main(void)
{
#define T_(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T_(test_files_are_closed_by_size_and_day),
        T_(test_a_crash_at_every_byte),
        T_(test_the_file_before_tells),
        T_(test_what_is_settled_stays),
        T_(test_old_days_go),
        T_(test_what_cannot_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
