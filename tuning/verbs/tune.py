"""In: a dataset's name, a recipe, a job's number. Out: rows: jobs begun, watched, cancelled, resumed, published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import Any

from assistant.personas import Personas
from tuning.datasets import Datasets
from tuning.jobs import Job, Jobs
from tuning.jobs.estimating import estimate, of_approved, of_version
from tuning.jobs.publishing import evaluation, publish
from tuning.training import recipes
from tuning.verbs.rows import Row
from tuning.verbs.versions import alike


def tune_recipes(jobs: Jobs) -> Iterator[Row]:
    """{recipe, …its settings} each."""
    for name in recipes.names():
        yield {"recipe": name, **jobs.settings(name, {}).model_dump(mode="json")}


def tune_start(
    datasets: Datasets,
    jobs: Jobs,
    *,
    data: str,
    method: str = "lora",
    base: str | None = None,
    name: str = "",
    number: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[Row]:
    """A job over a dataset's version `number`; without one, what is approved now is made one. `method`: a recipe."""
    dataset = datasets.get(data).id
    version = datasets.version_of(dataset, number) if number else datasets.freeze(dataset, alike=alike)
    said = {**(settings or {}), **({"base": base} if base else {})}
    yield job(jobs.start(version, name=name, recipe=method, said=said))


def tune_estimate(
    datasets: Datasets,
    jobs: Jobs,
    home: Path,
    *,
    data: str,
    method: str = "lora",
    base: str | None = None,
    number: int | None = None,
    settings: Mapping[str, Any] | None = None,
    language: str = "en",
    stop: Event | None = None,
) -> Iterator[Row]:
    """What `tune_start` with the same words would take: {done, of, what} as it is counted and measured, then
    tuning.jobs.estimating.Takes.row. What was measured before is told at once."""
    dataset = datasets.get(data).id
    chosen = jobs.settings(method, {**(settings or {}), **({"base": base} if base else {})})
    given = (
        of_version(datasets, datasets.version_of(dataset, number)) if number else of_approved(datasets, dataset, alike)
    )
    takes = yield from estimate(given, chosen, home, stop or Event())
    yield takes.row(language)


def tune_list(jobs: Jobs) -> Iterator[Row]:
    yield from map(job, jobs.all())


def tune_show(jobs: Jobs, *, number: int) -> Iterator[Row]:
    """One job, with its settings, the command that repeats it and what was measured."""
    found = jobs.get(number)
    yield {**job(found), "settings": dict(found.settings), "command": found.command, "evaluation": evaluation(found)}


def tune_watch(jobs: Jobs, *, number: int, language: str = "en", stop: Event | None = None) -> Iterator[Row]:
    """Rows of its metrics as they come, {status, reason, step, steps, …} whenever that changes; ends with the job."""
    for state, measured in jobs.follow(number, stop or Event()):
        yield from ({"number": number, **row} for row in measured)
        yield {
            "number": number,
            "status": state.status.value,
            "reason": state.said(language),
            "step": state.step,
            "steps": state.steps,
            "seconds": round(state.seconds, 1),
            "seconds_left": state.seconds_left,
        }


def tune_cancel(jobs: Jobs, *, number: int) -> Iterator[Row]:
    yield job(jobs.cancel(number))


def tune_resume(jobs: Jobs, *, number: int, minutes: float | None = None) -> Iterator[Row]:
    """`minutes`: of learning from now on, at most; without, one whose time was up gets as much again."""
    yield job(jobs.resume(number, minutes))


def tune_remove(jobs: Jobs, *, number: int) -> Iterator[Row]:
    yield {**job(jobs.remove(number)), "removed": True}


def tune_publish(
    jobs: Jobs, personas: Personas, home: Path, *, number: int, persona: str, anyway: bool = False
) -> Iterator[Row]:
    """{…, persona}. An earlier job under the same name is the way back."""
    stored = publish(jobs, personas, home, number, persona, anyway=anyway)
    yield {**job(jobs.get(number)), "persona": stored.name}


def job(one: Job, language: str = "en") -> Row:
    return {
        "job": one.id,
        "name": one.name,
        "status": one.state.status.value,
        "reason": one.state.said(language),
        "dataset": one.dataset,
        "base": one.base,
        "method": one.method,
        "step": one.state.step,
        "steps": one.state.steps,
        "seconds": round(one.state.seconds, 1),
        "best_loss": one.state.best_loss,
        "folder": str(one.place),
        "created_at": one.created_at.isoformat(timespec="seconds"),
    }
