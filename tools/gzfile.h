/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gzfile: a file to read, unpacked on the way if it is gzip'ed. */
#ifndef FC_TOOLS_GZFILE_H
#define FC_TOOLS_GZFILE_H

#include <stdio.h>

/* As fopen(path, "r"): NULL with errno. A damaged gzip stream shows as ferror(), errno
 * EBADMSG. */
FILE *gzfile_open(const char *path);

/* What is left to read of an open file, which stays open. */
FILE *gzfile_dup(int fd);

#endif
