"""In: the parts, plain JSON arguments. Out: rows of plain JSON: what `afina ask` and `afina chats` print.

The positional parameters are parts (attributes of Parts), the keyword-only ones are JSON; see assistant.service.verbs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from assistant.agent.approvals import Approvals
from assistant.choice import Choice
from assistant.events import Answered, Decision, Event, Route, RouteChosen, to_row
from assistant.history import Conversation, History, Message
from assistant.sentences import say
from assistant.small_talk import is_small_talk
from assistant.turns import Turns
from knowledge import Progress
from knowledge.language import detect
from knowledge.library import Library

Row = dict[str, Any]

_ROUTES = {"tools": "tool"}  # the command line's word → the route's


def ask(
    library: Library,
    history: History,
    turns: Turns,
    *,
    question: str,
    files: list[str] | None = None,
    persona: str | None = None,
    model: str = "",
    route: Literal["auto", "documents", "tools", "chat"] = "auto",
    tool: str = "",
    arguments: dict[str, Any] | None = None,
    language: str = "en",
    stop: threading.Event | None = None,
) -> Iterator[Row]:
    """A conversation of its own, in the history like any other. Files are added to the library first and asked alone.

    {"type": "progress", path, document, title, status, …} per step of a file; {"type": "asked", conversation, message};
    then events; the last row is "answered", "failed" or "stopped". "answered" has a `note` where there are documents
    and the answer is not from them. After "approval_needed" the turn waits for the verb `approve`.

    `tool` is called whatever the message says; without `arguments` they are read from the message.
    """
    if refused := _refused(question, route, tool, arguments):
        yield _failed(say(refused, language))
        return
    stop = stop or threading.Event()
    documents = []
    for file in files or ():
        last: Progress | None = None
        for last in library.add(Path(file), stop=stop):
            yield _progress(file, last, language)
        if last is not None and last.document is not None and last.status.searchable:
            documents.append(last.document)
    if stop.is_set():
        yield {"type": "stopped", "text": ""}
    elif files and not documents:
        yield _failed(say("no_file", language))
    else:
        way = "tool" if tool else _ROUTES.get(route, route)
        choice = Choice(route=way, tool=tool, arguments=arguments or {}, persona=persona or "", model=model)
        yield from _answered(library, history, turns, question, documents, choice, language, stop)


def _refused(question: str, route: str, tool: str, arguments: dict[str, Any] | None) -> str:
    """The sentence that says why this cannot be asked; "" where it can."""
    if not question.strip():
        return "no_question"
    if tool and route not in ("auto", "tools"):
        return "tool_and_route"
    return "arguments_of_none" if arguments is not None and not tool else ""


def approve(
    approvals: Approvals, *, message: int, call: str, decision: Literal["once", "always", "deny"]
) -> Iterator[Row]:
    """A person's word on a tool that waits: {message, call, decision, given}. `given` is false where nothing waits."""
    given = approvals.give(message, call, Decision(decision))
    yield {"message": message, "call": call, "decision": decision, "given": given}


def _answered(
    library: Library,
    history: History,
    turns: Turns,
    question: str,
    documents: list[int],
    choice: Choice,
    language: str,
    stop: threading.Event,
) -> Iterator[Row]:
    conversation = history.create().id
    for document in documents:
        history.attach(conversation, document)
    message = turns.start(conversation, question, None, choice, language)
    yield {"type": "asked", "conversation": conversation, "message": message}
    ended = threading.Event()
    threading.Thread(target=_watch, args=(stop, ended, turns, message), daemon=True).start()
    chosen: Route | None = None
    try:
        for event in turns.follow(message):
            if isinstance(event, RouteChosen):
                chosen = event.route
            yield _row(event, chosen, _note(library, question, event, chosen, language))
    finally:
        ended.set()
        turns.stop(message)  # whoever asked went away; nothing happens when it had ended


def _watch(stop: threading.Event, ended: threading.Event, turns: Turns, message: int) -> None:
    while not ended.is_set():
        if stop.wait(0.2):
            turns.stop(message)
            return


def _note(library: Library, question: str, event: Event, chosen: Route | None, language: str) -> str:
    """Of an answer that someone may take for the documents' word, and is not."""
    if not isinstance(event, Answered) or event.basis is not None or is_small_talk(question) or chosen is Route.TOOL:
        return ""
    searchable = any(document.status.searchable for document in library.documents())
    return say("not_from_documents", detect(question) or language) if searchable else ""


def _row(event: Event, chosen: Route | None, note: str = "") -> Row:
    if not isinstance(event, Answered):
        return to_row(event)
    return {
        "type": "answered",
        "text": event.text,
        "route": chosen.value if chosen else None,
        "citations": [
            {
                "n": citation.n,
                "document": citation.document,
                "title": citation.title,
                "page": citation.page,
                "quote": citation.quote,
                "verified": citation.verified,
            }
            for citation in event.citations
        ],
        "basis": event.basis.value if event.basis else None,
        "usage": asdict(event.usage),
        "note": note,
    }


def _progress(path: str, progress: Progress, language: str) -> Row:
    row = {"type": "progress", "path": path, **asdict(progress), "message": progress.said(language)}
    del row["outcome"]  # what the message says, for another language
    return row


def _failed(message: str) -> Row:
    return {"type": "failed", "message": message, "retryable": False}


# ── chats ────────────────────────────────────────────────────────────────────────────────────────────────────────


def chats_list(history: History, *, search: str = "") -> Iterator[Row]:
    """Newest first: {conversation, title, messages, created_at, updated_at}."""
    for conversation in history.conversations(search):
        yield _conversation(conversation)


def chats_show(history: History, *, conversation: int) -> Iterator[Row]:
    """The shown thread, one row per message, oldest first."""
    for message in history.thread(conversation):
        yield _message(message)


def chats_export(
    history: History,
    *,
    conversation: int | None = None,
    format: Literal["json", "markdown", "jsonl"] = "json",  # noqa: A002
) -> Iterator[Row]:
    """One conversation, or all of them.

    json: one row {"conversations": [{conversation, title, …, documents, shown: message, messages: [whole tree]}]};
    jsonl: one such conversation per row; markdown: one row {"text"} per conversation, its shown thread.
    """
    chosen = [history.conversation(conversation)] if conversation is not None else history.conversations()
    match format:
        case "json":
            yield {"conversations": [_whole(history, one) for one in chosen]}
        case "jsonl":
            for one in chosen:
                yield _whole(history, one)
        case "markdown":
            for one in chosen:
                yield {"text": _markdown(one, history.thread(one.id))}


def chats_rename(history: History, *, conversation: int, title: str) -> Iterator[Row]:
    yield _conversation(history.rename(conversation, title))


def chats_delete(history: History, *, conversation: int) -> Iterator[Row]:
    """Out of sight; `History.restore` brings it back until it is purged."""
    gone = history.conversation(conversation)
    history.delete(conversation)
    yield {**_conversation(gone), "deleted": True}


def _conversation(one: Conversation) -> Row:
    return {
        "conversation": one.id,
        "title": one.title,
        "messages": one.messages,
        "created_at": one.created_at.isoformat(),
        "updated_at": one.updated_at.isoformat(),
    }


def _whole(history: History, one: Conversation) -> Row:
    messages = [_message(message) for message in history.messages(one.id)]
    shown = next((message.id for message in history.thread(one.id, limit=1)), None)  # the shown branch ends there
    return {**_conversation(one), "documents": history.attached(one.id), "shown": shown, "messages": messages}


def _message(message: Message) -> Row:
    row = asdict(message)
    return {**row, "created_at": message.created_at.isoformat()}


def _markdown(one: Conversation, thread: list[Message]) -> str:
    parts = [f"# {one.title}"]
    for message in thread:
        spoke = "Afina" + f" ({message.persona})" * bool(message.persona)
        parts.append(f"## {'You' if message.role == 'user' else spoke}\n\n{message.text}")
        parts.extend(
            f"- [{citation.n}] {citation.title}, p. {citation.page}: “{' '.join(citation.quote.split())}”"
            for citation in message.citations
        )
    return "\n\n".join(parts) + "\n"
