"""In: texts, in batches. Out: for one text, those of the others that are as like it as was asked, and how like.

    Shelf        the texts, in a temporary file once they are more than a few megabytes
    Sketches     what is kept of each in memory; with its neighbours about a kilobyte a text
    Neighbours   who is like whom; three sieves, the last one exact

        bands      who shares one of them may be alike                         (minhash)
        estimate   a signature that differs too much is left out
        shingles   counted, of the two texts themselves

Where hundreds share a band, as in a set whose examples all begin with one instruction, the band says nothing. There the
rarest shingles decide: two sets with a Jaccard of t or more share at least k of their (1 - t)·size + k rarest ones
(the prefix filter of set-similarity joins: Chaudhuri, Ganti, Kaushik 2006; k of them: Wang, Li, Feng 2012).

Knows nothing of keys, examples and groups.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tuning.cleaning import minhash
from tuning.cleaning.minhash import Numbers

Rows = NDArray[np.int64]
Bands = NDArray[np.uint32]  # (texts, bands): 32 of the 64 bits; one false candidate in four billion
Hints = NDArray[np.uint8]  # (texts, 128): the last byte of each place of the signature

FULL = 200  # texts in one bucket from which on it says nothing
SHARED = 8  # of the rarest shingles
_AT_ONCE = 500  # texts whose shingles are in memory together
_SLOTS = np.uint64(2**22 - 1)  # of the table that counts shingles; two in one slot only make one seem less rare


class Shelf:
    """Texts by row, out of the way until they are compared."""

    def __init__(self, in_memory: int = 32_000_000) -> None:  # bytes
        self._file = SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115 - closed by __exit__
        self._ends = [0]

    def put(self, texts: Sequence[str]) -> None:
        self._file.seek(self._ends[-1])
        for text in texts:
            self._ends.append(self._ends[-1] + self._file.write(text.encode("utf-8", "surrogatepass")))

    def text(self, row: int) -> str:
        self._file.seek(self._ends[row])
        return self._file.read(self._ends[row + 1] - self._ends[row]).decode("utf-8", "surrogatepass")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()


class Sketches:
    """What is kept of texts to compare them by; rows are numbered as they come."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._bands: list[Bands] = []
        self._hints: list[Hints] = []
        self._sums: list[Numbers] = []

    def add(self, texts: Sequence[str]) -> None:
        signed = minhash.signatures(texts)
        self._bands.append(minhash.bands(signed, self.threshold).astype(np.uint32))
        self._hints.append((signed & np.uint64(255)).astype(np.uint8))
        self._sums.append(np.array([_sum(text) for text in texts], np.uint64))

    @property
    def bands(self) -> Bands:
        return _joined(self._bands)

    @property
    def hints(self) -> Hints:
        return _joined(self._hints)

    @property
    def sums(self) -> Numbers:
        """Equal texts have equal ones."""
        return _joined(self._sums)


class Neighbours:
    """Of the shelf's texts those in `rows`; a place is an index into `rows`."""

    def __init__(self, rows: Rows, sketches: Sketches, shelf: Shelf, full: int = FULL) -> None:
        self._rows, self._shelf, self._threshold, self._full = rows, shelf, sketches.threshold, full
        self.hints, self.bands = sketches.hints[rows], sketches.bands[rows]
        # All bands' buckets one after the other, each band's numbers above those of the band before it.
        count, size = self.bands.shape[1], len(rows)
        self._sorted, self._places = np.empty(count * size, np.uint64), np.empty(count * size, np.int32)
        for at in range(count):
            order = np.argsort(self.bands[:, at], kind="stable")
            own = slice(at * size, (at + 1) * size)
            self._sorted[own] = self.bands[order, at].astype(np.uint64) | np.uint64(at << 32)
            self._places[own] = order
        self._rarest: _Rarest | None = None

    def crowd(self, bands: Bands) -> Rows:
        """How many texts in here share each of these texts' bands, added up: one that is in here counts itself."""
        start, end = self._buckets(bands)
        crowd: Rows = (end - start).sum(axis=1)
        return crowd

    def alike(self, text: str, bands: Bands, hints: Hints, among: NDArray[np.bool_] | None = None) -> dict[int, float]:
        """Places with a Jaccard of the threshold or more to this text, in order, with it."""
        places = self._candidates(text, bands)
        if among is not None:
            places = places[among[places]]
        estimates = (self.hints[places] == hints).mean(axis=1)
        places = places[estimates >= self._threshold - minhash.margin(self._threshold)]
        if not len(places):
            return {}
        found: dict[int, float] = {}
        own = minhash.shingle_set(text)
        for some in np.array_split(places, math.ceil(len(places) / _AT_ONCE)):
            near = minhash.similarities(own, [self._shelf.text(row) for row in self._rows[some].tolist()])
            found.update(zip(some.tolist(), near.tolist(), strict=True))
        return {place: value for place, value in found.items() if value >= self._threshold}

    def _candidates(self, text: str, bands: Bands) -> Rows:
        starts, ends = self._buckets(bands)
        sizes = ends - starts
        some = np.nonzero((sizes > 0) & (sizes <= self._full))[0]
        buckets: list[NDArray[Any]] = [self._places[starts[at] : ends[at]] for at in some]
        if (sizes > self._full).any():
            self._rarest = self._rarest or _Rarest(self._in_full(), self._rows, self._shelf, self._threshold)
            buckets.append(self._rarest.mates(minhash.shingle_set(text)))
        found: Rows = np.unique(np.concatenate(buckets)).astype(np.int64) if buckets else np.zeros(0, np.int64)
        return found

    def _buckets(self, bands: Bands) -> tuple[Rows, Rows]:
        keys = _keys(bands)
        return np.searchsorted(self._sorted, keys, "left"), np.searchsorted(self._sorted, keys, "right")

    def _in_full(self) -> Rows:
        """Places that stand in a full bucket."""
        _, which, sizes = np.unique(self._sorted, return_inverse=True, return_counts=True)
        return np.unique(self._places[sizes[which] > self._full]).astype(np.int64)


class _Rarest:
    """The rarest shingles of some texts, and who shares enough of them."""

    def __init__(self, places: Rows, rows: Rows, shelf: Shelf, threshold: float) -> None:
        self._threshold, self._size = threshold, len(rows)
        self._seen = np.zeros(int(_SLOTS) + 1, np.int32)  # texts that have the shingle
        for place in places.tolist():
            self._seen[minhash.shingle_set(shelf.text(int(rows[place]))) & _SLOTS] += 1
        sets = [self._of(minhash.shingle_set(shelf.text(int(rows[place])))) for place in places.tolist()]
        numbers, owners = np.concatenate(sets), np.repeat(places, [len(one) for one in sets])
        order = np.argsort(numbers, kind="stable")
        self._numbers, self._owners = numbers[order], owners[order].astype(np.int32)

    def mates(self, own: Numbers) -> Rows:
        rarest = self._of(own)
        starts = np.searchsorted(self._numbers, rarest, "left")
        ends = np.searchsorted(self._numbers, rarest, "right")
        owners = [self._owners[start:end] for start, end in zip(starts, ends, strict=True)]
        return np.nonzero(np.bincount(np.concatenate(owners), minlength=self._size) >= min(SHARED, self._needed(own)))[
            0
        ]

    def _of(self, own: Numbers) -> Numbers:
        length = len(own) - self._needed(own) + SHARED
        return own[np.lexsort((own, self._seen[own & _SLOTS]))[:length]]

    def _needed(self, own: Numbers) -> int:
        """Shingles that another set must share, whatever its size."""
        return math.ceil(self._threshold * len(own) - 1e-9)


def _keys(bands: Bands) -> Numbers:
    keys: Numbers = bands.astype(np.uint64) | (np.arange(bands.shape[-1], dtype=np.uint64) << np.uint64(32))
    return keys


def _sum(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    if len(parts) > 1:
        parts[:] = [np.concatenate(parts)]
    return parts[0]
