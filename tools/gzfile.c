/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/gzfile.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

static ssize_t read_some(void *gz, char *buf, size_t size)
{
    int n = gzread(gz, buf, size > 1u << 20 ? 1u << 20 : (unsigned)size);
    int code = Z_OK;
    if (n == 0)
        gzerror(gz, &code); /* a file that ends within its stream */
    if (n < 0 || (code != Z_OK && code != Z_STREAM_END)) {
        errno = EIO;
        return -1;
    }
    return n;
}

static int close_gz(void *gz)
{
    return gzclose(gz) == Z_OK ? 0 : -1;
}

FILE *gzfile_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
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
