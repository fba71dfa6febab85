"""Our commands, as a site or a client runs them."""

import os
import subprocess

BIN = os.path.realpath(os.environ.get("BIN", "build/cc"))


class Refused(Exception):
    """A command said no."""


def run(command, *arguments):
    done = subprocess.run([os.path.join(BIN, command), "-q", *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Refused(f"{command}, exit status {done.returncode}: {done.stderr.decode(errors='replace')[-1000:]}")
    return done.stdout
