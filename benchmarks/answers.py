"""How good are the answers? Asked of the real library with the real default model, on questions with known answers.

    python -m benchmarks.answers FILE.json[.gz]... [--questions 100] [--outside 0.25] [--no-model]

FILE has the shape of SQuAD: {"data": [{"title", "paragraphs": [{"context", "qas": [{"question", "answers": [{"text"}],
"is_impossible"}]}]}]}. Each paragraph becomes a text document. A share `outside` of the articles is left out of the
library and its questions are asked all the same: they, and the impossible ones, must be refused.

    gold shown       the answer stands in the text shown, of all questions that have one in the library
    right citation   a citation stands on the paragraph the question was written for, of those answered
    refused          of questions about articles left out; of impossible ones
    false answer     an answer from the model's own words without the known answer in it, of all answerable ones
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.models import Models, write
from assistant.models.inference import Inference
from assistant.service.settings import Settings
from benchmarks.machine import describe
from knowledge import Answer, Basis, Turn, Usage, Wrote, embedders
from knowledge.answers.answering import Writer, answer
from knowledge.answers.support import normalised
from knowledge.library import Library
from knowledge.store.database import connect


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    kind: str  # "inside" | "outside" | "impossible"
    gold: tuple[str, ...]
    paragraph: str  # title of the document it was written for


@dataclass(frozen=True, slots=True)
class Row:
    kind: str
    basis: Basis
    gold: bool
    cited: bool
    first: float  # seconds from the question to the first text
    last: float


def questions(file: Path, outside: float, seed: int) -> tuple[dict[str, str], list[Question]]:
    """The documents (title → text) that go into the library, and every question of the file, shuffled."""
    raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    articles = json.loads(raw)["data"]
    out = set(random.Random(seed).sample(range(len(articles)), round(outside * len(articles))))
    documents: dict[str, str] = {}
    found: list[Question] = []
    for a, article in enumerate(articles):
        for p, paragraph in enumerate(article["paragraphs"]):
            title = f"{article['title']}-{p}.txt"
            if a not in out:
                documents[title] = paragraph["context"]
            found += [_question(row, title, a in out) for row in paragraph["qas"]]
    random.Random(seed).shuffle(found)
    return documents, found


def _question(row: dict[str, Any], title: str, outside: bool) -> Question:
    kind = "outside" if outside else "impossible" if row.get("is_impossible") else "inside"
    return Question(row["question"], kind, tuple(a["text"] for a in row.get("answers", ())), title)


def ask(question: Question, library: Library, writer: Writer) -> Row:
    started, first = time.perf_counter(), 0.0
    for step in answer(question.text, library=library, write=writer):
        if isinstance(step, Wrote) and not first:
            first = time.perf_counter() - started
        if isinstance(step, Answer):
            shown = f" {normalised(step.text)} "
            gold = any(f" {normalised(text)} " in shown for text in question.gold)
            cited = any(citation.title == question.paragraph for citation in step.citations)
            return Row(question.kind, step.basis, gold, cited, first, time.perf_counter() - started)
    raise AssertionError("an answer ended without an Answer")


def table(rows: Sequence[Row]) -> str:
    """Two Markdown tables: what became of each kind of question, and how long it took."""
    lines = [
        "| questions | n | model | quotes | nothing | gold shown | right citation | false answer |",
        "|---" * 8 + "|",
    ]
    for kind in ("inside", "impossible", "outside"):
        own = [row for row in rows if row.kind == kind]
        if not own:
            continue
        basis = Counter(row.basis for row in own)
        shares = [f"{basis[b] / len(own):.1%}" for b in (Basis.MODEL, Basis.QUOTES, Basis.NOTHING)]
        answered = [row for row in own if row.basis is not Basis.NOTHING]
        wrong = sum(row.basis is Basis.MODEL and not row.gold for row in own) / len(own)
        if kind == "inside":
            cited = sum(row.cited for row in answered) / max(1, len(answered))
            shares += [f"{sum(row.gold for row in own) / len(own):.1%}", f"{cited:.1%}", f"{wrong:.1%}"]
        else:
            shares += ["", "", f"{len(answered) / len(own):.1%}"]
        lines.append(f"| {kind} | {len(own)} | {' | '.join(shares)} |")
    model = [row for row in rows if row.kind == "inside" and row.basis is Basis.MODEL]
    if model:
        lines.append(
            f"\nOf the model's own answers, {sum(row.gold for row in model) / len(model):.1%} hold the known one."
        )
    lines += ["", "| seconds | p50 | p95 |", "|---|---|---|"]
    for name, values in (("first text", [row.first for row in rows]), ("answer", [row.last for row in rows])):
        lines.append(f"| {name} | {statistics.median(values):.2f} | {sorted(values)[int(0.95 * len(values))]:.2f} |")
    return "\n".join(lines)


def _writer(settings: Settings, silent: bool) -> Writer:
    if silent:
        return lambda turns, max_tokens: iter(())
    model, never = Models(settings.weights).get(), threading.Event()

    def pieces(turns: Sequence[Turn], max_tokens: int) -> Iterator[str]:
        stream = write(model, turns, inference=Inference(max_tokens=max_tokens, temperature=0), stop=never)
        try:
            for piece in stream:
                if not isinstance(piece, Usage):
                    yield piece
        finally:
            close = getattr(stream, "close", None)
            if close:
                close()

    return pieces


def measure(file: Path, arguments: argparse.Namespace, settings: Settings) -> str:
    documents, asked = questions(file, arguments.outside, arguments.seed)
    embedder = embedders.load("all-minilm-l6-v2", settings.weights)
    writer = _writer(settings, arguments.no_model)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        library = Library.open(home / "home", connect(f"sqlite:///{home / 'afina.sqlite3'}"), lambda: embedder)
        for title, text in documents.items():
            (home / title).write_text(text, encoding="utf-8")
            for _ in library.add(home / title):
                pass
        library.search("warm")
        rows = [ask(question, library, writer) for question in asked[: arguments.questions]]
        library.close()
    return f"## {file.name}: {len(documents)} documents\n\n{table(rows)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="How good are the answers, on questions with known answers.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--questions", type=int, default=100, help="per file")
    parser.add_argument("--outside", type=float, default=0.25, help="share of articles left out of the library")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--no-model", action="store_true", help="quotes only: what is shown when the model says nothing"
    )
    arguments = parser.parse_args()
    print(describe(), end="\n\n")
    for file in arguments.files:
        print(measure(file, arguments, Settings()), flush=True)


if __name__ == "__main__":
    main()
