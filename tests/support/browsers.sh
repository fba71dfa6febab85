# shellcheck shell=bash
# Sourced where $ROOT is the project: headless Chromiums with profiles in the working directory, told
# apart by names. Each function that asks sets $said to the answer, see browser.js.
#
#   browser_start NAME [FLAG...]   a new one, with flags for Chromium
#   browser_open NAME URL          what the page's promise `result` is
#   browser_tell NAME CODE         what an expression is in that page
#   browser_console NAME           what was logged since: a JSON array
#   browser_shot NAME FILE         a picture of the page
#   browser_end NAME
#
# An answer has three minutes to come: else it is 'no answer', and the test goes wrong by itself.

declare -A browser_pid=() browser_to=() browser_from=()
said=

browser_start() {
    local name=$1 to from
    rm -rf "browser.$name" && mkdir "browser.$name" && mkfifo "browser.$name/to" "browser.$name/from" || return
    node "$ROOT/tests/support/browser.js" "$(command -v chromium)" "$PWD/browser.$name/profile" "${@:2}" \
        <"browser.$name/to" >"browser.$name/from" 2>"browser.$name/err" &
    browser_pid[$name]=$!
    exec {to}>"browser.$name/to" {from}<"browser.$name/from"
    browser_to[$name]=$to
    browser_from[$name]=$from
}

browser_ask() { # NAME LINE
    echo "$2" >&"${browser_to[$1]}"
    # shellcheck disable=SC2034 # for those who ask
    IFS= read -r -t 180 -u "${browser_from[$1]}" said || said='no answer'
}
browser_open() { browser_ask "$1" "open $2"; }
browser_tell() { browser_ask "$1" "tell $2"; }
browser_console() { browser_ask "$1" console; }
browser_shot() { browser_ask "$1" "shot $2"; }

# It is told so: whatever was started since keeps its input open.
browser_end() {
    local to=${browser_to[$1]} from=${browser_from[$1]} pid=${browser_pid[$1]}
    echo quit >&"$to"
    exec {to}>&- {from}<&-
    for _ in {1..400}; do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    unset "browser_to[$1]" "browser_from[$1]" "browser_pid[$1]"
}
