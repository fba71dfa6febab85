"""A swarm of clients on this machine: what they say, and waiting for it."""

import json
import os
import subprocess
import sys
import threading
import time

from children import Stuck, start, stop, wait_until

HERE = os.path.dirname(os.path.realpath(__file__))


class Swarm:
    """Clients, each a process with an address of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.children, self.threads = {}, []
        self.events = []

    def add(self, program, config):
        name = config["name"]
        os.makedirs(config["folder"])
        with open(os.path.join(self.folder, f"{name}.said"), "w", encoding="utf-8") as said:
            child = start([sys.executable, "-B", os.path.join(HERE, program), json.dumps(config)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
        self.children[name] = child
        thread = threading.Thread(target=self._listen, args=(child,), daemon=True)
        thread.start()
        self.threads.append(thread)

    def _listen(self, child):
        for line in child.stdout:
            self.events.append(json.loads(line))

    def last_words(self, name):
        with open(os.path.join(self.folder, f"{name}.said"), encoding="utf-8") as said:
            return said.read()[-2000:]

    def said(self, event, **fields):
        """The events of that kind whose fields have these values."""
        return [it for it in list(self.events) if it["event"] == event
                and all(it.get(key) == value for key, value in fields.items())]

    def wait_for(self, count, patience, event, **fields):
        """Until as many clients have said that."""
        def there():
            for name, child in self.children.items():
                if child.poll() is not None:
                    raise Stuck(f"{name} ended too early, status {child.returncode}: {self.last_words(name)}")
            return len({it["client"] for it in self.said(event, **fields)}) >= count
        try:
            wait_until(there, patience, f"{count} clients: {event} {fields}")
        except Stuck as why:
            names = {it["client"] for it in self.said(event, **fields)}
            missing = [f"\n{name}: {self.last_words(name)}" for name in self.children if name not in names]
            raise Stuck(f"{why}; there are {len(names)}: {' '.join(sorted(names))}{''.join(missing)}") from None

    def call(self):
        """What those wait for that are late."""
        for child in self.children.values():
            child.stdin.write(".")
            child.stdin.flush()

    def end(self):
        """Lets all of them say what they counted."""
        for child in self.children.values():
            child.stdin.close()
        limit = time.monotonic() + 60
        for child in self.children.values():
            try:
                child.wait(max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            stop(child)
        for thread in self.threads:
            thread.join(10)

    def kill(self):
        for child in self.children.values():
            child.kill()
            child.wait()
