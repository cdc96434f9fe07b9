#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# check.sh: what can be said about the sources without running them. Each check prints what it
# found; the last line counts. FC_SKIP_PACKAGES=1 leaves the machine's packages alone.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

passed=0 failed=0
check() { # NAME COMMAND...
    local name=$1
    shift
    printf '== %s (%d s)\n' "$name" "$SECONDS"
    if "$@"; then ((passed += 1)); else
        ((failed += 1))
        printf 'failed: %s\n' "$name"
    fi
}
sources() { git ls-files --cached --others --exclude-standard '*.c' '*.h' | while read -r f; do [[ -f $f ]] && echo "$f"; done; }
none() { # what must not be found: prints it and fails when it is
    local found
    found=$("$@")
    [[ -z $found ]] || { printf '%s\n' "$found"; false; }
}

format() { sources | xargs clang-format --dry-run -Werror; }

warnings() { make -s -j2 BUILD=build/check CFLAGS="-O2 -g -Werror" all tests; }

cpp_check() {
    # jansson's loops, which cppcheck cannot look into
    local array='json_array_foreach(a,i,v)=for(i=0;i<json_array_size(a)&&(v=json_array_get(a,i));i++)'
    local object='json_object_foreach(o,k,v)=for(k=json_object_iter_key(json_object_iter(o));k&&(v=json_object_get(o,k));)'
    local safe='json_object_foreach_safe(o,n,k,v)=for(n=json_object_iter(o);(k=json_object_iter_key(n))&&(v=json_object_get(o,k));)'
    git ls-files 'common/*.c' 'services/*.c' 'tools/*.c' 'firmware/main/*.c' |
        xargs cppcheck -q -j2 --std=c11 --language=c -I. --inline-suppr --error-exitcode=1 \
            --enable=warning,performance,portability --suppress=missingIncludeSystem \
            --suppress=normalCheckLevelMaxBranches --suppress=readdirCalled \
            --library=posix -D_GNU_SOURCE -D__GNUC__ -D"$array" -D"$object" -D"$safe"
}

# Left out: style that the house style decides otherwise, and insecureAPI, which wants C11's
# Annex K that glibc does not have; and unix.Malloc, which does not understand reference counts
# (the sanitizers look after memory).
tidy() {
    local checks='-*,clang-analyzer-*,bugprone-*' off
    for off in bugprone-easily-swappable-parameters bugprone-narrowing-conversions bugprone-reserved-identifier \
        bugprone-branch-clone bugprone-implicit-widening-of-multiplication-result bugprone-macro-parentheses \
        bugprone-assignment-in-if-condition bugprone-suspicious-include \
        bugprone-suspicious-string-compare bugprone-sizeof-expression \
        clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling \
        clang-analyzer-security.insecureAPI.strcpy clang-analyzer-optin.performance.Padding \
        clang-analyzer-unix.Malloc; do
        checks+=,-$off
    done
    # shellcheck disable=SC2016 # "$@" is the inner shell's
    git ls-files 'common/*.c' 'services/*.c' 'tools/*.c' 'firmware/main/*.c' |
        CHECKS=$checks xargs -P2 -n1 sh -c 'clang-tidy -quiet --warnings-as-errors="*" --checks="$CHECKS" "$@" -- \
            -std=c11 -D_GNU_SOURCE -I. -isystem build/gen -isystem /usr/include/postgresql 2>/dev/null' tidy
}

# only_in HEADER FILE...: HEADER is included nowhere but in the files (basic patterns)
only_in() {
    local header=$1 allowed
    shift
    allowed=$(printf '%s\n' "$@")
    sources | grep -v '^bench/' | xargs grep -lE "^#include <($header)" | grep -vxE "$allowed"
}
owners() {
    local rc=0
    none only_in 'microhttpd\.h' 'common/http_server\.c' || rc=1
    none only_in 'curl/' 'common/http_client\.c' 'common/mqtt_link\.c' || rc=1
    none only_in 'libpq' 'common/pg\.c' 'common/pg_internal\.h' 'common/pg_values\.c' || rc=1
    none only_in 'MQTT' || rc=1
    none only_in 'librdkafka/' 'common/kafka.*' 'tests/unit/kafka_mock\.h' 'tests/helpers/mock_kafka\.c' || rc=1
    none only_in 'gsl/' 'common/ml/.*' 'tests/unit/.*' || rc=1
    none only_in 'sparkplug\.pb-c\.h|protobuf-c' 'services/ingest/sparkplug_pb\.c' 'tests/unit/sparkplug_payload\.h' || rc=1
    none only_in 'xgboost/' 'services/trainer/xgboost_api\.h' 'tests/unit/test_trees\.c' || rc=1
    none only_in 'openssl/' 'common/sha256\.c' 'common/base64\.c' || rc=1
    return $rc
}

# common/ml is mathematics: no files, no sockets, no clock, no log, no environment
pure_ml() {
    none grep -nE '^#include (<(unistd|fcntl|pthread|poll|sys/[a-z]+)\.h>|"common/(clock|log|http|influx|pg|mqtt|settings|service|stop))|\b(printf|fprintf|fopen|open|getenv|time|gettimeofday|clock_[a-z_]+|localtime(_r)?|rand|random|srand) ?\(' \
        -r common/ml --include='*.[ch]'
}

no_setlocale() { none git grep -nE 'setlocale *\(' -- '*.c' '*.h'; }
no_now_in_queries() { none git grep -niE '\b(now\(\)|current_timestamp|clock_timestamp\(\))' -- 'services/*.c' 'common/*.c' 'tools/*.c'; }
spdx() { sources | while read -r f; do head -n 1 "$f" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later' || echo "$f"; done; }
shells() {
    git ls-files '*.sh' '.ci/run' 'deploy/local/fieldcast-local' | xargs shellcheck -x -S warning
}

[[ -n ${FC_SKIP_PACKAGES:-} ]] || bash deploy/packages.sh build run test check || exit
check "clang-format" format
check "every source has its licence line" none spdx
check "each outside library is included by one place" owners
check "common/ml is pure" pure_ml
check "no setlocale" no_setlocale
check "no time in queries but the clock's" no_now_in_queries
check "warnings as errors" warnings
check "cppcheck" cpp_check
check "clang-tidy" tidy
check "shellcheck" shells
printf '\n%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
