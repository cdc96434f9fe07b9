/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/plot_forecast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/reading.h"
#include "tools/svg.h"

/* px */
#define HEAD 74 /* title and legend */
#define FOOT 26
#define LEFT 62 /* labels of values */
#define ABOVE 40
#define BELOW 24
#define CELL_WIDTH 520
#define CELL_HEIGHT 250

/* ---- the grid ---- */

struct plot_grid plot_grid(size_t n)
{
    struct plot_grid g = {.n = n, .columns = n > 1 ? 2 : 1};
    size_t rows = (n + g.columns - 1) / g.columns;
    g.width = n > 1 ? 2 * CELL_WIDTH : 1.6 * CELL_WIDTH;
    g.height = HEAD + FOOT + (n > 1 ? (double)rows * CELL_HEIGHT : 1.5 * CELL_HEIGHT);
    return g;
}

struct plot_cell plot_cell(const struct plot_grid *g, size_t i)
{
    double width = g->width / (double)g->columns;
    double height = g->n > 1 ? CELL_HEIGHT : 1.5 * CELL_HEIGHT;
    size_t column = i % g->columns, row = i / g->columns;
    double x = (double)column * width, y = (double)row * height;
    return (struct plot_cell){x + LEFT, HEAD + y + ABOVE, width - LEFT - 20,
                              height - ABOVE - BELOW};
}

const char *plot_unit(const char *series, char out[96])
{
    const char *dot = strrchr(series, '.');
    const struct quantity *q = dot ? quantity_find(dot + 1) : NULL;
    *out = '\0';
    if (q && *q->symbol)
        snprintf(out, 96, "%.64s in %s", dot + 1, q->symbol);
    return out;
}

/* ---- what is kept ---- */

struct plot_series *plot_series_new(const char *name, const struct hours *h,
                                    const struct forecast *f, size_t n)
{
    struct plot_series *s = xcalloc(1, sizeof *s);
    s->name = xstrdup(name);
    s->end_s = h->start_s + ((int64_t)h->n - 1) * 3600;
    s->n_past = h->n < PLOT_PAST_MAX ? h->n : PLOT_PAST_MAX;
    s->n = n;
    memcpy(s->past, h->y + h->n - s->n_past, s->n_past * sizeof *s->past);
    memcpy(s->f, f, n * sizeof *f);
    return s;
}

void plot_series_free(struct plot_series *s)
{
    if (s)
        free(s->name);
    free(s);
}

void plot_add(struct plot *p, struct plot_series *s)
{
    p->all++;
    if (p->n == PLOT_PANELS)
        plot_series_free(s);
    else
        p->s[p->n++] = s;
}

void plot_done(struct plot *p)
{
    for (size_t i = 0; i < p->n; i++)
        plot_series_free(p->s[i]);
    p->n = 0;
}

/* ---- one panel ---- */

static void widen(double y, double *low, double *high)
{
    if (isfinite(y)) {
        *low = fmin(*low, y);
        *high = fmax(*high, y);
    }
}

/* All of what was measured and forecast; of the band no more than three times that: one
 * that runs away must not press everything else flat. */
static void range(const struct plot_series *s, struct svg_panel *p)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < s->n_past; i++)
        widen(s->past[i], &low, &high);
    for (size_t k = 0; k < s->n; k++)
        widen(s->f[k].yhat, &low, &high);
    double span = high - low, bottom = low, top = high;
    for (size_t k = 0; k < s->n; k++) {
        widen(s->f[k].lower, &low, &high);
        widen(s->f[k].upper, &low, &high);
    }
    p->bottom = fmax(low, bottom - span);
    p->top = fmin(high, top + span);
    double room =
        p->top > p->bottom ? 0.05 * (p->top - p->bottom) : fmax(fabs(p->top) * 0.1, 1);
    p->bottom -= room;
    p->top += room;
}

/* The line goes on from the last hour measured; so does the band, which is nothing there.
 */
static void curves(struct svg *svg, const struct svg_panel *p,
                   const struct plot_series *s, double origin, double hour)
{
    double x[PLOT_PAST_MAX], y[HORIZON_MAX + 1], lower[HORIZON_MAX + 1],
        upper[HORIZON_MAX + 1];
    y[0] = lower[0] = upper[0] = s->past[s->n_past - 1];
    x[0] = origin;
    for (size_t k = 0; k < s->n; k++) {
        x[k + 1] = origin + (double)(k + 1) * hour;
        y[k + 1] = s->f[k].yhat;
        lower[k + 1] = s->f[k].lower;
        upper[k + 1] = s->f[k].upper;
    }
    svg_band(svg, p, s->n + 1, x, lower, upper);
    svg_mark(svg, p, origin);
    svg_curve(svg, p, SVG_FORECAST, s->n + 1, x, y);
    for (size_t i = 0; i < s->n_past; i++)
        x[i] = origin - (double)(s->n_past - 1 - i) * hour;
    svg_curve(svg, p, SVG_MEASURED, s->n_past, x, s->past);
}

static void panel(struct svg *svg, const struct plot *plot, const struct plot_cell *c,
                  const struct plot_series *s)
{
    struct svg_panel p = {.x = c->x, .y = c->y, .width = c->width, .height = c->height};
    struct axis x, y;
    char unit[96];
    double hour = plot->no_times ? 1 : 3600;
    double origin = plot->no_times ? 0 : (double)s->end_s;
    size_t past = s->n_past < 24 ? 24 : s->n_past;
    p.left = origin - (double)past * hour;
    p.right = origin + (double)s->n * hour;
    range(s, &p);
    size_t ticks = (size_t)(c->width / 58);
    if (plot->no_times)
        axis_hours(p.left, p.right, ticks, &x);
    else
        axis_times(p.left, p.right, ticks, &x);
    axis_values(p.bottom, p.top, (size_t)(c->height / 32), &y);
    svg_text(svg, c->x, c->y - 22, "start", 13, 1, (size_t)(c->width / 8), s->name);
    svg_text(svg, c->x, c->y - 7, "start", 11, 0, 96, plot_unit(s->name, unit));
    svg_panel_begin(svg, &p, &x, &y);
    curves(svg, &p, s, origin, hour);
    svg_panel_end(svg);
}

/* ---- the chart ---- */

static void head_and_foot(struct svg *svg, const struct plot *p,
                          const struct plot_grid *g)
{
    char text[120];
    svg_text(svg, 20, 30, "start", 17, 1, 100, "Forecast");
    double x = svg_legend(svg, 20, 54, SVG_MEASURED, "measured");
    x = svg_legend(svg, x, 54, SVG_FORECAST, "forecast");
    snprintf(text, sizeof text, "%g %% of hours are to lie in here", p->level * 100);
    svg_legend_band(svg, x, 54, text);
    svg_text(svg, g->width - 20, g->height - 10, "end", 11, 0, 100,
             p->no_times ? "hours after the last one measured" : "times are UTC");
    if (p->all > p->n) {
        snprintf(text, sizeof text, "the first %zu of %zu series", p->n, p->all);
        svg_text(svg, 20, g->height - 10, "start", 11, 0, 100, text);
    }
}

int plot_write(const struct plot *p, const char *path, struct err *e)
{
    struct plot_grid g = plot_grid(p->n);
    struct svg svg;
    if (svg_open(&svg, path, g.width, g.height, "Forecast", e))
        return -1;
    head_and_foot(&svg, p, &g);
    for (size_t i = 0; i < p->n; i++) {
        struct plot_cell c = plot_cell(&g, i);
        panel(&svg, p, &c, p->s[i]);
    }
    return svg_close(&svg, e);
}
