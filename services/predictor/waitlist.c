/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/waitlist.h"

#include <stdio.h>
#include <string.h>

#include "common/cond.h"

void waitlist_init(struct waitlist *w)
{
    *w = (struct waitlist){0};
    pthread_mutex_init(&w->lock, NULL);
    cond_init(&w->answer);
}

void waitlist_done(struct waitlist *w)
{
    pthread_cond_destroy(&w->answer);
    pthread_mutex_destroy(&w->lock);
}

static bool add(struct waitlist *w, const char *name)
{
    size_t i = 0;
    while (i < w->n && strcmp(w->names[i], name))
        i++;
    if (i == WAITLIST_MAX)
        return false;
    if (i == w->n)
        snprintf(w->names[w->n++], sizeof *w->names, "%s", name);
    return true;
}

bool waitlist_ask(struct waitlist *w, const char *name, int timeout_ms)
{
    struct timespec until = cond_deadline(timeout_ms);
    pthread_mutex_lock(&w->lock);
    uint64_t mine = w->asked;
    bool wait = !w->over && add(w, name);
    while (wait && !w->over && w->answered <= mine)
        wait = pthread_cond_timedwait(&w->answer, &w->lock, &until) == 0;
    bool looked = w->over || w->answered > mine;
    pthread_mutex_unlock(&w->lock);
    return looked;
}

size_t waitlist_take(struct waitlist *w, char (*names)[SERIES_MAX + 1])
{
    pthread_mutex_lock(&w->lock);
    size_t n = w->n;
    memcpy(names, w->names, n * sizeof *names);
    w->n = 0;
    w->asked += n > 0;
    pthread_mutex_unlock(&w->lock);
    return n;
}

void waitlist_answer(struct waitlist *w)
{
    pthread_mutex_lock(&w->lock);
    w->answered = w->asked;
    pthread_cond_broadcast(&w->answer);
    pthread_mutex_unlock(&w->lock);
}

void waitlist_over(struct waitlist *w)
{
    pthread_mutex_lock(&w->lock);
    w->over = true;
    w->n = 0;
    pthread_cond_broadcast(&w->answer);
    pthread_mutex_unlock(&w->lock);
}
