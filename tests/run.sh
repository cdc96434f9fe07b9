#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh: runs groups of tests one after the other and ends with one line of counts over all.
#
#   tests/run.sh quick     what a change must pass: unit tests (plain and with sanitizers),
#                          contract and integration tests
#   tests/run.sh full      what takes longer: the long forms, services with sanitizers,
#                          thread sanitizer, docker compose
#   tests/run.sh unit      unit tests only
#   tests/run.sh itest [PYTEST ARGUMENT...]   contract and integration tests only
#   tests/run.sh prepare [GROUP...]   no tests: the packages (those of deploy/packages.sh GROUP
#                          as well) and the Python environment, for make bench
#
# A group that cannot run (a build that fails, a server that is not installed) is a failure.
# FC_SKIP_PACKAGES=1 leaves the machine's packages alone; BUILD is the folder to build in.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

base=${BUILD:-build}
dir_of() { echo "$base${1:+/san-${1//,/-}}"; } # SANITIZERS

passed=0 failed=0 skipped=0
failures=()
out=$(mktemp -d /tmp/fieldcast-run.XXXXXX)
trap 'rm -rf "$out"' EXIT
trap 'exit 130' INT TERM

say() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }
count() { # PASSED FAILED SKIPPED NAME
    ((passed += $1, failed += $2, skipped += $3))
    (($2 == 0)) || failures+=("$4")
}
# runs a command whose success or failure counts as one test
step() { # NAME COMMAND...
    local name=$1
    shift
    say "$name"
    if "$@"; then count 1 0 0 "$name"; else count 0 1 0 "$name"; fi
}
finish() {
    local name
    for name in "${failures[@]}"; do printf 'failed: %s\n' "$name"; done
    printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    ((failed == 0 && passed > 0)) || exit 1
    exit 0
}
# like step, but the rest makes no sense without it
need() {
    local name=$1
    shift
    say "$name"
    "$@" && return
    count 0 1 0 "$name"
    finish
}

packages() { # MORE GROUPS...
    [[ -z ${FC_SKIP_PACKAGES:-} ]] || return 0
    bash deploy/packages.sh build run test "$@"
}

build() { # SANITIZERS
    make -s -j2 SAN="$1" BUILD="$(dir_of "$1")" all tests
}

# cmocka's own counts; a program that ends without them has crashed
unit() { # SANITIZERS
    local dir t name log n p f s
    dir=$(dir_of "$1")
    export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
    for t in tests/unit/test_*.c; do
        name=$(basename "$t" .c)
        log=$out/$name
        timeout 120 "$dir/tests/$name" >"$log" 2>&1
        local rc=$?
        p=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test(s)\.$/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
        f=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test(s), listed below:$/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
        s=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test(s), listed below:$/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
        n=$((p + f + s))
        if ((rc != 0 && f == 0)) || ((n == 0)); then ((f += 1)); fi
        count "$p" "$f" "$s" "$name${1:+ under $1}"
        if ((f)); then cat "$log"; else printf '   %-24s %4d passed\n' "$name" "$p"; fi
    done
}

venv() {
    local v=$base/venv
    cmp -s tests/requirements.txt "$v/.installed" && return
    rm -rf "$v"
    python3 -m venv "$v" && "$v/bin/pip" -q --disable-pip-version-check install -r tests/requirements.txt &&
        cp tests/requirements.txt "$v/.installed"
}

# counts and names from the report, because a run that is cut short prints none
py() { # NAME ARGUMENT...
    local name=$1 report=$out/report.xml rc p f s bad
    shift
    rm -f "$report"
    FC_BUILD="$(realpath "${FC_BUILD:-$base}")" "$base/venv/bin/python" -m pytest -c tests/pytest.ini --rootdir=. --basetemp="$out/pytest" --junitxml="$report" "$@"
    rc=$?
    {
        read -r p f s
        mapfile -t bad
    } < <(python3 tests/report.py "$report")
    if ((rc != 0 && f == 0)); then f=1; fi
    count "$p" "$f" "$s" "$name"
    failures+=("${bad[@]/#/$name: }")
}

quick() {
    need "packages" packages
    need "build" build ""
    say "unit tests" && unit ""
    need "python environment" venv
    say "contract, page and integration tests" && py "pytest" -n 2 --dist loadfile --no-loadscope-reorder -m "not long" tests/contract tests/web tests/integration
    need "build with address and undefined behaviour sanitizers" build address,undefined
    say "unit tests with address and undefined behaviour sanitizers" && unit address,undefined
}

# what is rough with the services, for the sanitizers to watch
rough=(-n 2 --dist loadfile -m "not long" tests/integration/test_{loop,bad_input,outage,ingest_kills,predictor_champion,monitor_outage}.py)

full() {
    need "packages" packages full
    need "build" build ""
    need "python environment" venv
    say "long forms" && py "long forms" -n 2 --dist loadfile -m long tests/contract tests/web tests/integration
    need "build with address and undefined behaviour sanitizers" build address,undefined
    say "services with address and undefined behaviour sanitizers"
    FC_BUILD=$(dir_of address,undefined) py "services under ASan and UBSan" "${rough[@]}"
    need "build with thread sanitizer" build thread
    say "unit tests with thread sanitizer" && unit thread
    say "services with thread sanitizer"
    FC_BUILD=$(dir_of thread) py "services under TSan" "${rough[@]}"
    step "fuzzing what parses input from outside" bash tests/fuzz/run.sh 45
    step "docker compose" make -s test-compose
}

case ${1:-} in
quick) quick ;;
full) full ;;
unit)
    need "build" build "${SAN:-}"
    unit "${SAN:-}"
    ;;
itest)
    shift
    need "build" make -s -j2 BUILD="$base" all helpers
    need "python environment" venv
    if (($# == 0)); then set -- -n 2 --dist loadfile --no-loadscope-reorder -m "not long" tests/contract tests/web tests/integration; fi
    py "pytest" "$@"
    ;;
prepare)
    shift
    need "packages" packages "$@"
    need "python environment" venv
    exit
    ;;
*)
    sed -n '3,17s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
finish
