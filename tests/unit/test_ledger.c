/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The devices and their accounts; the window of duplicates; acknowledgements. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "services/ingest/acks.h"
#include "services/ingest/decode.h"
#include "services/ingest/ledger_metrics.h"
#include "services/ingest/recent.h"

static char path[64];

static int setup(void **unused)
{
    (void)unused;
    temp_file(path, "");
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    return unlink(path);
}

static struct ledger *open_ledger(size_t max)
{
    struct err e = ERR_INIT;
    struct ledger *l = ledger_open(path, max, NULL, &e);
    if (!l)
        fail_msg("%s", e.text);
    return l;
}

static struct device *get(struct ledger *l, const char *raw)
{
    struct err e = ERR_INIT;
    struct device *d;
    char name[DEVICE_MAX + 1];
    assert_int_equal(device_from_raw(raw, name), 0);
    assert_int_equal(ledger_device(l, name, raw, true, &d, &e), REJECT_NONE);
    return d;
}

static void test_devices(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct device *d;
    struct ledger *l = open_ledger(3);
    assert_null(ledger_find(l, "kitchen"));
    assert_int_equal(ledger_device(l, "kitchen", "kitchen", false, &d, &e), REJECT_NONE);
    assert_null(d); /* not made */
    struct device *kitchen = get(l, "kitchen"), *shed = get(l, "garden shed");
    assert_ptr_equal(get(l, "kitchen"), kitchen);
    assert_ptr_equal(ledger_at(l, 1), shed);
    assert_string_equal(shed->name, "garden_shed");
    assert_int_equal(ledger_device(l, "garden_shed", "garden.shed", true, &d, &e),
                     REJECT_DEVICE_CLASH);
    assert_string_equal(e.text,
                        "the ids \"garden shed\" and \"garden.shed\" both become the "
                        "device garden_shed: rename one");
    assert_ptr_equal(d, shed);
    struct device *mac = get(l, "5E:44:3B:F3:79:C8");
    assert_ptr_equal(get(l, "5e-44-3b-f3-79-c8"), mac); /* one id, spelt in two ways */
    assert_int_equal(ledger_device(l, "a", "a", true, &d, &e), REJECT_TOO_MANY_DEVICES);
    assert_string_equal(e.text, "the device a would be one more than 3 (FC_DEVICES_MAX)");
    assert_null(d);
    assert_int_equal(ledger_size(l), 3);
    ledger_close(l);
    l = open_ledger(10); /* raw ids keep their names */
    assert_int_equal(ledger_size(l), 3);
    assert_int_equal(ledger_device(l, "garden_shed", "garden.shed", true, &d, &e),
                     REJECT_DEVICE_CLASH);
    assert_string_equal(ledger_at(l, 2)->raw, "5E:44:3B:F3:79:C8");
    ledger_close(l);
    ledger_close(NULL);
}

static void test_devices_file_that_a_crash_cut(void **unused)
{
    (void)unused;
    FILE *f = fopen(path, "w");
    fputs(
        "{\"device\":\"a\",\"raw\":\"a\"}\n{\"device\":\"no good\",\"raw\":\"x\"}\njunk\n"
        "{\"device\":\"b\",\"ra",
        f);
    fclose(f);
    struct ledger *l = open_ledger(10);
    assert_int_equal(ledger_size(l), 1);
    get(l, "b");
    ledger_close(l);
    l = open_ledger(10);
    assert_int_equal(ledger_size(l), 2);
    ledger_close(l);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit r;
    getrlimit(RLIMIT_FSIZE, &r);
    r.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void test_devices_that_come_while_the_disk_is_full(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    truncate(path, 0);
    struct ledger *l = open_ledger(10);
    get(l, "a");
    signal(SIGXFSZ, SIG_IGN);
    limit_files(30); /* one line, and some of the next */
    get(l, "b");
    get(l, "c");
    assert_int_equal(ledger_save(l, &e), -1);
    assert_non_null(strstr(e.text, "could not remember the device b: "));
    limit_files(RLIM_INFINITY);
    assert_int_equal(ledger_save(l, &e), 0);
    ledger_close(l);
    l = open_ledger(10);
    assert_int_equal(ledger_size(l), 3);
    assert_string_equal(ledger_at(l, 1)->name, "b");
    ledger_close(l);
}

static void test_many_devices(void **unused)
{
    (void)unused;
    struct ledger *l = open_ledger(5000);
    char raw[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(raw, sizeof raw, "device-%d", i);
        assert_int_equal(get(l, raw)->index, i);
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(raw, sizeof raw, "device-%d", i);
        assert_int_equal(ledger_find(l, raw)->index, i);
    }
    assert_null(ledger_at(l, 5000));
    ledger_close(l);
}

static void test_identity_of_the_account(void **unused)
{
    (void)unused;
    struct ledger *l = open_ledger(10);
    struct device *d = get(l, "kitchen");
    for (int i = 0; i < 10; i++)
        ledger_received(l, d, 1000 + i);
    ledger_duplicate(l, d);
    ledger_rejected(l, d, REJECT_OUT_OF_RANGE);
    ledger_rejected(l, d, REJECT_OUT_OF_RANGE);
    for (int i = 0; i < 5; i++)
        ledger_stored(l, d, i == 0);
    ledger_received(l, NULL, 2000);
    ledger_rejected(l, NULL, REJECT_BAD_JSON);
    struct device_view v = ledger_view(l, d);
    assert_int_equal(v.counts.received, 10);
    assert_int_equal(counts_rejected(&v.counts), 2);
    assert_int_equal(counts_pending(&v.counts), 2);
    assert_int_equal(v.counts.misread, 1);
    assert_int_equal(v.last_seen_ms, 1009);
    assert_int_equal(v.online, -1);
    assert_int_equal(v.counts.late, 0);
    ledger_late(l, d, 5000, 900);
    ledger_late(l, d, 6000, 700);
    ledger_misread_undone(l, d, 1);
    ledger_online(l, d, true);
    ledger_source(l, d, TIME_DEVICE_2000);
    v = ledger_view(l, d);
    assert_int_equal(v.counts.misread, 0);
    assert_int_equal(v.online, 1);
    assert_int_equal(v.counts.late, 2);
    assert_int_equal(v.late_at_ms, 6000);
    assert_int_equal(v.late_age_ms, 700);
    assert_int_equal(v.source, TIME_DEVICE_2000);
    struct counts c = ledger_totals(l), none = ledger_of_none(l);
    assert_int_equal(c.received, 11);
    assert_int_equal(c.stored, 5);
    assert_int_equal(c.late, 2);
    assert_int_equal(c.rejected[REJECT_BAD_JSON], 1);
    assert_int_equal(counts_pending(&c), 2);
    assert_int_equal(none.received, 1);
    assert_int_equal(counts_pending(&none), 0);
    ledger_close(l);
}

/* ---- the account in /metrics
 * ------------------------------------------------------------- */

static uint64_t sample(const char *text, const char *sensor, const char *state)
{
    char want[200];
    snprintf(want, sizeof want,
             "\nfieldcast_ingest_device_readings{service=\"ingest\",sensor=\"%s\","
             "state=\"%s\"} ",
             sensor, state);
    const char *at = strstr(text, want);
    return at ? strtoull(at + strlen(want), NULL, 10) : UINT64_MAX;
}

/* Device i of 8 has received 10 i + 6: 3 duplicates, 2 refused, 1 pending. */
static struct ledger *busy_ledger(void)
{
    struct ledger *l = open_ledger(10);
    char raw[32];
    for (int i = 0; i < 8; i++) {
        snprintf(raw, sizeof raw, "d%d", i);
        struct device *d = get(l, raw);
        for (int n = 0; n < 10 * i + 6; n++)
            ledger_received(l, d, 1);
        for (int n = 0; n < 10 * i; n++)
            ledger_stored(l, d, n % 3 == 0);
        for (int n = 0; n < 3; n++)
            ledger_duplicate(l, d);
        ledger_rejected(l, d, REJECT_BAD_VALUE);
        ledger_rejected(l, d, REJECT_OUT_OF_RANGE);
    }
    ledger_received(l, NULL, 1);
    ledger_rejected(l, NULL, REJECT_BAD_JSON);
    return l;
}

static void test_the_account_in_metrics(void **unused)
{
    (void)unused;
    static const size_t bounds[] = {1, 3, 8, 1000};
    static const char *const rows[] = {"d0", "d1", "d2", "d3",     "d4",
                                       "d5", "d6", "d7", "(none)", "(others)"};
    for (size_t b = 0; b < 4; b++) {
        struct ledger *l = busy_ledger();
        struct metrics *m = metrics_new("ingest");
        struct ledger_metrics lm;
        struct buf text;
        struct counts total = ledger_totals(l);
        uint64_t sum[LEDGER_STATES] = {0};
        buf_init(&text, 1 << 20);
        ledger_metrics_init(&lm, l, bounds[b], m);
        metrics_render(m, &text);
        for (size_t i = 0; i < 10; i++) {
            uint64_t n[LEDGER_STATES];
            bool there = i == 8 || (i == 9 ? bounds[b] < 8 : i < bounds[b]);
            for (size_t k = 0; k < LEDGER_STATES; k++) {
                n[k] = sample(text.data, rows[i], ledger_state(k));
                assert_int_equal(n[k] != UINT64_MAX, there);
                sum[k] += there ? n[k] : 0;
            }
            if (there)
                assert_int_equal(n[0], n[1] + n[2] + n[3] + n[4]);
            if (there && i < 8) {
                assert_int_equal(n[0], 10 * i + 6);
                assert_int_equal(n[3], 2);
                assert_int_equal(n[4], 1);
            }
        }
        for (size_t k = 0; k < LEDGER_STATES; k++)
            assert_int_equal(sum[k], ledger_state_of(&total, k));
        buf_done(&text);
        metrics_free(m);
        ledger_close(l);
    }
}

static void test_no_device_in_metrics(void **unused)
{
    (void)unused;
    struct ledger *l = busy_ledger();
    struct metrics *m = metrics_new("ingest");
    struct ledger_metrics lm;
    struct buf text;
    buf_init(&text, 1 << 20);
    ledger_metrics_init(&lm, l, 0, m);
    metrics_render(m, &text);
    assert_int_equal(text.len, 0);
    metrics_free(m);
    ledger_close(l);
}

/* ---- duplicates
 * --------------------------------------------------------------------------- */

static uint64_t identity(const char *payload, bool own_time, bool *weak)
{
    struct message m;
    struct err e = ERR_INIT;
    message_init(&m);
    if (decode_message(NULL, "fieldcast/a/readings", payload, strlen(payload), &m, &e))
        fail_msg("%s", e.text);
    uint64_t id = recent_identity(message_last(&m), own_time, weak);
    message_done(&m);
    return id;
}

static void test_identity_of_a_message(void **unused)
{
    (void)unused;
    bool weak;
    uint64_t a =
        identity("{\"boot\":1,\"seq\":7,\"values\":{\"temperature\":1}}", false, &weak);
    assert_false(weak); /* boot and seq say it all */
    assert_int_equal(
        a, identity("{\"seq\":7,\"boot\":1,\"ts_ms\":5,\"values\":{\"temperature\":2}}",
                    true, &weak));
    assert_int_not_equal(
        a,
        identity("{\"boot\":2,\"seq\":7,\"values\":{\"temperature\":1}}", false, &weak));
    uint64_t t = identity("{\"ts_ms\":5,\"values\":{\"temperature\":1}}", true, &weak);
    assert_false(weak);
    assert_int_not_equal(
        t, identity("{\"ts_ms\":6,\"values\":{\"temperature\":1}}", true, &weak));
    assert_int_not_equal(
        t, identity("{\"ts_ms\":5,\"values\":{\"temperature\":2}}", true, &weak));
    assert_int_not_equal(
        t, identity("{\"ts_ms\":5,\"values\":{\"humidity\":1}}", true, &weak));
    identity("{\"ts_ms\":5,\"values\":{\"temperature\":1}}", false, &weak);
    assert_true(weak); /* seconds since the device woke up may well be the same again */
    uint64_t n = identity("{\"values\":{\"temperature\":1}}", false, &weak);
    assert_true(weak);
    assert_int_equal(n, identity("{\"values\":{\"temperature\":1.0}}", false, &weak));
}

#define CROWD 2000

static void test_window(void **unused)
{
    (void)unused;
    struct recent *r = recent_new();
    uint64_t n = 3 * RECENT_MAX / 2, step = UINT64_C(0x9e3779b97f4a7c15);
    for (uint64_t i = 1; i <= n; i++) {
        assert_false(recent_has(r, i * step));
        recent_add(r, i * step);
        assert_true(recent_has(r, i * step));
    }
    for (uint64_t i = 1; i <= n; i++)
        assert_int_equal(recent_has(r, i * step), i > n - RECENT_MAX);
    /* identities that share a place in the table, and then so many that all others go */
    for (uint64_t i = 1; i <= CROWD; i++)
        recent_add(r, i << 40 | (i & 15));
    for (uint64_t i = 1; i <= CROWD; i++)
        assert_true(recent_has(r, i << 40 | (i & 15)));
    for (uint64_t i = n + 1; i <= n + RECENT_MAX - CROWD; i++)
        recent_add(r, i * step);
    assert_true(recent_has(r, UINT64_C(1) << 40 | 1));
    assert_false(recent_has(r, n * step));
    recent_free(r);
    recent_free(NULL);
}

/* ---- acknowledgements
 * ---------------------------------------------------------------------- */

static void note(struct ack *a, int64_t boot, int64_t from, int64_t to, int64_t t_ms)
{
    for (int64_t s = from; s <= to; s++)
        ack_note(a, boot, s, t_ms);
}

static void test_acks(void **unused)
{
    (void)unused;
    struct ack a;
    ack_init(&a);
    note(&a, 12, 1, 89, 0);
    assert_int_equal(a.upto, 89);
    note(&a, 12, 101, 110, 1000); /* 90..100 died with the broker */
    assert_int_equal(a.upto, 89);
    note(&a, 12, 95, 100, 2000);
    assert_int_equal(a.upto, 89);
    note(&a, 12, 90, 94, 3000); /* the device sends them again */
    assert_int_equal(a.upto, 110);
    assert_null(a.seen);
    note(&a, 12, 50, 60, 4000); /* old ones change nothing */
    assert_int_equal(a.upto, 110);
    note(&a, 12, 113, 120, 5000); /* 111 and 112 never come */
    note(&a, 12, 121, 121, 5000 + ACK_GAP_MS - 1);
    assert_int_equal(a.upto, 110);
    note(&a, 12, 122, 122, 5000 + ACK_GAP_MS);
    assert_int_equal(a.upto, 122);
    note(&a, 11, 500, 500, 0); /* of an earlier boot */
    assert_int_equal(a.boot, 12);
    note(&a, 13, 1, 3, 0); /* the device started again */
    assert_int_equal(a.boot, 13);
    assert_int_equal(a.upto, 3);
    note(&a, 13, 5, 5 + ACK_WINDOW, 0); /* a hole that the window can not hold open */
    assert_true(a.upto >= 5);
    assert_int_equal(a.highest, 5 + ACK_WINDOW);
    ack_done(&a);
    ack_init(&a);
    note(&a, 1, 1000000, 1000002, 0); /* first heard in the middle */
    assert_int_equal(a.upto, 1000002);
    note(&a, 1, 5000000, 5000000, 0);
    assert_int_equal(a.upto, 5000000 - ACK_WINDOW);
    assert_int_equal(a.highest, 5000000);
    ack_done(&a);
    ack_init(&a);
    ack_note(&a, 0, 0, 0); /* numbers from 0 */
    assert_int_equal(a.upto, 0);
    ack_done(&a);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_devices),
        T(test_devices_file_that_a_crash_cut),
        T(test_devices_that_come_while_the_disk_is_full),
        T(test_many_devices),
        T(test_identity_of_the_account),
        T(test_the_account_in_metrics),
        T(test_no_device_in_metrics),
        cmocka_unit_test(test_identity_of_a_message),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_acks),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
