/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How answers of InfluxDB become widths of bands. The queries themselves are tested
 * against the real one (tests/integration/test_adaptive_bands.py). */
#include "tests/unit/champion.h"

#include <math.h>

#include "common/buf.h"
#include "services/predictor/forecasts.h"
#include "services/predictor/widths.h"
#include "tests/unit/near.h"

#define K "kitchen.temperature"

static struct predictor p;

static json_t *answer(const char *text)
{
    json_error_t why;
    json_t *j = json_loads(text, 0, &why);
    if (!j)
        fail_msg("%s: %s", why.text, text);
    return j;
}

static void take_states(const char *text)
{
    json_t *j = answer(text);
    misses_take_states(&p.misses, j, NOON);
    json_decref(j);
}

/* An evaluation of the hour that ends at end_ms: lead 1 missed or not, as version. */
static void take(const char *device, int64_t end_ms, const char *miss, int version)
{
    char text[400];
    snprintf(text, sizeof text,
             "[{\"tags\":{\"device\":\"%s\",\"quantity\":\"temperature\"},\"values\":"
             "[[%lld,%s,%d,null,null,null,null,null,null,null,null]]}]",
             device, (long long)end_ms, miss, version);
    json_t *j = answer(text);
    misses_take(&p.misses, j);
    json_decref(j);
}

/* kitchen.temperature: version 3, a forecast at NOON, and nothing known of its misses. */
static struct series *open_one(void)
{
    champion_open(&p);
    misses_init(&p.misses, p.models, NULL);
    struct series *s = champion_install(&p, champion_version(K, 3, "persistence", "", 0));
    champion_hours(&p, s, 1, 20.5, NOON);
    s->adaptive_of = 3;
    adaptive_init(&s->adaptive, 0.95, NOON / HOUR_MS);
    s->adaptive_turn = true;
    return s;
}

static double width(struct series *s, int number, int64_t origin_ms, size_t lead)
{
    struct version *v = champion_version(K, number, "persistence", "", 0);
    struct widths w;
    widths_past(s, v, origin_ms, &w);
    version_put(v);
    return w.of[lead - 1];
}

static void test_scores(void **unused)
{
    (void)unused;
    struct series *s = open_one();
    take("kitchen", NOON, "1.0", 3);
    take("kitchen", NOON - HOUR_MS, "1.0", 2); /* of the one before it */
    take("kitchen", NOON - 2 * HOUR_MS, "null", 3);
    take("nobody", NOON, "1.0", 3);
    assert_true(width(s, 3, NOON, 1) == 1); /* not all is read yet */
    s->adaptive_known = true;
    assert_near(width(s, 3, NOON, 1), exp(0.038), 1e-12);
    assert_true(width(s, 3, NOON - HOUR_MS, 1) == 1); /* not known an hour before */
    assert_true(width(s, 2, NOON, 1) == 1);           /* and of this version only */
    assert_true(width(s, 3, NOON, 6) == 1);
    double between = width(s, 3, NOON, 3);
    assert_true(between > 1 && between < exp(0.038));
    /* scored again: inside after all */
    take("kitchen", NOON, "0.0", 3);
    assert_near(width(s, 3, NOON, 1), exp(-0.002), 1e-12);
    assert_true(p.misses.seeing_ms == NOON - HOUR_MS);
    s->adaptive_turn = false; /* others of the device are being read */
    take("kitchen", NOON, "1.0", 3);
    assert_near(width(s, 3, NOON, 1), exp(-0.002), 1e-12);
    champion_close(&p);
}

#define STATE(LEAD, STATE, VERSION, ORIGIN)                                              \
    "{\"tags\":{\"device\":\"kitchen\",\"quantity\":\"temperature\",\"lead\":\"" LEAD    \
    "\"},\"values\":[[1795180000000," STATE "," VERSION "," ORIGIN "]]}"

static void test_states(void **unused)
{
    (void)unused;
    struct series *s = open_one();
    take_states("[" STATE("1", "0.5", "3", "1795165200000") "," /* three hours ago */
                STATE("48", "99", "3", "1795165200000") ","     /* never wider than 8 */
                STATE("6", "0.5", "2", "1795165200000") ","     /* of another version */
                STATE("12", "0.5", "3", "1795190400000") ","    /* the clock was ahead */
                STATE("24", "null", "3", "1795165200000") "]");
    s->adaptive_known = true;
    assert_true(s->adaptive.newest == NOON / HOUR_MS - 3);
    assert_near(width(s, 3, NOON, 1), exp(0.5), 1e-12);
    assert_near(width(s, 3, NOON, 48), 8, 1e-12);
    assert_true(width(s, 3, NOON, 6) == 1);
    assert_true(width(s, 3, NOON, 12) == 1);
    assert_true(width(s, 3, NOON, 24) == 1);
    champion_close(&p);
}

/* The widths go into the trajectory, into what is stored, and begin anew with the next
 * champion. */
static void test_trajectory(void **unused)
{
    (void)unused;
    struct series *s = open_one();
    s->adaptive_known = true;
    s->adaptive.lead[0].before = log(2);
    models_lock(p.models);
    s->stale = true;
    origin_refresh(p.models, s, NOON);
    models_unlock(p.models);
    struct serving *v = series_serving(s);
    struct buf b;
    buf_init(&b, 1 << 20);
    forecasts_lines(&b, s, v->by, v->origin_ms, v->yhat, &v->widths, true);
    assert_non_null(strstr(b.data, "yhat=20.5,yhat_lower=18.5,yhat_upper=22.5,version=3,"
                                   "origin_ms=1795176000000,width=2,"
                                   "width_state=0.6931471805599453 "));
    buf_done(&b);
    serving_put(v);
    /* the next one has no forecast yet: the one before answers, as wide as it was */
    champion_install(&p, champion_version(K, 4, "persistence", "", 0));
    v = series_serving(s);
    assert_int_equal(v->by->number, 3);
    assert_near(v->widths.of[0], 2, 1e-12);
    serving_put(v);
    models_lock(p.models);
    origin_refresh(p.models, s, NOON);
    models_unlock(p.models);
    v = series_serving(s);
    assert_int_equal(v->by->number, 4);
    assert_true(v->widths.of[0] == 1 && v->widths.state[0] == 0);
    assert_int_equal(s->adaptive_of, 4);
    serving_put(v);
    champion_close(&p);
}

static void test_live_coverage(void **unused)
{
    (void)unused;
    struct series *s = open_one();
    struct buf b;
    buf_init(&b, 1 << 20);
    s->adaptive_known = true;
    for (int h = 0; h < 8; h++)
        take("kitchen", NOON - h * HOUR_MS, h % 4 ? "0.0" : "1.0", 3);
    widths_show(p.models, p.svc.metrics);
    metrics_render(p.svc.metrics, &b);
    assert_non_null(
        strstr(b.data, "fieldcast_band_scores{service=\"test\",lead=\"1\"} 8\n"));
    assert_non_null(
        strstr(b.data, "fieldcast_band_coverage{service=\"test\",lead=\"1\"} 0.75\n"));
    assert_non_null(
        strstr(b.data, "fieldcast_band_scores{service=\"test\",lead=\"48\"} 0\n"));
    assert_null(strstr(b.data, "fieldcast_band_coverage{service=\"test\",lead=\"48\"}"));
    assert_non_null(
        strstr(b.data, "fieldcast_band_width{service=\"test\",lead=\"48\"} 1\n"));
    buf_done(&b);
    champion_close(&p);
}

static void test_read_again(void **unused)
{
    (void)unused;
    struct series *s = open_one();
    widths_reread(s, 50);
    widths_reread(s, 70);
    assert_true(s->rescored_ms == 50);
    widths_reread(s, 20);
    assert_true(s->rescored_ms == 20);
    s->adaptive_known = true;
    widths_forget(s);
    assert_true(s->rescored_ms == NO_TIME && !s->adaptive_known && !s->adaptive_of);
    champion_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores),     cmocka_unit_test(test_states),
        cmocka_unit_test(test_trajectory), cmocka_unit_test(test_live_coverage),
        cmocka_unit_test(test_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
