"""In: documents of the library; for questions, a model. Out: examples: passages as text, or questions with answers.

What a model proposes is a draft: held until a person has approved it. What is plainly none (no question, an answer
whose words are not in the passage) is left out and counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from knowledge import Chunk, Document
from knowledge.answers.prompt import over
from knowledge.language import detect, stems
from knowledge.values import Turn as Prompt
from tuning.values import Example, Kind, Role, Source, Turn, conversation

CHARACTERS = 2_000  # of a text example: about 500 tokens, whole passages
SHORTEST = 200  # characters of a passage that is worth a question
SUPPORT = 0.5  # of an answer's content words, at least so many stand in its passage

Write = Callable[[Sequence[Prompt]], str]  # a model, asked once


class Shelf(Protocol):
    def document(self, document: int) -> Document: ...

    def chunks(self, document: int) -> Iterator[Chunk]: ...


@dataclass(frozen=True, slots=True)
class Unusable:
    """A proposal that was left out."""

    title: str
    page: int
    code: Literal["no_pair", "unsupported", "again"]

    def said(self, language: str = "en") -> str:
        english, spanish = _UNUSABLE[self.code]
        return (spanish if language == "es" else english).format(title=self.title, page=self.page)


_UNUSABLE = {
    "no_pair": (
        "{title}, page {page}: the model wrote no question with an answer.",
        "{title}, página {page}: el modelo no escribió una pregunta con su respuesta.",
    ),
    "unsupported": (
        "{title}, page {page}: the answer is not in the passage.",
        "{title}, página {page}: la respuesta no está en el pasaje.",
    ),
    "again": (
        "{title}, page {page}: the same question was proposed before.",
        "{title}, página {page}: la misma pregunta ya se había propuesto.",
    ),
}

_ASK = {
    "en": (
        "You write exam questions. From the passage, write one short question that the passage answers, and its "
        "answer in one sentence. Write exactly two lines:\nQuestion: …\nAnswer: …",
        "The bridge over the Olmo was built by Ana Ruiz in 1931.",
        "Question: Who built the bridge over the Olmo?\nAnswer: Ana Ruiz built it in 1931.",
    ),
    "es": (
        "Escribes preguntas de examen. A partir del pasaje, escribe una pregunta corta que el pasaje responda y su "
        "respuesta en una frase. Escribe exactamente dos líneas:\nPregunta: …\nRespuesta: …",
        "El puente sobre el Olmo fue construido por Ana Ruiz en 1931.",
        "Pregunta: ¿Quién construyó el puente sobre el Olmo?\nRespuesta: Lo construyó Ana Ruiz en 1931.",
    ),
}
_PAIR = re.compile(
    r"(?:question|pregunta|q|p)\s*:\s*(?P<question>.+?)\s*(?:answer|respuesta|a|r)\s*:\s*(?P<answer>.+?)"
    r"(?=\n\s*(?:question|pregunta|q|p)\s*:|\n\s*\n|\Z)",
    re.IGNORECASE | re.DOTALL,
)


def passages(library: Shelf, documents: Iterable[int], characters: int = CHARACTERS) -> Iterator[Example]:
    """The documents' text in pieces of whole passages, in reading order, for continued pre-training."""
    for number in documents:
        document = library.document(number)
        piece: list[Chunk] = []
        for chunk in library.chunks(number):
            if piece and sum(len(one.text) for one in piece) + len(chunk.text) > characters:
                yield _text(document, piece)
                piece = []
            piece.append(chunk)
        if piece:
            yield _text(document, piece)


def questions(
    library: Shelf, documents: Iterable[int], write: Write, *, model: str, most: int = 50, grounded: bool = True
) -> Iterator[Example | Unusable]:
    """A question and its answer per passage, as `model` proposes them; the passages spread evenly over the documents.

    `grounded`: asked over its passage, answered with [1], as the assistant is asked; else question and answer alone.
    """
    seen = set[str]()
    for document, chunk in _spread(library, documents, most):
        language = detect(chunk.text) or "en"
        rules, passage, pair = _ASK.get(language, _ASK["en"])
        asked = [Prompt("system", rules), Prompt("user", passage), Prompt("assistant", pair)]
        found = _PAIR.search(write([*asked, Prompt("user", " ".join(chunk.text.split()))]))
        question, answer = (found["question"], found["answer"]) if found else ("", "")
        code = _fault(question, answer, chunk.text, language, seen)
        if code:
            yield Unusable(document.title, chunk.page, code)
            continue
        seen.add(question.casefold())
        yield _proposed(
            document, chunk, " ".join(question.split()), " ".join(answer.split()), model, language, grounded
        )


def _fault(
    question: str, answer: str, passage: str, language: str, seen: set[str]
) -> Literal["", "no_pair", "unsupported", "again"]:
    if len(question.split()) < 3 or not answer.strip() or "…" in question:
        return "no_pair"
    if question.casefold() in seen:
        return "again"
    said, there = set(stems(answer, language)), set(stems(passage, language))
    return "unsupported" if not said or len(said & there) < SUPPORT * len(said) else ""


def _proposed(
    document: Document, chunk: Chunk, question: str, answer: str, model: str, language: str, grounded: bool
) -> Example:
    source = Source(
        origin="document",
        name=document.title,
        group=f"document:{document.sha256[:12]}:{chunk.id}",
        line=chunk.page,
        how="proposed",
        model=model,
    )
    if not grounded:
        return conversation(Turn(Role.USER, question), Turn(Role.ASSISTANT, answer), source=source)
    system, user = over({1: chunk.text}, question, language)
    said = f"{answer.rstrip().rstrip('.')} [1]."
    return conversation(
        Turn(Role.SYSTEM, system.text), Turn(Role.USER, user.text), Turn(Role.ASSISTANT, said), source=source
    )


def _spread(library: Shelf, documents: Iterable[int], most: int) -> Iterator[tuple[Document, Chunk]]:
    """Every so many passages one, so that `most` of them cover the documents from end to end."""
    numbers = list(documents)
    long = [(number, chunk.id) for number in numbers for chunk in library.chunks(number) if len(chunk.text) >= SHORTEST]
    step = max(1.0, len(long) / max(1, most))
    wanted = {long[int(at * step)][1] for at in range(min(most, len(long)))}
    for number in numbers:
        document = library.document(number)
        for chunk in library.chunks(number):
            if chunk.id in wanted:
                yield document, chunk


def _text(document: Document, piece: Sequence[Chunk]) -> Example:
    source = Source(
        origin="document",
        name=document.title,
        group=f"document:{document.sha256[:12]}",
        line=piece[0].page,
        how="passages",
    )
    return Example(Kind.TEXT, text="\n\n".join(chunk.text for chunk in piece), source=source)
