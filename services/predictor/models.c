/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/models.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fnv.h"
#include "common/mem.h"
#include "common/reading.h"
#include "services/predictor/widths.h"

/* ---- versions --------------------------------------------------------------------- */

/* Pointers, and the texts behind them. */
static char **feature_names(const struct feature_spec *f)
{
    size_t n = features_of_history(f), size = n * sizeof(char *);
    char name[FEATURE_NAME_SIZE];
    for (size_t i = 0; i < n; i++)
        size += strlen(features_name(f, i, name)) + 1;
    char **names = xmalloc(size + 1), *text = (char *)(names + n);
    for (size_t i = 0; i < n; i++) {
        names[i] = text;
        text = stpcpy(text, features_name(f, i, name)) + 1;
    }
    return names;
}

static size_t hours_with_value(const struct model *m)
{
    double missing = json_number_value(json_object_get(m->metrics, "missing_hours"));
    size_t rows = m->training.rows;
    return missing > 0 && missing < (double)rows ? rows - (size_t)missing : rows;
}

struct version *version_new(int number, struct model *m)
{
    struct version *v = xcalloc(1, sizeof *v);
    atomic_init(&v->refs, 1);
    v->number = number;
    v->model = m;
    const char *dot = strchr(m->series, '.');
    const struct quantity *q = dot ? quantity_find(dot + 1) : NULL;
    if (q) { /* no humidity above 100 %, no negative concentration */
        m->lowest = q->min;
        m->highest = q->max;
    }
    v->names = feature_names(&m->features);
    v->hours = hours_with_value(m);
    /* serving reads no other training metrics, and of the drift baseline the ends */
    json_decref(m->metrics);
    m->metrics = NULL;
    if (m->n_quantiles > 2) {
        m->quantiles[1] = m->quantiles[m->n_quantiles - 1];
        m->quantiles = xrealloc(m->quantiles, 2 * sizeof *m->quantiles);
        m->n_quantiles = 2;
    }
    return v;
}

struct version *version_parse(const char *series, int number, const char *doc, size_t len,
                              struct err *e)
{
    struct model *m = model_parse(doc, len, e);
    if (m && strcmp(m->series, series)) {
        err_set(e, ERR_INVALID, "the document is of series \"%s\"", m->series);
        model_free(m);
        m = NULL;
    }
    if (!m) {
        err_prefix(e, "version %d of model %s cannot be read", number, series);
        return NULL;
    }
    return version_new(number, m);
}

struct version *version_ref(struct version *v)
{
    if (v)
        atomic_fetch_add(&v->refs, 1);
    return v;
}

void version_put(struct version *v)
{
    if (!v || atomic_fetch_sub(&v->refs, 1) != 1)
        return;
    model_free(v->model);
    free(v->names);
    free(v);
}

/* ---- what serves: a split reference count -------------------------------------------
 */

/* The word of a series holds the pointer (48 bits, all that user space has on the
 * machines we know) and, above it, how many references were handed out from the word. So
 * taking one is a single addition: there is no moment between reading the pointer and
 * counting. When the word is replaced, its count moves into the object, whose own count
 * started at BIAS and can reach zero only then. */
#define POINTER ((UINT64_C(1) << 48) - 1)
#define ONE (UINT64_C(1) << 48)
#define HANDED_HIGH                                                                      \
    0x4000 /* of 0xffff: move the count early, long before it overflows                  \
            */
#define BIAS (1LL << 40)

struct serving *serving_new(struct version *version)
{
    struct serving *v = xcalloc(1, sizeof *v);
    atomic_init(&v->refs, BIAS);
    v->version = version;
    v->origin_ms = NO_TIME;
    widths_none(&v->widths);
    return v;
}

static void count(struct serving *v, long long delta)
{
    if (atomic_fetch_add(&v->refs, delta) + delta != 0)
        return;
    version_put(v->version);
    version_put(v->by);
    free(v->note);
    free(v);
}

void serving_put(struct serving *v)
{
    if (v)
        count(v, -1);
}

static struct serving *pointer(uint64_t word)
{
    return (struct serving *)(uintptr_t)(word & POINTER);
}

/* Moves the count of the word into v, of which the caller holds a reference. */
static void settle(struct series *s, struct serving *v)
{
    uint64_t word = atomic_load(&s->serving);
    long long handed = (long long)(word >> 48);
    if (pointer(word) != v)
        return;
    count(v, handed);
    if (!atomic_compare_exchange_strong(&s->serving, &word, word & POINTER))
        count(v, -handed); /* another reader came between: it, or a later one, does it */
}

struct serving *series_serving(struct series *s)
{
    if (!pointer(atomic_load(&s->serving)))
        return NULL;
    uint64_t word = atomic_fetch_add(&s->serving, ONE);
    struct serving *v = pointer(word);
    if (v && word >> 48 >= HANDED_HIGH)
        settle(s, v);
    return v;
}

void series_serve(struct series *s, struct serving *v)
{
    uint64_t word = (uint64_t)(uintptr_t)v;
    if (word & ~POINTER)
        abort(); /* a machine with longer pointers: see POINTER */
    word = atomic_exchange(&s->serving, word);
    if (pointer(word))
        count(pointer(word), (long long)(word >> 48) - BIAS);
}

/* ---- the table ------------------------------------------------------------------------
 */

struct models {
    pthread_mutex_t lock;
    size_t max, mask;
    atomic_size_t n;
    struct series *_Atomic all;
    struct series *_Atomic *buckets; /* never grows: made for max; owned */
};

struct models *models_new(size_t series_max)
{
    struct models *m = xcalloc(1, sizeof *m);
    size_t buckets = 64;
    while (buckets < series_max)
        buckets *= 2;
    pthread_mutex_init(&m->lock, NULL);
    m->max = series_max;
    m->mask = buckets - 1;
    m->buckets = xcalloc(buckets, sizeof *m->buckets);
    return m;
}

static void series_free(struct series *s)
{
    series_serve(s, NULL);
    history_free(s->history);
    free(s->name);
    free(s->device);
    free(s);
}

void models_free(struct models *m)
{
    if (!m)
        return;
    for (struct series *s = models_all(m), *next; s; s = next) {
        next = s->all_next;
        series_free(s);
    }
    pthread_mutex_destroy(&m->lock);
    free(m->buckets);
    free(m);
}

void models_lock(struct models *m)
{
    pthread_mutex_lock(&m->lock);
}

void models_unlock(struct models *m)
{
    pthread_mutex_unlock(&m->lock);
}

static size_t hash(const char *s)
{
    uint64_t h = fnv_text(FNV_BASIS, s);
    return (size_t)(h ^ h >> 32);
}

struct series *models_find(const struct models *m, const char *name)
{
    struct series *s = atomic_load(&m->buckets[hash(name) & m->mask]);
    while (s && strcmp(s->name, name))
        s = atomic_load(&s->next);
    return s;
}

static struct series *insert(struct models *m, const char *name, const char *device)
{
    struct series *_Atomic *bucket = &m->buckets[hash(name) & m->mask];
    struct series *s = xcalloc(1, sizeof *s);
    s->name = xstrdup(name);
    s->device = xstrdup(device);
    s->quantity = s->name + strlen(device) + 1;
    s->leads_origin_ms = s->tried_ms = s->rescored_ms = s->reread_ms = NO_TIME;
    atomic_init(&s->live_ms, NO_TIME);
    s->all_next = atomic_load(&m->all);
    atomic_init(&s->next, atomic_load(bucket));
    atomic_store(bucket, s);
    atomic_store(&m->all, s);
    atomic_fetch_add(&m->n, 1);
    return s;
}

struct series *models_add(struct models *m, const char *name, struct err *e)
{
    char canonical[SERIES_MAX + 1], device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
    struct series *s = models_find(m, name);
    if (s)
        return s;
    if (series_split(name, canonical, device, quantity, e))
        return NULL;
    models_lock(m);
    s = models_find(m, canonical);
    if (!s && models_count(m) >= m->max)
        err_set(e, ERR_BUSY, "there is no room for series %s: FC_SERIES_MAX is %zu",
                canonical, m->max);
    else if (!s)
        s = insert(m, canonical, device);
    models_unlock(m);
    return s;
}

struct series *models_all(const struct models *m)
{
    return atomic_load(&((struct models *)m)->all);
}

size_t models_count(const struct models *m)
{
    return atomic_load(&((struct models *)m)->n);
}
