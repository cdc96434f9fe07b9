/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a file of series (the first says in which form): what is read is in order,
 * and the same a second time and in the other way of reading, or there is a sentence. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/fnv.h"
#include "tools/series.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* All that is left, as a number; 0 and a sentence where it breaks off. */
static uint64_t read_all(struct series *s, struct err *e)
{
    struct input_series one;
    uint64_t h = FNV_BASIS;
    int rc;
    while ((rc = series_next(s, &one, e)) == 1) {
        must(*one.name && strlen(one.name) <= SERIES_NAME_MAX, "a name's length");
        must(one.h.n <= HOURS_MAX, "a series' length");
        must(!one.h.n || one.h.start_s % 3600 == 0, "whole hours");
        h = fnv_text(h, one.name);
        h = fnv_add(h, &one.h.start_s, sizeof one.h.start_s);
        for (size_t i = 0; i < one.h.n; i++) {
            double y = isnan(one.h.y[i]) ? -1e300 : one.h.y[i];
            must(!isinf(y), "finite values");
            h = fnv_add(h, &y, sizeof y);
        }
        input_series_done(&one);
    }
    must(rc == 0 || *e->text, "a refusal has a sentence");
    return rc ? 0 : h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (!n)
        return 0;
    char path[40];
    int fd = memfd_create("series", 0);
    must(fd >= 0 && write(fd, data + 1, n - 1) == (ssize_t)n - 1, "a file");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const struct input_file f = {
        .path = path, .wide = data[0] & 1, .grouped = (data[0] & 3) == 2};
    struct err e = ERR_INIT;
    struct series *s = series_open(&f, true, &e);
    must(s || *e.text, "a refusal has a sentence");
    if (s) {
        uint64_t first = read_all(s, &e);
        if (first && !series_rewind(s, &e))
            must(read_all(s, &e) == first, "the same a second time");
        series_close(s);
    }
    close(fd);
    return 0;
}
