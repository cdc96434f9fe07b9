/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast_help: what `fieldcast forecast --help` says. */
#ifndef FC_TOOLS_FORECAST_HELP_H
#define FC_TOOLS_FORECAST_HELP_H

#include "tools/options.h"

void forecast_help(const struct option *table); /* on standard output */

#endif
