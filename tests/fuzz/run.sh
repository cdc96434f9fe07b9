#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tests/fuzz/run.sh [SECONDS] [NAME...]: builds each tests/fuzz/fuzz_*.c with clang's libFuzzer,
# address and undefined behaviour sanitizers, and lets it run. What breaks it is left in
# build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
names=("$@")
((${#names[@]})) || for f in tests/fuzz/fuzz_*.c; do names+=("$(basename "$f" .c)"); done
command -v clang >/dev/null || { echo "fuzz: clang is not installed" >&2; exit 1; }

out=build/fuzz
mkdir -p "$out"
flags=(-std=c11 -D_GNU_SOURCE -I. -isystem build/gen -g -O1 -pthread "-fsanitize=fuzzer,address,undefined"
    -fno-sanitize-recover=all)
make -s build/gen/sparkplug.pb-c.h
sources=(build/gen/sparkplug.pb-c.c)
for file in services/ingest/*.c services/ingest/decoders/*.c common/*.c common/ml/*.c; do
    [[ $file == */main.c || $file == common/pg* || $file == common/registry* ]] || sources+=("$file")
done
for name in "${names[@]}"; do
    echo "== $name: ${seconds} s"
    mkdir -p "$out/$name.corpus"
    clang "${flags[@]}" -o "$out/$name" "tests/fuzz/$name.c" "${sources[@]}" \
        -lprotobuf-c -lrdkafka -lmicrohttpd -lcurl -ljansson -lgsl -lgslcblas -lcrypto -lz -lm
    if [[ $name == fuzz_decode ]]; then # the cases, each on its kind of topic
        n=0
        for c in tests/cases/decode/*/payload; do
            for ((t = 0; t < 32; t++)); do # more than there are begin anew
                { printf '%b' "\\x$(printf %02x "$t")"; cat "$c"; } >"$out/$name.corpus/case$((n++))"
            done
        done
    fi
    if [[ $name == fuzz_model ]]; then cp tests/cases/model/*.json "$out/$name.corpus"; fi
    "$out/$name" -max_total_time="$seconds" -max_len=4096 -print_final_stats=0 -verbosity=0 \
        -artifact_prefix="$out/" "$out/$name.corpus"
done
