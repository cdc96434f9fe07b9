#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# telegraf.sh TO [full]: Telegraf, built from the Go module proxy at a pinned version (the one that
# the figures in README.md were made with). As its own custom_builder does, with the plugins that
# are used and no others: that is its smallest and takes minutes; "full" has all of them, takes the
# better part of an hour on two processors, and more memory when it runs. It needs a recent Go
# (1.25, or one that may fetch it) and some GB of disk, and is done once.
set -euo pipefail
version=1.37.2
to=$(realpath -m "$1")
plugins=custom,inputs.mqtt_consumer,outputs.influxdb,parsers.json
command -v go >/dev/null || {
    echo "telegraf.sh: go is not installed, and the figures need Telegraf $version: install Go, or name a telegraf in FC_TELEGRAF" >&2
    exit 1
}
mkdir -p "$(dirname "$to")"
work=$(mktemp -d "$to.XXXXXX")
trap 'rm -rf "$work"' EXIT
export GOPATH=$work/path GOCACHE=$work/cache GOFLAGS=-modcacherw CGO_ENABLED=0
# built in its own folder, so that its own list of checksums holds for all that it needs
dir=$(cd "$work" && go mod download -json "github.com/influxdata/telegraf@v$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
tags=()
[[ ${2:-} == full ]] || tags=(-tags "$plugins")
cd "$dir"
go build "${tags[@]}" -o "$work/telegraf" \
    -ldflags "-s -w -X github.com/influxdata/telegraf/internal.Version=$version" ./cmd/telegraf
mv "$work/telegraf" "$to"
