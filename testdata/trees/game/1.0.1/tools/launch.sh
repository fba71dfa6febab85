#!/bin/sh
# Plays the game from this folder: serves it on the loopback interface only.
cd "$(dirname "$0")/.." || exit 1
exec python3 -m http.server --bind 127.0.0.1 "${1:-8000}"
