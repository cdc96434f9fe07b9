/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http_client.h"
#include "common/json.h"
#include "common/mem.h"

#define BODY_MAX (4u << 20)
#define ANSWER_MAX (16u << 20)
#define TIMEOUT_MS 30000
#define TOKEN_MAX 4096

struct remote {
    const char *who, *url;
    struct http_client *http;
};

static int first_line(const char *path, char token[TOKEN_MAX], struct err *e)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return err_set(e, ERR_INVALID, "could not open %s: %s", path, strerror(errno));
    if (!fgets(token, TOKEN_MAX, f))
        *token = '\0';
    int rc = ferror(f)
                 ? err_set(e, ERR_INVALID, "could not read %s: %s", path, strerror(errno))
                 : 0;
    fclose(f);
    token[strcspn(token, "\r\n")] = '\0';
    return rc;
}

static int find_token(const char *given, const char *file, char token[TOKEN_MAX],
                      struct err *e)
{
    *token = '\0';
    if (file && first_line(file, token, e))
        return -1;
    if (file && !*token)
        return err_set(e, ERR_INVALID, "%s holds no token: its first line is empty",
                       file);
    if (!given && !file)
        given = getenv("FC_TOKEN");
    if (strlen(given ? given : token) >= TOKEN_MAX - 1)
        return err_set(e, ERR_INVALID, "the token has more than %d bytes", TOKEN_MAX - 2);
    if (given)
        strcpy(token, given);
    for (const char *p = token; *p; p++)
        if (*p <= ' ' || *p > '~') /* it goes into a header */
            return err_set(e, ERR_INVALID,
                           "the token must be of ASCII characters without spaces");
    return 0;
}

int remote_check(const char *token, const char *token_file, struct err *e)
{
    return token && token_file
               ? err_set(e, ERR_INVALID, "--token and --token-file exclude each other")
               : 0;
}

struct remote *remote_open(const char *who, const char *url, const char *token,
                           const char *token_file, struct err *e)
{
    char found[TOKEN_MAX];
    if (find_token(token, token_file, found, e))
        return NULL;
    http_client_global_init();
    struct remote *r = xcalloc(1, sizeof *r);
    r->who = who;
    r->url = url ? url : REMOTE_URL;
    r->http = http_client_new(found, "", "");
    return r;
}

void remote_close(struct remote *r)
{
    if (!r)
        return;
    http_client_free(r->http);
    free(r);
}

int remote_strange(const struct remote *r, struct err *e)
{
    return err_set(e, ERR_UPSTREAM, "%s is not Fieldcast's %s", r->url, r->who);
}

static int refused(const struct remote *r, int status, const char *detail, struct err *e)
{
    bool later = status == 429 || status == 503 || status == 504;
    if (status == 401 || status == 403)
        return err_set(e, ERR_FORBIDDEN,
                       "%s wants a token with the role operator: --token-file (%s)",
                       r->url, detail ? detail : "no more was said");
    if (!detail)
        return err_set(e, later ? ERR_UNAVAILABLE : ERR_UPSTREAM,
                       "%s answered HTTP %d: this is not Fieldcast's %s", r->url, status,
                       r->who);
    return err_set(e, later ? ERR_UNAVAILABLE : ERR_UPSTREAM, "%s answered HTTP %d: %s",
                   r->url, status, detail);
}

static json_t *read_answer(const struct remote *r, const struct http_answer *a,
                           struct err *e)
{
    struct err why = ERR_INIT;
    json_t *j =
        json_parse(a->body.data ? a->body.data : "", a->body.len, "the answer", &why);
    bool good = a->status == 200 || a->status == 202;
    if (good && json_is_object(j))
        return j;
    if (good)
        remote_strange(r, e);
    else
        refused(r, a->status, json_string_value(json_object_get(j, "detail")), e);
    json_decref(j);
    return NULL;
}

json_t *remote_ask(struct remote *r, const char *method, const char *path,
                   const json_t *body, struct err *e)
{
    struct buf text;
    struct http_answer a = {0};
    json_t *j = NULL;
    size_t n = strlen(r->url);
    while (n && r->url[n - 1] == '/')
        n--;
    char *url = xasprintf("%.*s%s", (int)n, r->url, path);
    buf_init(&text, BODY_MAX);
    if (body && json_write(&text, body))
        err_set(e, ERR_TOO_LARGE, "what is asked of %s is not UTF-8, or more than %u MB",
                r->who, BODY_MAX >> 20);
    else if (!http_request(r->http, method, url, body ? "application/json" : NULL,
                           text.data, text.len, TIMEOUT_MS, ANSWER_MAX, &a, e)) {
        j = read_answer(r, &a, e);
        http_answer_done(&a);
    }
    buf_done(&text);
    free(url);
    return j;
}
