"""In: a JSON request. Out: the rows of a child process, each waited for no longer than asked; no process left after.

Knows nothing of PDF. The child gets the request on standard input (passwords too: arguments and environments can be
read by other processes) and an empty environment, so that no key is in reach of a hostile file.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from knowledge.readers.child import OUT_OF_MEMORY

_log = logging.getLogger(__name__)
_SCRIPT = Path(__file__).with_name("child.py")
_ROW = 8_000_000  # bytes of one row; a page image may take more
_IMAGE_ROW = 80_000_000
_LOOK = 0.1  # seconds between looks at the stop event
Row = dict[str, Any]


class TimedOut(Exception):  # noqa: N818 - how a wait ended
    pass


class Stopped(Exception):  # noqa: N818
    pass


class NotStarted(Exception):  # noqa: N818
    """The system gave no process: out of memory, out of processes, or no PDFium. The log says which."""


class Ended(Exception):  # noqa: N818
    """The child is gone without having said so."""


class OutOfMemory(Ended):
    pass


class Child:
    """One child process. Use as a context: on the way out it is killed and waited for, whatever happened."""

    def __init__(self, request: Row) -> None:
        self._row = _IMAGE_ROW if request["verb"] == "render" else _ROW
        self._process = _start()
        assert self._process.stdin
        assert self._process.stdout
        assert self._process.stderr
        self._lines: queue.Queue[bytes | None] = queue.Queue(maxsize=16)  # rows read ahead of whoever consumes them
        self._closed = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._pump, args=(os.fdopen(os.dup(self._process.stdout.fileno()), "rb"),), daemon=True
            ),
            threading.Thread(target=_swallow, args=(self._process.stderr, self._process.pid), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        except OSError:  # it died at once; the first wait says so
            _log.debug("reader %d took no request", self._process.pid)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream
            stream.close()

    def row(self, seconds: float, stop: threading.Event | None = None) -> Row:
        """The next row. Raises TimedOut, Stopped (within about 0.1 s of the event), OutOfMemory or Ended."""
        until = time.monotonic() + seconds
        while True:
            if stop is not None and stop.is_set():
                raise Stopped
            left = until - time.monotonic()
            try:
                line = self._lines.get(timeout=max(0.0, min(left, _LOOK)))
            except queue.Empty:
                if left <= 0:
                    raise TimedOut from None
                continue
            if line is None:
                raise self._ending()
            return _row(line)

    def _ending(self) -> Ended:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return Ended("closed its output")
        _log.info("reader %d ended with status %d", self._process.pid, status)
        return OutOfMemory() if status == OUT_OF_MEMORY else Ended(f"status {status}")

    def _pump(self, output: IO[bytes]) -> None:
        with output:
            while line := output.readline(self._row):
                whole = line.endswith(b"\n")
                if not self._put(line if whole else None) or not whole:
                    return
            self._put(None)

    def _put(self, line: bytes | None) -> bool:
        while not self._closed.is_set():
            try:
                self._lines.put(line, timeout=_LOOK)
            except queue.Full:
                continue
            return True
        return False


def _start() -> subprocess.Popen[bytes]:
    try:
        site = importlib.util.find_spec("pypdfium2_raw")
        if site is None or site.origin is None:
            raise ModuleNotFoundError("pypdfium2 is not installed")
        # -I -S: no user folder, no environment, no site packages: it starts in about 60 ms.
        command = [sys.executable, "-I", "-S", str(_SCRIPT), str(Path(site.origin).parent.parent)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=_environment(), bufsize=0)
    except (OSError, ImportError) as error:
        _log.exception("no process to read a document in")
        raise NotStarted from error


def _row(line: bytes) -> Row:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise Ended("said something that is no row")
    return row


def _swallow(errors: IO[bytes], pid: int) -> None:
    """Standard error goes to the log, the first 4,000 bytes of it."""
    kept = b""
    while part := errors.read(4096):
        kept = (kept + part)[:4000]
    if kept:
        _log.info("reader %d said: %s", pid, kept.decode("utf-8", "replace").strip())


def _environment() -> dict[str, str]:
    """Only what a Python needs to start at all."""
    names = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    # One heap for all threads: glibc else reserves 128 MB for each, and the memory limit counts what is reserved.
    return {**kept, "MALLOC_ARENA_MAX": "1"}
