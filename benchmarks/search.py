"""Whole-search latency (question embedded, dense, lexical, fused) at 10,000 and 100,000 chunks, and in one document.

    python -m benchmarks.search [--chunks 10000 100000]

Text is drawn from a Zipf-distributed vocabulary of pronounceable words, so that posting lists look like a language's.
Chunk vectors are random unit vectors (exact search costs the same whatever they hold; embedding 100,000 chunks would
take the better part of an hour); the question is embedded by the real model.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assistant.service.settings import Settings
from benchmarks.machine import describe, resident
from knowledge import FloatMatrix, embedders
from knowledge.embedders import Embedder
from knowledge.library import Library
from knowledge.store.database import connect

QUERIES = 200
SYLLABLES = [a + b for a in "bdfglmnprst" for b in ("a", "e", "i", "o", "u", "an", "er", "is")]


class BulkEmbedder:
    """The real embedder for one text, random unit vectors for many: only the question's cost is measured."""

    def __init__(self, real: Embedder) -> None:
        self._real = real
        self._random = np.random.default_rng(7)
        self.name, self.dimensions, self.max_tokens = "benchmark", real.dimensions, real.max_tokens

    def tokens(self, text: str) -> list[tuple[int, int]]:
        return self._real.tokens(text)

    def embed(self, texts: Sequence[str]) -> FloatMatrix:
        if len(texts) == 1:
            return self._real.embed(texts)
        vectors = self._random.standard_normal((len(texts), self.dimensions), dtype=np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def vocabulary(size: int = 20_000) -> list[str]:
    random = np.random.default_rng(3)
    words = {"".join(random.choice(SYLLABLES, size=int(random.integers(2, 5)))) for _ in range(size * 2)}
    return sorted(words, key=lambda word: hashlib.sha1(word.encode()).digest())[:size]


def write_corpus(folder: Path, chunks: int, per_file: int = 2_000) -> list[Path]:
    """Paragraphs of about a chunk's length, `per_file` to a text file."""
    random = np.random.default_rng(11)
    words = np.array(vocabulary())
    ranks = np.arange(1, len(words) + 1)
    odds = (1 / ranks) / (1 / ranks).sum()
    files = []
    for start in range(0, chunks, per_file):
        drawn = random.choice(words, size=(min(per_file, chunks - start), 55), p=odds)
        file = folder / f"corpus-{start:07}.txt"
        file.write_text("\n\n".join(" ".join(row).capitalize() + "." for row in drawn))
        files.append(file)
    return files


def questions() -> list[str]:
    random = np.random.default_rng(5)
    words = vocabulary()
    return [" ".join(random.choice(words[50:5000], size=6)) + "?" for _ in range(QUERIES)]


def timed(library: Library, scope: list[int] | None) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    seconds = []
    for question in questions():
        started = time.perf_counter()
        library.search(question, k=8, documents=scope)
        seconds.append(time.perf_counter() - started)
    return np.array(seconds[10:]) * 1000  # the first ten warm the caches


def measure(chunks: int, embedder: Embedder) -> str:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        library = Library.open(home, connect(f"sqlite:///{home / 'afina.sqlite3'}"), lambda: embedder)
        for file in write_corpus(Path(folder), chunks):
            for _ in library.add(file):
                pass
        whole, scoped = timed(library, None), timed(library, [library.documents()[0].id])
        library.close()
    p50, p95 = np.percentile(whole, [50, 95])
    s50, s95 = np.percentile(scoped, [50, 95])
    return f"| {chunks:,} | {p50:.1f} | {p95:.1f} | {s50:.1f} | {s95:.1f} | {resident() / 2**20:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Whole-search latency.")
    parser.add_argument("--chunks", type=int, nargs="+", default=[10_000, 100_000])
    arguments = parser.parse_args()
    embedder = BulkEmbedder(embedders.load("all-minilm-l6-v2", Settings().weights))
    print(describe(), end="\n\n")
    print("| chunks (about) | p50 ms | p95 ms | one document p50 | p95 | process MB |\n|---|---|---|---|---|---|")
    for chunks in arguments.chunks:
        print(measure(chunks, embedder), flush=True)


if __name__ == "__main__":
    main()
