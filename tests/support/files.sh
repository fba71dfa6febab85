# shellcheck shell=bash
# Sourced after lib.sh: a web server of plain files, on a free port of 127.0.0.1.
#
#   files_start FOLDER   whether it answers; sets $files_port, and what it was asked goes to files.log
#   files_stop

files_pid=
files_port=
# shellcheck disable=SC2154 # the trap itself sets it
trap 'ended=$?; [[ ! $files_pid ]] || kill -9 $files_pid 2>/dev/null; (exit $ended); tap_end' EXIT

files_start() {
    # Or what an earlier server said is read before this one has begun.
    : >files.said
    : >files.log
    /usr/bin/python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$1" >>files.said 2>>files.log &
    files_pid=$!
    for _ in {1..400}; do
        files_port=$(sed -nE 's/.* port ([0-9]+) .*/\1/p' files.said)
        [[ ! $files_port ]] || return 0
        kill -0 "$files_pid" 2>/dev/null || break
        sleep 0.05
    done
    note files "$(cat files.said files.log)"
    return 1
}

files_stop() {
    kill -9 "$files_pid"
    wait "$files_pid" 2>/dev/null
    files_pid=
}
