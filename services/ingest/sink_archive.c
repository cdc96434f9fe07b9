/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/sink_archive.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/archive_file.h"
#include "services/ingest/nap.h"
#include "services/ingest/reading_json.h"

#define RECORDS 256  /* taken before the cursor and the metrics are looked at */
#define REST_MS 1000 /* most, when there is nothing to do */
#define READ_AHEAD (INT64_C(256) * 1024) /* a reading waits for so many bytes more, */
#define GATHER_MS 100                    /* or so long */
#define BACKOFF_MS 500
#define CURSOR_MS 1000
#define EXPIRE_MS 60000

struct sink_archive {
    struct sink_archive_opts o;
    struct archive_file *file;
    struct nap nap;
    pthread_t thread;
    struct message m; /* what the record being read says */
    struct buf lines;
    int64_t cursor_ms, expire_ms; /* when last, monotonic */
    int64_t has;                  /* the archive has all up to this record of the log */
    struct log_often unsaved, too_long;
    struct metric *readings, *skipped, *lag;
};

static void add_line(struct buf *b, int64_t pos, const struct item *it,
                     int64_t receive_ms)
{
    buf_addf(b, "{\"id\":%" PRId64 ",", pos);
    reading_write_members(b, &it->r, receive_ms);
    buf_adds(b, "}\n");
}

/* 0: written, or nothing in it; -1: the disk does not take it. */
static int put_record(struct sink_archive *s, const struct wal_record *rec, int64_t pos,
                      struct err *e)
{
    struct account a;
    struct err why = ERR_INIT;
    size_t n = 0;
    enum reject r = recall(&s->o.how, rec, &s->m, &a, &why);
    buf_reset(&s->lines);
    for (size_t i = 0; i < s->m.n && !r; i++)
        if (s->m.item[i].kind == ITEM_READING && ++n)
            add_line(&s->lines, pos, &s->m.item[i], rec->receive_ms);
    account_done(&a);
    if (!n || archive_append(s->file, rec->receive_ms, &s->lines, e) == 0) {
        metric_add(s->readings, (double)n);
        return 0;
    }
    return -1;
}

static void give_up_the_oldest(struct sink_archive *s)
{
    int64_t bytes = wal_reader_give_up(s->o.reader, s->o.backlog_bytes);
    if (!bytes)
        return;
    metric_add(s->skipped, (double)bytes);
    log_often(&s->too_long, LOG_ERROR,
              "the archive's disk refused for too long: %" PRId64
              " bytes of the log never go there",
              bytes);
}

static void settle(struct sink_archive *s, bool idle)
{
    struct err e = ERR_INIT;
    int64_t now_ms = clock_mono_ms(), pos = wal_reader_pos(s->o.reader);
    metric_set(s->lag, (double)(wal_end(s->o.wal) - pos));
    if (s->o.keep_d && now_ms - s->expire_ms >= EXPIRE_MS) {
        s->expire_ms = now_ms;
        archive_expire(s->file, clock_now_ms(), s->o.keep_d);
    }
    if (pos == wal_committed(s->o.reader) || (!idle && now_ms - s->cursor_ms < CURSOR_MS))
        return;
    s->cursor_ms = now_ms;
    if ((s->o.power && archive_sync(s->file, &e)) || wal_commit(s->o.reader, pos, &e))
        log_often(&s->unsaved, LOG_WARN, "%s", e.text);
}

/* Takes what there is: 1 when something was, 0 when not, -1 when the disk refuses. */
static int take(struct sink_archive *s, struct err *e)
{
    struct wal_record rec;
    int64_t pos;
    int rc = wal_read(s->o.reader, &rec, &pos, e);
    if (rc <= 0)
        return rc;
    if (pos <= s->has) /* the cursor was saved before */
        return 1;
    if (put_record(s, &rec, pos, e) == 0)
        return 1;
    wal_reader_seek(s->o.reader, pos);
    return -1;
}

/* Is the archive's newest record one of this log? The folder of the log may have been
 * emptied, and its positions have begun anew. */
static void look_back(struct sink_archive *s)
{
    struct wal_record rec;
    struct err e = ERR_INIT;
    int64_t back = wal_reader_pos(s->o.reader), receive_ms, pos;
    int64_t newest = archive_newest(s->file, &receive_ms);
    s->has = -1;
    if (newest < back || newest >= wal_end(s->o.wal))
        return;
    wal_reader_seek(s->o.reader, newest);
    if (wal_read(s->o.reader, &rec, &pos, &e) > 0 && pos == newest &&
        rec.receive_ms == receive_ms)
        s->has = newest;
    wal_reader_seek(s->o.reader, back);
}

static void *run(void *arg)
{
    struct sink_archive *s = arg;
    look_back(s);
    while (!nap_stopped(&s->nap)) {
        struct err e = ERR_INIT;
        int rc = 1;
        for (int n = 0; n < RECORDS && (rc = take(s, &e)) > 0; n++)
            ;
        if (rc < 0) {
            dep_down(s->o.dep, e.text);
            give_up_the_oldest(s);
        } else {
            dep_up(s->o.dep);
        }
        settle(s, rc <= 0);
        if (rc < 0)
            nap_wait(&s->nap, BACKOFF_MS);
        else if (!rc)
            wal_wait_for_some(s->o.reader, REST_MS, READ_AHEAD, GATHER_MS);
    }
    settle(s, true);
    return NULL;
}

struct sink_archive *sink_archive_open(const struct sink_archive_opts *o, struct err *e)
{
    struct archive_file *file =
        archive_open(o->dir, o->file_bytes, wal_committed(o->reader), wal_end(o->wal), e);
    if (!file)
        return NULL;
    struct sink_archive *s = xcalloc(1, sizeof *s);
    s->o = *o;
    s->file = file;
    nap_init(&s->nap);
    message_init(&s->m);
    buf_init(&s->lines, 2 << 20);
    s->readings = metric_counter(o->metrics, "fieldcast_ingest_archived_readings_total",
                                 "Readings in the archive.", NULL);
    s->skipped =
        metric_counter(o->metrics, "fieldcast_ingest_archive_skipped_bytes_total",
                       "Bytes of the log that the archive was not able to take.", NULL);
    s->lag = metric_gauge(o->metrics, "fieldcast_ingest_archive_lag_bytes",
                          "Bytes of the log that are not in the archive yet.", NULL);
    dep_up(o->dep);
    if (pthread_create(&s->thread, NULL, run, s) == 0)
        return s;
    err_set(e, ERR_INTERNAL, "could not start the thread that writes the archive");
    archive_close(file);
    message_done(&s->m);
    buf_done(&s->lines);
    nap_done(&s->nap);
    free(s);
    return NULL;
}

void sink_archive_close(struct sink_archive *s)
{
    if (!s)
        return;
    nap_stop(&s->nap);
    wal_wake(s->o.reader);
    pthread_join(s->thread, NULL);
    archive_close(s->file);
    message_done(&s->m);
    buf_done(&s->lines);
    nap_done(&s->nap);
    free(s);
}
