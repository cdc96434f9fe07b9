/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/recent.h"

#include <stdlib.h>
#include <string.h>

#include "common/fnv.h"
#include "common/mem.h"

#define SLOTS (RECENT_MAX * 2) /* a power of two; at most half full */

/* ring: identities in the order they came; slot: an open hash table of ring indexes + 1.
 */
struct recent {
    uint64_t *ring;
    uint32_t *slot;
    uint64_t n; /* ever added */
};

struct recent *recent_new(void)
{
    struct recent *r = xcalloc(1, sizeof *r);
    r->ring = xcalloc(RECENT_MAX, sizeof *r->ring); /* untouched pages cost nothing */
    r->slot = xcalloc(SLOTS, sizeof *r->slot);
    return r;
}

void recent_free(struct recent *r)
{
    if (!r)
        return;
    free(r->ring);
    free(r->slot);
    free(r);
}

/* ---- identity
 * -------------------------------------------------------------------------- */

/* FNV-1a, 64 bits, with a last mix (MurmurHash3's) so that low bits can index a table. */
static uint64_t finish(uint64_t h)
{
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    h ^= h >> 33;
    return h ? h : 1;
}

static uint64_t hash_values(uint64_t h, const struct reading *r)
{
    for (size_t i = 0; i < r->n; i++) {
        h = fnv_add(h, r->values[i].quantity, strlen(r->values[i].quantity) + 1);
        h = fnv_add(h, &r->values[i].value, sizeof r->values[i].value);
    }
    return h;
}

uint64_t recent_identity(const struct item *it, bool own_time, bool *weak)
{
    uint64_t h = FNV_BASIS;
    h = fnv_add(h, it->r.device, strlen(it->r.device) + 1);
    *weak = false;
    if (it->r.seq >= 0) {
        h = fnv_add(h, "s", 1);
        h = fnv_add(h, &it->r.boot, sizeof it->r.boot);
        return finish(fnv_add(h, &it->r.seq, sizeof it->r.seq));
    }
    *weak = !own_time;
    if (it->time.kind == RAW_TIME_NUMBER)
        h = fnv_add(fnv_add(h, "n", 1), &it->time.number, sizeof it->time.number);
    else if (it->time.kind == RAW_TIME_TEXT)
        h = fnv_add(fnv_add(h, "t", 1), it->time.text, strlen(it->time.text) + 1);
    return finish(hash_values(h, &it->r));
}

/* ---- the window
 * ------------------------------------------------------------------------ */

static uint32_t find(const struct recent *r, uint64_t id)
{
    uint32_t s = (uint32_t)id & (SLOTS - 1);
    while (r->slot[s] && r->ring[r->slot[s] - 1] != id)
        s = (s + 1) & (SLOTS - 1);
    return s;
}

bool recent_has(const struct recent *r, uint64_t id)
{
    return r->slot[find(r, id)] != 0;
}

/* Empties slot s and moves later members of its run up, so that no search breaks off. */
static void erase(struct recent *r, uint32_t s)
{
    for (uint32_t t = (s + 1) & (SLOTS - 1); r->slot[t]; t = (t + 1) & (SLOTS - 1)) {
        uint32_t home = (uint32_t)r->ring[r->slot[t] - 1] & (SLOTS - 1);
        if (((t - home) & (SLOTS - 1)) >= ((t - s) & (SLOTS - 1))) {
            r->slot[s] = r->slot[t];
            s = t;
        }
    }
    r->slot[s] = 0;
}

void recent_add(struct recent *r, uint64_t id)
{
    if (recent_has(r, id))
        return;
    uint32_t i = (uint32_t)(r->n % RECENT_MAX);
    if (r->n >= RECENT_MAX)
        erase(r, find(r, r->ring[i]));
    r->ring[i] = id;
    r->n++;
    uint32_t s = (uint32_t)id & (SLOTS - 1);
    while (r->slot[s])
        s = (s + 1) & (SLOTS - 1);
    r->slot[s] = i + 1;
}
