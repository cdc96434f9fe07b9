/* SPDX-License-Identifier: GPL-3.0-or-later */
/* err: what went wrong, in words for the person who has to act on it.
 *
 * A function that can fail takes `struct err *e` last, returns -1 (or NULL) and fills *e
 * once, where the cause is known. It travels up unchanged, except that a caller may put
 * its own context in front with err_prefix(). It is answered or logged once, at the edge.
 * A struct err belongs to one thread. It holds no memory: nothing to free. */
#ifndef FC_COMMON_ERR_H
#define FC_COMMON_ERR_H

/* Codes say who can mend it; err_http_status() maps them to HTTP in this one place. */
enum err_code {
    ERR_NONE = 0,
    ERR_INVALID,      /* 400: the input is malformed, mistyped or out of range */
    ERR_UNAUTHORIZED, /* 401: no token, or one that is not known */
    ERR_FORBIDDEN,    /* 403: the token's role does not reach */
    ERR_NOT_FOUND,    /* 404 */
    ERR_METHOD,       /* 405 */
    ERR_CONFLICT,     /* 409: well-formed, but not in this state */
    ERR_TOO_LARGE,    /* 413 */
    ERR_MEDIA_TYPE,   /* 415 */
    ERR_BUSY,         /* 429: full; try again later */
    ERR_INTERNAL,     /* 500: a fault of ours */
    ERR_UPSTREAM,     /* 502: a neighbour answered with nonsense or a refusal */
    ERR_UNAVAILABLE,  /* 503: a neighbour is away */
    ERR_TIMEOUT       /* 504: a neighbour took too long */
};

struct err {
    enum err_code code;
    char slug[40];  /* machine-readable kind, e.g. "no_model_yet"; "" = by code */
    char text[480]; /* a sentence without a final stop; UTF-8, cut at this size */
};

#define ERR_INIT                                                                         \
    {                                                                                    \
        ERR_NONE, "", ""                                                                 \
    }
#define MUST_CHECK __attribute__((warn_unused_result))

/* Fills *e (printf style) and returns -1. NULL e is fine. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set(), with a slug that clients can switch on. Returns -1. */
int err_kind(struct err *e, enum err_code code, const char *slug, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "context: " before the text, keeping the code. Returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#ifdef __clang_analyzer__ /* looks at one file at a time: tell it what these return */
#define err_set(...) (err_set(__VA_ARGS__), -1)
#define err_kind(...) (err_kind(__VA_ARGS__), -1)
#define err_prefix(...) (err_prefix(__VA_ARGS__), -1)
#endif

/* The HTTP status of a code (ERR_NONE is 200), and its default slug ("invalid", ...). */
int err_http_status(enum err_code code);
const char *err_slug(const struct err *e);

#endif
