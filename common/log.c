/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/plain.h"

#define OFTEN_MS 60000

static const char *const names[] = {"debug", "info", "warn", "error", "fatal"};
static const char *service_name = "fieldcast";
static enum log_level least_level = LOG_INFO;
static atomic_uint_fast64_t counts[LOG_FATAL + 1];

void log_init(const char *service, enum log_level least)
{
    service_name = service;
    least_level = least;
}

uint64_t log_count(enum log_level level)
{
    return atomic_load(&counts[level]);
}

int log_level_parse(const char *s, enum log_level *level)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
        if (!strcmp(s, names[i])) {
            *level = (enum log_level)i;
            return 0;
        }
    return -1;
}

static size_t escape(char *out, size_t cap, const char *s)
{
    size_t n = 0;
    for (size_t used; *s && n + PLAIN_CHAR_SIZE < cap; s += used) {
        unsigned char c = (unsigned char)*s;
        used = 1;
        if (c == '"' || c == '\\') {
            out[n++] = '\\';
            out[n++] = (char)c;
        } else if (c == '\n') {
            out[n++] = '\\';
            out[n++] = 'n';
        } else if (c < 0x20 || c == 0x7f) {
            n += (size_t)snprintf(out + n, cap - n, "\\x%02x", c);
        } else {
            used = plain_char(s, out + n);
            n += strlen(out + n);
        }
    }
    out[n] = '\0';
    return n;
}

void log_often(struct log_often *o, enum log_level level, const char *fmt, ...)
{
    char text[900];
    long long now_ms = clock_mono_ms(), until_ms = atomic_load(&o->until_ms);
    if (now_ms < until_ms ||
        !atomic_compare_exchange_strong(&o->until_ms, &until_ms, now_ms + OFTEN_MS)) {
        atomic_fetch_add(&o->held, 1);
        return;
    }
    unsigned long held = atomic_exchange(&o->held, 0);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (held)
        log_line(level, "%s (and %lu more like it before)", text, held);
    else
        log_line(level, "%s", text);
}

void log_line(enum log_level level, const char *fmt, ...)
{
    atomic_fetch_add(&counts[level], 1);
    if (level < least_level)
        return;
    char text[1024], quoted[1100], line[1400], stamp[CLOCK_RFC3339_SIZE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    escape(quoted, sizeof quoted, text);
    clock_format(clock_now_ms(), stamp);
    int n = snprintf(line, sizeof line, "time=%s level=%s service=%s msg=\"%s\"\n", stamp,
                     names[level], service_name, quoted);
    if (n > (int)sizeof line - 1)
        n = (int)sizeof line - 1;
    ssize_t written = write(STDERR_FILENO, line, (size_t)n);
    (void)written; /* there is nowhere left to complain to */
}
