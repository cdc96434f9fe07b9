/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/model_check.h"

#include <string.h>

/* The names that are read so far. */
struct names {
    const struct model *m;
    const char *name[OTHERS_MAX];
    size_t n;
    struct err *e;
    int rc;
};

static bool among(const struct model *m, const char *name)
{
    for (size_t i = 0; i < m->training.n_beside; i++)
        if (!strcmp(m->training.beside[i], name))
            return true;
    return false;
}

static void on_other(void *arg, const char *name)
{
    struct names *a = arg;
    size_t i = 0;
    while (i < a->n && strcmp(a->name[i], name))
        i++;
    if (a->rc || i < a->n)
        return;
    if (!strcmp(name, a->m->series))
        a->rc = err_set(a->e, ERR_INVALID,
                        "field \"features.exogenous\" must not name the series itself");
    else if (a->m->training.n_beside && !among(a->m, name))
        a->rc = err_set(a->e, ERR_INVALID,
                        "field \"training.beside\" must have %.80s, which is in "
                        "\"features.exogenous\"",
                        name);
    else if (a->n == OTHERS_MAX)
        a->rc = err_set(a->e, ERR_INVALID,
                        "field \"features.exogenous\" of all members together must name "
                        "at most %d series",
                        OTHERS_MAX);
    else
        a->name[a->n++] = name;
}

static int check_beside(const struct model *m, struct err *e)
{
    for (size_t i = 0; i < m->training.n_beside; i++) {
        const char *name = m->training.beside[i];
        size_t k = 0;
        while (k < i && strcmp(m->training.beside[k], name))
            k++;
        if (k < i || !*name || !strcmp(name, m->series))
            return err_set(e, ERR_INVALID,
                           "field \"training.beside[%zu]\" must name another series, "
                           "once",
                           i);
    }
    struct names a = {.m = m, .e = e};
    model_others(m, on_other, &a);
    return a.rc;
}

int model_check(const struct model *m, struct err *e)
{
    if (m->training.from_s > m->training.to_s)
        return err_set(e, ERR_INVALID,
                       "field \"training.from\" must not be after \"training.to\"");
    return check_beside(m, e);
}
