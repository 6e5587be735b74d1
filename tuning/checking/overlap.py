"""In: a validation file. Out: whether a row of training is in it too, and in which line.

Rows are compared as JSON: the same keys and values are the same row, however it is spelled. Kept of each are 8 bytes
of BLAKE2b and its line, 12 bytes in all; two rows of a million clash by chance once in 10⁷ files.
"""

from __future__ import annotations

import filecmp
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from tuning.checking import files
from tuning.checking.lines import Lines
from tuning.checking.values import Note, Notes
from tuning.rows import canonical

Row = dict[str, Any]


class Validation:
    def __init__(self, digests: array[int], lines: array[int]) -> None:
        order = np.argsort(np.array(digests, dtype=np.uint64), kind="stable").tolist()
        self._digests = array("Q", (digests[at] for at in order))
        self._lines = array("I", (lines[at] for at in order))
        self._seen = bytearray(len(digests))
        self._alone = 0  # rows of training that are not in it

    def line_of(self, row: Row) -> int:
        """The line of the same row, 0 where there is none."""
        digest = _digest(row)
        at = bisect_left(self._digests, digest)
        if at == len(self._digests) or self._digests[at] != digest:
            self._alone += 1
            return 0
        for same in range(at, len(self._digests)):
            if self._digests[same] != digest:
                break
            self._seen[same] = 1
        return int(self._lines[at])

    @property
    def is_training(self) -> bool:
        """All that was asked for is in it, and nothing else."""
        return not self._alone and bool(self._seen) and all(self._seen)


def read(path: Path, training: Path, note: Note) -> Validation | None:
    """None where it cannot be read, or is the training file itself; that is noted."""
    file = files.opened(path, note)
    if file is None:
        return None
    with file:
        if path.samefile(training) or filecmp.cmp(path, training, shallow=False):
            note("", "same_as_validation")
            return None
        digests, lines = array("Q"), array("I")
        if files.begins_well(file, note):
            for number, digest in _digests(Lines(file, Notes())):
                digests.append(digest)
                lines.append(number)
        return Validation(digests, lines)


def _digests(lines: Lines) -> Iterator[tuple[int, int]]:
    """Of the rows that can be read: what is wrong with the others is told when that file is checked."""
    for number, raw in enumerate(lines, 1):
        row = lines.row(raw)
        if row is not None:
            yield number, _digest(row)


def _digest(row: Row) -> int:
    try:
        found = canonical(row)
    except (RecursionError, ValueError):
        return 0
    return int.from_bytes(blake2b(found, digest_size=8).digest())
