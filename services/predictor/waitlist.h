/* SPDX-License-Identifier: GPL-3.0-or-later */
/* waitlist: series that somebody waits for while the champions are still being read.
 *
 * After a start the registry's thread reads all champions, which takes seconds when there
 * are many thousands; a request for one that is not there yet puts its name here and
 * waits, and the thread reads these first. Any thread may ask; one thread takes. */
#ifndef FC_PREDICTOR_WAITLIST_H
#define FC_PREDICTOR_WAITLIST_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/reading.h"

#define WAITLIST_MAX 64 /* names at a time */

struct waitlist {
    pthread_mutex_t lock;
    pthread_cond_t answer;
    char names[WAITLIST_MAX][SERIES_MAX + 1];
    size_t n;
    uint64_t asked, answered; /* rounds of names: being collected, and done with */
    bool over;                /* all is read, or will never be: nobody waits any more */
};

void waitlist_init(struct waitlist *w);
void waitlist_done(struct waitlist *w); /* nobody may wait any more */

/* Waits until the name was looked for, or all is over. False: it was not within
 * timeout_ms, or there was no room for the name. */
bool waitlist_ask(struct waitlist *w, const char *name, int timeout_ms);

/* Moves the names out (room for WAITLIST_MAX); returns how many. After they have been
 * looked for, and only if there were any: waitlist_answer(). */
size_t waitlist_take(struct waitlist *w, char (*names)[SERIES_MAX + 1]);
void waitlist_answer(struct waitlist *w);

/* Nobody waits from now on. */
void waitlist_over(struct waitlist *w);

#endif
