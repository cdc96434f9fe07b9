/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: can a version be made again, to the byte, from what is kept of it? */
#ifndef FC_TRAINER_VERIFY_H
#define FC_TRAINER_VERIFY_H

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/ml/dataset.h"
#include "common/ml/model.h"
#include "common/pg.h"
#include "common/registry_models.h"
#include "services/trainer/settings.h"

/* The model of a row with its document. NULL with ERR_CONFLICT when that cannot be read:
 * the fault is in the registry, not in the request. */
struct model *verify_model(const struct model_row *row, struct err *e) MUST_CHECK;

/* What a version was trained on. */
struct verify_rows {
    struct hours h; /* h.beside is &others, or NULL; h.zone is the model's */
    struct others others;
    char sha256[SHA256_HEX_SIZE]; /* of the rows as they are stored now */
};

/* From its stored rows; m: the version, which knows the names of those that stood beside.
 * On failure out->sha256 is "" unless there were rows, and they make no series. Must not
 * be moved; verify_rows_done(). */
int verify_rows(struct pg *pg, const struct model_row *row, const struct model *m,
                struct verify_rows *out, struct err *e) MUST_CHECK;
void verify_rows_done(struct verify_rows *r); /* a zeroed struct is fine */

/* "series,time,value" and the names of those beside, and a line per hour; a missing value
 * is empty. -1: the buffer is full. */
int verify_csv(struct buf *b, const char *name, const struct hours *h) MUST_CHECK;

/* Trains a version again from its rows, against the champion of that time and with its
 * seed, and compares: {"result":"same|data_changed|code_changed",…}, new. data_changed:
 * the stored rows are not those that were hashed, and nothing is made of them, or
 * `hourly` says otherwise by now; hours that have aged out there do not count.
 * code_changed: this build makes another document of them, or none; "not_rebuilt" then
 * says why. */
json_t *verify_version(struct pg *pg, const struct trainer_settings *set,
                       const struct model_row *row, struct err *e) MUST_CHECK;

#endif
