"""In: an output, a reference. Out: ROUGE-1, -2 and -L, each as recall, precision and F1. Pure.

    reference  the cat is on the mat     6 unigrams
    output     the cat sat               3, of which 2 match
    recall 2/6 · precision 2/3 · F1 4/9

A word that stands twice in the output and once in the reference matches once. ROUGE-L: the longest sequence of words
that stands in both, in order, not necessarily side by side (Lin 2004, "ROUGE: A Package for Automatic Evaluation of
Summaries"). The figures are those of the package rouge-score without its stemmer; its own words end at an accent
("canción" is "canci" and "n" to it), ours do not.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+")
KINDS = ("rouge1", "rouge2", "rougeL")


@dataclass(frozen=True, slots=True)
class Rouge:
    """Each from 0 to 1."""

    recall: float
    precision: float

    @property
    def f1(self) -> float:
        both = self.recall + self.precision
        return 2 * self.recall * self.precision / both if both else 0.0


def rouge(kind: str, output: str, references: Sequence[str]) -> Rouge:
    """Of several references the one with the highest F1 counts."""
    written = words(output)
    scores = [_score(kind, written, words(one)) for one in references]
    return max(scores, key=lambda score: score.f1, default=Rouge(0.0, 0.0))


def words(text: str) -> list[str]:
    """Lower case, letters of any language and digits; accents stay, they tell words apart."""
    return _WORD.findall(unicodedata.normalize("NFC", text).lower())


def _score(kind: str, output: Sequence[str], reference: Sequence[str]) -> Rouge:
    if kind == "rougeL":
        return _of(common(output, reference), len(output), len(reference))
    size = {"rouge1": 1, "rouge2": 2}[kind]
    ours, theirs = _grams(output, size), _grams(reference, size)
    return _of((ours & theirs).total(), ours.total(), theirs.total())


def _of(matching: int, output: int, reference: int) -> Rouge:
    return Rouge(matching / reference if reference else 0.0, matching / output if output else 0.0)


def _grams(found: Sequence[str], size: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(found[start:] for start in range(size)), strict=False))


def common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, a row of the table at a time in the bits of one number (Hyyrö 2004,
    "Bit-parallel LCS-length computation revisited"): two texts of 5,000 words take some milliseconds."""
    places: dict[str, int] = {}
    for at, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << at
    full = (1 << len(first)) - 1
    row = full
    for word in second:
        matched = row & places.get(word, 0)
        row = ((row + matched) | (row - matched)) & full
    return len(first) - row.bit_count()
