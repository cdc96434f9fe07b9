/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dead letters once more, on a real log; the letters are written as the sink writes them.
 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <unistd.h>

#include "common/json.h"
#include "services/ingest/letter_marks.h"
#include "services/ingest/letter_replay.h"

#define CAME INT64_C(1795168800000) /* 2026-11-20T10:00:00Z */

static char dir[64];
static struct wal *wal;
static struct interpreter how;
static struct intake *in;
static struct deadletter *letters;
static struct metrics *metrics;
static int64_t log_max;

static void open_all(void)
{
    struct err e = ERR_INIT;
    char path[128];
    struct wal_opts w = {.dir = dir, .max_bytes = log_max, .segment_bytes = 1 << 20};
    metrics = metrics_new("ingest");
    wal = wal_open(&w, &e);
    snprintf(path, sizeof path, "%s/devices.jsonl", dir);
    how.fix = (struct timefix){.past_ms = INT64_C(400) * 86400000, .future_ms = 600000};
    how.ledger = ledger_open(path, 10, metrics, &e);
    letters = deadletter_open(dir, 1 << 20, INT64_MAX, &e);
    in = intake_new(wal, &how, NULL, metrics);
    if (!wal || !how.ledger || !letters || intake_remember(in, 0, &e))
        fail_msg("%s", e.text);
}

static void close_all(void)
{
    intake_free(in);
    deadletter_close(letters);
    ledger_close(how.ledger);
    wal_close(wal);
    metrics_free(metrics);
}

static int setup(void **unused)
{
    (void)unused;
    log_max = 4 << 20;
    how = (struct interpreter){0};
    strcpy(dir, "/tmp/fieldcast-replay-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    open_all();
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    close_all();
    mapping_free((struct mapping *)how.mapping);
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));)
        unlinkat(dirfd(d), f->d_name, 0);
    closedir(d);
    return rmdir(dir);
}

static void letter(int64_t id, enum reject why, const char *topic, const char *payload,
                   const struct letter_extra *extra, unsigned flags)
{
    struct err e = ERR_INIT;
    struct wal_record r = {.receive_ms = CAME,
                           .topic = topic,
                           .topic_len = strlen(topic),
                           .payload = payload,
                           .len = strlen(payload),
                           .flags = flags};
    assert_ok(deadletter_add(letters, id, &r, why, "because", "", extra, &e), e);
}

/* Asks, and compares the answer (or the sentence) with want. */
static void replay(const char *body, const char *want)
{
    struct err e = ERR_INIT;
    json_t *q = json_loads(body, 0, NULL);
    assert_non_null(q);
    json_t *answer = letter_replay(letters, in, q, &e);
    char *text = answer ? json_dumps(answer, JSON_COMPACT) : strdup(e.text);
    if (strcmp(text, want) != 0)
        fail_msg("%s: %s\nnot %s", body, text, want);
    free(text);
    json_decref(answer);
    json_decref(q);
}

#define DONE(replayed, stored, duplicate)                                                \
    "{\"replayed\":" #replayed ",\"stored\":" #stored ",\"duplicate\":" #duplicate       \
    ",\"still_refused\":[],\"next\":null}"
#define REFUSED(id, reason, detail)                                                      \
    "{\"replayed\":0,\"stored\":0,\"duplicate\":0,\"still_refused\":[{\"id\":" #id       \
    ",\"reason\":\"" reason "\",\"detail\":\"" detail "\"}],\"next\":null}"

/* The newest record's item, as a line: "device time value…". */
static void expect_newest(int records, const char *want)
{
    struct err e = ERR_INIT;
    struct wal_reader *r = wal_reader_open(wal, "", 0, &e);
    struct wal_record rec;
    struct message m;
    struct account a;
    int64_t pos;
    char got[400] = "";
    int n = 0;
    message_init(&m);
    while (wal_read(r, &rec, &pos, &e) > 0) {
        n++;
        assert_int_equal(recall(&how, &rec, &m, &a, &e), REJECT_NONE);
        if (rec.flags & WAL_ACCOUNT)
            assert_int_equal(a.received_ms, CAME);
        size_t at = 0;
        for (size_t i = 0; i < m.n; i++) {
            at += (size_t)snprintf(got + at, sizeof got - at, "%s%s %+lld", i ? "; " : "",
                                   m.item[i].r.device,
                                   (long long)(m.item[i].r.time_ms - CAME));
            for (size_t k = 0; k < m.item[i].r.n; k++)
                at += (size_t)snprintf(got + at, sizeof got - at, " %s=%g",
                                       m.item[i].r.values[k].quantity,
                                       m.item[i].r.values[k].value);
        }
        if (a.reason)
            snprintf(got + at, sizeof got - at, " (%s; %zu before)",
                     reject_name(a.reason), json_array_size(a.before));
        account_done(&a);
    }
    assert_int_equal(n, records);
    if (records)
        assert_string_equal(got, want);
    message_done(&m);
    wal_reader_close(r);
}

static void map_plant(void)
{
    static const char rows[] =
        "[{\"topic\":\"plant/+\",\"device\":\"topic:1\",\"all\":\"$\"}]";
    struct err e = ERR_INIT;
    how.mapping = mapping_parse(rows, strlen(rows), "rows", &e);
    assert_non_null(how.mapping);
    close_all(); /* a start with the setting */
    open_all();
}

/* ---- */

static void test_after_a_mapping(void **unused)
{
    (void)unused;
    letter(1, REJECT_UNKNOWN_TOPIC, "plant/a", "{\"x\":1}", NULL, 1);
    letter(2, REJECT_UNKNOWN_TOPIC, "plant/a", "{\"x\":2}", NULL, 1);
    letter(3, REJECT_UNKNOWN_TOPIC, "plant/b", "{\"x\":3}", NULL, 1 | WAL_RETAIN);
    replay("{\"ids\":[1]}",
           REFUSED(1, "unknown_topic", "no decoder knows the topic \\\"plant/a\\\""));
    expect_newest(0, "");
    map_plant();
    replay("{\"ids\":[1,77]}", DONE(1, 1, 0));
    expect_newest(1, "a +0 x=1");
    replay("{\"ids\":[1]}", DONE(0, 0, 0)); /* it has had its turn */
    replay("{\"all\":true}",
           "{\"replayed\":1,\"stored\":1,\"duplicate\":0,\"still_refused\":[{\"id\":3,"
           "\"reason\":\"retained_without_time\",\"detail\":\"the broker had kept this "
           "message and it has no time of its own: it may be old\"}],\"next\":null}");
    expect_newest(2, "a +1 x=2"); /* it came in the same millisecond */
    close_all();
    open_all();
    struct letter_query q = {.before = -1, .limit = 10, .reason = "", .replayed = true};
    struct err e = ERR_INIT;
    int64_t next;
    json_t *items = deadletter_list(letters, &q, NULL, &next, &e);
    assert_int_equal(json_array_size(items), 2);
    json_decref(items);
    replay("{\"ids\":[1,2]}", DONE(0, 0, 0));
    struct counts c = ledger_totals(how.ledger);
    assert_int_equal(c.received, 0); /* since the start */
}

/* What was stored of a message keeps its time, and is not stored twice. */
static void test_parts_that_were_taken(void **unused)
{
    (void)unused;
    json_t *taken = json_loads("[{\"device\":\"a\",\"raw\":\"a\",\"ts_ms\":1795168800007,"
                               "\"arrival\":true,\"values\":{\"temperature\":1}}]",
                               0, NULL);
    struct letter_extra extra = {.taken = taken};
    letter(1, REJECT_OUT_OF_RANGE, "fieldcast/a/readings",
           "{\"values\":{\"temperature\":1,\"humidity\":101}}", &extra, 1);
    replay("{\"all\":true}",
           REFUSED(1, "out_of_range", "humidity is 101: possible are 0 to 100 %"));
    expect_newest(0, "");
    /* now there is more of it: the same point, with all values */
    letter(2, REJECT_OUT_OF_RANGE, "fieldcast/a/readings",
           "{\"values\":{\"temperature\":1,\"humidity\":100}}", &extra, 1);
    replay("{\"ids\":[2]}", DONE(1, 1, 0));
    expect_newest(1, "a +7 temperature=1 humidity=100");
    /* nothing more of it than was taken */
    letter(3, REJECT_OUT_OF_RANGE, "fieldcast/a/readings",
           "{\"values\":{\"temperature\":1}}", &extra, 1);
    replay("{\"ids\":[3]}", DONE(1, 0, 1));
    expect_newest(1, "a +7 temperature=1 humidity=100");
    /* of three lines one was taken, one is now, one is refused still: a new letter says
     * so */
    letter(4, REJECT_BAD_SHAPE, "influx/x",
           "env,host=a temperature=1\nenv,host=b temperature=2\nbad", &extra, 1);
    replay("{\"ids\":[4]}",
           "{\"replayed\":1,\"stored\":1,\"duplicate\":1,\"still_refused\":[{\"id\":4,"
           "\"reason\":\"bad_shape\",\"detail\":\"line 3: there are no fields\"}],"
           "\"next\":null}");
    expect_newest(2, "b +0 temperature=2 (bad_shape; 1 before)");
    struct counts c = ledger_totals(how.ledger);
    assert_int_equal(c.received, 5); /* a twice, and three lines */
    assert_int_equal(c.duplicate, 2);
    json_decref(taken);
}

static void test_numbered_readings(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    static const char text[] = "{\"boot\":1,\"seq\":5,\"values\":{\"temperature\":1}}";
    struct arrival a = {.topic = "fieldcast/a/readings",
                        .payload = text,
                        .len = strlen(text),
                        .flags = 1};
    assert_ok(intake_take(in, &a, &e), e); /* the device has sent it again */
    letter(1, REJECT_TOO_MANY_DEVICES, "fieldcast/a/readings", text, NULL, 1);
    replay("{\"reason\":\"too_many_devices\"}", DONE(1, 0, 1));
    /* taken, but not understood when the log was read: it was never stored */
    letter(2, REJECT_TOO_MANY_DEVICES, "fieldcast/a/readings", text,
           &(struct letter_extra){.logged = true}, 1);
    replay("{\"ids\":[2]}", DONE(1, 1, 0));
    expect_newest(2, "a +0 temperature=1");
}

/* What InfluxDB refused is written as it was to be, though it is known. */
static void test_points(void **unused)
{
    (void)unused;
    struct message m;
    message_init(&m);
    struct item *it = message_add(&m);
    strcpy(it->r.device, "Greenhouse_2");
    strcpy(it->r.raw_device, "0101010101010101");
    it->r.time_ms = CAME + 42;
    it->source = TIME_NONE;
    it->id = 7;
    assert_int_equal(reading_add(&it->r, "co2", 400, NULL), 0);
    letter(1, REJECT_REFUSED_BY_INFLUXDB, "fieldcast/Greenhouse_2/readings", "{}",
           &(struct letter_extra){.point = it}, 1);
    letter(1, REJECT_REFUSED_BY_INFLUXDB, "fieldcast/Greenhouse_2/readings", "{ }",
           &(struct letter_extra){.point = it}, 1);
    replay(
        "{\"reason\":\"refused_by_influxdb\",\"limit\":1}",
        "{\"replayed\":1,\"stored\":1,\"duplicate\":0,\"still_refused\":[],\"next\":1}");
    expect_newest(1, "Greenhouse_2 +42 co2=400");
    replay("{\"reason\":\"refused_by_influxdb\"}",
           DONE(1, 1, 0)); /* one record's other */
    assert_string_equal(ledger_find(how.ledger, "Greenhouse_2")->raw, "0101010101010101");
    message_done(&m);
}

static void test_what_is_no_use(void **unused)
{
    (void)unused;
    letter(1, REJECT_TOO_LARGE, "fieldcast/a/readings", "{\"val", NULL, WAL_CUT);
    replay("{\"all\":true}",
           REFUSED(1, "too_large", "only the beginning of the message was kept"));
    static const char which[] = "one of \"ids\":[...], \"reason\":\"...\" and "
                                "\"all\":true is expected: which letters are meant";
    replay("{}", which);
    replay("{\"all\":false}", which);
    replay("{\"all\":true,\"ids\":[1]}", which);
    replay("{\"reason\":\"odd\"}", "there is no reason \"odd\"");
    replay("{\"ids\":[]}", "field \"ids\" must be an array of 1 to 1000 ids");
    replay("{\"ids\":[\"1\"]}", "field \"ids\": element 0 is no number");
    replay("{\"all\":true,\"limit\":1001}",
           "field \"limit\" must be from 1 to 1000, not 1001");
}

static void test_a_full_log(void **unused)
{
    (void)unused;
    close_all();
    log_max = 1000;
    open_all();
    char payload[100];
    for (int i = 0; i < 50; i++) {
        snprintf(payload, sizeof payload, "{\"values\":{\"temperature\":%d}}", i);
        letter(i, REJECT_TOO_MANY_DEVICES, "fieldcast/a/readings", payload, NULL, 1);
    }
    struct err e = ERR_INIT;
    json_t *q = json_loads("{\"all\":true}", 0, NULL);
    assert_null(letter_replay(letters, in, q, &e));
    assert_int_equal(e.code, ERR_UNAVAILABLE);
    unsigned done = 0;
    assert_int_equal(
        sscanf(e.text, "replayed %u of 50 letters, ask for the others again", &done), 1);
    assert_in_range(done, 1, 49);
    close_all();
    log_max = 4 << 20;
    open_all();
    json_t *answer = letter_replay(letters, in, q, &e); /* the others */
    assert_int_equal(json_integer_value(json_object_get(answer, "replayed")), 50 - done);
    json_decref(answer);
    json_decref(q);
}

static void test_marks(void **unused)
{
    (void)unused;
    char path[128];
    struct err e = ERR_INIT;
    struct letter_marks m;
    snprintf(path, sizeof path, "%s/marks", dir);
    assert_ok(letter_marks_open(&m, path, &e), e);
    for (uint64_t i = 0; i < 300; i++)
        assert_ok(letter_marks_add(&m, i * UINT64_C(0x9e3779b97f4a7c15), &e), e);
    letter_marks_close(&m);
    FILE *f = fopen(path, "a");
    fputs("0123", f); /* a crash */
    fclose(f);
    assert_ok(letter_marks_open(&m, path, &e), e);
    assert_int_equal(m.n, 300);
    assert_ok(letter_marks_add(&m, 5, &e), e);
    letter_marks_close(&m);
    assert_ok(letter_marks_open(&m, path, &e), e);
    assert_true(letter_marks_has(&m, 5));
    assert_true(letter_marks_has(&m, UINT64_C(0x9e3779b97f4a7c15)));
    assert_false(letter_marks_has(&m, 6));
    assert_int_equal(m.n, 301);
    letter_marks_close(&m);
    unlink(path);
    assert_int_equal(letter_marks_open(&m, "/dev/null/x", &e), -1);
    assert_string_equal(e.text, "could not open /dev/null/x: Not a directory");
    letter_marks_close(&m);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_after_a_mapping), T(test_parts_that_were_taken), T(test_numbered_readings),
        T(test_points),          T(test_what_is_no_use),        T(test_a_full_log),
        T(test_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
