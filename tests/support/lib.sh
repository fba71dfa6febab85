# shellcheck shell=bash
# Sourced by the test scripts: an own folder to work in, and checks that speak TAP.
#
#   . "$(dirname "$0")/../support/lib.sh"
#   run swarmpack tree --rules swarm.yaml     keeps the exit status and both outputs
#   status_is 0 'packs a tree'
#   done_testing
#
# $ROOT  the project          $SRC  its testdata
# $T     an own, empty folder, the working directory; removed at the end
# $status, $out, $err         of the last run: exit status, standard output and error (strings, the
#                             first MiB); $outfile, $errfile: the same as files, whole
#
# A TEXT to compare with is without its last line end, which the output must have. run is never the
# end of a pipe, which is a subshell: give it input with < FILE or < <(COMMAND).

set -u
export LC_ALL=C
umask 022
# shellcheck disable=SC2086 # a list of names
unset ${!SWARM_@} SOURCE_DATE_EPOCH

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit 1
SRC=$ROOT/testdata
BIN=${BIN:-build/cc}
[[ $BIN == /* ]] || BIN=$ROOT/$BIN
PATH=$BIN:$PATH
export ROOT SRC BIN PATH

tap_base=$(mktemp -d) || exit 1
T=$tap_base/work
outfile=$tap_base/out
errfile=$tap_base/err
status=
out=
err=
tap_count=0
tap_failed=0
tap_done=
tap_pid=$BASHPID

tap_end() {
    local status=$?
    # Subshells inherit the trap.
    [[ $BASHPID == "$tap_pid" ]] || return
    cd /
    chmod -R u+rwX "$tap_base" 2>/dev/null
    rm -rf "$tap_base"
    if [[ ! $tap_done ]]; then
        echo "Bail out! the script ended before done_testing"
        ((status)) || status=1
    fi
    exit "$status"
}
trap tap_end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir "$T" && cd "$T" || exit 1
: >"$outfile"
: >"$errfile"

tap_text() { head -c 1048576 -- "$1" | tr -d '\0'; }

# run COMMAND...
run() {
    "$@" >"$outfile" 2>"$errfile"
    status=$?
    out=$(tap_text "$outfile")
    err=$(tap_text "$errfile")
}

# note LABEL TEXT: the text as TAP comments, at most 40 lines
note() {
    printf '%s\n' "$2" | head -n 40 | cut -c 1-500 | sed "s|^|# $1: |"
}

pass() {
    tap_count=$((tap_count + 1))
    printf 'ok %d - %s\n' "$tap_count" "${1//#/}"
}

# Callers say why with note.
fail() {
    tap_count=$((tap_count + 1))
    tap_failed=$((tap_failed + 1))
    printf 'not ok %d - %s\n' "$tap_count" "${1//#/}"
    echo "# at ${BASH_SOURCE[-1]##*/}:${BASH_LINENO[-2]}"
}

# skip NAME REASON
skip() {
    tap_count=$((tap_count + 1))
    printf 'ok %d - %s # SKIP %s\n' "$tap_count" "${1//#/}" "$2"
}

# own_mounts COMMAND...: runs it where it may mount what it likes
own_mounts() { "$ROOT/tests/support/own-mounts" "$@"; }

# Whether the commands can be run without /proc: its own mounts are needed, and sanitizers need it.
can_hide_proc() { [[ $BIN != *-address* ]] && own_mounts true 2>/dev/null; }

# halt PROCESS FILE: stops it while it has FILE open; fails if it ended before that was seen. Nothing is
# started here for each look, and the process is to be a nice one: on a busy machine, it would else be done
# before the second look.
halt() {
    local open state
    while [[ -e /proc/$1/exe ]]; do
        for open in "/proc/$1/fd/"*; do
            [[ $open -ef $2 ]] || continue
            kill -STOP "$1" 2>/dev/null || return
            while state=$(cat "/proc/$1/stat" 2>/dev/null) && [[ ${state##*) } != [TZ]* ]]; do sleep 0.01; done
            # It may have closed the file meanwhile.
            [[ ! $open -ef $2 ]] || return 0
            kill -CONT "$1"
        done
    done
    return 1
}

# is ACTUAL EXPECTED NAME
is() {
    if [[ $1 == "$2" ]]; then
        pass "$3"
    else
        fail "$3"
        note expected "$2"
        note 'actual  ' "$1"
    fi
}

# status_is NUMBER NAME
status_is() {
    if [[ $status == "$1" ]]; then
        pass "$2"
    else
        fail "$2"
        echo "# expected: exit status $1"
        echo "# actual  : exit status $status"
        note stderr "$err"
    fi
}

tap_same_text() { # FILE TEXT NAME
    if cmp -s -- "$1" <([[ -z $2 ]] || printf '%s\n' "$2"); then
        pass "$3"
    else
        fail "$3"
        note expected "$2"
        note 'actual  ' "$(tap_text "$1")"
        [[ -z $2 || ! -s $1 || -z $(tail -c 1 -- "$1") ]] || echo '# actual  : (without a line end)'
    fi
}

tap_like() { # STRING REGEX NAME
    if [[ $1 =~ $2 ]]; then
        pass "$3"
    else
        fail "$3"
        note 'expected to match' "$2"
        note 'actual           ' "$1"
    fi
}

# out_is TEXT NAME, err_is TEXT NAME: exactly
out_is() { tap_same_text "$outfile" "$1" "$2"; }
err_is() { tap_same_text "$errfile" "$1" "$2"; }
out_empty() { out_is '' "$1"; }
err_empty() { err_is '' "$1"; }

# out_like REGEX NAME: an extended regular expression, found anywhere in the text
out_like() { tap_like "$out" "$1" "$2"; }
err_like() { tap_like "$err" "$1" "$2"; }

# file_is FILE TEXT NAME
file_is() {
    if [[ -f $1 ]]; then
        tap_same_text "$1" "$2" "$3"
    else
        fail "$3"
        echo "# no such file: $1"
    fi
}

# same_files A B NAME: two files of equal bytes, or two trees of equal names, links and bytes
same_files() {
    local difference
    if difference=$(diff -r --no-dereference -- "$1" "$2" 2>&1); then
        pass "$3"
    else
        fail "$3"
        note difference "$difference"
    fi
}

# no_temporaries FOLDER NAME [FILE...]: no unfinished output anywhere below FOLDER; with FILEs,
# just those stand in it
no_temporaries() {
    local left expected=
    if ! left=$(find "$1" -mindepth 1 \( -name '.*.??????' -o -name '*.tmp' -o -name '*~' \) 2>&1); then
        :
    elif [[ -z $left && $# -gt 2 ]]; then
        expected=$(printf '%s\n' "${@:3}" | sort)
        left=$(find "$1" -mindepth 1 -maxdepth 1 -printf '%P\n' | sort)
    fi
    if [[ $left == "$expected" ]]; then
        pass "$2"
    else
        fail "$2"
        note expected "${expected:-(nothing temporary)}"
        note 'actual  ' "$left"
    fi
}

# check NAME COMMAND...: it succeeds
check() {
    local name=$1 said status
    shift
    if said=$("$@" 2>&1); then
        pass "$name"
    else
        status=$?
        fail "$name"
        echo "# exit status $status: $*"
        note said "$said"
    fi
}

# check_fails NAME COMMAND...: it fails by itself, neither killed nor missing
check_fails() {
    local name=$1 said status
    shift
    said=$("$@" 2>&1)
    status=$?
    if ((status > 0 && status < 126)); then
        pass "$name"
    else
        fail "$name"
        echo "# exit status $status: $*"
        note said "$said"
    fi
}

done_testing() {
    tap_done=1
    echo "1..$tap_count"
    exit $((tap_failed > 0 || tap_count == 0))
}
