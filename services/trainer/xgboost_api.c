/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/xgboost_api.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define LIBRARY "libxgboost.so.0"

static struct xgboost_api api;
static char why[256]; /* it cannot be used; "": it can */

/* A pointer to a function comes as one to data (POSIX, dlsym()). */
static bool find(void *library, const char *name, void *at, size_t size)
{
    void *symbol = dlsym(library, name);
    memcpy(at, &symbol, size);
    return symbol;
}

static void load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    bool all = library;
#define FIND(name) all = all && find(library, #name, &api.name, sizeof api.name);
    XGBOOST_API(FIND)
#undef FIND
    if (!all) {
        const char *text = dlerror();
        strncpy(why, text ? text : "it cannot be loaded", sizeof why - 1);
    }
}

const struct xgboost_api *xgboost_api(struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!*why)
        return &api;
    err_set(e, ERR_INTERNAL,
            "trees are grown by libxgboost (Debian's package libxgboost0): %s", why);
    return NULL;
}
