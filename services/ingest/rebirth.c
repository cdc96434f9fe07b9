/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/rebirth.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"

struct node {
    char id[RAW_DEVICE_MAX + 1]; /* first: what is compared */
    int seq;                     /* of its newest message; -1: none yet */
    bool due;
    bool asked;
    int64_t asked_ms, pause_ms; /* to the next time */
    struct node *next;
};

struct rebirth {
    pthread_mutex_t lock;
    void *tree;        /* of nodes, by id */
    struct node *list; /* all; owned */
    size_t n, n_due;
    struct log_often too_many;
    struct metric *asked, *gaps;
};

struct rebirth *rebirth_new(struct metrics *m)
{
    struct rebirth *r = xcalloc(1, sizeof *r);
    pthread_mutex_init(&r->lock, NULL);
    r->asked = metric_counter(m, "fieldcast_ingest_sparkplug_rebirths_total",
                              "Births that edge nodes were asked for.", NULL);
    r->gaps = metric_counter(m, "fieldcast_ingest_sparkplug_gaps_total",
                             "Messages before which another was missing.", NULL);
    return r;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void nothing(void *node)
{
    (void)node;
}

void rebirth_free(struct rebirth *r)
{
    if (!r)
        return;
    tdestroy(r->tree, nothing);
    while (r->list) {
        struct node *n = r->list;
        r->list = n->next;
        free(n);
    }
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static struct node *find(struct rebirth *r, const char *id)
{
    struct node **at = tfind(id, &r->tree, compare);
    if (at)
        return *at;
    if (r->n == REBIRTH_NODES) {
        log_often(&r->too_many, LOG_WARN,
                  "more than %d Sparkplug edge nodes: %s is never asked for its birth",
                  REBIRTH_NODES, id);
        return NULL;
    }
    struct node *n = xcalloc(1, sizeof *n);
    strcpy(n->id, id);
    n->seq = -1;
    n->next = r->list;
    r->list = n;
    r->n++;
    xtsearch(n, &r->tree, compare);
    return n;
}

static void set_due(struct rebirth *r, struct node *n, bool due)
{
    r->n_due += (size_t)due - (size_t)n->due;
    n->due = due;
}

static void note(struct rebirth *r, struct node *n, const struct edge_note *of,
                 bool again)
{
    if (of->birth && !of->lost) {
        n->seq = of->seq;
        set_due(r, n, false);
        return;
    }
    if (of->lost)
        set_due(r, n, true);
    if (of->seq < 0 || again)
        return;
    if (n->seq < 0) {
        set_due(r, n, true);
    } else if (of->seq != (n->seq + 1) % 256) {
        metric_add(r->gaps, 1);
        set_due(r, n, true);
    }
    n->seq = of->seq;
}

void rebirth_note(struct rebirth *r, const struct edge_note *of, bool again)
{
    if (!of->id[0])
        return;
    pthread_mutex_lock(&r->lock);
    struct node *n = find(r, of->id);
    if (n)
        note(r, n, of, again);
    pthread_mutex_unlock(&r->lock);
}

/* The next one from n on that may be asked now. */
static struct node *next_due(struct node *n, int64_t now_ms)
{
    while (n && (!n->due || (n->asked && now_ms - n->asked_ms < n->pause_ms)))
        n = n->next;
    return n;
}

/* The pause doubles while asking does not help. */
static void was_asked(struct node *n, int64_t now_ms)
{
    bool helped = !n->asked || now_ms - n->asked_ms > 2 * n->pause_ms;
    n->pause_ms = helped ? REBIRTH_PAUSE_MS : 2 * n->pause_ms;
    if (n->pause_ms > REBIRTH_PAUSE_MOST_MS)
        n->pause_ms = REBIRTH_PAUSE_MOST_MS;
    n->asked = true;
    n->asked_ms = now_ms;
}

/* Nodes are never freed before the end, and new ones come in front: so the list can be
 * walked while the lock is open for asking. */
void rebirth_ask(struct rebirth *r, int64_t now_ms,
                 int (*ask)(void *arg, const char *edge), void *arg)
{
    pthread_mutex_lock(&r->lock);
    struct node *n = r->n_due ? next_due(r->list, now_ms) : NULL;
    for (int i = 0; n && i < REBIRTH_AT_ONCE; i++) {
        set_due(r, n, false);
        pthread_mutex_unlock(&r->lock);
        int rc = ask(arg, n->id);
        pthread_mutex_lock(&r->lock);
        if (rc) {
            set_due(r, n, true);
        } else {
            was_asked(n, now_ms);
            metric_add(r->asked, 1);
        }
        n = next_due(n->next, now_ms);
    }
    pthread_mutex_unlock(&r->lock);
}
