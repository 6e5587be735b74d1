"""In: a draft's approved examples, a seed, a share. Out: versions: frozen, named by fingerprint, with a card.

A fingerprint is the SHA-256 of what is learned and where it is used: of "train|validation" and the content's SHA-256,
row by row. The same approved examples, split the same way, are the same version, on any machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from assistant.store.transactions import now
from tuning import rows
from tuning.datasets import card, reading
from tuning.datasets.curation import Curation
from tuning.datasets.splitting import split
from tuning.datasets.values import Dataset, Difference, Filter, Status, Stored, Version, VersionRow
from tuning.errors import ForPerson
from tuning.store import tables
from tuning.store.tables import ExampleRow
from tuning.store.transactions import in_parts
from tuning.values import Example

APPROVED = Filter(status=Status.APPROVED)
Alike = Callable[[Sequence[Example]], Iterator[Sequence[int]]]


class Versions(Curation):
    def freeze(
        self,
        dataset: int,
        *,
        share: float = 0.1,
        seed: int = 7,
        alike: Alike | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Version:
        """A version of what is approved now. Where nothing has changed since the last one, that one.

        `share`: of the examples, for validation; `alike`: groups of near-duplicates, by place; `more`: for the card.
        """
        if not 0 <= share <= 0.5:
            raise ForPerson(
                "The share for validation is between 0 and 0.5.",
                spanish="La parte para validar está entre 0 y 0,5.",
            )
        chosen, sides, together = self._divided(dataset, share, seed, alike)
        made_of = {"seed": seed, "share": share, "near_duplicates": together, **(more or {})}
        return self._frozen(dataset, chosen, sides, made_of)

    def divided(
        self, dataset: int, *, share: float = 0.1, seed: int = 7, alike: Alike | None = None
    ) -> list[tuple[Stored, str]]:
        """What is approved now, with the side that `freeze` would put it on."""
        chosen, sides, _ = self._divided(dataset, share, seed, alike)
        return list(zip(chosen, sides, strict=True))

    def adopt(self, name: str, card: Mapping[str, Any], kept: Sequence[tuple[str, Example]]) -> Version:
        """A version that was made elsewhere: a dataset of its own, its examples approved, the card as it came."""
        draft = self.create(name, str(card.get("note", "")), str(card.get("licence", "")))
        self.add(draft.id, (example for _, example in kept), status=Status.APPROVED, what="folder")
        self.noted(draft.id, {"what": "folder", "name": card["name"], "number": card["number"]})
        ours = {one.fingerprint: one for one in self.every(draft.id)}
        chosen = [replace(ours[rows.fingerprint(example)], example=example) for _, example in kept]
        return self._written(draft, chosen, [side for side, _ in kept], dict(card))

    def versions(self, dataset: int) -> list[Version]:
        """The newest first."""
        self.withdraw()
        with self._read() as session:
            name = self._dataset(session, dataset).name
            mine = select(tables.VersionRow).where(tables.VersionRow.dataset_id == dataset)
            found = list(session.scalars(mine.order_by(tables.VersionRow.number.desc())))
            return [reading.version(row, name, self._deleted_chats(session, row.id)) for row in found]

    def version_of(self, dataset: int, number: int | None = None) -> Version:
        """By its number; the newest without one."""
        found = self.versions(dataset)
        for one in found:
            if number is None or one.number == number:
                return one
        raise ForPerson(
            f"There is no version {number} of it." if number else "There is no version of it yet: make one first.",
            spanish=f"No hay versión {number}." if number else "Aún no hay ninguna versión: crea una primero.",
        )

    def apart(self, version: Version) -> int:
        """How many examples are approved now and not in it, or in it and not approved as they stand there any more."""
        row = tables.VersionExampleRow
        now_approved = select(ExampleRow.fingerprint).where(*reading.conditions(version.dataset, APPROVED))
        held = select(row.fingerprint).where(row.version_id == version.id)
        with self._read() as session:
            apart = [now_approved.except_(held), held.except_(now_approved)]
            return sum(session.scalar(select(func.count()).select_from(one.subquery())) or 0 for one in apart)

    def rows(self, version: Version, split: str = "") -> Iterator[VersionRow]:
        """In their order; `split`: "train" or "validation" alone."""
        row, content = tables.VersionExampleRow, tables.ContentRow
        query = (
            select(row, content.content)
            .join(content, content.fingerprint == row.fingerprint)
            .where(row.version_id == version.id)
            .order_by(row.position)
        )
        if split:
            query = query.where(row.split == split)
        with self._read() as session:
            for one, learned in session.execute(query.execution_options(yield_per=500)):
                more = {name: given for name, given in (("tags", one.tags), ("source", one.source)) if given}
                yield VersionRow(one.position, one.split, one.fingerprint, rows.from_row({**learned, **more}))

    def difference(self, before: Version, after: Version) -> Difference:
        old, new = list(self.rows(before)), list(self.rows(after))
        old_by, new_by = {one.fingerprint: one for one in old}, {one.fingerprint: one for one in new}
        gone = [one for one in old if one.fingerprint not in new_by]
        come = [one for one in new if one.fingerprint not in old_by]
        known = {key: one for one in gone if (key := _origin(one.example))}
        changed = [(known[key], one) for one in come if (key := _origin(one.example)) in known]
        paired = {id(one) for pair in changed for one in pair}
        both = [(old_by[one.fingerprint], one) for one in new if one.fingerprint in old_by]
        return Difference(
            added=tuple(one for one in come if id(one) not in paired),
            removed=tuple(one for one in gone if id(one) not in paired),
            changed=tuple(changed),
            moved=tuple((was, one) for was, one in both if was.split != one.split),
            same=sum(was.split == one.split for was, one in both),
        )

    def _divided(
        self, dataset: int, share: float, seed: int, alike: Alike | None
    ) -> tuple[list[Stored], list[str], int]:
        chosen = list(self.every(dataset, APPROVED))
        if not chosen:
            raise ForPerson(
                "Nothing is approved yet: approve examples first, then make a version.",
                spanish="Aún no hay nada aprobado: aprueba ejemplos primero y después crea una versión.",
            )
        groups = [one.example.source.group or f"example:{one.id}" for one in chosen]
        together = list(alike([one.example for one in chosen])) if alike else []
        return chosen, split(groups, together, share=share, seed=seed), len(together)

    def _frozen(self, dataset: int, chosen: list[Stored], sides: list[str], made_of: Mapping[str, Any]) -> Version:
        fingerprint = version_fingerprint((side, one.fingerprint) for side, one in zip(sides, chosen, strict=True))
        for known in self.versions(dataset)[:1]:
            if known.fingerprint == fingerprint:
                return known
        draft = self.get(dataset)
        with self._read() as session:
            newest = select(func.max(tables.VersionRow.number)).where(tables.VersionRow.dataset_id == dataset)
            number = (session.scalar(newest) or 0) + 1
        written = card.card(draft, number, fingerprint, zip(sides, chosen, strict=True), made_of)
        return self._written(draft, chosen, sides, written)

    def _written(
        self, draft: Dataset, chosen: Sequence[Stored], sides: Sequence[str], written: Mapping[str, Any]
    ) -> Version:
        with self._write() as session:
            row = tables.VersionRow(
                dataset_id=draft.id,
                number=written["number"],
                fingerprint=written["fingerprint"],
                card=dict(written),
                created_at=now(),
            )
            session.add(row)
            session.flush()
            for part in in_parts(enumerate(zip(sides, chosen, strict=True)), 500):
                self._kept(session, row.id, part)
            return reading.version(row, draft.name, 0)

    @staticmethod
    def _kept(session: Session, version: int, part: list[tuple[int, tuple[str, Stored]]]) -> None:
        prints = {one.fingerprint for _, (_, one) in part}
        column = tables.ContentRow.fingerprint
        known = set(session.scalars(select(column).where(column.in_(prints))))
        learned = {
            one.fingerprint: {"fingerprint": one.fingerprint, "content": rows.content(one.example)}
            for _, (_, one) in part
            if one.fingerprint not in known
        }
        if learned:
            session.execute(insert(tables.ContentRow), list(learned.values()))
        placed = [
            {
                "version_id": version,
                "position": at,
                "split": side,
                "fingerprint": one.fingerprint,
                "tags": list(one.example.tags),
                "source": rows.to_row(one.example).get("source", {}),
                "conversation_id": one.example.source.conversation,
            }
            for at, (side, one) in part
        ]
        session.execute(insert(tables.VersionExampleRow), placed)

    def _deleted_chats(self, session: Session, version: int) -> int:
        if self._history is None:
            return 0
        row = tables.VersionExampleRow
        query = select(row.conversation_id, func.count()).where(
            row.version_id == version, row.conversation_id.is_not(None)
        )
        held = {int(n): count for n, count in session.execute(query.group_by(row.conversation_id)) if n is not None}
        standing = self._history.standing(held)
        return sum(count for number, count in held.items() if not standing.get(number, False))


def version_fingerprint(sides: Any) -> str:
    """Of (split, content's SHA-256) in their order."""
    digest = hashlib.sha256()
    for side, fingerprint in sides:
        digest.update(f"{side}\0{fingerprint}\n".encode())
    return digest.hexdigest()


def _origin(example: Example) -> tuple[Any, ...] | None:
    """What says that two examples are the same one in other words."""
    source = example.source
    if source.messages:
        return ("chat", example.kind, source.messages[-1])
    return ("line", source.name, source.group, source.line) if source.line is not None else None
