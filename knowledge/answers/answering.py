"""In: a question, a library, a model's writer. Out: `Found`, `Wrote`, …, then one `Answer` whose citations hold.

    search → rank sentences → nothing fits? NOTHING
                            → model writes; every finished sentence is checked before it is shown
                                 supported and to the point → MODEL (the unsupported ones left out)
                                 otherwise                  → QUOTES: the best sentences, verbatim

A small model's inventions are therefore never seen, and it is cut short after two of them; a strong model's cited
answer passes through the same code sentence by sentence. Text of documents is data: it cannot change the flow.
Knows nothing of agents, pages or a model's vendor.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

from knowledge.answers import prompt, quotes
from knowledge.answers.citations import Citing, Claim, check_sentence
from knowledge.answers.evidence import Ranking, Reader, core, holds, in_order, openings, rank
from knowledge.answers.sentences import split
from knowledge.answers.support import normalised, numbers
from knowledge.language import detect, stems, stop_words
from knowledge.values import Answer, Basis, Citation, Found, Passage, Turn, Usage, Wrote

Writer = Callable[[Sequence[Turn], int], Iterator[str]]  # turns, max_tokens → pieces of text; closing it cancels

PASSAGES = 6  # searched and checked against
PROMPT_TOKENS = 400  # of passages in the prompt; a stronger model is given more by the caller
ANSWER_TOKENS = 120
STRIKES = 2  # unsupported sentences in a row before the model is stopped
# Log-odds; below, the documents are said not to hold it. Measured two-fold by library (the folds share articles,
# so it flatters), before the constants were rounded and headings marked down; answered of what the library
# holds / refused of what it does not: English 0.956 / 0.988 (90 passages), 0.960 / 0.920 (780 passages),
# Spanish 0.955 / 0.900; at 0.5 it is 0.914 / 0.998, 0.898 / 0.976, 0.869 / 0.977. SQuAD 2.0's questions that a
# paragraph almost answers are hardly told apart by any of this: 12 of 100 are refused.
MIN_CONFIDENCE = -0.5
# … where the person chose the documents, so that the answer is likelier to be there. Eight filings, 27 analysts'
# questions, which also chose this number: answered of their own filing 1.0 (0.81 at -0.5), refused of another one 0.85;
# as above, English 0.980 / 0.967, Spanish 0.988 / 0.698.
MIN_CONFIDENCE_CHOSEN = -1.5
MIN_CONFIDENCE_REFUSED = 2.0  # … when the model, too, said that they do not
RELEVANCE_MARGIN = 0.3  # the first sentence shown of a model must rest on evidence this near to the best sentence
_RUN_ON = 60  # words without a full stop

_TEXTS = {
    "en": {
        "quotes": "This is what the documents say:",
        "nothing": "The documents do not hold an answer to this.",
        "looked": "Looked at: {places}.",
        "page": "{title}, page {page}",
        "empty": "There is nothing to search yet: add a document, then ask again.",
    },
    "es": {
        "quotes": "Esto es lo que dicen los documentos:",
        "nothing": "Los documentos no contienen una respuesta a esto.",
        "looked": "Se ha mirado en: {places}.",
        "page": "{title}, página {page}",
        "empty": "Todavía no hay nada donde buscar: añade un documento y vuelve a preguntar.",
    },
}


class Searchable(Reader, Protocol):
    def search(self, query: str, k: int = 8, documents: Collection[int] | None = None) -> list[Passage]: ...


def answer(
    question: str,
    *,
    history: Sequence[Turn] = (),
    library: Searchable,
    write: Writer,
    documents: Collection[int] | None = None,
    language: str = "en",
    stop: Event | None = None,
    budget: int = PROMPT_TOKENS,
) -> Iterator[Found | Wrote | Answer]:
    """`Found`, then what is written, then `Answer`: all of it. Ends without one when `stop` is set.

    `language` is the person's; the question's own wins where it can be told. `budget`: tokens of passages in it.
    """
    stop = stop or Event()
    begun = time.perf_counter()
    asked = core(complete(question, history))
    spoken = detect(asked) or language
    passages = library.search(asked, PASSAGES, documents)
    overview = bool(_OVERVIEW.search(asked))
    if overview:
        passages = openings(passages, library)
    yield Found(tuple(passages), time.perf_counter() - begun)
    ranking = in_order(passages, library) if overview else rank(asked, passages, library, spoken)
    texts = _TEXTS["es" if spoken == "es" else "en"]
    if stop.is_set():
        return
    if ranking.confidence < (MIN_CONFIDENCE if documents is None else MIN_CONFIDENCE_CHOSEN):
        yield from _ended(_nothing(texts, passages), begun)
        return
    draft = _Draft(asked, ranking, passages, library, Citing(passages, library))
    turns = prompt.turns(complete(question, history), ranking.sentences, spoken, budget)
    yield from draft.write(write, turns, stop)
    if stop.is_set():
        return
    usage = Usage(seconds_to_first=draft.first - begun if draft.first else 0.0, seconds=time.perf_counter() - begun)
    if draft.shown:
        yield Answer(draft.text, draft.citing.citations, Basis.MODEL, usage, _changed(draft))
    elif draft.refused and ranking.confidence < MIN_CONFIDENCE_REFUSED:
        yield from _ended(_nothing(texts, passages), begun, draft.written)
    else:
        yield from _ended(_quoted(texts, asked, ranking, passages, library), begun, draft.written)


def complete(question: str, history: Sequence[Turn]) -> str:
    """A follow-up with what it leaves out, taken from the last question; any other question as it is.

    >>> complete("And in 2022?", [Turn("user", "What was the revenue of Brenmoor in 2021?")])
    'And in 2022? (revenue Brenmoor)'
    """
    before = next(
        (turn.text for turn in reversed(history) if turn.role == "user" and turn.text.strip() != question.strip()), ""
    )
    language = detect(question) or detect(before) or "en"
    own = stems(question, language)
    if not before or not (
        (_FOLLOWS.match(question) and len(own) <= 5) or len(own) <= 1 or (_POINTS.search(question) and len(own) <= 4)
    ):
        return question
    grammar = stop_words(language)
    years = bool(numbers(question))
    words = [w for w in re.findall(r"[^\W_]+(?:[.,'’-][^\W_]+)*", before) if w.lower() not in grammar]
    kept = [
        w for w in words if not set(stems(w, language)) & set(own) and not (years and re.fullmatch(r"(?:19|20)\d\d", w))
    ]
    return f"{question} ({' '.join(dict.fromkeys(kept))})" if kept else question


# "What is this about?", "Summarise the report": no sentence resembles these; a document's beginning answers them best.
_OVERVIEW = re.compile(
    r"^\W*(?:please |can you |could you )?(?:summari[sz]e|give me an? (?:summary|overview))\b.{0,40}$|"
    r"\bwhat (?:is|are) (?:this|these|it|the) ?(?:document|file|pdf|report|text|paper|book)?s? about\b|"
    r"^\W*(?:resume|resúmeme|resumen|haz(?:me)? un resumen)\b.{0,40}$|"
    r"\bde qué (?:trata|va|habla)n?(?: (?:este|esta|estos|estas|el|la|los|las))?(?: \w+)?\W*$",
    re.IGNORECASE,
)
_ASKS_FOR = re.compile(
    r"\b(?:what|which|who|whom|whose|when|where|why|how|qué|cuál(?:es)?|quién(?:es)?|cuándo|dónde|cómo|cuánt[oa]s?)\b",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(r"^\W*(?:and|but|what about|how about|y|e|pero|qué hay de|qué tal)\b", re.IGNORECASE)
_POINTS = re.compile(
    r"\b(?:it|its|they|them|their|he|she|his|her|him|that|those|this|one|él|ella|ellos|ellas|su|sus|eso|esa|ese|esto|esta|este|lo)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Draft:
    """What a model writes, sentence by sentence, and what of it may be shown."""

    question: str
    ranking: Ranking
    passages: Sequence[Passage]
    library: Reader
    citing: Citing
    written: str = ""
    text: str = ""  # shown so far
    first: float = 0.0  # perf_counter when the first text was shown
    shown: list[Claim] = field(default_factory=list)
    waiting: list[Claim] = field(default_factory=list)  # supported, but nothing to the point was said yet
    gaps: list[str] = field(default_factory=list)  # the space before each of them
    refused: bool = False

    def write(self, write: Writer, turns: Sequence[Turn], stop: Event) -> Iterator[Wrote]:
        """Runs the writer until it ends, is stopped, repeats itself or has failed the check too often."""
        stream = write(turns, ANSWER_TOKENS)
        done, strikes = 0, 0  # characters judged, unsupported sentences in a row
        try:
            for piece in stream:
                if stop.is_set():
                    return
                self.written += piece
                for end in self._finished(done):
                    strikes = yield from self._judge(done, end, strikes)
                    done = end
                if strikes >= STRIKES or self._repeats():
                    return
            if not stop.is_set():
                yield from self._judge(done, len(self.written), strikes)
        finally:
            close = getattr(stream, "close", None)
            if close:
                close()

    def _finished(self, done: int) -> list[int]:
        """Ends of the sentences that are complete: all but the last, since more of that may come."""
        rest = self.written[done:]
        spans = split(rest)
        ends = [done + after[0] for after in spans[1:] if not rest[after[0] :].startswith("[")]
        return ends or ([len(self.written)] if len(rest.split()) > _RUN_ON else [])

    def _judge(self, start: int, end: int, strikes: int) -> Generator[Wrote, None, int]:
        """Yields what of `written[start:end]` may be shown, returns the unsupported sentences in a row by now."""
        for a, b in split(self.written[start:end]):
            sentence = self.written[start + a : start + b]
            claim = check_sentence(sentence, self.question, self.ranking, self.passages, self.library)
            if claim.verified and all(claim.text != other.text for other in self.shown + self.waiting):
                strikes = 0
                self.waiting.append(claim)
                self.gaps.append(_gap(self.written[: start + a]))
                if self.shown or self._to_the_point(claim):
                    yield self._show()
            elif not sentence.endswith(":"):  # "Here is what I found:" claims nothing
                self.refused = self.refused or bool(prompt.REFUSAL.search(sentence))
                strikes += 1
        return strikes

    def _to_the_point(self, claim: Claim) -> bool:
        """Does it answer, rather than copy some sentence or repeat the question?"""
        if max(e.score for e in claim.evidence) < self.ranking.sentences[0].score - RELEVANCE_MARGIN:
            return False
        language = detect(self.question)
        new = set(stems(claim.text, language)) - set(stems(self.question, language))
        open_question = bool(_ASKS_FOR.search(self.question))  # any other wants a yes, a no or a summary
        return (bool(new) or not open_question) and holds(self.ranking.expects, claim.text, self.question)

    def _show(self) -> Wrote:
        """What waited, numbered only now: what is never shown takes no number."""
        before = len(self.citing.citations)
        marked = [claim.marked(self.citing.cite(claim.evidence)) for claim in self.waiting]
        piece = "".join(gap + text for gap, text in zip(self.gaps, marked, strict=True))
        if not self.text:
            piece, self.first = piece.lstrip(), time.perf_counter()
        self.shown += self.waiting
        self.waiting, self.gaps = [], []
        self.text += piece
        return Wrote(piece, self.citing.citations[before:])

    def _repeats(self) -> bool:
        words = self.written.lower().split()
        tail = words[-8:]
        return len(words) > 16 and any(words[i : i + 8] == tail for i in range(len(words) - 15))


def _gap(before: str) -> str:
    """Paragraphs and list items stay; any other space is one."""
    newlines = len(before) - len(before.rstrip()) and before[len(before.rstrip()) :].count("\n")
    return "\n" * min(newlines, 2) or " "


def _changed(draft: _Draft) -> str:
    """What the model wrote, where other words are shown: the numbers are always ours."""
    return draft.written if normalised(draft.written) != normalised(draft.text) else ""


def _quoted(
    texts: dict[str, str], question: str, ranking: Ranking, passages: Sequence[Passage], library: Reader
) -> tuple[str, Basis, tuple[Citation, ...]]:
    citing = Citing(passages, library)
    text = (
        f"{texts['quotes']}\n\n{quotes.markdown(quotes.choose(question, ranking, passages), citing, passages, library)}"
    )
    return text, Basis.QUOTES, citing.citations


def _nothing(texts: dict[str, str], passages: Sequence[Passage]) -> tuple[str, Basis, tuple[Citation, ...]]:
    if not passages:
        return texts["empty"], Basis.NOTHING, ()
    places = dict.fromkeys(texts["page"].format(title=quotes.escaped(p.title), page=p.page) for p in passages[:3])
    return f"{texts['nothing']} {texts['looked'].format(places='; '.join(places))}", Basis.NOTHING, ()


def _ended(made: tuple[str, Basis, tuple[Citation, ...]], begun: float, draft: str = "") -> Iterator[Wrote | Answer]:
    text, basis, cited = made
    seconds = time.perf_counter() - begun
    yield Wrote(text, cited)
    yield Answer(text, cited, basis, Usage(seconds_to_first=seconds, seconds=seconds), draft)
