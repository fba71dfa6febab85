# shellcheck shell=bash
# Sourced where $ROOT is the project: what a manual shows as a file of its own.
#
#   manual_file PAGE NAME   the display below the comment `file: NAME` in man/PAGE

manual_file() {
    awk -v mark=".\\\\\" file: $2" '
        $0 == mark { found = 1 }
        found && /^\.Ed/ { exit }
        on { sub(/^\\&/, ""); gsub(/\\e/, "\\"); print }
        found && /^\.Bd/ { on = 1 }
        END { exit !on }' "$ROOT/man/$1"
}
