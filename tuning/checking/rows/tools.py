"""In: the tools of a row and the calls in its messages. Out: what is wrong with them.

tools      [{"type": "function", "function": {"name": "clock", "parameters": {"type": "object", …}}}]
calls      [{"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{…}"}}]
answers    each call is answered before anyone else speaks, unless it is the last thing said
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from tuning.checking.limits import Bounds
from tuning.checking.values import Note, is_a, key, kind, short, wrong_type

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
TYPES = frozenset(("object", "array", "string", "number", "integer", "boolean", "null"))
_CALL_FORM = '{"id": …, "type": "function", "function": {"name": …, "arguments": …}}'
_TOOL_KEYS = frozenset(("type", "function"))
_FUNCTION_KEYS = frozenset(("name", "description", "parameters", "strict"))
_OBJECTS = ("properties", "$defs", "definitions", "patternProperties")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_ONES = ("items", "additionalProperties", "not")


def unknown_keys(
    item: dict[str, Any], known: frozenset[str], place: str, note: Note, code: str = "unknown_key"
) -> None:
    if not item.keys() <= known:
        for name in (name for name in item if name not in known):
            note(f"{place}.{key(name)}" if place else key(name), code, found=key(name), known=", ".join(sorted(known)))


def tools(value: Any, place: str, note: Note, bounds: Bounds, *, strict: bool = True) -> set[str] | None:
    """The names of the functions, None where there is no list of them. `strict`: keys that are not known are errors."""
    if value is None:
        return None
    if type(value) is not list:
        wrong_type(note, place, value, "a list")
        return None
    names: set[str] = set()
    for at, tool in enumerate(value):
        spot = f"{place}[{at}]"
        if type(tool) is not dict:
            wrong_type(note, spot, tool, "an object")
            continue
        if strict:
            unknown_keys(tool, _TOOL_KEYS, spot, note)
        if tool.get("type") != "function":
            note(f"{spot}.type", "tool_type", found=short(tool.get("type")))
        function(tool.get("function"), f"{spot}.function", names, note, strict=strict)
    too_many(len(value), place, note, bounds)
    return names


def too_many(count: int, place: str, note: Note, bounds: Bounds) -> None:
    if bounds.functions is not None and count > bounds.functions:
        note(place, "too_many_tools", found=count, limit=bounds.functions, provider=bounds.provider)


def function(value: Any, place: str, names: set[str], note: Note, *, strict: bool) -> None:
    if type(value) is not dict:
        if value is None:
            note(place, "missing_key", found="function")
        else:
            wrong_type(note, place, value, "an object")
        return
    if strict:
        unknown_keys(value, _FUNCTION_KEYS, place, note)
    named(value.get("name"), f"{place}.name", names, note)
    if type(value.get("description", "")) is not str:
        wrong_type(note, f"{place}.description", value["description"], "text")
    if type(value.get("strict")) not in (bool, type(None)):
        wrong_type(note, f"{place}.strict", value["strict"], "true or false")
    if "parameters" in value:
        parameters(value["parameters"], f"{place}.parameters", note)


def named(name: Any, place: str, names: set[str], note: Note, *, pattern: re.Pattern[str] = NAME) -> None:
    if type(name) is not str or not pattern.fullmatch(name):
        marks, limit = ("_ -", 64) if pattern is NAME else ("_ . : -", 128)
        note(place, "tool_name", found=short(name), marks=marks, limit=limit)
    elif name in names:
        note(place, "tool_twice", found=name)
    if type(name) is str:
        names.add(name)


def parameters(schema: Any, place: str, note: Note) -> None:
    if type(schema) is dict and str(schema.get("type", "object")).lower() != "object":
        note(place, "tool_schema", found=f"type is {short(schema['type'])}")
    for spot, found in _schema_faults(schema, place):
        note(spot, "tool_schema", found=found)


def _schema_faults(schema: Any, place: str) -> Iterator[tuple[str, str]]:
    """What is no JSON Schema in it, at any depth: the few rules that tell a slip from a schema."""
    waiting = [(schema, place)]
    while waiting:
        one, spot = waiting.pop()
        if type(one) is bool and spot != place:  # true and false are schemas too
            continue
        if type(one) is not dict:
            yield spot, f"a schema is an object, and this is {kind(one)}"
            continue
        yield from _own_faults(one, spot)
        for name in _OBJECTS:
            if type(below := one.get(name)) is dict:
                waiting += [(value, f"{spot}.{name}.{key(part)}") for part, value in below.items()]
        for name in _LISTS:
            if type(below := one.get(name)) is list:
                waiting += [(value, f"{spot}.{name}[{at}]") for at, value in enumerate(below)]
        waiting += [(one[name], f"{spot}.{name}") for name in _ONES if name in one]


def _own_faults(schema: dict[str, Any], place: str) -> Iterator[tuple[str, str]]:
    types = schema.get("type", [])
    for one in types if type(types) is list else [types]:
        if type(one) is not str or one.lower() not in TYPES:
            yield f"{place}.type", f"{short(one)} is no type"
    for name in _OBJECTS:
        if name in schema and type(schema[name]) is not dict:
            yield f"{place}.{name}", f"{name} is an object, and this is {kind(schema[name])}"
    for name in (*_LISTS, "required", "enum"):
        if name in schema and type(schema[name]) is not list:
            yield f"{place}.{name}", f"{name} is a list, and this is {kind(schema[name])}"
    required = schema.get("required")
    if type(required) is list and not all(type(one) is str for one in required):
        yield f"{place}.required", "required is a list of names"


def calls(message: dict[str, Any], place: str, note: Note, names: set[str] | None, *, as_text: bool) -> list[str]:
    """The calls of an assistant's message; their names. `as_text`: arguments are JSON inside a text, ids are due."""
    value = message["tool_calls"]
    spot = f"{place}.tool_calls"
    if type(value) is not list:
        wrong_type(note, spot, value, "a list")
        return []
    if not value:
        note(spot, "empty_list")
    seen: set[str] = set()
    found = []
    for at, call in enumerate(value):
        where = f"{spot}[{at}]"
        if type(call) is not dict:
            note(where, "call_malformed", found=kind(call), wanted=_CALL_FORM)
            continue
        _identity(call, where, seen, note, due=as_text)
        if call.get("type", None if as_text else "function") != "function":
            note(f"{where}.type", "call_malformed", found=f"type is {short(call.get('type'))}", wanted='"function"')
        found.append(called(call.get("function"), f"{where}.function", note, names, as_text=as_text))
    return [name for name in found if name]


def _identity(call: dict[str, Any], place: str, seen: set[str], note: Note, *, due: bool) -> None:
    identity = call.get("id")
    if type(identity) is str and identity:
        if identity in seen:
            note(f"{place}.id", "call_id_twice", found=short(identity))
        seen.add(identity)
    elif due or identity is not None:
        note(f"{place}.id", "call_malformed", found=f"id is {short(identity)}", wanted='"id": "…"')


def called(value: Any, place: str, note: Note, names: Collection[str] | None, *, as_text: bool) -> str:
    """A function and its arguments; its name."""
    if type(value) is not dict:
        note(place, "call_malformed", found=kind(value), wanted=_CALL_FORM)
        return ""
    name = value.get("name")
    if type(name) is not str or not name:
        note(f"{place}.name", "call_malformed", found=f"name is {short(name)}", wanted='"name": "…"')
    elif names is not None and name not in names:
        note(f"{place}.name", "tool_unknown", found=short(name))
    _arguments(value, f"{place}.arguments", note, as_text=as_text)
    return name if type(name) is str else ""


def _refuse(name: str) -> None:
    raise ValueError(name)


_decode = json.JSONDecoder(parse_constant=_refuse).decode


def _arguments(function: dict[str, Any], place: str, note: Note, *, as_text: bool) -> None:
    value = function.get("arguments")
    if type(value) is str:
        try:
            value = _decode(value)
        except (ValueError, RecursionError):
            note(place, "arguments_not_json", found=short(value))
            return
        if type(value) is not dict:
            is_a(note, place, "arguments_not_object", value)
    elif "arguments" not in function:
        note(place, "missing_key", found="arguments")
    elif as_text:
        is_a(note, place, "arguments_not_text", value)
    elif type(value) is not dict:
        is_a(note, place, "arguments_not_object", value)


def answers(messages: list[Any], place: str, note: Note) -> None:
    """That each call is answered before the conversation goes on; ids tie them where there are ids, else order."""
    waiting: dict[object, tuple[str, str]] = {}  # id, or place without one → (place, name)
    for at, message in enumerate(messages):
        if type(message) is not dict:
            continue
        spot = f"{place}[{at}]"
        if message.get("role") == "tool":
            _answered(message, spot, waiting, note)
            continue
        _unanswered(waiting, note)
        calls_here = message.get("tool_calls") if message.get("role") == "assistant" else None
        for number, call in enumerate(calls_here if type(calls_here) is list else []):
            if type(call) is dict:
                where, identity = f"{spot}.tool_calls[{number}]", call.get("id")
                inner = call.get("function")
                name = inner.get("name") if type(inner) is dict else None
                waiting[identity if type(identity) is str else (where,)] = (where, short(name))
    last = messages[-1]
    if type(last) is dict and last.get("role") == "tool":
        _unanswered(waiting, note)


def _answered(message: dict[str, Any], place: str, waiting: dict[object, tuple[str, str]], note: Note) -> None:
    identity = message.get("tool_call_id")
    if type(identity) is str and identity not in waiting:  # it may be of a call that has lost its id
        identity = next((one for one in waiting if type(one) is tuple), identity)
    elif identity is None:  # the form without ids: the first that is open, by name if it says one
        name = message.get("name")
        identity = next((one for one, (_, called_name) in waiting.items() if called_name == short(name)), None)
        identity = next(iter(waiting), None) if identity is None else identity
    if type(identity) not in (str, tuple) or waiting.pop(identity, None) is None:
        note(f"{place}.tool_call_id" if "tool_call_id" in message else place, "answer_without_call")


def _unanswered(waiting: dict[object, tuple[str, str]], note: Note) -> None:
    for where, name in waiting.values():
        note(where, "call_unanswered", found=name)
    waiting.clear()
