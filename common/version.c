/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/version.h"

#ifndef FC_REVISION
#define FC_REVISION "unknown"
#endif

const char fc_version[] = "0.1.0";
const char fc_revision[] = FC_REVISION;
