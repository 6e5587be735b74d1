"""The rules of TRL's columns. Other columns are left alone: its trainers do not read them."""

from __future__ import annotations

from typing import Any

from tuning.checking.limits import bounds
from tuning.checking.rows import chat
from tuning.checking.rows.openai import text
from tuning.checking.rows.tools import tools
from tuning.checking.values import Note, short, wrong_type

Row = dict[str, Any]


def _tools(row: Row, note: Note) -> set[str] | None:
    value = row.get("tools")
    if type(value) is str:  # some write the list as JSON inside a text
        return None
    return tools(value, "tools", note, bounds("local"), strict=False)


def messages(row: Row, note: Note) -> None:
    said = row.get("messages")
    if chat.conversation(said, "messages", note, chat.TRL, _tools(row, note) if "tools" in row else None):
        chat.learned(said, "messages", note, weights=False)  # type: ignore[arg-type]


def messages_texts(row: Row) -> tuple[list[str], list[str]]:
    said = row.get("messages")
    some = said if type(said) is list else []
    return chat.texts(some[:-1]), chat.texts(some[-1:])


def completion(row: Row, note: Note) -> None:
    _prompt_and(row, ("completion",), note)


def _prompt_and(row: Row, answers: tuple[str, ...], note: Note, *, implicit: bool = False) -> None:
    """A prompt and its answers, all of them text or all of them messages."""
    names = _tools(row, note) if "tools" in row else None
    columns = answers if implicit and "prompt" not in row else ("prompt", *answers)
    for name in columns:
        _column(row, name, note, names, answer=name != "prompt")
    if len({type(row.get(name)) for name in columns if type(row.get(name)) in (str, list)}) > 1:
        note(columns[0], "mixed_columns")


def _column(row: Row, name: str, note: Note, names: set[str] | None, *, answer: bool) -> None:
    value = row.get(name)
    if type(value) is str:
        text(row, name, note, empty=not answer)
    elif value is None:
        note(name, "missing_key", found=name)
    elif type(value) is not list:
        wrong_type(note, name, value, "a list")
    elif chat.conversation(value, name, note, chat.TRL, names):
        if not answer:
            chat.asked(value, name, note)
        elif not any(type(one) is dict and one.get("role") == "assistant" for one in value):
            note(name, "answer_role")


def preference(row: Row, note: Note) -> None:
    _prompt_and(row, ("chosen", "rejected"), note, implicit=True)
    if row.get("chosen") is not None and row.get("chosen") == row.get("rejected"):
        note("rejected", "answers_equal")


def kto(row: Row, note: Note) -> None:
    _prompt_and(row, ("completion",), note)
    label = row.get("label")
    if label is None and "label" not in row:
        note("label", "missing_key", found="label")
    elif type(label) is not bool:
        note("label", "label_value", found=short(label))


def _said(value: Any) -> list[str]:
    return [value] if type(value) is str else chat.texts(value)


def completion_texts(row: Row) -> tuple[list[str], list[str]]:
    return _said(row.get("prompt")), _said(row.get("completion"))


def preference_texts(row: Row) -> tuple[list[str], list[str]]:
    answers = [_said(row.get(name)) for name in ("chosen", "rejected")]
    return _said(row.get("prompt")), max(answers, key=lambda one: sum(map(len, one)))


def plain(row: Row, note: Note) -> None:
    text(row, "text", note)


def plain_texts(row: Row) -> tuple[list[str], list[str]]:
    return [], [str(row.get("text") or "")]
