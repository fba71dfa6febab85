#!/usr/bin/python3
"""The story in small, for make check: short.py OLD NEW RULES CLIENTS. Figures as JSON."""

import json
import sys

from children import clean_up_when_told_to_end
from figures import figures
from scenario import Story, play

if __name__ == "__main__":
    clean_up_when_told_to_end()
    old, new, rules, clients = sys.argv[1:]
    story = Story("short", (old, new), rules, clients=int(clients), window=6, lead=4, poll=1, rate=200, upload_rate=8 << 20,
                  piece_length=16384, arrival=2, prepare_first=True, liar=True, origin_dies=True, late=int(clients) // 2, patience=300)
    json.dump(figures(play(story, lambda text: print(text, file=sys.stderr))), sys.stdout, indent=1)
