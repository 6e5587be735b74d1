"""The rules of ShareGPT rows, as LLaMA-Factory and axolotl read them: human and observation take turns with gpt."""

from __future__ import annotations

import json
from typing import Any

from tuning.checking.values import Note, is_a, short, wrong_type

Row = dict[str, Any]

_ASKS = frozenset(("human", "user", "prompter", "observation", "tool", "tool_response", "function_response"))
_ANSWERS = frozenset(("gpt", "assistant", "chatgpt", "bing", "bard", "model", "function_call", "tool_call"))
_CALLS = frozenset(("function_call", "tool_call"))
_KNOWN = _ASKS | _ANSWERS | {"system"}
_SILENT = frozenset(("observation", "tool", "tool_response", "function_response"))  # may answer with nothing


def conversation(row: Row, note: Note) -> None:
    entries = row.get("conversations")
    paired = "chosen" in row or "rejected" in row
    if type(row.get("system", "")) not in (str, type(None)):
        wrong_type(note, "system", row["system"], "text")
    _tools(row, note)
    if type(entries) is list and entries:
        for at, entry in enumerate(entries):
            _entry(entry, f"conversations[{at}]", note)
        _order(entries, note, paired=paired)
    elif entries is None:
        note("conversations", "messages_missing", found="conversations")
    elif type(entries) is list:
        note("conversations", "messages_empty")
    else:
        is_a(note, "conversations", "messages_not_list", entries)
    if paired:
        _pair(row, note)


def _tools(row: Row, note: Note) -> None:
    tools = row.get("tools")
    if tools is None or type(tools) is list:
        return
    try:
        if type(tools) is str and (not tools or type(json.loads(tools)) is list):
            return
    except (ValueError, RecursionError):
        pass
    note("tools", "arguments_not_json", found=short(tools))


def _speaker(entry: Any) -> Any:
    return entry.get("from", entry.get("role")) if type(entry) is dict else None


def _entry(entry: Any, place: str, note: Note) -> None:
    if type(entry) is not dict:
        is_a(note, place, "message_not_object", entry)
        return
    who = _speaker(entry)
    if type(who) is not str or who not in _KNOWN:
        code = "role_missing" if who is None else "role_unknown"
        note(f"{place}.from", code, found=short(who), known="system, human, gpt, function_call, observation")
        who = ""
    value = entry.get("value", entry.get("content"))
    if type(value) is not str:
        if value is None:
            note(f"{place}.value", "content_null" if "value" in entry else "content_missing")
        else:
            is_a(note, f"{place}.value", "content_type", value)
    elif who in _CALLS:
        _call(value, f"{place}.value", note)
    elif not value and who not in _SILENT:
        note(f"{place}.value", "content_empty")
    elif value.isspace():
        note(f"{place}.value", "blank_text")


def _call(value: str, place: str, note: Note) -> None:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        note(place, "arguments_not_json", found=short(value))
        return
    for call in found if type(found) is list else [found]:
        if type(call) is not dict or type(call.get("name")) is not str:
            note(place, "call_malformed", found=short(call), wanted='{"name": …, "arguments": {…}}')


def _order(entries: list[Any], note: Note, *, paired: bool) -> None:
    speakers = [_speaker(entry) for entry in entries]
    sides = [who in _ANSWERS if type(who) is str else None for who in speakers]
    last = len(entries) - 1
    if paired:
        if sides[last]:
            note(f"conversations[{last}].from", "prompt_end")
    elif not any(sides):
        note("conversations", "no_assistant")
    elif not sides[last]:
        note(f"conversations[{last}].from", "last_not_assistant")
    begun = False
    for at, who in enumerate(speakers):
        if who == "system" and begun:
            note(f"conversations[{at}].from", "system_not_first")
        begun |= who != "system"
        if at and "system" not in (who, speakers[at - 1]) and sides[at] is not None and sides[at] == sides[at - 1]:
            note(f"conversations[{at}].from", "sides")


def _pair(row: Row, note: Note) -> None:
    for name in ("chosen", "rejected"):
        if row.get(name) is None:
            note(name, "answer_missing", found=name)
        else:
            _entry(row[name], name, note)
            if type(row[name]) is dict and _speaker(row[name]) not in (*_ANSWERS, None):
                note(f"{name}.from", "answer_role")
    if row.get("chosen") is not None and row.get("chosen") == row.get("rejected"):
        note("rejected", "answers_equal")


def conversation_texts(row: Row) -> tuple[list[str], list[str]]:
    entries = row.get("conversations")
    some = entries if type(entries) is list else []
    asked = [str(row[name]) for name in ("system", "tools") if row.get(name)]
    if "chosen" in row:
        answers = [_said([row.get(name)]) for name in ("chosen", "rejected")]
        return [*asked, *_said(some)], max(answers, key=lambda one: sum(map(len, one)))
    return [*asked, *_said(some[:-1])], _said(some[-1:])


def _said(entries: list[Any]) -> list[str]:
    return [str(entry.get("value", entry.get("content", ""))) for entry in entries if type(entry) is dict]
