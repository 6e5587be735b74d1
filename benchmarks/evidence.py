"""Is the cited page the evidence page? Asked of the real library and default model, inside the right document.

    python -m benchmarks.evidence FOLDER_OF_PDFS QUESTIONS.jsonl

QUESTIONS.jsonl has one {"question", "document" (file name), "pages" (from 1)} a line. A question counts as right when
one of the answer's citations stands on an evidence page.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from assistant.models import Models, write
from assistant.models.inference import Inference
from assistant.service.settings import Settings
from knowledge import Answer, Turn, embedders
from knowledge.answers.answering import answer
from knowledge.library import Library
from knowledge.store.database import connect


def main() -> None:
    parser = argparse.ArgumentParser(description="Share of answers that cite the evidence page.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("questions", type=Path)
    arguments = parser.parse_args()
    settings = Settings()
    embedder = embedders.load("all-minilm-l6-v2", settings.weights)
    model = Models(settings.weights).get()
    stop = threading.Event()

    def writer(turns: Sequence[Turn], max_tokens: int) -> Iterator[str]:
        pieces = write(model, turns, inference=Inference(max_tokens=max_tokens, temperature=0), stop=stop)
        return (piece for piece in pieces if isinstance(piece, str))

    right, bases = 0, Counter[str]()
    rows = [json.loads(line) for line in arguments.questions.read_text().splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        library = Library.open(home, connect(f"sqlite:///{home / 'afina.sqlite3'}"), lambda: embedder)
        for file in sorted(arguments.folder.glob("*.pdf")):
            for _ in library.add(file):
                pass
        ids = {document.title: document.id for document in library.documents()}
        rows = [row for row in rows if row["document"] in ids]
        for row in rows:
            steps = answer(row["question"], library=library, write=writer, documents=[ids[row["document"]]])
            for step in steps:
                if isinstance(step, Answer):
                    bases[step.basis] += 1
                    right += any(citation.page in row["pages"] for citation in step.citations)
        library.close()
    kinds = ", ".join(f"{basis} {count}" for basis, count in bases.items())
    print(f"{len(rows)} questions, the evidence page is cited in {right}; {kinds}")


if __name__ == "__main__":
    main()
