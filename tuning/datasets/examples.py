"""In: examples, filters. Out: examples, a page at a time: SQL does the paging, so ten thousand stay quick."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from assistant.store.transactions import now
from tuning.datasets import reading
from tuning.datasets.drafts import Drafts, unknown_example
from tuning.datasets.values import EVERYTHING, Added, Filter, Page, Status, Stored
from tuning.store.tables import DatasetRow, EditRow, ExampleRow
from tuning.store.transactions import in_parts
from tuning.values import Example

AT_ONCE = 500  # examples per transaction and ids per query: databases limit the variables of one statement
UNDOABLE = 100  # edits kept per dataset
GATHERED = frozenset({"build", "documents", "propose", "folder"})  # edits that have a line in the recipe


class Examples(Drafts):
    def add(
        self,
        dataset: int,
        examples: Iterable[Example],
        *,
        status: Status = Status.DRAFT,
        batch: int | None = None,
        hidden: bool = False,
        what: str = "add",
    ) -> Added:
        """At the end, in their order. What the dataset has already (by fingerprint) is counted and left out.

        `batch`: the import they belong to; `hidden`: until it is done. Without a batch the adding can be undone.
        """
        ids, known = list[int](), 0
        try:
            for part in in_parts(examples, AT_ONCE):
                with self._write() as session:
                    self._dataset(session, dataset)
                    new = self._new(session, dataset, part)
                    ids += self._inserted(session, dataset, new, status, batch, hidden)
                known += len(part) - len(new)
        finally:
            if batch is None and what:
                self.added(dataset, what, ids)
        return Added(len(ids), known, tuple(ids[:1000]))

    def added(self, dataset: int, what: str, ids: Sequence[int]) -> None:
        """One undo takes these out again: of what came in one by one, with `what=""`."""
        if ids:
            with self._write() as session:
                self._note_edit(session, dataset, what, [{"id": number, "made": True} for number in ids])

    def page(self, dataset: int, only: Filter = EVERYTHING, *, offset: int = 0, limit: int = 50) -> Page:
        self.withdraw()
        where = list(reading.conditions(dataset, only))
        query = select(ExampleRow).where(*where).order_by(ExampleRow.position, ExampleRow.id)
        with self._read() as session:
            self._dataset(session, dataset)
            total = self._count(session, where)
            found = session.scalars(query.offset(offset).limit(limit))
            return Page(tuple(map(reading.stored, found)), total, offset)

    def every(self, dataset: int, only: Filter = EVERYTHING) -> Iterator[Stored]:
        """All that pass, in their order; read a few hundred at a time, as they stand when they are read."""
        self.withdraw()
        for part in in_parts(self.ids(dataset, only), AT_ONCE):
            with self._read() as session:
                rows = {row.id: row for row in session.scalars(select(ExampleRow).where(ExampleRow.id.in_(part)))}
            yield from (reading.stored(rows[number]) for number in part if number in rows)

    def ids(self, dataset: int, only: Filter = EVERYTHING) -> list[int]:
        where = reading.conditions(dataset, only)
        with self._read() as session:
            query = select(ExampleRow.id).where(*where).order_by(ExampleRow.position, ExampleRow.id)
            return list(session.scalars(query))

    def example(self, number: int) -> Stored:
        self.withdraw()
        with self._read() as session:
            return reading.stored(self._example(session, number))

    def kept(self, conversation: int) -> frozenset[int]:
        """Messages of a chat that some dataset learns from."""
        mine = ExampleRow.conversation_id == conversation, ExampleRow.withdrawn.is_(False)
        alive = DatasetRow.deleted_at.is_(None)
        query = select(ExampleRow.content).join(DatasetRow).where(*mine, alive)
        with self._read() as session:
            found = session.scalars(query)
            return frozenset(number for content in found for number in content["source"].get("messages", ()))

    def place(self, number: int, only: Filter = EVERYTHING) -> tuple[int | None, int | None]:
        """The example before and the one after among those that pass; None at an end."""
        with self._read() as session:
            row = self._example(session, number)
            where = list(reading.conditions(row.dataset_id, only))
            here = (row.position, row.id)
            key = tuple_(ExampleRow.position, ExampleRow.id)
            before = select(ExampleRow.id).where(*where, key < tuple_(*here))
            after = select(ExampleRow.id).where(*where, key > tuple_(*here))
            last = before.order_by(ExampleRow.position.desc(), ExampleRow.id.desc()).limit(1)
            return session.scalar(last), session.scalar(after.order_by(ExampleRow.position, ExampleRow.id).limit(1))

    def review(
        self,
        dataset: int,
        look: Callable[[Example], Sequence[Mapping[str, Any]]],
        count: Callable[[Example], int | None] | None = None,
    ) -> Iterator[tuple[int, int]]:
        """Have every example looked at that has not been since it changed: (done, of how many) after each few.

        `look`: rows of findings, {"code", …} each; `count`: tokens.
        """
        where = [*reading.conditions(dataset, EVERYTHING), ExampleRow.findings.is_(None)]
        with self._read() as session:
            waiting = list(session.scalars(select(ExampleRow.id).where(*where).order_by(ExampleRow.position)))
        done = 0
        for part in in_parts(waiting, 100):
            with self._read() as session:
                rows = list(session.scalars(select(ExampleRow).where(ExampleRow.id.in_(part))))
            seen = [self._looked(row, look, count) for row in rows]
            with self._write() as session:
                for given in seen:
                    mine = ExampleRow.id == given.pop("id"), ExampleRow.fingerprint == given.pop("of")
                    session.execute(update(ExampleRow).where(*mine).values(**given))
            done += len(part)
            yield done, len(waiting)

    def mark(self, dataset: int, codes: Collection[str], found: Mapping[int, Sequence[Mapping[str, Any]]]) -> None:
        """Findings that comparing examples told: those of `codes` are replaced by these, all others stay."""
        where = ExampleRow.dataset_id == dataset, ExampleRow.findings.is_not(None)
        with self._read() as session:
            query = select(ExampleRow.id, ExampleRow.findings).where(*where)
            known = {number: old or [] for number, old in session.execute(query)}
        changed = []
        for number, old in known.items():
            new = [one for one in old if one["code"] not in codes] + [dict(one) for one in found.get(number, ())]
            if new != old:
                changed.append({"id": number, "findings": new})
        for part in in_parts(changed, AT_ONCE):
            with self._write() as session:
                session.execute(update(ExampleRow), part)

    @staticmethod
    def _looked(row: ExampleRow, look: Any, count: Any) -> dict[str, Any]:
        example = reading.example(row)
        tokens = count(example) if count else row.tokens
        return {"id": row.id, "of": row.fingerprint, "findings": list(look(example)), "tokens": tokens}

    @staticmethod
    def _new(session: Session, dataset: int, examples: Sequence[Example]) -> list[dict[str, Any]]:
        columns = [reading.derived(reading.sound(example)) for example in examples]
        prints = {given["fingerprint"] for given in columns}
        mine = ExampleRow.dataset_id == dataset, ExampleRow.fingerprint.in_(prints)
        seen = set(session.scalars(select(ExampleRow.fingerprint).where(*mine)))
        new = []
        for given in columns:
            if given["fingerprint"] not in seen:
                seen.add(given["fingerprint"])
                new.append(given)
        return new

    def _inserted(
        self,
        session: Session,
        dataset: int,
        columns: list[dict[str, Any]],
        status: Status,
        batch: int | None,
        hidden: bool,
    ) -> list[int]:
        if not columns:
            return []
        first, time = reading.next_position(session, dataset), now()
        rows = [
            reading.stamped(
                {
                    **given,
                    "dataset_id": dataset,
                    "status": status.value,
                    "import_id": batch,
                    "withdrawn": hidden,
                    "position": first + at,
                },
                time,
            )
            for at, given in enumerate(columns)
        ]
        made = session.scalars(insert(ExampleRow).returning(ExampleRow.id, sort_by_parameter_order=True), rows)
        return list(made)

    @staticmethod
    def _count(session: Session, where: list[Any]) -> int:
        return session.scalar(select(func.count()).select_from(ExampleRow).where(*where)) or 0

    @staticmethod
    def _example(session: Session, number: int) -> ExampleRow:
        row = session.get(ExampleRow, number)
        if row is None or row.withdrawn:
            raise unknown_example(number)
        return row

    @staticmethod
    def _note_edit(session: Session, dataset: int, what: str, before: list[dict[str, Any]]) -> None:
        session.add(EditRow(dataset_id=dataset, what=what, before=before, created_at=now()))
        session.flush()
        mine = select(EditRow.id).where(EditRow.dataset_id == dataset).order_by(EditRow.id.desc())
        for old in session.scalars(mine.offset(UNDOABLE)).all():
            session.delete(session.get(EditRow, old))
