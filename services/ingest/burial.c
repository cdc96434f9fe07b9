/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/burial.h"

#include <stdio.h>
#include <stdlib.h>

#include "services/ingest/raw.h"
#include "services/ingest/reading_json.h"

#define DISK_MS 500 /* until it is tried again */

bool held_up_wait(struct held_up *h, struct err *e)
{
    if (!h->said)
        log_error("nothing goes to InfluxDB until this is mended: %s", e->text);
    h->said = true;
    *e = (struct err)ERR_INIT;
    return nap_wait(h->nap, DISK_MS);
}

void held_up_over(struct held_up *h)
{
    h->said = false;
}

void burial_init(struct burial *b, const struct burial_opts *o)
{
    char labels[80];
    *b = (struct burial){.o = *o};
    for (int i = REJECT_NONE + 1; i < REJECT_N; i++) {
        snprintf(labels, sizeof labels, "reason=\"%s\"", reject_name((enum reject)i));
        b->rejects[i] = metric_counter(o->metrics, "fieldcast_ingest_rejects_total",
                                       "Readings that became dead letters.", labels);
        b->partly[i] = metric_counter(
            o->metrics, "fieldcast_ingest_partly_refused_total",
            "Readings stored without values that became dead letters.", labels);
    }
}

static int keep_letter(struct burial *b, const struct wal_record *rec, int64_t pos,
                       enum reject why, const char *detail, const char *device,
                       const struct letter_extra *extra)
{
    struct err e = ERR_INIT;
    while (deadletter_add(b->o.letters, pos, rec, why, detail, device, extra, &e))
        if (!held_up_wait(b->o.disk, &e))
            return -1;
    held_up_over(b->o.disk);
    return 0;
}

static int bury(struct burial *b, const struct wal_record *rec, int64_t pos,
                struct device *d, enum reject why, const char *detail, const char *device,
                const struct letter_extra *extra)
{
    if (keep_letter(b, rec, pos, why, detail, device, extra))
        return -1;
    ledger_rejected(b->o.how.ledger, d, why);
    metric_add(b->rejects[why], 1);
    return 0;
}

int burial_record(struct burial *b, const struct wal_record *rec, int64_t pos,
                  const struct message *m, enum reject why, const char *detail)
{
    struct device *first = m->n ? m->item[0].device : NULL;
    if (pos < b->o.started_end)
        ledger_received(b->o.how.ledger, first, rec->receive_ms);
    return bury(b, rec, pos, first, why, detail, m->n ? m->item[0].r.device : "",
                &(struct letter_extra){.logged = true});
}

int burial_account(struct burial *b, const struct wal_record *rec, int64_t pos,
                   const struct account *a, const struct message *m)
{
    struct ledger *l = b->o.how.ledger;
    struct wal_record message = *rec;
    const char *device;
    size_t len = 0;
    char *raw = raw_get(a->root, &len);
    account_refused(a, 0, &device);
    if (!a->n && m->n)
        device = m->item[0].r.device;
    message.payload = raw ? raw : "";
    message.len = len;
    message.flags = a->cut ? rec->flags | WAL_CUT : rec->flags;
    if (a->received_ms)
        message.receive_ms = a->received_ms;
    struct letter_extra extra = {.taken = a->items, .before = a->before};
    int rc = keep_letter(b, &message, pos, a->reason, a->detail, device, &extra);
    free(raw);
    if (!a->n) /* values of readings that are stored without them */
        metric_add(b->partly[a->reason], 1);
    for (size_t i = 0; i < a->n && !rc; i++) {
        enum reject why = account_refused(a, i, &device);
        struct device *d = *device ? ledger_find(l, device) : NULL;
        if (pos < b->o.started_end)
            ledger_received(l, d, rec->receive_ms);
        ledger_rejected(l, d, why);
        metric_add(b->rejects[why], 1);
    }
    return rc;
}

/* The letter of one point: its message if it was alone in it, else the reading as a
 * native message; with the point as it was to be written, for a replay. */
static int bury_item(struct burial *b, const struct wal_record *rec, int64_t pos,
                     const struct point *p, const char *why, struct message *m)
{
    struct wal_record letter = *rec;
    struct letter_extra extra = {0};
    struct account a;
    struct err e = ERR_INIT;
    struct buf native;
    char topic[DEVICE_MAX + 24];
    buf_init(&native, ACCOUNT_BYTES);
    if (!recall(&b->o.how, rec, m, &a, &e) && (size_t)p->item < m->n)
        extra.point = &m->item[p->item];
    if (a.received_ms)
        letter.receive_ms = a.received_ms;
    if ((rec->flags & WAL_ACCOUNT) && extra.point) {
        snprintf(topic, sizeof topic, "fieldcast/%s/readings", p->device->name);
        reading_write(&native, &extra.point->r, INT64_MIN);
        letter.topic = topic;
        letter.payload = native.data;
        letter.len = native.len;
    }
    account_done(&a);
    int rc = bury(b, &letter, pos, p->device, REJECT_REFUSED_BY_INFLUXDB, why,
                  p->device->name, &extra);
    buf_done(&native);
    return rc;
}

int burial_point(struct burial *b, const struct point *p, const char *why,
                 struct message *m)
{
    struct wal_record rec;
    struct err e = ERR_INIT;
    int64_t pos, back = wal_reader_pos(b->o.reader);
    int rc;
    log_often(&b->refused, LOG_ERROR, "InfluxDB refused a point of %s: %s",
              p->device->name, why);
    if (p->kind == POINT_RESTORE)
        return 0;
    wal_reader_seek(b->o.reader, p->pos);
    while ((rc = wal_read(b->o.reader, &rec, &pos, &e)) < 0)
        if (!held_up_wait(b->o.disk, &e))
            break;
    if (rc > 0)
        rc = bury_item(b, &rec, pos, p, why, m);
    wal_reader_seek(b->o.reader, back);
    return rc;
}
