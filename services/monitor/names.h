/* SPDX-License-Identifier: GPL-3.0-or-later */
/* names: each name once, in the order they came. A name is looked for in a tree: as many
 * as there are series may come at once, each with every one of its hours. One thread. */
#ifndef FC_MONITOR_NAMES_H
#define FC_MONITOR_NAMES_H

#include <stddef.h>

struct names {  /* zeroed: empty */
    char **all; /* owned, like the names */
    size_t n, cap;
    void *tree;
};

/* Copies "device.quantity", unless it is there or max names are. */
void names_add(struct names *s, const char *device, const char *quantity, size_t max);
/* Empty again. */
void names_clear(struct names *s);

#endif
