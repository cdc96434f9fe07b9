/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest_candidates: every method on every series of a file, several at a time, and
 * over all of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/ml/train.h"
#include "common/plain.h"
#include "common/utf8.h"
#include "tools/backtest_rows.h"
#include "tools/backtest_work.h"
#include "tools/output.h"
#include "tools/parallel.h"
#include "tools/progress.h"

#define FEW 10 /* series: each gets a table */
#define REPORT_BYTES (1u << 20)

struct run {
    const struct backtest_opts *o;
    struct series *in;
    FILE *rows, *table; /* table NULL: none is wanted */
    struct totals totals;
    struct plots plots;
    struct progress progress;
    struct output output;
};

/* A series, and what came of it. */
struct item {
    struct input_series s;
    struct tracks all;
    struct outcome out;
};

static int take(void *arg, void **item, struct err *e)
{
    struct run *r = arg;
    if (output_check(&r->output, e))
        return -1;
    struct item *it = xcalloc(1, sizeof *it);
    int got = series_next(r->in, &it->s, e);
    if (got == 1)
        *item = it;
    else
        free(it);
    return got;
}

static void drop(void *item)
{
    struct item *it = item;
    tracks_done(&it->all);
    input_series_done(&it->s);
    free(it);
}

static int work(void *arg, void *item, struct buf *b, struct err *e)
{
    const struct run *r = arg;
    struct item *it = item;
    hours_trim(&it->s.h);
    if (r->o->holdout)
        backtest_holdout(r->o, it->s.name, &it->s.h, &it->all);
    else
        backtest_rolling(r->o, it->s.name, &it->s.h, &it->all);
    outcome_make(&it->out, r->o, &it->s, &it->all);
    if (!r->rows)
        tracks_done(&it->all);
    if (r->o->format == BACKTEST_JSON)
        report_series_json(b, r->o, &it->out);
    else
        report_series(b, r->o, &it->out);
    return b->full ? err_set(e, ERR_TOO_LARGE, "its report has more than %u bytes",
                             REPORT_BYTES)
                   : 0;
}

/* ---- telling ---- */

static void write_rows(const struct run *r, const struct item *it)
{
    const struct tracks *all = &it->all;
    for (size_t m = 0; r->rows && m < method_count(r->o); m++)
        for (size_t i = 0; all->t[m].yhat && i < all->n_origins; i++)
            for (size_t k = 0; k < all->leads; k++) {
                size_t at = i * all->leads + k;
                int64_t origin_s = it->s.h.start_s + (int64_t)all->origin[i] * 3600;
                if (isfinite(all->t[m].yhat[at]))
                    rows_put(r->rows, it->s.name, method_name(r->o, m), origin_s, k + 1,
                             all->t[m].yhat[at], all->y[at]);
            }
}

/* A table for each series only where these are few, or asked for. */
static bool wants_table(const struct run *r, size_t i)
{
    return r->o->all || series_count(r->in) <= FEW ? r->o->all || i < FEW : false;
}

static void tell(void *arg, size_t i, void *item, const struct buf *b,
                 const struct err *e)
{
    struct run *r = arg;
    const struct item *it = item;
    totals_add(&r->totals, &it->out);
    if (r->o->plot)
        plots_add(&r->plots, &it->out);
    write_rows(r, it);
    if (e->code) {
        fputs("fieldcast backtest: ", stderr);
        plain_put(stderr, it->s.name);
        fprintf(stderr, ": %s\n", e->text);
    } else if (r->o->format == BACKTEST_JSON) {
        fprintf(r->table, "%s%s", i ? ",\n" : "", b->data);
    } else if (r->table && wants_table(r, i)) {
        fwrite(b->data, 1, b->len, r->table);
    }
    output_flush(&r->output);
    progress_if_long(&r->progress, i + 1, clock_mono_ms());
}

static void begin_json(const struct run *r)
{
    const struct backtest_opts *o = r->o;
    fprintf(r->table, "{\"candidates_version\":\"%s\",\"level\":%g,", TRAIN_CANDIDATES,
            o->level / 100);
    if (o->holdout)
        fprintf(r->table, "\"holdout\":%lld,", (long long)o->holdout);
    else
        fprintf(r->table, "\"horizon\":%lld,", (long long)o->horizon);
    fputs("\"series\":[", r->table);
}

static void end(struct run *r)
{
    if (r->o->format == BACKTEST_JSON) {
        fputs("],\n", r->table);
        report_totals_json(r->table, r->o, &r->totals);
        fputs("}\n", r->table);
    } else if (r->table && r->totals.n > 1) {
        if (!wants_table(r, r->totals.n - 1) && !series_count(r->in))
            fprintf(r->table, "… and %zu more series\n\n", r->totals.n - FEW);
        report_totals(r->table, r->o, &r->totals);
    }
}

int backtest_candidates(const struct backtest_opts *o, struct err *e)
{
    static const struct parallel_items how = {take, work, tell, drop};
    struct run r = {.o = o};
    int64_t begun_ms = clock_mono_ms();
    int rc = -1;
    r.in = series_open(&o->file, false, e);
    if (!r.in || rows_open(o->rows, &r.rows, e))
        goto out;
    /* two tables must not mix */
    r.table = o->format == BACKTEST_CSV ? NULL : r.rows == stdout ? stderr : stdout;
    progress_init(&r.progress, "backtest", "series", series_count(r.in), begun_ms);
    if (o->format == BACKTEST_JSON)
        begin_json(&r);
    output_flush(&r.output);
    rc = parallel_items((size_t)o->threads, REPORT_BYTES, &how, &r, e);
    if (r.progress.drawn)
        progress_end(&r.progress, r.totals.n, clock_mono_ms());
    if (!rc && !r.totals.n)
        rc = err_set(e, ERR_INVALID, "%.100s holds no series", input_file_name(&o->file));
    end(&r);
    rc = rc ? rc : output_end(&r.output, e);
    if (!rc && r.totals.none == r.totals.n)
        rc = err_set(e, ERR_INVALID, "no series of %.100s could be scored",
                     input_file_name(&o->file));
    if (!rc && r.plots.n)
        rc = plots_write(&r.plots, o, &r.totals, e);
    plots_done(&r.plots);
    struct err closing = ERR_INIT;
    if (rows_close(r.rows, o->rows, &closing) && !rc) {
        *e = closing;
        rc = -1;
    }
out:
    series_close(r.in);
    return rc;
}
