/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening a log that is not as it was left: cut and flipped at every place, with segments
 * that another version wrote, or nobody. What was sound comes out again, and nothing is
 * thrown away. */
#include "tests/unit/wal_log.h"

#include <signal.h>
#include <sys/resource.h>

static char path[160];
static unsigned char whole[SEGMENT];
static int64_t at[32]; /* where record n begins; at[N] is the end */
#define N 24

/* A log of N records in one segment, kept in whole[]. */
static int64_t make_log(void)
{
    struct wal *w = open_log();
    for (int n = 0; n < N; n++) {
        at[n] = wal_end(w);
        must_append(w, n, n + 1);
    }
    at[N] = wal_end(w);
    wal_close(w);
    segment_path(0, path);
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, whole, sizeof whole), at[N]);
    close(fd);
    return at[N];
}

static void write_file(const char *name, const void *data, size_t n)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), n);
    close(fd);
}

static void assert_file(const char *name, const void *data, size_t n)
{
    char *got = malloc(n + 1);
    int fd = open(name, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, got, n + 1), n);
    assert_memory_equal(got, data, n);
    close(fd);
    free(got);
}

/* The log has the records 0..upto-1 but for from..to-1. */
static void must_hold(struct wal *w, int from, int to, int upto)
{
    struct err e = ERR_INIT;
    struct wal_record rec;
    int64_t pos;
    struct wal_reader *r = open_reader(w, "");
    for (int n = 0; n < upto; n++) {
        if (n >= from && n < to)
            continue;
        assert_int_equal(wal_read(r, &rec, &pos, &e), 1);
        check_record(&rec, n);
    }
    assert_int_equal(wal_read(r, &rec, &pos, &e), 0);
    wal_reader_close(r);
}

/* The log opens, holds what must_hold() says, takes record N, and after another start
 * holds that as well. Returns where it ended at first. */
static int64_t must_survive(int from, int to)
{
    struct wal *w = open_log();
    int64_t end = wal_end(w);
    must_hold(w, from, to, N);
    must_append(w, N, N + 1);
    wal_close(w);
    w = open_log();
    must_hold(w, from, to, N + 1);
    wal_close(w);
    return end;
}

static void test_cut_at_every_byte(void **unused)
{
    (void)unused;
    char torn[180];
    make_log();
    snprintf(torn, sizeof torn, "%s.torn", path);
    for (int64_t size = at[N - 3]; size <= at[N]; size++) {
        int n = N - 3;
        while (n < N && at[n + 1] <= size)
            n++;
        write_file(path, whole, (size_t)size);
        assert_int_equal(must_survive(n, N), at[n]);
        if (size == at[n])
            assert_int_equal(access(torn, F_OK), -1);
        else
            assert_file(torn, whole + at[n], (size_t)(size - at[n]));
        unlink(torn);
    }
}

static void test_any_bit_flipped(void **unused)
{
    (void)unused;
    static const int records[] = {0, N / 2, N - 3, N - 2, N - 1};
    char torn[180];
    make_log();
    snprintf(torn, sizeof torn, "%s.torn", path);
    for (size_t i = 0; i < N_OF(records); i++)
        for (int64_t bit = at[records[i]] * 8; bit < at[records[i] + 1] * 8; bit++) {
            whole[bit / 8] ^= 1u << bit % 8;
            write_file(path, whole, (size_t)at[N]);
            bool last = records[i] == N - 1;
            assert_int_equal(must_survive(records[i], records[i] + 1),
                             last ? at[N - 1] : at[N]);
            if (last)
                assert_file(torn, whole + at[N - 1], (size_t)(at[N] - at[N - 1]));
            unlink(torn);
            whole[bit / 8] ^= 1u << bit % 8;
        }
}

static void test_a_stretch_in_the_middle(void **unused)
{
    (void)unused;
    static const char *const fills[] = {"\0", "F", "FCW1"};
    make_log();
    for (size_t i = 0; i < N_OF(fills); i++)
        for (int to = 1; to < N; to++) {
            unsigned char damaged[SEGMENT];
            memcpy(damaged, whole, sizeof damaged);
            size_t k = i < 2 ? 1 : 4; /* from within a record to within another */
            for (int64_t b = at[to / 2] + 3; b < at[to]; b++)
                damaged[b] = (unsigned char)fills[i][(size_t)b % k];
            write_file(path, damaged, (size_t)at[N]);
            assert_int_equal(must_survive(to / 2, to), at[N]);
            assert_int_equal(count_files(".torn"), 0);
        }
}

/* ---- segments that are not ours
 * ------------------------------------------------------------- */

static const struct {
    const char *bytes;
    size_t n;
    bool begun; /* it may be the beginning of a record */
} kinds[] = {
    {"FCW2and what else it may hold", 29, false},
    {"FCW2", 4, false},
    {"FCW", 3, true},
    {"xy", 2, false},
    {"\x7f\x45LF\2\1\1", 7, false},
    {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 36,
     false},
    {"FCW1\x30\0\0\0 and so on, cut", 24, true},
};

static void test_a_last_segment_of_another_kind(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < N_OF(kinds); i++) {
        char kept[180];
        int64_t end = make_log(), n = (int64_t)kinds[i].n;
        segment_path(end, path);
        write_file(path, kinds[i].bytes, kinds[i].n);
        assert_int_equal(must_survive(N, N), kinds[i].begun ? end : end + n);
        snprintf(kept, sizeof kept, "%s%s", path, kinds[i].begun ? ".torn" : ".aside");
        assert_file(kept, kinds[i].bytes, kinds[i].n);
        teardown(NULL);
        setup(NULL);
    }
}

static void test_the_only_segment_is_of_another_kind(void **unused)
{
    (void)unused;
    char aside[180];
    segment_path(0, path);
    for (int i = 0; i < 2; i++) { /* what is aside is not written over */
        snprintf(aside, sizeof aside, i ? "%s.aside.%d" : "%s.aside", path, i + 1);
        write_file(path, i ? "other" : "FCW2 records", i ? 5 : 12);
        struct wal *w = open_log();
        assert_int_equal(wal_first(w), i ? wal_end(w) : 12);
        wal_close(w);
        assert_file(aside, i ? "other" : "FCW2 records", i ? 5 : 12);
        if (i == 0) { /* the same place once more */
            char next[160];
            segment_path(12, next);
            unlink(next);
        }
    }
}

static void test_a_segment_of_another_kind_between(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct wal_record rec;
    char aside[180];
    int64_t end = make_log(), pos;
    segment_path(end, path);
    write_file(path, "FCW2 records", 12);
    struct wal *w = open_log();
    must_append(w, N, N + 1);
    wal_close(w);
    snprintf(aside, sizeof aside, "%s.aside", path);
    assert_int_equal(rename(aside, path), 0);
    w = open_log();
    assert_file(aside, "FCW2 records", 12);
    struct wal_reader *r = open_reader(w, "influx");
    for (int n = 0; n <= N; n++) {
        assert_int_equal(wal_read(r, &rec, &pos, &e), 1);
        check_record(&rec, n);
    }
    assert_int_equal(wal_reader_lost(r), 12);
    must_commit(r, wal_end(w));
    wal_ready(w);
    assert_file(aside, "FCW2 records", 12);
    wal_reader_close(r);
    wal_close(w);
}

static void test_the_last_segment_is_empty(void **unused)
{
    (void)unused;
    int64_t end = make_log();
    segment_path(end, path);
    write_file(path, "", 0);
    struct wal *w = open_log();
    assert_int_equal(wal_last_ms(w), 1000); /* when the one before it was begun */
    wal_close(w);
    assert_int_equal(must_survive(N, N), end);
}

static void test_a_long_tail_is_not_cut(void **unused)
{
    (void)unused;
    size_t n = (1 << 20) + 1;
    int64_t end = make_log();
    char *all = malloc((size_t)end + n);
    opts.max_bytes = 8 << 20;
    memcpy(all, whole, (size_t)end);
    memset(all + end, 'F', n);
    write_file(path, all, (size_t)end + n - 1);
    assert_int_equal(must_survive(N, N), end); /* not too long yet */
    write_file(path, all, (size_t)end + n);
    assert_int_equal(must_survive(N, N), end + (int64_t)n);
    assert_file(path, all, (size_t)end + n);
    free(all);
}

static void test_files_that_are_no_segments(void **unused)
{
    (void)unused;
    static const char *const names[] = {"99999999999999999999.log",
                                        "0000000000000000000x.log",
                                        "-0000000000000000001.log",
                                        "00000000000000000000.log.bak",
                                        "log",
                                        ".log"};
    make_log();
    for (size_t i = 0; i < N_OF(names); i++) {
        char name[180];
        snprintf(name, sizeof name, "%s/%s", dir, names[i]);
        write_file(name, "FCW2", 4);
    }
    assert_int_equal(must_survive(N, N), at[N]);
    for (size_t i = 0; i < N_OF(names); i++) {
        char name[180];
        snprintf(name, sizeof name, "%s/%s", dir, names[i]);
        assert_file(name, "FCW2", 4);
    }
}

static void test_what_cannot_be_read_is_an_error(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    segment_path(0, path);
    assert_int_equal(symlink("/proc/self/mem", path), 0); /* EIO at its beginning */
    assert_null(wal_open(&opts, &e));
    assert_non_null(strstr(e.text, "could not read the log: Input/output error"));
    unlink(path);
    assert_int_equal(symlink("/dev/zero", path), 0);
    assert_null(wal_open(&opts, &e));
    assert_non_null(strstr(e.text, "it is no file"));
}

/* ---- what a refused append leaves
 * ----------------------------------------------------------- */

static void test_a_refused_append_is_not_found_later(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    static const char text[] = "a batch that was refused";
    struct wal_record r[3], small = {.topic = "t", .topic_len = 1};
    for (int i = 0; i < 3; i++)
        r[i] =
            (struct wal_record){.topic = "t", .topic_len = 1, .payload = text, .len = 24};
    make_log();
    struct wal *w = open_log();
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit was, limit;
    getrlimit(RLIMIT_FSIZE, &was);
    limit = was;
    limit.rlim_cur = (rlim_t)at[N] + 3 * wal_record_size(&r[0]) - 1;
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(wal_append(w, r, 3, &e), -1);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_int_equal(file_size(path), at[N]);
    assert_int_equal(wal_append(w, &small, 1, &e), 0);
    wal_close(w);
    w = open_log();
    assert_int_equal(wal_end(w), at[N] + (int64_t)wal_record_size(&small));
    assert_int_equal(count_files(".torn"), 0);
    wal_close(w);
}

static void test_a_place_that_is_taken_is_not_written_over(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct wal *w = open_log();
    int n = 0;
    for (; wal_end(w) < SEGMENT; n++)
        must_append(w, n, n + 1);
    segment_path(wal_end(w), path);
    write_file(path, "somebody's", 10);
    assert_int_equal(append(w, n, &e), -1);
    assert_non_null(strstr(e.text, "could not make the log segment"));
    assert_file(path, "somebody's", 10);
    unlink(path);
    must_append(w, n, n + 1);
    wal_close(w);
}

/* ---- the newest records
 * --------------------------------------------------------------------- */

static void test_newest(void **unused)
{
    (void)unused;
    enum { ALL = 400 };
    static int64_t pos[ALL + 1];
    struct wal *w = open_log();
    for (int n = 0; n < ALL; n++) {
        must_append(w, n, n + 1);
        pos[n + 1] = wal_end(w);
    }
    wal_close(w);
    assert_true(count_files(".log") > 10);
    w = open_log();
    int64_t newest = newest_segment();
    for (size_t n = 0; n <= ALL + 10; n++) {
        int64_t from = wal_newest(w, n, INT64_MAX), first = n < ALL ? pos[ALL - n] : 0;
        assert_true(from <= first);
        assert_true(n + 64 > ALL || from >= pos[ALL - n - 64] || from == newest);
        bool is_record = false;
        for (int i = 0; i <= ALL; i++)
            is_record |= pos[i] == from;
        assert_true(is_record);
    }
    assert_int_equal(wal_newest(w, ALL, 0), newest); /* not looked for further back */
    int64_t far = wal_newest(w, ALL, 2 * SEGMENT);
    assert_true(far <= pos[ALL] - 2 * SEGMENT && far >= pos[ALL] - 4 * SEGMENT);
    wal_close(w);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_cut_at_every_byte),
        T(test_any_bit_flipped),
        T(test_a_stretch_in_the_middle),
        T(test_a_last_segment_of_another_kind),
        T(test_the_only_segment_is_of_another_kind),
        T(test_a_segment_of_another_kind_between),
        T(test_the_last_segment_is_empty),
        T(test_a_long_tail_is_not_cut),
        T(test_files_that_are_no_segments),
        T(test_what_cannot_be_read_is_an_error),
        T(test_a_refused_append_is_not_found_later),
        T(test_a_place_that_is_taken_is_not_written_over),
        T(test_newest),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
