"""Ctrl-C for real: another process sends SIGINT at random moments to one that works without a pause."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from tests.runtime.support import WATCHDOG, temporaries
from tests.support import untraced

ROUNDS = 40

PROGRAM = """
import gc, os, signal, sys, threading, warnings
warnings.simplefilter("ignore")  # "coroutine was never awaited": it was made, and then interrupted
sys.unraisablehook = lambda hook: None  # an interruption in a finalizer is lost; the next one comes soon

from remote_store import Store
from remote_store._runtime._where import state
from remote_store.backends import LocalBackend

store = Store(LocalBackend(sys.argv[1]))
way = sys.argv[2]
versions = {bytes([letter]) * 3_000_000 for letter in b"abc"}
store.write("target", min(versions))
for number in range(20):
    store.write(f"many/{number}/file", b"1")

def pieces(version):
    for start in range(0, len(version), 500_000):
        yield version[start : start + 500_000]

def work(version):
    if way == "write":
        store.write("target", version, overwrite=True)
    elif way == "iterable":
        store.write_atomic("target", pieces(version), overwrite=True)
    elif way == "stream":
        with store.open_write("target", overwrite=True) as stream:
            for piece in pieces(version):
                stream.write(piece)
    elif way == "copy":
        store.write("source", version, overwrite=True)
        store.copy("source", "target", overwrite=True)
    else:
        assert len(list(store.list_files(recursive=True))) >= 21
        with store.read("target") as stream:
            assert stream.read() in versions

def descriptors():
    return len(os.listdir("/proc/self/fd"))

for version in versions:
    work(version)
before = descriptors()
count = 0

def interrupt(number, frame):
    global count
    count += 1
    os.write(1, b".")  # ready for the next
    if frame.f_code.co_name not in ("<module>", "interrupt"):  # there the library is not at work
        raise KeyboardInterrupt

signal.signal(signal.SIGINT, interrupt)
os.write(1, b".")
done = False
while not done:
    try:
        for version in versions:
            work(version)
        done = count >= int(sys.argv[3])
    except KeyboardInterrupt:
        pass
signal.signal(signal.SIGINT, signal.SIG_IGN)
gc.collect()
assert not state.inline
assert store.read_bytes("target") in versions, "torn"
hidden = [name for top, _, names in os.walk(sys.argv[1]) for name in names if name.startswith(".~")]
assert not hidden, hidden
assert descriptors() <= before, f"{descriptors() - before} descriptors left open by {count} interruptions"
assert not [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
"""


@pytest.mark.spec("LOC-018", "STORE-031", "RUN-002")
@pytest.mark.parametrize("way", ["write", "iterable", "stream", "copy", "read"])
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")
def test_interrupted_at_random(way: str, folder: Path) -> None:
    chance = random.Random(way)
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(folder), way, str(ROUNDS)]
    # Unmeasured: an interruption inside coverage's own tracer ends as it likes.
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, bufsize=0, env=untraced()) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            for _ in range(ROUNDS):
                if process.stdout.read(1) != b".":
                    raise AssertionError(f"it ended: {process.stderr.read().decode()}")
                time.sleep(chance.uniform(0.003, 0.02))
                process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=WATCHDOG)
        finally:
            process.kill()
        assert process.returncode == 0, errors.decode()
    assert temporaries(folder) == []
