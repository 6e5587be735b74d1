"""In: what a model wrote, and the sentences of its passages. Out: its sentences, each verified or not, [n] put right.

A sentence is verified when one sentence of a passage (or two neighbours) supports it, see `knowledge.support`. The
passage the model named comes first; where another holds it, the number is corrected; where none does, it is unverified.
Knows nothing of prompts, search or models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge.evidence import Evidence, Ranking, Reader, holds
from knowledge.language import detect, stems
from knowledge.sentences import split
from knowledge.support import MIN_QUOTE_WORDS, Support, claim_of, judge, normalised
from knowledge.values import Citation, Passage

# Chosen by hand, not measured: no set of true and false paraphrases was at hand.
MIN_COVERAGE = 0.8  # share of a claim's content words that must stand in the evidence when nothing else speaks for it
LOW_COVERAGE, MIN_COSINE = 0.6, 0.75  # … or fewer words, where the two also mean nearly the same
FRAGMENT_WORDS = 3  # content words; a claim this short ("308", "Ada Lovelace") says nothing without its question
FRAGMENT_MARGIN = 2.0  # of relevance: a fragment must come from a sentence this near to the best one

_MARK = re.compile(r"\s*\[(\d{1,3})\]")
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

    @property
    def cited(self) -> tuple[int, ...]:
        return tuple(sorted({e.passage for e in self.evidence}))

    @property
    def marked(self) -> str:
        """`text` with its [n], before the full stop."""
        marks = "".join(f"[{n}]" for n in self.cited)
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
    named = tuple(dict.fromkeys(int(n) for n in _MARK.findall(sentence)))
    text = _LINK.sub(r"\1", _MARK.sub("", sentence)).replace("<", "&lt;").strip()
    said = claim_of(text)
    if not said or not any(c.isalnum() for c in said) or not ranking.sentences:
        return Claim(text, named)
    if len(stems(said, detect(said))) <= FRAGMENT_WORDS and len(normalised(said).split()) < MIN_QUOTE_WORDS:
        return _fragment(Claim(text, named), said, question, ranking)
    return _statement(Claim(text, named), said, ranking, passages, library)


def _statement(claim: Claim, said: str, ranking: Ranking, passages: Sequence[Passage], library: Reader) -> Claim:
    language = detect(said)
    candidates: list[tuple[float, bool, tuple[Evidence, ...], Support]] = []
    for pieces in _windows(ranking.sentences):
        passage = passages[pieces[0].passage - 1]
        support = judge(said, " ".join(e.text for e in pieces), f"{passage.title} {passage.text}", language)
        value = (
            support.coverage + support.quoted - 0.15 * (len(pieces) - 1) + 0.1 * (support.facts and support.negation)
        )
        candidates.append((value, pieces[0].passage in claim.named, pieces, support))
    candidates.sort(key=lambda c: (-c[0], not c[1]))
    best = candidates[0][3].coverage
    alike = None
    for wanted in (True, False):  # first the passages the model named, then the others
        for _, was_named, pieces, support in candidates:
            if was_named is not wanted or not (support.quoted or (support.facts and support.negation)):
                continue
            if support.quoted or support.coverage >= MIN_COVERAGE:
                return replace(claim, evidence=pieces, coverage=support.coverage)
            if support.coverage < LOW_COVERAGE:
                break
            if alike is None:
                alike = library.embed([said])[0]
            if float(library.embed([" ".join(e.text for e in pieces)])[0] @ alike) >= MIN_COSINE:
                return replace(claim, evidence=pieces, coverage=support.coverage)
    return replace(_together(claim, said, ranking, passages, language), coverage=best)


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
    support = judge(said, " ".join(e.text for e in pieces), context, language)
    stands = support.facts and support.negation and support.coverage >= MIN_COVERAGE
    return replace(claim, evidence=tuple(pieces)) if stands else claim


def _fragment(claim: Claim, said: str, question: str, ranking: Ranking) -> Claim:
    """A few words answer when they stand in a sentence that fits the question, and are of the kind it asks for."""
    words = normalised(said)
    new = set(stems(said, detect(question))) - set(stems(question, detect(question)))
    if not new or not holds(ranking.expects, said, question):
        return claim
    floor = ranking.sentences[0].score - FRAGMENT_MARGIN
    fits = [e for e in ranking.sentences if e.score >= floor and f" {words} " in f" {normalised(e.text)} "]
    fits.sort(key=lambda e: e.passage not in claim.named)
    return replace(claim, evidence=(fits[0],), coverage=1.0) if fits else claim


def _windows(ranked: Sequence[Evidence]) -> list[tuple[Evidence, ...]]:
    """Each sentence alone, and with the next one of its passage."""
    by_order = {e.order: e for e in ranked}
    found: list[tuple[Evidence, ...]] = [(e,) for e in ranked]
    for e in ranked:
        after = by_order.get(e.order + 1)
        if after is not None and after.passage == e.passage:
            found.append((e, after))
    return found


def citations(evidence: Sequence[Evidence], passages: Sequence[Passage], library: Reader) -> tuple[Citation, ...]:
    """One citation per passage used, from the first to the last sentence used of it, cut from the page."""
    found = []
    for n in sorted({e.passage for e in evidence}):
        own, passage = [e for e in evidence if e.passage == n], passages[n - 1]
        start, end = min(e.start for e in own), max(e.end for e in own)
        quote = library.page(passage.document, passage.page).text[start:end]
        found.append(Citation(n, passage.document, passage.title, passage.page, quote, start, end, verified=True))
    return tuple(found)
