"""In: what a model wrote, and the sentences of its passages. Out: its sentences, each verified or not, with their [n].

A sentence is verified when one sentence of a passage (or two neighbours) supports it, see `support`. The passage the
model named comes first; where another holds it, that one is cited; where none does, it is unverified.
A model's own [n] are numbers of passages; the [n] that are shown are numbers of stretches, see `Citing`.
Knows nothing of prompts, search or models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from knowledge.answers.evidence import Evidence, Ranking, Reader, holds
from knowledge.answers.figures import agree, figures
from knowledge.answers.sentences import split
from knowledge.answers.support import MIN_QUOTE_WORDS, Support, claim_of, judge, normalised
from knowledge.language import detect, stems
from knowledge.values import Citation, Passage

MIN_COVERAGE = 1.0  # of a claim's content words, synonyms counting: with one noun less, "profit" passes for "revenue"
FRAGMENT_WORDS = 3  # content words; a claim this short ("308", "Ada Lovelace") says nothing without its question
FRAGMENT_MARGIN = 2.0  # of relevance: a fragment must come from a sentence this near to the best one

_MARK = re.compile(r"\s*\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")  # [3], [1, 2]
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of a model. `text` is without [n]; `evidence` is empty when nothing supports it."""

    text: str
    named: tuple[int, ...]  # the passages the model gave for it, existing or not
    evidence: tuple[Evidence, ...] = ()
    coverage: float = 0.0  # of the best sentence found, verified or not

    @property
    def verified(self) -> bool:
        return bool(self.evidence)

    def marked(self, numbers: Sequence[int]) -> str:
        """`text` with these [n], before the full stop."""
        marks = "".join(f"[{n}]" for n in numbers)
        if not marks:
            return self.text
        body, stop = re.fullmatch(r"(.*?)([.!?…:;]*)", self.text, re.DOTALL).groups()  # type: ignore[union-attr]
        return f"{body} {marks}{stop}"


def check(draft: str, question: str, ranking: Ranking, passages: Sequence[Passage], library: Reader) -> list[Claim]:
    """Every sentence of `draft`, in order, each held against the passages."""
    return [check_sentence(draft[a:b], question, ranking, passages, library) for a, b in split(draft)]


def check_sentence(
    sentence: str, question: str, ranking: Ranking, passages: Sequence[Passage], library: Reader
) -> Claim:
    """One sentence held against the passages; never raises for what a model wrote."""
    named = tuple(dict.fromkeys(int(n) for mark in _MARK.findall(sentence) for n in re.findall(r"\d+", mark)))
    text = _LINK.sub(r"\1", _MARK.sub("", sentence)).replace("<", "&lt;").strip()
    said = claim_of(text)
    if not said or not any(c.isalnum() for c in said) or not ranking.sentences:
        return Claim(text, named)
    if len(stems(said, detect(said))) <= FRAGMENT_WORDS and len(normalised(said).split()) < MIN_QUOTE_WORDS:
        return _fragment(Claim(text, named), said, question, ranking, passages)
    return _statement(Claim(text, named), said, ranking, passages)


def _statement(claim: Claim, said: str, ranking: Ranking, passages: Sequence[Passage]) -> Claim:
    language = detect(said)
    candidates: list[tuple[float, bool, tuple[Evidence, ...], Support]] = []
    for pieces in _windows(ranking.sentences):
        passage = passages[pieces[0].passage - 1]
        support = judge(said, [e.text for e in pieces], f"{passage.title} {passage.text}", language)
        value = (
            support.coverage + support.quoted - 0.15 * (len(pieces) - 1) + 0.1 * (support.facts and support.negation)
        ) + 0.05 * _run(said, pieces)  # of two that hold its words, the one that says them in a row
        candidates.append((value, pieces[0].passage in claim.named, pieces, support))
    candidates.sort(key=lambda c: (-c[0], not c[1]))
    best = candidates[0][3].coverage
    for wanted in (True, False):  # first the passages the model named, then the others
        for _, was_named, pieces, support in candidates:
            stands = support.facts and support.negation and support.coverage >= MIN_COVERAGE
            if was_named is wanted and (support.quoted or stands):
                return replace(claim, evidence=pieces, coverage=support.coverage)
    return replace(_together(claim, said, ranking, passages, language), coverage=best)


def _run(said: str, pieces: Sequence[Evidence]) -> float:
    """Share 0..1 of its words that stand there in a row."""
    claim, text = normalised(said).split(), normalised(" ".join(e.text for e in pieces)).split()
    return SequenceMatcher(None, claim, text, autojunk=False).find_longest_match().size / max(1, len(claim))


def _together(claim: Claim, said: str, ranking: Ranking, passages: Sequence[Passage], language: str) -> Claim:
    """A sentence for which the model named several passages may rest on all of them, when it rests on none alone."""
    if len(claim.named) < 2:
        return claim
    pieces = []
    for n in claim.named:
        own = [e for e in ranking.sentences if e.passage == n]
        if not own:
            return claim
        pieces.append(max(own, key=lambda e: judge(said, e.text, "", language).coverage))
    context = " ".join(f"{passages[e.passage - 1].title} {passages[e.passage - 1].text}" for e in pieces)
    support = judge(said, [e.text for e in pieces], context, language)
    stands = support.facts and support.negation and support.coverage >= MIN_COVERAGE
    return replace(claim, evidence=tuple(pieces)) if stands else claim


def _fragment(claim: Claim, said: str, question: str, ranking: Ranking, passages: Sequence[Passage]) -> Claim:
    """A few words answer when they stand in a sentence that fits the question, and are of the kind it asks for."""
    words = normalised(said)
    new = set(stems(said, detect(question))) - set(stems(question, detect(question)))
    if not new or not holds(ranking.expects, said, question):
        return claim
    floor = ranking.sentences[0].score - FRAGMENT_MARGIN
    fits = [
        e
        for e in ranking.sentences
        if e.score >= floor and f" {words} " in f" {normalised(e.text)} " and _same_units(said, e, passages)
    ]
    fits.sort(key=lambda e: e.passage not in claim.named)
    return replace(claim, evidence=(fits[0],), coverage=1.0) if fits else claim


def _same_units(said: str, e: Evidence, passages: Sequence[Passage]) -> bool:
    """A bare number needs none ("308" of "$308 million"); a unit that is given must be the right one."""
    bare = all(not f.units and not f.scaled for f in figures(said))
    return bare or agree(said, e.text, passages[e.passage - 1].text)


def _windows(ranked: Sequence[Evidence]) -> list[tuple[Evidence, ...]]:
    """Each sentence alone, and with the next one of its passage."""
    by_order = {e.order: e for e in ranked}
    found: list[tuple[Evidence, ...]] = [(e,) for e in ranked]
    for e in ranked:
        after = by_order.get(e.order + 1)
        if after is not None and after.passage == e.passage:
            found.append((e, after))
    return found


class Citing:
    """Numbers what an answer rests on: 1, 2, 3 as it is first cited. The same stretch keeps its number."""

    def __init__(self, passages: Sequence[Passage], library: Reader) -> None:
        self._passages = passages
        self._library = library
        self._made: dict[tuple[int, int, int, int], Citation] = {}  # by document, page, start, end

    @property
    def citations(self) -> tuple[Citation, ...]:
        return tuple(self._made.values())

    def cite(self, evidence: Sequence[Evidence]) -> tuple[int, ...]:
        """The numbers of one claim's or one quote's stretches, ascending."""
        return tuple(sorted({self._number(*stretch) for stretch in self._stretches(evidence)}))

    def _stretches(self, evidence: Sequence[Evidence]) -> list[tuple[Passage, int, int]]:
        """Sentences with no other between them are one stretch."""
        found: list[tuple[Passage, int, int]] = []
        for e in evidence:
            passage = self._passages[e.passage - 1]
            if (
                found
                and found[-1][0] is passage
                and not any(map(str.isalnum, self._cut(passage, found[-1][2], e.start)))
            ):
                found[-1] = (passage, found[-1][1], e.end)
            else:
                found.append((passage, e.start, e.end))
        return found

    def _number(self, passage: Passage, start: int, end: int) -> int:
        key = passage.document, passage.page, start, end
        if key not in self._made:
            n, quote = len(self._made) + 1, self._cut(passage, start, end)
            made = Citation(n, passage.document, passage.title, passage.page, quote, start, end, verified=True)
            self._made[key] = made
        return self._made[key].n

    def _cut(self, passage: Passage, start: int, end: int) -> str:
        return self._library.page(passage.document, passage.page).text[start:end]
