#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# follow-names.sh: nginx resolves the names of its upstreams once, at start; a container that
# is made anew may have another address. This looks every few seconds and reloads nginx when
# one has changed, so that upstreams can keep their connections alive. Run by the image's
# entry point before nginx; stays in the background.
set -eu
addresses() { getent hosts ingest trainer predictor monitor || true; }
(
    before=$(addresses)
    while sleep 3; do
        after=$(addresses)
        # a name that is missing for the moment is no reason
        [ "$(echo "$after" | wc -l)" = 4 ] || continue
        [ "$after" != "$before" ] || continue
        before=$after
        nginx -t -q && nginx -s reload
    done
) &
