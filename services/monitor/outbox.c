/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define INFLIGHT_MAX 500 /* beyond it mqtt_publish() might block */

struct letter {
    struct letter *next;
    char *topic, *payload;
};

static void drop_first(struct outbox *o)
{
    struct letter *l = o->first;
    o->first = l->next;
    if (!o->first)
        o->last = NULL;
    o->n--;
    free(l->topic);
    free(l->payload);
    free(l);
}

void outbox_add(struct outbox *o, const char *topic, char *payload)
{
    struct letter *l = xcalloc(1, sizeof *l);
    l->topic = xstrdup(topic);
    l->payload = payload;
    if (o->n == OUTBOX_MAX) {
        drop_first(o);
        o->dropped++;
    }
    *(o->last ? &o->last->next : &o->first) = l;
    o->last = l;
    o->n++;
}

void outbox_flush(struct outbox *o, struct mqtt *mqtt)
{
    struct err e = ERR_INIT;
    while (o->first && mqtt_is_up(mqtt) && mqtt_inflight(mqtt) < INFLIGHT_MAX) {
        struct letter *l = o->first;
        if (mqtt_publish(mqtt, l->topic, l->payload, strlen(l->payload), 1, false, &e))
            return; /* it stays the first; on_state has told the log */
        drop_first(o);
    }
}

void outbox_done(struct outbox *o)
{
    while (o->first)
        drop_first(o);
}
