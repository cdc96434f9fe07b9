/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify: can a version be made again, to the byte, from what is kept of it? */
#ifndef FC_TRAINER_VERIFY_H
#define FC_TRAINER_VERIFY_H

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/ml/dataset.h"
#include "common/pg.h"
#include "common/registry_models.h"
#include "services/trainer/settings.h"

/* The hours that a version was trained on, from its stored rows; hours_done(). sha256
 * (NULL: not wanted) is that of the rows as they are stored now. */
int verify_rows(struct pg *pg, const char *name, int version, struct hours *h,
                char sha256[SHA256_HEX_SIZE], struct err *e) MUST_CHECK;

/* "series,time,value" and a line per hour; a missing value is empty. -1: the buffer is
 * full. */
int verify_csv(struct buf *b, const char *name, const struct hours *h) MUST_CHECK;

/* Trains a version again from its rows, against the champion of that time and with its
 * seed, and compares: {"result":"same|data_changed|code_changed",…}, new. data_changed:
 * the stored rows are not those that were hashed, or `hourly` says otherwise by now;
 * hours that have aged out there do not count. code_changed: this build makes another
 * document of them. */
json_t *verify_version(struct pg *pg, const struct trainer_settings *set,
                       const struct model_row *row, struct err *e) MUST_CHECK;

#endif
