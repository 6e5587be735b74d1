"""In: examples with their groups, a seed, a share. Out: which of them validate. The same input gives the same split.

What belongs together stays together: one conversation (its group), and near-duplicates of each other. Groups are drawn
in the order of SHA-256(seed, group), so that adding examples moves as few of the others as can be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

TRAIN, VALIDATION = "train", "validation"


def split(groups: Sequence[str], alike: Iterable[Sequence[int]] = (), *, share: float, seed: int) -> list[str]:
    """`groups[i]`: of example i; `alike`: examples that are near-duplicates. → "train" | "validation" for each.

    As near to `share` of the examples as whole groups allow; neither side is left empty where there are two groups and
    a share above 0.
    """
    cluster = _clusters(groups, alike)
    sizes: dict[str, int] = {}
    for name in cluster:
        sizes[name] = sizes.get(name, 0) + 1
    chosen = _drawn(sizes, round(share * len(groups)), share, seed)
    return [VALIDATION if name in chosen else TRAIN for name in cluster]


def _drawn(sizes: Mapping[str, int], wanted: int, share: float, seed: int) -> set[str]:
    order = sorted(sizes, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest())
    if share <= 0 or len(order) < 2:
        return set()
    chosen, held = set[str](), 0
    for name in order:
        if held >= wanted:
            break
        if held + sizes[name] <= wanted or wanted - held > held + sizes[name] - wanted:
            chosen.add(name)
            held += sizes[name]
    if not chosen:
        chosen.add(min(order, key=lambda name: sizes[name]))
    if len(chosen) == len(order):
        chosen.discard(max(order, key=lambda name: sizes[name]))
    return chosen


def _clusters(groups: Sequence[str], alike: Iterable[Sequence[int]]) -> list[str]:
    """Groups joined where near-duplicates join them (union-find); each named by its smallest group."""
    parent: dict[str, str] = {name: name for name in groups}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for together in alike:
        first, *others = (root(groups[at]) for at in together)
        for other in others:
            low, high = sorted((root(first), root(other)))
            parent[high] = low
            first = low
    return [root(name) for name in groups]
