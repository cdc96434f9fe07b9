/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/hours.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/hours_file.h"

#define FILE_MAX_BYTES (1u << 30)

struct range {
    int32_t from, to;
};

struct row {
    struct range *r; /* ascending, apart by at least one hour; owned */
    uint16_t n, cap;
    bool loaded;       /* marks of an earlier process: what they measured is not known */
    int32_t loaded_to; /* the last of these */
    uint64_t quantities;
};

struct hours {
    pthread_mutex_t lock;
    struct ledger *ledger;
    char *path, *path_new; /* owned */
    int fd;
    struct buf unsaved; /* lines for the file */
    bool torn;          /* the file may end within a line */
    struct row *row;    /* by device index; owned */
    size_t n_rows;
    char name[HOURS_NAMES][QUANTITY_MAX + 1];
    int n_names;
};

/* ---- ranges
 * ------------------------------------------------------------------------------ */

static struct row *row_of(struct hours *h, const struct device *d)
{
    if (d->index >= h->n_rows) {
        size_t n = d->index + 64;
        h->row = xrealloc(h->row, n * sizeof *h->row);
        memset(h->row + h->n_rows, 0, (n - h->n_rows) * sizeof *h->row);
        h->n_rows = n;
    }
    return &h->row[d->index];
}

static void remove_range(struct row *w, unsigned i)
{
    w->n--;
    memmove(w->r + i, w->r + i + 1, (w->n - i) * sizeof *w->r);
}

static void merge_nearest(struct row *w)
{
    unsigned best = 0;
    for (unsigned i = 1; i + 1 < w->n; i++)
        if (w->r[i + 1].from - w->r[i].to < w->r[best + 1].from - w->r[best].to)
            best = i;
    w->r[best].to = w->r[best + 1].to;
    remove_range(w, best + 1);
}

/* Adds from..to; false when all of it was there. */
static bool add_range(struct row *w, int32_t from, int32_t to)
{
    unsigned i = w->n;
    while (i && w->r[i - 1].from > from) /* new hours are mostly the latest */
        i--;
    if (i && w->r[i - 1].to >= to)
        return false;
    if (i && w->r[i - 1].to >= from - 1) {
        i--;
        w->r[i].to = to;
    } else {
        if (w->n == w->cap) {
            w->cap = (uint16_t)(w->cap ? w->cap * 2 : 2);
            w->r = xrealloc(w->r, w->cap * sizeof *w->r);
        }
        memmove(w->r + i + 1, w->r + i, (w->n - i) * sizeof *w->r);
        w->r[i] = (struct range){from, to};
        w->n++;
    }
    while (i + 1u < w->n && w->r[i + 1].from <= w->r[i].to + 1) {
        if (w->r[i + 1].to > w->r[i].to)
            w->r[i].to = w->r[i + 1].to;
        remove_range(w, i + 1);
    }
    if (w->n > HOURS_RANGES)
        merge_nearest(w);
    return true;
}

/* ---- quantities
 * --------------------------------------------------------------------------- */

uint64_t hours_quantities(struct hours *h, const struct reading *r)
{
    uint64_t bits = 0;
    pthread_mutex_lock(&h->lock);
    for (size_t k = 0; k < r->n; k++) {
        int i = 0;
        while (i < h->n_names && strcmp(h->name[i], r->values[k].quantity))
            i++;
        if (i == h->n_names && i < HOURS_NAMES)
            strcpy(h->name[h->n_names++], r->values[k].quantity);
        bits |= i < HOURS_NAMES ? UINT64_C(1) << i : HOURS_OTHER;
    }
    pthread_mutex_unlock(&h->lock);
    return bits;
}

const char *hours_name(struct hours *h, int i)
{
    pthread_mutex_lock(&h->lock);
    const char *name = i < h->n_names ? h->name[i] : NULL; /* never changes once there */
    pthread_mutex_unlock(&h->lock);
    return name;
}

/* ---- marks
 * -------------------------------------------------------------------------------- */

void hours_mark(struct hours *h, struct device *d, int32_t hour, uint64_t quantities)
{
    pthread_mutex_lock(&h->lock);
    struct row *w = row_of(h, d);
    w->quantities |= quantities;
    if (add_range(w, hour, hour))
        buf_addf(&h->unsaved, "%s %d %d\n", d->name, hour, hour);
    pthread_mutex_unlock(&h->lock);
}

static int write_all(int fd, const struct buf *b)
{
    for (size_t done = 0; done < b->len;) {
        ssize_t n = write(fd, b->data + done, b->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

int hours_save(struct hours *h, struct err *e)
{
    /* a mark is read back only for a device that is known */
    int rc = ledger_save(h->ledger, e);
    if (rc)
        return rc;
    pthread_mutex_lock(&h->lock);
    if (h->unsaved.len) {
        if (h->torn && write(h->fd, "\n", 1) == 1)
            h->torn = false;
        rc = write_all(h->fd, &h->unsaved) || fdatasync(h->fd)
                 ? err_set(e, ERR_UNAVAILABLE, "could not write to %s: %s", h->path,
                           strerror(errno))
                 : 0;
        if (rc == 0)
            buf_reset(&h->unsaved);
        else
            h->torn = true;
    }
    pthread_mutex_unlock(&h->lock);
    return rc;
}

bool hours_any(struct hours *h, int32_t last)
{
    bool any = false;
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->n_rows && !any; i++)
        any = h->row[i].n && h->row[i].r[0].from <= last;
    pthread_mutex_unlock(&h->lock);
    return any;
}

uint64_t hours_count(struct hours *h)
{
    uint64_t n = 0;
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->n_rows; i++)
        for (unsigned k = 0; k < h->row[i].n; k++)
            n += (uint64_t)(h->row[i].r[k].to - h->row[i].r[k].from + 1);
    pthread_mutex_unlock(&h->lock);
    return n;
}

struct hour_range *hours_take(struct hours *h, int32_t last, size_t *n)
{
    struct hour_range *out = NULL;
    size_t cap = 0;
    *n = 0;
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->n_rows; i++) {
        struct row *w = &h->row[i];
        while (w->n && w->r[0].from <= last) {
            if (*n == cap) {
                cap = cap ? cap * 2 : 256;
                out = xrealloc(out, cap * sizeof *out);
            }
            int32_t to = w->r[0].to < last ? w->r[0].to : last;
            bool all = w->loaded && w->r[0].from <= w->loaded_to;
            out[(*n)++] =
                (struct hour_range){ledger_at(h->ledger, (uint32_t)i), w->r[0].from, to,
                                    w->quantities | (all ? HOURS_OTHER : 0)};
            if (w->r[0].to > last)
                w->r[0].from = last + 1;
            else
                remove_range(w, 0);
        }
    }
    pthread_mutex_unlock(&h->lock);
    return out;
}

void hours_give_back(struct hours *h, const struct hour_range *r, size_t n)
{
    pthread_mutex_lock(&h->lock); /* they are still in the file */
    for (size_t i = 0; i < n; i++)
        add_range(row_of(h, r[i].device), r[i].from, r[i].to);
    pthread_mutex_unlock(&h->lock);
}

/* ---- the file
 * ------------------------------------------------------------------------------ */

static void add_lines(struct hours *h, struct buf *b)
{
    for (size_t i = 0; i < h->n_rows; i++)
        for (unsigned k = 0; k < h->row[i].n; k++)
            buf_addf(b, "%s %d %d\n", ledger_at(h->ledger, (uint32_t)i)->name,
                     h->row[i].r[k].from, h->row[i].r[k].to);
}

int hours_settle(struct hours *h, struct err *e)
{
    struct buf b;
    int rc = 0;
    buf_init(&b, FILE_MAX_BYTES);
    pthread_mutex_lock(&h->lock);
    add_lines(h, &b);
    int fd = open(h->path_new, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0 || write_all(fd, &b) || fdatasync(fd) || rename(h->path_new, h->path)) {
        rc = err_set(e, ERR_UNAVAILABLE, "could not write %s: %s", h->path,
                     strerror(errno));
        if (fd >= 0)
            close(fd);
    } else {
        close(h->fd);
        h->fd = fd;
        h->torn = false;
        buf_reset(&h->unsaved);
    }
    pthread_mutex_unlock(&h->lock);
    buf_done(&b);
    return rc;
}

static void mark_loaded(void *arg, struct device *d, int32_t from, int32_t to)
{
    struct row *w = row_of(arg, d);
    if (!w->loaded || to > w->loaded_to)
        w->loaded_to = to;
    w->loaded = true;
    add_range(w, from, to);
}

static int load(struct hours *h, int32_t first, int32_t last, struct err *e)
{
    struct hours_file f = {.path = h->path,
                           .ledger = h->ledger,
                           .first = first,
                           .last = last,
                           .mark = mark_loaded,
                           .arg = h};
    h->fd = open(h->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (h->fd < 0)
        return err_set(e, ERR_UNAVAILABLE, "could not open %s: %s", h->path,
                       strerror(errno));
    return hours_file_read(&f, e);
}

struct hours *hours_open(const char *path, struct ledger *l, int32_t first, int32_t last,
                         struct err *e)
{
    struct hours *h = xcalloc(1, sizeof *h);
    h->fd = -1;
    pthread_mutex_init(&h->lock, NULL);
    h->ledger = l;
    h->path = xstrdup(path);
    h->path_new = xasprintf("%s.new", path);
    buf_init(&h->unsaved, FILE_MAX_BYTES);
    if (load(h, first, last, e)) {
        hours_close(h);
        return NULL;
    }
    if (hours_settle(h, e)) { /* the file stays as it is: longer, and as good */
        log_warn("%s", e->text);
        *e = (struct err)ERR_INIT;
        h->torn = true;
    }
    return h;
}

void hours_close(struct hours *h)
{
    if (!h)
        return;
    if (h->fd >= 0)
        close(h->fd);
    for (size_t i = 0; i < h->n_rows; i++)
        free(h->row[i].r);
    free(h->row);
    buf_done(&h->unsaved);
    free(h->path);
    free(h->path_new);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
