/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot_diagnose: the last week of a series beside what its regression says of each hour.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tools/diagnose_work.h"
#include "tools/svg.h"

#define TICK_WIDTH 58            /* px */
#define SIGMAS 1.959963984540054 /* of a normal error: 95 % lie within */

/* ---- what is kept ---- */

/* Of the coefficients in the report; one that was left out is null there and counts 0.
 * NaN where an hour it reads is missing. */
static double value(const json_t *report, const struct hours *h, size_t t)
{
    const json_t *term;
    double sum = 0;
    size_t i;
    json_array_foreach(json_object_get(report, "terms"), i, term)
    {
        const char *name = json_string_value(json_object_get(term, "name"));
        double coef = json_number_value(json_object_get(term, "coef"));
        size_t lag = 0;
        if (name && sscanf(name, "lag_%zu", &lag) == 1)
            sum += lag > t ? NAN : coef * h->y[t - lag];
        else
            sum += coef;
    }
    return sum;
}

static struct fit *fit_new(const struct input_series *s, const struct hours *filled,
                           const json_t *report)
{
    struct fit *f = xcalloc(1, sizeof *f);
    f->name = xstrdup(s->name);
    f->end_s = s->h.start_s + ((int64_t)s->h.n - 1) * 3600;
    f->n = s->h.n < PLOT_PAST_MAX ? s->h.n : PLOT_PAST_MAX;
    f->r2 = json_number_value(json_object_get(report, "r2"));
    f->se = json_number_value(json_object_get(report, "residual_se"));
    for (size_t i = 0; i < f->n; i++) {
        f->y[i] = s->h.y[s->h.n - f->n + i];
        f->yhat[i] = value(report, filled, s->h.n - f->n + i);
    }
    return f;
}

/* The regression is made once more: of so few series it costs nothing. */
void fits_add(struct diagnose *d, const struct input_series *s)
{
    struct fits *f = &d->fits;
    struct hours filled = {0};
    struct err why = ERR_INIT;
    if (!d->o->plot || f->n == PLOT_PANELS || !s->h.n)
        return;
    json_t *report = diagnose_regression(d->o, s, &filled, &why);
    if (report)
        f->s[f->n++] = fit_new(s, &filled, report);
    json_decref(report);
    hours_done(&filled);
}

void fits_done(struct fits *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->s[i]->name);
        free(f->s[i]);
    }
    f->n = 0;
}

/* ---- one panel ---- */

static void range(const struct fit *f, struct svg_panel *p)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < f->n; i++) {
        if (isfinite(f->y[i])) {
            low = fmin(low, f->y[i]);
            high = fmax(high, f->y[i]);
        }
        if (isfinite(f->yhat[i])) {
            low = fmin(low, f->yhat[i] - SIGMAS * f->se);
            high = fmax(high, f->yhat[i] + SIGMAS * f->se);
        }
    }
    double room = high > low ? 0.05 * (high - low) : fmax(fabs(high) * 0.1, 1);
    p->bottom = low - room;
    p->top = high + room;
}

static void curves(struct svg *svg, const struct svg_panel *p, const struct fit *f,
                   double last, double hour)
{
    double x[PLOT_PAST_MAX], lower[PLOT_PAST_MAX], upper[PLOT_PAST_MAX];
    for (size_t i = 0; i < f->n; i++) {
        x[i] = last - (double)(f->n - 1 - i) * hour;
        lower[i] = f->yhat[i] - SIGMAS * f->se;
        upper[i] = f->yhat[i] + SIGMAS * f->se;
    }
    svg_band(svg, p, f->n, x, lower, upper);
    svg_curve(svg, p, SVG_FORECAST, f->n, x, f->yhat);
    svg_curve(svg, p, SVG_MEASURED, f->n, x, f->y);
}

static void panel(struct svg *svg, const struct plot_cell *c, const struct fit *f,
                  bool no_times)
{
    struct svg_panel p = {.x = c->x, .y = c->y, .width = c->width, .height = c->height};
    struct axis x, y;
    char unit[96], text[160];
    double hour = no_times ? 1 : 3600, last = no_times ? 0 : (double)f->end_s;
    p.left = last - (double)(f->n < 24 ? 24 : f->n) * hour;
    p.right = last;
    range(f, &p);
    if (no_times)
        axis_hours(p.left, p.right, (size_t)(c->width / TICK_WIDTH), &x);
    else
        axis_times(p.left, p.right, (size_t)(c->width / TICK_WIDTH), &x);
    axis_values(p.bottom, p.top, (size_t)(c->height / 32), &y);
    plot_unit(f->name, unit);
    snprintf(text, sizeof text, "%s%sR² %.3f, standard error %.3g", unit,
             *unit ? "; " : "", f->r2, f->se);
    svg_text(svg, c->x, c->y - 22, "start", 13, 1, (size_t)(c->width / 8), f->name);
    svg_text(svg, c->x, c->y - 7, "start", 11, 0, sizeof text, text);
    svg_panel_begin(svg, &p, &x, &y);
    curves(svg, &p, f, last, hour);
    svg_panel_end(svg);
}

/* ---- the chart ---- */

static void head_and_foot(struct svg *svg, const struct diagnose *d,
                          const struct plot_grid *g, bool no_times)
{
    char text[120];
    svg_text(svg, 20, 30, "start", 17, 1, 100, "Each hour from those before");
    double x = svg_legend(svg, 20, 54, SVG_MEASURED, "measured");
    x = svg_legend(svg, x, 54, SVG_FORECAST, "regression on its past");
    svg_legend_band(svg, x, 54, "95 % of hours, if errors are normal");
    svg_text(svg, g->width - 20, g->height - 10, "end", 11, 0, 100,
             no_times ? "hours before the last one measured" : "times are UTC");
    if (d->n > d->fits.n) {
        snprintf(text, sizeof text, "%zu of %zu series", d->fits.n, d->n);
        svg_text(svg, 20, g->height - 10, "start", 11, 0, 100, text);
    }
}

int fits_write(const struct diagnose *d, struct err *e)
{
    struct plot_grid g = plot_grid(d->fits.n);
    struct svg svg;
    bool no_times = d->o->file.wide && !d->o->file.start;
    if (!d->fits.n) {
        fprintf(stderr,
                "fieldcast diagnose: %s is not written: there is a regression of no "
                "series\n",
                d->o->plot);
        return 0;
    }
    if (svg_open(&svg, d->o->plot, g.width, g.height, "Each hour from those before", e))
        return -1;
    head_and_foot(&svg, d, &g, no_times);
    for (size_t i = 0; i < d->fits.n; i++) {
        struct plot_cell c = plot_cell(&g, i);
        panel(&svg, &c, d->fits.s[i], no_times);
    }
    return svg_close(&svg, e);
}
