"""In: a job that has left a model, a plan. Out: rows as answers come; a report, kept in the job's folder.

    JOB/evaluation/plan.json                      what was asked for; without a report of it, it was broken off
    JOB/evaluation/unseen-before-3f9a1c2b.jsonl   answers: of a part, a side, a speaker; none is asked for twice
    JOB/evaluation/report.json                    what came of it

unseen     rows that were held out: answered, and how well they were foreseen
trained    rows it learned from: learned, or learned by heart?
general    questions that have nothing to do with the dataset: what was forgotten
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.models import Models
from assistant.models.inference import Inference
from tuning import rows
from tuning.counting.tokens import Counter
from tuning.counting.vocabularies import Tokenizers
from tuning.errors import ForPerson, TuningError
from tuning.evaluation import foreseeing, general
from tuning.evaluation.compare import Comparison, compare
from tuning.evaluation.judge import ModelJudge, judged, outcome
from tuning.evaluation.learning import forgetting, learning
from tuning.evaluation.metrics import metrics as known_metrics
from tuning.evaluation.run import Speaker, answers, asking, bare, read
from tuning.evaluation.values import Answered, Question, questions
from tuning.jobs.values import Job
from tuning.training.folder import ADAPTER, MODEL, TRAIN, VALIDATION, written
from tuning.values import Example

Row = dict[str, Any]
Part = Literal["unseen", "trained", "general"]
PARTS: tuple[Part, ...] = ("unseen", "trained", "general")
SIDES = ("before", "after")
METRICS = ("rouge1", "rougeL", "chrf")
FOLDER, PLAN, REPORT = "evaluation", "plan.json", "report.json"
SHORT = 32  # tokens of an answer to a general question, at most


class Plan(BaseModel):
    """What is asked and measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metrics: tuple[str, ...] = Field(default=METRICS, min_length=1, max_length=20)  # the first one decides
    parts: tuple[Part, ...] = Field(default=PARTS, min_length=1)
    most: int = Field(default=20, ge=1, le=10_000)  # questions of a part
    tokens: int = Field(default=80, ge=1, le=4_000)  # of an answer
    judge: str = Field(default="", max_length=4_000)  # a model that is asked which answer is better; "": none


@dataclass(slots=True)
class _Clock:
    """How long what is still to be asked will take, by what was asked."""

    of: int
    new: int  # of these, not answered before
    began: float = field(default_factory=time.monotonic)
    done: int = 0
    asked: int = 0

    def left(self) -> float | None:
        spent = time.monotonic() - self.began
        return round(spent / self.asked * (self.new - self.asked), 1) if self.asked else None


def evaluate(job: Job, models: Models, weights: Path, plan: Plan, stop: Event) -> Generator[Row, None, Row | None]:
    """Yields {done, of, part, side, prompt, text, seconds_left} per answer; returns the report, None once stopped.

    ForPerson where the job has left no model, a metric is not known or nothing was held out."""
    known_metrics(plan.metrics)
    tuned = speaker(job, plan.tokens)
    base = bare(replace(tuned, model=job.base, adapter=None), weights)
    asked = {part: _questions(job, part, plan.most) for part in plan.parts}
    if "unseen" in asked and not asked["unseen"]:
        raise ForPerson(
            "There are no held-out questions: make a version with a share to validate with.",
            spanish="No hay preguntas apartadas: crea una versión con una parte para validar.",
        )
    place = job.place / FOLDER
    place.mkdir(exist_ok=True)
    written(place / PLAN, plan.model_dump_json())
    turns = [
        (part, side, one, place / f"{part}-{side}-{_tag(one)}.jsonl")
        for part in plan.parts
        for side, one in zip(SIDES, (_short(base, part), _short(tuned, part)), strict=True)
    ]
    known = {file: _kept(file) for *_, file in turns}
    new = sum(one.key not in known[file] for part, *_, file in turns for one in asked[part])
    clock, found = _Clock(2 * sum(map(len, asked.values())), new), dict[tuple[str, str], list[Answered]]()
    for part, side, one, file in turns:
        heard = answers(models, one, asked[part], file=file, stop=stop, total=len(asked[part]))
        found[part, side] = yield from _heard(heard, part, side, known[file], clock)
    told = yield from _foreseen(job, models, (base, tuned), plan, Tokenizers(weights).counter(job.base), clock, stop)
    if stop.is_set():
        return None
    report = summed(plan, found) | {"foreseen": told}
    if plan.judge:
        report["judge"] = yield from _judge(
            models, plan.judge, found["unseen", "before"], found["unseen", "after"], stop
        )
        if stop.is_set():
            return None
    written(place / REPORT, json.dumps(report, ensure_ascii=False))
    return report


def report(job: Job) -> Row | None:
    """The newest; None where there is none, or it can no longer be read."""
    with suppress(OSError, ValueError):
        row = json.loads((job.place / FOLDER / REPORT).read_text(encoding="utf-8"))
        if isinstance(row, dict) and row.get("format") == _FORMAT:
            return row
    return None


def broken_off(job: Job) -> Plan | None:
    """The plan of an evaluation that was stopped, or that ended with the app."""
    place = job.place / FOLDER
    try:
        plan = Plan.model_validate_json((place / PLAN).read_bytes())
    except (OSError, ValidationError):
        return None
    done = place / REPORT
    return None if done.exists() and done.stat().st_mtime_ns >= (place / PLAN).stat().st_mtime_ns else plan


def measured(made: Row) -> Row:
    """{unseen_rouge1_before: 0.21, …, learning: "learned", forgetting: "kept"}: what is kept with the job."""
    found: Row = {
        f"{part}_{one['metric']}_{side}": one[side]["value"]
        for part, told in made["parts"].items()
        for one in told["metrics"]
        for side in SIDES
        if one[side]["value"] is not None
    }
    for one in made.get("foreseen", []):
        sides = {side: one[side]["value"] for side in SIDES if one[side]["value"] is not None}
        found |= {f"unseen_{one['metric']}_{side}": value for side, value in sides.items()}
    return found | {name: made[name]["verdict"] for name in ("learning", "forgetting") if made.get(name)}


def speaker(job: Job, tokens: int) -> Speaker:
    """What the job has left behind. ForPerson where that is nothing yet."""
    adapter, whole = job.place / ADAPTER, job.place / MODEL
    if not adapter.is_dir() and not whole.is_dir():
        raise ForPerson(
            "This job has left no model behind yet.", spanish="Este trabajo todavía no ha dejado ningún modelo."
        )
    template = (adapter if adapter.is_dir() else whole) / "chat_template.jinja"
    words = template.read_text(encoding="utf-8") if template.is_file() else ""
    greedy = Inference(temperature=0.0, max_tokens=tokens)
    if adapter.is_dir():
        return Speaker(job.base, adapter, words, greedy)
    return Speaker(f"hf:{whole}", None, words, greedy)


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _questions(job: Job, part: Part, most: int) -> list[Question]:
    """At most so many, from all over the rows."""
    if part == "general":
        return list(general.questions())[: max(1, most * 3)]
    found = list(questions(_examples(job.place / (TRAIN if part == "trained" else VALIDATION))))
    return found if len(found) <= most else [found[at * len(found) // most] for at in range(most)]


def _examples(file: Path) -> Iterator[Example]:
    if file.is_file():
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                yield rows.from_row(json.loads(line))


def _short(one: Speaker, part: Part) -> Speaker:
    if part != "general":
        return one
    most = min(SHORT, one.inference.max_tokens or SHORT)
    return replace(one, inference=one.inference.model_copy(update={"max_tokens": most}))


def _tag(one: Speaker) -> str:
    """Another model, other weights, another length: another file."""
    told = [one.model, one.template, one.inference.model_dump_json()]
    for folder in (one.adapter, Path(one.model.removeprefix("hf:"))):
        if folder is not None and folder.is_dir():
            told += [f"{file.name} {file.stat().st_mtime_ns}" for file in sorted(folder.glob("*.safetensors"))]
    return hashlib.sha256("\n".join(told).encode("utf-8", "replace")).hexdigest()[:8]


def _kept(file: Path) -> set[str]:
    with suppress(TuningError):
        return {one.key for one in read(file)} if file.exists() else set()
    return set()


def _heard(
    told: Iterator[Answered], part: Part, side: str, known: set[str], clock: _Clock
) -> Generator[Row, None, list[Answered]]:
    found = list[Answered]()
    for one in told:
        found.append(one)
        clock.done += 1
        clock.asked += one.key not in known
        yield {
            "done": clock.done, "of": clock.of, "part": part, "side": side, "prompt": one.prompt[-120:],
            "text": one.text[:200], "seconds_left": clock.left(),
        }  # fmt: skip
    return found


def _foreseen(
    job: Job, models: Models, sides: tuple[Speaker, Speaker], plan: Plan, counter: Counter, clock: _Clock, stop: Event
) -> Generator[Row, None, list[Row]]:
    """Perplexity and token accuracy on held-out rows; [] where the model does not tell how likely a text is."""
    if "unseen" not in plan.parts:
        return []
    some, found = list(_examples(job.place / VALIDATION)), list[Mapping[str, foreseeing.Foreseen]]()
    some = some if len(some) <= plan.most else [some[at * len(some) // plan.most] for at in range(plan.most)]
    for side, one in zip(SIDES, sides, strict=True):
        steps = foreseeing.foreseen(models, one, counter, some, stop)
        told = {"done": clock.done, "of": clock.of, "part": "unseen", "side": side, "prompt": "", "text": ""}
        found.append((yield from _counted(steps, {**told, "seconds_left": None}, len(some))))
    return [
        {**one.row(), "title": _both(one.title), "said": _both(one.said)} for one in foreseeing.told(found[0], found[1])
    ]


def _counted(
    steps: Generator[int, None, dict[str, foreseeing.Foreseen]], told: Row, of: int
) -> Generator[Row, None, dict[str, foreseeing.Foreseen]]:
    """Something to be seen where there are many."""
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            return dict(end.value)
        if done < of:
            yield told


# ── telling ──────────────────────────────────────────────────────────────────────────────────────────────────────────

_FORMAT = "afina-evaluation/1"


def summed(plan: Plan, found: Mapping[tuple[str, str], Sequence[Answered]]) -> Row:
    """A report. `found`: (part, side) → its answers."""
    made: Row = {"format": _FORMAT, "made": datetime.now(UTC).isoformat(timespec="seconds"), "parts": {}}
    made["plan"] = plan.model_dump(mode="json")
    for part in plan.parts:
        names = ("contained", "rouge1") if part == "general" else plan.metrics
        both_sides = compare(found[part, "before"], found[part, "after"], names)
        made["parts"][part] = {"metrics": summaries(both_sides), "rows": [one.row() for one in both_sides.rows]}
    both = [tuple(found[part, side] for side in SIDES) for part in ("trained", "unseen") if part in plan.parts]
    if len(both) == 2:
        made["learning"] = _said(learning(both[0], both[1], plan.metrics[0]))  # type: ignore[arg-type]  # pairs
    if "general" in plan.parts:
        made["forgetting"] = _said(forgetting(found["general", "before"], found["general", "after"]))
    return made


def summaries(found: Comparison) -> list[Row]:
    """Each metric in sum, with its title and what it comes to, in both languages."""
    return [
        {**one.row(), "share": one.metric.share, "title": _both(one.metric.title), "said": _both(one.said)}
        for one in found.summaries
    ]


def _judge(
    models: Models, name: str, before: Sequence[Answered], after: Sequence[Answered], stop: Event
) -> Generator[Row, None, Row]:
    judge = ModelJudge(asking(models, Speaker(name, inference=Inference(temperature=0.0, max_tokens=200)), stop))
    found = []
    for one in judged(judge, before, after, stop.is_set):
        found.append(one)
        yield {
            "done": len(found),
            "of": len(after),
            "part": "unseen",
            "side": "judge",
            "prompt": "",
            "text": one.winner,
        }
    told = outcome(found)
    return {
        "model": name,
        "wins": told.sign.better,
        "losses": told.sign.worse,
        "ties": told.sign.same,
        **_both(told.said),
    }


def _said(found: Any) -> Row:
    return {"verdict": found.verdict, **_both(found.said)}


def _both(said: Any) -> dict[str, str]:
    return {language: said(language) for language in ("en", "es")}
