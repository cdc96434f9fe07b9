/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/settings.h"

#include <stddef.h>
#include <unistd.h>

#include "common/pg.h"

#define AT(member) offsetof(struct trainer_settings, member)

const struct setting trainer_settings_table[] = {
    SERVICE_SETTINGS(struct trainer_settings, common, "8102", "1"),
    PG_SETTINGS(struct trainer_settings, pg_conninfo),
    INFLUX_SETTINGS(struct trainer_settings, influx),
    {"TRAIN_WORKERS", SET_INT, AT(workers), "0", 0, 64,
     "trainings at the same time; 0: one per core"},
    {"TRAIN_LEASE_S", SET_INT, AT(lease_s), "30", 2, 3600,
     "a job whose trainer was not heard of for so long is given to another, real s"},
    {"KEEP_RUNS_DAYS", SET_INT, AT(keep_days), "400", 1, 36500,
     "jobs and runs older than so many days are removed"},
    {"KEEP_VERSIONS", SET_INT, AT(keep_versions), "20", 1, 100000,
     "versions kept per series, beside those that a decision names"},
    {0},
};

int trainer_settings_load(struct trainer_settings *s, struct err *e)
{
    if (settings_load(trainer_settings_table, s, e) ||
        pg_check_conninfo(s->pg_conninfo, e))
        return -1;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (!s->workers)
        s->workers = cores < 1 ? 1 : cores > 64 ? 64 : cores;
    return 0;
}

void trainer_settings_done(struct trainer_settings *s)
{
    settings_done(trainer_settings_table, s);
}
