/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/relation_report.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/ml/cross_correlation.h"
#include "common/ml/design.h"
#include "common/ml/granger.h"
#include "common/ml/pvalue.h"

#define TEXT_MAX 1024

/* The target's own past is given its due: the last hours and the day before. The other's
 * last day is what is asked about, its last half day hour by hour: a lead of half a day
 * is found as well as one of an hour. */
static const int own_lags[] = {1, 2, 3, 23, 24, 25};
static const int other_lags[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 18, 24};
#define DAY_MEANS 24 /* what taking off the daily cycle fits */
#define N_OWN (sizeof own_lags / sizeof *own_lags)
#define N_OTHER (sizeof other_lags / sizeof *other_lags)

struct relation {
    const char *target, *other;
    double helps_p, together_p;     /* p counts below */
    struct cross_lag now;           /* the same hour, with the daily cycle in it */
    struct cross_correlation plain; /* without */
    struct granger helps, helped;
    bool helps_known, helped_known;
};

static bool is_help(const struct relation *r, bool known, const struct granger *g)
{
    return known && g->p < r->helps_p && g->gain >= RELATION_MIN_GAIN;
}

static json_t *granger_json(bool known, const struct granger *g)
{
    if (!known)
        return json_null();
    json_t *o = json_pack("{s:I, s:o, s:o, s:I, s:I}", "rows", (json_int_t)g->rows, "f",
                          json_number(g->f), "p", json_number(g->p), "df1",
                          (json_int_t)g->added, "df2", (json_int_t)g->df);
    json_object_set_new(o, "gain", json_number(g->gain));
    json_object_set_new(o, "r2_own", json_number(g->r2_own));
    json_object_set_new(o, "r2_both", json_number(g->r2_both));
    return o;
}

static json_t *lags_json(const struct cross_correlation *c)
{
    json_t *a = json_array();
    for (size_t i = 0; i < CROSS_N; i++) {
        const struct cross_lag *l = &c->at[i];
        json_array_append_new(
            a, json_pack("{s:i, s:I, s:o, s:o, s:o, s:o, s:o}", "lag", l->lag, "n",
                         (json_int_t)l->n, "n_eff", json_number(l->n_eff), "r",
                         json_number(l->r), "p", json_number(l->p), "lower",
                         json_number(l->lower), "upper", json_number(l->upper)));
    }
    return a;
}

/* "p = 0.026", and how far that is from counting where it would by itself. */
static void say_p(struct buf *b, double p, double limit)
{
    char text[16];
    buf_adds(b, p_text(p, text));
    if (p < RELATION_ALPHA && !(p < limit))
        buf_addf(b, ", where only p below %.2g counts", limit);
}

static void say_help(const struct relation *r, struct buf *b)
{
    char p[16];
    if (!r->helps_known) {
        buf_addf(b,
                 "whether %s helps to predict %s cannot be told: too few hours that "
                 "both have, or one of them says nothing new",
                 r->other, r->target);
        return;
    }
    p_text(r->helps.p, p);
    if (is_help(r, r->helps_known, &r->helps)) {
        buf_addf(
            b,
            "%s helps to predict %s: knowing its last day makes the typical error of "
            "the next hour %.1f %% smaller (F test, %s)%s",
            r->other, r->target, 100 * r->helps.gain, p,
            is_help(r, r->helped_known, &r->helped) ? ", and the other way round too"
                                                    : "");
    } else if (r->helps.p < r->helps_p) {
        buf_addf(b,
                 "%s hardly helps to predict %s: knowing its last day makes the typical "
                 "error of the next hour %.1f %% smaller (F test, %s)",
                 r->other, r->target, 100 * fmax(r->helps.gain, 0), p);
    } else {
        buf_addf(b,
                 "%s is not seen to help to predict %s beyond what that series' own past "
                 "says (F test, ",
                 r->other, r->target);
        say_p(b, r->helps.p, r->helps_p);
        buf_addc(b, ')');
    }
}

static void say_correlation(const struct relation *r, struct buf *b)
{
    const struct cross_lag *best = &r->plain.at[r->plain.best];
    char p[16];
    if (!(r->plain.best_p < r->together_p)) {
        buf_addf(
            b,
            "; beyond the time of day the two are not seen to move together (at best "
            "a correlation of %.2f, ",
            best->r);
        say_p(b, r->plain.best_p, r->together_p);
        buf_addc(b, ')');
        return;
    }
    p_text(r->plain.best_p, p);
    buf_addf(b, "; beyond the time of day they move %s, ",
             best->r > 0 ? "together" : "against each other");
    if (best->lag)
        buf_addf(b, "%s %d h ahead", best->lag > 0 ? r->other : r->target,
                 abs(best->lag));
    else
        buf_adds(b, "in the same hour");
    buf_addf(b, " (correlation %.2f, %s)", best->r, p);
}

static json_t *report(const struct relation *r)
{
    const struct cross_lag *best = &r->plain.at[r->plain.best], *now = &r->now;
    struct buf b;
    json_t *o = json_pack("{s:s, s:s, s:I, s:o, s:i}", "target", r->target, "other",
                          r->other, "hours_in_common", (json_int_t)now->n, "correlation",
                          json_number(now->r), "best_lag", best->lag);
    json_object_set_new(o, "best_correlation", json_number(best->r));
    json_object_set_new(o, "best_lower", json_number(best->lower));
    json_object_set_new(o, "best_upper", json_number(best->upper));
    json_object_set_new(o, "best_n_eff", json_number(best->n_eff));
    json_object_set_new(o, "best_p", json_number(r->plain.best_p));
    json_object_set_new(o, "lags", lags_json(&r->plain));
    json_object_set_new(o, "helps", granger_json(r->helps_known, &r->helps));
    json_object_set_new(o, "helped", granger_json(r->helped_known, &r->helped));
    json_object_set_new(o, "predicts",
                        json_boolean(is_help(r, r->helps_known, &r->helps)));
    buf_init(&b, TEXT_MAX);
    say_help(r, &b);
    say_correlation(r, &b);
    json_object_set_new(o, "text", json_text(b.data));
    buf_done(&b);
    return o;
}

/* x, y: a and b without their daily cycle. */
static int relate(struct relation *r, const double *a, const double *b, const double *x,
                  const double *y, size_t n, struct err *e)
{
    if (cross_correlation(x, y, n, &r->plain, e))
        return -1;
    cross_at(a, b, n, 0, &r->now);
    r->helps_known = !granger(x, y, n, own_lags, N_OWN, other_lags, N_OTHER,
                              DAY_MEANS - 1, &r->helps, NULL);
    r->helped_known = !granger(y, x, n, own_lags, N_OWN, other_lags, N_OTHER,
                               DAY_MEANS - 1, &r->helped, NULL);
    return 0;
}

static int check(const char *name, const double *y, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (fabs(y[i]) > DESIGN_VALUE_MAX)
            return err_set(e, ERR_INVALID,
                           "hour %zu of %s is %g: numbers up to %g can be used", i, name,
                           y[i], DESIGN_VALUE_MAX);
    return 0;
}

json_t *relation_report(const char *target, const struct hours *a, const char *other,
                        const struct hours *b, size_t pairs, struct err *e)
{
    struct relation r = {.target = target,
                         .other = other,
                         .helps_p = RELATION_HELPS_P(pairs),
                         .together_p = RELATION_TOGETHER_P(pairs)};
    size_t n = a->n;
    if (n < RELATION_MIN_HOURS || n > RELATION_MAX_HOURS) {
        err_set(e, ERR_CONFLICT, "%s and %s have %zu hours: %d to %d can be compared",
                target, other, n, RELATION_MIN_HOURS, RELATION_MAX_HOURS);
        return NULL;
    }
    if (check(target, a->y, n, e) || check(other, b->y, n, e))
        return NULL;
    double *x = xmalloc(n * sizeof *x), *y = xmalloc(n * sizeof *y);
    cross_without_day(a->y, n, a->zone, a->start_s, x);
    cross_without_day(b->y, n, a->zone, a->start_s, y);
    json_t *o = relate(&r, a->y, b->y, x, y, n, e) ? NULL : report(&r);
    free(x);
    free(y);
    if (!o)
        err_prefix(e, "%s and %s", target, other);
    return o;
}
