/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of http_server.h that needs no server: routes, parameters, answers. */
#include "common/http_server.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/http_route.h"
#include "common/json.h"
#include "common/mem.h"

#define RES_MAX (64u << 20) /* bytes of the largest answer */

/* Does path match pattern? {x} segments go to q->params as slices of *copy. */
static bool match(const char *pattern, const char *path, char *copy, struct req *q)
{
    unsigned n = 0;
    while (*pattern && *path) {
        if (*pattern == '{') {
            size_t len = strcspn(path, "/");
            if (!len || n == HTTP_PARAMS_MAX)
                return false;
            memcpy(copy, path, len);
            copy[len] = '\0';
            q->params[n++] = copy;
            copy += len + 1;
            path += len;
            pattern = strchr(pattern, '}') + 1;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return !*pattern && !*path;
}

const struct route *route_find(const struct route *routes, struct req *q, char *copy,
                               struct buf *allow)
{
    const char *method = strcmp(q->method, "HEAD") ? q->method : "GET";
    for (const struct route *r = routes; r && r->path; r++) {
        if (!match(r->path, q->path, copy, q))
            continue;
        if (!strcmp(r->method, method))
            return r;
        if (allow && !(allow->len && strstr(allow->data, r->method)))
            buf_addf(allow, "%s%s", allow->len ? ", " : "", r->method);
    }
    return NULL;
}

int http_dispatch(const struct route *routes, void *app, struct req *q, struct res *s,
                  struct err *e)
{
    char copy[512];
    struct buf allow;
    buf_init(&allow, 128);
    const struct route *r =
        strlen(q->path) < sizeof copy ? route_find(routes, q, copy, &allow) : NULL;
    if (r && r->slow)
        q->worker = true;
    int rc = r ? r->fn(app, q, s, e) : route_missing(q, &allow, e);
    if (rc == HTTP_LATER && !q->worker) {
        q->worker = true;
        rc = r->fn(app, q, s, e);
    }
    buf_done(&allow);
    return rc;
}

int route_takes(const struct route *r, const char *key, struct err *e)
{
    size_t len = strlen(key), n;
    for (const char *p = r->query; p && *p; p += n + (p[n] == ' ')) {
        n = strcspn(p, " ");
        if (n == len && !memcmp(p, key, n))
            return 0;
    }
    if (!r->query)
        return err_set(e, ERR_INVALID, "parameter \"%.60s\" is not known: %s has none",
                       key, r->path);
    return err_set(e, ERR_INVALID, "parameter \"%.60s\" is not known: %s has %s", key,
                   r->path, r->query);
}

int route_missing(const struct req *q, const struct buf *allow, struct err *e)
{
    if (allow->len)
        return err_set(e, ERR_METHOD, "%s does not take %s; it takes %s", q->path,
                       q->method, allow->data);
    return err_set(e, ERR_NOT_FOUND, "there is nothing at %.200s", q->path);
}

void res_init(struct res *s)
{
    *s = (struct res){.status = 200, .type = "application/json"};
    buf_init(&s->body, RES_MAX);
}

void res_done(struct res *s)
{
    buf_done(&s->body);
}

void res_problem(struct res *s, const struct err *e)
{
    int status = err_http_status(e->code == ERR_NONE ? ERR_INTERNAL : e->code);
    buf_reset(&s->body);
    s->status = status;
    s->type = "application/problem+json";
    s->location[0] = s->filename[0] = '\0';
    json_t *j = json_object(), *inner = json_object();
    json_t *text = json_string(e->text);
    json_object_set_new(j, "type", json_sprintf("urn:fieldcast:problem:%s", err_slug(e)));
    json_object_set_new(j, "title", json_string(err_slug(e)));
    json_object_set_new(j, "status", json_integer(status));
    json_object_set(j, "detail", text);
    json_object_set(j, "message", text);
    json_object_set_new(inner, "code", json_string(err_slug(e)));
    json_object_set_new(inner, "message", text);
    json_object_set_new(j, "error", inner);
    json_write(&s->body, j);
    json_decref(j);
}

/* strtod() would also take spaces, a plus, hexadecimal, "inf" and "nan". */
static bool is_decimal(const char *v)
{
    return (*v == '-' || *v == '.' || (*v >= '0' && *v <= '9')) &&
           !v[strspn(v, "0123456789.eE+-h")];
}

int req_query_real(const struct req *q, const char *key, double *out, double min,
                   double max, struct err *e)
{
    const char *v = req_query(q, key);
    if (!v)
        return 0;
    char *end;
    double x = strtod(v, &end);
    if (!is_decimal(v) || end == v || *end || !(x >= min && x <= max))
        return err_set(e, ERR_INVALID,
                       "parameter \"%s\" must be a number from %g to %g, not \"%.60s\"",
                       key, min, max, v);
    *out = x;
    return 0;
}

int req_query_int(const struct req *q, const char *key, int64_t *out, int64_t min,
                  int64_t max, struct err *e)
{
    const char *v = req_query(q, key);
    if (!v)
        return 0;
    char *end;
    errno = 0;
    intmax_t x = strtoimax(v, &end, 10);
    if (!strcmp(key, "horizon") && *end == 'h')
        end++;
    if (!is_decimal(v) || errno || end == v || *end || x < min || x > max)
        return err_set(e, ERR_INVALID,
                       "parameter \"%s\" must be a whole number from %" PRId64
                       " to %" PRId64 ", not \"%.60s\"",
                       key, min, max, v);
    *out = x;
    return 0;
}

int req_query_time(const struct req *q, const char *key, int64_t *t_ms, struct err *e)
{
    const char *v = req_query(q, key);
    return v ? clock_parse(v, key, t_ms, e) : 0;
}

json_t *req_json_object(const struct req *q, struct err *e)
{
    json_t *j = json_parse(q->body, q->body_len, "the body", e);
    if (j && !json_is_object(j)) {
        json_decref(j);
        err_set(e, ERR_INVALID, "the body must be a JSON object");
        return NULL;
    }
    return j;
}

int res_json(struct res *s, json_t *j, struct err *e)
{
    int rc = json_write(&s->body, j);
    json_decref(j);
    return rc ? err_set(e, ERR_TOO_LARGE,
                        "the answer would be larger than %u MB: ask for less",
                        RES_MAX >> 20)
              : 0;
}

int res_items(struct res *s, json_t *items, const char *next, struct err *e)
{
    json_t *j = json_object();
    json_object_set_new(j, "items", items);
    json_object_set_new(j, "next", json_text(next));
    return res_json(s, j, e);
}

void http_routes_print(const struct route *routes, void *file)
{
    for (const struct route *r = routes; r && r->path; r++)
        fprintf(file, "%-6s %-44s %-8s %s%s%s%s\n", r->method, r->path,
                role_name(r->role), r->sentence, r->query ? " [" : "",
                r->query ? r->query : "", r->query ? "]" : "");
}
