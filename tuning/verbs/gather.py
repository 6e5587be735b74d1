"""In: chats, files, documents, a teacher. Out: rows: examples that came into a draft, and what was left out and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any, Literal

from assistant.events import Route
from assistant.history import History
from assistant.models import Models
from assistant.models.inference import Inference
from assistant.personas import Personas
from assistant.tools import Toolbox
from knowledge import Turn
from knowledge.library import Library
from tuning.datasets import Added, Dataset, Datasets
from tuning.errors import ForPerson
from tuning.samples import SAMPLES
from tuning.sources import Reading, Skipped, chats, documents, open_source, teacher
from tuning.sources.speech import Cast
from tuning.values import Example
from tuning.verbs.rows import Row, import_

Rating = Literal["", "liked", "disliked", "rated", "unrated"]
Kinds = Literal["conversation", "preference", "ranking", "score"]


def data_build(
    datasets: Datasets,
    history: History,
    personas: Personas,
    toolbox: Toolbox,
    *,
    name: str,
    kind: Kinds = "conversation",
    turns: Literal["conversation", "exchange"] = "conversation",
    grounding: Literal["passages", "plain"] = "passages",
    tools: bool = True,
    since: datetime | None = None,
    until: datetime | None = None,
    persona: str = "",
    route: Literal["", "documents", "tool", "persona", "chat"] = "",
    rating: Rating = "",
    reason: str = "",
    edited: bool | None = None,
    language_is: str = "",
    search: str = "",
    shortest: int | None = None,
    longest: int | None = None,
    conversations: Sequence[int] = (),
    messages: Sequence[int] = (),
    dry: bool = False,
    stop: Event | None = None,
) -> Iterator[Row]:
    """Examples from the chats that pass; the dataset is made where there is none of that name.

    {dataset, name, found, added, known}; `dry`: only counted, with the answers in them: one
    conversation can hold several. See tuning.sources.chats.
    """
    only = chats.ChatFilter(
        since=_aware(since), until=_aware(until), persona=persona, route=Route(route) if route else None,
        rating=rating, reason=reason, edited=edited, language=language_is, search=search, shortest=shortest,
        longest=longest, conversations=tuple(conversations), messages=tuple(messages),
    )  # fmt: skip
    shape = chats.Shape(kind=kind, turns=turns, grounding=grounding, tools=tools)
    found = chats.gather(history, only, shape, cast(personas, toolbox))
    if dry:
        each = [len(one.source.messages) for one in _until(found, stop)]
        yield {"name": name, "found": len(each), "answers": sum(each)}
        return
    waiting = _until(found, stop)
    first = next(waiting, None)
    if first is None:  # no dataset is made for nothing
        known = datasets.find(name)
        yield {"dataset": known.id if known else None, "name": name, "found": 0, "added": 0, "known": 0}
        return
    draft = _draft(datasets, name)
    done = datasets.add(draft.id, chain([first], waiting), what="build")
    if done.added:
        datasets.noted(draft.id, {"what": "chats", **chats.described(only, shape), "examples": done.added})
    yield _added(draft, done)


def data_import(
    datasets: Datasets,
    *,
    name: str,
    path: str,
    format: str = "auto",  # noqa: A002
    file: str = "",
    siblings: bool = False,
    language: str = "en",
    stop: Event | None = None,
) -> Iterator[Row]:
    """A file's examples: all of them or, where it breaks off, none. Progress and a last row, tuning.verbs.rows.import_,
    with {done, of} in bytes. `file`: its own name, where it lies under another."""
    reading = open_source(Path(path), format=format, name=file, siblings=siblings, stop=stop)
    yield from _taken_in(datasets, name, reading, language)


def data_imports(datasets: Datasets, *, name: str) -> Iterator[Row]:
    yield from map(import_, datasets.imports(datasets.get(name).id))


def data_undo_import(datasets: Datasets, *, number: int) -> Iterator[Row]:
    """{…, "taken_out"}: how many examples went."""
    found, gone = datasets.undo_import(number)
    yield {**import_(found), "status": "undone", "taken_out": gone}


def data_samples(datasets: Datasets, *, name: str = "", sample: str = "marv", language: str = "en") -> Iterator[Row]:
    """A dataset that ships, as an import: "marv" (English) or "marv-es"."""
    if sample not in SAMPLES:
        known = ", ".join(SAMPLES)
        raise ForPerson(
            f"There is no sample {sample!r}: choose one of {known}.",
            spanish=f"No hay ninguna muestra {sample!r}: elige entre {known}.",
        )
    reading = open_source(SAMPLES[sample], format="openai", origin="sample")
    yield from _taken_in(datasets, name or sample, reading, language)


def data_documents(
    datasets: Datasets, library: Library, *, name: str, chosen: Sequence[int] = (), stop: Event | None = None
) -> Iterator[Row]:
    """Documents' text in pieces, for continued pre-training; all that can be searched where none is named."""
    numbers = _documents(library, chosen)
    draft = _draft(datasets, name)
    done = datasets.add(draft.id, _until(documents.passages(library, numbers), stop), what="documents")
    _note(datasets, draft, done, {"what": "documents", "documents": len(numbers)})
    yield _added(draft, done)


def data_propose(
    datasets: Datasets,
    library: Library,
    models: Models,
    *,
    name: str,
    chosen: Sequence[int] = (),
    model: str = "",
    most: int = 20,
    grounded: bool = True,
    language: str = "en",
    stop: Event | None = None,
) -> Iterator[Row]:
    """Questions and answers that a model proposes over passages, held as drafts. {done, of, question | left} each, then
    {dataset, name, found, added, known, left_out}."""
    numbers, stop = _documents(library, chosen), stop or Event()
    writer, who = asked(models, model, stop)
    found = documents.questions(library, numbers, writer, model=who, most=most, grounded=grounded)
    step = {"what": "questions", "model": who, "documents": len(numbers)}
    yield from _one_by_one(datasets, _draft(datasets, name), found, most, step, language, stop)


def data_distil(
    datasets: Datasets,
    models: Models,
    personas: Personas,
    *,
    name: str,
    prompts: Sequence[str] = (),
    topic: str = "",
    most: int = 20,
    model: str = "",
    persona: str = "",
    language: str = "en",
    stop: Event | None = None,
) -> Iterator[Row]:
    """A teacher answers prompts, or prompts of its own on a topic, in a persona's voice where one is named; held as
    drafts. Rows as data_propose."""
    if not prompts and not topic.strip():
        raise ForPerson(
            "Name a topic, or give prompts to answer.", spanish="Indica un tema o da preguntas que responder."
        )
    stop = stop or Event()
    writer, who = asked(models, model, stop)
    voice = personas.named(persona) if persona else None
    given: Iterable[str] = prompts or teacher.ideas(writer, topic, most=most, stop=stop)
    system = voice.persona.voice if voice else ""
    found = teacher.answers(given, writer, teacher=who, system=system, name=topic[:80], stop=stop)
    step = {"what": "teacher", "model": who, "topic": topic, "persona": persona}
    yield from _one_by_one(datasets, _draft(datasets, name), found, len(prompts) or most, step, language, stop)


def cast(personas: Personas, toolbox: Toolbox) -> Cast:
    every = toolbox.all()
    schemas = {
        tool.name: {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema()},
        }
        for tool in every
    }
    strange = frozenset(tool.name for tool in every if tool.needs_web or tool.source)
    return Cast({one.name: one.persona.voice for one in personas.all()}, schemas, strange)


def asked(models: Models, model: str, stop: Event) -> tuple[Callable[[Sequence[Turn]], str], str]:
    """A model as a function of turns, and its name."""
    from assistant.models import write

    chat, limit = models.get(model), Inference(max_tokens=400, temperature=0.3)

    def written(turns: Sequence[Turn]) -> str:
        pieces = write(chat, turns, inference=limit, stop=stop)
        return "".join(piece for piece in pieces if isinstance(piece, str))

    return written, model or models.default


def _one_by_one(
    datasets: Datasets,
    draft: Dataset,
    found: Iterable[Any],
    of: int,
    step: Row,
    language: str,
    stop: Event,
) -> Iterator[Row]:
    """Kept as they come: a model takes seconds for each, and what is there stays when it is stopped."""
    ids, known, left = list[int](), 0, 0
    try:
        for done, one in enumerate(found, 1):
            row: Row = {"done": done, "of": of}
            if isinstance(one, Example):
                more = datasets.add(draft.id, [one], what="")
                ids, known = [*ids, *more.ids], known + more.known
                yield {**row, "question": one.prompt[-200:]}
            else:
                left += 1
                yield {**row, "left": one.said(language)}
            if stop.is_set():
                break
    finally:
        datasets.added(draft.id, "propose", ids)
    done_all = Added(len(ids), known)
    _note(datasets, draft, done_all, step)
    yield {**_added(draft, done_all), "left_out": left}


def _taken_in(datasets: Datasets, name: str, reading: Reading, language: str) -> Iterator[Row]:
    draft = _draft(datasets, name)

    def left(one: Any) -> Row:
        return _left(one, language)

    for state in datasets.take_in(draft.id, reading.name, reading.format, reading, row=left, stop=reading.stop):
        yield {**import_(state), "name": draft.name, "done": reading.read, "of": reading.total}


def _draft(datasets: Datasets, name: str) -> Dataset:
    return datasets.find(name) or datasets.create(name)


def _added(draft: Dataset, done: Added) -> Row:
    found = done.added + done.known
    return {"dataset": draft.id, "name": draft.name, "found": found, "added": done.added, "known": done.known}


def _note(datasets: Datasets, draft: Dataset, done: Added, step: Row) -> None:
    if done.added:
        datasets.noted(draft.id, {**{name: given for name, given in step.items() if given}, "examples": done.added})


def _documents(library: Library, chosen: Sequence[int]) -> list[int]:
    found = list(chosen) or [one.id for one in library.documents() if one.status.searchable]
    if not found:
        raise ForPerson("There are no documents: add some first.", spanish="No hay documentos: añade alguno primero.")
    return found


def _left(one: Any, language: str) -> Row:
    row: Row = {"message": one.said(language)}
    if isinstance(one, Skipped):
        row |= {"line": one.line, "where": one.where, "code": one.code}
    return row


def _until(examples: Iterable[Example], stop: Event | None) -> Iterator[Example]:
    for one in examples:
        if stop is not None and stop.is_set():
            return
        yield one


def _aware(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
