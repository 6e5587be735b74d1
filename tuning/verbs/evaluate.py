"""In: a job that is done, or two models. Out: rows: their answers to questions nobody trained on, compared.

The answers lie beside the job, one file a side: an evaluation that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Event

from assistant.models import Models
from assistant.models.inference import Inference
from tuning import rows
from tuning.datasets import Datasets
from tuning.errors import ForPerson
from tuning.evaluation.compare import Comparison, compare
from tuning.evaluation.run import Speaker, answers, bare
from tuning.evaluation.values import Answered, Question, questions
from tuning.jobs import Job, Jobs
from tuning.training.folder import ADAPTER, MODEL, TRAIN, VALIDATION
from tuning.values import Example
from tuning.verbs.rows import Row

METRICS = ("rouge1", "rougeL", "chrf")
GREEDY = Inference(temperature=0.0, max_tokens=80)


def eval_job(
    jobs: Jobs,
    models: Models,
    weights: Path,
    *,
    number: int,
    metrics: Sequence[str] = METRICS,
    most: int = 20,
    trained: bool = False,
    language: str = "en",
    stop: Event | None = None,
) -> Iterator[Row]:
    """A job's model against its base, on its held-out rows (`trained`: on rows it learned from).

    {done, of, side} as they come, {key, prompt, reference, before, after, scores, change} per question, the largest
    gain first, then {number, metrics: [{metric, before, after, change, verdict, message}]}, kept with the job."""
    job, stop = jobs.get(number), stop or Event()
    tuned = _tuned(job)
    asked = list(islice(questions(_held(job, TRAIN if trained else VALIDATION)), most))
    if not asked:
        raise ForPerson(
            "There are no held-out questions: make a version with a share to validate with.",
            spanish="No hay preguntas apartadas: crea una versión con una parte para validar.",
        )
    place, side = job.place / "evaluation", "trained" if trained else "unseen"
    before = yield from _asked(
        models, bare(_base(job, tuned), weights), asked, place / f"{side}-before.jsonl", "before", stop
    )
    after = yield from _asked(models, tuned, asked, place / f"{side}-after.jsonl", "after", stop)
    if stop.is_set():
        return
    found = compare(before, after, metrics)
    summary = _summary(found, language)
    jobs.evaluated(number, {f"{side}_{one['metric']}_{when}": one[when]["value"] for one in summary for when in _SIDES})
    yield from (one.row() for one in found.rows)
    yield {"number": number, "side": side, "metrics": summary}


def eval_compare(
    datasets: Datasets,
    models: Models,
    home: Path,
    *,
    data: str,
    before: str,
    after: str,
    metrics: Sequence[str] = METRICS,
    most: int = 20,
    number: int | None = None,
    language: str = "en",
    stop: Event | None = None,
) -> Iterator[Row]:
    """Two models, by their names, on the held-out split of a dataset's version (the newest). Rows as eval_job."""
    version, stop = datasets.version_of(datasets.get(data).id, number), stop or Event()
    asked = list(islice(questions(row.example for row in datasets.rows(version, "validation")), most))
    if not asked:
        raise ForPerson(
            "This version holds nothing back to validate with: make one with a share.",
            spanish="Esta versión no aparta nada para validar: crea una con una parte.",
        )
    place = home / "evaluations" / version.label
    sides = list[list[Answered]]()
    for when, name in zip(_SIDES, (before, after), strict=True):
        speaker, file = Speaker(name, inference=GREEDY), place / f"{_safe(name)}.jsonl"
        sides.append((yield from _asked(models, speaker, asked, file, when, stop)))
    if stop.is_set():
        return
    found = compare(sides[0], sides[1], metrics)
    yield from (one.row() for one in found.rows)
    yield {"data": version.label, "before": before, "after": after, "metrics": _summary(found, language)}


_SIDES = ("before", "after")


def _tuned(job: Job) -> Speaker:
    adapter, whole = job.place / ADAPTER, job.place / MODEL
    if not adapter.is_dir() and not whole.is_dir():
        raise ForPerson(
            "This job has left no model behind yet.", spanish="Este trabajo todavía no ha dejado ningún modelo."
        )
    template = (adapter if adapter.is_dir() else whole) / "chat_template.jinja"
    words = template.read_text(encoding="utf-8") if template.is_file() else ""
    if adapter.is_dir():
        return Speaker(job.base, adapter, words, GREEDY)
    return Speaker(f"hf:{whole}", None, words, GREEDY)


def _base(job: Job, tuned: Speaker) -> Speaker:
    return replace(tuned, model=job.base, adapter=None)


def _held(job: Job, name: str) -> Iterator[Example]:
    file = job.place / name
    if file.is_file():
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                yield rows.from_row(json.loads(line))


def _asked(
    models: Models, speaker: Speaker, asked: Sequence[Question], file: Path, side: str, stop: Event
) -> Generator[Row, None, list[Answered]]:
    """Yields progress, returns the answers."""
    file.parent.mkdir(parents=True, exist_ok=True)
    found = list[Answered]()
    for one in answers(models, speaker, asked, file=file, stop=stop, total=len(asked)):
        found.append(one)
        yield {"done": len(found), "of": len(asked), "side": side, "prompt": one.prompt[-120:], "text": one.text[:200]}
    return found


def _summary(found: Comparison, language: str) -> list[Row]:
    return [{**one.row(), "message": one.said(language)} for one in found.summaries]


def _safe(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]
