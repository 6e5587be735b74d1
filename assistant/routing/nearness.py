"""In: a message, its vector, the library. Out: how near its documents come to it. Knows nothing of routes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge import Document, Passage
from knowledge.language import detect, stems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from knowledge.library import Library

LOOKED_AT = 8  # passages: the fused order may put the nearest one lower
# Cosine of the question and its nearest passage, default embedder. Measured with 200 XQuAD questions a language and 52
# requests that no document answers. English: questions 0.26 (lowest), 0.35 (5th percentile), 0.60 (median); requests
# 0.22 (median), 0.34 (highest). Spanish, on an embedder that reads English: 0.42, 0.48, 0.59 against 0.47, 0.56. On
# doubt the documents are asked: "they do not hold it" harms less than an invented answer.
_NEAR = {"en": 0.40, "es": 0.57}
_FAR = {"en": 0.25, "es": 0.41}
_FAR_ACROSS = 0.05  # question and passage in two languages: a cosine says little
# A short question to a long passage is far by its cosine: "Who founded the company?" has 0.20 to the page that says it.
_ENOUGH = 0.5  # of the question's words in one passage
# E7, P0420, ISO-9001: an embedder makes nothing of it, and a passage that has it letter for letter is about it.
_CODE = re.compile(r"(?<![\w-])[a-z]{1,5}-?\d{1,6}[a-z]?(?![\w-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Nearness:
    best: Passage | None  # the nearest by its vector
    near: bool
    far: bool
    degree: float  # 0: as far as what no document answers, 1: as near as what one does
    shared: float  # 0..1, the largest share of the message's words that one passage holds


def nearness(
    question: str,
    language: str,
    library: Library,
    searchable: Mapping[int, Document],
    documents: Collection[int] | None = None,
    vector: NDArray[np.float32] | None = None,
) -> Nearness:
    passages = library.search(question, k=LOOKED_AT, documents=documents, vector=vector)
    best = max(passages, key=lambda passage: passage.dense, default=None)
    if best is None:
        return Nearness(None, near=False, far=True, degree=0.0, shared=0.0)
    asked = detect(question) or language
    if (holding := _with_code(question, passages)) is not None:
        return Nearness(holding, near=True, far=False, degree=1.0, shared=1.0)
    shared = _shared(question, passages, asked)
    if best.dense == 0.0:  # vectors are still being loaded or made: words found it
        return Nearness(best, near=False, far=False, degree=shared, shared=shared)
    near, far = _limits(asked, searchable[best.document].language if best.document in searchable else "")
    degree = min(1.0, max(0.0, (best.dense - far) / (near - far)))
    return Nearness(best, best.dense >= near, best.dense < far and shared < _ENOUGH, degree, shared)


def _with_code(question: str, passages: Sequence[Passage]) -> Passage | None:
    """The first that holds a code of the question."""
    codes = {code.casefold() for code in _CODE.findall(question)}
    held = (p for p in passages if codes and codes & {code.casefold() for code in _CODE.findall(p.text)})
    return next(held, None)


def _limits(asked: str, written: str) -> tuple[float, float]:
    """From which cosine on a passage is near, and below which it is far. Languages: "" stands for English."""
    asked, written = asked or "en", written or "en"
    return _NEAR.get(asked, _NEAR["en"]), _FAR.get(asked, _FAR["en"]) if asked == written else _FAR_ACROSS


def _shared(question: str, passages: Sequence[Passage], language: str) -> float:
    """The largest share of the question's words, as stems, that one passage holds: 0..1."""
    asked = set(stems(question, language))
    return max((len(asked.intersection(stems(p.text, language))) / len(asked) for p in passages if asked), default=0.0)
