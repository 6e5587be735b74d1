"""The rules of Vertex AI's tuning files: contents of parts, the sides alternating, and pairs of completions.

Keys are taken in camelCase and snake_case, as Google's parsers take both.
"""

from __future__ import annotations

import re
from typing import Any

from tuning.checking.limits import bounds
from tuning.checking.rows.tools import named, parameters, too_many, unknown_keys
from tuning.checking.values import Note, is_a, key, kind, short, wrong_type

Row = dict[str, Any]


def _both(*names: str) -> frozenset[str]:
    """Names in camelCase, and the same in snake_case."""
    return frozenset(names) | {re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name) for name in names}


_ROW_KEYS = _both(
    "systemInstruction", "contents", "tools", "toolConfig", "generationConfig", "safetySettings", "labels"
)
_PAIR_KEYS = _ROW_KEYS | {"completions"}
_CONTENT_KEYS = frozenset(("role", "parts"))
_DATA = _both("text", "inlineData", "fileData", "functionCall", "functionResponse")
_MEDIA = _both("inlineData", "fileData")
_CALLS = _both("functionCall")
_RESPONSES = _both("functionResponse")
_BESIDE = _both("thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata")
_ROLES = frozenset(("user", "model", "function", "tool"))
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")
_DECLARATIONS = _both("functionDeclarations")
_FUNCTION_KEYS = _both("name", "description", "parameters", "parametersJsonSchema", "response", "responseJsonSchema")


def _system(row: Row) -> Any:
    return row.get("systemInstruction", row.get("system_instruction"))


def conversation(row: Row, note: Note) -> None:
    unknown_keys(row, _ROW_KEYS, "", note, "extra_key")
    contents = _contents(row, note, media=True)
    if not contents:
        return
    last = _role(contents[-1])
    if not any(_role(content) == "model" for content in contents):
        note("contents", "no_assistant")
    elif last != "model":
        note(f"contents[{len(contents) - 1}].role", "last_not_assistant")


def _contents(row: Row, note: Note, *, media: bool) -> list[Any]:
    """The contents, each looked at; nothing where there is no list of them."""
    system = _system(row)
    if system is not None:
        _content(system, "systemInstruction", note, role="system", media=False)
    names = _tools(row.get("tools"), note) if "tools" in row else None
    contents = row.get("contents")
    if type(contents) is not list or not contents:
        if contents is None:
            note("contents", "messages_missing", found="contents")
        elif type(contents) is list:
            note("contents", "messages_empty")
        else:
            is_a(note, "contents", "messages_not_list", contents)
        return []
    plain = True
    for at, content in enumerate(contents):
        if not _is_plain(content):
            plain = False
            _content(content, f"contents[{at}]", note, role="", media=media)
    _sides(contents, note)
    if not plain:
        _calls(contents, note, names)
    return contents


def _is_plain(content: Any) -> bool:
    """A known role and one part of text, and nothing else; what needs more is looked at closely."""
    if type(content) is not dict or len(content) != 2 or content.get("role") not in ("user", "model"):
        return False
    parts = content.get("parts")
    return type(parts) is list and len(parts) == 1 and _is_text(parts[0])


def _is_text(part: Any) -> bool:
    return type(part) is dict and len(part) == 1 and type(part.get("text")) is str and part["text"] != ""


def _role(content: Any) -> str:
    """The side that speaks: "user" or "model"; what a tool answers is the user's side."""
    role = content.get("role") if type(content) is dict else None
    return "model" if role == "model" else "user"


def _content(content: Any, place: str, note: Note, *, role: str, media: bool) -> None:
    if type(content) is not dict:
        is_a(note, place, "message_not_object", content)
        return
    unknown_keys(content, _CONTENT_KEYS, place, note)
    found = role or content.get("role")
    if found is None:
        note(f"{place}.role", "content_role_missing")
    elif not role and (type(found) is not str or found not in _ROLES):
        note(f"{place}.role", "role_unknown", found=short(found), known="user, model")
    parts = content.get("parts")
    if parts is None:
        note(f"{place}.parts", "content_missing")
    elif type(parts) is not list:
        wrong_type(note, f"{place}.parts", parts, "a list")
    elif not parts:
        note(f"{place}.parts", "content_empty")
    else:
        for at, part in enumerate(parts):
            _part(part, f"{place}.parts[{at}]", note, _taken(found, media=media))


_TEXT = frozenset(("text",))
_OF_MODEL = _TEXT | _CALLS
_OF_USER = _TEXT | _RESPONSES | _MEDIA
_OF_USER_TEXT = _TEXT | _RESPONSES


def _taken(role: Any, *, media: bool) -> frozenset[str]:
    """What a part of that role may hold."""
    if role == "system":
        return _TEXT
    if role == "model":
        return _OF_MODEL
    return _OF_USER if media else _OF_USER_TEXT


def _part(part: Any, place: str, note: Note, taken: frozenset[str]) -> None:
    if _is_text(part):
        return
    if type(part) is not dict:
        wrong_type(note, place, part, "an object")
        return
    unknown_keys(part, _DATA | _BESIDE, place, note)
    held = sorted(_DATA & part.keys())
    if len(held) != 1:
        known = ", ".join(sorted(taken))
        note(place, "part_several" if held else "part_empty", found=" + ".join(held), known=known)
        return
    if held[0] not in taken:
        note(f"{place}.{held[0]}", "part_kind", found=held[0], known=", ".join(sorted(taken)))
    elif held[0] == "text":
        _text(part["text"], f"{place}.text", note)
    elif held[0] in _CALLS | _RESPONSES:
        _function(part[held[0]], f"{place}.{held[0]}", note, "args" if held[0] in _CALLS else "response")


def _text(value: Any, place: str, note: Note) -> None:
    if type(value) is not str:
        wrong_type(note, place, value, "text")
    elif not value:
        note(place, "content_empty")


def _function(value: Any, place: str, note: Note, data: str) -> None:
    """A call with its arguments, or an answer with its response; a response is due."""
    form = f'{{"name": …, "{data}": {{…}}}}'
    if type(value) is not dict:
        note(place, "call_malformed", found=kind(value), wanted=form)
        return
    if type(value.get("name")) is not str or not value["name"]:
        note(f"{place}.name", "call_malformed", found=f"name is {short(value.get('name'))}", wanted=form)
    inner = value.get(data)
    if inner is None and data == "response":
        note(f"{place}.response", "missing_key", found="response")
    elif type(inner) not in (dict, type(None)):
        is_a(note, f"{place}.{data}", "arguments_not_object", inner)


def _sides(contents: list[Any], note: Note) -> None:
    roles = [_role(content) for content in contents]
    if roles[0] != "user":
        note("contents[0].role", "first_not_user")
    for at in range(1, len(roles)):
        if roles[at] == roles[at - 1]:
            note(f"contents[{at}].role", "sides")


def _held(content: Any, names: frozenset[str]) -> list[tuple[int, Row]]:
    """The calls or the responses among a content's parts, with their places."""
    parts = content.get("parts") if type(content) is dict else None
    found = []
    for at, part in enumerate(parts if type(parts) is list else []):
        if type(part) is dict:
            found += [(at, part[name]) for name in names if type(part.get(name)) is dict]
    return found


def _calls(contents: list[Any], note: Note, names: set[str] | None) -> None:
    """Each content that calls is followed by one that answers as often, unless it is the last."""
    called = False
    for at, content in enumerate(contents):
        asked = _held(content, _CALLS)
        called |= bool(asked)
        if names is not None:
            for part, call in asked:
                if type(name := call.get("name")) is str and name not in names:
                    note(f"contents[{at}].parts[{part}].functionCall.name", "tool_unknown", found=short(name))
        answered = _held(contents[at + 1], _RESPONSES) if at + 1 < len(contents) else None
        if answered is not None:
            for part, call in asked[len(answered) :]:
                note(f"contents[{at}].parts[{part}]", "call_unanswered", found=short(call.get("name")))
            for part, _ in answered[len(asked) :]:
                note(f"contents[{at + 1}].parts[{part}]", "answer_without_call")
    if called and names is None:
        note("contents", "tools_missing")


def _tools(value: Any, note: Note) -> set[str] | None:
    if type(value) is not list:
        wrong_type(note, "tools", value, "a list")
        return None
    names: set[str] = set()
    count = 0
    for at, tool in enumerate(value):
        if type(tool) is not dict:
            wrong_type(note, f"tools[{at}]", tool, "an object")
            continue
        for name in _DECLARATIONS & tool.keys():
            place = f"tools[{at}].{name}"
            if type(tool[name]) is not list:
                wrong_type(note, place, tool[name], "a list")
                continue
            count += len(tool[name])
            for number, function in enumerate(tool[name]):
                _declaration(function, f"{place}[{number}]", names, note)
    too_many(count, "tools", note, bounds("vertex"))
    return names


def _declaration(value: Any, place: str, names: set[str], note: Note) -> None:
    if type(value) is not dict:
        wrong_type(note, place, value, "an object")
        return
    unknown_keys(value, _FUNCTION_KEYS, place, note)
    named(value.get("name"), f"{place}.name", names, note, pattern=_NAME)
    if type(value.get("description", "")) is not str:
        wrong_type(note, f"{place}.description", value["description"], "text")
    for name in ("parameters", "parametersJsonSchema", "parameters_json_schema"):
        if name in value:
            parameters(value[name], f"{place}.{key(name)}", note)


def preference(row: Row, note: Note) -> None:
    unknown_keys(row, _PAIR_KEYS, "", note, "extra_key")
    contents = _contents(row, note, media=False)
    if contents and _role(contents[-1]) != "user":
        note(f"contents[{len(contents) - 1}].role", "last_not_user")
    pairs = row.get("completions")
    if pairs is None:
        note("completions", "missing_key", found="completions")
    elif type(pairs) is not list:
        wrong_type(note, "completions", pairs, "a list")
    else:
        _completions(pairs, note)


def _completions(pairs: list[Any], note: Note) -> None:
    if len(pairs) != 2:
        note("completions", "completions", found=len(pairs))
    scores = []
    for at, one in enumerate(pairs):
        place = f"completions[{at}]"
        if type(one) is not dict:
            wrong_type(note, place, one, "an object")
            continue
        unknown_keys(one, frozenset(("score", "completion")), place, note)
        score = one.get("score")
        if type(score) not in (int, float) or score not in (0, 1) or score in scores:
            note(f"{place}.score", "score_value", found=short(score))
        scores.append(score)
        _completion(one.get("completion"), f"{place}.completion", note)
    bare = [one.get("completion") for one in pairs if type(one) is dict]
    if len(bare) == 2 and bare[0] is not None and bare[0] == bare[1]:
        note("completions[1].completion", "answers_equal")


def _completion(content: Any, place: str, note: Note) -> None:
    if content is None:
        note(place, "answer_missing", found=place)
        return
    if type(content) is dict and content.get("role") != "model":
        note(f"{place}.role", "answer_role")
    _content(content, place, note, role="model", media=False)


def conversation_texts(row: Row) -> tuple[list[str], list[str]]:
    contents = row.get("contents")
    some = contents if type(contents) is list else []
    return [*_said([_system(row)]), *_said(some[:-1]), *_declared(row)], _said(some[-1:])


def preference_texts(row: Row) -> tuple[list[str], list[str]]:
    contents, pairs = row.get("contents"), row.get("completions")
    answers = [_said([one.get("completion")]) for one in (pairs if type(pairs) is list else []) if type(one) is dict]
    asked = _said([_system(row), *(contents if type(contents) is list else [])])
    return asked, max(answers, key=lambda one: sum(map(len, one)), default=[])


def _declared(row: Row) -> list[str]:
    return [str(row["tools"])] if row.get("tools") else []


def _said(contents: list[Any]) -> list[str]:
    found: list[str] = []
    for content in contents:
        parts = content.get("parts") if type(content) is dict else None
        for part in parts if type(parts) is list else []:
            if type(part) is dict:
                found += [
                    value if type(value) is str else str(value) for name, value in part.items() if name not in _MEDIA
                ]
    return found
