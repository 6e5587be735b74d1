"""In: turns. Out: chat messages as OpenAI and TRL write them, and back.

    OpenAI   {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function":
              {"name": "clock", "arguments": "{\\"zone\\": \\"UTC\\"}"}}], "weight": 0}
    TRL      {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function":
              {"name": "clock", "arguments": {"zone": "UTC"}}}]}        arguments as an object, ids only where they are

Reading takes both, and what older files hold: `function_call`, the role "function", content as a list of text parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tuning.formats.form import BadRow, Lose, Refused
from tuning.formats.turns import json_object, json_value, spelled
from tuning.rows import Row
from tuning.values import Call, Role, Turn

ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # of a participant or a function, as OpenAI takes them


def openai_message(turn: Turn, field: str, lose: Lose) -> Row:
    """Of a turn whose calls are tied. Masks are written by the one that has them."""
    if turn.role is Role.TOOL:
        if not turn.call_id:
            raise Refused("orphan", field=field)
        return {"role": "tool", "tool_call_id": turn.call_id, "content": turn.text}
    message: Row = {"role": turn.role.value}
    if turn.text:
        message["content"] = turn.text
    if turn.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in turn.calls
        ]
    if turn.name:
        if NAME.fullmatch(turn.name):
            message["name"] = turn.name
        else:
            lose("names", f"{field}.name")
    return message


def trl_message(turn: Turn, field: str, lose: Lose) -> Row:
    message: Row = {"role": turn.role.value, "content": turn.text}
    if turn.calls:
        message["tool_calls"] = [_trl_call(call, field, lose) for call in turn.calls]
    if turn.call_id:
        message["tool_call_id"] = turn.call_id
    if turn.name:
        message["name"] = turn.name
    return message


def _trl_call(call: Call, field: str, lose: Lose) -> Row:
    arguments = json_object(call.arguments)
    if arguments is not None and spelled(arguments) != call.arguments:
        lose("spelling", f"{field}.calls")
    function = {"name": call.name, "arguments": call.arguments if arguments is None else arguments}
    return ({"id": call.id} if call.id else {}) | {"type": "function", "function": function}


def written(
    turns: Sequence[Turn], write: Callable[[Turn, str, Lose], Row], lose: Lose, field: str = "turns"
) -> list[Row]:
    return [write(turn, f"{field}[{at}]", lose) for at, turn in enumerate(turns)]


def turns_of(messages: Any, field: str) -> tuple[Turn, ...]:
    """A tool's answer takes the name of the call that it answers, where it has none of its own."""
    turns, names = [], dict[str, str]()
    for at, message in enumerate(listed(messages, field)):
        turn = _turn(message, f"{field}[{at}]")
        names |= {call.id: call.name for call in turn.calls if call.id}
        if turn.role is Role.TOOL and not turn.name:
            turn = replace(turn, name=names.get(turn.call_id, ""))
        turns.append(turn)
    return tuple(turns)


def _turn(message: Any, field: str) -> Turn:
    item = an_object(message, field)
    role = item.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise BadRow("role", f"{field}.role", found=short(role))
    text = text_of(item.get("content"), f"{field}.content")
    calls = tuple(
        _call(call, f"{field}.tool_calls[{at}]")
        for at, call in enumerate(listed(item.get("tool_calls") or [], f"{field}.tool_calls"))
    )
    if item.get("function_call"):  # before tool_calls there was one call a message, without an id
        calls += (_function(item["function_call"], "", f"{field}.function_call"),)
    return Turn(
        ROLES[role],
        text or text_of(item.get("refusal"), f"{field}.refusal"),
        calls=calls,
        call_id=text_of(item.get("tool_call_id"), f"{field}.tool_call_id"),
        name=text_of(item.get("name"), f"{field}.name"),
        learn=_learned(item.get("weight"), f"{field}.weight"),
    )


def _learned(weight: Any, field: str) -> bool:
    if weight is None:
        return True
    if isinstance(weight, bool) or weight not in (0, 1):
        raise BadRow("weight", field)
    return bool(weight)


def _call(value: Any, field: str) -> Call:
    item = an_object(value, field)
    return _function(item.get("function"), text_of(item.get("id"), f"{field}.id"), field)


def _function(value: Any, identity: str, field: str) -> Call:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise BadRow("calls", field)
    arguments = value.get("arguments", {})
    return Call(value["name"], arguments if isinstance(arguments, str) else spelled(arguments), identity)


def tools_of(value: Any, field: str) -> tuple[Row, ...]:
    """A list of tools, or the JSON text of one."""
    found = json_value(value) if isinstance(value, str) and value else value
    return tuple(an_object(tool, f"{field}[{at}]") for at, tool in enumerate(listed(found or [], field)))


def text_of(value: Any, field: str) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if not isinstance(value, list):
        raise BadRow("not_text", field)
    return "\n".join(_part(part, f"{field}[{at}]") for at, part in enumerate(value))


def _part(value: Any, field: str) -> str:
    item = {"type": "text", "text": value} if isinstance(value, str) else an_object(value, field)
    kind = item.get("type", "text")
    text = item.get("refusal" if kind == "refusal" else "text")
    if kind not in ("text", "refusal") or not isinstance(text, str):
        raise BadRow("media", field, found=short(kind))
    return text


def listed(value: Any, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadRow("missing" if value is None else "not_list", field)
    return value


def an_object(value: Any, field: str) -> Row:
    if not isinstance(value, dict):
        raise BadRow("missing" if value is None else "not_object", field)
    return value


def short(value: Any) -> str:
    """A value to show in a sentence."""
    return repr(value)[:40]
