"""In: keyed examples or texts, as a stream. Out: Group, Group, …: what says the same twice, the one to keep first.

    exact_duplicates    the same content: every word, role, mask and tool
    near_duplicates     at least `threshold` of their shingles shared (Jaccard)

    near_duplicates([(1, "Paris, as if you didn't know."), (2, "Paris, as if you did not know."), (3, "Rome.")], 0.6)
    → Group(keys=(2, 1), similarity=…)

A group is a star, not a chain: every one in it is like the first one, so that dropping the others loses nothing that is
not there in nearly the same words. Likeness is counted on the shingles themselves, never estimated; of pairs exactly at
the threshold one in a thousand is overlooked. Knows nothing of stores and of what an example is for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np

from tuning.cleaning.likeness import Neighbours, Rows, Shelf, Sketches
from tuning.cleaning.wording import plain
from tuning.rows import fingerprint
from tuning.values import Example

K = TypeVar("K", bound=Hashable)

THRESHOLD = 0.85
BATCH = 1_000  # texts whose shingles are in memory at once


@dataclass(frozen=True, slots=True)
class Group(Generic[K]):
    """Two or more that say the same thing. `keys[0]` is the one to keep, the others follow as they came."""

    keys: tuple[K, ...]
    similarity: float  # of the one least like the first; 1.0: the same


def longest(_key: Any, text: str) -> int:
    return len(text)


def exact_duplicates(examples: Iterable[tuple[K, Example]]) -> Iterator[Group[K]]:
    """The first one that came is kept."""
    first: dict[bytes, K] = {}
    again: dict[bytes, list[K]] = {}
    for key, example in examples:
        content = bytes.fromhex(fingerprint(example))[:16]
        if content in first:
            again.setdefault(content, []).append(key)
        first.setdefault(content, key)
    for content, keys in again.items():
        yield Group((first[content], *keys), 1.0)


def near_duplicates(
    items: Iterable[tuple[K, str]], threshold: float = THRESHOLD, *, prefer: Callable[[K, str], Any] = longest
) -> Iterator[Group[K]]:
    """`prefer` gives something that compares: of a group the greatest is kept, of equals the one that came first.

    Texts are compared as `wording.plain` has them; what differs only in case, spaces and marks has a similarity of 1.
    """
    if not 0 < threshold <= 1:
        raise ValueError("a threshold lies between 0 and 1")
    keys: list[K] = []
    preferred: list[Any] = []
    sketches = Sketches(threshold)
    items = iter(items)
    with Shelf() as shelf:
        while batch := list(islice(items, BATCH)):
            keys += [key for key, _ in batch]
            preferred += [prefer(key, text) for key, text in batch]
            texts = [plain(text) for _, text in batch]
            shelf.put(texts)
            sketches.add(texts)
        order = np.array(sorted(range(len(keys)), key=preferred.__getitem__, reverse=True), np.int64)
        for rows, similarity in _stars(order, sketches, shelf):
            yield Group(tuple(keys[row] for row in rows), similarity)


def _stars(order: Rows, sketches: Sketches, shelf: Shelf) -> Iterator[tuple[list[int], float]]:
    """Rows from the most preferred on: each takes what is like it and is not taken yet."""
    if not len(order):
        return
    twins = _Twins(order, sketches.sums[order])
    neighbours = Neighbours(twins.firsts, sketches, shelf)
    bands, hints = neighbours.bands, neighbours.hints
    crowded = neighbours.crowd(bands) > bands.shape[1]
    free = np.ones(len(bands), np.bool_)
    for at, first in enumerate(twins.firsts.tolist()):
        if not free[at]:
            continue
        free[at] = False
        alike = neighbours.alike(shelf.text(first), bands[at], hints[at], free) if crowded[at] else {}
        free[list(alike)] = False
        rows = twins.others(first)
        for mate in twins.firsts[list(alike)].tolist():
            rows += [mate, *twins.others(mate)]
        if rows:
            yield [first, *sorted(rows)], min(alike.values(), default=1.0)


class _Twins:
    """Rows with the very same text count once: the first of them in the order given."""

    def __init__(self, order: Rows, sums: Any) -> None:
        _, at, which = np.unique(sums, return_index=True, return_inverse=True)
        self.firsts: Rows = order[np.sort(at)]
        repeated = np.bincount(which)[which] > 1
        first = order[at][which]
        self._others: dict[int, list[int]] = {}
        for row, its_first in zip(order[repeated].tolist(), first[repeated].tolist(), strict=True):
            if row != its_first:
                self._others.setdefault(its_first, []).append(row)

    def others(self, first: int) -> list[int]:
        return list(self._others.get(first, ()))
