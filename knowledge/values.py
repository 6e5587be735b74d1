"""The values that flow through the library: frozen, plain, without a vendor's object in them.

file --reader--> Page, Page, … --chunking--> Span, … --store--> Chunk --search--> Passage --citations--> Citation

Offsets are Python string indices into `Page.text` (end exclusive), so that `page.text[start:end]` is always the very
text a chunk, passage or citation shows. Boxes are fractions of the page as it is displayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from knowledge.messages import sentence

FloatMatrix = NDArray[np.float32]


class Status(StrEnum):
    """What became of a document. The first three are on the way; every other one is final."""

    QUEUED = "queued"
    READING = "reading"
    INDEXING = "indexing"
    READY = "ready"
    READY_PARTIAL = "ready_partial"  # some pages could not be read; `Document.message` says n of m
    NO_TEXT = "no_text"
    NEEDS_PASSWORD = "needs_password"
    NOT_A_PDF = "not_a_pdf"
    DAMAGED = "damaged"
    TOO_BIG = "too_big"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        return self not in (Status.QUEUED, Status.READING, Status.INDEXING)

    @property
    def searchable(self) -> bool:
        return self in (Status.READY, Status.READY_PARTIAL)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Why a document is as it is: a sentence of `knowledge.messages` and its values, to be said in any language."""

    code: str
    values: Mapping[str, int | str] = field(default_factory=dict, hash=False)

    def said(self, language: str = "en") -> str:
        return sentence(self.code, language, **self.values)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the displayed page (rotation and crop applied): fractions 0..1, origin at the top left."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of print: `page.text[start:end]` stands inside `box`."""

    start: int
    end: int
    box: Box


@dataclass(frozen=True, slots=True)
class Page:
    """One page as text. `number` counts from 1. Text is NFC, ligatures and hyphenated line ends made whole."""

    number: int
    text: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A chunk before it has a name: `page.text[start:end]`, at most the embedder's limit of tokens."""

    page: int  # number, from 1
    start: int
    end: int
    tokens: int  # the embedder's tokens, special ones not counted


@dataclass(frozen=True, slots=True)
class Document:
    """One source, known by its bytes. `message` is a sentence a person can act on when the status is not `ready`."""

    id: int
    sha256: str
    title: str  # the file's name
    kind: str  # "pdf" | "text" | "markdown" | "csv"
    status: Status
    message: str
    pages: int  # pages in the file; 0 while unknown
    pages_ready: int  # pages read so far
    language: str  # "en" | "es" | "" where unknown
    size: int  # bytes
    added_at: datetime
    outcome: Outcome | None = None  # what `message` says, in any language; None of what an earlier release wrote

    def said(self, language: str = "en") -> str:
        """`message` in this language, where it is known."""
        return self.outcome.said(language) if self.outcome else self.message


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of one page, as it is indexed."""

    id: int
    document: int
    page: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as a search found it. `score` is fused, 0..1; its two parts are kept so that a person can see why."""

    document: int
    title: str
    page: int
    chunk: int
    text: str
    start: int
    end: int
    score: float
    dense: float  # cosine similarity of question and chunk
    lexical: float  # bm25 as a fraction of the best hit's, 0..1


@dataclass(frozen=True, slots=True)
class Citation:
    """[n] in an answer: the very stretch that a sentence or quote rests on. `page.text[start:end] == quote`.

    `verified` only when the stretch supports the sentence.
    """

    n: int
    document: int
    title: str
    page: int
    quote: str
    start: int
    end: int
    verified: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message, for a model or for completing a follow-up question."""

    role: str  # "system" | "user" | "assistant"
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of bringing a document in. The last one carries a final status."""

    document: int | None  # None until the bytes are known
    title: str
    status: Status
    pages_ready: int = 0
    pages: int = 0  # 0 while unknown
    message: str = ""
    duplicate: bool = False  # the same bytes were here already
    seconds: float = 0.0
    outcome: Outcome | None = None  # what `message` says, in any language

    def said(self, language: str = "en") -> str:
        """`message` in this language, where it is known; of bytes that were here, that they were."""
        own = self.outcome.said(language) if self.outcome else self.message
        known = sentence("known", language, title=self.title) if self.duplicate and self.status.searchable else ""
        return " ".join(filter(None, (known, own)))


@dataclass(frozen=True, slots=True)
class Usage:
    """What a model call took. Tokens are the model's own; seconds are wall time."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds_to_first: float = 0.0
    seconds: float = 0.0
    model: str = ""


class Basis(StrEnum):
    """What an answer stands on, so that a page can label it."""

    MODEL = "model"  # the model's words, every shown citation checked
    QUOTES = "quotes"  # the model's words were not supported: the best sentences of the documents, verbatim
    NOTHING = "nothing"  # the documents do not hold it


@dataclass(frozen=True, slots=True)
class Found:
    """The search behind an answer is done. Passage i is [i + 1] in the prompt."""

    passages: tuple[Passage, ...]  # best first
    seconds: float


@dataclass(frozen=True, slots=True)
class Wrote:
    """The next piece of an answer, and the citations whose [n] stand in it for the first time."""

    text: str
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer. Every [n] in `text` has exactly one citation with that n, and every citation its [n].

    They count 1, 2, 3 in the order they first appear.
    """

    text: str  # Markdown
    citations: tuple[Citation, ...]
    basis: Basis
    usage: Usage
    draft: str = ""  # what the model wrote, where it was replaced


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement between the stores, and whether it was mended."""

    code: str
    message: str
    document: int | None = None
    repaired: bool = field(default=False)
