"""In: a checked answer, and someone's own words for it. Out: those words where they say the same, then one `Answer`.

    facts     Brenmoor Energy operates 212 wind turbines [1].
    words     Oh, another question. Brenmoor Energy operates 212 wind turbines, as everyone knows. It bought 40 more.
    shown     Oh, another question. Brenmoor Energy operates 212 wind turbines, as everyone knows [1].

A sentence, or the middle of one between remarks, is held against the stretches that the facts cite, by the same rules
as a model's answer: the [n] it rests on are put to it, whatever marks it had. A remark claims nothing: no figure, no
name, no word of the matter, nobody's doings; it is shown without a mark. Everything else is left out. Where the words
have lost a fact, the facts follow as they were. Nothing else can come out, whoever wrote the words.
Knows nothing of personas, prompts or models.
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from threading import Event

from knowledge.answers.citations import Claim, check_sentence
from knowledge.answers.evidence import Evidence, Ranking, Reader, expected
from knowledge.answers.sentences import split
from knowledge.answers.support import names, normalised, numbers, plain
from knowledge.errors import KnowledgeError
from knowledge.language import detect, stems, stop_words
from knowledge.values import Answer, Basis, Citation, Passage, Usage, Wrote

STRIKES = 2  # sentences left out in a row before the writer is stopped
REMARKS = 2  # … or remarks in a row: whoever only chats has lost the matter
REMARK_WORDS = 18
KEPT = 0.6  # of the facts' content words: a sentence can be true and say next to nothing of them
_CONTEXT = 400  # characters around a citation that may name what it points back to
_RUN_ON = 60  # words without a full stop

_MARK = re.compile(r"(?<!\\)\[(\d{1,3})\](?!\()")
_LINK = re.compile(r"://|\bwww\.|\]\(|<|@", re.IGNORECASE)
_EDGE = re.compile(r"\s*[,;:–—…()]+\s*|\s+-+\s+")
# What follows these changes or explains what was said, or says it of somebody: no remark.
_CLAIMS = re.compile(
    r"\b(?:because|since|due|which|whose|who|although|but|except|unless|only|until|before|after|nearly|almost|not|n't|"
    r"never|false|untrue|wrong|incorrect|instead|porque|debido|cual|cuales|cuyo|cuya|aunque|pero|salvo|excepto|solo|"
    r"sólo|hasta|antes|después|casi|no|nunca|falso|falsa|mentira|incorrecto)\b",
    re.IGNORECASE,
)
_OF_SOMEBODY = re.compile(
    r"\b(?:it|its|it's|he|his|she|her|they|their|him|them|él|ella|ellos|ellas|su|sus)\b|"
    r"^\W*(?:the|these|those|el|la|los|las|fue|fueron|era|eran|tiene|tienen|tenía)\b",
    re.IGNORECASE,
)
_ANSWERS = re.compile(r"^\W*(?:yes|no|yep|nope|yeah|sí|si|correct|correcto|true|cierto)\b", re.IGNORECASE)


def reword(
    facts: Answer,
    pieces: Iterable[str],
    *,
    question: str,
    library: Reader,
    stop: Event | None = None,
    remark: str = "",
) -> Iterator[Wrote | Answer]:
    """`pieces`: the words as they are written; closed when nothing more is wanted of them. `remark`: what stands before
    the facts where the words said none of them.

    Yields what may be shown, as soon as it was judged. Ends without an `Answer` when `stop` is set.
    """
    stop, begun = stop or Event(), time.perf_counter()
    draft = _Words(question, facts, library, remark)
    yield from draft.write(pieces, stop)
    if stop.is_set():
        return
    whole = draft.complete
    if not whole:
        yield draft.verbatim()
    changed = draft.written.strip() if normalised(draft.written) != normalised(draft.text) else ""
    seconds = time.perf_counter() - begun
    usage = Usage(seconds_to_first=draft.first - begun if draft.first else seconds, seconds=seconds)
    basis = Basis.MODEL if whole else facts.basis
    yield Answer(draft.text, tuple(draft.numbered.values()), basis, usage, changed)


def told(facts: Answer) -> str:
    """The facts for a model to read: an answer as it stands, quotes without their frame."""
    if facts.basis is not Basis.QUOTES:
        return facts.text
    return "\n".join(f"{' '.join(citation.quote.split())} [{citation.n}]" for citation in facts.citations)


@dataclass(slots=True)
class _Words:
    question: str
    facts: Answer
    library: Reader
    remark: str = ""
    passages: list[Passage] = field(default_factory=list)  # one per citation of the facts: passages[n - 1]
    ranking: Ranking = field(default_factory=lambda: Ranking((), 0.0, ""))
    language: str = ""  # of the facts
    matter: frozenset[str] = frozenset()  # stems of what is spoken of
    known: frozenset[str] = frozenset()  # its words, lower case
    written: str = ""
    text: str = ""  # shown so far
    first: float = 0.0
    numbered: dict[int, Citation] = field(default_factory=dict)  # number in the facts → as it is shown
    seen: set[str] = field(default_factory=set)
    waiting: str = ""  # remarks before the first fact: whoever has no fact to say has no remark on it either

    def __post_init__(self) -> None:
        self.passages = [_around(citation, self.library) for citation in self.facts.citations]
        self.ranking = Ranking(tuple(_evidence(self.facts.citations)), 0.0, expected(self.question))
        told_of = " ".join([self.question, self.facts.text, *(c.quote for c in self.facts.citations)])
        self.language = detect(told_of)
        self.matter = frozenset(stems(told_of, self.language))
        self.known = frozenset(normalised(told_of).split())

    def write(self, pieces: Iterable[str], stop: Event) -> Iterator[Wrote]:
        done, strikes, remarks = 0, 0, 0
        try:
            for piece in pieces:
                if stop.is_set():
                    return
                self.written += piece
                for end in self._finished(done):
                    strikes, remarks = yield from self._judge(done, end, strikes, remarks)
                    done = end
                if strikes >= STRIKES or remarks > REMARKS:
                    return
            if not stop.is_set():
                yield from self._judge(done, len(self.written), strikes, remarks)
        finally:
            close = getattr(pieces, "close", None)
            if close:
                close()

    @property
    def complete(self) -> bool:
        """Is every citation, figure and name of the facts in what is shown, and most of their words?"""
        if not self.numbered or set(self.numbered) != {citation.n for citation in self.facts.citations}:
            return False
        said = plain(self.text)
        body = plain(told(self.facts))
        called = names(f"x {body}") - set(normalised(self.question).split())
        if numbers(body) - numbers(self.question) - numbers(said) or called - set(normalised(said).split()):
            return False
        wanted = set(stems(body, self.language))
        return len(wanted & set(stems(said, self.language))) >= KEPT * len(wanted)

    def verbatim(self) -> Wrote:
        """The facts, their marks counted on from what was shown."""
        before = len(self.numbered)
        by_number = {citation.n: citation for citation in self.facts.citations}

        def mark(found: re.Match[str]) -> str:
            n = int(found[1])
            return f"[{self._number(by_number[n])}]" if n in by_number else found[0]

        opening = "" if self.text else self.remark or self.waiting.strip()
        between = "\n\n" if self.text or opening else ""
        piece = opening + between + _MARK.sub(mark, self.facts.text)
        self.text += piece
        return Wrote(piece, tuple(self.numbered.values())[before:])

    def _finished(self, done: int) -> list[int]:
        """Ends of the sentences that are complete: all but the last, since more of that may come."""
        rest = self.written[done:]
        ends = [done + after[0] for after in split(rest)[1:] if not rest[after[0] :].startswith("[")]
        return ends or ([len(self.written)] if len(rest.split()) > _RUN_ON else [])

    def _judge(self, start: int, end: int, strikes: int, remarks: int) -> Generator[Wrote, None, tuple[int, int]]:
        for a, b in split(self.written[start:end]):
            sentence = self.written[start + a : start + b]
            words = normalised(sentence)
            if not words or sentence.endswith(":"):  # "Here is your answer:" claims nothing, and shows nothing
                continue
            claim = self._claim(sentence)
            if words in self.seen or (not claim.verified and not self._remark(sentence)):
                strikes += 1
                continue
            self.seen.add(words)
            strikes, remarks = 0, 0 if claim.verified else remarks + 1
            if claim.verified or (self.text and remarks <= REMARKS):
                yield self._show(claim, self.written[: start + a])
            elif not self.text and remarks <= REMARKS:
                self.waiting += _gap(self.written[: start + a]) + claim.text
        return strikes, remarks

    def _claim(self, sentence: str) -> Claim:
        """With its evidence: of the whole sentence, or of its longest middle that stands between remarks."""
        whole = self._held(sentence)
        if whole.verified or not self.passages:
            return whole
        edges = [0, *(m.end() for m in _EDGE.finditer(sentence)), len(sentence)]
        spans = [(a, b) for a in edges for b in edges if a < b and (a, b) != (0, len(sentence))]
        for a, b in sorted(spans, key=lambda span: span[0] - span[1]):
            outside = [part for part in (sentence[:a], sentence[b:]) if any(map(str.isalnum, _MARK.sub("", part)))]
            if not all(self._remark(part) for part in outside):
                continue
            middle = self._held(sentence[a:b].rstrip(" ,;:–—-("))
            if middle.verified:
                return replace(whole, evidence=middle.evidence, coverage=middle.coverage)
        return whole

    def _held(self, text: str) -> Claim:
        return check_sentence(text, self.question, self.ranking, self.passages, self.library)

    def _remark(self, text: str) -> bool:
        """Does it claim nothing?"""
        if _LINK.search(text):
            return False
        text = plain(text)
        words = normalised(text).split()
        if len(words) > REMARK_WORDS or numbers(text) or _ANSWERS.match(text) or self._names(text) - self.known:
            return False
        if text.rstrip().endswith("?"):
            return True
        return (
            not self.matter & set(stems(text, self.language))
            and not _CLAIMS.search(text)
            and not _OF_SOMEBODY.search(text)
        )

    @staticmethod
    def _names(text: str) -> set[str]:
        """A word with a capital that stands alone at the beginning may be a name: "Whitby.", "Londres, claro"."""
        found = names(text)
        first = re.match(r"\W*([A-ZÁÉÍÓÚÑÜ][^\W\d_]+)(?=\s*(?:[,.!…]|$))", text)
        if first and first[1].lower() not in _OPENERS | stop_words("en") | stop_words("es"):
            found.add(first[1].lower())
        return found

    def _show(self, claim: Claim, before: str) -> Wrote:
        count = len(self.numbered)
        cited = sorted({e.passage for e in claim.evidence})
        marks = [self._number(self.facts.citations[n - 1]) for n in cited]
        piece = self.waiting + _gap(before) + claim.marked(sorted(marks))
        self.waiting = ""
        if not self.text:
            piece, self.first = piece.lstrip(), time.perf_counter()
        self.text += piece
        return Wrote(piece, tuple(self.numbered.values())[count:])

    def _number(self, citation: Citation) -> int:
        if citation.n not in self.numbered:
            self.numbered[citation.n] = replace(citation, n=len(self.numbered) + 1)
        return self.numbered[citation.n].n


_OPENING_WORDS = (
    "oh ah well wow great sure fine look listen amazing fascinating thrilling brilliant obviously clearly honestly "
    "seriously really congratulations ugh sigh please thanks shocking surprise hey hello ok okay yay "
    "vaya bueno claro mira pues hombre genial fascinante obviamente sinceramente felicidades gracias enhorabuena "
    "increíble sorpresa hola uf venga anda"
)
_OPENERS = frozenset(_OPENING_WORDS.split())


def _around(citation: Citation, library: Reader) -> Passage:
    """A citation with what stands around it, as a passage."""
    try:
        page = library.page(citation.document, citation.page).text
        start, end = max(0, citation.start - _CONTEXT), min(len(page), citation.end + _CONTEXT)
        text = page[start:end]
    except KnowledgeError:  # removed while the question was asked
        start, end, text = citation.start, citation.end, citation.quote
    return Passage(citation.document, citation.title, citation.page, 0, text, start, end, 1.0, 1.0, 1.0)


def _evidence(citations: Sequence[Citation]) -> Iterator[Evidence]:
    """The sentences of each citation; `passage` is its place among them."""
    order = 0
    for place, citation in enumerate(citations, 1):
        for a, b in split(citation.quote):
            yield Evidence(place, citation.start + a, citation.start + b, citation.quote[a:b], order)
            order += 1
        order += 1  # two citations are no neighbours


def _gap(before: str) -> str:
    """Paragraphs and list items stay; any other space is one."""
    newlines = before[len(before.rstrip()) :].count("\n")
    return "\n" * min(newlines, 2) or " "
