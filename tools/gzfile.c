/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/gzfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static ssize_t read_some(void *gz, char *buf, size_t size)
{
    int n = gzread(gz, buf, size > 1u << 20 ? 1u << 20 : (unsigned)size);
    int code = Z_OK;
    if (n == 0)
        gzerror(gz, &code); /* a file that ends within its stream */
    if (n < 0)
        gzerror(gz, &code);
    if (n < 0 || (code != Z_OK && code != Z_STREAM_END)) {
        if (code != Z_ERRNO) /* else errno is the system's */
            errno = EBADMSG;
        return -1;
    }
    return n;
}

static int close_gz(void *gz)
{
    return gzclose(gz) == Z_OK ? 0 : -1;
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
    gzFile gz = gzdopen(fd, "r"); /* reads a file that is not gzip'ed as it is */
    if (!gz) {
        close(fd);
        errno = ENOMEM;
        return NULL;
    }
    FILE *f = fopencookie(gz, "r",
                          (cookie_io_functions_t){.read = read_some, .close = close_gz});
    if (!f)
        gzclose(gz);
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
