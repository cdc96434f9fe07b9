/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which points an answer of InfluxDB names: a table of the bodies that its versions send.
 * The batch is always the same; a letter says what becomes of each point: . waiting,
 * X refused, ? suspect. */
#include "tests/unit/unit.h"

#include "common/influx.h"
#include "services/ingest/verdicts.h"

/* What the five points of the batch hold; "my co,2" has what must be escaped. */
static const char *const fields[] = {"temperature", "humidity", "temperature", "my co,2",
                                     "humidity"};
#define N N_OF(fields)

static void add(struct batch *b, const char *measurement, const char *device,
                const char *field, int64_t t_ms)
{
    struct influx_line l;
    struct point *p = &b->p[b->n++];
    *p = (struct point){.line = b->lines.len};
    influx_line(&l, &b->lines, measurement);
    influx_tag(&l, "device", device);
    influx_field(&l, field, 1.5);
    influx_field(&l, "quality", 1);
    assert_int_equal(influx_end(&l, t_ms), 0);
    p->len = b->lines.len - p->line;
}

static void make(struct batch *b)
{
    batch_init(b, 20);
    for (size_t i = 0; i < N; i++) {
        char device[] = {(char)('a' + i), '\0'};
        add(b, "readings", device, fields[i], 1000 + (int64_t)i);
    }
}

static const char *states(const struct batch *b, char out[16])
{
    for (size_t i = 0; i < b->n; i++)
        out[i] = b->p[i].state == POINT_REFUSED ? 'X' : b->p[i].suspect ? '?' : '.';
    out[b->n] = '\0';
    return out;
}

#define LINE_A "readings,device=a temperature=1.5,quality=1 1000"
#define LINE_C "readings,device=c temperature=1.5,quality=1 1002"
#define CONFLICT(field, dropped)                                                         \
    "partial write: field type conflict: input field \\\"" field                         \
    "\\\" on measurement \\\"readings\\\" is type float, already exists as type "        \
    "string dropped=" dropped
#define V3(items)                                                                        \
    "{\"error\":\"partial write of line protocol occurred\",\"data\":[" items "]}"
#define V3_WHY                                                                           \
    "invalid column type for column 'temperature', expected "                            \
    "iox::column_type::field::string, got iox::column_type::field::float"
#define V3_ITEM(line, number)                                                            \
    "{\"original_line\":\"" line "\",\"line_number\":" number                            \
    ",\"error_message\":\"" V3_WHY "\"}"

static const struct {
    const char *name, *body;
    enum verdicts verdicts;
    const char *states, *why; /* why: of the first refused */
} table[] = {
    {"1.x: two lines that it cannot read",
     "{\"error\":\"partial write: unable to parse '" LINE_A
     "': invalid number\\nunable to parse '" LINE_C
     "': invalid field format dropped=0\"}\n",
     VERDICTS_REFUSED, "X.X..", "invalid number"},
    {"1.x: none that it can read",
     "{\"error\":\"unable to parse '" LINE_C "': invalid field format\"}",
     VERDICTS_REFUSED, "..X..", "invalid field format"},
    {"2.x: nothing of the batch is written",
     "{\"code\":\"invalid\",\"message\":\"unable to parse '" LINE_C
     "': invalid number\"}",
     VERDICTS_REFUSED, "..X..", "invalid number"},
    {"a quoted line that is none of ours",
     "{\"error\":\"partial write: unable to parse 'readings,device=z t=1 1': no "
     "dropped=0\"}",
     VERDICTS_NONE, ".....", NULL},
    {"a line of which only the beginning is ours",
     "{\"error\":\"partial write: unable to parse '" LINE_A "9': no dropped=0\"}",
     VERDICTS_NONE, ".....", NULL},
    {"1.x: a type conflict", "{\"error\":\"" CONFLICT("temperature", "2") "\"}",
     VERDICTS_SUSPECTS, "?.?..", NULL},
    {"1.x: of a field whose name is escaped",
     "{\"error\":\"" CONFLICT("my co,2", "1") "\"}", VERDICTS_SUSPECTS, "...?.", NULL},
    {"1.x: of a field that begins as another",
     "{\"error\":\"" CONFLICT("temp", "1") "\"}", VERDICTS_NONE, ".....", NULL},
    {"1.x: of all points, not all dropped",
     "{\"error\":\"" CONFLICT("quality", "4") "\"}", VERDICTS_NONE, "?????", NULL},
    {"1.x: of all points, all dropped", "{\"error\":\"" CONFLICT("quality", "5") "\"}",
     VERDICTS_REFUSED, "XXXXX",
     "partial write: field type conflict: input field \"quality\" on measurement "
     "\"readings\" is type float, already exists as type string dropped=5"},
    {"2.x: a type conflict (422)",
     "{\"code\":\"unprocessable entity\",\"message\":\"failure writing points to "
     "database: " CONFLICT("humidity", "2") "\"}",
     VERDICTS_SUSPECTS, ".?..?", NULL},
    {"2.x before 2.0.4 (500)",
     "{\"code\":\"internal error\",\"message\":\"unexpected error writing points to "
     "database: " CONFLICT("humidity", "2") "\"}",
     VERDICTS_SUSPECTS, ".?..?", NULL},
    {"a type conflict of another measurement",
     "{\"error\":\"partial write: field type conflict: input field \\\"temperature\\\" "
     "on "
     "measurement \\\"hourly\\\" is type float, already exists as type string "
     "dropped=2\"}",
     VERDICTS_NONE, ".....", NULL},
    {"1.x: some are older than the retention policy",
     "{\"error\":\"partial write: points beyond retention policy dropped=2\"}",
     VERDICTS_NONE, ".....", NULL},
    {"1.x: all are",
     "{\"error\":\"partial write: points beyond retention policy dropped=5\"}",
     VERDICTS_REFUSED, "XXXXX",
     "partial write: points beyond retention policy dropped=5"},
    {"2.7: all are",
     "{\"code\":\"unprocessable entity\",\"message\":\"failure writing points to "
     "database: partial write: dropped 5 points outside retention policy of duration "
     "72h0m0s - oldest point x at 2025-08-26T03:26:38Z dropped because it violates a "
     "Retention Policy Lower Bound at 2025-09-02T09:04:10Z dropped=5 for database: "
     "0123 for retention policy: autogen\"}",
     VERDICTS_REFUSED, "XXXXX", NULL},
    {"1.x: cardinality",
     "{\"error\":\"partial write: max-values-per-tag limit exceeded (5/5): "
     "measurement=\\\"readings\\\" tag=\\\"device\\\" value=\\\"e\\\" dropped=5\"}",
     VERDICTS_NONE, ".....", NULL},
    {"3: the lines by number",
     V3(V3_ITEM("readings,device=a temperature=1.5", "1") "," V3_ITEM(LINE_C, "3")),
     VERDICTS_REFUSED, "X.X..", V3_WHY},
    {"3: a number that no line has",
     V3(V3_ITEM("", "0") "," V3_ITEM("", "6") "," V3_ITEM("", "-1") "," V3_ITEM(
         "", "9223372036854775807")),
     VERDICTS_NONE, ".....", NULL},
    {"3: another series stands at that number",
     V3(V3_ITEM("readings,device=b t=1 1", "1")), VERDICTS_NONE, ".....", NULL},
    {"3: items that are none",
     V3("1,null,{},{\"line_number\":\"2\"},{\"line_number\":2,\"error_message\":7}"),
     VERDICTS_NONE, ".....", NULL},
    {"3: all or nothing",
     "{\"error\":\"parsing failed for write_lp "
     "endpoint\",\"data\":{\"original_line\":\"x\","
     "\"line_number\":1,\"error_message\":\"no\"}}",
     VERDICTS_NONE, ".....", NULL},
    {"no words", "{}", VERDICTS_NONE, ".....", NULL},
    {"no JSON", "<html>partial write</html>", VERDICTS_NONE, ".....", NULL},
    {"no body", "", VERDICTS_NONE, ".....", NULL},
};

static void test_table(void **unused)
{
    (void)unused;
    for (size_t k = 0; k < N_OF(table); k++) {
        struct batch b;
        char got[16];
        make(&b);
        enum verdicts v = verdicts_read(&b, 0, b.n, table[k].body, strlen(table[k].body));
        if (v != table[k].verdicts || strcmp(states(&b, got), table[k].states) != 0)
            fail_msg("%s: %d %s", table[k].name, (int)v, got);
        for (size_t i = 0; table[k].why && i < N; i++)
            if (got[i] == 'X') {
                assert_string_equal(batch_why(&b, i), table[k].why);
                break;
            }
        batch_done(&b);
    }
}

/* Numbers and quotes mean the lines that were sent: not those refused before, nor those
 * before lo. */
static void test_the_rest_of_a_batch(void **unused)
{
    (void)unused;
    static const char body[] = V3(V3_ITEM("", "2"));
    struct batch b;
    char got[16];
    make(&b);
    batch_refuse(&b, 2, "before", 6);
    batch_squeeze(&b, 1, 5);
    assert_int_equal(verdicts_read(&b, 1, 5, body, strlen(body)), VERDICTS_REFUSED);
    assert_string_equal(states(&b, got), "..XX.");
    assert_string_equal(batch_why(&b, 2), "before");
    batch_done(&b);
}

/* One that was written alone needs no name. */
static void test_a_point_alone(void **unused)
{
    (void)unused;
    static const char limit[] =
        "{\"error\":\"partial write: max-values-per-tag limit exceeded (5/5): "
        "measurement=\\\"readings\\\" tag=\\\"device\\\" value=\\\"e\\\" dropped=1\"}";
    struct batch b;
    char got[16];
    make(&b);
    assert_int_equal(verdicts_read(&b, 4, 5, limit, strlen(limit)), VERDICTS_REFUSED);
    assert_int_equal(verdicts_read(&b, 0, 1, "{}", 2), VERDICTS_REFUSED);
    assert_string_equal(states(&b, got), "X...X");
    assert_non_null(strstr(batch_why(&b, 4), "max-values-per-tag limit exceeded (5/5)"));
    assert_string_equal(batch_why(&b, 0), "InfluxDB gave no reason");
    batch_done(&b);
}

/* Lines that are refused leave no gap, and nothing else moves. */
static void test_squeeze(void **unused)
{
    (void)unused;
    struct batch b;
    size_t len;
    make(&b);
    batch_refuse(&b, 0, "x", 1);
    batch_refuse(&b, 2, "x", 1);
    batch_refuse(&b, 3, "y", 1);
    batch_squeeze(&b, 0, 4);
    const char *lines = batch_lines(&b, 0, 4, &len);
    static const char want[] = "readings,device=b humidity=1.5,quality=1 1001\n";
    assert_int_equal(len, strlen(want));
    assert_memory_equal(lines, want, len);
    lines = batch_lines(&b, 4, 5, &len);
    assert_memory_equal(lines, "readings,device=e humidity=1.5,quality=1 1004\n", len);
    assert_ptr_equal(batch_why(&b, 0), batch_why(&b, 2)); /* kept once */
    assert_string_equal(batch_why(&b, 3), "y");
    batch_done(&b);
}

/* However many are refused, the reasons stay within their ceiling and are valid text. */
static void test_reasons_are_bounded(void **unused)
{
    (void)unused;
    struct batch b;
    char why[1200];
    batch_init(&b, 2000);
    for (size_t i = 0; i < 2000; i++)
        add(&b, "readings", "a", "t", (int64_t)i);
    for (size_t i = 0; i < b.n; i++) {
        snprintf(why, sizeof why, "%zu", i);
        for (size_t k = strlen(why); k + 2 < sizeof why; k += 2)
            memcpy(why + k, "\xc3\xa4", 3); /* two bytes each: cut between them */
        batch_refuse(&b, i, why, strlen(why));
    }
    assert_true(b.whys.len <= BATCH_WHYS);
    json_t *first = json_string(batch_why(&b, 0)),
           *tenth = json_string(batch_why(&b, 10));
    assert_true(first && json_string_length(first) > 300);
    assert_non_null(tenth);
    json_decref(first);
    json_decref(tenth);
    assert_string_equal(batch_why(&b, 1999),
                        "one of too many to keep the reason of each");
    batch_reset(&b);
    assert_int_equal(b.whys.len, 0);
    batch_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_the_rest_of_a_batch),
        cmocka_unit_test(test_a_point_alone),
        cmocka_unit_test(test_squeeze),
        cmocka_unit_test(test_reasons_are_bounded),
    };
    return cmocka_run_group_tests_name("verdicts", tests, NULL, NULL);
}
