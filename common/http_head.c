/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/http_head.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/http_route.h"
#include "common/mem.h"
#include "common/utf8.h"

size_t head_unescape(char *s)
{
    char *to = s, hex[3] = "";
    for (const char *p = s; *p; p++) {
        if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2]) &&
            strncmp(p, "%00", 3) != 0) {
            memcpy(hex, p + 1, 2);
            *to++ = (char)strtol(hex, NULL, 16);
            p += 2;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
    return (size_t)(to - s);
}

int head_path(const char *path, struct err *e)
{
    if (strlen(path) > HTTP_PATH_MAX)
        return err_set(e, ERR_INVALID, "the path is longer than %d bytes", HTTP_PATH_MAX);
    if (!utf8_valid(path))
        return err_set(e, ERR_INVALID, "the path %.80s is not UTF-8", path);
    return 0;
}

char *head_keep_params(struct req *q, const char *copy)
{
    int n = HTTP_PARAMS_MAX;
    while (n && !q->params[n - 1])
        n--;
    if (!n)
        return NULL;
    size_t len = (size_t)(q->params[n - 1] - copy) + strlen(q->params[n - 1]) + 1;
    char *kept = xmalloc(len);
    memcpy(kept, copy, len);
    while (n--)
        q->params[n] = kept + (q->params[n] - copy);
    return kept;
}

void head_trim_query(char *url)
{
    char *query = url + strcspn(url, "?"), *from, *to;
    if (!*query)
        return;
    from = to = ++query;
    for (size_t n = 0; *from && n <= HTTP_QUERY_MAX; n++) {
        from += strspn(from, "&");
        size_t len = strcspn(from, "&");
        if (to != query && len)
            *to++ = '&';
        memmove(to, from, len);
        to += len;
        from += len;
    }
    *to = '\0';
}

int head_query_add(struct head_query *p, const char *key, const char *value,
                   struct err *e)
{
    if (!*key && !value) /* a & too many */
        return 0;
    if (p->n == HTTP_QUERY_MAX)
        return err_set(e, ERR_INVALID, "the query has more than %d parameters",
                       HTTP_QUERY_MAX);
    if (!value)
        return err_set(e, ERR_INVALID, "parameter \"%.60s\" has no value", key);
    if (!utf8_valid(value))
        return err_set(e, ERR_INVALID, "parameter \"%.60s\" is not UTF-8", key);
    if (route_takes(p->route, key, e))
        return -1;
    for (size_t i = 0; i < p->n; i++)
        if (!strcmp(p->keys[i], key))
            return err_set(e, ERR_INVALID, "parameter \"%.60s\" is given twice", key);
    p->keys[p->n++] = key;
    return 0;
}

int head_body(const struct head_body *b, size_t max, struct err *e)
{
    if (b->encoding && strcasecmp(b->encoding, "identity"))
        return err_set(e, ERR_MEDIA_TYPE,
                       "a body in Content-Encoding %.40s is not read: send it as it is",
                       b->encoding);
    if (b->transfer && strcasecmp(b->transfer, "chunked"))
        return err_set(e, ERR_MEDIA_TYPE,
                       "a body in Transfer-Encoding %.40s is not read: chunked is, or "
                       "Content-Length",
                       b->transfer);
    if (b->length && (strlen(b->length) > 18 || strtoull(b->length, NULL, 10) > max))
        return err_set(e, ERR_TOO_LARGE,
                       "the body may have at most %zu bytes; this has %.20s", max,
                       b->length);
    return 0;
}
