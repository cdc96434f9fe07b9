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
for file in services/ingest/*.c services/ingest/decoders/*.c common/*.c common/ml/*.c \
    tools/series*.c tools/csv.c tools/gzfile.c tools/site.c; do
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
    if [[ $name == fuzz_series ]]; then # both forms
        printf '0series,time,value\na,0,1\na,3600,2\nb,"2026-01-01T00:00:00Z",3\n' >"$out/$name.corpus/long"
        printf '0time,value\n0,1\n7200,\n' >"$out/$name.corpus/one"
        printf '1id,V1,V2\na,1,,3\nb,4,,,\n' >"$out/$name.corpus/wide"
        printf '0\xef\xbb\xbfvalue,timestamp\r\n1,0\r\n' >"$out/$name.corpus/mark"
    fi
    # makes a record that reaches into the one behind it
    if [[ $name == fuzz_wal ]]; then printf '\xaa\xd2\x1e\x8c\xb3\x32' >"$out/$name.corpus/reaches"; fi
    if [[ $name == fuzz_model ]]; then cp tests/cases/model/*.json "$out/$name.corpus"; fi
    "$out/$name" -max_total_time="$seconds" -max_len=4096 -print_final_stats=0 -verbosity=0 \
        -artifact_prefix="$out/" "$out/$name.corpus"
done
