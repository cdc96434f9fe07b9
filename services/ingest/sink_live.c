/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/sink_live.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/fnv.h"
#include "common/http_client.h"
#include "common/mem.h"
#include "services/ingest/nap.h"
#include "services/ingest/reading_json.h"

#define QUEUE_BYTES (1u << 20) /* some 10,000 readings */
#define URLS_MAX 16
#define BODY_MAX 60000 /* below what a route takes */
#define TIMEOUT_MS 2000
#define LINGER_MS 5 /* readings that come together go together */
#define BACKOFF_MS 100
#define BACKOFF_MOST_MS 5000

struct sink_live {
    char *url[URLS_MAX]; /* owned */
    size_t n_urls;
    struct http_client *http;
    struct dep *dep;
    struct nap nap;
    pthread_t thread;
    pthread_mutex_t lock; /* queue */
    pthread_cond_t filled;
    bool stopping;
    /* entries one after the other: u32 size, u32 url, JSON text */
    char *queue, *sending; /* QUEUE_BYTES each, swapped; owned */
    size_t used;
    struct buf body;
    struct metric *sent, *dropped;
};

/* ---- in
 * ------------------------------------------------------------------------------------ */

static size_t choose(const struct sink_live *s, const char *device)
{
    return fnv32_text(FNV32_BASIS, device) % s->n_urls;
}

/* One entry: header, device, time, number of values, then name and value of each. */
struct entry {
    uint32_t size, url, n;
    int64_t t_ms;
    char device[DEVICE_MAX + 1];
};

void sink_live_push(struct sink_live *s, const struct reading *r, int64_t t_ms,
                    int64_t now_ms)
{
    if (now_ms - t_ms > LIVE_AGE_MS)
        return;
    size_t size = sizeof(struct entry) + r->n * sizeof *r->values;
    struct entry head = {.size = (uint32_t)size,
                         .url = (uint32_t)choose(s, r->device),
                         .n = (uint32_t)r->n,
                         .t_ms = t_ms};
    strcpy(head.device, r->device);
    pthread_mutex_lock(&s->lock);
    bool fits = s->used + size <= QUEUE_BYTES;
    if (fits) {
        memcpy(s->queue + s->used, &head, sizeof head);
        memcpy(s->queue + s->used + sizeof head, r->values, r->n * sizeof *r->values);
        if (!s->used)
            pthread_cond_signal(&s->filled);
        s->used += size;
    }
    pthread_mutex_unlock(&s->lock);
    if (!fits)
        metric_add(s->dropped, 1);
}

/* ---- out
 * ----------------------------------------------------------------------------------- */

static void add_reading(struct buf *b, const struct entry *head, const char *values)
{
    buf_addf(b, "%s{\"device\":\"%s\",\"time_ms\":%lld,\"values\":", b->len ? "," : "",
             head->device, (long long)head->t_ms);
    struct reading_value v[READING_VALUES_MAX]; /* the queue is not aligned */
    memcpy(v, values, head->n * sizeof *v);
    reading_write_values(b, v, head->n);
    buf_addc(b, '}');
}

static int post(struct sink_live *s, size_t url, unsigned n, struct err *e)
{
    struct http_answer a;
    struct buf whole;
    buf_init(&whole, BODY_MAX + 64);
    buf_addf(&whole, "{\"readings\":[");
    buf_add(&whole, s->body.data, s->body.len);
    buf_adds(&whole, "]}");
    int rc = http_request(s->http, "POST", s->url[url], "application/json", whole.data,
                          whole.len, TIMEOUT_MS, 65536, &a, e);
    buf_done(&whole);
    if (rc == 0) {
        if (a.status / 100 != 2 && a.status != 429)
            rc = err_set(e, ERR_UPSTREAM, "POST /api/v1/live answered HTTP %d", a.status);
        metric_add(a.status / 100 == 2 ? s->sent : s->dropped, n);
        http_answer_done(&a);
    } else {
        metric_add(s->dropped, n);
    }
    return rc;
}

/* Sends what is for one address, in bodies of bounded size. */
static int send_url(struct sink_live *s, size_t url, size_t used, struct err *e)
{
    unsigned n = 0;
    int rc = 0;
    buf_reset(&s->body);
    for (size_t at = 0; at < used;) {
        struct entry head;
        memcpy(&head, s->sending + at, sizeof head);
        size_t before = s->body.len;
        if (head.url == url) {
            if (n && before + head.size * 2 > BODY_MAX) {
                rc |= post(s, url, n, e);
                buf_reset(&s->body);
                n = 0;
            }
            add_reading(&s->body, &head, s->sending + at + sizeof head);
            n++;
        }
        at += head.size;
    }
    return n ? rc | post(s, url, n, e) : rc;
}

static size_t take_queue(struct sink_live *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->used && !s->stopping)
        pthread_cond_wait(&s->filled, &s->lock);
    pthread_mutex_unlock(&s->lock);
    nap_wait(&s->nap, LINGER_MS);
    pthread_mutex_lock(&s->lock);
    size_t used = s->stopping ? 0 : s->used;
    char *swap = s->queue;
    s->queue = s->sending;
    s->sending = swap;
    s->used = 0;
    pthread_mutex_unlock(&s->lock);
    return used;
}

static void *run(void *arg)
{
    struct sink_live *s = arg;
    int64_t backoff = 0;
    for (size_t used; (used = take_queue(s)) > 0;) {
        struct err e = ERR_INIT;
        int rc = 0;
        for (size_t i = 0; i < s->n_urls; i++)
            rc |= send_url(s, i, used, &e);
        if (rc == 0) {
            dep_up(s->dep);
            backoff = 0;
            continue;
        }
        dep_down(s->dep, e.text);
        backoff = backoff ? backoff * 2 : BACKOFF_MS;
        backoff = backoff < BACKOFF_MOST_MS ? backoff : BACKOFF_MOST_MS;
        if (!nap_wait(&s->nap, backoff))
            break;
    }
    return NULL;
}

/* ---- life
 * ---------------------------------------------------------------------------------- */

static int split_urls(struct sink_live *s, const char *urls, struct err *e)
{
    while (*urls) {
        size_t n = strcspn(urls, ","), len = n;
        while (len && urls[len - 1] == '/')
            len--;
        if (!len || (strncmp(urls, "http://", 7) && strncmp(urls, "https://", 8)))
            return err_set(e, ERR_INVALID,
                           "FC_LIVE_URLS: \"%.*s\" is not an http:// address", (int)n,
                           urls);
        if (s->n_urls == URLS_MAX)
            return err_set(e, ERR_INVALID, "FC_LIVE_URLS has more than %d addresses",
                           URLS_MAX);
        s->url[s->n_urls++] = xasprintf("%.*s/api/v1/live", (int)len, urls);
        urls += n + (urls[n] == ',');
    }
    return 0;
}

int sink_live_open(struct sink_live **out, const char *urls, const char *token,
                   struct dep *dep, struct metrics *m, struct err *e)
{
    *out = NULL;
    if (!*urls)
        return 0;
    struct sink_live *s = xcalloc(1, sizeof *s);
    s->dep = dep;
    s->http = http_client_new(token, NULL, NULL);
    s->queue =
        xmalloc(QUEUE_BYTES); /* touched, and so resident, only as far as it fills */
    s->sending = xmalloc(QUEUE_BYTES);
    buf_init(&s->body, 2 * BODY_MAX);
    nap_init(&s->nap);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->filled, NULL);
    s->sent = metric_counter(m, "fieldcast_ingest_live_readings_total",
                             "Readings for the predictor.", "result=\"sent\"");
    s->dropped = metric_counter(m, "fieldcast_ingest_live_readings_total",
                                "Readings for the predictor.", "result=\"dropped\"");
    s->stopping = true; /* until there is a thread to stop */
    if (split_urls(s, urls, e)) {
        sink_live_close(s);
        return -1;
    }
    s->stopping = false;
    pthread_create(&s->thread, NULL, run, s);
    *out = s;
    return 0;
}

void sink_live_close(struct sink_live *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    bool running = !s->stopping;
    s->stopping = true;
    pthread_cond_signal(&s->filled);
    pthread_mutex_unlock(&s->lock);
    nap_stop(&s->nap);
    if (running)
        pthread_join(s->thread, NULL);
    http_client_free(s->http);
    for (size_t i = 0; i < s->n_urls; i++)
        free(s->url[i]);
    free(s->queue);
    free(s->sending);
    buf_done(&s->body);
    nap_done(&s->nap);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->filled);
    free(s);
}
