"""In: texts. Out: unit vectors, and where each text's tokens stand. One file per engine, one table.

    all-minilm-l6-v2     OpenVINO where it runs, else sentence-transformers; 384 numbers, 256 tokens
    hf:<repo or folder>  sentence-transformers

Knows nothing of pages, chunks or stores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from knowledge import weights as weight_files
from knowledge.errors import ForOperator, ForPerson, KnowledgeError
from knowledge.values import FloatMatrix

DEFAULT = "all-minilm-l6-v2"


class Embedder(Protocol):
    """Safe to use from several threads. The same text gives the same vector to 1e-3, whatever stands beside it."""

    name: str
    dimensions: int
    max_tokens: int  # special ones counted; `embed` cuts longer texts, so a chunk should hold 2 fewer

    def tokens(self, text: str) -> list[tuple[int, int]]:
        """Offsets (start, end) into `text` of all its tokens; special ones not counted, nothing cut."""

    def embed(self, texts: Sequence[str]) -> FloatMatrix:
        """(len(texts), dimensions) float32, unit length, in the order given; (0, dimensions) for no texts."""


def load(name: str, weights: Path) -> Embedder:
    """Takes about a second (OpenVINO) or ten (sentence-transformers). ForOperator when the weights are not there
    or damaged."""
    if name.startswith("hf:"):
        from knowledge.embedders.sentence_transformer import SentenceTransformerEmbedder

        return SentenceTransformerEmbedder(name, name.removeprefix("hf:"))
    if name not in _TABLE:
        raise ForPerson(f"There is no embedder called {name}. Known: {', '.join(_TABLE)}, hf:<repo or folder>.")
    try:
        return _TABLE[name](name, weight_files.path(name, weights))
    except Exception as error:
        weight_files.verify(name, weights)  # what stops a loader is damaged bytes, most often: that is then said
        if isinstance(error, KnowledgeError):
            raise
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise ForOperator(f"The embedder {name} could not be loaded ({first[:200]}). Run `afina doctor`.") from error


def _minilm(name: str, folder: Path) -> Embedder:
    try:
        from knowledge.embedders.openvino_minilm import OpenVinoMiniLM

        return OpenVinoMiniLM(name, folder)
    except (ImportError, RuntimeError):  # no wheel for this platform, or a processor it cannot use
        from knowledge.embedders.sentence_transformer import SentenceTransformerEmbedder

        return SentenceTransformerEmbedder(name, str(folder))


_TABLE: dict[str, Callable[[str, Path], Embedder]] = {DEFAULT: _minilm}
