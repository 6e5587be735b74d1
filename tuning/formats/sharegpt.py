"""In: examples. Out: ShareGPT rows, and back.

    {"conversations": [{"from": "system", "value": "…"}, {"from": "human", "value": "…"},
                       {"from": "function_call", "value": "{\\"name\\": \\"clock\\", \\"arguments\\": {}}"},
                       {"from": "observation", "value": "12:00"}, {"from": "gpt", "value": "…"}],
     "tools": "[{…}]"}
    a preference: the prompt as conversations, and "chosen" and "rejected" as one {"from": "gpt", …} each

As LLaMA-Factory and axolotl read it; tools are JSON inside a text. Reading also takes a "system" key and other names
of the roles (user, assistant, chatgpt, bard, tool …).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tuning.formats.form import BadRow, Format, Lose, Refused
from tuning.formats.messages import an_object, listed, short, text_of, tools_of
from tuning.formats.turns import (
    CONVERSATIONS,
    by_order,
    compared,
    json_object,
    json_value,
    lose_masks,
    spelled,
    spoken,
    tied,
)
from tuning.rows import Row
from tuning.values import Answer, Call, Example, Kind, Role, Turn, preference

_NAMES = {Role.SYSTEM: "system", Role.USER: "human", Role.ASSISTANT: "gpt", Role.TOOL: "observation"}
_ROLES = {
    "system": Role.SYSTEM,
    "human": Role.USER,
    "user": Role.USER,
    "prompter": Role.USER,
    "gpt": Role.ASSISTANT,
    "assistant": Role.ASSISTANT,
    "chatgpt": Role.ASSISTANT,
    "bing": Role.ASSISTANT,
    "bard": Role.ASSISTANT,
    "model": Role.ASSISTANT,
    "observation": Role.TOOL,
    "tool": Role.TOOL,
    "tool_response": Role.TOOL,
    "function_response": Role.TOOL,
}
_CALLS = ("function_call", "tool_call")


def _rows(example: Example, lose: Lose) -> Iterator[Row]:
    more: Row = {"tools": spelled([dict(tool) for tool in example.tools])} if example.tools else {}
    if example.kind is Kind.CONVERSATION:
        turns = spoken(example, lose)
        lose_masks(example, lose)
        yield {"conversations": _entries(turns, lose)} | more
        return
    for prompt, better, worse in compared(example, lose):
        sides = {"chosen": _one(better, lose), "rejected": _one(worse, lose)}
        yield {"conversations": _entries(prompt, lose)} | sides | more


def _one(answer: Answer, lose: Lose) -> Row:
    entries = _entries(answer.turns, lose)
    if len(entries) > 1:
        raise Refused("several_turns", format="sharegpt", turns=len(entries))
    return entries[0]


def _entries(turns: tuple[Turn, ...], lose: Lose) -> list[Row]:
    entries: list[Row] = []
    for at, turn in enumerate(by_order(turns, lose)):
        if turn.name and turn.role is not Role.TOOL:
            lose("names", f"turns[{at}].name")
        if turn.role is Role.TOOL and not turn.name:
            raise Refused("orphan", field=f"turns[{at}]")
        if turn.calls and entries and entries[-1]["from"] == "gpt" and not turn.text:
            lose("turns", f"turns[{at}]")  # read back as what the turn before said and called
        if turn.text or not turn.calls:
            entries.append({"from": _NAMES[turn.role], "value": turn.text})
        if turn.calls:
            calls = [_spelled_call(call, f"turns[{at}].calls", lose) for call in turn.calls]
            entries.append({"from": "function_call", "value": spelled(calls[0] if len(calls) == 1 else calls)})
    return entries


def _spelled_call(call: Call, field: str, lose: Lose) -> Row:
    arguments = json_object(call.arguments)
    if arguments is None:
        raise Refused("arguments", format="sharegpt", name=call.name)
    if spelled(arguments) != call.arguments:
        lose("spelling", field)
    return {"name": call.name, "arguments": arguments}


def _example(row: Row) -> Example:
    turns = [Turn(Role.SYSTEM, text_of(row["system"], "system"))] if row.get("system") else []
    for at, entry in enumerate(listed(row.get("conversations"), "conversations")):
        _add(turns, _turn(entry, f"conversations[{at}]"))
    tools = tools_of(row.get("tools"), "tools")
    spoken_turns = tied_names(turns)
    if "chosen" not in row and "rejected" not in row:
        return Example(Kind.CONVERSATION, turns=spoken_turns, tools=tools)
    sides = [Answer((_turn(row.get(name), name),)) for name in ("chosen", "rejected")]
    return preference(spoken_turns, *sides, tools=tools)


def _add(turns: list[Turn], turn: Turn) -> None:
    """A call right after what the assistant said is of the same turn."""
    before = turns[-1] if turns else None
    if turn.calls and before and before.role is Role.ASSISTANT and not before.calls:
        turns[-1] = Turn(Role.ASSISTANT, before.text, calls=turn.calls)
    else:
        turns.append(turn)


def tied_names(turns: list[Turn]) -> tuple[Turn, ...]:
    """Observations carry no name: each takes that of the call it answers, by order."""
    named = tied(tuple(turns))
    return tuple(Turn(turn.role, turn.text, turn.calls, name=tie.name) for turn, tie in zip(turns, named, strict=True))


def _turn(entry: Any, field: str) -> Turn:
    item = an_object(entry, field)
    role = item.get("from", item.get("role"))
    value = text_of(item.get("value", item.get("content")), f"{field}.value")
    if role in _CALLS:
        found = json_value(value)
        calls = found if isinstance(found, list) else [found]
        return Turn(Role.ASSISTANT, calls=tuple(_call(call, f"{field}.value") for call in calls))
    if not isinstance(role, str) or role not in _ROLES:
        raise BadRow("role", f"{field}.from", found=short(role))
    return Turn(_ROLES[role], value)


def _call(value: Any, field: str) -> Call:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise BadRow("calls", field)
    arguments = value.get("arguments", {})
    return Call(value["name"], arguments if isinstance(arguments, str) else spelled(arguments))


def _looks_like(row: Row) -> bool:
    return isinstance(row.get("conversations"), list)


SHAREGPT = Format("sharegpt", CONVERSATIONS, _rows, _example, _looks_like)
