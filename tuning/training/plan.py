"""In: rows, settings. Out: how many steps there are, and which packs each learns from. The same on every machine.

batch         so many rows a step, drawn anew for each pass over all of them (packing.of_step)
step_tokens   full packs: rows are laid out once, so that hardly a place stays empty, and the packs come in another
              order in each pass. A run is not made shorter than LEAST_STEPS by it, where `batch` rows a step allow.

`tokens` is the room of a pack: with step_tokens, all packs have the same and nearly fill it.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

from tuning.training import packing
from tuning.training.rows import Row
from tuning.training.settings import Settings

LEAST_STEPS = 50
WINDOW = 64  # packs whose rows are looked at together: long and short ones meet, and the order stays random
FULL = 0.98  # a pack below is undone while more rows are to come
ROUND = 64  # tokens; matrices of odd sizes are slow on a GPU


class Plan:
    def __init__(self, rows: Sequence[Row], settings: Settings) -> None:
        self.all_rows, self._settings = rows, settings
        self._packs = list[tuple[Row, ...]]()
        self._each = 1  # packs of a step
        if settings.step_tokens is None:
            self._in_pass = math.ceil(len(rows) / settings.batch)
            most = sum(sorted(map(len, rows))[-settings.batch :])
            self.tokens = max(min(settings.pack_tokens, _rounded(most)), _rounded(max(map(len, rows))))
            self.steps = packing.steps_of(len(rows), settings.batch, settings.epochs, settings.max_steps)
            return
        self._each, room = _room(rows, settings, settings.step_tokens)
        self.tokens, self._packs = laid_out(rows, room, settings.seed)
        self._in_pass = math.ceil(len(self._packs) / self._each)
        self.steps = settings.max_steps or max(1, math.ceil(self._in_pass * settings.epochs))

    def epoch(self, steps: int) -> float:
        """Passes over all rows that so many steps make."""
        if self._settings.step_tokens is None:
            return steps * self._settings.batch / len(self.all_rows)
        return steps / self._in_pass

    def packs(self, step: int) -> list[tuple[Row, ...]]:
        """What step `step` (from 0) learns from; with `batch`, as few packs as hold its rows."""
        settings = self._settings
        if settings.step_tokens is None:
            rows = packing.of_step(self.all_rows, step, settings.batch, settings.seed)
            return [pack.rows for pack in packing.packed(rows, self.tokens, share=False)]
        order = packing.order(len(self._packs), settings.seed, step // self._in_pass)
        at = step % self._in_pass * self._each
        return [self._packs[one] for one in order[at : at + self._each]]

    def rows(self, step: int) -> list[Row]:
        if self._settings.step_tokens is None:
            return packing.of_step(self.all_rows, step, self._settings.batch, self._settings.seed)
        return [row for pack in self.packs(step) for row in pack]

    @property
    def step_tokens(self) -> int:
        """Room of the packs of a step."""
        return self._each * self.tokens

    @property
    def most_rows(self) -> int:
        """Of a pack, at most."""
        if self._settings.step_tokens is None:
            return self._settings.batch
        return max(map(len, self._packs))


def by_rows(settings: Settings, rows: int, tokens: int) -> Settings:
    """As many rows a step as step_tokens comes to, of so many rows and tokens: for who only counts."""
    if settings.step_tokens is None or not rows:
        return settings
    batch = max(1, round(_step(settings, settings.step_tokens, rows, tokens) / (tokens / rows)))
    return settings.model_copy(update={"step_tokens": None, "batch": batch})


def _step(settings: Settings, asked: int, rows: int, tokens: int) -> int:
    """Tokens of a step: fewer than asked where there are few rows."""
    least = math.ceil(tokens / rows * settings.batch)
    return asked if settings.max_steps else min(asked, max(least, math.ceil(tokens * settings.epochs / LEAST_STEPS)))


def _room(rows: Sequence[Row], settings: Settings, asked: int) -> tuple[int, int]:
    """(packs of a step, the room of a pack)"""
    tokens = _step(settings, asked, len(rows), sum(map(len, rows)))
    each = max(1, round(tokens / settings.pack_tokens))
    return each, max(min(settings.pack_tokens, tokens), max(map(len, rows)))


def laid_out(rows: Sequence[Row], room: int, seed: int) -> tuple[int, list[tuple[Row, ...]]]:
    """(the room that was taken, packs): every row in one pack, whole.

    Where the rows fill a few packs and a bit, smaller packs are tried first: as many, all of them full.
    """
    total, longest, room = sum(map(len, rows)), max(map(len, rows)), _rounded(room)
    many = math.ceil(total / room)
    if many <= WINDOW:
        for slack in (1.0, 1.005, 1.01, 1.02, 1.05):
            less = max(_rounded(total / many * slack), _rounded(longest))
            if less < room and len(packs := filled(rows, less, seed)) <= many:
                return less, packs
    return room, filled(rows, room, seed)


def filled(rows: Sequence[Row], room: int, seed: int) -> list[tuple[Row, ...]]:
    """Packs of at most `room` tokens: window by window, the longest row first, each where it fits best."""
    order = packing.order(len(rows), seed, 0)
    waiting, done, tokens = list[int](), list[tuple[Row, ...]](), 0
    for place in order:
        waiting.append(place)
        tokens += len(rows[place])
        if tokens >= WINDOW * room:
            bins = _best_fit(rows, waiting, room)
            full = [some for some in bins if _tokens(rows, some) >= FULL * room]
            done += [tuple(rows[at] for at in some) for some in full]
            kept = {at for some in full for at in some}
            waiting = [at for at in waiting if at not in kept]
            tokens = _tokens(rows, waiting)
    done += [tuple(rows[at] for at in some) for some in _best_fit(rows, waiting, room)]
    random.Random(f"packs:{seed}").shuffle(done)
    return done


def _best_fit(rows: Sequence[Row], places: Iterable[int], room: int) -> list[list[int]]:
    """Bins of places; none holds more than `room` tokens."""
    bins, free = list[list[int]](), list[tuple[int, int]]()  # free: (tokens left, the bin), ascending
    for place in sorted(places, key=lambda at: -len(rows[at])):
        needed = len(rows[place])
        found = bisect_left(free, (needed, -1))
        if found == len(free):
            bins.append([place])
            insort(free, (room - needed, len(bins) - 1))
        else:
            left, one = free.pop(found)
            bins[one].append(place)
            insort(free, (left - needed, one))
    return bins


def _tokens(rows: Sequence[Row], places: Iterable[int]) -> int:
    return sum(len(rows[at]) for at in places)


def _rounded(tokens: float) -> int:
    return math.ceil(tokens / ROUND) * ROUND
