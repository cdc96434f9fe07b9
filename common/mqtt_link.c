/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/mqtt_link.h"

#include <curl/curl.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/mem.h"

#define TLS_RECORD ((size_t)16 << 10)

struct mqtt_link {
    CURL *curl;
    curl_socket_t fd;
    /* With TLS, what could not leave has to be tried again with the same length, from the
     * same place (SSL_write(3)): so it is kept here. */
    bool tls;
    char kept[TLS_RECORD];
    size_t n_kept;
};

bool mqtt_is_tls(const char *url)
{
    return !strncmp(url, "ssl://", 6) || !strncmp(url, "mqtts://", 8);
}

int mqtt_check_url(const char *url, struct err *e)
{
    bool plain = !strncmp(url, "tcp://", 6) || !strncmp(url, "mqtt://", 7);
    if (!plain && !mqtt_is_tls(url))
        return err_set(e, ERR_INVALID,
                       "could not use the broker address \"%s\": it must begin with "
                       "tcp://, or ssl:// for TLS",
                       url);
    const char *host = strstr(url, "://") + 3;
    if (memchr(host, '@', strcspn(host, "/?#")))
        return err_set(e, ERR_INVALID,
                       "user and password do not belong into the broker's address: they "
                       "have settings of their own");
    return 0;
}

/* The address as libcurl reads it; owned. */
static char *as_http(const char *url)
{
    bool tls = mqtt_is_tls(url);
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t n = strcspn(host, "/?#");
    const char *after = *host == '[' ? memchr(host, ']', n) : host;
    bool port = after && memchr(after, ':', n - (size_t)(after - host));
    return xasprintf("%s://%.*s%s/", tls ? "https" : "http", (int)n, host,
                     port  ? ""
                     : tls ? ":8883"
                           : ":1883");
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct mqtt_link_opts *o = arg;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return o->give_up && o->give_up(o->arg);
}

static void set_options(CURL *c, const struct mqtt_link_opts *o, const char *url,
                        char *why)
{
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L); /* then it is a socket, with TLS */
    curl_easy_setopt(c, CURLOPT_BUFFERSIZE, MQTT_LINK_READ); /* what one read gives */
    curl_easy_setopt(c, CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L); /* does not wait for a name server */
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, o->timeout_ms);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, o);
    if (o->ca_file)
        curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_file);
    if (o->cert_file) {
        curl_easy_setopt(c, CURLOPT_SSLCERT, o->cert_file);
        curl_easy_setopt(c, CURLOPT_SSLKEY, o->key_file ? o->key_file : o->cert_file);
    }
}

static enum err_code kind_of(CURLcode rc)
{
    if (rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CERTPROBLEM ||
        rc == CURLE_SSL_CACERT_BADFILE)
        return ERR_INVALID;
    if (rc == CURLE_SSL_CONNECT_ERROR)
        return ERR_UPSTREAM;
    return rc == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_UNAVAILABLE;
}

struct mqtt_link *mqtt_link_open(const struct mqtt_link_opts *o, struct err *e)
{
    struct mqtt_link *l = xcalloc(1, sizeof *l);
    char why[CURL_ERROR_SIZE] = "";
    char *url = as_http(o->url);
    l->tls = mqtt_is_tls(o->url);
    l->curl = curl_easy_init();
    if (!l->curl)
        abort();
    set_options(l->curl, o, url, why);
    CURLcode rc = curl_easy_perform(l->curl);
    if (rc == CURLE_OK)
        rc = curl_easy_getinfo(l->curl, CURLINFO_ACTIVESOCKET, &l->fd);
    curl_easy_setopt(l->curl, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(l->curl, CURLOPT_NOPROGRESS, 1L);
    free(url);
    if (rc == CURLE_OK)
        return l;
    err_set(e, kind_of(rc), "%s", why[0] ? why : curl_easy_strerror(rc));
    mqtt_link_close(l);
    return NULL;
}

void mqtt_link_close(struct mqtt_link *l)
{
    if (!l)
        return;
    curl_easy_cleanup(l->curl);
    free(l);
}

static long result(CURLcode rc, size_t n, struct err *e)
{
    if (rc == CURLE_AGAIN)
        return 0;
    if (rc == CURLE_OK && n)
        return (long)n;
    return err_set(e, ERR_UNAVAILABLE,
                   rc == CURLE_OK ? "the broker ended the connection"
                                  : "the connection to the broker broke");
}

long mqtt_link_read(struct mqtt_link *l, void *p, size_t n, struct err *e)
{
    size_t got = 0;
    CURLcode rc = curl_easy_recv(l->curl, p, n, &got);
    return result(rc, got, e);
}

long mqtt_link_write(struct mqtt_link *l, const void *p, size_t n, struct err *e)
{
    size_t sent = 0;
    if (l->tls && !l->n_kept) {
        l->n_kept = n < TLS_RECORD ? n : TLS_RECORD;
        memcpy(l->kept, p, l->n_kept);
    }
    CURLcode rc = l->tls ? curl_easy_send(l->curl, l->kept, l->n_kept, &sent)
                         : curl_easy_send(l->curl, p, n, &sent);
    if (rc != CURLE_AGAIN)
        l->n_kept = 0;
    return result(rc, sent, e);
}

int64_t mqtt_link_under_way(const struct mqtt_link *l)
{
    int n = 0;
    return ioctl(l->fd, SIOCOUTQ, &n) == 0 ? n : 0;
}

int mqtt_link_fd(const struct mqtt_link *l)
{
    return l->fd;
}
