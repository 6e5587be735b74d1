"""In: files of examples, numbers, texts. Out: rows: what is wrong, the same in another format, what learning costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any

from assistant.models import Models
from tuning import checking, counting
from tuning.counting import facts
from tuning.counting.estimate import BATCH, EPOCHS, Measure
from tuning.counting.tokens import Counter, Rule
from tuning.counting.vocabularies import Tokenizers
from tuning.datasets import Datasets, Filter, Status
from tuning.errors import ForOperator, ForPerson
from tuning.exchange.files import Export
from tuning.formats import find
from tuning.sources import Reading, open_source
from tuning.values import Example, Kind
from tuning.verbs.rows import Row

TRL = {  # which of TRL's formats an example is for
    Kind.CONVERSATION: "trl-messages",
    Kind.PREFERENCE: "trl-preference",
    Kind.RANKING: "trl-preference",
    Kind.SCORE: "trl-kto",
    Kind.TEXT: "trl-text",
}
LOCAL = ("local:", "hf:")  # models that are trained on this machine


def data_check(
    tokenizers: Tokenizers,
    *,
    path: str,
    format: str = "openai",  # noqa: A002
    model: str = "",
    validation: str | None = None,
    language: str = "en",
) -> Iterator[Row]:
    """{line, field, code, severity, message, mend} per problem, then {rows, errors, warnings}."""
    known = facts.limits(model) if model else facts.UNKNOWN
    limits = checking.Limits(known.tokens, known.input, known.output, known.most)
    counter = tokenizers.counter(facts.canonical(model)) if model else None
    count = counter.count if counter is not None and counter.rule is Rule.OWN else None
    other = Path(validation) if validation else None
    for found in checking.check(Path(path), format, model=model, validation=other, count=count, limits=limits):
        yield found.row(language) if isinstance(found, checking.Problem) else asdict(found)


def data_convert(
    *,
    path: str,
    to: str,
    out: str,
    format: str = "auto",  # noqa: A002
    language: str = "en",
    stop: Event | None = None,
) -> Iterator[Row]:
    """{path, format, rows, examples, lost, left_out, skipped}. `to`: a format, or "trl" for the one that fits."""
    reading = open_source(Path(path), format=format, stop=stop)
    skipped = list[str]()
    examples = _read(reading, skipped, language)
    first = next(examples, None)
    wanted = TRL[first.kind] if to == "trl" and first is not None else "trl-messages" if to == "trl" else to
    export = Export(chain([first] if first is not None else [], examples), find(wanted))
    place = Path(out)
    try:
        with place.open("wb") as file:
            file.writelines(export)
    except OSError as error:
        raise ForOperator(
            f"{place} could not be written ({error.strerror}). Choose another place.",
            spanish=f"No se pudo escribir {place} ({error.strerror}). Elige otro lugar.",
        ) from error
    counts = export.counts(language)
    left = [{"message": message, "examples": 1} for message in skipped[:20]]
    yield {
        "path": str(place),
        "format": wanted,
        **counts,
        "left_out": [*counts["left_out"], *left],  # type: ignore[misc]  # a list of rows
        "skipped": len(skipped),
    }


def data_estimate(
    datasets: Datasets,
    models: Models,
    tokenizers: Tokenizers,
    home: Path,
    weights: Path,
    *,
    path: str | None = None,
    name: str | None = None,
    model: str = "",
    epochs: int = EPOCHS,
    batch: int = BATCH,
    words: int | None = None,
    tokens: int | None = None,
    examples: int | None = None,
    price: str | float | None = None,
    probe: bool = True,
    language: str = "en",
    stop: Event | None = None,
) -> Iterator[Row]:
    """{examples, tokens, epochs, batch, steps, truncated, price, currency, seconds, memory_bytes, rule, notes}.

    Of a file, of what is approved in a dataset (of its drafts where nothing is), or of numbers. `probe`: for a model
    that is trained here, a few steps are measured first.
    """
    model = model or ("" if path is None and name is None else models.default)
    counter = tokenizers.counter(facts.canonical(model)) if path or name else None
    given = _given(datasets, path, name, language)
    local = model.startswith(LOCAL) and probe
    found = counting.estimate.estimate(
        given if given is not None else examples,
        model=model,
        counter=counter,
        epochs=epochs,
        batch=batch,
        words=words,
        tokens=tokens,
        price=_price(price),
        measure=_measure(model, home, weights, stop or Event()) if local else None,
    )
    yield {**found.row(language), "notes": [note.said(language) for note in found.notes]}


def data_tokens(tokenizers: Tokenizers, *, text: str, model: str = "", language: str = "en") -> Iterator[Row]:
    """{id, text, start, end} per token, then {tokens, words, characters, rule}."""
    counter: Counter = tokenizers.counter(facts.canonical(model)) if model else tokenizers.counter()
    for piece in counter.pieces(text):
        yield {"id": piece.id, "text": piece.text or piece.part, "start": piece.start, "end": piece.end}
    counts = {"tokens": counter.count(text), "words": len(text.split()), "characters": len(text)}
    yield {**counts, "rule": counter.rule.said(language), "note": counter.note(language)}


def _given(datasets: Datasets, path: str | None, name: str | None, language: str) -> Iterable[Example] | None:
    if path is not None:
        return _read(open_source(Path(path)), [], language)
    if name is None:
        return None
    draft = datasets.get(name)
    status = Status.APPROVED if draft.approved else Status.DRAFT
    return (one.example for one in datasets.every(draft.id, Filter(status=status)))


def _read(reading: Reading, skipped: list[str], language: str) -> Iterator[Example]:
    for one in reading:
        if isinstance(one, Example):
            yield one
        else:
            skipped.append(one.said(language))


def _measure(model: str, home: Path, weights: Path, stop: Event) -> Measure:
    def measured(batch: int, length: int) -> Any:
        from tuning.counting.probe import probe

        return probe(model, batch=batch, length=length, weights=weights, folder=home, stop=stop)

    return measured


def _price(price: str | float | None) -> Decimal | None:
    if price is None:
        return None
    try:
        return Decimal(str(price).replace(",", "."))
    except InvalidOperation:
        raise ForPerson(
            f"{price!r} is no price: write a number, like 8 or 0.4.",
            spanish=f"{price!r} no es un precio: escribe un número, como 8 o 0,4.",
        ) from None
