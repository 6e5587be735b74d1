"""In: questions, answers as they are written, ratings. Out: threads. Knows nothing of models or pages.

Nothing is ever overwritten: an edit, a retry or a message from a stale tab is a sibling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from assistant.errors import ForPerson, TryAgain
from assistant.events import RouteChosen, Step, to_row
from assistant.history import reading
from assistant.history.partial import cited, still_cited
from assistant.history.tree import Node, Tree
from assistant.history.values import Message, MessageStatus, Opened
from assistant.history.words import folded, title_of, whole
from assistant.sentences import say
from assistant.store.tables import ConversationRow, MessageRow, RatingRow
from assistant.store.transactions import UNSEEN, Transactions, now, unknown_message
from knowledge import Basis, Citation, Passage, Usage

_WRITING = MessageStatus.WRITING.value
# Of the answer that is corrected: how it came about is still how it came about.
_KEPT = ("route", "reason", "confidence", "tool", "arguments", "persona", "steps", "passages", "model", "settings")


class Messages(Transactions):
    def ask(self, conversation: int, text: str, parent: int | None) -> Message:
        """Store a person's message below `parent` and show its branch. On disk when this returns."""
        time = now()
        with self._write() as (session, version):
            row = self._conversation(session, conversation)
            tree = reading.tree(session, row)
            number = self._question(session, row, tree, text, parent, time)
            row.version, row.updated_at = version, time
        return self.message(number)

    def begin(self, conversation: int, parent: int, *, model: str = "") -> Message:
        """An answer to the user's message `parent`, empty, "writing". Another one to the same question is a sibling."""
        time = now()
        with self._write() as (session, version):
            row = self._conversation(session, conversation)
            tree = reading.tree(session, row)
            number = self._answer(session, row, tree, parent, time, model)
            row.version, row.updated_at = version, time
        return self.message(number)

    def open(self, conversation: int, text: str | None, parent: int | None) -> Opened:
        """`ask` and `begin` in one transaction, and what answering needs; without `text`, `begin` for `parent`.

        On disk when this returns: the question and its answer, or neither.
        """
        time = now()
        with self._write() as (session, version):
            row = self._conversation(session, conversation)
            tree = reading.tree(session, row)
            if text is not None:
                self._refuse_unfinished(session, parent)
                question = self._question(session, row, tree, text, parent, time)
            else:
                question = parent if parent is not None else 0
            answer = self._answer(session, row, tree, question, time)
            row.version, row.updated_at = version, time
            *above, asked = reading.lines(session, tree.up_to(question))
            return Opened(
                question=question,
                answer=answer,
                text=asked.text,
                attempt=len(tree.siblings(answer)) - 1,
                earlier=tuple(above),
                conversation=reading.conversation(row, len(tree.nodes)),
                documents=tuple(reading.attached(session, conversation)),
            )

    def grow(
        self,
        message: int,
        text: str,
        *,
        chosen: RouteChosen | None = None,
        citations: Sequence[Citation] | None = None,
        passages: Sequence[Passage] | None = None,
        steps: Sequence[Step] = (),
    ) -> bool:
        """Store the whole text so far. False when the answer is no longer being written: then nothing changes."""
        given: dict[str, Any] = asdict(chosen) if chosen else {}
        if steps:
            given["steps"] = [to_row(step) for step in steps]
        if citations is not None:
            given["citations"] = [asdict(citation) for citation in citations]
        if passages is not None:
            given["passages"] = [asdict(passage) for passage in passages]
        return self._set(message, text=text, **given)

    def finish(
        self,
        message: int,
        *,
        text: str,
        status: MessageStatus = MessageStatus.COMPLETE,
        chosen: RouteChosen | None = None,
        steps: Sequence[Step] = (),
        settings: Mapping[str, Any] | None = None,
        basis: Basis | None = None,
        citations: Sequence[Citation] = (),
        passages: Sequence[Passage] = (),
        usage: Usage | None = None,
        model: str = "",
        draft: str = "",
        failure: str = "",
    ) -> bool:
        """The last word on an answer. False when it had one already: the first stands."""
        return self._set(
            message,
            text=text,
            text_folded=folded(text),
            status=MessageStatus(status).value,
            **(asdict(chosen) if chosen else {}),
            steps=[to_row(step) for step in steps],
            settings=dict(settings or {}),
            basis=basis,
            citations=[asdict(citation) for citation in citations],
            passages=[asdict(passage) for passage in passages],
            usage=asdict(usage) if usage else None,
            model=model,
            draft=draft,
            failure=failure,
            finished_at=now(),
        )

    def correct(self, message: int, text: str) -> Message:
        """An answer in a person's words: a sibling of the one it corrects, and the shown one.

        Citations whose [n] still stands stay; one is no longer verified where its sentence has changed.
        """
        if not text.strip():
            raise ForPerson("The answer is empty: write something.", spanish="La respuesta está vacía: escribe algo.")
        text, time = whole(text).strip(), now()
        with self._write() as (session, version):
            old = self._message(session, message)
            if old.role != "assistant" or old.status == _WRITING:
                raise ForPerson(
                    "Only a finished answer can be corrected.", spanish="Solo se puede corregir una respuesta acabada."
                )
            row = self._conversation(session, old.conversation_id)
            tree = reading.tree(session, row)
            kept = still_cited(old.text, text, reading.citations(old))
            text = cited(text, kept)
            made = MessageRow(role="assistant", status="complete", finished_at=time, edited_from=old.id)
            for name in _KEPT:
                setattr(made, name, getattr(old, name))
            made.text, made.text_folded, made.citations = text, folded(text), [asdict(one) for one in kept]
            self._grow_tree(session, row, tree, made, old.parent_id, time)
            row.version, row.updated_at = version, time
        return self.message(made.id)

    def rate(self, message: int, liked: bool | None, reasons: Sequence[str] = (), note: str = "") -> Message:
        """A like, a dislike, or None: taken back. Earlier ratings are kept, the newest counts."""
        with self._write() as (session, version):
            row = self._message(session, message)
            if row.role != "assistant":
                raise ForPerson("Only an answer can be rated.", spanish="Solo se puede valorar una respuesta.")
            rating = RatingRow(message_id=message, liked=liked, reasons=list(reasons), note=note, created_at=now())
            session.add(rating)
            self._conversation(session, row.conversation_id).version = version
        return self.message(message)

    def choose(self, message: int) -> None:
        """Make the branch of `message` the shown one."""
        with self._write() as (session, version):
            row = self._conversation(session, self._message(session, message).conversation_id)
            tree = reading.tree(session, row)
            path = tree.up_to(message)
            self._choose(session, row, tree, path)
            row.version = version

    def thread(self, conversation: int, leaf: int | None = None, *, limit: int | None = None) -> list[Message]:
        """The shown path, or the one through `leaf`, oldest first; its last `limit` messages."""
        with self._read() as session:
            row = self._conversation(session, conversation)
            tree = reading.tree(session, row)
            if leaf is not None and leaf not in tree.nodes:
                raise unknown_message(leaf)
            path = tree.shown() if leaf is None else tree.through(leaf)
            return reading.messages(session, tree, path[-limit:] if limit else path)

    def path(self, message: int) -> list[Message]:
        """From the first question to `message`, itself last."""
        with self._read() as session:
            row = self._conversation(session, self._message(session, message).conversation_id)
            tree = reading.tree(session, row)
            return reading.messages(session, tree, tree.up_to(message))

    def messages(self, conversation: int) -> list[Message]:
        """The whole tree, in the order it was written."""
        with self._read() as session:
            tree = reading.tree(session, self._conversation(session, conversation))
            return reading.messages(session, tree, list(tree.nodes))

    def branches(self, conversation: int) -> tuple[list[Message], frozenset[int]]:
        """(the whole tree, in the order it was written; which of them are on the shown path), in one reading."""
        with self._read() as session:
            tree = reading.tree(session, self._conversation(session, conversation))
            return reading.messages(session, tree, list(tree.nodes)), frozenset(tree.shown())

    def message(self, message: int) -> Message:
        with self._read() as session:
            row = self._conversation(session, self._message(session, message).conversation_id)
            return reading.messages(session, reading.tree(session, row), [message])[0]

    def _interrupt_all(self) -> None:
        """Close what a crash left open: the text so far stays, and its citations."""
        writing = select(MessageRow).where(MessageRow.status == _WRITING)
        with self._write() as (session, version):
            for row in session.scalars(writing).all():
                text = cited(row.text, reading.citations(row))
                row.text, row.text_folded = text, folded(text)
                row.status, row.finished_at = MessageStatus.INTERRUPTED.value, now()
                mine = ConversationRow.id == row.conversation_id
                session.execute(update(ConversationRow).where(mine).values(version=version))

    def _set(self, message: int, **columns: Any) -> bool:
        """Change an answer that is still being written, and no other."""
        columns = {name: whole(given) if isinstance(given, str) else given for name, given in columns.items()}
        with self._write() as (session, version):
            of = select(MessageRow.conversation_id).where(MessageRow.id == message)
            conversation = session.scalar(of)
            if conversation is None:
                raise unknown_message(message)
            mine = MessageRow.id == message, MessageRow.status == _WRITING
            grown = update(MessageRow).where(*mine).values(**columns)
            changed = session.execute(grown, execution_options=UNSEEN).rowcount  # type: ignore[attr-defined]
            moved: dict[str, Any] = {"version": version}
            if "finished_at" in columns:
                moved["updated_at"] = columns["finished_at"]
            seen = update(ConversationRow).where(ConversationRow.id == conversation).values(**moved)
            session.execute(seen, execution_options=UNSEEN)
            return bool(changed)

    def _question(
        self, session: Session, row: ConversationRow, tree: Tree, text: str, parent: int | None, time: datetime
    ) -> int:
        if not text.strip():
            raise ForPerson(
                "The message is empty: write something first.", spanish="El mensaje está vacío: escribe algo antes."
            )
        text = whole(text)
        message = MessageRow(role="user", text=text, text_folded=folded(text), status="complete", finished_at=time)
        self._grow_tree(session, row, tree, message, parent, time)
        if not row.renamed and not row.title:
            row.title = title_of(text)
            row.title_folded = folded(row.title)
        return message.id

    def _answer(
        self, session: Session, row: ConversationRow, tree: Tree, question: int, time: datetime, model: str = ""
    ) -> int:
        asked = tree.nodes.get(question)
        role = asked.role if asked is not None else self._message(session, question).role
        if role != "user":
            raise ForPerson(
                "Only a question can be answered: choose the question, or ask again.",
                spanish="Solo se puede responder a una pregunta: elige la pregunta o vuelve a preguntar.",
            )
        message = MessageRow(role="assistant", status=_WRITING, model=model)
        self._grow_tree(session, row, tree, message, question, time)
        return message.id

    @staticmethod
    def _refuse_unfinished(session: Session, parent: int | None) -> None:
        status = select(MessageRow.status).where(MessageRow.id == parent)
        if parent is not None and session.scalar(status) == _WRITING:
            raise TryAgain(say("being_written", "en"), spanish=say("being_written", "es"))

    def _grow_tree(
        self,
        session: Session,
        row: ConversationRow,
        tree: Tree,
        message: MessageRow,
        parent: int | None,
        time: datetime,
    ) -> None:
        """The newest message is shown: of the path to it, only what is not chosen yet is written."""
        if parent is not None and parent not in tree.nodes:
            raise unknown_message(parent)
        message.conversation_id, message.parent_id, message.created_at = row.id, parent, time
        session.add(message)
        session.flush()
        tree.add(Node(message.id, parent, message.role, None))
        self._choose(session, row, tree, tree.up_to(message.id))

    @staticmethod
    def _choose(session: Session, row: ConversationRow, tree: Tree, path: list[int]) -> None:
        row.chosen = path[0]
        for above, below in pairwise(path):
            if tree.nodes[above].chosen != below:
                tree.nodes[above] = replace(tree.nodes[above], chosen=below)
                chosen = update(MessageRow).where(MessageRow.id == above).values(chosen=below)
                session.execute(chosen, execution_options=UNSEEN)
