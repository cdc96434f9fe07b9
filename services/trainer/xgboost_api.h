/* SPDX-License-Identifier: GPL-3.0-or-later */
/* xgboost_api: libxgboost, loaded when trees are first grown. Most trainers never grow
 * any, and do without its 6 MB. */
#ifndef FC_TRAINER_XGBOOST_API_H
#define FC_TRAINER_XGBOOST_API_H

#include <xgboost/c_api.h>

#include "common/err.h"

/* What is called of it; each has the name and the type that its header gives. */
#define XGBOOST_API(F)                                                                   \
    F(XGBGetLastError)                                                                   \
    F(XGDMatrixCreateFromMat_omp)                                                        \
    F(XGDMatrixSetFloatInfo)                                                             \
    F(XGDMatrixFree)                                                                     \
    F(XGBoosterCreate)                                                                   \
    F(XGBoosterSetParam)                                                                 \
    F(XGBoosterUpdateOneIter)                                                            \
    F(XGBoosterSaveModelToBuffer)                                                        \
    F(XGBoosterFree)

struct xgboost_api {
#define XGBOOST_MEMBER(name) __typeof__(&name) name;
    XGBOOST_API(XGBOOST_MEMBER)
#undef XGBOOST_MEMBER
};

/* Any thread. NULL with ERR_INTERNAL where there is no such library, or one without all
 * of these. */
const struct xgboost_api *xgboost_api(struct err *e);

#endif
