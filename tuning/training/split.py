"""In: rows, settings. Out: some of them held out where no file of them came; a name for all that decides a run."""

from __future__ import annotations

import hashlib
import random
from array import array
from collections.abc import Sequence

from tuning.training.rows import Row
from tuning.training.settings import Settings


def divided(rows: Sequence[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """(to learn from, held out): at least one is held out where two are there and `share` is above 0."""
    many = min(len(rows) - 1, max(1, round(share * len(rows)))) if share and len(rows) > 1 else 0
    out = set(random.Random(f"held:{seed}").sample(range(len(rows)), many))
    return [row for at, row in enumerate(rows) if at not in out], [row for at, row in enumerate(rows) if at in out]


def fingerprint(settings: Settings, *sides: Sequence[Row]) -> str:
    """16 hex digits: the same settings and the same rows, token by token."""
    made = hashlib.sha256(settings.fingerprint.encode())
    for rows in sides:
        made.update(b"|")
        for row in rows:
            made.update(array("q", row.ids).tobytes() + bytes(row.learn))
    return made.hexdigest()[:16]
