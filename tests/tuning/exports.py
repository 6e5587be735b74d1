"""Exports as other products write them, made up: the shapes are theirs, the words ours. Whole, and in every mess."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Json = Any
BEGAN = 1_700_000_000.5  # 2023-11-14T22:13:20Z


def written(path: Path, value: Json, *, encoding: str = "utf-8") -> Path:
    path.write_bytes(json.dumps(value, ensure_ascii=False).encode(encoding))
    return path


def lines(path: Path, rows: Sequence[Json]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def zipped(path: Path, members: Mapping[str, Json]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in members.items():
            archive.writestr(name, value if isinstance(value, bytes) else json.dumps(value))
    return path


# ── ChatGPT ──────────────────────────────────────────────────────────────────────────────────────────────────────


def node(
    name: str,
    parent: str | None,
    role: str = "",
    words: str | list[Json] | None = None,
    *,
    kind: str = "text",
    **more: Json,
) -> dict[str, Json]:
    """A knot of a ChatGPT conversation; without a role it is the empty root."""
    if not role:
        return {"id": name, "message": None, "parent": parent, "children": []}
    parts = words if isinstance(words, list) else [words or ""]
    content = {"content_type": kind, "parts": parts} if kind in ("text", "multimodal_text") else {"text": words}
    message = {
        "id": name,
        "author": {"role": role, "name": None, "metadata": {}},
        "create_time": BEGAN,
        "update_time": None,
        "content": {"content_type": kind, **content},
        "status": "finished_successfully",
        "end_turn": True if role == "assistant" else None,
        "weight": 1.0,
        "metadata": {"model_slug": "gpt-4o"} if role == "assistant" else {},
        "recipient": "all",
        "channel": None,
        **more,
    }
    return {"id": name, "message": message, "parent": parent, "children": []}


def chatgpt(*nodes: dict[str, Json], shown: str = "", own: str = "conv-1", **more: Json) -> dict[str, Json]:
    mapping = {one["id"]: one for one in nodes}
    for one in nodes:
        if one["parent"] in mapping:
            mapping[one["parent"]]["children"].append(one["id"])
    head = {"title": "A talk", "create_time": BEGAN, "update_time": BEGAN + 60}
    tail = {"current_node": shown or nodes[-1]["id"], "conversation_id": own, "id": own, "is_archived": False}
    return {**head, "mapping": mapping, "moderation_results": [], **tail, **more}


def chatgpt_talk(*words: str, own: str = "conv-1", **more: Json) -> dict[str, Json]:
    """Question, answer, question, answer …, with the empty root and the hidden system message real ones begin with."""
    hidden = {"is_visually_hidden_from_conversation": True}
    nodes = [node("root", None), node("system", "root", "system", "", metadata=hidden)]
    before = "system"
    for at, said in enumerate(words):
        nodes.append(node(f"m{at}", before, "assistant" if at % 2 else "user", said))
        before = f"m{at}"
    return chatgpt(*nodes, own=own, **more)


# ── Claude ───────────────────────────────────────────────────────────────────────────────────────────────────────

ROOT = "00000000-0000-4000-8000-000000000000"


def block(kind: str = "text", **more: Json) -> dict[str, Json]:
    return {"start_timestamp": None, "stop_timestamp": None, "flags": None, "type": kind, **more}


def claude_message(
    name: str, sender: str, words: str = "", *, parent: str | None = None, **more: Json
) -> dict[str, Json]:
    message = {
        "uuid": name,
        "text": "",  # newer exports have the words in `content` alone
        "content": [block(text=words, citations=[])] if words else [],
        "sender": sender,
        "created_at": "2026-03-29T07:06:35.552627Z",
        "updated_at": "2026-03-29T07:06:35.552627Z",
        "attachments": [],
        "files": [],
        **more,
    }
    return message if parent is None else {**message, "parent_message_uuid": parent}


def claude(*messages: dict[str, Json], own: str = "claude-1", **more: Json) -> dict[str, Json]:
    head = {"uuid": own, "name": "A talk", "summary": "", "created_at": "2026-03-29T07:06:34Z"}
    return {**head, "updated_at": "2026-03-29T12:59:41Z", "chat_messages": list(messages), **more}


def claude_talk(*words: str, own: str = "claude-1", **more: Json) -> dict[str, Json]:
    messages = [
        claude_message(f"m{at}", "assistant" if at % 2 else "human", said, parent=f"m{at - 1}" if at else ROOT)
        for at, said in enumerate(words)
    ]
    return claude(*messages, own=own, **more)


# ── every mess ───────────────────────────────────────────────────────────────────────────────────────────────────


def mangled(value: Json, chance: random.Random, *, often: float = 0.08) -> Json:
    """The same with some of it lost, doubled, of another type, pointing at itself or buried under what nobody knows."""
    if chance.random() < often:
        return junk(chance)
    if isinstance(value, dict):
        kept = {key: mangled(one, chance, often=often) for key, one in value.items() if chance.random() > often}
        if chance.random() < often:
            kept[f"unknown_{chance.randrange(9)}"] = junk(chance)
        if len(kept) > 1 and chance.random() < often:
            one, other = chance.sample(list(kept), 2)
            kept[one] = kept[other]
        return kept
    if isinstance(value, list):
        made = [mangled(one, chance, often=often) for one in value]
        return made * 2 if made and chance.random() < often else made
    return value


def junk(chance: random.Random) -> Json:
    return chance.choice(
        [
            None, True, False, 0, -1, 1, 2.5, 1e300, -1e300, 10**30, "", " ", "x", "m0", "m1", "root", "user",
            "assistant", "human", "\ud83d", "\udc00 half", "nul\0", "\ue200cite\ue202turn0search0\ue201",
            "【1†source】", "９９", [], [[]], [None], [1, "a"], [{}], {}, {"a": None}, {"text": "x"}, {"parts": None},
            {"role": ["user"]}, {"content_type": {}}, [[[[[[]]]]]], "2026-13-45T99:99:99Z", "1e999", "9" * 400,
            {"type": "text", "text": 3},
        ]
    )  # fmt: skip


def broken_text(text: str, chance: random.Random) -> bytes:
    """Bytes of a file that something happened to."""
    data = bytearray(text.encode(chance.choice(["utf-8"] * 6 + ["utf-16", "utf-8-sig", "utf-16-le"]), "surrogatepass"))
    for _ in range(chance.choice([0, 1, 1, 2, 20])):
        at = chance.randrange(len(data))
        match chance.randrange(5):
            case 0:
                del data[at:]
            case 1:
                data[at] = chance.randrange(256)
            case 2:
                del data[at : at + chance.randrange(1, 40)]
            case 3:
                data[at:at] = chance.choice([b"[", b"{", b'"', b",", b"\n", b"\\", b"\0", b"\xff", b"NaN", b"[" * 5000])
            case 4:
                data[at:at] = data[at : at + 60]
        if not data:
            break
    return bytes(data)
