#!/usr/bin/python3
"""The whole story: bench.py OLD NEW RULES PUBLIC-RULES JSON SVG. A table for people on standard output."""

import json
import os
import shutil
import sys
import tempfile

import plot
from children import clean_up_when_told_to_end
from figures import figures
from scenario import Story, play

CLIENTS = int(os.environ.get("CLIENTS", "24"))
WINDOW = int(os.environ.get("WINDOW", "120"))
PIECE = 65536


def larger_than_a_piece(tree, folder):
    """A tree of the larger files only: with others, libtorrent 2.0.8 crashes as soon as one arrives
    damaged (arvidn/libtorrent#8630)."""
    for root, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(root, name)
            if PIECE < os.path.getsize(path) < 8 << 20:
                target = os.path.join(folder, os.path.relpath(path, tree))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy(path, target)
    return folder


def stories(trees, rules, public_rules, folder):
    common = {"trees": trees, "rules": rules, "clients": CLIENTS, "window": WINDOW, "piece_length": PIECE}
    # Clients that have a machine each decode a patch at once; here all share one, and it may be busy.
    patch = {**common, "rules": public_rules, "by": "patch", "patience": 900}
    large = tuple(larger_than_a_piece(tree, os.path.join(folder, str(i))) for i, tree in enumerate(trees))
    return [
        Story("window", **common, arrival=20),
        Story("stampede", **{**common, "window": 1}),
        Story("seedbox", **common, seedbox=True),
        Story("patch, window", **patch),
        Story("patch, all at once", **{**patch, "window": 1}),
        Story("origin dies", **{**common, "window": WINDOW // 4}, prepare_first=True, origin_dies=True),
        Story("liar", **{**common, "trees": large, "window": WINDOW // 4}, liar=True),
    ]


def claims(found):
    window, stampede = found["window"]["update"], found["stampede"]["update"]
    seedbox = found["seedbox"]["update"]
    patch, patch_stampede = found["patch, window"]["update"], found["patch, all at once"]["update"]
    liar, dies = found["liar"], found["origin dies"]["update"]

    def claim(text, measured, wanted, reached):
        return {"claim": text, "measured": measured, "wanted": wanted, "reached": reached}

    def at_least(text, measured, wanted):
        return claim(text, measured, f">= {wanted}", measured >= wanted)

    def at_most(text, measured, wanted):
        return claim(text, measured, f"<= {wanted}", measured <= wanted)

    return [
        at_least("first release: share of the bytes from peers", found["window"]["install"]["offload"], 0.9),
        at_least("update: share of the bytes from peers", window["offload"], 0.9),
        at_least("update with a seedbox: the same", seedbox["offload"], 0.9),
        at_most("all clients updated, of the window", window["complete_100"] / WINDOW, 1.1),
        at_most("all clients updated with a seedbox, of the window", seedbox["complete_100"] / WINDOW, 1.1),
        at_most("peak of requests, of that without a window", window["peak_requests"] / stampede["peak_requests"], 0.1),
        at_most("the same with window and seedbox, of that with neither", seedbox["peak_requests"] / stampede["peak_requests"], 0.1),
        at_least("update by a patch: share of its bytes from peers", patch["offload"], 0.9),
        at_least("the same without a window", patch_stampede["offload"], 0.9),
        at_most("all clients updated by a patch, of the window", patch["complete_100"] / WINDOW, 1.1),
        at_most("peak of requests by a patch, of that without a window", patch["peak_requests"] / patch_stampede["peak_requests"], 0.1),
        at_most("the same but for polls of the head",
                patch["peak_requests_but_polls"] / patch_stampede["peak_requests_but_polls"], 0.1),
        at_least("clients updated though a peer lies, verified", len(liar["update"]["clients"]) / CLIENTS, 1),
        at_least("clients updated though the origin died, verified", len(dies["clients"]) / CLIENTS, 1),
        at_least("of these, after its death", 1 - dies["complete_before_death"] / CLIENTS, 0.5),
    ]


def print_tables(found, made):
    print(f"{'':28}{'needed':>9} {'origin':>9} {'copies':>7} {'peers':>7} {'-- seconds until --':>23} {'------ requests ------':>26}")
    print(f"{'':28}{'MB':>9} {'MB':>9} {'':>7} {'%':>7} {'50 %':>7} {'95 %':>7} {'100 %':>7} {'peak/s':>8} {'no polls':>8} {'all':>8}")
    for name, it in found.items():
        for part in ("install", "update"):
            if part in it:
                p = it[part]
                origin = p["origin_content_bytes"] + p.get("seedbox_bytes", 0)
                print(f"{name + ', ' + part:28}{p['needed_bytes'] / 1e6:9.2f} {origin / 1e6:9.2f} {p['copies_from_origin']:7.2f} "
                      f"{p['offload'] * 100:7.1f} {p['complete_50']:7.1f} {p['complete_95']:7.1f} {p['complete_100']:7.1f} "
                      f"{p['peak_requests']:8} {p['peak_requests_but_polls']:8} {sum(p['requests_by_second']):8}")
    liar = found["liar"]
    print(f"the liar sent {liar['liar']['bytes'] / 1e6:.2f} MB to {liar['liar']['peers']} clients; "
          f"they threw away {liar['update']['failed_bytes'] / 1e6:.2f} MB, and asked others")
    dies = found["origin dies"]["update"]
    print(f"the origin died after {dies['origin_died']:.1f} s, when {dies['complete_before_death']} of {CLIENTS} had the update")
    sent = [it["sent_bytes"] for it in found["window"]["update"]["clients"]]
    print(f"a client sent {min(sent) / 1e6:.1f} to {max(sent) / 1e6:.1f} MB of the update\n")
    print(f"{'claim':56} {'wanted':>8} {'measured':>9}  reached")
    for it in made:
        print(f"{it['claim']:56} {it['wanted']:>8} {it['measured']:>9.3f}  {'yes' if it['reached'] else 'NO'}")


def running(values):
    total, points = 0, [(0, 0)]
    for second, value in enumerate(values):
        total += value
        points.append((second + 1, total / 1e6))
    return points


def draw(found):
    names = {"window": f"window of {WINDOW} s", "stampede": "all at once", "seedbox": "window and seedbox"}
    updates = {label: found[name]["update"] for name, label in names.items()}
    end = max(it["complete_100"] for it in updates.values()) + 2
    holders = [(label, [(0, 0), *((at, i + 1) for i, at in enumerate(sorted(c["complete"] for c in it["clients"]))), (end, CLIENTS)])
               for label, it in updates.items()]
    load = [(label, [*running(it["bytes_by_second"]), (end, sum(it["bytes_by_second"]) / 1e6)]) for label, it in updates.items()]
    rate = [(label, [(second, count) for second, count in enumerate([*it["requests_by_second"], 0])] + [(end, 0)])
            for label, it in updates.items()]
    return plot.draw([plot.Panel("Clients with the new release", "clients", holders, end),
                      plot.Panel("What the web server has sent", "MB", load, end),
                      plot.Panel("Requests to the web server", "requests a second", rate, end)],
                     f"A release spreads to {CLIENTS} clients")


def write(path, text):
    with open(path + ".tmp", "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(path + ".tmp", path)


def save(result, found, made):
    if result:
        write(result, json.dumps({"stories": found, "claims": made}, indent=1) + "\n")


def main(old, new, rules, public_rules, result, picture):
    found = {}
    with tempfile.TemporaryDirectory(prefix="swarm.") as folder:
        for story in stories((old, new), rules, public_rules, folder):
            found[story.name] = figures(play(story, lambda text: print(text, file=sys.stderr, flush=True)))
            # What comes after it may fail, minutes later.
            save(result, found, [])
    made = claims(found)
    print_tables(found, made)
    save(result, found, made)
    write(picture, draw(found))
    print(f"picture: {picture}")
    return 0


if __name__ == "__main__":
    clean_up_when_told_to_end()
    sys.exit(main(*sys.argv[1:]))
