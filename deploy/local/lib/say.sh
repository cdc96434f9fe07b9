# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# say: what the start script tells its user. Steps are lines with a time behind them; a step
# that fails names its log and ends the script.
export LC_ALL=C.UTF-8

now() { printf '%s' "$EPOCHREALTIME"; }
seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }

die() {
    printf 'fieldcast-local: %s\n' "$*" >&2
    exit 1
}

step_text=
# step TEXT COMMAND...: runs the command (in this shell) between its text and its time
step() {
    local began
    step_text=$1
    shift
    began=$(now)
    printf '  %-64s' "$step_text"
    "$@"
    printf '%7s s\n' "$(seconds_since "$began")"
    step_text=
}

# step_failed LOG WHY...: the end of a step that cannot be done
step_failed() {
    local log=$1
    shift
    printf ' failed\n\n'
    if [[ -s $log ]]; then
        printf 'the last lines of %s:\n' "$log"
        tail -n 8 "$log" | sed 's/^/    /'
    fi
    printf 'fieldcast-local: %s: %s; read %s\n' "${step_text:-failed}" "$*" "$log" >&2
    step_text=
    exit 1
}
