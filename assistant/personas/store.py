"""In: an SQL engine, cards. Out: the personas of one data folder, each by its number or its name.

A name is taken by one living persona at a time; case and accents do not matter. What is removed keeps its row, so that
it can be brought back and a chat that it spoke in still knows its name. Marv is put there at the very first start, and
is a persona like any other from then on. Knows nothing of models or pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from assistant.errors import ForPerson
from assistant.personas import mentions
from assistant.personas.card import Persona, handle
from assistant.store.tables import PersonaRow
from assistant.store.transactions import Transactions, now

OWN_NAME = "Afina"  # the assistant's: "who speaks" with no persona
NAME_CHARACTERS = 40  # as card.NAME has it


class UnknownPersona(ForPerson):
    pass


class NameTaken(ForPerson):
    pass


@dataclass(frozen=True, slots=True)
class Stored:
    id: int
    persona: Persona
    updated_at: datetime  # UTC

    @property
    def name(self) -> str:
        return self.persona.name

    @property
    def handle(self) -> str:
        return self.persona.handle


class Personas(Transactions):
    """Safe to call from any thread. Only the owner of the data folder may open it: opening migrates the tables."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._read_before: dict[int, Stored] = {}  # a card may carry a picture: parsed again only when it changed
        self._ship()

    def all(self) -> list[Stored]:
        """In the order of their making."""
        living = PersonaRow.deleted_at.is_(None)
        with self._read() as session:
            found = session.execute(
                select(PersonaRow.id, PersonaRow.updated_at).where(living).order_by(PersonaRow.id)
            ).all()
            return [one for id_, at in found if (one := self._stored(session, id_, at)) is not None]

    def get(self, id_: int) -> Stored:
        """Raises UnknownPersona, also for one that was removed."""
        with self._read() as session:
            return _stored(_living(session, id_))

    def named(self, name: str) -> Stored | None:
        """By its name as anyone would type it: "Doña Marta", "dona-marta", "@DOÑA MARTA"."""
        wanted = handle(name)
        return next((one for one in self.all() if one.handle == wanted), None)

    def mentioned(self, text: str) -> tuple[Stored | None, str]:
        """Who is named with @ in a message, and the message as that persona should read it; see `mentions`."""
        if "@" not in text:
            return None, text
        known: Mapping[str, Stored] = {one.handle: one for one in self.all()}
        found = mentions.find(text, {key: one.name for key, one in known.items()})
        return (known[found.handle], found.text) if found else (None, text)

    def add(self, card: Persona) -> Stored:
        """Raises NameTaken."""
        with self._write() as (session, _):
            _is_free(session, card.name)
            return _put(session, card)

    def change(self, id_: int, card: Persona) -> Stored:
        """The whole card anew. Raises NameTaken, UnknownPersona."""
        with self._write() as (session, _):
            row = _living(session, id_)
            _is_free(session, card.name, but=id_)
            row.handle, row.card, row.updated_at = card.handle, card.plain(), now()
            return _stored(row)

    def duplicate(self, id_: int, name: str = "") -> Stored:
        """A copy, called `name` or "Marv 2". Raises NameTaken, UnknownPersona."""
        with self._write() as (session, _):
            card = _stored(_living(session, id_)).persona
            if name:
                _is_free(session, name)
            return _put(session, renamed(card, name or _free(session, card.name)))

    def bring_in(self, card: Persona) -> Stored:
        """A card from elsewhere: where its name is taken it comes in as "Marv 2"."""
        with self._write() as (session, _):
            return _put(session, renamed(card, _free(session, card.name)))

    def remove(self, id_: int) -> Stored:
        """Out of sight, until `restore`. Returns what was removed."""
        with self._write() as (session, _):
            row = _living(session, id_)
            row.deleted_at = now()
            return _stored(row)

    def restore(self, id_: int) -> Stored:
        """Undo `remove`. Where the name was taken meanwhile it comes back as "Marv 2"."""
        with self._write() as (session, _):
            row = session.get(PersonaRow, id_)
            if row is None:
                raise unknown_persona(id_)
            if row.deleted_at is not None:
                card = _stored(row).persona
                card = renamed(card, _free(session, card.name))
                row.handle, row.card, row.deleted_at, row.updated_at = card.handle, card.plain(), None, now()
            return _stored(row)

    def removed(self, name: str = "") -> list[Stored]:
        """What can be restored, the last one first; `name`: only those called so."""
        query = select(PersonaRow).where(PersonaRow.deleted_at.is_not(None))
        if name:
            query = query.where(PersonaRow.handle == handle(name))
        with self._read() as session:
            rows = session.scalars(query.order_by(PersonaRow.deleted_at.desc(), PersonaRow.id.desc()))
            return [_stored(row) for row in rows]

    def _ship(self) -> None:
        """Marv, where no persona ever was: a row is never purged, so this happens once."""
        with self._read() as session:
            if session.scalar(select(PersonaRow.id).limit(1)) is not None:
                return
        with self._write() as (session, _):
            if session.scalar(select(PersonaRow.id).limit(1)) is None:
                _put(session, marv())

    def _stored(self, session: Session, id_: int, updated_at: datetime) -> Stored | None:
        before = self._read_before.get(id_)
        if before is not None and before.updated_at == updated_at:
            return before
        row = session.get(PersonaRow, id_)
        if row is None or row.deleted_at is not None:  # removed while this was read
            return None
        self._read_before[id_] = found = _stored(row)
        return found


@cache
def marv() -> Persona:
    """The persona that ships."""
    return Persona.model_validate_json((Path(__file__).parent / "marv.json").read_bytes())


def renamed(card: Persona, name: str) -> Persona:
    """The same card under another name, checked like a new one."""
    return Persona.model_validate({**card.model_dump(), "name": name})


def unknown_persona(who: int | str) -> UnknownPersona:
    return UnknownPersona(
        f"There is no persona {who} here: it may have been removed. Choose another one.",
        spanish=f"Aquí no hay ningún personaje {who}: quizá se quitó. Elige otro.",
    )


def _put(session: Session, card: Persona) -> Stored:
    time = now()
    row = PersonaRow(handle=card.handle, card=card.plain(), created_at=time, updated_at=time)
    session.add(row)
    session.flush()
    return _stored(row)


def _living(session: Session, id_: int) -> PersonaRow:
    row = session.get(PersonaRow, id_)
    if row is None or row.deleted_at is not None:
        raise unknown_persona(id_)
    return row


def _taken(session: Session, but: int = 0) -> set[str]:
    living = PersonaRow.deleted_at.is_(None), PersonaRow.id != but
    return {handle(OWN_NAME), *session.scalars(select(PersonaRow.handle).where(*living))}


def _is_free(session: Session, name: str, but: int = 0) -> None:
    if handle(name) == handle(OWN_NAME):
        raise NameTaken(
            f"{OWN_NAME} is the assistant's own name: choose another one.",
            spanish=f"{OWN_NAME} es el nombre de la propia asistente: elige otro.",
        )
    if handle(name) in _taken(session, but):
        raise NameTaken(
            f"There is a persona called {name} already: choose another name.",
            spanish=f"Ya hay un personaje llamado {name}: elige otro nombre.",
        )


def _free(session: Session, name: str) -> str:
    """`name`, or with the next number that is free: "Marv 2"."""
    taken = _taken(session)
    if handle(name) not in taken:
        return name
    base, _, last = name.rpartition(" ")
    base, number = (base, int(last)) if base and last.isdecimal() and len(last) < 6 else (name, 1)
    while True:
        number += 1
        further = f"{base[: NAME_CHARACTERS - len(str(number)) - 1].rstrip()} {number}"
        if handle(further) not in taken:
            return further


def _stored(row: PersonaRow) -> Stored:
    return Stored(row.id, Persona.model_validate(row.card), row.updated_at)
