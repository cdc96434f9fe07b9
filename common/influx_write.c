/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes, and the client rule that holds on all versions of InfluxDB. */
#include "common/influx_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/json.h"

#define WRITE_TIMEOUT_MS 30000
#define ANSWER_MAX (1u << 20) /* 3 Core tells of at most 100 lines, 1.x of all */

bool influx_words(const char *body, size_t len, char *out, size_t cap)
{
    json_t *j = json_loadb(body, len, 0, NULL);
    const char *t = json_string_value(json_object_get(j, "error"));
    if (!t)
        t = json_string_value(json_object_get(j, "message"));
    bool said = t != NULL;
    if (!t)
        t = body;
    size_t n = strcspn(t, "\r\n");
    n = n < cap - 1 ? n : cap - 1;
    memcpy(out, t, n);
    out[n] = '\0';
    json_decref(j);
    return said;
}

/* Some lines are bad, and the others may be stored: sending the same again brings the
 * same answer, whatever its status (2.x before 2.0.4 says 500 to a type conflict). */
static bool about_lines(const char *why)
{
    return strstr(why, "partial write") || strstr(why, "field type conflict") ||
           strstr(why, "points beyond");
}

/* No line can be stored, whatever it holds. */
static bool about_database(const char *why)
{
    return strstr(why, "retention policy not found") ||
           strstr(why, "database not found") || strstr(why, "database name") ||
           (strstr(why, "exceed") && strstr(why, "databases")); /* a limit of 3 Core */
}

/* Nobody but InfluxDB may be believed: a write that was taken is answered with 204 and
 * nothing else, and a line is refused with a reason in JSON. Any other web server at this
 * address must not pass for it, or what it "took" would be lost. */
enum influx_verdict influx_judge(int status, const char *body, size_t len, char *why,
                                 size_t cap)
{
    bool said = influx_words(body, len, why, cap);
    if (status == 204)
        return INFLUX_OK;
    if (status == 413)
        return INFLUX_SPLIT;
    if (status == 401 || status == 403 || status == 404)
        return INFLUX_CONFIG;
    if (said && about_database(why))
        return INFLUX_CONFIG;
    if (status >= 500 || status == 408 || status == 429)
        return said && about_lines(why) ? INFLUX_REJECT : INFLUX_RETRY;
    return said && (status == 400 || status == 422) ? INFLUX_REJECT : INFLUX_CONFIG;
}

void influx_advise(const struct influx *in, int status, bool said, struct err *e)
{
    size_t n = strlen(e->text), cap = sizeof e->text - n;
    char *to = e->text + n;
    if (status == 401)
        snprintf(to, cap, "; look at FC_INFLUX_USER and FC_INFLUX_PASSWORD%s",
                 in->server.dialect > INFLUX_1 ? ", or FC_INFLUX_TOKEN" : "");
    else if (status == 403)
        snprintf(to, cap, "; it must be allowed to read and write database \"%s\"",
                 in->db);
    else if (!said)
        snprintf(to, cap, "; is FC_INFLUX_URL the address of InfluxDB?");
    else if (strstr(e->text, "retention policy not found"))
        snprintf(to, cap, "; give database \"%s\" a default retention policy", in->db);
    else if (status == 404 && in->server.dialect == INFLUX_2)
        snprintf(to, cap, "; make a bucket \"%s\" and its DBRP mapping (docs/ingest.md)",
                 in->db);
    else
        snprintf(to, cap, "; look at database \"%s\" (FC_INFLUX_DB)", in->db);
}

static void keep_refusal(struct influx *in, struct http_answer *a)
{
    in->refusal = a->body;
    buf_init(&a->body, ANSWER_MAX);
}

enum influx_verdict influx_write(struct influx *in, const char *lines, size_t len,
                                 int *retry_after_s, struct err *e)
{
    struct http_answer a;
    *retry_after_s = -1;
    buf_done(&in->refusal);
    if (http_request(in->http, "POST", in->write_url, "text/plain; charset=utf-8", lines,
                     len, WRITE_TIMEOUT_MS, ANSWER_MAX, &a, e)) {
        err_prefix(e, "influx");
        /* 1.x repeats every line that it cannot read, in a header too: ask for less */
        return e->code == ERR_TOO_LARGE ? INFLUX_SPLIT : INFLUX_RETRY;
    }
    char why[300];
    enum influx_verdict v =
        influx_judge(a.status, a.body.data, a.body.len, why, sizeof why);
    influx_learn(in, &a);
    *retry_after_s = a.retry_after_s;
    if (v != INFLUX_OK) {
        err_set(e, v == INFLUX_RETRY ? ERR_UNAVAILABLE : ERR_UPSTREAM,
                "influx: could not write %zu bytes: HTTP %d: %s", len, a.status, why);
        if (v == INFLUX_CONFIG)
            influx_advise(in, a.status,
                          influx_words(a.body.data, a.body.len, why, sizeof why), e);
        keep_refusal(in, &a);
    }
    http_answer_done(&a);
    return v;
}

const char *influx_refusal(const struct influx *in, size_t *len)
{
    *len = in->refusal.len;
    return in->refusal.data ? in->refusal.data : "";
}
