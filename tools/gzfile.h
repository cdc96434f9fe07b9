/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gzfile: a file to read, unpacked on the way if it is gzip'ed. */
#ifndef FC_TOOLS_GZFILE_H
#define FC_TOOLS_GZFILE_H

#include <stdio.h>

/* As fopen(path, "r"): NULL with errno. A damaged gzip stream shows as ferror(). */
FILE *gzfile_open(const char *path);

#endif
