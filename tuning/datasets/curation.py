"""In: what a person does to examples. Out: the examples as they are then. All of it can be undone, the newest first.

approve · drop · reopen · tag · edit (turns, masks, answers) · split · merge · rank · mend
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, load_only

from assistant.store.transactions import now
from tuning import rows
from tuning.datasets import reading
from tuning.datasets.drafts import unknown_example
from tuning.datasets.examples import AT_ONCE, GATHERED, Examples
from tuning.datasets.values import Filter, Status, Stored
from tuning.errors import ForPerson
from tuning.store.tables import DatasetRow, EditRow, ExampleRow
from tuning.store.transactions import in_parts
from tuning.values import Answer, Example, Kind, Role

_SHOWN = ("status", "content", "tags", "findings", "position", "tokens")  # what an undo brings back as it was
_DECIDES = (ExampleRow.id, ExampleRow.status, ExampleRow.unranked, ExampleRow.findings, ExampleRow.tags)
_DONE = {Status.APPROVED: "approve", Status.DROPPED: "drop", Status.DRAFT: "reopen"}
Which = int | Iterable[int] | Filter


@dataclass(frozen=True, slots=True)
class Changed:
    changed: int
    left: int = 0  # that were left as they are: not ranked yet, or with a finding that excludes them


class Curation(Examples):
    def set_status(self, dataset: int, which: Which, status: Status, excluded: frozenset[str] = frozenset()) -> Changed:
        """One example, some, or all that pass a filter.

        Many at once leave out what has a finding in `excluded` (codes) and what waits to be ranked; one by itself is a
        person's own decision, but a ranking without ranks teaches nothing and is refused.
        """
        alone = isinstance(which, int)
        chosen, left = list[int](), 0
        for row in self._rows(dataset, which):
            if status is Status.APPROVED and row.unranked:
                if alone:
                    raise ForPerson(
                        "These answers have no order yet: rank them first, then approve.",
                        spanish="Estas respuestas aún no tienen orden: ordénalas primero y después aprueba.",
                    )
                left += 1
            elif not alone and status is Status.APPROVED and excluded & {one["code"] for one in row.findings or ()}:
                left += 1
            elif row.status != status.value:
                chosen.append(row.id)
        before = self._update(dataset, _DONE[status], chosen, {"status": status.value})
        return Changed(before, left)

    def tag(self, dataset: int, which: Which, tag: str, *, on: bool = True) -> Changed:
        tag = " ".join(tag.split())[:60]
        if not tag:
            raise ForPerson("The tag is empty: write a word.", spanish="La etiqueta está vacía: escribe una palabra.")
        changes = {
            row.id: {"tags": [*row.tags, tag] if on else [one for one in row.tags if one != tag]}
            for row in self._rows(dataset, which)
            if (tag in row.tags) is not on
        }
        self._each(dataset, "tag", changes)
        return Changed(len(changes))

    def edit(self, number: int, example: Example, what: str = "edit") -> Stored:
        """The example in other words. Its provenance stays; what was found in it is to be looked for again."""
        with self._write() as session:
            row = self._example(session, number)
            now_there = reading.example(row)
            example = reading.sound(replace(example, source=now_there.source))
            _refuse_senseless(example)
            columns = reading.derived(example)
            if columns["content"] == row.content and columns["tags"] == row.tags:
                return reading.stored(row)
            self._note_edit(session, row.dataset_id, what, [_before(row)])
            self._set(row, columns)
        return self.example(number)

    def mask(self, number: int, turn: int, learn: bool) -> Stored:
        """Whether an assistant's turn carries loss."""
        example = self.example(number).example
        if not 0 <= turn < len(example.turns) or example.turns[turn].role is not Role.ASSISTANT:
            raise ForPerson(
                "Only an answer can be taken out of the loss.",
                spanish="Solo una respuesta puede quedar fuera de la pérdida.",
            )
        turns = [replace(one, learn=learn) if at == turn else one for at, one in enumerate(example.turns)]
        return self.edit(number, replace(example, turns=tuple(turns)), "mask")

    def rank(self, number: int, ranks: Sequence[int]) -> Stored:
        """`ranks[i]` of the answer i, 1 the best; equal ranks are a tie."""
        example = self.example(number).example
        if example.kind not in (Kind.RANKING, Kind.PREFERENCE) or len(ranks) != len(example.answers):
            raise ForPerson(
                f"A rank for each of the {len(example.answers)} answers is needed.",
                spanish=f"Hace falta un puesto para cada una de las {len(example.answers)} respuestas.",
            )
        order = {rank: at + 1 for at, rank in enumerate(sorted(set(ranks)))}  # 1, 3, 3 → 1, 2, 2
        answers = tuple(replace(one, rank=order[rank]) for one, rank in zip(example.answers, ranks, strict=True))
        if example.kind is Kind.PREFERENCE:
            answers = tuple(sorted(answers, key=lambda one: one.rank))
        return self.edit(number, replace(example, answers=answers), "rank")

    def score(self, number: int, scores: Mapping[str, float]) -> Stored:
        """Dimension → value, of the one answer of a score."""
        example = self.example(number).example
        if example.kind is not Kind.SCORE:
            raise ForPerson("Only a scored answer has scores.", spanish="Solo una respuesta puntuada tiene puntos.")
        answers = (replace(example.answers[0], scores=dict(scores)),)
        return self.edit(number, replace(example, answers=answers), "score")

    def split(self, number: int, at: int) -> tuple[Stored, Stored]:
        """A long conversation in two, before turn `at` (from 0); the system's words head both."""
        example = self.example(number).example
        head = example.turns[:1] if example.turns and example.turns[0].role is Role.SYSTEM else ()
        first, second = example.turns[:at], (*head, *example.turns[at:])
        if example.kind is not Kind.CONVERSATION or not 0 < at < len(example.turns):
            raise ForPerson("Only a conversation can be split, between two turns.", spanish=_SPLIT)
        if example.turns[at].role is not Role.USER or not any(one.role is Role.ASSISTANT for one in first):
            raise ForPerson(
                "It can be split before a question, where an answer stands before it.",
                spanish="Se puede dividir delante de una pregunta, si antes hay una respuesta.",
            )
        with self._write() as session:
            row = self._example(session, number)
            after = self._position_after(session, row)
            before = _before(row)
            made = self._insert_beside(session, row, replace(example, turns=tuple(second)), after)
            self._set(row, reading.derived(replace(example, turns=first)))
            self._note_edit(session, row.dataset_id, "split", [before, {"id": made, "made": True}])
        return self.example(number), self.example(made)

    def merge(self, first: int, second: int) -> Stored:
        """The second conversation after the first, which stays; the second's system words are left out."""
        one, other = self.example(first), self.example(second)
        if one.dataset != other.dataset or {one.example.kind, other.example.kind} != {Kind.CONVERSATION}:
            raise ForPerson(
                "Only two conversations of one dataset can be merged.",
                spanish="Solo se pueden unir dos conversaciones del mismo conjunto de datos.",
            )
        more = [turn for turn in other.example.turns if turn.role is not Role.SYSTEM]
        source = one.example.source
        if other.example.source.conversation == source.conversation:
            source = replace(source, messages=(*source.messages, *other.example.source.messages))
        tools = list(one.example.tools) + [tool for tool in other.example.tools if tool not in one.example.tools]
        merged = replace(one.example, turns=(*one.example.turns, *more), tools=tuple(tools), source=source)
        with self._write() as session:
            row, gone = self._example(session, first), self._example(session, second)
            before = [_before(row), {**_before(gone), "gone": _whole(gone)}]
            self._set(row, reading.derived(merged))
            session.delete(gone)
            self._note_edit(session, row.dataset_id, "merge", before)
        return self.example(first)

    def mend(self, dataset: int, which: Which, how: Callable[[Stored], Example]) -> Changed:
        """`how`: the mended example, or the same one where there is nothing to mend."""
        changed = 0
        before = list[dict[str, Any]]()
        for part in in_parts(self._numbers(dataset, which), AT_ONCE):
            with self._write() as session:
                for row in session.scalars(select(ExampleRow).where(ExampleRow.id.in_(part))).all():
                    columns = reading.derived(how(reading.stored(row)))
                    if columns["content"] != row.content:
                        before.append(_before(row))
                        self._set(row, columns)
                        changed += 1
        if before:
            with self._write() as session:
                self._note_edit(session, dataset, "mend", before)
        return Changed(changed)

    def undo(self, dataset: int) -> str | None:
        """Take back the newest edit; what it was ("approve", "edit", …), None where there is none."""
        with self._write() as session:
            row = self._dataset(session, dataset)
            newest = select(EditRow).where(EditRow.dataset_id == dataset).order_by(EditRow.id.desc()).limit(1)
            edit = session.scalars(newest).first()
            if edit is None:
                return None
            made = [one["id"] for one in edit.before if one.get("made")]
            for part in in_parts(made, AT_ONCE):
                session.execute(delete(ExampleRow).where(ExampleRow.id.in_(part)))
            for values, numbers in _alike(edit.before):
                for part in in_parts(numbers, AT_ONCE):
                    changed = update(ExampleRow).where(ExampleRow.id.in_(part)).values(**values, updated_at=now())
                    session.execute(changed, execution_options={"synchronize_session": False})
            for one in edit.before:
                if "content" in one or "gone" in one:
                    _put_back(session, dict(one))
            if made and edit.what in GATHERED:
                self._into_recipe(row, {"what": "taken back", "was": edit.what, "examples": len(made)})
            session.delete(edit)
            return edit.what

    def undoable(self, dataset: int) -> str | None:
        newest = select(EditRow.what).where(EditRow.dataset_id == dataset).order_by(EditRow.id.desc()).limit(1)
        with self._read() as session:
            return session.scalar(newest)

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _numbers(self, dataset: int, which: Which) -> list[int]:
        if isinstance(which, Filter):
            return self.ids(dataset, which)
        return [which] if isinstance(which, int) else list(which)

    def _rows(self, dataset: int, which: Which) -> list[ExampleRow]:
        """With what a decision needs, not with their content."""
        numbers, found = self._numbers(dataset, which), list[ExampleRow]()
        with self._read() as session:
            self._dataset(session, dataset)
            for part in in_parts(numbers, AT_ONCE):
                mine = ExampleRow.id.in_(part), ExampleRow.dataset_id == dataset, ExampleRow.withdrawn.is_(False)
                found += session.scalars(select(ExampleRow).where(*mine).options(load_only(*_DECIDES)))
            session.expunge_all()
        if isinstance(which, int) and not found:
            raise unknown_example(which)
        return found

    def _update(self, dataset: int, what: str, numbers: Sequence[int], values: Mapping[str, Any]) -> int:
        """The same values for many rows: one statement, one edit."""
        if not numbers:
            return 0
        with self._write() as session:
            before = list[dict[str, Any]]()
            columns = [getattr(ExampleRow, name) for name in values]
            for part in in_parts(numbers, AT_ONCE):
                mine = ExampleRow.id.in_(part)
                for number, *old in session.execute(select(ExampleRow.id, *columns).where(mine)):
                    before.append({"id": number, **dict(zip(values, old, strict=True))})
                changed = update(ExampleRow).where(mine).values(**values, updated_at=now())
                session.execute(changed, execution_options={"synchronize_session": False})
            self._note_edit(session, dataset, what, before)
            self._touch(session, dataset)
        return len(before)

    def _each(self, dataset: int, what: str, changes: Mapping[int, Mapping[str, Any]]) -> None:
        if not changes:
            return
        with self._write() as session:
            before = list[dict[str, Any]]()
            for part in in_parts(changes, AT_ONCE):
                for row in session.scalars(select(ExampleRow).where(ExampleRow.id.in_(part))).all():
                    before.append({"id": row.id, **{name: getattr(row, name) for name in changes[row.id]}})
                    self._set(row, dict(changes[row.id]))
            self._note_edit(session, dataset, what, before)
            self._touch(session, dataset)

    @staticmethod
    def _set(row: ExampleRow, columns: dict[str, Any]) -> None:
        for name, value in columns.items():
            setattr(row, name, value)
        row.updated_at = now()

    @staticmethod
    def _touch(session: Session, dataset: int) -> None:
        session.execute(update(DatasetRow).where(DatasetRow.id == dataset).values(updated_at=now()))

    @staticmethod
    def _position_after(session: Session, row: ExampleRow) -> float:
        later = select(ExampleRow.position).where(
            ExampleRow.dataset_id == row.dataset_id, ExampleRow.position > row.position
        )
        following = session.scalar(later.order_by(ExampleRow.position).limit(1))
        return row.position + 1.0 if following is None else (row.position + following) / 2

    @staticmethod
    def _insert_beside(session: Session, row: ExampleRow, example: Example, position: float) -> int:
        columns = reading.stamped(reading.derived(example), now())
        made = ExampleRow(
            **columns, dataset_id=row.dataset_id, import_id=row.import_id, status=row.status, position=position
        )
        session.add(made)
        session.flush()
        return made.id


_SPLIT = "Solo se puede dividir una conversación, entre dos turnos."


def _before(row: ExampleRow) -> dict[str, Any]:
    return {"id": row.id, **{name: getattr(row, name) for name in _SHOWN}}


def _whole(row: ExampleRow) -> dict[str, Any]:
    """Of a row that goes: what else it takes to make it again."""
    return {"dataset_id": row.dataset_id, "import_id": row.import_id, "created_at": row.created_at.isoformat()}


def _alike(before: Iterable[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], list[int]]]:
    """Rows whose words did not change, with those that get the same values back: one statement for them all."""
    found: dict[str, tuple[Mapping[str, Any], list[int]]] = {}
    for one in before:
        if not {"made", "content", "gone"} & one.keys():
            values = {name: value for name, value in one.items() if name != "id"}
            found.setdefault(json.dumps(values, sort_keys=True), (values, []))[1].append(one["id"])
    return list(found.values())


def _put_back(session: Session, before: dict[str, Any]) -> None:
    number, gone = before.pop("id"), before.pop("gone", None)
    row = session.get(ExampleRow, number)
    if row is None and gone is None:
        return  # its chat is gone for good
    if row is None:
        gone["created_at"] = datetime.fromisoformat(gone["created_at"])
        row = ExampleRow(id=number, **gone)
        session.add(row)
    if "content" in before:
        tags = before.get("tags", row.tags)
        whole = rows.from_row({**before["content"], **({"tags": tags} if tags else {})})
        before = {**reading.derived(whole), **before}
    for name, value in before.items():
        setattr(row, name, value)
    row.updated_at = now()


def _refuse_senseless(example: Example) -> None:
    """What nobody could want: an example without a word of an answer. Anything else is for the review to say."""
    if example.kind is Kind.TEXT:
        empty = not example.text.strip()
    elif example.kind is Kind.CONVERSATION:
        said = [turn for turn in example.turns if turn.role is Role.ASSISTANT]
        empty = not any(turn.text.strip() or turn.calls for turn in said)
    else:
        empty = not all(_said(answer) for answer in example.answers)
    if empty:
        raise ForPerson(
            "An example needs an answer: write one, or drop the example.",
            spanish="Un ejemplo necesita una respuesta: escríbela o descarta el ejemplo.",
        )


def _said(answer: Answer) -> bool:
    return any(turn.text.strip() or turn.calls for turn in answer.turns)
