"""In: a GGUF file. Out: what its head says of the tokenizer; the weights are not read.

    magic "GGUF" · version · tensors · entries · entry: key, type, value · … (all little-endian; the GGUF specification)

The `gguf` package reads the same in 2 s for SmolLM2, an array per token; this takes 0.1 s.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

_PLAIN = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


def head(path: Path, prefix: str = "tokenizer.") -> dict[str, Any]:
    """Entries whose key begins with `prefix`. ValueError where the file is no GGUF or ends too early."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _Head(content).entries(prefix)
    except (struct.error, IndexError, KeyError) as error:
        raise ValueError(f"{path.name} is damaged: {error}") from None


class _Head:
    def __init__(self, content: mmap.mmap) -> None:
        self._content, self._at = content, 0

    def entries(self, prefix: str) -> dict[str, Any]:
        if self._content[:4] != b"GGUF":
            raise ValueError("not a GGUF file")
        self._at = 4
        self._one("I")  # version
        self._one("Q")  # tensors
        found = {}
        for _ in range(self._one("Q")):
            key = self._string()
            value = self._value(self._one("I"))
            if key.startswith(prefix):
                found[key] = value
        return found

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            return self._one(_PLAIN[kind])
        kind, many = self._one("I"), self._one("Q")
        if kind == _STRING:
            return [self._string() for _ in range(many)]
        shape = f"<{many}{_PLAIN[kind]}"
        start, self._at = self._at, self._at + struct.calcsize(shape)
        return list(struct.unpack_from(shape, self._content, start))

    def _one(self, shape: str) -> Any:
        start, self._at = self._at, self._at + struct.calcsize(f"<{shape}")
        return struct.unpack_from(f"<{shape}", self._content, start)[0]

    def _string(self) -> str:
        length = self._one("Q")
        start, self._at = self._at, self._at + length
        if self._at > len(self._content):
            raise IndexError("it ends too early")
        return self._content[start : self._at].decode("utf-8")
