/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A site's clocks, and models that go by them. */
#include "tests/unit/series.h"

#include "common/ml/algos.h"
#include "common/ml/model.h"
#include "common/ml/train.h"
#include "common/ml/zone.h"
#include "tests/unit/near.h"
#include "tests/unit/past.h"

#define HOUR_S 3600
#define SPRING                                                                           \
    INT64_C(1774746000) /* 2026-03-29T01:00Z: Vienna goes from 1 h to 2 h ahead */
#define AUTUMN INT64_C(1792890000) /* 2026-10-25T01:00Z: and back */

static struct zone vienna(void)
{
    struct zone z = {.name = "Europe/Vienna"};
    assert_true(zone_add(&z, SPRING - 90 * 86400, 3600));
    assert_true(zone_add(&z, SPRING, 7200));
    assert_true(zone_add(&z, AUTUMN, 3600));
    return z;
}

static void offsets(void **state)
{
    (void)state;
    struct zone z = vienna();
    assert_int_equal(zone_offset(NULL, SPRING), 0);
    assert_int_equal(zone_offset(&z, 0), 3600); /* before all */
    assert_int_equal(zone_offset(&z, SPRING - 1), 3600);
    assert_int_equal(zone_offset(&z, SPRING), 7200);
    assert_int_equal(zone_offset(&z, AUTUMN - 1), 7200);
    assert_int_equal(zone_offset(&z, AUTUMN + 86400 * 365), 3600);
    assert_true(zone_add(&z, AUTUMN + 1, 3600)); /* nothing new */
    assert_int_equal(z.n, 3);
    for (int i = 3; i < ZONE_SPANS_MAX; i++)
        assert_true(zone_add(&z, AUTUMN + i, i));
    assert_false(zone_add(&z, AUTUMN + 1000, 1000));
}

static void json(void **state)
{
    (void)state;
    struct zone z = vienna();
    struct err e = ERR_INIT;
    json_t *j = zone_to_json(&z);
    struct zone *back = zone_from_json(j, &e);
    assert_non_null(back);
    assert_memory_equal(back, &z, sizeof z);
    free(back);
    json_decref(j);
    static const char *const wrong[] = {
        "[]",
        "{\"name\":\"x\"}",
        "{\"name\":\"\",\"offsets\":[[0,0]]}",
        "{\"name\":\"x\",\"offsets\":[]}",
        "{\"name\":\"x\",\"offsets\":[[0]]}",
        "{\"name\":\"x\",\"offsets\":[[0,0.5]]}",
        "{\"name\":\"x\",\"offsets\":[[0,86401]]}",
        "{\"name\":\"x\",\"offsets\":[[0,0],[0,1]]}",
        "{\"name\":\"x\",\"offsets\":[[0,0],[1,0]]}",
        "{\"name\":\"x\",\"offsets\":[[0,0]],\"more\":1}",
    };
    for (size_t i = 0; i < N_OF(wrong); i++) {
        e = (struct err)ERR_INIT;
        j = json_loads(wrong[i], 0, NULL);
        assert_null(zone_from_json(j, &e));
        assert_int_equal(e.code, ERR_INVALID);
        json_decref(j);
    }
}

/* People live by their own clocks. */
static double lit(const struct zone *z, int64_t t_s)
{
    int64_t local = (t_s + zone_offset(z, t_s)) / HOUR_S % 24;
    return 50 + 40 * sin(2 * M_PI * (double)local / 24);
}

/* Three weeks of winter, and the clock is put forward: who knows of it is right at once.
 */
static void the_clock_is_put_forward(void **state)
{
    (void)state;
    struct zone z = vienna();
    struct err e = ERR_INIT;
    struct hours h;
    struct forecast f[24];
    assert_int_equal(hours_init(&h, SPRING - 21 * 24 * HOUR_S, 21 * 24, NULL), 0);
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = lit(&z, h.start_s + (int64_t)i * HOUR_S);
    double error[2];
    for (int knows = 0; knows < 2; knows++) {
        h.zone = knows ? &z : NULL;
        struct model *m = model_new(&algo_ridge, "a.light");
        m->features =
            (struct feature_spec){.n_lags = 1, .lags = {1}, .calendar = CALENDAR_HOUR};
        assert_ok(m->algo->fit(m, &h, &e), e);
        model_set_zone(m, zone_copy(h.zone));
        assert_ok(model_forecast(m, &h, 24, 0.95, f, &e), e);
        error[knows] = 0;
        for (int k = 0; k < 24; k++)
            error[knows] += fabs(f[k].yhat - lit(&z, SPRING + k * HOUR_S)) / 24;
        model_free(m);
    }
    assert_true(error[0] > 3);            /* an hour late */
    assert_true(error[1] < error[0] / 3); /* the jump itself is like no hour before */
    hours_done(&h);
}

/* What a training makes keeps the zone and goes by it after a journey through text. */
static void kept_by_the_model(void **state)
{
    (void)state;
    struct zone z = vienna();
    struct err e = ERR_INIT;
    struct hours h;
    struct forecast f[48], g[48];
    struct train_result r;
    struct train_opts o = {
        .series = "a.light", .code = "x", .horizon = 48, .level = 0.95, .seed = 1};
    assert_int_equal(hours_init(&h, SPRING - 30 * 24 * HOUR_S, 30 * 24, NULL), 0);
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = lit(&z, h.start_s + (int64_t)i * HOUR_S) + (double)(i * i % 7);
    h.zone = &z;
    assert_ok(train_series(&h, NULL, &o, &r, &e), e);
    assert_string_equal(r.model->training.zone->name, "Europe/Vienna");
    assert_true(r.model->training.zone != &z);
    size_t len;
    char *doc = model_document(r.model, &len);
    assert_non_null(strstr(doc, "\"zone\":{\"name\":\"Europe/Vienna\",\"offsets\":[["));
    struct model *back = model_parse(doc, len, &e);
    assert_non_null(back);
    h.zone = NULL; /* the model's own counts */
    assert_ok(model_forecast(r.model, &h, 48, 0.95, f, &e), e);
    assert_ok(model_forecast(back, &h, 48, 0.95, g, &e), e);
    for (int k = 0; k < 48; k++)
        assert_memory_equal(&f[k].yhat, &g[k].yhat, sizeof(double));
    char *again = model_document(back, NULL);
    assert_string_equal(doc, again);
    free(again);
    free(doc);
    model_free(back);
    train_result_done(&r);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets),
        cmocka_unit_test(json),
        cmocka_unit_test(the_clock_is_put_forward),
        cmocka_unit_test(kept_by_the_model),
    };
    return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
