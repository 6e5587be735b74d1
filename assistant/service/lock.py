"""In: a data folder. Out: the one process that owns it, or who does.

    home/owner.lock   held by the operating system for as long as the owner lives: kill -9 frees it
    home/owner.json   {pid, command, host, port, token, started}, mode 0600; believed only while the lock is held

Chroma loses vectors silently when two processes write one folder (measured: 2 to 104 of 3,000), hence the lock.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.errors import ForOperator


class Owner(BaseModel):
    """Who owns a folder. `port` is None while it cannot be talked to: a command, or an app that is still starting."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pid: int
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

    def __repr__(self) -> str:
        return f"Owner(pid={self.pid}, command={self.command!r}, address={self.address!r})"

    __str__ = __repr__


class Owned(ForOperator):
    """Another process owns the folder. `owner` is None where it left no readable card."""

    def __init__(self, home: Path, owner: Owner | None) -> None:
        self.home, self.owner = home, owner
        who = "Another process" if owner is None else f"Process {owner.pid} (afina {owner.command})"
        where = f", at {owner.address}" if owner and owner.address else ""
        super().__init__(
            f"{who} owns the data folder {home}{where}. "
            "Stop it, wait until it is done, or name another folder with --home."
        )


@dataclass
class HomeLock:
    """Held from `acquire` to `release`. Also a context manager."""

    home: Path
    command: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    _lock: FileLock = field(init=False, repr=False)

    def acquire(self, *, wait: float = 0.3) -> HomeLock:  # seconds; a look by `owner_of` holds it for an instant
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = FileLock(self.home / "owner.lock", timeout=wait, mode=0o600)
            self._lock.acquire(poll_interval=0.02)
        except Timeout:
            raise Owned(self.home, _card(self.home)) from None
        except OSError as error:
            raise ForOperator(
                f"The data folder {self.home} cannot be written ({error.strerror or error}). "
                "Mend its permissions, or name another folder with --home."
            ) from None
        self.publish(None, None)
        return self

    def publish(self, host: str | None, port: int | None) -> None:
        """Say where the owner answers. Written beside and moved, so that nobody reads half a card."""
        owner = Owner(
            pid=os.getpid(), command=self.command, host=host, port=port, token=self.token, started=datetime.now(UTC)
        )
        beside = self.home / f"owner.json.{os.getpid()}"
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(owner.model_dump_json())
        os.replace(beside, self.home / "owner.json")

    def release(self) -> None:
        (self.home / "owner.json").unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> HomeLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def owner_of(home: Path) -> Owner | None:
    """Who owns `home` now; None when nobody does. A card left by a killed process is not believed."""
    lock = home / "owner.lock"
    if not lock.exists():
        return None
    try:
        with FileLock(lock, timeout=0, mode=0o600):
            return None
    except Timeout:
        pass
    deadline = time.monotonic() + 0.5  # between taking the lock and writing the card lie microseconds
    while (owner := _card(home)) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if owner is None:
        raise Owned(home, None)
    return owner


def _card(home: Path) -> Owner | None:
    try:
        return Owner.model_validate(json.loads((home / "owner.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return None
