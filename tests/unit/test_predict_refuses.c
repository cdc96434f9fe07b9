/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the predictor's routes refuse, and the text of every refusal. */
#include "tests/unit/predictor_app.h"

static void test_refused_bodies(void **unused)
{
    (void)unused;
#define FIELDS                                                                           \
    " is not known; a body has series or model, version, level, and one of horizon, "    \
    "history "                                                                           \
    "(with end, horizon), features, instances"
#define EARLIEST "\"end\" must be from 1970-01-01T00:00:00.000Z to "
#define LATEST ": what is forecast after it lies in the years up to 9999, too"
    static const struct {
        const char *body, *text;
    } rows[] = {
        {"{",
         "the body is not valid JSON: line 1, column 1: string or '}' expected near end "
         "of file"},
        {"[]", "the body must be a JSON object"},
        {"null", "the body is not valid JSON: line 1, column 4: '[' or '{' expected near "
                 "'null'"},
        {"{\"series\":NaN}",
         "the body is not valid JSON: line 1, column 13: invalid token "
         "near 'NaN'"},
        {"{\"series\":\"a.b\",\"series\":\"a.b\"}",
         "the body is not valid JSON: line 1, column 24: duplicate object key near "
         "'\"series\"'"},
        {"{\"series\":1e999}",
         "the body is not valid JSON: line 1, column 15: real number "
         "overflow near '1e999'"},
        {"{\"serie\":\"a.b\"}", "field \"serie\"" FIELDS},
        {"{}", "field \"series\" is missing: a string is expected"},
        {"{\"series\":null}", "field \"series\" is missing: a string is expected"},
        {"{\"model\":7}", "field \"model\" must be a string, not a number"},
        {"{\"series\":\"kitchen\"}",
         "\"kitchen\" is not a series: expected device.quantity, "
         "such as kitchen.temperature"},
        {"{\"series\":\"" K "\",\"model\":\"" K "\"}",
         "give either \"series\" or \"model\", not both"},
        {"{\"series\":\"" K "\",\"horizon\":0}",
         "field \"horizon\" must be from 1 to 48, not 0"},
        {"{\"series\":\"" K "\",\"horizon\":49}",
         "field \"horizon\" must be from 1 to 48, not 49"},
        {"{\"series\":\"" K "\",\"horizon\":1.5}",
         "field \"horizon\" must be a whole number, not one with a fraction"},
        {"{\"series\":\"" K "\",\"horizon\":\"2d\"}",
         "field \"horizon\" must be 1 to 48 hours, such as 24 or \"24h\""},
        {"{\"series\":\"" K "\",\"horizon\":\"99h\"}",
         "field \"horizon\" must be 1 to 48 hours, such as 24 or \"24h\""},
        {"{\"series\":\"" K "\",\"horizon\":[]}",
         "field \"horizon\" must be a whole number, not an array"},
        {"{\"series\":\"" K "\",\"level\":1}",
         "field \"level\" must be from 0.01 to 0.9999, not 1"},
        {"{\"series\":\"" K "\",\"level\":\"high\"}",
         "field \"level\" must be a number, not a string"},
        {"{\"series\":\"" K "\",\"version\":0}",
         "field \"version\" must be from 1 to 2147483647, not 0"},
        {"{\"series\":\"" K "\",\"version\":99999999999999999999}",
         "the body is not valid JSON: line 1, column 62: too big integer near "
         "'99999999999999999999'"},
        {"{\"series\":\"" K "\",\"end\":\"2026-11-20T10:00:00Z\"}",
         "\"end\" belongs to \"history\" or \"features\""},
        {"{\"model\":\"" K "\",\"history\":[1,2],\"end\":\"2026-11-20T10:30:00Z\"}",
         "\"end\" must be the start of an hour, such as 2026-11-20T10:00:00Z"},
        {"{\"model\":\"" K "\",\"history\":[1,2],\"end\":\"9999-12-31T00:00:00Z\"}",
         EARLIEST "9999-12-30T23:00:00.000Z" LATEST},
        {"{\"model\":\"" K "\",\"history\":[1,2],\"horizon\":1,"
         "\"end\":\"9999-12-31T23:00:00Z\"}",
         EARLIEST "9999-12-31T22:00:00.000Z" LATEST},
        {"{\"model\":\"" K "\",\"features\":{\"lag_1\":1,\"lag_2\":2},"
         "\"end\":253402297200000}",
         EARLIEST "9999-12-31T22:00:00.000Z" LATEST},
        {"{\"model\":\"" K "\",\"history\":[1,2],\"end\":\"1969-12-31T23:00:00Z\"}",
         EARLIEST "9999-12-30T23:00:00.000Z" LATEST},
        {"{\"model\":\"" K "\",\"history\":[1,2],\"end\":true}",
         "field \"end\" must be a time: RFC 3339, epoch seconds or epoch milliseconds"},
        {"{\"model\":\"" K "\",\"history\":[1,2],\"features\":{}}",
         "give one of \"history\", \"features\" and \"instances\""},
        {"{\"model\":\"" K "\",\"history\":7}", "field \"history\" must be an array"},
        {"{\"model\":\"" K "\",\"history\":null}", "field \"history\" must be an array"},
        {"{\"model\":\"" K "\",\"history\":[]}",
         "\"history\" must have 1 to 2000 values, not 0"},
        {"{\"model\":\"" K "\",\"history\":[1,\"2\"]}",
         "\"history\" value 1 must be a number or null"},
        {"{\"model\":\"" K "\",\"history\":[1.1e100,2]}",
         "\"history\" value 0 is too large: 1e100 in size at the most"},
        {"{\"model\":\"" K "\",\"features\":{\"lag_1\":1,\"lag_2\":-1e200}}",
         "feature \"lag_2\" is too large: 1e100 in size at the most"},
        {"{\"model\":\"" K "\",\"history\":[1,2,null]}",
         "the last value of \"history\" must be a number"},
        {"{\"model\":\"" K "\",\"features\":[1,2]}",
         "field \"features\" must be an object of numbers"},
        {"{\"model\":\"" K "\",\"features\":{\"lag_1\":1}}",
         "feature \"lag_2\" is missing: version 2 reads 2 features"},
        {"{\"model\":\"" K "\",\"features\":{}}",
         "feature \"lag_1\" is missing: version 2 reads 2 features"},
        {"{\"model\":\"" K "\",\"features\":{\"lag_1\":1,\"lag_2\":2,\"lag_3\":3}}",
         "feature \"lag_3\" is not one that version 2 reads"},
        {"{\"model\":\"" K "\",\"features\":{\"lag_1\":1,\"lag_2\":null}}",
         "feature \"lag_2\" must be a number, not null"},
        {"{\"model\":\"" K "\",\"features\":{\"lag_1\":1,\"lag_2\":\"2\"}}",
         "feature \"lag_2\" must be a number"},
        {"{\"model\":\"" K "\",\"features\":{\"lag_1\":1,\"lag_2\":2},\"horizon\":6}",
         "a row of features gives one step: leave \"horizon\" out, or send \"history\" "
         "or "
         "\"series\""},
        {"{\"model\":\"" K "\",\"instances\":{}}",
         "field \"instances\" must be an array"},
        {"{\"model\":\"" K "\",\"instances\":[]}",
         "\"instances\" must have 1 to 1000 rows, not 0"},
        {"{\"model\":\"" K "\",\"instances\":[{\"lag_1\":1,\"lag_2\":2},7]}",
         "instance 1: a row of features must be an object of numbers"},
        {"{\"model\":\"office.noise_2\",\"features\":{\"lag_1\":1}}",
         "version 7 is persistence, which reads no features: send \"history\" or "
         "\"series\""},
    };
    for (size_t i = 0; i < N_OF(rows); i++)
        expect_refusal("/predict", rows[i].body, NULL, ERR_INVALID, "invalid",
                       rows[i].text);
    expect_refusal("/predict", "", NULL, ERR_INVALID, "invalid",
                   "the body is empty: a JSON value is expected");
    expect_refusal("/predict", "{\"model\":\"" K "\",\"history\":[5]}", NULL, ERR_INVALID,
                   "history_missing", "ridge needs the last 2 hours, there are 1");
}

static void test_refused_sizes(void **unused)
{
    (void)unused;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_adds(&b, "{\"model\":\"" K "\",\"history\":[1");
    for (int i = 0; i < 2000; i++)
        buf_adds(&b, ",1");
    buf_adds(&b, "]}");
    expect_refusal("/predict", b.data, NULL, ERR_INVALID, "invalid",
                   "\"history\" must have 1 to 2000 values, not 2001");
    buf_reset(&b);
    buf_adds(&b, "{\"model\":\"" K "\",\"history\":");
    for (int i = 0; i < 100000; i++)
        buf_addc(&b, '[');
    expect_refusal("/predict", b.data, NULL, ERR_INVALID, "invalid",
                   "the body is nested deeper than 64 levels");
    buf_reset(&b);
    buf_adds(&b, "{\"series\":\"");
    for (int i = 0; i < 200; i++)
        buf_addc(&b, 'a');
    buf_adds(&b, "\"}");
    expect_refusal("/predict", b.data, NULL, ERR_INVALID, "invalid",
                   "field \"series\" must have at most 130 bytes; it has 200");
    buf_done(&b);
}

static void test_refused_queries(void **unused)
{
    (void)unused;
    static const struct {
        const char *query[6], *text;
    } rows[] = {
        {{NULL}, "parameter \"series\" is missing"},
        {{"series", "x", NULL},
         "\"x\" is not a series: expected device.quantity, such as "
         "kitchen.temperature"},
        {{"series", "a.b;drop", NULL},
         "\"a.b;drop\" is not a series: expected "
         "device.quantity, such as kitchen.temperature"},
        {{"series", K, "horizon", "49", NULL},
         "parameter \"horizon\" must be a whole number from 1 to 48, not \"49\""},
        {{"series", K, "horizon", "two", NULL},
         "parameter \"horizon\" must be a whole number from 1 to 48, not \"two\""},
        {{"series", K, "level", "nan", NULL},
         "parameter \"level\" must be a number from 0.01 to 0.9999, not \"nan\""},
        {{"series", K, "version", "-1", NULL},
         "parameter \"version\" must be a whole number from 1 to 2147483647, not \"-1\""},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        expect_refusal("/predict", NULL, rows[i].query, ERR_INVALID, "invalid",
                       rows[i].text);
        expect_refusal("/api/v1/forecasts", NULL, rows[i].query, ERR_INVALID, "invalid",
                       rows[i].text);
    }
}

/* Bodies a few bytes away from good ones: each is answered with JSON or refused with
 * words. */
static void test_mutations(void **unused)
{
    (void)unused;
    static const char *const seeds[] = {
        "{\"series\":\"" K "\",\"horizon\":24,\"level\":0.95}",
        "{\"model\":\"" K "\",\"version\":2,\"history\":[20.9,null,21.0],\"end\":"
        "\"2026-11-20T10:00:00Z\",\"horizon\":\"6h\"}",
        "{\"model\":\"" K "\",\"features\":{\"lag_1\":21.2,\"lag_2\":-2.1e1}}",
        "{\"model\":\"" K "\",\"instances\":[{\"lag_1\":1,\"lag_2\":2},{\"lag_2\":0,"
        "\"lag_1\":7}]}"};
    static const char bytes[] = "{}[]\",:0123456789.eE+-\\ntrufalsh_ \x01\x7f\xc3\xff";
    uint64_t r = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        char body[512];
        strcpy(body, seeds[i % N_OF(seeds)]);
        for (int k = 0; k <= i % 3; k++) {
            r ^= r << 13;
            r ^= r >> 7;
            r ^= r << 17;
            size_t n = strlen(body), at = n ? r % n : 0;
            char c = bytes[(r >> 32) % (sizeof bytes - 1)];
            if ((r >> 60) % 3 == 0)
                body[at] = c;
            else if ((r >> 60) % 3 == 1)
                memmove(body + at, body + at + 1, n - at);
            else if (n < 500) {
                memmove(body + at + 1, body + at, n - at + 1);
                body[at] = c;
            }
        }
        struct res s;
        struct err e;
        int rc = call("POST", "/predict", body, NULL, &s, &e);
        if (rc) {
            assert_true(e.text[0] && e.code != ERR_INTERNAL);
        } else {
            json_t *j = json_loadb(s.body.data, s.body.len, 0, NULL);
            assert_true(json_array_size(json_object_get(j, "predictions")) > 0);
            json_decref(j);
        }
        res_done(&s);
    }
}

static void test_refused_history(void **unused)
{
    (void)unused;
    static const struct {
        const char *query[8], *text;
    } rows[] = {
        {{NULL}, "parameter \"series\" is missing"},
        {{"series", "k", NULL},
         "\"k\" is not a series: expected device.quantity, such as "
         "kitchen.temperature"},
        {{"series", K, "agg", "1d", NULL},
         "parameter \"agg\" must be 1h or raw, not \"1d\""},
        {{"series", K, "format", "xml", NULL},
         "parameter \"format\" must be json or csv, not \"xml\""},
        {{"series", K, "from", "2026-11-20T10:00:00Z", "to", "2026-11-20T10:00:00Z",
          NULL},
         "\"from\" must be before \"to\""},
        {{"series", K, "from", "2020-01-01T00:00:00Z", NULL},
         "from and to are more than 400 days apart: ask in pieces"},
        {{"series", K, "from", "2026-10-01T00:00:00Z", "agg", "raw", NULL},
         "from and to are more than 31 days apart: ask in pieces, or with agg=1h"},
    };
    for (size_t i = 0; i < N_OF(rows); i++)
        expect_refusal("/api/v1/history", NULL, rows[i].query, ERR_INVALID, "invalid",
                       rows[i].text);
    const char *limit[] = {"limit", "1001", NULL};
    expect_refusal(
        "/api/v1/series", NULL, limit, ERR_INVALID, "invalid",
        "parameter \"limit\" must be a whole number from 1 to 1000, not \"1001\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_bodies),  cmocka_unit_test(test_refused_sizes),
        cmocka_unit_test(test_refused_queries), cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_refused_history),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
