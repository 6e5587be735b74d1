"""In: questions whose evidence is known, a library. Out: how well its search finds the evidence.

One line of the file: {"question": "…", "document": "report.pdf", "pages": [60]}   or   {…, "quote": "the very words"}

`document` is a file name, a title or an id; without it a quote may stand anywhere. recall@k is the share of a
question's evidence pages among the first k passages, averaged over questions; a quote counts as one page. MRR and nDCG
(binary gain, each page counted once) as in Manning et al., "Introduction to Information Retrieval", chapter 8.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from knowledge.errors import ForPerson
from knowledge.values import Document, Passage

Evidence = tuple[int, int]  # document, page
Search = Callable[[str, int, list[int] | None], list[Passage]]
CUTS = (1, 5, 10)


class Question(BaseModel):
    """A row of the file. Further keys ("answer", a number) are let through: such files come from elsewhere."""

    model_config = ConfigDict(extra="ignore")

    question: str = Field(min_length=1)
    document: str | int | None = None
    pages: list[int] = []
    quote: str = ""

    @model_validator(mode="after")
    def _has_evidence(self) -> Question:
        if not self.quote and not (self.pages and self.document is not None):
            raise ValueError('give "document" and "pages", or "quote"')
        return self


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question: of `wanted` pieces of evidence, which stood at which rank (from 1, each once)."""

    wanted: int
    ranks: tuple[int, ...]

    def recall(self, k: int) -> float:
        return sum(rank <= k for rank in self.ranks) / self.wanted

    @property
    def reciprocal_rank(self) -> float:
        return 1.0 / min(self.ranks) if self.ranks else 0.0

    @property
    def ndcg(self) -> float:
        best = sum(1.0 / math.log2(rank + 1) for rank in range(1, min(self.wanted, CUTS[-1]) + 1))
        return sum(1.0 / math.log2(rank + 1) for rank in self.ranks) / best


def read(path: Path) -> Iterator[Question]:
    """The rows of a JSONL file. ForPerson names the line that cannot be used."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ForPerson(f"{path.name} could not be read as UTF-8 text. Check that it exists.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield Question.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            said = first["msg"].removeprefix("Value error, ")
            raise ForPerson(f"{path.name}, line {number}: {where + ': ' if where else ''}{said}.") from error


def find(name: str | int, documents: Sequence[Document]) -> Document:
    """By id, title, or a title without its ending; the newest of several. ForPerson when there is none."""
    wanted = str(name).casefold()
    file = re.split(r"[/\\]", wanted)[-1]
    keys: tuple[Callable[[Document], bool], ...] = (
        lambda d: str(d.id) == wanted,
        lambda d: d.title.casefold() == wanted,
        lambda d: d.title.casefold() == file,
        lambda d: Path(d.title).stem.casefold() == Path(file).stem,
    )
    for fits in keys:
        for document in documents:
            if fits(document):
                return document
    raise ForPerson(f"No document is called {name}. Add it first; `docs list` shows what there is.")


def outcome(question: Question, document: Document | None, passages: Sequence[Passage]) -> Outcome:
    """Where the evidence stands among the passages."""
    quote = _plain(question.quote)
    ranks: dict[Evidence, int] = {}
    for rank, passage in enumerate(passages, start=1):
        if document is not None and passage.document != document.id:
            continue
        if question.pages and passage.page not in question.pages:
            continue
        if quote and quote not in _plain(passage.text):
            continue
        ranks.setdefault((0, 0) if quote else (passage.document, passage.page), rank)
    return Outcome(1 if quote else len(set(question.pages)), tuple(sorted(ranks.values())))


def summary(outcomes: Sequence[Outcome]) -> dict[str, float | int]:
    """{n, "recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10"}"""
    n = len(outcomes)
    result: dict[str, float | int] = {"n": n}
    for k in CUTS:
        result[f"recall@{k}"] = _mean([one.recall(k) for one in outcomes])
    result["mrr@10"] = _mean([one.reciprocal_rank for one in outcomes])
    result["ndcg@10"] = _mean([one.ndcg for one in outcomes])
    return result


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def _plain(text: str) -> str:
    """Line breaks and capitals do not count."""
    return re.sub(r"\s+", " ", text).strip().casefold()
