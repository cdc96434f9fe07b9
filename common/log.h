/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log: logfmt lines on stderr, one write(2) each, escaped in one place.
 *
 * Level says what the program does next: info (goes on, normal), warn (goes on,
 * degraded), error (this request or batch is lost), fatal (the program ends). Never log a
 * secret. Any thread may call. common/ml never logs. */
#ifndef FC_COMMON_LOG_H
#define FC_COMMON_LOG_H

#include <stdatomic.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_FATAL };

/* Once, before threads. service (borrowed for ever) appears in each line. */
void log_init(const char *service, enum log_level least);

void log_line(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* For what may come many times a second: said at once, then at most once a minute (real),
 * with how often it came since. One struct per place, zeroed. */
struct log_often {
    atomic_llong until_ms; /* monotonic */
    atomic_ulong held;
};
void log_often(struct log_often *o, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_fatal(...) log_line(LOG_FATAL, __VA_ARGS__)

/* Lines written so far at a level, for /metrics. */
uint64_t log_count(enum log_level level);

/* Parses "debug", "info", "warn", "error"; -1 for anything else. */
int log_level_parse(const char *s, enum log_level *level);

#endif
