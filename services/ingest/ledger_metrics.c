/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/ledger_metrics.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/mem.h"

static const char *const states[LEDGER_STATES] = {"received", "stored", "duplicate",
                                                  "rejected", "pending"};

const char *ledger_state(size_t i)
{
    return states[i];
}

uint64_t ledger_state_of(const struct counts *c, size_t i)
{
    const uint64_t n[LEDGER_STATES] = {c->received, c->stored, c->duplicate,
                                       counts_rejected(c), counts_pending(c)};
    return n[i];
}

/* Names are plain characters only (device_valid()). */
static void add_row(struct buf *out, const char *service, const char *name,
                    const struct counts *c)
{
    for (size_t i = 0; i < LEDGER_STATES; i++)
        buf_addf(out,
                 "fieldcast_ingest_device_readings{service=\"%s\",sensor=\"%s\",state="
                 "\"%s\"} %" PRIu64 "\n",
                 service, name, states[i], ledger_state_of(c, i));
}

static void take_off(struct counts *from, const struct counts *c)
{
    from->received -= c->received;
    from->stored -= c->stored;
    from->duplicate -= c->duplicate;
    from->misread -= c->misread;
    for (int r = 0; r < REJECT_N; r++)
        from->rejected[r] -= c->rejected[r];
}

static void render(void *arg, const char *service, struct buf *out)
{
    const struct ledger_metrics *lm = arg;
    struct counts *each = xcalloc(lm->devices, sizeof *each), others, none;
    size_t all, n = ledger_snapshot(lm->ledger, each, lm->devices, &others, &none, &all);
    buf_adds(out, "# HELP fieldcast_ingest_device_readings Readings since the start per "
                  "device: received = stored + duplicate + rejected + pending.\n"
                  "# TYPE fieldcast_ingest_device_readings gauge\n");
    take_off(&others, &none); /* they were the totals */
    for (size_t i = 0; i < n; i++) {
        add_row(out, service, ledger_at(lm->ledger, (uint32_t)i)->name, &each[i]);
        take_off(&others, &each[i]);
    }
    if (all > n)
        add_row(out, service, "(others)", &others);
    add_row(out, service, "(none)", &none);
    free(each);
}

void ledger_metrics_init(struct ledger_metrics *lm, struct ledger *l, size_t devices,
                         struct metrics *m)
{
    *lm = (struct ledger_metrics){l, devices < LEDGER_METRICS_MAX ? devices
                                                                  : LEDGER_METRICS_MAX};
    if (devices)
        metrics_on_text(m, render, lm);
}
