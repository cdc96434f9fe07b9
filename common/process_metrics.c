/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/process_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "common/version.h"

static void process_memory(struct metrics *m)
{
    long pages_virtual = 0, pages_resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f) {
        if (fscanf(f, "%ld %ld", &pages_virtual, &pages_resident) != 2)
            pages_virtual = pages_resident = 0;
        fclose(f);
    }
    double page = (double)sysconf(_SC_PAGESIZE);
    metric_set(metric_gauge(m, "process_resident_memory_bytes", "Resident memory.", NULL),
               (double)pages_resident * page);
    metric_set(metric_gauge(m, "process_virtual_memory_bytes", "Virtual memory.", NULL),
               (double)pages_virtual * page);
}

static double count_dir(const char *path)
{
    DIR *d = opendir(path);
    double n = 0;
    for (struct dirent *f; d && (f = readdir(d));)
        n += f->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

static void update(void *arg)
{
    struct metrics *m = arg;
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    metric_set(
        metric_counter(m, "process_cpu_seconds_total", "User and system time.", NULL),
        (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
            (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
    process_memory(m);
    metric_set(metric_gauge(m, "process_open_fds", "Open file descriptors.", NULL),
               count_dir("/proc/self/fd"));
    struct rlimit lim = {0};
    getrlimit(RLIMIT_NOFILE, &lim);
    metric_set(
        metric_gauge(m, "process_max_fds", "Limit of open file descriptors.", NULL),
        (double)lim.rlim_cur);
    metric_set(metric_gauge(m, "process_threads", "Threads.", NULL),
               count_dir("/proc/self/task"));
    static const char *const levels[] = {"debug", "info", "warn", "error", "fatal"};
    for (int i = LOG_INFO; i <= LOG_FATAL; i++) {
        char labels[40];
        snprintf(labels, sizeof labels, "level=\"%s\"", levels[i]);
        metric_set(
            metric_counter(m, "fieldcast_log_messages_total", "Lines logged.", labels),
            (double)log_count((enum log_level)i));
    }
}

void process_metrics_add(struct metrics *m, int64_t started_ms)
{
    char labels[200];
    snprintf(labels, sizeof labels, "version=\"%s\",revision=\"%s\",compiler=\"gcc %s\"",
             fc_version, fc_revision, __VERSION__);
    metric_set(metric_gauge(m, "fieldcast_build_info", "1, with what was built.", labels),
               1);
    metric_set(metric_gauge(m, "process_start_time_seconds", "When it started.", NULL),
               (double)started_ms / 1000);
    metrics_on_render(m, update, m);
}
