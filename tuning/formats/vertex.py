"""In: examples. Out: the rows that tuning Gemini on Vertex AI takes, and back.

    vertex              {"systemInstruction": {"role": "system", "parts": [{"text": "…"}]},
                         "contents": [{"role": "user", "parts": [{"text": "…"}]},
                                      {"role": "model", "parts": [{"functionCall": {"name": "…", "args": {…}}}]},
                                      {"role": "user", "parts": [{"functionResponse": {"name": "…", "response": {…}}}]},
                                      {"role": "model", "parts": [{"text": "…"}]}],
                         "tools": [{"functionDeclarations": [{"name": "…", "parameters": {…}}]}]}
    vertex-preference   {"system_instruction": {…}, "contents": [… a user's last],
                         "completions": [{"score": 1, "completion": {"role": "model", …}}, {"score": 0, …}]}

Both spellings of a key (camelCase, snake_case) are read. Sides alternate: turns of one side that follow each other
are parts of one content. A tool's answer that is no JSON object is written as {"output": "…"}, as their types say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tuning.formats import declarations
from tuning.formats.form import BadRow, Format, Lose, Refused
from tuning.formats.messages import an_object, listed, short, text_of
from tuning.formats.turns import (
    CONVERSATIONS,
    PREFERENCES,
    by_order,
    compared,
    json_object,
    lose_masks,
    spelled,
    spoken,
)
from tuning.rows import Row
from tuning.values import Answer, Call, Example, Kind, Role, Turn, preference

_SIDES = {Role.USER: "user", Role.TOOL: "user", Role.ASSISTANT: "model"}
_ROLES = {"user": Role.USER, "model": Role.ASSISTANT, "function": Role.USER, "tool": Role.USER}


def _rows(example: Example, lose: Lose) -> Iterator[Row]:
    turns = spoken(example, lose)
    lose_masks(example, lose)
    head, contents = _contents(turns, lose, "vertex")
    row: Row = {"systemInstruction": {"role": "system", "parts": head}} if head else {}
    row["contents"] = contents
    if example.tools:
        row["tools"] = [{"functionDeclarations": declarations.write(example.tools, lose)}]
    yield row


def _contents(turns: tuple[Turn, ...], lose: Lose, name: str) -> tuple[list[Row], list[Row]]:
    """The parts of the system's instruction, and what is said after it."""
    head: list[Row] = []
    contents: list[Row] = []
    for at, turn in enumerate(by_order(turns, lose)):
        field = f"turns[{at}]"
        if turn.name and turn.role is not Role.TOOL:
            lose("names", f"{field}.name")
        if turn.role is Role.SYSTEM:
            if contents:
                raise Refused("system_inside", format=name)
            head.append({"text": turn.text})
            continue
        parts = list(_parts(turn, field, lose, name))
        last = contents[-1] if contents and contents[-1]["role"] == _SIDES[turn.role] else None
        if last and (turn.role is not Role.TOOL or "functionResponse" in last["parts"][-1]):
            if turn.role is not Role.TOOL and "functionResponse" not in last["parts"][-1]:
                lose("turns", field)
            last["parts"] += parts
        else:
            contents.append({"role": _SIDES[turn.role], "parts": parts})
    return head, contents


def _parts(turn: Turn, field: str, lose: Lose, name: str) -> Iterator[Row]:
    if turn.role is Role.TOOL:
        if not turn.name:
            raise Refused("orphan", field=field)
        yield {"functionResponse": {"name": turn.name, "response": _response(turn.text, field, lose)}}
        return
    if turn.text:
        yield {"text": turn.text}
    for call in turn.calls:
        arguments = json_object(call.arguments)
        if arguments is None:
            raise Refused("arguments", format=name, name=call.name)
        if spelled(arguments) != call.arguments:
            lose("spelling", f"{field}.calls")
        yield {"functionCall": {"name": call.name, "args": arguments}}


def _response(text: str, field: str, lose: Lose) -> Row:
    found = json_object(text)
    if found is None or _wrapped(found):
        return {"output": text}
    if spelled(found) != text:
        lose("spelling", f"{field}.text")
    return found


def _wrapped(response: Row) -> bool:
    return response.keys() == {"output"} and isinstance(response["output"], str)


def _example(row: Row) -> Example:
    return Example(Kind.CONVERSATION, turns=_turns(row), tools=declarations.read(row.get("tools")))


def either(row: Row, name: str) -> Any:
    """A key in camelCase, else in snake_case."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return row.get(name, row.get(snake))


def _turns(row: Row) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    system = either(row, "systemInstruction")
    if system is not None:
        parts = listed(an_object(system, "systemInstruction").get("parts"), "systemInstruction.parts")
        turns += [Turn(Role.SYSTEM, _text(part, f"systemInstruction.parts[{at}]")) for at, part in enumerate(parts)]
    for at, content in enumerate(listed(row.get("contents"), "contents")):
        turns += _said(content, f"contents[{at}]")
    return tuple(turns)


def _said(content: Any, field: str) -> Iterator[Turn]:
    """A content's tool answers, a turn each, then what else stands in it as one turn."""
    item = an_object(content, field)
    role = item.get("role", "user")
    if not isinstance(role, str) or role not in _ROLES:
        raise BadRow("role", f"{field}.role", found=short(role))
    texts, calls = [], []
    for at, value in enumerate(listed(item.get("parts"), f"{field}.parts")):
        place = f"{field}.parts[{at}]"
        part = an_object(value, place)
        if answer := either(part, "functionResponse"):
            yield _answer(answer, place)
        elif call := either(part, "functionCall"):
            calls.append(_call(call, place))
        else:
            texts.append(_text(part, place))
    if texts or calls:
        yield Turn(_ROLES[role], "\n".join(texts), calls=tuple(calls))


def _text(part: Any, field: str) -> str:
    item = an_object(part, field)
    if "text" not in item:
        raise BadRow("media", field, found=short(next(iter(item), "")))
    return text_of(item["text"], f"{field}.text")


def _call(value: Any, field: str) -> Call:
    item = an_object(value, f"{field}.functionCall")
    if not isinstance(item.get("name"), str):
        raise BadRow("calls", f"{field}.functionCall")
    return Call(item["name"], spelled(item.get("args") or {}))


def _answer(value: Any, field: str) -> Turn:
    item = an_object(value, f"{field}.functionResponse")
    response = an_object(item.get("response") or {}, f"{field}.functionResponse.response")
    text = response["output"] if _wrapped(response) else spelled(response)
    return Turn(Role.TOOL, text, name=text_of(item.get("name"), f"{field}.functionResponse.name"))


def _preference_rows(example: Example, lose: Lose) -> Iterator[Row]:
    """Text alone: their preference tuning takes neither tools nor images."""
    for prompt, better, worse in compared(example, lose):
        if example.tools or any(
            turn.calls or turn.role is Role.TOOL for turn in (*prompt, *better.turns, *worse.turns)
        ):
            raise Refused("tool_calls", format="vertex-preference")
        head, contents = _contents(prompt, lose, "vertex-preference")
        row: Row = {"system_instruction": {"parts": head}} if head else {}
        sides = [{"score": 1, "completion": _one(better, lose)}, {"score": 0, "completion": _one(worse, lose)}]
        yield row | {"contents": contents, "completions": sides}


def _one(answer: Answer, lose: Lose) -> Row:
    if len(answer.turns) > 1:
        raise Refused("several_turns", format="vertex-preference", turns=len(answer.turns))
    return _contents(answer.turns, lose, "vertex-preference")[1][0]


def _preference_example(row: Row) -> Example:
    sides: dict[int, Answer] = {}
    completions = listed(row.get("completions"), "completions")
    for at, value in enumerate(completions):
        item = an_object(value, f"completions[{at}]")
        if item.get("score") in (0, 1):
            said = tuple(_said(item.get("completion"), f"completions[{at}].completion"))
            sides[int(item["score"])] = Answer(said)
    if len(completions) != 2 or len(sides) != 2:
        raise BadRow("completions", "completions")
    return preference(_turns(row), sides[1], sides[0])


def _looks_like_conversation(row: Row) -> bool:
    return isinstance(row.get("contents"), list) and "completions" not in row


def _looks_like_preference(row: Row) -> bool:
    return isinstance(row.get("contents"), list) and "completions" in row


CONVERSATION = Format("vertex", CONVERSATIONS, _rows, _example, _looks_like_conversation)
PREFERENCE = Format("vertex-preference", PREFERENCES, _preference_rows, _preference_example, _looks_like_preference)
