"""In: names, notes, an engine, the chats. Out: datasets. Looks for deleted chats before anything is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from assistant.history import History
from assistant.store.transactions import now
from tuning.datasets import reading
from tuning.datasets.values import Dataset
from tuning.errors import ForPerson
from tuning.store.tables import ClockRow, DatasetRow, EditRow, ExampleRow, ImportRow, VersionRow
from tuning.store.transactions import Transactions

NAME = re.compile(r"[^\W_][\w.-]{0,59}")  # of files too: letters, digits, dot, hyphen, underscore


class UnknownDataset(ForPerson):
    pass


class UnknownExample(ForPerson):
    pass


class Drafts(Transactions):
    def __init__(self, engine: Any, history: History | None = None) -> None:
        """`history`: whose chats the examples come from; without it none is ever withdrawn."""
        super().__init__(engine)
        self._history = history
        self._undo_broken_imports()

    def create(self, name: str, note: str = "", licence: str = "") -> Dataset:
        """ForPerson where the name is taken or none."""
        name = checked_name(name)
        with self._write() as session:
            self._free(session, name)
            row = DatasetRow(name=name, note=note, licence=licence, recipe=[], created_at=now(), updated_at=now())
            session.add(row)
            session.flush()
            return reading.dataset(row, {}, 0)

    def all(self) -> list[Dataset]:
        """By name."""
        self.withdraw()
        with self._read() as session:
            counts, versions = reading.counts(session), self._versions(session)
            found = session.scalars(select(DatasetRow).where(DatasetRow.deleted_at.is_(None)).order_by(DatasetRow.name))
            return [reading.dataset(row, counts.get(row.id, {}), versions.get(row.id, 0)) for row in found]

    def get(self, which: int | str) -> Dataset:
        """By its number or its name."""
        self.withdraw()
        with self._read() as session:
            row = self._dataset(session, which)
            return reading.dataset(row, reading.counts(session).get(row.id, {}), self._versions(session).get(row.id, 0))

    def find(self, name: str) -> Dataset | None:
        try:
            return self.get(name)
        except UnknownDataset:
            return None

    def change(
        self, dataset: int, *, name: str | None = None, note: str | None = None, licence: str | None = None
    ) -> Dataset:
        with self._write() as session:
            row = self._dataset(session, dataset)
            if name is not None and (name := checked_name(name)) != row.name:
                self._free(session, name)
                row.name = name
            row.note = row.note if note is None else note
            row.licence = row.licence if licence is None else licence
            row.updated_at = now()
        return self.get(dataset)

    def noted(self, dataset: int, step: Mapping[str, Any]) -> None:
        """Into the recipe: what was added, with which filters, and what was taken back. It stands on the card
        of every later version."""
        with self._write() as session:
            self._into_recipe(self._dataset(session, dataset), step)

    @staticmethod
    def _into_recipe(row: DatasetRow, step: Mapping[str, Any]) -> None:
        row.recipe = [*row.recipe, {**step, "at": now().isoformat(timespec="seconds")}]
        row.updated_at = now()

    def remove(self, dataset: int) -> Dataset:
        """Out of sight, until `restore`. Its name is free again."""
        gone = self.get(dataset)
        with self._write() as session:
            self._dataset(session, dataset).deleted_at = now()
        return gone

    def restore(self, dataset: int) -> Dataset:
        with self._write() as session:
            row = session.get(DatasetRow, dataset)
            if row is None:
                raise unknown_dataset(dataset)
            if row.deleted_at is not None:
                self._free(session, row.name)
            row.deleted_at = None
        return self.get(dataset)

    def withdraw(self) -> int:
        """Hide examples whose chat was deleted, show those whose chat came back, forget those whose chat is gone for
        good. Cheap where no chat has changed. Returns how many examples changed."""
        if self._history is None:
            return 0
        hand = self._history.version()
        with self._read() as session:
            if session.scalar(select(ClockRow.chats)) == hand:
                return 0
            mine = select(ExampleRow.conversation_id, ExampleRow.withdrawn).where(
                ExampleRow.conversation_id.is_not(None)
            )
            known = {(int(n), hidden) for n, hidden in session.execute(mine.distinct()) if n is not None}
        standing = self._history.standing({number for number, _ in known})
        hide = {n for n, hidden in known if not standing.get(n, False) and not hidden}
        show = {n for n, hidden in known if standing.get(n, False) and hidden}
        gone = {n for n, _ in known if n not in standing}
        return self._withdrawn(hide - gone, show, gone, hand)

    def _withdrawn(self, hide: set[int], show: set[int], gone: set[int], hand: int) -> int:
        changed = 0
        if not (hide or show or gone):
            with self._lock, self._engine.begin() as connection:
                connection.execute(update(ClockRow).values(chats=hand))  # nothing changed that anyone sees: no tick
            return 0
        with self._write() as session:
            session.execute(update(ClockRow).values(chats=hand))
            for numbers, hidden in ((hide, True), (show, False)):
                where = ExampleRow.conversation_id.in_(numbers)
                done: Any = session.execute(update(ExampleRow).where(where).values(withdrawn=hidden))
                changed += int(done.rowcount)
            forgotten: Any = session.execute(delete(ExampleRow).where(ExampleRow.conversation_id.in_(gone)))
            changed += int(forgotten.rowcount)
            if gone:  # what an undo would bring back holds their words too
                session.execute(delete(EditRow))
        return changed

    def _undo_broken_imports(self) -> None:
        """An import that a crash left half done is none: nothing of it stays."""
        with self._read() as session:
            broken = list(session.scalars(select(ImportRow.id).where(ImportRow.status == "running")))
        if broken:
            with self._write() as session:
                session.execute(delete(ExampleRow).where(ExampleRow.import_id.in_(broken)))
                session.execute(update(ImportRow).where(ImportRow.id.in_(broken)).values(status="failed"))

    @staticmethod
    def _dataset(session: Session, which: int | str) -> DatasetRow:
        where = DatasetRow.id == which if isinstance(which, int) else DatasetRow.name == which
        row = session.scalars(select(DatasetRow).where(where, DatasetRow.deleted_at.is_(None))).first()
        if row is None:
            raise unknown_dataset(which)
        return row

    @staticmethod
    def _versions(session: Session) -> dict[int, int]:
        query = select(VersionRow.dataset_id, func.count()).group_by(VersionRow.dataset_id)
        return {number: count for number, count in session.execute(query)}  # noqa: C416 - rows are no pairs to mypy

    @staticmethod
    def _free(session: Session, name: str) -> None:
        taken = select(DatasetRow.id).where(DatasetRow.name == name, DatasetRow.deleted_at.is_(None))
        if session.scalar(taken) is not None:
            raise ForPerson(
                f"There is a dataset {name} already: choose another name.",
                spanish=f"Ya hay un conjunto de datos {name}: elige otro nombre.",
            )


def checked_name(name: str) -> str:
    name = re.sub(r"\s+", "-", name.strip())
    if not NAME.fullmatch(name):
        raise ForPerson(
            "A dataset's name begins with a letter or a digit and has at most 60 letters, digits, dots, hyphens "
            "or underscores.",
            spanish="El nombre de un conjunto de datos empieza por una letra o una cifra y tiene como máximo 60 "
            "letras, cifras, puntos, guiones o guiones bajos.",
        )
    return name


def unknown_dataset(which: int | str) -> UnknownDataset:
    return UnknownDataset(
        f"There is no dataset {which}: `afina data list` shows those there are.",
        spanish=f"No hay ningún conjunto de datos {which}: `afina data list` muestra los que hay.",
    )


def unknown_example(number: int) -> UnknownExample:
    return UnknownExample(
        f"There is no example {number} here: it may have been undone, or its chat deleted.",
        spanish=f"No hay ningún ejemplo {number} aquí: quizá se deshizo o se borró su chat.",
    )
