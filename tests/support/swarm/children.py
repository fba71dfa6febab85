"""Processes that end with this one, and waiting for what they do."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


class Stuck(Exception):
    """Something did not come about in time."""


def start(command, **how):
    """A child that is killed when this process ends, however that comes about.

    To be called in the main thread: the kernel kills it with the thread that made it.
    """
    assert threading.current_thread() is threading.main_thread()
    parent = os.getpid()

    def with_parent():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(command, preexec_fn=with_parent, **how)


def clean_up_when_told_to_end():
    """Lets this process unwind, and remove its folders, where a signal would just end it."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _: sys.exit(128 + got))


def stop(child, patience=10):
    """Asks it to end, and sees to it."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
    child.wait()


def free_port(address):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def answers(address, port):
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


def wait_until(condition, patience, what, pause=0.05):
    """Returns what the condition gives, once that is true."""
    limit = time.monotonic() + patience
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > limit:
            raise Stuck(f"after {patience} s, still waiting: {what}")
        time.sleep(pause)
