/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/influx_state.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"

struct influx_state {
    struct dep *dep;
    struct metrics *metrics;
    pthread_mutex_t lock;
    struct {
        bool fails, config;
        char why[300];
    } parts[INFLUX_PARTS];
    struct influx_server server;
    struct metric *info, *config;
};

struct influx_state *influx_state_new(struct dep *dep, struct metrics *m)
{
    struct influx_state *s = xcalloc(1, sizeof *s);
    s->dep = dep;
    s->metrics = m;
    pthread_mutex_init(&s->lock, NULL);
    s->parts[INFLUX_LOOKS].fails = true;
    strcpy(s->parts[INFLUX_LOOKS].why, "not tried yet");
    s->config = metric_gauge(m, "fieldcast_ingest_influxdb_misconfigured",
                             "1 while InfluxDB refuses what only a person can mend: "
                             "password, token, database.",
                             NULL);
    return s;
}

void influx_state_free(struct influx_state *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* With the lock held, so that states are told in their order. */
static void tell(struct influx_state *s)
{
    bool config = false;
    const char *why = NULL;
    for (int i = INFLUX_PARTS - 1; i >= 0; i--)
        if (s->parts[i].fails) {
            config = config || s->parts[i].config;
            why = s->parts[i].why;
        }
    metric_set(s->config, config);
    if (why)
        dep_down(s->dep, why);
    else
        dep_up(s->dep);
}

void influx_state_works(struct influx_state *s, enum influx_part part)
{
    pthread_mutex_lock(&s->lock);
    s->parts[part].fails = s->parts[part].config = false;
    tell(s);
    pthread_mutex_unlock(&s->lock);
}

void influx_state_fails(struct influx_state *s, enum influx_part part, bool config,
                        const char *why)
{
    pthread_mutex_lock(&s->lock);
    s->parts[part].fails = true;
    s->parts[part].config = config;
    snprintf(s->parts[part].why, sizeof s->parts[part].why, "%s", why);
    tell(s);
    pthread_mutex_unlock(&s->lock);
}

bool influx_state_up(const struct influx_state *s)
{
    return dep_is_up(s->dep);
}

static void show_server(struct influx_state *s)
{
    struct buf labels;
    char dialect[4];
    buf_init(&labels, 1024);
    snprintf(dialect, sizeof dialect, "%d", (int)s->server.dialect);
    metrics_label(&labels, "version", s->server.version);
    metrics_label(&labels, "build", s->server.build);
    metrics_label(&labels, "dialect", s->server.dialect ? dialect : "unknown");
    if (s->info)
        metric_drop(s->metrics, s->info);
    s->info = metric_gauge(s->metrics, "fieldcast_ingest_influxdb_info",
                           "1, with the version of InfluxDB and the dialect that is "
                           "spoken with it.",
                           labels.data);
    metric_set(s->info, 1);
    buf_done(&labels);
}

void influx_state_server(struct influx_state *s, const struct influx_server *server)
{
    pthread_mutex_lock(&s->lock);
    bool news = !s->info || strcmp(s->server.version, server->version) != 0 ||
                strcmp(s->server.build, server->build) != 0;
    s->server = *server;
    if (news)
        show_server(s);
    pthread_mutex_unlock(&s->lock);
    if (news && server->dialect)
        log_info("InfluxDB is %s (%s), spoken with as version %d", server->version,
                 *server->build ? server->build : "no build told", (int)server->dialect);
    else if (news)
        log_warn(
            "InfluxDB tells the version \"%s\", which is not known here: spoken with "
            "as version 1",
            server->version);
}
