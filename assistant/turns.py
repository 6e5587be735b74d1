"""In: a message to answer. Out: its events, to any number of followers, and the answer in the history.

A turn runs in a thread of its own and goes on when the page that asked goes away. What a person wrote is on disk before
the model is called; what the model writes is on disk four times a second. Knows nothing of routes, models or pages.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, Protocol

from assistant.choice import AUTO, Choice
from assistant.errors import ForPerson, TryAgain
from assistant.events import (
    TERMINAL,
    Answered,
    ApprovalGiven,
    ApprovalNeeded,
    Event,
    Failed,
    PassagesFound,
    Route,
    RouteChosen,
    Step,
    Stopped,
    TextDelta,
    ToolFinished,
    ToolStarted,
)
from assistant.history import Conversation, History, Line, Message, MessageStatus, Opened, UnknownMessage, cited
from assistant.personas.mentions import as_read
from assistant.personas.voice import Said
from assistant.sentences import say
from knowledge import Citation, Passage, Turn, Usage

FIRST_FLUSH = 0.1  # seconds after the first event: right then the model is called, and should not wait for a disk
FLUSH_EVERY = 0.25  # seconds between two writes of the text so far
GRACE = 0.6  # seconds a stopped model has to end by itself; then the turn ends without it
LAST_GRACE = 2.0  # seconds all running models together have to end when the app closes
KEPT = 32  # finished turns whose events stay in memory; older ones are replayed from the history

_NO_USAGE = Usage()
_STATUS: dict[type[Event], MessageStatus] = {
    Answered: MessageStatus.COMPLETE,
    Stopped: MessageStatus.STOPPED,
    Failed: MessageStatus.FAILED,
}
_log = logging.getLogger(__name__)


class Answerer(Protocol):
    """What turns need of an agent: events, the last one terminal; no exception for what a person can meet."""

    def run(
        self,
        question: str,
        *,
        history: Sequence[Turn],
        documents: Collection[int] | None,
        choice: Choice = AUTO,
        conversation: Conversation | None = None,
        message: int = 0,
        language: str = "en",
        stop: threading.Event,
        attempt: int = 0,
    ) -> Iterator[Event]:
        """`conversation`: who answers in it; `message`: the answer's id, by which a person's yes or no finds it."""


class _Running:
    """One turn's events. Whoever claims its end first writes it; after that nothing can be added."""

    def __init__(self, opened: Opened, language: str) -> None:
        self.opened = opened
        self.answer = opened.answer
        self.language = language
        self.stop = threading.Event()
        self.changed = threading.Condition()
        self.events: list[Event] = []
        self.text = ""
        self.citations: tuple[Citation, ...] = ()
        self.route: RouteChosen | None = None
        self.passages: tuple[Passage, ...] = ()
        self.steps: tuple[Step, ...] = ()
        self.claimed = False  # someone is writing the end
        self.ended = threading.Event()  # the end is stored and published

    def add(self, event: Event) -> bool:
        with self.changed:
            if self.claimed:
                return False
            match event:
                case RouteChosen():
                    self.route = event
                case PassagesFound():
                    self.passages = event.passages
                case ToolStarted() | ToolFinished() | ApprovalNeeded() | ApprovalGiven():
                    self.steps = (*self.steps, event)
                case TextDelta():
                    self.text += event.text
                    self.citations += event.citations
                case _:
                    pass
            self.events.append(event)
            self.changed.notify_all()
            return True

    def claim(self) -> bool:
        with self.changed:
            mine = not self.claimed
            self.claimed = True
            self.changed.notify_all()
            return mine

    def end(self, event: Event) -> None:
        with self.changed:
            self.events.append(event)
            self.ended.set()
            self.changed.notify_all()

    def follow(self) -> Iterator[Event]:
        seen = 0
        while True:
            with self.changed:
                while len(self.events) == seen:
                    self.changed.wait()
                new = self.events[seen:]
            seen += len(new)
            yield from new
            if isinstance(new[-1], TERMINAL):
                return


class Corrected(Protocol):
    """Where a person's "this should have gone there" is kept (assistant.routing.corrections)."""

    def add(
        self,
        message_id: int | None,
        text: str,
        was: RouteChosen | None,
        route: Route,
        tool: str = "",
        arguments: Mapping[str, Any] | None = None,
        persona: str = "",
    ) -> object: ...


class Turns:
    def __init__(self, history: History, agent: Answerer, corrections: Corrected | None = None) -> None:
        self._history = history
        self._agent = agent
        self._corrections = corrections
        self._lock = threading.Lock()
        self._turns: dict[int, _Running] = {}  # by answer's id, in the order they began
        self._threads: list[threading.Thread] = []
        self._closed = False

    def start(
        self,
        conversation: int,
        text: str | None,
        parent: int | None,
        choice: Choice = AUTO,
        language: str = "en",
    ) -> int:
        """Store the message, begin its answer and return the answer's id; the rest happens in the turn's own thread.

        `parent`: the message that `text` follows, None for a first one. Without `text`, the question to answer (again).
        `language`: the page's, for what the assistant itself has to say.
        """
        if self._closed:
            raise TryAgain(say("closing", language))
        if text is None and parent is None:
            raise ForPerson(say("nothing_asked", "en"), spanish=say("nothing_asked", "es"))
        turn = _Running(self._history.open(conversation, text, parent), language)
        self._begin(turn, choice)
        return turn.answer

    def retry(self, message: int, choice: Choice = AUTO, language: str = "en") -> int:
        """Another answer beside this one; of a question, an (other) answer to it.

        A choice of another way than the answer took is a correction: it is kept, and used from the next message on.
        """
        old = self._history.message(message)
        question = old.id if old.role == "user" else old.parent
        begun = self.start(old.conversation, None, question, choice, language)
        if old.role == "assistant" and question is not None:
            self._correct(old, question, choice)
        return begun

    def edit(self, message: int, text: str, choice: Choice = AUTO, language: str = "en") -> int:
        """The question in other words, beside the old one, and its answer."""
        old = self._history.message(message)
        if old.role != "user":
            raise ForPerson(say("only_questions", language))
        return self.start(old.conversation, text, old.parent, choice, language)

    def follow(self, message: int, language: str = "en") -> Iterator[Event]:
        """Every event of an answer from its first, then live, to the one that ends it."""
        with self._lock:
            turn = self._turns.get(message)
        return turn.follow() if turn is not None else _replayed(self._history.message(message), language)

    def stop(self, message: int) -> bool:
        """Within a second the turn has ended, whatever the model is doing. False: it was not running."""
        with self._lock:
            turn = self._turns.get(message)
        if turn is None or turn.ended.is_set():
            return False
        turn.stop.set()
        # A model that is loading, or deep in a long prompt, does not look at the event: then its turn ends without it.
        patience = threading.Timer(GRACE, self._end, (turn, Stopped("")))
        patience.daemon = True
        patience.start()
        return True

    def running(self, conversation: int) -> int | None:
        """The newest answer that is being written in this conversation."""
        with self._lock:
            turns = [turn for turn in self._turns.values() if turn.opened.conversation.id == conversation]
        return next((turn.answer for turn in reversed(turns) if not turn.ended.is_set()), None)

    def close(self) -> None:
        """What still runs is marked interrupted, its text kept. Nothing can be started after this."""
        with self._lock:
            self._closed = True
            turns, threads = list(self._turns.values()), list(self._threads)
        for turn in turns:
            turn.stop.set()
            self._end(turn, Failed(say("interrupted", turn.language)), MessageStatus.INTERRUPTED)
        deadline = time.monotonic() + LAST_GRACE
        for thread in threads:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))

    def _correct(self, old: Message, question: int, choice: Choice) -> None:
        if self._corrections is None or choice.route not in [route.value for route in Route] or old.route is None:
            return
        route = Route(choice.route)
        same_tool = route is not Route.TOOL or choice.tool in ("", old.tool)
        same_one = route is not Route.PERSONA or choice.persona in ("", old.persona)
        if route is old.route and same_tool and same_one and not choice.arguments:
            return
        was = RouteChosen(old.route, old.reason, old.confidence, old.tool, dict(old.arguments), old.persona)
        text = self._history.message(question).text
        try:
            self._corrections.add(question, text, was, route, choice.tool, choice.arguments, choice.persona)
        except Exception:  # the answer is what was asked for
            _log.exception("the correction of answer %d could not be stored", old.id)

    # ── one turn ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, turn: _Running, choice: Choice) -> None:
        name = f"turn-{turn.answer}"
        threads = [
            threading.Thread(target=self._run, args=(turn, choice), name=name, daemon=True),
            threading.Thread(target=self._keep, args=(turn,), name=f"{name}-kept", daemon=True),
        ]
        with self._lock:
            self._turns[turn.answer] = turn
            ended = [number for number, old in self._turns.items() if old.ended.is_set()]
            for number in ended[: max(0, len(self._turns) - KEPT)]:
                del self._turns[number]
            self._threads = [thread for thread in self._threads if thread.is_alive()] + threads
        for thread in threads:
            thread.start()

    def _run(self, turn: _Running, choice: Choice) -> None:
        opened = turn.opened
        try:
            events = self._agent.run(
                opened.text,
                history=list(_said(opened.earlier)),
                documents=list(opened.documents) or None,
                choice=choice,
                conversation=opened.conversation,
                message=turn.answer,
                language=turn.language,
                stop=turn.stop,
                attempt=opened.attempt,
            )
            with closing(events):  # type: ignore[type-var]  # a generator
                for event in events:
                    if isinstance(event, TERMINAL):
                        return self._end(turn, event)
                    if not turn.add(event):
                        return None  # it was ended from outside
            self._end(turn, Stopped("") if turn.stop.is_set() else Failed(say("silent", turn.language)))
        except BaseException:  # a thread has nobody to raise to; without an end its followers would wait for ever
            _log.exception("the turn of answer %d failed", turn.answer)
            self._end(turn, Failed(say("bug", turn.language)))

    def _keep(self, turn: _Running) -> None:
        """Write the text so far: soon after the first event, then at once when something is new, but not too often."""
        kept = 0

        def news() -> bool:
            return turn.claimed or len(turn.events) > kept

        while True:
            with turn.changed:
                turn.changed.wait_for(news)
            if not kept:
                turn.ended.wait(FIRST_FLUSH)
            with turn.changed:
                if turn.claimed:
                    return
                kept, chosen = len(turn.events), turn.route
                text, citations, passages, steps = turn.text, turn.citations, turn.passages, turn.steps
            try:
                if chosen is None:
                    self._history.grow(turn.answer, text)
                else:
                    self._history.grow(
                        turn.answer, text, citations=citations, passages=passages, chosen=chosen, steps=steps
                    )
            except UnknownMessage:  # purged while it was written
                turn.stop.set()
                return
            except Exception:
                _log.exception("the text so far of answer %d could not be stored", turn.answer)
            turn.ended.wait(FLUSH_EVERY)

    def _end(self, turn: _Running, event: Event, status: MessageStatus | None = None) -> None:
        """The one end of a turn: stored first, then published. The second caller comes too late."""
        if not turn.claim():
            return
        try:
            event = self._store(turn, event, status)
        except UnknownMessage:  # purged while it was written: nothing to keep
            pass
        except Exception:
            _log.exception("answer %d could not be stored", turn.answer)
            event = Failed(say("not_saved", turn.language))
        turn.end(event)

    def _store(self, turn: _Running, event: Event, status: MessageStatus | None) -> Event:
        text = cited(turn.text, turn.citations)
        answered = event if isinstance(event, Answered) else Answered(text, turn.citations, None, usage=_NO_USAGE)
        if isinstance(event, Stopped):
            event = replace(event, text=text)
        self._history.finish(
            turn.answer,
            text=answered.text,
            status=status or _STATUS[type(event)],
            chosen=turn.route,
            steps=turn.steps,
            settings=answered.settings,
            basis=answered.basis,
            citations=answered.citations,
            passages=turn.passages,
            usage=answered.usage if answered.usage != _NO_USAGE else None,
            model=answered.usage.model,
            draft=answered.draft,
            failure=event.message if isinstance(event, Failed) else "",
        )
        return event


def _said(lines: Sequence[Line]) -> Iterator[Turn]:
    """Answers with who gave them, so that a persona does not take another's words for its own; questions as they were
    read, without the @name that called a persona."""
    for at, line in enumerate(lines):
        if not line.text:
            continue
        if line.role == "user":
            answer = next((one for one in lines[at + 1 : at + 2] if one.role != "user"), None)
            yield Turn(line.role, as_read(line.text, answer.persona if answer else ""))
        else:
            yield Said(line.role, line.text, line.persona)


def _replayed(answer: Message, language: str) -> Iterator[Event]:
    """The events of an answer that is only in the history."""
    if answer.route is not None:
        yield RouteChosen(
            answer.route, answer.reason, answer.confidence, answer.tool, dict(answer.arguments), answer.persona
        )
    yield from answer.steps
    if answer.passages:
        yield PassagesFound(answer.passages, 0.0)
    match answer.status:
        case MessageStatus.COMPLETE:
            usage, settings = answer.usage or _NO_USAGE, dict(answer.settings)
            yield Answered(answer.text, answer.citations, answer.basis, usage, answer.draft, settings)
        case MessageStatus.STOPPED:
            yield TextDelta(answer.text, answer.citations)
            yield Stopped(answer.text)
        case _:
            yield TextDelta(answer.text, answer.citations)
            yield Failed(answer.failure or say("interrupted", language))
