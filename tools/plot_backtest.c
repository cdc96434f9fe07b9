/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot_backtest: errors by hours ahead: over all series, then of each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tools/backtest_work.h"
#include "tools/plot_forecast.h"
#include "tools/svg.h"

/* A series of which something is known is kept for its panel. */
void plots_add(struct plots *p, const struct outcome *out)
{
    if (!(out->q > 0) || !out->f[METHOD_CHOSEN].known)
        return;
    p->all++;
    if (p->n == PLOT_PANELS)
        return;
    struct plotted *one = p->s[p->n++] = xcalloc(1, sizeof *one);
    one->name = xstrdup(out->name);
    memcpy(one->f, out->f, sizeof one->f);
    for (size_t m = 0; m < N_METHODS; m++)
        for (size_t k = 0; k < out->leads; k++)
            one->f[m].lead_mae[k] /= out->q;
}

void plots_done(struct plots *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->s[i]->name);
        free(p->s[i]);
    }
    *p = (struct plots){0};
}

/* ---- one panel ---- */

/* Of those that were scored on as many series as any. */
static size_t best_single(const struct figures *f)
{
    size_t best = n_candidates_alone, most = 0;
    for (size_t c = 0; c < n_candidates_alone; c++)
        most = f[c].known && f[c].s.n > most ? f[c].s.n : most;
    for (size_t c = 0; c < n_candidates_alone; c++)
        if (f[c].known && f[c].s.n == most &&
            (best == n_candidates_alone || f[c].mase < f[best].mase))
            best = c;
    return best;
}

static double highest(const struct figures *f, size_t leads)
{
    double top = 0;
    for (size_t k = 0; f->known && k < leads; k++)
        if (isfinite(f->lead_mae[k]))
            top = fmax(top, f->lead_mae[k]);
    return top;
}

/* Persistence may be many times as bad as the others: it is then cut. */
static double range(const struct figures *f, size_t best, size_t leads)
{
    double top = highest(&f[METHOD_CHOSEN], leads);
    if (best < n_candidates_alone)
        top = fmax(top, highest(&f[best], leads));
    top = fmax(top, highest(&f[SEASONAL_NAIVE], leads));
    top = fmax(top, fmin(highest(&f[PERSISTENCE], leads), 2 * top));
    return top > 0 ? 1.06 * top : 1;
}

static void draw(struct svg *svg, const struct svg_panel *p, const struct figures *f,
                 enum svg_class c, size_t leads)
{
    double x[HORIZON_MAX];
    for (size_t k = 0; k < leads; k++)
        x[k] = (double)(k + 1);
    if (f->known)
        svg_curve(svg, p, c, leads, x, f->lead_mae);
}

static void panel(struct svg *svg, const struct plot_cell *c, const char *name,
                  const struct figures *f, size_t leads)
{
    struct svg_panel p = {.x = c->x, .y = c->y, .width = c->width, .height = c->height};
    struct axis x, y;
    char text[160] = "";
    size_t best = best_single(f);
    p.right = (double)leads + 0.5;
    p.top = range(f, best, leads);
    axis_hours(p.left, p.right, (size_t)(c->width / 36), &x);
    axis_values(p.bottom, p.top, (size_t)(c->height / 30), &y);
    if (best < n_candidates_alone)
        snprintf(text, sizeof text, "chosen %.3f; best single one: %s %.3f",
                 f[METHOD_CHOSEN].mase, candidates[best].name, f[best].mase);
    svg_text(svg, c->x, c->y - 22, "start", 13, 1, (size_t)(c->width / 8), name);
    svg_text(svg, c->x, c->y - 7, "start", 11, 0, sizeof text, text);
    svg_panel_begin(svg, &p, &x, &y);
    for (size_t m = 0; m < n_candidates_alone; m++)
        if (m != best && m != PERSISTENCE && m != SEASONAL_NAIVE)
            draw(svg, &p, &f[m], SVG_OTHER, leads);
    draw(svg, &p, &f[PERSISTENCE], SVG_PERSISTENCE, leads);
    draw(svg, &p, &f[SEASONAL_NAIVE], SVG_SEASONAL, leads);
    draw(svg, &p, &f[METHOD_CHOSEN], SVG_FORECAST, leads);
    if (best < n_candidates_alone)
        draw(svg, &p, &f[best], SVG_BEST, leads);
    svg_panel_end(svg);
}

/* ---- the chart ---- */

static void head_and_foot(struct svg *svg, const struct plots *p, size_t shown,
                          const struct plot_grid *g)
{
    char text[120];
    svg_text(svg, 20, 30, "start", 17, 1, 100, "Error by hours ahead");
    double x = svg_legend(svg, 20, 54, SVG_FORECAST, "chosen");
    x = svg_legend(svg, x, 54, SVG_BEST, "best single one in hindsight");
    x = svg_legend(svg, x, 54, SVG_SEASONAL, "seasonal naive, 24 h");
    x = svg_legend(svg, x, 54, SVG_PERSISTENCE, "persistence");
    svg_legend(svg, x, 54, SVG_OTHER, "other candidates");
    svg_text(
        svg, g->width - 20, g->height - 10, "end", 11, 0, 200,
        "across: hours ahead; up: MASE, 1 is the mean difference from the day before");
    if (p->all > shown) {
        snprintf(text, sizeof text, "the first %zu of %zu series", shown, p->all);
        svg_text(svg, 20, g->height - 10, "start", 11, 0, 100, text);
    }
}

int plots_write(const struct plots *p, const struct backtest_opts *o,
                const struct totals *t, struct err *e)
{
    struct svg svg;
    size_t leads = (size_t)(o->holdout ? o->holdout : o->horizon), at = 0;
    bool overall = p->all > 1;
    size_t shown = overall && p->n == PLOT_PANELS ? p->n - 1 : p->n;
    struct plot_grid g = plot_grid(shown + overall);
    if (svg_open(&svg, o->plot, g.width, g.height, "Error by hours ahead", e))
        return -1;
    head_and_foot(&svg, p, shown, &g);
    if (overall) {
        struct figures f[METHODS_MAX] = {0};
        struct plot_cell c = plot_cell(&g, at++);
        char text[60];
        for (size_t m = 0; m < N_METHODS; m++)
            totals_figures(t, m, &f[m]);
        snprintf(text, sizeof text, "all %zu series", p->all);
        panel(&svg, &c, text, f, leads);
    }
    for (size_t i = 0; i < shown; i++) {
        struct plot_cell c = plot_cell(&g, at++);
        panel(&svg, &c, p->s[i]->name, p->s[i]->f, leads);
    }
    return svg_close(&svg, e);
}
