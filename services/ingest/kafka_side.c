/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/kafka_side.h"

#include <string.h>

#define TIMEOUT_MS 30000 /* then a message is produced again */
#define MB (INT64_C(1) << 20)

static bool has_sink(const struct kafka_side_settings *s)
{
    return *s->at.brokers && strcmp(s->preset, "none") != 0;
}

static enum kafka_shape shape_of(const struct kafka_side_settings *s)
{
    enum kafka_shape shape = KAFKA_SHAPE_NATIVE;
    return kafka_shape_parse(s->preset, &shape) ? KAFKA_SHAPE_NATIVE : shape;
}

static const char *topic_of(const struct kafka_side_settings *s)
{
    return *s->topic ? s->topic : kafka_shape_topic(shape_of(s));
}

int kafka_side_check(const struct kafka_side_settings *s, struct err *e)
{
    enum kafka_shape shape;
    if (kafka_settings_check(&s->at, e))
        return -1;
    if (strcmp(s->preset, "none") && kafka_shape_parse(s->preset, &shape))
        return err_set(e, ERR_INVALID,
                       "FC_KAFKA_PRESET must be fieldcast, system2 or none, not \"%s\"",
                       s->preset);
    if (*s->topic && !kafka_topic_valid(s->topic))
        return err_set(e, ERR_INVALID,
                       "FC_KAFKA_TOPIC: \"%s\" is not a topic: 1 to 249 letters, "
                       "digits, '.', '_' and '-'",
                       s->topic);
    if (!*s->source_topics)
        return 0;
    if (!*s->at.brokers)
        return err_set(e, ERR_INVALID, "FC_KAFKA_SOURCE_TOPICS needs FC_KAFKA_BROKERS");
    return kafka_in_check(s->source_topics, has_sink(s) ? topic_of(s) : NULL, e);
}

int kafka_side_open_cursor(struct kafka_side *k, const struct kafka_side_settings *s,
                           struct wal *w, struct err *e)
{
    if (!has_sink(s))
        return 0;
    k->reader = wal_reader_open(w, "kafka", 0, e);
    return k->reader ? 0 : -1;
}

static int open_sink(struct kafka_side *k, const struct kafka_side_opts *o, struct err *e)
{
    int64_t backlog = o->set->backlog_mb * MB, most = o->log_max_bytes / 2;
    struct sink_kafka_opts s = {.wal = o->wal,
                                .reader = k->reader,
                                .how = o->how,
                                .set = &o->set->at,
                                .topic = topic_of(o->set),
                                .shape = shape_of(o->set),
                                .backlog_bytes = backlog < most ? backlog : most,
                                .timeout_ms = TIMEOUT_MS,
                                .dep = service_dep(o->service, "kafka", false),
                                .metrics = o->service->metrics};
    k->sink = sink_kafka_open(&s, e);
    return k->sink ? 0 : -1;
}

static int open_source(struct kafka_side *k, const struct kafka_side_opts *o,
                       struct err *e)
{
    struct kafka_in_opts s = {.set = &o->set->at,
                              .topics = o->set->source_topics,
                              .group = o->set->group,
                              .intake = o->intake,
                              .kafka = service_dep(o->service, "kafka_source", false),
                              .log = o->log,
                              .metrics = o->service->metrics};
    k->in = kafka_in_open(&s, e);
    return k->in ? 0 : -1;
}

int kafka_side_open(struct kafka_side *k, const struct kafka_side_opts *o, struct err *e)
{
    if (has_sink(o->set) && open_sink(k, o, e))
        return -1;
    return *o->set->source_topics ? open_source(k, o, e) : 0;
}

void kafka_side_close_source(struct kafka_side *k)
{
    kafka_in_close(k->in);
    k->in = NULL;
}

void kafka_side_close(struct kafka_side *k)
{
    kafka_side_close_source(k);
    sink_kafka_close(k->sink);
    k->sink = NULL;
    wal_reader_close(k->reader);
    k->reader = NULL;
}
