/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "services/ingest/letter_line.h"

static void expect_line(int64_t id, const struct wal_record *rec, enum reject why,
                        const char *detail, const char *device,
                        const struct letter_extra *extra, const char *want)
{
    struct buf b;
    buf_init(&b, LETTER_LINE_MAX);
    letter_line_write(&b, id, rec, why, detail, device, extra);
    assert_string_equal(b.data, want);
    int64_t read = -1;
    json_t *j = letter_line_parse(b.data, b.len - 1, &read);
    assert_non_null(j);
    assert_int_equal(read, id);
    json_decref(j);
    buf_done(&b);
}

static void test_text_and_bytes(void **unused)
{
    (void)unused;
    struct wal_record rec = {.receive_ms = 1795132800000, .topic = "a/b", .topic_len = 3};
    static const struct {
        const char *payload;
        size_t len;
        const char *member;
    } rows[] = {
        {"{\"a\":\t\"\xc3\xa9\"", 10, "\"payload\":\"{\\\"a\\\":\\u0009\\\"é\\\"\""},
        {"\0\1\xff", 3, "\"payload_base64\":\"AAH/\""},
        {"\xff", 1, "\"payload_base64\":\"/w==\""},
        {"", 0, "\"payload\":\"\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char want[300];
        snprintf(want, sizeof want,
                 "{\"id\":40,\"time\":\"2026-11-20T00:00:00.000Z\",\"reason\":"
                 "\"bad_json\",\"detail\":\"because\",\"device\":\"kitchen\",\"topic\":"
                 "\"a/b\",%s}\n",
                 rows[i].member);
        rec.payload = rows[i].payload;
        rec.len = rows[i].len;
        expect_line(40, &rec, REJECT_BAD_JSON, "because", "kitchen", NULL, want);
    }
}

static void test_what_is_not_known(void **unused)
{
    (void)unused;
    struct wal_record cut = {
        .topic = "\xff", .topic_len = 1, .payload = "xy", .len = 2, .flags = WAL_CUT};
    expect_line(160, &cut, REJECT_TOO_LARGE, NULL, "", NULL,
                "{\"id\":160,\"time\":\"1970-01-01T00:00:00.000Z\",\"reason\":"
                "\"too_large\",\"detail\":null,\"device\":null,\"topic\":null,"
                "\"payload\":\"xy\",\"cut\":true}\n");
}

static void test_what_a_replay_needs(void **unused)
{
    (void)unused;
    struct wal_record rec = {.topic = "a",
                             .topic_len = 1,
                             .payload = "x",
                             .len = 1,
                             .flags = WAL_RETAIN | WAL_HTTP};
    json_t *before = json_pack("[i]", 1), *taken = json_pack("[i, i]", 2, 3);
    struct letter_extra extra = {.taken = taken, .before = before, .logged = true};
    expect_line(0, &rec, REJECT_NO_VALUES, "d", NULL, &extra,
                "{\"id\":0,\"time\":\"1970-01-01T00:00:00.000Z\",\"reason\":"
                "\"no_values\",\"detail\":\"d\",\"device\":null,\"topic\":\"a\","
                "\"payload\":\"x\",\"retain\":true,\"http\":true,\"logged\":true,"
                "\"taken\":[1,2,3]}\n");
    json_decref(before);
    json_decref(taken);
}

static void test_no_letter(void **unused)
{
    (void)unused;
    static const char *const lines[] = {"", "{\"id\":2,\"time\":\"20", "{}",
                                        "{\"id\":\"2\"}", "[2]"};
    int64_t id;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_null(letter_line_parse(lines[i], strlen(lines[i]), &id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_bytes),
        cmocka_unit_test(test_what_is_not_known),
        cmocka_unit_test(test_what_a_replay_needs),
        cmocka_unit_test(test_no_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
