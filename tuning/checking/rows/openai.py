"""The rules of OpenAI's fine-tuning files: chats, preferences, and prompts with their completions."""

from __future__ import annotations

from typing import Any

from tuning.checking.limits import bounds
from tuning.checking.rows import chat
from tuning.checking.rows.tools import unknown_keys
from tuning.checking.values import Note, is_a, wrong_type

Row = dict[str, Any]

_CHAT_KEYS = frozenset(("messages", "tools", "parallel_tool_calls", "functions"))
_INPUT_KEYS = frozenset(("messages", "tools", "parallel_tool_calls"))
_PREFERENCE_KEYS = frozenset(("input", "preferred_output", "non_preferred_output"))
_COMPLETION_KEYS = frozenset(("prompt", "completion"))
_ANSWER = chat.Dialect(  # of a preference: no weight
    {"assistant": chat.Role(chat.OPENAI.roles["assistant"].keys - {"weight"}, frozenset(("text", "refusal")))},
    strict=True,
)


def conversation(row: Row, note: Note) -> None:
    names = None
    if len(row) != 1 or "messages" not in row:
        unknown_keys(row, _CHAT_KEYS, "", note)
        names = chat.row_tools(row, "", note, bounds("openai"))
        _parallel(row, "", note)
    messages = row.get("messages")
    if chat.conversation(messages, "messages", note, chat.OPENAI, names):
        chat.learned(messages, "messages", note)  # type: ignore[arg-type]


def _parallel(row: Row, prefix: str, note: Note) -> None:
    if type(row.get("parallel_tool_calls", True)) is not bool:
        wrong_type(note, f"{prefix}parallel_tool_calls", row["parallel_tool_calls"], "true or false")


def conversation_texts(row: Row) -> tuple[list[str], list[str]]:
    """What stands before the last answer, and the answer; tools count too."""
    messages = row.get("messages")
    said = messages if type(messages) is list else []
    return [*chat.texts(said[:-1]), *_declared(row)], chat.texts(said[-1:])


def _declared(row: Row) -> list[str]:
    return [str(row[name]) for name in ("tools", "functions") if row.get(name)]


def preference(row: Row, note: Note) -> None:
    unknown_keys(row, _PREFERENCE_KEYS, "", note)
    names = _input(row.get("input"), note)
    sides = [_side(row, name, note, names) for name in ("preferred_output", "non_preferred_output")]
    if sides[0] is not None and sides[0] == sides[1]:
        note("non_preferred_output", "answers_equal")


def _input(value: Any, note: Note) -> set[str] | None:
    if type(value) is not dict:
        if value is None:
            note("input", "missing_key", found="input")
        else:
            wrong_type(note, "input", value, "an object")
        return None
    unknown_keys(value, _INPUT_KEYS, "input", note)
    names = chat.row_tools(value, "input.", note, bounds("openai"))
    _parallel(value, "input.", note)
    messages = value.get("messages")
    if chat.conversation(messages, "input.messages", note, chat.OPENAI, names):
        chat.asked(messages, "input.messages", note)  # type: ignore[arg-type]
    return names


def _side(row: Row, name: str, note: Note, names: set[str] | None) -> Any:
    """One answer, None where there is none to compare."""
    value = row.get(name)
    which = "preferred" if name == "preferred_output" else "other"
    if value is None:
        note(name, "answer_missing", found=which)
    elif type(value) is not list:
        is_a(note, name, "messages_not_list", value)
    elif not value:
        note(name, "answer_empty", found=which)
    elif len(value) > 1:
        note(name, "answers_several", found=len(value))
    elif type(value[0]) is dict and value[0].get("role") != "assistant":
        note(f"{name}[0].role", "answer_role")
    else:
        chat.conversation(value, name, note, _ANSWER, names)
        return value[0]
    return None


def preference_texts(row: Row) -> tuple[list[str], list[str]]:
    value = row.get("input")
    asked = value if type(value) is dict else {}
    answers = [chat.texts(row.get(name)) for name in ("preferred_output", "non_preferred_output")]
    return [*chat.texts(asked.get("messages")), *_declared(asked)], max(answers, key=lambda one: sum(map(len, one)))


def completion(row: Row, note: Note) -> None:
    unknown_keys(row, _COMPLETION_KEYS, "", note)
    text(row, "prompt", note, empty=True)
    text(row, "completion", note)


def text(row: Row, name: str, note: Note, *, empty: bool = False) -> None:
    """A column that is text."""
    value = row.get(name)
    if type(value) is str:
        if not value and not empty:
            note(name, "empty_text")
        elif value.isspace():
            note(name, "blank_text")
    elif value is None:
        note(name, "missing_key", found=name)
    else:
        wrong_type(note, name, value, "text")


def completion_texts(row: Row) -> tuple[list[str], list[str]]:
    return [str(row.get("prompt") or "")], [str(row.get("completion") or "")]
