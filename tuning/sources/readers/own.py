"""In: a conversation as `afina chats export` writes it as JSON. Out: examples, and what of it could not be read.

    {"conversation": 12, "title": "…", "shown": 40, "messages": [
      {"id": 39, "parent": null, "role": "user", "text": "…", "status": "complete", "created_at": "…"},
      {"id": 40, "parent": 39, "role": "assistant", "text": "…", "liked": true, "citations": […], "steps": […]}]}

An export of the time before "shown" was written shows its newest branch. The marks [n] of citations are left out: they
lead nowhere without their passages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assistant.history import cited
from tuning.sources.origin import Origin
from tuning.sources.readers.fields import fields, items, moment, name, text
from tuning.sources.readers.threads import Said, Thread, examples
from tuning.sources.skipped import Place, Skipped
from tuning.values import Example, Role


def fits(row: Mapping[str, Any]) -> bool:
    first = fields(next(iter(items(row.get("messages"))), None))
    return "conversation" in row and (not first or {"parent", "status"} <= first.keys())


def read(row: Mapping[str, Any], place: Place, origin: Origin) -> Iterator[Example | Skipped]:
    said = [_said(fields(message), str(at)) for at, message in enumerate(items(row.get("messages")))]
    # The number of a conversation means something in its own data folder only, so its beginning goes with it.
    number, started = name(row.get("conversation")), moment(row.get("created_at"))
    known = f"{number}@{started}" if number and started else ""
    yield from examples(Thread(said, name(row.get("shown")), known), place, origin)


def title(row: Mapping[str, Any]) -> str:
    return text(row.get("title"))


_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
# Tools whose results no stranger wrote; any other's may be.
_OWN_TOOLS = {"calculator", "clock", "convert", "ask_persona", "search_documents", "read_document", "query_table"}


def _said(message: Mapping[str, Any], at: str) -> Said:
    steps = [fields(step) for step in items(message.get("steps"))]
    tools = [text(step.get("tool")) for step in steps if step.get("tool")]
    liked = message.get("liked")
    return Said(
        name(message.get("id")) or f"#{at}",
        name(message.get("parent")),
        _ROLES.get(text(message.get("role"))),
        cited(text(message.get("text")), ()).strip(),
        tools=sum("result" in step for step in steps),
        untrusted=tuple(tool for tool in dict.fromkeys(tools) if tool not in _OWN_TOOLS),
        finished=text(message.get("status")) in {"complete", ""},
        liked=liked if isinstance(liked, bool) else None,
        instead_of=name(message.get("edited_from")),
        model=text(message.get("model")),
        persona=text(message.get("persona")),
        route=text(message.get("route")),
        at=moment(message.get("created_at")),
    )
