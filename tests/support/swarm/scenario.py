"""One story on one machine: a release is in a swarm, and the next one is published."""

import contextlib
import dataclasses
import math
import os
import random
import shutil
import tempfile
import time

from origin import Origin
from release import Publisher
from swarm import Swarm
from tracker import Tracker

VERSIONS = ("1.0.0", "1.0.1")


@dataclasses.dataclass
class Story:
    name: str
    trees: tuple  # the old and the new one
    rules: str  # of swarmpack, a file
    clients: int = 24
    window: int = 120  # of the rollout, in seconds
    lead: int = 20  # seconds from the publication to the start of the window
    poll: int = 20  # seconds between two looks at the head
    rate: int = 40  # requests for content that the origin answers a second
    upload_rate: int = 1 << 20  # of each client, bytes a second
    piece_length: int = 65536
    by: str = "files"  # what clients fetch for the update: files that have changed, or a patch, the payload of all of them
    arrival: int | None = None  # the old release spreads, to clients that come within so many seconds; None: they have it
    prepare_first: bool = False
    seedbox: bool = False  # the publisher's own peer has the new release before others hear of it
    liar: bool = False  # a peer that serves other bytes is there before the update
    origin_dies: bool = False  # once a whole copy is with others, and all know of the release
    late: int = 0  # so many clients begin the update only after that
    patience: int = 300  # seconds that anything may take
    seed: int = 1


def addresses():
    """A part of 127.0.0.0/8 that hardly anybody else uses; the kernel gives ports anyway."""
    part = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}"
    return (f"{part}.{i}" for i in range(1, 255))


def tell(story, folder, say):
    """Plays it in an empty folder; returns what figures.py needs."""
    address = addresses()
    at = {}
    with contextlib.ExitStack() as ends:
        publisher = Publisher(folder, "farm", story.rules)
        origin = Origin(folder, next(address), story.rate)
        ends.callback(origin.stop)
        tracker = Tracker(folder, origin.address)
        ends.callback(tracker.stop)
        swarm = Swarm(folder)
        ends.callback(swarm.kill)
        publisher.make(VERSIONS[0], story.trees[0], piece_length=story.piece_length)
        publisher.publish(VERSIONS[0], origin.www)
        common = {"origin": origin.url(), "tracker": tracker.url}
        order = random.Random(story.seed)

        at["begin"] = time.time()
        arrival = story.arrival or 0
        for i in range(story.clients):
            name = f"client-{i:02}"
            # Their start takes a while, and is no part of the story.
            arrive = at["begin"] + (story.clients / 4 + 2 if story.arrival is not None else 0) + arrival * order.random()
            swarm.add("client.py", {
                **common, "seedbox": False, "name": name, "address": next(address), "folder": os.path.join(folder, name),
                "product": "farm", "channel": "stable", "trust": publisher.trust, "upload_rate": story.upload_rate,
                "poll": story.poll, "arrive": arrive, "seed": story.seed * 1000 + i, "late": i < story.late,
                "prepare_first": story.prepare_first, "by": story.by,
                "adopt": None if story.arrival is not None else publisher.tree(VERSIONS[0])})
        say(f"{story.name}: {story.clients} clients get {VERSIONS[0]}")
        swarm.wait_for(story.clients, story.patience, "complete", version=VERSIONS[0])

        publisher.make(VERSIONS[1], story.trees[1], patch=story.by == "patch")
        if story.seedbox:
            swarm.add("client.py", {
                **common, "name": "seedbox", "address": next(address), "folder": os.path.join(folder, "seedbox"), "product": "farm",
                "trust": publisher.trust, "upload_rate": 4 * story.upload_rate, "poll": 0, "seed": 0, "seedbox": True,
                "adopt": publisher.tree(VERSIONS[1])})
            swarm.wait_for(1, story.patience, "here", client="seedbox")
        if story.liar:
            liar = {**common, "name": "liar", "address": next(address), "folder": os.path.join(folder, "liar"),
                    "manifest": publisher.manifest(VERSIONS[1])}
            swarm.add("liar.py", liar)
            swarm.wait_for(1, story.patience, "here", client="liar")
        at["publish"] = time.time()
        at["start"] = math.ceil(at["publish"] + story.lead)
        publisher.schedule(VERSIONS[1], at["start"], story.window)
        publisher.publish(VERSIONS[1], origin.www)
        say(f"{story.name}: {VERSIONS[1]} is published, to spread within {story.window} s")
        if story.origin_dies:
            swarm.wait_for(story.clients, story.patience, "prepared", version=VERSIONS[1])
            swarm.wait_for(1, story.patience, "complete", version=VERSIONS[1])
            origin.stop()
            at["death"] = time.time()
            swarm.call()
            say(f"{story.name}: the origin is dead")
        swarm.wait_for(story.clients, story.patience + story.window, "complete", version=VERSIONS[1])
        at["end"] = time.time()
        say(f"{story.name}: all clients have it")
        swarm.end()
        return {"story": dataclasses.asdict(story), "at": at, "events": swarm.events, "requests": origin.requests(),
                "shared": {version: publisher.shared(version) for version in VERSIONS},
                "delta_bytes": os.path.getsize(publisher.path(f"{VERSIONS[0]}-{VERSIONS[1]}.delta"))}


def play(story, say=lambda text: None):
    folder = tempfile.mkdtemp(prefix="swarm.")
    try:
        return tell(story, folder, say)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
