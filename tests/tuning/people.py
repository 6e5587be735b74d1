"""In: a seed. Out: sentences that hold made-up personal data, with where it stands, and sentences that hold none.

    sentences("phone", "es", part=1, seed=1, n=2)
    → Told("Quedamos a las 10:30. Llámame al 612 345 678, porfa.", kind="phone", start=33, end=44), …

Every sentence stands among others that hold dates, amounts, versions and numbers of all sorts: a detector may not take
those. They lie in tests/data/personal-1.json to -4; each was written after the detectors had been mended with the ones
before. What was reached on the fourth when they first met it stands at the head of benchmarks/data_clean.py.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.tuning.people_values import NUMBERS, VALUES

PARTS = (1, 2, 3, 4)
LANGUAGES = ("en", "es")
KINDS = ("email", "phone", "card", "iban", "national_id", "ip", "key", "password")


@dataclass(frozen=True, slots=True)
class Told:
    text: str
    kind: str = ""  # "": nothing personal in it
    start: int = 0
    end: int = 0

    @property
    def value(self) -> str:
        return self.text[self.start : self.end]


def sentences(kind: str, language: str, *, part: int, seed: int, n: int) -> Iterator[Told]:
    chance = random.Random(f"{kind} {language} {seed}")
    said, others = _part(part)["sentences"][kind][language], _part(part)["distractors"][language]
    for _ in range(n):
        group, value = VALUES[kind](chance, language)
        template = chance.choice([line for name in (group, "any") for line in said.get(name, ())])
        before = [_distractor(chance, others) for _ in range(chance.choice((0, 0, 1, 1, 2)))]
        after = [_distractor(chance, others) for _ in range(chance.choice((0, 1)))]
        yield _among_others(before, template, after, kind, value)


def nothing_personal(language: str, *, part: int, seed: int, n: int) -> Iterator[Told]:
    chance = random.Random(f"nothing {language} {seed}")
    others = _part(part)["distractors"][language]
    for _ in range(n):
        yield Told(" ".join(_distractor(chance, others) for _ in range(chance.randint(1, 3))))


@cache
def _part(part: int) -> Any:
    return json.loads((Path(__file__).parent.parent / "data" / f"personal-{part}.json").read_text("utf-8"))


def _distractor(chance: random.Random, lines: list[str]) -> str:
    return chance.choice(lines).format_map(_Drawn(chance))


def _among_others(before: list[str], template: str, after: list[str], kind: str, value: str) -> Told:
    head, tail = (piece.replace("{{", "{").replace("}}", "}") for piece in template.split("{}"))
    text = " ".join([*before, head]) if before else head
    return Told(" ".join([text + value + tail, *after]), kind, len(text), len(text) + len(value))


class _Drawn(dict[str, str]):
    """What stands in a distractor's braces: {amount}, {isbn}, {order} …"""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def __missing__(self, name: str) -> str:
        return NUMBERS[name](self._chance)
