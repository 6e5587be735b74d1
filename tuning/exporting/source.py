"""In: a job, or a version of a persona's model. Out: Source: what is exported, and all that its card tells of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.errors import ForPerson
from tuning.jobs import Job
from tuning.jobs.published import Publication
from tuning.jobs.publishing import facts, left
from tuning.training.folder import MODEL

MERGED = ("LORA", "IA3")  # kinds of adapters that go into the weights of a base


@dataclass(frozen=True, slots=True)
class Source:
    name: str  # "Marv"
    place: Path  # the adapter's folder, or the whole model's
    whole: bool
    base: str  # local:smollm2-135m
    system: str  # what it was taught to hear first; "" where nothing
    facts: Mapping[str, Any]  # publishing.facts; of an imported one what is known

    @property
    def kind(self) -> str:
        """PEFT's name of the adapter; "" of a whole model."""
        if self.whole:
            return ""
        try:
            said = json.loads((self.place / "adapter_config.json").read_text(encoding="utf-8"))
            return str(said.get("peft_type", "")).upper()
        except (OSError, ValueError, AttributeError):
            raise _gone(self.place) from None

    @property
    def template(self) -> str:
        """The chat template that is locked to it; "" where none came with it."""
        file = self.place / "chat_template.jinja"
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    @property
    def slug(self) -> str:
        """ "Doña Marta" → "dona-marta"."""
        from assistant.personas import handle

        return handle(self.name) or "model"


def of_job(job: Job) -> Source:
    """ForPerson where it has left nothing yet."""
    place = left(job)
    told = facts(job)
    return Source(job.name, place, place.name == MODEL, job.base, str(told["system"]), told)


def of_publication(one: Publication, name: str) -> Source:
    """ForPerson of a version without a model of its own, or whose files are gone."""
    place = one.place
    if place is None:
        raise ForPerson(
            f"Version {one.number} of {name} is the app's own model: there is nothing of it to export.",
            spanish=f"La versión {one.number} de {name} es el modelo de la aplicación: no hay nada que exportar.",
        )
    if not place.is_dir():
        raise _gone(place)
    lineage = one.lineage
    base = str(one.facts.get("base") or (lineage.base if lineage else "") or one.card.get("model", ""))
    return Source(name, place, one.whole, base, str(one.card.get("voice", "")), one.facts)


def _gone(place: Path) -> ForPerson:
    return ForPerson(
        f"The files of this model are gone ({place}): choose another version.",
        spanish=f"Los archivos de este modelo ya no están ({place}): elige otra versión.",
    )
