/* SPDX-License-Identifier: GPL-3.0-or-later */
/* noise: random numbers that have an address.
 *
 * The simulator must give the same value for the same moment whenever, and in whatever
 * order, it is asked; a generator with a running state cannot. So each number is a hash
 * of (key, index), and an autoregressive process is defined from fixed points in time.
 * Pure, apart from the cursors, which only remember work. */
#ifndef FC_TOOLS_NOISE_H
#define FC_TOOLS_NOISE_H

#include <stdint.h>

/* Mixes one more part into a key. */
uint64_t noise_key(uint64_t key, uint64_t part);

double noise_uniform(uint64_t key, int64_t index); /* [0, 1) */
double noise_normal(uint64_t key, int64_t index);  /* mean 0, sd 1 */

/* First-order autoregression on whole hours, x[k] = phi x[k-1] + e[k], with standard
 * deviation sd, drawn straight between hours. Started at rest long enough before each
 * block of hours that the start is forgotten to 1e-5. */
struct noise_ar {
    uint64_t key;
    double phi, sd;
    int64_t block; /* hours */
    struct {
        int64_t hour;
        double x;
        int known;
    } cursor[2];
};

void noise_ar_init(struct noise_ar *ar, uint64_t key, double phi,
                   double sd); /* 0 < phi < 1 */

/* Fast when times come roughly in order. */
double noise_ar_at(struct noise_ar *ar, int64_t t_ms);

#endif
