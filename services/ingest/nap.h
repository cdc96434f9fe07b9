/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nap: a thread's pause that a stop ends at once. */
#ifndef FC_INGEST_NAP_H
#define FC_INGEST_NAP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct nap {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool stopped;
};

void nap_init(struct nap *n);
void nap_done(struct nap *n);
/* Waits ms (real). False once nap_stop() was called, and ever after. */
bool nap_wait(struct nap *n, int64_t ms);
bool nap_stopped(struct nap *n);
void nap_stop(struct nap *n);

#endif
