/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trees: regression trees whose answers add up: a boosted model, or a random forest.
 *
 * They are grown elsewhere (struct grower) and only kept, stored and asked here. A row
 * goes down a tree from its first node: left if its column is below the value, else
 * right; where the column is NaN, as the node says. All in single precision and in the
 * order of the trees, so that the answer is libxgboost's to the bit. Read-only once made;
 * any thread. Pure. */
#ifndef FC_ML_TREES_H
#define FC_ML_TREES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define TREES_MAX 1000
#define TREES_NODES_MAX 60000 /* of all trees together: at most 3 MB of document */

struct trees {
    size_t n_trees, n_nodes;
    uint32_t *first;  /* the first node of each tree; its others follow. owned, as all */
    int16_t *feature; /* the column a node looks at; -1: a leaf */
    float *value;     /* what the column is compared with; of a leaf: its answer */
    uint32_t *left; /* the child on the left; the other one is behind it. Both lie behind
                     * their parent. 0: a leaf */
    uint8_t *missing_left; /* 1: without a value it goes left */
};

/* Room for n_nodes in n_trees, all zero. Free with trees_free(). */
struct trees *trees_new(size_t n_trees, size_t n_nodes);
void trees_free(struct trees *t); /* NULL is fine */

/* The sum of the trees' answers for a row. */
float trees_predict(const struct trees *t, const float *row);

/* Is every row of `columns` numbers answered in bounded time? */
int trees_check(const struct trees *t, size_t columns, struct err *e) MUST_CHECK;

/* Arrays "first", "feature", "value", "left", "missing_left", put into an object; and a
 * new struct trees from one, checked. NULL on error. */
void trees_save(const struct trees *t, json_t *state);
struct trees *trees_load(const json_t *state, size_t columns, struct err *e) MUST_CHECK;

/* ---- growing ---- */

/* How, in the words of boost.c's parameters. */
struct tree_plan {
    int trees, depth;     /* at most these */
    double rate;          /* of what a tree learns, this share is kept */
    double leaf;          /* rows that a leaf holds at least */
    double l2;            /* penalty on squared answers */
    double rows, columns; /* share of them that a tree, or one of its splits, looks at */
    bool forest; /* all trees side by side, their answers averaged; else one after the
                  * other, each for what is left by those before */
};

/* Who grows trees: only the trainer does, with libxgboost, of which nothing here knows.
 */
struct grower {
    /* To x (rows × cols, row major, NaN = missing) and target. The same input gives the
     * same trees. NULL on error. */
    struct trees *(*grow)(void *arg, const struct tree_plan *plan, const float *x,
                          const float *target, size_t rows, size_t cols, struct err *e);
    void *arg;
};

#endif
