/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The champions in memory: names, counts, and swaps while threads read. Run it under
 * ThreadSanitizer and AddressSanitizer too: they see what a wrong count would free. */
#include "tests/unit/champion.h"

#include <pthread.h>

#define SERIES "kitchen.temperature"
#define READERS 3
#define SWAPS 2000

static void test_names(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct models *m = models_new(2);
    struct series *a = models_add(m, SERIES, &e);
    assert_non_null(a);
    assert_string_equal(a->device, "kitchen");
    assert_string_equal(a->quantity, "temperature");
    assert_ptr_equal(models_add(m, "kitchen\\.temperature", &e), a);
    assert_ptr_equal(models_find(m, SERIES), a);
    assert_null(models_find(m, "kitchen.humidity"));
    assert_null(models_add(m, "kitchen", &e));
    assert_string_equal(e.text,
                        "\"kitchen\" is not a series: expected device.quantity, such "
                        "as kitchen.temperature");
    assert_non_null(models_add(m, "office.temperature", &e));
    assert_null(models_add(m, "attic.temperature", &e));
    assert_int_equal(e.code, ERR_BUSY);
    assert_string_equal(
        e.text, "there is no room for series attic.temperature: FC_SERIES_MAX is 2");
    assert_int_equal(models_count(m), 2);
    assert_string_equal(models_all(m)->name, "office.temperature");
    models_free(m);
    models_free(NULL);
}

/* What a quantity can be at all limits its forecasts. */
static void test_limits(void **unused)
{
    (void)unused;
    struct forecast f = {.yhat = 99.5};
    struct version *v = champion_version("kitchen.humidity_2", 1, "ridge", "1,2", 0);
    model_band(v->model, 0, 0.95, &f);
    assert_true(f.yhat == 99.5 && f.lower == 98.5 && f.upper == 100);
    f.yhat = -3;
    model_band(v->model, 1, 0.95, &f);
    assert_true(f.yhat == 0 && f.lower == 0 && f.upper == 2);
    version_put(v);
    v = champion_version("kitchen.flux", 1, "ridge", "1,2", 0); /* nobody knows it */
    f.yhat = -3;
    model_band(v->model, 1, 0.95, &f);
    assert_true(f.yhat == -3 && f.lower == -5 && f.upper == -1);
    model_band_wide(v->model, 1, 0.95, 1.5, &f);
    assert_true(f.yhat == -3 && f.lower == -6 && f.upper == 0);
    version_put(v);
}

static void test_parse_refuses(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    assert_null(version_parse(SERIES, 4, "{", 1, &e));
    assert_true(
        !strncmp(e.text, "version 4 of model kitchen.temperature cannot be read: ", 55));
    char *doc = champion_document("office.temperature", "persistence", "", 0);
    assert_null(version_parse(SERIES, 4, doc, strlen(doc), &e));
    assert_string_equal(e.text,
                        "version 4 of model kitchen.temperature cannot be read: the "
                        "document is of series \"office.temperature\"");
    free(doc);
}

static void test_counts(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct models *m = models_new(1);
    struct series *s = models_add(m, SERIES, &e);
    assert_null(series_serving(s));
    series_serve(s, serving_new(champion_version(SERIES, 1, "persistence", "", 0)));
    /* more references from one word than its count holds */
    enum { N = 200000 };
    struct serving **held = calloc(N, sizeof *held);
    for (int i = 0; i < N; i++)
        held[i] = series_serving(s);
    series_serve(s, serving_new(champion_version(SERIES, 2, "persistence", "", 0)));
    for (int i = 0; i < N; i++) {
        assert_ptr_equal(held[i], held[0]);
        assert_int_equal(held[i]->version->number, 1);
    }
    for (int i = 0; i < N; i++)
        serving_put(held[i]); /* the last one frees it: a leak or a double free fails */
    struct serving *v = series_serving(s);
    assert_int_equal(v->version->number, 2);
    series_serve(s, NULL);
    assert_null(series_serving(s));
    assert_int_equal(v->version->number, 2); /* still ours */
    serving_put(v);
    serving_put(NULL);
    free(held);
    models_free(m);
}

struct race {
    struct series *s;
    atomic_bool stop;
    atomic_long reads;
};

static void *reader(void *arg)
{
    struct race *r = arg;
    int newest = 0;
    while (!atomic_load(&r->stop)) {
        struct serving *v = series_serving(r->s);
        /* what one version says belongs together, and time does not go back */
        if (v->version->number != (int)v->yhat[0] || v->version->number < newest ||
            strcmp(v->version->model->series, SERIES))
            abort();
        newest = v->version->number;
        serving_put(v);
        atomic_fetch_add(&r->reads, 1);
    }
    return NULL;
}

static struct serving *numbered(int i)
{
    struct serving *v = serving_new(champion_version(SERIES, i, "ridge", "1,2", 0));
    v->yhat[0] = i;
    return v;
}

static void test_swaps_under_readers(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct models *m = models_new(1);
    struct race r = {.s = models_add(m, SERIES, &e)};
    pthread_t t[READERS];
    series_serve(r.s, numbered(1));
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, reader, &r), 0);
    for (int i = 2; i <= SWAPS; i++) {
        struct serving *v = numbered(i);
        models_lock(m);
        series_serve(r.s, v);
        models_unlock(m);
    }
    while (atomic_load(&r.reads) < 10000)
        clock_sleep_ms(1);
    atomic_store(&r.stop, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(t[i], NULL);
    models_free(m);
}

/* A new champion keeps the old one's trajectory until it has its own. */
static void test_install(void **unused)
{
    (void)unused;
    struct predictor p;
    champion_open(&p);
    struct series *s =
        champion_install(&p, champion_version(SERIES, 1, "ridge", "1,2", 0.5));
    struct serving *v = series_serving(s);
    assert_null(v->by);
    assert_string_equal(v->note, "its first forecast is being made");
    serving_put(v);
    champion_hours(&p, s, 30, 1, NOON);
    v = series_serving(s);
    assert_ptr_equal(v->by, v->version);
    assert_int_equal(v->origin_ms, NOON);
    assert_true(v->yhat[0] == 30);
    assert_null(v->note);
    serving_put(v);
    assert_true(s->unwritten);
    champion_install(&p, champion_version(SERIES, 1, "ridge", "1,2", 9)); /* no news */
    champion_install(&p, champion_version(SERIES, 2, "ridge", "1,2", 1.5));
    v = series_serving(s);
    assert_int_equal(v->version->number, 2);
    assert_int_equal(v->by->number, 1);
    assert_true(v->yhat[0] == 30);
    serving_put(v);
    models_lock(p.models);
    origin_refresh(p.models, s, NOON);
    models_unlock(p.models);
    v = series_serving(s);
    assert_int_equal(v->by->number, 2);
    assert_true(v->yhat[0] == 31);
    serving_put(v);
    /* one that reads more hours than there are: the one before answers, and it is said */
    champion_install(&p, champion_version(SERIES, 3, "ridge", "1,100", 0));
    models_lock(p.models);
    origin_refresh(p.models, s, NOON);
    models_unlock(p.models);
    v = series_serving(s);
    assert_int_equal(v->version->number, 3);
    assert_int_equal(v->by->number, 2);
    assert_string_equal(v->note, "ridge needs the last 100 hours, there are 30");
    serving_put(v);
    champion_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),   cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_counts),  cmocka_unit_test(test_swaps_under_readers),
        cmocka_unit_test(test_install), cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
