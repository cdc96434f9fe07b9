/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log's promises, on real files: what was appended is read again, whatever a crash
 * left behind it; a cursor holds segments back; a full log takes nothing. */
#include "tests/unit/wal_log.h"

#include <signal.h>
#include <sys/resource.h>

static void test_record_layout(void **unused)
{
    (void)unused;
    unsigned char out[64];
    struct wal_record r = {.receive_ms = 0x0102030405060708,
                           .assigned_ms = -2,
                           .flags = 0x1d,
                           .topic = "t/1",
                           .topic_len = 3,
                           .payload = "xy",
                           .len = 2};
    assert_int_equal(wal_record_size(&r), 37);
    wal_record_write(&r, out);
    assert_memory_equal(out, "FCW1\x19\0\0\0", 8);
    assert_memory_equal(
        out + 12, "\x08\7\6\5\4\3\2\1\xfe\xff\xff\xff\xff\xff\xff\xff\x1d\0\3\0t/1xy",
        25);
    struct wal_record back;
    size_t need;
    assert_int_equal(wal_record_parse(out, 37, &back, &need), 37);
    assert_int_equal(back.receive_ms, 0x0102030405060708);
    assert_int_equal(back.assigned_ms, -2);
    assert_int_equal(back.len, 2);
    assert_int_equal(wal_record_parse(out, 31, &back, &need), 0);
    assert_int_equal(need, 32);
    assert_int_equal(wal_record_parse(out, 36, &back, &need), 0);
    assert_int_equal(need, 37);
    for (int bit = 0; bit < 37 * 8; bit++) { /* no flipped bit goes unseen */
        out[bit / 8] ^= 1u << bit % 8;
        assert_true(wal_record_parse(out, 37, &back, &need) <= 0);
        out[bit / 8] ^= 1u << bit % 8;
    }
}

static void test_append_and_read_over_segments(void **unused)
{
    (void)unused;
    struct wal *w = open_log();
    struct wal_reader *r = open_reader(w, "influx");
    must_append(w, 0, 50);
    must_read(r, 0, 50);
    must_append(w, 50, 120); /* the reader follows into new segments */
    must_read(r, 50, 120);
    assert_true(wal_end(w) > 3 * SEGMENT);
    struct wal_reader *again = open_reader(w, "");
    must_read(again, 0, 120);
    wal_reader_close(again);
    wal_reader_close(r);
    wal_close(w);
    opts.power = true;
    w = open_log();
    r = open_reader(w, "influx");
    must_append(w, 120, 130);
    must_read(r, 0, 130); /* nothing was committed */
    wal_reader_close(r);
    wal_close(w);
}

static void test_torn_write_at_every_byte(void **unused)
{
    (void)unused;
    struct wal *w = open_log();
    must_append(w, 0, 5);
    int64_t sound = wal_end(w);
    must_append(w, 5, 6);
    int64_t whole = wal_end(w);
    wal_close(w);
    char path[160], kept[SEGMENT];
    segment_path(0, path);
    int fd = open(path, O_RDWR);
    assert_int_equal(read(fd, kept, sizeof kept), whole);
    for (int64_t cut = sound; cut < whole; cut++) {
        assert_int_equal(ftruncate(fd, cut), 0);
        w = open_log();
        assert_int_equal(wal_end(w), sound);
        must_append(w, 5, 7); /* and it goes on from there */
        struct wal_reader *r = open_reader(w, "");
        must_read(r, 0, 7);
        wal_reader_close(r);
        wal_close(w);
        assert_int_equal(pwrite(fd, kept, (size_t)whole, 0), whole);
        assert_int_equal(ftruncate(fd, whole), 0);
    }
    /* a record that is long enough but not what its CRC says */
    for (int64_t at = sound; at < whole; at++) {
        char wrong = (char)(kept[at] ^ 0x40);
        assert_int_equal(pwrite(fd, &wrong, 1, at), 1);
        w = open_log();
        assert_int_equal(wal_end(w), sound);
        wal_close(w);
        assert_int_equal(pwrite(fd, kept, (size_t)whole, 0), whole);
    }
    close(fd);
}

static void test_damage_in_the_middle_costs_only_itself(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct wal *w = open_log();
    must_append(w, 0, 3);
    int64_t from = wal_end(w);
    must_append(w, 3, 4);
    int64_t to = wal_end(w);
    must_append(w, 4, 100);
    wal_close(w);
    char path[160];
    segment_path(0, path);
    int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "?", 1, from + 20), 1);
    close(fd);
    w = open_log();
    struct wal_reader *r = open_reader(w, "");
    struct wal_record rec;
    int64_t pos;
    for (int n = 0; n < 100; n++) {
        if (n == 3)
            continue;
        assert_int_equal(wal_read(r, &rec, &pos, &e), 1);
        check_record(&rec, n);
    }
    assert_int_equal(wal_read(r, &rec, &pos, &e), 0);
    assert_int_equal(wal_reader_lost(r), to - from);
    wal_reader_close(r);
    wal_close(w);
    /* the same in the newest segment: what lies behind it is not cut off */
    int64_t newest = newest_segment();
    segment_path(newest, path);
    size_t size = file_size(path);
    fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "?", 1, 14), 1);
    close(fd);
    w = open_log();
    assert_int_equal(file_size(path), size);
    assert_int_equal(wal_end(w), newest + (int64_t)size);
    wal_close(w);
}

static void test_cursor(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct wal *w = open_log();
    struct wal_reader *r = open_reader(w, "influx"), *other = open_reader(w, "kafka");
    must_append(w, 0, 20);
    must_read(r, 0, 20);
    struct wal_record rec;
    int64_t pos;
    for (int n = 0; n < 7; n++)
        assert_int_equal(wal_read(other, &rec, &pos, &e), 1);
    assert_int_equal(wal_commit(r, wal_reader_pos(r), &e), 0);
    assert_int_equal(wal_commit(other, pos, &e), 0); /* before number 6 */
    wal_reader_close(r);
    wal_reader_close(other);
    wal_close(w);
    w = open_log();
    r = open_reader(w, "influx");
    other = open_reader(w, "kafka");
    must_read(r, 20, 20);
    must_read(other, 6, 20);
    wal_reader_close(r);
    wal_reader_close(other);
    /* a cursor that does not lie in the log: better twice than not at all */
    char path[160];
    snprintf(path, sizeof path, "%s/influx.cursor", dir);
    static const char *const bad[] = {"", "junk\n", "-5\n", "99999999\n"};
    for (size_t i = 0; i < N_OF(bad); i++) {
        FILE *f = fopen(path, "w");
        fputs(bad[i], f);
        fclose(f);
        r = open_reader(w, "influx");
        must_read(r, 0, 20);
        wal_reader_close(r);
    }
    wal_close(w);
}

static void test_the_oldest_is_given_up(void **unused)
{
    (void)unused;
    struct wal *w = open_log();
    must_append(w, 0, 100);
    struct wal_reader *r = open_reader(w, "slow");
    int64_t end = wal_end(w), third = 2 * end / 3;
    assert_int_equal(wal_reader_give_up(r, end), 0);
    assert_int_equal(wal_reader_pos(r), 0);
    int64_t bytes = wal_reader_give_up(r, end - third);
    assert_int_equal(wal_reader_pos(r), bytes);
    assert_in_range(bytes, third, third + 300); /* no more than a record beyond */
    struct err e = ERR_INIT;
    struct wal_record rec;
    int64_t pos;
    assert_int_equal(wal_read(r, &rec, &pos, &e), 1);
    assert_int_equal(pos, bytes);
    must_read(r, (int)-rec.assigned_ms + 1, 100);
    assert_int_equal(wal_committed(r), 0); /* that is for who gave it up to say */
    assert_int_equal(wal_reader_give_up(r, 0), 0);
    wal_reader_close(r);
    wal_close(w);
}

static void test_segments_go_when_all_cursors_passed(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct wal *w = open_log();
    struct wal_reader *fast = open_reader(w, "influx"), *slow = open_reader(w, "kafka");
    wal_ready(w);
    must_append(w, 0, 200);
    must_read(fast, 0, 200);
    int before = count_files(".log");
    assert_true(before > 4);
    assert_int_equal(wal_commit(fast, wal_reader_pos(fast), &e), 0);
    assert_int_equal(count_files(".log"), before); /* the slow one still needs them */
    must_read(slow, 0, 200);
    assert_int_equal(wal_commit(slow, wal_reader_pos(slow), &e), 0);
    assert_int_equal(count_files(".log"), 2); /* the newest, and the one full before it */
    assert_true(wal_first(w) > 0);
    must_append(w, 200, 210);
    must_read(fast, 200, 210);
    wal_reader_close(fast);
    wal_reader_close(slow);
    int64_t end = wal_end(w);
    wal_close(w);
    w = open_log();
    assert_int_equal(wal_end(w), end); /* positions go on */
    wal_close(w);
}

static void test_full(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct wal *w = open_log();
    struct wal_reader *r = open_reader(w, "influx");
    wal_ready(w);
    int n = 0;
    while (append(w, n, &e) == 0)
        n++;
    assert_int_equal(e.code, ERR_BUSY);
    assert_non_null(strstr(e.text, "the log is full: it holds"));
    assert_non_null(strstr(e.text, "FC_LOG_MAX_MB"));
    assert_true(wal_bytes(w) <= MAX_BYTES);
    int64_t end = wal_end(w);
    assert_int_equal(append(w, n, &e), -1);
    assert_int_equal(wal_end(w), end);
    must_read(r, 0, n);
    assert_int_equal(wal_commit(r, wal_reader_pos(r), &e), 0);
    must_append(w, n, n + 50); /* there is room again */
    must_read(r, n, n + 50);
    wal_reader_close(r);
    wal_close(w);
}

static void test_disk_refuses(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct wal *w = open_log();
    must_append(w, 0, 3);
    int64_t end = wal_end(w);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit was, small;
    getrlimit(RLIMIT_FSIZE, &was);
    small = was;
    small.rlim_cur = (rlim_t)end + 10; /* the next record fits in part only */
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(append(w, 3, &e), -1);
    assert_int_equal(e.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(e.text, "could not write to the log"));
    assert_int_equal(wal_end(w), end);
    setrlimit(RLIMIT_FSIZE, &was);
    must_append(w, 3, 5); /* over the half-written one */
    struct wal_reader *r = open_reader(w, "");
    must_read(r, 0, 5);
    wal_reader_close(r);
    wal_close(w);
}

static void test_one_log_per_folder(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct wal *w = open_log();
    assert_null(wal_open(&opts, &e));
    assert_non_null(strstr(e.text, "is in use by another process"));
    wal_close(w);
    wal_close(NULL);
}

static void test_large_records_and_batches(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct wal_opts o = {
        .dir = dir, .max_bytes = INT64_C(64) << 20, .segment_bytes = 1 << 20};
    struct wal *w = wal_open(&o, &e);
    assert_non_null(w);
    char *big = calloc(1, WAL_PAYLOAD_MAX);
    char topic[WAL_TOPIC_MAX + 1];
    memset(topic, 't', WAL_TOPIC_MAX);
    topic[WAL_TOPIC_MAX] = '\0';
    struct wal_record r[3] = {
        {.topic = topic,
         .topic_len = WAL_TOPIC_MAX,
         .payload = big,
         .len = WAL_PAYLOAD_MAX},
        {.topic = "", .topic_len = 0, .payload = NULL, .len = 0},
        {.topic = "a", .topic_len = 1, .payload = big, .len = WAL_PAYLOAD_MAX},
    };
    for (int i = 0; i < 20; i++)
        assert_int_equal(wal_append(w, r, 3, &e), 0);
    struct wal_reader *reader = open_reader(w, "");
    struct wal_record rec;
    int64_t pos;
    for (int i = 0; i < 60; i++) {
        assert_int_equal(wal_read(reader, &rec, &pos, &e), 1);
        assert_int_equal(rec.len, r[i % 3].len);
        assert_string_equal(rec.topic, r[i % 3].topic);
    }
    assert_int_equal(wal_read(reader, &rec, &pos, &e), 0);
    wal_reader_close(reader);
    wal_close(w);
    free(big);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_layout),
        T(test_append_and_read_over_segments),
        T(test_torn_write_at_every_byte),
        T(test_damage_in_the_middle_costs_only_itself),
        T(test_cursor),
        T(test_the_oldest_is_given_up),
        T(test_segments_go_when_all_cursors_passed),
        T(test_full),
        T(test_disk_refuses),
        T(test_one_log_per_folder),
        T(test_large_records_and_batches),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
