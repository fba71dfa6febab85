#!/usr/bin/python3
"""One client: client.py CONFIG, as JSON. Installs the first release it hears of, and follows the head.

Events are printed as JSON lines, with the time; the last one, when standard input has ended, has what
was counted. CONFIG:

name, address, folder     who it is, and where it keeps things
origin, product, channel  what it follows
tracker, trust, bin       whom it asks, whose keys it believes, where our commands are
upload_rate               bytes a second
poll                      seconds between two looks at the head
arrive                    when it begins, in seconds since the epoch
seed                      of its random numbers
seedbox                   whether it is the publisher's own: it serves what it has adopted until others do, and no more
adopt                     folder of a release that it holds already, with its manifest beside it, or null
by                        what it fetches for an update: "files" that have changed, or a "patch", where there is one
prepare_first             whether it asks the origin for the delta as soon as it hears of a release, and not
                          when it is its turn
late                      whether, for an update, it also waits for a byte on standard input
"""

import calendar
import http.client
import json
import os
import random
import select
import shutil
import sys
import time
import urllib.parse

import documents
import metainfo
from commands import Refused, run
from peer import Peer

TICK = 0.25


class Gone(Exception):
    """Nobody waits for this client any more."""


class Client:
    def __init__(self, config):
        self.config = config
        self.random = random.Random(config["seed"])
        self.folder = config["folder"]
        self.state = self.path("state")
        self.peer = Peer(config["address"], config["upload_rate"])
        self.version = None
        self.transfers = {}
        self.patch = None
        self.called = False
        self.tag = None
        self.phase = self.random.random() * config["poll"]

    def path(self, name):
        return os.path.join(self.folder, name)

    def release(self, version):
        return f"{self.config['product']}-{version}"

    def manifest(self, version):
        return self.path(f"{self.release(version)}.manifest")

    def tell(self, event, **more):
        print(json.dumps({"at": time.time(), "client": self.config["name"], "event": event, **more}), flush=True)

    # --- waiting ----------------------------------------------------------------------------------

    def pause(self, seconds):
        ready, _, _ = select.select([sys.stdin], [], [], max(0, seconds))
        if ready and not sys.stdin.buffer.raw.read(1):
            raise Gone
        self.called = self.called or bool(ready)

    def wait_for(self, moment):
        while moment > time.time():
            self.pause(moment - time.time())

    # --- the origin -------------------------------------------------------------------------------

    def ask(self, name, headers=None):
        """(status, body, headers) of one request; status 0 if the origin does not answer."""
        url = urllib.parse.urlsplit(self.config["origin"])
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60, source_address=(self.config["address"], 0))
        try:
            connection.request("GET", urllib.parse.quote(url.path + name), headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        except (OSError, http.client.HTTPException):
            return 0, b"", {}
        finally:
            connection.close()

    def get(self, name, path, missing_is_fine=False):
        """Fetches it, however long that takes; False where there is no such thing."""
        while True:
            status, body, _ = self.ask(name)
            if status == 200:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as out:
                    out.write(body)
                return True
            if status == 404 and missing_is_fine:
                return False
            self.pause(1)

    def poll(self):
        """The head's predicate if there is a new and genuine one."""
        name = f"{self.config['product']}-{self.config['channel']}.head"
        status, body, headers = self.ask(name, {"If-None-Match": self.tag} if self.tag else {})
        if status != 200:
            return None
        with open(self.path("new.head"), "wb") as out:
            out.write(body)
        try:
            run("swarmverify", self.path("new.head"), "--trust", self.config["trust"], "--product", self.config["product"],
                "--channel", self.config["channel"], "--state", self.state)
        except Refused as why:
            self.tell("refused", why=str(why))
            return None
        self.tag = headers["ETag"]
        head = documents.head_statement(self.path("new.head"))
        if head["version"] == self.version:
            return None
        self.tell("head", version=head["version"])
        return head

    def my_turn(self, head):
        rollout = head.get("rollout")
        if not rollout:
            return 0
        start = calendar.timegm(time.strptime(rollout["start"], "%Y-%m-%dT%H:%M:%SZ"))
        return start + self.random.random() * rollout["window"]

    # --- a release --------------------------------------------------------------------------------

    def delta(self, version):
        return self.path(f"{self.version}-{version}.delta")

    def fetch_delta(self, version):
        delta = self.delta(version)
        return self.version is not None and self.get(os.path.basename(delta), delta, missing_is_fine=True)

    def fetch_patch(self, version):
        """The manifest of the release that the delta's payload is; returns its path but for the ending, or None."""
        product, release = documents.patch_release(self.config["product"], self.version, version)
        name = f"{product}-{release}"
        if not self.get(f"{name}.manifest", self.path(f"{name}.manifest"), missing_is_fine=True):
            return None
        run("swarmverify", self.path(f"{name}.manifest"), "--trust", self.config["trust"], "--product", product)
        return self.path(name)

    def is_patch_of(self, delta, patch):
        """Whether the one file of that release is the payload that the delta asks for. Both were checked."""
        entry, = documents.files(patch + ".manifest").values()
        return entry["sha256"] == documents.header(delta).get("solid", {}).get("sha256")

    def run_swarmpatch(self, version, *more):
        run("swarmpatch", self.delta(version), "--old-manifest", self.manifest(self.version),
            "--head", self.path("new.head"), "--trust", self.config["trust"], *more)

    def make_manifest(self, version, delta):
        """By the delta, else from the origin."""
        if delta:
            self.run_swarmpatch(version, "--new-manifest", self.manifest(version))
        else:
            self.get(f"{self.release(version)}.manifest", self.manifest(version))
            run("swarmverify", self.manifest(version), "--trust", self.config["trust"], "--head", self.path("new.head"))

    def sources(self, version):
        """Of each of its files, the entry and where that content is here already, whatever it was called."""
        old = documents.files(self.manifest(self.version)) if self.version else {}
        by_content = {(entry["size"], entry.get("root")): path for path, entry in old.items()}
        return [(entry, by_content.get((entry["size"], entry.get("root"))))
                for entry in documents.files(self.manifest(version)).values()]

    def reuse(self, version, sources):
        for entry, here in sources:
            if here is not None:
                target = os.path.join(self.path(self.release(version)), entry["path"])
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(os.path.join(self.path(self.release(self.version)), here), target)

    def fetch_from_origin(self, version):
        """What only the origin may serve."""
        for path, entry in documents.files(self.manifest(version)).items():
            target = os.path.join(self.path(self.release(version)), path)
            if entry["label"] == "origin" and not os.path.exists(target):
                self.get(f"{self.release(version)}/{path}", target)

    def share(self, version):
        """The files of the release, or the payload that they are made of."""
        manifest, folder = (self.patch + ".manifest", self.patch) if self.patch else (self.manifest(version), self.folder)
        transfer = self.peer.fetch(metainfo.torrent(manifest, self.config["origin"], self.config["tracker"]), folder)
        while not transfer.is_checked():
            self.pause(0.05)
        self.transfers[version] = transfer
        return transfer

    def verify(self, version, *more):
        run("swarmverify", self.manifest(version), self.path(self.release(version)), "--trust", self.config["trust"],
            "--state", self.state, *more)

    def prepare(self, head):
        """Gets all that only the origin has, and what is here already."""
        version = head["version"]
        delta = self.fetch_delta(version)
        patch = self.fetch_patch(version) if delta and self.config["by"] == "patch" else None
        self.make_manifest(version, delta)
        sources = self.sources(version)
        held = sum(entry["size"] for entry, here in sources if here is not None)
        if patch and self.is_patch_of(self.delta(version), patch):
            self.patch = patch
            needed = documents.header(patch + ".manifest")["bytes"]
        else:
            self.patch = None
            needed = sum(entry["size"] for entry, here in sources if here is None and entry["label"] == "public")
            self.reuse(version, sources)
            self.fetch_from_origin(version)
        self.tell("prepared", version=version, way="patch" if self.patch else "files", held=held, needed=needed)

    def make_tree(self, version):
        """Of the old one and the payload."""
        payload, = documents.files(self.patch + ".manifest")
        self.run_swarmpatch(version, "--old-tree", self.path(self.release(self.version)), "--solid", os.path.join(self.patch, payload),
                            "-o", self.path(self.release(version)))

    def install(self, version):
        transfer = self.share(version)
        status = transfer.status()
        self.tell("transfer", version=version, missing=status.total_wanted - status.total_wanted_done)
        worry = time.monotonic() + 20
        while not transfer.is_complete():
            transfer.tend()
            self.pause(TICK)
            if time.monotonic() > worry:
                worry += 20
                print(transfer.describe(), file=sys.stderr, flush=True)
        transfer.tend()
        self.peer.flush(transfer)
        if self.patch:
            self.make_tree(version)
        self.verify(version, "--head", self.path("new.head"))
        self.version = version
        self.tell("complete", version=version, **transfer.counters())

    def adopt(self, folder):
        """A copy that was installed before the story began."""
        self.version = documents.header(folder + ".manifest")["version"]
        shutil.copyfile(folder + ".manifest", self.manifest(self.version))
        shutil.copytree(folder, self.path(self.release(self.version)))
        self.verify(self.version)
        self.share(self.version)
        if not self.config["seedbox"]:
            self.tell("complete", version=self.version)

    def serve(self):
        """Until others can serve all of it, too."""
        transfer = self.transfers[self.version]
        self.tell("here")
        while transfer.other_seeds() < 2:
            self.pause(TICK)
        transfer.handle.pause()
        self.tell("left", **transfer.counters())
        while True:
            self.pause(60)

    # --- its life ---------------------------------------------------------------------------------

    def next_poll(self, due):
        """A client asks by its own clock, whatever it did meanwhile: those that got a release at once do not
        ask at once for ever after."""
        missed = max(0, time.time() - due) // self.config["poll"]
        return due + (missed + 1) * self.config["poll"]

    def live(self):
        if self.config["adopt"]:
            self.adopt(self.config["adopt"])
        if self.config["seedbox"]:
            self.serve()
        self.wait_for(self.config["arrive"])
        if self.version:
            self.pause(self.phase)
        due = time.time()
        while True:
            head = self.poll()
            if head:
                if self.config["prepare_first"]:
                    self.prepare(head)
                if self.version:
                    self.wait_for(self.my_turn(head))
                while self.version and self.config["late"] and not self.called:
                    self.pause(60)
                self.tell("turn", version=head["version"])
                if not self.config["prepare_first"]:
                    self.prepare(head)
                self.install(head["version"])
            due = self.next_poll(due)
            self.wait_for(due)


def main():
    client = Client(json.loads(sys.argv[1]))
    try:
        client.live()
    except Gone:
        counters = {version: transfer.counters() for version, transfer in client.transfers.items()}
        client.tell("end", version=client.version, transfers=counters)
    return 0


if __name__ == "__main__":
    sys.exit(main())
