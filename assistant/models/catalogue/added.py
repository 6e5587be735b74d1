"""In: an SQL engine. Out: the models a person added, what tests found out about any, and which one the app uses.

Knows no provider and makes no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from assistant.store.tables import ModelRow, SwitchRow
from assistant.store.transactions import Transactions, now

DEFAULT = "model"  # the switch that names the app's model
LISTED = "added"  # in the facts: a person put it on the list; else the row only keeps what a test found out


@dataclass(frozen=True, slots=True)
class Added:
    name: str
    title: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def listed(self) -> bool:
        return bool(self.facts.get(LISTED))


class AddedModels(Transactions):
    def all(self) -> list[Added]:
        """Those on the list, the oldest first."""
        with self._read() as session:
            rows = session.scalars(select(ModelRow).order_by(ModelRow.created_at, ModelRow.name)).all()
            return [one for row in rows if (one := _added(row)).listed]

    def get(self, name: str) -> Added | None:
        with self._read() as session:
            row = session.get(ModelRow, name)
            return _added(row) if row else None

    def add(self, name: str, title: str = "", facts: Mapping[str, Any] | None = None) -> Added:
        """Harmless to repeat: the title is the newest, facts are kept."""
        return self._put(name, title, {**(facts or {}), LISTED: True})

    def learn(self, name: str, facts: Mapping[str, Any]) -> None:
        self._put(name, None, facts)

    def remove(self, name: str) -> Added | None:
        """What it was, so that it can be added again as it was."""
        with self._write() as (session, _):
            row = session.get(ModelRow, name)
            if row is None:
                return None
            was = _added(row)
            session.delete(row)
            return was

    @property
    def default(self) -> str:
        with self._read() as session:
            row = session.get(SwitchRow, DEFAULT)
            return str(row.value) if row and row.value else ""

    @default.setter
    def default(self, name: str) -> None:
        with self._write() as (session, _):
            row = session.get(SwitchRow, DEFAULT)
            if row is None:
                session.add(SwitchRow(name=DEFAULT, value=name))
            else:
                row.value = name

    def _put(self, name: str, title: str | None, facts: Mapping[str, Any]) -> Added:
        with self._write() as (session, _):
            row = session.get(ModelRow, name)
            if row is None:
                row = ModelRow(name=name, title=title or "", facts=dict(facts), created_at=now())
                session.add(row)
            else:
                row.title = row.title if title is None else title
                row.facts = {**row.facts, **facts}
            return _added(row)


def _added(row: ModelRow) -> Added:
    return Added(row.name, row.title, dict(row.facts))
