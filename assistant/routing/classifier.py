"""In: a message, its vector. Out: how likely each kind of message is: documents, chat, one of the tools.

A softmax head over two views of the text: the embedder's vector, which knows what is meant, and hashed pieces of its
letters and words, which forgive typos and read Spanish as well as English. Its examples are examples.jsonl; its weights
are head.npz, made of them by `python -m assistant.routing.classifier` and good for one embedder and one set of
examples: for another embedder it is trained when first asked (a second or two). Without an embedder the letters alone
answer. Knows nothing of libraries or personas: who is named is cut out before ("{name}").
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from assistant.routing import signals
from assistant.routing.text import plain
from assistant.routing.tool_calls import Readings
from knowledge import FloatMatrix

FOLDER = Path(__file__).parent
EXAMPLES, HEAD = FOLDER / "examples.jsonl", FOLDER / "head.npz"
KINDS = ("documents", "chat", "calculator", "clock", "convert", "web_page", "web_search")
BUCKETS = 4096  # of hashed pieces
LETTERS = 1.5  # how much the letters' view counts beside the vector, both of unit length
VECTOR = 1.6
CUE = 1.0  # each
DECAY = 2e-4  # on the squared weights
STEPS = 300
MASKED = "qxname"  # stands for a persona's name: one word that no message holds


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    language: str
    route: str
    tool: str

    @property
    def kind(self) -> str:
        return self.tool or self.route


@cache
def examples() -> tuple[Example, ...]:
    rows = (json.loads(line) for line in EXAMPLES.read_text("utf-8").splitlines() if line)
    return tuple(Example(row["text"], row["language"], row["route"], row["tool"]) for row in rows)


def letters(text: str) -> FloatMatrix:
    """(BUCKETS,) float32 of unit length: words, pairs of words, and runs of 3 to 5 letters within a word."""
    counts = np.zeros(BUCKETS, np.float32)
    words = plain(text).split()
    pieces = [*words, *(f"{a} {b}" for a, b in zip(["^", *words], [*words, "$"], strict=True))]
    for word in words:
        edged = f"<{word}>"
        pieces += [edged[i : i + n] for n in (3, 4, 5) for i in range(len(edged) - n + 1)]
    for piece in pieces:
        counts[zlib.crc32(piece.encode()) % BUCKETS] += 1.0
    counts = np.sqrt(counts)
    length = float(np.linalg.norm(counts))
    return counts / length if length else counts


def features(
    texts: Sequence[str], vectors: FloatMatrix | None, readings: Sequence[Readings | None] = ()
) -> FloatMatrix:
    """(len(texts), BUCKETS + cues + 1 + dimensions). `readings`: of the texts, where they were read already."""
    spelled = LETTERS * np.stack([letters(text) for text in texts])
    told = CUE * np.stack([signals.cues(*one) for one in zip(texts, readings or [None] * len(texts), strict=True)])
    meant = np.zeros((len(texts), 0), np.float32) if vectors is None else VECTOR * vectors
    return np.hstack([spelled, told, np.ones((len(texts), 1), np.float32), meant]).astype(np.float32)


def train(given: FloatMatrix, kinds: Sequence[str], steps: int = STEPS) -> FloatMatrix:
    """(features, len(KINDS)): softmax regression by Adam on the whole set, each kind weighing the same by its root."""
    wanted = np.zeros((len(kinds), len(KINDS)), np.float32)
    wanted[np.arange(len(kinds)), [KINDS.index(kind) for kind in kinds]] = 1.0
    heavy = (1.0 / np.sqrt(wanted.sum(0).clip(1)))[wanted.argmax(1)]
    heavy = (heavy / heavy.mean() / len(kinds)).astype(np.float32)[:, None]
    weights = np.zeros((given.shape[1], len(KINDS)), np.float32)
    speed, size = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, steps + 1):
        slope = given.T @ (heavy * (softmax(given @ weights) - wanted)) + DECAY * weights
        speed = 0.9 * speed + 0.1 * slope
        size = 0.99 * size + 0.01 * slope**2
        weights -= 0.1 * (speed / (1 - 0.9**step)) / (np.sqrt(size / (1 - 0.99**step)) + 1e-8)
    return weights


def softmax(scores: FloatMatrix) -> FloatMatrix:
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(raised / raised.sum(-1, keepdims=True), np.float32)


@dataclass(frozen=True, slots=True)
class Head:
    """Weights of both heads: with the embedder's vector, and of the letters and cues alone."""

    whole: FloatMatrix  # (BUCKETS + cues + 1 + dimensions, len(KINDS))
    blind: FloatMatrix  # (BUCKETS + cues + 1, len(KINDS))

    def kinds(self, text: str, vector: FloatMatrix | None, readings: Readings | None = None) -> dict[str, float]:
        """Kind → how likely, together 1. `text` without personas' names; `vector`: (dimensions,) or None."""
        given = features([text], None if vector is None else vector[None, :], [readings])
        likely = softmax(given @ (self.blind if vector is None else self.whole))[0]
        return {kind: float(one) for kind, one in zip(KINDS, likely, strict=True)}


def checksum() -> str:
    """Of all that the shipped weights depend on but the embedder."""
    settings = repr((KINDS, BUCKETS, LETTERS, VECTOR, CUE, DECAY, STEPS, signals.NAMES, MASKED))
    return hashlib.sha256(EXAMPLES.read_bytes() + settings.encode()).hexdigest()


def head(name: str, embed: Callable[[Sequence[str]], FloatMatrix] | None) -> Head:
    """The shipped weights for the embedder `name`; others are trained now. `embed` None: the letters alone."""
    made_for, good, weights = shipped()
    return weights if embed is None or (good and made_for == name) else trained(embed)


@cache
def shipped() -> tuple[str, bool, Head]:
    """(the embedder they are for, whether they were made of these examples, the weights)"""
    with np.load(HEAD) as stored:
        weights = Head(stored["whole"].astype(np.float32), stored["blind"].astype(np.float32))
        return str(stored["name"]), str(stored["checksum"]) == checksum(), weights


def trained(embed: Callable[[Sequence[str]], FloatMatrix]) -> Head:
    texts, kinds = trainable()
    vectors = np.vstack([embed(texts[start : start + 64]) for start in range(0, len(texts), 64)])
    given = features(texts, vectors)
    seen = given[:, : given.shape[1] - vectors.shape[1]]
    return Head(train(given, kinds), train(seen, kinds))


def trainable() -> tuple[list[str], list[str]]:
    """Texts and kinds; personas are found by their names, not learnt."""
    chosen = [example for example in examples() if example.route != "persona"]
    return [example.text.replace("{name}", MASKED) for example in chosen], [example.kind for example in chosen]


@cache
def everyday() -> frozenset[str]:
    """Words of the examples, plain: a persona called like one of them is not meant by every message that holds it."""
    return frozenset(word for example in examples() for word in plain(example.text.replace("{name}", "")).split())


def main() -> None:
    from assistant.service.settings import Settings
    from knowledge import embedders

    embedder = embedders.load(embedders.DEFAULT, Settings().weights)
    made = trained(embedder.embed)
    np.savez_compressed(
        HEAD,
        whole=made.whole.astype(np.float16),
        blind=made.blind.astype(np.float16),
        name=embedders.DEFAULT,
        checksum=checksum(),
    )
    print(f"{HEAD}: {len(trainable()[0])} examples, {HEAD.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
