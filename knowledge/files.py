"""In: a person's file. Out: our own copy of its bytes, named by their SHA-256. Knows nothing of what is in it.

A copy appears under its name whole or not at all, and only its owner may read it (0600).
"""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from knowledge.errors import ForOperator, ForPerson

_PIECE = 1 << 20  # bytes
_ARRIVING = ".arriving-"


@dataclass(frozen=True, slots=True)
class Kept:
    sha256: str
    size: int  # bytes


class Stopped(Exception):  # noqa: N818
    """The person did not want the file after all."""


class Files:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._unsettled: Counter[str] = Counter()  # taken, and nobody's yet

    def path(self, sha256: str) -> Path:
        return self._folder / sha256

    def take(self, source: Path, stop: Event | None = None) -> Kept:
        """Copy and hash in one pass. Raises ForPerson, ForOperator (disk full) or Stopped; then nothing is left.

        Whoever takes a file says with `settle` that it belongs to somebody now: until then nobody discards it.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            os.chmod(self._folder, 0o700)
            arriving = self._folder / f"{_ARRIVING}{uuid.uuid4().hex}"
            try:
                kept = self._copy(source, arriving, stop)
                with self._lock:
                    if not self.path(kept.sha256).exists():
                        os.replace(arriving, self.path(kept.sha256))
                    self._unsettled[kept.sha256] += 1
                _sync(self._folder)
                return kept
            finally:
                arriving.unlink(missing_ok=True)
        except OSError as error:
            raise _explained(error, source) from error

    def settle(self, kept: Kept) -> None:
        with self._lock:
            self._unsettled[kept.sha256] -= 1

    def discard(self, sha256: str, wanted: Callable[[], bool]) -> bool:
        """Remove a copy that belongs to nobody: neither on its way in nor `wanted`. Whether it was so."""
        with self._lock:
            ownerless = not self._unsettled[sha256] and not wanted()
            if ownerless:
                self.remove(sha256)
            return ownerless

    def ownerless(self, sha256: str, wanted: Callable[[], bool]) -> bool:
        """Whether `discard` would remove it."""
        with self._lock:
            return not self._unsettled[sha256] and not wanted()

    def hash(self, sha256: str) -> str | None:
        """What the copy's bytes really are; None when it is not there."""
        try:
            with self.path(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None

    def remove(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)

    def names(self) -> list[str]:
        if not self._folder.exists():
            return []
        return sorted(entry.name for entry in self._folder.iterdir() if entry.is_file())

    def sweep(self) -> None:
        """Copies that a crash cut short. Not while anything is being taken: those look the same."""
        for name in self.names():
            if name.startswith(_ARRIVING):
                (self._folder / name).unlink(missing_ok=True)

    @staticmethod
    def _copy(source: Path, target: Path, stop: Event | None) -> Kept:
        digest, size = hashlib.sha256(), 0
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with source.open("rb") as reading, os.fdopen(descriptor, "wb") as writing:
            while piece := reading.read(_PIECE):
                if stop is not None and stop.is_set():
                    raise Stopped
                digest.update(piece)
                writing.write(piece)
                size += len(piece)
            writing.flush()
            os.fsync(writing.fileno())
        return Kept(digest.hexdigest(), size)


def _sync(folder: Path) -> None:
    """A rename survives a power cut only once its folder is written; Windows neither can nor needs to."""
    with suppress(OSError, AttributeError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _explained(error: OSError, source: Path) -> ForPerson | ForOperator:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ForOperator(key="disk_full")
    if error.errno == errno.EROFS or (error.filename and str(source) != str(error.filename)):
        return ForOperator(key="folder_closed", reason=str(error.strerror))
    return ForPerson(key="not_opened", title=source.name, reason=str(error.strerror))
