/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/ml/relation_report.h"
#include "tools/diagnose_work.h"
#include "tools/parallel.h"

#define LAGS_MAX 45 /* pairs whose correlations at all lags JSON has: 15 kB each */

static double number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* ---- one pair ---- */

/* Over the hours from the later beginning to the earlier end. */
static json_t *relate(const struct input_series *a, const struct input_series *b,
                      size_t pairs, struct err *e)
{
    const struct hours *x = &a->h, *y = &b->h;
    int64_t from = x->start_s > y->start_s ? x->start_s : y->start_s;
    int64_t end_x = x->start_s + (int64_t)x->n * 3600;
    int64_t end_y = y->start_s + (int64_t)y->n * 3600;
    int64_t n = ((end_x < end_y ? end_x : end_y) - from) / 3600;
    if (!x->n || !y->n || n <= 0) {
        (void)err_set(e, ERR_CONFLICT, "%s and %s have no hour in common", a->name,
                      b->name);
        return NULL;
    }
    struct hours p = hours_part(x, (size_t)((from - x->start_s) / 3600), (size_t)n);
    struct hours q = hours_part(y, (size_t)((from - y->start_s) / 3600), (size_t)n);
    return relation_report(a->name, &p, b->name, &q, pairs, e);
}

/* By how much it makes the error smaller; 0: p is not below the limit, or hardly. */
static double gain(const json_t *helps, double limit)
{
    double g = number(helps, "gain");
    return number(helps, "p") < limit && g >= RELATION_MIN_GAIN ? g : 0;
}

/* Is the other direction the one to tell? */
static bool helped_more(const json_t *j, size_t pairs)
{
    const double limit[] = {RELATION_HELPS_P(pairs), RELATION_ALPHA};
    for (size_t i = 0; i < 2; i++) {
        double helps = gain(json_object_get(j, "helps"), limit[i]);
        double helped = gain(json_object_get(j, "helped"), limit[i]);
        if (helps > 0 || helped > 0)
            return helped > helps;
    }
    return false;
}

static void judge(const struct diagnose_pairs *all, struct diagnose_pair *p,
                  const json_t *j)
{
    const json_t *helps = json_object_get(j, "helps");
    double p_best = number(j, "best_p");
    p->strength = fmax(fabs(number(j, "best_correlation")), 0); /* not NaN */
    if (json_is_true(json_object_get(j, "predicts"))) {
        p->found = FOUND_PREDICTS;
        p->strength = number(helps, "gain");
    } else if (p_best < RELATION_TOGETHER_P(all->n))
        p->found = FOUND_TOGETHER;
    else
        p->found = gain(helps, RELATION_ALPHA) > 0 || p_best < RELATION_ALPHA
                       ? FOUND_DOUBTFUL
                       : FOUND_NOTHING;
}

/* What is kept of it: memory for a hundred thousand of them. Owned. */
static char *kept(const struct diagnose_pairs *all, const struct diagnose_pair *p,
                  const struct input_series *target, const struct input_series *other,
                  json_t *j)
{
    struct buf b;
    size_t len;
    buf_init(&b, DIAGNOSE_BYTES);
    if (all->n > LAGS_MAX)
        json_object_del(j, "lags");
    json_object_set_new(j, "beyond_chance", json_boolean(p->found <= FOUND_TOGETHER));
    if (all->d->o->csv)
        csv_figures(&b, target->bytes, other->bytes, j);
    else if (all->d->o->json)
        json_write(&b, j);
    else
        buf_adds(&b, json_string_value(json_object_get(j, "text")));
    char *text = buf_take(&b, &len);
    buf_done(&b);
    return text;
}

static json_t *unknown(const char *target, const char *other, const char *why)
{
    return json_pack("{s:s, s:s, s:n, s:s}", "target", target, "other", other, "predicts",
                     "text", why);
}

/* A pair to compare, and its other series where that is read for it. */
struct pair_item {
    struct diagnose_pair *p;
    const struct input_series *target, *other;
    struct input_series *own; /* owned; NULL: other is one of few */
};

static int one_pair(void *arg, void *item, struct buf *out, struct err *e)
{
    const struct diagnose_pairs *all = arg;
    const struct pair_item *it = item;
    struct diagnose_pair *p = it->p;
    const struct input_series *target = it->target, *other = it->other;
    (void)out; /* they are told when all are there, the strongest first */
    json_t *j = relate(target, other, all->n, e);
    if (j && helped_more(j, all->n)) {
        size_t at = p->other;
        p->other = p->target;
        p->target = at;
        other = it->target;
        target = it->other;
        json_decref(j);
        j = relate(target, other, all->n, e);
    }
    if (j) {
        judge(all, p, j);
        all->d->any = true;
    } else {
        j = unknown(target->name, other->name, e->text);
    }
    p->text = kept(all, p, target, other, j);
    json_decref(j);
    return 0;
}

static void tell(void *arg, size_t i, void *item, const struct buf *b,
                 const struct err *e)
{
    const struct diagnose_pairs *all = arg;
    (void)item;
    (void)b;
    (void)e;
    diagnose_progress(all->d, i + 1);
}

static void drop(void *item)
{
    struct pair_item *it = item;
    if (it->own)
        diagnose_drop(it->own);
    free(it);
}

/* The next other series beside --with's, read again. */
static int take_other(struct diagnose_pairs *all, struct pair_item *it, struct err *e)
{
    struct diagnose *d = all->d;
    size_t at;
    void *s = NULL;
    do {
        if (s)
            diagnose_drop(s);
        at = d->n;
        int got = diagnose_take(d, &s, e);
        if (got != 1)
            return got;
    } while (at == d->with_at);
    if (all->taken == all->n) { /* the file has grown */
        diagnose_drop(s);
        return 0;
    }
    it->p = &all->pair[all->taken];
    *it->p = (struct diagnose_pair){d->with_at, at, FOUND_UNKNOWN, 0, NULL};
    it->target = &d->with;
    it->other = it->own = s;
    return 1;
}

static int take(void *arg, void **item, struct err *e)
{
    struct diagnose_pairs *all = arg;
    struct pair_item *it = xcalloc(1, sizeof *it);
    int got = 1;
    if (all->d->o->with) {
        got = take_other(all, it, e);
    } else if (all->taken < all->n) {
        it->p = &all->pair[all->taken];
        it->target = &all->d->few[it->p->target];
        it->other = &all->d->few[it->p->other];
    } else {
        got = 0;
    }
    all->taken += got == 1;
    if (got == 1)
        *item = it;
    else
        free(it);
    return got;
}

/* ---- which pairs ---- */

static int list(struct diagnose_pairs *all, struct err *e)
{
    size_t n = all->d->n;
    if (all->d->o->with) {
        all->n = n - 1;
        all->pair = xcalloc(n, sizeof *all->pair);
        all->d->n = 0;
        return series_rewind(all->d->in, e);
    }
    if (n > DIAGNOSE_ALL_PAIRS)
        return 0;
    all->pair = xcalloc(n * n, sizeof *all->pair);
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            all->pair[all->n++] = (struct diagnose_pair){i, k, FOUND_UNKNOWN, 0, NULL};
    return 0;
}

/* The strongest first, of equals the earlier in the file. */
static int stronger(const void *x, const void *y)
{
    const struct diagnose_pair *a = x, *b = y;
    if (a->found != b->found)
        return a->found < b->found ? -1 : 1;
    if (a->strength != b->strength)
        return a->strength > b->strength ? -1 : 1;
    size_t i = a->target < a->other ? a->target : a->other;
    size_t k = b->target < b->other ? b->target : b->other;
    if (i != k)
        return i < k ? -1 : 1;
    i = a->target + a->other;
    k = b->target + b->other;
    return i < k ? -1 : i > k;
}

int diagnose_pairs(struct diagnose *d, struct err *e)
{
    static const struct parallel_items how = {take, one_pair, tell, drop};
    struct diagnose_pairs all = {.d = d};
    int rc = list(&all, e);
    progress_init(&d->progress, "diagnose", "pairs", all.n, clock_mono_ms());
    if (!rc && all.n)
        rc = parallel_items((size_t)d->o->threads, 1, &how, &all, e);
    if (d->progress.drawn)
        progress_end(&d->progress, all.n, clock_mono_ms());
    if (!rc) {
        all.n = all.taken;
        if (all.n)
            qsort(all.pair, all.n, sizeof *all.pair, stronger);
        diagnose_relations(&all);
    }
    for (size_t i = 0; i < all.taken; i++)
        free(all.pair[i].text);
    free(all.pair);
    return rc;
}
