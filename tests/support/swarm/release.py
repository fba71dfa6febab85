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
        self.patches = {}  # by the version that they lead to: the names of their releases

    def path(self, name):
        return os.path.join(self.folder, name)

    def manifest(self, version):
        return self.path(f"{self.product}-{version}.manifest")

    def tree(self, version):
        """Just what is published of it."""
        return self.path(f"{self.product}-{version}")

    def head(self, version):
        return self.path(f"{version}.head")

    def make(self, version, tree, piece_length="auto", patch=False):
        """A release, and the delta from the one before it.

        patch: the delta comes with a solid payload, which is a release of its own that peers can share
        """
        inventory = self.path(f"{version}.inventory")
        before = self.versions[-1] if self.versions else None
        like = ["--like", self.manifest(before)] if before else ["--piece-length", str(piece_length)]
        run("swarmpack", tree, "--rules", self.rules, *like, "--bundle", self.tree(version) + "/", "-o", inventory)
        serial = ["--serial", "next", "--previous", self.head(before)] if before else ["--serial", "1"]
        run("swarmsign", inventory, "--key", self.key, "--product", self.product, "--release", version, *serial,
            "--head", self.head(version), "-o", self.manifest(version))
        if before:
            if patch:
                self.make_patch(before, version)
            else:
                self.make_delta(before, version)
        self.versions.append(version)

    def schedule(self, version, start, window):
        """Signs it again, with a rollout: seconds since the epoch, and seconds. What was made of it stays as it is."""
        run("swarmsign", self.manifest(version), "--key", self.key, "--resign", "--head", self.head(version), "-f",
            "--rollout-start", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start)), "--rollout-window", f"{window}s",
            "-o", self.manifest(version))

    def make_delta(self, before, version, *payload):
        run("swarmdiff", self.manifest(before), self.manifest(version), *payload, "-o", self.path("unsigned.delta"), "-f")
        run("swarmsign", self.path("unsigned.delta"), "--key", self.key, "-f", "-o", self.path(f"{before}-{version}.delta"))

    def make_patch(self, before, version):
        """The delta with a solid payload, which has its own release, signed with the same key."""
        for each in (before, version):
            if any(entry["label"] != "public" for entry in documents.files(self.manifest(each)).values()):
                raise ValueError(f"release {each} has files that only the origin serves, and so would the payload")
        product, release = documents.patch_release(self.product, before, version)
        folder, rules, inventory = (self.path(f"{product}-{release}{end}") for end in ("", ".yaml", ".inventory"))
        os.mkdir(folder)
        self.make_delta(before, version, "--old-tree", self.tree(before), "--new-tree", self.tree(version),
                        "--solid", os.path.join(folder, f"{release}.solid"))
        with open(rules, "w", encoding="utf-8") as out:
            out.write('swarm: rules/1\nrules:\n  - {label: public, match: "*.solid"}\n')
        run("swarmpack", folder, "--rules", rules, "--like", self.manifest(version), "-o", inventory)
        run("swarmsign", inventory, "--key", self.key, "--product", product, "--release", release, "--serial", "1",
            "-o", self.path(f"{product}-{release}.manifest"))
        self.patches[version] = f"{product}-{release}"

    def shared(self, version):
        """The releases that lead to this one, by the name of their folder: their files."""
        names = [f"{self.product}-{version}", *([self.patches[version]] if version in self.patches else [])]
        return {name: documents.files(self.path(f"{name}.manifest")) for name in names}

    def publish(self, version, www):
        """What others point to before what points to it: content, manifests, delta, and last the head."""
        for name in self.shared(version):
            os.symlink(self.path(name), os.path.join(www, name))
            shutil.copy(self.path(f"{name}.manifest"), www)
        at = self.versions.index(version)
        if at:
            shutil.copy(self.path(f"{self.versions[at - 1]}-{version}.delta"), www)
        new = os.path.join(www, "new.tmp")
        shutil.copy(self.head(version), new)
        os.replace(new, os.path.join(www, f"{self.product}-{documents.head_statement(new)['channel']}.head"))
