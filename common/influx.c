/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/influx.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/influx_internal.h"
#include "common/json.h"
#include "common/mem.h"

#define PING_TIMEOUT_MS 2000
#define QUERY_TIMEOUT_MS 30000
#define QUERY_MAX 65536
#define GET_MAX 4000 /* bytes of an encoded query that fit an address anywhere */

struct influx *influx_new(const struct influx_settings *s)
{
    struct influx *in = xcalloc(1, sizeof *in);
    struct buf q;
    buf_init(&q, 1024);
    http_escape(&q, s->db);
    int n = (int)strlen(s->url);
    while (n && s->url[n - 1] == '/')
        n--;
    in->http = http_client_new(NULL, s->user, s->password);
    if (s->token && *s->token) /* "Token" is what 2.x knows; 3 takes it too */
        http_client_authorize(in->http, "Token", s->token);
    in->db = xstrdup(s->db);
    in->write_url = xasprintf("%.*s/write?db=%s&precision=ms", n, s->url, q.data);
    in->query_url = xasprintf("%.*s/query?db=%s&epoch=ms", n, s->url, q.data);
    in->ping_url = xasprintf("%.*s/ping", n, s->url);
    buf_done(&q);
    return in;
}

void influx_free(struct influx *in)
{
    if (!in)
        return;
    http_client_free(in->http);
    free(in->write_url);
    free(in->query_url);
    free(in->ping_url);
    free(in->db);
    buf_done(&in->refusal);
    free(in);
}

enum influx_dialect influx_dialect_of(const char *version)
{
    if (*version == 'v')
        version++;
    if (*version < '1' || *version > '3' || version[1] != '.')
        return INFLUX_UNKNOWN;
    return INFLUX_1 + (*version - '1');
}

const struct influx_server *influx_server(const struct influx *in)
{
    return &in->server;
}

void influx_learn(struct influx *in, const struct http_answer *a)
{
    if (!*a->version)
        return;
    in->server.dialect = influx_dialect_of(a->version);
    memcpy(in->server.version, a->version, sizeof in->server.version);
    memcpy(in->server.build, a->build, sizeof in->server.build);
}

int influx_ping(struct influx *in, char version[64], struct err *e)
{
    struct http_answer a;
    if (http_request(in->http, "GET", in->ping_url, NULL, NULL, 0, PING_TIMEOUT_MS, 4096,
                     &a, e))
        return -1;
    influx_learn(in, &a);
    int rc = 0;
    if (a.status / 100 != 2) {
        bool away = a.status / 100 == 5;
        rc = err_set(e, away ? ERR_UNAVAILABLE : ERR_UPSTREAM,
                     "influx: ping answered HTTP %d", a.status);
        if (!away)
            influx_advise(in, a.status, *a.version, e);
    }
    memcpy(version, a.version, sizeof a.version);
    http_answer_done(&a);
    return rc;
}

static json_t *take_series(json_t *answer, struct err *e)
{
    json_t *result = json_array_get(json_object_get(answer, "results"), 0);
    const char *why = json_string_value(json_object_get(result, "error"));
    if (why) {
        err_set(e, strstr(why, "not found") ? ERR_UNAVAILABLE : ERR_UPSTREAM,
                "influx: %s", why);
        return NULL;
    }
    if (!json_is_object(result)) {
        err_set(e, ERR_UPSTREAM, "influx: the answer has no \"results\"");
        return NULL;
    }
    json_t *series = json_object_get(result, "series");
    return json_is_array(series) ? json_incref(series) : json_array();
}

/* Reading goes by GET, the only way that every version has, while the query is short. */
static int ask(struct influx *in, const char *q, long timeout_ms, size_t most,
               struct http_answer *a, struct err *e)
{
    struct buf text;
    bool reads = !strncasecmp(q, "SELECT ", 7) || !strncasecmp(q, "SHOW ", 5);
    buf_init(&text, 4 * QUERY_MAX);
    buf_adds(&text, "q=");
    http_escape(&text, q);
    int rc;
    if (reads && text.len <= GET_MAX) {
        char *url = xasprintf("%s&%s", in->query_url, text.data);
        rc = http_request(in->http, "GET", url, NULL, NULL, 0, timeout_ms,
                          INFLUX_ANSWER_MAX, a, e);
        free(url);
    } else {
        rc = http_request(in->http, "POST", in->query_url,
                          "application/x-www-form-urlencoded", text.data, text.len,
                          timeout_ms, most, a, e);
    }
    buf_done(&text);
    if (rc)
        return err_prefix(e, "influx");
    influx_learn(in, a);
    return 0;
}

static int query(struct influx *in, const char *q, long timeout_ms, size_t most,
                 json_t **series, struct err *e)
{
    struct http_answer a;
    char why[300];
    if (ask(in, q, timeout_ms, most, &a, e))
        return -1;
    json_t *answer = NULL;
    *series = NULL;
    if (a.status != 200) {
        bool said = influx_words(a.body.data, a.body.len, why, sizeof why);
        err_set(e, a.status / 100 == 5 ? ERR_UNAVAILABLE : ERR_UPSTREAM,
                "influx: query answered HTTP %d: %s", a.status, why);
        if (a.status == 401 || a.status == 403 || a.status == 404)
            influx_advise(in, a.status, said, e);
    } else if (a.body.len && *a.body.data != '{') {
        /* "json: unsupported value: +Inf", with status 200 */
        influx_words(a.body.data, a.body.len, why, sizeof why);
        err_set(e, ERR_UPSTREAM, "influx: the query was answered by \"%s\"", why);
    } else if ((answer = json_parse(a.body.data, a.body.len, "influx: the answer", e))) {
        *series = take_series(answer, e);
    }
    json_decref(answer);
    http_answer_done(&a);
    return *series ? 0 : -1;
}

int influx_query(struct influx *in, const char *q, json_t **series, struct err *e)
{
    return query(in, q, QUERY_TIMEOUT_MS, INFLUX_ANSWER_MAX, series, e);
}

int influx_query_within(struct influx *in, const char *q, size_t most, json_t **series,
                        struct err *e)
{
    return query(in, q, QUERY_TIMEOUT_MS, most, series, e);
}

int influx_create_database(struct influx *in, struct err *e)
{
    struct buf q;
    json_t *series;
    char version[64];
    if (in->server.dialect == INFLUX_UNKNOWN && influx_ping(in, version, e))
        return -1;
    if (in->server.dialect == INFLUX_3)
        return 0;
    if (in->server.dialect == INFLUX_2)
        return err_set(
            e, ERR_UPSTREAM,
            "influx: databases of InfluxDB %s are not made here: make a bucket "
            "\"%s\" and its DBRP mapping (docs/ingest.md)",
            in->server.version, in->db);
    buf_init(&q, 1024);
    buf_adds(&q, "CREATE DATABASE ");
    influx_ql_ident(&q, in->db);
    int rc = influx_query(in, q.data, &series, e);
    if (!rc)
        json_decref(series);
    buf_done(&q);
    return rc;
}

/* Is a database that is missing made by the next write, or just before it? */
static bool only_missing(const struct influx *in, const struct err *e)
{
    return in->server.dialect != INFLUX_2 && strstr(e->text, "database") &&
           strstr(e->text, "not found");
}

int influx_check(struct influx *in, struct err *e)
{
    char version[64];
    json_t *series;
    if (influx_ping(in, version, e))
        return -1;
    if (query(in, "SELECT \"x\" FROM \"fieldcast_check\" LIMIT 1", PING_TIMEOUT_MS,
              INFLUX_ANSWER_MAX, &series, e))
        return only_missing(in, e) ? 0 : -1;
    json_decref(series);
    return 0;
}

static int read_piece(struct influx *in, const char *q,
                      int (*each)(void *, int64_t, double), void *arg, struct err *e)
{
    json_t *series, *s, *row;
    size_t i, k;
    if (influx_query(in, q, &series, e))
        return -1;
    int stop = 0;
    json_array_foreach(series, i, s)
        json_array_foreach(json_object_get(s, "values"), k, row)
    {
        json_t *v = json_array_get(row, 1);
        if (!stop && json_is_number(v))
            stop = each(arg, json_integer_value(json_array_get(row, 0)),
                        json_number_value(v));
    }
    json_decref(series);
    return stop ? 1 : 0;
}

int influx_read(struct influx *in, const char *measurement, const char *field,
                const char *device, const char *where, int64_t from_ms, int64_t to_ms,
                int (*each)(void *arg, int64_t t_ms, double value), void *arg,
                struct err *e)
{
    int rc = 0;
    struct buf q;
    buf_init(&q, QUERY_MAX);
    for (int64_t t = from_ms; t < to_ms && !rc; t += INFLUX_WINDOW_MS) {
        buf_reset(&q);
        buf_adds(&q, "SELECT ");
        influx_ql_ident(&q, field);
        buf_adds(&q, " FROM ");
        influx_ql_ident(&q, measurement);
        buf_adds(&q, " WHERE \"device\" = ");
        influx_ql_string(&q, device);
        buf_addf(&q, "%s%s AND ", *where ? " AND " : "", where);
        influx_ql_range(&q, t,
                        t + INFLUX_WINDOW_MS < to_ms ? t + INFLUX_WINDOW_MS : to_ms);
        rc = read_piece(in, q.data, each, arg, e);
    }
    buf_done(&q);
    return rc < 0 ? -1 : 0;
}
