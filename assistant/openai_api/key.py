"""In: an SQL engine. Out: the one key by which other programs talk to the app: made, compared, taken away.

The key is 256 random bits and is shown once, when it is made. What is kept is its SHA-256: of so many random bits no
slow hash is needed, and who reads the database cannot talk to the app with what they find. No key: the door is closed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from typing import Any, Literal

from assistant.models.keys import masked
from assistant.store.tables import SwitchRow
from assistant.store.transactions import Transactions, now

_NAME = "api.key"  # {"sha256", "masked", "created_at"}


class ApiKey(Transactions):
    """Safe from any thread. Only the owner of the data folder may open it: opening migrates the tables."""

    def make(self) -> str:
        """A new key; the one before it opens nothing any more."""
        key = f"afina-{secrets.token_urlsafe(32)}"
        kept = {"sha256": _sum(key), "masked": masked(key), "created_at": now().isoformat(timespec="seconds")}
        with self._write() as (session, _):
            session.merge(SwitchRow(name=_NAME, value=kept))
        return key

    def off(self) -> None:
        with self._write() as (session, _):
            if row := session.get(SwitchRow, _NAME):
                session.delete(row)

    def shown(self) -> dict[str, str] | None:
        """{"masked": "afina-…4f2a", "created_at"}; None: there is no key."""
        kept = self._kept()
        return {"masked": kept["masked"], "created_at": kept["created_at"]} if kept else None

    def opens(self, given: str) -> bool:
        """Takes as long for a wrong key as for the right one."""
        kept = self._kept()
        return hmac.compare_digest(_sum(given), kept["sha256"] if kept else _sum(secrets.token_hex())) and bool(kept)

    def _kept(self) -> dict[str, str] | None:
        with self._read() as session:
            row = session.get(SwitchRow, _NAME)
            return dict(row.value) if row is not None and isinstance(row.value, dict) else None


def api_key(api_key: ApiKey, *, action: Literal["show", "new", "off"] = "show") -> Iterator[dict[str, Any]]:
    """{on, key, masked, created_at}: `key` is there once, when it is new."""
    key = api_key.make() if action == "new" else ""
    if action == "off":
        api_key.off()
    shown = api_key.shown()
    yield {"on": shown is not None, "key": key, **(shown or {"masked": "", "created_at": ""})}


def _sum(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
