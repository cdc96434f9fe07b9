/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/dropped.h"

#include <stdlib.h>
#include <string.h>

void dropped_init(struct dropped *d, struct metrics *m)
{
    *d = (struct dropped){
        .gauge = metric_gauge(m, "fieldcast_broker_dropped_messages",
                              "Messages that the broker says it has dropped since it "
                              "started, of any client.",
                              NULL)};
}

/* A whole number that is not negative, or -1. */
static int64_t parse(const void *payload, size_t len)
{
    char text[24], *end;
    if (len == 0 || len >= sizeof text)
        return -1;
    memcpy(text, payload, len);
    text[len] = '\0';
    if (text[0] < '0' || text[0] > '9')
        return -1;
    long long n = strtoll(text, &end, 10);
    return end == text + len && n < INT64_C(1) << 53 ? n : -1;
}

int64_t dropped_note(struct dropped *d, const void *payload, size_t len, int64_t mono_ms)
{
    int64_t n = parse(payload, len);
    if (n < 0)
        return 0;
    /* a smaller number is another life of the broker: all of it is new */
    d->unsaid += d->known && n >= d->value ? n - d->value : n;
    d->known = true;
    d->value = n;
    metric_set(d->gauge, (double)n);
    if (!d->unsaid || (d->said && mono_ms - d->said_ms < DROPPED_WARN_MS))
        return 0;
    int64_t warn_of = d->unsaid;
    d->unsaid = 0;
    d->said = true;
    d->said_ms = mono_ms;
    return warn_of;
}
