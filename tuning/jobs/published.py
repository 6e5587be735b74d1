"""In: personas, a model for one of them. Out: that persona with this model, and every model it had.

Which version speaks now is read off the persona's own card, so there is one truth: what the chat asks at the next
message. What a person has changed on a card by hand (a voice, another model) is kept before it gives way, so a way
back is always there. Knows nothing of torch, jobs or pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from assistant.personas import Lineage, Persona, Personas, Stored
from assistant.personas.files import adapter_problem, checked
from assistant.personas.store import unknown_persona
from assistant.store.transactions import now
from tuning.errors import ForPerson
from tuning.store.tables import PublishedRow
from tuning.store.transactions import Transactions

Kind = Literal["tuned", "imported", "written"]
FIELDS = ("voice", "model", "adapter", "template", "examples", "lineage")  # of a card: what makes it speak so
FOLDER = "hf:"  # how a card names a whole model in a folder


@dataclass(frozen=True, slots=True)
class Publication:
    """One version of a persona's model."""

    persona: int
    number: int
    kind: Kind
    card: Mapping[str, Any]  # FIELDS
    facts: Mapping[str, Any]  # for a model card: see exporting.facts
    job: int | None  # which may be gone
    created_at: datetime  # UTC
    current: bool = False

    @property
    def lineage(self) -> Lineage | None:
        given = self.card.get("lineage")
        return Lineage.model_validate(given) if given else None

    @property
    def place(self) -> Path | None:
        """Its folder; None where it is the app's own model, or one that is elsewhere."""
        return place_of(str(self.card.get("adapter", "")), str(self.card.get("model", "")))

    @property
    def whole(self) -> bool:
        return not self.card.get("adapter")


class Published(Transactions):
    """Safe to use from any thread."""

    def __init__(self, engine: Engine, personas: Personas) -> None:
        super().__init__(engine)
        self.personas = personas

    def of(self, persona: int) -> list[Publication]:
        """The newest first."""
        card = self.personas.get(persona).persona
        with self._read() as session:
            rows = self._rows(session, persona)
            speaks = _speaking(rows, card)
            return [_publication(row, row is speaks) for row in rows]

    def all(self) -> list[tuple[Stored, list[Publication]]]:
        """Every persona that has versions, with them."""
        with self._read() as session:
            known = set(session.scalars(select(PublishedRow.persona_id).distinct()))
        return [(one, self.of(one.id)) for one in self.personas.all() if one.id in known]

    def get(self, persona: int, number: int | None = None) -> Publication:
        """By its number; without one, what speaks now."""
        found = self.of(persona)
        for one in found:
            if one.number == number or (number is None and one.current):
                return one
        raise self._unknown(found, number)

    def publish(
        self, name: str, kind: Kind, card: Mapping[str, Any], facts: Mapping[str, Any], job: int | None = None
    ) -> Stored:
        """A new persona, or the one of that name with these FIELDS from now on. The same model again is no new version.

        `card`: FIELDS, and of a new persona how it looks. BadCard, NameTaken."""
        known = self.personas.named(name)
        looks = known.persona.plain() if known else {**card, "name": name}
        made = checked({**_looks(looks), **_fields(card)})
        if known:
            self._keep(known)
        stored = self.personas.change(known.id, made) if known else self.personas.add(made)
        with self._write() as session:
            rows = self._rows(session, stored.id)
            row = _speaking(rows, made)
            if row is None:
                row = PublishedRow(persona_id=stored.id, number=_next(rows))
                session.add(row)
            row.kind, row.card, row.facts, row.job_id, row.created_at = kind, _of(made), dict(facts), job, now()
        return stored

    def go_to(self, persona: int, number: int | None = None) -> Publication:
        """Back (or forward) to a version; without a number, to the one before what speaks now.

        The next message is answered by it. ForPerson where there is none, or its files are gone."""
        one = self.personas.get(persona)
        self._keep(one)
        found = self.of(persona)
        current = next((each for each in found if each.current), None)
        if number is None:
            before = [each for each in found if current is None or each.number < current.number]
            if not before:
                raise ForPerson(
                    f"{one.name} has no earlier version to go back to.",
                    spanish=f"{one.name} no tiene ninguna versión anterior a la que volver.",
                )
            wanted = before[0]
        else:
            wanted = self.get(persona, number)
        _is_there(wanted)
        self.personas.change(persona, checked({**_looks(one.persona.plain()), **wanted.card}))
        return self.get(persona, wanted.number)

    def named(self, name: str) -> Stored:
        found = self.personas.named(name)
        if found is None:
            raise unknown_persona(repr(name))
        return found

    def _keep(self, one: Stored) -> None:
        """What speaks now, as its card says it now: a version as it was edited, or a new one."""
        with self._write() as session:
            rows = self._rows(session, one.id)
            row = _speaking(rows, one.persona)
            if row is not None:
                row.card = _of(one.persona)
            else:
                session.add(
                    PublishedRow(
                        persona_id=one.id, number=_next(rows), kind="written", card=_of(one.persona), facts={},
                        created_at=one.updated_at,
                    )
                )  # fmt: skip

    @staticmethod
    def _rows(session: Session, persona: int) -> list[PublishedRow]:
        mine = select(PublishedRow).where(PublishedRow.persona_id == persona)
        return list(session.scalars(mine.order_by(PublishedRow.number.desc())))

    @staticmethod
    def _unknown(found: list[Publication], number: int | None) -> ForPerson:
        known = ", ".join(str(one.number) for one in found[::-1])
        what, spanish = (
            ("that version", "esa versión") if number is None else (f"version {number}", f"versión {number}")
        )
        if not known:
            return ForPerson(
                "Nothing was published as this persona yet: publish a job, or import a model.",
                spanish="Aún no se ha publicado nada como este personaje: publica un trabajo o importa un modelo.",
            )
        return ForPerson(
            f"There is no {what} of this persona: choose among {known}.",
            spanish=f"Este personaje no tiene {spanish}: elige entre {known}.",
        )


def place_of(adapter: str, model: str) -> Path | None:
    if adapter:
        return Path(adapter)
    folder = Path(model.removeprefix(FOLDER))
    return folder if model.startswith(FOLDER) and folder.is_absolute() else None


def _is_there(one: Publication) -> None:
    if problem := adapter_problem(str(one.card.get("adapter", ""))):
        raise ForPerson(problem.english, spanish=problem.spanish)
    if one.place is not None and not one.place.is_dir():
        raise ForPerson(
            f"The files of version {one.number} are gone ({one.place}): choose another version.",
            spanish=f"Los archivos de la versión {one.number} ya no están ({one.place}): elige otra versión.",
        )


def _fields(card: Mapping[str, Any]) -> dict[str, Any]:
    return {name: card[name] for name in FIELDS if name in card}


def _looks(card: Mapping[str, Any]) -> dict[str, Any]:
    """What of a card stays as it is, whatever model it has."""
    return {name: value for name, value in card.items() if name not in FIELDS}


def _of(card: Persona) -> dict[str, Any]:
    return _fields(card.plain())


def _speaking(rows: list[PublishedRow], card: Persona) -> PublishedRow | None:
    now_ = (card.model, card.adapter)
    return next((row for row in rows if (row.card.get("model", ""), row.card.get("adapter", "")) == now_), None)


def _next(rows: list[PublishedRow]) -> int:
    return max((row.number for row in rows), default=0) + 1


def _publication(row: PublishedRow, current: bool) -> Publication:
    kind: Kind = row.kind  # type: ignore[assignment]  # written by this file alone
    return Publication(row.persona_id, row.number, kind, row.card, row.facts, row.job_id, row.created_at, current)
