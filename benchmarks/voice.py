"""How often does a persona's voice keep the facts? Marv, the default model, questions of which the documents know.

    python -m benchmarks.voice FILE.json[.gz]... [--questions 50] [--model NAME]

FILE has the shape of SQuAD (see benchmarks.answers); each paragraph becomes a text document. The facts are the
documents' own sentences, so that the voice alone is measured. Reported of the questions that the documents answer:

    in its words     every fact stands in the persona's own checked words
    partly           it said some of the facts; all of them follow as they were
    after a remark   it said none that holds; one of the card's remarks, then the facts
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from assistant.models import Models, write
from assistant.models.inference import Inference
from assistant.personas import voice
from assistant.personas.store import marv
from assistant.service.settings import Settings
from benchmarks.answers import questions
from benchmarks.machine import describe
from knowledge import Answer, Basis, Turn, embedders
from knowledge.answers.answering import Writer, answer
from knowledge.language import detect
from knowledge.library import Library
from knowledge.store.database import connect


def _writer(models: Models, name: str) -> Writer:
    def pieces(turns: Sequence[Turn], max_tokens: int) -> Iterator[str]:
        inference = Inference(max_tokens=max_tokens, temperature=0)
        stream = write(models.get(name), turns, inference=inference, stop=threading.Event())
        with closing(stream):  # type: ignore[type-var]  # a generator
            yield from (piece for piece in stream if isinstance(piece, str))

    return pieces


def spoken(question: str, library: Library, writer: Writer) -> tuple[str, float] | None:
    """What became of one answer, and the seconds the voice took; None where the documents do not hold it."""
    language, never = detect(question) or "en", threading.Event()
    *_, facts = answer(question, library=library, write=lambda turns, most: iter(()), language=language)
    assert isinstance(facts, Answer)
    if facts.basis is Basis.NOTHING:
        return None
    begun = time.perf_counter()
    *_, done = voice.speak_over(facts, marv(), writer, question, language, never, library)
    assert isinstance(done, Answer)
    if done.basis is Basis.MODEL:
        kind = "in its words"
    else:
        kind = "after a remark" if done.text.startswith(voice.remark(marv(), question, language)) else "partly"
    return kind, time.perf_counter() - begun


def measure(file: Path, count: int, settings: Settings, models: Models, name: str) -> str:
    documents, asked = questions(file, 0.0, 0)
    embedder = embedders.load("all-minilm-l6-v2", settings.weights)
    writer = _writer(models, name)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        library = Library.open(home / "home", connect(f"sqlite:///{home / 'afina.sqlite3'}"), lambda: embedder)
        for title, text in documents.items():
            (home / title).write_text(text, encoding="utf-8")
            for _ in library.add(home / title):
                pass
        rows = [row for question in asked[:count] if (row := spoken(question.text, library, writer))]
        library.close()
    found = Counter(kind for kind, _ in rows)
    shares = " | ".join(str(found[kind]) for kind in ("in its words", "partly", "after a remark"))
    seconds = statistics.median(seconds for _, seconds in rows)
    return f"| {file.name} | {len(rows)} | {shares} | {seconds:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="How often does a persona's voice keep the facts?")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--questions", type=int, default=50, help="per file")
    parser.add_argument("--model", default="", help="the default one where none is named")
    arguments = parser.parse_args()
    settings = Settings()
    models = Models(settings.weights)
    print(f"{describe()}\n\n| file | answered | in its words | partly | after a remark | seconds p50 |")
    print("|---|---|---|---|---|---|")
    for file in arguments.files:
        print(measure(file, arguments.questions, settings, models, arguments.model), flush=True)
    models.close()


if __name__ == "__main__":
    main()
