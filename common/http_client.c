/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/http_client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/stop.h"

#define RETRY_AFTER_MOST_S 3600

struct http_client {
    CURL *curl;
    char *auth_header, *userpwd; /* NULL if none */
    char why[CURL_ERROR_SIZE];
};

void http_client_global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http_client *http_client_new(const char *bearer, const char *user,
                                    const char *password)
{
    struct http_client *c = xcalloc(1, sizeof *c);
    c->curl = curl_easy_init();
    if (!c->curl)
        abort();
    if (bearer && *bearer)
        c->auth_header = xasprintf("Authorization: Bearer %s", bearer);
    if (user && *user)
        c->userpwd = xasprintf("%s:%s", user, password ? password : "");
    return c;
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->curl);
    free(c->auth_header);
    free(c->userpwd);
    free(c);
}

void http_client_authorize(struct http_client *c, const char *scheme, const char *token)
{
    free(c->auth_header);
    free(c->userpwd);
    c->userpwd = NULL;
    c->auth_header = xasprintf("Authorization: %s %s", scheme, token);
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct http_answer *a = arg;
    return buf_add(&a->body, p, size * n) ? 0 : size * n;
}

/* The first word of the header `name` ("Retry-After:") if this line is it. */
static bool header(const char *line, size_t len, const char *name, char *out, size_t cap)
{
    size_t i = strlen(name), k = 0;
    if (len <= i || strncasecmp(line, name, i) != 0)
        return false;
    while (i < len && line[i] == ' ')
        i++;
    while (i < len && line[i] > ' ' && k + 1 < cap)
        out[k++] = line[i++];
    out[k] = '\0';
    return true;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct http_answer *a = arg;
    size_t len = size * n;
    char s[8];
    if (header(p, len, "Retry-After:", s, sizeof s)) {
        bool seconds = *s && s[strspn(s, "0123456789")] == '\0';
        int given = seconds ? atoi(s) : -1;
        a->retry_after_s = given < RETRY_AFTER_MOST_S ? given : RETRY_AFTER_MOST_S;
    } else if (!header(p, len, "X-Influxdb-Version:", a->version, sizeof a->version)) {
        header(p, len, "X-Influxdb-Build:", a->build, sizeof a->build);
    }
    return len;
}

/* libcurl calls this at least once a second; anything but 0 ends the request. */
static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)arg;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return stop_overdue();
}

static int failed(const struct http_client *c, CURLcode rc, const char *method,
                  const char *url, const struct http_answer *a, struct err *e)
{
    int shown = (int)strcspn(url, "?");
    const char *why = c->why[0] ? c->why : curl_easy_strerror(rc);
    if (a->body.full)
        return err_set(e, ERR_TOO_LARGE, "%s %.*s: the answer is larger than %zu bytes",
                       method, shown, url, a->body.max);
    /* how this library refuses a header of more than 100 kB, or 300 kB of them */
    if (rc == CURLE_OUT_OF_MEMORY || strstr(why, "response headers"))
        return err_set(e, ERR_TOO_LARGE, "%s %.*s: a header of the answer is too large",
                       method, shown, url);
    return err_set(e, rc == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_UNAVAILABLE,
                   "%s %.*s: %s", method, shown, url, why);
}

int http_request(struct http_client *c, const char *method, const char *url,
                 const char *type, const void *body, size_t len, long timeout_ms,
                 size_t max_body, struct http_answer *a, struct err *e)
{
    *a = (struct http_answer){.retry_after_s = -1};
    buf_init(&a->body, max_body);
    curl_easy_reset(c->curl); /* keeps the connection */
    c->why[0] = '\0';
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    if (c->auth_header)
        headers = curl_slist_append(headers, c->auth_header);
    if (type) {
        char line[128] = "Content-Type: ";
        strncat(line, type, sizeof line - strlen(line) - 1);
        headers = curl_slist_append(headers, line);
    }
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_QUICK_EXIT, 1L); /* no waiting for a name server */
    curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->curl, CURLOPT_NOPROXY,
                     "*"); /* neighbours are never behind a proxy */
    curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS,
                     timeout_ms < 2000 ? timeout_ms : 2000L);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->why);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, a);
    curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, a);
    curl_easy_setopt(c->curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    if (c->userpwd)
        curl_easy_setopt(c->curl, CURLOPT_USERPWD, c->userpwd);
    if (body) {
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    }
    CURLcode rc = curl_easy_perform(c->curl);
    curl_slist_free_all(headers);
    if (rc != CURLE_OK) {
        failed(c, rc, method, url, a, e);
        http_answer_done(a);
        return -1;
    }
    long status = 0;
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    a->status = (int)status;
    if (!a->body.data)
        buf_adds(&a->body, ""); /* so that data is never NULL */
    return 0;
}

void http_answer_done(struct http_answer *a)
{
    buf_done(&a->body);
}

void http_escape(struct buf *b, const char *s)
{
    static const char digits[] = "0123456789ABCDEF";
    for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || (*p && strchr("-._~", *p));
        if (plain) {
            buf_addc(b, (char)*p);
        } else {
            char enc[3] = {'%', digits[*p >> 4], digits[*p & 15]};
            buf_add(b, enc, 3);
        }
    }
}
