# shellcheck shell=bash disable=SC2034,SC2154 # names shared between these files
# SPDX-License-Identifier: GPL-3.0-or-later
# proc: starting, finding and ending processes through pid files. A pid file holds the pid and
# the time the kernel says the process started, so that a pid which now belongs to somebody
# else is never taken for ours, and only processes of the demo's user (who owns data/) are ever
# signalled.

# since-boot ticks at which PID started; nothing when there is none
proc_start_time() {
    local stat fields
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
    read -ra fields <<<"${stat##*) }" # the name in parentheses may hold spaces
    [[ ${fields[0]} == [ZX] ]] || echo "${fields[19]}" # a zombie is gone
}

# prints the pid of NAME if it runs
proc_pid() {
    local pid began
    [[ -f $run/$1.pid ]] || return 1
    read -r pid began <"$run/$1.pid" || return 1
    [[ $pid =~ ^[0-9]+$ && -n $began && $(proc_start_time "$pid") == "$began" ]] || return 1
    [[ $(stat -c %u "/proc/$pid" 2>/dev/null) == "$(stat -c %u "$data")" ]] || return 1
    echo "$pid"
}

# proc_spawn NAME COMMAND...: in a session of its own (the terminal's Ctrl-C does not reach it),
# as the unprivileged user, with an empty environment but for what the command brings.
proc_spawn() {
    local name=$1 tick
    shift
    (cd "$data" && exec setsid "${as_user[@]}" env -i "PATH=$PATH" LANG=C.UTF-8 "HOME=$data" "$@") \
        </dev/null >>"$log/$name.log" 2>&1 8>&- &
    echo "$! $(proc_start_time $!)" >"$run/$name.pid"
    # until it has become that user, if it lives, it does not count as ours
    for ((tick = 0; tick < 100; tick++)); do
        proc_pid "$name" >/dev/null && break
        sleep 0.01
    done
}

# proc_stop NAME [SIGNAL]: asks, waits up to 15 s, insists
proc_stop() {
    local pid tick
    if pid=$(proc_pid "$1"); then
        kill -s "${2:-TERM}" "$pid" 2>/dev/null || true
        for ((tick = 0; tick < 150; tick++)); do
            proc_pid "$1" >/dev/null || break
            sleep 0.1
        done
        if proc_pid "$1" >/dev/null; then
            printf '(%s did not end in 15 s: killed) ' "$1"
            kill -s KILL "$pid" 2>/dev/null || true
            sleep 0.2
        fi
    fi
    rm -f "$run/$1.pid"
}

# proc_wait NAME WHAT COMMAND...: until the command succeeds; fails when the process has ended
proc_wait() {
    local name=$1 what=$2 until=$((SECONDS + start_wait))
    shift 2
    until "$@" >/dev/null 2>&1; do
        proc_pid "$name" >/dev/null || step_failed "$log/$name.log" "$name has ended"
        ((SECONDS < until)) || step_failed "$log/$name.log" "$what did not come within $start_wait s"
        sleep 0.05
    done
}

# is somebody listening on this TCP port?
port_taken() {
    local hex
    printf -v hex '%04X' "$1"
    awk -v p=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == p { found = 1 } END { exit !found }' \
        /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# all that are taken at once, so that nobody has to come back for the next
ports_check() {
    local name set='' taken=()
    for name in proxy "${services[@]}" mqtt influx influx_backup pg; do
        port_taken "${port[$name]}" || continue
        taken+=("port ${port[$name]} is taken by another program")
        set+="FC_DEMO_${name^^}_PORT=NNNN "
    done
    ((${#taken[@]} == 0)) ||
        die "$(printf '%s; ' "${taken[@]}")set free ones instead: ${set}make demo"
}
