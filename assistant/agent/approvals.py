"""In: a call that must not happen unasked, a person's word. Out: their decision. Knows nothing of models or pages.

A turn's thread waits here. The question itself is an event of the turn (ApprovalNeeded), so that a page that is
reloaded shows it again; the answer comes by message and call, from any page, tab or command line. "Always" is kept in
the database for that tool in that chat, until it is withdrawn.

An "always" reaches as far as what the person knew when they gave it. Before a turn has read anything that somebody
else wrote, it is about their own words; it does not hold once a document, a page or a result was read, which may ask
for the same tool for its own ends (a search whose query carries what the documents say). Then they are asked once more,
are told why, and an "always" given there holds in both cases: two questions for a tool in a chat at the very most.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from sqlalchemy import Engine, delete, select

from assistant.events import Decision
from assistant.store.tables import ApprovalRow, ConversationRow
from assistant.store.transactions import Transactions, now

PATIENCE = 600.0  # seconds a question stays open; then it counts as a no
_FED = "after:"  # before a tool's name in the database: also once the turn read foreign text. No tool has a colon
_LOOKED = 0.05  # seconds between two looks at `stop`


@dataclass(eq=False)
class Pending:
    """One open question."""

    message: int
    conversation: int | None
    call: str
    tool: str
    fed: bool = False  # the turn had read foreign text when it was asked
    decision: Decision | None = None
    answered: threading.Event = field(default_factory=threading.Event)


class Approvals(Transactions):
    """Safe from any thread. Only the owner of the data folder may open it: opening migrates the tables."""

    def __init__(self, engine: Engine, patience: float = PATIENCE) -> None:
        super().__init__(engine)
        self._patience = patience
        self._open: dict[tuple[int, str], Pending] = {}
        self._guard = threading.Lock()
        self._closed = False

    def expect(self, message: int, conversation: int | None, call: str, tool: str, *, fed: bool = False) -> Pending:
        """Open the question, before it is shown: nobody answers faster than it can be heard."""
        pending = Pending(message, conversation, call, tool, fed)
        with self._guard:
            if self._closed:
                pending.answered.set()
            self._open[message, call] = pending
        return pending

    def wait(self, pending: Pending, stop: threading.Event) -> Decision | None:
        """Blocks. None: nobody answered in time, the turn was stopped or the app closes."""
        until = time.monotonic() + self._patience
        try:
            while not stop.is_set() and time.monotonic() < until:
                if pending.answered.wait(_LOOKED):
                    return pending.decision
            return pending.decision
        finally:
            with self._guard:
                self._open.pop((pending.message, pending.call), None)

    def ask(
        self, message: int, conversation: int | None, call: str, tool: str, stop: threading.Event
    ) -> Decision | None:
        return self.wait(self.expect(message, conversation, call, tool), stop)

    def give(self, message: int, call: str, decision: Decision) -> bool:
        """False: nobody waits for it (any more). "Always" also answers what else waits for the same tool there."""
        with self._guard:
            asked = self._open.get((message, call))
            if asked is None or asked.answered.is_set():
                return False
        if decision is Decision.ALWAYS and asked.conversation is not None:
            self._allow(asked.conversation, asked.tool, fed=asked.fed)
        with self._guard:
            for pending in self._open.values():
                same = (pending.conversation, pending.tool) == (asked.conversation, asked.tool)
                also = decision is Decision.ALWAYS and same and asked.fed >= pending.fed
                if (pending is asked or also) and not pending.answered.is_set():
                    pending.decision = decision
                    pending.answered.set()
        return True

    def waiting(self, message: int) -> list[str]:
        """The calls of an answer that wait for a word."""
        with self._guard:
            return [call for of, call in self._open if of == message]

    def allowed(self, conversation: int | None, *, fed: bool = False) -> set[str]:
        """Tools that need not ask in this chat; `fed`: not even once the turn has read foreign text."""
        if conversation is None:
            return set()
        with self._read() as session:
            rows = session.scalars(select(ApprovalRow.tool).where(ApprovalRow.conversation_id == conversation)).all()
        return {row.removeprefix(_FED) for row in rows if row.startswith(_FED) or not fed}

    def withdraw(self, conversation: int, tool: str) -> None:
        with self._write() as (session, version):
            mine = ApprovalRow.conversation_id == conversation, ApprovalRow.tool.in_([tool, _FED + tool])
            session.execute(delete(ApprovalRow).where(*mine))
            if row := session.get(ConversationRow, conversation):
                row.version = version

    def close(self) -> None:
        """Whoever waits goes on without a yes."""
        with self._guard:
            self._closed = True
            for pending in self._open.values():
                pending.answered.set()

    def _allow(self, conversation: int, tool: str, *, fed: bool) -> None:
        tool = _FED + tool if fed else tool
        with self._write() as (session, version):
            row = self._conversation(session, conversation)
            if session.get(ApprovalRow, (conversation, tool)) is None:
                session.add(ApprovalRow(conversation_id=conversation, tool=tool, created_at=now()))
                row.version = version
