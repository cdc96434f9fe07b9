/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/metrics.h"

#include <math.h>
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum kind { COUNTER, GAUGE, HISTOGRAM };
static const char *const kind_names[] = {"counter", "gauge", "histogram"};

struct metric {
    struct metric *next;
    char *labels; /* rendered, with service first; owned */
    _Atomic double value;
    const double *bounds;
    unsigned n_bounds;
    atomic_uint_fast64_t *buckets; /* n_bounds + 1, not cumulative; owned */
};

struct family {
    struct family *next;
    char *name, *help;
    enum kind kind;
    unsigned n;
    struct metric *first, *last; /* in the order they came, which is that of the text */
    void *by_labels;             /* the same as a tree, tsearch(3) */
};

struct metrics {
    pthread_mutex_t lock; /* families and their samples; the values are atomic */
    const char *service;
    struct family *first, *last;
    struct {
        void (*fn)(void *);
        void *arg;
    } hooks[16];
    unsigned n_hooks;
    struct {
        void (*fn)(void *, const char *, struct buf *);
        void *arg;
    } texts[4];
    unsigned n_texts;
};

const double metrics_seconds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                  0.1,    0.25,  0.5,    1,     2.5,  5};
const unsigned metrics_seconds_n = sizeof metrics_seconds / sizeof *metrics_seconds;

struct metrics *metrics_new(const char *service)
{
    struct metrics *m = xcalloc(1, sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    m->service = service;
    return m;
}

static int by_labels(const void *a, const void *b)
{
    return strcmp(((const struct metric *)a)->labels, ((const struct metric *)b)->labels);
}

static void metric_free(struct metric *s)
{
    free(s->labels);
    free(s->buckets);
    free(s);
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    for (struct family *f = m->first, *nf; f; f = nf) {
        nf = f->next;
        for (struct metric *s = f->first, *ns; s; s = ns) {
            ns = s->next;
            tdelete(s, &f->by_labels, by_labels);
            metric_free(s);
        }
        free(f->name);
        free(f->help);
        free(f);
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static struct family *family_get(struct metrics *m, enum kind kind, const char *name,
                                 const char *help)
{
    for (struct family *f = m->first; f; f = f->next)
        if (!strcmp(f->name, name))
            return f;
    struct family *f = xcalloc(1, sizeof *f);
    f->name = xstrdup(name);
    f->help = xstrdup(help);
    f->kind = kind;
    *(m->last ? &m->last->next : &m->first) = f;
    m->last = f;
    return f;
}

/* Every label value replaced by "other"; keys stay. */
static char *other_labels(const char *labels)
{
    struct buf b;
    buf_init(&b, 4096);
    while (*labels) {
        const char *eq = strstr(labels, "=\"");
        if (!eq)
            break;
        buf_addf(&b, "%s%.*s=\"other\"", b.len ? "," : "", (int)(eq - labels), labels);
        for (labels = eq + 2; *labels && *labels != '"'; labels++)
            if (*labels == '\\' && labels[1])
                labels++;
        labels += *labels == '"';
        labels += *labels == ',';
    }
    return buf_take(&b, NULL);
}

static struct metric *sample_find(const struct family *f, char *labels)
{
    struct metric key = {.labels = labels};
    struct metric *const *node = tfind(&key, &f->by_labels, by_labels);
    return node ? *node : NULL;
}

static void sample_add(struct family *f, struct metric *s)
{
    xtsearch(s, &f->by_labels, by_labels);
    *(f->last ? &f->last->next : &f->first) = s;
    f->last = s;
    f->n++;
}

static struct metric *sample_get(struct metrics *m, enum kind kind, const char *name,
                                 const char *help, const char *labels,
                                 const double *bounds, unsigned n_bounds)
{
    labels = labels ? labels : "";
    char *full = xasprintf("service=\"%s\"%s%s", m->service, *labels ? "," : "", labels);
    pthread_mutex_lock(&m->lock);
    struct family *f = family_get(m, kind, name, help);
    struct metric *s = sample_find(f, full);
    if (!s && f->n >= METRICS_MAX_SAMPLES) {
        char *cut = other_labels(full + strlen("service=\"") + strlen(m->service) + 1 +
                                 !!*labels);
        free(full);
        full = xasprintf("service=\"%s\"%s%s", m->service, *cut ? "," : "", cut);
        free(cut);
        s = sample_find(f, full);
    }
    if (s) {
        free(full);
    } else {
        s = xcalloc(1, sizeof *s);
        s->labels = full;
        s->bounds = bounds;
        s->n_bounds = n_bounds;
        if (f->kind == HISTOGRAM)
            s->buckets = xcalloc(n_bounds + 1, sizeof *s->buckets);
        sample_add(f, s);
    }
    pthread_mutex_unlock(&m->lock);
    return s;
}

struct metric *metric_counter(struct metrics *m, const char *name, const char *help,
                              const char *labels)
{
    return sample_get(m, COUNTER, name, help, labels, NULL, 0);
}

struct metric *metric_gauge(struct metrics *m, const char *name, const char *help,
                            const char *labels)
{
    return sample_get(m, GAUGE, name, help, labels, NULL, 0);
}

struct metric *metric_histogram(struct metrics *m, const char *name, const char *help,
                                const char *labels, const double *bounds, unsigned n)
{
    return sample_get(m, HISTOGRAM, name, help, labels, bounds, n);
}

static bool drop_from(struct family *f, struct metric *s)
{
    struct metric *before = NULL;
    for (struct metric *p = f->first; p; before = p, p = p->next) {
        if (p != s)
            continue;
        tdelete(s, &f->by_labels, by_labels);
        *(before ? &before->next : &f->first) = s->next;
        if (f->last == s)
            f->last = before;
        f->n--;
        return true;
    }
    return false;
}

void metric_drop(struct metrics *m, struct metric *s)
{
    bool found = false;
    pthread_mutex_lock(&m->lock);
    if (!strstr(s->labels, "=\"other\""))
        for (struct family *f = m->first; f && !found; f = f->next)
            found = drop_from(f, s);
    pthread_mutex_unlock(&m->lock);
    if (found)
        metric_free(s);
}

void metric_add(struct metric *s, double x)
{
    double old = atomic_load_explicit(&s->value, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(
        &s->value, &old, old + x, memory_order_relaxed, memory_order_relaxed))
        ;
}

void metric_set(struct metric *s, double x)
{
    atomic_store_explicit(&s->value, x, memory_order_relaxed);
}

void metric_observe(struct metric *s, double x)
{
    unsigned i = 0;
    while (i < s->n_bounds && x > s->bounds[i])
        i++;
    atomic_fetch_add_explicit(&s->buckets[i], 1, memory_order_relaxed);
    metric_add(s, x); /* a histogram's value is its sum */
}

double metric_value(const struct metric *s)
{
    if (!s->buckets)
        return atomic_load_explicit(&s->value, memory_order_relaxed);
    uint64_t n = 0;
    for (unsigned i = 0; i <= s->n_bounds; i++)
        n += atomic_load_explicit(&s->buckets[i], memory_order_relaxed);
    return (double)n;
}

void metrics_on_render(struct metrics *m, void (*fn)(void *arg), void *arg)
{
    if (m->n_hooks == sizeof m->hooks / sizeof *m->hooks)
        abort(); /* a fault of the program, found by its first test */
    m->hooks[m->n_hooks].fn = fn;
    m->hooks[m->n_hooks++].arg = arg;
}

void metrics_on_text(struct metrics *m,
                     void (*fn)(void *arg, const char *service, struct buf *out),
                     void *arg)
{
    if (m->n_texts == sizeof m->texts / sizeof *m->texts)
        abort(); /* as above */
    m->texts[m->n_texts].fn = fn;
    m->texts[m->n_texts++].arg = arg;
}

static void add_escaped(struct buf *b, const char *s, const char *which)
{
    for (; *s; s++)
        if (*s == '\n')
            buf_adds(b, "\\n");
        else if (strchr(which, *s))
            buf_addf(b, "\\%c", *s);
        else
            buf_addc(b, *s);
}

void metrics_label(struct buf *b, const char *key, const char *value)
{
    buf_addf(b, "%s%s=\"", b->len ? "," : "", key);
    add_escaped(b, value, "\\\"");
    buf_addc(b, '"');
}

static void add_value(struct buf *out, double x)
{
    if (isnan(x))
        buf_adds(out, "NaN\n");
    else if (isinf(x))
        buf_adds(out, x > 0 ? "+Inf\n" : "-Inf\n");
    else {
        buf_add_real(out, x);
        buf_addc(out, '\n');
    }
}

static void render_histogram(struct buf *out, const char *name, const struct metric *s)
{
    uint64_t n = 0;
    for (unsigned i = 0; i <= s->n_bounds; i++) {
        n += atomic_load_explicit(&s->buckets[i], memory_order_relaxed);
        buf_addf(out, "%s_bucket{%s,le=\"", name, s->labels);
        if (i < s->n_bounds)
            buf_addf(out, "%g", s->bounds[i]);
        else
            buf_adds(out, "+Inf");
        buf_addf(out, "\"} %llu\n", (unsigned long long)n);
    }
    buf_addf(out, "%s_sum{%s} ", name, s->labels);
    add_value(out, atomic_load_explicit(&s->value, memory_order_relaxed));
    buf_addf(out, "%s_count{%s} %llu\n", name, s->labels, (unsigned long long)n);
}

void metrics_render(struct metrics *m, struct buf *out)
{
    for (unsigned i = 0; i < m->n_hooks; i++)
        m->hooks[i].fn(m->hooks[i].arg);
    pthread_mutex_lock(&m->lock);
    for (const struct family *f = m->first; f; f = f->next) {
        buf_addf(out, "# HELP %s ", f->name);
        add_escaped(out, f->help, "\\");
        buf_addf(out, "\n# TYPE %s %s\n", f->name, kind_names[f->kind]);
        for (const struct metric *s = f->first; s; s = s->next) {
            if (f->kind == HISTOGRAM) {
                render_histogram(out, f->name, s);
                continue;
            }
            buf_addf(out, "%s{%s} ", f->name, s->labels);
            add_value(out, metric_value(s));
        }
    }
    pthread_mutex_unlock(&m->lock);
    for (unsigned i = 0; i < m->n_texts; i++)
        m->texts[i].fn(m->texts[i].arg, m->service, out);
}
