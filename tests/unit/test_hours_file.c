/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of marked hours may hold anything: what can be a mark is read, the rest is
 * left out and the file kept. */
#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "services/ingest/hours.h"

#define FIRST 480000
#define LAST 500000

static char devices_path[64], hours_path[64], bad_path[72];
static struct ledger *ledger;

static int setup(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct device *d;
    temp_file(devices_path, "");
    temp_file(hours_path, "");
    snprintf(bad_path, sizeof bad_path, "%s.bad", hours_path);
    ledger = ledger_open(devices_path, 100, NULL, &e);
    return ledger_device(ledger, "kitchen", "kitchen", true, &d, &e) ||
           ledger_device(ledger, "office", "office", true, &d, &e);
}

static int teardown(void **unused)
{
    (void)unused;
    ledger_close(ledger);
    unlink(devices_path);
    unlink(bad_path);
    return unlink(hours_path);
}

static void write_bytes(const char *data, size_t n)
{
    FILE *f = fopen(hours_path, "w");
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static struct hours *open_hours(void)
{
    struct err e = ERR_INIT;
    struct hours *h = hours_open(hours_path, ledger, FIRST, LAST, &e);
    if (!h)
        fail_msg("%s", e.text);
    return h;
}

/* The file's marks in hours, and whether it was kept as bad. */
static void expect(const char *data, size_t n, uint64_t hours, bool bad)
{
    write_bytes(data, n);
    struct hours *h = open_hours();
    if (hours_count(h) != hours || bad != (access(bad_path, F_OK) == 0))
        fail_msg("%.60s: %d hours, %s", data, (int)hours_count(h), bad ? "bad" : "good");
    hours_close(h);
    if (bad) {
        struct stat st;
        assert_int_equal(stat(bad_path, &st), 0);
        assert_int_equal(st.st_size, n);
        unlink(bad_path);
    }
    h = open_hours(); /* what is left is good */
    assert_int_equal(hours_count(h), hours);
    assert_int_equal(access(bad_path, F_OK), -1);
    hours_close(h);
}

static void test_lines(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int hours;
        bool bad;
    } table[] = {
        {"", 0, false},
        {"kitchen 490000 490000\n", 1, false},
        {"kitchen 490000 490009\noffice 490000 490001\n", 12, false},
        {"kitchen 480000 480000\nkitchen 500000 500000\n", 2, false},
        {"\n\nkitchen 490000 490000\n\n", 1, false},
        {"kitchen 490000 490000\nkitchen 4900", 1, false}, /* a crash cut it off */
        {"kitchen 490000 490000\noffice 490001 490001", 1, false},
        /* too far away, or too much */
        {"kitchen 479999 490000\noffice 490000 490000\n", 1, true},
        {"kitchen 490000 500001\noffice 490000 490000\n", 1, true},
        {"kitchen -2147483648 2147483647\noffice 490000 490000\n", 1, true},
        {"kitchen 876581000 876581001\noffice 490000 490000\n", 1, true}, /* 101970 */
        {"kitchen 99999999999999999999 99999999999999999999\n", 0, true},
        {"kitchen -99999999999999999999 490000\n", 0, true},
        {"kitchen 4294967296490000 4294967296490001\n", 0, true},
        /* not what this file has */
        {"cellar 490000 490000\noffice 490000 490000\n", 1, true},
        {"kitchen 490001 490000\noffice 490000 490000\n", 1, true},
        {"kitchen 490000\n", 0, true},
        {"kitchen 490000 490000 490000\n", 0, true},
        {"kitchen 490000 490000x\n", 0, true},
        {"kitchen 490000  490000\n", 0, true},
        {"kitchen 490000 \n", 0, true},
        {" 490000 490000\n", 0, true},
        {"kit/chen 490000 490000\n", 0, true},
        {"kitchen\n490000 490000\n", 0, true},
        {"{\"device\":\"kitchen\"}\noffice 490000 490000\n", 1, true},
    };
    for (size_t i = 0; i < N_OF(table); i++)
        expect(table[i].text, strlen(table[i].text), (uint64_t)table[i].hours,
               table[i].bad);
}

static void test_binary_rubbish(void **unused)
{
    (void)unused;
    static char data[200000];
    static const char good[] = "\nkitchen 490000 490002\n";
    static const char nul[] = "kitchen 490005 490005\0 and more\noffice 490000 490000\n";
    uint32_t x = 7;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
    memcpy(data + sizeof data / 2, good, sizeof good - 1);
    data[sizeof data - 1] = '\n';
    expect(data, sizeof data, 3, true);
    memset(data, 'k', sizeof data); /* one line without an end */
    expect(data, sizeof data, 0, false);
    memcpy(data + sizeof data - sizeof good + 1, good, sizeof good - 1);
    expect(data, sizeof data, 3, true);
    expect(nul, sizeof nul - 1, 1, true);
}

/* Whatever lines there are: no device has more hours than there can be. */
static void test_bounded(void **unused)
{
    (void)unused;
    char *data = malloc(1 << 20);
    size_t n = 0;
    uint64_t x = 1;
    while (n < (1 << 20) - 100) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        int64_t from = (int64_t)(x >> 20) % 2000000 - 500000;
        n += (size_t)sprintf(data + n, "kitchen %d %d\n", (int)from,
                             (int)from + (int)(x >> 60) * 100);
    }
    write_bytes(data, n);
    struct hours *h = open_hours();
    assert_true(hours_count(h) > 0);
    assert_true(hours_count(h) <= LAST - FIRST + 1);
    hours_close(h);
    free(data);
}

static void test_a_file_that_cannot_be_read(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    assert_null(hours_open("/proc/self/mem", ledger, FIRST, LAST, &e));
    assert_non_null(strstr(e.text, "/proc/self/mem: Input/output error"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_lines),
        T(test_binary_rubbish),
        T(test_bounded),
        T(test_a_file_that_cannot_be_read),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
