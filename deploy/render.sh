#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# render.sh FILE...: fills ${FC_NAME} in the files from the environment and writes them, one
# after the other, to standard output. A name that is not set is an error; nothing else is
# touched, so that nginx' own $variables stay. (nginx' official image does the same to the
# files in /etc/nginx/templates.) Needs only awk: it also runs in the brokers' small image.
set -eu
[ $# -gt 0 ] || { sed -n '3,6s/^# //p' "$0" >&2; exit 2; }
exec awk '{
    rest = $0; line = ""
    while (match(rest, /[$][{]FC_[A-Z0-9_]+[}]/)) {
        name = substr(rest, RSTART + 2, RLENGTH - 3)
        if (!(name in ENVIRON)) {
            print FILENAME ":" FNR ": " name " is not set" > "/dev/stderr"
            exit 1
        }
        line = line substr(rest, 1, RSTART - 1) ENVIRON[name]
        rest = substr(rest, RSTART + RLENGTH)
    }
    print line rest
}' "$@"
