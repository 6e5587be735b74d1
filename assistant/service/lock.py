"""In: a data folder. Out: the one process that owns it, or who does.

    home/owner.lock   held by the operating system for as long as the owner lives: kill -9 frees it
    home/owner.json   {pid, born, command, host, port, token, started}, mode 0600; believed only while the lock is held
                      and the process that wrote it is alive

Whoever looks does not take the lock: a shared probe disturbs no other look. (Probing with the lock itself, 61 of 300
looks at once took each other for the owner and believed a dead one's card: its token would have gone to its port.)

Chroma loses vectors silently when two processes write one folder (measured: 2 to 104 of 3,000), hence the lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.errors import ForOperator

LOOK = 0.5  # seconds a look waits for the card: between taking the lock and writing it lie microseconds
LOOKS = 2.0  # seconds a taker goes on while nothing but looks seems to be in its way


class Owner(BaseModel):
    """Who owns a folder. `port` is None while it cannot be talked to: a command, or an app that is still starting."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pid: int
    born: int | None = None  # when the process began, in the system's own count; None where it does not say
    command: str  # "serve", "docs add" …
    host: str | None = None
    port: int | None = None
    token: str = field(repr=False, default="")
    started: datetime

    @property
    def address(self) -> str | None:
        if self.port is None or self.host is None:
            return None
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether the process that wrote this is still there, and not another one with its number."""
        if sys.platform == "win32":  # os.kill would end it; the lock alone decides
            return True
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            pass
        born = born_of(self.pid)
        return born != DEAD and (born is None or self.born is None or born == self.born)

    def __repr__(self) -> str:
        return f"Owner(pid={self.pid}, command={self.command!r}, address={self.address!r})"

    __str__ = __repr__


class Owned(ForOperator):
    """Another process owns the folder. `owner` is None where it left no readable card."""

    def __init__(self, home: Path, owner: Owner | None) -> None:
        self.home, self.owner = home, owner
        who = "Another process" if owner is None else f"Process {owner.pid} (afina {owner.command})"
        where = f", at {owner.address}" if owner and owner.address else ""
        quien = "Otro proceso" if owner is None else f"El proceso {owner.pid} (afina {owner.command})"
        donde = f", en {owner.address}" if owner and owner.address else ""
        super().__init__(
            f"{who} owns the data folder {home}{where}. "
            "Stop it, wait until it is done, or name another folder with --home.",
            spanish=f"{quien} tiene la carpeta de datos {home}{donde}. "
            "Deténgalo, espere a que termine o elija otra carpeta con --home.",
        )


@dataclass
class HomeLock:
    """Held from `acquire` to `release`. Also a context manager."""

    home: Path
    command: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    _lock: FileLock = field(init=False, repr=False)

    def acquire(self, *, wait: float = 0.3) -> HomeLock:  # seconds
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = FileLock(self.home / "owner.lock", timeout=wait, mode=0o600)
            self._take()
            self._card.unlink(missing_ok=True)  # of an owner that was killed
        except OSError as error:
            raise ForOperator(
                f"The data folder {self.home} cannot be written ({error.strerror or error}). "
                "Mend its permissions, or name another folder with --home.",
                spanish=f"No se puede escribir en la carpeta de datos {self.home} ({error.strerror or error}). "
                "Corrija sus permisos o elija otra carpeta con --home.",
            ) from None
        self.publish(None, None)
        return self

    def _take(self) -> None:
        """Looks hold the lock in common for microseconds; only an owner keeps it."""
        deadline = time.monotonic() + LOOKS
        while True:
            try:
                self._lock.acquire(poll_interval=0.02)
                return
            except Timeout:
                owner = _card(self.home)
                if owner is not None or time.monotonic() > deadline:
                    raise Owned(self.home, owner) from None

    @property
    def _card(self) -> Path:
        return self.home / "owner.json"

    def publish(self, host: str | None, port: int | None) -> None:
        """Say where the owner answers. Written beside and moved, so that nobody reads half a card."""
        owner = Owner(
            pid=os.getpid(),
            born=born_of(os.getpid()),
            command=self.command,
            host=host,
            port=port,
            token=self.token,
            started=datetime.now(UTC),
        )
        beside = self.home / f"owner.json.{os.getpid()}"
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(owner.model_dump_json())
        os.replace(beside, self._card)

    def release(self) -> None:
        self._card.unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> HomeLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def owner_of(home: Path) -> Owner | None:
    """Who owns `home` now; None when nobody does. A card left by a killed process is not believed."""
    deadline = time.monotonic() + LOOK
    while _held(home / "owner.lock"):
        if (owner := _card(home)) is not None:
            return owner
        if time.monotonic() > deadline:
            raise Owned(home, None)
        time.sleep(0.02)
    return None


def _held(lock: Path) -> bool:
    try:
        file = os.open(lock, os.O_RDONLY)
    except OSError:
        return False  # no folder yet; or nothing that we may open, which taking it will say
    try:
        return not _free(file)
    finally:
        os.close(file)  # gives the probe back


if sys.platform == "win32":

    def _free(file: int) -> bool:
        import msvcrt

        try:  # there is no shared lock: whoever looks at the same instant is taken for an owner, but without a card
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
        except OSError:
            return False
        return True

else:

    def _free(file: int) -> bool:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


DEAD = -1  # in place of a time of birth: killed, and not yet collected by its parent


def born_of(pid: int) -> int | None:
    """When a process began, in clock ticks since the machine did (Linux); None where the system does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        state, *rest = (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        )
        return DEAD if state in ("Z", "X") else int(rest[18])
    return None


def _card(home: Path) -> Owner | None:
    """The card of a living process; a torn one, or a dead one's, is none."""
    try:
        owner = Owner.model_validate(json.loads((home / "owner.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return None
    return owner if owner.alive else None
