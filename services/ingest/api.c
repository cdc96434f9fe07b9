/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "services/ingest/explain.h"
#include "services/ingest/filters.h"
#include "services/ingest/ingest.h"
#include "services/ingest/letter_replay.h"

#define EXPLAIN_BODY_MAX (600u * 1024) /* a payload of 256 KiB, escaped */
#define REPLAY_BODY_MAX (64u * 1024)

static int get_hours(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ingest *in = app;
    json_t *j = rollup_changes(in->rollup, req_query(q, "after"), e);
    return j ? res_json(s, j, e) : -1;
}

static int get_deadletters(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ingest *in = app;
    int64_t limit = 100, before = -1, next;
    const char *reason = req_query(q, "reason"), *replayed = req_query(q, "replayed");
    char text[24];
    if (req_query_int(q, "limit", &limit, 1, LETTERS_MAX, e) ||
        req_query_int(q, "before", &before, 0, INT64_MAX, e))
        return -1;
    if (reason && *reason && !reject_find(reason))
        return err_set(e, ERR_INVALID, "there is no reason \"%.60s\"", reason);
    if (replayed && strcmp(replayed, "true") != 0 && strcmp(replayed, "false") != 0)
        return err_set(e, ERR_INVALID, "replayed must be true or false");
    struct letter_query want = {.before = before,
                                .limit = (int)limit,
                                .reason = reason ? reason : "",
                                .replayed = replayed && *replayed == 't'};
    json_t *items = deadletter_list(in->letters, &want, NULL, &next, e);
    if (!items)
        return -1;
    snprintf(text, sizeof text, "%" PRId64, next);
    return res_items(s, items, next < 0 ? NULL : text, e);
}

static int post_replay(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ingest *in = app;
    json_t *body = req_json_object(q, e);
    json_t *j = body ? letter_replay(in->letters, in->intake, body, e) : NULL;
    json_decref(body);
    if (body && !j && e->code == ERR_BUSY)
        ingest_log_refused(in, e->text);
    return j ? res_json(s, j, e) : -1;
}

/* Whether the topic would reach us at all. Null: it stands for Kafka's. */
static json_t *subscribed(const struct ingest *in, const char *topic)
{
    if (filters_ask_for(in->set.mqtt_filters, in->mapping, topic))
        return json_true();
    return strncmp(topic, "kafka/", 6) == 0 ? json_null() : json_false();
}

static int post_explain(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ingest *in = app;
    json_t *body = req_json_object(q, e);
    json_t *j =
        body ? explain(body, in->intake, clock_now_ms(), in->set.common.grace_s * 1000, e)
             : NULL;
    if (j)
        json_object_set_new(
            j, "subscribed",
            subscribed(in, json_string_value(json_object_get(body, "topic"))));
    json_decref(body);
    return j ? res_json(s, j, e) : -1;
}

/* All are slow: they look things up under the intake's lock, which is held while the log
 * is written to a disk that may take its time. */
const struct route ingest_routes[] = {
    {"POST", "/api/v1/readings", ROLE_OPERATOR, true, POST_BODY_MAX, post_readings,
     "takes one reading or an array of them", NULL},
    {"GET", "/api/v1/ledger", ROLE_VIEWER, true, 0, get_ledger,
     "received = stored + duplicate + rejected + pending, per device",
     "device after limit"},
    {"GET", "/api/v1/devices", ROLE_VIEWER, true, 0, get_devices,
     "the devices that were ever heard", "device after limit"},
    {"GET", "/api/v1/deadletters", ROLE_OPERATOR, true, 0, get_deadletters,
     "messages that became no point, and why", "reason before limit replayed"},
    {"POST", "/api/v1/deadletters/replay", ROLE_ADMIN, true, REPLAY_BODY_MAX, post_replay,
     "takes dead letters once more", NULL},
    {"POST", "/api/v1/explain", ROLE_OPERATOR, true, EXPLAIN_BODY_MAX, post_explain,
     "what would become of a message", NULL},
    {"GET", "/api/v1/hours", ROLE_SERVICE, true, 0, get_hours,
     "device-hours written to hourly since a cursor (internal)", "after"},
    {0},
};
