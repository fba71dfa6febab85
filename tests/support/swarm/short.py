#!/usr/bin/python3
"""A story in small, for make check: short.py files|patch OLD NEW RULES CLIENTS. Figures as JSON."""

import json
import sys

from children import clean_up_when_told_to_end
from figures import figures
from scenario import Story, play

if __name__ == "__main__":
    clean_up_when_told_to_end()
    name, old, new, rules, clients = sys.argv[1:]
    common = {"trees": (old, new), "rules": rules, "clients": int(clients), "poll": 1, "rate": 200, "upload_rate": 8 << 20,
              "piece_length": 16384, "prepare_first": True, "origin_dies": True, "late": int(clients) // 2, "patience": 300}
    story = {
        "files": Story("short", **common, window=6, lead=4, arrival=2, liar=True),
        "patch": Story("short, patch", **common, window=2, lead=2, by="patch"),
    }[name]
    json.dump(figures(play(story, lambda text: print(text, file=sys.stderr))), sys.stdout, indent=1)
