/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast: the subcommand that forecasts the series of a file, without any server, by
 * the same training that the trainer does. */
#ifndef FC_TOOLS_FORECAST_H
#define FC_TOOLS_FORECAST_H

/* Returns the exit code: 0, 1 (failed), 2 (wrong command line). */
int forecast_main(int argc, char **argv);

#endif
