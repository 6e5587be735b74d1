"""In: two streams of (key, group, text): what is trained on, what it is measured with. Out: Leak, …: what is in both.

A leak is a shared conversation (`group`, see Source.group), the same words, or nearly the same words (at least
`threshold` of the shingles, counted, never estimated). Validation is held in memory (a kilobyte a text, the texts in a
temporary file), training passes through: a set of any size.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

import numpy as np

from tuning.cleaning.duplicates import BATCH, THRESHOLD
from tuning.cleaning.likeness import Neighbours, Shelf, Sketches
from tuning.cleaning.minhash import shingle_set, similarities
from tuning.cleaning.wording import plain

K = TypeVar("K", bound=Hashable)
Keyed = tuple[K, str, str]  # key, group ("": none), text


@dataclass(frozen=True, slots=True)
class Leak(Generic[K]):
    train: K
    validation: K
    similarity: float  # 0..1; 1.0: the same words
    group: str = ""  # the conversation that both are of: then they leak, however little alike


def leaks(train: Iterable[Keyed[K]], validation: Iterable[Keyed[K]], threshold: float = THRESHOLD) -> Iterator[Leak[K]]:
    """In the order of `train`. One that shares both a group and words with another is told once, as the group."""
    with Shelf() as shelf:
        held = _Held[K](validation, threshold, shelf)
        train = iter(train)
        while batch := list(islice(train, BATCH)):
            yield from held.met(batch)


class _Held(Generic[K]):
    """The validation side."""

    def __init__(self, items: Iterable[Keyed[K]], threshold: float, shelf: Shelf) -> None:
        self._shelf = shelf
        self._keys: list[K] = []
        self._groups: dict[str, list[int]] = {}
        self._sketches = Sketches(threshold)
        items = iter(items)
        while batch := list(islice(items, BATCH)):
            for key, group, _ in batch:
                if group:
                    self._groups.setdefault(group, []).append(len(self._keys))
                self._keys.append(key)
            texts = [plain(text) for *_, text in batch]
            shelf.put(texts)
            self._sketches.add(texts)
        rows = np.arange(len(self._keys))
        self._neighbours = Neighbours(rows, self._sketches, shelf) if self._keys else None

    def met(self, batch: list[Keyed[K]]) -> Iterator[Leak[K]]:
        if self._neighbours is None:
            return
        texts = [plain(text) for *_, text in batch]
        sketches = Sketches(self._sketches.threshold)
        sketches.add(texts)
        crowded = self._neighbours.crowd(sketches.bands) > 0
        for at, ((key, group, _), text) in enumerate(zip(batch, texts, strict=True)):
            shared = self._groups.get(group, []) if group else []
            alike = self._neighbours.alike(text, sketches.bands[at], sketches.hints[at]) if crowded[at] else {}
            if shared:
                near = similarities(shingle_set(text), [self._shelf.text(row) for row in shared])
                yield from (
                    Leak(key, self._keys[row], value, group) for row, value in zip(shared, near.tolist(), strict=True)
                )
            yield from (Leak(key, self._keys[row], value) for row, value in alike.items() if row not in shared)
