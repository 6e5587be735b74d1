"""In: a question and the passages found for it. Out: their sentences, best first, and how likely it is they answer.

Every sentence carries offsets into its page, so that what is shown is cut from the document. Ranking is a weighted sum
of few features that a person can read; the weights were fitted and measured as the comments beside them say.
Knows nothing of models, prompts or citations.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from knowledge.answers.sentences import is_row, split
from knowledge.answers.support import names, normalised, numbers
from knowledge.errors import KnowledgeError
from knowledge.language import detect, stems
from knowledge.values import FloatMatrix, Page, Passage

_MARGIN = 400  # characters read on both sides of a passage, so that a sentence cut by chunking is whole again
_OPENING = 3000  # characters of a first page that may tell what a document is about
_NO_VECTORS = 0.5  # stands for a cosine while there is none: words alone decide
_LONGEST = 700  # characters of one sentence that are worth showing


class Reader(Protocol):
    """What is asked of the library here."""

    def page(self, id: int, n: int) -> Page: ...  # noqa: A002 - the library's own name

    def embed(self, texts: Sequence[str]) -> FloatMatrix: ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence of a passage. `page.text[start:end] == text`."""

    passage: int  # n, from 1: passages[n - 1]
    start: int
    end: int
    text: str
    order: int = 0  # reading order within all passages
    score: float = 0.0  # relevance to the question; only differences mean anything
    dense: float = 0.0  # cosine with the question
    covered: float = 0.0  # share 0..1 of the question's words it holds, the rare ones counting more


@dataclass(frozen=True, slots=True)
class Ranking:
    sentences: tuple[Evidence, ...]  # best first
    confidence: float  # log-odds that the passages answer the question
    expects: str  # "date" | "number" | "name" | ""


# Fitted by softmax regression on XQuAD English and Spanish (1,816 questions, 6 passages each). On articles left out,
# the sentence with the answer is first / in the first three: English 80.1 / 95.6, Spanish 75.4 / 91.9 (best single
# feature, covered: 76 / 90 and 74 / 88; cosine alone: 70 / 90 and 45 / 63). SQuAD at 780 passages: 73.6 / 88.4, of
# 96.8 found.
FEATURES = ("dense", "covered", "nearby", "passage", "passage_dense", "numbers", "kind")
WEIGHTS = np.array([3.1, 4.6, 2.9, 4.6, 1.9, 0.8, 0.9], dtype=np.float32)
HEADING = 2.0  # taken off a heading's score; SQuAD has none to fit it on
MARKED_HEADING = 20.0  # … where Markdown says that it is one: below any sentence, since scores span less than that
# Logistic regression: XQuAD and SQuAD questions asked of a library with their article, and of one without it.
CONFIDENCE_FEATURES = ("dense", "passage_dense", "covered", "names_missing", "words_missing", "spanish")
CONFIDENCE_WEIGHTS = np.array([6.2, 6.4, 4.7, -1.3, -1.4, -0.7], dtype=np.float32)
CONFIDENCE_BIAS = -7.2

_MONTHS = (
    "january february march april may june july august september october november december "
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
)
_DATE = re.compile(
    rf"\b(?:1[0-9]\d\d|20\d\d)s?\b|\b(?:{_MONTHS.replace(' ', '|')}|century|siglo|today|hoy)\b", re.IGNORECASE
)
_PERIOD = "year|date|day|month|decade|century|año|fecha|día|mes|década|siglo"
_AMOUNT = (
    r"percent\w*|number|amount|population|capacity|price|cost|"
    r"porcentaje|número|cantidad|población|capacidad|precio|coste"
)
_EXPECTS = (
    (
        "date",
        re.compile(rf"^\W*when\b|\bcu[aá]ndo\b|\b(?:what|which|qu[eé])(?: \w+)? (?:{_PERIOD})\b", re.IGNORECASE),
    ),
    (
        "number",
        re.compile(
            r"\bhow (?:many|much|old|long|far|tall|large|big|high|often|fast|deep)\b|\bcu[aá]nt[oa]s?\b|"
            rf"\b(?:what|which|qu[eé]|cu[aá]l)\b.{{0,40}}\b(?:{_AMOUNT})\b",
            re.IGNORECASE,
        ),
    ),
    ("name", re.compile(r"\b(?:who|whom|whose|where)\b|\bqui[eé]n(?:es)?\b|\bd[oó]nde\b", re.IGNORECASE)),
)


def expected(question: str) -> str:
    """What kind of thing must stand in an answer: "date", "number", "name", or "" where anything may.

    >>> expected("¿Cuántos aerogeneradores opera Energía Valdelmar?")
    'number'
    """
    return next((kind for kind, pattern in _EXPECTS if pattern.search(question)), "")


def core(question: str) -> str:
    """What is asked, without what is said around it, and with the year as reports write it.

    >>> core("Answer from the balance sheet: what is the net debt for FY2018? Give a number.")
    'what is the net debt for 2018?'
    """
    parts = [question[a:b] for a, b in split(question)]
    asked = [part for part in parts if part.rstrip().endswith("?") and not _IF.match(part)]
    text = " ".join(asked) if asked and len(parts) > 1 else question
    after = _LEAD.match(text)
    return _FISCAL.sub(r"\1", text[after.end() :] if after else text)


_IF = re.compile(r"\W*(?:if|si)\b", re.IGNORECASE)
_LEAD = re.compile(r"^[^?]{20,}:\s+(?=\w[^?]{10,}\?)")
# Reports say fiscal 2018, or the bare year at the head of a column.
_FISCAL = re.compile(r"\bFY\s?'?((?:19|20)\d\d)\b")


def holds(kind: str, text: str, question: str) -> bool:
    """Does `text` hold something of this kind that the question did not say itself?"""
    if kind == "date":
        return bool(_DATE.search(text)) and bool(numbers(text) - numbers(question) or not numbers(text))
    if kind == "number":
        return bool(numbers(text) - numbers(question))
    if kind == "name":
        said = set(normalised(question).split())
        return bool(names("x " + text) - said)
    return True


def sentences(passages: Sequence[Passage], library: Reader) -> list[Evidence]:
    """The sentences of the passages in order, each once, made whole from the page where chunking cut them."""
    found: list[Evidence] = []
    seen: set[tuple[int, int, int]] = set()
    for n, passage in enumerate(passages, 1):
        try:
            text = library.page(passage.document, passage.page).text
        except KnowledgeError:  # removed while the question was asked
            continue
        begin, stop = max(0, passage.start - _MARGIN), min(len(text), passage.end + _MARGIN)
        for a, b in split(text[begin:stop]):
            start, end = begin + a, begin + b
            inside = min(end, passage.end) - max(start, passage.start)
            key = (passage.document, passage.page, start)
            if inside * 2 < end - start or key in seen or not any(c.isalnum() for c in text[start:end]):
                continue
            seen.add(key)
            found.append(Evidence(n, start, end, text[start:end], len(found)))
    return found


def rank(question: str, passages: Sequence[Passage], library: Reader, language: str) -> Ranking:
    """Every sentence of the passages scored against the question."""
    found = sentences(passages, library)
    kind = expected(question)
    if not found:
        return Ranking((), -math.inf, kind)
    table = features(question, found, passages, library, language)
    scores = table @ WEIGHTS - np.array([_heading(e.text) for e in found], dtype=np.float32)
    ranked = tuple(
        Evidence(e.passage, e.start, e.end, e.text, e.order, float(scores[i]), float(table[i, 0]), float(table[i, 1]))
        for i, e in sorted(enumerate(found), key=lambda pair: -scores[pair[0]])
    )
    values = confidence_features(question, ranked, passages, language)
    return Ranking(ranked, float(values @ CONFIDENCE_WEIGHTS) + CONFIDENCE_BIAS, kind)


def openings(passages: Sequence[Passage], library: Reader) -> list[Passage]:
    """The beginning of the first page of each document among `passages`, in their order."""
    first = {passage.document: passage for passage in reversed(passages)}
    found = []
    for document in dict.fromkeys(passage.document for passage in passages):
        try:
            text = library.page(document, 1).text[:_OPENING]
        except KnowledgeError:  # removed while the question was asked
            continue
        found.append(replace(first[document], page=1, text=text, start=0, end=len(text)))
    return found[:3]


def in_order(passages: Sequence[Passage], library: Reader) -> Ranking:
    """Their sentences as they stand, prose only: what is asked of a document as a whole has no best sentence."""
    prose = [e for e in sentences(passages, library) if len(e.text.split()) >= 6 and not is_row(e.text)]
    ranked = tuple(replace(e, score=-0.01 * i) for i, e in enumerate(prose))
    return Ranking(ranked, math.inf if ranked else -math.inf, "")


def features(
    question: str, found: Sequence[Evidence], passages: Sequence[Passage], library: Reader, language: str
) -> FloatMatrix:
    """(sentences, features) float32, in the order of `FEATURES`."""
    try:
        vectors = library.embed([question, *(e.text[:_LONGEST] for e in found)])
    except KnowledgeError:  # no embedder to be had: words alone rank
        vectors = np.zeros((1 + len(found), 1), dtype=np.float32)
    asked, kind, figures = set(stems(question, language)), expected(question), numbers(question)
    words = [set(stems(e.text, language)) for e in found]
    weight = _rarity(asked, words)
    total = sum(weight.values()) or 1.0
    rows = []
    for i, e in enumerate(found):
        near = words[i].union(
            *(words[j] for j in (i - 1, i + 1) if 0 <= j < len(found) and found[j].passage == e.passage)
        )
        passage = passages[e.passage - 1]
        rows.append(
            (
                float(vectors[1 + i] @ vectors[0]),
                sum(weight[w] for w in asked & words[i]) / total,
                sum(weight[w] for w in asked & near) / total,
                passage.score,
                passage.dense,
                len(figures & numbers(e.text)) / len(figures) if figures else 0.0,
                0.0 if not kind else 1.0 if holds(kind, e.text, question) else -1.0,
            )
        )
    return np.array(rows, dtype=np.float32)


def confidence_features(
    question: str, ranked: Sequence[Evidence], passages: Sequence[Passage], language: str
) -> FloatMatrix:
    """One row, in the order of `CONFIDENCE_FEATURES`: how near the passages come, what of it they lack."""
    everything = " ".join(f"{p.title} {p.text}" for p in passages)
    asked, there = set(stems(question, language)), set(stems(everything, language))
    called, known = {n for n in names(question) if not any(c.isdigit() for c in n)}, set(normalised(everything).split())
    return np.array(
        [
            ranked[0].dense or _NO_VECTORS,
            max(p.dense for p in passages) or ranked[0].dense or _NO_VECTORS,
            max(e.covered for e in ranked),
            len(called - known) / len(called) if called else 0.0,
            len(asked - there) / len(asked) if asked else 0.0,
            float((detect(question) or language) == "es"),
        ],
        dtype=np.float32,
    )


def _heading(text: str) -> float:
    """Taken off its score: a title, or the head of a table's columns, names what is asked and says nothing of it."""
    if re.match(r"#{1,6}\s", text):
        return MARKED_HEADING
    words, figures = text.split(), numbers(text)
    if figures and is_row(text) and all(re.fullmatch(r"(?:19|20)\d\d", figure) for figure in figures):
        return HEADING
    plain = text[-1] not in '.!?;:)”"' and ":" not in text and not any(c.isdigit() for c in text)
    return HEADING if plain and len(words) <= 8 and words[0][0].isalnum() else 0.0


def _rarity(asked: set[str], words: Sequence[set[str]]) -> dict[str, float]:
    """BM25's inverse document frequency, a sentence being a document."""
    count = Counter(word for sentence in words for word in asked & sentence)
    return {word: math.log(1 + (len(words) - count[word] + 0.5) / (count[word] + 0.5)) for word in asked}
