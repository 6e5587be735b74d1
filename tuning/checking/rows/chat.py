"""In: a list of chat messages. Out: what is wrong with each, and with their order.

Roles, their keys and the parts of their content are OpenAI's, as their OpenAPI document has them for fine-tuning files
(text and images in; audio and files are not taken). TRL reads the same roles with fewer rules: its dialect is below.

A message with a role and a text and nothing else is the common case: it is told by two look-ups (0.4 µs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuning.checking.limits import Bounds
from tuning.checking.rows import tools
from tuning.checking.values import Note, is_a, short, wrong_type


@dataclass(frozen=True, slots=True)
class Role:
    keys: frozenset[str]
    parts: frozenset[str]  # types that its content may list
    needs: tuple[str, ...] = ()  # besides content


@dataclass(frozen=True, slots=True)
class Dialect:
    roles: Mapping[str, Role]
    strict: bool  # a key that is not known is an error; arguments are text; calls have ids


def _role(keys: str, parts: str = "text", needs: str = "") -> Role:
    return Role(frozenset(("role", "content", *keys.split())), frozenset(parts.split()), tuple(needs.split()))


OPENAI = Dialect(
    {
        "system": _role("name"),
        "developer": _role("name"),
        "user": _role("name", "text image_url"),
        "assistant": _role("name refusal tool_calls function_call weight", "text refusal"),
        "tool": _role("tool_call_id", needs="tool_call_id"),
        "function": _role("name", needs="name"),
    },
    strict=True,
)
_MEDIA = "text image image_url video audio"
TRL = Dialect(
    {
        "system": _role("name", _MEDIA),
        "developer": _role("name", _MEDIA),
        "user": _role("name", _MEDIA),
        "assistant": _role("name tool_calls thinking reasoning_content", _MEDIA),
        "tool": _role("name tool_call_id", _MEDIA),
    },
    strict=False,
)


def conversation(value: Any, place: str, note: Note, dialect: Dialect, names: set[str] | None) -> bool:
    """Each message of a list. Out: whether it is a list with something in it. `names`: of the row's tools."""
    if type(value) is not list or not value:
        _no_messages(value, place, note)
        return False
    plain = True
    for at, message in enumerate(value):
        if not _is_plain(message, dialect.roles):
            plain = False
            _message(message, f"{place}[{at}]", note, dialect, names)
    if not plain:
        _calls(value, place, note, names)
    _system_first(value, place, note)
    return True


def _no_messages(value: Any, place: str, note: Note) -> None:
    if value is None:
        note(place, "messages_missing", found=place.rpartition(".")[2])
    elif type(value) is list:
        note(place, "messages_empty")
    else:
        is_a(note, place, "messages_not_list", value)


def _is_plain(message: Any, roles: Mapping[str, Role]) -> bool:
    """A known role and a text that is not blank, and nothing else; what needs more is looked at closely."""
    if type(message) is not dict or len(message) != 2:
        return False
    role, content = message.get("role"), message.get("content")
    return (
        type(role) is str
        and type(content) is str
        and role != "developer"
        and role in roles
        and not roles[role].needs
        and content != ""
        and not content.isspace()
    )


def _message(message: Any, place: str, note: Note, dialect: Dialect, names: set[str] | None) -> None:
    if type(message) is not dict:
        is_a(note, place, "message_not_object", message)
        return
    name = message.get("role")
    role = dialect.roles.get(name) if type(name) is str else None
    if role is None:
        known = ", ".join(dialect.roles)
        missing = "role" not in message
        note(f"{place}.role", "role_missing" if missing else "role_unknown", known=known, found=short(name))
        return
    if name == "developer" and dialect.strict:
        note(f"{place}.role", "developer_role")
    _keys(message, role, place, note, dialect)
    if name == "assistant":
        _assistant(message, place, note, dialect, names)
    else:
        content(message, role, place, note, due=name != "function", empty=name in ("tool", "function"))


def _keys(message: dict[str, Any], role: Role, place: str, note: Note, dialect: Dialect) -> None:
    if not message.keys() <= role.keys:
        known = role.keys
        if dialect.strict and "weight" in message and message["role"] != "assistant":
            note(f"{place}.weight", "weight_role", found=short(message["role"]))
            known |= {"weight"}
        tools.unknown_keys(message, known, place, note, "unknown_key" if dialect.strict else "extra_key")
    for name in role.needs:
        if message.get(name) is None:
            note(f"{place}.{name}", "missing_key", found=name)
    for name in ("name", "tool_call_id", "refusal"):
        if type(message.get(name)) not in (str, type(None)):
            wrong_type(note, f"{place}.{name}", message[name], "text")


def _assistant(message: dict[str, Any], place: str, note: Note, dialect: Dialect, names: set[str] | None) -> None:
    if message.get("tool_calls") is not None:
        tools.calls(message, place, note, names, as_text=dialect.strict)
    if dialect.strict and message.get("function_call") is not None:
        tools.called(message["function_call"], f"{place}.function_call", note, names, as_text=True)
    if dialect.strict and "weight" in message and not _is_weight(message["weight"]):
        note(f"{place}.weight", "weight_value", found=short(message["weight"]))
    instead = bool(message.get("refusal")) or any(
        message.get(one) is not None for one in ("tool_calls", "function_call")
    )
    content(message, dialect.roles["assistant"], place, note, due=not instead, empty=instead)


def _is_weight(value: Any) -> bool:
    return type(value) in (int, float) and value in (0, 1)


def content(message: dict[str, Any], role: Role, place: str, note: Note, *, due: bool, empty: bool) -> None:
    """`due`: it must be there. `empty`: it may be there with nothing in it."""
    spot, value = f"{place}.content", message.get("content")
    if type(value) is str:
        if not value and not empty:
            note(spot, "content_empty")
        elif value.isspace():
            note(spot, "blank_text")
    elif value is None:
        if due:
            note(spot, "content_null" if "content" in message else "content_missing")
    elif type(value) is list:
        _parts(value, role.parts, spot, note)
    else:
        is_a(note, spot, "content_type", value)


def _parts(parts: list[Any], known: frozenset[str], place: str, note: Note) -> None:
    if not parts:
        note(place, "content_empty")
    for at, part in enumerate(parts):
        spot = f"{place}[{at}]"
        if type(part) is not dict:
            wrong_type(note, spot, part, "an object")
            continue
        name = part.get("type")
        if type(name) is not str or name not in known:
            note(f"{spot}.type", "part_kind", found=short(name), known=", ".join(sorted(known)))
        elif name in ("text", "refusal"):
            _part_text(part, name, spot, note)
        elif name not in part:
            note(f"{spot}.{name}", "missing_key", found=name)
        elif name == "image_url" and not (type(part[name]) is dict and type(part[name].get("url")) is str):
            note(f"{spot}.image_url.url", "missing_key", found="url")


def _part_text(part: dict[str, Any], name: str, place: str, note: Note) -> None:
    text = part.get(name)
    if text is None:
        note(f"{place}.{name}", "missing_key", found=name)
    elif type(text) is not str:
        wrong_type(note, f"{place}.{name}", text, "text")
    elif not text:
        note(f"{place}.{name}", "empty_text")


def _calls(messages: list[Any], place: str, note: Note, names: set[str] | None) -> None:
    """Calls and answers among the messages, if there are any."""
    dicts = [message for message in messages if type(message) is dict]
    called = any(message.get("tool_calls") or message.get("function_call") for message in dicts)
    if called and names is None:
        note(place, "tools_missing")
    if called or any(message.get("role") == "tool" for message in dicts):
        tools.answers(messages, place, note)


def _system_first(messages: list[Any], place: str, note: Note) -> None:
    begun = False
    for at, message in enumerate(messages):
        role = message.get("role") if type(message) is dict else None
        if role != "system":
            begun = True
        elif begun:
            note(f"{place}[{at}].role", "system_not_first")


def learned(messages: list[Any], place: str, note: Note, *, weights: bool = True) -> None:
    """That there is an answer to learn, at the end. `weights`: whether they are read."""
    last = messages[-1]
    if type(last) is dict and last.get("role") == "assistant" and "weight" not in last:
        return
    said = [message for message in messages if type(message) is dict and message.get("role") == "assistant"]
    if not said:
        note(place, "no_assistant")
        return
    if last is not said[-1]:
        note(f"{place}[{len(messages) - 1}].role", "last_not_assistant")
    if weights and all(type(one.get("weight")) in (int, float) and one["weight"] == 0 for one in said):
        note(place, "weights_zero")


def asked(messages: list[Any], place: str, note: Note) -> None:
    """That a prompt ends with someone to answer."""
    last = messages[-1]
    if type(last) is dict and last.get("role") in ("assistant", "system", "developer"):
        note(f"{place}[{len(messages) - 1}].role", "prompt_end")


def row_tools(row: dict[str, Any], prefix: str, note: Note, bounds: Bounds) -> set[str] | None:
    """The names of the tools of a row, of both the newer and the older list; None where it has neither."""
    names = tools.tools(row.get("tools"), f"{prefix}tools", note, bounds)
    older = row.get("functions")
    if older is None:
        return names
    if type(older) is not list:
        wrong_type(note, f"{prefix}functions", older, "a list")
        return names
    found: set[str] = set()
    for at, one in enumerate(older):
        tools.function(one, f"{prefix}functions[{at}]", found, note, strict=True)
    tools.too_many(len(older), f"{prefix}functions", note, bounds)
    return (names or set()) | found


def texts(value: Any) -> list[str]:
    """All that is said in a list of messages, to be counted."""
    found: list[str] = []
    for message in value if type(value) is list else []:
        if type(message) is dict:
            found += _said(message.get("content"))
            found += [str(message[name]) for name in ("tool_calls", "function_call") if message.get(name)]
    return found


def _said(value: Any) -> list[str]:
    if type(value) is str:
        return [value]
    parts = value if type(value) is list else []
    return [part["text"] for part in parts if type(part) is dict and type(part.get("text")) is str]
