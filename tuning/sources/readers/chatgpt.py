"""In: a conversation as ChatGPT exports it. Out: examples, and what of it could not be read.

    {"id": "…", "title": "…", "current_node": "c", "mapping": {
      "a": {"parent": null, "message": null},
      "b": {"parent": "a", "message": {"author": {"role": "user"},
                                       "content": {"content_type": "text", "parts": ["…"]}}},
      "c": {"parent": "b", "message": {"author": {"role": "assistant"}, "recipient": "all", …}}}}

One conversation of conversations.json or, since 2026, of conversations-000.json and so on. The branch from
`current_node` up is the shown one. Tools' traffic is left out and counted; the marks of citations, which only ChatGPT's
own page can draw, are taken out of the text. No published schema: this is what exports of 2023 to 2026 look like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tuning.sources.origin import Origin
from tuning.sources.readers.fields import fields, items, moment, name, text
from tuning.sources.readers.threads import Said, Thread, examples
from tuning.sources.skipped import Place, Skipped
from tuning.values import Example, Role

FEEDBACK = "message_feedback.json"  # beside the conversations in the archive


def fits(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("mapping"), dict)


def read(row: Mapping[str, Any], place: Place, origin: Origin) -> Iterator[Example | Skipped]:
    mapping = fields(row.get("mapping"))
    parents = _parents(mapping)
    said = [
        _said(node, parents.get(node, ""), fields(fields(found).get("message")), origin)
        for node, found in mapping.items()
    ]
    thread = Thread(said, name(row.get("current_node")), name(row.get("conversation_id")) or name(row.get("id")))
    yield from examples(thread, place, origin)


def title(row: Mapping[str, Any]) -> str:
    return text(row.get("title"))


def liked(feedback: bytes) -> dict[str, bool]:
    """Message → whether its thumb is up, from message_feedback.json; what is no such thing is left out."""
    try:
        rows = json.loads(feedback or b"[]")
    except (ValueError, RecursionError):
        return {}
    votes = {}
    for row in map(fields, items(rows)):
        rating = re.sub(r"\W|_", "", text(row.get("rating")).lower())
        message = name(row.get("message_id")) or name(row.get("id"))
        if message and rating in _THUMBS:
            votes[message] = _THUMBS[rating]
    return votes


_THUMBS = {"thumbsup": True, "thumbsdown": False}
_SIDES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_SPOKEN = {"text", "multimodal_text"}
_THOUGHT = {"thoughts", "reasoning_recap", "user_editable_context", "model_editable_context"}
# Tools whose results are the person's own words or the model's own work; any other brings in what strangers wrote.
_OWN_TOOLS = {"python", "bio", "dalle", "canmore", "t2uay3k", "image_gen", "automations", "a8km123"}
_WEB_TOOLS = {"web", "browser", "bing", "search", "research_kickoff_tool", "webpilot"}
_BROKEN_OFF = {"interrupted", "max_tokens", "length"}
_ASSET = re.compile(r"(?:image|audio|video|file)\w*_asset_pointer|asset_pointer|\w*_container\w*")
_ENTITY = re.compile("\ue200entity\ue202([^\ue200\ue201]*)\ue201")
_MARK = re.compile(" ?\ue200[^\ue200\ue201]*\ue201|[\ue200-\ue2ff]")
_OLD_MARK = re.compile(r" ?【\d+(?::\d+)?†[^【】]{0,300}】")


def _parents(mapping: Mapping[str, Any]) -> dict[str, str]:
    """Node → its parent; from `children` where a node does not say it."""
    parents = {}
    for node, found in mapping.items():
        for child in items(fields(found).get("children")):
            parents[name(child)] = node
    for node, found in mapping.items():
        if parent := name(fields(found).get("parent")):
            parents[node] = parent
    return parents


def _said(node: str, parent: str, message: Mapping[str, Any], origin: Origin) -> Said:
    author, content = fields(message.get("author")), fields(message.get("content"))
    side, kind = _SIDES.get(text(author.get("role"))), text(content.get("content_type"))
    metadata = fields(message.get("metadata"))
    if not message or metadata.get("is_visually_hidden_from_conversation") is True or kind in _THOUGHT:
        return Said(node, parent)
    to = text(message.get("recipient")) or "all"
    if text(author.get("role")) == "tool" or (side is Role.ASSISTANT and (to != "all" or kind not in {"", *_SPOKEN})):
        tool = to if side is Role.ASSISTANT and to != "all" else text(author.get("name"))
        return Said(node, parent, tools=1, media=_made(content), untrusted=_strangers(tool, kind))
    words, media = _parts(content)
    files = 0 if side is Role.ASSISTANT else _files(metadata, content)
    plain = _plain(words)
    return Said(
        node,
        parent,
        side,
        plain,
        media + files,
        untrusted=("web_page",) if side is Role.ASSISTANT and _quotes(words, metadata) else (),
        finished=side is not Role.ASSISTANT or _finished(message, metadata),
        liked=origin.liked.get(name(message.get("id")), origin.liked.get(node)) if side is Role.ASSISTANT else None,
        model=text(metadata.get("model_slug")),
        at=moment(message.get("create_time")),
    )


def _parts(content: Mapping[str, Any]) -> tuple[str, int]:
    """What the parts say, and how many of them are pictures, sounds or files. A transcript stands for its sound."""
    texts, media, transcripts = [], 0, 0
    for part in items(content.get("parts")):
        kind = text(fields(part).get("content_type"))
        if words := text(part) or text(fields(part).get("text")):
            texts.append(words)
            transcripts += "transcription" in kind
        elif isinstance(part, dict):
            media += 1
    words = "\n\n".join(one.strip() for one in texts if one.strip()) or text(content.get("text")).strip()
    return words, max(0, media - transcripts)


def _files(metadata: Mapping[str, Any], content: Mapping[str, Any]) -> int:
    """Attached files that do not also stand among the parts."""
    shown = [text(fields(part).get("asset_pointer")) for part in items(content.get("parts"))]
    ids = [name(fields(file).get("id")) for file in items(metadata.get("attachments")) if isinstance(file, dict)]
    return sum(not (one and any(pointer.endswith(one) for pointer in shown)) for one in ids)


def _made(content: Mapping[str, Any]) -> int:
    """Pictures that a tool made for the person to see."""
    return sum(isinstance(part, dict) and "asset_pointer" in part for part in items(content.get("parts")))


def _plain(words: str) -> str:
    """Without the marks. Most texts have none, and a search for one letter is quick."""
    if any(sign in words for sign in "\ue200\ue203\ue204\ue206"):
        words = _MARK.sub("", _ENTITY.sub(lambda found: _entity(found[1]), words))
    if "【" in words:
        words = _OLD_MARK.sub("", words)
    return words.strip()


def _entity(marked: str) -> str:
    """A named thing keeps its name: `["city","Rome","capital of Italy"]`."""
    try:
        found = json.loads(marked)
    except (ValueError, RecursionError):
        return ""
    return text(found[1]) if isinstance(found, list) and len(found) > 1 else ""


def _quotes(words: str, metadata: Mapping[str, Any]) -> bool:
    """Whether it cites pages or files: a citation's mark, old or new, or the list of them."""
    cited = "\ue200cite" in words or "\ue202turn" in words or ("【" in words and _OLD_MARK.search(words))
    return bool(cited or items(metadata.get("citations")) or items(metadata.get("search_result_groups")))


def _strangers(tool: str, kind: str) -> tuple[str, ...]:
    first = re.split(r"[.\s:]", tool.lower(), maxsplit=1)[0]
    if first in _WEB_TOOLS or kind in {"sonic_webpage", "tether_quote", "tether_browsing_display"}:
        return ("web_page",)
    return () if not first or first in _OWN_TOOLS else (f"tool:{first[:60]}",)


def _finished(message: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    how = text(fields(metadata.get("finish_details")).get("type"))
    return message.get("status") != "in_progress" and how not in _BROKEN_OFF and message.get("weight") != 0
