"""In: a job that is done, or two models. Out: rows: their answers to questions nobody trained on, compared.

The answers lie beside the job, one file a side: an evaluation that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from pathlib import Path
from threading import Event

from pydantic import ValidationError

from assistant.models import Models
from assistant.models.inference import Inference
from tuning.datasets import Datasets
from tuning.errors import ForPerson
from tuning.evaluation.compare import compare
from tuning.evaluation.run import Speaker, answers
from tuning.evaluation.values import Answered, Question, questions
from tuning.jobs import Jobs
from tuning.jobs.evaluating import METRICS, PARTS, SIDES, Plan, evaluate, measured, summaries
from tuning.verbs.rows import Row

GREEDY = Inference(temperature=0.0, max_tokens=80)


def eval_job(
    jobs: Jobs,
    models: Models,
    weights: Path,
    *,
    number: int,
    metrics: Sequence[str] = METRICS,
    parts: Sequence[str] = PARTS,
    most: int = 20,
    tokens: int = 80,
    judge: str = "",
    language: str = "en",
    stop: Event | None = None,
) -> Iterator[Row]:
    """A job's model against its base: on rows held out, on some it learned from, on general questions (`parts`).

    {done, of, part, side, prompt, text, seconds_left} as they come, {part, key, prompt, reference, before, after,
    scores, change} per question, the largest gain first, then {number, parts: {unseen: [{metric, before, after, change,
    verdict, message}]}, foreseen: [perplexity, token_accuracy], learning, forgetting, judge}; kept with the job."""
    plan, stop = _plan(metrics=metrics, parts=parts, most=most, tokens=tokens, judge=judge), stop or Event()
    made = yield from evaluate(jobs.get(number), models, weights, plan, stop)
    if made is None:
        return
    jobs.evaluated(number, measured(made))
    for part, told in made["parts"].items():
        yield from ({"part": part, **row} for row in told["rows"])
    told = {part: _messages(told["metrics"], language) for part, told in made["parts"].items()}
    row: Row = {"number": number, "parts": told, "foreseen": _messages(made.get("foreseen", []), language)}
    for name in ("learning", "forgetting", "judge"):
        if made.get(name):
            row[name] = {**made[name], "message": made[name][language]}
    yield row


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
    """Two models, by their names, on the held-out split of a dataset's version (the newest). {done, of, side, …} as
    they come, a row per question, then {data, before, after, metrics}."""
    version, stop = datasets.version_of(datasets.get(data).id, number), stop or Event()
    asked = list(islice(questions(row.example for row in datasets.rows(version, "validation")), most))
    if not asked:
        raise ForPerson(
            "This version holds nothing back to validate with: make one with a share.",
            spanish="Esta versión no aparta nada para validar: crea una con una parte.",
        )
    place = home / "evaluations" / version.label
    sides = list[list[Answered]]()
    for when, name in zip(SIDES, (before, after), strict=True):
        speaker, file = Speaker(name, inference=GREEDY), place / f"{_safe(name)}.jsonl"
        sides.append((yield from _asked(models, speaker, asked, file, when, stop)))
    if stop.is_set():
        return
    found = compare(sides[0], sides[1], metrics)
    yield from (one.row() for one in found.rows)
    told = _messages(summaries(found), language)
    yield {"data": version.label, "before": before, "after": after, "metrics": told}


def _plan(**given: object) -> Plan:
    try:
        return Plan.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise ForPerson(
            f"It cannot be evaluated like this ({what}).", spanish=f"No se puede evaluar así ({what})."
        ) from None


def _messages(told: Sequence[Row], language: str) -> list[Row]:
    kept = ("metric", "before", "after", "change", "better", "worse", "same", "p", "verdict")
    return [{**{name: one[name] for name in kept}, "message": one["said"][language]} for one in told]


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


def _safe(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]
