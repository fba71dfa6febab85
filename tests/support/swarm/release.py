"""The publisher: makes releases with our commands, and puts them on the origin."""

import os
import shutil
import time

import documents
from commands import run


class Publisher:
    def __init__(self, folder, product, rules):
        self.folder, self.product, self.rules = os.path.join(folder, "publisher"), product, rules
        os.makedirs(self.folder)
        self.key = self.path("release.key")
        self.trust = self.path("release.pub")
        run("swarmsign", "--generate-key", self.path("release"))
        self.versions = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def manifest(self, version):
        return self.path(f"{self.product}-{version}.manifest")

    def tree(self, version):
        """Just what is published of it."""
        return self.path(f"{self.product}-{version}")

    def head(self, version):
        return self.path(f"{version}.head")

    def make(self, version, tree, piece_length="auto"):
        """A release, and the delta from the one before it."""
        inventory = self.path(f"{version}.inventory")
        before = self.versions[-1] if self.versions else None
        like = ["--like", self.manifest(before)] if before else ["--piece-length", str(piece_length)]
        run("swarmpack", tree, "--rules", self.rules, *like, "--bundle", self.tree(version) + "/", "-o", inventory)
        serial = ["--serial", "next", "--previous", self.head(before)] if before else ["--serial", "1"]
        run("swarmsign", inventory, "--key", self.key, "--product", self.product, "--release", version, *serial,
            "--head", self.head(version), "-o", self.manifest(version))
        if before:
            run("swarmdiff", self.manifest(before), self.manifest(version), "-o", self.path("unsigned.delta"), "-f")
            run("swarmsign", self.path("unsigned.delta"), "--key", self.key, "-f",
                "-o", self.path(f"{before}-{version}.delta"))
        self.versions.append(version)

    def schedule(self, version, start, window):
        """Signs it again, with a rollout: seconds since the epoch, and seconds. What was made of it stays as it is."""
        run("swarmsign", self.manifest(version), "--key", self.key, "--resign", "--head", self.head(version), "-f",
            "--rollout-start", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start)), "--rollout-window", f"{window}s",
            "-o", self.manifest(version))

    def publish(self, version, www):
        """What others point to before what points to it: content, manifest, delta, and last the head."""
        os.symlink(self.tree(version), os.path.join(www, f"{self.product}-{version}"))
        shutil.copy(self.manifest(version), www)
        at = self.versions.index(version)
        if at:
            shutil.copy(self.path(f"{self.versions[at - 1]}-{version}.delta"), www)
        new = os.path.join(www, "new.tmp")
        shutil.copy(self.head(version), new)
        os.replace(new, os.path.join(www, f"{self.product}-{documents.head_statement(new)['channel']}.head"))
