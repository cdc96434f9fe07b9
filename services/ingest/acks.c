/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/acks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define WORDS (ACK_WINDOW / 64)

void ack_init(struct ack *a)
{
    *a = (struct ack){.boot = -1, .upto = -1, .highest = -1};
}

void ack_done(struct ack *a)
{
    free(a->seen);
    a->seen = NULL;
}

static bool seen(const struct ack *a, int64_t seq)
{
    return a->seen && a->seen[seq % ACK_WINDOW / 64] >> (seq % 64) & 1;
}

static void mark(struct ack *a, int64_t seq)
{
    if (!a->seen)
        a->seen = xcalloc(WORDS, sizeof *a->seen);
    a->seen[seq % ACK_WINDOW / 64] |= UINT64_C(1) << (seq % 64);
}

/* Moves upto to `to`, and on over what is already there. */
static void advance(struct ack *a, int64_t to)
{
    while (a->upto < to || (a->upto < a->highest && seen(a, a->upto + 1))) {
        a->upto++;
        if (a->seen)
            a->seen[a->upto % ACK_WINDOW / 64] &= ~(UINT64_C(1) << (a->upto % 64));
    }
    a->gap_ms = 0;
    if (a->upto >= a->highest) /* holes are rare: the memory is too */
        ack_done(a);
}

static void begin(struct ack *a, int64_t boot, int64_t seq)
{
    ack_done(a);
    a->boot = boot;
    a->gap_ms = 0;
    a->upto = seq > ACK_WINDOW ? seq - 1 : 0;
    a->highest = a->upto;
}

void ack_note(struct ack *a, int64_t boot, int64_t seq, int64_t mono_ms)
{
    if (a->upto < 0 || boot > a->boot)
        begin(a, boot, seq);
    if (boot < a->boot || seq <= a->upto)
        return;
    if (seq - a->upto > ACK_WINDOW) {
        int64_t to = seq - ACK_WINDOW;
        if (to > a->highest) {
            ack_done(a);
            a->upto = to;
        }
        advance(a, to);
    }
    if (seq > a->highest)
        a->highest = seq;
    if (seq == a->upto + 1)
        advance(a, seq);
    else
        mark(a, seq);
    if (a->upto == a->highest)
        return;
    if (!a->gap_ms)
        a->gap_ms = mono_ms;
    if (mono_ms - a->gap_ms < ACK_GAP_MS)
        return;
    int64_t to = a->upto;
    while (!seen(a, to + 1))
        to++;
    advance(a, to);
}
