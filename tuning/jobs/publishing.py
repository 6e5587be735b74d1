"""In: a finished job, a persona's name. Out: a persona in the chat whose model is what was trained, with its lineage.

What was trained is copied out of the job's folder, so that the job may go. Publishing an earlier job under the same
name is the way back.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.personas import Lineage, Persona, Personas, Stored
from assistant.personas.files import checked
from tuning import rows
from tuning.errors import ForOperator, ForPerson
from tuning.jobs.jobs import Jobs
from tuning.jobs.values import Job
from tuning.training.folder import ADAPTER, MODEL, TRAIN, Folder, Status

PUBLISHED = "tuned"  # below the data folder


def publish(jobs: Jobs, personas: Personas, home: Path, number: int, name: str, *, anyway: bool = False) -> Stored:
    """A new persona, or the one of that name with this model from now on: its picture, greeting and documents stay.

    ForPerson where the job is not done, or its loss on the validation rows did not fall (`anyway`: all the same)."""
    job = jobs.get(number)
    if job.state.status is not Status.DONE:
        raise ForPerson(
            "Only a job that is done can be published.", spanish="Solo se puede publicar un trabajo terminado."
        )
    measured = evaluation(job)
    if not anyway:
        _gate(measured)
    place = _copied(job, home / PUBLISHED)
    known = personas.named(name)
    card = _card(job, place, name, measured, known.persona if known else None)
    stored = personas.change(known.id, card) if known else personas.add(card)
    jobs.published(number, stored.id, measured)
    return stored


def evaluation(job: Job) -> dict[str, float]:
    """Loss on rows it did not learn from, before and after; what an evaluation added."""
    losses = [row["eval_loss"] for row in Folder(job.place).metrics() if isinstance(row.get("eval_loss"), float)]
    found = {"loss_before": losses[0], "loss_after": min(losses)} if losses else {}
    return {**{name: round(value, 4) for name, value in found.items()}, **dict(job.evaluation)}


def _gate(measured: dict[str, float]) -> None:
    if "loss_after" in measured and measured["loss_after"] >= measured["loss_before"]:
        raise ForPerson(
            "It did not learn: its loss on rows it has not seen did not fall. Train it longer or with other settings, "
            "or publish it all the same.",
            spanish="No aprendió: su pérdida en filas que no vio no bajó. Entrénalo más o con otros ajustes, o "
            "publícalo de todos modos.",
        )


def _copied(job: Job, into: Path) -> Path:
    """The adapter, or the whole model, in a folder named after the job: published twice, it is copied once."""
    made = next((job.place / one for one in (ADAPTER, MODEL) if (job.place / one).is_dir()), None)
    if made is None:
        raise ForPerson(
            "This job has left no model behind: resume it.", spanish="Este trabajo no dejó ningún modelo: reanúdalo."
        )
    place = into / f"{job.place.name}-{made.name}"
    if place.is_dir():
        return place
    half = place.with_name(f".{place.name}.part")
    try:
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(made, half)
        half.rename(place)
    except OSError as error:
        raise ForOperator(
            f"{place} could not be written ({error.strerror}). Check the free space.",
            spanish=f"No se pudo escribir {place} ({error.strerror}). Comprueba el espacio libre.",
        ) from error
    return place


def _card(job: Job, place: Path, name: str, measured: dict[str, Any], known: Persona | None) -> Persona:
    """`known`: whose model changes; how it looks and what it may do stays."""
    template = place / "chat_template.jinja"
    whole = place.name.endswith(f"-{MODEL}")
    lineage = Lineage(
        dataset=f"{job.dataset} ({job.fingerprint[:16]})",
        base=job.base,
        method=job.method,
        job=str(job.id),
        evaluation={key: value for key, value in measured.items() if isinstance(value, int | float)},
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    voice = known.voice if known and known.voice else heard(job)
    kept = known.plain() if known else {"name": name, "picture": "🎓"}
    fields = {
        "voice": voice,
        "model": f"hf:{place}" if whole else job.base,
        "adapter": "" if whole else str(place),
        "template": template.read_text(encoding="utf-8") if template.is_file() else "",
        "lineage": lineage.model_dump(),
        "examples": [],  # it has learned them; in the prompt they would only cost time
    }
    return checked({**kept, **fields})


def heard(job: Job) -> str:
    """The system's words that most of its rows begin with: what it was tuned with is what it must hear."""
    said = Counter[str]()
    with (job.place / TRAIN).open(encoding="utf-8") as file:
        for line in file:
            said[rows.from_row(json.loads(line)).system] += 1
    return said.most_common(1)[0][0] if said else ""
