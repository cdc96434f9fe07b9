/* SPDX-License-Identifier: GPL-3.0-or-later */
/* version: what this build calls itself. */
#ifndef FC_COMMON_VERSION_H
#define FC_COMMON_VERSION_H

extern const char fc_version[];  /* release, "0.1.0" */
extern const char fc_revision[]; /* commit, 12 digits, or "unknown" */

#endif
