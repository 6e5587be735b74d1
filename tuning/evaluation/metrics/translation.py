"""In: outputs, their references. Out: BLEU and chrF as sacrebleu counts them, of a corpus or of one answer. Pure.

BLEU is the geometric mean of the precisions over n-grams of 1 to 4 words, times a penalty for outputs that are too
short (Papineni et al. 2002); chrF the F-score over n-grams of 1 to 6 characters, recall twice as important (Popović
2015). 0 to 100. Corpus figures are not means of single ones. `signature` says how it was counted, for reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Translation:
    score: float  # 0 to 100
    signature: str  # "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
    precisions: tuple[float, ...] = ()  # of BLEU, for 1 to 4 words; 0 to 100
    brevity: float = 1.0  # of BLEU: the penalty, 1 for none


def bleu(outputs: Sequence[str], references: Sequence[Sequence[str]]) -> Translation:
    """`references`: those of each output."""
    metric = _metric("bleu")
    found = metric.corpus_score(list(outputs), _streams(references))
    return Translation(
        found.score, str(metric.get_signature()), tuple(found.precisions), min(1.0, float(found.bp))
    )  # fmt: skip


def chrf(outputs: Sequence[str], references: Sequence[Sequence[str]]) -> Translation:
    metric = _metric("chrf")
    return Translation(metric.corpus_score(list(outputs), _streams(references)).score, str(metric.get_signature()))


def sentence(kind: str, output: str, references: Sequence[str]) -> float:
    """Of one answer, 0 to 100; BLEU over as many n-gram sizes as the answer is long. `kind`: "bleu" | "chrf"."""
    return float(_metric(kind, of="one").sentence_score(output, list(references)).score)


def _streams(references: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """As sacrebleu takes them: a first reference of every output, a second one, …; None where one has fewer."""
    most = max(map(len, references), default=0)
    return [[each[at] if at < len(each) else None for each in references] for at in range(most)]


@cache
def _metric(kind: str, of: str = "corpus") -> Any:
    from sacrebleu.metrics.bleu import BLEU  # late: it takes 0.2 s and reads the environment
    from sacrebleu.metrics.chrf import CHRF

    # force: outputs that end in " ." are no reason to warn
    return CHRF() if kind == "chrf" else BLEU(effective_order=of == "one", force=True)
