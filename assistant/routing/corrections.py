"""In: "this should have gone there". Out: what a person corrected, newest first. Knows nothing of embeddings.

A correction is never changed: a later one of the same words wins, and one can be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from assistant.errors import ForPerson
from assistant.events import Route, RouteChosen
from assistant.store.tables import CorrectionRow, MessageRow
from assistant.store.transactions import Transactions, now

TEXT_CHARACTERS = 4_000  # of a message kept; the embedder reads some 1,000 of them


class UnknownCorrection(ForPerson):
    pass


@dataclass(frozen=True, slots=True)
class Correction:
    id: int
    text: str  # the message that was routed
    route: Route
    created_at: datetime  # UTC
    tool: str = ""
    arguments: dict[str, Any] = field(default_factory=dict, hash=False)
    persona: str = ""
    was: dict[str, Any] = field(default_factory=dict, hash=False)  # {route, tool, arguments, persona, confidence}
    message: int | None = None  # None: it was deleted since, or there was none


class Corrections(Transactions):
    """Safe to call from any thread. Only the owner of the data folder may open it: opening migrates the tables."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._known: tuple[Correction, ...] | None = None

    def add(
        self,
        message_id: int | None,
        text: str,
        was: RouteChosen | None,
        route: Route,
        tool: str = "",
        arguments: Mapping[str, Any] | None = None,
        persona: str = "",
    ) -> Correction:
        """`was`: what the router had chosen. Used from the next message on."""
        text = text.strip()[:TEXT_CHARACTERS]
        if not text:
            raise ForPerson(
                "An empty message has no route to correct.", spanish="Un mensaje vacío no tiene ruta que corregir."
            )
        route = Route(route)
        with self._write() as (session, _):
            known = message_id is not None and session.get(MessageRow, message_id) is not None
            row = CorrectionRow(
                message_id=message_id if known else None,
                text=text,
                was=_plain(was),
                route=route.value,
                tool=tool if route is Route.TOOL else "",
                arguments=dict(arguments or {}) if route is Route.TOOL else {},
                persona=persona if route is Route.PERSONA else "",
                created_at=now(),
            )
            session.add(row)
            session.flush()
            added = _value(row)
        self._known = None
        return added

    def all(self) -> tuple[Correction, ...]:
        """Newest first. Read from SQL once per change: the router asks for every message."""
        known = self._known
        if known is None:
            with self._read() as session:
                rows = session.scalars(select(CorrectionRow).order_by(CorrectionRow.id.desc()))
                known = self._known = tuple(_value(row) for row in rows)
        return known

    def forget(self, id_: int) -> None:
        with self._write() as (session, _):
            row = session.get(CorrectionRow, id_)
            if row is None:
                raise UnknownCorrection(
                    f"There is no correction {id_}: `afina route --corrections` lists those there are.",
                    spanish=f"No hay ninguna corrección {id_}: `afina route --corrections` muestra las que hay.",
                )
            session.delete(row)
        self._known = None


def _plain(was: RouteChosen | None) -> dict[str, Any]:
    if was is None:
        return {}
    return {
        "route": was.route.value,
        "tool": was.tool,
        "arguments": dict(was.arguments),
        "persona": was.persona,
        "confidence": was.confidence,
    }


def _value(row: CorrectionRow) -> Correction:
    return Correction(
        row.id,
        row.text,
        Route(row.route),
        row.created_at,
        row.tool,
        dict(row.arguments),
        row.persona,
        dict(row.was),
        row.message_id,
    )
