/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/buf.h"

#include "common/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_done(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->full = false;
    if (b->data)
        b->data[0] = '\0';
}

/* Room for n more bytes and the NUL. */
static int make_room(struct buf *b, size_t n)
{
    if (n > b->max || b->len > b->max - n) {
        b->full = true;
        return -1;
    }
    size_t need = b->len + n + 1;
    if (need > b->cap) {
        size_t cap = b->cap ? b->cap : 256;
        while (cap < need)
            cap = cap > SIZE_MAX / 2 ? need : cap * 2;
        if (cap - 1 > b->max)
            cap = b->max + 1;
        b->data = xrealloc(b->data, cap);
        b->cap = cap;
    }
    return 0;
}

static inline int reserve(struct buf *b, size_t n)
{
    return n < b->cap - b->len ? 0 : make_room(b, n);
}

int buf_add(struct buf *b, const void *p, size_t n)
{
    if (reserve(b, n))
        return -1;
    if (n)
        memcpy(b->data + b->len, p, n);
    b->len += n;
    b->data[b->len] = '\0';
    return 0;
}

int buf_adds(struct buf *b, const char *s)
{
    return buf_add(b, s, strlen(s));
}

int buf_addc(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
    char small[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0)
        return -1;
    if ((size_t)n < sizeof small)
        return buf_add(b, small, (size_t)n);
    if (reserve(b, (size_t)n))
        return -1;
    va_start(ap, fmt);
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
    return 0;
}

/* ---- reals ------------------------------------------------------------------------ */

/* A positive real as a decimal: digits d1 d2 .. dn, value d1.d2..dn times 10 to the
 * exp10. */
struct decimal {
    uint64_t digits;
    int n, exp10;
};

static const uint64_t ten[] = {1u,
                               10u,
                               100u,
                               1000u,
                               10000u,
                               100000u,
                               1000000u,
                               10000000u,
                               100000000u,
                               1000000000u,
                               10000000000u,
                               100000000000u,
                               1000000000000u,
                               10000000000000u,
                               100000000000000u,
                               1000000000000000u,
                               10000000000000000u,
                               100000000000000000u,
                               1000000000000000000u,
                               10000000000000000000u};

/* mantissa / 2^shift rounded to n digits, ties to even as printf does. Returns whether
 * that reads back as the same number: it must be nearer than half a unit of the mantissa.
 */
static bool round_to(uint64_t mantissa, unsigned shift, int exp10, int n,
                     struct decimal *d)
{
    unsigned __int128 scaled = (unsigned __int128)mantissa * ten[n - 1 - exp10];
    unsigned __int128 half = (unsigned __int128)1 << (shift - 1);
    unsigned __int128 rest = scaled & (2 * half - 1);
    uint64_t digits = (uint64_t)(scaled >> shift);
    if (rest > half || (rest == half && (digits & 1)))
        digits++;
    unsigned __int128 back = (unsigned __int128)digits << shift;
    unsigned __int128 off = back > scaled ? back - scaled : scaled - back;
    *d = (struct decimal){digits, n, exp10};
    if (digits == ten[n])
        *d = (struct decimal){ten[n - 1], n, exp10 + 1};
    return 2 * off < ten[n - 1 - exp10];
}

/* The shortest of 15, 16, 17 digits that reads back as x, by exact integer arithmetic,
 * for x in [0.001, 1e15), where nearly all values of sensors lie. False: not one of
 * these. */
static bool to_decimal(double x, struct decimal *d)
{
    uint64_t bits;
    if (!(x >= 1e-3 && x < 1e15))
        return false;
    memcpy(&bits, &x, sizeof bits);
    uint64_t mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
    unsigned shift = 1075 - (unsigned)(bits >> 52);
    if (mantissa == UINT64_C(1) << 52)
        return false; /* powers of two: their neighbour below is nearer than the one above
                       */
    int exp10 = -3;
    while (exp10 < 14 &&
           (exp10 < 0 ? x * (double)ten[-exp10 - 1] >= 1 : x >= (double)ten[exp10 + 1]))
        exp10++;
    for (int n = 15; n <= 17; n++)
        if (round_to(mantissa, shift, exp10, n, d) || n == 17)
            break;
    return d->digits >= ten[d->n - 1]; /* else the product above was rounded up to 1 */
}

/* As %g writes it: no trailing zeros, no exponent. Returns its length. */
static int write_decimal(struct decimal d, bool negative, char *out)
{
    char digits[20] = "", *p = out;
    for (int i = d.n - 1; i >= 0; i--) {
        digits[i] = (char)('0' + d.digits % 10);
        d.digits /= 10;
    }
    while (d.n > 1 && d.n > d.exp10 + 1 && digits[d.n - 1] == '0')
        d.n--;
    if (negative)
        *p++ = '-';
    if (d.exp10 < 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = -1; i > d.exp10; i--)
            *p++ = '0';
    }
    for (int i = 0; i < d.n; i++) {
        *p++ = digits[i];
        if (i == d.exp10 && i + 1 < d.n)
            *p++ = '.';
    }
    return (int)(p - out);
}

/* Any number, slowly. */
static int write_real(double x, char *out, size_t size)
{
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(out, size, "%.*g", digits, x);
        if (digits == 17 || strtod(out, NULL) == x)
            break;
    }
    return n;
}

/* Times, counts and flags: no need to look for the shortest. */
static bool is_whole(double x)
{
    return fabs(x) < 1e15 && x == (double)(int64_t)x && (x != 0 || !signbit(x));
}

static int buf_add_whole(struct buf *b, int64_t x)
{
    char s[24], *p = s + sizeof s;
    uint64_t left = (uint64_t)(x < 0 ? -x : x);
    do
        *--p = (char)('0' + left % 10);
    while (left /= 10);
    if (x < 0)
        *--p = '-';
    return buf_add(b, p, (size_t)(s + sizeof s - p));
}

int buf_add_real(struct buf *b, double x)
{
    char s[40];
    struct decimal d;
    if (!isfinite(x))
        return buf_adds(b, "null");
    if (is_whole(x))
        return buf_add_whole(b, (int64_t)x);
    int n =
        to_decimal(fabs(x), &d) ? write_decimal(d, x < 0, s) : write_real(x, s, sizeof s);
    return buf_add(b, s, (size_t)n);
}

int buf_add_json_string(struct buf *b, const char *s)
{
    buf_addc(b, '"');
    for (;;) {
        const char *plain = s;
        while ((unsigned char)*s >= 0x20 && *s != '"' && *s != '\\')
            s++;
        buf_add(b, plain, (size_t)(s - plain));
        if (!*s)
            return buf_addc(b, '"');
        if ((unsigned char)*s < 0x20)
            buf_addf(b, "\\u%04x", *s);
        else
            buf_addf(b, "\\%c", *s);
        s++;
    }
}

char *buf_take(struct buf *b, size_t *len)
{
    char *p = b->data ? b->data : xstrdup("");
    if (len)
        *len = b->len;
    *b = (struct buf){.max = b->max};
    return p;
}
