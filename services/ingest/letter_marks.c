/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/letter_marks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

#define LINE 17 /* 16 digits and the line's end */

/* Where a key is, or would be. */
static size_t place(const struct letter_marks *m, uint64_t key)
{
    size_t lo = 0, hi = m->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (m->key[mid] < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool letter_marks_has(const struct letter_marks *m, uint64_t key)
{
    size_t i = place(m, key);
    return i < m->n && m->key[i] == key;
}

static void insert(struct letter_marks *m, uint64_t key)
{
    size_t i = place(m, key);
    if (i < m->n && m->key[i] == key)
        return;
    if (m->n == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 64;
        m->key = xrealloc(m->key, m->cap * sizeof *m->key);
    }
    memmove(m->key + i + 1, m->key + i, (m->n - i) * sizeof *m->key);
    m->key[i] = key;
    m->n++;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Lines that are none (what a crash left) are passed over. */
static void read_all(struct letter_marks *m, FILE *f)
{
    char line[64];
    if (fseek(f, 0, SEEK_END) == 0 && ftell(f) > (long)MARKS_MAX * LINE)
        fseek(f, -(long)MARKS_MAX * LINE, SEEK_END);
    else
        rewind(f);
    m->cap = 1024;
    m->key = xmalloc(m->cap * sizeof *m->key);
    while (m->n < MARKS_MAX && fgets(line, sizeof line, f)) {
        char *end;
        uint64_t key = strtoull(line, &end, 16);
        if (end != line + LINE - 1 || *end != '\n')
            continue;
        if (m->n == m->cap) {
            m->cap *= 2;
            m->key = xrealloc(m->key, m->cap * sizeof *m->key);
        }
        m->key[m->n++] = key;
    }
    qsort(m->key, m->n, sizeof *m->key, compare);
}

int letter_marks_open(struct letter_marks *m, const char *path, struct err *e)
{
    *m = (struct letter_marks){.path = xstrdup(path), .fd = -1};
    FILE *f = fopen(path, "re");
    if (!f && errno != ENOENT)
        return err_set(e, ERR_UNAVAILABLE, "could not open %s: %s", path,
                       strerror(errno));
    if (!f)
        return 0;
    read_all(m, f);
    int bad = ferror(f);
    fclose(f);
    return bad ? err_set(e, ERR_UNAVAILABLE, "could not read %s", path) : 0;
}

void letter_marks_close(struct letter_marks *m)
{
    if (m->path && m->fd >= 0)
        close(m->fd);
    free(m->path);
    free(m->key);
    *m = (struct letter_marks){.fd = -1};
}

int letter_marks_add(struct letter_marks *m, uint64_t key, struct err *e)
{
    char line[LINE + 2];
    if (m->fd < 0) {
        m->fd = open(m->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (m->fd >= 0 && write(m->fd, "\n", 1) != 1) /* ends what a crash left */
            return err_set(e, ERR_UNAVAILABLE, "could not write to %s", m->path);
    }
    int n = snprintf(line, sizeof line, "%016" PRIx64 "\n", key);
    ssize_t written = m->fd < 0 ? -1 : write(m->fd, line, (size_t)n);
    if (written != n) {
        int code = errno;
        if (written > 0 && write(m->fd, "\n", 1) != 1)
            code = ENOSPC;
        return err_set(e, ERR_UNAVAILABLE, "could not write to %s: %s", m->path,
                       written < 0 ? strerror(code) : "the disk is full");
    }
    insert(m, key);
    return 0;
}
