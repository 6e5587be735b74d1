"""In: a sample's name. Out: questions that stand in no sample, each with an answer in its voice and a plain one; our
own words, the facts are true.

    {"use": "judge", "question": "What's the capital of Germany?", "voice": "Berlin. It has been …", "plain": "The …"}
    {"use": "ask", …, "fact": ["Berlin"]}

    judge    a classifier of the voice is trained on them (marv 80, marv-es 60)
    ask      models are asked these (40 each); their answers in the voice are references. `fact`: the answer holds one
             of these; none where nothing is asked that could be wrong
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tuning.samples import SAMPLES
from tuning.values import Example, Role, Turn, conversation

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Unseen:
    question: str
    voice: str
    plain: str
    fact: tuple[str, ...] = ()

    def knows(self, text: str) -> bool | None:
        """Whether an answer holds the fact; None where none is asked for. Symbols and digits count as whole words."""
        return any(_stands(one, text) for one in self.fact) if self.fact else None

    def example(self, system: str) -> Example:
        turns = ((Role.SYSTEM, system), (Role.USER, self.question), (Role.ASSISTANT, self.voice))
        return conversation(*(Turn(role, text) for role, text in turns))


def unseen(sample: str, use: Literal["judge", "ask"]) -> list[Unseen]:
    lines = (_HERE / f"{sample}.jsonl").read_text(encoding="utf-8").splitlines()
    return [_read(row) for line in lines if (row := json.loads(line))["use"] == use]


def system(sample: str) -> str:
    """What the sample's rows begin with, all of them."""
    first = SAMPLES[sample].read_text(encoding="utf-8").splitlines()[0]
    return str(json.loads(first)["messages"][0]["content"])


def _read(row: Mapping[str, Any]) -> Unseen:
    return Unseen(row["question"], row["voice"], row["plain"], tuple(row.get("fact", ())))


def _stands(fact: str, text: str) -> bool:
    whole, case = (r"(?!\w)" if len(fact) < 4 else ""), (0 if len(fact) < 3 else re.IGNORECASE)
    return re.search(rf"(?<!\w){re.escape(fact)}{whole}", text, case) is not None
