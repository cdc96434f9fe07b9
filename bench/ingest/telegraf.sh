#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# telegraf.sh TO: the ordinary Telegraf with all of its plugins, built from the Go module proxy
# at a pinned version (the one that the figures in README.md were made with). It takes a recent
# Go (1.25, or one that may fetch it), 4 GB of disk and some ten minutes, and is done once.
set -euo pipefail
version=1.37.2
to=$(realpath -m "$1")
command -v go >/dev/null || {
    echo "telegraf.sh: go is not installed, and the figures need Telegraf $version: install Go, or name a telegraf in FC_TELEGRAF" >&2
    exit 1
}
mkdir -p "$(dirname "$to")"
work=$(mktemp -d "$to.XXXXXX")
trap 'rm -rf "$work"' EXIT
export GOPATH=$work/path GOCACHE=$work/cache GOFLAGS=-modcacherw CGO_ENABLED=0
# from its own folder, so that its own list of checksums holds for all that it needs
dir=$(cd "$work" && go mod download -json "github.com/influxdata/telegraf@v$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cd "$dir"
go build -o "$work/telegraf" -ldflags "-s -w -X github.com/influxdata/telegraf/internal.Version=$version" ./cmd/telegraf
mv "$work/telegraf" "$to"
