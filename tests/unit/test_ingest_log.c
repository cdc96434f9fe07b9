/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes gets its time, is told from what came before, and is acknowledged, also
 * after a restart. */
#include "tests/unit/ingest_app.h"

static void test_arrival_times_grow_and_survive(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    for (int i = 0; i < 100; i++) {
        take("home/office/dht22", "{\"temp_c\":20,\"hum\":40}", 1);
        if (i == 50) {
            close_app();
            open_app();
        }
    }
    struct wal_reader *r = wal_reader_open(app.wal, "", 0, &e);
    struct wal_record rec;
    int64_t pos, last = 0;
    int n = 0;
    while (wal_read(r, &rec, &pos, &e) > 0) {
        assert_true(rec.assigned_ms > last);
        assert_true(rec.assigned_ms >= rec.receive_ms);
        last = rec.assigned_ms;
        n++;
    }
    wal_reader_close(r);
    assert_int_equal(n, 100);
}

/* The clock was in 2030 and is put right: times made of arrivals are of now again, and
 * what lies in the log keeps its own. The last test: the clock stays virtual. */
static void test_a_clock_that_was_ahead(void **unused)
{
    (void)unused;
    static const int64_t times[] = {INT64_C(1893456000000), INT64_C(1893456000000),
                                    INT64_C(1795132800000), INT64_C(1795132800000),
                                    INT64_C(1795132795000)};
    static const int64_t want[] = {0, 1, 0, 1, 5002}; /* 5 s back is no reason */
    struct err e = ERR_INIT;
    struct wal_record rec;
    char path[64], text[64];
    int64_t pos;
    size_t n = 0;
    for (size_t i = 0; i < N_OF(times); i++) {
        snprintf(text, sizeof text, "%lld 0\n", (long long)times[i]);
        temp_file(path, text);
        assert_int_equal(clock_init(path, &e), 0);
        take("home/office/dht22", "{\"temp_c\":20,\"hum\":40}", 1);
        unlink(path);
        close_app(); /* the same after a restart */
        open_app();
    }
    struct wal_reader *r = wal_reader_open(app.wal, "", 0, &e);
    while (wal_read(r, &rec, &pos, &e) > 0)
        if (!(rec.flags & WAL_ACCOUNT)) {
            assert_true(n < N_OF(want) && rec.assigned_ms == times[n] + want[n]);
            n++;
        }
    wal_reader_close(r);
    assert_int_equal(n, N_OF(want));
    ledger_received(app.ledger, ledger_find(app.ledger, "office"), times[0]);
    ledger_received(app.ledger, ledger_find(app.ledger, "office"), times[2]);
    assert_true(ledger_view(app.ledger, ledger_find(app.ledger, "office")).last_seen_ms ==
                times[2]);
}

static void test_duplicates(void **unused)
{
    (void)unused;
    const char *numbered = "{\"boot\":1,\"seq\":5,\"values\":{\"temperature\":1}}";
    const char *bare = "{\"temp_c\":20,\"hum\":40}";
    char timed[128];
    snprintf(timed, sizeof timed, "{\"ts_ms\":%lld,\"values\":{\"temperature\":1}}",
             (long long)NOW);
    take("fieldcast/a/readings", numbered, 1);
    take("fieldcast/a/readings", numbered, 1); /* out */
    take("fieldcast/b/readings", numbered, 1); /* another device */
    take("fieldcast/a/readings", timed, 1);
    take("home/office/dht22", bare, 1);
    take("home/office/dht22", bare, 1); /* a sensor may say the same again */
    close_app();
    open_app(); /* the window comes from the log */
    take("fieldcast/a/readings", numbered, 1 | WAL_DUP); /* out */
    take("fieldcast/a/readings", timed, 1);              /* out */
    take("home/office/dht22", bare, 1);
    take("home/office/dht22", bare, 1 | WAL_DUP); /* out: the broker sends it again */
    assert_int_equal(log_records(), 6);
    struct counts c = ledger_totals(app.ledger);
    assert_int_equal(c.received, 4);
    assert_int_equal(c.duplicate, 3);
    assert_int_equal(counts_pending(&c), 1);
}

static int acked(void *arg, const char *device, int64_t boot, int64_t upto)
{
    char *text = arg;
    sprintf(text + strlen(text), "%s %lld %lld;", device, (long long)boot,
            (long long)upto);
    return strcmp(device, "b") ? 0 : -1;
}

static void test_acknowledgements(void **unused)
{
    (void)unused;
    char text[200] = "", payload[100];
    for (int i = 1; i <= 5; i++) {
        snprintf(payload, sizeof payload, "{\"boot\":2,\"seq\":%d,\"values\":{\"co\":1}}",
                 i);
        take("fieldcast/a/readings", payload, 1);
    }
    take("fieldcast/b/readings", payload, 1); /* 1 to 4 are missing */
    intake_acks(app.intake, acked, text);
    assert_string_equal(text, "a 2 5;b 2 0;");
    text[0] = '\0';
    intake_acks(app.intake, acked, text); /* b could not be told */
    assert_string_equal(text, "b 2 0;");
    close_app();
    open_app();
    text[0] = '\0';
    intake_acks(app.intake, acked, text); /* after a restart all are told again */
    assert_string_equal(text, "a 2 5;b 2 0;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_arrival_times_grow_and_survive),
        T(test_a_clock_that_was_ahead),
        T(test_duplicates),
        T(test_acknowledgements),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
