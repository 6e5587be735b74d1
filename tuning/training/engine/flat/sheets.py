"""In: packs, the run's shape. Out: sheets, tensors of that shape on the device.

    ids        a a a a b b b b b b c c c . . .     rows one after the other; the tail is padding
    positions  0 1 2 3 0 1 2 3 4 5 0 1 2 0 1 2     each row begins anew; the tail is read as rows of its own, learned
    bounds     0 4 10 13 16 16 16                  from nowhere, and rows that are not there have no tokens

`places` are where something is predicted, `right` what; both are as long as the pack needs, in whole chunks, the rest
of the last one marked (-1): nothing that is compiled sees how many chunks there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import torch

from tuning.training.rows import Row

CHUNK = 4096  # learned places whose logits exist at once: 49,152 words in bf16 and float32 are 1.2 GB


@dataclass(frozen=True, slots=True)
class Shape:
    """Of every sheet of a run."""

    tokens: int
    rows: int  # at most, the tail's included
    longest: int  # of a row, at most
    before: int = 0  # vectors that stand before each row
    chunk: int = CHUNK


@dataclass(frozen=True, slots=True)
class Sheet:
    ids: Any  # (1, tokens) int64
    positions: Any  # (1, tokens) int64
    bounds: Any  # (rows + 1,) int32
    vectors: Any  # (tokens,) int64: which vector stands there, -1 for a token; None: there are none
    places: Any  # (chunks × chunk,) int64; beyond the last one: 0
    right: Any  # (chunks × chunk,) int64; beyond the last one: -1
    tokens: int  # of rows
    learned: int


def shape(tokens: int, rows: int, longest: int, before: int = 0, chunk: int = CHUNK) -> Shape:
    """`tokens`, `longest`: without vectors. The tail may need rows of its own."""
    most, wide = tokens + rows * before, longest + before
    return Shape(most, rows + math.ceil(most / wide) + 1, wide, before, chunk)


def sheet(rows: Sequence[Row], made: Shape) -> Sheet:
    """On the processor; its memory is pinned where there is a GPU, so that it can be sent while another is read."""
    lengths = np.array([len(row) + made.before for row in rows], dtype=np.int64)
    used = int(lengths.sum())
    bounds = _bounds(lengths, used, made)
    starts = bounds[:-1].repeat(np.diff(bounds))
    positions = np.arange(made.tokens) - starts
    ids, learn = np.zeros(made.tokens, dtype=np.int64), np.zeros(made.tokens, dtype=bool)
    real = positions >= made.before
    real[used:] = False
    ids[real] = np.fromiter(chain.from_iterable(row.ids for row in rows), dtype=np.int64)
    learn[real] = np.fromiter(chain.from_iterable(row.learn for row in rows), dtype=bool)
    learn &= positions > made.before  # the first of a row is predicted by nobody
    found = np.flatnonzero(learn)
    chunks = max(1, math.ceil(len(found) / made.chunk)) * made.chunk
    places, right = np.zeros(chunks, dtype=np.int64), np.full(chunks, -1, dtype=np.int64)
    places[: len(found)], right[: len(found)] = found - 1, ids[found]
    vectors = np.where((positions < made.before) & (np.arange(made.tokens) < used), positions, -1)
    return Sheet(
        _kept(ids[None]), _kept(positions[None]), _kept(bounds.astype(np.int32)),
        _kept(vectors) if made.before else None, _kept(places), _kept(right), sum(map(len, rows)), len(found),
    )  # fmt: skip


def _bounds(lengths: Any, used: int, made: Shape) -> Any:
    """(rows + 1,): the tail is cut into rows no longer than the longest, what is left over are rows without tokens."""
    tail = [*range(used + made.longest, made.tokens, made.longest), made.tokens]
    bounds = np.full(made.rows + 1, made.tokens, dtype=np.int64)
    ends = np.concatenate([lengths.cumsum(), tail])
    bounds[0], bounds[1 : len(ends) + 1] = 0, ends
    return bounds


def _kept(array: Any) -> Any:
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    return tensor.pin_memory() if torch.cuda.is_available() else tensor


def sent(one: Sheet, device: str) -> Sheet:
    if device == "cpu":
        return one
    named = {name: getattr(one, name) for name in Sheet.__slots__}
    tensors = {
        name: tensor.to(device, non_blocking=True) for name, tensor in named.items() if isinstance(tensor, torch.Tensor)
    }
    return Sheet(**{**named, **tensors})


class Feed:
    """What `make` makes of a number, the next one made ready in a thread while this one is used."""

    def __init__(self, make: Callable[[int], list[Sheet]], steps: int) -> None:
        self._make, self._steps = make, steps
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sheets")
        self._ready: dict[int, Future[list[Sheet]]] = {}

    def take(self, step: int) -> list[Sheet]:
        now = self._ready.pop(step, None) or self._thread.submit(self._make, step)
        self._ready.clear()
        if step + 1 < self._steps:
            self._ready[step + 1] = self._thread.submit(self._make, step + 1)
        return now.result()

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
