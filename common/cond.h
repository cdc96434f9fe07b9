/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cond: condition variables whose waiting ends by the monotonic clock, so that a clock
 * that is put right neither ends nor prolongs it. */
#ifndef FC_COMMON_COND_H
#define FC_COMMON_COND_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* For pthread_cond_timedwait() with cond_deadline(). */
static inline void cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

/* In ms (real; not negative) from now. */
static inline struct timespec cond_deadline(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

#endif
