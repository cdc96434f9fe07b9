/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define HOUR_S 3600
#define LATEST_S INT64_C(253402300799) /* the end of the year 9999 */

int hours_init(struct hours *h, int64_t start_s, size_t n, struct err *e)
{
    *h = (struct hours){0};
    if (!n || n > HOURS_MAX)
        return err_set(e, ERR_INVALID, "a series must have 1 to %d hours, not %zu",
                       HOURS_MAX, n);
    if (start_s % HOUR_S || start_s < 0 || start_s > LATEST_S)
        return err_set(
            e, ERR_INVALID,
            "a series must start on a whole hour of the years 1970 to 9999, not at "
            "%lld s",
            (long long)start_s);
    h->start_s = start_s;
    h->n = n;
    h->y = xmalloc(n * sizeof *h->y);
    for (size_t i = 0; i < n; i++)
        h->y[i] = NAN;
    return 0;
}

void hours_done(struct hours *h)
{
    free(h->y);
    *h = (struct hours){0};
}

int hours_copy(struct hours *to, const struct hours *from, struct err *e)
{
    if (hours_init(to, from->start_s, from->n, e))
        return -1;
    memcpy(to->y, from->y, from->n * sizeof *to->y);
    to->beside = from->beside;
    to->zone = from->zone;
    return 0;
}

struct hours hours_part(const struct hours *h, size_t i, size_t n)
{
    return (struct hours){h->start_s + (int64_t)i * HOUR_S,
                          n,
                          h->y + i,
                          h->beside,
                          h->zone,
                          i ? NULL : h->scales};
}

int hours_set(struct hours *h, int64_t t_s, double value)
{
    if (!isfinite(value) || t_s < h->start_s || (t_s - h->start_s) % HOUR_S)
        return -1;
    uint64_t i = (uint64_t)(t_s - h->start_s) / HOUR_S;
    if (i >= h->n)
        return -1;
    h->y[i] = value;
    return 0;
}

void hours_trim(struct hours *h)
{
    while (h->n && !isfinite(h->y[h->n - 1]))
        h->n--;
    size_t skip = 0;
    while (skip < h->n && !isfinite(h->y[skip]))
        skip++;
    if (skip) {
        h->n -= skip;
        h->start_s += (int64_t)skip * HOUR_S;
        memmove(h->y, h->y + skip, h->n * sizeof *h->y);
    }
}

void hours_keep_last(struct hours *h, size_t n)
{
    if (h->n <= n)
        return;
    size_t skip = h->n - n;
    h->n = n;
    h->start_s += (int64_t)skip * HOUR_S;
    memmove(h->y, h->y + skip, n * sizeof *h->y);
}

size_t hours_holdout(size_t n)
{
    return n / 4 > HOLDOUT_HOURS ? HOLDOUT_HOURS : n / 4;
}

void hours_range(const struct hours *h, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < h->n; i++) {
        if (isfinite(h->y[i])) {
            *low = fmin(*low, h->y[i]);
            *high = fmax(*high, h->y[i]);
        }
    }
}

double hours_believed(double newest, double low, double high, size_t n)
{
    double beyond = fmax(low - newest, newest - high);
    if (n < 168 || !(high > low) || !(beyond > high - low))
        return newest;
    return newest < low ? low : high;
}

size_t hours_complete(const struct hours *h)
{
    size_t c = 0;
    for (size_t i = 0; i < h->n; i++)
        c += isfinite(h->y[i]);
    return c;
}

bool hours_empty(const struct hours *h)
{
    size_t i = 0;
    while (i < h->n && !isfinite(h->y[i]))
        i++;
    return i == h->n;
}

size_t series_interpolate(double *y, size_t n, size_t max_gap)
{
    size_t filled = 0, i = 0;
    while (i < n && !isfinite(y[i]))
        i++;
    while (i < n) {
        size_t j = i + 1; /* the next hour that has a value */
        while (j < n && !isfinite(y[j]))
            j++;
        if (j < n && j - i - 1 <= max_gap)
            for (size_t k = i + 1; k < j; k++, filled++) {
                double w = (double)(k - i) / (double)(j - i);
                y[k] = y[i] * (1 - w) + y[j] * w;
            }
        i = j;
    }
    return filled;
}

size_t hours_interpolate(struct hours *h, size_t max_gap)
{
    return series_interpolate(h->y, h->n, max_gap);
}

static void put_le64(unsigned char *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

static void put_value(unsigned char *p, double y)
{
    uint64_t bits = UINT64_C(0x7ff8000000000000); /* the one NaN */
    if (!isnan(y))
        memcpy(&bits, &y, sizeof bits);
    put_le64(p, bits);
}

size_t hours_row_size(size_t others)
{
    return 8 * (2 + others);
}

unsigned char *hours_canonical(const struct hours *h, size_t *len)
{
    size_t others = h->beside ? h->beside->n : 0, size = hours_row_size(others);
    unsigned char *out = xmalloc(h->n * size + 1), *p = out;
    for (size_t i = 0; i < h->n; i++, p += size) {
        int64_t t_s = h->start_s + (int64_t)i * HOUR_S;
        put_le64(p, (uint64_t)t_s);
        put_value(p + 8, h->y[i]);
        for (size_t k = 0; k < others; k++)
            put_value(p + 16 + 8 * k, others_measured(h->beside, k, t_s));
    }
    *len = h->n * size;
    return out;
}

void hours_sha256(const struct hours *h, char out[SHA256_HEX_SIZE])
{
    size_t len;
    unsigned char *rows = hours_canonical(h, &len);
    sha256_hex(rows, len, out);
    free(rows);
}
