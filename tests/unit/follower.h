/* SPDX-License-Identifier: GPL-3.0-or-later */
/* follower: two series, one of which may follow the other. */
#ifndef FC_TESTS_FOLLOWER_H
#define FC_TESTS_FOLLOWER_H

#include "tests/unit/series.h"

/* -1 to 1: another seed, other noise. */
static inline double follower_noise(size_t i, unsigned seed)
{
    uint64_t x = (i + 1) * 6364136223846793005u + seed * 1442695040888963407u;
    x ^= x >> 31;
    x *= 0x9E3779B97F4A7C15u;
    return (double)(x >> 40) / (double)(1 << 23) - 1;
}

/* Both: a day, and an autoregression. b's is of 0.9; that of a, of 0.8, is also moved by
 * what all of b was `lag` hours before, if that is above 0. n hours, behind two days that
 * are forgotten. */
static inline void follower(struct hours *a, struct hours *b, size_t n, int lag,
                            unsigned seed)
{
    double rest[2] = {0, 0}, past[32] = {0};
    *a = series(n, 1);
    *b = series(n, 1);
    for (size_t i = 0; i < n + 48; i++) {
        double day = sin(2 * M_PI * (double)i / 24);
        rest[0] = 0.9 * rest[0] + follower_noise(i, 2 * seed);
        rest[1] = 0.8 * rest[1] + 0.5 * follower_noise(i, 2 * seed + 1) +
                  (lag ? 0.5 * past[(i + 32 - (size_t)lag) % 32] : 0);
        past[i % 32] = rest[0] + 3 * day;
        if (i < 48)
            continue;
        a->y[i - 48] = 20 + rest[1] + day;
        b->y[i - 48] = 50 + rest[0] + 3 * day;
    }
}

#endif
