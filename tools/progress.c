/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/progress.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "tools/duration.h"

enum { REDRAW_MS = 100, LINE_MS = 5000, LONG_MS = 1000, BAR = 24 };

void progress_init(struct progress *p, const char *what, const char *unit, uint64_t total,
                   int64_t now_ms)
{
    *p = (struct progress){.what = what,
                           .unit = unit,
                           .to = stderr,
                           .terminal = isatty(STDERR_FILENO),
                           .total = total,
                           .started_ms = now_ms,
                           .shown_ms = now_ms};
}

/* Of the total, from 0 to 1. */
static double share(const struct progress *p, uint64_t done)
{
    double all = (double)p->total, have = (double)done + p->begun;
    return have < all ? have / all : 1;
}

/* "25", but "0.4" of what takes seconds. */
static const char *rate_text(uint64_t done, int64_t elapsed_ms, char out[32])
{
    double rate = (double)done * 1000 / (double)elapsed_ms;
    snprintf(out, 32, "%.*f", done && rate < 9.95 ? 1 : 0, rate);
    return out;
}

const char *progress_text(const struct progress *p, uint64_t done, int64_t now_ms,
                          char out[PROGRESS_TEXT_SIZE])
{
    int64_t elapsed_ms = now_ms > p->started_ms ? now_ms - p->started_ms : 1;
    char left[DURATION_TEXT_SIZE], rate[32];
    rate_text(done, elapsed_ms, rate);
    if (!p->total) {
        snprintf(out, PROGRESS_TEXT_SIZE, "%s: %" PRIu64 " %s, %s/s", p->what, done,
                 p->unit, rate);
        return out;
    }
    double part = share(p, done);
    int64_t left_ms =
        part > 0 ? (int64_t)((1 - part) / part * (double)elapsed_ms + 0.5) : 0;
    if (left_ms >= 1000)
        left_ms -= left_ms % 1000;
    snprintf(out, PROGRESS_TEXT_SIZE,
             "%s: %3.0f %%  %" PRIu64 "/%" PRIu64 " %s, %s/s, %s left", p->what,
             100 * part, done, p->total, p->unit, rate,
             part > 0 ? duration_format(left_ms, left) : "?");
    return out;
}

void progress_update(struct progress *p, uint64_t done, int64_t now_ms)
{
    if (now_ms - p->shown_ms < (p->terminal ? REDRAW_MS : LINE_MS))
        return;
    p->shown_ms = now_ms;
    char text[PROGRESS_TEXT_SIZE];
    progress_text(p, done, now_ms, text);
    if (!p->terminal) {
        fprintf(p->to, "%s\n", text);
        return;
    }
    char bar[BAR + 1];
    size_t full = p->total ? (size_t)(BAR * share(p, done)) : 0;
    memset(bar, '.', BAR);
    memset(bar, '#', full);
    bar[BAR] = '\0';
    fprintf(p->to, "\r\033[K%s%s%s%s", p->total ? "[" : "", p->total ? bar : "",
            p->total ? "] " : "", text);
    fflush(p->to);
    p->drawn = true;
}

void progress_if_long(struct progress *p, uint64_t done, int64_t now_ms)
{
    if (p->terminal && now_ms - p->started_ms >= LONG_MS)
        progress_update(p, done, now_ms);
}

void progress_end(struct progress *p, uint64_t done, int64_t now_ms)
{
    char took[DURATION_TEXT_SIZE], rate[32];
    int64_t elapsed_ms = now_ms > p->started_ms ? now_ms - p->started_ms : 1;
    fprintf(p->to, "%s%s: %" PRIu64 " %s in %s (%s/s)\n", p->drawn ? "\r\033[K" : "",
            p->what, done, p->unit, duration_format(elapsed_ms, took),
            rate_text(done, elapsed_ms, rate));
    p->drawn = false;
}
