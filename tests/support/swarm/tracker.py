"""The tracker: npm's bittorrent-tracker, from tests/interop/npm."""

import os
import select
import subprocess

from children import Stuck, start, stop

HERE = os.path.dirname(os.path.realpath(__file__))
PACKAGES = os.path.realpath(os.path.join(HERE, "..", "..", "interop", "npm"))


class Tracker:
    def __init__(self, folder, address):
        # Node looks for packages beside the script.
        self.folder = os.path.join(folder, "tracker")
        os.makedirs(self.folder)
        os.symlink(os.path.join(PACKAGES, "node_modules"), os.path.join(self.folder, "node_modules"))
        script = os.path.join(self.folder, "tracker.mjs")
        with open(os.path.join(HERE, "tracker.mjs"), encoding="utf-8") as text, open(script, "w", encoding="utf-8") as out:
            out.write(text.read())
        with open(os.path.join(self.folder, "said"), "w", encoding="utf-8") as said:
            self.child = start(["node", script, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
        line = self.child.stdout.readline() if select.select([self.child.stdout], [], [], 60)[0] else ""
        if not line:
            stop(self.child)
            with open(os.path.join(self.folder, "said"), encoding="utf-8") as said:
                raise Stuck(f"the tracker does not start: {said.read()[-1000:]}")
        self.url = f"http://{address}:{line.strip()}/announce"

    def stop(self):
        stop(self.child)
