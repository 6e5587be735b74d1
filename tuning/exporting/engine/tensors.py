"""In: a model's folder. Out: its tensors by name, one at a time, as numpy's float32; memory for one alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuning.training.foreign import head_of

Floats = NDArray[np.float32]
_KINDS = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True, slots=True)
class Tensor:
    name: str
    shape: tuple[int, ...]
    kind: str  # "F32" | "F16" | "BF16"
    file: Path
    start: int  # of its values in the file, bytes

    def read(self) -> Floats:
        many = int(np.prod(self.shape, dtype=np.int64))
        kind: Any = _KINDS[self.kind]
        found = np.fromfile(self.file, kind, many, offset=self.start)
        if self.kind == "BF16":  # the upper half of a float32
            found = (found.astype(np.uint32) << 16).view(np.float32)
        floats: Floats = found.astype(np.float32, copy=False).reshape(self.shape)
        return floats


def tensors(folder: Path) -> Mapping[str, Tensor]:
    """Wrong where a file is damaged."""
    return {one.name: one for file in sorted(folder.glob("*.safetensors")) for one in _of(file)}


def _of(file: Path) -> Iterator[Tensor]:
    said, begin = head_of(file)
    for name, one in said.items():
        yield Tensor(name, tuple(one["shape"]), one["dtype"], file, begin + one["data_offsets"][0])
