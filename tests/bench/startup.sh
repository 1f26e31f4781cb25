#!/usr/bin/env bash
# Measures how long a program takes from its start until /health/ready answers 200, and how much memory it holds at
# rest, on an embedded database that exists. Prints the figures as they stand in docs/OPERATIONS.md.
#
#   tests/bench/startup.sh [PROGRAM] [RUNS]
#
# PROGRAM is target/release/assay unless named, RUNS is 20. Needs jq. A measurement, not a test: it holds nobody to
# a figure, and its status is 0 whenever it could measure.
set -euo pipefail
# The decimal point of $EPOCHREALTIME follows the locale.
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(realpath "${1:-$root/target/release/assay}")
runs=${2:-20}
rest_seconds=5
[ -x "$program" ] || { echo "there is no program at $program; build it with cargo build --release" >&2; exit 64; }
unset DATABASE_URL "${!ASSAY_@}"

folder=$(mktemp -d)
pid=
clean_up() {
    [ -z "$pid" ] || kill "$pid" 2> /dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT

now_us() { printf '%s' "${EPOCHREALTIME/./}"; }

# Whether /health/ready answers 200. No other process is started, so that asking costs next to nothing.
is_ready() {
    local status=
    { exec 3<> "/dev/tcp/127.0.0.1/$port"; } 2> /dev/null || return 1
    printf 'GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
    IFS= read -r -t 10 status <&3 || true
    exec 3>&-
    [[ $status == 'HTTP/1.1 200 '* ]]
}

# Starts the program, and leaves the time until it was ready in `took_us`.
start() {
    local started
    started=$(now_us)
    "$program" serve --data-dir "$folder/data" --bind "127.0.0.1:$port" > /dev/null 2> "$folder/log" &
    pid=$!
    until is_ready; do
        took_us=$(($(now_us) - started))
        if [ "$took_us" -gt 60000000 ] || ! kill -0 "$pid" 2> /dev/null; then
            cat "$folder/log" >&2
            echo 'the program did not become ready' >&2
            exit 1
        fi
    done
    took_us=$(($(now_us) - started))
}

stop() {
    kill -TERM "$pid"
    wait "$pid"
    pid=
}

# A figure of /proc/PID/status, in MiB.
memory() {
    awk -v name="$1:" '$1 == name { printf "%.1f", $2 / 1024 }' "/proc/$pid/status"
}

milliseconds() { awk -v us="$1" 'BEGIN { printf "%.0f", us / 1000 }'; }

"$program" demo --exit --json --fast --data-dir "$folder/data" --bind 127.0.0.1:0 > "$folder/summary.json" \
    2> /dev/null
base_url=$(jq -r .base_url "$folder/summary.json")
port=${base_url##*:}

# The first start brings the program into the file cache and is not counted.
start
stop
all=()
for _ in $(seq "$runs"); do
    start
    all+=("$took_us")
    stop
done
mapfile -t sorted < <(printf '%s\n' "${all[@]}" | sort -n)

start
# At rest: the first round of the background worker is over.
sleep "$rest_seconds"
at_rest=$(memory VmRSS)
own=$(memory RssAnon)
peak=$(memory VmHWM)
stop

printf '%s, %s bytes; %s cores, %s; database of %s bytes\n\n' "$("$program" --version)" "$(stat -c %s "$program")" \
    "$(nproc)" "$(uname -sm)" "$(stat -c %s "$folder/data/assay.sqlite")"
printf '| figure | value |\n| --- | --- |\n'
printf '| start to ready, median of %s | %s ms |\n' "$runs" "$(milliseconds "${sorted[runs / 2]}")"
printf '| start to ready, fastest and slowest | %s ms, %s ms |\n' "$(milliseconds "${sorted[0]}")" \
    "$(milliseconds "${sorted[-1]}")"
printf '| memory at rest (RSS after %s s) | %s MiB |\n' "$rest_seconds" "$at_rest"
printf '| of that, not backed by files (RssAnon) | %s MiB |\n' "$own"
printf '| peak since the start (VmHWM) | %s MiB |\n' "$peak"
