#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# packages.sh: the Debian packages Fieldcast needs, and their installation.
#
#   deploy/packages.sh GROUP...          installs what is missing (as root, or through sudo)
#   deploy/packages.sh --list GROUP...   prints the names, one a line
#   deploy/packages.sh --missing GROUP...  prints the names that are not installed
#
# Groups: build (compile), run (servers of the demo), test, full (what make test-full needs
# beside these: a Kafka), bench (peers of the benchmarks), check (linters).
#
# Installing changes nothing on the machine but the packages: while apt runs, a policy-rc.d
# forbids every start and restart of a service, and PostgreSQL's packages are told to make no
# cluster. Both are put back afterwards, also on failure. A server that was not there before
# stays disabled, so that it does not come up at the next boot either.
set -euo pipefail

# a|b: either will do; a is installed when neither is there
packages_of() {
    case $1 in
    build)
        echo gcc libc6-dev make git \
            libmicrohttpd-dev 'libcurl4-openssl-dev|libcurl4-gnutls-dev|libcurl4-nss-dev' \
            libjansson-dev libpq-dev libgsl-dev librdkafka-dev libssl-dev zlib1g-dev \
            libprotobuf-c-dev protobuf-c-compiler libxgboost-dev
        ;;
    run) echo mosquitto influxdb postgresql nginx curl jq ca-certificates tzdata util-linux ;;
    test)
        echo libcmocka-dev python3 python3-venv prometheus mosquitto-clients openssl kcat clang \
            "libclang-rt-dev|libclang-rt-14-dev" libstdc++-12-dev chromium chromium-driver
        ;;
    full) echo maven 'default-jre-headless|openjdk-17-jre-headless' ;;
    bench) echo libpaho-mqtt-dev ;;
    check) echo clang-format clang-tidy cppcheck shellcheck ;;
    *)
        echo "packages: no group \"$1\"; there are build, run, test, full, bench, check" >&2
        exit 2
        ;;
    esac
}
# packages that bring a server: unit names, for those that this run installs
servers="mosquitto influxdb postgresql nginx prometheus"

policy=/usr/sbin/policy-rc.d
policy_saved=$policy.fieldcast-saved
policy_mark='# fieldcast: no service starts while packages are installed'
no_cluster=/etc/postgresql-common/createcluster.d/zz-fieldcast.conf

say() { printf 'packages: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}

installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# the missing ones of "$@" (names or alternatives), one a line
missing_of() {
    local entry name there
    for entry; do
        there=
        for name in ${entry//|/ }; do
            if installed "$name"; then there=1; fi
        done
        [[ $there ]] || echo "${entry%%|*}"
    done
}

# Puts back what an earlier run, perhaps killed, has left.
restore() {
    if [[ -f $policy ]] && grep -qxF "$policy_mark" "$policy"; then rm -f "$policy"; fi
    if [[ -e $policy_saved || -L $policy_saved ]]; then mv -f "$policy_saved" "$policy"; fi
    rm -f "$no_cluster"
    # the folder stays where the package that owns it is there
    installed postgresql-common || rmdir -p "${no_cluster%/*}" 2>/dev/null || true
}

forbid_services() {
    # a policy that already forbids is left as it is
    if [[ -x $policy ]] && { "$policy" fieldcast-probe start && rc=0 || rc=$?; [[ $rc == 101 ]]; }; then
        return
    fi
    if [[ -e $policy || -L $policy ]]; then mv "$policy" "$policy_saved"; fi
    printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" >"$policy"
    chmod 755 "$policy"
}

forbid_cluster() {
    mkdir -p "${no_cluster%/*}"
    echo 'create_main_cluster = false' >"$no_cluster"
}

apt() {
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none \
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

disable_new_servers() {
    local name off=
    for name in $servers; do
        [[ " $* " == *" $name "* ]] || continue
        deb-systemd-helper disable "$name.service" >/dev/null 2>&1 || true
        update-rc.d "$name" disable >/dev/null 2>&1 || true
        off+=" $name"
    done
    [[ -z $off ]] || say "installed but left disabled as services of this machine:$off"
}

install_missing() {
    local log attempt have_lists list
    exec 9>/run/fieldcast-packages.lock
    flock 9
    log=$(mktemp /tmp/fieldcast-packages.XXXXXX.log)
    trap restore EXIT
    trap 'exit 130' INT TERM HUP
    restore
    forbid_services
    forbid_cluster

    have_lists=
    for list in /var/lib/apt/lists/*_Packages*; do
        if [[ -f $list && -z $(find "$list" -mtime +7) ]]; then have_lists=1; fi
    done
    say "installing $# packages: $*"
    for attempt in 1 2 3; do
        if [[ -z $have_lists ]] && ! apt update >>"$log" 2>&1; then
            say "apt-get update failed (try $attempt of 3)"
        fi
        if apt install --no-install-recommends "$@" >>"$log" 2>&1; then
            disable_new_servers "$@"
            rm -f "$log"
            return
        fi
        have_lists= # perhaps the lists were too old
        say "apt-get install failed (try $attempt of 3)"
        sleep $((attempt * 2))
    done
    tail -n 5 "$log" >&2
    die "could not install the packages; the whole output is in $log"
}

main() {
    local mode=install group
    local -a wanted=() names=() missing=()
    case ${1:-} in
    --list | --missing) mode=${1#--} && shift ;;
    -h | --help | '')
        sed -n '3,15s/^# \{0,1\}//p' "$0"
        exit 2
        ;;
    esac
    for group; do
        read -ra names <<<"$(packages_of "$group")"
        ((${#names[@]})) || exit 2
        wanted+=("${names[@]}")
    done
    if [[ $mode == list ]]; then
        printf '%s\n' "${wanted[@]%%|*}"
        return
    fi
    command -v dpkg-query apt-get >/dev/null || die "this is no Debian; needed there: ${wanted[*]%%|*}"
    mapfile -t missing < <(missing_of "${wanted[@]}")
    if [[ $mode == missing ]]; then
        ((${#missing[@]} == 0)) || printf '%s\n' "${missing[@]}"
        return
    fi
    ((${#missing[@]})) || return 0
    if ((EUID == 0)); then
        install_missing "${missing[@]}"
    elif command -v sudo >/dev/null; then
        say "root is needed to install ${#missing[@]} packages; asking sudo"
        sudo bash "$0" "$@"
    else
        die "not installed: ${missing[*]}; install them as root (or install sudo) and try again"
    fi
}

main "$@"
