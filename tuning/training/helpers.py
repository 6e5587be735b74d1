"""The other processes of a job: they read their share of each step, write nothing, and end when the first one does.

The first one tells them by the environment that launchers use who they are; a pipe that ends with it ends them. One
that ends too early takes the job with it: its sentence becomes the job's.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from tuning.training.folder import Folder, Status
from tuning.training.sentences import both

HELPS = "--helps"
_SECONDS = 60.0  # that they have to end by themselves, once the first is through


@contextmanager
def begun(folder: Folder, processes: int) -> Iterator[None]:
    """None are where one process is enough, or a launcher has begun them."""
    if processes == 1 or "WORLD_SIZE" in os.environ:
        yield
        return
    shared = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    with _environment({**shared, **_rank(0)}):
        some = [_begin(folder, {**shared, **_rank(rank)}) for rank in range(1, processes)]
        over = threading.Event()
        for one in some:
            threading.Thread(target=_watch, args=(one, folder, over), daemon=True).start()
        try:
            yield
        finally:
            over.set()
            for one in some:
                _end(one)


def end_with_the_first() -> None:
    """From now on this process ends when its standard input does, whatever it is at."""

    def wait() -> None:
        os.read(0, 1)  # nothing is ever written into it
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _begin(folder: Folder, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *(f"-W{one}" for one in sys.warnoptions), "-m", "tuning.training", str(folder.place), HELPS],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def _watch(one: subprocess.Popen[bytes], folder: Folder, over: threading.Event) -> None:
    said = (one.stdout.read() if one.stdout else b"").decode(errors="replace").strip().splitlines()
    if one.wait() == 0 or over.is_set():
        return
    reason = both("helper")
    with suppress(ValueError, IndexError):
        reason = json.loads(said[-1])
    folder.say(status=Status.FAILED, reason=reason)
    folder.log(reason["en"])
    os._exit(1)  # the first one waits for what will never come


def _end(one: subprocess.Popen[bytes]) -> None:
    try:
        one.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        one.kill()
    if one.stdin:
        one.stdin.close()


def _rank(rank: int) -> dict[str, str]:
    return {"RANK": str(rank), "LOCAL_RANK": str(rank)}


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _environment(added: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
