# shellcheck shell=bash disable=SC2034,SC2154 # names shared between these files
# SPDX-License-Identifier: GPL-3.0-or-later
# demo: the whole of it, from packages to forecasts, and its end.

demo_began=$(now)

build() {
    local out=$log/build.log
    # not the caller's job server: this make is no child of one
    env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$root" -j"$(nproc)" >"$out" 2>&1 ||
        step_failed "$out" "the build failed"
}

demo_packages_and_build() {
    settings_check
    folder_find
    folder_check
    if demo_runs; then return; fi # demo_start says so
    # early, before minutes go into packages and the build
    anything_runs || ports_check
    if [[ -n $(bash "$root/deploy/packages.sh" --missing build run) ]]; then
        bash "$root/deploy/packages.sh" build run || die "packages are missing; see above"
        demo_began=$(now)
    fi
    folder_open
    printf 'Fieldcast demo in %s, as user %s\n' "$demo_dir" "$run_user"
    [[ -n ${FC_DEMO_BIN:-} ]] || step "build" build
}

# every part there, and the start went to its end?
demo_runs() {
    local name
    [[ -f $run/complete ]] || return 1
    for name in "${parts[@]}" simulator; do proc_pid "$name" >/dev/null || return 1; done
}
anything_runs() {
    local name
    for name in "${parts[@]}" simulator; do
        if proc_pid "$name" >/dev/null; then return 0; fi
    done
    return 1
}

start_part() {
    local -a command=()
    part_prepare "$1"
    part_command "$1"
    : >"$log/$1.log"
    proc_spawn "$1" "${command[@]}"
}
start_mosquitto() {
    start_part mosquitto
    proc_wait mosquitto "an answer on port ${port[mqtt]}" port_taken "${port[mqtt]}"
}
start_influxdb() {
    start_part influxdb
    proc_wait influxdb "an answer on port ${port[influx]}" curl -fs --max-time 2 "http://$bind:${port[influx]}/ping"
    proc_wait influxdb "the database" influxdb_database
}
start_postgres() {
    start_part postgres
    proc_wait postgres "an answer on port ${port[pg]}" pg_answers
}
start_services() {
    local name
    for name in "${services[@]}"; do start_part "$name"; done
    for name in "${services[@]}"; do proc_wait "$name" "readiness of $name" service_ready "$name"; done
}
start_nginx() {
    start_part nginx
    proc_wait nginx "an answer on port ${port[proxy]}" curl -fs --max-time 2 -o /dev/null "$address/"
}

simulate() {
    local clock=()
    [[ -z ${FC_CLOCK_FILE:-} ]] || clock=(env "FC_CLOCK_FILE=$FC_CLOCK_FILE") # that of the services
    : >"$log/simulator.log"
    proc_spawn simulator "${clock[@]}" "$bin/fieldcast" simulate --mqtt "tcp://$bind:${port[mqtt]}" \
        --devices "$devices" --every "$every" --live "$@"
}
# send_past --backfill TIME | --start TIME: one process sends the past and goes on live, so that
# nothing is missing in between; it says so when the broker has all of the past
send_past() {
    local until=$((SECONDS + forecast_wait))
    simulate "$@"
    until grep -q '^live:' "$log/simulator.log"; do
        proc_pid simulator >/dev/null || step_failed "$log/simulator.log" "the simulator could not send the past"
        ((SECONDS < until)) || step_failed "$log/simulator.log" "the past was not sent within $forecast_wait s"
        sleep 0.05
    done
}

# When the newest reading is from, ms since 1970; nothing when there is none. What the house measured
# while the demo was stopped goes to the broker before ingest and monitor are there, so that they find
# it when they come: otherwise every sensor would be taken for silent.
newest_reading() {
    curl -fsS --max-time 10 -G "http://$bind:${port[influx]}/query" --data-urlencode db=fieldcast \
        --data-urlencode epoch=ms --data-urlencode 'q=SELECT last(seq) FROM readings' |
        jq -r '.results[0].series[0].values[0][0] // empty'
}

get() { curl -fsS --max-time 10 "$address$1"; }

# true when every series has a champion and nothing is left to do for the newest hour
forecasts_there() {
    local status
    status=$(get /api/v1/status) || return 1
    jq -e --argjson devices "$devices" '
        (.settled != null) and ((now - (.settled[0:19] + "Z" | fromdate)) < 2.2 * 3600)
        and ([.series[].name | split(".")[0]] | unique | length) >= $devices
        and all(.series[]; .champion != null)' <<<"$status" >/dev/null || return 1
    jq -r '.series[].name' <<<"$status" >"$run/series.new"
    local name
    while read -r name; do
        get "/api/v1/forecasts?series=$name&horizon=24" | jq -e '(.points | length) > 0' >/dev/null || return 1
    done <"$run/series.new"
    mv "$run/series.new" "$run/series"
}
wait_for_forecasts() {
    local until=$((SECONDS + forecast_wait)) name why="$log/forecasts.log"
    until forecasts_there 2>"$why"; do
        for name in "${parts[@]}"; do
            proc_pid "$name" >/dev/null || step_failed "$log/$name.log" "$name has ended"
        done
        if ((SECONDS >= until)); then
            get /api/v1/status >>"$why" 2>&1 || true
            step_failed "$why" "not every series has a forecast after $forecast_wait s"
        fi
        sleep 0.25
    done
}

# the three lines the demo prints, each tried before it is shown
try_lines() {
    local series line out=$log/curl.log
    series=$(grep -m1 -xF kitchen.temperature "$run/series" || head -n 1 "$run/series")
    tries=("curl -s $address/predict -d '{\"series\":\"$series\",\"horizon\":6}'"
        "curl -s '$address/api/v1/forecasts?series=$series&horizon=24'"
        "curl -s $address/metrics")
    : >"$out"
    for line in "${tries[@]}"; do
        printf '%s\n' "$line" >>"$out"
        bash -c "${line/curl -s/curl -fsS --max-time 10}" >>"$out" 2>&1 ||
            step_failed "$out" "a request that should work does not: $line"
    done
}

demo_say() {
    local series_n
    series_n=$(wc -l <"$run/series")
    printf '\n%s\n\n' "Open $address/ : $series_n series of $devices simulated devices, each with a model and a forecast. Try:"
    printf '    %s\n' "${tries[@]}"
    cat <<TEXT

Readings go on arriving every $every. Publish your own: MQTT on port ${port[mqtt]}, topic fieldcast/<device>/readings.
Tokens (for everything that changes something): $secrets/tokens.txt
Logs: $log    End it: make demo-stop    Remove it: make demo-clean    Look: make demo-status
TEXT
}

demo_failed() {
    local code=$?
    # bash 5.2 that meets the signal while it reads a $( ) cannot read the trap and ends with 2
    ((code != 2)) || code=130
    trap - EXIT
    trap '' INT TERM HUP # whoever presses Ctrl-C twice must not be left with half of it
    if [[ -n $step_text ]]; then printf '\nfieldcast-local: "%s" was not finished; logs are in %s\n' "$step_text" "$log" >&2; fi
    stop_all
    exit "$code"
}

demo_start() {
    local tries=() newest
    settings_check
    folder_open
    exec 8>"$run/lock"
    flock -n 8 || die "another make demo is just starting in $demo_dir"
    if demo_runs; then
        ports_kept
        printf 'The demo runs already: %s/ (make demo-status looks, make demo-stop ends it)\n' "$address"
        return
    fi
    if anything_runs; then
        printf 'Not all of it runs; ending what is left, to start it anew.\n'
        stop_all
    fi
    rm -f "$run/complete"
    ports_check
    ports_keep
    programs_copy
    trap demo_failed EXIT
    trap 'exit 130' INT TERM HUP
    step "broker (Mosquitto) on port ${port[mqtt]}" start_mosquitto
    step "time series (InfluxDB) on port ${port[influx]}" start_influxdb
    step "registry (PostgreSQL) on port ${port[pg]}" start_postgres
    step "migrations" migrate
    newest=$(newest_reading)
    if [[ -f $run/backfilled && -n $newest ]]; then
        step "what was measured since $(date -u -d "@$((newest / 1000))" '+%F %H:%M') UTC, then live" send_past --start $((newest + 1))
    fi
    step "ingest, trainer, predictor, monitor on ports ${port[ingest]}-${port[monitor]}" start_services
    step "proxy (nginx) on port ${port[proxy]}" start_nginx
    if [[ ! -f $run/backfilled ]]; then
        step "$backfill of readings of $devices devices over MQTT, then live" send_past --backfill "$backfill"
        touch "$run/backfilled"
    elif [[ -z $newest ]]; then
        step "live readings" simulate
    fi
    step "a model and a forecast for every series" wait_for_forecasts
    step "the three lines below" try_lines
    touch "$run/complete"
    trap - EXIT INT TERM HUP
    printf '  %-64s%7s s\n' "all together" "$(seconds_since "$demo_began")"
    demo_say
}

# first what sends, then who answers, then what they stand on
stop_all() {
    local name
    rm -f "$run/complete"
    proc_stop simulator
    proc_stop nginx QUIT
    for name in monitor predictor trainer ingest; do proc_stop "$name"; done
    proc_stop mosquitto
    proc_stop influxdb
    proc_stop postgres INT # "fast": does not wait for clients
}

demo_stop() {
    folder_find
    if [[ ! -f $mark ]]; then
        printf 'There is no demo in %s.\n' "$demo_dir"
        return
    fi
    folder_check
    if ! anything_runs; then
        stop_all
        printf 'The demo in %s is not running.\n' "$demo_dir"
        return
    fi
    step "stopping" stop_all
    printf 'Stopped. The data stays in %s (make demo starts again, make demo-clean removes it).\n' "$demo_dir"
}

demo_clean() {
    folder_find
    if [[ ! -f $mark ]]; then
        printf 'There is no demo in %s.\n' "$demo_dir"
        return
    fi
    folder_check
    stop_all
    rm -rf "$demo_dir"
    printf 'Removed %s.\n' "$demo_dir"
}

# resident and proportional memory of one process in MB; only its owner may see the second
memory_of() {
    awk '/^VmRSS:/ { r = $2 } /^Pss:/ { p = sprintf("%.1f", $2 / 1024) }
        END { printf "%6.1f %6s", r / 1024, p ? p : "-" }' \
        "/proc/$1/status" <(cat "/proc/$1/smaps_rollup" 2>/dev/null)
}

demo_status() {
    local name pid state missing=0
    folder_find
    if [[ ! -f $mark ]]; then
        printf 'There is no demo in %s.\n' "$demo_dir"
        return 1
    fi
    ports_kept
    printf '%-11s %8s %-12s %6s %6s  %s\n' part pid state "rss MB" "pss MB" log
    for name in "${parts[@]}" simulator; do
        if ! pid=$(proc_pid "$name"); then
            printf '%-11s %8s %-12s %6s %6s  %s\n' "$name" - stopped - - "$log/$name.log"
            missing=1
            continue
        fi
        state=running
        if [[ -x $bin/fc-$name ]] && ! service_ready "$name" >/dev/null 2>&1; then state="not ready"; fi
        printf '%-11s %8s %-12s %s  %s\n' "$name" "$pid" "$state" "$(memory_of "$pid")" "$log/$name.log"
    done
    if ((missing)); then
        if anything_runs; then
            printf 'Not all of the demo runs; make demo starts it anew.\n'
        else
            printf 'The demo is not running; make demo starts it.\n'
        fi
        return 1
    fi
    if get /api/v1/status 2>/dev/null | jq -er '
        "\(.series | length) series, \([.series[] | select(.champion != null)] | length) with a champion; settled \(.settled)"'; then
        printf '%s/\n' "$address"
    fi
}
