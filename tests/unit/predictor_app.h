/* SPDX-License-Identifier: GPL-3.0-or-later */
/* predictor_app: the predictor's routes on models in memory, asked as a client asks. The
 * tests of a program share it, in their order. */
#ifndef FC_TESTS_PREDICTOR_APP_H
#define FC_TESTS_PREDICTOR_APP_H

#include "tests/unit/champion.h"

#include "services/predictor/api.h"

#define K "kitchen.temperature"

static struct predictor p;

static inline int call(const char *method, const char *path, const char *body,
                       const char *const *query, struct res *s, struct err *e)
{
    struct req q = {.method = method, .path = path, .body = body ? body : ""};
    q.body_len = strlen(q.body);
    q.test_query = query;
    res_init(s);
    *e = (struct err)ERR_INIT;
    return http_dispatch(predictor_routes, &p, &q, s, e);
}

static inline void expect(const char *method, const char *path, const char *body,
                          const char *const *query, const char *want)
{
    struct res s;
    struct err e;
    if (call(method, path, body, query, &s, &e))
        fail_msg("%s %s: %s", method, body ? body : path, e.text);
    assert_int_equal(s.status, 200);
    assert_string_equal(s.type, "application/json");
    assert_string_equal(s.body.data, want);
    res_done(&s);
}

static inline void expect_refusal(const char *path, const char *body,
                                  const char *const *query, enum err_code code,
                                  const char *slug, const char *text)
{
    struct res s;
    struct err e;
    int rc = call(body ? "POST" : "GET", path, body, query, &s, &e);
    if (!rc)
        fail_msg("not refused: %s", body ? body : query[1]);
    assert_failed(rc, e, code, text);
    assert_string_equal(err_slug(&e), slug);
    res_done(&s);
}

/* It is 11:05. kitchen.temperature: version 2 is champion, a ridge on two lags; 1..30 at
 * the 30 hours up to 10:00, the last complete one. */
static inline int open_all(void **state)
{
    (void)state;
    champion_clock(NOON - HOUR_MS + 300000);
    champion_open(&p);
    struct series *s = champion_install(&p, champion_version(K, 2, "ridge", "1,2", 0.25));
    champion_hours(&p, s, 30, 1, NOON - 2 * HOUR_MS);
    s = champion_install(&p, champion_version("office.noise_2", 7, "persistence", "", 0));
    champion_hours(&p, s, 3, 1, NOON - 2 * HOUR_MS);
    champion_install(&p, champion_version("cellar.humidity", 1, "persistence", "", 0));
    struct version *old = champion_version(K, 1, "persistence", "", 0);
    versions_keep(p.versions, K, old);
    version_put(old);
    return 0;
}

static inline int close_all(void **state)
{
    (void)state;
    champion_close(&p);
    return 0;
}

#endif
