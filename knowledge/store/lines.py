"""In: the lines of a page. Out: a few bytes each, and back. Boxes are kept to 1/65535 of the page."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from knowledge.values import Box, Line

_ROW = np.dtype([("start", "<u4"), ("end", "<u4"), ("box", "<u2", (4,))])
_FULL = 65535


def pack(lines: Sequence[Line]) -> bytes:
    """16 bytes a line before compression, about 8 after (3M's 10-K: 60 lines a page)."""
    rows = np.zeros(len(lines), _ROW)
    for i, line in enumerate(lines):
        box = (line.box.left, line.box.top, line.box.right, line.box.bottom)
        rows[i] = (line.start, line.end, [round(min(max(side, 0.0), 1.0) * _FULL) for side in box])
    return zlib.compress(rows.tobytes(), 1)


def unpack(data: bytes) -> tuple[Line, ...]:
    rows = np.frombuffer(zlib.decompress(data), _ROW)
    return tuple(
        Line(int(row["start"]), int(row["end"]), Box(*(float(side) / _FULL for side in row["box"]))) for row in rows
    )
