#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# telegraf.sh TO: the ordinary Telegraf with all of its plugins, built from the Go module proxy
# at a pinned version (the one that the figures in README.md were made with). It takes a recent
# Go (1.25, or one that may fetch it), 4 GB of disk and some ten minutes, and is done once.
set -euo pipefail
version=1.37.2
to=$1
command -v go >/dev/null || {
    echo "telegraf.sh: go is not installed, and the figures need Telegraf $version: install Go, or name a telegraf in FC_TELEGRAF" >&2
    exit 1
}
mkdir -p "$(dirname "$to")"
work=$(mktemp -d "$to.XXXXXX")
trap 'rm -rf "$work"' EXIT
export GOPATH=$work/path GOCACHE=$work/cache GOBIN=$work CGO_ENABLED=0 GOFLAGS='-mod=mod -modcacherw'
go install -ldflags "-s -w -X github.com/influxdata/telegraf/internal.Version=$version" \
    "github.com/influxdata/telegraf/cmd/telegraf@v$version"
mv "$work/telegraf" "$to"
