/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gzfile: a file to read, unpacked on the way if it is gzip'ed. */
#ifndef FC_TOOLS_GZFILE_H
#define FC_TOOLS_GZFILE_H

#include <stdio.h>

/* As fopen(path, "r"): NULL with errno. Several gzip streams one behind the other are
 * one file, zeros behind the last are skipped. Where one is damaged or cut off, or
 * something else follows, ferror() is set; gzfile_why(errno) says what it is. */
FILE *gzfile_open(const char *path);

/* What is left to read of an open file, which stays open. */
FILE *gzfile_dup(int fd);

/* As strerror(), for what reading these files leaves in errno. */
const char *gzfile_why(int error);

#endif
