"""In: texts. Out: their shingles as numbers, signatures of them, and which signatures fall together. NumPy only.

    shingles     every run of five characters, as a 64-bit number                                a set per text
    signature    128 places: the smallest shingle that falls into each place                     (texts, 128) uint64
    bands        the signature in pieces; who shares one piece is a candidate                    (texts, bands) uint64

One permutation hashing (Li, Owen, Zhang, "One Permutation Hashing", 2012); a place that no shingle fell into borrows
from another one in an order that all texts share (Shrivastava, "Optimal Densification for Fast and Accurate Minwise
Hashing", 2017), so that short texts compare as well as long ones. One hash per shingle instead of 128 is why 100,000
examples take seconds. Candidates are only that: whoever asks compares the shingles themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint64]

SHINGLE = 5  # characters: one changed word of ten touches about a tenth of them; words of a text would touch a third
PLACES = 128
MISSED = 0.001  # of the pairs that are exactly at the threshold, at most: what bands are chosen for

_FACTOR = np.uint64(0x100000001B3)
_EMPTY = np.uint64(2**64 - 1)


def shingles(texts: Sequence[str]) -> tuple[Numbers, NDArray[np.int64]]:
    """All texts' shingles one after the other, and where each text's begin: (len(texts) + 1) offsets. A text shorter
    than a shingle is one shingle; repeated ones are repeated."""
    written = [text.ljust(SHINGLE).encode("utf-32-le", "surrogatepass") for text in texts]
    letters = np.frombuffer(b"".join(written), np.uint32).astype(np.uint64)
    rolled = np.zeros(max(len(letters) - SHINGLE + 1, 0), np.uint64)
    for at in range(SHINGLE):
        rolled = rolled * _FACTOR + letters[at : len(rolled) + at]
    counts = np.array([len(text) // 4 for text in written], np.int64) - SHINGLE + 1
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    shift = np.repeat(np.arange(len(texts)) * (SHINGLE - 1), counts)  # skips the windows that span two texts
    return _mixed(rolled[np.arange(offsets[-1]) + shift]), offsets


def shingle_set(text: str) -> Numbers:
    """Sorted, each once."""
    return np.unique(shingles([text])[0])


def similarities(own: Numbers, texts: Sequence[str]) -> NDArray[np.float64]:
    """Jaccard of a shingle set with each text's: what the two share, of all they hold. Counted, not estimated."""
    numbers, offsets = shingles(texts)
    rows = np.repeat(np.arange(len(texts)), np.diff(offsets))
    order = np.lexsort((numbers, rows))
    numbers, rows = numbers[order], rows[order]
    once = np.ones(len(numbers), np.bool_)
    once[1:] = (numbers[1:] != numbers[:-1]) | (rows[1:] != rows[:-1])
    numbers, rows = numbers[once], rows[once]
    held = own[np.minimum(np.searchsorted(own, numbers), len(own) - 1)] == numbers
    both = np.bincount(rows, held, len(texts))
    found: NDArray[np.float64] = both / (len(own) + np.bincount(rows, minlength=len(texts)) - both)
    return found


def signatures(texts: Sequence[str]) -> Numbers:
    numbers, offsets = shingles(texts)
    rows = np.repeat(np.arange(len(texts)), np.diff(offsets))
    found = np.full(len(texts) * PLACES, _EMPTY, np.uint64)
    np.minimum.at(found, rows * PLACES + (numbers >> np.uint64(57)).astype(np.int64), numbers)
    return _filled(found.reshape(-1, PLACES))


def bands(signed: Numbers, threshold: float) -> Numbers:
    """(texts, bands): equal numbers in one column are candidates."""
    rows = rows_per_band(threshold)
    columns = []
    for first in range(0, PLACES - rows + 1, rows):
        column = np.zeros(len(signed), np.uint64)
        for at in range(first, first + rows):
            column = _mixed(column * _FACTOR + signed[:, at])
        columns.append(column)
    return np.stack(columns, axis=1)


@cache
def rows_per_band(threshold: float) -> int:
    """As many as still lose at most MISSED of the pairs at the threshold: more rows, fewer false candidates."""
    fits = [rows for rows in range(1, 17) if (1 - threshold**rows) ** (PLACES // rows) <= MISSED]
    return max(fits, default=1)


def margin(threshold: float) -> float:
    """Four standard deviations of an estimate: one in 30,000 lies further below the truth."""
    return 4 * math.sqrt(threshold * (1 - threshold) / PLACES)


def _filled(found: Numbers) -> Numbers:
    filled, (rows, places) = found.copy(), np.nonzero(found == _EMPTY)
    tries = 0
    while len(rows):
        lender = found[rows, _lenders(tries)[places]]
        lends = lender != _EMPTY
        filled[rows[lends], places[lends]] = lender[lends]
        rows, places, tries = rows[~lends], places[~lends], tries + 1
    return filled


@cache
def _lenders(tries: int) -> NDArray[np.int64]:
    """For each place, whom it asks at this try: the same for every text."""
    seeds = np.arange(PLACES, dtype=np.uint64) + np.uint64(1 + tries * PLACES)
    return (_mixed(seeds * np.uint64(0x9E3779B97F4A7C15)) % np.uint64(PLACES)).astype(np.int64)


def _mixed(numbers: Numbers) -> Numbers:
    """MurmurHash3's finalizer: every bit of a number moves half the bits of the result."""
    numbers = numbers ^ (numbers >> np.uint64(33))
    numbers = numbers * np.uint64(0xFF51AFD7ED558CCD)
    numbers = numbers ^ (numbers >> np.uint64(33))
    numbers = numbers * np.uint64(0xC4CEB9FE1A85EC53)
    mixed: Numbers = numbers ^ (numbers >> np.uint64(33))
    return mixed
