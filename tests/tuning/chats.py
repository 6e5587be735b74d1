"""Conversations as people leave them in the history: written the way the app writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.events import Route, RouteChosen, Step, ToolFinished, ToolStarted
from assistant.history import History, MessageStatus
from knowledge import Citation, Passage


def chat(history: History, title: str = "") -> int:
    return history.create(title).id


def say(history: History, conversation: int, question: str, parent: int | None = None) -> int:
    return history.ask(conversation, question, parent).id


def reply(history: History, conversation: int, question: int, text: str, **more: Any) -> int:
    """An answer to the message `question`; `persona`, `route`, `steps`, `status` … as `History.finish` takes them."""
    answer = history.begin(conversation, question).id
    route = more.pop("route", Route.CHAT)
    chosen = RouteChosen(route, "", 1.0, persona=more.pop("persona", ""))
    history.finish(answer, text=text, chosen=chosen, **more)
    return answer


def exchange(history: History, conversation: int, question: str, text: str, **more: Any) -> int:
    """A question after what is shown, and its answer."""
    thread = history.thread(conversation)
    asked = say(history, conversation, question, thread[-1].id if thread else None)
    return reply(history, conversation, asked, text, **more)


def used(tool: str, result: str, **arguments: Any) -> Sequence[Step]:
    return (ToolStarted("c1", tool, arguments), ToolFinished("c1", result, True, 0.1))


def documents(text: str, quote: str, whole: str) -> dict[str, Any]:
    """Of an answer whose [1] is `quote` within the passage `whole`."""
    start = whole.index(quote)
    passage = Passage(1, "report.pdf", 3, 0, whole, 0, len(whole), 0.9, 0.8, 0.7)
    other = Passage(1, "report.pdf", 4, 1, "Another page about bridges.", 0, 27, 0.4, 0.3, 0.2)
    cited = Citation(1, 1, "report.pdf", 3, quote, start, start + len(quote), True)
    return {"text": text, "route": Route.DOCUMENTS, "citations": (cited,), "passages": (other, passage)}


STOPPED = MessageStatus.STOPPED
