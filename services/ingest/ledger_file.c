/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The devices' file: a JSON line for each, appended as they come. */
#include "services/ingest/ledger_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"

#define LINE_SIZE 1024

static int append(struct ledger *l, const struct device *d)
{
    struct buf b;
    buf_init(&b, LINE_SIZE);
    if (l->torn)
        buf_addc(&b, '\n');
    buf_adds(&b, "{\"device\":");
    buf_add_json_string(&b, d->name);
    buf_adds(&b, ",\"raw\":");
    buf_add_json_string(&b, d->raw);
    buf_adds(&b, "}\n");
    ssize_t n = write(l->fd, b.data, b.len);
    bool ok = n == (ssize_t)b.len;
    l->torn = ok ? false : l->torn || n > 0;
    buf_done(&b);
    if (n >= 0 && !ok)
        errno = ENOSPC;
    return ok ? 0 : -1;
}

int ledger_remember(struct ledger *l, struct err *e)
{
    while (l->n_saved < l->n) {
        const struct device *d = l->at[l->n_saved];
        if (append(l, d))
            return err_set(e, ERR_UNAVAILABLE, "could not remember the device %s: %s",
                           d->name, strerror(errno));
        l->n_saved++;
    }
    l->said = false;
    return 0;
}

int ledger_save(struct ledger *l, struct err *e)
{
    pthread_mutex_lock(&l->lock);
    int rc = ledger_remember(l, e);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

static void load_line(struct ledger *l, const char *line)
{
    struct err e = ERR_INIT;
    json_t *j = json_parse(line, strlen(line), "the devices' file", &e);
    const char *name = json_string_value(json_object_get(j, "device"));
    const char *raw = json_string_value(json_object_get(j, "raw"));
    /* a line that a crash left unfinished is passed over: the device comes again */
    if (name && raw && device_valid(name) && !ledger_find_in(l, name) && l->n < l->max)
        ledger_add(l, name, raw);
    json_decref(j);
}

int ledger_load(struct ledger *l, const char *path, struct err *e)
{
    l->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    FILE *f = l->fd < 0 ? NULL : fdopen(dup(l->fd), "r");
    if (!f)
        return err_set(e, ERR_UNAVAILABLE, "could not open the devices' file %s: %s",
                       path, strerror(errno));
    char line[LINE_SIZE];
    bool whole = true;
    while (fgets(line, sizeof line, f)) {
        whole = strchr(line, '\n') != NULL;
        load_line(l, line);
    }
    fclose(f);
    l->torn = !whole;
    l->n_saved = l->n;
    return 0;
}
