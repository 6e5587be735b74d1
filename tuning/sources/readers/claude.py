"""In: a conversation as Claude exports it. Out: examples, and what of it could not be read.

    {"uuid": "…", "name": "…", "chat_messages": [
      {"uuid": "m1", "sender": "human", "text": "Hi", "content": [{"type": "text", "text": "Hi"}], "attachments": []},
      {"uuid": "m2", "sender": "assistant", "parent_message_uuid": "m1", "content": [{"type": "tool_use", …}, …]}]}

Messages follow each other in older exports; newer ones say each one's parent, and keep what was edited away: the branch
with the newest message is the shown one. The text of an attachment is part of the message it came with. Thinking is no
part of an answer; tools' traffic is left out and counted. No published schema: exports of 2024 to 2026 look like this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tuning.sources.origin import Origin
from tuning.sources.readers.fields import fields, items, moment, name, text
from tuning.sources.readers.threads import Said, Thread, examples
from tuning.sources.skipped import Place, Skipped
from tuning.values import Example, Role


def fits(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("chat_messages"), list)


def read(row: Mapping[str, Any], place: Place, origin: Origin) -> Iterator[Example | Skipped]:
    messages = [fields(message) for message in items(row.get("chat_messages"))]
    model = text(row.get("model"))
    said = [_said(message, *link, model) for message, link in zip(messages, _links(messages), strict=True)]
    shown = name(row.get("current_leaf_message_uuid"))
    yield from examples(Thread(said, shown, name(row.get("uuid"))), place, origin)


def title(row: Mapping[str, Any]) -> str:
    return text(row.get("name"))


_SENDERS = {"human": Role.USER, "user": Role.USER, "assistant": Role.ASSISTANT}
_WEB_TOOLS = {"web_search", "web_fetch", "launch_extended_search_task"}
# Tools that bring in nothing a stranger wrote; any other may.
_OWN_TOOLS = {
    "artifacts", "repl", "analysis_tool", "bash_tool", "create_file", "str_replace", "view", "present_files",
    "conversation_search", "recent_chats", "memory_user_edits", "tool_search", "end_conversation",
}  # fmt: skip
_ROOT = re.compile(r"|0{8}-0{4}-[04]0{3}-[08]0{3}-0{12}")  # the parent of a first message
_BROKEN_OFF = {"max_tokens", "user_canceled"}


def _links(messages: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(id, parent) of each message: as they say, or one after the other where they do not or contradict themselves."""
    ids = [name(message.get("uuid")) for message in messages]
    parents = [name(message.get("parent_message_uuid")) for message in messages]
    row = [str(at) for at in range(len(messages))]
    if not all(ids) or len(set(ids)) < len(ids) or not all(parents[1:]):
        return list(zip(row, ["", *row], strict=False))
    known = set(ids)
    before = ["", *ids]  # the parent of one whose own was deleted
    return [
        (one, parent if parent in known or _ROOT.fullmatch(parent) else before[at])
        for at, (one, parent) in enumerate(zip(ids, parents, strict=True))
    ]


def _said(message: Mapping[str, Any], own: str, parent: str, model: str) -> Said:
    side = _SENDERS.get(text(message.get("sender")))
    blocks = [fields(block) for block in items(message.get("content"))]
    kinds = [text(block.get("type")) for block in blocks]
    spoken = [text(block.get("text")).strip() for block, kind in zip(blocks, kinds, strict=True) if kind == "text"]
    words = "\n\n".join(one for one in spoken if one) or text(message.get("text")).strip()
    attached = [fields(file) for file in items(message.get("attachments"))]
    read = [(text(file.get("file_name")), text(file.get("extracted_content")).strip()) for file in attached]
    files = [fields(file) for file in items(message.get("files"))]
    pictures = sum(kind in {"image", "document"} for kind in kinds) or len(_unread(files, read))
    return Said(
        own,
        parent,
        side,
        "\n\n".join([*([words] if words else []), *(content for _, content in read if content)]),
        pictures + sum(not content for _, content in read),
        tools=kinds.count("tool_use") + kinds.count("tool_result"),
        untrusted=_strangers(blocks),
        finished=text(message.get("stop_reason")) not in _BROKEN_OFF and message.get("truncated") is not True,
        model=text(message.get("model")) or model,
        at=moment(message.get("created_at")),
    )


def _unread(files: list[Mapping[str, Any]], read: list[tuple[str, str]]) -> list[str]:
    """Files without their text: a document often stands in both lists."""
    known = {file for file, content in read if content}
    named = [text(file.get("file_name")) for file in files]
    return [one for one in named if not one or one not in known]


def _strangers(blocks: list[Mapping[str, Any]]) -> tuple[str, ...]:
    found = []
    for block in blocks:
        if text(block.get("type")) not in {"tool_use", "tool_result"}:
            found += ["web_page"] if items(block.get("citations")) else []
            continue
        tool = text(block.get("name"))
        if tool in _WEB_TOOLS:
            found.append("web_page")
        elif tool and tool not in _OWN_TOOLS:
            server, _, of = tool.partition(":")
            found.append(f"mcp:{server[:60]}" if of else f"tool:{tool[:60]}")
    return tuple(dict.fromkeys(found))
