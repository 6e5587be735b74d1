"""In: rows, a seed. Out: which rows a step learns from, and packs: rows laid one after the other, none cut, no padding.

A pack is read at once. Rows in it do not see each other: each begins at its own first position and attends to itself
alone (engine.attention). What all rows of a pack begin with alike and do not learn, a system's message as a rule, is
laid once, before them; each row attends to it and goes on from there, so that it reads what it would read alone.

    ids        sys sys sys | a a a a | b b b      prefix 3, rows a, b, the longest first
    positions   0   1   2  | 3 4 5 6 | 3 4 5
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from tuning.training.rows import Row

LEAST_PREFIX = 8  # tokens; below, nothing is won
ALIKE = 0.8  # rows whose length is at least this share of the longest attend in one call, padded to it


@dataclass(frozen=True, slots=True)
class Pack:
    rows: tuple[Row, ...]  # the longest first
    prefix: int  # tokens that all rows begin with, laid once

    @property
    def tokens(self) -> int:
        """Of the rows, as if nothing were shared."""
        return sum(map(len, self.rows))

    @property
    def read(self) -> int:
        """That are laid, and computed."""
        return self.prefix + sum(len(row) - self.prefix for row in self.rows)

    @property
    def learned(self) -> int:
        return sum(row.learned for row in self.rows)

    def ids(self) -> list[int]:
        laid = list(self.rows[0].ids[: self.prefix])
        for row in self.rows:
            laid += row.ids[self.prefix :]
        return laid

    def positions(self) -> list[int]:
        laid = list(range(self.prefix))
        for row in self.rows:
            laid += range(self.prefix, len(row))
        return laid

    def targets(self) -> tuple[list[int], list[int]]:
        """(places in the pack at which something is predicted, the ids that are right there)."""
        places, ids, at = list[int](), list[int](), self.prefix
        for row in self.rows:
            for token in range(max(1, self.prefix), len(row)):
                if row.learn[token]:
                    places.append(at + token - self.prefix - 1 if token > self.prefix else self.prefix - 1)
                    ids.append(row.ids[token])
            at += len(row) - self.prefix
        return places, ids

    def groups(self) -> list[tuple[int, int]]:
        """(rows, their longest, without the prefix): neighbours of like length, in order."""
        found = list[tuple[int, int]]()
        for row in self.rows:
            own = len(row) - self.prefix
            if found and own >= ALIKE * found[-1][1]:
                found[-1] = (found[-1][0] + 1, found[-1][1])
            else:
                found.append((1, own))
        return found


def order(rows: int, seed: int, epoch: int) -> list[int]:
    """Of one pass over all rows; the same on every machine."""
    places = list(range(rows))
    random.Random(f"{seed}:{epoch}").shuffle(places)
    return places


def steps_of(rows: int, batch: int, epochs: float, most: int | None) -> int:
    return most or max(1, math.ceil(rows / batch * epochs))


def of_step(rows: Sequence[Row], step: int, batch: int, seed: int) -> list[Row]:
    """What step `step` (from 0) learns from; the last step of a pass takes what is left."""
    in_pass = math.ceil(len(rows) / batch)
    epoch, at = divmod(step, in_pass)
    return [rows[place] for place in order(len(rows), seed, epoch)[at * batch : (at + 1) * batch]]


def packed(rows: Sequence[Row], most: int, *, share: bool = True) -> list[Pack]:
    """Packs of at most `most` tokens (a longer row is alone), first fit, the longest first."""
    bins = list[list[Row]]()
    room = list[int]()
    for row in sorted(rows, key=len, reverse=True):
        place = next((at for at, free in enumerate(room) if len(row) <= free), None)
        if place is None:
            bins.append([row])
            room.append(most - len(row))
        else:
            bins[place].append(row)
            room[place] -= len(row)
    return [Pack(tuple(some), shared(some) if share else 0) for some in bins]


def shared(rows: Sequence[Row]) -> int:
    """Tokens that all begin with, none of them learned and none a row's last."""
    if len(rows) < 2:
        return 0
    low, high = min(row.ids for row in rows), max(row.ids for row in rows)
    alike = next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    for row in rows:
        first = next((at for at, learn in enumerate(row.learn) if learn), len(row))
        alike = min(alike, first, len(row) - 1)
    return alike if alike >= LEAST_PREFIX else 0


def rate(step: int, steps: int, peak: float, schedule: str, warmup: float) -> float:
    """The learning rate of step `step` (from 0): it rises over the first share, then stays or falls."""
    rising = max(1, round(warmup * steps)) if warmup else 0
    if step < rising:
        return peak * (step + 1) / rising
    gone = (step - rising) / max(1, steps - rising)
    if schedule == "linear":
        return peak * (1 - gone)
    return peak * 0.5 * (1 + math.cos(math.pi * gone)) if schedule == "cosine" else peak
