/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "services/ingest/memory.h"
#include "services/ingest/wal_record.h"

static char dir[64], path[80], bad[96];

static int setup(void **unused)
{
    (void)unused;
    strcpy(dir, "/tmp/fieldcast-memory-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/memory", dir);
    snprintf(bad, sizeof bad, "%s/memory.bad", dir);
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    unlink(path);
    unlink(bad);
    return rmdir(dir); /* nothing else is left in it */
}

/* ---- helpers
 * ---------------------------------------------------------------------------- */

static void *make_copy(const void *payload, size_t len)
{
    char *s = calloc(1, len + 1);
    memcpy(s, payload, len);
    return s;
}

static const struct memo_kind copy = {make_copy, free};

static struct memory *open_memory(void)
{
    struct err e = ERR_INIT;
    struct memory *m = memory_open(dir, false, &e);
    if (!m)
        fail_msg("%s", e.text);
    return m;
}

static void change(struct memory *m, const struct memory_change *c)
{
    struct err e = ERR_INIT;
    assert_ok(memory_change(m, c, &e), e);
}

static void put(struct memory *m, const char *topic, const char *text)
{
    change(m, &(struct memory_change){
                  .topic = topic, .put = true, .payload = text, .len = strlen(text)});
}

static void expect(const struct memory *m, const char *topic, const char *text)
{
    struct memo *o = memory_find(m, topic, &copy);
    if (!o || !text) {
        assert_null(o);
        assert_null(text);
        return;
    }
    assert_string_equal(memo_made(o), text);
    memo_release(o);
}

static off_t size_of(const char *file)
{
    struct stat st;
    return stat(file, &st) ? -1 : st.st_size;
}

static struct memory *again(struct memory *m)
{
    memory_close(m);
    return open_memory();
}

/* ---- cases
 * ------------------------------------------------------------------------------ */

static void test_keeps_and_forgets_also_over_a_restart(void **unused)
{
    (void)unused;
    struct memory *m = open_memory();
    put(m, "a/N/e", "one");
    put(m, "a/D/e/1", "first");
    put(m, "a/D/e/2", "second");
    put(m, "a/D/e2/1", "other");
    put(m, "a/N/e", "two");
    for (int i = 0; i < 2; i++) {
        expect(m, "a/N/e", "two");
        expect(m, "a/D/e/2", "second");
        expect(m, "a/D/e", NULL);
        assert_int_equal(memory_topics(m), 4);
        assert_int_equal(memory_bytes(m), 5 + 3 + 7 + 5 + 7 + 6 + 8 + 5);
        m = again(m);
    }
    change(m, &(struct memory_change){.topic = "a/N/e",
                                      .put = true,
                                      .payload = "three",
                                      .len = 5,
                                      .forget_under = "a/D/e/"});
    change(m, &(struct memory_change){.topic = "a/D/e2/1", .forget = true});
    change(m, &(struct memory_change){.topic = "never/there", .forget = true});
    for (int i = 0; i < 2; i++) {
        expect(m, "a/N/e", "three");
        expect(m, "a/D/e/1", NULL);
        expect(m, "a/D/e2/1", NULL);
        assert_int_equal(memory_topics(m), 1);
        m = again(m);
    }
    memory_close(m);
    assert_null(memory_find(NULL, "a", &copy));
}

static void test_the_same_again_is_not_written(void **unused)
{
    (void)unused;
    struct memory *m = open_memory();
    put(m, "a", "one");
    off_t size = size_of(path);
    put(m, "a", "one");
    change(m, &(struct memory_change){.topic = "b", .forget = true, .forget_under = "c"});
    assert_int_equal(size_of(path), size);
    memory_close(m);
}

static void test_what_is_in_use_stays(void **unused)
{
    (void)unused;
    struct memory *m = open_memory();
    put(m, "a", "old");
    struct memo *o = memory_find(m, "a", &copy);
    assert_ptr_equal(memo_made(o), memo_made(o));
    put(m, "a", "new");
    assert_string_equal(memo_made(o), "old");
    change(m, &(struct memory_change){.topic = "a", .forget = true});
    memory_close(m);
    assert_string_equal(memo_made(o), "old");
    memo_release(o);
    memo_release(NULL);
}

struct seen {
    char text[200];
    size_t most;
};

static bool see(void *arg, const char *topic)
{
    struct seen *s = arg;
    strcat(strcat(s->text, topic), " ");
    return --s->most > 0;
}

static void test_walks_a_prefix_in_order(void **unused)
{
    (void)unused;
    static const char *const topics[] = {"a/z", "b", "a/", "a0", "a/b/c", "a/b"};
    struct memory *m = open_memory();
    for (size_t i = 0; i < N_OF(topics); i++)
        put(m, topics[i], "");
    struct seen all = {.most = 9}, two = {.most = 2}, none = {.most = 1};
    memory_each(m, "a/", see, &all);
    memory_each(m, "a/", see, &two);
    memory_each(m, "x", see, &none);
    memory_each(NULL, "", see, &none);
    assert_string_equal(all.text, "a/ a/b a/b/c a/z ");
    assert_string_equal(two.text, "a/ a/b ");
    assert_string_equal(none.text, "");
    memory_close(m);
}

/* The file cut at every byte of its last entry: the entry is gone, the others are there,
 * and the next one can be read. */
static void test_a_torn_entry_is_dropped(void **unused)
{
    (void)unused;
    struct memory *m = open_memory();
    put(m, "a", "one");
    off_t whole = size_of(path);
    put(m, "b", "two");
    off_t end = size_of(path);
    memory_close(m);
    char bytes[256];
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, bytes, sizeof bytes), end);
    close(fd);
    for (off_t cut = whole; cut < end; cut++) {
        fd = open(path, O_WRONLY | O_TRUNC);
        assert_int_equal(write(fd, bytes, (size_t)cut), cut);
        close(fd);
        m = open_memory();
        expect(m, "a", "one");
        expect(m, "b", NULL);
        assert_int_equal(size_of(path), whole);
        put(m, "c", "x");
        m = again(m);
        expect(m, "a", "one");
        expect(m, "c", "x");
        memory_close(m);
        assert_int_equal(size_of(bad), -1);
    }
}

/* A byte changed anywhere costs the entry it is in, and the file is kept. */
static void test_damage_costs_one_entry(void **unused)
{
    (void)unused;
    struct memory *m = open_memory();
    put(m, "a", "one");
    off_t second = size_of(path);
    put(m, "b", "two");
    off_t third = size_of(path);
    put(m, "c", "three");
    off_t end = size_of(path);
    memory_close(m);
    char bytes[256];
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, bytes, sizeof bytes), end);
    close(fd);
    for (off_t at = second; at < third; at++) {
        fd = open(path, O_WRONLY | O_TRUNC);
        bytes[at] ^= 0x55;
        assert_int_equal(write(fd, bytes, (size_t)end), end);
        bytes[at] ^= 0x55;
        close(fd);
        m = open_memory();
        expect(m, "a", "one");
        expect(m, "b", NULL);
        expect(m, "c", "three");
        memory_close(m);
        assert_int_equal(size_of(bad), end);
        assert_int_equal(size_of(path), end - (third - second)); /* written anew */
        unlink(bad);
    }
}

static void test_rubbish_is_no_memory(void **unused)
{
    (void)unused;
    char text[4096];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7 + i / 13);
    memcpy(text + 100,
           "FCW1"
           "\xff\xff\xff\x7f",
           8);
    memcpy(text + 900,
           "FCW1"
           "\x20\0\0\0",
           8);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, text, sizeof text), sizeof text);
    close(fd);
    struct memory *m = open_memory();
    assert_int_equal(memory_topics(m), 0);
    put(m, "a", "one");
    m = again(m);
    expect(m, "a", "one");
    memory_close(m);
}

static void test_limits(void **unused)
{
    (void)unused;
    struct memory *m = open_memory();
    struct err e = ERR_INIT;
    char *big = calloc(1, MEMORY_PAYLOAD_MAX + 1), topic[32];
    put(m, "a", "old");
    struct memory_change c = {
        .topic = "a", .put = true, .payload = big, .len = MEMORY_PAYLOAD_MAX + 1};
    assert_failed(memory_change(m, &c, &e), e, ERR_TOO_LARGE,
                  "a has 262145 bytes: at most 262144 can be remembered");
    expect(m, "a", NULL); /* it is not true any more */
    c.len = MEMORY_PAYLOAD_MAX;
    for (int i = 0; i < 63; i++) {
        snprintf(topic, sizeof topic, "%02d", i);
        c.topic = topic;
        change(m, &c);
    }
    c.topic = "63";
    e = (struct err)ERR_INIT;
    assert_failed(memory_change(m, &c, &e), e, ERR_TOO_LARGE,
                  "16515198 bytes of births and descriptions are remembered: there is no "
                  "room for the 262144 of 63");
    c.topic = "62"; /* one that is there takes its own place */
    big[0] = 'x';
    change(m, &c);
    c.topic = "63";
    c.forget_under = "0"; /* and so does one that others make room for */
    change(m, &c);
    assert_int_equal(memory_topics(m), 54);
    m = again(m);
    assert_int_equal(memory_topics(m), 54);
    assert_int_equal(memory_bytes(m), 54 * (2 + MEMORY_PAYLOAD_MAX));
    memory_close(m);
    char *long_topic = malloc(WAL_TOPIC_MAX + 2);
    memset(long_topic, 'x', WAL_TOPIC_MAX + 1);
    long_topic[WAL_TOPIC_MAX + 1] = '\0';
    m = open_memory();
    c = (struct memory_change){.topic = long_topic, .put = true};
    e = (struct err)ERR_INIT;
    assert_failed(memory_change(m, &c, &e), e, ERR_TOO_LARGE,
                  "a topic has more than 1024 bytes");
    memory_close(m);
    free(long_topic);
    free(big);
}

static void test_number_of_topics(void **unused)
{
    (void)unused;
    struct memory *m = open_memory();
    struct err e = ERR_INIT;
    char topic[32];
    for (unsigned i = 0; i < MEMORY_TOPICS; i++) {
        snprintf(topic, sizeof topic, "t/%u", i * 7919 % MEMORY_TOPICS);
        put(m, topic, "x");
    }
    struct memory_change c = {.topic = "one/more", .put = true};
    assert_failed(memory_change(m, &c, &e), e, ERR_TOO_LARGE,
                  "20000 births and descriptions are remembered: there is no room for "
                  "that of one/more");
    put(m, "t/5", "new");
    m = again(m);
    assert_int_equal(memory_topics(m), MEMORY_TOPICS);
    expect(m, "t/5", "new");
    expect(m, "t/19999", "x");
    memory_close(m);
}

static void test_the_file_does_not_grow_for_ever(void **unused)
{
    (void)unused;
    struct memory *m = open_memory();
    char text[1000] = "";
    off_t most = 0;
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 2000; i++) {
        snprintf(text, 8, "%07d", i);
        text[7] = 'x';
        put(m, i % 2 ? "a" : "b", text);
        if (size_of(path) > most)
            most = size_of(path);
    }
    assert_in_range(most, 1000, 70000);
    m = again(m);
    struct memo *o = memory_find(m, "a", &copy);
    assert_memory_equal(memo_made(o), "0001999x", 8);
    memo_release(o);
    memory_close(m);
}

/* A disk that takes no more (a limit of file size stands for it): nothing has changed,
 * and when there is room it goes on. */
static void test_a_full_disk(void **unused)
{
    (void)unused;
    struct memory *m = open_memory();
    struct err e = ERR_INIT;
    char want[128];
    struct rlimit old, low;
    put(m, "a", "one");
    put(m, "d/1", "x");
    off_t size = size_of(path);
    getrlimit(RLIMIT_FSIZE, &old);
    low = (struct rlimit){(rlim_t)size + 40, old.rlim_max};
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &low);
    struct memory_change c = {.topic = "a",
                              .put = true,
                              .payload = "a longer text than fits",
                              .len = 23,
                              .forget_under = "d/"};
    int rc = memory_change(m, &c, &e);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, before);
    snprintf(want, sizeof want, "could not write to %s: File too large", path);
    assert_failed(rc, e, ERR_UNAVAILABLE, want);
    assert_int_equal(size_of(path), size);
    expect(m, "a", "one");
    expect(m, "d/1", "x");
    change(m, &c);
    m = again(m);
    expect(m, "a", "a longer text than fits");
    expect(m, "d/1", NULL);
    memory_close(m);
}

static void test_a_folder_that_is_not_there(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    assert_null(memory_open("/tmp/fieldcast-no-such-folder", false, &e));
    assert_string_equal(
        e.text,
        "could not open /tmp/fieldcast-no-such-folder/memory: No such file or directory");
}

static void *look(void *arg)
{
    for (int i = 0; i < 3000; i++) {
        struct memo *o = memory_find(arg, "a", &copy);
        if (o && strlen(memo_made(o)) != 3)
            return "wrong";
        memo_release(o);
    }
    return NULL;
}

static void test_any_thread(void **unused)
{
    (void)unused;
    struct memory *m = open_memory();
    pthread_t t[2];
    void *wrong[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, look, m), 0);
    for (int i = 0; i < 500; i++) {
        put(m, "a", i % 2 ? "one" : "two");
        change(m, &(struct memory_change){.topic = "a", .forget = i % 3 == 0});
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(t[i], &wrong[i]);
        assert_null(wrong[i]);
    }
    memory_close(m);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_keeps_and_forgets_also_over_a_restart),
        CASE(test_the_same_again_is_not_written),
        CASE(test_what_is_in_use_stays),
        CASE(test_walks_a_prefix_in_order),
        CASE(test_a_torn_entry_is_dropped),
        CASE(test_damage_costs_one_entry),
        CASE(test_rubbish_is_no_memory),
        CASE(test_limits),
        CASE(test_number_of_topics),
        CASE(test_the_file_does_not_grow_for_ever),
        CASE(test_a_full_disk),
        CASE(test_a_folder_that_is_not_there),
        CASE(test_any_thread),
    };
    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
