"""In: a library and plain JSON arguments. Out: rows, plain JSON objects, one verb of `afina docs …` each.

The command line prints them, the app sends them over loopback; neither adds anything. Keyword arguments are checked by
the caller against these signatures.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any, cast

from knowledge import evaluation
from knowledge.errors import ForPerson
from knowledge.library import Library
from knowledge.messages import sentence
from knowledge.values import Document, Progress

Row = dict[str, Any]


def docs_add(
    library: Library,
    *,
    paths: list[str],
    title: str | None = None,
    password: str | None = None,
    language: str = "en",
    stop: Event | None = None,
) -> Iterator[Row]:
    """Progress {document, title, status, message, pages, pages_ready, seconds, duplicate} as it comes, and one last row
    per source {path, document, title, status, message, pages, seconds, duplicate}. `language`: of the messages. Closing
    the rows cancels what is on its way.
    """
    stop = stop or Event()
    for path in paths:
        last: Progress | None = None
        if path.lower().startswith(("http://", "https://")):
            message = sentence("web_later", language)
            yield {"path": path, "document": None, "title": path, "status": "failed", "message": message} | _NOTHING
            continue
        adding = library.add(Path(path), title=title, password=password, stop=stop)
        with closing(cast("Generator[Progress, None, None]", adding)) as steps:
            try:
                for step in steps:
                    if not step.status.final:
                        yield _progress(step, language)
                    last = step
            except GeneratorExit:
                stop.set()
                raise
        assert last is not None
        row = _progress(last, language)
        del row["pages_ready"]
        yield {"path": path, **row}
        if stop.is_set():
            return


def docs_list(library: Library, *, language: str = "en") -> Iterator[Row]:
    """Newest first: {document, title, kind, status, message, pages, pages_ready, language, size, sha256, added_at}."""
    for document in library.documents():
        yield _document(document, language)


def docs_search(library: Library, *, query: str, k: int = 8, documents: list[int] | None = None) -> Iterator[Row]:
    """Best first: {document, title, page, chunk, score, text, start, end, dense, lexical}."""
    for passage in library.search(query, k=k, documents=documents):
        yield {
            "document": passage.document,
            "title": passage.title,
            "page": passage.page,
            "chunk": passage.chunk,
            "score": round(passage.score, 4),
            "text": passage.text,
            "start": passage.start,
            "end": passage.end,
            "dense": round(passage.dense, 4),
            "lexical": round(passage.lexical, 4),
        }


def docs_show(library: Library, *, document: int, page: int | None = None, language: str = "en") -> Iterator[Row]:
    """A page {document, title, page, pages, text}; without a page, the document's row as in `docs_list`."""
    known = library.document(document)
    if page is None:
        yield _document(known, language)
        return
    shown = library.page(document, page)
    yield {"document": document, "title": known.title, "page": page, "pages": known.pages, "text": shown.text}


def docs_remove(library: Library, *, document: int) -> Iterator[Row]:
    """{document, title, removed}."""
    known = library.document(document)
    library.remove(document)
    yield {"document": document, "title": known.title, "removed": True}


def docs_check(library: Library, *, repair: bool = False) -> Iterator[Row]:
    """One row per disagreement {code, message, document, repaired}; none where all is well."""
    for finding in library.check(repair=repair):
        yield {
            "code": finding.code,
            "message": finding.message,
            "document": finding.document,
            "repaired": finding.repaired,
        }


def docs_evaluate(library: Library, *, path: str, scoped: bool = False, stop: Event | None = None) -> Iterator[Row]:
    """One row per question {question, document, wanted, ranks} and a last one
    {n, "recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10"}. `scoped`: search only the document a question names.
    """
    documents = library.documents()
    questions = list(evaluation.read(Path(path)))
    if not questions:
        raise ForPerson(f"{Path(path).name} holds no questions. Write one JSON object per line.")
    outcomes: list[evaluation.Outcome] = []
    for question in questions:
        document = None if question.document is None else evaluation.find(question.document, documents)
        scope = [document.id] if scoped and document is not None else None
        passages = library.search(question.question, k=evaluation.CUTS[-1], documents=scope)
        outcomes.append(evaluation.outcome(question, document, passages))
        yield {
            "question": question.question,
            "document": document.id if document is not None else None,
            "wanted": outcomes[-1].wanted,
            "ranks": list(outcomes[-1].ranks),
        }
        if stop is not None and stop.is_set():
            return
    yield evaluation.summary(outcomes)


_NOTHING: Row = {"pages": 0, "seconds": 0.0, "duplicate": False}


def _progress(step: Progress, language: str) -> Row:
    return {
        "document": step.document,
        "title": step.title,
        "status": step.status.value,
        "message": step.said(language),
        "pages": step.pages,
        "pages_ready": step.pages_ready,
        "seconds": round(step.seconds, 3),
        "duplicate": step.duplicate,
    }


def _document(document: Document, language: str) -> Row:
    return {
        "document": document.id,
        "title": document.title,
        "kind": document.kind,
        "status": document.status.value,
        "message": document.said(language),
        "pages": document.pages,
        "pages_ready": document.pages_ready,
        "language": document.language,
        "size": document.size,
        "sha256": document.sha256,
        "added_at": document.added_at.isoformat(),
    }
