"""PDF → searchable, pages per second and recall of the evidence page, against the stock LangChain path.

    python -m benchmarks.ingest FOLDER_OF_PDFS [--questions QUESTIONS.jsonl] [--rounds 2]

The stock path is what a tutorial gives: PyPDFLoader, RecursiveCharacterTextSplitter(1000, 200), HuggingFaceEmbeddings
with the same model, Chroma.from_documents. Each side runs in a process of its own, in turn, models loaded before the
clock starts. QUESTIONS.jsonl has one {"question", "document" (file name), "pages" (from 1)} a line. A question counts
as found when one of the first five hits is on an evidence page of its document.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.machine import describe, resident

Hits = list[tuple[str, int]]  # (file name, page from 1), best first


def recall_at_5(questions: list[dict[str, Any]], search: Callable[[str, str | None], Hits]) -> dict[str, float]:
    """Over the whole folder, and inside the right document."""
    whole = inside = 0
    for row in questions:
        evidence = {(row["document"], page) for page in row["pages"]}
        whole += bool(evidence & set(search(row["question"], None)[:5]))
        inside += bool(evidence & set(search(row["question"], row["document"])[:5]))
    n = max(1, len(questions))
    return {"recall@5": whole / n, "recall@5 in document": inside / n}


def afina(files: list[Path], questions: list[dict[str, Any]], home: Path) -> dict[str, Any]:
    from assistant.service.settings import Settings
    from knowledge import embedders
    from knowledge.library import Library
    from knowledge.store.database import connect

    embedder = embedders.load("all-minilm-l6-v2", Settings().weights)
    embedder.embed(["warm"])
    home.mkdir(parents=True, exist_ok=True)
    library = Library.open(home, connect(f"sqlite:///{home / 'afina.sqlite3'}"), lambda: embedder)
    started = time.perf_counter()
    for file in files:
        for _ in library.add(file):
            pass
    seconds = time.perf_counter() - started
    documents = library.documents()
    ids = {document.title: document.id for document in documents}

    def search(question: str, title: str | None) -> Hits:
        scope = None if title is None else [ids[title]]
        return [(hit.title, hit.page) for hit in library.search(question, k=5, documents=scope)]

    found = recall_at_5(questions, search)
    result = {"pages": sum(document.pages_ready for document in documents), "seconds": seconds, **found}
    library.close()
    return result


def stock(files: list[Path], questions: list[dict[str, Any]], home: Path) -> dict[str, Any]:
    warnings.simplefilter("ignore")
    from langchain_chroma import Chroma
    from langchain_community.document_loaders import PyPDFLoader
    from langchain_community.embeddings import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    from assistant.service.settings import Settings
    from knowledge import weights

    embeddings = HuggingFaceEmbeddings(model_name=str(weights.path("all-minilm-l6-v2", Settings().weights)))
    embeddings.embed_query("warm")
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    pages = 0
    store: Any = None
    started = time.perf_counter()
    for file in files:
        loaded = PyPDFLoader(str(file)).load()
        pages += len(loaded)
        parts = splitter.split_documents(loaded)
        for part in parts:
            part.metadata = {"file": file.name, "page": part.metadata["page"] + 1}
        store = Chroma.from_documents(parts, embeddings, persist_directory=str(home), collection_name="stock")
    seconds = time.perf_counter() - started

    def search(question: str, title: str | None) -> Hits:
        where = None if title is None else {"file": title}
        hits = store.similarity_search(question, k=5, filter=where)
        return [(hit.metadata["file"], hit.metadata["page"]) for hit in hits]

    return {"pages": pages, "seconds": seconds, **recall_at_5(questions, search)}


SIDES = {"afina": afina, "stock": stock}


def one_side(side: str, folder: Path, questions_file: Path | None) -> None:
    files = sorted(folder.glob("*.pdf"))
    questions = [json.loads(line) for line in questions_file.read_text().splitlines()] if questions_file else []
    questions = [row for row in questions if row["document"] in {file.name for file in files}]
    with tempfile.TemporaryDirectory() as home:
        result = SIDES[side](files, questions, Path(home) / "home")
    print(json.dumps({**result, "questions": len(questions), "resident_mb": resident() / 2**20}))


def measure(side: str, folder: Path, questions: Path | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.ingest", str(folder), "--only", side]
    if questions:
        command += ["--questions", str(questions)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"}
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def table(folder: Path, questions: Path | None, rounds: int) -> None:
    results: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side in SIDES:
            results[side].append(measure(side, folder, questions))
    print("| path | pages | seconds (median) | pages/s | recall@5, whole folder | recall@5, in the document | MB |")
    print("|---|---|---|---|---|---|---|")
    rate: dict[str, float] = {}
    for side, runs in results.items():
        seconds = statistics.median(run["seconds"] for run in runs)
        rate[side] = runs[0]["pages"] / seconds
        print(
            f"| {side} | {runs[0]['pages']} | {seconds:.1f} | {rate[side]:.1f} | {runs[0]['recall@5']:.3f} "
            f"| {runs[0]['recall@5 in document']:.3f} | {max(run['resident_mb'] for run in runs):.0f} |"
        )
    print(f"\nafina / stock, pages per second: {rate['afina'] / rate['stock']:.1f} × (n = {rounds} rounds, in turn)")


def main() -> None:
    parser = argparse.ArgumentParser(description="PDF to searchable, against the stock LangChain path.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", choices=list(SIDES))
    arguments = parser.parse_args()
    if arguments.only:
        one_side(arguments.only, arguments.folder, arguments.questions)
        return
    print(describe(), end="\n\n")
    table(arguments.folder, arguments.questions, arguments.rounds)


if __name__ == "__main__":
    main()
