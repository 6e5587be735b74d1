"""In: a job's number, a persona's name, a folder. Out: rows: models written out, brought in, gone back to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Literal

from assistant.personas import Stored
from tuning.errors import ForPerson
from tuning.exporting.arriving import arrive
from tuning.exporting.export import Kind, export
from tuning.exporting.source import Source, of_job, of_publication
from tuning.jobs import Jobs
from tuning.jobs.published import Publication, Published
from tuning.verbs.rows import Row


def tune_export(
    jobs: Jobs,
    published: Published,
    weights: Path,
    *,
    kind: Kind,
    out: str,
    number: int | None = None,
    persona: str = "",
    version: int | None = None,
    precision: Literal["f16", "q8_0"] = "f16",
    stop: Event | None = None,
) -> Iterator[Row]:
    """Of a job, or of a persona's model (`version`: an earlier one).

    {what, done, of} as it goes, then {as, type, folder, files, bytes}."""
    source = _source(jobs, published, number, persona, version)
    yield from export(source, kind, Path(out), weights, precision=precision, stop=stop)


def tune_import(
    published: Published,
    home: Path,
    weights: Path,
    *,
    path: str,
    persona: str,
    base: str = "",
    called: str = "",
    stop: Event | None = None,
) -> Iterator[Row]:
    """A PEFT adapter or a whole model, a folder or a ZIP of one. {what, done, of} as it goes, then {persona, version,
    method, base, parameters}. `base`: what an adapter was trained on; `called`: what an upload was called."""
    for row in arrive(Path(path), persona, published, home, weights, base=base, called=called, stop=stop):
        if isinstance(row, Stored):
            made = published.get(row.id)
            told = {name: made.facts.get(name) for name in ("method", "base", "parameters")}
            yield {"persona": row.name, "version": made.number, **told}
        else:
            yield row


def tune_history(published: Published, *, persona: str) -> Iterator[Row]:
    """Every model the persona had, the newest first: {version, current, kind, date, job, dataset, …}."""
    one = published.named(persona)
    for made in published.of(one.id):
        yield version(made, one.name)


def tune_rollback(published: Published, *, persona: str, to: int | None = None) -> Iterator[Row]:
    """To the version before, or to `to`, forward too; the next message is answered by it. A row as tune_history's."""
    one = published.named(persona)
    yield version(published.go_to(one.id, to), one.name)


def version(made: Publication, persona: str) -> Row:
    lineage = made.lineage
    return {
        "persona": persona,
        "version": made.number,
        "current": made.current,
        "kind": made.kind,
        "date": made.created_at.isoformat(timespec="seconds"),
        "job": made.job,
        "method": lineage.method if lineage else "",
        "dataset": lineage.dataset if lineage else "",
        "source": lineage.source if lineage else "",
        "base": (lineage.base if lineage else "") or made.card.get("model", ""),
        "evaluation": dict(lineage.evaluation) if lineage else {},
        "although": list(lineage.although) if lineage else [],
        "folder": str(made.place or ""),
    }


def _source(jobs: Jobs, published: Published, number: int | None, persona: str, version: int | None) -> Source:
    if number is not None:
        return of_job(jobs.get(number))
    if not persona:
        raise ForPerson(
            "Say what to export: a job's number, or --persona NAME.",
            spanish="Indica qué exportar: el número de un trabajo o --persona NOMBRE.",
        )
    one = published.named(persona)
    return of_publication(published.get(one.id, version), one.name)
