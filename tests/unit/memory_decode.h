/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_decode: messages decoded with a memory in a folder of its own, which learns from
 * them. For the tests of conventions that need one. */
#ifndef FC_TESTS_MEMORY_DECODE_H
#define FC_TESTS_MEMORY_DECODE_H

#include "tests/unit/unit.h"

#include <dirent.h>
#include <math.h>
#include <unistd.h>

#include "services/ingest/decode.h"

static char dir[64];
static struct memory *memory;
static struct message m; /* what the last one said */
static struct err why;   /* and why it was refused */

static inline int setup(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    strcpy(dir, "/tmp/fieldcast-decode-XXXXXX");
    if (!mkdtemp(dir) || !(memory = memory_open(dir, false, &e)))
        return -1;
    message_init(&m);
    return 0;
}

static inline int teardown(void **unused)
{
    (void)unused;
    memory_close(memory);
    message_done(&m);
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));)
        unlinkat(dirfd(d), f->d_name, 0);
    closedir(d);
    return rmdir(dir);
}

/* Decodes and remembers, as the intake does. The payload lies in memory of exactly its
 * size, so that sanitizers see who reads past it. */
static inline enum reject take_bytes(const char *topic, const void *payload, size_t n)
{
    struct memory_change c;
    struct buf texts;
    struct err e = ERR_INIT;
    char *tight = malloc(n + 1);
    memcpy(tight, payload, n);
    buf_init(&texts, 2000);
    why = (struct err)ERR_INIT;
    enum reject r = decode_message(memory, topic, tight, n, &m, &why);
    if (decode_remember(topic, tight, n, false, &c, &texts))
        assert_ok(memory_change(memory, &c, &e), e);
    buf_done(&texts);
    free(tight);
    return r;
}

/* Is there such a value in item i? */
static inline void expect(size_t i, const char *quantity, double x)
{
    assert_true(i < m.n);
    const struct reading *r = &m.item[i].r;
    for (size_t k = 0; k < r->n; k++)
        if (!strcmp(r->values[k].quantity, quantity)) {
            if (fabs(r->values[k].value - x) > 1e-9)
                fail_msg("%s is %.17g, not %.17g", quantity, r->values[k].value, x);
            return;
        }
    fail_msg("no %s", quantity);
}

#endif
