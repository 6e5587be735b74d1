"""In: a finished job, a persona's name. Out: a persona in the chat whose model is what was trained, with its lineage.

What was trained is copied out of the job's folder, so that the job may go; what the persona had before is kept as a
version (published.py). A gate looks at what was measured; passed in spite of it, the lineage says so.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from assistant.personas import Doubt, Lineage, Persona, Personas, Stored
from assistant.personas.files import checked
from tuning import rows
from tuning.errors import ForOperator, ForPerson
from tuning.jobs.evaluating import report
from tuning.jobs.jobs import Jobs
from tuning.jobs.published import Published
from tuning.jobs.values import Job
from tuning.training.folder import ADAPTER, MODEL, TRAIN, VALIDATION, Folder

PUBLISHED = "tuned"  # below the data folder
_WEIGHTS = ("weights", "format", "samples")  # settings that say nothing of the result, or where it was made


def publish(jobs: Jobs, personas: Personas, home: Path, number: int, name: str, *, anyway: bool = False) -> Stored:
    """A new persona, or the one of that name with this model from now on: its picture, greeting and documents stay.

    ForPerson where the job is not done, or what was measured speaks against it (`anyway`: all the same)."""
    job = jobs.get(number)
    if not job.ended_well:
        raise ForPerson(
            "Only a job that is done, or stopped with its best kept, can be published.",
            spanish="Solo se puede publicar un trabajo terminado, o detenido con lo mejor guardado.",
        )
    measured, against = evaluation(job), doubts(job)
    if against and not anyway:
        raise _refused(against[0])
    known = personas.named(name)
    checked({"name": name})  # before anything is copied
    place = _copied(job, home / PUBLISHED)
    card = _card(job, place, measured, against, known.persona if known else None)
    stored = Published(jobs.engine, personas).publish(name, "tuned", card, facts(job), job.id)
    jobs.published(number, stored.id, measured)
    return stored


def evaluation(job: Job) -> dict[str, Any]:
    """Loss on rows it did not learn from, before and after; what an evaluation added."""
    losses = [row["eval_loss"] for row in Folder(job.place).metrics() if isinstance(row.get("eval_loss"), float)]
    found = {"loss_before": losses[0], "loss_after": min(losses)} if losses else {}
    return {**{name: round(value, 4) for name, value in found.items()}, **dict(job.evaluation)}


def doubts(job: Job) -> tuple[Doubt, ...]:
    """What speaks against publishing it, as far as it was measured: the loss, then the evaluation's verdicts."""
    measured, found = evaluation(job), list[Doubt]()
    if "loss_after" in measured and measured["loss_after"] >= measured["loss_before"]:
        found.append("loss")
    made = report(job) or {}
    unseen = made.get("parts", {}).get("unseen", {}).get("metrics", [])
    if any(one.get("verdict") == "worse" for one in unseen[:1]):  # the first metric decides
        found.append("answers")
    if made.get("forgetting", {}).get("verdict") == "forgot":
        found.append("forgot")
    return tuple(found)


def facts(job: Job) -> dict[str, Any]:
    """What a model card tells, and the job's folder will not be there to say for ever."""
    made = report(job) or {}
    held = {
        f"{part} {one['metric']}": {side: one[side] for side in ("before", "after", "change")}
        for part, told in made.get("parts", {}).items()
        for one in told["metrics"]
    }
    return {
        "job": job.id,
        "name": job.name,
        "dataset": job.dataset,
        "fingerprint": job.fingerprint,
        "rows": {side.removesuffix(".jsonl"): _lines(job.place / side) for side in (TRAIN, VALIDATION)},
        "base": job.base,
        "method": job.method,
        "recipe": job.settings.get("recipe", ""),
        "settings": {name: value for name, value in job.settings.items() if name not in _WEIGHTS},
        "system": heard(job),
        "steps": job.state.best_step or job.state.step,
        "tokens": job.state.tokens,
        "seconds": round(job.state.seconds, 1),
        "measured": evaluation(job),
        "evaluation": held,
        "although": list(doubts(job)),
        "trained_at": job.state.updated,
    }


def heard(job: Job) -> str:
    """The system's words that most of its rows begin with: what it was tuned with is what it must hear."""
    said = Counter[str]()
    with (job.place / TRAIN).open(encoding="utf-8") as file:
        for line in file:
            said[rows.from_row(json.loads(line)).system] += 1
    return said.most_common(1)[0][0] if said else ""


def left(job: Job) -> Path:
    """What it has left: an adapter, or a whole model."""
    made = next((job.place / one for one in (ADAPTER, MODEL) if (job.place / one).is_dir()), None)
    if made is None:
        raise ForPerson(
            "This job has left no model behind: resume it.", spanish="Este trabajo no dejó ningún modelo: reanúdalo."
        )
    return made


_DOUBTS: Mapping[Literal["loss", "answers", "forgot"], tuple[str, str]] = {
    "loss": (
        "It did not learn: its loss on rows it has not seen did not fall. Train it longer or with other settings, "
        "or publish it all the same.",
        "No aprendió: su pérdida en filas que no vio no bajó. Entrénalo más o con otros ajustes, o publícalo de todos "
        "modos.",
    ),
    "answers": (
        "Its answers to questions it has not seen got worse. Train it with other settings, or publish it all the same.",
        "Sus respuestas a preguntas que no vio empeoraron. Entrénalo con otros ajustes, o publícalo de todos modos.",
    ),
    "forgot": (
        "It forgot what it knew before: its answers to general questions got worse. Train it less, or publish it all "
        "the same.",
        "Olvidó lo que sabía: sus respuestas a preguntas generales empeoraron. Entrénalo menos, o publícalo de todos "
        "modos.",
    ),
}


def _refused(doubt: Doubt) -> ForPerson:
    english, spanish = _DOUBTS[doubt]
    return ForPerson(english, spanish=spanish)


def _copied(job: Job, into: Path) -> Path:
    """The adapter, or the whole model, in a folder named after the job: published twice, it is copied once."""
    made = left(job)
    place = into / f"{job.place.name}-{made.name}"
    if place.is_dir():
        return place
    half = place.with_name(f".{place.name}.part")
    try:
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(made, half)
        half.rename(place)
    except OSError as error:
        shutil.rmtree(half, ignore_errors=True)
        raise ForOperator(
            f"{place} could not be written ({error.strerror}). Check the free space.",
            spanish=f"No se pudo escribir {place} ({error.strerror}). Comprueba el espacio libre.",
        ) from error
    return place


def _card(
    job: Job, place: Path, measured: Mapping[str, Any], against: tuple[Doubt, ...], known: Persona | None
) -> dict[str, Any]:
    """`known`: whose model changes; how it looks and what it may do stays."""
    template = place / "chat_template.jinja"
    whole = place.name.endswith(f"-{MODEL}")
    lineage = Lineage(
        dataset=f"{job.dataset} ({job.fingerprint[:16]})",
        base=job.base[:200],
        method=job.method,
        job=str(job.id),
        evaluation={key: value for key, value in measured.items() if isinstance(value, int | float)},
        trained_at=job.state.updated or datetime.now(UTC).isoformat(timespec="seconds"),
        although=against,
    )
    return {
        "picture": "🎓",
        "voice": known.voice if known and known.voice else heard(job),
        "model": f"hf:{place}" if whole else job.base,
        "adapter": "" if whole else str(place),
        "template": template.read_text(encoding="utf-8") if template.is_file() else "",
        "lineage": lineage.model_dump(mode="json"),
        "examples": [],  # it has learned them; in the prompt they would only cost time
    }


def _lines(file: Path) -> int:
    if not file.is_file():
        return 0
    with file.open("rb") as opened:
        return sum(1 for _ in opened)
