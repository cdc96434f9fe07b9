/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/noise.h"

#include <math.h>

#include "common/clock.h"

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t noise_key(uint64_t key, uint64_t part)
{
    return mix(key + UINT64_C(0x9e3779b97f4a7c15) * (part + 1));
}

/* 53 bits, moved half a step off zero so that a logarithm of it exists. */
static double open_unit(uint64_t x)
{
    return ((double)(x >> 11) + 0.5) * 0x1p-53;
}

double noise_uniform(uint64_t key, int64_t index)
{
    return (double)(noise_key(key, (uint64_t)index) >> 11) * 0x1p-53;
}

/* Box and Muller's transform of two hashes. */
double noise_normal(uint64_t key, int64_t index)
{
    uint64_t a = noise_key(key, (uint64_t)index),
             b = mix(a + UINT64_C(0x9e3779b97f4a7c15));
    return sqrt(-2 * log(open_unit(a))) * cos(2 * M_PI * open_unit(b));
}

void noise_ar_init(struct noise_ar *ar, uint64_t key, double phi, double sd)
{
    *ar = (struct noise_ar){.key = key,
                            .phi = phi,
                            .sd = sd * sqrt(1 - phi * phi),
                            .block = (int64_t)ceil(log(1e-5) / log(phi))};
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The value of a whole hour: the recursion runs from the start of the block before. */
static double at_hour(struct noise_ar *ar, int slot, int64_t hour)
{
    int64_t block = floor_div(hour, ar->block);
    int64_t k = (block - 1) * ar->block;
    double x = 0;
    if (ar->cursor[slot].known && ar->cursor[slot].hour <= hour &&
        floor_div(ar->cursor[slot].hour, ar->block) == block) {
        k = ar->cursor[slot].hour;
        x = ar->cursor[slot].x;
    }
    while (k < hour) {
        k++;
        x = ar->phi * x + ar->sd * noise_normal(ar->key, k);
    }
    ar->cursor[slot].hour = hour;
    ar->cursor[slot].x = x;
    ar->cursor[slot].known = 1;
    return x;
}

double noise_ar_at(struct noise_ar *ar, int64_t t_ms)
{
    int64_t hour = floor_div(t_ms, HOUR_MS);
    double part = (double)(t_ms - hour * HOUR_MS) / (double)HOUR_MS;
    double a = at_hour(ar, 0, hour), b = at_hour(ar, 1, hour + 1);
    return a + (b - a) * part;
}
