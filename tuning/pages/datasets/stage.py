"""In: what a dataset holds. Out: the one thing to do next with it. Pure; knows no HTML.

gather → rank → look → approve → freeze → export, and round again as soon as something changed
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuning.datasets import Dataset, Facets

Do = Literal["gather", "rank", "look", "approve", "held", "freeze", "export"]
LEAST = 10  # rows that a provider takes at least; none is set apart to validate where fewer would be left
_FORMATS = {  # what a kind of example is for → the format most trainers take it in
    "conversation": "openai",
    "preference": "openai-preference",
    "ranking": "openai-preference",
    "score": "trl-kto",
    "text": "trl-text",
}


@dataclass(frozen=True, slots=True)
class Step:
    do: Do
    n: int = 0  # how many examples it is about
    left: int = 0  # how many it leaves for a person to decide


def next_step(dataset: Dataset, facets: Facets, version: int, apart: int) -> Step:
    """`version`: the newest one's number, 0: none; `apart`: how far it is from what is approved."""
    if not dataset.draft + dataset.approved:
        return Step("gather")
    if dataset.draft and facets.unseen:
        return Step("look", facets.unseen)
    if facets.unranked == dataset.draft and facets.unranked and not dataset.approved:
        return Step("rank", facets.unranked)
    if free := dataset.draft - facets.held:
        return Step("approve", free, facets.held)
    if not dataset.approved:
        return Step("held", facets.held)
    if not version or apart:
        return Step("freeze", dataset.approved, facets.held)
    return Step("export", dataset.approved, facets.held)


def share(approved: int) -> float:
    """Of the examples, for validation: a tenth, or none where too few would be left to train."""
    return 0.1 if approved - round(approved * 0.1) >= LEAST else 0.0


def format_for(kinds: dict[str, int]) -> str:
    most = max(kinds, key=lambda kind: kinds[kind], default="conversation")
    return _FORMATS[most]
