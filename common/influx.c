/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/influx.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/http_client.h"
#include "common/json.h"
#include "common/mem.h"

#define PING_TIMEOUT_MS 2000
#define WRITE_TIMEOUT_MS 30000
#define QUERY_TIMEOUT_MS 30000
#define ERROR_BODY_MAX 65536
#define QUERY_MAX 65536

struct influx {
    struct http_client *http;
    char *write_url, *query_url, *ping_url, *db;
};

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
    free(in);
}

int influx_ping(struct influx *in, char version[64], struct err *e)
{
    struct http_answer a;
    if (http_request(in->http, "GET", in->ping_url, NULL, NULL, 0, PING_TIMEOUT_MS, 4096,
                     &a, e))
        return -1;
    int rc = a.status / 100 == 2
                 ? 0
                 : err_set(e, ERR_UNAVAILABLE, "influx: ping answered HTTP %d", a.status);
    memcpy(version, a.version, sizeof a.version);
    http_answer_done(&a);
    return rc;
}

/* The "error" or "message" of an answer (true), or its first bytes (false). */
static bool error_text(const struct http_answer *a, char *out, size_t cap)
{
    json_t *j = json_loadb(a->body.data, a->body.len, 0, NULL);
    const char *t = json_string_value(json_object_get(j, "error"));
    if (!t)
        t = json_string_value(json_object_get(j, "message"));
    bool said = t != NULL;
    if (!t)
        t = a->body.data;
    size_t n = strcspn(t, "\r\n");
    n = n < cap - 1 ? n : cap - 1;
    memcpy(out, t, n);
    out[n] = '\0';
    json_decref(j);
    return said;
}

/* The client rule that holds on all versions: which answers to a write mean what. A write
 * that was taken is answered with 204 and nothing else, and a line is refused with a
 * reason in JSON (said): any other web server at this address must not pass for InfluxDB,
 * or what it "took" would be lost. */
static enum influx_verdict verdict(int status, const char *why, bool said)
{
    bool bad_data = strstr(why, "partial write") || strstr(why, "field type conflict") ||
                    strstr(why, "points beyond") || strstr(why, "unable to parse");
    if (status == 204)
        return INFLUX_OK;
    if (status == 413)
        return INFLUX_SPLIT;
    if (strstr(why, "retention policy not found") || strstr(why, "database not found"))
        return INFLUX_CONFIG;
    if (status == 401 || status == 403 || status == 404)
        return INFLUX_CONFIG;
    if (!said && status < 500 && status != 408 && status != 429)
        return INFLUX_CONFIG;
    if (bad_data || status == 400 || status == 422)
        return INFLUX_REJECT;
    return INFLUX_RETRY;
}

enum influx_verdict influx_write(struct influx *in, const char *lines, size_t len,
                                 int *retry_after_s, struct err *e)
{
    struct http_answer a;
    *retry_after_s = -1;
    if (http_request(in->http, "POST", in->write_url, "text/plain; charset=utf-8", lines,
                     len, WRITE_TIMEOUT_MS, ERROR_BODY_MAX, &a, e)) {
        err_prefix(e, "influx");
        return INFLUX_RETRY;
    }
    char why[300];
    bool said = error_text(&a, why, sizeof why);
    enum influx_verdict v = verdict(a.status, why, said);
    *retry_after_s = a.retry_after_s;
    if (v != INFLUX_OK)
        err_set(e, v == INFLUX_RETRY ? ERR_UNAVAILABLE : ERR_UPSTREAM,
                "influx: could not write %zu bytes: HTTP %d: %s", len, a.status, why);
    http_answer_done(&a);
    return v;
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

static int query(struct influx *in, const char *q, long timeout_ms, json_t **series,
                 struct err *e)
{
    struct buf body;
    buf_init(&body, 4 * QUERY_MAX);
    buf_adds(&body, "q=");
    http_escape(&body, q);
    struct http_answer a;
    int rc =
        http_request(in->http, "POST", in->query_url, "application/x-www-form-urlencoded",
                     body.data, body.len, timeout_ms, INFLUX_ANSWER_MAX, &a, e);
    buf_done(&body);
    if (rc)
        return err_prefix(e, "influx");
    json_t *answer = NULL;
    *series = NULL;
    if (a.status != 200) {
        char why[300];
        error_text(&a, why, sizeof why);
        err_set(e, a.status / 100 == 5 ? ERR_UNAVAILABLE : ERR_UPSTREAM,
                "influx: query answered HTTP %d: %s", a.status, why);
    } else if (a.body.len && *a.body.data != '{') {
        char why[300]; /* "json: unsupported value: +Inf", with status 200 */
        error_text(&a, why, sizeof why);
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
    return query(in, q, QUERY_TIMEOUT_MS, series, e);
}

int influx_create_database(struct influx *in, struct err *e)
{
    struct buf q;
    json_t *series;
    buf_init(&q, 1024);
    buf_adds(&q, "CREATE DATABASE ");
    influx_ql_ident(&q, in->db);
    int rc = influx_query(in, q.data, &series, e);
    if (!rc)
        json_decref(series);
    buf_done(&q);
    return rc;
}

int influx_check(struct influx *in, struct err *e)
{
    char version[64];
    json_t *series;
    if (influx_ping(in, version, e))
        return -1;
    if (query(in, "SELECT \"x\" FROM \"fieldcast_check\" LIMIT 1", PING_TIMEOUT_MS,
              &series, e))
        return strstr(e->text, "database not found") ? 0 : -1;
    json_decref(series);
    return 0;
}

/* ---- line protocol ------------------------------------------------------------------
 */

/* A newline cannot be expressed in a key or tag; a trailing backslash neither: both
 * become an underscore. Identifiers are checked long before; this is the last line of
 * defence. */
static void add_escaped(struct buf *b, const char *s, const char *which)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n' || s[i] == '\r' || (s[i] == '\\' && i + 1 == n)) {
            buf_addc(b, '_');
            continue;
        }
        if (strchr(which, s[i]))
            buf_addc(b, '\\');
        buf_addc(b, s[i]);
    }
}

void influx_line(struct influx_line *l, struct buf *b, const char *measurement)
{
    *l = (struct influx_line){.b = b, .start = b->len};
    add_escaped(b, measurement, ", ");
}

void influx_tag(struct influx_line *l, const char *key, const char *value)
{
    if (!*value)
        return;
    buf_addc(l->b, ',');
    add_escaped(l->b, key, ",= ");
    buf_addc(l->b, '=');
    add_escaped(l->b, value, ",= ");
}

void influx_field(struct influx_line *l, const char *key, double value)
{
    if (!isfinite(value))
        return;
    buf_addc(l->b, l->n_fields++ ? ',' : ' ');
    add_escaped(l->b, key, ",= ");
    buf_addc(l->b, '=');
    buf_add_real(l->b, value);
}

int influx_end(struct influx_line *l, int64_t t_ms)
{
    if (l->n_fields && !l->b->full && buf_addf(l->b, " %" PRId64 "\n", t_ms) == 0)
        return 0;
    if (l->b->data) {
        l->b->len = l->start;
        l->b->data[l->start] = '\0';
    }
    return -1;
}

/* ---- InfluxQL ------------------------------------------------------------------------
 */

static void quoted(struct buf *b, const char *s, char quote)
{
    buf_addc(b, quote);
    for (; *s; s++) {
        if (*s == quote || *s == '\\')
            buf_addc(b, '\\');
        if (*s == '\n')
            buf_adds(b, "\\n");
        else
            buf_addc(b, *s);
    }
    buf_addc(b, quote);
}

void influx_ql_string(struct buf *b, const char *s)
{
    quoted(b, s, '\'');
}

void influx_ql_ident(struct buf *b, const char *s)
{
    quoted(b, s, '"');
}

void influx_ql_range(struct buf *b, int64_t from_ms, int64_t to_ms)
{
    buf_addf(b, "time >= %" PRId64 "ms AND time < %" PRId64 "ms", from_ms, to_ms);
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
