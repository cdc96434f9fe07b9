/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Not zlib's gzread(): that takes what follows the packed data and is not packed for the
 * end of the file. */
#include "tools/gzfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "common/mem.h"

#define IN_SIZE 65536
#define GZIP_ONLY (MAX_WBITS + 16)
#define MAGIC_SIZE 2

static const unsigned char magic[MAGIC_SIZE] = {0x1f, 0x8b};

struct unpacker {
    int fd;
    z_stream z; /* next_in, avail_in: what of in is still to be taken */
    bool looked, packed;
    bool between; /* the members of a gzip'ed file */
    bool padded;  /* zeros were there: nothing else may follow */
    unsigned char in[IN_SIZE];
};

/* Some more behind what is in u->in; 0 at the end, -1 with errno. */
static ssize_t read_more(struct unpacker *u)
{
    if (!u->z.avail_in)
        u->z.next_in = u->in;
    unsigned char *end = u->z.next_in + u->z.avail_in;
    ssize_t n = read(u->fd, end, (size_t)(u->in + IN_SIZE - end));
    if (n > 0)
        u->z.avail_in += (unsigned)n;
    return n;
}

/* Is it gzip'ed? A pipe may bring its first two bytes one by one. */
static int look(struct unpacker *u)
{
    ssize_t n = 1;
    while (n > 0 && u->z.avail_in < MAGIC_SIZE)
        n = read_more(u);
    if (n < 0)
        return -1;
    u->looked = true;
    u->packed = u->z.avail_in >= MAGIC_SIZE && !memcmp(u->in, magic, MAGIC_SIZE);
    if (u->packed && inflateInit2(&u->z, GZIP_ONLY) != Z_OK) {
        errno = ENOMEM;
        return -1;
    }
    return 0;
}

static ssize_t read_plain(struct unpacker *u, char *to, size_t size)
{
    size_t n = u->z.avail_in < size ? u->z.avail_in : size;
    if (!n)
        return read(u->fd, to, size);
    memcpy(to, u->z.next_in, n);
    u->z.next_in += n;
    u->z.avail_in -= (unsigned)n;
    return (ssize_t)n;
}

/* What stands behind a member: another, or zeros as tapes have them. */
static int next_member(struct unpacker *u)
{
    for (; u->z.avail_in && !*u->z.next_in; u->z.next_in++, u->z.avail_in--)
        u->padded = true;
    if (!u->z.avail_in)
        return 0;
    if (u->padded || *u->z.next_in != *magic) {
        errno = EILSEQ;
        return -1;
    }
    u->between = false;
    return inflateReset(&u->z) == Z_OK ? 0 : -1;
}

static ssize_t read_packed(struct unpacker *u, char *to, size_t size)
{
    u->z.next_out = (unsigned char *)to;
    u->z.avail_out = size > IN_SIZE ? IN_SIZE : (unsigned)size;
    while (u->z.next_out == (unsigned char *)to) {
        ssize_t n = u->z.avail_in ? 1 : read_more(u);
        if (n == 0 && u->between)
            return 0;
        if (n == 0)
            errno = EBADMSG;
        if (n <= 0 || (u->between && next_member(u)))
            return -1;
        if (u->between)
            continue;
        int rc = inflate(&u->z, Z_NO_FLUSH);
        u->between = rc == Z_STREAM_END;
        if (rc != Z_OK && rc != Z_STREAM_END) {
            errno = EBADMSG;
            return -1;
        }
    }
    return (char *)u->z.next_out - to;
}

static ssize_t read_some(void *cookie, char *to, size_t size)
{
    struct unpacker *u = cookie;
    if (!u->looked && look(u))
        return -1;
    return u->packed ? read_packed(u, to, size) : read_plain(u, to, size);
}

static int close_both(void *cookie)
{
    struct unpacker *u = cookie;
    if (u->packed)
        inflateEnd(&u->z);
    int rc = close(u->fd);
    free(u);
    return rc;
}

/* Takes fd over. */
static FILE *from_fd(int fd)
{
    struct stat st;
    if (fd < 0)
        return NULL;
    if (!fstat(fd, &st) && S_ISDIR(st.st_mode)) {
        close(fd);
        errno = EISDIR;
        return NULL;
    }
    struct unpacker *u = xcalloc(1, sizeof *u);
    u->fd = fd;
    FILE *f = fopencookie(
        u, "r", (cookie_io_functions_t){.read = read_some, .close = close_both});
    if (!f)
        close_both(u);
    return f;
}

FILE *gzfile_open(const char *path)
{
    return from_fd(open(path, O_RDONLY | O_CLOEXEC));
}

FILE *gzfile_dup(int fd)
{
    return from_fd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

const char *gzfile_why(int error)
{
    return error == EBADMSG  ? "its gzip stream is damaged or cut off"
           : error == EILSEQ ? "something that is not gzip'ed follows its gzip stream"
                             : strerror(error);
}
