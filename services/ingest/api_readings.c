/* SPDX-License-Identifier: GPL-3.0-or-later */
/* POST /api/v1/readings */
#include <stdio.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/mem.h"
#include "services/ingest/api.h"
#include "services/ingest/ingest.h"

#define POST_READINGS_MAX 10000

/* Fills e with the first fault of element i, or returns 0: what is posted is taken whole.
 * topic: where it goes. */
static int check_reading(const struct ingest *in, struct message *m, const char *text,
                         size_t len, size_t i, char topic[DEVICE_MAX + 24], struct err *e)
{
    struct err why = ERR_INIT;
    struct device *d;
    /* a topic that names no device: the reading has to */
    enum reject r = decode_message(NULL, "fieldcast//readings", text, len, m, &why);
    if (!r && m->n_refused) {
        r = m->refused;
        why = m->why;
    }
    const struct reading *one = &m->item[0].r;
    if (!r)
        r = ledger_device(in->ledger, one->device, one->raw_device, false, &d, &why);
    if (r)
        return err_kind(e, ERR_INVALID, reject_name(r), "reading %zu: %s", i, why.text);
    snprintf(topic, DEVICE_MAX + 24, "fieldcast/%s/readings", one->device);
    return 0;
}

/* Elements as the texts that go into the log, one after the other. */
struct posted {
    struct message m; /* the one that is looked at */
    struct buf text;
    size_t *end; /* of each text; owned */
    char (*topic)[DEVICE_MAX + 24];
    size_t n;
};

static int posted_fill(const struct ingest *in, struct posted *p, const json_t *body,
                       struct err *e)
{
    bool many = json_is_array(body);
    p->n = many ? json_array_size(body) : 1;
    if (!p->n || p->n > POST_READINGS_MAX)
        return err_set(e, ERR_INVALID, "the body must have 1 to %d readings; it has %zu",
                       POST_READINGS_MAX, p->n);
    p->end = xcalloc(p->n, sizeof *p->end);
    p->topic = xcalloc(p->n, sizeof *p->topic);
    for (size_t i = 0, start = 0; i < p->n; start = p->end[i++]) {
        const json_t *one = many ? json_array_get(body, i) : body;
        if (json_write(&p->text, one) || p->text.len - start > MESSAGE_BYTES_MAX)
            return err_set(e, ERR_TOO_LARGE, "reading %zu is larger than %u bytes", i,
                           MESSAGE_BYTES_MAX);
        p->end[i] = p->text.len;
        if (check_reading(in, &p->m, p->text.data + start, p->text.len - start, i,
                          p->topic[i], e))
            return -1;
    }
    return 0;
}

static int posted_take(struct ingest *in, const struct posted *p, struct err *e)
{
    for (size_t i = 0, start = 0; i < p->n; start = p->end[i++]) {
        struct arrival a = {.topic = p->topic[i],
                            .payload = p->text.data + start,
                            .len = p->end[i] - start,
                            .flags = WAL_HTTP};
        if (intake_take(in->intake, &a, e)) {
            ingest_log_refused(in, e->text);
            e->code = ERR_UNAVAILABLE;
            return err_prefix(e, "took %zu of %zu readings, send the others again", i,
                              p->n);
        }
    }
    return 0;
}

int post_readings(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ingest *in = app;
    struct posted p = {0};
    message_init(&p.m);
    buf_init(&p.text, 2 * POST_BODY_MAX);
    json_t *body = json_parse(q->body, q->body_len, "the body", e);
    int rc = -1;
    if (body && posted_fill(in, &p, body, e) == 0 && posted_take(in, &p, e) == 0)
        rc = res_json(s, json_pack("{s:I}", "accepted", (json_int_t)p.n), e);
    json_decref(body);
    buf_done(&p.text);
    message_done(&p.m);
    free(p.end);
    free(p.topic);
    return rc;
}
